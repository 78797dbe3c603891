package dynorm_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/dynorm/dynorm"
)

// Of 100 that ask for one unique value at once, by creating, changing, restoring
// and deleting, one has it at any time.
func TestUniqueRacesOfAllKinds(t *testing.T) {
	s := open(t, Ledger{}, Folio{}, Deed{}, Leaf{})
	t.Run("freed by deletion", func(t *testing.T) { raceForValue[Ledger](t, s) })
	t.Run("freed by soft deletion", func(t *testing.T) { raceForValue[Folio](t, s) })
	t.Run("kept on soft deletion", func(t *testing.T) { raceForValue[Deed](t, s) })
	checkTable(t, s.client, s.db)
	require.Empty(t, uniqueFaults(t, s.db))
}

func raceForValue[T any, P interface {
	*T
	written
}](t *testing.T, s *store,
) {
	const racers = 100
	ctx, w := t.Context(), writerOf[T, P](s.db)
	race := func(run func(ctx context.Context, i int) error) int {
		t.Helper()
		var won atomic.Int32
		var wg sync.WaitGroup
		for i := range racers {
			wg.Go(func() {
				switch err := run(ctx, i); {
				case err == nil:
					won.Add(1)
				case !errors.Is(err, dynorm.ErrUnique):
					t.Errorf("%d: %v", i, err)
				}
			})
		}
		wg.Wait()
		return int(won.Load())
	}
	id := func(i int) string { return fmt.Sprint("r", i) }

	// A value of one field, created; one of two fields, created; both, changed to.
	require.Equal(t, 1, race(func(ctx context.Context, i int) error {
		return w.m.Create(ctx, w.value(ctx, ledger{ID: id(i), Email: "hot"}, false))
	}))
	require.Equal(t, 1, race(func(ctx context.Context, i int) error {
		return w.m.Create(ctx, w.value(ctx, ledger{ID: "c" + id(i), Tenant: "hot", Number: 1}, false))
	}))
	for i := range racers {
		_, _, err := w.m.FirstOrCreate(ctx, w.value(ctx, ledger{ID: id(i)}, false))
		require.NoError(t, err)
	}
	require.Equal(t, 1, race(func(ctx context.Context, i int) error {
		changes := []dynorm.Change{dynorm.Set("tenant", "hot"), dynorm.Set("number", 2)}
		if i%2 == 0 {
			_, err := w.m.Update(ctx, id(i), changes...)
			return err
		}
		_, err := w.m.Edit(ctx, id(i), func(v *T) error {
			P(v).common().Tenant, P(v).common().Number = "hot", 2
			return nil
		})
		return err
	}))

	// Everything at once: none is refused but for the value, and what is left has
	// it once.
	winner, err := w.m.FindBy(ctx, "email", "hot")
	require.NoError(t, err)
	holder := P(winner).common().ID
	race(func(ctx context.Context, i int) error {
		switch i % 5 {
		case 0:
			return w.m.Create(ctx, w.value(ctx, ledger{ID: "n" + id(i), Email: "hot"}, false))
		case 1:
			_, err := w.m.Update(ctx, id(i), dynorm.Set("email", "hot"))
			if errors.Is(err, dynorm.ErrNotFound) && id(i) == holder {
				return nil
			}
			return err
		case 2:
			return w.m.Delete(ctx, holder)
		case 3:
			return s.db.Transact(ctx, func(tx *dynorm.Tx) error {
				return w.m.In(tx).Upsert(ctx, w.value(ctx, ledger{ID: "u" + id(i), Email: "hot"}, false))
			})
		default:
			if err := w.m.ForceDelete(ctx, "n"+id(i-4)); err != nil {
				return err
			}
			return w.m.Delete(ctx, "u"+id(i-1))
		}
	})
}
