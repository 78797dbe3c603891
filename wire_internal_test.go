package dynorm

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"reflect"
	"strconv"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/schemas"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"
	"github.com/aws/smithy-go/transport/http/protocol/awsjson"
	"github.com/stretchr/testify/require"

	"github.com/dynorm/dynorm/internal/codec"
)

// wireTypes are the inputs and outputs that the wire codec knows.
var wireTypes = []struct{ in, out any }{
	{dynamodb.GetItemInput{}, dynamodb.GetItemOutput{}},
	{dynamodb.PutItemInput{}, dynamodb.PutItemOutput{}},
	{dynamodb.UpdateItemInput{}, dynamodb.UpdateItemOutput{}},
	{dynamodb.DeleteItemInput{}, dynamodb.DeleteItemOutput{}},
	{dynamodb.QueryInput{}, dynamodb.QueryOutput{}},
	{dynamodb.ScanInput{}, dynamodb.ScanOutput{}},
	{dynamodb.BatchGetItemInput{}, dynamodb.BatchGetItemOutput{}},
	{dynamodb.BatchWriteItemInput{}, dynamodb.BatchWriteItemOutput{}},
	{dynamodb.TransactGetItemsInput{}, dynamodb.TransactGetItemsOutput{}},
	{dynamodb.TransactWriteItemsInput{}, dynamodb.TransactWriteItemsOutput{}},
}

// notAsked are parts that dynorm asks nobody for, and of inputs those that make
// it leave the request to the SDK.
var notAsked = map[string]bool{
	"AttributesToGet": true, "ConditionalOperator": true, "Expected": true, "AttributeUpdates": true,
	"KeyConditions": true, "QueryFilter": true, "ScanFilter": true,
	"ItemCollectionMetrics": true, "ResultMetadata": true,
	"Table": true, "GlobalSecondaryIndexes": true, "LocalSecondaryIndexes": true, "VectorIndexes": true,
}

// filled sets all of v but for what is not asked.
func filled(v reflect.Value) {
	switch v.Kind() {
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		filled(v.Elem())
	case reflect.Struct:
		for i := range v.NumField() {
			if f := v.Type().Field(i); f.IsExported() && !notAsked[f.Name] {
				filled(v.Field(i))
			}
		}
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 2, 2))
		filled(v.Index(0))
		filled(v.Index(1))
	case reflect.Map:
		v.Set(reflect.MakeMap(v.Type()))
		for _, key := range []string{"one", "\"two\"\n\u2028é<"} {
			elem := reflect.New(v.Type().Elem()).Elem()
			filled(elem)
			v.SetMapIndex(reflect.ValueOf(key), elem)
		}
	case reflect.Interface:
		v.Set(reflect.ValueOf(&types.AttributeValueMemberM{Value: Item{
			"s": stringValue("a\"\\\x01é\u2028<>&"), "n": &types.AttributeValueMemberN{Value: "-1.5"},
			"b": &types.AttributeValueMemberB{Value: []byte{0, 255}}, "bool": &types.AttributeValueMemberBOOL{Value: true},
			"null": &types.AttributeValueMemberNULL{Value: true}, "ss": &types.AttributeValueMemberSS{Value: []string{"x", "y"}},
			"ns": &types.AttributeValueMemberNS{Value: []string{"1", "2"}}, "bs": &types.AttributeValueMemberBS{Value: [][]byte{{1}, {2}}},
			"l": &types.AttributeValueMemberL{Value: []types.AttributeValue{stringValue(""), &types.AttributeValueMemberM{Value: Item{}}}},
		}}))
	case reflect.String:
		switch v.Type() {
		case reflect.TypeFor[types.ReturnConsumedCapacity]():
			v.SetString("TOTAL")
		case reflect.TypeFor[types.ReturnItemCollectionMetrics]():
			v.SetString("NONE")
		default:
			v.SetString("te\"xt")
		}
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Int32:
		v.SetInt(77)
	case reflect.Float64:
		v.SetFloat(12.5)
	default:
		panic("no value for " + v.Type().String())
	}
}

var sdkProtocol = awsjson.New10(schemas.DynamoDB_20120810)

