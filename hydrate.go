package dynorm

import (
	"context"
	"maps"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/dynorm/dynorm/internal/expr"
)

// Hydrate completes the items of an index that does not project all of what the
// query returns: it reads them from the table by their keys. Without it, such an
// index does not answer the query.
//
// Each page of the index takes a BatchGetItem for each 100 items more. Items
// that were deleted meanwhile are left out.
func (q Query[T]) Hydrate() Query[T] { return Query[T]{q.s.hydrate()} }

func (s *queryState) hydrate() *queryState {
	s = s.with()
	s.opts.hydrate = true
	return s
}

// lacks returns the reason that the path's projection does not answer the query,
// and whether reading the items from the table would help.
func (pl *planner) lacks(p *accessPath, branches []branch) (reason string, hydrate bool) {
	if p.projected == nil {
		return "", false
	}
	for i := range branches {
		if name := p.unprojected(branches[i].residual); name != "" {
			return "does not project " + name + ", which the query filters by", false
		}
	}
	if name := p.unprojected(pl.hidden); name != "" {
		return "does not project " + name + ", by which deleted and expired items are told", false
	}
	missing := ""
	for i := range pl.selects {
		if attr := pl.selects[i].Path()[0].Name; !p.projected[attr] {
			missing = pl.selects[i].Name
		}
	}
	if len(pl.selects) == 0 {
		for i := range pl.e.codec.NumFields() {
			if f := pl.e.codec.Field(i); !p.projected[f.Attr] {
				missing = f.Name
			}
		}
	}
	switch {
	case missing == "":
		return "", false
	case pl.opts.hydrate:
		return "", true
	}
	return "does not project " + missing + ": select other fields, or use Hydrate", false
}

// unprojected returns the name of a field that conditions compare and the path
// does not have, empty for none.
func (p *accessPath) unprojected(conds []cond) string {
	for i := range conds {
		c := &conds[i]
		if name := p.unprojected(c.subs); name != "" {
			return name
		}
		if c.raw != nil {
			for _, operand := range c.raw.operands {
				if operand.field != nil && !p.projected[operand.field.Path()[0].Name] {
					return operand.field.Name
				}
			}
		}
		switch {
		case c.field != nil && !p.projected[c.field.Path()[0].Name]:
			return c.field.Name
		case c.field == nil && c.attr != "" && !p.projected[c.attr]:
			return c.attr
		}
	}
	return ""
}

// hydrate replaces the entries of an index by their items.
func (r *reader) hydrate(ctx context.Context, rows []row) ([]row, error) {
	if len(rows) == 0 {
		return rows, nil
	}
	entries, err := wholeRows(rows)
	if err != nil {
		return nil, err
	}
	e := r.p.e
	keys := make([]Item, len(entries))
	for i, entry := range entries {
		keys[i] = e.keyIn(entry)
	}
	how := types.KeysAndAttributes{ConsistentRead: &r.p.hydrateConsistent}
	if q := &r.p.branches[0].request; q.hydration != "" {
		how.ProjectionExpression, how.ExpressionAttributeNames = &q.hydration, expr.NameMap(q.hydrationNames)
	}
	items, err := r.db.batchGetItems(ctx, e, r.op, keys, how)
	if err != nil {
		return nil, err
	}
	byKey := make(map[string]Item, len(items))
	for _, item := range items {
		byKey[e.keyID(item)] = item
	}
	whole := entries[:0]
	for _, entry := range entries {
		item := byKey[e.keyID(entry)]
		if item == nil || r.hides(&row{content: content{item: item}}) {
			continue
		}
		// The place in the index is that of the entry, which may lag behind.
		item = maps.Clone(item)
		for _, attr := range r.p.path.keyAttrs(e) {
			item[attr] = entry[attr]
		}
		whole = append(whole, item)
	}
	return rowsOf(whole), nil
}
