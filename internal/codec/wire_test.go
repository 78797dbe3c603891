package codec_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"reflect"
	"strings"
	"testing"
	"unsafe"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/schemas"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"
	"github.com/aws/smithy-go/transport/http/protocol/awsjson"
	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/dynorm/dynorm/internal/codec"
)

// The SDK's own protocol, as its client uses it.
var (
	protocol = awsjson.New10(schemas.DynamoDB_20120810)
	getItem  = smithy.NewOperationSchema(schemas.GetItem, schemas.GetItemInput, schemas.GetItemOutput)
	putItem  = smithy.NewOperationSchema(schemas.PutItem, schemas.PutItemInput, schemas.PutItemOutput)
)

// sdkDecode reads the JSON of an item as the SDK does. Its decoder panics on
// some lists that end early; that counts as a refusal.
func sdkDecode(data []byte) (m item, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("the SDK panics: %v", p)
		}
	}()
	body := io.MultiReader(strings.NewReader(`{"Item":`), bytes.NewReader(data), strings.NewReader(`}`))
	resp := &smithyhttp.Response{Response: &http.Response{StatusCode: http.StatusOK, Body: io.NopCloser(body)}}
	var out dynamodb.GetItemOutput
	err = protocol.DeserializeResponse(context.Background(), getItem, nil, resp, &out)
	return out.Item, err
}

// sdkEncode writes an item as the SDK does.
func sdkEncode(t testing.TB, m item) []byte {
	req := smithyhttp.NewStackRequest().(*smithyhttp.Request)
	require.NoError(t, protocol.SerializeRequest(context.Background(), putItem, &dynamodb.PutItemInput{Item: m}, req))
	body, err := io.ReadAll(req.GetStream())
	require.NoError(t, err)
	var in struct{ Item json.RawMessage }
	require.NoError(t, json.Unmarshal(body, &in))
	return in.Item
}

// appendItem writes a struct given by value.
func appendItem(c *codec.Codec, v any) ([]byte, error) {
	p := reflect.New(reflect.TypeOf(v))
	p.Elem().Set(reflect.ValueOf(v))
	return c.AppendItem(nil, p.UnsafePointer())
}

// readItem reads a fresh struct and returns it by value.
func readItem(c *codec.Codec, data []byte) (any, error) {
	p := reflect.New(c.Type())
	r := codec.NewReader(data)
	defer r.Release()
	err := r.Item(c, p.UnsafePointer(), nil)
	if err == nil {
		err = r.End()
	}
	return p.Elem().Interface(), err
}

func TestWireRoundTrip(t *testing.T) {
	for _, tc := range stored {
		t.Run(tc.name, func(t *testing.T) {
			c := codecOf(t, reflect.TypeOf(tc.in))
			data, err := appendItem(c, tc.in)
			require.NoError(t, err)
			require.True(t, json.Valid(data), "%s", data)

			// The SDK reads what the other codec makes.
			want, err := encode(c, tc.in)
			require.NoError(t, err)
			got, err := sdkDecode(data)
			require.NoError(t, err)
			require.Empty(t, cmp.Diff(want, got, same))

			// What the SDK writes reads as with the other codec.
			back, err := decode(c, want)
			require.NoError(t, err)
			for _, data := range [][]byte{data, sdkEncode(t, want), spaced(t, data)} {
				read, err := readItem(c, data)
				require.NoError(t, err, "%s", data)
				require.Empty(t, cmp.Diff(back, read, same), "%s", data)
			}

			again, err := appendItem(c, back)
			require.NoError(t, err)
			require.Equal(t, string(data), string(again), "the same value gives the same bytes")
		})
	}
}

// spaced returns the same JSON with white space everywhere.
func spaced(t *testing.T, data []byte) []byte {
	var b bytes.Buffer
	require.NoError(t, json.Indent(&b, data, "\r\n\t", " "))
	return b.Bytes()
}

func TestWireIsDeterministic(t *testing.T) {
	type row struct {
		B string
		A map[string]any
		M map[int]map[string]string
		S []string `dynorm:",set"`
	}
	c := codecOf(t, reflect.TypeFor[row]())
	got, err := appendItem(c, row{
		"b",
		map[string]any{"z": 1, "y": map[string]any{"q": true, "p": nil}, "x": []string{"s"}},
		map[int]map[string]string{10: {"b": "1", "a": "2"}, 9: nil},
		[]string{"z", "y", "z"},
	})
	require.NoError(t, err)
	require.Equal(t, `{"b":{"S":"b"},"a":{"M":{"x":{"L":[{"S":"s"}]},"y":{"M":{"p":{"NULL":true},"q":{"BOOL":true}}},"z":{"N":"1"}}},`+
		`"m":{"M":{"10":{"M":{"a":{"S":"2"},"b":{"S":"1"}}},"9":{"NULL":true}}},"s":{"SS":["y","z"]}}`, string(got))
}

