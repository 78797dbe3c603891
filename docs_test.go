package dynorm_test

import (
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// The code of the pages is that of the examples, which run.
func TestDocsAreExamples(t *testing.T) {
	docIsExamples(t, "docs/queries.md", "example_query_test.go", 10)
	docIsExamples(t, "docs/writes.md", "example_writes_test.go", 8)
	docIsExamples(t, "docs/extending.md", "example_extending_test.go", 4)
}

func docIsExamples(t *testing.T, page, examplesFile string, atLeast int) {
	t.Helper()
	doc, err := os.ReadFile(page)
	require.NoError(t, err)
	source, err := os.ReadFile(examplesFile)
	require.NoError(t, err)
	examples := strings.ReplaceAll(string(source), "\n\t// ", "\n")
	dedented := strings.ReplaceAll(examples, "\n\t", "\n")
	blocks := 0
	for i, block := range strings.Split(string(doc), "```") {
		if i%2 == 0 {
			continue
		}
		blocks++
		code := strings.TrimPrefix(strings.TrimPrefix(block, "go"), "\n")
		if !strings.Contains(examples, code) && !strings.Contains(dedented, strings.TrimRight(code, "\n")) {
			t.Errorf("no example has this code of %s:\n%s", page, code)
		}
	}
	require.Greater(t, blocks, atLeast)
}
