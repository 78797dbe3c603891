package parser_test

import "github.com/dynorm/dynorm/parser"

type team struct {
	_       parser.EntityMarker `dynorm:"Team"`
	ID      string
	Name    string     `dynorm:",unique"`
	Members []*member  `rel:"hasMany"`
	Posts   []post     `rel:"hasManyThrough=Member"`
	Remarks []*comment `rel:"morphMany"`
}

type profile struct {
	_        parser.EntityMarker `dynorm:"Profile"`
	ID       string
	MemberId string
	Member   member `rel:"belongsTo"`
}

type member struct {
	_       parser.EntityMarker `dynorm:"Member"`
	ID      string
	TeamID  string
	Boss    string
	Team    *team     `rel:"belongsTo"`
	Chief   *member   `rel:"belongsTo,foreign=Boss,gsi=5"`
	Staff   []*member `rel:"hasMany,foreign=boss"`
	Profile *profile  `rel:"hasOne,cascade"`
	Posts   []*post   `rel:"hasMany,collection,cascade"`
	Roles   []*role   `rel:"belongsToMany"`
	Groups  []*group  `rel:"belongsToMany,through=Membership,cascade"`
	Friends []*member `rel:"belongsToMany,other=FriendID"`
	Latest  *comment  `rel:"morphOne,as=remarkable"`
}

type role struct {
	_       parser.EntityMarker `dynorm:"Role"`
	ID      string
	Members []*member `rel:"belongsToMany,gsi=2"`
}

type group struct {
	_       parser.EntityMarker `dynorm:"Group"`
	ID      int64
	Members []member `rel:"belongsToMany,through=Membership"`
}

type membership struct {
	_        parser.EntityMarker `dynorm:"Membership"`
	ID       string
	MemberID string
	GroupID  int64
	Since    string
}

type post struct {
	_        parser.EntityMarker `dynorm:"Post"`
	ID       string
	AuthorID string
	Author   *member    `rel:"belongsTo"`
	Comments []*comment `rel:"morphMany,as=remarkable,cascade"`
}

type comment struct {
	_              parser.EntityMarker `dynorm:"Comment"`
	ID             string
	RemarkableID   string
	RemarkableType string
	Remarkable     any `rel:"morphTo,gsi=1"`
}

type embeddedRelation struct {
	_ parser.EntityMarker `dynorm:"Note"`
	ownedByMember
	ID string
}

type ownedByMember struct {
	MemberID string
	Member   *member `rel:"belongsTo,collection"`
}

type attachment struct {
	_       parser.EntityMarker `dynorm:"Attachment"`
	ID      string
	OwnerID string `dynorm:"subjectId"`
	Kind    string `dynorm:"subjectType"`
	Owner   any    `rel:"morphTo,as=subject"`
}

var relationCases = []goldenCase{
	{name: "relations", why: "Every kind of relation, with foreign keys, pivots and morphs by their default names.", types: structs(team{}, profile{}, member{}, role{}, group{}, membership{}, post{}, comment{})},
	{name: "relations-embedded", why: "Relations of embedded structs are promoted, and a morph may be called otherwise than its field.", types: structs(embeddedRelation{}, attachment{}, team{}, profile{}, member{}, role{}, group{}, membership{}, post{}, comment{})},
}
