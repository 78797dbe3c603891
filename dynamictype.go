package dynorm

import (
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/dynorm/dynorm/parser"
)

// structOf makes the struct type that a definition without a Go type is
// compiled to, so that its items go through the codec that all others do. It
// returns the definition's fields with their places in it.
func structOf(def *parser.Entity) (reflect.Type, []parser.Field, error) {
	defs := slices.Clone(def.Fields)
	fields := make([]reflect.StructField, len(defs))
	for i := range defs {
		f := &defs[i]
		t, err := goType(&f.Type)
		if err != nil {
			return nil, nil, &parser.DefinitionError{Type: def.Name, Field: f.Name, Fault: err.Error()}
		}
		if f.Set && f.Type.Kind == parser.Map {
			t = reflect.MapOf(t.Key(), reflect.TypeFor[struct{}]())
		}
		fields[i] = reflect.StructField{Name: fmt.Sprintf("F%d", i), Type: t}
		f.Path = []int{i}
		f.Type.Reflect = t
		if f.Type.Pointer {
			f.Type.Reflect = t.Elem()
		}
		// What a type of its own would write is known as far as text, bytes or
		// anything goes.
		switch f.Type.Kind {
		case parser.Text:
			f.Type.Kind = parser.String
		case parser.Binary:
			f.Type.Kind = parser.Bytes
		case parser.Custom:
			f.Type.Kind = parser.Any
		}
	}
	return reflect.StructOf(fields), defs, nil
}

// goType returns the Go type whose values are stored as a definition says.
func goType(d *parser.Type) (reflect.Type, error) {
	t, err := valueType(d)
	if err == nil && d.Pointer {
		t = reflect.PointerTo(t)
	}
	return t, err
}

func valueType(d *parser.Type) (reflect.Type, error) {
	switch d.Kind {
	case parser.String, parser.Text:
		return reflect.TypeFor[string](), nil
	case parser.Bool:
		return reflect.TypeFor[bool](), nil
	case parser.Int:
		switch d.Bits {
		case 8:
			return reflect.TypeFor[int8](), nil
		case 16:
			return reflect.TypeFor[int16](), nil
		case 32:
			return reflect.TypeFor[int32](), nil
		}
		return reflect.TypeFor[int64](), nil
	case parser.Uint:
		switch d.Bits {
		case 8:
			return reflect.TypeFor[uint8](), nil
		case 16:
			return reflect.TypeFor[uint16](), nil
		case 32:
			return reflect.TypeFor[uint32](), nil
		}
		return reflect.TypeFor[uint64](), nil
	case parser.Float:
		if d.Bits == 32 {
			return reflect.TypeFor[float32](), nil
		}
		return reflect.TypeFor[float64](), nil
	case parser.Number:
		return reflect.TypeFor[json.Number](), nil
	case parser.Bytes, parser.Binary:
		return reflect.TypeFor[[]byte](), nil
	case parser.Time:
		return reflect.TypeFor[time.Time](), nil
	case parser.Any, parser.Custom:
		return reflect.TypeFor[any](), nil
	case parser.List:
		if d.Elem == nil {
			return reflect.TypeFor[[]any](), nil
		}
		elem, err := goType(d.Elem)
		if err != nil {
			return nil, err
		}
		if d.Len > 0 {
			return reflect.ArrayOf(d.Len, elem), nil
		}
		return reflect.SliceOf(elem), nil
	case parser.Map:
		return mapType(d)
	case parser.Struct:
		return nestedType(d.Fields)
	}
	return nil, fmt.Errorf("values of the kind %q can't be stored", d.Kind)
}

func mapType(d *parser.Type) (reflect.Type, error) {
	if d.Elem == nil || d.Key == nil {
		return reflect.TypeFor[map[string]any](), nil
	}
	key, err := goType(d.Key)
	if err != nil {
		return nil, err
	}
	elem, err := goType(d.Elem)
	if err != nil {
		return nil, err
	}
	return reflect.MapOf(key, elem), nil
}

// nestedType makes the type of a nested struct. Its fields carry their options
// in tags, where the parser finds them. A recursive type has no fields at its
// second appearance: it holds anything there.
func nestedType(fields []parser.Field) (reflect.Type, error) {
	if fields == nil {
		return reflect.TypeFor[map[string]any](), nil
	}
	list := make([]reflect.StructField, len(fields))
	for i := range fields {
		f := &fields[i]
		t, err := goType(&f.Type)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", f.Name, err)
		}
		list[i] = reflect.StructField{Name: exportedName(f.Name, i), Type: t, Tag: reflect.StructTag(`dynorm:"` + tagOf(f) + `"`)}
	}
	return reflect.StructOf(list), nil
}

// exportedName is a field name that Go takes: the name given, or one made from
// its place.
func exportedName(name string, i int) string {
	runes := []rune(name)
	for j, r := range runes {
		if r != '_' && !unicode.IsLetter(r) && (j == 0 || !unicode.IsDigit(r)) {
			return fmt.Sprintf("F%d", i)
		}
	}
	runes[0] = unicode.ToUpper(runes[0])
	if !unicode.IsUpper(runes[0]) {
		return fmt.Sprintf("F%d", i)
	}
	return string(runes)
}

// tagOf writes the options of a nested field that decide how it is stored.
func tagOf(f *parser.Field) string {
	words := []string{f.Attr}
	for _, o := range []struct {
		name string
		on   bool
	}{
		{"set", f.Set},
		{"omitempty", f.OmitEmpty},
		{"null", f.Null},
		{"unixtime", f.UnixTime},
		{"unixmilli", f.UnixMilli},
		{"json", f.JSON},
		{"string", f.String},
		{"precision=" + map[int]string{0: "s", 3: "ms", 6: "us", 9: "ns"}[f.Precision], f.Precision >= 0 && f.Type.Kind == parser.Time},
	} {
		if o.on {
			words = append(words, o.name)
		}
	}
	return strings.Join(words, ",")
}
