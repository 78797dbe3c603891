package difffuzz

import "slices"

// legacyPercent is how many of the requests that can have legacy parameters
// have them in place of expressions.
const legacyPercent = 15

// legacyOperators are the operators of legacy conditions with the number of
// operands that each takes.
var legacyOperators = map[string]int{
	"EQ": 1, "NE": 1, "LT": 1, "LE": 1, "GT": 1, "GE": 1, "BETWEEN": 2, "IN": 3,
	"NULL": 0, "NOT_NULL": 0, "CONTAINS": 1, "NOT_CONTAINS": 1, "BEGINS_WITH": 1,
}

var filterOperators = []string{"EQ", "NE", "LT", "LE", "GT", "GE", "BETWEEN", "IN", "NULL", "NOT_NULL", "CONTAINS", "NOT_CONTAINS", "BEGINS_WITH"}

// legacyCondition makes up a condition on an attribute whose values value
// gives; now and then it is wrong.
func (g *generator) legacyCondition(value func() object, operators ...string) object {
	op := pick(g.r, operators...)
	n := legacyOperators[op]
	if op == "IN" {
		n = 1 + g.r.IntN(3)
	}
	if chance(g.r, 3) {
		n = g.r.IntN(4)
	}
	operands := []any{}
	for range n {
		v := value()
		if len(operands) > 0 && chance(g.r, 90) { // of one type
			for typ := range operands[0].(object) {
				if _, same := v[typ]; !same {
					v = clone(operands[0]).(object)
				}
			}
		}
		operands = append(operands, v)
	}
	c := object{"ComparisonOperator": op, "AttributeValueList": operands}
	if n == 0 && chance(g.r, 50) {
		delete(c, "AttributeValueList")
	}
	if chance(g.r, 1) {
		c["ComparisonOperator"] = pick(g.r, "eq", "FOO", "")
	}
	return c
}

// legacyFilter makes up conditions on up to three attributes, and adds how
// they are joined.
func (g *generator) legacyFilter(b object, condition func(attribute string) object) object {
	f := object{}
	for range g.r.IntN(4) {
		a := pick(g.r, itemAttrs...)
		if chance(g.r, 6) {
			a = pick(g.r, "g1", "g2", "l1", "absent", "pk", "sk", "m.x")
		}
		f[a] = condition(a)
	}
	if chance(g.r, 5) || len(f) > 1 && chance(g.r, 50) {
		b["ConditionalOperator"] = pick(g.r, "AND", "OR")
	}
	return f
}

// filterOn makes up a condition of a QueryFilter or ScanFilter.
func (g *generator) filterOn(a string) object {
	return g.legacyCondition(func() object { return valueFor(g.r, a) }, filterOperators...)
}

// expectedOn makes up a condition of Expected.
func (g *generator) expectedOn(a string) object {
	switch g.r.IntN(10) {
	case 0, 1:
		return object{"Exists": false}
	case 2, 3, 4:
		c := object{"Value": valueFor(g.r, a)}
		if chance(g.r, 40) {
			c["Exists"] = chance(g.r, 90)
		}
		return c
	}
	c := g.filterOn(a)
	if l, _ := c["AttributeValueList"].([]any); len(l) == 1 && chance(g.r, 40) {
		delete(c, "AttributeValueList")
		c["Value"] = l[0]
	}
	if chance(g.r, 3) {
		c[pick(g.r, "Exists", "Value")] = pick[any](g.r, true, false, scalar(g.r))
	}
	return c
}

// legacyExpected adds an Expected.
func (g *generator) legacyExpected(b object, p int) {
	if chance(g.r, p) {
		b["Expected"] = g.legacyFilter(b, g.expectedOn)
	}
}

// legacyUpdates adds AttributeUpdates.
func (g *generator) legacyUpdates(b object) {
	updates := object{}
	for range 1 + g.r.IntN(3) {
		a := pick(g.r, itemAttrs...)
		if chance(g.r, 12) {
			a = pick(g.r, "g1", "g2", "l1", "l2", "absent", "pk", "sk")
		}
		action := pick(g.r, "PUT", "PUT", "ADD", "DELETE")
		u := object{"Action": action, "Value": valueFor(g.r, a)}
		switch {
		case action == "ADD" && chance(g.r, 80):
			u["Value"] = valueFor(g.r, pick(g.r, "n", "ss", "ns", "l"))
		case action == "DELETE" && chance(g.r, 50):
			delete(u, "Value")
		case action == "DELETE" && chance(g.r, 80):
			u["Value"] = valueFor(g.r, pick(g.r, "ss", "ns", "bs"))
		case chance(g.r, 2):
			delete(u, "Value")
		}
		updates[a] = u
	}
	if chance(g.r, 50) || !creates(updates) {
		updates["a"] = object{"Action": "PUT", "Value": valueFor(g.r, "a")}
	}
	b["AttributeUpdates"] = updates
}

// creates reports whether the updates make an item that is not there. DynamoDB
// Local's always do, and after that the two engines would hold different items.
func creates(updates object) bool {
	for _, u := range updates {
		if u.(object)["Action"] != "DELETE" {
			return true
		}
	}
	return false
}

// legacyProjection adds AttributesToGet, now and then.
func (g *generator) legacyProjection(b object) {
	if !chance(g.r, 30) {
		return
	}
	names := []any{}
	for range 1 + g.r.IntN(4) {
		a := any(pick(g.r, "pk", "sk", "a", "n", "m", "x.y", "absent", "g1", "m.x"))
		if !slices.Contains(names, a) || chance(g.r, 3) {
			names = append(names, a)
		}
	}
	b["AttributesToGet"] = names
}

// legacyKeyConditions adds KeyConditions on the given key.
func (g *generator) legacyKeyConditions(b object, hash, sort []attr) {
	conditions := object{}
	on := func(a attr, operators ...string) {
		typ := a.typ
		if chance(g.r, 2) {
			typ = pick(g.r, "S", "N", "B")
		}
		conditions[a.name] = g.legacyCondition(func() object { return keyValue(g.r, typ) }, operators...)
	}
	for _, a := range hash {
		on(a, "EQ")
	}
	for i, a := range sort {
		if !chance(g.r, 60) {
			break
		}
		if i+1 < len(sort) {
			on(a, "EQ")
		} else {
			on(a, "EQ", "LT", "LE", "GT", "GE", "BETWEEN", "BEGINS_WITH")
		}
	}
	switch g.r.IntN(40) {
	case 0:
		on(hash[0], filterOperators...)
	case 1:
		on(pick(g.r, attr{"a", "S"}, attr{"g1", "S"}), "EQ")
	case 2:
		delete(conditions, hash[0].name)
	}
	b["KeyConditions"] = conditions
}
