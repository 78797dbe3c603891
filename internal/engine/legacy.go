package engine

import (
	"strconv"
	"strings"

	"github.com/dynorm/dynorm/internal/engine/expr"
	"github.com/dynorm/dynorm/internal/engine/value"
	"github.com/dynorm/dynorm/internal/engine/wire"
)

// legacyInput are the parameters that expressions replaced. They are carried
// out as the expressions that say the same.
type legacyInput struct {
	attributes    []wire.Text // AttributesToGet
	attributesSet bool
	expected      []legacyCondition
	keyConditions []legacyCondition
	filter        []legacyCondition // QueryFilter, ScanFilter
	updates       []legacyUpdate
	operator      wire.Text // ConditionalOperator
}

// legacyCondition is a condition on one attribute.
type legacyCondition struct {
	name     string
	operator wire.Text
	list     []value.Value
	listSet  bool
	value    value.Value
	valueSet bool
	exists   wire.Bool
	err      error
}

// legacyUpdate is a change of one attribute.
type legacyUpdate struct {
	name     string
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
		in.filter = readConditions(r, "Condition")
	case "AttributeUpdates":
		r.Map("AttributeValueUpdate", func(key string) {
			u := legacyUpdate{name: key}
			r.Struct("AttributeValueUpdate", func(name string) {
				switch name {
				case "Action":
					u.action = r.Text()
				case "Value":
					u.value, u.err = r.Value()
					u.valueSet = true
				default:
					r.Skip()
				}
			})
			in.updates = append(in.updates, u)
		})
	}
}

func readConditions(r *wire.Reader, class string) (out []legacyCondition) {
	r.Map(class, func(key string) {
		c := legacyCondition{name: key}
		read := func() value.Value {
			v, err := r.Value()
			if c.err == nil {
				c.err = err
			}
			return v
		}
		r.Struct(class, func(name string) {
			switch name {
			case "ComparisonOperator":
				c.operator = r.Text()
			case "AttributeValueList":
				c.listSet = r.List(func() { c.list = append(c.list, read()) })
			case "Value":
				c.value, c.valueSet = read(), true
			case "Exists":
				c.exists = r.Bool()
			default:
				r.Skip()
			}
		})
		out = append(out, c)
	})
	return out
}

// comparisons are the operators of legacy conditions, in the order of the
// service's faults, with the kinds of operands they take (all if none) and how
// many: exactly so many, or at least one if 0.
var comparisons = []struct {
	name     string
	operands int
	kinds    []value.Kind
	format   string // of the attribute and the operands
}{
	{"IN", 0, nil, "%a IN (%v)"},
	{"NULL", -1, nil, "attribute_not_exists(%a)"},
	{"BETWEEN", 2, []value.Kind{value.S, value.N, value.B}, "%a BETWEEN %v AND %v"},
	{"LT", 1, []value.Kind{value.S, value.N, value.B}, "%a < %v"},
	{"NOT_CONTAINS", 1, []value.Kind{value.S, value.N, value.B, value.BOOL, value.NULL}, "attribute_exists(%a) AND NOT contains(%a, %v)"},
	{"EQ", 1, nil, "%a = %v"},
	{"GT", 1, []value.Kind{value.S, value.N, value.B}, "%a > %v"},
	{"NOT_NULL", -1, nil, "attribute_exists(%a)"},
	{"NE", 1, nil, "%a <> %v"},
	{"LE", 1, []value.Kind{value.S, value.N, value.B}, "%a <= %v"},
	{"BEGINS_WITH", 1, []value.Kind{value.S, value.B}, "begins_with(%a, %v)"},
	{"GE", 1, []value.Kind{value.S, value.N, value.B}, "%a >= %v"},
	{"CONTAINS", 1, []value.Kind{value.S, value.N, value.B, value.BOOL, value.NULL}, "contains(%a, %v)"},
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
		s.count(len(in.attributes), 1, 255, "[]", "attributesToGet")
	}
	s.enum(in.operator, "conditionalOperator", "OR", "AND")
	for _, c := range in.expected {
		s.enum(c.operator, "expected."+c.name+".member.comparisonOperator", comparisonNames()...)
	}
	for _, c := range in.keyConditions {
		s.required(c.operator.Set, "keyConditions."+c.name+".member.comparisonOperator")
		s.enum(c.operator, "keyConditions."+c.name+".member.comparisonOperator", comparisonNames()...)
	}
	for _, c := range in.filter {
		s.required(c.operator.Set, "filter."+c.name+".member.comparisonOperator")
		s.enum(c.operator, "filter."+c.name+".member.comparisonOperator", comparisonNames()...)
	}
	for _, u := range in.updates {
		s.enum(u.action, "attributeUpdates."+u.name+".member.action", "ADD", "PUT", "DELETE")
	}
}