// sdkJSON is what the SDK makes of a shape.
func sdkJSON(t *testing.T, shape any) []byte {
	t.Helper()
	req := smithyhttp.NewStackRequest().(*smithyhttp.Request)
	schema := smithy.NewOperationSchema(schemas.Query, schemas.QueryInput, schemas.QueryOutput)
	require.NoError(t, sdkProtocol.SerializeRequest(t.Context(), schema, shape.(smithy.Serializable), req))
	body, err := io.ReadAll(req.GetStream())
	require.NoError(t, err)
	return body
}

func parsed(t *testing.T, body []byte) (v any) {
	t.Helper()
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	require.NoError(t, d.Decode(&v), "%s", body)
	return v
}

// Every parameter that the SDK has is written as the SDK writes it, or the
// request is left to the SDK.
func TestWireRequests(t *testing.T) {
	for _, w := range wireTypes {
		typ := reflect.TypeOf(w.in)
		for i := range typ.NumField() {
			field := typ.Field(i)
			if !field.IsExported() {
				continue
			}
			t.Run(typ.Name()+"."+field.Name, func(t *testing.T) {
				in := reflect.New(typ)
				filled(in.Elem().Field(i))
				var q request
				known := q.write(in.Interface())
				require.Equal(t, !notAsked[field.Name], known)
				if known {
					require.Equal(t, parsed(t, sdkJSON(t, in.Interface())), parsed(t, q.buf))
				}
			})
		}
	}
	for _, in := range []any{
		&dynamodb.QueryInput{ReturnConsumedCapacity: types.ReturnConsumedCapacityIndexes},
		&dynamodb.PutItemInput{ReturnItemCollectionMetrics: types.ReturnItemCollectionMetricsSize},
		&dynamodb.BatchGetItemInput{RequestItems: map[string]types.KeysAndAttributes{"t": {AttributesToGet: []string{"a"}}}},
		&dynamodb.DescribeTableInput{},
	} {
		var q request
		require.False(t, q.write(in), "%T", in)
	}
}

// What an input lacks because it goes straight is written as the SDK writes it
// from an input that has it.
func TestWireRequestsGiven(t *testing.T) {
	g := given{pk: "pk", sk: "sk", key: keyTexts{"A#\"1\"\x00B", len("A#\"1\"")}}
	for n := range 12 {
		g.names = append(g.names, "name\""+strconv.Itoa(n))
		g.values = append(g.values, numberValue(int64(n)))
	}
	novalues := given{pk: g.pk, sk: g.sk, key: g.key, names: g.names}
	for _, g := range []given{g, novalues} {
		for _, in := range []any{
			&dynamodb.GetItemInput{Key: straightItem, TableName: new("t")},
			&dynamodb.PutItemInput{Item: Item{"a": stringValue("b")}, ConditionExpression: new("c")},
			&dynamodb.UpdateItemInput{Key: straightItem, UpdateExpression: new("u"), ConditionExpression: new("c")},
			&dynamodb.DeleteItemInput{Key: straightItem, ConditionExpression: new("c")},
		} {
			q := request{given: g}
			require.True(t, q.write(in))
			g.into(in)
			require.Equal(t, parsed(t, sdkJSON(t, in)), parsed(t, q.buf), "%T", in)
		}
	}
}

// The actions of a transaction that go straight are written as the SDK writes
// them.
func TestWireActionsGiven(t *testing.T) {
	e := &entity{pk: &keyTemplate{attr: "pk"}, sk: &keyTemplate{attr: "sk"}}
	texts := keyTexts{"A#\"1\"\x00B", len("A#\"1\"")}
	key := Item{"pk": stringValue("A"), "sk": stringValue("B")}
	names, values := []string{"n\"1", "n2"}, []types.AttributeValue{numberValue(1), stringValue("two")}
	writes := []*write{
		{kind: OpPutItem, e: e, texts: texts, item: content{item: Item{"a": stringValue("b")}}},
		{kind: OpPutItem, e: e, texts: texts, item: content{item: key}, cond: "c", names: names},
		{kind: OpUpdateItem, e: e, texts: texts, update: "u", names: names, values: values},
		{kind: OpUpdateItem, e: e, key: key, update: "u", cond: "c", names: names, values: values},
		{kind: OpDeleteItem, e: e, texts: texts},
		{kind: OpDeleteItem, e: e, key: key, cond: "c", names: names, values: values},
		{kind: opConditionCheck, e: e, texts: texts, cond: "c", names: names, values: values},
	}
	var g given
	in := &dynamodb.TransactWriteItemsInput{ClientRequestToken: new("token"), TransactItems: g.standIn(new("t"), writes)}
	q := request{given: g}
	require.True(t, q.write(in))
	g.into(in)
	require.Len(t, in.TransactItems, len(g.actions))
	require.Equal(t, parsed(t, sdkJSON(t, in)), parsed(t, q.buf))
}

