package main

import (
	"fmt"
	"time"

	"github.com/dynorm/dynorm"
)

// User is the entity that every row stores and reads: 12 fields of the kinds
// people store, under the same names for every peer.
type User struct {
	_ dynorm.Entity `dynorm:"User"`
	_ dynorm.Key    `pk:"TENANT#{TenantID}" sk:"USER#{ID}"`

	ID        string            `dynorm:"id" dynamodbav:"id" dynamo:"id"`
	TenantID  string            `dynorm:"tenantId" dynamodbav:"tenantId" dynamo:"tenantId"`
	Name      string            `dynorm:"name" dynamodbav:"name" dynamo:"name"`
	Email     string            `dynorm:"email" dynamodbav:"email" dynamo:"email"`
	Status    string            `dynorm:"status" dynamodbav:"status" dynamo:"status"`
	Logins    int64             `dynorm:"logins" dynamodbav:"logins" dynamo:"logins"`
	Score     float64           `dynorm:"score" dynamodbav:"score" dynamo:"score"`
	Active    bool              `dynorm:"active" dynamodbav:"active" dynamo:"active"`
	CreatedAt time.Time         `dynorm:"createdAt" dynamodbav:"createdAt" dynamo:"createdAt"`
	Tags      []string          `dynorm:"tags,set" dynamodbav:"tags,stringset" dynamo:"tags,set"`
	Labels    map[string]string `dynorm:"labels" dynamodbav:"labels" dynamo:"labels"`
	Avatar    []byte            `dynorm:"avatar" dynamodbav:"avatar" dynamo:"avatar"`
}

const (
	tenant = "t1"
	// skPrefix begins the sort key of every user.
	skPrefix = "USER#"
)

func partitionOf(tenantID string) string { return "TENANT#" + tenantID }
func sortKeyOf(id string) string         { return skPrefix + id }

// record is a stored user as the SDK's and guregu's codecs see it: dynorm adds
// the key and the entity type itself.
type record struct {
	PK   string `dynamodbav:"pk" dynamo:"pk"`
	SK   string `dynamodbav:"sk" dynamo:"sk"`
	Type string `dynamodbav:"_et" dynamo:"_et"`
	User
}

func recordOf(u *User) record {
	return record{PK: partitionOf(u.TenantID), SK: sortKeyOf(u.ID), Type: "User", User: *u}
}

// sampleUsers returns n users of one tenant in key order. Their times have nine
// decimals that don't end in 0, which every peer writes alike.
func sampleUsers(n int) []*User {
	users := make([]*User, n)
	for i := range users {
		users[i] = &User{
			ID:        fmt.Sprintf("01J9ZC8K%08d", i),
			TenantID:  tenant,
			Name:      fmt.Sprintf("Ada Lovelace %d", i),
			Email:     fmt.Sprintf("ada.lovelace.%d@example.com", i),
			Status:    "active",
			Logins:    int64(1000 + i),
			Score:     float64(i) + 0.625,
			Active:    i%2 == 0,
			CreatedAt: time.Date(2026, 3, 14, 15, 9+i, 26, 535897932, time.UTC),
			Tags:      []string{"admin", "beta", "ops"},
			Labels:    map[string]string{"team": "analytics", "city": "London"},
			Avatar:    []byte("\x89PNG\r\n\x1a\n0123456789abcdef"),
		}
	}
	return users
}

// changes are the three attributes that the UpdateItem rows set.
type changes struct {
	name   string
	status string
	logins int64
}
