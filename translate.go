package dynorm

import (
	"context"
	"errors"
	"maps"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/dynorm/dynorm/internal/expr"
)

// translation turns an operation as callers know it, of keys without a tenant's
// prefix and of fields in the clear, into that which the table is sent, and the
// answer back. It is the one place where a Scope and a Cipher work. What it is
// given it leaves as it is.
type translation struct {
	db     *DB
	e      *entity  // of the operation, nil where several or none take part
	writes []*write // of a transaction
	scan   bool
	prefix string
	table  string // the name that the tenant's table has
}

// translates reports whether operations differ from what the table is sent.
func (db *DB) translates() bool { return db.cfg.Scope != nil || db.schema.encrypts }

// translated sends an operation in the table's terms.
func (db *DB) translated(ctx context.Context, op *Operation) (*Result, error) {
	tenant, err := db.tenant(ctx)
	if err != nil {
		return nil, err
	}
	t := &translation{
		db: db, e: db.schema.byName[op.Entity], writes: op.writes, scan: op.Kind == OpScan,
		prefix: tenant.Prefix, table: orDefault(tenant.Table, db.table),
	}
	sent := *op
	sent.Input = op.method.copyOf(op.Input)
	if err = op.method.translate(ctx, t, sent.Input); err != nil {
		return nil, err
	}
	res, err := db.cached(ctx, &sent)
	if err != nil {
		return nil, t.failure(ctx, err)
	}
	err = op.method.translateBack(ctx, t, res.Output)
	return &Result{Output: res.Output}, err
}

// exprs starts the translation of what a request says of items.
func (t *translation) exprs() *exprs { return &exprs{t: t, e: t.e} }

func (t *translation) getItemInput(_ context.Context, in *dynamodb.GetItemInput) (err error) {
	in.Key, err = t.key(in.Key)
	return err
}

func (t *translation) putItemInput(ctx context.Context, in *dynamodb.PutItemInput) (err error) {
	x := t.exprs()
	in.Item, err = x.put(ctx, in.Item)
	x.condition(ctx, in.ConditionExpression, &in.ExpressionAttributeNames, &in.ExpressionAttributeValues, &err)
	return err
}

func (t *translation) updateItemInput(ctx context.Context, in *dynamodb.UpdateItemInput) (err error) {
	x := t.exprs()
	in.Key, err = x.at(in.Key)
	x.update(ctx, in.UpdateExpression, in.ConditionExpression, &in.ExpressionAttributeNames, &in.ExpressionAttributeValues, &err)
	return err
}

func (t *translation) deleteItemInput(ctx context.Context, in *dynamodb.DeleteItemInput) (err error) {
	x := t.exprs()
	in.Key, err = x.at(in.Key)
	x.condition(ctx, in.ConditionExpression, &in.ExpressionAttributeNames, &in.ExpressionAttributeValues, &err)
	return err
}

func (t *translation) queryInput(ctx context.Context, in *dynamodb.QueryInput) (err error) {
	x := t.exprs()
	if err := t.checkIndex(in.IndexName); err != nil {
		return err
	}
	in.ExclusiveStartKey, err = t.key(in.ExclusiveStartKey)
	x.condition(ctx, in.KeyConditionExpression, &in.ExpressionAttributeNames, &in.ExpressionAttributeValues, &err)
	x.condition(ctx, in.FilterExpression, &in.ExpressionAttributeNames, &in.ExpressionAttributeValues, &err)
	return err
}

func (t *translation) scanInput(ctx context.Context, in *dynamodb.ScanInput) (err error) {
	x := t.exprs()
	in.ExclusiveStartKey, err = t.key(in.ExclusiveStartKey)
	x.condition(ctx, in.FilterExpression, &in.ExpressionAttributeNames, &in.ExpressionAttributeValues, &err)
	t.scanOwn(in)
	return err
}

func (t *translation) batchGetItemInput(_ context.Context, in *dynamodb.BatchGetItemInput) (err error) {
	in.RequestItems, err = translateTables(in.RequestItems, t.tableKey, func(k types.KeysAndAttributes) (types.KeysAndAttributes, error) {
		k.Keys, err = translateEach(k.Keys, t.key)
		return k, err
	})
	return err
}

