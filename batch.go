package dynorm

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"time"
	"unsafe"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"golang.org/x/sync/errgroup"
)

// Limits of one request: "BatchGetItem" and "BatchWriteItem" in the Amazon
// DynamoDB API Reference.
const (
	maxBatchGet   = 100
	maxBatchWrite = 25
)

// BatchError says what a batch left unwritten. Everything else was written.
type BatchError[T any] struct {
	// Left are the values that were not written, or not known to be, because the
	// batch ended. They can be given to the same call again.
	Left []*T
	// Failed are the values that were refused, each for a reason of its own:
	// an ErrExists, ErrUnique or ErrStaleVersion. They were not written.
	Failed []BatchFailure[T]
	// Err is what ended the batch or, where it went to its end, the first refusal.
	Err error
}

// BatchFailure is a value that a batch did not write.
type BatchFailure[T any] struct {
	Value *T
	Err   error
}

func (e *BatchError[T]) Error() string {
	if len(e.Failed) == 0 {
		return fmt.Sprintf("%d items left unprocessed: %v", len(e.Left), e.Err)
	}
	return fmt.Sprintf("%d items left unprocessed and %d refused: %v", len(e.Left), len(e.Failed), e.Err)
}

func (e *BatchError[T]) carries() {}

// Unwrap returns ErrUnprocessed and what ended the batch.
func (e *BatchError[T]) Unwrap() []error { return []error{ErrUnprocessed, e.Err} }

// UnreadError is a read of many keys that ended early.
type UnreadError struct {
	// Left are the keys, as they were given, for which no item was read. They can
	// be given to the same call again.
	Left []any
	// Err is what ended it.
	Err error

	places []int // of Left among the keys
}

func (e *UnreadError) Error() string {
	return fmt.Sprintf("%d keys left unread: %v", len(e.Left), e.Err)
}

func (e *UnreadError) carries() {}

// Unwrap returns ErrUnprocessed and what ended it.
func (e *UnreadError) Unwrap() []error { return []error{ErrUnprocessed, e.Err} }

// FindMany returns the items with the given keys, in their order; the place of
// a key without an item holds nil. A key is what [Model.Find] or [Model.Get]
// takes, or a slice of such keys. A key given twice is read once.
//
// It sends BatchGetItem requests of 100 keys, up to [Config.Concurrency] at a
// time, at the read units that the items would cost singly. Keys that come back
// unprocessed are asked for again, with growing pauses, until ctx ends. Where
// it ends early, the items read by then are returned with an [*UnreadError],
// which has the other keys.
//
// See "BatchGetItem" in the Amazon DynamoDB API Reference.
func (m Model[T]) FindMany(ctx context.Context, keys ...any) ([]*T, error) {
	list, err := model(m).readMany(ctx, "FindMany", keys, model.findMany)
	return listOf[T](list), err
}

// readMany reads the items of several keys.
func (m model) readMany(ctx context.Context, op string, keys []any, read func(model, context.Context, []any) ([]unsafe.Pointer, error)) (_ []unsafe.Pointer, err error) {
	ctx, tr := m.db.begin(ctx, op, m.e)
	defer tr.end(&err)
	if m.fault() != nil {
		return nil, opError(op, m.e, m.fault())
	}
	list, err := read(m, ctx, m.e.flatten(keys))
	return list, opError(op, m.e, err)
}

func (m model) findMany(ctx context.Context, keys []any) ([]unsafe.Pointer, error) {
	ids := make([]string, len(keys)) // the key of each place in the result
	var unique []Item
	seen := map[string]bool{}
	for i, key := range keys {
		k, err := m.e.keyArg(key)
		if err != nil {
			return nil, err
		}
		ids[i] = m.e.keyID(k)
		if !seen[ids[i]] {
			seen[ids[i]] = true
			unique = append(unique, k)
		}
	}
	how := types.KeysAndAttributes{ConsistentRead: &m.db.cfg.Consistent}
	rows, ended := m.db.batchGet(ctx, m.e, "FindMany", unique, how, m.read)
	byID, now, after := make(map[string]*row, len(rows)), m.db.cfg.Clock(), m.db.afterFind(ctx, m.e)
	for i := range rows {
		byID[rows[i].keyID(m.e)] = &rows[i]
	}
	list := make([]unsafe.Pointer, len(keys))
	var left []int
	for i, id := range ids {
		w := byID[id]
		switch {
		case w == nil:
			left = append(left, i)
		case !w.hidden(m.e, now):
			var err error
			if list[i], err = m.e.decodeRow(m.maker, w, after); err != nil {
				return nil, err
			}
		}
	}
	return list, leftUnread(keys, left, ended)
}

