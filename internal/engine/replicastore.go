package engine

import (
	"errors"
	"fmt"

	"github.com/dynorm/dynorm/internal/engine/store"
	"github.com/dynorm/dynorm/internal/engine/value"
)

// keepStamp notes which change of an item of a replicated table was the last.
func (e *Engine) keepStamp(t *table, key string, s stamp) {
	if e.disk != nil {
		e.put(stampsPart+t.name, key, []byte(numberKey(uint64(s.at))+s.region))
	}
}

// loadStamps takes in the stamps of a table that is replicated.
func (e *Engine) loadStamps(s *store.Store, t *table) error {
	if t.group == nil {
		return nil
	}
	return s.Each(e.part(stampsPart+t.name), func(key, text string) error {
		if len(text) < 8 {
			return fmt.Errorf("a stamp of table %q has the wrong size", t.name)
		}
		at, _ := parseNumberKey(text[:8])
		t.group.stamps.Set(key, stamp{int64(at), text[8:]})
		return nil
	})
}

// keepArrival notes a change that is on its way to e.
func (e *Engine) keepArrival(key string, a arrival) {
	if e.disk == nil {
		return
	}
	e.putLater(inboxPart, key, func() value.Item {
		as := attrs{}
		as.text("table", a.table)
		as["key"] = value.Binary(a.key)
		as.record("new", a.new)
		as.int("at", a.stamp.at)
		as.text("from", a.stamp.region)
		as.text("aspect", a.aspect)
		as.text("detail", a.detail)
		return value.ItemOf(as)
	})
}

// keepInbox notes all changes that are on their way to e.
func (e *Engine) keepInbox() {
	if e.disk == nil {
		return
	}
	e.inbox.all().Scan(func(key string, a arrival) bool {
		e.keepArrival(key, a)
		return true
	})
}

// loadArrival takes in a change that is on its way to e.
func (e *Engine) loadArrival(_ *store.Store, key, text string) error {
	s := parseStored(text)
	a := arrival{
		table: s.text("table"), key: s.bytes("key"), new: s.record("new"), stamp: stamp{s.int("at").V, s.text("from")},
		aspect: s.text("aspect"), detail: s.text("detail"),
	}
	if len(key) != 16 || s.err != nil {
		return errors.New("a change on its way to another region is not as it was written")
	}
	number, _ := parseNumberKey(key[8:])
	e.inbox.due.Set(key, a)
	e.inbox.next = max(e.inbox.next, number+1)
	return nil
}
