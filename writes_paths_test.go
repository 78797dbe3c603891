package dynorm_test

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/dynorm/dynorm"
)

// writeArgs is what a random write is made of. Each path takes what it needs.
type writeArgs struct {
	id      string
	to      string // where an item is moved
	l       ledger
	more    []ledger // for paths of many values, whose keys may be the same
	changes []dynorm.Change
	delta   int64
	// current says that values are given with the version that is stored.
	current bool
	where   dynorm.Predicate
}

// writer draws writes of one entity.
type writer[T any, P interface {
	*T
	written
}] struct {
	db   *dynorm.DB
	m    dynorm.Model[T]
	name dynorm.EntityModel // the same by its name
}

func writerOf[T any, P interface {
	*T
	written
}](db *dynorm.DB,
) writer[T, P] {
	name := reflect.TypeFor[T]().Name()
	return writer[T, P]{db, dynorm.ModelOf[T](db), db.Entity(name)}
}

// value makes a value of the fields, in the version that is stored or none.
func (w writer[T, P]) value(ctx context.Context, l ledger, current bool) *T {
	v := P(new(T))
	*v.common() = l
	v.settle()
	if version := v.version(); version != nil && current {
		if stored, err := w.stored(ctx, l.ID); err == nil {
			*version = *P(stored).version()
		}
	}
	return v
}

func (w writer[T, P]) values(ctx context.Context, a writeArgs) []*T {
	var values []*T
	for _, l := range a.more {
		values = append(values, w.value(ctx, l, a.current))
	}
	return values
}

func (w writer[T, P]) record(ctx context.Context, a writeArgs) (dynorm.Record, error) {
	return w.m.Visible(w.value(ctx, a.l, a.current))
}

// key is a value with the key of an item, or where that is enough its id.
func (w writer[T, P]) key(ctx context.Context, a writeArgs) any {
	if _, leaf := any(new(T)).(*Leaf); leaf || a.current {
		return w.value(ctx, ledger{ID: a.id}, a.current)
	}
	return a.id
}

func (w writer[T, P]) stored(ctx context.Context, id string) (*T, error) {
	q := w.m.Where(dynorm.Eq("id", id))
	switch any(new(T)).(type) {
	case *Folio, *Deed:
		q = q.WithTrashed()
	case *Leaf:
		q = q.Where(dynorm.Eq("shelf", shelfOf(id)))
	}
	return q.Consistent().First(ctx)
}

// edit is the function of an Edit or a Move.
func (w writer[T, P]) edit(a writeArgs, to string) func(*T) error {
	return func(v *T) error {
		if a.delta == 0 && to == a.id {
			return nil
		}
		l := P(v).common()
		tags := l.Tags
		if a.delta != 1 {
			*l = a.l
		}
		l.ID, l.Tags = to, append(tags, "edited")
		P(v).settle()
		return nil
	}
}

// editRecord is edit for an entity by its name.
func (w writer[T, P]) editRecord(ctx context.Context, a writeArgs, to string) func(dynorm.Record) error {
	return func(r dynorm.Record) error {
		if a.delta == 0 && to == a.id {
			return nil
		}
		l := a.l
		l.ID = to
		fields, err := w.m.Visible(w.value(ctx, l, false))
		for _, name := range []string{"id", "shelf", "owner", "status", "due", "points", "place", "team", "email", "tenant", "number", "tags"} {
			if v, ok := fields[name]; ok {
				r[name] = v
			} else {
				delete(r, name)
			}
		}
		return err
	}
}

