package dynorm

import (
	"context"
	"errors"
	"maps"
	"reflect"
	"slices"
	"unsafe"

	"github.com/dynorm/dynorm/internal/suggest"
	"github.com/dynorm/dynorm/parser"
)

// Record is an item of the dynamic API: the Go values of its fields by
// attribute name. A value given may be of any type that converts to the
// field's without loss; one that was read has the field's own.
type Record map[string]any

// EntityModel reads and writes the items of an entity that is known by its
// name, with or without a Go type. Everything else, keys, indexes and plans
// included, is as with a [Model]. It is an immutable value, safe for concurrent
// use.
type EntityModel struct {
	db  *DB
	e   *entity
	err error
}

// Entity returns the model of the entity with a name. Where there is none,
// every call of the model returns an ErrUnregistered.
func (db *DB) Entity(name string) EntityModel {
	if err := db.ready(); err != nil {
		return EntityModel{db: db, err: err}
	}
	e := db.schema.byName[name]
	if e != nil {
		return EntityModel{db: db, e: e}
	}
	var names []string
	for _, e := range db.schema.entities {
		names = append(names, e.def.Name)
	}
	hint := ""
	if best, ok := suggest.Nearest(name, names); ok {
		hint = " (did you mean " + best + "?)"
	}
	return EntityModel{db: db, err: faultf(ErrUnregistered, "the schema has no entity %q%s", name, hint)}
}

// With returns a schema that has the given models beside those of s, as
// [NewSchema] takes them. The keys and indexes of the entities that s has stay
// as they are.
func (s *Schema) With(models ...any) (*Schema, error) {
	// The lock keeps the indexes of what s has. Those that it retires are no
	// concern of the new schema.
	cfg := s.cfg
	cfg.Lock = s.Lock().JSON()
	all := []any{cfg}
	for _, m := range s.given {
		if _, ok := m.(SchemaConfig); !ok {
			all = append(all, m)
		}
	}
	return NewSchema(append(all, models...)...)
}

// Register returns a DB whose schema has the given models too: definitions
// ([parser.Entity]) that are known only when the program runs, or structs. It
// does no I/O: an index that the table lacks shows in [DB.CreateTable], or at
// the first query.
func (db *DB) Register(models ...any) (*DB, error) {
	if err := db.ready(); err != nil {
		return nil, opError("Register", nil, err)
	}
	schema, err := db.schema.With(models...)
	if err != nil {
		return nil, opError("Register", nil, err)
	}
	registered := *db
	if faults := checkCipher(db.cfg.Cipher, schema); len(faults) > 0 {
		return nil, opError("Register", nil, faultf(ErrInvalid, "%w", errors.Join(faults...)))
	}
	registered.schema = schema
	return &registered, nil
}

// fault returns what keeps every call of the model from starting.
func (m EntityModel) fault() error {
	if m.e == nil && m.err == nil {
		return faultf(ErrInvalid, "the EntityModel is zero: get it from DB.Entity")
	}
	return m.err
}

// Definition returns the entity's definition.
func (m EntityModel) Definition() parser.Entity {
	if m.e == nil {
		return parser.Entity{}
	}
	return m.e.def
}

// Create writes a new item, as [Model.Create] does. What the entity generates
// is added to the record: identifiers, defaults, timestamps and the version.
func (m EntityModel) Create(ctx context.Context, r Record) (err error) {
	ctx, tr := m.db.begin(ctx, "Create", m.e)
	defer tr.end(&err)
	return m.write("Create", r, func(v unsafe.Pointer) error { return m.db.create(ctx, m.e, v) })
}

// Put writes the whole item, in place of one with the same key, as [Model.Put]
// does.
func (m EntityModel) Put(ctx context.Context, r Record) (err error) {
	ctx, tr := m.db.begin(ctx, "Put", m.e)
	defer tr.end(&err)
	return m.write("Put", r, func(v unsafe.Pointer) error { return m.db.put(ctx, m.e, v) })
}

