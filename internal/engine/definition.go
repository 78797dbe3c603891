package engine

import (
	"errors"
	"fmt"
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

func (a attrs) time(name string, t time.Time) {
	if !t.IsZero() {
		a[name] = value.String(t.UTC().Format(time.RFC3339Nano))
	}
}

// limits are set or not, which is more than being zero.
func (a attrs) limits(limits [2]wire.Int) {
	for i, name := range limitNames {
		if limits[i].Set {
			a[name] = value.Int(limits[i].V)
		}
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

func pairOf(a, b string) value.Value {
	return value.List([]value.Value{value.String(a), value.String(b)})
}

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

// stored reads a definition. What is missing is zero; what is of a wrong form
// is kept as the first err.
type stored struct {
	value.Item
	err error
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
	indexes, _ := s.get("indexes", value.L)
	for _, v := range indexes.Elems() {
		x, err := parseIndex(v.Map())
		if err != nil {
			return nil, err
		}
		t.indexes = append(t.indexes, x)
	}
	if t.name == "" {
		s.fail("name")
	}
	return t, s.err
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
