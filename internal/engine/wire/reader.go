// Package wire reads and writes the JSON of the DynamoDB protocol: requests
// straight into the engine's structures, and values and items straight from
// the bytes they are kept as.
package wire

import (
	"strconv"
	"strings"
	"sync"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/dynorm/dynorm/internal/engine/value"
)

// SerializationError is a request that is not of the right form. Its text is
// the message of the service's SerializationException, empty for what is not
// JSON at all.
type SerializationError string

func (e SerializationError) Error() string { return string(e) }

const malformed SerializationError = ""

// Reader walks a JSON text once. The first error sticks: everything read after
// it is empty, and Err reports it. Strings that need no unescaping share the
// text's memory.
type Reader struct {
	text  string
	pos   int
	err   error
	attrs []value.Attr // of the maps that are being read, the innermost last
}

var readers = sync.Pool{New: func() any { return &Reader{attrs: make([]value.Attr, 0, 16)} }}

// NewReader returns a Reader of text, which must be valid UTF-8. Release it, if
// there are many.
func NewReader(text string) *Reader {
	r := readers.Get().(*Reader)
	*r = Reader{text: text, attrs: r.attrs}
	if !utf8.ValidString(text) {
		r.fail(malformed)
	}
	return r
}

// Release lets go of r, which is not used any more. What was read is not
// touched.
func (r *Reader) Release() {
	if cap(r.attrs) > 256 { // as few items need
		return
	}
	clear(r.attrs[:cap(r.attrs)])
	*r = Reader{attrs: r.attrs[:0]}
	readers.Put(r)
}

// Err returns the first error.
func (r *Reader) Err() error { return r.err }

func (r *Reader) fail(err error) {
	if r.err == nil {
		r.err = err
	}
	r.pos = len(r.text)
}

// peek skips white space and returns the next byte, or zero at the end.
func (r *Reader) peek() byte {
	for r.pos < len(r.text) {
		switch c := r.text[r.pos]; c {
		case ' ', '\t', '\n', '\r':
			r.pos++
		default:
			return c
		}
	}
	return 0
}

func (r *Reader) accept(c byte) bool {
	if r.peek() != c {
		return false
	}
	r.pos++
	return true
}

// End checks that nothing follows the value that was read.
func (r *Reader) End() {
	r.peek()
	if r.pos < len(r.text) {
		r.fail(malformed)
	}
}

// Null consumes a null, if one comes next.
func (r *Reader) Null() bool {
	if r.peek() == 'n' {
		return r.literal("null")
	}
	return false
}

func (r *Reader) literal(word string) bool {
	if !strings.HasPrefix(r.text[r.pos:], word) {
		r.fail(malformed)
		return false
	}
	r.pos += len(word)
	return true
}

// members walks an object. member must consume the member's value.
func (r *Reader) members(member func(name string)) {
	if !r.accept('{') {
		r.fail(malformed)
		return
	}
	if r.accept('}') {
		return
	}
	for r.err == nil {
		if r.peek() != '"' {
			r.fail(malformed)
			return
		}
		name := r.str()
		if !r.accept(':') {
			r.fail(malformed)
			return
		}
		member(name)
		if r.accept(',') {
			continue
		}
		if !r.accept('}') {
			r.fail(malformed)
		}
		return
	}
}

// elements walks an array. element must consume the element.
func (r *Reader) elements(element func()) {
	if !r.accept('[') {
		r.fail(malformed)
		return
	}
	if r.accept(']') {
		return
	}
	for r.err == nil {
		element()
		if r.accept(',') {
			continue
		}
		if !r.accept(']') {
			r.fail(malformed)
		}
		return
	}
}

// Skip passes over one value of any kind, however deeply nested.
func (r *Reader) Skip() {
	var open []byte
	for r.err == nil {
		switch c := r.peek(); c {
		case '{', '[':
			r.pos++
			open = append(open, c+2) // the closing bracket
			if r.peek() == c+2 {
				break
			}
			if c == '{' {
				r.memberName()
			}
			continue
		default:
			r.scalar()
		}
		// A value has ended; so do the containers that end with it.
		for {
			if len(open) == 0 {
				return
			}
			closing := open[len(open)-1]
			if r.accept(closing) {
				open = open[:len(open)-1]
				continue
			}
			if !r.accept(',') {
				r.fail(malformed)
				return
			}
			if closing == '}' {
				r.memberName()
			}
			break
		}
	}
}

