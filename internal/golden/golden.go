// Package golden compares what tests produce with files that are read and
// reviewed, and rewrites those files when tests run with -update.
//
// A golden file is a txtar archive: a comment that says why the case exists,
// then named sections, inputs and wanted outputs alike.
package golden

import (
	"errors"
	"flag"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"
)

var update = flag.Bool("update", false, "rewrite golden files with what the tests produced")

// Updating reports whether the tests run with -update.
func Updating() bool { return *update }

// File is one golden file. Its methods are for one test at a time.
type File struct {
	path    string
	archive *txtar.Archive
}

// Open reads the golden file at path. A missing file fails the test, unless it
// runs with -update, which creates it when a section is compared.
func Open(t testing.TB, path string) *File {
	t.Helper()
	archive, err := txtar.ParseFile(path)
	switch {
	case errors.Is(err, fs.ErrNotExist) && Updating():
		archive = &txtar.Archive{}
	case err != nil:
		t.Fatalf("golden file: %v (run with -update to create it)", err)
	}
	return &File{path: path, archive: archive}
}

// Name is the file's name without folder and extension.
func (f *File) Name() string {
	return strings.TrimSuffix(filepath.Base(f.path), filepath.Ext(f.path))
}

// Comment is the text before the first section.
func (f *File) Comment() string { return strings.TrimSpace(string(f.archive.Comment)) }

// Explain fails the test when the comment differs from why, which the test's
// table holds too. With -update it writes the comment instead.
func (f *File) Explain(t testing.TB, why string) {
	t.Helper()
	if f.Comment() == why {
		return
	}
	if Updating() {
		f.archive.Comment = []byte(why + "\n\n")
		f.write(t)
		return
	}
	t.Errorf("%s begins with %q, want %q", f.path, f.Comment(), why)
}

// Section returns the named section, an input of the case; ok is false when
// the file has none of that name.
func (f *File) Section(name string) (data string, ok bool) {
	if i := f.index(name); i >= 0 {
		return string(f.archive.Files[i].Data), true
	}
	return "", false
}

// Compare fails the test when got differs from the named section, line ends at
// the end of the text aside. With -update it writes the section instead.
func (f *File) Compare(t testing.TB, name, got string) {
	t.Helper()
	got = strings.TrimRight(got, "\n") + "\n"
	want, ok := f.Section(name)
	if ok && want == got {
		return
	}
	if Updating() {
		f.set(name, got)
		f.write(t)
		return
	}
	if !ok {
		t.Errorf("%s has no section %q (run with -update to write it); got:\n%s", f.path, name, got)
		return
	}
	t.Errorf("%s, section %q (-want +got):\n%s", f.path, name,
		cmp.Diff(strings.Split(want, "\n"), strings.Split(got, "\n")))
}

// Only fails the test when the file has sections other than those named: what
// is left of a case that changed its kind. With -update it removes them.
func (f *File) Only(t testing.TB, names ...string) {
	t.Helper()
	stray := func(s txtar.File) bool { return !slices.Contains(names, s.Name) }
	if !slices.ContainsFunc(f.archive.Files, stray) {
		return
	}
	if Updating() {
		f.archive.Files = slices.DeleteFunc(f.archive.Files, stray)
		f.write(t)
		return
	}
	for _, s := range f.archive.Files {
		if stray(s) {
			t.Errorf("%s has a section %q that no test reads", f.path, s.Name)
		}
	}
}

// Paths returns the golden files of a folder, sorted. An empty folder fails
// the test.
func Paths(t testing.TB, dir string) []string {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(dir, "*.txtar"))
	if err != nil {
		t.Fatalf("golden files: %v", err)
	}
	if len(paths) == 0 && !Updating() {
		t.Fatalf("golden files: none in %s", dir)
	}
	return paths
}

func (f *File) index(name string) int {
	return slices.IndexFunc(f.archive.Files, func(s txtar.File) bool { return s.Name == name })
}

func (f *File) set(name, data string) {
	if i := f.index(name); i >= 0 {
		f.archive.Files[i].Data = []byte(data)
		return
	}
	f.archive.Files = append(f.archive.Files, txtar.File{Name: name, Data: []byte(data)})
}

func (f *File) write(t testing.TB) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(f.path), 0o755); err != nil {
		t.Fatalf("golden file: %v", err)
	}
	if err := os.WriteFile(f.path, txtar.Format(f.archive), 0o644); err != nil {
		t.Fatalf("golden file: %v", err)
	}
}
