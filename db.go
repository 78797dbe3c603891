package dynorm

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
)

// Client is the part of the SDK's client that dynorm calls for items;
// [*dynamodb.Client] fits, and so does a client that knows of items only.
type Client interface {
	GetItem(context.Context, *dynamodb.GetItemInput, ...func(*dynamodb.Options)) (*dynamodb.GetItemOutput, error)
	PutItem(context.Context, *dynamodb.PutItemInput, ...func(*dynamodb.Options)) (*dynamodb.PutItemOutput, error)
	UpdateItem(context.Context, *dynamodb.UpdateItemInput, ...func(*dynamodb.Options)) (*dynamodb.UpdateItemOutput, error)
	DeleteItem(context.Context, *dynamodb.DeleteItemInput, ...func(*dynamodb.Options)) (*dynamodb.DeleteItemOutput, error)
	Query(context.Context, *dynamodb.QueryInput, ...func(*dynamodb.Options)) (*dynamodb.QueryOutput, error)
	Scan(context.Context, *dynamodb.ScanInput, ...func(*dynamodb.Options)) (*dynamodb.ScanOutput, error)
	BatchGetItem(context.Context, *dynamodb.BatchGetItemInput, ...func(*dynamodb.Options)) (*dynamodb.BatchGetItemOutput, error)
	BatchWriteItem(context.Context, *dynamodb.BatchWriteItemInput, ...func(*dynamodb.Options)) (*dynamodb.BatchWriteItemOutput, error)
	TransactGetItems(context.Context, *dynamodb.TransactGetItemsInput, ...func(*dynamodb.Options)) (*dynamodb.TransactGetItemsOutput, error)
	TransactWriteItems(context.Context, *dynamodb.TransactWriteItemsInput, ...func(*dynamodb.Options)) (*dynamodb.TransactWriteItemsOutput, error)
}

// TableClient is the part of the SDK's client that [DB.CreateTable] calls beside
// those for items. A [Client] need not have it.
type TableClient interface {
	CreateTable(context.Context, *dynamodb.CreateTableInput, ...func(*dynamodb.Options)) (*dynamodb.CreateTableOutput, error)
	DescribeTable(context.Context, *dynamodb.DescribeTableInput, ...func(*dynamodb.Options)) (*dynamodb.DescribeTableOutput, error)
	UpdateTimeToLive(context.Context, *dynamodb.UpdateTimeToLiveInput, ...func(*dynamodb.Options)) (*dynamodb.UpdateTimeToLiveOutput, error)
	DescribeTimeToLive(context.Context, *dynamodb.DescribeTimeToLiveInput, ...func(*dynamodb.Options)) (*dynamodb.DescribeTimeToLiveOutput, error)
}

// Config says which table a DB uses and how.
type Config struct {
	// Table is the name of the table. Required.
	Table string
	// TablePrefix and TableSuffix go around Table, for example per environment.
	// Default to "".
	TablePrefix, TableSuffix string
	// Consistent makes reads of the table and its local indexes strongly
	// consistent unless a call says otherwise, at twice the read units.
	// Defaults to false.
	Consistent bool
	// Concurrency bounds the requests that one call has in flight: batches,
	// transactions in chunks, fan-outs over keys and shards, segments of a scan,
	// and the pages that are read ahead, one for each of these. Defaults to 8,
	// with which 1,000 items at 10 ms a request are read 4 times and written 6
	// times as fast as one request after another; what more of them gains, see
	// bench/RESULTS.md, DynamoDB may throttle.
	Concurrency int
	// PlainBatches refuses CreateMany, PutMany and DeleteMany where they would
	// have to send transactions or conditional writes, at twice the write units
	// of a plain batch. Defaults to false.
	PlainBatches bool
	// AttributeValues makes all requests with the SDK's attribute values. Without
	// it, where the client is the SDK's, items go straight between structs and
	// DynamoDB's JSON, several times as fast: middlewares of the client then see
	// inputs without the items that are put, the keys of single items and the names
	// and values in the expressions of single writes, and outputs without the items
	// that are read. Where there are Interceptors, they are given attribute values
	// all the same. Defaults to false.
	AttributeValues bool
	// Clock gives the time for timestamps. Defaults to time.Now.
	Clock func() time.Time
	// IDs makes identifiers for fields tagged `ulid` or `uuid`. Defaults to
	// random ones from crypto/rand.
	IDs IDs
	// CursorKeys authenticate the cursors of [Query.Page]: the first one signs,
	// all are accepted, so that keys can be rotated. Each has 16 bytes or more.
	// Default to none: cursors are then checked for damage only.
	CursorKeys [][]byte
	// Hooks run at events of items, beside the methods of the entities. Default
	// to none.
	Hooks []Hook
	// Scope gives each call the tenant of its context. Defaults to none: a DB sees
	// the whole table.
	Scope Scope
	// Cipher encrypts the fields tagged `encrypt`. Required where there are any.
	Cipher Cipher
	// Validator looks at every write before it is sent. Defaults to none.
	Validator Validator
	// Cache keeps items that are read by key. Defaults to none.
	Cache Cache
	// Tracer is told about calls and requests. Defaults to none.
	Tracer Tracer
	// Interceptors run around every operation, the first outermost. Default
	// to none.
	Interceptors []Interceptor
}

