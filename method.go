package dynorm

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// method is what there is to be known of one call of the client. Operations come
// with theirs, so that the linker leaves out what a program has no call for, of
// dynorm as of the SDK.
type method interface {
	call(ctx context.Context, s sender, op *Operation, opts []func(*dynamodb.Options)) (output any, _ error)
	// copyOf returns a copy of an input, newOutput an empty output.
	copyOf(input any) any
	newOutput() any
	// translate translates an input in place, translateBack an output.
	translate(ctx context.Context, t *translation, input any) error
	translateBack(ctx context.Context, t *translation, output any) error
	// cached answers an operation from the cache where it may.
	cached(ctx context.Context, db *DB, op *Operation) (res *Result, ok bool, _ error)
	// written lists the items that an input writes.
	written(input any, add func(table *string, item Item))
	// tableName names the table of an input, empty where it is of several.
	tableName(input any) string
	// meter makes an input ask for the units used, tell tells the outcome.
	meter(input any)
	tell(input, output any, o *outcome)
}

// methodOf is the method that takes an *I and returns an *O. What it lacks is
// nothing to do.
type methodOf[I, O any] struct {
	send func(s sender, ctx context.Context, in *I, opts ...func(*dynamodb.Options)) (*O, error)
	// table is where an input of one table names it; batch is the table's name for
	// others.
	table    func(in *I) **string
	batch    func(in *I) *string
	in       func(t *translation, ctx context.Context, in *I) error
	out      func(t *translation, ctx context.Context, out *O) error
	load     func(db *DB, ctx context.Context, op *Operation, in *I) (res *Result, ok bool, _ error)
	writes   func(in *I, add func(table *string, item Item))
	capacity func(in *I) *types.ReturnConsumedCapacity
	result   func(in *I, out *O, o *outcome)
}

func (m *methodOf[I, O]) call(ctx context.Context, s sender, op *Operation, opts []func(*dynamodb.Options)) (any, error) {
	in, ok := op.Input.(*I)
	if !ok {
		return nil, faultf(ErrInvalid, "operation %s has an input of type %T", op.Kind, op.Input)
	}
	return m.send(s, ctx, in, opts...)
}

func (*methodOf[I, O]) copyOf(input any) any {
	in, ok := input.(*I)
	if !ok {
		return input // call refuses it
	}
	return new(*in)
}

func (*methodOf[I, O]) newOutput() any { return new(O) }

func (m *methodOf[I, O]) translate(ctx context.Context, t *translation, input any) error {
	in, ok := input.(*I)
	if !ok {
		return nil // call refuses it
	}
	if m.table != nil {
		name := m.table(in)
		*name = t.tableName(*name)
	}
	if m.in == nil {
		return nil
	}
	return m.in(t, ctx, in)
}

func (m *methodOf[I, O]) translateBack(ctx context.Context, t *translation, output any) error {
	out, ok := output.(*O)
	if !ok || m.out == nil {
		return nil
	}
	return m.out(t, ctx, out)
}

func (m *methodOf[I, O]) cached(ctx context.Context, db *DB, op *Operation) (*Result, bool, error) {
	in, ok := op.Input.(*I)
	if !ok || m.load == nil {
		return nil, false, nil
	}
	return m.load(db, ctx, op, in)
}

func (m *methodOf[I, O]) written(input any, add func(table *string, item Item)) {
	if in, ok := input.(*I); ok && m.writes != nil {
		m.writes(in, add)
	}
}

func (m *methodOf[I, O]) tableName(input any) string {
	in, ok := input.(*I)
	switch {
	case ok && m.table != nil:
		return aws.ToString(*m.table(in))
	case ok && m.batch != nil:
		return aws.ToString(m.batch(in))
	}
	return ""
}

func (m *methodOf[I, O]) meter(input any) {
	if in, ok := input.(*I); ok && m.capacity != nil {
		meter(m.capacity(in))
	}
}

func (m *methodOf[I, O]) tell(input, output any, o *outcome) {
	in, _ := input.(*I)
	out, ok := output.(*O)
	if ok && in != nil && m.result != nil {
		m.result(in, out, o)
	}
}

