package value

import (
	"cmp"
	"strconv"
	"strings"
)

// Limits of numbers: 38 significant digits, and magnitudes from 1E-130 to just
// under 1E+126. An exponent here is that of 0.d1d2d3... times ten to it.
const (
	MaxDigits = 38
	minExp    = -129
	maxExp    = 126
)

// Error is a fault in a request's values or expressions. Its text is the
// message of the service's ValidationException.
type Error string

func (e Error) Error() string { return string(e) }

// The faults of numbers, as the service words them.
const (
	ErrOverflow  Error = "Number overflow. Attempting to store a number with magnitude larger than supported range"
	ErrUnderflow Error = "Number underflow. Attempting to store a number with magnitude smaller than supported range"
	ErrPrecision Error = "Attempting to store more than 38 significant digits in a Number"
)

// Number is an exact decimal: 0.digits times ten to exp, negative if neg.
// The zero Number is zero.
type Number struct {
	digits string // no zeros at either end; empty for zero
	exp    int
	neg    bool
}

// ParseNumber reads a number in plain or exponent notation. The error is an
// Error with the service's text: not a number, out of range, too precise.
func ParseNumber(text string) (Number, error) {
	n, ok := scanNumber(text)
	switch {
	case !ok && text == "":
		return Number{}, Error("The parameter cannot be converted to a numeric value")
	case !ok:
		return Number{}, Error("The parameter cannot be converted to a numeric value: " + text)
	}
	if err := n.check(); err != nil {
		return Number{}, err
	}
	return n, nil
}

func (n Number) check() error {
	switch {
	case n.exp > maxExp:
		return ErrOverflow
	case n.exp < minExp:
		return ErrUnderflow
	case len(n.digits) > MaxDigits:
		return ErrPrecision
	}
	return nil
}

// scanNumber splits text into sign, digits and exponent.
func scanNumber(text string) (n Number, ok bool) {
	s := text
	if s != "" && (s[0] == '-' || s[0] == '+') {
		n.neg = s[0] == '-'
		s = s[1:]
	}
	mantissa, exp := s, 0
	if i := strings.IndexAny(s, "eE"); i >= 0 {
		var err error
		exp, err = strconv.Atoi(s[i+1:])
		if err != nil || exp > 1e9 || exp < -1e9 {
			return Number{}, false
		}
		mantissa = s[:i]
	}
	whole, fraction, _ := strings.Cut(mantissa, ".")
	if len(whole)+len(fraction) == 0 || !allDigits(whole) || !allDigits(fraction) {
		return Number{}, false
	}
	whole = strings.TrimLeft(whole, "0")
	fraction = strings.TrimRight(fraction, "0")
	switch {
	case fraction == "": // The common case: nothing to join.
		n.digits, n.exp = strings.TrimRight(whole, "0"), exp+len(whole)
	case whole == "":
		n.digits = strings.TrimLeft(fraction, "0")
		n.exp = exp - (len(fraction) - len(n.digits))
	default:
		n.digits, n.exp = whole+fraction, exp+len(whole)
	}
	if n.digits == "" {
		return Number{}, true
	}
	return n, true
}

func allDigits(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return true
}

// NumberOf returns the number i.
func NumberOf(i int64) Number {
	n, _ := scanNumber(strconv.FormatInt(i, 10))
	return n
}

// IsZero reports whether n is zero.
func (n Number) IsZero() bool { return n.digits == "" }

// Int returns n as an integer, if it is one that fits.
func (n Number) Int() (int64, bool) {
	i, err := strconv.ParseInt(n.String(), 10, 64)
	return i, err == nil
}

// String returns the number as the service prints it: plain notation, no
// exponent, no zeros that say nothing.
func (n Number) String() string {
	if n.digits == "" {
		return "0"
	}
	var b strings.Builder
	b.Grow(len(n.digits) + max(n.exp, -n.exp) + 3)
	if n.neg {
		b.WriteByte('-')
	}
	switch {
	case n.exp <= 0:
		b.WriteString("0.")
		b.WriteString(zeros[:-n.exp])
		b.WriteString(n.digits)
	case n.exp >= len(n.digits):
		b.WriteString(n.digits)
		b.WriteString(zeros[:n.exp-len(n.digits)])
	default:
		b.WriteString(n.digits[:n.exp])
		b.WriteByte('.')
		b.WriteString(n.digits[n.exp:])
	}
	return b.String()
}

