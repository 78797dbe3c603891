package dynorm_test

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/dynorm/dynorm"
	"github.com/dynorm/dynorm/internal/testdb"
	"github.com/dynorm/dynorm/parser"
)

// A world is a random schema of one entity (and its neighbours), the rows
// written and what an index holds of them.
type world struct {
	defs  []parser.Entity
	main  parser.Entity
	paths []worldPath
	rows  []dynorm.Record
}

// worldPath is an access path as the test understands it: by the fields of its
// templates.
type worldPath struct {
	name   string // "" for the table
	pk, sk []string
	shard  string // a field that the partition is sharded by, which no query needs
	exact  bool   // every reference keeps the value
	when   *whenTerm
}

type whenTerm struct {
	field, op, value string
}

var (
	// worldNow is far ahead of the engine's clock, so that no row is deleted
	// when its time to live has passed.
	worldNow   = time.Date(2100, 1, 1, 0, 0, 0, 0, time.UTC)
	worldTexts = []string{"a", "b", "ab", "A", "a#b", "%", ""}
	worldTimes = []time.Time{clock, clock.Add(time.Millisecond), clock.Add(time.Hour), clock.Add(30 * time.Hour), clock.Add(-400 * 24 * time.Hour)}
)

// worldFields are the fields a row may have, by kind.
var worldFields = []parser.Field{
	{Name: "ID", Attr: "id", Primary: true, Type: parser.Type{Kind: parser.String}},
	{Name: "S", Attr: "s", Type: parser.Type{Kind: parser.String}},
	{Name: "T", Attr: "t", Type: parser.Type{Kind: parser.String}},
	{Name: "U", Attr: "u", OmitEmpty: true, Type: parser.Type{Kind: parser.String}},
	{Name: "N", Attr: "n", Type: parser.Type{Kind: parser.Int, Bits: 64}},
	{Name: "M", Attr: "m", OmitEmpty: true, Type: parser.Type{Kind: parser.Int, Bits: 16}},
	{Name: "P", Attr: "p", Type: parser.Type{Kind: parser.Int, Bits: 32, Pointer: true}},
	{Name: "At", Attr: "at", Precision: 3, Type: parser.Type{Kind: parser.Time}},
	{Name: "B", Attr: "b", Type: parser.Type{Kind: parser.Bool}},
}

func drawValue(t *rapid.T, field string, label string) any {
	switch field {
	case "ID":
		return rapid.SampledFrom([]string{"1", "2", "3", "10", "a#b", "x"}).Draw(t, label)
	case "S", "T", "U":
		return rapid.SampledFrom(worldTexts).Draw(t, label)
	case "N":
		return rapid.Int64Range(-3, 12).Draw(t, label)
	case "M":
		return int16(rapid.IntRange(-2, 3).Draw(t, label))
	case "P":
		return int32(rapid.IntRange(-2, 3).Draw(t, label))
	case "At":
		return rapid.SampledFrom(worldTimes).Draw(t, label)
	case "B":
		return rapid.Bool().Draw(t, label)
	}
	panic(field)
}

// drawTemplate returns a template with its fields.
func drawTemplate(t *rapid.T, label string, sortKey bool, minRefs int) (src string, fields []string, exact bool) {
	names := []string{"S", "T", "U", "N", "M", "P", "At", "B"}
	n := rapid.IntRange(minRefs, 3).Draw(t, label+" refs")
	exact = true
	var segments []string
	if !sortKey || rapid.Bool().Draw(t, label+" literal") {
		segments = append(segments, rapid.SampledFrom([]string{"K", "KEY", "k"}).Draw(t, label+" word"))
	}
	for i := range n {
		f := rapid.SampledFrom(names).Draw(t, fmt.Sprint(label, " field ", i))
		if slices.Contains(fields, f) {
			continue
		}
		fields = append(fields, f)
		mod := ""
		switch f {
		case "S", "T", "U":
			mod = rapid.SampledFrom([]string{"", "", "|lower", "|upper"}).Draw(t, "mod")
		case "At":
			mod = rapid.SampledFrom([]string{"", "", ":date", "|desc", ":hour"}).Draw(t, "mod")
		case "N", "M", "P":
			mod = rapid.SampledFrom([]string{"", "", "|desc"}).Draw(t, "mod")
		}
		if mod != "" {
			exact = false
		}
		segments = append(segments, "{"+f+mod+"}")
	}
	return strings.Join(segments, "#"), fields, exact
}

