package engine_test

import (
	"encoding/json"
	"fmt"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"github.com/dynorm/dynorm/internal/engine"
)

// hand is a clock that stands until it is moved.
type hand struct {
	mu sync.Mutex
	at time.Time
}

func newHand() *hand { return &hand{at: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)} }

func (h *hand) now() time.Time {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.at
}

func (h *hand) move(d time.Duration) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.at = h.at.Add(d)
}

type streamShard struct {
	ShardID string                                                        `json:"ShardId"`
	Parent  string                                                        `json:"ParentShardId"`
	Range   struct{ StartingSequenceNumber, EndingSequenceNumber string } `json:"SequenceNumberRange"`
}

type streamEvent struct {
	ID       string                              `json:"eventID"`
	Name     string                              `json:"eventName"`
	Identity *struct{ PrincipalId, Type string } `json:"userIdentity"`
	Change   struct {
		Keys, NewImage, OldImage map[string]map[string]string
		SequenceNumber           string
		SizeBytes                int
		At                       int64 `json:"ApproximateCreationDateTime"`
	} `json:"dynamodb"`
}

func decodeInto[T any](t testing.TB, text string) (v T) {
	t.Helper()
	require.NoError(t, json.Unmarshal([]byte(text), &v))
	return v
}

func createStreamed(t testing.TB, e *engine.Engine, name, view string) (arn string) {
	t.Helper()
	out := do(t, e, "CreateTable", `{"TableName":%q,"BillingMode":"PAY_PER_REQUEST",
		"AttributeDefinitions":[{"AttributeName":"pk","AttributeType":"S"}],"KeySchema":[{"AttributeName":"pk","KeyType":"HASH"}],
		"StreamSpecification":{"StreamEnabled":true,"StreamViewType":%q}}`, name, view)
	return decodeInto[struct {
		TableDescription struct{ LatestStreamArn string }
	}](t, out).TableDescription.LatestStreamArn
}

func putN(t testing.TB, e *engine.Engine, pk string, n int) {
	t.Helper()
	do(t, e, "PutItem", `{"TableName":"str","Item":{"pk":{"S":%q},"n":{"N":"%d"}}}`, pk, n)
}

func shardsOf(t testing.TB, e *engine.Engine, arn string) []streamShard {
	t.Helper()
	out := do(t, e, "DescribeStream", `{"StreamArn":%q}`, arn)
	return decodeInto[struct {
		StreamDescription struct{ Shards []streamShard }
	}](t, out).StreamDescription.Shards
}

func iteratorAt(t testing.TB, e *engine.Engine, arn, shard, kind, more string) string {
	t.Helper()
	out := do(t, e, "GetShardIterator", `{"StreamArn":%q,"ShardId":%q,"ShardIteratorType":%q%s}`, arn, shard, kind, more)
	return decodeInto[struct{ ShardIterator string }](t, out).ShardIterator
}

func recordsAt(t testing.TB, e *engine.Engine, iterator string, limit int) (events []streamEvent, next string) {
	t.Helper()
	out := decodeInto[struct {
		Records           []streamEvent
		NextShardIterator string
	}](t, do(t, e, "GetRecords", `{"ShardIterator":%q,"Limit":%d}`, iterator, limit))
	return out.Records, out.NextShardIterator
}

// all reads every shard from its beginning, parents first.
func all(t testing.TB, e *engine.Engine, arn string) (events []streamEvent) {
	t.Helper()
	for _, h := range shardsOf(t, e, arn) {
		next := iteratorAt(t, e, arn, h.ShardID, "TRIM_HORIZON", "")
		for next != "" {
			var some []streamEvent
			if some, next = recordsAt(t, e, next, 1000); len(some) == 0 && h.Range.EndingSequenceNumber == "" {
				break
			}
			events = append(events, some...)
		}
	}
	return events
}

func names(events []streamEvent) (out []string) {
	for _, ev := range events {
		out = append(out, ev.Name+" "+ev.Change.Keys["pk"]["S"])
	}
	return out
}

