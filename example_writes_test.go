package dynorm_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"strings"

	"github.com/dynorm/dynorm"
	"github.com/dynorm/dynorm/local"
)

type Member struct {
	_ dynorm.Entity `dynorm:"Member"`
	_ dynorm.Index  `dynorm:"byPlan" pk:"PLAN#{Plan}" sk:"{Points:%06d}#{ID}" when:"Status!=gone"`

	ID      string
	Email   string `dynorm:",unique"`
	Plan    string
	Status  string
	Points  int64
	Bonus   int64
	Tags    []string `dynorm:",set"`
	Version int64    `dynorm:"_v,version"`
}

var (
	MemberPlan   = dynorm.Col(func(m *Member) *string { return &m.Plan })
	MemberPoints = dynorm.Col(func(m *Member) *int64 { return &m.Points })
	MemberBonus  = dynorm.Col(func(m *Member) *int64 { return &m.Bonus })
)

// memberModel opens a new table in an embedded engine.
func memberModel(ctx context.Context, hooks ...dynorm.Hook) (dynorm.Model[Member], *dynorm.DB) {
	engine, err := local.Open(ctx, local.Config{})
	if err != nil {
		log.Fatal(err)
	}
	schema, err := dynorm.NewSchema(Member{})
	if err != nil {
		log.Fatal(err)
	}
	db, err := dynorm.Open(engine.Client(), schema, dynorm.Config{Table: "app", Hooks: hooks})
	if err != nil {
		log.Fatal(err)
	}
	if err := db.CreateTable(ctx); err != nil {
		log.Fatal(err)
	}
	return dynorm.ModelOf[Member](db), db
}

func ExampleModel_Update() {
	ctx := context.Background()
	members, _ := memberModel(ctx)
	if err := members.Create(ctx, &Member{ID: "1", Email: "ann@example.com", Plan: "free", Bonus: 5}); err != nil {
		log.Fatal(err)
	}
	m, err := members.Update(ctx, "1",
		MemberPlan.Set("pro"),
		MemberPoints.SetTo(MemberPoints.Ref().Plus(MemberBonus.Ref())),
		MemberBonus.Remove(),
		dynorm.AddToSet("tags", "vip"),
		dynorm.If(MemberPlan.Eq("free")))
	fmt.Println(m.Plan, m.Points, m.Bonus, m.Tags, m.Version, err)

	_, err = members.Update(ctx, "1", MemberPoints.Add(1), dynorm.If(MemberPlan.Eq("free")))
	fmt.Println(errors.Is(err, dynorm.ErrConditionFailed))
	_, err = members.Update(ctx, "1", MemberPoints.Add(1), dynorm.NoRead())
	fmt.Println(err)
	// Output:
	// pro 5 0 [vip] 2 <nil>
	// true
	// dynorm: Update Member: index entries or unique values depend on Plan, Points, Status: change them too, or say what they are with If(Eq(...)), or allow the read
}

func ExampleModel_Edit() {
	ctx := context.Background()
	members, _ := memberModel(ctx)
	if err := members.Create(ctx, &Member{ID: "1", Email: "ann@example.com", Points: 3}); err != nil {
		log.Fatal(err)
	}
	m, err := members.Edit(ctx, "1", func(m *Member) error {
		m.Points *= 2
		m.Email = "ann@example.org"
		return nil
	})
	fmt.Println(m.Points, m.Version, err)
	m, err = members.FindBy(ctx, "email", "ann@example.org")
	fmt.Println(m.ID, err)
	// Output:
	// 6 2 <nil>
	// 1 <nil>
}

func ExampleRetry() {
	ctx := context.Background()
	members, _ := memberModel(ctx)
	if err := members.Create(ctx, &Member{ID: "1"}); err != nil {
		log.Fatal(err)
	}
	err := dynorm.Retry(ctx, 5, func(ctx context.Context) error {
		m, err := members.Find(ctx, "1")
		if err != nil {
			return err
		}
		m.Points += 10
		return members.Save(ctx, m)
	})
	fmt.Println(err)
	// Output: <nil>
}

func ExampleDB_Transact() {
	ctx := context.Background()
	members, db := memberModel(ctx)
	a, b := &Member{ID: "a", Email: "a@example.com", Points: 10}, &Member{ID: "b"}
	if err := members.CreateMany(ctx, a, b); err != nil {
		log.Fatal(err)
	}
	err := db.Transact(ctx, func(tx *dynorm.Tx) error {
		if err := members.In(tx).Update(ctx, "a", MemberPoints.Add(-4), dynorm.If(MemberPoints.Ge(4))); err != nil {
			return err
		}
		return members.In(tx).Update(ctx, "b", MemberPoints.Add(4))
	})
	fmt.Println(err)
	err = db.Transact(ctx, func(tx *dynorm.Tx) error {
		if err := members.In(tx).Create(ctx, &Member{ID: "c", Email: "a@example.com"}); err != nil {
			return err
		}
		return members.In(tx).Delete(ctx, "b")
	})
	te, _ := errors.AsType[*dynorm.TxError](err)
	fmt.Println(te.Reasons[0].Op, te.Reasons[0].Err, errors.Is(err, dynorm.ErrUnique))
	// Output:
	// <nil>
	// Create the value of email is taken true
}

