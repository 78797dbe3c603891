package engine

import (
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/dynorm/dynorm/internal/engine/expr"
	"github.com/dynorm/dynorm/internal/engine/wire"
)

// Limits of transactions.
const (
	maxActions      = 100
	maxTransactSize = 4 << 20
)

// reason is why one action kept a transaction from happening.
type reason struct {
	code, message string
	item          string // JSON of the present item, when asked for
}

var conflicted = reason{code: "TransactionConflict", message: "Transaction is ongoing for the item"}

// reasonOf returns the reason that err is for an action, and whether it is one;
// other errors fail the request as a whole.
func reasonOf(err error) (reason, bool) {
	f := asFault(err)
	switch {
	case strings.HasSuffix(f.Type, "ConditionalCheckFailedException"):
		r := reason{code: "ConditionalCheckFailed", message: f.Message}
		if f.Extra != nil {
			o := wire.Begin(nil)
			f.Extra(&o)
			r.item = string(o.Buf)
		}
		return r, true
	case f.Type == validationType, f == errDuplicate:
		return reason{code: "ValidationError", message: f.Message}, true
	}
	return reason{}, false
}

// reasons are those of a transaction's actions, nil while there are none.
type reasons []reason

// add notes the reason of action i of n.
func (rs *reasons) add(i, n int, r reason) {
	if *rs == nil {
		*rs = make(reasons, n)
	}
	(*rs)[i] = r
}

// addErr notes err as the reason of action i of n, or returns it if it fails
// the request as a whole.
func (rs *reasons) addErr(i, n int, err error) error {
	r, ok := reasonOf(err)
	if !ok {
		return err
	}
	rs.add(i, n, r)
	return nil
}

// canceled returns the TransactionCanceledException for the actions' reasons.
func canceled(reasons reasons) *Fault {
	codes := make([]string, len(reasons))
	for i, r := range reasons {
		codes[i] = r.codeOr()
	}
	f := fault("TransactionCanceledException", "Transaction cancelled, please refer cancellation reasons for specific reasons ["+strings.Join(codes, ", ")+"]")
	f.Extra = func(o *wire.Object) {
		o.List("CancellationReasons", len(reasons), func(dst []byte, i int) []byte {
			r := reasons[i]
			e := wire.Begin(dst)
			e.Text("Code", r.codeOr())
			if r.item != "" {
				e.Buf = append(append(e.Buf, ','), r.item[1:]...)
			}
			if r.message != "" {
				e.Text("Message", r.message)
			}
			return e.End()
		})
	}
	return f
}

func (r reason) codeOr() string {
	if r.code == "" {
		return "None"
	}
	return r.code
}

// itemID tells the items of a transaction apart.
type itemID struct {
	table, place string
}

// actionLists are lists of actions that no request uses any more: they would be
// most of what a small transaction leaves to the garbage collector.
var actionLists = sync.Pool{New: func() any { return new([]actionInput) }}

// maxKeptActions is how long a list may be to be kept for another request.
const maxKeptActions = 25

// releaseActions empties the list, and keeps it for another request.
func releaseActions(list *[]actionInput) {
	clear(*list)
	if *list = (*list)[:0]; cap(*list) <= maxKeptActions {
		actionLists.Put(list)
	}
}

// actionInput is an entry of TransactItems.
type actionInput struct {
	singleInput
	path   string // of the member, such as put
	number int    // of members that are set
}

func (a *actionInput) read(r *wire.Reader) {
	member := func(name string) { a.field(r, name) }
	r.Struct("TransactWriteItem", func(name string) {
		var kind writeKind
		var path string
		switch name {
		case "Put":
			kind, path = put, "put"
		case "Update":
			kind, path = update, "update"
		case "Delete":
			kind, path = remove, "delete"
		case "ConditionCheck":
			kind, path = check, "conditionCheck"
		default:
			r.Skip()
			return
		}
		if r.Struct(name, member) {
			a.w.kind, a.path = kind, path
			a.number++
		}
	})
}

