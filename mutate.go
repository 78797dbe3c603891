package dynorm

import (
	"context"
	"errors"
	"maps"
	"slices"
	"unsafe"

	"github.com/dynorm/dynorm/internal/codec"
	"github.com/dynorm/dynorm/internal/expr"
)

// maxRaces bounds how often a write starts again because attributes that it
// was planned on were changed meanwhile, or because a transaction was under way
// on its items.
const maxRaces = 40

// mutation is a write of one item that may have to know the item as it stands.
type mutation struct {
	e   *entity
	op  string // the call, as named in the API
	key Item   // nil for that of texts
	// texts are the key of a value that is put as it is.
	texts keyTexts
	plan  itemPlan
	// guards are the attributes that must not have changed since stored was
	// read.
	guards []string
	// done runs once the mutation is written, with the item as it then stands
	// where that is known. Nil for nothing to do.
	done func(after Item) error
	// read reads the item that an update returns, nil for [readRaw].
	read rowReader
	// unit is the mutation once planned.
	unit unit
}

// itemPlan plans the writes of a mutation.
type itemPlan interface {
	// on returns the writes, the one of the item itself first. Stored is the
	// item, empty where there is none and nil while it has not been read; a
	// plan that has to know it returns no error and needsItem.
	on(stored Item) (writes []*write, needsItem bool, err error)
}

type planFunc func(stored Item) (writes []*write, needsItem bool, err error)

func (f planFunc) on(stored Item) ([]*write, bool, error) { return f(stored) }

// keyItem is the key of the item.
func (m *mutation) keyItem() Item {
	if m.key == nil {
		m.key = m.e.keyItem(m.texts)
	}
	return m.key
}

// id identifies the item within the process.
func (m *mutation) id() string {
	if m.key == nil {
		return m.texts.id
	}
	return m.e.keyID(m.key)
}

// unit is a mutation planned: the writes that belong together, the one of the
// item itself first.
type unit struct {
	m      *mutation
	stored Item // what it was planned on, nil when it was not read
	writes []*write
	// undo sets the value that the unit was made of back. Nil for nothing to do.
	undo func()
}

func (u *unit) revert() {
	if u.undo != nil {
		u.undo()
	}
}

// mutate carries a mutation out and returns the item as it stands afterwards,
// where that is known.
func (db *DB) mutate(ctx context.Context, m *mutation) (row, error) {
	u, err := db.planned(ctx, m)
	if err != nil {
		return row{}, err
	}
	return db.carryOutOne(ctx, u)
}

// mutateStored is mutate for an item that was just read as a whole.
func (db *DB) mutateStored(ctx context.Context, m *mutation, stored Item) error {
	writes, _, err := m.plan.on(stored)
	if err != nil {
		return err
	}
	_, err = db.carryOutOne(ctx, &unit{m: m, stored: stored, writes: writes})
	return err
}

func (db *DB) carryOutOne(ctx context.Context, u *unit) (row, error) {
	after, err := db.carryOut(ctx, []*unit{u}, txOptions{read: u.m.read})
	return after, impliedError(err)
}

// planned plans a mutation, reading the item where the plan needs it.
func (db *DB) planned(ctx context.Context, m *mutation) (*unit, error) {
	u := &m.unit
	*u = unit{m: m}
	var (
		needsItem bool
		err       error
	)
	if u.writes, needsItem, err = m.plan.on(nil); err != nil || !needsItem {
		return u, err
	}
	stored, err := db.get(ctx, m.e, m.op, m.keyItem(), true)
	if err != nil && !errors.Is(err, ErrNotFound) {
		return nil, err
	}
	u.stored = orEmpty(stored)
	u.writes, _, err = m.plan.on(u.stored)
	return u, err
}

