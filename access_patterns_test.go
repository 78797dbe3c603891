package dynorm_test

import (
	"cmp"
	"fmt"
	"go/ast"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/dynorm/dynorm"
	"github.com/dynorm/dynorm/internal/golden"
	definition "github.com/dynorm/dynorm/parser"
	"github.com/dynorm/dynorm/testdata/models/forge"
	"github.com/dynorm/dynorm/testdata/models/saas"
	"github.com/dynorm/dynorm/testdata/models/seven"
)

func TestAccessPatternsOfSevenModels(t *testing.T) {
	schema, err := dynorm.NewSchema(seven.Models()...)
	require.NoError(t, err)
	f := golden.Open(t, filepath.Join("testdata", "derivation", "seven.txtar"))
	f.Explain(t, "seven models with every common relation: what their schema is and answers")
	f.Compare(t, "explain", schema.Explain())
	f.Compare(t, "lock", string(schema.Lock().JSON()))
	patterns := schema.AccessPatterns()
	f.Compare(t, "patterns", patterns.Markdown())
	f.Compare(t, "json", string(patterns.JSON()))
	f.Compare(t, "diagram", schema.Mermaid())
	f.Only(t, "explain", "lock", "patterns", "json", "diagram")
	require.Len(t, schema.TableDefinition().GlobalSecondaryIndexes, 2, "User and Comment need two each")
	for _, p := range patterns.Patterns {
		require.NotContains(t, p.Call, "Scan")
	}
}

// TestAccessPatternDocument keeps docs/access-patterns.md true.
func TestAccessPatternDocument(t *testing.T) {
	schema, err := dynorm.NewSchema(seven.Models()...)
	require.NoError(t, err)
	patterns := schema.AccessPatterns()
	path := filepath.Join("docs", "access-patterns.md")
	data, err := os.ReadFile(path)
	require.NoError(t, err)
	text := string(data)
	for name, want := range map[string]string{
		"patterns": strings.TrimPrefix(patterns.Markdown(), "# Access patterns\n\n"),
		"diagram":  "```mermaid\n" + schema.Mermaid() + "```\n",
		"explain":  "```\n" + schema.Explain() + "```\n",
	} {
		begin, end := "<!-- "+name+" -->\n", "<!-- end of "+name+" -->\n"
		i, j := strings.Index(text, begin), strings.Index(text, end)
		require.True(t, i >= 0 && j > i, "the document has no part %q", name)
		i += len(begin)
		if text[i:j] != want && golden.Updating() {
			text = text[:i] + want + text[j:]
			require.NoError(t, os.WriteFile(path, []byte(text), 0o644))
			continue
		}
		require.Equal(t, want, text[i:j], "run with -update")
	}
}

// TestAccessPatternCalls checks that every example call compiles, beside the
// models it is about.
func TestAccessPatternCalls(t *testing.T) {
	fset := token.NewFileSet()
	imports := exportImporter(t, fset)
	calls := 0
	for path, models := range map[string][]any{
		"testdata/models/seven/seven.go": seven.Models(), "testdata/models/forge/forge.go": forge.Models(),
		"testdata/models/saas/saas.go": saas.Models(), "models_test.go": patternModels(),
	} {
		schema, err := dynorm.NewSchema(models...)
		require.NoError(t, err)
		src, err := os.ReadFile(filepath.FromSlash(path))
		require.NoError(t, err)
		var b strings.Builder
		b.Write(src)
		defs := schema.Entities()
		for i, p := range schema.AccessPatterns().Patterns {
			def := defs[slices.IndexFunc(defs, func(d definition.Entity) bool { return d.Name == p.Entity })]
			fmt.Fprintf(&b, "\nfunc call%d(ctx context.Context, db *dynorm.DB", i)
			for _, name := range identifiers(t, p.Call) {
				fmt.Fprintf(&b, ", %s %s", name, goType(t, def, p, name))
			}
			fmt.Fprintf(&b, ") {\n\t_, _ = %s\n}\n", p.Call)
			calls++
		}
		text := strings.Replace(b.String(), "import (", "import (\n\t\"context\"", 1)
		file, err := parser.ParseFile(fset, path, text, 0)
		require.NoError(t, err)
		conf := types.Config{Importer: imports}
		_, err = conf.Check(path, fset, []*ast.File{file}, nil)
		require.NoError(t, err, "%s", text)
	}
	t.Logf("%d calls compile", calls)
}

// identifiers lists the variables of a call that it is given, beside ctx and db.
func identifiers(t *testing.T, call string) (names []string) {
	expr, err := parser.ParseExpr(call)
	require.NoError(t, err, call)
	ast.Inspect(expr, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.SelectorExpr:
			if x, ok := n.X.(*ast.Ident); ok && (x.Name == "dynorm" || x.Name == "db") {
				return false
			}
		case *ast.IndexExpr: // of a type
			return false
		case *ast.CompositeLit:
			for _, elt := range n.Elts {
				names = append(names, elt.(*ast.KeyValueExpr).Value.(*ast.Ident).Name)
			}
			return false
		case *ast.Ident:
			if n.Name != "ctx" && n.Name != "db" && !slices.Contains(names, n.Name) {
				names = append(names, n.Name)
			}
		}
		return true
	})
	return slices.DeleteFunc(names, func(name string) bool { return methods[name] })
}

// methods are the names in a call that are no variables.
var methods = map[string]bool{
	"Where": true, "Query": true, "Index": true, "Hydrate": true, "OrderBy": true, "OrderByDesc": true, "OnlyTrashed": true,
	"Load": true, "List": true, "Find": true, "Get": true, "FindBy": true, "First": true,
}

// goType is the type of the field that a variable is named after.
func goType(t *testing.T, def definition.Entity, p dynorm.AccessPattern, variable string) string {
	for _, attr := range p.Fields {
		if f, ok := def.Field(attr); ok && strings.EqualFold(f.Attr, variable) {
			return cmp.Or(f.Type.Go, string(f.Type.Kind))
		}
	}
	require.Fail(t, "no field gives the variable", "%s in %s", variable, p.Call)
	return ""
}

// exportImporter imports packages from what the go command has built.
func exportImporter(t *testing.T, fset *token.FileSet) types.Importer {
	t.Helper()
	out, err := exec.Command("go", "list", "-export", "-deps", "-f", "{{if .Export}}{{.ImportPath}} {{.Export}}{{end}}", ".").Output()
	require.NoError(t, err)
	files := map[string]string{}
	for line := range strings.Lines(string(out)) {
		path, file, _ := strings.Cut(strings.TrimSpace(line), " ")
		files[path] = file
	}
	return importer.ForCompiler(fset, "gc", func(path string) (io.ReadCloser, error) { return os.Open(files[path]) })
}
