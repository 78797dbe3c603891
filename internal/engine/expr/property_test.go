package expr_test

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/dynorm/dynorm/internal/engine/expr"
	"github.com/dynorm/dynorm/internal/engine/value"
)

// formula is a condition that evaluates itself, and prints itself with the
// parentheses that its meaning needs and some that it doesn't.
type formula struct {
	op          string // OR, AND, NOT, or a comparison's text
	left, right *formula
	truth       bool // of a comparison
	parens      bool // may stand in parentheses that it doesn't need
}

func (f *formula) is() bool {
	switch f.op {
	case "OR":
		return f.left.is() || f.right.is()
	case "AND":
		return f.left.is() && f.right.is()
	case "NOT":
		return !f.left.is()
	}
	return f.truth
}

func (f *formula) strength() int {
	return map[string]int{"OR": 1, "AND": 2, "NOT": 3}[f.op]
}

func (f *formula) print(atLeast int) string {
	text := f.op
	switch f.op {
	case "OR", "AND":
		// The right operand of the same operator needs parentheses to stand
		// there as one, though its meaning would be the same without.
		text = f.left.print(f.strength()) + " " + f.op + " " + f.right.print(f.strength()+1)
	case "NOT":
		text = "NOT " + f.left.print(f.strength())
	}
	if f.strength() != 0 && f.strength() < atLeast || f.parens {
		text = "(" + text + ")"
	}
	return text
}

func drawFormula(t *rapid.T, attrs map[string]int, depth int) *formula {
	f := &formula{parens: rapid.IntRange(0, 4).Draw(t, "parens") == 0}
	kind := 3
	if depth > 0 {
		kind = rapid.IntRange(0, 3).Draw(t, "kind")
	}
	switch kind {
	case 0, 1:
		f.op = []string{"OR", "AND"}[kind]
		f.left, f.right = drawFormula(t, attrs, depth-1), drawFormula(t, attrs, depth-1)
	case 2:
		f.op, f.left = "NOT", drawFormula(t, attrs, depth-1)
	default:
		name := rapid.SampledFrom([]string{"a", "b", "c", "d"}).Draw(t, "attribute")
		n := rapid.IntRange(0, 3).Draw(t, "number")
		comparator := rapid.SampledFrom([]string{"=", "<>", "<", "<=", ">", ">="}).Draw(t, "comparator")
		f.op = fmt.Sprintf("%s %s :%d", name, comparator, n)
		v, ok := attrs[name]
		f.truth = ok && map[string]bool{"=": v == n, "<>": v != n, "<": v < n, "<=": v <= n, ">": v > n, ">=": v >= n}[comparator] ||
			!ok && comparator == "<>"
	}
	return f
}

// TestPrecedence checks conditions against an evaluator that knows no text.
func TestPrecedence(t *testing.T) {
	digits := expr.Values{}
	for i := range 4 {
		digits[fmt.Sprintf(":%d", i)] = value.Int(int64(i))
	}
	cache := &expr.Cache{}
	rapid.Check(t, func(t *rapid.T) {
		attrs := rapid.MapOf(rapid.SampledFrom([]string{"a", "b", "c", "d"}), rapid.IntRange(0, 3)).Draw(t, "attributes")
		f := drawFormula(t, attrs, 5)
		text := f.print(0)
		if rapid.Bool().Draw(t, "lower case") {
			text = strings.NewReplacer("OR", "or", "AND", "And", "NOT", "nOT", " = ", "=", " <= ", "<=").Replace(text)
		}
		c, err := expr.ParseCondition(expr.KindCondition, text, &expr.Scope{Values: digits, Cache: cache})
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		it := map[string]value.Value{}
		for name, n := range attrs {
			it[name] = value.Int(int64(n))
		}
		if got := c.Eval(item(it)); got != f.is() {
			t.Fatalf("%s is %v with %v", text, got, attrs)
		}
	})
}

