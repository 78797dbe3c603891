package main

import (
	"context"
	"errors"
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
	if err := run(context.Background(), os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// run is the comparison, or the server of one.
func run(ctx context.Context, args []string) error {
	if len(args) == 1 && args[0] == serverCommand {
		return serve(ctx, os.Stdin, os.Stdout)
	}
	return compare(ctx, args, os.Stdout, os.Stderr)
}

// compare checks that all peers do the same, measures them and writes the
// tables to stdout and, where asked, to a file.
func compare(ctx context.Context, args []string, stdout, stderr io.Writer) (err error) {
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	flags.SetOutput(stderr)
	passes := flags.Int("passes", 9, "`number` of passes over all peers")
	passTime := flags.Duration("time", 100*time.Millisecond, "processor `time` a peer takes in one pass")
	many := flags.Int("items", 10_000, "`number` of items that the rows over loopback read, 1,000 at least")
	only := flags.String("run", "", "measure only rows that match the `regexp`")
	path := flags.String("out", "", "write the tables to this `file` too")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if *many < batchUsers {
		return fmt.Errorf("-items is %d: give %d or more", *many, batchUsers)
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
	if err := checkEquivalence(ctx, engine.Client(), tableName); err != nil {
		return fmt.Errorf("the peers differ: %w", err)
	}
	s, err := newSuite(ctx, method{processorTime, *passes, *passTime}, *many)
	if err != nil {
		return fmt.Errorf("the peers differ over the stub: %w", err)
	}
	defer func() { err = errors.Join(err, s.stop()) }()

	// One processor: what a request costs, not what a machine can do.
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	r := report{passes: *passes}
	for _, row := range s.rows() {
		if !chosen.MatchString(row.name) {
			continue
		}
		fmt.Fprintln(stderr, "measuring", row.name)
		figures, err := row.measure(ctx)
		if err != nil {
			return fmt.Errorf("%s: %w", row.name, err)
		}
		r.add(row, figures)
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
