package dynorm

import (
	"context"
	"errors"
	"reflect"
	"unsafe"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/dynorm/dynorm/internal/codec"
)

// Model reads and writes the items of one entity. It is an immutable value,
// safe for concurrent use.
type Model[T any] struct {
	db *DB
	e  *entity
	*modelState
}

// model is a Model[T] without its T: pointers to it are unsafe.Pointers.
type model struct {
	db *DB
	e  *entity
	*modelState
}

// modelState is what else there is to a model, shared by its copies; a zero Model
// has none.
type modelState struct {
	err    error
	maker  maker
	read   rowReader // decodes items into new values
	scopes []func(*queryState) *queryState
}

// ModelOf returns the model of T. Where T is no entity of the schema, every
// call of the model returns an ErrUnregistered.
func ModelOf[T any](db *DB) Model[T] { return Model[T](db.modelOf(reflect.TypeFor[T](), makerOf[T]{})) }

func (db *DB) modelOf(t reflect.Type, mk maker) model {
	if err := db.ready(); err != nil {
		return model{db: db, modelState: &modelState{err: err}}
	}
	e := db.schema.byType[t]
	if e == nil {
		return model{db: db, modelState: &modelState{err: faultf(ErrUnregistered, "%s is not in the schema: give it to NewSchema", t)}}
	}
	return model{db: db, e: e, modelState: &modelState{maker: mk, read: e.decoding(mk)}}
}

// fault returns what keeps every call of the model from starting.
func (m model) fault() error {
	if m.modelState == nil {
		return faultf(ErrInvalid, "the Model is zero: get it from ModelOf")
	}
	return m.err
}

// check returns what keeps a call with a value from starting.
func (m model) check(v unsafe.Pointer) error {
	if err := m.fault(); err != nil {
		return err
	}
	if v == nil {
		return faultf(ErrInvalid, "the value is nil")
	}
	return nil
}

// Create writes a new item. It fills the fields tagged `ulid`, `uuid`,
// `default`, `created`, `updated`, `version` and `ttl` of v; where the write
// fails, v is as it was.
//
// It sends one PutItem, at a write unit for each KB of the item and of each
// index entry; an entity with unique fields takes one TransactWriteItems
// instead, at twice that and two for each unique value. An item with the same
// key is an ErrExists that carries it, a taken value an ErrUnique.
//
// See "DynamoDB read and write operations" in the Amazon DynamoDB Developer Guide.
func (m Model[T]) Create(ctx context.Context, v *T) error {
	return model(m).write(ctx, "Create", unsafe.Pointer(v), (*DB).create)
}

// write carries out a write of the value at v, which is as it was where that
// fails.
func (m model) write(ctx context.Context, op string, v unsafe.Pointer, write func(*DB, context.Context, *entity, unsafe.Pointer) error) (err error) {
	ctx, tr := m.db.begin(ctx, op, m.e)
	defer tr.end(&err)
	if err := m.check(v); err != nil {
		return opError(op, m.e, err)
	}
	undo := m.keep(v)
	err = write(m.db, ctx, m.e, v)
	if err != nil && !written(err) {
		undo()
	}
	return opError(op, m.e, err)
}

func (db *DB) create(ctx context.Context, e *entity, v unsafe.Pointer) error {
	m, err := db.planCreate(ctx, e, v)
	if err != nil {
		return err
	}
	_, err = db.mutate(ctx, m)
	return err
}

// Put writes the whole item, in place of one with the same key. Attributes of
// the old item that T does not declare are lost: [Model.Save] keeps them. It
// fills v as Create does. An entity with a version field is written only where
// there is no item or its version is that of v; otherwise the error is an
// ErrStaleVersion.
//
// It sends one PutItem, at a write unit for each KB of the larger of the old
// and the new item, and of each index entry. An entity with unique fields is
// read first and, where a unique value changes, written with its claims in one
// TransactWriteItems; a taken value is an ErrUnique.
//
// See "DynamoDB read and write operations" in the Amazon DynamoDB Developer Guide.
func (m Model[T]) Put(ctx context.Context, v *T) error {
	return model(m).write(ctx, "Put", unsafe.Pointer(v), (*DB).put)
}

