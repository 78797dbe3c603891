package store_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.etcd.io/bbolt"

	"github.com/dynorm/dynorm/internal/engine/store"
)

var buckets = []string{"a", "b", "empty"}

func open(t *testing.T, dir string) *store.Store {
	t.Helper()
	s, err := store.Open(t.Context(), dir, buckets...)
	require.NoError(t, err)
	return s
}

func put(bucket, key, value string) store.Edit {
	return store.Edit{Bucket: bucket, Key: key, Value: []byte(value)}
}

// contents returns all that is in the file, or why it can't be read.
func contents(dir string) (map[string]string, error) {
	s, err := store.Open(context.Background(), dir, buckets...)
	if err != nil {
		return nil, err
	}
	all := make(map[string]string)
	for _, name := range buckets {
		if err := s.Each(name, func(key, value string) error { all[name+"/"+key] = value; return nil }); err != nil {
			_ = s.Close()
			return nil, err
		}
	}
	return all, s.Close()
}

func TestWrite(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir)
	require.Equal(t, filepath.Join(dir, store.FileName), s.Path())
	require.NoError(t, s.Write([]store.Edit{put("a", "1", "x"), put("a", "2", ""), put("a", "1", "y"), put("b", "1", "z")}))
	require.NoError(t, s.Write([]store.Edit{{Op: store.Delete, Bucket: "a", Key: "2"}, {Op: store.Delete, Bucket: "a", Key: "none"}, {Op: store.Drop, Bucket: "none"}}))

	require.ErrorContains(t, s.Write([]store.Edit{put("a", "3", "lost"), put("none", "1", "x")}), s.Path())
	require.ErrorContains(t, s.Each("none", nil), s.Path())
	require.NoError(t, s.Close())
	all, err := contents(dir)
	require.NoError(t, err)
	require.Equal(t, map[string]string{"a/1": "y", "b/1": "z"}, all, "none of the edits of which one failed")

	s = open(t, dir)
	require.NoError(t, s.Write([]store.Edit{{Op: store.Drop, Bucket: "a"}, {Op: store.Create, Bucket: "a"}, put("a", "5", "new"), {Op: store.Create, Bucket: "a"}}))
	require.NoError(t, s.Close())
	all, err = contents(dir)
	require.NoError(t, err)
	require.Equal(t, map[string]string{"a/5": "new", "b/1": "z"}, all)
}

func TestInUse(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir)
	ctx, cancel := context.WithTimeout(t.Context(), 60*time.Millisecond)
	defer cancel()
	_, err := store.Open(ctx, dir)
	require.ErrorContains(t, err, s.Path()+" is in use by another process")
	require.NoError(t, s.Close())
	require.NoError(t, open(t, dir).Close())
}

// TestForeign opens files that are none of ours, and leaves them as they were.
func TestForeign(t *testing.T) {
	database := func(fill func(tx *bbolt.Tx) error) func(t *testing.T, path string) {
		return func(t *testing.T, path string) {
			db, err := bbolt.Open(path, 0o600, nil)
			require.NoError(t, err)
			require.NoError(t, db.Update(fill))
			require.NoError(t, db.Close())
		}
	}
	write := func(content string) func(t *testing.T, path string) {
		return func(t *testing.T, path string) { require.NoError(t, os.WriteFile(path, []byte(content), 0o600)) }
	}
	for _, tc := range []struct {
		name string
		make func(t *testing.T, path string)
		want string
	}{
		{"text", write("a text"), "not a file of the embedded engine"},
		{"long text", write(strings.Repeat("a text\n", 10_000)), "not a file of the embedded engine"},
		{"zeros", write(strings.Repeat("\x00", 1<<20)), "not a file of the embedded engine"},
		{"other database", database(func(tx *bbolt.Tx) error {
			_, err := tx.CreateBucket([]byte("users"))
			return err
		}), "not one of the embedded engine"},
		{"other use of the name", database(func(tx *bbolt.Tx) error {
			b, err := tx.CreateBucket([]byte("dynorm"))
			if err != nil {
				return err
			}
			return b.Put([]byte("format"), []byte("what?"))
		}), "is damaged"},
		{"newer", func(t *testing.T, path string) {
			s := open(t, filepath.Dir(path))
			require.NoError(t, s.Write([]store.Edit{put("dynorm", "format", "dynorm embedded engine 3")}))
			require.NoError(t, s.Close())
		}, "the file has format 3, and this version of the engine knows format 2 only"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			dir := t.TempDir()
			path := filepath.Join(dir, store.FileName)
			tc.make(t, path)
			before, err := os.ReadFile(path)
			require.NoError(t, err)
			_, err = store.Open(t.Context(), dir, buckets...)
			require.ErrorContains(t, err, tc.want)
			require.ErrorContains(t, err, path)
			after, err := os.ReadFile(path)
			require.NoError(t, err)
			require.True(t, bytes.Equal(before, after), "the file was touched")
		})
	}
	dir := t.TempDir() // What was not begun yet is taken for new.
	require.NoError(t, os.WriteFile(filepath.Join(dir, store.FileName), nil, 0o600))
	require.NoError(t, open(t, dir).Close())
}

