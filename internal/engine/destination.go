package engine

import (
	"slices"
	"time"

	"github.com/dynorm/dynorm/internal/engine/wire"
)

const maxDestinations = 2

// destination is a Kinesis data stream that a table's changes would go to. It
// is kept and described; nothing is sent.
type destination struct {
	stream    string
	precision string
	enabled   bool
	from      string    // the state until then
	settled   time.Time // when it is what it was asked to be
}

func (d destination) status(now time.Time) string {
	switch {
	case d.settled.After(now):
		return d.from
	case d.enabled:
		return statusActive
	}
	return "DISABLED"
}

// destinationChange is one of the operations that change a destination.
type destinationChange struct {
	class, config string // names of the request and its configuration
	passing       string // the state in between
	change        func(d *destination, found bool, now time.Time) error
}

var (
	enableDestination = destinationChange{
		"EnableKinesisStreamingDestinationInput", "EnableKinesisStreamingConfiguration", "ENABLING",
		func(d *destination, found bool, now time.Time) error {
			if found && d.status(now) != "DISABLED" {
				return invalid("Table is not in a valid state to enable Kinesis Streaming Destination: KinesisStreamingDestination must be DISABLED or ENABLE_FAILED to perform ENABLE operation.")
			}
			d.enabled = true
			return nil
		},
	}
	disableDestination = destinationChange{
		"DisableKinesisStreamingDestinationInput", "EnableKinesisStreamingConfiguration", "DISABLING",
		func(d *destination, found bool, now time.Time) error {
			if !found || d.status(now) != statusActive {
				return invalid("Table is not in a valid state to disable Kinesis Streaming Destination: KinesisStreamingDestination must be ACTIVE to perform DISABLE operation.")
			}
			d.enabled = false
			return nil
		},
	}
	updateDestination = destinationChange{
		"UpdateKinesisStreamingDestinationInput", "UpdateKinesisStreamingConfiguration", statusUpdating,
		func(d *destination, found bool, now time.Time) error {
			if !found || d.status(now) != statusActive {
				return invalid("Table is not in a valid state to update Kinesis Streaming Destination: KinesisStreamingDestination must be ACTIVE to perform UPDATE operation.")
			}
			return nil
		},
	}
)

func (e *Engine) enableKinesisStreamingDestination(r *wire.Reader) ([]byte, error) {
	return e.changeDestination(r, enableDestination)
}

func (e *Engine) disableKinesisStreamingDestination(r *wire.Reader) ([]byte, error) {
	return e.changeDestination(r, disableDestination)
}

func (e *Engine) updateKinesisStreamingDestination(r *wire.Reader) ([]byte, error) {
	return e.changeDestination(r, updateDestination)
}

func (e *Engine) changeDestination(r *wire.Reader, c destinationChange) ([]byte, error) {
	var table, stream, precision wire.Text
	err := decode(r, c.class, func(name string) {
		switch name {
		case "TableName":
			table = r.Text()
		case "StreamArn":
			stream = r.Text()
		case c.config:
			r.Struct(c.config, func(name string) {
				if name == "ApproximateCreationDateTimePrecision" {
					precision = r.Text()
					return
				}
				r.Skip()
			})
		default:
			r.Skip()
		}
	})
	if err != nil {
		return nil, err
	}
	var s shape
	s.enum(precision, lowerFirst(c.config)+".approximateCreationDateTimePrecision", "MILLISECOND", "MICROSECOND")
	s.arn(stream, "streamArn", true)
	s.table(table, "tableName")
	if err := s.err(); err != nil {
		return nil, err
	}
	if err := checkName(table); err != nil {
		return nil, err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	now := e.cfg.Now()
	t, err := e.defined(table)
	if err != nil {
		return nil, err
	}
	next := slices.Clone(t.destinations) // which snapshots share
	at := slices.IndexFunc(next, func(d destination) bool { return d.stream == stream.V })
	found := at >= 0
	if !found {
		at = len(next)
		next = append(next, destination{stream: stream.V, precision: "MILLISECOND"})
	}
	d := &next[at]
	if err := c.change(d, found, now); err != nil {
		return nil, err
	}
	if !found && len(next) > maxDestinations {
		return nil, fault("LimitExceededException", "A table can have at most 2 Kinesis streaming destinations: "+t.name)
	}
	d.from, d.settled = c.passing, now.Add(e.cfg.TableDelay)
	if precision.Set {
		d.precision = precision.V
	}
	t.destinations = next
	e.keepTable(t)
	o := wire.Begin(nil)
	o.Text("TableName", t.name)
	o.Text("StreamArn", d.stream)
	o.Text("DestinationStatus", c.passing)
	o.Object(c.config, func(o *wire.Object) { o.Text("ApproximateCreationDateTimePrecision", d.precision) })
	return o.End(), nil
}

func (e *Engine) describeKinesisStreamingDestination(r *wire.Reader) ([]byte, error) {
	name, err := readTableName(r, "DescribeKinesisStreamingDestinationInput")
	if err != nil {
		return nil, err
	}
	e.mu.RLock()
	defer e.mu.RUnlock()
	t, err := e.defined(name)
	if err != nil {
		return nil, err
	}
	now := e.cfg.Now()
	o := wire.Begin(nil)
	o.Text("TableName", t.name)
	o.List("KinesisDataStreamDestinations", len(t.destinations), func(dst []byte, i int) []byte {
		d := t.destinations[i]
		o := wire.Begin(dst)
		o.Text("StreamArn", d.stream)
		o.Text("DestinationStatus", d.status(now))
		o.Text("ApproximateCreationDateTimePrecision", d.precision)
		return o.End()
	})
	return o.End(), nil
}
