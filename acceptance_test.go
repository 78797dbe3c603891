package dynorm_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/stretchr/testify/require"

	"github.com/dynorm/dynorm"
	"github.com/dynorm/dynorm/testdata/models/seven"
)

// The tests here are the acceptance cases of the library, told as a user meets
// them: on the schema of the documentation and through the public API alone.

// total counts the items of the table, claims of unique values aside.
func (s *store) total(t *testing.T) int {
	t.Helper()
	n := 0
	for _, item := range scanAll(t, s.client, s.db.Table()) {
		if sk, ok := item["sk"].(*types.AttributeValueMemberS); !ok || sk.Value != "UNIQUE" {
			n++
		}
	}
	return n
}

// What was created is there, the same by every way of asking.
func TestAcceptanceCreatedIsFound(t *testing.T) {
	s := open(t, seven.Models()...)
	ctx := t.Context()
	users := dynorm.ModelOf[seven.User](s.db)
	want := &seven.User{ID: "u1", Name: "Ann", Email: "ann@example.com", TeamID: "t1"}
	require.NoError(t, users.Create(ctx, want))

	found, err := users.Find(ctx, "u1")
	require.NoError(t, err)
	require.Equal(t, want, found)
	all, err := users.Query().AllowScan().List(ctx)
	require.NoError(t, err)
	require.Equal(t, []*seven.User{want}, all)
	members, err := users.Where(dynorm.Eq("teamId", "t1"), dynorm.Eq("name", "Ann")).List(ctx)
	require.NoError(t, err)
	require.Equal(t, []*seven.User{want}, members)
	n, err := users.Where(dynorm.Eq("teamId", "t1")).Count(ctx)
	require.NoError(t, err)
	require.Equal(t, 1, n)
}

// A changed foreign key moves the index entry, a cleared one removes it, and
// there is one item all the while.
func TestAcceptanceIndexFollowsTheField(t *testing.T) {
	s := open(t, seven.Models()...)
	ctx := t.Context()
	posts := dynorm.ModelOf[seven.Post](s.db)
	require.NoError(t, posts.Create(ctx, &seven.Post{ID: "p1", UserID: "u1", Title: "First"}))

	of := func(user string) int {
		n, err := posts.Where(dynorm.Eq("userId", user)).Count(ctx)
		require.NoError(t, err)
		return n
	}
	for _, user := range []string{"u2", "", "u1"} {
		post, err := posts.Find(ctx, "p1")
		require.NoError(t, err)
		old := post.UserID
		post.UserID = user
		require.NoError(t, posts.Save(ctx, post))
		require.Equal(t, 1, s.total(t))
		if old != "" {
			require.Zero(t, of(old))
		}
		if user != "" {
			require.Equal(t, 1, of(user))
		}
		require.Equal(t, user == "", s.raw(t, "POST#p1", "POST#p1")["gsi1pk"] == "")
	}
}

// An item that another writer deleted is not brought back by a save.
func TestAcceptanceNoPhantom(t *testing.T) {
	s := open(t, seven.Models()...)
	ctx := t.Context()
	posts := dynorm.ModelOf[seven.Post](s.db)
	require.NoError(t, posts.Create(ctx, &seven.Post{ID: "p1", UserID: "u1"}))
	mine, err := posts.Find(ctx, "p1")
	require.NoError(t, err)
	require.NoError(t, posts.Delete(ctx, "p1"))

	mine.Title = "Back again"
	require.ErrorIs(t, posts.Save(ctx, mine), dynorm.ErrNotFound)
	_, err = posts.Update(ctx, "p1", dynorm.Set("title", "Back again"))
	require.ErrorIs(t, err, dynorm.ErrNotFound)
	require.Zero(t, s.total(t))
}

// A soft deletion hides the item from every way of asking, and Restore brings
// it back; asking for deleted ones needs no scan.
func TestAcceptanceSoftDelete(t *testing.T) {
	s := open(t, seven.Models()...)
	ctx := t.Context()
	users := dynorm.ModelOf[seven.User](s.db)
	for _, id := range []string{"u1", "u2"} {
		require.NoError(t, users.Create(ctx, &seven.User{ID: id, Email: id + "@example.com", TeamID: "t1"}))
	}
	team := users.Where(dynorm.Eq("teamId", "t1"))
	counts := func() []int {
		var ns []int
		for _, q := range []dynorm.Query[seven.User]{team, team.WithTrashed(), team.OnlyTrashed(), users.Query().OnlyTrashed()} {
			n, err := q.Count(ctx)
			require.NoError(t, err)
			ns = append(ns, n)
		}
		return ns
	}
	require.Equal(t, []int{2, 2, 0, 0}, counts())

	require.NoError(t, users.Delete(ctx, "u1"))
	_, err := users.Find(ctx, "u1")
	require.ErrorIs(t, err, dynorm.ErrNotFound)
	_, err = users.Get(ctx, seven.User{ID: "u1"})
	require.ErrorIs(t, err, dynorm.ErrNotFound)
	_, err = users.FindBy(ctx, "email", "u1@example.com")
	require.ErrorIs(t, err, dynorm.ErrNotFound)
	s.kinds()
	require.Equal(t, []int{1, 2, 1, 1}, counts())
	require.NotContains(t, s.kinds(), dynorm.OpScan)

	require.NoError(t, users.Restore(ctx, "u1"))
	require.Equal(t, []int{2, 2, 0, 0}, counts())
	_, err = users.FindBy(ctx, "email", "u1@example.com")
	require.NoError(t, err)
}

