package dynorm_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/dynorm/dynorm"
)

// Profile has soft deletes, a unique value, an entry by its team, and one that
// only profiles in use have.
type Profile struct {
	_ dynorm.Entity `dynorm:"Profile,softdelete,timestamps"`
	_ dynorm.Index  `dynorm:"live" pk:"LIVE#{Team}" sk:"{Email}" when:"!DeletedAt"`

	ID        string
	Email     string `dynorm:",unique"`
	Team      string `dynorm:",index"`
	Name      string
	DeletedAt time.Time `dynorm:",deleted"`
	Version   int64     `dynorm:"_v,version"`
}

// Draft has soft deletes without a field for them.
type Draft struct {
	_ dynorm.Entity `dynorm:"Draft,softdelete"`

	ID    string
	Owner string `dynorm:",index"`
}

func TestSoftDelete(t *testing.T) {
	s := open(t, Draft{})
	m, ctx := dynorm.ModelOf[Draft](s.db), t.Context()
	for _, id := range []string{"a", "b"} {
		require.NoError(t, m.Create(ctx, &Draft{ID: id, Owner: "ann"}))
	}
	s.sent = nil
	require.NoError(t, m.Delete(ctx, "a"))
	require.Equal(t, []dynorm.OpKind{dynorm.OpUpdateItem}, s.kinds())
	require.Equal(t, "2026-03-04T05:06:07.089Z", s.raw(t, "DRAFT#a", "DRAFT#a")["deletedAt"])
	require.NoError(t, m.Delete(ctx, "a"), "once more")
	require.NoError(t, m.Delete(ctx, "never was"))
	require.Empty(t, s.raw(t, "DRAFT#never was", "DRAFT#never was"), "a phantom")

	_, err := m.Find(ctx, "a")
	require.ErrorIs(t, err, dynorm.ErrNotFound)
	_, err = m.Get(ctx, Draft{ID: "a"})
	require.ErrorIs(t, err, dynorm.ErrNotFound)
	list, err := m.FindMany(ctx, "a", "b")
	require.NoError(t, err)
	require.Nil(t, list[0])
	require.Equal(t, "b", list[1].ID)
	list, err = m.TransactGet(ctx, "a", "b")
	require.NoError(t, err)
	require.Nil(t, list[0])

	byOwner := m.Where(dynorm.Eq("owner", "ann"))
	ids := func(q dynorm.Query[Draft]) []string {
		t.Helper()
		list, err := q.List(ctx)
		require.NoError(t, err)
		n, err := q.Count(ctx)
		require.NoError(t, err)
		require.Equal(t, len(list), n)
		var ids []string
		for _, d := range list {
			ids = append(ids, d.ID)
		}
		return ids
	}
	require.Equal(t, []string{"b"}, ids(byOwner))
	require.Equal(t, []string{"a", "b"}, ids(byOwner.WithTrashed()))
	require.Equal(t, []string{"a"}, ids(byOwner.OnlyTrashed()))
	byID := m.Where(dynorm.In("id", "a", "b"))
	require.Equal(t, []string{"b"}, ids(byID))
	require.Equal(t, []string{"a"}, ids(byID.OnlyTrashed()))
	require.Equal(t, []string{"a"}, ids(m.Where(dynorm.Eq("id", "a")).WithTrashed()))

	require.NoError(t, m.Restore(ctx, "a"))
	require.Equal(t, []string{"a", "b"}, ids(byOwner))
	require.NoError(t, m.Restore(ctx, "a"), "once more")
	require.ErrorIs(t, m.Restore(ctx, "never was"), dynorm.ErrNotFound)

	require.NoError(t, m.Delete(ctx, "a"))
	require.NoError(t, m.ForceDelete(ctx, "a"))
	require.Empty(t, s.raw(t, "DRAFT#a", "DRAFT#a"))
	require.NoError(t, m.DeleteMany(ctx, &Draft{ID: "b"}), "a batch deletes softly too")
	require.NotEmpty(t, s.raw(t, "DRAFT#b", "DRAFT#b")["deletedAt"])
}

