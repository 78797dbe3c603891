package dynorm

import (
	"context"
	"sync"
	"testing"
	"unsafe"
)

// countKinds notes the kinds of the operations sent.
func countKinds(kinds *[]OpKind) Interceptor {
	var mu sync.Mutex
	return func(ctx context.Context, op *Operation, next func(context.Context, *Operation) (*Result, error)) (*Result, error) {
		mu.Lock()
		*kinds = append(*kinds, op.Kind)
		mu.Unlock()
		return next(ctx, op)
	}
}

// PlanOnly plans a query without describing the plan.
func PlanOnly[T any](q Query[T]) error {
	_, err := q.s.planned()
	return err
}

// FoundAllocs returns the allocations of giving out a decoded value.
func FoundAllocs[T any](db *DB) float64 {
	m, v, ctx := ModelOf[T](db), new(T), context.Background()
	return testing.AllocsPerRun(100, func() {
		if _, err := m.e.decodeRow(m.maker, &row{v: unsafe.Pointer(v)}, db.afterFind(ctx, m.e)); err != nil {
			panic(err)
		}
	})
}