func drawWorld(t *rapid.T) *world {
	w := &world{}
	w.main = parser.Entity{Name: "Main", Fields: slices.Clone(worldFields)}
	if rapid.Bool().Draw(t, "own key") {
		// A base key needs its parts in every row: only those that always have one.
		pk := rapid.SampledFrom([][2]string{{"M#{N}", "N"}, {"M#{B}", "B"}, {"M", ""}, {"M#{ID}", "ID"}}).Draw(t, "pk")
		sk := rapid.SampledFrom([][2]string{{"{ID}", "ID"}, {"R#{N}#{ID}", "N,ID"}, {"R#{B}#{N|desc}#{ID}", "B,N,ID"}, {"{N}#{ID}", "N,ID"}}).Draw(t, "sk")
		w.main.Key = &parser.Key{PK: pk[0], SK: sk[0]}
		p := worldPath{exact: true, sk: strings.Split(sk[1], ",")}
		if pk[1] != "" {
			p.pk = []string{pk[1]}
		}
		w.paths = append(w.paths, p)
	} else {
		w.paths = append(w.paths, worldPath{exact: true, pk: []string{"ID"}, sk: []string{"ID"}})
	}
	for i := range rapid.IntRange(0, 3).Draw(t, "indexes") {
		ix := parser.Index{Name: fmt.Sprint("ix", i)}
		p := worldPath{name: ix.Name}
		var pkExact, skExact bool
		ix.PK, p.pk, pkExact = drawTemplate(t, "pk", false, 1)
		ix.SK, p.sk, skExact = drawTemplate(t, "sk", true, 1)
		if free := freeField(p.pk); rapid.IntRange(0, 3).Draw(t, "sharded") == 0 && free != "" {
			ix.PK += "#{" + free + "|shard=3}"
			p.shard = free
		}
		p.exact = pkExact && skExact
		if rapid.IntRange(0, 3).Draw(t, "has when") == 0 {
			p.when = &whenTerm{
				rapid.SampledFrom([]string{"S", "N", "B"}).Draw(t, "when field"),
				rapid.SampledFrom([]string{"", "!", "=", "!="}).Draw(t, "when op"), "",
			}
			p.when.value = map[string]string{"S": "a", "N": "2", "B": "true"}[p.when.field]
			switch p.when.op {
			case "", "!":
				ix.When = p.when.op + p.when.field
			default:
				ix.When = p.when.field + p.when.op + p.when.value
			}
		}
		w.main.Indexes = append(w.main.Indexes, ix)
		w.paths = append(w.paths, p)
	}
	if rapid.Bool().Draw(t, "soft") {
		w.main.SoftDelete = true
		w.main.Fields = append(w.main.Fields, parser.Field{Name: "Gone", Attr: "gone", Deleted: true, Precision: 3, Type: parser.Type{Kind: parser.Time}})
		w.paths = append(w.paths, worldPath{name: "trashed", sk: []string{"Gone", "ID"}, exact: true, when: &whenTerm{field: "Gone"}})
	}
	if shards := rapid.IntRange(0, 6).Draw(t, "list"); shards <= 3 {
		w.main.List = shards
		if shards > 0 && len(w.paths[0].pk) > 0 {
			w.paths = append(w.paths, worldPath{name: "list", sk: []string{"ID"}, exact: true})
		}
	}
	if rapid.Bool().Draw(t, "expires") {
		w.main.Fields = append(w.main.Fields, parser.Field{Name: "Exp", Attr: "exp", TTL: true, Type: parser.Type{Kind: parser.Int, Bits: 64}})
	}
	w.defs = append(w.defs, w.main)
	if rapid.Bool().Draw(t, "neighbour") {
		// Another entity in the same index partitions.
		other := parser.Entity{Name: "Other", Fields: []parser.Field{
			{Name: "ID", Attr: "id", Primary: true, Type: parser.Type{Kind: parser.String}},
			{Name: "S", Attr: "s", Type: parser.Type{Kind: parser.String}},
			{Name: "N", Attr: "n", Type: parser.Type{Kind: parser.Int, Bits: 64}},
		}}
		for i, ix := range w.main.Indexes {
			if i == 0 && !strings.ContainsAny(ix.PK+ix.SK, "TUMPAB|:D") {
				other.Indexes = append(other.Indexes, parser.Index{Name: "same", PK: ix.PK, SK: ix.SK})
			}
		}
		w.defs = append(w.defs, other)
	}
	return w
}

