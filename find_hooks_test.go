package dynorm_test

import (
	"context"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/dynorm/dynorm"
	"github.com/dynorm/dynorm/internal/testdb"
)

// Chant has a field that is computed when it is read.
type Chant struct {
	_     dynorm.Entity `dynorm:"Chant,list"`
	ID    string
	Name  string `dynorm:",unique"`
	Genre string `dynorm:",index"`
	Shown string `dynorm:"shown,omitempty"`
	Plays int64
}

func (s *Chant) AfterFind(context.Context) error {
	if s.Name == "refuse" {
		return errRefused
	}
	s.Shown = "<" + s.Name + ">"
	return nil
}

// chants opens a table with three chants. seen counts the calls of a registered
// hook.
func chants(t *testing.T, hooks ...dynorm.Hook) (db *dynorm.DB, seen *int) {
	t.Helper()
	schema, err := dynorm.NewSchema(Chant{})
	require.NoError(t, err)
	seen = new(int)
	hooks = append(hooks, dynorm.OnAny(dynorm.AfterFind, func(context.Context, any) error { *seen++; return nil }))
	db, err = dynorm.Open(testdb.Open(t), schema, dynorm.Config{Table: testdb.Table(t), Hooks: hooks})
	require.NoError(t, err)
	require.NoError(t, db.CreateTable(t.Context()))
	for _, id := range []string{"a", "b", "c"} {
		require.NoError(t, dynorm.ModelOf[Chant](db).Create(t.Context(), &Chant{ID: id, Name: "n" + id, Genre: "g"}))
	}
	require.Zero(t, *seen)
	return db, seen
}

// findPaths are all ways to read chants a, b and c, or a alone.
func findPaths(db *dynorm.DB) map[string]func(ctx context.Context) ([]*Chant, error) {
	m, byName := dynorm.ModelOf[Chant](db), db.Entity("Chant")
	one := func(v *Chant, err error) ([]*Chant, error) { return []*Chant{v}, err }
	records := func(list []*dynorm.Record, err error) ([]*Chant, error) {
		if err != nil {
			return nil, err
		}
		var out []*Chant
		for _, r := range list {
			shown, _ := (*r)["shown"].(string)
			out = append(out, &Chant{ID: (*r)["id"].(string), Shown: shown})
		}
		return out, nil
	}
	inGenre := m.Where(dynorm.Eq("genre", "g"))
	return map[string]func(ctx context.Context) ([]*Chant, error){
		"Find":        func(ctx context.Context) ([]*Chant, error) { return one(m.Find(ctx, "a")) },
		"Get":         func(ctx context.Context) ([]*Chant, error) { return one(m.Get(ctx, Chant{ID: "a"})) },
		"FindBy":      func(ctx context.Context) ([]*Chant, error) { return one(m.FindBy(ctx, "name", "na")) },
		"FindMany":    func(ctx context.Context) ([]*Chant, error) { return m.FindMany(ctx, "a", "b", "c") },
		"TransactGet": func(ctx context.Context) ([]*Chant, error) { return m.TransactGet(ctx, "a", "b", "c") },
		"DB.FindMany": func(ctx context.Context) ([]*Chant, error) {
			list := []*Chant{{ID: "a"}, {ID: "b"}, {ID: "c"}}
			_, err := db.FindMany(ctx, list[0], list[1], list[2])
			return list, err
		},
		"FirstOrCreate": func(ctx context.Context) ([]*Chant, error) {
			v, _, err := m.FirstOrCreate(ctx, &Chant{ID: "a", Name: "other"})
			return one(v, err)
		},
		"List":  func(ctx context.Context) ([]*Chant, error) { return inGenre.List(ctx) },
		"First": func(ctx context.Context) ([]*Chant, error) { return one(inGenre.First(ctx)) },
		"One": func(ctx context.Context) ([]*Chant, error) {
			return one(inGenre.Where(dynorm.Eq("id", "a")).One(ctx))
		},
		"Page": func(ctx context.Context) ([]*Chant, error) {
			page, err := inGenre.Page(ctx, "")
			if err != nil {
				return nil, err
			}
			return page.Items, nil
		},
		"All": func(ctx context.Context) (list []*Chant, err error) {
			for v, err := range inGenre.All(ctx) {
				if err != nil {
					return nil, err
				}
				list = append(list, v)
			}
			return list, nil
		},
		"Pages": func(ctx context.Context) (list []*Chant, err error) {
			for page, err := range inGenre.PageSize(1).Pages(ctx) {
				if err != nil {
					return nil, err
				}
				list = append(list, page.Items...)
			}
			return list, nil
		},
		"Chunk": func(ctx context.Context) (list []*Chant, err error) {
			err = inGenre.Chunk(ctx, 2, func(_ context.Context, chunk []*Chant) error { list = append(list, chunk...); return nil })
			return list, err
		},
		"ForEach": func(ctx context.Context) (list []*Chant, err error) {
			var mu sync.Mutex
			err = inGenre.ForEach(ctx, func(_ context.Context, v *Chant) error {
				mu.Lock()
				defer mu.Unlock()
				list = append(list, v)
				return nil
			})
			return list, err
		},
		"Scan": func(ctx context.Context) ([]*Chant, error) {
			return m.Where(dynorm.Ge("plays", 0)).AllowScan().List(ctx)
		},
		"several keys": func(ctx context.Context) ([]*Chant, error) { return m.Where(dynorm.In("id", "a", "b", "c")).List(ctx) },
		"by name": func(ctx context.Context) ([]*Chant, error) {
			r, err := byName.Find(ctx, "a")
			return records([]*dynorm.Record{&r}, err)
		},
		"by name, List": func(ctx context.Context) ([]*Chant, error) {
			return records(byName.Where(dynorm.Eq("genre", "g")).List(ctx))
		},
		"Collection": func(ctx context.Context) ([]*Chant, error) {
			found, err := dynorm.Collection(db, "CHANT", "a").Load(ctx)
			return dynorm.Of[Chant](found), err
		},
		"Collection, records": func(ctx context.Context) ([]*Chant, error) {
			found, err := dynorm.Collection(db, "CHANT", "a").Load(ctx)
			if err != nil {
				return nil, err
			}
			return records(pointers(found.Records("Chant")))
		},
		"by key": func(ctx context.Context) ([]*Chant, error) {
			return records(pointers(byName.PK("CHANT#a").AnyType().Get(ctx)))
		},
	}
}

