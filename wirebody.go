package dynorm

import (
	"errors"
	"io"
)

// splicedBody is the body of a request around items that are not copied into it:
// a text and, at places in it, the items. The client reads it more than once,
// to sign it and for each attempt.
type splicedBody struct {
	text  []byte
	items [][]byte
	at    []int // the items' places in text, ascending

	piece, off int // what is read next: the place in a piece
	read       int // bytes before it
}

// pieceAt returns a piece of the body, or reports that there are no more: the
// text and the items take turns.
func (b *splicedBody) pieceAt(i int) (piece []byte, ok bool) {
	n := i / 2
	switch {
	case n > len(b.items) || n == len(b.items) && i%2 == 1:
		return nil, false
	case i%2 == 1:
		return b.items[n], true
	}
	from, to := 0, len(b.text)
	if n > 0 {
		from = b.at[n-1]
	}
	if n < len(b.at) {
		to = b.at[n]
	}
	return b.text[from:to], true
}

func (b *splicedBody) size() int {
	size := len(b.text)
	for _, item := range b.items {
		size += len(item)
	}
	return size
}

// Len returns how many bytes are left to read.
func (b *splicedBody) Len() int { return b.size() - b.read }

// Read reads on.
func (b *splicedBody) Read(p []byte) (int, error) {
	n := 0
	for n < len(p) {
		piece, ok := b.pieceAt(b.piece)
		if !ok {
			break
		}
		c := copy(p[n:], piece[b.off:])
		if n, b.off = n+c, b.off+c; b.off == len(piece) {
			b.piece, b.off = b.piece+1, 0
		}
	}
	b.read += n
	if n == 0 && len(p) > 0 {
		return 0, io.EOF
	}
	return n, nil
}

// WriteTo writes what is left to read, without a buffer between.
func (b *splicedBody) WriteTo(w io.Writer) (int64, error) {
	var total int64
	for {
		piece, ok := b.pieceAt(b.piece)
		if !ok {
			return total, nil
		}
		n, err := w.Write(piece[b.off:])
		total, b.read, b.off = total+int64(n), b.read+n, b.off+n
		if err != nil {
			return total, err
		}
		b.piece, b.off = b.piece+1, 0
	}
}

// Seek sets what is read next.
func (b *splicedBody) Seek(offset int64, whence int) (int64, error) {
	size := int64(b.size())
	switch whence {
	case io.SeekCurrent:
		offset += int64(b.read)
	case io.SeekEnd:
		offset += size
	}
	if offset < 0 || offset > size {
		return 0, errors.New("seeking out of the request's body")
	}
	b.piece, b.off, b.read = 0, int(offset), int(offset)
	for {
		piece, ok := b.pieceAt(b.piece)
		if !ok || b.off < len(piece) {
			return offset, nil
		}
		b.piece, b.off = b.piece+1, b.off-len(piece)
	}
}

// arena is where the items of a batch are encoded one after the other, so that
// they take few allocations. The zero arena is for one item.
type arena struct {
	free []byte // without length, but room
	left int    // items to come, this one included
	size int    // of the last one
}

// room returns where the next item is written, nil for where nobody knows how
// long it is.
func (a *arena) room() []byte {
	if likely := a.size + a.size/32; cap(a.free) < likely {
		a.free = make([]byte, 0, min(a.left, maxBatchWrite)*likely)
	}
	return a.free
}

// took tells the item that was written to the room.
func (a *arena) took(item []byte) []byte {
	n := len(item)
	a.free, a.size, a.left = item[n:], n, a.left-1
	return item[:n:n]
}
