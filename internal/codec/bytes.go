package codec

import (
	"bytes"
	"encoding"
	"reflect"
	"strconv"
	"unsafe"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// blob is a type whose values have a form in bytes.
type blob interface {
	// bytes returns the value's bytes, which the caller only reads; nil stands
	// for none.
	bytes(p unsafe.Pointer) ([]byte, error)
	// setBytes sets the value at p. It does not keep b.
	setBytes(b []byte, p unsafe.Pointer) error
	zero(p unsafe.Pointer) bool
	clear(p unsafe.Pointer)
}

// binaryCoder stores bytes as B.
type binaryCoder struct{ blob }

func (c *binaryCoder) encode(e *encoder, p unsafe.Pointer) (types.AttributeValue, error) {
	b, err := c.bytes(p)
	switch {
	case err != nil:
		return nil, encodeFault(err)
	case b == nil:
		return nil, nil
	}
	return e.newB(append(make([]byte, 0, len(b)), b...)), nil
}

func (c *binaryCoder) decode(d level, av types.AttributeValue, p unsafe.Pointer) error {
	b, ok := av.(*types.AttributeValueMemberB)
	if !ok {
		return d.other(c, av, p, "B")
	}
	if err := c.setBytes(b.Value, p); err != nil {
		return decodeFault(err)
	}
	return nil
}

func (c *binaryCoder) append(_ *encoder, dst []byte, p unsafe.Pointer) ([]byte, bool, error) {
	b, err := c.bytes(p)
	if b == nil || err != nil {
		return dst, false, encodeFaultOf(err)
	}
	return append(appendBlob(append(dst, `{"B":`...), b), '}'), true, nil
}

func (c *binaryCoder) read(r *Reader, t tag, p unsafe.Pointer) error {
	if t != tagB {
		return r.other(t, "B")
	}
	b, err := r.blob()
	if err != nil {
		return err
	}
	if _, ok := c.blob.(*byteSlice); ok {
		*(*[]byte)(p) = b
		return nil
	}
	return decodeFaultOf(c.setBytes(b, p))
}

// byteSlice is for slices of bytes.
type byteSlice struct{}

func (*byteSlice) bytes(p unsafe.Pointer) ([]byte, error) { return *(*[]byte)(p), nil }

func (*byteSlice) setBytes(b []byte, p unsafe.Pointer) error {
	*(*[]byte)(p) = append(make([]byte, 0, len(b)), b...)
	return nil
}

func (*byteSlice) zero(p unsafe.Pointer) bool { return len(*(*[]byte)(p)) == 0 }
func (*byteSlice) clear(p unsafe.Pointer)     { *(*[]byte)(p) = nil }

// byteArray is for arrays of bytes, which hold exactly their length.
type byteArray struct{ size int }

func (c *byteArray) bytes(p unsafe.Pointer) ([]byte, error) {
	return unsafe.Slice((*byte)(p), c.size), nil
}

func (c *byteArray) setBytes(b []byte, p unsafe.Pointer) error {
	if len(b) != c.size {
		return reason("an array of " + strconv.Itoa(c.size) + " bytes can't hold " + strconv.Itoa(len(b)))
	}
	copy(unsafe.Slice((*byte)(p), c.size), b)
	return nil
}

func (c *byteArray) zero(p unsafe.Pointer) bool { return allZero(unsafe.Slice((*byte)(p), c.size)) }
func (c *byteArray) clear(p unsafe.Pointer)     { clear(unsafe.Slice((*byte)(p), c.size)) }

func allZero(b []byte) bool { return len(bytes.Trim(b, "\x00")) == 0 }

// marshalBinary is for types with MarshalBinary and UnmarshalBinary.
type marshalBinary struct {
	typed
	nilable bool
}

func (c *marshalBinary) bytes(p unsafe.Pointer) ([]byte, error) {
	if c.nilable && *(*unsafe.Pointer)(p) == nil {
		return nil, nil
	}
	b, err := reflect.NewAt(c.t, p).Interface().(encoding.BinaryMarshaler).MarshalBinary()
	if err != nil {
		return nil, &methodError{"MarshalBinary of " + c.t.String(), err}
	}
	if b == nil {
		b = []byte{}
	}
	return b, nil
}

func (c *marshalBinary) setBytes(b []byte, p unsafe.Pointer) error {
	c.clear(p)
	u := reflect.NewAt(c.t, p).Interface().(encoding.BinaryUnmarshaler)
	if err := u.UnmarshalBinary(bytes.Clone(b)); err != nil {
		return &methodError{"UnmarshalBinary of " + c.t.String(), err}
	}
	return nil
}
