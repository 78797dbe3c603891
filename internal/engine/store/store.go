// Package store keeps what the engine must not lose in one file, by
// go.etcd.io/bbolt: named buckets of keys and values, changed by edits of
// which a list is written whole or not at all.
//
// Every value carries a checksum, every bucket its number of entries, and the
// file the name and version of its format. What is damaged, foreign or too new
// is refused when the file is opened, by an error that names it; the file is
// not touched then.
package store

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"os"
	"path/filepath"
	"runtime/debug"
	"strconv"
	"strings"
	"time"

	"go.etcd.io/bbolt"
	bbolterrors "go.etcd.io/bbolt/errors"
)

// FileName is the name of the file in the directory that Open is given.
const FileName = "dynorm.db"

// Format is the version of the file's format: of its buckets, of what their
// keys and values mean, and of the order of keys.
const Format = 2

// The bucket and key of the format, and what its value begins with.
const (
	formatBucket = "dynorm"
	formatKey    = "format"
	formatMagic  = "dynorm embedded engine "
)

// lockTimeout is how long Open waits for another engine to let go of the file.
const lockTimeout = time.Second

// Op is what an Edit does.
type Op uint8

// The operations of edits.
const (
	Put     Op = iota // Value in the place of Key
	Delete            // no Key any more
	Create            // an empty Bucket, if there is none
	Drop              // no Bucket any more
	DropAll           // no bucket any more whose name begins with Bucket
)

// Edit is one change of the file.
type Edit struct {
	Op     Op
	Bucket string
	Key    string
	Value  []byte
}

// Store is an open file. Its methods are not safe for concurrent use.
type Store struct {
	path string
	db   *bbolt.DB
}

var checksums = crc32.MakeTable(crc32.Castagnoli)

// Open opens the file in dir, both of which it makes if they are not there, and
// sees to it that it has the given buckets. It waits for a second at most, and
// not longer than ctx, if another process or engine has the file open.
func Open(ctx context.Context, dir string, buckets ...string) (*Store, error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, fmt.Errorf("open %s: %w", dir, err)
	}
	s := &Store{path: filepath.Join(dir, FileName)}
	timeout := lockTimeout
	if deadline, ok := ctx.Deadline(); ok {
		timeout = max(min(timeout, time.Until(deadline)), 1)
	}
	if err := guard(func() error { return s.check(timeout) }); err != nil {
		return nil, s.fault(err)
	}
	err := guard(func() (err error) {
		s.db, err = bbolt.Open(s.path, 0o600, &bbolt.Options{Timeout: timeout, FreelistType: bbolt.FreelistMapType, NoStatistics: true})
		return err
	})
	if err != nil {
		return nil, s.fault(err)
	}
	if err := guard(func() error { return s.checkFormat(buckets) }); err != nil {
		_ = s.db.Close()
		return nil, s.fault(err)
	}
	return s, nil
}

// check looks whether a file that is there can be opened for writing: bbolt
// does so without a look at its pages, and what it stumbles over then it does
// not let go of.
func (s *Store) check(timeout time.Duration) error {
	file, err := os.Open(s.path)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil || info.Size() == 0 {
		return err
	}
	db, err := bbolt.Open(s.path, 0, &bbolt.Options{Timeout: timeout, ReadOnly: true})
	if err != nil {
		return err
	}
	return errors.Join(checkPages(file, db.Info().PageSize), db.Close())
}

// Path returns the file's path.
func (s *Store) Path() string { return s.path }

// fault names the file in err, and says what bbolt's errors mean here.
func (s *Store) fault(err error) error {
	var path *os.PathError
	switch {
	case strings.HasPrefix(err.Error(), s.path+": "):
		return err // named already
	case errors.Is(err, bbolterrors.ErrTimeout):
		return fmt.Errorf("%s is in use by another process, or by another engine of this one", s.path)
	case errors.Is(err, bbolterrors.ErrInvalid), errors.Is(err, bbolterrors.ErrVersionMismatch), errors.Is(err, bbolterrors.ErrChecksum):
		return fmt.Errorf("%s is not a file of the embedded engine, or its beginning is damaged: %w", s.path, err)
	case errors.As(err, &path) && path.Path == s.path:
		return err
	}
	return fmt.Errorf("%s: %w", s.path, err)
}

// damaged returns the error of a file that is not as it was written.
func damaged(format string, args ...any) error {
	return fmt.Errorf("the file is damaged: "+format, args...)
}

// guard runs f, and returns as an error what goes wrong where bbolt takes a
// damaged file for granted: it panics, or reads outside the file's memory.
func guard(f func() error) (err error) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if p := recover(); p != nil {
			err = damaged("%v", p)
		}
	}()
	return f()
}

