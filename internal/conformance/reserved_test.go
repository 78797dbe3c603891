package conformance_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/dynorm/dynorm/internal/conformance"
	"github.com/stretchr/testify/require"
)

// TestReservedWords tries every word of the developer guide's list "Reserved
// words in DynamoDB" as an attribute name, in two spellings.
func TestReservedWords(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("testdata", "reserved.txt"))
	require.NoError(t, err)
	words := strings.Fields(string(text))
	require.Len(t, words, 573)

	// The grammar's own words can't be read as names at all.
	keywords := []string{"ADD", "AND", "BETWEEN", "DELETE", "IN", "NOT", "OR", "SET"}
	// DynamoDB Local knows these two words no more.
	forgotten := []string{"CONVERT", "SIZE"}

	for _, e := range endpoints(t) {
		t.Run(e.Name, func(t *testing.T) {
			c := &conformance.Case{Tables: []string{"T_hash"}}
			for _, word := range words {
				for _, name := range []string{strings.ToLower(word), word[:1] + strings.ToLower(word[1:])} {
					want := &conformance.Expect{
						Status: 400, Code: "ValidationException",
						Message: "Invalid ProjectionExpression: Attribute name is a reserved keyword; reserved keyword: " + name,
					}
					switch {
					case slices.Contains(keywords, word):
						want.Message = fmt.Sprintf(`Invalid ProjectionExpression: Syntax error; token: "%s", near: "%s"`, name, name)
					case e.Local && slices.Contains(forgotten, word):
						want = &conformance.Expect{Status: 200, Body: "{}"}
					}
					c.Steps = append(c.Steps, conformance.Step{
						Op: "GetItem", Want: want,
						Body: fmt.Sprintf(`{"TableName": "T_hash", "Key": {"pk": {"S": "a"}}, "ProjectionExpression": %q}`, name),
					})
				}
			}
			for _, fault := range conformance.NewRunner(e, fixtures(t)).Run(t.Context(), c) {
				t.Error(fault)
			}
		})
	}
}
