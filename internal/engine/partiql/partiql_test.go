package partiql_test

import (
	"strings"
	"testing"

	"github.com/dynorm/dynorm/internal/engine/partiql"
	"github.com/dynorm/dynorm/internal/engine/value"
	"github.com/stretchr/testify/require"
)

// show writes an expression in prefix form, in which nothing binds.
func show(e *partiql.Expr) string {
	if e == nil {
		return "-"
	}
	list := func(args []*partiql.Expr) string {
		parts := make([]string, len(args))
		for i, a := range args {
			parts[i] = show(a)
		}
		return strings.Join(parts, " ")
	}
	switch e.Op {
	case partiql.Literal:
		return e.Value.GoString()
	case partiql.Parameter:
		return "?" + string(rune('0'+e.Param))
	case partiql.Path:
		var b strings.Builder
		for i, s := range e.Steps {
			switch {
			case s.Star:
				b.WriteString(".*")
			case s.Index != nil:
				b.WriteString("[" + show(s.Index) + "]")
			case i > 0:
				b.WriteString("." + s.Name)
			default:
				b.WriteString(s.Name)
			}
		}
		return b.String()
	case partiql.List:
		return "[" + list(e.Args) + "]"
	case partiql.Bag:
		return "<<" + list(e.Args) + ">>"
	case partiql.Tuple:
		var b strings.Builder
		for _, p := range e.Pairs {
			b.WriteString(show(p.Key) + ":" + show(p.Value) + " ")
		}
		return "{" + strings.TrimSpace(b.String()) + "}"
	case partiql.Missing:
		return "MISSING"
	case partiql.Ion:
		return "ion " + e.Text
	}
	return "(" + e.Text + " " + list(e.Args) + ")"
}

func TestExpressions(t *testing.T) {
	one, s := value.Int(1).GoString(), value.String("s").GoString()
	for text, want := range map[string]string{
		"a = 1":                       "(= a " + one + ")",
		"a = 1 OR b = 1 AND c = 1":    "(OR (= a " + one + ") (AND (= b " + one + ") (= c " + one + ")))",
		"NOT a = 1 AND b":             "(AND (NOT (= a " + one + ")) b)",
		"a + 1 * 1 - b = c || 's'":    "(= (- (+ a (* " + one + " " + one + ")) b) (|| c " + s + "))",
		"a NOT IN [1, ?] and b != ?":  "(AND (NOT (IN a [" + one + " ?0])) (<> b ?1))",
		"a BETWEEN 1 AND b AND c":     "(AND (BETWEEN a " + one + " b) c)",
		"a NOT BETWEEN 1 AND b":       "(NOT (BETWEEN a " + one + " b))",
		"a.b[1].\"c d\"['s'] IS NULL": "(IS NULL a.b[" + one + "].c d.s)",
		"a IS NOT missing":            "(NOT (IS MISSING a))",
		"SIZE(a, b.c) >= 1":           "(>= (size a b.c) " + one + ")",
		"((a))":                       "a",
		"(a, 1) = <<1>>":              "(= [a " + one + "] <<" + one + ">>)",
		"{'s': 1, a: [b]}":            "{" + s + ":" + one + " a:[b]}",
		"- a = -1 + +1":               "(= (- a) (+ " + value.Int(-1).GoString() + " " + one + "))",
		"a = 's''s' -- end":           "(= a " + value.String("s's").GoString() + ")",
		"m.*":                         "m.*",
		"`1.5`":                       "ion DECIMAL",
	} {
		st, err := partiql.Parse("UPDATE t SET x = " + text)
		require.NoError(t, err, text)
		require.Equal(t, want, show(st.Actions[0].Value), text)
	}
}

