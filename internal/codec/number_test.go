package codec_test

import (
	"encoding/json"
	"fmt"
	"math"
	"math/big"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/dynorm/dynorm/internal/codec"
)

func TestCanonicalNumber(t *testing.T) {
	for _, tc := range []struct{ in, want string }{
		{"0", "0"},
		{"-0", "0"},
		{"0.000", "0"},
		{"0e5", "0"},
		{"0e999999999999", "0"},
		{"00012", "12"},
		{"+5", "5"},
		{"5.", "5"},
		{".5", "0.5"},
		{"-.50", "-0.5"},
		{"1.50", "1.5"},
		{"1e3", "1000"},
		{"1E+3", "1000"},
		{"1000", "1000"},
		{"12.5e-1", "1.25"},
		{"0.000001", "0.000001"},
		{"0.0000001", "1e-7"},
		{"100000000000000000000", "100000000000000000000"},
		{"1000000000000000000000", "1e21"},
		{"1.5e30", "1.5e30"},
		{"9.9999999999999999999999999999999999999E125", "9.9999999999999999999999999999999999999e125"},
		{"1e-130", "1e-130"},
		{strings.Repeat("9", 38), "9.9999999999999999999999999999999999999e37"},
		{strings.Repeat("9", 38) + strings.Repeat("0", 50), "9.9999999999999999999999999999999999999e87"},
		{"0." + strings.Repeat("0", 20) + "1", "1e-21"},
	} {
		got, err := codec.CanonicalNumber(tc.in)
		require.NoError(t, err, tc.in)
		require.Equal(t, tc.want, got, tc.in)
	}
	for _, in := range []string{
		"", "-", "+", ".", "e5", "1e", "1e+", "1e5.0", "abc", "1 ", " 1", "1_000", "0x1", "0b1", "Inf", "NaN",
		"--1", "1.2.3", "1e1000", "1e126", "1e-131", "1e99999999999999999999", strings.Repeat("9", 39),
		"1" + strings.Repeat("0", 38) + "1", "1e5x", "٣",
	} {
		_, err := codec.CanonicalNumber(in)
		require.Error(t, err, in)
	}
}

// TestCanonicalNumberMeaning holds the canonical form to big.Rat, which parses
// decimals independently.
func TestCanonicalNumberMeaning(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.StringMatching(`[-+]?[0-9]{0,25}(\.[0-9]{0,25})?([eE][-+]?[0-9]{1,3})?`).Draw(t, "text")
		want, ok := new(big.Rat).SetString(text)
		got, err := codec.CanonicalNumber(text)
		if err != nil {
			if ok && want.Sign() != 0 {
				abs := new(big.Rat).Abs(want)
				low, _ := new(big.Rat).SetString("1e-130")
				high, _ := new(big.Rat).SetString("1e126")
				digits := strings.Trim(strings.Replace(strings.FieldsFunc(strings.TrimLeft(text, "+-"), func(r rune) bool { return r == 'e' || r == 'E' })[0], ".", "", 1), "0")
				if abs.Cmp(low) >= 0 && abs.Cmp(high) < 0 && len(digits) <= 38 {
					t.Fatalf("%q was refused: %v", text, err)
				}
			}
			return
		}
		if !ok {
			t.Fatalf("%q is no number, yet has the form %q", text, got)
		}
		back, ok := new(big.Rat).SetString(got)
		if !ok || back.Cmp(want) != 0 {
			t.Fatalf("%q became %q", text, got)
		}
		again, err := codec.CanonicalNumber(got)
		require.NoError(t, err)
		require.Equal(t, got, again)
	})
}

func TestFloatsAreExact(t *testing.T) {
	type row struct {
		F   float64
		F32 float32
		N   json.Number
	}
	c := codecOf(t, reflect.TypeFor[row]())
	rapid.Check(t, func(t *rapid.T) {
		v := row{F: rapid.Float64().Draw(t, "f"), F32: rapid.Float32().Draw(t, "f32"), N: "0"}
		av, err := encode(c, v)
		if err != nil {
			abs := math.Abs(v.F)
			require.True(t, abs >= 1e126 || abs < 1e-130, "%g was refused: %v", v.F, err)
			return
		}
		back, err := decode(c, av)
		require.NoError(t, err)
		require.Equal(t, v, back)
	})
}

