package expr

import (
	"strings"

	"github.com/dynorm/dynorm/internal/engine/value"
)

// KeyAttr is an attribute of a key.
type KeyAttr struct {
	Name string
	Kind value.Kind
}

// KeySchema is the key that a query reads by: one to four attributes of its
// partition key, none to four of its sort key, each in order.
type KeySchema struct {
	Index     string // empty for the table's own key
	Partition []KeyAttr
	Sort      []KeyAttr
}

// KeyRange is what a query reads: one partition, and of its sort key the
// leading attributes by equality and the next one between bounds or by a
// prefix.
type KeyRange struct {
	Partition []value.Value
	Sort      []value.Value // equal to the leading attributes of the sort key

	// Of the attribute after those. No value is no bound.
	Lower, Upper         value.Value
	LowerOpen, UpperOpen bool // the bound itself is outside
	Prefix               value.Value
}

// KeyCondition is a key condition expression that was read.
type KeyCondition struct {
	conds []keyCond
	fault error // for Check to find
}

// keyCond is the condition on one attribute, which stands on its left.
type keyCond struct {
	name   string
	op     op // opCall is begins_with
	values []value.Value
}

// ParseKeyCondition reads a key condition expression.
func ParseKeyCondition(text string, scope *Scope) (*KeyCondition, error) {
	syn, refs, err := scope.read(KindKeyCondition, text)
	if err != nil {
		return nil, err
	}
	if err := scope.binder(KindKeyCondition, syn, refs).check(syn.root); err != nil {
		return nil, err
	}
	k := &KeyCondition{}
	k.fault = k.split(syn.root, refs)
	return k, nil
}

// Check finds what a key condition can't say, whatever the table. It is for
// when all expressions of the request are read: after [Scope.CheckUsed].
func (k *KeyCondition) Check() error { return k.fault }

// split takes the conditions joined by AND apart.
func (k *KeyCondition) split(n *node, refs bindings) error {
	if n.op == opAnd {
		if err := k.split(n.kids[0], refs); err != nil {
			return err
		}
		return k.split(n.kids[1], refs)
	}
	switch {
	case n.op == opOr, n.op == opNot, n.op == opNE, n.op == opIn, n.op == opCall && n.call != beginsWith:
		return faultf("Invalid operator used in KeyConditionExpression: %s", n.symbol())
	}
	attr := -1
	for i, kid := range n.kids {
		switch {
		case kid.op == opCall:
			return faultf("KeyConditionExpressions cannot contain nested operations")
		case kid.op == opPath && attr < 0:
			attr = i
		}
	}
	if (n.op == opBetween || n.op == opCall) && attr != 0 {
		return faultf("Invalid condition in KeyConditionExpression: %s operator must have the key attribute as its first operand", n.symbol())
	}
	if attr < 0 {
		return faultf("Invalid condition in KeyConditionExpression: No key attribute specified")
	}
	p := n.kids[attr].path
	c := keyCond{name: p.top(refs), op: n.op}
	if attr == 1 {
		c.op = flipped(n.op)
	}
	for i, kid := range n.kids {
		switch {
		case i == attr:
		case kid.op == opPath:
			return faultf("Invalid condition in KeyConditionExpression: Multiple attribute names used in one condition")
		default:
			c.values = append(c.values, refs[kid.ref].value)
		}
	}
	if len(p) > 1 {
		return faultf("KeyConditionExpressions cannot have conditions on nested attributes")
	}
	if _, ok := k.on(c.name); ok {
		return faultf("KeyConditionExpressions must only contain one condition per key")
	}
	k.conds = append(k.conds, c)
	return nil
}

// flipped returns the operator for exchanged operands.
func flipped(o op) op {
	switch o {
	case opLT:
		return opGT
	case opLE:
		return opGE
	case opGT:
		return opLT
	case opGE:
		return opLE
	}
	return o
}

// on returns the condition on an attribute.
func (k *KeyCondition) on(name string) (keyCond, bool) {
	for _, c := range k.conds {
		if c.name == name {
			return c, true
		}
	}
	return keyCond{}, false
}

// Range returns what the condition asks for of a table or index. Check comes
// before it.
func (k *KeyCondition) Range(schema KeySchema) (KeyRange, error) {
	var err error
	if len(schema.Partition) == 1 && len(schema.Sort) <= 1 {
		err = k.checkSingle(schema)
	} else {
		err = k.checkMulti(schema)
	}
	if err != nil {
		return KeyRange{}, err
	}
	var r KeyRange
	for _, a := range schema.Partition {
		c, _ := k.on(a.Name)
		r.Partition = append(r.Partition, c.values[0])
	}
	for _, a := range schema.Sort {
		c, ok := k.on(a.Name)
		if !ok {
			break
		}
		r.bound(c)
	}
	return r, nil
}

// bound adds the condition on the next attribute of the sort key.
func (r *KeyRange) bound(c keyCond) {
	switch c.op {
	case opEQ:
		r.Sort = append(r.Sort, c.values[0])
	case opLT, opLE:
		r.Upper, r.UpperOpen = c.values[0], c.op == opLT
	case opGT, opGE:
		r.Lower, r.LowerOpen = c.values[0], c.op == opGT
	case opBetween:
		r.Lower, r.Upper = c.values[0], c.values[1]
	case opCall:
		r.Prefix = c.values[0]
	}
}

const errNotSupported value.Error = "Query key condition not supported"