// carryOut sends the writes of units, all or none. Units whose items were
// changed since they were planned are planned anew on what is there now, and
// conflicts with other transactions are sent again after a pause. Then what the
// mutations have to do afterwards is done. It returns the first unit's item as it
// then stands, where that is known.
func (db *DB) carryOut(ctx context.Context, units []*unit, tx txOptions) (row, error) {
	first, err := db.sendUnits(ctx, units, tx)
	if err != nil {
		return row{}, err
	}
	for i, u := range units {
		if u.m.done == nil || len(u.writes) == 0 {
			continue
		}
		after := content{item: u.writes[0].after}
		if i == 0 {
			after = first.content
		}
		item, err := after.whole()
		if err == nil {
			err = u.m.done(item)
		}
		if err != nil {
			return row{}, opError(u.m.op, u.m.e, err)
		}
	}
	return first, nil
}

// sendUnits is carryOut up to the point where the units are written.
func (db *DB) sendUnits(ctx context.Context, units []*unit, tx txOptions) (row, error) {
	given, races, losses := tx.token != "", 0, 0
	var lost *bool // whether an attempt to send the writes ended without an answer
	for attempt := 0; ; attempt++ {
		writes := actionsOf(units)
		if len(writes) == 0 {
			return row{}, nil
		}
		if tx.token == "" && (tx.always || len(writes) > 1) {
			var err error
			if tx.token, err = db.cfg.IDs.UUID(); err != nil {
				return row{}, err
			}
		}
		if lost == nil && len(writes) == 1 && !tx.always && writes[0].landed != nil {
			ctx, lost = watchLosses(ctx)
		}
		after, err := db.commit(ctx, writes, tx, lost)
		if err == nil {
			if after.empty() && len(units[0].writes) > 0 {
				after.item = units[0].writes[0].after
			}
			return after, nil
		}
		again, anew, planErr := settle(units, err)
		switch {
		case planErr != nil:
			return row{}, planErr
		case !again && tx.apart && passing(err, &losses):
			// The token, or what the write meets, keeps it from being written twice.
		case !again:
			if freed, freeErr := db.freeExpired(ctx, units, err); freeErr != nil || !freed || attempt >= maxRaces {
				return row{}, err
			}
			continue
		case anew && given:
			return row{}, faultf(ErrConflict, "an item changed after the transaction was built, and the given token allows no other request: build it anew")
		case races == maxRaces && anew:
			return row{}, faultf(ErrConflict, "gave up after %d attempts: other writers keep changing what the write depends on", maxRaces)
		case !anew && tx.apart && len(units) > 1, !anew && !tx.apart && attempt-races >= maxRaces:
			return row{}, err
		default:
			losses = 0
		}
		if anew {
			tx.token = "" // another request
			if lost != nil {
				*lost = false
			}
			races++
		}
		pause := min(attempt+1, 5)
		if anew {
			pause = min(races-1, 3) // the first race lost costs none
		}
		if err := backoff(ctx, pause); err != nil {
			return row{}, err
		}
	}
}

func actionsOf(units []*unit) []*write {
	if len(units) == 1 {
		return units[0].writes
	}
	writes := make([]*write, 0, len(units))
	for _, u := range units {
		writes = append(writes, u.writes...)
	}
	return writes
}

// settle looks at why the request of units failed: whether sending it again may
// help, and whether it is another one because units that lost a race were
// planned anew.
func settle(units []*unit, err error) (again, anew bool, _ error) {
	reasons := failures(err)
	if len(reasons) == 0 {
		return false, false, nil
	}
	offset := 0
	for _, u := range units {
		end := offset + len(u.writes)
		settled := false // whatever else the unit's writes met
		for _, r := range reasons {
			if r.Action < offset || r.Action >= end {
				continue
			}
			passing := errors.Is(r.Err, ErrThrottled) || errors.Is(r.Err, ErrConflict) && !errors.Is(r.Err, ErrConditionFailed)
			switch {
			case r.Action == offset && passing:
				again, settled = true, true
			case r.Action == offset:
				raced, err := u.replan(r.Err)
				if err != nil || !raced {
					return false, false, err
				}
				again, anew, settled = true, true, true
			case passing:
				again = true
			case !settled:
				return false, false, nil
			}
		}
		offset = end
	}
	return again, anew, nil
}

