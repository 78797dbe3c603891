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
// With Config.Endpoint or Config.Jar the same client speaks to DynamoDB Local
// instead.
package local

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodbstreams"

	"github.com/dynorm/dynorm/internal/engine"
)

// Config says what [Open] opens. The zero value is an empty engine in memory.
type Config struct {
	// Endpoint is the URL of a running DynamoDB Local (or anything that speaks
	// its protocol) to use instead of the embedded engine, such as
	// "http://localhost:8000". Excludes Jar.
	Endpoint string

	// Jar is the path of DynamoDBLocal.jar, to be run with java on a free
	// port, in memory, until Close. Excludes Endpoint.
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

	// ExpiryDelay is how long after its expiry (see UpdateTimeToLive) an item
	// is deleted by the embedded engine; the service takes up to days.
	// Defaults to ten seconds. Negative means none.
	ExpiryDelay time.Duration

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
}

// Open opens the DynamoDB that cfg describes. The embedded engine takes no
// time and starts no goroutine. With Jar, ctx bounds the wait for the process
// to answer.
func Open(ctx context.Context, cfg Config) (*Engine, error) {
	if cfg.Endpoint != "" && cfg.Jar != "" {
		return nil, errors.New("local: Config.Endpoint and Config.Jar exclude each other")
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
	e := &Engine{clock: cfg.Clock, close: func() error { return nil }}
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
		e.embedded = engine.New(engine.Config{
			Now: cfg.Clock.Now, Region: cfg.Region,
			TableDelay: cfg.TableDelay, ExpiryDelay: cfg.ExpiryDelay, Mishaps: e.door.mishaps(),
		})
		own := embedded{engine: e.embedded}
		if cfg.Credentials.HasKeys() {
			own.guard = &guard{cfg.Credentials, cfg.Region, time.Now}
		}
		e.door.backend = own
	}
	endpoint := "http://localhost"
	if r, ok := e.door.backend.(*remote); ok {
		endpoint = r.url
	}
	credentials := aws.NewCredentialsCache(cfg.provider())
	e.client = dynamodb.New(dynamodb.Options{
		Region:       cfg.Region,
		Credentials:  credentials,
		BaseEndpoint: aws.String(endpoint),
		HTTPClient:   transport{e.door},
	})
	e.streams = dynamodbstreams.New(dynamodbstreams.Options{
		Region:       cfg.Region,
		Credentials:  credentials,
		BaseEndpoint: aws.String(endpoint),
		HTTPClient:   transport{e.door},
	})
	return e, nil
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

// Close stops what Open started. The embedded engine's memory is free once the
// Engine and its client are out of use.
func (e *Engine) Close() error {
	e.door.close()
	return e.close()
}

// Snapshot is the state of an embedded engine at one moment: tables, items,
// indexes, streams, tags, idempotency tokens. It can be restored any number of times,
// into any embedded engine.
type Snapshot struct {
	state *engine.Snapshot
}

// Snapshot returns the present state. It takes the same short time however
// many items there are. The error is [ErrNotEmbedded].
func (e *Engine) Snapshot() (*Snapshot, error) {
	if e.embedded == nil {
		return nil, ErrNotEmbedded
	}
	return &Snapshot{e.embedded.Snapshot()}, nil
}

// Restore sets the state back to s, as quickly. The clock is left alone. The
// error is [ErrNotEmbedded].
func (e *Engine) Restore(s *Snapshot) error {
	if e.embedded == nil {
		return ErrNotEmbedded
	}
	e.embedded.Restore(s.state)
	return nil
}
