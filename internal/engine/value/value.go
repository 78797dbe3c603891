// Package value is the kernel of the embedded engine: attribute values, items,
// exact decimal numbers, their ordering, their key bytes and their sizes.
// Everything here is immutable once built, so values are shared freely between
// items, indexes, snapshots and goroutines.
package value

import (
	"bytes"
	"cmp"
	"slices"
	"strings"
	"unsafe"
)

// Kind is the data type of a Value.
type Kind uint8

// The ten data types, and Invalid for the zero Value.
const (
	Invalid Kind = iota
	S
	N
	B
	SS
	NS
	BS
	L
	M
	NULL
	BOOL
)

var kindNames = [...]string{"", "S", "N", "B", "SS", "NS", "BS", "L", "M", "NULL", "BOOL"}

// String returns the type's name on the wire, such as "S" or "BOOL".
func (k Kind) String() string { return kindNames[k] }

// IsSet reports whether k is SS, NS or BS.
func (k Kind) IsSet() bool { return k == SS || k == NS || k == BS }

// IsKey reports whether k may type a key attribute.
func (k Kind) IsKey() bool { return k == S || k == N || k == B }

// KindOf returns the kind with the given wire name, or Invalid.
func KindOf(name string) Kind {
	for k := S; k <= BOOL; k++ {
		if kindNames[k] == name {
			return k
		}
	}
	return Invalid
}

// Value is one attribute value. The zero Value is of kind Invalid and stands
// for "no value". A Value is two words: a pointer to its data (text, elements
// or attributes, told apart by the kind) and a length.
type Value struct {
	data unsafe.Pointer
	n    uint32
	kind Kind
}

func ofText(k Kind, s string) Value {
	return Value{unsafe.Pointer(unsafe.StringData(s)), uint32(len(s)), k}
}

// String returns the S value s.
func String(s string) Value { return ofText(S, s) }

// Binary returns the B value whose bytes are those of s.
func Binary(s string) Value { return ofText(B, s) }

// Num returns the N value n.
func Num(n Number) Value { return ofText(N, n.String()) }

// NumText returns the N value n, where n was read from text. It keeps text
// where that is how n is printed.
func NumText(n Number, text string) Value {
	if n.isPlain(text) {
		return ofText(N, text)
	}
	return Num(n)
}

// Int returns the N value i.
func Int(i int64) Value { return Num(NumberOf(i)) }

// Null is the NULL value.
func Null() Value { return Value{kind: NULL} }

// Bool returns the BOOL value b.
func Bool(b bool) Value {
	v := Value{kind: BOOL}
	if b {
		v.n = 1
	}
	return v
}

func ofElems(k Kind, elems []Value) Value {
	return Value{unsafe.Pointer(unsafe.SliceData(elems)), uint32(len(elems)), k}
}

// List returns the L value of elems, which it keeps.
func List(elems []Value) Value { return ofElems(L, elems) }

// Map returns the M value with the attributes of m.
func Map(m Item) Value {
	return Value{unsafe.Pointer(unsafe.SliceData(m.attrs)), uint32(len(m.attrs)), M}
}

// Set returns the set of kind k (SS, NS or BS) with the given elements, which
// are of the matching scalar kind. It keeps and sorts elems; duplicates are
// dropped, and the second result reports whether there were any.
func Set(k Kind, elems []Value) (v Value, unique bool) {
	slices.SortFunc(elems, Compare)
	n := len(elems)
	elems = slices.CompactFunc(elems, Equal)
	return ofElems(k, elems), len(elems) == n
}

// ElemKind returns the scalar kind of a set's elements.
func (k Kind) ElemKind() Kind {
	switch k {
	case SS:
		return S
	case NS:
		return N
	case BS:
		return B
	}
	return Invalid
}

// Kind returns the value's type.
func (v Value) Kind() Kind { return v.kind }

// IsZero reports whether v is no value at all.
func (v Value) IsZero() bool { return v.kind == Invalid }

// Text returns the text of an S, the bytes of a B, or the normalised decimal
// text of an N, and "" for other kinds.
func (v Value) Text() string {
	if v.kind > B || v.n == 0 {
		return ""
	}
	return unsafe.String((*byte)(v.data), v.n)
}

// Bool returns the truth of a BOOL.
func (v Value) Bool() bool { return v.kind == BOOL && v.n == 1 }

// Number returns the number of an N.
func (v Value) Number() Number {
	n, _ := ParseNumber(v.Text()) // normalised text always parses
	return n
}

// Elems returns the elements of an L or, in order, of a set. The caller must
// not change the slice.
func (v Value) Elems() []Value {
	if (v.kind != L && !v.kind.IsSet()) || v.n == 0 {
		return nil
	}
	return unsafe.Slice((*Value)(v.data), v.n)
}

