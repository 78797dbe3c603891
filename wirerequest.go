package dynorm

import (
	"maps"
	"slices"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/dynorm/dynorm/internal/codec"
	"github.com/dynorm/dynorm/internal/expr"
)

// request is the body of a request under construction. The same input always
// gives the same bytes: members go in a fixed order, entries of maps sorted.
type request struct {
	buf []byte
	// straight are the items to come that the input lacks, and at are the places
	// in buf of those that have come.
	straight straightItems
	at       []int
	// given are parts to come that the input lacks.
	given given
}

// given are parts of a request that go there from where they are, which spares
// what the input would have them in. For a single item they are its key, and the
// names and values of its expressions, in the order of their aliases and
// placeholders; for a transaction its actions.
type given struct {
	pk, sk string // the attributes of the key
	key    keyTexts
	names  []string
	values []types.AttributeValue
	// actions come in the place of the input's only one, which puts stand.
	actions []*write
	stand   *types.Put
}

// standIn makes the actions of a transaction parts of the request, and returns
// what stands in the input for them.
func (g *given) standIn(table *string, writes []*write) []types.TransactWriteItem {
	g.actions, g.stand = writes, &types.Put{TableName: table, Item: straightItem}
	return []types.TransactWriteItem{{Put: g.stand}}
}

// places are where an input would have the parts, nil where it has no such.
func places(input any) (key *Item, names *map[string]string, values *Item, actions *[]types.TransactWriteItem) {
	switch in := input.(type) {
	case *dynamodb.TransactWriteItemsInput:
		return nil, nil, nil, &in.TransactItems
	case *dynamodb.GetItemInput:
		return &in.Key, nil, nil, nil
	case *dynamodb.PutItemInput:
		return nil, &in.ExpressionAttributeNames, &in.ExpressionAttributeValues, nil
	case *dynamodb.UpdateItemInput:
		return &in.Key, &in.ExpressionAttributeNames, &in.ExpressionAttributeValues, nil
	case *dynamodb.DeleteItemInput:
		return &in.Key, &in.ExpressionAttributeNames, &in.ExpressionAttributeValues, nil
	}
	return nil, nil, nil, nil
}

// fit reports whether the parts still fit an input: a middleware of the client
// may have put others in their place, which must not get lost.
func (g *given) fit(input any) bool {
	key, names, values, actions := places(input)
	switch {
	case key != nil && g.pk != "" && len(*key) > 0:
		return false
	case names != nil && g.names != nil && (len(*names) > 0 || len(*values) > 0):
		return false
	case actions == nil || g.actions == nil:
		return true
	}
	put := g.stand
	return len(*actions) == 1 && (*actions)[0] == types.TransactWriteItem{Put: put} && len(put.Item) == 0 &&
		put.ConditionExpression == nil && put.ExpressionAttributeNames == nil && put.ExpressionAttributeValues == nil
}

// into puts the parts into an input that they fit after all.
func (g *given) into(input any) {
	key, names, values, actions := places(input)
	if key != nil && g.pk != "" {
		*key = Item{g.pk: stringValue(g.key.pk()), g.sk: stringValue(g.key.sk())}
	}
	if names != nil && g.names != nil {
		*names, *values = expr.NameMap(g.names), expr.ValueMap(g.values)
	}
	if actions != nil && g.actions != nil {
		*actions = actionsFor(g.stand.TableName, g.actions)
	}
}

