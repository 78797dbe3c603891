package value

import (
	"iter"
	"slices"
	"strings"
)

// Attr is one named attribute of an item or map.
type Attr struct {
	Name  string
	Value Value
}

// Item is a set of attributes by name: a whole item, a key, or the content of
// an M value. It is a slice sorted by name: small, quick to search and to
// encode, and cheap to copy with one attribute changed, the values being
// shared. The zero Item is empty.
type Item struct {
	attrs []Attr
}

func byName(a, b Attr) int { return strings.Compare(a.Name, b.Name) }

// NewItem returns the item with the given attributes, which it keeps and
// sorts. Of attributes with one name the last one counts.
func NewItem(attrs []Attr) Item {
	if !slices.IsSortedFunc(attrs, byName) {
		slices.SortStableFunc(attrs, byName)
	}
	out := attrs[:0]
	for i, a := range attrs {
		if i+1 < len(attrs) && attrs[i+1].Name == a.Name {
			continue
		}
		out = append(out, a)
	}
	return Item{out}
}

// ItemOf returns the item with the attributes of m.
func ItemOf(m map[string]Value) Item {
	attrs := make([]Attr, 0, len(m))
	for name, v := range m {
		attrs = append(attrs, Attr{name, v})
	}
	return NewItem(attrs)
}

func (it Item) find(name string) (int, bool) {
	if len(it.attrs) <= 8 {
		for i := range it.attrs {
			if it.attrs[i].Name == name {
				return i, true
			}
		}
	}
	return slices.BinarySearchFunc(it.attrs, name, func(a Attr, n string) int { return strings.Compare(a.Name, n) })
}

// Len returns the number of attributes.
func (it Item) Len() int { return len(it.attrs) }

// Attrs returns the attributes in order of their names. The caller must not
// change the slice.
func (it Item) Attrs() []Attr { return it.attrs }

// All yields the attributes in order of their names.
func (it Item) All() iter.Seq2[string, Value] {
	return func(yield func(string, Value) bool) {
		for _, a := range it.attrs {
			if !yield(a.Name, a.Value) {
				return
			}
		}
	}
}

// Get returns the named attribute's value.
func (it Item) Get(name string) (Value, bool) {
	i, ok := it.find(name)
	if !ok {
		return Value{}, false
	}
	return it.attrs[i].Value, true
}

// Value returns the named attribute's value, or the zero Value.
func (it Item) Value(name string) Value {
	v, _ := it.Get(name)
	return v
}

// Has reports whether the item has the named attribute.
func (it Item) Has(name string) bool {
	_, ok := it.find(name)
	return ok
}

// With returns a copy of it in which the named attribute is v.
func (it Item) With(name string, v Value) Item {
	i, ok := it.find(name)
	if ok {
		attrs := slices.Clone(it.attrs)
		attrs[i].Value = v
		return Item{attrs}
	}
	attrs := make([]Attr, 0, len(it.attrs)+1)
	attrs = append(attrs, it.attrs[:i]...)
	attrs = append(attrs, Attr{name, v})
	return Item{append(attrs, it.attrs[i:]...)}
}

// Without returns a copy of it that lacks the named attribute.
func (it Item) Without(name string) Item {
	i, ok := it.find(name)
	if !ok {
		return it
	}
	attrs := make([]Attr, 0, len(it.attrs)-1)
	attrs = append(attrs, it.attrs[:i]...)
	return Item{append(attrs, it.attrs[i+1:]...)}
}

// Filter returns the item with the attributes whose names keep accepts.
func (it Item) Filter(keep func(name string) bool) Item {
	attrs := make([]Attr, 0, len(it.attrs))
	for _, a := range it.attrs {
		if keep(a.Name) {
			attrs = append(attrs, a)
		}
	}
	return Item{attrs}
}

// Equal reports whether both items have the same attributes.
func (it Item) Equal(other Item) bool {
	return slices.EqualFunc(it.attrs, other.attrs, func(a, b Attr) bool {
		return a.Name == b.Name && Equal(a.Value, b.Value)
	})
}

// Clone returns a copy of it that shares no memory with it.
func (it Item) Clone() Item {
	attrs := make([]Attr, len(it.attrs))
	for i, a := range it.attrs {
		attrs[i] = Attr{strings.Clone(a.Name), a.Value.Clone()}
	}
	return Item{attrs}
}

// GoString prints it for test failures.
func (it Item) GoString() string {
	var b strings.Builder
	b.WriteByte('{')
	for i, a := range it.attrs {
		if i > 0 {
			b.WriteByte(' ')
		}
		b.WriteString(a.Name + "=" + a.Value.GoString())
	}
	return b.String() + "}"
}
