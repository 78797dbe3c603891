package expr

import (
	"cmp"
	"strconv"
	"strings"

	"github.com/dynorm/dynorm/internal/engine/value"
)

// step is one element of a document path: a name, or an index into a list.
type step struct {
	name  string // empty where a placeholder stands for it
	ref   int32  // that placeholder, or -1
	index int32  // -1 for a name
}

func (s step) isIndex() bool { return s.index >= 0 }

func (s step) compare(t step) int {
	return cmp.Or(cmp.Compare(s.index, t.index), strings.Compare(s.name, t.name))
}

// path is a document path.
type path []step

// String returns the path as the texts of faults show it: [a, b, [0]].
func (p path) String() string {
	var b strings.Builder
	b.WriteByte('[')
	for i, s := range p {
		if i > 0 {
			b.WriteString(", ")
		}
		if s.isIndex() {
			b.WriteString("[" + strconv.Itoa(int(s.index)) + "]")
		} else {
			b.WriteString(s.name)
		}
	}
	b.WriteByte(']')
	return b.String()
}

// top returns the name of the attribute that the path begins with.
func (p path) top(refs bindings) string { return refs.name(p[0]) }

// appendResolved appends the path with its placeholders replaced.
func (p path) appendResolved(dst path, refs bindings) path {
	for _, s := range p {
		dst = append(dst, step{name: refs.name(s), ref: -1, index: s.index})
	}
	return dst
}

// same reports whether two paths lead to the same place.
func (p path) same(q path, refs bindings) bool {
	if len(p) != len(q) {
		return false
	}
	for i, s := range p {
		if s.index != q[i].index || refs.name(s) != refs.name(q[i]) {
			return false
		}
	}
	return true
}

// find returns what the path leads to in the item, or no value.
func (p path) find(it value.Item, refs bindings) value.Value {
	v := it.Value(refs.name(p[0]))
	for _, s := range p[1:] {
		switch {
		case !s.isIndex():
			v = v.Map().Value(refs.name(s))
		case v.Kind() == value.L && int(s.index) < v.Len():
			v = v.Elems()[s.index]
		default:
			return value.Value{}
		}
	}
	return v
}
