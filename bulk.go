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
func (q Query[T]) Update(ctx context.Context, changes ...Change) (*Bulk[T], error) {
	b, err := q.s.bulkUpdate(ctx, changes)
	return bulkOf[T](b), err
}

func (s *queryState) bulkUpdate(ctx context.Context, changes []Change) (*bulk, error) {
	check := func() error { return s.checkChanges(changes) }
	return s.bulk(ctx, "Update", check, func(ctx context.Context, item Item, still []Predicate) (*mutation, error) {
		all := slices.Clip(changes)
		for _, p := range still {
			all = append(all, If(p))
		}
		return s.db.planUpdate(ctx, s.e, storedItem(item), all)
	})
}

// Delete deletes every item that matches, softly where the entity has soft
// deletes. It works and costs as Update does.
func (q Query[T]) Delete(ctx context.Context) (*Bulk[T], error) {
	b, err := q.s.bulkDelete(ctx)
	return bulkOf[T](b), err
}

func (s *queryState) bulkDelete(ctx context.Context) (*bulk, error) {
	return s.bulk(ctx, "Delete", nil, func(ctx context.Context, item Item, still []Predicate) (*mutation, error) {
		return s.db.planDelete(ctx, s.e, storedItem(item), still...)
	})
}

// ForceDelete deletes every item that matches for good, whether or not the
// entity has soft deletes. It works and costs as Update does.
func (q Query[T]) ForceDelete(ctx context.Context) (*Bulk[T], error) {
	b, err := q.s.bulkForceDelete(ctx)
	return bulkOf[T](b), err
}

func (s *queryState) bulkForceDelete(ctx context.Context) (*bulk, error) {
	return s.bulk(ctx, "ForceDelete", nil, func(ctx context.Context, item Item, still []Predicate) (*mutation, error) {
		return s.db.planForceDelete(ctx, s.e, "ForceDelete", storedItem(item), still...)
	})
}

// Restore brings every item that matches back from its soft deletion; the query
// has to ask for such items ([Query.OnlyTrashed]). It works and costs as Update
// does.
func (q Query[T]) Restore(ctx context.Context) (*Bulk[T], error) {
	b, err := q.s.bulkRestore(ctx)
	return bulkOf[T](b), err
}

func (s *queryState) bulkRestore(ctx context.Context) (*bulk, error) {
	return s.bulk(ctx, "Restore", nil, func(ctx context.Context, item Item, still []Predicate) (*mutation, error) {
		return s.db.planRestore(ctx, s.e, storedItem(item), still...)
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

// bulk is a [Bulk] of values without their type.
type bulk struct {
	changed, skipped int
	failed           []batchFailure
	next             string
}

// bulkOf is a bulk of pointers to a T as what it is.
func bulkOf[T any](b *bulk) *Bulk[T] {
	typed := &Bulk[T]{Changed: b.changed, Skipped: b.skipped, Next: b.next}
	for _, f := range b.failed {
		typed.Failed = append(typed.Failed, BulkFailure[T]{(*T)(f.value), f.err})
	}
	return typed
}

// bulkPlan plans the write of an item that still meets the predicates.
type bulkPlan func(ctx context.Context, item Item, still []Predicate) (*mutation, error)

// bulk writes the items of the query, where check, if it is not nil, lets it.
func (s *queryState) bulk(ctx context.Context, op string, check func() error, plan bulkPlan) (_ *bulk, err error) {
	ctx, tr := s.begin(ctx, op)
	defer tr.end(&err)
	b := &bulk{}
	if check != nil {
		err = check()
	}
	if err == nil {
		err = s.runBulk(ctx, op, plan, b)
	}
	return b, s.opError(op, err)
}

func (s *queryState) runBulk(ctx context.Context, op string, plan bulkPlan, b *bulk) error {
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
	if b.next, err = r.cursor(); err != nil {
		return err
	}
	var (
		batch []Item
		seen  = map[string]bool{} // a change may move an item ahead of the reader
	)
	write := func() error {
		err := s.writeBatch(ctx, batch, still, plan, p.path.projected == nil, b)
		batch = batch[:0]
		next, encErr := r.cursor()
		if b.next = next; encErr != nil {
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
		b.next = ""
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
func (s *queryState) writeBatch(ctx context.Context, batch []Item, still []Predicate, plan bulkPlan, whole bool, b *bulk) error {
	errs := make([]error, len(batch))
	var g errgroup.Group
	g.SetLimit(s.db.cfg.Concurrency)
	for i, item := range batch {
		g.Go(func() error {
			m, err := plan(ctx, item, still)
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
			b.changed++
		case errors.Is(err, ErrNotFound), errors.Is(err, ErrConditionFailed) && !errors.Is(err, ErrUnique):
			b.skipped++
		default:
			v, decodeErr := s.e.decodeNew(s.maker, batch[i], nil)
			if decodeErr != nil {
				err = errors.Join(err, decodeErr)
			}
			b.failed = append(b.failed, batchFailure{v, err})
			if first == nil {
				first = err
			}
		}
	}
	return first
}
