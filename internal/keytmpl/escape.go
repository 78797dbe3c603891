package keytmpl

// byteSet is a set of ASCII characters.
type byteSet [2]uint64

func (s *byteSet) add(c byte) { s[c>>6] |= 1 << (c & 63) }

func (s *byteSet) addRange(from, to byte) {
	for c := from; c <= to; c++ {
		s.add(c)
	}
}

func (s *byteSet) has(c byte) bool {
	return c < 0x80 && s[c>>6]>>(c&63)&1 != 0
}

const hexDigits = "0123456789ABCDEF"

// escapeTail replaces each byte of set in dst[start:] by '%' and two hex
// digits, in place, so that it allocates only when dst has no room.
func escapeTail(dst []byte, start int, set *byteSet) []byte {
	n := 0
	for _, c := range dst[start:] {
		if set.has(c) {
			n++
		}
	}
	if n == 0 {
		return dst
	}
	from := len(dst)
	for range n {
		dst = append(dst, 0, 0)
	}
	to := len(dst)
	for from > start {
		from--
		c := dst[from]
		if !set.has(c) {
			to--
			dst[to] = c
			continue
		}
		to -= 3
		dst[to], dst[to+1], dst[to+2] = '%', hexDigits[c>>4], hexDigits[c&15]
	}
	return dst
}

// unescape reverses escapeTail. It refuses what escapeTail never writes, so
// that one value has one text.
func unescape(s string, set *byteSet) (string, bool) {
	escapes := 0
	for i := 0; i < len(s); i++ {
		if !set.has(s[i]) {
			continue
		}
		if s[i] != '%' || i+2 >= len(s) {
			return "", false
		}
		c, ok := unhex(s[i+1], s[i+2])
		if !ok || !set.has(c) {
			return "", false
		}
		escapes++
		i += 2
	}
	if escapes == 0 {
		return s, true
	}
	out := make([]byte, 0, len(s)-2*escapes)
	for i := 0; i < len(s); i++ {
		c := s[i]
		if set.has(c) {
			c, _ = unhex(s[i+1], s[i+2])
			i += 2
		}
		out = append(out, c)
	}
	return string(out), true
}

func unhex(hi, lo byte) (byte, bool) {
	h, ok1 := unhexDigit(hi)
	l, ok2 := unhexDigit(lo)
	return h<<4 | l, ok1 && ok2
}

func unhexDigit(c byte) (byte, bool) {
	switch {
	case isDigit(c):
		return c - '0', true
	case 'A' <= c && c <= 'F':
		return c - 'A' + 10, true
	}
	return 0, false
}

// escapedLen returns the length of the first n characters of s as they were
// before escaping, or len(s)+1 when s is shorter. It serves values of ASCII
// text only.
func escapedLen(s string, n int) int {
	i := 0
	for range n {
		if i >= len(s) {
			return len(s) + 1
		}
		if s[i] == '%' {
			i += 2
		}
		i++
	}
	return i
}
