package engine_test

import (
	"fmt"
	"math/rand/v2"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/dynorm/dynorm/internal/engine"
)

// TestConvergence writes at random in three regions, one of which joins late,
// with changes that take random times and overtake each other; once all have
// arrived, the regions are alike.
func TestConvergence(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		random := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 0))
		var now atomic.Int64
		now.Store(time.Unix(1_800_000_000, 0).UnixNano())
		home := engine.New(engine.Config{
			Now: func() time.Time { return time.Unix(0, now.Load()) },
			Mishaps: engine.Mishaps{ReplicationDelay: func(string, string) time.Duration {
				return time.Duration(random.IntN(5000)) * time.Millisecond
			}},
		})
		run := func(e *engine.Engine, operation, body string, args ...any) string {
			answer, fault := e.Do(operation, fmt.Appendf(nil, body, args...))
			if fault != nil {
				t.Fatalf("%s: %v", operation, fault)
			}
			return string(answer)
		}
		run(home, "CreateTable", "%s", createApp)
		replicate := func(from *engine.Engine, region string) {
			run(from, "UpdateTable", `{"TableName":"app","ReplicaUpdates":[{"Create":{"RegionName":"%s"}}]}`, region)
		}
		run(home, "PutItem", `{"TableName":"app","Item":{"pk":{"S":"p"},"sk":{"N":"0"},"v":{"S":"before"}}}`)
		regions := []*engine.Engine{home, home.Region("eu-west-1")}
		replicate(home, "eu-west-1")
		var kept *engine.Snapshot
		steps := rapid.IntRange(20, 120).Draw(t, "steps")
		for i := range steps {
			if i == steps/2 {
				replicate(regions[random.IntN(2)], "ap-south-1")
				regions = append(regions, home.Region("ap-south-1"))
				kept = home.Snapshot()
			}
			e, key := regions[random.IntN(len(regions))], fmt.Sprintf(`"pk":{"S":"p"},"sk":{"N":"%d"}`, random.IntN(4))
			switch random.IntN(5) {
			case 0, 1:
				run(e, "PutItem", `{"TableName":"app","Item":{%s,"g":{"S":"g%d"},"v":{"S":"%d"}}}`, key, random.IntN(2), i)
			case 2:
				run(e, "DeleteItem", `{"TableName":"app","Key":{%s}}`, key)
			case 3:
				run(e, "UpdateItem", `{"TableName":"app","Key":{%s},"UpdateExpression":"ADD n :one","ExpressionAttributeValues":{":one":{"N":"1"}}}`, key)
			case 4:
				run(e, "TransactWriteItems", `{"TransactItems":[{"Put":{"TableName":"app","Item":{%s,"tx":{"N":"%d"}}}},{"Delete":{"TableName":"app","Key":{"pk":{"S":"p"},"sk":{"N":"9"}}}}]}`, key, i)
			}
			now.Add(int64(random.IntN(3)) * int64(time.Second))
		}
		alike := func() {
			now.Add(int64(time.Minute))
			for _, index := range []string{``, `,"IndexName":"gsi"`, `,"IndexName":"lsi"`} {
				want := run(home, "Scan", `{"TableName":"app"%s}`, index)
				for _, e := range regions[1:] {
					if got := run(e, "Scan", `{"TableName":"app"%s}`, index); got != want {
						t.Fatalf("index %q: %s\nhome: %s", index, got, want)
					}
				}
			}
		}
		alike()
		require.NoError(t, home.Restore(kept)) // with what was on its way then
		alike()
	})
}

// TestRegionsAtOnce writes in three regions from as many goroutines, while
// replicas come and go: nothing waits for itself, and in the end all are alike.
func TestRegionsAtOnce(t *testing.T) {
	home := newApp(t, engine.Config{})
	regions := []*engine.Engine{home, home.Region("eu-west-1"), home.Region("eu-west-2")}
	for _, region := range []string{"eu-west-1", "eu-west-2"} {
		do(t, home, "UpdateTable", `{"TableName":"app","ReplicaUpdates":[{"Create":{"RegionName":"%s"}}]}`, region)
	}
	done := make(chan string)
	for i, e := range regions {
		go func() {
			failed := ""
			for n := range 200 {
				body := fmt.Appendf(nil, `{"TableName":"app","Item":{"pk":{"S":"p"},"sk":{"N":"%d"},"v":{"S":"%d"}}}`, n%10, i)
				if _, fault := e.Do("PutItem", body); fault != nil {
					failed = fault.Error()
				}
				if n%50 == 0 {
					home.Snapshot()
				}
			}
			done <- failed
		}()
	}
	for range 5 {
		do(t, home, "UpdateTable", `{"TableName":"app","ReplicaUpdates":[{"Create":{"RegionName":"us-west-2"}}]}`)
		do(t, home, "UpdateTable", `{"TableName":"app","ReplicaUpdates":[{"Delete":{"RegionName":"us-west-2"}}]}`)
	}
	for range regions {
		require.Empty(t, <-done)
	}
	for range 2 { // the second round finds what the first sent on
		for _, e := range regions[1:] {
			require.Equal(t, do(t, home, "Scan", `{"TableName":"app"}`), do(t, e, "Scan", `{"TableName":"app"}`))
		}
	}
}