// translate turns the legacy parameters into expressions.
func (in *exprInput) translate() error {
	if len(in.present) == 0 {
		return nil
	}
	scope := expr.Scope{Names: in.names, Values: in.values}
	if err := scope.Check(0, 0); err != nil {
		return err
	}
	legacy := in.legacy
	if len(legacy.operator.V) > 0 && len(legacy.expected)+len(legacy.filter) < 2 {
		if len(legacy.expected)+len(legacy.filter) == 0 {
			return invalid("One or more parameter values were invalid: ConditionalOperator cannot be used without Filter or Expected")
		}
		return invalid("One or more parameter values were invalid: ConditionalOperator can only be used when Filter or Expected has two or more elements")
	}
	var err error
	joint := " " + legacy.operator.Or("AND") + " "
	for _, part := range []struct {
		target     *wire.Text
		conditions []legacyCondition
		joint      string
	}{{&in.condition, legacy.expected, joint}, {&in.keyCondition, legacy.keyConditions, " AND "}, {&in.filter, legacy.filter, joint}} {
		if len(part.conditions) == 0 {
			continue
		}
		texts := make([]string, len(part.conditions))
		for i, c := range part.conditions {
			if texts[i], err = in.comparison(c); err != nil {
				return err
			}
		}
		*part.target = wire.Text{V: strings.Join(texts, part.joint), Set: true}
	}
	if legacy.attributesSet {
		texts := make([]string, len(legacy.attributes))
		for i, a := range legacy.attributes {
			for _, b := range legacy.attributes[:i] {
				if a.V == b.V {
					return parameter("Duplicate value in attribute name: %s", a.V)
				}
			}
			texts[i] = in.alias(a.V)
		}
		in.projection = wire.Text{V: strings.Join(texts, ", "), Set: true}
	}
	return in.translateUpdates()
}

// alias returns a placeholder for an attribute's name.
func (in *exprInput) alias(name string) string {
	if in.names == nil {
		in.names = make(map[string]string)
	}
	key := "#l" + strconv.Itoa(len(in.names))
	in.names[key] = name
	return key
}

// bind returns a placeholder for a value.
func (in *exprInput) bind(v value.Value) string {
	if in.values == nil {
		in.values = make(map[string]value.Value)
	}
	key := ":l" + strconv.Itoa(len(in.values))
	in.values[key] = v
	return key
}

