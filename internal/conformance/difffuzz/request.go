package difffuzz

import (
	"fmt"
	"math/rand/v2"
)

// Request is one request as both engines get it.
type Request struct {
	Op   string
	Body object
	// faults is the number of things made wrong on purpose. With one, the
	// engines must agree on the error to the letter; with more, only on
	// there being one, since which fault is found first is the service's
	// choice and DynamoDB Local's differs.
	faults int
	// walk is true for a Query or Scan that is followed page by page on each
	// engine and compared as a whole; segments is the number of segments a
	// Scan is split into.
	walk     bool
	segments int
	// table is the table the request is about, nil for none.
	table *table
	// order is the sort key of the table or index that is read.
	order []attr
	// ordered is true when nothing but the sort key decides the order.
	ordered bool
}

// generator makes up tables and requests from one seed.
type generator struct {
	r      *rand.Rand
	prefix string
	// token begins the tokens of the round, which engines remember for longer
	// than a run may take.
	token  string
	n      int
	tables []*table
	// share is how many of a hundred requests are PartiQL's.
	share int
	// streams is how many are of the API of streams.
	streams int
}

// table makes up a table and returns it with the request that creates it.
func (g *generator) newTable() (*table, *Request) {
	g.n++
	t := newTable(g.r, fmt.Sprintf("%s.t%d", g.prefix, g.n))
	return t, &Request{Op: "CreateTable", Body: t.create(g.r), table: t}
}

func (g *generator) anyTable() *table { return g.tables[g.r.IntN(len(g.tables))] }

// next makes up a request about one of the tables.
func (g *generator) next() *Request {
	t := g.anyTable()
	if g.streams > 0 && chance(g.r, g.streams) {
		return g.nextStream(t)
	}
	if chance(g.r, g.share) {
		return g.nextStatement(t)
	}
	var q *Request
	switch n := g.r.IntN(100); {
	case n < 18:
		q = g.put(t)
	case n < 40:
		q = g.update(t)
	case n < 46:
		q = g.delete(t)
	case n < 54:
		q = g.get(t)
	case n < 68:
		q = g.query(t)
	case n < 77:
		q = g.scan(t)
	case n < 81:
		q = g.batchGet()
	case n < 85:
		q = g.batchWrite()
	case n < 91:
		q = g.transactWrite()
	case n < 94:
		q = g.transactGet()
	default:
		q = g.control(t)
	}
	if q.table == nil {
		q.table = t
	}
	switch n := g.r.IntN(100); {
	case n < 70:
	case n < 95:
		g.spoilRequest(q)
	default:
		for range 2 + g.r.IntN(3) {
			g.spoilRequest(q)
		}
	}
	return q
}

func (g *generator) returnCapacity(b object) {
	if chance(g.r, 15) {
		b["ReturnConsumedCapacity"] = pick(g.r, "TOTAL", "INDEXES", "NONE")
	}
	if chance(g.r, 5) {
		b["ReturnItemCollectionMetrics"] = pick(g.r, "SIZE", "NONE")
	}
}

// guard adds a condition, now and then, and what a failed one returns.
func (g *generator) guard(e *expressions, b object, p int) {
	if chance(g.r, p) {
		b["ConditionExpression"] = e.condition(2)
		if chance(g.r, 30) {
			b["ReturnValuesOnConditionCheckFailure"] = pick(g.r, "ALL_OLD", "NONE")
		}
	}
}

func (g *generator) put(t *table) *Request {
	b, e := object{"TableName": t.name, "Item": t.item(g.r)}, newExpressions(g.r, t)
	if chance(g.r, legacyPercent) {
		g.legacyExpected(b, 60)
	} else {
		g.guard(e, b, 25)
		e.into(b)
	}
	if chance(g.r, 25) {
		b["ReturnValues"] = pick(g.r, "ALL_OLD", "NONE")
	}
	g.returnCapacity(b)
	return &Request{Op: "PutItem", Body: b}
}

