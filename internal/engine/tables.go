package engine

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf16"

	"github.com/dynorm/dynorm/internal/engine/wire"
)

// tableDef is what a table is declared to be.
type tableDef struct {
	name, arn, id string
	attrs         []attrDef
	keys          keySchema
	onDemand      bool // PAY_PER_REQUEST
	capacity      capacity
	onDemandLimit [2]wire.Int
	warm          capacity // the most that it was told to serve, a second
	protected     bool
	class         string
	stream        wire.Text // view type, when enabled
	sse           bool
	tags          []tag
	ttl           string // the TTL attribute, or ""
	created       time.Time
	readyAt       time.Time // until then it is CREATING
	updatedAt     time.Time // until then it is UPDATING
	goneAt        time.Time // if set, it is DELETING
	billedAt      time.Time // of the switch to PAY_PER_REQUEST
	increased     time.Time
	decreased     time.Time
	restored      *restored // where the table came from, if it was restored

	// What is kept for the asking. Each is replaced, never changed.
	policies     map[string]policy // by the ARN of the table or its stream
	destinations []destination
	insights     []insights
}

// Limits of tables.
const (
	maxGSIs     = 20
	maxLSIs     = 5
	maxIncluded = 100
	maxUnits    = 1_000_000_000_000
)

// tableName returns the name that t gives directly or as an ARN.
func tableName(t wire.Text) string {
	if !strings.HasPrefix(t.V, "arn:") {
		return t.V
	}
	_, name, ok := strings.Cut(t.V, ":table/")
	if !ok {
		return t.V
	}
	name, _, _ = strings.Cut(name, "/")
	return name
}

// checkName reports a table name of the wrong length.
func checkName(t wire.Text) error {
	if n := len(tableName(t)); n < 3 || n > 255 {
		return invalid("TableName must be at least 3 characters long and at most 255 characters long")
	}
	return nil
}

// table returns the table, for reading or writing its items at the time now.
func (e *Engine) table(t wire.Text, now time.Time) (*table, error) {
	tab, ok := e.tables.Get(tableName(t))
	if !ok || tab.readyAt.After(now) {
		return nil, errNoTable
	}
	return tab, nil
}

// defined returns the table, for operations on its definition.
func (e *Engine) defined(t wire.Text) (*table, error) {
	tab, ok := e.tables.Get(tableName(t))
	if !ok {
		return nil, noTable(tableName(t))
	}
	return tab, nil
}

type createInput struct {
	name       wire.Text
	attrs      []attrInput
	attrsSet   bool
	keys       []keyElement
	keysSet    bool
	billing    wire.Text
	throughput throughputInput
	onDemand   [2]wire.Int
	warm       warmInput
	lsis, gsis []indexInput
	lsisSet    bool
	gsisSet    bool
	protected  wire.Bool
	class      wire.Text
	stream     streamInput
	sse        wire.Bool
	tags       []tag
	tagsSet    bool

	under string // what the paths of the members begin with
}

type streamInput struct {
	set     bool
	enabled wire.Bool
	view    wire.Text
}

func readStream(r *wire.Reader) (s streamInput) {
	s.set = r.Struct("StreamSpecification", func(name string) {
		switch name {
		case "StreamEnabled":
			s.enabled = r.Bool()
		case "StreamViewType":
			s.view = r.Text()
		default:
			r.Skip()
		}
	})
	return s
}

func readSSE(r *wire.Reader) (enabled wire.Bool) {
	r.Struct("SSESpecification", func(name string) {
		if name == "Enabled" {
			enabled = r.Bool()
			return
		}
		r.Skip()
	})
	return enabled
}

func (in *createInput) read(r *wire.Reader) error {
	return decode(r, "CreateTableInput", func(name string) { in.field(r, name) })
}

