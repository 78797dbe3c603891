package dynorm

import (
	"fmt"
	"slices"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/dynorm/dynorm/internal/codec"
	"github.com/dynorm/dynorm/internal/keytmpl"
)

// maxBranches bounds the key conditions that one query fans out to.
const maxBranches = 100

// planner finds the way of one query.
type planner struct {
	e    *entity
	opts *queryOptions

	conds  []cond      // what the caller asked for, all of which must hold
	hidden []cond      // what the library adds: soft deletes, time to live
	order  []orderTerm // without fields that an equality fixes
	// selects are the fields of a projection, none for whole items.
	selects []*codec.Field
}

// orderTerm is one field to sort by.
type orderTerm struct {
	ref  fieldRef
	name string
	attr string
	desc bool
}

// candidate is an access path that answers the query.
type candidate struct {
	path     *accessPath
	branches []branch
	forward  bool
	merge    bool
	complete bool // no matching item can be missing from the path
	sparse   []string
	consumed int // conditions that the key answers
	whole    bool
	hydrate  bool // items are completed from the table
	pks      int  // partitions to read
}

// plan finds the best access path, or a [*NoIndexError].
func (pl *planner) plan() (*plan, error) {
	var (
		best     *candidate
		rejected []Candidate
		strong   string // a path that fits but for the consistency asked for
	)
	for _, p := range pl.e.paths {
		if pin := pl.opts.index; pin != "" && pin != p.index && pin != p.name {
			continue
		}
		c, reason, err := pl.try(p)
		if err != nil {
			return nil, err
		}
		if reason == "" && pl.opts.consistency == strongly && p.kind == globalPath {
			reason, strong = "is a global index, whose reads are eventually consistent", p.where()
		}
		if reason != "" {
			rejected = append(rejected, rejection(p, reason))
			continue
		}
		if best == nil || c.betterThan(best) {
			if best != nil {
				rejected = append(rejected, rejection(best.path, "answers it too, but "+best.worse(c)))
			}
			best = c
			continue
		}
		rejected = append(rejected, rejection(p, "answers it too, but "+c.worse(best)))
	}
	switch {
	case best != nil:
		return pl.finish(best, rejected), nil
	case len(rejected) == 0:
		return nil, pl.unknownIndex()
	case strong != "":
		return nil, faultf(ErrInvalid, "Consistent: %s answers the query and is a global index, whose reads are only eventually consistent", strong)
	}
	if pl.opts.scan != nil {
		if p := pl.scan(rejected); p != nil {
			return p, nil
		}
	}
	return nil, &NoIndexError{Entity: pl.e.def.Name, Candidates: rejected, Suggestion: pl.suggestion()}
}

// betterThan orders the candidates of one query: complete ones first, then by
// what they read, then the table before its indexes.
func (c *candidate) betterThan(d *candidate) bool {
	switch {
	case c.complete != d.complete:
		return c.complete
	case c.whole != d.whole:
		return c.whole
	case c.hydrate != d.hydrate:
		return d.hydrate
	case c.pks != d.pks:
		return c.pks < d.pks
	case c.consumed != d.consumed:
		return c.consumed > d.consumed
	case c.path.trash != d.path.trash:
		return c.path.trash
	case c.path.kind != d.path.kind:
		return c.path.kind < d.path.kind
	}
	// A condition that the query implies leaves fewer items to read.
	return c.path.when != nil && d.path.when == nil
}

// worse says why c lost against d.
func (c *candidate) worse(d *candidate) string {
	switch {
	case c.complete != d.complete:
		return "it lacks items without " + quotedList(c.sparse) + ", which " + d.path.where() + " has"
	case c.whole != d.whole:
		return d.path.where() + " reads the items by their whole key"
	case c.hydrate != d.hydrate:
		return d.path.where() + " has all fields of the items"
	case c.pks != d.pks:
		return d.path.where() + " reads fewer partitions"
	case c.consumed != d.consumed:
		return "the key of " + d.path.where() + " answers more of the conditions"
	case !c.path.trash && d.path.trash, c.path.kind == d.path.kind && c.path.when == nil && d.path.when != nil:
		return d.path.where() + " holds only items where " + d.path.when.String()
	}
	return d.path.where() + " goes first"
}

// try plans the query on one path, or says why it does not fit.
func (pl *planner) try(p *accessPath) (*candidate, string, error) {
	pinned := pl.opts.index != ""
	if !pinned {
		if term := pl.unmetWhen(p); term != "" {
			return nil, "holds only items where " + term + ", which the query does not ask for", nil
		}
	}
	x := expansion{pl: pl, path: p}
	reason, err := x.expand(pl.conds, nil)
	if len(x.branches) > maxBranches && err == nil {
		x = expansion{pl: pl, path: p, whole: true}
		reason, err = x.expand(pl.conds, nil)
	}
	if reason != "" || err != nil {
		return nil, reason, err
	}
	reason, hydrate := pl.lacks(p, x.branches)
	if reason != "" {
		return nil, reason, nil
	}
	c := &candidate{path: p, hydrate: hydrate, branches: x.branches, consumed: x.consumed, forward: true}
	if reason := c.settle(pl); reason != "" {
		return nil, reason, nil
	}
	c.sparse = pl.missing(p)
	c.complete = len(c.sparse) == 0 || pinned
	return c, "", nil
}

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
			return nil, attr, "its partition key " + pk.key.Pattern() + " needs " + pk.fields[i].Name + " by =", nil
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

