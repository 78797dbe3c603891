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
	return t.addValue(ctx, "Upsert", v, func(db *DB, ctx context.Context, e *entity, p unsafe.Pointer) (*mutation, error) {
		return db.planUpsert(ctx, e, p, keep(e, v))
	})
}

// Increment adds what [Model.Increment] sends. Unlike alone, it counts once also
// where a response is lost.
func (t TxModel[T]) Increment(ctx context.Context, key any, field string, delta any) error {
	return t.Update(ctx, key, Add(field, delta))
}

// Touch adds what [Model.Touch] sends.
func (t TxModel[T]) Touch(ctx context.Context, key any) error {
	return t.addKey(ctx, "Touch", func() (*mutation, error) { return t.m.db.planTouch(ctx, t.m.e, key) })
}

// Move adds what [Model.Move] sends, two actions and those of the claims: the
// item is read and fn applied at once. Where the item has changed when the
// transaction is sent, that fails with an ErrStaleVersion.
func (t TxModel[T]) Move(ctx context.Context, key any, fn func(*T) error) error {
	return t.tx.add("Move", t.m.db, t.m.e, t.m.fault(), nil, func() (*unit, error) {
		u, _, err := t.m.planMove(ctx, key, fn)
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
	m.plan = func(stored Item) ([]*write, bool, error) {
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
		return inner.plan(stored)
	}
	return m, nil
}