// singles are the writes of their own, by the exported method.
func (w writer[T, P]) singles() map[string]func(context.Context, writeArgs) error {
	byName := func(write func(context.Context, dynorm.Record) error) func(context.Context, writeArgs) error {
		return func(ctx context.Context, a writeArgs) error {
			r, err := w.record(ctx, a)
			if err != nil {
				return err
			}
			return write(ctx, r)
		}
	}
	bulk := func(write func(context.Context, dynorm.Query[T], writeArgs) (*dynorm.Bulk[T], error)) func(context.Context, writeArgs) error {
		return func(ctx context.Context, a writeArgs) error {
			b, err := write(ctx, w.m.Where(a.where).AllowScan(), a)
			for _, f := range b.Failed {
				if !expected(f.Err) {
					return fmt.Errorf("unexpected: %w", f.Err)
				}
			}
			if err == nil && b.Changed == 0 {
				return errNothing
			}
			return err
		}
	}
	return map[string]func(context.Context, writeArgs) error{
		"Model.Create": func(ctx context.Context, a writeArgs) error { return w.m.Create(ctx, w.value(ctx, a.l, false)) },
		"Model.Put":    func(ctx context.Context, a writeArgs) error { return w.m.Put(ctx, w.value(ctx, a.l, a.current)) },
		"Model.Save":   func(ctx context.Context, a writeArgs) error { return w.m.Save(ctx, w.value(ctx, a.l, true)) },
		"Model.Update": func(ctx context.Context, a writeArgs) error {
			_, err := w.m.Update(ctx, w.key(ctx, a), a.changes...)
			return err
		},
		"Model.Edit": func(ctx context.Context, a writeArgs) error {
			_, err := w.m.Edit(ctx, w.key(ctx, a), w.edit(a, a.id))
			return err
		},
		"Model.Upsert": func(ctx context.Context, a writeArgs) error {
			_, err := w.m.Upsert(ctx, w.value(ctx, a.l, a.current))
			return err
		},
		"Model.FirstOrCreate": func(ctx context.Context, a writeArgs) error {
			_, created, err := w.m.FirstOrCreate(ctx, w.value(ctx, a.l, false))
			if err == nil && !created {
				return errNothing
			}
			return err
		},
		"Model.UpdateOrCreate": func(ctx context.Context, a writeArgs) error {
			_, _, err := w.m.UpdateOrCreate(ctx, w.value(ctx, a.l, false), a.changes...)
			return err
		},
		"Model.Increment": func(ctx context.Context, a writeArgs) error {
			_, err := w.m.Increment(ctx, w.key(ctx, a), "points", a.delta)
			return err
		},
		"Model.Touch": func(ctx context.Context, a writeArgs) error { return w.m.Touch(ctx, w.key(ctx, a)) },
		"Model.Move": func(ctx context.Context, a writeArgs) error {
			_, err := w.m.Move(ctx, w.key(ctx, a), w.edit(a, a.to))
			return err
		},
		"Model.Delete":      func(ctx context.Context, a writeArgs) error { return w.m.Delete(ctx, w.key(ctx, a)) },
		"Model.Restore":     func(ctx context.Context, a writeArgs) error { return w.m.Restore(ctx, w.key(ctx, a)) },
		"Model.ForceDelete": func(ctx context.Context, a writeArgs) error { return w.m.ForceDelete(ctx, w.key(ctx, a)) },

		"Model.CreateMany": func(ctx context.Context, a writeArgs) error {
			a.current = false
			return batchErr[T](w.m.CreateMany(ctx, w.values(ctx, a)...))
		},
		"Model.PutMany": func(ctx context.Context, a writeArgs) error {
			return batchErr[T](w.m.PutMany(ctx, w.values(ctx, a)...))
		},
		"Model.DeleteMany": func(ctx context.Context, a writeArgs) error {
			return batchErr[T](w.m.DeleteMany(ctx, w.values(ctx, a)...))
		},

		"Model.Replicate": func(ctx context.Context, a writeArgs) error {
			v, err := w.stored(ctx, a.id)
			if err != nil {
				return err
			}
			if v, err = w.m.Replicate(v); err != nil {
				return err
			}
			P(v).common().ID = a.l.ID + "r"
			P(v).settle()
			return w.m.Put(ctx, v)
		},
		"Model.Fill": func(ctx context.Context, a writeArgs) error {
			v, err := w.stored(ctx, a.id)
			if err == nil {
				err = w.m.Fill(v, map[string]any{"owner": a.l.Owner, "Points": a.l.Points, "team": nil, "email": a.l.Email})
			}
			if err != nil {
				return err
			}
			return w.m.Save(ctx, v)
		},
		"Model.FillJSON": func(ctx context.Context, a writeArgs) error {
			v, err := w.stored(ctx, a.id)
			if err == nil {
				err = w.m.FillJSON(v, []byte(fmt.Sprintf(`{"status":%q,"tenant":%q,"due":null}`, a.l.Status, a.l.Tenant)))
			}
			if err != nil {
				return err
			}
			return w.m.Save(ctx, v)
		},

		"Query.Update": bulk(func(ctx context.Context, q dynorm.Query[T], a writeArgs) (*dynorm.Bulk[T], error) {
			return q.Update(ctx, a.changes...)
		}),
		"Query.Delete": bulk(func(ctx context.Context, q dynorm.Query[T], _ writeArgs) (*dynorm.Bulk[T], error) {
			return q.Delete(ctx)
		}),
		"Query.Restore": bulk(func(ctx context.Context, q dynorm.Query[T], _ writeArgs) (*dynorm.Bulk[T], error) {
			return q.OnlyTrashed().Restore(ctx)
		}),
		"Query.ForceDelete": bulk(func(ctx context.Context, q dynorm.Query[T], a writeArgs) (*dynorm.Bulk[T], error) {
			if a.current {
				q = q.WithTrashed()
			}
			return q.ForceDelete(ctx)
		}),

		"EntityModel.Create": byName(w.name.Create), "EntityModel.Put": byName(w.name.Put), "EntityModel.Save": byName(w.name.Save),
		"EntityModel.Update": func(ctx context.Context, a writeArgs) error {
			_, err := w.name.Update(ctx, w.key(ctx, a), a.changes...)
			return err
		},
		"EntityModel.Edit": func(ctx context.Context, a writeArgs) error {
			_, err := w.name.Edit(ctx, w.key(ctx, a), w.editRecord(ctx, a, a.id))
			return err
		},
		"EntityModel.Move": func(ctx context.Context, a writeArgs) error {
			_, err := w.name.Move(ctx, w.key(ctx, a), w.editRecord(ctx, a, a.to))
			return err
		},
		"EntityModel.Upsert": byName(func(ctx context.Context, r dynorm.Record) error {
			_, err := w.name.Upsert(ctx, r)
			return err
		}),
		"EntityModel.Increment": func(ctx context.Context, a writeArgs) error {
			_, err := w.name.Increment(ctx, w.key(ctx, a), "points", a.delta)
			return err
		},
		"EntityModel.Touch":       func(ctx context.Context, a writeArgs) error { return w.name.Touch(ctx, w.key(ctx, a)) },
		"EntityModel.Delete":      func(ctx context.Context, a writeArgs) error { return w.name.Delete(ctx, w.key(ctx, a)) },
		"EntityModel.Restore":     func(ctx context.Context, a writeArgs) error { return w.name.Restore(ctx, w.key(ctx, a)) },
		"EntityModel.ForceDelete": func(ctx context.Context, a writeArgs) error { return w.name.ForceDelete(ctx, w.key(ctx, a)) },

		"DB.RepairAllUnique": func(ctx context.Context, _ writeArgs) error { return w.repair(ctx) },
	}
}