func TestStreamViews(t *testing.T) {
	for view, want := range map[string]struct {
		newImage, oldImage bool
		sizes              []int
	}{
		"KEYS_ONLY":          {false, false, []int{3, 3, 3}},
		"NEW_IMAGE":          {true, false, []int{8, 8, 3}},
		"OLD_IMAGE":          {false, true, []int{3, 8, 8}},
		"NEW_AND_OLD_IMAGES": {true, true, []int{8, 13, 8}},
	} {
		e := engine.New(engine.Config{Now: newHand().now})
		arn := createStreamed(t, e, "str", view)
		putN(t, e, "a", 0)
		putN(t, e, "a", 0) // changes nothing
		do(t, e, "UpdateItem", `{"TableName":"str","Key":{"pk":{"S":"a"}},"UpdateExpression":"SET n = n"}`)
		do(t, e, "DeleteItem", `{"TableName":"str","Key":{"pk":{"S":"none"}}}`)
		do(t, e, "UpdateItem", `{"TableName":"str","Key":{"pk":{"S":"a"}},"UpdateExpression":"SET n = :v","ExpressionAttributeValues":{":v":{"N":"20"}}}`)
		do(t, e, "DeleteItem", `{"TableName":"str","Key":{"pk":{"S":"a"}}}`)
		events := all(t, e, arn)
		require.Equal(t, []string{"INSERT a", "MODIFY a", "REMOVE a"}, names(events), view)
		for i, ev := range events {
			require.Equal(t, want.newImage && i < 2, ev.Change.NewImage != nil, "%s %d", view, i)
			require.Equal(t, want.oldImage && i > 0, ev.Change.OldImage != nil, "%s %d", view, i)
			require.Len(t, ev.ID, 32)
			require.Nil(t, ev.Identity)
		}
		require.NotEqual(t, events[0].ID, events[1].ID)
		require.Equal(t, 3, events[0].Change.SizeBytes-imageSize(events[0]), view)
	}
}

// imageSize is what the images of items of one pk and one N count.
func imageSize(ev streamEvent) (n int) {
	for _, image := range []map[string]map[string]string{ev.Change.NewImage, ev.Change.OldImage} {
		for name, v := range image {
			n += len(name)
			if s, ok := v["S"]; ok {
				n += len(s)
				continue
			}
			digits := v["N"]
			n += 1 // the number's own byte
			if digits != "0" {
				n++
			}
		}
	}
	return n
}

func TestStreamOfEveryWrite(t *testing.T) {
	e := engine.New(engine.Config{Now: newHand().now})
	arn := createStreamed(t, e, "str", "NEW_AND_OLD_IMAGES")
	do(t, e, "BatchWriteItem", `{"RequestItems":{"str":[{"PutRequest":{"Item":{"pk":{"S":"b1"}}}},{"PutRequest":{"Item":{"pk":{"S":"b2"}}}},{"DeleteRequest":{"Key":{"pk":{"S":"none"}}}}]}}`)
	do(t, e, "TransactWriteItems", `{"TransactItems":[{"Put":{"TableName":"str","Item":{"pk":{"S":"t1"}}}},{"Delete":{"TableName":"str","Key":{"pk":{"S":"b1"}}}},
		{"ConditionCheck":{"TableName":"str","Key":{"pk":{"S":"b2"}},"ConditionExpression":"attribute_exists(pk)"}}]}`)
	require.Contains(t, fails(t, e, "TransactWriteItems", `{"TransactItems":[{"Put":{"TableName":"str","Item":{"pk":{"S":"t2"}}}},
		{"ConditionCheck":{"TableName":"str","Key":{"pk":{"S":"b2"}},"ConditionExpression":"attribute_not_exists(pk)"}}]}`), "TransactionCanceled")
	do(t, e, "ExecuteStatement", `{"Statement":"INSERT INTO str VALUE {'pk':'p1'}"}`)
	do(t, e, "ExecuteStatement", `{"Statement":"UPDATE str SET n=1 WHERE pk='p1'"}`)
	do(t, e, "ExecuteStatement", `{"Statement":"DELETE FROM str WHERE pk='p1'"}`)
	require.Equal(t, []string{"INSERT b1", "INSERT b2", "INSERT t1", "REMOVE b1", "INSERT p1", "MODIFY p1", "REMOVE p1"}, names(all(t, e, arn)))
}

