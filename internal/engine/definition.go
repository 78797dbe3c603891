package engine

import (
	"encoding/binary"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/dynorm/dynorm/internal/engine/value"
	"github.com/dynorm/dynorm/internal/engine/wire"
)

// A table's definition is stored as an item, whose attributes are those that
// are not zero. One that is added later is zero in older files.

// attrs collects the attributes of a definition.
type attrs map[string]value.Value

func (a attrs) text(name, s string) {
	if s != "" {
		a[name] = value.String(s)
	}
}

func (a attrs) flag(name string, b bool) {
	if b {
		a[name] = value.Bool(true)
	}
}

func (a attrs) int(name string, i int64) {
	if i != 0 {
		a[name] = value.Int(i)
	}
}

// number keeps a number that may not be set.
func (a attrs) number(name string, i wire.Int) {
	if i.Set {
		a[name] = value.Int(i.V)
	}
}

func (a attrs) time(name string, t time.Time) {
	if !t.IsZero() {
		a[name] = value.String(t.UTC().Format(time.RFC3339Nano))
	}
}

// record keeps an item with its place, or none.
func (a attrs) record(name string, r *record) {
	if r != nil {
		a[name] = value.Binary(string(value.AppendBinary(nil, r.item)))
		a[name+"Key"] = value.Binary(r.key)
	}
}

// limits are set or not, which is more than being zero.
func (a attrs) limits(limits [2]wire.Int) {
	for i, name := range limitNames {
		a.number(name, limits[i])
	}
}

var limitNames = [2]string{"maxReads", "maxWrites"}

func (a attrs) texts(name string, texts []string) {
	if len(texts) > 0 {
		a[name] = listOf(texts, value.String)
	}
}

func (a attrs) capacity(c capacity) {
	a.int("reads", c.read)
	a.int("writes", c.write)
}

func (a attrs) warm(c capacity) {
	a.int("warmReads", c.read)
	a.int("warmWrites", c.write)
}

func (a attrs) keys(k keySchema) {
	pair := func(k keyAttr) value.Value { return pairOf(k.name, k.kind.String()) }
	a["partition"] = listOf(k.partition, pair)
	a["sort"] = listOf(k.sort, pair)
}

func listOf[T any](in []T, of func(T) value.Value) value.Value {
	elems := make([]value.Value, len(in))
	for i, e := range in {
		elems[i] = of(e)
	}
	return value.List(elems)
}

func pairOf(a, b string) value.Value { return textsOf(a, b) }

func textsOf(texts ...string) value.Value { return listOf(texts, value.String) }

// definition returns the table's definition, with those of its indexes, as an
// item.
func (t *table) definition() value.Item {
	a := attrs{}
	a.text("name", t.name)
	a.text("arn", t.arn)
	a.text("id", t.id)
	a["attributes"] = listOf(t.attrs, func(d attrDef) value.Value { return pairOf(d.name, d.kind.String()) })
	a.keys(t.keys)
	a.flag("onDemand", t.onDemand)
	a.capacity(t.capacity)
	a.limits(t.onDemandLimit)
	a.warm(t.warm)
	a.flag("protected", t.protected)
	a.text("class", t.class)
	a.text("stream", t.stream.V)
	a.flag("sse", t.sse)
	a["tags"] = listOf(t.tags, func(g tag) value.Value { return pairOf(g.key.V, g.value.V) })
	a.text("ttl", t.ttl)
	for name, at := range t.times() {
		a.time(name, *at)
	}
	a["indexes"] = listOf(t.indexes, func(x *index) value.Value { return value.Map(x.definition()) })
	if t.restored != nil {
		a["restored"] = value.Map(t.restored.definition())
	}
	a["policies"] = listOf(slices.Sorted(maps.Keys(t.policies)), func(arn string) value.Value {
		p := t.policies[arn]
		return textsOf(arn, p.text, p.revision)
	})
	a["destinations"] = listOf(t.destinations, func(d destination) value.Value { return value.Map(d.definition()) })
	a["insights"] = listOf(t.insights, func(c insights) value.Value { return value.Map(c.definition()) })
	if t.history != nil {
		a.time("recoverySince", t.history.since)
		a.int("recoveryDays", int64(t.history.days))
	}
	if t.group != nil {
		a["replicas"] = listOf(t.group.others, func(r replica) value.Value { return value.Map(r.definition()) })
		a["override"] = value.Map(t.group.own.definition())
		a.time("global", t.group.legacy)
	}
	if t.log != nil {
		a.text("log", t.log.arn)
	}
	return value.ItemOf(a)
}

// keepTable notes the table's definition, and which parts it has.
func (e *Engine) keepTable(t *table) {
	if e.disk == nil {
		return
	}
	e.put(tablesPart, t.name, value.AppendBinary(nil, t.definition()))
	e.keepPart(itemsPart+t.name, true)
	e.keepPart(historyPart+t.name, t.history != nil)
	e.keepPart(stampsPart+t.name, t.group != nil)
}

