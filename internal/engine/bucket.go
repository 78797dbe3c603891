package engine

import (
	"crypto/md5" //nolint:gosec // the checksum that manifests hold
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"os"
	"path"
	"strings"

	"github.com/dynorm/dynorm/internal/engine/wire"
)

var errNoBuckets = invalid("Exports and imports need a directory that stands for S3, and none is configured")

// buckets opens the directory whose sub-directories are the buckets. What is
// done in it can't leave it.
func (e *Engine) buckets() (*os.Root, error) {
	if e.cfg.Buckets == "" {
		return nil, errNoBuckets
	}
	if err := os.MkdirAll(e.cfg.Buckets, 0o755); err != nil { //nolint:gosec // as S3 clients would make it
		return nil, fmt.Errorf("buckets: %w", err)
	}
	return os.OpenRoot(e.cfg.Buckets)
}

// bucketInput is where in S3 a request points to.
type bucketInput struct {
	bucket, prefix, owner wire.Text
}

// bucketName checks a member that names a bucket.
func (s *shape) bucketName(t wire.Text, path string) {
	s.required(t.Set, path)
	s.length(t, path, 0, 255)
	alnum := func(c byte) bool { return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' }
	if t.Set && (len(t.V) < 2 || !validName(t.V) || !alnum(t.V[0]) || !alnum(t.V[len(t.V)-1])) {
		s.add(quote(t.V), path, `Member must satisfy regular expression pattern: ^[a-z0-9A-Z]+[\.\-\w]*[a-z0-9A-Z]+$`)
	}
}

// object is a file of a bucket that is being written.
type object struct {
	file *os.File
	sum  hash.Hash
}

func createObject(root *os.Root, bucket, key string) (*object, error) {
	name := path.Join(bucket, key)
	if err := root.MkdirAll(path.Dir(name), 0o755); err != nil {
		return nil, err
	}
	f, err := root.Create(name)
	if err != nil {
		return nil, err
	}
	return &object{f, md5.New()}, nil //nolint:gosec // as above
}

func (o *object) Write(p []byte) (int, error) {
	o.sum.Write(p)
	return o.file.Write(p)
}

// base64 and hex return the checksum of what was written.
func (o *object) base64() string { return base64.StdEncoding.EncodeToString(o.sum.Sum(nil)) }
func (o *object) hex() string    { return hex.EncodeToString(o.sum.Sum(nil)) }

// putObject writes a whole object and returns it, closed.
func putObject(root *os.Root, bucket, key string, body []byte) (*object, error) {
	o, err := createObject(root, bucket, key)
	if err != nil {
		return nil, err
	}
	_, err = o.Write(body)
	return o, errors.Join(err, o.file.Close())
}

// eachObject calls visit with the objects of the bucket whose keys begin with
// prefix, in order. There may be none.
func eachObject(root *os.Root, bucket, prefix string, visit func(key string, r io.Reader) error) error {
	dir := root.FS()
	return fs.WalkDir(dir, bucket, func(name string, d fs.DirEntry, err error) error {
		key := strings.TrimPrefix(strings.TrimPrefix(name, bucket), "/")
		if err != nil || d.IsDir() || !strings.HasPrefix(key, prefix) {
			return err
		}
		f, err := dir.Open(name)
		if err != nil {
			return err
		}
		return errors.Join(visit(key, f), f.Close())
	})
}
