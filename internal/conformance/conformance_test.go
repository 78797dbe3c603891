package conformance_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/dynorm/dynorm/internal/conformance"
	"github.com/stretchr/testify/require"
)

// endpoints returns the engines to run on.
func endpoints(t testing.TB) []*conformance.Endpoint {
	t.Helper()
	embedded, err := conformance.EmbeddedEndpoint(t.Context())
	require.NoError(t, err)
	es := []*conformance.Endpoint{embedded}
	if url := os.Getenv("DYNORM_TEST_ENDPOINT"); url != "" {
		es = append(es, conformance.URLEndpoint("DynamoDB Local", url))
	}
	return es
}

func fixtures(t testing.TB) conformance.Fixtures {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", "fixtures.txt"))
	require.NoError(t, err)
	return conformance.ParseFixtures(string(text))
}

// scripts returns the cases of every file, by the file's name.
func scripts(t testing.TB) map[string][]*conformance.Case {
	t.Helper()
	files, err := filepath.Glob(filepath.Join("testdata", "cases", "*.txt"))
	require.NoError(t, err)
	require.NotEmpty(t, files)
	cases := map[string][]*conformance.Case{}
	for _, f := range files {
		text, err := os.ReadFile(f)
		require.NoError(t, err)
		name := filepath.Base(f)
		cases[name], err = conformance.ParseScript(name, string(text))
		require.NoError(t, err)
	}
	return cases
}

// TestCases runs every case on every engine there is.
func TestCases(t *testing.T) {
	fix, all := fixtures(t), scripts(t)
	for _, e := range endpoints(t) {
		t.Run(e.Name, func(t *testing.T) {
			for file, cases := range all {
				t.Run(file, func(t *testing.T) {
					if !e.Local { // which loses its footing when tables come and go at once
						t.Parallel()
					}
					run := conformance.NewRunner(e, fix)
					for _, c := range cases {
						if e.Local && c.EngineOnly {
							continue
						}
						t.Run(c.Title, func(t *testing.T) {
							for _, fault := range run.Run(t.Context(), c) {
								t.Error(fault)
							}
						})
					}
				})
			}
		})
	}
}
