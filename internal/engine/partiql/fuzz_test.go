package partiql_test

import (
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"testing"
	"unicode/utf8"

	"github.com/dynorm/dynorm/internal/engine/partiql"
	"github.com/dynorm/dynorm/internal/engine/value"
)

var statement = regexp.MustCompile(`"Statement": ("(?:[^"\\]|\\.)*")`)

// seed adds the statements of the conformance cases.
func seed(f *testing.F) {
	files, err := filepath.Glob(filepath.Join("..", "..", "conformance", "testdata", "cases", "partiql_*.txt"))
	if err != nil || len(files) == 0 {
		f.Fatalf("no cases: %v", err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		for _, m := range statement.FindAllSubmatch(text, -1) {
			if s, err := strconv.Unquote(string(m[1])); err == nil && len(s) < 500 {
				f.Add(s)
			}
		}
	}
}

// FuzzParse checks that every text is a statement or a fault of the request,
// and that what is read can be looked at.
func FuzzParse(f *testing.F) {
	seed(f)
	f.Fuzz(func(t *testing.T, text string) {
		if len(text) > partiql.MaxSize || !utf8.ValidString(text) {
			t.Skip()
		}
		st, err := partiql.Parse(text)
		if err != nil {
			var fault value.Error
			if !errors.As(err, &fault) || !utf8.ValidString(err.Error()) {
				t.Fatalf("%q: %v is no fault of the request", text, err)
			}
			return
		}
		params := make([]value.Value, st.Parameters)
		for i := range params {
			params[i] = value.Int(int64(i))
		}
		for _, e := range st.Columns {
			show(e)
		}
		show(st.Where)
		for _, a := range st.Actions {
			show(a.Target)
			if show(a.Value); a.Value != nil {
				_, _ = a.Value.Constant(params)
			}
		}
		for _, field := range st.Item {
			_, _ = field.Value.Constant(params)
		}
		if st.Table == "" {
			t.Fatalf("%q: a statement without a table", text)
		}
	})
}
