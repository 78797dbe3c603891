package keytmpl

import (
	"fmt"
	"strings"
)

// Overlap says how the keys of two templates can meet.
type Overlap struct {
	// Same: one text can be a key of both.
	Same bool
	// Begins: the literal text that begins every key of the first can begin a
	// key of the second, so that a query by that prefix meets both. Begun is
	// the other way round.
	Begins, Begun bool
	// Reason says why on one line, empty when nothing overlaps.
	Reason string
}

// Compare says how the keys of a and b can meet, segment by segment. It never
// misses an overlap; it may report one that the values never reach, since it
// knows kinds of values and not the values themselves.
func Compare(a, b *Key) Overlap {
	if a.t.delimiter != b.t.delimiter {
		return Overlap{
			Same: true, Begins: true, Begun: true,
			Reason: fmt.Sprintf("%q and %q have different delimiters", a.Pattern(), b.Pattern()),
		}
	}
	o := Overlap{Same: same(a, b), Begins: begins(a, b), Begun: begins(b, a)}
	switch {
	case o.Same:
		o.Reason = fmt.Sprintf("%q and %q can build the same key", a.Pattern(), b.Pattern())
	case o.Begins:
		o.Reason = fmt.Sprintf("%q begins keys of %q", a.t.lits[0], b.Pattern())
	case o.Begun:
		o.Reason = fmt.Sprintf("%q begins keys of %q", b.t.lits[0], a.Pattern())
	}
	return o
}

// Disjoint reports that no text can be a key of both.
func Disjoint(a, b *Key) bool { return !same(a, b) }

// raw reports whether the last segment takes any text, delimiters too.
func (k *Key) raw() bool {
	return len(k.slots) > 0 && k.slots[len(k.slots)-1].ref.Raw
}

func same(a, b *Key) bool {
	if !a.raw() && b.raw() {
		a, b = b, a
	}
	n := len(a.segments)
	if a.raw() {
		// The last segment of a takes what is left of b, which is something
		// unless b is shorter.
		n--
		if b.raw() {
			n = min(n, len(b.segments)-1)
		} else if n >= len(b.segments) {
			return false
		}
	} else if n != len(b.segments) {
		return false
	}
	for i := range n {
		if !meet(a, a.segments[i], b, b.segments[i]) {
			return false
		}
	}
	if a.raw() && !b.raw() && n == len(b.segments)-1 && len(b.segments[n]) == 0 {
		return false // a raw value is never empty
	}
	return true
}

// meet reports whether two segments can have the same text.
func meet(a *Key, sa segment, b *Key, sb segment) bool {
	if text, ok := sa.literal(); ok {
		return b.canBe(sb, text)
	}
	if text, ok := sb.literal(); ok {
		return a.canBe(sa, text)
	}
	ta, tb := sa.tail(), sb.tail()
	return a.canBegin(sa, sb.head()) && b.canBegin(sb, sa.head()) &&
		(strings.HasSuffix(ta, tb) || strings.HasSuffix(tb, ta))
}

// canBe reports whether a segment can have this text.
func (k *Key) canBe(seg segment, text string) bool {
	_, fault := k.parseSegment(seg, text, make([]Part, len(k.slots)))
	return fault == ""
}

// begins reports whether the literal text that begins the keys of a can begin
// a key of b. Keys without references begin only themselves: they are asked for
// whole.
func begins(a, b *Key) bool {
	if len(a.slots) == 0 {
		return same(a, b)
	}
	lits := strings.Split(a.t.lits[0], string(rune(a.t.delimiter)))
	for i, lit := range lits {
		if b.raw() && i >= len(b.segments)-1 {
			return true
		}
		if i >= len(b.segments) {
			return false
		}
		seg := b.segments[i]
		if i == len(lits)-1 {
			return b.canBegin(seg, lit)
		}
		if i == len(b.segments)-1 {
			return false // b ends where a has a delimiter
		}
		if !b.canBe(seg, lit) {
			return false
		}
	}
	return true
}

// canBegin reports whether the text of a segment can begin with this one.
func (k *Key) canBegin(seg segment, text string) bool {
	head := seg.head()
	if len(head) >= len(text) {
		return strings.HasPrefix(head, text)
	}
	rest, ok := strings.CutPrefix(text, head)
	if head != "" {
		seg = seg[1:]
	}
	return ok && len(seg) > 0 && k.slots[seg[0].slot].canStart(rest[0])
}

// canStart reports whether the text of a value can begin with a byte.
func (s *slot) canStart(c byte) bool {
	switch s.enc {
	case encText, encGoLayout:
		return c == '%' || !s.escapes.has(c)
	case encBool:
		return c == 't' || c == 'f'
	case encSemver:
		return 'a' <= c && c <= 'z'
	case encPlainInt, encPaddedInt:
		return isDigit(c) || c == '-' || c == '%' || c == 'n' // the signs
	}
	return isDigit(c)
}

// literal returns the text of a segment without references.
func (seg segment) literal() (string, bool) {
	switch {
	case len(seg) == 0:
		return "", true
	case len(seg) == 1 && seg[0].slot < 0:
		return seg[0].lit, true
	}
	return "", false
}

// head returns the literal text a segment begins with.
func (seg segment) head() string {
	if len(seg) == 0 {
		return ""
	}
	return seg[0].lit
}

// tail returns the literal text a segment ends with.
func (seg segment) tail() string {
	if len(seg) == 0 {
		return ""
	}
	return seg[len(seg)-1].lit
}
