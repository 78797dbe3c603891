package dynorm

import (
	"context"
	"iter"
	"slices"
)

// defaultPage is the number of items in a page of a query without a limit.
const defaultPage = 100

// Page is a part of a query's items.
type Page[T any] struct {
	// Items are the items, in the order of the query.
	Items []*T
	// Next is the cursor of the page after this one, empty at the end. Prev is
	// that of the page before, empty at the beginning.
	Next, Prev string
}

// Page returns a page of as many items as the limit says, 100 without one: the
// first page for an empty cursor, else the one that the cursor of another page
// of the same query leads to. Pages neither repeat nor leave out an item, also
// where items are filtered out, inserted or deleted meanwhile.
//
// A cursor is opaque text for URLs and JSON. It holds the keys of the items
// next to it; [Config.CursorKeys] makes sure that none but this program made
// it. One that is damaged or belongs to another query is an [ErrCursor] before
// any request.
//
// It costs what List costs, with one item more.
func (q Query[T]) Page(ctx context.Context, cursor string) (*Page[T], error) {
	p, err := q.s.planned()
	if err != nil {
		return nil, q.s.opError("Page", err)
	}
	page, err := pageOf[T](ctx, q.s, p, cursor)
	return page, q.s.opError("Page", err)
}

func pageOf[T any](ctx context.Context, s *queryState, p *plan, cursor string) (*Page[T], error) {
	r := s.reader(p, "Page", 0)
	if r.limit == 0 {
		r.limit = defaultPage
	}
	items, next, prev, err := r.page(ctx, cursor)
	if err != nil {
		return nil, err
	}
	page := &Page[T]{Next: next, Prev: prev, Items: make([]*T, len(items))}
	for i, item := range items {
		if page.Items[i], err = decodeNew[T](s.e, item); err != nil {
			return nil, err
		}
	}
	return page, nil
}

// page reads the page that a cursor leads to.
func (r *reader) page(ctx context.Context, cursor string) (items []Item, next, prev string, err error) {
	states := make([]branchState, len(r.p.branches))
	if cursor != "" {
		pos, err := r.decode(cursor)
		if err != nil {
			return nil, "", "", err
		}
		r.backward, states = pos.backward, pos.states
	}
	r.open()
	for i := range r.streams {
		st := &r.streams[i]
		st.start, st.more = states[st.n].key, states[st.n].phase != done
	}
	// One item more tells whether there is a page behind this one.
	size := r.limit
	r.limit++
	more := false
	err = r.run(ctx, func(st *stream) (bool, error) {
		if more = len(items) == size; !more {
			items = append(items, st.pop())
		}
		return !more, nil
	})
	if err != nil {
		return nil, "", "", err
	}
	onward, back := r.positions(states)
	var ahead, behind string
	if more {
		if ahead, err = r.encode(onward); err != nil {
			return nil, "", "", err
		}
	}
	if cursor != "" {
		if behind, err = r.encode(back); err != nil {
			return nil, "", "", err
		}
	}
	if !r.backward {
		return items, ahead, behind, nil
	}
	slices.Reverse(items)
	return items, behind, ahead, nil
}

// positions returns where reading goes on after the page, and where it goes on
// in the other direction from before it. states is where the page began.
func (r *reader) positions(states []branchState) (onward, back position) {
	onward = position{backward: r.backward, states: slices.Clone(states)}
	back = position{backward: !r.backward, states: make([]branchState, len(states))}
	last := -1 // the last stream that gave out an item
	first := len(r.streams)
	for i := range r.streams {
		if r.streams[i].first != nil {
			last, first = i, min(first, i)
		}
	}
	for i := range r.streams {
		st := &r.streams[i]
		switch {
		case st.last == nil:
		case r.p.kind != OpQuery:
			onward.states[st.n] = branchState{phase: done}
		default:
			onward.states[st.n] = branchState{underWay, st.last}
		}
		if r.p.merge && r.p.kind == OpQuery {
			// The other way begins after the first item of this page, or of the
			// next where this one has none, or at the end.
			switch {
			case st.first != nil:
				back.states[st.n] = branchState{underWay, st.first}
			case len(st.items) > 0:
				back.states[st.n] = branchState{underWay, st.items[0]}
			}
			continue
		}
		switch {
		case last < 0: // an empty page lies at the end
		case i < last:
			onward.states[st.n] = branchState{phase: done}
		}
		switch {
		case i == first && r.p.kind == OpQuery:
			back.states[st.n] = branchState{underWay, st.first}
		case first < len(r.streams) && i >= first:
			back.states[st.n] = branchState{phase: done}
		}
	}
	return onward, back
}

// All returns an iterator over the items. It sends the requests that List would,
// a page at a time and one page ahead, and none after the loop is left. An error
// comes once, last, with a nil item. Each loop over it starts afresh.
func (q Query[T]) All(ctx context.Context) iter.Seq2[*T, error] {
	return func(yield func(*T, error) bool) {
		p, err := q.s.planned()
		if err == nil {
			err = q.s.reader(p, "All", 0).each(ctx, func(item Item) (bool, error) {
				v, err := decodeNew[T](q.s.e, item)
				if err != nil {
					return false, err
				}
				return yield(v, nil), nil
			})
		}
		if err != nil {
			yield(nil, q.s.opError("All", err))
		}
	}
}
