package parser

import (
	"reflect"
	"time"
)

// Entity is the definition of one entity: what its struct's tags say, with
// names filled in and nothing derived. It is pure data, in declared order, and
// marshals to the same JSON every time.
type Entity struct {
	// Name is the entity's name, stored in the entity-type attribute.
	Name string `json:"name"`
	// GoType is the qualified name of the struct, empty for a definition that
	// did not come from one.
	GoType string `json:"goType,omitempty"`
	// Prefix starts the entity's derived keys: Name in upper case unless the
	// marker says otherwise.
	Prefix string `json:"prefix"`

	Timestamps bool `json:"timestamps,omitempty"`
	SoftDelete bool `json:"softDelete,omitempty"`
	Versioned  bool `json:"versioned,omitempty"`
	// KeepUnique says that an item deleted softly keeps its unique values
	// (softdelete=keepunique); without it they are free for others.
	KeepUnique bool `json:"keepUnique,omitempty"`
	// List is the number of shards of the entity's list index: 0 without the
	// trait, 1 for a plain `list`.
	List int `json:"list,omitempty"`
	// TTL is the default time to live of a new item, 0 for none.
	TTL time.Duration `json:"ttl,omitempty"`

	// Key holds the templates of the `dynorm.Key` marker, nil when the keys
	// are to be derived.
	Key     *Key    `json:"key,omitempty"`
	Indexes []Index `json:"indexes,omitempty"`
	// Uniques are the constraints of the `dynorm.Unique` markers; those of the
	// `unique` option are told by Field.Unique.
	Uniques   []Unique   `json:"uniques,omitempty"`
	Fields    []Field    `json:"fields"`
	Relations []Relation `json:"relations,omitempty"`

	// Reflect is the struct's Go type, nil for a definition without one.
	Reflect reflect.Type `json:"-"`
}

// Key is an explicit primary key: one template each for the partition and the
// sort key, as written.
type Key struct {
	PK string `json:"pk"`
	SK string `json:"sk"`
}

// Index is an index the user asked for by a `dynorm.Index` marker.
type Index struct {
	Name string `json:"name"`
	// PK and SK are templates as written. PK is empty for a local index, which
	// shares the base table's partition key.
	PK string `json:"pk,omitempty"`
	SK string `json:"sk,omitempty"`
	// PKParts and SKParts are the fields of a native composite key, up to four
	// each; they stand instead of PK and SK.
	PKParts []string `json:"pkParts,omitempty"`
	SKParts []string `json:"skParts,omitempty"`
	// When is the condition under which an item is in the index, as written.
	When string `json:"when,omitempty"`
	// Slot pins the index to a GSI number (`gsi=N`), 0 for any.
	Slot int `json:"slot,omitempty"`
	// Local marks a local secondary index (`lsi`).
	Local bool `json:"local,omitempty"`
	// Native asks for a composite key of several attributes (`native`).
	Native bool `json:"native,omitempty"`
	// Projection is "all" (the default, also when empty), "keys" or "include".
	Projection string `json:"projection,omitempty"`
	// Include lists the Go names of the projected fields of an "include"
	// projection.
	Include []string `json:"include,omitempty"`
}

// Unique is a uniqueness constraint over one field or several.
type Unique struct {
	// Name identifies the constraint: the attribute names joined by "+".
	Name string `json:"name"`
	// Fields are the Go names of the fields, in declared order.
	Fields []string `json:"fields"`
}

// Field is one stored field of an entity or of a nested struct.
type Field struct {
	// Name is the Go name as a selector from the entity, without the names of
	// the embedded structs it was promoted through.
	Name string `json:"name"`
	// Attr is the attribute name.
	Attr string `json:"attr"`
	// Path is the reflect index path, nil for a definition without a Go type.
	Path []int `json:"-"`
	Type Type  `json:"type"`

	Primary   bool   `json:"primary,omitempty"`
	Generator string `json:"generator,omitempty"` // "ulid" or "uuid"
	Unique    bool   `json:"unique,omitempty"`
	Indexed   bool   `json:"indexed,omitempty"`
	// IndexSlot pins the field's derived index to a GSI number (`gsi=N`).
	IndexSlot int  `json:"indexSlot,omitempty"`
	Version   bool `json:"version,omitempty"`
	Created   bool `json:"created,omitempty"`
	Updated   bool `json:"updated,omitempty"`
	Deleted   bool `json:"deleted,omitempty"`
	TTL       bool `json:"ttl,omitempty"`

	// Default is the value a zero field takes on Create, nil for none.
	Default *string  `json:"default,omitempty"`
	Enum    []string `json:"enum,omitempty"`

	Set       bool `json:"set,omitempty"`
	OmitEmpty bool `json:"omitEmpty,omitempty"`
	Null      bool `json:"null,omitempty"`
	UnixTime  bool `json:"unixTime,omitempty"`
	UnixMilli bool `json:"unixMilli,omitempty"`
	JSON      bool `json:"json,omitempty"`
	String    bool `json:"string,omitempty"`
	// Pad is the width of the zero-padded form of an integer in keys, 0 for
	// the width of its type.
	Pad int `json:"pad,omitempty"`
	// Precision is the number of fraction digits of a stored time: 0, 3, 6 or
	// 9 from `precision=s|ms|us|ns`; -1 when the tag is silent.
	Precision int `json:"precision"`

	Encrypt  bool `json:"encrypt,omitempty"`
	Hidden   bool `json:"hidden,omitempty"`
	ReadOnly bool `json:"readOnly,omitempty"`
	Required bool `json:"required,omitempty"`
}

