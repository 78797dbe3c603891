package dynorm

import (
	"bytes"
	"context"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/dynorm/dynorm/internal/codec"
)

// Cache keeps items by their keys, between the library and the table. Reads of
// whole items by key go through it: Find, Get and FindMany, queries that fix the
// whole key, and [Query.Hydrate]. Strongly consistent reads never do, so that a
// DB with [Config.Consistent] has no use for it; nor do queries of a partition,
// scans and transactions. Every write of an item drops its entry, on whatever
// path, once the table has answered.
//
// An entry is the item in DynamoDB's JSON as the table holds it: with the prefix
// of a tenant in its keys and with encrypted fields as ciphertext. It must not
// be changed. What is not in the cache is read strongly consistent, so that a
// replica that lags behind does not bring back what a write has dropped.
//
// A write from elsewhere, or one whose process dies before it drops the entry,
// shows once the entry's time is up, which is the Cache's to set. It must be
// safe for concurrent use.
type Cache interface {
	// Load returns the entries of the keys. Those it lacks it gets from load,
	// once for all who ask at the same time if it likes; a key that is not in
	// the result of load has no item. What load returned is not to be kept for a
	// key that was invalidated after load began. The result lacks the keys
	// without an item. The error is that of load.
	Load(ctx context.Context, keys []CacheKey, load CacheLoad) (map[CacheKey][]byte, error)
	// Invalidate drops entries. It has no error: where the entries can't be
	// reached, the Cache must see to it that they are not given out.
	Invalidate(ctx context.Context, keys ...CacheKey)
}

// CacheLoad reads the items of keys from the table. It is safe for concurrent
// use and may be called for some of the keys only.
type CacheLoad func(ctx context.Context, keys []CacheKey) (map[CacheKey][]byte, error)

// CacheKey is the key of an item as it is stored: with the prefix of a tenant.
type CacheKey struct{ Table, PK, SK string }

// cached answers an operation from the cache where it may, and drops what it
// writes.
func (db *DB) cached(ctx context.Context, op *Operation) (*Result, error) {
	if db.cfg.Cache == nil {
		return db.traced(ctx, op)
	}
	if res, ok, err := op.method.cached(ctx, db, op); ok {
		return res, err
	}
	res, err := db.traced(ctx, op)
	var keys []CacheKey
	op.method.written(op.Input, func(table *string, item Item) {
		if key, ok := db.cacheKey(table, item); ok {
			keys = append(keys, key)
		}
	})
	if len(keys) > 0 {
		// Also after an error: the write may have been done.
		db.cfg.Cache.Invalidate(context.WithoutCancel(ctx), keys...)
	}
	return res, err
}

func isTrue(b *bool) bool { return b != nil && *b }

func (db *DB) cacheKey(table *string, item Item) (CacheKey, bool) {
	pk, _ := item[db.schema.cfg.PK].(*types.AttributeValueMemberS)
	sk, _ := item[db.schema.cfg.SK].(*types.AttributeValueMemberS)
	if table == nil || pk == nil || sk == nil {
		return CacheKey{}, false
	}
	return CacheKey{*table, pk.Value, sk.Value}, true
}

// batchKeys lists the keys of a batch of one table that the cache may answer.
func (db *DB) batchKeys(in *dynamodb.BatchGetItemInput) (keys []CacheKey, ok bool) {
	if len(in.RequestItems) != 1 {
		return nil, false
	}
	for table, how := range in.RequestItems {
		if how.ProjectionExpression != nil || how.AttributesToGet != nil || isTrue(how.ConsistentRead) {
			return nil, false
		}
		for _, k := range how.Keys {
			key, ok := db.cacheKey(&table, k)
			if !ok {
				return nil, false
			}
			keys = append(keys, key)
		}
	}
	return keys, true
}

// batchWritten lists the items that a batch writes.
func batchWritten(in *dynamodb.BatchWriteItemInput, add func(table *string, item Item)) {
	for table, writes := range in.RequestItems {
		for _, w := range writes {
			if w.PutRequest != nil {
				add(&table, w.PutRequest.Item)
			}
			if w.DeleteRequest != nil {
				add(&table, w.DeleteRequest.Key)
			}
		}
	}
}

// transactWritten lists the items that a transaction writes.
func transactWritten(in *dynamodb.TransactWriteItemsInput, add func(table *string, item Item)) {
	for _, w := range in.TransactItems {
		switch {
		case w.Put != nil:
			add(w.Put.TableName, w.Put.Item)
		case w.Update != nil:
			add(w.Update.TableName, w.Update.Key)
		case w.Delete != nil:
			add(w.Delete.TableName, w.Delete.Key)
		}
	}
}