func (r *Reader) memberName() {
	if r.peek() != '"' {
		r.fail(malformed)
		return
	}
	r.str()
	if !r.accept(':') {
		r.fail(malformed)
	}
}

// scalar consumes a string, number, true, false or null.
func (r *Reader) scalar() {
	switch c := r.peek(); {
	case c == '"':
		r.str()
	case c == 't':
		r.literal("true")
	case c == 'f':
		r.literal("false")
	case c == 'n':
		r.literal("null")
	case c == '-' || c >= '0' && c <= '9':
		r.number()
	default:
		r.fail(malformed)
	}
}

// number consumes a JSON number and returns its text.
func (r *Reader) number() string {
	start := r.pos
	digits := func() {
		from := r.pos
		for r.pos < len(r.text) && r.text[r.pos] >= '0' && r.text[r.pos] <= '9' {
			r.pos++
		}
		if from == r.pos {
			r.fail(malformed)
		}
	}
	at := func(set string) bool {
		return r.pos < len(r.text) && strings.IndexByte(set, r.text[r.pos]) >= 0
	}
	if at("-") {
		r.pos++
	}
	if at("0") {
		r.pos++ // which no digit may follow
		if at("0123456789") {
			r.fail(malformed)
		}
	} else {
		digits()
	}
	if at(".") {
		r.pos++
		digits()
	}
	if at("eE") {
		r.pos++
		if at("+-") {
			r.pos++
		}
		digits()
	}
	if r.err != nil {
		return ""
	}
	return r.text[start:r.pos]
}

// str consumes a string whose opening quote comes next.
func (r *Reader) str() string {
	r.pos++
	start := r.pos
	for i := start; i < len(r.text); i++ {
		switch c := r.text[i]; {
		case c == '"':
			r.pos = i + 1
			return r.text[start:i]
		case c == '\\':
			return r.unescape(start, i)
		case c < ' ':
			r.fail(malformed)
			return ""
		}
	}
	r.fail(malformed)
	return ""
}

// unescape finishes a string that has its first backslash at i.
func (r *Reader) unescape(start, i int) string {
	b := append(make([]byte, 0, i-start+32), r.text[start:i]...)
	for i < len(r.text) {
		switch c := r.text[i]; {
		case c == '"':
			r.pos = i + 1
			return string(b)
		case c < ' ':
			r.fail(malformed)
			return ""
		case c != '\\':
			b = append(b, c)
			i++
		case i+1 == len(r.text):
			i++
		case r.text[i+1] == 'u':
			char, n := r.unicode(i)
			if n == 0 {
				r.fail(malformed)
				return ""
			}
			b = utf8.AppendRune(b, char)
			i += n
		default:
			k := strings.IndexByte(`"\/bfnrt`, r.text[i+1])
			if k < 0 {
				r.fail(malformed)
				return ""
			}
			b = append(b, "\"\\/\b\f\n\r\t"[k])
			i += 2
		}
	}
	r.fail(malformed)
	return ""
}

// unicode reads the \u escape at i, or the two of a surrogate pair, and
// returns the character and the length of the text it took, 0 if malformed.
func (r *Reader) unicode(i int) (char rune, n int) {
	hex := func(i int) (rune, bool) {
		if i+6 > len(r.text) || r.text[i] != '\\' || r.text[i+1] != 'u' {
			return 0, false
		}
		u, err := strconv.ParseUint(r.text[i+2:i+6], 16, 16)
		return rune(u), err == nil
	}
	char, ok := hex(i)
	if !ok {
		return 0, 0
	}
	if !utf16.IsSurrogate(char) {
		return char, 6
	}
	if low, ok := hex(i + 6); ok {
		if pair := utf16.DecodeRune(char, low); pair != utf8.RuneError {
			return pair, 12
		}
	}
	return utf8.RuneError, 6
}

// Pos returns where the Reader is in the text.
func (r *Reader) Pos() int { return r.pos }

// Since returns the text from pos to where the Reader is.
func (r *Reader) Since(pos int) string { return r.text[pos:r.pos] }
