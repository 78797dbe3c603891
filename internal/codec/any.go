package codec

import (
	"encoding/json"
	"reflect"
	"sync"
	"time"
	"unsafe"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// EncodeAny encodes a value by its dynamic type. It is nil for a value that
// has no attribute, such as an empty set; a nil val is NULL. A
// types.AttributeValue is copied.
func EncodeAny(val any) (types.AttributeValue, error) {
	e := newEncoder(&budget{})
	defer e.release()
	if val == nil {
		return e.newNull(), nil
	}
	return e.encodeAny(val)
}

// DecodeAny returns the Go value of an attribute: nil, bool, string, []byte,
// json.Number, []any, map[string]any, [StringSet], [NumberSet] or [BinarySet].
// EncodeAny gives the same attribute back.
func DecodeAny(av types.AttributeValue) (any, error) {
	return level(0).decodeAny(av)
}

// anyCoder stores what an `any` holds by its dynamic type.
type anyCoder struct{}

func (c anyCoder) encode(e *encoder, p unsafe.Pointer) (types.AttributeValue, error) {
	return e.encodeAny(*(*any)(p))
}

func (c anyCoder) decode(d level, av types.AttributeValue, p unsafe.Pointer) (err error) {
	*(*any)(p), err = d.decodeAny(av)
	return err
}

func (c anyCoder) append(e *encoder, dst []byte, p unsafe.Pointer) ([]byte, bool, error) {
	switch v := (*(*any)(p)).(type) {
	case nil:
		return dst, false, nil
	case string:
		return stringCoder{}.append(e, dst, unsafe.Pointer(&v))
	case bool:
		return boolCoder{}.append(e, dst, unsafe.Pointer(&v))
	case types.AttributeValue:
		if err := checkValue(v, e.depth); err != nil {
			return dst, false, err
		}
		return AppendAttribute(dst, v), true, nil
	}
	at, inner, err := addressOf(*(*any)(p))
	if err != nil {
		return dst, false, err
	}
	return inner.append(e, dst, at)
}

func (c anyCoder) read(r *Reader, t tag, p unsafe.Pointer) (err error) {
	*(*any)(p), err = r.any(t)
	return err
}

func (anyCoder) zero(p unsafe.Pointer) bool { return *(*any)(p) == nil }
func (anyCoder) clear(p unsafe.Pointer)     { *(*any)(p) = nil }

func (e *encoder) encodeAny(val any) (types.AttributeValue, error) {
	switch v := val.(type) {
	case nil:
		return nil, nil
	case string:
		return e.newS(v)
	case bool:
		return e.newBool(v), nil
	case types.AttributeValue:
		if err := checkValue(v, e.depth); err != nil {
			return nil, err
		}
		return Clone(v), nil
	}
	at, c, err := addressOf(val)
	if err != nil {
		return nil, err
	}
	return c.encode(e, at)
}

// addressOf returns the address of a copy of val, and the coder of its type.
func addressOf(val any) (unsafe.Pointer, coder, error) {
	switch v := val.(type) {
	case int:
		return unsafe.Pointer(&v), &numberCoder{plain: &intText[int]{}}, nil
	case int64:
		return unsafe.Pointer(&v), &numberCoder{plain: &intText[int64]{}}, nil
	case float64:
		return unsafe.Pointer(&v), &numberCoder{plain: &floatText[float64]{}}, nil
	case json.Number:
		return unsafe.Pointer(&v), &numberCoder{plain: &numberText{}}, nil
	case []byte:
		return unsafe.Pointer(&v), &binaryCoder{&byteSlice{}}, nil
	case time.Time:
		return unsafe.Pointer(&v), &textCoder{timeText{defaultDigits}, ifZero}, nil
	}
	t := reflect.TypeOf(val)
	c, err := dynamicCoder(t)
	if err != nil {
		return nil, nil, typeFault(err)
	}
	x := reflect.New(t)
	x.Elem().Set(reflect.ValueOf(val))
	return x.UnsafePointer(), c, nil
}

// dynamicCoders are the coders of the types that were met in an `any`.
var dynamicCoders sync.Map // reflect.Type -> coder

func dynamicCoder(t reflect.Type) (coder, error) {
	if c, ok := dynamicCoders.Load(t); ok {
		return c.(coder), nil
	}
	c, err := newCompiler().coderOf(t)
	if err != nil {
		return nil, err
	}
	dynamicCoders.Store(t, c)
	return c, nil
}

func (d level) decodeAny(av types.AttributeValue) (any, error) {
	switch v := av.(type) {
	case nil, *types.AttributeValueMemberNULL:
		return nil, nil
	case *types.AttributeValueMemberS:
		return v.Value, nil
	case *types.AttributeValueMemberBOOL:
		return v.Value, nil
	case *types.AttributeValueMemberN:
		if err := checkDecimal(v.Value); err != nil {
			return nil, decodeFault(err)
		}
		return json.Number(v.Value), nil
	case *types.AttributeValueMemberB:
		return append([]byte{}, v.Value...), nil
	case *types.AttributeValueMemberSS:
		return append(StringSet{}, v.Value...), nil
	case *types.AttributeValueMemberNS:
		set := make(NumberSet, len(v.Value))
		for i, n := range v.Value {
			if err := checkDecimal(n); err != nil {
				return nil, under(decodeFault(err), indexStep(i))
			}
			set[i] = json.Number(n)
		}
		return set, nil
	case *types.AttributeValueMemberBS:
		set := make(BinarySet, len(v.Value))
		for i, b := range v.Value {
			set[i] = append([]byte{}, b...)
		}
		return set, nil
	case *types.AttributeValueMemberL:
		d, err := d.enter()
		if err != nil {
			return nil, err
		}
		list := make([]any, len(v.Value))
		for i, av := range v.Value {
			x, err := d.decodeAny(av)
			if err != nil {
				return nil, under(err, indexStep(i))
			}
			list[i] = x
		}
		return list, nil
	case *types.AttributeValueMemberM:
		d, err := d.enter()
		if err != nil {
			return nil, err
		}
		m := make(map[string]any, len(v.Value))
		for name, av := range v.Value {
			x, err := d.decodeAny(av)
			if err != nil {
				return nil, under(err, keyStep(name))
			}
			m[name] = x
		}
		return m, nil
	}
	return nil, &DecodeError{Want: "a value", Got: KindOf(av)}
}
