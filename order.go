package dynorm

import (
	"slices"

	"github.com/dynorm/dynorm/internal/keytmpl"
)

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
				return false, pl.why(func() string { return "is sorted by " + sk.key.Pattern() + ", not by " + pl.order[0].name })
			}
			b.cut = b.cuts[ref]
		}
		for _, term := range pl.order {
			for ref < len(sk.attrs) && sk.attrs[ref] != term.attr && pl.fixes(sk.attrs[ref]) {
				ref++
			}
			if ref == len(sk.attrs) || sk.attrs[ref] != term.attr {
				return false, pl.why(func() string { return "is sorted by " + sk.key.Pattern() + ", not by " + term.name })
			}
			order := sk.key.Order(ref)
			if order == keytmpl.Unordered || !sk.exact[ref] {
				return false, pl.why(func() string { return "its sort key " + sk.key.Pattern() + " does not keep the order of " + term.name })
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
		if p.trash && attr == pl.e.deletedAttr {
			continue // every item there has a time of deletion
		}
		if !p.sk.sure[i] && !slices.ContainsFunc(pl.conds, func(c cond) bool { return implies(&c, attr, p.sk.fields[i]) }) {
			names = append(names, p.sk.fields[i].Name)
		}
	}
	return names
}
