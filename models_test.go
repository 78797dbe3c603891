package dynorm_test

import (
	"time"

	"github.com/dynorm/dynorm"
)

// Journal is an entity in its account's partition, with local indexes, a list
// over shards, projections and conditions.
type Journal struct {
	_ dynorm.Entity `dynorm:"Journal,list=3,softdelete"`
	_ dynorm.Key    `pk:"ACCOUNT#{Account}" sk:"JOURNAL#{Seq}"`
	_ dynorm.Index  `dynorm:"byAmount,lsi" sk:"{Amount}#{Seq}"`
	_ dynorm.Index  `dynorm:"byLabel,lsi,project=keys" sk:"{Label}#{Seq}"`
	_ dynorm.Index  `dynorm:"large,project=Note" pk:"LARGE#{Label}" sk:"{At|desc}#{Account}#{Seq}" when:"Amount>=100"`
	_ dynorm.Index  `dynorm:"spread" pk:"DAY#{At:date}#{Seq|shard=4}" sk:"{At}#{Account}#{Seq}"`

	Account string
	Seq     int64 `dynorm:",pad=6"`
	Amount  int64
	Label   string
	Note    string
	At      time.Time
	Closed  bool `dynorm:",index"`
}

// Note belongs to one of several entities.
type Note struct {
	ID              string
	CommentableType string
	CommentableID   string
	AuthorID        string

	Commentable any     `rel:"morphTo"`
	Author      *Author `rel:"belongsTo"`
}

// Author is named by notes and, without a belongsTo there, by drafts.
type Author struct {
	_ dynorm.Entity `dynorm:"Author,list"`

	ID     string
	Sheets []*Sheet `rel:"hasMany"`
	Notes  []*Note  `rel:"morphMany,as=commentable"`
}

// Sheet names its author without a relation of its own.
type Sheet struct {
	ID       string
	AuthorID string
}

// Visit has indexes over its attributes as they are.
type Visit struct {
	_ dynorm.Entity `dynorm:"Visit,softdelete"`
	_ dynorm.Key    `pk:"VISITOR#{Visitor}" sk:"VISIT#{At}"`
	_ dynorm.Index  `dynorm:"perSite,native" pk:"Site,Country" sk:"Day,Seconds,Visitor"`
	_ dynorm.Index  `dynorm:"perCountry,native,project=Page" pk:"Country" sk:"At"`
	_ dynorm.Index  `dynorm:"longest,native,lsi" sk:"Seconds"`
	_ dynorm.Index  `dynorm:"perPage" pk:"PAGE#{Page}" sk:"{At}"`

	Visitor string
	At      time.Time
	Site    string `dynorm:",omitempty"`
	Country string `dynorm:",omitempty"`
	Day     int    `dynorm:",omitempty"`
	Seconds float64
	Page    string
}

// Ping shares an index of Visit.
type Ping struct {
	_ dynorm.Index `dynorm:"perCountry,native" pk:"Country" sk:"At"`

	ID      string
	Country string `dynorm:",omitempty"`
	At      time.Time
}

func patternModels() []any { return []any{Journal{}, Note{}, Author{}, Sheet{}, Visit{}, Ping{}} }
