package local_test

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"go.etcd.io/bbolt"

	"github.com/dynorm/dynorm/local"
)

// putter stores the i-th sample item.
type putter func(i int)

// bboltPutters store about the bytes of the sample items in a database of their
// own: each by an Update, and joined by Batch.
func bboltPutters(b *testing.B) (update, batch putter) {
	db, err := bbolt.Open(filepath.Join(b.TempDir(), "bbolt.db"), 0o600, &bbolt.Options{FreelistType: bbolt.FreelistMapType})
	check(b, err)
	b.Cleanup(func() { check(b, db.Close()) })
	check(b, db.Update(func(tx *bbolt.Tx) error {
		_, err := tx.CreateBucket([]byte("items"))
		return err
	}))
	value := []byte(strings.Repeat("x", 110)) // the length of a sample item's binary form
	store := func(i int) func(tx *bbolt.Tx) error {
		key := sampleKey(i)
		return func(tx *bbolt.Tx) error {
			return tx.Bucket([]byte("items")).Put([]byte("spread.."+text(key["pk"])+text(key["sk"])), value)
		}
	}
	return func(i int) { check(b, db.Update(store(i))) }, func(i int) { check(b, db.Batch(store(i))) }
}

// BenchmarkPath compares a PutItem through the client, on disk when it is
// answered, with bbolt's own Update and Batch of the same bytes in the same
// run, by the time that half of the turns stay below.
func BenchmarkPath(b *testing.B) {
	update, batch := bboltPutters(b)
	c := open(b, local.Config{Path: b.TempDir()}).Client()
	engine := func(i int) { workload[0].do(b, c, i) }
	for _, goroutines := range []int{1, 16, 64} {
		b.Run(fmt.Sprintf("%s/%d", workload[0].name, goroutines), func(b *testing.B) {
			times := turns(b, []putter{update, batch, engine}, goroutines, func(p putter, i int) { p(i) })
			for k, name := range []string{"update-ns", "batch-ns", "engine-ns"} {
				b.ReportMetric(times[k][len(times[k])/2], name)
			}
			b.ReportMetric(times[2][len(times[2])/2]/times[0][len(times[0])/2], "engine/update")
			b.ReportMetric(times[2][len(times[2])/2]/times[1][len(times[1])/2], "engine/batch")
		})
	}
}

// BenchmarkPathOpen opens an engine of 100,000 items with a global index, and
// compares it with putting them in by batches on an engine in memory.
func BenchmarkPathOpen(b *testing.B) {
	const items = 100_000
	memory := open(b, local.Config{})
	start := time.Now()
	fill(b, memory.Client(), items)
	inMemory := time.Since(start)
	s, err := memory.Snapshot()
	check(b, err)
	cfg := local.Config{Path: b.TempDir()}
	e, err := local.Open(b.Context(), cfg)
	check(b, err)
	start = time.Now()
	check(b, e.Restore(s))
	restored := time.Since(start)
	check(b, e.Close())
	b.ResetTimer()
	for b.Loop() {
		e, err := local.Open(b.Context(), cfg)
		check(b, err)
		_, err = e.Client().DescribeTable(b.Context(), &dynamodb.DescribeTableInput{TableName: aws.String("app")})
		check(b, err)
		check(b, e.Close())
	}
	b.ReportMetric(restored.Seconds(), "restore-s")
	b.ReportMetric(b.Elapsed().Seconds()/float64(b.N)/inMemory.Seconds(), "open/fill")
}
