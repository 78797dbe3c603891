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
// commas: `dynorm:",default='a, b'"`. The name "-" leaves the field out of
// items. The options are
//
//   - primary, and ulid or uuid for a value generated where it is zero;
//   - unique for a claim on the value, index for an index by it, gsi=N to pin
//     that index to a number;
//   - version, created, updated and deleted for what the library keeps, ttl for
//     the time DynamoDB deletes the item;
//   - default=, enum=a|b, required, readonly, hidden and encrypt;
//   - set, json, string, unixtime, unixmilli, precision=s|ms|us|ns and pad=N for
//     the stored form;
//   - omitempty to leave a zero value out, null to store nil as NULL.
//
// Fields of embedded structs are promoted by the rules of encoding/json, except
// that what those drop in silence is a fault. An embedded struct with a name is
// a nested struct. Of dynamodbav tags the options omitempty, string, unixtime,
// stringset, numberset and binaryset are honoured.
//
// # Entities
//
// The marker's tag is `dynorm:"[Name][,prefix=P][,trait]..."` with the traits
// timestamps, softdelete[=keepunique], versioned, list[=shards] and ttl=30d. Without a
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
