package dynorm_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/dynorm/dynorm"
)

// Sale has numbers of several kinds.
type Sale struct {
	_ dynorm.Key   `pk:"SHOP#{Shop}" sk:"SALE#{No}"`
	_ dynorm.Index `dynorm:"byCents" pk:"SHOP#{Shop}" sk:"{Cents}#{No}"`

	Shop   string
	No     int
	Cents  int64
	Price  json.Number
	Clerk  string
	Rating *float64
	When   time.Time
}

var (
	SaleShop   = dynorm.Col(func(s *Sale) *string { return &s.Shop })
	SaleCents  = dynorm.Col(func(s *Sale) *int64 { return &s.Cents })
	SaleNo     = dynorm.Col(func(s *Sale) *int { return &s.No })
	SalePrice  = dynorm.Col(func(s *Sale) *json.Number { return &s.Price })
	SaleClerk  = dynorm.Col(func(s *Sale) *string { return &s.Clerk })
	SaleRating = dynorm.Col(func(s *Sale) **float64 { return &s.Rating })
)

func TestAggregates(t *testing.T) {
	s := open(t, Sale{})
	m, ctx := dynorm.ModelOf[Sale](s.db), t.Context()
	four := 4.0
	for i, clerk := range []string{"ann", "bob", "ann", "cy", "ann", "bob"} {
		sale := &Sale{Shop: "s", No: i, Cents: int64(100 * (i*7%6 + 1)), Price: json.Number(fmt.Sprintf("0.%d", i)), Clerk: clerk}
		if i == 2 {
			sale.Rating = &four
		}
		require.NoError(t, m.Create(ctx, sale))
	}
	q := m.Where(SaleShop.Eq("s"))
	none := m.Where(SaleShop.Eq("none"))

	sum, err := q.Sum(ctx, "cents")
	require.NoError(t, err)
	require.Equal(t, json.Number("2100"), sum)
	sum, err = q.Sum(ctx, "price")
	require.NoError(t, err)
	require.Equal(t, json.Number("1.5"), sum, "exact")
	cents, err := SaleCents.Sum(ctx, q.Where(SaleClerk.Eq("ann")))
	require.NoError(t, err)
	require.EqualValues(t, 900, cents)
	sum, err = none.Sum(ctx, "cents")
	require.NoError(t, err)
	require.Equal(t, json.Number("0"), sum)
	mean, err := q.Avg(ctx, "cents")
	require.NoError(t, err)
	require.InDelta(t, 350, mean, 0)
	_, err = none.Avg(ctx, "cents")
	require.ErrorIs(t, err, dynorm.ErrNotFound)
	_, err = q.Sum(ctx, "clerk")
	require.ErrorIs(t, err, dynorm.ErrValue)
	_, err = q.Sum(ctx, "cent")
	require.ErrorIs(t, err, dynorm.ErrUnknownField)

	// By an index in its order, one request of one item.
	s.sent = nil
	top, err := q.Max(ctx, "cents")
	require.NoError(t, err)
	require.Equal(t, int64(600), top)
	low, err := SaleCents.Min(ctx, q)
	require.NoError(t, err)
	require.EqualValues(t, 100, low)
	require.Equal(t, []dynorm.OpKind{dynorm.OpQuery, dynorm.OpQuery}, s.kinds())
	// By looking at all.
	price, err := SalePrice.Max(ctx, q)
	require.NoError(t, err)
	require.Equal(t, json.Number("0.5"), price)
	rating, err := q.Min(ctx, "rating")
	require.NoError(t, err)
	require.Equal(t, 4.0, rating)
	_, err = none.Min(ctx, "cents")
	require.ErrorIs(t, err, dynorm.ErrNotFound)
	_, err = none.Min(ctx, "price")
	require.ErrorIs(t, err, dynorm.ErrNotFound)

	clerks, err := SaleClerk.Pluck(ctx, q.OrderByDesc("no"))
	require.NoError(t, err)
	require.Equal(t, []string{"bob", "ann", "cy", "ann", "bob", "ann"}, clerks)
	ratings, err := q.Pluck(ctx, "rating")
	require.NoError(t, err)
	require.Equal(t, []any{nil, nil, 4.0, nil, nil, nil}, ratings)
	pointers, err := SaleRating.Pluck(ctx, q)
	require.NoError(t, err)
	require.Nil(t, pointers[0])
	require.Equal(t, 4.0, *pointers[2])

	groups, err := q.GroupCount(ctx, "clerk")
	require.NoError(t, err)
	require.Equal(t, []dynorm.Group[any]{{"ann", 3}, {"bob", 2}, {"cy", 1}}, groups)
	typed, err := SaleNo.GroupCount(ctx, q.Where(SaleNo.Lt(2)))
	require.NoError(t, err)
	require.Equal(t, []dynorm.Group[int]{{0, 1}, {1, 1}}, typed)

	// Aggregates keep to the limit.
	sum, err = q.OrderBy("no").Limit(2).Sum(ctx, "no")
	require.NoError(t, err)
	require.Equal(t, json.Number("1"), sum)
	top, err = q.OrderBy("no").Limit(2).Max(ctx, "no")
	require.NoError(t, err)
	require.Equal(t, 1, top)
}

