package main

import "context"

// row is one line of the comparison: the same work done by every peer.
type row struct {
	name string
	// call returns the work as the peer does it.
	call func(p peer) func() error
}

// pageSize, batchSize and txSize are the items in the rows named by them.
const (
	pageSize  = 100
	batchSize = 25
	txSize    = 10
)

func rows(ctx context.Context, users []*User) []row {
	one := users[0]
	encoded := userItem(one)
	c := changes{name: "Ada King", status: "archived", logins: 7}
	return []row{
		{"Encode 12 fields", func(p peer) func() error {
			return func() error { _, err := p.encode(one); return err }
		}},
		{"Decode 12 fields", func(p peer) func() error {
			return func() error { return p.decode(encoded, new(User)) }
		}},
		{"GetItem", func(p peer) func() error {
			return func() error { _, err := p.get(ctx, one.TenantID, one.ID); return err }
		}},
		{"PutItem", func(p peer) func() error {
			return func() error { return p.put(ctx, one) }
		}},
		{"UpdateItem, 3 sets", func(p peer) func() error {
			return func() error { _, err := p.update(ctx, one.TenantID, one.ID, c); return err }
		}},
		{"Query, 100 items", func(p peer) func() error {
			return func() error { _, err := p.query(ctx, tenant); return err }
		}},
		{"BatchWrite, 25 items", func(p peer) func() error {
			return func() error { return p.batchWrite(ctx, users[:batchSize]) }
		}},
		{"TransactWrite, 10 items", func(p peer) func() error {
			return func() error { return p.transactWrite(ctx, users[:txSize]) }
		}},
	}
}
