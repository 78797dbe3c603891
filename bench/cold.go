package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// coldPrograms are the programs of coldRow, in folders below cold, and what they
// stand for. The first is dynorm's.
var coldPrograms = []struct{ folder, peer string }{
	{"dynorm", nameOurs}, {"raw", nameRaw}, {"sdk", nameSDK},
}

// rowCold is the name of the row of coldRow.
const rowCold = "Cold start"

// coldPasses is how often each program runs at least: one run of a few
// milliseconds says little.
const coldPasses = 301

// coldRow builds a program for each peer that reads one item and ends, with the
// given flags of go build, and runs them.
func coldRow(passes int, flags ...string) row {
	return row{
		name: rowCold,
		note: fmt.Sprintf("Programs that read one item and end, built with `-trimpath -ldflags \"-s -w\"`. The\ntime is the processor's over the life of the process, in %d passes at least.", coldPasses),
		measure: func(ctx context.Context) (_ []measured, err error) {
			dir, err := os.MkdirTemp("", "cold")
			if err != nil {
				return nil, err
			}
			defer func() {
				if removed := os.RemoveAll(dir); err == nil {
					err = removed
				}
			}()
			var (
				names []string
				calls []func() error
				sizes []float64
			)
			for _, p := range coldPrograms {
				path := filepath.Join(dir, p.folder)
				size, err := build(ctx, path, "./cold/"+p.folder, flags...)
				if err != nil {
					return nil, err
				}
				names, sizes = append(names, p.peer), append(sizes, size)
				calls = append(calls, func() error { return runProgram(ctx, path) })
			}
			all, err := method{clock: childrenTime, passes: passes}.measure(names, calls)
			for i := range all {
				for j := range all[i].samples {
					all[i].samples[j].bytes = sizes[i]
				}
			}
			return all, err
		},
		table: coldTable,
	}
}

// build builds a program and returns the size of its binary.
func build(ctx context.Context, path, folder string, flags ...string) (float64, error) {
	cmd := exec.CommandContext(ctx, "go", append(append([]string{"build", "-o", path}, flags...), folder)...)
	if out, err := cmd.CombinedOutput(); err != nil {
		return 0, fmt.Errorf("go build %s: %w: %s", folder, err, out)
	}
	info, err := os.Stat(path)
	if err != nil {
		return 0, err
	}
	return float64(info.Size()), nil
}

// runProgram runs a program on one processor, as what it is compared to.
func runProgram(ctx context.Context, path string) error {
	cmd := exec.CommandContext(ctx, path)
	cmd.Env = append(os.Environ(), "GOMAXPROCS=1")
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w: %s", filepath.Base(path), err, out)
	}
	return nil
}
