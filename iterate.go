package dynorm

import (
	"context"
	"iter"

	"golang.org/x/sync/errgroup"
)

// All returns an iterator over the items. It sends the requests that List would,
// a page at a time and one page ahead, and none after the loop is left. An error
// comes once, last, with a nil item. Each loop over it starts afresh.
func (q Query[T]) All(ctx context.Context) iter.Seq2[*T, error] {
	return func(yield func(*T, error) bool) {
		var err error
		ctx, tr := q.s.begin(ctx, "All")
		defer tr.end(&err)
		err = q.each(ctx, "All", func(v *T) (bool, error) { return yield(v, nil), nil })
		if err != nil {
			yield(nil, q.s.opError("All", err))
		}
	}
}

// Pages returns an iterator over the pages, each as [Query.Page] returns it. An
// error comes once, last, with a nil page. Each loop over it starts afresh.
func (q Query[T]) Pages(ctx context.Context) iter.Seq2[*Page[T], error] {
	return func(yield func(*Page[T], error) bool) {
		var err error
		ctx, tr := q.s.begin(ctx, "Pages")
		defer tr.end(&err)
		cursor := ""
		for {
			var page *Page[T]
			if page, err = q.Page(ctx, cursor); err != nil {
				yield(nil, err)
				return
			}
			if !yield(page, nil) || page.Next == "" {
				return
			}
			// A cursor of After was for the first page.
			if cursor = page.Next; q.s.opts.after != "" {
				q = q.After("")
			}
		}
	}
}

// Chunk calls fn with up to n items at a time, in order, until they end or fn
// returns an error, which it then returns as it is. It costs what List costs.
func (q Query[T]) Chunk(ctx context.Context, n int, fn func(ctx context.Context, items []*T) error) (err error) {
	ctx, tr := q.s.begin(ctx, "Chunk")
	defer tr.end(&err)
	if n < 1 {
		return q.s.opError("Chunk", faultf(ErrInvalid, "Chunk(%d): give 1 or more", n))
	}
	var (
		chunk []*T
		own   error
	)
	err = q.each(ctx, "Chunk", func(v *T) (bool, error) {
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
	return q.s.opError("Chunk", err)
}

// ForEach calls fn with each item, up to [Config.Concurrency] calls at a time
// and in no order, until the items end or a call returns an error. The context
// of the others then ends, and ForEach returns that error as it is once all
// calls have. It costs what List costs.
func (q Query[T]) ForEach(ctx context.Context, fn func(ctx context.Context, item *T) error) (err error) {
	ctx, tr := q.s.begin(ctx, "ForEach")
	defer tr.end(&err)
	if _, err := q.s.planned(); err != nil {
		return q.s.opError("ForEach", err)
	}
	g, inner := errgroup.WithContext(ctx)
	g.SetLimit(q.s.db.cfg.Concurrency)
	err = q.each(inner, "ForEach", func(v *T) (bool, error) {
		if err := inner.Err(); err != nil {
			return false, err
		}
		g.Go(func() error { return fn(inner, v) })
		return true, nil
	})
	if own := g.Wait(); own != nil {
		return own
	}
	return q.s.opError("ForEach", err)
}

// each gives out the items until yield wants no more.
func (q Query[T]) each(ctx context.Context, op string, yield func(*T) (bool, error)) error {
	p, err := q.s.planned()
	if err != nil {
		return err
	}
	return readerOf[T](q.s, p, op, 0).each(ctx, q.s.opts.after, func(w row) (bool, error) {
		v, err := decodeFor[T](ctx, q.s, &w)
		if err != nil {
			return false, err
		}
		return yield(v)
	})
}
