package dynorm_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"math/big"
	"net/http"
	"reflect"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/smithy-go/middleware"
	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"github.com/dynorm/dynorm"
	"github.com/dynorm/dynorm/internal/testdb"
	"github.com/dynorm/dynorm/local"
)

// Sundry has fields of the kinds that people store.
type Sundry struct {
	_ dynorm.Key `pk:"SUNDRY" sk:"S#{ID}"`

	ID      string
	Text    string
	Count   int64
	Ratio   float64
	Flag    bool
	At      time.Time
	Bytes   []byte
	Set     []string `dynorm:",set"`
	Numbers []int    `dynorm:",set"`
	List    []string
	Map     map[string]int
	Any     any
	Ptr     *string
	Null    *int `dynorm:",null"`
	Big     *big.Int
	In      struct{ A, B string }
	Deep    []struct{ M map[string][]string }
}

// seeded draws values from bytes.
type seeded struct{ data []byte }

func (s *seeded) byte() byte {
	if len(s.data) == 0 {
		return 0
	}
	b := s.data[0]
	s.data = s.data[1:]
	return b
}

func (s *seeded) text() string {
	n := min(int(s.byte()%20), len(s.data))
	text := s.data[:n]
	s.data = s.data[n:]
	return string(bytes.ToValidUTF8(text, []byte("\u2028\"\\")))
}

func (s *seeded) any(depth int) any {
	switch kind := s.byte() % 8; {
	case kind == 0:
		return nil
	case kind == 1:
		return s.text()
	case kind == 2:
		return int64(int8(s.byte()))
	case kind == 3:
		return s.byte()%2 == 0
	case kind == 4:
		return []byte(s.text())
	case depth > 6:
		return ""
	case kind < 7:
		m := map[string]any{}
		for range s.byte() % 4 {
			m[s.text()+"k"] = s.any(depth + 1)
		}
		return m
	}
	list := []any{}
	for range s.byte() % 4 {
		list = append(list, s.any(depth+1))
	}
	return list
}

func (s *seeded) sundry(id string) *Sundry {
	v := &Sundry{ID: id, Text: s.text(), Count: int64(s.byte())<<(s.byte()%50) - 9, Ratio: float64(s.byte()) / 16, Flag: s.byte()%2 == 0}
	if s.byte()%3 > 0 {
		v.At = time.Unix(int64(s.byte())*1e7, int64(s.byte())*1e6).UTC()
		text := s.text()
		v.Ptr, v.Bytes, v.Big = &text, []byte(s.text()), big.NewInt(int64(s.byte())-100)
	}
	for range s.byte() % 4 {
		v.Set, v.List = append(v.Set, s.text()+string(rune('a'+len(v.Set)))), append(v.List, s.text())
		v.Numbers = append(v.Numbers, len(v.Numbers)*int(1+s.byte()))
	}
	if n := s.byte() % 4; n > 0 {
		v.Map = map[string]int{}
		for range n {
			v.Map[s.text()+"k"] = int(s.byte())
		}
		v.Deep = append(v.Deep, struct{ M map[string][]string }{map[string][]string{"k": {s.text()}}})
	}
	v.Any, v.In.A, v.In.B = s.any(0), s.text(), s.text()
	return v
}

// attribute draws an attribute value of any kind.
func (s *seeded) attribute(depth int) types.AttributeValue {
	switch kind := s.byte() % 10; {
	case kind == 0:
		return &types.AttributeValueMemberNULL{Value: true}
	case kind == 1:
		return &types.AttributeValueMemberN{Value: "1e3"}
	case kind == 2:
		return &types.AttributeValueMemberBOOL{Value: s.byte()%2 == 0}
	case kind == 3:
		return &types.AttributeValueMemberB{Value: []byte(s.text())}
	case kind == 4:
		return &types.AttributeValueMemberSS{Value: []string{"x" + s.text()}}
	case kind == 5:
		return &types.AttributeValueMemberNS{Value: []string{"1", "2.5"}}
	case kind == 6:
		return &types.AttributeValueMemberBS{Value: [][]byte{{1, s.byte()}}}
	case kind == 7 || depth > 4:
		return &types.AttributeValueMemberS{Value: s.text()}
	case kind == 8:
		return &types.AttributeValueMemberL{Value: []types.AttributeValue{s.attribute(depth + 1), s.attribute(depth + 1)}}
	}
	return &types.AttributeValueMemberM{Value: dynorm.Item{"k": s.attribute(depth + 1), s.text() + "l": s.attribute(depth + 1)}}
}

