package keytmpl

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// Input describes the values that a reference will meet.
type Input struct {
	Kind Kind
	// Bits is the size of an int or uint: 8, 16, 32 or 64. Defaults to 64.
	Bits int
	// Pad is the width in digits of an integer that is padded without a format.
	// Defaults to the width of the type.
	Pad int
	// Precision is the number of fraction digits with which a time is stored,
	// 0 to 9; -1 means 9.
	Precision int
	// Name is shown by [Key.Pattern]. Defaults to the reference as written.
	Name string
}

// Bind checks every format and modifier against the kind of value it meets,
// one input a reference, and compiles the template for a role. Faults are of
// type *[BindError], all of them joined in the order of the references.
func (t *Template) Bind(role Role, inputs []Input) (*Key, error) {
	if len(inputs) != len(t.refs) {
		return nil, &BindError{
			Template: t.src, Ref: -1,
			Fault: fmt.Sprintf("%d inputs for %d references", len(inputs), len(t.refs)),
		}
	}
	k := &Key{t: t, role: role, slots: make([]slot, len(inputs)), missing: make([]MissingError, len(inputs))}
	var errs []error
	for i, in := range inputs {
		ref := t.refs[i]
		k.missing[i] = MissingError{Template: t.src, Ref: i, Field: ref.Name()}
		s := &k.slots[i]
		s.ref, s.in = ref, in
		err := s.bindKind(role)
		if err == nil {
			err = k.bindPlace(i)
		}
		if err != nil {
			err.Template, err.Ref, err.Field = t.src, i, ref.Name()
			errs = append(errs, err)
		}
	}
	if len(errs) > 0 {
		return nil, errors.Join(errs...)
	}
	k.segments = split(t)
	return k, nil
}

func unfit(suggestion, format string, args ...any) *BindError {
	return &BindError{Fault: fmt.Sprintf(format, args...), Suggestion: suggestion}
}

// bindKind chooses the encoding of a slot.
func (s *slot) bindKind(role Role) *BindError {
	r := s.ref
	switch s.in.Kind {
	case KindText, KindBool, KindInt, KindUint, KindTime:
	default:
		return unfit("", "only text, integers, times and bools can be part of a key")
	}
	if s.in.Kind != KindText {
		for _, m := range []struct {
			set  bool
			name string
		}{{r.Lower, "lower"}, {r.Upper, "upper"}, {r.Semver, "semver"}, {r.Raw, "raw"}} {
			if m.set {
				return unfit("", "modifier %s is for text, not for %s", m.name, s.in.Kind)
			}
		}
	}
	var err *BindError
	switch s.in.Kind {
	case KindText:
		err = s.bindText()
	case KindBool:
		err = s.bindBool()
	case KindTime:
		err = s.bindTime()
	default:
		err = s.bindInteger(role)
	}
	if err == nil && r.Shard > 0 {
		s.enc, s.order, s.lossy = encShard, Unordered, true
		s.width = len(strconv.Itoa(r.Shard - 1))
	}
	return err
}

func (s *slot) bindText() *BindError {
	switch {
	case s.ref.Desc:
		return unfit("", "desc is for integers and times, not for text")
	case s.ref.Format != "" && s.ref.Format != "%s":
		return unfit("%s, or none", "text has no format %q", s.ref.Format)
	case s.ref.Semver:
		s.enc, s.order = encSemver, Ascending
	default:
		s.enc = encText
		s.lossy = s.ref.Lower || s.ref.Upper
	}
	return nil
}

func (s *slot) bindBool() *BindError {
	switch {
	case s.ref.Desc:
		return unfit("", "desc is for integers and times, not for bool")
	case s.ref.Format != "":
		return unfit("", "bool has no format %q", s.ref.Format)
	}
	s.enc, s.order = encBool, Ascending
	return nil
}

// paddedWidth returns the width of a format like %012d, of one or two digits.
func paddedWidth(format string) (width int, ok bool) {
	digits, begins := strings.CutPrefix(format, "%0")
	digits, ends := strings.CutSuffix(digits, "d")
	if !begins || !ends || len(digits) < 1 || len(digits) > 2 || digits[0] == '0' {
		return 0, false
	}
	n, err := strconv.ParseUint(digits, 10, 8)
	return int(n), err == nil
}

