package keytmpl

import (
	"errors"
	"fmt"
	"math"
	"time"
	"unicode/utf8"
)

// ErrUnordered is wrapped by the error of [Key.Range] for a reference whose
// values are not ordered by the key.
var ErrUnordered = errors.New("keys are not in the order of the values")

// Interval is a comparison: all values from Low to High. A missing end is
// without bound; LowOpen and HighOpen leave the end's own value out.
type Interval struct {
	Low, High         Part
	LowOpen, HighOpen bool
}

// AtLeast is the interval of the values >= p.
func AtLeast(p Part) Interval { return Interval{Low: p} }

// Above is the interval of the values > p.
func Above(p Part) Interval { return Interval{Low: p, LowOpen: true} }

// AtMost is the interval of the values <= p.
func AtMost(p Part) Interval { return Interval{High: p} }

// Below is the interval of the values < p.
func Below(p Part) Interval { return Interval{High: p, HighOpen: true} }

// Between is the interval of the values from low to high, both included.
func Between(low, high Part) Interval { return Interval{Low: low, High: high} }

// Range is a span of key texts, both ends included, as in DynamoDB's BETWEEN.
type Range struct {
	// Low and High are the ends, "" for none, which only a template that begins
	// with the compared reference can have.
	Low, High string
	// Exact reports that of the keys of the template with the leading parts, the
	// span holds those whose value is in the interval, and no others. If it is
	// false the span holds these and some more, and the reader has to filter:
	// where the key is lossy, and where a text that ends the key is to be below
	// a bound, which a closed span can't say.
	Exact bool
	// Empty reports that no value is in the interval: there is nothing to ask
	// for.
	Empty bool
}

// Range returns the span of the keys with these leading parts whose next
// reference has a value in the interval, whatever parts follow. The order of
// values is that of [Key.Order]. A bound that the reference could not hold, a
// number of too many digits or a time of a higher precision, is no error but
// means what it says. Errors are *[MissingError], *[ValueError], *[SizeError]
// and, for a reference whose values the key does not order, [ErrUnordered].
func (k *Key) Range(leading []Part, in Interval) (Range, error) {
	ref := len(leading)
	if ref >= len(k.slots) {
		return Range{}, k.countError(ref + 1)
	}
	if i := firstMissing(leading); i < ref {
		return Range{}, &k.missing[i]
	}
	s := &k.slots[ref]
	if s.order == Unordered {
		return Range{}, fmt.Errorf("key template %q: {%s}: %w", k.t.src, s.ref.Name(), ErrUnordered)
	}
	for _, p := range [2]Part{in.Low, in.High} {
		if p.IsMissing() {
			continue
		}
		if fault := s.checkBound(p); fault != "" {
			return Range{}, k.valueError(ref, fault)
		}
	}
	var room [128]byte
	prefix, _, err := k.Prefix(room[:0], leading)
	if err != nil {
		return Range{}, err
	}
	exact, empty := true, false
	switch s.enc {
	case encPaddedInt:
		in, empty = s.closeInt(in)
	case encPaddedUint:
		in, empty = s.closeUint(in)
	case encBool:
		in, empty = closeBool(in)
	case encLayout:
		in, exact, empty = s.closeTime(in)
	}
	if empty {
		return Range{Exact: true, Empty: true}, nil
	}
	if s.order == Descending {
		in = Interval{Low: in.High, High: in.Low, LowOpen: in.HighOpen, HighOpen: in.LowOpen}
	}
	low, err := k.lowEnd(prefix, ref, in)
	if err != nil {
		return Range{}, err
	}
	high, inclusive, err := k.highEnd(prefix, ref, in)
	if err != nil {
		return Range{}, err
	}
	if high != "" && low > high {
		return Range{Exact: true, Empty: true}, nil
	}
	return Range{Low: low, High: high, Exact: exact && !inclusive}, nil
}

// checkBound is check for a bound, which may lie outside of what the slot
// holds.
func (s *slot) checkBound(p Part) string {
	if (s.in.Kind == KindInt || s.in.Kind == KindUint || s.in.Kind == KindTime) && p.kind == s.in.Kind {
		return ""
	}
	return s.check(p)
}

// lowEnd returns the least text a key in the interval can be, or one between
// it and all keys below the interval.
func (k *Key) lowEnd(prefix []byte, ref int, in Interval) (string, error) {
	if in.Low.IsMissing() {
		return string(prefix), nil
	}
	s := &k.slots[ref]
	text, err := k.bound(prefix, ref, in.Low)
	if err != nil || !in.LowOpen {
		return text, err
	}
	// The keys of the value itself are to be left out: all that begin with its
	// text, closed by what follows it.
	if !s.ends || s.enc == encSemver {
		return successor(s.closed(text)), nil
	}
	if len(text) < k.role.Limit() {
		return text + "\x00", nil
	}
	return successor(text), nil // no key is longer
}

