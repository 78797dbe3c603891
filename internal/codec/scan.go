package codec

import (
	"encoding/binary"
	"math/bits"
	"slices"
	"strconv"
	"sync"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"
	"unsafe"
)

// Reader reads DynamoDB's JSON in one pass: envelopes with its methods, items
// straight into structs. Strings are copied, many of them into one block of at
// most a few kilobytes, so that a string that is kept holds no page alive. What
// the SDK rejects it rejects, but for what it skips, which only has to be JSON.
// Beyond the SDK it refuses attribute values of no kind and null in sets, which
// DynamoDB never sends. A Reader is not safe for concurrent use.
type Reader struct {
	data []byte
	pos  int

	block   []byte   // where copied strings go
	scratch []byte   // an unescaped name or text, until the next
	texts   []string // the elements of a set, until it is stored
	blobs   [][]byte
	lists   []string // where copied sets go
	cell    any      // the *V that the last map[string]V was read through
	depth   int      // of lists and maps

	// order is where the attributes of the last item stood. Items of one page
	// mostly have them in one order, so that a look here saves one in a map.
	order   []ordered
	orderOf *program
}

// ordered is an attribute as it stood in an item: its name, and the index of
// its field, or -1.
type ordered struct {
	name  []byte
	field int
}

// WireError says where bytes are not the JSON that was expected.
type WireError struct {
	// Offset is the place in the data given to NewReader.
	Offset int
	Reason string
}

// Error returns the fault and its place, without the data.
func (e *WireError) Error() string {
	return "invalid JSON at offset " + strconv.Itoa(e.Offset) + ": " + e.Reason
}

var readers = sync.Pool{New: func() any { return new(Reader) }}

// NewReader returns a reader of data, which must not change while it is used.
func NewReader(data []byte) *Reader {
	r := readers.Get().(*Reader)
	r.data = data
	return r
}

// Release returns the reader for reuse. Nothing that it has read depends on
// it.
func (r *Reader) Release() {
	clear(r.texts[:cap(r.texts)])
	clear(r.blobs[:cap(r.blobs)])
	*r = Reader{
		scratch: r.scratch[:0], texts: r.texts[:0], blobs: r.blobs[:0],
		order: r.order[:0],
	}
	if cap(r.scratch) > maxScratch {
		r.scratch = nil
	}
	readers.Put(r)
}

const (
	maxScratch = 64 << 10
	// maxBlock is how many bytes of strings share an allocation.
	maxBlock = 4 << 10
	// maxNesting is the depth at which the SDK gives up.
	maxNesting = 10_000
)

func (r *Reader) fail(reason string) error { return &WireError{r.pos, reason} }

// peek skips white space and returns the next byte, 0 at the end.
func (r *Reader) peek() byte {
	for r.pos < len(r.data) {
		c := r.data[r.pos]
		if c > ' ' || c != ' ' && c != '\n' && c != '\t' && c != '\r' {
			return c
		}
		r.pos++
	}
	return 0
}

func (r *Reader) expect(c byte) error {
	if r.peek() != c {
		return r.fail("expected '" + string(rune(c)) + "'")
	}
	r.pos++
	return nil
}

// next goes on to the next member or element: more is false at the closing
// bracket. first says that none came before.
func (r *Reader) next(closing byte, first bool) (more bool, err error) {
	switch c := r.peek(); {
	case c == closing:
		r.pos++
		return false, nil
	case first:
		return true, nil
	case c == ',':
		r.pos++
		if r.peek() == closing {
			return false, r.fail("expected a value")
		}
		return true, nil
	}
	return false, r.fail("expected ',' or '" + string(rune(closing)) + "'")
}

