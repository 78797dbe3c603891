package codec_test

import (
	"encoding/json"
	"errors"
	"math"
	"math/big"
	"net/netip"
	"net/url"
	"reflect"
	"strconv"
	"testing"
	"time"
	"unsafe"

	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/attributevalue"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/dynorm/dynorm/internal/codec"
	"github.com/dynorm/dynorm/parser"
)

type item = map[string]types.AttributeValue

// codecOf compiles the codec of a struct type: of an entity when it has an ID
// field, which then may carry the options of entities.
func codecOf(t testing.TB, typ reflect.Type) *codec.Codec {
	t.Helper()
	c, err := compile(typ)
	require.NoError(t, err)
	return c
}

func compile(typ reflect.Type) (*codec.Codec, error) {
	var fields []parser.Field
	var err error
	if _, entity := typ.FieldByName("ID"); entity {
		var e parser.Entity
		e, err = parser.Parse(typ)
		fields = e.Fields
	} else {
		fields, err = parser.Fields(typ)
	}
	if err != nil {
		return nil, err
	}
	return codec.Compile(typ, fields)
}

// encode encodes a struct given by value.
func encode(c *codec.Codec, v any) (item, error) {
	p := reflect.New(reflect.TypeOf(v))
	p.Elem().Set(reflect.ValueOf(v))
	dst := item{}
	err := c.EncodeItem(dst, p.UnsafePointer())
	return dst, err
}

// decode decodes into a fresh struct and returns it by value.
func decode(c *codec.Codec, src item) (any, error) {
	p := reflect.New(c.Type())
	err := c.DecodeItem(src, p.UnsafePointer())
	return p.Elem().Interface(), err
}

func fromJSON(t testing.TB, text string) item {
	t.Helper()
	m, err := attributevalue.UnmarshalMapJSON([]byte(text))
	require.NoError(t, err, text)
	return m
}

// same compares values: unexported fields included, big numbers by value.
var same = cmp.Options{
	cmp.Exporter(func(reflect.Type) bool { return true }),
	cmp.Comparer(func(a, b time.Time) bool { return a.Equal(b) }),
	cmp.Comparer(func(a, b big.Int) bool { return a.Cmp(&b) == 0 }),
	cmp.Comparer(func(a, b big.Rat) bool { return a.Cmp(&b) == 0 }),
	cmp.Comparer(func(a, b big.Float) bool { return a.Cmp(&b) == 0 }),
	cmp.Comparer(func(a, b netip.Addr) bool { return a == b }),
	cmpopts.EquateNaNs(),
}

type (
	Name   string
	Count  int32
	Blob   []byte
	Stamp  time.Time
	Grade  int
	Digest [4]byte
	Flag   bool
)

// Grade has text by methods of which one has a pointer receiver.
func (g Grade) MarshalText() ([]byte, error) { return []byte{"ABCDEF"[g]}, nil }

func (g *Grade) UnmarshalText(b []byte) error {
	if len(b) != 1 || b[0] < 'A' || b[0] > 'F' {
		return errors.New("no grade")
	}
	*g = Grade(b[0] - 'A')
	return nil
}

// Quote has a text in quotes.
type Quote string

func (q Quote) MarshalText() ([]byte, error) { return []byte(strconv.Quote(string(q))), nil }

func (q *Quote) UnmarshalText(b []byte) error {
	s, err := strconv.Unquote(string(b))
	*q = Quote(s)
	return err
}

// Secret stores itself by attributevalue's interfaces.
type Secret struct{ plain string }

func (s Secret) MarshalDynamoDBAttributeValue() (types.AttributeValue, error) {
	if s.plain == "" {
		return &types.AttributeValueMemberNULL{Value: true}, nil
	}
	return &types.AttributeValueMemberB{Value: []byte(s.plain)}, nil
}

func (s *Secret) UnmarshalDynamoDBAttributeValue(av types.AttributeValue) error {
	if b, ok := av.(*types.AttributeValueMemberB); ok {
		s.plain = string(b.Value)
	}
	return nil
}

