package keytmpl

import (
	"strconv"
	"time"
	"unicode"
	"unicode/utf8"
)

// encoding is how a slot writes its value.
type encoding uint8

const (
	encText encoding = iota
	encBool
	encPlainInt
	encPlainUint
	encPaddedInt
	encPaddedUint
	encLayout   // a time by a layout that orders
	encGoLayout // a time by any other
	encSemver
	encShard
)

// ending is how a reader knows where the text of a slot ends.
type ending uint8

const (
	// endSegment: with its segment, less the literal text after it.
	endSegment ending = iota
	// endSelf: by itself.
	endSelf
	// endByte: at the first byte of the literal text after it, which is escaped
	// in the value.
	endByte
)

// slot is a reference compiled for the value it meets and its place.
type slot struct {
	ref Ref
	in  Input
	enc encoding

	width  int     // of a padded integer or a shard
	lo, hi int64   // limits of an int
	most   uint64  // limit of a uint
	layout *layout // of a time, also as the value of a shard

	end     ending
	endByte byte
	escapes byteSet
	// ends reports that the value ends the key; else follow is the byte that
	// comes after it in every key, unless another value does.
	ends   bool
	follow byte

	order Order
	lossy bool
}

// append appends the escaped text of a value that is not missing. It returns
// what is wrong with the value, without the value.
func (s *slot) append(dst []byte, p Part) ([]byte, string) {
	start := len(dst)
	dst, fault := s.appendBare(dst, p)
	if fault != "" {
		return dst, fault
	}
	return escapeTail(dst, start, &s.escapes), ""
}

// appendBare appends the text of a value before escaping.
func (s *slot) appendBare(dst []byte, p Part) ([]byte, string) {
	if fault := s.check(p); fault != "" {
		return dst, fault
	}
	switch s.enc {
	case encText:
		return s.appendFolded(dst, p.text), ""
	case encBool:
		return append(dst, p.text...), ""
	case encPlainInt:
		return strconv.AppendInt(dst, int64(p.num), 10), ""
	case encPlainUint:
		return strconv.AppendUint(dst, p.num, 10), ""
	case encPaddedInt:
		return appendPaddedInt(dst, int64(p.num), s.width, s.ref.Desc), ""
	case encPaddedUint:
		return appendDigits(dst, p.num, s.width, s.ref.Desc), ""
	case encLayout:
		return s.layout.append(dst, s.stored(p), s.ref.Desc), ""
	case encGoLayout:
		start := len(dst)
		if dst = s.stored(p).AppendFormat(dst, s.ref.Format); len(dst) == start {
			return dst, "the layout shows nothing of this time" // ".999" is one
		}
		return dst, ""
	case encSemver:
		dst, ok := appendSemver(dst, p.text)
		if !ok {
			return dst, "the value is not a version by SemVer 2.0.0"
		}
		return dst, ""
	}
	return s.appendShard(dst, p), ""
}

// check returns what is wrong with a value before it is written.
func (s *slot) check(p Part) string {
	want := s.in.Kind
	if want == KindBool {
		want = KindText
	}
	if p.kind != want {
		return "the value is of kind " + p.kind.String() + ", not " + s.in.Kind.String()
	}
	switch s.in.Kind {
	case KindText:
		if !utf8.ValidString(p.text) {
			return "the text is not valid UTF-8"
		}
	case KindBool:
		if p.text != "true" && p.text != "false" {
			return "the value is neither true nor false"
		}
	case KindInt:
		if n := int64(p.num); n < s.lo || n > s.hi {
			return s.tooWide()
		}
	case KindUint:
		if p.num > s.most {
			return s.tooWide()
		}
	case KindTime:
		if t := p.Time(); t.Before(minTime) || t.After(maxTime) {
			return "the year is outside of 0000 to 9999"
		}
	}
	return ""
}

func (s *slot) tooWide() string {
	if s.enc == encPaddedInt || s.enc == encPaddedUint {
		return "the number does not fit " + strconv.Itoa(s.width) + " digits and " + strconv.Itoa(s.in.Bits) + " bits"
	}
	return "the number does not fit " + strconv.Itoa(s.in.Bits) + " bits"
}

