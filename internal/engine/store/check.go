package store

import (
	"bytes"
	"encoding/binary"
	"hash/fnv"
	"io"
	"os"
)

// bbolt takes the pages of its file for granted: a reference to the wrong one
// is a loop without an end, or a write to a page that is in use. checkPages
// therefore walks them before anything else is read, in bbolt's format 2:
// numbers in the machine's order, and pages that begin with their number (8
// bytes), kind (2), number of elements (2) and number of pages that continue
// them (4).
const (
	pageHeader    = 16
	branchElement = 16 // place of the key (4), its length (4), page (8)
	leafElement   = 16 // kind (4), place of the key (4), its length (4), that of the value (4)
	bucketHeader  = 16 // page (8), sequence (8)

	branchPage   = 0x01
	leafPage     = 0x02
	freelistPage = 0x10
	bucketLeaf   = 0x01 // the kind of an element whose value is a bucket

	noFreelist = ^uint64(0)
	maxLevels  = 64
)

var order = binary.NativeEndian

// meta is what the first two pages say, of which the newer whole one counts.
type meta struct {
	root, freelist, pages, tx uint64
}

// parseMeta reads a meta page's content, and reports whether it is whole.
func parseMeta(page []byte) (meta, bool) {
	const size = 64 // up to the sum over it: magic, version, page size and flags, 4 each; root (16), freelist, pages, tx, sum
	m := page[pageHeader:]
	sum := fnv.New64a()
	sum.Write(m[:size-8])
	return meta{
		root: order.Uint64(m[16:]), freelist: order.Uint64(m[32:]), pages: order.Uint64(m[40:]), tx: order.Uint64(m[48:]),
	}, order.Uint64(m[56:]) == sum.Sum64()
}

type checker struct {
	file     io.ReaderAt
	pageSize int
	used     []bool // by page
}

// checkPages reports a fault in how the pages of the file hang together.
func checkPages(file *os.File, pageSize int) error {
	info, err := file.Stat()
	if err != nil {
		return err
	}
	var m meta
	found := false
	for i := range 2 {
		page := make([]byte, pageHeader+64)
		if _, err := file.ReadAt(page, int64(i)*int64(pageSize)); err != nil {
			return damaged("page %d: %w", i, err)
		}
		if next, ok := parseMeta(page); ok && (!found || next.tx > m.tx) {
			m, found = next, true
		}
	}
	size := uint64(info.Size())
	switch {
	case !found:
		return damaged("neither of its first two pages is whole")
	case m.pages > size/uint64(pageSize):
		return damaged("it ends before its %d pages of %d bytes do: it was cut off", m.pages, pageSize)
	}
	c := &checker{file, pageSize, make([]bool, m.pages)}
	c.used[0], c.used[1] = true, true
	if err := c.tree(m.root, nil, nil, 0); err != nil {
		return err
	}
	return c.freelist(m.freelist)
}

// page reads the page with the given number and those that continue it. No
// page is read twice.
func (c *checker) page(id uint64) ([]byte, error) {
	if id < 2 || id >= uint64(len(c.used)) {
		return nil, damaged("a reference to page %d of %d", id, len(c.used))
	}
	header := make([]byte, pageHeader)
	if _, err := c.file.ReadAt(header, int64(id)*int64(c.pageSize)); err != nil {
		return nil, damaged("page %d: %w", id, err)
	}
	more := uint64(order.Uint32(header[12:]))
	if order.Uint64(header) != id || more >= uint64(len(c.used))-id {
		return nil, damaged("page %d has a wrong beginning", id)
	}
	for i := id; i <= id+more; i++ {
		if c.used[i] {
			return nil, damaged("page %d is referred to twice", i)
		}
		c.used[i] = true
	}
	page := make([]byte, (more+1)*uint64(c.pageSize))
	if _, err := c.file.ReadAt(page, int64(id)*int64(c.pageSize)); err != nil {
		return nil, damaged("page %d: %w", id, err)
	}
	return page, nil
}

