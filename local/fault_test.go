package local_test

import (
	"errors"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/stretchr/testify/require"

	"github.com/dynorm/dynorm/local"
)

// once is a client option: no retries, so that each fault is seen.
func once(o *dynamodb.Options) { o.RetryMaxAttempts = 1 }

func inject(t *testing.T, e *local.Engine, faults ...local.Fault) (stop func()) {
	t.Helper()
	stop, err := e.Inject(faults...)
	require.NoError(t, err)
	return stop
}

func putOnce(t *testing.T, e *local.Engine, pk string) error {
	t.Helper()
	_, err := e.Client().PutItem(t.Context(), &dynamodb.PutItemInput{TableName: aws.String("app"), Item: item(pk, "1")}, once)
	return err
}

func exists(t *testing.T, e *local.Engine, pk string) bool {
	t.Helper()
	out, err := e.Client().GetItem(t.Context(), &dynamodb.GetItemInput{TableName: aws.String("app"), Key: item(pk, "1")})
	require.NoError(t, err)
	return len(out.Item) > 0
}

func TestThrottleAndInternalError(t *testing.T) {
	e := open(t, local.Config{})
	stop := inject(t, e, local.Fault{Kind: local.Throttle, Operations: []string{"PutItem"}, Times: 1})
	var throttled *types.ProvisionedThroughputExceededException
	require.ErrorAs(t, putOnce(t, e, "a"), &throttled)
	require.False(t, exists(t, e, "a"))
	require.NoError(t, putOnce(t, e, "a"), "the order was for one request")
	stop()

	defer inject(t, e, local.Fault{Kind: local.InternalError})()
	var internal *types.InternalServerError
	require.ErrorAs(t, putOnce(t, e, "b"), &internal)
}

func TestLostResponse(t *testing.T) {
	e := open(t, local.Config{})
	stop := inject(t, e, local.Fault{Kind: local.LostResponse, Operations: []string{"PutItem"}})
	require.ErrorContains(t, putOnce(t, e, "a"), "answer was lost")
	stop()
	require.True(t, exists(t, e, "a"), "the request took effect")
}

func TestLostResponseOverHTTP(t *testing.T) {
	e := open(t, local.Config{})
	s, err := e.Listen("127.0.0.1:0")
	require.NoError(t, err)
	remote, err := local.Open(t.Context(), local.Config{Endpoint: s.URL()})
	require.NoError(t, err)
	defer inject(t, e, local.Fault{Kind: local.LostResponse, Operations: []string{"PutItem"}})()
	require.Error(t, putOnce(t, remote, "a"))
	require.True(t, exists(t, remote, "a"))
	require.NoError(t, remote.Close())
	require.NoError(t, s.Close())
}

func TestConflict(t *testing.T) {
	e := open(t, local.Config{})
	stop := inject(t, e, local.Fault{Kind: local.Conflict, Operations: []string{"PutItem"}})
	var conflict *types.TransactionConflictException
	require.ErrorAs(t, putOnce(t, e, "a"), &conflict)
	stop()

	defer inject(t, e, local.Fault{Kind: local.Conflict, Times: 1})()
	put := func(pk string) types.TransactWriteItem {
		return types.TransactWriteItem{Put: &types.Put{TableName: aws.String("app"), Item: item(pk, "1")}}
	}
	_, err := e.Client().TransactWriteItems(t.Context(), &dynamodb.TransactWriteItemsInput{TransactItems: []types.TransactWriteItem{put("a"), put("b")}}, once)
	var canceled *types.TransactionCanceledException
	require.ErrorAs(t, err, &canceled)
	require.Len(t, canceled.CancellationReasons, 2)
	require.Equal(t, "TransactionConflict", *canceled.CancellationReasons[0].Code)
	require.Equal(t, "None", *canceled.CancellationReasons[1].Code)
	require.False(t, exists(t, e, "a") || exists(t, e, "b"))
}

