package codec

import (
	"reflect"
	"time"
	"unsafe"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/dynorm/dynorm/internal/keytmpl"
	"github.com/dynorm/dynorm/parser"
)

// Field reads, writes and converts one field. Its methods take the address of
// the whole struct, also for a field reached through nested ones. A field
// reached through a map or a list lies at no fixed place: it converts loose
// values and attributes, and its methods that take a struct find nothing there.
type Field struct {
	parser.Field

	owner string // the type that errors name
	path  []Step
	place *place // nil for a field inside a map or a list
	step  *step
	key   keyPart
}

// Step is one step of a document path: the name of an attribute or of a map
// entry, or the index of a list element.
type Step struct {
	Name  string
	Index int
	List  bool
}

func fieldOf(t reflect.Type, s *step) Field {
	return Field{
		Field: s.def, owner: t.Name(), path: []Step{{Name: s.attr}},
		place: &s.place, step: s, key: keyPartOf(s.typ, &s.def),
	}
}

// Path returns the field's document path.
func (f *Field) Path() []Step { return f.path }

// Root returns the name of the attribute that the field is, or is a part of.
func (f *Field) Root() string { return f.path[0].Name }

// AttrPath returns the steps of the document path as text; list indexes are
// written "[3]".
func (f *Field) AttrPath() []string {
	steps := make([]string, len(f.path))
	for i, s := range f.path {
		steps[i] = s.Name
		if s.List {
			steps[i] = indexStep(s.Index)
		}
	}
	return steps
}

// GoType returns the field's Go type.
func (f *Field) GoType() reflect.Type { return f.step.typ }

// at returns the field's address, nil when there is none.
func (f *Field) at(v unsafe.Pointer) unsafe.Pointer {
	if f.place == nil {
		return nil
	}
	return f.place.at(v)
}

// reach is at, allocating what is missing on the way.
func (f *Field) reach(v unsafe.Pointer) (unsafe.Pointer, error) {
	if f.place == nil {
		return nil, f.fault(&EncodeError{Reason: "an element of a map or a list has no fixed place"})
	}
	return f.place.reach(v), nil
}

// temp returns the address of a fresh value of the field's type.
func (f *Field) temp() reflect.Value { return reflect.New(f.step.typ) }

// fault completes an error of the field's coder.
func (f *Field) fault(err error) error {
	return within(under(err, f.Name), f.owner)
}

// Encode returns the attribute of the field; ok is false when it is omitted.
func (f *Field) Encode(v unsafe.Pointer) (av types.AttributeValue, ok bool, err error) {
	p := f.at(v)
	if p == nil {
		return nil, false, nil
	}
	av, err = f.encodeAt(p, f.OmitEmpty)
	return av, av != nil, err
}

// encodeAt encodes the value at p, which is of the field's type.
func (f *Field) encodeAt(p unsafe.Pointer, omitEmpty bool) (types.AttributeValue, error) {
	if omitEmpty && f.step.coder.zero(p) {
		return nil, nil
	}
	e := newEncoder(&budget{})
	defer e.release()
	av, err := f.step.coder.encode(e, p)
	if err != nil {
		return nil, f.fault(err)
	}
	if av == nil && f.Null {
		av = e.newNull()
	}
	return av, nil
}

// Decode sets the field to what an attribute says; nil and NULL set its zero
// value.
func (f *Field) Decode(av types.AttributeValue, v unsafe.Pointer) error {
	p, err := f.reach(v)
	if err != nil {
		return err
	}
	return f.decodeAt(av, p)
}

func (f *Field) decodeAt(av types.AttributeValue, p unsafe.Pointer) error {
	if err := f.step.coder.decode(0, av, p); err != nil {
		return f.fault(err)
	}
	return nil
}

// IsZero reports whether the field holds its zero value, an empty list, map or
// set, or a value whose IsZero method says so. A nil embedded pointer on the
// way counts as zero.
func (f *Field) IsZero(v unsafe.Pointer) bool {
	p := f.at(v)
	return p == nil || f.step.coder.zero(p)
}

