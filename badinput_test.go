package dynorm_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/dynorm/dynorm"
)

// parcel has a field for each way in which a value can be bad.
type parcel struct {
	ID    string
	Owner string
	Mark  string `dynorm:",readonly"`
	Name  string
	Value float64
	Exact json.Number
	Tags  []string `dynorm:",set"`
	Lines []string
	Meta  map[string]string
	Data  []byte
	Place struct{ City, Street string }
}

// Parcel is written by plain batches, Crate by transactions.
type Parcel struct {
	_ dynorm.Key `pk:"OWNER#{Owner}" sk:"PARCEL#{ID}"`
	parcel
}

type Crate struct {
	_ dynorm.Entity `dynorm:"Crate,softdelete,timestamps"`
	_ dynorm.Key    `pk:"OWNER#{Owner}" sk:"CRATE#{ID}"`
	parcel
	Code    string `dynorm:",unique"`
	Version int64  `dynorm:"_v,version"`
}

// calls are the calls of the API that take a bad thing, by name.
type calls map[string]func(ctx context.Context) error

// and returns the calls of both.
func (c calls) and(more calls) calls {
	c = maps.Clone(c)
	maps.Copy(c, more)
	return c
}

// under puts a name before those of the calls.
func (c calls) under(name string) calls {
	named := calls{}
	for call, fn := range c {
		named[name+": "+call] = fn
	}
	return named
}

func drop2[A any](_ A, err error) error         { return err }
func drop3[A, B any](_ A, _ B, err error) error { return err }

// inTx is a call in a transaction.
func inTx(db *dynorm.DB, add func(ctx context.Context, tx *dynorm.Tx) error) func(context.Context) error {
	return func(ctx context.Context) error {
		return db.Transact(ctx, func(tx *dynorm.Tx) error { return add(ctx, tx) })
	}
}

// ofValue are the calls that write a value.
func ofValue[T any](db *dynorm.DB, v *T) calls {
	m := dynorm.ModelOf[T](db)
	return calls{
		"Create":     func(ctx context.Context) error { return m.Create(ctx, v) },
		"Put":        func(ctx context.Context) error { return m.Put(ctx, v) },
		"Save":       func(ctx context.Context) error { return m.Save(ctx, v) },
		"Upsert":     func(ctx context.Context) error { return drop2(m.Upsert(ctx, v)) },
		"CreateMany": func(ctx context.Context) error { return m.CreateMany(ctx, v) },
		"PutMany":    func(ctx context.Context) error { return m.PutMany(ctx, v) },
		"tx Create":  inTx(db, func(ctx context.Context, tx *dynorm.Tx) error { return m.In(tx).Create(ctx, v) }),
		"tx Put":     inTx(db, func(ctx context.Context, tx *dynorm.Tx) error { return m.In(tx).Put(ctx, v) }),
		"tx Save":    inTx(db, func(ctx context.Context, tx *dynorm.Tx) error { return m.In(tx).Save(ctx, v) }),
		"Chunked Create": func(ctx context.Context) error {
			return db.Chunked(ctx, func(tx *dynorm.Tx) error { return m.In(tx).Create(ctx, v) })
		},
		"FirstOrCreate": func(ctx context.Context) error { return drop3(m.FirstOrCreate(ctx, v)) },
		"tx Upsert":     inTx(db, func(ctx context.Context, tx *dynorm.Tx) error { return m.In(tx).Upsert(ctx, v) }),
	}
}

