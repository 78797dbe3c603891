package wire

import (
	"encoding/base64"
	"strconv"
	"unsafe"

	"github.com/dynorm/dynorm/internal/engine/value"
)

// AppendString appends s as a JSON string.
func AppendString(dst []byte, s string) []byte {
	dst = append(dst, '"')
	from := 0
	for i := range len(s) {
		c := s[i]
		if c >= ' ' && c != '"' && c != '\\' {
			continue
		}
		dst = append(dst, s[from:i]...)
		from = i + 1
		switch c {
		case '"', '\\':
			dst = append(dst, '\\', c)
		case '\n':
			dst = append(dst, '\\', 'n')
		case '\r':
			dst = append(dst, '\\', 'r')
		case '\t':
			dst = append(dst, '\\', 't')
		default:
			const hex = "0123456789abcdef"
			dst = append(dst, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
		}
	}
	dst = append(dst, s[from:]...)
	return append(dst, '"')
}

// AppendBase64 appends the base64 form of the bytes of s.
func AppendBase64(dst []byte, s string) []byte {
	return base64.StdEncoding.AppendEncode(dst, unsafe.Slice(unsafe.StringData(s), len(s)))
}

// AppendValue appends v as the service writes it, such as {"S":"x"}.
func AppendValue(dst []byte, v value.Value) []byte {
	dst = append(dst, '{', '"')
	dst = append(dst, v.Kind().String()...)
	dst = append(dst, '"', ':')
	switch v.Kind() {
	case value.NULL:
		dst = append(dst, "true"...)
	case value.BOOL:
		dst = strconv.AppendBool(dst, v.Bool())
	case value.S, value.N, value.B:
		dst = appendScalar(dst, v)
	case value.M:
		dst = AppendItem(dst, v.Map())
	default:
		dst = append(dst, '[')
		for i, e := range v.Elems() {
			if i > 0 {
				dst = append(dst, ',')
			}
			if v.Kind() == value.L {
				dst = AppendValue(dst, e)
			} else {
				dst = appendScalar(dst, e)
			}
		}
		dst = append(dst, ']')
	}
	return append(dst, '}')
}

func appendScalar(dst []byte, v value.Value) []byte {
	switch v.Kind() {
	case value.B:
		dst = append(dst, '"')
		dst = AppendBase64(dst, v.Text())
		return append(dst, '"')
	case value.N: // nothing to escape
		dst = append(dst, '"')
		dst = append(dst, v.Text()...)
		return append(dst, '"')
	}
	return AppendString(dst, v.Text())
}

// AppendItem appends it as an object of attribute values.
func AppendItem(dst []byte, it value.Item) []byte {
	dst = append(dst, '{')
	for i, a := range it.Attrs() {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = AppendString(dst, a.Name)
		dst = append(dst, ':')
		dst = AppendValue(dst, a.Value)
	}
	return append(dst, '}')
}

// Object writes the members of a JSON object.
type Object struct {
	Buf []byte
}

// Begin opens an object in buf.
func Begin(buf []byte) Object { return Object{append(buf, '{')} }

// End closes the object and returns the buffer.
func (o *Object) End() []byte { return append(o.Buf, '}') }

// Key begins a member, whose value is to be appended to Buf.
func (o *Object) Key(name string) {
	if o.Buf[len(o.Buf)-1] != '{' {
		o.Buf = append(o.Buf, ',')
	}
	o.Buf = append(o.Buf, '"')
	o.Buf = append(o.Buf, name...)
	o.Buf = append(o.Buf, '"', ':')
}

// Text writes a string member.
func (o *Object) Text(name, s string) {
	o.Key(name)
	o.Buf = AppendString(o.Buf, s)
}

// Int writes an integer member.
func (o *Object) Int(name string, i int64) {
	o.Key(name)
	o.Buf = strconv.AppendInt(o.Buf, i, 10)
}

// Float writes a number member, with a fraction even when whole, as the
// service writes capacity units and times.
func (o *Object) Float(name string, f float64) {
	o.Key(name)
	o.Buf = AppendFloat(o.Buf, f)
}

// AppendFloat appends f with at least one decimal.
func AppendFloat(dst []byte, f float64) []byte {
	if f == float64(int64(f)) {
		return append(strconv.AppendInt(dst, int64(f), 10), '.', '0')
	}
	return strconv.AppendFloat(dst, f, 'f', -1, 64)
}

// Bool writes a boolean member.
func (o *Object) Bool(name string, b bool) {
	o.Key(name)
	o.Buf = strconv.AppendBool(o.Buf, b)
}

// Raw writes a member whose value is already JSON.
func (o *Object) Raw(name, json string) {
	o.Key(name)
	o.Buf = append(o.Buf, json...)
}

// Item writes a member that is a map of attribute values.
func (o *Object) Item(name string, it value.Item) {
	o.Key(name)
	o.Buf = AppendItem(o.Buf, it)
}

// List writes a member that is a list of n elements, each appended by element.
func (o *Object) List(name string, n int, element func(dst []byte, i int) []byte) {
	o.Key(name)
	o.Buf = append(o.Buf, '[')
	for i := range n {
		if i > 0 {
			o.Buf = append(o.Buf, ',')
		}
		o.Buf = element(o.Buf, i)
	}
	o.Buf = append(o.Buf, ']')
}

// Object writes a member that is an object with the members write adds.
func (o *Object) Object(name string, write func(o *Object)) {
	o.Key(name)
	o.Buf = append(o.Buf, '{')
	write(o)
	o.Buf = append(o.Buf, '}')
}