func (db *DB) put(ctx context.Context, e *entity, v unsafe.Pointer) error {
	m, err := db.planPut(ctx, e, v)
	if err != nil {
		return err
	}
	_, err = db.mutate(ctx, m)
	return err
}

// Save writes every declared attribute of an item that exists, index entries
// included, and leaves attributes that T does not declare alone. A field that
// encodes to nothing (nil, an empty set, the zero time) is removed from the
// item, except the time of creation. A `readonly` field is set where the item
// lacks it and never changed: another value than the item's is an ErrInvalid
// that names the field. It sets the `updated` field of v and
// counts its `version` up; where the write fails, v is as it was.
//
// It sends one UpdateItem, at a write unit for each KB of the larger of the old
// and the new item, and of each index entry that changes. An entity with unique
// fields is read first and, where a unique value changes, written with its
// claims in one TransactWriteItems. No item with the key is an ErrNotFound,
// another version an ErrStaleVersion that carries the item, a taken value an
// ErrUnique.
//
// See "DynamoDB read and write operations" in the Amazon DynamoDB Developer Guide.
func (m Model[T]) Save(ctx context.Context, v *T) error {
	return model(m).write(ctx, "Save", unsafe.Pointer(v), (*DB).save)
}

func (db *DB) save(ctx context.Context, e *entity, v unsafe.Pointer) error {
	m, err := db.planSave(ctx, e, v)
	if err != nil {
		return err
	}
	_, err = db.mutate(ctx, m)
	return err
}

// Update changes an item that exists and returns it as it stands afterwards.
// The key is the value of the primary field, or a T or *T whose key fields are
// filled; a version in it is not checked: use [If]. Update sets the time of the
// last change and counts the version up. At least one change must be given.
//
// Index entries never go stale: where a change touches an input of an entry's
// key or condition, the entry is written anew in the same request. It sends one
// UpdateItem, at a write unit for each KB of the larger of the old and the new
// item, and of each index entry that changes. Where an entry needs fields that
// neither the key nor the changes give, it reads the item first (a strongly
// consistent GetItem) and updates under the condition that these fields are
// still the same, again if they are not; [NoRead] forbids that. So it does for a
// change of a unique field, whose claim moves in the same TransactWriteItems; the
// item returned is then the one that was read, with the changes. Where the
// response of an update is lost the SDK sends it again, so that an [Add] outside
// a transaction may count twice.
//
// No item with the key is an ErrNotFound; a failed [If] an ErrConditionFailed
// that carries the item.
//
// See "DynamoDB read and write operations" in the Amazon DynamoDB Developer Guide.
func (m Model[T]) Update(ctx context.Context, key any, changes ...Change) (*T, error) {
	v, err := model(m).update(ctx, key, changes)
	return (*T)(v), err
}

func (m model) update(ctx context.Context, key any, changes []Change) (_ unsafe.Pointer, err error) {
	ctx, tr := m.db.begin(ctx, "Update", m.e)
	defer tr.end(&err)
	if m.fault() != nil {
		return nil, opError("Update", m.e, m.fault())
	}
	after, err := m.db.update(ctx, m.e, key, changes, m.read)
	if err != nil {
		return nil, opError("Update", m.e, err)
	}
	v, err := m.e.decodeRow(m.maker, &after, nil)
	return v, opError("Update", m.e, err)
}

// update returns the item as it stands afterwards, as read reads it.
func (db *DB) update(ctx context.Context, e *entity, key any, changes []Change, read rowReader) (row, error) {
	m, err := db.planUpdate(ctx, e, key, changes)
	if err != nil {
		return row{}, err
	}
	m.read = read
	return db.mutate(ctx, m)
}

