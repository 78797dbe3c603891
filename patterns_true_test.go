package dynorm_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/dynorm/dynorm"
	"github.com/dynorm/dynorm/internal/patterntest"
	"github.com/dynorm/dynorm/internal/testdb"
	"github.com/dynorm/dynorm/parser"
	"github.com/dynorm/dynorm/testdata/models/forge"
	"github.com/dynorm/dynorm/testdata/models/saas"
	"github.com/dynorm/dynorm/testdata/models/seven"
)

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
			var sum patterntest.Counts
			for seed := range uint64(3) {
				n := patterntest.Check(t, t, client, schema, seed, 25)
				sum.Add(n)
			}
			t.Logf("%d patterns, %d calls, %d of them at the least cost, %d items", len(schema.AccessPatterns().Patterns), sum.Calls, sum.Least, sum.Items)
		})
	}
}

// TestAccessPatternsOfRandomSchemas is TestAccessPatternsAreTrue for schemas
// that nobody wrote.
func TestAccessPatternsOfRandomSchemas(t *testing.T) {
	client := testdb.Open(t)
	schemas := 0
	var sum patterntest.Counts
	rapid.Check(t, func(rt *rapid.T) {
		n := patterntest.Check(t, rt, client, drawWorld(rt).schema(rt), rapid.Uint64().Draw(rt, "seed"), 12)
		schemas++
		sum.Add(n)
	})
	t.Logf("%d schemas, %d calls, %d of them at the least cost, %d items", schemas, sum.Calls, sum.Least, sum.Items)
}

// drawRelated draws entities with relations of every kind between them.
func drawRelated(t *rapid.T) []any {
	text := parser.Type{Kind: parser.String}
	defs := make([]parser.Entity, rapid.IntRange(2, 5).Draw(t, "entities"))
	for i := range defs {
		e := &defs[i]
		e.Name = fmt.Sprint("E", i)
		e.Fields = []parser.Field{{Name: "ID", Primary: true, Type: text}}
		field := func(f parser.Field) {
			if _, ok := e.Field(f.Name); !ok {
				e.Fields = append(e.Fields, f)
			}
		}
		if rapid.Bool().Draw(t, "indexed") {
			field(parser.Field{Name: "City", Indexed: true, Type: text})
		}
		if rapid.Bool().Draw(t, "unique") {
			field(parser.Field{Name: "Mail", Unique: true, Type: text})
		}
		if rapid.IntRange(0, 3).Draw(t, "soft") == 0 {
			e.SoftDelete = true
			field(parser.Field{Name: "Gone", Deleted: true, Precision: 3, Type: parser.Type{Kind: parser.Time}})
		}
		e.List = rapid.IntRange(0, 3).Draw(t, "list")
		if rapid.IntRange(0, 3).Draw(t, "morph") == 0 {
			field(parser.Field{Name: "SubjectType", Type: text})
			field(parser.Field{Name: "SubjectID", Type: text})
			e.Relations = append(e.Relations, parser.Relation{Name: "Subject", Kind: parser.MorphTo})
		}
		inPartition := false
		for j := range i {
			other := &defs[j]
			foreign := other.Name + "ID"
			belongs := parser.Relation{Name: other.Name, Kind: parser.BelongsTo, Target: other.Name}
			switch rapid.IntRange(0, 5).Draw(t, "relation") {
			case 0:
				field(parser.Field{Name: foreign, Type: text})
				e.Relations = append(e.Relations, belongs)
			case 1:
				if belongs.Collection = !inPartition; belongs.Collection {
					inPartition = true
				}
				field(parser.Field{Name: foreign, Type: text})
				e.Relations = append(e.Relations, belongs)
			case 2:
				field(parser.Field{Name: foreign, Type: text})
				other.Relations = append(other.Relations, parser.Relation{Name: e.Name + "s", Kind: parser.HasMany, Target: e.Name})
			case 3:
				other.Relations = append(other.Relations, parser.Relation{Name: "Many" + e.Name, Kind: parser.BelongsToMany, Target: e.Name})
			}
		}
	}
	models := make([]any, len(defs))
	for i, d := range defs {
		models[i] = d
	}
	return models
}

// TestAccessPatternsOfRandomRelations is TestAccessPatternsAreTrue for random
// relations, and holds the number of indexes against what the entity with most
// entries needs, the least there can be.
func TestAccessPatternsOfRandomRelations(t *testing.T) {
	client := testdb.Open(t)
	schemas, patterns := 0, 0
	var sum patterntest.Counts
	rapid.Check(t, func(rt *rapid.T) {
		schema, err := dynorm.NewSchema(drawRelated(rt)...)
		require.NoError(rt, err)
		most := 0
		for _, e := range schema.Lock().Entities {
			most = max(most, len(e.Entries))
		}
		require.Len(rt, schema.TableDefinition().GlobalSecondaryIndexes, most, schema.Explain())
		n := patterntest.Check(t, rt, client, schema, rapid.Uint64().Draw(rt, "seed"), 10)
		schemas, patterns = schemas+1, patterns+len(schema.AccessPatterns().Patterns)
		sum.Add(n)
	})
	t.Logf("%d schemas, %d patterns, %d calls, %d of them at the least cost, %d items", schemas, patterns, sum.Calls, sum.Least, sum.Items)
}

// A unique value is not taken for one of another entity.
func TestAccessPatternOfUniqueValue(t *testing.T) {
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