// leftUnread is the error of a read that ended with err before it had the keys at
// some places.
func leftUnread(keys []any, places []int, err error) error {
	if err == nil {
		return nil
	}
	ue := &UnreadError{Err: bare(err), places: places}
	for _, i := range places {
		ue.Left = append(ue.Left, keys[i])
	}
	return ue
}

// flatten replaces slices among keys by their elements.
func (e *entity) flatten(keys []any) []any {
	var flat []any
	for _, key := range keys {
		rv := reflect.ValueOf(key)
		if !rv.IsValid() || rv.Kind() != reflect.Slice || e.primary != nil && rv.Type() == e.primary.Type.Reflect {
			flat = append(flat, key)
			continue
		}
		for i := range rv.Len() {
			flat = append(flat, rv.Index(i).Interface())
		}
	}
	return flat
}

// keyID identifies the base key of an item within the process.
func (e *entity) keyID(item Item) string {
	pk, _ := item[e.pk.attr].(*types.AttributeValueMemberS)
	sk, _ := item[e.sk.attr].(*types.AttributeValueMemberS)
	if pk == nil || sk == nil {
		return ""
	}
	return pk.Value + "\x00" + sk.Value
}

// batchGet reads items by their keys, which differ, in no order. how says what
// to read of them. Where it fails it returns what it has read.
func (db *DB) batchGet(ctx context.Context, e *entity, op string, keys []Item, how types.KeysAndAttributes, read rowReader) ([]row, error) {
	chunks := chunk(keys, maxBatchGet)
	results := make([][]row, len(chunks))
	err := each(ctx, len(chunks), db.cfg.Concurrency, func(ctx context.Context, i int) error {
		left := chunks[i]
		for attempt, losses := 0, 0; len(left) > 0; attempt++ {
			if err := backoff(ctx, attempt); err != nil {
				return err
			}
			request := how
			request.Keys = left
			out, got, err := runRows(ctx, db, &Operation{
				Kind: OpBatchGetItem, Name: op, Entity: e.def.Name,
				Input: &dynamodb.BatchGetItemInput{RequestItems: map[string]types.KeysAndAttributes{
					db.table: request,
				}},
			}, batchGetItemMethod, read, func(out *dynamodb.BatchGetItemOutput) []Item { return out.Responses[db.table] })
			if passing(err, &losses) {
				continue // as if every key came back unprocessed
			}
			if err != nil {
				return err
			}
			results[i], losses = append(results[i], got...), 0
			if len(got) > 0 {
				attempt = 0
			}
			left = out.UnprocessedKeys[db.table].Keys
		}
		return nil
	})
	if len(results) == 1 {
		return results[0], err
	}
	return slices.Concat(results...), err
}

// each calls fn for 0 to n-1, up to limit at a time, and returns the first
// error, which ends the context of the others.
func each(ctx context.Context, n, limit int, fn func(ctx context.Context, i int) error) error {
	if n == 1 {
		return fn(ctx, 0) // a goroutine would have to grow its stack first
	}
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(limit)
	for i := range n {
		g.Go(func() error { return fn(ctx, i) })
	}
	return g.Wait()
}

// batchGetItems is batchGet for whole items.
func (db *DB) batchGetItems(ctx context.Context, e *entity, op string, keys []Item, how types.KeysAndAttributes) ([]Item, error) {
	rows, err := db.batchGet(ctx, e, op, keys, how, readRaw)
	items, rowErr := wholeRows(rows)
	if err == nil {
		err = rowErr
	}
	return items, err
}

// PutMany writes whole items, each in place of one with the same key, as
// [Model.Put] does, in batches. Of two values with one key the later stands. It
// is not atomic.
//
// It sends BatchWriteItem requests of 25 items, up to [Config.Concurrency] at a
// time, at the write units that the items would cost singly. Items that come
// back unprocessed, and requests that are throttled, are sent again with growing
// pauses until ctx ends. Batches know no conditions, so an entity with a version
// or a unique field goes through TransactWriteItems of up to 100 actions, each
// atomic by itself, at twice the write units ([Config.PlainBatches] refuses
// that); those with a unique field are read first, by BatchGetItem. Values are
// checked before the first request. What was not written is in the
// [*BatchError].
//
// See "BatchWriteItem" in the Amazon DynamoDB API Reference.
func (m Model[T]) PutMany(ctx context.Context, values ...*T) error {
	return model(m).writeMany(ctx, "PutMany", pointersOf(values), model.putMany)
}

func (m model) putMany(ctx context.Context, values []unsafe.Pointer) error {
	if m.e.plain() && !m.db.hooked(m.e, AfterSave) {
		return m.putPlain(ctx, values)
	}
	return m.transactMany(ctx, "PutMany", values, (*DB).planPut)
}