// field reads the named member.
func (in *createInput) field(r *wire.Reader, name string) {
	switch name {
	case "TableName":
		in.name = r.Text()
	case "AttributeDefinitions":
		in.attrs, in.attrsSet = readAttrs(r)
	case "KeySchema":
		in.keys, in.keysSet = readKeys(r)
	case "BillingMode":
		in.billing = r.Text()
	case "ProvisionedThroughput":
		in.throughput = readThroughput(r)
	case "OnDemandThroughput":
		in.onDemand = readOnDemand(r)
	case "WarmThroughput":
		in.warm = readWarm(r)
	case "LocalSecondaryIndexes":
		in.lsisSet = r.List(func() {
			x, _ := readIndex(r, "LocalSecondaryIndex")
			in.lsis = append(in.lsis, x)
		})
	case "GlobalSecondaryIndexes":
		in.gsisSet = r.List(func() {
			x, _ := readIndex(r, "GlobalSecondaryIndex")
			in.gsis = append(in.gsis, x)
		})
	case "DeletionProtectionEnabled":
		in.protected = r.Bool()
	case "TableClass":
		in.class = r.Text()
	case "StreamSpecification":
		in.stream = readStream(r)
	case "SSESpecification":
		in.sse = readSSE(r)
	case "Tags":
		in.tags, in.tagsSet = readTags(r)
	default:
		r.Skip()
	}
}

func (in *createInput) check() error {
	s := shape{under: in.under}
	s.required(in.attrsSet, "attributeDefinitions")
	s.attrs(in.attrs, "attributeDefinitions")
	s.definedTable(in.name, "tableName")
	s.throughput(in.throughput, "provisionedThroughput")
	s.keys(in.keys, in.keysSet, "keySchema", 2)
	for i, x := range in.lsis {
		s.indexInput(x, member("localSecondaryIndexes", i), 2)
	}
	for i, x := range in.gsis {
		s.indexInput(x, member("globalSecondaryIndexes", i), 8)
	}
	s.enum(in.billing, "billingMode", "PROVISIONED", "PAY_PER_REQUEST")
	s.enum(in.class, "tableClass", "STANDARD", "STANDARD_INFREQUENT_ACCESS")
	s.stream(in.stream)
	if err := s.err(); err != nil {
		return err
	}
	onDemand := in.billing.V == "PAY_PER_REQUEST"
	switch {
	case onDemand && in.throughput.set:
		return parameter("Neither ReadCapacityUnits nor WriteCapacityUnits can be specified when BillingMode is PAY_PER_REQUEST")
	case !onDemand && !in.throughput.set:
		return parameter("ReadCapacityUnits and WriteCapacityUnits must both be specified when BillingMode is PROVISIONED")
	case in.throughput.read.V > maxUnits:
		return invalid("Given value %d for ReadCapacityUnits is out of bounds", in.throughput.read.V)
	case in.throughput.write.V > maxUnits:
		return invalid("Given value %d for WriteCapacityUnits is out of bounds", in.throughput.write.V)
	}
	return checkDistinct(in.attrs)
}

// checkDistinct refuses two definitions of one attribute.
func checkDistinct(attrs []attrInput) error {
	if name, ok := twice(attrs, func(a attrInput) string { return a.name.V }); ok {
		return invalid("Attribute Name is duplicated: %s", name)
	}
	return nil
}

// twice returns the first name that an element before has too. Lists are as
// long as a request can be, so that each is looked at once.
func twice[E any](list []E, name func(E) string) (string, bool) {
	seen := make(map[string]bool, len(list))
	for _, e := range list {
		if seen[name(e)] {
			return name(e), true
		}
		seen[name(e)] = true
	}
	return "", false
}

