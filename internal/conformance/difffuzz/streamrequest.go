package difffuzz

import (
	"maps"
	"slices"
	"strings"
)

// What stands in a stream's request for what each engine calls otherwise; see
// [streamReader.resolve].
const (
	thisStream   = "$stream"
	thisShard    = "$shard"
	thisRecord   = "$record"
	thisIterator = "$iterator"
)

var sequenceKinds = []string{"AT_SEQUENCE_NUMBER", "AFTER_SEQUENCE_NUMBER"}

// nextStream makes up a request about a table's stream, sometimes a wrong one.
func (g *generator) nextStream(t *table) *Request {
	if t.apart { // until it has a new stream
		spec := object{"StreamEnabled": t.stream == ""}
		if t.stream == "" {
			spec["StreamViewType"] = "NEW_AND_OLD_IMAGES"
		}
		return &Request{Op: "UpdateTable", Body: object{"TableName": t.name, "StreamSpecification": spec}, table: t}
	}
	q := g.streamRequest(t)
	if q.Op != "UpdateTable" && !g.reads(q) && chance(g.r, 30) {
		g.spoilStream(q)
	}
	return q
}

// reads reports whether q is [generator.readStream]'s, which stands for several
// requests.
func (g *generator) reads(q *Request) bool {
	_, ok := q.Body["TableName"]
	return ok && q.Op == "GetRecords"
}

func (g *generator) streamRequest(t *table) *Request {
	r := g.r
	switch n := r.IntN(100); {
	case n < 45:
		return g.readStream(t)
	case n < 57:
		b := object{"ShardIterator": thisIterator}
		if chance(r, 50) {
			b["Limit"] = 1 + r.IntN(4)
		}
		return &Request{Op: "GetRecords", Body: b, table: t}
	case n < 72:
		b := object{"StreamArn": thisStream, "ShardId": thisShard, "ShardIteratorType": pick(r, "TRIM_HORIZON", "LATEST")}
		if chance(r, 60) {
			b["ShardIteratorType"], b["SequenceNumber"] = pick(r, sequenceKinds...), thisRecord
		}
		return &Request{Op: "GetShardIterator", Body: b, table: t}
	case n < 84:
		b := object{"StreamArn": thisStream}
		if chance(r, 20) {
			b["Limit"] = 1 + r.IntN(3)
		}
		if chance(r, 20) {
			b["ExclusiveStartShardId"] = thisShard
		}
		return &Request{Op: "DescribeStream", Body: b, table: t}
	case n < 92:
		b := object{"TableName": t.name}
		if chance(r, 20) {
			b["Limit"] = 100
		}
		return &Request{Op: "ListStreams", Body: b, table: t}
	}
	spec := object{"StreamEnabled": t.stream == ""}
	if chance(r, 20) {
		spec["StreamEnabled"] = t.stream != ""
	}
	if spec["StreamEnabled"] == true != chance(r, 10) {
		spec["StreamViewType"] = pick(r, "NEW_AND_OLD_IMAGES", "NEW_IMAGE", "OLD_IMAGE", "KEYS_ONLY")
	}
	q := &Request{Op: "UpdateTable", Body: object{"TableName": t.name, "StreamSpecification": spec}, table: t}
	if chance(r, 15) {
		g.spoilRequest(q)
	}
	return q
}

// readStream makes up a read of a table's stream, from a place of some kind to
// its end; see [askRecords].
func (g *generator) readStream(t *table) *Request {
	r := g.r
	b := object{"TableName": t.name}
	switch n := r.IntN(10); {
	case n < 3:
	case n < 7:
		b["ShardIteratorType"], b["Record"] = pick(r, sequenceKinds...), r.IntN(50)
	default:
		b["ShardIteratorType"] = "LATEST"
		if chance(r, 70) {
			b["Put"] = t.item(r)
		} else {
			b["Delete"] = t.key(r)
		}
	}
	if chance(r, 40) {
		b["Limit"] = 1 + r.IntN(5)
	}
	return &Request{Op: "GetRecords", Body: b, table: t}
}

// spoilStream makes something wrong with q.
func (g *generator) spoilStream(q *Request) {
	q.faults++
	r, b := g.r, q.Body
	switch m := pick(r, slices.Sorted(maps.Keys(b))...); {
	case chance(r, 15):
		delete(b, m)
	case chance(r, 10):
		b[m] = pick[any](r, 1, "x", true, []any{}, object{}, nil, 1.5)
	case m == "StreamArn":
		b[m] = pick(r, "", "x", strings.Repeat("x", 1025), "arn:aws:dynamodb:us-east-1:000000000000:table/none/stream/2026-01-01T00:00:00.000")
	case m == "ShardId" || m == "ExclusiveStartShardId":
		b[m] = pick(r, "", "x", strings.Repeat("x", 66), "shardId-00000001000000000000-00000000", "shardId-99999999999999999999-ffffffff")
	case m == "ShardIteratorType" && chance(r, 30):
		b[m] = pick(r, "FOO", "", "latest")
	case m == "ShardIteratorType" || m == "SequenceNumber" && chance(r, 30):
		b["ShardIteratorType"] = pick(r, "TRIM_HORIZON", "LATEST", "AT_SEQUENCE_NUMBER", "AFTER_SEQUENCE_NUMBER")
	case m == "SequenceNumber":
		b[m] = pick(r, "", "1", strings.Repeat("0", 21), strings.Repeat("9", 21), strings.Repeat("x", 21), strings.Repeat("1", 41))
	case m == "Limit":
		b[m] = pick(r, 0, -1, 101, 1001)
	case m == "ShardIterator":
		b[m] = pick(r, "", "x", "a|1|b", strings.Repeat("x", 2049), "arn:aws:dynamodb:us-east-1:000000000000:table/none/stream/2026-01-01T00:00:00.000|1|AAAA")
	case m == "TableName":
		b[m] = pick(r, "", "a", "a;b", "none", strings.Repeat("n", 256))
	}
}
