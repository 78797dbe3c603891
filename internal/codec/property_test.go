package codec_test

import (
	"encoding/json"
	"fmt"
	"net/netip"
	"reflect"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// leaf is a type with a way to draw its values, of which all read back as they
// were.
type leaf struct {
	t    reflect.Type
	draw func(t *rapid.T) any
	set  bool
}

func leafOf[T any](set bool, g *rapid.Generator[T]) leaf {
	return leaf{reflect.TypeFor[T](), func(t *rapid.T) any { return g.Draw(t, "leaf") }, set}
}

var utf8Text = rapid.String()

var leaves = []leaf{
	leafOf(true, utf8Text),
	leafOf(true, rapid.Map(utf8Text, func(s string) Name { return Name(s) })),
	leafOf(false, rapid.Bool()),
	leafOf(true, rapid.Int()),
	leafOf(true, rapid.Int8()),
	leafOf(true, rapid.Int16()),
	leafOf(true, rapid.Int32()),
	leafOf(true, rapid.Int64()),
	leafOf(true, rapid.Uint()),
	leafOf(false, rapid.Uint8()),
	leafOf(true, rapid.Uint16()),
	leafOf(true, rapid.Uint32()),
	leafOf(true, rapid.Uint64()),
	leafOf(true, rapid.Map(rapid.Float64Range(-1e100, 1e100), func(f float64) float64 {
		if f > -1e-100 && f < 1e-100 {
			return 0.5
		}
		return f
	})),
	leafOf(true, rapid.Float32Range(-1e30, 1e30)),
	leafOf(true, rapid.Map(rapid.IntRange(0, 5), func(n int) Grade { return Grade(n) })),
	leafOf(false, rapid.Map(rapid.Uint32(), func(n uint32) netip.Addr {
		return netip.AddrFrom4([4]byte{byte(n >> 24), byte(n >> 16), byte(n >> 8), byte(n)})
	})),
	leafOf(true, rapid.Map(rapid.Uint32(), func(n uint32) Digest { return Digest{byte(n), byte(n >> 8)} })),
	leafOf(false, rapid.Custom(func(t *rapid.T) time.Time {
		return time.Unix(rapid.Int64Range(-6e10, 2e11).Draw(t, "s"), rapid.Int64Range(0, 999_999_999).Draw(t, "ns")).UTC()
	})),
	leafOf(false, rapid.SliceOfN(rapid.Byte(), 1, 9)),
	leafOf(false, rapid.Map(rapid.Int64(), func(n int64) json.Number { return json.Number(fmt.Sprint(n)) })),
	leafOf(false, rapid.Map(rapid.StringN(1, 5, -1), func(s string) Secret { return Secret{s} })),
	leafOf(false, rapid.Map(utf8Text, func(s string) any { return any(s) })),
}

// shape is a random type and a way to draw its values.
type shape struct {
	t    reflect.Type
	draw func(t *rapid.T) reflect.Value
}

func drawShape(t *rapid.T, depth int) shape {
	kind := rapid.IntRange(0, 9).Draw(t, "shape")
	if depth > 2 {
		kind = 0
	}
	switch kind {
	case 5:
		elem := drawShape(t, depth+1)
		if elem.t.Kind() == reflect.Pointer || elem.t.Kind() == reflect.Interface {
			return elem
		}
		typ := reflect.PointerTo(elem.t)
		return shape{typ, func(t *rapid.T) reflect.Value {
			p := reflect.New(elem.t)
			v := elem.draw(t)
			if rapid.Bool().Draw(t, "nil") || isNil(v) || v.Type() == reflect.TypeFor[time.Time]() && v.IsZero() {
				return reflect.Zero(typ)
			}
			p.Elem().Set(v)
			return p
		}}
	case 6:
		elem := drawShape(t, depth+1)
		if elem.t.Kind() == reflect.Uint8 {
			return elem
		}
		typ := reflect.SliceOf(elem.t)
		return shape{typ, func(t *rapid.T) reflect.Value {
			n := rapid.IntRange(-1, 6).Draw(t, "len")
			if n < 0 {
				return reflect.Zero(typ)
			}
			s := reflect.MakeSlice(typ, n, n)
			for i := range n {
				s.Index(i).Set(elem.draw(t))
			}
			return s
		}}
	case 7:
		elem := drawShape(t, depth+1)
		typ := reflect.MapOf(reflect.TypeFor[string](), elem.t)
		key := reflect.TypeFor[string]()
		if rapid.Bool().Draw(t, "int keys") {
			key = reflect.TypeFor[Count]()
			typ = reflect.MapOf(key, elem.t)
		}
		return shape{typ, func(t *rapid.T) reflect.Value {
			m := reflect.MakeMap(typ)
			for i := range rapid.IntRange(0, 4).Draw(t, "len") {
				k := reflect.ValueOf(int32(i)).Convert(reflect.TypeFor[Count]())
				if key.Kind() == reflect.String {
					k = reflect.ValueOf(fmt.Sprint(rapid.StringN(1, 4, -1).Draw(t, "key"), i))
				}
				m.SetMapIndex(k, elem.draw(t))
			}
			return m
		}}
	case 8:
		return drawStruct(t, depth+1)
	case 9:
		elem := drawShape(t, depth+1)
		if elem.t.Kind() == reflect.Uint8 {
			return elem
		}
		typ := reflect.ArrayOf(2, elem.t)
		return shape{typ, func(t *rapid.T) reflect.Value {
			a := reflect.New(typ).Elem()
			a.Index(0).Set(elem.draw(t))
			a.Index(1).Set(elem.draw(t))
			return a
		}}
	}
	l := leaves[rapid.IntRange(0, len(leaves)-1).Draw(t, "leaf type")]
	return shape{l.t, func(t *rapid.T) reflect.Value {
		v := reflect.New(l.t).Elem()
		v.Set(reflect.ValueOf(l.draw(t)))
		return v
	}}
}

func isNil(v reflect.Value) bool {
	switch v.Kind() {
	case reflect.Pointer, reflect.Slice, reflect.Map, reflect.Interface:
		return v.IsNil()
	}
	return false
}

// drawStruct draws a struct type of up to eight fields, some of them sets.
func drawStruct(t *rapid.T, depth int) shape {
	n := rapid.IntRange(1, 8).Draw(t, "fields")
	fields := make([]reflect.StructField, n)
	draws := make([]func(*rapid.T) reflect.Value, n)
	for i := range n {
		f := reflect.StructField{Name: fmt.Sprintf("F%d", i)}
		if rapid.IntRange(0, 4).Draw(t, "set") == 0 {
			l := leaves[rapid.IntRange(0, len(leaves)-1).Draw(t, "leaf type")]
			if l.set {
				f.Type, f.Tag = reflect.MapOf(l.t, reflect.TypeFor[struct{}]()), `dynorm:",set"`
				if l.t.Kind() == reflect.Float64 || l.t.Kind() == reflect.Float32 || l.t.Kind() == reflect.Array {
					f.Type = reflect.SliceOf(l.t)
				}
				typ := f.Type
				draws[i] = func(t *rapid.T) reflect.Value {
					v := reflect.ValueOf(l.draw(t))
					if typ.Kind() == reflect.Slice {
						return reflect.Append(reflect.Zero(typ), v)
					}
					m := reflect.MakeMap(typ)
					m.SetMapIndex(v, reflect.ValueOf(struct{}{}))
					m.SetMapIndex(reflect.ValueOf(l.draw(t)), reflect.ValueOf(struct{}{}))
					return m
				}
			}
		}
		if f.Type == nil {
			s := drawShape(t, depth)
			f.Type, draws[i] = s.t, s.draw
			if rapid.IntRange(0, 5).Draw(t, "omitempty") == 0 && s.t.Kind() != reflect.Slice && s.t.Kind() != reflect.Map && s.t.Kind() != reflect.Struct {
				f.Tag = `dynorm:",omitempty"`
			}
		}
		fields[i] = f
	}
	typ := reflect.StructOf(fields)
	return shape{typ, func(t *rapid.T) reflect.Value {
		v := reflect.New(typ).Elem()
		for i := range n {
			v.Field(i).Set(draws[i](t))
		}
		return v
	}}
}

// TestRandomStructs holds both codecs to the values of random types, to each
// other and to the SDK.
func TestRandomStructs(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := drawStruct(t, 0)
		prog, err := compile(s.t)
		require.NoError(t, err, s.t)
		v := s.draw(t).Interface()
		av, err := encode(prog, v)
		require.NoError(t, err)
		back, err := decode(prog, av)
		require.NoError(t, err)
		if diff := cmp.Diff(v, back, same); diff != "" {
			t.Fatalf("%s: attribute values:\n%s", s.t, diff)
		}
		data, err := appendItem(prog, v)
		require.NoError(t, err)
		fromSDK, err := sdkDecode(data)
		require.NoError(t, err)
		require.Empty(t, cmp.Diff(av, fromSDK, same), "%s: the two codecs write different items", s.t)
		back, err = readItem(prog, data)
		require.NoError(t, err)
		if diff := cmp.Diff(v, back, same); diff != "" {
			t.Fatalf("%s: wire:\n%s", s.t, diff)
		}
	})
}
