package dynorm

import (
	"bytes"
	"math/big"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/dynorm/dynorm/internal/codec"
	"github.com/dynorm/dynorm/internal/expr"
	"github.com/dynorm/dynorm/parser"
)

// Change is one action of an update, or its condition ([If]). It is an
// immutable value. Fields go by their Go name or attribute name, nested ones by
// a dotted path; values are checked against the field and encoded as the field
// is.
type Change struct {
	op   changeOp
	ref  fieldRef
	val  any   // of an action that takes one value
	vals []any // of an action that takes elements
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
	changeNoRead        changeOp = "NoRead"
)

// Set sets the field to the value, as a write of the whole item would: a value
// that is omitted there (nil, an empty set, the zero time) removes the
// attribute. The value may be a [Ref]: what another field holds, or a sum.
func Set(field string, value any) Change {
	return Change{op: changeSet, ref: named(field), val: value}
}

// SetIfAbsent sets the field to the value where the item lacks the attribute.
func SetIfAbsent(field string, value any) Change {
	return Change{op: changeSetIfAbsent, ref: named(field), val: value}
}

// Add adds to a number; an absent one counts as 0.
func Add(field string, delta any) Change {
	return Change{op: changeAdd, ref: named(field), val: delta}
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

// NoRead forbids an update to read the item first. Where it would have to, to
// write index entries or claims anew, it fails with a [*NeedsFieldsError] before
// any request: give the fields it names as changes, or as what they are by an
// [If] with [Eq] or [NotExists].
func NoRead() Change { return Change{op: changeNoRead} }

// Ref stands for what a field holds when an update begins, or for a sum or
// difference of it:
//
//	dynorm.Set("total", dynorm.FieldRef("net").Plus(dynorm.FieldRef("tax")))
//	dynorm.Set("left", dynorm.FieldRef("left").Minus(3))
//
// A field that the item lacks fails the update with an ErrInvalid: DynamoDB
// doesn't take it for 0 as [Add] does. A Ref is an immutable value.
type Ref struct {
	ref   fieldRef
	sign  string // "+" or "-", empty for the field alone
	right any    // a number or a Ref
	twice bool   // more than DynamoDB can do in one action
}

// FieldRef returns the reference to a field, by its Go name or attribute name.
func FieldRef(field string) Ref { return Ref{ref: named(field)} }

// Plus returns the sum of the field and a number or another Ref.
func (r Ref) Plus(x any) Ref { return r.with("+", x) }

// Minus returns the difference of the field and a number or another Ref.
func (r Ref) Minus(x any) Ref { return r.with("-", x) }

func (r Ref) with(sign string, x any) Ref {
	other, isRef := x.(Ref)
	return Ref{ref: r.ref, sign: sign, right: x, twice: r.sign != "" || isRef && other.sign != ""}
}

// action is a Change resolved against its entity.
type action struct {
	op    changeOp
	field *codec.Field
	value types.AttributeValue // nil for a removal and a formula
	// formula is what a Set sets the field to, nil for a value.
	formula *formula
}

// formula is a resolved Ref: one operand, or two with a sign between.
type formula struct {
	left, right *codec.Field // right is nil for a number
	sign        string
	number      types.AttributeValue
}

func (a *action) attr() string { return a.field.Root() }

// constant reports whether the action settles a whole attribute whatever is
// stored.
func (a *action) constant() bool {
	return len(a.field.Path()) == 1 && (a.op == changeSet && a.formula == nil || a.op == changeRemove)
}

// sources lists the attributes that the action reads beside its own.
func (a *action) sources() []string {
	if a.formula == nil {
		return nil
	}
	attrs := []string{a.formula.left.Root()}
	if a.formula.right != nil {
		attrs = append(attrs, a.formula.right.Root())
	}
	return attrs
}

// resolveRef checks a Ref against the field it is set to.
func (e *entity) resolveRef(r Ref, f *codec.Field) (*formula, error) {
	if r.twice {
		return nil, faultf(ErrInvalid, "DynamoDB takes one + or - in an action")
	}
	left, err := r.ref.resolve(e)
	if err != nil {
		return nil, err
	}
	fm := &formula{left: left, sign: r.sign}
	if e.encrypted[left.Path()[0].Name] != nil {
		return nil, faultf(ErrInvalid, "%s is encrypted: use Edit", left.Name)
	}
	if r.sign == "" {
		if left.GoType() != f.GoType() || left.Field.Set != f.Field.Set {
			return nil, faultf(ErrValue, "%s is of another type", left.Name)
		}
		return fm, nil
	}
	operands := []*codec.Field{f, left}
	if other, ok := r.right.(Ref); ok {
		if fm.right, err = other.ref.resolve(e); err != nil {
			return nil, err
		}
		if e.encrypted[fm.right.Path()[0].Name] != nil {
			return nil, faultf(ErrInvalid, "%s is encrypted: use Edit", fm.right.Name)
		}
		operands = append(operands, fm.right)
	} else if fm.number, err = f.EncodeOperand(r.right); err != nil {
		return nil, err
	}
	for _, o := range operands {
		switch o.Type.Kind {
		case parser.Int, parser.Uint, parser.Float, parser.Number:
		default:
			return nil, faultf(ErrValue, "%s is no number", o.Name)
		}
	}
	return fm, nil
}

// resolveChanges checks changes against the entity and returns the actions, for
// which there may be room, and the conditions, in the order given.
func (e *entity) resolveChanges(room []action, changes []Change) (actions []action, conds []Predicate, err error) {
	size := 0
	for _, c := range changes {
		switch c.op {
		case changeIf:
			conds = append(conds, c.cond)
			continue
		case changeNoRead:
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
		if r, ok := refOf(c); ok {
			a.formula, err = e.resolveRef(r, f)
		} else {
			a.value, err = encodeOperand(c, f)
		}
		if err != nil {
			return nil, nil, atField(f.Name, faultf(ErrValue, "%s: %w", c.op, err))
		}
		if a.op == changeSet && a.value == nil && a.formula == nil {
			a.op = changeRemove
		}
		size += valueSize(a.value)
		if err := checkItemSize(size); err != nil {
			return nil, nil, atField(f.Name, err)
		}
		if actions == nil {
			actions = slices.Grow(room, len(changes)+2) // the stamps come after them
		}
		for i := range actions {
			if overlaps(actions[i].field.Path(), f.Path()) {
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
	return e.checkEncryptedAction(a)
}

func refOf(c Change) (Ref, bool) {
	if c.op != changeSet {
		return Ref{}, false
	}
	r, ok := c.val.(Ref)
	return r, ok
}

func encodeOperand(c Change, f *codec.Field) (types.AttributeValue, error) {
	switch c.op {
	case changeRemove:
		return nil, nil
	case changeSet:
		return f.EncodeValue(c.val)
	case changeSetIfAbsent:
		return f.EncodeOperand(c.val)
	case changeAdd:
		av, err := f.EncodeOperand(c.val)
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
func overlaps(a, b []codec.Step) bool {
	n := min(len(a), len(b))
	return slices.Equal(a[:n], b[:n])
}

// render adds the action to an update expression.
func (a *action) render(b *expr.Builder, u *expr.Update) {
	path := pathOf(b, a.field)
	switch a.op {
	case changeSet:
		u.Set(path, a.operand(b))
	case changeSetIfAbsent:
		u.Set(path, "if_not_exists("+path+", "+b.Value(a.value)+")")
	case changeRemove:
		u.Remove(path)
	case changeAdd:
		if len(a.field.Path()) == 1 {
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

// operand is the text of what a Set sets.
func (a *action) operand(b *expr.Builder) string {
	fm := a.formula
	if fm == nil {
		return b.Value(a.value)
	}
	text := pathOf(b, fm.left)
	switch {
	case fm.sign == "":
		return text
	case fm.right != nil:
		return text + " " + fm.sign + " " + pathOf(b, fm.right)
	}
	return text + " " + fm.sign + " " + b.Value(fm.number)
}

// result returns what the action sets its field to in an item that is wholly
// known, nil to leave it.
func (a *action) result(before Item) (types.AttributeValue, error) {
	stored := a.field.In(before)
	switch a.op {
	case changeSet:
		if a.formula != nil {
			return a.formula.of(before)
		}
		return a.value, nil
	case changeSetIfAbsent:
		if stored != nil {
			return nil, nil
		}
		return a.value, nil
	case changeAdd:
		if stored == nil {
			return a.value, nil
		}
		return addNumbers(stored, a.value)
	case changeAppend, changePrepend:
		var old []types.AttributeValue
		if l, ok := stored.(*types.AttributeValueMemberL); ok {
			old = l.Value
		}
		added := a.value.(*types.AttributeValueMemberL).Value
		if a.op == changePrepend {
			return &types.AttributeValueMemberL{Value: slices.Concat(added, old)}, nil
		}
		return &types.AttributeValueMemberL{Value: slices.Concat(old, added)}, nil
	}
	return changeElems(stored, a.value, a.op == changeAddToSet), nil
}

// of is the value of the formula for an item.
func (fm *formula) of(item Item) (types.AttributeValue, error) {
	left := fm.left.In(item)
	if left == nil {
		return nil, faultf(ErrInvalid, "the item has no %s", fm.left.Name)
	}
	if fm.sign == "" {
		return left, nil
	}
	right := fm.number
	if fm.right != nil {
		if right = fm.right.In(item); right == nil {
			return nil, faultf(ErrInvalid, "the item has no %s", fm.right.Name)
		}
	}
	if fm.sign == "-" {
		return subtractNumbers(left, right)
	}
	return addNumbers(left, right)
}

// changeElems returns a set with elements added or taken out.
func changeElems(stored, elems types.AttributeValue, add bool) types.AttributeValue {
	switch elems := elems.(type) {
	case *types.AttributeValueMemberSS:
		old, _ := stored.(*types.AttributeValueMemberSS)
		if old == nil {
			old = &types.AttributeValueMemberSS{}
		}
		return &types.AttributeValueMemberSS{Value: setOf(old.Value, elems.Value, add, func(a, b string) bool { return a == b })}
	case *types.AttributeValueMemberNS:
		old, _ := stored.(*types.AttributeValueMemberNS)
		if old == nil {
			old = &types.AttributeValueMemberNS{}
		}
		return &types.AttributeValueMemberNS{Value: setOf(old.Value, elems.Value, add, func(a, b string) bool {
			return codec.Equal(&types.AttributeValueMemberN{Value: a}, &types.AttributeValueMemberN{Value: b})
		})}
	case *types.AttributeValueMemberBS:
		old, _ := stored.(*types.AttributeValueMemberBS)
		if old == nil {
			old = &types.AttributeValueMemberBS{}
		}
		return &types.AttributeValueMemberBS{Value: setOf(old.Value, elems.Value, add, bytes.Equal)}
	}
	return stored
}

func setOf[E any](old, elems []E, add bool, equal func(a, b E) bool) []E {
	has := func(list []E, e E) bool { return slices.ContainsFunc(list, func(o E) bool { return equal(o, e) }) }
	var out []E
	for _, e := range old {
		if add || !has(elems, e) {
			out = append(out, e)
		}
	}
	for _, e := range elems {
		if add && !has(out, e) {
			out = append(out, e)
		}
	}
	return out
}

// addNumbers returns the sum of two numbers.
func addNumbers(a, b types.AttributeValue) (types.AttributeValue, error) {
	return combine(a, b, (*big.Rat).Add)
}

func subtractNumbers(a, b types.AttributeValue) (types.AttributeValue, error) {
	return combine(a, b, (*big.Rat).Sub)
}

func combine(a, b types.AttributeValue, op func(z, x, y *big.Rat) *big.Rat) (types.AttributeValue, error) {
	var rats [2]*big.Rat
	digits := 0
	for i, av := range []types.AttributeValue{a, b} {
		n, isNumber := av.(*types.AttributeValueMemberN)
		if !isNumber {
			return nil, faultf(ErrValue, "the stored value is no number")
		}
		r, ok := new(big.Rat).SetString(n.Value)
		if !ok {
			return nil, faultf(ErrValue, "the stored number can't be read")
		}
		places, _ := r.FloatPrec()
		digits = max(digits, places)
		rats[i] = r
	}
	text := op(new(big.Rat), rats[0], rats[1]).FloatString(digits)
	if strings.Contains(text, ".") {
		text = strings.TrimSuffix(strings.TrimRight(text, "0"), ".")
	}
	return &types.AttributeValueMemberN{Value: text}, nil
}
