package codec

import (
	"math/big"
	"reflect"
	"strconv"
	"strings"
	"unsafe"
)

// The limits of DynamoDB's numbers.
const (
	maxDigits   = 38
	minExponent = -130
	maxExponent = 125
)

// Numbers are written without an exponent from plainFrom up to, and not
// including, plainBelow.
const (
	plainFrom  = 1e-6
	plainBelow = 1e21
)

const (
	errNotNumber = reason("not a number")
	errDigits    = reason("a number of more than 38 significant digits can't be stored")
	errMagnitude = reason("a number outside of 1e-130 to 9.99e125 can't be stored")
)

// decimal is a number taken apart: digits without zeros at either end, times
// ten to the power of exp. Zero has no digits.
type decimal struct {
	neg    bool
	digits []byte
	exp    int
}

// scanDecimal takes a decimal number apart, appending its digits to buf, and
// checks it against DynamoDB's limits.
func scanDecimal(s string, buf []byte) (decimal, error) {
	n := decimal{digits: buf}
	i := 0
	if i < len(s) && (s[i] == '-' || s[i] == '+') {
		n.neg = s[i] == '-'
		i++
	}
	zeros, seen, point := 0, false, false
	for ; i < len(s); i++ {
		c := s[i]
		if c == '.' && !point {
			point = true
			continue
		}
		if c < '0' || c > '9' {
			break
		}
		seen = true
		if point {
			n.exp--
		}
		if c == '0' {
			zeros++
			continue
		}
		if len(n.digits) > 0 {
			if len(n.digits)+zeros >= maxDigits {
				return n, excess(s)
			}
			for ; zeros > 0; zeros-- {
				n.digits = append(n.digits, '0')
			}
		}
		zeros = 0
		n.digits = append(n.digits, c)
	}
	if !seen {
		return n, errNotNumber
	}
	n.exp += zeros
	if i < len(s) {
		if s[i] != 'e' && s[i] != 'E' {
			return n, errNotNumber
		}
		e, err := strconv.Atoi(s[i+1:])
		switch {
		case err == nil && len(s)-i <= 8:
			n.exp += e
		case !isInteger(s[i+1:]):
			return n, errNotNumber
		case len(n.digits) > 0:
			return n, errMagnitude
		}
	}
	if len(n.digits) == 0 {
		n.exp = 0
		return n, nil
	}
	if adjusted := n.adjusted(); adjusted < minExponent || adjusted > maxExponent {
		return n, errMagnitude
	}
	return n, nil
}

// excess tells a number of too many digits from a text that is no number.
func excess(s string) error {
	if _, ok := new(big.Float).SetString(s); !ok || strings.ContainsAny(s, "xXpPbBoO_iI") {
		return errNotNumber
	}
	return errDigits
}

func isInteger(s string) bool {
	s = strings.TrimPrefix(s, "+")
	s = strings.TrimPrefix(s, "-")
	return s != "" && strings.Trim(s, "0123456789") == ""
}

// adjusted is the power of ten of the first digit.
func (n *decimal) adjusted() int { return n.exp + len(n.digits) - 1 }

// append writes the number in its one canonical form.
func (n *decimal) append(dst []byte) []byte {
	if len(n.digits) == 0 {
		return append(dst, '0')
	}
	if n.neg {
		dst = append(dst, '-')
	}
	adjusted := n.adjusted()
	switch {
	case adjusted < -6 || adjusted >= 21:
		dst = append(dst, n.digits[0])
		if len(n.digits) > 1 {
			dst = append(dst, '.')
			dst = append(dst, n.digits[1:]...)
		}
		dst = append(dst, 'e')
		dst = strconv.AppendInt(dst, int64(adjusted), 10)
	case adjusted < 0:
		dst = append(dst, "0."...)
		dst = append(dst, "000000"[:-adjusted-1]...)
		dst = append(dst, n.digits...)
	case n.exp >= 0:
		dst = append(dst, n.digits...)
		dst = append(dst, "000000000000000000000"[:n.exp]...)
	default:
		dst = append(dst, n.digits[:adjusted+1]...)
		dst = append(dst, '.')
		dst = append(dst, n.digits[adjusted+1:]...)
	}
	return dst
}

// checkDecimal checks that s is a number that DynamoDB can hold.
func checkDecimal(s string) error {
	var buf [maxDigits]byte
	_, err := scanDecimal(s, buf[:0])
	return err
}

// CanonicalNumber returns the one form that all texts of a number share.
func CanonicalNumber(s string) (string, error) {
	var buf [maxDigits]byte
	n, err := scanDecimal(s, buf[:0])
	if err != nil {
		return "", err
	}
	return string(n.append(nil)), nil
}

// numberText is for the string types that hold numbers: json.Number and
// attributevalue.Number. Empty stands for 0, as in encoding/json.
type numberText struct{ stringText }