// freeField returns a field that is not among those of a template.
func freeField(fields []string) string {
	for _, f := range []string{"ID", "N", "S"} {
		if !slices.Contains(fields, f) {
			return f
		}
	}
	return ""
}

func (w *world) has(field string) bool {
	return slices.ContainsFunc(w.main.Fields, func(f parser.Field) bool { return f.Name == field })
}

// drawRows draws rows with distinct keys.
func (w *world) drawRows(t *rapid.T) {
	seen := map[string]bool{}
	for i := range rapid.IntRange(0, 30).Draw(t, "rows") {
		r := dynorm.Record{"id": drawValue(t, "ID", "id")}
		for _, f := range []string{"S", "T", "U", "N", "M", "At", "B"} {
			r[strings.ToLower(f)] = drawValue(t, f, f)
		}
		if rapid.Bool().Draw(t, "has p") {
			r["p"] = drawValue(t, "P", "p")
		}
		if rapid.IntRange(0, 9).Draw(t, "no at") == 0 {
			delete(r, "at")
		}
		if rapid.Bool().Draw(t, "spread") {
			r["id"] = fmt.Sprint("row", i)
		}
		if w.has("Gone") && rapid.IntRange(0, 3).Draw(t, "is gone") == 0 {
			r["gone"] = clock
		}
		if w.has("Exp") {
			switch rapid.IntRange(0, 3).Draw(t, "exp") {
			case 0:
				r["exp"] = worldNow.Unix()
			case 1:
				r["exp"] = worldNow.Unix() + 1
			}
		}
		key := ""
		for _, f := range slices.Concat(w.paths[0].pk, w.paths[0].sk) {
			key += fmt.Sprintf("%v\x00", r[strings.ToLower(f)])
		}
		if !seen[key] {
			seen[key] = true
			w.rows = append(w.rows, r)
		}
	}
}

// stored returns what the item has of a field, nil where it has no attribute.
func stored(r dynorm.Record, field string) any {
	v := r[strings.ToLower(field)]
	switch field {
	case "U":
		if v == "" {
			return nil
		}
	case "M":
		if v == int16(0) {
			return nil
		}
	}
	return v
}

// part reports whether the item has a key part of a field.
func part(r dynorm.Record, field string) bool {
	v := r[strings.ToLower(field)]
	return v != nil && v != ""
}

// entry reports whether a row has an entry in a path.
func (p *worldPath) entry(r dynorm.Record) bool {
	for _, f := range slices.Concat(p.pk, p.sk) {
		if !part(r, f) {
			return false
		}
	}
	if p.shard != "" && !part(r, p.shard) {
		return false
	}
	if p.when == nil {
		return true
	}
	v := stored(r, p.when.field)
	filled := v != nil && v != "" && v != int64(0) && v != false
	equal := v != nil && fmt.Sprint(v) == p.when.value
	return map[string]bool{"": filled, "!": !filled, "=": equal, "!=": !equal}[p.when.op]
}

// ask is a predicate with its meaning.
type ask struct {
	text  string
	pred  dynorm.Predicate
	holds func(dynorm.Record) bool
	// fixes names the fields that it fixes to one of some values, none of them
	// empty; choice says that an empty one or an Or keeps paths away.
	fixes  []string
	choice bool
}

