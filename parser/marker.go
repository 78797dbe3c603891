package parser

// EntityMarker names an entity and its traits: a blank field
// `_ dynorm.Entity` tagged `dynorm:"Name[,prefix=P][,trait]..."`.
type EntityMarker struct{}

// KeyMarker gives an entity its primary key templates: a blank field
// `_ dynorm.Key` tagged `pk:"..." sk:"..."`.
type KeyMarker struct{}

// IndexMarker asks for an index: a blank field `_ dynorm.Index` tagged
// `dynorm:"name[,option]..." pk:"..." sk:"..." when:"..."`.
type IndexMarker struct{}

// UniqueMarker asks for uniqueness over several fields together: a blank field
// `_ dynorm.Unique` tagged `dynorm:"Field,Field"`.
type UniqueMarker struct{}
