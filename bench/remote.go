package main

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/dynorm/dynorm"
)

// remote is the server with the tables that the rows over loopback read: one
// of many items of a partition, and one of Events over shards.
type remote struct {
	server *server
	users  []*User
}

// Event is an entity whose list is spread over shards.
type Event struct {
	_ dynorm.Entity `dynorm:"Event,list=8"`

	ID   string
	Text string
}

// eventTable is the table of Events, and events their number.
const (
	eventTable = "events"
	events     = 400
)

// reach returns the server, which it starts and fills the first time.
func (s *suite) reach(ctx context.Context) (_ *remote, err error) {
	if s.remote != nil {
		return s.remote, nil
	}
	r := &remote{users: sampleUsers(s.many)}
	if r.server, err = startServer(ctx); err != nil {
		return nil, err
	}
	s.remote = r
	return r, r.fill(ctx)
}

func (r *remote) fill(ctx context.Context) error {
	client := r.server.client(0)
	if err := createTable(ctx, client, tableName); err != nil {
		return err
	}
	raw := rawPeer(client, tableName)
	for batch := range slices.Chunk(r.users, batchSize) {
		if err := raw.batchWrite(ctx, batch); err != nil {
			return err
		}
	}
	db, err := r.events(0, 0)
	if err != nil {
		return err
	}
	if err := db.CreateTable(ctx); err != nil {
		return err
	}
	all := make([]*Event, events)
	for i := range all {
		all[i] = &Event{ID: fmt.Sprintf("%04d", i), Text: "something happened"}
	}
	return dynorm.ModelOf[Event](db).PutMany(ctx, all...)
}

// events returns the DB of Events.
func (r *remote) events(latency time.Duration, concurrency int) (*dynorm.DB, error) {
	schema, err := dynorm.NewSchema(Event{})
	if err != nil {
		return nil, err
	}
	return dynorm.Open(r.server.client(latency), schema, dynorm.Config{Table: eventTable, Concurrency: concurrency})
}

// open returns the DB of the users.
func (r *remote) open(latency time.Duration, concurrency int) (*dynorm.DB, error) {
	schema, err := dynorm.NewSchema(User{})
	if err != nil {
		return nil, err
	}
	return dynorm.Open(r.server.client(latency), schema, dynorm.Config{Table: tableName, Concurrency: concurrency})
}

// checkAll returns an error unless got are the server's users. Of so many it
// compares one in a hundred.
func (r *remote) checkAll(got []*User) error {
	if len(got) != len(r.users) {
		return fmt.Errorf("%d items, want %d", len(got), len(r.users))
	}
	for i := 0; i < len(got); i += 100 {
		if diff := cmp.Diff(r.users[i], got[i]); diff != "" {
			return fmt.Errorf("item %d (-want +got):\n%s", i, diff)
		}
	}
	return nil
}

// stop ends the server if there is one.
func (s *suite) stop() error {
	if s.remote == nil {
		return nil
	}
	return s.remote.server.stop()
}
