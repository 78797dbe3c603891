package codec_test

import (
	"encoding/json"
	"math"
	"math/big"
	"net/netip"
	"reflect"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/attributevalue"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/dynorm/dynorm/internal/codec"
)

// Common has the types that attributevalue stores as this package does,
// provided that nothing is nil or empty.
type Common struct {
	S     string             `dynamodbav:"s"`
	Name  Name               `dynamodbav:"name"`
	B     bool               `dynamodbav:"b"`
	I     int                `dynamodbav:"i"`
	I8    int8               `dynamodbav:"i8"`
	I64   int64              `dynamodbav:"i64"`
	U64   uint64             `dynamodbav:"u64"`
	U16   uint16             `dynamodbav:"u16"`
	F     float64            `dynamodbav:"f"`
	F32   float32            `dynamodbav:"f32"`
	Bytes []byte             `dynamodbav:"bytes"`
	Hash  Digest             `dynamodbav:"hash"`
	P     *string            `dynamodbav:"p"`
	L     []string           `dynamodbav:"l"`
	LL    [][]int            `dynamodbav:"ll"`
	Ar    [2]int             `dynamodbav:"ar"`
	M     map[string]string  `dynamodbav:"m"`
	MI    map[int]float64    `dynamodbav:"mi"`
	MS    map[string]CommonX `dynamodbav:"ms"`
	X     CommonX            `dynamodbav:"x"`
	PX    *CommonX           `dynamodbav:"px"`
	SS    []string           `dynamodbav:"ss,stringset"`
	NS    []int              `dynamodbav:"ns,numberset"`
	BS    [][]byte           `dynamodbav:"bs,binaryset"`
	T     time.Time          `dynamodbav:"t,unixtime"`
	Num   attributevalue.Number
	Str   int    `dynamodbav:"str,string"`
	Omit  string `dynamodbav:"omit,omitempty"`
	CommonY
}

type CommonX struct {
	A string `dynamodbav:"a"`
	B int    `dynamodbav:"b,omitempty"`
}

type CommonY struct {
	Promoted string `dynamodbav:"promoted"`
}

// drawCommon draws a value without nil and without floats at the edges.
func drawCommon(t *rapid.T) Common {
	float := rapid.Custom(func(t *rapid.T) float64 {
		return float64(rapid.IntRange(-1e9, 1e9).Draw(t, "mantissa")) / 64
	})
	text := rapid.String()
	x := rapid.Custom(func(t *rapid.T) CommonX {
		return CommonX{text.Draw(t, "a"), rapid.Int().Draw(t, "b")}
	})
	key := rapid.StringN(1, 8, -1)
	some := text.Draw(t, "p")
	px := x.Draw(t, "px")
	return Common{
		S: text.Draw(t, "s"), Name: Name(text.Draw(t, "name")), B: rapid.Bool().Draw(t, "b"),
		I: rapid.Int().Draw(t, "i"), I8: rapid.Int8().Draw(t, "i8"), I64: rapid.Int64().Draw(t, "i64"),
		U64: rapid.Uint64().Draw(t, "u64"), U16: rapid.Uint16().Draw(t, "u16"),
		F: float.Draw(t, "f"), F32: float32(rapid.IntRange(-1e6, 1e6).Draw(t, "f32")) / 8,
		Bytes: rapid.SliceOf(rapid.Byte()).Draw(t, "bytes"), Hash: Digest(rapid.SliceOfN(rapid.Byte(), 4, 4).Draw(t, "hash")),
		P: &some, L: rapid.SliceOf(text).Draw(t, "l"),
		LL: rapid.SliceOf(rapid.SliceOf(rapid.Int())).Draw(t, "ll"),
		Ar: [2]int{rapid.Int().Draw(t, "ar"), 1},
		M:  rapid.MapOf(key, text).Draw(t, "m"), MI: rapid.MapOf(rapid.Int(), float).Draw(t, "mi"),
		MS: rapid.MapOf(key, x).Draw(t, "ms"), X: x.Draw(t, "x"), PX: &px,
		SS:  rapid.SliceOfNDistinct(text, 1, 5, rapid.ID[string]).Draw(t, "ss"),
		NS:  rapid.SliceOfNDistinct(rapid.Int(), 1, 5, rapid.ID[int]).Draw(t, "ns"),
		BS:  rapid.SliceOfNDistinct(rapid.SliceOf(rapid.Byte()), 1, 5, func(b []byte) string { return string(b) }).Draw(t, "bs"),
		T:   time.Unix(rapid.Int64Range(1, 1e11).Draw(t, "t"), 0),
		Num: attributevalue.Number(json.Number(number("0").String())), Str: rapid.Int().Draw(t, "str"),
		Omit: text.Draw(t, "omit"), CommonY: CommonY{text.Draw(t, "promoted")},
	}
}