// cachedItem answers a GetItem of a whole item.
func (db *DB) cachedItem(ctx context.Context, op *Operation, in *dynamodb.GetItemInput) (_ *Result, ok bool, _ error) {
	if in.ProjectionExpression != nil || in.AttributesToGet != nil || isTrue(in.ConsistentRead) {
		return nil, false, nil
	}
	key, ok := db.cacheKey(in.TableName, in.Key)
	if !ok {
		return nil, false, nil
	}
	found, err := db.cfg.Cache.Load(ctx, []CacheKey{key}, func(ctx context.Context, keys []CacheKey) (map[CacheKey][]byte, error) {
		if len(keys) == 0 {
			return nil, nil
		}
		sent := *op
		sent.Input = op.method.copyOf(op.Input)
		sent.Input.(*dynamodb.GetItemInput).ConsistentRead = new(true)
		if op.call.read != nil {
			sent.call.read = readRaw
		}
		res, err := db.traced(ctx, &sent)
		if err != nil {
			return nil, err
		}
		rows := res.rows
		if op.call.read == nil {
			rows = rowsOf([]Item{res.Output.(*dynamodb.GetItemOutput).Item})
		}
		return db.entries(key.Table, rows), nil
	})
	if err != nil {
		return nil, true, err
	}
	items, rows, err := answer(op, []CacheKey{key}, found)
	if err != nil {
		return nil, true, err
	}
	out := op.method.newOutput()
	if len(items) > 0 {
		out.(*dynamodb.GetItemOutput).Item = items[0]
	}
	return &Result{Output: out, rows: rows}, true, nil
}

// cachedItems answers a BatchGetItem of whole items.
func (db *DB) cachedItems(ctx context.Context, op *Operation, in *dynamodb.BatchGetItemInput) (_ *Result, ok bool, _ error) {
	keys, ok := db.batchKeys(in)
	if !ok {
		return nil, false, nil
	}
	found, err := db.cfg.Cache.Load(ctx, keys, func(ctx context.Context, keys []CacheKey) (map[CacheKey][]byte, error) {
		return db.loadBatch(ctx, op, keys)
	})
	if err != nil {
		return nil, true, err
	}
	items, rows, err := answer(op, keys, found)
	if err != nil {
		return nil, true, err
	}
	out := op.method.newOutput()
	if len(keys) > 0 {
		out.(*dynamodb.BatchGetItemOutput).Responses = map[string][]Item{keys[0].Table: items}
	}
	return &Result{Output: out, rows: rows}, true, nil
}

// loadBatch reads the items of some keys of a batch, those that come back
// unprocessed again: of what was not read nobody knows that it is not there.
func (db *DB) loadBatch(ctx context.Context, op *Operation, keys []CacheKey) (map[CacheKey][]byte, error) {
	found := make(map[CacheKey][]byte, len(keys))
	if len(keys) == 0 {
		return found, nil
	}
	table := keys[0].Table
	left := make([]Item, len(keys))
	for i, key := range keys {
		left[i] = Item{db.schema.cfg.PK: stringValue(key.PK), db.schema.cfg.SK: stringValue(key.SK)}
	}
	for attempt := 0; len(left) > 0; attempt++ {
		if err := backoff(ctx, attempt); err != nil {
			return nil, err
		}
		sent := *op
		sent.Input = op.method.copyOf(op.Input)
		sent.Input.(*dynamodb.BatchGetItemInput).RequestItems = map[string]types.KeysAndAttributes{table: {Keys: left, ConsistentRead: new(true)}}
		if op.call.read != nil {
			sent.call.read = readRaw
		}
		res, err := db.traced(ctx, &sent)
		if err != nil {
			return nil, err
		}
		out := res.Output.(*dynamodb.BatchGetItemOutput)
		rows := res.rows
		if op.call.read == nil {
			rows = rowsOf(out.Responses[table])
		}
		for key, entry := range db.entries(table, rows) {
			found[key], attempt = entry, 0
		}
		left = out.UnprocessedKeys[table].Keys
	}
	return found, nil
}

// entries makes entries of items that were read.
func (db *DB) entries(table string, rows []row) map[CacheKey][]byte {
	entries := make(map[CacheKey][]byte, len(rows))
	for i := range rows {
		w := &rows[i]
		if w.empty() {
			continue
		}
		key, ok := db.cacheKey(&table, w.pick(db.schema.cfg.PK, db.schema.cfg.SK))
		if !ok {
			continue
		}
		if w.raw != nil {
			entries[key] = bytes.Clone(w.raw) // the rest of the response need not stay
		} else {
			entries[key] = codec.AppendAttributes(nil, w.item)
		}
	}
	return entries
}

// answer reads entries as the operation wants its items, in the order of keys.
func answer(op *Operation, keys []CacheKey, found map[CacheKey][]byte) (items []Item, rows []row, err error) {
	for _, key := range keys {
		entry, ok := found[key]
		if !ok {
			continue
		}
		r := codec.NewReader(entry)
		if op.call.read != nil {
			var w row
			w, err = op.call.read(r)
			rows = append(rows, w)
		} else {
			var item Item
			item, err = r.Attributes()
			items = append(items, item)
		}
		r.Release()
		if err != nil {
			return nil, nil, faultf(ErrValue, "an entry of the cache is damaged: %w", err)
		}
	}
	return items, rows, nil
}