func drawValue(t *rapid.T, depth int) value.Value {
	word := rapid.SampledFrom([]string{"", "a", "ab", "b", "é"})
	number := rapid.SampledFrom([]string{"0", "1", "-1", "1.5", "2", "10"})
	kind := value.Kind(rapid.IntRange(int(value.S), int(value.BOOL)).Draw(t, "kind"))
	if depth == 0 && (kind == value.L || kind == value.M) {
		kind = value.S
	}
	switch kind {
	case value.S:
		return value.String(word.Draw(t, "text"))
	case value.B:
		return value.Binary(word.Draw(t, "bytes"))
	case value.N:
		return num(number.Draw(t, "number"))
	case value.BOOL:
		return value.Bool(rapid.Bool().Draw(t, "truth"))
	case value.NULL:
		return value.Null()
	case value.L:
		var elems []value.Value
		for range rapid.IntRange(0, 3).Draw(t, "elements") {
			elems = append(elems, drawValue(t, depth-1))
		}
		return value.List(elems)
	case value.M:
		m := map[string]value.Value{}
		for _, name := range rapid.SliceOfN(rapid.SampledFrom([]string{"x", "y"}), 0, 2).Draw(t, "names") {
			m[name] = drawValue(t, depth-1)
		}
		return value.Map(value.ItemOf(m))
	}
	var elems []value.Value
	for range rapid.IntRange(1, 3).Draw(t, "members") {
		switch kind {
		case value.SS:
			elems = append(elems, value.String(word.Draw(t, "text")))
		case value.BS:
			elems = append(elems, value.Binary(word.Draw(t, "bytes")))
		default:
			elems = append(elems, num(number.Draw(t, "number")))
		}
	}
	s, _ := value.Set(kind, elems)
	return s
}

// TestLaws checks that operators agree with each other, whatever the types.
func TestLaws(t *testing.T) {
	laws := []struct{ left, right string }{
		{"a <> b", "NOT a = b"},
		{"a = b", "b = a"},
		{"a > b", "b < a"},
		{"a >= b", "b <= a"},
		{"a BETWEEN b AND c", "a >= b AND a <= c"},
		{"a IN (b, c)", "a = b OR a = c"},
		{"attribute_not_exists(a)", "NOT attribute_exists(a)"},
		{"NOT (a = b AND a < c)", "NOT a = b OR NOT a < c"},
		{"NOT (a = b OR a < c)", "NOT a = b AND NOT a < c"},
		{"a = b AND b = c", "a = c AND b = c"},
		{"begins_with(a, b) AND attribute_type(b, :S)", "begins_with(a, b) AND attribute_type(b, :S) AND contains(a, b)"},
		{"size(a) >= size(b) OR size(a) < size(b)", "size(a) >= :zero AND size(b) >= :zero"},
		{"attribute_type(a.x, :S)", "attribute_exists(a.x) AND attribute_type(a.x, :S) AND attribute_type(a, :M)"},
		{"contains(a, a[0])", "attribute_exists(a[0])"},
	}
	values := expr.Values{":S": str("S"), ":M": str("M"), ":zero": num("0")}
	rapid.Check(t, func(t *rapid.T) {
		attrs := map[string]value.Value{}
		for _, name := range []string{"a", "b", "c"} {
			if rapid.IntRange(0, 5).Draw(t, "there") > 0 {
				attrs[name] = drawValue(t, 2)
			}
		}
		it := item(attrs)
		for _, law := range laws {
			if holds(t, law.left, values, it) != holds(t, law.right, values, it) {
				t.Fatalf("%s, but not: %s, with %#v", law.left, law.right, it)
			}
		}
	})
}

func holds(t *rapid.T, text string, values expr.Values, it value.Item) bool {
	c, err := expr.ParseCondition(expr.KindCondition, text, &expr.Scope{Values: values})
	if err != nil {
		t.Fatal(err)
	}
	return c.Eval(it)
}

// The model of documents: string, int, map[string]any and []any.

func toValue(doc any) value.Value {
	switch d := doc.(type) {
	case string:
		return value.String(d)
	case int:
		return value.Int(int64(d))
	case []any:
		elems := make([]value.Value, len(d))
		for i, e := range d {
			elems[i] = toValue(e)
		}
		return value.List(elems)
	}
	m := map[string]value.Value{}
	for name, e := range doc.(map[string]any) {
		m[name] = toValue(e)
	}
	return value.Map(value.ItemOf(m))
}

func fromValue(v value.Value) any {
	switch v.Kind() {
	case value.S:
		return v.Text()
	case value.N:
		i, _ := v.Number().Int()
		return int(i)
	case value.L:
		list := []any{}
		for _, e := range v.Elems() {
			list = append(list, fromValue(e))
		}
		return list
	}
	m := map[string]any{}
	for name, e := range v.Map().All() {
		m[name] = fromValue(e)
	}
	return m
}

func drawDocument(t *rapid.T, depth int) any {
	kind := rapid.IntRange(0, 3).Draw(t, "kind")
	switch {
	case depth == 0 || kind == 0:
		return rapid.IntRange(0, 9).Draw(t, "number")
	case kind == 1:
		return rapid.SampledFrom([]string{"p", "q"}).Draw(t, "text")
	case kind == 2:
		list := []any{}
		for range rapid.IntRange(0, 4).Draw(t, "elements") {
			list = append(list, drawDocument(t, depth-1))
		}
		return list
	}
	return drawMap(t, depth-1)
}

