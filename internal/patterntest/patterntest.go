// Package patterntest holds a schema to its word: it writes rows of every
// entity, executes each access pattern that the schema lists by the example call
// that it prints, and compares the answers with the rows.
package patterntest

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/stretchr/testify/require"

	"github.com/dynorm/dynorm"
	"github.com/dynorm/dynorm/internal/testdb"
	"github.com/dynorm/dynorm/parser"
)

var (
	// now is ahead of the engines' clocks and before any time to live that rows
	// have.
	now = time.Date(2100, 1, 1, 0, 0, 0, 0, time.UTC)
	day = time.Date(2026, 3, 4, 5, 6, 7, 89e6, time.UTC)
)

// Counts says how much was checked.
type Counts struct {
	// Calls are the example calls executed, Items what they returned. Least are
	// the calls that took the read units of their pattern and no more.
	Calls, Items, Least int
}

// Add adds other counts.
func (c *Counts) Add(d Counts) {
	c.Calls, c.Items, c.Least = c.Calls+d.Calls, c.Items+d.Items, c.Least+d.Least
}

// Check writes up to rows rows of each entity into a table of its own and
// executes every access pattern of the schema for some of them. What is not as
// the schema says fails req, which is t or a property's test within it.
func Check(t testing.TB, req require.TestingT, client *dynamodb.Client, schema *dynorm.Schema, seed uint64, rows int) Counts {
	c := &check{
		t: req, schema: schema, lock: schema.Lock(), patterns: schema.AccessPatterns().Patterns,
		rand: rand.New(rand.NewPCG(seed, 7)), rows: map[string][]dynorm.Record{}, trash: map[string]bool{},
	}
	var err error
	c.db, err = dynorm.Open(client, schema, dynorm.Config{
		Table: testdb.Table(t), Clock: func() time.Time { return now }, Tracer: c,
	})
	require.NoError(req, err)
	ctx := context.Background()
	require.NoError(req, c.db.CreateTable(ctx))
	c.fill(ctx, rows)
	out, err := client.Scan(ctx, &dynamodb.ScanInput{TableName: aws.String(c.db.Table())})
	require.NoError(req, err)
	c.raw = out.Items
	c.checkKeys()
	for i := range c.patterns {
		p := &c.patterns[i]
		def := c.definition(p.Entity)
		for range min(len(c.rows[p.Entity]), 6) {
			c.execute(ctx, def, p, c.rows[p.Entity][c.rand.IntN(len(c.rows[p.Entity]))])
		}
	}
	return c.counts
}

type check struct {
	t        require.TestingT
	schema   *dynorm.Schema
	lock     dynorm.Lock
	db       *dynorm.DB
	patterns []dynorm.AccessPattern
	rand     *rand.Rand
	rows     map[string][]dynorm.Record // by entity
	trash    map[string]bool
	raw      []dynorm.Item
	mu       sync.Mutex
	sent     []dynorm.OpKind
	units    float64
	counts   Counts
}

// requestKey is of the kind of a request in its context.
type requestKey struct{}

// Start keeps the kinds of the requests sent. An interceptor would see them too,
// but be given attribute values, and so leave the wire codec out.
func (c *check) Start(ctx context.Context, s dynorm.TraceStart) context.Context {
	if s.Request == "" {
		return ctx
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.sent = append(c.sent, s.Request)
	return context.WithValue(ctx, requestKey{}, s.Request)
}

// End adds up the read units, but for those of completing the items of an index.
func (c *check) End(ctx context.Context, e dynorm.TraceEnd) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if ctx.Value(requestKey{}) != dynorm.OpBatchGetItem {
		c.units += e.Units
	}
}

// watch forgets the requests so far.
func (c *check) watch() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.sent, c.units = nil, 0
}

// cost compares the read units that a call took with what its pattern promises,
// which is the least: items are smaller than 1 KB, but there may be several to a
// request. Where nothing is found DynamoDB Local takes nothing for it.
func (c *check) cost(p *dynorm.AccessPattern, found int) {
	if found > 0 && p.Requests == 1 || testdb.Endpoint() == "" {
		require.GreaterOrEqual(c.t, c.units, p.ReadUnits, p.Name)
	}
	require.LessOrEqual(c.t, c.units, p.ReadUnits+float64(len(c.raw))/4, p.Name)
	if c.units == p.ReadUnits {
		c.counts.Least++
	}
}

