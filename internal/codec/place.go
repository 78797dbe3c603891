package codec

import (
	"reflect"
	"unsafe"
)

// place is where a field lies in a struct: an offset, behind pointers where it
// was promoted through embedded ones, or where a path leads through some.
type place struct {
	hops   []hop
	offset uintptr
}

// hop is a pointer on the way to a field.
type hop struct {
	offset uintptr
	elem   reflect.Type
}

// at returns the address of the field in the struct at v, nil when a pointer
// on the way is nil.
func (l *place) at(v unsafe.Pointer) unsafe.Pointer {
	for i := range l.hops {
		if v = *(*unsafe.Pointer)(unsafe.Add(v, l.hops[i].offset)); v == nil {
			return nil
		}
	}
	return unsafe.Add(v, l.offset)
}

// reach is at, with what the nil pointers on the way should point to
// allocated.
func (l *place) reach(v unsafe.Pointer) unsafe.Pointer {
	for i := range l.hops {
		p := (*unsafe.Pointer)(unsafe.Add(v, l.hops[i].offset))
		if *p == nil {
			*p = reflect.New(l.hops[i].elem).UnsafePointer()
		}
		v = *p
	}
	return unsafe.Add(v, l.offset)
}

// placeOf follows a reflect index path.
func placeOf(t reflect.Type, path []int) (place, reflect.Type) {
	var l place
	for i, x := range path {
		if i > 0 && t.Kind() == reflect.Pointer {
			t = t.Elem()
			l.hops = append(l.hops, hop{l.offset, t})
			l.offset = 0
		}
		f := t.Field(x)
		l.offset += f.Offset
		t = f.Type
	}
	return l, t
}

// then is the place within the struct at l, or at the pointer at l.
func (l place) then(t reflect.Type, inner place) place {
	hops := append([]hop(nil), l.hops...)
	if t.Kind() == reflect.Pointer {
		hops = append(hops, hop{l.offset, t.Elem()})
		l.offset = 0
	}
	if len(inner.hops) == 0 {
		return place{hops, l.offset + inner.offset}
	}
	first := inner.hops[0]
	first.offset += l.offset
	return place{append(append(hops, first), inner.hops[1:]...), inner.offset}
}
