package conformance_test

import (
	"testing"

	"github.com/dynorm/dynorm/internal/conformance"
	"github.com/stretchr/testify/require"
)

func TestMatch(t *testing.T) {
	for _, c := range []struct{ name, want, got, fault string }{
		{"equal", `{"a": [1, "x", null, true]}`, `{"a": [1, "x", null, true]}`, ""},
		{"numbers by value", `{"n": 1}`, `{"n": 1.0}`, ""},
		{"another number", `{"n": 1}`, `{"n": 1.5}`, "n: got 1.5, want 1"},
		{"a number is no string", `{"n": 1}`, `{"n": "1"}`, `n: got "1", want 1`},
		{"a member missing", `{"a": 1}`, `{}`, "answer: no member a, want 1"},
		{"a member too many", `{}`, `{"a": 1}`, "answer: unexpected member a = 1"},
		{"members that are not named", `{"<more>": true}`, `{"a": 1}`, ""},
		{"sets in any order", `{"SS": ["a", "b"]}`, `{"SS": ["b", "a"]}`, ""},
		{"lists in order", `{"L": ["a", "b"]}`, `{"L": ["b", "a"]}`, `L[0]: got "b", want "a"`},
		{"unordered", `["<unordered>", 1, 2]`, `[2, 1]`, ""},
		{"unordered, one missing", `["<unordered>", 1, 2]`, `[2, 3]`, "answer: no element 1 in [2,3]"},
		{"unordered counts", `["<unordered>", 1]`, `[1, 1]`, "answer: got 2 elements [1,1], want 1"},
		{"lengths", `[1]`, `[1, 2]`, "answer: got 2 elements [1,2], want 1"},
		{"a wildcard", `{"d": "<date>", "s": "<string>"}`, `{"d": 1700000000.5, "s": "x"}`, ""},
		{"a wildcard of another kind", `"<string>"`, `5`, "answer: got 5, want <string>"},
		{"an ARN of any account", `"<arn>:table/t"`, `"arn:aws:dynamodb:eu-west-1:123456789012:table/t"`, ""},
		{
			"an ARN of another table", `"<arn>:table/t"`, `"arn:aws:dynamodb:eu-west-1:123456789012:table/u"`,
			`answer: got "arn:aws:dynamodb:eu-west-1:123456789012:table/u", want "<arn>:table/t"`,
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			want, err := conformance.DecodeJSON([]byte(c.want))
			require.NoError(t, err)
			got, err := conformance.DecodeJSON([]byte(c.got))
			require.NoError(t, err)
			require.Equal(t, c.fault, conformance.Match(want, got))
		})
	}
}
