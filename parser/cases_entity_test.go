package parser_test

import (
	"time"

	"github.com/dynorm/dynorm/parser"
)

type user struct {
	_     parser.EntityMarker `dynorm:"User"`
	ID    string
	Email string `dynorm:"email,unique"`
}

type line struct {
	_       parser.EntityMarker `dynorm:"Line"`
	ID      string
	OrderID string
	Qty     int
	Order   *order `rel:"belongsTo"`
}

type order struct {
	_ parser.EntityMarker `dynorm:"Order,timestamps,softdelete,list"`
	_ parser.KeyMarker    `pk:"USER#{UserID}" sk:"ORDER#{PlacedAt}#{ID}"`
	_ parser.IndexMarker  `dynorm:"byStatus" pk:"STATUS#{Status}" sk:"{PlacedAt}" when:"Status!=done"`
	_ parser.UniqueMarker `dynorm:"TenantID,Number"`

	ID       string `dynorm:"id,primary,ulid"`
	TenantID string
	UserID   string
	Number   string
	PlacedAt time.Time
	Status   status `dynorm:"status,enum=open|paid|done"`
	Email    string `dynorm:"email,unique"`
	City     string `dynorm:",index"`
	Total    int64
	Tags     []string  `dynorm:",set"`
	Version  int64     `dynorm:"_v,version"`
	Expires  time.Time `dynorm:"ttl,ttl"`

	User  *user   `rel:"belongsTo"`
	Lines []*line `rel:"hasMany"`
}

type traits struct {
	_         parser.EntityMarker `dynorm:"Session,prefix=SESS,timestamps,softdelete,versioned,list=16,ttl=1d12h"`
	ID        string
	CreatedAt time.Time
	UpdatedAt *time.Time
	DeletedAt *time.Time
	Version   uint32
}

type traitsWithoutFields struct {
	_  parser.EntityMarker `dynorm:",timestamps,softdelete,ttl=2w"`
	ID string
}

type traitsRenamed struct {
	_         parser.EntityMarker `dynorm:"Row,timestamps,versioned"`
	ID        string
	Made      time.Time `dynorm:"made,created"`
	Rev       int       `dynorm:",version"`
	CreatedAt string    `dynorm:"importedAt"`
	UpdatedAt time.Time `dynorm:"changed"`
}

// EntityMarker as a field's name: markers may be embedded.
type embeddedMarkers struct {
	parser.EntityMarker `dynorm:"Embedded,list"`
	parser.KeyMarker    `pk:"A#{A}" sk:"B#{B}"`
	parser.IndexMarker  `dynorm:"byB" pk:"B#{B}" sk:"A#{A}"`
	parser.UniqueMarker `dynorm:"b"`
	A, B                string
}

type hourly struct {
	_ parser.EntityMarker `dynorm:"Hourly,prefix=H"`
	_ parser.KeyMarker    `pk:"SITE#{site}#{Hour:date}" sk:"{Hour:hour}#{Page.Path}#{Page.Lang|lower}"`

	SiteID string `dynorm:"site"`
	Hour   time.Time
	Page   struct {
		Path string
		Lang string `dynorm:"l"`
	}
	Views int
}

type keyedWithID struct {
	_     parser.KeyMarker `pk:"SITE#{siteID}" sk:"HIT#{ID}"`
	ID    string
	Site  string `dynorm:"siteID"`
	Other int
}

type keyedBesideID struct {
	_      parser.KeyMarker `pk:"SITE#{SiteID}" sk:"CONFIG"`
	ID     int
	SiteID string
}

type indexes struct {
	_ parser.IndexMarker `dynorm:"plain" pk:"CITY#{City}"`
	_ parser.IndexMarker `dynorm:"pinned,gsi=3" pk:"STATUS#{st}" sk:"{At}#{ID}"`
	_ parser.IndexMarker `dynorm:"keysOnly,project=keys" pk:"{Name|lower}" sk:"{Name}"`
	_ parser.IndexMarker `dynorm:"some,project=City|st|Score" pk:"X#{City}"`
	_ parser.IndexMarker `dynorm:"local,lsi" sk:"{Score}"`
	_ parser.IndexMarker `dynorm:"localNative,lsi,native,project=all" sk:"At"`
	_ parser.IndexMarker `dynorm:"native,native,gsi=4" pk:"City, st" sk:"At,Score"`
	_ parser.IndexMarker `dynorm:"sparse" pk:"ACTIVE" sk:"{At}" when:"Active, !Hidden, Score>=10, Score<99.5, st=open|paid, Name!='it''s, fine'"`

	ID     string
	City   string
	Name   string
	Status string `dynorm:"st,enum=open|paid|done"`
	At     time.Time
	Score  int
	Active bool
	Hidden *time.Time
	_      parser.IndexMarker `dynorm:"last" pk:"STATUS#{st}" sk:"{City}"`
}

type uniques struct {
	_      parser.UniqueMarker `dynorm:"Tenant,Number"`
	_      parser.UniqueMarker `dynorm:"tenant, nick"`
	_      parser.UniqueMarker `dynorm:"Single"`
	ID     string
	Tenant string
	Number int
	Nick   string
	Single string
	Email  string `dynorm:",unique"`
}

var entityCases = []goldenCase{
	{name: "order", why: "The struct of the documentation, with its relations.", types: structs(order{}, user{}, line{})},
	{name: "traits", why: "Traits find their fields by name; a version is stored as _v.", types: structs(traits{})},
	{name: "traits-without-fields", why: "Timestamps, soft deletes and the time to live need no fields.", types: structs(traitsWithoutFields{})},
	{name: "traits-renamed", why: "A field with the option goes before the one with the name.", types: structs(traitsRenamed{})},
	{name: "embedded-markers", why: "Markers may be embedded fields.", types: structs(embeddedMarkers{})},
	{name: "composite-key", why: "An explicit key needs no primary field; it may look into nested structs, by Go or attribute names.", types: structs(hourly{})},
	{name: "key-with-id", why: "ID is the primary key by convention where the explicit key uses it, and is not where it does not.", types: structs(keyedWithID{}, keyedBesideID{})},
	{name: "indexes", why: "Every form of index, in declared order; attribute names become Go names outside of templates.", types: structs(indexes{})},
	{name: "uniques", why: "Constraints over several fields are called after their attributes.", types: structs(uniques{})},
}