type Address struct {
	City string
	Zip  *string `dynorm:",omitempty"`
}

type Base struct {
	Kind  string
	Extra *int
}

type Audit struct{ By string }

type Tree struct {
	Value    int
	Children []Tree
	Parent   *Tree
	ByName   map[string]*Tree
}

type Pair[A, B any] struct {
	First  A
	Second B
}

func ptr[T any](v T) *T { return &v }

var (
	at      = time.Date(2024, 5, 17, 9, 30, 15, 123456789, time.FixedZone("CEST", 7200))
	atMilli = time.Date(2024, 5, 17, 7, 30, 15, 123_000_000, time.UTC)
	atSec   = time.Date(2024, 5, 17, 7, 30, 15, 0, time.UTC)
)

func number(s string) *big.Int {
	n, _ := new(big.Int).SetString(s, 10)
	return n
}

// stored is one value, how it is stored, and what it reads back as.
var stored = []struct {
	name string
	in   any
	want string
	back any // nil for in itself
}{
	{"string", struct{ V string }{"a\"b\n\u2028<ü>"}, `{"v":{"S":"a\"b\n\u2028<ü>"}}`, nil},
	{"an empty string is a value", struct{ V string }{}, `{"v":{"S":""}}`, nil},
	{"named string", struct{ V Name }{"n"}, `{"v":{"S":"n"}}`, nil},
	{"omitempty", struct {
		V string `dynorm:",omitempty"`
		N int    `dynorm:",omitempty"`
		L []int  `dynorm:",omitempty"`
	}{L: []int{}}, `{}`, struct {
		V string `dynorm:",omitempty"`
		N int    `dynorm:",omitempty"`
		L []int  `dynorm:",omitempty"`
	}{}},
	{"omitempty keeps values", struct {
		V string `dynorm:",omitempty"`
		N int    `dynorm:",omitempty"`
	}{"x", 1}, `{"v":{"S":"x"},"n":{"N":"1"}}`, nil},
	{"bool", struct{ V, W bool }{true, false}, `{"v":{"BOOL":true},"w":{"BOOL":false}}`, nil},
	{"named bool", struct{ V Flag }{true}, `{"v":{"BOOL":true}}`, nil},
	{
		"integers at their limits",
		struct {
			A int8
			B int16
			C int32
			D int64
			E int
			F uint8
			G uint16
			H uint32
			I uint64
			J uint
		}{
			math.MinInt8, math.MaxInt16, math.MinInt32, math.MinInt64, math.MaxInt64,
			math.MaxUint8, math.MaxUint16, math.MaxUint32, math.MaxUint64, 7,
		},
		`{"a":{"N":"-128"},"b":{"N":"32767"},"c":{"N":"-2147483648"},"d":{"N":"-9223372036854775808"},"e":{"N":"9223372036854775807"},` +
			`"f":{"N":"255"},"g":{"N":"65535"},"h":{"N":"4294967295"},"i":{"N":"18446744073709551615"},"j":{"N":"7"}}`, nil,
	},
	{"an integer no float holds", struct{ V int64 }{9007199254740993}, `{"v":{"N":"9007199254740993"}}`, nil},
	{"named integer", struct{ V Count }{-3}, `{"v":{"N":"-3"}}`, nil},
	{"duration", struct{ V time.Duration }{time.Second}, `{"v":{"N":"1000000000"}}`, nil},
	{
		"floats in their shortest form",
		struct {
			A, B, C, D float64
			E          float32
		}{0.1, 1e100, -2.5e-7, 1e20, 0.1},
		`{"a":{"N":"0.1"},"b":{"N":"1e+100"},"c":{"N":"-2.5e-07"},"d":{"N":"100000000000000000000"},"e":{"N":"0.1"}}`, nil,
	},
	{"negative zero is zero", struct{ V float64 }{math.Copysign(0, -1)}, `{"v":{"N":"0"}}`, struct{ V float64 }{0}},
	{"number as text", struct {
		A int64   `dynorm:",string"`
		B float64 `dynorm:",string"`
	}{42, 1.5}, `{"a":{"S":"42"},"b":{"S":"1.5"}}`, nil},
	{"json.Number", struct{ V json.Number }{"12345678901234567890123456789012345678"}, `{"v":{"N":"12345678901234567890123456789012345678"}}`, nil},
	{"attributevalue.Number", struct{ V attributevalue.Number }{"-1.50"}, `{"v":{"N":"-1.50"}}`, nil},
	{"an empty number is zero", struct{ V json.Number }{}, `{"v":{"N":"0"}}`, struct{ V json.Number }{"0"}},
	{"a number with a bare point", struct{ V, W json.Number }{"+5.", "-.25e2"}, `{"v":{"N":"5"},"w":{"N":"-25"}}`, struct{ V, W json.Number }{"5", "-25"}},
	{
		"big.Int",
		struct {
			V big.Int
			P *big.Int
		}{*number("-99999999999999999999999999999999999999"), number("1000000000000000000000000000000000000000000000")},
		`{"v":{"N":"-99999999999999999999999999999999999999"},"p":{"N":"1000000000000000000000000000000000000000000000"}}`, nil,
	},
	{"big.Rat", struct{ V *big.Rat }{big.NewRat(-1, 8)}, `{"v":{"N":"-0.125"}}`, nil},
	{"big.Float", struct{ V *big.Float }{big.NewFloat(2.5)}, `{"v":{"N":"2.5"}}`, nil},
	{"bytes", struct{ V []byte }{[]byte{0, 255}}, `{"v":{"B":"AP8="}}`, nil},
	{"no bytes at all", struct{ V []byte }{[]byte{}}, `{"v":{"B":""}}`, nil},
	{"nil bytes", struct{ V []byte }{}, `{}`, nil},
	{"named bytes", struct{ V Blob }{Blob("x")}, `{"v":{"B":"eA=="}}`, nil},
	{"byte array", struct{ V Digest }{Digest{1, 2, 3, 4}}, `{"v":{"B":"AQIDBA=="}}`, nil},
	{"time in UTC at nine digits", struct{ V time.Time }{at}, `{"v":{"S":"2024-05-17T07:30:15.123456789Z"}}`, nil},
	{"time at fixed width", struct{ V time.Time }{atSec}, `{"v":{"S":"2024-05-17T07:30:15.000000000Z"}}`, nil},
	{"a finer time is cut off", struct {
		V time.Time `dynorm:",precision=ms"`
		W time.Time `dynorm:",precision=s"`
		X time.Time `dynorm:",precision=us"`
	}{at, at, at}, `{"v":{"S":"2024-05-17T07:30:15.123Z"},"w":{"S":"2024-05-17T07:30:15Z"},"x":{"S":"2024-05-17T07:30:15.123456Z"}}`, struct {
		V time.Time `dynorm:",precision=ms"`
		W time.Time `dynorm:",precision=s"`
		X time.Time `dynorm:",precision=us"`
	}{atMilli, atSec, time.Date(2024, 5, 17, 7, 30, 15, 123_456_000, time.UTC)}},
	{"times before 1970 are cut off downwards", struct {
		V time.Time `dynorm:",precision=s"`
		W time.Time `dynorm:",unixtime"`
	}{time.Unix(-1, 500), time.Unix(-1, 500)}, `{"v":{"S":"1969-12-31T23:59:59Z"},"w":{"N":"-1"}}`, struct {
		V time.Time `dynorm:",precision=s"`
		W time.Time `dynorm:",unixtime"`
	}{time.Unix(-1, 0), time.Unix(-1, 0)}},
	{"zero time", struct {
		V time.Time
		W time.Time `dynorm:",unixtime"`
		X *time.Time
		Y time.Time `dynorm:",unixmilli"`
	}{X: &time.Time{}}, `{}`, struct {
		V time.Time
		W time.Time `dynorm:",unixtime"`
		X *time.Time
		Y time.Time `dynorm:",unixmilli"`
	}{}},
	{"zero time with null", struct {
		V time.Time `dynorm:",null"`
	}{}, `{"v":{"NULL":true}}`, nil},
	{"unixtime", struct {
		V time.Time `dynorm:",unixtime"`
	}{atSec}, `{"v":{"N":"1715931015"}}`, nil},
	{"unixmilli", struct {
		V time.Time `dynorm:",unixmilli"`
	}{atMilli}, `{"v":{"N":"1715931015123"}}`, nil},
	{"attributevalue.UnixTime", struct{ V attributevalue.UnixTime }{attributevalue.UnixTime(atSec)}, `{"v":{"N":"1715931015"}}`, nil},
	{"named time", struct{ V Stamp }{Stamp(atSec.UTC())}, `{"v":{"S":"2024-05-17T07:30:15.000000000Z"}}`, nil},
	{
		"text by methods",
		struct {
			V Grade
			P *Grade
			N netip.Addr
			U uuid.UUID
		}{2, ptr(Grade(1)), netip.MustParseAddr("10.0.0.1"), uuid.MustParse("0190b5a0-5b3e-7c3f-8d6a-1f2e3d4c5b6a")},
		`{"v":{"S":"C"},"p":{"S":"B"},"n":{"S":"10.0.0.1"},"u":{"S":"0190b5a0-5b3e-7c3f-8d6a-1f2e3d4c5b6a"}}`, nil,
	},
	{"bytes by methods", struct{ V url.URL }{url.URL{Scheme: "https", Host: "a.b", Path: "/c"}}, `{"v":{"B":"aHR0cHM6Ly9hLmIvYw=="}}`, nil},
	{
		"attributevalue.Marshaler",
		struct {
			V Secret
			W Secret
			P *Secret
			L []Secret
		}{Secret{"x"}, Secret{}, nil, []Secret{{"y"}, {}}},
		`{"v":{"B":"eA=="},"w":{"NULL":true},"l":{"L":[{"B":"eQ=="},{"NULL":true}]}}`, nil,
	},
	{"pointers", struct {
		V *int
		W **int `dynorm:"-"`
		X *string
	}{V: ptr(5)}, `{"v":{"N":"5"}}`, nil},
	{"nil with null", struct {
		V *int           `dynorm:",null"`
		L []string       `dynorm:",null"`
		M map[string]int `dynorm:",null"`
		B []byte         `dynorm:",null"`
		A any            `dynorm:",null"`
	}{}, `{"v":{"NULL":true},"l":{"NULL":true},"m":{"NULL":true},"b":{"NULL":true},"a":{"NULL":true}}`, nil},
	{
		"nil and empty differ",
		struct {
			A, B []string
			C, D map[string]int
			E    []*int
		}{nil, []string{}, nil, map[string]int{}, []*int{}},
		`{"b":{"L":[]},"d":{"M":{}},"e":{"L":[]}}`, nil,
	},
	{
		"lists",
		struct {
			A []string
			B []int
			C [2]float64
			D [][]byte
			E [][]string
			F []*int
			G []time.Time
			H []any
		}{
			[]string{"b", "a", "b"},
			[]int{3, 1},
			[2]float64{1, 2},
			[][]byte{{1}, nil},
			[][]string{{"x"}, {}, nil},
			[]*int{nil, ptr(1)},
			[]time.Time{atSec, {}},
			[]any{"s", json.Number("1"), nil, true},
		},
		`{"a":{"L":[{"S":"b"},{"S":"a"},{"S":"b"}]},"b":{"L":[{"N":"3"},{"N":"1"}]},"c":{"L":[{"N":"1"},{"N":"2"}]},
		"d":{"L":[{"B":"AQ=="},{"NULL":true}]},"e":{"L":[{"L":[{"S":"x"}]},{"L":[]},{"NULL":true}]},
		"f":{"L":[{"NULL":true},{"N":"1"}]},"g":{"L":[{"S":"2024-05-17T07:30:15.000000000Z"},{"NULL":true}]},
		"h":{"L":[{"S":"s"},{"N":"1"},{"NULL":true},{"BOOL":true}]}}`, nil,
	},
	{
		"sets are sorted and hold each element once",
		struct {
			A []string  `dynorm:",set"`
			B []int     `dynorm:",set"`
			C [][]byte  `dynorm:",set"`
			D []Grade   `dynorm:",set"`
			E []float64 `dynorm:",set"`
			F []Digest  `dynorm:",set"`
		}{
			[]string{"b", "a", "b"},
			[]int{3, 1, 3},
			[][]byte{{2}, {1}, {2}},
			[]Grade{1, 0},
			[]float64{1.5},
			[]Digest{{1}},
		},
		`{"a":{"SS":["a","b"]},"b":{"NS":["1","3"]},"c":{"BS":["AQ==","Ag=="]},"d":{"SS":["A","B"]},"e":{"NS":["1.5"]},"f":{"BS":["AQAAAA=="]}}`,
		struct {
			A []string  `dynorm:",set"`
			B []int     `dynorm:",set"`
			C [][]byte  `dynorm:",set"`
			D []Grade   `dynorm:",set"`
			E []float64 `dynorm:",set"`
			F []Digest  `dynorm:",set"`
		}{[]string{"a", "b"}, []int{1, 3}, [][]byte{{1}, {2}}, []Grade{0, 1}, []float64{1.5}, []Digest{{1}}},
	},
	{"one number has one place in a set", struct {
		V []json.Number `dynorm:",set"`
	}{[]json.Number{"1.0", "1", "10e-1", "2"}}, `{"v":{"NS":["1","2"]}}`, struct {
		V []json.Number `dynorm:",set"`
	}{[]json.Number{"1", "2"}}},
	{
		"sets in the keys of maps",
		struct {
			A map[string]struct{} `dynorm:",set"`
			B map[int]bool        `dynorm:",set"`
			C map[Grade]struct{}  `dynorm:",set"`
			D map[Name]struct{}   `dynorm:",set"`
		}{
			map[string]struct{}{"y": {}, "x": {}},
			map[int]bool{1: true, 2: false},
			map[Grade]struct{}{1: {}},
			map[Name]struct{}{"n": {}},
		},
		`{"a":{"SS":["x","y"]},"b":{"NS":["1"]},"c":{"SS":["B"]},"d":{"SS":["n"]}}`,
		struct {
			A map[string]struct{} `dynorm:",set"`
			B map[int]bool        `dynorm:",set"`
			C map[Grade]struct{}  `dynorm:",set"`
			D map[Name]struct{}   `dynorm:",set"`
		}{
			map[string]struct{}{"y": {}, "x": {}},
			map[int]bool{1: true},
			map[Grade]struct{}{1: {}},
			map[Name]struct{}{"n": {}},
		},
	},
	{"empty sets", struct {
		A []string            `dynorm:",set"`
		B []int               `dynorm:",set"`
		C map[string]bool     `dynorm:",set"`
		D map[string]struct{} `dynorm:",set"`
	}{A: []string{}, C: map[string]bool{"x": false}}, `{}`, struct {
		A []string            `dynorm:",set"`
		B []int               `dynorm:",set"`
		C map[string]bool     `dynorm:",set"`
		D map[string]struct{} `dynorm:",set"`
	}{}},
	{"the sets of any", struct{ V codec.StringSet }{codec.StringSet{"b", "a"}}, `{"v":{"SS":["a","b"]}}`, struct{ V codec.StringSet }{codec.StringSet{"a", "b"}}},
	{
		"maps",
		struct {
			A map[string]string
			B map[string]any
			C map[int]string
			D map[Name]Address
			E map[Grade]*int
			F map[string]int64
			G map[string][]string
			H map[uint8]bool
		}{
			map[string]string{"k": "v", "e": ""},
			map[string]any{"n": nil, "l": []any{"x"}},
			map[int]string{-1: "a"},
			map[Name]Address{"home": {City: "Rome"}},
			map[Grade]*int{1: nil},
			map[string]int64{"x": 1},
			map[string][]string{"a": nil, "b": {"c"}},
			map[uint8]bool{255: true},
		},
		`{"a":{"M":{"k":{"S":"v"},"e":{"S":""}}},"b":{"M":{"n":{"NULL":true},"l":{"L":[{"S":"x"}]}}},"c":{"M":{"-1":{"S":"a"}}},
		"d":{"M":{"home":{"M":{"city":{"S":"Rome"}}}}},"e":{"M":{"B":{"NULL":true}}},"f":{"M":{"x":{"N":"1"}}},
		"g":{"M":{"a":{"NULL":true},"b":{"L":[{"S":"c"}]}}},"h":{"M":{"255":{"BOOL":true}}}}`, nil,
	},
	{
		"texts that need escapes beside texts of keys",
		struct {
			V map[int]Quote
			W []Quote `dynorm:",set"`
		}{map[int]Quote{1: "a", 22: "b", 333: "c"}, []Quote{"x", "y"}},
		`{"v":{"M":{"1":{"S":"\"a\""},"22":{"S":"\"b\""},"333":{"S":"\"c\""}}},"w":{"SS":["\"x\"","\"y\""]}}`, nil,
	},
	{"structs", struct {
		A Address
		B *Address
		C Pair[string, *int]
		D Audit
	}{Address{"Rome", ptr("00100")}, &Address{City: "Oslo"}, Pair[string, *int]{"x", nil}, Audit{}}, `{
		"a":{"M":{"city":{"S":"Rome"},"zip":{"S":"00100"}}},"b":{"M":{"city":{"S":"Oslo"}}},
		"c":{"M":{"first":{"S":"x"}}},"d":{"M":{"by":{"S":""}}}}`, nil},
	{"embedded structs", struct {
		Base
		*Audit
		Own string
	}{Base{"k", ptr(1)}, &Audit{"me"}, "o"}, `{"kind":{"S":"k"},"extra":{"N":"1"},"by":{"S":"me"},"own":{"S":"o"}}`, nil},
	{"embedded nil", struct {
		Base
		*Audit
	}{}, `{"kind":{"S":""}}`, nil},
	{"recursive types", Tree{
		Value:    1,
		Children: []Tree{{Value: 2, Children: []Tree{}}},
		ByName:   map[string]*Tree{"a": {Value: 3}, "b": nil},
	}, `{"value":{"N":"1"},"children":{"L":[{"M":{"value":{"N":"2"},"children":{"L":[]}}}]},
		"byName":{"M":{"a":{"M":{"value":{"N":"3"}}},"b":{"NULL":true}}}}`, nil},
	{
		"json",
		struct {
			V map[string]int `dynorm:",json"`
			W any            `dynorm:",json"`
			X *Address       `dynorm:",json"`
			Y []int          `dynorm:",json"`
		}{map[string]int{"b": 1, "a": 2}, json.Number("9007199254740993"), &Address{City: "Rome"}, nil},
		`{"v":{"S":"{\"a\":2,\"b\":1}"},"w":{"S":"9007199254740993"},"x":{"S":"{\"City\":\"Rome\",\"Zip\":null}"}}`, nil,
	},
	{
		"any",
		struct{ A, B, C, D, E, F, G, H, I any }{
			"s", json.Number("12345678901234567890"), true, nil,
			[]byte{1},
			[]any{"x", map[string]any{"y": json.Number("1")}},
			codec.StringSet{"a"},
			codec.NumberSet{"1"},
			codec.BinarySet{{1}},
		},
		`{"a":{"S":"s"},"b":{"N":"12345678901234567890"},"c":{"BOOL":true},"e":{"B":"AQ=="},
		"f":{"L":[{"S":"x"},{"M":{"y":{"N":"1"}}}]},"g":{"SS":["a"]},"h":{"NS":["1"]},"i":{"BS":["AQ=="]}}`, nil,
	},
	{
		"what any loses is the Go type",
		struct{ A, B, C, D any }{Address{City: "Rome"}, 5, at, []string{"x"}},
		`{"a":{"M":{"city":{"S":"Rome"}}},"b":{"N":"5"},"c":{"S":"2024-05-17T07:30:15.123456789Z"},"d":{"L":[{"S":"x"}]}}`,
		struct{ A, B, C, D any }{
			map[string]any{"city": "Rome"},
			json.Number("5"), "2024-05-17T07:30:15.123456789Z",
			[]any{"x"},
		},
	},
	{"enum", struct {
		V Name  `dynorm:",enum=a|b"`
		W Count `dynorm:",enum=1|2"`
		X Name  `dynorm:",enum=a|b"`
	}{"a", 2, ""}, `{"v":{"S":"a"},"w":{"N":"2"},"x":{"S":""}}`, nil},
	{
		"generated times and time to live",
		Session{
			ID: "s", Version: 3,
			CreatedAt: at, UpdatedAt: ptr(at), DeletedAt: time.Time{},
			Expires: at,
		},
		`{"id":{"S":"s"},"_v":{"N":"3"},"createdAt":{"S":"2024-05-17T07:30:15.123Z"},"updatedAt":{"S":"2024-05-17T07:30:15.123Z"},"ttl":{"N":"1715931015"}}`,
		Session{ID: "s", Version: 3, CreatedAt: atMilli, UpdatedAt: &atMilli, Expires: atSec},
	},
}

