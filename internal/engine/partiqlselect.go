package engine

import (
	"encoding/base64"
	"encoding/binary"
	"slices"
	"strconv"

	"github.com/dynorm/dynorm/internal/engine/expr"
	"github.com/dynorm/dynorm/internal/engine/partiql"
	"github.com/dynorm/dynorm/internal/engine/value"
	"github.com/dynorm/dynorm/internal/engine/wire"
)

// partitionsPerPage is how many partitions one page of a SELECT goes through.
const partitionsPerPage = 10

// selection is a SELECT that is ready to be run on its table.
type selection struct {
	read     readInput
	ranges   []expr.KeyRange // none for a scan
	scans    bool
	columns  []column
	position position
}

// column is what a SELECT shows of an item.
type column struct {
	name  string
	steps []expr.Step
}

// columns returns what the statement shows, none being whole items.
func (s *statement) columns() (columns []column, paths [][]expr.Step, err error) {
	for _, e := range s.Columns {
		if e.Op != partiql.Path {
			return nil, nil, invalid("Unexpected path component at %s", e.At)
		}
		c := column{}
		if c.steps, err = stepsOf(e); err != nil {
			return nil, nil, err
		}
		for _, step := range c.steps { // Indexes stay with the name before them.
			if step.Name != "" {
				c.name = step.Name
			} else {
				c.name += "[" + strconv.Itoa(int(step.Index)) + "]"
			}
		}
		if slices.ContainsFunc(columns, func(d column) bool { return d.name == c.name }) {
			return nil, nil, invalid("Duplicate identifiers in select clause: %s", c.name)
		}
		columns = append(columns, c)
		paths = append(paths, c.steps)
	}
	return columns, paths, nil
}

// show appends the JSON of an item's columns.
func show(dst []byte, r *record, columns []column) []byte {
	if len(columns) == 0 {
		return append(dst, r.json...)
	}
	attrs := make([]value.Attr, 0, len(columns))
	for _, c := range columns {
		if v := expr.Find(r.item, c.steps); !v.IsZero() {
			attrs = append(attrs, value.Attr{Name: c.name, Value: v})
		}
	}
	return wire.AppendItem(dst, value.NewItem(attrs))
}

// projection returns the statement's columns as a projection.
func (s *statement) projection() (*expr.Projection, []column, error) {
	columns, paths, err := s.columns()
	if err != nil || len(columns) == 0 {
		return nil, nil, err
	}
	p, err := s.b.Projection(paths)
	return p, columns, err
}

// selection prepares a SELECT.
func (e *Engine) selection(s *statement) (sel *selection, err error) {
	sel = &selection{read: readInput{table: s.table(), consistent: s.in.consistent}}
	in := &sel.read
	if s.Index != "" {
		in.index = wire.Text{V: s.Index, Set: true}
	}
	if in.compiled.projection, sel.columns, err = s.projection(); err != nil {
		return nil, err
	}
	if s.Where != nil {
		if in.compiled.filter, err = s.condition(); err != nil {
			return nil, err
		}
	}
	table, keys, err := s.schema(e)
	if err != nil {
		return nil, err
	}
	ranges, queried, err := s.ranges(keys)
	if err != nil {
		return nil, err
	}
	all := slices.Clip(keys.all)
	for _, a := range table.all {
		if !slices.Contains(all, a) {
			all = append(all, a)
		}
	}
	wrong, other := s.checkTests(keys, all, queried)
	if wrong != nil {
		return nil, wrong
	}
	in.isScan, sel.scans, sel.ranges = !queried, !queried, ranges
	if err := s.order(sel, keys); err != nil {
		return nil, err
	}
	switch {
	case s.global && s.in.consistent.V:
		return nil, errConsistentGSI
	case len(keys.partition) > 1 || len(keys.sort) > 1:
		return nil, errComposite
	}
	return sel, other
}

// order arranges the reading as ORDER BY says.
func (s *statement) order(sel *selection, keys keySchema) error {
	if len(s.Order) == 0 {
		return nil
	}
	switch {
	case s.Where == nil:
		return invalid("Must have WHERE clause in the statement when using ORDER BY clause.")
	case sel.scans:
		return invalid("Must have at least one non-optional hash key condition in WHERE clause when using ORDER BY clause.")
	}
	partitionsDown, down := false, false
	for _, o := range s.Order {
		name, ok := o.By.IsName()
		switch {
		case !ok && o.By.Op == partiql.Literal && o.By.Value.Kind() == value.S:
			return invalid("Argument to ORDER BY must be of type VariableReference. Type: %q", o.By.Value.Text())
		case !ok && o.By.Op == partiql.Path:
			return invalid("Argument to ORDER BY must be of type VariableReference. Type: PATH")
		case !ok:
			return invalid("Argument to ORDER BY must be of type VariableReference. Type: %s", o.By.Type())
		case !keys.has(name):
			return invalid("Variable reference %s in ORDER BY clause must be part of the primary key", name)
		}
		if slices.ContainsFunc(keys.partition, func(a keyAttr) bool { return a.name == name }) {
			partitionsDown = o.Desc
		} else {
			down = o.Desc
		}
	}
	slices.SortStableFunc(sel.ranges, func(a, b expr.KeyRange) int {
		return slices.CompareFunc(a.Partition, b.Partition, value.Compare)
	})
	if partitionsDown {
		slices.Reverse(sel.ranges)
	}
	sel.read.forward = wire.Bool{V: !down, Set: true}
	return nil
}

