package dynorm

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"unsafe"
)

// HookEvent is a moment in the life of an item at which hooks run.
type HookEvent int

// The events. BeforeSave and AfterSave go around every write of a value: Create,
// Put, Save, Update and Edit, with those of creation or update within them.
// Delete, ForceDelete and a soft deletion have those of deletion. AfterFind runs
// on every value that a read returns.
const (
	BeforeSave HookEvent = iota
	BeforeCreate
	BeforeUpdate
	BeforeDelete
	BeforeRestore
	AfterCreate
	AfterUpdate
	AfterSave
	AfterDelete
	AfterRestore
	AfterFind
	hookEvents
)

var hookNames = [hookEvents]string{
	"BeforeSave", "BeforeCreate", "BeforeUpdate", "BeforeDelete", "BeforeRestore",
	"AfterCreate", "AfterUpdate", "AfterSave", "AfterDelete", "AfterRestore",
	"AfterFind",
}

// String returns the event's name, which is that of the method too.
func (ev HookEvent) String() string {
	if ev < 0 || ev >= hookEvents {
		return fmt.Sprintf("HookEvent(%d)", int(ev))
	}
	return hookNames[ev]
}

// Hook is a function that runs at an event of one entity's items, or of all.
// Make one with [On] or [OnAny] and give it to [Config.Hooks].
//
// An entity's own hooks are methods of its pointer with the name of the event:
//
//	func (u *User) BeforeSave(ctx context.Context) error { u.Email = strings.ToLower(u.Email); return nil }
//
// Hooks run on every path: single writes, transactions, batches and writes over
// a query. The method goes first, then registered hooks in their order. Hooks
// before a write may change the value, and an error refuses the write; they run
// again where the write is planned anew after a race. Hooks after it run once it
// is written, and in a transaction once all of it is; their error is reported
// with Written set, and those after it do not run.
//
// AfterFind runs on what Find, Get, FindBy, FindMany, TransactGet, FirstOrCreate,
// Collection and queries return, on each value before the caller has it, and its error is
// that of the call. After a Select the value has the fields selected alone. What
// a write reads on its way is not found: Update, Edit and Move work on what is
// stored, not on what hooks make of it.
//
// A write that is given no value, by changes or by a key, reads the item first
// where an entity has hooks for it.
type Hook struct {
	event HookEvent
	typ   reflect.Type // nil for every entity
	fn    func(ctx context.Context, v any) error
}

// On returns a hook on the items of T.
func On[T any](event HookEvent, fn func(ctx context.Context, v *T) error) Hook {
	h := Hook{event: event, typ: reflect.TypeFor[T]()}
	if fn != nil {
		h.fn = func(ctx context.Context, v any) error { return fn(ctx, v.(*T)) }
	}
	return h
}

// OnAny returns a hook on the items of every entity: v is a pointer to the
// entity's struct. A validator of all that is written is an OnAny of BeforeSave.
func OnAny(event HookEvent, fn func(ctx context.Context, v any) error) Hook {
	return Hook{event: event, fn: fn}
}

// HookError is the error of a hook.
type HookError struct {
	Event HookEvent
	// Written says that the write was done: the hook ran after it.
	Written bool
	// Err is the hook's own error.
	Err error
}

func (e *HookError) Error() string { return e.Event.String() + ": " + e.Err.Error() }

// Unwrap returns the hook's own error.
func (e *HookError) Unwrap() error { return e.Err }

func (e *HookError) carries() {}

// written reports whether an error is that of a hook after a write that was
// done.
func written(err error) bool {
	he, ok := errors.AsType[*HookError](err)
	return ok && he.Written
}

