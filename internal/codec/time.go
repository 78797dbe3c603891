package codec

import (
	"strconv"
	"time"
	"unsafe"
)

const errYear = reason("a year outside of 0 to 9999 can't be stored")

// timeText writes times as RFC 3339 in UTC with a fixed number of fraction
// digits, so that the order of the texts is the order of the times. What is
// finer is cut off.
type timeText struct{ digits int }

func (c timeText) append(dst []byte, p unsafe.Pointer) ([]byte, error) {
	return appendTime(dst, *(*time.Time)(p), c.digits)
}

func appendTime(dst []byte, t time.Time, digits int) ([]byte, error) {
	const firstSecond, lastSecond = -62167219200, 253402300799 // of the years 0 and 9999
	sec := t.Unix()
	if sec < firstSecond || sec > lastSecond {
		return dst, errYear
	}
	sec -= firstSecond
	year, month, day := date(int(sec/86400) - daysToMarch)
	clock := int(sec % 86400)
	text := [...]byte{
		'0', '0', '0', '0', '-', '0', '0', '-', '0', '0', 'T', '0', '0', ':', '0', '0', ':', '0', '0',
		'.', '0', '0', '0', '0', '0', '0', '0', '0', '0', 'Z',
	}
	setTwo(text[0:], year/100)
	setTwo(text[2:], year%100)
	setTwo(text[5:], month)
	setTwo(text[8:], day)
	setTwo(text[11:], clock/3600)
	setTwo(text[14:], clock/60%60)
	setTwo(text[17:], clock%60)
	const point = 19
	if digits == 0 {
		return append(append(dst, text[:point]...), 'Z'), nil
	}
	ns := uint32(t.Nanosecond())
	for i := point + 9; i > point; i-- {
		text[i] += byte(ns % 10)
		ns /= 10
	}
	return append(append(dst, text[:point+1+digits]...), 'Z'), nil
}

// setTwo sets two digits that are 0.
func setTwo(at []byte, n int) {
	at[0] += byte(n / 10)
	at[1] += byte(n % 10)
}

// Days are counted from the first of March of the year 0 where dates are made
// of them, for then the leap day is a year's last.
const (
	daysToMarch = 60 // from the first day of the year 0
	daysTo1970  = 719468
)

// date is the date of a day from the first of January of the year 0 on.
func date(days int) (year, month, day int) {
	if days < 0 {
		if days += daysToMarch; days < 31 {
			return 0, 1, days + 1
		}
		return 0, 2, days - 30
	}
	const era = 146097 // days of 400 years
	ofEra := days % era
	yearOfEra := (ofEra - ofEra/1460 + ofEra/36524 - ofEra/146096) / 365
	ofYear := ofEra - (365*yearOfEra + yearOfEra/4 - yearOfEra/100)
	fromMarch := (5*ofYear + 2) / 153
	year, month, day = days/era*400+yearOfEra, fromMarch+3, ofYear-(153*fromMarch+2)/5+1
	if month > 12 {
		return year + 1, month - 12, day
	}
	return year, month, day
}

func (timeText) parse(s string, p unsafe.Pointer) error {
	if t, ok := parseUTC(s); ok {
		*(*time.Time)(p) = t
		return nil
	}
	t, err := time.Parse(time.RFC3339Nano, s)
	if err != nil {
		return reason("not a time in the form of RFC 3339")
	}
	*(*time.Time)(p) = t.UTC()
	return nil
}

