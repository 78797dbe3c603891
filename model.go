package dynorm

import (
	"context"
	"errors"
	"maps"
	"reflect"
	"slices"
	"time"
	"unsafe"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/dynorm/dynorm/internal/codec"
	"github.com/dynorm/dynorm/internal/expr"
)

// Model reads and writes the items of one entity. It is an immutable value,
// safe for concurrent use.
type Model[T any] struct {
	db  *DB
	e   *entity
	err error
}

// ModelOf returns the model of T. Where T is no entity of the schema, every
// call of the model returns an ErrUnregistered.
func ModelOf[T any](db *DB) Model[T] {
	if db == nil {
		return Model[T]{err: faultf(ErrInvalid, "ModelOf was given a nil DB")}
	}
	t := reflect.TypeFor[T]()
	e := db.schema.byType[t]
	if e == nil {
		return Model[T]{db: db, err: faultf(ErrUnregistered, "%s is not in the schema: give it to NewSchema", t)}
	}
	return Model[T]{db: db, e: e}
}

// check returns what keeps a call from starting.
func (m Model[T]) check(v *T) error {
	if m.err != nil {
		return m.err
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
// index entry. An item with the same key is an ErrExists that carries it.
func (m Model[T]) Create(ctx context.Context, v *T) error {
	if err := m.check(v); err != nil {
		return opError("Create", m.e, err)
	}
	before := *v
	err := m.db.create(ctx, m.e, unsafe.Pointer(v))
	if err != nil {
		*v = before
	}
	return opError("Create", m.e, err)
}

func (db *DB) create(ctx context.Context, e *entity, v unsafe.Pointer) error {
	now := db.cfg.Clock()
	if err := db.stamp(e, v, now); err != nil {
		return err
	}
	if e.version != nil {
		if err := e.version.SetInt(v, 1); err != nil {
			return atField(e.version.Name, faultf(ErrValue, "%w", err))
		}
	}
	item, err := e.encode(v, now, true)
	if err != nil {
		return err
	}
	var b expr.Builder
	in := db.putRequest(item, &b, "attribute_not_exists("+b.Name(e.pk.attr)+")")
	_, err = run[dynamodb.PutItemOutput](ctx, db, &Operation{Kind: OpPutItem, Name: "Create", Entity: e.def.Name, Input: in})
	return conditionReason(err, func(Item) error { return ErrExists })
}

// Put writes the whole item, in place of one with the same key. Attributes of
// the old item that T does not declare are lost: [Model.Save] keeps them. It
// fills v as Create does. An entity with a version field is written only where
// there is no item or its version is that of v; otherwise the error is an
// ErrStaleVersion.
//
// It sends one PutItem, at a write unit for each KB of the larger of the old
// and the new item, and of each index entry.
func (m Model[T]) Put(ctx context.Context, v *T) error {
	if err := m.check(v); err != nil {
		return opError("Put", m.e, err)
	}
	before := *v
	err := m.db.put(ctx, m.e, unsafe.Pointer(v))
	if err != nil {
		*v = before
	}
	return opError("Put", m.e, err)
}

func (db *DB) put(ctx context.Context, e *entity, v unsafe.Pointer) error {
	now := db.cfg.Clock()
	if err := db.stamp(e, v, now); err != nil {
		return err
	}
	var (
		b    expr.Builder
		cond string
	)
	if version, ok := e.versionOf(v); ok {
		cond = e.versionCondition(&b, version)
		if version != 0 {
			cond = "attribute_not_exists(" + b.Name(e.pk.attr) + ") OR " + cond
		}
		if err := e.version.SetInt(v, version+1); err != nil {
			return atField(e.version.Name, faultf(ErrValue, "%w", err))
		}
	}
	item, err := e.encode(v, now, true)
	if err != nil {
		return err
	}
	_, err = run[dynamodb.PutItemOutput](ctx, db, &Operation{Kind: OpPutItem, Name: "Put", Entity: e.def.Name,
		Input: db.putRequest(item, &b, cond)})
	return conditionReason(err, func(Item) error { return ErrStaleVersion })
}

// Save writes every declared attribute of an item that exists, index entries
// included, and leaves attributes that T does not declare alone. A field that
// encodes to nothing (nil, an empty set, the zero time) is removed from the
// item, except the time of creation. It sets the `updated` field of v and
// counts its `version` up; where the write fails, v is as it was.
//
// It sends one UpdateItem, at a write unit for each KB of the larger of the old
// and the new item, and of each index entry that changes. No item with the key
// is an ErrNotFound, another version an ErrStaleVersion that carries the item.
func (m Model[T]) Save(ctx context.Context, v *T) error {
	if err := m.check(v); err != nil {
		return opError("Save", m.e, err)
	}
	before := *v
	err := m.db.save(ctx, m.e, unsafe.Pointer(v))
	if err != nil {
		*v = before
	}
	return opError("Save", m.e, err)
}

func (db *DB) save(ctx context.Context, e *entity, v unsafe.Pointer) error {
	now := db.cfg.Clock()
	if err := e.touch(v, now); err != nil {
		return err
	}
	up, err := e.saveUpdate(v, now)
	if err != nil {
		return err
	}
	if _, err = run[dynamodb.UpdateItemOutput](ctx, db, &Operation{Kind: OpUpdateItem, Name: "Save", Entity: e.def.Name,
		Input: up.request(&db.table)}); err != nil {
		return conditionReason(err, func(item Item) error {
			if item == nil {
				return ErrNotFound
			}
			return ErrStaleVersion
		})
	}
	if version, ok := e.versionOf(v); ok {
		return e.version.SetInt(v, version+1)
	}
	return nil
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
// still the same, again if they are not.
//
// No item with the key is an ErrNotFound; a failed [If] an ErrConditionFailed
// that carries the item.
func (m Model[T]) Update(ctx context.Context, key any, changes ...Change) (*T, error) {
	if m.err != nil {
		return nil, opError("Update", m.e, m.err)
	}
	item, err := m.db.update(ctx, m.e, key, changes)
	if err != nil {
		return nil, opError("Update", m.e, err)
	}
	v, err := decodeNew[T](m.e, item)
	return v, opError("Update", m.e, err)
}

// maxRaces bounds how often Update starts again because a field that an index
// entry needs was changed meanwhile.
const maxRaces = 10

func (db *DB) update(ctx context.Context, e *entity, key any, changes []Change) (Item, error) {
	k, known, err := e.keyArg(key)
	if err != nil {
		return nil, err
	}
	actions, conds, err := e.resolveChanges(changes)
	if err != nil {
		return nil, err
	}
	if len(actions) == 0 {
		return nil, faultf(ErrInvalid, "no changes given")
	}
	now := db.cfg.Clock()
	if actions, err = e.addStamps(actions, now); err != nil {
		return nil, err
	}
	var attrs []string
	for i := range actions {
		attrs = append(attrs, actions[i].attr())
	}
	demands := e.touchedDemands(attrs)
	up, err := e.changeUpdate(k, known, nil, actions, conds, demands, now)
	if err != nil {
		return nil, err
	}
	var stored Item
	if up == nil {
		if stored, err = db.get(ctx, e, "Update", k, true); err != nil {
			return nil, err
		}
	}
	for range maxRaces {
		if up == nil {
			if up, err = e.changeUpdate(k, known, stored, actions, conds, demands, now); err != nil {
				return nil, err
			}
		}
		in := up.request(&db.table)
		in.ReturnValues = types.ReturnValueAllNew
		out, err := run[dynamodb.UpdateItemOutput](ctx, db, &Operation{Kind: OpUpdateItem, Name: "Update", Entity: e.def.Name, Input: in})
		if err == nil {
			return out.Attributes, nil
		}
		ce, failed := errors.AsType[*ConditionError](err)
		if failed && ce.Item != nil && stored != nil && !sameInputs(demands, stored, ce.Item) {
			stored, up = ce.Item, nil
			continue
		}
		return nil, conditionReason(err, func(item Item) error {
			if item == nil {
				return ErrNotFound
			}
			return ErrConditionFailed
		})
	}
	return nil, faultf(ErrConflict, "gave up after %d attempts: other writers keep changing fields that its index entries need", maxRaces)
}

// addStamps adds the time of the last change and the count of the version to
// the user's actions, where they are fields of the entity. A change of the time
// by the user stands.
func (e *entity) addStamps(actions []action, now time.Time) ([]action, error) {
	actions = slices.Clip(actions)
	if e.updated != nil && !slices.ContainsFunc(actions, func(a action) bool { return a.attr() == e.updatedAttr }) {
		av, err := e.updated.EncodeOperand(now)
		if err != nil {
			return nil, atField(e.updated.Name, faultf(ErrValue, "%w", err))
		}
		actions = append(actions, action{op: changeSet, field: e.updated, value: av})
	}
	if e.version != nil {
		actions = append(actions, action{op: changeAdd, field: e.version, value: numberValue(1)})
	}
	return actions, nil
}

// changeUpdate is the update of actions under conditions, with the index
// entries they touch. Without a stored item it returns nil when an entry needs
// fields that are not known.
func (e *entity) changeUpdate(key, known, stored Item, actions []action, conds []Predicate, demands []*demand, now time.Time) (*update, error) {
	up := &update{e: e, key: key}
	up.mustExist()
	after := maps.Clone(stored)
	if after == nil {
		after = maps.Clone(known)
	}
	settled := map[string]bool{}
	for attr := range known {
		settled[attr] = true
	}
	for i := range actions {
		a := &actions[i]
		a.render(&up.b, &up.u)
		if len(demands) == 0 {
			continue
		}
		ok, err := a.after(after, stored != nil)
		if err != nil {
			return nil, err
		}
		settled[a.attr()] = ok && (a.whole() && (a.op == changeSet || a.op == changeRemove))
	}
	if e.updatedAttr != "" && e.updated == nil {
		up.setAttr(e.updatedAttr, stringValue(now.UTC().Format(timestampLayout)))
	}
	if e.versionAttr != "" && e.version == nil {
		up.u.Add(up.b.Name(e.versionAttr), up.b.Value(numberValue(1)))
	}
	guarded := map[string]bool{}
	for _, d := range demands {
		for _, attr := range d.inputs() {
			switch {
			case settled[attr] || guarded[attr]:
			case stored == nil:
				return nil, nil
			default:
				guarded[attr] = true
				if av, ok := stored[attr]; ok {
					up.conds = append(up.conds, up.b.Name(attr)+" = "+up.b.Value(av))
				} else {
					up.conds = append(up.conds, "attribute_not_exists("+up.b.Name(attr)+")")
				}
			}
		}
	}
	if err := up.setEntries(demands, after); err != nil {
		return nil, err
	}
	for _, p := range conds {
		text, err := p.render(e, &up.b)
		if err != nil {
			return nil, err
		}
		up.conds = append(up.conds, text)
	}
	return up, nil
}

// sameInputs reports whether two versions of an item agree in every input of
// the index entries.
func sameInputs(demands []*demand, a, b Item) bool {
	for _, d := range demands {
		for _, attr := range d.inputs() {
			av, inA := a[attr]
			bv, inB := b[attr]
			if inA != inB || inA && !codec.Equal(av, bv) {
				return false
			}
		}
	}
	return true
}

// Delete removes an item. The key is the value of the primary field, or a T or
// *T whose key fields are filled. Where it is a value with a version other than
// 0, the item is deleted only in that version; another one is an
// ErrStaleVersion that carries the item. Deleting what is not there is no
// error.
//
// It sends one DeleteItem, at a write unit for each KB of the item and of each
// index entry.
func (m Model[T]) Delete(ctx context.Context, key any) error {
	if m.err != nil {
		return opError("Delete", m.e, m.err)
	}
	return opError("Delete", m.e, m.db.remove(ctx, m.e, key))
}

func (db *DB) remove(ctx context.Context, e *entity, key any) error {
	k, _, err := e.keyArg(key)
	if err != nil {
		return err
	}
	in := &dynamodb.DeleteItemInput{TableName: &db.table, Key: k}
	if version, ok := e.versionOf(e.structArg(key)); ok && version != 0 {
		var b expr.Builder
		cond := "attribute_not_exists(" + b.Name(e.pk.attr) + ") OR " + e.versionCondition(&b, version)
		in.ConditionExpression = &cond
		in.ExpressionAttributeNames, in.ExpressionAttributeValues = b.Names(), b.Values()
		in.ReturnValuesOnConditionCheckFailure = types.ReturnValuesOnConditionCheckFailureAllOld
	}
	_, err = run[dynamodb.DeleteItemOutput](ctx, db, &Operation{Kind: OpDeleteItem, Name: "Delete", Entity: e.def.Name, Input: in})
	return conditionReason(err, func(Item) error { return ErrStaleVersion })
}

// Find returns the item whose primary field has the value, or ErrNotFound. An
// entity whose key has more parts than the primary field is read by
// [Model.Get].
//
// It sends one GetItem, at a read unit for each 4 KB of the item when strongly
// consistent ([Config.Consistent]) and half of that otherwise.
func (m Model[T]) Find(ctx context.Context, id any) (*T, error) {
	return m.find(ctx, "Find", id)
}

// Get returns the item whose key fields are those of key, or ErrNotFound. Other
// fields of key play no part. It costs what Find costs.
func (m Model[T]) Get(ctx context.Context, key T) (*T, error) {
	return m.find(ctx, "Get", &key)
}

func (m Model[T]) find(ctx context.Context, op string, key any) (*T, error) {
	if m.err != nil {
		return nil, opError(op, m.e, m.err)
	}
	k, _, err := m.e.keyArg(key)
	if err != nil {
		return nil, opError(op, m.e, err)
	}
	item, err := m.db.get(ctx, m.e, op, k, m.db.cfg.Consistent)
	if err != nil {
		return nil, opError(op, m.e, err)
	}
	if m.e.hidden(item, m.db.cfg.Clock()) {
		return nil, opError(op, m.e, ErrNotFound)
	}
	v, err := decodeNew[T](m.e, item)
	return v, opError(op, m.e, err)
}

// get reads one item.
func (db *DB) get(ctx context.Context, e *entity, op string, key Item, consistent bool) (Item, error) {
	out, err := run[dynamodb.GetItemOutput](ctx, db, &Operation{Kind: OpGetItem, Name: op, Entity: e.def.Name,
		Input: &dynamodb.GetItemInput{TableName: &db.table, Key: key, ConsistentRead: &consistent}})
	if err != nil {
		return nil, err
	}
	if len(out.Item) == 0 {
		return nil, ErrNotFound
	}
	return out.Item, nil
}

// keyArg returns the base key that a key argument stands for, and the
// attributes of the fields it is made of.
func (e *entity) keyArg(key any) (k, known Item, err error) {
	v := e.structArg(key)
	if v == nil {
		if key == nil {
			return nil, nil, faultf(ErrMissingKey, "the key is nil")
		}
		if k, err = e.keyOfID(key); err != nil {
			return nil, nil, err
		}
		av, err := e.primary.EncodeOperand(key)
		if err != nil {
			return nil, nil, atField(e.primary.Name, faultf(ErrValue, "%w", err))
		}
		return k, Item{e.primary.Attr: av}, nil
	}
	if k, err = e.baseKey(v); err != nil {
		return nil, nil, err
	}
	known = Item{}
	for _, kt := range []*keyTemplate{e.pk, e.sk} {
		for _, f := range kt.fields {
			if len(f.AttrPath()) > 1 {
				continue // a part of a map tells nothing of the rest
			}
			av, ok, err := f.Encode(v)
			if err != nil {
				return nil, nil, encodeError(err)
			}
			if ok {
				known[f.Attr] = av
			}
		}
	}
	return k, known, nil
}

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

// decodeNew decodes an item into a new T.
func decodeNew[T any](e *entity, item Item) (*T, error) {
	v := new(T)
	if err := e.decode(item, unsafe.Pointer(v)); err != nil {
		return nil, err
	}
	return v, nil
}

// decode sets the struct at v to an item. An item of another entity is an
// error, never a value of the wrong type.
func (e *entity) decode(item Item, v unsafe.Pointer) error {
	if et, ok := item[e.schema.cfg.EntityType].(*types.AttributeValueMemberS); ok && et.Value != e.def.Name {
		return faultf(ErrValue, "the item is a %s", et.Value)
	}
	if err := e.codec.DecodeItem(item, v); err != nil {
		if de, ok := errors.AsType[*codec.DecodeError](err); ok && de.Path != "" {
			inner := *de
			inner.Type, inner.Path = "", ""
			return atField(de.Path, faultf(ErrValue, "%w", &inner))
		}
		return faultf(ErrValue, "%w", err)
	}
	return nil
}

// conditionReason says why a condition failed, from the item it met.
func conditionReason(err error, reason func(Item) error) error {
	ce, ok := errors.AsType[*ConditionError](err)
	if !ok {
		return err
	}
	why := reason(ce.Item)
	if why == ErrNotFound {
		return &fault{kind: ErrNotFound, text: ErrNotFound.Error(), err: ce.Err}
	}
	return &ConditionError{Reason: why, Item: ce.Item, Err: ce.Err}
}
