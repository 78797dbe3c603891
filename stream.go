package dynorm

import (
	"cmp"
	"context"
	"slices"
)

// stream reads the items of one branch, a page at a time and at most one page
// ahead.
type stream struct {
	r    *reader
	b    *branch
	n    int // of the branch
	from branchState

	start Item  // where the next page starts
	more  bool  // there may be another page
	begun bool  // a page has come
	items []row // read and not given out
	size  int   // items the last request evaluated at most
	ahead chan fetched

	// first and last are the items given out at either end.
	first, last row
	given       bool // there are any
}

// at is the state of having come to an item.
func (st *stream) at(w *row) branchState {
	return branchState{underWay, w.pick(st.r.p.placeAttrs()...)}
}

// ended reports whether nothing is left.
func (st *stream) ended() bool { return !st.more && len(st.items) == 0 }

// reached is how far the stream was given out.
func (st *stream) reached() branchState {
	switch whole := st.r.p.kind != OpQuery && st.r.p.kind != OpScan; {
	case whole && st.given:
		return branchState{phase: done}
	case len(st.items) == 0 && st.begun && st.more && !st.r.p.e.foreign(st.start):
		return branchState{underWay, st.start}
	case len(st.items) == 0 && st.begun && st.r.p.kind == OpScan:
		return branchState{phase: done}
	case st.given:
		return st.at(&st.last)
	}
	return st.from
}

// pop gives out the next item.
func (st *stream) pop() row {
	w := st.items[0]
	st.items = st.items[1:]
	if !st.given {
		st.first, st.given = w, true
	}
	st.last = w
	st.r.done.Items++
	return w
}

// fill makes sure that there is an item where there are any left.
func (st *stream) fill(ctx context.Context) (ok bool, err error) {
	for len(st.items) == 0 && st.more {
		if err := st.take(ctx); err != nil {
			return false, err
		}
	}
	return len(st.items) > 0, nil
}

// take takes the next page over, once the one before is given out.
func (st *stream) take(ctx context.Context) error {
	if st.begun && st.r.progress != nil {
		if err := st.r.report(true); err != nil {
			return err
		}
	}
	var page fetched
	if st.ahead != nil {
		page = <-st.ahead
		st.ahead = nil
	} else {
		page = st.fetch(ctx, st.pageLimit(), false)
	}
	if page.err != nil {
		return page.err
	}
	st.r.account(page)
	st.begun, st.items, st.start, st.more = true, page.items, page.last, page.last != nil
	if st.more && st.r.wants(len(st.items)) {
		st.prefetch(ctx)
	}
	return nil
}

// account adds what a page cost.
func (r *reader) account(page fetched) {
	r.done.Requests++
	r.done.Evaluated += page.evaluated
	r.done.ReadUnits += page.units
}

// prefetchFirst starts to read the first page.
func (st *stream) prefetchFirst(ctx context.Context) {
	if !st.begun && st.more && st.ahead == nil {
		st.prefetch(ctx)
	}
}

// prefetch starts to read the next page.
func (st *stream) prefetch(ctx context.Context) {
	ahead := make(chan fetched, 1)
	st.ahead = ahead
	limit := st.pageLimit()
	r := st.r
	r.tasks.Go(func() {
		select {
		case r.slots <- struct{}{}:
			ahead <- st.fetch(ctx, limit, false)
			<-r.slots
		case <-ctx.Done():
			ahead <- fetched{err: ctx.Err()}
		}
		if r.p.kind == OpScan && len(r.streams) > 1 {
			r.ready <- st
		}
	})
}

// The sizes of requests that a filter thins out. They grow until a request
// reads as much as DynamoDB lets it, 1 MB.
const (
	firstFiltered = 25
	growFiltered  = 4
	mostFiltered  = 5000
)

// pageLimit is the number of items that the next request evaluates, 0 for as
// many as 1 MB holds.
func (st *stream) pageLimit() int32 {
	r, filtered := st.r, st.b.request.filter != ""
	left := r.limit - r.done.Items
	switch {
	case r.pageSize > 0 && r.limit > 0 && !filtered:
		return int32(min(r.pageSize, left))
	case r.pageSize > 0:
		return int32(r.pageSize)
	case r.limit == 0:
		return 0
	case !filtered:
		return int32(left)
	case st.size == 0 && r.p.filtered:
		st.size = max(2*left, firstFiltered)
	case st.size == 0:
		// What is deleted or expired is rare.
		st.size = left + left/4 + 1
	default:
		st.size *= growFiltered
	}
	if st.size > mostFiltered {
		st.size = mostFiltered + 1
		return 0
	}
	return int32(st.size)
}

// runKeys reads items by their whole keys.
func (r *reader) runKeys(ctx context.Context, offer func(*stream) (bool, error)) error {
	if r.p.unique != nil {
		return r.runUnique(ctx, offer)
	}
	if r.p.merge {
		slices.SortStableFunc(r.streams, func(a, b stream) int { return a.compareWhole(&b) })
	}
	var keys []Item
	for i := range r.streams {
		if r.streams[i].more {
			keys = append(keys, r.streams[i].b.wholeKey(r.p))
		}
	}
	if len(keys) == 0 {
		return nil
	}
	rows, err := r.readKeys(ctx, keys)
	if err != nil {
		return err
	}
	byKey := make(map[string]row, len(rows))
	for _, w := range rows {
		byKey[w.keyID(r.p.e)] = w
	}
	for i := range r.streams {
		st := &r.streams[i]
		if !st.more {
			continue
		}
		w, found := byKey[r.p.e.keyID(st.b.wholeKey(r.p))]
		if st.more = false; !found || r.hides(&w) {
			continue
		}
		st.items = []row{w}
	}
	for i := range r.streams {
		if len(r.streams[i].items) == 0 {
			continue
		}
		if r.limit > 0 && r.done.Items == r.limit {
			return nil
		}
		if ok, err := offer(&r.streams[i]); !ok || err != nil {
			return err
		}
	}
	return nil
}

// compareWhole orders streams of one item each, as before does.
func (st *stream) compareWhole(other *stream) int {
	order := cmp.Or(cmp.Compare(st.b.sk.low[st.b.cut:], other.b.sk.low[other.b.cut:]), cmp.Compare(st.n, other.n))
	if st.r.p.forward != st.r.backward {
		return order
	}
	return -order
}
