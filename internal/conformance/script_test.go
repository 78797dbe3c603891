package conformance_test

import (
	"testing"

	"github.com/dynorm/dynorm/internal/conformance"
	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"
)

func TestParseScript(t *testing.T) {
	cases, err := conformance.ParseScript("x.txt", `# A file.

== a title
tables: T_a, T_b
local: it differs; "A page"
put T_a {"pk": {"S": "a"}}
header X-Amz-Target:
header :method: GET
> GetItem {"TableName": "T_a",
  "Key": {}}
! 500 Some#Code: and a message: with a colon
+ {"Item": {}}
~ < {}
wait T_a

== another
> - {}
< {}
`)
	require.NoError(t, err)
	want := []*conformance.Case{
		{File: "x.txt", Line: 3, Title: "a title", Tables: []string{"T_a", "T_b"}, LocalWhy: `it differs; "A page"`, Steps: []conformance.Step{
			{Line: 6, Op: "PutItem", Body: `{"TableName":"T_a","Item":{"pk": {"S": "a"}}}`, Want: &conformance.Expect{Status: 200, Body: "{}"}},
			{
				Line: 9, Op: "GetItem", Body: `{"TableName": "T_a", "Key": {}}`, Header: map[string]string{"X-Amz-Target": "", ":method": "GET"},
				Want:  &conformance.Expect{Code: "Some#Code", Status: 500, Message: "and a message: with a colon", Body: `{"Item": {}}`},
				Local: &conformance.Expect{Status: 200, Body: "{}"},
			},
			{Line: 14, Wait: "T_a"},
		}},
		{File: "x.txt", Line: 16, Title: "another", Steps: []conformance.Step{
			{Line: 17, Body: "{}", Want: &conformance.Expect{Status: 200, Body: "{}"}},
		}},
	}
	if d := cmp.Diff(want, cases); d != "" {
		t.Fatal(d)
	}
}

func TestParseScriptRefuses(t *testing.T) {
	for text, fault := range map[string]string{
		"> ListTables {}":                       `x.txt:1: "> ListTables {}" before the first case`,
		"== a\n< {}":                            `x.txt:2: "< {}" before the first request`,
		"== a\n> ListTables {}\n+ {}":           "x.txt:3: members before the error they belong to",
		"== a\n> ListTables {}\nfoo":            `x.txt:3: "foo" is no line of a script`,
		"== a\n> ListTables {}":                 "x.txt: line 2: a request without an answer",
		"== a\n":                                `x.txt: line 1: case "a" asks nothing`,
		"== a\n> ListTables {}\n< {}\n~ ! E: x": `x.txt: line 1: case "a" differs on DynamoDB Local and does not say why`,
		"== a\nlocal: because\n> ListTables {}\n< {}\n== b\n":    `x.txt:5: line 1: case "a" says why DynamoDB Local differs, and it does not`,
		"== a\n> ListTables {}\n< {}\n== b\n> ListTables {}\n==": `x.txt:6: "==" is no line of a script`,
	} {
		_, err := conformance.ParseScript("x.txt", text)
		require.EqualError(t, err, fault, text)
	}
}