// resolve builds the table that the request declares.
func (in *createInput) resolve() (*table, error) {
	t := &table{tableDef: tableDef{
		name: tableName(in.name), onDemand: in.billing.V == "PAY_PER_REQUEST",
		capacity:  capacity{in.throughput.read.V, in.throughput.write.V},
		protected: in.protected.V, class: in.class.V, sse: in.sse.V, tags: in.tags, onDemandLimit: in.onDemand,
	}}
	t.attrs = resolveAttrs(in.attrs)
	var err error
	if t.keys, err = resolveKeys(in.keys, t.attrs, false, false); err != nil {
		return nil, err
	}
	if !in.lsisSet && !in.gsisSet && len(in.keys) != len(in.attrs) {
		return nil, parameter("Number of attributes in KeySchema does not exactly match number of attributes defined in AttributeDefinitions")
	}
	if in.lsisSet && len(t.keys.sort) == 0 && len(in.lsis) > 0 {
		return nil, parameter("Table KeySchema does not have a range key, which is required when specifying a LocalSecondaryIndex")
	}
	if in.lsisSet || in.gsisSet {
		if err := in.checkUsed(t.attrs); err != nil {
			return nil, err
		}
	}
	var gsis, lsis []*index
	if lsis, err = t.resolveIndexes(in.lsis, in.lsisSet, false); err != nil {
		return nil, err
	}
	t.indexes = lsis
	if gsis, err = t.resolveIndexes(in.gsis, in.gsisSet, true); err != nil {
		return nil, err
	}
	t.indexes = slices.Concat(gsis, lsis)
	if err := in.stream.checkCreate(); err != nil {
		return nil, err
	}
	if err := checkOnDemand(in.onDemand, whose{}, t.onDemand, false); err != nil {
		return nil, err
	}
	if t.warm, err = in.warm.create(whose{}, t.capacity, t.onDemand); err != nil {
		return nil, err
	}
	if in.stream.enabled.V {
		t.stream = in.stream.view
	}
	if err := checkTags(in.tags, nil); err != nil {
		return nil, err
	}
	return t, nil
}

func resolveAttrs(in []attrInput) []attrDef {
	attrs := make([]attrDef, len(in))
	for i, a := range in {
		attrs[i] = attrDef{a.name.V, kindOf(a.kind.V)}
	}
	return attrs
}

// resolveIndexes resolves one kind of the table's indexes.
func (t *table) resolveIndexes(in []indexInput, set, global bool) ([]*index, error) {
	kind, limit := "LocalSecondaryIndexes", maxLSIs
	if global {
		kind, limit = "GlobalSecondaryIndexes", maxGSIs
	}
	if set && len(in) == 0 {
		return nil, parameter("List of %s is empty", kind)
	}
	var out []*index
	for _, x := range in[:min(len(in), limit+1)] { // one more is too many
		def, err := resolveIndex(x, t.keys, t.attrs, global)
		if err != nil {
			return nil, err
		}
		if err := t.checkIndexCapacity(x, global); err != nil {
			return nil, err
		}
		if err := checkOnDemand(x.onDemand, whose{def.name}, t.onDemand, false); err != nil {
			return nil, err
		}
		if def.warm, err = x.warm.create(whose{def.name}, def.capacity, t.onDemand); err != nil {
			return nil, err
		}
		same := func(y *index) bool { return y.name == def.name }
		if slices.ContainsFunc(out, same) || slices.ContainsFunc(t.indexes, same) {
			return nil, parameter("Duplicate index name: %s", def.name)
		}
		out = append(out, &index{indexDef: def})
	}
	switch {
	case len(in) > limit && global:
		return nil, parameter("GlobalSecondaryIndex count exceeds the per-table limit of %d", limit)
	case len(in) > limit:
		return nil, parameter("Number of LocalSecondaryIndexes exceeds per-table limit of %d", limit)
	}
	included := 0
	for _, x := range slices.Concat(out, t.indexes) {
		included += len(x.projection.include)
	}
	if included > maxIncluded {
		return nil, parameter("Number of NonKeyAttributes exceeds per-table limit of %d", maxIncluded)
	}
	return out, nil
}

