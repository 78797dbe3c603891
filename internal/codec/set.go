package codec

import (
	"bytes"
	"encoding/json"
	"reflect"
	"slices"
	"unsafe"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// StringSet is what a string set decodes to where the Go type does not say
// more. It encodes to a string set.
type StringSet []string

// NumberSet is to number sets what [StringSet] is to string sets.
type NumberSet []json.Number

// BinarySet is to binary sets what [StringSet] is to string sets.
type BinarySet [][]byte

// members is how a Go type holds the elements of a set: a slice, or the keys of
// a map.
type members interface {
	// each calls fn with the address of every element, until it fails.
	each(p unsafe.Pointer, fn func(elem unsafe.Pointer) error) error
	// fill replaces the elements by n that set provides.
	fill(p unsafe.Pointer, n int, set func(i int, elem unsafe.Pointer) error) error
	zero(p unsafe.Pointer) bool
	clear(p unsafe.Pointer)
}

// setKind is the kind of a set: of strings, numbers or bytes.
type setKind uint8

const (
	stringSet setKind = iota
	numberSet
	binarySet
)

func (k setKind) String() string { return [...]string{"SS", "NS", "BS"}[k] }

// textSet stores elements that have a text form as SS or NS. The elements are
// written sorted and each once, so that one set has one form. An empty set has
// no attribute.
type textSet struct {
	members
	elem plain
	kind setKind
	// canonical says that one number has several texts.
	canonical bool
}

func (c *textSet) encode(e *encoder, p unsafe.Pointer) (types.AttributeValue, error) {
	list, err := c.texts(e, nil, p)
	switch {
	case err != nil || len(list) == 0:
		return nil, err
	case c.kind == numberSet:
		return &types.AttributeValueMemberNS{Value: list}, nil
	}
	return &types.AttributeValueMemberSS{Value: list}, nil
}

// texts returns the elements' texts, sorted and each once.
func (c *textSet) texts(e *encoder, list []string, p unsafe.Pointer) ([]string, error) {
	if _, ok := c.members.(*sliceMembers); ok {
		if _, ok := c.elem.(stringText); ok {
			list = append(list, *(*[]string)(p)...)
			for _, text := range list {
				if err := checkText(text); err != nil {
					return nil, err
				}
			}
			slices.Sort(list)
			return slices.Compact(list), nil
		}
		list = slices.Grow(list, (*slice)(p).len)
	}
	all := list // apart from what the closure does not touch, which stays off the heap
	err := c.each(p, func(elem unsafe.Pointer) error {
		text, err := e.appendText(c.elem, elem)
		if err == nil && c.canonical {
			text, err = CanonicalNumber(text)
		}
		if err == nil {
			err = checkText(text)
		}
		all = append(all, text)
		return err
	})
	if err != nil {
		return nil, encodeFault(err)
	}
	slices.Sort(all)
	return slices.Compact(all), nil
}

func (c *textSet) decode(d level, av types.AttributeValue, p unsafe.Pointer) error {
	var list []string
	switch v := av.(type) {
	case *types.AttributeValueMemberSS:
		if c.kind != stringSet {
			return d.other(c, av, p, c.kind.String())
		}
		list = v.Value
	case *types.AttributeValueMemberNS:
		if c.kind != numberSet {
			return d.other(c, av, p, c.kind.String())
		}
		list = v.Value
	case *types.AttributeValueMemberL:
		var err error
		if list, err = c.fromList(v.Value); err != nil {
			return err
		}
	default:
		return d.other(c, av, p, c.kind.String())
	}
	return c.setTexts(list, p)
}

func (c *textSet) append(e *encoder, dst []byte, p unsafe.Pointer) ([]byte, bool, error) {
	head := `{"SS":`
	if c.kind == numberSet {
		head = `{"NS":`
	}
	if c.strings() && ascending(*(*[]string)(p)) {
		list := *(*[]string)(p)
		if len(list) == 0 {
			return dst, false, nil
		}
		for _, text := range list {
			if err := checkText(text); err != nil {
				return dst, false, err
			}
		}
		return append(appendTexts(append(dst, head...), list), '}'), true, nil
	}
	list, err := c.texts(e, e.list[:0], p)
	if err != nil || len(list) == 0 {
		return dst, false, err
	}
	dst = append(appendTexts(append(dst, head...), list), '}')
	clear(list)
	e.list = list
	return dst, true, nil
}

// ascending reports whether texts are sorted already and each there once.
func ascending(list []string) bool {
	for i := 1; i < len(list); i++ {
		if list[i-1] >= list[i] {
			return false
		}
	}
	return true
}

func (c *textSet) read(r *Reader, t tag, p unsafe.Pointer) error {
	switch {
	case t == tagSS && c.kind == stringSet || t == tagNS && c.kind == numberSet:
		list, err := r.textList()
		if err != nil {
			return err
		}
		if c.strings() {
			*(*[]string)(p) = r.keepList(list)
			return nil
		}
		return c.setTexts(list, p)
	case t == tagL:
		av, err := r.content(t)
		if err != nil {
			return err
		}
		return c.decode(0, av, p)
	}
	return r.other(t, c.kind.String())
}

// strings reports whether the set is kept in a slice of strings.
func (c *textSet) strings() bool {
	_, slice := c.members.(*sliceMembers)
	_, text := c.elem.(stringText)
	return slice && text
}

func (c *textSet) setTexts(list []string, p unsafe.Pointer) error {
	if c.strings() {
		*(*[]string)(p) = append([]string(nil), list...)
		return nil
	}
	if s, ok := c.members.(*sliceMembers); ok {
		if len(list) == 0 {
			s.clear(p)
			return nil
		}
		data := makeSlice(s.t, len(list), p)
		for i := range list {
			if err := c.elem.parse(list[i], unsafe.Add(data, uintptr(i)*s.size)); err != nil {
				return under(decodeFault(err), indexStep(i))
			}
		}
		return nil
	}
	return c.fill(p, len(list), func(i int, elem unsafe.Pointer) error {
		if err := c.elem.parse(list[i], elem); err != nil {
			return under(decodeFault(err), indexStep(i))
		}
		return nil
	})
}

// fromList takes a list whose elements could be those of the set.
func (c *textSet) fromList(avs []types.AttributeValue) ([]string, error) {
	list := make([]string, len(avs))
	for i, av := range avs {
		switch v := av.(type) {
		case *types.AttributeValueMemberS:
			if c.kind == stringSet {
				list[i] = v.Value
				continue
			}
		case *types.AttributeValueMemberN:
			if c.kind == numberSet {
				list[i] = v.Value
				continue
			}
		}
		return nil, &DecodeError{Path: indexStep(i), Want: c.kind.String()[:1], Got: KindOf(av)}
	}
	return list, nil
}

// blobSet stores elements that have a form in bytes as BS.
type blobSet struct {
	members
	elem blob
}

func (c *blobSet) encode(_ *encoder, p unsafe.Pointer) (types.AttributeValue, error) {
	list, err := c.blobs(p)
	if err != nil || len(list) == 0 {
		return nil, err
	}
	return &types.AttributeValueMemberBS{Value: list}, nil
}

// blobs returns copies of the elements' bytes, sorted and each once.
func (c *blobSet) blobs(p unsafe.Pointer) ([][]byte, error) {
	var list [][]byte
	err := c.each(p, func(elem unsafe.Pointer) error {
		b, err := c.elem.bytes(elem)
		if err == nil {
			list = append(list, append([]byte{}, b...))
		}
		return err
	})
	if err != nil {
		return nil, encodeFault(err)
	}
	slices.SortFunc(list, bytes.Compare)
	return slices.CompactFunc(list, bytes.Equal), nil
}

func (c *blobSet) decode(d level, av types.AttributeValue, p unsafe.Pointer) error {
	var list [][]byte
	switch v := av.(type) {
	case *types.AttributeValueMemberBS:
		list = v.Value
	case *types.AttributeValueMemberL:
		for i, av := range v.Value {
			b, ok := av.(*types.AttributeValueMemberB)
			if !ok {
				return &DecodeError{Path: indexStep(i), Want: "B", Got: KindOf(av)}
			}
			list = append(list, b.Value)
		}
	default:
		return d.other(c, av, p, "BS")
	}
	return c.setBlobs(list, p)
}

func (c *blobSet) append(_ *encoder, dst []byte, p unsafe.Pointer) ([]byte, bool, error) {
	list, err := c.blobs(p)
	if err != nil || len(list) == 0 {
		return dst, false, err
	}
	return append(appendBlobs(append(dst, `{"BS":`...), list), '}'), true, nil
}

func (c *blobSet) read(r *Reader, t tag, p unsafe.Pointer) error {
	switch t {
	case tagBS:
		list, err := r.blobList()
		if err != nil {
			return err
		}
		return c.setBlobs(list, p)
	case tagL:
		av, err := r.content(t)
		if err != nil {
			return err
		}
		return c.decode(0, av, p)
	}
	return r.other(t, "BS")
}

func (c *blobSet) setBlobs(list [][]byte, p unsafe.Pointer) error {
	return c.fill(p, len(list), func(i int, elem unsafe.Pointer) error {
		if err := c.elem.setBytes(list[i], elem); err != nil {
			return under(decodeFault(err), indexStep(i))
		}
		return nil
	})
}

// sliceMembers holds a set in a slice. An empty set is a nil slice.
type sliceMembers struct {
	t    reflect.Type
	size uintptr
}

func (c *sliceMembers) each(p unsafe.Pointer, fn func(unsafe.Pointer) error) error {
	s := (*slice)(p)
	for i := range s.len {
		if err := fn(unsafe.Add(s.data, uintptr(i)*c.size)); err != nil {
			return err
		}
	}
	return nil
}

func (c *sliceMembers) fill(p unsafe.Pointer, n int, set func(int, unsafe.Pointer) error) error {
	if n == 0 {
		c.clear(p)
		return nil
	}
	data := makeSlice(c.t, n, p)
	for i := range n {
		if err := set(i, unsafe.Add(data, uintptr(i)*c.size)); err != nil {
			return err
		}
	}
	return nil
}

func (c *sliceMembers) zero(p unsafe.Pointer) bool { return (*slice)(p).len == 0 }
func (c *sliceMembers) clear(p unsafe.Pointer)     { *(*slice)(p) = slice{} }

// mapMembers holds a set in the keys of a map to struct{}, or in those keys of
// a map to bool that are true. An empty set is a nil map.
type mapMembers struct {
	typed
	bools bool
}

func (c *mapMembers) each(p unsafe.Pointer, fn func(unsafe.Pointer) error) error {
	v := reflect.NewAt(c.t, p).Elem()
	if v.Len() == 0 {
		return nil
	}
	key := reflect.New(c.t.Key())
	for iter := v.MapRange(); iter.Next(); {
		if c.bools && !iter.Value().Bool() {
			continue
		}
		key.Elem().SetIterKey(iter)
		if err := fn(key.UnsafePointer()); err != nil {
			return err
		}
	}
	return nil
}

func (c *mapMembers) fill(p unsafe.Pointer, n int, set func(int, unsafe.Pointer) error) error {
	if n == 0 {
		c.clear(p)
		return nil
	}
	m := reflect.MakeMapWithSize(c.t, n)
	key, present := reflect.New(c.t.Key()), reflect.New(c.t.Elem()).Elem()
	if c.bools {
		present.SetBool(true)
	}
	for i := range n {
		key.Elem().SetZero()
		if err := set(i, key.UnsafePointer()); err != nil {
			return err
		}
		m.SetMapIndex(key.Elem(), present)
	}
	reflect.NewAt(c.t, p).Elem().Set(m)
	return nil
}

func (c *mapMembers) zero(p unsafe.Pointer) bool {
	empty := true
	_ = c.each(p, func(unsafe.Pointer) error {
		empty = false
		return nil
	})
	return empty
}
