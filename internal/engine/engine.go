// Package engine is DynamoDB in the process: the operations of its API over
// ordered trees in memory. It takes the bytes of requests and gives the bytes
// of answers; package local puts clients and servers around it.
//
// One lock guards all tables. Requests are decoded and checked outside it, so
// it is held for the step on the trees alone; every operation, transactions
// included, is one step, and histories are serialisable. Items are immutable:
// what an answer or a snapshot refers to stays as it was.
package engine

import (
	"math"
	"slices"
	"sync"
	"sync/atomic"
	"time"
	"unsafe"

	"github.com/tidwall/btree"

	"github.com/dynorm/dynorm/internal/engine/expr"
	"github.com/dynorm/dynorm/internal/engine/wire"
)

// Config sets up an Engine. The zero value is ready for use.
type Config struct {
	// Now is the clock of table states, expiry and idempotency tokens.
	// Defaults to time.Now.
	Now func() time.Time

	// Region and Account appear in ARNs. They default to "us-east-1" and
	// "000000000000".
	Region, Account string

	// TableDelay is how long tables and indexes stay in CREATING, UPDATING
	// and DELETING. Defaults to none: the answer to the request shows the
	// state, and the next request finds it over.
	TableDelay time.Duration

	// ExpiryDelay is how long after its expiry an item is deleted. The
	// service takes up to days. Defaults to ten seconds; negative means none.
	ExpiryDelay time.Duration

	// Buckets is the directory whose sub-directories stand for the buckets that
	// tables are exported to and imported from. Defaults to none: exports and
	// imports are refused.
	Buckets string

	// Mishaps are what goes wrong on request. Defaults to nothing.
	Mishaps Mishaps
}

// Mishaps are asked, under load of the caller's choice, whether something is
// to go wrong that only the engine can do. Any of them may be nil; they must be
// safe for concurrent use.
type Mishaps struct {
	// IndexDelay says how long the changes of one request take to reach the
	// global secondary indexes.
	IndexDelay func(operation string) time.Duration

	// ReplicationDelay says how long a change takes from one region to another.
	ReplicationDelay func(from, to string) time.Duration

	// Unprocessed says whether a BatchGetItem or BatchWriteItem leaves its next
	// key or write undone.
	Unprocessed func(operation string) bool

	// Conflict says whether the next action of a transaction, or a single
	// write, meets another transaction.
	Conflict func(operation string) bool
}

// Engine is a DynamoDB endpoint of one account and region. It is safe for
// concurrent use.
type Engine struct {
	cfg Config

	mu      lock
	tables  btree.Map[string, *table]
	streams btree.Map[string, *stream] // by ARN
	tokens  tokens
	archive

	syntax expr.Cache // of the expressions seen

	due atomic.Int64 // when settle next has something to do

	disk *disk // nil keeps everything in memory alone

	world   *world
	inbox   inbox
	landing bool // a change from another region is being applied
}

// New returns an Engine without tables.
func New(cfg Config) *Engine {
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Region == "" {
		cfg.Region = "us-east-1"
	}
	if cfg.Account == "" {
		cfg.Account = "000000000000"
	}
	switch {
	case cfg.ExpiryDelay == 0:
		cfg.ExpiryDelay = 10 * time.Second
	case cfg.ExpiryDelay < 0:
		cfg.ExpiryDelay = 0
	}
	e := newEngine(cfg)
	e.world = &world{regions: map[string]*Engine{cfg.Region: e}}
	return e
}

func newEngine(cfg Config) *Engine {
	e := &Engine{cfg: cfg}
	e.due.Store(math.MaxInt64)
	return e
}

// MaxBody is the size of the largest request body the service takes.
const MaxBody = 16 << 20

// operation decodes, checks and runs one kind of request.
type operation func(e *Engine, r *wire.Reader) ([]byte, error)

