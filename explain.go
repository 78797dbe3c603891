package dynorm

import (
	"fmt"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/dynorm/dynorm/parser"
)

// Explain says which index entry is on which index, what asked for it and why
// it is there. It does no I/O.
func (s *Schema) Explain() string {
	var b strings.Builder
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	fmt.Fprintf(w, "table (%s, %s)\n", s.cfg.PK, s.cfg.SK)
	for _, e := range s.entities {
		fmt.Fprintf(w, "  %s\t%s\t%s\n", e.def.Name, e.pk.key.Pattern(), e.sk.key.Pattern())
	}
	for _, sl := range slices.Concat(s.slots, s.locals) {
		projects := "all attributes"
		if sl.include != nil {
			projects = "the keys and " + strings.Join(sl.include, ", ")
		}
		_ = w.Flush() // a strings.Builder takes everything
		fmt.Fprintf(w, "\n%s (%s), %s\n", sl.name, strings.Join(sl.keyNames(), ", "), projects)
		for _, e := range s.entities {
			for _, d := range e.demands {
				if d.slot == sl {
					fmt.Fprintf(w, "  %s\t%s\t%s\t%s %s: %s\n", e.def.Name, d.pk.pattern(), d.sk.pattern(), d.kind, d.name, d.reason())
				}
			}
		}
	}
	_ = w.Flush()
	for _, local := range []bool{false, true} {
		if text := s.explainCount(local); text != "" {
			b.WriteString("\n" + text + "\n")
		}
	}
	return b.String()
}

// reason says why the demand is where it is.
func (d *demand) reason() string {
	text := d.placed
	if d.built != "" {
		text += ", built since " + d.built
	}
	if d.when != nil {
		text += ", where " + d.when.String()
	}
	if d.slot.include == nil && d.projection != "" && d.projection != parser.ProjectAll {
		text += ", with all attributes since another entry of the index has them"
	}
	return text
}

// explainCount says why there are as many indexes as there are.
func (s *Schema) explainCount(local bool) string {
	count, what := len(s.slots), "global"
	if local {
		count, what = len(s.locals), "local"
	}
	most, names := 0, []string(nil)
	for _, e := range s.entities {
		n := 0
		for _, d := range e.demands {
			if d.local == local {
				n++
			}
		}
		switch {
		case n > most:
			most, names = n, []string{e.def.Name}
		case n == most && n > 0:
			names = append(names, e.def.Name)
		}
	}
	if count == 0 {
		return ""
	}
	text := fmt.Sprintf("%d %s secondary index", count, what)
	if count > 1 {
		text += "es"
	}
	if count == most {
		return text + ": as many as " + needs(names)
	}
	return text + fmt.Sprintf(": the pins, the lock and the configuration ask for more than the %d that %s", most, needs(names))
}

// needs says that the entities need something.
func needs(names []string) string {
	if len(names) == 1 {
		return names[0] + " needs"
	}
	return strings.Join(names[:len(names)-1], ", ") + " and " + names[len(names)-1] + " need"
}
