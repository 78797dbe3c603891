package expr

import (
	"slices"

	"github.com/dynorm/dynorm/internal/engine/value"
)

// Builder makes conditions, updates and projections of the statements of
// another language, which are checked and evaluated as those of expressions
// are. Its faults do not name a parameter of the request. The zero Builder is
// ready for use; one Builder is for one statement.
type Builder struct {
	refs bindings
}

// Operand is a part of what a Builder builds.
type Operand struct{ node *node }

// Step is an element of a document path.
type Step struct {
	Name  string
	Index int32 // of a list element, where Name is ""
}

// Action is a change of an update. Of the verbs only REMOVE takes no value;
// that of ADD and DELETE is a constant.
type Action struct {
	Verb   string // SET, REMOVE, ADD, DELETE
	Target []Step
	Value  Operand
}

// Value returns a constant.
func (b *Builder) Value(v value.Value) Operand {
	b.refs = append(b.refs, binding{value: v})
	return Operand{&node{op: opValue, ref: int32(len(b.refs) - 1)}}
}

// Path returns a document path.
func (b *Builder) Path(steps []Step) Operand { return Operand{&node{op: opPath, path: pathOf(steps)}} }

func pathOf(steps []Step) path {
	p := make(path, len(steps))
	for i, s := range steps {
		p[i] = step{name: s.Name, ref: -1, index: -1}
		if s.Name == "" {
			p[i].index = s.Index
		}
	}
	return p
}

// Operation returns an operator of the languages, such as "=" or "BETWEEN",
// over its operands. The caller sees to their number.
func (b *Builder) Operation(symbol string, operands ...Operand) Operand {
	return Operand{&node{op: op(slices.Index(symbols[:], symbol)), kids: nodesOf(operands)}}
}

// Call returns a function over its operands. The context it stands in is that
// of updates or of conditions.
func (b *Builder) Call(name string, update bool, operands ...Operand) (Operand, error) {
	f := functions[name]
	g := grammarCondition
	if update {
		g = grammarUpdate
	}
	switch {
	case f == nil:
		return Operand{}, faultf("Unrecognized function: %s", name)
	case f.in != g && update:
		return Operand{}, faultf("The function is not allowed in an update expression; function: %s", name)
	case f.in != g:
		return Operand{}, faultf("The function is not allowed in a condition expression; function: %s", name)
	}
	return Operand{&node{op: opCall, call: f, kids: nodesOf(operands)}}, nil
}

func nodesOf(operands []Operand) []*node {
	nodes := make([]*node, len(operands))
	for i, o := range operands {
		nodes[i] = o.node
	}
	return nodes
}

// Condition checks a condition and returns it.
func (b *Builder) Condition(root Operand) (*Condition, error) {
	if err := b.binder().check(root.node); err != nil {
		return nil, err
	}
	return &Condition{root.node, b.refs}, nil
}

// Without returns the condition that an item has no attribute of the name.
func Without(name string) *Condition { return &Condition{root: without(name)} }

// OrWithout returns the condition that c is true of an item, or that the item
// has no attribute of the name.
func (c *Condition) OrWithout(name string) *Condition {
	return &Condition{&node{op: opOr, kids: []*node{without(name), c.root}}, c.refs}
}

func without(name string) *node {
	return &node{op: opCall, call: attributeNotExists, kids: []*node{{op: opPath, path: pathOf([]Step{{Name: name}})}}}
}

// Projection checks the paths and returns the projection.
func (b *Builder) Projection(paths [][]Step) (*Projection, error) {
	tree, err := b.tree(paths)
	return &Projection{tree}, err
}

// tree joins paths, of which of those that clash the later one is found. The
// paths of expressions are gone through the other way round.
func (b *Builder) tree(paths [][]Step) (*pathTree, error) {
	list := make([]path, len(paths))
	for i, p := range paths {
		list[len(list)-1-i] = pathOf(p)
	}
	return b.binder().newPathTree(list)
}

// Update checks the changes and returns the update.
func (b *Builder) Update(changes []Action) (*Update, error) {
	targets := make([][]Step, len(changes))
	actions := make([]action, len(changes))
	for i, c := range changes {
		targets[i] = c.Target
		actions[len(actions)-1-i] = action{verb: verb(slices.Index(verbNames[:], c.Verb)), target: pathOf(c.Target), value: c.Value.node}
	}
	tree, err := b.tree(targets)
	if err != nil {
		return nil, err
	}
	check := b.binder()
	for _, a := range slices.Backward(actions) {
		if err := check.checkAction(a); err != nil {
			return nil, err
		}
	}
	return &Update{actions: actions, tree: tree, refs: b.refs}, nil
}

func (b *Builder) binder() *binder { return &binder{refs: b.refs} }

// Find returns what a document path leads to in the item, or no value.
func Find(it value.Item, steps []Step) value.Value { return pathOf(steps).find(it, nil) }
