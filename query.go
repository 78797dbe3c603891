package dynorm

import (
	"context"
	"slices"
	"sync"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// Query is a question about the items of one entity. It is an immutable value:
// each method returns a new query, so that one query may be shared, kept in a
// variable and built upon from several goroutines. What is wrong with a query
// comes out of the call that runs it, before any request.
//
// A query is planned once, when it first runs or is explained: onto the table
// or one index, by its conditions and order and never by the order of calls.
// What no index answers is an [ErrNoIndex].
type Query[T any] struct{ s *queryState }

// queryState is a query and its plan, shared by the copies of a Query.
type queryState struct {
	db   *DB
	e    *entity
	opts queryOptions
	err  error // the first error of a call

	once    sync.Once
	plan    *plan
	planErr error
}

// queryOptions are what the methods of a Query say.
type queryOptions struct {
	where       []Predicate
	order       []orderTerm
	limit       int
	pageSize    int
	index       string
	selects     []fieldRef
	consistency consistency
	strong      bool // what consistency means where the query does not say
	trashed     trashed
	expired     bool
	hydrate     bool
	scan        *Scan // nil where none is allowed
	raw         *rawKey
	after       string
	progress    func(Progress)
}

func (o *queryOptions) consistent() bool {
	return o.consistency == strongly || o.consistency == byConfig && o.strong
}

type consistency uint8

const (
	byConfig consistency = iota
	strongly
	eventually
)

// trashed says which items a query sees of an entity with soft deletes.
type trashed uint8

const (
	withoutTrashed trashed = iota
	withTrashed
	onlyTrashed
)

// Query returns the query for all items of the model's entity, to be narrowed.
func (m Model[T]) Query() Query[T] { return newQuery[T](m.db, m.e, m.fault()).Scope(m.scopes...) }

func newQuery[T any](db *DB, e *entity, err error) Query[T] {
	s := &queryState{db: db, e: e, err: err}
	if db != nil {
		s.opts.strong = db.cfg.Consistent
	}
	return Query[T]{s}
}

// Where returns the query for the items that meet all predicates.
func (m Model[T]) Where(predicates ...Predicate) Query[T] {
	q := newQuery[T](m.db, m.e, m.fault())
	q.s.opts.where = slices.Clone(predicates)
	return q.Scope(m.scopes...)
}

// with returns a copy of the query to change.
func (q Query[T]) with() Query[T] {
	if q.s == nil {
		return Query[T]{&queryState{err: faultf(ErrInvalid, "a zero Query asks nothing: get one from a Model")}}
	}
	return Query[T]{&queryState{db: q.s.db, e: q.s.e, opts: q.s.opts, err: q.s.err}}
}

func (q Query[T]) fail(err error) Query[T] {
	if q.s.err == nil {
		q.s.err = err
	}
	return q
}

// Where narrows the query to items that meet all predicates too.
func (q Query[T]) Where(predicates ...Predicate) Query[T] {
	q = q.with()
	q.s.opts.where = append(slices.Clip(q.s.opts.where), predicates...)
	return q
}

// OrderBy sorts by a field, least first, after the fields given before. The
// order is that of an index or of the table; what none has is an ErrNoIndex.
// Without an order, items come in that of the sort key that is read.
func (q Query[T]) OrderBy(field string) Query[T] { return q.orderBy(field, false) }

// OrderByDesc sorts by a field as OrderBy does, greatest first.
func (q Query[T]) OrderByDesc(field string) Query[T] { return q.orderBy(field, true) }

func (q Query[T]) orderBy(field string, desc bool) Query[T] {
	q = q.with()
	q.s.opts.order = append(slices.Clip(q.s.opts.order), orderTerm{ref: named(field), name: field, desc: desc})
	return q
}

// Limit bounds the number of items returned; 0 means no bound.
func (q Query[T]) Limit(n int) Query[T] {
	q = q.with()
	if n < 0 {
		return q.fail(faultf(ErrInvalid, "Limit(%d): give 0 or more", n))
	}
	q.s.opts.limit = n
	return q
}

// PageSize sets the number of items that each request reads, before the filter.
// Without it requests read as much as the limit asks for, or 1 MB.
func (q Query[T]) PageSize(n int) Query[T] {
	q = q.with()
	if n < 1 {
		return q.fail(faultf(ErrInvalid, "PageSize(%d): give 1 or more", n))
	}
	q.s.opts.pageSize = n
	return q
}

// Index pins the query to an index, by DynamoDB's name for it or by what
// declared it: the name of an index, field or relation. A pinned query reads
// the entries of that index and no others: items without an entry are not
// found.
func (q Query[T]) Index(name string) Query[T] {
	q = q.with()
	if name == "" {
		return q.fail(faultf(ErrInvalid, "Index was given no name"))
	}
	q.s.opts.index = name
	return q
}

// Consistent makes the reads strongly consistent, at twice the read units. A
// global index has no such reads: a query that only one answers is an
// ErrInvalid.
func (q Query[T]) Consistent() Query[T] {
	q = q.with()
	q.s.opts.consistency = strongly
	return q
}

// Eventual makes the reads eventually consistent where [Config.Consistent] says
// otherwise.
func (q Query[T]) Eventual() Query[T] {
	q = q.with()
	q.s.opts.consistency = eventually
	return q
}

// Select reads the given fields only; those that make up the key are read with
// them, all others are zero in the items returned. It spares transfer and
// decoding, not read units.
func (q Query[T]) Select(fields ...string) Query[T] {
	q = q.with()
	if len(fields) == 0 {
		return q.fail(faultf(ErrInvalid, "Select was given no fields"))
	}
	q.s.opts.selects = slices.Clip(q.s.opts.selects)
	for _, field := range fields {
		q.s.opts.selects = append(q.s.opts.selects, named(field))
	}
	return q
}

// WithTrashed includes items that were deleted softly.
func (q Query[T]) WithTrashed() Query[T] { return q.setTrashed(withTrashed) }

// OnlyTrashed finds only items that were deleted softly.
func (q Query[T]) OnlyTrashed() Query[T] { return q.setTrashed(onlyTrashed) }

func (q Query[T]) setTrashed(t trashed) Query[T] {
	q = q.with()
	if q.s.err == nil && q.s.e.deletedAttr == "" {
		return q.fail(faultf(ErrInvalid, "%s has no soft deletes: add the trait `softdelete`", q.s.e.def.Name))
	}
	q.s.opts.trashed = t
	return q
}

// IncludeExpired includes items whose time to live has passed and that DynamoDB
// has not yet deleted.
func (q Query[T]) IncludeExpired() Query[T] {
	q = q.with()
	q.s.opts.expired = true
	return q
}

// After starts the query at a cursor: that of a [Page], or of the [Progress] of
// a call that did not come to its end.
func (q Query[T]) After(cursor string) Query[T] {
	q = q.with()
	q.s.opts.after = cursor
	return q
}

// OnProgress has fn called after each page of a call that reads several, from
// the goroutine of the caller.
func (q Query[T]) OnProgress(fn func(Progress)) Query[T] {
	q = q.with()
	q.s.opts.progress = fn
	return q
}

// Explain plans the query without running it.
func (q Query[T]) Explain() (*Plan, error) {
	if _, err := q.s.planned(); err != nil {
		return nil, q.s.opError("Explain", err)
	}
	p, err := q.s.makePlan(true)
	if err != nil {
		return nil, q.s.opError("Explain", err)
	}
	return p.explain(), nil
}

// planned returns the query's plan, made at the first call.
func (s *queryState) planned() (*plan, error) {
	if s == nil {
		return nil, faultf(ErrInvalid, "a zero Query asks nothing: get one from a Model")
	}
	s.once.Do(func() {
		if s.planErr = s.err; s.planErr == nil {
			s.plan, s.planErr = s.makePlan(false)
			if s.planErr == errUnanswered { //nolint:errorlint // it is never wrapped
				s.plan, s.planErr = s.makePlan(true)
			}
		}
	})
	return s.plan, s.planErr
}

// makePlan plans the query; with verbose the plan knows why each other path was
// not taken.
func (s *queryState) makePlan(verbose bool) (*plan, error) {
	pl := &planner{e: s.e, opts: &s.opts, verbose: verbose}
	pl.conds = make([]cond, 0, len(s.opts.where))
	r := resolver{e: s.e, vals: make([]types.AttributeValue, 0, len(s.opts.where))}
	for i := range s.opts.where {
		c, err := r.resolve(&s.opts.where[i])
		if err != nil {
			return nil, err
		}
		pl.conds = flatten(pl.conds, &c)
	}
	slices.SortStableFunc(pl.conds, compareConds)
	pl.hide()
	for _, term := range s.opts.order {
		f, err := term.ref.resolve(s.e)
		if err != nil {
			return nil, err
		}
		term.attr, term.name = attrID(f), f.Name
		if slices.ContainsFunc(pl.order, func(t orderTerm) bool { return t.attr == term.attr }) {
			return nil, atField(f.Name, faultf(ErrInvalid, "the query is sorted by it twice"))
		}
		if !pl.fixes(term.attr) {
			pl.order = append(pl.order, term)
		}
	}
	if err := pl.resolveSelects(); err != nil {
		return nil, err
	}
	if s.opts.raw != nil {
		return pl.planRaw()
	}
	return pl.plan()
}

// hide adds the conditions on deleted and expired items.
func (pl *planner) hide() {
	if attr := pl.e.deletedAttr; attr != "" {
		switch pl.opts.trashed {
		case withoutTrashed:
			pl.hidden = append(pl.hidden, cond{op: opNotExists, attr: attr})
		case onlyTrashed:
			pl.hidden = append(pl.hidden, cond{op: opExists, attr: attr})
		}
	}
	if attr := pl.e.ttlAttr; attr != "" && !pl.opts.expired {
		pl.hidden = append(pl.hidden, notExpired(attr))
	}
}

// opError puts the call, the entity and the index around err.
func (s *queryState) opError(op string, err error) error {
	if err == nil {
		return nil
	}
	if s == nil {
		return opError(op, nil, err)
	}
	err = opError(op, s.e, err)
	if oe, ok := err.(*Error); ok && oe.Index == "" && s.plan != nil { //nolint:errorlint // opError returns it bare
		oe.Index = s.plan.path.index
	}
	return err
}

// List returns the items, nil where there are none.
//
// It sends Query requests until the limit is reached or the items end: a
// request for each 1 MB read. Where the whole key is given it sends one GetItem
// or BatchGetItem instead. A filter discards items after they were paid for.
func (q Query[T]) List(ctx context.Context) (_ []*T, err error) {
	ctx, tr := q.s.begin(ctx, "List")
	defer tr.end(&err)
	list, err := collect[T](ctx, q.s, "List", 0)
	return list, q.s.opError("List", err)
}

// First returns the first item in the order of the query, or [ErrNotFound] if
// none matches. It sends Query requests of one item, larger ones while a filter
// discards items.
func (q Query[T]) First(ctx context.Context) (_ *T, err error) {
	ctx, tr := q.s.begin(ctx, "First")
	defer tr.end(&err)
	list, err := collect[T](ctx, q.s, "First", 1)
	if err == nil && len(list) == 0 {
		err = ErrNotFound
	}
	if err != nil {
		return nil, q.s.opError("First", err)
	}
	return list[0], nil
}

// One returns the only item that matches: none is an [ErrNotFound], a second an
// [ErrTooMany]. It costs what First costs, with one item more.
func (q Query[T]) One(ctx context.Context) (_ *T, err error) {
	ctx, tr := q.s.begin(ctx, "One")
	defer tr.end(&err)
	list, err := collect[T](ctx, q.s, "One", 2)
	switch {
	case err != nil:
	case len(list) == 0:
		err = ErrNotFound
	case len(list) > 1:
		err = ErrTooMany
	default:
		return list[0], nil
	}
	return nil, q.s.opError("One", err)
}

// collect returns the items of a query, at most max where it is not 0.
func collect[T any](ctx context.Context, s *queryState, op string, atMost int) ([]*T, error) {
	p, err := s.planned()
	if err != nil {
		return nil, err
	}
	var list []*T
	err = readerOf[T](s, p, op, atMost).each(ctx, s.opts.after, func(w row) (bool, error) {
		v, err := decodeFor[T](ctx, s, &w)
		list = append(list, v)
		return true, err
	})
	if err != nil {
		return nil, err
	}
	return list, nil
}

// decodeFor decodes an item that a query found.
func decodeFor[T any](ctx context.Context, s *queryState, w *row) (*T, error) {
	if s.opts.raw == nil || !s.opts.raw.anyType {
		return decodeRow[T](s.e, w, s.db.afterFind(ctx, s.e))
	}
	v := new(T)
	r, ok := any(v).(*Record)
	if !ok {
		return decodeRow[T](s.e, w, s.db.afterFind(ctx, s.e))
	}
	item, err := w.whole()
	if err == nil {
		*r, err = s.db.recordOf(ctx, item)
	}
	return v, err
}

// readerOf returns a reader whose rows are decoded as they come.
func readerOf[T any](s *queryState, p *plan, op string, atMost int) *reader {
	r := s.reader(p, op, atMost)
	r.read = decoding[T](s.e)
	return r
}
