package expr_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/dynorm/dynorm/internal/engine/expr"
)

// joined returns n texts with a separator between them; verbs in the format
// are numbered.
func joined(n int, sep, format string) string {
	parts := make([]string, n)
	for i := range parts {
		parts[i] = format
		if strings.Contains(format, "%d") {
			parts[i] = fmt.Sprintf(format, i)
		}
	}
	return strings.Join(parts, sep)
}

func TestLimits(t *testing.T) {
	const tooMany = "The expression contains too many operators; operator count: 301"
	deep := func(n int) string { return joined(n, ".", "a") }
	for _, c := range []struct {
		why   string
		kind  expr.Kind
		text  string
		fault string
	}{
		{"299 operators", expr.KindCondition, joined(150, " OR ", "a=:v"), ""},
		{"300 operators", expr.KindCondition, "NOT " + joined(150, " OR ", "a=:v"), ""},
		{"301 operators", expr.KindCondition, joined(151, " OR ", "a=:v"), tooMany},
		{"many more are counted no further", expr.KindCondition, joined(500, " OR ", "a=:v"), tooMany},
		{"NOT counts", expr.KindCondition, strings.Repeat("NOT ", 299) + "a=:v", ""},
		{"one NOT too many", expr.KindCondition, strings.Repeat("NOT ", 300) + "a=:v", tooMany},
		{"parentheses don't count", expr.KindCondition, joined(150, " OR ", "(a=:v)"), ""},
		{"functions count", expr.KindCondition, joined(150, " OR ", "attribute_exists(a)"), ""},
		{"one function too many", expr.KindCondition, joined(151, " OR ", "attribute_exists(a)"), tooMany},
		{"size counts beside the comparison", expr.KindCondition, "size(a)=:v OR size(a)=:v OR " + joined(148, " OR ", "a=:v"), tooMany},
		{"BETWEEN is one", expr.KindCondition, "a BETWEEN b AND c OR " + joined(149, " OR ", "a=:v"), ""},
		{"IN is one", expr.KindCondition, joined(4, " OR ", "a IN ("+joined(100, ",", "b")+")"), ""},
		{"of key conditions too", expr.KindKeyCondition, joined(151, " AND ", "pk = :v"), tooMany},
		{"syntax comes before", expr.KindCondition, joined(151, " OR ", "a=:v") + " OR", `Syntax error; token: "<EOF>", near: "OR"`},
		{"names of functions and attributes come before", expr.KindCondition, joined(151, " OR ", "a=:v") + " OR true = :v", "Attribute name is a reserved keyword; reserved keyword: true"},
		{"an operand before its operator is counted", expr.KindCondition, joined(150, " OR ", "a=:v") + " OR #x = :v", "An expression attribute name used in the document path is not defined; attribute name: #x"},
		{"IN takes 100", expr.KindCondition, "a IN (" + joined(100, ",", ":v") + ")", ""},
		{"and no more", expr.KindCondition, "a IN (" + joined(101, ",", ":v") + ")", "The IN operator is provided with too many operands; number of operands: 101"},
		{"that are distinct", expr.KindCondition, "a IN (" + joined(101, ",", "a") + ")", "The first operand must be distinct from the remaining operands for this operator or function; operator: IN, first operand: [a]"},
		{"32 levels", expr.KindCondition, deep(32) + " = :v", ""},
		{"33 levels", expr.KindCondition, deep(33) + " = :v", "The document path has too many nesting levels; nesting levels: 33"},
		{"indexes are levels", expr.KindCondition, "a" + strings.Repeat("[0]", 32) + " = :v", "The document path has too many nesting levels; nesting levels: 33"},
		{"of targets", expr.KindUpdate, "SET " + deep(33) + " = :v", "The document path has too many nesting levels; nesting levels: 33"},
		{"of projections", expr.KindProjection, deep(40), "The document path has too many nesting levels; nesting levels: 40"},
		{"highest index", expr.KindCondition, "a[2147483647] = :v", ""},
		{"index too high", expr.KindCondition, "a[2147483648] = :v", "List index is not within the allowable range; index: [2147483648]"},
		{"index far too high", expr.KindProjection, "a[" + strings.Repeat("9", 400) + "]", "List index is not within the allowable range; index: [" + strings.Repeat("9", 400) + "]"},
		{"4096 bytes", expr.KindCondition, "a = :v" + strings.Repeat(" ", 4090), ""},
		{"4097 bytes", expr.KindProjection, strings.Repeat(" ", 4097), "Expression size has exceeded the maximum allowed size;"},
		{"bytes, not characters", expr.KindProjection, strings.Repeat("é", 2049), "Expression size has exceeded the maximum allowed size;"},
		{"assignments don't count", expr.KindUpdate, "SET " + joined(400, ",", "a%d=:v"), ""},
		{"300 sums", expr.KindUpdate, "SET " + joined(300, ",", "a%d=:n+:n"), ""},
		{"301 sums", expr.KindUpdate, "SET " + joined(301, ",", "a%d=:n+:n"), tooMany},
		{"counted from the last one", expr.KindUpdate, "SET q=:undefined, " + joined(301, ",", "a%d=:n+:n"), tooMany},
		{"overlaps come before", expr.KindUpdate, "SET " + joined(301, ",", "a%d=:n+:n") + ",a0=:n", "Two document paths overlap with each other; must remove or rewrite one of these paths; path one: [a0], path two: [a0]"},
		{"300 functions", expr.KindUpdate, "SET " + joined(150, ",", "a%d=if_not_exists(b,:n)"), ""},
		{"long names", expr.KindProjection, strings.Repeat("a", 4096), ""},
	} {
		t.Run(c.why, func(t *testing.T) {
			fault := c.fault
			if fault != "" {
				fault = "Invalid " + c.kind.String() + ": " + fault
			}
			check(t, read(c.kind, c.text, &expr.Scope{Values: given, Wording: expr.WordingRead}), fault)
		})
	}
}