// appendFolded appends text in the letter case the slot asks for. Each rune is
// folded by itself, so that the folded beginning of a text begins the folded
// text.
func (s *slot) appendFolded(dst []byte, text string) []byte {
	if !s.ref.Lower && !s.ref.Upper {
		return append(dst, text...)
	}
	for _, r := range text {
		if s.ref.Lower {
			r = unicode.ToLower(r)
		} else {
			r = unicode.ToUpper(r)
		}
		dst = utf8.AppendRune(dst, r)
	}
	return dst
}

// stored returns a time as its attribute stores it: in UTC, less the digits
// that the attribute does not keep.
func (s *slot) stored(p Part) time.Time {
	return floorTime(p.Time(), s.in.Precision)
}

// appendShard appends the number of the shard a value belongs to: the FNV-1a
// hash of 64 bits of its canonical text, modulo the number of shards. The
// canonical text is the folded text, the plain decimal number, or the time in
// RFC 3339 as its attribute stores it. Stored keys depend on all of this.
func (s *slot) appendShard(dst []byte, p Part) []byte {
	start := len(dst)
	switch s.in.Kind {
	case KindInt:
		dst = strconv.AppendInt(dst, int64(p.num), 10)
	case KindUint:
		dst = strconv.AppendUint(dst, p.num, 10)
	case KindTime:
		dst = s.layout.append(dst, s.stored(p), false)
	default:
		dst = s.appendFolded(dst, p.text)
	}
	hash := uint64(14695981039346656037)
	for _, c := range dst[start:] {
		hash ^= uint64(c)
		hash *= 1099511628211
	}
	return appendDigits(dst[:start], hash%uint64(s.ref.Shard), s.width, false)
}

// parse returns the part of an escaped text.
func (s *slot) parse(text string) (Part, bool) {
	bare, ok := unescape(text, &s.escapes)
	if !ok || bare == "" {
		return Part{}, false
	}
	var p Part
	switch s.enc {
	case encText, encBool, encGoLayout:
		p = Text(bare)
	case encPlainInt:
		n, err := strconv.ParseInt(bare, 10, 64)
		p, ok = Int(n), err == nil
	case encPlainUint, encShard:
		n, err := strconv.ParseUint(bare, 10, 64)
		p, ok = Uint(n), err == nil
	case encPaddedInt:
		var n int64
		n, ok = parsePaddedInt(bare, s.ref.Desc)
		p = Int(n)
	case encPaddedUint:
		var n uint64
		n, ok = parseDigits(bare, s.ref.Desc)
		p = Uint(n)
	case encLayout:
		var t time.Time
		t, ok = s.layout.parse(bare, s.ref.Desc)
		p = timePart(t)
	case encSemver:
		var version string
		version, ok = parseSemver(bare)
		p = Text(version)
	}
	return p, ok && s.writes(p, bare)
}

// writes reports whether a value is written as this text: a reader must not
// take what a writer never writes.
func (s *slot) writes(p Part, bare string) bool {
	switch s.enc {
	case encText:
		if !s.lossy {
			return utf8.ValidString(bare)
		}
	case encGoLayout:
		return utf8.ValidString(bare)
	case encShard:
		return p.num < uint64(s.ref.Shard)
	}
	var buf [64]byte
	again, fault := s.appendBare(buf[:0], p)
	return fault == "" && string(again) == bare
}

// length returns the length of the value at the beginning of text, for a slot
// that ends by itself; it may be more than the text has.
func (s *slot) length(text string) int {
	width := s.width
	switch s.enc {
	case encBool:
		width = len("true")
		if text != "" && text[0] == 'f' {
			width = len("false")
		}
	case encLayout:
		width = s.layout.width
	case encPaddedInt:
		if text != "" && !isDigit(text[0]) {
			width++
		}
	}
	return escapedLen(text, width)
}