// write writes an input, or reports that it does not know all that it says.
func (q *request) write(input any) bool {
	if legacy(input) {
		return false
	}
	q.open()
	switch in := input.(type) {
	case *dynamodb.GetItemInput:
		q.text("TableName", in.TableName)
		q.key(in.Key)
		q.flag("ConsistentRead", in.ConsistentRead)
		q.text("ProjectionExpression", in.ProjectionExpression)
		q.names(in.ExpressionAttributeNames)
		q.word("ReturnConsumedCapacity", string(in.ReturnConsumedCapacity))
	case *dynamodb.PutItemInput:
		q.text("TableName", in.TableName)
		q.put(in.Item)
		q.condition(in.ConditionExpression, in.ExpressionAttributeNames, in.ExpressionAttributeValues, in.ReturnValuesOnConditionCheckFailure)
		q.returns(in.ReturnValues, in.ReturnConsumedCapacity, in.ReturnItemCollectionMetrics)
	case *dynamodb.UpdateItemInput:
		q.text("TableName", in.TableName)
		q.key(in.Key)
		q.text("UpdateExpression", in.UpdateExpression)
		q.condition(in.ConditionExpression, in.ExpressionAttributeNames, in.ExpressionAttributeValues, in.ReturnValuesOnConditionCheckFailure)
		q.returns(in.ReturnValues, in.ReturnConsumedCapacity, in.ReturnItemCollectionMetrics)
	case *dynamodb.DeleteItemInput:
		q.text("TableName", in.TableName)
		q.key(in.Key)
		q.condition(in.ConditionExpression, in.ExpressionAttributeNames, in.ExpressionAttributeValues, in.ReturnValuesOnConditionCheckFailure)
		q.returns(in.ReturnValues, in.ReturnConsumedCapacity, in.ReturnItemCollectionMetrics)
	case *dynamodb.QueryInput:
		q.text("TableName", in.TableName)
		q.text("IndexName", in.IndexName)
		q.text("KeyConditionExpression", in.KeyConditionExpression)
		q.text("FilterExpression", in.FilterExpression)
		q.text("ProjectionExpression", in.ProjectionExpression)
		q.names(in.ExpressionAttributeNames)
		q.item("ExpressionAttributeValues", in.ExpressionAttributeValues)
		q.flag("ScanIndexForward", in.ScanIndexForward)
		q.flag("ConsistentRead", in.ConsistentRead)
		q.number("Limit", in.Limit)
		q.word("Select", string(in.Select))
		q.item("ExclusiveStartKey", in.ExclusiveStartKey)
		q.word("ReturnConsumedCapacity", string(in.ReturnConsumedCapacity))
	case *dynamodb.ScanInput:
		q.text("TableName", in.TableName)
		q.text("IndexName", in.IndexName)
		q.text("FilterExpression", in.FilterExpression)
		q.text("ProjectionExpression", in.ProjectionExpression)
		q.names(in.ExpressionAttributeNames)
		q.item("ExpressionAttributeValues", in.ExpressionAttributeValues)
		q.number("Segment", in.Segment)
		q.number("TotalSegments", in.TotalSegments)
		q.flag("ConsistentRead", in.ConsistentRead)
		q.number("Limit", in.Limit)
		q.word("Select", string(in.Select))
		q.item("ExclusiveStartKey", in.ExclusiveStartKey)
		q.word("ReturnConsumedCapacity", string(in.ReturnConsumedCapacity))
	case *dynamodb.BatchGetItemInput:
		tables(q, in.RequestItems, q.keys)
		q.word("ReturnConsumedCapacity", string(in.ReturnConsumedCapacity))
	case *dynamodb.BatchWriteItemInput:
		tables(q, in.RequestItems, func(writes []types.WriteRequest) { list(q, writes, q.batched) })
		q.returns("", in.ReturnConsumedCapacity, in.ReturnItemCollectionMetrics)
	case *dynamodb.TransactGetItemsInput:
		if in.TransactItems != nil {
			q.member("TransactItems")
			list(q, in.TransactItems, q.transactedGet)
		}
		q.word("ReturnConsumedCapacity", string(in.ReturnConsumedCapacity))
	case *dynamodb.TransactWriteItemsInput:
		if in.TransactItems != nil {
			q.member("TransactItems")
			if q.given.actions != nil {
				table := q.given.stand.TableName
				list(q, q.given.actions, func(w **write) { q.action(table, *w) })
			} else {
				list(q, in.TransactItems, q.transactedWrite)
			}
		}
		q.text("ClientRequestToken", in.ClientRequestToken)
		q.returns("", in.ReturnConsumedCapacity, in.ReturnItemCollectionMetrics)
	default:
		return false
	}
	q.close()
	return true
}

// legacy reports whether an input, which an interceptor may have changed, uses
// parameters that expressions replaced, or asks for figures that the wire codec
// does not read.
func legacy(input any) bool {
	switch in := input.(type) {
	case *dynamodb.GetItemInput:
		return in.AttributesToGet != nil || detailed(in.ReturnConsumedCapacity, "")
	case *dynamodb.PutItemInput:
		return in.Expected != nil || in.ConditionalOperator != "" || detailed(in.ReturnConsumedCapacity, in.ReturnItemCollectionMetrics)
	case *dynamodb.UpdateItemInput:
		return in.AttributeUpdates != nil || in.Expected != nil || in.ConditionalOperator != "" ||
			detailed(in.ReturnConsumedCapacity, in.ReturnItemCollectionMetrics)
	case *dynamodb.DeleteItemInput:
		return in.Expected != nil || in.ConditionalOperator != "" || detailed(in.ReturnConsumedCapacity, in.ReturnItemCollectionMetrics)
	case *dynamodb.QueryInput:
		return in.AttributesToGet != nil || in.ConditionalOperator != "" || in.KeyConditions != nil || in.QueryFilter != nil ||
			detailed(in.ReturnConsumedCapacity, "")
	case *dynamodb.ScanInput:
		return in.AttributesToGet != nil || in.ConditionalOperator != "" || in.ScanFilter != nil || detailed(in.ReturnConsumedCapacity, "")
	case *dynamodb.BatchGetItemInput:
		for _, k := range in.RequestItems {
			if k.AttributesToGet != nil {
				return true
			}
		}
		return detailed(in.ReturnConsumedCapacity, "")
	case *dynamodb.BatchWriteItemInput:
		return detailed(in.ReturnConsumedCapacity, in.ReturnItemCollectionMetrics)
	case *dynamodb.TransactGetItemsInput:
		return detailed(in.ReturnConsumedCapacity, "")
	case *dynamodb.TransactWriteItemsInput:
		return detailed(in.ReturnConsumedCapacity, in.ReturnItemCollectionMetrics)
	}
	return false
}

