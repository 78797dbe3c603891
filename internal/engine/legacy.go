package engine

import (
	"slices"
	"strconv"

	"github.com/dynorm/dynorm/internal/engine/expr"
	"github.com/dynorm/dynorm/internal/engine/value"
	"github.com/dynorm/dynorm/internal/engine/wire"
)

// The parameters that expressions replaced, by operation, in the service's
// order.
var (
	legacyOfGet    = []string{"AttributesToGet"}
	legacyOfWrite  = []string{"Expected", "ConditionalOperator"}
	legacyOfUpdate = []string{"AttributeUpdates", "Expected", "ConditionalOperator"}
	legacyOfQuery  = []string{"AttributesToGet", "QueryFilter", "ConditionalOperator", "KeyConditions"}
	legacyOfScan   = []string{"AttributesToGet", "ScanFilter", "ConditionalOperator"}
)

// legacyInput are the parameters that expressions replaced, as they came in.
type legacyInput struct {
	attributes    []wire.Text // AttributesToGet
	attributesSet bool
	expected      entries[legacyCondition]
	keyConditions entries[legacyCondition]
	filter        entries[legacyCondition]
	filterName    string // QueryFilter or ScanFilter
	updates       entries[legacyUpdate]
	operator      wire.Text // ConditionalOperator
}

// entries is a map of a request in the order in which it came, which is that
// of its faults.
type entries[T any] struct {
	set   bool
	names []string
	by    map[string]*T
}

func (e *entries[T]) add(name string, entry *T) {
	if e.by == nil {
		e.by = make(map[string]*T)
	}
	if e.by[name] == nil {
		e.names = append(e.names, name)
	}
	e.by[name] = entry
}

// legacyCondition is a condition on one attribute.
type legacyCondition struct {
	null     bool
	operator wire.Text
	list     []value.Value
	listSet  bool
	value    value.Value
	valueSet bool
	exists   wire.Bool
	err      error // the fault in the values, if any
}

// legacyUpdate is a change of one attribute.
type legacyUpdate struct {
	value    value.Value
	valueSet bool
	action   wire.Text
	err      error
}

func (in *legacyInput) field(r *wire.Reader, name string) {
	switch name {
	case "AttributesToGet":
		in.attributes, in.attributesSet = r.Texts()
	case "ConditionalOperator":
		in.operator = r.Text()
	case "Expected":
		in.expected = readConditions(r, "ExpectedAttributeValue")
	case "KeyConditions":
		in.keyConditions = readConditions(r, "Condition")
	case "QueryFilter", "ScanFilter":
		in.filter, in.filterName = readConditions(r, "Condition"), name
	case "AttributeUpdates":
		in.updates.set = r.Map("AttributeValueUpdate", func(key string) {
			u := &legacyUpdate{}
			r.Struct("AttributeValueUpdate", func(name string) {
				switch {
				case name == "Action":
					u.action = r.Text()
				case name == "Value" && !r.Null():
					u.value, u.err = r.Value()
					u.valueSet = true
				case name != "Value":
					r.Skip()
				}
			})
			in.updates.add(key, u)
		})
	}
}

func readConditions(r *wire.Reader, class string) (out entries[legacyCondition]) {
	out.set = r.Map(class, func(key string) {
		c := &legacyCondition{}
		read := func() value.Value {
			v, err := r.Value()
			if c.err == nil {
				c.err = err
			}
			return v
		}
		c.null = !r.Struct(class, func(name string) {
			switch name {
			case "ComparisonOperator":
				c.operator = r.Text()
			case "AttributeValueList":
				c.listSet = r.List(func() { c.list = append(c.list, read()) })
			case "Value":
				if !r.Null() {
					c.value, c.valueSet = read(), true
				}
			case "Exists":
				c.exists = r.Bool()
			default:
				r.Skip()
			}
		})
		out.add(key, c)
	})
	return out
}

// someOperands and noOperands are counts of operands that are no counts.
const (
	someOperands = -1
	noOperands   = 0
)

var (
	orderedKinds  = []value.Kind{value.S, value.N, value.B}
	prefixKinds   = []value.Kind{value.S, value.B}
	containsKinds = []value.Kind{value.S, value.N, value.B, value.BOOL, value.NULL}
)

