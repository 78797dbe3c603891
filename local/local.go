// Package local is DynamoDB for development and tests: an engine in this
// process behind the official client, with no network, Java or Docker.
//
//	engine, err := local.Open(ctx, local.Config{})
//	if err != nil {
//		return err
//	}
//	defer engine.Close()
//	client := engine.Client() // a *dynamodb.Client
//
// The client is the SDK's own, with its serialization, signing and retries;
// only its transport is replaced. [Engine.Handler] and [Serve] give the same
// engine to other SDKs and the AWS CLI. Tests can [Engine.Snapshot] a prepared
// state and restore it, move the [Clock], look at the requests that were sent
// ([Engine.Record]), and order faults ([Engine.Inject]).
//
// With Config.Path the engine keeps its state in a directory: what has been
// answered survives the end of the process, however it ends.
//
// With Config.Endpoint or Config.Jar the same client speaks to DynamoDB Local
// instead.
package local

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodbstreams"

	"github.com/dynorm/dynorm/internal/engine"
)

// Config says what [Open] opens. The zero value is an empty engine in memory.
type Config struct {
	// Path is the directory in which the embedded engine keeps its state; it
	// is made if it is not there. No request is answered before all that the
	// answer shows or says is on disk. One engine at a time can have it open.
	// Defaults to none: the state is in memory alone. Excludes Endpoint and
	// Jar.
	Path string

	// Endpoint is the URL of a running DynamoDB Local (or anything that speaks
	// its protocol) to use instead of the embedded engine, such as
	// "http://localhost:8000". Excludes Path and Jar.
	Endpoint string

	// Jar is the path of DynamoDBLocal.jar, to be run with java on a free
	// port, in memory, until Close. Excludes Path and Endpoint.
	Jar string

	// Region is the client's region, and that of ARNs. Defaults to
	// "us-east-1".
	Region string

	// Clock is the embedded engine's clock. Defaults to a new one, which runs
	// with the machine's until it is moved.
	Clock *Clock

	// TableDelay is how long tables and indexes of the embedded engine stay in
	// CREATING, UPDATING and DELETING. Defaults to none: the state shows in
	// the answer that begins it, and is over with the next request.
	TableDelay time.Duration

	// ReplicationDelay is how long a change to a table with replicas takes to
	// the other regions (see [Engine.ClientFor]), by the Clock. Defaults to
	// none: the next request there finds it.
	ReplicationDelay time.Duration

	// ExpiryDelay is how long after its expiry (see UpdateTimeToLive) an item
	// is deleted by the embedded engine; the service takes up to days.
	// Defaults to ten seconds. Negative means none.
	ExpiryDelay time.Duration

	// Buckets is a directory that stands for S3: the embedded engine's
	// ExportTableToPointInTime writes to the sub-directory that has the name
	// of the bucket, and ImportTable reads from there. What is missing is made.
	// Defaults to none, and both are refused.
	Buckets string

	// Credentials are what the client signs with. If they are given, they are
	// also the only ones that the embedded engine accepts, over HTTP too: the
	// signature of every request is checked, and what is wrong with it is
	// answered as the service does. Defaults to none, and everyone is let in.
	Credentials aws.Credentials

	// Seed seeds the choice of the requests that injected faults hit. Defaults
	// to zero, which is a seed like any other.
	Seed uint64
}

// ErrNotEmbedded is the error of what only the embedded engine can do.
var ErrNotEmbedded = errors.New("local: only the embedded engine can do this, and the Config names an Endpoint or Jar")

// Engine is an open DynamoDB. It is safe for concurrent use.
type Engine struct {
	client   *dynamodb.Client
	streams  *dynamodbstreams.Client
	door     *door
	embedded *engine.Engine // nil for an endpoint
	clock    *Clock
	close    func() error

	cfg     Config
	mu      sync.Mutex
	regions map[string]*dynamodb.Client
}

