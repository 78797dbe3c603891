package dynorm

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/smithy-go/middleware"
)

// Tracer is told when a call of the API starts and ends, and each request that
// it sends. Calls that are made of others (Upsert of Save and Create, Pages of
// Page) have these within them, and a call has its requests. Writes that are
// added to a transaction are part of [DB.Transact] and no calls of their own.
//
// It sees requests as they are sent: what a cache answers is none, and a page
// that is read ahead is one. It must be safe for concurrent use.
type Tracer interface {
	// Start returns the context of what starts. What is within it starts with
	// that context or one made of it.
	Start(ctx context.Context, s TraceStart) context.Context
	// End is given the context that Start returned.
	End(ctx context.Context, e TraceEnd)
}

// TraceStart is what is known as a call or a request starts.
type TraceStart struct {
	// Request is the kind of a request, empty for a call.
	Request OpKind
	// Op is the call, as named in the API. A request has that of the call, or of
	// the part of it, that sends it.
	Op string
	// Entity is the entity's name, empty where several or none take part.
	Entity string
	// Table and Index are what a request reads or writes; Index is empty for the
	// table itself, and both are for a call.
	Table, Index string
}

// TraceEnd is what is known once a call or a request ended. A call knows its
// error only.
type TraceEnd struct {
	// Err is the error, nil for none. That of a failed condition or of a missing
	// item is an error too.
	Err error
	// Items is the number of items read or counted, or of those written.
	// Evaluated is that of the items that a query or a scan read for it.
	Items, Evaluated int
	// Units are the read or write units used.
	Units float64
	// Retries is how often the SDK sent the request again.
	Retries int
}

// tracing is a call under way.
type tracing struct {
	tracer Tracer
	ctx    context.Context
}

// begin tells the tracer that a call starts.
func (db *DB) begin(ctx context.Context, op string, e *entity) (context.Context, tracing) {
	if ctx == nil {
		ctx = noContext{context.Background()}
	}
	if db == nil || db.cfg.Tracer == nil {
		return ctx, tracing{}
	}
	s := TraceStart{Op: op}
	if e != nil {
		s.Entity = e.def.Name
	}
	ctx = db.cfg.Tracer.Start(ctx, s)
	return ctx, tracing{db.cfg.Tracer, ctx}
}

// begin is [DB.begin] for a query.
func (s *queryState) begin(ctx context.Context, op string) (context.Context, tracing) {
	if s == nil {
		return ctx, tracing{}
	}
	return s.db.begin(ctx, op, s.e)
}

// end tells the tracer that the call ended.
func (t tracing) end(err *error) {
	if t.tracer != nil {
		t.tracer.End(t.ctx, TraceEnd{Err: *err})
	}
}

// traced sends an operation between its start and its end.
func (db *DB) traced(ctx context.Context, op *Operation) (*Result, error) {
	if db.cfg.Tracer == nil {
		return db.send(ctx, op)
	}
	sent := *op
	sent.attempts = new(int)
	sent.Input = op.method.copyOf(op.Input)
	meter(sent.Input)
	ctx = db.cfg.Tracer.Start(ctx, TraceStart{Request: op.Kind, Op: op.Name, Entity: op.Entity, Table: tableOf(op.Input), Index: op.Index})
	res, err := db.send(ctx, &sent)
	end := TraceEnd{Err: err, Retries: max(*sent.attempts-1, 0)}
	if err == nil {
		end.Items, end.Evaluated, end.Units = outcome(op.Input, res)
	}
	db.cfg.Tracer.End(ctx, end)
	return res, err
}

// countAttempts counts how often the SDK sends a request.
func countAttempts(n *int) func(*dynamodb.Options) {
	return func(o *dynamodb.Options) {
		o.APIOptions = append(o.APIOptions[:len(o.APIOptions):len(o.APIOptions)], func(stack *middleware.Stack) error {
			if _, ok := stack.Finalize.Get("Retry"); !ok {
				return nil // nothing sends the request again
			}
			return stack.Finalize.Insert(middleware.FinalizeMiddlewareFunc("dynorm.CountAttempts",
				func(ctx context.Context, in middleware.FinalizeInput, next middleware.FinalizeHandler) (middleware.FinalizeOutput, middleware.Metadata, error) {
					*n++
					return next.HandleFinalize(ctx, in)
				}), "Retry", middleware.After)
		})
	}
}

