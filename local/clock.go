package local

import (
	"sync"
	"sync/atomic"
	"time"
)

// Clock is a clock that tests can move. The zero value runs with the
// machine's. It is safe for concurrent use.
type Clock struct {
	mu     sync.Mutex
	offset atomic.Int64 // nanoseconds ahead of the machine's clock
	frozen atomic.Pointer[time.Time]
}

// Now returns the clock's time.
func (c *Clock) Now() time.Time {
	if t := c.frozen.Load(); t != nil {
		return *t
	}
	return time.Now().Add(time.Duration(c.offset.Load()))
}

// Advance moves the clock forward by d (backward if negative).
func (c *Clock) Advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if t := c.frozen.Load(); t != nil {
		moved := t.Add(d)
		c.frozen.Store(&moved)
		return
	}
	c.offset.Add(int64(d))
}

// Set stops the clock at t. It then moves with Advance and Set alone.
func (c *Clock) Set(t time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.frozen.Store(&t)
}
