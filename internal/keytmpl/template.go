package keytmpl

import "errors"

// DefaultDelimiter separates the segments of a key.
const DefaultDelimiter = '#'

var errUnbuilt = errors.New("keytmpl: unbuilt")

// Syntax holds what a schema may choose about its templates. The zero value is
// the default.
type Syntax struct {
	// Delimiter separates segments: one ASCII punctuation character other than
	// '%', '{' and '}'. Defaults to '#'.
	Delimiter byte
}

// Template is the syntax of a key: literal text and references, not yet tied
// to types. It is immutable and safe for concurrent use.
type Template struct {
	src       string
	delimiter byte
	lits      []string // one more than refs
	refs      []Ref
}

// Ref is one reference of a template.
type Ref struct {
	// Field is the Go field or attribute name, as written.
	Field string
	// Path is what follows the field, split at the dots.
	Path []string
	// Format is the text after the colon, empty for the kind's own.
	Format string
	// Lower, Upper, Desc, Semver and Raw are the modifiers of these names.
	Lower, Upper, Desc, Semver, Raw bool
	// Shard is the N of `shard=N`, 0 without.
	Shard int
	// Offset is the byte of the source at which the reference's brace opens.
	Offset int
}

// Name returns the field and its path, joined by dots.
func (r Ref) Name() string { return r.Field }

// Parse reads a template with the default syntax. Faults are of type
// *[SyntaxError].
func Parse(src string) (*Template, error) { return Syntax{}.Parse(src) }

// Parse reads a template. Faults are of type *[SyntaxError].
func (s Syntax) Parse(src string) (*Template, error) { return nil, errUnbuilt }

// Literal returns the template text that stands for s as literal text: s with
// its braces doubled.
func Literal(s string) string { return s }

// String returns the source.
func (t *Template) String() string { return t.src }

// Delimiter returns the delimiter between segments.
func (t *Template) Delimiter() byte { return t.delimiter }

// Refs returns the references in order. The caller must not change them.
func (t *Template) Refs() []Ref { return t.refs }