func TestChunksPagesAndForEach(t *testing.T) {
	s := open(t, Reading{})
	seedReadings(t, s, 23)
	defer noLeaks(t)()
	ctx := t.Context()
	q := dynorm.ModelOf[Reading](s.db).Where(dynorm.Eq("device", "d1"))
	boom := errors.New("boom")

	var sizes []int
	require.NoError(t, q.Chunk(ctx, 10, func(_ context.Context, rows []*Reading) error {
		sizes = append(sizes, len(rows))
		return nil
	}))
	require.Equal(t, []int{10, 10, 3}, sizes)
	sizes = nil
	require.Equal(t, boom, q.Chunk(ctx, 10, func(_ context.Context, rows []*Reading) error {
		sizes = append(sizes, len(rows))
		return boom
	}))
	require.Equal(t, []int{10}, sizes)
	require.ErrorIs(t, q.Chunk(ctx, 0, nil), dynorm.ErrInvalid)

	sizes = nil
	for page, err := range q.Limit(9).Pages(ctx) {
		require.NoError(t, err)
		sizes = append(sizes, len(page.Items))
	}
	require.Equal(t, []int{9, 9, 5}, sizes)

	var sum, now, most atomic.Int64
	require.NoError(t, q.ForEach(ctx, func(_ context.Context, r *Reading) error {
		n := now.Add(1)
		defer now.Add(-1)
		most.Store(max(most.Load(), n))
		time.Sleep(time.Millisecond)
		sum.Add(int64(r.Value))
		return nil
	}))
	require.EqualValues(t, 22*23/2, sum.Load())
	require.LessOrEqual(t, most.Load(), int64(8))
	require.Equal(t, boom, q.ForEach(ctx, func(_ context.Context, r *Reading) error {
		if r.Value == 7 {
			return boom
		}
		return nil
	}))
}

