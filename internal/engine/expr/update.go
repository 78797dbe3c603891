package expr

import (
	"errors"
	"iter"
	"slices"
	"strings"

	"github.com/dynorm/dynorm/internal/engine/value"
)

// The faults of an update that depend on the item.
const (
	ErrPath        value.Error = "The document path provided in the update expression is invalid for update"
	ErrMissing     value.Error = "The provided expression refers to an attribute that does not exist in the item"
	ErrOperandType value.Error = "An operand in the update expression has an incorrect data type"
	ErrSize        value.Error = "Item size to update has exceeded the maximum allowed size"
)

// Update is an update expression that was read.
type Update struct {
	actions []action
	tree    *pathTree // of the targets
	refs    bindings
	legacy  bool // it came as AttributeUpdates
}

// ParseUpdate reads an update expression.
func ParseUpdate(text string, scope *Scope) (*Update, error) {
	syn, refs, err := scope.read(KindUpdate, text)
	if err != nil {
		return nil, err
	}
	b := scope.binder(KindUpdate, syn, refs)
	targets := make([]path, len(syn.actions))
	for i, a := range syn.actions {
		targets[i] = a.target
	}
	tree, err := b.newPathTree(targets)
	if err != nil {
		return nil, err
	}
	for _, a := range slices.Backward(syn.actions) {
		if err := b.checkAction(a); err != nil {
			return nil, err
		}
	}
	return &Update{actions: syn.actions, tree: tree, refs: refs}, nil
}

func (b *binder) checkAction(a action) error {
	if a.verb == verbRemove {
		return nil
	}
	if err := b.check(a.value); err != nil {
		return err
	}
	kind := b.kindOf(a.value)
	switch {
	case a.verb == verbAdd && kind != value.N && !kind.IsSet(),
		a.verb == verbDelete && !kind.IsSet():
		verb := verbNames[a.verb]
		return b.faultf("Incorrect operand type for operator or function; operator: %[1]s, operand type: %[2]s, typeSet: ALLOWED_FOR_%[1]s_OPERAND",
			verb, longNames[kind])
	}
	return nil
}

// longNames are the types as the service names them in faults of ADD and
// DELETE.
var longNames = [...]string{
	value.S: "STRING", value.N: "NUMBER", value.B: "BINARY",
	value.SS: "STRING_SET", value.NS: "NUMBER_SET", value.BS: "BINARY_SET",
	value.L: "LIST", value.M: "MAP", value.NULL: "NULL", value.BOOL: "BOOLEAN",
}

// Attributes yields the top-level attributes that the expression changes, in
// the order of the text and as often as it names them.
func (u *Update) Attributes() iter.Seq[string] {
	return attributes(slices.Values(u.tree.paths), nil)
}

// CheckKeys refuses changes of the table's key.
func (u *Update) CheckKeys(keys []string) error {
	for _, key := range keys {
		for name := range u.Attributes() {
			if name == key {
				return faultf("One or more parameter values were invalid: Cannot update attribute %s. This attribute is part of the key", key)
			}
		}
	}
	return nil
}

// CheckScalars refuses paths into the attributes of a key, which never have
// parts. index tells that it is the key of an index.
func (u *Update) CheckScalars(keys []string, index bool) error {
	if err := checkScalars(slices.Values(u.tree.paths), nil, keys, index); err != nil {
		return err
	}
	for _, a := range u.actions {
		if a.value == nil {
			continue
		}
		if err := checkScalars(paths(a.value), u.refs, keys, index); err != nil {
			return err
		}
	}
	return nil
}

// IsLegacy reports whether the update came as AttributeUpdates.
func (u *Update) IsLegacy() bool { return u.legacy }

// Creates reports whether the update makes an item that is not there. Legacy
// updates that only delete do not.
func (u *Update) Creates() bool {
	return !u.legacy || slices.ContainsFunc(u.actions, func(a action) bool { return a.verb == verbSet || a.verb == verbAdd })
}

// Updated returns the parts of an item that the expression changes: of the old
// item for UPDATED_OLD, of the new one for UPDATED_NEW.
func (u *Update) Updated(it value.Item) value.Item { return u.tree.project(it) }

// Apply returns the item with all changes. Each of them sees the item as it
// was, so their order doesn't matter. An item that doesn't exist is its key.
// Errors are ErrPath, ErrMissing, ErrOperandType (ErrType of legacy updates),
// ErrSize and those of numbers.
func (u *Update) Apply(it value.Item) (value.Item, error) {
	changed, err := application{u.actions, new(int), evaluation{u.refs, it}}.fields(u.tree.top, it)
	if u.legacy && errors.Is(err, ErrOperandType) {
		return changed, ErrType
	}
	return changed, err
}

// application is an update expression over one item.
type application struct {
	actions  []action
	elements *int // of all lists that were set
	evaluation
}

// fields changes attributes of an item or map. Like the service it begins with
// the last one, which is seen when several fail.
func (a application) fields(branches []branch, m value.Item) (value.Item, error) {
	news := make([]value.Value, len(branches))
	for i := range slices.Backward(branches) {
		v, err := a.change(&branches[i], m.Value(branches[i].name))
		if err != nil {
			return value.Item{}, err
		}
		news[i] = v
	}
	olds := m.Attrs()
	attrs := make([]value.Attr, 0, len(olds)+len(branches))
	for i, v := range news {
		name := branches[i].name
		n, found := slices.BinarySearchFunc(olds, name, func(old value.Attr, name string) int {
			return strings.Compare(old.Name, name)
		})
		attrs = append(attrs, olds[:n]...)
		olds = olds[n:]
		if found {
			olds = olds[1:]
		}
		if !v.IsZero() {
			attrs = append(attrs, value.Attr{Name: name, Value: v})
		}
	}
	return value.NewItem(append(attrs, olds...)), nil
}