// ofKey are the calls that go by a key.
func ofKey[T any](db *dynorm.DB, key any) calls {
	m := dynorm.ModelOf[T](db)
	same := func(*T) error { return nil }
	return calls{
		"Find":        func(ctx context.Context) error { return drop2(m.Find(ctx, key)) },
		"FindMany":    func(ctx context.Context) error { return drop2(m.FindMany(ctx, key)) },
		"TransactGet": func(ctx context.Context) error { return drop2(m.TransactGet(ctx, key)) },
		"Update":      func(ctx context.Context) error { return drop2(m.Update(ctx, key, dynorm.Set("name", "x"))) },
		"Increment":   func(ctx context.Context) error { return drop2(m.Increment(ctx, key, "value", 1)) },
		"Edit":        func(ctx context.Context) error { return drop2(m.Edit(ctx, key, same)) },
		"Move":        func(ctx context.Context) error { return drop2(m.Move(ctx, key, same)) },
		"Delete":      func(ctx context.Context) error { return m.Delete(ctx, key) },
		"ForceDelete": func(ctx context.Context) error { return m.ForceDelete(ctx, key) },
		"tx Update": inTx(db, func(ctx context.Context, tx *dynorm.Tx) error {
			return m.In(tx).Update(ctx, key, dynorm.Set("name", "x"))
		}),
		"tx Edit":   inTx(db, func(ctx context.Context, tx *dynorm.Tx) error { return m.In(tx).Edit(ctx, key, same) }),
		"tx Move":   inTx(db, func(ctx context.Context, tx *dynorm.Tx) error { return m.In(tx).Move(ctx, key, same) }),
		"tx Delete": inTx(db, func(ctx context.Context, tx *dynorm.Tx) error { return m.In(tx).Delete(ctx, key) }),
		"tx Increment": inTx(db, func(ctx context.Context, tx *dynorm.Tx) error {
			return m.In(tx).Increment(ctx, key, "value", 1)
		}),
		"tx ForceDelete": inTx(db, func(ctx context.Context, tx *dynorm.Tx) error { return m.In(tx).ForceDelete(ctx, key) }),
		"tx Check": inTx(db, func(ctx context.Context, tx *dynorm.Tx) error {
			return m.In(tx).Check(ctx, key, dynorm.Exists("name"))
		}),
	}
}

// ofChanges are the calls that take changes.
func ofChanges[T any](db *dynorm.DB, key *T, changes ...dynorm.Change) calls {
	m := dynorm.ModelOf[T](db)
	return calls{
		"Update":         func(ctx context.Context) error { return drop2(m.Update(ctx, key, changes...)) },
		"UpdateOrCreate": func(ctx context.Context) error { return drop3(m.UpdateOrCreate(ctx, key, changes...)) },
		"tx Update":      inTx(db, func(ctx context.Context, tx *dynorm.Tx) error { return m.In(tx).Update(ctx, key, changes...) }),
		"over a query": func(ctx context.Context) error {
			return drop2(m.Where(dynorm.Eq("owner", "o")).Update(ctx, changes...))
		},
	}
}

// everywhere are the calls of every kind, of a model whose type is T.
func everywhere[T any](db *dynorm.DB, v *T) calls {
	m := dynorm.ModelOf[T](db)
	return ofValue(db, v).and(ofKey[T](db, "1")).and(ofChanges(db, v, dynorm.Set("name", "x"))).and(calls{
		"Get":        func(ctx context.Context) error { return drop2(m.Get(ctx, *v)) },
		"FindBy":     func(ctx context.Context) error { return drop2(m.FindBy(ctx, "code", "x")) },
		"DeleteMany": func(ctx context.Context) error { return m.DeleteMany(ctx, v) },
		"Restore":    func(ctx context.Context) error { return m.Restore(ctx, "1") },
		"Touch":      func(ctx context.Context) error { return m.Touch(ctx, "1") },
		"tx Touch":   inTx(db, func(ctx context.Context, tx *dynorm.Tx) error { return m.In(tx).Touch(ctx, "1") }),
		"tx Restore": inTx(db, func(ctx context.Context, tx *dynorm.Tx) error { return m.In(tx).Restore(ctx, "1") }),
		"List":       func(ctx context.Context) error { return drop2(m.Query().List(ctx)) },
		"Count":      func(ctx context.Context) error { return drop2(m.Query().Count(ctx)) },
		"All": func(ctx context.Context) error {
			for _, err := range m.Query().All(ctx) {
				return err
			}
			return nil
		},
		"delete over a query": func(ctx context.Context) error { return drop2(m.Query().Delete(ctx)) },
		"Replicate":           func(context.Context) error { return drop2(m.Replicate(v)) },
		"Fill":                func(context.Context) error { return m.Fill(v, map[string]any{"name": "x"}) },
		"FillJSON":            func(context.Context) error { return m.FillJSON(v, []byte(`{}`)) },
		"Visible":             func(context.Context) error { return drop2(m.Visible(v)) },
	})
}

