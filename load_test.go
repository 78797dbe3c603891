package dynorm_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/dynorm/dynorm"
)

func TestFindManyAcrossEntities(t *testing.T) {
	s := open(t, User{}, Team{}, Post{}, OrderItem{})
	ctx := t.Context()
	require.NoError(t, dynorm.ModelOf[User](s.db).Create(ctx, &User{ID: "1", Name: "Ann"}))
	require.NoError(t, dynorm.ModelOf[Post](s.db).Create(ctx, &Post{ID: "1", Title: "t"}))
	s.kinds()
	u, p, again, none := &User{ID: "1"}, &Post{ID: "1"}, &User{ID: "1"}, &OrderItem{SKU: "x", Qty: 3}
	missing, err := s.db.FindMany(ctx, u, none, p, again)
	require.NoError(t, err)
	require.Equal(t, []dynorm.OpKind{dynorm.OpBatchGetItem}, s.kinds())
	require.Equal(t, []any{none}, missing)
	require.Equal(t, 3, none.Qty)
	require.Equal(t, "Ann", u.Name)
	require.Equal(t, "t", p.Title)
	require.Equal(t, u, again)
	for val, want := range map[any]error{
		User{ID: "1"}.ID: dynorm.ErrInvalid, (*Post)(nil): dynorm.ErrInvalid, &Stranger{}: dynorm.ErrUnregistered, &Post{}: dynorm.ErrMissingKey,
	} {
		_, err := s.db.FindMany(ctx, u, val)
		require.ErrorIs(t, err, want)
	}
	require.Empty(t, s.kinds())
}
