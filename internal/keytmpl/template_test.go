package keytmpl_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"github.com/dynorm/dynorm/internal/keytmpl"
)

func TestParseSyntax(t *testing.T) {
	for _, tt := range []struct {
		src  string
		want []keytmpl.Ref
		why  string
	}{
		{"PROFILE", nil, "a constant key"},
		{"USER#{UserID}", []keytmpl.Ref{{Field: "UserID", Offset: 5}}, ""},
		{"{a}#{b}", []keytmpl.Ref{{Field: "a"}, {Field: "b", Offset: 4}}, ""},
		{"{Address.City.name}", []keytmpl.Ref{{Field: "Address", Path: []string{"City", "name"}}}, "a path"},
		{"{Seq:%012d}", []keytmpl.Ref{{Field: "Seq", Format: "%012d"}}, ""},
		{"{At:15:04}", []keytmpl.Ref{{Field: "At", Format: "15:04"}}, "the format goes on after a second colon"},
		{"{At:2006.01}", []keytmpl.Ref{{Field: "At", Format: "2006.01"}}, "a dot in a format is no path"},
		{"{At:date|desc}", []keytmpl.Ref{{Field: "At", Format: "date", Desc: true}}, ""},
		{"{Mail|lower|shard=16}", []keytmpl.Ref{{Field: "Mail", Lower: true, Shard: 16}}, "several modifiers"},
		{"{A|upper}{B|semver}", []keytmpl.Ref{{Field: "A", Upper: true}, {Field: "B", Semver: true, Offset: 9}}, "adjacent references are for Bind to judge"},
		{"A#{b|raw}", []keytmpl.Ref{{Field: "b", Raw: true, Offset: 2}}, ""},
		{"{b|raw}", []keytmpl.Ref{{Field: "b", Raw: true}}, "nothing before a raw reference"},
		{"{{{a}}}", []keytmpl.Ref{{Field: "a", Offset: 2}}, "doubled braces around a reference"},
		{"{über-name_2}", []keytmpl.Ref{{Field: "über-name_2"}}, "attribute names are not only Go names"},
		{"##A#", nil, "empty literal segments exist in tables"},
	} {
		t.Run(tt.src, func(t *testing.T) {
			tmpl, err := keytmpl.Parse(tt.src)
			require.NoError(t, err, tt.why)
			require.Empty(t, cmp.Diff(tt.want, tmpl.Refs()), tt.why)
			require.Equal(t, tt.src, tmpl.String())
			require.Equal(t, byte('#'), tmpl.Delimiter())
		})
	}
}

func TestParseSyntaxFaults(t *testing.T) {
	for _, tt := range []struct {
		src    string
		offset int
		want   string // part of the message
		why    string
	}{
		{"", 0, "empty", ""},
		{"A\xff", 0, "UTF-8", "DynamoDB strings are UTF-8"},
		{"A#{b", 2, "not closed", ""},
		{"A#{b#{c}", 2, "not closed", "the next brace opens again"},
		{"A}b", 1, "}}", "a lone brace says how to write one"},
		{"{}", 0, "names no field", ""},
		{"{.a}", 0, "names no field", ""},
		{"{a.}", 0, "names no field", ""},
		{"{a..b}", 0, "names no field", ""},
		{"{:date}", 0, "names no field", ""},
		{"{|lower}", 0, "names no field", ""},
		{"X{ a }", 1, "{a}", "the suggestion is without spaces"},
		{"{a/b}", 0, "'/'", ""},
		{"{a:}", 0, "no format", ""},
		{"{a|}", 0, "unknown modifier", ""},
		{"{a|lowr}", 0, "did you mean lower?", ""},
		{"{a|Desc}", 0, "did you mean desc?", "modifiers are lower case"},
		{"{a|reverse}", 0, "one of lower, upper", "nothing is near"},
		{"{a|lower|lower}", 0, "twice", ""},
		{"{a|lower|upper}", 0, "both lower and upper", ""},
		{"{a|lower=1}", 0, "takes no value", ""},
		{"{a|shard}", 0, "2 to 1000", ""},
		{"{a|shard=1}", 0, "2 to 1000", "one shard is none"},
		{"{a|shard=1001}", 0, "2 to 1000", ""},
		{"{a|shard=08}", 0, "2 to 1000", "one way to write a number"},
		{"{a|shard=x}", 0, "2 to 1000", ""},
		{"{a|shard=4}#{b|shard=4}", 12, "at most one shard", ""},
		{"{a:date|shard=4}", 0, "whole value", ""},
		{"{a|desc|shard=4}", 0, "whole value", ""},
		{"{a|raw|lower}", 0, "raw", ""},
		{"{a:%s|raw}", 0, "raw", ""},
		{"{a|semver|desc}", 0, "semver", ""},
		{"{a|raw}#B", 0, "ends the template", "a raw value could hold #B"},
		{"A{b|raw}", 1, "alone in its segment", ""},
		{"{a}{b|raw}", 3, "alone in its segment", ""},
	} {
		t.Run(tt.src, func(t *testing.T) {
			_, err := keytmpl.Parse(tt.src)
			var syntax *keytmpl.SyntaxError
			require.ErrorAs(t, err, &syntax, tt.why)
			require.Contains(t, err.Error(), tt.want, tt.why)
			require.Equal(t, tt.offset, syntax.Offset)
			require.Equal(t, tt.src, syntax.Template)
		})
	}
}

