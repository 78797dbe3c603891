package dynorm_test

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/dynorm/dynorm"
)

// reopen gives a DB on the store's table with other settings.
func (s *store) reopen(t *testing.T, cfg dynorm.Config) *dynorm.DB {
	t.Helper()
	cfg.Table = s.db.Table()
	if cfg.Clock == nil {
		cfg.Clock = func() time.Time { return s.now() }
	}
	db, err := dynorm.Open(s.client, s.db.Schema(), cfg)
	require.NoError(t, err)
	return db
}

func key(text string) []byte { return []byte(fmt.Sprintf("%-32s", text)) }

func TestCursorRefusals(t *testing.T) {
	s := open(t, Reading{})
	seedReadings(t, s, 8)
	signed := s.reopen(t, dynorm.Config{CursorKeys: [][]byte{key("new"), key("old")}})
	old := s.reopen(t, dynorm.Config{CursorKeys: [][]byte{key("old")}})
	foreign := s.reopen(t, dynorm.Config{CursorKeys: [][]byte{key("foreign")}})
	of := func(db *dynorm.DB) dynorm.Query[Reading] {
		return dynorm.ModelOf[Reading](db).Where(dynorm.Eq("device", "d1")).Limit(3)
	}
	next := func(q dynorm.Query[Reading]) string {
		page, err := q.Page(t.Context(), "")
		require.NoError(t, err)
		require.NotEmpty(t, page.Next)
		return page.Next
	}
	plain := next(of(s.db))

	// A cursor goes through URLs and JSON unchanged.
	require.Equal(t, plain, url.QueryEscape(plain))
	data, err := json.Marshal(plain)
	require.NoError(t, err)
	require.Equal(t, `"`+plain+`"`, string(data))

	// A rotated key still reads what the old one signed, and a cursor may go
	// with another limit or projection.
	_, err = of(signed).Page(t.Context(), next(of(old)))
	require.NoError(t, err)
	_, err = of(s.db).Limit(1).Select("value").Page(t.Context(), plain)
	require.NoError(t, err)

	raw, err := base64.RawURLEncoding.DecodeString(plain)
	require.NoError(t, err)
	edited := slices.Clone(raw)
	edited[len(edited)-12]++
	version := slices.Clone(raw)
	version[0] = 9
	rows := []struct {
		name, cursor, text string
		q                  dynorm.Query[Reading]
	}{
		{"no cursor", "x y", "damaged", of(s.db)},
		{"cut", plain[:len(plain)-4], "damaged", of(s.db)},
		{"longer", plain + "AAAA", "damaged", of(s.db)},
		{"edited", base64.RawURLEncoding.EncodeToString(edited), "damaged", of(s.db)},
		{"version", base64.RawURLEncoding.EncodeToString(version), "version 9", of(s.db)},
		{"other partition", plain, "another query", dynorm.ModelOf[Reading](s.db).Where(dynorm.Eq("device", "d2")).Limit(3)},
		{"other filter", plain, "another query", of(s.db).Where(dynorm.Eq("note", "n"))},
		{"other direction", plain, "another query", of(s.db).OrderByDesc("at")},
		{"other index", plain, "another query", dynorm.ModelOf[Reading](s.db).Where(dynorm.Eq("level", "low")).Limit(3)},
		{"not signed", plain, "not signed", of(signed)},
		{"signed for nothing", next(of(signed)), "no Config.CursorKeys", of(s.db)},
		{"key gone", next(of(signed)), "no longer in Config.CursorKeys", of(old)},
		{"foreign key", next(of(foreign)), "no longer in Config.CursorKeys", of(signed)},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			s.sent = nil
			_, err := row.q.Page(t.Context(), row.cursor)
			require.ErrorIs(t, err, dynorm.ErrCursor)
			require.ErrorContains(t, err, row.text)
			require.Empty(t, s.sent, "a request was sent")
			_, err = row.q.After(row.cursor).List(t.Context())
			require.ErrorIs(t, err, dynorm.ErrCursor)
		})
	}
	_, err = dynorm.Open(s.client, s.db.Schema(), dynorm.Config{Table: "app", CursorKeys: [][]byte{[]byte("short")}})
	require.ErrorIs(t, err, dynorm.ErrInvalid)
}

