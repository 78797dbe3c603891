package dynorm

import (
	"context"
	"reflect"
	"time"
	"unsafe"
)

// Validator looks at every write of an item's fields before anything of it is
// sent, and refuses it by an error: of one item, in a batch, in a transaction and
// over a query, of a [Model] and of an [EntityModel] alike. Deletions, soft ones
// included, and [Model.Touch] write no fields and are not asked about.
//
// Hooks have run, and generated fields are filled. It may be asked again about
// a write that is planned anew after a race. It must be safe for concurrent use
// and must not change what it is given.
type Validator interface {
	Validate(ctx context.Context, w Write) error
}

// Write is what a [Validator] is told about a write.
type Write struct {
	// Op is the write, as named in the API: "Create", "Put", "Save", "Update",
	// "Edit" or "Move". A batch and Upsert name the writes that they are made of.
	Op string
	// Entity is the entity's name.
	Entity string
	// Value is the item as the write leaves it: a pointer to the entity's
	// struct, or a [Record] for an entity without a Go type. It is nil for an
	// update by changes that does not read the item.
	Value any
	// Changes are what an update does to the fields, in the order given, nil for
	// a write of the whole item.
	Changes []FieldChange
}

// FieldChange is a change of one field.
type FieldChange struct {
	// Field is the field's Go name, or a dotted path.
	Field string
	// Op is the function that made the change: "Set", "Remove", "Add", ...
	Op string
	// Value is what the field is set to or changed by, in the field's Go type. It
	// is nil for a removal and for what only the stored item tells ([Ref]).
	Value any
}

// newItem makes the item of the struct at v ([entity.encode]), once the
// validator has seen the value.
func (db *DB) newItem(ctx context.Context, e *entity, op string, v unsafe.Pointer, now time.Time, isNew bool) (Item, error) {
	if err := db.validateValue(ctx, e, op, v); err != nil {
		return nil, err
	}
	return e.encode(v, now, isNew)
}

// newRow is newItem for one that is put as it is: in DynamoDB's JSON where
// nothing has to see its attribute values. It returns its base key too.
func (db *DB) newRow(ctx context.Context, e *entity, op string, v unsafe.Pointer, now time.Time, a *arena) (item content, key keyTexts, err error) {
	if e.straight && db.direct() && db.cfg.Cache == nil {
		if err := db.validateValue(ctx, e, op, v); err != nil {
			return content{}, keyTexts{}, err
		}
		return e.encodeStraight(v, now, true, a)
	}
	if item.item, err = db.newItem(ctx, e, op, v, now, true); err != nil {
		return content{}, keyTexts{}, err
	}
	return item, keyTexts{e.keyID(item.item), len(item.text(e.pk.attr))}, nil
}

func (db *DB) validateValue(ctx context.Context, e *entity, op string, v unsafe.Pointer) error {
	if db.cfg.Validator == nil {
		return nil
	}
	return db.validate(ctx, Write{Op: op, Entity: e.def.Name, Value: e.valueAt(v)})
}

func (db *DB) validate(ctx context.Context, w Write) error {
	if err := db.cfg.Validator.Validate(ctx, w); err != nil {
		return &fault{kind: ErrValidation, text: ErrValidation.Error() + ": " + err.Error(), err: err}
	}
	return nil
}

// changeCheck returns what shows the changes of an update to the validator, nil
// without one. After is the item as the update leaves it, nil where that is not
// known.
func (db *DB) changeCheck(ctx context.Context, e *entity, op string) func(actions []action, after Item) error {
	if db.cfg.Validator == nil {
		return nil
	}
	return func(actions []action, after Item) error {
		w := Write{Op: op, Entity: e.def.Name}
		for i := range actions {
			a := &actions[i]
			if a.field == e.version || a.field == e.updated && e.updated != nil {
				continue
			}
			c := FieldChange{Field: a.field.Name, Op: string(a.op)}
			if a.value != nil {
				var err error
				if c.Value, err = a.field.DecodeLoose(a.value); err != nil {
					return atField(a.field.Name, faultf(ErrValue, "%w", err))
				}
			}
			w.Changes = append(w.Changes, c)
		}
		if after != nil {
			v := reflect.New(e.typ).UnsafePointer()
			if err := e.decode(after, v); err != nil {
				return err
			}
			w.Value = e.valueAt(v)
		}
		if len(w.Changes) == 0 {
			return nil
		}
		return db.validate(ctx, w)
	}
}

// valueAt returns the struct at v as callers know it: by a pointer to their
// type, or as a record.
func (e *entity) valueAt(v unsafe.Pointer) any {
	if e.schema.byType[e.typ] == e {
		return reflect.NewAt(e.typ, v).Interface()
	}
	r := make(Record, e.codec.NumFields())
	e.fill(r, v)
	return r
}
