package dynorm

import (
	"cmp"
	"slices"
	"strings"
	"time"
	"unsafe"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/dynorm/dynorm/internal/codec"
	"github.com/dynorm/dynorm/internal/expr"
)

// Predicate is a condition on an item: of a query ([Query.Where]) or of a write
// ([If]). It is an immutable value. Fields go by their Go name or attribute
// name, nested ones by a dotted path ("Address.City", "Lines[0].Qty"); values
// are checked against the field and encoded as the field is.
type Predicate struct {
	op   predicateOp
	ref  fieldRef
	val  any   // the operand of an operator that takes one
	vals []any // those of an operator that takes several
	subs []Predicate
	size predicateOp // the comparison of opSize
}

type predicateOp string

const (
	opEq         predicateOp = "="
	opNe         predicateOp = "<>"
	opLt         predicateOp = "<"
	opLe         predicateOp = "<="
	opGt         predicateOp = ">"
	opGe         predicateOp = ">="
	opBetween    predicateOp = "BETWEEN"
	opIn         predicateOp = "IN"
	opBeginsWith predicateOp = "begins_with"
	opContains   predicateOp = "contains"
	opExists     predicateOp = "attribute_exists"
	opNotExists  predicateOp = "attribute_not_exists"
	opType       predicateOp = "attribute_type"
	opSize       predicateOp = "size"
	opRaw        predicateOp = "raw"
	opResolved   predicateOp = "resolved"
	opAnd        predicateOp = "AND"
	opOr         predicateOp = "OR"
	opNot        predicateOp = "NOT"
)

// maxIn is the most operands of IN: "Expression limits" in "Constraints in
// Amazon DynamoDB".
const maxIn = 100

// Eq holds where the field equals the value.
func Eq(field string, value any) Predicate { return compare(named(field), opEq, value) }

// Ne holds where the field differs from the value or is absent.
func Ne(field string, value any) Predicate { return compare(named(field), opNe, value) }

// Lt holds where the field is less than the value.
func Lt(field string, value any) Predicate { return compare(named(field), opLt, value) }

// Le holds where the field is at most the value.
func Le(field string, value any) Predicate { return compare(named(field), opLe, value) }

// Gt holds where the field is greater than the value.
func Gt(field string, value any) Predicate { return compare(named(field), opGt, value) }

// Ge holds where the field is at least the value.
func Ge(field string, value any) Predicate { return compare(named(field), opGe, value) }

// Between holds where the field is at least low and at most high. A low above
// high is an ErrInvalid.
func Between(field string, low, high any) Predicate {
	return Predicate{op: opBetween, ref: named(field), vals: []any{low, high}}
}

// In holds where the field equals one of the values, of which there may be 100.
func In(field string, values ...any) Predicate {
	return Predicate{op: opIn, ref: named(field), vals: slices.Clone(values)}
}

// NotIn holds where the field equals none of the values or is absent.
func NotIn(field string, values ...any) Predicate { return Not(In(field, values...)) }

// BeginsWith holds where the field's text or bytes begin with the prefix.
func BeginsWith(field string, prefix any) Predicate {
	return compare(named(field), opBeginsWith, prefix)
}

// Contains holds where the field's text has the value as a part, or where the
// set or list has it as an element.
func Contains(field string, value any) Predicate { return compare(named(field), opContains, value) }

// NotContains holds where Contains does not.
func NotContains(field string, value any) Predicate { return Not(Contains(field, value)) }

// Exists holds where the item has the attribute, NULL included.
func Exists(field string) Predicate { return compare(named(field), opExists, nil) }

// NotExists holds where the item lacks the attribute.
func NotExists(field string) Predicate { return compare(named(field), opNotExists, nil) }

// IsNull holds where the attribute is there and NULL.
func IsNull(field string) Predicate { return Type(field, "NULL") }

// Type holds where the attribute is of a type, by DynamoDB's name for it: S, N,
// B, BOOL, NULL, SS, NS, BS, L or M.
func Type(field, attributeType string) Predicate {
	return compare(named(field), opType, attributeType)
}

// And holds where all predicates hold. Without any it always holds.
func And(predicates ...Predicate) Predicate {
	return Predicate{op: opAnd, subs: slices.Clone(predicates)}
}

// Or holds where at least one of the predicates holds. Without any it is an
// error.
func Or(predicates ...Predicate) Predicate {
	return Predicate{op: opOr, subs: slices.Clone(predicates)}
}

// Not holds where the predicate does not.
func Not(predicate Predicate) Predicate {
	return Predicate{op: opNot, subs: []Predicate{predicate}}
}

func compare(ref fieldRef, op predicateOp, val any) Predicate {
	return Predicate{op: op, ref: ref, val: val}
}