// Open opens the DynamoDB that cfg describes. The embedded engine in memory
// takes no time; one with a Path reads all that is there, and ctx bounds the
// wait for another engine to let go of it, which is a second at most. Neither
// starts a goroutine. With Jar, ctx bounds the wait for the process to answer.
func Open(ctx context.Context, cfg Config) (*Engine, error) {
	if cfg.Endpoint != "" && cfg.Jar != "" {
		return nil, errors.New("local: Config.Endpoint and Config.Jar exclude each other")
	}
	if cfg.Path != "" && cfg.Endpoint != "" {
		return nil, errors.New("local: Config.Path and Config.Endpoint exclude each other: a Path is for the embedded engine")
	}
	if cfg.Path != "" && cfg.Jar != "" {
		return nil, errors.New("local: Config.Path and Config.Jar exclude each other: a Path is for the embedded engine")
	}
	if (cfg.Credentials.AccessKeyID == "") != (cfg.Credentials.SecretAccessKey == "") {
		return nil, errors.New("local: Config.Credentials needs both AccessKeyID and SecretAccessKey, or neither")
	}
	if cfg.Region == "" {
		cfg.Region = "us-east-1"
	}
	if cfg.Clock == nil {
		cfg.Clock = &Clock{}
	}
	e := &Engine{clock: cfg.Clock, close: func() error { return nil }, cfg: cfg, regions: make(map[string]*dynamodb.Client)}
	switch {
	case cfg.Jar != "":
		process, endpoint, err := startJar(ctx, cfg.Jar)
		if err != nil {
			return nil, fmt.Errorf("local: %w", err)
		}
		e.door = newDoor(newRemote(endpoint), cfg.Seed)
		e.close = process.stop
	case cfg.Endpoint != "":
		e.door = newDoor(newRemote(cfg.Endpoint), cfg.Seed)
	default:
		e.door = newDoor(nil, cfg.Seed)
		var err error
		if e.embedded, err = cfg.engine(ctx, cfg.mishaps(e.door)); err != nil {
			return nil, fmt.Errorf("local: %w", err)
		}
		e.close = e.embedded.Close
		e.door.backend = cfg.embed(e.embedded, cfg.Region)
	}
	endpoint := "http://localhost"
	if r, ok := e.door.backend.(*remote); ok {
		endpoint = r.url
	}
	e.client = cfg.client(e.door, cfg.Region, endpoint)
	e.streams = dynamodbstreams.New(dynamodbstreams.Options{
		Region:       cfg.Region,
		Credentials:  aws.NewCredentialsCache(cfg.provider()),
		BaseEndpoint: aws.String(endpoint),
		HTTPClient:   transport{e.door},
	})
	return e, nil
}

// mishaps are the engine's, with the delay between regions.
func (cfg Config) mishaps(d *door) engine.Mishaps {
	m := d.mishaps()
	m.ReplicationDelay = func(string, string) time.Duration { return cfg.ReplicationDelay }
	return m
}

// embed returns the backend over an engine of the given region.
func (cfg Config) embed(own *engine.Engine, region string) embedded {
	b := embedded{engine: own}
	if cfg.Credentials.HasKeys() {
		b.guard = &guard{cfg.Credentials, region, time.Now}
	}
	return b
}

// client returns a client of the given region that goes through d.
func (cfg Config) client(d *door, region, endpoint string) *dynamodb.Client {
	return dynamodb.New(dynamodb.Options{
		Region:       region,
		Credentials:  aws.NewCredentialsCache(cfg.provider()),
		BaseEndpoint: aws.String(endpoint),
		HTTPClient:   transport{d},
	})
}

// engine returns the embedded engine.
func (cfg Config) engine(ctx context.Context, mishaps engine.Mishaps) (*engine.Engine, error) {
	own := engine.Config{
		Now: cfg.Clock.Now, Region: cfg.Region,
		TableDelay: cfg.TableDelay, ExpiryDelay: cfg.ExpiryDelay, Buckets: cfg.Buckets, Mishaps: mishaps,
	}
	if cfg.Path == "" {
		return engine.New(own), nil
	}
	return engine.Open(ctx, own, cfg.Path)
}