// Delete removes an item, or hides it where the entity has soft deletes: reads
// then see it only where they ask for it ([Query.WithTrashed]), until
// [Model.Restore] or [Model.ForceDelete]. Its index entries stay and its unique
// values are freed, or kept with the trait softdelete=keepunique. The key is the value of the primary field, or a T or
// *T whose key fields are filled. Where it is a value with a version other than
// 0, the item is deleted only in that version; another one is an
// ErrStaleVersion that carries the item. Deleting what is not there is no
// error.
//
// It sends one DeleteItem, at a write unit for each KB of the item and of each
// index entry; a soft deletion is one UpdateItem. An entity with unique fields
// is read first and deleted with its claims in one TransactWriteItems.
//
// See "DynamoDB read and write operations" in the Amazon DynamoDB Developer Guide.
func (m Model[T]) Delete(ctx context.Context, key any) error {
	return model(m).writeKey(ctx, "Delete", key, (*DB).remove)
}

// writeKey carries out a write that goes by a key.
func (m model) writeKey(ctx context.Context, op string, key any, write func(*DB, context.Context, *entity, any) error) (err error) {
	ctx, tr := m.db.begin(ctx, op, m.e)
	defer tr.end(&err)
	if m.fault() != nil {
		return opError(op, m.e, m.fault())
	}
	return opError(op, m.e, write(m.db, ctx, m.e, key))
}

func (db *DB) remove(ctx context.Context, e *entity, key any) error {
	m, err := db.planDelete(ctx, e, key)
	if err != nil {
		return err
	}
	if _, err = db.mutate(ctx, m); e.deletedAttr != "" && errors.Is(err, ErrNotFound) {
		return nil // there is nothing to delete
	}
	return err
}

// Find returns the item whose primary field has the value, or ErrNotFound. An
// entity whose key has more parts than the primary field is read by
// [Model.Get].
//
// It sends one GetItem, at a read unit for each 4 KB of the item when strongly
// consistent ([Config.Consistent]) and half of that otherwise.
//
// See "DynamoDB read and write operations" in the Amazon DynamoDB Developer Guide.
func (m Model[T]) Find(ctx context.Context, id any) (*T, error) {
	v, err := model(m).find(ctx, "Find", id)
	return (*T)(v), err
}

// Get returns the item whose key fields are those of key, or ErrNotFound. Other
// fields of key play no part. It costs what Find costs.
func (m Model[T]) Get(ctx context.Context, key T) (*T, error) {
	v, err := model(m).find(ctx, "Get", &key)
	return (*T)(v), err
}

func (m model) find(ctx context.Context, op string, key any) (_ unsafe.Pointer, err error) {
	ctx, tr := m.db.begin(ctx, op, m.e)
	defer tr.end(&err)
	if m.fault() != nil {
		return nil, opError(op, m.e, m.fault())
	}
	texts, err := m.e.keyTextsArg(key)
	if err != nil {
		return nil, opError(op, m.e, err)
	}
	get := m.db.getOf(m.e, op, m.db.cfg.Consistent)
	get.in.Key = m.db.keyFor(&get.op, m.e, texts)
	w, err := m.db.getRow(ctx, get, m.read)
	if err != nil {
		return nil, opError(op, m.e, err)
	}
	if w.hidden(m.e, m.db.cfg.Clock()) {
		return nil, opError(op, m.e, ErrNotFound)
	}
	v, err := m.e.decodeRow(m.maker, &w, m.db.afterFind(ctx, m.e))
	return v, opError(op, m.e, err)
}

// get reads one item.
func (db *DB) get(ctx context.Context, e *entity, op string, key Item, consistent bool) (Item, error) {
	get := db.getOf(e, op, consistent)
	get.in.Key = key
	w, err := db.getRow(ctx, get, readRaw)
	if err != nil {
		return nil, err
	}
	return w.whole()
}

// getItem is an operation that reads one item, with its input.
type getItem struct {
	op         Operation
	in         dynamodb.GetItemInput
	consistent bool
}

// getOf returns the operation that reads an item, but for its key.
func (db *DB) getOf(e *entity, op string, consistent bool) *getItem {
	get := &getItem{op: Operation{Kind: OpGetItem, Name: op, Entity: e.def.Name}, consistent: consistent}
	get.in.TableName, get.in.ConsistentRead = &db.table, &get.consistent
	get.op.Input = &get.in
	return get
}

