package engine

import (
	"runtime"
	"sync"
)

// lock is an RWMutex whose holders are soon done. Who finds it taken tries again
// for a while and lets others run before sleeping: a sync.RWMutex sleeps at once
// where goroutines wait for the processor, and of many that write at once each
// would be put to sleep and woken for every request.
type lock struct{ sync.RWMutex }

// How often a lock is tried before others run, and how often that is done before
// sleeping.
const (
	lockTries  = 50
	lockYields = 200
)

func (l *lock) Lock() {
	if !soon(l.TryLock) {
		l.RWMutex.Lock()
	}
}

func (l *lock) RLock() {
	if !soon(l.TryRLock) {
		l.RWMutex.RLock()
	}
}

// soon reports whether try succeeds in a while.
func soon(try func() bool) bool {
	for range lockYields {
		for range lockTries {
			if try() {
				return true
			}
		}
		runtime.Gosched()
	}
	return false
}
