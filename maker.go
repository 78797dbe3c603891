package dynorm

import (
	"slices"
	"unsafe"

	"github.com/dynorm/dynorm/internal/codec"
)

// The methods of Model[T], Query[T] and their like are compiled anew for every
// T. So they do nothing but cross over: they give pointers to a T as
// unsafe.Pointer to code without type parameters, where the work is done ([model],
// [queryState], [Tx]), and give what comes back its type again. This file is how
// that code makes and copies what it only knows by a pointer.

// maker is the T of a Model[T] or Query[T] to code without type parameters.
type maker interface {
	// new returns a new T.
	new() unsafe.Pointer
	// set sets the T at v to the one at from.
	set(v, from unsafe.Pointer)
	// keep returns what sets the Ts back to what they are now.
	keep(values []unsafe.Pointer) (undo func())
	// batchError is the [BatchError] that a fault of a batch of Ts is.
	batchError(f *batchFault) error
}

// makerOf is the maker of T.
type makerOf[T any] struct{}

func (makerOf[T]) new() unsafe.Pointer { return unsafe.Pointer(new(T)) }

func (makerOf[T]) set(v, from unsafe.Pointer) { *(*T)(v) = *(*T)(from) }

func (makerOf[T]) keep(values []unsafe.Pointer) (undo func()) {
	before := make([]T, len(values))
	for i, v := range values {
		before[i] = *(*T)(v)
	}
	return func() {
		for i, v := range slices.Backward(values) {
			*(*T)(v) = before[i]
		}
	}
}

func (makerOf[T]) batchError(f *batchFault) error {
	be := &BatchError[T]{Left: listOf[T](f.left), Err: f.err}
	for _, x := range f.failed {
		be.Failed = append(be.Failed, BatchFailure[T]{(*T)(x.value), x.err})
	}
	return be
}

// pointersOf returns pointers to a T without their type, listOf gives it back.
func pointersOf[T any](values []*T) []unsafe.Pointer {
	return *(*[]unsafe.Pointer)(unsafe.Pointer(&values))
}

// listOf returns pointers to a T as what they are.
func listOf[T any](values []unsafe.Pointer) []*T { return *(*[]*T)(unsafe.Pointer(&values)) }

// onValue returns fn for a pointer to a T.
func onValue[T any](fn func(*T) error) func(unsafe.Pointer) error {
	if fn == nil {
		return nil
	}
	return func(v unsafe.Pointer) error { return fn((*T)(v)) }
}

// decodeNew decodes an item into a new value of a type, on whose struct after
// runs where it is not nil.
func (e *entity) decodeNew(t maker, item Item, after func(unsafe.Pointer) error) (unsafe.Pointer, error) {
	v := t.new()
	if _, ok := t.(makerOf[Record]); ok {
		var err error
		*(*Record)(v), err = e.toRecord(item, after)
		return v, err
	}
	if err := e.decode(item, v); err != nil {
		return nil, err
	}
	if after != nil {
		if err := after(v); err != nil {
			return nil, err
		}
	}
	return v, nil
}

// decodeRow returns the value of a row, another one at each call, on whose
// struct after runs where it is not nil.
func (e *entity) decodeRow(t maker, w *row, after func(unsafe.Pointer) error) (unsafe.Pointer, error) {
	if w.v != nil || w.err != nil {
		v := w.v
		w.v = nil
		if w.err == nil && after != nil {
			if err := after(v); err != nil {
				return nil, err
			}
		}
		return v, w.err
	}
	item, err := w.whole()
	if err != nil {
		return nil, err
	}
	return e.decodeNew(t, item, after)
}

// decoding returns the rowReader that decodes items of the entity into new
// values of a type.
func (e *entity) decoding(t maker) rowReader {
	if _, ok := t.(makerOf[Record]); ok {
		return readRaw
	}
	return func(r *codec.Reader) (row, error) { return e.readRow(r, t) }
}

func (e *entity) readRow(r *codec.Reader, t maker) (w row, err error) {
	mark, v := r.Mark(), t.new()
	err = r.Item(e.codec, v, e.otherAttr)
	if err == nil {
		w.raw, w.v = r.Since(mark), v
		return w, nil
	}
	// The rest of the page may be as it should.
	r.Back(mark)
	w, skipErr := readRaw(r)
	if skipErr != nil {
		return w, skipErr
	}
	if w.err = e.decodeError(err); w.raw != nil {
		// Both forms of an item give one error.
		if item, err := w.whole(); err == nil {
			if err := e.decode(item, t.new()); err != nil {
				w.err = err
			}
		}
	}
	return w, nil
}
