package dynorm

import (
	"reflect"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/dynorm/dynorm/internal/codec"
	"github.com/dynorm/dynorm/parser"
)

// Item is an item as DynamoDB has it: attribute values by name.
type Item = map[string]types.AttributeValue

// entity is an entity compiled for its schema.
type entity struct {
	schema *Schema
	def    parser.Entity
	typ    reflect.Type
	codec  *codec.Codec

	pk, sk *keyTemplate
	// demands are the entity's index entries, in declared order.
	demands []*demand
	// pathList is what paths returns, once it was called.
	pathList []*accessPath
	uniques  []*unique
	// hooks are the events that the struct has methods for.
	hooks [hookEvents]bool
	// sound says what of the definition is left, nil for all of it.
	sound *sound
	// generated are the fields that a write may set behind embedded pointers.
	generated []*codec.Field
	// encrypted are the fields tagged `encrypt`, by attribute; nil without any.
	encrypted map[string]*codec.Field

	// filled are the fields that a new item gets a value for, required those
	// that must have one.
	filled, required []*codec.Field
	// otherAttr is checkType, made into a value once.
	otherAttr func(name, raw []byte) error
	// straight says that items can go straight from structs to DynamoDB's JSON.
	straight bool

	// Special fields, nil where there is none.
	primary, version, created, updated, deleted, ttl *codec.Field

	// createdAttr and updatedAttr are the attributes of the timestamps trait
	// (with or without a field), empty without it; deletedAttr likewise of
	// softdelete.
	createdAttr, updatedAttr, deletedAttr, versionAttr, ttlAttr string
}

// compile turns a definition into an entity: its codec, its key templates and
// its index demands.
func (s *Schema) compile(def parser.Entity, typ reflect.Type) (*entity, []error) {
	fields := def.Fields
	if typ == nil {
		var err error
		if typ, fields, err = structOf(&def); err != nil {
			return nil, []error{err}
		}
	}
	e := &entity{schema: s, def: def, typ: typ}
	e.otherAttr = e.checkType
	if err := parser.Reserved(def, s.cfg.PK, s.cfg.SK, s.cfg.EntityType); err != nil {
		return nil, []error{err}
	}
	c, err := codec.Compile(typ, fields)
	if err != nil {
		return nil, []error{err}
	}
	e.codec = c
	e.generated = e.behindPointers()
	e.encrypted = e.encryptedFields()
	if faults := nestedEncrypted(&e.def); len(faults) > 0 {
		return nil, faults
	}
	e.hooks = e.methodHooks()
	for i := range c.NumFields() {
		f := c.Field(i)
		if f.Generator == "ulid" || f.Generator == "uuid" || f.Default != nil {
			e.filled = append(e.filled, f)
		}
		if f.Required {
			e.required = append(e.required, f)
		}
		switch {
		case f.Primary:
			e.primary = f
		case f.Version:
			e.version, e.versionAttr = f, f.Attr
		case f.Created:
			e.created, e.createdAttr = f, f.Attr
		case f.Updated:
			e.updated, e.updatedAttr = f, f.Attr
		case f.Deleted:
			e.deleted, e.deletedAttr = f, f.Attr
		case f.TTL:
			e.ttl, e.ttlAttr = f, f.Attr
		}
	}
	if def.Timestamps {
		e.createdAttr = orDefault(e.createdAttr, "createdAt")
		e.updatedAttr = orDefault(e.updatedAttr, "updatedAt")
	}
	if def.SoftDelete {
		e.deletedAttr = orDefault(e.deletedAttr, "deletedAt")
	}
	if def.TTL > 0 {
		e.ttlAttr = orDefault(e.ttlAttr, parser.TTLAttr)
	}
	if def.Versioned {
		e.versionAttr = orDefault(e.versionAttr, "_v")
	}
	return e, nil
}
