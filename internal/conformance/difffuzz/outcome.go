package difffuzz

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"math/big"
	"slices"
	"strings"

	"github.com/dynorm/dynorm/internal/conformance"
)

// outcome is what one engine answered, in a form in which the two engines'
// answers can be compared.
type outcome struct {
	failed        bool
	status        int
	code, message string
	// body is the answer, or what an error carries beside its message, with
	// what can't agree (dates, ids, the order of sets) made equal.
	body any
	// disorder says which items of a sorted read are out of order.
	disorder string
}

// String returns "ok" or the error, the form that allowed differences match.
func (o *outcome) String() string {
	if !o.failed {
		return "ok"
	}
	s := o.code + ": " + o.message
	if o.status != 400 {
		s = fmt.Sprintf("%d %s", o.status, s)
	}
	return s
}

// ask sends q to e and returns what came of it.
func ask(ctx context.Context, e *conformance.Endpoint, q *Request) (*outcome, error) {
	switch {
	case isStream(q.Op):
		return askStream(ctx, e, q)
	case !q.walk:
		return askOnce(ctx, e, q, q.Body)
	case q.Op == "ExecuteStatement":
		return askPages(ctx, e, q)
	}
	segments := max(q.segments, 1)
	total := object{}
	var items []any
	for s := range segments {
		body := clone(q.Body).(object)
		if q.segments > 0 {
			body["Segment"], body["TotalSegments"] = s, segments
		}
		for page := 0; ; page++ {
			o, err := askOnce(ctx, e, q, body)
			if err != nil || o.failed {
				return o, err
			}
			b := o.body.(object)
			if l, ok := b["Items"].([]any); ok {
				items = append(items, l...)
				total["Items"] = items
			}
			for _, m := range []string{"Count", "ScannedCount"} {
				total[m] = addNumbers(total[m], b[m])
			}
			last, more := b["LastEvaluatedKey"]
			if !more {
				break
			}
			if page > 500 {
				return &outcome{failed: true, code: "Endless", message: "pages do not end"}, nil
			}
			body["ExclusiveStartKey"] = last
		}
	}
	o := &outcome{status: 200, body: total}
	if q.Op == "Query" {
		o.sortRead(q, total)
	} else {
		sortList(total["Items"])
	}
	return o, nil
}

// askPages follows a SELECT page by page. How the items fall into pages is left
// out of account, and so is their order where ORDER BY does not say it.
func askPages(ctx context.Context, e *conformance.Endpoint, q *Request) (*outcome, error) {
	body := clone(q.Body).(object)
	items := []any{}
	for range 500 {
		o, err := askOnce(ctx, e, q, body)
		if err != nil || o.failed {
			return o, err
		}
		b := o.body.(object)
		page, _ := b["Items"].([]any)
		items = append(items, page...)
		next, more := b["NextToken"]
		if !more {
			text, _ := q.Body["Statement"].(string)
			// An index may hold the same sort key more than once.
			if !strings.Contains(text, "ORDER BY") || strings.Contains(text, `"."`) {
				sortList(items)
			}
			return &outcome{status: 200, body: object{"Items": items}}, nil
		}
		body["NextToken"] = next
	}
	return &outcome{failed: true, code: "Endless", message: "pages do not end"}, nil
}

func addNumbers(a, b any) any {
	var n int64
	for _, v := range []any{a, b} {
		if j, ok := v.(json.Number); ok {
			i, _ := j.Int64()
			n += i
		}
	}
	return json.Number(fmt.Sprint(n))
}