// str reads a string and returns what is between the quotes, as it stands.
func (r *Reader) str() (raw []byte, escaped bool, err error) {
	if r.peek() != '"' {
		return nil, false, r.fail("expected a string")
	}
	start := r.pos + 1
	i := start
	for {
		// Eight bytes at a time to the next quote, backslash or control
		// character.
		for i+8 <= len(r.data) {
			if mask := special(binary.LittleEndian.Uint64(r.data[i:])); mask != 0 {
				i += bits.TrailingZeros64(mask) / 8
				break
			}
			i += 8
		}
		if i >= len(r.data) {
			return nil, false, r.fail("unterminated string")
		}
		switch c := r.data[i]; {
		case c == '"':
			r.pos = i + 1
			return r.data[start:i], escaped, nil
		case c == '\\':
			escaped = true
			n, ok := escapeLen(r.data[i:])
			if !ok {
				r.pos = i
				return nil, false, r.fail("invalid escape")
			}
			i += n
		case c < ' ':
			r.pos = i
			return nil, false, r.fail("control character in a string")
		default:
			i++
		}
	}
}

const (
	ones  = 0x0101010101010101
	highs = 0x8080808080808080
)

// special returns a mask whose lowest set high bit is that of the first byte of
// w that is a quote, a backslash or a control character.
func special(w uint64) uint64 {
	quote := w ^ ones*'"'
	back := w ^ ones*'\\'
	return ((quote-ones)&^quote | (back-ones)&^back | (w-ones*' ')&^w) & highs
}

// escapeLen returns the length of the escape that b begins with.
func escapeLen(b []byte) (int, bool) {
	if len(b) < 2 {
		return 0, false
	}
	switch b[1] {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		return 2, true
	case 'u':
		return 6, hex4(b) >= 0
	}
	return 0, false
}

// hex4 returns the value of an escape \uXXXX, -1 when b begins with none.
func hex4(b []byte) rune {
	if len(b) < 6 || b[0] != '\\' || b[1] != 'u' {
		return -1
	}
	var v rune
	for _, c := range b[2:6] {
		switch {
		case '0' <= c && c <= '9':
			c -= '0'
		case 'a' <= c && c <= 'f':
			c -= 'a' - 10
		case 'A' <= c && c <= 'F':
			c -= 'A' - 10
		default:
			return -1
		}
		v = v<<4 | rune(c)
	}
	return v
}

// unescape appends the text that raw stands for. Halves of surrogate pairs and
// bytes that are no UTF-8 become U+FFFD, the latter only in a text that has
// escapes, as in the SDK.
func unescape(dst, raw []byte) []byte {
	for len(raw) > 0 {
		c := raw[0]
		switch {
		case c == '\\':
			if raw[1] != 'u' {
				dst = append(dst, unescaped(raw[1]))
				raw = raw[2:]
				continue
			}
			v := hex4(raw)
			raw = raw[6:]
			if utf16.IsSurrogate(v) {
				if pair := utf16.DecodeRune(v, hex4(raw)); pair != unicode.ReplacementChar {
					v, raw = pair, raw[6:]
				} else {
					v = unicode.ReplacementChar
				}
			}
			dst = utf8.AppendRune(dst, v)
		case c < utf8.RuneSelf:
			ascii := 1
			for ascii < len(raw) && raw[ascii] != '\\' && raw[ascii] < utf8.RuneSelf {
				ascii++
			}
			dst = append(dst, raw[:ascii]...)
			raw = raw[ascii:]
		default:
			v, n := utf8.DecodeRune(raw)
			dst = utf8.AppendRune(dst, v)
			raw = raw[n:]
		}
	}
	return dst
}

func unescaped(c byte) byte {
	switch c {
	case 'b':
		return '\b'
	case 'f':
		return '\f'
	case 'n':
		return '\n'
	case 'r':
		return '\r'
	case 't':
		return '\t'
	}
	return c
}

// view returns the text of a string that was read, good until the next.
func (r *Reader) view(raw []byte, escaped bool) []byte {
	if !escaped {
		return raw
	}
	r.scratch = unescape(r.scratch[:0], raw)
	return r.scratch
}

// viewString is view as a string. It must not be kept.
func (r *Reader) viewString(raw []byte, escaped bool) string {
	b := r.view(raw, escaped)
	return unsafe.String(unsafe.SliceData(b), len(b))
}