// DB runs operations of one schema on one table. It is immutable and safe for
// concurrent use.
type DB struct {
	client Client
	schema *Schema
	cfg    Config
	table  string
	wire   bool // the client takes the wire codec
}

// Open returns a DB for a table. It does no I/O: whether the table exists shows
// at the first call, or in [DB.CreateTable].
func Open(client Client, schema *Schema, cfg Config) (*DB, error) {
	var faults []error
	if client == nil || isNilPointer(client) {
		faults = append(faults, errors.New("client is nil: give a *dynamodb.Client"))
	}
	if schema == nil {
		faults = append(faults, errors.New("schema is nil: make one with NewSchema"))
	}
	faults = append(faults, checkCipher(cfg.Cipher, schema)...)
	table := cfg.TablePrefix + cfg.Table + cfg.TableSuffix
	if cfg.Table == "" {
		faults = append(faults, errors.New("Config.Table is empty"))
	} else if err := checkTableName(table); err != nil {
		faults = append(faults, err)
	}
	if cfg.Concurrency < 0 {
		faults = append(faults, fmt.Errorf("Config.Concurrency is %d: give 0 for the default or more", cfg.Concurrency))
	}
	for i, key := range cfg.CursorKeys {
		if len(key) < 16 {
			faults = append(faults, fmt.Errorf("Config.CursorKeys[%d] has %d bytes: give 16 or more", i, len(key)))
		}
	}
	for i, h := range cfg.Hooks {
		if h.fn == nil || h.event < 0 || h.event >= hookEvents {
			faults = append(faults, fmt.Errorf("Config.Hooks[%d] has no function or an unknown event: make it with On or OnAny", i))
		}
	}
	if len(faults) > 0 {
		return nil, &Error{Op: "Open", Err: faultf(ErrInvalid, "%w", errors.Join(faults...))}
	}
	if cfg.Concurrency == 0 {
		cfg.Concurrency = 8
	}
	if cfg.Clock == nil {
		cfg.Clock = time.Now
	}
	if cfg.IDs == nil {
		cfg.IDs = RandomIDs{}
	}
	return &DB{client: client, schema: schema, cfg: cfg, table: table, wire: !cfg.AttributeValues && wireable(client)}, nil
}

// ready refuses a DB that was not opened.
func (db *DB) ready() error {
	if db == nil || db.schema == nil {
		return faultf(ErrInvalid, "the DB is nil or zero: get it from Open")
	}
	return nil
}

// Schema returns the schema the DB was opened with.
func (db *DB) Schema() *Schema { return db.schema }

// Table returns the name of the table, prefix and suffix included.
func (db *DB) Table() string { return db.table }

// checkTableName holds the rule of "Naming rules" in "Supported data types and
// naming rules in Amazon DynamoDB": 3 to 255 of a-z, A-Z, 0-9, '_', '-', '.'.
func checkTableName(name string) error {
	if len(name) < 3 || len(name) > 255 {
		return fmt.Errorf("table name %q has %d characters: DynamoDB takes 3 to 255", name, len(name))
	}
	for _, r := range name {
		switch {
		case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9', r == '_', r == '-', r == '.':
		default:
			return fmt.Errorf("table name %q holds %q: DynamoDB takes letters, digits, '_', '-' and '.'", name, r)
		}
	}
	return nil
}

func isNilPointer(v any) bool {
	rv := reflect.ValueOf(v)
	return rv.Kind() == reflect.Pointer && rv.IsNil()
}
