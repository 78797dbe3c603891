package dynorm

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"slices"
	"unsafe"

	"github.com/dynorm/dynorm/internal/codec"
	"github.com/dynorm/dynorm/parser"
)

// Fill sets fields of v from a map, by Go name or attribute name, as it comes
// from a form or an API: what its sender may not set is refused. That is a field
// tagged `readonly` or `hidden`, and one that the library keeps: a generated
// identifier, a timestamp, the version. A value of another type is converted
// where nothing is lost; nil clears the field. All faults come at once, and then
// v is as it was. It sends nothing.
func (m Model[T]) Fill(v *T, values map[string]any) error {
	return model(m).fill(unsafe.Pointer(v), values)
}

func (m model) fill(v unsafe.Pointer, values map[string]any) error {
	if err := m.check(v); err != nil {
		return opError("Fill", m.e, err)
	}
	before := m.maker.new()
	m.maker.set(before, v)
	var faults []error
	for _, name := range slices.Sorted(maps.Keys(values)) {
		if err := m.e.fillField(v, name, values[name]); err != nil {
			faults = append(faults, err)
		}
	}
	if len(faults) == 0 {
		return nil
	}
	m.maker.set(v, before)
	if len(faults) == 1 {
		return opError("Fill", m.e, faults[0])
	}
	return opError("Fill", m.e, &faultList{errors.Join(faults...), faults})
}

// faultList is several faults of one call.
type faultList struct {
	error
	list []error
}

func (l *faultList) Unwrap() []error { return l.list }
func (l *faultList) carries()        {}

// FillJSON is [Model.Fill] from a JSON object. Numbers keep all their digits.
func (m Model[T]) FillJSON(v *T, object []byte) error {
	return model(m).fillJSON(unsafe.Pointer(v), object)
}

func (m model) fillJSON(v unsafe.Pointer, object []byte) error {
	if err := m.check(v); err != nil {
		return opError("FillJSON", m.e, err)
	}
	dec := json.NewDecoder(bytes.NewReader(object))
	dec.UseNumber()
	var values map[string]any
	if err := dec.Decode(&values); err != nil {
		return opError("FillJSON", m.e, faultf(ErrValue, "%w", err))
	}
	if _, err := dec.Token(); err != io.EOF {
		return opError("FillJSON", m.e, faultf(ErrValue, "there is more than one JSON object"))
	}
	return m.fill(v, values)
}

func (e *entity) fillField(v unsafe.Pointer, name string, val any) error {
	i, ok := e.codec.Lookup(name)
	if !ok {
		_, err := named(name).resolve(e)
		if err == nil {
			err = faultf(ErrUnknownField, "Fill takes fields, not paths: %s", name)
		}
		return err
	}
	f := e.codec.Field(i)
	if guarded(f) {
		return atField(f.Name, faultf(ErrInvalid, "can't be filled from outside"))
	}
	if val == nil {
		f.Clear(v)
		return nil
	}
	var err error
	if text, ok := val.(string); ok && f.Type.Kind == parser.Time {
		err = f.SetText(v, text) // JSON has no times
	} else {
		err = f.SetValue(v, val)
	}
	if err != nil {
		return atField(f.Name, faultf(ErrValue, "%w", err))
	}
	return nil
}

// guarded reports whether a field is not for mass assignment.
func guarded(f *codec.Field) bool {
	return f.ReadOnly || f.Hidden || f.Generator != "" || f.Version || f.Created || f.Updated || f.Deleted
}

// Visible returns the fields of v by attribute name without those tagged
// `hidden`, for output. Fields that would not be stored are left out.
func (m Model[T]) Visible(v *T) (Record, error) { return model(m).visible(unsafe.Pointer(v)) }

func (m model) visible(v unsafe.Pointer) (Record, error) {
	if err := m.check(v); err != nil {
		return nil, opError("Visible", m.e, err)
	}
	r := Record{}
	for i := range m.e.codec.NumFields() {
		f := m.e.codec.Field(i)
		if f.Hidden {
			continue
		}
		_, ok, err := f.Encode(v)
		if err != nil {
			return nil, opError("Visible", m.e, encodeError(err))
		}
		if ok {
			r[f.Attr] = f.Value(v)
		}
	}
	return r, nil
}