// Kind is how a value of a type is stored.
type Kind string

// The kinds of a field's type.
const (
	String Kind = "string" // S
	Bool   Kind = "bool"   // BOOL
	Int    Kind = "int"    // N
	Uint   Kind = "uint"   // N
	Float  Kind = "float"  // N
	Number Kind = "number" // N: json.Number, attributevalue.Number, big.Int, big.Rat, big.Float
	Bytes  Kind = "bytes"  // B: []byte and [N]byte
	Time   Kind = "time"   // S, or N with unixtime or unixmilli
	Text   Kind = "text"   // S: encoding.TextMarshaler
	Binary Kind = "binary" // B: encoding.BinaryMarshaler without text
	Custom Kind = "custom" // whatever attributevalue.Marshaler says
	List   Kind = "list"   // L, or a set with `set`
	Map    Kind = "map"    // M; a map[K]struct{} or map[K]bool with `set` is a set
	Struct Kind = "struct" // M
	Any    Kind = "any"    // by the dynamic type
)

// Type describes how a field's Go type is stored.
type Type struct {
	Kind Kind `json:"kind"`
	// Go is the type as Go writes it, with its package name.
	Go string `json:"go,omitempty"`
	// Bits is the size of an int, uint or float.
	Bits    int  `json:"bits,omitempty"`
	Pointer bool `json:"pointer,omitempty"`
	// Len is the length of an array, 0 for what is none.
	Len int `json:"len,omitempty"`
	// Key is the key of a map: String, Int, Uint, Time or Text.
	Key *Type `json:"key,omitempty"`
	// Elem is the element of a list or map. A recursive type has none at its
	// second appearance.
	Elem *Type `json:"elem,omitempty"`
	// Fields are the fields of a struct. A recursive type has none at its
	// second appearance.
	Fields []Field `json:"fields,omitempty"`

	// Reflect is the Go type (behind any pointer), nil for a definition
	// without one.
	Reflect reflect.Type `json:"-"`
}

// RelationKind names a kind of relation.
type RelationKind string

// The relation kinds, as written in `rel` tags.
const (
	BelongsTo      RelationKind = "belongsTo"
	HasOne         RelationKind = "hasOne"
	HasMany        RelationKind = "hasMany"
	BelongsToMany  RelationKind = "belongsToMany"
	HasManyThrough RelationKind = "hasManyThrough"
	MorphTo        RelationKind = "morphTo"
	MorphOne       RelationKind = "morphOne"
	MorphMany      RelationKind = "morphMany"
)

// Relation is a relation of an entity to another. Relation fields are not
// stored; foreign keys are ordinary fields.
type Relation struct {
	// Name is the Go name of the field that holds the related value.
	Name string       `json:"name"`
	Path []int        `json:"-"`
	Kind RelationKind `json:"kind"`
	// Target is the name of the related entity, empty for morphTo.
	Target string `json:"target,omitempty"`
	// Foreign is the Go name of the foreign key field: on this entity for
	// belongsTo and morphTo, on the target for hasOne, hasMany, morphOne and
	// morphMany, on the pivot or the middle entity (where it names this
	// entity) for belongsToMany and hasManyThrough. Resolve fills it in.
	Foreign string `json:"foreign,omitempty"`
	// Other is the Go name of the second foreign key field: the pivot's that
	// names the target for belongsToMany, the target's that names the middle
	// entity for hasManyThrough. Resolve fills it in.
	Other string `json:"other,omitempty"`
	// ForeignType is the Go name of the field that holds the related entity's
	// name: on this entity for morphTo, on the target for morphOne and
	// morphMany. Resolve fills it in.
	ForeignType string `json:"foreignType,omitempty"`
	// Through is the pivot entity of belongsToMany or the middle entity of
	// hasManyThrough. A pivot that the tag does not name is called after both
	// entities, sorted and joined (RoleUser); it need not be declared.
	Through string `json:"through,omitempty"`
	// As is the name of the morph (`as=commentable`).
	As         string `json:"as,omitempty"`
	Collection bool   `json:"collection,omitempty"`
	Cascade    bool   `json:"cascade,omitempty"`
	// Slot pins the relation's index to a GSI number (`gsi=N`), 0 for any.
	Slot int `json:"slot,omitempty"`

	// TargetType is the Go type of the target, nil without one.
	TargetType reflect.Type `json:"-"`
}
