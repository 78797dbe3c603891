package main

import (
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// Every row runs for every peer that has it, and the table shows it.
func TestCompare(t *testing.T) {
	path := filepath.Join(t.TempDir(), "results.md")
	var out strings.Builder
	if err := compare(t.Context(), []string{"-passes", "1", "-time", "1ms", "-out", path}, &out, io.Discard); err != nil {
		t.Fatal(err)
	}
	for _, row := range rows(t.Context(), sampleUsers(pageSize)) {
		if !strings.Contains(out.String(), "## "+row.name+"\n") {
			t.Errorf("no table of %s", row.name)
		}
	}
	for _, name := range []string{nameOurs, nameRaw, nameSDK, nameGuregu} {
		if !strings.Contains(out.String(), "| "+name+" |") {
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

func TestCompareRefuses(t *testing.T) {
	for _, args := range [][]string{{"-run", "("}, {"-nonsense"}} {
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
	got, err := measure([]string{"a", "b"}, []func() error{call("a"), call("b")}, 3, time.Millisecond)
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
