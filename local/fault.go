package local

import (
	"errors"
	"fmt"
	"slices"
	"sync/atomic"
	"time"
)

// FaultKind is a way in which requests fail.
type FaultKind int

// The kinds of faults.
const (
	// Throttle answers ProvisionedThroughputExceededException, and does
	// nothing.
	Throttle FaultKind = iota + 1
	// Unprocessed leaves parts of BatchGetItem and BatchWriteItem undone. The
	// rate is that of keys and writes, not of requests.
	Unprocessed
	// Conflict lets a single write fail with TransactionConflictException, and
	// cancels transactions with TransactionConflict as a reason. The rate is
	// that of writes and actions.
	Conflict
	// InternalError answers InternalServerError (500), and does nothing.
	InternalError
	// LostResponse does what was asked, and breaks the connection instead of
	// answering.
	LostResponse
	// Latency holds requests up, for as long as Fault.Delay.
	Latency
	// IndexDelay holds up the changes of global secondary indexes, for as long
	// as Fault.Delay of the engine's clock.
	IndexDelay
)

var faultNames = map[FaultKind]string{
	Throttle: "throttle", Unprocessed: "unprocessed", Conflict: "conflict", InternalError: "internal error",
	LostResponse: "lost response", Latency: "latency", IndexDelay: "index delay",
}

// String returns the kind's name.
func (k FaultKind) String() string { return faultNames[k] }

// Fault is an order to let requests fail.
type Fault struct {
	// Kind is what goes wrong.
	Kind FaultKind
	// Operations are the API's names of the operations to hit. Defaults to all
	// that the kind fits.
	Operations []string
	// Rate is the share of them to hit, from 0 to 1, chosen at random from
	// Config.Seed. Defaults to 1, all.
	Rate float64
	// Times is how many to hit at most. Defaults to no limit.
	Times int
	// Delay is the time that Latency and IndexDelay take.
	Delay time.Duration
}

// order is a Fault in force.
type order struct {
	Fault
	left atomic.Int64 // hits to come, when Times is set
}

// Inject puts faults in force until stop is called. The error is that of a
// fault that makes no sense, or [ErrNotEmbedded].
func (e *Engine) Inject(faults ...Fault) (stop func(), err error) {
	if e.embedded == nil {
		return nil, ErrNotEmbedded
	}
	var orders []*order
	for _, f := range faults {
		switch delayed := f.Kind == Latency || f.Kind == IndexDelay; {
		case faultNames[f.Kind] == "":
			return nil, fmt.Errorf("local: unknown kind of fault %d", int(f.Kind))
		case f.Rate < 0 || f.Rate > 1:
			return nil, fmt.Errorf("local: the rate of a fault is from 0 to 1, not %v", f.Rate)
		case delayed != (f.Delay > 0):
			return nil, errors.New("local: Fault.Delay is for Latency and IndexDelay, which need it")
		}
		if f.Rate == 0 {
			f.Rate = 1
		}
		f.Operations = slices.Clone(f.Operations)
		o := &order{Fault: f}
		o.left.Store(int64(f.Times))
		orders = append(orders, o)
	}
	e.door.change(func(s *setting) { s.orders = append(s.orders, orders...) })
	return func() {
		e.door.change(func(s *setting) {
			s.orders = slices.DeleteFunc(s.orders, func(o *order) bool { return slices.Contains(orders, o) })
		})
	}, nil
}
