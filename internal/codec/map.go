package codec

import (
	"reflect"
	"slices"
	"strings"
	"unsafe"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

const (
	errEmptyKey = "the empty string can't be the name of an attribute"
	errTwoKeys  = "two keys have one text form"
)

// mapCoder stores maps as M.
type mapCoder struct {
	typed
	key   plain
	value coder
}

// entry is room for one entry of a map, which has no address of its own.
type entry struct {
	key, value reflect.Value
}

func (c *mapCoder) entry() entry {
	return entry{reflect.New(c.t.Key()).Elem(), reflect.New(c.t.Elem()).Elem()}
}

func (x entry) keyAt() unsafe.Pointer   { return x.key.Addr().UnsafePointer() }
func (x entry) valueAt() unsafe.Pointer { return x.value.Addr().UnsafePointer() }

func (x entry) load(iter *reflect.MapIter) {
	x.key.SetIterKey(iter)
	x.value.SetIterValue(iter)
}

// keyText returns the text of a map key.
func (c *mapCoder) keyText(e *encoder, p unsafe.Pointer) (string, error) {
	if _, ok := c.key.(stringText); ok {
		return *(*string)(p), nil
	}
	text, err := e.appendText(c.key, p)
	if err != nil {
		return "", encodeFault(err)
	}
	return text, nil
}

func (c *mapCoder) encode(e *encoder, p unsafe.Pointer) (types.AttributeValue, error) {
	v := reflect.NewAt(c.t, p).Elem()
	if v.IsNil() {
		return nil, nil
	}
	if err := e.enter(); err != nil {
		return nil, err
	}
	m := make(map[string]types.AttributeValue, v.Len())
	if v.Len() > 0 {
		x := c.entry()
		for iter := v.MapRange(); iter.Next(); {
			x.load(iter)
			name, err := c.keyText(e, x.keyAt())
			if err != nil {
				return nil, err
			}
			av, err := c.value.encode(e, x.valueAt())
			if err != nil {
				return nil, under(err, keyStep(name))
			}
			if err := addEntry(m, name, e.orNull(av)); err != nil {
				return nil, err
			}
		}
	}
	e.leave()
	return e.newM(m), nil
}

// checkName refuses names that no entry of a map can have.
func checkName(name string) error {
	if name == "" {
		return &EncodeError{Reason: errEmptyKey}
	}
	return checkText(name)
}

func addEntry(m map[string]types.AttributeValue, name string, av types.AttributeValue) error {
	if err := checkName(name); err != nil {
		return err
	}
	before := len(m)
	m[name] = av
	if len(m) == before {
		return &EncodeError{Reason: errTwoKeys}
	}
	return nil
}

func (c *mapCoder) decode(d level, av types.AttributeValue, p unsafe.Pointer) error {
	src, ok := av.(*types.AttributeValueMemberM)
	if !ok {
		return d.other(c, av, p, "M")
	}
	d, err := d.enter()
	if err != nil {
		return err
	}
	m := reflect.MakeMapWithSize(c.t, len(src.Value))
	if len(src.Value) > 0 {
		x := c.entry()
		for name, av := range src.Value {
			if err := c.key.parse(name, x.keyAt()); err != nil {
				return under(decodeFault(err), keyStep(name))
			}
			x.value.SetZero()
			if err := c.value.decode(d, av, x.valueAt()); err != nil {
				return under(err, keyStep(name))
			}
			m.SetMapIndex(x.key, x.value)
		}
		if m.Len() != len(src.Value) {
			return &DecodeError{Reason: errTwoKeys}
		}
	}
	reflect.NewAt(c.t, p).Elem().Set(m)
	return nil
}

func (c *mapCoder) append(e *encoder, dst []byte, p unsafe.Pointer) ([]byte, bool, error) {
	v := reflect.NewAt(c.t, p).Elem()
	if v.IsNil() {
		return dst, false, nil
	}
	if err := e.enter(); err != nil {
		return dst, false, err
	}
	type named struct {
		name string
		key  reflect.Value
	}
	list := make([]named, 0, v.Len())
	x := c.entry()
	for _, key := range v.MapKeys() {
		x.key.Set(key)
		name, err := c.keyText(e, x.keyAt())
		if err != nil {
			return dst, false, err
		}
		list = append(list, named{name, key})
	}
	slices.SortFunc(list, func(a, b named) int { return strings.Compare(a.name, b.name) })
	dst = append(dst, `{"M":{`...)
	for i, n := range list {
		err := checkName(n.name)
		if err == nil && i > 0 && n.name == list[i-1].name {
			err = &EncodeError{Reason: errTwoKeys}
		}
		if err != nil {
			return dst, false, err
		}
		x.value.Set(v.MapIndex(n.key))
		if dst, err = e.appendOrNull(AppendName(dst, n.name), c.value, x.valueAt()); err != nil {
			return dst, false, under(err, keyStep(n.name))
		}
	}
	e.leave()
	return append(dst, "}}"...), true, nil
}

func (c *mapCoder) read(r *Reader, t tag, p unsafe.Pointer) error {
	if t != tagM {
		return r.other(t, "M")
	}
	if err := r.enter(); err != nil {
		return err
	}
	m := reflect.MakeMap(c.t)
	x := c.entry()
	_, keeps := c.key.(stringText)
	err := r.Object(func(raw []byte) error {
		name := unsafe.String(unsafe.SliceData(raw), len(raw))
		if keeps {
			name = r.keep(raw)
		}
		if err := c.key.parse(name, x.keyAt()); err != nil {
			return under(decodeFault(err), keyStep(name))
		}
		if !keeps && m.MapIndex(x.key).IsValid() {
			return &DecodeError{Reason: errTwoKeys}
		}
		x.value.SetZero()
		if err := r.value(c.value, x.valueAt()); err != nil {
			return under(err, keyStep(c.shown(x)))
		}
		m.SetMapIndex(x.key, x.value)
		return nil
	})
	if err != nil {
		return err
	}
	r.leave()
	reflect.NewAt(c.t, p).Elem().Set(m)
	return nil
}

// shown is the text of the key of an entry, for an error.
func (c *mapCoder) shown(x entry) string {
	text, _ := c.key.append(nil, x.keyAt())
	return string(text)
}

// stringMap is mapCoder for the most common maps, without reflection.
type stringMap[V any] struct {
	value coder
}

func (c *stringMap[V]) encode(e *encoder, p unsafe.Pointer) (types.AttributeValue, error) {
	src := *(*map[string]V)(p)
	if src == nil {
		return nil, nil
	}
	if err := e.enter(); err != nil {
		return nil, err
	}
	m := make(map[string]types.AttributeValue, len(src))
	e.reserve(c.value, len(src))
	put := shortcut[func(*encoder, V) (types.AttributeValue, error)]((*encoder).newS, (*encoder).encodeAny)
	if put == nil {
		at := new(V)
		put = func(e *encoder, v V) (types.AttributeValue, error) {
			*at = v
			return c.value.encode(e, unsafe.Pointer(at))
		}
	}
	for name, v := range src {
		av, err := put(e, v)
		if err != nil {
			return nil, under(err, keyStep(name))
		}
		if err := checkName(name); err != nil {
			return nil, err
		}
		m[name] = e.orNull(av)
	}
	e.leave()
	return e.newM(m), nil
}

func (c *stringMap[V]) decode(d level, av types.AttributeValue, p unsafe.Pointer) error {
	src, ok := av.(*types.AttributeValueMemberM)
	if !ok {
		return d.other(c, av, p, "M")
	}
	d, err := d.enter()
	if err != nil {
		return err
	}
	m := make(map[string]V, len(src.Value))
	get := shortcut[func(level, types.AttributeValue) (V, error)](getString, level.decodeAny)
	if get == nil {
		at := new(V)
		get = func(d level, av types.AttributeValue) (V, error) {
			*at = *new(V)
			err := c.value.decode(d, av, unsafe.Pointer(at))
			return *at, err
		}
	}
	for name, av := range src.Value {
		if m[name], err = get(d, av); err != nil {
			return under(err, keyStep(name))
		}
	}
	*(*map[string]V)(p) = m
	return nil
}

func (c *stringMap[V]) append(e *encoder, dst []byte, p unsafe.Pointer) ([]byte, bool, error) {
	src := *(*map[string]V)(p)
	if src == nil {
		return dst, false, nil
	}
	if err := e.enter(); err != nil {
		return dst, false, err
	}
	dst = append(dst, `{"M":{`...)
	v, ok := e.cell.(*V)
	if !ok {
		v = new(V)
		e.cell = v
	}
	var few [8]member[V]
	for _, m := range sorted(few[:0], src) {
		err := checkName(m.name)
		if err != nil {
			return dst, false, err
		}
		*v = m.value
		if dst, err = e.appendOrNull(AppendName(dst, m.name), c.value, unsafe.Pointer(v)); err != nil {
			return dst, false, under(err, keyStep(m.name))
		}
	}
	*v = *new(V)
	e.leave()
	return append(dst, "}}"...), true, nil
}

// member is an entry of a map on its way to an object.
type member[V any] struct {
	name  string
	value V
}

// sorted appends the entries of a map by name.
func sorted[V any](dst []member[V], m map[string]V) []member[V] {
	for name, v := range m {
		dst = append(dst, member[V]{name, v})
	}
	slices.SortFunc(dst, func(a, b member[V]) int { return strings.Compare(a.name, b.name) })
	return dst
}

func (c *stringMap[V]) read(r *Reader, t tag, p unsafe.Pointer) error {
	if t != tagM {
		return r.other(t, "M")
	}
	if err := r.openMap(); err != nil {
		return err
	}
	m := map[string]V{}
	v, ok := r.cell.(*V)
	if !ok {
		v = new(V)
		r.cell = v
	}
	for {
		*v = *new(V)
		name, more, err := r.entry(c.value, unsafe.Pointer(v), len(m) == 0)
		if !more {
			if err == nil {
				r.leave()
				*(*map[string]V)(p) = m
			}
			return err
		}
		m[name] = *v
	}
}

// openMap begins a map with names that are strings.
func (r *Reader) openMap() error {
	if err := r.enter(); err != nil {
		return err
	}
	return r.expect('{')
}

// entry reads the next entry of such a map, its value to p.
func (r *Reader) entry(value coder, p unsafe.Pointer, first bool) (name string, more bool, err error) {
	raw, more, err := r.member(first)
	if err != nil || !more {
		return "", false, err
	}
	name = r.keep(raw)
	if err := r.value(value, p); err != nil {
		return "", false, under(err, keyStep(name))
	}
	return name, true, nil
}

func (c *stringMap[V]) zero(p unsafe.Pointer) bool { return len(*(*map[string]V)(p)) == 0 }
func (c *stringMap[V]) clear(p unsafe.Pointer)     { *(*map[string]V)(p) = nil }
func (c *stringMap[V]) valueCoder() coder          { return c.value }

// stringMapOf returns the coder of a map type that has one of its own.
func stringMapOf(t reflect.Type, value coder) coder {
	switch t {
	case reflect.TypeFor[map[string]string]():
		return &stringMap[string]{value}
	case reflect.TypeFor[map[string]any]():
		return &stringMap[any]{value}
	case reflect.TypeFor[map[string]int]():
		return &stringMap[int]{value}
	case reflect.TypeFor[map[string]int64]():
		return &stringMap[int64]{value}
	case reflect.TypeFor[map[string]float64]():
		return &stringMap[float64]{value}
	case reflect.TypeFor[map[string]bool]():
		return &stringMap[bool]{value}
	}
	return nil
}

// shortcut returns the function, of those for strings and for any, that stores
// the values of a map past their coder, nil for values that have none. It is
// looked for where it is called, and not kept, so that programs which only read
// are without what writes.
func shortcut[F any](functions ...any) (f F) {
	for _, each := range functions {
		if f, ok := each.(F); ok {
			return f
		}
	}
	return f
}

func getString(d level, av types.AttributeValue) (string, error) {
	switch v := av.(type) {
	case *types.AttributeValueMemberS:
		return v.Value, nil
	case nil, *types.AttributeValueMemberNULL:
		return "", nil
	}
	return "", &DecodeError{Want: "S", Got: KindOf(av)}
}
