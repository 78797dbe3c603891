package expr_test

import (
	"fmt"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/dynorm/dynorm/internal/engine/expr"
	"github.com/dynorm/dynorm/internal/engine/value"
)

// TestCacheKeepsMeaning checks that a text means the same when it is read
// again, with other placeholders and as another kind of expression.
func TestCacheKeepsMeaning(t *testing.T) {
	cache := &expr.Cache{}
	for i := range 3 {
		s := &expr.Scope{Names: expr.Names{"#a": fmt.Sprintf("a%d", i)}, Values: expr.Values{":v": value.Int(int64(i))}, Cache: cache}
		c, err := expr.ParseCondition(expr.KindCondition, "#a = :v", s)
		require.NoError(t, err)
		require.NoError(t, s.CheckUsed())
		require.True(t, c.Eval(item(map[string]value.Value{fmt.Sprintf("a%d", i): value.Int(int64(i))})))

		_, err = expr.ParseProjection("#a = :v", s)
		check(t, err, `Invalid ProjectionExpression: Syntax error; token: "=", near: "#a = :v"`)
		_, err = expr.ParseCondition(expr.KindFilter, "#a = :undefined", s)
		check(t, err, "Invalid FilterExpression: An expression attribute value used in expression is not defined; attribute value: :undefined")
	}
	require.Equal(t, 2, cache.Len(), "texts with faults are not kept")
}

func TestCacheIsBounded(t *testing.T) {
	cache := &expr.Cache{}
	var readers sync.WaitGroup
	for r := range 4 {
		readers.Go(func() {
			for i := range 2 * expr.CacheSize {
				s := &expr.Scope{Values: given, Cache: cache}
				c, err := expr.ParseCondition(expr.KindCondition, fmt.Sprintf("a%d = :v OR n = :five", i+r), s)
				if err != nil || !c.Eval(stored) {
					t.Errorf("expression %d: %v", i, err)
				}
			}
		})
	}
	readers.Wait()
	require.Equal(t, expr.CacheSize, cache.Len())
}
