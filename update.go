package dynorm

import (
	"maps"
	"math/big"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/dynorm/dynorm/internal/codec"
	"github.com/dynorm/dynorm/internal/expr"
)

// Change is one action of an update, or its condition ([If]). It is an
// immutable value. Fields go by their Go name or attribute name, nested ones by
// a dotted path; values are checked against the field and encoded as the field
// is.
type Change struct {
	op   changeOp
	ref  fieldRef
	vals []any
	cond Predicate
}

type changeOp string

const (
	changeSet           changeOp = "Set"
	changeSetIfAbsent   changeOp = "SetIfAbsent"
	changeAdd           changeOp = "Add"
	changeRemove        changeOp = "Remove"
	changeAppend        changeOp = "Append"
	changePrepend       changeOp = "Prepend"
	changeAddToSet      changeOp = "AddToSet"
	changeDeleteFromSet changeOp = "DeleteFromSet"
	changeIf            changeOp = "If"
)

// Set sets the field to the value, as a write of the whole item would: a value
// that is omitted there (nil, an empty set, the zero time) removes the
// attribute.
func Set(field string, value any) Change {
	return Change{op: changeSet, ref: named(field), vals: []any{value}}
}

// SetIfAbsent sets the field to the value where the item lacks the attribute.
func SetIfAbsent(field string, value any) Change {
	return Change{op: changeSetIfAbsent, ref: named(field), vals: []any{value}}
}

// Add adds to a number; an absent one counts as 0.
func Add(field string, delta any) Change {
	return Change{op: changeAdd, ref: named(field), vals: []any{delta}}
}

// Remove removes the attribute.
func Remove(field string) Change { return Change{op: changeRemove, ref: named(field)} }

// Append adds elements at the end of a list; an absent one counts as empty.
func Append(field string, elems ...any) Change {
	return Change{op: changeAppend, ref: named(field), vals: elems}
}

// Prepend adds elements at the start of a list; an absent one counts as empty.
func Prepend(field string, elems ...any) Change {
	return Change{op: changePrepend, ref: named(field), vals: elems}
}

// AddToSet adds elements to a set; an absent one counts as empty.
func AddToSet(field string, elems ...any) Change {
	return Change{op: changeAddToSet, ref: named(field), vals: elems}
}

// DeleteFromSet takes elements out of a set.
func DeleteFromSet(field string, elems ...any) Change {
	return Change{op: changeDeleteFromSet, ref: named(field), vals: elems}
}

// If makes a write conditional: where the predicate does not hold nothing is
// written and the error is an ErrConditionFailed that carries the current item.
// Several conditions must all hold.
func If(predicate Predicate) Change { return Change{op: changeIf, cond: predicate} }

// action is a Change resolved against its entity.
type action struct {
	op    changeOp
	field *codec.Field
	value types.AttributeValue // nil for a removal
}

func (a *action) attr() string { return a.field.AttrPath()[0] }

// whole reports whether the action is on an attribute of the item itself, not
// on a part within it.
func (a *action) whole() bool { return len(a.field.AttrPath()) == 1 }

// resolveChanges checks changes against the entity and returns the actions and
// the conditions, in the order given.
func (e *entity) resolveChanges(changes []Change) (actions []action, conds []Predicate, err error) {
	for _, c := range changes {
		if c.op == changeIf {
			conds = append(conds, c.cond)
			continue
		}
		if c.op == "" {
			return nil, nil, faultf(ErrInvalid, "a zero Change does nothing: use Set, Add and their like")
		}
		f, err := c.ref.resolve(e)
		if err != nil {
			return nil, nil, err
		}
		a := action{op: c.op, field: f}
		if err := e.checkTarget(&a); err != nil {
			return nil, nil, atField(f.Name, err)
		}
		if a.value, err = encodeOperand(c, f); err != nil {
			return nil, nil, atField(f.Name, faultf(ErrValue, "%s: %w", c.op, err))
		}
		if a.op == changeSet && a.value == nil {
			a.op = changeRemove
		}
		for i := range actions {
			if overlaps(actions[i].field.AttrPath(), f.AttrPath()) {
				return nil, nil, atField(f.Name, faultf(ErrInvalid, "%s overlaps the %s of %s: DynamoDB takes one action a path",
					c.op, actions[i].op, actions[i].field.Name))
			}
		}
		actions = append(actions, a)
	}
	return actions, conds, nil
}

// checkTarget refuses actions on what an update may not touch.
func (e *entity) checkTarget(a *action) error {
	switch attr := a.attr(); {
	case e.inBaseKey(attr):
		return faultf(ErrImmutable, "is part of the base key, which cannot change: create the item anew and delete this one")
	case attr == e.versionAttr:
		return faultf(ErrInvalid, "is the version, which every update counts up by itself")
	case a.field.ReadOnly:
		return faultf(ErrInvalid, "is readonly")
	}
	return nil
}

