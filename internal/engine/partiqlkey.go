package engine

import (
	"cmp"
	"slices"

	"github.com/dynorm/dynorm/internal/engine/expr"
	"github.com/dynorm/dynorm/internal/engine/partiql"
	"github.com/dynorm/dynorm/internal/engine/value"
	"github.com/dynorm/dynorm/internal/engine/wire"
)

// maxPartitions is how many partitions one SELECT can name.
const maxPartitions = 50

var (
	errNoKey     = invalid("Where clause does not contain a mandatory equality on all key attributes")
	errComposite = invalid("PartiQL statements cannot be executed on tables with composite HASH keys or composite RANGE keys.")
	errWrongKind = parameter("Condition parameter type does not match schema type")
)

// unkeyable is the fault of a value that no key attribute can have.
type unkeyable struct{ *Fault }

func (u unkeyable) Unwrap() error { return u.Fault }

func wrongKind(a keyAttr) *Fault {
	return invalid("Key attribute's data type should match its data type in table's schema: Key %s", a.name)
}

// keyTest is a part of a WHERE that compares an attribute with constants.
type keyTest struct {
	name   string
	op     string // an operator, with the attribute on its left, or a function
	values []value.Value
}

var flippedOperators = map[string]string{"=": "=", "<>": "<>", "<": ">", "<=": ">=", ">": "<", ">=": "<="}

// test returns what e tests, if it is a test of an attribute.
func (s *statement) test(e *partiql.Expr) (t keyTest, ok bool) {
	args := e.Args
	switch {
	case e.Is("IS NULL"):
		t.op, t.values = "=", []value.Value{value.Null()}
	case e.Is("IN") && (args[1].Op == partiql.List || args[1].Op == partiql.Bag):
		t.op, args = "IN", append([]*partiql.Expr{args[0]}, args[1].Args...)
	case e.Is("BETWEEN"), e.Op == partiql.Call && len(args) == 2 && (e.Text == "begins_with" || e.Text == "contains"):
		t.op = e.Text
	case e.Op == partiql.Operator && flippedOperators[e.Text] != "":
		t.op = e.Text
		if _, is := args[0].IsName(); !is {
			t.op, args = flippedOperators[e.Text], []*partiql.Expr{args[1], args[0]}
		}
	default:
		return t, false
	}
	if t.name, ok = args[0].IsName(); !ok {
		return t, false
	}
	for _, a := range args[1:] {
		v, err := s.constant(a)
		if err != nil {
			return t, false
		}
		t.values = append(t.values, v)
	}
	return t, true
}

// conjuncts returns the conditions that AND joins to e.
func conjuncts(e *partiql.Expr) []*partiql.Expr {
	var list []*partiql.Expr
	for e != nil && e.Is("AND") {
		list = append(list, e.Args[1])
		e = e.Args[0]
	}
	if e != nil {
		list = append(list, e)
	}
	slices.Reverse(list)
	for i := 0; i < len(list); i++ {
		if list[i].Is("AND") {
			list = slices.Replace(list, i, i+1, conjuncts(list[i])...)
			i--
		}
	}
	return list
}

// key returns the key of the one item that a statement is about. That its
// values are neither empty nor too long is for the read or write to see to.
func (s *statement) key(keys keySchema) (value.Item, error) {
	found := map[string]value.Value{}
	for _, e := range conjuncts(s.Where) {
		t, ok := s.test(e)
		if !ok || t.op != "=" || !keys.has(t.name) {
			continue
		}
		if v, twice := found[t.name]; twice && !value.Equal(v, t.values[0]) {
			return value.Item{}, invalid("Multiple conditions on same key %s. Only single item Update/Insert/Delete are supported", t.name)
		}
		found[t.name] = t.values[0]
	}
	for _, a := range keys.all {
		if _, ok := found[a.name]; !ok {
			return value.Item{}, errNoKey
		}
	}
	for _, a := range keys.all {
		switch kind := found[a.name].Kind(); {
		case !kind.IsKey():
			return value.Item{}, unkeyable{invalid("Key value must be of type S, N, or B. Key name: %s, Key type: %s", a.name, kind)}
		case kind != a.kind:
			return value.Item{}, wrongKind(a)
		}
	}
	return value.ItemOf(found), nil
}

// isKeyOnly reports whether the WHERE says nothing but the key of one item.
func (s *statement) isKeyOnly(keys keySchema) bool {
	seen := map[string]bool{}
	for _, e := range conjuncts(s.Where) {
		t, ok := s.test(e)
		if !ok || t.op != "=" || !keys.has(t.name) || seen[t.name] || !t.values[0].Kind().IsKey() {
			return false
		}
		seen[t.name] = true
	}
	return len(seen) == len(keys.all)
}

// choice is values of which an attribute has one, each once, in the order in
// which they were named.
type choice struct {
	values []value.Value
	texts  []string
	known  map[string]bool // the texts
}

func (c *choice) add(v value.Value, text string) {
	if !c.known[text] {
		c.known[text] = true
		c.values, c.texts = append(c.values, v), append(c.texts, text)
	}
}

