package difffuzz

import (
	"context"
	"slices"
	"strings"

	"github.com/dynorm/dynorm/internal/conformance"
)

// askRecords reads all records of the latest stream of the request's table and
// keeps of each what both engines must agree on. The order is that of each
// item's changes: how those of different items mix is the engine's own affair.
func askRecords(ctx context.Context, e *conformance.Endpoint, q *Request) (*outcome, error) {
	s := streamReader{ctx: ctx, e: e}
	table, _ := s.call("DescribeTable", q.Body)["Table"].(object)
	stream, _ := s.call("DescribeStream", object{"StreamArn": table["LatestStreamArn"]})["StreamDescription"].(object)
	records := []any{}
	shards, _ := stream["Shards"].([]any)
	for _, v := range shards {
		shard, _ := v.(object)
		place := object{"StreamArn": stream["StreamArn"], "ShardId": shard["ShardId"], "ShardIteratorType": "TRIM_HORIZON"}
		next := s.call("GetShardIterator", place)["ShardIterator"]
		for next != nil && s.failed == nil && s.err == nil {
			page := s.call("GetRecords", object{"ShardIterator": next})
			some, _ := page["Records"].([]any)
			if len(some) == 0 {
				break
			}
			for _, r := range some {
				records = append(records, recordOf(r.(object)))
			}
			next = page["NextShardIterator"]
		}
	}
	if s.failed != nil || s.err != nil {
		return s.failed, s.err
	}
	slices.SortStableFunc(records, func(a, b any) int { return strings.Compare(keyOfRecord(a), keyOfRecord(b)) })
	return &outcome{status: 200, body: object{"View": stream["StreamViewType"], "KeySchema": stream["KeySchema"], "Records": records}}, nil
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

func keyOfRecord(r any) string {
	keys, _ := r.(object)["Keys"].(object)
	return canonicalKey(keys)
}
