package engine

import (
	"strings"

	"github.com/dynorm/dynorm/internal/engine/partiql"
	"github.com/dynorm/dynorm/internal/engine/wire"
)

// statements are those of a batch or transaction as they came in.
type statements []*statementInput

func (in statements) shape(s *shape, set bool, path, class string, most int) {
	s.required(set, path)
	if set {
		s.count(len(in), 1, most, shownList(len(in), class), path)
	}
	for i, st := range in {
		s.within(path, i, "")
		st.shape(s)
	}
	s.within("", 0, "")
}

var (
	errMixedBatch = invalid("Read and write requests together in the same batch is not supported.")
	errForeign    = invalid("Invalid operation. Only select, insert, update and delete operations are valid")
	errOneItem    = invalid("Only single item select is supported")
	errSameItem   = invalid("Provided list of item keys contains duplicates")
)

// batchResult is what came of one statement of a batch.
type batchResult struct {
	table string
	item  string // JSON, if any
	err   error
}

func (e *Engine) batchExecuteStatement(r *wire.Reader) ([]byte, error) {
	var in statements
	var consumed wire.Text
	set := false
	err := decode(r, "BatchExecuteStatementInput", func(name string) {
		switch name {
		case "Statements":
			set = r.List(func() { in = append(in, readStatement(r, "BatchStatementRequest")) })
		case "ReturnConsumedCapacity":
			consumed = r.Text()
		default:
			r.Skip()
		}
	})
	if err != nil {
		return nil, err
	}
	var sh shape
	in.shape(&sh, set, "statements", "BatchStatementRequest", maxBatchStatements)
	sh.consumed(consumed)
	if err := sh.err(); err != nil {
		return nil, err
	}
	parsed := make([]*statement, len(in))
	results := make([]batchResult, len(in))
	reads, writes := 0, 0
	for i, st := range in {
		if parsed[i], results[i].err = st.parse(); results[i].err != nil {
			if partiql.Foreign(results[i].err) {
				results[i].err = errForeign
			}
			continue
		}
		switch parsed[i].Verb {
		case partiql.Exists:
			results[i].err = errExistsAlone
		case partiql.Select:
			reads++
		default:
			writes++
		}
	}
	if reads > 0 && writes > 0 {
		return nil, errMixedBatch
	}
	var total usages
	if err := e.runBatch(parsed, results, &total, reportOf(consumed)); err != nil {
		return nil, err
	}
	o := wire.Begin(nil)
	o.List("Responses", len(results), func(dst []byte, i int) []byte { return results[i].append(dst) })
	total.write(&o, reportOf(consumed), plainUnits)
	return o.End(), nil
}

// runBatch runs each statement that has no fault yet, all reads or all writes,
// each on its own. That two are about one item is a fault of the whole.
func (e *Engine) runBatch(parsed []*statement, results []batchResult, total *usages, want report) error {
	gets := make([]*get, len(parsed))
	writes := make([]*write, len(parsed))
	places := make(map[itemID]bool, len(parsed))
	for i, s := range parsed {
		if results[i].err != nil {
			continue
		}
		var key itemInput
		if s.Verb == partiql.Select {
			if gets[i], results[i].err = s.get(); results[i].err == nil {
				results[i].err = e.placeGet(s, gets[i], errOneItem)
				key = gets[i].key
			}
		} else {
			writes[i], results[i].err = e.writeOf(s)
			if results[i].err == nil {
				key = writes[i].key
				if s.Verb == partiql.Insert {
					key = writes[i].item
				}
			}
		}
		if results[i].err != nil {
			continue
		}
		keys, _, err := s.schema(e)
		if err != nil {
			results[i].err = err
			continue
		}
		place, _ := keys.appendKey(nil, key.item)
		id := itemID{tableName(s.table()), string(place)}
		if places[id] {
			return errSameItem
		}
		places[id] = true
	}
	for i, s := range parsed {
		b := &results[i]
		switch {
		case b.err != nil:
		case gets[i] != nil:
			b.table = tableName(gets[i].table)
			e.getInBatch(gets[i], b, total)
		default:
			b.table = tableName(writes[i].table)
			var done performed
			if done, b.err = e.perform(writes[i], "BatchExecuteStatement", writeOutput{consumed: want}); b.err != nil {
				continue
			}
			b.item, _ = s.returned(writes[i], done)
			total.of(b.table).add(&done.usage)
		}
	}
	return nil
}

func (e *Engine) getInBatch(g *get, b *batchResult, total *usages) {
	e.mu.RLock()
	defer e.mu.RUnlock()
	t, err := e.table(g.table, e.cfg.Now())
	if err != nil {
		b.table, b.err = "", err
		return
	}
	found, err := g.find(t)
	if err != nil {
		b.table, b.err = "", err
		return
	}
	total.of(t.name).own += readUnits(sizeOf(found), g.consistent.V)
	if found != nil {
		b.item = string(g.compiled.appendShown(nil, found))
	}
}

// codeOf returns a fault's code in the answer to a batch.
func codeOf(f *Fault) string {
	_, name, _ := strings.Cut(f.Type, "#")
	switch name {
	case "ValidationException":
		return "ValidationError"
	case "ThrottlingException":
		return "ThrottlingError"
	}
	return strings.TrimSuffix(name, "Exception")
}

func (b *batchResult) append(dst []byte) []byte {
	o := wire.Begin(dst)
	if b.err != nil {
		f := asFault(b.err)
		o.Object("Error", func(o *wire.Object) {
			o.Text("Code", codeOf(f))
			if f.Extra != nil {
				f.Extra(o)
			}
			o.Text("Message", f.Message)
		})
	}
	if b.table != "" {
		o.Text("TableName", b.table)
	}
	if b.item != "" {
		o.Raw("Item", b.item)
	}
	return o.End()
}