// fill writes rows of every entity.
func (c *check) fill(ctx context.Context, perEntity int) {
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
				if v := c.value(f, needed[f.Attr]); v != nil {
					r[f.Attr] = v
				}
				if f.Primary && f.Type.Kind == parser.String {
					r[f.Attr] = fmt.Sprint("id", i)
				}
				if f.Unique && f.Type.Kind == parser.String && c.rand.IntN(4) > 0 {
					r[f.Attr] = fmt.Sprint("unique#", i)
				}
			}
			err := m.Create(ctx, r)
			if errors.Is(err, dynorm.ErrExists) || errors.Is(err, dynorm.ErrUnique) {
				continue
			}
			require.NoError(c.t, err, def.Name)
			if def.SoftDelete && c.rand.IntN(4) == 0 {
				require.NoError(c.t, m.Delete(ctx, maps.Clone(r)))
				c.trash[def.Name+c.rowKey(&def, r)] = true
			}
			c.rows[def.Name] = append(c.rows[def.Name], r)
		}
	}
}

// value draws a value of a field; some are missing where they may be.
func (c *check) value(f parser.Field, needed bool) any {
	if !needed && !f.Required && c.rand.IntN(6) == 0 && f.Type.Kind != parser.Bool {
		return nil
	}
	switch {
	case f.TTL && f.Type.Kind == parser.Time:
		return now.Add(time.Hour)
	case f.TTL:
		return now.Add(time.Hour).Unix()
	case len(f.Enum) > 0:
		return f.Enum[c.rand.IntN(len(f.Enum))]
	}
	switch f.Type.Kind {
	case parser.String:
		return []string{"a", "b", "a#b", "ab", "%"}[c.rand.IntN(5)]
	case parser.Int, parser.Uint, parser.Float:
		return []int64{1, 2, 3, 100, 120}[c.rand.IntN(5)]
	case parser.Time:
		return day.Add(time.Duration(c.rand.IntN(3)) * 20 * time.Hour)
	case parser.Bool:
		return c.rand.IntN(2) == 0
	}
	return nil
}

// checkKeys holds the keys in the table against the templates printed: those of
// the table by the patterns, those of indexes by the lock.
func (c *check) checkKeys() {
	templates := map[string]*regexp.Regexp{}
	matches := func(template, key, of string) {
		re := templates[template]
		if re == nil {
			re = keyPattern(template)
			templates[template] = re
		}
		require.Regexp(c.t, re, key, of)
	}
	for _, item := range c.raw {
		et := text(item["_et"])
		for i := range c.patterns {
			if p := &c.patterns[i]; p.Entity == et && p.Kind == dynorm.PatternGet {
				table := c.schema.TableDefinition().KeySchema
				pk, sk := *table[0].AttributeName, *table[1].AttributeName
				matches(p.Key, fmt.Sprintf("%s = %s and %s = %s", pk, text(item[pk]), sk, text(item[sk])), et)
			}
		}
		i := slices.IndexFunc(c.lock.Entities, func(e dynorm.LockedEntity) bool { return e.Name == et })
		if i < 0 {
			continue
		}
		for _, x := range c.lock.Entities[i].Entries {
			n := slices.IndexFunc(c.lock.Indexes, func(o dynorm.LockedIndex) bool {
				return !o.Native && o.Slot == x.Slot && o.Local == strings.HasPrefix(x.For, "local ")
			})
			if x.Index != "" {
				continue // its keys are the entity's attributes
			}
			index := c.lock.Indexes[n]
			for attr, pattern := range map[string]string{index.PK: x.PK, index.SK: x.SK} {
				if key := text(item[attr]); key != "" {
					matches(pattern, key, attr+" of "+et)
				}
			}
		}
	}
}

var reference = regexp.MustCompile(`\{([^{}:|]+)[^{}]*\}`)

// keyPattern matches the keys that a template makes: a value has no delimiter.
func keyPattern(template string) *regexp.Regexp {
	var b strings.Builder
	at := 0
	for _, m := range reference.FindAllStringIndex(template, -1) {
		b.WriteString(regexp.QuoteMeta(template[at:m[0]]) + "[^#]+?")
		at = m[1]
	}
	return regexp.MustCompile("^" + b.String() + regexp.QuoteMeta(template[at:]) + "$")
}

func text(av types.AttributeValue) string {
	s, _ := av.(*types.AttributeValueMemberS)
	if s == nil {
		return ""
	}
	return s.Value
}

// trashed reports whether a row was deleted softly.
func (c *check) trashed(def *parser.Entity, r dynorm.Record) bool {
	return c.trash[def.Name+c.rowKey(def, r)]
}