// replan plans the unit anew where what it was planned on has changed, and
// reports whether it has.
func (u *unit) replan(err error) (bool, error) {
	var item Item
	if ce, ok := errors.AsType[*ConditionError](err); ok {
		item = ce.whole()
	} else if !errors.Is(err, ErrNotFound) {
		return false, nil
	}
	if u.stored == nil || sameAttrs(u.m.guards, u.stored, item) {
		return false, nil
	}
	writes, _, err := u.m.plan.on(orEmpty(item))
	if err != nil {
		return false, opError(u.m.op, u.m.e, err)
	}
	u.stored, u.writes = orEmpty(item), writes
	return true, nil
}

// failures returns the reasons why a request failed, by action. What failed as
// a whole has none.
func failures(err error) []TxReason {
	if te, ok := errors.AsType[*TxError](err); ok {
		return te.Reasons
	}
	if _, ok := errors.AsType[*ConditionError](err); ok || errors.Is(err, ErrConflict) || errors.Is(err, ErrNotFound) {
		return []TxReason{{Err: err}}
	}
	return nil
}

func orEmpty(item Item) Item {
	if item == nil {
		return Item{}
	}
	return item
}

// impliedError is the error of a transaction that the caller did not ask for:
// the first reason that is more than a conflict stands for it.
func impliedError(err error) error {
	te, ok := errors.AsType[*TxError](err)
	if !ok || len(te.Reasons) == 0 {
		return err
	}
	why := te.Reasons[0].Err
	for _, r := range te.Reasons {
		if errors.Is(r.Err, ErrConditionFailed) || errors.Is(r.Err, ErrNotFound) {
			why = r.Err
			break
		}
	}
	if ce, ok := errors.AsType[*ConditionError](why); ok {
		return conditionError(ce.Reason, ce.whole(), te.Err)
	}
	return &fault{kind: why, text: why.Error(), err: te.Err}
}

// conditionReason says why a condition failed, from the item it met.
func conditionReason(err error, reason func(Item) error) error {
	ce, ok := errors.AsType[*ConditionError](err)
	if !ok || reason == nil {
		return err
	}
	why := reason(ce.Item)
	if errors.Is(why, ErrNotFound) {
		return &fault{kind: ErrNotFound, text: ErrNotFound.Error(), err: ce.Err}
	}
	return conditionError(why, ce.whole(), ce.Err)
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

// missingOrFailed is the reason of what a user's condition guards.
var missingOrFailed = missingOr(ErrConditionFailed)

// sameAs reports whether a stored item is the one put.
func (c *content) sameAs(stored Item) bool {
	item, err := c.whole()
	if err != nil {
		return false
	}
	sealed := 0
	for attr := range stored {
		if isSealed(attr) {
			sealed++
		}
	}
	return len(stored)-sealed == len(item) && sameAttrs(slices.Collect(maps.Keys(item)), item, stored)
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
		// One value can be encrypted in many ways.
		as, bs := a[sealedMark+attr], b[sealedMark+attr]
		if as != nil && bs != nil && !codec.Equal(as, bs) {
			return false
		}
	}
	return true
}

// guardText is the condition that an attribute is as it was stored.
func guardText(b *expr.Builder, stored Item, attr string) string {
	if av, ok := stored[sealedMark+attr]; ok {
		return b.Name(sealedMark+attr) + " = " + b.Value(av)
	}
	if av, ok := stored[attr]; ok {
		return b.Name(attr) + " = " + b.Value(av)
	}
	return "attribute_not_exists(" + b.Name(attr) + ")"
}

