package engine

import (
	"slices"

	"github.com/dynorm/dynorm/internal/engine/expr"
	"github.com/dynorm/dynorm/internal/engine/value"
	"github.com/dynorm/dynorm/internal/engine/wire"
)

// compiled are a request's expressions, read and checked. The zero value has
// none: every condition holds, and items are shown whole.
type compiled struct {
	update     *expr.Update
	condition  *expr.Condition
	filter     *expr.Condition
	filterName string // of the parameter, if a legacy one
	key        *expr.KeyCondition
	projection *expr.Projection
}

// compile reads the expressions, of the parameters that the operation takes,
// in the service's order.
func (in *exprInput) compile(cache *expr.Cache, takes expr.Kind, wording expr.Wording) (c compiled, err error) {
	if c, err = in.compileExpressions(cache, takes, wording); err != nil || in.legacy == nil {
		return c, err
	}
	return c, in.legacy.compile(&c)
}

func (in *exprInput) compileExpressions(cache *expr.Cache, takes expr.Kind, wording expr.Wording) (c compiled, err error) {
	texts := [...]struct {
		kind expr.Kind
		text wire.Text
	}{
		{expr.KindUpdate, in.update},
		{expr.KindCondition, in.condition},
		{expr.KindFilter, in.filter},
		{expr.KindProjection, in.projection},
		{expr.KindKeyCondition, in.keyCondition},
	}
	has := expr.Kind(0)
	for _, t := range texts {
		if t.text.Set {
			has |= t.kind
		}
	}
	if has == 0 && !in.namesSet && !in.valuesSet {
		return c, nil
	}
	scope := expr.Scope{Names: in.names, Values: in.values, Wording: wording, Cache: cache}
	if in.namesSet && in.names == nil {
		scope.Names = expr.Names{}
	}
	if in.valuesSet && in.values == nil {
		scope.Values = expr.Values{}
	}
	if in.err != nil {
		return c, in.err
	}
	if err := scope.Check(takes, has); err != nil {
		return c, err
	}
	for _, t := range texts {
		if !t.text.Set {
			continue
		}
		switch t.kind {
		case expr.KindUpdate:
			c.update, err = expr.ParseUpdate(t.text.V, &scope)
		case expr.KindCondition:
			c.condition, err = expr.ParseCondition(t.kind, t.text.V, &scope)
		case expr.KindFilter:
			c.filter, err = expr.ParseCondition(t.kind, t.text.V, &scope)
		case expr.KindKeyCondition:
			c.key, err = expr.ParseKeyCondition(t.text.V, &scope)
		case expr.KindProjection:
			c.projection, err = expr.ParseProjection(t.text.V, &scope)
		}
		if err != nil {
			return c, err
		}
	}
	if err := scope.CheckUsed(); err != nil {
		return c, err
	}
	if c.key != nil {
		return c, c.key.Check()
	}
	return c, nil
}

// holds reports whether the condition does of item, which is empty if there is
// none.
func (c *compiled) holds(item value.Item) bool {
	return c.condition == nil || c.condition.Eval(item)
}

// keeps reports whether the filter lets item through.
func (c *compiled) keeps(item value.Item) bool {
	return c.filter == nil || c.filter.Eval(item)
}

// apply returns the item with the update's changes.
func (c *compiled) apply(item value.Item) (value.Item, error) {
	if c.update == nil {
		return item, nil
	}
	return c.update.Apply(item)
}

// updated returns the parts of item that the update changes.
func (c *compiled) updated(item value.Item) value.Item {
	if c.update == nil {
		return value.Item{}
	}
	return c.update.Updated(item)
}

// checkKeys refuses updates of the table's key, and paths into the parts that
// attributes of keys do not have.
func (c *compiled) checkKeys(keys keySchema, indexes []*index) error {
	if c.update == nil && c.condition == nil && c.filter == nil && c.projection == nil {
		return nil
	}
	names := keyNames(keys)
	if err := c.checkScalars(names, false); err != nil {
		return err
	}
	if c.update != nil {
		if err := c.update.CheckKeys(names); err != nil {
			return err
		}
		if err := c.update.CheckScalars(names, false); err != nil {
			return err
		}
	}
	for _, x := range indexes {
		names := keyNames(x.keys)
		if err := c.checkScalars(names, true); err != nil {
			return err
		}
		if c.update == nil {
			continue
		}
		if err := c.update.CheckScalars(names, true); err != nil {
			return err
		}
	}
	return nil
}

// checkScalars refuses paths into the named attributes, in all expressions but
// the update.
func (c *compiled) checkScalars(names []string, index bool) error {
	for _, cond := range []*expr.Condition{c.condition, c.filter} {
		if cond != nil {
			if err := cond.CheckScalars(names, index); err != nil {
				return err
			}
		}
	}
	if c.projection != nil {
		return c.projection.CheckScalars(names, index)
	}
	return nil
}

func keyNames(k keySchema) []string {
	names := make([]string, len(k.all))
	for i, a := range k.all {
		names[i] = a.name
	}
	return names
}

// appendShown appends the JSON of the record as the projection shows it.
func (c *compiled) appendShown(dst []byte, r *record) []byte {
	if c.projection == nil {
		return append(dst, r.json...)
	}
	return wire.AppendItem(dst, c.projection.Apply(r.item))
}

// span returns the keys that the key condition covers in the tree of a table,
// or of the index with the given name.
func (c *compiled) span(keys keySchema, index string) (span, error) {
	r, err := c.keyRange(keys, index)
	if err != nil {
		return span{}, err
	}
	return spanOf(r)
}

// keyRange returns what the key condition says about a table's or index's key.
func (c *compiled) keyRange(keys keySchema, index string) (expr.KeyRange, error) {
	return c.key.Range(expr.KeySchema{Index: index, Partition: exprAttrs(keys.partition), Sort: exprAttrs(keys.sort)})
}

func exprAttrs(attrs []keyAttr) []expr.KeyAttr {
	out := make([]expr.KeyAttr, len(attrs))
	for i, a := range attrs {
		out[i] = expr.KeyAttr{Name: a.name, Kind: a.kind}
	}
	return out
}

// spanOf returns the keys of a range: all begin with the partition and the
// sort attributes that are fixed, and lie between the bounds on the next one.
func spanOf(r expr.KeyRange) (span, error) {
	prefix := partitionKey(nil, r.Partition)
	for _, v := range r.Sort {
		prefix = value.AppendKey(prefix, v)
	}
	if !r.Prefix.IsZero() {
		prefix = value.AppendKeyPrefix(prefix, r.Prefix)
	}
	s := span{low: string(prefix), high: after(string(prefix))}
	if !r.Lower.IsZero() {
		s.low = string(value.AppendKey(slices.Clone(prefix), r.Lower))
		s.ends[0] = s.low
		if r.LowerOpen {
			s.low, s.ends[0] = after(s.low), ""
		}
	}
	if !r.Upper.IsZero() {
		s.high = string(value.AppendKey(slices.Clone(prefix), r.Upper))
		if !r.UpperOpen {
			s.high, s.ends[1] = after(s.high), s.high
		}
	}
	if !r.Lower.IsZero() && !r.Upper.IsZero() && value.Compare(r.Lower, r.Upper) > 0 {
		return s, invalid("Invalid KeyConditionExpression: The BETWEEN operator requires upper bound to be greater than or equal to lower bound; lower bound operand: AttributeValue: %s, upper bound operand: AttributeValue: %s",
			shownValue(r.Lower), shownValue(r.Upper))
	}
	return s, nil
}

func shownValue(v value.Value) string { return "{" + v.Kind().String() + ":" + v.Text() + "}" }
