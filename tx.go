package dynorm

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unsafe"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/dynorm/dynorm/internal/expr"
)

// Limits of one transaction: "TransactWriteItems" in the Amazon DynamoDB API
// Reference.
const (
	maxTxActions = 100
	maxTxSize    = 4 << 20
)

// TxError is a transaction that DynamoDB cancelled: nothing of it was written.
type TxError struct {
	// Reasons are the actions at fault, in the order of the transaction.
	Reasons []TxReason
	// Err is the SDK's error.
	Err error
}

// TxReason says why one action cancelled its transaction.
type TxReason struct {
	// Action counts the actions from 0, claims of unique values included.
	Action int
	// Op is the call that made the action, as named in the API, and Entity its
	// entity.
	Op, Entity string
	// Code is DynamoDB's: ConditionalCheckFailed, TransactionConflict, ...
	Code string
	// Err is what it means: a ConditionError, ErrConflict, ErrThrottled, ...
	Err error
}

func (e *TxError) Error() string {
	parts := make([]string, len(e.Reasons))
	for i, r := range e.Reasons {
		parts[i] = fmt.Sprintf("%s %s (action %d): %v", r.Op, r.Entity, r.Action, r.Err)
	}
	return ErrTxCanceled.Error() + ": " + strings.Join(parts, "; ")
}

// Unwrap returns ErrTxCanceled, what each reason means, and the SDK's error.
func (e *TxError) Unwrap() []error {
	errs := []error{ErrTxCanceled}
	for _, r := range e.Reasons {
		errs = append(errs, r.Err)
	}
	return append(errs, e.Err)
}

// Tx collects the writes of one transaction. It belongs to the function it was
// given to and is not safe for concurrent use.
type Tx struct {
	db    *DB
	units []*unit
	room  [8]*unit // of most
	token string
	err   error

	skip, skipped int
}

// Skip leaves out the first n writes that are added from now on: those that a
// [DB.Chunked] that ended early has done ([ChunkedError]). The Done of the next
// one counts them too. An n below zero or above the number of writes is an
// ErrInvalid, and so is a Skip in [DB.Transact], which writes all or none.
func (tx *Tx) Skip(n int) {
	if n < 0 {
		tx.fail(opError("Skip", nil, faultf(ErrInvalid, "Skip(%d): give 0 or more", n)))
		return
	}
	tx.skip = n
}

// Token gives the idempotency token of the transaction, 1 to 36 characters: a
// transaction with the same token and the same writes that was sent within the
// last ten minutes is not written again. Without it each transaction has a
// token of its own. With it, a transaction whose items changed between its
// building and its sending is an ErrConflict, since other writes may not go by
// the same token.
func (tx *Tx) Token(token string) {
	if len(token) == 0 || len(token) > 36 {
		tx.fail(opError("Token", nil, faultf(ErrInvalid, "a token has 1 to 36 characters, not %d", len(token))))
		return
	}
	tx.token = token
}

// fail keeps the first error: a transaction with a hole in it must not be sent.
func (tx *Tx) fail(err error) {
	if tx.err == nil {
		tx.err = err
	}
}

// revert sets the values given to the transaction back.
func (tx *Tx) revert() {
	for _, u := range slices.Backward(tx.units) {
		u.revert()
	}
}

// Transact runs fn, which adds writes to the transaction ([Model.In]), and then
// sends them all in one request: DynamoDB writes all or none. Nothing is sent
// when fn returns an error or added nothing. Where the transaction fails, the
// values given to it are as they were.
//
// Up to 100 actions, claims of unique values included, 4 MB together and no
// item twice: more is an error before the request, never split
// ([DB.Chunked] does). Each action costs twice the write units of the same
// write alone. The request carries an idempotency token, so that a retry after a
// lost response does not write twice. Conflicts with other transactions are
// sent again with growing pauses; a write that was planned on an item which
// changed meanwhile is planned anew. A cancelled transaction is a [*TxError].
//
// See "Amazon DynamoDB Transactions: How it works" in the Amazon DynamoDB Developer Guide.
func (db *DB) Transact(ctx context.Context, fn func(tx *Tx) error) (err error) {
	ctx, tr := db.begin(ctx, "Transact", nil)
	defer tr.end(&err)
	tx, err := db.build(fn)
	if err == nil && tx.skipped > 0 {
		err = faultf(ErrInvalid, "Skip leaves out %d writes: a transaction writes all or none, Chunked goes on where one ended", tx.skipped)
	}
	if err == nil {
		_, err = db.carryOut(ctx, tx.units, txOptions{always: true, token: tx.token, name: "Transact"})
	}
	if err != nil && !written(err) {
		tx.revert()
	}
	return opError("Transact", nil, err)
}

