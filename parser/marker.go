package parser

import "reflect"

// EntityMarker names an entity and its traits: a blank field
// `_ dynorm.Entity` tagged `dynorm:"Name[,prefix=P][,trait]..."`.
type EntityMarker struct{}

// KeyMarker gives an entity its primary key templates: a blank field
// `_ dynorm.Key` tagged `pk:"..." sk:"..."`.
type KeyMarker struct{}

// IndexMarker asks for an index: a blank field `_ dynorm.Index` tagged
// `dynorm:"name[,option]..." pk:"..." sk:"..." when:"..."`. The options are
// gsi=N, lsi, native and project=all|keys|A|B. The keys of a native index are
// lists of fields, `pk:"TenantID,Status" sk:"PlacedAt"`, of up to four each.
type IndexMarker struct{}

// UniqueMarker asks for uniqueness over several fields together: a blank field
// `_ dynorm.Unique` tagged `dynorm:"Field,Field"`.
type UniqueMarker struct{}

var (
	entityMarker = reflect.TypeFor[EntityMarker]()
	keyMarker    = reflect.TypeFor[KeyMarker]()
	indexMarker  = reflect.TypeFor[IndexMarker]()
	uniqueMarker = reflect.TypeFor[UniqueMarker]()
)

func isMarkerType(t reflect.Type) bool {
	return t == entityMarker || t == keyMarker || t == indexMarker || t == uniqueMarker
}
