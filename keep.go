package dynorm

import (
	"reflect"
	"slices"
	"unsafe"

	"github.com/dynorm/dynorm/internal/codec"
)

// keep returns what sets a value back to what it is now, after a write that
// failed. What writes change behind embedded pointers is set back too.
func (e *entity) keep(t maker, v unsafe.Pointer) (undo func()) {
	before := t.new()
	t.set(before, v)
	type kept struct {
		f   *codec.Field
		val any
	}
	var behind []kept
	for _, f := range e.generated {
		if f.IsZero(v) {
			behind = append(behind, kept{f: f})
		} else {
			behind = append(behind, kept{f, f.Value(v)})
		}
	}
	return func() {
		t.set(v, before)
		for _, k := range behind {
			if k.val == nil {
				k.f.Clear(v)
			} else {
				_ = k.f.SetValue(v, k.val) // a value of the field's own type fits
			}
		}
	}
}

// keep is [entity.keep] for a call of its own, in which nobody but the write
// changes the value: there is nothing to keep where it changes none.
func (m model) keep(v unsafe.Pointer) (undo func()) {
	if v == nil || m.e == nil || !m.db.changes(m.e, v) {
		return noUndo
	}
	return m.e.keep(m.maker, v)
}

// keepAll is keep for many values.
func (m model) keepAll(values []unsafe.Pointer) (undo func()) {
	if !slices.ContainsFunc(values, func(v unsafe.Pointer) bool { return m.db.changes(m.e, v) }) {
		return noUndo
	}
	if len(m.e.generated) == 0 {
		return m.maker.keep(values)
	}
	undos := make([]func(), len(values))
	for i, v := range values {
		undos[i] = m.e.keep(m.maker, v)
	}
	return func() {
		for _, back := range slices.Backward(undos) {
			back()
		}
	}
}

// noUndo sets nothing back.
func noUndo() {}

// changes reports whether a write may change the struct at v that it is given.
func (db *DB) changes(e *entity, v unsafe.Pointer) bool {
	if e.updated != nil || e.version != nil || db.hooked(e, changingHooks...) {
		return true
	}
	isZero := func(f *codec.Field) bool { return f.IsZero(v) }
	return slices.ContainsFunc(e.filled, isZero) || e.created != nil && isZero(e.created) || e.ttl != nil && isZero(e.ttl)
}

// changingHooks are the events whose hooks are given the value of a write.
var changingHooks = []HookEvent{
	BeforeSave, BeforeCreate, BeforeUpdate, BeforeDelete, BeforeRestore, AfterSave, AfterCreate, AfterUpdate, AfterDelete, AfterRestore,
}

// behindPointers lists the fields that a write may set and that lie behind an
// embedded pointer.
func (e *entity) behindPointers() []*codec.Field {
	var fields []*codec.Field
	for i := range e.codec.NumFields() {
		f := e.codec.Field(i)
		if !(f.Generator != "" || f.Default != nil || f.TTL || f.Created || f.Updated || f.Version) {
			continue
		}
		t := e.typ
		for j, x := range f.Field.Path {
			if j > 0 && t.Kind() == reflect.Pointer {
				fields = append(fields, f)
				break
			}
			t = t.Field(x).Type
		}
	}
	return fields
}
