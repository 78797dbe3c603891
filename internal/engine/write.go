package engine

import (
	"time"

	"github.com/dynorm/dynorm/internal/engine/expr"
	"github.com/dynorm/dynorm/internal/engine/value"
	"github.com/dynorm/dynorm/internal/engine/wire"
)

// writeKind is what a write does.
type writeKind int

const (
	put writeKind = iota
	update
	remove
	check // only the condition, in transactions
)

// operation returns the name of the request that is one such write.
func (k writeKind) operation() string {
	return [...]string{put: "PutItem", update: "UpdateItem", remove: "DeleteItem", check: "ConditionCheck"}[k]
}

// write is one change of one item: a request of its own, or a part of a batch
// or transaction.
type write struct {
	kind      writeKind
	table     wire.Text
	item      itemInput // of a put
	key       itemInput // of the others
	exprs     exprInput
	returning wire.Text // ReturnValues
	onFailure wire.Text // ReturnValuesOnConditionCheckFailure
	compiled  compiled
	unique    bool // an INSERT: that the item is there is a fault of its own

	home    *table    // that the write is prepared for, nil if there is none
	keys    keySchema // of home
	indexes []*index  // of home, as it was then
	place   string    // the tree key there
	record  *record   // of a put
}

// itemInput is an attribute map of a request, with the fault in it if any.
type itemInput struct {
	item value.Item
	set  bool
	err  error
}

func readItem(r *wire.Reader) (in itemInput) {
	in.item, in.set, in.err = r.Item()
	return in
}

// compile reads the write's expressions.
func (w *write) compile(cache *expr.Cache, wording expr.Wording) (err error) {
	w.compiled, err = w.exprs.compile(cache, w.takes(), wording)
	return err
}

// takes returns the expressions that the write may have.
func (w *write) takes() expr.Kind {
	if w.kind == update {
		return expr.KindUpdate | expr.KindCondition
	}
	return expr.KindCondition
}

// prepare checks the write against its table's schema and finds its place,
// which it leaves unset if something is wrong.
// It needs no lock: what it reads of a table does not change in place.
func (w *write) prepare() error {
	if w.home == nil {
		return errNoTable
	}
	keys, indexes := w.keys, w.indexes
	if w.kind != put {
		place, err := keys.place(w.key.item)
		if err != nil {
			return err
		}
		if err := w.compiled.checkKeys(keys, indexes); err != nil {
			return err
		}
		w.place = place
		return nil
	}
	if err := keys.checkItem(w.item.item, indexes); err != nil {
		return err
	}
	if err := w.compiled.checkKeys(keys, indexes); err != nil {
		return err
	}
	var buf [128]byte
	key, _ := keys.appendKey(buf[:0], w.item.item)
	w.record = newRecord(w.item.item, key)
	w.place = w.record.key
	return nil
}

// run finds the present item, judges the condition and makes the item as it is
// to be, nil when there is to be none. It changes nothing: the caller holds
// the lock and applies the step.
func (w *write) run(t *table) (old, new *record, err error) {
	old, _ = t.items.Get(w.place)
	present := value.Item{}
	if old != nil {
		present = old.item
	}
	if !w.compiled.holds(present) {
		return old, nil, w.conditionFailed(old)
	}
	switch w.kind {
	case put:
		return old, w.record, nil
	case remove:
		return old, nil, nil
	case check:
		return old, old, nil
	}
	if old == nil {
		if w.compiled.update != nil && !w.compiled.update.Creates() {
			return nil, nil, nil
		}
		present = w.key.item
	}
	item, err := w.compiled.apply(present)
	if err != nil {
		return old, nil, err
	}
	if old != nil && item.Equal(old.item) {
		return old, old, nil
	}
	if err := checkIndexKeys(item, t.indexes, w.compiled.update != nil && !w.compiled.update.IsLegacy()); err != nil {
		return old, nil, err
	}
	if item.Exceeds(value.MaxItemSize) { // An expression can use one large value many times.
		return old, nil, expr.ErrSize
	}
	for _, a := range item.Attrs() {
		if a.Value.Depth() > value.MaxDepth {
			return old, nil, wire.ErrNesting
		}
	}
	return old, newRecord(item, w.place), nil
}

// conditionFailed returns the fault of a condition that does not hold, with
// the present item when the request asks for it.
func (w *write) conditionFailed(old *record) *Fault {
	if w.unique {
		return errDuplicate
	}
	if w.onFailure.V != "ALL_OLD" || old == nil {
		return errCondition
	}
	f := *errCondition
	f.Extra = func(o *wire.Object) { o.Raw("Item", old.json) }
	return &f
}

// seek finds the write's table. The caller holds the lock.
func (e *Engine) seek(w *write, now time.Time) {
	if t, err := e.table(w.table, now); err == nil {
		w.home, w.keys, w.indexes = t, t.keys, t.indexes
	}
}

// locked returns the table of a write that is prepared. If another table has
// come into its place since, the write is prepared for that one. The caller
// holds the lock.
func (e *Engine) locked(w *write, now time.Time) (*table, error) {
	t, err := e.table(w.table, now)
	if err != nil || t == w.home {
		return t, err
	}
	w.home, w.keys, w.indexes = t, t.keys, t.indexes
	return t, w.prepare()
}

// single runs a PutItem, UpdateItem or DeleteItem.
func (e *Engine) single(w *write, out writeOutput) ([]byte, error) {
	done, err := e.perform(w, w.kind.operation(), out)
	if err != nil {
		return nil, err
	}
	o := wire.Begin(nil)
	w.returnValues(&o, done.old, done.new)
	if out.consumed != reportNone {
		o.Key("ConsumedCapacity")
		o.Buf = done.usage.append(o.Buf, out.consumed, plainUnits)
	}
	if done.collection != nil {
		o.Raw("ItemCollectionMetrics", string(done.collection))
	}
	return o.End(), nil
}