type Session struct {
	ID        string     `dynorm:"id,primary"`
	Version   int64      `dynorm:"_v,version"`
	CreatedAt time.Time  `dynorm:",created"`
	UpdatedAt *time.Time `dynorm:",updated"`
	DeletedAt time.Time  `dynorm:",deleted"`
	Expires   time.Time  `dynorm:"ttl,ttl"`
}

func TestRoundTrip(t *testing.T) {
	for _, c := range stored {
		t.Run(c.name, func(t *testing.T) {
			prog := codecOf(t, reflect.TypeOf(c.in))
			got, err := encode(prog, c.in)
			require.NoError(t, err)
			if diff := cmp.Diff(fromJSON(t, c.want), got, same); diff != "" {
				t.Fatalf("stored (-want +got):\n%s", diff)
			}
			back, err := decode(prog, got)
			require.NoError(t, err)
			want := c.back
			if want == nil {
				want = c.in
			}
			if diff := cmp.Diff(want, back, same); diff != "" {
				t.Fatalf("read back (-want +got):\n%s", diff)
			}
			again, err := encode(prog, back)
			require.NoError(t, err)
			if diff := cmp.Diff(got, again, same); diff != "" {
				t.Fatalf("stored again (-first +second):\n%s", diff)
			}
		})
	}
}

