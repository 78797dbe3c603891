package dynorm

import (
	"cmp"
	"context"
	"slices"
	"sync"
	"time"
)

// reader runs a plan once.
type reader struct {
	db       *DB
	p        *plan
	op       string // the call, as named in the API
	pageSize int
	read     rowReader // how the wire codec reads items
	tenant   Tenant    // whose items they are
	limit    int       // items to give out, 0 for no bound
	backward bool
	now      time.Time
	streams  []stream // one a branch, in reading order

	// slots bounds the requests in flight; tasks are the goroutines that send
	// them, ready the streams whose page has come, where any may be next.
	slots chan struct{}
	tasks sync.WaitGroup
	ready chan *stream

	pace     *pace // nil without a bound
	progress func(Progress)
	done     Progress // but for the cursor
}

// Progress says how far a call has come.
type Progress struct {
	// Items is the number of items found so far.
	Items int
	// Requests is the number of requests answered so far, Evaluated that of the
	// items that they read, before the filter.
	Requests, Evaluated int
	// ReadUnits are the read units used so far.
	ReadUnits float64
	// Cursor leads to the items that are still to come: see [Query.After]. It
	// is empty at the end.
	Cursor string
}

// reader returns a reader of the query's plan. atMost bounds the items further
// where it is not 0.
func (s *queryState) reader(p *plan, op string, atMost int) *reader {
	r := &reader{db: s.db, p: p, op: op, pageSize: s.opts.pageSize, read: readRaw, limit: s.opts.limit, now: s.db.cfg.Clock(), progress: s.opts.progress}
	if atMost > 0 && (r.limit == 0 || atMost < r.limit) {
		r.limit = atMost
	}
	if p.readUnits > 0 {
		r.pace = &pace{perSecond: p.readUnits}
	}
	return r
}

// open makes the streams, in reading order, at the place that a cursor tells;
// an empty one is the beginning.
func (r *reader) open(ctx context.Context, cursor string) (err error) {
	if r.tenant, err = r.db.tenant(ctx); err != nil {
		return err
	}
	return r.start(cursor)
}

// start is open for the tenant that is known.
func (r *reader) start(cursor string) error {
	states := make([]branchState, len(r.p.branches))
	if cursor != "" {
		pos, err := r.decode(cursor)
		if err != nil {
			return err
		}
		r.backward, states = pos.backward, pos.states
	}
	r.streams = make([]stream, len(r.p.branches))
	for i := range r.streams {
		n := i
		if r.backward && !r.p.merge {
			n = len(r.streams) - 1 - i
		}
		st := &r.streams[i]
		st.r, st.b, st.n, st.from = r, &r.p.branches[n], n, states[n]
		st.start, st.more = st.from.key, st.from.phase != done && !r.endsAt(st.b, st.from.key)
	}
	return nil
}

// endsAt reports whether nothing of a branch can follow a place in the table:
// DynamoDB refuses to start there.
func (r *reader) endsAt(b *branch, place Item) bool {
	if place == nil || r.p.kind != OpQuery || r.p.path.index != "" {
		return false
	}
	w := content{item: place}
	return b.sk.endsAt(w.text(r.p.path.sk.attr), r.p.forward != r.backward)
}

// each gives out the items from a cursor on until yield wants no more.
func (r *reader) each(ctx context.Context, cursor string, yield func(row) (bool, error)) error {
	if err := r.open(ctx, cursor); err != nil {
		return err
	}
	return r.run(ctx, func(st *stream) (bool, error) { return yield(st.pop()) })
}

// run offers each stream that has the next item until that is refused. No
// request is in flight when it returns.
func (r *reader) run(ctx context.Context, offer func(*stream) (bool, error)) (err error) {
	if err := ctx.Err(); err != nil {
		return err
	}
	defer func() {
		if err == nil && r.progress != nil {
			err = r.report(false)
		}
	}()
	switch r.p.kind {
	case "":
		return nil
	case OpGetItem, OpBatchGetItem:
		return r.runKeys(ctx, offer)
	}
	ctx, cancel := context.WithCancel(ctx)
	r.slots = make(chan struct{}, r.db.cfg.Concurrency)
	r.ready = make(chan *stream, len(r.streams))
	defer r.tasks.Wait()
	defer cancel()
	for r.limit == 0 || r.done.Items < r.limit {
		st, err := r.next(ctx)
		if st == nil || err != nil {
			return err
		}
		if ok, err := offer(st); !ok || err != nil {
			return err
		}
	}
	return nil
}