// A request is the same bytes each time.
func TestWireRequestsAreStable(t *testing.T) {
	for _, w := range wireTypes {
		in := reflect.New(reflect.TypeOf(w.in))
		filled(in.Elem())
		var first request
		require.True(t, first.write(in.Interface()), "%T", w.in)
		for range 20 {
			var again request
			again.write(in.Interface())
			require.Equal(t, string(first.buf), string(again.buf))
		}
	}
}

// Every part of a response that dynorm asks for is read as the SDK reads it.
func TestWireResponses(t *testing.T) {
	for _, w := range wireTypes {
		typ := reflect.TypeOf(w.out)
		t.Run(typ.Name(), func(t *testing.T) {
			want := reflect.New(typ)
			filled(want.Elem())
			body := sdkJSON(t, want.Interface())
			for name, body := range map[string]string{
				"as the SDK writes it": string(body),
				"with more in it":      `{"New":{"a":[1,{"b":null}]},` + string(body[1:]),
				"with nulls":           `{"ConsumedCapacity":null,` + string(body[1:]),
			} {
				got := reflect.New(typ).Interface()
				require.NoError(t, (&wireCall{}).readOutput(codec.NewReader([]byte(body)), got), name)
				require.Equal(t, want.Interface(), got, name)
			}
			got := reflect.New(typ).Interface()
			require.Error(t, (&wireCall{}).readOutput(codec.NewReader(body[:len(body)-1]), got))
			require.Error(t, (&wireCall{}).readOutput(codec.NewReader(append(body, '}')), got))
		})
	}
}

// A response is not believed in how long it is, and its end is read.
func TestWireBodies(t *testing.T) {
	for name, row := range map[string]struct {
		length int64
		body   string
		fails  bool
	}{
		"of the length said": {2, "{}", false},
		"of unknown length":  {-1, "{}", false},
		"of a huge length":   {1 << 40, "{}", false},
		"cut off":            {20, "{}", true},
	} {
		body := &countedBody{Reader: strings.NewReader(row.body)}
		resp := &smithyhttp.Response{Response: &http.Response{ContentLength: row.length, Body: body, Header: http.Header{}}}
		got, err := readBody(resp)
		if row.fails {
			require.Error(t, err, name)
			continue
		}
		require.NoError(t, err, name)
		require.Equal(t, row.body, string(got), name)
		require.Equal(t, 1, body.closed, name)
	}
}

type countedBody struct {
	io.Reader
	closed int
}

func (b *countedBody) Close() error { b.closed++; return nil }

type portsOf struct{}

func (portsOf) Validate(context.Context, Write) error                   { return nil }
func (portsOf) Start(ctx context.Context, _ TraceStart) context.Context { return ctx }
func (portsOf) End(context.Context, TraceEnd)                           {}
func (portsOf) Invalidate(context.Context, ...CacheKey)                 {}
func (portsOf) Load(ctx context.Context, keys []CacheKey, load CacheLoad) (map[CacheKey][]byte, error) {
	return load(ctx, keys)
}

// What only watches leaves items their way straight between structs and the
// wire.
func TestPortsAndWireCodec(t *testing.T) {
	schema, err := NewSchema(hydrated{})
	require.NoError(t, err)
	client := dynamodb.New(dynamodb.Options{Region: "eu-west-1"})
	db, err := Open(client, schema, Config{Table: "app", Validator: portsOf{}, Tracer: portsOf{}, Cache: portsOf{}})
	require.NoError(t, err)
	require.True(t, db.direct())
}
