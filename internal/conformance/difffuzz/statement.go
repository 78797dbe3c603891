package difffuzz

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
)

// sentence makes up one PartiQL statement with its parameters.
type sentence struct {
	r      *rand.Rand
	t      *table
	text   string
	params []any
	// selects is true for a SELECT, key that it or a write is about, if known.
	selects bool
	key     object
}

// into puts the statement into a request or an entry of one.
func (s *sentence) into(b object) {
	b["Statement"] = s.text
	if len(s.params) > 0 {
		b["Parameters"] = s.params
	}
}

// name writes a name, in quotes where it needs them.
func (s *sentence) name(n string) string {
	if strings.ContainsAny(n, ". ") || chance(s.r, 20) {
		return `"` + n + `"`
	}
	return n
}

func (s *sentence) tableName() string { return `"` + s.t.name + `"` }

// value writes a value: as a literal where there is one, or as a parameter.
func (s *sentence) value(v object) string {
	if text, ok := s.literal(v); ok && len(text) < 300 && chance(s.r, 60) {
		return text
	}
	s.params = append(s.params, v)
	return "?"
}

// literal writes a value without parameters, unless it has bytes in it.
func (s *sentence) literal(v object) (string, bool) {
	for typ, x := range v {
		switch typ {
		case "S":
			return quote(x.(string)), true
		case "N":
			return x.(string), true
		case "BOOL":
			return fmt.Sprint(x), true
		case "NULL":
			return "null", true
		case "SS", "NS", "L":
			list, _ := x.([]any)
			parts := make([]string, len(list))
			for i, e := range list {
				switch e := e.(type) {
				case object:
					part, ok := s.literal(e)
					if !ok {
						return "", false
					}
					parts[i] = part
				case string:
					if parts[i] = e; typ == "SS" {
						parts[i] = quote(e)
					}
				}
			}
			if typ == "L" {
				return "[" + strings.Join(parts, ",") + "]", true
			}
			return "<<" + strings.Join(parts, ",") + ">>", true
		case "M":
			m, _ := x.(object)
			var parts []string
			for _, k := range slices.Sorted(maps.Keys(m)) {
				part, ok := s.literal(m[k].(object))
				if !ok {
					return "", false
				}
				parts = append(parts, quote(k)+":"+part)
			}
			return "{" + strings.Join(parts, ", ") + "}", true
		}
	}
	return "", false
}

func quote(s string) string { return "'" + strings.ReplaceAll(s, "'", "''") + "'" }

// path writes a document path.
func (s *sentence) path() (path, attribute string) {
	a := pick(s.r, itemAttrs...)
	p := s.name(a)
	switch {
	case a == "m":
		p += pick(s.r, "", ".x", ".y.z", "['x']", `."y"`)
	case a == "l":
		p += pick(s.r, "", "[0]", "[1]", "[20]")
	case a == "deep":
		p += pick(s.r, "", ".a[0].b", ".a[1]")
	}
	return p, a
}

func (s *sentence) condition(depth int) string {
	if depth > 0 && chance(s.r, 35) {
		c := s.condition(depth-1) + " " + pick(s.r, "AND", "OR", "and") + " " + s.condition(depth-1)
		switch {
		case chance(s.r, 40):
			return "(" + c + ")"
		case chance(s.r, 20):
			return "NOT (" + c + ")"
		}
		return c
	}
	p, a := s.path()
	v := func() string { return s.value(valueFor(s.r, a)) }
	switch s.r.IntN(12) {
	case 0:
		return p + " IS " + pick(s.r, "MISSING", "NOT MISSING", "NULL", "NOT NULL", "STRING", "NUMERIC", "LIST", "STRUCT", "BOOLEAN")
	case 1:
		return pick(s.r, "attribute_exists", "attribute_not_exists") + "(" + p + ")"
	case 2:
		return "begins_with(" + p + ", " + s.value(object{"S": text(s.r)}) + ")"
	case 3:
		return "contains(" + p + ", " + s.value(scalar(s.r)) + ")"
	case 4:
		return "attribute_type(" + p + ", " + s.value(object{"S": pick(s.r, "S", "N", "B", "SS", "L", "M", "NULL", "BOOL")}) + ")"
	case 5:
		// Of texts the engines count different things.
		return "attribute_type(l, 'L') AND size(l) " + pick(s.r, "=", "<", ">", "<>") + " " + s.value(object{"N": fmt.Sprint(s.r.IntN(5))})
	case 6:
		list := []string{v()}
		for range s.r.IntN(3) {
			list = append(list, v())
		}
		open, shut := "[", "]"
		if chance(s.r, 50) && len(list) > 1 {
			open, shut = "(", ")"
		}
		return p + pick(s.r, " IN ", " NOT IN ") + open + strings.Join(list, ",") + shut
	case 7:
		return p + " BETWEEN " + s.value(object{"N": fmt.Sprint(s.r.IntN(5))}) + " AND " + s.value(object{"N": fmt.Sprint(4 + s.r.IntN(9))})
	case 8:
		return "NOT " + p + " = " + v()
	}
	return p + " " + pick(s.r, "=", "<>", "!=", "<", "<=", ">", ">=") + " " + v()
}

