package dynorm

import (
	"context"
	"slices"
	"sync"
	"unsafe"

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
	db    *DB
	e     *entity
	maker maker
	read  rowReader // decodes items into new values
	opts  queryOptions
	err   error // the first error of a call

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
func (m Model[T]) Query() Query[T] { return Query[T]{model(m).query(nil)} }

// Where returns the query for the items that meet all predicates.
func (m Model[T]) Where(predicates ...Predicate) Query[T] {
	return Query[T]{model(m).query(predicates)}
}

func (m model) query(where []Predicate) *queryState {
	s := &queryState{db: m.db, e: m.e, err: m.fault()}
	s.opts.where = slices.Clone(where)
	if m.db != nil {
		s.opts.strong = m.db.cfg.Consistent
	}
	if m.modelState != nil {
		s.maker, s.read = m.maker, m.read
		for _, scope := range m.scopes {
			s = scope(s)
		}
	}
	return s
}

// with returns a copy of the query to change.
func (s *queryState) with() *queryState {
	if s == nil {
		return &queryState{err: faultf(ErrInvalid, "a zero Query asks nothing: get one from a Model")}
	}
	return &queryState{db: s.db, e: s.e, maker: s.maker, read: s.read, opts: s.opts, err: s.err}
}

func (s *queryState) fail(err error) *queryState {
	if s.err == nil {
		s.err = err
	}
	return s
}

// Where narrows the query to items that meet all predicates too.
func (q Query[T]) Where(predicates ...Predicate) Query[T] { return Query[T]{q.s.where(predicates)} }

func (s *queryState) where(predicates []Predicate) *queryState {
	s = s.with()
	s.opts.where = append(slices.Clip(s.opts.where), predicates...)
	return s
}

// OrderBy sorts by a field, least first, after the fields given before. The
// order is that of an index or of the table; what none has is an ErrNoIndex.
// Without an order, items come in that of the sort key that is read.
func (q Query[T]) OrderBy(field string) Query[T] { return Query[T]{q.s.orderBy(field, false)} }

// OrderByDesc sorts by a field as OrderBy does, greatest first.
func (q Query[T]) OrderByDesc(field string) Query[T] { return Query[T]{q.s.orderBy(field, true)} }

func (s *queryState) orderBy(field string, desc bool) *queryState {
	s = s.with()
	s.opts.order = append(slices.Clip(s.opts.order), orderTerm{ref: named(field), name: field, desc: desc})
	return s
}

// Limit bounds the number of items returned; 0 means no bound.
func (q Query[T]) Limit(n int) Query[T] { return Query[T]{q.s.limit(n)} }

func (s *queryState) limit(n int) *queryState {
	s = s.with()
	if n < 0 {
		return s.fail(faultf(ErrInvalid, "Limit(%d): give 0 or more", n))
	}
	s.opts.limit = n
	return s
}

// PageSize sets the number of items that each request reads, before the filter.
// Without it requests read as much as the limit asks for, or 1 MB.
func (q Query[T]) PageSize(n int) Query[T] { return Query[T]{q.s.pageSize(n)} }

func (s *queryState) pageSize(n int) *queryState {
	s = s.with()
	if n < 1 {
		return s.fail(faultf(ErrInvalid, "PageSize(%d): give 1 or more", n))
	}
	s.opts.pageSize = n
	return s
}

// Index pins the query to an index, by DynamoDB's name for it or by what
// declared it: the name of an index, field or relation. A pinned query reads
// the entries of that index and no others: items without an entry are not
// found.
func (q Query[T]) Index(name string) Query[T] { return Query[T]{q.s.index(name)} }

func (s *queryState) index(name string) *queryState {
	s = s.with()
	if name == "" {
		return s.fail(faultf(ErrInvalid, "Index was given no name"))
	}
	s.opts.index = name
	return s
}

// Consistent makes the reads strongly consistent, at twice the read units. A
// global index has no such reads: a query that only one answers is an
// ErrInvalid.
func (q Query[T]) Consistent() Query[T] { return Query[T]{q.s.consistency(strongly)} }

// Eventual makes the reads eventually consistent where [Config.Consistent] says
// otherwise.
func (q Query[T]) Eventual() Query[T] { return Query[T]{q.s.consistency(eventually)} }

func (s *queryState) consistency(c consistency) *queryState {
	s = s.with()
	s.opts.consistency = c
	return s
}

// Select reads the given fields only; those that make up the key are read with
// them, all others are zero in the items returned. It spares transfer and
// decoding, not read units.
func (q Query[T]) Select(fields ...string) Query[T] { return Query[T]{q.s.selected(fields)} }

func (s *queryState) selected(fields []string) *queryState {
	s = s.with()
	if len(fields) == 0 {
		return s.fail(faultf(ErrInvalid, "Select was given no fields"))
	}
	s.opts.selects = slices.Clip(s.opts.selects)
	for _, field := range fields {
		s.opts.selects = append(s.opts.selects, named(field))
	}
	return s
}

// WithTrashed includes items that were deleted softly.
func (q Query[T]) WithTrashed() Query[T] { return Query[T]{q.s.trashed(withTrashed)} }

// OnlyTrashed finds only items that were deleted softly.
func (q Query[T]) OnlyTrashed() Query[T] { return Query[T]{q.s.trashed(onlyTrashed)} }

func (s *queryState) trashed(t trashed) *queryState {
	s = s.with()
	if s.err == nil && s.e.deletedAttr == "" {
		return s.fail(faultf(ErrInvalid, "%s has no soft deletes: add the trait `softdelete`", s.e.def.Name))
	}
	s.opts.trashed = t
	return s
}

// IncludeExpired includes items whose time to live has passed and that DynamoDB
// has not yet deleted.
func (q Query[T]) IncludeExpired() Query[T] { return Query[T]{q.s.expired()} }

func (s *queryState) expired() *queryState {
	s = s.with()
	s.opts.expired = true
	return s
}

// After starts the query at a cursor: that of a [Page], or of the [Progress] of
// a call that did not come to its end.
func (q Query[T]) After(cursor string) Query[T] { return Query[T]{q.s.after(cursor)} }

func (s *queryState) after(cursor string) *queryState {
	s = s.with()
	s.opts.after = cursor
	return s
}

// OnProgress has fn called after each page of a call that reads several, from
// the goroutine of the caller.
func (q Query[T]) OnProgress(fn func(Progress)) Query[T] { return Query[T]{q.s.onProgress(fn)} }

func (s *queryState) onProgress(fn func(Progress)) *queryState {
	s = s.with()
	s.opts.progress = fn
	return s
}

// Explain plans the query without running it.
func (q Query[T]) Explain() (*Plan, error) { return q.s.explain() }

func (s *queryState) explain() (*Plan, error) {
	if _, err := s.planned(); err != nil {
		return nil, s.opError("Explain", err)
	}
	p, err := s.makePlan(true)
	if err != nil {
		return nil, s.opError("Explain", err)
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
func (q Query[T]) List(ctx context.Context) ([]*T, error) {
	list, err := q.s.list(ctx, "List")
	return listOf[T](list), err
}

func (s *queryState) list(ctx context.Context, op string) (_ []unsafe.Pointer, err error) {
	ctx, tr := s.begin(ctx, op)
	defer tr.end(&err)
	list, err := s.collect(ctx, op, 0)
	return list, s.opError(op, err)
}

// First returns the first item in the order of the query, or [ErrNotFound] if
// none matches. It sends Query requests of one item, larger ones while a filter
// discards items.
func (q Query[T]) First(ctx context.Context) (*T, error) {
	v, err := q.s.first(ctx)
	return (*T)(v), err
}

func (s *queryState) first(ctx context.Context) (_ unsafe.Pointer, err error) {
	ctx, tr := s.begin(ctx, "First")
	defer tr.end(&err)
	list, err := s.collect(ctx, "First", 1)
	if err == nil && len(list) == 0 {
		err = ErrNotFound
	}
	if err != nil {
		return nil, s.opError("First", err)
	}
	return list[0], nil
}

// One returns the only item that matches: none is an [ErrNotFound], a second an
// [ErrTooMany]. It costs what First costs, with one item more.
func (q Query[T]) One(ctx context.Context) (*T, error) {
	v, err := q.s.one(ctx)
	return (*T)(v), err
}

func (s *queryState) one(ctx context.Context) (_ unsafe.Pointer, err error) {
	ctx, tr := s.begin(ctx, "One")
	defer tr.end(&err)
	list, err := s.collect(ctx, "One", 2)
	switch {
	case err != nil:
	case len(list) == 0:
		err = ErrNotFound
	case len(list) > 1:
		err = ErrTooMany
	default:
		return list[0], nil
	}
	return nil, s.opError("One", err)
}

// collect returns the items of a query, at most as many as given where that is
// not 0.
func (s *queryState) collect(ctx context.Context, op string, atMost int) ([]unsafe.Pointer, error) {
	var list []unsafe.Pointer
	err := s.each(ctx, op, atMost, func(v unsafe.Pointer) (bool, error) {
		list = append(list, v)
		return true, nil
	})
	if err != nil {
		return nil, err
	}
	return list, nil
}

// each gives out the items, at most as many as given where that is not 0, until
// yield wants no more.
func (s *queryState) each(ctx context.Context, op string, atMost int, yield func(unsafe.Pointer) (bool, error)) error {
	p, err := s.planned()
	if err != nil {
		return err
	}
	after := s.db.afterFind(ctx, s.e)
	return s.decoder(p, op, atMost).each(ctx, s.opts.after, func(w row) (bool, error) {
		v, err := s.decode(ctx, &w, after)
		if err != nil {
			return false, err
		}
		return yield(v)
	})
}

// decoder returns a reader whose rows are decoded as they come.
func (s *queryState) decoder(p *plan, op string, atMost int) *reader {
	r := s.reader(p, op, atMost)
	r.read = s.read
	return r
}

// decode decodes an item that the query found, on whose struct after runs where
// it is not nil.
func (s *queryState) decode(ctx context.Context, w *row, after func(unsafe.Pointer) error) (unsafe.Pointer, error) {
	if s.opts.raw == nil || !s.opts.raw.anyType {
		return s.e.decodeRow(s.maker, w, after)
	}
	item, err := w.whole()
	if err != nil {
		return nil, err
	}
	r, err := s.db.recordOf(ctx, item)
	return unsafe.Pointer(&r), err
}
