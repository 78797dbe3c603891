package main

import (
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/dynorm/dynorm"
	"github.com/dynorm/dynorm/internal/patterntest"
	"github.com/dynorm/dynorm/internal/testdb"
)

// The README shows this program, which is short.
func TestReadmeShowsTheProgram(t *testing.T) {
	program, err := os.ReadFile("main.go")
	require.NoError(t, err)
	readme, err := os.ReadFile("../../README.md")
	require.NoError(t, err)
	require.Contains(t, string(readme), "```go\n"+string(program)+"```\n")
	require.LessOrEqual(t, strings.Count(string(program), "\n"), 40)
}

func TestAccessPatterns(t *testing.T) {
	schema, err := dynorm.NewSchema(User{})
	require.NoError(t, err)
	n := patterntest.Check(t, t, testdb.Open(t), schema, 1, 20)
	require.Positive(t, n.Items)
}

func Example() {
	main()
	// Output: in team blue: Anna
}
