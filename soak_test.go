package dynorm_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"maps"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/smithy-go"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/dynorm/dynorm"
	"github.com/dynorm/dynorm/internal/testdb"
	"github.com/dynorm/dynorm/local"
)

var soakFor = flag.Duration("soak", 3*time.Second, "how long TestSoak writes")

// soakTable opens a table that keeps its history: on the embedded engine with
// faults until stop, on a server without.
func soakTable(t *testing.T) (engine *local.Engine, db *dynorm.DB, stop func()) {
	models := []any{Ledger{}, Folio{}, Deed{}, Leaf{}, Bale{}}
	if testdb.Endpoint() == "" {
		engine, db = lossy(t, dynorm.Config{}, models...)
		keepHistory(t.Context(), t, engine, db.Table())
		stop, err := engine.Inject(
			local.Fault{Kind: local.Throttle, Rate: 0.05}, local.Fault{Kind: local.Conflict, Rate: 0.03},
			local.Fault{Kind: local.LostResponse, Rate: 0.03}, local.Fault{Kind: local.InternalError, Rate: 0.02},
			local.Fault{Kind: local.Unprocessed, Rate: 0.3}, local.Fault{Kind: local.Latency, Rate: 0.05, Delay: 2 * time.Millisecond},
		)
		require.NoError(t, err)
		return engine, db, stop
	}
	engine = testdb.Engine(t)
	schema, err := dynorm.NewSchema(models...)
	require.NoError(t, err)
	db, err = dynorm.Open(engine.Client(), schema, dynorm.Config{Table: testdb.Table(t)})
	require.NoError(t, err)
	require.NoError(t, db.CreateTable(t.Context()))
	keepHistory(t.Context(), t, engine, db.Table())
	return engine, db, func() {}
}

// outcome names what became of a write among others; ok is false for an error
// that none may meet.
func outcome(err error) (name string, ok bool) {
	_, sdk := errors.AsType[*smithy.OperationError](err)
	switch {
	case err == nil:
		return "done", true
	case errors.Is(err, errNothing):
		return "nothing to do", true
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
		return "time over", true
	case errors.Is(err, errLeft):
		return "left over", false // while there is time, batches go on
	case errors.Is(err, dynorm.ErrUnique):
		return "unique value taken", true
	case errors.Is(err, dynorm.ErrExists):
		return "exists", true
	case errors.Is(err, dynorm.ErrNotFound):
		return "not found", true
	case errors.Is(err, dynorm.ErrStaleVersion):
		return "stale version", true
	case errors.Is(err, dynorm.ErrConflict):
		return "conflict", true
	case errors.Is(err, dynorm.ErrThrottled):
		return "throttled", true
	case errors.Is(err, dynorm.ErrConditionFailed):
		return "condition failed", true
	case expected(err):
		return "contradiction", true
	}
	return "no answer", sdk && !errors.Is(err, dynorm.ErrInvalid)
}

// soak is what the writers of TestSoak share.
type soak struct {
	t  *testing.T
	db *dynorm.DB

	mu       sync.Mutex
	outcomes map[string]int
	done     map[string]int // writes by path
	strange  map[string]bool
}

func (s *soak) note(path string, err error) {
	name, ok := outcome(err)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.outcomes[name]++
	if err == nil {
		s.done[path]++
	}
	if !ok {
		s.strange[path+": "+err.Error()] = true
	}
}