// Clear sets the field to its zero value.
func (f *Field) Clear(v unsafe.Pointer) {
	if p := f.at(v); p != nil {
		f.step.coder.clear(p)
	}
}

// Value returns the field's value, pointers looked through: nil for a nil one.
func (f *Field) Value(v unsafe.Pointer) any {
	p := f.at(v)
	if p == nil {
		return nil
	}
	x := reflect.NewAt(f.step.typ, p).Elem()
	if x.Kind() == reflect.Pointer {
		if x.IsNil() {
			return nil
		}
		x = x.Elem()
	}
	return x.Interface()
}

// SetValue sets the field to a loose value, converted as by
// [Field.EncodeValue].
func (f *Field) SetValue(v unsafe.Pointer, val any) error {
	x, err := f.convert(val)
	if err != nil {
		return err
	}
	p, err := f.reach(v)
	if err != nil {
		return err
	}
	reflect.NewAt(f.step.typ, p).Elem().Set(x)
	return nil
}

// SetText sets the field from text: a default, an identifier. Numbers are
// decimal, times RFC 3339, bytes hexadecimal.
func (f *Field) SetText(v unsafe.Pointer, text string) error {
	p, err := f.reach(v)
	if err != nil {
		return err
	}
	x := f.temp()
	if err := f.parseText(x, text); err != nil {
		return f.fault(encodeFault(err))
	}
	reflect.NewAt(f.step.typ, p).Elem().Set(x.Elem())
	return nil
}

// CheckText reports whether SetText would take the text.
func (f *Field) CheckText(text string) error {
	if err := f.parseText(f.temp(), text); err != nil {
		return f.fault(encodeFault(err))
	}
	return nil
}

func (f *Field) parseText(x reflect.Value, text string) error {
	if f.JSON {
		return (&jsonText{typed{f.step.typ}}).parse(text, x.UnsafePointer())
	}
	x = x.Elem()
	if x.Kind() == reflect.Pointer {
		x.Set(reflect.New(x.Type().Elem()))
		x = x.Elem()
	}
	kind, err := kindOf(x.Type(), &f.Field)
	if err != nil {
		return err
	}
	if b := blobOf(x.Type(), kind); b != nil {
		return parseHex(b, text, x.Addr().UnsafePointer())
	}
	if kind == parser.Time {
		return timeText{}.parse(text, x.Addr().UnsafePointer())
	}
	c := plainOf(x.Type(), kind, &f.Field)
	if c == nil {
		return reason("a " + string(kind) + " can't be read from text")
	}
	return c.parse(text, x.Addr().UnsafePointer())
}

// Int returns the value of an integer field, 0 for a nil pointer and for a
// field that holds no integer.
func (f *Field) Int(v unsafe.Pointer) int64 {
	p, t := f.core(v)
	if p == nil {
		return 0
	}
	if at := intAt(t.Kind()); at != nil {
		return at(p)
	}
	return 0
}

// core returns the address and type of the field's value, pointers looked
// through; nil for a nil one.
func (f *Field) core(v unsafe.Pointer) (unsafe.Pointer, reflect.Type) {
	p, t := f.at(v), f.step.typ
	if p != nil && t.Kind() == reflect.Pointer {
		return *(*unsafe.Pointer)(p), t.Elem()
	}
	return p, t
}

// SetInt sets an integer field; an integer that does not fit is an error.
func (f *Field) SetInt(v unsafe.Pointer, n int64) error { return f.SetValue(v, n) }

// isTime reports whether values of the type are times.
func (f *Field) isTime(t reflect.Type) bool {
	kind, err := kindOf(t, &f.Field)
	return err == nil && kind == parser.Time
}

// Time returns the moment that a time field, or an integer field of Unix
// seconds (milliseconds with `unixmilli`), holds; the zero time for nil and
// for the integer 0.
func (f *Field) Time(v unsafe.Pointer) time.Time {
	p, t := f.core(v)
	if p == nil {
		return time.Time{}
	}
	if f.isTime(t) {
		return timeAt(p)
	}
	if at := intAt(t.Kind()); at != nil && at(p) != 0 {
		return unixText{milli: f.UnixMilli}.moment(at(p))
	}
	return time.Time{}
}

