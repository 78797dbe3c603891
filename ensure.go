package dynorm

import (
	"context"
	"errors"
	"maps"
	"reflect"
	"slices"
	"unsafe"

	"github.com/dynorm/dynorm/internal/codec"
	"github.com/dynorm/dynorm/internal/expr"
)

// Upsert writes the declared attributes of an item that exists, as [Model.Save]
// does, or creates it, as [Model.Create] does. It reports whether it created it.
// What T does not declare is kept, unlike with [Model.Put]. An entity with a
// version is saved only in that of v, which is 0 for an item to create.
//
// It sends what Save sends and, where there is no item, what Create sends; where
// another writer creates or deletes it in between, both again.
//
// See "DynamoDB read and write operations" in the Amazon DynamoDB Developer Guide.
func (m Model[T]) Upsert(ctx context.Context, v *T) (created bool, err error) {
	ctx, tr := m.db.begin(ctx, "Upsert", m.e)
	defer tr.end(&err)
	if err := m.check(v); err != nil {
		return false, opError("Upsert", m.e, err)
	}
	for range maxRaces {
		err = m.Save(ctx, v)
		if !errors.Is(err, ErrNotFound) {
			return false, err
		}
		if err = m.Create(ctx, v); !errors.Is(err, ErrExists) {
			return err == nil, err
		}
	}
	return false, err
}

// FirstOrCreate returns the item whose key fields are those of v, or creates v
// and returns it. It reports whether it created it. A v that could not be created
// is refused before anything is sent, also where the item exists, unless a hook
// may yet complete it.
//
// It sends a strongly consistent GetItem and, where there is no item, what
// [Model.Create] sends. An item that was deleted softly is an ErrExists.
//
// See "DynamoDB read and write operations" in the Amazon DynamoDB Developer Guide.
func (m Model[T]) FirstOrCreate(ctx context.Context, v *T) (_ *T, created bool, err error) {
	ctx, tr := m.db.begin(ctx, "FirstOrCreate", m.e)
	defer tr.end(&err)
	if err := m.check(v); err != nil {
		return nil, false, opError("FirstOrCreate", m.e, err)
	}
	undo := keepOne(m.db, m.e, v)
	err = m.db.checkNew(m.e, unsafe.Pointer(v))
	undo()
	if err != nil {
		return nil, false, opError("FirstOrCreate", m.e, err)
	}
	found, err := m.current(ctx, "FirstOrCreate", v)
	if !errors.Is(err, ErrNotFound) {
		return found, false, opError("FirstOrCreate", m.e, err)
	}
	err = m.Create(ctx, v)
	if err == nil {
		return v, true, nil
	}
	if errors.Is(err, ErrExists) {
		// Another writer was first.
		if found, err := m.current(ctx, "FirstOrCreate", v); err == nil {
			return found, false, nil
		}
	}
	return nil, false, err
}

// current reads an item as [Model.Get] does, strongly consistent.
func (m Model[T]) current(ctx context.Context, op string, key any) (*T, error) {
	k, err := m.e.keyArg(key)
	if err != nil {
		return nil, err
	}
	item, err := m.db.get(ctx, m.e, op, k, true)
	if err != nil {
		return nil, err
	}
	if m.e.hidden(item, m.db.cfg.Clock()) {
		return nil, ErrNotFound
	}
	return decodeNew[T](m.e, item, m.db.afterFind(ctx, m.e))
}

// UpdateOrCreate applies the changes to the item whose key fields are those of
// v, as [Model.Update] does, or creates v with the changes applied. It returns
// the item as it stands afterwards and reports whether it created it. Changes
// that depend on what is stored (Add, Append, SetIfAbsent, ...) apply to what v
// holds.
//
// It sends what Update sends and, where there is no item, what Create sends.
//
// See "DynamoDB read and write operations" in the Amazon DynamoDB Developer Guide.
func (m Model[T]) UpdateOrCreate(ctx context.Context, v *T, changes ...Change) (_ *T, created bool, err error) {
	ctx, tr := m.db.begin(ctx, "UpdateOrCreate", m.e)
	defer tr.end(&err)
	if err := m.check(v); err != nil {
		return nil, false, opError("UpdateOrCreate", m.e, err)
	}
	for range maxRaces {
		var got *T
		got, err = m.Update(ctx, v, changes...)
		if !errors.Is(err, ErrNotFound) {
			return got, false, err
		}
		fresh := *v
		if err = m.e.applyTo(unsafe.Pointer(&fresh), changes); err != nil {
			return nil, false, opError("UpdateOrCreate", m.e, err)
		}
		if err = m.Create(ctx, &fresh); err == nil {
			return &fresh, true, nil
		}
		if !errors.Is(err, ErrExists) {
			return nil, false, err
		}
	}
	return nil, false, err
}

