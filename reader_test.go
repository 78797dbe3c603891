package dynorm_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/dynorm/dynorm"
)

// A rare match is found in few requests, and no filter costs no more than one.
func TestLimitHonesty(t *testing.T) {
	s := open(t, Reading{})
	m := dynorm.ModelOf[Reading](s.db)
	const n = 10_000
	rows := make([]*Reading, n)
	for i := range rows {
		rows[i] = &Reading{Device: "d", At: clock.Add(time.Duration(i) * time.Second), Level: "l", Value: i, Note: "a note of some length"}
	}
	require.NoError(t, m.PutMany(t.Context(), rows...))
	q := m.Where(dynorm.Eq("device", "d"))

	s.sent = nil
	first, err := q.Where(dynorm.Eq("value", 5000)).First(t.Context())
	require.NoError(t, err)
	require.Equal(t, 5000, first.Value)
	require.LessOrEqual(t, len(s.kinds()), 6)

	list, err := q.Where(dynorm.In("value", 5000, 7000)).Limit(2).List(t.Context())
	require.NoError(t, err)
	require.Equal(t, []int{5000, 7000}, values(list))
	require.LessOrEqual(t, len(s.kinds()), 7)

	list, err = q.Limit(10).List(t.Context())
	require.NoError(t, err)
	require.Len(t, list, 10)
	require.Len(t, s.kinds(), 1)

	// As many requests as the SDK's paginator sends.
	list, err = q.List(t.Context())
	require.NoError(t, err)
	require.Len(t, list, n)
	ours := len(s.kinds())
	in, err := q.Request()
	require.NoError(t, err)
	theirs := 0
	for pages := dynamodb.NewQueryPaginator(s.client, in.(*dynamodb.QueryInput)); pages.HasMorePages(); theirs++ {
		_, err := pages.NextPage(t.Context())
		require.NoError(t, err)
	}
	require.Equal(t, theirs, ours)
}

// noLeaks returns the check that no goroutine is left that is not there now.
// The connections that the client of an endpoint keeps are none.
func noLeaks(t *testing.T) func() {
	t.Helper()
	current := goleak.IgnoreCurrent()
	return func() {
		goleak.VerifyNone(t, current, goleak.IgnoreAnyFunction("net/http.(*persistConn).readLoop"),
			goleak.IgnoreAnyFunction("net/http.(*persistConn).writeLoop"))
	}
}

// gate counts the requests under way and lets them through one by one.
type gate struct {
	open  chan struct{}
	begun atomic.Int32
	ended atomic.Int32
	errs  atomic.Int32
}

func (g *gate) intercept(ctx context.Context, op *dynorm.Operation,
	next func(context.Context, *dynorm.Operation) (*dynorm.Result, error),
) (*dynorm.Result, error) {
	g.begun.Add(1)
	defer g.ended.Add(1)
	select {
	case <-g.open:
		return next(ctx, op)
	case <-ctx.Done():
		g.errs.Add(1)
		return nil, ctx.Err()
	}
}

