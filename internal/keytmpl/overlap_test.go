package keytmpl_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/dynorm/dynorm/internal/keytmpl"
)

// bindByName binds a template whose references named n are int8, t times, b
// bools, v versions, and all others text.
func bindByName(t fataler, src string) *keytmpl.Key {
	t.Helper()
	tmpl, err := keytmpl.Parse(src)
	if err != nil {
		t.Fatalf("%v", err)
	}
	inputs := make([]keytmpl.Input, len(tmpl.Refs()))
	for i, r := range tmpl.Refs() {
		inputs[i] = map[string]keytmpl.Input{"n": i8, "t": secs, "b": yesno}[r.Field]
		if inputs[i].Kind == keytmpl.KindMissing {
			inputs[i] = text
		}
	}
	k, err := tmpl.Bind(keytmpl.Sort, inputs)
	if err != nil {
		t.Fatalf("%v", err)
	}
	return k
}

func TestCompare(t *testing.T) {
	for _, tt := range []struct {
		a, b                string
		same, begins, begun bool
		why                 string
	}{
		{"USER#{a}", "USER#{a}", true, true, true, ""},
		{"USER#{a}", "POST#{a}", false, false, false, ""},
		{"SH#{a}", "SHP#{a}", false, false, false, "closed at the segment"},
		{"SH{a}", "SHP{a}", true, true, true, "SHP1 is SH and P1"},
		{"SH{n}", "SHP{n}", false, true, false, "P1 is no number, but the prefix SH takes both"},
		{"USER#{a}", "USER#{a}#PROFILE", false, true, true, "a query by USER# meets both"},
		{"USER#{a}#X", "USER#{a}#Y", false, true, true, "other keys, the same beginning"},
		{"A#B#{a}", "A#{a}", false, false, true, "three segments are not two, but A# begins A#B#"},
		{"A#B#{a}", "A#{a}#{b}", true, true, true, "B can be a value"},
		{"A#B#{a}", "A#{n}#{b}", false, false, true, "B is no number"},
		{"A#B#{a}", "A#{b}#{a}", false, false, true, "B is no bool"},
		{"A#true#{a}", "A#{b}#{a}", true, true, true, ""},
		{"{a}", "USER#{b}", false, true, false, "a query without a prefix meets all"},
		{"{a}", "{b}", true, true, true, ""},
		{"{a}", "PROFILE", true, true, true, "PROFILE can be a value"},
		{"{n}", "PROFILE", false, true, false, ""},
		{"{n}", "007", true, true, true, ""},
		{"PROFILE", "PROFILE", true, true, true, ""},
		{"PROFILE", "PROFILES", false, false, false, "a constant is asked for whole"},
		{"PROFILE", "PROFILE#{a}", false, false, false, ""},
		{"A-{a}", "B-{a}", false, false, false, ""},
		{"{a}-A", "{a}-B", false, true, true, "other ends"},
		{"{a}-A", "{a}A", true, true, true, ""},
		{"A#{a|raw}", "A#{b}#C", true, true, true, "raw takes all segments"},
		{"A#{b}#C", "A#{a|raw}", true, true, true, ""},
		{"A#{a|raw}", "A", false, false, false, "raw is never empty"},
		{"A#{a|raw}", "A#", false, true, false, ""},
		{"A#{a|raw}", "B#{a|raw}", false, false, false, ""},
		{"A#{a|raw}", "A#B#{a|raw}", true, true, true, ""},
		{"{a|raw}", "A#B", true, true, true, ""},
		{"A#B#C#{a}", "A#{a|raw}", true, true, true, ""},
		{"A#{n}", "A#x{n}", false, true, false, ""},
		{"A#{t}", "A#x{n}", false, true, false, ""},
		{"A#x{n}", "A#{b}", false, false, true, "a bool begins with t or f"},
		{"A#t{n}", "A#{b}", true, true, true, "never, but kinds are not compared further than that"},
		{"A#a1{n}", "A#{v|semver}", true, true, true, "likewise"},
		{"A#X{n}", "A#{v|semver}", false, false, true, ""},
		{"A#a1{x}", "A#{v|semver}", true, true, true, ""},
		{"A#B#C#D#{a|raw}", "A#{a|raw}", true, true, true, ""},
		{"A#%{a}", "A#{c}", true, true, true, "%25 is an escape, and the literal with 25"},
		{"A#-{a}", "A#{n}", true, true, true, "-999 is -1"},
		{"A##{a}", "A#{a}", false, false, true, ""},
		{"A#x{a}", "A#x", false, true, false, ""},
		{"A#xy{a}", "A#x", false, false, false, "xy is longer than x"},
		{"A#x y{a}", "A#x{b}#c", false, false, true, "a space is escaped in b"},
	} {
		t.Run(tt.a+" "+tt.b, func(t *testing.T) {
			a, b := bindByName(t, tt.a), bindByName(t, tt.b)
			got := keytmpl.Compare(a, b)
			require.Equal(t, []bool{tt.same, tt.begins, tt.begun}, []bool{got.Same, got.Begins, got.Begun}, "%s: %+v", tt.why, got)
			require.Equal(t, tt.same || tt.begins || tt.begun, got.Reason != "")
			require.Equal(t, !tt.same, keytmpl.Disjoint(a, b))
			other := keytmpl.Compare(b, a)
			require.Equal(t, []bool{tt.same, tt.begun, tt.begins}, []bool{other.Same, other.Begins, other.Begun}, "the other way round")
		})
	}
	a := bindByName(t, "A#{a}")
	b := bindWith(t, keytmpl.Syntax{Delimiter: '|'}, keytmpl.Sort, "B|{b}", text)
	require.True(t, keytmpl.Compare(a, b).Same, "different delimiters are not told apart")
	require.Contains(t, keytmpl.Compare(a, b).Reason, "delimiters")
}

