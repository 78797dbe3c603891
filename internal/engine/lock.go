package engine

import (
	"runtime"
	"sync"
)

// lock is an RWMutex whose holders are soon done. Who finds it taken tries again
// for a while and lets others run before sleeping: a sync.RWMutex does so only
// where nothing else waits for the processor, and of many goroutines that write
// at once each would be put to sleep and woken for every request.
type lock struct{ sync.RWMutex }

// How often a lock is tried before others run, which is for some microseconds,
// and how often that is done before sleeping.
const (
	lockTries  = 50
	lockYields = 200
)

func (l *lock) Lock() {
	for range lockYields {
		for range lockTries {
			if l.TryLock() {
				return
			}
		}
		runtime.Gosched()
	}
	l.RWMutex.Lock()
}

func (l *lock) RLock() {
	for range lockYields {
		for range lockTries {
			if l.TryRLock() {
				return
			}
		}
		runtime.Gosched()
	}
	l.RWMutex.RLock()
}