func (m model) putPlain(ctx context.Context, values []unsafe.Pointer) error {
	now := m.db.cfg.Clock()
	writes := make([]batchWrite, 0, len(values))
	undo := m.keepAll(values)
	a := arena{left: len(values)}
	for _, v := range values {
		err := m.db.runHooks(ctx, m.e, v, BeforeSave)
		if err == nil {
			err = m.db.stamp(m.e, v, now)
		}
		var (
			item content
			key  keyTexts
		)
		if err == nil {
			item, key, err = m.db.newRow(ctx, m.e, "Put", v, now, &a)
		}
		if err != nil {
			undo()
			return err
		}
		writes = append(writes, batchWrite{value: v, key: key.id, item: item})
	}
	return m.batchWriteAll(ctx, "PutMany", lastOfEach(writes))
}

// lastOfEach leaves one write for each key: the last, in the place of the first.
func lastOfEach(writes []batchWrite) []batchWrite {
	ascending := true
	for i := 1; i < len(writes) && ascending; i++ {
		ascending = writes[i-1].key < writes[i].key
	}
	if ascending {
		return writes
	}
	at := make(map[string]int, len(writes))
	list := writes[:0]
	for _, w := range writes {
		if i, ok := at[w.key]; ok {
			list[i] = w
			continue
		}
		at[w.key] = len(list)
		list = append(list, w)
	}
	return list
}

// CreateMany writes new items as [Model.Create] does. It is not atomic: a value
// whose key exists or whose unique value is taken is refused, with its reason in
// the [*BatchError], and the others are written.
//
// A batch knows no conditions, so it sends TransactWriteItems of up to 100
// actions, each atomic by itself, up to [Config.Concurrency] at a time, at twice
// the write units ([Config.PlainBatches] refuses that); one with refused values
// is sent again without them.
//
// See "Amazon DynamoDB Transactions: How it works" in the Amazon DynamoDB Developer Guide.
func (m Model[T]) CreateMany(ctx context.Context, values ...*T) error {
	return model(m).writeMany(ctx, "CreateMany", pointersOf(values), model.createMany)
}

func (m model) createMany(ctx context.Context, values []unsafe.Pointer) error {
	return m.transactMany(ctx, "CreateMany", values, (*DB).planCreate)
}

// DeleteMany deletes the items whose key fields are those of the values, as
// [Model.Delete] does. Deleting what is not there is no error. It is not atomic,
// works and costs as PutMany; an entity with soft deletes goes through
// transactions too.
//
// See "BatchWriteItem" in the Amazon DynamoDB API Reference.
func (m Model[T]) DeleteMany(ctx context.Context, values ...*T) error {
	return model(m).writeMany(ctx, "DeleteMany", pointersOf(values), model.deleteMany)
}

func (m model) deleteMany(ctx context.Context, values []unsafe.Pointer) error {
	if !m.e.plain() || m.e.deletedAttr != "" || m.db.hooked(m.e, BeforeDelete, AfterDelete) {
		return m.transactMany(ctx, "DeleteMany", values, func(db *DB, ctx context.Context, e *entity, v unsafe.Pointer) (*mutation, error) {
			return db.planDelete(ctx, e, e.valueAt(v))
		})
	}
	seen := map[string]bool{}
	var writes []batchWrite
	for _, v := range values {
		k, err := m.e.baseKey(v)
		if err != nil {
			return err
		}
		w := batchWrite{value: v, key: m.e.keyID(k), delete: k}
		if !seen[w.key] {
			seen[w.key] = true
			writes = append(writes, w)
		}
	}
	return m.batchWriteAll(ctx, "DeleteMany", writes)
}

func (m model) writeMany(ctx context.Context, op string, values []unsafe.Pointer, write func(model, context.Context, []unsafe.Pointer) error) (err error) {
	ctx, tr := m.db.begin(ctx, op, m.e)
	defer tr.end(&err)
	err = m.fault()
	if err == nil && slices.Contains(values, nil) {
		err = faultf(ErrInvalid, "one of the values is nil")
	}
	if err == nil {
		err = write(m, ctx, values)
	}
	return opError(op, m.e, err)
}

// plain reports whether a batch can keep the entity's rules.
func (e *entity) plain() bool { return e.versionAttr == "" && len(e.uniques) == 0 }

// batchFault is a [BatchError] of values without their type.
type batchFault struct {
	left   []unsafe.Pointer
	failed []batchFailure
	err    error
}

type batchFailure struct {
	value unsafe.Pointer
	err   error
}

// batchWrite is one write of a batch and the value it stands for.
type batchWrite struct {
	value  unsafe.Pointer
	key    string
	item   content // of a put
	delete Item    // of a deletion, its key
}