// planCreate plans [Model.Create].
func (db *DB) planCreate(ctx context.Context, e *entity, v unsafe.Pointer) (*mutation, error) {
	if err := db.runHooks(ctx, e, v, BeforeSave, BeforeCreate); err != nil {
		return nil, err
	}
	now := db.cfg.Clock()
	if err := db.stamp(e, v, now); err != nil {
		return nil, err
	}
	if err := e.setVersion(v, 1); err != nil {
		return nil, err
	}
	item, key, err := db.newRow(ctx, e, "Create", v, now, &arena{})
	if err != nil {
		return nil, err
	}
	p := newPutPlan(e, "Create", item, key)
	p.mutation.plan = (*createPlan)(p)
	db.hookAfter(ctx, &p.mutation, v, AfterCreate, AfterSave)
	return &p.mutation, nil
}

// putPlan is the plan of an item that is put as it is, in one object: the
// mutation and its write.
type putPlan struct {
	mutation mutation
	put      write
	list     [1]*write
	// version is what the item's was before, where versioned.
	version   int64
	versioned bool
}

func newPutPlan(e *entity, op string, item content, key keyTexts) *putPlan {
	p := &putPlan{mutation: mutation{e: e, op: op, texts: key}}
	p.put = write{kind: OpPutItem, name: op, e: e, texts: key, item: item}
	return p
}

// write returns the write, without a condition. One that was planned before is
// over.
func (p *putPlan) write() *write {
	w := &p.put
	w.cond, w.names, w.values, w.landed = "", nil, nil, nil
	return w
}

// createPlan plans [Model.Create].
type createPlan putPlan

func (p *createPlan) on(Item) ([]*write, bool, error) {
	var b expr.Builder
	w, e := (*putPlan)(p).write(), p.mutation.e
	w.cond = "attribute_not_exists(" + b.Name(e.pk.attr) + ")"
	w.names, w.reason = b.NameList(), alreadyThere
	w.landed = w.item.sameAs
	writes, err := e.withClaims(p.list[:0], w, &p.mutation, nil)
	return writes, false, err
}

func alreadyThere(Item) error { return ErrExists }

// replacePlan plans [Model.Put].
type replacePlan putPlan

func (p *replacePlan) on(stored Item) ([]*write, bool, error) {
	e := p.mutation.e
	if len(e.uniques) > 0 && stored == nil {
		return nil, true, nil
	}
	w := (*putPlan)(p).write()
	w.reason = otherVersion
	if p.versioned || stored != nil {
		var (
			b     expr.Builder
			conds []string
		)
		if p.versioned {
			cond := e.versionCondition(&b, p.version)
			if p.version != 0 {
				cond = "attribute_not_exists(" + b.Name(e.pk.attr) + ") OR " + cond
			}
			conds = append(conds, cond)
		}
		switch {
		case stored == nil:
		case len(stored) == 0:
			conds = append(conds, "attribute_not_exists("+b.Name(e.pk.attr)+")")
		default:
			for _, attr := range p.mutation.guards {
				conds = append(conds, guardText(&b, stored, attr))
			}
		}
		w.cond, w.names, w.values = expr.And(conds...), b.NameList(), b.ValueList()
	}
	if w.cond != "" {
		w.landed = w.item.sameAs
	}
	writes, err := e.withClaims(p.list[:0], w, &p.mutation, stored)
	return writes, false, err
}

func otherVersion(Item) error { return ErrStaleVersion }

// checkNew reports why the struct at v can't be created, for calls that read
// before they write. Where hooks have yet to complete the value it finds
// nothing. It leaves what a creation fills in behind, for the caller to undo.
func (db *DB) checkNew(e *entity, v unsafe.Pointer) error {
	if db.hooked(e, BeforeSave, BeforeCreate) {
		return nil
	}
	now := db.cfg.Clock()
	if err := db.stamp(e, v, now); err != nil {
		return err
	}
	if err := e.setVersion(v, 1); err != nil {
		return err
	}
	_, err := e.encode(v, now, true)
	return err
}