// checkSingle checks the conditions against a key of one partition attribute
// and at most one sort attribute.
func (k *KeyCondition) checkSingle(schema KeySchema) error {
	if len(k.conds) > 2 {
		return faultf("Conditions can be of length 1 or 2 only")
	}
	if len(k.conds) > 1 && len(schema.Sort) == 0 {
		return errNotSupported
	}
	partition, ok := k.on(schema.Partition[0].Name)
	if !ok {
		return missedKey(schema.Partition[0])
	}
	if err := k.checkTypes(schema.Partition); err != nil {
		return err
	}
	if partition.op != opEQ {
		return errNotSupported
	}
	if err := k.checkPartition(schema); err != nil {
		return err
	}
	if len(k.conds) > 1 {
		if _, ok := k.on(schema.Sort[0].Name); !ok {
			return missedKey(schema.Sort[0])
		}
	}
	return k.checkSort(schema)
}

func missedKey(a KeyAttr) error {
	return faultf("Query condition missed key schema element: %s", a.Name)
}

// checkMulti checks the conditions against a key of several attributes.
func (k *KeyCondition) checkMulti(schema KeySchema) error {
	open := k.without(schema.Partition)
	if len(open) == 0 {
		open = k.notEqual(schema.Partition)
	}
	if len(open) > 0 {
		return faultf("HASH key attributes %s must have equality conditions specified in the query", strings.Join(open, ", "))
	}
	last, gap, before := -1, []string(nil), ""
	for i, a := range schema.Sort {
		if _, ok := k.on(a.Name); !ok {
			continue
		}
		// The first gap is told, by what is behind it.
		if gap == nil {
			gap, before = k.without(schema.Sort[last+1:i]), a.Name
		}
		last = i
	}
	if gap == nil && last >= 0 {
		gap, before = k.notEqual(schema.Sort[:last]), schema.Sort[last].Name
	}
	if len(gap) > 0 {
		return faultf("RANGE key attributes %s must have equality conditions specified in the query"+
			" because a condition is present on key attribute %s", strings.Join(gap, ", "), before)
	}
	switch used := len(schema.Partition) + last + 1; {
	case len(k.conds) > len(schema.Partition)+len(schema.Sort):
		return errNotSupported
	case len(k.conds) > used:
		return missedKey(schema.Sort[last+1])
	}
	if err := k.checkPartition(schema); err != nil {
		return err
	}
	return k.checkSort(schema)
}

// checkIndexable refuses what legacy conditions can ask for and no order of
// keys answers.
func (k *KeyCondition) checkIndexable(attrs []KeyAttr) error {
	if err := k.checkTypes(attrs); err != nil {
		return err
	}
	for _, a := range attrs {
		if c, ok := k.on(a.Name); ok && (c.op == opNE || c.op == opIn) {
			return faultf("Attempted conditional constraint is not an indexable operation")
		}
	}
	return nil
}

// without returns the attributes that have no condition.
func (k *KeyCondition) without(attrs []KeyAttr) []string {
	var names []string
	for _, a := range attrs {
		if _, ok := k.on(a.Name); !ok {
			names = append(names, a.Name)
		}
	}
	return names
}

// notEqual returns the attributes without a condition of equality.
func (k *KeyCondition) notEqual(attrs []KeyAttr) []string {
	var names []string
	for _, a := range attrs {
		if c, ok := k.on(a.Name); !ok || c.op != opEQ {
			names = append(names, a.Name)
		}
	}
	return names
}

// checkPartition checks the values of the partition key.
func (k *KeyCondition) checkPartition(schema KeySchema) error {
	if err := k.checkValues(schema.Index, schema.Partition); err != nil {
		return err
	}
	if k.size(schema.Partition) > value.MaxPartitionKeySize {
		return faultf("One or more parameter values were invalid: Size of hashkey has exceeded the maximum size limit of%d bytes",
			value.MaxPartitionKeySize)
	}
	return nil
}

// checkSort checks the values of the sort key.
func (k *KeyCondition) checkSort(schema KeySchema) error {
	if err := k.checkIndexable(schema.Sort); err != nil {
		return err
	}
	if err := k.checkValues(schema.Index, schema.Sort); err != nil {
		return err
	}
	if k.size(schema.Sort) > value.MaxSortKeySize {
		return faultf("One or more parameter values were invalid: Aggregated size of all range keys has exceeded the size limit of %d bytes",
			value.MaxSortKeySize)
	}
	return nil
}

// checkValues checks that values are of the type of their attributes and not
// empty.
func (k *KeyCondition) checkValues(index string, attrs []KeyAttr) error {
	if err := k.checkTypes(attrs); err != nil {
		return err
	}
	for _, a := range attrs {
		c, _ := k.on(a.Name)
		for _, v := range c.values {
			if v.Kind() != value.N && v.Len() == 0 {
				return emptyKey(index, a)
			}
		}
	}
	return nil
}

func (k *KeyCondition) checkTypes(attrs []KeyAttr) error {
	for _, a := range attrs {
		c, _ := k.on(a.Name)
		for _, v := range c.values {
			if v.Kind() != a.Kind {
				return faultf("One or more parameter values were invalid: Condition parameter type does not match schema type")
			}
		}
	}
	return nil
}

// size returns the bytes of the largest key that the conditions name.
func (k *KeyCondition) size(attrs []KeyAttr) int {
	total := 0
	for _, a := range attrs {
		c, _ := k.on(a.Name)
		largest := 0
		for _, v := range c.values {
			largest = max(largest, v.Size())
		}
		total += largest
	}
	return total
}

func emptyKey(index string, a KeyAttr) error {
	kind := "string"
	if a.Kind == value.B {
		kind = "binary"
	}
	if index != "" {
		return faultf("One or more parameter values are not valid. A value specified for a secondary index key is not supported."+
			" The AttributeValue for a key attribute cannot contain an empty %s value. IndexName: %s, IndexKey: %s", kind, index, a.Name)
	}
	return faultf("One or more parameter values are not valid."+
		" The AttributeValue for a key attribute cannot contain an empty %s value. Key: %s", kind, a.Name)
}
