package suggest_test

import (
	"testing"

	"github.com/dynorm/dynorm/internal/suggest"
)

func TestNearest(t *testing.T) {
	words := []string{"primary", "unique", "unixtime", "unixmilli", "id"}
	tests := []struct{ word, want, why string }{
		{"primry", "primary", "a letter short"},
		{"uniuqe", "unique", "neighbours swapped"},
		{"UnixTime", "unixtime", "letter case"},
		{"unixmili", "unixmilli", "the nearer of two"},
		{"ip", "id", "one of two letters"},
		{"zzzzzzzz", "", "nothing near"},
		{"", "", "nothing at all"},
		{"unique", "", "the word itself is no suggestion"},
	}
	for _, tt := range tests {
		got, ok := suggest.Nearest(tt.word, words)
		if got != tt.want || ok != (tt.want != "") {
			t.Errorf("Nearest(%q) = %q, %v, want %q: %s", tt.word, got, ok, tt.want, tt.why)
		}
	}
}