// request is the write as part of a BatchWriteItem, to which an item that goes
// straight is added.
func (w *batchWrite) request(items *straightItems) types.WriteRequest {
	if w.delete != nil {
		return types.WriteRequest{DeleteRequest: &types.DeleteRequest{Key: w.delete}}
	}
	if w.item.raw != nil {
		items.add(w.item)
		return straightPut
	}
	return types.WriteRequest{PutRequest: &types.PutRequest{Item: w.item.item}}
}

func (m model) batchWriteAll(ctx context.Context, op string, writes []batchWrite) error {
	chunks := chunk(writes, maxBatchWrite)
	left := make([][]unsafe.Pointer, len(chunks))
	errs := make([]error, len(chunks))
	_ = each(ctx, len(chunks), m.db.cfg.Concurrency, func(_ context.Context, i int) error {
		left[i], errs[i] = m.batchWriteChunk(ctx, op, chunks[i])
		return nil // one chunk's fault does not keep the others from being written
	})
	if err := firstError(errs); err != nil {
		return m.maker.batchError(&batchFault{left: slices.Concat(left...), err: err})
	}
	return nil
}

// batchWriteChunk sends one chunk and returns the values that are not known to
// be written where that fails.
func (m model) batchWriteChunk(ctx context.Context, op string, chunk []batchWrite) ([]unsafe.Pointer, error) {
	items := make(straightItems, 0, len(chunk))
	requests := make([]types.WriteRequest, len(chunk))
	for i := range chunk {
		requests[i] = chunk[i].request(&items)
	}
	unprocessed, err := m.db.batchWrite(ctx, m.e, op, requests, items)
	if err == nil {
		return nil, nil
	}
	var left []unsafe.Pointer
	for i := range chunk {
		if w := &chunk[i]; unprocessed == nil || unprocessed[w.key] {
			left = append(left, w.value)
		}
	}
	return left, err
}

func firstError(errs []error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// maxLosses bounds how often a batch sends a request again that the SDK gave up
// on without an answer, with no answer in between.
const maxLosses = 10

// passing reports whether the request of a batch that failed is sent again, as
// if all of it came back unprocessed: a throttled one until ctx ends, one without
// an answer a few times. What batches do can be done twice.
func passing(err error, losses *int) bool {
	if errors.Is(err, ErrThrottled) {
		return true
	}
	r, ok := errors.AsType[interface {
		error
		HTTPStatusCode() int
	}](err)
	if !ok || r.HTTPStatusCode() != 0 && r.HTTPStatusCode() < 500 {
		return false
	}
	*losses++
	return *losses <= maxLosses
}

// batchWrite sends one chunk until nothing is unprocessed. Where that fails it
// returns the keys that were unprocessed at last, nil for all of them.
func (db *DB) batchWrite(ctx context.Context, e *entity, op string, requests []types.WriteRequest, items straightItems) (left map[string]bool, err error) {
	for attempt, losses := 0, 0; len(requests) > 0; attempt++ {
		if err := backoff(ctx, attempt); err != nil {
			return left, err
		}
		out, err := run(ctx, db, &Operation{
			Kind: OpBatchWriteItem, Name: op, Entity: e.def.Name,
			Input: &dynamodb.BatchWriteItemInput{RequestItems: map[string][]types.WriteRequest{db.table: requests}},
			call:  wireCall{straight: items},
		}, batchWriteItemMethod)
		if passing(err, &losses) {
			continue // as if every write came back unprocessed
		}
		if err != nil {
			return left, err
		}
		losses = 0
		unprocessed := out.UnprocessedItems[db.table]
		if len(unprocessed) < len(requests) {
			attempt = 0
		}
		left = make(map[string]bool, len(unprocessed))
		for _, r := range unprocessed {
			if r.PutRequest != nil {
				left[e.keyID(r.PutRequest.Item)] = true
			} else {
				left[e.keyID(r.DeleteRequest.Key)] = true
			}
		}
		requests, items = unprocessed, nil // these are whole
	}
	return nil, nil
}

// chunk cuts a slice into pieces of at most n.
func chunk[E any](s []E, n int) [][]E {
	var chunks [][]E
	for len(s) > n {
		chunks = append(chunks, s[:n:n])
		s = s[n:]
	}
	if len(s) > 0 {
		chunks = append(chunks, s)
	}
	return chunks
}

// backoff waits before a repeated attempt: a random time up to 25 ms doubled
// with each attempt, at most 5 s. The first attempt does not wait.
func backoff(ctx context.Context, attempt int) error {
	if attempt == 0 {
		return ctx.Err()
	}
	limit := min(25*time.Millisecond<<min(attempt, 8), 5*time.Second)
	return sleep(ctx, rand.N(limit))
}
