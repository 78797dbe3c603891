package main

import (
	"runtime"
	"testing"
)

// TestKeptString reads pages of 100 items and keeps one string of each. It must
// not hold the page that it came in.
func TestKeptString(t *testing.T) {
	const pages, most = 200, 16 << 10
	users := sampleUsers(pageSize)
	transport, err := newStub(t.Context(), users)
	if err != nil {
		t.Fatal(err)
	}
	ours, err := oursPeer(clientOn(transport), "bench")
	if err != nil {
		t.Fatal(err)
	}
	kept := make([]string, 0, pages)
	read := func() {
		page, err := ours.query(t.Context(), tenant)
		if err != nil {
			t.Fatal(err)
		}
		kept = append(kept, page[len(page)/2].Name)
	}
	read() // what stays once is not the pages'
	before := heap()
	for range pages - 1 {
		read()
	}
	held := (heap() - before) / (pages - 1)
	t.Logf("%d bytes a page of %d bytes", held, len(transport.answers["Query"].body))
	if held > most {
		t.Errorf("a string kept of each page holds %d bytes, more than %d", held, most)
	}
	runtime.KeepAlive(kept)
}

// heap returns the bytes in use once the garbage is collected.
func heap() int64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}
