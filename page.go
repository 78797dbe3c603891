package dynorm

import (
	"context"
	"slices"
)

// defaultPage is the number of items in a page of a query without a limit.
const defaultPage = 100

// Page is a part of a query's items.
type Page[T any] struct {
	// Items are the items, in the order of the query.
	Items []*T
	// Next is the cursor of the page after this one, empty at the end. Prev is
	// that of the page before, empty at the beginning and for a scan, which
	// reads in one direction only.
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
	if s.opts.after != "" {
		if cursor != "" {
			return nil, faultf(ErrInvalid, "Page was given a cursor, and After another")
		}
		cursor = s.opts.after
	}
	r := readerOf[T](s, p, "Page", 0)
	if r.limit == 0 {
		r.limit = defaultPage
	}
	rows, next, prev, err := r.page(ctx, cursor)
	if err != nil {
		return nil, err
	}
	page := &Page[T]{Next: next, Prev: prev, Items: make([]*T, len(rows))}
	for i := range rows {
		if page.Items[i], err = foundBy[T](ctx, s, &rows[i]); err != nil {
			return nil, err
		}
	}
	return page, nil
}

// page reads the page that a cursor leads to.
func (r *reader) page(ctx context.Context, cursor string) (rows []row, next, prev string, err error) {
	if err := r.open(cursor); err != nil {
		return nil, "", "", err
	}
	// One item more tells whether there is a page behind this one.
	size := r.limit
	r.limit++
	more := false
	err = r.run(ctx, func(st *stream) (bool, error) {
		if more = len(rows) == size; !more {
			rows = append(rows, st.pop())
		}
		return !more, nil
	})
	if err != nil {
		return nil, "", "", err
	}
	onward, back := r.positions()
	var ahead, behind string
	if more {
		if ahead, err = r.encode(onward); err != nil {
			return nil, "", "", err
		}
	}
	if cursor != "" && r.p.kind != OpScan {
		if behind, err = r.encode(back); err != nil {
			return nil, "", "", err
		}
	}
	if !r.backward {
		return rows, ahead, behind, nil
	}
	slices.Reverse(rows)
	return rows, behind, ahead, nil
}
