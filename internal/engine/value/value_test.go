package value_test

import (
	"bytes"
	"cmp"
	"math/big"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/dynorm/dynorm/internal/engine/value"
)

func TestParseNumber(t *testing.T) {
	for _, tc := range []struct{ in, out, err string }{
		{in: "0", out: "0"},
		{in: "-0.00", out: "0"},
		{in: "+5", out: "5"},
		{in: "1.", out: "1"},
		{in: ".5", out: "0.5"},
		{in: "00001.50", out: "1.5"},
		{in: "1E+20", out: "100000000000000000000"},
		{in: "-1.25e-3", out: "-0.00125"},
		{in: "0E999999", out: "0"},
		{in: "1E-130", out: "0." + strings.Repeat("0", 129) + "1"},
		{in: "9.9999999999999999999999999999999999999E125", out: strings.Repeat("9", 38) + strings.Repeat("0", 88)},
		{in: "1E126", err: string(value.ErrOverflow)},
		{in: "9.9E-131", err: string(value.ErrUnderflow)},
		{in: strings.Repeat("1", 39), err: string(value.ErrPrecision)},
		{in: strings.Repeat("1", 38) + "00", out: strings.Repeat("1", 38) + "00"},
		{in: strings.Repeat("1", 200), err: string(value.ErrOverflow)}, // range is looked at first
		{in: "", err: "The parameter cannot be converted to a numeric value"},
		{in: "1_0", err: "The parameter cannot be converted to a numeric value: 1_0"},
		{in: " 1", err: "The parameter cannot be converted to a numeric value:  1"},
		{in: "NaN", err: "The parameter cannot be converted to a numeric value: NaN"},
		{in: "1e", err: "The parameter cannot be converted to a numeric value: 1e"},
		{in: ".", err: "The parameter cannot be converted to a numeric value: ."},
	} {
		n, err := value.ParseNumber(tc.in)
		if tc.err != "" {
			require.EqualError(t, err, tc.err, tc.in)
			continue
		}
		require.NoError(t, err, tc.in)
		require.Equal(t, tc.out, n.String(), tc.in)
	}
}

// number draws a number as text, often near another one or at the limits.
func number(t *rapid.T, label string) value.Number {
	digits := rapid.StringMatching(`[1-9][0-9]{0,37}`).Draw(t, label)
	exp := rapid.OneOf(rapid.IntRange(-3, 3), rapid.IntRange(-129, 87)).Draw(t, label+" exponent")
	sign := rapid.SampledFrom([]string{"", "-"}).Draw(t, label+" sign")
	n, err := value.ParseNumber(sign + digits[:1] + "." + digits[1:] + "e" + value.NumberOf(int64(exp)).String())
	if err != nil {
		t.Fatalf("drawn number: %v", err)
	}
	return n
}

func rat(n value.Number) *big.Rat {
	r, ok := new(big.Rat).SetString(n.String())
	if !ok {
		panic(n.String())
	}
	return r
}

// TestNumberArithmetic holds the decimal against math/big: text, order, key
// bytes, sums.
func TestNumberArithmetic(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b := number(t, "a"), number(t, "b")
		want := rat(a).Cmp(rat(b))
		require.Equal(t, want, a.Cmp(b))
		require.Equal(t, want, value.Compare(value.Num(a), value.Num(b)))
		require.Equal(t, want, bytes.Compare(value.AppendKey(nil, value.Num(a)), value.AppendKey(nil, value.Num(b))))

		sum, err := a.Add(b)
		if err == nil {
			require.Zero(t, rat(sum).Cmp(new(big.Rat).Add(rat(a), rat(b))))
		}
		difference, err := a.Sub(b)
		if err == nil {
			require.Zero(t, rat(difference).Cmp(new(big.Rat).Sub(rat(a), rat(b))))
		}
		again, err := value.ParseNumber(a.String())
		require.NoError(t, err)
		require.Equal(t, a, again)
	})
}

func TestAddLimits(t *testing.T) {
	num := func(s string) value.Number {
		n, err := value.ParseNumber(s)
		require.NoError(t, err)
		return n
	}
	_, err := num("1E100").Add(num("1"))
	require.ErrorIs(t, err, value.ErrPrecision)
	_, err = num("9.9E125").Add(num("9E125"))
	require.ErrorIs(t, err, value.ErrOverflow)
	_, err = num("1.0000000000000000000000000000000000001E-120").Sub(num("1E-120"))
	require.ErrorIs(t, err, value.ErrUnderflow)
	n, err := num("5").Sub(num("5"))
	require.NoError(t, err)
	require.True(t, n.IsZero())
	n, err = num(strings.Repeat("9", 38)).Add(num("1"))
	require.NoError(t, err)
	require.Equal(t, "1"+strings.Repeat("0", 38), n.String())
}