// planPut plans [Model.Put].
func (db *DB) planPut(ctx context.Context, e *entity, v unsafe.Pointer) (*mutation, error) {
	if err := db.runHooks(ctx, e, v, BeforeSave); err != nil {
		return nil, err
	}
	now := db.cfg.Clock()
	if err := db.stamp(e, v, now); err != nil {
		return nil, err
	}
	version, versioned := e.versionOf(v)
	if err := e.setVersion(v, version+1); err != nil {
		return nil, err
	}
	item, key, err := db.newRow(ctx, e, "Put", v, now, &arena{})
	if err != nil {
		return nil, err
	}
	p := newPutPlan(e, "Put", item, key)
	p.version, p.versioned = version, versioned
	p.mutation.plan, p.mutation.guards = (*replacePlan)(p), e.uniqueAttrs()
	db.hookAfter(ctx, &p.mutation, v, putHooks...)
	return &p.mutation, nil
}

// planSave plans [Model.Save].
func (db *DB) planSave(ctx context.Context, e *entity, v unsafe.Pointer) (*mutation, error) {
	if err := db.runHooks(ctx, e, v, BeforeSave, BeforeUpdate); err != nil {
		return nil, err
	}
	now := db.cfg.Clock()
	if err := e.touch(v, now); err != nil {
		return nil, err
	}
	item, err := db.newItem(ctx, e, "Save", v, now, false)
	if err != nil {
		return nil, err
	}
	version, versioned := e.versionOf(v)
	if err := e.setVersion(v, version+1); err != nil {
		return nil, err
	}
	m := &mutation{e: e, op: "Save", key: e.keyIn(item), guards: e.uniqueAttrs()}
	db.hookAfter(ctx, m, v, AfterUpdate, AfterSave)
	m.plan = planFunc(func(stored Item) ([]*write, bool, error) {
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
		}
		if stored != nil {
			for _, attr := range m.guards {
				up.conds = append(up.conds, guardText(&up.b, stored, attr))
			}
		}
		after := item
		if e.deleted == nil && stored != nil && !e.holdsClaims(stored) {
			after = nil // it stays deleted, and holds no claims
		}
		claims, err := e.claimWrites("Save", m.key, stored, after)
		w := up.write("Save", e.saveReason(item, version))
		if versioned {
			w.landed = func(met Item) bool { return sameAttrs(up.touched, up.outcome, met) }
		}
		return append([]*write{w}, claims...), false, err
	})
	return m, nil
}

// planDelete plans [Model.Delete].
func (db *DB) planDelete(ctx context.Context, e *entity, key any, still ...Predicate) (*mutation, error) {
	if e.deletedAttr != "" {
		return db.planTrash(ctx, e, "Delete", key, true, still)
	}
	return db.planForceDelete(ctx, e, "Delete", key, still...)
}

// planForceDelete plans a deletion for good, of an item that still meets the
// predicates.
func (db *DB) planForceDelete(ctx context.Context, e *entity, op string, key any, still ...Predicate) (*mutation, error) {
	k, err := e.keyArg(key)
	if err != nil {
		return nil, err
	}
	version, versioned := e.versionOf(e.structArg(key))
	m := &mutation{e: e, op: op, key: k, guards: e.uniqueAttrs()}
	m.plan = planFunc(func(stored Item) ([]*write, bool, error) {
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
		w := &write{
			kind: OpDeleteItem, name: op, e: e, key: k, cond: expr.And(conds...), names: b.NameList(), values: b.ValueList(),
			reason: otherVersion,
		}
		if w.cond != "" {
			w.landed = func(met Item) bool { return len(met) == 0 }
		}
		claims, err := e.claimWrites(op, k, stored, nil)
		return append([]*write{w}, claims...), false, err
	})
	db.hookStored(ctx, m, BeforeDelete, AfterDelete)
	return m, nil
}
