package dynorm_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/stretchr/testify/require"

	"github.com/dynorm/dynorm"
	"github.com/dynorm/dynorm/internal/golden"
)

// Order lives in its customer's partition in the order of time, with an index
// of the orders that are not done by status, and one by day.
type Order struct {
	_ dynorm.Entity `dynorm:"Order,softdelete"`
	_ dynorm.Key    `pk:"USER#{UserID}" sk:"ORDER#{PlacedAt}#{ID}"`
	_ dynorm.Index  `dynorm:"open" pk:"STATUS#{Status}" sk:"{PlacedAt}#{ID}" when:"Status!=done"`
	_ dynorm.Index  `dynorm:"byDay" pk:"DAY#{PlacedAt:date}" sk:"{Total|desc}#{ID}"`
	_ dynorm.Index  `dynorm:"sharded" pk:"CITY#{City|lower}#{ID|shard=3}" sk:"{PlacedAt}"`

	ID       string
	UserID   string
	PlacedAt time.Time
	Status   string
	City     string
	Total    int64
	Note     *string
	Address  struct{ Street, Zip string }
	Tags     []string  `dynorm:",set"`
	Expires  time.Time `dynorm:",ttl"`
}

// Line shares the partition of its order's customer.
type Line struct {
	_ dynorm.Key `pk:"USER#{UserID}" sk:"LINE#{OrderID}#{No}"`

	UserID, OrderID string
	No              int
}

// offline gives a DB that sends nothing.
func offline(t testing.TB, models ...any) *dynorm.DB {
	t.Helper()
	schema, err := dynorm.NewSchema(models...)
	require.NoError(t, err)
	db, err := dynorm.Open(dynamodb.New(dynamodb.Options{}), schema, dynorm.Config{Table: "app", Clock: func() time.Time { return clock }})
	require.NoError(t, err)
	return db
}

// describe shows a plan and its first request, or the error.
func describe[T any](q dynorm.Query[T]) string {
	plan, err := q.Explain()
	if err != nil {
		return err.Error() + "\n"
	}
	in, err := q.Request()
	if err != nil {
		return err.Error() + "\n"
	}
	return plan.String() + requestText(in)
}

// requestText shows the members of an input that are set, in a fixed order.
func requestText(in any) string {
	data, err := json.Marshal(in)
	if err != nil {
		return err.Error()
	}
	var members map[string]any
	if err := json.Unmarshal(data, &members); err != nil {
		return err.Error()
	}
	var s strings.Builder
	for _, name := range slices.Sorted(maps.Keys(members)) {
		if v := members[name]; v != nil && v != "" {
			text, _ := json.Marshal(v)
			fmt.Fprintf(&s, "%s: %s\n", name, text)
		}
	}
	return s.String()
}

