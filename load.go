package dynorm

import (
	"context"
	"reflect"
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
func (db *DB) FindMany(ctx context.Context, values ...any) (missing []any, err error) {
	ctx, tr := db.begin(ctx, "FindMany", nil)
	defer tr.end(&err)
	missing, err = db.findMany(ctx, values)
	return missing, opError("FindMany", nil, err)
}

func (db *DB) findMany(ctx context.Context, values []any) (missing []any, err error) {
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
		if rv.Kind() != reflect.Pointer || rv.IsNil() {
			return nil, faultf(ErrInvalid, "value %d is a %T: give a pointer to a struct of the schema", i+1, val)
		}
		e := db.schema.byType[rv.Type().Elem()]
		if e == nil {
			return nil, faultf(ErrUnregistered, "%s is not in the schema: give it to NewSchema", rv.Type().Elem())
		}
		k, err := e.baseKey(rv.UnsafePointer())
		if err != nil {
			return nil, opError("FindMany", e, err)
		}
		places[i] = place{e, rv.UnsafePointer(), e.keyID(k)}
		if !seen[places[i].id] {
			seen[places[i].id] = true
			keys = append(keys, k)
		}
	}
	items, ended := db.batchGetItems(ctx, &entity{schema: db.schema}, "FindMany", keys, types.KeysAndAttributes{ConsistentRead: &db.cfg.Consistent})
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
			return nil, opError("FindMany", p.e, err)
		}
	}
	return missing, leftUnread(values, left, ended)
}
