package local

import (
	"context"
	"errors"
	"math/rand/v2"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/dynorm/dynorm/internal/engine"
)

// door is what every request goes through on its way to the backend: there it
// is recorded, and there faults hit it.
type door struct {
	backend backend
	setting *atomic.Pointer[setting] // of nil when there is nothing to do; all regions share it

	mu     sync.Mutex // for what follows
	random *rand.Rand
}

// setting is the faults and recorders in force. It never changes.
type setting struct {
	orders    []*order
	recorders []*Recorder
}

func newDoor(b backend, seed uint64) *door {
	return &door{backend: b, setting: new(atomic.Pointer[setting]), random: rand.New(rand.NewPCG(seed, 0x64796e6f726d))}
}

// to returns a door to another backend at which the same faults and recorders
// are in force.
func (d *door) to(b backend, seed uint64) *door {
	other := newDoor(b, seed)
	other.setting = d.setting
	return other
}

// change replaces the setting by a changed copy.
func (d *door) change(edit func(*setting)) {
	d.mu.Lock()
	defer d.mu.Unlock()
	var next setting
	if s := d.setting.Load(); s != nil {
		next = setting{slices.Clone(s.orders), slices.Clone(s.recorders)}
	}
	edit(&next)
	if len(next.orders)+len(next.recorders) == 0 {
		d.setting.Store(nil)
		return
	}
	d.setting.Store(&next)
}

// refuse returns why the embedded engine does not let a request in, or nil.
func (d *door) refuse(r *http.Request, body []byte) *engine.Fault {
	if b, ok := d.backend.(embedded); ok && b.guard != nil {
		return b.guard.check(r, body)
	}
	return nil
}

func (d *door) close() { d.backend.close() }

var errLost = errors.New("connection reset by peer (the answer was lost on order)")

// do passes a request on to the backend.
func (d *door) do(ctx context.Context, operation string, header http.Header, body []byte) (answer, error) {
	s := d.setting.Load()
	if s == nil {
		return d.backend.do(ctx, operation, header, body)
	}
	a, err := d.faulty(ctx, s, operation, header, body)
	for _, r := range s.recorders {
		r.add(Request{operation, string(body), a.status, string(a.body)})
	}
	return a, err
}

func (d *door) faulty(ctx context.Context, s *setting, operation string, header http.Header, body []byte) (answer, error) {
	if o := d.hit(s, Latency, operation); o != nil {
		timer := time.NewTimer(o.Delay)
		defer timer.Stop()
		select {
		case <-timer.C:
		case <-ctx.Done():
			return answer{}, ctx.Err()
		}
	}
	if d.hit(s, Throttle, operation) != nil {
		return answerOf(nil, engine.Throttled), nil
	}
	if d.hit(s, InternalError, operation) != nil {
		return answerOf(nil, engine.Internal), nil
	}
	lost := d.hit(s, LostResponse, operation) != nil
	a, err := d.backend.do(ctx, operation, header, body)
	if lost && err == nil {
		return answer{}, errLost
	}
	return a, err
}

// hit returns the order, if any, that this request falls to.
func (d *door) hit(s *setting, kind FaultKind, operation string) *order {
	for _, o := range s.orders {
		if o.Kind != kind || (len(o.Operations) > 0 && !slices.Contains(o.Operations, operation)) {
			continue
		}
		if o.Rate < 1 && !d.chance(o.Rate) {
			continue
		}
		if o.Times > 0 && o.left.Add(-1) < 0 {
			continue
		}
		return o
	}
	return nil
}

func (d *door) chance(rate float64) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.random.Float64() < rate
}

// mishaps are the faults that only the engine can bring about.
func (d *door) mishaps() engine.Mishaps {
	happens := func(kind FaultKind, operation string) *order {
		s := d.setting.Load()
		if s == nil {
			return nil
		}
		return d.hit(s, kind, operation)
	}
	return engine.Mishaps{
		IndexDelay: func(operation string) time.Duration {
			if o := happens(IndexDelay, operation); o != nil {
				return o.Delay
			}
			return 0
		},
		Unprocessed: func(operation string) bool { return happens(Unprocessed, operation) != nil },
		Conflict:    func(operation string) bool { return happens(Conflict, operation) != nil },
	}
}
