package dynorm_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"time"

	"github.com/dynorm/dynorm"
	"github.com/dynorm/dynorm/local"
	"github.com/dynorm/dynorm/parser"
)

// Invoice lives in its customer's partition in the order of issue. Those that
// are not paid are in an index by state, in the order they are due.
type Invoice struct {
	_ dynorm.Entity `dynorm:"Invoice,softdelete"`
	_ dynorm.Key    `pk:"CUSTOMER#{Customer}" sk:"INVOICE#{Issued}#{No}"`
	_ dynorm.Index  `dynorm:"unpaid" pk:"STATE#{State}" sk:"{Due}#{No}" when:"State!=paid"`

	Customer string
	No       int
	Issued   time.Time `dynorm:",precision=s"`
	Due      time.Time `dynorm:",precision=s,required"`
	State    string    `dynorm:",enum=open|overdue|paid"`
	Cents    int64
	Lines    []string
}

var (
	InvoiceCustomer = dynorm.Col(func(i *Invoice) *string { return &i.Customer })
	InvoiceState    = dynorm.Col(func(i *Invoice) *string { return &i.State })
	InvoiceIssued   = dynorm.Col(func(i *Invoice) *time.Time { return &i.Issued })
	InvoiceCents    = dynorm.Col(func(i *Invoice) *int64 { return &i.Cents })
	InvoiceLines    = dynorm.Col(func(i *Invoice) *[]string { return &i.Lines })
)

func day(n int) time.Time { return time.Date(2026, 3, n, 0, 0, 0, 0, time.UTC) }

// openInvoices gives a table with five invoices of ann and one of bob.
func openInvoices(ctx context.Context) dynorm.Model[Invoice] {
	engine, err := local.Open(ctx, local.Config{})
	check(err)
	schema, err := dynorm.NewSchema(Invoice{})
	check(err)
	db, err := dynorm.Open(engine.Client(), schema, dynorm.Config{Table: "books"})
	check(err)
	check(db.CreateTable(ctx))
	invoices := dynorm.ModelOf[Invoice](db)
	for n, state := range []string{"paid", "open", "overdue", "open", "paid"} {
		check(invoices.Create(ctx, &Invoice{Customer: "ann", No: n + 1, Issued: day(n + 1), Due: day(31 - n), State: state, Cents: int64(n+1) * 1000}))
	}
	check(invoices.Create(ctx, &Invoice{Customer: "bob", No: 6, Issued: day(2), Due: day(9), State: "open", Cents: 50}))
	return invoices
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}

func printNumbers(invoices []*Invoice) {
	numbers := make([]int, len(invoices))
	for i, invoice := range invoices {
		numbers[i] = invoice.No
	}
	fmt.Println(numbers)
}

func ExampleQuery() {
	ctx := context.Background()
	invoices := openInvoices(ctx)

	list, err := invoices.
		Where(dynorm.Eq("customer", "ann"), dynorm.Ge("issued", day(2))).
		OrderByDesc("issued").
		Limit(3).
		List(ctx)
	check(err)
	printNumbers(list)

	// The same with columns: a value of another type does not compile.
	list, err = invoices.
		Where(InvoiceCustomer.Eq("ann"), InvoiceIssued.Ge(day(2))).
		OrderByDesc("issued").
		Limit(3).
		List(ctx)
	check(err)
	printNumbers(list)
	// Output:
	// [5 4 3]
	// [5 4 3]
}

func ExampleQuery_Explain() {
	ctx := context.Background()
	invoices := openInvoices(ctx)

	plan, err := invoices.Where(InvoiceState.Eq("open"), InvoiceCents.Gt(100)).OrderBy("due").Explain()
	check(err)
	fmt.Print(plan)
	// Output:
	// Query Invoice on GSI1 (unpaid)
	//   key     gsi1pk = STATE#open
	//   filter  cents > 100 AND attribute_not_exists(deletedAt)
	//   cost    at least 1 request, 0.5 read units
	//   not     table: its partition key CUSTOMER#{customer} needs Customer by =
	//   not     GSI2 (trashed): holds only items where deletedAt, which the query does not ask for
}

