package codec

import (
	"reflect"
	"unsafe"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// pointerCoder stores what a pointer points to; nil has no attribute.
type pointerCoder struct {
	coder coder
	elem  reflect.Type
}

func (c *pointerCoder) encode(e *encoder, p unsafe.Pointer) (types.AttributeValue, error) {
	at := *(*unsafe.Pointer)(p)
	if at == nil {
		return nil, nil
	}
	return c.coder.encode(e, at)
}

func (c *pointerCoder) decode(d level, av types.AttributeValue, p unsafe.Pointer) error {
	switch av.(type) {
	case nil, *types.AttributeValueMemberNULL:
		c.clear(p)
		return nil
	}
	at := reflect.New(c.elem).UnsafePointer()
	if err := c.coder.decode(d, av, at); err != nil {
		return err
	}
	*(*unsafe.Pointer)(p) = at
	return nil
}

func (c *pointerCoder) append(e *encoder, dst []byte, p unsafe.Pointer) ([]byte, bool, error) {
	at := *(*unsafe.Pointer)(p)
	if at == nil {
		return dst, false, nil
	}
	return c.coder.append(e, dst, at)
}

func (c *pointerCoder) read(r *Reader, t tag, p unsafe.Pointer) error {
	at := reflect.New(c.elem).UnsafePointer()
	if err := c.coder.read(r, t, at); err != nil {
		return err
	}
	*(*unsafe.Pointer)(p) = at
	return nil
}

func (c *pointerCoder) zero(p unsafe.Pointer) bool { return *(*unsafe.Pointer)(p) == nil }
func (c *pointerCoder) clear(p unsafe.Pointer)     { *(*unsafe.Pointer)(p) = nil }
