package main

import (
	"context"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/attributevalue"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/dynorm/dynorm"
)

// rowPages is the name of the row of pagesRow.
const rowPages = "10,000 items in pages of 1 MB"

// pagesRow reads a partition of many pages from the server.
func (s *suite) pagesRow() row {
	return row{
		name: rowPages,
		note: "Over HTTP on the loopback interface, from a server in a process of its own: the\ntime is the client's processor time, with that of its connections.",
		measure: func(ctx context.Context) ([]measured, error) {
			r, err := s.reach(ctx)
			if err != nil {
				return nil, err
			}
			peers, err := peersOn(r.server.client(0), tableName)
			if err != nil {
				return nil, err
			}
			for _, p := range peers {
				got, err := p.query(ctx, tenant)
				if err == nil {
					err = r.checkAll(got)
				}
				if err != nil {
					return nil, fmt.Errorf("%s: %w", p.name, err)
				}
			}
			return s.measurePeers(peers, func(p peer) func() error {
				return func() error { _, err := p.query(ctx, tenant); return err }
			})
		},
		table: peerTable,
	}
}

// The caller of slowCallerRow, which takes a while over every so many items, and
// the time that a request takes.
const (
	slowEvery   = 500
	slowPause   = 5 * time.Millisecond
	slowLatency = 20 * time.Millisecond
)

// slowCallerRow reads the same items for a caller that has work to do on them.
func (s *suite) slowCallerRow() row {
	return row{
		name: "10,000 items for a slow caller",
		note: fmt.Sprintf("Time by the clock. A request takes %v longer than the server, and the caller\npauses %v over every %d items. dynorm reads the next page meanwhile.",
			slowLatency, slowPause, slowEvery),
		measure: func(ctx context.Context) ([]measured, error) {
			r, err := s.reach(ctx)
			if err != nil {
				return nil, err
			}
			db, err := r.open(slowLatency, 0)
			if err != nil {
				return nil, err
			}
			pages := sdkPages(r.server.client(slowLatency))
			return s.once(wallTime).measure([]string{nameOurs, nameSDK}, []func() error{
				func() error { return slowly(s.many, dynormPages(ctx, db)) },
				func() error { return slowly(s.many, func(yield func(*User) bool) error { return pages(ctx, yield) }) },
			})
		},
		table: peerTable,
	}
}

// slowly is the slow caller, of many items.
func slowly(many int, read func(yield func(*User) bool) error) error {
	n := 0
	err := read(func(*User) bool {
		if n++; n%slowEvery == 0 {
			time.Sleep(slowPause)
		}
		return true
	})
	if err == nil && n != many {
		err = fmt.Errorf("%d items, want %d", n, many)
	}
	return err
}

func dynormPages(ctx context.Context, db *dynorm.DB) func(func(*User) bool) error {
	return func(yield func(*User) bool) error {
		for u, err := range dynorm.ModelOf[User](db).Where(userTenant.Eq(tenant)).All(ctx) {
			if err != nil || !yield(u) {
				return err
			}
		}
		return nil
	}
}

// sdkPages reads as the SDK's documentation shows.
func sdkPages(client *dynamodb.Client) func(context.Context, func(*User) bool) error {
	return func(ctx context.Context, yield func(*User) bool) error {
		pages := dynamodb.NewQueryPaginator(client, &dynamodb.QueryInput{
			TableName:                 aws.String(tableName),
			KeyConditionExpression:    aws.String("pk = :pk AND begins_with(sk, :sk)"),
			ExpressionAttributeValues: item{":pk": text(partitionOf(tenant)), ":sk": text(skPrefix)},
		})
		for pages.HasMorePages() {
			out, err := pages.NextPage(ctx)
			if err != nil {
				return err
			}
			var page []User
			if err := attributevalue.UnmarshalListOfMaps(out.Items, &page); err != nil {
				return err
			}
			for i := range page {
				if !yield(&page[i]) {
					return nil
				}
			}
		}
		return nil
	}
}
