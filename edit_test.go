package dynorm_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/ratelimit"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/stretchr/testify/require"

	"github.com/dynorm/dynorm"
	"github.com/dynorm/dynorm/local"
)

func TestEdit(t *testing.T) {
	s := open(t, User{}, Team{}, OrderItem{}, Account{})
	users, items, accounts := dynorm.ModelOf[User](s.db), dynorm.ModelOf[OrderItem](s.db), dynorm.ModelOf[Account](s.db)
	ctx := t.Context()
	require.NoError(t, users.Create(ctx, &User{ID: "1", Name: "Ann", TeamID: "a", Tags: []string{"x"}}))
	_, err := s.client.UpdateItem(ctx, &dynamodb.UpdateItemInput{
		TableName:                 aws.String(s.db.Table()),
		Key:                       dynorm.Item{"pk": &types.AttributeValueMemberS{Value: "USER#1"}, "sk": &types.AttributeValueMemberS{Value: "USER#1"}},
		UpdateExpression:          aws.String("SET legacy = :v"),
		ExpressionAttributeValues: dynorm.Item{":v": &types.AttributeValueMemberS{Value: "kept"}},
	})
	require.NoError(t, err)

	s.kinds()
	got, err := users.Edit(ctx, "1", func(u *User) error { u.Name = "Bea"; return nil })
	require.NoError(t, err)
	require.Equal(t, &User{ID: "1", Name: "Bea", TeamID: "a", Tags: []string{"x"}}, got)
	in := s.sent[1].Input.(*dynamodb.UpdateItemInput)
	require.Equal(t, "SET #1 = :0, #2 = :1", *in.UpdateExpression, "the name and the time of the change, nothing else")
	require.Equal(t, "(attribute_exists(#0)) AND (#1 = :2)", *in.ConditionExpression, "the old value of what changed")
	require.Empty(t, in.ExpressionAttributeNames, "they go straight")
	require.Equal(t, []dynorm.OpKind{dynorm.OpGetItem, dynorm.OpUpdateItem}, s.kinds())
	plain, err := dynorm.Open(dynamodb.New(s.client.Options(), s.record), s.db.Schema(), dynorm.Config{Table: s.db.Table(), AttributeValues: true})
	require.NoError(t, err)
	_, err = dynorm.ModelOf[User](plain).Edit(ctx, "1", func(u *User) error { u.Name = "Bea B."; return nil })
	require.NoError(t, err)
	in = s.sent[1].Input.(*dynamodb.UpdateItemInput)
	require.Equal(t, map[string]string{"#0": "pk", "#1": "name", "#2": "updatedAt"}, in.ExpressionAttributeNames)
	s.kinds()

	got, err = users.Edit(ctx, "1", func(u *User) error { u.Tags = append([]string{}, u.Tags...); return nil })
	require.NoError(t, err)
	require.Equal(t, "Bea B.", got.Name)
	require.Equal(t, []dynorm.OpKind{dynorm.OpGetItem}, s.kinds(), "nothing changed, so nothing is written")

	_, err = users.Edit(ctx, "1", func(u *User) error { u.TeamID, u.Tags = "", nil; return nil })
	require.NoError(t, err)
	raw := s.raw(t, "USER#1", "USER#1")
	require.NotContains(t, raw, "gsi1pk")
	require.NotContains(t, raw, "tags")
	require.Equal(t, "kept", raw["legacy"])

	// Claims move with the value.
	require.NoError(t, accounts.Create(ctx, &Account{ID: "a", Email: "e1"}))
	require.NoError(t, accounts.Create(ctx, &Account{ID: "b", Email: "e2"}))
	acc, err := accounts.Edit(ctx, "a", func(a *Account) error { a.Email = "e3"; return nil })
	require.NoError(t, err)
	require.Equal(t, &Account{ID: "a", Email: "e3"}, acc)
	_, err = accounts.Edit(ctx, "a", func(a *Account) error { a.Email = "e2"; return nil })
	require.ErrorIs(t, err, dynorm.ErrUnique)
	require.NoError(t, accounts.Create(ctx, &Account{ID: "c", Email: "e1"}))
	acc, err = accounts.Update(ctx, "a", dynorm.Set("email", "e4"), dynorm.Set("note", "n"))
	require.NoError(t, err)
	require.Equal(t, &Account{ID: "a", Email: "e4", Note: "n"}, acc, "an update in a transaction returns the item too")

	// Bad input and fn's own error.
	s.kinds()
	boom := errors.New("boom")
	for _, tt := range []struct {
		name string
		call func() error
		want error
	}{
		{"fn fails", func() error {
			_, err := users.Edit(ctx, "1", func(u *User) error { u.Name = "x"; return boom })
			return err
		}, boom},
		{"base key", func() error {
			_, err := users.Edit(ctx, "1", func(u *User) error { u.ID = "2"; return nil })
			return err
		}, dynorm.ErrImmutable},
		{"version", func() error {
			require.NoError(t, items.Put(ctx, &OrderItem{SKU: "v"}))
			s.kinds()
			_, err := items.Edit(ctx, "v", func(o *OrderItem) error { o.Version = 9; return nil })
			return err
		}, dynorm.ErrInvalid},
		{"nil fn", func() error { _, err := users.Edit(ctx, "1", nil); return err }, dynorm.ErrInvalid},
		{"no item", func() error {
			_, err := users.Edit(ctx, "nobody", func(*User) error { return nil })
			return err
		}, dynorm.ErrNotFound},
	} {
		require.ErrorIs(t, tt.call(), tt.want, tt.name)
		for _, kind := range s.kinds() {
			require.Equal(t, dynorm.OpGetItem, kind, tt.name)
		}
	}
}