func encodeOperand(c Change, f *codec.Field) (types.AttributeValue, error) {
	switch c.op {
	case changeRemove:
		return nil, nil
	case changeSet:
		return f.EncodeValue(c.vals[0])
	case changeSetIfAbsent:
		return f.EncodeOperand(c.vals[0])
	case changeAdd:
		av, err := f.EncodeOperand(c.vals[0])
		if _, ok := av.(*types.AttributeValueMemberN); err == nil && !ok {
			return nil, faultf(ErrValue, "takes a number field: use AddToSet for a set")
		}
		return av, err
	}
	if len(c.vals) == 0 {
		return nil, faultf(ErrInvalid, "no elements given")
	}
	av, err := f.EncodeElems(c.vals...)
	if err != nil {
		return nil, err
	}
	_, isList := av.(*types.AttributeValueMemberL)
	if wantList := c.op == changeAppend || c.op == changePrepend; isList != wantList {
		if wantList {
			return nil, faultf(ErrValue, "takes a list field: use AddToSet for a set")
		}
		return nil, faultf(ErrValue, "takes a set field: use Append for a list")
	}
	return av, nil
}

// overlaps reports whether one path is the other or leads to it.
func overlaps(a, b []string) bool {
	n := min(len(a), len(b))
	return slices.Equal(a[:n], b[:n])
}

// render adds the action to an update expression.
func (a *action) render(b *expr.Builder, u *expr.Update) {
	path := b.Path(pathElems(a.field))
	switch a.op {
	case changeSet:
		u.Set(path, b.Value(a.value))
	case changeSetIfAbsent:
		u.Set(path, "if_not_exists("+path+", "+b.Value(a.value)+")")
	case changeRemove:
		u.Remove(path)
	case changeAdd:
		if a.whole() {
			u.Add(path, b.Value(a.value))
			return
		}
		zero := b.Value(&types.AttributeValueMemberN{Value: "0"})
		u.Set(path, "if_not_exists("+path+", "+zero+") + "+b.Value(a.value))
	case changeAppend, changePrepend:
		empty := b.Value(&types.AttributeValueMemberL{Value: []types.AttributeValue{}})
		current := "if_not_exists(" + path + ", " + empty + ")"
		lists := []string{current, b.Value(a.value)}
		if a.op == changePrepend {
			slices.Reverse(lists)
		}
		u.Set(path, "list_append("+strings.Join(lists, ", ")+")")
	case changeAddToSet:
		u.Add(path, b.Value(a.value))
	case changeDeleteFromSet:
		u.Delete(path, b.Value(a.value))
	}
}

// after applies the action to an item as far as it is known: the whole stored
// item, or the attributes that do not depend on it. Lists and sets are never
// part of a key or a condition, so theirs are left out.
func (a *action) after(item Item, whole bool) error {
	if !whole && !a.whole() {
		return nil
	}
	path := a.field.AttrPath()
	switch a.op {
	case changeSet:
		return setPath(item, path, a.value)
	case changeRemove:
		return setPath(item, path, nil)
	case changeSetIfAbsent:
		if _, ok := lookupPath(item, path); !ok && whole {
			return setPath(item, path, a.value)
		}
	case changeAdd:
		if !whole {
			return nil
		}
		sum, err := addNumbers(item, a)
		if err != nil {
			return err
		}
		return setPath(item, path, sum)
	}
	return nil
}

// setPath sets the value at a path of map entries, or removes it when av is
// nil. Maps on the way are copied, so that what the item shares with others
// stays as it is. DynamoDB refuses a path whose parents are absent, so they are
// there.
func setPath(item Item, path []string, av types.AttributeValue) error {
	for _, step := range path[:len(path)-1] {
		m, ok := item[step].(*types.AttributeValueMemberM)
		if !ok {
			return faultf(ErrValue, "the path %s leads through something that is no map", strings.Join(path, "."))
		}
		clone := maps.Clone(m.Value)
		item[step] = &types.AttributeValueMemberM{Value: clone}
		item = clone
	}
	last := path[len(path)-1]
	if av == nil {
		delete(item, last)
	} else {
		item[last] = av
	}
	return nil
}

// addNumbers returns the sum of the stored number and the action's.
func addNumbers(item Item, a *action) (types.AttributeValue, error) {
	sum := new(big.Rat)
	digits := 0
	stored, ok := lookupPath(item, a.field.AttrPath())
	if !ok {
		return a.value, nil
	}
	for _, av := range []types.AttributeValue{stored, a.value} {
		n, isNumber := av.(*types.AttributeValueMemberN)
		if !isNumber {
			return nil, atField(a.field.Name, faultf(ErrValue, "Add: the stored value is no number"))
		}
		r, ok := new(big.Rat).SetString(n.Value)
		if !ok {
			return nil, atField(a.field.Name, faultf(ErrValue, "Add: the stored number can't be read"))
		}
		places, _ := r.FloatPrec()
		digits = max(digits, places)
		sum.Add(sum, r)
	}
	return &types.AttributeValueMemberN{Value: sum.FloatString(digits)}, nil
}
