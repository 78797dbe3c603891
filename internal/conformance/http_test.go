package conformance_test

import (
	"hash/crc32"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestAnswerHeaders checks what every answer carries beside its body.
func TestAnswerHeaders(t *testing.T) {
	for _, e := range endpoints(t) {
		t.Run(e.Name, func(t *testing.T) {
			for _, c := range []struct{ op, body string }{{"ListTables", "{}"}, {"GetItem", `{"TableName": "none", "Key": {"pk": {"S": "a"}}}`}} {
				a, err := e.Call(t.Context(), c.op, c.body, nil)
				require.NoError(t, err)
				if !e.Local { // which sends none
					require.Equal(t, strconv.FormatUint(uint64(crc32.ChecksumIEEE(a.Raw)), 10), a.Header.Get("X-Amz-Crc32"))
				}
				require.NotEmpty(t, a.Header.Get("X-Amzn-Requestid"))
				require.Equal(t, "application/x-amz-json-1.0", a.Header.Get("Content-Type"))
			}
		})
	}
}
