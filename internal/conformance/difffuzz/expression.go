package difffuzz

import (
	"fmt"
	"math/rand/v2"
	"regexp"
	"strings"
)

// expressions writes the expressions of one request and collects the names
// and values they use.
type expressions struct {
	r      *rand.Rand
	t      *table
	names  object
	values object
	// used are the attributes that paths of an update or a projection begin
	// with, which mostly are not to meet again.
	used map[string]bool
}

func newExpressions(r *rand.Rand, t *table) *expressions {
	return &expressions{r: r, t: t, names: object{}, values: object{}}
}

// into adds what the expressions use to req.
func (e *expressions) into(req object) {
	if len(e.names) > 0 {
		req["ExpressionAttributeNames"] = e.names
	}
	if len(e.values) > 0 {
		req["ExpressionAttributeValues"] = e.values
	}
}

var plainName = regexp.MustCompile(`^[a-z][a-z0-9_]*$`)

// name returns the attribute's name as an expression spells it.
func (e *expressions) name(attribute string) string {
	if plainName.MatchString(attribute) && attribute != "name" && chance(e.r, 75) {
		return attribute
	}
	for k, v := range e.names {
		if v == attribute {
			return k
		}
	}
	k := fmt.Sprintf("#n%d", len(e.names))
	e.names[k] = attribute
	return k
}

func (e *expressions) value(v object) string {
	k := fmt.Sprintf(":v%d", len(e.values))
	e.values[k] = v
	return k
}

// freshPath returns a path to an attribute that no other fresh path began
// with, most of the time.
func (e *expressions) freshPath() (string, string) {
	a := e.attribute()
	for e.used[a] && !chance(e.r, 8) {
		a = e.attribute()
	}
	if e.used == nil {
		e.used = map[string]bool{}
	}
	e.used[a] = true
	return e.pathInto(a), a
}

// path returns a document path and the attribute it begins with.
func (e *expressions) path() (string, string) {
	a := e.attribute()
	return e.pathInto(a), a
}

func (e *expressions) attribute() string {
	if chance(e.r, 10) {
		return pick(e.r, "g1", "g2", "l1", "absent", "pk", "sk")
	}
	return pick(e.r, itemAttrs...)
}

// pathInto returns a path that begins with the attribute.
func (e *expressions) pathInto(a string) string {
	p := e.name(a)
	switch {
	case a == "m" && chance(e.r, 70):
		p += "." + e.name(pick(e.r, "x", "y", "q"))
		if chance(e.r, 30) {
			p += "." + e.name("z")
		}
	case a == "l" && chance(e.r, 70):
		p += fmt.Sprintf("[%d]", e.r.IntN(5))
	case a == "deep" && chance(e.r, 80):
		p += pick(e.r, ".a", ".a[0]", ".a[0].b", ".a[1][0]", ".a[7]", ".q.r")
	case chance(e.r, 4):
		p += pick(e.r, ".x", "[0]", "[1].x")
	}
	return p
}

func (e *expressions) operand() string {
	switch e.r.IntN(10) {
	case 0:
		p, _ := e.path()
		return "size(" + p + ")"
	case 1, 2, 3:
		return e.value(valueFor(e.r, pick(e.r, "n", "s", "bin")))
	default:
		p, _ := e.path()
		return p
	}
}

var comparators = []string{"=", "<>", "<", "<=", ">", ">="}

// condition returns a condition of at most the given depth.
func (e *expressions) condition(depth int) string {
	if depth > 0 {
		switch e.r.IntN(8) {
		case 0:
			return e.condition(depth-1) + pick(e.r, " AND ", " and ", " AND\n") + e.condition(depth-1)
		case 1:
			return e.condition(depth-1) + " OR " + e.condition(depth-1)
		case 2:
			return "NOT " + e.condition(depth-1)
		case 3:
			return "(" + e.condition(depth-1) + ")"
		}
	}
	p, a := e.path()
	switch e.r.IntN(10) {
	case 0:
		return "attribute_exists(" + p + ")"
	case 1:
		return "attribute_not_exists(" + p + ")"
	case 2:
		return "attribute_type(" + p + ", " + e.value(object{"S": pick(e.r, "S", "N", "B", "SS", "NS", "BS", "L", "M", "BOOL", "NULL")}) + ")"
	case 3:
		return "begins_with(" + p + ", " + e.value(pick(e.r, object{"S": text(e.r)}, object{"B": b64("a")}, object{"S": "a"})) + ")"
	case 4:
		if chance(e.r, 50) {
			return "contains(" + p + ", " + e.operand() + ")"
		}
		return "contains(" + p + ", " + e.value(scalar(e.r)) + ")"
	case 5:
		n := pick(e.r, "n", "s")
		return p + " BETWEEN " + e.value(valueFor(e.r, n)) + " AND " + e.value(valueFor(e.r, n))
	case 6:
		ops := []string{e.value(valueFor(e.r, a))}
		for range e.r.IntN(3) {
			ops = append(ops, e.operand())
		}
		return p + " IN (" + strings.Join(ops, ", ") + ")"
	case 7:
		return e.operand() + " " + pick(e.r, comparators...) + " " + e.operand()
	default:
		return p + " " + pick(e.r, comparators...) + " " + e.value(valueFor(e.r, a))
	}
}