// comparisons are the operators of legacy conditions, in the order of the
// service's faults, with the number of operands they take and the types that
// these can have: all, if none are given.
var comparisons = []struct {
	name     string
	operands int
	kinds    []value.Kind
}{
	{"IN", someOperands, orderedKinds},
	{"NULL", noOperands, nil},
	{"BETWEEN", 2, orderedKinds},
	{"LT", 1, orderedKinds},
	{"NOT_CONTAINS", 1, containsKinds},
	{"EQ", 1, nil},
	{"GT", 1, orderedKinds},
	{"NOT_NULL", noOperands, nil},
	{"NE", 1, nil},
	{"LE", 1, orderedKinds},
	{"BEGINS_WITH", 1, prefixKinds},
	{"GE", 1, orderedKinds},
	{"CONTAINS", 1, containsKinds},
}

func comparisonNames() []string {
	names := make([]string, len(comparisons))
	for i, c := range comparisons {
		names[i] = c.name
	}
	return names
}

func (in *legacyInput) shape(s *shape) {
	if in.attributesSet {
		s.count(len(in.attributes), 1, 255, shownTexts(in.attributes), "attributesToGet")
	}
	s.enum(in.operator, "conditionalOperator", "OR", "AND")
	s.conditions(in.expected, "expected", false)
	s.conditions(in.keyConditions, "keyConditions", true)
	s.conditions(in.filter, lowerFirst(in.filterName), true)
	for _, name := range in.updates.names {
		s.enum(in.updates.by[name].action, "attributeUpdates."+name+".member.action", "ADD", "PUT", "DELETE")
	}
}

// conditions checks the operators of legacy conditions, which in most
// parameters are required.
func (s *shape) conditions(conditions entries[legacyCondition], path string, required bool) {
	for _, name := range conditions.names {
		c := conditions.by[name]
		at := path + "." + name + ".member.comparisonOperator"
		if required && !c.null {
			s.required(c.operator.Set, at)
		}
		s.enum(c.operator, at, comparisonNames()...)
	}
}

// compile turns the legacy parameters into what the expressions that say the
// same are compiled to.
func (in *legacyInput) compile(c *compiled) error {
	if in.keyConditions.set && len(in.keyConditions.names) == 0 {
		return invalid("Conditions can be of length 1 or 2 only")
	}
	keys, err := compare(in.keyConditions, (*legacyCondition).check)
	if err != nil {
		return err
	}
	filter, err := compare(in.filter, (*legacyCondition).check)
	if err != nil {
		return err
	}
	expected, err := compare(in.expected, (*legacyCondition).checkExpected)
	if err != nil {
		return err
	}
	switch conditions := len(filter) + len(expected); {
	case !in.operator.Set || conditions > 1:
	case conditions == 0:
		return parameter("ConditionalOperator cannot be used without Filter or Expected")
	default:
		return parameter("ConditionalOperator can only be used when Filter or Expected has two or more elements")
	}
	if len(keys) > 0 {
		c.key = expr.KeyConditionOf(keys)
	}
	if len(filter) > 0 {
		c.filter = expr.ConditionOf(filter, in.operator.V == "OR")
		c.filterName = in.filterName
	}
	if len(expected) > 0 {
		c.condition = expr.ConditionOf(expected, in.operator.V == "OR")
	}
	if err := in.project(c); err != nil {
		return err
	}
	return in.update(c)
}

// project compiles AttributesToGet.
func (in *legacyInput) project(c *compiled) error {
	if !in.attributesSet {
		return nil
	}
	names := make([]string, len(in.attributes))
	seen := make(map[string]bool, len(names))
	for i, a := range in.attributes {
		switch {
		case a.V == "":
			return errEmptyName
		case seen[a.V]:
			return parameter("Duplicate value in attribute name: %s", a.V)
		}
		names[i], seen[a.V] = a.V, true
	}
	c.projection = expr.ProjectionOf(names)
	return nil
}

var errEmptyName = invalid("Empty attribute name")

// compare checks the conditions and returns them.
func compare(conditions entries[legacyCondition], check func(c *legacyCondition, name string) error) ([]expr.Comparison, error) {
	var out []expr.Comparison
	for _, name := range conditions.names {
		c := conditions.by[name]
		if name == "" {
			return nil, errEmptyName
		}
		if err := check(c, name); err != nil {
			return nil, err
		}
		out = append(out, c.comparison(name))
	}
	return out, nil
}