// twoWays are two DBs on one table: one with the wire codec, one without.
type twoWays struct {
	client      *dynamodb.Client
	table       string
	wire, plain dynorm.Model[Sundry]
	dbs         [2]*dynorm.DB
}

func openTwoWays(t testing.TB) *twoWays {
	t.Helper()
	engine, err := local.Open(t.Context(), local.Config{Endpoint: testdb.Endpoint()})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, engine.Close()) })
	schema, err := dynorm.NewSchema(Sundry{})
	require.NoError(t, err)
	w := &twoWays{client: engine.Client(), table: testdb.Table(t)}
	for i := range w.dbs {
		w.dbs[i], err = dynorm.Open(w.client, schema, dynorm.Config{Table: w.table, AttributeValues: i == 1})
		require.NoError(t, err)
	}
	w.wire, w.plain = dynorm.ModelOf[Sundry](w.dbs[0]), dynorm.ModelOf[Sundry](w.dbs[1])
	require.NoError(t, w.dbs[0].CreateTable(t.Context()))
	return w
}

func (w *twoWays) stored(t testing.TB, id string) dynorm.Item {
	t.Helper()
	out, err := w.client.GetItem(t.Context(), &dynamodb.GetItemInput{TableName: &w.table, Key: dynorm.Item{
		"pk": &types.AttributeValueMemberS{Value: "SUNDRY"}, "sk": &types.AttributeValueMemberS{Value: "S#" + id},
	}})
	require.NoError(t, err)
	return out.Item
}

var sundryDiff = cmp.Options{cmp.Comparer(func(a, b *big.Int) bool {
	return a == b || a != nil && b != nil && a.Cmp(b) == 0
}), cmp.Exporter(func(reflect.Type) bool { return true })}

// reads returns what every kind of read says of the items, errors as their
// texts.
func reads(ctx context.Context, m dynorm.Model[Sundry], db *dynorm.DB) []any {
	var all []any
	add := func(v any, err error) {
		if err != nil {
			// Of several faulty entries of a map, any may be the one named.
			text, _, _ := strings.Cut(err.Error(), "[")
			v = text
		}
		all = append(all, v)
	}
	for _, id := range []string{"a", "b", "none"} {
		v, err := m.Find(ctx, id)
		add(v, err)
	}
	list, err := m.FindMany(ctx, "b", "a", "none", "a")
	add(list, err)
	list, err = m.TransactGet(ctx, "b", "none", "a", "b")
	add(list, err)
	q := m.Where(dynorm.Ge("id", "a"))
	list, err = q.List(ctx)
	add(list, err)
	list, err = q.OrderByDesc("id").Limit(1).List(ctx)
	add(list, err)
	page, err := q.Limit(1).Page(ctx, "")
	add(page, err)
	if err == nil && page.Next != "" {
		page, err = q.Limit(1).Page(ctx, page.Next)
		add(page, err)
	}
	list, err = m.Where(dynorm.Ne("text", "zz")).AllowScan().List(ctx)
	add(list, err)
	records, err := db.Entity("Sundry").PK("SUNDRY").Get(ctx)
	add(records, err)
	return all
}

