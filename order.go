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
		if reason = c.unite(); reason != "" {
			return reason
		}
	}
	c.whole = c.path.kind == tablePath
	partitions := map[string]bool{}
	for i := range c.branches {
		b := &c.branches[i]
		c.whole = c.whole && b.sk.op == sortEq
		switch {
		case len(c.branches) == 1:
		case c.path.native:
			partitions[describeNative(b.native[:b.partition])] = true
		default:
			partitions[b.pk] = true
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
		if first := slices.Index(sk.attrs, pl.order[0].attr); !several && first >= 0 {
			ref = min(ref, first) // fixed by an In of one value
		}
		if several {
			// Items of several branches are merged by the text from the first
			// field asked for on, also where each branch fixes it.
			ref = slices.Index(sk.attrs, pl.order[0].attr)
			if ref < 0 || ref > b.leading {
				return false, pl.why(func() string { return "is sorted by " + sk.pattern() + ", not by " + pl.order[0].name })
			}
			if b.cut = ref; !c.path.native {
				b.cut = b.cuts[ref]
			}
		}
		for _, term := range pl.order {
			for ref < len(sk.attrs) && sk.attrs[ref] != term.attr && pl.fixes(sk.attrs[ref]) {
				ref++
			}
			if ref == len(sk.attrs) || sk.attrs[ref] != term.attr {
				return false, pl.why(func() string { return "is sorted by " + sk.pattern() + ", not by " + term.name })
			}
			order := sk.order(ref)
			if order == keytmpl.Unordered || !sk.exact[ref] {
				return false, pl.why(func() string { return "its sort key " + sk.pattern() + " does not keep the order of " + term.name })
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
// disjoint, so that no item comes twice. It says why where they can't be.
func (c *candidate) unite() (reason string) {
	united := c.branches[:0]
next:
	for _, b := range c.branches {
		for i := range united {
			if u := &united[i]; u.pk == b.pk && u.sk == b.sk && sameNative(u.native, b.native) {
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
			switch a, b := &united[i], &united[j]; {
			case c.path.native && !a.apart(b):
				return "would be asked for overlapping ranges of its keys, whose items come twice"
			case !c.path.native && a.pk == b.pk && a.sk.meets(b.sk):
				not := cond{op: opNot, subs: []cond{{op: opAnd, subs: a.alternative}}}
				b.residual = append(slices.Clip(b.residual), not)
			}
		}
	}
	return ""
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
