package dynorm

import (
	"context"
	"errors"
	"maps"
	"reflect"
	"unsafe"
)

// TxEntity adds writes of an entity that is known by its name to a transaction.
// See [EntityModel.In].
type TxEntity struct {
	m  EntityModel
	tx *Tx
}

// In returns the writes of the model as part of a transaction, or of
// [DB.Chunked], beside those of any others. Each checks its record at once and is
// sent when [DB.Transact] ends. What the entity generates is added to the record;
// where the transaction fails, the record is as it was.
func (m EntityModel) In(tx *Tx) TxEntity { return TxEntity{m: m, tx: tx} }

// Create adds what [EntityModel.Create] sends.
func (t TxEntity) Create(ctx context.Context, r Record) error {
	return t.addRecord(ctx, "Create", r, t.m.db.planCreate)
}

// Put adds what [EntityModel.Put] sends. An entity with unique fields is read at
// once, as by [TxModel.Put].
func (t TxEntity) Put(ctx context.Context, r Record) error {
	return t.addRecord(ctx, "Put", r, t.m.db.planPut)
}

// Save adds what [EntityModel.Save] sends. An entity with unique fields is read
// at once, as by [TxModel.Save].
func (t TxEntity) Save(ctx context.Context, r Record) error {
	return t.addRecord(ctx, "Save", r, t.m.db.planSave)
}

// Upsert adds what [EntityModel.Save] sends where the item exists, and what
// [EntityModel.Create] sends where it does not, as [TxModel.Upsert] does.
func (t TxEntity) Upsert(ctx context.Context, r Record) error {
	given := maps.Clone(r)
	return t.addRecord(ctx, "Upsert", r, func(ctx context.Context, e *entity, v unsafe.Pointer) (*mutation, error) {
		m, err := t.m.db.planUpsert(ctx, e, v, func() {
			if fresh, err := e.fromRecord(given); err == nil { // it was made of it before
				reflect.NewAt(e.typ, v).Elem().Set(reflect.NewAt(e.typ, fresh).Elem())
			}
		})
		if err != nil {
			return nil, err
		}
		plan := m.plan
		m.plan = planFunc(func(stored Item) ([]*write, bool, error) {
			writes, needsItem, err := plan.on(stored)
			if err == nil && !needsItem {
				clear(r)
				maps.Copy(r, given)
				e.fill(r, v)
			}
			return writes, needsItem, err
		})
		return m, nil
	})
}

// Edit adds what [EntityModel.Edit] sends, as [TxModel.Edit] does.
func (t TxEntity) Edit(ctx context.Context, key any, fn func(Record) error) error {
	return t.addKey(ctx, "Edit", key, func(key any) (*mutation, error) { return t.m.planEdit(ctx, key, fn) })
}

// Increment adds what [TxModel.Increment] adds.
func (t TxEntity) Increment(ctx context.Context, key any, field string, delta any) error {
	return t.Update(ctx, key, Add(field, delta))
}

// Move adds what [EntityModel.Move] sends, as [TxModel.Move] does.
func (t TxEntity) Move(ctx context.Context, key any, fn func(Record) error) error {
	key, err := t.m.keyArg(key)
	return t.tx.add("Move", t.m.db, t.m.e, err, nil, func() (*unit, error) {
		u, _, err := t.m.planMove(ctx, key, fn)
		return u, err
	})
}

// addRecord adds the write of a record.
func (t TxEntity) addRecord(ctx context.Context, name string, r Record, plan func(context.Context, *entity, unsafe.Pointer) (*mutation, error)) error {
	err := t.m.fault()
	if err == nil && r == nil {
		err = faultf(ErrInvalid, "the record is nil")
	}
	before := maps.Clone(r)
	undo := func() {
		clear(r)
		maps.Copy(r, before)
	}
	return t.tx.add(name, t.m.db, t.m.e, err, undo, func() (*unit, error) {
		v, err := t.m.e.fromRecord(r)
		if err != nil {
			return nil, err
		}
		m, err := plan(ctx, t.m.e, v)
		if err != nil {
			return nil, err
		}
		u, err := t.m.db.planned(ctx, m)
		if err == nil {
			t.m.e.fill(r, v)
		}
		return u, err
	})
}

