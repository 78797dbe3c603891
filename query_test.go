package dynorm_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"github.com/dynorm/dynorm"
)

// Reading lives in the partition of its device, in the order of time.
type Reading struct {
	_ dynorm.Key   `pk:"DEVICE#{Device}" sk:"READING#{At}"`
	_ dynorm.Index `dynorm:"byLevel" pk:"LEVEL#{Level}" sk:"{Device}#{At}"`

	Device string
	At     time.Time
	Level  string
	Value  int
	Note   string
}

var UserName = dynorm.Col(func(u *User) *string { return &u.Name })

func explain[T any](t *testing.T, q dynorm.Query[T]) *dynorm.Plan {
	t.Helper()
	plan, err := q.Explain()
	require.NoError(t, err)
	return plan
}

// The facts of the key layout that queries rest on.
func TestQueryGolden(t *testing.T) {
	s := open(t, User{}, Team{}, Post{}, Comment{})
	posts, comments := dynorm.ModelOf[Post](s.db), dynorm.ModelOf[Comment](s.db)

	plan := explain(t, posts.Where(dynorm.Eq("userId", "123")))
	require.Equal(t, dynorm.OpQuery, plan.Operation)
	require.Equal(t, "GSI1", plan.Index)
	require.Equal(t, []string{"gsi1pk = USER#123 and begins_with(gsi1sk, POST#)"}, plan.Keys)
	require.Equal(t, []string{""}, plan.Filters)

	// A model with two parents answers by both.
	require.Equal(t, []string{"gsi1pk = POST#p1 and begins_with(gsi1sk, COMMENT#)"}, explain(t, comments.Where(dynorm.Eq("postId", "p1"))).Keys)
	require.Equal(t, []string{"gsi2pk = USER#u1 and begins_with(gsi2sk, COMMENT#)"}, explain(t, comments.Where(dynorm.Eq("userId", "u1"))).Keys)

	plan = explain(t, posts.Where(dynorm.Eq("id", "p1")))
	require.Equal(t, dynorm.OpGetItem, plan.Operation)
	require.Equal(t, []string{"pk = POST#p1 and sk = POST#p1"}, plan.Keys)
}

func seedReadings(t *testing.T, s *store, n int) {
	t.Helper()
	var rows []*Reading
	for i := range n {
		rows = append(rows, &Reading{Device: "d1", At: clock.Add(time.Duration(i) * time.Minute), Level: []string{"low", "high"}[i%2], Value: i, Note: fmt.Sprint("n", i)})
	}
	rows = append(rows, &Reading{Device: "d2", At: clock, Level: "low", Value: -1})
	require.NoError(t, dynorm.ModelOf[Reading](s.db).PutMany(t.Context(), rows...))
	s.sent = nil
}

func values(rows []*Reading) []int {
	var v []int
	for _, r := range rows {
		v = append(v, r.Value)
	}
	return v
}

func TestQueryTerminals(t *testing.T) {
	s := open(t, Reading{})
	seedReadings(t, s, 20)
	q := dynorm.ModelOf[Reading](s.db).Where(dynorm.Eq("device", "d1"))

	list, err := q.OrderByDesc("at").Limit(3).List(t.Context())
	require.NoError(t, err)
	require.Equal(t, []int{19, 18, 17}, values(list))
	require.Len(t, s.kinds(), 1)

	first, err := q.First(t.Context())
	require.NoError(t, err)
	require.Equal(t, 0, first.Value)

	list, err = q.Where(dynorm.Between("at", clock.Add(2*time.Minute), clock.Add(5*time.Minute)), dynorm.Gt("value", 3)).List(t.Context())
	require.NoError(t, err)
	require.Equal(t, []int{4, 5}, values(list))

	n, err := q.Count(t.Context())
	require.NoError(t, err)
	require.Equal(t, 20, n)
	ok, err := q.Where(dynorm.Eq("note", "n7")).Exists(t.Context())
	require.NoError(t, err)
	require.True(t, ok)

	one, err := q.Where(dynorm.Eq("note", "n7")).One(t.Context())
	require.NoError(t, err)
	require.Equal(t, 7, one.Value)
	_, err = q.One(t.Context())
	require.ErrorIs(t, err, dynorm.ErrTooMany)
	_, err = q.Where(dynorm.Eq("note", "none")).First(t.Context())
	require.ErrorIs(t, err, dynorm.ErrNotFound)

	var seen []int
	for r, err := range q.PageSize(3).All(t.Context()) {
		require.NoError(t, err)
		if seen = append(seen, r.Value); len(seen) == 7 {
			break
		}
	}
	require.Equal(t, []int{0, 1, 2, 3, 4, 5, 6}, seen)

	// Fan-out over two partitions, in order.
	list, err = dynorm.ModelOf[Reading](s.db).Where(dynorm.In("device", "d2", "d1"), dynorm.Lt("at", clock.Add(90*time.Second))).OrderBy("at").List(t.Context())
	require.NoError(t, err)
	require.Equal(t, []int{-1, 0, 1}, values(list))

	list, err = dynorm.ModelOf[Reading](s.db).Where(dynorm.Eq("level", "high"), dynorm.Eq("device", "d1")).Select("value").Limit(2).List(t.Context())
	require.NoError(t, err)
	if diff := cmp.Diff([]*Reading{
		{Device: "d1", At: clock, Value: 0}, {Device: "d1", At: clock.Add(time.Minute), Value: 1},
	}[1:], list[:1]); diff != "" {
		t.Error(diff)
	}
}

