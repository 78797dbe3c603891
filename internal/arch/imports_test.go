package arch

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const (
	module = "github.com/dynorm/dynorm"
	// top is the repository as these tests see it.
	top = "../.."
)

// goPackage is what go list says of a package, as far as the rules ask.
type goPackage struct {
	ImportPath string
	Standard   bool
	Imports    []string
	Module     *struct{ Path string }
}

// folder returns the package's folder in the repository, and whether it has
// one.
func folder(importPath string) (string, bool) {
	if importPath == module {
		return "", true
	}
	return strings.CutPrefix(importPath, module+"/")
}

// goList runs go list in the module at dir.
func goList(t *testing.T, dir string, arguments ...string) []goPackage {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "go", append([]string{"list", "-json=ImportPath,Standard,Imports,Module"}, arguments...)...)
	cmd.Dir = dir
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	require.NoError(t, err, "go list in %s: %s", dir, stderr.String())
	var packages []goPackage
	for d := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p goPackage
		err := d.Decode(&p)
		if errors.Is(err, io.EOF) {
			return packages
		}
		require.NoError(t, err)
		packages = append(packages, p)
	}
}

// modules returns the folders of the repository's modules.
func modules(t *testing.T) []string {
	t.Helper()
	var dirs []string
	walk(t, func(path string, entry os.DirEntry) {
		if entry.Name() == "go.mod" {
			dirs = append(dirs, filepath.Dir(path))
		}
	})
	require.Contains(t, dirs, top)
	return dirs
}

// complaint says why a package may not import another, or is empty.
func complaint(from, to string) string {
	edge := [2]string{from, to}
	if why := refusals[edge]; why != "" {
		return why
	}
	a, b := layerOf(from), layerOf(to)
	firstFrom, _, _ := strings.Cut(from, "/")
	firstTo, _, _ := strings.Cut(to, "/")
	// Packages below one public package are its own affair.
	sameTree := a == public && firstFrom == firstTo
	if slices.Contains(mayImport[a], b) || sameTree || exceptions[edge] != "" {
		return ""
	}
	return fmt.Sprintf("%s may not import %s", a, b)
}

func TestImportsPointOneWay(t *testing.T) {
	seen := 0
	for _, dir := range modules(t) {
		for _, p := range goList(t, dir, "./...") {
			from, ours := folder(p.ImportPath)
			require.True(t, ours, "%s is outside %s", p.ImportPath, module)
			seen++
			for _, path := range p.Imports {
				to, ours := folder(path)
				if !ours {
					continue
				}
				if why := complaint(from, to); why != "" {
					t.Errorf("%s imports %s: %s", p.ImportPath, path, why)
				}
			}
		}
	}
	require.Greater(t, seen, 5, "go list found too few packages to mean anything")
}

func TestComplaint(t *testing.T) {
	for _, c := range []struct {
		from, to string
		want     bool
	}{
		{"", "parser", false},
		{"", "internal/keytmpl", false},
		{"", "migrate", true},
		{"", "internal/cli", true},
		{"", "internal/testdb", true},
		{"parser", "internal/inflect", false},
		{"parser", "", true},
		{"parser/gosrc", "parser", false},
		{"migrate", "", false},
		{"migrate", "factory", true},
		{"seed", "factory", false},
		{"factory", "seed", true},
		{"local", "internal/engine", false},
		{"local", "", true},
		{"local/docker", "local", false},
		{"internal/keytmpl", "", true},
		{"internal/codec", "parser", false},
		{"internal/engine", "internal/engine/value", false},
		{"internal/engine", "local", true},
		{"internal/testdb", "local", false},
		{"internal/cli", "migrate", false},
		{"cmd/dynorm", "internal/cli", false},
		{"cmd/dynorm", "", true},
		{"examples/registry", "local", false},
		{"examples/registry", "internal/testdb", true},
	} {
		require.Equal(t, c.want, complaint(c.from, c.to) != "", "%q imports %q: %q", c.from, c.to, complaint(c.from, c.to))
	}
}

// mayDependOn lists the modules that the library brings into a user's program;
// a name that ends in a slash stands for all below it. The SDK's config and
// credentials, with their clients for single sign-on, are the user's to choose,
// and attributevalue, which brings the client of streams, is known by name.
var mayDependOn = []string{
	"github.com/aws/aws-sdk-go-v2",
	"github.com/aws/aws-sdk-go-v2/internal/",
	"github.com/aws/aws-sdk-go-v2/service/dynamodb",
	"github.com/aws/aws-sdk-go-v2/service/internal/",
	"github.com/aws/smithy-go",
	"github.com/google/uuid",
	"golang.org/x/sync",
}

func TestDependencies(t *testing.T) {
	packages := goList(t, top, "-deps", ".")
	require.Greater(t, len(packages), 50, "go list found too few packages to mean anything")
	for _, p := range packages {
		if p.Standard || p.Module.Path == module {
			continue
		}
		if !slices.ContainsFunc(mayDependOn, func(m string) bool {
			return p.Module.Path == m || strings.HasSuffix(m, "/") && strings.HasPrefix(p.Module.Path, m)
		}) {
			t.Errorf("the library depends on %s of module %s", p.ImportPath, p.Module.Path)
		}
	}
}

// A replace in the root module would hold in this repository and be ignored in
// everyone else's. Nested modules have one, to the root.
func TestRootModuleReplacesNothing(t *testing.T) {
	cmd := exec.CommandContext(t.Context(), "go", "mod", "edit", "-json")
	cmd.Dir = top
	out, err := cmd.Output()
	require.NoError(t, err)
	var mod struct {
		Module  struct{ Path string }
		Replace []json.RawMessage
	}
	require.NoError(t, json.Unmarshal(out, &mod))
	require.Equal(t, module, mod.Module.Path)
	require.Empty(t, mod.Replace)
}

// A program that looks up methods by a name which is not constant keeps every
// exported method of every type in it: with the SDK's client, those of all of
// DynamoDB's operations, which doubles its size. Templates do so.
func TestNoMethodsByName(t *testing.T) {
	read := 0
	for _, p := range goList(t, top, "-deps", ".") {
		require.NotContains(t, []string{"text/template", "html/template"}, p.ImportPath)
		path, ours := folder(p.ImportPath)
		if !ours {
			continue
		}
		files, err := filepath.Glob(filepath.Join(top, path, "*.go"))
		require.NoError(t, err)
		for _, file := range files {
			if strings.HasSuffix(file, "_test.go") {
				continue
			}
			text, err := os.ReadFile(file)
			require.NoError(t, err)
			require.NotContains(t, string(text), ".MethodByName(", file)
			read++
		}
	}
	require.Greater(t, read, 50, "too few files were read to mean anything")
}
