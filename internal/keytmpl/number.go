package keytmpl

import "math"

// maxPad is the widest padded integer, the precision of a DynamoDB number.
const maxPad = 38

// digitsOf returns the number of decimal digits of the largest integer of a
// size: the width of its padded form.
func digitsOf(bits int, signed bool) int {
	switch bits {
	case 8:
		return 3
	case 16:
		return 5
	case 32:
		return 10
	}
	if signed {
		return 19
	}
	return 20
}

// intLimits returns the signed integers of a size that a width can hold; width
// 0 is any.
func intLimits(bits, width int) (lo, hi int64) {
	lo, hi = math.MinInt64>>(64-bits), math.MaxInt64>>(64-bits)
	if 0 < width && width < 19 {
		most := int64(pow10(width)) - 1
		lo, hi = max(lo, -most), min(hi, most)
	}
	return lo, hi
}

// uintLimit returns the largest unsigned integer of a size that a width can
// hold; width 0 is any.
func uintLimit(bits, width int) uint64 {
	hi := uint64(math.MaxUint64) >> (64 - bits)
	if 0 < width && width < 20 {
		hi = min(hi, pow10(width)-1)
	}
	return hi
}

func pow10(n int) uint64 {
	p := uint64(1)
	for range n {
		p *= 10
	}
	return p
}

// appendDigits appends the width last digits of n, each as its nine's
// complement if complement is set.
func appendDigits(dst []byte, n uint64, width int, complement bool) []byte {
	start := len(dst)
	for range width {
		dst = append(dst, '0')
	}
	for i := len(dst) - 1; i >= start; i-- {
		d := byte(n % 10)
		n /= 10
		if complement {
			d = 9 - d
		}
		dst[i] = '0' + d
	}
	return dst
}

// parseDigits reads what appendDigits wrote. It fails on anything but digits;
// that the number is not over 64 bits the caller makes sure of by writing it
// again.
func parseDigits(s string, complement bool) (uint64, bool) {
	n := uint64(0)
	for i := range len(s) {
		if !isDigit(s[i]) {
			return 0, false
		}
		d := uint64(s[i] - '0')
		if complement {
			d = 9 - d
		}
		n = n*10 + d
	}
	return n, s != ""
}

// appendPaddedInt appends n such that the order of the texts of one width is
// the order of the numbers, or its reverse.
//
// Ascending, a negative number is '-' and the digits of 10^width - |n|; '-' is
// below all digits. Descending, digits are nine's complements and a negative
// number is 'n' and the digits of |n|; 'n' is above all digits. A letter and
// not a sign, because a sign could be the delimiter, and its escape would sort
// below the digits.
func appendPaddedInt(dst []byte, n int64, width int, desc bool) []byte {
	magnitude := uint64(n)
	if n < 0 {
		magnitude = -magnitude
	}
	switch {
	case n >= 0:
		return appendDigits(dst, magnitude, width, desc)
	case desc:
		return appendDigits(append(dst, 'n'), magnitude, width, false)
	default:
		return appendDigits(append(dst, '-'), magnitude-1, width, true)
	}
}

// parsePaddedInt reads what appendPaddedInt wrote, by the rule of parseDigits.
func parsePaddedInt(s string, desc bool) (int64, bool) {
	negative := s != "" && (desc && s[0] == 'n' || !desc && s[0] == '-')
	if !negative {
		n, ok := parseDigits(s, desc)
		return int64(n), ok
	}
	n, ok := parseDigits(s[1:], !desc)
	if !desc {
		n++
	}
	return -int64(n), ok
}