func TestStreamRollover(t *testing.T) {
	clock := newHand()
	e := engine.New(engine.Config{Now: clock.now})
	arn := createStreamed(t, e, "str", "KEYS_ONLY")
	for i := range 5 {
		putN(t, e, "a", i)
		clock.move(2 * time.Hour)
	}
	shards := shardsOf(t, e, arn)
	require.Len(t, shards, 3)
	require.Empty(t, shards[0].Parent)
	for i, h := range shards {
		require.Equal(t, i == 2, h.Range.EndingSequenceNumber == "")
		if i > 0 {
			require.Equal(t, shards[i-1].ShardID, h.Parent)
			require.Less(t, shards[i-1].Range.EndingSequenceNumber, h.Range.StartingSequenceNumber)
		}
	}
	events, next := recordsAt(t, e, iteratorAt(t, e, arn, shards[0].ShardID, "TRIM_HORIZON", ""), 1)
	require.Len(t, events, 1)
	require.NotEmpty(t, next, "there is more")
	events, next = recordsAt(t, e, next, 1)
	require.Len(t, events, 1)
	require.Empty(t, next, "the shard is closed and read")
	require.Equal(t, events[0].Change.SequenceNumber, shards[0].Range.EndingSequenceNumber)
	require.Len(t, all(t, e, arn), 5)

	page := decodeInto[struct {
		StreamDescription struct {
			Shards               []streamShard
			LastEvaluatedShardID string `json:"LastEvaluatedShardId"`
		}
	}](t, do(t, e, "DescribeStream", `{"StreamArn":%q,"Limit":2}`, arn)).StreamDescription
	require.Len(t, page.Shards, 2)
	require.Contains(t, do(t, e, "DescribeStream", `{"StreamArn":%q,"ExclusiveStartShardId":%q}`, arn, page.LastEvaluatedShardID), shards[2].ShardID)
	children := do(t, e, "DescribeStream", `{"StreamArn":%q,"ShardFilter":{"Type":"CHILD_SHARDS","ShardId":%q}}`, arn, shards[0].ShardID)
	require.Contains(t, children, `"ShardId":"`+shards[1].ShardID)
	require.NotContains(t, children, `"ShardId":"`+shards[2].ShardID)

	clock.move(100 * 24 * time.Hour) // no more shards than the time between shows
	require.Len(t, shardsOf(t, e, arn), 1)
	require.Empty(t, all(t, e, arn))
}

func TestStreamTrimming(t *testing.T) {
	clock := newHand()
	e := engine.New(engine.Config{Now: clock.now})
	arn := createStreamed(t, e, "str", "KEYS_ONLY")
	putN(t, e, "a", 1)
	clock.move(time.Hour)
	putN(t, e, "a", 2)
	first := shardsOf(t, e, arn)[0]
	events := all(t, e, arn)
	require.Len(t, events, 2)
	clock.move(23*time.Hour - time.Second)
	require.Len(t, all(t, e, arn), 2)
	old := iteratorAt(t, e, arn, first.ShardID, "TRIM_HORIZON", "")
	clock.move(time.Second)
	require.Contains(t, fails(t, e, "GetRecords", fmt.Sprintf(`{"ShardIterator":%q}`, old)), "TrimmedDataAccessException")
	require.Contains(t, fails(t, e, "GetShardIterator", fmt.Sprintf(`{"StreamArn":%q,"ShardId":%q,"ShardIteratorType":"AT_SEQUENCE_NUMBER","SequenceNumber":%q}`,
		arn, first.ShardID, events[0].Change.SequenceNumber)), "TrimmedDataAccessException")
	after := iteratorAt(t, e, arn, first.ShardID, "AFTER_SEQUENCE_NUMBER", `,"SequenceNumber":"`+events[0].Change.SequenceNumber+`"`)
	got, _ := recordsAt(t, e, after, 10)
	require.Empty(t, cmp.Diff(events[1:], got))
	require.Len(t, all(t, e, arn), 1)
	fresh := iteratorAt(t, e, arn, first.ShardID, "LATEST", "")
	clock.move(15 * time.Minute)
	recordsAt(t, e, fresh, 1)
	clock.move(time.Nanosecond)
	require.Contains(t, fails(t, e, "GetRecords", fmt.Sprintf(`{"ShardIterator":%q}`, fresh)), "ExpiredIteratorException")
	clock.move(time.Hour)
	require.Empty(t, all(t, e, arn))
}