func (g *generator) update(t *table) *Request {
	b, e := object{"TableName": t.name, "Key": t.key(g.r)}, newExpressions(g.r, t)
	if chance(g.r, legacyPercent) {
		g.legacyUpdates(b)
		g.legacyExpected(b, 30)
	} else {
		if chance(g.r, 97) {
			b["UpdateExpression"] = e.update()
		}
		g.guard(e, b, 25)
		e.into(b)
	}
	if chance(g.r, 40) {
		b["ReturnValues"] = pick(g.r, "ALL_OLD", "ALL_NEW", "UPDATED_OLD", "UPDATED_NEW", "NONE")
	}
	g.returnCapacity(b)
	return &Request{Op: "UpdateItem", Body: b}
}

func (g *generator) delete(t *table) *Request {
	b, e := object{"TableName": t.name, "Key": t.key(g.r)}, newExpressions(g.r, t)
	if chance(g.r, legacyPercent) {
		g.legacyExpected(b, 80)
	} else {
		g.guard(e, b, 40)
		e.into(b)
	}
	if chance(g.r, 40) {
		b["ReturnValues"] = pick(g.r, "ALL_OLD", "NONE")
	}
	g.returnCapacity(b)
	return &Request{Op: "DeleteItem", Body: b}
}

func (g *generator) get(t *table) *Request {
	b, e := object{"TableName": t.name, "Key": t.key(g.r)}, newExpressions(g.r, t)
	if chance(g.r, legacyPercent) {
		g.legacyProjection(b)
	} else if chance(g.r, 50) {
		b["ProjectionExpression"] = e.projection()
	}
	e.into(b)
	if chance(g.r, 30) {
		b["ConsistentRead"] = chance(g.r, 50)
	}
	if chance(g.r, 20) {
		b["ReturnConsumedCapacity"] = pick(g.r, "TOTAL", "INDEXES", "NONE")
	}
	return &Request{Op: "GetItem", Body: b}
}

// source picks the table or one of its indexes to read from.
func (g *generator) source(t *table, b object) *index {
	if len(t.indexes) == 0 || chance(g.r, 40) {
		return nil
	}
	x := t.indexes[g.r.IntN(len(t.indexes))]
	b["IndexName"] = x.name
	return x
}

// read adds to a Query or Scan what both have.
func (g *generator) read(t *table, x *index, e *expressions, b object) {
	if chance(g.r, 25) {
		b["FilterExpression"] = e.condition(1)
	}
	switch n := g.r.IntN(100); {
	case n < 20:
		b["ProjectionExpression"] = e.projection()
		if chance(g.r, 20) {
			b["Select"] = "SPECIFIC_ATTRIBUTES"
		}
	case n < 30:
		b["Select"] = "COUNT"
	case n < 35:
		b["Select"] = "ALL_ATTRIBUTES"
	case n < 40 && x != nil:
		b["Select"] = "ALL_PROJECTED_ATTRIBUTES"
	}
	g.readSettings(x, b)
	e.into(b)
}

// legacyRead is read with legacy parameters, of which filter is one.
func (g *generator) legacyRead(x *index, filter string, b object) {
	if chance(g.r, 50) {
		b[filter] = g.legacyFilter(b, g.filterOn)
	}
	g.legacyProjection(b)
	if chance(g.r, 10) {
		b["Select"] = pick(g.r, "COUNT", "SPECIFIC_ATTRIBUTES", "ALL_ATTRIBUTES")
	}
	g.readSettings(x, b)
}

func (g *generator) readSettings(x *index, b object) {
	if chance(g.r, 20) && (x == nil || x.local) {
		b["ConsistentRead"] = true
	}
	if chance(g.r, 20) {
		b["ReturnConsumedCapacity"] = pick(g.r, "TOTAL", "INDEXES")
	}
}

