package codec_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"reflect"
	"slices"
	"testing"
	"time"
	"unsafe"

	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/attributevalue"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/schemas"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"
	"github.com/stretchr/testify/require"

	"github.com/dynorm/dynorm/internal/codec"
)

// Twelve is the struct that the benchmarks of the library are about.
type Twelve struct {
	ID        string            `dynamodbav:"id"`
	TenantID  string            `dynamodbav:"tenantId"`
	Email     string            `dynamodbav:"email"`
	Name      string            `dynamodbav:"name"`
	Status    string            `dynamodbav:"status"`
	Age       int               `dynamodbav:"age"`
	Score     float64           `dynamodbav:"score"`
	Active    bool              `dynamodbav:"active"`
	CreatedAt time.Time         `dynamodbav:"createdAt"`
	UpdatedAt time.Time         `dynamodbav:"updatedAt"`
	Tags      []string          `dynamodbav:"tags,stringset"`
	Meta      map[string]string `dynamodbav:"meta"`
}

func twelve() Twelve {
	return Twelve{
		ID: "01HZXW7Q2C5J8V9K3M4N6P8R0T", TenantID: "tenant-0042", Email: "ann@example.com", Name: "Ann Example",
		Status: "active", Age: 42, Score: 98.25, Active: true, CreatedAt: at, UpdatedAt: at,
		Tags: []string{"admin", "beta", "eu"}, Meta: map[string]string{"plan": "pro", "region": "eu-west-1"},
	}
}