// meter makes an input ask for the units used, unless it does already.
func meter(input any) {
	ask := func(c types.ReturnConsumedCapacity) types.ReturnConsumedCapacity {
		if c == "" || c == types.ReturnConsumedCapacityNone {
			return types.ReturnConsumedCapacityTotal
		}
		return c
	}
	switch in := input.(type) {
	case *dynamodb.GetItemInput:
		in.ReturnConsumedCapacity = ask(in.ReturnConsumedCapacity)
	case *dynamodb.PutItemInput:
		in.ReturnConsumedCapacity = ask(in.ReturnConsumedCapacity)
	case *dynamodb.UpdateItemInput:
		in.ReturnConsumedCapacity = ask(in.ReturnConsumedCapacity)
	case *dynamodb.DeleteItemInput:
		in.ReturnConsumedCapacity = ask(in.ReturnConsumedCapacity)
	case *dynamodb.QueryInput:
		in.ReturnConsumedCapacity = ask(in.ReturnConsumedCapacity)
	case *dynamodb.ScanInput:
		in.ReturnConsumedCapacity = ask(in.ReturnConsumedCapacity)
	case *dynamodb.BatchGetItemInput:
		in.ReturnConsumedCapacity = ask(in.ReturnConsumedCapacity)
	case *dynamodb.BatchWriteItemInput:
		in.ReturnConsumedCapacity = ask(in.ReturnConsumedCapacity)
	case *dynamodb.TransactGetItemsInput:
		in.ReturnConsumedCapacity = ask(in.ReturnConsumedCapacity)
	case *dynamodb.TransactWriteItemsInput:
		in.ReturnConsumedCapacity = ask(in.ReturnConsumedCapacity)
	}
}

// outcome tells what a request read or wrote, and used.
func outcome(input any, res *Result) (items, evaluated int, units float64) {
	one := func(c *types.ConsumedCapacity) {
		if c != nil {
			units += aws.ToFloat64(c.CapacityUnits)
		}
	}
	all := func(list []types.ConsumedCapacity) {
		for i := range list {
			one(&list[i])
		}
	}
	count := func(list []Item) {
		for _, item := range list {
			if len(item) > 0 {
				items++
			}
		}
	}
	for i := range res.rows {
		if !res.rows[i].empty() {
			items++
		}
	}
	switch out := res.Output.(type) {
	case *dynamodb.GetItemOutput:
		count([]Item{out.Item})
		one(out.ConsumedCapacity)
	case *dynamodb.PutItemOutput:
		items = 1
		one(out.ConsumedCapacity)
	case *dynamodb.UpdateItemOutput:
		items = 1
		one(out.ConsumedCapacity)
	case *dynamodb.DeleteItemOutput:
		items = 1
		one(out.ConsumedCapacity)
	case *dynamodb.QueryOutput:
		items, evaluated = int(out.Count), int(out.ScannedCount)
		one(out.ConsumedCapacity)
	case *dynamodb.ScanOutput:
		items, evaluated = int(out.Count), int(out.ScannedCount)
		one(out.ConsumedCapacity)
	case *dynamodb.BatchGetItemOutput:
		for _, list := range out.Responses {
			count(list)
		}
		all(out.ConsumedCapacity)
	case *dynamodb.BatchWriteItemOutput:
		if in, ok := input.(*dynamodb.BatchWriteItemInput); ok {
			for _, writes := range in.RequestItems {
				items += len(writes)
			}
		}
		for _, writes := range out.UnprocessedItems {
			items -= len(writes)
		}
		all(out.ConsumedCapacity)
	case *dynamodb.TransactGetItemsOutput:
		for _, r := range out.Responses {
			count([]Item{r.Item})
		}
		all(out.ConsumedCapacity)
	case *dynamodb.TransactWriteItemsOutput:
		if in, ok := input.(*dynamodb.TransactWriteItemsInput); ok {
			for _, w := range in.TransactItems {
				if w.ConditionCheck == nil {
					items++
				}
			}
		}
		all(out.ConsumedCapacity)
	}
	return items, evaluated, units
}

// tableOf names the table of a request, empty where it is of several.
func tableOf(input any) string {
	switch in := input.(type) {
	case *dynamodb.GetItemInput:
		return aws.ToString(in.TableName)
	case *dynamodb.PutItemInput:
		return aws.ToString(in.TableName)
	case *dynamodb.UpdateItemInput:
		return aws.ToString(in.TableName)
	case *dynamodb.DeleteItemInput:
		return aws.ToString(in.TableName)
	case *dynamodb.QueryInput:
		return aws.ToString(in.TableName)
	case *dynamodb.ScanInput:
		return aws.ToString(in.TableName)
	case *dynamodb.CreateTableInput:
		return aws.ToString(in.TableName)
	case *dynamodb.DescribeTableInput:
		return aws.ToString(in.TableName)
	case *dynamodb.UpdateTimeToLiveInput:
		return aws.ToString(in.TableName)
	case *dynamodb.DescribeTimeToLiveInput:
		return aws.ToString(in.TableName)
	case *dynamodb.BatchGetItemInput:
		return onlyTable(in.RequestItems)
	case *dynamodb.BatchWriteItemInput:
		return onlyTable(in.RequestItems)
	}
	return ""
}

func onlyTable[V any](tables map[string]V) string {
	if len(tables) == 1 {
		for name := range tables {
			return name
		}
	}
	return ""
}