// TestKeyOrder checks that keys of several parts sort as the parts do, zero
// bytes included, and that prefixes are prefixes.
func TestKeyOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.StringOf(rapid.SampledFrom([]rune{0, 1, 'a', 'b', 0xFF, 'é'}))
		a, b := value.String(text.Draw(t, "a")), value.String(text.Draw(t, "b"))
		c, d := value.Num(number(t, "c")), value.Num(number(t, "d"))
		key := func(x, y value.Value) []byte { return value.AppendKey(value.AppendKey(nil, x), y) }
		want := cmp.Or(strings.Compare(a.Text(), b.Text()), c.Number().Cmp(d.Number()))
		require.Equal(t, want, bytes.Compare(key(a, c), key(b, d)))
		require.Equal(t, a.HasPrefix(b), bytes.HasPrefix(value.AppendKey(nil, a), value.AppendKeyPrefix(nil, b)))
	})
}

func TestItem(t *testing.T) {
	item := value.NewItem([]value.Attr{{"b", value.Int(2)}, {"a", value.Int(1)}, {"b", value.Int(3)}})
	require.Equal(t, 2, item.Len())
	require.Equal(t, "3", item.Value("b").Text())

	changed := item.With("c", value.Bool(true)).With("a", value.Null()).Without("b")
	require.Equal(t, "{a=NULL c=true}", changed.GoString())
	require.Equal(t, "{a=N:1 b=N:3}", item.GoString(), "the original is as it was")
	require.True(t, item.Equal(changed.Without("c").With("a", value.Int(1)).With("b", value.Int(3))))
	require.True(t, item.Clone().Equal(item))
}

func TestSets(t *testing.T) {
	set := func(texts ...string) value.Value {
		var elems []value.Value
		for _, s := range texts {
			elems = append(elems, value.String(s))
		}
		v, _ := value.Set(value.SS, elems)
		return v
	}
	require.True(t, value.Equal(set("b", "a"), set("a", "b")))
	require.True(t, value.Equal(set("b", "a").Union(set("c", "a")), set("a", "b", "c")))
	require.True(t, value.Equal(set("b", "a").Minus(set("c", "a")), set("b")))
	require.Zero(t, set("a").Minus(set("a")).Len())
	_, unique := value.Set(value.NS, []value.Value{value.Int(1), value.Int(1)})
	require.False(t, unique)
}

func TestSizes(t *testing.T) {
	num := func(s string) value.Value {
		n, err := value.ParseNumber(s)
		require.NoError(t, err)
		return value.Num(n)
	}
	for _, tc := range []struct {
		v    value.Value
		size int
	}{
		{value.String("héllo"), 6},
		{value.Binary("abc"), 3},
		{value.Null(), 1},
		{value.Bool(false), 1},
		{num("0"), 1},
		{num("1"), 2},
		{num("100"), 2},
		{num("12"), 2},
		{num("-12"), 3},
		{num("1.5"), 3},
		{num("12345678901234567890123456789012345678"), 20},
		{value.List(nil), 3},
		{value.List([]value.Value{value.String("ab"), value.Null()}), 3 + 1 + 2 + 1 + 1},
		{value.Map(value.ItemOf(map[string]value.Value{"ab": value.String("c")})), 3 + 1 + 2 + 1},
	} {
		require.Equal(t, tc.size, tc.v.Size(), "%#v", tc.v)
	}
	require.Equal(t, 1, value.Null().Depth())
	require.Equal(t, 3, value.List([]value.Value{value.List([]value.Value{value.Null()})}).Depth())
}

// TestNumText checks that text is only kept where it is the printed form.
func TestNumText(t *testing.T) {
	for _, text := range []string{"0", "-0", "5", "-5", "+5", "05", "1E2", "1e2", "1.5", "01.5", "1.50", ".5", "0.5", "10", "10.", "-10", "-1.5", "15e-1", "1.0", "120"} {
		n, err := value.ParseNumber(text)
		require.NoError(t, err)
		require.Equal(t, n.String(), value.NumText(n, text).Text(), text)
	}
}
