package codec

import (
	"bytes"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// checkValue checks an attribute value that did not come out of a coder, at
// some depth of lists and maps: kinds that exist, numbers that are some, sets
// that are not empty and hold nothing twice.
func checkValue(av types.AttributeValue, depth int) error {
	bad := func(r string) error { return &EncodeError{Reason: r} }
	switch v := av.(type) {
	case *types.AttributeValueMemberS:
		if v != nil {
			return checkText(v.Value)
		}
	case *types.AttributeValueMemberB:
		if v != nil {
			return nil
		}
	case *types.AttributeValueMemberBOOL:
		if v != nil {
			return nil
		}
	case *types.AttributeValueMemberNULL:
		if v != nil {
			return nil
		}
	case *types.AttributeValueMemberN:
		if v != nil {
			return encodeFaultOf(checkDecimal(v.Value))
		}
	case *types.AttributeValueMemberSS:
		if v != nil {
			return checkSet(v.Value, func(s string) (string, error) { return s, checkText(s) })
		}
	case *types.AttributeValueMemberNS:
		if v != nil {
			return checkSet(v.Value, CanonicalNumber)
		}
	case *types.AttributeValueMemberBS:
		if v != nil {
			texts := make([]string, len(v.Value))
			for i, b := range v.Value {
				texts[i] = string(b)
			}
			return checkSet(texts, func(s string) (string, error) { return s, nil })
		}
	case *types.AttributeValueMemberL:
		if v == nil {
			break
		}
		if depth++; depth > maxDepth {
			return bad(tooDeep)
		}
		for i, av := range v.Value {
			if err := checkValue(av, depth); err != nil {
				return under(err, indexStep(i))
			}
		}
		return nil
	case *types.AttributeValueMemberM:
		if v == nil {
			break
		}
		if depth++; depth > maxDepth {
			return bad(tooDeep)
		}
		for name, av := range v.Value {
			if err := checkName(name); err != nil {
				return err
			}
			if err := checkValue(av, depth); err != nil {
				return under(err, keyStep(name))
			}
		}
		return nil
	}
	return bad("the attribute value is nil or of an unknown kind")
}

func encodeFaultOf(err error) error {
	if err == nil {
		return nil
	}
	return encodeFault(err)
}

func checkSet(list []string, canonical func(string) (string, error)) error {
	if len(list) == 0 {
		return &EncodeError{Reason: "an empty set can't be stored"}
	}
	seen := make(map[string]struct{}, len(list))
	for i, s := range list {
		s, err := canonical(s)
		if err != nil {
			return under(encodeFault(err), indexStep(i))
		}
		seen[s] = struct{}{}
	}
	if len(seen) < len(list) {
		return &EncodeError{Reason: "a set can't hold an element twice"}
	}
	return nil
}

// Clone returns a copy of an attribute value that shares nothing but strings
// with it.
func Clone(av types.AttributeValue) types.AttributeValue {
	switch v := av.(type) {
	case *types.AttributeValueMemberS:
		return &types.AttributeValueMemberS{Value: v.Value}
	case *types.AttributeValueMemberN:
		return &types.AttributeValueMemberN{Value: v.Value}
	case *types.AttributeValueMemberB:
		return &types.AttributeValueMemberB{Value: bytes.Clone(v.Value)}
	case *types.AttributeValueMemberBOOL:
		return &types.AttributeValueMemberBOOL{Value: v.Value}
	case *types.AttributeValueMemberNULL:
		return &types.AttributeValueMemberNULL{Value: v.Value}
	case *types.AttributeValueMemberSS:
		return &types.AttributeValueMemberSS{Value: slices.Clone(v.Value)}
	case *types.AttributeValueMemberNS:
		return &types.AttributeValueMemberNS{Value: slices.Clone(v.Value)}
	case *types.AttributeValueMemberBS:
		list := make([][]byte, len(v.Value))
		for i, b := range v.Value {
			list[i] = bytes.Clone(b)
		}
		return &types.AttributeValueMemberBS{Value: list}
	case *types.AttributeValueMemberL:
		list := make([]types.AttributeValue, len(v.Value))
		for i, av := range v.Value {
			list[i] = Clone(av)
		}
		return &types.AttributeValueMemberL{Value: list}
	case *types.AttributeValueMemberM:
		m := make(map[string]types.AttributeValue, len(v.Value))
		for name, av := range v.Value {
			m[name] = Clone(av)
		}
		return &types.AttributeValueMemberM{Value: m}
	}
	return av
}

// Equal reports whether two attribute values are the same to DynamoDB: numbers
// by value, sets in any order. Nil equals nil only.
func Equal(a, b types.AttributeValue) bool {
	switch x := a.(type) {
	case nil:
		return b == nil
	case *types.AttributeValueMemberS:
		y, ok := b.(*types.AttributeValueMemberS)
		return ok && x.Value == y.Value
	case *types.AttributeValueMemberN:
		y, ok := b.(*types.AttributeValueMemberN)
		return ok && equalNumbers(x.Value, y.Value)
	case *types.AttributeValueMemberB:
		y, ok := b.(*types.AttributeValueMemberB)
		return ok && bytes.Equal(x.Value, y.Value)
	case *types.AttributeValueMemberBOOL:
		y, ok := b.(*types.AttributeValueMemberBOOL)
		return ok && x.Value == y.Value
	case *types.AttributeValueMemberNULL:
		_, ok := b.(*types.AttributeValueMemberNULL)
		return ok
	case *types.AttributeValueMemberSS:
		y, ok := b.(*types.AttributeValueMemberSS)
		return ok && equalSets(x.Value, y.Value, strings.Compare)
	case *types.AttributeValueMemberNS:
		y, ok := b.(*types.AttributeValueMemberNS)
		return ok && equalSets(canonicalNumbers(x.Value), canonicalNumbers(y.Value), strings.Compare)
	case *types.AttributeValueMemberBS:
		y, ok := b.(*types.AttributeValueMemberBS)
		return ok && equalSets(x.Value, y.Value, bytes.Compare)
	case *types.AttributeValueMemberL:
		y, ok := b.(*types.AttributeValueMemberL)
		return ok && slices.EqualFunc(x.Value, y.Value, Equal)
	case *types.AttributeValueMemberM:
		y, ok := b.(*types.AttributeValueMemberM)
		if !ok || len(x.Value) != len(y.Value) {
			return false
		}
		for name, av := range x.Value {
			if other, ok := y.Value[name]; !ok || !Equal(av, other) {
				return false
			}
		}
		return true
	}
	return false
}

func equalNumbers(a, b string) bool {
	if a == b {
		return true
	}
	x, errA := CanonicalNumber(a)
	y, errB := CanonicalNumber(b)
	return errA == nil && errB == nil && x == y
}

func canonicalNumbers(list []string) []string {
	out := slices.Clone(list)
	for i, n := range out {
		if c, err := CanonicalNumber(n); err == nil {
			out[i] = c
		}
	}
	return out
}

func equalSets[T any](a, b []T, compare func(x, y T) int) bool {
	if len(a) != len(b) {
		return false
	}
	a, b = slices.Clone(a), slices.Clone(b)
	slices.SortFunc(a, compare)
	slices.SortFunc(b, compare)
	return slices.EqualFunc(a, b, func(x, y T) bool { return compare(x, y) == 0 })
}
