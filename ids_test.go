package dynorm_test

import (
	"testing"
	"time"

	"github.com/oklog/ulid/v2"
	"github.com/stretchr/testify/require"

	"github.com/dynorm/dynorm"
)

// ULIDs are those that others read, with the time they were made at.
func TestULID(t *testing.T) {
	seen := map[string]bool{}
	for _, ms := range []int64{0, 1, 1<<32 + 5, 1_700_000_000_123, 1<<48 - 1} {
		for range 50 {
			text, err := dynorm.RandomIDs{}.ULID(time.UnixMilli(ms))
			require.NoError(t, err)
			id, err := ulid.ParseStrict(text)
			require.NoError(t, err, text)
			require.EqualValues(t, ms, id.Time())
			require.Equal(t, text, id.String())
			require.False(t, seen[text])
			seen[text] = true
		}
	}
	for _, ms := range []int64{-1, 1 << 48} {
		_, err := dynorm.RandomIDs{}.ULID(time.UnixMilli(ms))
		require.Error(t, err, "%d", ms)
	}
}
