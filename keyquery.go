package dynorm

import (
	"context"
	"iter"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/dynorm/dynorm/internal/codec"
)

// KeyQuery is a query by the keys as they are stored, for programs that know
// them better than the fields they are made of:
//
//	db.Entity("User").PK("USER#123").SK().BeginsWith("ORDER#").Index("GSI1").Project("name").Get(ctx)
//
// It finds items of the entity only, unless [KeyQuery.AnyType] says otherwise.
// It is an immutable value, safe for concurrent use; what is wrong with it comes
// out of the call that runs it.
type KeyQuery struct{ s *queryState }

// rawKey is the key condition of a KeyQuery.
type rawKey struct {
	pk      string
	sk      sortCond
	desc    bool
	anyType bool
}

// PK starts a query for the items of a partition, of the table or of the index
// that [KeyQuery.Index] names.
func (m EntityModel) PK(value string) KeyQuery {
	s := m.records().query(nil)
	s.opts.raw = &rawKey{pk: value}
	if value == "" {
		s.fail(faultf(ErrMissingKey, "PK was given an empty key"))
	}
	return KeyQuery{s}
}

// with returns a copy to change.
func (k KeyQuery) with(change func(*rawKey)) KeyQuery {
	s := k.s.with()
	if s.opts.raw == nil {
		return KeyQuery{s.fail(faultf(ErrInvalid, "a zero KeyQuery asks nothing: start with PK"))}
	}
	raw := *s.opts.raw
	change(&raw)
	s.opts.raw = &raw
	return KeyQuery{s}
}

// SK returns the conditions on the sort key, of which a query takes one.
func (k KeyQuery) SK() SortKey { return SortKey{k} }

// SortKey makes the condition of a [KeyQuery] on the sort key.
type SortKey struct{ k KeyQuery }

// Eq asks for the sort key that equals the text.
func (s SortKey) Eq(text string) KeyQuery { return s.cond(sortCond{op: sortEq, low: text}) }

// BeginsWith asks for the sort keys that begin with the text.
func (s SortKey) BeginsWith(text string) KeyQuery { return s.cond(sortCond{op: sortBegins, low: text}) }

// Lt asks for the sort keys less than the text.
func (s SortKey) Lt(text string) KeyQuery { return s.cond(sortCond{op: sortBelow, high: text}) }

// Le asks for the sort keys up to the text.
func (s SortKey) Le(text string) KeyQuery { return s.cond(sortCond{op: sortTo, high: text}) }

// Gt asks for the sort keys greater than the text.
func (s SortKey) Gt(text string) KeyQuery { return s.cond(sortCond{op: sortAbove, low: text}) }

// Ge asks for the sort keys from the text on.
func (s SortKey) Ge(text string) KeyQuery { return s.cond(sortCond{op: sortFrom, low: text}) }

// Between asks for the sort keys from low to high, both included.
func (s SortKey) Between(low, high string) KeyQuery {
	return s.cond(sortCond{op: sortBetween, low: low, high: high})
}

func (s SortKey) cond(c sortCond) KeyQuery {
	twice := false
	k := s.k.with(func(raw *rawKey) {
		twice = raw.sk.op != sortAny
		raw.sk = c
	})
	switch {
	case twice:
		return KeyQuery{k.s.fail(faultf(ErrInvalid, "two conditions on one sort key: DynamoDB takes one; use Between for a range"))}
	case c.low == "" && c.high == "":
		return KeyQuery{k.s.fail(faultf(ErrMissingKey, "the condition on the sort key was given an empty text"))}
	case c.op == sortBetween && c.low > c.high:
		return KeyQuery{k.s.fail(faultf(ErrInvalid, "Between has its low end above its high end"))}
	}
	return k
}

// Index asks the index of a name instead of the table: its keys are then those
// that PK and SK speak of.
func (k KeyQuery) Index(name string) KeyQuery { return KeyQuery{k.s.index(name)} }

// Project reads the given fields only, as [Query.Select] does.
func (k KeyQuery) Project(fields ...string) KeyQuery { return KeyQuery{k.s.selected(fields)} }

// Where filters the items by predicates.
func (k KeyQuery) Where(predicates ...Predicate) KeyQuery { return KeyQuery{k.s.where(predicates)} }