// checkFormat looks whether the file is one of this package, makes an empty one
// it, and adds the buckets that it never had.
func (s *Store) checkFormat(buckets []string) error {
	var written, own bool
	err := s.db.View(func(tx *bbolt.Tx) error {
		written, own = tx.ID() > 1, tx.Bucket([]byte(formatBucket)) != nil
		return nil
	})
	switch {
	case err != nil:
		return err
	case written && !own:
		return errForeign
	}
	var edits []Edit
	had := make(map[string]bool) // the buckets it was given, each an entry beside the format
	if !written {
		edits = append(edits, Edit{Op: Create, Bucket: formatBucket},
			Edit{Bucket: formatBucket, Key: formatKey, Value: fmt.Append(nil, formatMagic, Format)})
	} else if err := s.Each(formatBucket, func(key, value string) error {
		if key != formatKey {
			had[key] = true
			return nil
		}
		return checkVersion(value)
	}); err != nil {
		return err
	}
	for _, name := range buckets {
		if !had[name] {
			edits = append(edits, Edit{Op: Create, Bucket: name}, Edit{Bucket: formatBucket, Key: name})
		}
	}
	if len(edits) == 0 {
		return nil
	}
	if err := s.Write(edits); err != nil {
		return err
	}
	return s.syncDir()
}

var errForeign = errors.New("this is a bbolt database, but not one of the embedded engine")

func checkVersion(value string) error {
	version, ok := strings.CutPrefix(value, formatMagic)
	switch {
	case !ok:
		return errForeign
	case version != strconv.Itoa(Format):
		return fmt.Errorf("the file has format %s, and this version of the engine knows format %d only", version, Format)
	}
	return nil
}

// syncDir makes the file's name in its directory durable.
func (s *Store) syncDir() error {
	d, err := os.Open(filepath.Dir(s.path))
	if err != nil {
		return err
	}
	_ = d.Sync() // not every system can do this with a directory
	return d.Close()
}

// Each calls f for the entries of the bucket in order of their keys. The
// bucket must be there.
func (s *Store) Each(bucket string, f func(key, value string) error) error {
	err := guard(func() error {
		return s.db.View(func(tx *bbolt.Tx) error {
			b := tx.Bucket([]byte(bucket))
			if b == nil {
				return damaged("the part %q is missing", bucket)
			}
			entries := uint64(0)
			err := b.ForEach(func(k, v []byte) error {
				entries++
				if len(v) < 4 || binary.BigEndian.Uint32(v) != checksum(k, v[4:]) {
					return damaged("an entry of the part %q has a wrong checksum", bucket)
				}
				return f(string(k), string(v[4:]))
			})
			if err == nil && entries != b.Sequence() {
				err = damaged("the part %q has %d entries in place of %d", bucket, entries, b.Sequence())
			}
			return err
		})
	})
	if err != nil {
		return s.fault(err)
	}
	return nil
}

func checksum[T string | []byte](key T, value []byte) uint32 {
	return crc32.Update(crc32.Checksum([]byte(key), checksums), checksums, value)
}

// Write makes the edits, in their order: all of them, which are on disk when it
// returns, or none of them if it fails.
func (s *Store) Write(edits []Edit) error {
	err := guard(func() error {
		return s.db.Update(func(tx *bbolt.Tx) error {
			w := writing{tx, make(map[string]*counted)}
			for i := range edits {
				if err := w.edit(&edits[i]); err != nil {
					return err
				}
			}
			return w.finish()
		})
	})
	if err != nil {
		return s.fault(err)
	}
	return nil
}

// writing is a list of edits on its way into the file.
type writing struct {
	tx      *bbolt.Tx
	buckets map[string]*counted
}

// counted is a bucket whose sequence is to be its number of entries.
type counted struct {
	*bbolt.Bucket
	entries uint64
}

func (w *writing) bucket(name string) (*counted, error) {
	if b, ok := w.buckets[name]; ok {
		return b, nil
	}
	b := w.tx.Bucket([]byte(name))
	if b == nil {
		return nil, damaged("the part %q is missing", name)
	}
	c := &counted{b, b.Sequence()}
	w.buckets[name] = c
	return c, nil
}

func (w *writing) edit(e *Edit) error {
	switch e.Op {
	case Create:
		_, err := w.tx.CreateBucketIfNotExists([]byte(e.Bucket))
		return err
	case Drop:
		return w.drop(e.Bucket)
	case DropAll:
		var names []string
		if err := w.tx.ForEach(func(name []byte, _ *bbolt.Bucket) error {
			if strings.HasPrefix(string(name), e.Bucket) {
				names = append(names, string(name))
			}
			return nil
		}); err != nil {
			return err
		}
		for _, name := range names {
			if err := w.drop(name); err != nil {
				return err
			}
		}
		return nil
	}
	b, err := w.bucket(e.Bucket)
	if err != nil {
		return err
	}
	key := []byte(e.Key)
	present := b.Get(key) != nil
	if e.Op == Delete {
		if present {
			b.entries--
		}
		return b.Delete(key)
	}
	if !present {
		b.entries++
	}
	value := make([]byte, 4, 4+len(e.Value))
	binary.BigEndian.PutUint32(value, checksum(e.Key, e.Value))
	return b.Put(key, append(value, e.Value...))
}

// drop removes a bucket, if there is one.
func (w *writing) drop(name string) error {
	delete(w.buckets, name)
	if err := w.tx.DeleteBucket([]byte(name)); !errors.Is(err, bbolterrors.ErrBucketNotFound) {
		return err
	}
	return nil
}

func (w *writing) finish() error {
	for _, b := range w.buckets {
		if b.entries == b.Sequence() {
			continue
		}
		if err := b.SetSequence(b.entries); err != nil {
			return err
		}
	}
	return nil
}

// Close closes the file and lets others open it.
func (s *Store) Close() error {
	if err := s.db.Close(); err != nil {
		return s.fault(err)
	}
	return nil
}