func TestPrefetchOneAhead(t *testing.T) {
	s := open(t, Reading{})
	seedReadings(t, s, 30)
	defer noLeaks(t)()
	g := &gate{open: make(chan struct{}, 100)}
	db := s.reopen(t, dynorm.Config{Interceptors: []dynorm.Interceptor{g.intercept}})
	q := dynorm.ModelOf[Reading](db).Where(dynorm.Eq("device", "d1")).PageSize(5)

	// While the first page is consumed, the second request waits, and no third
	// one begins. Leaving the loop ends it.
	g.open <- struct{}{}
	n := 0
	for _, err := range q.All(t.Context()) {
		require.NoError(t, err)
		if n++; n == 5 {
			require.Eventually(t, func() bool { return g.begun.Load() == 2 }, time.Second, time.Millisecond)
			time.Sleep(5 * time.Millisecond)
			require.EqualValues(t, 2, g.begun.Load())
			break
		}
	}
	require.EqualValues(t, 2, g.ended.Load(), "a request outlives the loop")
	require.EqualValues(t, 1, g.errs.Load(), "the request ahead was not cancelled")

	// A limit that is reached asks for no page more.
	g.begun.Store(0)
	for range 10 {
		g.open <- struct{}{}
	}
	list, err := q.Limit(5).List(t.Context())
	require.NoError(t, err)
	require.Len(t, list, 5)
	require.EqualValues(t, 1, g.begun.Load())
	list, err = q.Limit(6).List(t.Context())
	require.NoError(t, err)
	require.Len(t, list, 6)
	require.EqualValues(t, 3, g.begun.Load())

	// An ended context ends the wait.
	g.open = make(chan struct{})
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Millisecond)
	defer cancel()
	_, err = q.List(ctx)
	require.ErrorIs(t, err, context.DeadlineExceeded)
	g.begun.Store(0)
	_, err = q.List(ctx)
	require.ErrorIs(t, err, context.DeadlineExceeded)
	require.Zero(t, g.begun.Load())
}

// Partitions are read side by side, within Config.Concurrency.
func TestFanOutConcurrency(t *testing.T) {
	s := open(t, Reading{})
	defer noLeaks(t)()
	for i := range 6 {
		require.NoError(t, dynorm.ModelOf[Reading](s.db).Create(t.Context(), &Reading{Device: fmt.Sprint("d", i), At: clock, Level: "l", Value: i}))
	}
	var now, most atomic.Int32
	db := s.reopen(t, dynorm.Config{Concurrency: 3, Interceptors: []dynorm.Interceptor{func(ctx context.Context, op *dynorm.Operation,
		next func(context.Context, *dynorm.Operation) (*dynorm.Result, error),
	) (*dynorm.Result, error) {
		n := now.Add(1)
		defer now.Add(-1)
		for m := most.Load(); n > m && !most.CompareAndSwap(m, n); m = most.Load() {
		}
		time.Sleep(5 * time.Millisecond)
		return next(ctx, op)
	}}})
	q := dynorm.ModelOf[Reading](db).Where(dynorm.In("device", "d5", "d4", "d3", "d2", "d1", "d0"))
	for name, run := range map[string]func() ([]*Reading, error){
		"in turn": func() ([]*Reading, error) { return q.List(t.Context()) },
		"merged":  func() ([]*Reading, error) { return q.OrderBy("at").List(t.Context()) },
	} {
		t.Run(name, func(t *testing.T) {
			most.Store(0)
			list, err := run()
			require.NoError(t, err)
			require.Len(t, list, 6)
			require.GreaterOrEqual(t, most.Load(), int32(2))
			require.LessOrEqual(t, most.Load(), int32(3)+1) // the one in turn needs no slot
		})
	}
	most.Store(0)
	n, err := q.Count(t.Context())
	require.NoError(t, err)
	require.Equal(t, 6, n)
	require.EqualValues(t, 3, most.Load())
}

// An error comes once, last, and ends the loop.
func TestIteratorErrors(t *testing.T) {
	s := open(t, Reading{})
	seedReadings(t, s, 12)
	defer noLeaks(t)()
	boom := errors.New("boom")
	var requests atomic.Int32
	db := s.reopen(t, dynorm.Config{Interceptors: []dynorm.Interceptor{func(ctx context.Context, op *dynorm.Operation,
		next func(context.Context, *dynorm.Operation) (*dynorm.Result, error),
	) (*dynorm.Result, error) {
		if requests.Add(1) == 3 {
			return nil, boom
		}
		return next(ctx, op)
	}}})
	q := dynorm.ModelOf[Reading](db).Where(dynorm.Eq("device", "d1")).PageSize(4)
	var got []int
	var errs []error
	for r, err := range q.All(t.Context()) {
		if err != nil {
			require.Nil(t, r)
			errs = append(errs, err)
			continue
		}
		got = append(got, r.Value)
	}
	require.Equal(t, []int{0, 1, 2, 3, 4, 5, 6, 7}, got)
	require.Len(t, errs, 1)
	require.ErrorIs(t, errs[0], boom)
	require.ErrorContains(t, errs[0], "dynorm: All Reading")
	// Each loop starts afresh.
	n := 0
	for _, err := range q.All(t.Context()) {
		require.NoError(t, err)
		n++
	}
	require.Equal(t, 12, n)
}

