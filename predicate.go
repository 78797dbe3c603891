package dynorm

import (
	"slices"
	"strings"

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
	vals []any
	subs []Predicate
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
	opAnd        predicateOp = "AND"
	opOr         predicateOp = "OR"
	opNot        predicateOp = "NOT"
)

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

// Between holds where the field is at least low and at most high.
func Between(field string, low, high any) Predicate {
	return compare(named(field), opBetween, low, high)
}

// In holds where the field equals one of the values, of which there may be 100.
func In(field string, values ...any) Predicate { return compare(named(field), opIn, values...) }

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
func Exists(field string) Predicate { return compare(named(field), opExists) }

// NotExists holds where the item lacks the attribute.
func NotExists(field string) Predicate { return compare(named(field), opNotExists) }

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

func compare(ref fieldRef, op predicateOp, vals ...any) Predicate {
	return Predicate{op: op, ref: ref, vals: slices.Clone(vals)}
}

// render writes the predicate as the text of a condition or filter expression.
func (p Predicate) render(e *entity, b *expr.Builder) (string, error) {
	switch p.op {
	case opAnd, opOr:
		if len(p.subs) == 0 && p.op == opOr {
			return "", faultf(ErrInvalid, "Or needs at least one predicate")
		}
		var parts []string
		for _, sub := range p.subs {
			text, err := sub.render(e, b)
			if err != nil {
				return "", err
			}
			if text != "" {
				parts = append(parts, text)
			}
		}
		if len(parts) < 2 {
			return strings.Join(parts, ""), nil
		}
		return "(" + strings.Join(parts, ") "+string(p.op)+" (") + ")", nil
	case opNot:
		text, err := p.subs[0].render(e, b)
		if err != nil {
			return "", err
		}
		if text == "" {
			return "", faultf(ErrInvalid, "Not needs a predicate that says something")
		}
		return "NOT (" + text + ")", nil
	case "":
		return "", faultf(ErrInvalid, "a zero Predicate says nothing: use Eq, And and their like")
	}
	f, err := p.ref.resolve(e)
	if err != nil {
		return "", err
	}
	operands, err := p.operands(f)
	if err != nil {
		return "", err
	}
	path := b.Path(pathElems(f))
	placeholders := make([]string, len(operands))
	for i, av := range operands {
		placeholders[i] = b.Value(av)
	}
	switch p.op {
	case opExists, opNotExists:
		return string(p.op) + "(" + path + ")", nil
	case opBeginsWith, opContains, opType:
		return string(p.op) + "(" + path + ", " + placeholders[0] + ")", nil
	case opBetween:
		return path + " BETWEEN " + placeholders[0] + " AND " + placeholders[1], nil
	case opIn:
		return path + " IN (" + strings.Join(placeholders, ", ") + ")", nil
	default:
		return path + " " + string(p.op) + " " + placeholders[0], nil
	}
}

// operands encodes the predicate's values as the field stores them.
func (p Predicate) operands(f *codec.Field) ([]types.AttributeValue, error) {
	if p.op == opIn && (len(p.vals) == 0 || len(p.vals) > 100) {
		return nil, atField(f.Name, faultf(ErrInvalid, "In takes 1 to 100 values, got %d", len(p.vals)))
	}
	operands := make([]types.AttributeValue, len(p.vals))
	for i, val := range p.vals {
		var err error
		switch p.op {
		case opType:
			operands[i], err = typeName(val)
		case opContains:
			operands[i], err = f.EncodeElem(val)
		default:
			operands[i], err = f.EncodeOperand(val)
		}
		if err != nil {
			return nil, atField(f.Name, faultf(ErrValue, "%w", err))
		}
	}
	return operands, nil
}

func typeName(val any) (types.AttributeValue, error) {
	name, _ := val.(string)
	if !slices.Contains([]string{"S", "N", "B", "BOOL", "NULL", "SS", "NS", "BS", "L", "M"}, name) {
		return nil, faultf(ErrValue, "Type takes S, N, B, BOOL, NULL, SS, NS, BS, L or M")
	}
	return stringValue(name), nil
}
