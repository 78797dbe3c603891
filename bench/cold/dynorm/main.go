// Command dynorm reads one item with dynorm and ends.
package main

import (
	"context"
	"fmt"
	"os"
	"time"

	"github.com/dynorm/dynorm"
	"github.com/dynorm/dynorm/bench/cold/answer"
)

type User struct {
	_ dynorm.Entity `dynorm:"User"`
	_ dynorm.Key    `pk:"TENANT#{TenantID}" sk:"USER#{ID}"`

	ID        string
	TenantID  string
	Name      string
	Email     string
	Status    string
	Logins    int64
	Score     float64
	Active    bool
	CreatedAt time.Time
	Tags      []string `dynorm:",set"`
	Labels    map[string]string
	Avatar    []byte
}

func main() {
	u, err := get(context.Background())
	if err != nil || u.Name != answer.Name {
		fmt.Fprintln(os.Stderr, u, err)
		os.Exit(1)
	}
}

func get(ctx context.Context) (*User, error) {
	schema, err := dynorm.NewSchema(User{})
	if err != nil {
		return nil, err
	}
	db, err := dynorm.Open(answer.Client(), schema, dynorm.Config{Table: "bench"})
	if err != nil {
		return nil, err
	}
	return dynorm.ModelOf[User](db).Get(ctx, User{TenantID: "t1", ID: "u1"})
}