// tree checks the pages of a bucket from the given one down, whose keys are to
// be from low on and below high; nil is no bound.
func (c *checker) tree(id uint64, low, high []byte, level int) error {
	page, err := c.page(id)
	if err != nil {
		return err
	}
	switch kind := order.Uint16(page[8:]); {
	case level == maxLevels:
		return damaged("page %d is %d levels down", id, level)
	case kind == leafPage:
		return c.leaf(page, low, high, id, false)
	case kind != branchPage:
		return damaged("page %d is of kind %#x", id, kind)
	}
	keys, err := keysOf(page, branchElement, low, high, id)
	if err != nil {
		return err
	}
	if len(keys) == 0 {
		return damaged("page %d leads nowhere", id)
	}
	for i := range keys {
		from, to := keys[i], high
		if i == 0 {
			from = low
		}
		if i+1 < len(keys) {
			to = keys[i+1]
		}
		child := order.Uint64(page[pageHeader+i*branchElement+8:])
		if err := c.tree(child, from, to, level+1); err != nil {
			return err
		}
	}
	return nil
}

// leaf checks a leaf page, and the buckets that are its elements. A bucket
// within a page holds no other.
func (c *checker) leaf(page, low, high []byte, id uint64, inline bool) error {
	keys, err := keysOf(page, leafElement, low, high, id)
	if err != nil {
		return err
	}
	for i, key := range keys {
		at := pageHeader + i*leafElement
		element := page[at:]
		end := uint64(at) + uint64(order.Uint32(element[4:])) + uint64(len(key))
		size := uint64(order.Uint32(element[12:]))
		if end+size > uint64(len(page)) {
			return damaged("an element of page %d goes beyond it", id)
		}
		switch kind := order.Uint32(element); {
		case kind == 0:
			continue
		case kind != bucketLeaf || inline || size < bucketHeader:
			return damaged("an element of page %d is of kind %#x", id, kind)
		}
		bucket := page[end : end+size]
		if root := order.Uint64(bucket); root != 0 {
			err = c.tree(root, nil, nil, 0)
		} else if inner := bucket[bucketHeader:]; len(inner) < pageHeader || order.Uint16(inner[8:]) != leafPage {
			err = damaged("a bucket in page %d has no leaf", id)
		} else {
			err = c.leaf(inner, nil, nil, id, true)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// keysOf returns the keys of the page's elements, which are of the given size.
// They are to be in order, from low on and below high.
func keysOf(page []byte, size int, low, high []byte, id uint64) ([][]byte, error) {
	n := int(order.Uint16(page[10:]))
	if pageHeader+n*size > len(page) {
		return nil, damaged("page %d has too many elements", id)
	}
	keys := make([][]byte, n)
	for i := range keys {
		at := pageHeader + i*size
		place := page[at:]
		if size == leafElement && order.Uint16(page[8:]) == leafPage {
			place = place[4:]
		}
		from := uint64(at) + uint64(order.Uint32(place))
		to := from + uint64(order.Uint32(place[4:]))
		if from < uint64(pageHeader+n*size) || to > uint64(len(page)) {
			return nil, damaged("an element of page %d goes beyond it", id)
		}
		keys[i] = page[from:to]
		if (i > 0 && bytes.Compare(keys[i-1], keys[i]) >= 0) || bytes.Compare(keys[i], low) < 0 || (high != nil && bytes.Compare(keys[i], high) >= 0) {
			return nil, damaged("the elements of page %d are out of order", id)
		}
	}
	return keys, nil
}

// freelist checks that no page is free and in use.
func (c *checker) freelist(id uint64) error {
	if id == noFreelist {
		return nil
	}
	page, err := c.page(id)
	if err != nil {
		return err
	}
	if kind := order.Uint16(page[8:]); kind != freelistPage {
		return damaged("page %d is of kind %#x and no list of free pages", id, kind)
	}
	n, list := uint64(order.Uint16(page[10:])), page[pageHeader:]
	if n == 0xFFFF { // too many for the header
		n, list = order.Uint64(list), list[8:]
	}
	if n > uint64(len(list)/8) {
		return damaged("page %d has too many free pages", id)
	}
	for i := range n {
		free := order.Uint64(list[8*i:])
		if free >= uint64(len(c.used)) || c.used[free] {
			return damaged("page %d is free and in use", free)
		}
		c.used[free] = true
	}
	return nil
}
