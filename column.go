package dynorm

import (
	"errors"
	"reflect"
	"unsafe"

	"github.com/dynorm/dynorm/internal/codec"
	"github.com/dynorm/dynorm/internal/expr"
	"github.com/dynorm/dynorm/internal/suggest"
)

// fieldRef names a field: by text, or by its place in a Go struct.
type fieldRef struct {
	name   string
	column *columnRef
}

// columnRef is a field found by its address within a struct.
type columnRef struct {
	owner reflect.Type
	probe unsafe.Pointer // a struct of type owner with its embedded pointers set
	field unsafe.Pointer
	typ   reflect.Type
	fault string
}

func named(field string) fieldRef { return fieldRef{name: field} }

// resolve finds the field in an entity.
func (r fieldRef) resolve(e *entity) (*codec.Field, error) {
	if c := r.column; c != nil {
		switch {
		case c.fault != "":
			return nil, faultf(ErrUnknownField, "%s", c.fault)
		case c.owner != e.typ:
			return nil, faultf(ErrUnknownField, "the column belongs to %s", c.owner)
		}
		f, ok := e.codec.Locate(c.probe, c.field, c.typ)
		if !ok {
			return nil, faultf(ErrUnknownField, "the column's function returns no address of a stored field of type %s", c.typ)
		}
		return f, nil
	}
	f, err := e.codec.Resolve(r.name)
	if err != nil {
		return nil, unknownField(err)
	}
	return f, nil
}

// unknownField says what a path that leads nowhere was meant to be.
func unknownField(err error) error {
	if pe, ok := errors.AsType[*codec.PathError](err); ok {
		if best, ok := suggest.Nearest(pe.Name, pe.Known); ok {
			return faultf(ErrUnknownField, "%w (did you mean %s?)", err, best)
		}
	}
	return faultf(ErrUnknownField, "%w", err)
}

// pathOf is the text of a field's document path.
func pathOf(b *expr.Builder, f *codec.Field) string {
	if len(f.Path()) == 1 {
		return b.Name(f.Root())
	}
	elems := make([]expr.Elem, len(f.Path()))
	for i, step := range f.Path() {
		elems[i] = expr.Elem{Name: step.Name, Index: step.Index, List: step.List}
	}
	return b.Path(elems)
}

// Column is a field of T that holds a V: a predicate or an update made from it
// takes only values of its type. Columns are immutable values, usually package
// variables:
//
//	var UserStatus = dynorm.Col(func(u *User) *string { return &u.Status })
type Column[T, V any] struct{ ref fieldRef }

// Col returns the column whose address within a T the function returns. It
// calls the function once, with a zero T whose pointers to structs are set. A
// function that returns no address of a stored field makes a column whose
// every use is an ErrUnknownField.
func Col[T, V any](field func(*T) *V) Column[T, V] {
	c := &columnRef{owner: reflect.TypeFor[T](), typ: reflect.TypeFor[V]()}
	probe := new(T)
	allocate(reflect.ValueOf(probe).Elem(), 4)
	c.probe = unsafe.Pointer(probe)
	func() {
		defer func() {
			if recover() != nil {
				c.fault = "the column's function panics on a zero " + c.owner.String()
			}
		}()
		c.field = unsafe.Pointer(field(probe))
	}()
	if c.fault == "" && c.field == nil {
		c.fault = "the column's function returns nil"
	}
	return Column[T, V]{ref: fieldRef{column: c}}
}

// allocate sets the struct pointers within v, so that addresses behind them
// exist. Depth bounds recursive types.
func allocate(v reflect.Value, depth int) {
	if v.Kind() != reflect.Struct || depth == 0 {
		return
	}
	for _, f := range v.Fields() {
		switch {
		case f.Kind() == reflect.Struct:
			allocate(f, depth)
		case f.Kind() == reflect.Pointer && f.Type().Elem().Kind() == reflect.Struct && f.CanSet():
			f.Set(reflect.New(f.Type().Elem()))
			allocate(f.Elem(), depth-1)
		}
	}
}

// Eq holds where the field equals the value.
func (c Column[T, V]) Eq(value V) Predicate { return compare(c.ref, opEq, value) }