func ExampleQuery_All() {
	ctx := context.Background()
	invoices := openInvoices(ctx)

	total := int64(0)
	for invoice, err := range invoices.Where(InvoiceCustomer.Eq("ann")).All(ctx) {
		check(err)
		if total += invoice.Cents; total > 5000 {
			break // no request is left behind
		}
	}
	fmt.Println(total)
	// Output: 6000
}

func ExampleQuery_Page() {
	ctx := context.Background()
	invoices := openInvoices(ctx)
	query := invoices.Where(InvoiceCustomer.Eq("ann")).Limit(2)

	page, err := query.Page(ctx, "")
	check(err)
	printNumbers(page.Items)
	page, err = query.Page(ctx, page.Next)
	check(err)
	printNumbers(page.Items)
	page, err = query.Page(ctx, page.Prev)
	check(err)
	printNumbers(page.Items)

	_, err = query.OrderByDesc("issued").Page(ctx, page.Next)
	fmt.Println(errors.Is(err, dynorm.ErrCursor))
	// Output:
	// [1 2]
	// [3 4]
	// [1 2]
	// true
}

func ExampleNoIndexError() {
	ctx := context.Background()
	invoices := openInvoices(ctx)

	_, err := invoices.Where(InvoiceCents.Eq(3000)).List(ctx)
	if no, ok := errors.AsType[*dynorm.NoIndexError](err); ok {
		for _, c := range no.Candidates {
			fmt.Println(c)
		}
		fmt.Println(no.Suggestion)
	}
	// Output:
	// table: its partition key CUSTOMER#{customer} needs Customer by =
	// GSI1 (unpaid): holds only items where State!=paid, which the query does not ask for
	// GSI2 (trashed): holds only items where deletedAt, which the query does not ask for
	// tag Cents `index`
}

func ExampleQuery_AllowScan() {
	ctx := context.Background()
	invoices := openInvoices(ctx)

	list, err := invoices.Where(InvoiceCents.Eq(3000)).
		AllowScan(dynorm.Scan{Segments: 4, ReadUnits: 100}).
		List(ctx)
	check(err)
	printNumbers(list)
	// Output: [3]
}

func ExampleIn() {
	ctx := context.Background()
	invoices := openInvoices(ctx)

	// One query for each customer, merged in order.
	list, err := invoices.Where(dynorm.In("customer", "ann", "bob")).OrderBy("issued").Limit(4).List(ctx)
	check(err)
	printNumbers(list)

	// Alternatives that each fix the partition.
	list, err = invoices.Where(dynorm.Or(
		InvoiceCustomer.Eq("bob"),
		dynorm.And(InvoiceCustomer.Eq("ann"), InvoiceIssued.Gt(day(4))),
	)).List(ctx)
	check(err)
	printNumbers(list)
	// Output:
	// [1 2 6 3]
	// [6 5]
}

func ExampleRaw() {
	ctx := context.Background()
	invoices := openInvoices(ctx)

	n, err := invoices.Where(InvoiceCustomer.Eq("ann"), dynorm.Raw("{due} < {issued} OR {cents} >= ?", 4000)).Count(ctx)
	check(err)
	fmt.Println(n)
	// Output: 2
}

func ExampleQuery_Update() {
	ctx := context.Background()
	invoices := openInvoices(ctx)

	result, err := invoices.Where(InvoiceState.Eq("open"), dynorm.Lt("due", day(29))).Update(ctx, InvoiceState.Set("overdue"))
	check(err)
	fmt.Println(result.Changed, "changed")
	n, err := invoices.Where(InvoiceState.Eq("overdue")).Count(ctx)
	check(err)
	fmt.Println(n, "overdue")
	// Output:
	// 2 changed
	// 3 overdue
}

func ExampleColumn_Sum() {
	ctx := context.Background()
	invoices := openInvoices(ctx)
	query := invoices.Where(InvoiceCustomer.Eq("ann"))

	sum, err := InvoiceCents.Sum(ctx, query)
	check(err)
	states, err := InvoiceState.GroupCount(ctx, query)
	check(err)
	fmt.Println(sum, states)
	// Output: 15000 [{open 2} {paid 2} {overdue 1}]
}