// Every one of many edits of one item counts, with a version and without.
func TestEditRaces(t *testing.T) {
	s := open(t, User{}, Team{}, OrderItem{})
	users, items := dynorm.ModelOf[User](s.db), dynorm.ModelOf[OrderItem](s.db)
	ctx := t.Context()
	require.NoError(t, users.Create(ctx, &User{ID: "1"}))
	require.NoError(t, items.Create(ctx, &OrderItem{SKU: "1"}))
	const writers, rounds = 8, 5
	var wg sync.WaitGroup
	for range writers {
		wg.Go(func() {
			for range rounds {
				_, err := users.Edit(ctx, "1", func(u *User) error { u.Logins++; return nil })
				require.NoError(t, err)
				err = s.db.Transact(ctx, func(tx *dynorm.Tx) error {
					return items.In(tx).Edit(ctx, "1", func(o *OrderItem) error { o.Qty++; return nil })
				})
				require.NoError(t, err)
			}
		})
	}
	wg.Wait()
	u, err := users.Find(ctx, "1")
	require.NoError(t, err)
	require.EqualValues(t, writers*rounds, u.Logins)
	o, err := items.Find(ctx, "1")
	require.NoError(t, err)
	require.Equal(t, writers*rounds, o.Qty)
	require.EqualValues(t, 1+writers*rounds, o.Version)
}

func TestRetry(t *testing.T) {
	s := open(t, OrderItem{})
	items := dynorm.ModelOf[OrderItem](s.db)
	ctx := t.Context()
	require.NoError(t, items.Create(ctx, &OrderItem{SKU: "1"}))
	tries := 0
	require.NoError(t, dynorm.Retry(ctx, 3, func(ctx context.Context) error {
		tries++
		o, err := items.Find(ctx, "1")
		require.NoError(t, err)
		if tries < 3 {
			_, err := items.Update(ctx, "1", dynorm.Add("qty", 1))
			require.NoError(t, err)
		}
		o.Qty = 50
		return items.Save(ctx, o)
	}))
	require.Equal(t, 3, tries)

	tries = 0
	err := dynorm.Retry(ctx, 2, func(context.Context) error { tries++; return dynorm.ErrConflict })
	require.ErrorIs(t, err, dynorm.ErrConflict)
	require.Equal(t, 2, tries)
	tries = 0
	require.ErrorIs(t, dynorm.Retry(ctx, 9, func(context.Context) error { tries++; return dynorm.ErrExists }), dynorm.ErrExists)
	require.Equal(t, 1, tries)
	require.ErrorIs(t, dynorm.Retry(ctx, 0, func(context.Context) error { return nil }), dynorm.ErrInvalid)
}

