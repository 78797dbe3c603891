package dynorm_test

import (
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// The code of docs/queries.md is that of the examples, which run.
func TestQueriesDocIsExamples(t *testing.T) {
	doc, err := os.ReadFile("docs/queries.md")
	require.NoError(t, err)
	source, err := os.ReadFile("example_query_test.go")
	require.NoError(t, err)
	examples := strings.ReplaceAll(string(source), "\n\t// ", "\n")
	blocks := 0
	for i, block := range strings.Split(string(doc), "```") {
		if i%2 == 0 {
			continue
		}
		blocks++
		code := strings.TrimPrefix(strings.TrimPrefix(block, "go"), "\n")
		if !strings.Contains(examples, code) {
			t.Errorf("no example has this code of docs/queries.md:\n%s", code)
		}
	}
	require.Greater(t, blocks, 10)
}
