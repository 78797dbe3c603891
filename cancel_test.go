package dynorm_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/stretchr/testify/require"

	"github.com/dynorm/dynorm"
	"github.com/dynorm/dynorm/local"
)

// stalled is a transport whose requests get no answer after the first few, until
// their contexts end.
type stalled struct {
	dynamodb.HTTPClient
	answers atomic.Int64  // still to be given
	hung    atomic.Int64  // requests without an answer
	hangs   chan struct{} // closed by the first of them
}

func (c *stalled) Do(req *http.Request) (*http.Response, error) {
	if c.answers.Add(-1) >= 0 {
		return c.HTTPClient.Do(req)
	}
	if c.hung.Add(1) == 1 {
		close(c.hangs)
	}
	select {
	case <-req.Context().Done():
		return nil, req.Context().Err()
	case <-time.After(30 * time.Second):
		return nil, errors.New("the request was not cut")
	}
}

// cancelWorkers is the Concurrency of the calls that are cancelled.
const cancelWorkers = 2

// stall opens the store's table by a client that answers so many requests.
func (s *store) stall(t *testing.T, answers int) (*dynorm.DB, *stalled) {
	t.Helper()
	c := &stalled{HTTPClient: s.client.Options().HTTPClient, hangs: make(chan struct{})}
	c.answers.Store(int64(answers))
	db, err := dynorm.Open(dynamodb.New(s.client.Options(), func(o *dynamodb.Options) { o.HTTPClient = c }), s.db.Schema(),
		dynorm.Config{Table: s.db.Table(), Clock: func() time.Time { return clock }, Concurrency: cancelWorkers})
	require.NoError(t, err)
	return db, c
}

// cancelled runs a call, ends its context while it waits for an answer and checks
// that it stops then.
func cancelled(t *testing.T, c *stalled, call func(ctx context.Context) error) error {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	returned := make(chan error)
	go func() { returned <- call(ctx) }()
	select {
	case <-c.hangs:
	case err := <-returned:
		t.Fatalf("it ended before it was cancelled: %v", err)
	}
	begin := time.Now()
	cancel()
	err := <-returned
	took := time.Since(begin)
	require.ErrorIs(t, err, context.Canceled)
	require.Less(t, took, 10*time.Second, "the wait is cut")
	require.LessOrEqual(t, c.hung.Load(), int64(cancelWorkers), "no request follows those in flight")
	t.Logf("stopped after %v", took)
	return err
}

// idsOf lists the ids of a model's items.
func idsOf[T any](t *testing.T, db *dynorm.DB, id func(*T) string) map[string]bool {
	t.Helper()
	ids := map[string]bool{}
	for v, err := range dynorm.ModelOf[T](db).Query().AllowScan().All(t.Context()) {
		require.NoError(t, err)
		ids[id(v)] = true
	}
	return ids
}

func postID(p *Post) string       { return p.ID }
func accountID(a *Account) string { return a.ID }

// batchCancelled checks that the error of a cancelled batch tells everything
// that was not written, and that it can be given to the same call again.
func batchCancelled[T any](t *testing.T, db *dynorm.DB, err error, values []*T, id func(*T) string, deleting bool, again func(context.Context, ...*T) error) {
	t.Helper()
	be, ok := errors.AsType[*dynorm.BatchError[T]](err)
	require.True(t, ok, "%v", err)
	require.ErrorIs(t, err, dynorm.ErrUnprocessed)
	require.Empty(t, be.Failed)
	require.NotEmpty(t, be.Left)
	left := map[string]bool{}
	for _, v := range be.Left {
		left[id(v)] = true
	}
	ids := idsOf(t, db, id)
	for _, v := range values {
		require.True(t, left[id(v)] || ids[id(v)] != deleting, "%s is neither written nor left", id(v))
	}
	err = again(t.Context(), be.Left...)
	if err != nil { // what was written though its answer was cut
		require.ErrorIs(t, err, dynorm.ErrExists)
	}
	want := len(values)
	if deleting {
		want = 0
	}
	require.Len(t, idsOf(t, db, id), want)
}