func compareAny(a, b any) int {
	switch a := a.(type) {
	case string:
		return strings.Compare(a, b.(string))
	case int64:
		return cmp.Compare(a, b.(int64))
	case int16:
		return cmp.Compare(a, b.(int16))
	case int32:
		return cmp.Compare(a, b.(int32))
	case time.Time:
		return a.Compare(b.(time.Time))
	case bool:
		return map[bool]int{true: 1}[a] - map[bool]int{true: 1}[b.(bool)]
	}
	panic(fmt.Sprintf("%T", a))
}

func drawAsk(t *rapid.T, depth int) ask {
	kind := rapid.IntRange(0, 11).Draw(t, "kind")
	if depth > 0 && kind >= 10 {
		var subs []ask
		for range rapid.IntRange(1, 3).Draw(t, "subs") {
			subs = append(subs, drawAsk(t, depth-1))
		}
		preds := make([]dynorm.Predicate, len(subs))
		texts := make([]string, len(subs))
		for i, s := range subs {
			preds[i], texts[i] = s.pred, s.text
		}
		switch rapid.IntRange(0, 3).Draw(t, "group") {
		case 0:
			a := ask{text: "and(" + strings.Join(texts, ", ") + ")", pred: dynorm.And(preds...), holds: func(r dynorm.Record) bool {
				return !slices.ContainsFunc(subs, func(s ask) bool { return !s.holds(r) })
			}}
			for _, s := range subs {
				a.fixes = append(a.fixes, s.fixes...)
				a.choice = a.choice || s.choice
			}
			return a
		case 1:
			return ask{text: "not(" + texts[0] + ")", pred: dynorm.Not(preds[0]), holds: func(r dynorm.Record) bool { return !subs[0].holds(r) }}
		}
		return ask{choice: true, text: "or(" + strings.Join(texts, ", ") + ")", pred: dynorm.Or(preds...), holds: func(r dynorm.Record) bool {
			return slices.ContainsFunc(subs, func(s ask) bool { return s.holds(r) })
		}}
	}
	f := rapid.SampledFrom([]string{"ID", "S", "T", "U", "N", "M", "P", "At", "B"}).Draw(t, "field")
	v := drawValue(t, f, "value")
	compared := func(op string, pred dynorm.Predicate, ok func(int) bool) ask {
		return ask{text: fmt.Sprint(f, op, v), pred: pred, holds: func(r dynorm.Record) bool {
			have := stored(r, f)
			return have != nil && ok(compareAny(have, v))
		}}
	}
	fixed := func(vals ...any) []string {
		if slices.Contains(vals, any("")) {
			return nil
		}
		return []string{f}
	}
	if f == "B" {
		kind %= 5
	}
	switch kind {
	case 0, 1, 2, 3:
		a := compared("=", dynorm.Eq(f, v), func(c int) bool { return c == 0 })
		a.fixes, a.choice = fixed(v), v == ""
		return a
	case 4:
		vals := []any{v, drawValue(t, f, "second"), drawValue(t, f, "third")}
		return ask{text: fmt.Sprint(f, " in ", vals), pred: dynorm.In(f, vals...), fixes: fixed(vals...), choice: slices.Contains(vals, any("")), holds: func(r dynorm.Record) bool {
			have := stored(r, f)
			return have != nil && slices.ContainsFunc(vals, func(v any) bool { return compareAny(have, v) == 0 })
		}}
	case 5:
		return compared("<", dynorm.Lt(f, v), func(c int) bool { return c < 0 })
	case 6:
		return compared("<=", dynorm.Le(f, v), func(c int) bool { return c <= 0 })
	case 7:
		return compared(">", dynorm.Gt(f, v), func(c int) bool { return c > 0 })
	case 8:
		high := drawValue(t, f, "high")
		if compareAny(v, high) > 0 {
			v, high = high, v
		}
		return ask{text: fmt.Sprint(f, " between ", v, " ", high), pred: dynorm.Between(f, v, high), holds: func(r dynorm.Record) bool {
			have := stored(r, f)
			return have != nil && compareAny(have, v) >= 0 && compareAny(have, high) <= 0
		}}
	case 9:
		if s, ok := v.(string); ok {
			return ask{text: f + " begins " + s, pred: dynorm.BeginsWith(f, s), holds: func(r dynorm.Record) bool {
				have, ok := stored(r, f).(string)
				return ok && strings.HasPrefix(have, s)
			}}
		}
		return ask{text: f + " exists", pred: dynorm.Exists(f), holds: func(r dynorm.Record) bool { return stored(r, f) != nil }}
	case 10:
		return ask{text: fmt.Sprint(f, "<>", v), pred: dynorm.Ne(f, v), holds: func(r dynorm.Record) bool {
			have := stored(r, f)
			return have == nil || compareAny(have, v) != 0
		}}
	}
	return compared(">=", dynorm.Ge(f, v), func(c int) bool { return c >= 0 })
}

