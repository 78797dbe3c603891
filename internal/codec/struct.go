package codec

import (
	"reflect"
	"unsafe"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/dynorm/dynorm/parser"
)

// program is the compiled form of a struct type: its stored fields in declared
// order.
type program struct {
	t      reflect.Type
	fields []step
	need   budget
}

// step stores one field of a struct.
type step struct {
	place
	coder     coder
	attr      string
	name      string
	omitEmpty bool
	null      bool
	// def and typ are the field's definition and Go type.
	def parser.Field
	typ reflect.Type
}

// encode returns the attribute of the field in the struct at v; nil when it is
// left out.
func (s *step) encode(e *encoder, v unsafe.Pointer) (types.AttributeValue, error) {
	p := s.at(v)
	if p == nil || s.omitEmpty && s.coder.zero(p) {
		return nil, nil
	}
	av, err := s.coder.encode(e, p)
	if err != nil {
		return nil, under(err, s.name)
	}
	if av == nil && s.null {
		return e.newNull(), nil
	}
	return av, nil
}

// decode sets the field in the struct at v.
func (s *step) decode(d level, av types.AttributeValue, v unsafe.Pointer) error {
	if err := s.coder.decode(d, av, s.reach(v)); err != nil {
		return under(err, s.name)
	}
	return nil
}

// absent sets the field in the struct at v to its zero value.
func (s *step) absent(v unsafe.Pointer) {
	if p := s.at(v); p != nil {
		s.coder.clear(p)
	}
}

func (c *program) encode(e *encoder, dst map[string]types.AttributeValue, v unsafe.Pointer) error {
	for i := range c.fields {
		s := &c.fields[i]
		av, err := s.encode(e, v)
		if err != nil {
			return err
		}
		if av != nil {
			dst[s.attr] = av
		}
	}
	return nil
}

func (c *program) decode(d level, src map[string]types.AttributeValue, v unsafe.Pointer) error {
	for i := range c.fields {
		s := &c.fields[i]
		av, ok := src[s.attr]
		if !ok {
			s.absent(v)
			continue
		}
		if err := s.decode(d, av, v); err != nil {
			return err
		}
	}
	return nil
}

// structCoder stores structs as M.
type structCoder struct {
	typed
	program *program
}

func (c *structCoder) encode(e *encoder, p unsafe.Pointer) (types.AttributeValue, error) {
	if err := e.enter(); err != nil {
		return nil, err
	}
	m := make(map[string]types.AttributeValue, len(c.program.fields))
	if err := c.program.encode(e, m, p); err != nil {
		return nil, err
	}
	e.leave()
	return e.newM(m), nil
}

func (c *structCoder) decode(d level, av types.AttributeValue, p unsafe.Pointer) error {
	m, ok := av.(*types.AttributeValueMemberM)
	if !ok {
		return d.other(c, av, p, "M")
	}
	d, err := d.enter()
	if err != nil {
		return err
	}
	if err := c.program.decode(d, m.Value, p); err != nil {
		return err
	}
	return nil
}