// applyTo applies changes to the struct at v. Conditions are about a stored
// item and play no part.
func (e *entity) applyTo(v unsafe.Pointer, changes []Change) error {
	actions, _, err := e.resolveChanges(nil, changes)
	if err != nil {
		return err
	}
	before := Item{}
	if err := e.codec.EncodeItem(before, v); err != nil {
		return encodeError(err)
	}
	after := make(Item, len(before))
	for attr, av := range before {
		after[attr] = av
	}
	if err := applyAll(actions, before, after, true); err != nil {
		return err
	}
	if err := e.codec.DecodeItem(after, v); err != nil {
		return faultf(ErrValue, "%w", err)
	}
	return nil
}

// Increment adds to a number of an item that exists and returns the item as it
// stands afterwards; an absent number counts as 0. A negative delta subtracts.
//
// It sends what [Model.Update] sends, at once for all who count: no read and no
// version check is needed. Where the response of the write is lost the SDK sends
// it again, and the delta may count twice; in a transaction ([DB.Transact]) it
// does not.
func (m Model[T]) Increment(ctx context.Context, key any, field string, delta any) (_ *T, err error) {
	ctx, tr := m.db.begin(ctx, "Increment", m.e)
	defer tr.end(&err)
	return m.Update(ctx, key, Add(field, delta))
}

// Touch sets the time of the last change of an item that exists. The entity
// needs one: a field tagged `updated` or the trait timestamps. It sends what
// [Model.Update] sends.
func (m Model[T]) Touch(ctx context.Context, key any) (err error) {
	ctx, tr := m.db.begin(ctx, "Touch", m.e)
	defer tr.end(&err)
	if m.fault() != nil {
		return opError("Touch", m.e, m.fault())
	}
	return opError("Touch", m.e, m.db.touchItem(ctx, m.e, key))
}

func (db *DB) touchItem(ctx context.Context, e *entity, key any) error {
	m, err := db.planTouch(ctx, e, key)
	if err != nil {
		return err
	}
	_, err = db.mutate(ctx, m)
	return err
}

// planTouch plans [Model.Touch].
func (db *DB) planTouch(ctx context.Context, e *entity, key any) (*mutation, error) {
	if e.updatedAttr == "" {
		return nil, faultf(ErrInvalid, "%s keeps no time of the last change: add the trait timestamps or a field tagged `updated`", e.def.Name)
	}
	k, err := e.keyTextsArg(key)
	if err != nil {
		return nil, err
	}
	c := &changePlan{e: e, op: "Touch", key: k, now: db.cfg.Clock()}
	if err := c.act(nil); err != nil {
		return nil, err
	}
	if err := c.know(key); err != nil {
		return nil, err
	}
	return db.mutationOf(ctx, c, nil), nil
}

// Move gives an item another base key: it reads it, applies fn, which changes
// key fields (and others, if it likes), and in one transaction deletes the item
// under its old key and creates it under the new one, claims moved along. The
// time of creation stays, the version counts on, and attributes that T does not
// declare go with it. It returns the item as it then stands.
//
// It sends a strongly consistent GetItem and one TransactWriteItems, at twice
// the write units of both writes. No item with the key is an ErrNotFound, one
// under the new key an ErrExists; where the item changes meanwhile it is an
// ErrStaleVersion.
//
// See "Amazon DynamoDB Transactions: How it works" in the Amazon DynamoDB Developer Guide.
func (m Model[T]) Move(ctx context.Context, key any, fn func(*T) error) (_ *T, err error) {
	ctx, tr := m.db.begin(ctx, "Move", m.e)
	defer tr.end(&err)
	if m.fault() != nil {
		return nil, opError("Move", m.e, m.fault())
	}
	v, err := m.move(ctx, key, fn)
	return v, opError("Move", m.e, err)
}

func (m Model[T]) move(ctx context.Context, key any, fn func(*T) error) (*T, error) {
	u, item, err := m.planMove(ctx, key, fn)
	if err != nil {
		return nil, err
	}
	if _, err := m.db.carryOut(ctx, []*unit{u}, txOptions{name: "Move"}); err != nil {
		return nil, impliedError(err)
	}
	return decodeNew[T](m.e, item, nil)
}

// planMove is [DB.planMoving] of a T.
func (m Model[T]) planMove(ctx context.Context, key any, fn func(*T) error) (*unit, Item, error) {
	if fn == nil {
		return nil, nil, faultf(ErrInvalid, "the function is nil")
	}
	return m.db.planMoving(ctx, m.e, key, func(p unsafe.Pointer) error { return fn((*T)(p)) })
}

