//go:build !unix

package main

import "time"

// processorTime returns the time since the start, the nearest thing to the
// processor's time that every system has.
func processorTime() time.Duration { return wallTime() }

// childrenTime is the same for child processes.
func childrenTime() time.Duration { return wallTime() }