// keyEquals writes equalities on all attributes of a key.
func (s *sentence) keyEquals() string {
	s.key = s.t.key(s.r)
	var parts []string
	for _, a := range s.t.keyAttrs() {
		v, _ := s.key[a.name].(object)
		parts = append(parts, s.name(a.name)+" = "+s.value(v))
	}
	return strings.Join(parts, " AND ")
}

// target writes the WHERE of one item, now and then with a condition.
func (s *sentence) target(p int) string {
	w := " WHERE " + s.keyEquals()
	if chance(s.r, p) {
		w += " AND " + s.condition(1)
	}
	return w
}

func (s *sentence) insert() {
	it := s.t.item(s.r)
	s.key = keyOf(s.t, it)
	var parts []string
	for _, n := range slices.Sorted(maps.Keys(it)) {
		parts = append(parts, quote(n)+": "+s.value(it[n].(object)))
	}
	s.text = "INSERT INTO " + s.tableName() + " VALUE {" + strings.Join(parts, ", ") + "}"
}

func (s *sentence) update(returning bool) {
	var acts []string
	for _, a := range distinctAttrs(s.r, 1+s.r.IntN(3)) {
		n := s.name(a)
		switch s.r.IntN(6) {
		case 0:
			acts = append(acts, "REMOVE "+n)
		case 1:
			if a == "ss" || a == "ns" || a == "bs" {
				acts = append(acts, "SET "+n+" = "+pick(s.r, "set_add", "set_delete")+"("+n+", "+s.value(set(s.r, strings.ToUpper(a)))+")")
				continue
			}
			acts = append(acts, "SET "+n+" = if_not_exists("+n+", "+s.value(valueFor(s.r, a))+")")
		case 2:
			acts = append(acts, "SET "+n+" = list_append("+n+", "+s.value(list(s.r, 1))+")")
		case 3:
			acts = append(acts, "SET "+n+" = "+n+pick(s.r, " + ", " - ")+s.value(object{"N": fmt.Sprint(s.r.IntN(9))}))
		default:
			acts = append(acts, "SET "+n+" = "+s.value(valueFor(s.r, a)))
		}
	}
	s.text = "UPDATE " + s.tableName() + " " + strings.Join(acts, " ") + s.target(25)
	if returning && chance(s.r, 40) {
		s.text += " RETURNING " + pick(s.r, "ALL OLD *", "ALL NEW *", "MODIFIED OLD *", "MODIFIED NEW *")
	}
}

func distinctAttrs(r *rand.Rand, n int) []string {
	names := slices.Clone(itemAttrs)
	r.Shuffle(len(names), func(i, j int) { names[i], names[j] = names[j], names[i] })
	return names[:n]
}

func (s *sentence) delete(returning bool) {
	s.text = "DELETE FROM " + s.tableName() + s.target(30)
	if returning && chance(s.r, 30) {
		s.text += " RETURNING ALL OLD *"
	}
}

func (s *sentence) columns() string {
	if chance(s.r, 60) {
		return "*"
	}
	var parts []string
	for _, a := range distinctAttrs(s.r, 1+s.r.IntN(3)) {
		p := s.name(a)
		if a == "m" {
			p += pick(s.r, "", ".x", ".y.z")
		}
		parts = append(parts, p)
	}
	return strings.Join(parts, ", ")
}

// one writes a SELECT of one item by its key.
func (s *sentence) one() {
	s.selects = true
	s.text = "SELECT " + s.columns() + " FROM " + s.tableName() + s.target(0)
}

// many writes a SELECT of whatever it finds.
func (s *sentence) many() {
	s.selects = true
	hash, sort, from := []attr{s.t.hash}, s.t.sortAttrs(), s.tableName()
	if len(s.t.indexes) > 0 && chance(s.r, 30) {
		x := s.t.indexes[s.r.IntN(len(s.t.indexes))]
		hash, sort = x.hash, x.sort
		from += `."` + x.name + `"`
	}
	s.text = "SELECT " + s.columns() + " FROM " + from
	ordered := false
	switch n := s.r.IntN(100); {
	case n < 15:
		return
	case n < 35:
		s.text += " WHERE " + s.condition(2)
		return
	case n < 50 && len(hash) == 1:
		var list []string
		for range 1 + s.r.IntN(4) {
			list = append(list, s.value(keyValue(s.r, hash[0].typ)))
		}
		s.text += " WHERE " + s.name(hash[0].name) + " IN [" + strings.Join(list, ",") + "]"
	default:
		var parts []string
		for _, a := range hash {
			parts = append(parts, s.name(a.name)+" = "+s.value(keyValue(s.r, a.typ)))
		}
		s.text += " WHERE " + strings.Join(parts, " AND ")
		if len(sort) > 0 && chance(s.r, 50) {
			a := sort[0]
			v := func() string { return s.value(keyValue(s.r, a.typ)) }
			switch op := pick(s.r, "=", "<", "<=", ">", ">=", "<>", "IN", "begins_with"); {
			case op == "IN":
				s.text += " AND " + s.name(a.name) + " IN [" + v() + "," + v() + "]"
			case op == "begins_with" && a.typ == "S":
				s.text += " AND begins_with(" + s.name(a.name) + "," + v() + ")"
			case op != "begins_with":
				s.text += " AND " + s.name(a.name) + " " + op + " " + v()
			}
		}
		ordered = len(hash) == 1 && len(sort) == 1
	}
	if chance(s.r, 25) {
		s.text += " AND " + s.condition(1)
	}
	if ordered && chance(s.r, 25) {
		s.text += " ORDER BY " + s.name(sort[0].name) + pick(s.r, "", " ASC", " DESC")
	}
}

