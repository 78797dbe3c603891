//go:build !unix

package main

import "time"

var started = time.Now()

// processorTime returns the time since the start, the nearest thing to the
// processor's time that every system has.
func processorTime() time.Duration { return time.Since(started) }