// askAny asks for one of some values: by Eq where there is one, else by In.
func askAny(f string, vals ...any) ask {
	a := ask{text: fmt.Sprint(f, " in ", vals), pred: dynorm.In(f, vals...), choice: slices.Contains(vals, any("")), fixes: []string{f}}
	if len(vals) == 1 {
		a.text, a.pred = fmt.Sprint(f, "=", vals[0]), dynorm.Eq(f, vals[0])
	}
	a.holds = func(r dynorm.Record) bool {
		have := stored(r, f)
		return have != nil && slices.ContainsFunc(vals, func(v any) bool { return compareAny(have, v) == 0 })
	}
	return a
}

func askAnd(a, b ask) ask {
	return ask{
		text: "and(" + a.text + ", " + b.text + ")", pred: dynorm.And(a.pred, b.pred), choice: a.choice || b.choice,
		fixes: append(slices.Clone(a.fixes), b.fixes...), holds: func(r dynorm.Record) bool { return a.holds(r) && b.holds(r) },
	}
}

func askOr(a, b ask) ask {
	return ask{
		text: "or(" + a.text + ", " + b.text + ")", pred: dynorm.Or(a.pred, b.pred), choice: true,
		holds: func(r dynorm.Record) bool { return a.holds(r) || b.holds(r) },
	}
}

// queryCase is a random query with its meaning.
type queryCase struct {
	asks   []ask
	order  []string
	desc   bool
	index  string
	gone   int
	expire bool
}

func (w *world) drawQuery(t *rapid.T) queryCase {
	var c queryCase
	// Lean towards what a key could answer, so that many queries run.
	p := rapid.SampledFrom(w.paths).Draw(t, "lean")
	if rapid.IntRange(0, 4).Draw(t, "leans") > 0 {
		for _, f := range p.pk {
			v := drawValue(t, f, "key")
			if len(w.rows) > 0 && rapid.Bool().Draw(t, "known") {
				if known := rapid.SampledFrom(w.rows).Draw(t, "row")[strings.ToLower(f)]; known != nil {
					v = known
				}
			}
			a := askAny(f, v)
			switch rapid.IntRange(0, 3).Draw(t, "shape") {
			case 0:
				a = askAny(f, v, drawValue(t, f, "second"), drawValue(t, f, "third"))
			case 1:
				a = askOr(askAnd(a, drawAsk(t, 1)), askAnd(askAny(f, drawValue(t, f, "other")), drawAsk(t, 1)))
			}
			c.asks = append(c.asks, a)
		}
		if len(p.sk) > 0 && rapid.Bool().Draw(t, "sorted") {
			first := rapid.IntRange(0, len(p.sk)-1).Draw(t, "first term")
			if slices.Contains(p.sk[:first], "Gone") {
				first = 0 // no condition compares times of deletion
			}
			for _, f := range p.sk[:first] {
				vals := []any{drawValue(t, f, "sort"), drawValue(t, f, "sort too")}
				c.asks = append(c.asks, askAny(f, vals[:rapid.IntRange(1, 2).Draw(t, "of")]...))
			}
			c.order = p.sk[first:rapid.IntRange(first+1, len(p.sk)).Draw(t, "terms")]
			c.desc = rapid.Bool().Draw(t, "desc")
		}
	}
	for range rapid.IntRange(0, 3).Draw(t, "asks") {
		c.asks = append(c.asks, drawAsk(t, 2))
	}
	if p.name != "" && rapid.IntRange(0, 5).Draw(t, "pin") == 0 {
		c.index = p.name
	}
	if w.has("Gone") {
		c.gone = rapid.IntRange(0, 2).Draw(t, "gone")
	}
	c.expire = rapid.Bool().Draw(t, "include expired")
	return c
}