func TestScopes(t *testing.T) {
	s := open(t, Reading{})
	seedReadings(t, s, 6)
	ctx := t.Context()
	high := func(q dynorm.Query[Reading]) dynorm.Query[Reading] { return q.Where(dynorm.Eq("level", "high")) }
	few := func(q dynorm.Query[Reading]) dynorm.Query[Reading] { return q.Limit(2) }
	m := dynorm.ModelOf[Reading](s.db)
	base := m.Where(dynorm.Eq("device", "d1"))
	get := func(q dynorm.Query[Reading]) []int {
		t.Helper()
		list, err := q.List(ctx)
		require.NoError(t, err)
		return values(list)
	}
	require.Equal(t, []int{1, 3}, get(base.Scope(high, few)))
	require.Equal(t, []int{1, 3, 5}, get(base.When(true, high)))
	require.Equal(t, []int{0, 1, 2, 3, 4, 5}, get(base.When(false, high)))
	require.Equal(t, []int{0, 1}, get(base.Unless(false, few)))
	scoped := m.WithScope(high)
	require.Equal(t, []int{1, 3, 5}, get(scoped.Where(dynorm.Eq("device", "d1"))))
	require.Equal(t, []int{1, 3, 5}, get(scoped.Query().Where(dynorm.Eq("device", "d1"))))
	require.Equal(t, []int{0, 1, 2, 3, 4, 5}, get(scoped.WithoutScopes().Where(dynorm.Eq("device", "d1"))))

	// A query is a value: what is built on it leaves it alone.
	a, b := base.Where(dynorm.Eq("value", 1)), base.Where(dynorm.Eq("value", 2))
	require.Equal(t, []int{1}, get(a))
	require.Equal(t, []int{2}, get(b))
	require.Equal(t, 6, len(get(base)))

	list, err := base.Omit("note", "level").Limit(1).List(ctx)
	require.NoError(t, err)
	require.Equal(t, &Reading{Device: "d1", At: clock}, list[0])
	_, err = base.Omit("colour").List(ctx)
	require.ErrorIs(t, err, dynorm.ErrUnknownField)

	_, err = m.Query().Latest().Explain()
	require.ErrorIs(t, err, dynorm.ErrInvalid, "neither a time of creation nor a ULID")
}

// Event is told apart by a ULID, and listed by the time of creation.
type Event struct {
	_ dynorm.Index `dynorm:"byActor" pk:"ACTOR#{Actor}" sk:"{CreatedAt}"`

	ID        string `dynorm:",primary,ulid"`
	Kind      string `dynorm:",index"`
	Actor     string
	CreatedAt time.Time `dynorm:",created"`
}

// Entry is told apart by a ULID and has no time.
type Entry struct {
	ID   string `dynorm:",primary,ulid"`
	Kind string `dynorm:",index"`
}

// The latest are those of the latest time of creation, which a ULID tells too.
func TestLatest(t *testing.T) {
	s := open(t, Event{}, Entry{})
	ctx := t.Context()
	events, entries := dynorm.ModelOf[Event](s.db), dynorm.ModelOf[Entry](s.db)
	var ids []string
	for i := range 3 {
		s.now = func() time.Time { return clock.Add(time.Duration(i) * time.Second) }
		event, entry := &Event{Kind: "k", Actor: "a"}, &Entry{Kind: "k"}
		require.NoError(t, events.Create(ctx, event))
		require.NoError(t, entries.Create(ctx, entry))
		ids = append(ids, event.ID, entry.ID)
	}
	event, err := events.Where(dynorm.Eq("actor", "a")).Latest().First(ctx)
	require.NoError(t, err)
	require.Equal(t, ids[4], event.ID)
	event, err = events.Where(dynorm.Eq("actor", "a")).Oldest().First(ctx)
	require.NoError(t, err)
	require.Equal(t, ids[0], event.ID)
	entry, err := entries.Where(dynorm.Eq("kind", "k")).Latest().First(ctx)
	require.NoError(t, err)
	require.Equal(t, ids[5], entry.ID)
}

// Builders shared by goroutines do not meet.
func TestQueryShared(t *testing.T) {
	db := offline(t, Reading{})
	base := dynorm.ModelOf[Reading](db).Where(dynorm.Eq("device", "d1"))
	done := make(chan string)
	for i := range 8 {
		go func() {
			plan, err := base.Where(dynorm.Eq("value", i)).Limit(i + 1).Explain()
			if err != nil {
				done <- err.Error()
				return
			}
			done <- plan.Filters[0]
		}()
	}
	var filters []string
	for range 8 {
		filters = append(filters, <-done)
	}
	slices.Sort(filters)
	require.Equal(t, []string{"value = 0", "value = 1", "value = 2", "value = 3", "value = 4", "value = 5", "value = 6", "value = 7"}, filters)
}
