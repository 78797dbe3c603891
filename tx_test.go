package dynorm_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/dynorm/dynorm"
)

// What counts is DynamoDB's size of a transaction, not that of its JSON.
func TestTransactionSizeIsExact(t *testing.T) {
	s := open(t, User{}, Team{})
	users := dynorm.ModelOf[User](s.db)
	text := strings.Repeat("\"", 300<<10) // takes twice as much in JSON
	require.NoError(t, s.db.Transact(t.Context(), func(tx *dynorm.Tx) error {
		for i := range 10 {
			if err := users.In(tx).Create(t.Context(), &User{ID: fmt.Sprint(i), Name: text}); err != nil {
				return err
			}
		}
		return nil
	}))
}

func TestTransact(t *testing.T) {
	s := open(t, User{}, Team{}, Post{}, OrderItem{}, Account{})
	users, posts := dynorm.ModelOf[User](s.db), dynorm.ModelOf[Post](s.db)
	items := dynorm.ModelOf[OrderItem](s.db)
	ctx := t.Context()
	item := &OrderItem{SKU: "s"}
	require.NoError(t, items.Create(ctx, item))
	require.NoError(t, posts.Create(ctx, &Post{ID: "gone"}))
	s.kinds()

	require.NoError(t, s.db.Transact(ctx, func(tx *dynorm.Tx) error {
		if err := users.In(tx).Create(ctx, &User{ID: "1", Name: "Ann"}); err != nil {
			return err
		}
		if err := posts.In(tx).Put(ctx, &Post{ID: "p", UserID: "1"}); err != nil {
			return err
		}
		item.Qty = 5
		if err := items.In(tx).Save(ctx, item); err != nil {
			return err
		}
		return posts.In(tx).Delete(ctx, "gone")
	}))
	require.Equal(t, []dynorm.OpKind{dynorm.OpTransactWriteItems}, s.kinds())
	require.EqualValues(t, 2, item.Version)
	all, err := posts.TransactGet(ctx, "p", "gone", "p")
	require.NoError(t, err)
	require.Equal(t, "1", all[0].UserID)
	require.Nil(t, all[1])
	require.Equal(t, all[0], all[2])

	// One failing action cancels all and says which and why.
	fresh := &User{ID: "2"}
	err = s.db.Transact(ctx, func(tx *dynorm.Tx) error {
		return errors.Join(
			users.In(tx).Create(ctx, fresh),
			items.In(tx).Save(ctx, &OrderItem{SKU: "s", Version: 1}),
			posts.In(tx).Check(ctx, "p", dynorm.Eq("userId", "2")))
	})
	require.ErrorIs(t, err, dynorm.ErrTxCanceled)
	require.ErrorIs(t, err, dynorm.ErrStaleVersion)
	require.ErrorIs(t, err, dynorm.ErrConditionFailed)
	te, ok := errors.AsType[*dynorm.TxError](err)
	require.True(t, ok)
	require.Len(t, te.Reasons, 2)
	require.Equal(t, 1, te.Reasons[0].Action)
	require.Equal(t, "OrderItem", te.Reasons[0].Entity)
	require.Equal(t, "Check", te.Reasons[1].Op)
	_, err = users.Find(ctx, "2")
	require.ErrorIs(t, err, dynorm.ErrNotFound)

	s.kinds()
	boom := errors.New("boom")
	require.ErrorIs(t, s.db.Transact(ctx, func(tx *dynorm.Tx) error {
		require.NoError(t, items.In(tx).Save(ctx, item))
		require.EqualValues(t, 3, item.Version)
		return boom
	}), boom)
	require.EqualValues(t, 2, item.Version, "values are as they were")
	require.NoError(t, s.db.Transact(ctx, func(*dynorm.Tx) error { return nil }))
	require.Empty(t, s.kinds())
}

func TestTransactPreflight(t *testing.T) {
	s := open(t, User{}, Team{}, Account{}, Measure{})
	users, accounts := dynorm.ModelOf[User](s.db), dynorm.ModelOf[Account](s.db)
	measures := dynorm.ModelOf[Measure](s.db)
	ctx := t.Context()
	tests := []struct {
		name string
		fill func(ctx context.Context, tx *dynorm.Tx) error
		want error
		text string
	}{
		{"the same item twice", func(ctx context.Context, tx *dynorm.Tx) error {
			return errors.Join(users.In(tx).Create(ctx, &User{ID: "1"}), users.In(tx).Delete(ctx, "1"))
		}, dynorm.ErrInvalid, "same item"},
		{"one claim twice", func(ctx context.Context, tx *dynorm.Tx) error {
			return errors.Join(accounts.In(tx).Create(ctx, &Account{ID: "1", Email: "e"}), accounts.In(tx).Create(ctx, &Account{ID: "2", Email: "e"}))
		}, dynorm.ErrInvalid, "same item"},
		{"over 100 actions, claims included", func(ctx context.Context, tx *dynorm.Tx) error {
			for i := range 51 {
				if err := accounts.In(tx).Create(ctx, &Account{ID: fmt.Sprint(i), Email: fmt.Sprint(i)}); err != nil {
					return err
				}
			}
			return nil
		}, dynorm.ErrTooLarge, "102 actions"},
		{"over 4 MB", func(ctx context.Context, tx *dynorm.Tx) error {
			for i := range 12 {
				if err := measures.In(tx).Create(ctx, &Measure{ID: fmt.Sprint(i), Data: make([]byte, 390*1024)}); err != nil {
					return err
				}
			}
			return nil
		}, dynorm.ErrTooLarge, "4194304"},
		{"an action that failed to build, its error dropped", func(ctx context.Context, tx *dynorm.Tx) error {
			_ = users.In(tx).Create(ctx, &User{})
			return users.In(tx).Create(ctx, &User{ID: "1"})
		}, dynorm.ErrMissingKey, "User.ID"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s.kinds()
			err := s.db.Transact(ctx, func(tx *dynorm.Tx) error { return tt.fill(ctx, tx) })
			require.ErrorIs(t, err, tt.want)
			require.ErrorContains(t, err, tt.text)
			require.Equal(t, 1, strings.Count(err.Error(), "dynorm:"), err.Error())
			require.Empty(t, s.kinds(), "no request may be sent")
		})
	}
}
