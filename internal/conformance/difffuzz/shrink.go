package difffuzz

import (
	"context"
	"maps"
	"slices"
	"strings"
	"time"
)

// shrink returns the fewest requests it can find in a few seconds that still
// show the difference with the given signature, and leaves the tables as the
// whole history made them.
func (f *fuzzer) shrink(ctx context.Context, history []*Request, last *Request, sig string) []string {
	deadline := time.Now().Add(10 * time.Second)
	var tables []string
	for _, h := range append(slices.Clone(history), last) {
		if n, ok := h.Body["TableName"].(string); ok && h.Op == "CreateTable" {
			tables = append(tables, n)
		}
	}
	shows := func(hs []*Request, q *Request) bool {
		if time.Now().After(deadline) {
			return false
		}
		return f.replay(ctx, tables, hs, q) == sig
	}
	kept := history
	about := encode(last.Body)
	if related := slices.DeleteFunc(slices.Clone(history), func(h *Request) bool { return h.table == nil || !strings.Contains(about, h.table.name) }); shows(related, last) {
		kept = related
	}
	for size := len(kept) / 2; size >= 1; size /= 2 {
		for at := 0; at < len(kept); {
			without := slices.Concat(kept[:at], kept[min(at+size, len(kept)):])
			if shows(without, last) {
				kept = without
			} else {
				at += size
			}
		}
	}
	q := *last
	for _, m := range slices.Sorted(maps.Keys(q.Body)) {
		smaller := q
		smaller.Body = maps.Clone(q.Body)
		delete(smaller.Body, m)
		if shows(kept, &smaller) {
			q = smaller
		}
	}
	var out []string
	for _, h := range append(slices.Clone(kept), &q) {
		out = append(out, h.Op+" "+encode(h.Body))
	}
	f.replay(ctx, tables, history, last)
	return out
}

// replay drops the tables, sends the requests to both engines and returns
// the signature of how the last one differs, if it does.
func (f *fuzzer) replay(ctx context.Context, tables []string, history []*Request, last *Request) string {
	for _, n := range tables {
		if f.dropTable(ctx, n) != nil {
			return ""
		}
	}
	for _, q := range history {
		if _, err := ask(ctx, f.Local, q); err != nil {
			return ""
		}
		if _, err := ask(ctx, f.Engine, q); err != nil {
			return ""
		}
		if q.table != nil && (q.Op == "CreateTable" || q.Op == "UpdateTable") {
			if f.settle(ctx, q.table) != nil {
				return ""
			}
		}
	}
	a, err := ask(ctx, f.Local, last)
	if err != nil {
		return ""
	}
	b, err := ask(ctx, f.Engine, last)
	if err != nil {
		return ""
	}
	x := exchangeOf(last, a, b)
	if x.kind == "" {
		return ""
	}
	if _, ok := x.allowed(); ok {
		return ""
	}
	return x.signature()
}