// SetTime sets a field that [Field.Time] reads, to the precision with which it
// is stored. The zero time clears it.
func (f *Field) SetTime(v unsafe.Pointer, t time.Time) error {
	if t.IsZero() {
		f.Clear(v)
		return nil
	}
	typ := f.step.typ
	if typ.Kind() == reflect.Pointer {
		typ = typ.Elem()
	}
	if f.isTime(typ) {
		return f.SetValue(v, truncate(t, digitsOf(&f.Field)))
	}
	return f.SetValue(v, unixText{milli: f.UnixMilli}.count(t))
}

// Part returns the field's part of a key: missing for nil, "", the zero time
// and an identifier of zero bytes.
func (f *Field) Part(v unsafe.Pointer) (keytmpl.Part, error) {
	p := f.at(v)
	if p == nil {
		return keytmpl.Missing(), nil
	}
	return f.partAt(p)
}

func (f *Field) partAt(p unsafe.Pointer) (keytmpl.Part, error) {
	part, err := f.key.get(p)
	if err != nil {
		return keytmpl.Missing(), f.fault(encodeFault(err))
	}
	return part, nil
}

// StoredPart returns the part of a key that the field's attribute stands for
// once the struct at v is stored.
func (f *Field) StoredPart(v unsafe.Pointer) (keytmpl.Part, error) {
	p := f.at(v)
	if p == nil || f.OmitEmpty && f.step.coder.zero(p) {
		return f.PartOf(nil)
	}
	return f.partAt(p)
}

// Fixed reports whether the field lies at a fixed place in the struct: not in a
// map or a list.
func (f *Field) Fixed() bool { return f.place != nil }

// PartOf returns the part of a key that a stored attribute stands for.
func (f *Field) PartOf(av types.AttributeValue) (keytmpl.Part, error) {
	if part, ok := f.fastPart(av); ok {
		return part, nil
	}
	p := f.temp().UnsafePointer()
	if err := f.decodeAt(av, p); err != nil {
		return keytmpl.Missing(), err
	}
	return f.partAt(p)
}

// PartOfItem is [Field.PartOf] for the attribute in a whole item.
func (f *Field) PartOfItem(item map[string]types.AttributeValue) (keytmpl.Part, error) {
	return f.PartOf(f.In(item))
}

// In returns the field's attribute in an item, nil when it is not there.
func (f *Field) In(item map[string]types.AttributeValue) types.AttributeValue {
	av := item[f.path[0].Name]
	for _, s := range f.path[1:] {
		switch v := av.(type) {
		case *types.AttributeValueMemberM:
			av = v.Value[s.Name]
		case *types.AttributeValueMemberL:
			if !s.List || s.Index >= len(v.Value) {
				return nil
			}
			av = v.Value[s.Index]
		default:
			return nil
		}
	}
	return av
}

// PartFrom returns the part of a key that a loose value stands for, converted
// as by [Field.EncodeValue].
func (f *Field) PartFrom(val any) (keytmpl.Part, error) {
	if av, ok := val.(types.AttributeValue); ok {
		return f.PartOf(av)
	}
	x, err := f.convert(val)
	if err != nil {
		return keytmpl.Missing(), err
	}
	return f.partAt(x.Addr().UnsafePointer())
}

// SetPart sets the field to a part of a key. A missing part clears it.
func (f *Field) SetPart(v unsafe.Pointer, part keytmpl.Part) error {
	if part.IsMissing() {
		f.Clear(v)
		return nil
	}
	p, err := f.reach(v)
	if err != nil {
		return err
	}
	x := f.temp()
	if err := f.key.set(x.UnsafePointer(), part); err != nil {
		return f.fault(encodeFault(err))
	}
	reflect.NewAt(f.step.typ, p).Elem().Set(x.Elem())
	return nil
}

// Input describes the field to the key templates; ok is false when values of
// its kind can't be part of a key.
func (f *Field) Input() (in keytmpl.Input, ok bool) { return f.key.input, f.key.input.Kind != 0 }
