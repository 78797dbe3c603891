package dynorm

import (
	"fmt"
	"slices"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/dynorm/dynorm/internal/keytmpl"
)

// expansion collects the branches of a query on one path: one, or several
// where an In or an Or stands where the key needs an equality.
type expansion struct {
	pl       *planner
	path     *accessPath
	branches []branch
	consumed int
	whole    bool // alternatives of the sort key are left to the filter
}

// expand adds the branches of conditions that must all hold. alternative is
// what was chosen so far of the query's alternatives.
func (x *expansion) expand(conds, alternative []cond) (reason string, err error) {
	added, want, reason, err := x.branch(conds, alternative)
	if err != nil {
		return "", err
	}
	if want == "" {
		x.branches = append(x.branches, added...)
		if len(x.branches) > maxBranches && len(alternative) > 0 {
			return fmt.Sprintf("would take more than %d key conditions", maxBranches), nil
		}
		return reason, nil
	}
	for i := range conds {
		c := &conds[i]
		var choices [][]cond
		switch {
		case c.op == opIn && c.attr == want && c.field != nil:
			for _, av := range c.vals {
				choices = append(choices, []cond{{op: opEq, field: c.field, attr: c.attr, vals: []types.AttributeValue{av}}})
			}
		case c.op == opOr && reason != "" && offersEach(c.subs, want):
			for j := range c.subs {
				choices = append(choices, flatten(nil, &c.subs[j]))
			}
		default:
			continue
		}
		for _, choice := range choices {
			next := slices.Concat(conds[:i], choice, conds[i+1:])
			if why, err := x.expand(next, slices.Concat(alternative, choice)); why != "" || err != nil {
				return why, err
			}
		}
		return "", nil
	}
	return reason, nil
}

// flatten appends the conditions that c asks to hold together.
func flatten(dst []cond, c *cond) []cond {
	if c.op != opAnd {
		return append(dst, *c)
	}
	for i := range c.subs {
		dst = flatten(dst, &c.subs[i])
	}
	return dst
}

// offersEach reports whether each alternative fixes the field by itself.
func offersEach(subs []cond, attr string) bool {
	for i := range subs {
		if !offers(&subs[i], attr) {
			return false
		}
	}
	return true
}

func offers(c *cond, attr string) bool {
	switch c.op {
	case opEq, opIn:
		return c.attr == attr && c.field != nil
	case opAnd:
		return slices.ContainsFunc(c.subs, func(sub cond) bool { return offers(&sub, attr) })
	case opOr:
		return offersEach(c.subs, attr)
	}
	return false
}

// branch builds the key conditions of conditions that must all hold: one, or one
// a shard. want is the field that an equality should fix first, where reason is
// empty only to narrow the sort key. No branch without a reason matches nothing.
func (x *expansion) branch(conds, alternative []cond) (bs []branch, want, reason string, err error) {
	used := make([]bool, len(conds))
	var room [8]keytmpl.Part
	pk := &x.path.pk
	parts, shards := room[:0], 1
	for i, attr := range pk.attrs {
		c := equality(conds, attr)
		if c < 0 && i == pk.shard {
			shards = pk.key.Shards()
			parts = append(parts, keytmpl.Missing())
			continue
		}
		if c < 0 {
			return nil, attr, x.pl.why(func() string {
				return "its partition key " + pk.key.Pattern() + " needs " + pk.fields[i].Name + " by ="
			}), nil
		}
		part, err := pk.fields[i].PartOf(conds[c].vals[0])
		if err != nil {
			return nil, "", "", atField(pk.fields[i].Name, faultf(ErrValue, "%w", err))
		}
		if part.IsMissing() {
			return nil, "", "has no entries of items whose " + pk.fields[i].Name + " is empty", nil
		}
		parts = append(parts, part)
		used[c] = pk.exact[i]
	}
	b := branch{alternative: alternative}
	want, reason, empty, err := x.sort(&b, conds, used, len(alternative) > 0 || shards > 1)
	if want != "" || reason != "" || err != nil || empty {
		return nil, want, reason, err
	}
	for i := range conds {
		if !used[i] {
			b.residual = append(b.residual, conds[i])
		}
	}
	if len(x.branches) == 0 {
		x.consumed = len(conds) - len(b.residual)
	}
	if shards == 1 {
		b.pk, err = pk.build(parts)
		return []branch{b}, "", "", err
	}
	keys, err := pk.key.ShardKeys(parts)
	if err != nil {
		return nil, "", "", pk.keyError(err)
	}
	for _, key := range keys {
		b.pk = key
		bs = append(bs, b)
	}
	return bs, "", "", nil
}

// sort builds the sort key's part of a branch.
func (x *expansion) sort(b *branch, conds []cond, used []bool, alternatives bool) (want, reason string, empty bool, err error) {
	sk := &x.path.sk
	var room [8]keytmpl.Part
	parts := room[:0]
	for i, attr := range sk.attrs {
		c := equality(conds, attr)
		if c < 0 {
			if !x.whole && slices.ContainsFunc(conds, func(c cond) bool { return c.op == opIn && c.attr == attr }) {
				return attr, "", false, nil
			}
			break
		}
		part, err := sk.fields[i].PartOf(conds[c].vals[0])
		if err != nil {
			return "", "", false, atField(sk.fields[i].Name, faultf(ErrValue, "%w", err))
		}
		if part.IsMissing() {
			return "", "has no entries of items whose " + sk.fields[i].Name + " is empty", false, nil
		}
		parts = append(parts, part)
		used[c] = used[c] || sk.exact[i]
	}
	b.leading = len(parts)
	if alternatives {
		if b.cuts, err = sk.cuts(parts); err != nil {
			return "", "", false, err
		}
	}
	if len(parts) < len(sk.fields) {
		if sp, ok := sk.rangeSpan(parts, conds, used); ok {
			b.sk = sp.sortCond
			return "", "", sp.empty, nil
		}
	}
	text, whole, err := sk.key.Prefix(nil, parts)
	switch {
	case err != nil:
		return "", "", false, sk.keyError(err)
	case whole:
		b.sk = sortCond{op: sortEq, low: string(text)}
	case len(text) > 0:
		b.sk = sortCond{op: sortBegins, low: string(text)}
	}
	return "", "", false, nil
}

// equality returns the index of the condition that fixes a field, -1 without
// one.
func equality(conds []cond, attr string) int {
	for i := range conds {
		if conds[i].op == opEq && conds[i].attr == attr && conds[i].field != nil {
			return i
		}
	}
	return -1
}