func TestDecodeReplaces(t *testing.T) {
	type row struct {
		Base
		*Audit
		S    string
		L    []string
		M    map[string]string
		P    *Address
		Tags []string `dynorm:",set"`
		A    any
		Kept string `dynorm:"-"`
	}
	c := codecOf(t, reflect.TypeFor[row]())
	was := row{
		Base: Base{"k", ptr(1)}, Audit: &Audit{"me"}, S: "s", L: []string{"a", "b"},
		M: map[string]string{"k": "v"}, P: &Address{City: "Rome"}, Tags: []string{"t"}, A: 1, Kept: "kept",
	}

	t.Run("what is absent becomes zero", func(t *testing.T) {
		v := was
		v.Audit = &Audit{"me"}
		require.NoError(t, c.DecodeItem(item{}, unsafe.Pointer(&v)))
		require.Empty(t, cmp.Diff(row{Audit: &Audit{}, Kept: "kept"}, v, same))
	})
	t.Run("NULL is absent", func(t *testing.T) {
		v := was
		src := item{}
		for i := range c.NumFields() {
			src[c.Field(i).Attr] = &types.AttributeValueMemberNULL{Value: true}
		}
		require.NoError(t, c.DecodeItem(src, unsafe.Pointer(&v)))
		require.Empty(t, cmp.Diff(row{Audit: &Audit{}, Kept: "kept"}, v, same))
	})
	t.Run("a copy made before keeps what it had", func(t *testing.T) {
		v := was
		v.Audit = nil
		src := fromJSON(t, `{"l":{"L":[{"S":"x"}]},"m":{"M":{"k":{"S":"w"}}},"p":{"M":{"city":{"S":"Oslo"}}},"tags":{"SS":["u"]}}`)
		require.NoError(t, c.DecodeItem(src, unsafe.Pointer(&v)))
		require.Equal(t, []string{"a", "b"}, was.L)
		require.Equal(t, map[string]string{"k": "v"}, was.M)
		require.Equal(t, "Rome", was.P.City)
		require.Equal(t, []string{"t"}, was.Tags)
		require.Nil(t, v.Audit, "no field of the embedded struct is present")
	})
}

