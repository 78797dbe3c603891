package engine_test

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.etcd.io/bbolt"

	"github.com/dynorm/dynorm/internal/engine"
)

// BenchmarkDisk compares a PutItem, on disk when it is answered, with bbolt's
// own Update and Batch of as many bytes, in turns of 64 puts: by the time that
// half of the turns stay below. Batch waits for others by itself, and is left
// out where there are none.
func BenchmarkDisk(b *testing.B) {
	const burst = 64
	value := strings.Repeat("x", 110)
	db, err := bbolt.Open(filepath.Join(b.TempDir(), "bbolt.db"), 0o600, &bbolt.Options{FreelistType: bbolt.FreelistMapType})
	require.NoError(b, err)
	defer db.Close()
	require.NoError(b, db.Update(func(tx *bbolt.Tx) error {
		_, err := tx.CreateBucket([]byte("items"))
		return err
	}))
	e, err := engine.Open(b.Context(), engine.Config{}, b.TempDir())
	require.NoError(b, err)
	defer e.Close()
	do(b, e, "CreateTable", `{"TableName":"app","BillingMode":"PAY_PER_REQUEST","AttributeDefinitions":[{"AttributeName":"pk","AttributeType":"S"}],"KeySchema":[{"AttributeName":"pk","KeyType":"HASH"}]}`)
	bucketPut := func(key string) func(tx *bbolt.Tx) error {
		return func(tx *bbolt.Tx) error { return tx.Bucket([]byte("items")).Put([]byte(key), []byte(value)) }
	}
	puts := []func(key string) error{
		func(key string) error { return db.Update(bucketPut(key)) },
		func(key string) error {
			_, fault := e.Do("PutItem", []byte(`{"TableName":"app","Item":{"pk":{"S":"`+key+`"},"v":{"S":"`+value+`"}}}`))
			if fault != nil {
				return fault
			}
			return nil
		},
		func(key string) error { return db.Batch(bucketPut(key)) },
	}
	names := []string{"update-ns", "engine-ns", "batch-ns"}
	round := 0
	for _, goroutines := range []int{1, 16, 64} {
		b.Run(fmt.Sprint(goroutines), func(b *testing.B) {
			contenders := puts
			if goroutines == 1 {
				contenders = puts[:2]
			}
			times := make([][]float64, len(contenders))
			for b.Loop() {
				round++
				for k, put := range contenders {
					start := time.Now()
					var wg sync.WaitGroup
					for worker := range goroutines {
						wg.Go(func() {
							for i := worker; i < burst; i += goroutines {
								if err := put(fmt.Sprintf("%x", (round*burst+i)*0x9E3779B1&0xFFFFFFFF)); err != nil {
									b.Error(err)
								}
							}
						})
					}
					wg.Wait()
					times[k] = append(times[k], float64(time.Since(start).Nanoseconds())/burst)
				}
			}
			median := func(k int) float64 {
				slices.Sort(times[k])
				return times[k][len(times[k])/2]
			}
			for k := range contenders {
				b.ReportMetric(median(k), names[k])
			}
			b.ReportMetric(median(1)/median(0), "engine/update")
			if len(contenders) > 2 {
				b.ReportMetric(median(1)/median(2), "engine/batch")
			}
		})
	}
}
