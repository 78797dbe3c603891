package engine

import (
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/tidwall/btree"

	"github.com/dynorm/dynorm/internal/engine/wire"
)

// The times that streams go by.
const (
	streamKept   = 24 * time.Hour // of records, closed shards and ended streams
	shardOpen    = 4 * time.Hour  // until a shard is closed and its child opened
	iteratorLife = 15 * time.Minute
)

// stream is the changes of a table's items in the order they were made. It
// outlives the table. The engine's lock guards it.
type stream struct {
	arn, label, table string
	view              string
	keys              keySchema
	created           time.Time
	ended             time.Time // if set, it is disabled or its table deleted
	shards            []shard   // oldest first; the last one takes the records
	opened            int       // how many shards there have been
	last              int64     // sequence number given last
}

// shard is a stretch of a stream: one is open at a time, so that records are
// in one order.
type shard struct {
	id, parent string
	opened     time.Time
	closed     time.Time // if set
	first      int64     // sequence number that the shard begins with
	end        int64     // the last one, once closed
	kept       int64     // sequence number below which records are trimmed
	// records are appended to and cut at the front, never changed in place:
	// a snapshot's copy shares them.
	records []streamRecord
}

// streamRecord is one change of one item. It is shown when it is read.
type streamRecord struct {
	sequence int64
	at       time.Time
	old, new *record
	expired  bool // by the service, not by a request
}

// stream notes what is wrong with a StreamSpecification by itself.
func (s *shape) stream(in streamInput) {
	if !in.set {
		return
	}
	s.required(in.enabled.Set, "streamSpecification.streamEnabled")
	s.enum(in.view, "streamSpecification.streamViewType", "NEW_IMAGE", "OLD_IMAGE", "NEW_AND_OLD_IMAGES", "KEYS_ONLY")
}

// checkCreate reports a view type that does not go with StreamEnabled, of a new
// table.
func (in streamInput) checkCreate() error {
	switch {
	case !in.set:
	case in.enabled.V && !in.view.Set:
		return parameter("Table is being created with a stream enabled, UpdateViewType is required")
	case !in.enabled.V && in.view.Set:
		return parameter("Table is being created with a stream disabled, UpdateViewType should not be specified")
	}
	return nil
}

// checkUpdate reports the same of a table that is there.
func (in streamInput) checkUpdate() error {
	switch {
	case !in.set:
	case in.enabled.V && !in.view.Set:
		return parameter("If stream is being enabled then UpdateViewType is required")
	case !in.enabled.V && in.view.Set:
		return parameter("If stream is being disabled, then UpdateViewType must not be specified")
	}
	return nil
}

// setStream makes the table's stream what its definition says: it opens a new one
// or ends the present one.
func (e *Engine) setStream(t *table, now time.Time) {
	running := t.log != nil && t.log.ended.IsZero()
	switch {
	case t.stream.Set && !running:
		t.log = e.openStream(t, now)
	case !t.stream.Set && running:
		e.endStream(t, now)
	}
}

func (e *Engine) openStream(t *table, now time.Time) *stream {
	s := &stream{table: t.name, view: t.stream.V, keys: t.keys, created: now}
	for at := now; ; at = at.Add(time.Millisecond) { // a name of its own, even if the clock stands
		s.label = at.UTC().Format("2006-01-02T15:04:05.000")
		s.arn = t.arn + "/stream/" + s.label
		if _, taken := e.streams.Get(s.arn); !taken {
			break
		}
	}
	s.open(now, "")
	e.streams.Set(s.arn, s)
	e.keepStream(s)
	return s
}

// endStream ends the table's stream, if one is running. What is in it can be
// read for a day.
func (e *Engine) endStream(t *table, now time.Time) {
	if t.log == nil || !t.log.ended.IsZero() {
		return
	}
	e.advance(t.log, now)
	t.log.close(now)
	t.log.ended = now
	e.keepStream(t.log)
	e.wake(now.Add(streamKept).UnixNano())
}

// settleStreams drops the streams whose day is over, and returns when there is
// more to drop, in nanoseconds of the clock.
func (e *Engine) settleStreams(now time.Time) (next int64) {
	next = math.MaxInt64
	var gone []*stream
	e.streams.Scan(func(_ string, s *stream) bool {
		if s.ended.IsZero() {
			return true
		}
		if due := s.ended.Add(streamKept); due.After(now) {
			next = min(next, due.UnixNano())
		} else {
			gone = append(gone, s)
		}
		return true
	})
	for _, s := range gone {
		e.streams.Delete(s.arn)
		e.forgetStream(s)
		if t, ok := e.tables.Get(s.table); ok && t.log == s {
			t.log = nil
			e.keepTable(t)
		}
	}
	return next
}

// open opens a shard.
func (s *stream) open(now time.Time, parent string) {
	id := fmt.Sprintf("shardId-%020d-%08x", now.UnixMilli(), uint32(spread(fmt.Append(nil, s.arn, s.opened))))
	s.opened++
	s.shards = append(s.shards, shard{id: id, parent: parent, opened: now, first: s.last + 1, kept: s.last + 1})
}

// close closes the open shard. One without records takes a sequence number to
// end with, so that the ranges of shards are apart.
func (s *stream) close(now time.Time) {
	h := &s.shards[len(s.shards)-1]
	if s.last < h.first {
		s.last = h.first
	}
	h.closed, h.end = now, s.last
}

