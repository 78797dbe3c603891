package dynorm

import (
	"context"

	"golang.org/x/sync/errgroup"
)

// Exists reports whether an item matches. It costs what First costs, without
// the transfer of the item.
func (q Query[T]) Exists(ctx context.Context) (bool, error) {
	n, err := q.s.count(ctx, "Exists", 1)
	return n > 0, err
}

// Count returns the number of items, at most the limit. DynamoDB counts them
// without sending them, at the read units that List would cost. The key
// conditions of a query that has several are counted side by side.
func (q Query[T]) Count(ctx context.Context) (int, error) { return q.s.count(ctx, "Count", 0) }

func (s *queryState) count(ctx context.Context, op string, atMost int) (_ int, err error) {
	ctx, tr := s.begin(ctx, op)
	defer tr.end(&err)
	n, err := s.countItems(ctx, op, atMost)
	return n, s.opError(op, err)
}

func (s *queryState) countItems(ctx context.Context, op string, atMost int) (int, error) {
	p, err := s.planned()
	if err != nil {
		return 0, err
	}
	r := s.reader(p, op, atMost)
	if p.kind != OpQuery && p.kind != OpScan {
		err := r.each(ctx, s.opts.after, func(row) (bool, error) { return true, nil })
		return r.done.Items, err
	}
	if err := r.open(ctx, s.opts.after); err != nil {
		return 0, err
	}
	if r.limit > 0 {
		return r.countSome(ctx)
	}
	counts := make([]int, len(r.streams))
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(r.db.cfg.Concurrency)
	for i := range r.streams {
		g.Go(func() error {
			st := &r.streams[i]
			for st.more {
				n, err := st.countPage(ctx)
				if err != nil {
					return err
				}
				counts[i] += n
			}
			return nil
		})
	}
	if err := g.Wait(); err != nil {
		return 0, err
	}
	sum := 0
	for _, n := range counts {
		sum += n
	}
	return sum, nil
}

// countSome counts up to the limit, one branch after the other.
func (r *reader) countSome(ctx context.Context) (int, error) {
	for i := range r.streams {
		st := &r.streams[i]
		for st.more && r.done.Items < r.limit {
			n, err := st.countPage(ctx)
			if err != nil {
				return 0, err
			}
			r.done.Items += n
		}
	}
	return min(r.done.Items, r.limit), nil
}

func (st *stream) countPage(ctx context.Context) (int, error) {
	page := st.fetch(ctx, st.pageLimit(), true)
	st.start, st.more = page.last, page.last != nil
	return page.count, page.err
}
