package dynorm_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/dynorm/dynorm"
	"github.com/dynorm/dynorm/local"
)

// Acceptance: a batch write of 1,000 items of which 30 % come back unprocessed
// stores 1,000; a batch get of 250 keys returns 250, in input order.
func TestBatchesUnderFaults(t *testing.T) {
	engine, db := lossy(t, dynorm.Config{}, Post{}, User{}, Team{}, Account{})
	posts, accounts := dynorm.ModelOf[Post](db), dynorm.ModelOf[Account](db)
	ctx := t.Context()
	var values []*Post
	var owners []*Account
	for i := range 1000 {
		values = append(values, &Post{ID: fmt.Sprint(i), UserID: "u"})
		owners = append(owners, &Account{ID: fmt.Sprint(i), Email: fmt.Sprint(i)})
	}
	stop, err := engine.Inject(local.Fault{Kind: local.Unprocessed, Rate: 0.3}, local.Fault{Kind: local.Throttle, Rate: 0.3},
		local.Fault{Kind: local.LostResponse, Rate: 0.02})
	require.NoError(t, err)
	require.NoError(t, posts.PutMany(ctx, values...))
	keys := make([]any, 250)
	for i := range keys {
		keys[i] = fmt.Sprint((i * 37) % 1000)
	}
	got, err := posts.FindMany(ctx, keys...)
	require.NoError(t, err)
	for i, p := range got {
		require.Equal(t, keys[i], p.ID)
	}
	stop()
	stop, err = engine.Inject(local.Fault{Kind: local.Conflict, Rate: 0.003}, local.Fault{Kind: local.LostResponse, Rate: 0.05})
	require.NoError(t, err)
	require.NoError(t, accounts.CreateMany(ctx, owners...))
	stop()
	for _, n := range []func() (int, error){
		func() (int, error) { return posts.Query().AllowScan().Count(ctx) },
		func() (int, error) { return accounts.Query().AllowScan().Count(ctx) },
	} {
		n, err := n()
		require.NoError(t, err)
		require.Equal(t, 1000, n)
	}
	require.Empty(t, uniqueFaults(t, db))
}

func TestBatchesOfGuardedEntities(t *testing.T) {
	s := open(t, Account{}, OrderItem{}, Folio{})
	accounts, items, folios := dynorm.ModelOf[Account](s.db), dynorm.ModelOf[OrderItem](s.db), dynorm.ModelOf[Folio](s.db)
	ctx := t.Context()
	require.NoError(t, accounts.Create(ctx, &Account{ID: "7", Email: "seven"}))
	require.NoError(t, accounts.Create(ctx, &Account{ID: "other", Email: "taken"}))
	var values []*Account
	for i := range 120 {
		values = append(values, &Account{ID: fmt.Sprint(i), Email: fmt.Sprint("e", i)})
	}
	values[50].Email = "taken"
	values = append(values, &Account{ID: "3", Email: "again"}, &Account{ID: "new", Email: "e4"})
	s.kinds()
	err := accounts.CreateMany(ctx, values...)
	be, ok := errors.AsType[*dynorm.BatchError[Account]](err)
	require.True(t, ok, "%v", err)
	require.Empty(t, be.Left)
	require.ErrorIs(t, err, dynorm.ErrUnprocessed)
	reasons := map[string]error{}
	for _, f := range be.Failed {
		reasons[f.Value.ID+f.Value.Email] = f.Err
	}
	require.Len(t, reasons, 4)
	require.ErrorIs(t, reasons["7e7"], dynorm.ErrExists)
	require.ErrorIs(t, reasons["50taken"], dynorm.ErrUnique)
	require.ErrorIs(t, reasons["3again"], dynorm.ErrExists)
	require.True(t, errors.Is(reasons["newe4"], dynorm.ErrUnique) || errors.Is(reasons["4e4"], dynorm.ErrUnique), "two values of one batch with one email")
	for _, kind := range s.kinds() {
		require.Equal(t, dynorm.OpTransactWriteItems, kind)
	}
	n, err := accounts.Query().AllowScan().Count(ctx)
	require.NoError(t, err)
	require.Equal(t, 120, n)

	// PutMany moves claims and checks versions.
	s.kinds()
	require.NoError(t, accounts.PutMany(ctx, &Account{ID: "1", Email: "swapped"}, &Account{ID: "2", Email: "two"}))
	require.Equal(t, []dynorm.OpKind{dynorm.OpBatchGetItem, dynorm.OpTransactWriteItems}, s.kinds())
	require.NoError(t, accounts.Create(ctx, &Account{ID: "free", Email: "e1"}))
	a, b := &OrderItem{SKU: "a", Qty: 1}, &OrderItem{SKU: "b", Qty: 1}
	require.NoError(t, items.PutMany(ctx, a, b))
	require.EqualValues(t, 1, a.Version)
	stale := *a
	require.NoError(t, items.Save(ctx, a))
	b.Qty = 2
	err = items.PutMany(ctx, &stale, b)
	require.ErrorIs(t, err, dynorm.ErrStaleVersion)
	require.EqualValues(t, 1, stale.Version, "a refused value is as it was")
	require.EqualValues(t, 2, b.Version)
	got, err := items.FindMany(ctx, "a", "b")
	require.NoError(t, err)
	require.EqualValues(t, 2, got[0].Version)
	require.Equal(t, 2, got[1].Qty)

	// DeleteMany frees claims, and deletes softly.
	require.NoError(t, accounts.DeleteMany(ctx, values[8:40]...))
	require.NoError(t, folios.CreateMany(ctx, &Folio{ledger: ledger{ID: "1", Email: "f"}}))
	require.NoError(t, folios.DeleteMany(ctx, &Folio{ledger: ledger{ID: "1"}}))
	require.NotEmpty(t, s.raw(t, "FOLIO#1", "FOLIO#1")["deletedAt"])
	require.Empty(t, uniqueFaults(t, s.db))

	plain, err := dynorm.Open(s.client, s.db.Schema(), dynorm.Config{Table: s.db.Table(), PlainBatches: true})
	require.NoError(t, err)
	require.ErrorIs(t, dynorm.ModelOf[OrderItem](plain).PutMany(ctx, a), dynorm.ErrInvalid)
	require.ErrorIs(t, dynorm.ModelOf[OrderItem](plain).CreateMany(ctx, a), dynorm.ErrInvalid)
}

