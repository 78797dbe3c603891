package keytmpl

import "fmt"

// SyntaxError is a fault of a template's text.
type SyntaxError struct {
	// Template is the source.
	Template string
	// Offset is the byte of the source at which the fault was seen.
	Offset int
	// Fault says what is wrong.
	Fault string
	// Suggestion says what to write instead, empty when nothing is near.
	Suggestion string
}

// Error returns the fault with the template and the place in it.
func (e *SyntaxError) Error() string {
	return fmt.Sprintf("key template %q: at %d: %s%s", e.Template, e.Offset, e.Fault, suffix(e.Suggestion))
}

// BindError is a reference whose format, modifiers or place do not suit the
// kind of value it meets.
type BindError struct {
	// Template is the source.
	Template string
	// Ref is the index of the reference, -1 when the fault is the whole
	// template's.
	Ref int
	// Field is the reference's field as written.
	Field string
	// Fault says what is wrong.
	Fault string
	// Suggestion says what to write instead, empty when nothing is near.
	Suggestion string
}

// Error returns the fault with the template and the reference.
func (e *BindError) Error() string {
	if e.Ref < 0 {
		return fmt.Sprintf("key template %q: %s%s", e.Template, e.Fault, suffix(e.Suggestion))
	}
	return fmt.Sprintf("key template %q: {%s}: %s%s", e.Template, e.Field, e.Fault, suffix(e.Suggestion))
}

// MissingError is a reference without a value.
type MissingError struct {
	Template string
	// Ref is the index of the reference.
	Ref int
	// Field is the reference's field as written.
	Field string
}

// Error names the reference.
func (e *MissingError) Error() string {
	return fmt.Sprintf("key template %q: {%s} has no value", e.Template, e.Field)
}

// ValueError is a value that a reference can't hold. It never holds the value.
type ValueError struct {
	Template string
	// Ref is the index of the reference.
	Ref int
	// Field is the reference's field as written.
	Field string
	// Fault says what is wrong with the value.
	Fault string
}

// Error names the reference and the fault, not the value.
func (e *ValueError) Error() string {
	return fmt.Sprintf("key template %q: {%s}: %s", e.Template, e.Field, e.Fault)
}

// SizeError is a key over DynamoDB's limit for its role.
type SizeError struct {
	Template string
	// Limit is the largest size, Size the key's, in bytes.
	Limit, Size int
}

// Error returns both sizes.
func (e *SizeError) Error() string {
	return fmt.Sprintf("key template %q: the key has %d bytes, the limit is %d", e.Template, e.Size, e.Limit)
}

// MismatchError is a key that the template can't have built. It never holds
// the key.
type MismatchError struct {
	Template string
	// Ref is the index of the reference that could not be read, -1 when the
	// literal text differs.
	Ref int
	// Field is the reference's field as written, empty with Ref -1.
	Field string
	// Fault says what does not fit.
	Fault string
}

// Error names the fault, not the key.
func (e *MismatchError) Error() string {
	if e.Ref < 0 {
		return fmt.Sprintf("key template %q: the key was not built by it: %s", e.Template, e.Fault)
	}
	return fmt.Sprintf("key template %q: the key was not built by it: {%s}: %s", e.Template, e.Field, e.Fault)
}

func suffix(suggestion string) string {
	if suggestion == "" {
		return ""
	}
	return " (" + suggestion + ")"
}
