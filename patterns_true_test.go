package dynorm_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/smithy-go/middleware"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/dynorm/dynorm"
	"github.com/dynorm/dynorm/internal/testdb"
	"github.com/dynorm/dynorm/parser"
	"github.com/dynorm/dynorm/testdata/models/forge"
	"github.com/dynorm/dynorm/testdata/models/saas"
	"github.com/dynorm/dynorm/testdata/models/seven"
)

// truth runs every access pattern of a schema over random rows and holds the
// answers against the rows.
type truth struct {
	t      require.TestingT
	client *dynamodb.Client
	schema *dynorm.Schema
	lock   dynorm.Lock
	db     *dynorm.DB
	// patterns are what the schema says it answers.
	patterns []dynorm.AccessPattern
	rand     *rand.Rand
	rows     map[string][]dynorm.Record // by entity
	trash    map[string]bool
	raw      []dynorm.Item
	scans    int
	// runs and found count the calls and the items that they returned.
	runs, found int
}

// fixedNow is before any time to live that rows have.
var fixedNow = worldNow

func newTruth(t testing.TB, req require.TestingT, client *dynamodb.Client, schema *dynorm.Schema, seed uint64) *truth {
	c := &truth{t: req, client: client, schema: schema, lock: schema.Lock(), patterns: schema.AccessPatterns().Patterns, rand: rand.New(rand.NewPCG(seed, 7)), rows: map[string][]dynorm.Record{}, trash: map[string]bool{}}
	var err error
	counting := dynamodb.New(client.Options(), func(o *dynamodb.Options) {
		o.APIOptions = append(o.APIOptions, func(stack *middleware.Stack) error {
			if stack.ID() == string(dynorm.OpScan) {
				c.scans++
			}
			return nil
		})
	})
	c.db, err = dynorm.Open(counting, schema, dynorm.Config{Table: testdb.Table(t), Clock: func() time.Time { return fixedNow }})
	require.NoError(req, err)
	require.NoError(req, c.db.CreateTable(context.Background()))
	return c
}

// value draws a value of a field; some are missing where they may be.
func (c *truth) value(e *parser.Entity, f parser.Field, needed bool) any {
	if !needed && c.rand.IntN(6) == 0 && f.Type.Kind != parser.Bool {
		return nil
	}
	switch {
	case f.TTL && f.Type.Kind == parser.Time:
		return fixedNow.Add(time.Hour)
	case f.TTL:
		return fixedNow.Add(time.Hour).Unix()
	case len(f.Enum) > 0:
		return f.Enum[c.rand.IntN(len(f.Enum))]
	}
	switch f.Type.Kind {
	case parser.String:
		return []string{"a", "b", "a#b", "ab", "%"}[c.rand.IntN(5)]
	case parser.Int, parser.Uint, parser.Float:
		return []int64{1, 2, 3, 100, 120}[c.rand.IntN(5)]
	case parser.Time:
		return clock.Add(time.Duration(c.rand.IntN(3)) * 20 * time.Hour)
	case parser.Bool:
		return c.rand.IntN(2) == 0
	}
	return nil
}

// fill writes rows of every entity.
func (c *truth) fill(perEntity int) {
	ctx := context.Background()
	for _, def := range c.schema.Entities() {
		m := c.db.Entity(def.Name)
		needed := map[string]bool{}
		for _, p := range c.patterns {
			if p.Entity == def.Name && p.Kind == dynorm.PatternGet {
				for _, attr := range p.Fields {
					needed[attr] = true
				}
			}
		}
		for i := range perEntity {
			r := dynorm.Record{}
			for _, f := range def.Fields {
				if f.Deleted || f.Version || f.Created || f.Updated {
					continue
				}
				if v := c.value(&def, f, needed[f.Attr]); v != nil {
					r[f.Attr] = v
				}
				if f.Primary && f.Type.Kind == parser.String {
					r[f.Attr] = fmt.Sprint("id", i)
				}
				if f.Unique && f.Type.Kind == parser.String {
					r[f.Attr] = fmt.Sprint("unique", i)
				}
			}
			err := m.Create(ctx, r)
			if errors.Is(err, dynorm.ErrExists) || errors.Is(err, dynorm.ErrUnique) {
				continue
			}
			require.NoError(c.t, err)
			if def.SoftDelete && c.rand.IntN(4) == 0 {
				require.NoError(c.t, m.Delete(ctx, maps.Clone(r)))
				c.trash[def.Name+c.rowKey(&def, r)] = true
			}
			c.rows[def.Name] = append(c.rows[def.Name], r)
		}
	}
	out, err := c.client.Scan(ctx, &dynamodb.ScanInput{TableName: aws.String(c.db.Table())})
	require.NoError(c.t, err)
	c.raw = out.Items
}

