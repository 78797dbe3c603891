package dynorm_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/dynorm/dynorm"
	"github.com/dynorm/dynorm/internal/testdb"
)

// Tune computes a field that is not stored when it is found.
type Tune struct {
	_     dynorm.Entity `dynorm:"Tune,list"`
	_     dynorm.Index  `dynorm:"byGenre,project=keys" pk:"GENRE#{Genre}" sk:"{ID}"`
	ID    string
	Genre string
	Code  string `dynorm:",unique"`
	Name  string
	Shout string `dynorm:"-"`
}

func (s *Tune) AfterFind(context.Context) error {
	if s.Name == "barred" {
		return errRefused
	}
	s.Shout = strings.ToUpper(s.Name)
	return nil
}

// Lyric has no hooks of its own.
type Lyric struct {
	_    dynorm.Entity `dynorm:"Lyric,list"`
	ID   string
	Text string
}

func TestAfterFindOnEveryPath(t *testing.T) {
	schema, err := dynorm.NewSchema(Tune{}, Lyric{}, ticket())
	require.NoError(t, err)
	var mu sync.Mutex
	var found []string
	note := func(id string) {
		mu.Lock()
		defer mu.Unlock()
		found = append(found, id)
	}
	refused := ""
	db, err := dynorm.Open(testdb.Open(t), schema, dynorm.Config{Table: testdb.Table(t), Hooks: []dynorm.Hook{
		dynorm.On(dynorm.AfterFind, func(_ context.Context, s *Tune) error {
			if s.Shout != strings.ToUpper(s.Name) {
				return fmt.Errorf("the method goes first")
			}
			note(s.ID)
			if s.ID == refused {
				return errRefused
			}
			return nil
		}),
		dynorm.OnAny(dynorm.AfterFind, func(_ context.Context, v any) error {
			if l, ok := v.(*Lyric); ok {
				l.Text += "!"
			}
			return nil
		}),
	}})
	require.NoError(t, err)
	ctx := t.Context()
	require.NoError(t, db.CreateTable(ctx))
	tunes, lyrics, named := dynorm.ModelOf[Tune](db), dynorm.ModelOf[Lyric](db), db.Entity("Tune")
	for i := range 5 {
		require.NoError(t, tunes.Create(ctx, &Tune{ID: fmt.Sprint(i), Genre: "jazz", Code: fmt.Sprint("c", i), Name: fmt.Sprint("n", i)}))
	}
	require.NoError(t, lyrics.Create(ctx, &Lyric{ID: "1", Text: "la"}))
	require.Empty(t, found, "writes find nothing")

	all := tunes.Query()
	one := func(v *Tune, err error) ([]*Tune, error) { return []*Tune{v}, err }
	records := func(list []*dynorm.Record, err error) ([]*Tune, error) {
		var out []*Tune
		for _, r := range list {
			out = append(out, &Tune{ID: (*r)["id"].(string), Name: (*r)["name"].(string), Shout: "-"})
		}
		return out, err
	}
	record := func(r dynorm.Record, err error) ([]*Tune, error) {
		if err != nil {
			return nil, err
		}
		return records([]*dynorm.Record{&r}, nil)
	}
	tests := []struct {
		name string
		read func() ([]*Tune, error)
		want string // the ids, in their order where there is one
	}{
		{"Find", func() ([]*Tune, error) { return one(tunes.Find(ctx, "1")) }, "1"},
		{"Get", func() ([]*Tune, error) { return one(tunes.Get(ctx, Tune{ID: "1"})) }, "1"},
		{"FindBy", func() ([]*Tune, error) { return one(tunes.FindBy(ctx, "code", "c1")) }, "1"},
		{"FindMany", func() ([]*Tune, error) { return tunes.FindMany(ctx, "3", "1") }, "31"},
		{"DB.FindMany", func() ([]*Tune, error) {
			v := &Tune{ID: "1"}
			_, err := db.FindMany(ctx, v)
			return []*Tune{v}, err
		}, "1"},
		{"TransactGet", func() ([]*Tune, error) { return tunes.TransactGet(ctx, "1", "2") }, "12"},
		{"FirstOrCreate", func() ([]*Tune, error) {
			v, _, err := tunes.FirstOrCreate(ctx, &Tune{ID: "1"})
			return []*Tune{v}, err
		}, "1"},
		{"List", func() ([]*Tune, error) { return all.List(ctx) }, "01234"},
		{"a query of a key", func() ([]*Tune, error) { return tunes.Where(dynorm.Eq("id", "1")).List(ctx) }, "1"},
		{"a query of keys", func() ([]*Tune, error) { return tunes.Where(dynorm.In("id", "1", "3")).List(ctx) }, "13"},
		{"a unique lookup", func() ([]*Tune, error) { return tunes.Where(dynorm.Eq("code", "c1")).List(ctx) }, "1"},
		{"Hydrate", func() ([]*Tune, error) { return tunes.Where(dynorm.Eq("genre", "jazz")).Hydrate().List(ctx) }, "01234"},
		{"a scan", func() ([]*Tune, error) {
			list, err := tunes.Where(dynorm.Ne("name", "n0")).Index("table").AllowScan().List(ctx)
			slices.SortFunc(list, func(a, b *Tune) int { return strings.Compare(a.ID, b.ID) })
			return list, err
		}, "1234"},
		{"First", func() ([]*Tune, error) { return one(all.First(ctx)) }, "0"},
		{"One", func() ([]*Tune, error) { return one(all.Limit(1).One(ctx)) }, "0"},
		{"Page", func() ([]*Tune, error) {
			p, err := all.Limit(2).Page(ctx, "")
			if err != nil {
				return nil, err
			}
			return p.Items, nil
		}, "01"},
		{"Pages", func() (list []*Tune, err error) {
			for p, err := range all.Limit(2).Pages(ctx) {
				if err != nil {
					return nil, err
				}
				list = append(list, p.Items...)
			}
			return list, nil
		}, "01234"},
		{"All", func() (list []*Tune, err error) {
			for v, err := range all.All(ctx) {
				if err != nil {
					return nil, err
				}
				list = append(list, v)
			}
			return list, nil
		}, "01234"},
		{"Chunk", func() (list []*Tune, err error) {
			err = all.Chunk(ctx, 2, func(_ context.Context, items []*Tune) error { list = append(list, items...); return nil })
			return list, err
		}, "01234"},
		{"ForEach", func() (list []*Tune, err error) {
			var mu sync.Mutex
			err = all.ForEach(ctx, func(_ context.Context, v *Tune) error {
				mu.Lock()
				defer mu.Unlock()
				list = append(list, v)
				return nil
			})
			slices.SortFunc(list, func(a, b *Tune) int { return strings.Compare(a.ID, b.ID) })
			return list, err
		}, "01234"},
		{"Select", func() ([]*Tune, error) { return tunes.Where(dynorm.Eq("id", "1")).Select("name").List(ctx) }, "1"},
		{"by name", func() ([]*Tune, error) { return record(named.Find(ctx, "1")) }, "1"},
		{"a query by name", func() ([]*Tune, error) { return records(named.Query().List(ctx)) }, "01234"},
		{"a query of keys by name", func() ([]*Tune, error) {
			list, err := named.PK("TUNE#1").Get(ctx)
			if err != nil {
				return nil, err
			}
			return record(list[0], nil)
		}, "1"},
		{"any type", func() ([]*Tune, error) {
			list, err := named.PK("TUNE#1").AnyType().Get(ctx)
			if err != nil {
				return nil, err
			}
			return record(list[0], nil)
		}, "1"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			found, refused = nil, ""
			list, err := tt.read()
			require.NoError(t, err)
			got := ""
			for _, v := range list {
				got += v.ID
				require.Contains(t, []string{strings.ToUpper(v.Name), "-"}, v.Shout)
				require.NotEmpty(t, v.Shout)
			}
			require.Equal(t, tt.want, got)
			if tt.name == "a scan" {
				slices.Sort(found)
			}
			require.Equal(t, tt.want, strings.Join(found, ""), "once for each value given out")

			refused = tt.want[len(tt.want)-1:]
			list, err = tt.read()
			require.ErrorIs(t, err, errRefused)
			he, ok := errors.AsType[*dynorm.HookError](err)
			require.True(t, ok)
			require.Equal(t, dynorm.AfterFind, he.Event)
			require.False(t, he.Written)
			require.True(t, strings.HasPrefix(err.Error(), "dynorm: "), err.Error())
			for _, v := range list {
				require.True(t, v == nil || v.ID != refused || tt.name == "DB.FindMany", "what is refused is not given out")
			}
		})
	}
	found, refused = nil, ""

	// What Edit and Move work on is what is stored.
	_, err = tunes.Edit(ctx, "1", func(s *Tune) error {
		require.Empty(t, s.Shout)
		s.Name = "new"
		return nil
	})
	require.NoError(t, err)
	_, err = tunes.Move(ctx, "1", func(s *Tune) error {
		require.Empty(t, s.Shout)
		s.ID, s.Name = "9", "barred"
		return nil
	})
	require.NoError(t, err)
	require.Empty(t, found)
	_, err = tunes.Find(ctx, "9")
	require.ErrorIs(t, err, errRefused)
	n, err := all.Count(ctx)
	require.NoError(t, err)
	require.Equal(t, 5, n, "a count finds no values")
	bulk, err := all.Update(ctx, dynorm.Set("genre", "folk"))
	require.NoError(t, err)
	require.Equal(t, 5, bulk.Changed, "and neither does a write over a query")

	l, err := db.Entity("Lyric").Find(ctx, "1")
	require.NoError(t, err)
	require.Equal(t, "la!", l["text"], "a record is of the value that the hook left")
	lv, err := lyrics.Find(ctx, "1")
	require.NoError(t, err)
	require.Equal(t, "la!", lv.Text)
	require.NoError(t, db.Entity("Ticket").Create(ctx, dynorm.Record{"project": "p", "no": 1}))
	_, err = db.Entity("Ticket").Find(ctx, dynorm.Record{"project": "p", "no": 1})
	require.NoError(t, err, "an entity without a Go type")
}

// Reading an entity without hooks costs nothing for the hooks of others.
func TestAfterFindCost(t *testing.T) {
	schema, err := dynorm.NewSchema(Tune{}, Lyric{})
	require.NoError(t, err)
	other := dynorm.On(dynorm.AfterFind, func(context.Context, *Tune) error { return nil })
	db, err := dynorm.Open(testdb.Open(t), schema, dynorm.Config{Table: "none", Hooks: []dynorm.Hook{other, other}})
	require.NoError(t, err)
	require.Zero(t, dynorm.FoundAllocs[Lyric](db))
}
