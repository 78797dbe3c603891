//go:build unix

package local_test

import (
	"syscall"
	"time"
)

// cpuTime returns the processor time that the process has taken so far.
func cpuTime() time.Duration {
	var r syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &r) != nil {
		return 0
	}
	return time.Duration(r.Utime.Nano() + r.Stime.Nano())
}
