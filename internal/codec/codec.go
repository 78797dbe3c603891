package codec

import (
	"errors"
	"reflect"
	"unsafe"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/dynorm/dynorm/parser"
)

var errUnbuilt = errors.New("codec: unbuilt")

// Codec converts between one Go struct type and DynamoDB items. It is compiled
// once, immutable and safe for concurrent use.
type Codec struct {
	fields []Field
}

// Compile returns the codec of a struct type with the given fields, which are
// those that the parser found in it. Errors are joined *[parser.DefinitionError].
func Compile(t reflect.Type, fields []parser.Field) (*Codec, error) { return nil, errUnbuilt }

// Type returns the struct type.
func (c *Codec) Type() reflect.Type { return nil }

// NumFields returns the number of fields.
func (c *Codec) NumFields() int { return len(c.fields) }

// Field returns the i-th field in declared order. It is shared and must not be
// changed.
func (c *Codec) Field(i int) *Field { return &c.fields[i] }

// Lookup returns the index of the field with a Go name or attribute name. A Go
// name goes first.
func (c *Codec) Lookup(name string) (i int, ok bool) { return 0, false }

// Resolve returns the field that a dotted path leads to: "Total",
// "Address.City", "Meta.color" into a map, "Lines[3].Qty" into a list. Every
// step is a Go name or an attribute name.
func (c *Codec) Resolve(path string) (*Field, error) { return nil, errUnbuilt }

// Locate returns the field, nested ones included, that lies at an address
// within the struct at v and is of type t.
func (c *Codec) Locate(v, field unsafe.Pointer, t reflect.Type) (*Field, bool) { return nil, false }

// EncodeItem adds the attributes of the struct at v to dst. Errors are
// *[EncodeError].
func (c *Codec) EncodeItem(dst map[string]types.AttributeValue, v unsafe.Pointer) error {
	return errUnbuilt
}

// DecodeItem sets every field of the struct at v to what src says; a field
// whose attribute src lacks, or holds as NULL, becomes its zero value.
// Attributes that no field declares are ignored. Errors are *[DecodeError],
// the first in declared order; the struct is then partly written.
func (c *Codec) DecodeItem(src map[string]types.AttributeValue, v unsafe.Pointer) error {
	return errUnbuilt
}

// EncodeAny encodes a value by its dynamic type.
func EncodeAny(val any) (types.AttributeValue, error) { return nil, errUnbuilt }

// DecodeAny returns the Go value of an attribute: nil, bool, string, []byte,
// json.Number, []any, map[string]any, [StringSet], [NumberSet] or [BinarySet].
// EncodeAny gives the same attribute back.
func DecodeAny(av types.AttributeValue) (any, error) { return nil, errUnbuilt }

// Equal reports whether two attribute values are the same to DynamoDB: numbers
// by value, sets in any order.
func Equal(a, b types.AttributeValue) bool { return false }
