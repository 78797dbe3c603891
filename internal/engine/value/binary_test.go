package value_test

import (
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/dynorm/dynorm/internal/engine/value"
)

// anyValue draws a value of any kind, of up to the given levels.
func anyValue(levels int) *rapid.Generator[value.Value] {
	return rapid.Custom(func(t *rapid.T) value.Value {
		kinds := []value.Kind{value.S, value.N, value.B, value.NULL, value.BOOL, value.SS, value.NS, value.BS}
		if levels > 1 {
			kinds = append(kinds, value.L, value.M)
		}
		kind := rapid.SampledFrom(kinds).Draw(t, "kind")
		switch kind {
		case value.NULL:
			return value.Null()
		case value.BOOL:
			return value.Bool(rapid.Bool().Draw(t, "bool"))
		case value.L:
			return value.List(rapid.SliceOfN(anyValue(levels-1), 0, 4).Draw(t, "list"))
		case value.M:
			return value.Map(anyItem(levels-1).Draw(t, "map"))
		case value.SS, value.NS, value.BS:
			v, _ := value.Set(kind, rapid.SliceOfN(scalar(kind.ElemKind()), 1, 4).Draw(t, "set"))
			return v
		}
		return scalar(kind).Draw(t, "scalar")
	})
}

func scalar(kind value.Kind) *rapid.Generator[value.Value] {
	return rapid.Custom(func(t *rapid.T) value.Value {
		switch kind {
		case value.N:
			return value.Num(number(t, "number"))
		case value.B:
			return value.Binary(string(rapid.SliceOf(rapid.Byte()).Draw(t, "bytes")))
		}
		return value.String(rapid.String().Draw(t, "text"))
	})
}

func anyItem(levels int) *rapid.Generator[value.Item] {
	return rapid.Custom(func(t *rapid.T) value.Item {
		return value.ItemOf(rapid.MapOfN(rapid.String(), anyValue(levels), 0, 5).Draw(t, "attributes"))
	})
}

// TestBinary writes items and reads them back, and none of the beginnings of
// what was written is an item.
func TestBinary(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		it := anyItem(4).Draw(t, "item")
		written := value.AppendBinary([]byte("before"), it)[len("before"):]
		back, err := value.ParseBinary(string(written))
		require.NoError(t, err)
		require.True(t, it.Equal(back), "%#v, not %#v", back, it)
		cut := rapid.IntRange(0, len(written)-1).Draw(t, "cut")
		_, err = value.ParseBinary(string(written[:cut]))
		require.Error(t, err)
	})
}

func TestBinaryDepth(t *testing.T) {
	deep := func(levels int) value.Item {
		v := value.Null()
		for range levels - 1 {
			v = value.List([]value.Value{v})
		}
		return value.ItemOf(map[string]value.Value{"a": v})
	}
	_, err := value.ParseBinary(string(value.AppendBinary(nil, deep(value.MaxDepth))))
	require.NoError(t, err)
	_, err = value.ParseBinary(string(value.AppendBinary(nil, deep(value.MaxDepth+2))))
	require.Error(t, err)
}

// FuzzParseBinary reads any bytes. What is an item is one that can be written
// and read again.
func FuzzParseBinary(f *testing.F) {
	for _, s := range []string{
		"", "\x00", "\x01\x01a\x01\x01b", "\x01\x01a\x02\x030.5", "\x01\x01a\x02\x0205", "\x01\x01a\x0a\x02", "\x02\x01b\x09\x01a\x09",
		"\x01\x01a\x04\x02\x01b\x01a", "\x01\x01a\x05\x02\x019\x0210", "\x01\x01a\x07\x02\x09\x08\x01\x00\x09", "\x01\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		it, err := value.ParseBinary(s)
		if err != nil {
			return
		}
		again, err := value.ParseBinary(string(value.AppendBinary(nil, it)))
		require.NoError(t, err)
		require.True(t, it.Equal(again))
	})
}