func drawMap(t *rapid.T, depth int) map[string]any {
	m := map[string]any{}
	for _, name := range rapid.SliceOfN(rapid.SampledFrom([]string{"a", "b", "c"}), 0, 3).Draw(t, "names") {
		m[name] = drawDocument(t, depth)
	}
	return m
}

// drawPath draws a path as a slice of strings and ints, mostly along the
// document.
func drawPath(t *rapid.T, doc any) []any {
	var out []any
	for {
		list, isList := doc.([]any)
		m, isMap := doc.(map[string]any)
		if stray := rapid.IntRange(0, 9).Draw(t, "stray") == 0; stray && len(out) > 0 {
			isList, isMap = isMap, isList
		}
		switch {
		case isList && len(out) > 0:
			i := rapid.IntRange(0, len(list)+2).Draw(t, "index")
			out, doc = append(out, i), nil
			if i < len(list) {
				doc = list[i]
			}
		case isMap || len(out) == 0:
			name := rapid.SampledFrom([]string{"a", "b", "c"}).Draw(t, "name")
			out, doc = append(out, name), m[name]
		}
		if doc == nil || !isList && !isMap || rapid.IntRange(0, 2).Draw(t, "end") == 0 {
			return out
		}
	}
}

func printPath(path []any) string {
	var b strings.Builder
	for i, s := range path {
		switch s := s.(type) {
		case int:
			b.WriteString("[" + strconv.Itoa(s) + "]")
		default:
			if i > 0 {
				b.WriteByte('.')
			}
			fmt.Fprint(&b, s)
		}
	}
	return b.String()
}

// lookUp returns what a path leads to, or nil.
func lookUp(doc any, path []any) any {
	for _, s := range path {
		switch s := s.(type) {
		case string:
			m, _ := doc.(map[string]any)
			doc = m[s]
		case int:
			list, _ := doc.([]any)
			if doc = nil; s < len(list) {
				doc = list[s]
			}
		}
	}
	return doc
}

// clash reports whether two paths overlap or conflict.
func clash(p, q []any) bool {
	for i := range min(len(p), len(q)) {
		_, pi := p[i].(int)
		_, qi := q[i].(int)
		if pi != qi {
			return true
		}
		if p[i] != q[i] {
			return false
		}
	}
	return true
}

// sparse is a list while it changes: its elements by their old indexes.
type sparse map[int]any

func loosen(doc any) any {
	switch d := doc.(type) {
	case []any:
		s := sparse{}
		for i, e := range d {
			s[i] = loosen(e)
		}
		return s
	case map[string]any:
		m := map[string]any{}
		for name, e := range d {
			m[name] = loosen(e)
		}
		return m
	}
	return doc
}

func tighten(doc any) any {
	switch d := doc.(type) {
	case sparse:
		list := []any{}
		for _, i := range slices.Sorted(maps.Keys(d)) {
			list = append(list, tighten(d[i]))
		}
		return list
	case map[string]any:
		m := map[string]any{}
		for name, e := range d {
			m[name] = tighten(e)
		}
		return m
	}
	return doc
}

// put stores v at a path of a loosened document, or removes what is there if v
// is nil. It reports whether the path is one.
func put(doc any, path []any, v any) bool {
	for _, s := range path[:len(path)-1] {
		switch at := doc.(type) {
		case map[string]any:
			name, _ := s.(string)
			doc = at[name]
		case sparse:
			i, ok := s.(int)
			if doc = nil; ok {
				doc = at[i]
			}
		default:
			return false
		}
	}
	switch last := path[len(path)-1].(type) {
	case string:
		at, ok := doc.(map[string]any)
		if !ok {
			return false
		}
		if at[last] = v; v == nil {
			delete(at, last)
		}
	case int:
		at, ok := doc.(sparse)
		if !ok {
			return false
		}
		if at[last] = v; v == nil {
			delete(at, last)
		}
	}
	return true
}