// Queries and the exact requests that they become.
func TestPlanRequests(t *testing.T) {
	db := offline(t, Order{}, Line{}, User{}, Team{})
	m, users, lines := dynorm.ModelOf[Order](db), dynorm.ModelOf[User](db), dynorm.ModelOf[Line](db)
	at := clock
	of := func(predicates ...dynorm.Predicate) dynorm.Query[Order] {
		return m.Where(append([]dynorm.Predicate{dynorm.Eq("userId", "u1")}, predicates...)...)
	}
	rows := []struct {
		name, why string
		got       string
	}{
		{"partition", "the literal of the sort key closes the partition to other entities", describe(of())},
		{"order of calls", "the same plan whatever the order of conditions", describe(m.Where(dynorm.Ge("placedAt", at)).Where(dynorm.Eq("userId", "u1")))},
		{"range", "a comparison with the field after the fixed ones is a range of the sort key", describe(of(dynorm.Gt("placedAt", at)))},
		{"two ends", "both ends of a range go into one BETWEEN", describe(of(dynorm.Ge("placedAt", at), dynorm.Lt("placedAt", at.Add(time.Hour))))},
		{"segment", "a partial sort key is closed at a segment", describe(of(dynorm.Eq("placedAt", at)))},
		{"whole key", "the whole key is a GetItem, with no filter to write", describe(of(dynorm.Eq("placedAt", at), dynorm.Eq("id", "o1")))},
		{"whole key and more", "a condition beside the whole key takes a Query: a GetItem has no filter", describe(of(dynorm.Eq("placedAt", at), dynorm.Eq("id", "o1"), dynorm.Eq("status", "paid")))},
		{"keys", "several whole keys are a BatchGetItem", describe(users.Where(dynorm.In("id", "1", "2", "1")))},
		{"filter", "what the key does not say is filtered", describe(of(dynorm.Eq("status", "paid"), dynorm.Contains("tags", "x"), dynorm.Exists("note"), dynorm.Eq("address.zip", "12"), dynorm.Size("tags").Gt(2)))},
		{"groups", "groups keep their meaning", describe(of(dynorm.Or(dynorm.Eq("status", "a"), dynorm.And(dynorm.Gt("total", 1), dynorm.Not(dynorm.In("city", "x", "y"))), dynorm.Between("total", 5, 6))))},
		{"raw", "a raw condition is filtered by", describe(of(dynorm.Raw("{total} > {address.zip} OR size({tags}) = ?", 3)))},
		{"when met", "an index under a condition answers what implies it", describe(m.Where(dynorm.Eq("status", "paid")).OrderByDesc("placedAt").Limit(5))},
		{"when met by exclusion", "excluding the value implies the condition too", describe(m.Where(dynorm.In("status", "a", "b")).OrderBy("placedAt"))},
		{"when unmet", "what may not be in the index is not looked for there", describe(m.Where(dynorm.Eq("status", "done")))},
		{"pinned", "a pinned index is taken as it is", describe(m.Where(dynorm.Eq("status", "done")).Index("open"))},
		{"lossy", "a key that says less than the field keeps the filter", describe(m.Where(dynorm.Eq("placedAt", at)))},
		{"descending", "a descending field is read forwards for its greatest", describe(m.Where(dynorm.Eq("placedAt", at)).OrderByDesc("total").Limit(3))},
		{"descending range", "and its ranges are turned round", describe(m.Where(dynorm.Eq("placedAt", at), dynorm.Ge("total", 10)))},
		{"shards", "shards are all read, and merged in order", describe(m.Where(dynorm.Eq("city", "Bonn")).OrderBy("placedAt"))},
		{"one shard", "the shard of a known value alone is read", describe(m.Where(dynorm.Eq("city", "Bonn"), dynorm.Eq("id", "o1")).Index("sharded"))},
		{"select", "the key and what tells the item go with the selected fields", describe(of().Select("total", "address.zip"))},
		{"consistent", "strong reads of the table", describe(of().Consistent())},
		{"trashed", "deleted items are asked for", describe(of().OnlyTrashed().IncludeExpired())},
		{"neighbour", "an integer in a sort key is padded", describe(lines.Where(dynorm.Eq("userId", "u1"), dynorm.Eq("orderId", "o1"), dynorm.Gt("no", 7)))},
		{"union", "an Or that fixes the partition in each branch is a union", describe(m.Where(dynorm.Or(dynorm.Eq("userId", "u1"), dynorm.And(dynorm.Eq("userId", "u2"), dynorm.Gt("placedAt", at)))))},
		{"overlap", "branches that meet are made disjoint", describe(m.Where(dynorm.Or(dynorm.And(dynorm.Eq("userId", "u1"), dynorm.Eq("status", "a")), dynorm.And(dynorm.Eq("userId", "u1"), dynorm.Gt("placedAt", at)))))},
		{"shapes", "an Or whose branches need different keys is refused", describe(m.Where(dynorm.Or(dynorm.Eq("userId", "u1"), dynorm.Eq("status", "a"))))},
		{"nothing", "conditions that contradict each other ask for nothing", describe(of(dynorm.Gt("placedAt", at), dynorm.Lt("placedAt", at)))},
		{"refused", "no key or index answers, each with its reason", describe(m.Where(dynorm.Eq("total", 1)).OrderBy("placedAt"))},
		{"scan", "a scan by permission", describe(m.Where(dynorm.Eq("total", 1)).AllowScan(dynorm.Scan{Segments: 4}))},
	}
	file := golden.Open(t, "testdata/queries/plans.txtar")
	var names []string
	for _, row := range rows {
		file.Compare(t, row.name, row.why+"\n\n"+row.got)
		names = append(names, row.name)
	}
	file.Only(t, names...)
}

// Cell has two fields in its partition key.
type Cell struct {
	_ dynorm.Key `pk:"CELL#{X}#{Y}" sk:"{Z}"`

	X, Y, Z int
}

// A fan-out is bounded: what goes beyond is left to the filter on a sort key, and
// refused on a partition key.
func TestPlanFanOutBound(t *testing.T) {
	db := offline(t, Reading{}, Cell{})
	ints := func(n int) []any {
		list := make([]any, n)
		for i := range list {
			list[i] = i
		}
		return list
	}
	devices, times := make([]string, 60), make([]time.Time, 60)
	for i := range 60 {
		devices[i], times[i] = fmt.Sprint("d", i), clock.Add(time.Duration(i)*time.Second)
	}
	device := dynorm.Col(func(r *Reading) *string { return &r.Device })
	at := dynorm.Col(func(r *Reading) *time.Time { return &r.At })
	plan := explain(t, dynorm.ModelOf[Reading](db).Where(device.In(devices...), at.In(times...)))
	require.Len(t, plan.Keys, 60)
	require.Contains(t, plan.Filters[0], "at IN (")
	plan = explain(t, dynorm.ModelOf[Reading](db).Where(device.In(devices[:10]...), at.In(times[:10]...)))
	require.Len(t, plan.Keys, 100)
	require.Equal(t, dynorm.OpBatchGetItem, plan.Operation)

	cells := dynorm.ModelOf[Cell](db)
	require.Len(t, explain(t, cells.Where(dynorm.In("x", ints(10)...), dynorm.In("y", ints(10)...))).Keys, 100)
	_, err := cells.Where(dynorm.In("x", ints(11)...), dynorm.In("y", ints(10)...)).Explain()
	require.ErrorIs(t, err, dynorm.ErrNoIndex)
	require.ErrorContains(t, err, "would take more than 100 key conditions")
}