// Map returns the attributes of an M.
func (v Value) Map() Item {
	if v.kind != M || v.n == 0 {
		return Item{}
	}
	return Item{unsafe.Slice((*Attr)(v.data), v.n)}
}

// Len returns the bytes of an S or B (UTF-8 bytes), and the elements of a set,
// L or M.
func (v Value) Len() int { return int(v.n) }

// Equal reports whether a and b are the same type and value. Numbers are equal
// when they denote the same decimal; sets regardless of order.
func Equal(a, b Value) bool {
	if a.kind != b.kind || a.n != b.n {
		return false
	}
	switch a.kind {
	case S, N, B:
		return a.Text() == b.Text()
	case SS, NS, BS, L:
		return a.data == b.data || slices.EqualFunc(a.Elems(), b.Elems(), Equal)
	case M:
		return a.data == b.data || a.Map().Equal(b.Map())
	}
	return true
}

// Compare orders two values of the same scalar kind: S by UTF-8 bytes, N by
// value, B by bytes. Other values, and values of different kinds, are ordered
// by kind and then as equal.
func Compare(a, b Value) int {
	if a.kind != b.kind {
		return cmp.Compare(a.kind, b.kind)
	}
	switch a.kind {
	case S, B:
		return strings.Compare(a.Text(), b.Text())
	case N:
		return compareText(a.Text(), b.Text())
	}
	return 0
}

// Comparable reports whether Compare orders a and b, as <, <=, >, >= and
// BETWEEN require: both of one kind among S, N, B.
func Comparable(a, b Value) bool { return a.kind == b.kind && a.kind.IsKey() }

// Contains reports whether the set or list v has the element e, or the S or B
// v has e as a part.
func (v Value) Contains(e Value) bool {
	switch v.kind {
	case S, B:
		return v.kind == e.kind && strings.Contains(v.Text(), e.Text())
	case SS, NS, BS:
		_, found := slices.BinarySearchFunc(v.Elems(), e, Compare)
		return found
	case L:
		return slices.ContainsFunc(v.Elems(), func(x Value) bool { return Equal(x, e) })
	}
	return false
}

// HasPrefix reports whether the S or B v begins with p of the same kind.
func (v Value) HasPrefix(p Value) bool {
	return v.kind == p.kind && (v.kind == S || v.kind == B) && strings.HasPrefix(v.Text(), p.Text())
}

// Union returns the set with the elements of v and w, sets of one kind.
func (v Value) Union(w Value) Value {
	u, _ := Set(v.kind, slices.Concat(v.Elems(), w.Elems()))
	return u
}

// Minus returns the set v without the elements of the set w. The result can be
// empty, in which case the attribute is to be removed.
func (v Value) Minus(w Value) Value {
	var rest []Value
	for _, e := range v.Elems() {
		if !w.Contains(e) {
			rest = append(rest, e)
		}
	}
	return ofElems(v.kind, rest)
}

// Depth returns the levels of nesting in v: 1 for scalars and sets, one more
// than the deepest element for lists and maps.
func (v Value) Depth() int {
	d := 0
	switch v.kind {
	case L:
		for _, e := range v.Elems() {
			d = max(d, e.Depth())
		}
	case M:
		for _, a := range v.Map().attrs {
			d = max(d, a.Value.Depth())
		}
	}
	return d + 1
}

// Clone returns a copy of v that shares no memory with v, for values cut from
// a large request of which little is kept.
func (v Value) Clone() Value {
	switch v.kind {
	case S, N, B:
		return ofText(v.kind, strings.Clone(v.Text()))
	case SS, NS, BS, L:
		elems := make([]Value, v.n)
		for i, e := range v.Elems() {
			elems[i] = e.Clone()
		}
		return ofElems(v.kind, elems)
	case M:
		return Map(v.Map().Clone())
	}
	return v
}

// Bytes returns the bytes of an S or B without a copy; they are read-only.
func (v Value) Bytes() []byte {
	if v.kind > B || v.n == 0 {
		return nil
	}
	return unsafe.Slice((*byte)(v.data), v.n)
}

// GoString prints v for test failures.
func (v Value) GoString() string {
	switch v.kind {
	case S, N:
		return v.kind.String() + ":" + v.Text()
	case B:
		return "B:" + string(bytes.ToValidUTF8(v.Bytes(), []byte("?")))
	case BOOL:
		if v.Bool() {
			return "true"
		}
		return "false"
	case M:
		return v.Map().GoString()
	case SS, NS, BS, L:
		var b strings.Builder
		b.WriteString(v.kind.String() + "[")
		for i, e := range v.Elems() {
			if i > 0 {
				b.WriteByte(' ')
			}
			b.WriteString(e.GoString())
		}
		return b.String() + "]"
	}
	return v.kind.String()
}