// Save writes every declared attribute of an item that exists, as [Model.Save]
// does: a field that the record lacks is written as its zero value is.
func (m EntityModel) Save(ctx context.Context, r Record) (err error) {
	ctx, tr := m.db.begin(ctx, "Save", m.e)
	defer tr.end(&err)
	return m.write("Save", r, func(v unsafe.Pointer) error { return m.db.save(ctx, m.e, v) })
}

func (m EntityModel) write(op string, r Record, send func(unsafe.Pointer) error) error {
	if m.fault() != nil {
		return opError(op, m.e, m.fault())
	}
	if r == nil {
		return opError(op, m.e, faultf(ErrInvalid, "the record is nil"))
	}
	v, err := m.e.fromRecord(r)
	if err == nil {
		err = send(v)
	}
	if err != nil {
		return opError(op, m.e, err)
	}
	m.e.fill(r, v)
	return nil
}

// Update changes an item that exists and returns it as it stands afterwards, as
// [Model.Update] does. The key is the value of the primary field, or a record
// whose key fields are filled.
func (m EntityModel) Update(ctx context.Context, key any, changes ...Change) (_ Record, err error) {
	ctx, tr := m.db.begin(ctx, "Update", m.e)
	defer tr.end(&err)
	key, err = m.keyArg(key)
	if err != nil {
		return nil, opError("Update", m.e, err)
	}
	after, err := m.db.update(ctx, m.e, key, changes, readRaw)
	if err != nil {
		return nil, opError("Update", m.e, err)
	}
	r, err := m.e.rowRecord(&after)
	return r, opError("Update", m.e, err)
}

// rowRecord returns a row as a record.
func (e *entity) rowRecord(w *row) (Record, error) {
	item, err := w.whole()
	if err != nil {
		return nil, err
	}
	return e.toRecord(item, nil)
}

// Edit reads an item, applies fn and sends the difference, as [Model.Edit] does.
// The record has the attributes that are stored; one that fn deletes is cleared.
func (m EntityModel) Edit(ctx context.Context, key any, fn func(Record) error) (_ Record, err error) {
	ctx, tr := m.db.begin(ctx, "Edit", m.e)
	defer tr.end(&err)
	r, err := m.edit(ctx, key, fn)
	return r, opError("Edit", m.e, err)
}

func (m EntityModel) edit(ctx context.Context, key any, fn func(Record) error) (Record, error) {
	key, err := m.keyArg(key)
	if err != nil {
		return nil, err
	}
	plan, err := m.planEdit(ctx, key, fn)
	if err != nil {
		return nil, err
	}
	after, err := m.db.editItem(ctx, plan)
	if err != nil {
		return nil, err
	}
	return m.e.rowRecord(&after)
}

func (m EntityModel) planEdit(ctx context.Context, key any, fn func(Record) error) (*mutation, error) {
	if fn == nil {
		return nil, faultf(ErrInvalid, "the function is nil")
	}
	return m.db.planEdit(ctx, m.e, key, m.e.onRecord(fn))
}

// Move gives an item another base key, which fn sets, as [Model.Move] does.
func (m EntityModel) Move(ctx context.Context, key any, fn func(Record) error) (_ Record, err error) {
	ctx, tr := m.db.begin(ctx, "Move", m.e)
	defer tr.end(&err)
	r, err := m.move(ctx, key, fn)
	return r, opError("Move", m.e, err)
}

func (m EntityModel) move(ctx context.Context, key any, fn func(Record) error) (Record, error) {
	key, err := m.keyArg(key)
	if err != nil {
		return nil, err
	}
	u, item, err := m.planMove(ctx, key, fn)
	if err != nil {
		return nil, err
	}
	if _, err := m.db.carryOut(ctx, []*unit{u}, txOptions{name: "Move"}); err != nil {
		return nil, impliedError(err)
	}
	return m.e.toRecord(item, nil)
}

