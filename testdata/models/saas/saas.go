// Package saas is a service with tenants: their users, projects and tasks in
// the tenant's partition, sorted views of tasks, invitations that expire and
// usage that is counted by the hour.
package saas

import (
	"time"

	"github.com/dynorm/dynorm"
)

type Tenant struct {
	_ dynorm.Entity `dynorm:"Tenant,list=4,timestamps"`

	ID        string
	Plan      string `dynorm:",enum=free|team|enterprise"`
	CreatedAt time.Time
	UpdatedAt time.Time

	Members  []*Member  `rel:"hasMany,collection"`
	Projects []*Project `rel:"hasMany,collection"`
}

type Member struct {
	_ dynorm.Entity `dynorm:"Member,softdelete"`
	_ dynorm.Unique `dynorm:"TenantID,Email"`
	_ dynorm.Index  `dynorm:"byRole,lsi" sk:"ROLE#{Role}#{ID}"`

	ID       string
	TenantID string
	Email    string
	Role     string `dynorm:",enum=owner|admin|member"`

	Tenant *Tenant `rel:"belongsTo,collection"`
	Tasks  []*Task `rel:"hasMany,foreign=AssigneeID"`
}

type Project struct {
	ID       string
	TenantID string
	Name     string

	Tenant *Tenant `rel:"belongsTo,collection"`
	Tasks  []*Task `rel:"hasMany"`
}

type Task struct {
	_ dynorm.Key   `pk:"TENANT#{TenantID}" sk:"TASK#{ProjectID}#{Seq}"`
	_ dynorm.Index `dynorm:"byDue,lsi" sk:"DUE#{Due}#{ProjectID}#{Seq}"`
	_ dynorm.Index `dynorm:"openByPriority" pk:"OPEN#{TenantID}" sk:"{Priority|desc}#{Due}" when:"!Done"`

	TenantID   string
	ProjectID  string
	Seq        int `dynorm:",pad=6"`
	AssigneeID string
	Priority   int `dynorm:",pad=3"`
	Due        time.Time
	Done       bool

	Project  *Project `rel:"belongsTo"`
	Assignee *Member  `rel:"belongsTo"`
}

type Invitation struct {
	_ dynorm.Key `pk:"TENANT#{TenantID}" sk:"INVITATION#{Email}"`

	TenantID string
	Email    string    `dynorm:",index"`
	Expires  time.Time `dynorm:"ttl,ttl"`
}

type Usage struct {
	_ dynorm.Key   `pk:"USAGE#{TenantID}#{Hour:month}" sk:"{Hour:hour}#{Metric}"`
	_ dynorm.Index `dynorm:"perMetric" pk:"METRIC#{Metric}#{TenantID|shard=4}" sk:"{Hour:hour}#{TenantID}"`

	TenantID string
	Hour     time.Time
	Metric   string `dynorm:",enum=requests|bytes"`
	Count    int64
}

// Models are the models, as NewSchema takes them.
func Models() []any {
	return []any{Tenant{}, Member{}, Project{}, Task{}, Invitation{}, Usage{}}
}
