package dynorm

import (
	"slices"
	"strconv"
	"strings"

	"github.com/dynorm/dynorm/parser"
)

// faultsOf lists the faults of a definition that an error joins.
func faultsOf(err error) (list []*parser.DefinitionError) {
	if many, ok := err.(interface{ Unwrap() []error }); ok {
		for _, e := range many.Unwrap() {
			list = append(list, faultsOf(e)...)
		}
		return list
	}
	if fault, ok := err.(*parser.DefinitionError); ok { //nolint:errorlint // joined errors are taken apart
		list = append(list, fault)
	}
	return list
}

// sound is what is left of a definition without the parts that its faults are
// about and without what is made of those. It is derived like any other, so that
// one error tells all there is to mend, and nothing that follows from a fault
// already told.
type sound struct {
	def parser.Entity
	// dropped are the indexes that are left out.
	dropped []parser.Index
	lost    map[string]bool // fields and relations, by Go name and attribute
}

// soundPart returns what is sound of a definition; ok is false where that has no
// key.
func soundPart(def parser.Entity, faults []*parser.DefinitionError) (part sound, ok bool) {
	part = sound{def: def, lost: map[string]bool{}}
	bad := map[string]bool{} // indexes by name
	for _, fault := range faults {
		switch name := fault.Field; {
		case name == "" || strings.HasPrefix(name, "fields[") || strings.HasPrefix(name, "relations["):
			return part, false
		case name == "_":
			if !part.blameMarker(fault.Tag, bad) {
				return part, false
			}
		case strings.HasPrefix(name, "indexes["), strings.HasPrefix(name, "uniques["):
			n, err := strconv.Atoi(strings.TrimSuffix(name[len("indexes["):], "]"))
			switch {
			case err != nil:
				return part, false
			case name[0] == 'i' && n < len(def.Indexes):
				bad[def.Indexes[n].Name] = true
			}
		default:
			part.lost[name] = true
			for segment := range strings.SplitSeq(name, ".") {
				part.lost[segment] = true
			}
		}
	}
	keyless := false
	part.def.Fields = without(def.Fields, func(f *parser.Field) bool {
		if !part.lost[f.Name] {
			return false
		}
		part.lost[f.Attr] = true
		keyless = keyless || f.Primary
		return true
	})
	if keyless || def.Key != nil && (part.uses(def.Key.PK) || part.uses(def.Key.SK)) {
		return part, false
	}
	part.def.Indexes = without(def.Indexes, func(ix *parser.Index) bool {
		fields := slices.Concat(ix.PKParts, ix.SKParts, ix.Include)
		if when, err := parser.ParseWhen(ix.When); err == nil {
			for _, term := range when.Terms {
				fields = append(fields, term.Field)
			}
		}
		if !bad[ix.Name] && !part.uses(ix.PK) && !part.uses(ix.SK) && !slices.ContainsFunc(fields, part.isLost) {
			return false
		}
		part.dropped = append(part.dropped, *ix)
		return true
	})
	part.def.Uniques = without(def.Uniques, func(u *parser.Unique) bool { return slices.ContainsFunc(u.Fields, part.isLost) })
	part.def.Relations = without(def.Relations, func(r *parser.Relation) bool {
		return slices.ContainsFunc([]string{r.Name, r.Foreign, r.ForeignType, r.Other}, part.isLost)
	})
	return part, true
}

// without returns the elements of a list but those that are lost.
func without[E any](list []E, lost func(*E) bool) (left []E) {
	for i := range list {
		if !lost(&list[i]) {
			left = append(left, list[i])
		}
	}
	return left
}

// blameMarker finds the index that a fault of a marker's tag is of. It returns
// false for one of the key, and for one that can't be told.
func (p *sound) blameMarker(tag string, bad map[string]bool) bool {
	key, quoted, _ := strings.Cut(strings.Trim(tag, "`"), ":")
	text, err := strconv.Unquote(quoted)
	if err != nil {
		return false
	}
	if k := p.def.Key; k != nil && (key == "pk" && k.PK == text || key == "sk" && k.SK == text) {
		return false
	}
	bare := strings.ReplaceAll(text, " ", "")
	found := false
	for _, ix := range p.def.Indexes {
		name, _, _ := strings.Cut(text, ",")
		if key == "dynorm" && ix.Name == name || key == "when" && ix.When == text ||
			key == "pk" && (ix.PK == text || ix.Native && strings.Join(ix.PKParts, ",") == bare) ||
			key == "sk" && (ix.SK == text || ix.Native && strings.Join(ix.SKParts, ",") == bare) {
			bad[ix.Name], found = true, true
		}
	}
	// What else there is in a dynorm tag, traits and constraints, no key is made
	// of.
	return found || key == "dynorm"
}

func (p *sound) isLost(name string) bool {
	first, _, _ := strings.Cut(name, ".")
	return name != "" && (p.lost[name] || p.lost[first])
}

// uses reports whether a template names what is left out.
func (p *sound) uses(template string) bool {
	for {
		_, field, after, ok := cutReference(template)
		if !ok || p.isLost(field) {
			return ok
		}
		template = after
	}
}

// droppedFaults are the faults of the indexes left out that do not come from
// what their definition lacks.
func (e *entity) droppedFaults() (faults []error) {
	for _, ix := range e.sound.dropped {
		if fault := e.schema.constantFault(&e.def, ix, e.shardField()); fault != nil {
			faults = append(faults, fault)
		}
		if ix.Local {
			if fault := e.localFault(ix); fault != nil {
				faults = append(faults, fault)
			}
		}
	}
	return faults
}
