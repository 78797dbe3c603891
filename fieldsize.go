package dynorm

import (
	"strconv"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// FieldSize is the size of a field, to compare with a number: the characters of
// a text, the bytes of a binary value, the elements of a set, list or map. A
// field of another type, or an absent one, matches no comparison.
type FieldSize struct{ ref fieldRef }

// Size returns the size of a field.
func Size(field string) FieldSize { return FieldSize{named(field)} }

// Size returns the size of the column's field.
func (c Column[T, V]) Size() FieldSize { return FieldSize(c) }

// Eq holds where the size is n.
func (s FieldSize) Eq(n int) Predicate { return s.compare(opEq, n) }

// Ne holds where the size is not n.
func (s FieldSize) Ne(n int) Predicate { return s.compare(opNe, n) }

// Lt holds where the size is less than n.
func (s FieldSize) Lt(n int) Predicate { return s.compare(opLt, n) }

// Le holds where the size is at most n.
func (s FieldSize) Le(n int) Predicate { return s.compare(opLe, n) }

// Gt holds where the size is more than n.
func (s FieldSize) Gt(n int) Predicate { return s.compare(opGt, n) }

// Ge holds where the size is at least n.
func (s FieldSize) Ge(n int) Predicate { return s.compare(opGe, n) }

// Between holds where the size is at least low and at most high.
func (s FieldSize) Between(low, high int) Predicate {
	return Predicate{op: opSize, size: opBetween, ref: s.ref, vals: []any{low, high}}
}

func (s FieldSize) compare(op predicateOp, n int) Predicate {
	return Predicate{op: opSize, size: op, ref: s.ref, val: n}
}

// sizeOperand encodes what a size is compared with.
func sizeOperand(val any) (types.AttributeValue, error) {
	n, ok := val.(int)
	if !ok || n < 0 {
		return nil, faultf(ErrInvalid, "a size is compared with 0 or more")
	}
	return &types.AttributeValueMemberN{Value: strconv.Itoa(n)}, nil
}