func (t *translation) batchWriteItemInput(ctx context.Context, in *dynamodb.BatchWriteItemInput) (err error) {
	x := t.exprs()
	in.RequestItems, err = translateTables(in.RequestItems, t.tableKey, func(list []types.WriteRequest) ([]types.WriteRequest, error) {
		return translateEach(list, func(w types.WriteRequest) (types.WriteRequest, error) {
			return batched(w, func(item Item) (Item, error) { return x.put(ctx, item) }, t.key)
		})
	})
	return err
}

func (t *translation) transactGetItemsInput(_ context.Context, in *dynamodb.TransactGetItemsInput) (err error) {
	in.TransactItems, err = translateEach(in.TransactItems, func(g types.TransactGetItem) (types.TransactGetItem, error) {
		if g.Get != nil {
			g.Get = new(*g.Get)
			g.Get.TableName = t.tableName(g.Get.TableName)
			g.Get.Key, err = t.key(g.Get.Key)
		}
		return g, err
	})
	return err
}

func (t *translation) transactWriteItemsInput(ctx context.Context, in *dynamodb.TransactWriteItemsInput) (err error) {
	in.TransactItems, err = translateEach(in.TransactItems, func(w types.TransactWriteItem) (types.TransactWriteItem, error) {
		return t.transacted(ctx, w)
	})
	return err
}

// transacted translates an action of a transaction.
func (t *translation) transacted(ctx context.Context, w types.TransactWriteItem) (_ types.TransactWriteItem, err error) {
	x := &exprs{t: t}
	switch {
	case w.Put != nil:
		a := new(*w.Put)
		w.Put = a
		a.TableName = t.tableName(a.TableName)
		a.Item, err = x.put(ctx, a.Item)
		x.condition(ctx, a.ConditionExpression, &a.ExpressionAttributeNames, &a.ExpressionAttributeValues, &err)
	case w.Update != nil:
		a := new(*w.Update)
		w.Update = a
		a.TableName = t.tableName(a.TableName)
		a.Key, err = x.at(a.Key)
		x.update(ctx, a.UpdateExpression, a.ConditionExpression, &a.ExpressionAttributeNames, &a.ExpressionAttributeValues, &err)
	case w.Delete != nil:
		a := new(*w.Delete)
		w.Delete = a
		a.TableName = t.tableName(a.TableName)
		a.Key, err = x.at(a.Key)
		x.condition(ctx, a.ConditionExpression, &a.ExpressionAttributeNames, &a.ExpressionAttributeValues, &err)
	case w.ConditionCheck != nil:
		a := new(*w.ConditionCheck)
		w.ConditionCheck = a
		a.TableName = t.tableName(a.TableName)
		a.Key, err = x.at(a.Key)
		x.condition(ctx, a.ConditionExpression, &a.ExpressionAttributeNames, &a.ExpressionAttributeValues, &err)
	}
	return w, err
}

// batched translates a write of a batch.
func batched(w types.WriteRequest, item, key func(Item) (Item, error)) (_ types.WriteRequest, err error) {
	if w.PutRequest != nil {
		w.PutRequest = new(*w.PutRequest)
		if w.PutRequest.Item, err = item(w.PutRequest.Item); err != nil {
			return w, err
		}
	}
	if w.DeleteRequest != nil {
		w.DeleteRequest = new(*w.DeleteRequest)
		w.DeleteRequest.Key, err = key(w.DeleteRequest.Key)
	}
	return w, err
}

// opener is open as a function of the item alone.
func (t *translation) opener(ctx context.Context) func(Item) (Item, error) {
	return func(item Item) (Item, error) { return t.open(ctx, item) }
}

func (t *translation) getItemOutput(ctx context.Context, out *dynamodb.GetItemOutput) (err error) {
	out.Item, err = t.open(ctx, out.Item)
	return err
}

func (t *translation) putItemOutput(ctx context.Context, out *dynamodb.PutItemOutput) (err error) {
	out.Attributes, err = t.open(ctx, out.Attributes)
	return err
}

func (t *translation) updateItemOutput(ctx context.Context, out *dynamodb.UpdateItemOutput) (err error) {
	out.Attributes, err = t.open(ctx, out.Attributes)
	return err
}

func (t *translation) deleteItemOutput(ctx context.Context, out *dynamodb.DeleteItemOutput) (err error) {
	out.Attributes, err = t.open(ctx, out.Attributes)
	return err
}