func (m EntityModel) planMove(ctx context.Context, key any, fn func(Record) error) (*unit, Item, error) {
	if fn == nil {
		return nil, nil, faultf(ErrInvalid, "the function is nil")
	}
	return m.db.planMoving(ctx, m.e, key, m.e.onRecord(fn))
}

// Upsert writes the declared attributes of an item that exists or creates it, as
// [Model.Upsert] does. It reports whether it created it.
func (m EntityModel) Upsert(ctx context.Context, r Record) (created bool, err error) {
	ctx, tr := m.db.begin(ctx, "Upsert", m.e)
	defer tr.end(&err)
	for range maxRaces {
		err = m.Save(ctx, r)
		if !errors.Is(err, ErrNotFound) {
			return false, err
		}
		if err = m.Create(ctx, r); !errors.Is(err, ErrExists) {
			return err == nil, err
		}
	}
	return false, err
}

// Increment adds to a number of an item that exists, as [Model.Increment] does.
func (m EntityModel) Increment(ctx context.Context, key any, field string, delta any) (_ Record, err error) {
	ctx, tr := m.db.begin(ctx, "Increment", m.e)
	defer tr.end(&err)
	return m.Update(ctx, key, Add(field, delta))
}

// Touch sets the time of the last change of an item that exists, as [Model.Touch]
// does.
func (m EntityModel) Touch(ctx context.Context, key any) (err error) {
	ctx, tr := m.db.begin(ctx, "Touch", m.e)
	defer tr.end(&err)
	key, err = m.keyArg(key)
	if err == nil {
		err = m.db.touchItem(ctx, m.e, key)
	}
	return opError("Touch", m.e, err)
}

// Delete removes an item, as [Model.Delete] does.
func (m EntityModel) Delete(ctx context.Context, key any) (err error) {
	ctx, tr := m.db.begin(ctx, "Delete", m.e)
	defer tr.end(&err)
	key, err = m.keyArg(key)
	if err == nil {
		err = m.db.remove(ctx, m.e, key)
	}
	return opError("Delete", m.e, err)
}

// Restore brings an item back that was deleted softly, as [Model.Restore] does.
func (m EntityModel) Restore(ctx context.Context, key any) (err error) {
	ctx, tr := m.db.begin(ctx, "Restore", m.e)
	defer tr.end(&err)
	key, err = m.keyArg(key)
	if err == nil {
		err = m.db.restore(ctx, m.e, key)
	}
	return opError("Restore", m.e, err)
}

// ForceDelete removes an item for good, as [Model.ForceDelete] does.
func (m EntityModel) ForceDelete(ctx context.Context, key any) (err error) {
	ctx, tr := m.db.begin(ctx, "ForceDelete", m.e)
	defer tr.end(&err)
	key, err = m.keyArg(key)
	if err == nil {
		err = m.db.forceDelete(ctx, m.e, key)
	}
	return opError("ForceDelete", m.e, err)
}

// Find returns the item whose primary field has the value, or whose key fields
// are those of a record, or ErrNotFound. It costs what [Model.Find] costs.
func (m EntityModel) Find(ctx context.Context, key any) (_ Record, err error) {
	ctx, tr := m.db.begin(ctx, "Find", m.e)
	defer tr.end(&err)
	r, err := m.find(ctx, key)
	return r, opError("Find", m.e, err)
}

func (m EntityModel) find(ctx context.Context, key any) (Record, error) {
	key, err := m.keyArg(key)
	if err != nil {
		return nil, err
	}
	k, err := m.e.keyArg(key)
	if err != nil {
		return nil, err
	}
	item, err := m.db.get(ctx, m.e, "Find", k, m.db.cfg.Consistent)
	if err != nil {
		return nil, err
	}
	if m.e.hidden(item, m.db.cfg.Clock()) {
		return nil, ErrNotFound
	}
	return m.e.toRecord(item, m.db.afterFind(ctx, m.e))
}

