package dynorm

import (
	"context"
	"errors"
	"maps"
	"slices"
	"time"
	"unsafe"

	"github.com/dynorm/dynorm/internal/codec"
	"github.com/dynorm/dynorm/internal/expr"
)

// maxRaces bounds how often a write starts again because attributes that it
// was planned on were changed meanwhile.
const maxRaces = 10

// mutation is a write of one item that may have to know the item as it stands.
type mutation struct {
	e   *entity
	op  string // the call, as named in the API
	key Item
	// plan returns the writes, the one of the item itself first. Stored is the
	// item, empty where there is none and nil while it has not been read; a
	// plan that has to know it returns no error and needsItem.
	plan func(stored Item) (writes []*write, needsItem bool, err error)
	// guards are the attributes that must not have changed since stored was
	// read.
	guards []string
}

// mutate carries a mutation out, again where attributes that it was planned on
// were changed between read and write.
func (db *DB) mutate(ctx context.Context, m *mutation) (Item, error) {
	writes, stored, err := db.planRead(ctx, m)
	if err != nil {
		return nil, err
	}
	return db.carryOut(ctx, m, writes, stored)
}

// mutateStored is mutate for an item that was just read as a whole.
func (db *DB) mutateStored(ctx context.Context, m *mutation, stored Item) error {
	writes, _, err := m.plan(stored)
	if err != nil {
		return err
	}
	_, err = db.carryOut(ctx, m, writes, stored)
	return err
}

func (db *DB) carryOut(ctx context.Context, m *mutation, writes []*write, stored Item) (_ Item, err error) {
	for range maxRaces {
		if len(writes) == 0 {
			return nil, nil
		}
		after, err := db.commit(ctx, writes...)
		if err == nil {
			return after, nil
		}
		ce := itemCondition(err)
		if ce == nil || stored == nil || sameAttrs(m.guards, stored, ce.Item) {
			return nil, impliedError(err)
		}
		stored = orEmpty(ce.Item)
		if writes, _, err = m.plan(stored); err != nil {
			return nil, err
		}
	}
	return nil, faultf(ErrConflict, "gave up after %d attempts: other writers keep changing what the write depends on", maxRaces)
}

// planned returns the writes of a mutation for a transaction.
func (db *DB) planned(ctx context.Context, m *mutation) ([]*write, error) {
	writes, _, err := db.planRead(ctx, m)
	return writes, err
}

// planRead plans a mutation, reading the item where the plan needs it.
func (db *DB) planRead(ctx context.Context, m *mutation) (writes []*write, stored Item, err error) {
	writes, needsItem, err := m.plan(nil)
	if err != nil || !needsItem {
		return writes, nil, err
	}
	stored, err = db.get(ctx, m.e, m.op, m.key, true)
	if err != nil && !errors.Is(err, ErrNotFound) {
		return nil, nil, err
	}
	stored = orEmpty(stored)
	writes, _, err = m.plan(stored)
	return writes, stored, err
}

func orEmpty(item Item) Item {
	if item == nil {
		return Item{}
	}
	return item
}

// itemCondition returns the failed condition of the item itself, the first of
// the writes, or nil.
func itemCondition(err error) *ConditionError {
	if te, ok := errors.AsType[*TxError](err); ok {
		if len(te.Reasons) == 0 || te.Reasons[0].Action != 0 {
			return nil
		}
		err = te.Reasons[0].Err
	}
	if ce, ok := errors.AsType[*ConditionError](err); ok {
		return ce
	}
	if f, ok := errors.AsType[*fault](err); ok && f.kind == ErrNotFound {
		return &ConditionError{Reason: f}
	}
	return nil
}

// impliedError is the error of a transaction that the caller did not ask for:
// the first reason stands for it.
func impliedError(err error) error {
	te, ok := errors.AsType[*TxError](err)
	if !ok || len(te.Reasons) == 0 {
		return err
	}
	if ce, ok := te.Reasons[0].Err.(*ConditionError); ok {
		return &ConditionError{Reason: ce.Reason, Item: ce.Item, Err: te.Err}
	}
	return te.Reasons[0].Err
}

// conditionReason says why a condition failed, from the item it met.
func conditionReason(err error, reason func(Item) error) error {
	ce, ok := errors.AsType[*ConditionError](err)
	if !ok || reason == nil {
		return err
	}
	why := reason(ce.Item)
	if why == ErrNotFound {
		return &fault{kind: ErrNotFound, text: ErrNotFound.Error(), err: ce.Err}
	}
	return &ConditionError{Reason: why, Item: ce.Item, Err: ce.Err}
}

// missingOr is the reason of a condition that fails without an item because
// there is none, and with one because of other.
func missingOr(other error) func(Item) error {
	return func(item Item) error {
		if len(item) == 0 {
			return ErrNotFound
		}
		return other
	}
}