// The methods, of which those of tables are in [onTables].
var (
	getItemMethod = &methodOf[dynamodb.GetItemInput, dynamodb.GetItemOutput]{
		send:     sender.GetItem,
		table:    func(in *dynamodb.GetItemInput) **string { return &in.TableName },
		in:       (*translation).getItemInput,
		out:      (*translation).getItemOutput,
		load:     (*DB).cachedItem,
		capacity: func(in *dynamodb.GetItemInput) *types.ReturnConsumedCapacity { return &in.ReturnConsumedCapacity },
		result: func(_ *dynamodb.GetItemInput, out *dynamodb.GetItemOutput, o *outcome) {
			o.count(out.Item)
			o.use(out.ConsumedCapacity)
		},
	}
	putItemMethod = &methodOf[dynamodb.PutItemInput, dynamodb.PutItemOutput]{
		send:     sender.PutItem,
		table:    func(in *dynamodb.PutItemInput) **string { return &in.TableName },
		in:       (*translation).putItemInput,
		out:      (*translation).putItemOutput,
		writes:   func(in *dynamodb.PutItemInput, add func(*string, Item)) { add(in.TableName, in.Item) },
		capacity: func(in *dynamodb.PutItemInput) *types.ReturnConsumedCapacity { return &in.ReturnConsumedCapacity },
		result: func(_ *dynamodb.PutItemInput, out *dynamodb.PutItemOutput, o *outcome) {
			o.items = 1
			o.use(out.ConsumedCapacity)
		},
	}
	updateItemMethod = &methodOf[dynamodb.UpdateItemInput, dynamodb.UpdateItemOutput]{
		send:     sender.UpdateItem,
		table:    func(in *dynamodb.UpdateItemInput) **string { return &in.TableName },
		in:       (*translation).updateItemInput,
		out:      (*translation).updateItemOutput,
		writes:   func(in *dynamodb.UpdateItemInput, add func(*string, Item)) { add(in.TableName, in.Key) },
		capacity: func(in *dynamodb.UpdateItemInput) *types.ReturnConsumedCapacity { return &in.ReturnConsumedCapacity },
		result: func(_ *dynamodb.UpdateItemInput, out *dynamodb.UpdateItemOutput, o *outcome) {
			o.items = 1
			o.use(out.ConsumedCapacity)
		},
	}
	deleteItemMethod = &methodOf[dynamodb.DeleteItemInput, dynamodb.DeleteItemOutput]{
		send:     sender.DeleteItem,
		table:    func(in *dynamodb.DeleteItemInput) **string { return &in.TableName },
		in:       (*translation).deleteItemInput,
		out:      (*translation).deleteItemOutput,
		writes:   func(in *dynamodb.DeleteItemInput, add func(*string, Item)) { add(in.TableName, in.Key) },
		capacity: func(in *dynamodb.DeleteItemInput) *types.ReturnConsumedCapacity { return &in.ReturnConsumedCapacity },
		result: func(_ *dynamodb.DeleteItemInput, out *dynamodb.DeleteItemOutput, o *outcome) {
			o.items = 1
			o.use(out.ConsumedCapacity)
		},
	}
	queryMethod = &methodOf[dynamodb.QueryInput, dynamodb.QueryOutput]{
		send:     sender.Query,
		table:    func(in *dynamodb.QueryInput) **string { return &in.TableName },
		in:       (*translation).queryInput,
		out:      (*translation).queryOutput,
		capacity: func(in *dynamodb.QueryInput) *types.ReturnConsumedCapacity { return &in.ReturnConsumedCapacity },
		result: func(_ *dynamodb.QueryInput, out *dynamodb.QueryOutput, o *outcome) {
			o.items, o.evaluated = int(out.Count), int(out.ScannedCount)
			o.use(out.ConsumedCapacity)
		},
	}
	scanMethod = &methodOf[dynamodb.ScanInput, dynamodb.ScanOutput]{
		send:     sender.Scan,
		table:    func(in *dynamodb.ScanInput) **string { return &in.TableName },
		in:       (*translation).scanInput,
		out:      (*translation).scanOutput,
		capacity: func(in *dynamodb.ScanInput) *types.ReturnConsumedCapacity { return &in.ReturnConsumedCapacity },
		result: func(_ *dynamodb.ScanInput, out *dynamodb.ScanOutput, o *outcome) {
			o.items, o.evaluated = int(out.Count), int(out.ScannedCount)
			o.use(out.ConsumedCapacity)
		},
	}
	batchGetItemMethod = &methodOf[dynamodb.BatchGetItemInput, dynamodb.BatchGetItemOutput]{
		send:     sender.BatchGetItem,
		in:       (*translation).batchGetItemInput,
		out:      (*translation).batchGetItemOutput,
		load:     (*DB).cachedItems,
		capacity: func(in *dynamodb.BatchGetItemInput) *types.ReturnConsumedCapacity { return &in.ReturnConsumedCapacity },
		result:   tellBatchGet,
		batch:    func(in *dynamodb.BatchGetItemInput) *string { return onlyTable(in.RequestItems) },
	}
	batchWriteItemMethod = &methodOf[dynamodb.BatchWriteItemInput, dynamodb.BatchWriteItemOutput]{
		send:   sender.BatchWriteItem,
		in:     (*translation).batchWriteItemInput,
		out:    (*translation).batchWriteItemOutput,
		writes: batchWritten,
		capacity: func(in *dynamodb.BatchWriteItemInput) *types.ReturnConsumedCapacity {
			return &in.ReturnConsumedCapacity
		},
		result: tellBatchWrite,
		batch:  func(in *dynamodb.BatchWriteItemInput) *string { return onlyTable(in.RequestItems) },
	}
	transactGetItemsMethod = &methodOf[dynamodb.TransactGetItemsInput, dynamodb.TransactGetItemsOutput]{
		send: sender.TransactGetItems,
		in:   (*translation).transactGetItemsInput,
		out:  (*translation).transactGetItemsOutput,
		capacity: func(in *dynamodb.TransactGetItemsInput) *types.ReturnConsumedCapacity {
			return &in.ReturnConsumedCapacity
		},
		result: tellTransactGet,
	}
	transactWriteItemsMethod = &methodOf[dynamodb.TransactWriteItemsInput, dynamodb.TransactWriteItemsOutput]{
		send:   sender.TransactWriteItems,
		in:     (*translation).transactWriteItemsInput,
		writes: transactWritten,
		capacity: func(in *dynamodb.TransactWriteItemsInput) *types.ReturnConsumedCapacity {
			return &in.ReturnConsumedCapacity
		},
		result: tellTransactWrite,
	}
)

