package dynorm_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/dynorm/dynorm"
	"github.com/dynorm/dynorm/parser"
)

func TestTransactUpsertMoveTouchIncrement(t *testing.T) {
	s := open(t, Folio{}, Ledger{}, Song{})
	folios, ledgers, songs := dynorm.ModelOf[Folio](s.db), dynorm.ModelOf[Ledger](s.db), dynorm.ModelOf[Song](s.db)
	ctx := t.Context()
	transact := func(fn func(tx *dynorm.Tx) error) error { return s.db.Transact(ctx, fn) }

	// What is not there is created, with its claims and entries.
	f, l := &Folio{ledger: ledger{ID: "1", Email: "a", Team: "x"}}, &Ledger{ledger: ledger{ID: "1", Email: "a", Tenant: "t", Number: 1}}
	require.NoError(t, transact(func(tx *dynorm.Tx) error {
		return errors.Join(folios.In(tx).Upsert(ctx, f), ledgers.In(tx).Upsert(ctx, l), songs.In(tx).Upsert(ctx, &Song{ID: "1", Name: "UP"}))
	}))
	require.EqualValues(t, 1, f.Version)
	checkItems(t, s.db, without(scanAll(t, s.client, s.db.Table()), "Song"))

	// What is there is saved: claims move, the version is checked and counted.
	f.Email, f.Team = "b", ""
	require.NoError(t, transact(func(tx *dynorm.Tx) error { return folios.In(tx).Upsert(ctx, f) }))
	require.EqualValues(t, 2, f.Version)
	stale := &Folio{ledger: ledger{ID: "1"}, Version: 1}
	require.ErrorIs(t, transact(func(tx *dynorm.Tx) error { return folios.In(tx).Upsert(ctx, stale) }), dynorm.ErrStaleVersion)
	require.EqualValues(t, 1, stale.Version, "a refused value is as it was")
	require.Nil(t, stale.Tags)

	// Another writer that comes between is no fault: the other is planned.
	late := &Folio{ledger: ledger{ID: "2", Email: "late"}}
	require.NoError(t, transact(func(tx *dynorm.Tx) error {
		if err := folios.In(tx).Upsert(ctx, late); err != nil {
			return err
		}
		require.EqualValues(t, 1, late.Version)
		return folios.ForceDelete(ctx, "2")
	}))
	require.NoError(t, transact(func(tx *dynorm.Tx) error {
		if err := folios.In(tx).Upsert(ctx, late); err != nil {
			return err
		}
		require.EqualValues(t, 2, late.Version, "planned as a Save")
		return folios.ForceDelete(ctx, "2")
	}))
	require.EqualValues(t, 1, late.Version, "written as a Create")
	song := &Song{ID: "2", Name: "late"}
	require.NoError(t, transact(func(tx *dynorm.Tx) error {
		if err := songs.In(tx).Upsert(ctx, song); err != nil {
			return err
		}
		return songs.Create(ctx, &Song{ID: "2", Name: "first"})
	}))
	got, err := songs.Find(ctx, "2")
	require.NoError(t, err)
	require.Equal(t, "late", got.Name)

	// Move, Touch and Increment beside each other, all or none.
	before := s.raw(t, "SONG#1", "SONG#1")["updatedAt"]
	work := func(tx *dynorm.Tx) error {
		return errors.Join(
			ledgers.In(tx).Move(ctx, "1", func(l *Ledger) error { l.ID, l.Email = "9", "c"; return nil }),
			songs.In(tx).Touch(ctx, "1"),
			songs.In(tx).Increment(ctx, "2", "plays", 3))
	}
	s.now = func() time.Time { return clock.AddDate(0, 0, 1) }
	require.ErrorIs(t, transact(func(tx *dynorm.Tx) error {
		return errors.Join(work(tx), folios.In(tx).Check(ctx, "1", dynorm.Eq("email", "none")))
	}), dynorm.ErrConditionFailed)
	require.Equal(t, before, s.raw(t, "SONG#1", "SONG#1")["updatedAt"])
	require.NoError(t, transact(work))
	require.NotEqual(t, before, s.raw(t, "SONG#1", "SONG#1")["updatedAt"])
	got, err = songs.Find(ctx, "2")
	require.NoError(t, err)
	require.EqualValues(t, 3, got.Plays)
	_, err = ledgers.Find(ctx, "1")
	require.ErrorIs(t, err, dynorm.ErrNotFound)
	moved, err := ledgers.FindBy(ctx, "email", "c")
	require.NoError(t, err)
	require.Equal(t, "9", moved.ID)

	// A moved item that changed meanwhile, or whose place is taken, cancels all.
	err = transact(func(tx *dynorm.Tx) error {
		if err := ledgers.In(tx).Move(ctx, "9", func(l *Ledger) error { l.ID = "8"; return nil }); err != nil {
			return err
		}
		_, err := ledgers.Update(ctx, "9", dynorm.Add("points", 1))
		return err
	})
	require.ErrorIs(t, err, dynorm.ErrStaleVersion)
	require.NoError(t, ledgers.Create(ctx, &Ledger{ledger: ledger{ID: "8"}}))
	require.ErrorIs(t, transact(func(tx *dynorm.Tx) error {
		return ledgers.In(tx).Move(ctx, "9", func(l *Ledger) error { l.ID = "8"; return nil })
	}), dynorm.ErrExists)
	checkItems(t, s.db, without(scanAll(t, s.client, s.db.Table()), "Song"))

	// Bad input is an error before any request.
	s.kinds()
	for name, bad := range map[string]struct {
		add  func(tx *dynorm.Tx) error
		want error
	}{
		"nil value":     {func(tx *dynorm.Tx) error { return folios.In(tx).Upsert(ctx, nil) }, dynorm.ErrInvalid},
		"no key":        {func(tx *dynorm.Tx) error { return folios.In(tx).Upsert(ctx, &Folio{}) }, dynorm.ErrMissingKey},
		"nil function":  {func(tx *dynorm.Tx) error { return folios.In(tx).Move(ctx, "1", nil) }, dynorm.ErrInvalid},
		"no timestamps": {func(tx *dynorm.Tx) error { return folios.In(tx).Touch(ctx, "1") }, dynorm.ErrInvalid},
		"nil key":       {func(tx *dynorm.Tx) error { return songs.In(tx).Touch(ctx, nil) }, dynorm.ErrMissingKey},
		"no number":     {func(tx *dynorm.Tx) error { return songs.In(tx).Increment(ctx, "1", "name", 1) }, dynorm.ErrValue},
		"nil Tx":        {func(*dynorm.Tx) error { return songs.In(nil).Upsert(ctx, &Song{ID: "1"}) }, dynorm.ErrInvalid},
	} {
		require.ErrorIs(t, transact(bad.add), bad.want, name)
	}
	require.Empty(t, s.kinds())
}

