package dynorm_test

import (
	"net"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"github.com/dynorm/dynorm"
)

// Connections of many goroutines are used again: rounds of 64 requests that are
// all in flight at once open about 64 connections, not one each.
func TestNewClientKeepsConnections(t *testing.T) {
	const workers, rounds = 64, 5
	var opened atomic.Int64
	var round sync.WaitGroup // the requests of a round wait for each other
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		round.Done()
		round.Wait()
		w.Header().Set("Content-Type", "application/x-amz-json-1.0")
		_, _ = w.Write([]byte(`{"Item":{"pk":{"S":"SUNDRY"},"sk":{"S":"S#a"},"id":{"S":"a"}}}`))
	}))
	server.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			opened.Add(1)
		}
	}
	server.Start()
	defer server.Close()
	schema, err := dynorm.NewSchema(Sundry{})
	require.NoError(t, err)
	client := dynorm.NewClient(aws.Config{
		Region: "us-east-1", Credentials: credentials.NewStaticCredentialsProvider("key", "secret", ""),
	}, func(o *dynamodb.Options) { o.BaseEndpoint = &server.URL })
	db, err := dynorm.Open(client, schema, dynorm.Config{Table: "sundries"})
	require.NoError(t, err)
	for range rounds {
		round.Add(workers)
		var g errgroup.Group
		for range workers {
			g.Go(func() error {
				_, err := dynorm.ModelOf[Sundry](db).Find(t.Context(), "a")
				return err
			})
		}
		require.NoError(t, g.Wait())
	}
	// A connection may not be free again yet when the next round begins.
	require.LessOrEqual(t, opened.Load(), int64(workers*3/2), "of %d requests", workers*rounds)
}

// A configuration's own HTTP client is kept.
func TestNewClientKeepsHTTPClient(t *testing.T) {
	own := &http.Client{}
	require.Same(t, own, dynorm.NewClient(aws.Config{HTTPClient: own}).Options().HTTPClient)
}
