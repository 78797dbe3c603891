package local_test

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/dynorm/dynorm/local"
)

func TestServe(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- local.Serve(ctx, "127.0.0.1:0", local.Config{Path: t.TempDir()}) }()
	time.Sleep(20 * time.Millisecond)
	cancel()
	require.NoError(t, <-done, "the end of the context is no error")
	require.Error(t, local.Serve(t.Context(), "no port", local.Config{}))

	e := open(t, local.Config{})
	s, err := e.Listen(":0")
	require.NoError(t, err)
	require.True(t, strings.HasPrefix(s.URL(), "http://127.0.0.1:"), "loopback unless told: %s", s.URL())
	remote, err := local.Open(t.Context(), local.Config{Endpoint: s.URL() + "/"})
	require.NoError(t, err)
	r := remote.Record()
	require.NoError(t, putOnce(t, remote, "a"))
	require.True(t, exists(t, e, "a"))
	require.Equal(t, []string{"PutItem"}, r.Operations())
	require.NoError(t, remote.Close())
	require.NoError(t, s.Close())
}

// TestProtocol looks at what goes over the wire.
func TestProtocol(t *testing.T) {
	h := open(t, local.Config{}).Handler()
	for _, tc := range []struct {
		name, target string
		body         io.Reader
		status       int
		answer       string
	}{
		{"answer", "DynamoDB_20120810.ListTables", strings.NewReader("{}"), 200, `{"TableNames":["app"]}`},
		{"unknown operation", "DynamoDB_20120810.Frobnicate", strings.NewReader("{}"), 400, `{"__type":"com.amazon.coral.service#UnknownOperationException"}`},
		{"other service", "Kinesis_20131202.ListTables", strings.NewReader("{}"), 400, `{"__type":"com.amazon.coral.service#UnknownOperationException"}`},
		{"no JSON", "DynamoDB_20120810.ListTables", strings.NewReader("{"), 400, `{"__type":"com.amazon.coral.service#SerializationException"}`},
		{"too large", "DynamoDB_20120810.PutItem", bytes.NewReader(make([]byte, 16<<20+1)), 413, `{"__type":"com.amazon.coral.service#RequestEntityTooLargeException","message":"Request size exceeded the limit"}`},
		{"too large, of unknown length", "DynamoDB_20120810.PutItem", io.MultiReader(bytes.NewReader(make([]byte, 16<<20+1))), 413, `{"__type":"com.amazon.coral.service#RequestEntityTooLargeException","message":"Request size exceeded the limit"}`},
		{"unknown length", "DynamoDB_20120810.ListTables", io.MultiReader(strings.NewReader("{}")), 200, `{"TableNames":["app"]}`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			r := httptest.NewRequest(http.MethodPost, "/", tc.body)
			r.Header.Set("X-Amz-Target", tc.target)
			w := httptest.NewRecorder()
			h.ServeHTTP(w, r)
			require.Equal(t, tc.status, w.Code)
			require.Equal(t, tc.answer, w.Body.String())
			require.Equal(t, "application/x-amz-json-1.0", w.Header().Get("Content-Type"))
			require.NotEmpty(t, w.Header().Get("X-Amz-Crc32"))
			require.Len(t, w.Header().Get("X-Amzn-Requestid"), 52)
		})
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/", nil))
	require.Contains(t, w.Body.String(), "healthy")
}