func TestStatements(t *testing.T) {
	st, err := partiql.Parse(`SELECT a, b.c FROM "t"."i" WHERE a = ? ORDER BY a DESC, b;`)
	require.NoError(t, err)
	require.Equal(t, partiql.Select, st.Verb)
	require.Equal(t, []string{"t", "i"}, []string{st.Table, st.Index})
	require.Equal(t, "a b.c", show(st.Columns[0])+" "+show(st.Columns[1]))
	require.Len(t, st.Order, 2)
	require.True(t, st.Order[0].Desc)
	require.False(t, st.Order[1].Desc)
	require.Equal(t, 1, st.Parameters)

	st, err = partiql.Parse(`INSERT INTO t VALUE {'a': ?, 'b': ?}`)
	require.NoError(t, err)
	require.Equal(t, partiql.Insert, st.Verb)
	require.Equal(t, "b", st.Item[1].Name)
	require.Equal(t, 2, st.Parameters)

	st, err = partiql.Parse(`UPDATE t SET a = 1, b = 2 REMOVE c SET d = 4 WHERE e = 5 RETURNING modified old *`)
	require.NoError(t, err)
	require.Equal(t, partiql.Update, st.Verb)
	require.Len(t, st.Actions, 4)
	require.Nil(t, st.Actions[2].Value)
	require.Equal(t, "MODIFIED OLD", st.Returning)

	st, err = partiql.Parse(`DELETE FROM t WHERE a = 1`)
	require.NoError(t, err)
	require.Equal(t, partiql.Delete, st.Verb)

	st, err = partiql.Parse(`EXISTS(SELECT * FROM t WHERE a = 1)`)
	require.NoError(t, err)
	require.Equal(t, partiql.Exists, st.Verb)
}

// TestDepth holds the parser to a bounded depth, whatever nests.
func TestDepth(t *testing.T) {
	for _, nest := range [][2]string{{"(", ")"}, {"[", "]"}, {"NOT ", ""}, {"- ", ""}, {"f(", ")"}, {"<<", ">>"}, {"a[", "]"}, {"CASE WHEN ", " THEN 1 END"}, {"(SELECT * FROM t WHERE ", ")"}} {
		for _, n := range []int{20, 4000} {
			text := "SELECT * FROM t WHERE " + strings.Repeat(nest[0], n) + "a" + strings.Repeat(nest[1], n)
			_, err := partiql.Parse(text)
			require.Equal(t, n > 1000, err != nil && partiql.Malformed(err), "%d of %q", n, nest[0])
		}
	}
}

func TestConstants(t *testing.T) {
	constant := func(text string, params ...value.Value) (value.Value, error) {
		st, err := partiql.Parse("UPDATE t SET x = " + text)
		require.NoError(t, err, text)
		return st.Actions[0].Value.Constant(params)
	}
	v, err := constant("{'a': [1, 's', null, true], 'b': <<2, 1>>}")
	require.NoError(t, err)
	numbers, _ := value.Set(value.NS, []value.Value{value.Int(1), value.Int(2)})
	want := value.Map(value.NewItem([]value.Attr{
		{Name: "a", Value: value.List([]value.Value{value.Int(1), value.String("s"), value.Null(), value.Bool(true)})},
		{Name: "b", Value: numbers},
	}))
	require.True(t, value.Equal(want, v), v.GoString())
	v, err = constant("?", value.String("p"))
	require.NoError(t, err)
	require.Equal(t, "p", v.Text())
	for text, fault := range map[string]string{
		"[?]":               "Unsupported data type: Parameter under key root.0 at 1:19:1",
		"[a]":               "Unsupported data type: VariableReference under key root.0 at 1:19:1",
		"<<>>":              "Empty bags are not supported at 1:18:2",
		"<<1, 's'>>":        "Unsupported data type in Bag. DynamoDB only supports either numbers or strings in bags",
		"<<1, 1.0>>":        "Input collection contains duplicates",
		"{'a': 1, 'a': 2}":  "Duplicate keys in tuple. Key: a under root at 1:18:1",
		"{1: 2}":            "Tuple keys must be of type String. Actual type: Literal under root at 1:19:1",
		"{'a': {'b': 1+2}}": "Unsupported data type: + under key root.a.b at 1:31:1",
		"{'a': `2000-01T`}": "Ion Literals are not supported: INT under key root.a at 1:24:10",
		strings.Repeat("[", 40) + strings.Repeat("]", 40): "Nesting Levels have exceeded supported limits",
	} {
		_, err := constant(text, value.Int(1))
		require.EqualError(t, err, fault, text)
	}
}