// byName are the calls of every kind of an entity by name, the record as the
// value and as the key.
func byName(m dynorm.EntityModel, db *dynorm.DB, r dynorm.Record) calls {
	same := func(dynorm.Record) error { return nil }
	return calls{
		"Create":      func(ctx context.Context) error { return m.Create(ctx, r) },
		"Put":         func(ctx context.Context) error { return m.Put(ctx, r) },
		"Save":        func(ctx context.Context) error { return m.Save(ctx, r) },
		"Upsert":      func(ctx context.Context) error { return drop2(m.Upsert(ctx, r)) },
		"Increment":   func(ctx context.Context) error { return drop2(m.Increment(ctx, r, "value", 1)) },
		"Find":        func(ctx context.Context) error { return drop2(m.Find(ctx, r)) },
		"FindMany":    func(ctx context.Context) error { return drop2(m.FindMany(ctx, r)) },
		"TransactGet": func(ctx context.Context) error { return drop2(m.TransactGet(ctx, r)) },
		"Update":      func(ctx context.Context) error { return drop2(m.Update(ctx, r, dynorm.Set("name", "x"))) },
		"Edit":        func(ctx context.Context) error { return drop2(m.Edit(ctx, r, same)) },
		"Move":        func(ctx context.Context) error { return drop2(m.Move(ctx, r, same)) },
		"Delete":      func(ctx context.Context) error { return m.Delete(ctx, r) },
		"ForceDelete": func(ctx context.Context) error { return m.ForceDelete(ctx, r) },
		"tx Create":   inTx(db, func(ctx context.Context, tx *dynorm.Tx) error { return m.In(tx).Create(ctx, r) }),
		"tx Put":      inTx(db, func(ctx context.Context, tx *dynorm.Tx) error { return m.In(tx).Put(ctx, r) }),
		"tx Save":     inTx(db, func(ctx context.Context, tx *dynorm.Tx) error { return m.In(tx).Save(ctx, r) }),
		"tx Upsert":   inTx(db, func(ctx context.Context, tx *dynorm.Tx) error { return m.In(tx).Upsert(ctx, r) }),
		"tx Update": inTx(db, func(ctx context.Context, tx *dynorm.Tx) error {
			return m.In(tx).Update(ctx, r, dynorm.Set("name", "x"))
		}),
		"tx Edit": inTx(db, func(ctx context.Context, tx *dynorm.Tx) error { return m.In(tx).Edit(ctx, r, same) }),
		"tx Move": inTx(db, func(ctx context.Context, tx *dynorm.Tx) error { return m.In(tx).Move(ctx, r, same) }),
		"tx Increment": inTx(db, func(ctx context.Context, tx *dynorm.Tx) error {
			return m.In(tx).Increment(ctx, r, "value", 1)
		}),
		"tx Delete":      inTx(db, func(ctx context.Context, tx *dynorm.Tx) error { return m.In(tx).Delete(ctx, r) }),
		"tx ForceDelete": inTx(db, func(ctx context.Context, tx *dynorm.Tx) error { return m.In(tx).ForceDelete(ctx, r) }),
		"tx Check": inTx(db, func(ctx context.Context, tx *dynorm.Tx) error {
			return m.In(tx).Check(ctx, r, dynorm.Exists("name"))
		}),
	}
}

// both are calls on a Parcel and on a Crate.
func both(parcel, crate calls) calls { return parcel.under("Parcel").and(crate.under("Crate")) }

