package dynorm

import (
	"context"
	"errors"
	"reflect"
	"unsafe"

	"github.com/dynorm/dynorm/internal/codec"
)

// Edit reads an item, applies fn to it, writes what fn changed, and returns the
// item as it stands afterwards. Attributes that fn left alone, those that T does
// not declare included, are not written; index entries and claims follow what
// changed. Where fn changed nothing, nothing is written. The key is the value of
// the primary field, or a T or *T whose key fields are filled.
//
// The write holds only if the item is still in the version that was read or,
// for an entity without versions, if the fields that fn changed still are what
// they were. Otherwise fn is applied again to the item as it stands: it may run
// several times and should have no other effects. Its error ends the edit.
//
// It sends a strongly consistent GetItem and one UpdateItem, with claims to move
// one TransactWriteItems, and the write again for each race lost. No item with
// the key is an ErrNotFound, a change of the base key an ErrImmutable, one of
// the version or of a readonly field an ErrInvalid.
//
// See "DynamoDB read and write operations" in the Amazon DynamoDB Developer Guide.
func (m Model[T]) Edit(ctx context.Context, key any, fn func(*T) error) (*T, error) {
	v, err := model(m).edit(ctx, key, onValue(fn))
	return (*T)(v), err
}

func (m model) edit(ctx context.Context, key any, fn func(unsafe.Pointer) error) (_ unsafe.Pointer, err error) {
	ctx, tr := m.db.begin(ctx, "Edit", m.e)
	defer tr.end(&err)
	if m.fault() != nil {
		return nil, opError("Edit", m.e, m.fault())
	}
	plan, err := m.db.planEdit(ctx, m.e, key, fn)
	if err != nil {
		return nil, opError("Edit", m.e, err)
	}
	after, err := m.db.editItem(ctx, plan)
	if err != nil {
		return nil, opError("Edit", m.e, err)
	}
	v, err := m.e.decodeRow(m.maker, &after, nil)
	return v, opError("Edit", m.e, err)
}

// editItem carries an edit out and returns the item as it then stands.
func (db *DB) editItem(ctx context.Context, plan *mutation) (row, error) {
	u, err := db.planned(ctx, plan)
	if err != nil {
		return row{}, err
	}
	after, err := db.carryOutOne(ctx, u)
	if err != nil {
		return row{}, err
	}
	if after.empty() {
		after.item = u.stored // nothing changed
	}
	return after, nil
}

// Edit adds what [Model.Edit] sends: the item is read and fn applied at once.
// Where the item has changed when the transaction is sent, fn is applied again.
func (t TxModel[T]) Edit(ctx context.Context, key any, fn func(*T) error) error {
	return t.tx.edit(ctx, model(t.m), key, onValue(fn))
}

func (tx *Tx) edit(ctx context.Context, m model, key any, fn func(unsafe.Pointer) error) error {
	return tx.addKey(ctx, "Edit", m.db, m.e, m.fault(), func() (*mutation, error) { return m.db.planEdit(ctx, m.e, key, fn) })
}

// planEdit plans [Model.Edit].
func (db *DB) planEdit(ctx context.Context, e *entity, key any, fn func(unsafe.Pointer) error) (*mutation, error) {
	if fn == nil {
		return nil, faultf(ErrInvalid, "the function is nil")
	}
	k, err := e.keyTextsArg(key)
	if err != nil {
		return nil, err
	}
	m := &mutation{e: e, op: "Edit", texts: k}
	m.plan = planFunc(func(stored Item) ([]*write, bool, error) {
		if stored == nil {
			return nil, true, nil
		}
		now := db.cfg.Clock()
		if len(stored) == 0 || e.hidden(stored, now) {
			return nil, false, ErrNotFound
		}
		v := reflect.New(e.typ).UnsafePointer()
		if err := e.decode(stored, v); err != nil {
			return nil, false, err
		}
		actions, err := e.differences(k, v, fn)
		if err != nil || len(actions) == 0 {
			return nil, false, err
		}
		if db.hooked(e, BeforeSave, BeforeUpdate) {
			if actions, _, err = db.hookChanges(ctx, &changePlan{e: e, key: k}, stored, actions); err != nil {
				return nil, false, err
			}
		}
		c := &changePlan{e: e, op: m.op, key: k, now: now, strict: true, check: db.changeCheck(ctx, e, m.op)}
		if err := c.act(actions); err != nil {
			return nil, false, err
		}
		if e.versionAttr != "" {
			c.guards = append(c.guards, e.versionAttr)
		} else {
			for i := range actions {
				c.guards = append(c.guards, actions[i].attr())
			}
		}
		c.guards = sortedSet(c.guards)
		m.guards = c.guards
		return c.on(stored)
	})
	db.hookAfterUpdate(ctx, m)
	return m, nil
}

// differences applies fn to the struct at v and returns what it changed.
func (e *entity) differences(key keyTexts, v unsafe.Pointer, fn func(unsafe.Pointer) error) ([]action, error) {
	before, after := Item{}, Item{}
	if err := e.codec.EncodeItem(before, v); err != nil {
		return nil, encodeError(err)
	}
	if err := fn(v); err != nil {
		return nil, err
	}
	if err := e.checkRequired(v); err != nil {
		return nil, err
	}
	if err := e.codec.EncodeItem(after, v); err != nil {
		return nil, encodeError(err)
	}
	now, err := e.keyTexts(v)
	if err != nil {
		return nil, err
	}
	var actions []action
	for i := range e.codec.NumFields() {
		f := e.codec.Field(i)
		was, is := before[f.Attr], after[f.Attr]
		if was == nil && is == nil || was != nil && is != nil && codec.Equal(was, is) {
			continue
		}
		a := action{op: changeSet, field: f, value: is}
		if is == nil {
			a.op = changeRemove
		}
		err := e.checkTarget(&a)
		if errors.Is(err, ErrImmutable) && now == key {
			err = nil // the part of the attribute that is in the key is as it was
		}
		if err != nil {
			return nil, atField(f.Name, err)
		}
		actions = append(actions, a)
	}
	return actions, nil
}

// Retry calls fn until it succeeds or fails with something else than an
// ErrStaleVersion or an ErrConflict, at most attempts times, with growing
// pauses. It suits what reads a value, changes it and saves it:
//
//	err := dynorm.Retry(ctx, 5, func(ctx context.Context) error {
//		o, err := orders.Find(ctx, id)
//		if err != nil {
//			return err
//		}
//		o.Total += 5
//		return orders.Save(ctx, o)
//	})
//
// The error is the last one of fn.
func Retry(ctx context.Context, attempts int, fn func(context.Context) error) error {
	if fn == nil {
		return opError("Retry", nil, faultf(ErrInvalid, "the function is nil"))
	}
	if attempts < 1 {
		return opError("Retry", nil, faultf(ErrInvalid, "%d attempts: give at least one", attempts))
	}
	for attempt := 1; ; attempt++ {
		err := fn(ctx)
		if !errors.Is(err, ErrStaleVersion) && !errors.Is(err, ErrConflict) || attempt == attempts {
			return err
		}
		if pause := backoff(ctx, min(attempt, 5)); pause != nil {
			return pause
		}
	}
}