// sameAttrs reports whether two versions of an item agree in attributes.
func sameAttrs(attrs []string, a, b Item) bool {
	if (len(a) == 0) != (len(b) == 0) {
		return false
	}
	for _, attr := range attrs {
		av, inA := a[attr]
		bv, inB := b[attr]
		if inA != inB || inA && !codec.Equal(av, bv) {
			return false
		}
	}
	return true
}

// guardText is the condition that an attribute is as it was stored.
func guardText(b *expr.Builder, stored Item, attr string) string {
	if av, ok := stored[attr]; ok {
		return b.Name(attr) + " = " + b.Value(av)
	}
	return "attribute_not_exists(" + b.Name(attr) + ")"
}

// planCreate plans [Model.Create].
func (db *DB) planCreate(e *entity, v unsafe.Pointer) ([]*write, error) {
	now := db.cfg.Clock()
	if err := db.stamp(e, v, now); err != nil {
		return nil, err
	}
	if err := e.setVersion(v, 1); err != nil {
		return nil, err
	}
	item, err := e.encode(v, now, true)
	if err != nil {
		return nil, err
	}
	var b expr.Builder
	w := &write{kind: OpPutItem, name: "Create", e: e, item: item, cond: "attribute_not_exists(" + b.Name(e.pk.attr) + ")",
		names: b.Names(), reason: func(Item) error { return ErrExists }}
	claims, err := e.claimWrites("Create", item, nil, item)
	return append([]*write{w}, claims...), err
}

// planPut plans [Model.Put].
func (db *DB) planPut(e *entity, v unsafe.Pointer) (*mutation, error) {
	now := db.cfg.Clock()
	if err := db.stamp(e, v, now); err != nil {
		return nil, err
	}
	version, versioned := e.versionOf(v)
	if err := e.setVersion(v, version+1); err != nil {
		return nil, err
	}
	item, err := e.encode(v, now, true)
	if err != nil {
		return nil, err
	}
	m := &mutation{e: e, op: "Put", key: e.keyIn(item), guards: e.uniqueAttrs()}
	m.plan = func(stored Item) ([]*write, bool, error) {
		if len(e.uniques) > 0 && stored == nil {
			return nil, true, nil
		}
		var (
			b     expr.Builder
			conds []string
		)
		if versioned {
			cond := e.versionCondition(&b, version)
			if version != 0 {
				cond = "attribute_not_exists(" + b.Name(e.pk.attr) + ") OR " + cond
			}
			conds = append(conds, cond)
		}
		switch {
		case stored == nil:
		case len(stored) == 0:
			conds = append(conds, "attribute_not_exists("+b.Name(e.pk.attr)+")")
		default:
			for _, attr := range m.guards {
				conds = append(conds, guardText(&b, stored, attr))
			}
		}
		w := &write{kind: OpPutItem, name: "Put", e: e, item: item, cond: expr.And(conds...), names: b.Names(), values: b.Values(),
			reason: func(Item) error { return ErrStaleVersion }}
		claims, err := e.claimWrites("Put", item, stored, item)
		return append([]*write{w}, claims...), false, err
	}
	return m, nil
}

// planSave plans [Model.Save].
func (db *DB) planSave(e *entity, v unsafe.Pointer) (*mutation, error) {
	now := db.cfg.Clock()
	if err := e.touch(v, now); err != nil {
		return nil, err
	}
	item, err := e.encode(v, now, false)
	if err != nil {
		return nil, err
	}
	version, versioned := e.versionOf(v)
	if err := e.setVersion(v, version+1); err != nil {
		return nil, err
	}
	m := &mutation{e: e, op: "Save", key: e.keyIn(item), guards: e.uniqueAttrs()}
	m.plan = func(stored Item) ([]*write, bool, error) {
		switch {
		case len(e.uniques) > 0 && stored == nil:
			return nil, true, nil
		case stored != nil && len(stored) == 0:
			return nil, false, ErrNotFound
		}
		up := e.saveUpdate(item)
		if versioned {
			up.conds = append(up.conds, e.versionCondition(&up.b, version))
			up.setAttr(e.versionAttr, numberValue(version+1))
		} else if e.versionAttr != "" {
			up.u.Add(up.b.Name(e.versionAttr), up.b.Value(numberValue(1)))
		}
		if stored != nil {
			for _, attr := range m.guards {
				up.conds = append(up.conds, guardText(&up.b, stored, attr))
			}
		}
		after := item
		if e.deleted == nil && e.trashed(stored) {
			after = nil // it stays deleted, and holds no claims
		}
		claims, err := e.claimWrites("Save", m.key, stored, after)
		return append([]*write{up.write("Save", missingOr(ErrStaleVersion))}, claims...), false, err
	}
	return m, nil
}

