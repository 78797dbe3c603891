package dynorm

import (
	"cmp"
	"slices"
	"strings"

	"github.com/dynorm/dynorm/internal/keytmpl"
	"github.com/dynorm/dynorm/parser"
)

// derivePivots returns the definitions of the pivots that belongsToMany
// relations lead through and nobody declared. A pivot stands in the partition
// of the entity whose name comes first, under the key of the other one; the
// way back is an index.
func derivePivots(defs []parser.Entity, delimiter string) []parser.Entity {
	find := func(name string) *parser.Entity {
		i := slices.IndexFunc(defs, func(e parser.Entity) bool { return e.Name == name })
		if i < 0 {
			return nil
		}
		return &defs[i]
	}
	var pivots []parser.Entity
	for i := range defs {
		for _, rel := range defs[i].Relations {
			known := slices.ContainsFunc(pivots, func(e parser.Entity) bool { return e.Name == rel.Through })
			target := find(rel.Target)
			if rel.Kind != parser.BelongsToMany || known || target == nil || find(rel.Through) != nil {
				continue
			}
			type end struct {
				e       *parser.Entity
				foreign string
			}
			first, second := end{&defs[i], rel.Foreign}, end{target, rel.Other}
			if first.e.Name > second.e.Name {
				first, second = second, first
			}
			pivot := parser.Entity{Name: rel.Through, Prefix: strings.ToUpper(rel.Through)}
			for _, x := range []end{first, second} {
				pivot.Fields = append(pivot.Fields, parser.Field{
					Name: x.foreign, Attr: parser.AttrName(x.foreign), Type: primaryType(x.e), Precision: -1,
				})
			}
			pivot.Key = &parser.Key{
				PK: keytmpl.Literal(cmp.Or(first.e.Prefix, strings.ToUpper(first.e.Name))) + delimiter + "{" + first.foreign + "}",
				SK: keytmpl.Literal(pivot.Prefix) + delimiter + "{" + second.foreign + "}",
			}
			pivots = append(pivots, pivot)
		}
	}
	return pivots
}

// primaryType is the type of an entity's primary field, as a definition without
// Go types has it.
func primaryType(e *parser.Entity) parser.Type {
	for _, f := range e.Fields {
		if f.Primary {
			return parser.Type{Kind: f.Type.Kind, Bits: f.Type.Bits, Len: f.Type.Len}
		}
	}
	return parser.Type{Kind: parser.String}
}
