package value

import (
	"encoding/binary"
	"errors"
	"strings"
)

// The binary form of items: their number of attributes, and then each one's
// name and value. A value is its kind, and then the length and bytes of a
// scalar, the number of elements and the elements of a list, those without
// their kind of a set, the attributes of a map, a byte for a BOOL, and nothing
// for NULL. Numbers are varints.

// errBinary is the error of bytes that are no item's binary form.
var errBinary = errors.New("not an item's binary form")

// AppendBinary appends the binary form of it, which is for storing items:
// compact, and quick to write and read.
func AppendBinary(dst []byte, it Item) []byte {
	dst = binary.AppendUvarint(dst, uint64(len(it.attrs)))
	for _, a := range it.attrs {
		dst = appendBinaryText(dst, a.Name)
		dst = appendBinaryValue(append(dst, byte(a.Value.kind)), a.Value)
	}
	return dst
}

func appendBinaryText(dst []byte, s string) []byte {
	return append(binary.AppendUvarint(dst, uint64(len(s))), s...)
}

// appendBinaryValue appends what follows the value's kind.
func appendBinaryValue(dst []byte, v Value) []byte {
	switch v.kind {
	case S, N, B:
		return appendBinaryText(dst, v.Text())
	case SS, NS, BS:
		dst = binary.AppendUvarint(dst, uint64(v.n))
		for _, e := range v.Elems() {
			dst = appendBinaryText(dst, e.Text())
		}
	case L:
		dst = binary.AppendUvarint(dst, uint64(v.n))
		for _, e := range v.Elems() {
			dst = appendBinaryValue(append(dst, byte(e.kind)), e)
		}
	case M:
		return AppendBinary(dst, v.Map())
	case BOOL:
		return append(dst, byte(v.n))
	}
	return dst
}

// ParseBinary reads the binary form of an item, all of s. The item refers to
// the memory of s.
func ParseBinary(s string) (Item, error) {
	p := binaryParser{rest: s}
	it := p.item(0)
	if p.failed || p.rest != "" {
		return Item{}, errBinary
	}
	return it, nil
}

// binaryParser reads the binary form from the front of rest. After a failure
// what it returns has no meaning.
type binaryParser struct {
	rest   string
	failed bool
}

func (p *binaryParser) fail() { p.failed, p.rest = true, "" }

func (p *binaryParser) uvarint() uint64 {
	var n uint64
	for i := range min(len(p.rest), binary.MaxVarintLen64) {
		c := p.rest[i]
		n |= uint64(c&0x7f) << (7 * i)
		if c < 0x80 {
			p.rest = p.rest[i+1:]
			return n
		}
	}
	p.fail()
	return 0
}

// count reads the number of things that follow, of a byte each at least.
func (p *binaryParser) count() int {
	n := p.uvarint()
	if n > uint64(len(p.rest)) {
		p.fail()
		return 0
	}
	return int(n)
}

func (p *binaryParser) text() string {
	n := p.count()
	s := p.rest[:n]
	p.rest = p.rest[n:]
	return s
}

func (p *binaryParser) byte() byte {
	if p.rest == "" {
		p.fail()
		return 0
	}
	c := p.rest[0]
	p.rest = p.rest[1:]
	return c
}

func (p *binaryParser) item(level int) Item {
	attrs := make([]Attr, p.count())
	for i := range attrs {
		attrs[i] = Attr{p.text(), p.value(level)}
		if i > 0 && strings.Compare(attrs[i-1].Name, attrs[i].Name) >= 0 {
			p.fail()
		}
		if p.failed {
			return Item{}
		}
	}
	return Item{attrs}
}

func (p *binaryParser) value(level int) Value {
	kind := Kind(p.byte())
	switch kind {
	case S, N, B:
		return p.scalar(kind)
	case NULL:
		return Null()
	case BOOL:
		b := p.byte()
		if b > 1 {
			p.fail()
		}
		return Bool(b == 1)
	case SS, NS, BS:
		elems := make([]Value, p.count())
		for i := range elems {
			elems[i] = p.scalar(kind.ElemKind())
			if p.failed || i > 0 && Compare(elems[i-1], elems[i]) >= 0 {
				p.fail()
				return Value{}
			}
		}
		return ofElems(kind, elems)
	case L, M:
		if level == MaxDepth {
			break
		}
		if kind == M {
			return Map(p.item(level + 1))
		}
		elems := make([]Value, p.count())
		for i := range elems {
			elems[i] = p.value(level + 1)
			if p.failed {
				return Value{}
			}
		}
		return List(elems)
	}
	p.fail()
	return Value{}
}

func (p *binaryParser) scalar(kind Kind) Value {
	text := p.text()
	if kind == N {
		if n, err := ParseNumber(text); err != nil || NumText(n, text).Text() != text {
			p.fail()
			return Value{}
		}
	}
	return ofText(kind, text)
}
