package dynorm_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/smithy-go/middleware"
	"github.com/stretchr/testify/require"

	"github.com/dynorm/dynorm"
	"github.com/dynorm/dynorm/local"
)

// countsTwice are the paths that may send an update which adds, with what it may
// add to: sent again outside of a transaction it adds again. A soft deletion by
// key, or its reversal, counts the version alone.
var countsTwice = map[string][]string{
	"Model.Update": sums, "Model.Increment": sums, "Model.Touch": sums, "Model.UpdateOrCreate": sums, "EntityModel.Update": sums, "EntityModel.Increment": sums, "EntityModel.Touch": sums, "Query.Update": sums,
	"Model.Delete": {"_v"}, "Model.Restore": {"_v"}, "EntityModel.Delete": {"_v"}, "EntityModel.Restore": {"_v"},
}

var sums = []string{"_v", "points", "gsi1sk", "gsi2sk", "lsi1sk"}

// Every write whose first response is lost ends as if it had not been, on every
// path and for every kind of entity.
func TestLostResponseMatrix(t *testing.T) {
	hits := 0
	for _, kind := range []string{"Ledger", "Folio", "Deed", "Leaf"} {
		for _, path := range append(singlePaths(), txPaths()...) {
			if path == "DB.RepairAllUnique" || path == "TxModel.Check" || path == "TxEntity.Check" {
				continue // they have nothing to write here
			}
			for _, current := range []bool{false, true} {
				t.Run(fmt.Sprint(kind, " ", path, " ", current), func(t *testing.T) {
					switch kind {
					case "Ledger":
						hits += lostAndNot[Ledger](t, path, current)
					case "Folio":
						hits += lostAndNot[Folio](t, path, current)
					case "Deed":
						hits += lostAndNot[Deed](t, path, current)
					default:
						hits += lostAndNot[Leaf](t, path, current)
					}
				})
			}
		}
	}
	t.Logf("%d responses lost", hits)
	require.Greater(t, hits, 200)
}

// lostAndNot runs one write twice, with the first response lost and without, and
// compares what is stored. It returns the number of lost responses.
func lostAndNot[T any, P interface {
	*T
	written
}](t *testing.T, path string, current bool) int {
	plain, _, plainErr := runLossy[T, P](t, path, current, false)
	lossy, lost, lossyErr := runLossy[T, P](t, path, current, true)
	if plainErr != nil {
		require.Error(t, lossyErr)
		require.Equal(t, plainErr.Error(), lossyErr.Error())
	} else {
		require.NoError(t, lossyErr)
	}
	for _, attr := range countsTwice[path] {
		for key, item := range plain {
			require.NotNil(t, lossy[key], key)
			delete(item, attr)
			delete(lossy[key], attr)
		}
	}
	require.Equal(t, plain, lossy)
	return lost
}

func runLossy[T any, P interface {
	*T
	written
}](t *testing.T, path string, current, lose bool,
) (stored map[string]dynorm.Item, lost int, err error) {
	ctx := t.Context()
	engine, db := lossy(t, dynorm.Config{Clock: func() time.Time { return clock }}, Ledger{}, Folio{}, Deed{}, Leaf{})
	w := writerOf[T, P](db)
	row := func(id, email, team string) ledger {
		return ledger{ID: id, Owner: "ann", Due: clock, Team: team, Email: email, Points: 2, Tenant: "t", Number: int64(len(email))}
	}
	for i, id := range []string{"1", "2", "3"} {
		require.NoError(t, w.m.Create(ctx, w.value(ctx, row(id, strings.Repeat("e", i+1), "x"), false)))
	}
	require.NoError(t, w.m.Delete(ctx, w.value(ctx, ledger{ID: "3"}, false))) // softly, where there is such
	a := writeArgs{
		id: "1", to: "9", l: row("1", "changed", "y"), delta: 2, current: current, where: dynorm.Eq("team", "x"),
		more:    []ledger{row("5", "fifth", "y"), row("6", "sixthh", "x")},
		changes: []dynorm.Change{dynorm.Set("team", "z"), dynorm.Set("status", "open"), dynorm.Add("points", 1)},
	}
	switch _, call, _ := strings.Cut(path, "."); {
	case strings.HasPrefix(call, "Create") || call == "FirstOrCreate":
		a.id, a.l.ID = "4", "4"
	case call == "Restore":
		a.id = "3"
	case call == "PutMany" || call == "DeleteMany":
		a.more = []ledger{row("1", "changed", "y"), row("2", "ee", "y")}
	}
	if lose {
		_, err := engine.Inject(local.Fault{
			Kind: local.LostResponse, Times: 1,
			Operations: []string{"PutItem", "UpdateItem", "DeleteItem", "BatchWriteItem", "TransactWriteItems"},
		})
		require.NoError(t, err)
	}
	requests := engine.Record()
	if run := w.singles()[path]; run != nil {
		err = run(ctx, a)
	} else {
		err = db.Transact(ctx, func(tx *dynorm.Tx) error { return w.inTx()[path](ctx, tx, a) })
	}
	requests.Stop()
	require.True(t, expected(err), "%v", err)
	for _, r := range requests.Requests() {
		if r.Status == 0 {
			lost++
		}
	}
	checkTable(t, engine.Client(), db)
	return dump(t, engine.Client(), db.Table()), lost, err
}

