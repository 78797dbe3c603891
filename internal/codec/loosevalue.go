package codec

import (
	"fmt"
	"reflect"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// DecodeLoose returns the value that an attribute stands for, in the field's Go
// type with pointers looked through: nil for NULL in a pointer field.
func (f *Field) DecodeLoose(av types.AttributeValue) (any, error) {
	x := f.temp()
	if err := f.decodeAt(av, x.UnsafePointer()); err != nil {
		return nil, err
	}
	if x = x.Elem(); x.Kind() == reflect.Pointer {
		if x.IsNil() {
			return nil, nil
		}
		x = x.Elem()
	}
	return x.Interface(), nil
}

// DecodeInto sets what v points to, of the field's Go type, to what an
// attribute says.
func (f *Field) DecodeInto(av types.AttributeValue, v any) error {
	x := reflect.ValueOf(v)
	if x.Kind() != reflect.Pointer || x.Type().Elem() != f.step.typ {
		return f.fault(&DecodeError{Reason: fmt.Sprintf("the field is a %s, not a %s", f.step.typ, x.Type())})
	}
	return f.decodeAt(av, x.UnsafePointer())
}