func TestCancelledBatches(t *testing.T) {
	var posts []*Post
	var accounts []*Account
	for i := range 300 {
		posts = append(posts, &Post{ID: fmt.Sprint(i), UserID: "u"})
		accounts = append(accounts, &Account{ID: fmt.Sprint(i), Email: fmt.Sprint(i)})
	}
	type calls struct {
		posts    dynorm.Model[Post]
		accounts dynorm.Model[Account]
	}
	on := func(db *dynorm.DB) calls {
		return calls{dynorm.ModelOf[Post](db), dynorm.ModelOf[Account](db)}
	}
	tests := []struct {
		name    string
		answers []int
		seeded  bool
		call    func(t *testing.T, s *store, db *dynorm.DB, c *stalled)
	}{
		{"PutMany", []int{0, 3}, false, func(t *testing.T, s *store, db *dynorm.DB, c *stalled) {
			err := cancelled(t, c, func(ctx context.Context) error { return on(db).posts.PutMany(ctx, posts...) })
			batchCancelled(t, s.db, err, posts, postID, false, on(s.db).posts.PutMany)
		}},
		{"PutMany of unique values", []int{0, 3, 4}, false, func(t *testing.T, s *store, db *dynorm.DB, c *stalled) {
			err := cancelled(t, c, func(ctx context.Context) error { return on(db).accounts.PutMany(ctx, accounts...) })
			batchCancelled(t, s.db, err, accounts, accountID, false, on(s.db).accounts.PutMany)
		}},
		{"CreateMany", []int{0, 2}, false, func(t *testing.T, s *store, db *dynorm.DB, c *stalled) {
			err := cancelled(t, c, func(ctx context.Context) error { return on(db).posts.CreateMany(ctx, posts...) })
			batchCancelled(t, s.db, err, posts, postID, false, on(s.db).posts.CreateMany)
		}},
		{"CreateMany of unique values", []int{0, 4}, false, func(t *testing.T, s *store, db *dynorm.DB, c *stalled) {
			err := cancelled(t, c, func(ctx context.Context) error { return on(db).accounts.CreateMany(ctx, accounts...) })
			batchCancelled(t, s.db, err, accounts, accountID, false, on(s.db).accounts.CreateMany)
		}},
		{"DeleteMany", []int{0, 3}, true, func(t *testing.T, s *store, db *dynorm.DB, c *stalled) {
			err := cancelled(t, c, func(ctx context.Context) error { return on(db).posts.DeleteMany(ctx, posts...) })
			batchCancelled(t, s.db, err, posts, postID, true, on(s.db).posts.DeleteMany)
		}},
		{"DeleteMany of unique values", []int{0, 1, 4}, true, func(t *testing.T, s *store, db *dynorm.DB, c *stalled) {
			err := cancelled(t, c, func(ctx context.Context) error { return on(db).accounts.DeleteMany(ctx, accounts...) })
			batchCancelled(t, s.db, err, accounts, accountID, true, on(s.db).accounts.DeleteMany)
		}},
	}
	for _, tt := range tests {
		for _, answers := range tt.answers {
			t.Run(fmt.Sprintf("%s after %d", tt.name, answers), func(t *testing.T) {
				s := open(t, Post{}, User{}, Team{}, Account{})
				if tt.seeded {
					require.NoError(t, on(s.db).posts.PutMany(t.Context(), posts...))
					require.NoError(t, on(s.db).accounts.PutMany(t.Context(), accounts...))
				}
				db, c := s.stall(t, answers)
				tt.call(t, s, db, c)
				require.Empty(t, uniqueFaults(t, s.db))
			})
		}
	}
}

func TestCancelledChunked(t *testing.T) {
	s := open(t, Account{})
	accounts := dynorm.ModelOf[Account]
	values := make([]*Account, 170)
	for i := range values {
		values[i] = &Account{ID: fmt.Sprint(i), Email: fmt.Sprint(i)}
	}
	add := func(ctx context.Context, db *dynorm.DB, skip int) error {
		return db.Chunked(ctx, func(tx *dynorm.Tx) error {
			tx.Skip(skip)
			for _, v := range values {
				if err := accounts(db).In(tx).Create(ctx, v); err != nil {
					return err
				}
			}
			return nil
		})
	}
	db, c := s.stall(t, 1)
	err := cancelled(t, c, func(ctx context.Context) error { return add(ctx, db, 0) })
	ce, ok := errors.AsType[*dynorm.ChunkedError](err)
	require.True(t, ok, "%v", err)
	require.Equal(t, []int{50, 120}, []int{ce.Done, ce.Left})
	require.Len(t, idsOf(t, s.db, accountID), ce.Done)

	// The same function goes on, and what ends early again counts from the start.
	db, c = s.stall(t, 1)
	err = cancelled(t, c, func(ctx context.Context) error { return add(ctx, db, ce.Done) })
	ce, ok = errors.AsType[*dynorm.ChunkedError](err)
	require.True(t, ok, "%v", err)
	require.Equal(t, []int{100, 70}, []int{ce.Done, ce.Left})
	require.NoError(t, add(t.Context(), s.db, ce.Done))
	require.Len(t, idsOf(t, s.db, accountID), len(values))
	require.Empty(t, uniqueFaults(t, s.db))
}

