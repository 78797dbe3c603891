package engine

import (
	"cmp"
	"iter"
	"math"
	"math/bits"
	"slices"
	"strings"

	"github.com/dynorm/dynorm/internal/engine/expr"
	"github.com/dynorm/dynorm/internal/engine/value"
	"github.com/dynorm/dynorm/internal/engine/wire"
)

// maxPage is the size of the items that ends a page of a Query or Scan: the
// item that passes it is the page's last.
const maxPage = 1 << 20

var errConsistentGSI = invalid("Consistent reads are not supported on global secondary indexes")

// readInput is a Query or Scan as it came in.
type readInput struct {
	isScan     bool
	table      wire.Text
	index      wire.Text
	selects    wire.Text
	limit      wire.Int
	consistent wire.Bool
	forward    wire.Bool
	start      itemInput
	consumed   wire.Text
	segment    wire.Int
	segments   wire.Int
	exprs      exprInput
	compiled   compiled
	partition  *expr.KeyRange // what a query reads, where no key condition says so
}

func (in *readInput) field(r *wire.Reader, name string) {
	switch name {
	case "TableName":
		in.table = r.Text()
	case "IndexName":
		in.index = r.Text()
	case "Select":
		in.selects = r.Text()
	case "Limit":
		in.limit = r.Int("Integer")
	case "ConsistentRead":
		in.consistent = r.Bool()
	case "ScanIndexForward":
		in.forward = r.Bool()
	case "ExclusiveStartKey":
		in.start = readItem(r)
	case "ReturnConsumedCapacity":
		in.consumed = r.Text()
	case "Segment":
		in.segment = r.Int("Integer")
	case "TotalSegments":
		in.segments = r.Int("Integer")
	default:
		if !in.exprs.field(r, name) {
			r.Skip()
		}
	}
}

func (in *readInput) check(cache *expr.Cache) error {
	var s shape
	s.enum(in.selects, "select", "SPECIFIC_ATTRIBUTES", "COUNT", "ALL_ATTRIBUTES", "ALL_PROJECTED_ATTRIBUTES")
	s.index(in.index, "indexName")
	if in.isScan {
		s.atLeast(in.segments, "totalSegments", 1)
		s.atMost(in.segments, "totalSegments", 1_000_000)
	}
	s.consumed(in.consumed)
	s.table(in.table, "tableName")
	if in.isScan {
		s.atLeast(in.segment, "segment", 0)
		s.atMost(in.segment, "segment", 999_999)
	}
	s.atLeast(in.limit, "limit", 1)
	in.exprs.shape(&s)
	if err := s.err(); err != nil {
		return err
	}
	if err := checkName(in.table); err != nil {
		return err
	}
	takes, wording := expr.KindKeyCondition|expr.KindFilter|expr.KindProjection, expr.WordingRead
	if in.isScan {
		takes, wording = expr.KindFilter|expr.KindProjection, expr.WordingScan
	}
	if err := in.exprs.mixed(takes); err != nil {
		return err
	}
	if in.start.err != nil {
		return invalid("The provided starting key is invalid: %s", in.start.err)
	}
	if in.isScan {
		if err := in.checkSegments(); err != nil {
			return err
		}
	}
	var err error
	if in.compiled, err = in.exprs.compile(cache, takes, wording); err != nil {
		return err
	}
	if err := in.checkSelect(); err != nil {
		return err
	}
	if !in.isScan && in.compiled.key == nil {
		return invalid("Either the KeyConditions or KeyConditionExpression parameter must be specified in the request.")
	}
	return nil
}

func (in *readInput) checkSegments() error {
	switch {
	case in.segment.Set && !in.segments.Set:
		return invalid("The TotalSegments parameter is required but was not present in the request when Segment parameter is present")
	case !in.segment.Set && in.segments.Set:
		return invalid("The Segment parameter is required but was not present in the request when parameter TotalSegments is present")
	case in.segment.Set && in.segment.V >= in.segments.V:
		return invalid("The Segment parameter is zero-based and must be less than parameter TotalSegments: Segment: %d is not less than TotalSegments: %d", in.segment.V, in.segments.V)
	}
	return nil
}

