package keytmpl_test

import (
	"math"
	"testing"
	"unicode"

	"github.com/stretchr/testify/require"

	"github.com/dynorm/dynorm/internal/keytmpl"
)

// TestAllSmallIntegersSort goes through all integers of 16 bits.
func TestAllSmallIntegersSort(t *testing.T) {
	for _, tt := range []struct {
		src  string
		desc bool
	}{{"{a}", false}, {"{a:%012d}", false}, {"{a|desc}", true}, {"{a:%06d|desc}", true}} {
		for _, delimiter := range []byte("#-|") {
			k := bindWith(t, keytmpl.Syntax{Delimiter: delimiter}, keytmpl.Sort, tt.src, i16)
			last := ""
			for n := math.MinInt16; n <= math.MaxInt16; n++ {
				key := build(t, k, keytmpl.Int(int64(n)))
				if ascending := last < key; n > math.MinInt16 && ascending == tt.desc {
					t.Fatalf("%s with %q: %d is %q after %q", tt.src, delimiter, n, key, last)
				}
				parts, err := k.Parse(key)
				if err != nil || parts[0] != keytmpl.Int(int64(n)) {
					t.Fatalf("%s: %d came back as %v, %v", tt.src, n, parts, err)
				}
				last = key
			}
		}
	}
}

// TestTextSortsByItsBytes goes through all pairs of an alphabet in which every
// character that an escape or a delimiter could put out of order occurs.
func TestTextSortsByItsBytes(t *testing.T) {
	var texts []string
	alphabet := "\x00\x1f !\"#$%&'-0Az|~\x7fé"
	for _, a := range alphabet {
		texts = append(texts, string(a))
		for _, b := range alphabet {
			texts = append(texts, string(a)+string(b))
		}
	}
	for _, tt := range []struct {
		src        string
		delimiters string
	}{
		{"{a}", `!"#$`},
		{"{a}#{b}", `!"#$`},
		{"{a} x#{b}", `!"#$`},
		{"P{a}#Z", `!"#$`},
		{"A#{a|raw}", "#"},
	} {
		for _, delimiter := range []byte(tt.delimiters) {
			k := bindWith(t, keytmpl.Syntax{Delimiter: delimiter}, keytmpl.Sort, tt.src, []keytmpl.Input{text, text}[:len(mustParse(t, tt.src).Refs())]...)
			require.True(t, k.Ordered(0), "%s with %q", tt.src, delimiter)
			keys := func(rest string) []string {
				keys := make([]string, len(texts))
				for i, s := range texts {
					keys[i] = build(t, k, []keytmpl.Part{keytmpl.Text(s), keytmpl.Text(rest)}[:len(k.Template().Refs())]...)
				}
				return keys
			}
			high, low := keys("z"), keys("a")
			for i, a := range texts {
				for j, b := range texts {
					if a != b && (high[i] < low[j]) != (a < b) {
						t.Fatalf("%s with %q: %q and %q", tt.src, delimiter, a, b)
					}
				}
			}
		}
	}
}

func mustParse(t *testing.T, src string) *keytmpl.Template {
	t.Helper()
	tmpl, err := keytmpl.Parse(src)
	require.NoError(t, err)
	return tmpl
}

// TestFoldingIsStable holds what reading a folded text relies on: folding it
// once more changes nothing.
func TestFoldingIsStable(t *testing.T) {
	for r := rune(0); r <= unicode.MaxRune; r++ {
		if l := unicode.ToLower(r); unicode.ToLower(l) != l {
			t.Errorf("lower case of %U", r)
		}
		if u := unicode.ToUpper(r); unicode.ToUpper(u) != u {
			t.Errorf("upper case of %U", r)
		}
	}
}