// TestUpdateModel checks updates against documents of maps and slices.
func TestUpdateModel(t *testing.T) {
	cache := &expr.Cache{}
	rapid.Check(t, func(t *rapid.T) {
		doc := drawMap(t, 3)
		after := loosen(doc)
		values := expr.Values{}
		sections := map[string][]string{}
		var targets [][]any
		clashes, fails := false, false
		for i := range rapid.IntRange(1, 5).Draw(t, "actions") {
			target := drawPath(t, doc)
			clashes = clashes || slices.ContainsFunc(targets, func(p []any) bool { return clash(p, target) })
			targets = append(targets, target)
			text := printPath(target)
			old := lookUp(doc, target)
			var v any
			switch verb := rapid.SampledFrom([]string{"value", "path", "sum", "default", "append", "REMOVE", "ADD"}).Draw(t, "verb"); verb {
			case "value":
				v = drawDocument(t, 2)
				name := fmt.Sprintf(":v%d", i)
				values[name] = toValue(v)
				sections["SET"] = append(sections["SET"], text+" = "+name)
			case "path":
				source := drawPath(t, doc)
				v = lookUp(doc, source)
				fails = fails || v == nil
				sections["SET"] = append(sections["SET"], text+" = "+printPath(source))
			case "sum":
				source := drawPath(t, doc)
				n, ok := lookUp(doc, source).(int)
				fails = fails || !ok
				values[":three"] = num("3")
				sections["SET"] = append(sections["SET"], text+" = "+printPath(source)+" - :three")
				v = n - 3
			case "default":
				source := drawPath(t, doc)
				if v = lookUp(doc, source); v == nil {
					v = "none"
				}
				values[":none"] = str("none")
				sections["SET"] = append(sections["SET"], text+" = if_not_exists("+printPath(source)+", :none)")
			case "append":
				source := drawPath(t, doc)
				list, ok := lookUp(doc, source).([]any)
				fails = fails || !ok
				values[":more"] = value.List([]value.Value{str("more")})
				sections["SET"] = append(sections["SET"], text+" = list_append(:more, "+printPath(source)+")")
				v = append([]any{"more"}, list...)
			case "REMOVE":
				sections[verb] = append(sections[verb], text)
			case "ADD":
				n, ok := old.(int)
				fails = fails || !ok && old != nil
				values[":two"] = num("2")
				sections[verb] = append(sections[verb], text+" :two")
				v = n + 2
			}
			fails = !put(after, target, loosen(v)) || fails
		}
		var parts []string
		for _, verb := range slices.Sorted(maps.Keys(sections)) {
			parts = append(parts, verb+" "+strings.Join(sections[verb], ", "))
		}
		text := strings.Join(parts, " ")
		u, err := expr.ParseUpdate(text, &expr.Scope{Values: values, Cache: cache})
		if clashes {
			if err == nil {
				t.Fatalf("%s: no fault, though paths clash", text)
			}
			return
		}
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		before := toValue(doc).Map()
		got, err := u.Apply(before)
		if fails != (err != nil) {
			t.Fatalf("%s on %#v: fault %v, want one: %v", text, before, err, fails)
		}
		if fails {
			return
		}
		if diff := cmp.Diff(tighten(after), fromValue(value.Map(got))); diff != "" {
			t.Fatalf("%s on %#v (-want +got):\n%s", text, before, diff)
		}
	})
}

// TestProjectionModel checks projections against documents of maps and slices.
func TestProjectionModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		doc := drawMap(t, 3)
		shown := any(map[string]any{})
		var paths [][]any
		var texts []string
		for range rapid.IntRange(1, 5).Draw(t, "paths") {
			p := drawPath(t, doc)
			if slices.ContainsFunc(paths, func(q []any) bool { return clash(p, q) }) {
				continue
			}
			paths, texts = append(paths, p), append(texts, printPath(p))
			v := lookUp(doc, p)
			if v == nil {
				continue
			}
			// Make the places on the way, then put the part there.
			for i := 1; i < len(p); i++ {
				if lookUpLoose(shown, p[:i]) != nil {
					continue
				}
				place := any(map[string]any{})
				if _, ok := p[i].(int); ok {
					place = sparse{}
				}
				put(shown, p[:i], place)
			}
			put(shown, p, loosen(v))
		}
		p, err := expr.ParseProjection(strings.Join(texts, ", "), &expr.Scope{})
		if err != nil {
			t.Fatal(err)
		}
		got := p.Apply(toValue(doc).Map())
		if diff := cmp.Diff(tighten(shown), fromValue(value.Map(got))); diff != "" {
			t.Fatalf("%v of %v (-want +got):\n%s", texts, doc, diff)
		}
	})
}

func lookUpLoose(doc any, path []any) any {
	for _, s := range path {
		switch at := doc.(type) {
		case map[string]any:
			name, _ := s.(string)
			doc = at[name]
		case sparse:
			i, _ := s.(int)
			doc = at[i]
		}
	}
	return doc
}
