package main

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/guregu/dynamo/v2"
)

// gureguPeer is guregu/dynamo, the library closest to dynorm.
func gureguPeer(client *dynamodb.Client, table string) peer {
	db := dynamo.NewFromIface(client)
	g := gureguClient{db: db, table: db.Table(table)}
	return peer{
		name:          nameGuregu,
		encode:        func(u *User) (item, error) { return dynamo.MarshalItem(u) },
		decode:        func(it item, u *User) error { return dynamo.UnmarshalItem(it, u) },
		get:           g.get,
		put:           g.put,
		update:        g.update,
		query:         g.query,
		batchWrite:    g.batchWrite,
		transactWrite: g.transactWrite,
	}
}

type gureguClient struct {
	db    *dynamo.DB
	table dynamo.Table
}

func (g gureguClient) get(ctx context.Context, tenantID, id string) (*User, error) {
	u := new(User)
	err := g.table.Get("pk", partitionOf(tenantID)).Range("sk", dynamo.Equal, sortKeyOf(id)).One(ctx, u)
	return u, err
}

func (g gureguClient) put(ctx context.Context, u *User) error {
	return g.table.Put(recordOf(u)).Run(ctx)
}

func (g gureguClient) update(ctx context.Context, tenantID, id string, c changes) (*User, error) {
	u := new(User)
	err := g.table.Update("pk", partitionOf(tenantID)).Range("sk", sortKeyOf(id)).
		Set("name", c.name).Set("status", c.status).Set("logins", c.logins).
		If("attribute_exists('pk')").
		Value(ctx, u)
	return u, err
}

func (g gureguClient) query(ctx context.Context, tenantID string) ([]*User, error) {
	var users []User
	err := g.table.Get("pk", partitionOf(tenantID)).Range("sk", dynamo.BeginsWith, skPrefix).All(ctx, &users)
	return pointers(users), err
}

func (g gureguClient) batchWrite(ctx context.Context, users []*User) error {
	records := make([]any, len(users))
	for i, u := range users {
		records[i] = recordOf(u)
	}
	wrote, err := g.table.Batch("pk", "sk").Write().Put(records...).Run(ctx)
	if err == nil && wrote != len(users) {
		err = fmt.Errorf("wrote %d of %d", wrote, len(users))
	}
	return err
}

func (g gureguClient) transactWrite(ctx context.Context, users []*User) error {
	tx := g.db.WriteTx()
	for _, u := range users {
		tx = tx.Put(g.table.Put(recordOf(u)))
	}
	return tx.Run(ctx)
}
