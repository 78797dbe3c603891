package main

import (
	"context"
	"reflect"
	"unsafe"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/dynorm/dynorm"
	"github.com/dynorm/dynorm/internal/codec"
	"github.com/dynorm/dynorm/parser"
)

var (
	userName   = dynorm.Col(func(u *User) *string { return &u.Name })
	userStatus = dynorm.Col(func(u *User) *string { return &u.Status })
	userLogins = dynorm.Col(func(u *User) *int64 { return &u.Logins })
	userTenant = dynorm.Col(func(u *User) *string { return &u.TenantID })
)

// oursPeer is dynorm through its public API, with all that a user of it gets.
func oursPeer(client *dynamodb.Client, table string) (peer, error) {
	schema, err := dynorm.NewSchema(User{})
	if err != nil {
		return peer{}, err
	}
	db, err := dynorm.Open(client, schema, dynorm.Config{Table: table})
	if err != nil {
		return peer{}, err
	}
	entity, err := parser.Parse(reflect.TypeFor[User]())
	if err != nil {
		return peer{}, err
	}
	c, err := codec.Compile(reflect.TypeFor[User](), entity.Fields)
	if err != nil {
		return peer{}, err
	}
	users := dynorm.ModelOf[User](db)
	return peer{
		name: nameOurs,
		encode: func(u *User) (item, error) {
			it := make(item, c.NumFields())
			return it, c.EncodeItem(it, unsafe.Pointer(u))
		},
		decode: func(it item, u *User) error { return c.DecodeItem(it, unsafe.Pointer(u)) },
		get: func(ctx context.Context, tenantID, id string) (*User, error) {
			return users.Get(ctx, User{TenantID: tenantID, ID: id})
		},
		put: users.Put,
		update: func(ctx context.Context, tenantID, id string, c changes) (*User, error) {
			return users.Update(ctx, User{TenantID: tenantID, ID: id},
				userName.Set(c.name), userStatus.Set(c.status), userLogins.Set(c.logins))
		},
		query: func(ctx context.Context, tenantID string) ([]*User, error) {
			return users.Where(userTenant.Eq(tenantID)).List(ctx)
		},
		batchWrite: func(ctx context.Context, all []*User) error { return users.PutMany(ctx, all...) },
		transactWrite: func(ctx context.Context, all []*User) error {
			return db.Transact(ctx, func(tx *dynorm.Tx) error {
				for _, u := range all {
					if err := users.In(tx).Put(ctx, u); err != nil {
						return err
					}
				}
				return nil
			})
		},
	}, nil
}