func (s *slot) bindInteger(role Role) *BindError {
	if s.in.Bits == 0 {
		s.in.Bits = 64
	}
	switch s.in.Bits {
	case 8, 16, 32, 64:
	default:
		return unfit("", "integers have 8, 16, 32 or 64 bits, not %d", s.in.Bits)
	}
	signed := s.in.Kind == KindInt
	padded := role == Sort || s.ref.Desc
	width := s.in.Pad
	if width == 0 {
		width = digitsOf(s.in.Bits, signed)
	}
	switch n, ok := paddedWidth(s.ref.Format); {
	case ok:
		padded, width = true, n
	case s.ref.Format == "%d" && s.ref.Desc:
		return unfit("%012d, for example", "desc needs a fixed width, which %%d has not")
	case s.ref.Format == "%d":
		padded = false
	case s.ref.Format != "":
		return unfit("%012d or %d", "%s has no format %q", s.in.Kind, s.ref.Format)
	}
	if s.ref.Shard > 0 {
		padded = false
	}
	if padded && (width < 1 || width > maxPad) {
		return unfit("", "an integer is padded to 1 to %d digits, not %d", maxPad, width)
	}
	if padded {
		s.width, s.order = width, Ascending
		if s.ref.Desc {
			s.order = Descending
		}
	}
	s.lo, s.hi = intLimits(s.in.Bits, s.width)
	s.most = uintLimit(s.in.Bits, s.width)
	switch {
	case signed && padded:
		s.enc = encPaddedInt
	case signed:
		s.enc = encPlainInt
	case padded:
		s.enc = encPaddedUint
	default:
		s.enc = encPlainUint
	}
	return nil
}

func (s *slot) bindTime() *BindError {
	if s.in.Precision == -1 {
		s.in.Precision = 9
	}
	if s.in.Precision < 0 || s.in.Precision > 9 {
		return unfit("", "a time has 0 to 9 fraction digits, not %d", s.in.Precision)
	}
	var err *BindError
	if s.layout, err = timeLayout(s.ref.Format, s.in.Precision); err != nil {
		return err
	}
	if s.layout == nil {
		if s.ref.Desc {
			return unfit("", "desc needs a layout of fixed width that begins with the year and goes down, which %q is not", s.ref.Format)
		}
		s.enc, s.lossy = encGoLayout, true
		return nil
	}
	s.enc, s.order = encLayout, Ascending
	if s.ref.Desc {
		s.order = Descending
	}
	s.lossy = !s.layout.holds(s.in.Precision)
	return nil
}

// timeLayout returns the layout of a format, nil if it does not order.
func timeLayout(format string, precision int) (*layout, *BindError) {
	if format == "" {
		return rfc3339(precision), nil
	}
	names := make([]string, len(namedLayouts))
	folded := false
	for i, n := range namedLayouts {
		if n.name == format {
			return newLayout(n.layout), nil
		}
		names[i] = n.name
		folded = folded || strings.EqualFold(n.name, format)
	}
	// "Month" is a layout by the letters of "Mon", and surely not meant as one.
	if folded || !showsTime(format) {
		names = append(names, "a layout of package time")
		return nil, unfit(didYouMean(format, names), "unknown time format %q", format)
	}
	return customLayout(format), nil
}

// bindPlace decides by what follows a reference how its text ends, what has to
// be escaped in it, and whether its order survives.
func (k *Key) bindPlace(i int) *BindError {
	s, t := &k.slots[i], k.t
	after := t.lits[i+1]
	last := i+1 == len(t.refs)
	literal, _, closed := strings.Cut(after, string(rune(t.delimiter)))
	shared := !last && !closed // another reference follows in the segment

	s.ends = last && after == ""
	if after != "" {
		s.follow = after[0]
	}
	if s.ref.Raw {
		s.order = Ascending
		return nil
	}
	s.escapes.add('%')
	s.escapes.add(t.delimiter)

	switch s.enc {
	case encBool, encPaddedInt, encPaddedUint, encLayout, encShard:
		s.end = endSelf
		return nil
	case encSemver:
		if strings.IndexByte(semverPunct, t.delimiter) >= 0 {
			return unfit("", "semver needs the characters %q and can't be used with the delimiter %q", semverPunct, rune(t.delimiter))
		}
		if shared {
			return unfit("", "semver must be the last reference of its segment")
		}
		return nil
	}
	if shared {
		if literal == "" {
			return unfit("", "nothing tells where this value ends and the next begins")
		}
		c := literal[0]
		if c == '%' || c != ' ' && !isPunct(c) {
			return unfit("start it with a character such as '-', or use the delimiter "+string(rune(t.delimiter)),
				"the literal %q between two values of a segment would have to be escaped in the first", literal)
		}
		s.end, s.endByte = endByte, c
		s.escapes.add(c)
	}
	if s.enc == encText {
		s.bindTextOrder(k.role, t.delimiter)
	}
	return nil
}

// bindTextOrder makes the order of a sort key the order of the text where that
// is possible. Two things disturb it: an escape sorts as '%' and not as the
// character it stands for, and where one text begins another, what follows the
// shorter one is compared with a character of the longer one. Both are cured by
// escaping some more characters, as long as the delimiter and what follows are
// below '%', as '#' is.
func (s *slot) bindTextOrder(role Role, delimiter byte) {
	if role != Sort || s.ref.Format == "%s" || delimiter > '%' || !s.ends && s.follow >= '%' {
		return
	}
	if s.ends {
		s.escapes.addRange(delimiter, '%')
	} else {
		s.escapes.addRange(0, '%')
	}
	if !s.lossy {
		s.order = Ascending
	}
}