// TestCompareMissesNothing builds keys of pairs of templates from few values
// and literals, so that they often meet.
func TestCompareMissesNothing(t *testing.T) {
	words := []string{"A", "AB", "B", "x", "0", "-", " ", "%"}
	segment := rapid.Custom(func(t *rapid.T) string {
		return rapid.SampledFrom([]string{
			"A", "AB", "", "001", "true", "{x}", "{x}", "A{x}", "{x}B", "{n}", "{n}{x}", "A{n}B", "{b}", "{x}-{y}", "{n:%d}", "{b}{n}", "{x:%s}", "%",
		}).Draw(t, "segment")
	})
	model := rapid.Custom(func(t *rapid.T) *keytmpl.Key {
		segments := rapid.SliceOfN(segment, 1, 3).Draw(t, "segments")
		src := strings.Join(segments, "#")
		if rapid.IntRange(0, 4).Draw(t, "raw") == 0 {
			src += "#{r|raw}"
		}
		if src == "" {
			src = "A"
		}
		return bindByName(t, src)
	})
	key := func(t *rapid.T, k *keytmpl.Key) string {
		parts := make([]keytmpl.Part, len(k.Template().Refs()))
		for i, r := range k.Template().Refs() {
			switch {
			case r.Field == "n":
				parts[i] = keytmpl.Int(rapid.Int64Range(-2, 2).Draw(t, "n"))
			case r.Field == "b":
				parts[i] = keytmpl.Bool(rapid.Bool().Draw(t, "b"))
			case r.Raw:
				parts[i] = keytmpl.Text(strings.Join(rapid.SliceOfN(rapid.SampledFrom(append(words, "#", "001", "#")), 1, 4).Draw(t, "raw"), ""))
			default:
				parts[i] = keytmpl.Text(strings.Join(rapid.SliceOfN(rapid.SampledFrom(words), 1, 2).Draw(t, "text"), ""))
			}
		}
		return build(t, k, parts...)
	}
	met := 0
	rapid.Check(t, func(t *rapid.T) {
		a, b := model.Draw(t, "a"), model.Draw(t, "b")
		o := keytmpl.Compare(a, b)
		prefixA, wholeA, err := a.Prefix(nil, nil)
		require.NoError(t, err)
		prefixB, wholeB, err := b.Prefix(nil, nil)
		require.NoError(t, err)
		for range 8 {
			keyA, keyB := key(t, a), key(t, b)
			for _, k := range []string{keyA, keyB} {
				_, errA := a.Parse(k)
				_, errB := b.Parse(k)
				if errA == nil && errB == nil {
					met++
					if !o.Same {
						t.Fatalf("%q and %q both build %q", a.Pattern(), b.Pattern(), k)
					}
				}
			}
			if !o.Begins && !wholeA && strings.HasPrefix(keyB, string(prefixA)) || !o.Begun && !wholeB && strings.HasPrefix(keyA, string(prefixB)) {
				t.Fatalf("%q and %q: %q, %q, %+v", a.Pattern(), b.Pattern(), keyA, keyB, o)
			}
		}
	})
	require.Positive(t, met)
}
