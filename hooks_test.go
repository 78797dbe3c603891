package dynorm_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/dynorm/dynorm"
	"github.com/dynorm/dynorm/internal/testdb"
)

// Song lowers its name before it is saved, on every path.
type Song struct {
	_     dynorm.Entity `dynorm:"Song,timestamps"`
	ID    string
	Name  string `dynorm:",index"`
	Plays int64
}

func (s *Song) BeforeSave(context.Context) error {
	if s.Name == "refuse" {
		return errRefused
	}
	s.Name = strings.ToLower(s.Name)
	return nil
}

// Album has a version, a unique value and soft deletes.
type Album struct {
	_       dynorm.Entity `dynorm:"Album,softdelete"`
	ID      string
	Name    string `dynorm:",unique"`
	Plays   int64
	Version int64 `dynorm:"_v,version"`
}

var errRefused = errors.New("refused")

// hookLog opens a table whose hooks are logged.
func hookLog(t *testing.T) (db *dynorm.DB, log func() []string, fail func(event dynorm.HookEvent)) {
	schema, err := dynorm.NewSchema(Song{}, Album{})
	require.NoError(t, err)
	var events []string
	failing := dynorm.HookEvent(-1)
	var hooks []dynorm.Hook
	for ev := dynorm.BeforeSave; ev <= dynorm.AfterRestore; ev++ {
		hooks = append(hooks, dynorm.OnAny(ev, func(_ context.Context, v any) error {
			name := ""
			switch v := v.(type) {
			case *Song:
				name = v.Name
			case *Album:
				name = v.Name
			}
			events = append(events, fmt.Sprint(ev, " ", name))
			if ev == failing {
				return errRefused
			}
			return nil
		}))
	}
	db, err = dynorm.Open(testdb.Open(t), schema, dynorm.Config{Table: testdb.Table(t), Hooks: hooks, Concurrency: 1})
	require.NoError(t, err)
	require.NoError(t, db.CreateTable(t.Context()))
	return db, func() []string { l := events; events = nil; return l }, func(event dynorm.HookEvent) { failing = event }
}

