package difffuzz

import (
	"maps"
	"slices"
	"strings"
)

// spoilRequest makes one thing about q wrong, or at least odd.
func (g *generator) spoilRequest(q *Request) {
	q.faults++
	for range 8 {
		if g.spoilOnce(q) {
			return
		}
	}
}

var expressionMembers = []string{"UpdateExpression", "ConditionExpression", "FilterExpression", "ProjectionExpression", "KeyConditionExpression"}

func (g *generator) spoilOnce(q *Request) bool {
	r := g.r
	b := g.someBody(q)
	switch r.IntN(16) {
	case 0, 1, 2, 3:
		for _, m := range shuffled(g, expressionMembers) {
			if s, ok := b[m].(string); ok {
				b[m] = spoil(r, s)
				return true
			}
		}
	case 4:
		// A value of another type.
		if vs, ok := b["ExpressionAttributeValues"].(object); ok && len(vs) > 0 {
			vs[someKey(g, vs)] = anyValue(r, 1)
			return true
		}
	case 5:
		// A value no engine can store.
		for _, m := range shuffled(g, []string{"Item", "Key", "ExpressionAttributeValues", "ExclusiveStartKey"}) {
			if vs, ok := b[m].(object); ok && len(vs) > 0 {
				if m == "Item" && chance(r, 5) {
					vs[""] = object{"S": "x"}
				} else {
					vs[someKey(g, vs)] = g.badValue()
				}
				return true
			}
		}
	case 6:
		// A key part missing, of another type, or one too many.
		for _, m := range shuffled(g, []string{"Item", "Key", "ExclusiveStartKey"}) {
			if k, ok := b[m].(object); ok && len(k) > 0 {
				name := pick(r, q.table.keyAttrs()...).name
				switch r.IntN(4) {
				case 0:
					delete(k, name)
				case 1:
					k[name] = pick(r, object{"S": "x"}, object{"N": "7"}, object{"B": b64("x")}, object{"BOOL": true}, object{"NULL": true}, object{"L": []any{}})
				case 2:
					k[name] = pick(r, object{"S": ""}, object{"B": ""})
				default:
					k["extra"] = object{"S": "x"}
				}
				return true
			}
		}
	case 7:
		// A name or value too many, or one missing.
		for _, m := range shuffled(g, []string{"ExpressionAttributeNames", "ExpressionAttributeValues"}) {
			vs, ok := b[m].(object)
			if !ok {
				continue
			}
			if chance(r, 50) && len(vs) > 1 {
				delete(vs, someKey(g, vs))
			} else if m == "ExpressionAttributeNames" {
				vs[pick(r, "#unused", "unused", "#", "#a-b")] = "unused"
			} else {
				vs[pick(r, ":unused", "unused", ":", ":a-b")] = object{"S": "x"}
			}
			return true
		}
	case 8:
		// A setting of no such name or size.
		switch q.Op {
		case "Query", "Scan":
			b["Select"] = pick(r, "COUNT", "ALL_ATTRIBUTES", "SPECIFIC_ATTRIBUTES", "ALL_PROJECTED_ATTRIBUTES", "FOO")
			return true
		case "PutItem", "DeleteItem", "UpdateItem":
			b["ReturnValues"] = pick(r, "ALL_NEW", "UPDATED_OLD", "UPDATED_NEW", "FOO")
			return true
		}
	case 9:
		switch q.Op {
		case "Query", "Scan":
			b["Limit"] = pick(r, 0, -1)
			q.walk = false
			return true
		}
	case 10:
		if q.Op == "Query" || q.Op == "Scan" {
			b["IndexName"] = pick(r, "nope", "gsi0", "gsi4", "lsi0", "")
			q.order, q.ordered = nil, false
			return true
		}
	case 11:
		if q.Op == "Query" || q.Op == "Scan" {
			b["ConsistentRead"] = true
			return true
		}
	case 12:
		// A member left out.
		delete(b, someKey(g, b))
		return true
	case 13:
		// A member of another JSON type.
		if chance(r, 30) {
			k := someKey(g, b)
			b[k] = pick[any](r, 1, "x", true, []any{}, object{}, nil, 1.5)
			q.walk = q.walk || k == "Limit" && (q.Op == "Query" || q.Op == "Scan") // 1 and 1.5 are limits
			return true
		}
	case 14:
		if n, ok := b["TableName"].(string); ok && len(n) > 0 {
			b["TableName"] = pick(r, n+".none", "", "a", "a;b", strings.Repeat("n", 256))
			return true
		}
	case 15:
		if q.Op == "Scan" {
			switch r.IntN(3) {
			case 0:
				b["Segment"] = r.IntN(3)
			case 1:
				b["TotalSegments"] = r.IntN(3)
			default:
				b["Segment"], b["TotalSegments"] = 2, 2
			}
			q.segments = 0
			return true
		}
		if q.Op == "CreateTable" || q.Op == "UpdateTable" {
			return g.spoilDefinition(b)
		}
	}
	return false
}