// Limit bounds the number of items returned; 0 means no bound.
func (k KeyQuery) Limit(n int) KeyQuery { return KeyQuery{k.s.limit(n)} }

// Consistent makes the reads strongly consistent, as [Query.Consistent] does.
func (k KeyQuery) Consistent() KeyQuery { return KeyQuery{k.s.consistency(strongly)} }

// Desc returns the items from the greatest sort key down.
func (k KeyQuery) Desc() KeyQuery { return k.with(func(raw *rawKey) { raw.desc = true }) }

// AnyType finds the items of all entities: each record has the fields of its
// own entity, and those of an item of none have the values that the attributes
// stand for.
func (k KeyQuery) AnyType() KeyQuery { return k.with(func(raw *rawKey) { raw.anyType = true }) }

// Query returns the same as a [Query], for its other calls.
func (k KeyQuery) Query() Query[Record] { return Query[Record](k) }

// Get returns the items. It costs what [Query.List] costs.
func (k KeyQuery) Get(ctx context.Context) ([]Record, error) {
	list, err := k.s.list(ctx, "Get")
	if err != nil {
		return nil, err
	}
	records := make([]Record, len(list))
	for i, r := range list {
		records[i] = *(*Record)(r)
	}
	return records, nil
}

// First returns the first item, or [ErrNotFound]. It costs what [Query.First]
// costs.
func (k KeyQuery) First(ctx context.Context) (_ Record, err error) {
	ctx, tr := k.s.begin(ctx, "First")
	defer tr.end(&err)
	r, err := k.Query().First(ctx)
	if err != nil {
		return nil, err
	}
	return *r, nil
}

// Count returns the number of items, as [Query.Count] does.
func (k KeyQuery) Count(ctx context.Context) (int, error) { return k.s.count(ctx, "Count", 0) }

// All returns an iterator over the items, as [Query.All] does.
func (k KeyQuery) All(ctx context.Context) iter.Seq2[Record, error] {
	return func(yield func(Record, error) bool) {
		for r, err := range k.Query().All(ctx) {
			if err != nil {
				yield(nil, err)
				return
			}
			if !yield(*r, nil) {
				return
			}
		}
	}
}

// Explain plans the query without running it.
func (k KeyQuery) Explain() (*Plan, error) { return k.s.explain() }

// planRaw plans a query by keys as they are stored.
func (pl *planner) planRaw() (*plan, error) {
	raw := pl.opts.raw
	path := pl.e.paths()[0]
	if pin := pl.opts.index; pin != "" {
		if path = pl.pinned(pin); path == nil {
			return nil, pl.unknownIndex()
		}
	}
	switch {
	case path.native:
		return nil, faultf(ErrInvalid, "%s has fields for keys: query it by Where", path.where())
	case path.kind == globalPath && pl.opts.consistency == strongly:
		return nil, faultf(ErrInvalid, "Consistent: %s is a global index, whose reads are only eventually consistent", path.where())
	case len(pl.order) > 0:
		return nil, faultf(ErrInvalid, "a query by keys comes in their order: use Desc for the other way")
	}
	branches := []branch{{pk: raw.pk, sk: raw.sk, residual: pl.conds}}
	reason, hydrate := pl.lacks(path, branches)
	if reason != "" {
		return nil, &NoIndexError{Entity: pl.e.def.Name, Candidates: []Candidate{rejection(path, reason)}}
	}
	return pl.finish(&candidate{path: path, branches: branches, forward: !raw.desc, hydrate: hydrate}, nil)
}

// pinned returns the path that a name stands for, nil for none.
func (pl *planner) pinned(name string) *accessPath {
	for _, p := range pl.e.paths() {
		if p.index == name || p.name == name {
			return p
		}
	}
	return nil
}

// recordOf makes a record of an item of any entity.
func (db *DB) recordOf(ctx context.Context, item Item) (Record, error) {
	et, _ := item[db.schema.cfg.EntityType].(*types.AttributeValueMemberS)
	if et != nil && db.schema.byName[et.Value] != nil {
		e := db.schema.byName[et.Value]
		return e.toRecord(item, db.afterFind(ctx, e))
	}
	r := make(Record, len(item))
	for attr, av := range item {
		v, err := codec.DecodeAny(av)
		if err != nil {
			return nil, atField(attr, faultf(ErrValue, "%w", err))
		}
		r[attr] = v
	}
	return r, nil
}
