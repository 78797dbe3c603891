package arch

import (
	"bytes"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// walk calls visit for every file of the repository but those that are made by
// running it.
func walk(t *testing.T, visit func(path string, entry os.DirEntry)) {
	t.Helper()
	made := map[string]bool{".git": true, ".cache": true, "bin": true}
	require.NoError(t, filepath.WalkDir(top, func(path string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case made[entry.Name()] && entry.IsDir():
			return fs.SkipDir
		case made[entry.Name()]: // .git is a file in a linked work tree
			return nil
		case entry.Type().IsRegular():
			visit(path, entry)
		}
		return nil
	}))
}

// forbidden are texts that hold on one machine only. The patterns are put
// together here so that they don't match this file.
var forbidden = map[string]*regexp.Regexp{
	"a path of one machine": regexp.MustCompile(`(^|[^\w./-])/(` + strings.Join([]string{"work", "tmp", "home", "root", "Users"}, "|") + `)/\w`),
	"a registry's host":     regexp.MustCompile(strings.Join([]string{`proxy\.` + `golang\.org`, `registry\.` + `npmjs\.org`, `deb\.` + `debian\.org`}, "|")),
}

func TestNoFileNamesOneMachine(t *testing.T) {
	seen := 0
	walk(t, func(path string, _ os.DirEntry) {
		content, err := os.ReadFile(path)
		require.NoError(t, err)
		if bytes.IndexByte(content, 0) >= 0 || strings.HasSuffix(path, ".test") {
			return // not text
		}
		seen++
		for what, pattern := range forbidden {
			if at := pattern.FindIndex(content); at != nil {
				line := 1 + bytes.Count(content[:at[0]], []byte("\n"))
				t.Errorf("%s:%d names %s: %q", path, line, what, content[at[0]:at[1]])
			}
		}
	})
	require.Greater(t, seen, 20, "too few files to mean anything")
}

func TestForbidden(t *testing.T) {
	path := forbidden["a path of one machine"]
	slash := "/"
	for _, text := range []string{`"` + slash + "tmp/x", "cd " + slash + "home/someone", slash + "work/main"} {
		require.Regexp(t, path, text)
	}
	for _, text := range []string{"a/tmp/x", "framework/work/x", slash + "tmp", "./root/x", "example.com/home/x"} {
		require.NotRegexp(t, path, text)
	}
}