func (t *table) checkIndexCapacity(x indexInput, global bool) error {
	switch {
	case !global:
		return nil
	case t.onDemand && x.throughput.set:
		return parameter("ProvisionedThroughput should not be specified for index: %s when BillingMode is PAY_PER_REQUEST", x.name.V)
	case !t.onDemand && !x.throughput.set:
		return parameter("ProvisionedThroughput is not specified for index: %s", x.name.V)
	}
	return nil
}

// checkUsed reports attributes that are defined and no key uses.
func (in *createInput) checkUsed(attrs []attrDef) error {
	var used []string
	add := func(keys []keyElement) {
		for _, k := range keys {
			if !slices.Contains(used, k.name.V) {
				used = append(used, k.name.V)
			}
		}
	}
	add(in.keys)
	for _, x := range slices.Concat(in.lsis[:min(len(in.lsis), maxLSIs+1)], in.gsis[:min(len(in.gsis), maxGSIs+1)]) {
		add(x.keys)
	}
	for _, a := range attrs {
		if !slices.Contains(used, a.name) {
			hashed(used, 16)
			return parameter("Some AttributeDefinitions are not used. AttributeDefinitions: [%s], keys used: [%s]",
				strings.Join(definedNames(attrs), ", "), strings.Join(used, ", "))
		}
	}
	return nil
}

// definedNames returns the names of attributes as messages list them.
func definedNames(attrs []attrDef) []string {
	names := make([]string, len(attrs))
	for i, a := range attrs {
		names[i] = a.name
	}
	buckets := 2
	for buckets*3 < len(names)*4 {
		buckets *= 2
	}
	hashed(names, buckets)
	return names
}

// hashed orders names as they come out of a hash table of so many buckets, a
// power of two, in the service, a Java program.
func hashed(names []string, buckets int) {
	for buckets*3 < len(names)*4 {
		buckets *= 2
	}
	bucket := func(name string) uint32 {
		var h uint32
		for _, c := range utf16.Encode([]rune(name)) {
			h = 31*h + uint32(c)
		}
		return (h ^ h>>16) & uint32(buckets-1)
	}
	slices.SortStableFunc(names, func(a, b string) int { return cmp.Compare(bucket(a), bucket(b)) })
}

// keyNames returns the attributes that the table or an index has as a key.
func (t *table) keyNames() []string {
	var names []string
	add := func(k keySchema) {
		for _, a := range k.all {
			if !slices.Contains(names, a.name) {
				names = append(names, a.name)
			}
		}
	}
	add(t.keys)
	for _, x := range t.indexes {
		add(x.keys)
	}
	return names
}

// begin makes t a table that is created now.
func (e *Engine) begin(t *table, now time.Time) {
	t.created = now
	t.readyAt = now.Add(e.cfg.TableDelay)
	for _, x := range t.indexes {
		x.readyAt = t.readyAt
	}
	t.arn = "arn:aws:dynamodb:" + e.cfg.Region + ":" + e.cfg.Account + ":table/" + t.name
	seed := spread([]byte(t.arn + now.String()))
	t.id = fmt.Sprintf("%08x-%04x-4%03x-a%03x-%012x", uint32(seed), uint16(seed>>32), seed>>48&0xfff, seed>>52, now.UnixNano()&0xffffffffffff)
	if t.onDemand {
		t.billedAt = now
	}
}

func (e *Engine) createTable(r *wire.Reader) ([]byte, error) {
	var in createInput
	if err := in.read(r); err != nil {
		return nil, err
	}
	if err := in.check(); err != nil {
		return nil, err
	}
	t, err := in.resolve()
	if err != nil {
		return nil, err
	}
	now := e.cfg.Now()
	e.begin(t, now)

	e.mu.Lock()
	defer e.mu.Unlock()
	if present, exists := e.tables.Get(t.name); exists {
		if present.status(now) == statusCreating {
			return nil, present.inUse(now)
		}
		return nil, fault("ResourceInUseException", "Table already exists: "+t.name)
	}
	if err := t.checkQuotas(e.cfg.Region); err != nil {
		return nil, err
	}
	e.setStream(t, now)
	e.define(t)
	o := wire.Begin(nil)
	o.Object("TableDescription", func(o *wire.Object) { t.describe(o, now, statusCreating) })
	return o.End(), nil
}

