package engine

import (
	"fmt"

	"github.com/dynorm/dynorm/internal/engine/store"
	"github.com/dynorm/dynorm/internal/engine/value"
)

// keepStream notes the stream's definition with that of its shards, and that
// there is a part for its records.
func (e *Engine) keepStream(s *stream) {
	if e.disk == nil {
		return
	}
	a := attrs{}
	a.text("label", s.label)
	a.text("table", s.table)
	a.text("view", s.view)
	a.keys(s.keys)
	a.time("created", s.created)
	a.time("ended", s.ended)
	a.int("opened", int64(s.opened))
	a.int("last", s.last)
	a["shards"] = listOf(s.shards, func(h shard) value.Value { return value.Map(h.definition()) })
	e.putAttrs(streamsPart, s.arn, a)
	e.keepPart(recordsPart+s.arn, true)
}

func (h *shard) definition() value.Item {
	a := attrs{}
	a.text("id", h.id)
	a.text("parent", h.parent)
	a.time("opened", h.opened)
	a.time("closed", h.closed)
	a.int("first", h.first)
	a.int("end", h.end)
	a.int("kept", h.kept)
	return value.ItemOf(a)
}

// keepRecord notes a record of the stream.
func (e *Engine) keepRecord(s *stream, r streamRecord) {
	e.putLater(recordsPart+s.arn, numberKey(uint64(r.sequence)), func() value.Item {
		a := attrs{}
		a.time("at", r.at)
		a.flag("expired", r.expired)
		a.record("old", r.old)
		a.record("new", r.new)
		return value.ItemOf(a)
	})
}

// keepStreams notes all streams with their records.
func (e *Engine) keepStreams() {
	if e.disk == nil {
		return
	}
	e.streams.Scan(func(_ string, s *stream) bool {
		e.keepStream(s)
		for i := range s.shards {
			for _, r := range s.shards[i].records {
				e.keepRecord(s, r)
			}
		}
		return true
	})
}

// forgetStream notes that there is no such stream.
func (e *Engine) forgetStream(s *stream) {
	e.remove(streamsPart, s.arn)
	e.keepPart(recordsPart+s.arn, false)
}

// loadStream takes in a stream with its records.
func (e *Engine) loadStream(from *store.Store, arn, text string) error {
	in := parseStored(text)
	s := &stream{
		arn: arn, label: in.text("label"), table: in.text("table"), view: in.text("view"), keys: in.keys(),
		created: in.time("created"), ended: in.time("ended"), opened: int(in.int("opened").V), last: in.int("last").V,
	}
	for _, h := range in.items("shards") {
		s.shards = append(s.shards, shard{
			id: h.text("id"), parent: h.text("parent"), opened: h.time("opened"), closed: h.time("closed"),
			first: h.int("first").V, end: h.int("end").V, kept: h.int("kept").V,
		})
		in.take(h)
	}
	if len(s.shards) == 0 {
		in.fail("shards")
	}
	if in.err != nil {
		return fmt.Errorf("the stream %s: %w", arn, in.err)
	}
	at := 0 // the shard of the record
	err := from.Each(e.part(recordsPart+arn), func(key, text string) error {
		number, ok := parseNumberKey(key)
		in := parseStored(text)
		r := streamRecord{int64(number), in.time("at"), in.record("old"), in.record("new"), in.flag("expired")}
		for at+1 < len(s.shards) && r.sequence >= s.shards[at+1].first {
			at++
		}
		h := &s.shards[at]
		if !ok || in.err != nil || (r.old == nil && r.new == nil) || r.sequence < h.kept || (!h.closed.IsZero() && r.sequence > h.end) {
			return fmt.Errorf("a record of the stream %s is not as it was written", arn)
		}
		h.records = append(h.records, r)
		s.last = max(s.last, r.sequence)
		return nil
	})
	if err != nil {
		return err
	}
	e.streams.Set(arn, s)
	return nil
}
