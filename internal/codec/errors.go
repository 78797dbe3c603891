package codec

import (
	"errors"
	"strconv"

	"github.com/dynorm/dynorm/parser"
)

const tooDeep = "nested deeper than 32 levels"

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
	// Err is the cause, when the value's own method failed. Its text may show
	// the value and is no part of the error's text.
	Err error
}

// Error returns the fault on one line, without the value.
func (e *EncodeError) Error() string { return faultText(e.Type, e.Path, e.Want, e.Got, e.Reason) }

// Unwrap returns the cause.
func (e *EncodeError) Unwrap() error { return e.Err }

// DecodeError says why an attribute can't become a Go value. Its text never
// shows the value.
type DecodeError struct {
	// Type is the name of the struct, empty for a value outside of one.
	Type string
	// Path leads to the value: "Lines[3].Qty".
	Path string
	// Want and Got are the kinds of attribute that were needed and found, both
	// empty when Reason says it all.
	Want, Got string
	// Reason says what is wrong with an attribute of the right kind.
	Reason string
	// Err is the cause, when the value's own method failed. Its text may show
	// the value and is no part of the error's text.
	Err error
}

// Error returns the fault on one line, without the value.
func (e *DecodeError) Error() string { return faultText(e.Type, e.Path, e.Want, e.Got, e.Reason) }

// Unwrap returns the cause.
func (e *DecodeError) Unwrap() error { return e.Err }

func faultText(typ, path, want, got, reason string) string {
	text := joinPath(typ, path)
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

func joinPath(outer, inner string) string {
	if outer == "" || inner == "" || inner[0] == '[' {
		return outer + inner
	}
	return outer + "." + inner
}

// under says that an error came from one step further in. Errors of coders are
// made for one call, so they may be added to. It is called all over the package,
// and stays out of line.
//
//go:noinline
func under(err error, step string) error {
	switch e := err.(type) { //nolint:errorlint // wrapped ones are the user's
	case *EncodeError:
		e.Path = joinPath(step, e.Path)
	case *DecodeError:
		e.Path = joinPath(step, e.Path)
	}
	return err
}

// within says of which struct type an error's path is.
//
//go:noinline
func within(err error, typ string) error {
	switch e := err.(type) { //nolint:errorlint // wrapped ones are the user's
	case *EncodeError:
		e.Type = typ
	case *DecodeError:
		e.Type = typ
	}
	return err
}

func indexStep(i int) string { return "[" + strconv.Itoa(i) + "]" }

// keyStep shows the key of a map, which is the name of an attribute.
func keyStep(key string) string { return "[" + strconv.Quote(key) + "]" }

// reason is what is wrong with a text or a value, before it is known whether it
// was met while encoding or decoding.
type reason string

func (r reason) Error() string { return string(r) }

// encodeFault turns what a text form said into an EncodeError.
func encodeFault(err error) error {
	var r reason
	if errors.As(err, &r) {
		return &EncodeError{Reason: string(r)}
	}
	var m *methodError
	if errors.As(err, &m) {
		return &EncodeError{Reason: m.Error(), Err: m.err}
	}
	return err
}

// decodeFault turns what a text form said into a DecodeError.
func decodeFault(err error) error {
	var r reason
	if errors.As(err, &r) {
		return &DecodeError{Reason: string(r)}
	}
	var m *methodError
	if errors.As(err, &m) {
		return &DecodeError{Reason: m.Error(), Err: m.err}
	}
	return err
}

// methodError is the failure of a method of the user's type.
type methodError struct {
	method string
	err    error
}

func (e *methodError) Error() string { return e.method + " failed" }
func (e *methodError) Unwrap() error { return e.err }

// typeFault turns what the parser says of a type that is met at run time into
// an EncodeError.
func typeFault(err error) error {
	var d *parser.DefinitionError
	if errors.As(err, &d) {
		return &EncodeError{Reason: d.Error(), Err: err}
	}
	return &EncodeError{Reason: "the type can't be stored", Err: err}
}
