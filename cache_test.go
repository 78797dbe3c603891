package dynorm_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/dynorm/dynorm"
)

// What must be as the table has it never comes from the cache.
func TestCacheIsForEventualReads(t *testing.T) {
	for _, m := range portModes {
		t.Run(m.name, func(t *testing.T) {
			ctx, c := t.Context(), &mapCache{entries: map[dynorm.CacheKey][]byte{}}
			p, _ := m.made(t, dynorm.Config{Cache: c})
			poison := func() {
				_, err := p.notes.FindMany(ctx, "n1", "n2")
				require.NoError(t, err)
				require.NotEmpty(t, c.entries)
				for key, entry := range c.entries {
					c.entries[key] = []byte(strings.ReplaceAll(string(entry), `"topic":{"S":"go"}`, `"topic":{"S":"stale"}`))
				}
				c.hits = 0
			}
			poison()
			stale, err := p.notes.Find(ctx, "n1")
			require.NoError(t, err)
			require.Equal(t, "stale", stale.Topic, "the cache does answer")
			require.Equal(t, 1, c.hits)

			poison()
			one, err := p.notes.Where(dynorm.Eq("id", "n1")).Consistent().One(ctx)
			require.NoError(t, err)
			require.Equal(t, "go", one.Topic)
			two, err := p.notes.Where(dynorm.In("id", "n1", "n2")).Consistent().List(ctx)
			require.NoError(t, err)
			require.Equal(t, "go", two[1].Topic)
			by, err := p.notes.FindBy(ctx, "slug", "slug-n1")
			require.NoError(t, err)
			require.Equal(t, "go", by.Topic)
			both, err := p.notes.TransactGet(ctx, "n1", "n2")
			require.NoError(t, err)
			require.Equal(t, "go", both[0].Topic)
			list, err := p.topic().Select("topic").List(ctx)
			require.NoError(t, err)
			require.Equal(t, "go", list[0].Topic)
			part, err := p.notes.Where(dynorm.Eq("id", "n1")).Select("topic").One(ctx)
			require.NoError(t, err)
			require.Equal(t, "go", part.Topic, "parts of items are not kept")
			edited, err := p.notes.Edit(ctx, "n1", func(v *PortNote) error {
				require.Equal(t, "go", v.Topic)
				v.Rank = 5
				return nil
			})
			require.NoError(t, err)
			require.Equal(t, "go", edited.Topic)
			require.Zero(t, c.hits)
			fresh, err := p.notes.Find(ctx, "n1")
			require.NoError(t, err)
			require.Equal(t, edited, fresh, "the edit dropped the entry")
		})
	}
}
