package keytmpl

import (
	"fmt"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// DefaultDelimiter separates the segments of a key.
const DefaultDelimiter = '#'

// MaxShards is the largest N of `shard=N`.
const MaxShards = 1000

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
	// lits is the literal text around the references: one more than refs.
	lits []string
	refs []Ref
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
func (r Ref) Name() string {
	if len(r.Path) == 0 {
		return r.Field
	}
	return r.Field + "." + strings.Join(r.Path, ".")
}

// suffix returns the format and the modifiers as they are written.
func (r Ref) suffix() string {
	var b strings.Builder
	if r.Format != "" {
		b.WriteString(":" + r.Format)
	}
	for _, m := range []struct {
		set  bool
		name string
	}{{r.Lower, "lower"}, {r.Upper, "upper"}, {r.Desc, "desc"}, {r.Semver, "semver"}, {r.Raw, "raw"}} {
		if m.set {
			b.WriteString("|" + m.name)
		}
	}
	if r.Shard != 0 {
		fmt.Fprintf(&b, "|shard=%d", r.Shard)
	}
	return b.String()
}

// Literal returns the template text that stands for s as literal text: s with
// its braces doubled.
func Literal(s string) string {
	return strings.ReplaceAll(strings.ReplaceAll(s, "{", "{{"), "}", "}}")
}

// Parse reads a template with the default syntax. Faults are of type
// *[SyntaxError].
func Parse(src string) (*Template, error) { return Syntax{}.Parse(src) }

// Parse reads a template. Faults are of type *[SyntaxError].
func (s Syntax) Parse(src string) (*Template, error) {
	p := &syntaxParser{Template: Template{src: src, delimiter: s.Delimiter}}
	if p.delimiter == 0 {
		p.delimiter = DefaultDelimiter
	}
	if err := p.parse(); err != nil {
		return nil, err
	}
	return &p.Template, nil
}

// String returns the source.
func (t *Template) String() string { return t.src }

// Delimiter returns the delimiter between segments.
func (t *Template) Delimiter() byte { return t.delimiter }

// Refs returns the references in order. The caller must not change them.
func (t *Template) Refs() []Ref { return t.refs }

// syntaxParser fills in a template from its source.
type syntaxParser struct{ Template }

func (p *syntaxParser) fail(offset int, suggestion, format string, args ...any) error {
	return &SyntaxError{
		Template: p.src, Offset: offset,
		Fault: fmt.Sprintf(format, args...), Suggestion: suggestion,
	}
}

func (p *syntaxParser) parse() error {
	if !isPunct(p.delimiter) || strings.IndexByte("%{}", p.delimiter) >= 0 {
		return p.fail(0, "#, for example", "%q can't be the delimiter, which is one ASCII punctuation character other than %%, { and }", rune(p.delimiter))
	}
	if p.src == "" {
		return p.fail(0, "", "the template is empty")
	}
	if !utf8.ValidString(p.src) {
		return p.fail(0, "", "the template is not valid UTF-8")
	}
	var lit strings.Builder
	for i := 0; i < len(p.src); {
		c := p.src[i]
		doubled := i+1 < len(p.src) && p.src[i+1] == c
		switch {
		case (c == '{' || c == '}') && doubled:
			lit.WriteByte(c)
			i += 2
		case c == '}':
			return p.fail(i, "write }} for a brace in the key", "this brace closes nothing")
		case c == '{':
			n := strings.IndexAny(p.src[i+1:], "{}")
			if n < 0 || p.src[i+1+n] == '{' {
				return p.fail(i, "write {{ for a brace in the key", "this reference is not closed")
			}
			ref, err := p.ref(i, p.src[i+1:i+1+n])
			if err != nil {
				return err
			}
			p.lits = append(p.lits, lit.String())
			lit.Reset()
			p.refs = append(p.refs, ref)
			i += n + 2
		default:
			lit.WriteByte(c)
			i++
		}
	}
	p.lits = append(p.lits, lit.String())
	return p.places()
}

// ref reads what stands between the braces of a reference.
func (p *syntaxParser) ref(offset int, body string) (Ref, error) {
	r := Ref{Offset: offset}
	head, mods, modified := strings.Cut(body, "|")
	name, format, formatted := strings.Cut(head, ":")
	if formatted && format == "" {
		return r, p.fail(offset, "", "{%s} has a colon and no format", body)
	}
	r.Format = format
	names := strings.Split(name, ".")
	for _, n := range names {
		if err := p.name(offset, body, n); err != nil {
			return r, err
		}
	}
	r.Field = names[0]
	if len(names) > 1 {
		r.Path = names[1:]
	}
	if !modified {
		return r, nil
	}
	seen := map[string]bool{}
	for m := range strings.SplitSeq(mods, "|") {
		if err := p.modifier(&r, body, m, seen); err != nil {
			return r, err
		}
	}
	return r, p.contradictions(r, body)
}

func (p *syntaxParser) name(offset int, body, name string) error {
	if name == "" {
		return p.fail(offset, "", "{%s} names no field", body)
	}
	for _, c := range name {
		switch {
		case c == '_', c == '-', unicode.IsLetter(c), unicode.IsDigit(c), unicode.IsMark(c):
		case unicode.IsSpace(c):
			return p.fail(offset, "{"+strings.Join(strings.Fields(body), "")+"}", "{%s} holds a space", body)
		default:
			return p.fail(offset, "", "%q can't be part of a field name in {%s}", c, body)
		}
	}
	return nil
}

// modifierNames are all modifiers, as suggestions know them.
var modifierNames = []string{"lower", "upper", "desc", "semver", "raw", "shard"}

func (p *syntaxParser) modifier(r *Ref, body, text string, seen map[string]bool) error {
	name, value, valued := strings.Cut(text, "=")
	if seen[name] {
		return p.fail(r.Offset, "", "{%s} says %s twice", body, name)
	}
	seen[name] = true
	switch name {
	case "lower":
		r.Lower = true
	case "upper":
		r.Upper = true
	case "desc":
		r.Desc = true
	case "semver":
		r.Semver = true
	case "raw":
		r.Raw = true
	case "shard":
		n, err := strconv.Atoi(value)
		if err != nil || n < 2 || n > MaxShards || strconv.Itoa(n) != value {
			return p.fail(r.Offset, "shard=8, for example", "shard takes a number from 2 to %d", MaxShards)
		}
		r.Shard = n
		return nil
	default:
		return p.fail(r.Offset, didYouMean(name, modifierNames), "unknown modifier %q", name)
	}
	if valued {
		return p.fail(r.Offset, "", "modifier %s takes no value", name)
	}
	return nil
}

// contradictions refuses modifiers that can't stand together, whatever the
// kind of the value is.
func (p *syntaxParser) contradictions(r Ref, body string) error {
	folded := r.Lower || r.Upper
	switch {
	case r.Lower && r.Upper:
		return p.fail(r.Offset, "", "{%s} can't be both lower and upper", body)
	case r.Raw && (folded || r.Desc || r.Semver || r.Shard > 0 || r.Format != ""):
		return p.fail(r.Offset, "", "raw stores text as it is and goes with no format and no other modifier")
	case r.Semver && (folded || r.Desc || r.Shard > 0 || r.Format != ""):
		return p.fail(r.Offset, "", "semver goes with no format and no other modifier")
	case r.Shard > 0 && (r.Desc || r.Format != ""):
		return p.fail(r.Offset, "", "shard hashes the whole value and goes with no format and no desc")
	}
	return nil
}

// places refuses references that can't stand where they do, whatever the kind
// of the value is.
func (p *syntaxParser) places() error {
	sharded := false
	for i, r := range p.refs {
		if r.Raw {
			last := i == len(p.refs)-1 && p.lits[i+1] == ""
			alone := p.lits[i] == "" && i == 0 || strings.HasSuffix(p.lits[i], string(rune(p.delimiter)))
			if !last || !alone {
				return p.fail(r.Offset, "", "a raw reference ends the template and stands alone in its segment")
			}
		}
		if r.Shard > 0 {
			if sharded {
				return p.fail(r.Offset, "", "a template has at most one shard reference")
			}
			sharded = true
		}
	}
	return nil
}

func isPunct(c byte) bool {
	return c > ' ' && c < 0x7F && !isDigit(c) && !isLetter(c)
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

func isLetter(c byte) bool { return 'a' <= c|0x20 && c|0x20 <= 'z' }