func TestHooksOnEveryPath(t *testing.T) {
	db, log, fail := hookLog(t)
	songs, albums := dynorm.ModelOf[Song](db), dynorm.ModelOf[Album](db)
	ctx := t.Context()
	tx := func(fn func(tx *dynorm.Tx) error) error { return db.Transact(ctx, fn) }
	saved := func(inner, name string) []string {
		return []string{"BeforeSave " + name, "Before" + inner + " " + name, "After" + inner + " " + name, "AfterSave " + name}
	}
	tests := []struct {
		name   string
		call   func() error
		want   []string
		before dynorm.HookEvent // what refuses the write
	}{
		{"Create", func() error { return songs.Create(ctx, &Song{ID: "1", Name: "A"}) }, saved("Create", "a"), dynorm.BeforeCreate},
		{"Put", func() error { return songs.Put(ctx, &Song{ID: "1", Name: "B"}) }, []string{"BeforeSave b", "AfterSave b"}, dynorm.BeforeSave},
		{"Save", func() error { return songs.Save(ctx, &Song{ID: "1", Name: "C"}) }, saved("Update", "c"), dynorm.BeforeUpdate},
		{"Update", func() error { _, err := songs.Update(ctx, "1", dynorm.Set("name", "D")); return err }, saved("Update", "d"), dynorm.BeforeUpdate},
		{"Update of another field", func() error { _, err := songs.Update(ctx, "1", dynorm.Add("plays", 1)); return err }, saved("Update", "d"), dynorm.BeforeSave},
		{"Edit", func() error {
			_, err := songs.Edit(ctx, "1", func(s *Song) error { s.Name = "E"; return nil })
			return err
		}, saved("Update", "e"), dynorm.BeforeUpdate},
		{"Edit of nothing", func() error { _, err := songs.Edit(ctx, "1", func(*Song) error { return nil }); return err }, nil, -1},
		{"Touch", func() error { return songs.Touch(ctx, "1") }, saved("Update", "e"), dynorm.BeforeUpdate},
		{"Upsert", func() error { _, err := songs.Upsert(ctx, &Song{ID: "1", Name: "F"}); return err }, saved("Update", "f"), dynorm.BeforeUpdate},
		{"Move", func() error {
			_, err := songs.Move(ctx, "1", func(s *Song) error { s.ID, s.Name = "2", "G"; return nil })
			return err
		}, saved("Update", "g"), dynorm.BeforeUpdate},
		{"a query's Update", func() error {
			_, err := songs.Where(dynorm.Eq("name", "g")).Update(ctx, dynorm.Set("name", "H"))
			return err
		}, saved("Update", "h"), dynorm.BeforeUpdate},
		{"a query's Delete", func() error { _, err := songs.Where(dynorm.Eq("name", "h")).Delete(ctx); return err }, []string{"BeforeDelete h", "AfterDelete h"}, dynorm.BeforeDelete},
		{"PutMany", func() error { return songs.PutMany(ctx, &Song{ID: "1", Name: "I"}) }, []string{"BeforeSave i", "AfterSave i"}, dynorm.BeforeSave},
		{"DeleteMany", func() error { return songs.DeleteMany(ctx, &Song{ID: "1"}) }, []string{"BeforeDelete i", "AfterDelete i"}, dynorm.BeforeDelete},
		{"CreateMany", func() error { return songs.CreateMany(ctx, &Song{ID: "1", Name: "J"}) }, saved("Create", "j"), dynorm.BeforeCreate},
		{"Delete", func() error { return songs.Delete(ctx, "1") }, []string{"BeforeDelete j", "AfterDelete j"}, dynorm.BeforeDelete},
		{"Delete of nothing", func() error { return songs.Delete(ctx, "1") }, nil, -1},
		{"by name", func() error { return db.Entity("Song").Create(ctx, dynorm.Record{"id": "1", "name": "K"}) }, saved("Create", "k"), dynorm.BeforeCreate},
		{"a transaction", func() error {
			return tx(func(tx *dynorm.Tx) error {
				return errors.Join(songs.In(tx).Update(ctx, "1", dynorm.Set("name", "L")), albums.In(tx).Create(ctx, &Album{ID: "1", Name: "x"}))
			})
		}, []string{"BeforeSave l", "BeforeUpdate l", "BeforeSave x", "BeforeCreate x", "AfterUpdate l", "AfterSave l", "AfterCreate x", "AfterSave x"}, dynorm.BeforeUpdate},
		{"Chunked", func() error {
			return db.Chunked(ctx, func(tx *dynorm.Tx) error { return songs.In(tx).Save(ctx, &Song{ID: "1", Name: "M"}) })
		}, saved("Update", "m"), dynorm.BeforeUpdate},
		{"an update of claims", func() error { _, err := albums.Update(ctx, "1", dynorm.Set("name", "y")); return err }, saved("Update", "y"), dynorm.BeforeUpdate},
		{"a soft deletion", func() error { return albums.Delete(ctx, "1") }, []string{"BeforeDelete y", "AfterDelete y"}, dynorm.BeforeDelete},
		{"Restore", func() error { return albums.Restore(ctx, "1") }, []string{"BeforeRestore y", "AfterRestore y"}, dynorm.BeforeRestore},
		{"PutMany of guarded items", func() error { return albums.PutMany(ctx, &Album{ID: "1", Name: "z", Version: 4}) }, []string{"BeforeSave z", "AfterSave z"}, dynorm.BeforeSave},
		{"ForceDelete", func() error { return albums.ForceDelete(ctx, "1") }, []string{"BeforeDelete z", "AfterDelete z"}, dynorm.BeforeDelete},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if tt.before >= 0 {
				fail(tt.before)
				err := tt.call()
				require.ErrorIs(t, err, errRefused)
				he, ok := errors.AsType[*dynorm.HookError](err)
				require.True(t, ok)
				require.Equal(t, tt.before, he.Event)
				require.False(t, he.Written)
				for _, line := range log() {
					require.True(t, strings.HasPrefix(line, "Before"), "nothing is written: %s", line)
				}
				fail(-1)
			}
			require.NoError(t, tt.call())
			require.Equal(t, tt.want, log())
		})
	}
	got, err := songs.Find(ctx, "1")
	require.NoError(t, err)
	require.Equal(t, "m", got.Name, "what a hook changes is stored")
	checkName := func(name string) {
		list, err := songs.Where(dynorm.Eq("name", name)).List(ctx)
		require.NoError(t, err)
		require.Len(t, list, 1, "and in the index")
	}
	checkName("m")

	// A hook after the write.
	fail(dynorm.AfterSave)
	v := &Album{ID: "9", Name: "late"}
	err = albums.Create(ctx, v)
	he, ok := errors.AsType[*dynorm.HookError](err)
	require.True(t, ok)
	require.True(t, he.Written)
	require.EqualValues(t, 1, v.Version, "the value stands as written")
	err = albums.CreateMany(ctx, &Album{ID: "10", Name: "late2"})
	require.ErrorIs(t, err, errRefused)
	fail(-1)
	_, err = albums.Find(ctx, "10")
	require.NoError(t, err)

	// The entity's own hook refuses as well, and NoRead says why it can't do.
	require.ErrorIs(t, songs.Create(ctx, &Song{ID: "5", Name: "refuse"}), errRefused)
	_, err = songs.Update(ctx, "1", dynorm.Set("name", "refuse"))
	require.ErrorIs(t, err, errRefused)
	_, err = songs.Update(ctx, "1", dynorm.Set("name", "n"), dynorm.NoRead())
	require.ErrorIs(t, err, dynorm.ErrNeedsFields)
	_, err = dynorm.Open(testdb.Open(t), db.Schema(), dynorm.Config{Table: "abc", Hooks: []dynorm.Hook{{}}})
	require.ErrorIs(t, err, dynorm.ErrInvalid)
}

