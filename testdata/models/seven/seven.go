// Package seven is the schema of the documentation: seven models with every
// common relation.
package seven

import (
	"time"

	"github.com/dynorm/dynorm"
)

type User struct {
	_ dynorm.Entity `dynorm:"User,softdelete,timestamps"`

	ID        string
	Email     string `dynorm:",unique"`
	Name      string
	TeamID    string
	CreatedAt time.Time
	UpdatedAt time.Time
	DeletedAt time.Time

	Team    *Team    `rel:"belongsTo"`
	Profile *Profile `rel:"hasOne"`
	Posts   []*Post  `rel:"hasMany"`
	Roles   []*Role  `rel:"belongsToMany"`
}

type Post struct {
	ID     string
	UserID string
	Title  string

	User     *User      `rel:"belongsTo"`
	Comments []*Comment `rel:"hasMany"`
}

type Comment struct {
	ID     string
	PostID string
	UserID string
	Text   string

	Post *Post `rel:"belongsTo"`
	User *User `rel:"belongsTo"`
}

type Team struct {
	ID   string
	Name string `dynorm:",unique"`

	Users []*User `rel:"hasMany"`
}

type Role struct {
	ID   string
	Name string

	Users []*User `rel:"belongsToMany"`
}

type Profile struct {
	ID     string
	UserID string
	Bio    string

	User *User `rel:"belongsTo"`
}

type OrderItem struct {
	_ dynorm.Entity `dynorm:"OrderItem,versioned"`

	SKU     string `dynorm:"sku,primary"`
	Qty     int
	Version int64     `dynorm:"_v,version"`
	Expires time.Time `dynorm:"ttl,ttl"`
}

// Models are the models, as NewSchema takes them.
func Models() []any {
	return []any{User{}, Post{}, Comment{}, Team{}, Role{}, Profile{}, OrderItem{}}
}
