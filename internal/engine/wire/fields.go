package wire

import (
	"encoding/base64"
	"strconv"
	"strings"
)

// Text is a string member: absent (or null) when not Set.
type Text struct {
	V   string
	Set bool
}

// Or returns the text, or def when it is absent.
func (t Text) Or(def string) string {
	if t.Set {
		return t.V
	}
	return def
}

// Int is an integer member: absent (or null) when not Set.
type Int struct {
	V   int64
	Set bool
}

// Bool is a boolean member: absent (or null) when not Set.
type Bool struct {
	V   bool
	Set bool
}

// Float is a number member, such as a time in seconds: absent (or null) when
// not Set.
type Float struct {
	V   float64
	Set bool
}

const unexpectedStruct SerializationError = "Start of structure or map found where not expected"

func unrecognized(class string) error {
	return SerializationError("Unrecognized collection type " + class)
}

// wrong reports the scalar that comes next as not convertible to target.
func (r *Reader) wrong(target string) {
	var token string
	switch c := r.peek(); {
	case c == '{':
		r.fail(unexpectedStruct)
		return
	case c == '[':
		r.fail(unrecognized("class java.lang." + target))
		return
	case c == '"':
		token = "STRING_VALUE"
	case c == 't':
		token = "TRUE_VALUE"
	case c == 'f':
		token = "FALSE_VALUE"
	default:
		token = "NUMBER_VALUE"
		if strings.ContainsAny(r.number(), ".eE") {
			token = "DECIMAL_VALUE"
		}
		if r.err != nil {
			return
		}
	}
	r.fail(SerializationError(token + " cannot be converted to " + target))
}

// Text reads a string member.
func (r *Reader) Text() Text {
	switch {
	case r.peek() == '"':
		return Text{r.str(), true}
	case !r.Null():
		r.wrong("String")
	}
	return Text{}
}

// Int reads an integer member. kind is Integer or Long.
func (r *Reader) Int(kind string) Int {
	c := r.peek()
	if c == '-' || c >= '0' && c <= '9' {
		text := r.number()
		if i, err := strconv.ParseInt(text, 10, 64); err == nil {
			return Int{i, true}
		}
		f, _ := strconv.ParseFloat(text, 64)
		return Int{int64(f), r.err == nil}
	}
	if !r.Null() {
		r.wrong(kind)
	}
	return Int{}
}

// Float reads a number member. kind is the service's type of it, such as Date.
func (r *Reader) Float(kind string) Float {
	c := r.peek()
	if c == '-' || c >= '0' && c <= '9' {
		f, _ := strconv.ParseFloat(r.number(), 64)
		return Float{f, r.err == nil}
	}
	if !r.Null() {
		r.wrong(kind)
	}
	return Float{}
}

// Bool reads a boolean member.
func (r *Reader) Bool() Bool {
	switch c := r.peek(); {
	case c == 't':
		return Bool{true, r.literal("true")}
	case c == 'f':
		return Bool{false, r.literal("false")}
	case c == '{':
		r.fail(unexpectedStruct)
	case c == '[':
		r.fail(unrecognized("class java.lang.Boolean"))
	case !r.Null():
		r.scalar()
		r.fail(SerializationError("Unexpected token received from parser"))
	}
	return Bool{}
}

// Struct reads a structure member: set is false for null. class is the name of
// the service's type. field must read, or Skip, each member's value.
func (r *Reader) Struct(class string, field func(name string)) (set bool) {
	switch c := r.peek(); {
	case c == '{':
		r.members(field)
		return true
	case c == '[':
		r.fail(unrecognized("class com.amazonaws.dynamodb.v20120810." + class))
	case !r.Null():
		r.scalar()
		r.fail(SerializationError("Unexpected value type in payload"))
	}
	return false
}

// Map reads a map member. class is the service's type of its values.
func (r *Reader) Map(class string, entry func(key string)) (set bool) {
	switch c := r.peek(); {
	case c == '{':
		r.members(entry)
		return true
	case c == '[':
		r.fail(unrecognized("java.util.Map<java.lang.String, " + className(class) + ">"))
	case !r.Null():
		r.scalar()
		r.fail(SerializationError("Unexpected field type"))
	}
	return false
}

func className(class string) string {
	if class == "String" {
		return "java.lang.String"
	}
	return "com.amazonaws.dynamodb.v20120810." + class
}

// List reads a list member. A null element is passed to element too.
func (r *Reader) List(element func()) (set bool) {
	switch c := r.peek(); {
	case c == '[':
		r.elements(element)
		return true
	case c == '{':
		r.fail(unexpectedStruct)
	case !r.Null():
		r.scalar()
		r.fail(SerializationError("Unexpected field type"))
	}
	return false
}

// Texts reads a list of strings.
func (r *Reader) Texts() (list []Text, set bool) {
	set = r.List(func() { list = append(list, r.Text()) })
	return list, set
}

// binary reads a base64 string member and returns its bytes.
func (r *Reader) binary() Text {
	t := r.Text()
	if !t.Set {
		return t
	}
	if len(t.V)%4 != 0 {
		r.fail(SerializationError("Base64 encoded length is expected a multiple of 4 bytes but found: " + strconv.Itoa(len(t.V))))
		return Text{}
	}
	raw, err := base64.StdEncoding.DecodeString(t.V)
	if err != nil {
		r.fail(SerializationError("Invalid Base64 character"))
		return Text{}
	}
	return Text{string(raw), true}
}