func TestSoftDeleteClaimsAndEntries(t *testing.T) {
	s := open(t, Profile{})
	m, ctx := dynorm.ModelOf[Profile](s.db), t.Context()
	a := &Profile{ID: "a", Email: "a@x", Team: "t"}
	require.NoError(t, m.Create(ctx, a))
	live := m.Where(dynorm.Eq("team", "t")).OrderBy("email")
	require.Equal(t, "live", explain(t, live).For, "what is not deleted is what the index holds")
	_, err := live.WithTrashed().Explain()
	require.ErrorIs(t, err, dynorm.ErrNoIndex)

	require.NoError(t, m.Delete(ctx, a))
	raw := s.raw(t, "PROFILE#a", "PROFILE#a")
	require.NotContains(t, raw, "gsi1pk", "the entry of profiles in use stays")
	require.Equal(t, "PROFILE#team#t", raw["gsi2pk"])
	require.Equal(t, "2", raw["_v"])
	require.Equal(t, clock.Format("2006-01-02T15:04:05.000Z"), raw["updatedAt"])
	_, err = m.FindBy(ctx, "email", "a@x")
	require.ErrorIs(t, err, dynorm.ErrNotFound)

	// The value is free; to restore its old owner, it must be again.
	require.NoError(t, m.Create(ctx, &Profile{ID: "b", Email: "a@x", Team: "t"}))
	require.ErrorIs(t, m.Restore(ctx, "a"), dynorm.ErrUnique)
	require.NoError(t, m.Delete(ctx, "b"))
	require.NoError(t, m.Restore(ctx, "a"))
	found, err := m.FindBy(ctx, "email", "a@x")
	require.NoError(t, err)
	require.Equal(t, "a", found.ID)
	require.Equal(t, "LIVE#t", s.raw(t, "PROFILE#a", "PROFILE#a")["gsi1pk"])

	// A deleted item that is changed takes no claim, and frees no other's.
	require.NoError(t, m.Delete(ctx, "a"))
	require.NoError(t, m.Create(ctx, &Profile{ID: "c", Email: "a@x", Team: "t"}))
	_, err = m.Update(ctx, "a", dynorm.Set("email", "z@x"))
	require.NoError(t, err)
	found, err = m.FindBy(ctx, "email", "a@x")
	require.NoError(t, err)
	require.Equal(t, "c", found.ID)
	_, err = m.FindBy(ctx, "email", "z@x")
	require.ErrorIs(t, err, dynorm.ErrNotFound)
	require.NoError(t, m.ForceDelete(ctx, "a"))
	found, err = m.FindBy(ctx, "email", "a@x")
	require.NoError(t, err)
	require.Equal(t, "c", found.ID)

	// A stale version is neither deleted nor restored.
	stale := *found
	_, err = m.Update(ctx, "c", dynorm.Set("name", "C"))
	require.NoError(t, err)
	require.ErrorIs(t, m.Delete(ctx, &stale), dynorm.ErrStaleVersion)

	require.NoError(t, s.db.Transact(ctx, func(tx *dynorm.Tx) error { return m.In(tx).Delete(ctx, "c") }))
	_, err = m.Find(ctx, "c")
	require.ErrorIs(t, err, dynorm.ErrNotFound)
	require.NoError(t, s.db.Transact(ctx, func(tx *dynorm.Tx) error { return m.In(tx).Restore(ctx, "c") }))
	_, err = m.Find(ctx, "c")
	require.NoError(t, err)
}

type Session struct {
	ID      string
	User    string `dynorm:",index"`
	Expires int64  `dynorm:",ttl"`
}

// What has expired is gone for readers before DynamoDB deletes it.
func TestExpiry(t *testing.T) {
	s := open(t, Session{})
	m, ctx := dynorm.ModelOf[Session](s.db), t.Context()
	// The engine's clock is the machine's: it must not delete the rows.
	now := time.Now().Unix()
	s.now = func() time.Time { return time.Unix(now+2_000_000, 0) }
	for id, expires := range map[string]int64{"past": now + 1_000_000, "just": now + 2_000_000, "soon": now + 2_000_001, "never": 0} {
		require.NoError(t, m.Create(ctx, &Session{ID: id, User: "u", Expires: expires}))
	}
	q := m.Where(dynorm.Eq("user", "u"))
	n, err := q.Count(ctx)
	require.NoError(t, err)
	require.Equal(t, 2, n)
	n, err = q.IncludeExpired().Count(ctx)
	require.NoError(t, err)
	require.Equal(t, 4, n)
	for id, err := range map[string]error{"past": dynorm.ErrNotFound, "just": dynorm.ErrNotFound, "soon": nil, "never": nil} {
		_, got := m.Find(ctx, id)
		require.ErrorIs(t, got, err, id)
	}
	list, err := m.Where(dynorm.In("id", "past", "soon")).List(ctx)
	require.NoError(t, err)
	require.Len(t, list, 1)
	// The plan is made once, the time is that of each request.
	s.now = func() time.Time { return time.Unix(now+3_000_000, 0) }
	n, err = q.Count(ctx)
	require.NoError(t, err)
	require.Equal(t, 1, n)
}

// A Save of a deleted item, of an entity without a field for the time of
// deletion, leaves it among the deleted ones.
func TestSaveOfDeleted(t *testing.T) {
	s := open(t, Draft{})
	drafts, ctx := dynorm.ModelOf[Draft](s.db), t.Context()
	require.NoError(t, drafts.Create(ctx, &Draft{ID: "1", Owner: "ann"}))
	require.NoError(t, drafts.Delete(ctx, "1"))
	d, err := drafts.Query().OnlyTrashed().First(ctx)
	require.NoError(t, err)
	d.Owner = "bob"
	require.NoError(t, drafts.Save(ctx, d))
	d, err = drafts.Query().OnlyTrashed().First(ctx)
	require.NoError(t, err)
	require.Equal(t, "bob", d.Owner)
}
