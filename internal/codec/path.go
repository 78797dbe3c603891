package codec

import (
	"reflect"
	"strconv"
	"strings"
	"unsafe"

	"github.com/dynorm/dynorm/parser"
)

// PathError says that a path leads to no field.
type PathError struct {
	// Type is the name of the struct.
	Type string
	// Path is the path as given, Name the step of it that leads nowhere.
	Path, Name string
	// Known are the Go names that could stand there, nil when the step before
	// has no fields at all.
	Known []string
}

// Error says which step is at fault.
func (e *PathError) Error() string {
	text := e.Type + " has no field " + strconv.Quote(e.Path)
	if e.Name != e.Path {
		text += ": nothing is called " + strconv.Quote(e.Name) + " there"
	}
	return text
}

// Resolve returns the field that a dotted path leads to: "Total",
// "Address.City", "Meta.color" into a map, "Lines[3].Qty" into a list. Every
// step is a Go name or an attribute name; a name that itself has dots is found
// when it is the whole path. The error is a *[PathError].
func (c *Codec) Resolve(path string) (*Field, error) {
	if i, ok := c.Lookup(path); ok {
		return &c.fields[i], nil
	}
	steps, ok := splitPath(path)
	if !ok {
		return nil, &PathError{Type: c.program.t.Name(), Path: path, Name: path}
	}
	i, ok := c.Lookup(steps[0].Name)
	if !ok {
		return nil, &PathError{c.program.t.Name(), path, steps[0].Name, c.program.names()}
	}
	f := &c.fields[i]
	for _, s := range steps[1:] {
		next, known := f.into(s)
		if next == nil {
			return nil, &PathError{c.program.t.Name(), path, s.text(), known}
		}
		f = next
	}
	return f, nil
}

func (s Step) text() string {
	if s.List {
		return indexStep(s.Index)
	}
	return s.Name
}

// splitPath splits a path at its dots and before its brackets.
func splitPath(path string) ([]Step, bool) {
	var steps []Step
	for _, part := range strings.Split(path, ".") {
		name, rest, indexed := strings.Cut(part, "[")
		if name == "" {
			return nil, false
		}
		steps = append(steps, Step{Name: name})
		for indexed {
			var digits string
			var closed bool
			digits, rest, closed = strings.Cut(rest, "]")
			n, err := strconv.Atoi(digits)
			if !closed || err != nil || n < 0 {
				return nil, false
			}
			steps = append(steps, Step{Index: n, List: true})
			if rest == "" {
				break
			}
			var before string
			if before, rest, indexed = strings.Cut(rest, "["); before != "" || !indexed {
				return nil, false
			}
		}
	}
	return steps, true
}

func (c *program) names() []string {
	names := make([]string, len(c.fields))
	for i := range c.fields {
		names[i] = c.fields[i].name
	}
	return names
}

// find returns the field of a Go name or, failing that, of an attribute name.
func (c *program) find(name string) *step {
	for i := range c.fields {
		if c.fields[i].name == name {
			return &c.fields[i]
		}
	}
	for i := range c.fields {
		if c.fields[i].attr == name {
			return &c.fields[i]
		}
	}
	return nil
}

// into returns the field one step into f, or nil and the names that would have
// led somewhere.
func (f *Field) into(s Step) (*Field, []string) {
	c, t := coreCoder(f.step.coder), f.step.typ
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if sc, ok := c.(*structCoder); ok {
		inner := sc.program.find(s.Name)
		if inner == nil || s.List {
			return nil, sc.program.names()
		}
		return f.nested(inner), nil
	}
	var elem coder
	var elemType reflect.Type
	switch c.(type) {
	case anyCoder:
		elem, elemType = anyCoder{}, reflect.TypeFor[any]()
	case *sliceCoder, *arrayCoder:
		if s.List {
			elem, elemType = elemOf(c, t)
		}
	case *textSet, *blobSet:
	default:
		if !s.List {
			elem, elemType = elemOf(c, t)
		}
	}
	if elem == nil {
		return nil, nil
	}
	def := parser.Field{Name: joinPath(f.Name, s.text()), Attr: s.Name, Precision: -1}
	if d, err := parser.TypeOf(elemType); err == nil {
		def.Type = d
	}
	return &Field{
		Field: def, owner: f.owner, path: append(f.path[:len(f.path):len(f.path)], s),
		step: &step{coder: elem, typ: elemType, attr: s.Name, name: s.Name, def: def},
		key:  keyPartOf(elemType, &def),
	}, nil
}

// nested returns the field of a struct that f holds.
func (f *Field) nested(inner *step) *Field {
	def := inner.def
	def.Name = joinPath(f.Name, inner.name)
	n := &Field{
		Field: def, owner: f.owner,
		path: append(f.path[:len(f.path):len(f.path)], Step{Name: inner.attr}),
		step: inner, key: keyPartOf(inner.typ, &def),
	}
	if f.place != nil {
		l := f.place.then(f.step.typ, inner.place)
		n.place = &l
	}
	return n
}

// Locate returns the field, nested ones included, that lies at an address
// within the struct at v and is of type t.
func (c *Codec) Locate(v, field unsafe.Pointer, t reflect.Type) (*Field, bool) {
	for i := range c.fields {
		if f := c.fields[i].locate(v, field, t); f != nil {
			return f, true
		}
	}
	return nil, false
}

func (f *Field) locate(v, field unsafe.Pointer, t reflect.Type) *Field {
	p := f.place.at(v)
	if p == nil {
		return nil
	}
	if p == field && f.step.typ == t {
		return f
	}
	sc, ok := coreCoder(f.step.coder).(*structCoder)
	if !ok {
		return nil
	}
	if f.step.typ.Kind() == reflect.Pointer {
		if p = *(*unsafe.Pointer)(p); p == nil {
			return nil
		}
	}
	for i := range sc.program.fields {
		if n := f.nested(&sc.program.fields[i]).locate(v, field, t); n != nil {
			return n
		}
	}
	return nil
}
