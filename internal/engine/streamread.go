package engine

import (
	"encoding/base64"
	"fmt"
	"sort"
	"strings"
	"time"

	"github.com/dynorm/dynorm/internal/engine/wire"
)

// Limits of what one answer about streams shows.
const (
	maxStreams       = 100
	maxShards        = 100
	maxStreamRecords = 1000
	maxStreamBytes   = 1 << 20
)

var (
	errIterator        = invalid("Invalid ShardIterator")
	errIteratorExpired = fault("ExpiredIteratorException", "Iterator expired. The iterator was created more than 15 minutes ago.")
	errTrimmed         = fault("TrimmedDataAccessException", "The operation attempted to read past the oldest stream record in a shard.")
)

// streamOf returns the stream with the given ARN, up to the present. The
// caller holds the lock for writing.
func (e *Engine) streamOf(arn string) (*stream, error) {
	s, ok := e.streams.Get(arn)
	if !ok {
		return nil, fault("ResourceNotFoundException", "Requested resource not found: Stream: "+arn+" not found")
	}
	e.advance(s, e.cfg.Now())
	return s, nil
}

func (s *shape) streamARN(arn wire.Text, path string) { s.length(arn, path, 37, 1024) }

func (s *shape) shardID(id wire.Text, path string) { s.length(id, path, 28, 65) }

func (e *Engine) listStreams(r *wire.Reader) ([]byte, error) {
	var table, start wire.Text
	var limit wire.Int
	err := decode(r, "ListStreamsInput", func(name string) {
		switch name {
		case "TableName":
			table = r.Text()
		case "ExclusiveStartStreamArn":
			start = r.Text()
		case "Limit":
			limit = r.Int("Integer")
		default:
			r.Skip()
		}
	})
	if err != nil {
		return nil, err
	}
	var s shape
	s.index(table, "tableName")
	s.streamARN(start, "exclusiveStartStreamArn")
	s.atLeast(limit, "limit", 1)
	s.atMost(limit, "limit", maxStreams)
	if err := s.err(); err != nil {
		return nil, err
	}
	if !limit.Set {
		limit.V = maxStreams
	}
	e.mu.RLock()
	defer e.mu.RUnlock()
	var found []*stream
	more := false
	e.streams.Ascend(start.V, func(arn string, s *stream) bool {
		if arn == start.V || (table.Set && s.table != table.V) {
			return true
		}
		if more = len(found) == int(limit.V); more {
			return false
		}
		found = append(found, s)
		return true
	})
	o := wire.Begin(nil)
	o.List("Streams", len(found), func(dst []byte, i int) []byte {
		o := wire.Begin(dst)
		o.Text("StreamArn", found[i].arn)
		o.Text("TableName", found[i].table)
		o.Text("StreamLabel", found[i].label)
		return o.End()
	})
	if more {
		o.Text("LastEvaluatedStreamArn", found[len(found)-1].arn)
	}
	return o.End(), nil
}

type describeStreamInput struct {
	arn, start wire.Text
	limit      wire.Int
	filtered   bool
	filter     struct{ kind, parent wire.Text }
}

func (in *describeStreamInput) read(r *wire.Reader) error {
	return decode(r, "DescribeStreamInput", func(name string) {
		switch name {
		case "StreamArn":
			in.arn = r.Text()
		case "ExclusiveStartShardId":
			in.start = r.Text()
		case "Limit":
			in.limit = r.Int("Integer")
		case "ShardFilter":
			in.filtered = r.Struct("ShardFilter", func(name string) {
				switch name {
				case "Type":
					in.filter.kind = r.Text()
				case "ShardId":
					in.filter.parent = r.Text()
				default:
					r.Skip()
				}
			})
		default:
			r.Skip()
		}
	})
}

func (in *describeStreamInput) check() error {
	var s shape
	s.required(in.arn.Set, "streamArn")
	s.streamARN(in.arn, "streamArn")
	s.shardID(in.start, "exclusiveStartShardId")
	s.atLeast(in.limit, "limit", 1)
	s.atMost(in.limit, "limit", maxShards)
	if in.filtered {
		s.required(in.filter.kind.Set, "shardFilter.type")
		s.enum(in.filter.kind, "shardFilter.type", "CHILD_SHARDS")
		s.required(in.filter.parent.Set, "shardFilter.shardId")
		s.shardID(in.filter.parent, "shardFilter.shardId")
	}
	return s.err()
}

