package local_test

import (
	"context"
	"os"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/dynorm/dynorm/local"
)

// children are what processes that tests start do with the directory that the
// environment variable names.
var children = map[string]func(dir string){killDir: killed}

func TestMain(m *testing.M) {
	for name, run := range children {
		if dir := os.Getenv(name); dir != "" {
			run(dir)
			return
		}
	}
	goleak.VerifyTestMain(m)
}

// open returns an engine with an empty table "app" of keys pk and sk.
func open(t testing.TB, cfg local.Config) *local.Engine {
	t.Helper()
	e, err := local.Open(t.Context(), cfg)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, e.Close()) })
	createTable(t, e.Client(), "app")
	return e
}

func createTable(t testing.TB, c *dynamodb.Client, name string) {
	t.Helper()
	_, err := c.CreateTable(context.Background(), &dynamodb.CreateTableInput{
		TableName: aws.String(name), BillingMode: types.BillingModePayPerRequest,
		AttributeDefinitions: []types.AttributeDefinition{
			{AttributeName: aws.String("pk"), AttributeType: types.ScalarAttributeTypeS},
			{AttributeName: aws.String("sk"), AttributeType: types.ScalarAttributeTypeS},
			{AttributeName: aws.String("city"), AttributeType: types.ScalarAttributeTypeS},
		},
		KeySchema: []types.KeySchemaElement{
			{AttributeName: aws.String("pk"), KeyType: types.KeyTypeHash},
			{AttributeName: aws.String("sk"), KeyType: types.KeyTypeRange},
		},
		GlobalSecondaryIndexes: []types.GlobalSecondaryIndex{{
			IndexName:  aws.String("by-city"),
			KeySchema:  []types.KeySchemaElement{{AttributeName: aws.String("city"), KeyType: types.KeyTypeHash}},
			Projection: &types.Projection{ProjectionType: types.ProjectionTypeAll},
		}},
	})
	require.NoError(t, err)
}

func str(s string) types.AttributeValue { return &types.AttributeValueMemberS{Value: s} }

func item(pk, sk string, more ...string) map[string]types.AttributeValue {
	it := map[string]types.AttributeValue{"pk": str(pk), "sk": str(sk)}
	for i := 0; i+1 < len(more); i += 2 {
		it[more[i]] = str(more[i+1])
	}
	return it
}

func TestPutAndGet(t *testing.T) {
	c := open(t, local.Config{}).Client()
	_, err := c.PutItem(t.Context(), &dynamodb.PutItemInput{TableName: aws.String("app"), Item: item("a", "1", "city", "Köln \"\n")})
	require.NoError(t, err)
	out, err := c.GetItem(t.Context(), &dynamodb.GetItemInput{TableName: aws.String("app"), Key: item("a", "1")})
	require.NoError(t, err)
	require.Equal(t, item("a", "1", "city", "Köln \"\n"), out.Item)
	scanned, err := c.Scan(t.Context(), &dynamodb.ScanInput{TableName: aws.String("app"), IndexName: aws.String("by-city")})
	require.NoError(t, err)
	require.Len(t, scanned.Items, 1)
}