// next returns the stream whose item comes next, nil at the end.
func (r *reader) next(ctx context.Context) (*stream, error) {
	switch {
	case r.p.kind == OpScan && len(r.streams) > 1:
		return r.nextOfAny(ctx)
	case r.p.merge:
		return r.nextInOrder(ctx)
	}
	for i := range r.streams {
		st := &r.streams[i]
		if st.ended() {
			continue
		}
		if r.limit == 0 {
			for j := i + 1; j < min(i+cap(r.slots), len(r.streams)); j++ {
				r.streams[j].prefetchFirst(ctx)
			}
		}
		if ok, err := st.fill(ctx); ok || err != nil {
			return st, err
		}
	}
	return nil, nil
}

// nextInOrder merges the streams.
func (r *reader) nextInOrder(ctx context.Context) (*stream, error) {
	for i := range r.streams {
		r.streams[i].prefetchFirst(ctx)
	}
	var best *stream
	for i := range r.streams {
		st := &r.streams[i]
		ok, err := st.fill(ctx)
		if err != nil {
			return nil, err
		}
		if ok && (best == nil || st.before(best)) {
			best = st
		}
	}
	return best, nil
}

// nextOfAny takes the streams as their pages come.
func (r *reader) nextOfAny(ctx context.Context) (*stream, error) {
	for {
		inFlight := false
		for i := range r.streams {
			st := &r.streams[i]
			if len(st.items) > 0 {
				return st, nil
			}
			if st.more && st.ahead == nil {
				st.prefetch(ctx)
			}
			inFlight = inFlight || st.ahead != nil
		}
		if !inFlight {
			return nil, nil
		}
		if err := (<-r.ready).take(ctx); err != nil {
			return nil, err
		}
	}
}

// before reports whether the item of st goes before that of other.
func (st *stream) before(other *stream) bool {
	order := 0
	if path := st.r.p.path; path.native {
		order = path.compareNative(st.sortKey(), other.sortKey(), st.b.cut)
	} else {
		order = cmp.Compare(st.sortText(), other.sortText())
	}
	order = cmp.Or(order, cmp.Compare(st.n, other.n))
	if st.r.p.forward != st.r.backward {
		return order < 0
	}
	return order > 0
}

// sortText is what the next item of the stream is merged by.
func (st *stream) sortText() string {
	w := &st.items[0]
	if w.sort == "" {
		w.sort = w.text(st.r.p.path.sk.attr)
	}
	if len(w.sort) < st.b.cut {
		return ""
	}
	return w.sort[st.b.cut:]
}

// sortKey is what the next item of a stream of a native index is merged by.
func (st *stream) sortKey() Item {
	w := &st.items[0]
	if w.key == nil {
		w.key = w.pick(st.r.p.path.sk.attrs...)
	}
	return w.key
}

// wants reports whether more items will be needed than are at hand.
func (r *reader) wants(atHand int) bool {
	if r.limit == 0 {
		return true
	}
	return len(r.streams) == 1 && r.limit-r.done.Items > atHand
}

// report tells the caller how far the reader has come.
func (r *reader) report(mid bool) error {
	if r.progress == nil {
		return nil
	}
	p := r.done
	ended := !mid && !slices.ContainsFunc(r.streams, func(st stream) bool { return !st.ended() })
	if !ended {
		var err error
		if p.Cursor, err = r.cursor(); err != nil {
			return err
		}
	}
	r.progress(p)
	return nil
}

// cursor leads to the items that are still to be given out.
func (r *reader) cursor() (string, error) {
	onward, _ := r.positions()
	return r.encode(onward)
}

// positions returns where reading goes on after what was given out, and where
// it goes on in the other direction from before it.
func (r *reader) positions() (onward, back position) {
	n := len(r.streams)
	onward = position{backward: r.backward, states: make([]branchState, n)}
	back = position{backward: !r.backward, states: make([]branchState, n)}
	first, last := n, -1 // the streams that gave items out
	for i := range r.streams {
		if r.streams[i].given {
			first, last = min(first, i), i
		}
	}
	for i := range r.streams {
		st := &r.streams[i]
		onward.states[st.n] = st.reached()
		if r.p.merge && r.p.kind == OpQuery {
			// The other way begins after the first item given out, or the next
			// where there is none, or at the end.
			switch {
			case st.given:
				back.states[st.n] = st.at(&st.first)
			case len(st.items) > 0:
				back.states[st.n] = st.at(&st.items[0])
			}
			continue
		}
		if i < last && r.p.kind != OpScan {
			onward.states[st.n] = branchState{phase: done}
		}
		switch {
		case i == first && r.p.kind == OpQuery:
			back.states[st.n] = st.at(&st.first)
		case i >= first:
			back.states[st.n] = branchState{phase: done}
		}
	}
	return onward, back
}