func TestBigFloatKeeps38Digits(t *testing.T) {
	type row struct{ V *big.Float }
	c := codecOf(t, reflect.TypeFor[row]())
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.StringMatching(`-?[1-9][0-9]{37}e-?[0-8]?[0-8]`).Draw(t, "text")
		src := item{"v": numberValue(text)}
		v, err := decode(c, src)
		require.NoError(t, err)
		av, err := encode(c, v)
		require.NoError(t, err)
		require.True(t, codec.Equal(src["v"], av["v"]), "%s came back as %v", text, av["v"])
	})
}

func TestTimesSortAsText(t *testing.T) {
	type row struct{ A, B time.Time }
	c := codecOf(t, reflect.TypeFor[row]())
	rapid.Check(t, func(t *rapid.T) {
		draw := func(name string) time.Time {
			return time.Unix(rapid.Int64Range(-62167219200, 253402300799).Draw(t, name), rapid.Int64Range(0, 999999999).Draw(t, name))
		}
		v := row{draw("a"), draw("b")}
		if v.A.IsZero() || v.B.IsZero() {
			return
		}
		av, err := encode(c, v)
		require.NoError(t, err)
		a, b := text(av["a"]), text(av["b"])
		require.Equal(t, v.A.Compare(v.B), strings.Compare(a, b))
		require.Equal(t, v.A.UTC().Format("2006-01-02T15:04:05.000000000Z"), a)
		back, err := decode(c, av)
		require.NoError(t, err)
		require.True(t, v.A.Equal(back.(row).A))
		require.Equal(t, time.UTC, back.(row).A.Location())
	})
}

// TestTimesParseAsInPackageTime holds the short cut for times to time.Parse.
func TestTimesParseAsInPackageTime(t *testing.T) {
	type row struct{ V time.Time }
	c := codecOf(t, reflect.TypeFor[row]())
	check := func(s string) {
		t.Helper()
		want, err := time.Parse(time.RFC3339Nano, s)
		got, err2 := decode(c, item{"v": &types.AttributeValueMemberS{Value: s}})
		require.Equal(t, err == nil, err2 == nil, "%q: %v, %v", s, err, err2)
		if err == nil {
			require.Equal(t, want.UTC(), got.(row).V, s)
		}
	}
	for year := 0; year <= 9999; year++ {
		for _, day := range []string{"01-01", "02-28", "02-29", "03-01", "12-31"} {
			check(fmt.Sprintf("%04d-%sT23:59:59.999999999Z", year, day))
		}
	}
	for _, s := range []string{
		"", "Z", "2024-05-17", "2024-05-17T07:30:15", "2024-05-17T07:30:15z", "2024-05-17t07:30:15Z", "2024-05-17 07:30:15Z",
		"2024-00-17T07:30:15Z", "2024-13-17T07:30:15Z", "2024-05-00T07:30:15Z", "2024-04-31T07:30:15Z", "2023-02-29T07:30:15Z",
		"2024-05-17T24:00:00Z", "2024-05-17T07:60:15Z", "2024-05-17T07:30:60Z", "2024-05-17T07:30:15.Z", "2024-05-17T07:30:15.1Z",
		"2024-05-17T07:30:15.1234567891Z", "2024-05-17T07:30:15,5Z", "2024-05-17T07:30:15.5+00:00", "2024-05-17T07:30:15.5-07:00",
		"2024-05-17T7:30:15Z", "2024-05-17T07:30:15.5xZ", "02024-05-17T07:30:15Z", "2024-05-17T07:30:15ZZ", "2024/05/17T07:30:15Z",
	} {
		check(s)
	}
	rapid.Check(t, func(t *rapid.T) {
		s := rapid.StringMatching(`[0-9]{4}-[01][0-9]-[0-3][0-9]T[0-2][0-9]:[0-6][0-9]:[0-6][0-9](\.[0-9]{0,10})?(Z|[+-]0[0-9]:[0-5]0)`).Draw(t, "time")
		want, err := time.Parse(time.RFC3339Nano, s)
		got, err2 := decode(c, item{"v": &types.AttributeValueMemberS{Value: s}})
		require.Equal(t, err == nil, err2 == nil, "%q: %v, %v", s, err, err2)
		if err == nil {
			require.Equal(t, want.UTC(), got.(row).V, s)
		}
	})
}