// hookMethods are the methods that an entity's own hooks are. They are not looked
// up by name: a program that looks up methods by name keeps every exported
// method of every type it knows, those of all the SDK's operations among them.
var hookMethods = [hookEvents]reflect.Type{
	BeforeSave:    reflect.TypeFor[interface{ BeforeSave(context.Context) error }](),
	BeforeCreate:  reflect.TypeFor[interface{ BeforeCreate(context.Context) error }](),
	BeforeUpdate:  reflect.TypeFor[interface{ BeforeUpdate(context.Context) error }](),
	BeforeDelete:  reflect.TypeFor[interface{ BeforeDelete(context.Context) error }](),
	BeforeRestore: reflect.TypeFor[interface{ BeforeRestore(context.Context) error }](),
	AfterCreate:   reflect.TypeFor[interface{ AfterCreate(context.Context) error }](),
	AfterUpdate:   reflect.TypeFor[interface{ AfterUpdate(context.Context) error }](),
	AfterSave:     reflect.TypeFor[interface{ AfterSave(context.Context) error }](),
	AfterDelete:   reflect.TypeFor[interface{ AfterDelete(context.Context) error }](),
	AfterRestore:  reflect.TypeFor[interface{ AfterRestore(context.Context) error }](),
	AfterFind:     reflect.TypeFor[interface{ AfterFind(context.Context) error }](),
}

// methodHooks finds the hooks among the methods of the entity's struct, once.
func (e *entity) methodHooks() (has [hookEvents]bool) {
	t := reflect.PointerTo(e.typ)
	for ev, method := range hookMethods {
		has[ev] = t.Implements(method)
	}
	return has
}

// callMethod calls the method hook of an event.
func callMethod(ctx context.Context, ev HookEvent, v any) error {
	switch ev {
	case BeforeSave:
		return v.(interface{ BeforeSave(context.Context) error }).BeforeSave(ctx)
	case BeforeCreate:
		return v.(interface{ BeforeCreate(context.Context) error }).BeforeCreate(ctx)
	case BeforeUpdate:
		return v.(interface{ BeforeUpdate(context.Context) error }).BeforeUpdate(ctx)
	case BeforeDelete:
		return v.(interface{ BeforeDelete(context.Context) error }).BeforeDelete(ctx)
	case BeforeRestore:
		return v.(interface{ BeforeRestore(context.Context) error }).BeforeRestore(ctx)
	case AfterCreate:
		return v.(interface{ AfterCreate(context.Context) error }).AfterCreate(ctx)
	case AfterUpdate:
		return v.(interface{ AfterUpdate(context.Context) error }).AfterUpdate(ctx)
	case AfterSave:
		return v.(interface{ AfterSave(context.Context) error }).AfterSave(ctx)
	case AfterDelete:
		return v.(interface{ AfterDelete(context.Context) error }).AfterDelete(ctx)
	case AfterRestore:
		return v.(interface{ AfterRestore(context.Context) error }).AfterRestore(ctx)
	default:
		return v.(interface{ AfterFind(context.Context) error }).AfterFind(ctx)
	}
}

// hooked reports whether an entity has hooks for any of the events.
func (db *DB) hooked(e *entity, events ...HookEvent) bool {
	for _, ev := range events {
		if e.hooks[ev] {
			return true
		}
		for i := range db.cfg.Hooks {
			if h := &db.cfg.Hooks[i]; h.event == ev && (h.typ == nil || h.typ == e.typ) {
				return true
			}
		}
	}
	return false
}

// runHooks runs the hooks of events on the struct at v, in order.
func (db *DB) runHooks(ctx context.Context, e *entity, v unsafe.Pointer, events ...HookEvent) error {
	for _, ev := range events {
		if !db.hooked(e, ev) {
			continue
		}
		value := reflect.NewAt(e.typ, v).Interface()
		fail := func(err error) error {
			return &HookError{Event: ev, Written: ev >= AfterCreate && ev != AfterFind, Err: err}
		}
		if e.hooks[ev] {
			if err := callMethod(ctx, ev, value); err != nil {
				return fail(err)
			}
		}
		for i := range db.cfg.Hooks {
			h := &db.cfg.Hooks[i]
			if h.event != ev || h.typ != nil && h.typ != e.typ {
				continue
			}
			if err := h.fn(ctx, value); err != nil {
				return fail(err)
			}
		}
	}
	return nil
}

// afterFind returns what runs on the struct of each value that a read returns,
// nil where the entity has no such hooks.
func (db *DB) afterFind(ctx context.Context, e *entity) func(v unsafe.Pointer) error {
	if !db.hooked(e, AfterFind) {
		return nil
	}
	return func(v unsafe.Pointer) error { return db.runHooks(ctx, e, v, AfterFind) }
}