// checkTwoWays writes and reads by both, and compares.
func checkTwoWays(t testing.TB, w *twoWays, data []byte) {
	ctx := t.Context()
	s := &seeded{data}
	a, b := s.sundry("a"), s.sundry("b")
	for i, write := range []func(m dynorm.Model[Sundry], db *dynorm.DB) error{
		func(m dynorm.Model[Sundry], _ *dynorm.DB) error { return errors.Join(m.Put(ctx, a), m.Put(ctx, b)) },
		func(m dynorm.Model[Sundry], _ *dynorm.DB) error { return m.PutMany(ctx, a, b) },
		func(_ dynorm.Model[Sundry], db *dynorm.DB) error {
			return db.Transact(ctx, func(tx *dynorm.Tx) error {
				m := dynorm.ModelOf[Sundry](db)
				return errors.Join(m.In(tx).Put(ctx, a), m.In(tx).Put(ctx, b))
			})
		},
		func(m dynorm.Model[Sundry], _ *dynorm.DB) error {
			_, err := m.Update(ctx, "a", dynorm.Set("text", b.Text), dynorm.Add("count", 1))
			return errors.Join(err, m.Save(ctx, b))
		},
	} {
		require.NoError(t, errors.Join(w.plain.DeleteMany(ctx, a, b), w.plain.PutMany(ctx, a)), i)
		_ = w.plain.Put(ctx, b)
		errPlain := write(w.plain, w.dbs[1])
		want := []dynorm.Item{w.stored(t, "a"), w.stored(t, "b")}
		require.NoError(t, errors.Join(w.plain.DeleteMany(ctx, a, b), w.plain.PutMany(ctx, a)), i)
		_ = w.plain.Put(ctx, b)
		errWire := write(w.wire, w.dbs[0])
		require.Equal(t, errPlain == nil, errWire == nil, "%d: %v, %v", i, errPlain, errWire)
		if diff := cmp.Diff(want, []dynorm.Item{w.stored(t, "a"), w.stored(t, "b")}, sundryDiff); diff != "" {
			t.Fatalf("write %d stores another item by the wire codec: %s", i, diff)
		}
	}
	// What other programs wrote: attributes unknown, or of any kind.
	item := w.stored(t, "b")
	names := []string{"text", "count", "at", "set", "list", "map", "any", "in", "deep", "stranger", "_et"}
	for range 1 + s.byte()%3 {
		item[names[int(s.byte())%len(names)]] = s.attribute(0)
	}
	if _, err := w.client.PutItem(ctx, &dynamodb.PutItemInput{TableName: &w.table, Item: item}); err != nil {
		return // DynamoDB does not hold it
	}
	if diff := cmp.Diff(reads(ctx, w.plain, w.dbs[1]), reads(ctx, w.wire, w.dbs[0]), sundryDiff); diff != "" {
		t.Fatalf("read otherwise by the wire codec: %s", diff)
	}
}

// FuzzWireCodec compares the wire codec with the SDK's way through the real
// client.
func FuzzWireCodec(f *testing.F) {
	f.Add([]byte{})
	f.Add([]byte("\x0fsome longer text, with \"quotes\" and \u00e9\x05\x06\x07\x02\x01\x01\x08\x04abcd\x03\x05hello\x02\x01\x01\x03x"))
	for i := range 40 {
		seed := make([]byte, 300)
		for j := range seed {
			seed[j] = byte((i + 3) * (j*j + 7*j + i) >> 2)
		}
		f.Add(seed)
	}
	w := openTwoWays(f)
	f.Fuzz(func(t *testing.T, data []byte) { checkTwoWays(t, w, data) })
}

// damager damages the bodies of the first responses of an operation, whose
// checksums stay.
type damager struct {
	inner  aws.HTTPClient
	target string
	left   atomic.Int32
	seen   atomic.Int32
}

func (d *damager) Do(req *http.Request) (*http.Response, error) {
	resp, err := d.inner.Do(req)
	if err != nil || req.Header.Get("X-Amz-Target") != "DynamoDB_20120810."+d.target {
		return resp, err
	}
	if d.seen.Add(1); d.left.Add(-1) < 0 {
		return resp, nil
	}
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return nil, err
	}
	body = bytes.Replace(body, []byte("Ann"), []byte("Eve"), 1)
	resp.Body = io.NopCloser(bytes.NewReader(body))
	return resp, nil
}

// A response that its checksum does not fit is asked for again, and never
// believed.
func TestDamagedResponses(t *testing.T) {
	engine := testdb.Engine(t)
	options := engine.Client().Options()
	d := &damager{inner: options.HTTPClient}
	client := dynamodb.New(options, func(o *dynamodb.Options) {
		o.HTTPClient = d
		o.Retryer = retry.NewStandard(func(so *retry.StandardOptions) {
			so.MaxAttempts = 3
			so.Backoff = retry.BackoffDelayerFunc(func(int, error) (time.Duration, error) { return 0, nil })
		})
	})
	schema, err := dynorm.NewSchema(Sundry{})
	require.NoError(t, err)
	db, err := dynorm.Open(client, schema, dynorm.Config{Table: testdb.Table(t)})
	require.NoError(t, err)
	require.NoError(t, db.CreateTable(t.Context()))
	m := dynorm.ModelOf[Sundry](db)
	require.NoError(t, m.Put(t.Context(), &Sundry{ID: "a", Text: "Ann"}))
	for target, read := range map[string]func() (*Sundry, error){
		"GetItem": func() (*Sundry, error) { return m.Find(t.Context(), "a") },
		"Query":   func() (*Sundry, error) { return m.Where(dynorm.Ge("id", "a")).First(t.Context()) },
	} {
		d.target = target
		d.seen.Store(0)
		d.left.Store(2)
		v, err := read()
		require.NoError(t, err, target)
		require.Equal(t, "Ann", v.Text, target)
		require.EqualValues(t, 3, d.seen.Load(), target)
		d.left.Store(100)
		_, err = read()
		require.ErrorContains(t, err, "checksum", target)
	}
}