// position is where a page of a SELECT begins: the range, and the key there if
// it is not the range's first.
type position struct {
	at    int
	start itemInput
}

// selectMany runs a SELECT.
func (e *Engine) selectMany(s *statement, limit wire.Int, token, consumed wire.Text) ([]byte, error) {
	sel, err := e.selection(s)
	if err != nil {
		return nil, err
	}
	bound := digestStatements([]*statementInput{{text: s.in.text, params: s.in.params}})
	if token.Set {
		if sel.position, err = parseToken(token.V, bound); err != nil {
			return nil, err
		}
	}
	pages, next, err := e.pages(sel, limit)
	if err != nil {
		return nil, err
	}
	o := wire.Begin(nil)
	o.Key("Items")
	o.Buf = append(o.Buf, '[')
	total := usage{table: tableName(s.table())}
	first := true
	for _, p := range pages {
		for _, r := range p.records {
			if !sel.read.compiled.keeps(r.item) {
				continue
			}
			if !first {
				o.Buf = append(o.Buf, ',')
			}
			first = false
			o.Buf = show(o.Buf, r, sel.columns)
		}
		total.add(&p.usage)
	}
	o.Buf = append(o.Buf, ']')
	if next != nil {
		o.Text("NextToken", next.token(bound))
		if next.start.set {
			o.Item("LastEvaluatedKey", next.start.item)
		}
	}
	if want := reportOf(consumed); want != reportNone {
		o.Key("ConsumedCapacity")
		o.Buf = total.append(o.Buf, want, plainUnits)
	}
	return o.End(), nil
}

// pages reads the ranges, or all there is, until the page is full. next is
// where the following one begins.
func (e *Engine) pages(sel *selection, limit wire.Int) (pages []*page, next *position, err error) {
	e.mu.RLock()
	defer e.mu.RUnlock()
	from := sel.position
	if !sel.scans && from.at > len(sel.ranges) || sel.scans && from.at > 0 {
		return nil, nil, errNextToken
	}
	n := len(sel.ranges)
	if sel.scans {
		n = 1
	}
	size := 0
	for i := from.at; i < n; i++ {
		in := sel.read
		in.limit = limit
		if !sel.scans {
			in.partition = &sel.ranges[i]
		}
		if i == from.at {
			in.start = from.start
		}
		p, err := e.page(&in)
		if err != nil {
			return nil, nil, err
		}
		pages = append(pages, p)
		for _, r := range p.records {
			size += r.size
		}
		limit.V -= int64(len(p.records))
		switch {
		case p.last != nil:
			return pages, &position{at: i, start: itemInput{item: p.key(p.last), set: true}}, nil
		case i+1 == n:
		case limit.Set && limit.V <= 0, size > maxPage, len(pages) == partitionsPerPage:
			return pages, &position{at: i + 1}, nil
		}
	}
	return pages, nil, nil
}

// token returns p as an opaque text, bound to a statement.
func (p *position) token(bound sum) string {
	text := binary.AppendUvarint(bound[:], uint64(p.at))
	if p.start.set {
		text = wire.AppendItem(text, p.start.item)
	}
	return base64.StdEncoding.EncodeToString(text)
}

// parseToken reads what token wrote for the same statement.
func parseToken(token string, bound sum) (p position, err error) {
	text, err := base64.StdEncoding.DecodeString(token)
	if err != nil || len(text) <= len(bound) {
		return p, errNextToken
	}
	if sum(text[:len(bound)]) != bound {
		return p, errOtherToken
	}
	at, n := binary.Uvarint(text[len(bound):])
	if n <= 0 || at > maxPartitions {
		return p, errNextToken
	}
	p.at = int(at)
	if rest := text[len(bound)+n:]; len(rest) > 0 {
		r := wire.NewReader(string(rest))
		p.start = readItem(r)
		r.End()
		if r.Err() != nil || p.start.err != nil {
			return p, errNextToken
		}
	}
	return p, nil
}

// get returns the read of one item that a SELECT stands for, but for its key.
func (s *statement) get() (g *get, err error) {
	if err := s.checkParameters(); err != nil {
		return nil, err
	}
	g = &get{table: s.table(), consistent: s.in.consistent}
	if g.compiled.projection, _, err = s.projection(); err != nil {
		return nil, err
	}
	if s.Where != nil {
		_, err = s.condition()
	}
	return g, err
}

// placeGet gives the read its key. SELECTs of more than one item are refused
// with the given fault.
func (e *Engine) placeGet(s *statement, g *get, single *Fault) error {
	keys, _, err := s.schema(e)
	switch {
	case err != nil:
		return err
	case s.Index != "" || !s.isKeyOnly(keys):
		return single
	}
	g.key.item, err = s.key(keys)
	return err
}