func askOnce(ctx context.Context, e *conformance.Endpoint, q *Request, body object) (*outcome, error) {
	a, err := e.Call(ctx, q.Op, encode(body), nil)
	if err != nil {
		return nil, err
	}
	o := &outcome{failed: a.Failed(), status: a.Status, code: a.Code(), message: sortLists(a.Message())}
	if o.failed {
		o.body = normal("", a.Extra())
		return o, nil
	}
	if a.Body == nil {
		o.body = object{}
		return o, nil
	}
	b := normal("", a.Body).(object)
	switch q.Op {
	case "Query":
		if !q.walk {
			o.sortRead(q, b)
		}
	case "Scan":
		sortList(b["Items"])
		if _, part := body["TotalSegments"]; part && q.segments == 0 {
			// Which items a segment holds is the engine's own affair.
			b = object{}
		}
	case "BatchGetItem":
		if rs, ok := b["Responses"].(object); ok {
			for _, l := range rs {
				sortList(l)
			}
		}
		sortByTable(b["ConsumedCapacity"])
	case "BatchWriteItem", "TransactWriteItems", "TransactGetItems":
		sortByTable(b["ConsumedCapacity"])
	case "ListTables":
		ownTables(q, b)
	case "CreateTable", "DescribeTable", "UpdateTable", "DeleteTable":
		for _, m := range []string{"Table", "TableDescription"} {
			if d, ok := b[m].(object); ok {
				b[m] = definitionOf(d)
			}
		}
	}
	o.body = b
	return o, nil
}

// ownTables leaves of a list of tables those that the request's prefix asks
// for, since others may use the same engine.
func ownTables(q *Request, b object) {
	start, _ := q.Body["ExclusiveStartTableName"].(string)
	i := strings.LastIndexByte(start, '.') + 1
	names, _ := b["TableNames"].([]any)
	b["TableNames"] = slices.DeleteFunc(names, func(v any) bool { n, _ := v.(string); return i == 0 || !strings.HasPrefix(n, start[:i]) })
	// There is one whenever tables follow, anybody's.
	delete(b, "LastEvaluatedTableName")
}

// sortRead checks the order of a Query's items and, where more than the sort
// key would decide it, makes it the same for both engines.
func (o *outcome) sortRead(q *Request, b object) {
	items, _ := b["Items"].([]any)
	backwards := q.Body["ScanIndexForward"] == false
	// A request that something was made wrong with may read another index.
	for i := 1; i < len(items) && q.faults == 0; i++ {
		c := compareKeys(q.order, items[i-1], items[i])
		if c > 0 && !backwards || c < 0 && backwards {
			o.disorder = fmt.Sprintf("%s before %s", encode(items[i-1]), encode(items[i]))
		}
	}
	if !q.ordered {
		sortList(b["Items"])
	}
}

// compareKeys compares two items by the attributes of a sort key, as far as
// both have them.
func compareKeys(order []attr, a, b any) int {
	x, _ := a.(object)
	y, _ := b.(object)
	for _, k := range order {
		v, ok1 := x[k.name].(object)
		w, ok2 := y[k.name].(object)
		if !ok1 || !ok2 {
			return 0
		}
		if c := compareScalars(v, w); c != 0 {
			return c
		}
	}
	return 0
}

func compareScalars(v, w object) int {
	for _, t := range []string{"S", "B"} {
		s, ok1 := v[t].(string)
		u, ok2 := w[t].(string)
		if ok1 && ok2 {
			if t == "B" {
				s, u = unb64(s), unb64(u)
			}
			return strings.Compare(s, u)
		}
	}
	s, _ := v["N"].(string)
	u, _ := w["N"].(string)
	x, ok1 := new(big.Rat).SetString(s)
	y, ok2 := new(big.Rat).SetString(u)
	if ok1 && ok2 {
		return x.Cmp(y)
	}
	return 0
}

// definitionOf keeps of a table's description what its definition says.
func definitionOf(d object) object {
	out := object{}
	for _, m := range []string{"TableName", "KeySchema", "DeletionProtectionEnabled", "StreamSpecification"} {
		out[m] = d[m]
	}
	_, out["Streamed"] = d["LatestStreamArn"]
	out["AttributeDefinitions"] = sortList(d["AttributeDefinitions"])
	out["BillingMode"] = "PROVISIONED"
	if s, ok := d["BillingModeSummary"].(object); ok {
		out["BillingMode"] = s["BillingMode"]
	}
	out["Throughput"] = units(d)
	for _, m := range []string{"GlobalSecondaryIndexes", "LocalSecondaryIndexes"} {
		var l []any
		is, _ := d[m].([]any)
		for _, i := range is {
			x, _ := i.(object)
			l = append(l, object{"IndexName": x["IndexName"], "KeySchema": x["KeySchema"], "Projection": x["Projection"], "Throughput": units(x)})
		}
		if l != nil {
			out[m] = sortList(l)
		}
	}
	return out
}