func (e *Engine) transactWriteItems(r *wire.Reader) ([]byte, error) {
	list := actionLists.Get().(*[]actionInput)
	defer releaseActions(list)
	var consumed, metrics, token wire.Text
	set := false
	err := decode(r, "TransactWriteItemsInput", func(name string) {
		switch name {
		case "TransactItems":
			set = r.List(func() {
				*list = append(*list, actionInput{})
				(*list)[len(*list)-1].read(r)
			})
		case "ClientRequestToken":
			token = r.Text()
		case "ReturnConsumedCapacity":
			consumed = r.Text()
		case "ReturnItemCollectionMetrics":
			metrics = r.Text()
		default:
			r.Skip()
		}
	})
	if err != nil {
		return nil, err
	}
	actions := *list
	if err := e.checkActions(actions, set, consumed, metrics, token); err != nil {
		return nil, err
	}
	writes := make([]*write, len(actions))
	for i := range actions {
		writes[i] = &actions[i].w
	}
	tx := transaction{operation: "TransactWriteItems", consumed: consumed, metrics: metrics, token: token, digest: digest}
	return e.transactWrites(writes, tx, wire.Begin(nil))
}

// transaction is what a transaction's request says beside its writes.
type transaction struct {
	operation                string
	consumed, metrics, token wire.Text
	digest                   func([]step) sum // of what must be the same under one token
}

// transactWrites runs all of the writes or none, and finishes the answer o.
func (e *Engine) transactWrites(writes []*write, tx transaction, o wire.Object) ([]byte, error) {
	metrics, token := tx.metrics, tx.token
	now := e.cfg.Now()
	steps, err := e.prepareActions(writes, now)
	if err != nil {
		return nil, err
	}
	want := reportOf(tx.consumed)
	var total usages
	lag := e.lag(tx.operation)
	var key, request sum
	if token.Set {
		key, request = sumOf([]byte(token.V)), tx.digest(steps)
	}

	e.mu.Lock()
	defer e.mu.Unlock()
	replay := false
	if token.Set {
		if replay, err = e.seen(key, request, now); err != nil {
			return nil, err
		}
	}
	size := 0
	var failed reasons
	for i := range steps {
		s := &steps[i]
		if s.table, err = e.locked(s.write, now); err != nil {
			return nil, err
		}
		if replay { // The same request again: nothing is done, and reading the items is charged.
			s.old, _ = s.table.items.Get(s.write.place)
			total.of(s.table.name).own += readUnits(sizeOf(s.old), true)
			continue
		}
		if e.conflict(tx.operation) {
			failed.add(i, len(steps), conflicted)
			continue
		}
		if s.old, s.new, err = s.write.run(s.table); err != nil {
			if err := failed.addErr(i, len(steps), err); err != nil {
				return nil, err
			}
		}
		size += max(sizeOf(s.old), sizeOf(s.new))
	}
	if failed != nil {
		return nil, canceled(failed)
	}
	var collections map[string][][]byte
	if !replay {
		if size > maxTransactSize {
			return nil, invalid("Collection size of all items in a transaction exceeded the limit of 4 MB")
		}
		for _, s := range steps {
			if want != reportNone {
				total.of(s.table.name).addWrite(s.table, s.old, s.new)
			}
		}
		e.commitAll(steps, now, lag)
		if metrics.V == "SIZE" {
			collections = collectionsOf(steps)
		}
		if token.Set {
			e.keepToken(e.tokens.add(key, request, now))
		}
	}
	kind := writeOnly
	if replay {
		kind = readOnly
	}
	for _, u := range total {
		u.scale(2)
	}
	total.write(&o, want, kind)
	if len(collections) > 0 {
		o.Object("ItemCollectionMetrics", func(o *wire.Object) {
			for _, name := range slices.Sorted(maps.Keys(collections)) {
				list := collections[name]
				o.List(name, len(list), func(dst []byte, i int) []byte { return append(dst, list[i]...) })
			}
		})
	}
	return o.End(), nil
}

