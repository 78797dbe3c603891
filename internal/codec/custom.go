package codec

import (
	"reflect"
	"unsafe"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// marshaler and unmarshaler are attributevalue.Marshaler and Unmarshaler,
// spelled out to keep that package out of the library.
type marshaler interface {
	MarshalDynamoDBAttributeValue() (types.AttributeValue, error)
}

type unmarshaler interface {
	UnmarshalDynamoDBAttributeValue(types.AttributeValue) error
}

// customCoder stores values as their own methods say.
type customCoder struct{ typed }

func (c customCoder) encode(e *encoder, p unsafe.Pointer) (types.AttributeValue, error) {
	av, err := reflect.NewAt(c.t, p).Interface().(marshaler).MarshalDynamoDBAttributeValue()
	if err != nil {
		return nil, &EncodeError{Reason: "MarshalDynamoDBAttributeValue of " + c.t.String() + " failed", Err: err}
	}
	if av != nil {
		err = checkValue(av, e.depth)
	}
	return av, err
}

func (c customCoder) decode(d level, av types.AttributeValue, p unsafe.Pointer) error {
	c.clear(p)
	if av == nil {
		return nil
	}
	if err := reflect.NewAt(c.t, p).Interface().(unmarshaler).UnmarshalDynamoDBAttributeValue(av); err != nil {
		return &DecodeError{Reason: "UnmarshalDynamoDBAttributeValue of " + c.t.String() + " failed", Err: err}
	}
	return nil
}

func (c customCoder) append(e *encoder, dst []byte, p unsafe.Pointer) ([]byte, bool, error) {
	av, err := c.encode(e, p)
	if av == nil || err != nil {
		return dst, false, err
	}
	return AppendAttribute(dst, av), true, nil
}

func (c customCoder) read(r *Reader, t tag, p unsafe.Pointer) error {
	av, err := r.content(t)
	if err != nil {
		return err
	}
	return c.decode(0, av, p)
}