// hookAfter lets the mutation of the value at v run hooks once it is written.
func (db *DB) hookAfter(ctx context.Context, m *mutation, v unsafe.Pointer, events ...HookEvent) {
	if db.hooked(m.e, events...) {
		m.done = func(Item) error { return db.runHooks(ctx, m.e, v, events...) }
	}
}

// putHooks are the hooks after a Put.
var putHooks = []HookEvent{AfterSave}

// hookStored lets a mutation that is given no value run hooks on the item as it
// is stored, which is read for that.
func (db *DB) hookStored(ctx context.Context, m *mutation, before, after HookEvent) {
	if !db.hooked(m.e, before, after) {
		return
	}
	inner := m.plan
	var v unsafe.Pointer
	m.plan = planFunc(func(stored Item) ([]*write, bool, error) {
		if stored == nil {
			return nil, true, nil
		}
		writes, needsItem, err := inner.on(stored)
		if err != nil || len(writes) == 0 {
			return writes, needsItem, err
		}
		v = reflect.New(m.e.typ).UnsafePointer()
		if err := m.e.decode(stored, v); err != nil {
			return nil, false, err
		}
		return writes, false, db.runHooks(ctx, m.e, v, before)
	})
	m.done = func(Item) error { return db.runHooks(ctx, m.e, v, after) }
}

// updateHooks are the hooks of a write of an item that exists.
var updateHooks = []HookEvent{BeforeSave, BeforeUpdate, AfterUpdate, AfterSave}

// hookAfterUpdate lets a mutation run hooks on the item as it leaves it.
func (db *DB) hookAfterUpdate(ctx context.Context, m *mutation) {
	if !db.hooked(m.e, AfterUpdate, AfterSave) {
		return
	}
	m.done = func(after Item) error {
		v := reflect.New(m.e.typ).UnsafePointer()
		if err := m.e.decode(after, v); err != nil {
			return err
		}
		return db.runHooks(ctx, m.e, v, AfterUpdate, AfterSave)
	}
}

// hookUpdate lets an update by changes run hooks on the item with the changes
// applied. What they change is written too.
func (db *DB) hookUpdate(ctx context.Context, m *mutation, c *changePlan, actions []action) {
	if !db.hooked(c.e, updateHooks...) {
		return
	}
	m.plan = planFunc(func(stored Item) ([]*write, bool, error) {
		switch {
		case stored == nil && c.noRead:
			return nil, false, faultf(ErrNeedsFields, "%s has hooks on updates, which need the item", c.e.def.Name)
		case stored == nil:
			return nil, true, nil
		case len(stored) == 0:
			return nil, false, ErrNotFound
		}
		plan := *c
		all, changed, err := db.hookChanges(ctx, c, stored, actions)
		if err != nil {
			return nil, false, err
		}
		if err := plan.act(all); err != nil {
			return nil, false, err
		}
		if len(changed) > 0 {
			// The hooks saw the item as it was read.
			plan.strict = true
			if c.e.versionAttr != "" {
				changed = []string{c.e.versionAttr}
			}
			plan.guards = sortedSet(append(plan.guards, changed...))
		}
		m.guards = plan.guards
		return plan.on(stored)
	})
	db.hookAfterUpdate(ctx, m)
}

// hookChanges returns the actions with what the hooks change in the item that
// they leave, and the attributes that the hooks changed.
func (db *DB) hookChanges(ctx context.Context, c *changePlan, stored Item, actions []action) (all []action, changed []string, err error) {
	after := make(Item, len(stored))
	for attr, av := range stored {
		after[attr] = av
	}
	if err := applyAll(actions, stored, after, true); err != nil {
		return nil, nil, err
	}
	v := reflect.New(c.e.typ).UnsafePointer()
	if err := c.e.decode(after, v); err != nil {
		return nil, nil, err
	}
	extra, err := c.e.differences(c.key, v, func(v unsafe.Pointer) error { return db.runHooks(ctx, c.e, v, BeforeSave, BeforeUpdate) })
	if err != nil {
		return nil, nil, err
	}
	set := map[string]bool{}
	for i := range extra {
		set[extra[i].attr()] = true
		changed = append(changed, extra[i].attr())
	}
	for i := range actions {
		if !set[actions[i].attr()] {
			all = append(all, actions[i])
		}
	}
	return append(all, extra...), changed, nil
}