// checkSelect judges Select against the other parameters.
func (in *readInput) checkSelect() error {
	projected := ""
	switch {
	case in.exprs.projection.Set:
		projected = "ProjectionExpression"
	case in.exprs.legacy != nil && in.exprs.legacy.attributesSet:
		projected = "AttributesToGet"
	}
	switch {
	case in.selects.V == "SPECIFIC_ATTRIBUTES" && projected == "":
		return invalid("Must specify the AttributesToGet or ProjectionExpression when choosing to get SPECIFIC_ATTRIBUTES")
	case in.selects.V == "ALL_PROJECTED_ATTRIBUTES" && !in.index.Set && projected == "":
		return invalid("ALL_PROJECTED_ATTRIBUTES can be used only when Querying using an IndexName")
	case projected == "" || !in.selects.Set || in.selects.V == "SPECIFIC_ATTRIBUTES":
		return nil
	case in.selects.V == "COUNT":
		return invalid("Cannot specify the %s when choosing to get only the Count", projected)
	}
	return invalid("Cannot specify the %s when choosing to get %s", projected, in.selects.V)
}

func (e *Engine) query(r *wire.Reader) ([]byte, error) { return e.readMany(r, false, "QueryInput") }
func (e *Engine) scan(r *wire.Reader) ([]byte, error)  { return e.readMany(r, true, "ScanInput") }

func (e *Engine) readMany(r *wire.Reader, isScan bool, class string) ([]byte, error) {
	in := readInput{isScan: isScan}
	in.exprs.takes = legacyOfQuery
	if isScan {
		in.exprs.takes = legacyOfScan
	}
	if err := decode(r, class, func(name string) { in.field(r, name) }); err != nil {
		return nil, err
	}
	if err := in.check(&e.syntax); err != nil {
		return nil, err
	}
	e.mu.RLock()
	p, err := e.page(&in)
	e.mu.RUnlock()
	if err != nil {
		return nil, err
	}
	return p.answer(&in)
}

// span is a range of a tree's keys: from low up to, not including, high. ends
// are the keys, if any, that by the bounds of a key condition are the first and
// the last that a table can hold within it.
type span struct {
	low, high string
	ends      [2]string
}

// end returns the key after which nothing can follow in a table, or "".
func (s span) end(backwards bool) string {
	if backwards {
		return s.ends[0]
	}
	return s.ends[1]
}

// page is the outcome of the walk: the records read, before the filter, which
// being immutable are looked at after the lock is released.
type page struct {
	table   keySchema
	index   *indexDef // nil for the table itself
	records []*record
	last    *record // where the next page starts, if it was cut
	usage   usage
}

// page walks the tree. The caller holds the lock for reading.
func (e *Engine) page(in *readInput) (*page, error) {
	now := e.cfg.Now()
	t, err := e.table(in.table, now)
	if err != nil {
		return nil, err
	}
	p := &page{table: t.keys, usage: usage{table: t.name}}
	keys, items := t.keys, &t.items
	var x *index
	if in.index.Set {
		x = t.index(in.index.V)
		if x == nil || x.readyAt.After(now) || !x.goneAt.IsZero() {
			return nil, invalid("The table does not have the specified index: %s", in.index.V)
		}
		indexDef := x.indexDef
		p.index, keys, items = &indexDef, x.keys, &x.tree
		if x.global && in.consistent.V {
			return nil, errConsistentGSI
		}
	}
	if err := in.compiled.checkKeys(t.keys, t.indexes); err != nil {
		return nil, err
	}
	within, err := in.span(keys, p)
	if err != nil {
		return nil, err
	}
	start, err := in.startAt(p, keys, within)
	if err != nil {
		return nil, err
	}
	if !in.isScan && in.compiled.filter != nil && in.partition == nil {
		if err := in.compiled.filter.CheckFilter(keyNames(keys), cmp.Or(in.compiled.filterName, "Filter Expression")); err != nil {
			return nil, err
		}
	}
	fetch, err := in.checkIndexed(p, t)
	if err != nil {
		return nil, err
	}
	p.walk(in, items, within, start, func(r *record) *record {
		if fetch {
			if whole, ok := t.items.Get(r.key); ok {
				return whole
			}
		}
		return r
	})
	if x == nil {
		if !in.isScan && p.last != nil && (len(keys.sort) == 0 || p.last.key == within.end(in.backwards())) {
			p.last = nil // There can't be another item.
		}
		return p, nil
	}
	units := p.usage.own
	p.usage.own = 0
	if fetch {
		for _, r := range p.records {
			p.usage.own += readUnits(r.size, in.consistent.V)
		}
	}
	p.usage.addIndex(x, units)
	return p, nil
}