func TestNothingIsShared(t *testing.T) {
	type row struct {
		B    []byte
		L    [][]byte
		S    [][]byte `dynorm:",set"`
		A    any
		M    map[string]any
		Text []string `dynorm:",set"`
	}
	c := codecOf(t, reflect.TypeFor[row]())
	fill := func() row {
		return row{
			B: []byte("b"), L: [][]byte{[]byte("l")}, S: [][]byte{[]byte("s")}, A: []byte("a"),
			M: map[string]any{"k": []byte("m")}, Text: []string{"z", "y"},
		}
	}
	scribble := func(v *row) {
		for _, b := range [][]byte{v.B, v.L[0], v.S[0], v.A.([]byte), v.M["k"].([]byte)} {
			b[0] = '!'
		}
		v.Text[0] = "!"
	}
	v := fill()
	av, err := encode(c, v)
	require.NoError(t, err)
	require.Equal(t, []string{"z", "y"}, v.Text, "the caller's slice is not sorted in place")
	scribble(&v)
	want, err := encode(c, fill())
	require.NoError(t, err)
	require.Empty(t, cmp.Diff(want, av, same), "encoding shares bytes with the struct")

	var back row
	require.NoError(t, c.DecodeItem(av, unsafe.Pointer(&back)))
	scribble(&back)
	require.Empty(t, cmp.Diff(want, av, same), "decoding shares bytes with the item")
}

func TestSetsAndListsReadEachOther(t *testing.T) {
	type sets struct {
		V []string `dynorm:",set"`
		N []int    `dynorm:",set"`
		B [][]byte `dynorm:",set"`
	}
	type lists struct {
		V []string
		N []int
		B [][]byte
	}
	s, l := sets{[]string{"a"}, []int{1}, [][]byte{{1}}}, lists{[]string{"a"}, []int{1}, [][]byte{{1}}}
	cs, cl := codecOf(t, reflect.TypeFor[sets]()), codecOf(t, reflect.TypeFor[lists]())
	avs, err := encode(cs, s)
	require.NoError(t, err)
	avl, err := encode(cl, l)
	require.NoError(t, err)
	got, err := decode(cl, avs)
	require.NoError(t, err)
	require.Equal(t, l, got)
	got, err = decode(cs, avl)
	require.NoError(t, err)
	require.Equal(t, s, got)
}

func numberValue(s string) types.AttributeValue { return &types.AttributeValueMemberN{Value: s} }
func text(av types.AttributeValue) string       { return av.(*types.AttributeValueMemberS).Value }
