package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"regexp"
	"runtime"
	"time"

	"github.com/dynorm/dynorm/local"
)

func main() {
	if err := compare(context.Background(), os.Args[1:], os.Stdout, os.Stderr); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// compare checks that all peers do the same, measures them and writes the
// tables to stdout and, where asked, to a file.
func compare(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	flags.SetOutput(stderr)
	passes := flags.Int("passes", 9, "`number` of passes over all peers")
	passTime := flags.Duration("time", 100*time.Millisecond, "processor `time` a peer takes in one pass")
	only := flags.String("run", "", "measure only rows that match the `regexp`")
	path := flags.String("out", "", "write the tables to this `file` too")
	if err := flags.Parse(args); err != nil {
		return err
	}
	chosen, err := regexp.Compile(*only)
	if err != nil {
		return err
	}

	engine, err := local.Open(ctx, local.Config{})
	if err != nil {
		return err
	}
	defer engine.Close()
	if err := checkEquivalence(ctx, engine.Client(), "bench"); err != nil {
		return fmt.Errorf("the peers differ: %w", err)
	}
	users := sampleUsers(pageSize)
	transport, err := newStub(ctx, users)
	if err != nil {
		return err
	}
	peers, err := peersOn(clientOn(transport), "bench")
	if err != nil {
		return err
	}
	if err := checkAnswers(ctx, peers, users); err != nil {
		return fmt.Errorf("the peers differ over the stub: %w", err)
	}

	// One processor: what a request costs, not what a machine can do.
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	r := report{passes: *passes}
	for _, row := range rows(ctx, users) {
		if !chosen.MatchString(row.name) {
			continue
		}
		fmt.Fprintln(stderr, "measuring", row.name)
		var (
			names []string
			calls []func() error
		)
		for _, p := range peers {
			names, calls = append(names, p.name), append(calls, row.call(p))
		}
		measured, err := measure(names, calls, *passes, *passTime)
		if err != nil {
			return fmt.Errorf("%s: %w", row.name, err)
		}
		r.add(row.name, measured)
	}
	tables := r.markdown()
	if _, err := io.WriteString(stdout, tables); err != nil {
		return err
	}
	if *path == "" {
		return nil
	}
	return os.WriteFile(*path, []byte(tables), 0o644)
}