// performed is what came of a single write.
type performed struct {
	old, new   *record
	usage      usage
	collection []byte // its metrics, if wanted and there are any
}

// perform prepares, runs and applies one write of the named operation.
func (e *Engine) perform(w *write, operation string, out writeOutput) (done performed, err error) {
	now := e.cfg.Now()
	e.mu.RLock()
	e.seek(w, now)
	e.mu.RUnlock()
	if err := w.prepare(); err != nil {
		return done, err
	}
	if e.conflict(operation) {
		return done, errConflict
	}
	lag := e.lag(operation)
	e.mu.Lock()
	defer e.mu.Unlock()
	t, err := e.locked(w, now)
	if err != nil {
		return done, err
	}
	if done.old, done.new, err = w.run(t); err != nil {
		return done, err
	}
	if out.consumed != reportNone {
		done.usage = usage{table: t.name}
		done.usage.addWrite(t, done.old, done.new)
	}
	e.commit(t, done.old, done.new, now, lag)
	if shown := shownRecord(done.old, done.new); out.metrics && t.hasLSI() && shown != nil {
		done.collection = t.appendCollection(nil, shown)
	}
	return done, nil
}

func shownRecord(old, new *record) *record {
	if new != nil {
		return new
	}
	return old
}

// writeOutput is what the answer to a write shows beside attributes.
type writeOutput struct {
	consumed report
	metrics  bool
}

// returnValues writes the Attributes that ReturnValues asks for.
func (w *write) returnValues(o *wire.Object, old, new *record) {
	switch w.returning.V {
	case "ALL_OLD":
		if old != nil {
			o.Raw("Attributes", old.json)
		}
	case "ALL_NEW":
		if new != nil {
			o.Raw("Attributes", new.json)
		}
	case "UPDATED_OLD":
		if old != nil {
			w.returnUpdated(o, old.item)
		}
	case "UPDATED_NEW":
		if new != nil {
			w.returnUpdated(o, new.item)
		}
	}
}

func (w *write) returnUpdated(o *wire.Object, item value.Item) {
	if item := w.compiled.updated(item); item.Len() > 0 {
		o.Item("Attributes", item)
	}
}

type singleInput struct {
	w        write
	consumed wire.Text
	metrics  wire.Text
}

// field decodes a member of a PutItem, UpdateItem or DeleteItem, or with no class the like
// within a transaction.
func (in *singleInput) field(r *wire.Reader, name string) {
	w := &in.w
	switch name {
	case "TableName":
		w.table = r.Text()
	case "Item":
		w.item = readItem(r)
	case "Key":
		w.key = readItem(r)
	case "ReturnValues":
		w.returning = r.Text()
	case "ReturnValuesOnConditionCheckFailure":
		w.onFailure = r.Text()
	case "ReturnConsumedCapacity":
		in.consumed = r.Text()
	case "ReturnItemCollectionMetrics":
		in.metrics = r.Text()
	default:
		if !w.exprs.field(r, name) {
			r.Skip()
		}
	}
}

func (in *singleInput) check(cache *expr.Cache) error {
	var s shape
	w := &in.w
	s.consumed(in.consumed)
	s.table(w.table, "tableName")
	if w.kind == put {
		s.required(w.item.set, "item")
	} else {
		s.required(w.key.set, "key")
	}
	s.metrics(in.metrics)
	s.enum(w.returning, "returnValues", "ALL_NEW", "UPDATED_OLD", "ALL_OLD", "NONE", "UPDATED_NEW")
	s.enum(w.onFailure, "returnValuesOnConditionCheckFailure", "ALL_OLD", "NONE")
	w.exprs.shape(&s)
	if err := s.err(); err != nil {
		return err
	}
	if err := checkName(w.table); err != nil {
		return err
	}
	if err := w.exprs.mixed(w.takes()); err != nil {
		return err
	}
	input := w.key
	if w.kind == put {
		input = w.item
	}
	if input.err != nil {
		return input.err
	}
	if w.kind != update && w.returning.Set && w.returning.V != "ALL_OLD" && w.returning.V != "NONE" {
		return invalid("ReturnValues can only be ALL_OLD or NONE")
	}
	if err := w.oversized(); err != nil {
		return err
	}
	return w.compile(cache, expr.WordingWrite)
}

func (e *Engine) write(r *wire.Reader, kind writeKind, class string) ([]byte, error) {
	in := singleInput{w: write{kind: kind}}
	in.w.exprs.takes = legacyOfWrite
	if kind == update {
		in.w.exprs.takes = legacyOfUpdate
	}
	if err := decode(r, class, func(name string) { in.field(r, name) }); err != nil {
		return nil, err
	}
	if err := in.check(&e.syntax); err != nil {
		return nil, err
	}
	return e.single(&in.w, writeOutput{reportOf(in.consumed), in.metrics.V == "SIZE"})
}

func (e *Engine) putItem(r *wire.Reader) ([]byte, error) { return e.write(r, put, "PutItemInput") }
func (e *Engine) updateItem(r *wire.Reader) ([]byte, error) {
	return e.write(r, update, "UpdateItemInput")
}

func (e *Engine) deleteItem(r *wire.Reader) ([]byte, error) {
	return e.write(r, remove, "DeleteItemInput")
}

// step is a write of a batch or transaction together with its outcome.
type step struct {
	write    *write
	table    *table
	old, new *record
}

// commitAll applies the steps of one request, all of which are known to hold.
func (e *Engine) commitAll(steps []step, now time.Time, lag time.Duration) {
	for _, s := range steps {
		e.commit(s.table, s.old, s.new, now, lag)
	}
}