func ExampleModel_CreateMany() {
	ctx := context.Background()
	members, _ := memberModel(ctx)
	if err := members.Create(ctx, &Member{ID: "1"}); err != nil {
		log.Fatal(err)
	}
	err := members.CreateMany(ctx, &Member{ID: "1"}, &Member{ID: "2"}, &Member{ID: "3"})
	if be, ok := errors.AsType[*dynorm.BatchError[Member]](err); ok {
		for _, f := range be.Failed {
			fmt.Println(f.Value.ID, errors.Is(f.Err, dynorm.ErrExists))
		}
		fmt.Println(len(be.Left))
	}
	// Output:
	// 1 true
	// 0
}

func ExampleOn() {
	ctx := context.Background()
	members, _ := memberModel(ctx, dynorm.On(dynorm.BeforeSave, func(_ context.Context, m *Member) error {
		m.Email = strings.ToLower(m.Email)
		return nil
	}))
	m := &Member{ID: "1", Email: "Ann@Example.com"}
	fmt.Println(members.Create(ctx, m), m.Email)
	m, err := members.Update(ctx, "1", dynorm.Set("email", "Bea@Example.com"))
	fmt.Println(err, m.Email)
	// Output:
	// <nil> ann@example.com
	// <nil> bea@example.com
}

func ExampleDB_ScanUnique() {
	ctx := context.Background()
	members, db := memberModel(ctx)
	if err := members.Create(ctx, &Member{ID: "1", Email: "ann@example.com"}); err != nil {
		log.Fatal(err)
	}
	for fault, err := range db.ScanUnique(ctx) {
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(fault.Kind, fault.Entity, fault.Constraint)
	}
	repaired, left, err := db.RepairAllUnique(ctx)
	fmt.Println(repaired, len(left), err)
	// Output: 0 0 <nil>
}

func ExampleDB_TransactGet() {
	ctx := context.Background()
	members, db := memberModel(ctx)
	if err := members.CreateMany(ctx, &Member{ID: "a", Points: 10}, &Member{ID: "b", Points: 3}); err != nil {
		log.Fatal(err)
	}
	a, b, c := &Member{ID: "a"}, &Member{ID: "b"}, &Member{ID: "c"}
	missing, err := db.TransactGet(ctx, a, b, c)
	fmt.Println(a.Points, b.Points, len(missing), err)
	// Output: 10 3 1 <nil>
}

func ExampleDB_Chunked() {
	ctx := context.Background()
	members, db := memberModel(ctx)
	if err := members.Create(ctx, &Member{ID: "150"}); err != nil {
		log.Fatal(err)
	}
	done := 0
	add := func(tx *dynorm.Tx) error {
		tx.Skip(done)
		for i := range 200 {
			if err := members.In(tx).Create(ctx, &Member{ID: fmt.Sprint(i)}); err != nil {
				return err
			}
		}
		return nil
	}
	err := db.Chunked(ctx, add)
	if ce, ok := errors.AsType[*dynorm.ChunkedError](err); ok {
		done = ce.Done
		fmt.Println(ce.Done, ce.Left, errors.Is(err, dynorm.ErrExists))
	}
	if err := members.Delete(ctx, "150"); err != nil {
		log.Fatal(err)
	}
	fmt.Println(db.Chunked(ctx, add))
	// Output:
	// 100 100 true
	// <nil>
}

func ExampleBatchError() {
	ctx, cancel := context.WithCancel(context.Background())
	members, _ := memberModel(ctx)
	list := []*Member{{ID: "1"}, {ID: "2"}}
	cancel()
	err := members.PutMany(ctx, list...)
	if be, ok := errors.AsType[*dynorm.BatchError[Member]](err); ok && errors.Is(err, context.Canceled) {
		err = members.PutMany(context.Background(), be.Left...)
	}
	fmt.Println(err)
	// Output: <nil>
}

func ExampleModel_FillJSON() {
	ctx := context.Background()
	members, _ := memberModel(ctx)
	m := &Member{ID: "1"}
	fmt.Println(members.FillJSON(m, []byte(`{"plan": "pro", "points": 12}`)), m.Plan, m.Points)
	err := members.FillJSON(m, []byte(`{"plan": "free", "_v": 9}`))
	fmt.Println(errors.Is(err, dynorm.ErrInvalid), m.Plan)
	// Output:
	// <nil> pro 12
	// true pro
}
