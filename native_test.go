package dynorm_test

import (
	"fmt"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/dynorm/dynorm"
	"github.com/dynorm/dynorm/internal/golden"
	"github.com/dynorm/dynorm/internal/patterntest"
	"github.com/dynorm/dynorm/internal/testdb"
)

func TestNativeIndex(t *testing.T) {
	s := open(t, Visit{}, Ping{})
	visits, ctx := dynorm.ModelOf[Visit](s.db), t.Context()
	var all []*Visit
	for i := range 40 {
		v := &Visit{
			Visitor: fmt.Sprint("v", i%3), At: clock.Add(time.Duration(i) * time.Minute), Site: []string{"s1", "s2"}[i%2],
			Country: []string{"se", "", "fi"}[i%3], Day: i % 4, Seconds: float64(i%7) + 0.5, Page: "p",
		}
		require.NoError(t, visits.Create(ctx, v))
		all = append(all, v)
	}
	require.NoError(t, dynorm.ModelOf[Ping](s.db).Create(ctx, &Ping{ID: "1", Country: "se", At: clock}))

	q := visits.Where(dynorm.Eq("site", "s1"), dynorm.Eq("country", "se"))
	plan := explain(t, q.Where(dynorm.Eq("day", 2), dynorm.Gt("seconds", 1.5)))
	require.Equal(t, "native.site.country-day.seconds.visitor", plan.Index)
	require.Equal(t, []string{`site = "s1" and country = "se" and day = 2 and seconds > 1.5`}, plan.Keys)
	require.Equal(t, "attribute_not_exists(deletedAt)", plan.Filters[0])
	plan = explain(t, visits.Where(dynorm.Eq("country", "se")).OrderBy("at").Index("perCountry"))
	require.Contains(t, plan.Filters[0], `_et = "Visit"`, "pings are in the index too")

	raw := s.raw(t, "VISITOR#v0", "VISIT#2026-03-04T05:06:07.089000000Z")
	require.NotContains(t, raw, "gsi2pk", "nothing is written for it")

	_, err := visits.Where(dynorm.Eq("site", "s1"), dynorm.Eq("country", "se"), dynorm.Ne("seconds", 2)).Index("perSite").Explain()
	require.ErrorIs(t, err, dynorm.ErrNoIndex)
	require.ErrorContains(t, err, "which a filter can't compare")
	_, err = visits.Where(dynorm.Eq("site", "s1")).Index("perSite").Explain()
	require.ErrorContains(t, err, "its partition key site, country needs Country by =")
	_, err = s.db.Entity("Visit").PK("x").Index("perSite").Get(ctx)
	require.ErrorIs(t, err, dynorm.ErrInvalid)

	_, err = visits.Update(ctx, Visit{Visitor: "v0", At: clock}, dynorm.Set("country", ""))
	require.NoError(t, err, "an empty text leaves the index")
	n, err := q.Count(ctx)
	require.NoError(t, err)
	indexed, err := q.Index("perSite").Count(ctx)
	require.NoError(t, err)
	wantAll, wantIndexed := 0, 0
	for _, v := range all[1:] {
		if v.Site == "s1" && v.Country == "se" {
			wantAll++
			if v.Day > 0 {
				wantIndexed++
			}
		}
	}
	require.Equal(t, wantAll, n, "an index that lacks items without Day is not taken unasked")
	require.Equal(t, wantIndexed, indexed)

	longest, err := visits.Where(dynorm.Eq("visitor", "v1")).OrderByDesc("seconds").Consistent().First(ctx)
	require.NoError(t, err)
	require.Equal(t, 6.5, longest.Seconds)
	require.Equal(t, "native-seconds", explain(t, visits.Where(dynorm.Eq("visitor", "v1")).OrderBy("seconds")).Index)
}