func TestStreamOfExpiry(t *testing.T) {
	clock := newHand()
	e := engine.New(engine.Config{Now: clock.now})
	arn := createStreamed(t, e, "str", "NEW_AND_OLD_IMAGES")
	do(t, e, "UpdateTimeToLive", `{"TableName":"str","TimeToLiveSpecification":{"AttributeName":"n","Enabled":true}}`)
	putN(t, e, "a", int(clock.now().Add(time.Minute).Unix()))
	clock.move(2 * time.Minute)
	events := all(t, e, arn)
	require.Equal(t, []string{"INSERT a", "REMOVE a"}, names(events))
	require.Nil(t, events[0].Identity)
	require.NotNil(t, events[1].Identity)
	require.Equal(t, "Service", events[1].Identity.Type)
	require.Equal(t, "dynamodb.amazonaws.com", events[1].Identity.PrincipalId)
	require.Equal(t, clock.now().Unix(), events[1].Change.At)
}

func TestStreamEnds(t *testing.T) {
	clock := newHand()
	e := engine.New(engine.Config{Now: clock.now})
	first := createStreamed(t, e, "str", "KEYS_ONLY")
	putN(t, e, "a", 1)
	off := do(t, e, "UpdateTable", `{"TableName":"str","StreamSpecification":{"StreamEnabled":false}}`)
	require.Contains(t, off, `"LatestStreamArn":"`+first)
	require.NotContains(t, off, "StreamSpecification")
	putN(t, e, "a", 2)
	require.Contains(t, do(t, e, "DescribeStream", `{"StreamArn":%q}`, first), `"StreamStatus":"DISABLED"`)
	require.Len(t, all(t, e, first), 1)
	clock.move(time.Hour)
	on := do(t, e, "UpdateTable", `{"TableName":"str","StreamSpecification":{"StreamEnabled":true,"StreamViewType":"NEW_IMAGE"}}`)
	second := decodeInto[struct {
		TableDescription struct{ LatestStreamArn string }
	}](t, on).TableDescription.LatestStreamArn
	require.NotEqual(t, first, second)
	putN(t, e, "a", 3)
	require.Len(t, all(t, e, second), 1)
	list := do(t, e, "ListStreams", `{"TableName":"str","Limit":1}`)
	require.Contains(t, list, first)
	require.Contains(t, list, `"LastEvaluatedStreamArn":"`+first)
	require.Contains(t, do(t, e, "ListStreams", `{"ExclusiveStartStreamArn":%q}`, first), second)

	do(t, e, "DeleteTable", `{"TableName":"str"}`)
	third := createStreamed(t, e, "str", "KEYS_ONLY") // the clock stands: still a stream of its own
	require.NotEqual(t, second, third)
	require.Len(t, all(t, e, second), 1)
	require.Empty(t, all(t, e, third))
	clock.move(23 * time.Hour)
	require.Contains(t, fails(t, e, "DescribeStream", `{"StreamArn":"`+first+`"}`), "Stream: "+first+" not found")
	do(t, e, "DescribeStream", `{"StreamArn":%q}`, second)
	clock.move(time.Hour)
	require.Contains(t, fails(t, e, "DescribeStream", `{"StreamArn":"`+second+`"}`), "ResourceNotFoundException")
	require.Equal(t, `{"Streams":[{"StreamArn":"`+third+`","TableName":"str","StreamLabel":"`+third[len(third)-23:]+`"}]}`, do(t, e, "ListStreams", `{}`))
}

func TestStreamSnapshot(t *testing.T) {
	e := engine.New(engine.Config{Now: newHand().now})
	arn := createStreamed(t, e, "str", "KEYS_ONLY")
	putN(t, e, "a", 1)
	putN(t, e, "b", 1)
	s := e.Snapshot()
	putN(t, e, "c", 1)
	other := engine.New(engine.Config{Now: newHand().now})
	for range 2 {
		require.NoError(t, other.Restore(s))
		putN(t, other, "d", 1)
		require.Equal(t, []string{"INSERT a", "INSERT b", "INSERT d"}, names(all(t, other, arn)))
		require.Equal(t, []string{"INSERT a", "INSERT b", "INSERT c"}, names(all(t, e, arn)))
	}
	require.NoError(t, e.Restore(s))
	require.Equal(t, []string{"INSERT a", "INSERT b"}, names(all(t, e, arn)))
}

