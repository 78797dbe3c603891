package dynorm

import (
	"context"
	"sync"
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
