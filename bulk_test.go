package dynorm_test

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/stretchr/testify/require"

	"github.com/dynorm/dynorm"
)

func TestBulkUpdate(t *testing.T) {
	s := open(t, Reading{})
	seedReadings(t, s, 250)
	m, ctx := dynorm.ModelOf[Reading](s.db), t.Context()
	low := m.Where(dynorm.Eq("level", "low"), dynorm.Eq("device", "d1"))

	// The change takes the rows out of the index that finds them.
	var last dynorm.Progress
	b, err := low.OnProgress(func(p dynorm.Progress) { last = p }).Update(ctx, dynorm.Set("level", "mid"), dynorm.Add("value", 1000))
	require.NoError(t, err)
	require.Equal(t, 125, b.Changed)
	require.Zero(t, b.Skipped)
	require.Empty(t, b.Next)
	require.Equal(t, 125, last.Items)
	n, err := low.Count(ctx)
	require.NoError(t, err)
	require.Zero(t, n)
	mid := m.Where(dynorm.Eq("level", "mid"))
	list, err := mid.OrderBy("device").OrderBy("at").Limit(2).List(ctx)
	require.NoError(t, err)
	require.Equal(t, []int{1000, 1002}, values(list))

	// Bounded and resumed.
	b, err = mid.Limit(100).Update(ctx, dynorm.Set("note", "seen"))
	require.NoError(t, err)
	require.Equal(t, 100, b.Changed)
	require.NotEmpty(t, b.Next)
	b, err = mid.After(b.Next).Update(ctx, dynorm.Set("note", "seen"))
	require.NoError(t, err)
	require.Equal(t, 25, b.Changed)
	require.Empty(t, b.Next)
	n, err = mid.Where(dynorm.Ne("note", "seen")).Count(ctx)
	require.NoError(t, err)
	require.Zero(t, n)

	_, err = mid.Update(ctx, dynorm.Set("device", "x"))
	require.ErrorIs(t, err, dynorm.ErrImmutable)
	_, err = mid.Update(ctx)
	require.ErrorIs(t, err, dynorm.ErrInvalid)
}

// A change that moves rows ahead of the reader does not change them twice.
func TestBulkUpdateMovingRows(t *testing.T) {
	s := open(t, Sale{})
	m, ctx := dynorm.ModelOf[Sale](s.db), t.Context()
	for i := range 300 {
		require.NoError(t, m.Create(ctx, &Sale{Shop: "s", No: i, Cents: int64(i)}))
	}
	q := m.Where(SaleShop.Eq("s"), SaleCents.Ge(0)).OrderBy("cents")
	require.Equal(t, "byCents", explain(t, q).For)
	b, err := q.PageSize(50).Update(ctx, SaleCents.Add(1000))
	require.NoError(t, err)
	require.Equal(t, 300, b.Changed)
	sum, err := SaleCents.Sum(ctx, m.Where(SaleShop.Eq("s")))
	require.NoError(t, err)
	require.EqualValues(t, 299*300/2+300*1000, sum)
}

func TestBulkFailuresAndRaces(t *testing.T) {
	s := open(t, Reading{})
	seedReadings(t, s, 30)
	boom := errors.New("boom")
	var updates atomic.Int32
	db := s.reopen(t, dynorm.Config{Concurrency: 1, Interceptors: []dynorm.Interceptor{func(ctx context.Context, op *dynorm.Operation,
		next func(context.Context, *dynorm.Operation) (*dynorm.Result, error),
	) (*dynorm.Result, error) {
		if _, ok := op.Input.(*dynamodb.UpdateItemInput); ok {
			switch updates.Add(1) {
			case 3:
				return nil, boom
			case 5:
				// Another writer changes the row first.
				_, err := dynorm.ModelOf[Reading](s.db).Update(ctx, &Reading{Device: "d1", At: clock.Add(4 * time.Minute)}, dynorm.Set("value", -4))
				if err != nil {
					return nil, err
				}
			}
		}
		return next(ctx, op)
	}}})
	b, err := dynorm.ModelOf[Reading](db).Where(dynorm.Eq("device", "d1"), dynorm.Ge("value", 0)).Update(t.Context(), dynorm.Add("value", 100))
	require.ErrorIs(t, err, boom)
	require.ErrorContains(t, err, "dynorm: Update Reading")
	require.Equal(t, 28, b.Changed)
	require.Equal(t, 1, b.Skipped)
	require.Len(t, b.Failed, 1)
	require.Equal(t, 2, b.Failed[0].Item.Value)
	require.ErrorIs(t, b.Failed[0].Err, boom)
	list, err := dynorm.ModelOf[Reading](s.db).Where(dynorm.Eq("device", "d1")).Limit(6).List(t.Context())
	require.NoError(t, err)
	require.Equal(t, []int{100, 101, 2, 103, -4, 105}, values(list))
}

func TestBulkDelete(t *testing.T) {
	s := open(t, Reading{}, Draft{}, Profile{})
	seedReadings(t, s, 150)
	ctx := t.Context()
	m := dynorm.ModelOf[Reading](s.db)
	b, err := m.Where(dynorm.Eq("device", "d1"), dynorm.Lt("value", 120)).Delete(ctx)
	require.NoError(t, err)
	require.Equal(t, 120, b.Changed)
	n, err := m.Where(dynorm.Eq("device", "d1")).Count(ctx)
	require.NoError(t, err)
	require.Equal(t, 30, n)

	drafts := dynorm.ModelOf[Draft](s.db)
	for i := range 5 {
		require.NoError(t, drafts.Create(ctx, &Draft{ID: fmt.Sprint(i), Owner: "ann"}))
	}
	q := drafts.Where(dynorm.Eq("owner", "ann"))
	b2, err := q.Where(dynorm.In("id", "1", "3")).Delete(ctx)
	require.NoError(t, err)
	require.Equal(t, 2, b2.Changed)
	n, err = q.OnlyTrashed().Count(ctx)
	require.NoError(t, err)
	require.Equal(t, 2, n)
	b2, err = q.OnlyTrashed().Where(dynorm.Eq("id", "1")).Restore(ctx)
	require.NoError(t, err)
	require.Equal(t, 1, b2.Changed)
	b2, err = q.WithTrashed().ForceDelete(ctx)
	require.NoError(t, err)
	require.Equal(t, 5, b2.Changed)
	n, err = q.WithTrashed().Count(ctx)
	require.NoError(t, err)
	require.Zero(t, n)

	// Claims go with their owners.
	profiles := dynorm.ModelOf[Profile](s.db)
	for i := range 3 {
		require.NoError(t, profiles.Create(ctx, &Profile{ID: fmt.Sprint(i), Email: fmt.Sprint(i, "@x"), Team: "t"}))
	}
	b3, err := profiles.Where(dynorm.Eq("team", "t")).Delete(ctx)
	require.NoError(t, err)
	require.Equal(t, 3, b3.Changed)
	require.NoError(t, profiles.Create(ctx, &Profile{ID: "new", Email: "1@x", Team: "t"}))
	require.NoError(t, dynorm.ModelOf[Profile](s.db).Delete(ctx, "new"))
}