// partitions returns the values that an attribute must have one of for the
// condition to hold, and whether it says so.
func (s *statement) partitions(e *partiql.Expr, name string) (*choice, bool) {
	out := &choice{known: make(map[string]bool)}
	switch {
	case e == nil:
		return nil, false
	case e.Is("AND"):
		left, ok := s.partitions(e.Args[0], name)
		right, also := s.partitions(e.Args[1], name)
		switch {
		case !also:
			return left, ok
		case !ok:
			return right, true
		}
		for i, text := range left.texts {
			if right.known[text] {
				out.add(left.values[i], text)
			}
		}
		return out, true
	case e.Is("OR"):
		left, ok := s.partitions(e.Args[0], name)
		if !ok {
			return nil, false
		}
		right, ok := s.partitions(e.Args[1], name)
		if !ok {
			return nil, false
		}
		for i, text := range right.texts {
			left.add(right.values[i], text)
		}
		return left, true
	}
	t, ok := s.test(e)
	if !ok || t.name != name || t.op != "=" && t.op != "IN" {
		return nil, false
	}
	for _, v := range t.values {
		out.add(v, string(wire.AppendValue(nil, v)))
	}
	return out, true
}

// ranges returns what a SELECT reads of a table or index, and whether that is
// less than all of it.
func (s *statement) ranges(keys keySchema) ([]expr.KeyRange, bool, error) {
	wanted, ok := s.partitions(s.Where, keys.partition[0].name)
	switch {
	case !ok:
		return nil, false, nil
	case len(wanted.values) > maxPartitions:
		return nil, false, invalid("Too many decomposed read operations for a given query.")
	}
	sort, possible := s.sortRange(keys)
	if !possible {
		return nil, true, nil
	}
	ranges := make([]expr.KeyRange, len(wanted.values))
	for i, v := range wanted.values {
		ranges[i] = sort
		ranges[i].Partition = []value.Value{v}
	}
	return ranges, true, nil
}

// sortRange returns what the WHERE asks of the sort key, which may be
// something that no key is.
func (s *statement) sortRange(keys keySchema) (r expr.KeyRange, possible bool) {
	if len(keys.sort) == 0 {
		return r, true
	}
	a := keys.sort[0]
	for _, e := range conjuncts(s.Where) {
		if t, ok := s.test(e); ok && t.name == a.name && !slices.ContainsFunc(t.values, func(v value.Value) bool { return v.Kind() != a.kind }) {
			narrow(&r, t)
		}
	}
	switch {
	case r.Lower.IsZero() && r.Upper.IsZero():
		return r, true
	case r.Lower.IsZero() || r.Upper.IsZero():
		r.Prefix = value.Value{}
		return r, true
	}
	switch c := value.Compare(r.Lower, r.Upper); {
	case c > 0, c == 0 && (r.LowerOpen || r.UpperOpen):
		return r, false
	case c == 0:
		return expr.KeyRange{Sort: []value.Value{r.Lower}}, true
	}
	r.Prefix = value.Value{}
	return r, true
}

// narrow adds a test of the sort key to its bounds. Tests that are no bound
// are left to the filter.
func narrow(r *expr.KeyRange, t keyTest) {
	lower := func(v value.Value, open bool) {
		if !r.Lower.IsZero() {
			if c := value.Compare(v, r.Lower); c < 0 || c == 0 && !open {
				return
			}
		}
		r.Lower, r.LowerOpen = v, open
	}
	upper := func(v value.Value, open bool) {
		if !r.Upper.IsZero() {
			if c := value.Compare(v, r.Upper); c > 0 || c == 0 && !open {
				return
			}
		}
		r.Upper, r.UpperOpen = v, open
	}
	switch t.op {
	case "=":
		lower(t.values[0], false)
		upper(t.values[0], false)
	case "<", "<=":
		upper(t.values[0], t.op == "<")
	case ">", ">=":
		lower(t.values[0], t.op == ">")
	case "BETWEEN":
		lower(t.values[0], false)
		upper(t.values[1], false)
	case "begins_with":
		r.Prefix = t.values[0]
	}
}

// checkTests finds comparisons of key attributes with values that no key has.
// queried says that the WHERE names partitions: of what it compares then the
// fault is wrong, and everything else that is at fault is other, which is found
// later.
func (s *statement) checkTests(keys keySchema, all []keyAttr, queried bool) (wrong, other error) {
	narrows := map[*partiql.Expr]bool{}
	for _, e := range conjuncts(s.Where) {
		narrows[e] = true
	}
	var check func(e *partiql.Expr, negated bool)
	check = func(e *partiql.Expr, negated bool) {
		if e.Is("AND") || e.Is("OR") || e.Is("NOT") {
			for _, a := range e.Args {
				check(a, negated || e.Is("NOT"))
			}
			return
		}
		t, ok := s.test(e)
		i := slices.IndexFunc(all, func(a keyAttr) bool { return a.name == t.name })
		if !ok || i < 0 {
			return
		}
		a := all[i]
		for _, v := range t.values {
			bound := narrows[e] && t.op != "IN" || slices.Contains(keys.partition, a)
			switch {
			case v.Kind() != a.kind && queried && keys.has(a.name) && bound && t.op != "contains" && t.op != "<>" && !negated:
				wrong = cmp.Or[error](wrong, wrongKind(a))
			case v.Kind() != a.kind:
				other = cmp.Or[error](other, errWrongKind)
			case a.kind != value.N && v.Len() == 0:
				other = cmp.Or[error](other, emptyValue(a))
			}
		}
	}
	if s.Where != nil {
		check(s.Where, false)
	}
	return wrong, other
}