// parseUTC reads the form that appendTime writes, with any number of fraction
// digits up to nine. What is not of the form is left to the time package.
func parseUTC(s string) (time.Time, bool) {
	const form = "0000-00-00T00:00:00"
	if len(s) < len(form)+1 || s[len(s)-1] != 'Z' {
		return time.Time{}, false
	}
	for i := range len(form) {
		if form[i] != '0' && s[i] != form[i] || form[i] == '0' && !isDigit(s[i]) {
			return time.Time{}, false
		}
	}
	nano := 0
	if fraction := s[len(form) : len(s)-1]; fraction != "" {
		if fraction[0] != '.' || len(fraction) < 2 || len(fraction) > 10 {
			return time.Time{}, false
		}
		unit := 100_000_000
		for _, c := range []byte(fraction[1:]) {
			if !isDigit(c) {
				return time.Time{}, false
			}
			nano += int(c-'0') * unit
			unit /= 10
		}
	}
	year, month, day := two(s)*100+two(s[2:]), two(s[5:]), two(s[8:])
	hour, minute, second := two(s[11:]), two(s[14:]), two(s[17:])
	if month < 1 || month > 12 || day < 1 || day > daysIn(year, month) || hour > 23 || minute > 59 || second > 59 {
		return time.Time{}, false
	}
	if month < 3 {
		month += 12
		year--
	}
	days := 365*year + floorDiv(year, 4) - floorDiv(year, 100) + floorDiv(year, 400) + (153*(month-3)+2)/5 + day - 1
	return time.Unix(int64(days-daysTo1970)*86400+int64(hour*3600+minute*60+second), int64(nano)).UTC(), true
}

func isDigit(c byte) bool { return c-'0' <= 9 }

// two is the number that two digits are.
func two(s string) int { return int(s[0]-'0')*10 + int(s[1]-'0') }

// floorDiv rounds down; the year before the first is -1.
func floorDiv(n, by int) int {
	if n < 0 {
		return -1
	}
	return n / by
}

func daysIn(year, month int) int {
	switch {
	case month == 2 && year%4 == 0 && (year%100 != 0 || year%400 == 0):
		return 29
	case month == 2:
		return 28
	case month == 4 || month == 6 || month == 9 || month == 11:
		return 30
	}
	return 31
}

func (timeText) zero(p unsafe.Pointer) bool { return (*time.Time)(p).IsZero() }
func (timeText) clear(p unsafe.Pointer)     { *(*time.Time)(p) = time.Time{} }

// unixText writes times as whole seconds, or milliseconds, since 1970.
type unixText struct {
	timeText
	milli bool
}

func (c unixText) append(dst []byte, p unsafe.Pointer) ([]byte, error) {
	t := *(*time.Time)(p)
	if year := t.Year(); year < 0 || year > 9999 {
		return dst, errYear
	}
	return strconv.AppendInt(dst, c.count(t), 10), nil
}

func (c unixText) count(t time.Time) int64 {
	if c.milli {
		return t.UnixMilli()
	}
	return t.Unix()
}

func (c unixText) moment(n int64) time.Time {
	if c.milli {
		return time.UnixMilli(n).UTC()
	}
	return time.Unix(n, 0).UTC()
}

func (c unixText) parse(s string, p unsafe.Pointer) error {
	var n int64
	if err := new(intText[int64]).parse(s, unsafe.Pointer(&n)); err != nil {
		return err
	}
	*(*time.Time)(p) = c.moment(n)
	return nil
}

// truncate cuts a time to what digits of fraction hold, in UTC.
func truncate(t time.Time, digits int) time.Time {
	if t.IsZero() {
		return time.Time{}
	}
	unit := 1
	for range 9 - digits {
		unit *= 10
	}
	t = t.UTC()
	return time.Unix(t.Unix(), int64(t.Nanosecond()/unit*unit)).UTC()
}

// ttlText is the text form of a time to live: whole seconds, and nothing that
// must be milliseconds.
type ttlText struct {
	plain
	seconds func(p unsafe.Pointer) int64
}

// maxTTL is a moment in the year 5138 in seconds, and in 1973 in milliseconds.
const maxTTL = 100_000_000_000

func (c ttlText) append(dst []byte, p unsafe.Pointer) ([]byte, error) {
	if c.seconds(p) > maxTTL {
		return dst, reason("a time to live is in seconds, and this one looks like milliseconds")
	}
	return c.plain.append(dst, p)
}
