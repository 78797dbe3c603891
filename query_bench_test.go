package dynorm_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/dynorm/dynorm"
)

// The query of three predicates that the budget is about: two for the key, one
// for the filter.
func threePredicates(m dynorm.Model[Reading]) dynorm.Query[Reading] {
	return m.Where(dynorm.Eq("device", "d1"), dynorm.Ge("at", clock), dynorm.Eq("value", 3))
}

// Building and planning a query stays within its budget, and a query that is
// used again is not planned again.
func TestPlanBudget(t *testing.T) {
	m := dynorm.ModelOf[Reading](offline(t, Reading{}))
	require.LessOrEqual(t, testing.AllocsPerRun(100, func() {
		if err := dynorm.PlanOnly(threePredicates(m)); err != nil {
			t.Fatal(err)
		}
	}), 20.0)
	q := threePredicates(m)
	require.Zero(t, testing.AllocsPerRun(100, func() {
		if err := dynorm.PlanOnly(q); err != nil {
			t.Fatal(err)
		}
	}))
}

func BenchmarkPlan(b *testing.B) {
	m := dynorm.ModelOf[Reading](offline(b, Reading{}))
	b.ReportAllocs()
	for b.Loop() {
		if err := dynorm.PlanOnly(threePredicates(m)); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkPlanReused(b *testing.B) {
	q := threePredicates(dynorm.ModelOf[Reading](offline(b, Reading{})))
	b.ReportAllocs()
	for b.Loop() {
		if err := dynorm.PlanOnly(q); err != nil {
			b.Fatal(err)
		}
	}
}