func TestNoRead(t *testing.T) {
	s := open(t, Task{}, Account{})
	tasks, accounts := dynorm.ModelOf[Task](s.db), dynorm.ModelOf[Account](s.db)
	ctx := t.Context()
	require.NoError(t, tasks.Create(ctx, &Task{ID: "1", Owner: "ann", Due: clock}))
	require.NoError(t, accounts.Create(ctx, &Account{ID: "1", Email: "e"}))
	s.kinds()

	_, err := tasks.Update(ctx, "1", dynorm.Set("owner", "bob"), dynorm.NoRead())
	require.ErrorIs(t, err, dynorm.ErrNeedsFields)
	ne, ok := errors.AsType[*dynorm.NeedsFieldsError](err)
	require.True(t, ok)
	require.Equal(t, []string{"Due", "Status"}, ne.Fields)
	_, err = accounts.Update(ctx, "1", dynorm.Set("email", "f"), dynorm.NoRead())
	require.ErrorIs(t, err, dynorm.ErrNeedsFields)
	require.Empty(t, s.kinds())

	_, err = tasks.Update(ctx, "1", dynorm.Set("owner", "bob"), dynorm.NoRead(),
		dynorm.If(dynorm.And(dynorm.Eq("due", clock), dynorm.Eq("status", "open"))))
	require.NoError(t, err)
	require.Equal(t, []dynorm.OpKind{dynorm.OpUpdateItem}, s.kinds(), "what a condition says is known")
	require.Equal(t, "OWNER#bob", s.raw(t, "TASK#1", "TASK#1")["gsi1pk"])
	_, err = tasks.Update(ctx, "1", dynorm.Set("owner", "carl"), dynorm.NoRead(),
		dynorm.If(dynorm.Eq("due", clock)), dynorm.If(dynorm.Eq("status", "done")))
	require.ErrorIs(t, err, dynorm.ErrConditionFailed, "and holds")
	_, err = tasks.Update(ctx, "1", dynorm.Add("points", 1), dynorm.NoRead())
	require.NoError(t, err)

	s.kinds()
	_, err = accounts.Update(ctx, "1", dynorm.Set("email", "f"), dynorm.NoRead(), dynorm.If(dynorm.Eq("email", "e")),
		dynorm.If(dynorm.Eq("tenant", "")), dynorm.If(dynorm.Eq("number", 0)))
	require.NoError(t, err)
	require.Equal(t, []dynorm.OpKind{dynorm.OpTransactWriteItems}, s.kinds())
	got, err := accounts.FindBy(ctx, "email", "f")
	require.NoError(t, err)
	require.Equal(t, "1", got.ID)
	require.NoError(t, accounts.Create(ctx, &Account{ID: "2", Email: "e"}), "the old value is free")
}

type Balance struct {
	_ dynorm.Index `dynorm:"rich" pk:"RICH#{ID|shard=2}" sk:"{Total:%06d}#{ID}"`

	ID              string
	Net, Tax, Total int64
	Rate            float64
	Label, Note     string
	Lines           []struct{ Qty int64 }
}

func TestRefs(t *testing.T) {
	s := open(t, Balance{})
	balances := dynorm.ModelOf[Balance](s.db)
	ctx := t.Context()
	require.NoError(t, balances.Create(ctx, &Balance{ID: "1", Net: 100, Tax: 19, Label: "x", Lines: []struct{ Qty int64 }{{1}, {2}}}))
	net := dynorm.Col(func(b *Balance) *int64 { return &b.Net })
	total := dynorm.Col(func(b *Balance) *int64 { return &b.Total })
	s.kinds()
	got, err := balances.Update(ctx, "1", total.SetTo(net.Ref().Plus(dynorm.FieldRef("tax"))), dynorm.Set("note", dynorm.FieldRef("label")))
	require.NoError(t, err)
	require.Equal(t, []dynorm.OpKind{dynorm.OpGetItem, dynorm.OpUpdateItem}, s.kinds(), "the total is in an index")
	require.EqualValues(t, 119, got.Total)
	require.Equal(t, "x", got.Note)
	require.Equal(t, "000119#1", s.raw(t, "BALANCE#1", "BALANCE#1")["gsi1sk"])

	got, err = balances.Update(ctx, "1", net.SetTo(net.Ref().Minus(30)), dynorm.Set("lines[1].Qty", dynorm.FieldRef("lines[0].Qty").Plus(4)))
	require.NoError(t, err)
	require.Equal(t, []dynorm.OpKind{dynorm.OpUpdateItem}, s.kinds())
	require.EqualValues(t, 70, got.Net)
	require.EqualValues(t, 5, got.Lines[1].Qty)

	_, err = balances.Update(ctx, "1", dynorm.Remove("tax"))
	require.NoError(t, err)
	_, err = balances.Update(ctx, "1", total.SetTo(dynorm.FieldRef("tax").Plus(1)))
	require.ErrorIs(t, err, dynorm.ErrInvalid, "an absent field is not 0")
	s.kinds()
	for _, c := range []dynorm.Change{
		dynorm.Set("total", dynorm.FieldRef("label").Plus(1)),
		dynorm.Set("total", dynorm.FieldRef("label")),
		dynorm.Set("total", dynorm.FieldRef("net").Plus("x")),
		dynorm.Set("total", dynorm.FieldRef("net").Plus(1).Minus(2)),
		dynorm.Set("total", dynorm.FieldRef("nett")),
		dynorm.Set("label", dynorm.FieldRef("net").Plus(1)),
	} {
		_, err := balances.Update(ctx, "1", c)
		require.Error(t, err)
		require.ErrorContains(t, err, "Balance.")
	}
	require.Empty(t, s.kinds())
}