// Of two that ask for one e-mail at once, one gets it, each time; a changed or
// deleted one is free again.
func TestAcceptanceUnique(t *testing.T) {
	s := open(t, seven.Models()...)
	ctx := t.Context()
	users := dynorm.ModelOf[seven.User](s.db)
	for round := range 100 {
		email := fmt.Sprintf("user%d@example.com", round)
		var won atomic.Int32
		var writers sync.WaitGroup
		for side := range 2 {
			writers.Go(func() {
				err := users.Create(ctx, &seven.User{ID: fmt.Sprintf("u%d-%d", round, side), Email: email})
				if err == nil {
					won.Add(1)
				} else if !errors.Is(err, dynorm.ErrUnique) {
					t.Errorf("round %d: %v", round, err)
				}
			})
		}
		writers.Wait()
		require.EqualValues(t, 1, won.Load(), "round %d", round)
	}

	holder, err := users.FindBy(ctx, "email", "user0@example.com")
	require.NoError(t, err)
	holder.Email = "new@example.com"
	require.NoError(t, users.Save(ctx, holder))
	require.NoError(t, users.Create(ctx, &seven.User{ID: "next", Email: "user0@example.com"}))
	require.NoError(t, users.ForceDelete(ctx, "next"))
	require.NoError(t, users.Create(ctx, &seven.User{ID: "last", Email: "user0@example.com"}))
}

// A model that belongs to two others answers by both.
func TestAcceptanceTwoParents(t *testing.T) {
	s := open(t, seven.Models()...)
	ctx := t.Context()
	comments := dynorm.ModelOf[seven.Comment](s.db)
	for i := range 12 {
		require.NoError(t, comments.Create(ctx, &seven.Comment{
			ID: fmt.Sprintf("c%02d", i), PostID: fmt.Sprintf("p%d", i%2), UserID: fmt.Sprintf("u%d", i%3),
		}))
	}
	s.kinds()
	ofPost, err := comments.Where(dynorm.Eq("postId", "p1")).Count(ctx)
	require.NoError(t, err)
	ofUser, err := comments.Where(dynorm.Eq("userId", "u2")).Count(ctx)
	require.NoError(t, err)
	both, err := comments.Where(dynorm.Eq("userId", "u2"), dynorm.Eq("postId", "p1")).List(ctx)
	require.NoError(t, err)
	require.Equal(t, []int{6, 4, 2}, []int{ofPost, ofUser, len(both)})
	require.Equal(t, []dynorm.OpKind{dynorm.OpQuery, dynorm.OpQuery, dynorm.OpQuery}, s.kinds())
}

// A match far behind is found under a filter, and pages visit each item once,
// both ways.
func TestAcceptanceFarMatchAndPages(t *testing.T) {
	s := open(t, seven.Models()...)
	ctx := t.Context()
	posts := dynorm.ModelOf[seven.Post](s.db)
	const rows = 10_000
	list := make([]*seven.Post, rows)
	for i := range list {
		list[i] = &seven.Post{ID: fmt.Sprintf("p%05d", i), UserID: "u1", Title: "plain"}
	}
	list[5000].Title = "rare"
	require.NoError(t, posts.PutMany(ctx, list...))
	of := posts.Where(dynorm.Eq("userId", "u1"))

	rare := of.Where(dynorm.Eq("title", "rare"))
	first, err := rare.First(ctx)
	require.NoError(t, err)
	require.Equal(t, "p05000", first.ID)
	one, err := rare.Limit(3).List(ctx)
	require.NoError(t, err)
	require.Len(t, one, 1)

	var forth, back []string
	var last string
	for page, err := range of.Limit(999).Pages(ctx) {
		require.NoError(t, err)
		for _, post := range page.Items {
			forth = append(forth, post.ID)
		}
		last = page.Prev
	}
	require.Len(t, forth, rows)
	for i, id := range forth {
		require.Equal(t, list[i].ID, id)
	}
	for last != "" {
		page, err := of.Limit(999).Page(ctx, last)
		require.NoError(t, err)
		for i := len(page.Items) - 1; i >= 0; i-- {
			back = append(back, page.Items[i].ID)
		}
		last = page.Prev
	}
	require.Len(t, back, 10*999)
	for i, id := range back {
		require.Equal(t, forth[10*999-1-i], id)
	}
}