// forgetTable notes that there is no such table.
func (e *Engine) forgetTable(name string) {
	e.remove(tablesPart, name)
	for _, part := range []string{itemsPart, historyPart, stampsPart} {
		e.keepPart(part+name, false)
	}
}

func (r *restored) definition() value.Item {
	a := attrs{}
	a.text("backup", r.backup)
	a.text("table", r.table)
	a.time("at", r.at)
	return value.ItemOf(a)
}

func (d *destination) definition() value.Item {
	a := attrs{}
	a.text("stream", d.stream)
	a.text("precision", d.precision)
	a.flag("enabled", d.enabled)
	a.text("from", d.from)
	a.time("settled", d.settled)
	return value.ItemOf(a)
}

func (c *insights) definition() value.Item {
	a := attrs{}
	a.text("index", c.index)
	a.text("mode", c.mode)
	a.flag("enabled", c.enabled)
	a.time("at", c.at)
	a.time("settled", c.settled)
	return value.ItemOf(a)
}

func (r *replica) definition() value.Item {
	a := attrs{}
	a.text("region", r.region)
	a.time("ready", r.readyAt)
	a["override"] = value.Map(r.override.definition())
	return value.ItemOf(a)
}

// times are the table's times by the names of their attributes.
func (d *tableDef) times() map[string]*time.Time {
	return map[string]*time.Time{
		"created": &d.created, "ready": &d.readyAt, "updated": &d.updatedAt, "gone": &d.goneAt,
		"billed": &d.billedAt, "increased": &d.increased, "decreased": &d.decreased,
	}
}

func (x *index) definition() value.Item {
	a := attrs{}
	a.text("name", x.name)
	a.keys(x.keys)
	a.text("projection", x.projection.kind)
	a.texts("include", x.projection.include)
	a.capacity(x.capacity)
	a.flag("global", x.global)
	a.limits(x.onDemand)
	a.warm(x.warm)
	a.time("ready", x.readyAt)
	a.time("gone", x.goneAt)
	a.flag("backfill", x.backfill)
	return value.ItemOf(a)
}

// numberKey returns a key that sorts as its number does.
func numberKey(n uint64) string { return string(binary.BigEndian.AppendUint64(nil, n)) }

// parseNumberKey is the inverse of numberKey.
func parseNumberKey(key string) (n uint64, ok bool) {
	if len(key) != 8 {
		return 0, false
	}
	return binary.BigEndian.Uint64([]byte(key)), true
}

// stored reads a definition. What is missing is zero; what is of a wrong form
// is kept as the first err.
type stored struct {
	value.Item
	err error
}

// parseStored reads the binary form of a definition.
func parseStored(text string) *stored {
	it, err := value.ParseBinary(text)
	return &stored{it, err}
}

func (s *stored) fail(name string) {
	if s.err == nil {
		s.err = fmt.Errorf("attribute %q has a wrong form", name)
	}
}

// get returns the named attribute, if it is there and of the kind.
func (s *stored) get(name string, kind value.Kind) (value.Value, bool) {
	v, ok := s.Get(name)
	if ok && v.Kind() != kind {
		s.fail(name)
		return value.Value{}, false
	}
	return v, ok
}

func (s *stored) text(name string) string {
	v, _ := s.get(name, value.S)
	return v.Text()
}

// maybe returns a text that is set if it is there.
func (s *stored) maybe(name string) wire.Text { return wire.Text{V: s.text(name), Set: s.Has(name)} }

// bytes returns the text of a binary attribute.
func (s *stored) bytes(name string) string {
	v, _ := s.get(name, value.B)
	return v.Text()
}

// record returns what attrs.record has kept, or nil.
func (s *stored) record(name string) *record {
	if !s.Has(name) {
		return nil
	}
	it, err := value.ParseBinary(s.bytes(name))
	if err != nil {
		s.fail(name)
		return nil
	}
	return newRecord(it, s.bytes(name+"Key"))
}

func (s *stored) flag(name string) bool {
	v, _ := s.get(name, value.BOOL)
	return v.Bool()
}

func (s *stored) int(name string) wire.Int {
	v, ok := s.get(name, value.N)
	if !ok {
		return wire.Int{}
	}
	n, ok := v.Number().Int()
	if !ok {
		s.fail(name)
	}
	return wire.Int{V: n, Set: true}
}

func (s *stored) time(name string) time.Time {
	v, ok := s.get(name, value.S)
	if !ok {
		return time.Time{}
	}
	t, err := time.Parse(time.RFC3339Nano, v.Text())
	if err != nil {
		s.fail(name)
	}
	return t
}

func (s *stored) limits() (limits [2]wire.Int) {
	for i, name := range limitNames {
		limits[i] = s.int(name)
	}
	return limits
}

func (s *stored) warm() capacity { return capacity{s.int("warmReads").V, s.int("warmWrites").V} }

func (s *stored) capacity() capacity { return capacity{s.int("reads").V, s.int("writes").V} }