// backwards reports whether the items are read from the last to the first.
func (in *readInput) backwards() bool { return in.forward.Set && !in.forward.V && !in.isScan }

// walk reads records of the span until Limit or the page's size is reached.
func (p *page) walk(in *readInput, items *tree, within span, start string, fetch func(*record) *record) {
	limit := math.MaxInt
	if in.limit.Set {
		limit = int(in.limit.V)
	}
	size := 0
	var last *record
	visit := func(_ string, r *record) bool {
		if len(p.records) == limit || size > maxPage {
			p.last = last
			return false
		}
		size += r.size
		last = r
		p.records = append(p.records, fetch(r))
		return true
	}
	if in.backwards() {
		high := within.high
		if start != "" {
			high = start
		}
		items.Descend(high, func(key string, r *record) bool {
			return key == high || (key >= within.low && visit(key, r))
		})
	} else {
		low := within.low
		if start != "" {
			low = start
		}
		items.Ascend(low, func(key string, r *record) bool {
			return (key == start && start != "") || (key < within.high && visit(key, r))
		})
	}
	if len(p.records) == limit {
		p.last = last // The service doesn't look whether anything follows.
	}
	p.usage.own = readUnits(size, in.consistent.V)
}

// checkIndexed judges the request against what the index holds. fetch says
// that the items are to be read from the table, as LSIs allow.
func (in *readInput) checkIndexed(p *page, t *table) (fetch bool, err error) {
	x := p.index
	if x == nil || x.projection.kind == "ALL" {
		return false, nil
	}
	if c := in.compiled.filter; c != nil {
		if missing := x.lacks(c.Attributes(), t.keys); len(missing) > 0 {
			return false, parameter("Secondary index %s does not project one or more filter attributes: [%s]", x.name, strings.Join(missing, ", "))
		}
	}
	if in.selects.V == "ALL_ATTRIBUTES" {
		if x.global {
			return false, parameter("Select type ALL_ATTRIBUTES is not supported for global secondary index %s because its projection type is not ALL", x.name)
		}
		return true, nil
	}
	if p := in.compiled.projection; p != nil {
		if missing := x.lacks(p.Attributes(), t.keys); len(missing) > 0 {
			if x.global {
				return false, parameter("Global secondary index %s does not project [%s]", x.name, strings.Join(missing, ", "))
			}
			return true, nil
		}
	}
	return false, nil
}

// lacks returns which of the attributes the index does not hold, sorted.
func (d *indexDef) lacks(names iter.Seq[string], table keySchema) []string {
	var missing []string
	for name := range names {
		if !d.holds(name, table) {
			missing = append(missing, name)
		}
	}
	slices.Sort(missing)
	return slices.Compact(missing)
}

// span returns the keys that the request covers: those of the key condition,
// or of the scan's segment.
func (in *readInput) span(keys keySchema, p *page) (span, error) {
	if in.partition != nil {
		return spanOf(*in.partition)
	}
	if !in.isScan {
		index := ""
		if p.index != nil {
			index = p.index.name
		}
		return in.compiled.span(keys, index)
	}
	if !in.segments.Set {
		return span{high: after("\xff\xff\xff\xff\xff\xff\xff\xff")}, nil
	}
	border := func(i int64) string {
		if i == in.segments.V {
			return after("\xff\xff\xff\xff\xff\xff\xff\xff")
		}
		q, _ := bits.Div64(uint64(i), 0, uint64(in.segments.V))
		var b [8]byte
		for j := range b {
			b[j] = byte(q >> (56 - 8*j))
		}
		return string(b[:])
	}
	return span{low: border(in.segment.V), high: border(in.segment.V + 1)}, nil
}

// startAt returns the tree key that ExclusiveStartKey stands for, or "".
func (in *readInput) startAt(p *page, keys keySchema, within span) (string, error) {
	if !in.start.set {
		return "", nil
	}
	const invalidKey = "The provided starting key is invalid"
	names := p.startNames()
	for _, a := range names {
		v, ok := in.start.item.Get(a.name)
		wrong := !ok || in.start.item.Len() != len(names)
		switch {
		case wrong && in.isScan && p.index == nil:
			return "", invalid("%s: %s", invalidKey, errKeySchema.Message)
		case wrong:
			return "", invalid(invalidKey)
		case v.Kind() != a.kind && !in.isScan && slices.Contains(keys.all, a):
			return "", errKeySchema
		case v.Kind() != a.kind:
			return "", invalid("%s: %s", invalidKey, errKeySchema.Message)
		}
	}
	if err := p.emptyStart(in.start.item, keys); err != nil {
		return "", err
	}
	start, _ := p.table.appendKey(nil, in.start.item)
	if p.index != nil {
		own, _ := keys.appendKey(nil, in.start.item)
		start = append(own, start...)
	}
	if key := string(start); key >= within.low && key < within.high && (p.index != nil || key != within.end(in.backwards())) {
		return key, nil
	}
	if in.isScan {
		return "", invalid("The provided starting key is invalid: Invalid ExclusiveStartKey. Please use ExclusiveStartKey with correct Segment. TotalSegments: %d Segment: %d", in.segments.V, in.segment.V)
	}
	return "", in.outside(p, keys, within, start)
}

