//go:build unix

package main

import (
	"syscall"
	"time"
)

// processorTime returns the time that processors have spent on this process,
// garbage collection included. Unlike the clock it stands still while the
// machine does other things.
func processorTime() time.Duration { return usage(syscall.RUSAGE_SELF) }

// childrenTime returns the time that processors have spent on the processes
// that this one started and that have ended.
func childrenTime() time.Duration { return usage(syscall.RUSAGE_CHILDREN) }

func usage(who int) time.Duration {
	var usage syscall.Rusage
	if err := syscall.Getrusage(who, &usage); err != nil {
		panic(err) // only for a bad argument
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}