// altered opens the table by a client with a middleware that is shown each input.
func (w *twoWays) altered(t *testing.T, change func(in any)) *dynorm.DB {
	alter := middleware.InitializeMiddlewareFunc("Alter",
		func(ctx context.Context, in middleware.InitializeInput, next middleware.InitializeHandler) (middleware.InitializeOutput, middleware.Metadata, error) {
			change(in.Parameters)
			return next.HandleInitialize(ctx, in)
		})
	client := dynamodb.New(w.client.Options(), func(o *dynamodb.Options) {
		o.APIOptions = append(o.APIOptions, func(stack *middleware.Stack) error { return stack.Initialize.Add(alter, middleware.After) })
	})
	db, err := dynorm.Open(client, w.dbs[0].Schema(), dynorm.Config{Table: w.table})
	require.NoError(t, err)
	return db
}

// Where a middleware of the client asks for what the wire codec does not know,
// the SDK writes the request and reads the response.
func TestInputsChangedOnTheirWay(t *testing.T) {
	w := openTwoWays(t)
	asked := 0
	db := w.altered(t, func(in any) {
		asked++
		switch in := in.(type) {
		case *dynamodb.GetItemInput:
			in.ReturnConsumedCapacity = types.ReturnConsumedCapacityIndexes
		case *dynamodb.UpdateItemInput:
			in.ReturnConsumedCapacity = types.ReturnConsumedCapacityIndexes
		case *dynamodb.DeleteItemInput:
			in.ReturnConsumedCapacity = types.ReturnConsumedCapacityIndexes
		case *dynamodb.QueryInput:
			in.ReturnConsumedCapacity = types.ReturnConsumedCapacityIndexes
		}
	})
	m := dynorm.ModelOf[Sundry](db)
	ctx := t.Context()
	require.NoError(t, w.wire.Put(ctx, &Sundry{ID: "a", Text: "Ann"}))
	got, err := m.Update(ctx, "a", dynorm.Set("text", "Bea"), dynorm.If(dynorm.Eq("text", "Ann")))
	require.NoError(t, err)
	require.Equal(t, "Bea", got.Text)
	got, err = m.Find(ctx, "a")
	require.NoError(t, err)
	require.Equal(t, "Bea", got.Text)
	got, err = m.Where(dynorm.Ge("id", "a")).First(ctx)
	require.NoError(t, err)
	require.Equal(t, "Bea", got.Text)
	require.NoError(t, m.Delete(ctx, "a"))
	_, err = m.Find(ctx, "a")
	require.ErrorIs(t, err, dynorm.ErrNotFound)
	require.Equal(t, 5, asked)
}

