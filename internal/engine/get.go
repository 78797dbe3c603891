package engine

import (
	"github.com/dynorm/dynorm/internal/engine/expr"
	"github.com/dynorm/dynorm/internal/engine/wire"
)

// get is a read of one item: a GetItem, or a part of a batch or transaction.
type get struct {
	table      wire.Text
	key        itemInput
	consistent wire.Bool
	exprs      exprInput
	compiled   compiled

	place string // the tree key that was looked for
}

func (g *get) field(r *wire.Reader, name string) {
	switch name {
	case "TableName":
		g.table = r.Text()
	case "Key":
		g.key = readItem(r)
	case "ConsistentRead":
		g.consistent = r.Bool()
	default:
		if !g.exprs.field(r, name) {
			r.Skip()
		}
	}
}

// find returns the item's record, or nil. The caller holds the lock.
func (g *get) find(t *table) (r *record, err error) {
	if g.place, err = t.keys.place(g.key.item); err != nil {
		return nil, err
	}
	if err := g.compiled.checkKeys(t.keys, t.indexes); err != nil {
		return nil, err
	}
	r, _ = t.items.Get(g.place)
	return r, nil
}

func sizeOf(r *record) int {
	if r == nil {
		return 0
	}
	return r.size
}

func (e *Engine) getItem(r *wire.Reader) ([]byte, error) {
	var consumed wire.Text
	var g get
	g.exprs.takes = legacyOfGet
	err := decode(r, "GetItemInput", func(name string) {
		if name == "ReturnConsumedCapacity" {
			consumed = r.Text()
			return
		}
		g.field(r, name)
	})
	if err != nil {
		return nil, err
	}
	var s shape
	s.consumed(consumed)
	s.table(g.table, "tableName")
	s.required(g.key.set, "key")
	g.exprs.shape(&s)
	if err := s.err(); err != nil {
		return nil, err
	}
	if err := checkName(g.table); err != nil {
		return nil, err
	}
	if err := g.exprs.mixed(expr.KindProjection); err != nil {
		return nil, err
	}
	if g.key.err != nil {
		return nil, g.key.err
	}
	if g.compiled, err = g.exprs.compile(&e.syntax, expr.KindProjection, expr.WordingRead); err != nil {
		return nil, err
	}

	now := e.cfg.Now()
	e.mu.RLock()
	t, err := e.table(g.table, now)
	if err != nil {
		e.mu.RUnlock()
		return nil, err
	}
	u := usage{table: t.name}
	found, err := g.find(t)
	e.mu.RUnlock()
	if err != nil {
		return nil, err
	}

	size := 128
	if found != nil {
		size += len(found.json)
	}
	o := wire.Begin(make([]byte, 0, size))
	if found != nil {
		o.Key("Item")
		o.Buf = g.compiled.appendShown(o.Buf, found)
	}
	if want := reportOf(consumed); want != reportNone {
		u.own = readUnits(sizeOf(found), g.consistent.V)
		o.Key("ConsumedCapacity")
		o.Buf = u.append(o.Buf, want, plainUnits)
	}
	return o.End(), nil
}
