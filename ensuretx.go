package dynorm

import (
	"context"
	"unsafe"
)

// Upsert adds what [Model.Save] sends where the item exists, and what
// [Model.Create] sends where it does not. The item is read at once to know
// which; where another writer creates or deletes it before the transaction is
// sent, the other is planned, and v filled anew.
func (t TxModel[T]) Upsert(ctx context.Context, v *T) error {
	return t.tx.upsert(ctx, model(t.m), unsafe.Pointer(v))
}

func (tx *Tx) upsert(ctx context.Context, m model, v unsafe.Pointer) error {
	return tx.addValue(ctx, "Upsert", m, v, func(db *DB, ctx context.Context, e *entity, v unsafe.Pointer) (*mutation, error) {
		return db.planUpsert(ctx, e, v, e.keep(m.maker, v))
	})
}

// Increment adds what [Model.Increment] sends. Unlike alone, it counts once also
// where a response is lost.
func (t TxModel[T]) Increment(ctx context.Context, key any, field string, delta any) error {
	return t.tx.update(ctx, model(t.m), key, []Change{Add(field, delta)})
}

func (tx *Tx) update(ctx context.Context, m model, key any, changes []Change) error {
	return tx.addKey(ctx, "Update", m.db, m.e, m.fault(), func() (*mutation, error) { return m.db.planUpdate(ctx, m.e, key, changes) })
}

// Touch adds what [Model.Touch] sends.
func (t TxModel[T]) Touch(ctx context.Context, key any) error {
	return t.tx.touch(ctx, model(t.m), key)
}

func (tx *Tx) touch(ctx context.Context, m model, key any) error {
	return tx.addKey(ctx, "Touch", m.db, m.e, m.fault(), func() (*mutation, error) { return m.db.planTouch(ctx, m.e, key) })
}

// Move adds what [Model.Move] sends, two actions and those of the claims: the
// item is read and fn applied at once. Where the item has changed when the
// transaction is sent, that fails with an ErrStaleVersion.
func (t TxModel[T]) Move(ctx context.Context, key any, fn func(*T) error) error {
	return t.tx.move(ctx, model(t.m), key, onValue(fn))
}

func (tx *Tx) move(ctx context.Context, m model, key any, fn func(unsafe.Pointer) error) error {
	return tx.add("Move", m.db, m.e, m.fault(), nil, func() (*unit, error) {
		u, _, err := m.db.planMoving(ctx, m.e, key, fn)
		return u, err
	})
}

// planUpsert plans a Save or a Create of the struct at v, whichever the item
// that is stored asks for. Undo sets v to what it was given as.
func (db *DB) planUpsert(ctx context.Context, e *entity, v unsafe.Pointer, undo func()) (*mutation, error) {
	key, err := e.baseKey(v)
	if err != nil {
		return nil, err
	}
	m := &mutation{e: e, op: "Upsert", key: key}
	m.plan = planFunc(func(stored Item) ([]*write, bool, error) {
		if stored == nil {
			err := db.checkNew(e, v)
			undo()
			return nil, true, err
		}
		undo()
		plan := db.planSave
		if len(stored) == 0 {
			plan = db.planCreate
		}
		inner, err := plan(ctx, e, v)
		if err != nil {
			return nil, false, err
		}
		m.guards, m.done = inner.guards, inner.done
		return inner.plan.on(stored)
	})
	return m, nil
}