// TestUnprocessed checks that what is left undone comes back as it was sent,
// and that the same seed hits the same parts.
func TestUnprocessed(t *testing.T) {
	run := func() (left int) {
		e := open(t, local.Config{Seed: 7})
		defer inject(t, e, local.Fault{Kind: local.Unprocessed, Rate: 0.5})()
		var writes []types.WriteRequest
		for i := range 20 {
			writes = append(writes, types.WriteRequest{PutRequest: &types.PutRequest{Item: item(string(rune('a'+i)), "1")}})
		}
		out, err := e.Client().BatchWriteItem(t.Context(), &dynamodb.BatchWriteItemInput{RequestItems: map[string][]types.WriteRequest{"app": writes}})
		require.NoError(t, err)
		undone := map[string]bool{}
		for _, w := range out.UnprocessedItems["app"] {
			undone[w.PutRequest.Item["pk"].(*types.AttributeValueMemberS).Value] = true
		}
		for i := range 20 {
			pk := string(rune('a' + i))
			require.NotEqual(t, undone[pk], exists(t, e, pk))
		}
		return len(undone)
	}
	first := run()
	require.Greater(t, first, 0)
	require.Less(t, first, 20)
	require.Equal(t, first, run())
}

func TestUnprocessedKeys(t *testing.T) {
	e := open(t, local.Config{})
	require.NoError(t, putOnce(t, e, "a"))
	defer inject(t, e, local.Fault{Kind: local.Unprocessed, Times: 1})()
	in := map[string]types.KeysAndAttributes{"app": {
		Keys: []map[string]types.AttributeValue{item("a", "1")}, ConsistentRead: aws.Bool(true),
		ProjectionExpression: aws.String("#p"), ExpressionAttributeNames: map[string]string{"#p": "pk"},
	}}
	out, err := e.Client().BatchGetItem(t.Context(), &dynamodb.BatchGetItemInput{RequestItems: in})
	require.NoError(t, err)
	require.Empty(t, out.Responses["app"])
	require.Equal(t, in, out.UnprocessedKeys, "what is left can be sent as it is")
	out, err = e.Client().BatchGetItem(t.Context(), &dynamodb.BatchGetItemInput{RequestItems: out.UnprocessedKeys})
	require.NoError(t, err)
	require.Equal(t, []map[string]types.AttributeValue{{"pk": str("a")}}, out.Responses["app"])
}

func TestLatency(t *testing.T) {
	e := open(t, local.Config{})
	defer inject(t, e, local.Fault{Kind: local.Latency, Delay: 30 * time.Millisecond})()
	start := time.Now()
	require.NoError(t, putOnce(t, e, "a"))
	require.GreaterOrEqual(t, time.Since(start), 30*time.Millisecond)
}

func TestIndexDelay(t *testing.T) {
	e := open(t, local.Config{})
	defer inject(t, e, local.Fault{Kind: local.IndexDelay, Delay: time.Second})()
	e.Clock().Set(time.Unix(1_800_000_000, 0))
	found := func() int {
		out, err := e.Client().Scan(t.Context(), &dynamodb.ScanInput{TableName: aws.String("app"), IndexName: aws.String("by-city")})
		require.NoError(t, err)
		return len(out.Items)
	}
	put := func(city string) {
		_, err := e.Client().PutItem(t.Context(), &dynamodb.PutItemInput{TableName: aws.String("app"), Item: item("a", "1", "city", city)})
		require.NoError(t, err)
	}
	put("Köln")
	put("Bonn")
	require.True(t, exists(t, e, "a"), "the table has it at once")
	require.Zero(t, found())
	e.Clock().Advance(time.Second)
	require.Equal(t, 1, found(), "the later change comes last")
}

func TestInjectErrors(t *testing.T) {
	e := open(t, local.Config{})
	for _, f := range []local.Fault{
		{},
		{Kind: local.Throttle, Rate: 2},
		{Kind: local.Latency},
		{Kind: local.Throttle, Delay: time.Second},
	} {
		_, err := e.Inject(f)
		require.Error(t, err, "%+v", f)
	}
	remote, err := local.Open(t.Context(), local.Config{Endpoint: "http://localhost:1"})
	require.NoError(t, err)
	_, err = remote.Inject(local.Fault{Kind: local.Throttle})
	require.True(t, errors.Is(err, local.ErrNotEmbedded))
}