// settle decides on the order of the branches' items and makes the branches
// disjoint.
func (c *candidate) settle(pl *planner) (reason string) {
	c.forward, reason = c.direction(pl)
	if reason != "" {
		return reason
	}
	if len(c.branches) > 1 {
		c.unite()
	}
	c.whole = c.path.kind == tablePath
	partitions := map[string]bool{}
	for i := range c.branches {
		c.whole = c.whole && c.branches[i].sk.op == sortEq
		if len(c.branches) > 1 {
			partitions[c.branches[i].pk] = true
		}
	}
	c.pks = max(len(partitions), min(len(c.branches), 1))
	c.merge = len(pl.order) > 0 && len(c.branches) > 1
	return ""
}

// direction tells whether the sort key runs in the order asked for, and which
// way.
func (c *candidate) direction(pl *planner) (forward bool, reason string) {
	if len(pl.order) == 0 {
		return true, ""
	}
	sk, several := &c.path.sk, len(c.branches) > 1
	forward, settled := true, false
	for i := range c.branches {
		b := &c.branches[i]
		if !several && b.sk.op == sortEq && c.path.kind == tablePath {
			return true, "" // at most one item
		}
		ref := b.leading
		if several {
			// Items of several branches are merged by the text from the first
			// field asked for on, also where each branch fixes it.
			ref = slices.Index(sk.attrs, pl.order[0].attr)
			if ref < 0 || ref > b.leading {
				return false, "is sorted by " + sk.key.Pattern() + ", not by " + pl.order[0].name
			}
			b.cut = b.cuts[ref]
		}
		for _, term := range pl.order {
			for ref < len(sk.attrs) && sk.attrs[ref] != term.attr && pl.fixes(sk.attrs[ref]) {
				ref++
			}
			if ref == len(sk.attrs) || sk.attrs[ref] != term.attr {
				return false, "is sorted by " + sk.key.Pattern() + ", not by " + term.name
			}
			order := sk.key.Order(ref)
			if order == keytmpl.Unordered || !sk.exact[ref] {
				return false, "its sort key " + sk.key.Pattern() + " does not keep the order of " + term.name
			}
			runs := (order == keytmpl.Descending) == term.desc
			if settled && runs != forward {
				return false, "its sort key runs the other way for " + term.name + " than for the field before"
			}
			forward, settled = runs, true
			ref++
		}
	}
	return forward, ""
}

// fixes reports whether every matching item has the same value in a field.
func (pl *planner) fixes(attr string) bool { return equality(pl.conds, attr) >= 0 }

// unite joins branches with the same key condition and makes those that meet
// disjoint, so that no item comes twice.
func (c *candidate) unite() {
	united := c.branches[:0]
next:
	for _, b := range c.branches {
		for i := range united {
			if u := &united[i]; u.pk == b.pk && u.sk == b.sk {
				u.residual = either(u.residual, b.residual)
				u.alternative = either(u.alternative, b.alternative)
				continue next
			}
		}
		united = append(united, b)
	}
	c.branches = united
	for j := range united {
		for i := range united[:j] {
			if a, b := &united[i], &united[j]; a.pk == b.pk && a.sk.meets(b.sk) {
				not := cond{op: opNot, subs: []cond{{op: opAnd, subs: a.alternative}}}
				b.residual = append(slices.Clip(b.residual), not)
			}
		}
	}
}

// either is the condition that all of a hold or all of b, where none always
// hold.
func either(a, b []cond) []cond {
	if len(a) == 0 || len(b) == 0 {
		return nil
	}
	return []cond{{op: opOr, subs: []cond{{op: opAnd, subs: a}, {op: opAnd, subs: b}}}}
}

// missing lists the fields without which an item that may match has no entry in
// the path.
func (pl *planner) missing(p *accessPath) []string {
	var names []string
	if p.kind == tablePath {
		return nil
	}
	for i, attr := range p.sk.attrs {
		met := func(c cond) bool { return implies(&c, attr, p.sk.fields[i]) }
		if !p.sk.sure[i] && !slices.ContainsFunc(pl.conds, met) && !slices.ContainsFunc(pl.hidden, pl.deleted(attr)) {
			names = append(names, p.sk.fields[i].Name)
		}
	}
	return names
}

// deleted returns the condition that a library's condition asks for deleted
// items, whose time of deletion is never missing.
func (pl *planner) deleted(attr string) func(cond) bool {
	return func(c cond) bool { return c.op == opExists && c.attr == attr && attr == pl.e.deletedAttr }
}

// quotedList joins names for a sentence.
func quotedList(names []string) string {
	text := ""
	for i, n := range names {
		switch {
		case i == 0:
		case i == len(names)-1:
			text += " or "
		default:
			text += ", "
		}
		text += n
	}
	return text
}
