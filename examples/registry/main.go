// Command registry loads a real package registry, the libraries and tools of a
// Debian release, into one table and answers questions about it, each with the
// number of requests it took.
//
// It runs on the embedded engine, or on the DynamoDB Local whose endpoint is
// given.
package main

import (
	"bufio"
	"bytes"
	"context"
	_ "embed"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"log"
	"os"
	"os/signal"
	"slices"
	"strings"
	"sync/atomic"

	"github.com/dynorm/dynorm"
	"github.com/dynorm/dynorm/local"
)

//go:embed testdata/debian-packages.jsonl
var packagesJSONL []byte

// lock keeps index entries where they are, whatever the models become. Its test
// rewrites it with -update.
//
//go:embed dynorm.lock.json
var lock []byte

func main() {
	endpoint := flag.String("endpoint", "", "endpoint of a running DynamoDB Local; empty for the embedded engine")
	table := flag.String("table", "registry", "name of the table")
	explain := flag.Bool("explain", false, "print how each query is planned")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, os.Stdout, *endpoint, *table, *explain); err != nil {
		stop()
		log.Fatal(err)
	}
}

func run(ctx context.Context, out io.Writer, endpoint, table string, explain bool) error {
	engine, err := local.Open(ctx, local.Config{Endpoint: endpoint})
	if err != nil {
		return err
	}
	defer engine.Close()
	r, err := openRegistry(engine.Client(), table)
	if err != nil {
		return err
	}
	r.explain = explain
	if err := r.db.CreateTable(ctx); err != nil {
		return err
	}
	sources, packages, edges, err := readPackages(bytes.NewReader(packagesJSONL))
	if err != nil {
		return err
	}
	if err := r.load(ctx, sources, packages, edges); err != nil {
		return err
	}
	fmt.Fprintf(out, "loaded %d sources, %d packages and %d dependencies in %d requests\n",
		len(sources), len(packages), len(edges), r.requests())
	return r.answer(ctx, out)
}

// registry is the table with a count of the requests sent.
type registry struct {
	db       *dynorm.DB
	sources  dynorm.Model[Source]
	packages dynorm.Model[Package]
	edges    dynorm.Model[Dependency]
	sent     atomic.Int64
	explain  bool
}

func newSchema() (*dynorm.Schema, error) {
	return dynorm.NewSchema(dynorm.SchemaConfig{Lock: lock}, Source{}, Package{}, Dependency{})
}

func openRegistry(client dynorm.Client, table string) (*registry, error) {
	schema, err := newSchema()
	if err != nil {
		return nil, err
	}
	r := &registry{}
	r.db, err = dynorm.Open(client, schema, dynorm.Config{Table: table, Interceptors: []dynorm.Interceptor{r.count}})
	if err != nil {
		return nil, err
	}
	r.sources = dynorm.ModelOf[Source](r.db)
	r.packages = dynorm.ModelOf[Package](r.db)
	r.edges = dynorm.ModelOf[Dependency](r.db)
	return r, nil
}

func (r *registry) count(ctx context.Context, op *dynorm.Operation,
	next func(context.Context, *dynorm.Operation) (*dynorm.Result, error),
) (*dynorm.Result, error) {
	r.sent.Add(1)
	return next(ctx, op)
}

// requests returns the number of requests since the last call.
func (r *registry) requests() int64 { return r.sent.Swap(0) }

func (r *registry) load(ctx context.Context, sources []*Source, packages []*Package, edges []*Dependency) error {
	if err := r.sources.PutMany(ctx, sources...); err != nil {
		return err
	}
	if err := r.packages.PutMany(ctx, packages...); err != nil {
		return err
	}
	return r.edges.PutMany(ctx, edges...)
}

