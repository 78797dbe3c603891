// Command quickstart stores a user and lists the members of a team.
package main

import (
	"context"
	"fmt"
	"log"

	"github.com/dynorm/dynorm"
	"github.com/dynorm/dynorm/local"
)

type User struct {
	_      dynorm.Entity `dynorm:"User,timestamps"`
	ID     string        `dynorm:",primary,ulid"`
	Name   string
	TeamID string `dynorm:",index"`
}

func main() {
	ctx := context.Background()
	engine := must(local.Open(ctx, local.Config{})) // DynamoDB in this process
	schema := must(dynorm.NewSchema(User{}))
	db := must(dynorm.Open(engine.Client(), schema, dynorm.Config{Table: "app"}))
	must(0, db.CreateTable(ctx))

	users := dynorm.ModelOf[User](db)
	must(0, users.Create(ctx, &User{ID: "u1", Name: "Ann", TeamID: "blue"}))
	must(users.Update(ctx, "u1", dynorm.Set("name", "Anna")))
	for user, err := range users.Where(dynorm.Eq("teamId", "blue")).All(ctx) {
		fmt.Println("in team blue:", must(user, err).Name)
	}
}

func must[T any](v T, err error) T {
	if err != nil {
		log.Fatal(err)
	}
	return v
}
