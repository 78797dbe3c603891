package codec

import (
	"time"
	"unsafe"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/dynorm/dynorm/internal/keytmpl"
	"github.com/dynorm/dynorm/parser"
)

// Field reads, writes and converts one field. Its methods take the address of
// the whole struct, also for a field reached through nested ones.
type Field struct {
	parser.Field
}

// AttrPath returns the steps of the field's document path: its attribute name
// alone for a field of the struct itself; list indexes are written "[3]".
func (f *Field) AttrPath() []string { return nil }

// Input describes the field to the key templates; ok is false when values of
// its kind can't be part of a key.
func (f *Field) Input() (in keytmpl.Input, ok bool) { return keytmpl.Input{}, false }

// Encode returns the attribute of the field; ok is false when it is omitted.
func (f *Field) Encode(v unsafe.Pointer) (av types.AttributeValue, ok bool, err error) {
	return nil, false, errUnbuilt
}

// Decode sets the field to what an attribute says; nil and NULL set its zero
// value.
func (f *Field) Decode(av types.AttributeValue, v unsafe.Pointer) error { return errUnbuilt }

// EncodeValue encodes a loose value as the field would be in a write: nil
// means that it would be omitted, so that setting it is removing it. The
// value's type must be the field's, or convert to it without loss. A
// types.AttributeValue of a fitting kind passes through.
func (f *Field) EncodeValue(val any) (types.AttributeValue, error) { return nil, errUnbuilt }

// EncodeOperand is [Field.EncodeValue] for an operand of a condition, which
// can't be omitted: zero values are encoded as such, nil as NULL.
func (f *Field) EncodeOperand(val any) (types.AttributeValue, error) { return nil, errUnbuilt }

// EncodeElem encodes one element of the list, map or set, as contains takes it.
func (f *Field) EncodeElem(val any) (types.AttributeValue, error) { return nil, errUnbuilt }

// EncodeElems encodes elements as a value of the field's own kind, a list or a
// set, as list_append, ADD and DELETE take them.
func (f *Field) EncodeElems(vals ...any) (types.AttributeValue, error) { return nil, errUnbuilt }

// Part returns the field's part of a key: missing for nil, "" and the zero
// time.
func (f *Field) Part(v unsafe.Pointer) (keytmpl.Part, error) { return keytmpl.Part{}, errUnbuilt }

// PartOf returns the part of a key that a stored attribute stands for.
func (f *Field) PartOf(av types.AttributeValue) (keytmpl.Part, error) {
	return keytmpl.Part{}, errUnbuilt
}

// PartOfItem is [Field.PartOf] for the attribute of a whole item.
func (f *Field) PartOfItem(item map[string]types.AttributeValue) (keytmpl.Part, error) {
	return keytmpl.Part{}, errUnbuilt
}

// PartFrom returns the part of a key that a loose value stands for, converted
// as by [Field.EncodeValue].
func (f *Field) PartFrom(val any) (keytmpl.Part, error) { return keytmpl.Part{}, errUnbuilt }

// SetPart sets the field to a part of a key.
func (f *Field) SetPart(v unsafe.Pointer, p keytmpl.Part) error { return errUnbuilt }

// SetText sets the field from text: a default, an identifier. Numbers are
// decimal, times RFC 3339.
func (f *Field) SetText(v unsafe.Pointer, text string) error { return errUnbuilt }

// CheckText reports whether SetText would take the text.
func (f *Field) CheckText(text string) error { return errUnbuilt }

// IsZero reports whether the field holds its zero value. A nil embedded
// pointer on the way counts as zero.
func (f *Field) IsZero(v unsafe.Pointer) bool { return true }

// Clear sets the field to its zero value.
func (f *Field) Clear(v unsafe.Pointer) {}

// Value returns the field's value, nil for a nil pointer.
func (f *Field) Value(v unsafe.Pointer) any { return nil }

// SetValue sets the field to a loose value, converted as by
// [Field.EncodeValue].
func (f *Field) SetValue(v unsafe.Pointer, val any) error { return errUnbuilt }

// Int returns the value of an integer field, 0 for a nil pointer.
func (f *Field) Int(v unsafe.Pointer) int64 { return 0 }

// SetInt sets an integer field; an integer that does not fit is an error.
func (f *Field) SetInt(v unsafe.Pointer, n int64) error { return errUnbuilt }

// Time returns the moment that a time field, or an integer field of Unix
// seconds (milliseconds with `unixmilli`), holds; the zero time for nil and
// for the integer 0.
func (f *Field) Time(v unsafe.Pointer) time.Time { return time.Time{} }

// SetTime sets a field that [Field.Time] reads, to the field's precision. The
// zero time clears it.
func (f *Field) SetTime(v unsafe.Pointer, t time.Time) error { return errUnbuilt }
