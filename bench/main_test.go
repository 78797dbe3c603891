package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// TestMain lets the test program be the server.
func TestMain(m *testing.M) {
	if len(os.Args) == 2 && os.Args[1] == serverCommand {
		if err := run(context.Background(), os.Args[1:]); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

// suiteOf returns a suite of one short pass.
func suiteOf(t *testing.T) *suite {
	t.Helper()
	s, err := newSuite(t.Context(), method{processorTime, 1, time.Millisecond}, batchUsers)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.stop(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// Every row but the one that builds programs runs, and the report shows it, in
// the goals too.
func TestCompare(t *testing.T) {
	path := filepath.Join(t.TempDir(), "results.md")
	var names []string
	for _, row := range (&suite{users: sampleUsers(pageSize)}).rows() {
		if row.name != rowCold {
			names = append(names, row.name)
		}
	}
	var out strings.Builder
	args := []string{"-passes", "1", "-time", "1ms", "-items", "1000", "-out", path, "-run", "^(" + strings.Join(names, "|") + ")$"}
	if err := compare(t.Context(), args, &out, io.Discard); err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		if !strings.Contains(out.String(), "## "+name+"\n") {
			t.Errorf("no table of %s", name)
		}
	}
	for _, g := range goals {
		if g.row != rowCold && !strings.Contains(out.String(), "| "+g.what+" |") {
			t.Errorf("no goal %s", g.what)
		}
	}
	for _, name := range []string{nameOurs, nameRaw, nameSDK, nameGuregu, nameBare} {
		if !strings.Contains(out.String(), name+" |") {
			t.Errorf("no figures of %s", name)
		}
	}
	written, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(out.String(), string(written)); diff != "" {
		t.Errorf("file differs from output:\n%s", diff)
	}
}

// The programs of the cold start build and read what they should. They are not
// built as for the report, which would build all that they import anew.
func TestColdStart(t *testing.T) {
	row := coldRow(1)
	figures, err := row.measure(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if len(figures) != len(coldPrograms) {
		t.Fatalf("%d programs were measured, want %d", len(figures), len(coldPrograms))
	}
	for _, m := range figures {
		if s := m.samples[0]; s.ns <= 0 || s.bytes < 1<<20 {
			t.Errorf("%s: %v", m.peer, s)
		}
	}
	table := row.table(figures)
	for _, p := range coldPrograms {
		if !strings.Contains(table, "| "+p.peer+" |") {
			t.Errorf("no figures of %s:\n%s", p.peer, table)
		}
	}
}

func TestCompareRefuses(t *testing.T) {
	for _, args := range [][]string{{"-run", "("}, {"-nonsense"}, {"-items", "10"}} {
		if err := compare(t.Context(), args, io.Discard, io.Discard); err == nil {
			t.Errorf("compare %q: no error", args)
		}
	}
}

func TestMedian(t *testing.T) {
	for _, c := range []struct {
		in   []float64
		want float64
	}{{[]float64{3}, 3}, {[]float64{9, 1, 5}, 5}, {[]float64{4, 1, 2, 9}, 3}} {
		if got := median(c.in); got != c.want {
			t.Errorf("median(%v) = %v, want %v", c.in, got, c.want)
		}
	}
}

func TestThousands(t *testing.T) {
	for in, want := range map[float64]string{0: "0", 999.6: "1,000", 12: "12", 1234567: "1,234,567"} {
		if got := thousands(in); got != want {
			t.Errorf("thousands(%v) = %q, want %q", in, got, want)
		}
	}
}

func TestMeasureInterleaves(t *testing.T) {
	var order strings.Builder
	call := func(name string) func() error {
		return func() error {
			if s := order.String(); !strings.HasSuffix(s, name) {
				order.WriteString(name)
			}
			for start := processorTime(); processorTime()-start < 50*time.Microsecond; {
			}
			return nil
		}
	}
	got, err := method{processorTime, 3, time.Millisecond}.measure([]string{"a", "b"}, []func() error{call("a"), call("b")})
	if err != nil {
		t.Fatal(err)
	}
	// a and b are calibrated, then the passes are ab, ba, ab.
	if want := "ababab"; order.String() != want {
		t.Errorf("order %q, want %q", order.String(), want)
	}
	for _, m := range got {
		if len(m.samples) != 3 || m.samples[0].ns < 50_000 {
			t.Errorf("%s: %v", m.peer, m.samples)
		}
	}
}