// Each part of a query counts.
func TestAcceptanceEveryPartCounts(t *testing.T) {
	s := open(t, seven.Models()...)
	ctx := t.Context()
	posts := dynorm.ModelOf[seven.Post](s.db)
	for _, id := range []string{"a", "b", "c"} {
		require.NoError(t, posts.Create(ctx, &seven.Post{ID: id, UserID: "u1", Title: "title " + id}))
	}
	of := posts.Where(dynorm.Eq("userId", "u1"))
	for name, c := range map[string]struct {
		query dynorm.Query[seven.Post]
		want  string
	}{
		"all":     {of, `[a:title a b:title b c:title c]`},
		"or":      {of.Where(dynorm.Or(dynorm.Eq("title", "title a"), dynorm.Eq("title", "title c"))), `[a:title a c:title c]`},
		"not in":  {of.Where(dynorm.NotIn("title", "title a", "title c")), `[b:title b]`},
		"order":   {of.OrderByDesc("id"), `[c:title c b:title b a:title a]`},
		"select":  {of.Select("id"), `[a: b: c:]`},
		"limit":   {of.OrderBy("id").Limit(2), `[a:title a b:title b]`},
		"nothing": {of.Where(dynorm.Eq("title", "no")), `[]`},
	} {
		list, err := c.query.List(ctx)
		require.NoError(t, err, name)
		got := []string{}
		for _, post := range list {
			got = append(got, post.ID+":"+post.Title)
		}
		require.Equal(t, c.want, fmt.Sprint(got), name)
	}
}

// No text in an id leads to the key of another item.
func TestAcceptanceNoAlias(t *testing.T) {
	s := open(t, seven.Models()...)
	ctx := t.Context()
	posts := dynorm.ModelOf[seven.Post](s.db)
	ids := []string{"a", "a#b", "a%23b", "a#", "#a", "a##b", "a%b", "a$", "POST#a", "a#POST", "ä", "a b"}
	for _, id := range ids {
		require.NoError(t, posts.Create(ctx, &seven.Post{ID: id, UserID: id, Title: "of " + id}), id)
	}
	for _, id := range ids {
		post, err := posts.Find(ctx, id)
		require.NoError(t, err)
		require.Equal(t, "of "+id, post.Title)
		of, err := posts.Where(dynorm.Eq("userId", id)).List(ctx)
		require.NoError(t, err)
		require.Equal(t, []*seven.Post{post}, of)
	}
	require.Equal(t, len(ids), s.total(t))
}

// Stored holds what is easily lost on the way.
type Stored struct {
	ID     string
	Big    int64
	Most   uint64
	Exact  json.Number
	Empty  string
	List   []string
	Bytes  []byte
	Set    []string `dynorm:",set"`
	Nums   []int64  `dynorm:",set"`
	Blobs  [][]byte `dynorm:",set"`
	At     time.Time
	Nested map[string][]int
}

// What is stored comes back as it was, to the last digit.
func TestAcceptanceRoundTrip(t *testing.T) {
	s := open(t, Stored{})
	ctx := t.Context()
	stored := dynorm.ModelOf[Stored](s.db)
	want := &Stored{
		ID: "1", Big: -9_223_372_036_854_775_808, Most: 18_446_744_073_709_551_615,
		Exact: "0.12345678901234567890123456789012345678", Empty: "", List: []string{}, Bytes: []byte{0, 255, 10},
		Set: []string{"a", "b"}, Nums: []int64{-1, 9_007_199_254_740_993}, Blobs: [][]byte{{0}, {1, 2}},
		At: time.Date(2026, 2, 28, 23, 59, 59, 999_999_999, time.UTC), Nested: map[string][]int{"none": {}, "x": {1, 2}},
	}
	require.NoError(t, stored.Create(ctx, want))
	got, err := stored.Find(ctx, "1")
	require.NoError(t, err)
	require.Equal(t, want, got)
}

// A thousand items go through a batch, and 250 keys come back in their order.
// (Under injected faults: TestBatchesUnderFaults.)
func TestAcceptanceBatches(t *testing.T) {
	s := open(t, seven.Models()...)
	ctx := t.Context()
	posts := dynorm.ModelOf[seven.Post](s.db)
	list := make([]*seven.Post, 1000)
	for i := range list {
		list[i] = &seven.Post{ID: fmt.Sprint(i), UserID: "u1"}
	}
	// Of two with one key the later stands.
	require.NoError(t, posts.PutMany(ctx, append([]*seven.Post{{ID: "7", UserID: "other"}}, list...)...))
	require.Equal(t, 1000, s.total(t))
	n, err := posts.Where(dynorm.Eq("userId", "u1")).Count(ctx)
	require.NoError(t, err)
	require.Equal(t, 1000, n)

	keys := make([]any, 250)
	for i := range keys {
		keys[i] = fmt.Sprint(i * 37 % 1000)
	}
	got, err := posts.FindMany(ctx, keys...)
	require.NoError(t, err)
	require.Len(t, got, 250)
	for i, post := range got {
		require.Equal(t, keys[i], post.ID)
	}
	require.NoError(t, posts.DeleteMany(ctx, append(list[:1:1], list...)...), "one twice")
	require.Zero(t, s.total(t))
}