// Ne holds where the field differs from the value or is absent.
func (c Column[T, V]) Ne(value V) Predicate { return compare(c.ref, opNe, value) }

// Lt holds where the field is less than the value.
func (c Column[T, V]) Lt(value V) Predicate { return compare(c.ref, opLt, value) }

// Le holds where the field is at most the value.
func (c Column[T, V]) Le(value V) Predicate { return compare(c.ref, opLe, value) }

// Gt holds where the field is greater than the value.
func (c Column[T, V]) Gt(value V) Predicate { return compare(c.ref, opGt, value) }

// Ge holds where the field is at least the value.
func (c Column[T, V]) Ge(value V) Predicate { return compare(c.ref, opGe, value) }

// Between holds where the field is at least low and at most high.
func (c Column[T, V]) Between(low, high V) Predicate {
	return Predicate{op: opBetween, ref: c.ref, vals: []any{low, high}}
}

// In holds where the field equals one of the values, of which there may be 100.
func (c Column[T, V]) In(values ...V) Predicate {
	vals := make([]any, len(values))
	for i, v := range values {
		vals[i] = v
	}
	return Predicate{op: opIn, ref: c.ref, vals: vals}
}

// NotIn holds where the field equals none of the values or is absent.
func (c Column[T, V]) NotIn(values ...V) Predicate { return Not(c.In(values...)) }

// BeginsWith holds where the field's text or bytes begin with the prefix.
func (c Column[T, V]) BeginsWith(prefix string) Predicate {
	return compare(c.ref, opBeginsWith, prefix)
}

// Contains holds where the field's text has the value as a part, or where the
// set or list has it as an element.
func (c Column[T, V]) Contains(value any) Predicate { return compare(c.ref, opContains, value) }

// NotContains holds where Contains does not.
func (c Column[T, V]) NotContains(value any) Predicate { return Not(c.Contains(value)) }

// Exists holds where the item has the attribute, NULL included.
func (c Column[T, V]) Exists() Predicate { return compare(c.ref, opExists, nil) }

// NotExists holds where the item lacks the attribute.
func (c Column[T, V]) NotExists() Predicate { return compare(c.ref, opNotExists, nil) }

// Set sets the field to the value, as a write of the whole item would: a value
// that is omitted there removes the attribute.
func (c Column[T, V]) Set(value V) Change {
	return Change{op: changeSet, ref: c.ref, val: value}
}

// Ref returns the reference to the field, for a [Set] or [Column.SetTo] of
// another one.
func (c Column[T, V]) Ref() Ref { return Ref{ref: c.ref} }

// SetTo sets the field to what another one holds, or to a sum.
func (c Column[T, V]) SetTo(r Ref) Change {
	return Change{op: changeSet, ref: c.ref, val: r}
}

// SetIfAbsent sets the field to the value where the item lacks the attribute.
func (c Column[T, V]) SetIfAbsent(value V) Change {
	return Change{op: changeSetIfAbsent, ref: c.ref, val: value}
}

// Add adds to a number; an absent one counts as 0.
func (c Column[T, V]) Add(delta V) Change {
	return Change{op: changeAdd, ref: c.ref, val: delta}
}

// Remove removes the attribute.
func (c Column[T, V]) Remove() Change { return Change{op: changeRemove, ref: c.ref} }

// Append adds elements at the end of a list; an absent one counts as empty.
func (c Column[T, V]) Append(elems ...any) Change {
	return Change{op: changeAppend, ref: c.ref, vals: elems}
}

// Prepend adds elements at the start of a list; an absent one counts as empty.
func (c Column[T, V]) Prepend(elems ...any) Change {
	return Change{op: changePrepend, ref: c.ref, vals: elems}
}

// AddToSet adds elements to a set; an absent one counts as empty.
func (c Column[T, V]) AddToSet(elems ...any) Change {
	return Change{op: changeAddToSet, ref: c.ref, vals: elems}
}

// DeleteFromSet takes elements out of a set.
func (c Column[T, V]) DeleteFromSet(elems ...any) Change {
	return Change{op: changeDeleteFromSet, ref: c.ref, vals: elems}
}
