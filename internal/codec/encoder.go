package codec

import (
	"sync"
	"unicode/utf8"
	"unsafe"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// encoder is the state of one encoding. The members of attribute values come
// out of slabs, and the text of numbers and times out of one buffer, so that
// an item costs a handful of allocations however many attributes it has.
type encoder struct {
	// s serves N as well: the two have one underlying type.
	s     slab[types.AttributeValueMemberS]
	b     slab[types.AttributeValueMemberB]
	bools slab[types.AttributeValueMemberBOOL]
	nulls slab[types.AttributeValueMemberNULL]
	l     slab[types.AttributeValueMemberL]
	m     slab[types.AttributeValueMemberM]
	text  []byte
	// textHint is the size of the first text buffer.
	textHint int
	// scratch holds a text while it is escaped.
	scratch []byte
	// list holds the texts of a set while it is written, cell an entry of a map.
	list  []string
	cell  any
	depth int
}

// budget is what an item of a type is expected to need of each slab.
type budget struct {
	s, b, bools, l, m, text int
}

var encoders = sync.Pool{New: func() any { return new(encoder) }}

func newEncoder(need *budget) *encoder {
	e := encoders.Get().(*encoder)
	e.s.next, e.b.next, e.bools.next = need.s, need.b, need.bools
	e.l.next, e.m.next = need.l, need.m
	e.textHint = need.text
	return e
}

// release returns the encoder for reuse. What is left of its slabs goes to the
// garbage collector, so that no two items share one.
func (e *encoder) release() {
	*e = encoder{scratch: e.scratch[:0], list: e.list[:0], cell: e.cell}
	if cap(e.scratch) > maxScratch {
		e.scratch = nil
	}
	if cap(e.list) > maxScratch/16 {
		e.list = nil
	}
	encoders.Put(e)
}

// slab hands out values of one type from arrays that double in size.
type slab[T any] struct {
	free []T
	next int
}

const maxSlab = 64

func (s *slab[T]) new() *T {
	if len(s.free) == 0 {
		s.grow()
	}
	p := &s.free[0]
	s.free = s.free[1:]
	return p
}

func (s *slab[T]) grow() {
	n := max(s.next, 1)
	s.free = make([]T, n)
	s.next = min(2*n, maxSlab)
}

// reserve makes room for n more values in one piece.
func (s *slab[T]) reserve(n int) {
	if len(s.free) < n {
		s.free = make([]T, len(s.free)+n)
	}
}

// reserve makes room for n values of a coder, if it is one of those that take
// many.
func (e *encoder) reserve(c coder, n int) {
	switch c.(type) {
	case stringCoder, *textCoder, *numberCoder:
		e.s.reserve(n)
	case *structCoder:
		e.m.reserve(n)
	}
}

func (e *encoder) newS(v string) (types.AttributeValue, error) {
	if err := checkText(v); err != nil {
		return nil, err
	}
	m := e.s.new()
	m.Value = v
	return m, nil
}

// checkText refuses text that could not be sent as it is: JSON is UTF-8, and
// the SDK writes U+FFFD for anything else.
func checkText(s string) error {
	if utf8.ValidString(s) {
		return nil
	}
	return encodeFault(reason("text that is not UTF-8: store it as []byte"))
}

func (e *encoder) newN(v string) types.AttributeValue {
	m := e.s.new()
	m.Value = v
	return (*types.AttributeValueMemberN)(m)
}

func (e *encoder) newB(v []byte) types.AttributeValue {
	m := e.b.new()
	m.Value = v
	return m
}

func (e *encoder) newBool(v bool) types.AttributeValue {
	m := e.bools.new()
	m.Value = v
	return m
}

func (e *encoder) newNull() types.AttributeValue {
	m := e.nulls.new()
	m.Value = true
	return m
}

func (e *encoder) newL(v []types.AttributeValue) types.AttributeValue {
	m := e.l.new()
	m.Value = v
	return m
}

func (e *encoder) newM(v map[string]types.AttributeValue) types.AttributeValue {
	m := e.m.new()
	m.Value = v
	return m
}

// textRoom is more than the text of any fixed-size number or time takes.
const textRoom = 32

// appendText returns the text form of the value at p. It lies in a buffer that
// is only ever appended to, so that it may be a string.
func (e *encoder) appendText(v plain, p unsafe.Pointer) (string, error) {
	if cap(e.text)-len(e.text) < textRoom {
		e.text = make([]byte, 0, max(e.textHint, textRoom))
		e.textHint = min(2*cap(e.text), 1024)
	}
	start := len(e.text)
	text, err := v.append(e.text, p)
	if err != nil {
		return "", err
	}
	e.text = text
	return unsafe.String(unsafe.SliceData(text[start:]), len(text)-start), nil
}

// enter goes one list or map deeper. Go values may be cyclic, so this is also
// what ends a walk around a cycle.
func (e *encoder) enter() error {
	if e.depth++; e.depth > maxDepth {
		return &EncodeError{Reason: tooDeep}
	}
	return nil
}

func (e *encoder) leave() { e.depth-- }