func (t *translation) queryOutput(ctx context.Context, out *dynamodb.QueryOutput) (err error) {
	if out.Items, err = translateEach(out.Items, t.opener(ctx)); err == nil {
		out.LastEvaluatedKey, err = t.ownKey(out.LastEvaluatedKey)
	}
	return err
}

func (t *translation) scanOutput(ctx context.Context, out *dynamodb.ScanOutput) (err error) {
	if out.Items, err = translateEach(out.Items, t.opener(ctx)); err == nil {
		out.LastEvaluatedKey, err = t.ownKey(out.LastEvaluatedKey)
	}
	return err
}

func (t *translation) batchGetItemOutput(ctx context.Context, out *dynamodb.BatchGetItemOutput) (err error) {
	out.Responses, err = translateTables(out.Responses, t.ownTable, func(items []Item) ([]Item, error) { return translateEach(items, t.opener(ctx)) })
	if err == nil {
		out.UnprocessedKeys, err = translateTables(out.UnprocessedKeys, t.ownTable, func(k types.KeysAndAttributes) (types.KeysAndAttributes, error) {
			var err error
			k.Keys, err = translateEach(k.Keys, t.ownKey)
			return k, err
		})
	}
	return err
}

func (t *translation) batchWriteItemOutput(ctx context.Context, out *dynamodb.BatchWriteItemOutput) (err error) {
	out.UnprocessedItems, err = translateTables(out.UnprocessedItems, t.ownTable, func(list []types.WriteRequest) ([]types.WriteRequest, error) {
		return translateEach(list, func(w types.WriteRequest) (types.WriteRequest, error) { return batched(w, t.opener(ctx), t.ownKey) })
	})
	return err
}

func (t *translation) transactGetItemsOutput(ctx context.Context, out *dynamodb.TransactGetItemsOutput) (err error) {
	out.Responses, err = translateEach(out.Responses, func(r types.ItemResponse) (types.ItemResponse, error) {
		var err error
		r.Item, err = t.open(ctx, r.Item)
		return r, err
	})
	return err
}

// failure translates the items that an error carries. One that can't be is the
// error then: without it nobody can tell why the write failed.
func (t *translation) failure(ctx context.Context, err error) error {
	if ce, ok := errors.AsType[*ConditionError](err); ok {
		item, openErr := t.open(ctx, ce.Item)
		if openErr != nil {
			return openErr
		}
		return conditionError(ce.Reason, item, ce.Err)
	}
	if canceled, ok := errors.AsType[*types.TransactionCanceledException](err); ok {
		for i := range canceled.CancellationReasons {
			r := &canceled.CancellationReasons[i]
			var openErr error
			if r.Item, openErr = t.open(ctx, r.Item); openErr != nil {
				return openErr
			}
		}
	}
	return err
}

