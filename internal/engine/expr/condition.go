package expr

import (
	"iter"
	"slices"
	"unicode/utf16"

	"github.com/dynorm/dynorm/internal/engine/value"
)

// Condition is a condition or filter expression that was read.
type Condition struct {
	root *node
	refs bindings
}

// ParseCondition reads a condition or filter expression. kind is
// KindCondition or KindFilter.
func ParseCondition(kind Kind, text string, scope *Scope) (*Condition, error) {
	syn, refs, err := scope.read(kind, text)
	if err != nil {
		return nil, err
	}
	if err := scope.binder(kind, syn, refs).check(syn.root); err != nil {
		return nil, err
	}
	return &Condition{syn.root, refs}, nil
}

// Eval reports whether the item fulfils the condition. An item that doesn't
// exist is the empty one.
func (c *Condition) Eval(it value.Item) bool { return evaluation{c.refs, it}.is(c.root) }

// Attributes yields the top-level attributes that the condition names, in the
// order of the text and as often as it names them.
func (c *Condition) Attributes() iter.Seq[string] { return attributes(paths(c.root), c.refs) }

// CheckScalars refuses paths into the attributes of a key, which never have
// parts. index tells that it is the key of an index.
func (c *Condition) CheckScalars(keys []string, index bool) error {
	return checkScalars(paths(c.root), c.refs, keys, index)
}

// CheckFilter refuses the attributes of the key that a query reads by: they
// belong in its key condition. what is the filter's name in the fault.
func (c *Condition) CheckFilter(keys []string, what string) error {
	for _, key := range keys {
		for name := range c.Attributes() {
			if name == key {
				return faultf("%s can only contain non-primary key attributes: Primary key attribute: %s", what, key)
			}
		}
	}
	return nil
}

// paths yields the paths of a tree from left to right.
func paths(n *node) iter.Seq[path] {
	return func(yield func(path) bool) { yieldPaths(n, yield) }
}

func yieldPaths(n *node, yield func(path) bool) bool {
	if n.op == opPath {
		return yield(n.path)
	}
	for _, kid := range n.kids {
		if !yieldPaths(kid, yield) {
			return false
		}
	}
	return true
}

func attributes(paths iter.Seq[path], refs bindings) iter.Seq[string] {
	return func(yield func(string) bool) {
		for p := range paths {
			if !yield(p.top(refs)) {
				return
			}
		}
	}
}

func checkScalars(paths iter.Seq[path], refs bindings, keys []string, index bool) error {
	for p := range paths {
		if name := p.top(refs); len(p) > 1 && slices.Contains(keys, name) {
			label := "Key"
			if index {
				label = "IndexKey"
			}
			return faultf("Key attributes must be scalars; list random access '[]' and map lookup '.' are not allowed: %s: %s", label, name)
		}
	}
	return nil
}

// evaluation is a condition's expression over one item.
type evaluation struct {
	refs bindings
	item value.Item
}

// is evaluates a condition.
func (e evaluation) is(n *node) bool {
	switch n.op {
	case opOr:
		return e.is(n.kids[0]) || e.is(n.kids[1])
	case opAnd:
		return e.is(n.kids[0]) && e.is(n.kids[1])
	case opNot:
		return !e.is(n.kids[0])
	case opBetween:
		v := e.value(n.kids[0])
		return ordered(opGE, v, e.value(n.kids[1])) && ordered(opLE, v, e.value(n.kids[2]))
	case opIn:
		v := e.value(n.kids[0])
		return slices.ContainsFunc(n.kids[1:], func(kid *node) bool { return equal(v, e.value(kid)) })
	case opEQ:
		return equal(e.value(n.kids[0]), e.value(n.kids[1]))
	case opNE:
		return !equal(e.value(n.kids[0]), e.value(n.kids[1]))
	case opCall:
		return e.holds(n)
	}
	return ordered(n.op, e.value(n.kids[0]), e.value(n.kids[1]))
}

// equal reports whether both values are there and the same.
func equal(a, b value.Value) bool { return !a.IsZero() && value.Equal(a, b) }

// ordered compares values of one scalar type. All others have no order, and
// every comparison of them is false.
func ordered(o op, a, b value.Value) bool {
	if !value.Comparable(a, b) {
		return false
	}
	c := value.Compare(a, b)
	switch o {
	case opLT:
		return c < 0
	case opLE:
		return c <= 0
	case opGT:
		return c > 0
	}
	return c >= 0
}

// holds evaluates a function that stands for a condition.
func (e evaluation) holds(n *node) bool {
	v := e.value(n.kids[0])
	switch n.call {
	case attributeExists:
		return !v.IsZero()
	case attributeNotExists:
		return v.IsZero()
	}
	operand := e.value(n.kids[1])
	if v.IsZero() || operand.IsZero() {
		return false
	}
	switch n.call {
	case attributeType:
		return v.Kind().String() == operand.Text()
	case beginsWith:
		return v.HasPrefix(operand)
	}
	return v.Contains(operand)
}

// value evaluates an operand. What isn't there is the zero Value, and so is
// the size of what has none.
func (e evaluation) value(n *node) value.Value {
	switch n.op {
	case opPath:
		return n.path.find(e.item, e.refs)
	case opValue:
		return e.refs[n.ref].value
	}
	v := e.value(n.kids[0]) // of size
	if !hasSize(v.Kind()) {
		return value.Value{}
	}
	return value.Int(int64(sizeOf(v)))
}

// sizeOf returns what size gives: the number of elements or bytes, and of a
// string that of its UTF-16 code units.
func sizeOf(v value.Value) int {
	if v.Kind() != value.S {
		return v.Len()
	}
	n := 0
	for _, r := range v.Text() {
		n += utf16.RuneLen(r)
	}
	return n
}
