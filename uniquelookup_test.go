package dynorm_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/dynorm/dynorm"
)

// Seat is unique by its hall and number.
type Seat struct {
	_ dynorm.Unique `dynorm:"Hall,No"`

	ID   string
	Hall string `dynorm:",index"`
	No   int
	Name string
}

func TestQueryByUniqueValue(t *testing.T) {
	s := open(t, Profile{}, Seat{})
	ctx := t.Context()
	profiles, seats := dynorm.ModelOf[Profile](s.db), dynorm.ModelOf[Seat](s.db)
	require.NoError(t, profiles.Create(ctx, &Profile{ID: "a", Email: "a@x", Team: "t", Name: "Ann"}))
	require.NoError(t, seats.Create(ctx, &Seat{ID: "1", Hall: "h", No: 7, Name: "Bob"}))
	s.sent = nil

	q := profiles.Where(dynorm.Eq("email", "a@x"))
	plan := explain(t, q)
	require.Equal(t, dynorm.OpGetItem, plan.Operation)
	require.Equal(t, []string{"pk = UNIQUE#Profile#email#a@x and sk = UNIQUE"}, plan.Keys)
	p, err := q.One(ctx)
	require.NoError(t, err)
	require.Equal(t, "a", p.ID)
	require.Equal(t, []dynorm.OpKind{dynorm.OpGetItem, dynorm.OpGetItem}, s.kinds())
	n, err := q.Count(ctx)
	require.NoError(t, err)
	require.Equal(t, 1, n)

	// The value is unique, so it goes before an index of the rest.
	list, err := profiles.Where(dynorm.Eq("email", "a@x"), dynorm.Eq("team", "t")).OrderBy("name").List(ctx)
	require.NoError(t, err)
	require.Len(t, list, 1)
	s.sent = nil
	list, err = profiles.Where(dynorm.Eq("email", "a@x"), dynorm.Eq("team", "other")).List(ctx)
	require.NoError(t, err)
	require.Empty(t, list)
	require.Equal(t, []dynorm.OpKind{dynorm.OpGetItem, dynorm.OpQuery}, s.kinds())
	list, err = q.Select("name").List(ctx)
	require.NoError(t, err)
	require.Equal(t, &Profile{ID: "a", Email: "a@x", Name: "Ann"}, list[0])
	list, err = profiles.Where(dynorm.Eq("email", "b@x")).List(ctx)
	require.NoError(t, err)
	require.Empty(t, list)
	page, err := q.Page(ctx, "")
	require.NoError(t, err)
	require.Len(t, page.Items, 1)
	require.Empty(t, page.Next)

	require.NoError(t, profiles.Delete(ctx, "a"))
	list, err = q.List(ctx)
	require.NoError(t, err)
	require.Empty(t, list)

	// All fields of a constraint, or an index.
	both := seats.Where(dynorm.Eq("no", 7), dynorm.Eq("hall", "h"))
	require.Equal(t, dynorm.OpGetItem, explain(t, both).Operation)
	seat, err := both.First(ctx)
	require.NoError(t, err)
	require.Equal(t, "Bob", seat.Name)
	require.Equal(t, "GSI1", explain(t, seats.Where(dynorm.Eq("hall", "h"))).Index)
	require.Equal(t, "GSI1", explain(t, both.Index("hall")).Index)
}
