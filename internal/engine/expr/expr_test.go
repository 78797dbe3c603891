package expr_test

import (
	"fmt"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/dynorm/dynorm/internal/engine/expr"
	"github.com/dynorm/dynorm/internal/engine/value"
	"github.com/dynorm/dynorm/internal/golden"
)

func num(text string) value.Value {
	n, err := value.ParseNumber(text)
	if err != nil {
		panic(err)
	}
	return value.Num(n)
}

func set(kind value.Kind, elems ...value.Value) value.Value {
	v, _ := value.Set(kind, elems)
	return v
}

func list(elems ...value.Value) value.Value { return value.List(elems) }

func item(attrs map[string]value.Value) value.Item { return value.ItemOf(attrs) }

func object(attrs map[string]value.Value) value.Value { return value.Map(item(attrs)) }

var str = value.String

// stored is the item that the rows of the golden files are about.
var stored = item(map[string]value.Value{
	"pk": str("p"), "sk": str("s"),
	"s": str("str"), "u": str("é😀"), "e": str(""), "n": num("5"), "n10": num("10"),
	"b": value.Binary("a"), "z": value.Null(), "bo": value.Bool(true),
	"ss": set(value.SS, str("a"), str("b"), str("c")), "ns": set(value.NS, num("1"), num("2")), "bs": set(value.BS, value.Binary("a")),
	"l": list(str("a"), str("b"), str("c")), "el": list(),
	"ll": list(object(map[string]value.Value{"x": num("1"), "y": num("2")}), list(num("1"), num("2"), num("3"))),
	"nn": list(value.Null(), num("1"), list(num("1")), set(value.SS, str("a"), str("b"))),
	"m": object(map[string]value.Value{
		"x": num("1"), "y": object(map[string]value.Value{"z": str("q")}), "l": list(str("p")),
	}),
	"em": object(nil), "mn": object(map[string]value.Value{"x": value.Null()}),
})

// given are the values that rows may use. Any other placeholder is undefined.
var given = func() expr.Values {
	m := expr.Values{
		":v": str("x"), ":w": str("y"), ":a": str("a"), ":q": str("q"), ":zz": str("zz"), ":str": str("st"), ":e": str(""), ":N": str("N"),
		":n": num("1"), ":m": num("2"), ":o": num("3"), ":b": value.Binary("a"), ":bb": value.Binary("ab"),
		":t": value.Bool(true), ":z": value.Null(), ":mm": object(map[string]value.Value{"k": str("q")}),
		":l": list(num("7")), ":lone": list(num("1")),
		":ss": set(value.SS, str("a"), str("b")), ":sc": set(value.SS, str("c")), ":sab": set(value.SS, str("a"), str("b")),
		":sabc": set(value.SS, str("a"), str("b"), str("c")), ":ns": set(value.NS, num("1"), num("2")), ":bs": set(value.BS, value.Binary("a")),
		":big": str(strings.Repeat("x", 1500)), ":huge": str(strings.Repeat("x", 2500)),
	}
	for i, name := range []string{":zero", ":one", ":two", ":three", "", ":five", ":six", ":seven", "", "", ":ten"} {
		if name != "" {
			m[name] = value.Int(int64(i))
		}
	}
	for k := value.S; k <= value.BOOL; k++ {
		m[":T"+k.String()] = str(k.String())
	}
	return m
}()

var (
	tableKey = expr.KeySchema{Partition: []expr.KeyAttr{{"pk", value.S}}, Sort: []expr.KeyAttr{{"sk", value.S}}}
	hashKey  = expr.KeySchema{Partition: []expr.KeyAttr{{"pk", value.S}}}
	multiKey = expr.KeySchema{
		Index:     "ggg",
		Partition: []expr.KeyAttr{{"h1", value.S}, {"h2", value.N}},
		Sort:      []expr.KeyAttr{{"r1", value.S}, {"r2", value.S}, {"r3", value.N}},
	}
	keys = []string{"pk", "sk"}
)

