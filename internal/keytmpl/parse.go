package keytmpl

import "strings"

// segment is what stands between two delimiters of a template.
type segment []piece

// piece is literal text, or a slot.
type piece struct {
	lit  string
	slot int // -1 for literal text
}

// split returns the segments of a template.
func split(t *Template) []segment {
	segments := []segment{nil}
	for i, lit := range t.lits {
		for j, s := range strings.Split(lit, string(rune(t.delimiter))) {
			if j > 0 {
				segments = append(segments, nil)
			}
			if s != "" {
				last := &segments[len(segments)-1]
				*last = append(*last, piece{lit: s, slot: -1})
			}
		}
		if i < len(t.refs) {
			last := &segments[len(segments)-1]
			*last = append(*last, piece{slot: i})
		}
	}
	return segments
}

// Parse returns the parts of a key that [Key.Append] built, and a
// *[MismatchError] for any other text. Of a value of which the key is lossy
// comes back what the key holds: of a time, the moment at which its text begins
// or, by a layout that does not order, the text; of a folded text, the folded
// one; of a shard, its number as a uint.
func (k *Key) Parse(key string) ([]Part, error) {
	parts := make([]Part, len(k.slots))
	for i, seg := range k.segments {
		text := key
		if i < len(k.segments)-1 {
			var found bool
			if text, key, found = strings.Cut(key, string(rune(k.t.delimiter))); !found {
				return nil, k.mismatch(-1, "it has too few segments")
			}
		}
		if ref, fault := k.parseSegment(seg, text, parts); fault != "" {
			return nil, k.mismatch(ref, fault)
		}
	}
	return parts, nil
}

// parseSegment reads one segment into parts. It returns what does not fit and
// the reference, -1 for literal text.
func (k *Key) parseSegment(seg segment, text string, parts []Part) (ref int, fault string) {
	for i, p := range seg {
		if p.slot < 0 {
			if !strings.HasPrefix(text, p.lit) {
				return -1, "its literal text differs"
			}
			text = text[len(p.lit):]
			continue
		}
		s := &k.slots[p.slot]
		end := 0
		switch s.end {
		case endSelf:
			end = s.length(text)
		case endByte:
			end = strings.IndexByte(text, s.endByte)
		case endSegment:
			end = len(text)
			if i+1 < len(seg) {
				end -= len(seg[i+1].lit)
			}
		}
		if end < 0 || end > len(text) {
			return p.slot, "the value is cut short"
		}
		part, ok := s.parse(text[:end])
		if !ok {
			return p.slot, "the value is not written like that"
		}
		parts[p.slot] = part
		text = text[end:]
	}
	if text != "" {
		return -1, "it has text too much"
	}
	return -1, ""
}

func (k *Key) mismatch(ref int, fault string) error {
	e := &MismatchError{Template: k.t.src, Ref: ref, Fault: fault}
	if ref >= 0 {
		e.Field = k.slots[ref].ref.Name()
	}
	return e
}