// cond is a predicate resolved against an entity: its fields found, its values
// checked and encoded.
type cond struct {
	op    predicateOp
	field *codec.Field // nil for And, Or, Not, a raw expression and attributes without a field
	attr  string       // what names the field among those of the entity
	vals  []types.AttributeValue
	subs  []cond
	size  predicateOp
	raw   *rawExpression
}

// attrID names a field among those of its entity.
func attrID(f *codec.Field) string {
	if len(f.Path()) == 1 {
		return f.Path()[0].Name
	}
	return pathID(f.AttrPath())
}

// resolver resolves predicates against an entity, sharing the memory of their
// values.
type resolver struct {
	e    *entity
	vals []types.AttributeValue
}

// resolve finds the fields of the predicate in an entity and encodes its values
// as they store them.
func (p *Predicate) resolve(e *entity) (cond, error) {
	r := resolver{e: e}
	return r.resolve(p)
}

func (r *resolver) resolve(p *Predicate) (cond, error) {
	switch p.op {
	case "":
		return cond{}, faultf(ErrInvalid, "a zero Predicate says nothing: use Eq, And and their like")
	case opAnd, opOr, opNot:
		return r.resolveGroup(p)
	case opRaw:
		return p.resolveRaw(r.e)
	case opResolved:
		c, _ := p.val.(cond)
		return c, nil
	}
	f, err := p.ref.resolve(r.e)
	if err != nil {
		return cond{}, err
	}
	if err := r.e.checkEncrypted(f, p.op); err != nil {
		return cond{}, err
	}
	c := cond{op: p.op, field: f, attr: attrID(f), size: p.size}
	if c.vals, err = r.operands(p, f); err != nil {
		return cond{}, atField(f.Name, err)
	}
	return c, nil
}

func (r *resolver) resolveGroup(p *Predicate) (cond, error) {
	c := cond{op: p.op, subs: make([]cond, 0, len(p.subs))}
	for i := range p.subs {
		sub, err := r.resolve(&p.subs[i])
		if err != nil {
			return cond{}, err
		}
		if !sub.always() {
			c.subs = append(c.subs, sub)
			continue
		}
		// What always holds makes an Or hold, and is nothing to an And.
		if p.op == opOr {
			return cond{op: opAnd}, nil
		}
	}
	switch {
	case p.op == opOr && len(p.subs) == 0:
		return cond{}, faultf(ErrInvalid, "Or needs at least one predicate")
	case p.op == opNot && len(c.subs) == 0:
		return cond{}, faultf(ErrInvalid, "Not needs a predicate that says something")
	}
	return c, nil
}

// always reports whether the condition holds for every item.
func (c *cond) always() bool { return c.op == opAnd && len(c.subs) == 0 }

// operands encodes the predicate's values as the field stores them.
func (r *resolver) operands(p *Predicate, f *codec.Field) ([]types.AttributeValue, error) {
	vals := p.vals
	switch p.op {
	case opExists, opNotExists:
		return nil, nil
	case opBetween:
	case opIn:
		if len(vals) == 0 || len(vals) > maxIn {
			return nil, faultf(ErrInvalid, "In takes 1 to %d values, got %d", maxIn, len(vals))
		}
	case opSize:
		if p.size != opBetween {
			vals = []any{p.val}
		}
	default:
		av, err := p.operand(f, p.val)
		if err != nil {
			return nil, err
		}
		r.vals = append(r.vals, av)
		n := len(r.vals)
		return r.vals[n-1 : n : n], nil
	}
	encoded := make([]types.AttributeValue, len(vals))
	for i, val := range vals {
		var err error
		if encoded[i], err = p.operand(f, val); err != nil {
			return nil, err
		}
	}
	if p.op == opBetween || p.size == opBetween {
		if order, ok := compareValues(encoded[0], encoded[1]); ok && order > 0 {
			return nil, faultf(ErrInvalid, "Between has its low end above its high end")
		}
	}
	return encoded, nil
}

// operand encodes one value and checks that the operator takes its type, as
// DynamoDB would.
func (p *Predicate) operand(f *codec.Field, val any) (types.AttributeValue, error) {
	var (
		av  types.AttributeValue
		err error
	)
	switch p.op {
	case opType:
		return typeName(val)
	case opSize:
		return sizeOperand(val)
	case opContains:
		av, err = f.EncodeElem(val)
	default:
		av, err = f.EncodeOperand(val)
	}
	if err != nil {
		return nil, faultf(ErrValue, "%w", err)
	}
	switch p.op {
	case opLt, opLe, opGt, opGe, opBetween:
		switch av.(type) {
		case *types.AttributeValueMemberS, *types.AttributeValueMemberN, *types.AttributeValueMemberB:
		default:
			return nil, faultf(ErrValue, "only text, numbers and bytes have an order to compare by")
		}
	case opBeginsWith:
		switch av.(type) {
		case *types.AttributeValueMemberS, *types.AttributeValueMemberB:
		default:
			return nil, faultf(ErrValue, "only text and bytes can begin with a prefix")
		}
	}
	return av, nil
}

