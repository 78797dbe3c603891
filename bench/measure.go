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

// measure runs calls in turns: in each pass every call takes about passTime of
// the processor, and the one that starts changes from pass to pass.
func measure(names []string, calls []func() error, passes int, passTime time.Duration) ([]measured, error) {
	times := make([]int, len(calls))
	out := make([]measured, len(calls))
	for i, call := range calls {
		n, err := calibrate(call, passTime)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", names[i], err)
		}
		times[i] = n
		out[i].peer = names[i]
	}
	for pass := range passes {
		for i := range calls {
			i = (i + pass) % len(calls)
			s, err := run(calls[i], times[i])
			if err != nil {
				return nil, fmt.Errorf("%s: %w", names[i], err)
			}
			out[i].samples = append(out[i].samples, s)
		}
	}
	return out, nil
}

// calibrate returns how many calls fill d.
func calibrate(call func() error, d time.Duration) (int, error) {
	for n := 1; ; n *= 2 {
		start := processorTime()
		for range n {
			if err := call(); err != nil {
				return 0, err
			}
		}
		if took := processorTime() - start; took > d/4 {
			return max(1, int(float64(n)*float64(d)/float64(took))), nil
		}
	}
}

func run(call func() error, n int) (sample, error) {
	runtime.GC() // what the last peer left is not this one's to collect
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	start := processorTime()
	for range n {
		if err := call(); err != nil {
			return sample{}, err
		}
	}
	took := processorTime() - start
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
