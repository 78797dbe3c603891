package patterntest

import (
	"context"
	"go/ast"
	"go/parser"
	"slices"
	"strconv"

	"github.com/stretchr/testify/require"

	"github.com/dynorm/dynorm"
	definition "github.com/dynorm/dynorm/parser"
)

// call is an example call as a chain: the model, then methods.
type call struct {
	model string
	links []link
}

type link struct {
	method string
	args   []ast.Expr
}

// parseCall reads an example call.
func (c *check) parseCall(p *dynorm.AccessPattern) call {
	expr, err := parser.ParseExpr(p.Call)
	require.NoError(c.t, err, p.Call)
	var parsed call
	for {
		x, ok := expr.(*ast.CallExpr)
		require.True(c.t, ok, p.Call)
		switch fun := x.Fun.(type) {
		case *ast.IndexExpr: // dynorm.ModelOf[User](db)
			parsed.model = fun.Index.(*ast.Ident).Name
			slices.Reverse(parsed.links)
			return parsed
		case *ast.SelectorExpr:
			id, _ := fun.X.(*ast.Ident)
			if id != nil && id.Name == "dynorm" { // dynorm.Collection(db, "USER", id)
				parsed.links = append(parsed.links, link{fun.Sel.Name, x.Args})
				slices.Reverse(parsed.links)
				return parsed
			}
			if id != nil && id.Name == "db" { // db.Entity("User")
				parsed.model = c.literal(x.Args[0])
				slices.Reverse(parsed.links)
				return parsed
			}
			parsed.links = append(parsed.links, link{fun.Sel.Name, x.Args})
			expr = fun.X
		default:
			require.Fail(c.t, "not a call of a model", p.Call)
		}
	}
}

func (c *check) literal(x ast.Expr) string {
	lit, ok := x.(*ast.BasicLit)
	require.True(c.t, ok)
	s, err := strconv.Unquote(lit.Value)
	require.NoError(c.t, err)
	return s
}

// execute runs the example call of a pattern with the values of a row, and
// compares what it returns, in which order, and the requests that it took.
func (c *check) execute(ctx context.Context, def *definition.Entity, p *dynorm.AccessPattern, sample dynorm.Record) {
	parsed := c.parseCall(p)
	if p.Kind == dynorm.PatternCollection {
		c.collection(ctx, def, p, parsed, sample)
		return
	}
	if def.Reflect != nil {
		require.Equal(c.t, def.Reflect.Name(), parsed.model, p.Call)
	} else {
		require.Equal(c.t, def.Name, parsed.model, p.Call)
	}
	for _, attr := range p.Fields {
		if missing(field(def, sample, attr)) {
			return // nothing is found by what is missing
		}
	}
	c.counts.Calls++
	c.watch()
	if p.Kind == dynorm.PatternGet || p.Kind == dynorm.PatternUnique {
		c.one(ctx, def, p, parsed, sample)
		return
	}
	q := c.db.Entity(def.Name).Query()
	for _, l := range parsed.links {
		switch l.method {
		case "Query", "List":
		case "Where":
			for _, arg := range l.args {
				eq := arg.(*ast.CallExpr)
				require.Equal(c.t, "Eq", eq.Fun.(*ast.SelectorExpr).Sel.Name)
				attr := c.literal(eq.Args[0])
				q = q.Where(dynorm.Eq(attr, field(def, sample, attr)))
			}
		case "OnlyTrashed":
			q = q.OnlyTrashed()
		case "Index":
			q = q.Index(c.literal(l.args[0]))
		case "Hydrate":
			q = q.Hydrate()
		case "OrderBy":
			q = q.OrderBy(c.literal(l.args[0]))
		case "OrderByDesc":
			q = q.OrderByDesc(c.literal(l.args[0]))
		default:
			require.Fail(c.t, "a call that is not known", p.Call)
		}
	}
	require.Equal(c.t, "List", parsed.links[len(parsed.links)-1].method)
	c.list(ctx, def, p, sample, q)
}

// one runs a call that finds one item.
func (c *check) one(ctx context.Context, def *definition.Entity, p *dynorm.AccessPattern, parsed call, sample dynorm.Record) {
	var (
		got dynorm.Record
		err error
	)
	m := c.db.Entity(def.Name)
	if p.Kind == dynorm.PatternGet {
		got, err = m.Find(ctx, sample)
	} else {
		q := m.Query()
		for _, attr := range p.Fields {
			q = q.Where(dynorm.Eq(attr, field(def, sample, attr)))
		}
		var found *dynorm.Record
		if found, err = q.First(ctx); err == nil {
			got = *found
		}
	}
	require.Contains(c.t, []string{"Find", "Get", "FindBy", "First"}, parsed.links[len(parsed.links)-1].method)
	live := slices.IndexFunc(c.rows[def.Name], func(r dynorm.Record) bool {
		return !c.trashed(def, r) && !slices.ContainsFunc(p.Fields, func(attr string) bool {
			return !same(field(def, r, attr), field(def, sample, attr))
		})
	})
	if live >= 0 {
		require.Len(c.t, c.sent, p.Requests, p.Name)
	}
	for _, kind := range c.sent {
		require.Equal(c.t, dynorm.OpGetItem, kind, p.Name)
	}
	if live < 0 {
		require.ErrorIs(c.t, err, dynorm.ErrNotFound)
		return
	}
	require.NoError(c.t, err, p.Name)
	require.Equal(c.t, c.rowKey(def, c.rows[def.Name][live]), c.rowKey(def, got))
	c.cost(p, 1)
	c.counts.Items++
}

