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

func (c *elems) appendList(e *encoder, dst []byte, data unsafe.Pointer, n int) ([]byte, bool, error) {
	if err := e.enter(); err != nil {
		return dst, false, err
	}
	dst = append(dst, `{"L":[`...)
	for i := range n {
		if i > 0 {
			dst = append(dst, ',')
		}
		var err error
		if dst, err = e.appendOrNull(dst, c.coder, c.at(data, i)); err != nil {
			return dst, false, under(err, indexStep(i))
		}
	}
	e.leave()
	return append(dst, "]}"...), true, nil
}

// readList reads the elements of a list, or of a set as a list. at returns the
// address of the i-th element.
func (c *elems) readList(r *Reader, t tag, at func(i int) (unsafe.Pointer, error)) (n int, err error) {
	if err := r.enter(); err != nil {
		return 0, err
	}
	err = r.Array(func() error {
		p, err := at(n)
		if err != nil {
			return err
		}
		if t == tagL {
			err = r.value(c.coder, p)
		} else {
			err = c.coder.read(r, t.member(), p)
		}
		if err != nil {
			return under(err, indexStep(n))
		}
		n++
		return nil
	})
	r.leave()
	return n, err
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

func (c *sliceCoder) append(e *encoder, dst []byte, p unsafe.Pointer) ([]byte, bool, error) {
	s := (*slice)(p)
	if s.data == nil {
		return dst, false, nil
	}
	return c.appendList(e, dst, s.data, s.len)
}

func (c *sliceCoder) read(r *Reader, t tag, p unsafe.Pointer) error {
	if !t.isList() {
		return r.other(t, "L")
	}
	makeSlice(c.t, 0, p)
	s := (*slice)(p)
	v := reflect.NewAt(c.t, p).Elem()
	_, err := c.readList(r, t, func(i int) (unsafe.Pointer, error) {
		if i == s.cap {
			v.Grow(max(i, 4))
		}
		v.SetLen(i + 1)
		return c.at(s.data, i), nil
	})
	return err
}

func (t tag) isList() bool { return t == tagL || t.member() != tagNone }

// member returns the kind of the elements of a kind of set.
func (t tag) member() tag {
	switch t {
	case tagSS:
		return tagS
	case tagNS:
		return tagN
	case tagBS:
		return tagB
	}
	return tagNone
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

func (c *arrayCoder) append(e *encoder, dst []byte, p unsafe.Pointer) ([]byte, bool, error) {
	return c.appendList(e, dst, p, c.len)
}

func (c *arrayCoder) read(r *Reader, t tag, p unsafe.Pointer) error {
	if !t.isList() {
		return r.other(t, "L")
	}
	c.clear(p)
	_, err := c.readList(r, t, func(i int) (unsafe.Pointer, error) {
		if i == c.len {
			return nil, &DecodeError{Reason: tooLong(c.len, i+1)}
		}
		return c.at(p, i), nil
	})
	return err
}

func tooLong(room, n int) string {
	return "an array of " + strconv.Itoa(room) + " elements can't hold " + strconv.Itoa(n)
}
