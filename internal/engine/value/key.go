package value

import "strings"

// AppendKey appends bytes that sort as v does among values of its kind, and
// that end by themselves, so that the keys of several values can follow each
// other. v is an S, N or B.
func AppendKey(dst []byte, v Value) []byte {
	if v.kind == N {
		return appendNumberKey(dst, v.Number())
	}
	return append(AppendKeyPrefix(dst, v), 0x00, 0x01)
}

// AppendKeyPrefix appends the bytes with which the keys of all S or B values
// that begin with v begin.
func AppendKeyPrefix(dst []byte, v Value) []byte {
	s := v.Text()
	for {
		// A zero byte is followed by 0xFF, the end by 0x01, so that a value
		// sorts before all that it is a prefix of.
		i := strings.IndexByte(s, 0)
		if i < 0 {
			return append(dst, s...)
		}
		dst = append(append(dst, s[:i+1]...), 0xFF)
		s = s[i+1:]
	}
}

// The first byte of a number's key.
const (
	keyNegative = 0x40
	keyZero     = 0x80
	keyPositive = 0xC0
)

// appendNumberKey appends the sign, the exponent, the digits in pairs and an
// end below any pair. For negative numbers all after the sign is inverted.
func appendNumberKey(dst []byte, n Number) []byte {
	if n.digits == "" {
		return append(dst, keyZero)
	}
	flip, sign := byte(0), byte(keyPositive)
	if n.neg {
		flip, sign = 0xFF, keyNegative
	}
	dst = append(dst, sign, byte(n.exp-minExp)^flip)
	for i := 0; i < len(n.digits); i += 2 {
		pair := (n.digits[i] - '0') * 10
		if i+1 < len(n.digits) {
			pair += n.digits[i+1] - '0'
		}
		dst = append(dst, (pair+1)^flip)
	}
	return append(dst, flip)
}