func readTableName(r *wire.Reader, class string) (wire.Text, error) {
	var t wire.Text
	err := decode(r, class, func(name string) {
		if name == "TableName" {
			t = r.Text()
			return
		}
		r.Skip()
	})
	if err != nil {
		return t, err
	}
	var s shape
	s.definedTable(t, "tableName")
	return t, s.err()
}

func (e *Engine) describeTable(r *wire.Reader) ([]byte, error) {
	name, err := readTableName(r, "DescribeTableInput")
	if err != nil {
		return nil, err
	}
	e.mu.RLock()
	defer e.mu.RUnlock()
	t, err := e.defined(name)
	if err != nil {
		return nil, err
	}
	o := wire.Begin(nil)
	o.Object("Table", func(o *wire.Object) { t.describe(o, e.cfg.Now(), "") })
	return o.End(), nil
}

func (e *Engine) deleteTable(r *wire.Reader) ([]byte, error) {
	name, err := readTableName(r, "DeleteTableInput")
	if err != nil {
		return nil, err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	t, err := e.defined(name)
	if err != nil {
		return nil, err
	}
	now := e.cfg.Now()
	switch status := t.status(now); {
	case (status == statusActive || status == statusUpdating) && slices.ContainsFunc(t.indexes, func(x *index) bool { return x.status(now) != statusActive }):
		return nil, fault("ResourceInUseException", "Attempt to change a resource which is still in use: Cannot delete table while indexes are being created, updated, or deleted.")
	case status != statusActive:
		return nil, t.inUse(now)
	case t.protected:
		return nil, invalid("Resource cannot be deleted as it is currently protected against deletion. Disable deletion protection first.")
	}
	if t.history != nil {
		e.keepDeleted(t, now)
	}
	o := wire.Begin(nil)
	o.Object("TableDescription", func(o *wire.Object) { t.describe(o, now, statusDeleting) })
	e.endStream(t, now)
	e.forsake(t, now)
	e.discard(t, now)
	return o.End(), nil
}

// discard begins the end of a table.
func (e *Engine) discard(t *table, now time.Time) {
	if e.cfg.TableDelay > 0 {
		t.goneAt = now.Add(e.cfg.TableDelay)
		e.wake(t.goneAt.UnixNano())
		e.keepTable(t)
	} else {
		e.drop(t.name)
	}
}

func (e *Engine) listTables(r *wire.Reader) ([]byte, error) {
	var limit wire.Int
	var start wire.Text
	err := decode(r, "ListTablesInput", func(name string) {
		switch name {
		case "Limit":
			limit = r.Int("Integer")
		case "ExclusiveStartTableName":
			start = r.Text()
		default:
			r.Skip()
		}
	})
	if err != nil {
		return nil, err
	}
	var s shape
	s.index(start, "exclusiveStartTableName")
	s.atLeast(limit, "limit", 1)
	s.atMost(limit, "limit", 100)
	if err := s.err(); err != nil {
		return nil, err
	}
	if !limit.Set {
		limit.V = 100
	}
	e.mu.RLock()
	defer e.mu.RUnlock()
	var names []string
	more := false
	e.tables.Ascend(start.V, func(name string, _ *table) bool {
		if start.Set && name == start.V {
			return true
		}
		if more = len(names) == int(limit.V); more {
			return false
		}
		names = append(names, name)
		return true
	})
	o := wire.Begin(nil)
	o.List("TableNames", len(names), func(dst []byte, i int) []byte { return wire.AppendString(dst, names[i]) })
	if more {
		o.Text("LastEvaluatedTableName", names[len(names)-1])
	}
	return o.End(), nil
}