// rowKey tells the rows of an entity apart.
func (c *check) rowKey(def *parser.Entity, r dynorm.Record) string {
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

// field returns what a row has of an attribute, as the schema stores it.
func field(def *parser.Entity, r dynorm.Record, attr string) any {
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

func missing(v any) bool { return v == nil || v == "" }

// same reports whether two values of a field are.
func same(a, b any) bool {
	if x, ok := a.(time.Time); ok {
		y, ok := b.(time.Time)
		return ok && x.Equal(y)
	}
	return fmt.Sprint(a) == fmt.Sprint(b) && (a == nil) == (b == nil)
}

// compare orders values of one field.
func compare(a, b any) int {
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

// entry reports whether a row has an entry in the index of a pattern.
func (c *check) entry(def *parser.Entity, p *dynorm.AccessPattern, r dynorm.Record) bool {
	if p.Index == "" {
		return true // every row is in the table
	}
	i := slices.IndexFunc(def.Indexes, func(ix parser.Index) bool { return ix.Name == p.For })
	if attrs := c.native(p.Index); attrs != nil {
		return !slices.ContainsFunc(attrs, func(attr string) bool {
			_, own := def.Field(attr)
			return own && missing(field(def, r, attr))
		})
	}
	slot := c.lock.Indexes[slices.IndexFunc(c.lock.Indexes, func(x dynorm.LockedIndex) bool { return x.Name == p.Index })]
	entity := c.lock.Entities[slices.IndexFunc(c.lock.Entities, func(e dynorm.LockedEntity) bool { return e.Name == def.Name })]
	for _, x := range entity.Entries {
		if x.Index != "" || x.Slot != slot.Slot || strings.HasPrefix(x.For, "local ") != slot.Local {
			continue
		}
		for _, ref := range reference.FindAllStringSubmatch(x.PK+" "+x.SK, -1) {
			f, _ := def.Field(ref[1])
			switch {
			case f.Deleted:
				continue // only deleted rows are asked about
			case f.OmitEmpty && !f.Type.Pointer && (f.Type.Kind == parser.Int || f.Type.Kind == parser.Bool):
				continue // what is left out counts as zero in a key
			}
			if missing(field(def, r, ref[1])) {
				return false
			}
		}
		if i >= 0 && def.Indexes[i].When != "" {
			when, err := parser.ParseWhen(def.Indexes[i].When)
			require.NoError(c.t, err)
			return when.Eval(func(name string) (any, bool) {
				f, _ := def.Field(name)
				v := field(def, r, f.Attr)
				return v, v != nil
			})
		}
		return true
	}
	return false
}

// definition returns the definition of an entity.
func (c *check) definition(name string) *parser.Entity {
	defs := c.schema.Entities()
	return &defs[slices.IndexFunc(defs, func(e parser.Entity) bool { return e.Name == name })]
}

// partitionFields lists the fields of an entity's partition key, of the table or
// of the index of a pattern.
func (c *check) partitionFields(def *parser.Entity, p *dynorm.AccessPattern) (attrs []string) {
	template := ""
	for _, o := range c.patterns {
		if p.Index == "" && o.Entity == def.Name && o.Kind == dynorm.PatternGet {
			template, _, _ = strings.Cut(o.Key, " and ")
		}
	}
	if x := c.locked(def, p.Index); x != nil {
		template = x.PK
	}
	for _, ref := range reference.FindAllStringSubmatch(template, -1) {
		attrs = append(attrs, ref[1])
	}
	return attrs
}

// locked returns the entry of an entity in a global index, nil for none.
func (c *check) locked(def *parser.Entity, index string) *dynorm.LockedEntry {
	n := slices.IndexFunc(c.lock.Indexes, func(x dynorm.LockedIndex) bool { return x.Name == index && !x.Local && !x.Native })
	i := slices.IndexFunc(c.lock.Entities, func(e dynorm.LockedEntity) bool { return e.Name == def.Name })
	if n < 0 || i < 0 {
		return nil
	}
	entries := c.lock.Entities[i].Entries
	for j := range entries {
		if x := &entries[j]; x.Index == "" && x.Slot == c.lock.Indexes[n].Slot && !strings.HasPrefix(x.For, "local ") {
			return x
		}
	}
	return nil
}

// declared is the name by which an entity declares an index, empty for one that
// is derived.
func (c *check) declared(def *parser.Entity, index string) string {
	if x := c.locked(def, index); x != nil && strings.HasPrefix(x.For, "index ") {
		return strings.TrimPrefix(x.For, "index ")
	}
	return ""
}

// native lists the key attributes of a native index, nil for one of built keys.
func (c *check) native(index string) []string {
	n := slices.IndexFunc(c.lock.Indexes, func(x dynorm.LockedIndex) bool { return x.Name == index && x.Native })
	if n < 0 {
		return nil
	}
	return strings.Split(c.lock.Indexes[n].PK+", "+c.lock.Indexes[n].SK, ", ")
}
