package dynorm_test

import (
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
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/dynorm/dynorm"
	"github.com/dynorm/dynorm/internal/golden"
	"github.com/dynorm/dynorm/testdata/models/seven"
)

func TestSevenModels(t *testing.T) {
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

// TestAccessPatternCalls checks that every example call compiles.
func TestAccessPatternCalls(t *testing.T) {
	schema, err := dynorm.NewSchema(append(seven.Models(), patternModels()...)...)
	require.NoError(t, err)
	models, err := os.ReadFile(filepath.Join("testdata", "models", "seven", "seven.go"))
	require.NoError(t, err)
	var b strings.Builder
	b.Write(models)
	b.WriteString("\nfunc calls(ctx context.Context, db *dynorm.DB) {\n")
	n := 0
	for _, p := range schema.AccessPatterns().Patterns {
		if !slices.ContainsFunc(seven.Models(), func(m any) bool { return fmt.Sprintf("%T", m) == "seven."+p.Entity }) && !strings.HasPrefix(p.Call, "db.Entity(") {
			continue // its type is not in the file
		}
		n++
		b.WriteString("\t{\n")
		declared := []string{"db", "ctx"}
		for _, found := range variables.FindAllStringSubmatch(p.Call, -1) {
			if name := found[1]; !slices.Contains(declared, name) {
				declared = append(declared, name)
				kind := "string"
				if name == "deletedAt" {
					kind = "time.Time"
				}
				fmt.Fprintf(&b, "\t\tvar %s %s\n", name, kind)
			}
		}
		fmt.Fprintf(&b, "\t\t_, _ = %s\n\t}\n", p.Call)
	}
	b.WriteString("}\n")
	require.GreaterOrEqual(t, n, 18)
	src := strings.Replace(b.String(), "import (", "import (\n\t\"context\"", 1)
	fset := token.NewFileSet()
	file, err := parser.ParseFile(fset, "calls.go", src, 0)
	require.NoError(t, err)
	conf := types.Config{Importer: exportImporter(t, fset)}
	_, err = conf.Check("seven", fset, []*ast.File{file}, nil)
	require.NoError(t, err, "%s", src)
}

// variables are the arguments of a call that are Go variables.
var variables = regexp.MustCompile(`[ (]([a-z]\w*)\b[,)}]`)

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
