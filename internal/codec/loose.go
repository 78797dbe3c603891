package codec

import (
	"reflect"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/dynorm/dynorm/parser"
)

// EncodeValue encodes a loose value as the field would be in a write: nil
// means that it would be omitted, so that setting it is removing it. The
// value's type must be the field's, or convert to it without loss: numbers of
// other types that hold the same number, named types, elements of lists and
// maps likewise, and text for a type with UnmarshalText. A
// types.AttributeValue that the field could be decoded from passes through.
// Errors are *[EncodeError], or *[DecodeError] for an attribute value.
func (f *Field) EncodeValue(val any) (types.AttributeValue, error) {
	if _, isTime := val.(time.Time); !isTime && !f.OmitEmpty { // a zero time is omitted
		if av := f.fastOperand(val); av != nil {
			return av, nil
		}
	}
	if av, ok := val.(types.AttributeValue); ok {
		return f.pass(av)
	}
	x, err := f.convert(val)
	if err != nil {
		return nil, err
	}
	return f.encodeAt(x.Addr().UnsafePointer(), f.OmitEmpty)
}

// EncodeOperand is [Field.EncodeValue] for an operand of a condition, which
// can't be omitted: zero values are encoded as such and nil as NULL; an empty
// set is an error.
func (f *Field) EncodeOperand(val any) (types.AttributeValue, error) {
	if av := f.fastOperand(val); av != nil {
		return av, nil
	}
	if av, ok := val.(types.AttributeValue); ok {
		return f.pass(av)
	}
	x, err := f.convert(val)
	if err != nil {
		return nil, err
	}
	if x.Kind() == reflect.Pointer && !x.IsNil() {
		x = x.Elem()
	}
	e := newEncoder(&budget{})
	defer e.release()
	c := f.step.coder
	if p, ok := c.(*pointerCoder); ok && x.Type() == p.elem {
		c = p.coder
	}
	at := x.Addr().UnsafePointer()
	switch v := c.(type) {
	case *textCoder:
		if v.absent == ifZero {
			c = &textCoder{plain: v.plain}
		}
	case *numberCoder:
		c = &numberCoder{plain: v.plain}
	}
	av, err := c.encode(e, at)
	if err != nil {
		return nil, f.fault(err)
	}
	if av == nil {
		switch c.(type) {
		case *textSet, *blobSet:
			return nil, f.fault(&EncodeError{Reason: "an empty set can't be compared with"})
		}
		return e.newNull(), nil
	}
	return av, nil
}

// pass checks an attribute value by decoding it.
func (f *Field) pass(av types.AttributeValue) (types.AttributeValue, error) {
	if err := checkValue(av, 0); err != nil {
		return nil, f.fault(err)
	}
	if err := f.decodeAt(av, f.temp().UnsafePointer()); err != nil {
		return nil, err
	}
	return av, nil
}

// EncodeElem encodes one element of the list, map or set, or a part of a
// string or of bytes, as contains and begins_with take it.
func (f *Field) EncodeElem(val any) (types.AttributeValue, error) {
	c, t := f.elem()
	if c == nil {
		switch core := coreCoder(f.step.coder).(type) {
		case anyCoder:
			av, err := EncodeAny(val)
			return av, f.faultOf(err)
		case stringCoder, *binaryCoder:
			// A part of a value need not be in its enum.
			part, inner := *f, *f.step
			inner.coder = core
			if inner.typ.Kind() == reflect.Pointer {
				inner.typ = inner.typ.Elem()
			}
			part.step = &inner
			return part.EncodeOperand(val)
		}
		return nil, f.fault(&EncodeError{Reason: "it has no elements"})
	}
	av, err := f.encodeElem(c, t, val)
	return av, f.faultOf(err)
}

func (f *Field) faultOf(err error) error {
	if err == nil {
		return nil
	}
	return f.fault(err)
}

func (f *Field) encodeElem(c coder, t reflect.Type, val any) (types.AttributeValue, error) {
	x := reflect.New(t)
	if av, ok := val.(types.AttributeValue); ok {
		if err := checkValue(av, 1); err != nil {
			return nil, err
		}
		return av, c.decode(level(0), av, x.UnsafePointer())
	}
	if err := assign(x.Elem(), reflect.ValueOf(val), &parser.Field{Precision: -1}); err != nil {
		return nil, err
	}
	e := newEncoder(&budget{})
	defer e.release()
	av, err := c.encode(e, x.UnsafePointer())
	if err != nil {
		return nil, err
	}
	return e.orNull(av), nil
}