// TestNativeQueries holds random queries of native indexes against memory, page
// by page in both directions.
func TestNativeQueries(t *testing.T) {
	s := open(t, Visit{})
	visits, ctx := dynorm.ModelOf[Visit](s.db), t.Context()
	var all []*Visit
	for i := range 120 {
		v := &Visit{
			Visitor: fmt.Sprint("v", i%4), At: clock.Add(time.Duration(i) * time.Minute), Site: "s", Country: []string{"se", "fi"}[i%2],
			Day: 1 + i%3, Seconds: float64(i*7%11) / 2, Page: "p",
		}
		require.NoError(t, visits.Create(ctx, v))
		all = append(all, v)
	}
	ran := 0
	rapid.Check(t, func(rt *rapid.T) {
		countries := rapid.SampledFrom([][]any{{"se"}, {"fi"}, {"se", "fi"}, {"fi", "no", "se"}}).Draw(rt, "countries")
		days := rapid.SampledFrom([][]any{{1}, {3}, {2, 3}, {3, 1, 2}}).Draw(rt, "days")
		bound, high := float64(rapid.IntRange(-1, 12).Draw(rt, "bound"))/2, float64(rapid.IntRange(-1, 12).Draw(rt, "high"))/2
		bound, high = min(bound, high), max(bound, high)
		byDay, desc := rapid.Bool().Draw(rt, "by day"), rapid.Bool().Draw(rt, "desc")
		matches := func(v *Visit) bool {
			return slices.Contains(countries, any(v.Country)) && (!byDay || slices.Contains(days, any(v.Day)))
		}
		q := visits.Where(dynorm.Eq("site", "s"), dynorm.In("country", countries...)).Index("perSite")
		compare := func(v *Visit) bool { return true }
		if byDay {
			q = q.Where(dynorm.In("day", days...))
			switch rapid.IntRange(0, 6).Draw(rt, "range") {
			case 0:
				q, compare = q.Where(dynorm.Gt("seconds", bound)), func(v *Visit) bool { return v.Seconds > bound }
			case 1:
				q, compare = q.Where(dynorm.Ge("seconds", bound)), func(v *Visit) bool { return v.Seconds >= bound }
			case 2:
				q, compare = q.Where(dynorm.Lt("seconds", bound)), func(v *Visit) bool { return v.Seconds < bound }
			case 3:
				q, compare = q.Where(dynorm.Le("seconds", bound)), func(v *Visit) bool { return v.Seconds <= bound }
			case 4:
				q, compare = q.Where(dynorm.Between("seconds", bound, high)), func(v *Visit) bool { return bound <= v.Seconds && v.Seconds <= high }
			case 5:
				q = q.Where(dynorm.Ge("seconds", bound), dynorm.Le("seconds", high))
				compare = func(v *Visit) bool { return bound <= v.Seconds && v.Seconds <= high }
			}
		}
		if desc {
			q = q.OrderByDesc("day").OrderByDesc("seconds")
		} else {
			q = q.OrderBy("day").OrderBy("seconds")
		}
		var want []string
		for _, v := range all {
			if matches(v) && compare(v) {
				want = append(want, v.At.String())
			}
		}
		list, err := q.List(ctx)
		require.NoError(rt, err)
		var got []string
		for i, v := range list {
			got = append(got, v.At.String())
			if i > 0 {
				a, b := list[i-1], v
				if desc {
					a, b = b, a
				}
				require.True(rt, a.Day < b.Day || a.Day == b.Day && a.Seconds <= b.Seconds, "out of order")
			}
		}
		require.ElementsMatch(rt, want, got)

		size := rapid.IntRange(1, 9).Draw(rt, "page")
		var pages [][]string
		cursor, back := "", ""
		for {
			page, err := q.Limit(size).Page(ctx, cursor)
			require.NoError(rt, err)
			var keys []string
			for _, v := range page.Items {
				keys = append(keys, v.At.String())
			}
			pages = append(pages, keys)
			if back = page.Prev; page.Next == "" {
				break
			}
			cursor = page.Next
		}
		require.Equal(rt, append([]string{}, got...), append([]string{}, slices.Concat(pages...)...))
		for i := len(pages) - 2; i >= 0; i-- {
			page, err := q.Limit(size).Page(ctx, back)
			require.NoError(rt, err)
			var keys []string
			for _, v := range page.Items {
				keys = append(keys, v.At.String())
			}
			require.Equal(rt, pages[i], keys, "backwards")
			back = page.Prev
		}
		if cursor != "" {
			_, err := visits.Where(dynorm.Eq("site", "s"), dynorm.Eq("country", "no")).Page(ctx, cursor)
			require.ErrorIs(rt, err, dynorm.ErrCursor)
		}
		ran++
	})
	t.Logf("%d queries", ran)
}

