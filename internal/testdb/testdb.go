// Package testdb gives tests a DynamoDB to run on: the same test on either of
// two engines.
//
// By default it is the embedded engine, an empty one for each test. Where
// DYNORM_TEST_ENDPOINT is set, it is the server that listens there, DynamoDB
// Local as a rule (scripts/dynamodb-local starts one and prints its endpoint),
// which all tests share: they name their tables by [Table]. Where
// DYNORM_TEST_WIRE is "off", clients are such that dynorm leaves all of the
// (de)serialization to the SDK. Nothing else is read from the environment.
package testdb

import (
	"context"
	"fmt"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"github.com/dynorm/dynorm/local"
)

// EndpointVar is the environment variable that names the endpoint tests run
// on.
const EndpointVar = "DYNORM_TEST_ENDPOINT"

// WireVar is the environment variable that turns dynorm's wire codec off.
const WireVar = "DYNORM_TEST_WIRE"

// foreign is a protocol that dynorm does not know.
type foreign struct{ smithyhttp.ClientProtocol }

func (foreign) ID() smithy.ShapeID { return smithy.ShapeID{Namespace: "dynorm.test", Name: "foreign"} }

// Endpoint returns the URL of the server that tests run on, or "" where they
// run on the embedded engine.
func Endpoint() string { return strings.TrimSuffix(os.Getenv(EndpointVar), "/") }

// Engine opens the engine that tests run on, until the test ends. Faults and
// recorded requests work on both; what needs the embedded one alone, such as
// its clock, is for tests that open it themselves.
func Engine(t testing.TB) *local.Engine {
	t.Helper()
	engine, err := local.Open(t.Context(), local.Config{Endpoint: Endpoint()})
	if err != nil {
		t.Fatalf("testdb: %v", err)
	}
	t.Cleanup(func() {
		if err := engine.Close(); err != nil {
			t.Errorf("testdb: %v", err)
		}
	})
	return engine
}

// Open returns a client for the engine that tests run on. Options change the
// client, not the engine.
func Open(t testing.TB, options ...func(*dynamodb.Options)) *dynamodb.Client {
	t.Helper()
	client := Engine(t).Client()
	if os.Getenv(WireVar) == "off" {
		options = append(options, func(o *dynamodb.Options) { o.Protocol = foreign{o.Protocol} })
	}
	if len(options) == 0 {
		return client
	}
	return dynamodb.New(client.Options(), options...)
}

var tableCount atomic.Uint64

// Table returns a table name that no other test is given, in this process or
// in another one on the same endpoint. It creates nothing; the table of that
// name is deleted when the test ends.
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
	name = fmt.Sprintf("%s.%d.%d", name, os.Getpid(), tableCount.Add(1))
	if Endpoint() != "" {
		client := Engine(t).Client()
		t.Cleanup(func() {
			ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
			defer cancel()
			if err := drop(ctx, client, name); err != nil {
				t.Errorf("testdb: delete table %s: %v", name, err)
			}
		})
	}
	return name
}
