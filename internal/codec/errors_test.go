package codec_test

import (
	"encoding/json"
	"errors"
	"math"
	"math/big"
	"net/netip"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/stretchr/testify/require"

	"github.com/dynorm/dynorm/internal/codec"
)

type Line struct {
	Qty  int32
	Note *string
}

type Order struct {
	ID     string `dynorm:"id,primary"`
	Lines  []Line
	Meta   map[string]Line
	Status Name `dynorm:",enum=open|paid"`
	Level  int  `dynorm:",enum=1|2"`
	F      float64
	F32    float32
	U      uint8
	N      json.Number
	Big    *big.Int
	Rat    *big.Rat
	Float  *big.Float
	At     time.Time
	Unix   time.Time `dynorm:",unixmilli"`
	TTL    int64     `dynorm:"ttl,ttl"`
	Tags   []string  `dynorm:",set"`
	Nums   []int     `dynorm:",set"`
	Blobs  [][]byte  `dynorm:",set"`
	Hash   Digest
	Triple [3]int
	B      []byte
	On     bool
	Addr   netip.Addr
	Doc    map[string]int `dynorm:",json"`
	Txt    int            `dynorm:",string"`
	Any    any
	Names  map[int]string
	Bad    Failing
}

// Failing fails to store or read what is not empty, with an error that shows
// the value.
type Failing struct{ s string }

func (f Failing) MarshalText() ([]byte, error) {
	if f.s != "" {
		return nil, errors.New("secret " + f.s)
	}
	return nil, nil
}

func (f *Failing) UnmarshalText(b []byte) error {
	if len(b) > 0 {
		return errors.New("secret " + string(b))
	}
	return nil
}

func TestEncodeErrors(t *testing.T) {
	c := codecOf(t, reflect.TypeFor[Order]())
	thirtyNine := json.Number(strings.Repeat("9", 39))
	var deep any = "bottom"
	for range 33 {
		deep = []any{deep}
	}
	loop := map[string]any{}
	loop["self"] = loop
	for _, tc := range []struct {
		name string
		in   Order
		want string
	}{
		{"NaN", Order{F: math.NaN()}, "Order.F: NaN can't be stored"},
		{"infinity", Order{F: math.Inf(-1)}, "Order.F: an infinity can't be stored"},
		{"NaN of 32 bits", Order{F32: float32(math.NaN())}, "Order.F32: NaN can't be stored"},
		{"too large", Order{F: 1e126}, "Order.F: a number outside of 1e-130 to 9.99e125 can't be stored"},
		{"too small", Order{F: 1e-131}, "Order.F: a number outside of 1e-130 to 9.99e125 can't be stored"},
		{"39 digits", Order{N: thirtyNine}, "Order.N: a number of more than 38 significant digits can't be stored"},
		{"no number", Order{N: "12x"}, "Order.N: not a number"},
		{"NaN as json.Number", Order{N: "NaN"}, "Order.N: not a number"},
		{"hexadecimal", Order{N: "0x10"}, "Order.N: not a number"},
		{"large exponent", Order{N: "1e99999999999"}, "Order.N: a number outside of 1e-130 to 9.99e125 can't be stored"},
		{"big.Int of 39 digits", Order{Big: number(string(thirtyNine))}, "Order.Big: a number of more than 38 significant digits can't be stored"},
		{"big.Int of 5000 bits", Order{Big: new(big.Int).Lsh(big.NewInt(1), 5000)}, "Order.Big: a number outside of 1e-130 to 9.99e125 can't be stored"},
		{"a third", Order{Rat: big.NewRat(1, 3)}, "Order.Rat: a fraction without a finite decimal form can't be stored"},
		{"big.Float infinity", Order{Float: new(big.Float).SetInf(true)}, "Order.Float: an infinity can't be stored"},
		{"big.Float out of range", Order{Float: new(big.Float).SetMantExp(big.NewFloat(1), 100000)}, "Order.Float: a number outside of 1e-130 to 9.99e125 can't be stored"},
		{"year 10000", Order{At: time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC)}, "Order.At: a year outside of 0 to 9999 can't be stored"},
		{"year -1 in milliseconds", Order{Unix: time.Date(-1, 1, 1, 0, 0, 0, 0, time.UTC)}, "Order.Unix: a year outside of 0 to 9999 can't be stored"},
		{"ttl in milliseconds", Order{TTL: 1715931015123}, "Order.TTL: a time to live is in seconds, and this one looks like milliseconds"},
		{"enum", Order{Status: "closed"}, "Order.Status: the value is none of open, paid"},
		{"integer enum", Order{Level: 3}, "Order.Level: the value is none of 1, 2"},
		{"too deep", Order{Any: deep}, "Order.Any" + strings.Repeat("[0]", 32) + ": nested deeper than 32 levels"},
		{"cycle", Order{Any: loop}, "Order.Any" + strings.Repeat(`["self"]`, 32) + ": nested deeper than 32 levels"},
		{"empty map key", Order{Meta: map[string]Line{"": {}}}, "Order.Meta: the empty string can't be the name of an attribute"},
		{"channel in any", Order{Any: []any{make(chan int)}}, `Order.Any[0]: chan int: the type chan int can't be stored (tag it ` + "`dynorm:\"-\"`" + ` or leave it unexported)`},
		{"method fails without showing the value", Order{Bad: Failing{"x"}}, "Order.Bad: MarshalText of codec_test.Failing failed"},
		{"empty set in any", Order{Any: &types.AttributeValueMemberSS{}}, "Order.Any: an empty set can't be stored"},
		{"element twice in any", Order{Any: []any{&types.AttributeValueMemberNS{Value: []string{"1", "1.0"}}}}, "Order.Any[0]: a set can't hold an element twice"},
		{"typed nil in any", Order{Any: (*types.AttributeValueMemberS)(nil)}, "Order.Any: the attribute value is nil or of an unknown kind"},
		{"NaN deep inside", Order{Any: map[string]any{"a b": []float64{1, math.NaN()}}}, `Order.Any["a b"][1]: NaN can't be stored`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			_, err := encode(c, tc.in)
			require.EqualError(t, err, tc.want)
			var typed *codec.EncodeError
			require.ErrorAs(t, err, &typed)
			require.Equal(t, "Order", typed.Type)
			require.NotEmpty(t, typed.Path)

			data, err := appendItem(c, tc.in)
			require.EqualError(t, err, tc.want, "on the wire")
			require.Empty(t, data)
		})
	}

	t.Run("the cause stays reachable", func(t *testing.T) {
		_, err := encode(c, Order{Bad: Failing{"x"}})
		var typed *codec.EncodeError
		require.ErrorAs(t, err, &typed)
		require.EqualError(t, typed.Err, "secret x")
	})
	t.Run("cyclic structs", func(t *testing.T) {
		tree := Tree{}
		tree.Parent = &tree
		_, err := encode(codecOf(t, reflect.TypeFor[Tree]()), tree)
		require.ErrorContains(t, err, "nested deeper than 32 levels")
	})
	t.Run("32 levels are allowed", func(t *testing.T) {
		av, err := encode(c, Order{Any: deep.([]any)[0]})
		require.NoError(t, err)
		back, err := decode(c, av)
		require.NoError(t, err)
		require.Equal(t, deep.([]any)[0], back.(Order).Any)
	})
}

