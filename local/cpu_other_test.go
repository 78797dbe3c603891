//go:build !unix

package local_test

import "time"

// cpuTime returns zero where the processor time of a process is not known.
func cpuTime() time.Duration { return 0 }
