package dynorm

import (
	"context"
	"slices"
	"unsafe"
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
	p, err := q.s.page(ctx, cursor)
	return pageOf[T](p), err
}

// pageItems is a [Page] of values without their type.
type pageItems struct {
	items      []unsafe.Pointer
	next, prev string
}

// pageOf returns a page of pointers to a T as what it is.
func pageOf[T any](p *pageItems) *Page[T] {
	if p == nil {
		return nil
	}
	return &Page[T]{Items: listOf[T](p.items), Next: p.next, Prev: p.prev}
}

func (s *queryState) page(ctx context.Context, cursor string) (_ *pageItems, err error) {
	ctx, tr := s.begin(ctx, "Page")
	defer tr.end(&err)
	p, err := s.planned()
	if err != nil {
		return nil, s.opError("Page", err)
	}
	found, err := s.readPage(ctx, p, cursor)
	return found, s.opError("Page", err)
}

func (s *queryState) readPage(ctx context.Context, p *plan, cursor string) (*pageItems, error) {
	if s.opts.after != "" {
		if cursor != "" {
			return nil, faultf(ErrInvalid, "Page was given a cursor, and After another")
		}
		cursor = s.opts.after
	}
	r := s.decoder(p, "Page", 0)
	if r.limit == 0 {
		r.limit = defaultPage
	}
	rows, next, prev, err := r.page(ctx, cursor)
	if err != nil {
		return nil, err
	}
	found := &pageItems{next: next, prev: prev, items: make([]unsafe.Pointer, len(rows))}
	after := s.db.afterFind(ctx, s.e)
	for i := range rows {
		if found.items[i], err = s.decode(ctx, &rows[i], after); err != nil {
			return nil, err
		}
	}
	return found, nil
}

// page reads the page that a cursor leads to.
func (r *reader) page(ctx context.Context, cursor string) (rows []row, next, prev string, err error) {
	if err := r.open(ctx, cursor); err != nil {
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