func TestScan(t *testing.T) {
	s := open(t, Reading{}, User{}, Team{})
	seedReadings(t, s, 50)
	for i := range 20 {
		require.NoError(t, dynorm.ModelOf[User](s.db).Create(t.Context(), &User{ID: fmt.Sprint(i), Name: "Ann", Logins: int64(i)}))
	}
	defer noLeaks(t)()
	m := dynorm.ModelOf[Reading](s.db)
	q := m.Where(dynorm.Ge("value", 10))
	_, err := q.List(t.Context())
	require.ErrorIs(t, err, dynorm.ErrNoIndex)
	_, err = q.AllowScan().OrderBy("value").List(t.Context())
	require.ErrorIs(t, err, dynorm.ErrNoIndex, "a scan has no order")

	want := make([]int, 40)
	for i := range want {
		want[i] = i + 10
	}
	for _, segments := range []int{0, 1, 3, 16} {
		for _, pageSize := range []int{2, 1000} {
			t.Run(fmt.Sprint(segments, " ", pageSize), func(t *testing.T) {
				q := q.AllowScan(dynorm.Scan{Segments: segments}).PageSize(pageSize)
				list, err := q.List(t.Context())
				require.NoError(t, err)
				got := values(list)
				slices.Sort(got)
				require.Equal(t, want, got)
				n, err := q.Count(t.Context())
				require.NoError(t, err)
				require.Equal(t, 40, n)

				// Stopped and resumed, by pages and by progress.
				got = nil
				cursor := ""
				for {
					page, err := q.Limit(7).Page(t.Context(), cursor)
					require.NoError(t, err)
					require.Empty(t, page.Prev)
					got = append(got, values(page.Items)...)
					if cursor = page.Next; cursor == "" {
						break
					}
				}
				slices.Sort(got)
				require.Equal(t, want, got)

				var last dynorm.Progress
				got = nil
				for r, err := range q.OnProgress(func(p dynorm.Progress) { last = p }).All(t.Context()) {
					require.NoError(t, err)
					if got = append(got, r.Value); len(got) == 15 {
						break
					}
				}
				require.Equal(t, 15, last.Items)
				require.Positive(t, last.ReadUnits)
				require.NotEmpty(t, last.Cursor)
				rest, err := q.After(last.Cursor).OnProgress(func(p dynorm.Progress) { last = p }).List(t.Context())
				require.NoError(t, err)
				got = append(got, values(rest)...)
				slices.Sort(got)
				require.Equal(t, want, got)
				require.Empty(t, last.Cursor)
			})
		}
	}
	// What an index answers is no scan.
	require.Equal(t, dynorm.OpQuery, explain(t, m.Where(dynorm.Eq("device", "d1")).AllowScan()).Operation)
	_, err = q.AllowScan(dynorm.Scan{Segments: -1}).List(t.Context())
	require.ErrorIs(t, err, dynorm.ErrInvalid)

	// A pace is kept: 50 items of one read unit a page at 100 a second.
	paced := q.AllowScan(dynorm.Scan{ReadUnits: 100}).PageSize(1).Eventual()
	begin := time.Now()
	var used float64
	_, err = paced.OnProgress(func(p dynorm.Progress) { used = p.ReadUnits }).List(t.Context())
	require.NoError(t, err)
	require.Greater(t, used, 30.0)
	require.Greater(t, time.Since(begin).Seconds(), used/100-0.15)
}
