package value

// Limits on items and keys: bytes, and levels of nesting, of which the scalar
// within the innermost list or map is one.
const (
	MaxItemSize         = 400 << 10
	MaxPartitionKeySize = 2048
	MaxSortKeySize      = 1024
	MaxDepth            = 32
)

// Size returns the bytes that v counts for in an item's size, by the
// developer guide's rules: UTF-8 bytes of text, raw bytes of binaries, one byte
// for NULL and BOOL, half a byte for each significant digit, and for lists
// and maps three bytes and one more for each element.
func (v Value) Size() int {
	switch v.kind {
	case S, B:
		return int(v.n)
	case N:
		return v.Number().size()
	case NULL, BOOL:
		return 1
	case SS, NS, BS:
		size := 0
		for _, e := range v.Elems() {
			size += e.Size()
		}
		return size
	case L:
		size := 3
		for _, e := range v.Elems() {
			size += e.Size() + 1
		}
		return size
	case M:
		m := v.Map()
		return 3 + m.Len() + m.Size()
	}
	return 0
}

// Size returns the bytes of all names and values, as the 400 KB limit, page
// sizes and capacity figures count them.
func (it Item) Size() int {
	size := 0
	for i := range it.attrs {
		size += len(it.attrs[i].Name) + it.attrs[i].Value.Size()
	}
	return size
}

// Exceeds reports whether the item is larger than the given number of bytes,
// without going through much more than that.
func (it Item) Exceeds(limit int) bool {
	size := 0
	for i := range it.attrs {
		if size += len(it.attrs[i].Name) + it.attrs[i].Value.Size(); size > limit {
			return true
		}
	}
	return false
}

// size counts one byte for the exponent, one for each pair of digits (pairs
// are aligned to the decimal point), and one for a minus sign.
func (n Number) size() int {
	if n.digits == "" {
		return 1
	}
	digits := len(n.digits)
	if n.exp&1 != 0 { // the first pair is half filled
		digits++
	}
	size := 1 + (digits+1)/2
	if n.neg {
		size++
	}
	return size
}
