package engine

import (
	"encoding/binary"
	"math"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/dynorm/dynorm/internal/engine/value"
	"github.com/dynorm/dynorm/internal/engine/wire"
)

// record is an item as it is stored. It never changes, so it is shared by the
// table, its indexes, snapshots and answers being written.
type record struct {
	item value.Item
	json string // the item as answers show it
	size int
	key  string // its place in the table's tree
}

// scratch are buffers to write items in, of which a copy of their length is
// kept.
var scratch = sync.Pool{New: func() any { return new([]byte) }}

// newRecord returns the record of an item. Its texts are one string.
func newRecord[K string | []byte](item value.Item, key K) *record {
	buf := scratch.Get().(*[]byte)
	*buf = wire.AppendItem(append((*buf)[:0], key...), item)
	text := string(*buf)
	scratch.Put(buf)
	return &record{item, text[len(key):], item.Size(), text[:len(key)]}
}

// table is a table with its items and indexes. The engine's lock guards it.
type table struct {
	tableDef
	items   tree
	bytes   int64
	indexes []*index // GSIs and then LSIs, each in declared order
	expires tree     // by expiry time and key, when there is a TTL attribute
	log     *stream  // the latest stream, nil if there never was one or it is gone
	pending []change // GSI changes to come, by due time
	history *history // nil without point-in-time recovery
	group   *group   // nil without replicas
}

// index is a secondary index with its entries.
type index struct {
	indexDef
	tree     tree
	bytes    int64
	readyAt  time.Time // until then it is CREATING
	goneAt   time.Time // if set, it is DELETING
	backfill bool
}

// change is the step of an index from an old record to a new one.
type change struct {
	due      int64 // nanoseconds of the engine's clock
	index    *index
	old, new *record
}

// appendKey appends the tree key of the key attributes found in item: a hash
// of the partition attributes, which spreads partitions over scans as the
// service does, then the order-preserving bytes of all attributes. It reports
// whether item has every attribute with the right type.
func (k keySchema) appendKey(dst []byte, item value.Item) ([]byte, bool) {
	at := len(dst)
	var values [4]value.Value
	for i, a := range k.partition {
		v := item.Value(a.name)
		if v.Kind() != a.kind {
			return dst[:at], false
		}
		values[i] = v
	}
	dst = partitionKey(dst, values[:len(k.partition)])
	for _, a := range k.sort {
		v := item.Value(a.name)
		if v.Kind() != a.kind {
			return dst[:at], false
		}
		dst = value.AppendKey(dst, v)
	}
	return dst, true
}

// partitionKey appends what the tree keys of a partition begin with.
func partitionKey(dst []byte, values []value.Value) []byte {
	at := len(dst)
	dst = append(dst, 0, 0, 0, 0, 0, 0, 0, 0)
	for _, v := range values {
		dst = value.AppendKey(dst, v)
	}
	binary.BigEndian.PutUint64(dst[at:], spread(dst[at+8:]))
	return dst
}

// spread hashes b evenly over 64 bits (FNV-1a and a final mix).
func spread(b []byte) uint64 {
	h := uint64(14695981039346656037)
	for _, c := range b {
		h = (h ^ uint64(c)) * 1099511628211
	}
	h = (h ^ h>>33) * 0xff51afd7ed558ccd
	return h ^ h>>33
}

// entry returns the tree key of the index entry for r, and whether r has one:
// items without all key attributes are left out.
func (x *index) entry(r *record) (string, bool) {
	var buf [256]byte
	key, ok := x.keys.appendKey(buf[:0], r.item)
	if !ok {
		return "", false
	}
	return string(append(key, r.key...)), true
}

// apply puts new in the place of old; either may be nil. lag is how much later
// the global indexes follow.
func (t *table) apply(old, new *record, at time.Time, lag time.Duration) {
	if old == new {
		return
	}
	switch {
	case new != nil:
		t.items.Set(new.key, new)
		t.bytes += int64(new.size)
	default:
		t.items.Delete(old.key)
	}
	if old != nil {
		t.bytes -= int64(old.size)
	}
	t.expireAt(old, new)
	for _, x := range t.indexes {
		if lag <= 0 || !x.global {
			x.move(old, new, t.keys)
			continue
		}
		due := at.Add(lag).UnixNano()
		if n := len(t.pending); n > 0 {
			due = max(due, t.pending[n-1].due) // never out of order
		}
		t.pending = append(t.pending, change{due, x, old, new})
	}
}

// move replaces the index's entry for old by that for new.
func (x *index) move(old, new *record, table keySchema) {
	if new != nil {
		if key, ok := x.entry(new); ok {
			held := x.held(new, table)
			x.bytes += int64(held.size)
			if gone, ok := x.tree.Set(key, held); ok { // the key names the item: that was the entry for old
				x.bytes -= int64(gone.size)
				return
			}
		}
	}
	if old == nil {
		return
	}
	if key, ok := x.entry(old); ok {
		if gone, ok := x.tree.Delete(key); ok {
			x.bytes -= int64(gone.size)
		}
	}
}

