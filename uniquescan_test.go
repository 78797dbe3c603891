package dynorm_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/stretchr/testify/require"

	"github.com/dynorm/dynorm"
)

func uniqueFaults(t *testing.T, db *dynorm.DB) map[string]int {
	t.Helper()
	faults := map[string]int{}
	for f, err := range db.ScanUnique(t.Context()) {
		require.NoError(t, err)
		faults[fmt.Sprintf("%s %s.%s", f.Kind, f.Entity, f.Constraint)]++
	}
	return faults
}

func TestScanAndRepairUnique(t *testing.T) {
	s := open(t, Account{}, Admin{}, Folio{})
	accounts, folios := dynorm.ModelOf[Account](s.db), dynorm.ModelOf[Folio](s.db)
	ctx := t.Context()
	for i := range 5 {
		require.NoError(t, accounts.Create(ctx, &Account{ID: fmt.Sprint(i), Email: fmt.Sprint("e", i), Tenant: "t", Number: int64(i)}))
	}
	require.NoError(t, folios.Create(ctx, &Folio{ledger: ledger{ID: "f", Email: "e"}}))
	require.NoError(t, folios.Delete(ctx, "f"))
	require.Empty(t, uniqueFaults(t, s.db), "a table that only this library wrote has no faults")

	text := func(s string) types.AttributeValue { return &types.AttributeValueMemberS{Value: s} }
	key := func(pk, sk string) dynorm.Item { return dynorm.Item{"pk": text(pk), "sk": text(sk)} }
	table := aws.String(s.db.Table())
	remove := func(k dynorm.Item) {
		_, err := s.client.DeleteItem(ctx, &dynamodb.DeleteItemInput{TableName: table, Key: k})
		require.NoError(t, err)
	}
	set := func(k dynorm.Item, attr, value string) {
		_, err := s.client.UpdateItem(ctx, &dynamodb.UpdateItemInput{
			TableName: table, Key: k, UpdateExpression: aws.String("SET #a = :v"),
			ExpressionAttributeNames: map[string]string{"#a": attr}, ExpressionAttributeValues: dynorm.Item{":v": text(value)},
		})
		require.NoError(t, err)
	}
	account := func(id string) dynorm.Item { return key("ACCOUNT#"+id, "ACCOUNT#"+id) }
	remove(account("0"))                             // two claims without an owner
	remove(key("UNIQUE#Account#email#e1", "UNIQUE")) // an item without its claim
	set(account("2"), "email", "moved")              // a claim left behind, a value unclaimed
	set(account("3"), "email", "e4")                 // a value twice, and a claim left behind
	set(account("2"), "tenant", "t2")                // one more of each
	set(account("2"), "sk2", "an attribute of no concern")
	want := map[string]int{
		"orphaned Account.email": 3, "orphaned Account.tenant+number": 2, "missing Account.email": 2,
		"missing Account.tenant+number": 1, "double Account.email": 1,
	}
	require.Equal(t, want, uniqueFaults(t, s.db))
	require.ErrorIs(t, accounts.Create(ctx, &Account{ID: "x", Email: "e0"}), dynorm.ErrUnique)

	repaired, left, err := s.db.RepairAllUnique(ctx)
	require.NoError(t, err)
	require.Equal(t, 8, repaired)
	require.Len(t, left, 1)
	require.Equal(t, dynorm.UniqueDouble, left[0].Kind)
	require.Equal(t, map[string]int{"double Account.email": 1}, uniqueFaults(t, s.db))
	ok, err := s.db.RepairUnique(ctx, left[0])
	require.NoError(t, err)
	require.False(t, ok)
	got, err := accounts.FindBy(ctx, "email", "moved")
	require.NoError(t, err)
	require.Equal(t, "2", got.ID)
	require.NoError(t, accounts.Create(ctx, &Account{ID: "x", Email: "e0"}))

	// A claim that names an item which lost the value is taken over.
	_, err = accounts.Update(ctx, "3", dynorm.Set("email", "own"))
	require.ErrorIs(t, err, dynorm.ErrUnique, "its old value is claimed by another")
	set(account("3"), "email", "free")
	for f, err := range s.db.ScanUnique(ctx) {
		require.NoError(t, err)
		_, err = s.db.RepairUnique(ctx, f)
		require.NoError(t, err)
	}
	require.Empty(t, uniqueFaults(t, s.db))
	_, err = s.db.RepairUnique(ctx, dynorm.UniqueFault{})
	require.ErrorIs(t, err, dynorm.ErrInvalid)
	canceled, cancel := context.WithCancel(ctx)
	cancel()
	for _, err := range s.db.ScanUnique(canceled) {
		require.ErrorIs(t, err, context.Canceled)
	}
}

// A hundred items race for few values, each created, changed and deleted again.
func TestUniqueHundredRaces(t *testing.T) {
	s := open(t, Account{})
	accounts := dynorm.ModelOf[Account](s.db)
	ctx := t.Context()
	race := func(n int, do func(i int) error) (won int) {
		errs := make([]error, n)
		var wg sync.WaitGroup
		for i := range n {
			wg.Go(func() { errs[i] = do(i) })
		}
		wg.Wait()
		for _, err := range errs {
			if err == nil {
				won++
				continue
			}
			require.True(t, errors.Is(err, dynorm.ErrUnique) || errors.Is(err, dynorm.ErrConflict), "%v", err)
		}
		return won
	}
	require.Equal(t, 1, race(100, func(i int) error {
		return accounts.Create(ctx, &Account{ID: fmt.Sprint("c", i), Email: "one"})
	}), "a hundred creates with one value")
	for i := range 100 {
		require.NoError(t, accounts.Create(ctx, &Account{ID: fmt.Sprint("u", i), Email: fmt.Sprint("u", i)}))
	}
	require.Equal(t, 1, race(100, func(i int) error {
		_, err := accounts.Update(ctx, fmt.Sprint("u", i), dynorm.Set("email", "wanted"))
		return err
	}), "a hundred changes to one value")
	require.Equal(t, 100, race(100, func(i int) error { return accounts.Delete(ctx, fmt.Sprint("u", i)) }))
	require.NoError(t, accounts.Create(ctx, &Account{ID: "last", Email: "wanted"}), "deleting freed the value")
	won := race(100, func(i int) error {
		switch id := fmt.Sprint("m", i%10); i % 3 {
		case 0:
			return accounts.Put(ctx, &Account{ID: id, Email: fmt.Sprint("m", i%4)})
		case 1:
			_, err := accounts.Edit(ctx, id, func(a *Account) error { a.Email = fmt.Sprint("m", i%5); return nil })
			if errors.Is(err, dynorm.ErrNotFound) {
				return nil
			}
			return err
		default:
			return accounts.Delete(ctx, id)
		}
	})
	require.Positive(t, won)
	require.Empty(t, uniqueFaults(t, s.db), "after writes of every kind at once, claims and items agree")
}