func (*numberText) append(dst []byte, p unsafe.Pointer) ([]byte, error) {
	s := *(*string)(p)
	if s == "" {
		return append(dst, '0'), nil
	}
	var buf [maxDigits]byte
	n, err := scanDecimal(s, buf[:0])
	if err != nil {
		return dst, err
	}
	if s[0] == '+' || s[0] == '.' || strings.Contains(s, "-.") || strings.HasSuffix(s, ".") || strings.Contains(s, ".e") || strings.Contains(s, ".E") {
		return n.append(dst), nil
	}
	return append(dst, s...), nil
}

func (*numberText) parse(s string, p unsafe.Pointer) error {
	if err := checkDecimal(s); err != nil {
		return err
	}
	*(*string)(p) = s
	return nil
}

// bigIntText is for big.Int. Values are replaced, never changed in place, for a
// copy of one shares its digits.
type bigIntText struct{}

func (*bigIntText) append(dst []byte, p unsafe.Pointer) ([]byte, error) {
	x := (*big.Int)(p)
	if x.BitLen() > maxBits {
		return dst, errMagnitude
	}
	return checked(dst, x.Append(dst, 10))
}

// maxBits is the length of the largest number.
const maxBits = 419

// checked is to with the number after from checked.
func checked(from, to []byte) ([]byte, error) {
	text := to[len(from):]
	if err := checkDecimal(unsafe.String(unsafe.SliceData(text), len(text))); err != nil {
		return from, err
	}
	return to, nil
}

func (*bigIntText) parse(s string, p unsafe.Pointer) error {
	var buf [maxDigits]byte
	n, err := scanDecimal(s, buf[:0])
	if err != nil {
		return err
	}
	if n.exp < 0 {
		return reason("a fraction does not fit in an integer")
	}
	*(*big.Int)(p) = *n.integer()
	return nil
}

// integer is the number, times the power of ten that makes it whole where it has
// a fraction.
func (n *decimal) integer() *big.Int {
	x := new(big.Int)
	if len(n.digits) > 0 {
		x.SetString(string(n.digits)+strings.Repeat("0", max(n.exp, 0)), 10)
	}
	if n.neg {
		x.Neg(x)
	}
	return x
}

func (*bigIntText) zero(p unsafe.Pointer) bool { return (*big.Int)(p).Sign() == 0 }
func (*bigIntText) clear(p unsafe.Pointer)     { *(*big.Int)(p) = big.Int{} }

// bigRatText is for big.Rat, whose values must be finite decimals.
type bigRatText struct{}

func (*bigRatText) append(dst []byte, p unsafe.Pointer) ([]byte, error) {
	x := (*big.Rat)(p)
	digits, exact := x.FloatPrec()
	switch {
	case x.Num().BitLen() > 2*maxBits, digits > maxDigits-minExponent:
		return dst, errDigits
	case !exact:
		return dst, reason("a fraction without a finite decimal form can't be stored")
	}
	return checked(dst, append(dst, x.FloatString(digits)...))
}

func (*bigRatText) parse(s string, p unsafe.Pointer) error {
	var buf [maxDigits]byte
	n, err := scanDecimal(s, buf[:0])
	if err != nil {
		return err
	}
	part := decimal{digits: []byte{'1'}, exp: max(-n.exp, 0)}
	*(*big.Rat)(p) = *new(big.Rat).SetFrac(n.integer(), part.integer())
	return nil
}

func (*bigRatText) zero(p unsafe.Pointer) bool { return (*big.Rat)(p).Sign() == 0 }
func (*bigRatText) clear(p unsafe.Pointer)     { *(*big.Rat)(p) = big.Rat{} }

// bigFloatText is for big.Float. It writes the shortest decimal that reads back
// as the same value, and reads at a precision that holds any 38 digits.
type bigFloatText struct{}

const floatBits = 128

func (*bigFloatText) append(dst []byte, p unsafe.Pointer) ([]byte, error) {
	x := (*big.Float)(p)
	if x.IsInf() {
		return dst, reason("an infinity can't be stored")
	}
	if x.Sign() == 0 {
		return append(dst, '0'), nil
	}
	if e := x.MantExp(nil); e > maxBits || e < -maxBits-20 {
		return dst, errMagnitude
	}
	return checked(dst, x.Append(dst, 'g', -1))
}

func (*bigFloatText) parse(s string, p unsafe.Pointer) error {
	if err := checkDecimal(s); err != nil {
		return err
	}
	x, _, err := new(big.Float).SetPrec(floatBits).Parse(s, 10)
	if err != nil {
		return errNotNumber
	}
	*(*big.Float)(p) = *x
	return nil
}

func (*bigFloatText) zero(p unsafe.Pointer) bool { return (*big.Float)(p).Sign() == 0 }
func (*bigFloatText) clear(p unsafe.Pointer)     { *(*big.Float)(p) = big.Float{} }

// numberPlain returns the text form of a type of the kind Number.
func numberPlain(t reflect.Type) plain {
	switch t {
	case reflect.TypeFor[big.Int]():
		return &bigIntText{}
	case reflect.TypeFor[big.Rat]():
		return &bigRatText{}
	case reflect.TypeFor[big.Float]():
		return &bigFloatText{}
	}
	return &numberText{}
}