func TestDynamicTransactions(t *testing.T) {
	vault := parser.Entity{
		Name: "Vault", Timestamps: true, SoftDelete: true,
		Fields: []parser.Field{
			{Name: "id", Attr: "id", Primary: true, Generator: "ulid", Type: parser.Type{Kind: parser.String}},
			{Name: "code", Attr: "code", Unique: true, Type: parser.Type{Kind: parser.String}},
			{Name: "version", Attr: "_v", Version: true, Type: parser.Type{Kind: parser.Int, Bits: 64}},
			{Name: "coins", Attr: "coins", Type: parser.Type{Kind: parser.Int, Bits: 64}},
		},
	}
	s := open(t, Account{}, vault, ticket())
	accounts, vaults, tickets := dynorm.ModelOf[Account](s.db), s.db.Entity("Vault"), s.db.Entity("Ticket")
	ctx := t.Context()
	transact := func(fn func(tx *dynorm.Tx) error) error { return s.db.Transact(ctx, fn) }

	// Structs and records in one transaction; what is generated is filled in.
	v, tk := dynorm.Record{"code": "a"}, dynorm.Record{"project": "p", "no": 1, "state": "open", "priority": 1}
	s.kinds()
	require.NoError(t, transact(func(tx *dynorm.Tx) error {
		return errors.Join(vaults.In(tx).Create(ctx, v), tickets.In(tx).Put(ctx, tk), accounts.In(tx).Create(ctx, &Account{ID: "1", Email: "e"}))
	}))
	require.Equal(t, []dynorm.OpKind{dynorm.OpTransactWriteItems}, s.kinds())
	require.Len(t, v["id"], 26)
	id := v["id"]
	require.Equal(t, "STATE#open", s.raw(t, "PROJECT#p", "TICKET#000001")["gsi1pk"])

	// The rules are those of single writes: claims, entries, versions.
	taken := dynorm.Record{"code": "a", "coins": 1}
	err := transact(func(tx *dynorm.Tx) error {
		return errors.Join(tickets.In(tx).Update(ctx, tk, dynorm.Set("state", "done")), vaults.In(tx).Create(ctx, taken))
	})
	require.ErrorIs(t, err, dynorm.ErrUnique)
	require.Equal(t, dynorm.Record{"code": "a", "coins": 1}, taken, "a refused record is as it was")
	require.Equal(t, "STATE#open", s.raw(t, "PROJECT#p", "TICKET#000001")["gsi1pk"])
	require.NoError(t, transact(func(tx *dynorm.Tx) error {
		return errors.Join(
			tickets.In(tx).Update(ctx, tk, dynorm.Set("state", "done")),
			vaults.In(tx).Update(ctx, id, dynorm.Set("code", "b"), dynorm.Add("coins", 5)),
			accounts.In(tx).Check(ctx, "1", dynorm.Eq("email", "e")))
	}))
	require.Equal(t, "STATE#done", s.raw(t, "PROJECT#p", "TICKET#000001")["gsi1pk"])
	require.Empty(t, uniqueFaults(t, s.db))
	saved := dynorm.Record{"id": id, "code": "c", "_v": 1}
	require.ErrorIs(t, transact(func(tx *dynorm.Tx) error { return vaults.In(tx).Save(ctx, saved) }), dynorm.ErrStaleVersion)
	require.Equal(t, 1, saved["_v"])
	saved["_v"] = 2
	require.NoError(t, transact(func(tx *dynorm.Tx) error {
		return errors.Join(vaults.In(tx).Save(ctx, saved), tickets.In(tx).Touch(ctx, tk))
	}))
	require.EqualValues(t, 3, saved["_v"])
	require.NoError(t, transact(func(tx *dynorm.Tx) error { return vaults.In(tx).Delete(ctx, id) }))
	_, err = vaults.Find(ctx, id)
	require.ErrorIs(t, err, dynorm.ErrNotFound)
	require.NoError(t, transact(func(tx *dynorm.Tx) error { return vaults.In(tx).Restore(ctx, dynorm.Record{"id": id}) }))
	require.ErrorIs(t, transact(func(tx *dynorm.Tx) error {
		return errors.Join(vaults.In(tx).ForceDelete(ctx, id), tickets.In(tx).Check(ctx, tk, dynorm.Eq("state", "open")))
	}), dynorm.ErrConditionFailed)

	// Reads at one moment.
	list, err := vaults.TransactGet(ctx, id, "none", dynorm.Record{"id": id})
	require.NoError(t, err)
	require.Equal(t, "c", list[0]["code"])
	require.Nil(t, list[1])
	require.Equal(t, list[0], list[2])
	require.EqualValues(t, 0, list[0]["coins"], "Save writes what the record lacks as zero")
	require.NoError(t, transact(func(tx *dynorm.Tx) error { return vaults.In(tx).ForceDelete(ctx, id) }))
	list, err = vaults.TransactGet(ctx, id)
	require.NoError(t, err)
	require.Equal(t, []dynorm.Record{nil}, list)
	require.NoError(t, s.db.Chunked(ctx, func(tx *dynorm.Tx) error {
		return errors.Join(vaults.In(tx).Create(ctx, dynorm.Record{"code": "c"}), vaults.In(tx).Create(ctx, dynorm.Record{"code": "a"}))
	}))
	require.Empty(t, uniqueFaults(t, s.db))

	s.kinds()
	for name, bad := range map[string]struct {
		add  func(ctx context.Context, tx *dynorm.Tx) error
		want error
	}{
		"unregistered": {func(ctx context.Context, tx *dynorm.Tx) error {
			return s.db.Entity("Vualt").In(tx).Create(ctx, dynorm.Record{})
		}, dynorm.ErrUnregistered},
		"unregistered key": {func(ctx context.Context, tx *dynorm.Tx) error { return s.db.Entity("Vualt").In(tx).Delete(ctx, "1") }, dynorm.ErrUnregistered},
		"nil":              {func(ctx context.Context, tx *dynorm.Tx) error { return vaults.In(tx).Put(ctx, nil) }, dynorm.ErrInvalid},
		"field": {func(ctx context.Context, tx *dynorm.Tx) error {
			return vaults.In(tx).Create(ctx, dynorm.Record{"cod": 1})
		}, dynorm.ErrUnknownField},
		"value": {func(ctx context.Context, tx *dynorm.Tx) error {
			return vaults.In(tx).Create(ctx, dynorm.Record{"coins": "x"})
		}, dynorm.ErrValue},
		"key": {func(ctx context.Context, tx *dynorm.Tx) error {
			return tickets.In(tx).Delete(ctx, dynorm.Record{"no": 1})
		}, dynorm.ErrMissingKey},
		"no Tx": {func(ctx context.Context, _ *dynorm.Tx) error { return vaults.In(nil).Create(ctx, dynorm.Record{}) }, dynorm.ErrInvalid},
		"twice": {func(ctx context.Context, tx *dynorm.Tx) error {
			return errors.Join(tickets.In(tx).Put(ctx, dynorm.Record{"project": "p", "no": 1}), tickets.In(tx).Delete(ctx, tk))
		}, dynorm.ErrInvalid},
	} {
		require.ErrorIs(t, transact(func(tx *dynorm.Tx) error { return bad.add(ctx, tx) }), bad.want, name)
	}
	_, err = s.db.Entity("Vualt").TransactGet(ctx, "1")
	require.ErrorIs(t, err, dynorm.ErrUnregistered)
	_, err = vaults.TransactGet(ctx, nil)
	require.ErrorIs(t, err, dynorm.ErrMissingKey)
	require.Empty(t, s.kinds())
}

