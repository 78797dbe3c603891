package expr_test

import (
	"testing"

	"github.com/dynorm/dynorm/internal/engine/expr"
)

func benchmarkParse(b *testing.B, cache *expr.Cache) {
	names := expr.Names{"#s": "status", "#o": "owner"}
	values := expr.Values{":v": str("open"), ":n": num("3"), ":p": str("USER#1")}
	b.ReportAllocs()
	for b.Loop() {
		s := expr.Scope{Names: names, Values: values, Cache: cache}
		if _, err := expr.ParseUpdate("SET #s = :v, visits = if_not_exists(visits, :n) + :n REMOVE draft", &s); err != nil {
			b.Fatal(err)
		}
		if _, err := expr.ParseCondition(expr.KindCondition, "attribute_exists(pk) AND (#s <> :v OR begins_with(#o, :p))", &s); err != nil {
			b.Fatal(err)
		}
		if err := s.CheckUsed(); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkParse reads an update and a condition of ordinary length.
func BenchmarkParse(b *testing.B) {
	b.Run("anew", func(b *testing.B) { benchmarkParse(b, nil) })
	b.Run("cached", func(b *testing.B) { benchmarkParse(b, &expr.Cache{}) })
}

func BenchmarkEval(b *testing.B) {
	c, err := expr.ParseCondition(expr.KindFilter, "attribute_exists(pk) AND m.y.z = :q AND n BETWEEN :one AND :ten AND NOT contains(ss, :zz)", &expr.Scope{Values: given})
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if !c.Eval(stored) {
			b.Fatal("it holds")
		}
	}
}

func BenchmarkApply(b *testing.B) {
	u, err := expr.ParseUpdate("SET s = :v, m.x = m.x + :one, l[1] = :w REMOVE e", &expr.Scope{Values: given})
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := u.Apply(stored); err != nil {
			b.Fatal(err)
		}
	}
}
