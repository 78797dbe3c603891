package engine

import (
	"strconv"

	"github.com/dynorm/dynorm/internal/engine/expr"
	"github.com/dynorm/dynorm/internal/engine/partiql"
	"github.com/dynorm/dynorm/internal/engine/value"
	"github.com/dynorm/dynorm/internal/engine/wire"
)

// Limits of PartiQL requests.
const (
	maxBatchStatements = 25
	maxNextToken       = 32768
	maxToken           = 36
)

var (
	errDuplicate   = fault("DuplicateItemException", "Duplicate primary key exists in table")
	errNextToken   = invalid("Invalid NextToken")
	errOtherToken  = invalid("NextToken does not match request")
	errTableName   = invalid("Table name should be within the length [3, 255] and only contain 'a-z', 'A-Z', '0-9', '-', '_', '.'.")
	errParameters  = invalid("Number of parameters in request and statement don't match.")
	errExistsAlone = invalid("EXISTS can only be used in ExecuteTransaction write requests.")
)

// statementInput is a PartiQL statement as it came in: a request of its own,
// or a part of a batch or transaction.
type statementInput struct {
	text       wire.Text
	params     []value.Value
	paramsSet  bool
	paramsErr  error
	consistent wire.Bool
	onFailure  wire.Text
}

func (in *statementInput) field(r *wire.Reader, name string) bool {
	switch name {
	case "Statement":
		in.text = r.Text()
	case "Parameters":
		in.paramsSet = r.List(func() {
			v, err := r.Value()
			if err != nil && in.paramsErr == nil {
				in.paramsErr = err
			}
			in.params = append(in.params, v)
		})
	case "ConsistentRead":
		in.consistent = r.Bool()
	case "ReturnValuesOnConditionCheckFailure":
		in.onFailure = r.Text()
	default:
		return false
	}
	return true
}

func (in *statementInput) shape(s *shape) {
	s.required(in.text.Set, "statement")
	s.length(in.text, "statement", 1, partiql.MaxSize)
	if in.paramsSet {
		s.count(len(in.params), 1, partiql.MaxSize, shownList(len(in.params), "AttributeValue"), "parameters")
	}
	s.enum(in.onFailure, "returnValuesOnConditionCheckFailure", "ALL_OLD", "NONE")
}

func readStatement(r *wire.Reader, class string) *statementInput {
	in := &statementInput{}
	r.Struct(class, func(name string) {
		if !in.field(r, name) {
			r.Skip()
		}
	})
	return in
}

// statement is a statement that was read, with its parameters. What it builds
// shares one builder, so it is good for one execution.
type statement struct {
	*partiql.Statement
	in     *statementInput
	b      expr.Builder
	global bool // its index is a global one, as the schema showed
}

func (in *statementInput) parse() (*statement, error) {
	if in.paramsErr != nil {
		return nil, in.paramsErr
	}
	parsed, err := partiql.Parse(in.text.V)
	if err != nil {
		return nil, err
	}
	return &statement{Statement: parsed, in: in}, nil
}

// checkParameters refuses a statement that lacks values for its question
// marks. Values left over are no fault.
func (s *statement) checkParameters() error {
	if s.Parameters > len(s.in.params) {
		return errParameters
	}
	return nil
}

func (s *statement) table() wire.Text { return wire.Text{V: s.Table, Set: true} }

// isNamed reports whether the statement's table has a name that a table can
// have.
func (s *statement) isNamed() bool {
	name := tableName(s.table())
	return len(name) >= 3 && len(name) <= 255 && validName(name)
}

// schema returns the keys of the statement's table, or of its index.
func (s *statement) schema(e *Engine) (table keySchema, read keySchema, err error) {
	if s.Verb != partiql.Insert && !s.isNamed() {
		return table, read, errTableName
	}
	e.mu.RLock()
	defer e.mu.RUnlock()
	t, err := e.table(s.table(), e.cfg.Now())
	switch {
	case err != nil:
		return table, read, err
	case s.Index == "":
		return t.keys, t.keys, nil
	}
	x := t.index(s.Index)
	if x == nil {
		return table, read, invalid("The table does not have the specified index: %s", s.Index)
	}
	s.global = x.global
	return t.keys, x.keys, nil
}