// A write keeps in mind that a response was lost while it then meets another
// transaction.
func TestLostResponseThenConflict(t *testing.T) {
	engine, db := lossy(t, dynorm.Config{}, OrderItem{})
	attempts := 0
	client := dynamodb.New(engine.Client().Options(), retryAtOnce, func(o *dynamodb.Options) {
		o.APIOptions = append(o.APIOptions, func(stack *middleware.Stack) error {
			return stack.Finalize.Insert(middleware.FinalizeMiddlewareFunc("SecondIsConflict",
				func(ctx context.Context, in middleware.FinalizeInput, next middleware.FinalizeHandler) (middleware.FinalizeOutput, middleware.Metadata, error) {
					if attempts++; attempts == 2 {
						order(t, engine, local.Fault{Kind: local.Conflict})
					}
					return next.HandleFinalize(ctx, in)
				}), "Retry", middleware.After)
		})
	})
	db, err := dynorm.Open(client, db.Schema(), dynorm.Config{Table: db.Table()})
	require.NoError(t, err)
	items, ctx := dynorm.ModelOf[OrderItem](db), t.Context()
	order(t, engine, local.Fault{Kind: local.LostResponse, Operations: []string{"PutItem"}})
	require.NoError(t, items.Create(ctx, &OrderItem{SKU: "1", Qty: 1}))
	require.Equal(t, 3, attempts, "a loss, a conflict, and the item that was there already")

	// What another writer wrote is still not taken for ours.
	attempts = 0
	order(t, engine, local.Fault{Kind: local.LostResponse, Operations: []string{"PutItem"}})
	require.ErrorIs(t, items.Create(ctx, &OrderItem{SKU: "1", Qty: 2}), dynorm.ErrExists)
	require.Equal(t, 3, attempts)
}

// order lets one request fail.
func order(t *testing.T, engine *local.Engine, fault local.Fault) {
	t.Helper()
	fault.Times = 1
	_, err := engine.Inject(fault)
	require.NoError(t, err)
}

// A deletion whose response is lost meets its own outcome: as one of a value in
// its version, and over a query as one that was done, not skipped.
func TestLostResponseOfDeletions(t *testing.T) {
	engine, db := lossy(t, dynorm.Config{}, Draft{}, Scroll{})
	drafts, scrolls, ctx := dynorm.ModelOf[Draft](db), dynorm.ModelOf[Scroll](db), t.Context()
	s := &Scroll{ID: "1"}
	require.NoError(t, scrolls.Create(ctx, s))
	order(t, engine, local.Fault{Kind: local.LostResponse, Operations: []string{"UpdateItem"}})
	require.NoError(t, scrolls.Delete(ctx, s))
	s.Version = 2
	order(t, engine, local.Fault{Kind: local.LostResponse, Operations: []string{"UpdateItem"}})
	require.NoError(t, scrolls.Restore(ctx, s))
	s.Version = 1
	require.ErrorIs(t, scrolls.Delete(ctx, s), dynorm.ErrStaleVersion)

	require.NoError(t, drafts.Create(ctx, &Draft{ID: "1", Owner: "ann"}))
	for _, run := range []struct {
		operation string
		send      func() (*dynorm.Bulk[Draft], error)
	}{
		{"UpdateItem", func() (*dynorm.Bulk[Draft], error) { return drafts.Where(dynorm.Eq("owner", "ann")).Delete(ctx) }},
		{"DeleteItem", func() (*dynorm.Bulk[Draft], error) {
			return drafts.Where(dynorm.Eq("owner", "ann")).OnlyTrashed().ForceDelete(ctx)
		}},
	} {
		order(t, engine, local.Fault{Kind: local.LostResponse, Operations: []string{run.operation}})
		b, err := run.send()
		require.NoError(t, err)
		require.Equal(t, []int{1, 0}, []int{b.Changed, b.Skipped}, run.operation)
	}
}

// Scroll has soft deletes and a version, and nothing that has to be read.
type Scroll struct {
	_ dynorm.Entity `dynorm:"Scroll,softdelete"`

	ID      string
	Version int64 `dynorm:"_v,version"`
}