// check judges an entry of KeyConditions, QueryFilter or ScanFilter.
func (c *legacyCondition) check(name string) error {
	switch {
	case c.null:
		return invalid("The filter condition for an attribute cannot be null: %s", name)
	case c.err != nil:
		return c.err
	}
	return checkOperands(c.operator.V, c.list)
}

// checkExpected judges an entry of Expected.
func (c *legacyCondition) checkExpected(name string) error {
	operator, exists := c.operator.Set, !c.exists.Set || c.exists.V
	switch {
	case c.null:
		return parameter("ExpectedAttributeValue must not be null for Attribute: %s", name)
	case c.valueSet && c.listSet:
		return parameter("Value and AttributeValueList cannot be used together for Attribute: %s", name)
	case operator && c.exists.Set:
		return parameter("Exists and ComparisonOperator cannot be used together for Attribute: %s", name)
	case operator && !c.valueSet && !c.listSet && c.operator.V != "NULL" && c.operator.V != "NOT_NULL":
		return parameter("Value or AttributeValueList must be used with ComparisonOperator: %s for Attribute: %s", c.operator.V, name)
	case !operator && c.listSet:
		return parameter("AttributeValueList can only be used with a ComparisonOperator for Attribute: %s", name)
	case !operator && !exists && c.valueSet:
		return parameter("Value cannot be used when Exists is false for Attribute: %s", name)
	case !operator && exists && !c.valueSet:
		return parameter("Value must be provided when Exists is %s for Attribute: %s", existsText(c.exists), name)
	case c.err != nil:
		return c.err
	case !operator:
		return nil
	}
	return checkOperands(c.operator.V, c.operands())
}

func existsText(b wire.Bool) string {
	if !b.Set {
		return "null"
	}
	return strconv.FormatBool(b.V)
}

func (c *legacyCondition) operands() []value.Value {
	if c.valueSet {
		return []value.Value{c.value}
	}
	return c.list
}

// checkOperands judges the operands of an operator: their number, their types,
// and the order of BETWEEN's.
func checkOperands(operator string, operands []value.Value) error {
	for _, cmp := range comparisons {
		if cmp.name != operator {
			continue
		}
		if n := len(operands); n != cmp.operands && (cmp.operands != someOperands || n == 0) {
			return parameter("Invalid number of argument(s) for the %s ComparisonOperator", operator)
		}
		for _, v := range operands {
			if cmp.kinds != nil && !slices.Contains(cmp.kinds, v.Kind()) {
				return parameter("ComparisonOperator %s is not valid for %s AttributeValue type", operator, v.Kind())
			}
		}
		for _, v := range operands {
			if v.Kind() != operands[0].Kind() {
				return parameter("AttributeValues inside AttributeValueList must be of same type")
			}
		}
	}
	if operator == "BETWEEN" && value.Compare(operands[0], operands[1]) > 0 {
		return invalid("The BETWEEN condition was provided a range where the lower bound is greater than the upper bound")
	}
	return nil
}

// comparison returns the condition, once it is checked.
func (c *legacyCondition) comparison(name string) expr.Comparison {
	operator := c.operator.V
	switch {
	case c.operator.Set:
	case c.exists.Set && !c.exists.V:
		operator = "NULL"
	default:
		operator = "EQ"
	}
	return expr.Comparison{Name: name, Operator: operator, Operands: c.operands()}
}

// update compiles AttributeUpdates.
func (in *legacyInput) update(c *compiled) error {
	var changes []expr.Change
	for _, name := range in.updates.names {
		u := in.updates.by[name]
		if name == "" {
			return errEmptyName
		}
		action := u.action.Or("PUT")
		switch kind := u.value.Kind(); {
		case u.err != nil:
			return u.err
		case !u.valueSet && action != "DELETE":
			return parameter("Only DELETE action is allowed when no attribute value is specified")
		case action == "DELETE" && u.valueSet && !kind.IsSet():
			return parameter("DELETE action with value is not supported for the type %s", kind)
		case action == "ADD" && !kind.IsSet() && kind != value.N && kind != value.L:
			return parameter("ADD action is not supported for the type %s", kind)
		}
		changes = append(changes, expr.Change{Name: name, Action: action, Value: u.value})
	}
	if len(changes) > 0 {
		c.update = expr.UpdateOf(changes)
	}
	return nil
}