// Update adds what [EntityModel.Update] sends, as [TxModel.Update] does.
func (t TxEntity) Update(ctx context.Context, key any, changes ...Change) error {
	return t.addKey(ctx, "Update", key, func(key any) (*mutation, error) { return t.m.db.planUpdate(ctx, t.m.e, key, changes) })
}

// Touch adds what [TxModel.Touch] adds.
func (t TxEntity) Touch(ctx context.Context, key any) error {
	return t.addKey(ctx, "Touch", key, func(key any) (*mutation, error) { return t.m.db.planTouch(ctx, t.m.e, key) })
}

// Delete adds what [EntityModel.Delete] sends. A soft deletion needs the item to
// be there.
func (t TxEntity) Delete(ctx context.Context, key any) error {
	return t.addKey(ctx, "Delete", key, func(key any) (*mutation, error) { return t.m.db.planDelete(ctx, t.m.e, key) })
}

// Restore adds what [EntityModel.Restore] sends.
func (t TxEntity) Restore(ctx context.Context, key any) error {
	return t.addKey(ctx, "Restore", key, func(key any) (*mutation, error) { return t.m.db.planRestore(ctx, t.m.e, key) })
}

// ForceDelete adds what [EntityModel.ForceDelete] sends.
func (t TxEntity) ForceDelete(ctx context.Context, key any) error {
	return t.addKey(ctx, "ForceDelete", key, func(key any) (*mutation, error) {
		return t.m.db.planForceDelete(ctx, t.m.e, "ForceDelete", key)
	})
}

// Check adds a condition on an item that the transaction does not write: it
// must hold for any of the transaction to be written.
func (t TxEntity) Check(_ context.Context, key any, predicate Predicate) error {
	key, err := t.m.keyArg(key)
	return t.tx.addCheck(t.m.db, t.m.e, err, key, predicate)
}

// addKey adds a write that goes by a key.
func (t TxEntity) addKey(ctx context.Context, name string, key any, plan func(key any) (*mutation, error)) error {
	key, err := t.m.keyArg(key)
	return t.tx.addKey(ctx, name, t.m.db, t.m.e, err, func() (*mutation, error) { return plan(key) })
}

// FindMany returns the items with the given keys in their order, as
// [Model.FindMany] does; the place of a key without an item holds nil. A key is
// what [EntityModel.Find] takes.
func (m EntityModel) FindMany(ctx context.Context, keys ...any) ([]Record, error) {
	return m.several(ctx, "FindMany", keys, model.findMany)
}

// TransactGet returns the items with the given keys as they stood at one
// moment, in their order, as [Model.TransactGet] does; the place of a key without
// an item holds nil. A key is what [EntityModel.Find] takes.
func (m EntityModel) TransactGet(ctx context.Context, keys ...any) ([]Record, error) {
	return m.several(ctx, "TransactGet", keys, model.transactGet)
}

// several reads the items of several keys.
func (m EntityModel) several(ctx context.Context, op string, keys []any, read func(model, context.Context, []any) ([]unsafe.Pointer, error)) (_ []Record, err error) {
	ctx, tr := m.db.begin(ctx, op, m.e)
	defer tr.end(&err)
	if m.fault() != nil {
		return nil, opError(op, m.e, m.fault())
	}
	given := m.e.flatten(keys)
	keys = make([]any, len(given))
	for i := range keys {
		if keys[i], err = m.keyArg(given[i]); err != nil {
			return nil, opError(op, m.e, err)
		}
	}
	found, err := read(m.records(), ctx, keys)
	if ue, ok := errors.AsType[*UnreadError](err); ok {
		err = leftUnread(given, ue.places, ue.Err)
	} else if err != nil {
		return nil, opError(op, m.e, err)
	}
	list := make([]Record, len(found))
	for i, r := range listOf[Record](found) {
		if r != nil {
			list[i] = *r
		}
	}
	return list, opError(op, m.e, err)
}
