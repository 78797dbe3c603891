package dynorm

import (
	"context"
	"maps"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/dynorm/dynorm/internal/expr"
)

// branchRequest is what a branch sends, but for the page.
type branchRequest struct {
	key, filter, projection string
	names                   []string
	projectionNames         []string // names with those of the projection

	// hydration is the projection of items that are read from the table to
	// complete those of an index.
	hydration      string
	hydrationNames []string

	values []types.AttributeValue
	now    int // which of them is the present time, -1 for none
}

// nowValue stands for the present time until a request is sent.
var (
	nowValue  types.AttributeValue = &types.AttributeValueMemberN{Value: "0"}
	nowValues                      = []types.AttributeValue{nowValue}
)

// valuesAt returns the values of a request that is sent now. They are the
// request's own, texts included: an interceptor may change them.
func (q *branchRequest) valuesAt(now time.Time) map[string]types.AttributeValue {
	values := expr.ValueMap(q.values)
	for placeholder, av := range values {
		if s, ok := av.(*types.AttributeValueMemberS); ok {
			values[placeholder] = stringValue(s.Value)
		}
	}
	if q.now >= 0 {
		values[":"+strconv.Itoa(q.now)] = numberValue(now.Unix())
	}
	return values
}

// fetched is a page of one branch.
type fetched struct {
	items     []row
	count     int
	evaluated int
	units     float64
	last      Item // where the next page starts, nil at the end
	err       error
}

// fetch sends the request for a page from st.start on. With count it asks for
// the number of items only.
func (st *stream) fetch(ctx context.Context, limit int32, count bool) fetched {
	r := st.r
	if r.pace != nil {
		if err := r.pace.wait(ctx); err != nil {
			return fetched{err: err}
		}
	}
	var page fetched
	var capacity *types.ConsumedCapacity
	read := r.read
	if r.p.hydrate {
		read = readRaw // these are the entries of an index
	}
	if r.p.kind == OpScan {
		out, rows, err := runRows(ctx, r.db, r.operation(OpScan, r.scanInput(st.b, st.start, limit, count)), scanMethod, read,
			func(out *dynamodb.ScanOutput) []Item { return out.Items })
		if err != nil {
			return fetched{err: err}
		}
		page = fetched{items: rows, count: int(out.Count), evaluated: int(out.ScannedCount), last: out.LastEvaluatedKey}
		capacity = out.ConsumedCapacity
	} else {
		out, rows, err := runRows(ctx, r.db, r.operation(OpQuery, r.queryInput(st.b, st.start, limit, count)), queryMethod, read,
			func(out *dynamodb.QueryOutput) []Item { return out.Items })
		if err != nil {
			return fetched{err: err}
		}
		page = fetched{items: rows, count: int(out.Count), evaluated: int(out.ScannedCount), last: out.LastEvaluatedKey}
		capacity = out.ConsumedCapacity
	}
	if len(page.last) == 0 {
		page.last = nil
	}
	if capacity != nil {
		page.units = aws.ToFloat64(capacity.CapacityUnits)
	}
	if r.pace != nil {
		r.pace.spend(page.units)
	}
	if r.p.hydrate && !count {
		var err error
		if page.items, err = r.hydrate(ctx, page.items); err != nil {
			return fetched{err: err}
		}
	}
	return page
}

func (r *reader) operation(kind OpKind, input any) *Operation {
	return &Operation{Kind: kind, Name: r.op, Entity: r.p.e.def.Name, Index: r.p.path.index, Input: input}
}

// queryInput is the request for a page of a branch.
func (r *reader) queryInput(b *branch, start Item, limit int32, count bool) *dynamodb.QueryInput {
	q := &b.request
	in := &dynamodb.QueryInput{
		TableName:                 &r.db.table,
		KeyConditionExpression:    aws.String(q.key),
		ExpressionAttributeNames:  expr.NameMap(q.names),
		ExpressionAttributeValues: q.valuesAt(r.now),
		ScanIndexForward:          aws.Bool(r.p.forward != r.backward),
		ExclusiveStartKey:         maps.Clone(start),
		ReturnConsumedCapacity:    r.metering(),
	}
	if r.p.path.index != "" {
		in.IndexName = &r.p.path.index
	}
	if q.filter != "" {
		in.FilterExpression = aws.String(q.filter)
	}
	switch {
	case count:
		in.Select = types.SelectCount
	case q.projection != "":
		in.ProjectionExpression, in.ExpressionAttributeNames = &q.projection, expr.NameMap(q.projectionNames)
	}
	if r.p.consistent {
		in.ConsistentRead = aws.Bool(true)
	}
	if limit > 0 {
		in.Limit = &limit
	}
	return in
}

