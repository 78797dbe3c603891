package keytmpl

import (
	"strings"
	"time"
)

// layout is a time layout of fixed width whose elements stand in order of
// significance from the year down: the order of its texts is the order of the
// moments, and a text gives back the moment it begins with.
type layout struct {
	elems []element
	// unit is the smallest unit the text shows, digits the number of fraction
	// digits.
	unit   unit
	digits int
	width  int
}

// element is a number of a fixed count of digits or, with unit 0, literal text.
type element struct {
	unit   unit
	digits int
	text   string
}

// unit is what an element of a layout counts, in order of significance.
type unit uint8

const (
	unitNone unit = iota
	unitYear
	unitMonth
	unitDay
	unitYearDay
	unitHour
	unitMinute
	unitSecond
	unitFraction
)

// namedLayouts are the formats with names, in the order suggestions list them.
var namedLayouts = []struct{ name, layout string }{
	{"year", "2006"},
	{"month", "2006-01"},
	{"date", "2006-01-02"},
	{"hour", "2006-01-02T15"},
	{"minute", "2006-01-02T15:04"},
}

// layoutElements are the elements of Go layouts that a layout understands,
// longer ones first. What shows the zone is literal text, since times are UTC.
var layoutElements = []struct {
	layout string
	element
}{
	{"2006", element{unit: unitYear, digits: 4}},
	{"002", element{unit: unitYearDay, digits: 3}},
	{"01", element{unit: unitMonth, digits: 2}},
	{"02", element{unit: unitDay, digits: 2}},
	{"15", element{unit: unitHour, digits: 2}},
	{"04", element{unit: unitMinute, digits: 2}},
	{"05", element{unit: unitSecond, digits: 2}},
	{"Z07:00", element{text: "Z"}},
	{"Z0700", element{text: "Z"}},
	{"-07:00", element{text: "+00:00"}},
	{"-0700", element{text: "+0000"}},
}

// rfc3339 returns the layout of RFC 3339 with a number of fraction digits.
func rfc3339(digits int) *layout {
	l := "2006-01-02T15:04:05"
	if digits > 0 {
		l += "." + strings.Repeat("0", digits)
	}
	return newLayout(l + "Z")
}

// customLayout returns the layout that a Go layout stands for, or nil if it is
// not of fixed width and in order of significance.
func customLayout(goLayout string) *layout {
	l := newLayout(goLayout)
	if l == nil {
		return nil
	}
	// The package time has more elements than the ones known here. A layout
	// that holds another shows it by a different text.
	var buf [64]byte
	for t := range probes {
		if string(l.append(buf[:0], t, false)) != t.Format(goLayout) {
			return nil
		}
	}
	return l
}

// newLayout is customLayout for layouts of known elements.
func newLayout(goLayout string) *layout {
	l := &layout{}
	for rest := goLayout; rest != ""; {
		e, n := nextElement(rest)
		rest = rest[n:]
		if e.unit != unitNone && !l.follows(e.unit) {
			return nil
		}
		if e.unit != unitNone {
			l.unit = e.unit
		}
		if e.unit == unitFraction {
			l.digits = e.digits
		}
		l.width += e.digits + len(e.text)
		l.elems = append(l.elems, e)
	}
	if l.unit == unitNone {
		return nil
	}
	return l
}

// nextElement returns the element that s begins with and its length in s.
func nextElement(s string) (element, int) {
	for _, e := range layoutElements {
		if strings.HasPrefix(s, e.layout) {
			return e.element, len(e.layout)
		}
	}
	if s[0] == '.' || s[0] == ',' {
		digits := 0
		for digits+1 < len(s) && s[digits+1] == '0' {
			digits++
		}
		if 0 < digits && digits <= 9 && (digits+1 == len(s) || !isDigit(s[digits+1])) {
			return element{unit: unitFraction, digits: digits, text: s[:1]}, digits + 1
		}
	}
	return element{text: s[:1]}, 1
}

// follows reports whether an element of unit u may come next.
func (l *layout) follows(u unit) bool {
	switch u {
	case unitYear:
		return l.unit == unitNone
	case unitYearDay:
		return l.unit == unitYear
	case unitHour:
		return l.unit == unitDay || l.unit == unitYearDay
	}
	return l.unit == u-1
}