func TestWireMembers(t *testing.T) {
	type row struct {
		A string `dynorm:",omitempty"`
		B int    `dynorm:",omitempty"`
	}
	c := codecOf(t, reflect.TypeFor[row]())
	for _, tc := range []struct {
		v    row
		want string
	}{
		{row{}, `{"pk":{"S":"x"},"sk":{"S":"y"}}`},
		{row{B: 1}, `{"pk":{"S":"x"},"b":{"N":"1"},"sk":{"S":"y"}}`},
		{row{"a", 1}, `{"pk":{"S":"x"},"a":{"S":"a"},"b":{"N":"1"},"sk":{"S":"y"}}`},
	} {
		dst := codec.AppendAttribute(codec.AppendName([]byte{'{'}, "pk"), &types.AttributeValueMemberS{Value: "x"})
		dst, err := c.AppendMembers(dst, unsafe.Pointer(&tc.v))
		require.NoError(t, err)
		dst = codec.AppendAttribute(codec.AppendName(dst, "sk"), &types.AttributeValueMemberS{Value: "y"})
		require.Equal(t, tc.want, string(append(dst, '}')))
	}
	dst, ok, err := c.Field(1).AppendValue([]byte("x"), unsafe.Pointer(&row{B: 2}))
	require.NoError(t, err)
	require.True(t, ok)
	require.Equal(t, `x{"N":"2"}`, string(dst))
	dst, ok, err = c.Field(1).AppendValue([]byte("x"), unsafe.Pointer(&row{}))
	require.NoError(t, err)
	require.False(t, ok)
	require.Equal(t, "x", string(dst))
}

func TestWireUnknownAttributes(t *testing.T) {
	type row struct{ A string }
	c := codecOf(t, reflect.TypeFor[row]())
	data := `{"pk": {"S":"x"}, "a":{"S":"a"} , "\u007a":{"M":{"n":{"L":[{"N":"1"}, null]}}}}`
	var v row
	r := codec.NewReader([]byte(data))
	defer r.Release()
	got := map[string]string{}
	require.NoError(t, r.Item(c, unsafe.Pointer(&v), func(name, raw []byte) error {
		got[string(name)] = string(raw)
		return nil
	}))
	require.NoError(t, r.End())
	require.Equal(t, row{"a"}, v)
	require.Equal(t, map[string]string{"pk": `{"S":"x"}`, "z": `{"M":{"n":{"L":[{"N":"1"}, null]}}}`}, got)

	r = codec.NewReader([]byte(data))
	defer r.Release()
	require.ErrorIs(t, r.Item(c, unsafe.Pointer(&v), func(_, _ []byte) error { return io.ErrUnexpectedEOF }), io.ErrUnexpectedEOF)
}