// keyArg replaces a record by a value of the entity's struct.
func (m EntityModel) keyArg(key any) (any, error) {
	if m.fault() != nil {
		return nil, m.fault()
	}
	r, ok := asRecord(key)
	if !ok {
		return key, nil
	}
	v, err := m.e.fromRecord(r)
	if err != nil {
		return nil, err
	}
	return reflect.NewAt(m.e.typ, v).Interface(), nil
}

func asRecord(v any) (Record, bool) {
	switch v := v.(type) {
	case Record:
		return v, true
	case map[string]any:
		return v, true
	}
	return nil, false
}

// Query returns the query for all items of the entity, to be narrowed.
func (m EntityModel) Query() Query[Record] { return Query[Record]{m.records().query(nil)} }

// records is the model as one of records.
func (m EntityModel) records() model {
	return model{db: m.db, e: m.e, modelState: &modelState{err: m.fault(), maker: makerOf[Record]{}, read: readRaw}}
}

// Where returns the query for the items that meet all predicates.
func (m EntityModel) Where(predicates ...Predicate) Query[Record] {
	return m.Query().Where(predicates...)
}

// fromRecord makes a struct of the entity from a record.
func (e *entity) fromRecord(r Record) (unsafe.Pointer, error) {
	v := reflect.New(e.typ).UnsafePointer()
	for _, name := range slices.Sorted(maps.Keys(r)) {
		f, err := named(name).resolve(e)
		if err != nil {
			return nil, err
		}
		if len(f.Path()) > 1 {
			return nil, faultf(ErrUnknownField, "a record has fields, not paths: %s", name)
		}
		if r[name] == nil {
			continue
		}
		if err := f.SetValue(v, r[name]); err != nil {
			return nil, atField(f.Name, faultf(ErrValue, "%w", err))
		}
	}
	return v, nil
}

// onRecord has fn change the struct at p by way of a record.
func (e *entity) onRecord(fn func(Record) error) func(p unsafe.Pointer) error {
	return func(p unsafe.Pointer) error {
		item := Item{}
		if err := e.codec.EncodeItem(item, p); err != nil {
			return encodeError(err)
		}
		r := e.record(item, p)
		if err := fn(r); err != nil {
			return err
		}
		v, err := e.fromRecord(r)
		if err == nil {
			reflect.NewAt(e.typ, p).Elem().Set(reflect.NewAt(e.typ, v).Elem())
		}
		return err
	}
}

// fill adds to a record what a write set in the struct made from it.
func (e *entity) fill(r Record, v unsafe.Pointer) {
	for i := range e.codec.NumFields() {
		f := e.codec.Field(i)
		if f.IsZero(v) {
			continue
		}
		name := f.Attr
		if _, ok := r[f.Name]; ok {
			name = f.Name
		}
		if _, ok := r[name]; !ok || f.Version || f.Updated {
			r[name] = f.Value(v)
		}
	}
}

// toRecord makes a record of an item, on whose struct after runs where it is not
// nil. A field that the item lacks, and that is not set by then, is absent.
func (e *entity) toRecord(item Item, after func(unsafe.Pointer) error) (Record, error) {
	v := reflect.New(e.typ).UnsafePointer()
	if err := e.decode(item, v); err != nil {
		return nil, err
	}
	if after != nil {
		if err := after(v); err != nil {
			return nil, err
		}
	}
	return e.record(item, v), nil
}

// record makes a record of an item that was decoded to the struct at v.
func (e *entity) record(item Item, v unsafe.Pointer) Record {
	r := make(Record, e.codec.NumFields())
	for i := range e.codec.NumFields() {
		if f := e.codec.Field(i); item[f.Attr] != nil || !f.IsZero(v) {
			r[f.Attr] = f.Value(v)
		}
	}
	return r
}
