package codec

import (
	"reflect"
	"slices"
	"strconv"
	"strings"
	"unsafe"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/dynorm/dynorm/parser"
)

// The number of fraction digits of stored times: those of users, and those
// that the library sets.
const (
	defaultDigits   = 9
	generatedDigits = 3
)

// compiler makes the coders of types. A struct type is compiled once, so that
// recursive types end.
type compiler struct {
	programs map[reflect.Type]*program
}

func newCompiler() *compiler { return &compiler{programs: map[reflect.Type]*program{}} }

// coderOf returns the coder of a type that carries no options: an element, or
// what an `any` holds.
func (c *compiler) coderOf(t reflect.Type) (coder, error) {
	return c.fieldCoder(t, &parser.Field{Precision: -1})
}

// structProgram returns the program of a nested struct type.
func (c *compiler) structProgram(t reflect.Type) (*program, error) {
	if p, ok := c.programs[t]; ok {
		return p, nil
	}
	fields, err := parser.Fields(t)
	if err != nil {
		return nil, err
	}
	return c.compile(t, fields)
}

func (c *compiler) compile(t reflect.Type, fields []parser.Field) (*program, error) {
	p := &program{t: t, fields: make([]step, len(fields)), byAttr: make(map[string]int, len(fields))}
	c.programs[t] = p
	for i, f := range fields {
		l, typ := placeOf(t, f.Path)
		coder, err := c.fieldCoder(typ, &f)
		if err != nil {
			delete(c.programs, t)
			return nil, err
		}
		p.fields[i] = step{
			place: l, coder: coder, attr: f.Attr, name: f.Name,
			omitEmpty: f.OmitEmpty, null: f.Null, def: f, typ: typ,
			key: string(AppendName(nil, f.Attr)),
		}
		p.byAttr[f.Attr] = i
	}
	return p, nil
}

// kindOf returns how a type is stored that a field has, or has at its core.
func kindOf(t reflect.Type, f *parser.Field) (parser.Kind, error) {
	if f.Type.Reflect == t && f.Type.Kind != "" {
		return f.Type.Kind, nil
	}
	switch t {
	case reflect.TypeFor[StringSet](), reflect.TypeFor[NumberSet](), reflect.TypeFor[BinarySet]():
		return parser.List, nil
	}
	d, err := parser.TypeOf(t)
	return d.Kind, err
}

// fieldCoder returns the coder of a type under the options of a field.
func (c *compiler) fieldCoder(t reflect.Type, f *parser.Field) (coder, error) {
	if f.JSON {
		return &textCoder{&jsonText{typed{t}}, nilAbsence(t)}, nil
	}
	if t.Kind() == reflect.Pointer {
		inner, err := c.fieldCoder(t.Elem(), f)
		if err != nil {
			return nil, err
		}
		return &pointerCoder{inner, t.Elem()}, nil
	}
	kind, err := kindOf(t, f)
	if err != nil {
		return nil, err
	}
	switch kind {
	case parser.String:
		return withEnum(stringCoder{}, t, f), nil
	case parser.Bool:
		return boolCoder{}, nil
	case parser.Int, parser.Uint, parser.Float, parser.Number:
		n := plainOf(t, kind, f)
		switch {
		case f.TTL:
			return &numberCoder{ttlText{n, intAt(t.Kind())}, ifZero}, nil
		case f.String:
			return withEnum(&textCoder{plain: n}, t, f), nil
		}
		return withEnum(&numberCoder{plain: n}, t, f), nil
	case parser.Time:
		text := plainOf(t, kind, f)
		if u, ok := text.(unixText); ok {
			if f.TTL {
				text = ttlText{u, func(p unsafe.Pointer) int64 { return u.count(timeAt(p)) }}
			}
			return &numberCoder{text, ifZero}, nil
		}
		return &textCoder{text, ifZero}, nil
	case parser.Text:
		return &textCoder{plainOf(t, kind, f), nilAbsence(t)}, nil
	case parser.Bytes, parser.Binary:
		return &binaryCoder{blobOf(t, kind)}, nil
	case parser.Custom:
		return customCoder{typed{t}}, nil
	case parser.Any:
		return anyCoder{}, nil
	case parser.Struct:
		p, err := c.structProgram(t)
		return &structCoder{typed{t}, p}, err
	case parser.List:
		return c.listCoder(t, f)
	case parser.Map:
		return c.mapCoder(t, f)
	}
	return nil, &parser.DefinitionError{Type: t.String(), Fault: "no coder for the kind " + string(kind)}
}