var operations = map[string]operation{
	"CreateTable":        (*Engine).createTable,
	"DescribeTable":      (*Engine).describeTable,
	"UpdateTable":        (*Engine).updateTable,
	"DeleteTable":        (*Engine).deleteTable,
	"ListTables":         (*Engine).listTables,
	"PutItem":            (*Engine).putItem,
	"GetItem":            (*Engine).getItem,
	"UpdateItem":         (*Engine).updateItem,
	"DeleteItem":         (*Engine).deleteItem,
	"Query":              (*Engine).query,
	"Scan":               (*Engine).scan,
	"BatchGetItem":       (*Engine).batchGetItem,
	"BatchWriteItem":     (*Engine).batchWriteItem,
	"TransactGetItems":   (*Engine).transactGetItems,
	"TransactWriteItems": (*Engine).transactWriteItems,
	"UpdateTimeToLive":   (*Engine).updateTimeToLive,
	"DescribeTimeToLive": (*Engine).describeTimeToLive,
	"TagResource":        (*Engine).tagResource,
	"UntagResource":      (*Engine).untagResource,
	"ListTagsOfResource": (*Engine).listTagsOfResource,
	"DescribeLimits":     (*Engine).describeLimits,
	"DescribeEndpoints":  (*Engine).describeEndpoints,

	"CreateBackup":           (*Engine).createBackup,
	"DescribeBackup":         (*Engine).describeBackup,
	"ListBackups":            (*Engine).listBackups,
	"DeleteBackup":           (*Engine).deleteBackup,
	"RestoreTableFromBackup": (*Engine).restoreTableFromBackup,

	"DescribeContinuousBackups": (*Engine).describeContinuousBackups,
	"UpdateContinuousBackups":   (*Engine).updateContinuousBackups,
	"RestoreTableToPointInTime": (*Engine).restoreTableToPointInTime,

	"ExportTableToPointInTime": (*Engine).exportTableToPointInTime,
	"DescribeExport":           (*Engine).describeExport,
	"ListExports":              (*Engine).listExports,
	"ImportTable":              (*Engine).importTable,
	"DescribeImport":           (*Engine).describeImport,
	"ListImports":              (*Engine).listImports,

	"CreateGlobalTable":           (*Engine).createGlobalTable,
	"DescribeGlobalTable":         (*Engine).describeGlobalTable,
	"ListGlobalTables":            (*Engine).listGlobalTables,
	"UpdateGlobalTable":           (*Engine).updateGlobalTable,
	"DescribeGlobalTableSettings": (*Engine).describeGlobalTableSettings,
	"UpdateGlobalTableSettings":   (*Engine).updateGlobalTableSettings,

	"PutResourcePolicy":                   (*Engine).putResourcePolicy,
	"GetResourcePolicy":                   (*Engine).getResourcePolicy,
	"DeleteResourcePolicy":                (*Engine).deleteResourcePolicy,
	"EnableKinesisStreamingDestination":   (*Engine).enableKinesisStreamingDestination,
	"DisableKinesisStreamingDestination":  (*Engine).disableKinesisStreamingDestination,
	"UpdateKinesisStreamingDestination":   (*Engine).updateKinesisStreamingDestination,
	"DescribeKinesisStreamingDestination": (*Engine).describeKinesisStreamingDestination,
	"DescribeContributorInsights":         (*Engine).describeContributorInsights,
	"UpdateContributorInsights":           (*Engine).updateContributorInsights,
	"ListContributorInsights":             (*Engine).listContributorInsights,

	"ExecuteStatement":      (*Engine).executeStatement,
	"BatchExecuteStatement": (*Engine).batchExecuteStatement,
	"ExecuteTransaction":    (*Engine).executeTransaction,

	"ListStreams":      (*Engine).listStreams,
	"DescribeStream":   (*Engine).describeStream,
	"GetShardIterator": (*Engine).getShardIterator,
	"GetRecords":       (*Engine).getRecords,
}