// build collects the writes that fn adds.
func (db *DB) build(fn func(tx *Tx) error) (*Tx, error) {
	tx := &Tx{db: db}
	tx.units = tx.room[:0]
	if err := db.ready(); err != nil {
		return tx, err
	}
	if fn == nil {
		return tx, faultf(ErrInvalid, "the function is nil")
	}
	if err := fn(tx); err != nil {
		return tx, err
	}
	if tx.err == nil && tx.skip > 0 {
		tx.fail(faultf(ErrInvalid, "Skip leaves out %d writes more than there are", tx.skip))
	}
	return tx, tx.err
}

// txOptions say how the writes of a request are sent.
type txOptions struct {
	always bool   // as a transaction also when it is one write
	apart  bool   // the units do not depend on each other, and are sent until ctx ends
	token  string // the idempotency token, empty for a new one
	name   string // the call, as named in the API, where it is not that of the writes
	// read reads the item that a single update returns, nil for [readRaw].
	read rowReader
}

// transact sends writes as one transaction.
func (db *DB) transact(ctx context.Context, writes []*write, tx txOptions) error {
	if err := checkTx(writes); err != nil {
		return err
	}
	op := &Operation{Kind: OpTransactWriteItems, Name: orDefault(tx.name, writes[0].name), Entity: oneEntity(writes), writes: writes}
	op.call.straight = make(straightItems, 0, len(writes))
	for _, w := range writes {
		op.call.straight.add(w.item)
	}
	in := &dynamodb.TransactWriteItemsInput{ClientRequestToken: &tx.token}
	if db.direct() && db.cfg.Cache == nil && db.cfg.Tracer == nil {
		in.TransactItems = op.call.given.standIn(&db.table, writes)
	} else {
		in.TransactItems = actionsFor(&db.table, writes)
	}
	op.Input = in
	_, err := run(ctx, db, op, transactWriteItemsMethod)
	if canceled, ok := errors.AsType[*types.TransactionCanceledException](err); ok {
		return txError(canceled, writes, err)
	}
	return err
}

// oneEntity names the entity of all writes, or none when there are several.
func oneEntity(writes []*write) string {
	for _, w := range writes {
		if w.e != writes[0].e {
			return ""
		}
	}
	return writes[0].e.def.Name
}

// checkTx refuses what DynamoDB would refuse, before anything is sent.
func checkTx(writes []*write) error {
	if len(writes) > maxTxActions {
		return faultf(ErrTooLarge, "the transaction has %d actions, over the limit of %d", len(writes), maxTxActions)
	}
	if first, again, ok := sameItem(writes); ok {
		v, w := writes[first], writes[again]
		return faultf(ErrInvalid, "actions %d (%s %s) and %d (%s %s) of the transaction are on the same item: DynamoDB takes one action an item",
			first, v.name, v.e.def.Name, again, w.name, w.e.def.Name)
	}
	size := sizes(writes, (*write).size)
	if size > maxTxSize {
		size = sizes(writes, (*write).exactSize)
	}
	if size > maxTxSize {
		return faultf(ErrTooLarge, "the transaction takes %d bytes, over the limit of %d", size, maxTxSize)
	}
	return nil
}

// sameItem finds two writes of one item.
func sameItem(writes []*write) (first, again int, found bool) {
	const few = 16
	if len(writes) > few {
		seen := make(map[string]int, len(writes))
		for i, w := range writes {
			id := w.id()
			if first, ok := seen[id]; ok {
				return first, i, true
			}
			seen[id] = i
		}
		return 0, 0, false
	}
	var room [few]string
	ids := room[:0]
	for i, w := range writes {
		id := w.id()
		if first := slices.Index(ids, id); first >= 0 {
			return first, i, true
		}
		ids = append(ids, id)
	}
	return 0, 0, false
}

// txError maps the reasons of a cancelled transaction onto its writes.
func txError(canceled *types.TransactionCanceledException, writes []*write, err error) *TxError {
	te := &TxError{Err: err}
	for i, r := range canceled.CancellationReasons {
		if r.Code == nil || *r.Code == "None" || i >= len(writes) {
			continue
		}
		w := writes[i]
		reason := TxReason{Action: i, Op: w.name, Entity: w.e.def.Name, Code: *r.Code}
		message := ""
		if r.Message != nil {
			message = *r.Message
		}
		switch *r.Code {
		case "ConditionalCheckFailed":
			reason.Err = conditionReason(conditionError(ErrConditionFailed, r.Item, nil), w.reason)
		case "TransactionConflict":
			reason.Err = ErrConflict
		case "ProvisionedThroughputExceeded", "ThrottlingError", "RequestLimitExceeded":
			reason.Err = ErrThrottled
		case "ItemCollectionSizeLimitExceeded":
			reason.Err = faultf(ErrTooLarge, "item collection exceeds 10 GB")
		default:
			reason.Err = faultf(refusalKind(message), "DynamoDB refused the action: %s", message)
		}
		te.Reasons = append(te.Reasons, reason)
	}
	return te
}