func TestAgreesWithAttributeValue(t *testing.T) {
	c := codecOf(t, reflect.TypeFor[Common]())
	rapid.Check(t, func(t *rapid.T) {
		v := drawCommon(t)
		ours, err := encode(c, v)
		require.NoError(t, err)
		theirs, err := attributevalue.MarshalMap(v)
		require.NoError(t, err)
		// The one name that no tag gives.
		theirs["num"] = theirs["Num"]
		delete(theirs, "Num")
		require.Equal(t, len(theirs), len(ours))
		for name, av := range theirs {
			if !codec.Equal(av, ours[name]) {
				t.Fatalf("%s: attributevalue and this package differ:\n%s", name, cmp.Diff(av, ours[name], same))
			}
		}

		// Each reads what the other wrote.
		back, err := decode(c, theirs)
		require.NoError(t, err)
		again, err := encode(c, back)
		require.NoError(t, err)
		require.Empty(t, cmp.Diff(ours, again, same))
		ours["Num"] = ours["num"]
		var v2 Common
		require.NoError(t, attributevalue.UnmarshalMap(ours, &v2))
		third, err := encode(c, v2)
		require.NoError(t, err)
		delete(ours, "Num")
		require.Empty(t, cmp.Diff(ours, third, same))
	})
}

// TestDiffersFromAttributeValue holds the list in the package's documentation.
func TestDiffersFromAttributeValue(t *testing.T) {
	for _, tc := range []struct {
		name         string
		in           any
		ours, theirs string
	}{
		{"names", struct{ UserID string }{"u"}, `{"userId":{"S":"u"}}`, `{"UserID":{"S":"u"}}`},
		{
			"nil", struct {
				V *int `dynamodbav:"v"`
			}{}, `{}`, `{"v":{"NULL":true}}`,
		},
		{"zero time", struct {
			V time.Time `dynamodbav:"v"`
		}{}, `{}`, `{"v":{"S":"0001-01-01T00:00:00Z"}}`},
		{"zero unix time", struct {
			V time.Time `dynamodbav:"v,unixtime"`
		}{}, `{}`, `{"v":{"N":"-62135596800"}}`},
		{"time", struct {
			V time.Time `dynamodbav:"v"`
		}{time.Date(2024, 1, 2, 3, 4, 5, 5e8, time.FixedZone("", 3600))}, `{"v":{"S":"2024-01-02T02:04:05.500000000Z"}}`, `{"v":{"S":"2024-01-02T03:04:05.5+01:00"}}`},
		{"empty set", struct {
			V []string `dynamodbav:"v,stringset"`
		}{[]string{}}, `{}`, `{"v":{"NULL":true}}`},
		{"set order and repetition", struct {
			V []string `dynamodbav:"v,stringset"`
		}{[]string{"b", "a", "b"}}, `{"v":{"SS":["a","b"]}}`, `{"v":{"SS":["b","a","b"]}}`},
		{"slices of bytes", struct {
			V [][]byte `dynamodbav:"v"`
		}{[][]byte{{1}}}, `{"v":{"L":[{"B":"AQ=="}]}}`, `{"v":{"BS":["AQ=="]}}`},
		{"large floats", struct {
			V float64 `dynamodbav:"v"`
		}{1e21}, `{"v":{"N":"1e+21"}}`, `{"v":{"N":"1000000000000000000000"}}`},
		{"negative zero", struct {
			V float64 `dynamodbav:"v"`
		}{math.Copysign(0, -1)}, `{"v":{"N":"0"}}`, `{"v":{"N":"-0"}}`},
		{"big.Int", struct {
			V *big.Int `dynamodbav:"v"`
		}{big.NewInt(5)}, `{"v":{"N":"5"}}`, `{"v":{"M":{}}}`},
		{"empty json.Number", struct {
			V json.Number `dynamodbav:"v"`
		}{}, `{"v":{"N":"0"}}`, `{"v":{"N":""}}`},
		{"MarshalText", struct {
			V netip.Addr `dynamodbav:"v"`
		}{netip.MustParseAddr("1.2.3.4")}, `{"v":{"S":"1.2.3.4"}}`, `{"v":{"M":{}}}`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			ours, err := encode(codecOf(t, reflect.TypeOf(tc.in)), tc.in)
			require.NoError(t, err)
			require.Empty(t, cmp.Diff(fromJSON(t, tc.ours), ours, same))
			theirs, err := attributevalue.MarshalMap(tc.in)
			require.NoError(t, err)
			require.Empty(t, cmp.Diff(fromJSON(t, tc.theirs), theirs, same))
		})
	}

	t.Run("NaN", func(t *testing.T) {
		type row struct {
			V float64 `dynamodbav:"v"`
		}
		_, err := encode(codecOf(t, reflect.TypeFor[row]()), row{math.NaN()})
		require.Error(t, err)
		theirs, err := attributevalue.MarshalMap(row{math.NaN()})
		require.NoError(t, err)
		require.Equal(t, "NaN", theirs["v"].(*types.AttributeValueMemberN).Value)
	})

	for _, tc := range []struct {
		name         string
		in           string
		dst          any
		ours, theirs any // nil for an error
	}{
		{
			"numbers in any", `{"v":{"N":"9007199254740993"}}`, struct {
				V any `dynamodbav:"v"`
			}{}, struct {
				V any `dynamodbav:"v"`
			}{json.Number("9007199254740993")}, struct {
				V any `dynamodbav:"v"`
			}{float64(9007199254740992)},
		},
		{
			"sets in any", `{"v":{"SS":["a"]}}`, struct {
				V any `dynamodbav:"v"`
			}{}, struct {
				V any `dynamodbav:"v"`
			}{codec.StringSet{"a"}}, struct {
				V any `dynamodbav:"v"`
			}{[]string{"a"}},
		},
		{
			"whole numbers", `{"v":{"N":"5.0"}}`, struct {
				V int `dynamodbav:"v"`
			}{}, struct {
				V int `dynamodbav:"v"`
			}{5}, nil,
		},
		{"numbers into strings", `{"v":{"N":"5"}}`, struct {
			V string `dynamodbav:"v"`
		}{}, nil, struct {
			V string `dynamodbav:"v"`
		}{"5"}},
		{"arrays cut short", `{"v":{"L":[{"N":"1"},{"N":"2"}]}}`, struct {
			V [1]int `dynamodbav:"v"`
		}{}, nil, struct {
			V [1]int `dynamodbav:"v"`
		}{[1]int{1}}},
		{
			"absent attributes", `{}`, struct {
				V int `dynamodbav:"v"`
			}{7}, struct {
				V int `dynamodbav:"v"`
			}{}, struct {
				V int `dynamodbav:"v"`
			}{7},
		},
		{
			"letter case", `{"V":{"N":"5"}}`, struct {
				V int `dynamodbav:"v"`
			}{}, struct {
				V int `dynamodbav:"v"`
			}{}, struct {
				V int `dynamodbav:"v"`
			}{5},
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			typ := reflect.TypeOf(tc.dst)
			src := fromJSON(t, tc.in)
			ours := reflect.New(typ)
			ours.Elem().Set(reflect.ValueOf(tc.dst))
			err := codecOf(t, typ).DecodeItem(src, ours.UnsafePointer())
			if tc.ours == nil {
				require.Error(t, err)
			} else {
				require.NoError(t, err)
				require.Equal(t, tc.ours, ours.Elem().Interface())
			}
			theirs := reflect.New(typ)
			theirs.Elem().Set(reflect.ValueOf(tc.dst))
			err = attributevalue.UnmarshalMap(src, theirs.Interface())
			if tc.theirs == nil {
				require.Error(t, err)
			} else {
				require.NoError(t, err)
				require.Equal(t, tc.theirs, theirs.Elem().Interface())
			}
		})
	}
}