// TestExplosions reads texts that are built to explode. Each must end soon,
// with any result.
func TestExplosions(t *testing.T) {
	for name, text := range map[string]string{
		"parentheses":        strings.Repeat("(", 2047) + "a" + strings.Repeat(")", 2047),
		"open parentheses":   strings.Repeat("(", 4096),
		"spaced parentheses": strings.Repeat("( ", 2048),
		"NOT":                strings.Repeat("NOT ", 1000) + "a = b",
		"NOT in parentheses": strings.Repeat("NOT(", 500) + "a = b" + strings.Repeat(")", 500),
		"functions":          strings.Repeat("size(", 680) + "a" + strings.Repeat(")", 680),
		"if_not_exists":      "SET a = " + strings.Repeat("if_not_exists(b,", 240) + "c" + strings.Repeat(")", 240),
		"sums":               "SET a = " + strings.Repeat("(", 2000) + "b" + strings.Repeat(")", 2000),
		"OR":                 strings.Repeat("a=b OR ", 585),
		"mixed":              strings.Repeat("(a=b OR NOT (", 300) + "a=b" + strings.Repeat("))", 300) + " ",
		"placeholders":       joined(600, " OR ", "#%d=:%d"),
		"values":             "a IN (" + joined(670, ",", ":%d") + ")",
		"paths":              joined(800, ",", "a%d"),
		"nested paths":       joined(127, ",", joined(16, ".", "b")),
		"targets":            "REMOVE " + joined(800, ",", "a%d"),
		"indexes":            "a" + strings.Repeat("[0]", 1300),
		"dots":               "a" + strings.Repeat(".", 4000),
	} {
		t.Run(name, func(t *testing.T) {
			begin := time.Now()
			for _, kind := range []expr.Kind{expr.KindUpdate, expr.KindCondition, expr.KindFilter, expr.KindKeyCondition, expr.KindProjection} {
				_ = read(kind, text, &expr.Scope{Values: given})
			}
			require.Less(t, time.Since(begin), time.Second)
		})
	}
}

// TestReserved checks every reserved word in every letter case, bare in a
// condition and escaped by a placeholder.
func TestReserved(t *testing.T) {
	keywords := map[string]bool{"AND": true, "OR": true, "NOT": true, "BETWEEN": true, "IN": true, "SET": true, "ADD": true, "REMOVE": true, "DELETE": true}
	words := expr.ReservedWords()
	require.Len(t, words, 573)
	for _, word := range words {
		require.Equal(t, strings.ToUpper(word), word)
		for _, w := range []string{word, strings.ToLower(word), word[:1] + strings.ToLower(word[1:])} {
			want := "Invalid ProjectionExpression: Attribute name is a reserved keyword; reserved keyword: " + w
			if keywords[word] {
				want = fmt.Sprintf("Invalid ProjectionExpression: Syntax error; token: %q, near: \".%s, b\"", w, w)
				want = strings.Replace(want, ", b", ",", 1)
			}
			_, err := expr.ParseProjection("a."+w+", b", &expr.Scope{})
			require.EqualError(t, err, want)
			_, err = expr.ParseProjection("a.#w, b", &expr.Scope{Names: expr.Names{"#w": w}})
			require.NoError(t, err)
			_, err = expr.ParseProjection(w+"_, x"+w, &expr.Scope{})
			require.NoError(t, err, "only whole words are reserved")
		}
	}
}