// isPlain reports whether text, which n was read from, is n.String(). It may
// say no for a number that is rarely written that way.
func (n Number) isPlain(text string) bool {
	if n.neg {
		text = text[1:]
	}
	switch {
	case n.digits == "":
		return text == "0"
	case text[0] == '+' || n.exp <= 0:
		return false
	case n.exp >= len(n.digits):
		return len(text) == n.exp && text[0] != '0' && !strings.ContainsAny(text, "eE")
	}
	return len(text) == len(n.digits)+1 && text[0] != '0' && text[0] != '.'
}

var zeros = strings.Repeat("0", 256)

// Neg returns -n.
func (n Number) Neg() Number {
	if n.digits != "" {
		n.neg = !n.neg
	}
	return n
}

// Cmp orders numbers by value.
func (n Number) Cmp(m Number) int {
	switch {
	case n.sign() != m.sign():
		return cmp.Compare(n.sign(), m.sign())
	case n.neg:
		return m.cmpMagnitude(n)
	}
	return n.cmpMagnitude(m)
}

func (n Number) sign() int {
	switch {
	case n.digits == "":
		return 0
	case n.neg:
		return -1
	}
	return 1
}

func (n Number) cmpMagnitude(m Number) int {
	return cmp.Or(cmp.Compare(n.exp, m.exp), strings.Compare(n.digits, m.digits))
}

// compareText orders the normalised texts of two numbers. Whole positive
// numbers of one length, the common case, compare as they stand.
func compareText(a, b string) int {
	if a == b {
		return 0
	}
	if len(a) == len(b) && a[0] != '-' && b[0] != '-' && !strings.Contains(a, ".") && !strings.Contains(b, ".") {
		return strings.Compare(a, b)
	}
	n, _ := scanNumber(a)
	m, _ := scanNumber(b)
	return n.Cmp(m)
}

// Sub returns n - m. Errors are those of Add.
func (n Number) Sub(m Number) (Number, error) { return n.Add(m.Neg()) }

// Add returns n + m exactly, or ErrOverflow, ErrUnderflow or ErrPrecision when
// the sum can't be stored.
func (n Number) Add(m Number) (Number, error) {
	switch {
	case m.digits == "":
		return n, nil
	case n.digits == "":
		return m, nil
	}
	if n.cmpMagnitude(m) < 0 {
		n, m = m, n
	}
	// Column i of the sum counts tens to the power of low+i; n is the larger,
	// so one column above its first digit is enough for the carry.
	low := min(n.exp-len(n.digits), m.exp-len(m.digits))
	width := n.exp + 1 - low
	var columns [maxExp - minExp + MaxDigits + 2]int8
	n.fill(columns[:], low, 1)
	if n.neg == m.neg {
		m.fill(columns[:], low, 1)
	} else {
		m.fill(columns[:], low, -1)
	}
	text := make([]byte, width)
	carry := int8(0)
	for i := range width {
		c := columns[i] + carry
		carry = 0
		if c > 9 {
			c, carry = c-10, 1
		} else if c < 0 {
			c, carry = c+10, -1
		}
		text[width-1-i] = '0' + byte(c)
	}
	digits := strings.TrimLeft(string(text), "0")
	sum := Number{exp: low + len(digits), neg: n.neg}
	sum.digits = strings.TrimRight(digits, "0")
	if sum.digits == "" {
		return Number{}, nil
	}
	if err := sum.check(); err != nil {
		return Number{}, err
	}
	return sum, nil
}

func (n Number) fill(columns []int8, low int, sign int8) {
	first := n.exp - 1 - low
	for i := range len(n.digits) {
		columns[first-i] += sign * int8(n.digits[i]-'0')
	}
}