// repair looks for claims that contradict items, in a table that has none.
func (w writer[T, P]) repair(ctx context.Context) error {
	repaired, left, err := w.db.RepairAllUnique(ctx)
	if err == nil && repaired+len(left) > 0 {
		err = fmt.Errorf("unexpected: %d claims were wrong, and %v are", repaired, left)
	}
	if err == nil {
		err = errNothing
	}
	return err
}

// inTx are the writes that a transaction takes, or Chunked.
func (w writer[T, P]) inTx() map[string]func(context.Context, *dynorm.Tx, writeArgs) error {
	type add = func(context.Context, *dynorm.Tx, writeArgs) error
	byName := func(write func(context.Context, dynorm.TxEntity, dynorm.Record) error) add {
		return func(ctx context.Context, tx *dynorm.Tx, a writeArgs) error {
			r, err := w.record(ctx, a)
			if err != nil {
				return err
			}
			return write(ctx, w.name.In(tx), r)
		}
	}
	return map[string]add{
		"TxModel.Create": func(ctx context.Context, tx *dynorm.Tx, a writeArgs) error {
			return w.m.In(tx).Create(ctx, w.value(ctx, a.l, false))
		},
		"TxModel.Put": func(ctx context.Context, tx *dynorm.Tx, a writeArgs) error {
			return w.m.In(tx).Put(ctx, w.value(ctx, a.l, a.current))
		},
		"TxModel.Save": func(ctx context.Context, tx *dynorm.Tx, a writeArgs) error {
			return w.m.In(tx).Save(ctx, w.value(ctx, a.l, true))
		},
		"TxModel.Update": func(ctx context.Context, tx *dynorm.Tx, a writeArgs) error {
			return w.m.In(tx).Update(ctx, w.key(ctx, a), a.changes...)
		},
		"TxModel.Edit": func(ctx context.Context, tx *dynorm.Tx, a writeArgs) error {
			return w.m.In(tx).Edit(ctx, w.key(ctx, a), w.edit(a, a.id))
		},
		"TxModel.Upsert": func(ctx context.Context, tx *dynorm.Tx, a writeArgs) error {
			return w.m.In(tx).Upsert(ctx, w.value(ctx, a.l, a.current))
		},
		"TxModel.Increment": func(ctx context.Context, tx *dynorm.Tx, a writeArgs) error {
			return w.m.In(tx).Increment(ctx, w.key(ctx, a), "points", a.delta)
		},
		"TxModel.Touch": func(ctx context.Context, tx *dynorm.Tx, a writeArgs) error {
			return w.m.In(tx).Touch(ctx, w.key(ctx, a))
		},
		"TxModel.Move": func(ctx context.Context, tx *dynorm.Tx, a writeArgs) error {
			return w.m.In(tx).Move(ctx, w.key(ctx, a), w.edit(a, a.to))
		},
		"TxModel.Delete": func(ctx context.Context, tx *dynorm.Tx, a writeArgs) error {
			return w.m.In(tx).Delete(ctx, w.key(ctx, a))
		},
		"TxModel.Restore": func(ctx context.Context, tx *dynorm.Tx, a writeArgs) error {
			return w.m.In(tx).Restore(ctx, w.key(ctx, a))
		},
		"TxModel.ForceDelete": func(ctx context.Context, tx *dynorm.Tx, a writeArgs) error {
			return w.m.In(tx).ForceDelete(ctx, w.key(ctx, a))
		},
		"TxModel.Check": func(ctx context.Context, tx *dynorm.Tx, a writeArgs) error {
			return w.m.In(tx).Check(ctx, w.key(ctx, a), dynorm.Exists("id"))
		},

		"TxEntity.Create": byName(func(ctx context.Context, t dynorm.TxEntity, r dynorm.Record) error { return t.Create(ctx, r) }),
		"TxEntity.Put":    byName(func(ctx context.Context, t dynorm.TxEntity, r dynorm.Record) error { return t.Put(ctx, r) }),
		"TxEntity.Save":   byName(func(ctx context.Context, t dynorm.TxEntity, r dynorm.Record) error { return t.Save(ctx, r) }),
		"TxEntity.Update": func(ctx context.Context, tx *dynorm.Tx, a writeArgs) error {
			return w.name.In(tx).Update(ctx, w.key(ctx, a), a.changes...)
		},
		"TxEntity.Upsert": byName(func(ctx context.Context, t dynorm.TxEntity, r dynorm.Record) error { return t.Upsert(ctx, r) }),
		"TxEntity.Edit": func(ctx context.Context, tx *dynorm.Tx, a writeArgs) error {
			return w.name.In(tx).Edit(ctx, w.key(ctx, a), w.editRecord(ctx, a, a.id))
		},
		"TxEntity.Move": func(ctx context.Context, tx *dynorm.Tx, a writeArgs) error {
			return w.name.In(tx).Move(ctx, w.key(ctx, a), w.editRecord(ctx, a, a.to))
		},
		"TxEntity.Increment": func(ctx context.Context, tx *dynorm.Tx, a writeArgs) error {
			return w.name.In(tx).Increment(ctx, w.key(ctx, a), "points", a.delta)
		},
		"TxEntity.Touch": func(ctx context.Context, tx *dynorm.Tx, a writeArgs) error {
			return w.name.In(tx).Touch(ctx, w.key(ctx, a))
		},
		"TxEntity.Delete": func(ctx context.Context, tx *dynorm.Tx, a writeArgs) error {
			return w.name.In(tx).Delete(ctx, w.key(ctx, a))
		},
		"TxEntity.Restore": func(ctx context.Context, tx *dynorm.Tx, a writeArgs) error {
			return w.name.In(tx).Restore(ctx, w.key(ctx, a))
		},
		"TxEntity.ForceDelete": func(ctx context.Context, tx *dynorm.Tx, a writeArgs) error {
			return w.name.In(tx).ForceDelete(ctx, w.key(ctx, a))
		},
		"TxEntity.Check": func(ctx context.Context, tx *dynorm.Tx, a writeArgs) error {
			return w.name.In(tx).Check(ctx, w.key(ctx, a), dynorm.Exists("id"))
		},
	}
}

