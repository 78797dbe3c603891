package difffuzz

import (
	"context"
	"slices"
	"strings"

	"github.com/dynorm/dynorm/internal/conformance"
)

// noStream names the stream of a table that never had one.
const noStream = "arn:aws:dynamodb:us-east-1:000000000000:table/none/stream/2026-01-01T00:00:00.000"

// isStream reports whether op is of the API of streams.
func isStream(op string) bool {
	switch op {
	case "ListStreams", "DescribeStream", "GetShardIterator", "GetRecords":
		return true
	}
	return false
}

// askStream sends one request of the API of streams and keeps of the answer
// what both engines must agree on.
func askStream(ctx context.Context, e *conformance.Endpoint, q *Request) (*outcome, error) {
	if _, composed := q.Body["TableName"]; composed && q.Op == "GetRecords" {
		return askRecords(ctx, e, q)
	}
	s := streamReader{ctx: ctx, e: e}
	body := s.resolve(q)
	answer := s.call(q.Op, body)
	if s.err != nil {
		return nil, s.err
	}
	if s.failed != nil {
		s.unresolve(body)
		return s.failed, nil
	}
	out := object{}
	switch q.Op {
	case "ListStreams":
		for _, v := range elements(answer["Streams"]) {
			if body["TableName"] == nil {
				break // others' streams, too
			}
			out["Streams"] = append(elements(out["Streams"]), v.(object)["TableName"])
		}
	case "DescribeStream":
		d, _ := answer["StreamDescription"].(object)
		for _, m := range []string{"StreamStatus", "StreamViewType", "TableName", "KeySchema"} {
			out[m] = d[m]
		}
		for _, v := range elements(d["Shards"]) {
			shard, _ := v.(object)
			numbers, _ := shard["SequenceNumberRange"].(object)
			_, closed := numbers["EndingSequenceNumber"]
			out["Shards"] = append(elements(out["Shards"]), object{"Closed": closed, "Child": shard["ParentShardId"] != nil})
		}
	case "GetShardIterator":
		_, out["ShardIterator"] = answer["ShardIterator"].(string)
	case "GetRecords":
		// Which records come first is the engine's own affair.
		out["Records"] = len(elements(answer["Records"]))
		_, out["NextShardIterator"] = answer["NextShardIterator"].(string)
	}
	return &outcome{status: 200, body: out}, nil
}

func elements(v any) []any { l, _ := v.([]any); return l }

// askRecords reads the records of the latest stream of the request's table,
// all or those from a place in it, and keeps of each what both engines must
// agree on. The order is that of each item's changes: how those of different
// items mix is the engine's own affair. The request's members say from where:
//
//   - ShardIteratorType, TRIM_HORIZON if it is absent
//   - Record, for a place at or after a record: which one, in the order of keys
//     and wrapped around. Only the records of its item are kept then.
//   - Put or Delete, a write that is made before the read and after its place
//     is taken
//   - Limit, of records a page; then the sizes of pages are compared, too.
func askRecords(ctx context.Context, e *conformance.Endpoint, q *Request) (*outcome, error) {
	s := streamReader{ctx: ctx, e: e}
	stream := s.describe(q.Body["TableName"])
	out := object{"View": stream["StreamViewType"], "KeySchema": stream["KeySchema"], "Status": stream["StreamStatus"]}
	place := object{"ShardIteratorType": "TRIM_HORIZON"}
	if kind, ok := q.Body["ShardIteratorType"]; ok {
		place["ShardIteratorType"] = kind
	}
	about := ""
	if n, ok := q.Body["Record"].(int); ok {
		record := s.record(stream, n)
		if record == nil {
			return s.failed, s.err
		}
		about, place["SequenceNumber"] = keyOfRecord(record), numberOf(record)
	}
	var records []any
	for i, shard := range elements(stream["Shards"]) {
		if i == len(elements(stream["Shards"]))-1 {
			records = append(records, s.read(stream, shard, place, q.Body, out)...)
		} else if about == "" && place["ShardIteratorType"] == "TRIM_HORIZON" {
			records = append(records, s.read(stream, shard, place, object{}, out)...)
		}
	}
	if s.failed != nil || s.err != nil {
		return s.failed, s.err
	}
	shown := []any{}
	for _, r := range records {
		if about == "" || keyOfRecord(r) == about {
			shown = append(shown, recordOf(r.(object)))
		}
	}
	sortRecords(shown, keyOfShown)
	out["Records"] = shown
	return &outcome{status: 200, body: out}, nil
}

// streamReader makes the requests that reading a stream takes, until one fails.
type streamReader struct {
	ctx    context.Context
	e      *conformance.Endpoint
	failed *outcome
	err    error
}

func (s *streamReader) call(op string, body object) object {
	if s.failed != nil || s.err != nil {
		return nil
	}
	a, err := s.e.Call(s.ctx, op, encode(body), nil)
	switch {
	case err != nil:
		s.err = err
	case a.Failed():
		s.failed = &outcome{failed: true, status: a.Status, code: a.Code(), message: a.Message()}
	default:
		return a.Body
	}
	return nil
}

