package dynorm

import (
	"context"
	"errors"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/dynorm/dynorm/internal/expr"
)

// opConditionCheck is the action of a transaction that only checks.
const opConditionCheck OpKind = "ConditionCheck"

// write is one write of one item. Alone it is a request of its own; with
// others it is an action of a transaction. Every write path makes them and
// [DB.commit] sends them.
type write struct {
	kind OpKind
	name string // the call, as named in the API
	e    *entity

	key    Item // nil for that of texts
	texts  keyTexts
	item   content // of a put
	update string  // of an update
	cond   string
	names  []string               // in the order of their aliases
	values []types.AttributeValue // in that of their placeholders
	// returnNew asks an update for the item as it stands afterwards.
	returnNew bool
	// after is the item as the write leaves it, where that is known before.
	after Item
	// landed reports whether an item is as this write leaves it. Nil where that
	// can't be told.
	landed func(Item) bool
	// reason says why the condition failed, from the item it met.
	reason func(Item) error
}

// commit sends writes, at once or not at all, and returns the new item where
// the only one asked for it. Lost, where it is not nil, notes whether an attempt
// to send them ended without an answer.
func (db *DB) commit(ctx context.Context, writes []*write, tx txOptions, lost *bool) (row, error) {
	if len(writes) > 1 || tx.always {
		return row{}, db.transact(ctx, writes, tx)
	}
	w := writes[0]
	op := &Operation{Kind: w.kind, Name: w.name, Entity: w.e.def.Name}
	names, values := db.expressed(w, op)
	var (
		after row
		err   error
	)
	switch w.kind {
	case OpPutItem:
		op.call.straight = op.call.item[:0]
		op.Input = &dynamodb.PutItemInput{
			TableName: &db.table, Item: op.call.straight.add(w.item),
			ConditionExpression: w.condition(), ExpressionAttributeNames: names, ExpressionAttributeValues: values,
			ReturnValuesOnConditionCheckFailure: w.onFailure(),
		}
		_, err = run(ctx, db, op, putItemMethod)
	case OpUpdateItem:
		in := &dynamodb.UpdateItemInput{
			TableName: &db.table, Key: db.keyed(w, op), UpdateExpression: &w.update,
			ConditionExpression: w.condition(), ExpressionAttributeNames: names, ExpressionAttributeValues: values,
			ReturnValuesOnConditionCheckFailure: w.onFailure(),
		}
		if w.returnNew {
			in.ReturnValues = types.ReturnValueAllNew
		}
		op.Input = in
		read := tx.read
		if read == nil {
			read = readRaw
		}
		var rows []row
		_, rows, err = runRows(ctx, db, op, updateItemMethod, read, func(out *dynamodb.UpdateItemOutput) []Item { return []Item{out.Attributes} })
		if len(rows) > 0 {
			after = rows[0]
		}
	case OpDeleteItem:
		op.Input = &dynamodb.DeleteItemInput{
			TableName: &db.table, Key: db.keyed(w, op),
			ConditionExpression: w.condition(), ExpressionAttributeNames: names, ExpressionAttributeValues: values,
			ReturnValuesOnConditionCheckFailure: w.onFailure(),
		}
		_, err = run(ctx, db, op, deleteItemMethod)
	default:
		return row{}, db.transact(ctx, writes, tx)
	}
	if ce, ok := errors.AsType[*ConditionError](err); ok && w.landed != nil && lost != nil && *lost && w.landed(ce.Item) {
		return row{content: content{item: ce.Item}}, nil // the write was sent again after it had succeeded
	}
	return after, conditionReason(err, w.reason)
}

// expressed returns the names and values of the expressions of the only write
// that an operation is, for its input: none where they go straight.
func (db *DB) expressed(w *write, op *Operation) (map[string]string, Item) {
	if db.direct() {
		op.call.given.names, op.call.given.values = w.names, w.values
		return nil, nil
	}
	return expr.NameMap(w.names), expr.ValueMap(w.values)
}

// keyItem is the key of the item that is not put.
func (w *write) keyItem() Item {
	if w.key == nil {
		w.key = w.e.keyItem(w.texts)
	}
	return w.key
}