func detailed(capacity types.ReturnConsumedCapacity, metrics types.ReturnItemCollectionMetrics) bool {
	return capacity == types.ReturnConsumedCapacityIndexes || metrics == types.ReturnItemCollectionMetricsSize
}

// keys writes what BatchGetItem reads of a table.
func (q *request) keys(k types.KeysAndAttributes) {
	q.open()
	if k.Keys != nil {
		q.member("Keys")
		list(q, k.Keys, func(key *Item) { q.buf = codec.AppendAttributes(q.buf, *key) })
	}
	q.flag("ConsistentRead", k.ConsistentRead)
	q.text("ProjectionExpression", k.ProjectionExpression)
	q.names(k.ExpressionAttributeNames)
	q.close()
}

func (q *request) batched(w *types.WriteRequest) {
	q.open()
	if put := w.PutRequest; put != nil {
		q.member("PutRequest")
		q.open()
		q.put(put.Item)
		q.close()
	}
	if del := w.DeleteRequest; del != nil {
		q.member("DeleteRequest")
		q.open()
		q.item("Key", del.Key)
		q.close()
	}
	q.close()
}

func (q *request) transactedGet(t *types.TransactGetItem) {
	q.open()
	if get := t.Get; get != nil {
		q.member("Get")
		q.open()
		q.text("TableName", get.TableName)
		q.item("Key", get.Key)
		q.text("ProjectionExpression", get.ProjectionExpression)
		q.names(get.ExpressionAttributeNames)
		q.close()
	}
	q.close()
}

func (q *request) transactedWrite(t *types.TransactWriteItem) {
	q.open()
	if put := t.Put; put != nil {
		q.member("Put")
		q.open()
		q.text("TableName", put.TableName)
		q.put(put.Item)
		q.condition(put.ConditionExpression, put.ExpressionAttributeNames, put.ExpressionAttributeValues, put.ReturnValuesOnConditionCheckFailure)
		q.close()
	}
	if up := t.Update; up != nil {
		q.member("Update")
		q.open()
		q.text("TableName", up.TableName)
		q.item("Key", up.Key)
		q.text("UpdateExpression", up.UpdateExpression)
		q.condition(up.ConditionExpression, up.ExpressionAttributeNames, up.ExpressionAttributeValues, up.ReturnValuesOnConditionCheckFailure)
		q.close()
	}
	if del := t.Delete; del != nil {
		q.member("Delete")
		q.open()
		q.text("TableName", del.TableName)
		q.item("Key", del.Key)
		q.condition(del.ConditionExpression, del.ExpressionAttributeNames, del.ExpressionAttributeValues, del.ReturnValuesOnConditionCheckFailure)
		q.close()
	}
	if check := t.ConditionCheck; check != nil {
		q.member("ConditionCheck")
		q.open()
		q.text("TableName", check.TableName)
		q.item("Key", check.Key)
		q.condition(check.ConditionExpression, check.ExpressionAttributeNames, check.ExpressionAttributeValues, check.ReturnValuesOnConditionCheckFailure)
		q.close()
	}
	q.close()
}

func (q *request) condition(text *string, names map[string]string, values Item, onFailure types.ReturnValuesOnConditionCheckFailure) {
	q.text("ConditionExpression", text)
	if q.given.names != nil {
		q.expressions(q.given.names, q.given.values)
	} else {
		q.names(names)
		q.item("ExpressionAttributeValues", values)
	}
	q.word("ReturnValuesOnConditionCheckFailure", string(onFailure))
}