// Bad input is a typed error that says what is wrong with what, before any
// request, on every path that takes it.
func TestBadInputOnEveryPath(t *testing.T) {
	s := open(t, Parcel{}, Crate{})
	db := s.db
	good := func() parcel { return parcel{ID: "1", Owner: "o", Mark: "m"} }
	// values are the calls that write a parcel with something bad.
	values := func(change func(p *parcel)) calls {
		p, c := &Parcel{parcel: good()}, &Crate{parcel: good(), Code: "x"}
		change(&p.parcel)
		change(&c.parcel)
		return both(ofValue(db, p), ofValue(db, c))
	}
	keys := func(key parcel) calls {
		return both(ofKey[Parcel](db, Parcel{parcel: key}), ofKey[Crate](db, &Crate{parcel: key}))
	}
	changes := func(list ...dynorm.Change) calls {
		return both(ofChanges(db, &Parcel{parcel: good()}, list...), ofChanges(db, &Crate{parcel: good()}, list...))
	}
	mark := func(change func(r dynorm.Record)) calls {
		r := dynorm.Record{"id": "1", "owner": "o"}
		change(r)
		return byName(db.Entity("Crate"), db, r).under("by name")
	}
	big := strings.Repeat("x", 400*1024+1)
	const invalid = "a\xffb"
	digits := json.Number(strings.Repeat("9", 39))
	tests := []struct {
		name  string
		want  error
		texts []string // parts of each message
		calls calls
	}{
		{"a nil value", dynorm.ErrInvalid, []string{"nil"}, func() calls {
			crates := dynorm.ModelOf[Crate](db)
			list := ofValue[Parcel](db, nil).and(calls{
				"UpdateOrCreate": func(ctx context.Context) error {
					return drop3(crates.UpdateOrCreate(ctx, nil, dynorm.Set("name", "x")))
				},
				"a nil among others": func(ctx context.Context) error {
					return crates.PutMany(ctx, &Crate{parcel: good()}, nil)
				},
				"DeleteMany":  func(ctx context.Context) error { return crates.DeleteMany(ctx, nil, &Crate{parcel: good()}) },
				"Replicate":   func(context.Context) error { return drop2(crates.Replicate(nil)) },
				"Edit":        func(ctx context.Context) error { return drop2(crates.Edit(ctx, Crate{parcel: good()}, nil)) },
				"Move":        func(ctx context.Context) error { return drop2(crates.Move(ctx, Crate{parcel: good()}, nil)) },
				"Transact":    func(ctx context.Context) error { return db.Transact(ctx, nil) },
				"Chunked":     func(ctx context.Context) error { return db.Chunked(ctx, nil) },
				"Tx":          func(ctx context.Context) error { return crates.In(nil).Create(ctx, &Crate{parcel: good()}) },
				"FindMany":    func(ctx context.Context) error { return drop2(db.FindMany(ctx, (*Parcel)(nil))) },
				"TransactGet": func(ctx context.Context) error { return drop2(db.TransactGet(ctx, &Crate{parcel: good()}, nil)) },
				"Record":      func(ctx context.Context) error { return db.Entity("Crate").Create(ctx, nil) },
				"Record edit": func(ctx context.Context) error {
					return drop2(db.Entity("Crate").Edit(ctx, dynorm.Record{"id": "1", "owner": "o"}, nil))
				},
				"Record move": func(ctx context.Context) error {
					return drop2(db.Entity("Crate").Move(ctx, dynorm.Record{"id": "1", "owner": "o"}, nil))
				},
				"tx Record": inTx(db, func(ctx context.Context, tx *dynorm.Tx) error { return db.Entity("Crate").In(tx).Upsert(ctx, nil) }),
				"Retry":     func(ctx context.Context) error { return dynorm.Retry(ctx, 1, nil) },
				"no key at all": inTx(db, func(ctx context.Context, tx *dynorm.Tx) error {
					return crates.In(tx).Move(ctx, Crate{parcel: good()}, nil)
				}),
			})
			return list
		}()},
		{"a nil key", dynorm.ErrMissingKey, []string{"nil"}, both(ofKey[Parcel](db, nil), ofKey[Crate](db, nil))},
		{"a type that is not in the schema", dynorm.ErrUnregistered, []string{"Stranger", "NewSchema"}, everywhere(db, &Stranger{ID: "1"}).and(calls{
			"DB.FindMany":    func(ctx context.Context) error { return drop2(db.FindMany(ctx, &Stranger{ID: "1"})) },
			"DB.TransactGet": func(ctx context.Context) error { return drop2(db.TransactGet(ctx, &Stranger{ID: "1"})) },
		})},
		{"an entity that is not in the schema", dynorm.ErrUnregistered, []string{"Crato", "did you mean Crate"}, byName(db.Entity("Crato"), db, dynorm.Record{"id": "1"})},
		{"a missing key field", dynorm.ErrMissingKey, []string{"Owner"}, values(func(p *parcel) { p.Owner = "" }).
			and(keys(parcel{ID: "1"})).and(mark(func(r dynorm.Record) { delete(r, "owner") }))},
		{"a missing primary key", dynorm.ErrMissingKey, []string{"ID"}, values(func(p *parcel) { p.ID = "" }).
			and(keys(parcel{Owner: "o"})).and(mark(func(r dynorm.Record) { r["id"] = "" }))},
		{"a key of too many bytes", dynorm.ErrTooLarge, []string{"2048"}, values(func(p *parcel) { p.Owner = strings.Repeat("o", 2048) }).
			and(keys(parcel{ID: "1", Owner: strings.Repeat("o", 2048)}))},
		{"a sort key of too many bytes", dynorm.ErrTooLarge, []string{"1024"}, values(func(p *parcel) { p.ID = strings.Repeat("i", 1024) }).
			and(keys(parcel{ID: strings.Repeat("i", 1024), Owner: "o"}))},
		{"a key that is no UTF-8", dynorm.ErrValue, []string{"UTF-8"}, values(func(p *parcel) { p.ID = invalid }).
			and(keys(parcel{ID: invalid, Owner: "o"})).and(mark(func(r dynorm.Record) { r["id"] = invalid }))},
		{"an id where the key has more parts", dynorm.ErrMissingKey, []string{"Owner", "whole key"}, both(ofKey[Parcel](db, 5), ofKey[Crate](db, 5))},
		{"a changed base key", dynorm.ErrImmutable, []string{"Owner", "base key"}, changes(dynorm.Set("owner", "x")).
			and(changes(dynorm.Remove("Owner")).under("removed")).and(changes(dynorm.SetIfAbsent("owner", "x")).under("if absent"))},
		{"a readonly field", dynorm.ErrInvalid, []string{"Mark", "readonly"}, changes(dynorm.Set("mark", "x")).
			and(changes(dynorm.Remove("mark")).under("removed"))},
		{"the version", dynorm.ErrInvalid, []string{"Version", "version"}, ofChanges(db, &Crate{parcel: good()}, dynorm.Add("_v", 1))},
		{"no changes", dynorm.ErrInvalid, []string{"no changes"}, changes().and(changes(dynorm.If(dynorm.Exists("name")), dynorm.NoRead()).under("a condition alone"))},
		{"a zero change", dynorm.ErrInvalid, []string{"zero Change"}, changes(dynorm.Change{})},
		{"an unknown field", dynorm.ErrUnknownField, []string{"did you mean Name?"}, changes(dynorm.Set("nmae", "x")).
			and(changes(dynorm.Set("name", "x"), dynorm.If(dynorm.Eq("nmae", "x"))).under("in a condition"))},
		{"a path and what is in it", dynorm.ErrInvalid, []string{"Place", "overlap"}, changes(dynorm.Set("place.city", "x"), dynorm.Remove("place"))},
		{"two actions on one field", dynorm.ErrInvalid, []string{"Name", "overlap"}, changes(dynorm.Set("name", "x"), dynorm.Remove("Name"))},
		{"two elements of one list", dynorm.ErrInvalid, []string{"Lines", "overlap"}, changes(dynorm.Set("lines[0]", "x"), dynorm.Append("lines", "y"))},
		{"no elements", dynorm.ErrValue, []string{"Tags", "no elements"}, changes(dynorm.AddToSet("tags")).and(changes(dynorm.DeleteFromSet("tags")).under("deleted"))},
		{"an add to a text", dynorm.ErrValue, []string{"Name"}, changes(dynorm.Add("name", "x"))},
		{"an empty set as an element", dynorm.ErrValue, []string{"Tags"}, changes(dynorm.AddToSet("tags", []string{}))},
		{"NaN", dynorm.ErrValue, []string{"Value"}, values(func(p *parcel) { p.Value = math.NaN() }).
			and(changes(dynorm.Set("value", math.NaN()))).and(changes(dynorm.Set("name", "x"), dynorm.If(dynorm.Eq("value", math.NaN()))).under("in a condition"))},
		{"an infinity", dynorm.ErrValue, []string{"Value"}, values(func(p *parcel) { p.Value = math.Inf(-1) }).
			and(changes(dynorm.Add("value", math.Inf(1)))).and(changes(dynorm.SetIfAbsent("value", math.Inf(1))).under("if absent"))},
		{"39 digits", dynorm.ErrValue, []string{"Exact", "38"}, values(func(p *parcel) { p.Exact = digits }).and(changes(dynorm.Set("exact", digits)))},
		{"a number out of range", dynorm.ErrValue, []string{"Exact"}, values(func(p *parcel) { p.Exact = "1e126" }).and(changes(dynorm.Add("exact", json.Number("1e126"))))},
		{"a text that is no UTF-8", dynorm.ErrValue, []string{"Name", "UTF-8"}, values(func(p *parcel) { p.Name = invalid }).
			and(changes(dynorm.Set("name", invalid))).and(changes(dynorm.Set("value", 1), dynorm.If(dynorm.Eq("name", invalid))).under("in a condition"))},
		{"an element that is no UTF-8", dynorm.ErrValue, []string{"Tags", "UTF-8"}, values(func(p *parcel) { p.Tags = []string{invalid} }).
			and(changes(dynorm.AddToSet("tags", invalid)))},
		{"a name in a map that is no UTF-8", dynorm.ErrValue, []string{"Meta", "UTF-8"}, values(func(p *parcel) { p.Meta = map[string]string{invalid: "x"} }).
			and(changes(dynorm.Set("meta", map[string]string{invalid: "x"})))},
		{"an item of too many bytes", dynorm.ErrTooLarge, []string{"bytes, over the limit of 409600"}, values(func(p *parcel) { p.Name = big }).
			and(changes(dynorm.Set("name", big))).and(changes(dynorm.Append("lines", big[1:], "x")).under("appended"))},
		{"a nil context", dynorm.ErrInvalid, []string{"context is nil"}, func() calls {
			v := &Crate{parcel: good(), Code: "x"}
			m := dynorm.ModelOf[Crate](db)
			list := ofValue(db, v).and(ofKey[Crate](db, v)).and(ofChanges(db, v, dynorm.Set("name", "x"))).
				and(byName(db.Entity("Crate"), db, dynorm.Record{"id": "1", "owner": "o"}).under("by name")).
				and(calls{
					"DB.FindMany":     func(ctx context.Context) error { return drop2(db.FindMany(ctx, v)) },
					"DB.TransactGet":  func(ctx context.Context) error { return drop2(db.TransactGet(ctx, v)) },
					"FindBy":          func(ctx context.Context) error { return drop2(m.FindBy(ctx, "code", "x")) },
					"DeleteMany":      func(ctx context.Context) error { return m.DeleteMany(ctx, v) },
					"List":            func(ctx context.Context) error { return drop2(m.Where(dynorm.Eq("owner", "o")).List(ctx)) },
					"RepairAllUnique": func(ctx context.Context) error { return drop3(db.RepairAllUnique(ctx)) },
					"CreateTable":     db.CreateTable,
				})
			for name, call := range list {
				list[name] = func(context.Context) error { return call(nil) }
			}
			return list
		}()},
		{"a zero Model", dynorm.ErrInvalid, []string{"zero", "ModelOf"}, func() calls {
			var m dynorm.Model[Crate]
			v := &Crate{parcel: good()}
			return calls{
				"Create":        func(ctx context.Context) error { return m.Create(ctx, v) },
				"PutMany":       func(ctx context.Context) error { return m.PutMany(ctx, v) },
				"Update":        func(ctx context.Context) error { return drop2(m.Update(ctx, v, dynorm.Set("name", "x"))) },
				"Edit":          func(ctx context.Context) error { return drop2(m.Edit(ctx, v, func(*Crate) error { return nil })) },
				"Delete":        func(ctx context.Context) error { return m.Delete(ctx, v) },
				"Find":          func(ctx context.Context) error { return drop2(m.Find(ctx, "1")) },
				"FindMany":      func(ctx context.Context) error { return drop2(m.FindMany(ctx, "1")) },
				"TransactGet":   func(ctx context.Context) error { return drop2(m.TransactGet(ctx, "1")) },
				"Touch":         func(ctx context.Context) error { return m.Touch(ctx, v) },
				"FirstOrCreate": func(ctx context.Context) error { return drop3(m.FirstOrCreate(ctx, v)) },
				"List":          func(ctx context.Context) error { return drop2(m.Where(dynorm.Eq("name", "x")).List(ctx)) },
				"tx Create":     inTx(db, func(ctx context.Context, tx *dynorm.Tx) error { return m.In(tx).Create(ctx, v) }),
				"Replicate":     func(context.Context) error { return drop2(m.Replicate(v)) },
			}
		}()},
		{"a nil or zero DB", dynorm.ErrInvalid, []string{"nil or zero", "Open"}, func() calls {
			all := calls{}
			for name, none := range map[string]*dynorm.DB{"nil": nil, "zero": {}} {
				m, v := dynorm.ModelOf[Crate](none), &Crate{parcel: good()}
				all = all.and(calls{
					"Create":          func(ctx context.Context) error { return m.Create(ctx, v) },
					"Find":            func(ctx context.Context) error { return drop2(m.Find(ctx, "1")) },
					"List":            func(ctx context.Context) error { return drop2(m.Query().List(ctx)) },
					"Entity":          func(ctx context.Context) error { return none.Entity("Crate").Create(ctx, dynorm.Record{"id": "1"}) },
					"Register":        func(context.Context) error { return drop2(none.Register(Stranger{})) },
					"Transact":        func(ctx context.Context) error { return none.Transact(ctx, func(*dynorm.Tx) error { return nil }) },
					"Chunked":         func(ctx context.Context) error { return none.Chunked(ctx, func(*dynorm.Tx) error { return nil }) },
					"FindMany":        func(ctx context.Context) error { return drop2(none.FindMany(ctx, v)) },
					"TransactGet":     func(ctx context.Context) error { return drop2(none.TransactGet(ctx, v)) },
					"RepairUnique":    func(ctx context.Context) error { return drop2(none.RepairUnique(ctx, dynorm.UniqueFault{})) },
					"RepairAllUnique": func(ctx context.Context) error { return drop3(none.RepairAllUnique(ctx)) },
					"CreateTable":     none.CreateTable,
				}.under(name))
			}
			return all
		}()},
		{"a zero EntityModel", dynorm.ErrInvalid, []string{"zero", "Entity"}, byName(dynorm.EntityModel{}, db, dynorm.Record{"id": "1"})},
		{"101 actions", dynorm.ErrTooLarge, []string{"101", "100"}, calls{
			"writes": inTx(db, func(ctx context.Context, tx *dynorm.Tx) error {
				for i := range 101 {
					if err := dynorm.ModelOf[Parcel](db).In(tx).Create(ctx, &Parcel{parcel: parcel{ID: fmt.Sprint(i), Owner: "o"}}); err != nil {
						return err
					}
				}
				return nil
			}),
			"keys": func(ctx context.Context) error {
				list := make([]any, 101)
				for i := range list {
					list[i] = Parcel{parcel: parcel{ID: fmt.Sprint(i), Owner: "o"}}
				}
				return drop2(dynorm.ModelOf[Parcel](db).TransactGet(ctx, list...))
			},
			"keys of several entities": func(ctx context.Context) error {
				list := make([]any, 101)
				for i := range list {
					list[i] = &Parcel{parcel: parcel{ID: fmt.Sprint(i), Owner: "o"}}
				}
				return drop2(db.TransactGet(ctx, list...))
			},
		}},
		{"over 4 MB", dynorm.ErrTooLarge, []string{"4194304"}, calls{
			"writes": inTx(db, func(ctx context.Context, tx *dynorm.Tx) error {
				for i := range 11 {
					if err := dynorm.ModelOf[Parcel](db).In(tx).Create(ctx, &Parcel{parcel: parcel{ID: fmt.Sprint(i), Owner: "o", Data: make([]byte, 390_000)}}); err != nil {
						return err
					}
				}
				return nil
			}),
		}},
		{"two actions on one item", dynorm.ErrInvalid, []string{"same item"}, calls{
			"writes": inTx(db, func(ctx context.Context, tx *dynorm.Tx) error {
				m := dynorm.ModelOf[Parcel](db).In(tx)
				return errors.Join(m.Create(ctx, &Parcel{parcel: good()}), m.Delete(ctx, Parcel{parcel: good()}))
			}),
			"a write and a check": inTx(db, func(ctx context.Context, tx *dynorm.Tx) error {
				m := dynorm.ModelOf[Parcel](db).In(tx)
				return errors.Join(m.Put(ctx, &Parcel{parcel: good()}), m.Check(ctx, Parcel{parcel: good()}, dynorm.Exists("name")))
			}),
			"a value and a record": inTx(db, func(ctx context.Context, tx *dynorm.Tx) error {
				return errors.Join(dynorm.ModelOf[Parcel](db).In(tx).Put(ctx, &Parcel{parcel: good()}),
					db.Entity("Parcel").In(tx).Put(ctx, dynorm.Record{"id": "1", "owner": "o"}))
			}),
			"one unique value": inTx(db, func(ctx context.Context, tx *dynorm.Tx) error {
				m := dynorm.ModelOf[Crate](db).In(tx)
				return errors.Join(m.Create(ctx, &Crate{parcel: parcel{ID: "1", Owner: "o"}, Code: "x"}), m.Create(ctx, &Crate{parcel: parcel{ID: "2", Owner: "o"}, Code: "x"}))
			}),
		}},
		{"a token", dynorm.ErrInvalid, []string{"token"}, calls{
			"too long": inTx(db, func(ctx context.Context, tx *dynorm.Tx) error {
				tx.Token(strings.Repeat("t", 37))
				return dynorm.ModelOf[Parcel](db).In(tx).Create(ctx, &Parcel{parcel: good()})
			}),
			"of several requests": func(ctx context.Context) error {
				return db.Chunked(ctx, func(tx *dynorm.Tx) error { tx.Token("t"); return nil })
			},
		}},
		{"writes to skip", dynorm.ErrInvalid, []string{"Skip"}, calls{
			"of a transaction": inTx(db, func(ctx context.Context, tx *dynorm.Tx) error {
				tx.Skip(1)
				m := dynorm.ModelOf[Parcel](db).In(tx)
				return errors.Join(m.Create(ctx, &Parcel{parcel: good()}), m.Create(ctx, &Parcel{parcel: parcel{ID: "2", Owner: "o"}}))
			}),
			"fewer than none": func(ctx context.Context) error {
				return db.Chunked(ctx, func(tx *dynorm.Tx) error { tx.Skip(-1); return nil })
			},
			"more than there are": func(ctx context.Context) error {
				return db.Chunked(ctx, func(tx *dynorm.Tx) error {
					tx.Skip(2)
					return dynorm.ModelOf[Parcel](db).In(tx).Create(ctx, &Parcel{parcel: good()})
				})
			},
		}},
		{"a model of another DB", dynorm.ErrInvalid, []string{"different DBs"}, calls{
			"typed": inTx(s.reopen(t, dynorm.Config{}), func(ctx context.Context, tx *dynorm.Tx) error {
				return dynorm.ModelOf[Parcel](db).In(tx).Create(ctx, &Parcel{parcel: good()})
			}),
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			for _, name := range slices.Sorted(maps.Keys(tt.calls)) {
				s.kinds()
				err := tt.calls[name](t.Context())
				require.ErrorIs(t, err, tt.want, name)
				for _, text := range tt.texts {
					require.ErrorContains(t, err, text, name)
				}
				require.NotContains(t, err.Error(), invalid, "%s: values never appear", name)
				if name != "Retry" {
					oe, ok := errors.AsType[*dynorm.Error](err)
					require.True(t, ok, "%s: %v", name, err)
					require.NotEmpty(t, oe.Op, name)
				}
				require.Empty(t, s.kinds(), "%s: no request may be sent", name)
			}
		})
	}

	// How large an update makes an item is known once the item is: to the call
	// where it reads the item, or to DynamoDB.
	t.Run("grown too large", func(t *testing.T) {
		half := strings.Repeat("x", 200*1024)
		require.NoError(t, dynorm.ModelOf[Parcel](db).Put(t.Context(), &Parcel{parcel: parcel{ID: "large", Owner: "o", Lines: []string{half}}}))
		large := parcel{ID: "large", Owner: "o"}
		m := dynorm.ModelOf[Parcel](db)
		for name, call := range ofChanges(db, &Parcel{parcel: large}, dynorm.Append("lines", half)).and(calls{
			"Edit": func(ctx context.Context) error {
				return drop2(m.Edit(ctx, Parcel{parcel: large}, func(p *Parcel) error { p.Lines = append(p.Lines, half); return nil }))
			},
			"Save": func(ctx context.Context) error {
				return m.Save(ctx, &Parcel{parcel: parcel{ID: "large", Owner: "o", Lines: []string{half, half}}})
			},
		}) {
			if name != "over a query" { // it has no key of the item
				require.ErrorIs(t, call(t.Context()), dynorm.ErrTooLarge, name)
			}
		}
	})
}