func (e *Engine) executeStatement(r *wire.Reader) ([]byte, error) {
	var in statementInput
	var limit wire.Int
	var token, consumed wire.Text
	err := decode(r, "ExecuteStatementInput", func(name string) {
		switch name {
		case "Limit":
			limit = r.Int("Integer")
		case "NextToken":
			token = r.Text()
		case "ReturnConsumedCapacity":
			consumed = r.Text()
		default:
			if !in.field(r, name) {
				r.Skip()
			}
		}
	})
	if err != nil {
		return nil, err
	}
	var sh shape
	in.shape(&sh)
	sh.length(token, "nextToken", 1, maxNextToken)
	sh.consumed(consumed)
	sh.atLeast(limit, "limit", 1)
	if err := sh.err(); err != nil {
		return nil, err
	}
	s, err := in.parse()
	if err != nil {
		return nil, err
	}
	switch s.Verb {
	case partiql.Exists:
		return nil, errExistsAlone
	case partiql.Select:
		if !s.isNamed() {
			return nil, errTableName
		}
		if err := s.checkParameters(); err != nil {
			return nil, err
		}
		return e.selectMany(s, limit, token, consumed)
	}
	done, w, err := e.performStatement(s, "ExecuteStatement", reportOf(consumed))
	if err != nil {
		return nil, err
	}
	o := wire.Begin(nil)
	var items []string
	if shown, ok := s.returned(w, done); ok {
		items = append(items, shown)
	}
	o.List("Items", len(items), func(dst []byte, i int) []byte { return append(dst, items[i]...) })
	if want := reportOf(consumed); want != reportNone {
		o.Key("ConsumedCapacity")
		o.Buf = done.usage.append(o.Buf, want, plainUnits)
	}
	return o.End(), nil
}

// performStatement runs a statement that writes.
func (e *Engine) performStatement(s *statement, operation string, want report) (performed, *write, error) {
	w, err := e.writeOf(s)
	if err != nil {
		return performed{}, nil, err
	}
	done, err := e.perform(w, operation, writeOutput{consumed: want})
	return done, w, err
}

// writeOf returns the write that a statement stands for.
func (e *Engine) writeOf(s *statement) (*write, error) {
	w, err := s.write()
	if err != nil {
		return nil, err
	}
	return w, e.place(s, w)
}

// write returns the write that a statement stands for, as far as that depends
// on no table.
func (s *statement) write() (w *write, err error) {
	if err := s.checkParameters(); err != nil {
		return nil, err
	}
	w = &write{table: s.table(), onFailure: s.in.onFailure}
	switch s.Verb {
	case partiql.Insert:
		return w, s.insert(w)
	case partiql.Update:
		w.kind = update
	case partiql.Delete:
		w.kind = remove
	case partiql.Exists:
		w.kind = check
	}
	if w.kind == update {
		if w.compiled.update, err = s.update(); err != nil {
			return nil, err
		}
	}
	if s.Where != nil {
		if w.compiled.condition, err = s.condition(); err != nil {
			return nil, err
		}
	}
	return w, nil
}

// insert makes w the write of an INSERT.
func (s *statement) insert(w *write) (err error) {
	attrs := make([]value.Attr, len(s.Item))
	for i, f := range s.Item {
		if attrs[i].Value, err = s.constant(f.Value); err != nil {
			return err
		}
		attrs[i].Name = f.Name
	}
	w.kind, w.unique = put, true
	w.item.item = value.NewItem(attrs)
	return w.oversized()
}

// place gives the write its key and what depends on it.
func (e *Engine) place(s *statement, w *write) error {
	if w.kind != put && s.Where == nil {
		return errNoKey
	}
	keys, _, err := s.schema(e)
	if err != nil {
		return err
	}
	if w.kind != put {
		if w.key.item, err = s.key(keys); err != nil {
			return err
		}
		if w.kind == remove { // What is not there is not deleted, which is no fault.
			if s.Returning != "" && s.Returning != "ALL OLD" {
				return invalid("Invalid returning clause: RETURNING %s *. Only RETURNING ALL OLD * is allowed in DELETE statements.", s.Returning)
			}
			w.compiled.condition = w.compiled.condition.OrWithout(keys.partition[0].name)
		}
		return nil
	}
	for _, a := range keys.all {
		v, ok := w.item.item.Get(a.name)
		switch {
		case !ok:
			return invalid("Key attribute should be present in the item: Key %s", a.name)
		case v.Kind() != a.kind:
			return wrongKind(a)
		}
	}
	w.compiled.condition = expr.Without(keys.partition[0].name)
	return nil
}

// returned returns what the RETURNING clause of a write shows, and whether it
// shows anything.
func (s *statement) returned(w *write, done performed) (string, bool) {
	r := done.new
	if s.Returning == "ALL OLD" || s.Returning == "MODIFIED OLD" {
		r = done.old
	}
	if r == nil {
		return "", false
	}
	switch s.Returning {
	case "ALL OLD", "ALL NEW":
		return r.json, true
	case "MODIFIED OLD", "MODIFIED NEW":
		if it := w.compiled.updated(r.item); it.Len() > 0 {
			return string(wire.AppendItem(nil, it)), true
		}
	}
	return "", false
}

// digestStatements hashes what the statements of a request say.
func digestStatements(in []*statementInput) sum {
	var text []byte
	for _, s := range in {
		text = wire.AppendString(text, s.text.V)
		text = strconv.AppendBool(text, s.onFailure.V == "ALL_OLD")
		for _, p := range s.params {
			text = wire.AppendValue(text, p)
		}
	}
	return sumOf(text)
}
