// Command difffuzz compares the embedded engine with DynamoDB Local on random
// requests and prints what differs.
package main

import (
	"context"
	"flag"
	"fmt"
	"maps"
	"os"
	"os/signal"
	"slices"

	"github.com/dynorm/dynorm/internal/conformance"
	"github.com/dynorm/dynorm/internal/conformance/difffuzz"
)

func main() {
	var (
		n        = flag.Int("n", 10000, "how many requests to compare")
		seed     = flag.Uint64("seed", 1, "seed of the requests; the same seed makes the same ones")
		endpoint = flag.String("endpoint", os.Getenv("DYNORM_TEST_ENDPOINT"), "where DynamoDB Local listens")
		findings = flag.Int("findings", 50, "stop after so many different findings")
		first    = flag.Int("first", 0, "round to begin with, to repeat a finding")
		length   = flag.Int("round", 300, "requests on one set of tables")
	)
	statements := flag.Int("partiql", 15, "how many of a hundred requests are PartiQL's; negative means none")
	streams := flag.Int("streams", 5, "how many of a hundred requests are of the API of streams; negative means none, but for reads of whole streams")
	list := flag.Bool("list", false, "print the listed differences as a Markdown table, and do nothing else")
	flag.Parse()
	if *list {
		fmt.Print(difffuzz.Table())
		return
	}
	if *endpoint == "" {
		fmt.Fprintln(os.Stderr, "difffuzz: -endpoint or DYNORM_TEST_ENDPOINT must say where DynamoDB Local listens")
		os.Exit(2)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	embedded, err := conformance.EmbeddedEndpoint(ctx)
	if err != nil {
		fmt.Fprintln(os.Stderr, "difffuzz:", err)
		os.Exit(2)
	}
	report, err := difffuzz.Run(ctx, difffuzz.Config{
		Local:       conformance.URLEndpoint("DynamoDB Local", *endpoint),
		Engine:      embedded,
		Seed:        *seed,
		Requests:    *n,
		First:       *first,
		RoundLength: *length,
		MaxFindings: *findings,
		Statements:  *statements,
		Streams:     *streams,
		Log:         os.Stdout,
	})
	fmt.Printf("\n%d requests compared, %d of them refused\n", report.Requests, report.Failed)
	for _, op := range slices.Sorted(maps.Keys(report.Ops)) {
		fmt.Printf("  %7d %s\n", report.Ops[op], op)
	}
	fmt.Println("differences listed:")
	for _, name := range slices.Sorted(maps.Keys(report.Allowed)) {
		fmt.Printf("  %7d %s\n", report.Allowed[name], name)
	}
	fmt.Printf("differences not listed: %d\n", len(report.Findings))
	for _, f := range report.Findings {
		fmt.Printf("  %7d times: %s | %s\n", f.Times, f.Local, f.Engine)
	}
	switch {
	case err != nil:
		fmt.Fprintln(os.Stderr, "difffuzz:", err)
		os.Exit(2)
	case len(report.Findings) > 0:
		os.Exit(1)
	}
}