func TestWireForms(t *testing.T) {
	type row struct {
		V string
		N int
		*Audit
	}
	c := codecOf(t, reflect.TypeFor[row]())
	for _, tc := range []struct {
		name, in string
		want     row
		err      string
	}{
		{"escapes", `{"v":{"S":"\"\\\/\b\f\n\r\t\u00e9\ud83d\ude00"}}`, row{V: "\"\\/\b\f\n\r\té😀"}, ""},
		{"half a surrogate pair", `{"v":{"S":"\ud83dx\ude00"}}`, row{V: "\ufffdx\ufffd"}, ""},
		{"two halves that are no pair", `{"v":{"S":"\ud83d\ud83d"}}`, row{V: "\ufffd\ufffd"}, ""},
		{"no UTF-8, no escape", "{\"v\":{\"S\":\"\xff\"}}", row{V: "\xff"}, ""},
		{"no UTF-8, an escape", "{\"v\":{\"S\":\"\xff\\n\"}}", row{V: "\ufffd\n"}, ""},
		{"escaped names", `{"\u0076":{"\u0053":"x"}}`, row{V: "x"}, ""},
		{"escaped digits", `{"n":{"N":"1\u0032"}}`, row{N: 12}, ""},
		{"null attribute", `{"v":null,"n":{"N":"1"}}`, row{N: 1}, ""},
		{"null members", `{"v":{"N":null,"S":"x","M":null}}`, row{V: "x"}, ""},
		{"unknown members", `{"v":{"X":[1,2.5e+3,-0,{}],"S":"x","Y":"y"}}`, row{V: "x"}, ""},
		{"NULL false", `{"v":{"NULL":false}}`, row{}, ""},
		{"NULL makes no embedded struct", `{"by":{"NULL":true}}`, row{}, ""},
		{"null makes no embedded struct", `{"by":null}`, row{}, ""},
		{"the last of two wins", `{"v":{"S":"x"},"v":{"S":"y"}}`, row{V: "y"}, ""},
		{"empty", " {\t} ", row{}, ""},
		{"two kinds", `{"v":{"S":"x","N":"1"}}`, row{}, "invalid JSON at offset 18: an attribute value of two kinds"},
		{"no kind", `{"v":{}}`, row{}, "invalid JSON at offset 6: an attribute value of no kind"},
		{"a bare string", `{"v":"x"}`, row{}, "invalid JSON at offset 5: expected '{'"},
		{"number for a string", `{"v":{"S":1}}`, row{}, "invalid JSON at offset 10: expected a string"},
		{"control character", "{\"v\":{\"S\":\"a\nb\"}}", row{}, "invalid JSON at offset 12: control character in a string"},
		{"bad escape", `{"v":{"S":"\x"}}`, row{}, "invalid JSON at offset 11: invalid escape"},
		{"short escape", `{"v":{"S":"\u12"}}`, row{}, "invalid JSON at offset 11: invalid escape"},
		{"unterminated", `{"v":{"S":"abc`, row{}, "invalid JSON at offset 10: unterminated string"},
		{"ends early", `{"v":{"S":"abc"}`, row{}, "invalid JSON at offset 16: expected ',' or '}'"},
		{"comma at the end", `{"v":{"S":"abc"},}`, row{}, "invalid JSON at offset 17: expected a value"},
		{"no comma", `{"v":{"S":"abc"}"n":{"N":"1"}}`, row{}, "invalid JSON at offset 16: expected ',' or '}'"},
		{"data after", `{} {}`, row{}, "invalid JSON at offset 3: data after the value"},
		{"leading zero, skipped", `{"x":01}`, row{}, "invalid JSON at offset 5: expected a value"},
		{"bare word, skipped", `{"x":nul}`, row{}, "invalid JSON at offset 5: expected a value"},
		{"fraction without digits, skipped", `{"x":1.}`, row{}, "invalid JSON at offset 5: invalid number"},
		{"comma in a list, skipped", `{"x":[1,]}`, row{}, "invalid JSON at offset 8: expected a value"},
		{"nesting, skipped", `{"x":` + strings.Repeat("[", 10_001), row{}, "invalid JSON at offset 10005: nested too deep"},
		{"nothing", ``, row{}, "invalid JSON at offset 0: expected '{'"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got, err := readItem(c, []byte(tc.in))
			if tc.err != "" {
				require.EqualError(t, err, tc.err)
				return
			}
			require.NoError(t, err)
			require.Empty(t, cmp.Diff(tc.want, got, same))
			// The SDK reads the same.
			src, err := sdkDecode([]byte(tc.in))
			require.NoError(t, err)
			got, err = decode(c, src)
			require.NoError(t, err)
			require.Empty(t, cmp.Diff(tc.want, got, same))
		})
	}
}

func TestReaderEnvelope(t *testing.T) {
	type row struct{ A string }
	c := codecOf(t, reflect.TypeFor[row]())
	data := []byte(`{"Count":2,"Items":[{"a":{"S":"x"}},{"a":{"S":"y"}}],"LastEvaluatedKey":{"pk":{"S":"k"},"n":{"N":"1"}},
		"ConsumedCapacity":{"CapacityUnits":0.5,"TableName":"t"},"Other":[{"x":[]}],"Flag":true,"Nothing":null}`)
	r := codec.NewReader(data)
	defer r.Release()
	var rows []row
	var count int64
	var key item
	var units float64
	var flag, nothing bool
	require.NoError(t, r.Object(func(name []byte) (err error) {
		switch string(name) {
		case "Count":
			count, err = r.Int()
		case "Items":
			return r.Array(func() error {
				rows = append(rows, row{})
				return r.Item(c, unsafe.Pointer(&rows[len(rows)-1]), nil)
			})
		case "LastEvaluatedKey":
			key, err = r.Attributes()
		case "ConsumedCapacity":
			return r.Object(func(name []byte) (err error) {
				if string(name) == "CapacityUnits" {
					units, err = r.Float()
					return err
				}
				_, err = r.Text()
				return err
			})
		case "Flag":
			flag, err = r.Bool()
		case "Nothing":
			nothing = r.Null()
		default:
			_, err = r.Skip()
		}
		return err
	}))
	require.NoError(t, r.End())
	require.Equal(t, int64(2), count)
	require.Equal(t, []row{{"x"}, {"y"}}, rows)
	require.Equal(t, item{"pk": &types.AttributeValueMemberS{Value: "k"}, "n": numberValue("1")}, key)
	require.Equal(t, 0.5, units)
	require.True(t, flag && nothing)
}

