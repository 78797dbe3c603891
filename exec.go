package dynorm

import "context"

// OpKind is the DynamoDB operation that an [Operation] sends.
type OpKind string

// The kinds of operations.
const (
	OpGetItem            OpKind = "GetItem"
	OpPutItem            OpKind = "PutItem"
	OpUpdateItem         OpKind = "UpdateItem"
	OpDeleteItem         OpKind = "DeleteItem"
	OpQuery              OpKind = "Query"
	OpScan               OpKind = "Scan"
	OpBatchGetItem       OpKind = "BatchGetItem"
	OpBatchWriteItem     OpKind = "BatchWriteItem"
	OpTransactGetItems   OpKind = "TransactGetItems"
	OpTransactWriteItems OpKind = "TransactWriteItems"
	OpCreateTable        OpKind = "CreateTable"
	OpDescribeTable      OpKind = "DescribeTable"
	OpUpdateTimeToLive   OpKind = "UpdateTimeToLive"
	OpDescribeTimeToLive OpKind = "DescribeTimeToLive"
)

// Operation is one request on its way to DynamoDB, as interceptors see it.
type Operation struct {
	Kind OpKind
	// Name is the call that sends it, as named in the API: "Create", "Query".
	Name string
	// Entity is the entity's name, empty where several or none take part.
	Entity string
	// Index is the index read, empty for the table itself.
	Index string
	// Input is the SDK's input, for example a *dynamodb.PutItemInput.
	Input any

	// method is that of the client which sends it.
	method method
	// call is how the wire codec takes the operation.
	call wireCall
	// writes are the actions of a transaction.
	writes []*write
	// attempts counts the attempts where somebody wants to know.
	attempts *int
	// result is where that of an operation which nobody else sees is.
	result Result
}

// Result is what came back.
type Result struct {
	// Output is the SDK's output, for example a *dynamodb.PutItemOutput.
	Output any

	// rows are the items where the operation has a reader for them; the output
	// is then without.
	rows []row
}

// Interceptor runs around every request. It may look at and change the
// operation's input before it calls next, and the result after; returning an
// error without calling next refuses the operation. It must be safe for
// concurrent use.
type Interceptor func(ctx context.Context, op *Operation, next func(context.Context, *Operation) (*Result, error)) (*Result, error)

// do is the one door to the client: every request passes through it and
// nothing else calls the client. A context that has ended sends nothing.
func (db *DB) do(ctx context.Context, op *Operation) (*Result, error) {
	if ctx == nil {
		ctx = noContext{context.Background()}
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	return db.chain(ctx, op, db.cfg.Interceptors)
}

// noContext stands for a nil context: it has ended, and says why.
type noContext struct{ context.Context }

func (noContext) Err() error {
	return faultf(ErrInvalid, "the context is nil: give context.Background()")
}

func (noContext) Done() <-chan struct{} {
	done := make(chan struct{})
	close(done)
	return done
}

func (db *DB) chain(ctx context.Context, op *Operation, rest []Interceptor) (*Result, error) {
	if len(rest) == 0 {
		if db.translates() {
			return db.translated(ctx, op)
		}
		return db.cached(ctx, op)
	}
	return rest[0](ctx, op, func(ctx context.Context, sent *Operation) (*Result, error) {
		if sent.method == nil { // made by the interceptor
			sent = new(*sent)
			sent.method = op.method
		}
		return db.chain(ctx, sent, rest[1:])
	})
}

// send calls the client and maps its errors.
func (db *DB) send(ctx context.Context, op *Operation) (*Result, error) {
	var (
		wire *wireCall
		opts = callOptions(ctx)
	)
	if db.wire {
		wire = &op.call
		if !db.direct() {
			wire = new(op.call) // an operation can be sent twice at once
		}
		if opts == nil {
			opts = wire.room[:0]
		}
		opts = append(opts, wire.options)
	}
	if op.attempts != nil {
		opts = append(opts, countAttempts(op.attempts))
	}
	out, err := op.method.call(ctx, db.sender, op, opts)
	if err != nil {
		return nil, awsError(err)
	}
	res := &op.result
	if !db.direct() {
		res = new(Result)
	}
	*res = Result{Output: out}
	if wire != nil && wire.read != nil {
		res.rows = wire.rows
	}
	return res, nil
}

// run sends op by a method of the client and returns its output.
func run[I, O any](ctx context.Context, db *DB, op *Operation, m *methodOf[I, O]) (*O, error) {
	op.method = m
	res, err := db.do(ctx, op)
	if err != nil {
		return nil, err
	}
	out, ok := res.Output.(*O)
	if !ok || out == nil {
		return nil, faultf(ErrInvalid, "an interceptor answered %s with %T", op.Kind, res.Output)
	}
	return out, nil
}

// runRows is run for a reading operation: its items come as rows, which read
// makes where the wire codec is used.
func runRows[I, O any](ctx context.Context, db *DB, op *Operation, m *methodOf[I, O], read rowReader, items func(*O) []Item) (*O, []row, error) {
	if db.direct() {
		op.method, op.call.read = m, read
		res, err := db.do(ctx, op)
		if err != nil {
			return nil, nil, err
		}
		out := res.Output.(*O)
		if len(res.rows) == 0 {
			return out, rowsOf(items(out)), nil // the SDK may have read them after all
		}
		return out, res.rows, nil
	}
	out, err := run(ctx, db, op, m)
	if err != nil {
		return nil, nil, err
	}
	return out, rowsOf(items(out)), nil
}