// advance brings the stream up to the present: a shard that has been open for
// long enough is followed by its child, and what is a day old goes.
func (s *stream) advance(now time.Time) {
	if h := s.shards[len(s.shards)-1]; h.closed.IsZero() && now.Sub(h.opened) >= shardOpen {
		at := h.opened.Add(now.Sub(h.opened).Truncate(shardOpen))
		s.close(h.opened.Add(shardOpen))
		s.open(at, h.id)
	}
	horizon := now.Add(-streamKept)
	for len(s.shards) > 1 && !s.shards[0].closed.After(horizon) {
		s.shards = s.shards[1:]
	}
	for i := range s.shards {
		h := &s.shards[i]
		for len(h.records) > 0 && !h.records[0].at.After(horizon) {
			h.kept = h.records[0].sequence + 1
			h.records = h.records[1:]
		}
	}
}

// oldest returns the lowest sequence number of a record that is kept, or the
// next one to give.
func (s *stream) oldest() int64 {
	for i := range s.shards {
		if records := s.shards[i].records; len(records) > 0 {
			return records[0].sequence
		}
	}
	return s.last + 1
}

// advance brings a stream up to the present.
func (e *Engine) advance(s *stream, now time.Time) {
	from, opened := s.oldest(), s.opened
	s.advance(now)
	to := s.oldest()
	if e.disk == nil || (from == to && opened == s.opened) {
		return
	}
	for ; from < to; from++ {
		e.remove(recordsPart+s.arn, numberKey(uint64(from)))
	}
	e.keepStream(s)
}

// record adds the change of an item to the table's stream, if there is one and
// it is a change.
func (e *Engine) record(t *table, old, new *record, now time.Time, expired bool) {
	s := t.log
	if s == nil || old == new || !s.ended.IsZero() {
		return
	}
	if old != nil && new != nil && old.item.Equal(new.item) {
		return
	}
	e.advance(s, now)
	s.last++
	h := &s.shards[len(s.shards)-1]
	r := streamRecord{s.last, now, old, new, expired}
	h.records = append(h.records, r)
	if e.disk != nil {
		e.keepRecord(s, r)
	}
}

// shard returns the shard with the given id, or nil.
func (s *stream) shard(id string) *shard {
	for i := range s.shards {
		if s.shards[i].id == id {
			return &s.shards[i]
		}
	}
	return nil
}

// copyStreams returns copies of the streams, and has the tables, copies
// themselves, write to those.
func copyStreams(streams *btree.Map[string, *stream], tables []*table) (out btree.Map[string, *stream]) {
	streams.Scan(func(arn string, s *stream) bool {
		c := *s
		c.shards = make([]shard, len(s.shards))
		for i, h := range s.shards {
			h.records = h.records[:len(h.records):len(h.records)]
			c.shards[i] = h
		}
		out.Set(arn, &c)
		return true
	})
	for _, t := range tables {
		if t.log != nil {
			t.log, _ = out.Get(t.log.arn)
		}
	}
	return out
}

// sequenceText returns a sequence number as it is shown: texts of one length,
// at least the 21 digits that the service asks for.
func sequenceText(n int64) string { return fmt.Sprintf("1%020d", n) }

// parseSequence is the inverse of sequenceText.
func parseSequence(text string) (n int64, ok bool) {
	if len(text) != 21 || text[0] != '1' || strings.Trim(text, "0123456789") != "" {
		return 0, false
	}
	_, err := fmt.Sscanf(text[1:], "%d", &n)
	return n, err == nil
}

// event returns the kind of the change.
func (r *streamRecord) event() string {
	switch {
	case r.old == nil:
		return "INSERT"
	case r.new == nil:
		return "REMOVE"
	}
	return "MODIFY"
}

// append writes the record, and returns with it the bytes it counts for.
func (r *streamRecord) append(dst []byte, s *stream, region string) (out []byte, size int) {
	shown := shownRecord(r.old, r.new)
	keys := shown.item.Filter(s.keys.has)
	size = keys.Size()
	o := wire.Begin(dst)
	id := fmt.Append(nil, s.arn, r.sequence)
	o.Text("eventID", fmt.Sprintf("%016x%016x", spread(id), spread(append(id, 'b'))))
	o.Text("eventName", r.event())
	o.Text("eventVersion", "1.1")
	o.Text("eventSource", "aws:dynamodb")
	o.Text("awsRegion", region)
	o.Object("dynamodb", func(o *wire.Object) {
		o.Int("ApproximateCreationDateTime", r.at.Unix())
		o.Item("Keys", keys)
		if r.new != nil && (s.view == "NEW_IMAGE" || s.view == "NEW_AND_OLD_IMAGES") {
			o.Raw("NewImage", r.new.json)
			size += r.new.size
		}
		if r.old != nil && (s.view == "OLD_IMAGE" || s.view == "NEW_AND_OLD_IMAGES") {
			o.Raw("OldImage", r.old.json)
			size += r.old.size
		}
		o.Text("SequenceNumber", sequenceText(r.sequence))
		o.Int("SizeBytes", int64(size))
		o.Text("StreamViewType", s.view)
	})
	if r.expired {
		o.Object("userIdentity", func(o *wire.Object) {
			o.Text("PrincipalId", "dynamodb.amazonaws.com")
			o.Text("Type", "Service")
		})
	}
	return o.End(), size
}