func typeName(val any) (types.AttributeValue, error) {
	name, _ := val.(string)
	if !slices.Contains([]string{"S", "N", "B", "BOOL", "NULL", "SS", "NS", "BS", "L", "M"}, name) {
		return nil, faultf(ErrValue, "Type takes S, N, B, BOOL, NULL, SS, NS, BS, L or M")
	}
	return stringValue(name), nil
}

// compareConds orders the conditions of a query, so that the order of calls
// plays no part in its plan; of two bounds alike the narrower goes first.
func compareConds(a, b cond) int {
	order := cmp.Or(strings.Compare(a.attr, b.attr), strings.Compare(string(a.op), string(b.op)), strings.Compare(string(a.size), string(b.size)))
	if order != 0 {
		return order
	}
	order = slices.CompareFunc(a.vals, b.vals, func(x, y types.AttributeValue) int {
		order, ok := compareValues(x, y)
		if !ok {
			return strings.Compare(describeValue(x), describeValue(y))
		}
		return order
	})
	if a.op == opGt || a.op == opGe {
		order = -order
	}
	return cmp.Or(order, slices.CompareFunc(a.subs, b.subs, compareConds))
}

// asPredicate makes a predicate of a condition, at a time.
func (c cond) asPredicate(now time.Time) Predicate {
	if len(c.vals) == 1 && c.vals[0] == nowValue {
		c.vals = []types.AttributeValue{numberValue(now.Unix())}
	}
	c.subs = slices.Clone(c.subs)
	for i := range c.subs {
		c.subs[i], _ = c.subs[i].asPredicate(now).val.(cond)
	}
	return Predicate{op: opResolved, val: c}
}

// renderEach writes predicates as texts of a condition expression.
func renderEach(e *entity, predicates []Predicate, b *expr.Builder) ([]string, error) {
	texts := make([]string, len(predicates))
	for i, p := range predicates {
		var err error
		if texts[i], err = p.render(e, b); err != nil {
			return nil, err
		}
	}
	return texts, nil
}

// render writes the predicate as the text of a condition expression.
func (p Predicate) render(e *entity, b *expr.Builder) (string, error) {
	c, err := p.resolve(e)
	if err != nil {
		return "", err
	}
	return c.render(b), nil
}

// render writes the condition as the text of a condition or filter expression,
// empty for one that always holds.
func (c *cond) render(b *expr.Builder) string {
	text := c.append(make([]byte, 0, 64), b)
	return unsafe.String(unsafe.SliceData(text), len(text)) // nothing else has the bytes
}

// append appends the text of the condition.
func (c *cond) append(dst []byte, b *expr.Builder) []byte {
	switch c.op {
	case opAnd:
		return appendAll(dst, c.subs, b, " AND ")
	case opOr:
		return appendAll(dst, c.subs, b, " OR ")
	case opNot:
		return append(c.subs[0].append(append(dst, "NOT ("...), b), ')')
	case opRaw:
		return c.raw.append(dst, b)
	case opExists, opNotExists:
		return append(append(append(append(dst, c.op...), '('), c.path(b)...), ')')
	case opBeginsWith, opContains, opType:
		dst = append(append(append(append(dst, c.op...), '('), c.path(b)...), ", "...)
		return append(append(dst, b.Value(c.vals[0])...), ')')
	case opSize:
		dst = append(append(append(dst, "size("...), c.path(b)...), ')')
		return c.appendComparison(dst, c.size, b)
	}
	return c.appendComparison(append(dst, c.path(b)...), c.op, b)
}

// appendComparison appends an operator and its operands.
func (c *cond) appendComparison(dst []byte, op predicateOp, b *expr.Builder) []byte {
	dst = append(append(append(dst, ' '), op...), ' ')
	switch op {
	case opBetween:
		dst = append(append(dst, b.Value(c.vals[0])...), " AND "...)
		return append(dst, b.Value(c.vals[1])...)
	case opIn:
		for i, av := range c.vals {
			separator := ", "
			if i == 0 {
				separator = "("
			}
			dst = append(append(dst, separator...), b.Value(av)...)
		}
		return append(dst, ')')
	}
	return append(dst, b.Value(c.vals[0])...)
}

// path writes the document path of the condition's field.
func (c *cond) path(b *expr.Builder) string {
	if c.field == nil || len(c.field.Path()) == 1 {
		return b.Name(c.attr)
	}
	return pathOf(b, c.field)
}

// appendAll appends conditions joined by a word.
func appendAll(dst []byte, conds []cond, b *expr.Builder, word string) []byte {
	for i := range conds {
		if i > 0 {
			dst = append(dst, word...)
		}
		switch group := conds[i].op; {
		case len(conds) > 1 && (group == opAnd || group == opOr || group == opRaw):
			dst = append(conds[i].append(append(dst, '('), b), ')')
		default:
			dst = conds[i].append(dst, b)
		}
	}
	return dst
}
