package main

import "testing"

// A string of a page must not hold the page that it came in.
func TestKeptString(t *testing.T) {
	const most = 16 << 10
	held, err := keptBytes(t.Context(), suiteOf(t).peers[0])
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%.0f bytes a page", held)
	if held > most {
		t.Errorf("a string kept of each page holds %.0f bytes, more than %d", held, most)
	}
}