func TestChunked(t *testing.T) {
	s := open(t, Account{}, User{}, Team{})
	accounts, users := dynorm.ModelOf[Account](s.db), dynorm.ModelOf[User](s.db)
	ctx := t.Context()
	s.kinds()
	add := func(tx *dynorm.Tx, n int) error {
		for i := range n {
			if err := accounts.In(tx).Create(ctx, &Account{ID: fmt.Sprint(i), Email: fmt.Sprint(i)}); err != nil {
				return err
			}
			if err := users.In(tx).Put(ctx, &User{ID: fmt.Sprint(i % 60)}); err != nil {
				return err
			}
		}
		return nil
	}
	require.NoError(t, s.db.Chunked(ctx, func(tx *dynorm.Tx) error { return add(tx, 80) }))
	require.Len(t, s.kinds(), 3, "240 actions")
	require.Empty(t, uniqueFaults(t, s.db))

	last := &User{ID: "last", Name: "n"}
	err := s.db.Chunked(ctx, func(tx *dynorm.Tx) error {
		for i := range 150 {
			if err := users.In(tx).Create(ctx, &User{ID: fmt.Sprint("c", i%120)}); err != nil { // the 121st is there by then
				return err
			}
		}
		return users.In(tx).Create(ctx, last)
	})
	ce, ok := errors.AsType[*dynorm.ChunkedError](err)
	require.True(t, ok, "%v", err)
	require.Equal(t, 100, ce.Done+ce.Left-51)
	require.ErrorIs(t, err, dynorm.ErrExists)
	require.ErrorIs(t, err, dynorm.ErrTxCanceled)
	n, err := users.Query().AllowScan().Count(ctx)
	require.NoError(t, err)
	require.Equal(t, 60+ce.Done, n, "what is said to be done is done, the rest is not")
	require.ErrorIs(t, s.db.Chunked(ctx, func(tx *dynorm.Tx) error { tx.Token("x"); return nil }), dynorm.ErrInvalid)
}

// Two values of a batch that had nothing to do with each other when it was
// planned come to depend on one claim before it is sent: each is written.
func TestBatchPlannedAnewOnOneClaim(t *testing.T) {
	s := open(t, Account{})
	other := dynorm.ModelOf[Account](s.db)
	ctx := t.Context()
	require.NoError(t, other.Create(ctx, &Account{ID: "1", Email: "old"}))
	raced := false
	db, err := dynorm.Open(s.client, s.db.Schema(), dynorm.Config{
		Table: s.db.Table(),
		Interceptors: []dynorm.Interceptor{func(ctx context.Context, op *dynorm.Operation, next func(context.Context, *dynorm.Operation) (*dynorm.Result, error)) (*dynorm.Result, error) {
			if op.Kind == dynorm.OpTransactWriteItems && !raced {
				raced = true
				if _, err := other.Update(ctx, "1", dynorm.Set("email", "wanted")); err != nil {
					return nil, err
				}
			}
			return next(ctx, op)
		}},
	})
	require.NoError(t, err)
	accounts := dynorm.ModelOf[Account](db)
	require.NoError(t, accounts.PutMany(ctx, &Account{ID: "1", Email: "new"}, &Account{ID: "2", Email: "wanted"}))
	require.True(t, raced)
	for id, email := range map[string]string{"1": "new", "2": "wanted"} {
		got, err := accounts.FindBy(ctx, "email", email)
		require.NoError(t, err)
		require.Equal(t, id, got.ID)
	}
	require.Empty(t, uniqueFaults(t, db))
}