// provider returns the credentials that the client signs with.
func (cfg Config) provider() aws.CredentialsProviderFunc {
	own := cfg.Credentials
	if !own.HasKeys() {
		own.AccessKeyID, own.SecretAccessKey = "local", "local"
	}
	own.Source = "dynorm/local"
	return func(context.Context) (aws.Credentials, error) { return own, nil }
}

// Client returns the client. All calls return the same one.
func (e *Engine) Client() *dynamodb.Client { return e.client }

// ClientFor returns a client for another region of the same engine, which is
// empty at first. UpdateTable with ReplicaUpdates makes a table there that
// is kept like its source: what changes in one region arrives in the others
// after Config.ReplicationDelay, and the last writer of an item wins. All
// regions share the Clock, the faults, the recorders and snapshots. For the
// Config's own region it returns what [Engine.Client] does. The error is
// [ErrNotEmbedded], or that of an empty name.
func (e *Engine) ClientFor(region string) (*dynamodb.Client, error) {
	switch {
	case e.embedded == nil:
		return nil, ErrNotEmbedded
	case region == "":
		return nil, errors.New("local: ClientFor needs the name of a region")
	case region == e.cfg.Region:
		return e.client, nil
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	c, ok := e.regions[region]
	if !ok {
		d := e.door.to(e.cfg.embed(e.embedded.Region(region), region), e.cfg.Seed)
		c = e.cfg.client(d, region, "http://localhost")
		e.regions[region] = c
	}
	return c, nil
}

// Streams returns the client that reads the streams of the same tables: those
// that CreateTable or UpdateTable gave a StreamSpecification. All calls return
// the same one. In the embedded engine shards roll over every four hours and
// records are trimmed after 24 hours of the [Clock].
func (e *Engine) Streams() *dynamodbstreams.Client { return e.streams }

// Handler returns an http.Handler that answers DynamoDB requests of any SDK
// and of the AWS CLI. Signatures are accepted unseen, unless the Config names
// Credentials.
func (e *Engine) Handler() http.Handler { return handler{e.door} }

// Clock returns the clock that the embedded engine goes by.
func (e *Engine) Clock() *Clock { return e.clock }

// Close stops what Open started, and lets go of a Path. The embedded engine's
// memory is free once the Engine and its client are out of use. The error is
// that of a change that could not be stored, if there was one.
func (e *Engine) Close() error {
	e.door.close()
	if err := e.close(); err != nil {
		return fmt.Errorf("local: close: %w", err)
	}
	return nil
}

// Snapshot is the state of an embedded engine at one moment: tables, items,
// indexes, streams, tags, idempotency tokens, backups, and all of its regions.
// It can be restored any number of times,
// into any embedded engine.
type Snapshot struct {
	state *engine.Snapshot
}

// Snapshot returns the present state. It takes the same short time however
// many items there are. The error is [ErrNotEmbedded], or with a Path that of a
// change that could not be stored.
func (e *Engine) Snapshot() (*Snapshot, error) {
	if e.embedded == nil {
		return nil, ErrNotEmbedded
	}
	s := &Snapshot{e.embedded.Snapshot()}
	if err := e.embedded.Sync(); err != nil {
		return nil, fmt.Errorf("local: snapshot: %w", err)
	}
	return s, nil
}

// Restore sets the state back to s, as quickly in memory; with a Path all of it
// is written, at once or not at all. The clock is left alone. The error is
// [ErrNotEmbedded], or with a Path that of the write.
func (e *Engine) Restore(s *Snapshot) error {
	if e.embedded == nil {
		return ErrNotEmbedded
	}
	if err := e.embedded.Restore(s.state); err != nil {
		return fmt.Errorf("local: restore: %w", err)
	}
	return nil
}