// TxModel adds writes of one entity to a transaction. See [Model.In].
type TxModel[T any] struct {
	m  Model[T]
	tx *Tx
}

// In returns the writes of the model as part of a transaction. Each checks its
// values at once and is sent when [DB.Transact] ends.
func (m Model[T]) In(tx *Tx) TxModel[T] { return TxModel[T]{m: m, tx: tx} }

// add puts a write into the transaction, or keeps its first error. What undo
// sets back is set back where the write can't be planned, or the transaction
// fails.
func (tx *Tx) add(name string, db *DB, e *entity, err error, undo func(), plan func() (*unit, error)) error {
	if tx == nil {
		return opError(name, e, faultf(ErrInvalid, "In was given a nil Tx: use the one that Transact gives"))
	}
	if err == nil && db != tx.db {
		err = faultf(ErrInvalid, "the model and the transaction are of different DBs")
	}
	if err == nil && tx.skip > 0 {
		tx.skip--
		tx.skipped++
		return nil
	}
	var u *unit
	if err == nil {
		if u, err = plan(); err != nil && undo != nil {
			undo()
		}
	}
	if err != nil {
		err = opError(name, e, err)
		tx.fail(err)
		return err
	}
	u.undo = undo
	tx.units = append(tx.units, u)
	return nil
}

// valuePlan plans a write of the struct at v.
type valuePlan func(db *DB, ctx context.Context, e *entity, v unsafe.Pointer) (*mutation, error)

// addValue adds the write of the value at v, which goes back to what it is now
// where the transaction fails, whoever changes it until then.
func (tx *Tx) addValue(ctx context.Context, name string, m model, v unsafe.Pointer, plan valuePlan) error {
	err, undo := m.check(v), noUndo
	if err == nil {
		undo = m.e.keep(m.maker, v)
	}
	return tx.add(name, m.db, m.e, err, undo, func() (*unit, error) {
		mu, err := plan(m.db, ctx, m.e, v)
		if err != nil {
			return nil, err
		}
		return m.db.planned(ctx, mu)
	})
}

// addKey adds a write that goes by a key.
func (tx *Tx) addKey(ctx context.Context, name string, db *DB, e *entity, err error, plan func() (*mutation, error)) error {
	return tx.add(name, db, e, err, nil, func() (*unit, error) {
		m, err := plan()
		if err != nil {
			return nil, err
		}
		return db.planned(ctx, m)
	})
}

// Create adds what [Model.Create] sends.
func (t TxModel[T]) Create(ctx context.Context, v *T) error {
	return t.tx.addValue(ctx, "Create", model(t.m), unsafe.Pointer(v), (*DB).planCreate)
}

// Put adds what [Model.Put] sends. An entity with unique fields is read at
// once, to know which claims the item holds.
func (t TxModel[T]) Put(ctx context.Context, v *T) error {
	return t.tx.addValue(ctx, "Put", model(t.m), unsafe.Pointer(v), (*DB).planPut)
}

// Save adds what [Model.Save] sends. An entity with unique fields is read at
// once, to know which claims the item holds.
func (t TxModel[T]) Save(ctx context.Context, v *T) error {
	return t.tx.addValue(ctx, "Save", model(t.m), unsafe.Pointer(v), (*DB).planSave)
}

// Update adds what [Model.Update] sends. Where the changes touch inputs of an
// index entry or a unique value that are not all known, the item is read at
// once and must still be the same when the transaction is sent.
func (t TxModel[T]) Update(ctx context.Context, key any, changes ...Change) error {
	return t.tx.update(ctx, model(t.m), key, changes)
}

// Delete adds what [Model.Delete] sends. A soft deletion needs the item to be
// there.
func (t TxModel[T]) Delete(ctx context.Context, key any) error {
	return t.tx.remove(ctx, model(t.m), key)
}

func (tx *Tx) remove(ctx context.Context, m model, key any) error {
	return tx.addKey(ctx, "Delete", m.db, m.e, m.fault(), func() (*mutation, error) { return m.db.planDelete(ctx, m.e, key) })
}

