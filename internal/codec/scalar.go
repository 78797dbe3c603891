package codec

import (
	"cmp"
	"errors"
	"math"
	"strconv"
	"strings"
	"unsafe"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// plain is a type whose values have a text form. It is what numbers, times and
// marshalled text are stored by, what map keys and the elements of sets are
// written in, and what defaults are read from. Errors are a [reason] or a
// [methodError].
type plain interface {
	append(dst []byte, p unsafe.Pointer) ([]byte, error)
	// parse sets the value at p. It keeps s only where keepsText says so.
	parse(s string, p unsafe.Pointer) error
	zero(p unsafe.Pointer) bool
	clear(p unsafe.Pointer)
}

// absence says when a value has no attribute.
type absence uint8

const (
	never absence = iota
	ifZero
	// ifNil is for types that begin with a pointer which is nil when they are:
	// pointers, slices, maps and interfaces.
	ifNil
)

func (a absence) holds(v plain, p unsafe.Pointer) bool {
	switch a {
	case ifZero:
		return v.zero(p)
	case ifNil:
		return *(*unsafe.Pointer)(p) == nil
	}
	return false
}

// numberCoder stores a text form as N.
type numberCoder struct {
	plain
	absent absence
}

func (c *numberCoder) encode(e *encoder, p unsafe.Pointer) (types.AttributeValue, error) {
	if c.absent != never && c.absent.holds(c.plain, p) {
		return nil, nil
	}
	text, err := e.appendText(c.plain, p)
	if err != nil {
		return nil, encodeFault(err)
	}
	return e.newN(text), nil
}

func (c *numberCoder) decode(d level, av types.AttributeValue, p unsafe.Pointer) error {
	n, ok := av.(*types.AttributeValueMemberN)
	if !ok {
		return d.other(c, av, p, "N")
	}
	if err := c.parse(n.Value, p); err != nil {
		return decodeFault(err)
	}
	return nil
}

func (c *numberCoder) append(e *encoder, dst []byte, p unsafe.Pointer) ([]byte, bool, error) {
	if c.absent != never && c.absent.holds(c.plain, p) {
		return dst, false, nil
	}
	dst, err := e.appendScalar(dst, `{"N":"`, c.plain, p)
	return dst, true, err
}

func (c *numberCoder) read(r *Reader, t tag, p unsafe.Pointer) error {
	if t != tagN {
		return r.other(t, "N")
	}
	return r.parse(c.plain, p)
}

// parse reads the content of an S or an N by its text form.
func (r *Reader) parse(v plain, p unsafe.Pointer) error {
	text, err := r.scalar()
	if err != nil {
		return err
	}
	if keepsText(v) {
		text = r.keep(unsafe.Slice(unsafe.StringData(text), len(text)))
	}
	return decodeFaultOf(v.parse(text, p))
}

// keepsText reports whether a text form's values are the texts.
func keepsText(v plain) bool {
	switch v.(type) {
	case stringText, *numberText:
		return true
	}
	return false
}

// textCoder stores a text form as S.
type textCoder struct {
	plain
	absent absence
}

func (c *textCoder) encode(e *encoder, p unsafe.Pointer) (types.AttributeValue, error) {
	if c.absent != never && c.absent.holds(c.plain, p) {
		return nil, nil
	}
	text, err := e.appendText(c.plain, p)
	if err != nil {
		return nil, encodeFault(err)
	}
	return e.newS(text)
}

func (c *textCoder) decode(d level, av types.AttributeValue, p unsafe.Pointer) error {
	s, ok := av.(*types.AttributeValueMemberS)
	if !ok {
		return d.other(c, av, p, "S")
	}
	if err := c.parse(s.Value, p); err != nil {
		return decodeFault(err)
	}
	return nil
}

func (c *textCoder) append(e *encoder, dst []byte, p unsafe.Pointer) ([]byte, bool, error) {
	if c.absent != never && c.absent.holds(c.plain, p) {
		return dst, false, nil
	}
	dst, err := e.appendScalar(dst, `{"S":"`, c.plain, p)
	return dst, true, err
}

func (c *textCoder) read(r *Reader, t tag, p unsafe.Pointer) error {
	if t != tagS {
		return r.other(t, "S")
	}
	return r.parse(c.plain, p)
}

// stringCoder stores strings as S.
type stringCoder struct{ stringText }

func (c stringCoder) encode(e *encoder, p unsafe.Pointer) (types.AttributeValue, error) {
	return e.newS(*(*string)(p))
}

func (c stringCoder) decode(d level, av types.AttributeValue, p unsafe.Pointer) error {
	s, ok := av.(*types.AttributeValueMemberS)
	if !ok {
		return d.other(c, av, p, "S")
	}
	*(*string)(p) = s.Value
	return nil
}

func (c stringCoder) append(_ *encoder, dst []byte, p unsafe.Pointer) ([]byte, bool, error) {
	s := *(*string)(p)
	if isPlainText(s) {
		return append(append(append(dst, `{"S":"`...), s...), `"}`...), true, nil
	}
	if err := checkText(s); err != nil {
		return dst, false, err
	}
	return append(appendEscaped(append(dst, `{"S":"`...), s), `"}`...), true, nil
}

func (c stringCoder) read(r *Reader, t tag, p unsafe.Pointer) (err error) {
	if t != tagS {
		return r.other(t, "S")
	}
	*(*string)(p), err = r.Text()
	return err
}

// boolCoder stores bools as BOOL.
type boolCoder struct{ boolText }

func (c boolCoder) encode(e *encoder, p unsafe.Pointer) (types.AttributeValue, error) {
	return e.newBool(*(*bool)(p)), nil
}

func (c boolCoder) decode(d level, av types.AttributeValue, p unsafe.Pointer) error {
	b, ok := av.(*types.AttributeValueMemberBOOL)
	if !ok {
		return d.other(c, av, p, "BOOL")
	}
	*(*bool)(p) = b.Value
	return nil
}

func (c boolCoder) append(_ *encoder, dst []byte, p unsafe.Pointer) ([]byte, bool, error) {
	if *(*bool)(p) {
		return append(dst, `{"BOOL":true}`...), true, nil
	}
	return append(dst, `{"BOOL":false}`...), true, nil
}

func (c boolCoder) read(r *Reader, t tag, p unsafe.Pointer) (err error) {
	if t != tagBool {
		return r.other(t, "BOOL")
	}
	*(*bool)(p), err = r.Bool()
	return err
}

type stringText struct{}

func (stringText) append(dst []byte, p unsafe.Pointer) ([]byte, error) {
	return append(dst, *(*string)(p)...), nil
}

func (stringText) parse(s string, p unsafe.Pointer) error {
	*(*string)(p) = s
	return nil
}

func (stringText) zero(p unsafe.Pointer) bool { return *(*string)(p) == "" }
func (stringText) clear(p unsafe.Pointer)     { *(*string)(p) = "" }

type boolText struct{}

func (boolText) append(dst []byte, p unsafe.Pointer) ([]byte, error) {
	return strconv.AppendBool(dst, *(*bool)(p)), nil
}

func (boolText) parse(s string, p unsafe.Pointer) error {
	b, err := strconv.ParseBool(s)
	if err != nil {
		return reason("not a bool")
	}
	*(*bool)(p) = b
	return nil
}

func (boolText) zero(p unsafe.Pointer) bool { return !*(*bool)(p) }
func (boolText) clear(p unsafe.Pointer)     { *(*bool)(p) = false }

// scalar is what integers and floats have in common.
type scalar[T cmp.Ordered] struct{}

func (*scalar[T]) zero(p unsafe.Pointer) bool { return *(*T)(p) == *new(T) }
func (*scalar[T]) clear(p unsafe.Pointer)     { *(*T)(p) = *new(T) }

func bitsOf[T any]() int { return 8 * int(unsafe.Sizeof(*new(T))) }

type signed interface {
	int | int8 | int16 | int32 | int64
}

type intText[T signed] struct{ scalar[T] }

func (*intText[T]) append(dst []byte, p unsafe.Pointer) ([]byte, error) {
	return strconv.AppendInt(dst, int64(*(*T)(p)), 10), nil
}

func (*intText[T]) parse(s string, p unsafe.Pointer) error {
	n, err := strconv.ParseInt(s, 10, bitsOf[T]())
	if err != nil {
		if n, err = strconv.ParseInt(wholeNumber(s), 10, bitsOf[T]()); err != nil {
			return numberFault(s, err, "int", bitsOf[T]())
		}
	}
	*(*T)(p) = T(n)
	return nil
}

type unsigned interface {
	uint | uint8 | uint16 | uint32 | uint64
}

type uintText[T unsigned] struct{ scalar[T] }

func (*uintText[T]) append(dst []byte, p unsafe.Pointer) ([]byte, error) {
	return strconv.AppendUint(dst, uint64(*(*T)(p)), 10), nil
}

func (*uintText[T]) parse(s string, p unsafe.Pointer) error {
	n, err := strconv.ParseUint(s, 10, bitsOf[T]())
	if err != nil {
		if n, err = strconv.ParseUint(wholeNumber(s), 10, bitsOf[T]()); err != nil {
			return numberFault(s, err, "uint", bitsOf[T]())
		}
	}
	*(*T)(p) = T(n)
	return nil
}

// wholeNumber returns the plain digits of a number that is whole though not
// written so, like 1e3 or 5.0, and nothing for any other text.
func wholeNumber(s string) string {
	var buf [maxDigits]byte
	n, err := scanDecimal(s, buf[:0])
	if err != nil || n.exp < 0 || n.exp > maxDigits {
		return ""
	}
	sign := ""
	if n.neg && len(n.digits) > 0 {
		sign = "-"
	}
	return sign + cmp.Or(string(n.digits), "0") + strings.Repeat("0", n.exp)
}

func numberFault(s string, err error, typ string, bits int) error {
	var buf [maxDigits]byte
	n, bad := scanDecimal(s, buf[:0])
	switch {
	case bad != nil:
		return bad
	case n.exp < 0:
		return reason("a fraction does not fit in an integer")
	case errors.Is(err, strconv.ErrRange) || n.exp > 0:
		return reason("the number overflows " + typ + strconv.Itoa(bits))
	case n.neg:
		return reason("a negative number does not fit in a uint")
	}
	return reason("the number overflows " + typ + strconv.Itoa(bits))
}

type floating interface {
	float32 | float64
}

type floatText[T floating] struct{ scalar[T] }

func (*floatText[T]) append(dst []byte, p unsafe.Pointer) ([]byte, error) {
	f := float64(*(*T)(p))
	abs := math.Abs(f)
	switch {
	case abs == 0:
		return append(dst, '0'), nil
	case math.IsNaN(f):
		return dst, reason("NaN can't be stored")
	case math.IsInf(f, 0):
		return dst, reason("an infinity can't be stored")
	case abs >= 1e126, abs < 1e-130:
		return dst, errMagnitude
	case abs >= plainBelow, abs < plainFrom:
		return strconv.AppendFloat(dst, f, 'e', -1, bitsOf[T]()), nil
	}
	return strconv.AppendFloat(dst, f, 'f', -1, bitsOf[T]()), nil
}

func (*floatText[T]) parse(s string, p unsafe.Pointer) error {
	// ParseFloat also takes names, underscores and hexadecimal digits.
	for _, c := range []byte(s) {
		if !isDigit(c) && c != '.' && c != '-' && c != '+' && c != 'e' && c != 'E' {
			return errNotNumber
		}
	}
	f, err := strconv.ParseFloat(s, bitsOf[T]())
	switch {
	case errors.Is(err, strconv.ErrRange):
		return reason("the number overflows float" + strconv.Itoa(bitsOf[T]()))
	case err != nil:
		return errNotNumber
	}
	*(*T)(p) = T(f)
	return nil
}