// keep returns a copy of a text.
func (r *Reader) keep(b []byte) string {
	if len(b) == 0 {
		return ""
	}
	kept := r.room(len(b))
	copy(kept, b)
	return unsafe.String(&kept[0], len(b))
}

// maxLists is how many elements of sets share an allocation.
const maxLists = 24

// keepList returns a copy of a list.
func (r *Reader) keepList(list []string) []string {
	switch {
	case len(list) == 0:
		return nil
	case len(list) > maxLists/2:
		return slices.Clone(list)
	case len(list) > cap(r.lists)-len(r.lists):
		r.lists = make([]string, 0, maxLists)
	}
	start := len(r.lists)
	r.lists = append(r.lists, list...)
	return r.lists[start:len(r.lists):len(r.lists)]
}

// room returns n bytes for a copy.
func (r *Reader) room(n int) []byte {
	if n == 0 {
		return []byte{}
	}
	if n > cap(r.block)-len(r.block) {
		if n > maxBlock/4 {
			return make([]byte, n)
		}
		// What is to come is no longer than the data still to be read.
		r.block = make([]byte, 0, min(maxBlock, len(r.data)-r.pos+n))
	}
	start := len(r.block)
	r.block = r.block[:start+n]
	return r.block[start : start+n : start+n]
}

// literal reads true, false or null.
func (r *Reader) literal(word string) error {
	if len(r.data)-r.pos < len(word) || string(r.data[r.pos:r.pos+len(word)]) != word {
		return r.fail("expected a value")
	}
	r.pos += len(word)
	return nil
}

// number reads a JSON number and returns its text.
func (r *Reader) number() ([]byte, error) {
	start, i := r.pos, r.pos
	digits := func() bool {
		from := i
		for i < len(r.data) && r.data[i] >= '0' && r.data[i] <= '9' {
			i++
		}
		return i > from
	}
	if i < len(r.data) && r.data[i] == '-' {
		i++
	}
	zero := i < len(r.data) && r.data[i] == '0'
	from := i
	if !digits() || zero && i > from+1 {
		return nil, r.fail("expected a value")
	}
	if i < len(r.data) && r.data[i] == '.' {
		i++
		if !digits() {
			return nil, r.fail("invalid number")
		}
	}
	if i < len(r.data) && (r.data[i] == 'e' || r.data[i] == 'E') {
		i++
		if i < len(r.data) && (r.data[i] == '+' || r.data[i] == '-') {
			i++
		}
		if !digits() {
			return nil, r.fail("invalid number")
		}
	}
	r.pos = i
	return r.data[start:i], nil
}

// Mark returns the place of the value that comes next.
func (r *Reader) Mark() int {
	r.peek()
	return r.pos
}

// Since returns the data from a mark on up to here.
func (r *Reader) Since(mark int) []byte { return r.data[mark:r.pos:r.pos] }

// Back goes back to a mark.
func (r *Reader) Back(mark int) { r.pos = mark }

// Skip skips one value and returns its JSON, which is part of the data.
func (r *Reader) Skip() ([]byte, error) {
	r.peek()
	start := r.pos
	if err := r.skip(0); err != nil {
		return nil, err
	}
	return r.data[start:r.pos], nil
}

func (r *Reader) skip(depth int) error {
	switch c := r.peek(); c {
	case '"':
		_, _, err := r.str()
		return err
	case 't':
		return r.literal("true")
	case 'f':
		return r.literal("false")
	case 'n':
		return r.literal("null")
	case '{', '[':
		if depth++; depth > maxNesting {
			return r.fail("nested too deep")
		}
		r.pos++
		closing := c + 2
		for first := true; ; first = false {
			more, err := r.next(closing, first)
			if !more || err != nil {
				return err
			}
			if c == '{' {
				if _, _, err := r.str(); err != nil {
					return err
				}
				if err := r.expect(':'); err != nil {
					return err
				}
			}
			if err := r.skip(depth); err != nil {
				return err
			}
		}
	case 0:
		return r.fail("unexpected end")
	}
	_, err := r.number()
	return err
}