// held returns the record that the index keeps for r.
func (x *index) held(r *record, table keySchema) *record {
	if x.projection.kind == "ALL" {
		return r
	}
	item := x.project(r.item, table)
	if item.Len() == r.item.Len() {
		return r
	}
	return newRecord(item, r.key)
}

// fill builds the index from the table's items.
func (x *index) fill(t *table) {
	t.items.Scan(func(_ string, r *record) bool {
		x.move(nil, r, t.keys)
		return true
	})
}

// index returns the index of that name, or nil.
func (t *table) index(name string) *index {
	for _, x := range t.indexes {
		if x.name == name {
			return x
		}
	}
	return nil
}

// expiry returns when r expires, if the table has a TTL attribute and r a
// number of seconds in it. What is more than five years past is kept, as the
// service does.
func (t *table) expiry(r *record) (string, bool) {
	if r == nil || t.ttl == "" {
		return "", false
	}
	v := r.item.Value(t.ttl)
	if v.Kind() != value.N {
		return "", false
	}
	whole, _, _ := strings.Cut(v.Text(), ".")
	n, err := value.ParseNumber(whole)
	if err != nil {
		return "", false
	}
	seconds, ok := n.Int()
	if !ok || seconds <= 0 || seconds > math.MaxInt64/int64(time.Second) {
		return "", false
	}
	var key [8]byte
	binary.BigEndian.PutUint64(key[:], uint64(seconds))
	return string(key[:]) + r.key, true
}

func (t *table) expireAt(old, new *record) {
	if key, ok := t.expiry(old); ok {
		t.expires.Delete(key)
	}
	if key, ok := t.expiry(new); ok {
		t.expires.Set(key, new)
	}
}

// setTTL makes the named attribute the expiry time of items, or none if "".
func (t *table) setTTL(attribute string) {
	t.ttl = attribute
	t.expires = tree{}
	if attribute == "" {
		return
	}
	t.items.Scan(func(_ string, r *record) bool {
		t.expireAt(nil, r)
		return true
	})
}

const fiveYears = 5 * 366 * 24 * time.Hour

// settle does what has fallen due by now: delayed index changes, and items
// that expired delay ago or more, of which it calls gone. It returns when there
// is more to do, in nanoseconds of the clock.
func (t *table) settle(now time.Time, delay time.Duration, gone func(*record)) (next int64) {
	next = math.MaxInt64
	n := 0
	for ; n < len(t.pending) && t.pending[n].due <= now.UnixNano(); n++ {
		c := t.pending[n]
		c.index.move(c.old, c.new, t.keys)
	}
	t.pending = slices.Delete(t.pending, 0, n)
	if len(t.pending) > 0 {
		next = t.pending[0].due
	}
	var oldest [8]byte
	binary.BigEndian.PutUint64(oldest[:], uint64(max(now.Add(-fiveYears).Unix(), 0)))
	var expired []*record
	t.expires.Ascend(string(oldest[:]), func(key string, r *record) bool {
		due := time.Unix(int64(binary.BigEndian.Uint64([]byte(key[:8]))), 0).Add(delay)
		if due.After(now) {
			next = min(next, due.UnixNano())
			return false
		}
		expired = append(expired, r)
		return true
	})
	for _, r := range expired {
		t.apply(r, nil, now, 0)
		gone(r)
	}
	t.dropIndexes(now)
	return next
}

// dropIndexes removes the indexes whose deletion is over. The slice is a new
// one then: requests that are being prepared hold the old one.
func (t *table) dropIndexes(now time.Time) {
	over := func(x *index) bool { return !x.goneAt.IsZero() && !x.goneAt.After(now) }
	if slices.ContainsFunc(t.indexes, over) {
		t.indexes = slices.DeleteFunc(slices.Clone(t.indexes), over)
	}
}

// copy returns a copy of the table, in constant time for each tree. Records
// are shared; neither copy sees the other's later changes.
func (t *table) copy() *table {
	c := *t
	c.items = t.items.copy()
	c.expires = t.expires.copy()
	c.tags = slices.Clone(t.tags)
	c.indexes = make([]*index, len(t.indexes))
	for i, x := range t.indexes {
		y := *x
		y.tree = x.tree.copy()
		c.indexes[i] = &y
	}
	c.history = t.history.copy()
	c.group = t.group.copy()
	c.pending = slices.Clone(t.pending)
	for i := range c.pending {
		at := slices.Index(t.indexes, c.pending[i].index)
		if at >= 0 {
			c.pending[i].index = c.indexes[at]
		}
	}
	return &c
}
