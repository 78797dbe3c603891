package dynorm

import (
	"context"
	"errors"
	"slices"

	"golang.org/x/sync/errgroup"

	"github.com/dynorm/dynorm/internal/expr"
)

// Bulk says what a write over a query did.
type Bulk[T any] struct {
	// Changed is the number of items written. Skipped is that of the items that
	// did not match any more when their turn came.
	Changed, Skipped int
	// Failed are the items that could not be written, with their errors.
	Failed []BulkFailure[T]
	// Next leads to the items that are not in Changed, Skipped or Failed, for
	// [Query.After]; empty when there are none.
	Next string
}

// BulkFailure is an item that a write over a query failed for.
type BulkFailure[T any] struct {
	Item *T
	Err  error
}

// bulkSize is the number of items that a write over a query reads before it
// writes them.
const bulkSize = 100

// Update changes every item that matches, as [Model.Update] does: each by a
// request of its own, up to [Config.Concurrency] at a time, under the condition
// that it still matches. It is not atomic. Where something fails it stops after
// the items in hand; the result says what was done, which items failed and
// where to go on, and the error is that of the first failure.
//
// It costs what List costs, and for each item what [Model.Update] costs. Limit
// bounds the number of items.
func (q Query[T]) Update(ctx context.Context, changes ...Change) (_ *Bulk[T], err error) {
	ctx, tr := q.s.begin(ctx, "Update")
	defer tr.end(&err)
	if err := q.s.checkChanges(changes); err != nil {
		return &Bulk[T]{}, q.s.opError("Update", err)
	}
	return bulk[T](ctx, q.s, "Update", func(item Item, still []Predicate) (*mutation, error) {
		all := slices.Clip(changes)
		for _, p := range still {
			all = append(all, If(p))
		}
		return q.s.db.planUpdate(ctx, q.s.e, storedItem(item), all)
	})
}

// Delete deletes every item that matches, softly where the entity has soft
// deletes. It works and costs as Update does.
func (q Query[T]) Delete(ctx context.Context) (_ *Bulk[T], err error) {
	ctx, tr := q.s.begin(ctx, "Delete")
	defer tr.end(&err)
	return bulk[T](ctx, q.s, "Delete", func(item Item, still []Predicate) (*mutation, error) {
		return q.s.db.planDelete(ctx, q.s.e, storedItem(item), still...)
	})
}

// ForceDelete deletes every item that matches for good, whether or not the
// entity has soft deletes. It works and costs as Update does.
func (q Query[T]) ForceDelete(ctx context.Context) (_ *Bulk[T], err error) {
	ctx, tr := q.s.begin(ctx, "ForceDelete")
	defer tr.end(&err)
	return bulk[T](ctx, q.s, "ForceDelete", func(item Item, still []Predicate) (*mutation, error) {
		return q.s.db.planForceDelete(ctx, q.s.e, "ForceDelete", storedItem(item), still...)
	})
}

// Restore brings every item that matches back from its soft deletion; the query
// has to ask for such items ([Query.OnlyTrashed]). It works and costs as Update
// does.
func (q Query[T]) Restore(ctx context.Context) (_ *Bulk[T], err error) {
	ctx, tr := q.s.begin(ctx, "Restore")
	defer tr.end(&err)
	return bulk[T](ctx, q.s, "Restore", func(item Item, still []Predicate) (*mutation, error) {
		return q.s.db.planRestore(ctx, q.s.e, storedItem(item), still...)
	})
}

// checkChanges refuses changes that no item takes.
func (s *queryState) checkChanges(changes []Change) error {
	if _, err := s.planned(); err != nil {
		return err
	}
	actions, conds, err := s.e.resolveChanges(nil, changes)
	if err == nil && len(actions) == 0 {
		err = faultf(ErrInvalid, "no changes given")
	}
	if err == nil {
		_, err = renderEach(s.e, conds, new(expr.Builder))
	}
	return err
}

func bulk[T any](ctx context.Context, s *queryState, op string, plan func(Item, []Predicate) (*mutation, error)) (*Bulk[T], error) {
	b := &Bulk[T]{}
	err := runBulk(ctx, s, op, plan, b)
	return b, s.opError(op, err)
}

func runBulk[T any](ctx context.Context, s *queryState, op string, plan func(Item, []Predicate) (*mutation, error), b *Bulk[T]) error {
	p, err := s.wholeItems()
	if err != nil {
		return err
	}
	still := slices.Clone(s.opts.where)
	for i := range p.hidden {
		still = append(still, p.hidden[i].asPredicate(s.db.cfg.Clock()))
	}
	r := s.reader(p, op, 0)
	report := r.progress
	r.progress = nil
	if err := r.open(ctx, s.opts.after); err != nil {
		return err
	}
	if b.Next, err = r.cursor(); err != nil {
		return err
	}
	var (
		batch []Item
		seen  = map[string]bool{} // a change may move an item ahead of the reader
	)
	write := func() error {
		err := writeBatch(ctx, s, batch, still, plan, p.path.projected == nil, b)
		batch = batch[:0]
		next, encErr := r.cursor()
		if b.Next = next; encErr != nil {
			return encErr
		}
		if report != nil {
			p := r.done
			p.Cursor = next
			report(p)
		}
		return err
	}
	err = r.run(ctx, func(st *stream) (bool, error) {
		w := st.pop()
		item, err := w.whole()
		if err != nil {
			return false, err
		}
		if id := s.e.keyID(item); !seen[id] {
			seen[id] = true
			batch = append(batch, item)
		}
		if len(batch) < bulkSize {
			return true, nil
		}
		err = write()
		return err == nil, err
	})
	if err == nil && len(batch) > 0 {
		err = write()
	}
	if err == nil && !slices.ContainsFunc(r.streams, func(st stream) bool { return !st.ended() }) {
		b.Next = ""
	}
	return err
}

// wholeItems is the plan of the query without its projection.
func (s *queryState) wholeItems() (*plan, error) {
	if s == nil || len(s.opts.selects) == 0 {
		return s.planned()
	}
	whole := &queryState{db: s.db, e: s.e, opts: s.opts, err: s.err}
	whole.opts.selects = nil
	return whole.planned()
}

// writeBatch writes items side by side and adds the outcome to b. whole says
// that the items were read with all of their attributes.
func writeBatch[T any](ctx context.Context, s *queryState, batch []Item, still []Predicate, plan func(Item, []Predicate) (*mutation, error), whole bool, b *Bulk[T]) error {
	errs := make([]error, len(batch))
	var g errgroup.Group
	g.SetLimit(s.db.cfg.Concurrency)
	for i, item := range batch {
		g.Go(func() error {
			m, err := plan(item, still)
			switch {
			case err != nil:
			case whole:
				err = s.db.mutateStored(ctx, m, item)
			default:
				_, err = s.db.mutate(ctx, m)
			}
			errs[i] = err
			return nil
		})
	}
	_ = g.Wait() // the errors are in errs
	var first error
	for i, err := range errs {
		switch {
		case err == nil:
			b.Changed++
		case errors.Is(err, ErrNotFound), errors.Is(err, ErrConditionFailed) && !errors.Is(err, ErrUnique):
			b.Skipped++
		default:
			v, decodeErr := decodeNew[T](s.e, batch[i], nil)
			if decodeErr != nil {
				err = errors.Join(err, decodeErr)
			}
			b.Failed = append(b.Failed, BulkFailure[T]{Item: v, Err: err})
			if first == nil {
				first = err
			}
		}
	}
	return first
}