func TestCancelledTransact(t *testing.T) {
	s := open(t, OrderItem{})
	db, c := s.stall(t, 0)
	v := &OrderItem{SKU: "1"}
	err := cancelled(t, c, func(ctx context.Context) error {
		return db.Transact(ctx, func(tx *dynorm.Tx) error { return dynorm.ModelOf[OrderItem](db).In(tx).Create(ctx, v) })
	})
	require.ErrorContains(t, err, "dynorm: Transact")
	require.Zero(t, v.Version, "the value is as it was")
	require.NoError(t, dynorm.ModelOf[OrderItem](s.db).Create(t.Context(), v))
}

func TestCancelledFindMany(t *testing.T) {
	s := open(t, Post{}, User{}, Team{})
	var posts []*Post
	keys := make([]any, 500)
	for i := range keys {
		posts = append(posts, &Post{ID: fmt.Sprint(i), UserID: "u"})
		keys[i] = fmt.Sprint(i)
	}
	require.NoError(t, dynorm.ModelOf[Post](s.db).PutMany(t.Context(), posts...))

	t.Run("typed", func(t *testing.T) {
		db, c := s.stall(t, 3)
		var got []*Post
		err := cancelled(t, c, func(ctx context.Context) (err error) {
			got, err = dynorm.ModelOf[Post](db).FindMany(ctx, keys...)
			return err
		})
		ue, ok := errors.AsType[*dynorm.UnreadError](err)
		require.True(t, ok, "%v", err)
		require.ErrorIs(t, err, dynorm.ErrUnprocessed)
		require.Len(t, ue.Left, 200)
		rest, err := dynorm.ModelOf[Post](s.db).FindMany(t.Context(), ue.Left...)
		require.NoError(t, err)
		for i, p := range got {
			if p == nil {
				p, rest = rest[0], rest[1:]
			}
			require.Equal(t, keys[i], p.ID)
		}
		require.Empty(t, rest)
	})
	t.Run("by name", func(t *testing.T) {
		db, c := s.stall(t, 3)
		records := make([]any, len(keys))
		for i := range keys {
			records[i] = dynorm.Record{"id": keys[i]}
		}
		var got []dynorm.Record
		err := cancelled(t, c, func(ctx context.Context) (err error) {
			got, err = db.Entity("Post").FindMany(ctx, records...)
			return err
		})
		ue, ok := errors.AsType[*dynorm.UnreadError](err)
		require.True(t, ok, "%v", err)
		require.Len(t, ue.Left, 200)
		var unread []any
		for i, r := range got {
			if r == nil {
				unread = append(unread, records[i])
			}
		}
		require.Equal(t, unread, ue.Left)
	})
	t.Run("across entities", func(t *testing.T) {
		db, c := s.stall(t, 3)
		values := make([]any, len(keys))
		for i := range values {
			values[i] = &Post{ID: fmt.Sprint(i)}
		}
		err := cancelled(t, c, func(ctx context.Context) error {
			missing, err := db.FindMany(ctx, values...)
			require.Empty(t, missing)
			return err
		})
		ue, ok := errors.AsType[*dynorm.UnreadError](err)
		require.True(t, ok, "%v", err)
		require.Len(t, ue.Left, 200)
		missing, err := s.db.FindMany(t.Context(), ue.Left...)
		require.NoError(t, err)
		require.Empty(t, missing)
		for _, v := range values {
			require.Equal(t, "u", v.(*Post).UserID)
		}
	})
}