// A query for several keys of a native index is several key conditions.
func TestNativeUnion(t *testing.T) {
	s := open(t, Visit{}, Ping{})
	visits, ctx := dynorm.ModelOf[Visit](s.db), t.Context()
	for i := range 24 {
		require.NoError(t, visits.Create(ctx, &Visit{
			Visitor: "v", At: clock.Add(time.Duration(i) * time.Minute), Site: "s", Country: []string{"se", "fi", "no"}[i%3], Day: 1 + i%4, Seconds: float64(i), Page: "p",
		}))
	}
	either := dynorm.Or(
		dynorm.And(dynorm.Eq("country", "se"), dynorm.Eq("day", 1)),
		dynorm.And(dynorm.Eq("country", "fi"), dynorm.Gt("day", 2)),
	)
	q := visits.Where(dynorm.Eq("site", "s"), either).Index("perSite")
	require.Equal(t, []string{`site = "s" and country = "se" and day = 1`, `site = "s" and country = "fi" and day > 2`}, explain(t, q).Keys)
	n, err := q.Count(ctx)
	require.NoError(t, err)
	require.Equal(t, 6, n)
	ordered, err := visits.Where(dynorm.Eq("site", "s"), dynorm.In("country", "no", "se"), dynorm.Eq("day", 2)).Index("perSite").OrderByDesc("seconds").List(ctx)
	require.NoError(t, err)
	var seconds []float64
	for _, v := range ordered {
		seconds = append(seconds, v.Seconds)
	}
	require.Equal(t, []float64{21, 17, 9, 5}, seconds, "merged by number, not by text")

	overlapping := dynorm.Or(dynorm.And(dynorm.Eq("country", "se"), dynorm.Gt("day", 1)), dynorm.And(dynorm.Eq("country", "se"), dynorm.Lt("day", 3)))
	_, err = visits.Where(dynorm.Eq("site", "s"), overlapping).Index("perSite").Explain()
	require.ErrorIs(t, err, dynorm.ErrNoIndex)
	require.ErrorContains(t, err, "overlapping ranges")
	_, err = visits.Where(dynorm.Eq("site", "s"), dynorm.Eq("country", "se"), dynorm.Or(dynorm.Eq("day", 1), dynorm.Eq("page", "p"))).Index("perSite").Explain()
	require.ErrorContains(t, err, "which a filter can't compare")
	longest, err := visits.Where(dynorm.In("visitor", "v", "w")).Index("longest").OrderByDesc("seconds").Consistent().Limit(2).List(ctx)
	require.NoError(t, err)
	require.Equal(t, 23.0, longest[0].Seconds)
}

