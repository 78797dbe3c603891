package local_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"reflect"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodbstreams"
	"github.com/stretchr/testify/require"

	"github.com/dynorm/dynorm/local"
)

// documented returns what docs/engine.md says of each operation.
func documented(t *testing.T) map[string]string {
	t.Helper()
	text, err := os.ReadFile("../docs/engine.md")
	require.NoError(t, err)
	_, rest, found := strings.Cut(string(text), "| Operation | State |\n|---|---|\n")
	require.True(t, found)
	table, _, _ := strings.Cut(rest, "\n\n")
	states := make(map[string]string)
	for line := range strings.Lines(table) {
		cells := strings.Split(strings.TrimSpace(line), " | ")
		require.Len(t, cells, 2, line)
		for name := range strings.SplitSeq(strings.TrimPrefix(cells[0], "| "), ", ") {
			require.Empty(t, states[name], "%s is there twice", name)
			states[name] = cells[1]
		}
	}
	return states
}

// TestOperations holds every operation of the SDK's clients to the table in
// docs/engine.md: it is named there, and known or not as the table says.
func TestOperations(t *testing.T) {
	e, err := local.Open(t.Context(), local.Config{})
	require.NoError(t, err)
	server := httptest.NewServer(e.Handler())
	defer server.Close()
	states := documented(t)
	known, unknown := 0, 0
	for target, client := range map[string]reflect.Type{
		"DynamoDB_20120810.":        reflect.TypeFor[*dynamodb.Client](),
		"DynamoDBStreams_20120810.": reflect.TypeFor[*dynamodbstreams.Client](),
	} {
		for i := range client.NumMethod() {
			name := client.Method(i).Name
			if name == "Options" {
				continue
			}
			state := states[name]
			require.NotEmpty(t, state, "docs/engine.md does not name %s", name)
			delete(states, name)
			r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, server.URL, strings.NewReader("{}"))
			require.NoError(t, err)
			r.Header.Set("X-Amz-Target", target+name)
			r.Header.Set("Content-Type", "application/x-amz-json-1.0")
			answer, err := server.Client().Do(r)
			require.NoError(t, err)
			body, err := io.ReadAll(answer.Body)
			require.NoError(t, err)
			require.NoError(t, answer.Body.Close())
			refused := strings.HasPrefix(state, "UnknownOperationException")
			require.Equal(t, refused, strings.Contains(string(body), "UnknownOperationException"), "%s: %s", name, body)
			if refused {
				unknown++
			} else {
				known++
			}
		}
	}
	require.Empty(t, states, "the SDK has no such operations")
	t.Logf("%d operations known, %d unknown", known, unknown)
}
