package dynorm

import (
	"slices"
	"strings"

	"github.com/dynorm/dynorm/internal/suggest"
)

// NoIndexError is a query that neither the table's key nor an index answers. It
// matches [ErrNoIndex].
type NoIndexError struct {
	// Entity is the entity's name.
	Entity string
	// Candidates are the table and the indexes, each with the reason that it
	// does not fit.
	Candidates []Candidate
	// Suggestion is the tag that would add an index which answers the query,
	// empty where none would.
	Suggestion string
}

// Error lists the candidates with their reasons and the suggestion.
func (e *NoIndexError) Error() string {
	var s strings.Builder
	s.WriteString(ErrNoIndex.Error())
	for i, c := range e.Candidates {
		if i == 0 {
			s.WriteString(": ")
		} else {
			s.WriteString("; ")
		}
		s.WriteString(c.String())
	}
	if e.Suggestion != "" {
		s.WriteString(" (" + e.Suggestion + ")")
	}
	return s.String()
}

// Is reports ErrNoIndex.
func (e *NoIndexError) Is(target error) bool { return target == ErrNoIndex }

// suggestion is the tag that would make the query possible.
func (pl *planner) suggestion() string {
	var fixed, alternative []*cond
	either := false
	for i := range pl.conds {
		switch c := &pl.conds[i]; {
		case c.op == opOr:
			either = true
		case c.field == nil:
		case c.op == opEq && !slices.ContainsFunc(fixed, func(d *cond) bool { return d.attr == c.attr }):
			fixed = append(fixed, c)
		case c.op == opIn:
			alternative = append(alternative, c)
		}
	}
	if len(fixed) == 0 {
		fixed = alternative
	}
	fixed = slices.DeleteFunc(fixed, func(c *cond) bool { _, ok := c.field.Input(); return !ok })
	var sorted []string // fields of a sort key
	for _, t := range pl.order {
		sorted = append(sorted, "{"+t.name+"}")
	}
	if len(sorted) == 0 {
		for i := range pl.conds {
			if c := &pl.conds[i]; isRange(c.op) && c.field != nil {
				sorted = append(sorted, "{"+c.field.Name+"}")
				break
			}
		}
	}
	switch {
	case len(fixed) == 0 && either:
		return "the branches of the Or do not all fix one key: run a query for each"
	case len(fixed) == 0 && len(sorted) == 0 && pl.e.def.List == 0:
		return "the entity trait `list` adds an index of all items, AllowScan reads the whole table"
	case len(fixed) == 0:
		return "an index needs a field that the query fixes by =; AllowScan reads the whole table"
	case len(fixed) == 1 && len(sorted) == 0:
		f := fixed[0].field
		if len(f.Path()) == 1 {
			return "tag " + f.Name + " `index`"
		}
	}
	name, pk := "by", ""
	delim := pl.e.schema.cfg.Delimiter
	for i, c := range fixed {
		title := strings.ReplaceAll(c.field.Name, ".", "")
		name += title
		if i > 0 {
			pk += delim
		}
		pk += strings.ToUpper(title) + delim + "{" + c.field.Name + "}"
	}
	if pl.e.primary != nil && !slices.Contains(sorted, "{"+pl.e.primary.Name+"}") {
		sorted = append(sorted, "{"+pl.e.primary.Name+"}")
	}
	return "add `_ dynorm.Index` with the tag `dynorm:\"" + name + "\" pk:\"" + pk + "\" sk:\"" + strings.Join(sorted, delim) + "\"`"
}

func isRange(op predicateOp) bool {
	switch op {
	case opLt, opLe, opGt, opGe, opBetween, opBeginsWith:
		return true
	}
	return false
}

// unknownIndex is the error of a pin to an index that the entity has no entries
// in.
func (pl *planner) unknownIndex() error {
	var names []string
	for _, p := range pl.e.paths()[1:] {
		if names = append(names, p.index); p.name != p.index {
			names = append(names, p.name)
		}
	}
	if len(names) == 0 {
		return faultf(ErrNoIndex, "there is no index %q: %s has none", pl.opts.index, pl.e.def.Name)
	}
	hint := ""
	if best, ok := suggest.Nearest(pl.opts.index, names); ok {
		hint = " (did you mean " + best + "?)"
	}
	return faultf(ErrNoIndex, "there is no index %q: %s has %s%s", pl.opts.index, pl.e.def.Name, strings.Join(names, ", "), hint)
}