func TestNativeFaults(t *testing.T) {
	type when struct {
		_    dynorm.Index `dynorm:"a,native" pk:"City" sk:"ID" when:"City"`
		ID   string
		City string `dynorm:",omitempty"`
	}
	type empty struct {
		_    dynorm.Index `dynorm:"a,native" pk:"City" sk:"ID"`
		ID   string
		City string
	}
	type other struct {
		ID   string
		City int
	}
	type twice struct {
		_    dynorm.Index `dynorm:"a,native" pk:"City" sk:"ID"`
		_    dynorm.Index `dynorm:"b,native" pk:"City" sk:"ID"`
		ID   string
		City string `dynorm:",required"`
	}
	type pinned struct {
		_    dynorm.Index `dynorm:"a,native,gsi=1" pk:"City" sk:"ID"`
		_    dynorm.Index `dynorm:"b,gsi=1" pk:"T#{Town}" sk:"{ID}"`
		ID   string
		City string `dynorm:",required"`
		Town string
	}
	for _, c := range []struct {
		models []any
		want   string
	}{
		{[]any{when{}}, "takes no condition (leave `when` out"},
		{[]any{empty{}}, "can't be stored empty (tag it `omitempty` or `required`)"},
		{[]any{twice{}, other{}}, "stored as another type than S"},
		{[]any{twice{}}, "it has the keys of a (drop one of them)"},
		{[]any{pinned{}}, "gsi=1"},
	} {
		_, err := dynorm.NewSchema(c.models...)
		require.ErrorIs(t, err, dynorm.ErrDefinition)
		require.ErrorContains(t, err, c.want)
	}
	schema, err := dynorm.NewSchema(Visit{}, Ping{})
	require.NoError(t, err)
	db, err := dynorm.Open(testdb.Open(t), schema, dynorm.Config{Table: testdb.Table(t)})
	require.NoError(t, err)
	require.NoError(t, db.CreateTable(t.Context()))
	require.NoError(t, db.CreateTable(t.Context()), "made once more, the table does not differ")
}

// Entities most of whose indexes can be native.
type (
	nativeTask struct {
		_        dynorm.Entity `dynorm:"Task,list=2"`
		_        dynorm.Index  `dynorm:"byState" pk:"STATE#{State}#{Team}" sk:"{Due}#{ID}"`
		_        dynorm.Index  `dynorm:"perDay" pk:"DAY#{Due:date}" sk:"{Due}"`
		ID       string
		State    string `dynorm:",required"`
		Team     string `dynorm:",index,omitempty"`
		Due      time.Time
		Points   int
		PersonID string        `dynorm:",omitempty"`
		Person   *nativePerson `rel:"belongsTo"`
	}
	nativePerson struct {
		_     dynorm.Entity `dynorm:"Person"`
		ID    string
		Tasks []*nativeTask `rel:"hasMany"`
		Notes []*nativeNote `rel:"hasMany"`
	}
	nativeNote struct {
		_        dynorm.Entity `dynorm:"Note"`
		ID       string
		PersonID string `dynorm:",omitempty"`
	}
)

// TestAccessPatternsOfNativeSchema chooses native indexes for a schema.
func TestAccessPatternsOfNativeSchema(t *testing.T) {
	models := []any{dynorm.SchemaConfig{NativeIndexes: true}, nativeTask{}, nativePerson{}, nativeNote{}}
	schema, err := dynorm.NewSchema(models...)
	require.NoError(t, err)
	f := golden.Open(t, filepath.Join("testdata", "derivation", "native.txtar"))
	f.Explain(t, "a schema of native indexes: which are, which can't be and why, and what they answer")
	f.Compare(t, "explain", schema.Explain())
	f.Compare(t, "patterns", schema.AccessPatterns().Markdown())
	f.Compare(t, "diagram", schema.Mermaid())
	f.Only(t, "explain", "patterns", "diagram")
	client := testdb.Open(t)
	var sum patterntest.Counts
	for seed := range uint64(4) {
		n := patterntest.Check(t, t, client, schema, seed, 25)
		sum.Add(n)
	}
	t.Logf("%d calls, %d of them at the least cost, %d items", sum.Calls, sum.Least, sum.Items)

	type bare struct {
		_    dynorm.Entity `dynorm:"Bare"`
		ID   string
		City string `dynorm:",index"`
	}
	_, err = dynorm.NewSchema(dynorm.SchemaConfig{NativeIndexes: true}, bare{})
	require.ErrorContains(t, err, "can't be stored empty (tag it `omitempty` or `required`)")
}
