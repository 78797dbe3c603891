package dynorm_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/smithy-go"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/dynorm/dynorm"
	"github.com/dynorm/dynorm/local"
)

var soakFor = flag.Duration("soak", 3*time.Second, "how long TestSoak writes")

// soakOp is one random write, alone and as part of a transaction.
type soakOp struct {
	single func(context.Context) error
	inTx   func(context.Context, *dynorm.Tx) error
}

// TestSoak writes from 32 goroutines through every path while requests are
// throttled, conflict, are delayed and lose their responses, and then looks for
// index entries and claims that contradict the items' fields.
func TestSoak(t *testing.T) {
	engine, db := lossy(t, dynorm.Config{}, Ledger{}, Folio{}, Post{}, User{}, Team{})
	ledgers, folios, posts := dynorm.ModelOf[Ledger](db), dynorm.ModelOf[Folio](db), dynorm.ModelOf[Post](db)
	client := engine.Client()
	stop, err := engine.Inject(
		local.Fault{Kind: local.Throttle, Rate: 0.05}, local.Fault{Kind: local.Conflict, Rate: 0.03},
		local.Fault{Kind: local.LostResponse, Rate: 0.03}, local.Fault{Kind: local.InternalError, Rate: 0.02},
		local.Fault{Kind: local.Unprocessed, Rate: 0.3}, local.Fault{Kind: local.Latency, Rate: 0.05, Delay: 2 * time.Millisecond},
	)
	require.NoError(t, err)

	ids := rapid.StringMatching(`[0-9]`)
	gen := rapid.Custom(func(t *rapid.T) soakOp {
		if rapid.Bool().Draw(t, "folio") {
			for {
				single, inTx, path := drawWritePath(t, folios, ids.Draw(t, "id"), func(l ledger) *Folio { return &Folio{ledger: l} }, func(v *Folio) *ledger { return &v.ledger }, true)
				if path != "ForceDelete" { // a folio that is made anew starts at version 1
					return soakOp{single, inTx}
				}
			}
		}
		single, inTx, _ := drawWritePath(t, ledgers, ids.Draw(t, "id"), func(l ledger) *Ledger { return &Ledger{ledger: l} }, func(v *Ledger) *ledger { return &v.ledger }, false)
		return soakOp{single, inTx}
	})

	ctx, cancel := context.WithTimeout(t.Context(), *soakFor)
	defer cancel()
	var (
		wg           sync.WaitGroup
		done, failed atomic.Int64
		unexpected   sync.Map
	)
	note := func(err error) {
		switch _, sdk := errors.AsType[*smithy.OperationError](err); {
		case err == nil:
			done.Add(1)
		case expected(err), sdk, errors.Is(err, dynorm.ErrConflict), errors.Is(err, dynorm.ErrThrottled),
			errors.Is(err, context.DeadlineExceeded), errors.Is(err, dynorm.ErrConditionFailed):
			failed.Add(1)
		default:
			unexpected.Store(err.Error(), true)
		}
	}
	for g := range 31 {
		wg.Go(func() {
			r := rand.New(rand.NewPCG(uint64(g), 1))
			for n := 0; ctx.Err() == nil; n++ {
				op := gen.Example(r.IntN(1 << 30))
				switch r.IntN(8) {
				case 0:
					other := gen.Example(r.IntN(1 << 30))
					note(db.Transact(ctx, func(tx *dynorm.Tx) error { return errors.Join(op.inTx(ctx, tx), other.inTx(ctx, tx)) }))
				case 1:
					note(db.Chunked(ctx, func(tx *dynorm.Tx) error {
						return errors.Join(op.inTx(ctx, tx), posts.In(tx).Put(ctx, &Post{ID: fmt.Sprint(g)}))
					}))
				case 2:
					var many []*Ledger
					for i := range 3 {
						many = append(many, &Ledger{ledger: ledger{ID: fmt.Sprint(r.IntN(10)), Email: fmt.Sprint("m", r.IntN(10)), Team: fmt.Sprint(i)}})
					}
					note(ledgers.PutMany(ctx, many...))
				case 3:
					var many []*Post
					for i := range 30 {
						many = append(many, &Post{ID: fmt.Sprint(g, "-", n, "-", i), UserID: "u"})
					}
					err := posts.PutMany(ctx, many...)
					note(err)
					if err == nil && n%10 == 0 {
						note(posts.DeleteMany(ctx, many...))
					}
				default:
					note(op.single(ctx))
				}
			}
		})
	}
	// No version ever goes backwards.
	wg.Go(func() {
		seen := map[string]int64{}
		for ctx.Err() == nil {
			for i := range 10 {
				out, err := client.GetItem(ctx, &dynamodb.GetItemInput{
					TableName: new(db.Table()), ConsistentRead: new(true),
					Key: dynorm.Item{"pk": textValue(fmt.Sprint("FOLIO#", i)), "sk": textValue(fmt.Sprint("FOLIO#", i))},
				})
				if err != nil || out.Item == nil {
					continue
				}
				v := versionIn(out.Item)
				if v < seen[fmt.Sprint(i)] {
					unexpected.Store(fmt.Sprintf("the version of %d went from %d to %d", i, seen[fmt.Sprint(i)], v), true)
				}
				seen[fmt.Sprint(i)] = v
			}
			time.Sleep(time.Millisecond)
		}
	})
	wg.Wait()
	stop()
	unexpected.Range(func(text, _ any) bool {
		t.Errorf("unexpected: %s", text)
		return true
	})
	checkItems(t, db, without(scanAll(t, client, db.Table()), "Post"))
	require.Empty(t, uniqueFaults(t, db))
	t.Logf("%d writes done and %d refused in %s", done.Load(), failed.Load(), *soakFor)
	require.Greater(t, done.Load(), int64(50))
}
