package dynorm_test

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/dynorm/dynorm"
	"github.com/dynorm/dynorm/local"
)

// Bale is plain, Drum has a version and Freight a version and unique values.
type Bale struct {
	_ dynorm.Entity `dynorm:"Bale,timestamps"`

	ID    string
	Depot string `dynorm:",index"`
	Round int
}

type Drum struct {
	ID      string
	Depot   string `dynorm:",index"`
	Round   int
	Version int64 `dynorm:"_v,version"`
}

type Freight struct {
	_ dynorm.Unique `dynorm:"Depot,Number"`

	ID      string
	Depot   string `dynorm:",index"`
	Code    string `dynorm:",unique"`
	Number  int64
	Round   int
	Version int64 `dynorm:"_v,version"`
}

// everyFault is all that the engine can do to a request, each at a rate.
func everyFault(rate float64) []local.Fault {
	return []local.Fault{
		{Kind: local.Throttle, Rate: rate},
		{Kind: local.Unprocessed, Rate: rate},
		{Kind: local.Conflict, Rate: rate},
		{Kind: local.LostResponse, Rate: rate},
		{Kind: local.InternalError, Rate: rate},
		{Kind: local.Latency, Rate: rate, Delay: 20 * time.Millisecond},
	}
}

// With each kind of fault at 30 % together, batches of 1,000 items are written,
// changed and deleted as a whole. Time is that of the bubble: no pause is waited
// for.
func TestBatchesUnderEveryFault(t *testing.T) {
	for seed, n := range []int{1000, 200, 200} {
		t.Run(fmt.Sprintf("%d items, seed %d", n, seed), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { batchesUnderEveryFault(t, uint64(seed), n) })
		})
	}
}

func batchesUnderEveryFault(t *testing.T, seed uint64, n int) {
	ctx, begin := t.Context(), time.Now()
	engine, db := lossyWith(t, local.Config{Seed: seed}, dynorm.Config{}, Bale{}, Drum{}, Freight{})
	keepHistory(ctx, t, engine, db.Table())
	parcels, crates, seals := dynorm.ModelOf[Bale](db), dynorm.ModelOf[Drum](db), dynorm.ModelOf[Freight](db)
	var ps []*Bale
	var cs []*Drum
	var ss []*Freight
	for i := range n {
		id, depot := fmt.Sprint(i), fmt.Sprint("d", i%7)
		ps = append(ps, &Bale{ID: id, Depot: depot})
		cs = append(cs, &Drum{ID: id, Depot: depot})
		ss = append(ss, &Freight{ID: id, Depot: depot, Number: int64(i), Code: fmt.Sprint("c", i)})
	}
	stop, err := engine.Inject(everyFault(0.3)...)
	require.NoError(t, err)
	under := func(what string, err error) {
		t.Helper()
		require.NoError(t, err, "%s, after %s", what, time.Since(begin))
	}

	under("plain, put", parcels.PutMany(ctx, ps...))
	under("versioned, created", crates.CreateMany(ctx, cs...))
	under("unique, created", seals.CreateMany(ctx, ss...))
	for i := range n {
		ps[i].Round, cs[i].Round, ss[i].Round = 1, 1, 1
		ss[i].Code, ss[i].Depot = fmt.Sprint("e", i), "d9" // every claim moves
	}
	under("plain, put again", parcels.PutMany(ctx, ps...))
	under("versioned, put", crates.PutMany(ctx, cs...))
	under("unique, put", seals.PutMany(ctx, ss...))
	under("plain, deleted", parcels.DeleteMany(ctx, ps[:n/2]...))
	under("versioned, deleted", crates.DeleteMany(ctx, cs[:n/2]...))
	under("unique, deleted", seals.DeleteMany(ctx, ss[:n/2]...))
	stop()

	arrived(ctx, t, parcels, ps[n/2:], func(p *Bale) string { return fmt.Sprint(p.ID, p.Depot, p.Round) })
	arrived(ctx, t, crates, cs[n/2:], func(c *Drum) string { return fmt.Sprint(c.ID, c.Depot, c.Round, c.Version) })
	arrived(ctx, t, seals, ss[n/2:], func(s *Freight) string { return fmt.Sprint(s.ID, s.Depot, s.Code, s.Number, s.Round, s.Version) })
	require.EqualValues(t, 2, cs[0].Version)
	require.EqualValues(t, 2, ss[0].Version)
	claims := map[string]bool{}
	for _, item := range scanAll(t, engine.Client(), db.Table()) {
		if textOf(item["_et"]) == "_unique" {
			claims[textOf(item["ownerPk"])+" "+textOf(item["pk"])] = true
		}
	}
	require.Len(t, claims, n, "two values of each of the rest")
	require.Empty(t, uniqueFaults(t, db))
	changes := checkHistory(ctx, t, engine, db.Table())
	t.Logf("%d changes in %s of the bubble's time", changes, time.Since(begin).Round(time.Second))
}

// arrived checks that the items of an entity are the values given.
func arrived[T any](ctx context.Context, t *testing.T, m dynorm.Model[T], want []*T, text func(*T) string) {
	t.Helper()
	stored, err := m.Query().AllowScan().List(ctx)
	require.NoError(t, err)
	var a, b []string
	for _, v := range stored {
		a = append(a, text(v))
	}
	for _, v := range want {
		b = append(b, text(v))
	}
	require.ElementsMatch(t, b, a)
}