// comparison returns the expression for one condition.
func (in *exprInput) comparison(c legacyCondition) (string, error) {
	switch {
	case c.err != nil:
		return "", c.err
	case c.operator.Set && c.valueSet && c.listSet:
		return "", parameter("Value and AttributeValueList cannot be used together for Attribute: %s", c.name)
	case c.operator.Set && c.exists.Set:
		return "", parameter("Exists and ComparisonOperator cannot be used together for Attribute: %s", c.name)
	case !c.operator.Set && c.listSet:
		return "", parameter("AttributeValueList can only be used with a ComparisonOperator for Attribute: %s", c.name)
	case !c.operator.Set && c.exists.Set && !c.exists.V && c.valueSet:
		return "", parameter("Value cannot be used when Exists is false for Attribute: %s", c.name)
	case !c.operator.Set && (!c.exists.Set || c.exists.V) && !c.valueSet:
		return "", parameter("Value must be provided when Exists is %s for Attribute: %s", existsText(c.exists), c.name)
	}
	operator, operands := c.operator.V, c.list
	if c.valueSet {
		operands = []value.Value{c.value}
	}
	if !c.operator.Set {
		operator = "EQ"
		if c.exists.Set && !c.exists.V {
			operator = "NULL"
		}
	}
	for _, cmp := range comparisons {
		if cmp.name != operator {
			continue
		}
		if n := len(operands); n != max(cmp.operands, 0) && (cmp.operands != 0 || n == 0) {
			return "", parameter("Invalid number of argument(s) for the %s ComparisonOperator", operator)
		}
		for _, v := range operands {
			if !allows(cmp.kinds, v.Kind()) {
				return "", parameter("ComparisonOperator %s is not valid for %s AttributeValue type", operator, v.Kind())
			}
		}
		return in.format(cmp.format, c.name, operands), nil
	}
	return "", Internal
}

func existsText(b wire.Bool) string {
	if !b.Set {
		return "null"
	}
	return strconv.FormatBool(b.V)
}

func allows(kinds []value.Kind, k value.Kind) bool {
	if kinds == nil {
		return true
	}
	for _, allowed := range kinds {
		if allowed == k {
			return true
		}
	}
	return false
}

// format fills in %a, the attribute, and %v, the next operand or, for IN, all
// of them.
func (in *exprInput) format(format, name string, operands []value.Value) string {
	text := strings.ReplaceAll(format, "%a", in.alias(name))
	if strings.HasSuffix(format, "(%v)") && strings.Contains(format, " IN ") {
		all := make([]string, len(operands))
		for i, v := range operands {
			all[i] = in.bind(v)
		}
		return strings.Replace(text, "%v", strings.Join(all, ", "), 1)
	}
	for _, v := range operands {
		text = strings.Replace(text, "%v", in.bind(v), 1)
	}
	if strings.Contains(text, " AND NOT ") {
		return "(" + text + ")"
	}
	return text
}

// translateUpdates turns AttributeUpdates into an update expression.
func (in *exprInput) translateUpdates() error {
	clauses := map[string][]string{}
	for _, u := range in.legacy.updates {
		if u.err != nil {
			return u.err
		}
		action := u.action.Or("PUT")
		if !u.valueSet && action != "DELETE" {
			return parameter("Only DELETE action is allowed when no attribute value is specified")
		}
		switch kind := u.value.Kind(); {
		case action == "PUT":
			clauses["SET"] = append(clauses["SET"], in.alias(u.name)+" = "+in.bind(u.value))
		case !u.valueSet:
			clauses["REMOVE"] = append(clauses["REMOVE"], in.alias(u.name))
		case action == "DELETE" && !kind.IsSet():
			return parameter("DELETE action with value is not supported for the type %s", kind)
		case action == "ADD" && !kind.IsSet() && kind != value.N && kind != value.L:
			return parameter("ADD action is not supported for the type %s", kind)
		case action == "ADD" && kind == value.L:
			name := in.alias(u.name)
			empty := in.bind(value.List(nil))
			clauses["SET"] = append(clauses["SET"], name+" = list_append(if_not_exists("+name+", "+empty+"), "+in.bind(u.value)+")")
		default:
			clauses[action] = append(clauses[action], in.alias(u.name)+" "+in.bind(u.value))
		}
	}
	var texts []string
	for _, verb := range []string{"SET", "REMOVE", "ADD", "DELETE"} {
		if len(clauses[verb]) > 0 {
			texts = append(texts, verb+" "+strings.Join(clauses[verb], ", "))
		}
	}
	if len(texts) > 0 {
		in.update = wire.Text{V: strings.Join(texts, " "), Set: true}
	}
	return nil
}
