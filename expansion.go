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
	coarse   bool // alternatives of the sort key are left to the filter
}

// branches returns the key conditions that answer the query on a path, or the
// reason that none do.
func (pl *planner) branches(p *accessPath) (branches []branch, reason string) {
	k := pl.keyCondition(p, pl.conds, nil, false)
	if k.want == "" {
		return k.appendTo(nil), k.reason
	}
	x := &expansion{pl: pl, path: p}
	if reason = x.expand(pl.conds, nil); len(x.branches) > maxBranches {
		x = &expansion{pl: pl, path: p, coarse: true}
		reason = x.expand(pl.conds, nil)
	}
	return x.branches, reason
}

// expand adds the branches of conditions that must all hold. alternative is
// what was chosen so far of the query's alternatives.
func (x *expansion) expand(conds, alternative []cond) (reason string) {
	k := x.pl.keyCondition(x.path, conds, alternative, x.coarse)
	if k.want == "" {
		x.branches = k.appendTo(x.branches)
		if len(x.branches) > maxBranches && len(alternative) > 0 {
			return fmt.Sprintf("would take more than %d key conditions", maxBranches)
		}
		return k.reason
	}
	for i := range conds {
		c := &conds[i]
		var choices [][]cond
		switch {
		case c.op == opIn && c.attr == k.want && c.field != nil:
			for _, av := range c.vals {
				choices = append(choices, []cond{{op: opEq, field: c.field, attr: c.attr, vals: []types.AttributeValue{av}}})
			}
		case c.op == opOr && k.reason != "" && offersEach(c.subs, k.want):
			for j := range c.subs {
				choices = append(choices, flatten(nil, &c.subs[j]))
			}
		default:
			continue
		}
		for _, choice := range choices {
			next := slices.Concat(conds[:i], choice, conds[i+1:])
			if reason := x.expand(next, slices.Concat(alternative, choice)); reason != "" {
				return reason
			}
		}
		return ""
	}
	return k.reason
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

// keyCondition is what conditions that must all hold make of a path's keys.
type keyCondition struct {
	branch branch
	shards []string // the partition keys, where there is one for each shard
	empty  bool     // nothing can match
	// want is the field that an equality should fix first, where reason is
	// empty only to narrow the sort key. Reason says why there is none.
	want, reason string
}

// appendTo appends the branches of the key condition.
func (k *keyCondition) appendTo(branches []branch) []branch {
	switch {
	case k.reason != "" || k.empty:
		return branches
	case k.shards == nil:
		return append(branches, k.branch)
	}
	for _, pk := range k.shards {
		k.branch.pk = pk
		branches = append(branches, k.branch)
	}
	return branches
}

// keyCondition builds the key condition of conditions that must all hold: one
// partition, or all shards of one. coarse leaves an In on the sort key to the
// filter.
func (pl *planner) keyCondition(p *accessPath, conds, alternative []cond, coarse bool) (k keyCondition) {
	if p.native {
		return pl.nativeCondition(p, conds, alternative)
	}
	var (
		usedRoom [16]bool
		room     [8]keytmpl.Part
		pk       = &p.pk
		parts    = room[:0]
		sharded  bool
	)
	used := usedRoom[:]
	if len(conds) > len(used) {
		used = make([]bool, len(conds))
	}
	for i, attr := range pk.attrs {
		c := equality(conds, attr)
		if c < 0 && i == pk.shard {
			sharded = true
			parts = append(parts, keytmpl.Missing())
			continue
		}
		if c < 0 {
			k.want, k.reason = attr, pl.why(func() string {
				return "its partition key " + pk.key.Pattern() + " needs " + pk.fields[i].Name + " by ="
			})
			return k
		}
		part, err := pk.fields[i].PartOf(conds[c].vals[0])
		if err != nil || part.IsMissing() {
			k.reason = pl.noEntries(pk, i, err)
			return k
		}
		parts = append(parts, part)
		used[c] = pk.exact[i]
	}
	k.branch.alternative = alternative
	if pl.sortKey(&k, p, conds, used, coarse, sharded); k.want != "" || k.reason != "" || k.empty {
		return k
	}
	k.branch.residual = unused(conds, used)
	var err error
	if sharded {
		k.shards, err = pk.key.ShardKeys(parts)
	} else {
		k.branch.pk, err = pk.build(parts)
	}
	if err != nil {
		k.reason = pl.why(func() string { return "its partition key can't hold the values: " + err.Error() })
	}
	return k
}

// noEntries is the reason of a field whose value no key of the path holds.
func (pl *planner) noEntries(k *keyRefs, ref int, err error) string {
	return pl.why(func() string {
		if err != nil {
			return "its key " + k.key.Pattern() + " can't hold the value of " + k.fields[ref].Name
		}
		return "has no entries of items whose " + k.fields[ref].Name + " is empty"
	})
}

// sortKey adds the sort key's part of a key condition.
func (pl *planner) sortKey(k *keyCondition, p *accessPath, conds []cond, used []bool, coarse, sharded bool) {
	sk, b := &p.sk, &k.branch
	var room [8]keytmpl.Part
	parts := room[:0]
	for i, attr := range sk.attrs {
		c := equality(conds, attr)
		if c < 0 {
			if !coarse && slices.ContainsFunc(conds, func(c cond) bool { return c.op == opIn && c.attr == attr }) {
				k.want = attr
				return
			}
			break
		}
		part, err := sk.fields[i].PartOf(conds[c].vals[0])
		if err != nil || part.IsMissing() {
			k.reason = pl.noEntries(sk, i, err)
			return
		}
		parts = append(parts, part)
		used[c] = used[c] || sk.exact[i]
	}
	b.leading = len(parts)
	var err error
	if len(b.alternative) > 0 || sharded {
		b.cuts, err = sk.cuts(parts)
	}
	if err == nil && len(parts) < len(sk.fields) {
		if sp, ok := sk.rangeSpan(parts, conds, used); ok {
			b.sk, k.empty = sp.sortCond, sp.empty
			return
		}
	}
	var textRoom [128]byte
	text, whole := textRoom[:0], false
	if err == nil {
		text, whole, err = sk.key.Prefix(text, parts)
	}
	switch {
	case err != nil:
		k.reason = pl.why(func() string { return "its sort key can't hold the values: " + err.Error() })
	case whole:
		b.sk = sortCond{op: sortEq, low: string(text)}
	case len(text) > 0:
		b.sk = sortCond{op: sortBegins, low: string(text)}
	}
}

// unused returns the conditions that the key does not answer.
func unused(conds []cond, used []bool) []cond {
	first, last, n := len(conds), -1, 0
	for i := range conds {
		if !used[i] {
			first, last, n = min(first, i), i, n+1
		}
	}
	if n == last-first+1 && n > 0 {
		return conds[first : last+1 : last+1]
	}
	var rest []cond
	for i := range conds {
		if !used[i] {
			rest = append(rest, conds[i])
		}
	}
	return rest
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