func TestDelimiter(t *testing.T) {
	for c := range 256 {
		_, err := keytmpl.Syntax{Delimiter: byte(c)}.Parse("A")
		ok := c == 0 || strings.ContainsRune("!\"#$&'()*+,-./:;<=>?@[\\]^_`|~", rune(c)) && c < 0x80
		require.Equal(t, ok, err == nil, "%q: %v", rune(c), err)
	}
}

func TestLiteral(t *testing.T) {
	const text = "a{b}#{{}}%"
	tmpl, err := keytmpl.Parse(keytmpl.Literal(text))
	require.NoError(t, err)
	key, err := tmpl.Bind(keytmpl.Partition, nil)
	require.NoError(t, err)
	got, err := key.Append(nil, nil)
	require.NoError(t, err)
	require.Equal(t, text, string(got))
}

func FuzzParseSyntax(f *testing.F) {
	for _, s := range []string{
		"", "USER#{UserID}", "ORDER#{PlacedAt}#{ID}", "{a.b:%012d|desc}", "{At:2006-01-02 15:04|desc}", "{{x}}#{y}",
		"{a|lower|shard=8}", "A#{b|raw}", "{a}{b}", "{", "}", "{a|", "{a:", "{v|semver}", "é{ü}\xff",
	} {
		f.Add(s, byte('#'))
	}
	f.Add("USER|{UserID}", byte('|'))
	f.Fuzz(func(t *testing.T, src string, delimiter byte) {
		tmpl, err := keytmpl.Syntax{Delimiter: delimiter}.Parse(src)
		if err != nil {
			var syntax *keytmpl.SyntaxError
			if !errors.As(err, &syntax) || syntax.Offset < 0 || syntax.Offset > len(src) {
				t.Fatalf("%q: %v", src, err)
			}
			return
		}
		if tmpl.String() != src {
			t.Fatalf("%q came back as %q", src, tmpl)
		}
		inputs := make([]keytmpl.Input, len(tmpl.Refs()))
		for i := range inputs {
			inputs[i].Kind = keytmpl.KindText
		}
		for _, kind := range []keytmpl.Kind{keytmpl.KindText, keytmpl.KindInt, keytmpl.KindTime} {
			for i := range inputs {
				inputs[i].Kind = kind
			}
			key, err := tmpl.Bind(keytmpl.Sort, inputs)
			if err != nil {
				var bind *keytmpl.BindError
				if !errors.As(err, &bind) {
					t.Fatalf("%q: %v", src, err)
				}
				continue
			}
			// What is shown to users is itself a template for the same keys.
			again, err := keytmpl.Syntax{Delimiter: delimiter}.Parse(key.Pattern())
			if err != nil {
				t.Fatalf("%q: pattern %q: %v", src, key.Pattern(), err)
			}
			if len(again.Refs()) != len(tmpl.Refs()) {
				t.Fatalf("%q: pattern %q", src, key.Pattern())
			}
		}
	})
}
