package parser

import (
	"encoding"
	"encoding/json"
	"math/big"
	"reflect"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

var (
	timeType = reflect.TypeFor[time.Time]()

	numberTypes = []reflect.Type{
		reflect.TypeFor[json.Number](),
		reflect.TypeFor[big.Int](),
		reflect.TypeFor[big.Rat](),
		reflect.TypeFor[big.Float](),
	}
)

// The SDK's attributevalue is known by its name and its methods: the package
// would bring the streams of DynamoDB into every program.
const attributeValuePath = "github.com/aws/aws-sdk-go-v2/feature/dynamodb/attributevalue"

// marshaler and unmarshaler are attributevalue.Marshaler and Unmarshaler.
type (
	marshaler interface {
		MarshalDynamoDBAttributeValue() (types.AttributeValue, error)
	}
	unmarshaler interface {
		UnmarshalDynamoDBAttributeValue(types.AttributeValue) error
	}
)

// isNumberType reports whether a type is a number in a text of its own.
func isNumberType(t reflect.Type) bool {
	return slices.Contains(numberTypes, t) || t.Name() == "Number" && t.PkgPath() == attributeValuePath
}

// isUnixTime reports whether a type is attributevalue.UnixTime.
func isUnixTime(t reflect.Type) bool {
	return t != nil && t.Name() == "UnixTime" && t.PkgPath() == attributeValuePath
}

// codec is a pair of interfaces by which a type stores itself.
type codec struct {
	kind             Kind
	encode, decode   reflect.Type
	encoder, decoder string
}

// codecs are the pairs in order of precedence.
var codecs = []codec{
	{
		Custom, reflect.TypeFor[marshaler](), reflect.TypeFor[unmarshaler](),
		"MarshalDynamoDBAttributeValue", "UnmarshalDynamoDBAttributeValue",
	},
	{
		Text, reflect.TypeFor[encoding.TextMarshaler](), reflect.TypeFor[encoding.TextUnmarshaler](),
		"MarshalText", "UnmarshalText",
	},
	{
		Binary, reflect.TypeFor[encoding.BinaryMarshaler](), reflect.TypeFor[encoding.BinaryUnmarshaler](),
		"MarshalBinary", "UnmarshalBinary",
	},
}

// kindOf classifies a type that is not a pointer, without looking at what it
// is made of. What a type says of itself by its methods goes before what it is
// made of; half of a pair of methods would lose values, so it is a problem
// unless another pair is whole.
func kindOf(t reflect.Type) (Kind, *problem) {
	switch {
	case t == timeType:
		return Time, nil
	case isNumberType(t):
		return Number, nil
	case t.Kind() == reflect.Interface:
		if t.NumMethod() > 0 {
			return "", wrong("the interface type %s can be written but not read back", t).
				but("use any or a type, or tag it `dynorm:\"-\"`")
		}
		return Any, nil
	}

	var half *problem
	pointer := reflect.PointerTo(t)
	for _, c := range codecs {
		encodes, decodes := pointer.Implements(c.encode), pointer.Implements(c.decode)
		switch {
		case encodes && decodes:
			return c.kind, nil
		case encodes && half == nil:
			half = wrong("%s has %s but not %s", t, c.encoder, c.decoder).but("add %s", c.decoder)
		case decodes && half == nil:
			half = wrong("%s has %s but not %s", t, c.decoder, c.encoder).but("add %s", c.encoder)
		}
	}
	if half != nil {
		return "", half
	}
	if t.Kind() == reflect.Struct && t.ConvertibleTo(timeType) {
		return Time, nil
	}

	switch t.Kind() {
	case reflect.String:
		return String, nil
	case reflect.Bool:
		return Bool, nil
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return Int, nil
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return Uint, nil
	case reflect.Float32, reflect.Float64:
		return Float, nil
	case reflect.Slice, reflect.Array:
		if t.Elem().Kind() == reflect.Uint8 {
			if k, _ := kindOf(t.Elem()); k == Uint {
				return Bytes, nil
			}
		}
		return List, nil
	case reflect.Map:
		return Map, nil
	case reflect.Struct:
		return Struct, nil
	case reflect.Pointer:
		return "", wrong("a pointer to a pointer can't be stored").but("use one pointer")
	}
	return "", wrong("the type %s can't be stored", t).but("tag it `dynorm:\"-\"` or leave it unexported")
}

// shallow describes a type by its kind alone; a pointer is looked through.
func shallow(t reflect.Type) (Type, *problem) {
	d := Type{Go: t.String()}
	if t.Kind() == reflect.Pointer {
		d.Pointer = true
		t = t.Elem()
	}
	d.Reflect = t
	k, p := kindOf(t)
	if p == nil && d.Pointer && k == Any {
		p = wrong("a pointer to an interface can't be stored").but("use the interface")
	}
	if p != nil {
		return d, p
	}
	d.Kind = k
	switch k {
	case Int, Uint, Float:
		d.Bits = t.Bits()
	}
	if t.Kind() == reflect.Array {
		d.Len = t.Len()
	}
	return d, nil
}

// describe describes a type and all it is made of. Problems of a nested
// struct's fields are recorded where they stand; one of the type itself comes
// back.
func (w *walker) describe(t reflect.Type, o origin) (Type, *problem) {
	d, p := shallow(t)
	if p != nil {
		return d, p
	}
	t = d.Reflect
	switch d.Kind {
	case List, Map, Struct:
	default:
		return d, nil
	}
	if slices.Contains(w.within, t) {
		return d, nil
	}
	w.within = append(w.within, t)
	defer func() { w.within = w.within[:len(w.within)-1] }()

	switch d.Kind {
	case Struct:
		d.Fields, p = w.nested(t, o)
		return d, p
	case Map:
		key, p := mapKey(t.Key())
		if p != nil {
			return d, p
		}
		d.Key = &key
	}
	elem, p := w.describe(t.Elem(), o)
	if p != nil {
		return d, p
	}
	d.Elem = &elem
	return d, nil
}

// mapKey describes the key of a map, which becomes an attribute name: text, or
// a whole number in decimal. Keys have no address, so MarshalText must be a
// method of the type itself.
func mapKey(t reflect.Type) (Type, *problem) {
	d, p := shallow(t)
	if p != nil {
		return d, p
	}
	ok := false
	switch d.Kind {
	case String, Int, Uint:
		ok = true
	case Time, Text:
		ok = t.Implements(codecs[1].encode)
	}
	if d.Pointer || !ok {
		return d, wrong("the map key %s can't be stored", t).
			but("use a string, an integer, or a type with MarshalText on its value")
	}
	return d, nil
}
