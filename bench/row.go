package main

import (
	"context"
	"slices"
	"time"
)

// row is one table of the report.
type row struct {
	name string
	// note says what the table shows where the head of the report does not.
	note string
	// measure takes the figures.
	measure func(context.Context) ([]measured, error)
	// table renders them.
	table func([]measured) string
}

// suite is what the rows are measured on.
type suite struct {
	method
	// many is how many items the rows over loopback read.
	many   int
	users  []*User
	stub   stub
	peers  []peer
	remote *remote // the server in another process, once it is started
}

// newSuite returns a suite whose peers go to a stub. They are checked to read
// what it answers.
func newSuite(ctx context.Context, m method, many int) (*suite, error) {
	s := &suite{method: m, many: many, users: sampleUsers(pageSize)}
	var err error
	if s.stub, err = newStub(ctx, s.users); err != nil {
		return nil, err
	}
	if s.peers, err = peersOn(clientOn(s.stub), tableName); err != nil {
		return nil, err
	}
	return s, checkAnswers(ctx, s.peers, s.users)
}

// rows returns all rows, in the order of the report.
func (s *suite) rows() []row {
	return slices.Concat(s.peerRows(), []row{
		s.aboveRow(), s.pagesRow(), s.slowCallerRow(),
		s.batchGetRow(), s.batchWriteRow(), s.scanRow(), s.shardsRow(),
		s.keptRow(), s.schemaRow(), coldRow(max(s.passes, coldPasses), "-trimpath", "-ldflags=-s -w"),
	})
}

// peerRow is the same work done by every peer over the stub.
type peerRow struct {
	name string
	// call returns the work as the peer does it.
	call func(ctx context.Context, p peer) func() error
}

// tableName is the table of the peers.
const tableName = "bench"

// pageSize, batchSize and txSize are the items in the rows named by them.
const (
	pageSize  = 100
	batchSize = 25
	txSize    = 10
)

// Names of rows that are looked up by them.
const (
	rowEncode   = "Encode 12 fields"
	rowDecode   = "Decode 12 fields"
	rowGet      = "GetItem"
	rowPut      = "PutItem"
	rowUpdate   = "UpdateItem, 3 sets"
	rowQuery    = "Query, 100 items"
	rowBatch    = "BatchWrite, 25 items"
	rowTransact = "TransactWrite, 10 items"
)

// sampleChanges are those of the UpdateItem rows.
var sampleChanges = changes{name: "Ada King", status: "archived", logins: 7}

func peerCalls(users []*User) []peerRow {
	one := users[0]
	encoded := userItem(one)
	return []peerRow{
		{rowEncode, func(_ context.Context, p peer) func() error {
			return func() error { _, err := p.encode(one); return err }
		}},
		{rowDecode, func(_ context.Context, p peer) func() error {
			return func() error { return p.decode(encoded, new(User)) }
		}},
		{rowGet, func(ctx context.Context, p peer) func() error {
			return func() error { _, err := p.get(ctx, one.TenantID, one.ID); return err }
		}},
		{rowPut, func(ctx context.Context, p peer) func() error {
			return func() error { return p.put(ctx, one) }
		}},
		{rowUpdate, func(ctx context.Context, p peer) func() error {
			return func() error { _, err := p.update(ctx, one.TenantID, one.ID, sampleChanges); return err }
		}},
		{rowQuery, func(ctx context.Context, p peer) func() error {
			return func() error { _, err := p.query(ctx, tenant); return err }
		}},
		{rowBatch, func(ctx context.Context, p peer) func() error {
			return func() error { return p.batchWrite(ctx, users[:batchSize]) }
		}},
		{rowTransact, func(ctx context.Context, p peer) func() error {
			return func() error { return p.transactWrite(ctx, users[:txSize]) }
		}},
	}
}

func (s *suite) peerRows() []row {
	var rows []row
	for _, r := range peerCalls(s.users) {
		rows = append(rows, row{
			name: r.name,
			measure: func(ctx context.Context) ([]measured, error) {
				return s.measurePeers(s.peers, func(p peer) func() error { return r.call(ctx, p) })
			},
			table: peerTable,
		})
	}
	return rows
}

// measurePeers measures the same call of every peer.
func (m method) measurePeers(peers []peer, call func(peer) func() error) ([]measured, error) {
	var (
		names []string
		calls []func() error
	)
	for _, p := range peers {
		names, calls = append(names, p.name), append(calls, call(p))
	}
	return m.measure(names, calls)
}

// once is the suite's method by another clock, with one call of each a pass.
func (s *suite) once(clock func() time.Duration) method {
	return method{clock: clock, passes: s.passes}
}