// planMoving reads the item to move, has fn change it and plans the writes. It
// returns the item under its new key too.
func (db *DB) planMoving(ctx context.Context, e *entity, key any, fn func(unsafe.Pointer) error) (*unit, Item, error) {
	k, err := e.keyArg(key)
	if err != nil {
		return nil, nil, err
	}
	stored, err := db.get(ctx, e, "Move", k, true)
	if err != nil {
		return nil, nil, err
	}
	if e.hidden(stored, db.cfg.Clock()) {
		return nil, nil, ErrNotFound
	}
	v := reflect.New(e.typ).UnsafePointer()
	if err := e.decode(stored, v); err != nil {
		return nil, nil, err
	}
	if err := fn(v); err != nil {
		return nil, nil, err
	}
	if err := db.runHooks(ctx, e, v, BeforeSave, BeforeUpdate); err != nil {
		return nil, nil, err
	}
	u, item, err := db.planMove(ctx, e, k, stored, v)
	if err != nil {
		return nil, nil, err
	}
	db.hookAfter(ctx, u.m, v, AfterUpdate, AfterSave)
	return u, item, nil
}

// planMove plans the writes of [Model.Move]: the deletion of the stored item,
// under the condition that it is wholly as it was read, and the creation of the
// new one, of which the claims are moved from the old.
func (db *DB) planMove(ctx context.Context, e *entity, key, stored Item, v unsafe.Pointer) (*unit, Item, error) {
	now := db.cfg.Clock()
	if err := e.touch(v, now); err != nil {
		return nil, nil, err
	}
	if version, versioned := e.versionOf(v); versioned {
		if err := e.setVersion(v, version+1); err != nil {
			return nil, nil, err
		}
	}
	item, err := db.newItem(ctx, e, "Move", v, now, false)
	if err != nil {
		return nil, nil, err
	}
	if e.keyID(item) == e.keyID(key) {
		return nil, nil, faultf(ErrInvalid, "the base key is the same: use Edit")
	}
	if err := e.changesReadOnly(stored, item); err != nil {
		return nil, nil, err
	}
	own := map[string]bool{}
	for i := range e.codec.NumFields() {
		f := e.codec.Field(i)
		own[f.Attr] = true
		if was := stored[f.Attr]; was != nil && sameDeclared(&f.Type, was, item[f.Attr]) {
			item[f.Attr] = was // with what a struct was stored with beyond its fields
		}
	}
	for _, d := range e.demands {
		own[d.pk.attr], own[d.sk.attr] = true, true
	}
	for attr, av := range stored {
		if _, ok := item[attr]; !ok && !own[attr] && !isSealed(attr) {
			item[attr] = av
		}
	}
	if err := checkItemSize(itemSize(item)); err != nil {
		return nil, nil, err
	}
	var out, in expr.Builder
	var same []string
	for _, attr := range slices.Sorted(maps.Keys(stored)) {
		if isSealed(attr) {
			continue
		}
		same = append(same, guardText(&out, stored, attr))
	}
	writes := []*write{
		{kind: OpDeleteItem, name: "Move", e: e, key: key, cond: expr.And(same...), names: out.NameList(), values: out.ValueList(), reason: missingOr(ErrStaleVersion)},
		{
			kind: OpPutItem, name: "Move", e: e, texts: e.keyTextsIn(item), item: content{item: item}, cond: "attribute_not_exists(" + in.Name(e.pk.attr) + ")", names: in.NameList(),
			reason: func(Item) error { return ErrExists },
		},
	}
	claims, err := e.claimsOnMove(key, stored, item)
	if err != nil {
		return nil, nil, err
	}
	m := &mutation{e: e, op: "Move", key: key}
	return &unit{m: m, writes: append(writes, claims...)}, item, nil
}

// Replicate returns a copy of v that can be created as a new item: without
// generated identifiers, timestamps, version, time to live and soft deletion,
// and without unique values. A primary key that is not generated is the
// caller's to change. It sends nothing.
func (m Model[T]) Replicate(v *T) (*T, error) {
	if err := m.check(v); err != nil {
		return nil, opError("Replicate", m.e, err)
	}
	item := Item{}
	if err := m.e.codec.EncodeItem(item, unsafe.Pointer(v)); err != nil {
		return nil, opError("Replicate", m.e, encodeError(err))
	}
	clone := new(T)
	if err := m.e.codec.DecodeItem(item, unsafe.Pointer(clone)); err != nil {
		return nil, opError("Replicate", m.e, faultf(ErrValue, "%w", err))
	}
	var unique []*codec.Field
	for _, u := range m.e.uniques {
		unique = append(unique, u.fields...)
	}
	for i := range m.e.codec.NumFields() {
		f := m.e.codec.Field(i)
		clear := f.Generator != "" || f.Created || f.Updated || f.Deleted || f.Version || f.TTL
		for _, u := range unique {
			clear = clear || u.Attr == f.Attr && !m.e.inBaseKey(f.Attr)
		}
		if clear {
			f.Clear(unsafe.Pointer(clone))
		}
	}
	return clone, nil
}
