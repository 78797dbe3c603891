package dynorm

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"golang.org/x/sync/errgroup"
)

// reader runs a plan once.
type reader struct {
	db       *DB
	p        *plan
	op       string // the call, as named in the API
	pageSize int
	limit    int // items to give out, 0 for no bound
	given    int // items given out
	backward bool
	now      time.Time
	streams  []stream // one a branch, in reading order

	// slots bounds the requests in flight; tasks are the goroutines that send
	// them.
	slots chan struct{}
	tasks sync.WaitGroup
}

// stream reads the items of one branch, a page at a time and at most one page
// ahead.
type stream struct {
	r       *reader
	b       *branch
	n       int  // of the branch
	start   Item // where the next page starts
	started bool
	more    bool   // there may be another page
	items   []Item // read and not given out
	size    int    // items the last request evaluated at most
	ahead   chan fetched

	// first and last are the items given out at either end.
	first, last Item
}

// fetched is a page of one branch.
type fetched struct {
	items []Item
	count int
	last  Item // where the next page starts, nil at the end
	err   error
}

// reader returns a reader of the query's plan. atMost bounds the items further
// where it is not 0.
func (s *queryState) reader(p *plan, op string, atMost int) *reader {
	r := &reader{db: s.db, p: p, op: op, pageSize: s.opts.pageSize, limit: s.opts.limit, now: s.db.cfg.Clock()}
	if atMost > 0 && (r.limit == 0 || atMost < r.limit) {
		r.limit = atMost
	}
	return r
}

// open makes the streams, in reading order.
func (r *reader) open() {
	r.streams = make([]stream, len(r.p.branches))
	for i := range r.streams {
		n := i
		if r.backward && !r.p.merge {
			n = len(r.streams) - 1 - i
		}
		r.streams[i] = stream{r: r, b: &r.p.branches[n], n: n, more: true}
	}
}

// each gives out the items until yield wants no more.
func (r *reader) each(ctx context.Context, yield func(Item) (bool, error)) error {
	r.open()
	return r.run(ctx, func(st *stream) (bool, error) { return yield(st.pop()) })
}

// run offers each stream that has the next item until that is refused. No
// request is in flight when it returns.
func (r *reader) run(ctx context.Context, offer func(*stream) (bool, error)) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	switch r.p.kind {
	case "":
		return nil
	case OpGetItem, OpBatchGetItem:
		return r.runKeys(ctx, offer)
	}
	ctx, cancel := context.WithCancel(ctx)
	r.slots = make(chan struct{}, r.db.cfg.Concurrency)
	defer r.tasks.Wait()
	defer cancel()
	for r.limit == 0 || r.given < r.limit {
		st, err := r.next(ctx)
		if st == nil || err != nil {
			return err
		}
		if ok, err := offer(st); !ok || err != nil {
			return err
		}
	}
	return nil
}

// next returns the stream whose item comes next, nil at the end.
func (r *reader) next(ctx context.Context) (*stream, error) {
	if !r.p.merge {
		for i := range r.streams {
			if !r.streams[i].more && len(r.streams[i].items) == 0 {
				continue
			}
			if r.limit == 0 {
				for j := i + 1; j < min(i+cap(r.slots), len(r.streams)); j++ {
					r.streams[j].prefetchFirst(ctx)
				}
			}
			if ok, err := r.streams[i].fill(ctx); ok || err != nil {
				return &r.streams[i], err
			}
		}
		return nil, nil
	}
	for i := range r.streams {
		r.streams[i].prefetchFirst(ctx)
	}
	var best *stream
	for i := range r.streams {
		st := &r.streams[i]
		ok, err := st.fill(ctx)
		if err != nil {
			return nil, err
		}
		if ok && (best == nil || st.before(best)) {
			best = st
		}
	}
	return best, nil
}

// before reports whether the item of st goes before that of other.
func (st *stream) before(other *stream) bool {
	order := cmp.Or(cmp.Compare(st.sortText(), other.sortText()), cmp.Compare(st.n, other.n))
	if st.r.p.forward != st.r.backward {
		return order < 0
	}
	return order > 0
}

// sortText is what the next item of the stream is merged by.
func (st *stream) sortText() string {
	sk, _ := st.items[0][st.r.p.path.sk.attr].(*types.AttributeValueMemberS)
	if sk == nil || len(sk.Value) < st.b.cut {
		return ""
	}
	return sk.Value[st.b.cut:]
}

// pop gives out the next item.
func (st *stream) pop() Item {
	item := st.items[0]
	st.items = st.items[1:]
	if st.first == nil {
		st.first = item
	}
	st.last = item
	st.r.given++
	return item
}

