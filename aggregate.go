package dynorm

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"slices"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/dynorm/dynorm/internal/codec"
	"github.com/dynorm/dynorm/parser"
)

// Group is a value of a field and the number of items that have it.
type Group[V any] struct {
	Value V
	Count int
}

// Sum returns the sum of a number field over the items, exactly: 0 where no
// item has a number there. DynamoDB does not add up, so it reads what List
// would, of each item that field only.
func (q Query[T]) Sum(ctx context.Context, field string) (json.Number, error) {
	return q.s.total(ctx, field)
}

func (s *queryState) total(ctx context.Context, field string) (_ json.Number, err error) {
	ctx, tr := s.begin(ctx, "Sum")
	defer tr.end(&err)
	sum, _, err := s.sum(ctx, "Sum", named(field))
	if err != nil {
		return "", s.opError("Sum", err)
	}
	return json.Number(decimal(sum)), nil
}

// Avg returns the mean of a number field over the items that have it, or
// [ErrNotFound] where none has. It reads what Sum reads.
func (q Query[T]) Avg(ctx context.Context, field string) (float64, error) {
	return q.s.mean(ctx, named(field))
}

func (s *queryState) mean(ctx context.Context, ref fieldRef) (_ float64, err error) {
	ctx, tr := s.begin(ctx, "Avg")
	defer tr.end(&err)
	mean, err := s.avg(ctx, ref)
	return mean, s.opError("Avg", err)
}

// Min returns the least value of a field, in the field's Go type, or
// [ErrNotFound] where no item has one. Where an index of the query is in the
// order of the field it reads one item, otherwise what Sum reads.
func (q Query[T]) Min(ctx context.Context, field string) (any, error) {
	return q.s.outermost(ctx, "Min", field, false)
}

// Max returns the greatest value of a field, as Min returns the least.
func (q Query[T]) Max(ctx context.Context, field string) (any, error) {
	return q.s.outermost(ctx, "Max", field, true)
}

func (s *queryState) outermost(ctx context.Context, op, field string, greatest bool) (_ any, err error) {
	ctx, tr := s.begin(ctx, op)
	defer tr.end(&err)
	v, err := s.extreme(ctx, op, named(field), greatest)
	if err != nil {
		return nil, s.opError(op, err)
	}
	return v.value()
}

// Pluck returns the values of one field, in the order of the query; the place
// of an item without it holds nil. It reads what Sum reads.
func (q Query[T]) Pluck(ctx context.Context, field string) ([]any, error) {
	return q.s.pluck(ctx, field)
}

func (s *queryState) pluck(ctx context.Context, field string) (_ []any, err error) {
	ctx, tr := s.begin(ctx, "Pluck")
	defer tr.end(&err)
	var values []any
	err = s.fieldValues(ctx, "Pluck", named(field), func(v fieldValue) (err error) {
		var value any
		if v.av != nil {
			value, err = v.value()
		}
		values = append(values, value)
		return err
	})
	if err != nil {
		return nil, s.opError("Pluck", err)
	}
	return values, nil
}

// GroupCount counts the items by the values of a field, the most frequent
// first, then by value. Items without the field count for nothing. It reads
// what Sum reads.
func (q Query[T]) GroupCount(ctx context.Context, field string) ([]Group[any], error) {
	return q.s.groupCount(ctx, field)
}

func (s *queryState) groupCount(ctx context.Context, field string) (_ []Group[any], err error) {
	ctx, tr := s.begin(ctx, "GroupCount")
	defer tr.end(&err)
	groups, err := s.groups(ctx, named(field))
	if err != nil {
		return nil, s.opError("GroupCount", err)
	}
	counts := make([]Group[any], len(groups))
	for i, g := range groups {
		if counts[i].Value, err = g.value(); err != nil {
			return nil, s.opError("GroupCount", err)
		}
		counts[i].Count = g.count
	}
	return counts, nil
}

// Sum returns the sum of the column over the items of a query, as [Query.Sum]
// does; a sum that the column's type can't hold is an ErrValue.
func (c Column[T, V]) Sum(ctx context.Context, q Query[T]) (V, error) {
	return decoded[V](func(v any) error { return q.s.totalInto(ctx, c.ref, v) })
}

// totalInto sets v, a pointer to a column's type, to the sum of a field.
func (s *queryState) totalInto(ctx context.Context, ref fieldRef, v any) (err error) {
	ctx, tr := s.begin(ctx, "Sum")
	defer tr.end(&err)
	sum, f, err := s.sum(ctx, "Sum", ref)
	if err == nil {
		err = fieldValue{f, &types.AttributeValueMemberN{Value: decimal(sum)}}.into(v)
	}
	return s.opError("Sum", err)
}

// Avg returns the mean of the column, as [Query.Avg] does.
func (c Column[T, V]) Avg(ctx context.Context, q Query[T]) (float64, error) {
	return q.s.mean(ctx, c.ref)
}

// Min returns the least value of the column, as [Query.Min] does.
func (c Column[T, V]) Min(ctx context.Context, q Query[T]) (V, error) {
	return decoded[V](func(v any) error { return q.s.outermostInto(ctx, "Min", c.ref, false, v) })
}

