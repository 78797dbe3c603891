package golden

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/stretchr/testify/require"
)

// recorder is a test that remembers its failures.
type recorder struct {
	testing.TB
	failures []string
}

func (r *recorder) Helper() {}

func (r *recorder) Errorf(format string, args ...any) {
	r.failures = append(r.failures, fmt.Sprintf(format, args...))
}

func (r *recorder) Fatalf(format string, args ...any) {
	r.Errorf(format, args...)
	runtime.Goexit()
}

// failures runs f against a recorder and returns what it reported.
func failures(f func(testing.TB)) []string {
	r := new(recorder)
	done := make(chan struct{})
	go func() {
		defer close(done)
		f(r)
	}()
	<-done
	return r.failures
}

func setUpdating(t *testing.T, on bool) {
	was := *update
	*update = on
	t.Cleanup(func() { *update = was })
}

func TestCompare(t *testing.T) {
	setUpdating(t, false)
	path := filepath.Join(t.TempDir(), "case.txtar")
	require.NoError(t, os.WriteFile(path, []byte("why\n-- in --\nx\n-- out --\na\nb\n"), 0o644))

	f := Open(t, path)
	require.Equal(t, "case", f.Name())
	require.Equal(t, "why", f.Comment())
	in, ok := f.Section("in")
	require.True(t, ok)
	require.Equal(t, "x\n", in)

	for _, c := range []struct {
		why, section, got string
		fails             bool
	}{
		{"equal", "out", "a\nb\n", false},
		{"equal but for the last line end", "out", "a\nb", false},
		{"different", "out", "a\nc\n", true},
		{"empty", "out", "", true},
		{"no such section", "other", "a", true},
	} {
		got := failures(func(tb testing.TB) { f.Compare(tb, c.section, c.got) })
		require.Equal(t, c.fails, len(got) == 1, "%s: %q", c.why, got)
	}
	require.Len(t, failures(func(tb testing.TB) { f.Explain(tb, "why not") }), 1)
	require.Empty(t, failures(func(tb testing.TB) { f.Explain(tb, "why") }))
	require.Len(t, failures(func(tb testing.TB) { f.Only(tb, "in") }), 1)
	require.Empty(t, failures(func(tb testing.TB) { f.Only(tb, "in", "out") }))
}

func TestMissingFileFails(t *testing.T) {
	setUpdating(t, false)
	dir := t.TempDir()
	require.Len(t, failures(func(tb testing.TB) { Open(tb, filepath.Join(dir, "none.txtar")) }), 1)
	require.Len(t, failures(func(tb testing.TB) { Paths(tb, dir) }), 1)
}

func TestUpdateWritesSections(t *testing.T) {
	setUpdating(t, true)
	path := filepath.Join(t.TempDir(), "new", "case.txtar")
	f := Open(t, path)
	f.Explain(t, "why")
	f.Compare(t, "out", "a")
	f.Compare(t, "stray", "b")
	f.Only(t, "out")

	data, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, "why\n\n-- out --\na\n", string(data))
	require.Equal(t, []string{path}, Paths(t, filepath.Dir(path)))
}