// TestDynamicTransactParity does by name what transactions of structs do.
func TestDynamicTransactParity(t *testing.T) {
	s := open(t, OrderItem{}, Account{}, Song{})
	items, accounts, songs := s.db.Entity("OrderItem"), s.db.Entity("Account"), s.db.Entity("Song")
	ctx := t.Context()
	transact := func(fn func(tx *dynorm.Tx) error) error { return s.db.Transact(ctx, fn) }

	// Upsert creates, and then saves.
	r := dynorm.Record{"sku": "a", "qty": 1}
	require.NoError(t, transact(func(tx *dynorm.Tx) error { return items.In(tx).Upsert(ctx, r) }))
	require.EqualValues(t, 1, r["_v"])
	r["qty"] = 2
	require.NoError(t, transact(func(tx *dynorm.Tx) error { return items.In(tx).Upsert(ctx, r) }))
	require.EqualValues(t, 2, r["_v"])
	stale := dynorm.Record{"sku": "a", "qty": 3, "_v": 1}
	require.ErrorIs(t, transact(func(tx *dynorm.Tx) error { return items.In(tx).Upsert(ctx, stale) }), dynorm.ErrStaleVersion)
	require.Equal(t, dynorm.Record{"sku": "a", "qty": 3, "_v": 1}, stale, "as it was")
	late := dynorm.Record{"sku": "late", "qty": 1}
	require.NoError(t, items.Create(ctx, dynorm.Record{"sku": "late"}))
	late["_v"] = 1
	require.NoError(t, transact(func(tx *dynorm.Tx) error {
		return errors.Join(items.In(tx).Upsert(ctx, late), items.ForceDelete(ctx, "late"))
	}))
	require.EqualValues(t, 1, late["_v"], "planned as a Save, written as a Create")

	// Edit, Increment and Move beside each other, all or none.
	require.NoError(t, accounts.Create(ctx, dynorm.Record{"id": "1", "email": "a", "note": "n"}))
	require.NoError(t, songs.Create(ctx, dynorm.Record{"id": "1", "name": "s", "plays": 1}))
	work := func(tx *dynorm.Tx) error {
		return errors.Join(
			items.In(tx).Edit(ctx, "a", func(r dynorm.Record) error { r["qty"] = r["qty"].(int) * 5; return nil }),
			accounts.In(tx).Move(ctx, "1", func(r dynorm.Record) error { r["id"], r["email"] = "2", "b"; delete(r, "note"); return nil }),
			songs.In(tx).Increment(ctx, "1", "plays", 2))
	}
	require.ErrorIs(t, transact(func(tx *dynorm.Tx) error {
		return errors.Join(work(tx), items.In(tx).Check(ctx, "late", dynorm.Eq("qty", 9)))
	}), dynorm.ErrConditionFailed)
	require.NoError(t, transact(work))
	item, err := items.Find(ctx, "a")
	require.NoError(t, err)
	require.Equal(t, []any{10, int64(3)}, []any{item["qty"], item["_v"]})
	account, err := accounts.Find(ctx, "2")
	require.NoError(t, err)
	require.Equal(t, "b", account["email"])
	require.Empty(t, account["note"])
	_, err = accounts.Find(ctx, "1")
	require.ErrorIs(t, err, dynorm.ErrNotFound)
	song, err := songs.Find(ctx, "1")
	require.NoError(t, err)
	require.EqualValues(t, 3, song["plays"])
	require.Empty(t, uniqueFaults(t, s.db))

	// And alone.
	item, err = items.Edit(ctx, "a", func(r dynorm.Record) error { r["qty"] = 11; return nil })
	require.NoError(t, err)
	require.Equal(t, 11, item["qty"])
	account, err = accounts.Move(ctx, "2", func(r dynorm.Record) error { r["id"] = "3"; return nil })
	require.NoError(t, err)
	require.Equal(t, "3", account["id"])
	_, err = items.Edit(ctx, "a", func(r dynorm.Record) error { r["sku"] = "b"; return nil })
	require.ErrorIs(t, err, dynorm.ErrImmutable)
	_, err = items.Edit(ctx, "a", func(r dynorm.Record) error { r["quantity"] = 1; return nil })
	require.ErrorIs(t, err, dynorm.ErrUnknownField)
}