func ExampleQuery_Scope() {
	ctx := context.Background()
	invoices := openInvoices(ctx)
	unpaid := func(q dynorm.Query[Invoice]) dynorm.Query[Invoice] { return q.Where(InvoiceState.Ne("paid")) }

	list, err := invoices.Where(InvoiceCustomer.Eq("ann")).Scope(unpaid).List(ctx)
	check(err)
	printNumbers(list)

	list, err = invoices.WithScope(unpaid).Where(InvoiceCustomer.Eq("ann")).List(ctx)
	check(err)
	printNumbers(list)
	// Output:
	// [2 3 4]
	// [2 3 4]
}

func ExampleQuery_WithTrashed() {
	ctx := context.Background()
	invoices := openInvoices(ctx)
	query := invoices.Where(InvoiceCustomer.Eq("bob"))

	check(invoices.Delete(ctx, &Invoice{Customer: "bob", No: 6, Issued: day(2)}))
	seen, err := query.Count(ctx)
	check(err)
	all, err := query.WithTrashed().Count(ctx)
	check(err)
	fmt.Println(seen, all)

	check(invoices.Restore(ctx, &Invoice{Customer: "bob", No: 6, Issued: day(2)}))
	seen, err = query.Count(ctx)
	check(err)
	fmt.Println(seen)
	// Output:
	// 0 1
	// 1
}

func ExampleDB_Register() {
	ctx := context.Background()
	engine, err := local.Open(ctx, local.Config{})
	check(err)
	schema, err := dynorm.NewSchema(Invoice{})
	check(err)
	db, err := dynorm.Open(engine.Client(), schema, dynorm.Config{Table: "books"})
	check(err)

	db, err = db.Register(parser.Entity{
		Name: "Note",
		Key:  &parser.Key{PK: "CUSTOMER#{customer}", SK: "NOTE#{no}"},
		Fields: []parser.Field{
			{Name: "customer", Type: parser.Type{Kind: parser.String}},
			{Name: "no", Type: parser.Type{Kind: parser.Int}},
			{Name: "text", Type: parser.Type{Kind: parser.String}},
		},
	})
	check(err)
	check(db.CreateTable(ctx))
	notes := db.Entity("Note")
	check(notes.Create(ctx, dynorm.Record{"customer": "ann", "no": 1, "text": "prefers mail"}))

	list, err := notes.Where(dynorm.Eq("customer", "ann")).List(ctx)
	check(err)
	fmt.Println((*list[0])["text"])

	records, err := notes.PK("CUSTOMER#ann").SK().BeginsWith("NOTE#").Project("text").Get(ctx)
	check(err)
	fmt.Println(len(records), records[0]["text"])
	// Output:
	// prefers mail
	// 1 prefers mail
}

func ExampleCollection() {
	ctx := context.Background()
	engine, err := local.Open(ctx, local.Config{})
	check(err)
	schema, err := dynorm.NewSchema(Invoice{}, Customer{})
	check(err)
	db, err := dynorm.Open(engine.Client(), schema, dynorm.Config{Table: "books"})
	check(err)
	check(db.CreateTable(ctx))
	check(dynorm.ModelOf[Customer](db).Create(ctx, &Customer{ID: "ann", Name: "Ann"}))
	for no := range 3 {
		check(dynorm.ModelOf[Invoice](db).Create(ctx, &Invoice{Customer: "ann", No: no + 1, Issued: day(no + 1), Due: day(31)}))
	}

	found, err := dynorm.Collection(db, "CUSTOMER", "ann").Load(ctx)
	check(err)
	customers, bills := dynorm.Of[Customer](found), dynorm.Of[Invoice](found)
	fmt.Println(customers[0].Name, len(bills))
	// Output:
	// Ann 3
}

// Customer is in the partition of its invoices.
type Customer struct {
	ID, Name string
}
