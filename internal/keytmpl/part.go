package keytmpl

import "time"

// Kind is the kind of value that a reference stands for.
type Kind uint8

// The kinds of values. KindMissing is the kind of the zero [Part]; no input
// has it. A bool travels as the text "true" or "false".
const (
	KindMissing Kind = iota
	KindText
	KindInt
	KindUint
	KindTime
	KindBool
)

// String returns the kind's name.
func (k Kind) String() string {
	switch k {
	case KindMissing:
		return "missing"
	case KindText:
		return "text"
	case KindInt:
		return "int"
	case KindUint:
		return "uint"
	case KindTime:
		return "time"
	case KindBool:
		return "bool"
	}
	return "unknown"
}

// Part is the value of one reference: nothing, text, an integer or a time. It
// is a small value, comparable with ==, and making one allocates nothing. The
// zero value is a missing part.
type Part struct {
	text string
	num  uint64 // the integer, or the Unix seconds of a time
	nsec uint32
	kind Kind
}

// Missing returns the part that has no value.
func Missing() Part { return Part{} }

// Text returns a text part. The empty string is a missing part.
func Text(s string) Part {
	if s == "" {
		return Part{}
	}
	return Part{kind: KindText, text: s}
}

// Int returns a part of a signed integer.
func Int(n int64) Part { return Part{kind: KindInt, num: uint64(n)} }

// Uint returns a part of an unsigned integer.
func Uint(n uint64) Part { return Part{kind: KindUint, num: n} }

// Time returns a part of a moment; its location is dropped. The zero time is a
// missing part.
func Time(t time.Time) Part {
	if t.IsZero() {
		return Part{}
	}
	return timePart(t)
}

// timePart is [Time] without an exception for the zero time, which is also the
// beginning of the year 1, of a month, of a day.
func timePart(t time.Time) Part {
	return Part{kind: KindTime, num: uint64(t.Unix()), nsec: uint32(t.Nanosecond())}
}

// Bool returns the text part "true" or "false".
func Bool(b bool) Part {
	if b {
		return Part{kind: KindText, text: "true"}
	}
	return Part{kind: KindText, text: "false"}
}

// Kind returns the kind of the part: missing, text, int, uint or time.
func (p Part) Kind() Kind { return p.kind }

// IsMissing reports whether the part has no value.
func (p Part) IsMissing() bool { return p.kind == KindMissing }

// Text returns the text of a text part, and "" for any other.
func (p Part) Text() string { return p.text }

// Int returns the value of an int part, and 0 for any other.
func (p Part) Int() int64 {
	if p.kind != KindInt {
		return 0
	}
	return int64(p.num)
}

// Uint returns the value of a uint part, and 0 for any other.
func (p Part) Uint() uint64 {
	if p.kind != KindUint {
		return 0
	}
	return p.num
}

// Time returns the moment of a time part in UTC, and the zero time for any
// other.
func (p Part) Time() time.Time {
	if p.kind != KindTime {
		return time.Time{}
	}
	return time.Unix(int64(p.num), int64(p.nsec)).UTC()
}

// Bool reports whether the part is the text "true".
func (p Part) Bool() bool { return p.text == "true" }
