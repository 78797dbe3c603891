package main

import (
	"bufio"
	"cmp"
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
)

// report collects the rows and renders them.
type report struct {
	passes int
	rows   []reportRow
}

type reportRow struct {
	name  string
	peers []measured
}

func (r *report) add(name string, peers []measured) {
	r.rows = append(r.rows, reportRow{name, peers})
}

const reportHead = `# dynorm against its peers

Written by ` + "`make bench-compare`" + `. Every peer does the same work: it stores the
same items and reads the same values, checked on an engine before anything is
timed. Requests go to a transport that answers at once with canned DynamoDB
JSON, so the figures are the client's own work, the SDK's included. The item
has 12 fields; one processor.

Time, bytes and allocations are per call, medians of %d passes in which the
peers took turns. Time is the processor's, garbage collection included. "dynorm takes" is dynorm's time as a part of the peer's, the
median of the passes' own ratios with the lowest and the highest: below 1 is
faster. "allocations" is the same for dynorm's allocations.

%s
`

func (r *report) markdown() string {
	var b strings.Builder
	fmt.Fprintf(&b, reportHead, r.passes, machine())
	for _, row := range r.rows {
		fmt.Fprintf(&b, "\n## %s\n\n", row.name)
		fmt.Fprintln(&b, "| | ns | bytes | allocations | dynorm takes | dynorm's allocations |")
		fmt.Fprintln(&b, "| --- | ---: | ---: | ---: | ---: | ---: |")
		ours := slices.IndexFunc(row.peers, func(m measured) bool { return m.peer == nameOurs })
		for i, m := range row.peers {
			takes, allocs := "", ""
			if ours >= 0 && i != ours {
				times := row.peers[ours].ratios(m, nanoseconds)
				takes = fmt.Sprintf("%.2f (%.2f to %.2f)", median(times), slices.Min(times), slices.Max(times))
				allocs = fmt.Sprintf("%.2f", median(row.peers[ours].ratios(m, allocations)))
			}
			fmt.Fprintf(&b, "| %s | %s | %s | %s | %s | %s |\n", m.peer,
				thousands(median(m.of(nanoseconds))), thousands(median(m.of(heapBytes))),
				thousands(median(m.of(allocations))), takes, allocs)
		}
	}
	return b.String()
}

// thousands renders a whole number with commas.
func thousands(f float64) string {
	s := strconv.FormatInt(int64(f+0.5), 10)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// machine says what the figures were taken on.
func machine() string {
	parts := []string{runtime.Version(), runtime.GOOS + "/" + runtime.GOARCH, cmp.Or(processor(), "unknown processor")}
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, dep := range info.Deps {
			switch dep.Path {
			case "github.com/aws/aws-sdk-go-v2/service/dynamodb", "github.com/guregu/dynamo/v2":
				parts = append(parts, strings.TrimPrefix(dep.Path, "github.com/")+" "+dep.Version)
			}
		}
	}
	return strings.Join(parts, ", ") + "."
}

// processor returns the processor's name where the system tells it in a file.
func processor() string {
	f, err := os.Open("/proc/cpuinfo")
	if err != nil {
		return ""
	}
	defer f.Close()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		if name, value, ok := strings.Cut(lines.Text(), ":"); ok && strings.TrimSpace(name) == "model name" {
			return strings.TrimSpace(value)
		}
	}
	return ""
}
