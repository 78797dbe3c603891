package dynorm_test

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/dynorm/dynorm"
	"github.com/dynorm/dynorm/internal/patterntest"
	"github.com/dynorm/dynorm/internal/testdb"
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
				sum.Calls, sum.Items = sum.Calls+n.Calls, sum.Items+n.Items
			}
			t.Logf("%d patterns, %d calls, %d items", len(schema.AccessPatterns().Patterns), sum.Calls, sum.Items)
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
		n := patterntest.Check(t, rt, client, schema, rapid.Uint64().Draw(rt, "seed"), 12)
		schemas, sum.Calls, sum.Items = schemas+1, sum.Calls+n.Calls, sum.Items+n.Items
	})
	t.Logf("%d schemas, %d calls, %d items", schemas, sum.Calls, sum.Items)
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