func TestAfterFind(t *testing.T) {
	db, seen := chants(t)
	for name, read := range findPaths(db) {
		t.Run(name, func(t *testing.T) {
			*seen = 0
			list, err := read(t.Context())
			require.NoError(t, err)
			require.NotEmpty(t, list)
			for _, v := range list {
				require.Equal(t, "<n"+v.ID+">", v.Shown)
			}
			require.Equal(t, len(list), *seen)
		})
	}
}

func TestAfterFindRefuses(t *testing.T) {
	db, _ := chants(t, dynorm.On(dynorm.AfterFind, func(_ context.Context, v *Chant) error {
		if v.ID == "a" {
			return errRefused
		}
		return nil
	}))
	for name, read := range findPaths(db) {
		t.Run(name, func(t *testing.T) {
			_, err := read(t.Context())
			require.ErrorIs(t, err, errRefused)
			require.ErrorContains(t, err, "AfterFind: refused")
			require.ErrorContains(t, err, "dynorm: ")
			var he *dynorm.HookError
			require.ErrorAs(t, err, &he)
			require.False(t, he.Written)
		})
	}
}

// TestAfterFindIsOfReads holds what hooks make of a value out of what is
// written.
func TestAfterFindIsOfReads(t *testing.T) {
	ctx := t.Context()
	db, seen := chants(t)
	m := dynorm.ModelOf[Chant](db)
	_, err := m.Update(ctx, "a", dynorm.Add("plays", 1))
	require.NoError(t, err)
	_, err = m.Edit(ctx, "a", func(v *Chant) error { v.Plays++; return nil })
	require.NoError(t, err)
	_, err = m.Where(dynorm.Eq("genre", "g")).Update(ctx, dynorm.Add("plays", 1))
	require.NoError(t, err)
	_, err = m.Move(ctx, "b", func(v *Chant) error { v.ID = "d"; return nil })
	require.NoError(t, err)
	require.NoError(t, m.Delete(ctx, "c"))
	require.Zero(t, *seen)
	n, err := m.Where(dynorm.Eq("genre", "g")).Count(ctx)
	require.NoError(t, err)
	require.Equal(t, int64(2), int64(n))
	list, err := m.Where(dynorm.Eq("genre", "g")).OrderBy("id").List(ctx)
	require.NoError(t, err)
	require.Equal(t, []*Chant{{ID: "a", Name: "na", Genre: "g", Shown: "<na>", Plays: 3}, {ID: "d", Name: "nb", Genre: "g", Shown: "<nb>", Plays: 1}}, list)
}

func pointers(list []dynorm.Record, err error) ([]*dynorm.Record, error) {
	var out []*dynorm.Record
	for i := range list {
		out = append(out, &list[i])
	}
	return out, err
}
