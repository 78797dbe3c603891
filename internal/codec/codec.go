package codec

import (
	"reflect"
	"unsafe"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/dynorm/dynorm/parser"
)

// Codec converts between one Go struct type and DynamoDB items. It is compiled
// once, immutable and safe for concurrent use.
type Codec struct {
	program *program
	fields  []Field
	names   map[string]int
}

// Compile returns the codec of a struct type with the given fields, which are
// those that the parser found in it. Errors are of type
// *[parser.DefinitionError].
func Compile(t reflect.Type, fields []parser.Field) (*Codec, error) {
	p, err := newCompiler().compile(t, fields)
	if err != nil {
		return nil, err
	}
	p.need.count(p, 0)
	p.need.text += textRoom
	c := &Codec{program: p, fields: make([]Field, 0, len(fields)), names: make(map[string]int, 2*len(fields))}
	for i := range p.fields {
		c.fields = append(c.fields, fieldOf(t, &p.fields[i]))
		c.names[fields[i].Attr] = i
	}
	for i := range fields {
		c.names[fields[i].Name] = i
	}
	return c, nil
}

// Type returns the struct type.
func (c *Codec) Type() reflect.Type { return c.program.t }

// NumFields returns the number of fields.
func (c *Codec) NumFields() int { return len(c.fields) }

// Field returns the i-th field in declared order. It is shared and must not be
// changed.
func (c *Codec) Field(i int) *Field { return &c.fields[i] }

// Lookup returns the index of the field with a Go name or attribute name. A Go
// name goes first.
func (c *Codec) Lookup(name string) (i int, ok bool) {
	i, ok = c.names[name]
	return i, ok
}

// Attr returns the index of the field that is stored as an attribute.
func (c *Codec) Attr(name string) (i int, ok bool) {
	i, ok = c.program.byAttr[name]
	return i, ok
}

// EncodeItem adds the attributes of the struct at v to dst. It costs a few
// allocations an item, whatever the number of its attributes. The values are
// copies, but for strings. Errors are *[EncodeError].
func (c *Codec) EncodeItem(dst map[string]types.AttributeValue, v unsafe.Pointer) error {
	e := newEncoder(&c.program.need)
	defer e.release()
	if err := c.program.encode(e, dst, v); err != nil {
		return within(err, c.program.t.Name())
	}
	return nil
}

// DecodeItem sets every field of the struct at v to what src says; a field
// whose attribute src lacks, or holds as NULL, becomes its zero value. Pointers,
// slices and maps are made anew, so that a copy of the struct made before keeps
// what it had; only the structs behind embedded pointers are written in place,
// and made if one of their fields is present. Attributes that no field declares
// are ignored. Errors are *[DecodeError], the first in declared order; the
// struct is then partly written.
func (c *Codec) DecodeItem(src map[string]types.AttributeValue, v unsafe.Pointer) error {
	if err := c.program.decode(0, src, v); err != nil {
		return within(err, c.program.t.Name())
	}
	return nil
}