func (e *Engine) describeStream(r *wire.Reader) ([]byte, error) {
	var in describeStreamInput
	if err := in.read(r); err != nil {
		return nil, err
	}
	if err := in.check(); err != nil {
		return nil, err
	}
	if !in.limit.Set {
		in.limit.V = maxShards
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	s, err := e.streamOf(in.arn.V)
	if err != nil {
		return nil, err
	}
	var found []shard
	for _, h := range s.shards {
		// Ids are in the order of shards.
		if h.id > in.start.V && (!in.filtered || h.parent == in.filter.parent.V) {
			found = append(found, h)
		}
	}
	more := len(found) > int(in.limit.V)
	if more {
		found = found[:in.limit.V]
	}
	o := wire.Begin(nil)
	o.Object("StreamDescription", func(o *wire.Object) {
		o.Text("StreamArn", s.arn)
		o.Text("StreamLabel", s.label)
		status := "ENABLED"
		if !s.ended.IsZero() {
			status = "DISABLED"
		}
		o.Text("StreamStatus", status)
		o.Text("StreamViewType", s.view)
		o.Float("CreationRequestDateTime", seconds(s.created))
		o.Text("TableName", s.table)
		describeKeys(o, s.keys)
		o.List("Shards", len(found), func(dst []byte, i int) []byte { return found[i].append(dst) })
		if more {
			o.Text("LastEvaluatedShardId", found[len(found)-1].id)
		}
	})
	return o.End(), nil
}

func (h *shard) append(dst []byte) []byte {
	o := wire.Begin(dst)
	o.Text("ShardId", h.id)
	o.Object("SequenceNumberRange", func(o *wire.Object) {
		o.Text("StartingSequenceNumber", sequenceText(h.first))
		if !h.closed.IsZero() {
			o.Text("EndingSequenceNumber", sequenceText(h.end))
		}
	})
	if h.parent != "" {
		o.Text("ParentShardId", h.parent)
	}
	return o.End()
}

// iterator is a place in a shard, as the text that clients hold says it.
type iterator struct {
	stream, shard string
	next          int64 // sequence number of the first record to read, or above
	issued        int64 // nanoseconds of the clock
}

func (it iterator) String() string {
	place := fmt.Sprintf("%s|%d|%d", it.shard, it.next, it.issued)
	return it.stream + "|1|" + base64.StdEncoding.EncodeToString([]byte(place))
}

func parseIterator(text string) (it iterator, ok bool) {
	arn, rest, ok := strings.Cut(text, "|1|")
	if !ok {
		return it, false
	}
	place, err := base64.StdEncoding.DecodeString(rest)
	if err != nil {
		return it, false
	}
	shard, rest, ok := strings.Cut(string(place), "|")
	if !ok {
		return it, false
	}
	it.stream, it.shard = arn, shard
	if _, err := fmt.Sscanf(rest, "%d|%d", &it.next, &it.issued); err != nil {
		return it, false
	}
	return it, it.String() == text
}

func (e *Engine) getShardIterator(r *wire.Reader) ([]byte, error) {
	var arn, id, kind, number wire.Text
	err := decode(r, "GetShardIteratorInput", func(name string) {
		switch name {
		case "StreamArn":
			arn = r.Text()
		case "ShardId":
			id = r.Text()
		case "ShardIteratorType":
			kind = r.Text()
		case "SequenceNumber":
			number = r.Text()
		default:
			r.Skip()
		}
	})
	if err != nil {
		return nil, err
	}
	var s shape
	s.required(arn.Set, "streamArn")
	s.streamARN(arn, "streamArn")
	s.required(id.Set, "shardId")
	s.shardID(id, "shardId")
	s.required(kind.Set, "shardIteratorType")
	s.enum(kind, "shardIteratorType", "AT_SEQUENCE_NUMBER", "LATEST", "TRIM_HORIZON", "AFTER_SEQUENCE_NUMBER")
	s.length(number, "sequenceNumber", 21, 40)
	if err := s.err(); err != nil {
		return nil, err
	}
	named := kind.V == "AT_SEQUENCE_NUMBER" || kind.V == "AFTER_SEQUENCE_NUMBER"
	switch {
	case named && !number.Set:
		return nil, parameter("Invalid SequenceNumber")
	case !named && number.Set:
		return nil, parameter("SequenceNumber should not be passed for this iterator type")
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	st, err := e.streamOf(arn.V)
	if err != nil {
		return nil, err
	}
	h := st.shard(id.V)
	if h == nil {
		return nil, noShard(arn.V, id.V)
	}
	next, err := h.place(kind.V, number.V, st.last)
	if err != nil {
		return nil, err
	}
	o := wire.Begin(nil)
	o.Text("ShardIterator", iterator{st.arn, h.id, next, e.cfg.Now().UnixNano()}.String())
	return o.End(), nil
}

func noShard(arn, id string) error {
	return fault("ResourceNotFoundException", "Requested resource not found: Shard: "+id+" in Stream: "+arn+" not found")
}

// place returns the sequence number that an iterator of the given kind begins
// with. last is the one that the stream has given last.
func (h *shard) place(kind, number string, last int64) (int64, error) {
	end := last
	if !h.closed.IsZero() {
		end = h.end
	}
	switch kind {
	case "TRIM_HORIZON":
		return h.kept, nil
	case "LATEST":
		return end + 1, nil
	}
	n, ok := parseSequence(number)
	if !ok || n < h.first || n > max(end, h.first) {
		return 0, parameter("Invalid SequenceNumber")
	}
	if kind == "AFTER_SEQUENCE_NUMBER" {
		n++
	}
	if n < h.kept {
		return 0, errTrimmed
	}
	return n, nil
}

func (e *Engine) getRecords(r *wire.Reader) ([]byte, error) {
	var text wire.Text
	var limit wire.Int
	err := decode(r, "GetRecordsInput", func(name string) {
		switch name {
		case "ShardIterator":
			text = r.Text()
		case "Limit":
			limit = r.Int("Integer")
		default:
			r.Skip()
		}
	})
	if err != nil {
		return nil, err
	}
	var s shape
	s.required(text.Set, "shardIterator")
	s.length(text, "shardIterator", 1, 2048)
	s.atLeast(limit, "limit", 1)
	s.atMost(limit, "limit", maxStreamRecords)
	if err := s.err(); err != nil {
		return nil, err
	}
	if !limit.Set {
		limit.V = maxStreamRecords
	}
	it, ok := parseIterator(text.V)
	if !ok {
		return nil, errIterator
	}
	st, h, now, err := e.reading(it)
	if err != nil {
		return nil, err
	}
	// The copies are read without the lock: records do not change.
	at := sort.Search(len(h.records), func(i int) bool { return h.records[i].sequence >= it.next })
	left := h.records[at:]
	o := wire.Begin(nil)
	o.Key("Records")
	o.Buf = append(o.Buf, '[')
	size, n := 0, 0
	for ; n < len(left) && n < int(limit.V); n++ {
		mark := len(o.Buf)
		if n > 0 {
			o.Buf = append(o.Buf, ',')
		}
		var one int
		o.Buf, one = left[n].append(o.Buf, &st, e.cfg.Region)
		if size += one; n > 0 && size > maxStreamBytes {
			o.Buf = o.Buf[:mark]
			break
		}
		it.next = left[n].sequence + 1
	}
	o.Buf = append(o.Buf, ']')
	if n < len(left) || h.closed.IsZero() {
		it.issued = now.UnixNano()
		o.Text("NextShardIterator", it.String())
	}
	return o.End(), nil
}

// reading returns the iterator's stream and shard as they are now.
func (e *Engine) reading(it iterator) (st stream, h shard, now time.Time, err error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	now = e.cfg.Now()
	s, err := e.streamOf(it.stream)
	if err != nil {
		return st, h, now, err
	}
	if now.Sub(time.Unix(0, it.issued)) > iteratorLife {
		return st, h, now, errIteratorExpired
	}
	found := s.shard(it.shard)
	switch {
	case found == nil || it.next < found.kept:
		return st, h, now, errTrimmed
	case it.next > s.last+1:
		return st, h, now, errIterator
	}
	return *s, *found, now, nil
}
