package dynorm_test

import (
	"context"
	"maps"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/dynorm/dynorm"
	"github.com/dynorm/dynorm/parser"
)

// TestDynamicTransact mixes items by name, with and without a Go type, and
// typed ones in transactions.
func TestDynamicTransact(t *testing.T) {
	ctx := t.Context()
	s := open(t, Album{}, ticket())
	albums, byName, tickets := dynorm.ModelOf[Album](s.db), s.db.Entity("Album"), s.db.Entity("Ticket")
	first := dynorm.Record{"project": "p", "no": 1, "state": "open"}
	album := dynorm.Record{"id": "a", "name": "One"}
	require.NoError(t, s.db.Transact(ctx, func(tx *dynorm.Tx) error {
		if err := tickets.In(tx).Create(ctx, first); err != nil {
			return err
		}
		if err := byName.In(tx).Create(ctx, album); err != nil {
			return err
		}
		require.Contains(t, album, "_v") // at once
		return albums.In(tx).Create(ctx, &Album{ID: "b", Name: "Two"})
	}))
	require.Equal(t, int64(1), album["_v"])
	raw := s.raw(t, "PROJECT#p", "TICKET#000001")
	require.Equal(t, "STATE#open", raw["gsi1pk"])

	// All or none: the second Create is refused, and the records are as they were.
	second, again := dynorm.Record{"project": "p", "no": 2, "state": "open"}, dynorm.Record{"id": "c", "name": "One"}
	before := maps.Clone(second)
	err := s.db.Transact(ctx, func(tx *dynorm.Tx) error {
		if err := tickets.In(tx).Create(ctx, second); err != nil {
			return err
		}
		return byName.In(tx).Create(ctx, again)
	})
	require.ErrorIs(t, err, dynorm.ErrUnique)
	require.ErrorIs(t, err, dynorm.ErrTxCanceled)
	require.Equal(t, before, second)
	require.Equal(t, dynorm.Record{"id": "c", "name": "One"}, again)

	found, err := tickets.TransactGet(ctx, dynorm.Record{"project": "p", "no": 2}, dynorm.Record{"project": "p", "no": 1})
	require.NoError(t, err)
	require.Len(t, found, 2)
	require.Nil(t, found[0])
	require.Equal(t, "open", found[1]["state"])

	// Index entries and claims follow; the checked item stays.
	album["name"] = "Three"
	require.NoError(t, s.db.Transact(ctx, func(tx *dynorm.Tx) error {
		if err := tickets.In(tx).Update(ctx, dynorm.Record{"project": "p", "no": 1}, dynorm.Set("state", "done")); err != nil {
			return err
		}
		if err := byName.In(tx).Save(ctx, album); err != nil {
			return err
		}
		return byName.In(tx).Check(ctx, "b", dynorm.Eq("name", "Two"))
	}))
	require.Equal(t, int64(2), album["_v"])
	require.Equal(t, "STATE#done", s.raw(t, "PROJECT#p", "TICKET#000001")["gsi1pk"])
	got, err := albums.FindBy(ctx, "name", "Three")
	require.NoError(t, err)
	require.Equal(t, "a", got.ID)
	_, err = albums.FindBy(ctx, "name", "One")
	require.ErrorIs(t, err, dynorm.ErrNotFound)

	require.NoError(t, s.db.Transact(ctx, func(tx *dynorm.Tx) error {
		if err := byName.In(tx).Put(ctx, dynorm.Record{"id": "d", "name": "Four"}); err != nil {
			return err
		}
		return tickets.In(tx).Delete(ctx, dynorm.Record{"project": "p", "no": 1})
	}))
	many, err := byName.FindMany(ctx, "d", "none", "b")
	require.NoError(t, err)
	require.Equal(t, "Four", many[0]["name"])
	require.Nil(t, many[1])
	require.Equal(t, "Two", many[2]["name"])
	_, err = tickets.Find(ctx, dynorm.Record{"project": "p", "no": 1})
	require.ErrorIs(t, err, dynorm.ErrNotFound)
}

func TestDynamicTransactRefuses(t *testing.T) {
	ctx := t.Context()
	s := open(t, Album{}, ticket())
	tickets := s.db.Entity("Ticket")
	key := dynorm.Record{"project": "p", "no": 1}
	tests := []struct {
		name string
		call func(ctx context.Context, tx *dynorm.Tx) error
		want error
		text string
	}{
		{"nil record", func(ctx context.Context, tx *dynorm.Tx) error { return tickets.In(tx).Create(ctx, nil) }, dynorm.ErrInvalid, "nil"},
		{"nil Tx", func(ctx context.Context, _ *dynorm.Tx) error { return tickets.In(nil).Create(ctx, key) }, dynorm.ErrInvalid, "nil Tx"},
		{"unknown entity", func(ctx context.Context, tx *dynorm.Tx) error { return s.db.Entity("Tickt").In(tx).Create(ctx, key) }, dynorm.ErrUnregistered, "Ticket"},
		{"unknown field", func(ctx context.Context, tx *dynorm.Tx) error {
			return tickets.In(tx).Create(ctx, dynorm.Record{"project": "p", "no": 1, "stat": ""})
		}, dynorm.ErrUnknownField, "state"},
		{"wrong type", func(ctx context.Context, tx *dynorm.Tx) error {
			return tickets.In(tx).Create(ctx, dynorm.Record{"project": "p", "no": "one"})
		}, dynorm.ErrValue, "no"},
		{"missing key", func(ctx context.Context, tx *dynorm.Tx) error { return tickets.In(tx).Put(ctx, dynorm.Record{"no": 1}) }, dynorm.ErrMissingKey, "project"},
		{"no changes", func(ctx context.Context, tx *dynorm.Tx) error { return tickets.In(tx).Update(ctx, key) }, dynorm.ErrInvalid, "no changes"},
		{"base key", func(ctx context.Context, tx *dynorm.Tx) error {
			return tickets.In(tx).Update(ctx, key, dynorm.Set("no", 2))
		}, dynorm.ErrImmutable, "no"},
		{"empty check", func(ctx context.Context, tx *dynorm.Tx) error { return tickets.In(tx).Check(ctx, key, dynorm.And()) }, dynorm.ErrInvalid, ""},
		{"another DB", func(ctx context.Context, tx *dynorm.Tx) error {
			other, err := s.db.Register(parserEntity("Other"))
			require.NoError(t, err)
			return other.Entity("Ticket").In(tx).Create(ctx, key)
		}, dynorm.ErrInvalid, "different DBs"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s.sent = nil
			var inner error
			err := s.db.Transact(ctx, func(tx *dynorm.Tx) error { inner = tt.call(ctx, tx); return inner })
			require.ErrorIs(t, err, tt.want)
			require.ErrorContains(t, err, tt.text)
			require.Error(t, inner)
			require.Empty(t, s.sent)
		})
	}
}

// parserEntity is a small entity with a name.
func parserEntity(name string) parser.Entity {
	return parser.Entity{Name: name, Fields: []parser.Field{{Name: "id", Attr: "id", Primary: true, Type: parser.Type{Kind: parser.String}}}}
}
