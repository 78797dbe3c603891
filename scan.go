package dynorm

import (
	"context"
	"sync"
	"time"
)

// maxSegments is DynamoDB's limit of the segments of a parallel scan.
const maxSegments = 1_000_000

// Scan says how a query that no index answers reads the whole table. The zero
// value reads it from end to end, as fast as DynamoDB gives it.
type Scan struct {
	// Segments is the number of parts that the table is read in, up to
	// [Config.Concurrency] of them at a time; at most 1,000,000. Defaults to 1,
	// where the next page is read while the one before is decoded: more pay off
	// where the table has many pages for each.
	Segments int
	// ReadUnits bounds the read units used in a second. Defaults to no bound.
	ReadUnits float64
}

// AllowScan lets the query read the whole table, or the whole of the index it
// is pinned to, where no index answers it: every item of every entity is read
// and paid for, and what does not match is discarded. Items come in no order;
// OrderBy stays an ErrNoIndex. A query that an index answers runs on the index.
func (q Query[T]) AllowScan(how ...Scan) Query[T] { return Query[T]{q.s.allowScan(how)} }

func (s *queryState) allowScan(how []Scan) *queryState {
	s = s.with()
	s.opts.scan = &Scan{}
	for _, scan := range how {
		if scan.Segments < 0 || scan.Segments > maxSegments {
			return s.fail(faultf(ErrInvalid, "Scan.Segments is %d: give 1 to %d, or 0 for 1", scan.Segments, maxSegments))
		}
		if scan.ReadUnits < 0 {
			return s.fail(faultf(ErrInvalid, "Scan.ReadUnits is below 0"))
		}
		s.opts.scan = &scan
	}
	return s
}

// scan plans a scan, or says why there can be none.
func (pl *planner) scan(rejected []Candidate) *plan {
	path := pl.e.paths()[0]
	if pl.opts.index != "" {
		path = pl.pinned(pl.opts.index)
	}
	if reason, _ := pl.lacks(path, []branch{{residual: pl.conds}}); reason != "" {
		return nil
	}
	if len(pl.order) > 0 || path.kind == globalPath && pl.opts.consistency == strongly {
		return nil
	}
	p := &plan{
		e: pl.e, path: path, kind: OpScan, forward: true, filtered: true, hidden: pl.hidden, rejected: rejected,
		consistent: path.kind != globalPath && pl.opts.consistent(), readUnits: pl.opts.scan.ReadUnits,
	}
	segments := max(pl.opts.scan.Segments, 1)
	p.branches = make([]branch, segments)
	p.branches[0].residual = pl.conds
	pl.render(p, &p.branches[0])
	for i := range p.branches {
		p.branches[i].request = p.branches[0].request
		p.branches[i].segment, p.branches[i].segments = int32(i), int32(segments)
	}
	return p
}

// maxCatchUp bounds how far a paced scan that fell behind may hurry.
const maxCatchUp = 100 * time.Millisecond

// pace holds requests back so that they use no more than a number of read units
// a second.
type pace struct {
	perSecond float64
	mu        sync.Mutex
	next      time.Time // when the next request may go
}

// wait waits until a request may go.
func (p *pace) wait(ctx context.Context) error {
	p.mu.Lock()
	d := time.Until(p.next)
	p.mu.Unlock()
	if d <= 0 {
		return ctx.Err()
	}
	return sleep(ctx, d)
}

// spend accounts for what a request used.
func (p *pace) spend(units float64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	// What waiting overshot may be caught up on, but not what was never asked
	// for.
	if earliest := time.Now().Add(-maxCatchUp); p.next.Before(earliest) {
		p.next = earliest
	}
	p.next = p.next.Add(time.Duration(units / p.perSecond * float64(time.Second)))
}
