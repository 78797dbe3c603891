package codec

import (
	"bytes"
	"reflect"
	"slices"
	"unsafe"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/dynorm/dynorm/parser"
)

// program is the compiled form of a struct type: its stored fields in declared
// order.
type program struct {
	t      reflect.Type
	fields []step
	byAttr map[string]int
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
	// key is the attribute's name in JSON, with the colon.
	key string
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
	if len(s.hops) > 0 && isNull(av) {
		s.absent(v)
		return nil
	}
	if err := s.coder.decode(d, av, s.reach(v)); err != nil {
		return under(err, s.name)
	}
	return nil
}

func isNull(av types.AttributeValue) bool {
	switch av.(type) {
	case nil, *types.AttributeValueMemberNULL:
		return true
	}
	return false
}

// append is encode for the wire, with the name of the attribute. What is left
// out appends nothing.
func (s *step) append(e *encoder, dst []byte, v unsafe.Pointer) ([]byte, error) {
	p := s.at(v)
	if p == nil || s.omitEmpty && s.coder.zero(p) {
		return dst, nil
	}
	named := append(separate(dst), s.key...)
	out, ok, err := s.coder.append(e, named, p)
	switch {
	case err != nil:
		return dst, under(err, s.name)
	case ok:
		return out, nil
	case s.null:
		return append(named, null...), nil
	}
	return dst, nil
}

// read is decode for the wire. The reader is at the attribute value.
func (s *step) read(r *Reader, v unsafe.Pointer) error {
	t, err := r.open()
	switch {
	case err != nil:
	case len(s.hops) > 0 && (t == tagNone || t == tagNull):
		s.absent(v)
		err = r.null(t)
	default:
		err = r.opened(t, s.coder, s.reach(v))
	}
	if err != nil {
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

func (c *program) append(e *encoder, dst []byte, v unsafe.Pointer) ([]byte, error) {
	for i := range c.fields {
		var err error
		if dst, err = c.fields[i].append(e, dst, v); err != nil {
			return dst, err
		}
	}
	return dst, nil
}

// read reads the content of an M, or an item. See [Reader.Item] for other.
func (c *program) read(r *Reader, v unsafe.Pointer, other func(name, raw []byte) error) error {
	if err := r.expect('{'); err != nil {
		return err
	}
	var few [4]uint64
	seen := few[:]
	if len(c.fields) > 64*len(few) {
		seen = make([]uint64, (len(c.fields)+63)/64)
	}
	for place := 0; ; place++ {
		name, more, err := r.member(place == 0)
		if err != nil {
			return err
		}
		if !more {
			break
		}
		if i := c.field(r, place, name); i >= 0 {
			seen[i/64] |= 1 << (i % 64)
			if err := c.fields[i].read(r, v); err != nil {
				return err
			}
			continue
		}
		raw, err := r.Skip()
		if err == nil && other != nil {
			err = other(name, raw)
		}
		if err != nil {
			return err
		}
	}
	for i := range c.fields {
		if seen[i/64]&(1<<(i%64)) == 0 {
			c.fields[i].absent(v)
		}
	}
	return nil
}

// field returns the index of the field of the attribute that stands at a place
// in an item, -1 when there is none.
func (c *program) field(r *Reader, place int, name []byte) int {
	if c == r.orderOf && place < len(r.order) {
		if o := &r.order[place]; bytes.Equal(o.name, name) {
			return o.field
		}
	}
	i, ok := c.byAttr[string(name)]
	if !ok {
		i = -1
	}
	if c == r.orderOf {
		r.order = slices.Grow(r.order, max(0, place+1-len(r.order)))[:max(len(r.order), place+1)]
		o := &r.order[place]
		o.name, o.field = append(o.name[:0], name...), i
	}
	return i
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

func (c *structCoder) append(e *encoder, dst []byte, p unsafe.Pointer) ([]byte, bool, error) {
	if err := e.enter(); err != nil {
		return dst, false, err
	}
	dst, err := c.program.append(e, append(dst, `{"M":{`...), p)
	if err != nil {
		return dst, false, err
	}
	e.leave()
	return append(dst, "}}"...), true, nil
}

func (c *structCoder) read(r *Reader, t tag, p unsafe.Pointer) error {
	if t != tagM {
		return r.other(t, "M")
	}
	if err := r.enter(); err != nil {
		return err
	}
	if err := c.program.read(r, p, nil); err != nil {
		return err
	}
	r.leave()
	return nil
}