// drawnWrite is a write with its arguments. One of send and add is set.
type drawnWrite struct {
	path string
	send func(context.Context) error
	add  func(context.Context, *dynorm.Tx) error
}

func (w writer[T, P]) drawArgs(t *rapid.T, ids []string) writeArgs {
	a := writeArgs{id: rapid.SampledFrom(ids).Draw(t, "id"), delta: rapid.Int64Range(0, 3).Draw(t, "delta"), current: rapid.Bool().Draw(t, "current")}
	a.to = rapid.SampledFrom(append([]string{"7", "8", "9"}, ids...)).Draw(t, "to")
	a.l, a.changes = drawLedger(t, a.id), drawChanges(t)
	for range rapid.IntRange(1, 4).Draw(t, "many") {
		a.more = append(a.more, drawLedger(t, rapid.SampledFrom(ids).Draw(t, "other")))
	}
	a.where = rapid.SampledFrom([]dynorm.Predicate{
		dynorm.Eq("team", "x"), dynorm.Ne("status", "done"), dynorm.In("id", a.id, a.more[0].ID), dynorm.Ge("points", 2),
	}).Draw(t, "where")
	return a
}

func (w writer[T, P]) draw(t *rapid.T, ids []string, paths []string) drawnWrite {
	path, a := rapid.SampledFrom(paths).Draw(t, "path"), w.drawArgs(t, ids)
	run := w.singles()[path]
	return drawnWrite{path: path, send: func(ctx context.Context) error { return run(ctx, a) }}
}

