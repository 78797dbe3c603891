package engine

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"

	"github.com/dynorm/dynorm/internal/engine/store"
	"github.com/dynorm/dynorm/internal/engine/value"
)

// disk is the way of an engine's changes into its file. Requests change the
// memory and note their changes under their engine's lock; before any of them is
// answered, reads and failures included, all that it can have seen is on disk
// ([Engine.Sync]). Those that wait at the same time share one write: the first
// takes the changes of all that are noted, under the locks of all regions'
// engines and so always those of whole requests, and the rest wait for it, or
// take the next lot.
//
// A write that fails is the last one. The memory is ahead of the disk then, so
// nothing is answered from it any more.
type disk struct {
	file file

	noting sync.Mutex // under which no lock is taken
	noted  []edit
	count  atomic.Uint64 // of all edits ever noted

	mu      sync.Mutex
	turn    sync.Cond // for the end of a write
	writing bool
	written atomic.Uint64 // of the edits counted
	closed  bool
	fault   atomic.Pointer[Fault] // why nothing is answered any more
}

// file is what disk needs of a store.Store.
type file interface {
	Path() string
	Write(edits []store.Edit) error
	Close() error
}

// edit is a change of the file. What it puts is made of a record or by a
// function only when it is written, out of the engine's lock.
type edit struct {
	store.Edit
	record *record
	build  func() value.Item
}

// value returns what the edit puts.
func (d *edit) value() []byte {
	switch {
	case d.record != nil:
		return value.AppendBinary(nil, d.record.item)
	case d.build != nil:
		return value.AppendBinary(nil, d.build())
	}
	return d.Value
}

func newDisk(f file) *disk {
	d := &disk{file: f}
	d.turn.L = &d.mu
	return d
}

// note keeps an edit for the next write, under the engine's lock.
func (e *Engine) note(edits ...edit) {
	if d := e.disk; d != nil {
		d.noting.Lock()
		d.noted = append(d.noted, edits...)
		d.count.Add(uint64(len(edits)))
		d.noting.Unlock()
	}
}

// part returns the name of a part of the file that is this region's.
func (e *Engine) part(name string) string { return e.cfg.Region + "/" + name }

// keepPart notes that there is such a part, or none.
func (e *Engine) keepPart(name string, there bool) {
	if e.disk == nil {
		return
	}
	op := store.Create
	if !there {
		op = store.Drop
	}
	e.note(edit{Edit: store.Edit{Op: op, Bucket: e.part(name)}})
}

// put notes what is at a key of a part.
func (e *Engine) put(part, key string, v []byte) {
	if e.disk != nil {
		e.note(edit{Edit: store.Edit{Bucket: e.part(part), Key: key, Value: v}})
	}
}

// putAttrs notes the definition that is at a key of a part.
func (e *Engine) putAttrs(part, key string, a attrs) {
	if e.disk != nil {
		e.put(part, key, value.AppendBinary(nil, value.ItemOf(a)))
	}
}

// putLater notes what is at a key of a part, which is what build returns later,
// at the time of the write.
func (e *Engine) putLater(part, key string, build func() value.Item) {
	if e.disk != nil {
		e.note(edit{Edit: store.Edit{Bucket: e.part(part), Key: key}, build: build})
	}
}

// remove notes that there is nothing at a key of a part.
func (e *Engine) remove(part, key string) {
	if e.disk != nil {
		e.note(edit{Edit: store.Edit{Op: store.Delete, Bucket: e.part(part), Key: key}})
	}
}

// keep notes that r is the item at key of a part, or that there is none.
func (e *Engine) keep(part, key string, r *record) {
	if e.disk == nil {
		return
	}
	op := store.Put
	if r == nil {
		op = store.Delete
	}
	e.note(edit{Edit: store.Edit{Op: op, Bucket: e.part(part), Key: key}, record: r})
}

// keepItems notes all items of a table as a part.
func (e *Engine) keepItems(part string, t *table) {
	if e.disk == nil {
		return
	}
	e.keepPart(part, true)
	t.items.Scan(func(key string, r *record) bool {
		e.keep(part, key, r)
		return true
	})
}

// keepRegion notes that there is this region, with nothing in it.
func (e *Engine) keepRegion() {
	if e.disk == nil {
		return
	}
	e.note(edit{Edit: store.Edit{Op: store.DropAll, Bucket: e.part("")}},
		edit{Edit: store.Edit{Bucket: regionsPart, Key: e.cfg.Region}})
	for _, p := range parts {
		e.keepPart(p.name, true)
	}
}

// stopped returns why the engine answers nothing any more, or nil.
func (e *Engine) stopped() error {
	if e.disk == nil {
		return nil
	}
	if f := e.disk.fault.Load(); f != nil {
		return f
	}
	return nil
}

// Sync returns when all that has happened so far is on disk: at once if that is
// so, or if the engine has no file. The error is a Fault, after which the
// engine does nothing any more, and what was not on disk by then is lost.
func (e *Engine) Sync() error {
	d := e.disk
	if d == nil {
		return nil
	}
	want := d.count.Load()
	if d.written.Load() >= want {
		return nil
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	for d.written.Load() < want {
		switch f := d.fault.Load(); {
		case f != nil:
			return f
		case d.writing:
			d.turn.Wait()
		default:
			d.write(e)
		}
	}
	return nil
}

// write writes what is noted. It is called with the disk's lock, which it lets
// go meanwhile.
func (d *disk) write(e *Engine) {
	d.writing = true
	d.mu.Unlock()
	_, unlock := e.world.lock()
	d.noting.Lock()
	noted, count := d.noted, d.count.Load()
	d.noted = nil
	d.noting.Unlock()
	unlock()

	edits := make([]store.Edit, len(noted))
	for i := range noted {
		edits[i] = noted[i].Edit
		edits[i].Value = noted[i].value()
	}
	err := d.file.Write(edits)

	d.mu.Lock()
	d.writing = false
	if err != nil {
		d.fault.CompareAndSwap(nil, internal(fmt.Sprintf("the engine has stopped, since a change could not be stored: %v; what was answered before is on disk, and is there when the engine is opened again", err)))
	} else {
		d.written.Store(count)
	}
	d.turn.Broadcast()
}

// Close closes the engine's file, if it has one: changes are on disk already.
// Requests are refused from then on. The error is that of a write that failed.
func (e *Engine) Close() error {
	d := e.disk
	if d == nil {
		return nil
	}
	err := e.Sync()
	d.mu.Lock()
	defer d.mu.Unlock()
	for d.writing {
		d.turn.Wait()
	}
	if d.closed {
		return nil
	}
	d.closed = true
	d.fault.Store(internal("the engine over " + d.file.Path() + " is closed"))
	var f *Fault
	if errors.As(err, &f) {
		err = errors.New(f.Message)
	}
	return errors.Join(err, d.file.Close())
}

// Open returns the Engine whose state is kept in the given directory, which is
// made if it is not there. Only one engine at a time can have it open. Errors
// name the directory or the file in it: it can't be written, it is in use, it
// is damaged, or not the engine's.
func Open(ctx context.Context, cfg Config, dir string) (*Engine, error) {
	s, err := store.Open(ctx, dir, regionsPart)
	if err != nil {
		return nil, err
	}
	e := New(cfg)
	e.disk = newDisk(s)
	if err := e.world.load(s, e); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return e, nil
}