// EncodeElems encodes elements as a value of the field's own kind, a list or a
// set, as list_append, ADD and DELETE take them. No elements of a set are an
// error.
func (f *Field) EncodeElems(vals ...any) (types.AttributeValue, error) {
	c, t := f.elem()
	if c == nil && f.Type.Kind == parser.Any {
		c, t = anyCoder{}, reflect.TypeFor[any]()
	}
	if c == nil {
		return nil, f.fault(&EncodeError{Reason: "it has no elements"})
	}
	list := make([]types.AttributeValue, len(vals))
	for i, val := range vals {
		av, err := f.encodeElem(c, t, val)
		if err != nil {
			return nil, f.fault(under(err, indexStep(i)))
		}
		list[i] = av
	}
	set := coreCoder(f.step.coder)
	switch set.(type) {
	case *textSet, *blobSet:
		if len(list) == 0 {
			return nil, f.fault(&EncodeError{Reason: "an empty set can't be stored"})
		}
		// Through the field's own type, so that the elements come out sorted
		// and each once.
		x := f.temp().Elem()
		if x.Kind() == reflect.Pointer {
			x = reflect.New(x.Type().Elem()).Elem()
		}
		at := x.Addr().UnsafePointer()
		if err := set.decode(level(0), &types.AttributeValueMemberL{Value: list}, at); err != nil {
			return nil, f.fault(err)
		}
		e := newEncoder(&budget{})
		defer e.release()
		av, err := set.encode(e, at)
		return av, f.faultOf(err)
	}
	return &types.AttributeValueMemberL{Value: list}, nil
}

// coreCoder returns the coder behind a pointer and an enum.
func coreCoder(c coder) coder {
	if p, ok := c.(*pointerCoder); ok {
		c = p.coder
	}
	if e, ok := c.(*enumCoder); ok {
		c = e.coder
	}
	return c
}

// elem returns the coder and type of the field's elements, nil when it has
// none.
func (f *Field) elem() (coder, reflect.Type) {
	t := f.step.typ
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	return elemOf(coreCoder(f.step.coder), t)
}

func elemOf(c coder, t reflect.Type) (coder, reflect.Type) {
	switch c := c.(type) {
	case *sliceCoder:
		return c.elems.coder, t.Elem()
	case *arrayCoder:
		return c.elems.coder, t.Elem()
	case *mapCoder:
		return c.value, t.Elem()
	case interface{ valueCoder() coder }:
		return c.valueCoder(), t.Elem()
	case *textSet:
		if c.kind == numberSet {
			return &numberCoder{plain: c.elem}, memberType(t)
		}
		return &textCoder{plain: c.elem}, memberType(t)
	case *blobSet:
		return &binaryCoder{c.elem}, memberType(t)
	}
	return nil, nil
}

// memberType returns the type of a set's elements.
func memberType(t reflect.Type) reflect.Type {
	if t.Kind() == reflect.Map {
		return t.Key()
	}
	return t.Elem()
}

// convert returns an addressable value of the field's type that holds val.
func (f *Field) convert(val any) (reflect.Value, error) {
	x := f.temp().Elem()
	if err := assign(x, reflect.ValueOf(val), &f.Field); err != nil {
		return x, f.fault(err)
	}
	return x, nil
}

// assign sets dst to a value of another type that stands for the same. The
// options of f are those of dst.
func assign(dst, val reflect.Value, f *parser.Field) error {
	if !val.IsValid() {
		if !nilable(dst.Kind()) {
			return &EncodeError{Want: dst.Type().String(), Got: "nil"}
		}
		dst.SetZero()
		return nil
	}
	if val.Type() == dst.Type() {
		dst.Set(val)
		return nil
	}
	switch {
	case dst.Kind() == reflect.Interface && val.Type().AssignableTo(dst.Type()):
		dst.Set(val)
		return nil
	case val.Kind() == reflect.Pointer || val.Kind() == reflect.Interface:
		return assign(dst, val.Elem(), f)
	case dst.Kind() == reflect.Pointer:
		x := reflect.New(dst.Type().Elem())
		if err := assign(x.Elem(), val, f); err != nil {
			return err
		}
		dst.Set(x)
		return nil
	}
	mismatch := &EncodeError{Want: dst.Type().String(), Got: val.Type().String()}
	want, err := kindOf(dst.Type(), f)
	if err != nil {
		return mismatch
	}
	got, err := kindOf(val.Type(), &parser.Field{})
	if err != nil {
		return mismatch
	}
	switch {
	case isNumeric(want) && isNumeric(got):
		if convertNumber(dst, want, val, got) {
			return nil
		}
		mismatch.Reason = "the number would change"
	case want == parser.Text && got == parser.String:
		if err := (&marshalText{typed{dst.Type()}}).parse(val.String(), dst.Addr().UnsafePointer()); err != nil {
			return encodeFault(err)
		}
		return nil
	case want == parser.Bytes && got == parser.Bytes:
		return assignBytes(dst, val)
	case want == parser.List && got == parser.List:
		return assignList(dst, val)
	case want == parser.Map && got == parser.Map:
		return assignMap(dst, val)
	case want == parser.Map && got == parser.List && f.Set:
		return assignMembers(dst, val)
	case want == parser.Struct && got == parser.Map && val.Type().Key().Kind() == reflect.String:
		return assignStruct(dst, val)
	case want == got && val.Type().ConvertibleTo(dst.Type()):
		dst.Set(val.Convert(dst.Type()))
		return nil
	}
	return mismatch
}

