package dynorm

import (
	"context"
	"maps"
	"unsafe"
)

// EntityTx adds writes of an entity that is known by its name to a transaction.
// See [EntityModel.In].
type EntityTx struct {
	m  EntityModel
	tx *Tx
}

// In returns the writes of the entity as part of a transaction, as [Model.In]
// does.
func (m EntityModel) In(tx *Tx) EntityTx { return EntityTx{m: m, tx: tx} }

// Create adds what [EntityModel.Create] sends. What the entity generates is
// added to the record at once, and taken out again where the transaction fails.
func (t EntityTx) Create(ctx context.Context, r Record) error {
	return t.write(ctx, "Create", r, func(v unsafe.Pointer) (*mutation, error) { return t.m.db.planCreate(ctx, t.m.e, v) })
}

// Put adds what [EntityModel.Put] sends. An entity with unique fields is read at
// once, to know which claims the item holds.
func (t EntityTx) Put(ctx context.Context, r Record) error {
	return t.write(ctx, "Put", r, func(v unsafe.Pointer) (*mutation, error) { return t.m.db.planPut(ctx, t.m.e, v) })
}

// Save adds what [EntityModel.Save] sends. An entity with unique fields is read
// at once, to know which claims the item holds.
func (t EntityTx) Save(ctx context.Context, r Record) error {
	return t.write(ctx, "Save", r, func(v unsafe.Pointer) (*mutation, error) { return t.m.db.planSave(ctx, t.m.e, v) })
}

// write adds the write of a record.
func (t EntityTx) write(ctx context.Context, op string, r Record, plan func(unsafe.Pointer) (*mutation, error)) error {
	before := maps.Clone(r)
	undo := func() {
		clear(r)
		maps.Copy(r, before)
	}
	return t.tx.add(op, t.m.db, t.m.e, t.m.err, undo, func() (*unit, error) {
		if r == nil {
			return nil, faultf(ErrInvalid, "the record is nil")
		}
		v, err := t.m.e.fromRecord(r)
		if err != nil {
			return nil, err
		}
		m, err := plan(v)
		if err != nil {
			return nil, err
		}
		done := m.done
		m.done = func(after Item) error {
			defer t.m.e.fill(r, v) // it may have been planned anew, and hooks change it
			if done == nil {
				return nil
			}
			return done(after)
		}
		u, err := t.m.db.planned(ctx, m)
		if err == nil {
			t.m.e.fill(r, v)
		}
		return u, err
	})
}

// Update adds what [EntityModel.Update] sends, as [TxModel.Update] does.
func (t EntityTx) Update(ctx context.Context, key any, changes ...Change) error {
	return t.plan(ctx, "Update", key, func(key any) (*mutation, error) { return t.m.db.planUpdate(ctx, t.m.e, key, changes) })
}

// Delete adds what [EntityModel.Delete] sends. A soft deletion needs the item to
// be there.
func (t EntityTx) Delete(ctx context.Context, key any) error {
	return t.plan(ctx, "Delete", key, func(key any) (*mutation, error) { return t.m.db.planDelete(ctx, t.m.e, key) })
}

// Restore adds what [EntityModel.Restore] sends.
func (t EntityTx) Restore(ctx context.Context, key any) error {
	return t.plan(ctx, "Restore", key, func(key any) (*mutation, error) { return t.m.db.planRestore(ctx, t.m.e, key) })
}

// ForceDelete adds what [EntityModel.ForceDelete] sends.
func (t EntityTx) ForceDelete(ctx context.Context, key any) error {
	return t.plan(ctx, "ForceDelete", key, func(key any) (*mutation, error) {
		return t.m.db.planForceDelete(ctx, t.m.e, "ForceDelete", key)
	})
}

// plan adds a write of the item with a key.
func (t EntityTx) plan(ctx context.Context, op string, key any, plan func(key any) (*mutation, error)) error {
	return t.tx.add(op, t.m.db, t.m.e, t.m.err, nil, func() (*unit, error) {
		key, err := t.m.keyArg(key)
		if err != nil {
			return nil, err
		}
		m, err := plan(key)
		if err != nil {
			return nil, err
		}
		return t.m.db.planned(ctx, m)
	})
}

// Check adds a condition on an item that the transaction does not write: it
// must hold for any of the transaction to be written.
func (t EntityTx) Check(_ context.Context, key any, predicate Predicate) error {
	return t.tx.add("Check", t.m.db, t.m.e, t.m.err, nil, func() (*unit, error) {
		key, err := t.m.keyArg(key)
		if err != nil {
			return nil, err
		}
		return planCheck(t.m.e, key, predicate)
	})
}

// FindMany returns the items with the given keys in their order, as
// [Model.FindMany] does; the place of a key without an item holds nil.
func (m EntityModel) FindMany(ctx context.Context, keys ...any) ([]Record, error) {
	return m.several(ctx, "FindMany", keys, Model[Record].findMany)
}

// TransactGet returns the items with the given keys as they stood at one moment,
// in their order, as [Model.TransactGet] does; the place of a key without an item
// holds nil.
func (m EntityModel) TransactGet(ctx context.Context, keys ...any) ([]Record, error) {
	return m.several(ctx, "TransactGet", keys, Model[Record].transactGet)
}

// several reads the items of several keys.
func (m EntityModel) several(ctx context.Context, op string, keys []any, read func(m Model[Record], ctx context.Context, keys []any) ([]*Record, error)) (_ []Record, err error) {
	ctx, tr := m.db.begin(ctx, op, m.e)
	defer tr.end(&err)
	if m.err != nil {
		return nil, opError(op, m.e, m.err)
	}
	keys = m.e.flatten(keys)
	for i := range keys {
		if keys[i], err = m.keyArg(keys[i]); err != nil {
			return nil, opError(op, m.e, err)
		}
	}
	found, err := read(Model[Record]{db: m.db, e: m.e}, ctx, keys)
	if err != nil {
		return nil, opError(op, m.e, err)
	}
	list := make([]Record, len(found))
	for i, r := range found {
		if r != nil {
			list[i] = *r
		}
	}
	return list, nil
}