// Paging never repeats or leaves out a row that was there all the time,
// whatever is inserted and deleted between the pages.
func TestCursorWhileRowsComeAndGo(t *testing.T) {
	for _, merged := range []bool{false, true} {
		t.Run(fmt.Sprint("merged ", merged), func(t *testing.T) {
			s := open(t, Reading{})
			m := dynorm.ModelOf[Reading](s.db)
			row := func(i int) *Reading {
				return &Reading{Device: fmt.Sprint("d", i%2), At: clock.Add(time.Duration(i) * time.Second), Level: "low", Value: i}
			}
			for i := 0; i < 60; i += 3 {
				require.NoError(t, m.Create(t.Context(), row(i)))
			}
			q := m.Where(dynorm.Eq("level", "low")).Limit(4)
			if merged {
				q = m.Where(dynorm.In("device", "d0", "d1")).OrderBy("at").Limit(4)
			}
			var seen []int
			cursor := ""
			for n := 0; ; n++ {
				page, err := q.Page(t.Context(), cursor)
				require.NoError(t, err)
				seen = append(seen, values(page.Items)...)
				if len(page.Items) > 0 {
					// The row the cursor rests on goes, others come before and behind.
					last := page.Items[len(page.Items)-1]
					require.NoError(t, m.Delete(t.Context(), last))
					require.NoError(t, m.Create(t.Context(), row(last.Value+1)))
					if last.Value > 0 {
						require.NoError(t, m.Create(t.Context(), row(last.Value-1)))
					}
				}
				if cursor = page.Next; cursor == "" {
					break
				}
				require.Less(t, n, 100)
			}
			for i := 0; i < 60; i += 3 {
				count := 0
				for _, v := range seen {
					if v == i {
						count++
					}
				}
				require.Equal(t, 1, count, "row %d in %v", i, seen)
			}
		})
	}
}

// Daybook has a key that a query can end on.
type Daybook struct {
	_    dynorm.Entity `dynorm:"Daybook"`
	_    dynorm.Key    `pk:"DAYBOOK#{Book}" sk:"{Line}"`
	Book string
	Line string
	Note string
}

// DynamoDB refuses to go on from the last item that a key condition allows,
// which is where one of several conditions may have been read to.
func TestCursorAtTheEndOfACondition(t *testing.T) {
	s := open(t, Daybook{})
	daybooks := dynorm.ModelOf[Daybook](s.db)
	for _, line := range []string{"1", "2", "3", "4", "5"} {
		note := ""
		if line == "3" {
			note = "marked"
		}
		require.NoError(t, daybooks.Put(t.Context(), &Daybook{Book: "a", Line: line, Note: note}))
	}
	inBook := dynorm.Eq("Book", "a")
	marked := dynorm.And(inBook, dynorm.Eq("Note", "marked"))
	for name, c := range map[string]struct {
		where dynorm.Predicate
		want  []string
	}{
		"to":      {dynorm.Le("Line", "1"), []string{"1", "3"}},
		"from":    {dynorm.Ge("Line", "5"), []string{"3", "5"}},
		"between": {dynorm.Between("Line", "1", "2"), []string{"1", "2", "3"}},
		"above":   {dynorm.Between("Line", "4", "5"), []string{"3", "4", "5"}},
	} {
		for _, desc := range []bool{false, true} {
			q := daybooks.Where(dynorm.Or(dynorm.And(inBook, c.where), marked)).Limit(1)
			if desc {
				q = q.OrderByDesc("Line")
			}
			var forth, back, there []string
			page, err := q.Page(t.Context(), "")
			for {
				require.NoError(t, err, name)
				require.Len(t, page.Items, 1)
				forth = append(forth, page.Items[0].Line)
				if page.Next == "" {
					break
				}
				page, err = q.Page(t.Context(), page.Next)
			}
			there = slices.Clone(forth)
			slices.Reverse(there)
			for {
				require.NoError(t, err, name)
				back = append(back, page.Items[0].Line)
				if page.Prev == "" {
					break
				}
				page, err = q.Page(t.Context(), page.Prev)
			}
			require.Equal(t, there, back, name)
			require.ElementsMatch(t, c.want, forth, name)
		}
	}
}