func nilable(k reflect.Kind) bool {
	return k == reflect.Pointer || k == reflect.Slice || k == reflect.Map || k == reflect.Interface
}

func isNumeric(k parser.Kind) bool {
	return k == parser.Int || k == parser.Uint || k == parser.Float || k == parser.Number
}

// convertNumber goes by the decimal text, and back, to see that it is the same.
func convertNumber(dst reflect.Value, want parser.Kind, val reflect.Value, got parser.Kind) bool {
	from := reflect.New(val.Type())
	from.Elem().Set(val)
	source, target := plainOf(val.Type(), got, &parser.Field{}), plainOf(dst.Type(), want, &parser.Field{})
	text, err := source.append(nil, from.UnsafePointer())
	if err != nil || target.parse(string(text), dst.Addr().UnsafePointer()) != nil {
		return false
	}
	back, err := target.append(nil, dst.Addr().UnsafePointer())
	return err == nil && equalNumbers(string(text), string(back))
}

func assignBytes(dst, val reflect.Value) error {
	data := make([]byte, val.Len())
	for i := range data {
		data[i] = byte(val.Index(i).Uint())
	}
	return encodeFaultOf(blobOf(dst.Type(), parser.Bytes).setBytes(data, dst.Addr().UnsafePointer()))
}

func assignList(dst, val reflect.Value) error {
	if dst.Kind() == reflect.Slice {
		if val.Kind() == reflect.Slice && val.IsNil() {
			dst.SetZero()
			return nil
		}
		dst.Set(reflect.MakeSlice(dst.Type(), val.Len(), val.Len()))
	} else if val.Len() > dst.Len() {
		return &EncodeError{Reason: tooLong(dst.Len(), val.Len())}
	}
	for i := range val.Len() {
		if err := assign(dst.Index(i), val.Index(i), &parser.Field{}); err != nil {
			return under(err, indexStep(i))
		}
	}
	return nil
}

func assignMap(dst, val reflect.Value) error {
	if val.IsNil() {
		dst.SetZero()
		return nil
	}
	m := reflect.MakeMapWithSize(dst.Type(), val.Len())
	for iter := val.MapRange(); iter.Next(); {
		key, value := reflect.New(dst.Type().Key()).Elem(), reflect.New(dst.Type().Elem()).Elem()
		if err := assign(key, iter.Key(), &parser.Field{}); err != nil {
			return under(err, "[key]")
		}
		if err := assign(value, iter.Value(), &parser.Field{}); err != nil {
			return under(err, "[value]")
		}
		m.SetMapIndex(key, value)
	}
	dst.Set(m)
	return nil
}

// assignMembers sets a set held in the keys of a map from a list.
func assignMembers(dst, val reflect.Value) error {
	m := reflect.MakeMapWithSize(dst.Type(), val.Len())
	present := reflect.New(dst.Type().Elem()).Elem()
	if present.Kind() == reflect.Bool {
		present.SetBool(true)
	}
	for i := range val.Len() {
		key := reflect.New(dst.Type().Key()).Elem()
		if err := assign(key, val.Index(i), &parser.Field{}); err != nil {
			return under(err, indexStep(i))
		}
		m.SetMapIndex(key, present)
	}
	dst.Set(m)
	return nil
}

// assignStruct sets a struct from a map with its fields' names or attributes.
func assignStruct(dst, val reflect.Value) error {
	fields, err := parser.Fields(dst.Type())
	if err != nil {
		return typeFault(err)
	}
	left := val.Len()
	for _, f := range fields {
		for _, name := range []string{f.Attr, f.Name} {
			v := val.MapIndex(reflect.ValueOf(name).Convert(val.Type().Key()))
			if !v.IsValid() {
				continue
			}
			l, typ := placeOf(dst.Type(), f.Path)
			at := reflect.NewAt(typ, l.reach(dst.Addr().UnsafePointer())).Elem()
			if err := assign(at, v, &f); err != nil {
				return under(err, f.Name)
			}
			left--
			break
		}
	}
	if left > 0 {
		return &EncodeError{Reason: "a name is no field of " + dst.Type().String()}
	}
	return nil
}
