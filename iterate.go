package dynorm

import (
	"context"
	"iter"
	"unsafe"

	"golang.org/x/sync/errgroup"
)

// All returns an iterator over the items. It sends the requests that List would,
// a page at a time and one page ahead, and none after the loop is left. An error
// comes once, last, with a nil item. Each loop over it starts afresh.
func (q Query[T]) All(ctx context.Context) iter.Seq2[*T, error] {
	return func(yield func(*T, error) bool) {
		q.s.all(ctx, func(v unsafe.Pointer, err error) bool { return yield((*T)(v), err) })
	}
}

func (s *queryState) all(ctx context.Context, yield func(unsafe.Pointer, error) bool) {
	var err error
	ctx, tr := s.begin(ctx, "All")
	defer tr.end(&err)
	err = s.each(ctx, "All", 0, func(v unsafe.Pointer) (bool, error) { return yield(v, nil), nil })
	if err != nil {
		yield(nil, s.opError("All", err))
	}
}

// Pages returns an iterator over the pages, each as [Query.Page] returns it. An
// error comes once, last, with a nil page. Each loop over it starts afresh.
func (q Query[T]) Pages(ctx context.Context) iter.Seq2[*Page[T], error] {
	return func(yield func(*Page[T], error) bool) {
		q.s.pages(ctx, func(p *pageItems, err error) bool { return yield(pageOf[T](p), err) })
	}
}

func (s *queryState) pages(ctx context.Context, yield func(*pageItems, error) bool) {
	var err error
	ctx, tr := s.begin(ctx, "Pages")
	defer tr.end(&err)
	cursor := ""
	for {
		var p *pageItems
		if p, err = s.page(ctx, cursor); err != nil {
			yield(nil, err)
			return
		}
		if !yield(p, nil) || p.next == "" {
			return
		}
		// A cursor of After was for the first page.
		if cursor = p.next; s.opts.after != "" {
			s = s.after("")
		}
	}
}

// Chunk calls fn with up to n items at a time, in order, until they end or fn
// returns an error, which it then returns as it is. It costs what List costs.
func (q Query[T]) Chunk(ctx context.Context, n int, fn func(ctx context.Context, items []*T) error) error {
	return q.s.chunk(ctx, n, func(ctx context.Context, items []unsafe.Pointer) error { return fn(ctx, listOf[T](items)) })
}

func (s *queryState) chunk(ctx context.Context, n int, fn func(context.Context, []unsafe.Pointer) error) (err error) {
	ctx, tr := s.begin(ctx, "Chunk")
	defer tr.end(&err)
	if n < 1 {
		return s.opError("Chunk", faultf(ErrInvalid, "Chunk(%d): give 1 or more", n))
	}
	var (
		chunk []unsafe.Pointer
		own   error
	)
	err = s.each(ctx, "Chunk", 0, func(v unsafe.Pointer) (bool, error) {
		if chunk = append(chunk, v); len(chunk) == n {
			own = fn(ctx, chunk)
			chunk = nil
		}
		return own == nil, nil
	})
	if err == nil && own == nil && len(chunk) > 0 {
		own = fn(ctx, chunk)
	}
	if own != nil {
		return own
	}
	return s.opError("Chunk", err)
}

// ForEach calls fn with each item, up to [Config.Concurrency] calls at a time
// and in no order, until the items end or a call returns an error. The context
// of the others then ends, and ForEach returns that error as it is once all
// calls have. It costs what List costs.
func (q Query[T]) ForEach(ctx context.Context, fn func(ctx context.Context, item *T) error) error {
	return q.s.forEach(ctx, func(ctx context.Context, v unsafe.Pointer) error { return fn(ctx, (*T)(v)) })
}

func (s *queryState) forEach(ctx context.Context, fn func(context.Context, unsafe.Pointer) error) (err error) {
	ctx, tr := s.begin(ctx, "ForEach")
	defer tr.end(&err)
	if _, err := s.planned(); err != nil {
		return s.opError("ForEach", err)
	}
	g, inner := errgroup.WithContext(ctx)
	g.SetLimit(s.db.cfg.Concurrency)
	err = s.each(inner, "ForEach", 0, func(v unsafe.Pointer) (bool, error) {
		if err := inner.Err(); err != nil {
			return false, err
		}
		g.Go(func() error { return fn(inner, v) })
		return true, nil
	})
	if own := g.Wait(); own != nil {
		return own
	}
	return s.opError("ForEach", err)
}