func units(d object) any {
	p, _ := d["ProvisionedThroughput"].(object)
	if p == nil {
		return nil
	}
	return object{"Read": p["ReadCapacityUnits"], "Write": p["WriteCapacityUnits"]}
}

// normal sorts sets and the attributes of projections and writes numbers in
// one way.
func normal(name string, v any) any {
	switch v := v.(type) {
	case object:
		for k, e := range v {
			v[k] = normal(k, e)
		}
		return v
	case []any:
		for i, e := range v {
			v[i] = normal("", e)
		}
		if name == "SS" || name == "NS" || name == "BS" || name == "NonKeyAttributes" {
			sortList(v)
		}
		return v
	case json.Number:
		if r, ok := new(big.Rat).SetString(string(v)); ok {
			return json.Number(strings.TrimSuffix(r.RatString(), "/1"))
		}
	}
	return v
}

func sortList(v any) any {
	l, ok := v.([]any)
	if !ok {
		return v
	}
	// By value, so that numbers in another form do not change the order.
	slices.SortFunc(l, func(a, b any) int {
		return strings.Compare(encode(byValue("", clone(a))), encode(byValue("", clone(b))))
	})
	return l
}

func sortByTable(v any) {
	l, _ := v.([]any)
	slices.SortFunc(l, func(a, b any) int {
		x, _ := a.(object)
		y, _ := b.(object)
		return strings.Compare(fmt.Sprint(x["TableName"]), fmt.Sprint(y["TableName"]))
	})
}

// sortLists sorts what a message lists in no particular order: unused names
// in braces, attributes that are not projected in brackets.
func sortLists(m string) string {
	open, shut := "{", "}"
	if strings.Contains(m, "does not project") {
		open, shut = "[", "]"
	}
	i, j := strings.LastIndex(m, open), strings.LastIndex(m, shut)
	if i < 0 || j < i {
		return m
	}
	l := strings.Split(m[i+1:j], ", ")
	slices.Sort(l)
	return m[:i+1] + strings.Join(l, ", ") + m[j:]
}

// diff is one place where two answers differ.
type diff struct {
	path          string
	local, engine any // nil where there is nothing
}

func (d diff) String() string { return d.path + ": " + encode(d.local) + " and " + encode(d.engine) }

// differences returns where two answers differ.
func differences(path string, local, engine any) []diff {
	switch x := local.(type) {
	case object:
		y, ok := engine.(object)
		if !ok {
			break
		}
		keys := maps.Clone(x)
		maps.Copy(keys, y)
		var ds []diff
		for _, k := range slices.Sorted(maps.Keys(keys)) {
			v, in1 := x[k]
			w, in2 := y[k]
			if in1 && in2 {
				ds = append(ds, differences(path+"."+k, v, w)...)
			} else {
				ds = append(ds, diff{path + "." + k, v, w})
			}
		}
		return ds
	case []any:
		y, ok := engine.([]any)
		if !ok || len(x) != len(y) {
			break
		}
		var ds []diff
		for i := range x {
			ds = append(ds, differences(path+"[]", x[i], y[i])...)
		}
		return ds
	default:
		if local == engine {
			return nil
		}
	}
	return []diff{{path, local, engine}}
}

// encode writes v as JSON with its members in order.
func encode(v any) string {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return fmt.Sprint(v)
	}
	return strings.TrimSpace(b.String())
}

// canonicalKey returns a key in a form in which equal keys are equal text.
func canonicalKey(k object) string {
	c := object{}
	for n, v := range k {
		o, _ := v.(object)
		if s, ok := o["N"].(string); ok {
			if r, ok := new(big.Rat).SetString(s); ok {
				c[n] = r.RatString()
				continue
			}
		}
		c[n] = v
	}
	return encode(c)
}