func (c *compiler) listCoder(t reflect.Type, f *parser.Field) (coder, error) {
	switch {
	case f.Set:
		return setCoder(t, t.Elem(), &sliceMembers{t, t.Elem().Size()})
	case t == reflect.TypeFor[StringSet]():
		return &textSet{members: &sliceMembers{t, t.Elem().Size()}, elem: stringText{}}, nil
	case t == reflect.TypeFor[NumberSet]():
		return &textSet{&sliceMembers{t, t.Elem().Size()}, &numberText{}, numberSet, true}, nil
	case t == reflect.TypeFor[BinarySet]():
		return &blobSet{&sliceMembers{t, t.Elem().Size()}, &byteSlice{}}, nil
	}
	elem, err := c.coderOf(t.Elem())
	if err != nil {
		return nil, err
	}
	list := elems{elem, t.Elem().Size()}
	if t.Kind() == reflect.Array {
		return &arrayCoder{typed{t}, list, t.Len()}, nil
	}
	return &sliceCoder{typed{t}, list}, nil
}

func (c *compiler) mapCoder(t reflect.Type, f *parser.Field) (coder, error) {
	if f.Set {
		return setCoder(t, t.Key(), &mapMembers{typed{t}, t.Elem().Kind() == reflect.Bool})
	}
	value, err := c.coderOf(t.Elem())
	if err != nil {
		return nil, err
	}
	if m := stringMapOf(t, value); m != nil {
		return m, nil
	}
	kind, err := kindOf(t.Key(), &parser.Field{})
	if err != nil {
		return nil, err
	}
	key := plainOf(t.Key(), kind, &parser.Field{Precision: -1})
	if key == nil {
		return nil, &parser.DefinitionError{Type: t.String(), Fault: "the map key can't be stored"}
	}
	return &mapCoder{typed{t}, key, value}, nil
}

// setCoder returns the coder of a set with elements of a type.
func setCoder(t, elem reflect.Type, m members) (coder, error) {
	kind, err := kindOf(elem, &parser.Field{})
	if err != nil {
		return nil, err
	}
	if b := blobOf(elem, kind); b != nil {
		return &blobSet{m, b}, nil
	}
	text := plainOf(elem, kind, &parser.Field{Precision: -1})
	switch kind {
	case parser.Int, parser.Uint, parser.Float:
		return &textSet{m, text, numberSet, false}, nil
	case parser.Number:
		return &textSet{m, text, numberSet, true}, nil
	case parser.String, parser.Text, parser.Time:
		return &textSet{m, text, stringSet, false}, nil
	}
	return nil, &parser.DefinitionError{Type: t.String(), Fault: "the elements can't be in a set"}
}

// nilAbsence is for coders that go by a value's methods: nil is still nothing.
func nilAbsence(t reflect.Type) absence {
	switch t.Kind() {
	case reflect.Pointer, reflect.Slice, reflect.Map, reflect.Interface:
		return ifNil
	}
	return never
}

// plainOf returns the text form of a type, nil for a kind that has none.
func plainOf(t reflect.Type, kind parser.Kind, f *parser.Field) plain {
	switch kind {
	case parser.String:
		return stringText{}
	case parser.Bool:
		return boolText{}
	case parser.Number:
		return numberPlain(t)
	case parser.Text:
		return &marshalText{typed{t}}
	case parser.Time:
		if f.TTL || f.UnixTime || f.UnixMilli {
			return unixText{milli: f.UnixMilli}
		}
		return timeText{digitsOf(f)}
	}
	switch t.Kind() {
	case reflect.Int:
		return &intText[int]{}
	case reflect.Int8:
		return &intText[int8]{}
	case reflect.Int16:
		return &intText[int16]{}
	case reflect.Int32:
		return &intText[int32]{}
	case reflect.Int64:
		return &intText[int64]{}
	case reflect.Uint:
		return &uintText[uint]{}
	case reflect.Uint8:
		return &uintText[uint8]{}
	case reflect.Uint16:
		return &uintText[uint16]{}
	case reflect.Uint32:
		return &uintText[uint32]{}
	case reflect.Uint64:
		return &uintText[uint64]{}
	case reflect.Float32:
		return &floatText[float32]{}
	case reflect.Float64:
		return &floatText[float64]{}
	}
	return nil
}