func (c *queryCase) String() string {
	var texts []string
	for _, a := range c.asks {
		texts = append(texts, a.text)
	}
	return fmt.Sprintf("%s order %v desc %t index %q gone %d expired %t", strings.Join(texts, " & "), c.order, c.desc, c.index, c.gone, c.expire)
}

func (c *queryCase) build(m dynorm.EntityModel) dynorm.Query[dynorm.Record] {
	q := m.Query()
	for _, a := range c.asks {
		q = q.Where(a.pred)
	}
	for _, f := range c.order {
		if c.desc {
			q = q.OrderByDesc(f)
		} else {
			q = q.OrderBy(f)
		}
	}
	if c.index != "" {
		q = q.Index(c.index)
	}
	switch c.gone {
	case 1:
		q = q.WithTrashed()
	case 2:
		q = q.OnlyTrashed()
	}
	if c.expire {
		q = q.IncludeExpired()
	}
	return q
}

// matches evaluates the query for a row.
func (w *world) matches(c *queryCase, r dynorm.Record) bool {
	if w.has("Gone") && (c.gone == 0 && r["gone"] != nil || c.gone == 2 && r["gone"] == nil) {
		return false
	}
	if exp, ok := r["exp"].(int64); ok && !c.expire && exp <= worldNow.Unix() {
		return false
	}
	return !slices.ContainsFunc(c.asks, func(a ask) bool { return !a.holds(r) })
}

func rowKey(r dynorm.Record) string { return fmt.Sprint(r["id"], "|", r["n"], "|", r["b"]) }

func rowKeys(rows []*dynorm.Record) []string {
	keys := make([]string, len(rows))
	for i, r := range rows {
		keys[i] = rowKey(*r)
	}
	return keys
}

// schema compiles the world, and skips one that is refused: such as of two
// entities whose keys could meet.
func (w *world) schema(t *rapid.T) *dynorm.Schema {
	models := make([]any, len(w.defs))
	for i, d := range w.defs {
		models[i] = d
	}
	schema, err := dynorm.NewSchema(models...)
	if errors.Is(err, dynorm.ErrDefinition) {
		t.Skip(err)
	}
	require.NoError(t, err)
	return schema
}

// TestPlanCorrect holds queries over random schemas and rows against their
// evaluation in memory.
func TestPlanCorrect(t *testing.T) {
	client := testdb.Open(t)
	ran, refused, kinds := 0, 0, map[string]int{}
	rapid.Check(t, func(rt *rapid.T) {
		w := drawWorld(rt)
		db, err := dynorm.Open(client, w.schema(rt), dynorm.Config{Table: testdb.Table(t), Clock: func() time.Time { return worldNow }})
		require.NoError(rt, err)
		ctx := context.Background()
		require.NoError(rt, db.CreateTable(ctx))
		m := db.Entity("Main")
		w.drawRows(rt)
		for _, r := range w.rows {
			written := dynorm.Record{}
			for k, v := range r {
				written[k] = v
			}
			require.NoError(rt, m.Put(ctx, written))
		}
		if len(w.defs) > 1 {
			for i := range 5 {
				require.NoError(rt, db.Entity("Other").Put(ctx, dynorm.Record{"id": fmt.Sprint("o", i), "s": worldTexts[i%3], "n": i}))
			}
		}
		for range 8 {
			c := w.drawQuery(rt)
			q := c.build(m)
			plan, err := q.Explain()
			if errors.Is(err, dynorm.ErrNoIndex) {
				refused++
				w.checkRefusal(rt, &c, err)
				continue
			}
			require.NoError(rt, err, "%s", &c)
			in, err := q.Request()
			require.NoError(rt, err)
			slices.Reverse(c.asks)
			again, err := c.build(m).Request()
			require.NoError(rt, err)
			require.Equal(rt, requestText(in), requestText(again), "the order of calls changes the request: %s", &c)
			ran++
			kinds[fmt.Sprint(plan.Operation, " ", len(plan.Keys) > 1)]++
			w.checkResult(rt, ctx, &c, q, plan)
		}
	})
	t.Logf("%d queries ran, %d were refused; by operation and fan-out: %v", ran, refused, kinds)
}