func (g *generator) query(t *table) *Request {
	b, e := object{"TableName": t.name}, newExpressions(g.r, t)
	q := &Request{Op: "Query", Body: b}
	x := g.source(t, b)
	hash, sort := []attr{t.hash}, t.sortAttrs()
	if x != nil {
		hash, sort = x.hash, x.sort
	}
	q.order, q.ordered = sort, x == nil
	switch {
	case !chance(g.r, legacyPercent):
		b["KeyConditionExpression"] = e.keyCondition(hash, sort)
		g.read(t, x, e, b)
	case chance(g.r, 20): // expressions beside them
		g.legacyKeyConditions(b, hash, sort)
		g.read(t, x, e, b)
	default:
		g.legacyKeyConditions(b, hash, sort)
		g.legacyRead(x, "QueryFilter", b)
	}
	if chance(g.r, 30) {
		b["ScanIndexForward"] = chance(g.r, 30)
	}
	if chance(g.r, 35) {
		b["Limit"] = 1 + g.r.IntN(4)
		q.walk = chance(g.r, 60) || x != nil
	}
	if x == nil && !q.walk && chance(g.r, 10) {
		b["ExclusiveStartKey"] = t.key(g.r)
	}
	return q
}

func (g *generator) scan(t *table) *Request {
	b, e := object{"TableName": t.name}, newExpressions(g.r, t)
	q := &Request{Op: "Scan", Body: b}
	if x := g.source(t, b); chance(g.r, legacyPercent) {
		g.legacyRead(x, "ScanFilter", b)
	} else {
		g.read(t, x, e, b)
	}
	if chance(g.r, 30) {
		b["Limit"] = 1 + g.r.IntN(5)
		q.walk = true
	}
	if chance(g.r, 15) {
		q.segments = 1 + g.r.IntN(4)
		q.walk = true
	}
	return q
}

func (g *generator) batchGet() *Request {
	tables := object{}
	for range 1 + g.r.IntN(2) {
		t := g.anyTable()
		e, one := newExpressions(g.r, t), object{}
		keys, seen := []any{}, map[string]bool{}
		for range 1 + g.r.IntN(5) {
			k := t.key(g.r)
			if id := canonicalKey(k); !seen[id] || chance(g.r, 5) {
				seen[id] = true
				keys = append(keys, k)
			}
		}
		one["Keys"] = keys
		if chance(g.r, 30) {
			one["ProjectionExpression"] = e.projection()
		}
		if chance(g.r, 20) {
			one["ConsistentRead"] = true
		}
		e.into(one)
		tables[t.name] = one
	}
	b := object{"RequestItems": tables}
	if chance(g.r, 15) {
		b["ReturnConsumedCapacity"] = pick(g.r, "TOTAL", "INDEXES", "NONE")
	}
	return &Request{Op: "BatchGetItem", Body: b}
}

func (g *generator) batchWrite() *Request {
	tables := object{}
	for range 1 + g.r.IntN(2) {
		t := g.anyTable()
		writes, seen := []any{}, map[string]bool{}
		for range 1 + g.r.IntN(5) {
			it := t.item(g.r)
			k := keyOf(t, it)
			if id := canonicalKey(k); seen[id] && !chance(g.r, 5) {
				continue
			} else {
				seen[id] = true
			}
			if chance(g.r, 30) {
				writes = append(writes, object{"DeleteRequest": object{"Key": k}})
			} else {
				writes = append(writes, object{"PutRequest": object{"Item": it}})
			}
		}
		tables[t.name] = writes
	}
	b := object{"RequestItems": tables}
	g.returnCapacity(b)
	return &Request{Op: "BatchWriteItem", Body: b}
}

func keyOf(t *table, item object) object {
	k := object{}
	for _, a := range t.keyAttrs() {
		k[a.name] = clone(item[a.name])
	}
	return k
}