func TestDecodeErrors(t *testing.T) {
	c := codecOf(t, reflect.TypeFor[Order]())
	nested := strings.Repeat(`{"L":[`, 33) + strings.Repeat(`]}`, 33)
	for _, tc := range []struct{ name, in, want string }{
		{"path", `{"lines":{"L":[{"M":{}},{"M":{}},{"M":{}},{"M":{"qty":{"S":"4"}}}]}}`, "Order.Lines[3].Qty: want N, got S"},
		{"path through a map", `{"meta":{"M":{"k":{"M":{"note":{"N":"4"}}}}}}`, `Order.Meta["k"].Note: want S, got N`},
		{"overflow", `{"lines":{"L":[{"M":{"qty":{"N":"2147483648"}}}]}}`, "Order.Lines[0].Qty: the number overflows int32"},
		{"overflow of unsigned", `{"u":{"N":"256"}}`, "Order.U: the number overflows uint8"},
		{"negative unsigned", `{"u":{"N":"-1"}}`, "Order.U: a negative number does not fit in a uint"},
		{"fraction", `{"level":{"N":"1.5"}}`, "Order.Level: a fraction does not fit in an integer"},
		{"huge", `{"level":{"N":"1e100"}}`, "Order.Level: the number overflows int64"},
		{"float32 overflow", `{"f32":{"N":"1e39"}}`, "Order.F32: the number overflows float32"},
		{"infinity", `{"f":{"N":"Infinity"}}`, "Order.F: not a number"},
		{"empty number", `{"level":{"N":""}}`, "Order.Level: not a number"},
		{"empty json.Number", `{"n":{"N":""}}`, "Order.N: not a number"},
		{"fraction in big.Int", `{"big":{"N":"0.5"}}`, "Order.Big: a fraction does not fit in an integer"},
		{"no time", `{"at":{"S":"yesterday"}}`, "Order.At: not a time in the form of RFC 3339"},
		{"number for a time", `{"at":{"N":"1"}}`, "Order.At: want S, got N"},
		{"text for a unix time", `{"unix":{"S":"2024-05-17T07:30:15Z"}}`, "Order.Unix: want N, got S"},
		{"set kind", `{"tags":{"NS":["1"]}}`, "Order.Tags: want SS, got NS"},
		{"number set kind", `{"nums":{"SS":["1"]}}`, "Order.Nums: want NS, got SS"},
		{"set element", `{"nums":{"NS":["1","x"]}}`, "Order.Nums[1]: not a number"},
		{"list for a set", `{"tags":{"L":[{"S":"a"},{"N":"1"}]}}`, "Order.Tags[1]: want S, got N"},
		{"binary set", `{"blobs":{"SS":["a"]}}`, "Order.Blobs: want BS, got SS"},
		{"byte array too long", `{"hash":{"B":"AQIDBAU="}}`, "Order.Hash: an array of 4 bytes can't hold 5"},
		{"byte array too short", `{"hash":{"B":"AQ=="}}`, "Order.Hash: an array of 4 bytes can't hold 1"},
		{"array too long", `{"triple":{"L":[{"N":"1"},{"N":"1"},{"N":"1"},{"N":"1"}]}}`, "Order.Triple: an array of 3 elements can't hold 4"},
		{"text for bytes", `{"b":{"S":"eA=="}}`, "Order.B: want B, got S"},
		{"text for bool", `{"on":{"S":"true"}}`, "Order.On: want BOOL, got S"},
		{"own method", `{"addr":{"S":"nowhere"}}`, "Order.Addr: UnmarshalText of netip.Addr failed"},
		{"json", `{"doc":{"S":"{"}}`, "Order.Doc: decoding JSON failed"},
		{"two json values", `{"doc":{"S":"{} {}"}}`, "Order.Doc: more than one JSON value"},
		{"number for text", `{"txt":{"N":"1"}}`, "Order.Txt: want S, got N"},
		{"no number in text", `{"txt":{"S":"one"}}`, "Order.Txt: not a number"},
		{"map key", `{"names":{"M":{"one":{"S":"x"}}}}`, `Order.Names["one"]: not a number`},
		{"two keys", `{"names":{"M":{"1":{"S":"x"},"01":{"S":"y"}}}}`, "Order.Names: two keys have one text form"},
		{"map for a list", `{"lines":{"M":{}}}`, "Order.Lines: want L, got M"},
		{"list for a map", `{"meta":{"L":[]}}`, "Order.Meta: want M, got L"},
		{"list for a struct", `{"lines":{"L":[{"L":[]}]}}`, "Order.Lines[0]: want M, got L"},
		{"too deep", `{"any":` + nested + `}`, "Order.Any" + strings.Repeat("[0]", 32) + ": nested deeper than 32 levels"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			_, err := decode(c, fromJSON(t, tc.in))
			require.EqualError(t, err, tc.want)
			var typed *codec.DecodeError
			require.ErrorAs(t, err, &typed)

			_, err = readItem(c, []byte(tc.in))
			require.EqualError(t, err, tc.want, "on the wire")
		})
	}
	t.Run("the cause stays reachable", func(t *testing.T) {
		_, err := decode(c, fromJSON(t, `{"bad":{"S":"x"}}`))
		require.EqualError(t, err, "Order.Bad: UnmarshalText of codec_test.Failing failed")
		var typed *codec.DecodeError
		require.ErrorAs(t, err, &typed)
		require.EqualError(t, typed.Err, "secret x")
	})
}

