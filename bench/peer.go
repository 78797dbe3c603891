package main

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// item is what attribute values come in.
type item = map[string]types.AttributeValue

// peer is one way to do what the rows measure.
type peer struct {
	name string
	// encode and decode convert a user without a request.
	encode func(*User) (item, error)
	decode func(item, *User) error
	// The rest sends requests. A call returns once DynamoDB has done all of
	// it.
	get           func(ctx context.Context, tenantID, id string) (*User, error)
	put           func(ctx context.Context, u *User) error
	update        func(ctx context.Context, tenantID, id string, c changes) (*User, error)
	query         func(ctx context.Context, tenantID string) ([]*User, error)
	batchWrite    func(ctx context.Context, users []*User) error
	transactWrite func(ctx context.Context, users []*User) error
}

// The peers' names, in the order of the tables.
const (
	nameOurs   = "dynorm"
	nameRaw    = "raw SDK"
	nameSDK    = "SDK + attributevalue"
	nameGuregu = "guregu/dynamo"
)

// peersOn returns the peers over one client and table.
func peersOn(client *dynamodb.Client, table string) ([]peer, error) {
	ours, err := oursPeer(client, table)
	if err != nil {
		return nil, err
	}
	return []peer{ours, rawPeer(client, table), sdkPeer(client, table), gureguPeer(client, table)}, nil
}

// pointers returns the addresses of a slice's elements: peers that read into a
// slice of values do it the way that costs them least.
func pointers(users []User) []*User {
	out := make([]*User, len(users))
	for i := range users {
		out[i] = &users[i]
	}
	return out
}