// TestKeptStringsAreSmall bounds what a string that is kept holds alive.
func TestKeptStringsAreSmall(t *testing.T) {
	type row struct{ A, B string }
	c := codecOf(t, reflect.TypeFor[row]())
	page := bytes.Repeat([]byte(`{"a":{"S":"`+strings.Repeat("x", 100)+`"},"b":{"S":"`+strings.Repeat("y", 900)+`"}}`), 1000)
	blocks := map[uintptr]bool{}
	r := codec.NewReader(page)
	defer r.Release()
	var last row
	for range 1000 {
		require.NoError(t, r.Item(c, unsafe.Pointer(&last), nil))
		blocks[uintptr(unsafe.Pointer(unsafe.StringData(last.A)))>>12] = true
	}
	clear(page)
	require.Equal(t, strings.Repeat("x", 100), last.A, "strings are copies")
	require.Greater(t, len(blocks), 200, "a block holds a few kilobytes")
}

// drawValue draws an attribute value of any shape.
func drawValue(t *rapid.T, depth int) types.AttributeValue {
	kinds := 10
	if depth > 3 {
		kinds = 8
	}
	text := rapid.OneOf(rapid.String(), rapid.StringN(0, 40, -1), rapid.Map(rapid.SliceOf(rapid.Byte()), func(b []byte) string { return string(b) }))
	switch rapid.IntRange(0, kinds-1).Draw(t, "kind") {
	case 0:
		return &types.AttributeValueMemberS{Value: text.Draw(t, "s")}
	case 1:
		return numberValue(rapid.StringMatching(`-?[0-9]{1,20}(\.[0-9]{1,5})?`).Draw(t, "n"))
	case 2:
		return &types.AttributeValueMemberB{Value: rapid.SliceOf(rapid.Byte()).Draw(t, "b")}
	case 3:
		return &types.AttributeValueMemberBOOL{Value: rapid.Bool().Draw(t, "bool")}
	case 4:
		return &types.AttributeValueMemberNULL{Value: true}
	case 5:
		return &types.AttributeValueMemberSS{Value: rapid.SliceOf(text).Draw(t, "ss")}
	case 6:
		return &types.AttributeValueMemberNS{Value: rapid.SliceOf(rapid.StringMatching(`-?[0-9]{1,20}`)).Draw(t, "ns")}
	case 7:
		return &types.AttributeValueMemberBS{Value: rapid.SliceOf(rapid.SliceOf(rapid.Byte())).Draw(t, "bs")}
	case 8:
		list := []types.AttributeValue{}
		for range rapid.IntRange(0, 3).Draw(t, "len") {
			list = append(list, drawValue(t, depth+1))
		}
		return &types.AttributeValueMemberL{Value: list}
	}
	m := item{}
	for range rapid.IntRange(0, 3).Draw(t, "len") {
		m[text.Draw(t, "name")] = drawValue(t, depth+1)
	}
	return &types.AttributeValueMemberM{Value: m}
}

// TestAttributesAgreeWithSDK holds the reading and writing of loose attribute
// values to the SDK's.
func TestAttributesAgreeWithSDK(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := item{"v": drawValue(t, 0)}
		ours := codec.AppendAttributes(nil, m)
		require.True(t, json.Valid(ours))
		read := func(data []byte) item {
			r := codec.NewReader(data)
			defer r.Release()
			got, err := r.Attributes()
			require.NoError(t, err)
			require.NoError(t, r.End())
			return got
		}
		theirs, err := sdkDecode(ours)
		require.NoError(t, err)
		require.Empty(t, cmp.Diff(theirs, read(ours), same), "%s", ours)
		written := sdkEncode(nil, m)
		require.Empty(t, cmp.Diff(theirs, read(written), same), "%s", written)
	})
}

func TestWireAgreesOnCommon(t *testing.T) {
	c := codecOf(t, reflect.TypeFor[Common]())
	rapid.Check(t, func(t *rapid.T) {
		v := drawCommon(t)
		data, err := appendItem(c, v)
		require.NoError(t, err)
		want, err := encode(c, v)
		require.NoError(t, err)
		got, err := sdkDecode(data)
		require.NoError(t, err)
		require.Empty(t, cmp.Diff(want, got, same))
		fromAV, err := decode(c, got)
		require.NoError(t, err)
		fromWire, err := readItem(c, data)
		require.NoError(t, err)
		require.Empty(t, cmp.Diff(fromAV, fromWire, same))
	})
}