// getRow reads one item as a row.
func (db *DB) getRow(ctx context.Context, get *getItem, read rowReader) (row, error) {
	_, rows, err := runRows(ctx, db, &get.op, getItemMethod, read, func(out *dynamodb.GetItemOutput) []Item { return []Item{out.Item} })
	switch {
	case err != nil:
		return row{}, err
	case len(rows) == 0 || rows[0].empty():
		return row{}, ErrNotFound
	}
	return rows[0], nil
}

// keyArg returns the base key that a key argument stands for.
func (e *entity) keyArg(key any) (Item, error) {
	texts, err := e.keyTextsArg(key)
	if err != nil {
		return nil, err
	}
	return e.keyItem(texts), nil
}

// keyTextsArg is keyArg for the texts of the key.
func (e *entity) keyTextsArg(key any) (keyTexts, error) {
	if item, ok := key.(storedItem); ok {
		return e.keyTextsIn(Item(item)), nil
	}
	if v := e.structArg(key); v != nil {
		return e.keyTexts(v)
	}
	if key == nil {
		return keyTexts{}, faultf(ErrMissingKey, "the key is nil")
	}
	return e.keyOfID(key)
}

// knownBy returns the attributes of the fields that the key is made of which a
// key argument, one that keyArg took, stands for.
func (e *entity) knownBy(key any) (Item, error) {
	known := Item{}
	if item, ok := key.(storedItem); ok {
		for _, kt := range []*keyTemplate{e.pk, e.sk} {
			for _, f := range kt.fields {
				if av := item[f.Attr]; av != nil && len(f.Path()) == 1 {
					known[f.Attr] = av
				}
			}
		}
		return known, nil
	}
	v := e.structArg(key)
	if v == nil {
		av, err := e.primary.EncodeOperand(key)
		if err != nil {
			return nil, atField(e.primary.Name, faultf(ErrValue, "%w", err))
		}
		known[e.primary.Attr] = av
		return known, nil
	}
	for _, kt := range []*keyTemplate{e.pk, e.sk} {
		for _, f := range kt.fields {
			if len(f.Path()) > 1 {
				continue // a part of a map tells nothing of the rest
			}
			av, ok, err := f.Encode(v)
			if err != nil {
				return nil, encodeError(err)
			}
			if ok {
				known[f.Attr] = av
			}
		}
	}
	return known, nil
}

// storedItem is a key argument: the item that has the key, as it was read.
type storedItem Item

// structArg returns the address of the entity's struct where key is one or
// points to one, nil where it is anything else.
func (e *entity) structArg(key any) unsafe.Pointer {
	rv := reflect.ValueOf(key)
	switch {
	case !rv.IsValid():
		return nil
	case rv.Type() == e.typ:
		p := reflect.New(e.typ)
		p.Elem().Set(rv)
		return p.UnsafePointer()
	case rv.Kind() == reflect.Pointer && rv.Type().Elem() == e.typ && !rv.IsNil():
		return rv.UnsafePointer()
	}
	return nil
}

// decode sets the struct at v to an item. An item of another entity is an
// error, never a value of the wrong type.
func (e *entity) decode(item Item, v unsafe.Pointer) error {
	if et, ok := item[e.schema.cfg.EntityType].(*types.AttributeValueMemberS); ok && et.Value != e.def.Name {
		return faultf(ErrValue, "the item is a %s", et.Value)
	}
	return e.decodeError(e.codec.DecodeItem(item, v))
}

// decodeError names the field of a codec error.
func (e *entity) decodeError(err error) error {
	if err != nil {
		if de, ok := errors.AsType[*codec.DecodeError](err); ok && de.Path != "" {
			inner := *de
			inner.Type, inner.Path = "", ""
			return atField(de.Path, faultf(ErrValue, "%w", &inner))
		}
		return faultf(ErrValue, "%w", err)
	}
	return nil
}