// nextStatement makes up a PartiQL request, sometimes a wrong one.
func (g *generator) nextStatement(t *table) *Request {
	q := g.statement(t)
	q.table = t
	if chance(g.r, 20) {
		g.spoilStatement(q)
	}
	return q
}

// statement makes up a PartiQL request.
func (g *generator) statement(t *table) *Request {
	switch n := g.r.IntN(100); {
	case n < 10:
		return g.batchStatements()
	case n < 22:
		return g.transactStatements()
	}
	s := &sentence{r: g.r, t: t}
	b := object{}
	switch n := g.r.IntN(100); {
	case n < 25:
		s.insert()
	case n < 45:
		s.update(true)
	case n < 55:
		s.delete(true)
	case n < 65:
		s.one()
	default:
		s.many()
		if chance(g.r, 20) && !strings.HasSuffix(s.text, " DESC") {
			b["Limit"] = 1 + g.r.IntN(4)
		}
	}
	if s.selects && chance(g.r, 10) {
		b["ConsistentRead"] = true
	}
	if !s.selects && chance(g.r, 10) {
		b["ReturnValuesOnConditionCheckFailure"] = "ALL_OLD"
	}
	s.into(b)
	return &Request{Op: "ExecuteStatement", Body: b, walk: s.selects}
}

// statements makes up several about different items, all reads or all writes.
func (g *generator) statements(n int, exists bool) []any {
	reads := chance(g.r, 40)
	seen := map[string]bool{}
	var list []any
	for range n {
		s := &sentence{r: g.r, t: g.anyTable()}
		switch k := g.r.IntN(10); {
		case reads:
			s.one()
		case k < 4:
			s.insert()
		case k < 8:
			s.update(!exists)
		case k < 9 && exists:
			s.text = "EXISTS(SELECT * FROM " + s.tableName() + s.target(0) + " AND " + s.condition(0) + ")"
		default:
			s.delete(!exists)
		}
		id := s.t.name + canonicalKey(s.key)
		// DynamoDB Local does a part of a batch that it refuses for this.
		if seen[id] && (!exists || !chance(g.r, 5)) {
			continue
		}
		seen[id] = true
		entry := object{}
		s.into(entry)
		if !reads && chance(g.r, 15) {
			entry["ReturnValuesOnConditionCheckFailure"] = "ALL_OLD"
		}
		list = append(list, entry)
	}
	return list
}

func (g *generator) batchStatements() *Request {
	return &Request{Op: "BatchExecuteStatement", Body: object{"Statements": g.statements(1+g.r.IntN(4), false)}}
}

func (g *generator) transactStatements() *Request {
	b := object{"TransactStatements": g.statements(1+g.r.IntN(4), true)}
	if chance(g.r, 5) {
		g.n++
		b["ClientRequestToken"] = fmt.Sprintf("%s-%d", g.token, g.n)
	}
	return &Request{Op: "ExecuteTransaction", Body: b}
}

// spoilStatement makes something wrong with one statement of q.
func (g *generator) spoilStatement(q *Request) {
	q.faults++
	b := q.Body
	for _, m := range []string{"Statements", "TransactStatements"} {
		if list, ok := b[m].([]any); ok && len(list) > 0 {
			b = list[g.r.IntN(len(list))].(object)
		}
	}
	text, ok := b["Statement"].(string)
	if !ok {
		return
	}
	words := strings.Split(text, " ")
	i := g.r.IntN(len(words))
	switch g.r.IntN(8) {
	case 0:
		words = slices.Delete(words, i, i+1)
	case 1:
		words = slices.Insert(words, i, pick(g.r, "AND", ",", "(", ")", "x", "FROM", "=", "NOT", "1", "'s'", ";", "*", "<<", "]"))
	case 2:
		words[i] = pick(g.r, "AND", "WHERE", "x", "5", "'y'", "IN", "null", "missing", "SELECT")
	case 3:
		delete(b, "Parameters")
	case 4:
		if params, ok := b["Parameters"].([]any); ok {
			params[g.r.IntN(len(params))] = anyValue(g.r, 1)
		}
	case 5:
		b["Statement"] = strings.Replace(text, q.table.name, "missing.table", 1)
		return
	case 6:
		words = append(words, pick(g.r, "LIMIT 5", "GROUP BY a", "ORDER BY a", "RETURNING ALL OLD *", "RETURNING MODIFIED NEW *", "OFFSET 1", ";"))
	case 7:
		words[i] = words[i][:len(words[i])/2]
	}
	b["Statement"] = strings.Join(words, " ")
}
