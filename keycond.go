package dynorm

import (
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/dynorm/dynorm/internal/expr"
	"github.com/dynorm/dynorm/internal/keytmpl"
)

// sortOp is the comparison of a sort key in a key condition.
type sortOp uint8

const (
	sortAny     sortOp = iota // no condition
	sortEq                    // = low
	sortBegins                // begins_with low
	sortBetween               // from low to high
	sortFrom                  // >= low
	sortTo                    // <= high
	sortAbove                 // > low
	sortBelow                 // < high
)

// sortCond is the condition of a key condition on the sort key.
type sortCond struct {
	op        sortOp
	low, high string
}

// holds reports whether a sort key meets the condition.
func (c sortCond) holds(sk string) bool {
	switch c.op {
	case sortEq:
		return sk == c.low
	case sortBegins:
		return strings.HasPrefix(sk, c.low)
	case sortBetween:
		return c.low <= sk && sk <= c.high
	case sortFrom:
		return c.low <= sk
	case sortTo:
		return sk <= c.high
	case sortAbove:
		return c.low < sk
	case sortBelow:
		return sk < c.high
	}
	return true
}

// endsAt reports whether no sort key behind sk can meet the condition, because
// sk is the one that it names.
func (c sortCond) endsAt(sk string, forward bool) bool {
	if forward {
		return (c.op == sortTo || c.op == sortBetween) && sk == c.high
	}
	return (c.op == sortFrom || c.op == sortBetween) && sk == c.low
}

// meets reports whether a sort key can meet both conditions. It never misses
// one.
func (c sortCond) meets(d sortCond) bool {
	return !c.below(d) && !d.below(c)
}

// below reports whether every sort key of c is less than every one of d.
func (c sortCond) below(d sortCond) bool {
	if d.op == sortAny || d.op == sortTo {
		return false
	}
	switch c.op {
	case sortEq:
		return c.low < d.low
	case sortBegins:
		return c.low < d.low && !strings.HasPrefix(d.low, c.low)
	case sortBetween, sortTo:
		return c.high < d.low
	}
	return false
}

// span is what the conditions say about the sort key of a path, given the
// leading parts that they fix.
type span struct {
	sortCond
	// leading is the number of references fixed by an equality.
	leading int
	// empty reports that no key can meet the conditions.
	empty bool
}

// rangeSpan narrows the sort key by the comparisons of the reference after the
// leading parts. ok is false where there is none that the key can answer.
func (k *keyRefs) rangeSpan(parts []keytmpl.Part, conds []cond, used []bool) (sp span, ok bool) {
	ref := len(parts)
	attr, f := k.attrs[ref], k.fields[ref]
	var in keytmpl.Interval
	low, high := -1, -1
	for i := range conds {
		c := &conds[i]
		if c.attr != attr || c.field == nil {
			continue
		}
		switch c.op {
		case opBeginsWith:
			part, err := f.PartOf(c.vals[0])
			if err != nil || part.IsMissing() {
				continue
			}
			var room [8]keytmpl.Part
			prefix, exact, err := k.key.PrefixWithin(nil, append(append(room[:0], parts...), part))
			if err != nil {
				continue
			}
			used[i] = exact && k.exact[ref]
			return span{sortCond: sortCond{op: sortBegins, low: string(prefix)}, leading: ref}, true
		case opGt, opGe, opBetween:
			if low >= 0 {
				continue
			}
			part, err := f.PartOf(c.vals[0])
			if err != nil || part.IsMissing() {
				continue
			}
			if c.op == opBetween {
				// Both ends or none: half of it would leave the other to be
				// answered by a filter, along with this one.
				end, err := f.PartOf(c.vals[1])
				if err != nil || end.IsMissing() || high >= 0 {
					continue
				}
				high, in.High, in.HighOpen = i, end, false
			}
			low, in.Low, in.LowOpen = i, part, c.op == opGt
		case opLt, opLe:
			if high >= 0 {
				continue
			}
			part, err := f.PartOf(c.vals[0])
			if err != nil || part.IsMissing() {
				continue
			}
			high, in.High, in.HighOpen = i, part, c.op == opLt
		}
	}
	if low < 0 && high < 0 {
		return span{}, false
	}
	r, err := k.key.Range(parts, in)
	if err != nil {
		return span{}, false
	}
	if r.Exact && !f.OmitEmpty {
		for _, i := range [2]int{low, high} {
			if i >= 0 {
				used[i] = true
			}
		}
	}
	sp = span{sortCond: sortCond{low: r.Low, high: r.High}, leading: ref, empty: r.Empty}
	switch {
	case r.Low == "" && r.High == "":
		sp.op = sortAny
	case r.Low == "":
		sp.op = sortTo
	case r.High == "":
		sp.op = sortFrom
	default:
		sp.op = sortBetween
	}
	return sp, true
}

// singledOut reports whether a key condition of the path meets items of its
// entity only.
func (p *accessPath) singledOut(sk sortCond) bool {
	switch p.single {
	case byPartition:
		return true
	case byPrefix:
		for _, n := range p.neighbours {
			if sk.op != sortEq && sk.op != sortBegins && sk.holds(n) {
				return false
			}
		}
		return sk.op != sortAny && sk.op != sortTo && strings.HasPrefix(sk.low, p.sk.literal)
	case byKey:
		return sk.op == sortEq
	}
	return false
}

// render writes the key condition of a partition and a sort key.
func (c sortCond) render(b *expr.Builder, pkAttr, pk, skAttr string) string {
	values := new([3]types.AttributeValueMemberS) // one piece of memory for all
	value := func(i int, text string) string {
		values[i].Value = text
		return b.Value(&values[i])
	}
	pkName, pkValue := b.Name(pkAttr), value(0, pk)
	if c.op == sortAny {
		return pkName + " = " + pkValue
	}
	name, text := b.Name(skAttr), c.low
	switch c.op {
	case sortBegins:
		return pkName + " = " + pkValue + " AND begins_with(" + name + ", " + value(1, text) + ")"
	case sortBetween:
		low, high := value(1, c.low), value(2, c.high)
		return pkName + " = " + pkValue + " AND " + name + " BETWEEN " + low + " AND " + high
	case sortTo, sortBelow:
		text = c.high
	}
	return pkName + " = " + pkValue + " AND " + name + sortOps[c.op] + value(1, text)
}

// sortOps are the signs of the comparisons with one text.
var sortOps = map[sortOp]string{sortEq: " = ", sortFrom: " >= ", sortTo: " <= ", sortAbove: " > ", sortBelow: " < "}

// describe writes the condition as people read it, empty for none.
func (c sortCond) describe(skAttr string) string {
	switch c.op {
	case sortAny:
		return ""
	case sortBegins:
		return "begins_with(" + skAttr + ", " + c.low + ")"
	case sortBetween:
		return skAttr + " between " + c.low + " and " + c.high
	case sortTo, sortBelow:
		return skAttr + sortOps[c.op] + c.high
	}
	return skAttr + sortOps[c.op] + c.low
}

// cuts returns, for each leading part and for the reference after them, how
// many bytes of the sort key stand before it.
func (k *keyRefs) cuts(parts []keytmpl.Part) ([]int, error) {
	cuts := make([]int, len(parts)+1)
	for i := range cuts {
		text, _, err := k.key.Prefix(nil, parts[:i])
		if err != nil {
			return nil, k.keyError(err)
		}
		cuts[i] = len(text)
	}
	return cuts, nil
}