// collectionsOf returns the ItemCollectionMetrics of what was written, by table.
func collectionsOf(steps []step) map[string][][]byte {
	collections := make(map[string][][]byte)
	for _, s := range steps {
		if shown := shownRecord(s.old, s.new); shown != nil && s.table.hasLSI() && s.write.kind != check {
			collections[s.table.name] = append(collections[s.table.name], s.table.appendCollection(nil, shown))
		}
	}
	return collections
}

// digest hashes what the writes say, however their members were ordered.
func digest(steps []step) sum {
	buf := scratch.Get().(*[]byte)
	defer scratch.Put(buf)
	text := (*buf)[:0]
	for _, s := range steps {
		w := s.write
		text = append(text, byte(w.kind))
		text = wire.AppendString(text, tableName(w.table))
		if w.record != nil {
			text = append(text, w.record.json...)
		} else {
			text = wire.AppendItem(text, w.key.item)
		}
		for _, t := range []wire.Text{w.exprs.condition, w.exprs.update, w.onFailure} {
			text = wire.AppendString(text, t.V)
		}
		if w.compiled == (compiled{}) {
			continue
		}
		for _, key := range slices.Sorted(maps.Keys(w.exprs.names)) {
			text = wire.AppendString(wire.AppendString(text, key), w.exprs.names[key])
		}
		for _, key := range slices.Sorted(maps.Keys(w.exprs.values)) {
			text = wire.AppendValue(wire.AppendString(text, key), w.exprs.values[key])
		}
	}
	*buf = text
	return sumOf(text)
}

func (e *Engine) checkActions(actions []actionInput, set bool, consumed, metrics, token wire.Text) error {
	var s shape
	s.consumed(consumed)
	s.metrics(metrics)
	s.required(set, "transactItems")
	if set {
		s.count(len(actions), 1, maxActions, shownList(len(actions), "TransactWriteItem"), "transactItems")
	}
	for i := range actions {
		a := &actions[i]
		s.within("transactItems", i, a.path)
		w := &a.w
		if a.number == 0 {
			continue
		}
		s.table(w.table, "tableName")
		if w.kind == put {
			s.required(w.item.set, "item")
		} else {
			s.required(w.key.set, "key")
		}
		switch w.kind {
		case update:
			s.required(w.exprs.update.Set, "updateExpression")
		case check:
			s.required(w.exprs.condition.Set, "conditionExpression")
		}
		s.enum(w.onFailure, "returnValuesOnConditionCheckFailure", "ALL_OLD", "NONE")
	}
	s.within("", 0, "")
	s.length(token, "clientRequestToken", 1, 36)
	if err := s.err(); err != nil {
		return err
	}
	for i := range actions {
		switch a := &actions[i]; {
		case a.number == 0:
			return invalid("Invalid Request: TransactWriteRequest should contain Delete or Put or Update request")
		case a.number > 1:
			return invalid("TransactItems can only contain one of Check, Put, Update or Delete")
		}
	}
	for i := range actions {
		w := &actions[i].w
		if err := checkName(w.table); err != nil {
			return err
		}
		if err := w.inputErr(); err != nil {
			return err
		}
		if err := w.compile(&e.syntax, expr.WordingScan); err != nil {
			return err
		}
	}
	return nil
}

// prepareActions checks the actions against their tables and each other. What
// is wrong with an item or key cancels the transaction with a reason.
func (e *Engine) prepareActions(writes []*write, now time.Time) ([]step, error) {
	e.mu.RLock()
	for _, w := range writes {
		e.seek(w, now)
	}
	e.mu.RUnlock()
	steps := make([]step, len(writes))
	var failed reasons
	for i, w := range writes {
		steps[i].write = w
		if err := w.prepare(); err != nil {
			if err := failed.addErr(i, len(writes), err); err != nil {
				return nil, err
			}
			w.place = "" // it has none to share
			continue
		}
		for _, other := range writes[:i] { // at most a hundred, and their places differ early
			if other.place == w.place && tableName(other.table) == tableName(w.table) {
				return nil, invalid("Transaction request cannot include multiple operations on one item")
			}
		}
	}
	if failed != nil {
		return nil, canceled(failed)
	}
	return steps, nil
}