// keyed returns the key of the only write that an operation is, for its input.
func (db *DB) keyed(w *write, op *Operation) Item {
	if w.key != nil {
		return w.key
	}
	return db.keyFor(op, w.e, w.texts)
}

// keyFor returns the key that texts are, for the input of an operation: an empty
// one where it goes straight.
func (db *DB) keyFor(op *Operation, e *entity, texts keyTexts) Item {
	if !db.direct() || db.cfg.Cache != nil {
		return e.keyItem(texts)
	}
	op.call.given.pk, op.call.given.sk, op.call.given.key = e.pk.attr, e.sk.attr, texts
	return straightItem
}

func (w *write) condition() *string {
	if w.cond == "" {
		return nil
	}
	return &w.cond
}

func (w *write) onFailure() types.ReturnValuesOnConditionCheckFailure {
	if w.cond == "" {
		return ""
	}
	return types.ReturnValuesOnConditionCheckFailureAllOld
}

// actionsFor are writes as the actions of a transaction on a table. An item that
// goes straight stands empty.
func actionsFor(table *string, writes []*write) []types.TransactWriteItem {
	actions := make([]types.TransactWriteItem, len(writes))
	for i, w := range writes {
		actions[i] = w.action(table)
	}
	return actions
}

// action is the write as part of a transaction.
func (w *write) action(table *string) types.TransactWriteItem {
	switch w.kind {
	case OpPutItem:
		item := w.item.item
		if w.item.raw != nil {
			item = straightItem
		}
		return types.TransactWriteItem{Put: &types.Put{
			TableName: table, Item: item,
			ConditionExpression: w.condition(), ExpressionAttributeNames: expr.NameMap(w.names), ExpressionAttributeValues: expr.ValueMap(w.values),
			ReturnValuesOnConditionCheckFailure: w.onFailure(),
		}}
	case OpUpdateItem:
		return types.TransactWriteItem{Update: &types.Update{
			TableName: table, Key: w.keyItem(), UpdateExpression: &w.update,
			ConditionExpression: w.condition(), ExpressionAttributeNames: expr.NameMap(w.names), ExpressionAttributeValues: expr.ValueMap(w.values),
			ReturnValuesOnConditionCheckFailure: w.onFailure(),
		}}
	case OpDeleteItem:
		return types.TransactWriteItem{Delete: &types.Delete{
			TableName: table, Key: w.keyItem(),
			ConditionExpression: w.condition(), ExpressionAttributeNames: expr.NameMap(w.names), ExpressionAttributeValues: expr.ValueMap(w.values),
			ReturnValuesOnConditionCheckFailure: w.onFailure(),
		}}
	}
	return types.TransactWriteItem{ConditionCheck: &types.ConditionCheck{
		TableName: table, Key: w.keyItem(),
		ConditionExpression: w.condition(), ExpressionAttributeNames: expr.NameMap(w.names), ExpressionAttributeValues: expr.ValueMap(w.values),
		ReturnValuesOnConditionCheckFailure: w.onFailure(),
	}}
}

// id identifies the item written, within the process.
func (w *write) id() string {
	if w.key == nil {
		return w.texts.id
	}
	return w.e.keyID(w.key)
}

// exactSize is what the write adds to a request, as DynamoDB counts it.
func (w *write) exactSize() int {
	item, err := w.item.whole()
	if err != nil {
		return w.size()
	}
	return w.keySize() + w.valuesSize() + itemSize(item)
}

// size is about what the write adds to a request, and no less than that.
func (w *write) size() int {
	return w.keySize() + w.valuesSize() + len(w.item.raw) + itemSize(w.item.item)
}

func (w *write) keySize() int {
	switch {
	case w.kind == OpPutItem:
		return 0
	case w.key == nil:
		return len(w.e.pk.attr) + len(w.texts.pk()) + len(w.e.sk.attr) + len(w.texts.sk())
	}
	return itemSize(w.key)
}

func (w *write) valuesSize() int {
	size := 0
	for n, av := range w.values {
		size += len(expr.Placeholder(n)) + valueSize(av)
	}
	return size
}