// digitsOf returns the number of fraction digits with which a time is stored.
func digitsOf(f *parser.Field) int {
	switch {
	case f.TTL || f.UnixTime:
		return 0
	case f.UnixMilli:
		return 3
	case f.Precision >= 0:
		return min(f.Precision, 9)
	case f.Created || f.Updated || f.Deleted:
		return generatedDigits
	}
	return defaultDigits
}

// blobOf returns the form in bytes of a type, nil for a kind that has none.
func blobOf(t reflect.Type, kind parser.Kind) blob {
	switch {
	case kind == parser.Binary:
		return &marshalBinary{typed{t}, nilAbsence(t) == ifNil}
	case kind == parser.Bytes && t.Kind() == reflect.Array:
		return &byteArray{t.Len()}
	case kind == parser.Bytes:
		return &byteSlice{}
	}
	return nil
}

// enumCoder refuses values outside of an enum. The zero value stands for no
// choice and passes.
type enumCoder struct {
	coder
	enum []string
	has  func(p unsafe.Pointer) bool
}

func withEnum(c coder, t reflect.Type, f *parser.Field) coder {
	if len(f.Enum) == 0 {
		return c
	}
	switch t.Kind() {
	case reflect.String:
		return &enumCoder{c, f.Enum, func(p unsafe.Pointer) bool { return slices.Contains(f.Enum, *(*string)(p)) }}
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		at := uintAt(t.Kind())
		return &enumCoder{c, f.Enum, func(p unsafe.Pointer) bool {
			return slices.Contains(f.Enum, strconv.FormatUint(at(p), 10))
		}}
	}
	at := intAt(t.Kind())
	return &enumCoder{c, f.Enum, func(p unsafe.Pointer) bool {
		return slices.Contains(f.Enum, strconv.FormatInt(at(p), 10))
	}}
}

func (c *enumCoder) check(p unsafe.Pointer) error {
	if c.zero(p) || c.has(p) {
		return nil
	}
	return &EncodeError{Reason: "the value is none of " + strings.Join(c.enum, ", ")}
}

func (c *enumCoder) encode(e *encoder, p unsafe.Pointer) (types.AttributeValue, error) {
	if err := c.check(p); err != nil {
		return nil, err
	}
	return c.coder.encode(e, p)
}

func (c *enumCoder) append(e *encoder, dst []byte, p unsafe.Pointer) ([]byte, bool, error) {
	if err := c.check(p); err != nil {
		return dst, false, err
	}
	return c.coder.append(e, dst, p)
}

// count adds to n what the attributes of a program need, lists and maps of any
// length aside.
func (n *budget) count(p *program, depth int) {
	for i := range p.fields {
		n.countOne(p.fields[i].coder, depth)
	}
}

// maxCounted is how deep nested structs are counted in advance.
const maxCounted = 3

func (n *budget) countOne(c coder, depth int) {
	switch c := c.(type) {
	case stringCoder:
		n.s++
	case *textCoder:
		n.s++
		n.text += textRoom
	case *numberCoder:
		n.s++
		n.text += 20
	case boolCoder:
		n.bools++
	case *binaryCoder:
		n.b++
	case *pointerCoder:
		n.countOne(c.coder, depth)
	case *enumCoder:
		n.countOne(c.coder, depth)
	case *sliceCoder, *arrayCoder:
		n.l++
	case *structCoder:
		n.m++
		if depth < maxCounted {
			n.count(c.program, depth+1)
		}
	}
}
