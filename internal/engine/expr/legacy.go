package expr

import (
	"slices"

	"github.com/dynorm/dynorm/internal/engine/value"
)

// ErrType is the fault of a legacy update whose operand does not fit the
// attribute it is for.
const ErrType value.Error = "Type mismatch for attribute to update"

// Comparison is a legacy condition on one attribute. Its operator is one of
// the API's, such as "NOT_CONTAINS", with as many operands as it takes.
type Comparison struct {
	Name     string
	Operator string
	Operands []value.Value
}

var comparisonOps = map[string]op{
	"EQ": opEQ, "NE": opNE, "LT": opLT, "LE": opLE, "GT": opGT, "GE": opGE, "BETWEEN": opBetween, "IN": opIn,
}

// ConditionOf returns the condition that the comparisons make together: all of
// them, or with or any of them, must hold. There is at least one.
func ConditionOf(comparisons []Comparison, or bool) *Condition {
	c := &Condition{}
	nodes := make([]*node, len(comparisons))
	for i := range comparisons {
		nodes[i] = c.compare(&comparisons[i])
	}
	join := opAnd
	if or {
		join = opOr
	}
	c.root = joined(join, nodes)
	return c
}

// joined returns a tree of the nodes that is no deeper than it must be.
func joined(join op, nodes []*node) *node {
	if len(nodes) == 1 {
		return nodes[0]
	}
	half := len(nodes) / 2
	return &node{op: join, kids: []*node{joined(join, nodes[:half]), joined(join, nodes[half:])}}
}

// compare returns the node of one comparison, whose operands it binds.
func (c *Condition) compare(from *Comparison) *node {
	attr := &node{op: opPath, path: attrPath(from.Name)}
	operands := []*node{attr}
	for _, v := range from.Operands {
		operands = append(operands, &node{op: opValue, ref: int32(len(c.refs))})
		c.refs = append(c.refs, binding{value: v})
	}
	call := func(f *function, operands ...*node) *node { return &node{op: opCall, call: f, kids: operands} }
	switch from.Operator {
	case "NULL":
		return call(attributeNotExists, attr)
	case "NOT_NULL":
		return call(attributeExists, attr)
	case "BEGINS_WITH":
		return call(beginsWith, operands...)
	case "CONTAINS":
		return call(contains, operands...)
	case "NOT_CONTAINS": // An attribute that is not there contains nothing, and does not fulfil this either.
		not := &node{op: opNot, kids: []*node{call(contains, operands...)}}
		return &node{op: opAnd, kids: []*node{call(attributeExists, attr), not}}
	}
	return &node{op: comparisonOps[from.Operator], kids: operands}
}

func attrPath(name string) path { return path{{name: name, ref: -1, index: -1}} }

// KeyConditionOf returns the key condition of the comparisons, which are of
// different attributes.
func KeyConditionOf(comparisons []Comparison) *KeyCondition {
	k := &KeyCondition{}
	for _, c := range comparisons {
		o, ok := comparisonOps[c.Operator]
		switch {
		case c.Operator == "BEGINS_WITH":
			o = opCall
		case !ok:
			o = opNE // which no index answers either
		}
		k.conds = append(k.conds, keyCond{c.Name, o, c.Operands})
	}
	return k
}

// ProjectionOf returns the projection on the named attributes, which are
// different.
func ProjectionOf(names []string) *Projection {
	return &Projection{treeOf(names)}
}

// treeOf joins paths of one attribute each, which are different.
func treeOf(names []string) *pathTree {
	t := &pathTree{paths: make([]path, len(names)), top: make([]branch, len(names))}
	for i, name := range names {
		t.paths[i] = attrPath(name)
		t.top[i] = branch{step: t.paths[i][0], leaf: i}
	}
	slices.SortFunc(t.top, func(a, b branch) int { return a.compare(b.step) })
	return t
}

// Change is a legacy update of one attribute: "PUT", "ADD" or "DELETE" of a
// value, or without one the "DELETE" of the attribute.
type Change struct {
	Name   string
	Action string
	Value  value.Value
}

// UpdateOf returns the update that makes the changes, which are of different
// attributes.
func UpdateOf(changes []Change) *Update {
	u := &Update{legacy: true}
	names := make([]string, len(changes))
	for i, c := range changes {
		names[i] = c.Name
		a := action{target: attrPath(c.Name)}
		switch {
		case c.Action == "PUT":
			a.verb = verbSet
		case c.Action == "ADD":
			a.verb = verbAdd
		case c.Value.IsZero():
			a.verb = verbRemove
		default:
			a.verb = verbDelete
		}
		if a.verb != verbRemove {
			a.value = &node{op: opValue, ref: int32(len(u.refs))}
			u.refs = append(u.refs, binding{value: c.Value})
		}
		u.actions = append(u.actions, a)
	}
	u.tree = treeOf(names)
	return u
}
