package main

import (
	"context"
	"runtime"
)

// rowKept is the name of the row of keptRow.
const rowKept = "Heap held by a string"

// keptPages is how many pages keptBytes reads.
const keptPages = 200

// keptRow measures what a string that is kept of each page of 100 items holds.
func (s *suite) keptRow() row {
	return row{
		name: rowKept,
		note: "Bytes of the heap in use for each page of 100 items of which one string is kept.",
		measure: func(ctx context.Context) ([]measured, error) {
			var all []measured
			for _, p := range s.peers {
				held, err := keptBytes(ctx, p)
				if err != nil {
					return nil, err
				}
				all = append(all, measured{p.name, []sample{{bytes: held}}})
			}
			return all, nil
		},
		table: func(figures []measured) string {
			var lines [][]string
			for _, m := range figures {
				lines = append(lines, []string{m.peer, m.median(heapBytes)})
			}
			return tableOf([]string{"", "bytes"}, lines)
		},
	}
}

// keptBytes reads pages of 100 items, keeps one string of each, and returns the
// bytes in use for each page.
func keptBytes(ctx context.Context, p peer) (float64, error) {
	kept := make([]string, 0, keptPages)
	read := func() error {
		page, err := p.query(ctx, tenant)
		if err == nil {
			kept = append(kept, page[len(page)/2].Name)
		}
		return err
	}
	if err := read(); err != nil { // what stays once is not the pages'
		return 0, err
	}
	before := heap()
	for range keptPages - 1 {
		if err := read(); err != nil {
			return 0, err
		}
	}
	held := heap() - before
	runtime.KeepAlive(kept)
	return max(0, float64(held)) / (keptPages - 1), nil
}

// heap returns the bytes in use once the garbage is collected.
func heap() int64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}
