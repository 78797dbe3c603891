package dynorm

import (
	"context"
	"errors"
	"reflect"
	"slices"
	"unsafe"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// FindMany reads items of any entities at once. Each value is a pointer to a
// struct of the schema whose key fields are filled; those whose items exist are
// set to them, and the others are returned in missing and left as they are. A key
// given twice is read once.
//
// It sends BatchGetItem requests as [Model.FindMany] does. Where it ends early,
// the values that were read by then are set, and the others are in an
// [*UnreadError].
//
// See "BatchGetItem" in the Amazon DynamoDB API Reference.
func (db *DB) FindMany(ctx context.Context, values ...any) (missing []any, err error) {
	ctx, tr := db.begin(ctx, "FindMany", nil)
	defer tr.end(&err)
	missing, err = db.readInto(ctx, "FindMany", values, func(keys []Item) ([]Item, error) {
		return db.batchGetItems(ctx, &entity{schema: db.schema}, "FindMany", keys, types.KeysAndAttributes{ConsistentRead: &db.cfg.Consistent})
	})
	return missing, opError("FindMany", nil, err)
}

// TransactGet reads items of any entities as they stood at one moment. Values
// are given and set as with [DB.FindMany]: up to 100 items, those that do not
// exist are returned in missing. Where it fails no value is changed, but for
// those before an item that does not decode.
//
// It sends one TransactGetItems, at two read units for each 4 KB of each item,
// again with growing pauses while other transactions are under way on the items.
// See "TransactGetItems" in the Amazon DynamoDB API Reference.
func (db *DB) TransactGet(ctx context.Context, values ...any) (missing []any, err error) {
	ctx, tr := db.begin(ctx, "TransactGet", nil)
	defer tr.end(&err)
	missing, err = db.readInto(ctx, "TransactGet", values, func(keys []Item) ([]Item, error) {
		in, err := db.transactGetInput(keys)
		if err != nil || len(keys) == 0 {
			return nil, err
		}
		rows, err := db.transactGet(ctx, &Operation{Kind: OpTransactGetItems, Name: "TransactGet", Input: in}, readRaw)
		if err != nil {
			return nil, err
		}
		return wholeRows(slices.DeleteFunc(rows, func(w row) bool { return w.empty() }))
	})
	if ue, ok := errors.AsType[*UnreadError](err); ok {
		err = ue.Err // nothing was read
	}
	return missing, opError("TransactGet", nil, err)
}

// readInto reads the items that the values name and sets the values to them.
func (db *DB) readInto(ctx context.Context, op string, values []any, read func(keys []Item) ([]Item, error)) (missing []any, err error) {
	if err := db.ready(); err != nil {
		return nil, err
	}
	type place struct {
		e  *entity
		v  unsafe.Pointer
		id string
	}
	places := make([]place, len(values))
	seen := map[string]bool{}
	var keys []Item
	for i, val := range values {
		rv := reflect.ValueOf(val)
		if rv.Kind() != reflect.Pointer {
			return nil, faultf(ErrInvalid, "value %d is a %T: give a pointer to a struct of the schema", i+1, val)
		}
		if rv.IsNil() {
			return nil, faultf(ErrInvalid, "value %d is a nil %T", i+1, val)
		}
		e := db.schema.byType[rv.Type().Elem()]
		if e == nil {
			return nil, faultf(ErrUnregistered, "%s is not in the schema: give it to NewSchema", rv.Type().Elem())
		}
		k, err := e.baseKey(rv.UnsafePointer())
		if err != nil {
			return nil, opError(op, e, err)
		}
		places[i] = place{e, rv.UnsafePointer(), e.keyID(k)}
		if !seen[places[i].id] {
			seen[places[i].id] = true
			keys = append(keys, k)
		}
	}
	items, ended := read(keys)
	byID, now := map[string]Item{}, db.cfg.Clock()
	var left []int
	for _, item := range items {
		byID[db.schema.entities[0].keyID(item)] = item
	}
	for i, p := range places {
		item := byID[p.id]
		if item == nil && ended != nil {
			left = append(left, i)
			continue
		}
		if item == nil || p.e.hidden(item, now) {
			missing = append(missing, values[i])
			continue
		}
		err := p.e.decode(item, p.v)
		if err == nil {
			err = db.runHooks(ctx, p.e, p.v, AfterFind)
		}
		if err != nil {
			return nil, opError(op, p.e, err)
		}
	}
	return missing, leftUnread(values, left, ended)
}
