package expr_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/dynorm/dynorm/internal/expr"
)

var operandCases = []struct{ text, want string }{
	{"", ""},
	{"#0 = :0", "#0:0"},
	{"#0 <> :0", "#0:0"},
	{"#0 = :0 AND #1 >= :1", "#0:0 #1:1"},
	{"#0 = :0 AND #1 BETWEEN :1 AND :2 AND #2 = :3", "#0:0 #1:1 #1:2 #2:3"},
	{"#0 = :0 AND begins_with(#1, :1)", "#0:0 #1:1"},
	{"(attribute_not_exists(#0)) AND (#1 = :0)", "#1:0"},
	{"attribute_not_exists(#0) OR (#1 = :0 AND #2 = :1)", "#1:0 #2:1"},
	{"SET #0 = :0, #1 = if_not_exists(#1, :1) REMOVE #2, #3 ADD #4 :2", "#0:0 #1:1"},
	{"SET #0 = :0 DELETE #1 :1", "#0:0"},
	{"SET #0 = #1 + :0", ""},
	{"SET #0 = #1, #2 = :0", "#2:0"},
	{"#0 IN (:0, :1) AND #1 = :2", "#0:0 #0:1 #1:2"},
	{"NOT (#0 IN (:0))", "#0:0"},
	{"attribute_exists(#0) AND (:0 < #1)", ""},
	{"size(#0) > :0", ""},
	{"#0.#1 = :0", ""},
	{"#0[3].#1 = :0 AND #1 = :1", "#1:1"},
	{"#name_1 = :value_1", "#name_1:value_1"},
}

func operands(text string) string {
	var got []string
	expr.Operands(text, func(alias, placeholder string) { got = append(got, alias+placeholder) })
	return strings.Join(got, " ")
}

func TestOperands(t *testing.T) {
	for _, c := range operandCases {
		require.Equal(t, c.want, operands(c.text), c.text)
	}
}

func FuzzOperands(f *testing.F) {
	for _, c := range operandCases {
		f.Add(c.text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		expr.Operands(text, func(alias, placeholder string) {
			if !strings.HasPrefix(alias, "#") || !strings.HasPrefix(placeholder, ":") || !strings.Contains(text, alias) || !strings.Contains(text, placeholder) {
				t.Errorf("%q and %q are not of the text", alias, placeholder)
			}
		})
	})
}