func (w writer[T, P]) drawInTx(t *rapid.T, ids []string, paths []string) drawnWrite {
	path, a := rapid.SampledFrom(paths).Draw(t, "path"), w.drawArgs(t, ids)
	add := w.inTx()[path]
	return drawnWrite{path: path, add: func(ctx context.Context, tx *dynorm.Tx) error { return add(ctx, tx, a) }}
}

// drawer is a writer of any entity.
type drawer interface {
	draw(t *rapid.T, ids, paths []string) drawnWrite
	drawInTx(t *rapid.T, ids, paths []string) drawnWrite
}

func drawersOf(db *dynorm.DB) []drawer {
	return []drawer{writerOf[Ledger](db), writerOf[Folio](db), writerOf[Deed](db), writerOf[Leaf](db)}
}

// singlePaths and txPaths are the names of all paths, in order.
func singlePaths() []string { return sortedKeys(writer[Ledger, *Ledger]{}.singles()) }
func txPaths() []string     { return sortedKeys(writer[Ledger, *Ledger]{}.inTx()) }

func sortedKeys[V any](m map[string]V) []string {
	var keys []string
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

// errNothing is the outcome of a write that had nothing to do.
var errNothing = errors.New("nothing to do")

// errLeft is the outcome of a batch that left values unwritten.
var errLeft = errors.New("values left")

// batchErr makes an unexpected error of a batch that left something, or that
// refused a value for no good reason.
func batchErr[T any](err error) error {
	be, ok := errors.AsType[*dynorm.BatchError[T]](err)
	if !ok {
		return err
	}
	if len(be.Left) > 0 {
		return fmt.Errorf("unexpected: %d %w: %w", len(be.Left), errLeft, be.Err)
	}
	for _, f := range be.Failed {
		if !expected(f.Err) {
			return fmt.Errorf("unexpected: %w", f.Err)
		}
	}
	return err
}

// readsOnly are the exported methods that do I/O and write nothing.
var readsOnly = []string{
	"DB.CreateTable", "DB.FindMany", "DB.TransactGet", "DB.ScanUnique", "DB.Transact", "DB.Chunked", // the last two carry what TxModel and TxEntity add
	"DB.RepairUnique", // which RepairAllUnique goes by
	"Model.Find", "Model.FindBy", "Model.FindMany", "Model.Get", "Model.TransactGet",
	"EntityModel.Find", "EntityModel.FindMany", "EntityModel.TransactGet",
	"Query.All", "Query.Avg", "Query.Chunk", "Query.Count", "Query.Exists", "Query.First", "Query.ForEach", "Query.GroupCount",
	"Query.List", "Query.Max", "Query.Min", "Query.One", "Query.Page", "Query.Pages", "Query.Pluck", "Query.Sum",
}

// No exported write is forgotten: every method that does I/O is on a path, or
// among the reads.
func TestWritePathsAreComplete(t *testing.T) {
	known := map[string]bool{"Model.Replicate": false, "Model.Fill": false, "Model.FillJSON": false} // they send nothing themselves
	for _, name := range slices.Concat(singlePaths(), txPaths(), readsOnly) {
		if _, aside := known[name]; !aside {
			known[name] = true
		}
	}
	exists := map[string]bool{}
	ctx := reflect.TypeFor[context.Context]()
	for _, typ := range []reflect.Type{
		reflect.TypeFor[*dynorm.DB](), reflect.TypeFor[dynorm.Model[Ledger]](), reflect.TypeFor[dynorm.Query[Ledger]](),
		reflect.TypeFor[dynorm.EntityModel](), reflect.TypeFor[dynorm.TxModel[Ledger]](), reflect.TypeFor[dynorm.TxEntity](),
	} {
		name := typ.String()
		name, _, _ = strings.Cut(name[strings.Index(name, ".")+1:], "[")
		for i := range typ.NumMethod() {
			if m := typ.Method(i); m.Type.NumIn() > 1 && m.Type.In(1) == ctx {
				exists[name+"."+m.Name] = true
				require.True(t, known[name+"."+m.Name], "%s.%s is neither a path nor among the reads", name, m.Name)
			}
		}
	}
	for name, is := range known {
		require.True(t, !is || exists[name], "%s does not exist", name)
	}
}
