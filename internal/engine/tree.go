package engine

import (
	"encoding/binary"

	"github.com/tidwall/btree"
)

// tree is a set of records in order of their keys' bytes. The zero tree is
// empty. Searches compare the beginnings of keys, which lie in the nodes, and
// look at the keys themselves, which lie anywhere in memory, only where those
// are equal.
type tree struct {
	leaves *btree.BTreeG[leaf]
}

type leaf struct {
	head   uint64 // the key's first eight bytes
	key    string
	record *record
}

func leafOf(key string, r *record) leaf {
	if len(key) >= 8 {
		return leaf{binary.BigEndian.Uint64([]byte(key[:8])), key, r}
	}
	var head [8]byte
	copy(head[:], key)
	return leaf{binary.BigEndian.Uint64(head[:]), key, r}
}

func before(a, b leaf) bool {
	return a.head < b.head || a.head == b.head && a.key < b.key
}

// Get returns the record with the key.
func (t *tree) Get(key string) (*record, bool) {
	if t.leaves == nil {
		return nil, false
	}
	l, ok := t.leaves.Get(leafOf(key, nil))
	return l.record, ok
}

// Set puts a record in the place of the one with the key, which it returns.
func (t *tree) Set(key string, r *record) (*record, bool) {
	l, replaced := t.made().Set(leafOf(key, r))
	return l.record, replaced
}

// Load is Set of a record whose key comes after all others, which is faster.
func (t *tree) Load(key string, r *record) { t.made().Load(leafOf(key, r)) }

func (t *tree) made() *btree.BTreeG[leaf] {
	if t.leaves == nil {
		t.leaves = btree.NewBTreeGOptions(before, btree.Options{NoLocks: true})
	}
	return t.leaves
}

// Delete takes out the record with the key, and returns it.
func (t *tree) Delete(key string) (*record, bool) {
	if t.leaves == nil {
		return nil, false
	}
	l, ok := t.leaves.Delete(leafOf(key, nil))
	return l.record, ok
}

// Len returns how many records there are.
func (t *tree) Len() int {
	if t.leaves == nil {
		return 0
	}
	return t.leaves.Len()
}

// Scan visits the records in order until visit returns false.
func (t *tree) Scan(visit func(key string, r *record) bool) {
	if t.leaves != nil {
		t.leaves.Scan(func(l leaf) bool { return visit(l.key, l.record) })
	}
}

// Ascend is Scan from a key on.
func (t *tree) Ascend(from string, visit func(key string, r *record) bool) {
	if t.leaves != nil {
		t.leaves.Ascend(leafOf(from, nil), func(l leaf) bool { return visit(l.key, l.record) })
	}
}

// Descend is Ascend backwards.
func (t *tree) Descend(from string, visit func(key string, r *record) bool) {
	if t.leaves != nil {
		t.leaves.Descend(leafOf(from, nil), func(l leaf) bool { return visit(l.key, l.record) })
	}
}

// copy returns a copy in constant time. Neither sees the other's later changes.
func (t *tree) copy() tree {
	if t.leaves == nil {
		return tree{}
	}
	return tree{t.leaves.Copy()}
}