// list runs a call that lists items, at times narrowed by a range.
func (c *check) list(ctx context.Context, def *definition.Entity, p *dynorm.AccessPattern, sample dynorm.Record, q dynorm.Query[dynorm.Record]) {
	var low any
	if p.Range != "" && c.rand.IntN(3) == 0 {
		if low = field(def, sample, p.Range); missing(low) {
			low = nil
		} else {
			q = q.Where(dynorm.Ge(p.Range, low))
		}
	}
	plan, err := q.Explain()
	require.NoError(c.t, err, "%s: %s", p.Name, p.Call)
	require.Equal(c.t, p.Index, plan.Index, "%s: %s", p.Name, plan)
	if p.Index != "" {
		require.Equal(c.t, p.For, plan.For, p.Name)
	}
	require.Len(c.t, plan.Keys, p.Requests, p.Name)
	require.Equal(c.t, p.ReadUnits, plan.ReadUnits, p.Name)
	if low == nil && c.native(p.Index) == nil {
		for _, key := range plan.Keys {
			require.Regexp(c.t, keyPattern(p.Key), key, p.Name)
		}
	}
	var want []string
	for _, r := range c.rows[def.Name] {
		matches := c.trashed(def, r) == (p.Kind == dynorm.PatternTrashed) && (p.Index == "" || c.entry(def, p, r))
		for _, attr := range p.Fields {
			matches = matches && same(field(def, r, attr), field(def, sample, attr))
		}
		if matches && low != nil {
			matches = compare(field(def, r, p.Range), low) >= 0
		}
		if matches {
			want = append(want, c.rowKey(def, r))
		}
	}
	items, err := q.List(ctx)
	require.NoError(c.t, err, p.Name)
	hydrations := 0
	for _, kind := range c.sent {
		switch kind {
		case dynorm.OpQuery:
		case dynorm.OpBatchGetItem:
			hydrations++
		default:
			require.Fail(c.t, string(kind), p.Name)
		}
	}
	require.Equal(c.t, p.Requests, len(c.sent)-hydrations, p.Name)
	require.LessOrEqual(c.t, hydrations, 1, p.Name)
	c.cost(p, len(items))
	var got []string
	for i, r := range items {
		got = append(got, c.rowKey(def, *r))
		if i > 0 {
			require.LessOrEqual(c.t, order(def, p, *items[i-1], *r), 0, "%s is out of order: %v", p.Name, got)
		}
	}
	c.counts.Items += len(got)
	slices.Sort(want)
	slices.Sort(got)
	require.Equal(c.t, want, got, "%s: %s\n%s", p.Name, p.Call, plan)
}

// order compares two rows by what a pattern says it is sorted by.
func order(def *definition.Entity, p *dynorm.AccessPattern, a, b dynorm.Record) int {
	for _, term := range p.Sorted {
		attr, desc := term, false
		if n := len(term) - len(" desc"); n > 0 && term[n:] == " desc" {
			attr, desc = term[:n], true
		}
		o := compare(field(def, a, attr), field(def, b, attr))
		if desc {
			o = -o
		}
		if o != 0 {
			return o
		}
	}
	return 0
}

// collection runs a call that reads the items of a partition, of the entities
// that the pattern lists.
func (c *check) collection(ctx context.Context, def *definition.Entity, p *dynorm.AccessPattern, parsed call, sample dynorm.Record) {
	require.Equal(c.t, "Collection", parsed.links[0].method)
	require.Equal(c.t, "Load", parsed.links[len(parsed.links)-1].method)
	var partition []any
	var values []any
	for _, arg := range parsed.links[0].args[1:] {
		if _, ok := arg.(*ast.BasicLit); ok {
			partition = append(partition, c.literal(arg))
			continue
		}
		v := field(def, sample, p.Fields[len(values)])
		if missing(v) {
			return // no item has such a key
		}
		partition, values = append(partition, v), append(values, v)
	}
	require.Len(c.t, values, len(p.Fields), p.Call)
	q := dynorm.Collection(c.db, partition...)
	if p.Index != "" {
		require.Equal(c.t, "Index", parsed.links[1].method)
		q = q.Index(c.literal(parsed.links[1].args[0]))
	}
	plan, err := q.Explain()
	require.NoError(c.t, err, p.Call)
	require.Equal(c.t, p.Index, plan.Index, p.Call)
	require.Equal(c.t, p.ReadUnits, plan.ReadUnits, p.Call)
	require.Regexp(c.t, keyPattern(p.Key), plan.Keys[0], p.Call)
	c.counts.Calls++
	c.watch()
	res, err := q.Load(ctx)
	require.NoError(c.t, err, p.Call)
	require.Len(c.t, c.sent, p.Requests, p.Call)
	require.Empty(c.t, res.Unknown, p.Call)
	found := 0
	for _, name := range p.Entities {
		other := c.definition(name)
		attrs := c.partitionFields(other, p)
		var want, got []string
		for _, r := range c.rows[name] {
			matches := !c.trashed(other, r) && c.entry(other, &dynorm.AccessPattern{Index: p.Index, For: c.declared(other, p.Index)}, r)
			for i, attr := range attrs {
				matches = matches && same(field(other, r, attr), values[i])
			}
			if matches {
				want = append(want, c.rowKey(other, r))
			}
		}
		records, err := res.Records(name)
		require.NoError(c.t, err)
		for _, r := range records {
			got = append(got, c.rowKey(other, r))
		}
		c.counts.Items += len(got)
		found += len(got)
		slices.Sort(want)
		slices.Sort(got)
		require.Equal(c.t, want, got, "%s: %s of %s\n%s", p.Name, name, p.Call, plan)
	}
	c.cost(p, found)
}