// update returns an update expression.
func (e *expressions) update() string {
	var sections []string
	for _, s := range []string{"SET", "REMOVE", "ADD", "DELETE"} {
		if !chance(e.r, map[string]int{"SET": 70, "REMOVE": 25, "ADD": 25, "DELETE": 15}[s]) {
			continue
		}
		var actions []string
		for range 1 + e.r.IntN(3) {
			actions = append(actions, e.action(s))
		}
		sections = append(sections, pick(e.r, s, s, s, strings.ToLower(s))+" "+strings.Join(actions, pick(e.r, ", ", ",")))
	}
	if len(sections) == 0 {
		return "SET " + e.action("SET")
	}
	e.r.Shuffle(len(sections), func(i, j int) { sections[i], sections[j] = sections[j], sections[i] })
	return strings.Join(sections, " ")
}

func (e *expressions) action(section string) string {
	p, a := e.freshPath()
	switch section {
	case "REMOVE":
		return p
	case "ADD":
		if a == "ss" || a == "ns" || a == "bs" {
			return p + " " + e.value(set(e.r, strings.ToUpper(a)))
		}
		return p + " " + e.value(object{"N": number(e.r)})
	case "DELETE":
		return p + " " + e.value(set(e.r, pick(e.r, "SS", "NS", "BS")))
	}
	switch e.r.IntN(10) {
	case 0:
		q, _ := e.path()
		return p + " = " + q
	case 1, 2:
		return p + " = " + p + pick(e.r, " + ", " - ", "+", "-") + e.value(object{"N": number(e.r)})
	case 3:
		action := p + " = if_not_exists(" + p + ", " + e.value(valueFor(e.r, a)) + ")"
		if chance(e.r, 50) {
			action += " + " + e.value(object{"N": number(e.r)})
		}
		return action
	case 4:
		return p + " = list_append(" + p + ", " + e.value(list(e.r, 1)) + ")"
	case 5:
		return p + " = list_append(if_not_exists(" + p + ", " + e.value(list(e.r, 1)) + "), " + e.value(list(e.r, 1)) + ")"
	default:
		return p + " = " + e.value(valueFor(e.r, a))
	}
}

// projection returns a projection expression.
func (e *expressions) projection() string {
	var ps []string
	for range 1 + e.r.IntN(4) {
		p, _ := e.freshPath()
		ps = append(ps, p)
	}
	if !e.used["pk"] && chance(e.r, 40) {
		ps = append(ps, e.name("pk"))
	}
	return strings.Join(ps, ", ")
}

// keyCondition returns a key condition for the key attributes given.
func (e *expressions) keyCondition(hash, sort []attr) string {
	known := object{}
	if len(e.t.keys) > 0 {
		known = e.t.keys[e.r.IntN(len(e.t.keys))]
	}
	val := func(a attr) string {
		if v, ok := known[a.name]; ok && chance(e.r, 80) {
			return e.value(clone(v).(object))
		}
		return e.value(keyValue(e.r, a.typ))
	}
	var cs []string
	for _, a := range hash {
		cs = append(cs, e.name(a.name)+" = "+val(a))
	}
	for range sort {
		if chance(e.r, 45) {
			break
		}
		a := sort[len(cs)-len(hash)]
		if len(cs)-len(hash) < len(sort)-1 && chance(e.r, 60) {
			cs = append(cs, e.name(a.name)+" = "+val(a))
			continue
		}
		switch e.r.IntN(4) {
		case 0:
			lo, hi := e.value(keyValue(e.r, a.typ)), e.value(keyValue(e.r, a.typ))
			cs = append(cs, e.name(a.name)+" BETWEEN "+lo+" AND "+hi)
		case 1:
			if a.typ != "N" {
				cs = append(cs, "begins_with("+e.name(a.name)+", "+e.value(keyValue(e.r, a.typ))+")")
				break
			}
			fallthrough
		default:
			cs = append(cs, e.name(a.name)+" "+pick(e.r, "=", "<", "<=", ">", ">=")+" "+e.value(keyValue(e.r, a.typ)))
		}
		break
	}
	if chance(e.r, 10) {
		e.r.Shuffle(len(cs), func(i, j int) { cs[i], cs[j] = cs[j], cs[i] })
	}
	return strings.Join(cs, " AND ")
}

var exprToken = regexp.MustCompile(`[#:]?[A-Za-z0-9_]+|<>|<=|>=|\s+|.`)

// spoil changes one token of an expression.
func spoil(r *rand.Rand, expr string) string {
	toks := exprToken.FindAllString(expr, -1)
	if len(toks) == 0 {
		return pick(r, "", "a", "(")
	}
	i := r.IntN(len(toks))
	switch r.IntN(5) {
	case 0:
		toks[i] = ""
	case 1:
		toks[i] += " " + toks[i]
	case 2:
		j := r.IntN(len(toks))
		toks[i], toks[j] = toks[j], toks[i]
	case 3:
		toks[i] = pick(r, "(", ")", ",", ".", "[", "]", "=", "<>", "AND", "OR", "NOT", "BETWEEN", "IN", "SET", "REMOVE", "status", "size",
			"contains", "if_not_exists", "1", "\"a\"", "#zz", ":zz", "+", "-", "*", "!", "@", "attribute_exists", "foo(a)", "-1", "é", "''")
	case 4:
		toks[i] = strings.ToUpper(toks[i])
	}
	return strings.Join(toks, "")
}