// languages evaluate a text as a request does, and print what comes out.
var languages = map[string]func(text string) (string, error){
	"conditions": func(text string) (string, error) {
		c, err := expr.ParseCondition(expr.KindCondition, text, &expr.Scope{Values: given})
		if err != nil {
			return "", err
		}
		return fmt.Sprint(c.Eval(stored)), c.CheckScalars(keys, false)
	},
	"updates": func(text string) (string, error) {
		u, err := expr.ParseUpdate(text, &expr.Scope{Values: given})
		if err != nil {
			return "", err
		}
		if err := u.CheckKeys(keys); err != nil {
			return "", err
		}
		if err := u.CheckScalars(keys, false); err != nil {
			return "", err
		}
		changed, err := u.Apply(stored)
		return difference(stored, changed), err
	},
	"projections": func(text string) (string, error) {
		p, err := expr.ParseProjection(text, &expr.Scope{Values: given})
		if err != nil {
			return "", err
		}
		return p.Apply(stored).GoString(), p.CheckScalars(keys, false)
	},
	"keyconditions of a table":            keyConditionOf(tableKey),
	"keyconditions without a sort key":    keyConditionOf(hashKey),
	"keyconditions of several attributes": keyConditionOf(multiKey),
}

func keyConditionOf(schema expr.KeySchema) func(string) (string, error) {
	return func(text string) (string, error) {
		k, err := expr.ParseKeyCondition(text, &expr.Scope{Values: given})
		if err != nil {
			return "", err
		}
		if err := k.Check(); err != nil {
			return "", err
		}
		r, err := k.Range(schema)
		return printRange(r), err
	}
}

// printRange prints a range as an interval after what is equal.
func printRange(r expr.KeyRange) string {
	var b strings.Builder
	for i, v := range append(r.Partition, r.Sort...) {
		if i == len(r.Partition) {
			b.WriteString(" |")
		}
		fmt.Fprintf(&b, " %#v", v)
	}
	switch {
	case !r.Prefix.IsZero():
		fmt.Fprintf(&b, " prefix %#v", r.Prefix)
	case !r.Lower.IsZero() || !r.Upper.IsZero():
		open, shut := "[", "]"
		if r.LowerOpen {
			open = "("
		}
		if r.UpperOpen {
			shut = ")"
		}
		fmt.Fprintf(&b, " %s%#v, %#v%s", open, r.Lower, r.Upper, shut)
	}
	return strings.TrimSpace(b.String())
}

// difference prints the attributes of after that before lacks or has
// otherwise, and the names of those that are gone.
func difference(before, after value.Item) string {
	changed := after.Filter(func(name string) bool {
		old, ok := before.Get(name)
		return !ok || !value.Equal(old, after.Value(name))
	})
	out := changed.GoString()
	for name := range before.All() {
		if !after.Has(name) {
			out += " without " + name
		}
	}
	return out
}

// visible replaces control characters by their escapes.
func visible(text string) string {
	var b strings.Builder
	for _, r := range text {
		if r < ' ' || r == 0x2028 || r == 0xA0 || r == 0x3000 {
			b.WriteString(strings.Trim(strconv.QuoteRuneToASCII(r), "'"))
		} else {
			b.WriteRune(r)
		}
	}
	return b.String()
}

// TestRows runs the tables in testdata: an expression on one line, what it
// gives on the next. Those of differences.txtar are where DynamoDB Local
// answers otherwise.
func TestRows(t *testing.T) {
	rows := 0
	for _, name := range []string{"conditions", "updates", "projections", "keyconditions", "differences"} {
		f := golden.Open(t, "testdata/"+name+".txtar")
		t.Run(name, func(t *testing.T) {
			var sections []string
			for language, evaluate := range languages {
				section, ok := f.Section(language)
				if !ok {
					continue
				}
				sections = append(sections, language)
				var got strings.Builder
				for line := range strings.Lines(section) {
					line = strings.TrimSuffix(line, "\n")
					if strings.HasPrefix(line, "\t") {
						continue
					}
					text := line
					if strings.HasPrefix(line, `"`) {
						var err error
						text, err = strconv.Unquote(line)
						require.NoError(t, err, line)
					}
					result, err := evaluate(text)
					if err != nil {
						result = err.Error()
					}
					rows++
					got.WriteString(line + "\n\t" + visible(result) + "\n")
				}
				f.Compare(t, language, got.String())
			}
			require.NotEmpty(t, sections)
			f.Only(t, sections...)
		})
	}
	require.Greater(t, rows, 1000, "the tables are not where they should be")
}
