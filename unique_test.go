package dynorm_test

import (
	"errors"
	"fmt"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/dynorm/dynorm"
)

type Account struct {
	_ dynorm.Unique `dynorm:"Tenant,Number"`

	ID     string
	Email  string `dynorm:",unique"`
	Tenant string
	Number int64
	Note   string
}

// Admin has an attribute of the same name, which is unique among admins.
type Admin struct {
	ID    string
	Email string `dynorm:",unique"`
}

func TestUnique(t *testing.T) {
	s := open(t, Account{}, Admin{})
	accounts, admins := dynorm.ModelOf[Account](s.db), dynorm.ModelOf[Admin](s.db)
	ctx := t.Context()

	a := &Account{ID: "a", Email: "ann#1@example.com", Tenant: "t", Number: 7}
	require.NoError(t, accounts.Create(ctx, a))
	require.NoError(t, admins.Create(ctx, &Admin{ID: "a", Email: a.Email}), "another entity's values are its own")

	err := accounts.Create(ctx, &Account{ID: "b", Email: a.Email})
	require.ErrorIs(t, err, dynorm.ErrUnique)
	require.ErrorContains(t, err, "email")
	require.NotContains(t, err.Error(), "example.com", "values never appear")
	err = accounts.Create(ctx, &Account{ID: "b", Email: "b", Tenant: "t", Number: 7})
	require.ErrorIs(t, err, dynorm.ErrUnique)
	require.ErrorContains(t, err, "tenant+number")
	require.ErrorIs(t, accounts.Create(ctx, &Account{ID: "a", Email: "other"}), dynorm.ErrExists)
	_, err = accounts.Find(ctx, "b")
	require.ErrorIs(t, err, dynorm.ErrNotFound, "nothing of a refused create is written")

	got, err := accounts.FindBy(ctx, "email", a.Email)
	require.NoError(t, err)
	require.Equal(t, a, got)
	got, err = accounts.FindBy(ctx, "Tenant+Number", "t", 7)
	require.NoError(t, err)
	require.Equal(t, "a", got.ID)
	_, err = accounts.FindBy(ctx, "note", "x")
	require.ErrorIs(t, err, dynorm.ErrUnknownField)
	_, err = accounts.FindBy(ctx, "email", "nobody")
	require.ErrorIs(t, err, dynorm.ErrNotFound)

	// Every way to change the value moves the claim.
	for i, change := range []func(to string) error{
		func(to string) error { a.Email = to; return accounts.Save(ctx, a) },
		func(to string) error { a.Email = to; return accounts.Put(ctx, a) },
		func(to string) error { _, err := accounts.Update(ctx, "a", dynorm.Set("email", to)); return err },
	} {
		from, to := a.Email, fmt.Sprint("new", i)
		require.NoError(t, change(to))
		require.NoError(t, accounts.Create(ctx, &Account{ID: fmt.Sprint("taker", i), Email: from}), "the old value is free")
		require.ErrorIs(t, accounts.Create(ctx, &Account{ID: "x", Email: to}), dynorm.ErrUnique, "the new one is taken")
		require.ErrorIs(t, change(from), dynorm.ErrUnique)
		a, err = accounts.Find(ctx, "a")
		require.NoError(t, err)
		require.Equal(t, to, a.Email)
	}
	s.kinds()
	a.Note = "x"
	require.NoError(t, accounts.Save(ctx, a))
	require.Equal(t, []dynorm.OpKind{dynorm.OpGetItem, dynorm.OpUpdateItem}, s.kinds(), "no claim moves")
	_, err = accounts.Update(ctx, "a", dynorm.Set("note", "y"))
	require.NoError(t, err)
	require.Equal(t, []dynorm.OpKind{dynorm.OpUpdateItem}, s.kinds())

	_, err = accounts.Update(ctx, "a", dynorm.Remove("email"))
	require.NoError(t, err)
	require.NoError(t, accounts.Create(ctx, &Account{ID: "after", Email: a.Email}), "clearing frees the value")
	require.NoError(t, accounts.Create(ctx, &Account{ID: "none"}), "what is absent is not unique")
	require.NoError(t, accounts.Delete(ctx, "after"))
	require.NoError(t, accounts.Create(ctx, &Account{ID: "again", Email: a.Email}), "deleting frees the value")
	require.NoError(t, accounts.Delete(ctx, "nobody"))
}

func TestUniqueRaces(t *testing.T) {
	s := open(t, Account{})
	accounts := dynorm.ModelOf[Account](s.db)
	for round := range 25 {
		email := fmt.Sprint("e", round)
		var wg sync.WaitGroup
		errs := make([]error, 4)
		for i := range errs {
			wg.Go(func() {
				errs[i] = accounts.Create(t.Context(), &Account{ID: fmt.Sprint(round, "-", i), Email: email})
			})
		}
		wg.Wait()
		created := 0
		for _, err := range errs {
			if err == nil {
				created++
			} else {
				require.True(t, errors.Is(err, dynorm.ErrUnique), err)
			}
		}
		require.Equal(t, 1, created)
	}
}
