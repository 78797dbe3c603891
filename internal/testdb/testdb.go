// Package testdb gives tests a DynamoDB to run on: the same test on either of
// two engines.
//
// Where DYNORM_TEST_ENDPOINT is set, it is the engine that listens there,
// DynamoDB Local as a rule (scripts/dynamodb-local starts one and prints its
// endpoint). Nothing is read from the environment beside that: credentials and
// region are fixed.
package testdb

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/smithy-go/middleware"

	"github.com/dynorm/dynorm/local"
)

// EndpointVar is the environment variable that names the endpoint tests run
// on.
const EndpointVar = "DYNORM_TEST_ENDPOINT"

// Region is the region every test client signs for.
const Region = "us-east-1"

// Credentials are the credentials every test client signs with. No engine
// checks them.
var Credentials = aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
	return aws.Credentials{AccessKeyID: "dynorm", SecretAccessKey: "dynorm", Source: "testdb"}, nil
})

// Endpoint returns the URL of the engine that tests run on, or "" where they
// run on the embedded engine.
func Endpoint() string { return strings.TrimSuffix(os.Getenv(EndpointVar), "/") }

// Open returns a client for the engine that tests run on: an embedded one of
// the test's own, or the one at [Endpoint], where tables created through the
// client are deleted when the test ends.
func Open(t testing.TB, options ...func(*dynamodb.Options)) *dynamodb.Client {
	t.Helper()
	if Endpoint() == "" {
		return openEmbedded(t, options)
	}
	return openEndpoint(t, Endpoint(), options)
}

// openEmbedded returns a client for a new embedded engine.
func openEmbedded(t testing.TB, options []func(*dynamodb.Options)) *dynamodb.Client {
	t.Helper()
	engine, err := local.Open(t.Context(), local.Config{Region: Region})
	if err != nil {
		t.Fatalf("testdb: open the embedded engine: %v", err)
	}
	t.Cleanup(func() {
		if err := engine.Close(); err != nil {
			t.Errorf("testdb: close the embedded engine: %v", err)
		}
	})
	return dynamodb.New(engine.Client().Options(), options...)
}

// openEndpoint returns a client for the engine at url that forgets the test's
// tables when the test ends.
func openEndpoint(t testing.TB, url string, options []func(*dynamodb.Options)) *dynamodb.Client {
	t.Helper()
	// A transport of the test's own leaves no idle connection behind, so that
	// leak checks see only what the test leaked.
	transport := &http.Transport{MaxIdleConnsPerHost: 64}
	var tables tableSet
	base := dynamodb.Options{
		BaseEndpoint: aws.String(url),
		Region:       Region,
		Credentials:  Credentials,
		HTTPClient:   &http.Client{Transport: transport},
	}
	client := dynamodb.New(base, append(options, func(o *dynamodb.Options) {
		o.APIOptions = append(o.APIOptions, tables.record)
	})...)
	// The deletions go through a client of their own: the test's may have been
	// given options that make requests fail.
	cleaner := dynamodb.New(base)
	t.Cleanup(func() {
		defer transport.CloseIdleConnections()
		ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
		defer cancel()
		for _, name := range tables.list() {
			if err := drop(ctx, cleaner, name); err != nil {
				t.Errorf("testdb: delete table %s: %v", name, err)
			}
		}
	})
	return client
}

// tableSet collects the names of the tables that a client created.
type tableSet struct {
	mu    sync.Mutex
	names []string
}

// record adds to a client's operations the step that notes created tables.
func (s *tableSet) record(stack *middleware.Stack) error {
	return stack.Initialize.Add(middleware.InitializeMiddlewareFunc("testdb.RecordTables",
		func(ctx context.Context, in middleware.InitializeInput, next middleware.InitializeHandler) (middleware.InitializeOutput, middleware.Metadata, error) {
			out, metadata, err := next.HandleInitialize(ctx, in)
			if err == nil {
				if create, ok := in.Parameters.(*dynamodb.CreateTableInput); ok {
					s.mu.Lock()
					s.names = append(s.names, aws.ToString(create.TableName))
					s.mu.Unlock()
				}
			}
			return out, metadata, err
		}), middleware.After)
}

func (s *tableSet) list() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.names
}

var tableCount atomic.Uint64

// Table returns a table name that no other test of this run, in this process
// or in another one on the same endpoint, is given. It creates nothing.
func Table(t testing.TB) string {
	t.Helper()
	name := strings.Map(func(r rune) rune {
		switch {
		case 'a' <= r && r <= 'z', 'A' <= r && r <= 'Z', '0' <= r && r <= '9', r == '_', r == '-', r == '.':
			return r
		}
		return '-'
	}, t.Name())
	// DynamoDB allows 255 characters.
	name = name[:min(len(name), 200)]
	return fmt.Sprintf("%s.%d.%d", name, os.Getpid(), tableCount.Add(1))
}