// sender sends requests by a [Client], which it asks for each call by itself: a
// type that lists all of them would bring what the SDK needs for each into every
// program.
type sender struct{ client any }

func (s sender) GetItem(ctx context.Context, in *dynamodb.GetItemInput, opts ...func(*dynamodb.Options)) (*dynamodb.GetItemOutput, error) {
	return s.client.(interface {
		GetItem(context.Context, *dynamodb.GetItemInput, ...func(*dynamodb.Options)) (*dynamodb.GetItemOutput, error)
	}).GetItem(ctx, in, opts...)
}

func (s sender) PutItem(ctx context.Context, in *dynamodb.PutItemInput, opts ...func(*dynamodb.Options)) (*dynamodb.PutItemOutput, error) {
	return s.client.(interface {
		PutItem(context.Context, *dynamodb.PutItemInput, ...func(*dynamodb.Options)) (*dynamodb.PutItemOutput, error)
	}).PutItem(ctx, in, opts...)
}

func (s sender) UpdateItem(ctx context.Context, in *dynamodb.UpdateItemInput, opts ...func(*dynamodb.Options)) (*dynamodb.UpdateItemOutput, error) {
	return s.client.(interface {
		UpdateItem(context.Context, *dynamodb.UpdateItemInput, ...func(*dynamodb.Options)) (*dynamodb.UpdateItemOutput, error)
	}).UpdateItem(ctx, in, opts...)
}

func (s sender) DeleteItem(ctx context.Context, in *dynamodb.DeleteItemInput, opts ...func(*dynamodb.Options)) (*dynamodb.DeleteItemOutput, error) {
	return s.client.(interface {
		DeleteItem(context.Context, *dynamodb.DeleteItemInput, ...func(*dynamodb.Options)) (*dynamodb.DeleteItemOutput, error)
	}).DeleteItem(ctx, in, opts...)
}

func (s sender) Query(ctx context.Context, in *dynamodb.QueryInput, opts ...func(*dynamodb.Options)) (*dynamodb.QueryOutput, error) {
	return s.client.(interface {
		Query(context.Context, *dynamodb.QueryInput, ...func(*dynamodb.Options)) (*dynamodb.QueryOutput, error)
	}).Query(ctx, in, opts...)
}

func (s sender) Scan(ctx context.Context, in *dynamodb.ScanInput, opts ...func(*dynamodb.Options)) (*dynamodb.ScanOutput, error) {
	return s.client.(interface {
		Scan(context.Context, *dynamodb.ScanInput, ...func(*dynamodb.Options)) (*dynamodb.ScanOutput, error)
	}).Scan(ctx, in, opts...)
}

func (s sender) BatchGetItem(ctx context.Context, in *dynamodb.BatchGetItemInput, opts ...func(*dynamodb.Options)) (*dynamodb.BatchGetItemOutput, error) {
	return s.client.(interface {
		BatchGetItem(context.Context, *dynamodb.BatchGetItemInput, ...func(*dynamodb.Options)) (*dynamodb.BatchGetItemOutput, error)
	}).BatchGetItem(ctx, in, opts...)
}

func (s sender) BatchWriteItem(ctx context.Context, in *dynamodb.BatchWriteItemInput, opts ...func(*dynamodb.Options)) (*dynamodb.BatchWriteItemOutput, error) {
	return s.client.(interface {
		BatchWriteItem(context.Context, *dynamodb.BatchWriteItemInput, ...func(*dynamodb.Options)) (*dynamodb.BatchWriteItemOutput, error)
	}).BatchWriteItem(ctx, in, opts...)
}

func (s sender) TransactGetItems(ctx context.Context, in *dynamodb.TransactGetItemsInput, opts ...func(*dynamodb.Options)) (*dynamodb.TransactGetItemsOutput, error) {
	return s.client.(interface {
		TransactGetItems(context.Context, *dynamodb.TransactGetItemsInput, ...func(*dynamodb.Options)) (*dynamodb.TransactGetItemsOutput, error)
	}).TransactGetItems(ctx, in, opts...)
}

func (s sender) TransactWriteItems(ctx context.Context, in *dynamodb.TransactWriteItemsInput, opts ...func(*dynamodb.Options)) (*dynamodb.TransactWriteItemsOutput, error) {
	return s.client.(interface {
		TransactWriteItems(context.Context, *dynamodb.TransactWriteItemsInput, ...func(*dynamodb.Options)) (*dynamodb.TransactWriteItemsOutput, error)
	}).TransactWriteItems(ctx, in, opts...)
}