// outside returns the fault of a starting key that the key condition does not
// cover: by its partition, by its sort key or by both.
func (in *readInput) outside(p *page, keys keySchema, within span, start []byte) error {
	if in.partition != nil {
		return errNextToken
	}
	index := ""
	if p.index != nil {
		index = p.index.name
	}
	r, err := in.compiled.keyRange(keys, index)
	if err != nil {
		return err
	}
	if len(r.Sort) == 0 && r.Prefix.IsZero() && r.Lower.IsZero() && r.Upper.IsZero() {
		return invalid("The provided starting key is outside query boundaries based on provided conditions")
	}
	own := make([]value.Value, len(keys.partition))
	for i, a := range keys.partition {
		own[i] = in.start.item.Value(a.name)
	}
	// The same key in the partition that the condition names.
	moved := string(partitionKey(nil, r.Partition)) + string(start[len(partitionKey(nil, own)):])
	if moved != string(start) && moved >= within.low && moved < within.high {
		return invalid("The query can return at most one row and cannot be restarted")
	}
	return invalid("The provided starting key does not match the range key predicate")
}

// emptyStart returns the fault of a starting key with an empty value.
func (p *page) emptyStart(start value.Item, keys keySchema) error {
	for _, a := range p.startNames() {
		if a.kind == value.N || start.Value(a.name).Len() > 0 {
			continue
		}
		restart := ""
		if slices.Contains(keys.partition, a) || slices.Contains(p.table.partition, a) {
			restart = "The query can return at most one row and cannot be restarted. "
		}
		fault := emptyValue(a)
		if !slices.Contains(p.table.all, a) {
			fault = emptyIndexValue(a, p.index.name)
		}
		return invalid("%sThe provided starting key is invalid: %s", restart, fault.Message)
	}
	return nil
}

// key returns the starting key that goes on after r.
func (p *page) key(r *record) value.Item {
	names := p.startNames()
	return r.item.Filter(func(name string) bool {
		return slices.ContainsFunc(names, func(a keyAttr) bool { return a.name == name })
	})
}

// startNames returns the attributes of starting keys: those of the index's
// key and of the table's.
func (p *page) startNames() []keyAttr {
	names := p.table.all
	if p.index == nil {
		return names
	}
	names = slices.Clip(names) // which others share
	for _, a := range p.index.keys.all {
		if !slices.Contains(names, a) {
			names = append(names, a)
		}
	}
	return names
}

// answer filters and projects the records and writes the response.
func (p *page) answer(in *readInput) ([]byte, error) {
	size := 256
	for _, r := range p.records {
		size += len(r.json) + 1
	}
	count := 0
	showItems := in.selects.V != "COUNT"
	if !showItems {
		size = 256
	}
	o := wire.Begin(make([]byte, 0, size))
	if showItems {
		o.Key("Items")
		o.Buf = append(o.Buf, '[')
	}
	for _, r := range p.records {
		if !in.compiled.keeps(r.item) {
			continue
		}
		count++
		if !showItems {
			continue
		}
		if count > 1 {
			o.Buf = append(o.Buf, ',')
		}
		o.Buf = in.compiled.appendShown(o.Buf, r)
	}
	if showItems {
		o.Buf = append(o.Buf, ']')
	}
	o.Int("Count", int64(count))
	o.Int("ScannedCount", int64(len(p.records)))
	if p.last != nil {
		o.Item("LastEvaluatedKey", p.key(p.last))
	}
	if want := reportOf(in.consumed); want != reportNone {
		o.Key("ConsumedCapacity")
		o.Buf = p.usage.append(o.Buf, want, plainUnits)
	}
	return o.End(), nil
}