func (g *generator) transactWrite() *Request {
	var actions []any
	seen := map[string]bool{}
	for range 1 + g.r.IntN(4) {
		t := g.anyTable()
		k := t.key(g.r)
		id := t.name + canonicalKey(k)
		if seen[id] && !chance(g.r, 5) {
			continue
		}
		seen[id] = true
		e, b := newExpressions(g.r, t), object{"TableName": t.name}
		var kind string
		switch g.r.IntN(4) {
		case 0:
			kind = "Put"
			it := t.item(g.r)
			for n, v := range k {
				it[n] = v
			}
			b["Item"] = it
			g.guard(e, b, 30)
		case 1:
			kind = "Update"
			b["Key"], b["UpdateExpression"] = k, e.update()
			g.guard(e, b, 30)
		case 2:
			kind = "Delete"
			b["Key"] = k
			g.guard(e, b, 30)
		default:
			kind = "ConditionCheck"
			b["Key"] = k
			g.guard(e, b, 100)
		}
		e.into(b)
		actions = append(actions, object{kind: b})
	}
	b := object{"TransactItems": actions}
	g.returnCapacity(b)
	if chance(g.r, 10) {
		b["ClientRequestToken"] = fmt.Sprintf("%s-%d", g.token, g.r.IntN(3))
	}
	return &Request{Op: "TransactWriteItems", Body: b}
}

func (g *generator) transactGet() *Request {
	var gets []any
	for range 1 + g.r.IntN(4) {
		t := g.anyTable()
		e, b := newExpressions(g.r, t), object{"TableName": t.name, "Key": t.key(g.r)}
		if chance(g.r, 40) {
			b["ProjectionExpression"] = e.projection()
		}
		e.into(b)
		gets = append(gets, object{"Get": b})
	}
	b := object{"TransactItems": gets}
	if chance(g.r, 15) {
		b["ReturnConsumedCapacity"] = pick(g.r, "TOTAL", "INDEXES", "NONE")
	}
	return &Request{Op: "TransactGetItems", Body: b}
}

// control makes up a request about tables.
func (g *generator) control(t *table) *Request {
	r := g.r
	switch r.IntN(11) {
	case 0, 1:
		return &Request{Op: "DescribeTable", Body: object{"TableName": t.name}}
	case 2:
		b := object{"ExclusiveStartTableName": g.prefix + "." + pick(r, "", "t", "t0", "zz")}
		if chance(r, 60) {
			b["Limit"] = 1 + r.IntN(3)
		}
		return &Request{Op: "ListTables", Body: b}
	case 3:
		return &Request{Op: "DescribeTimeToLive", Body: object{"TableName": t.name}}
	case 4:
		return &Request{Op: "UpdateTimeToLive", Body: object{
			"TableName":               t.name,
			"TimeToLiveSpecification": object{"AttributeName": pick(r, "expires", "expires", "other"), "Enabled": chance(r, 70)},
		}}
	case 5:
		return g.addIndex(t)
	case 6:
		return g.removeIndex(t)
	case 7:
		return &Request{Op: "UpdateTable", Body: object{"TableName": t.name, "DeletionProtectionEnabled": chance(r, 30)}}
	case 8:
		// A table nobody keeps: mostly to have the definition spoilt.
		g.n++
		scratch := newTable(r, fmt.Sprintf("%s.x%d", g.prefix, g.n))
		return &Request{Op: "CreateTable", Body: scratch.create(r), table: scratch}
	case 9:
		return &Request{Op: "DescribeLimits", Body: object{}}
	default:
		return &Request{Op: pick(r, "DeleteTable", "DescribeTable", "GetItem", "Scan"), Body: object{"TableName": g.prefix + ".none", "Key": t.key(r)}}
	}
}

func (g *generator) addIndex(t *table) *Request {
	x := newGlobalIndex(g.r, t, fmt.Sprintf("gsi%d", g.r.IntN(5)))
	probe := &table{hash: t.hash, sort: t.sort, indexes: append(append([]*index(nil), t.indexes...), x)}
	return &Request{Op: "UpdateTable", Body: object{
		"TableName": t.name, "AttributeDefinitions": probe.definitions(),
		"GlobalSecondaryIndexUpdates": []any{object{"Create": x.definition()}},
	}, table: t}
}

func (g *generator) removeIndex(t *table) *Request {
	return &Request{Op: "UpdateTable", Body: object{
		"TableName":                   t.name,
		"GlobalSecondaryIndexUpdates": []any{object{"Delete": object{"IndexName": fmt.Sprintf("gsi%d", g.r.IntN(5))}}},
	}, table: t}
}
