// Package parser turns Go structs with tags into definitions of entities:
// plain data from which keys, indexes, codecs and documentation are derived.
//
//	type Order struct {
//		_ dynorm.Entity `dynorm:"Order,timestamps,softdelete,list"`
//		_ dynorm.Key    `pk:"USER#{UserID}" sk:"ORDER#{PlacedAt}#{ID}"`
//		_ dynorm.Index  `dynorm:"byStatus" pk:"STATUS#{Status}" sk:"{PlacedAt}" when:"Status!=done"`
//		_ dynorm.Unique `dynorm:"TenantID,Number"`
//
//		ID     string   `dynorm:"id,primary,ulid"`
//		Status string   `dynorm:",enum=open|paid|done"`
//		Tags   []string `dynorm:",set"`
//		User   *User    `rel:"belongsTo"`
//	}
//
// # Fields
//
// A field's tag is `dynorm:"[name][,option[=value]]..."`. Without a name the
// field is called as its dynamodbav tag says, or else by [AttrName]; a version
// without a name is called [VersionAttr]. A value in single quotes may hold
// commas: `dynorm:",default='a, b'"`.
//
//   - not stored
//     primary, ulid, uuid    the primary key; a value generated when it is zero
//     unique, index, gsi=N   a claim on the value; an index by it, pinned to a number
//     version                counted on every write
//     created, updated, deleted, ttl   times the library keeps; DynamoDB's expiry
//     default=, enum=a|b, required, readonly, hidden, encrypt
//     set, json, string, unixtime, unixmilli, precision=s|ms|us|ns, pad=N   the stored form
//     omitempty, null        a zero value left out; nil stored as NULL
//
// Fields of embedded structs are promoted by the rules of encoding/json, except
// that what those drop in silence is a fault. An embedded struct with a name is
// a nested struct. Of dynamodbav tags the options omitempty, string, unixtime,
// stringset, numberset and binaryset are honoured.
//
// # Entities
//
// The marker's tag is `dynorm:"[Name][,prefix=P][,trait]..."` with the traits
// timestamps, softdelete, versioned, list[=shards] and ttl=30d. Without a
// marker the type's name is the entity's. A field ID is the primary key where
// no other is, and the fields CreatedAt, UpdatedAt, DeletedAt and Version are
// those of their traits. Markers of embedded structs are promoted like fields,
// but for the name and the prefix.
//
// An index's tag is `dynorm:"name[,gsi=N][,lsi][,native][,project=all|keys|A|B]"`
// with templates in pk and sk; those of a native index are lists of fields,
// `pk:"TenantID,Status"`. [ParseWhen] describes the conditions of when.
//
// # Relations
//
// A relation's tag is `rel:"kind[,option]..."` with the kinds belongsTo, hasOne,
// hasMany, belongsToMany, hasManyThrough=Entity, morphTo, morphOne and
// morphMany, and the options foreign=, other=, through=, as=, collection,
// cascade and gsi=N. [Resolve] says what they default to.
//
// # Faults
//
// Nothing is guessed and nothing is dropped: an unknown option, a
// contradiction, a type that can't be stored, a template that names no field
// are faults, reported all at once as [*DefinitionError] with the nearest right
// word.
package parser