// TestTransactGetOfSeveral reads items of several entities at one moment.
func TestTransactGetOfSeveral(t *testing.T) {
	s := open(t, OrderItem{}, Account{}, Folio{})
	ctx := t.Context()
	require.NoError(t, dynorm.ModelOf[OrderItem](s.db).Create(ctx, &OrderItem{SKU: "a", Qty: 7}))
	require.NoError(t, dynorm.ModelOf[Account](s.db).Create(ctx, &Account{ID: "1", Email: "e"}))
	require.NoError(t, dynorm.ModelOf[Folio](s.db).Create(ctx, &Folio{ledger: ledger{ID: "gone"}}))
	require.NoError(t, dynorm.ModelOf[Folio](s.db).Delete(ctx, "gone"))
	item, account, again := &OrderItem{SKU: "a"}, &Account{ID: "1"}, &Account{ID: "1"}
	none, gone := &Account{ID: "none"}, &Folio{ledger: ledger{ID: "gone"}}
	s.kinds()
	missing, err := s.db.TransactGet(ctx, item, none, account, gone, again)
	require.NoError(t, err)
	require.Equal(t, []any{none, gone}, missing)
	require.Equal(t, &OrderItem{SKU: "a", Qty: 7, Version: 1}, item)
	require.Equal(t, &Account{ID: "1", Email: "e"}, account)
	require.Equal(t, account, again)
	require.Equal(t, []dynorm.OpKind{dynorm.OpTransactGetItems}, s.kinds())
	missing, err = s.db.TransactGet(ctx)
	require.NoError(t, err)
	require.Empty(t, missing)
	require.Empty(t, s.kinds())
}
