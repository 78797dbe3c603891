package dynorm

import (
	"slices"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/dynorm/dynorm/internal/codec"
	"github.com/dynorm/dynorm/internal/keytmpl"
	"github.com/dynorm/dynorm/parser"
)

// implies reports whether every item that meets the condition has a key part
// for the field: an entry in an index whose key holds it.
func implies(c *cond, attr string, f *codec.Field) bool {
	switch c.op {
	case opAnd:
		return slices.ContainsFunc(c.subs, func(sub cond) bool { return implies(&sub, attr, f) })
	case opOr:
		return len(c.subs) > 0 && !slices.ContainsFunc(c.subs, func(sub cond) bool { return !implies(&sub, attr, f) })
	}
	if c.attr != attr || c.field == nil {
		return false
	}
	in, _ := f.Input()
	switch c.op {
	case opEq, opIn:
		return !slices.ContainsFunc(c.vals, func(av types.AttributeValue) bool { return !isPart(f, av) })
	case opGe, opBetween, opBeginsWith:
		// Only an empty text is stored and no part, and it is below all others.
		return in.Kind != keytmpl.KindText || isPart(f, c.vals[0])
	case opGt:
		return true
	case opLt, opLe:
		return in.Kind != keytmpl.KindText
	case opExists:
		return in.Kind != keytmpl.KindText && !f.Null
	}
	return false
}

func isPart(f *codec.Field, av types.AttributeValue) bool {
	part, err := f.PartOf(av)
	return err == nil && !part.IsMissing()
}

// unmetWhen returns the first term of the path's condition that the query does
// not imply, empty where it implies them all.
func (pl *planner) unmetWhen(p *accessPath) string {
	if p.when == nil {
		return ""
	}
	for i, term := range p.when.Terms {
		attr := p.whenAttrs[i]
		met := func(c cond) bool { return pl.meets(&c, attr, term) }
		if !slices.ContainsFunc(pl.conds, met) && !slices.ContainsFunc(pl.hidden, met) && !pl.excludes(attr, term) {
			return parser.When{Terms: []parser.Term{term}}.String()
		}
	}
	return ""
}

// meets reports whether every item that meets the condition c meets the term
// about a field.
func (pl *planner) meets(c *cond, attr string, term parser.Term) bool {
	switch c.op {
	case opAnd:
		return slices.ContainsFunc(c.subs, func(sub cond) bool { return pl.meets(&sub, attr, term) })
	case opOr:
		return len(c.subs) > 0 && !slices.ContainsFunc(c.subs, func(sub cond) bool { return !pl.meets(&sub, attr, term) })
	}
	if c.attr != attr {
		return false
	}
	switch c.op {
	case opEq, opIn:
		return !slices.ContainsFunc(c.vals, func(av types.AttributeValue) bool { return !termHolds(term, av) })
	case opNotExists:
		return termHolds(term, nil)
	case opExists:
		// The time of a deletion is never zero.
		return term.Op == parser.Filled && attr == pl.e.deletedAttr
	case opBeginsWith, opGt:
		prefix, ok := c.vals[0].(*types.AttributeValueMemberS)
		return term.Op == parser.Filled && ok && (c.op == opGt || prefix.Value != "")
	case opNe:
		return term.Op == parser.Ne && len(term.Values) == 1 && !termHolds(term, c.vals[0])
	}
	if _, number := firstNumber(c.vals); !number {
		return false
	}
	// What a range of numbers implies shows at its ends.
	switch {
	case term.Op == parser.Gt || term.Op == parser.Ge:
		return (c.op == opGe || c.op == opBetween) && termHolds(term, c.vals[0])
	case term.Op == parser.Lt || term.Op == parser.Le:
		return c.op == opLe && termHolds(term, c.vals[0]) || c.op == opBetween && termHolds(term, c.vals[1])
	}
	return false
}

func firstNumber(vals []types.AttributeValue) (types.AttributeValue, bool) {
	if len(vals) == 0 {
		return nil, false
	}
	_, ok := vals[0].(*types.AttributeValueMemberN)
	return vals[0], ok
}

// excludes reports whether the conditions together rule out every value that a
// `!=` term rules out.
func (pl *planner) excludes(attr string, term parser.Term) bool {
	if term.Op != parser.Ne {
		return false
	}
	for _, value := range term.Values {
		single := parser.Term{Field: term.Field, Op: parser.Ne, Values: []string{value}}
		if !slices.ContainsFunc(pl.conds, func(c cond) bool {
			if c.op == opNot && c.subs[0].op == opIn && c.subs[0].attr == attr {
				return slices.ContainsFunc(c.subs[0].vals, func(av types.AttributeValue) bool { return !termHolds(single, av) })
			}
			return pl.meets(&c, attr, single)
		}) {
			return false
		}
	}
	return true
}

// termHolds evaluates one term for a value, nil for an absent one.
func termHolds(term parser.Term, av types.AttributeValue) bool {
	return parser.When{Terms: []parser.Term{term}}.Eval(func(string) (any, bool) {
		if av == nil {
			return nil, false
		}
		v, err := codec.DecodeAny(av)
		return v, err == nil && v != nil
	})
}