// TestSoak writes from 32 goroutines through every path, on the embedded engine
// while requests are throttled, conflict, are delayed and lose their responses,
// and then looks for index entries and claims that contradict the items' fields,
// and for versions that went backwards at any moment.
func TestSoak(t *testing.T) {
	engine, db, stop := soakTable(t)
	s := &soak{t: t, db: db, outcomes: map[string]int{}, done: map[string]int{}, strange: map[string]bool{}}
	drawers, ids := drawersOf(db), []string{"0", "1", "2#", "3", "4", "5", "6", "7"}
	singles := slices.DeleteFunc(singlePaths(), func(path string) bool {
		return path == "DB.RepairAllUnique" // finds no fault where nobody writes
	})
	alone := rapid.Custom(func(t *rapid.T) drawnWrite {
		return drawers[rapid.IntRange(0, len(drawers)-1).Draw(t, "entity")].draw(t, ids, singles)
	})
	action := rapid.Custom(func(t *rapid.T) drawnWrite {
		return drawers[rapid.IntRange(0, len(drawers)-1).Draw(t, "entity")].drawInTx(t, ids, txPaths())
	})

	ctx, cancel := context.WithTimeout(t.Context(), *soakFor)
	defer cancel()
	const goroutines, parcelsEach = 32, 30
	rounds := make([]int, goroutines) // the last one whose parcels all arrived
	var wg sync.WaitGroup
	for g := range goroutines {
		wg.Go(func() {
			r := rand.New(rand.NewPCG(uint64(g), 1))
			for n := 1; ctx.Err() == nil; n++ {
				switch r.IntN(8) {
				case 0, 1:
					s.transact(ctx, action, r)
				case 2:
					var many []*Bale
					for i := range parcelsEach {
						many = append(many, &Bale{ID: fmt.Sprint(g, "-", i), Depot: "d", Round: n})
					}
					err := dynorm.ModelOf[Bale](db).PutMany(ctx, many...)
					s.note("parcels", err)
					if err == nil {
						rounds[g] = n
					}
				default:
					w := alone.Example(r.IntN(1 << 30))
					s.note(w.path, w.send(ctx))
				}
			}
		})
	}
	wg.Wait()
	stop()
	settled(t, engine.Client(), db.Table())
	for text := range s.strange {
		t.Errorf("unexpected: %s", text)
	}

	background := context.Background()
	items := scanAll(t, engine.Client(), db.Table())
	arrived := map[string]int{}
	entities := map[string]int{}
	for _, item := range items {
		entities[textOf(item["_et"])]++
		if g, _, ok := strings.Cut(textOf(item["id"]), "-"); ok && textOf(item["_et"]) == "Bale" {
			arrived[g]++
		}
	}
	parcels, err := dynorm.ModelOf[Bale](db).Query().AllowScan().Consistent().List(background)
	require.NoError(t, err)
	for _, p := range parcels {
		var g, i int
		_, err := fmt.Sscanf(p.ID, "%d-%d", &g, &i)
		require.NoError(t, err)
		require.GreaterOrEqual(t, p.Round, rounds[g], "parcel %s is of a batch before the last that all arrived", p.ID)
	}
	for g, round := range rounds {
		require.True(t, round == 0 || arrived[fmt.Sprint(g)] == parcelsEach, "%d parcels of %d", arrived[fmt.Sprint(g)], g)
	}
	checkTable(t, engine.Client(), db, "Bale")
	require.Empty(t, uniqueFaults(t, db))
	changes := checkHistory(background, t, engine, db.Table())

	t.Logf("%s, %d goroutines, %d changes of items", *soakFor, goroutines, changes)
	for _, counts := range []map[string]int{s.outcomes, s.done, entities} {
		var line []string
		for _, name := range slices.Sorted(maps.Keys(counts)) {
			line = append(line, fmt.Sprintf("%s %d", name, counts[name]))
		}
		t.Log(strings.Join(line, ", "))
	}
	require.Greater(t, changes, 100)
}

// settled waits until a table stands still: a server may carry out writes whose
// caller has gone.
func settled(t *testing.T, client *dynamodb.Client, table string) {
	t.Helper()
	var last []dynorm.Item
	quiet := 0
	require.Eventually(t, func() bool {
		items := scanAll(t, client, table)
		if quiet++; !reflect.DeepEqual(items, last) {
			quiet = 0
		}
		last = items
		return quiet == 3
	}, time.Minute, 100*time.Millisecond)
}

// transact sends two random writes in one transaction, or by Chunked.
func (s *soak) transact(ctx context.Context, action *rapid.Generator[drawnWrite], r *rand.Rand) {
	writes := []drawnWrite{action.Example(r.IntN(1 << 30)), action.Example(r.IntN(1 << 30))}
	call, path := s.db.Transact, "DB.Transact"
	if r.IntN(2) == 0 {
		call, path = s.db.Chunked, "DB.Chunked"
	}
	err := call(ctx, func(tx *dynorm.Tx) error {
		return errors.Join(writes[0].add(ctx, tx), writes[1].add(ctx, tx))
	})
	s.note(path, err)
	if err == nil {
		s.mu.Lock()
		defer s.mu.Unlock()
		for _, w := range writes {
			s.done[w.path]++
		}
	}
}
