package local_test

import (
	"os"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/dynamodbstreams"
	streamtypes "github.com/aws/aws-sdk-go-v2/service/dynamodbstreams/types"
	"github.com/stretchr/testify/require"

	"github.com/dynorm/dynorm/local"
)

// TestStreams reads a stream through the SDK's client: in process, over HTTP
// and, when there is one, from DynamoDB Local.
func TestStreams(t *testing.T) {
	embedded := open(t, local.Config{})
	server, err := embedded.Listen("127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, server.Close()) })
	engines := map[string]local.Config{
		"in process": {},
		"signed":     {Credentials: aws.Credentials{AccessKeyID: "key", SecretAccessKey: "secret"}},
		"over HTTP":  {Endpoint: server.URL()},
	}
	if url := os.Getenv("DYNORM_TEST_ENDPOINT"); url != "" {
		engines["DynamoDB Local"] = local.Config{Endpoint: url}
	}
	for name, cfg := range engines {
		t.Run(name, func(t *testing.T) {
			e, err := local.Open(t.Context(), cfg)
			require.NoError(t, err)
			defer e.Close()
			readStream(t, e)
		})
	}
}

func readStream(t *testing.T, e *local.Engine) {
	ctx, table := t.Context(), aws.String("streamed")
	made, err := e.Client().CreateTable(ctx, &dynamodb.CreateTableInput{
		TableName: table, BillingMode: types.BillingModePayPerRequest,
		AttributeDefinitions: []types.AttributeDefinition{{AttributeName: aws.String("pk"), AttributeType: types.ScalarAttributeTypeS}},
		KeySchema:            []types.KeySchemaElement{{AttributeName: aws.String("pk"), KeyType: types.KeyTypeHash}},
		StreamSpecification:  &types.StreamSpecification{StreamEnabled: aws.Bool(true), StreamViewType: types.StreamViewTypeNewImage},
	})
	require.NoError(t, err)
	defer func() {
		_, err := e.Client().DeleteTable(ctx, &dynamodb.DeleteTableInput{TableName: table})
		require.NoError(t, err)
	}()
	arn := made.TableDescription.LatestStreamArn
	require.NotEmpty(t, aws.ToString(arn))
	_, err = e.Client().PutItem(ctx, &dynamodb.PutItemInput{TableName: table, Item: map[string]types.AttributeValue{
		"pk": &types.AttributeValueMemberS{Value: "a"}, "n": &types.AttributeValueMemberN{Value: "7"},
	}})
	require.NoError(t, err)

	list, err := e.Streams().ListStreams(ctx, &dynamodbstreams.ListStreamsInput{TableName: table})
	require.NoError(t, err)
	require.NotEmpty(t, list.Streams)
	described, err := e.Streams().DescribeStream(ctx, &dynamodbstreams.DescribeStreamInput{StreamArn: arn})
	require.NoError(t, err)
	require.Equal(t, streamtypes.StreamStatusEnabled, described.StreamDescription.StreamStatus)
	require.Len(t, described.StreamDescription.Shards, 1)
	from, err := e.Streams().GetShardIterator(ctx, &dynamodbstreams.GetShardIteratorInput{
		StreamArn: arn, ShardId: described.StreamDescription.Shards[0].ShardId, ShardIteratorType: streamtypes.ShardIteratorTypeTrimHorizon,
	})
	require.NoError(t, err)
	out, err := e.Streams().GetRecords(ctx, &dynamodbstreams.GetRecordsInput{ShardIterator: from.ShardIterator})
	require.NoError(t, err)
	require.Len(t, out.Records, 1)
	record := out.Records[0]
	require.Equal(t, streamtypes.OperationTypeInsert, record.EventName)
	require.Equal(t, &streamtypes.AttributeValueMemberN{Value: "7"}, record.Dynamodb.NewImage["n"])
	require.Equal(t, streamtypes.StreamViewTypeNewImage, record.Dynamodb.StreamViewType)
	require.NotNil(t, record.Dynamodb.ApproximateCreationDateTime)
	require.NotNil(t, out.NextShardIterator)

	_, err = e.Streams().DescribeStream(ctx, &dynamodbstreams.DescribeStreamInput{StreamArn: aws.String(*arn + "x")})
	var missing *streamtypes.ResourceNotFoundException
	require.ErrorAs(t, err, &missing)
}