// trashed reports whether a row was deleted softly.
func (c *truth) trashed(def *parser.Entity, r dynorm.Record) bool {
	return c.trash[def.Name+c.rowKey(def, r)]
}

// same reports whether two values of a field are.
func sameValue(a, b any) bool {
	if x, ok := a.(time.Time); ok {
		y, ok := b.(time.Time)
		return ok && x.Equal(y)
	}
	return fmt.Sprint(a) == fmt.Sprint(b) && (a == nil) == (b == nil)
}

// field returns what a row has of an attribute, as the schema stores it.
func (c *truth) field(def *parser.Entity, r dynorm.Record, attr string) any {
	if v, ok := r[attr]; ok {
		return v
	}
	f, _ := def.Field(attr)
	if f.Type.Pointer || f.OmitEmpty {
		return nil
	}
	switch f.Type.Kind {
	case parser.Int, parser.Uint, parser.Float:
		return int64(0)
	case parser.Bool:
		return false
	}
	return nil
}

var referenceOf = regexp.MustCompile(`\{([^{}:|]+)[^{}]*\}`)

// entry reports whether a row has an entry in the index of a pattern.
func (c *truth) entry(def *parser.Entity, p *dynorm.AccessPattern, r dynorm.Record) bool {
	lock := c.lock
	if i := slices.IndexFunc(def.Indexes, func(ix parser.Index) bool { return ix.Native && ix.Name == p.For }); i >= 0 {
		for _, name := range slices.Concat(def.Indexes[i].PKParts, def.Indexes[i].SKParts) {
			f, _ := def.Field(name)
			if v := c.field(def, r, f.Attr); v == nil || v == "" {
				return false
			}
		}
		return true
	}
	slot := lock.Indexes[slices.IndexFunc(lock.Indexes, func(x dynorm.LockedIndex) bool { return x.Name == p.Index })]
	entity := lock.Entities[slices.IndexFunc(lock.Entities, func(e dynorm.LockedEntity) bool { return e.Name == def.Name })]
	for _, x := range entity.Entries {
		if x.Slot != slot.Slot || strings.HasPrefix(x.For, "local ") != slot.Local {
			continue
		}
		for _, ref := range referenceOf.FindAllStringSubmatch(x.PK+" "+x.SK, -1) {
			f, _ := def.Field(ref[1])
			switch {
			case f.Deleted:
				continue // only deleted rows are asked about
			case f.OmitEmpty && !f.Type.Pointer && (f.Type.Kind == parser.Int || f.Type.Kind == parser.Bool):
				continue // what is left out counts as zero in a key
			}
			if v := c.field(def, r, ref[1]); v == nil || v == "" {
				return false
			}
		}
		if i := slices.IndexFunc(def.Indexes, func(ix parser.Index) bool { return ix.Name == p.For }); i >= 0 && def.Indexes[i].When != "" {
			when, err := parser.ParseWhen(def.Indexes[i].When)
			require.NoError(c.t, err)
			return when.Eval(func(name string) (any, bool) {
				f, _ := def.Field(name)
				v := c.field(def, r, f.Attr)
				return v, v != nil
			})
		}
		return true
	}
	return false
}

func (c *truth) rowKey(def *parser.Entity, r dynorm.Record) string {
	var parts []string
	for _, p := range c.patterns {
		if p.Entity == def.Name && p.Kind == dynorm.PatternGet {
			for _, attr := range p.Fields {
				v := r[attr]
				if at, ok := v.(time.Time); ok {
					v = at.UTC()
				}
				parts = append(parts, fmt.Sprint(v))
			}
		}
	}
	return strings.Join(parts, "|")
}