func (e *Engine) transactGetItems(r *wire.Reader) ([]byte, error) {
	var gets []*get
	var consumed wire.Text
	set := false
	err := decode(r, "TransactGetItemsInput", func(name string) {
		switch name {
		case "TransactItems":
			set = r.List(func() {
				var g *get
				r.Struct("TransactGetItem", func(name string) {
					if name != "Get" {
						r.Skip()
						return
					}
					found := &get{}
					if r.Struct("Get", func(name string) { found.field(r, name) }) {
						g = found
					}
				})
				gets = append(gets, g)
			})
		case "ReturnConsumedCapacity":
			consumed = r.Text()
		default:
			r.Skip()
		}
	})
	if err != nil {
		return nil, err
	}
	if err := e.checkGets(gets, set, consumed); err != nil {
		return nil, err
	}
	return e.transactGets(gets, "TransactGetItems", consumed)
}

// transactGets reads all of the items at once.
func (e *Engine) transactGets(gets []*get, operation string, consumed wire.Text) ([]byte, error) {
	found := make([]*record, len(gets))
	var failed reasons
	size := 0
	var total usages
	places := make(map[itemID]bool)
	now := e.cfg.Now()

	e.mu.RLock()
	defer e.mu.RUnlock()
	for i, g := range gets {
		t, err := e.table(g.table, now)
		if err != nil {
			return nil, err
		}
		if found[i], err = g.find(t); err != nil {
			if err := failed.addErr(i, len(gets), err); err != nil {
				return nil, err
			}
			continue
		}
		id := itemID{t.name, g.place}
		if places[id] {
			return nil, invalid("Transaction request cannot include multiple operations on one item")
		}
		places[id] = true
		if e.conflict(operation) {
			failed.add(i, len(gets), conflicted)
		}
		size += sizeOf(found[i])
		total.of(t.name).own += readUnits(sizeOf(found[i]), true) * 2
	}
	switch {
	case failed != nil:
		return nil, canceled(failed)
	case size > maxTransactSize:
		return nil, invalid("Collection size of all items in a transaction exceeded the limit of 4 MB")
	}
	o := wire.Begin(make([]byte, 0, 2*size+256))
	o.List("Responses", len(gets), func(dst []byte, i int) []byte {
		e := wire.Begin(dst)
		if found[i] != nil {
			e.Key("Item")
			e.Buf = gets[i].compiled.appendShown(e.Buf, found[i])
		}
		return e.End()
	})
	total.write(&o, reportOf(consumed), readOnly)
	return o.End(), nil
}

func (e *Engine) checkGets(gets []*get, set bool, consumed wire.Text) error {
	var s shape
	s.consumed(consumed)
	s.required(set, "transactItems")
	if set {
		s.count(len(gets), 1, maxActions, shownList(len(gets), "TransactGetItem"), "transactItems")
	}
	for i, g := range gets {
		if g == nil {
			s.within("", 0, "")
			s.required(false, member("transactItems", i)+".get")
			continue
		}
		s.within("transactItems", i, "get")
		s.table(g.table, "tableName")
		s.required(g.key.set, "key")
	}
	if err := s.err(); err != nil {
		return err
	}
	for _, g := range gets {
		if err := checkName(g.table); err != nil {
			return err
		}
		if g.key.err != nil {
			return g.key.err
		}
		var err error
		if g.compiled, err = g.exprs.compile(&e.syntax, expr.KindProjection, expr.WordingScan); err != nil {
			return err
		}
	}
	return nil
}