func TestCancelledBulk(t *testing.T) {
	for _, answers := range []int{0, 1, 40, 150} {
		t.Run(fmt.Sprint(answers), func(t *testing.T) {
			s := open(t, Post{}, User{}, Team{})
			var posts []*Post
			for i := range 250 {
				posts = append(posts, &Post{ID: fmt.Sprintf("%03d", i), UserID: "u"})
			}
			require.NoError(t, dynorm.ModelOf[Post](s.db).PutMany(t.Context(), posts...))
			ofUser := func(db *dynorm.DB) dynorm.Query[Post] {
				return dynorm.ModelOf[Post](db).Where(dynorm.Eq("userId", "u")).PageSize(60)
			}
			db, c := s.stall(t, answers)
			var done *dynorm.Bulk[Post]
			_ = cancelled(t, c, func(ctx context.Context) (err error) {
				done, err = ofUser(db).Update(ctx, dynorm.Set("title", "new"))
				return err
			})
			require.NotEmpty(t, done.Next, "where to go on")
			require.Zero(t, done.Skipped)
			titled := func() (n int) {
				for p, err := range ofUser(s.db).All(t.Context()) {
					require.NoError(t, err)
					if p.Title == "new" {
						n++
					}
				}
				return n
			}
			require.Equal(t, done.Changed, titled())
			rest, err := ofUser(s.db).After(done.Next).Update(t.Context(), dynorm.Set("title", "new"))
			require.NoError(t, err)
			require.Empty(t, rest.Next)
			require.Equal(t, len(posts), done.Changed+len(done.Failed)+rest.Changed)
			for _, f := range done.Failed {
				require.ErrorIs(t, f.Err, context.Canceled)
				_, err := dynorm.ModelOf[Post](s.db).Update(t.Context(), f.Item, dynorm.Set("title", "new"))
				require.NoError(t, err)
			}
			require.Equal(t, len(posts), titled())
		})
	}
}

func TestCancelledReads(t *testing.T) {
	s := open(t, Post{}, User{}, Team{}, Account{})
	var posts []*Post
	for i := range 200 {
		posts = append(posts, &Post{ID: fmt.Sprintf("%03d", i), UserID: "u"})
	}
	require.NoError(t, dynorm.ModelOf[Post](s.db).PutMany(t.Context(), posts...))
	for i := range 3 {
		require.NoError(t, dynorm.ModelOf[Account](s.db).Create(t.Context(), &Account{ID: fmt.Sprint(i), Email: fmt.Sprint(i)}))
	}
	query := func(db *dynorm.DB) dynorm.Query[Post] {
		return dynorm.ModelOf[Post](db).Where(dynorm.Eq("userId", "u")).PageSize(50)
	}
	scan := func(db *dynorm.DB) dynorm.Query[Post] {
		return dynorm.ModelOf[Post](db).Query().AllowScan().PageSize(50)
	}
	for name, call := range map[string]func(ctx context.Context, db *dynorm.DB) error{
		"All": func(ctx context.Context, db *dynorm.DB) error {
			n := 0
			for p, err := range query(db).All(ctx) {
				if err != nil {
					require.Nil(t, p)
					require.Equal(t, 50, n, "what came before is given out")
					return err
				}
				n++
			}
			return nil
		},
		"a scan": func(ctx context.Context, db *dynorm.DB) error {
			for _, err := range scan(db).All(ctx) {
				if err != nil {
					return err
				}
			}
			return nil
		},
		"a scan in segments": func(ctx context.Context, db *dynorm.DB) error {
			_, err := dynorm.ModelOf[Post](db).Query().AllowScan(dynorm.Scan{Segments: 4}).PageSize(20).List(ctx)
			return err
		},
		"Pages": func(ctx context.Context, db *dynorm.DB) error {
			for _, err := range query(db).Limit(50).Pages(ctx) {
				if err != nil {
					return err
				}
			}
			return nil
		},
		"List":  func(ctx context.Context, db *dynorm.DB) error { _, err := query(db).List(ctx); return err },
		"Count": func(ctx context.Context, db *dynorm.DB) error { _, err := query(db).Count(ctx); return err },
		"Chunk": func(ctx context.Context, db *dynorm.DB) error {
			return query(db).Chunk(ctx, 10, func(context.Context, []*Post) error { return nil })
		},
		"ForEach": func(ctx context.Context, db *dynorm.DB) error {
			return query(db).ForEach(ctx, func(context.Context, *Post) error { return nil })
		},
		"ScanUnique": func(ctx context.Context, db *dynorm.DB) error {
			for _, err := range db.ScanUnique(ctx) {
				if err != nil {
					return err
				}
			}
			return nil
		},
		"RepairAllUnique": func(ctx context.Context, db *dynorm.DB) error {
			_, _, err := db.RepairAllUnique(ctx)
			return err
		},
		"TransactGet": func(ctx context.Context, db *dynorm.DB) error {
			if _, err := dynorm.ModelOf[Post](db).TransactGet(ctx, "000"); err != nil {
				return err
			}
			_, err := dynorm.ModelOf[Post](db).TransactGet(ctx, "001")
			return err
		},
		"Edit": func(ctx context.Context, db *dynorm.DB) error {
			_, err := dynorm.ModelOf[Account](db).Edit(ctx, "1", func(a *Account) error { a.Email = "new"; return nil })
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			db, c := s.stall(t, 1)
			err := cancelled(t, c, func(ctx context.Context) error { return call(ctx, db) })
			oe, ok := errors.AsType[*dynorm.Error](err)
			require.True(t, ok, "%v", err)
			require.NotEmpty(t, oe.Op)
		})
	}
}