// check runs one pattern with the values of a row.
func (c *truth) check(def *parser.Entity, p *dynorm.AccessPattern, sample dynorm.Record) {
	ctx := context.Background()
	m := c.db.Entity(def.Name)
	c.runs++
	switch p.Kind {
	case dynorm.PatternGet:
		got, err := m.Find(ctx, sample)
		if c.trashed(def, sample) {
			require.ErrorIs(c.t, err, dynorm.ErrNotFound)
			return
		}
		require.NoError(c.t, err, p.Name)
		require.Equal(c.t, c.rowKey(def, sample), c.rowKey(def, got))
		return
	case dynorm.PatternUnique:
		return // see TestUniquePatterns
	}
	q := m.Query()
	for _, attr := range p.Fields {
		v := c.field(def, sample, attr)
		if v == nil || v == "" {
			return // nothing is found by what is missing
		}
		q = q.Where(dynorm.Eq(attr, v))
	}
	if p.Kind == dynorm.PatternTrashed {
		q = q.OnlyTrashed()
	}
	if strings.Contains(p.Call, ".Index(") {
		q = q.Index(p.For)
	}
	if strings.Contains(p.Call, ".Hydrate()") {
		q = q.Hydrate()
	}
	var low any
	if p.Range != "" && c.rand.IntN(3) == 0 {
		if low = c.field(def, sample, p.Range); low != nil && low != "" {
			q = q.Where(dynorm.Ge(p.Range, low))
		} else {
			low = nil
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

	var want []string
	for _, r := range c.rows[def.Name] {
		matches := c.trashed(def, r) == (p.Kind == dynorm.PatternTrashed) && (p.Index == "" || c.entry(def, p, r))
		for _, attr := range p.Fields {
			matches = matches && sameValue(c.field(def, r, attr), c.field(def, sample, attr))
		}
		if matches && low != nil {
			matches = compareLoose(c.field(def, r, p.Range), low) >= 0
		}
		if matches {
			want = append(want, c.rowKey(def, r))
		}
	}
	items, err := q.List(ctx)
	require.NoError(c.t, err, p.Name)
	var got []string
	for i, r := range items {
		got = append(got, c.rowKey(def, *r))
		if i == 0 {
			continue
		}
		if p.Requests == 1 {
			require.LessOrEqual(c.t, c.order(def, p, *items[i-1], *r), 0, "%s is out of order: %v", p.Name, got)
		}
	}
	c.found += len(got)
	slices.Sort(want)
	slices.Sort(got)
	require.Equal(c.t, want, got, "%s: %s\n%s", p.Name, p.Call, plan)
}

func (c *truth) order(def *parser.Entity, p *dynorm.AccessPattern, a, b dynorm.Record) int {
	for _, term := range p.Sorted {
		attr, desc := strings.CutSuffix(term, " desc")
		order := compareLoose(c.field(def, a, attr), c.field(def, b, attr))
		if desc {
			order = -order
		}
		if order != 0 {
			return order
		}
	}
	return 0
}

// compareLoose orders values of one field.
func compareLoose(a, b any) int {
	switch x := a.(type) {
	case time.Time:
		return x.Compare(b.(time.Time))
	case string:
		return strings.Compare(x, b.(string))
	case bool:
		return strings.Compare(fmt.Sprint(a), fmt.Sprint(b))
	}
	var x, y int64
	_, _ = fmt.Sscan(fmt.Sprint(a), &x)
	_, _ = fmt.Sscan(fmt.Sprint(b), &y)
	return int(x - y)
}

// checkKeys holds the keys in the table against the printed templates.
func (c *truth) checkKeys() {
	lock := c.lock
	for _, item := range c.raw {
		et := item["_et"].(*types.AttributeValueMemberS).Value
		i := slices.IndexFunc(lock.Entities, func(e dynorm.LockedEntity) bool { return e.Name == et })
		if i < 0 {
			continue
		}
		for _, x := range lock.Entities[i].Entries {
			n := slices.IndexFunc(lock.Indexes, func(o dynorm.LockedIndex) bool {
				return o.Slot == x.Slot && o.Local == strings.HasPrefix(x.For, "local ")
			})
			index := lock.Indexes[n]
			for attr, pattern := range map[string]string{index.PK: x.PK, index.SK: x.SK} {
				av, ok := item[attr].(*types.AttributeValueMemberS)
				if !ok {
					continue
				}
				text := regexp.QuoteMeta(pattern)
				text = regexp.MustCompile(`\\\{[^{}]*\\\}`).ReplaceAllString(text, "[^#]+")
				require.Regexp(c.t, "^"+text+"$", av.Value, "%s of %s", attr, et)
			}
		}
	}
}

// all runs every pattern for rows of its entity.
func (c *truth) all() {
	defs := c.schema.Entities()
	for _, p := range c.patterns {
		def := &defs[slices.IndexFunc(defs, func(e parser.Entity) bool { return e.Name == p.Entity })]
		for range min(len(c.rows[p.Entity]), 6) {
			c.check(def, &p, c.rows[p.Entity][c.rand.IntN(len(c.rows[p.Entity]))])
		}
	}
	c.checkKeys()
	require.Zero(c.t, c.scans, "a pattern scanned")
}

func TestAccessPatternsAreTrue(t *testing.T) {
	for name, models := range map[string][]any{
		"seven models": seven.Models(), "all kinds of indexes": patternModels(),
		"forge": forge.Models(), "service with tenants": saas.Models(),
		"both": append(seven.Models(), patternModels()...),
	} {
		t.Run(name, func(t *testing.T) {
			client := testdb.Open(t)
			schema, err := dynorm.NewSchema(models...)
			require.NoError(t, err)
			runs, found := 0, 0
			for seed := range uint64(3) {
				c := newTruth(t, t, client, schema, seed)
				c.fill(25)
				c.all()
				runs, found = runs+c.runs, found+c.found
			}
			t.Logf("%d patterns, %d calls, %d items", len(schema.AccessPatterns().Patterns), runs, found)
		})
	}
}

// TestAccessPatternsOfRandomSchemas is TestAccessPatternsAreTrue for schemas
// that nobody wrote.
func TestAccessPatternsOfRandomSchemas(t *testing.T) {
	client := testdb.Open(t)
	schemas, runs, found := 0, 0, 0
	rapid.Check(t, func(rt *rapid.T) {
		w := drawWorld(rt)
		models := make([]any, len(w.defs))
		for i, d := range w.defs {
			models[i] = d
		}
		schema, err := dynorm.NewSchema(models...)
		if errors.Is(err, dynorm.ErrDefinition) {
			rt.Skip(err)
		}
		require.NoError(rt, err)
		c := newTruth(t, rt, client, schema, rapid.Uint64().Draw(rt, "seed"))
		c.fill(12)
		c.all()
		schemas, runs, found = schemas+1, runs+c.runs, found+c.found
	})
	t.Logf("%d schemas, %d calls, %d items", schemas, runs, found)
}

func TestUniquePatterns(t *testing.T) {
	s := open(t, seven.Models()...)
	ctx := t.Context()
	require.NoError(t, dynorm.ModelOf[seven.User](s.db).Create(ctx, &seven.User{ID: "1", Email: "a@x"}))
	require.NoError(t, dynorm.ModelOf[seven.Team](s.db).Create(ctx, &seven.Team{ID: "1", Name: "a@x"}))
	s.sent = nil
	u, err := dynorm.ModelOf[seven.User](s.db).FindBy(ctx, "email", "a@x")
	require.NoError(t, err)
	require.Equal(t, "1", u.ID)
	require.Equal(t, []dynorm.OpKind{dynorm.OpGetItem, dynorm.OpGetItem}, s.kinds())
	team, err := dynorm.ModelOf[seven.Team](s.db).FindBy(ctx, "name", "a@x")
	require.NoError(t, err)
	require.Equal(t, "1", team.ID)
	require.NotEmpty(t, s.raw(t, "UNIQUE#User#email#a@x", "UNIQUE"), "the claim's key is the printed one")
}
