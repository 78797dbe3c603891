package codec

// EncodeError says why a Go value can't be stored. Its text never shows the
// value.
type EncodeError struct {
	// Type is the name of the struct, empty for a value outside of one.
	Type string
	// Path leads to the value: "Lines[3].Qty".
	Path string
	// Want and Got are what was needed and what was found, both empty when
	// Reason says it all.
	Want, Got string
	// Reason says what is wrong with a value of the right type.
	Reason string
	// Err is the cause, when the value's own method failed.
	Err error
}

// Error returns the fault on one line, without the value.
func (e *EncodeError) Error() string { return describe(e.Type, e.Path, e.Want, e.Got, e.Reason) }

// Unwrap returns the cause.
func (e *EncodeError) Unwrap() error { return e.Err }

// DecodeError says why an attribute can't become a Go value. Its text never
// shows the value.
type DecodeError struct {
	// Type is the name of the struct, empty for a value outside of one.
	Type string
	// Path leads to the value: "Lines[3].Qty".
	Path string
	// Want and Got are the kinds of attribute that was needed and found, both
	// empty when Reason says it all.
	Want, Got string
	// Reason says what is wrong with an attribute of the right kind.
	Reason string
	// Err is the cause, when the value's own method failed.
	Err error
}

// Error returns the fault on one line, without the value.
func (e *DecodeError) Error() string { return describe(e.Type, e.Path, e.Want, e.Got, e.Reason) }

// Unwrap returns the cause.
func (e *DecodeError) Unwrap() error { return e.Err }

func describe(typ, path, want, got, reason string) string {
	text := typ
	if path != "" {
		if text != "" && path[0] != '[' {
			text += "."
		}
		text += path
	}
	if text != "" {
		text += ": "
	}
	if want != "" {
		text += "want " + want + ", got " + got
		if reason != "" {
			text += ": "
		}
	}
	return text + reason
}