// spoilDefinition changes one thing in a table's or an index's definition.
func (g *generator) spoilDefinition(b object) bool {
	r := g.r
	var all []object
	var walk func(any)
	walk = func(v any) {
		switch v := v.(type) {
		case object:
			all = append(all, v)
			for _, k := range slices.Sorted(maps.Keys(v)) {
				walk(v[k])
			}
		case []any:
			for _, e := range v {
				walk(e)
			}
		}
	}
	walk(b)
	o := all[r.IntN(len(all))]
	k := someKey(g, o)
	if k == "" {
		return false
	}
	switch v := o[k].(type) {
	case string:
		o[k] = pick(r, "S", "N", "HASH", "RANGE", "FOO", "", "pk", "g1", "gsi0", "ALL", "INCLUDE", "KEYS_ONLY", "PROVISIONED", "PAY_PER_REQUEST")
	case int:
		o[k] = pick(r, 0, -1, 1, 100000)
	case []any:
		switch {
		case len(v) == 0:
			return false
		case chance(r, 30):
			o[k] = []any{}
		case chance(r, 50):
			o[k] = append(slices.Clone(v), clone(v[r.IntN(len(v))]))
		default:
			o[k] = v[1:]
		}
	default:
		delete(o, k)
	}
	return true
}

// someBody returns the body itself or the part of a batch or transaction that
// has the shape of a single request.
func (g *generator) someBody(q *Request) object {
	switch q.Op {
	case "TransactWriteItems", "TransactGetItems":
		if l, ok := q.Body["TransactItems"].([]any); ok && len(l) > 0 && chance(g.r, 85) {
			if a, ok := l[g.r.IntN(len(l))].(object); ok {
				for _, k := range slices.Sorted(maps.Keys(a)) {
					if b, ok := a[k].(object); ok {
						return b
					}
				}
			}
		}
	case "BatchGetItem", "BatchWriteItem":
		ts, ok := q.Body["RequestItems"].(object)
		if !ok || len(ts) == 0 || chance(g.r, 15) {
			break
		}
		switch v := ts[someKey(g, ts)].(type) {
		case object:
			if ks, ok := v["Keys"].([]any); ok && len(ks) > 0 && chance(g.r, 50) {
				return object{"Key": ks[g.r.IntN(len(ks))]}
			}
			return v
		case []any:
			if len(v) == 0 {
				break
			}
			w, _ := v[g.r.IntN(len(v))].(object)
			for _, k := range slices.Sorted(maps.Keys(w)) {
				if b, ok := w[k].(object); ok {
					return b
				}
			}
		}
	}
	return q.Body
}

func (g *generator) badValue() any {
	return clone(pick[any](g.r, object{}, object{"S": "a", "N": "1"}, object{"N": ""}, object{"N": "abc"}, object{"N": "1e126"}, object{"N": "1e-131"},
		object{"N": strings.Repeat("1", 39)}, object{"N": "1_0"}, object{"SS": []any{}}, object{"NS": []any{}}, object{"BS": []any{}},
		object{"SS": []any{"a", "a"}}, object{"NS": []any{"1", "1.0"}}, object{"BS": []any{"YQ==", "YQ=="}}, object{"NS": []any{"x"}},
		object{"NULL": false}, object{"L": []any{object{}}}, object{"M": object{"x": object{"N": "x"}}}, object{"X": "y"},
		nested(33), nested(20)))
}

func nested(n int) any {
	v := object{"S": "deep"}
	for i := range n {
		if i%2 == 0 {
			v = object{"M": object{"x": v}}
		} else {
			v = object{"L": []any{v}}
		}
	}
	return v
}

func someKey(g *generator, o object) string {
	ks := slices.Sorted(maps.Keys(o))
	if len(ks) == 0 {
		return ""
	}
	return ks[g.r.IntN(len(ks))]
}

func shuffled(g *generator, in []string) []string {
	out := slices.Clone(in)
	g.r.Shuffle(len(out), func(i, j int) { out[i], out[j] = out[j], out[i] })
	return out
}