// answer prints what the registry knows.
func (r *registry) answer(ctx context.Context, out io.Writer) error {
	section := func(title string) { fmt.Fprintf(out, "\n%s\n", title) }
	cost := func() { fmt.Fprintf(out, "  (requests: %d)\n", r.requests()) }

	section("package openssl")
	p, err := r.packages.Find(ctx, "openssl")
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "  %s %s from %s, %d KiB installed\n", p.Name, p.Version, p.SourceName, p.InstalledKiB)
	cost()

	section("packages built from source util-linux")
	bySource := r.packages.Where(PackageSource.Eq("util-linux"))
	if err := explain(r, out, bySource); err != nil {
		return err
	}
	names, err := PackageName.Pluck(ctx, bySource)
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "  %s\n", strings.Join(names, " "))
	cost()

	libs := r.packages.Where(PackageSection.Eq("libs"))
	section("largest packages of section libs")
	largest := libs.OrderByDesc("installedKiB").Limit(10)
	if err := explain(r, out, largest); err != nil {
		return err
	}
	for p, err := range largest.All(ctx) {
		if err != nil {
			return err
		}
		fmt.Fprintf(out, "  %7d KiB  %s\n", p.InstalledKiB, p.Name)
	}
	cost()

	section("packages in section libs")
	if err := explain(r, out, libs); err != nil {
		return err
	}
	n, err := libs.Count(ctx)
	if err != nil {
		return err
	}
	kib, err := PackageInstalled.Sum(ctx, libs)
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "  %d\n  %d KiB installed\n", n, kib)
	cost()

	section("packages of sections libs and utils from 50 to 60 MiB")
	between := r.packages.Where(PackageSection.In("libs", "utils"), PackageInstalled.Between(50<<10, 60<<10)).OrderBy("installedKiB")
	if err := explain(r, out, between); err != nil {
		return err
	}
	for p, err := range between.All(ctx) {
		if err != nil {
			return err
		}
		fmt.Fprintf(out, "  %7d KiB  %s (%s)\n", p.InstalledKiB, p.Name, p.Section)
	}
	cost()

	section("what openssl depends on")
	dependencies := r.edges.Where(DependencyFrom.Eq("openssl"))
	if err := explain(r, out, dependencies); err != nil {
		return err
	}
	for d, err := range dependencies.All(ctx) {
		if err != nil {
			return err
		}
		fmt.Fprintf(out, "  %s\n", d.To)
	}
	cost()

	section("what depends on libc6, in pages of 500")
	dependents := r.edges.Where(DependencyTo.Eq("libc6")).Limit(500)
	if err := explain(r, out, dependents); err != nil {
		return err
	}
	total := 0
	for page, err := range dependents.Pages(ctx) {
		if err != nil {
			return err
		}
		total += len(page.Items)
		fmt.Fprintf(out, "  %d packages, %s to %s\n", len(page.Items), page.Items[0].From, page.Items[len(page.Items)-1].From)
	}
	fmt.Fprintf(out, "  %d in all\n", total)
	cost()
	return nil
}

// explain prints how a query will run, where that was asked for.
func explain[T any](r *registry, out io.Writer, q dynorm.Query[T]) error {
	if !r.explain {
		return nil
	}
	plan, err := q.Explain()
	if err != nil {
		return err
	}
	for line := range strings.Lines(plan.String()) {
		fmt.Fprint(out, "  | ", line)
	}
	return nil
}

// readPackages reads one package a line.
func readPackages(in io.Reader) (sources []*Source, packages []*Package, edges []*Dependency, err error) {
	bySource := map[string]*Source{}
	lines := bufio.NewScanner(in)
	lines.Buffer(nil, 1<<20)
	for n := 1; lines.Scan(); n++ {
		var row struct {
			Name, Version, Source, Section, Priority, Arch string
			InstalledKiB, SizeBytes                        int64
			Depends                                        []string
		}
		if err := json.Unmarshal(lines.Bytes(), &row); err != nil {
			return nil, nil, nil, fmt.Errorf("line %d: %w", n, err)
		}
		packages = append(packages, &Package{
			Name: row.Name, Version: row.Version, SourceName: row.Source, Section: row.Section,
			Priority: row.Priority, Arch: row.Arch, InstalledKiB: row.InstalledKiB, SizeBytes: row.SizeBytes,
		})
		if bySource[row.Source] == nil {
			bySource[row.Source] = &Source{Name: row.Source}
			sources = append(sources, bySource[row.Source])
		}
		bySource[row.Source].Packages++
		slices.Sort(row.Depends)
		for _, to := range slices.Compact(row.Depends) {
			edges = append(edges, &Dependency{From: row.Name, To: to})
		}
	}
	return sources, packages, edges, lines.Err()
}
