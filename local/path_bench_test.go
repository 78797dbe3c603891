package local_test

import (
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/dynorm/dynorm/local"
)

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
