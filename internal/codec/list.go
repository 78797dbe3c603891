package codec

import (
	"reflect"
	"strconv"
	"unsafe"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// slice is how a slice lies in memory.
type slice struct {
	data     unsafe.Pointer
	len, cap int
}

// noElems is where empty slices that are not nil begin.
var noElems byte

// elems knows the elements of a slice or array type.
type elems struct {
	coder coder
	size  uintptr
}

func (c *elems) at(data unsafe.Pointer, i int) unsafe.Pointer {
	return unsafe.Add(data, uintptr(i)*c.size)
}

func (c *elems) encodeList(e *encoder, data unsafe.Pointer, n int) (types.AttributeValue, error) {
	if err := e.enter(); err != nil {
		return nil, err
	}
	list := make([]types.AttributeValue, n)
	e.reserve(c.coder, n)
	for i := range list {
		av, err := c.coder.encode(e, c.at(data, i))
		if err != nil {
			return nil, under(err, indexStep(i))
		}
		list[i] = e.orNull(av)
	}
	e.leave()
	return e.newL(list), nil
}

func (c *elems) decodeList(d level, list []types.AttributeValue, data unsafe.Pointer) error {
	d, err := d.enter()
	if err != nil {
		return err
	}
	for i, av := range list {
		if err := c.coder.decode(d, av, c.at(data, i)); err != nil {
			return under(err, indexStep(i))
		}
	}
	return nil
}

// makeSlice makes the slice at p one of n zero elements.
func makeSlice(t reflect.Type, n int, p unsafe.Pointer) unsafe.Pointer {
	if n == 0 {
		*(*slice)(p) = slice{data: unsafe.Pointer(&noElems)}
		return nil
	}
	v := reflect.NewAt(t, p).Elem()
	v.SetZero()
	v.Grow(n)
	v.SetLen(n)
	return (*slice)(p).data
}

// sliceCoder stores slices as L.
type sliceCoder struct {
	typed
	elems
}

func (c *sliceCoder) encode(e *encoder, p unsafe.Pointer) (types.AttributeValue, error) {
	s := (*slice)(p)
	if s.data == nil {
		return nil, nil
	}
	return c.encodeList(e, s.data, s.len)
}

func (c *sliceCoder) decode(d level, av types.AttributeValue, p unsafe.Pointer) error {
	list, ok := listOf(av)
	if !ok {
		return d.other(c, av, p, "L")
	}
	return c.decodeList(d, list, makeSlice(c.t, len(list), p))
}

func (c *sliceCoder) zero(p unsafe.Pointer) bool { return (*slice)(p).len == 0 }
func (c *sliceCoder) clear(p unsafe.Pointer)     { *(*slice)(p) = slice{} }

// listOf returns the elements of a list, or of a set as a list.
func listOf(av types.AttributeValue) ([]types.AttributeValue, bool) {
	var list []types.AttributeValue
	switch av := av.(type) {
	case *types.AttributeValueMemberL:
		return av.Value, true
	case *types.AttributeValueMemberSS:
		for _, s := range av.Value {
			list = append(list, &types.AttributeValueMemberS{Value: s})
		}
	case *types.AttributeValueMemberNS:
		for _, n := range av.Value {
			list = append(list, &types.AttributeValueMemberN{Value: n})
		}
	case *types.AttributeValueMemberBS:
		for _, b := range av.Value {
			list = append(list, &types.AttributeValueMemberB{Value: b})
		}
	default:
		return nil, false
	}
	return list, true
}

// arrayCoder stores arrays as L.
type arrayCoder struct {
	typed
	elems
	len int
}

func (c *arrayCoder) encode(e *encoder, p unsafe.Pointer) (types.AttributeValue, error) {
	return c.encodeList(e, p, c.len)
}

func (c *arrayCoder) decode(d level, av types.AttributeValue, p unsafe.Pointer) error {
	list, ok := listOf(av)
	if !ok {
		return d.other(c, av, p, "L")
	}
	if len(list) > c.len {
		return &DecodeError{Reason: tooLong(c.len, len(list))}
	}
	c.clear(p)
	return c.decodeList(d, list, p)
}

func tooLong(room, n int) string {
	return "an array of " + strconv.Itoa(room) + " elements can't hold " + strconv.Itoa(n)
}