// fill makes sure that there is an item where there are any left.
func (st *stream) fill(ctx context.Context) (ok bool, err error) {
	for len(st.items) == 0 && st.more {
		var page fetched
		if st.ahead != nil {
			page = <-st.ahead
			st.ahead = nil
		} else {
			page = st.fetch(ctx, st.pageLimit())
		}
		if page.err != nil {
			return false, page.err
		}
		st.started = true
		st.items, st.start, st.more = page.items, page.last, page.last != nil
		if st.more && st.r.wants(len(st.items)) {
			st.prefetch(ctx)
		}
	}
	return len(st.items) > 0, nil
}

// wants reports whether more items will be needed than are at hand.
func (r *reader) wants(atHand int) bool {
	if r.limit == 0 {
		return true
	}
	return len(r.streams) == 1 && r.limit-r.given > atHand
}

// prefetchFirst starts to read the first page.
func (st *stream) prefetchFirst(ctx context.Context) {
	if !st.started && st.more && st.ahead == nil {
		st.prefetch(ctx)
	}
}

// prefetch starts to read the next page.
func (st *stream) prefetch(ctx context.Context) {
	ahead := make(chan fetched, 1)
	st.ahead = ahead
	limit := st.pageLimit()
	st.r.tasks.Go(func() {
		select {
		case st.r.slots <- struct{}{}:
			ahead <- st.fetch(ctx, limit)
			<-st.r.slots
		case <-ctx.Done():
			ahead <- fetched{err: ctx.Err()}
		}
	})
}

// The sizes of requests that a filter thins out. They grow until a request
// reads as much as DynamoDB lets it, 1 MB.
const (
	firstFiltered = 25
	growFiltered  = 4
	mostFiltered  = 5000
)

// pageLimit is the number of items that the next request evaluates, 0 for as
// many as 1 MB holds.
func (st *stream) pageLimit() int32 {
	r, filtered := st.r, st.b.request.filter != ""
	left := r.limit - r.given
	switch {
	case r.pageSize > 0 && r.limit > 0 && !filtered:
		return int32(min(r.pageSize, left))
	case r.pageSize > 0:
		return int32(r.pageSize)
	case r.limit == 0:
		return 0
	case !filtered:
		return int32(left)
	case st.size == 0 && r.p.filtered:
		st.size = max(2*left, firstFiltered)
	case st.size == 0:
		// What is deleted or expired is rare.
		st.size = left + left/4 + 1
	default:
		st.size *= growFiltered
	}
	if st.size > mostFiltered {
		st.size = mostFiltered + 1
		return 0
	}
	return int32(st.size)
}

// fetch sends the request for a page from st.start on.
func (st *stream) fetch(ctx context.Context, limit int32) fetched {
	out, err := run[dynamodb.QueryOutput](ctx, st.r.db, st.r.operation(OpQuery, st.r.input(st.b, st.start, limit)))
	if err != nil {
		return fetched{err: err}
	}
	page := fetched{items: out.Items, count: int(out.Count)}
	if len(out.LastEvaluatedKey) > 0 {
		page.last = out.LastEvaluatedKey
	}
	return page
}

func (r *reader) operation(kind OpKind, input any) *Operation {
	return &Operation{Kind: kind, Name: r.op, Entity: r.p.e.def.Name, Index: r.p.path.index, Input: input}
}

// input is the request for a page of a branch.
func (r *reader) input(b *branch, start Item, limit int32) *dynamodb.QueryInput {
	q := &b.request
	in := &dynamodb.QueryInput{
		TableName:                 &r.db.table,
		KeyConditionExpression:    &q.key,
		ExpressionAttributeNames:  maps.Clone(q.names),
		ExpressionAttributeValues: q.valuesAt(r.now),
		ScanIndexForward:          aws.Bool(r.p.forward != r.backward),
		ExclusiveStartKey:         start,
	}
	if r.p.path.index != "" {
		in.IndexName = &r.p.path.index
	}
	if q.filter != "" {
		in.FilterExpression = &q.filter
	}
	if q.projection != "" {
		in.ProjectionExpression, in.ExpressionAttributeNames = &q.projection, maps.Clone(q.projectionNames)
	}
	if r.p.consistent {
		in.ConsistentRead = aws.Bool(true)
	}
	if limit > 0 {
		in.Limit = &limit
	}
	return in
}

// valuesAt returns the values of a request that is sent now. They are the
// request's own: an interceptor may change them.
func (q *branchRequest) valuesAt(now time.Time) map[string]types.AttributeValue {
	values := maps.Clone(q.values)
	if q.now != "" {
		values[q.now] = &types.AttributeValueMemberN{Value: strconv.FormatInt(now.Unix(), 10)}
	}
	return values
}

