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

// report collects the rows' figures and renders them.
type report struct {
	passes int
	rows   []reportRow
}

type reportRow struct {
	row
	figures []measured
}

func (r *report) add(what row, figures []measured) {
	r.rows = append(r.rows, reportRow{what, figures})
}

const reportHead = `# dynorm against its peers

Written by ` + "`make bench-compare`" + `. Every peer does the same work: it stores the
same items and reads the same values, checked on an engine before anything is
timed. Where nothing else is said, requests go to a transport that answers at
once with canned DynamoDB JSON, so that the figures are the client's own work,
the SDK's included. The item has 12 fields; one processor.

Time, bytes and allocations are per call, medians of %d passes in which the
peers took turns. Time is the processor's, garbage collection included. "dynorm
takes" is dynorm's time as a part of the peer's, the median of the passes' own
ratios with the lowest and the highest: below 1 is faster. "dynorm's
allocations" is the same for allocations.

%s
`

func (r *report) markdown() string {
	var b strings.Builder
	fmt.Fprintf(&b, reportHead, r.passes, machine())
	b.WriteString(r.goals())
	for _, row := range r.rows {
		fmt.Fprintf(&b, "\n## %s\n\n", row.name)
		if row.note != "" {
			fmt.Fprintf(&b, "%s\n\n", row.note)
		}
		b.WriteString(row.table(row.figures))
	}
	return b.String()
}

// tableOf renders a table: the first column is text, the others are figures.
func tableOf(head []string, lines [][]string) string {
	var b strings.Builder
	rule := slices.Repeat([]string{"---:"}, len(head))
	rule[0] = "---"
	for _, line := range append([][]string{head, rule}, lines...) {
		fmt.Fprintf(&b, "| %s |\n", strings.Join(line, " | "))
	}
	return b.String()
}

// peerTable is the table of what peers take, next to dynorm.
func peerTable(figures []measured) string {
	head := []string{"", "ns", "bytes", "allocations"}
	ours := find(figures, nameOurs)
	if len(figures) > 1 {
		head = append(head, "dynorm takes", "dynorm's allocations")
	}
	var lines [][]string
	for _, m := range figures {
		line := []string{m.peer, m.median(nanoseconds), m.median(heapBytes), m.median(allocations)}
		if m.peer != nameOurs {
			line = append(line, spread(ours.ratios(m, nanoseconds)), fmt.Sprintf("%.2f", median(ours.ratios(m, allocations))))
		} else if len(figures) > 1 {
			line = append(line, "", "")
		}
		lines = append(lines, line)
	}
	return tableOf(head, lines)
}

// settingsTable is the table of what a call takes at settings, next to the first.
func settingsTable(figures []measured) string {
	var lines [][]string
	for _, m := range figures {
		line := []string{m.peer, m.median(nanoseconds), ""}
		if m.peer != figures[0].peer {
			line[2] = spread(figures[0].ratios(m, nanoseconds))
		}
		lines = append(lines, line)
	}
	return tableOf([]string{"", "ns", "times as fast as the first"}, lines)
}

// aboveTable is the table of pairs: dynorm and what it is built on.
func aboveTable(figures []measured) string {
	var lines [][]string
	for i, m := range figures {
		line := []string{m.peer, m.median(nanoseconds), m.median(heapBytes), m.median(allocations), ""}
		if i%2 == 0 {
			line[4] = signed(above(m, figures[i+1], allocations))
		}
		lines = append(lines, line)
	}
	return tableOf([]string{"", "ns", "bytes", "allocations", "above"}, lines)
}

// coldTable is the table of programs: time and size.
func coldTable(figures []measured) string {
	ours := find(figures, nameOurs)
	var lines [][]string
	for _, m := range figures {
		line := []string{m.peer, m.median(nanoseconds), "", m.median(heapBytes), ""}
		if m.peer != nameOurs {
			line[2] = spread(ours.ratios(m, nanoseconds))
			line[4] = signed(above(ours, m, heapBytes))
		}
		lines = append(lines, line)
	}
	return tableOf([]string{"", "ns", "dynorm takes", "binary, bytes", "dynorm's is larger by"}, lines)
}

// find returns the figures of a peer.
func find(figures []measured, peer string) measured {
	for _, m := range figures {
		if m.peer == peer {
			return m
		}
	}
	return measured{}
}

// median renders the median of a figure.
func (m measured) median(figure func(sample) float64) string { return thousands(median(m.of(figure))) }

// above is by how much a figure of m exceeds that of other.
func above(m, other measured, figure func(sample) float64) float64 {
	return median(m.of(figure)) - median(other.of(figure))
}

// spread renders ratios by their median, lowest and highest.
func spread(ratios []float64) string {
	return fmt.Sprintf("%.2f (%.2f to %.2f)", median(ratios), slices.Min(ratios), slices.Max(ratios))
}

// signed renders a whole number with its sign.
func signed(f float64) string {
	if f < 0 {
		return "-" + thousands(-f)
	}
	return "+" + thousands(f)
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