func TestStreamPages(t *testing.T) {
	e := engine.New(engine.Config{Now: newHand().now})
	arn := createStreamed(t, e, "str", "NEW_IMAGE")
	for i := range 1001 {
		putN(t, e, strconv.Itoa(i), i)
	}
	shard := shardsOf(t, e, arn)[0].ShardID
	events, next := recordsAt(t, e, iteratorAt(t, e, arn, shard, "TRIM_HORIZON", ""), 1000)
	require.Len(t, events, 1000)
	events, next = recordsAt(t, e, next, 1000)
	require.Len(t, events, 1)
	big := make([]byte, 300<<10)
	for i := range big {
		big[i] = 'x'
	}
	for i := range 5 {
		do(t, e, "PutItem", `{"TableName":"str","Item":{"pk":{"S":"big%d"},"t":{"S":%q}}}`, i, big)
	}
	events, next = recordsAt(t, e, next, 1000)
	require.Len(t, events, 3, "1 MB a page")
	events, _ = recordsAt(t, e, next, 1000)
	require.Len(t, events, 2)
}

func TestStreamRefuses(t *testing.T) {
	e := engine.New(engine.Config{Now: newHand().now})
	arn := createStreamed(t, e, "str", "KEYS_ONLY")
	shard := shardsOf(t, e, arn)[0].ShardID
	for _, tc := range []struct{ operation, body, fault string }{
		{"UpdateTable", `{"TableName":"str","StreamSpecification":{}}`, "Value null at 'streamSpecification.streamEnabled'"},
		{"UpdateTable", `{"TableName":"str","StreamSpecification":{"StreamEnabled":true,"StreamViewType":"KEYS_ONLY"}}`, "Table already has an enabled stream"},
		{"UpdateTable", `{"TableName":"str","StreamSpecification":{"StreamEnabled":false,"StreamViewType":"KEYS_ONLY"}}`, "UpdateViewType must not be specified"},
		{"DescribeStream", `{"StreamArn":"` + arn + `x"}`, "ResourceNotFoundException"},
		{"GetShardIterator", `{"StreamArn":"` + arn + `","ShardId":"` + shard + `x","ShardIteratorType":"LATEST"}`, "ResourceNotFoundException"},
		{"GetShardIterator", `{"StreamArn":"` + arn + `","ShardId":"` + shard + `","ShardIteratorType":"LATEST","SequenceNumber":"100000000000000000001"}`, "SequenceNumber should not be passed"},
		{"GetShardIterator", `{"StreamArn":"` + arn + `","ShardId":"` + shard + `","ShardIteratorType":"AT_SEQUENCE_NUMBER","SequenceNumber":"999999999999999999999"}`, "Invalid SequenceNumber"},
		{"GetRecords", `{"ShardIterator":"x"}`, "Invalid ShardIterator"},
		{"GetRecords", `{"ShardIterator":"` + arn + `|1|eHw="}`, "Invalid ShardIterator"},
		{"GetRecords", `{}`, "Value null at 'shardIterator'"},
	} {
		require.Contains(t, fails(t, e, tc.operation, tc.body), tc.fault, tc.body)
	}
}

// TestStreamWhileWriting reads while many write: every write is there exactly
// once, and those of an item in their order.
func TestStreamWhileWriting(t *testing.T) {
	const writers, writes = 8, 60
	clock := newHand()
	e := engine.New(engine.Config{Now: clock.now})
	arn := createStreamed(t, e, "str", "NEW_IMAGE")
	next := iteratorAt(t, e, arn, shardsOf(t, e, arn)[0].ShardID, "TRIM_HORIZON", "")
	var wg sync.WaitGroup
	for w := range writers {
		wg.Go(func() {
			for i := range writes {
				body := fmt.Sprintf(`{"TableName":"str","Item":{"pk":{"S":"%d"},"n":{"N":"%d"}}}`, w, i)
				if _, fault := e.Do("PutItem", []byte(body)); fault != nil {
					t.Error(fault)
				}
			}
		})
	}
	seen := map[string]int{}
	for read := 0; read < writers*writes; {
		var events []streamEvent
		events, next = recordsAt(t, e, next, 100)
		for _, ev := range events {
			pk := ev.Change.Keys["pk"]["S"]
			require.Equal(t, strconv.Itoa(seen[pk]), ev.Change.NewImage["n"]["N"], "item %s", pk)
			seen[pk]++
		}
		read += len(events)
	}
	wg.Wait()
	more, _ := recordsAt(t, e, next, 100)
	require.Empty(t, more)
	require.Len(t, seen, writers)
}
