package parser_test

import (
	"encoding/json"
	"math"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/attributevalue"
	"github.com/stretchr/testify/require"

	"github.com/dynorm/dynorm/parser"
)

func TestParseWhen(t *testing.T) {
	for _, c := range []struct {
		src  string
		want []parser.Term
	}{
		{"Active", []parser.Term{{Field: "Active", Op: parser.Filled}}},
		{"! Active", []parser.Term{{Field: "Active", Op: parser.Blank}}},
		{"Status=open|paid", []parser.Term{{Field: "Status", Op: parser.Eq, Values: []string{"open", "paid"}}}},
		{"Status!=done", []parser.Term{{Field: "Status", Op: parser.Ne, Values: []string{"done"}}}},
		{" N >= -1.5 ", []parser.Term{{Field: "N", Op: parser.Ge, Values: []string{"-1.5"}}}},
		{"N<=10,N>3", []parser.Term{{Field: "N", Op: parser.Le, Values: []string{"10"}}, {Field: "N", Op: parser.Gt, Values: []string{"3"}}}},
		{"is-active=x.y", []parser.Term{{Field: "is-active", Op: parser.Eq, Values: []string{"x.y"}}}},
		{"A='it''s, a|b & c'|''", []parser.Term{{Field: "A", Op: parser.Eq, Values: []string{"it's, a|b & c", ""}}}},
	} {
		got, err := parser.ParseWhen(c.src)
		require.NoError(t, err, c.src)
		require.Equal(t, c.want, got.Terms, c.src)
	}
}

func TestParseWhenFaults(t *testing.T) {
	for src, want := range map[string]string{
		"":           "want a field at byte 0",
		"A,":         "want a field at byte 2",
		"A,,B":       "want a field at byte 2",
		"=x":         "want a field at byte 0",
		"A=":         "want a value at byte 2",
		"A==x":       "want a value at byte 2",
		"A=x|":       "want a value at byte 4",
		"A='x":       "the quote at byte 2 is not closed",
		"A='x'y":     "want a comma at byte 5",
		"A=x & B=y":  "want a comma at byte 4",
		"A=x y":      `the value "x y" has spaces and no quotes`,
		"A B":        `want an operator behind the field in "A B"`,
		"!A=x":       "want a comma at byte 2",
		"A<x":        `"<" compares numbers, and "x" is none`,
		"A<1|2":      `"<" takes one value`,
		"A=x|x":      `the value "x" stands twice`,
		"A > 1e5000": `">" compares numbers, and "1e5000" is none`,
	} {
		_, err := parser.ParseWhen(src)
		require.ErrorContains(t, err, want, src)
	}
}

func TestWhenEval(t *testing.T) {
	type label string
	item := map[string]any{
		"Text": "open", "Label": label("paid"), "Empty": "", "False word": "false",
		"Int": -3, "Uint": uint8(200), "Float": 0.1, "Zero": 0.0, "NaN": math.NaN(),
		"Big": json.Number("12345678901234567890123456789012345678"), "N": attributevalue.Number("1.50"),
		"True": true, "False": false, "Nil": nil, "Day": time.Saturday,
	}
	for src, want := range map[string]bool{
		"Text": true, "!Text": false, "Empty": false, "!Empty": true,
		"Nothing": false, "!Nothing": true, "Nil": false, "!Nil": true,
		"True": true, "!True": false, "False": false, "!False": true,
		"Int": true, "Zero": false, "!Zero": true, "NaN": true,

		"Text=open": true, "Text=Open": false, "Text=paid|open": true, "Text!=paid|open": false, "Text!=done": true,
		"Label=paid": true, "Empty=''": true, "Empty!=''": false,
		"Nothing=x": false, "Nothing!=x": true, "Nothing=''": false,
		"True=true": true, "False=false": true, "False!=true": true,

		"Int=-3": true, "Int=-3.0": true, "Int<0": true, "Int>=-3": true, "Int>-3": false, "Int<=-4": false,
		"Uint=200": true, "Uint>199.5": true, "Float=0.1": true, "Float<0.1": false, "Float>0": true,
		"N=1.5": true, "Day=6": true, "NaN<1": false, "NaN=1": false, "NaN!=1": true,
		"Big=12345678901234567890123456789012345678": true,
		"Big=12345678901234567890123456789012345679": false,
		"Big>12345678901234567890123456789012345677": true,

		// Order is asked of numbers only.
		"Text>1": false, "Text<1": false, "Nothing<1": false, "True>0": false,

		"Text=open,Int<0":      true,
		"Text=open,Int<0,Zero": false,
	} {
		w, err := parser.ParseWhen(src)
		require.NoError(t, err, src)
		got := w.Eval(func(field string) (any, bool) {
			v, ok := item[field]
			return v, ok
		})
		require.Equal(t, want, got, src)
	}
	require.True(t, parser.When{}.Eval(nil), "the zero condition holds")
}
