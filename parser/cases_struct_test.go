package parser_test

import (
	"time"

	"github.com/dynorm/dynorm/parser"
)

type address struct {
	Street string
	Zip    string `dynorm:"postcode"`
	Geo    *point
}

type nested struct {
	ID     string
	Home   address
	Work   *address
	Others []address
	ByName map[string]*address
	Inline struct {
		A int
		B []struct{ C bool }
	}
	Empty struct{}
}

type author struct {
	_         parser.EntityMarker `dynorm:"Author,timestamps"`
	_         parser.IndexMarker  `dynorm:"byName" pk:"{Name}"`
	ID        string              `dynorm:"id,primary,ulid"`
	Name      string              `dynorm:",index,required"`
	Email     string              `dynorm:",unique"`
	CreatedAt time.Time
	Version   int `dynorm:",version"`

	Books []book `rel:"hasMany"`
}

type book struct {
	ID       string
	AuthorID string
	// Writer is the author as it was when the book was written.
	Writer author
}

type tree struct {
	ID       string
	Value    int
	Left     *tree
	Children []tree
	ByName   map[string]tree
	Leaf     leaf
}

type leaf struct {
	Next *leaf
	Up   *tree
	Deep deep
	Maps maps
}

type deep []deep

type maps map[string]maps

type base struct {
	ID        string `dynorm:"id,primary,ulid"`
	CreatedAt time.Time
	Note      string
}

type audit struct {
	By     string
	Reason string `dynorm:"why"`
}

type unexported struct {
	Shown  int
	hidden int
}

type Promoted struct{ FromPointer string }

type promotion struct {
	base
	*Promoted
	audit      `dynorm:"-"`
	unexported // its exported fields are promoted
	Audit      audit
	Embedded
	time.Time
	Note string
}

type Embedded struct{ Deeper }

type Deeper struct {
	Bottom string
	Note   string
}

type Left struct {
	ID   string
	Name string `dynorm:"name"`
	Both string
}

type Right struct {
	Name2 string `dynorm:"label"`
	Name  string
	Both  string `dynorm:"-"`
}

type precedence struct {
	Left
	Right
}

type NamedEmbedding struct {
	Left  `dynorm:"left"`
	Right `dynamodbav:"right"`
	*Deeper
	ID string
}

type selectors struct {
	Left
	Embedded
	ID string `dynorm:"uuid"`
}

type Cyclic struct {
	*Cyclic
	ID string
}

type page[T any] struct {
	ID    string
	Items []T
	Next  *page[T]
}

type pair[K comparable, V any] struct {
	ID     string
	Key    K
	Values map[string]V
}

type envelope[T any] struct {
	base
	Body T
}

type Model struct {
	_ parser.EntityMarker `dynorm:"Ignored,prefix=NO,timestamps,softdelete,list=4,ttl=7d"`
	_ parser.KeyMarker    `pk:"T#{Tenant}" sk:"{ID}"`
	_ parser.IndexMarker  `dynorm:"byTenant" pk:"T#{Tenant}" sk:"{CreatedAt}"`
	_ parser.IndexMarker  `dynorm:"replaced" pk:"OLD#{Tenant}"`
	_ parser.UniqueMarker `dynorm:"Tenant,Slug"`

	ID        string
	Tenant    string
	Slug      string
	CreatedAt time.Time
	DeletedAt *time.Time
}

type inherits struct {
	_ parser.EntityMarker `dynorm:"Heir,list=2"`
	_ parser.IndexMarker  `dynorm:"replaced" pk:"NEW#{Slug}"`
	Model
	Extra string
}

var structCases = []goldenCase{
	{name: "nested", why: "Structs are stored as maps, behind pointers, in slices and in maps.", types: structs(nested{})},
	{name: "nested-entity", why: "An entity stored inside another is a copy: its keys, indexes, relations and markers count for nothing there.", types: structs(author{}, book{})},
	{name: "recursive", why: "A type that holds itself is described once; its second appearance has no fields and no element.", types: structs(tree{})},
	{name: "promotion", why: "Fields of embedded structs are promoted as by encoding/json; a type that stores itself is not taken apart, and a shallower field hides a deeper one.", types: structs(promotion{})},
	{name: "precedence", why: "Of two promoted fields of one depth, the one that a tag names wins.", types: structs(precedence{})},
	{name: "named-embedding", why: "An embedded struct with a name is a nested struct.", types: structs(NamedEmbedding{})},
	{name: "selectors", why: "A promoted field that another hides in Go, but not in the item, is named by its path.", types: structs(selectors{})},
	{name: "cyclic-embedding", why: "A struct that embeds itself adds nothing.", types: structs(Cyclic{})},
	{name: "generic", why: "The arguments of a generic type are part of its name.", types: structs(page[author]{}, pair[string, []*book]{}, envelope[address]{})},
	{name: "inherited-markers", why: "Markers are promoted like fields, but for the name and the prefix; the outer struct's win.", types: structs(inherits{})},
}
