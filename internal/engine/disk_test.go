package engine

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"

	"github.com/dynorm/dynorm/internal/engine/store"
)

// slowFile is a file whose writes wait to be let go.
type slowFile struct {
	mu     sync.Mutex
	writes [][]store.Edit
	gate   chan error // what the next write comes to
}

func (f *slowFile) Path() string { return "slow.db" }
func (f *slowFile) Close() error { return nil }
func (f *slowFile) Write(edits []store.Edit) error {
	f.mu.Lock()
	f.writes = append(f.writes, edits)
	f.mu.Unlock()
	return <-f.gate
}

const createApp = `{"TableName":"app","BillingMode":"PAY_PER_REQUEST","AttributeDefinitions":[{"AttributeName":"pk","AttributeType":"S"}],"KeySchema":[{"AttributeName":"pk","KeyType":"HASH"}]}`

func onSlowFile(t *testing.T) (*Engine, *slowFile) {
	t.Helper()
	f := &slowFile{gate: make(chan error, 1)}
	e := New(Config{})
	e.disk = newDisk(f)
	f.gate <- nil
	_, fault := e.Do("CreateTable", []byte(createApp))
	require.Nil(t, fault)
	require.Len(t, f.writes, 1)
	f.writes = nil
	return e, f
}

// call runs a request on its own. The answers come in the order of their ends.
func call(e *Engine, answers chan<- error, operation, body string, args ...any) {
	go func() {
		_, fault := e.Do(operation, fmt.Appendf(nil, body, args...))
		if fault != nil {
			answers <- fault
			return
		}
		answers <- nil
	}()
}

// TestDiskGroups has writers come together while a write is on its way: they
// share the next one. Reads of what is not on disk wait too, and others do not
// when all is there.
func TestDiskGroups(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e, f := onSlowFile(t)
		answers := make(chan error, 100)
		call(e, answers, "PutItem", `{"TableName":"app","Item":{"pk":{"S":"first"}}}`)
		synctest.Wait()
		require.Len(t, f.writes, 1)
		for i := range 20 {
			call(e, answers, "TransactWriteItems", `{"TransactItems":[{"Put":{"TableName":"app","Item":{"pk":{"S":"a%[1]d"}}}},{"Put":{"TableName":"app","Item":{"pk":{"S":"b%[1]d"}}}}]}`, i)
		}
		call(e, answers, "GetItem", `{"TableName":"app","Key":{"pk":{"S":"first"}}}`)
		call(e, answers, "PutItem", `{"TableName":"app","Item":{"pk":{"S":"first"}},"ConditionExpression":"attribute_not_exists(pk)"}`)
		synctest.Wait()
		require.Empty(t, answers, "nothing is answered that is not on disk")
		f.gate <- nil
		synctest.Wait()
		require.Len(t, f.writes, 2)
		require.Len(t, f.writes[1], 40)
		require.NotEmpty(t, answers)
		f.gate <- nil
		synctest.Wait()
		require.Len(t, answers, 23)
		require.Len(t, f.writes, 2)
		refused := 0
		for range 23 {
			if err := <-answers; err != nil {
				require.ErrorContains(t, err, "ConditionalCheckFailedException")
				refused++
			}
		}
		require.Equal(t, 1, refused)

		call(e, answers, "Scan", `{"TableName":"app"}`)
		call(e, answers, "PutItem", `{"TableName":"app","Item":{"pk":{"S":"first"}},"ConditionExpression":"attribute_not_exists(pk)"}`)
		synctest.Wait()
		require.Len(t, answers, 2, "what changes nothing needs no write")
		require.Len(t, f.writes, 2)
		require.NoError(t, e.Close())
	})
}

// TestDiskFails has a write fail: none of those that waited are answered but
// by the failure, and nothing is from then on.
func TestDiskFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e, f := onSlowFile(t)
		answers := make(chan error, 100)
		call(e, answers, "PutItem", `{"TableName":"app","Item":{"pk":{"S":"first"}}}`)
		synctest.Wait()
		call(e, answers, "PutItem", `{"TableName":"app","Item":{"pk":{"S":"second"}}}`)
		call(e, answers, "GetItem", `{"TableName":"app","Key":{"pk":{"S":"first"}}}`)
		synctest.Wait()
		f.gate <- errors.New("slow.db: no space left on device")
		synctest.Wait()
		call(e, answers, "Scan", `{"TableName":"app"}`)
		call(e, answers, "DeleteItem", `{"TableName":"app","Key":{"pk":{"S":"first"}}}`)
		synctest.Wait()
		require.Len(t, answers, 5)
		for range 5 {
			err := <-answers
			require.ErrorContains(t, err, "InternalServerError")
			require.ErrorContains(t, err, "slow.db: no space left on device")
		}
		require.Len(t, f.writes, 1, "nothing is written after a failure")
		require.Error(t, e.Restore(New(Config{}).Snapshot()))
		require.Error(t, e.Sync())
		require.ErrorContains(t, e.Close(), "no space left on device")
		require.NoError(t, e.Close(), "twice")
	})
}

// TestDiskIsWhole checks that a write never takes a part of a request.
func TestDiskIsWhole(t *testing.T) {
	e, f := onSlowFile(t)
	close(f.gate) // nothing waits, and nothing fails
	var wg sync.WaitGroup
	for worker := range 8 {
		wg.Go(func() {
			for i := range 50 {
				var puts []string
				for j := range 10 {
					puts = append(puts, fmt.Sprintf(`{"Put":{"TableName":"app","Item":{"pk":{"S":"%d-%d"},"i":{"N":"%d"}}}}`, worker, j, i))
				}
				if _, fault := e.Do("TransactWriteItems", []byte(`{"TransactItems":[`+strings.Join(puts, ",")+`]}`)); fault != nil {
					t.Error(fault)
				}
			}
		})
	}
	wg.Wait()
	n := 0
	for _, w := range f.writes {
		require.Zero(t, len(w)%10)
		n += len(w)
	}
	require.Equal(t, 8*50*10, n)
}