// describe returns the description of the latest stream of a table.
func (s *streamReader) describe(table any) object {
	d, _ := s.call("DescribeTable", object{"TableName": table})["Table"].(object)
	arn, ok := d["LatestStreamArn"]
	if !ok {
		arn = noStream
	}
	stream, _ := s.call("DescribeStream", object{"StreamArn": arn})["StreamDescription"].(object)
	return stream
}

// read returns the records of a shard from a place on, by the members Put,
// Delete and Limit of q, and notes in out what it saw of pages.
func (s *streamReader) read(stream object, shard any, place, q, out object) []any {
	from := object{"StreamArn": stream["StreamArn"], "ShardId": shard.(object)["ShardId"]}
	for m, v := range place {
		from[m] = v
	}
	next := s.call("GetShardIterator", from)["ShardIterator"]
	if item, ok := q["Put"]; ok {
		s.call("PutItem", object{"TableName": q["TableName"], "Item": item})
	}
	if key, ok := q["Delete"]; ok {
		s.call("DeleteItem", object{"TableName": q["TableName"], "Key": key})
	}
	var records, pages []any
	for next != nil && s.failed == nil && s.err == nil {
		get := object{"ShardIterator": next}
		limit, limited := q["Limit"]
		if limited {
			get["Limit"] = limit
		}
		page := s.call("GetRecords", get)
		some := elements(page["Records"])
		if len(some) == 0 {
			break
		}
		if limited && place["SequenceNumber"] == nil {
			pages = append(pages, len(some))
			out["Pages"] = pages
		}
		records = append(records, some...)
		next = page["NextShardIterator"]
	}
	return records
}

// record returns the nth record of a stream's last shard in the order of keys,
// or nil if it has none.
func (s *streamReader) record(stream object, n int) any {
	shards := elements(stream["Shards"])
	if len(shards) == 0 {
		return nil
	}
	records := s.read(stream, shards[len(shards)-1], object{"ShardIteratorType": "TRIM_HORIZON"}, object{}, object{})
	if len(records) == 0 {
		if s.failed == nil && s.err == nil {
			s.failed = &outcome{status: 200, body: object{"Records": []any{}}}
		}
		return nil
	}
	sortRecords(records, keyOfRecord)
	return records[n%len(records)]
}

// resolve returns q's body with what it names of the stream, as this engine
// calls it.
func (s *streamReader) resolve(q *Request) object {
	body := clone(q.Body).(object)
	var stream object
	known := func() object {
		if stream == nil {
			stream = s.describe(q.table.name)
			if s.failed != nil { // there is none
				stream, s.failed = object{"StreamArn": noStream}, nil
			}
		}
		return stream
	}
	shard := func() any {
		id := "shardId-00000001000000000000-00000000"
		for _, v := range elements(known()["Shards"]) {
			id, _ = v.(object)["ShardId"].(string)
		}
		return id
	}
	for m, v := range body {
		switch v {
		case thisStream:
			body[m] = known()["StreamArn"]
		case thisShard:
			body[m] = shard()
		case thisRecord:
			r := s.record(known(), 0)
			s.failed = nil
			body[m] = strings.Repeat("0", 21)
			if r != nil {
				body[m] = numberOf(r)
			}
		case thisIterator:
			it := s.call("GetShardIterator", object{"StreamArn": known()["StreamArn"], "ShardId": shard(), "ShardIteratorType": "TRIM_HORIZON"})
			s.failed = nil
			if it == nil {
				it = object{"ShardIterator": "none"}
			}
			body[m] = it["ShardIterator"]
		}
	}
	return body
}

// unresolve takes out of a refusal how the engine calls what was asked for.
func (s *streamReader) unresolve(body object) {
	for m, v := range body {
		if name, ok := v.(string); ok && len(name) > 20 {
			s.failed.message = strings.ReplaceAll(s.failed.message, name, "<"+m+">")
		}
	}
}

// recordOf leaves out of a record what no two engines can share: ids, numbers
// and times.
func recordOf(r object) object {
	change, _ := r["dynamodb"].(object)
	out := object{"eventName": r["eventName"], "eventVersion": r["eventVersion"], "eventSource": r["eventSource"], "userIdentity": r["userIdentity"]}
	for _, m := range []string{"Keys", "NewImage", "OldImage", "SizeBytes", "StreamViewType"} {
		if v, ok := change[m]; ok {
			out[m] = byValue("", normal(m, v))
		}
	}
	return out
}

// keyOfRecord returns the key of a record as it came, keyOfShown that of one
// that [recordOf] made.
func keyOfRecord(r any) string {
	change, _ := r.(object)["dynamodb"].(object)
	return keyOfShown(change)
}

func keyOfShown(r any) string {
	keys, _ := r.(object)["Keys"].(object)
	return canonicalKey(keys)
}

func numberOf(r any) any {
	change, _ := r.(object)["dynamodb"].(object)
	return change["SequenceNumber"]
}

func sortRecords(records []any, key func(any) string) {
	slices.SortStableFunc(records, func(a, b any) int { return strings.Compare(key(a), key(b)) })
}
