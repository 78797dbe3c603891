package dynorm

import (
	"fmt"
	"strings"

	"github.com/dynorm/dynorm/parser"
)

// Mermaid returns the schema as a Mermaid diagram: the entities with their
// fields, the relations between them, and the indexes that answer them.
func (s *Schema) Mermaid() string {
	var b strings.Builder
	b.WriteString("erDiagram\n")
	for _, e := range s.entities {
		fmt.Fprintf(&b, "    %s {\n", diagramName(e.def.Name))
		for _, f := range e.def.Fields {
			fmt.Fprintf(&b, "        %s %s%s\n", diagramName(string(f.Type.Kind)), diagramName(f.Attr), e.diagramMarks(f))
		}
		b.WriteString("    }\n")
	}
	for _, e := range s.entities {
		for _, rel := range e.def.Relations {
			if line := e.diagramRelation(&rel); line != "" {
				b.WriteString("    " + line + "\n")
			}
		}
	}
	return b.String()
}

// diagramMarks are the keys that a field is part of, and the indexes whose
// partition it makes.
func (e *entity) diagramMarks(f parser.Field) string {
	var keys, indexes []string
	if e.inBaseKey(f.Attr) {
		keys = append(keys, "PK")
	}
	for _, rel := range e.def.Relations {
		if rel.Foreign == f.Name && (rel.Kind == parser.BelongsTo || rel.Kind == parser.MorphTo) && !strings.Contains(strings.Join(keys, " "), "FK") {
			keys = append(keys, "FK")
		}
	}
	if f.Unique {
		keys = append(keys, "UK")
	}
	for _, d := range e.demands {
		if d.pk.uses(f.Attr) && !d.local {
			indexes = append(indexes, d.slot.name)
		}
	}
	text := ""
	if len(keys) > 0 {
		text = " " + strings.Join(keys, ", ")
	}
	if len(indexes) > 0 {
		text += fmt.Sprintf(" %q", strings.Join(indexes, ", "))
	}
	return text
}

// diagramRelation is the line of a relation. Each is drawn once: from the entity
// that has the foreign key where its relation is declared, else from the other.
func (e *entity) diagramRelation(rel *parser.Relation) string {
	draw := func(left, line, right, label string) string {
		return fmt.Sprintf("%s %s %s : %q", diagramName(left), line, diagramName(right), label)
	}
	switch rel.Kind {
	case parser.BelongsTo:
		return draw(rel.Target, "|o--o{", e.def.Name, rel.Name+e.diagramIndex(rel.Foreign))
	case parser.HasOne, parser.HasMany:
		target := e.schema.byName[rel.Target]
		for _, back := range target.def.Relations {
			if back.Kind == parser.BelongsTo && back.Foreign == rel.Foreign && back.Target == e.def.Name {
				return ""
			}
		}
		line := "|o--o{"
		if rel.Kind == parser.HasOne {
			line = "|o--o|"
		}
		return draw(e.def.Name, line, rel.Target, rel.Name+target.diagramIndex(rel.Foreign))
	case parser.BelongsToMany:
		pivot := e.schema.byName[rel.Through]
		if pivot == nil {
			return ""
		}
		return draw(e.def.Name, "||--o{", rel.Through, rel.Name+pivot.diagramIndex(rel.Foreign))
	case parser.MorphOne, parser.MorphMany:
		return draw(e.def.Name, "|o..o{", rel.Target, rel.Name)
	}
	return ""
}

// diagramIndex names the index that has the items of a foreign key together.
func (e *entity) diagramIndex(foreign string) string {
	if e.keyedBy(e.pk.key.Template(), foreign) {
		return ""
	}
	for _, d := range e.demands {
		keyed := d.native && len(d.pk.fields) == 1 && d.pk.fields[0].Name == foreign ||
			!d.native && !d.local && e.keyedBy(d.pk.key.Template(), foreign)
		if keyed && !d.local && d.when == nil {
			return " (" + d.slot.name + ")"
		}
	}
	return ""
}

// diagramName is a name as Mermaid takes it: letters, digits, hyphens and
// underscores.
func diagramName(name string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9', r == '_', r == '-':
			return r
		}
		return '_'
	}, name)
}