// runKeys reads items by their whole keys.
func (r *reader) runKeys(ctx context.Context, offer func(*stream) (bool, error)) error {
	keys := make([]Item, 0, len(r.streams))
	for i := range r.streams {
		if r.streams[i].more {
			keys = append(keys, r.streams[i].b.wholeKey(r.p))
		}
	}
	if len(keys) == 0 {
		return nil
	}
	items, err := r.readKeys(ctx, keys)
	if err != nil {
		return err
	}
	byKey := make(map[string]Item, len(items))
	for _, item := range items {
		byKey[r.p.e.keyID(item)] = item
	}
	if r.p.merge {
		slices.SortStableFunc(r.streams, func(a, b stream) int { return a.compareWhole(&b) })
	}
	for i := range r.streams {
		st := &r.streams[i]
		item := byKey[r.p.e.keyID(st.b.wholeKey(r.p))]
		if !st.more || item == nil || r.hides(item) {
			continue
		}
		if st.items = []Item{item}; r.limit > 0 && r.given == r.limit {
			break
		}
		if ok, err := offer(st); !ok || err != nil {
			return err
		}
	}
	return nil
}

// compareWhole orders streams of one item each, as before does.
func (st *stream) compareWhole(other *stream) int {
	order := cmp.Or(cmp.Compare(st.b.sk.low[st.b.cut:], other.b.sk.low[other.b.cut:]), cmp.Compare(st.n, other.n))
	if st.r.p.forward != st.r.backward {
		return order
	}
	return -order
}

// wholeKey is the primary key that a branch fixes.
func (b *branch) wholeKey(p *plan) Item {
	return Item{p.path.pk.attr: stringValue(b.pk), p.path.sk.attr: stringValue(b.sk.low)}
}

// readKeys reads items by their keys, in no order.
func (r *reader) readKeys(ctx context.Context, keys []Item) ([]Item, error) {
	q := &r.p.branches[0].request
	if r.p.kind == OpGetItem {
		in := &dynamodb.GetItemInput{TableName: &r.db.table, Key: keys[0], ConsistentRead: &r.p.consistent}
		if q.projection != "" {
			in.ProjectionExpression, in.ExpressionAttributeNames = &q.projection, maps.Clone(q.projectionNames)
		}
		out, err := run[dynamodb.GetItemOutput](ctx, r.db, r.operation(OpGetItem, in))
		if err != nil || len(out.Item) == 0 {
			return nil, err
		}
		return []Item{out.Item}, nil
	}
	how := types.KeysAndAttributes{ConsistentRead: &r.p.consistent}
	if q.projection != "" {
		how.ProjectionExpression, how.ExpressionAttributeNames = &q.projection, q.projectionNames
	}
	return r.db.batchGet(ctx, r.p.e, r.op, keys, how)
}

// count returns the number of items, at most the limit.
func (s *queryState) count(ctx context.Context, op string, atMost int) (int, error) {
	p, err := s.planned()
	if err != nil {
		return 0, err
	}
	r := s.reader(p, op, atMost)
	if p.kind != OpQuery {
		err := r.each(ctx, func(Item) (bool, error) { return true, nil })
		return r.given, err
	}
	if r.limit > 0 {
		return r.countSome(ctx)
	}
	r.open()
	counts := make([]int, len(r.streams))
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(r.db.cfg.Concurrency)
	for i := range r.streams {
		g.Go(func() error {
			var err error
			counts[i], err = r.streams[i].count(ctx)
			return err
		})
	}
	if err := g.Wait(); err != nil {
		return 0, err
	}
	for _, n := range counts {
		r.given += n
	}
	return r.given, nil
}

// countSome counts up to the limit, one branch after the other.
func (r *reader) countSome(ctx context.Context) (int, error) {
	r.open()
	for i := range r.streams {
		st := &r.streams[i]
		for st.more && r.given < r.limit {
			n, err := st.countPage(ctx)
			if err != nil {
				return 0, err
			}
			r.given += n
		}
	}
	return min(r.given, r.limit), nil
}

func (st *stream) count(ctx context.Context) (int, error) {
	sum := 0
	for st.more {
		n, err := st.countPage(ctx)
		if err != nil {
			return 0, err
		}
		sum += n
	}
	return sum, nil
}

func (st *stream) countPage(ctx context.Context) (int, error) {
	in := st.r.input(st.b, st.start, st.pageLimit())
	in.Select = types.SelectCount
	in.ProjectionExpression, in.ExpressionAttributeNames = nil, maps.Clone(st.b.request.names)
	out, err := run[dynamodb.QueryOutput](ctx, st.r.db, st.r.operation(OpQuery, in))
	if err != nil {
		return 0, err
	}
	st.start, st.more = out.LastEvaluatedKey, len(out.LastEvaluatedKey) > 0
	return int(out.Count), nil
}
