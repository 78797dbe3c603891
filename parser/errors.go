package parser

import "strings"

// DefinitionError is one fault of a definition. Parse, ParseAll, Resolve,
// Fields and FromJSON report every fault they find, joined with errors.Join in
// declared order, each of this type.
type DefinitionError struct {
	// Type is the struct's or the entity's name.
	Type string
	// Field is the Go name of the field, "_" for a marker, or empty when the
	// fault is the whole type's.
	Field string
	// Tag is the tag as written, empty when there is none.
	Tag string
	// Fault says what is wrong.
	Fault string
	// Suggestion says what to write instead, empty when nothing is near.
	Suggestion string
}

// Error returns the fault on one line: where, what, and what to do about it.
func (e *DefinitionError) Error() string {
	var b strings.Builder
	b.WriteString(e.Type)
	if e.Field != "" {
		b.WriteString("." + e.Field)
	}
	if e.Tag != "" {
		b.WriteString(" `" + e.Tag + "`")
	}
	b.WriteString(": " + e.Fault)
	if e.Suggestion != "" {
		b.WriteString(" (" + e.Suggestion + ")")
	}
	return b.String()
}