func BenchmarkEncode(b *testing.B) {
	v := twelve()
	b.Run("codec", func(b *testing.B) {
		c := codecOf(b, reflect.TypeFor[Twelve]())
		b.ReportAllocs()
		for b.Loop() {
			if err := c.EncodeItem(make(item, 12), unsafe.Pointer(&v)); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("attributevalue", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := attributevalue.MarshalMap(&v); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func BenchmarkDecode(b *testing.B) {
	c := codecOf(b, reflect.TypeFor[Twelve]())
	src, err := encode(c, twelve())
	require.NoError(b, err)
	b.Run("codec", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			var v Twelve
			if err := c.DecodeItem(src, unsafe.Pointer(&v)); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("attributevalue", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			var v Twelve
			if err := attributevalue.UnmarshalMap(src, &v); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// BenchmarkRatio runs the peers in turns and reports how many times faster this
// package is, as the median of the turns, which other work on the machine does
// not sway.
func BenchmarkRatio(b *testing.B) {
	c := codecOf(b, reflect.TypeFor[Twelve]())
	v := twelve()
	src, err := encode(c, v)
	require.NoError(b, err)
	var buf []byte
	data := page(b, 10)
	for _, peer := range []struct {
		name         string
		ours, theirs func()
	}{
		{
			"encode",
			func() { _ = c.EncodeItem(make(item, 12), unsafe.Pointer(&v)) },
			func() { _, _ = attributevalue.MarshalMap(&v) },
		},
		{
			"decode",
			func() { _ = c.DecodeItem(src, unsafe.Pointer(new(Twelve))) },
			func() { _ = attributevalue.UnmarshalMap(src, new(Twelve)) },
		},
		{
			"append",
			func() { buf, _ = c.AppendItem(buf[:0], unsafe.Pointer(&v)) },
			func() {
				m, _ := attributevalue.MarshalMap(&v)
				req := smithyhttp.NewStackRequest().(*smithyhttp.Request)
				_ = protocol.SerializeRequest(context.Background(), putItem, &dynamodb.PutItemInput{Item: m}, req)
			},
		},
		{
			"read",
			func() { _, _ = readPage(c, data) },
			func() {
				items, _ := sdkPage(data)
				_ = attributevalue.UnmarshalListOfMaps(items, new([]*Twelve))
			},
		},
	} {
		b.Run(peer.name, func(b *testing.B) {
			b.ReportMetric(0, "ns/op")
			b.ReportMetric(ratio(b, peer.ours, peer.theirs), "x-faster")
		})
	}
}

// ratio returns how many times longer b takes than a.
func ratio(tb *testing.B, a, b func()) float64 {
	timed := func(fn func()) float64 {
		start := time.Now()
		for range 300 {
			fn()
		}
		return float64(time.Since(start))
	}
	var ratios []float64
	for tb.Loop() {
		ratios = append(ratios, 1/(timed(a)/timed(b)))
	}
	slices.Sort(ratios)
	return ratios[len(ratios)/2]
}

// TestAllocations holds the budgets, against attributevalue's and in figures.
func TestAllocations(t *testing.T) {
	c := codecOf(t, reflect.TypeFor[Twelve]())
	v := twelve()
	src, err := encode(c, v)
	require.NoError(t, err)

	encoding := testing.AllocsPerRun(100, func() { _ = c.EncodeItem(make(item, 12), unsafe.Pointer(&v)) })
	theirs := testing.AllocsPerRun(100, func() { _, _ = attributevalue.MarshalMap(&v) })
	t.Logf("encode: %v allocations, attributevalue %v", encoding, theirs)
	require.LessOrEqual(t, encoding, theirs/2)
	require.LessOrEqual(t, encoding, 16.0)

	decoding := testing.AllocsPerRun(100, func() {
		var v Twelve
		_ = c.DecodeItem(src, unsafe.Pointer(&v))
	})
	theirs = testing.AllocsPerRun(100, func() {
		var v Twelve
		_ = attributevalue.UnmarshalMap(src, &v)
	})
	t.Logf("decode: %v allocations, attributevalue %v", decoding, theirs)
	require.LessOrEqual(t, decoding, theirs/2)
	require.LessOrEqual(t, decoding, 6.0)

	scalars := struct {
		A, B, C string
		D, E    int
		F       bool
	}{"a", "b", "c", 1, 2, true}
	sc := codecOf(t, reflect.TypeOf(scalars))
	src, err = encode(sc, scalars)
	require.NoError(t, err)
	require.Zero(t, testing.AllocsPerRun(100, func() { _ = sc.DecodeItem(src, unsafe.Pointer(&scalars)) }),
		"plain values are read without allocating")

	var buf []byte
	appending := testing.AllocsPerRun(100, func() { buf, _ = c.AppendItem(buf[:0], unsafe.Pointer(&v)) })
	t.Logf("append: %v allocations", appending)
	require.LessOrEqual(t, appending, 3.0, "one for the set, two for the map")

	data := page(t, 100)
	reading := testing.AllocsPerRun(20, func() { _, _ = readPage(c, data) }) / 100
	t.Logf("read: %v allocations an item", reading)
	require.LessOrEqual(t, reading, 5.5, "the struct, its slice, its map, and a share of a block of strings")

	f := field(t, rec(t), "ID")
	r := Rec{ID: "x"}
	require.Zero(t, testing.AllocsPerRun(100, func() { _, _ = f.Part(unsafe.Pointer(&r)) }), "key parts allocate nothing")
}

// page returns a page of n items as a Query returns it, and its envelope.
func page(tb testing.TB, n int) []byte {
	c := codecOf(tb, reflect.TypeFor[Twelve]())
	data := []byte(`{"Count":100,"Items":[`)
	for i := range n {
		v := twelve()
		v.Age, v.Email = i, fmt.Sprintf("user%d@example.com", i)
		var err error
		if i > 0 {
			data = append(data, ',')
		}
		data = append(data, `{"pk":{"S":"TENANT#tenant-0042"},"sk":{"S":"USER#01HZXW7Q2C5J8V9K3M4N6P8R0T"},"_et":{"S":"User"}`...)
		data, err = c.AppendMembers(data, unsafe.Pointer(&v))
		require.NoError(tb, err)
		data = append(data, '}')
	}
	return append(data, `],"ScannedCount":100}`...)
}

func readPage(c *codec.Codec, data []byte) ([]*Twelve, error) {
	r := codec.NewReader(data)
	defer r.Release()
	var list []*Twelve
	err := r.Object(func(name []byte) error {
		if string(name) != "Items" {
			_, err := r.Skip()
			return err
		}
		return r.Array(func() error {
			v := new(Twelve)
			list = append(list, v)
			return r.Item(c, unsafe.Pointer(v), nil)
		})
	})
	return list, err
}

func sdkPage(data []byte) ([]map[string]types.AttributeValue, error) {
	resp := &smithyhttp.Response{Response: &http.Response{StatusCode: http.StatusOK, Body: io.NopCloser(bytes.NewReader(data))}}
	var out dynamodb.QueryOutput
	err := protocol.DeserializeResponse(context.Background(), query, nil, resp, &out)
	return out.Items, err
}

var query = smithy.NewOperationSchema(schemas.Query, schemas.QueryInput, schemas.QueryOutput)

func BenchmarkPage(b *testing.B) {
	data := page(b, 100)
	c := codecOf(b, reflect.TypeFor[Twelve]())
	b.Run("wire", func(b *testing.B) {
		b.ReportAllocs()
		b.SetBytes(int64(len(data)))
		for b.Loop() {
			if _, err := readPage(c, data); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("sdk", func(b *testing.B) {
		b.ReportAllocs()
		b.SetBytes(int64(len(data)))
		for b.Loop() {
			items, err := sdkPage(data)
			if err != nil {
				b.Fatal(err)
			}
			var list []*Twelve
			if err := attributevalue.UnmarshalListOfMaps(items, &list); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("sdk without structs", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := sdkPage(data); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func BenchmarkAppend(b *testing.B) {
	v := twelve()
	c := codecOf(b, reflect.TypeFor[Twelve]())
	b.Run("wire", func(b *testing.B) {
		b.ReportAllocs()
		var buf []byte
		for b.Loop() {
			buf, _ = c.AppendItem(buf[:0], unsafe.Pointer(&v))
		}
	})
	b.Run("sdk", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			m, _ := attributevalue.MarshalMap(&v)
			req := smithyhttp.NewStackRequest().(*smithyhttp.Request)
			_ = protocol.SerializeRequest(context.Background(), putItem, &dynamodb.PutItemInput{Item: m}, req)
		}
	})
}
