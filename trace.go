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
	op.method.meter(sent.Input)
	ctx = db.cfg.Tracer.Start(ctx, TraceStart{Request: op.Kind, Op: op.Name, Entity: op.Entity, Table: op.method.tableName(op.Input), Index: op.Index})
	res, err := db.send(ctx, &sent)
	end := TraceEnd{Err: err, Retries: max(*sent.attempts-1, 0)}
	if err == nil {
		o := outcome{items: rowCount(res.rows)}
		op.method.tell(op.Input, res.Output, &o)
		end.Items, end.Evaluated, end.Units = o.items, o.evaluated, o.units
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
func meter(c *types.ReturnConsumedCapacity) {
	if *c == "" || *c == types.ReturnConsumedCapacityNone {
		*c = types.ReturnConsumedCapacityTotal
	}
}

// outcome is what a request read or wrote, and used.
type outcome struct {
	items, evaluated int
	units            float64
}

func (o *outcome) use(list ...*types.ConsumedCapacity) {
	for _, c := range list {
		if c != nil {
			o.units += aws.ToFloat64(c.CapacityUnits)
		}
	}
}

func (o *outcome) useAll(list []types.ConsumedCapacity) {
	for i := range list {
		o.use(&list[i])
	}
}

// count adds the items that are there.
func (o *outcome) count(list ...Item) {
	for _, item := range list {
		if len(item) > 0 {
			o.items++
		}
	}
}

// rowCount counts the rows that have an item.
func rowCount(rows []row) (n int) {
	for i := range rows {
		if !rows[i].empty() {
			n++
		}
	}
	return n
}

func tellBatchGet(_ *dynamodb.BatchGetItemInput, out *dynamodb.BatchGetItemOutput, o *outcome) {
	for _, list := range out.Responses {
		o.count(list...)
	}
	o.useAll(out.ConsumedCapacity)
}

func tellBatchWrite(in *dynamodb.BatchWriteItemInput, out *dynamodb.BatchWriteItemOutput, o *outcome) {
	for _, writes := range in.RequestItems {
		o.items += len(writes)
	}
	for _, writes := range out.UnprocessedItems {
		o.items -= len(writes)
	}
	o.useAll(out.ConsumedCapacity)
}

func tellTransactGet(_ *dynamodb.TransactGetItemsInput, out *dynamodb.TransactGetItemsOutput, o *outcome) {
	for _, r := range out.Responses {
		o.count(r.Item)
	}
	o.useAll(out.ConsumedCapacity)
}

func tellTransactWrite(in *dynamodb.TransactWriteItemsInput, out *dynamodb.TransactWriteItemsOutput, o *outcome) {
	for _, w := range in.TransactItems {
		if w.ConditionCheck == nil {
			o.items++
		}
	}
	o.useAll(out.ConsumedCapacity)
}

// onlyTable names the table of a batch, empty where it is of several.
func onlyTable[V any](tables map[string]V) *string {
	if len(tables) == 1 {
		for name := range tables {
			return &name
		}
	}
	return nil
}
