package codec

import (
	"reflect"
	"unsafe"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// maxDepth is how deep DynamoDB nests lists and maps.
const maxDepth = 32

// A coder stores the values of one Go type. It is handed the address of a
// value and trusts its type, so a program of coders runs without reflection.
type coder interface {
	// encode returns the attribute of the value at p; nil stands for no
	// attribute at all: nil, the zero time, an empty set. Whoever holds the
	// value decides whether it is then left out or stored as NULL.
	encode(e *encoder, p unsafe.Pointer) (types.AttributeValue, error)
	// decode sets the value at p to what av says. It never writes through
	// pointers, slices or maps that p held before.
	decode(d level, av types.AttributeValue, p unsafe.Pointer) error
	// append is encode for the wire: ok is false, and what was appended to be
	// dropped, when there is no attribute.
	append(e *encoder, dst []byte, p unsafe.Pointer) (out []byte, ok bool, err error)
	// read is decode for the wire. The reader is at the content of an attribute
	// value of kind t, which is not NULL but for customCoder.
	read(r *Reader, t tag, p unsafe.Pointer) error
	// zero reports whether the value at p is what `omitempty` leaves out.
	zero(p unsafe.Pointer) bool
	// clear sets the value at p to Go's zero value.
	clear(p unsafe.Pointer)
}

// typed is the part of coders that falls back on reflection for what happens
// rarely.
type typed struct{ t reflect.Type }

func (c typed) zero(p unsafe.Pointer) bool { return isEmpty(reflect.NewAt(c.t, p)) }
func (c typed) clear(p unsafe.Pointer)     { reflect.NewAt(c.t, p).Elem().SetZero() }

// isEmpty reports whether ptr points to a zero value, an empty slice or map, or
// a value whose own IsZero method says so.
func isEmpty(ptr reflect.Value) bool {
	if z, ok := ptr.Interface().(interface{ IsZero() bool }); ok {
		return z.IsZero()
	}
	switch v := ptr.Elem(); v.Kind() {
	case reflect.Slice, reflect.Map:
		return v.Len() == 0
	default:
		return v.IsZero()
	}
}

// level is how deep in lists and maps a decoding is.
type level int

// enter goes one list or map deeper.
func (d level) enter() (level, error) {
	if d++; d > maxDepth {
		return d, &DecodeError{Reason: tooDeep}
	}
	return d, nil
}

// other handles an attribute of a kind that the coder does not expect: nothing
// and NULL clear the value, any other is an error.
func (d level) other(c coder, av types.AttributeValue, p unsafe.Pointer, want string) error {
	switch av.(type) {
	case nil, *types.AttributeValueMemberNULL:
		c.clear(p)
		return nil
	}
	return &DecodeError{Want: want, Got: KindOf(av)}
}

// KindOf returns the name by which DynamoDB calls the kind of a value: "S",
// "NS", "NULL"; "nothing" for nil.
func KindOf(av types.AttributeValue) string {
	switch av.(type) {
	case nil:
		return "nothing"
	case *types.AttributeValueMemberS:
		return "S"
	case *types.AttributeValueMemberN:
		return "N"
	case *types.AttributeValueMemberB:
		return "B"
	case *types.AttributeValueMemberBOOL:
		return "BOOL"
	case *types.AttributeValueMemberNULL:
		return "NULL"
	case *types.AttributeValueMemberL:
		return "L"
	case *types.AttributeValueMemberM:
		return "M"
	case *types.AttributeValueMemberSS:
		return "SS"
	case *types.AttributeValueMemberNS:
		return "NS"
	case *types.AttributeValueMemberBS:
		return "BS"
	}
	return "an unknown kind"
}

// appendOrNull appends what stands in a list or a map for the value at p.
func (e *encoder) appendOrNull(dst []byte, c coder, p unsafe.Pointer) ([]byte, error) {
	out, ok, err := c.append(e, dst, p)
	if err != nil || ok {
		return out, err
	}
	return append(dst, null...), nil
}

// orNull is what stands in a list or a map for a value that has no attribute.
func (e *encoder) orNull(av types.AttributeValue) types.AttributeValue {
	if av == nil {
		return e.newNull()
	}
	return av
}