// A repair that is cut says how far it came; what it mended stays so.
func TestCancelledRepair(t *testing.T) {
	s := open(t, Account{})
	for i := range 10 {
		require.NoError(t, dynorm.ModelOf[Account](s.db).Create(t.Context(), &Account{ID: fmt.Sprint(i), Email: fmt.Sprint(i)}))
		_, err := s.client.DeleteItem(t.Context(), &dynamodb.DeleteItemInput{
			TableName: new(s.db.Table()), Key: dynorm.Item{"pk": textValue(fmt.Sprintf("UNIQUE#Account#email#%d", i)), "sk": textValue("UNIQUE")},
		})
		require.NoError(t, err)
	}
	db, c := s.stall(t, 2+2*4) // a page and its claims; a read and a write for each
	repaired := 0
	_ = cancelled(t, c, func(ctx context.Context) (err error) {
		repaired, _, err = db.RepairAllUnique(ctx)
		return err
	})
	require.Equal(t, 4, repaired)
	require.Equal(t, map[string]int{"missing Account.email": 6}, uniqueFaults(t, s.db))
	repaired, left, err := s.db.RepairAllUnique(t.Context())
	require.NoError(t, err)
	require.Empty(t, left)
	require.Equal(t, 6, repaired)
}

// Pauses between attempts are cut as requests are.
func TestCancelledPauses(t *testing.T) {
	for name, tt := range map[string]struct {
		fault local.Fault
		call  func(ctx context.Context, db *dynorm.DB) error
	}{
		"unprocessed writes": {local.Fault{Kind: local.Unprocessed, Operations: []string{"BatchWriteItem"}}, func(ctx context.Context, db *dynorm.DB) error {
			return dynorm.ModelOf[Post](db).PutMany(ctx, &Post{ID: "1"}, &Post{ID: "2"})
		}},
		"unprocessed keys": {local.Fault{Kind: local.Unprocessed, Operations: []string{"BatchGetItem"}}, func(ctx context.Context, db *dynorm.DB) error {
			_, err := dynorm.ModelOf[Post](db).FindMany(ctx, "1", "2")
			return err
		}},
		"conflicts": {local.Fault{Kind: local.Conflict, Operations: []string{"TransactWriteItems"}}, func(ctx context.Context, db *dynorm.DB) error {
			return db.Transact(ctx, func(tx *dynorm.Tx) error { return dynorm.ModelOf[Post](db).In(tx).Put(ctx, &Post{ID: "1"}) })
		}},
		"retries": {local.Fault{Kind: local.Conflict, Operations: []string{"PutItem"}}, func(ctx context.Context, db *dynorm.DB) error {
			return dynorm.Retry(ctx, 1_000_000, func(context.Context) error { return dynorm.ErrStaleVersion })
		}},
	} {
		t.Run(name, func(t *testing.T) {
			engine, db := lossy(t, dynorm.Config{}, Post{}, User{}, Team{})
			_, err := engine.Inject(tt.fault)
			require.NoError(t, err)
			ctx, cancel := context.WithCancel(t.Context())
			returned := make(chan error)
			go func() { returned <- tt.call(ctx, db) }()
			select {
			case err := <-returned:
				t.Fatalf("it ended before it was cancelled: %v", err)
			case <-time.After(20 * time.Millisecond):
			}
			cancel()
			require.ErrorIs(t, <-returned, context.Canceled)
		})
	}
}