// append appends the text of t, which is in UTC and in a year of four digits.
// With desc, each digit is its nine's complement.
func (l *layout) append(dst []byte, t time.Time, desc bool) []byte {
	year, month, day := t.Date()
	hour, minute, second := t.Clock()
	for _, e := range l.elems {
		dst = append(dst, e.text...)
		n := 0
		switch e.unit {
		case unitNone:
			continue
		case unitYear:
			n = year
		case unitMonth:
			n = int(month)
		case unitDay:
			n = day
		case unitYearDay:
			n = t.YearDay()
		case unitHour:
			n = hour
		case unitMinute:
			n = minute
		case unitSecond:
			n = second
		case unitFraction:
			n = t.Nanosecond() / int(pow10(9-e.digits))
		}
		dst = appendDigits(dst, uint64(n), e.digits, desc)
	}
	return dst
}

// parse returns the moment at which a text begins. It takes more than append
// writes, the 30th of February for one; the caller makes sure by writing the
// moment again.
func (l *layout) parse(s string, desc bool) (time.Time, bool) {
	month, day, hour, minute, second, nsec := 1, 1, 0, 0, 0, 0
	year := 0
	for _, e := range l.elems {
		if len(s) < len(e.text)+e.digits || !strings.HasPrefix(s, e.text) {
			return time.Time{}, false
		}
		s = s[len(e.text):]
		if e.unit == unitNone {
			continue
		}
		u, ok := parseDigits(s[:e.digits], desc)
		if !ok {
			return time.Time{}, false
		}
		s = s[e.digits:]
		n := int(u)
		switch e.unit {
		case unitYear:
			year = n
		case unitMonth:
			month = n
		case unitDay, unitYearDay:
			day = n
		case unitHour:
			hour = n
		case unitMinute:
			minute = n
		case unitSecond:
			second = n
		case unitFraction:
			nsec = n * int(pow10(9-e.digits))
		}
	}
	return time.Date(year, time.Month(month), day, hour, minute, second, nsec, time.UTC), s == ""
}

// floor returns the first moment that has the same text as t.
func (l *layout) floor(t time.Time) time.Time {
	year, month, day := t.Date()
	switch l.unit {
	case unitYear:
		return time.Date(year, 1, 1, 0, 0, 0, 0, time.UTC)
	case unitMonth:
		return time.Date(year, month, 1, 0, 0, 0, 0, time.UTC)
	case unitDay, unitYearDay:
		return time.Date(year, month, day, 0, 0, 0, 0, time.UTC)
	case unitHour:
		return time.Date(year, month, day, t.Hour(), 0, 0, 0, time.UTC)
	case unitMinute:
		return time.Date(year, month, day, t.Hour(), t.Minute(), 0, 0, time.UTC)
	}
	return floorTime(t, l.digits)
}

// holds reports whether the text shows all of a time with this number of
// fraction digits.
func (l *layout) holds(digits int) bool {
	return l.unit >= unitSecond && l.digits >= digits
}

// floorTime drops what a number of fraction digits can't hold. It cuts towards
// the past, before 1970 too.
func floorTime(t time.Time, digits int) time.Time {
	return t.Add(-time.Duration(t.Nanosecond() % int(pow10(9-digits))))
}

// The first and the last moment of the years 0000 to 9999, which have a text.
var (
	minTime = time.Date(0, 1, 1, 0, 0, 0, 0, time.UTC)
	maxTime = time.Date(9999, 12, 31, 23, 59, 59, 999_999_999, time.UTC)
)

// showsTime reports whether a Go layout shows anything of a time.
func showsTime(goLayout string) bool {
	first := minTime.Format(goLayout)
	for t := range probes {
		if t.Format(goLayout) != first {
			return true
		}
	}
	return false
}

// probes yields moments that differ in every element of a layout.
func probes(yield func(time.Time) bool) {
	t := time.Date(1969, 2, 3, 4, 5, 6, 70_089, time.UTC)
	for range 32 {
		if !yield(t) {
			return
		}
		t = t.Add(10_007*time.Hour + 13*time.Minute + 17*time.Second + 123_456_789)
	}
}