// Operations returns the names of the operations the engine knows, sorted.
func Operations() []string {
	names := make([]string, 0, len(operations))
	for name := range operations {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// Do runs the operation with the given name. body is the request's JSON, which
// the engine keeps parts of: the caller must not change it afterwards. A
// failure is a Fault in the answer's form.
func (e *Engine) Do(name string, body []byte) (answer []byte, fault *Fault) {
	op, ok := operations[name]
	switch {
	case !ok:
		return nil, errUnknownOp
	case len(body) > MaxBody:
		return nil, errTooLarge
	}
	if err := e.stopped(); err != nil {
		return nil, asFault(err)
	}
	e.settle()
	r := wire.NewReader(unsafe.String(unsafe.SliceData(body), len(body)))
	answer, err := op(e, r)
	r.Release()
	if lost := e.Sync(); lost != nil {
		return nil, asFault(lost)
	}
	if err != nil {
		return nil, asFault(err)
	}
	return answer, nil
}

// decode reads the request's members and checks that nothing else follows.
func decode(r *wire.Reader, class string, field func(name string)) error {
	if !r.Struct(class, field) && r.Err() == nil {
		return wire.SerializationError("")
	}
	r.End()
	return r.Err()
}

// settle brings the tables up to the present: items expire, and delayed index
// changes arrive.
func (e *Engine) settle() {
	now := e.cfg.Now()
	if now.UnixNano() < e.due.Load() {
		return
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.settleAll(now)
}

// settleAll is settle under the lock, whatever is due.
func (e *Engine) settleAll(now time.Time) {
	e.receive(now)
	next := e.settleStreams(now)
	var gone []string
	e.tables.Scan(func(name string, t *table) bool {
		if !t.goneAt.IsZero() && !t.goneAt.After(now) {
			gone = append(gone, name)
			return true
		}
		indexes := len(t.indexes)
		next = min(next, t.settle(now, e.cfg.ExpiryDelay, func(r *record) {
			e.follow(t, r, nil, now)
			e.record(t, r, nil, now, true)
		}))
		if len(t.indexes) < indexes {
			e.keepTable(t)
		}
		if !t.goneAt.IsZero() {
			next = min(next, t.goneAt.UnixNano())
		}
		for _, x := range t.indexes {
			if !x.goneAt.IsZero() {
				next = min(next, x.goneAt.UnixNano())
			}
		}
		return true
	})
	for _, name := range gone {
		e.drop(name)
	}
	e.due.Store(next)
	e.wake(e.inbox.first()) // read after the store, so that none is overlooked
}

// wake makes settle look again at the given time.
func (e *Engine) wake(at int64) {
	for due := e.due.Load(); at < due && !e.due.CompareAndSwap(due, at); {
		due = e.due.Load()
	}
}

// commit applies one item's change and sees to what it makes due later.
func (e *Engine) commit(t *table, old, new *record, now time.Time, lag time.Duration) {
	t.apply(old, new, now, lag)
	e.follow(t, old, new, now)
	e.record(t, old, new, now, false)
	if n := len(t.pending); n > 0 {
		e.wake(t.pending[0].due)
	}
	if t.ttl != "" {
		if _, ok := t.expiry(new); ok {
			e.wake(now.UnixNano())
		}
	}
}

// define makes t the table of its name, in the place of an earlier definition
// of it if there is one.
func (e *Engine) define(t *table) {
	e.tables.Set(t.name, t)
	e.keepTable(t)
}

// adopt is define for a table that comes with items and a past.
func (e *Engine) adopt(t *table) {
	e.define(t)
	e.keepItems(itemsPart+t.name, t)
	if e.disk == nil {
		return
	}
	if t.history != nil {
		t.history.log.Scan(func(seq uint64, _ undo) bool {
			e.keepUndo(t, seq)
			return true
		})
	}
	if t.group != nil {
		t.group.stamps.Scan(func(key string, s stamp) bool {
			e.keepStamp(t, key, s)
			return true
		})
	}
}

// drop removes the table with its items.
func (e *Engine) drop(name string) {
	e.tables.Delete(name)
	e.forgetTable(name)
}

// follow notes a change of an item for what follows the table's changes.
func (e *Engine) follow(t *table, old, new *record, now time.Time) {
	if old == new {
		return
	}
	if e.disk != nil {
		e.keep(itemsPart+t.name, shownRecord(old, new).key, new)
	}
	e.remember(t, old, new, now)
	e.replicate(t, old, new, now)
}

// lag returns how long this request's changes take to reach the GSIs.
func (e *Engine) lag(operation string) time.Duration {
	if e.cfg.Mishaps.IndexDelay == nil {
		return 0
	}
	return e.cfg.Mishaps.IndexDelay(operation)
}

// unprocessed reports whether the next part of a batch is to be left undone.
func (e *Engine) unprocessed(operation string) bool {
	return e.cfg.Mishaps.Unprocessed != nil && e.cfg.Mishaps.Unprocessed(operation)
}

// conflict reports whether the next write is to meet a transaction.
func (e *Engine) conflict(operation string) bool {
	return e.cfg.Mishaps.Conflict != nil && e.cfg.Mishaps.Conflict(operation)
}

// Snapshot is the state of an Engine at one moment, and that of the other
// regions it has.
type Snapshot struct {
	mu      sync.Mutex // copying a tree marks its nodes as shared
	own     state
	regions map[string]*state
}

// state is that of one region.
type state struct {
	tables  []*table
	streams btree.Map[string, *stream]
	tokens  tokens
	archive
	inbox *btree.Map[string, arrival]
}

func (s *state) copy() state {
	c := state{tokens: s.tokens.copy(), archive: s.archive.copy()}
	for _, t := range s.tables {
		c.tables = append(c.tables, t.copy())
	}
	c.streams = copyStreams(&s.streams, c.tables)
	if s.inbox != nil {
		c.inbox = s.inbox.Copy()
	}
	return c
}

// state returns the engine's present state, under the lock.
func (e *Engine) state() state {
	s := state{tokens: e.tokens.copy(), archive: e.archive.copy(), inbox: e.inbox.all()}
	e.tables.Scan(func(_ string, t *table) bool {
		s.tables = append(s.tables, t.copy())
		return true
	})
	s.streams = copyStreams(&e.streams, s.tables)
	return s
}

// set makes s the engine's state, under the lock.
func (e *Engine) set(s state) {
	e.keepRegion()
	e.streams = s.streams
	e.keepStreams()
	e.tables = btree.Map[string, *table]{}
	for _, t := range s.tables {
		e.adopt(t)
	}
	e.tokens = s.tokens
	e.keepTokens()
	e.archive = s.archive
	e.keepArchive()
	e.inbox.set(s.inbox)
	e.keepInbox()
	e.due.Store(0)
}

// Snapshot returns the present state, at a cost that does not depend on the
// number of items. It stays as it is whatever the engine does next.
func (e *Engine) Snapshot() *Snapshot {
	engines, unlock := e.world.lock()
	defer unlock()
	s := &Snapshot{own: e.state(), regions: make(map[string]*state)}
	for _, other := range engines {
		if other != e {
			there := other.state()
			s.regions[other.cfg.Region] = &there
		}
	}
	return s
}

// Restore sets the engine and the other regions back to s, which can be
// restored any number of times, into any engine. The error is that of Sync.
func (e *Engine) Restore(s *Snapshot) error {
	if err := e.stopped(); err != nil {
		return err
	}
	e.restoreAll(s)
	return e.Sync()
}

func (e *Engine) restoreAll(s *Snapshot) {
	for name := range s.regions {
		e.Region(name)
	}
	engines, unlock := e.world.lock()
	defer unlock()
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, other := range engines {
		if there, ok := s.regions[other.cfg.Region]; ok {
			other.set(there.copy())
		} else {
			other.set(state{})
		}
	}
	e.set(s.own.copy())
}