// highEnd returns the greatest text a key in the interval can be, or one
// between it and all keys above the interval. inclusive reports that the span
// can't leave out the end's own value.
func (k *Key) highEnd(prefix []byte, ref int, in Interval) (text string, inclusive bool, err error) {
	if in.High.IsMissing() {
		return successor(string(prefix)), false, nil
	}
	s := &k.slots[ref]
	if text, err = k.bound(prefix, ref, in.High); err != nil {
		return "", false, err
	}
	switch {
	case in.HighOpen && !s.ends:
		return text, false, nil // no key is that short
	case in.HighOpen && s.enc == encSemver:
		// No text of a version lies between this and the version's.
		return text[:len(text)-1] + string(rune(text[len(text)-1]-1)), false, nil
	case s.ends:
		return text, in.HighOpen, nil
	default:
		return successor(s.closed(text)), false, nil
	}
}

// bound returns the prefix and the text of a value.
func (k *Key) bound(prefix []byte, ref int, p Part) (string, error) {
	var room [192]byte
	text, fault := k.slots[ref].append(append(room[:0], prefix...), p)
	if fault != "" {
		return "", k.valueError(ref, fault)
	}
	if err := k.checkSize(len(text)); err != nil {
		return "", err
	}
	return string(text), nil
}

// closed appends to the text of a value what no longer value of the slot can
// have there: nothing if the text ends by itself, else the byte that follows.
func (s *slot) closed(text string) string {
	if s.end == endSelf || s.enc == encSemver {
		return text
	}
	return text + string(rune(s.follow))
}

// closeInt makes the ends of an interval inclusive and brings them within what
// the slot holds.
func (s *slot) closeInt(in Interval) (_ Interval, empty bool) {
	lo, hi := s.lo, s.hi
	if !in.Low.IsMissing() {
		n := in.Low.Int()
		if in.LowOpen {
			if n == math.MaxInt64 {
				return in, true
			}
			n++
		}
		lo = max(lo, n)
		in.Low = Int(lo)
	}
	if !in.High.IsMissing() {
		n := in.High.Int()
		if in.HighOpen {
			if n == math.MinInt64 {
				return in, true
			}
			n--
		}
		hi = min(hi, n)
		in.High = Int(hi)
	}
	in.LowOpen, in.HighOpen = false, false
	return in, lo > hi
}

// closeUint is closeInt for unsigned integers.
func (s *slot) closeUint(in Interval) (_ Interval, empty bool) {
	lo, hi := uint64(0), s.most
	if !in.Low.IsMissing() {
		lo = in.Low.Uint()
		if in.LowOpen {
			if lo == math.MaxUint64 {
				return in, true
			}
			lo++
		}
		in.Low = Uint(lo)
	}
	if !in.High.IsMissing() {
		n := in.High.Uint()
		if in.HighOpen {
			if n == 0 {
				return in, true
			}
			n--
		}
		hi = min(hi, n)
		in.High = Uint(hi)
	}
	in.LowOpen, in.HighOpen = false, false
	return in, lo > hi
}

// closeBool is closeInt for bools.
func closeBool(in Interval) (_ Interval, empty bool) {
	if in.LowOpen && in.Low.Bool() || in.HighOpen && !in.High.IsMissing() && !in.High.Bool() {
		return in, true
	}
	if in.LowOpen && !in.Low.IsMissing() {
		in.Low = Bool(true)
	}
	if in.HighOpen && !in.High.IsMissing() {
		in.High = Bool(false)
	}
	in.LowOpen, in.HighOpen = false, false
	return in, in.Low.Bool() && !in.High.IsMissing() && !in.High.Bool()
}

// closeTime is closeInt for times, by the precision with which they are stored.
// exact reports that both ends are also ends of what the layout shows.
func (s *slot) closeTime(in Interval) (_ Interval, exact, empty bool) {
	step := time.Duration(pow10(9 - s.in.Precision))
	lo, hi := minTime, floorTime(maxTime, s.in.Precision)
	exact = true
	if !in.Low.IsMissing() {
		t := in.Low.Time()
		stored := floorTime(t, s.in.Precision)
		if in.LowOpen || stored.Before(t) {
			stored = stored.Add(step)
		}
		lo = later(lo, stored)
		exact = s.layout.floor(lo).Equal(lo)
		in.Low = timePart(lo)
	}
	if !in.High.IsMissing() {
		t := in.High.Time()
		stored := floorTime(t, s.in.Precision)
		if in.HighOpen && stored.Equal(t) {
			stored = stored.Add(-step)
		}
		if stored.Before(hi) {
			hi = stored
		}
		exact = exact && !s.layout.floor(hi.Add(step)).Equal(s.layout.floor(hi))
		in.High = timePart(hi)
	}
	in.LowOpen, in.HighOpen = false, false
	return in, exact, lo.After(hi)
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// successor returns the least text above all that begin with s, "" if there is
// none: s with its last character made the next one. It is never itself a key
// of the template, because the character that it changes is fixed in them, and
// is followed by a value.
func successor(s string) string {
	for s != "" {
		r, size := utf8.DecodeLastRuneInString(s)
		s = s[:len(s)-size]
		if r == utf8.MaxRune {
			continue
		}
		r++
		if 0xD800 <= r && r <= 0xDFFF {
			r = 0xE000
		}
		return s + string(r)
	}
	return ""
}