// listed changes elements of a list. Indexes are those of the old list; what
// is set beyond its end is appended in their order.
func (a application) listed(branches []branch, olds []value.Value) (value.Value, error) {
	news := make([]value.Value, len(branches))
	for i := range slices.Backward(branches) {
		var old value.Value
		if at := int(branches[i].index); at < len(olds) {
			old = olds[at]
		}
		v, err := a.change(&branches[i], old)
		if err != nil {
			return value.Value{}, err
		}
		news[i] = v
	}
	elems := make([]value.Value, 0, len(olds)+len(branches))
	next := 0
	for i, v := range news {
		at := min(int(branches[i].index), len(olds))
		elems = append(elems, olds[next:at]...)
		next = min(at+1, len(olds))
		if !v.IsZero() {
			elems = append(elems, v)
		}
	}
	return value.List(append(elems, olds[next:]...)), nil
}

// change returns what becomes of the value at a branch; the zero Value is the
// absence of one.
func (a application) change(b *branch, old value.Value) (value.Value, error) {
	switch {
	case b.leaf >= 0:
		return a.act(a.actions[b.leaf], old)
	case b.kids[0].isIndex() && old.Kind() == value.L:
		return a.listed(b.kids, old.Elems())
	case !b.kids[0].isIndex() && old.Kind() == value.M:
		m, err := a.fields(b.kids, old.Map())
		return value.Map(m), err
	}
	return value.Value{}, ErrPath
}

func (a application) act(do action, old value.Value) (value.Value, error) {
	switch do.verb {
	case verbSet:
		v, err := a.assigned(do.value)
		if v.Kind() == value.L {
			if *a.elements += v.Len(); *a.elements > maxElements {
				return value.Value{}, ErrSize
			}
		}
		return v, err
	case verbAdd:
		return add(old, a.refs[do.value.ref].value)
	case verbDelete:
		return remove(old, a.refs[do.value.ref].value)
	}
	return value.Value{}, nil
}

func add(old, v value.Value) (value.Value, error) {
	switch {
	case old.IsZero():
		return v, nil
	case old.Kind() != v.Kind():
		return value.Value{}, ErrOperandType
	case v.Kind() == value.N:
		sum, err := old.Number().Add(v.Number())
		return value.Num(sum), err
	case v.Kind() == value.L: // of legacy updates alone
		return joinedLists(old, v)
	}
	return old.Union(v), nil
}

// maxElements is how many elements the lists of an item can have: each takes
// two bytes at least. More are refused at once, since an expression may join
// and set one list many times.
const maxElements = value.MaxItemSize / 2

// joinedLists returns the elements of both lists as one.
func joinedLists(x, y value.Value) (value.Value, error) {
	if x.Len()+y.Len() > maxElements {
		return value.Value{}, ErrSize
	}
	return value.List(slices.Concat(x.Elems(), y.Elems())), nil
}

func remove(old, v value.Value) (value.Value, error) {
	switch {
	case old.IsZero():
		return old, nil
	case old.Kind() != v.Kind():
		return value.Value{}, ErrOperandType
	}
	rest := old.Minus(v)
	if rest.Len() == 0 {
		return value.Value{}, nil
	}
	return rest, nil
}

// assigned evaluates the right side of an assignment.
func (a application) assigned(n *node) (value.Value, error) {
	switch n.op {
	case opValue:
		return a.refs[n.ref].value, nil
	case opPath:
		if v := n.path.find(a.item, a.refs); !v.IsZero() {
			return v, nil
		}
		return value.Value{}, ErrMissing
	case opPlus, opMinus:
		x, y, err := a.operands(n, value.N)
		if err != nil {
			return value.Value{}, err
		}
		if n.op == opMinus {
			sum, err := x.Number().Sub(y.Number())
			return value.Num(sum), err
		}
		sum, err := x.Number().Add(y.Number())
		return value.Num(sum), err
	}
	if n.call == listAppend {
		x, y, err := a.operands(n, value.L)
		if err != nil {
			return value.Value{}, err
		}
		return joinedLists(x, y)
	}
	// Of if_not_exists both operands are evaluated, whichever is the result.
	otherwise, err := a.assigned(n.kids[1])
	if err != nil {
		return value.Value{}, err
	}
	if v := n.kids[0].path.find(a.item, a.refs); !v.IsZero() {
		return v, nil
	}
	return otherwise, nil
}

// operands evaluates both operands, which must be of a type: functions first,
// then from left to right.
func (a application) operands(n *node, kind value.Kind) (x, y value.Value, err error) {
	var vs [2]value.Value
	for i, kid := range n.kids {
		if kid.op == opCall {
			if vs[i], err = a.assigned(kid); err != nil {
				return x, y, err
			}
		}
	}
	for i, kid := range n.kids {
		if kid.op != opCall {
			if vs[i], err = a.assigned(kid); err != nil {
				return x, y, err
			}
		}
		if vs[i].Kind() != kind {
			return x, y, ErrOperandType
		}
	}
	return vs[0], vs[1], nil
}