func translateEach[E any](list []E, translate func(E) (E, error)) ([]E, error) {
	if list == nil {
		return nil, nil
	}
	out := make([]E, len(list))
	for i, e := range list {
		var err error
		if out[i], err = translate(e); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func translateTables[V any](tables map[string]V, name func(string) string, translate func(V) (V, error)) (map[string]V, error) {
	out := make(map[string]V, len(tables))
	for table, v := range tables {
		var err error
		if out[name(table)], err = translate(v); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func (t *translation) tableName(name *string) *string {
	if name == nil || *name != t.db.table {
		return name // an interceptor's
	}
	return &t.table
}

func (t *translation) tableKey(name string) string { return *t.tableName(&name) }

func (t *translation) ownTable(name string) string {
	if name == t.table {
		return t.db.table
	}
	return name
}

// The limits of key attributes: "Partition keys and sort keys" in "Quotas in
// Amazon DynamoDB".
const (
	maxPartitionKey = 2048
	maxSortKey      = 1024
)

// scoped puts the tenant's prefix before a key attribute.
func (t *translation) scoped(attr string, av types.AttributeValue) (types.AttributeValue, error) {
	s, ok := av.(*types.AttributeValueMemberS)
	if !ok || t.prefix == "" {
		return av, nil
	}
	if own, foreign := strings.CutPrefix(s.Value, foreignMark); foreign && t.scan {
		return stringValue(own), nil
	}
	limit := maxPartitionKey
	if attr == t.db.schema.cfg.SK {
		limit = maxSortKey
	}
	if len(t.prefix)+len(s.Value) > limit {
		return nil, faultf(ErrTooLarge, "the key attribute %s has %d bytes with the tenant's prefix, over the limit of %d", attr, len(t.prefix)+len(s.Value), limit)
	}
	return stringValue(t.prefix + s.Value), nil
}

// key translates a key, or the place where a page starts.
func (t *translation) key(key Item) (Item, error) {
	if t.prefix == "" || key == nil {
		return key, nil
	}
	out := make(Item, len(key))
	for attr, av := range key {
		if t.db.schema.scoped[attr] {
			var err error
			if av, err = t.scoped(attr, av); err != nil {
				return nil, err
			}
		}
		out[attr] = av
	}
	return out, nil
}

// ownKey is the reverse of key.
func (t *translation) ownKey(key Item) (Item, error) {
	if t.prefix == "" || key == nil {
		return key, nil
	}
	out := make(Item, len(key))
	for attr, av := range key {
		if t.db.schema.scoped[attr] {
			var err error
			if av, err = t.own(attr, av); err != nil {
				return nil, err
			}
		}
		out[attr] = av
	}
	return out, nil
}

// own takes the tenant's prefix off a key attribute.
func (t *translation) own(attr string, av types.AttributeValue) (types.AttributeValue, error) {
	s, ok := av.(*types.AttributeValueMemberS)
	if !ok {
		return av, nil
	}
	if own, ok := strings.CutPrefix(s.Value, t.prefix); ok {
		return stringValue(own), nil
	}
	if t.scan {
		return stringValue(foreignMark + s.Value), nil
	}
	return nil, faultf(ErrNoTenant, "an item came whose %s is of another tenant or of none", attr)
}

// open is the reverse of [exprs.put]: it translates an item that was read.
func (t *translation) open(ctx context.Context, item Item) (Item, error) {
	if len(item) == 0 {
		return item, nil
	}
	out := maps.Clone(item)
	if t.prefix != "" {
		claim := t.db.schema.isClaim(item)
		for attr, av := range item {
			if !t.db.schema.scoped[attr] && !(claim && t.ownerAttr(attr)) {
				continue
			}
			s, isText := av.(*types.AttributeValueMemberS)
			if !isText {
				continue
			}
			own, ok := strings.CutPrefix(s.Value, t.prefix)
			if !ok {
				return nil, faultf(ErrNoTenant, "an item came whose %s is of another tenant or of none", attr)
			}
			out[attr] = stringValue(own)
		}
	}
	e := t.entityOf(item)
	if e == nil {
		return out, nil
	}
	for attr := range e.encrypted {
		av, ok := item[attr]
		if !ok {
			continue
		}
		opened, err := t.unseal(ctx, e, attr, av, item)
		if err != nil {
			return nil, err
		}
		if out[attr] = opened; !t.db.deterministic(e, attr) {
			out[sealedMark+attr] = av
		}
	}
	return out, nil
}

// entityOf returns the entity of an item, that of the operation where the item
// does not say.
func (t *translation) entityOf(item Item) *entity {
	if et, ok := item[t.db.schema.cfg.EntityType].(*types.AttributeValueMemberS); ok {
		return t.db.schema.byName[et.Value]
	}
	return t.e
}

// ownerAttr reports whether an attribute of a claim is a key of its owner that
// has the prefix.
func (t *translation) ownerAttr(attr string) bool {
	return attr == ownerPKAttr || attr == ownerSKAttr && t.db.schema.scoped[t.db.schema.cfg.SK]
}

// checkIndex refuses a query on an index that can't carry the prefix.
func (t *translation) checkIndex(name *string) error {
	if name == nil || t.prefix == "" {
		return nil
	}
	for _, sl := range t.db.schema.slots {
		if sl.native && sl.name == *name {
			return faultf(ErrInvalid, "the partition key of the index %s is made of fields, which can't carry the prefix of a tenant: index by a template, or give each tenant a table", sl.name)
		}
	}
	return nil
}

// scanOwn makes a scan see the tenant's items only.
func (t *translation) scanOwn(in *dynamodb.ScanInput) {
	if t.prefix == "" {
		return
	}
	const name, value = "#tenant", ":tenant"
	filter := "begins_with(" + name + ", " + value + ")"
	if in.FilterExpression != nil && *in.FilterExpression != "" {
		filter += " AND (" + *in.FilterExpression + ")"
	}
	in.FilterExpression = &filter
	in.ExpressionAttributeNames = withEntry(in.ExpressionAttributeNames, name, t.db.schema.cfg.PK)
	in.ExpressionAttributeValues = withEntry(in.ExpressionAttributeValues, value, stringValue(t.prefix))
}

// withEntry returns a copy of a map with one more entry.
func withEntry[V any](m map[string]V, key string, v V) map[string]V {
	out := make(map[string]V, len(m)+1)
	maps.Copy(out, m)
	out[key] = v
	return out
}

// exprs translates what a request says of one item, or of the items of a query.
type exprs struct {
	t     *translation
	e     *entity // nil where it is not known
	key   Item    // as it is stored, nil for a query
	claim bool    // the item is a claim of a unique value
}

// put translates an item to write.
func (x *exprs) put(ctx context.Context, item Item) (Item, error) {
	t := x.t
	x.claim = t.db.schema.isClaim(item)
	out := make(Item, len(item))
	for attr, av := range item {
		switch {
		case isSealed(attr):
			continue // it was read so, and is encrypted anew
		case t.db.schema.scoped[attr], x.claim && t.ownerAttr(attr):
			var err error
			if av, err = t.scoped(attr, av); err != nil {
				return nil, err
			}
		}
		out[attr] = av
	}
	x.key = out
	if x.e = t.entityOf(item); x.e == nil {
		return out, nil
	}
	for attr := range x.e.encrypted {
		if av, ok := out[attr]; ok {
			var err error
			if out[attr], err = t.seal(ctx, x.e, attr, av, out); err != nil {
				return nil, err
			}
		}
	}
	return out, nil
}

// at translates the key of an item to write or check.
func (x *exprs) at(key Item) (_ Item, err error) {
	t := x.t
	x.claim = t.db.schema.isClaimKey(key)
	if x.e == nil {
		for _, w := range t.writes {
			if id := w.e.keyID(key); id != "" && id == w.id() {
				x.e = w.e
			}
		}
	}
	x.key, err = t.key(key)
	return x.key, err
}

// condition translates a condition or a filter.
func (x *exprs) condition(ctx context.Context, text *string, names *map[string]string, values *map[string]types.AttributeValue, err *error) {
	x.rewrite(ctx, text, false, names, values, err)
	comparesSealed(names)
}

// update translates an update and its condition.
func (x *exprs) update(ctx context.Context, update, condition *string, names *map[string]string, values *map[string]types.AttributeValue, err *error) {
	x.rewrite(ctx, update, true, names, values, err)
	x.condition(ctx, condition, names, values, err)
}

// rewrite translates the values that an expression sets key attributes and
// encrypted fields to, or compares them with.
func (x *exprs) rewrite(ctx context.Context, text *string, sets bool, names *map[string]string, values *map[string]types.AttributeValue, err *error) {
	if text == nil || *err != nil {
		return
	}
	t := x.t
	given := *names
	expr.Operands(*text, func(alias, placeholder string) {
		attr := given[alias]
		av, ok := (*values)[placeholder]
		if !ok || *err != nil {
			return
		}
		var translated types.AttributeValue
		switch {
		case t.db.schema.scoped[attr], x.claim && t.ownerAttr(attr):
			translated, *err = t.scoped(attr, av)
		case x.e == nil || x.e.encrypted[attr] == nil:
			return
		case !sets && !t.db.deterministic(x.e, attr):
			*err = atField(x.e.encrypted[attr].Name, faultf(ErrInvalid, "is encrypted, so that the database can't compare it: read the items and compare there"))
		default:
			translated, *err = t.seal(ctx, x.e, attr, av, x.key)
		}
		if *err == nil {
			*values = withEntry(*values, placeholder, translated)
		}
	})
}

// comparesSealed gives the attributes that are compared with their ciphertexts
// their names.
func comparesSealed(names *map[string]string) {
	for alias, attr := range *names {
		if isSealed(attr) {
			*names = withEntry(*names, alias, strings.TrimPrefix(attr, sealedMark))
		}
	}
}