// TestDecodeTolerates lists what reads without loss though it was written
// otherwise.
func TestDecodeTolerates(t *testing.T) {
	c := codecOf(t, reflect.TypeFor[Order]())
	for _, tc := range []struct {
		name, in string
		want     Order
	}{
		{"whole numbers written as fractions", `{"level":{"N":"5.0"},"u":{"N":"2e1"},"ttl":{"N":"1.5E1"}}`, Order{Level: 5, U: 20, TTL: 15}},
		{"minus zero", `{"level":{"N":"-0.0"}}`, Order{}},
		{"time with an offset and any fraction", `{"at":{"S":"2024-05-17T09:30:15.5+02:00"}}`, Order{At: time.Date(2024, 5, 17, 7, 30, 15, 5e8, time.UTC)}},
		{"short array", `{"triple":{"L":[{"N":"1"}]}}`, Order{Triple: [3]int{1}}},
		{"enum values of an older schema", `{"status":{"S":"closed"}}`, Order{Status: "closed"}},
		{"unknown attributes", `{"pk":{"S":"x"},"level":{"N":"1"}}`, Order{Level: 1}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got, err := decode(c, fromJSON(t, tc.in))
			require.NoError(t, err)
			require.Equal(t, tc.want, got)
			got, err = readItem(c, []byte(tc.in))
			require.NoError(t, err)
			require.Equal(t, tc.want, got)
		})
	}
}

func TestCompileErrors(t *testing.T) {
	type inner struct{ C chan int }
	type outer struct{ V []inner }
	_, err := compile(reflect.TypeFor[outer]())
	require.ErrorContains(t, err, "the type chan int can't be stored")
}