// sample writes a file with pages of all kinds, and returns its path, what is
// in it, and what was in it before the last write.
func sample(t *testing.T) (path string, now, before map[string]string) {
	t.Helper()
	dir := t.TempDir()
	s := open(t, dir)
	random := rand.New(rand.NewPCG(1, 2))
	now = make(map[string]string)
	for round := range 4 {
		before = maps.Clone(now)
		var edits []store.Edit
		for i := range 150 {
			e := put(buckets[i%2], fmt.Sprint(random.IntN(500)), strings.Repeat(fmt.Sprint(round), 1+random.IntN(200)))
			if i == 0 {
				e.Value = bytes.Repeat([]byte("long"), 2500) // over several pages
			}
			if i%3 == 0 && round > 0 {
				e = store.Edit{Op: store.Delete, Bucket: e.Bucket, Key: e.Key}
				delete(now, e.Bucket+"/"+e.Key)
			} else {
				now[e.Bucket+"/"+e.Key] = string(e.Value)
			}
			edits = append(edits, e)
		}
		require.NoError(t, s.Write(edits))
	}
	require.NoError(t, s.Close())
	return s.Path(), now, before
}

// requireHonest opens a file that was damaged. It is as it was written, or as
// before the last write if the page is damaged that says where this one is (as
// after a crash in the middle of it), or it is refused by an error that names
// it. It reports whether it was refused.
func requireHonest(t *testing.T, path string, content []byte, now, before map[string]string, damage string) bool {
	t.Helper()
	require.NoError(t, os.WriteFile(path, content, 0o600))
	all, err := contents(filepath.Dir(path))
	if err != nil {
		require.ErrorContains(t, err, path, damage)
		require.NotContains(t, err.Error(), "in use by", "%s: it was not let go of the last time", damage)
		return true
	}
	if !maps.Equal(all, now) && !maps.Equal(all, before) {
		t.Fatalf("%s: %d entries are read without an error, which are neither the %d of the file nor the %d of before", damage, len(all), len(now), len(before))
	}
	return false
}

// TestDamage turns bits in the file and cuts it off.
func TestDamage(t *testing.T) {
	path, now, before := sample(t)
	whole, err := os.ReadFile(path)
	require.NoError(t, err)
	random := rand.New(rand.NewPCG(3, 4))
	refused := 0
	const flips = 400
	for i := range flips {
		at := random.IntN(len(whole))
		switch i % 3 {
		case 0: // the beginnings of pages are where most can go wrong
			at = at/os.Getpagesize()*os.Getpagesize() + random.IntN(64)
		case 1:
			at = at / 8 * 8 // the low byte of a number
		}
		content := bytes.Clone(whole)
		content[at] ^= 1 << random.IntN(8)
		if requireHonest(t, path, content, now, before, fmt.Sprintf("a bit of byte %d", at)) {
			refused++
		}
	}
	for from := 0; ; { // Where the names of the parts are.
		found := bytes.Index(whole[from:], []byte("dynorm"))
		if found < 0 {
			break
		}
		from += found + len("dynorm")
		for at := max(from-160, 0); at < min(from+80, len(whole)); at++ {
			content := bytes.Clone(whole)
			content[at] ^= 1 << (at % 4)
			requireHonest(t, path, content, now, before, fmt.Sprintf("a bit of byte %d", at))
		}
	}
	cuts := 0
	for size := 1; size < len(whole); size += len(whole)/40 + 1 {
		cuts++
		requireHonest(t, path, whole[:size], now, before, fmt.Sprintf("cut off at %d", size))
	}
	t.Logf("%d of %d bits at random refused, the rest without effect; %d cuts", refused, flips, cuts)
	require.Positive(t, refused)
}

