package expr_test

import (
	"errors"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/dynorm/dynorm/internal/engine/expr"
	"github.com/dynorm/dynorm/internal/engine/value"
	"github.com/dynorm/dynorm/internal/golden"
)

// seed adds the expressions of the golden tables that a parser is about.
func seed(f *testing.F, files ...string) {
	for _, name := range files {
		file := golden.Open(f, "testdata/"+name+".txtar")
		for language := range languages {
			section, _ := file.Section(language)
			for line := range strings.Lines(section) {
				if !strings.HasPrefix(line, "\t") {
					f.Add(strings.TrimSuffix(line, "\n"))
				}
			}
		}
	}
}

// checkFault fails the test for faults that no request should meet.
func checkFault(t *testing.T, text string, err error) {
	var fault value.Error
	switch {
	case err == nil:
	case !errors.As(err, &fault):
		t.Fatalf("%q: %v is no fault of the request", text, err)
	case utf8.ValidString(text) && !utf8.ValidString(err.Error()):
		t.Fatalf("%q: the fault's text is not UTF-8: %q", text, err)
	}
}

var fuzzNames = expr.Names{"#a": "a", "#b": "m", "#n": "name", "#x": "x"}

// again reads a text once more, out of a cache, and fails the test if that
// makes a difference.
func again(t *testing.T, kind expr.Kind, text string, fault error) {
	cache := &expr.Cache{}
	for range 2 {
		err := read(kind, text, &expr.Scope{Names: fuzzNames, Values: given, Cache: cache})
		if (err == nil) != (fault == nil) || err != nil && err.Error() != fault.Error() {
			t.Fatalf("%q: %v at first, %v again", text, fault, err)
		}
	}
}

func FuzzCondition(f *testing.F) {
	seed(f, "conditions")
	f.Fuzz(func(t *testing.T, text string) {
		s := &expr.Scope{Names: fuzzNames, Values: given}
		c, err := expr.ParseCondition(expr.KindCondition, text, s)
		checkFault(t, text, err)
		again(t, expr.KindCondition, text, err)
		if err != nil {
			return
		}
		// What stands in parentheses is the same, and NOT is its opposite.
		negated, err := expr.ParseCondition(expr.KindCondition, "NOT ("+text+")", &expr.Scope{Names: fuzzNames, Values: given})
		if err != nil {
			if !strings.HasPrefix(strings.TrimSpace(text), "(") && len(text) < expr.MaxSize-6 && !strings.Contains(err.Error(), "too many operators") {
				t.Fatalf("%q has no negation: %v", text, err)
			}
			return
		}
		if c.Eval(stored) == negated.Eval(stored) {
			t.Fatalf("%q is as true as its negation", text)
		}
		c.Eval(value.Item{})
		for range c.Attributes() {
		}
	})
}

func FuzzFilter(f *testing.F) {
	seed(f, "conditions")
	f.Fuzz(func(t *testing.T, text string) {
		c, err := expr.ParseCondition(expr.KindFilter, text, &expr.Scope{Values: given})
		checkFault(t, text, err)
		_, other := expr.ParseCondition(expr.KindCondition, text, &expr.Scope{Values: given})
		if err != nil {
			if other == nil || strings.Replace(err.Error(), "FilterExpression", "ConditionExpression", 1) != other.Error() {
				t.Fatalf("%q: %v as a filter, %v as a condition", text, err, other)
			}
			return
		}
		named := false
		for name := range c.Attributes() {
			named = named || name == "pk"
		}
		if named != (c.CheckFilter(keys[:1], "Filter Expression") != nil) {
			t.Fatalf("%q names the key: %v", text, named)
		}
	})
}

func FuzzKeyCondition(f *testing.F) {
	seed(f, "keyconditions")
	f.Fuzz(func(t *testing.T, text string) {
		s := &expr.Scope{Names: fuzzNames, Values: given}
		k, err := expr.ParseKeyCondition(text, s)
		checkFault(t, text, err)
		if err != nil {
			again(t, expr.KindKeyCondition, text, err)
			return
		}
		if err := k.Check(); err != nil {
			checkFault(t, text, err)
			return
		}
		for _, schema := range []expr.KeySchema{tableKey, hashKey, multiKey} {
			r, err := k.Range(schema)
			checkFault(t, text, err)
			if err == nil && (len(r.Partition) != len(schema.Partition) || len(r.Sort) > len(schema.Sort)) {
				t.Fatalf("%q: range %+v", text, r)
			}
		}
	})
}

func FuzzUpdate(f *testing.F) {
	seed(f, "updates")
	before := stored.Clone()
	f.Fuzz(func(t *testing.T, text string) {
		s := &expr.Scope{Names: fuzzNames, Values: given}
		u, err := expr.ParseUpdate(text, s)
		checkFault(t, text, err)
		again(t, expr.KindUpdate, text, err)
		if err != nil {
			return
		}
		changed, err := u.Apply(stored)
		checkFault(t, text, err)
		if !before.Equal(stored) {
			t.Fatalf("%q changed the old item", text)
		}
		if err != nil {
			return
		}
		// Only what is named changes, and what is returned is a part of the item.
		names := map[string]bool{}
		for name := range u.Attributes() {
			names[name] = true
		}
		for name, v := range stored.All() {
			if !names[name] && !value.Equal(v, changed.Value(name)) {
				t.Fatalf("%q changed %s", text, name)
			}
		}
		for name := range u.Updated(changed).All() {
			if !names[name] || !changed.Has(name) {
				t.Fatalf("%q returns %s", text, name)
			}
		}
	})
}

func FuzzProjection(f *testing.F) {
	seed(f, "projections")
	f.Fuzz(func(t *testing.T, text string) {
		s := &expr.Scope{Names: fuzzNames}
		p, err := expr.ParseProjection(text, s)
		checkFault(t, text, err)
		again(t, expr.KindProjection, text, err)
		if err != nil {
			return
		}
		for name, v := range p.Apply(stored).All() {
			if whole, ok := stored.Get(name); !ok || v.Kind() != whole.Kind() || v.Size() > whole.Size() {
				t.Fatalf("%q shows more of %s than there is", text, name)
			}
		}
	})
}