// Check adds a condition on an item that the transaction does not write: it
// must hold for any of the transaction to be written.
func (t TxModel[T]) Check(_ context.Context, key any, predicate Predicate) error {
	m := model(t.m)
	return t.tx.addCheck(m.db, m.e, m.fault(), key, predicate)
}

func (tx *Tx) addCheck(db *DB, e *entity, err error, key any, predicate Predicate) error {
	return tx.add("Check", db, e, err, nil, func() (*unit, error) {
		k, err := e.keyArg(key)
		if err != nil {
			return nil, err
		}
		var b expr.Builder
		cond, err := predicate.render(e, &b)
		if err != nil {
			return nil, err
		}
		if cond == "" {
			return nil, faultf(ErrInvalid, "Check needs a predicate that says something")
		}
		w := &write{kind: opConditionCheck, name: "Check", e: e, key: k, cond: cond, names: b.NameList(), values: b.ValueList()}
		return &unit{m: &mutation{e: e, op: "Check", key: k}, writes: []*write{w}}, nil
	})
}

// TransactGet returns the items with the given keys as they stood at one
// moment, in their order; the place of a key without an item holds nil. A key
// is what [Model.Find] or [Model.Get] takes; up to 100.
//
// It sends one TransactGetItems, at two read units for each 4 KB of each item.
//
// See "TransactGetItems" in the Amazon DynamoDB API Reference.
func (m Model[T]) TransactGet(ctx context.Context, keys ...any) ([]*T, error) {
	list, err := model(m).readMany(ctx, "TransactGet", keys, model.transactGet)
	return listOf[T](list), err
}

func (m model) transactGet(ctx context.Context, keys []any) ([]unsafe.Pointer, error) {
	db, e := m.db, m.e
	if len(keys) == 0 {
		return nil, nil
	}
	var items []Item
	place := map[string]int{} // of a key among the request's
	at := make([]int, len(keys))
	for i, key := range keys {
		k, err := e.keyArg(key)
		if err != nil {
			return nil, err
		}
		id := e.keyID(k)
		if _, ok := place[id]; !ok {
			place[id] = len(items)
			items = append(items, k)
		}
		at[i] = place[id]
	}
	in, err := db.transactGetInput(items)
	if err != nil {
		return nil, err
	}
	rows, err := db.transactGet(ctx, &Operation{Kind: OpTransactGetItems, Name: "TransactGet", Entity: e.def.Name, Input: in}, m.read)
	if err != nil {
		return nil, err
	}
	list, now, after := make([]unsafe.Pointer, len(keys)), db.cfg.Clock(), db.afterFind(ctx, e)
	for i, j := range at {
		if j < len(rows) && !rows[j].empty() && !rows[j].hidden(e, now) {
			if list[i], err = e.decodeRow(m.maker, &rows[j], after); err != nil {
				return nil, err
			}
		}
	}
	return list, nil
}

// transactGetInput is the request for items by their keys, which differ.
func (db *DB) transactGetInput(keys []Item) (*dynamodb.TransactGetItemsInput, error) {
	if len(keys) > maxTxActions {
		return nil, faultf(ErrTooLarge, "%d keys, over the limit of %d", len(keys), maxTxActions)
	}
	in := &dynamodb.TransactGetItemsInput{TransactItems: make([]types.TransactGetItem, len(keys))}
	for i, k := range keys {
		in.TransactItems[i].Get = &types.Get{TableName: &db.table, Key: k}
	}
	return in, nil
}

// transactGet sends a reading transaction, again while other transactions are
// under way on its items.
func (db *DB) transactGet(ctx context.Context, op *Operation, read rowReader) ([]row, error) {
	for attempt := 0; ; attempt++ {
		if err := backoff(ctx, min(attempt, 5)); err != nil {
			return nil, err
		}
		_, rows, err := runRows(ctx, db, op, transactGetItemsMethod, read, func(out *dynamodb.TransactGetItemsOutput) []Item {
			items := make([]Item, len(out.Responses))
			for i := range items {
				items[i] = out.Responses[i].Item
			}
			return items
		})
		canceled, ok := errors.AsType[*types.TransactionCanceledException](err)
		if !ok {
			return rows, err
		}
		for _, r := range canceled.CancellationReasons {
			if r.Code != nil && *r.Code != "None" && *r.Code != "TransactionConflict" {
				return nil, err
			}
		}
		if attempt == maxRaces {
			return nil, &fault{kind: ErrConflict, text: ErrConflict.Error(), err: err}
		}
	}
}
