package main

import "fmt"

// goal is a figure that dynorm is held to.
type goal struct {
	what, row string
	// must and aim are the bounds: of a time as a part of another at most, of
	// how many times as fast at least.
	must, aim string
	// of returns the figure as this run has it.
	of func([]measured) string
}

// part is the time of dynorm as a part of a peer's.
func part(peer string) func([]measured) string {
	return func(figures []measured) string {
		return fmt.Sprintf("%.2f", median(find(figures, nameOurs).ratios(find(figures, peer), nanoseconds)))
	}
}

// times is how many times as fast as a peer dynorm is.
func times(peer string) func([]measured) string {
	return func(figures []measured) string {
		return fmt.Sprintf("%.1f", median(find(figures, peer).ratios(find(figures, nameOurs), nanoseconds)))
	}
}

var goals = []goal{
	{"Marshal, times as fast as attributevalue", rowEncode, "2", "2.5", times(nameSDK)},
	{"Unmarshal, times as fast as attributevalue", rowDecode, "3", "3.7", times(nameSDK)},
	{"GetItem, part of the raw SDK's time", rowGet, "1.00", "0.88", part(nameRaw)},
	{"PutItem, part of the raw SDK's time", rowPut, "1.02", "0.93", part(nameRaw)},
	{"UpdateItem, part of the raw SDK's time", rowUpdate, "1.05", "0.98", part(nameRaw)},
	{"Query, times as fast as attributevalue", rowQuery, "4", "5", times(nameSDK)},
	{"Query, times as fast as guregu/dynamo", rowQuery, "5", "6", times(nameGuregu)},
	{"Query, part of the raw SDK's time", rowQuery, "0.33", "0.27", part(nameRaw)},
	{"Query, allocations", rowQuery, "", "650", func(figures []measured) string { return find(figures, nameOurs).median(allocations) }},
	{"BatchWrite, part of the raw SDK's time", rowBatch, "0.50", "0.40", part(nameRaw)},
	{"TransactWrite, part of the raw SDK's time", rowTransact, "0.65", "0.52", part(nameRaw)},
	{"Allocations above the client alone: Get, Put, Update", rowAbove, "15", "6", func(figures []measured) string {
		get, put, update := above(figures[0], figures[1], allocations), above(figures[2], figures[3], allocations), above(figures[4], figures[5], allocations)
		return fmt.Sprintf("%.0f, %.0f, %.0f", get, put, update)
	}},
	{"10,000 items over loopback, times as fast as attributevalue", rowPages, "3.5", "5", times(nameSDK)},
	{"Batch load by 8 workers, times as fast as by 1", rowBatchGet, "3.5", "4.2", func(figures []measured) string {
		return fmt.Sprintf("%.1f", median(figures[0].ratios(find(figures, workersName(defaultWorkers)), nanoseconds)))
	}},
	{"Batch write by 8 workers, times as fast as by 1", rowBatchWrite, "3.5", "4.2", func(figures []measured) string {
		return fmt.Sprintf("%.1f", median(figures[0].ratios(find(figures, workersName(defaultWorkers)), nanoseconds)))
	}},
	{"Heap held by a string kept of each page, bytes", rowKept, "16,384", "8,192", func(figures []measured) string {
		return find(figures, nameOurs).median(heapBytes)
	}},
	{"Cold start, part of the raw SDK's processor time", rowCold, "1.15", "1.05", part(nameRaw)},
	{"Stripped binary, MB more than the raw SDK's", rowCold, "1.0", "0.5", func(figures []measured) string {
		return fmt.Sprintf("%.1f", above(find(figures, nameOurs), find(figures, nameRaw), heapBytes)/1e6)
	}},
}

// goals renders the goals that the report has figures of.
func (r *report) goals() string {
	var lines [][]string
	for _, g := range goals {
		for _, row := range r.rows {
			if row.name == g.row {
				lines = append(lines, []string{g.what, g.must, g.aim, g.of(row.figures)})
			}
		}
	}
	if lines == nil {
		return ""
	}
	return "\n## Goals\n\n" + tableOf([]string{"", "must", "aim", "here"}, lines)
}