// items returns the named list of definitions.
func (s *stored) items(name string) (list []*stored) {
	v, _ := s.get(name, value.L)
	for _, m := range v.Elems() {
		if m.Kind() != value.M {
			s.fail(name)
		}
		list = append(list, &stored{Item: m.Map()})
	}
	return list
}

// pairs returns the named list of pairs of texts.
func (s *stored) pairs(name string) [][2]string {
	v, _ := s.get(name, value.L)
	var out [][2]string
	for _, p := range v.Elems() {
		if e := p.Elems(); len(e) == 2 {
			out = append(out, [2]string{e[0].Text(), e[1].Text()})
		} else {
			s.fail(name)
		}
	}
	return out
}

func (s *stored) keys() (k keySchema) {
	read := func(name string) (out []keyAttr) {
		for _, p := range s.pairs(name) {
			kind := value.KindOf(p[1])
			if p[0] == "" || !kind.IsKey() {
				s.fail(name)
			}
			out = append(out, keyAttr{p[0], kind})
		}
		if len(out) > maxKeyAttrs {
			s.fail(name)
		}
		return out
	}
	k.partition, k.sort = read("partition"), read("sort")
	if len(k.partition) == 0 {
		s.fail("partition")
	}
	k.all = slices.Concat(k.partition, k.sort)
	return k
}

// parseDefinition returns the table, without items, that it defines.
func parseDefinition(it value.Item) (*table, error) {
	s := &stored{Item: it}
	t := &table{tableDef: tableDef{
		name: s.text("name"), arn: s.text("arn"), id: s.text("id"), keys: s.keys(), onDemand: s.flag("onDemand"),
		capacity: s.capacity(), warm: s.warm(), onDemandLimit: s.limits(), protected: s.flag("protected"), class: s.text("class"),
		sse: s.flag("sse"), ttl: s.text("ttl"),
	}}
	if view := s.text("stream"); view != "" {
		t.stream = wire.Text{V: view, Set: true}
	}
	for _, p := range s.pairs("attributes") {
		t.attrs = append(t.attrs, attrDef{p[0], value.KindOf(p[1])})
	}
	for _, p := range s.pairs("tags") {
		t.tags = append(t.tags, tag{wire.Text{V: p[0], Set: true}, wire.Text{V: p[1], Set: true}})
	}
	for name, at := range t.times() {
		*at = s.time(name)
	}
	for _, v := range s.items("indexes") {
		x, err := parseIndex(v.Item)
		if err != nil {
			return nil, err
		}
		t.indexes = append(t.indexes, x)
	}
	if t.name == "" {
		s.fail("name")
	}
	s.kept(t)
	return t, s.err
}

// kept reads what a table has beside its declaration.
func (s *stored) kept(t *table) {
	if v, ok := s.get("restored", value.M); ok {
		r := &stored{Item: v.Map()}
		t.restored = &restored{r.text("backup"), r.text("table"), r.time("at")}
		s.take(r)
	}
	policies, _ := s.get("policies", value.L)
	for _, v := range policies.Elems() {
		e := v.Elems()
		if len(e) != 3 {
			s.fail("policies")
			break
		}
		if t.policies == nil {
			t.policies = make(map[string]policy)
		}
		t.policies[e[0].Text()] = policy{e[1].Text(), e[2].Text()}
	}
	for _, d := range s.items("destinations") {
		t.destinations = append(t.destinations, destination{d.text("stream"), d.text("precision"), d.flag("enabled"), d.text("from"), d.time("settled")})
		s.take(d)
	}
	for _, c := range s.items("insights") {
		t.insights = append(t.insights, insights{c.text("index"), c.text("mode"), c.flag("enabled"), c.time("at"), c.time("settled")})
		s.take(c)
	}
	if days := s.int("recoveryDays"); days.Set {
		t.history = &history{since: s.time("recoverySince"), days: int(days.V)}
	}
	if s.Has("replicas") {
		t.group = &group{legacy: s.time("global"), own: s.override("override")}
		for _, r := range s.items("replicas") {
			t.group.others = append(t.group.others, replica{r.text("region"), r.time("ready"), r.override("override")})
			s.take(r)
		}
	}
}

// take makes the fault of a part, if it has one, that of the whole.
func (s *stored) take(part *stored) {
	if s.err == nil {
		s.err = part.err
	}
}

func parseIndex(it value.Item) (*index, error) {
	s := &stored{Item: it}
	x := &index{
		indexDef: indexDef{
			name: s.text("name"), keys: s.keys(), capacity: s.capacity(), warm: s.warm(), global: s.flag("global"), onDemand: s.limits(),
			projection: projection{kind: s.text("projection")},
		},
		readyAt: s.time("ready"), goneAt: s.time("gone"), backfill: s.flag("backfill"),
	}
	include, _ := s.get("include", value.L)
	for _, v := range include.Elems() {
		x.projection.include = append(x.projection.include, v.Text())
	}
	if x.name == "" || x.projection.kind == "" {
		return nil, errors.New("an index without a name or projection")
	}
	return x, s.err
}
