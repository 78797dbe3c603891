package codec

import (
	"encoding"
	"encoding/json"
	"io"
	"reflect"
	"strings"
	"unsafe"
)

// marshalText is for types with MarshalText and UnmarshalText.
type marshalText struct{ typed }

func (c *marshalText) append(dst []byte, p unsafe.Pointer) ([]byte, error) {
	switch v := reflect.NewAt(c.t, p).Interface().(type) {
	case encoding.TextAppender:
		out, err := v.AppendText(dst)
		if err != nil {
			return dst, &methodError{"AppendText of " + c.t.String(), err}
		}
		return out, nil
	case encoding.TextMarshaler:
		text, err := v.MarshalText()
		if err != nil {
			return dst, &methodError{"MarshalText of " + c.t.String(), err}
		}
		return append(dst, text...), nil
	}
	return dst, reason("no MarshalText")
}

func (c *marshalText) parse(s string, p unsafe.Pointer) error {
	c.clear(p)
	if err := reflect.NewAt(c.t, p).Interface().(encoding.TextUnmarshaler).UnmarshalText([]byte(s)); err != nil {
		return &methodError{"UnmarshalText of " + c.t.String(), err}
	}
	return nil
}

// jsonText is for fields stored as JSON text.
type jsonText struct{ typed }

func (c *jsonText) append(dst []byte, p unsafe.Pointer) ([]byte, error) {
	text, err := json.Marshal(reflect.NewAt(c.t, p).Interface())
	if err != nil {
		return dst, &methodError{"encoding JSON", err}
	}
	return append(dst, text...), nil
}

func (c *jsonText) parse(s string, p unsafe.Pointer) error {
	c.clear(p)
	dec := json.NewDecoder(strings.NewReader(s))
	dec.UseNumber()
	if err := dec.Decode(reflect.NewAt(c.t, p).Interface()); err != nil {
		return &methodError{"decoding JSON", err}
	}
	if _, err := dec.Token(); err != io.EOF {
		return reason("more than one JSON value")
	}
	return nil
}
