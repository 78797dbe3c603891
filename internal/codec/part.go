package codec

import (
	"encoding/hex"
	"math"
	"reflect"
	"strconv"
	"time"
	"unsafe"

	"github.com/dynorm/dynorm/internal/keytmpl"
	"github.com/dynorm/dynorm/parser"
)

// keyPart converts between values of a field and parts of keys.
type keyPart struct {
	input keytmpl.Input
	get   func(p unsafe.Pointer) (keytmpl.Part, error)
	set   func(p unsafe.Pointer, part keytmpl.Part) error
}

func keyPartOf(t reflect.Type, f *parser.Field) keyPart {
	none := keyPart{
		get: func(unsafe.Pointer) (keytmpl.Part, error) {
			return keytmpl.Missing(), reason("it can't be part of a key")
		},
		set: func(unsafe.Pointer, keytmpl.Part) error { return reason("it can't be part of a key") },
	}
	if f.JSON || f.Set {
		return none
	}
	if t.Kind() == reflect.Pointer {
		return behindPointer(t.Elem(), keyPartOf(t.Elem(), f))
	}
	kind, err := kindOf(t, f)
	if err != nil {
		return none
	}
	k := keyPart{set: func(p unsafe.Pointer, part keytmpl.Part) error {
		return plainOf(t, kind, f).parse(partText(part), p)
	}}
	switch kind {
	case parser.String:
		k.input.Kind = keytmpl.KindText
		k.get = func(p unsafe.Pointer) (keytmpl.Part, error) { return keytmpl.Text(*(*string)(p)), nil }
	case parser.Bool:
		k.input.Kind = keytmpl.KindBool
		k.get = func(p unsafe.Pointer) (keytmpl.Part, error) { return keytmpl.Bool(*(*bool)(p)), nil }
	case parser.Int:
		at := intAt(t.Kind())
		k.input = keytmpl.Input{Kind: keytmpl.KindInt, Bits: t.Bits(), Pad: f.Pad}
		k.get = func(p unsafe.Pointer) (keytmpl.Part, error) { return keytmpl.Int(at(p)), nil }
	case parser.Uint:
		at := uintAt(t.Kind())
		k.input = keytmpl.Input{Kind: keytmpl.KindUint, Bits: t.Bits(), Pad: f.Pad}
		k.get = func(p unsafe.Pointer) (keytmpl.Part, error) { return keytmpl.Uint(at(p)), nil }
	case parser.Time:
		digits := digitsOf(f)
		k.input = keytmpl.Input{Kind: keytmpl.KindTime, Precision: digits}
		k.get = func(p unsafe.Pointer) (keytmpl.Part, error) {
			return keytmpl.Time(truncate(timeAt(p), digits)), nil
		}
		k.set = func(p unsafe.Pointer, part keytmpl.Part) error {
			if part.Kind() != keytmpl.KindTime {
				return reason("it is a time, and the part of the key is a " + part.Kind().String())
			}
			*(*time.Time)(p) = part.Time()
			return nil
		}
	case parser.Text:
		k.input.Kind = keytmpl.KindText
		k.get = textPart(t)
	case parser.Bytes, parser.Binary:
		b := blobOf(t, kind)
		k.input.Kind = keytmpl.KindText
		k.get = func(p unsafe.Pointer) (keytmpl.Part, error) {
			data, err := b.bytes(p)
			if err != nil || t.Kind() == reflect.Array && allZero(data) {
				return keytmpl.Missing(), err
			}
			return keytmpl.Text(hex.EncodeToString(data)), nil
		}
		k.set = func(p unsafe.Pointer, part keytmpl.Part) error { return parseHex(b, part.Text(), p) }
	default:
		return none
	}
	return k
}

// textPart is for types with MarshalText. An array of bytes that are all zero,
// as an identifier before it is given, is missing.
func textPart(t reflect.Type) func(unsafe.Pointer) (keytmpl.Part, error) {
	c := &marshalText{typed{t}}
	isID := t.Kind() == reflect.Array && t.Elem().Kind() == reflect.Uint8
	isNilable := nilAbsence(t) == ifNil
	return func(p unsafe.Pointer) (keytmpl.Part, error) {
		if isID && allZero(unsafe.Slice((*byte)(p), t.Len())) || isNilable && *(*unsafe.Pointer)(p) == nil {
			return keytmpl.Missing(), nil
		}
		text, err := c.append(nil, p)
		return keytmpl.Text(string(text)), err
	}
}

func behindPointer(t reflect.Type, k keyPart) keyPart {
	return keyPart{
		input: k.input,
		get: func(p unsafe.Pointer) (keytmpl.Part, error) {
			if p = *(*unsafe.Pointer)(p); p == nil {
				return keytmpl.Missing(), nil
			}
			return k.get(p)
		},
		set: func(p unsafe.Pointer, part keytmpl.Part) error {
			x := reflect.New(t).UnsafePointer()
			if err := k.set(x, part); err != nil {
				return err
			}
			*(*unsafe.Pointer)(p) = x
			return nil
		},
	}
}

func partText(part keytmpl.Part) string {
	switch part.Kind() {
	case keytmpl.KindInt:
		return strconv.FormatInt(part.Int(), 10)
	case keytmpl.KindUint:
		return strconv.FormatUint(part.Uint(), 10)
	}
	return part.Text()
}

func parseHex(b blob, text string, p unsafe.Pointer) error {
	data, err := hex.DecodeString(text)
	if err != nil {
		return reason("not hexadecimal")
	}
	return b.setBytes(data, p)
}

func timeAt(p unsafe.Pointer) time.Time { return *(*time.Time)(p) }

// intAt returns how to read an integer type, nil for another. What is more than
// an int64 holds reads as the largest one.
func intAt(k reflect.Kind) func(unsafe.Pointer) int64 {
	switch k {
	case reflect.Int:
		return readInt[int]
	case reflect.Int8:
		return readInt[int8]
	case reflect.Int16:
		return readInt[int16]
	case reflect.Int32:
		return readInt[int32]
	case reflect.Int64:
		return readInt[int64]
	}
	if at := uintAt(k); at != nil {
		return func(p unsafe.Pointer) int64 { return int64(min(at(p), math.MaxInt64)) }
	}
	return nil
}

func readInt[T signed](p unsafe.Pointer) int64 { return int64(*(*T)(p)) }

// uintAt returns how to read an unsigned integer type, nil for another.
func uintAt(k reflect.Kind) func(unsafe.Pointer) uint64 {
	switch k {
	case reflect.Uint:
		return readUint[uint]
	case reflect.Uint8:
		return readUint[uint8]
	case reflect.Uint16:
		return readUint[uint16]
	case reflect.Uint32:
		return readUint[uint32]
	case reflect.Uint64:
		return readUint[uint64]
	}
	return nil
}

func readUint[T unsigned](p unsafe.Pointer) uint64 { return uint64(*(*T)(p)) }