// TestCycle makes every page of the file lead to every other one in turn.
func TestCycle(t *testing.T) {
	path, now, before := sample(t)
	whole, err := os.ReadFile(path)
	require.NoError(t, err)
	size := os.Getpagesize()
	pages := len(whole) / size
	refused := 0
	for page := 2; page < pages; page++ {
		at := page * size
		if binary.NativeEndian.Uint16(whole[at+8:]) != 0x01 || binary.NativeEndian.Uint64(whole[at:]) != uint64(page) {
			continue
		}
		for target := range pages {
			content := bytes.Clone(whole)
			binary.NativeEndian.PutUint64(content[at+16+8:], uint64(target)) // its first reference
			if requireHonest(t, path, content, now, before, fmt.Sprintf("page %d leads to %d", page, target)) {
				refused++
			}
		}
	}
	require.Positive(t, refused)
}

// TestPowerLoss takes apart the writes of a commit, as a loss of power in the
// middle of one can: any of its pages are on disk, in any order, and the page
// that ends it is not. The file is as before the commit then, and can be
// written on.
func TestPowerLoss(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, store.FileName)
	read := func() []byte {
		content, err := os.ReadFile(path)
		require.NoError(t, err)
		return content
	}
	random := rand.New(rand.NewPCG(5, 6))
	s := open(t, dir)
	require.NoError(t, s.Close())
	was, err := contents(dir)
	require.NoError(t, err)
	before := read()
	size, ahead := os.Getpagesize(), 0
	for commit := range 60 {
		s := open(t, dir)
		now := maps.Clone(was)
		var edits []store.Edit
		for range 1 + random.IntN(80) {
			e := put(buckets[random.IntN(2)], fmt.Sprint(random.IntN(300)), strings.Repeat(fmt.Sprint(commit), 1+random.IntN(300)))
			if random.IntN(4) == 0 {
				e = store.Edit{Op: store.Delete, Bucket: e.Bucket, Key: e.Key}
				delete(now, e.Bucket+"/"+e.Key)
			} else {
				now[e.Bucket+"/"+e.Key] = string(e.Value)
			}
			edits = append(edits, e)
		}
		require.NoError(t, s.Write(edits))
		require.NoError(t, s.Close())
		after := read()
		for range 4 {
			torn := bytes.Clone(after)
			copy(torn, before[:2*size]) // The pages that say where all others begin.
			for at := 2 * size; at < len(before); at += size {
				if random.IntN(2) == 0 {
					copy(torn[at:at+size], before[at:])
				}
			}
			torn = torn[:len(before)+random.IntN(len(after)-len(before)+1)]
			lost := t.TempDir()
			require.NoError(t, os.WriteFile(filepath.Join(lost, store.FileName), torn, 0o600))
			all, err := contents(lost)
			require.NoError(t, err, "commit %d", commit)
			require.True(t, maps.Equal(was, all), "commit %d: as before it", commit)
			s := open(t, lost)
			require.NoError(t, s.Write([]store.Edit{put("a", "next", "x")}))
			require.NoError(t, s.Close())
			all, err = contents(lost)
			require.NoError(t, err)
			require.Len(t, all, len(was)+1)
			ahead++
		}
		was, before = now, after
	}
	t.Logf("%d commits that did not end; %d entries at the end", ahead, len(was))
}
