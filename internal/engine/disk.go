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
// memory and note their changes under the engine's lock; before any of them is
// answered, reads and failures included, all that it can have seen is on disk
// ([Engine.Sync]). Those that wait at the same time share one write: the first
// takes the changes of all that are noted, under the engine's lock and so
// always those of whole requests, and the rest wait for it, or take the next
// lot.
//
// A write that fails is the last one. The memory is ahead of the disk then, so
// nothing is answered from it any more.
type disk struct {
	file file

	noted []edit        // guarded by the engine's lock
	count atomic.Uint64 // of all edits ever noted

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

// edit is a change of the file. That of an item is put in bytes only when it
// is written, out of the engine's lock.
type edit struct {
	store.Edit
	record *record
}

// The parts of the file. Each table's items are in one of their own.
const (
	tablesPart = "tables" // definitions by name
	tokensPart = "tokens" // by time and token
	itemsPart  = "items/" // and the table's name: items by tree key
)

func newDisk(f file) *disk {
	d := &disk{file: f}
	d.turn.L = &d.mu
	return d
}

// note keeps an edit for the next write, under the engine's lock.
func (e *Engine) note(edits ...edit) {
	if e.disk != nil {
		e.disk.noted = append(e.disk.noted, edits...)
		e.disk.count.Add(uint64(len(edits)))
	}
}

// keep notes that r is the item at key, or that there is none.
func (e *Engine) keep(t *table, key string, r *record) {
	if e.disk == nil {
		return
	}
	op := store.Put
	if r == nil {
		op = store.Delete
	}
	e.note(edit{store.Edit{Op: op, Bucket: itemsPart + t.name, Key: key}, r})
}

// keepTable notes the table's definition.
func (e *Engine) keepTable(t *table) {
	if e.disk == nil {
		return
	}
	e.note(edit{Edit: store.Edit{Bucket: tablesPart, Key: t.name, Value: value.AppendBinary(nil, t.definition())}},
		edit{Edit: store.Edit{Op: store.Create, Bucket: itemsPart + t.name}})
}

// forgetTable notes that there is no such table.
func (e *Engine) forgetTable(name string) {
	e.note(edit{Edit: store.Edit{Op: store.Delete, Bucket: tablesPart, Key: name}},
		edit{Edit: store.Edit{Op: store.Drop, Bucket: itemsPart + name}})
}

// keepToken notes the last use of an idempotency token.
func (e *Engine) keepToken(age tokenAge) {
	if e.disk == nil {
		return
	}
	request := e.tokens.known[age.token].request
	e.note(edit{Edit: store.Edit{Bucket: tokensPart, Key: age.storeKey(), Value: request[:]}})
}

// keepTokens notes all tokens that are known.
func (e *Engine) keepTokens() {
	if e.disk == nil {
		return
	}
	for _, age := range e.tokens.order {
		if e.tokens.known[age.token].at == age.at {
			e.keepToken(age)
		}
	}
}

// forgetToken notes that a token is too old to matter.
func (e *Engine) forgetToken(age tokenAge) {
	if e.disk != nil {
		e.note(edit{Edit: store.Edit{Op: store.Delete, Bucket: tokensPart, Key: age.storeKey()}})
	}
}

// forgetAll notes that nothing is left.
func (e *Engine) forgetAll() {
	e.tables.Scan(func(name string, _ *table) bool {
		e.forgetTable(name)
		return true
	})
	e.note(edit{Edit: store.Edit{Op: store.Drop, Bucket: tokensPart}}, edit{Edit: store.Edit{Op: store.Create, Bucket: tokensPart}})
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
	e.mu.Lock()
	noted, count := d.noted, d.count.Load()
	d.noted = nil
	e.mu.Unlock()

	edits := make([]store.Edit, len(noted))
	for i, n := range noted {
		edits[i] = n.Edit
		if n.record != nil {
			edits[i].Value = value.AppendBinary(nil, n.record.item)
		}
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
	names := make([]string, len(parts))
	for i, p := range parts {
		names[i] = p.name
	}
	s, err := store.Open(ctx, dir, names...)
	if err != nil {
		return nil, err
	}
	e := New(cfg)
	e.disk = newDisk(s)
	if err := e.load(s); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return e, nil
}