// Max returns the greatest value of the column, as [Query.Max] does.
func (c Column[T, V]) Max(ctx context.Context, q Query[T]) (V, error) {
	return decoded[V](func(v any) error { return q.s.outermostInto(ctx, "Max", c.ref, true, v) })
}

// outermostInto sets v, a pointer to a column's type, to the least or greatest
// value of a field.
func (s *queryState) outermostInto(ctx context.Context, op string, ref fieldRef, greatest bool, v any) (err error) {
	ctx, tr := s.begin(ctx, op)
	defer tr.end(&err)
	found, err := s.extreme(ctx, op, ref, greatest)
	if err == nil {
		err = found.into(v)
	}
	return s.opError(op, err)
}

// Pluck returns the values of the column, in the order of the query; the place
// of an item without it holds the zero value. It reads what [Query.Sum] reads.
func (c Column[T, V]) Pluck(ctx context.Context, q Query[T]) ([]V, error) {
	var values []V
	err := q.s.pluckInto(ctx, c.ref, func() any {
		values = append(values, *new(V))
		return &values[len(values)-1]
	})
	if err != nil {
		return nil, err
	}
	return values, nil
}

// pluckInto sets what next points to, a value of a column's type, to the value of
// a field in the next item.
func (s *queryState) pluckInto(ctx context.Context, ref fieldRef, next func() any) (err error) {
	ctx, tr := s.begin(ctx, "Pluck")
	defer tr.end(&err)
	err = s.fieldValues(ctx, "Pluck", ref, func(v fieldValue) error { return v.into(next()) })
	return s.opError("Pluck", err)
}

// GroupCount counts the items by the values of the column, as
// [Query.GroupCount] does.
func (c Column[T, V]) GroupCount(ctx context.Context, q Query[T]) ([]Group[V], error) {
	counts := []Group[V]{}
	err := q.s.groupCountInto(ctx, c.ref, func(count int) any {
		counts = append(counts, Group[V]{Count: count})
		return &counts[len(counts)-1].Value
	})
	if err != nil {
		return nil, err
	}
	return counts, nil
}

// groupCountInto sets what next points to, a value of a column's type, to the
// next value of a field, whose count it is given.
func (s *queryState) groupCountInto(ctx context.Context, ref fieldRef, next func(count int) any) (err error) {
	ctx, tr := s.begin(ctx, "GroupCount")
	defer tr.end(&err)
	groups, err := s.groups(ctx, ref)
	for i := 0; i < len(groups) && err == nil; i++ {
		err = groups[i].into(next(groups[i].count))
	}
	return s.opError("GroupCount", err)
}

// fieldValue is what an item has of a field, with a nil value where it has
// nothing.
type fieldValue struct {
	f  *codec.Field
	av types.AttributeValue
}

// value returns the value in the field's Go type.
func (v fieldValue) value() (any, error) {
	value, err := v.f.DecodeLoose(v.av)
	if err != nil {
		return nil, atField(v.f.Name, faultf(ErrValue, "%w", err))
	}
	return value, nil
}

// into sets what p points to, a value of a column's type, to the value.
func (v fieldValue) into(p any) error {
	if v.av == nil {
		return nil
	}
	if err := v.f.DecodeInto(v.av, p); err != nil {
		return atField(v.f.Name, faultf(ErrValue, "%w", err))
	}
	return nil
}

// decoded returns what decode sets a value to, the zero value where it fails.
func decoded[V any](decode func(v any) error) (V, error) {
	v := new(V)
	if err := decode(v); err != nil {
		return *new(V), err
	}
	return *v, nil
}

// fieldValues gives out what each item has of a field.
func (s *queryState) fieldValues(ctx context.Context, op string, ref fieldRef, yield func(fieldValue) error) error {
	narrow, f, err := s.narrow(ref)
	if err != nil {
		return err
	}
	p, err := narrow.planned()
	if err != nil {
		return err
	}
	return narrow.reader(p, op, 0).each(ctx, s.opts.after, func(w row) (bool, error) {
		return true, yield(fieldValue{f, f.In(w.pick(f.Path()[0].Name))})
	})
}

// narrow returns the query with one field selected.
func (s *queryState) narrow(ref fieldRef) (*queryState, *codec.Field, error) {
	if s == nil {
		_, err := s.planned()
		return nil, nil, err
	}
	if s.err != nil {
		return nil, nil, s.err
	}
	f, err := ref.resolve(s.e)
	if err != nil {
		return nil, nil, err
	}
	narrow := &queryState{db: s.db, e: s.e, opts: s.opts}
	narrow.opts.selects = []fieldRef{ref}
	return narrow, f, nil
}

// sum adds a number field up.
func (s *queryState) sum(ctx context.Context, op string, ref fieldRef) (*big.Rat, *codec.Field, error) {
	sum, _, f, err := s.add(ctx, op, ref)
	return sum, f, err
}

