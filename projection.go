package dynorm

import (
	"slices"
	"strings"

	"github.com/dynorm/dynorm/internal/codec"
	"github.com/dynorm/dynorm/internal/expr"
)

// resolveSelects finds the fields of Select.
func (pl *planner) resolveSelects() error {
	for _, ref := range pl.opts.selects {
		f, err := ref.resolve(pl.e)
		if err != nil {
			return err
		}
		if secret := pl.e.encrypted[f.Path()[0].Name]; secret != nil && len(f.Path()) > 1 {
			return atField(f.Name, faultf(ErrInvalid, "is a part of %s, which is encrypted: select the whole of it", secret.Name))
		}
		pl.selects = append(pl.selects, f)
	}
	return nil
}

// projection writes the projection expression of a query with Select, empty
// without: the fields asked for, those that make up the base key, and the
// attributes that the library needs. DynamoDB refuses paths that overlap, so
// what lies within another path is left out.
func (pl *planner) projection(p *accessPath, w *expr.Builder) string {
	if len(pl.selects) == 0 {
		return ""
	}
	var paths [][]codec.Step
	add := func(path []codec.Step) {
		for i := range paths {
			if n := min(len(paths[i]), len(path)); slices.Equal(paths[i][:n], path[:n]) {
				paths[i] = path[:n]
				return
			}
		}
		paths = append(paths, path)
	}
	for _, f := range slices.Concat(pl.selects, pl.needs) {
		add(f.Path())
	}
	for _, kt := range []*keyTemplate{pl.e.pk, pl.e.sk} {
		for _, f := range kt.fields {
			add(f.Path())
		}
	}
	own := append(p.keyAttrs(pl.e), pl.e.schema.cfg.EntityType, pl.e.deletedAttr, pl.e.ttlAttr)
	for _, attr := range own {
		if attr != "" {
			add([]codec.Step{{Name: attr}})
		}
	}
	texts := make([]string, 0, len(paths))
	for _, path := range paths {
		elems := make([]expr.Elem, len(path))
		for i, step := range path {
			elems[i] = expr.Elem{Name: step.Name, Index: step.Index, List: step.List}
		}
		if text := w.Path(elems); !slices.Contains(texts, text) {
			texts = append(texts, text)
		}
	}
	return strings.Join(texts, ", ")
}