type Card struct {
	_       dynorm.Entity `dynorm:"Card,timestamps"`
	ID      string        `dynorm:",primary,ulid"`
	Name    string
	Age     int
	Big     int64
	Born    time.Time
	Role    string `dynorm:",readonly"`
	Secret  string `dynorm:",hidden"`
	Tags    []string
	Updated time.Time `dynorm:"updatedAt,updated"`
}

func TestFill(t *testing.T) {
	s := open(t, Card{})
	profiles := dynorm.ModelOf[Card](s.db)
	p := &Card{ID: "1", Role: "user", Secret: "s"}
	require.NoError(t, profiles.Fill(p, map[string]any{"name": "Ann", "Age": int64(7), "tags": []any{"a"}}))
	require.NoError(t, profiles.FillJSON(p, []byte(`{"big": 9007199254740993, "born": "2026-03-04T05:06:07Z", "age": null}`)))
	want := &Card{ID: "1", Role: "user", Secret: "s", Name: "Ann", Tags: []string{"a"}, Big: 9007199254740993, Born: clock.Truncate(time.Second)}
	require.Equal(t, want, p)
	for _, bad := range []string{`{"role": "admin"}`, `{"secret": "x"}`, `{"id": "2"}`, `{"updatedAt": "2026-03-04T05:06:07Z"}`} {
		require.ErrorIs(t, profiles.FillJSON(p, []byte(bad)), dynorm.ErrInvalid, bad)
	}
	err := profiles.FillJSON(p, []byte(`{"name": "Bea", "role": "admin", "nmae": 1, "age": "x"}`))
	require.ErrorIs(t, err, dynorm.ErrInvalid)
	require.ErrorIs(t, err, dynorm.ErrUnknownField)
	require.ErrorIs(t, err, dynorm.ErrValue)
	for _, bad := range []string{`[1]`, `{} {}`, `{`} {
		require.ErrorIs(t, profiles.FillJSON(p, []byte(bad)), dynorm.ErrValue, bad)
	}
	require.Equal(t, want, p, "a refused fill changes nothing")
	r, err := profiles.Visible(p)
	require.NoError(t, err)
	require.NotContains(t, r, "secret")
	require.Equal(t, "Ann", r["name"])
	require.NotContains(t, r, "updatedAt")
}
