package engine

import (
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"github.com/dynorm/dynorm/internal/engine/store"
	"github.com/dynorm/dynorm/internal/engine/value"
)

// parts are what the file has beside the items of tables, in the order in which
// an engine takes them in: each with what it does with an entry.
var parts = []struct {
	name string
	load func(e *Engine, key, stored string) error
}{
	{tablesPart, (*Engine).loadTable},
	{tokensPart, (*Engine).loadToken},
}

// load fills an empty engine with what s holds. Indexes are built from the
// items: changes that were on their way to one have arrived.
func (e *Engine) load(s *store.Store) error {
	for _, p := range parts {
		err := s.Each(p.name, func(key, stored string) error { return p.load(e, key, stored) })
		if err != nil {
			return err
		}
	}
	var err error
	e.tables.Scan(func(name string, t *table) bool {
		if err = s.Each(itemsPart+name, t.loadItem); err != nil {
			return false
		}
		for _, x := range t.indexes {
			x.fill(t)
		}
		t.setTTL(t.ttl)
		e.setStream(t, e.cfg.Now()) // a new one: records are not kept
		return true
	})
	e.due.Store(0)
	return err
}

func (e *Engine) loadTable(name, stored string) error {
	it, err := value.ParseBinary(stored)
	if err != nil {
		return fmt.Errorf("the definition of table %q: %w", name, err)
	}
	t, err := parseDefinition(it)
	if err != nil {
		return fmt.Errorf("the definition of table %q: %w", name, err)
	}
	e.tables.Set(name, t)
	return nil
}

func (e *Engine) loadToken(key, stored string) error {
	if len(key) != tokenKeySize || len(stored) != len(sum{}) {
		return errors.New("an idempotency token has the wrong size")
	}
	at := int64(binary.BigEndian.Uint64([]byte(key[:8])))
	e.tokens.add(sum([]byte(key[8:])), sum([]byte(stored)), time.Unix(0, at))
	return nil
}

// loadItem adds the item that is stored at key, which is the last one so far.
func (t *table) loadItem(key, stored string) error {
	it, err := value.ParseBinary(stored)
	if err != nil {
		return fmt.Errorf("an item of table %q: %w", t.name, err)
	}
	var buf [128]byte
	if place, ok := t.keys.appendKey(buf[:0], it); !ok || string(place) != key {
		return fmt.Errorf("an item of table %q is not in its place", t.name)
	}
	r := newRecord(it, key)
	t.items.Load(key, r)
	t.bytes += int64(r.size)
	return nil
}

const tokenKeySize = 8 + len(sum{})

// storeKey returns where the use of the token is stored: in order of time.
func (a tokenAge) storeKey() string {
	key := binary.BigEndian.AppendUint64(make([]byte, 0, tokenKeySize), uint64(a.at))
	return string(append(key, a.token[:]...))
}