// planUpdate plans [Model.Update].
func (db *DB) planUpdate(e *entity, key any, changes []Change) (*mutation, error) {
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
	c := &changeSetPlan{e: e, key: k, known: known, actions: actions, conds: conds, now: now}
	touched := make([]string, len(actions))
	for i := range actions {
		touched[i] = actions[i].attr()
	}
	c.demands = e.touchedDemands(touched)
	m := &mutation{e: e, op: "Update", key: k}
	for _, d := range c.demands {
		m.guards = append(m.guards, d.inputs()...)
	}
	if unique := e.uniqueAttrs(); slices.ContainsFunc(unique, func(attr string) bool { return slices.Contains(touched, attr) }) {
		c.unique = true
		m.guards = append(m.guards, unique...)
	}
	slices.Sort(m.guards)
	m.guards = slices.Compact(m.guards)
	c.guards = m.guards
	m.plan = c.plan
	return m, nil
}

// changeSetPlan is the plan of an update by changes.
type changeSetPlan struct {
	e       *entity
	key     Item
	known   Item // the attributes that the key gives
	actions []action
	conds   []Predicate
	now     time.Time
	demands []*demand // the index entries that the actions touch
	unique  bool      // they touch unique values
	guards  []string
}

func (c *changeSetPlan) plan(stored Item) ([]*write, bool, error) {
	if stored != nil && len(stored) == 0 {
		return nil, false, ErrNotFound
	}
	if c.unique && stored == nil {
		return nil, true, nil
	}
	e := c.e
	up := &update{e: e, key: c.key}
	up.mustExist()
	after := maps.Clone(stored)
	if after == nil {
		after = maps.Clone(c.known)
	}
	settled := map[string]bool{} // attributes that end as they do whatever is stored
	for attr := range c.known {
		settled[attr] = true
	}
	for i := range c.actions {
		a := &c.actions[i]
		a.render(&up.b, &up.u)
		if len(c.guards) == 0 {
			continue
		}
		if err := a.after(after, stored != nil); err != nil {
			return nil, false, err
		}
		settled[a.attr()] = a.whole() && (a.op == changeSet || a.op == changeRemove)
	}
	if e.updatedAttr != "" && e.updated == nil {
		up.setAttr(e.updatedAttr, stringValue(c.now.UTC().Format(timestampLayout)))
	}
	if e.versionAttr != "" && e.version == nil {
		up.u.Add(up.b.Name(e.versionAttr), up.b.Value(numberValue(1)))
	}
	for _, attr := range c.guards {
		if settled[attr] && !c.unique {
			continue
		}
		if stored == nil {
			return nil, true, nil
		}
		up.conds = append(up.conds, guardText(&up.b, stored, attr))
	}
	if err := up.setEntries(c.demands, after); err != nil {
		return nil, false, err
	}
	met, err := renderEach(e, c.conds, &up.b)
	if err != nil {
		return nil, false, err
	}
	up.conds = append(up.conds, met...)
	w := up.write("Update", missingOr(ErrConditionFailed))
	w.returnNew = true
	if !c.unique {
		return []*write{w}, false, nil
	}
	claims, err := e.claimWrites("Update", c.key, stored, after)
	return append([]*write{w}, claims...), false, err
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

// planDelete plans [Model.Delete].
func (db *DB) planDelete(e *entity, key any, still ...Predicate) (*mutation, error) {
	if e.deletedAttr != "" {
		return db.planTrash(e, "Delete", key, true, still)
	}
	return db.planForceDelete(e, "Delete", key, still...)
}

// planForceDelete plans a deletion for good, of an item that still meets the
// predicates.
func (db *DB) planForceDelete(e *entity, op string, key any, still ...Predicate) (*mutation, error) {
	k, _, err := e.keyArg(key)
	if err != nil {
		return nil, err
	}
	version, versioned := e.versionOf(e.structArg(key))
	m := &mutation{e: e, op: op, key: k, guards: e.uniqueAttrs()}
	m.plan = func(stored Item) ([]*write, bool, error) {
		switch {
		case len(e.uniques) > 0 && stored == nil:
			return nil, true, nil
		case stored != nil && len(stored) == 0:
			return nil, false, nil // nothing to delete
		}
		var (
			b     expr.Builder
			conds []string
		)
		if versioned && version != 0 {
			conds = append(conds, "attribute_not_exists("+b.Name(e.pk.attr)+") OR "+e.versionCondition(&b, version))
		}
		if stored != nil {
			for _, attr := range m.guards {
				conds = append(conds, guardText(&b, stored, attr))
			}
		}
		met, err := renderEach(e, still, &b)
		if err != nil {
			return nil, false, err
		}
		conds = append(conds, met...)
		w := &write{kind: OpDeleteItem, name: op, e: e, key: k, cond: expr.And(conds...), names: b.Names(), values: b.Values(),
			reason: func(Item) error { return ErrStaleVersion }}
		claims, err := e.claimWrites(op, k, stored, nil)
		return append([]*write{w}, claims...), false, err
	}
	return m, nil
}