func (s *queryState) avg(ctx context.Context, ref fieldRef) (float64, error) {
	sum, n, _, err := s.add(ctx, "Avg", ref)
	switch {
	case err != nil:
		return 0, err
	case n == 0:
		return 0, ErrNotFound
	}
	mean, _ := sum.Quo(sum, big.NewRat(int64(n), 1)).Float64()
	return mean, nil
}

func (s *queryState) add(ctx context.Context, op string, ref fieldRef) (sum *big.Rat, n int, f *codec.Field, err error) {
	if _, f, err = s.narrow(ref); err != nil {
		return nil, 0, nil, err
	}
	switch f.Type.Kind {
	case parser.Int, parser.Uint, parser.Float, parser.Number, parser.Any:
	default:
		return nil, 0, nil, atField(f.Name, faultf(ErrValue, "is a %s, not a number", f.Type.Kind))
	}
	sum = new(big.Rat)
	err = s.fieldValues(ctx, op, ref, func(v fieldValue) error {
		number, ok := v.av.(*types.AttributeValueMemberN)
		if !ok {
			return nil
		}
		r, ok := new(big.Rat).SetString(number.Value)
		if !ok {
			return atField(f.Name, faultf(ErrValue, "a stored number can't be read"))
		}
		sum.Add(sum, r)
		n++
		return nil
	})
	return sum, n, f, err
}

// decimal writes a sum of decimal numbers, which has an end.
func decimal(r *big.Rat) string {
	digits, _ := r.FloatPrec()
	return r.FloatString(digits)
}

// extreme finds the least or greatest value of a field: by an index in its
// order, or by looking at all items.
func (s *queryState) extreme(ctx context.Context, op string, ref fieldRef, greatest bool) (fieldValue, error) {
	narrow, f, err := s.narrow(ref)
	if err != nil {
		return fieldValue{}, err
	}
	sorted := &queryState{db: s.db, e: s.e, opts: narrow.opts}
	sorted.opts.order = []orderTerm{{ref: ref, desc: greatest}}
	best := fieldValue{f: f}
	p, err := sorted.planned()
	if err == nil && !p.merge && s.opts.limit == 0 && !slices.ContainsFunc(p.sparse, func(name string) bool { return name != f.Name }) &&
		!pinnedToOther(p, attrID(f)) {
		err := sorted.reader(p, op, 1).each(ctx, s.opts.after, func(w row) (bool, error) {
			best.av = f.In(w.pick(f.Path()[0].Name))
			return false, nil
		})
		if err == nil && best.av == nil {
			err = ErrNotFound
		}
		return best, err
	}
	if err != nil && !errors.Is(err, ErrNoIndex) {
		return best, err
	}
	err = s.fieldValues(ctx, op, ref, func(v fieldValue) error {
		if v.av == nil {
			return nil
		}
		if best.av == nil {
			best.av = v.av
		}
		order, ok := compareValues(v.av, best.av)
		if !ok {
			return atField(f.Name, faultf(ErrValue, "only text, numbers and bytes have an order to compare by"))
		}
		if order < 0 && !greatest || order > 0 && greatest {
			best.av = v.av
		}
		return nil
	})
	if err == nil && best.av == nil {
		err = ErrNotFound
	}
	return best, err
}

// pinnedToOther reports whether the first item in the plan's order may lack the
// field: the order of a whole key is that of nothing.
func pinnedToOther(p *plan, attr string) bool {
	return p.kind != OpQuery || p.path.native || !slices.Contains(p.path.sk.attrs, attr)
}

// counted is a value and the number of items that have it.
type counted struct {
	fieldValue
	count int
}

// groups counts the items by the values of a field.
func (s *queryState) groups(ctx context.Context, ref fieldRef) ([]counted, error) {
	places := map[string]int{}
	var groups []counted
	err := s.fieldValues(ctx, "GroupCount", ref, func(v fieldValue) error {
		if v.av == nil {
			return nil
		}
		key, ok := scalarText(v.av)
		if !ok {
			return atField(v.f.Name, faultf(ErrValue, "only scalar values can be counted by"))
		}
		i, ok := places[key]
		if !ok {
			i = len(groups)
			places[key] = i
			groups = append(groups, counted{fieldValue: v})
		}
		groups[i].count++
		return nil
	})
	slices.SortStableFunc(groups, func(a, b counted) int {
		order, _ := compareValues(a.av, b.av)
		return cmp.Or(cmp.Compare(b.count, a.count), order)
	})
	return groups, err
}

// scalarText identifies a scalar value.
func scalarText(av types.AttributeValue) (string, bool) {
	switch av := av.(type) {
	case *types.AttributeValueMemberS:
		return "S" + av.Value, true
	case *types.AttributeValueMemberN:
		r, ok := new(big.Rat).SetString(av.Value)
		if !ok {
			return "", false
		}
		return "N" + r.RatString(), true
	case *types.AttributeValueMemberB:
		return "B" + string(av.Value), true
	case *types.AttributeValueMemberBOOL:
		return fmt.Sprint("BOOL", av.Value), true
	case *types.AttributeValueMemberNULL:
		return "NULL", true
	}
	return "", false
}
