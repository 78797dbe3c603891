package dynorm

import (
	"context"
	"errors"
	"math/rand/v2"
	"reflect"
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

// BatchError says which items a batch left unwritten. They can be given to the
// same call again.
type BatchError[T any] struct {
	// Left are the values that were not written, or not known to be.
	Left []*T
	// Err is what ended the batch.
	Err error
}

func (e *BatchError[T]) Error() string { return "items left unprocessed: " + e.Err.Error() }

// Unwrap returns ErrUnprocessed and what ended the batch.
func (e *BatchError[T]) Unwrap() []error { return []error{ErrUnprocessed, e.Err} }

// FindMany returns the items with the given keys, in their order; the place of
// a key without an item holds nil. A key is what [Model.Find] or [Model.Get]
// takes, or a slice of such keys. A key given twice is read once.
//
// It sends BatchGetItem requests of 100 keys, up to [Config.Concurrency] at a
// time, at the read units that the items would cost singly. Keys that come back
// unprocessed are asked for again, with growing pauses, until ctx ends.
func (m Model[T]) FindMany(ctx context.Context, keys ...any) ([]*T, error) {
	if m.err != nil {
		return nil, opError("FindMany", m.e, m.err)
	}
	list, err := m.findMany(ctx, keys)
	return list, opError("FindMany", m.e, err)
}

func (m Model[T]) findMany(ctx context.Context, keys []any) ([]*T, error) {
	keys = m.e.flatten(keys)
	ids := make([]string, len(keys)) // the key of each place in the result
	var unique []Item
	seen := map[string]bool{}
	for i, key := range keys {
		k, _, err := m.e.keyArg(key)
		if err != nil {
			return nil, err
		}
		ids[i] = m.e.keyID(k)
		if !seen[ids[i]] {
			seen[ids[i]] = true
			unique = append(unique, k)
		}
	}
	items, err := m.db.batchGet(ctx, m.e, "FindMany", unique, types.KeysAndAttributes{ConsistentRead: &m.db.cfg.Consistent})
	if err != nil {
		return nil, err
	}
	byID, now := make(map[string]Item, len(items)), m.db.cfg.Clock()
	for _, item := range items {
		if !m.e.hidden(item, now) {
			byID[m.e.keyID(item)] = item
		}
	}
	list := make([]*T, len(keys))
	for i, id := range ids {
		if item := byID[id]; item != nil {
			if list[i], err = decodeNew[T](m.e, item); err != nil {
				return nil, err
			}
		}
	}
	return list, nil
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
// to read of them.
func (db *DB) batchGet(ctx context.Context, e *entity, op string, keys []Item, how types.KeysAndAttributes) ([]Item, error) {
	chunks := chunk(keys, maxBatchGet)
	results := make([][]Item, len(chunks))
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(db.cfg.Concurrency)
	for i, left := range chunks {
		g.Go(func() error {
			for attempt := 0; len(left) > 0; attempt++ {
				if err := backoff(ctx, attempt); err != nil {
					return err
				}
				request := how
				request.Keys = left
				out, err := run[dynamodb.BatchGetItemOutput](ctx, db, &Operation{
					Kind: OpBatchGetItem, Name: op, Entity: e.def.Name,
					Input: &dynamodb.BatchGetItemInput{RequestItems: map[string]types.KeysAndAttributes{
						db.table: request,
					}},
				})
				if err != nil {
					return err
				}
				got := out.Responses[db.table]
				results[i] = append(results[i], got...)
				if len(got) > 0 {
					attempt = 0
				}
				left = out.UnprocessedKeys[db.table].Keys
			}
			return nil
		})
	}
	if err := g.Wait(); err != nil {
		return nil, err
	}
	var items []Item
	for _, r := range results {
		items = append(items, r...)
	}
	return items, nil
}

// PutMany writes whole items, each in place of one with the same key, as
// [Model.Put] does, in batches. Of two values with one key the later stands.
// Batches know no conditions, so an entity with a version or a unique field is
// refused.
//
// It sends BatchWriteItem requests of 25 items, up to [Config.Concurrency] at a
// time, at the write units that the items would cost singly. Items that come
// back unprocessed are sent again, with growing pauses, until ctx ends. What
// was not written is in the [*BatchError]; values are checked before the first
// request.
func (m Model[T]) PutMany(ctx context.Context, values ...*T) error {
	if m.err != nil {
		return opError("PutMany", m.e, m.err)
	}
	return opError("PutMany", m.e, m.putMany(ctx, values))
}

func (m Model[T]) putMany(ctx context.Context, values []*T) error {
	if err := m.e.checkBatch(); err != nil {
		return err
	}
	now := m.db.cfg.Clock()
	at := make(map[string]int, len(values)) // key to place in writes
	var writes []batchWrite[T]
	for _, v := range values {
		if v == nil {
			return faultf(ErrInvalid, "one of the values is nil")
		}
		before := *v
		err := m.db.stamp(m.e, unsafe.Pointer(v), now)
		var item Item
		if err == nil {
			item, err = m.e.encode(unsafe.Pointer(v), now, true)
		}
		if err != nil {
			*v = before
			return err
		}
		w := batchWrite[T]{value: v, key: m.e.keyID(item), request: types.WriteRequest{PutRequest: &types.PutRequest{Item: item}}}
		if i, ok := at[w.key]; ok {
			writes[i] = w
			continue
		}
		at[w.key] = len(writes)
		writes = append(writes, w)
	}
	return batchWriteAll(ctx, m, "PutMany", writes)
}

// DeleteMany deletes the items whose key fields are those of the values.
// Deleting what is not there is no
// error. Entities with a unique field or soft deletes are refused. It costs what
// PutMany costs; what was not deleted is in the [*BatchError].
func (m Model[T]) DeleteMany(ctx context.Context, values ...*T) error {
	if m.err != nil {
		return opError("DeleteMany", m.e, m.err)
	}
	return opError("DeleteMany", m.e, m.deleteMany(ctx, values))
}

func (m Model[T]) deleteMany(ctx context.Context, values []*T) error {
	if err := m.e.checkBatch(); err != nil {
		return err
	}
	if m.e.deletedAttr != "" {
		return faultf(ErrInvalid, "a batch can't delete softly: delete the values one by one, or by a query")
	}
	seen := map[string]bool{}
	var writes []batchWrite[T]
	for _, v := range values {
		if v == nil {
			return faultf(ErrInvalid, "one of the values is nil")
		}
		k, err := m.e.baseKey(unsafe.Pointer(v))
		if err != nil {
			return err
		}
		w := batchWrite[T]{value: v, key: m.e.keyID(k), request: types.WriteRequest{DeleteRequest: &types.DeleteRequest{Key: k}}}
		if !seen[w.key] {
			seen[w.key] = true
			writes = append(writes, w)
		}
	}
	return batchWriteAll(ctx, m, "DeleteMany", writes)
}

// checkBatch refuses entities whose rules a batch can't keep.
func (e *entity) checkBatch() error {
	if e.versionAttr != "" {
		return faultf(ErrInvalid, "a batch can't check versions: write the values one by one")
	}
	if len(e.uniques) > 0 {
		return faultf(ErrInvalid, "a batch can't keep values unique: write the values one by one")
	}
	return nil
}

// batchWrite is one write of a batch and the value it stands for.
type batchWrite[T any] struct {
	value   *T
	key     string
	request types.WriteRequest
}

func batchWriteAll[T any](ctx context.Context, m Model[T], op string, writes []batchWrite[T]) error {
	chunks := chunk(writes, maxBatchWrite)
	left := make([]map[string]bool, len(chunks)) // keys not known to be written
	var g errgroup.Group
	g.SetLimit(m.db.cfg.Concurrency)
	errs := make([]error, len(chunks))
	for i, c := range chunks {
		left[i] = map[string]bool{}
		requests := make([]types.WriteRequest, len(c))
		for j, w := range c {
			left[i][w.key] = true
			requests[j] = w.request
		}
		g.Go(func() error {
			errs[i] = m.db.batchWrite(ctx, m.e, op, requests, left[i])
			return nil
		})
	}
	_ = g.Wait() // the errors are in errs
	err := errors.Join(errs...)
	if err == nil {
		return nil
	}
	be := &BatchError[T]{Err: firstError(errs)}
	for i, c := range chunks {
		for _, w := range c {
			if left[i][w.key] {
				be.Left = append(be.Left, w.value)
			}
		}
	}
	return be
}

func firstError(errs []error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// batchWrite sends one chunk until nothing is unprocessed, taking what was
// written out of left.
func (db *DB) batchWrite(ctx context.Context, e *entity, op string, requests []types.WriteRequest, left map[string]bool) error {
	for attempt := 0; len(requests) > 0; attempt++ {
		if err := backoff(ctx, attempt); err != nil {
			return err
		}
		out, err := run[dynamodb.BatchWriteItemOutput](ctx, db, &Operation{
			Kind: OpBatchWriteItem, Name: op, Entity: e.def.Name,
			Input: &dynamodb.BatchWriteItemInput{RequestItems: map[string][]types.WriteRequest{db.table: requests}},
		})
		if err != nil {
			return err
		}
		unprocessed := out.UnprocessedItems[db.table]
		if len(unprocessed) < len(requests) {
			attempt = 0
		}
		clear(left)
		for _, r := range unprocessed {
			if r.PutRequest != nil {
				left[e.keyID(r.PutRequest.Item)] = true
			} else {
				left[e.keyID(r.DeleteRequest.Key)] = true
			}
		}
		requests = unprocessed
	}
	return nil
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