func (q *request) returns(values types.ReturnValue, capacity types.ReturnConsumedCapacity, metrics types.ReturnItemCollectionMetrics) {
	q.word("ReturnValues", string(values))
	q.word("ReturnConsumedCapacity", string(capacity))
	q.word("ReturnItemCollectionMetrics", string(metrics))
}

func (q *request) open()              { q.buf = append(q.buf, '{') }
func (q *request) close()             { q.buf = append(q.buf, '}') }
func (q *request) member(name string) { q.buf = codec.AppendName(q.buf, name) }

// The members that follow are left out where they are not set.

func (q *request) text(name string, s *string) {
	if s != nil {
		q.member(name)
		q.buf = codec.AppendText(q.buf, *s)
	}
}

func (q *request) word(name, s string) {
	if s != "" {
		q.text(name, &s)
	}
}

func (q *request) flag(name string, b *bool) {
	if b != nil {
		q.member(name)
		q.buf = strconv.AppendBool(q.buf, *b)
	}
}

func (q *request) number(name string, n *int32) {
	if n != nil {
		q.member(name)
		q.buf = strconv.AppendInt(q.buf, int64(*n), 10)
	}
}

func (q *request) item(name string, item Item) {
	if item != nil {
		q.member(name)
		q.buf = codec.AppendAttributes(q.buf, item)
	}
}

// put writes the item of a put. No table takes an empty one.
func (q *request) put(item Item) {
	if len(item) > 0 || len(q.straight) == 0 {
		q.item("Item", item)
		return
	}
	q.member("Item")
	q.at = append(q.at, len(q.buf))
	q.straight = q.straight[1:]
}

func (q *request) names(names map[string]string) {
	if names == nil {
		return
	}
	q.member("ExpressionAttributeNames")
	q.open()
	var room [24]string
	placeholders := room[:0]
	for placeholder := range names {
		placeholders = append(placeholders, placeholder)
	}
	slices.Sort(placeholders)
	for _, placeholder := range placeholders {
		q.member(placeholder)
		q.buf = codec.AppendText(q.buf, names[placeholder])
	}
	q.close()
}

// key writes the key of a single item.
func (q *request) key(key Item) {
	if g := &q.given; g.pk != "" {
		q.keyOf(g.pk, g.sk, g.key)
	} else {
		q.item("Key", key)
	}
}

func (q *request) keyOf(pk, sk string, key keyTexts) {
	q.member("Key")
	q.open()
	q.buf = codec.AppendString(codec.AppendString(q.buf, pk, key.pk()), sk, key.sk())
	q.close()
}

// action writes an action of a transaction.
func (q *request) action(table *string, w *write) {
	q.open()
	switch w.kind {
	case OpPutItem:
		q.member("Put")
	case OpUpdateItem:
		q.member("Update")
	case OpDeleteItem:
		q.member("Delete")
	default:
		q.member("ConditionCheck")
	}
	q.open()
	q.text("TableName", table)
	switch {
	case w.kind == OpPutItem:
		q.put(w.item.item)
	case w.key != nil:
		q.item("Key", w.key)
	default:
		q.keyOf(w.e.pk.attr, w.e.sk.attr, w.texts)
	}
	q.word("UpdateExpression", w.update)
	q.word("ConditionExpression", w.cond)
	q.expressions(w.names, w.values)
	q.word("ReturnValuesOnConditionCheckFailure", string(w.onFailure()))
	q.close()
	q.close()
}

// expressions writes the names and values of expressions in the order of their
// aliases and placeholders.
func (q *request) expressions(names []string, values []types.AttributeValue) {
	if len(names) > 0 {
		q.member("ExpressionAttributeNames")
		q.open()
		for n, name := range names {
			q.member(expr.Alias(n))
			q.buf = codec.AppendText(q.buf, name)
		}
		q.close()
	}
	if len(values) == 0 {
		return
	}
	q.member("ExpressionAttributeValues")
	q.open()
	for n, av := range values {
		q.member(expr.Placeholder(n))
		q.buf = codec.AppendAttribute(q.buf, av)
	}
	q.close()
}

// tables writes what a batch says by table.
func tables[V any](q *request, byTable map[string]V, write func(V)) {
	if byTable == nil {
		return
	}
	q.member("RequestItems")
	q.open()
	for _, table := range slices.Sorted(maps.Keys(byTable)) {
		q.member(table)
		write(byTable[table])
	}
	q.close()
}

// list writes an array.
func list[E any](q *request, elems []E, write func(*E)) {
	q.buf = append(q.buf, '[')
	for i := range elems {
		if i > 0 {
			q.buf = append(q.buf, ',')
		}
		write(&elems[i])
	}
	q.buf = append(q.buf, ']')
}
