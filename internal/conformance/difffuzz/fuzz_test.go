package difffuzz_test

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/dynorm/dynorm/internal/conformance"
	"github.com/dynorm/dynorm/internal/conformance/difffuzz"
	"github.com/dynorm/dynorm/local"
	"github.com/stretchr/testify/require"
)

func embedded(t *testing.T) http.Handler {
	t.Helper()
	e, err := local.Open(t.Context(), local.Config{})
	require.NoError(t, err)
	return e.Handler()
}

// TestAgainstLocal is a short run against DynamoDB Local; cmd/difffuzz does
// long ones.
func TestAgainstLocal(t *testing.T) {
	url := os.Getenv("DYNORM_TEST_ENDPOINT")
	if url == "" {
		t.Skip("DYNORM_TEST_ENDPOINT is not set")
	}
	report, err := difffuzz.Run(t.Context(), difffuzz.Config{
		Local:  conformance.URLEndpoint("DynamoDB Local", url),
		Engine: conformance.HandlerEndpoint("embedded engine", embedded(t)),
		Seed:   20260528, Requests: 3000,
	})
	require.NoError(t, err)
	require.GreaterOrEqual(t, report.Requests, 3000)
	for _, f := range report.Findings {
		t.Error(f)
	}
}

// TestDocumented holds docs/engine.md to the list of differences.
func TestDocumented(t *testing.T) {
	page, err := os.ReadFile(filepath.Join("..", "..", "..", "docs", "engine.md"))
	require.NoError(t, err)
	require.Contains(t, string(page), difffuzz.Table(), "docs/engine.md lacks what difffuzz -list prints")
	names := map[string]bool{}
	for _, d := range difffuzz.Allowed {
		require.False(t, names[d.Name], "two differences are called %q", d.Name)
		names[d.Name] = true
		require.NotEmpty(t, d.Why, d.Name)
		require.NotEmpty(t, d.Page, d.Name)
	}
}

// TestAgainstItself holds the fuzzer to its word: an engine does not differ
// from itself, and its answers are not all refusals.
func TestAgainstItself(t *testing.T) {
	report, err := difffuzz.Run(t.Context(), difffuzz.Config{
		Local:  conformance.HandlerEndpoint("one", embedded(t)),
		Engine: conformance.HandlerEndpoint("other", embedded(t)),
		Seed:   1, Requests: 3000,
	})
	require.NoError(t, err)
	require.Empty(t, report.Findings)
	require.Empty(t, report.Allowed)
	require.Less(t, report.Failed, report.Requests*6/10)
	require.Greater(t, len(report.Ops), 15)
}

// TestFindsAFault plants one and expects to be shown it, in few requests.
func TestFindsAFault(t *testing.T) {
	sound, faulty := embedded(t), embedded(t)
	report, err := difffuzz.Run(t.Context(), difffuzz.Config{
		Local: conformance.HandlerEndpoint("sound", sound),
		Engine: conformance.HandlerEndpoint("faulty", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			rec := httptest.NewRecorder()
			faulty.ServeHTTP(rec, r)
			body := rec.Body.Bytes()
			if strings.HasSuffix(r.Header.Get("X-Amz-Target"), ".GetItem") {
				body = bytes.ReplaceAll(body, []byte(`"hello"`), []byte(`"hallo"`))
			}
			w.WriteHeader(rec.Code)
			_, _ = w.Write(body)
		})),
		Seed: 1, Requests: 20000, MaxFindings: 1,
	})
	require.NoError(t, err)
	require.NotEmpty(t, report.Findings)
	for _, f := range report.Findings {
		require.LessOrEqual(t, len(f.Requests), 4, "%s", f)
		require.True(t, strings.HasPrefix(f.Requests[0], "CreateTable"), "%s", f)
		require.True(t, strings.HasPrefix(f.Requests[len(f.Requests)-1], "GetItem"), "%s", f)
		require.Contains(t, f.Engine, "hallo")
	}
}