// scanInput is the request for a page of a segment.
func (r *reader) scanInput(b *branch, start Item, limit int32, count bool) *dynamodb.ScanInput {
	q := &b.request
	in := &dynamodb.ScanInput{
		TableName:                 &r.db.table,
		FilterExpression:          aws.String(q.filter),
		ExpressionAttributeNames:  expr.NameMap(q.names),
		ExpressionAttributeValues: q.valuesAt(r.now),
		ExclusiveStartKey:         maps.Clone(start),
		ReturnConsumedCapacity:    r.metering(),
	}
	if r.p.path.index != "" {
		in.IndexName = &r.p.path.index
	}
	if b.segments > 1 {
		in.Segment, in.TotalSegments = &b.segment, &b.segments
	}
	switch {
	case count:
		in.Select = types.SelectCount
	case q.projection != "":
		in.ProjectionExpression, in.ExpressionAttributeNames = &q.projection, expr.NameMap(q.projectionNames)
	}
	if r.p.consistent {
		in.ConsistentRead = aws.Bool(true)
	}
	if limit > 0 {
		in.Limit = &limit
	}
	return in
}

// metering asks for the read units used where somebody wants to know.
func (r *reader) metering() types.ReturnConsumedCapacity {
	if r.pace != nil || r.progress != nil {
		return types.ReturnConsumedCapacityTotal
	}
	return ""
}

// keysInput is the request for items by their keys: a GetItem, or a
// BatchGetItem of up to 100.
func (r *reader) keysInput(keys []Item) any {
	if r.p.kind == OpBatchGetItem {
		how := r.keysHow()
		how.Keys = keys[:min(len(keys), maxBatchGet)]
		return &dynamodb.BatchGetItemInput{RequestItems: map[string]types.KeysAndAttributes{r.db.table: how}}
	}
	q := &r.p.branches[0].request
	in := &dynamodb.GetItemInput{TableName: &r.db.table, Key: keys[0], ConsistentRead: &r.p.consistent}
	if q.projection != "" {
		in.ProjectionExpression, in.ExpressionAttributeNames = &q.projection, expr.NameMap(q.projectionNames)
	}
	return in
}

// keysHow says what to read of items by their keys.
func (r *reader) keysHow() types.KeysAndAttributes {
	q := &r.p.branches[0].request
	how := types.KeysAndAttributes{ConsistentRead: &r.p.consistent}
	if q.projection != "" {
		how.ProjectionExpression, how.ExpressionAttributeNames = &q.projection, expr.NameMap(q.projectionNames)
	}
	return how
}

// readKeys reads items by their keys, in no order.
func (r *reader) readKeys(ctx context.Context, keys []Item) ([]row, error) {
	if r.p.kind == OpBatchGetItem {
		return r.db.batchGet(ctx, r.p.e, r.op, keys, r.keysHow(), r.read)
	}
	_, rows, err := runRows(ctx, r.db, r.operation(OpGetItem, r.keysInput(keys)), getItemMethod, r.read,
		func(out *dynamodb.GetItemOutput) []Item { return []Item{out.Item} })
	if err != nil || len(rows) == 0 || rows[0].empty() {
		return nil, err
	}
	return rows, nil
}

// wholeKey is the primary key that a branch fixes.
func (b *branch) wholeKey(p *plan) Item {
	return Item{p.path.pk.attr: stringValue(b.pk), p.path.sk.attr: stringValue(b.sk.low)}
}

// Request returns the input of the first request that List would send, as the
// SDK takes it: a *dynamodb.QueryInput, *dynamodb.GetItemInput,
// *dynamodb.BatchGetItemInput or *dynamodb.ScanInput. A query of several key
// conditions ([Plan.Keys]) sends one like it for each. Where the conditions
// contradict each other there is none, and the input is nil. It is of no tenant
// ([Config.Scope]), and takes no cursor that is of one.
func (q Query[T]) Request() (any, error) { return q.s.request() }

func (s *queryState) request() (any, error) {
	p, err := s.planned()
	if err != nil {
		return nil, s.opError("Request", err)
	}
	r := s.reader(p, "Request", 0)
	if err := r.start(s.opts.after); err != nil {
		return nil, s.opError("Request", err)
	}
	switch st := firstStream(r); {
	case st == nil:
		return nil, nil
	case p.kind == OpQuery:
		return r.queryInput(st.b, st.start, st.pageLimit(), false), nil
	case p.kind == OpScan:
		return r.scanInput(st.b, st.start, st.pageLimit(), false), nil
	}
	keys := make([]Item, len(p.branches))
	for i := range p.branches {
		keys[i] = p.branches[i].wholeKey(p)
	}
	return r.keysInput(keys), nil
}

func firstStream(r *reader) *stream {
	for i := range r.streams {
		if r.streams[i].more {
			return &r.streams[i]
		}
	}
	return nil
}