func TestQueryPages(t *testing.T) {
	s := open(t, Reading{})
	seedReadings(t, s, 23)
	m := dynorm.ModelOf[Reading](s.db)
	for name, q := range map[string]dynorm.Query[Reading]{
		"plain":    m.Where(dynorm.Eq("device", "d1")),
		"desc":     m.Where(dynorm.Eq("device", "d1")).OrderByDesc("at"),
		"filter":   m.Where(dynorm.Eq("device", "d1"), dynorm.Ne("value", 4)),
		"small":    m.Where(dynorm.Eq("device", "d1"), dynorm.Ne("value", 4)).PageSize(1),
		"index":    m.Where(dynorm.Eq("level", "low")),
		"fan-out":  m.Where(dynorm.In("device", "d1", "d0", "d2")),
		"merge":    m.Where(dynorm.In("device", "d1", "d0", "d2")).OrderBy("at"),
		"merge up": m.Where(dynorm.In("level", "low", "high")).OrderByDesc("device").OrderByDesc("at"),
		"keys":     m.Where(dynorm.In("device", "d1", "d2"), dynorm.In("at", clock, clock.Add(time.Minute), clock.Add(time.Hour))),
	} {
		for _, size := range []int{1, 4, 30} {
			t.Run(fmt.Sprint(name, " ", size), func(t *testing.T) {
				want, err := q.List(t.Context())
				require.NoError(t, err)
				require.NotEmpty(t, want)
				var got []*Reading
				var pages [][]*Reading
				cursor, last := "", ""
				for {
					page, err := q.Limit(size).Page(t.Context(), cursor)
					require.NoError(t, err)
					require.Equal(t, cursor == "", page.Prev == "")
					got, pages = append(got, page.Items...), append(pages, page.Items)
					if last = page.Prev; page.Next == "" {
						break
					}
					require.Len(t, page.Items, size)
					cursor = page.Next
				}
				if diff := cmp.Diff(want, got); diff != "" {
					t.Fatal(diff)
				}
				for i := len(pages) - 2; i >= 0; i-- {
					page, err := q.Limit(size).Page(t.Context(), last)
					require.NoError(t, err)
					if diff := cmp.Diff(pages[i], page.Items); diff != "" {
						t.Fatal(diff)
					}
					require.NotEmpty(t, page.Next)
					last = page.Prev
				}
				require.Empty(t, last)
			})
		}
	}
}

func TestQueryRefusals(t *testing.T) {
	s := open(t, Reading{}, User{}, Team{})
	m, users := dynorm.ModelOf[Reading](s.db), dynorm.ModelOf[User](s.db)
	rows := []struct {
		name string
		run  func() error
		want error
		text string
	}{
		{"no partition", func() error { _, err := m.Where(dynorm.Eq("value", 1)).List(t.Context()); return err }, dynorm.ErrNoIndex, "tag Value `index`"},
		{
			"no index", func() error { _, err := users.Where(dynorm.Eq("name", "Ann")).List(t.Context()); return err }, dynorm.ErrNoIndex,
			"dynorm: List User: no index answers the query: table: its partition key USER#{id} needs ID by =; GSI1 (Team): its partition key TEAM#{teamId} needs TeamID by = (tag Name `index`)",
		},
		{"order", func() error {
			_, err := m.Where(dynorm.Eq("device", "d")).OrderBy("value").List(t.Context())
			return err
		}, dynorm.ErrNoIndex, "is sorted by READING#{at}, not by Value"},
		{"unknown field", func() error { _, err := m.Where(dynorm.Eq("devise", "d")).List(t.Context()); return err }, dynorm.ErrUnknownField, "did you mean"},
		{"wrong value", func() error { _, err := m.Where(dynorm.Eq("device", 3)).List(t.Context()); return err }, dynorm.ErrValue, "Reading.Device"},
		{"limit", func() error { _, err := m.Where(dynorm.Eq("device", "d")).Limit(-1).List(t.Context()); return err }, dynorm.ErrInvalid, "Limit(-1)"},
		{"consistent", func() error { _, err := m.Where(dynorm.Eq("level", "low")).Consistent().List(t.Context()); return err }, dynorm.ErrInvalid, "GSI1 (byLevel)"},
		{"unknown index", func() error {
			_, err := m.Where(dynorm.Eq("level", "low")).Index("byLevell").List(t.Context())
			return err
		}, dynorm.ErrNoIndex, "did you mean byLevel?"},
		{"select", func() error {
			_, err := m.Where(dynorm.Eq("level", "low")).Select("colour").List(t.Context())
			return err
		}, dynorm.ErrUnknownField, "colour"},
		{"in", func() error {
			_, err := m.Where(dynorm.In("level", make([]any, 101)...)).List(t.Context())
			return err
		}, dynorm.ErrInvalid, "1 to 100"},
		{"cursor", func() error {
			_, err := m.Where(dynorm.Eq("level", "low")).Page(t.Context(), "abc")
			return err
		}, dynorm.ErrCursor, "damaged"},
		{"zero query", func() error { _, err := (dynorm.Query[User]{}).List(t.Context()); return err }, dynorm.ErrInvalid, "zero Query"},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			s.sent = nil
			err := row.run()
			require.ErrorIs(t, err, row.want)
			require.ErrorContains(t, err, row.text)
			require.Empty(t, s.sent, "a request was sent")
		})
	}
	var no *dynorm.NoIndexError
	_, err := users.Where(UserName.Eq("Ann")).List(t.Context())
	require.True(t, errors.As(err, &no))
	require.Len(t, no.Candidates, 2)
	require.False(t, strings.Contains(err.Error(), "Ann"), "an error shows a value")
}
