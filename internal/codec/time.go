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
	t = t.UTC()
	year, month, day := t.Date()
	if year < 0 || year > 9999 {
		return dst, errYear
	}
	hour, minute, second := t.Clock()
	dst = appendTwo(appendTwo(dst, year/100), year%100)
	dst = appendTwo(append(dst, '-'), int(month))
	dst = appendTwo(append(dst, '-'), day)
	dst = appendTwo(append(dst, 'T'), hour)
	dst = appendTwo(append(dst, ':'), minute)
	dst = appendTwo(append(dst, ':'), second)
	if digits > 0 {
		dst = append(dst, '.')
		ns := t.Nanosecond()
		for unit := 100_000_000; digits > 0; digits-- {
			dst = append(dst, byte('0'+ns/unit%10))
			unit /= 10
		}
	}
	return append(dst, 'Z'), nil
}

func appendTwo(dst []byte, n int) []byte { return append(dst, byte('0'+n/10), byte('0'+n%10)) }

func (timeText) parse(s string, p unsafe.Pointer) error {
	t, err := time.Parse(time.RFC3339Nano, s)
	if err != nil {
		return reason("not a time in the form of RFC 3339")
	}
	*(*time.Time)(p) = t.UTC()
	return nil
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
	if err := (intText[int64]{}).parse(s, unsafe.Pointer(&n)); err != nil {
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