// lossy opens a table on an embedded engine, where faults can be ordered.
func lossy(t testing.TB, cfg dynorm.Config, models ...any) (*local.Engine, *dynorm.DB) {
	t.Helper()
	return lossyWith(t, local.Config{}, cfg, models...)
}

func lossyWith(t testing.TB, on local.Config, cfg dynorm.Config, models ...any) (*local.Engine, *dynorm.DB) {
	t.Helper()
	engine, err := local.Open(t.Context(), on)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, engine.Close()) })
	schema, err := dynorm.NewSchema(models...)
	require.NoError(t, err)
	cfg.Table = "lossy"
	db, err := dynorm.Open(dynamodb.New(engine.Client().Options(), retryAtOnce), schema, cfg)
	require.NoError(t, err)
	require.NoError(t, db.CreateTable(t.Context()))
	return engine, db
}

// retryAtOnce leaves out the SDK's own pauses, which would make tests long.
func retryAtOnce(o *dynamodb.Options) {
	o.Retryer = retry.NewStandard(func(so *retry.StandardOptions) {
		so.Backoff = retry.BackoffDelayerFunc(func(int, error) (time.Duration, error) { return time.Millisecond, nil })
		so.RateLimiter = ratelimit.None
	})
}

// A write whose response was lost is sent again by the SDK, and then meets what
// it wrote itself.
func TestLostResponses(t *testing.T) {
	engine, db := lossy(t, dynorm.Config{}, User{}, Team{}, OrderItem{}, Account{})
	users, items, accounts := dynorm.ModelOf[User](db), dynorm.ModelOf[OrderItem](db), dynorm.ModelOf[Account](db)
	ctx := t.Context()
	lose := func(operation string) {
		_, err := engine.Inject(local.Fault{Kind: local.LostResponse, Operations: []string{operation}, Times: 1})
		require.NoError(t, err)
	}
	item := &OrderItem{SKU: "1", Qty: 1}
	lose("PutItem")
	require.NoError(t, items.Create(ctx, item), "Create")
	lose("UpdateItem")
	item.Qty = 2
	require.NoError(t, items.Save(ctx, item), "Save")
	require.EqualValues(t, 2, item.Version)
	lose("PutItem")
	item.Qty = 3
	require.NoError(t, items.Put(ctx, item), "Put")
	require.EqualValues(t, 3, item.Version)
	lose("UpdateItem")
	got, err := items.Edit(ctx, "1", func(o *OrderItem) error { o.Qty++; return nil })
	require.NoError(t, err)
	require.Equal(t, &OrderItem{SKU: "1", Qty: 4, Version: 4}, got, "Edit counts once")
	lose("DeleteItem")
	require.NoError(t, items.Delete(ctx, got))

	require.NoError(t, users.Create(ctx, &User{ID: "1"}))
	lose("UpdateItem")
	u, err := users.Edit(ctx, "1", func(u *User) error { u.Logins++; return nil })
	require.NoError(t, err)
	require.EqualValues(t, 1, u.Logins, "without a version too")
	lose("TransactWriteItems")
	require.NoError(t, accounts.Create(ctx, &Account{ID: "1", Email: "e"}))
	lose("TransactWriteItems")
	require.NoError(t, db.Transact(ctx, func(tx *dynorm.Tx) error { return users.In(tx).Update(ctx, "1", dynorm.Add("logins", 1)) }))
	u, err = users.Find(ctx, "1")
	require.NoError(t, err)
	require.EqualValues(t, 2, u.Logins, "a transaction is not written twice")

	// What someone else wrote is not taken for ours.
	require.ErrorIs(t, items.Create(ctx, &OrderItem{SKU: "2", Qty: 1}), nil)
	lose("PutItem")
	require.ErrorIs(t, items.Create(ctx, &OrderItem{SKU: "2", Qty: 9}), dynorm.ErrExists)
	require.ErrorIs(t, items.Create(ctx, &OrderItem{SKU: "2", Qty: 1}), dynorm.ErrExists, "an equal item without a loss is another's")
}

