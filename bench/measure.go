package main

import (
	"fmt"
	"runtime"
	"slices"
	"time"
)

// sample is what one peer took in one pass, for one call.
type sample struct{ ns, bytes, allocs float64 }

// measured is one peer's samples of one row, one a pass.
type measured struct {
	peer    string
	samples []sample
}

// method says how a row is measured.
type method struct {
	// clock is what time is taken by.
	clock  func() time.Duration
	passes int
	// passTime is about what a peer takes in one pass, 0 for a single call.
	passTime time.Duration
}

var started = time.Now()

// wallTime returns the time since the start.
func wallTime() time.Duration { return time.Since(started) }

// measure runs calls in turns: each pass has all of them, and the one that
// starts changes from pass to pass.
func (m method) measure(names []string, calls []func() error) ([]measured, error) {
	times := make([]int, len(calls))
	out := make([]measured, len(calls))
	for i, call := range calls {
		n, err := m.calibrate(call)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", names[i], err)
		}
		times[i] = n
		out[i].peer = names[i]
	}
	for pass := range m.passes {
		for i := range calls {
			i = (i + pass) % len(calls)
			s, err := m.run(calls[i], times[i])
			if err != nil {
				return nil, fmt.Errorf("%s: %w", names[i], err)
			}
			out[i].samples = append(out[i].samples, s)
		}
	}
	return out, nil
}

// calibrate returns how many calls fill a pass.
func (m method) calibrate(call func() error) (int, error) {
	d := m.passTime
	for n := 1; ; n *= 2 {
		start := m.clock()
		for range n {
			if err := call(); err != nil {
				return 0, err
			}
		}
		if took := m.clock() - start; took >= d/4 {
			return max(1, int(float64(n)*float64(d)/float64(max(took, 1)))), nil
		}
	}
}

func (m method) run(call func() error, n int) (sample, error) {
	runtime.GC() // what the last peer left is not this one's to collect
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	start := m.clock()
	for range n {
		if err := call(); err != nil {
			return sample{}, err
		}
	}
	took := m.clock() - start
	runtime.ReadMemStats(&after)
	per := func(total uint64) float64 { return float64(total) / float64(n) }
	return sample{
		ns:     float64(took) / float64(n),
		bytes:  per(after.TotalAlloc - before.TotalAlloc),
		allocs: per(after.Mallocs - before.Mallocs),
	}, nil
}

// of returns one figure of each pass.
func (m measured) of(figure func(sample) float64) []float64 {
	out := make([]float64, len(m.samples))
	for i, s := range m.samples {
		out[i] = figure(s)
	}
	return out
}

func nanoseconds(s sample) float64 { return s.ns }
func heapBytes(s sample) float64   { return s.bytes }
func allocations(s sample) float64 { return s.allocs }

// ratios returns a figure of m to that of other, pass by pass.
func (m measured) ratios(other measured, figure func(sample) float64) []float64 {
	out := m.of(figure)
	for i, d := range other.of(figure) {
		out[i] /= d
	}
	return out
}

func median(values []float64) float64 {
	sorted := slices.Sorted(slices.Values(values))
	n := len(sorted)
	return (sorted[(n-1)/2] + sorted[n/2]) / 2
}