// checkRefusal fails when a path would have answered the query.
func (w *world) checkRefusal(t *rapid.T, c *queryCase, err error) {
	var fixed []string
	for _, a := range c.asks {
		fixed = append(fixed, a.fixes...)
	}
	for _, p := range w.paths {
		if c.index != "" && c.index != p.name || len(c.order) > 0 || p.when != nil && c.index == "" {
			continue
		}
		if slices.ContainsFunc(c.asks, func(a ask) bool { return a.choice }) {
			continue
		}
		if !slices.ContainsFunc(p.pk, func(f string) bool { return !slices.Contains(fixed, f) }) {
			t.Fatalf("refused, though %q answers it: %s\n%v", p.name, c, err)
		}
	}
}

func (w *world) checkResult(t *rapid.T, ctx context.Context, c *queryCase, q dynorm.Query[dynorm.Record], plan *dynorm.Plan) {
	var path *worldPath
	for i := range w.paths {
		if w.paths[i].name == plan.For {
			path = &w.paths[i]
		}
	}
	sparse := c.index != "" || slices.ContainsFunc(plan.Notes, func(n string) bool { return strings.Contains(n, "have no entry") })
	var want []string
	for _, r := range w.rows {
		if !w.matches(c, r) {
			continue
		}
		if entry := path.entry(r); !entry && !sparse {
			t.Fatalf("the plan misses %v, which has no entry in %q: %s\n%s", r, plan.For, c, plan)
		} else if entry {
			want = append(want, rowKey(r))
		}
	}
	got, err := q.List(ctx)
	require.NoError(t, err, "%s\n%s", c, plan)
	keys := rowKeys(got)
	sorted := slices.Clone(keys)
	slices.Sort(sorted)
	slices.Sort(want)
	if !slices.Equal(want, sorted) {
		t.Fatalf("want %v, got %v: %s\n%srows %v", want, keys, c, plan, w.rows)
	}
	for i := 1; i < len(got); i++ {
		for _, f := range c.order {
			a, b := stored(*got[i-1], f), stored(*got[i], f)
			if a == nil || b == nil {
				break // an omitted zero
			}
			order := compareAny(a, b)
			if c.desc {
				order = -order
			}
			if order > 0 {
				t.Fatalf("out of order by %s: %v: %s\n%s", f, keys, c, plan)
			}
			if order < 0 {
				break
			}
		}
	}
	n, err := q.Count(ctx)
	require.NoError(t, err)
	require.Equal(t, len(got), n, "%s\n%s", c, plan)

	size := rapid.IntRange(1, 7).Draw(t, "page")
	var paged []string
	var pages [][]string
	cursor, back := "", ""
	for {
		page, err := q.Limit(size).Page(ctx, cursor)
		require.NoError(t, err, "%s\n%s", c, plan)
		paged = append(paged, rowKeys(page.Items)...)
		pages = append(pages, rowKeys(page.Items))
		if back = page.Prev; page.Next == "" {
			break
		}
		cursor = page.Next
	}
	require.Equal(t, append([]string{}, keys...), append([]string{}, paged...), "pages: %s\n%s", c, plan)
	for i := len(pages) - 2; i >= 0; i-- {
		page, err := q.Limit(size).Page(ctx, back)
		require.NoError(t, err)
		require.Equal(t, pages[i], rowKeys(page.Items), "backwards: %s\n%s", c, plan)
		back = page.Prev
	}
}