type Stamps struct {
	Created time.Time `dynorm:"createdAt,created"`
	Version int64     `dynorm:"_v,version"`
}

type Stamped struct {
	*Stamps
	ID string `dynorm:",primary,ulid"`
}

func TestFailedWritesLeaveValues(t *testing.T) {
	s := open(t, Stamped{}, User{}, Team{})
	users, stamped := dynorm.ModelOf[User](s.db), dynorm.ModelOf[Stamped](s.db)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	shared := &Stamps{}
	v := &Stamped{Stamps: shared}
	require.Error(t, stamped.Create(ctx, v))
	require.Equal(t, &Stamped{Stamps: shared}, v)
	require.Equal(t, &Stamps{}, shared, "behind an embedded pointer too")
	ctx = t.Context()
	require.NoError(t, stamped.Create(ctx, v))
	require.EqualValues(t, 1, shared.Version)

	// One value given to a transaction twice goes back to its first state.
	u := &User{ID: "1", Name: "before"}
	boom := errors.New("boom")
	require.ErrorIs(t, s.db.Transact(ctx, func(tx *dynorm.Tx) error {
		require.NoError(t, users.In(tx).Create(ctx, u))
		u.Name = "between"
		require.NoError(t, users.In(tx).Save(ctx, u))
		return boom
	}), boom)
	require.Equal(t, "before", u.Name)
}

func TestTransactReplans(t *testing.T) {
	s := open(t, Task{}, Account{})
	tasks, accounts := dynorm.ModelOf[Task](s.db), dynorm.ModelOf[Account](s.db)
	ctx := t.Context()
	require.NoError(t, tasks.Create(ctx, &Task{ID: "1", Owner: "ann", Due: clock}))
	require.NoError(t, accounts.Create(ctx, &Account{ID: "1", Email: "e"}))
	build := func(tx *dynorm.Tx) error {
		if err := tasks.In(tx).Update(ctx, "1", dynorm.Set("due", clock.AddDate(1, 0, 0))); err != nil {
			return err
		}
		if err := accounts.In(tx).Delete(ctx, "1"); err != nil {
			return err
		}
		_, err := tasks.Update(ctx, "1", dynorm.Set("owner", "bob")) // another writer
		require.NoError(t, err)
		_, err = accounts.Update(ctx, "1", dynorm.Set("email", "f"))
		return err
	}
	require.NoError(t, s.db.Transact(ctx, build))
	require.Equal(t, "OWNER#bob", s.raw(t, "TASK#1", "TASK#1")["gsi1pk"])
	require.NoError(t, accounts.Create(ctx, &Account{ID: "2", Email: "f"}), "the claim that the other writer moved is freed")

	require.NoError(t, accounts.Delete(ctx, "2"))
	require.NoError(t, accounts.Create(ctx, &Account{ID: "1", Email: "g"}))
	_, err := tasks.Update(ctx, "1", dynorm.Set("owner", "ann"))
	require.NoError(t, err)
	err = s.db.Transact(ctx, func(tx *dynorm.Tx) error { tx.Token("mine"); return build(tx) })
	require.ErrorIs(t, err, dynorm.ErrConflict, "a given token goes with one request")
	for n, token := range map[int]string{1: "", 2: fmt.Sprintf("%037d", 1)} {
		err = s.db.Transact(ctx, func(tx *dynorm.Tx) error { tx.Token(token); return nil })
		require.ErrorIs(t, err, dynorm.ErrInvalid, n)
	}
	require.ErrorIs(t, s.db.Transact(ctx, nil), dynorm.ErrInvalid)

	s.kinds()
	token := fmt.Sprint("given-", time.Now().UnixNano())
	require.NoError(t, s.db.Transact(ctx, func(tx *dynorm.Tx) error {
		tx.Token(token)
		return tasks.In(tx).Create(ctx, &Task{ID: "2"})
	}))
	require.Equal(t, token, *s.sent[0].Input.(*dynamodb.TransactWriteItemsInput).ClientRequestToken)
}
