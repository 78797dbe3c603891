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
	return model(m).upsert(ctx, unsafe.Pointer(v))
}

func (m model) upsert(ctx context.Context, v unsafe.Pointer) (created bool, err error) {
	ctx, tr := m.db.begin(ctx, "Upsert", m.e)
	defer tr.end(&err)
	if err := m.check(v); err != nil {
		return false, opError("Upsert", m.e, err)
	}
	for range maxRaces {
		err = m.write(ctx, "Save", v, (*DB).save)
		if !errors.Is(err, ErrNotFound) {
			return false, err
		}
		if err = m.write(ctx, "Create", v, (*DB).create); !errors.Is(err, ErrExists) {
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
	got, created, err := model(m).firstOrCreate(ctx, unsafe.Pointer(v))
	return (*T)(got), created, err
}

func (m model) firstOrCreate(ctx context.Context, v unsafe.Pointer) (_ unsafe.Pointer, created bool, err error) {
	ctx, tr := m.db.begin(ctx, "FirstOrCreate", m.e)
	defer tr.end(&err)
	if err := m.check(v); err != nil {
		return nil, false, opError("FirstOrCreate", m.e, err)
	}
	undo := m.keep(v)
	err = m.db.checkNew(m.e, v)
	undo()
	if err != nil {
		return nil, false, opError("FirstOrCreate", m.e, err)
	}
	key := reflect.NewAt(m.e.typ, v).Interface()
	found, err := m.current(ctx, "FirstOrCreate", key)
	if !errors.Is(err, ErrNotFound) {
		return found, false, opError("FirstOrCreate", m.e, err)
	}
	err = m.write(ctx, "Create", v, (*DB).create)
	if err == nil {
		return v, true, nil
	}
	if errors.Is(err, ErrExists) {
		// Another writer was first.
		if found, err := m.current(ctx, "FirstOrCreate", key); err == nil {
			return found, false, nil
		}
	}
	return nil, false, err
}

// current reads an item as [Model.Get] does, strongly consistent.
func (m model) current(ctx context.Context, op string, key any) (unsafe.Pointer, error) {
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
	return m.e.decodeNew(m.maker, item, m.db.afterFind(ctx, m.e))
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
	got, created, err := model(m).updateOrCreate(ctx, unsafe.Pointer(v), changes)
	return (*T)(got), created, err
}

func (m model) updateOrCreate(ctx context.Context, v unsafe.Pointer, changes []Change) (_ unsafe.Pointer, created bool, err error) {
	ctx, tr := m.db.begin(ctx, "UpdateOrCreate", m.e)
	defer tr.end(&err)
	if err := m.check(v); err != nil {
		return nil, false, opError("UpdateOrCreate", m.e, err)
	}
	key := reflect.NewAt(m.e.typ, v).Interface()
	for range maxRaces {
		var got unsafe.Pointer
		got, err = m.update(ctx, key, changes)
		if !errors.Is(err, ErrNotFound) {
			return got, false, err
		}
		fresh := m.maker.new()
		m.maker.set(fresh, v)
		if err = m.e.applyTo(fresh, changes); err != nil {
			return nil, false, opError("UpdateOrCreate", m.e, err)
		}
		if err = m.write(ctx, "Create", fresh, (*DB).create); err == nil {
			return fresh, true, nil
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
func (m Model[T]) Increment(ctx context.Context, key any, field string, delta any) (*T, error) {
	v, err := model(m).increment(ctx, key, field, delta)
	return (*T)(v), err
}

func (m model) increment(ctx context.Context, key any, field string, delta any) (_ unsafe.Pointer, err error) {
	ctx, tr := m.db.begin(ctx, "Increment", m.e)
	defer tr.end(&err)
	return m.update(ctx, key, []Change{Add(field, delta)})
}

// Touch sets the time of the last change of an item that exists. The entity
// needs one: a field tagged `updated` or the trait timestamps. It sends what
// [Model.Update] sends.
func (m Model[T]) Touch(ctx context.Context, key any) error {
	return model(m).writeKey(ctx, "Touch", key, (*DB).touchItem)
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
func (m Model[T]) Move(ctx context.Context, key any, fn func(*T) error) (*T, error) {
	v, err := model(m).move(ctx, key, onValue(fn))
	return (*T)(v), err
}

func (m model) move(ctx context.Context, key any, fn func(unsafe.Pointer) error) (_ unsafe.Pointer, err error) {
	ctx, tr := m.db.begin(ctx, "Move", m.e)
	defer tr.end(&err)
	if m.fault() != nil {
		return nil, opError("Move", m.e, m.fault())
	}
	item, err := m.moved(ctx, key, fn)
	if err != nil {
		return nil, opError("Move", m.e, err)
	}
	v, err := m.e.decodeNew(m.maker, item, nil)
	return v, opError("Move", m.e, err)
}

// moved moves an item and returns it as it then stands.
func (m model) moved(ctx context.Context, key any, fn func(unsafe.Pointer) error) (Item, error) {
	u, item, err := m.db.planMoving(ctx, m.e, key, fn)
	if err != nil {
		return nil, err
	}
	if _, err := m.db.carryOut(ctx, []*unit{u}, txOptions{name: "Move"}); err != nil {
		return nil, impliedError(err)
	}
	return item, nil
}

// planMoving reads the item to move, has fn change it and plans the writes. It
// returns the item under its new key too.
func (db *DB) planMoving(ctx context.Context, e *entity, key any, fn func(unsafe.Pointer) error) (*unit, Item, error) {
	if fn == nil {
		return nil, nil, faultf(ErrInvalid, "the function is nil")
	}
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
			reason: alreadyThere,
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
	clone, err := model(m).replicate(unsafe.Pointer(v))
	return (*T)(clone), err
}

func (m model) replicate(v unsafe.Pointer) (unsafe.Pointer, error) {
	if err := m.check(v); err != nil {
		return nil, opError("Replicate", m.e, err)
	}
	item := Item{}
	if err := m.e.codec.EncodeItem(item, v); err != nil {
		return nil, opError("Replicate", m.e, encodeError(err))
	}
	clone := m.maker.new()
	if err := m.e.codec.DecodeItem(item, clone); err != nil {
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
			f.Clear(clone)
		}
	}
	return clone, nil
}