// What a middleware of the client changes where the input has but a stand-in is
// not lost: such a request is not sent.
func TestInputsChangedWhereStandInsAre(t *testing.T) {
	w := openTwoWays(t)
	unchanged := func(any) {}
	change := unchanged
	db := w.altered(t, func(in any) { change(in) })
	m := dynorm.ModelOf[Sundry](db)
	require.NoError(t, m.Put(t.Context(), &Sundry{ID: "a", Text: "Ann"}))
	transact := func(ctx context.Context) error {
		return db.Transact(ctx, func(tx *dynorm.Tx) error {
			if err := m.In(tx).Update(ctx, "a", dynorm.Set("text", "Bea")); err != nil {
				return err
			}
			return m.In(tx).Delete(ctx, "z")
		})
	}
	other := types.TransactWriteItem{Delete: &types.Delete{TableName: &w.table, Key: dynorm.Item{"PK": &types.AttributeValueMemberS{Value: "a"}}}}
	actions := func(change func(in *dynamodb.TransactWriteItemsInput)) func(any) {
		return func(in any) { change(in.(*dynamodb.TransactWriteItemsInput)) }
	}
	for name, tt := range map[string]struct {
		change func(in any)
		call   func(ctx context.Context) error
	}{
		"an action added":     {actions(func(in *dynamodb.TransactWriteItemsInput) { in.TransactItems = append(in.TransactItems, other) }), transact},
		"an action replaced":  {actions(func(in *dynamodb.TransactWriteItemsInput) { in.TransactItems[0] = other }), transact},
		"all actions removed": {actions(func(in *dynamodb.TransactWriteItemsInput) { in.TransactItems = nil }), transact},
		"an action widened":   {actions(func(in *dynamodb.TransactWriteItemsInput) { in.TransactItems[0].Delete = other.Delete }), transact},
		"an action's condition": {actions(func(in *dynamodb.TransactWriteItemsInput) {
			in.TransactItems[0].Put.ConditionExpression = aws.String("attribute_exists(PK)")
		}), transact},
		"a key": {func(in any) { in.(*dynamodb.GetItemInput).Key = other.Delete.Key }, func(ctx context.Context) error {
			_, err := m.Find(ctx, "a")
			return err
		}},
		"names": {func(in any) {
			in.(*dynamodb.UpdateItemInput).ExpressionAttributeNames = map[string]string{"#x": "text"}
		}, func(ctx context.Context) error {
			_, err := m.Update(ctx, "a", dynorm.Set("text", "Bea"))
			return err
		}},
		"a put removed from a batch": {func(in any) { in.(*dynamodb.BatchWriteItemInput).RequestItems[w.table] = nil }, func(ctx context.Context) error {
			return m.PutMany(ctx, &Sundry{ID: "b"}, &Sundry{ID: "c"})
		}},
	} {
		t.Run(name, func(t *testing.T) {
			change = tt.change
			require.ErrorContains(t, tt.call(t.Context()), "a middleware changed the input")
			change = unchanged
			all, err := m.Where(dynorm.Ge("id", "a")).List(t.Context())
			require.NoError(t, err)
			require.Len(t, all, 1)
			require.Equal(t, "Ann", all[0].Text)
		})
	}
	change = actions(func(in *dynamodb.TransactWriteItemsInput) {
		in.ReturnConsumedCapacity = types.ReturnConsumedCapacityIndexes
	})
	require.NoError(t, transact(t.Context()), "the SDK writes it")
	change = unchanged
	got, err := m.Find(t.Context(), "a")
	require.NoError(t, err)
	require.Equal(t, "Bea", got.Text)
}

// wrapped is a client that is not the SDK's own.
type wrapped struct{ *dynamodb.Client }

// Any client but the SDK's own is called with attribute values, both ways; and
// interceptors see them.
func TestOtherClientsSeeAttributeValues(t *testing.T) {
	w := openTwoWays(t)
	require.NoError(t, w.wire.Put(t.Context(), &Sundry{ID: "a", Text: "Ann"}))
	var seen []types.AttributeValue
	watch := func(ctx context.Context, op *dynorm.Operation, next func(context.Context, *dynorm.Operation) (*dynorm.Result, error)) (*dynorm.Result, error) {
		res, err := next(ctx, op)
		if err == nil {
			switch out := res.Output.(type) {
			case *dynamodb.GetItemOutput:
				seen = append(seen, out.Item["text"])
			case *dynamodb.QueryOutput:
				seen = append(seen, out.Items[0]["text"])
			}
		}
		return res, err
	}
	for _, client := range []dynorm.Client{w.client, wrapped{w.client}} {
		db, err := dynorm.Open(client, w.dbs[0].Schema(), dynorm.Config{Table: w.table, Interceptors: []dynorm.Interceptor{watch}})
		require.NoError(t, err)
		m := dynorm.ModelOf[Sundry](db)
		_, err = m.Find(t.Context(), "a")
		require.NoError(t, err)
		_, err = m.Where(dynorm.Ge("id", "a")).First(t.Context())
		require.NoError(t, err)
	}
	ann := &types.AttributeValueMemberS{Value: "Ann"}
	require.Equal(t, []types.AttributeValue{ann, ann, ann, ann}, seen)
}
