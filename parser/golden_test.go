package parser_test

import (
	"encoding/json"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/stretchr/testify/require"

	"github.com/dynorm/dynorm/internal/golden"
	"github.com/dynorm/dynorm/parser"
)

const goldenDir = "../testdata/parser"

// goldenCase is a set of structs whose definitions, or whose faults, stand in
// the golden file of its name.
type goldenCase struct {
	name, why string
	types     []reflect.Type
	// fails says that the file holds faults.
	fails bool
}

// structs lists the types of values.
func structs(values ...any) []reflect.Type {
	list := make([]reflect.Type, len(values))
	for i, v := range values {
		list[i] = reflect.TypeOf(v)
	}
	return list
}

func goldenCases() []goldenCase {
	return slices.Concat(fieldCases, structCases, entityCases, relationCases, tagFaultCases, definitionFaultCases)
}

func TestGolden(t *testing.T) {
	cases := goldenCases()
	failing := 0
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			f := golden.Open(t, filepath.Join(goldenDir, c.name+".txtar"))
			f.Explain(t, c.why)
			entities, err := parser.ParseAll(c.types...)
			if c.fails {
				require.Error(t, err)
				f.Compare(t, "faults.txt", err.Error())
				f.Only(t, "faults.txt")
				return
			}
			require.NoError(t, err)
			f.Compare(t, "definition.json", marshal(t, entities))
			f.Only(t, "definition.json")
		})
		if c.fails {
			failing++
		}
	}
	require.GreaterOrEqual(t, failing*5, len(cases), "one case in five must be a failing input")
}

// TestGoldenFiles finds files that no case reads.
func TestGoldenFiles(t *testing.T) {
	names := map[string]bool{}
	for _, c := range goldenCases() {
		require.False(t, names[c.name], "two cases are called %s", c.name)
		names[c.name] = true
	}
	for _, path := range golden.Paths(t, goldenDir) {
		name := strings.TrimSuffix(filepath.Base(path), ".txtar")
		if !strings.HasPrefix(name, "json-") {
			require.True(t, names[name], "no case reads %s", path)
		}
	}
}

// TestGoldenJSON runs the cases whose input is JSON: it is read, its relations
// are resolved, and the outcome stands in the same file.
func TestGoldenJSON(t *testing.T) {
	for _, path := range golden.Paths(t, goldenDir) {
		if !strings.HasPrefix(filepath.Base(path), "json-") {
			continue
		}
		f := golden.Open(t, path)
		t.Run(f.Name(), func(t *testing.T) {
			require.NotEmpty(t, f.Comment())
			input, ok := f.Section("input.json")
			require.True(t, ok)
			entities, err := parser.FromJSON([]byte(input))
			if err == nil {
				err = parser.Resolve(entities)
			}
			if err != nil {
				f.Compare(t, "faults.txt", err.Error())
				f.Only(t, "input.json", "faults.txt")
				return
			}
			f.Compare(t, "definition.json", marshal(t, entities))
			f.Only(t, "input.json", "definition.json")
		})
	}
}

// TestGoldenRoundTrip reads every golden definition back from its JSON.
func TestGoldenRoundTrip(t *testing.T) {
	n := 0
	for _, c := range goldenCases() {
		if c.fails {
			continue
		}
		want, err := parser.ParseAll(c.types...)
		require.NoError(t, err)
		text := marshal(t, want)
		got, err := parser.FromJSON([]byte(text))
		require.NoError(t, err, c.name)
		require.NoError(t, parser.Resolve(got), c.name)
		if diff := cmp.Diff(want, got, ignoreReflection...); diff != "" {
			t.Errorf("%s (-parsed +read back):\n%s", c.name, diff)
		}
		require.Equal(t, text, marshal(t, got), c.name)
		n++
	}
	require.Greater(t, n, 20)
}

// ignoreReflection leaves out what does not survive JSON.
var ignoreReflection = cmp.Options{
	cmpopts.IgnoreFields(parser.Entity{}, "Reflect"),
	cmpopts.IgnoreFields(parser.Field{}, "Path"),
	cmpopts.IgnoreFields(parser.Type{}, "Reflect"),
	cmpopts.IgnoreFields(parser.Relation{}, "Path", "TargetType"),
}

func marshal(t *testing.T, v any) string {
	t.Helper()
	data, err := json.MarshalIndent(v, "", "\t")
	require.NoError(t, err)
	return string(data)
}
