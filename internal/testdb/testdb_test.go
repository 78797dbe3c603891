package testdb_test

import (
	"errors"
	"regexp"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/smithy-go/middleware"
	"github.com/stretchr/testify/require"

	"github.com/dynorm/dynorm/internal/testdb"
)

func createTable(t *testing.T, client *dynamodb.Client, name string, protected bool) {
	t.Helper()
	_, err := client.CreateTable(t.Context(), &dynamodb.CreateTableInput{
		TableName:                 aws.String(name),
		BillingMode:               types.BillingModePayPerRequest,
		DeletionProtectionEnabled: aws.Bool(protected),
		AttributeDefinitions:      []types.AttributeDefinition{{AttributeName: aws.String("pk"), AttributeType: types.ScalarAttributeTypeS}},
		KeySchema:                 []types.KeySchemaElement{{AttributeName: aws.String("pk"), KeyType: types.KeyTypeHash}},
	})
	require.NoError(t, err)
}

func TestOpenAnswers(t *testing.T) {
	t.Parallel()
	client, name := testdb.Open(t), testdb.Table(t)
	createTable(t, client, name, false)
	item := map[string]types.AttributeValue{"pk": &types.AttributeValueMemberS{Value: "a"}}
	_, err := client.PutItem(t.Context(), &dynamodb.PutItemInput{TableName: aws.String(name), Item: item})
	require.NoError(t, err)
	out, err := client.GetItem(t.Context(), &dynamodb.GetItemInput{TableName: aws.String(name), Key: item})
	require.NoError(t, err)
	require.Equal(t, item, out.Item)
}

// A test's tables are gone when it ends, protected ones and those it deleted
// itself included.
func TestTablesAreDropped(t *testing.T) {
	t.Parallel()
	var names []string
	t.Run("owner", func(t *testing.T) {
		client := testdb.Open(t)
		testdb.Table(t) // never created
		for _, protected := range []bool{false, true, false} {
			name := testdb.Table(t)
			createTable(t, client, name, protected)
			names = append(names, name)
		}
		_, err := client.DeleteTable(t.Context(), &dynamodb.DeleteTableInput{TableName: aws.String(names[2])})
		require.NoError(t, err)
	})
	client := testdb.Open(t)
	for _, name := range names {
		_, err := client.DescribeTable(t.Context(), &dynamodb.DescribeTableInput{TableName: aws.String(name)})
		var gone *types.ResourceNotFoundException
		require.True(t, errors.As(err, &gone), "table %s: %v", name, err)
	}
}

// The environment must not leak into test clients: a developer's own
// credentials or region can't reach a test.
func TestOpenIgnoresEnvironment(t *testing.T) {
	t.Setenv("AWS_REGION", "eu-west-1")
	t.Setenv("AWS_ACCESS_KEY_ID", "someone")
	t.Setenv("AWS_ENDPOINT_URL", "http://localhost:1")
	client, name := testdb.Open(t), testdb.Table(t)
	require.Equal(t, "us-east-1", client.Options().Region)
	got, err := client.Options().Credentials.Retrieve(t.Context())
	require.NoError(t, err)
	require.Equal(t, "local", got.AccessKeyID)
	createTable(t, client, name, false)
}

func TestOpenOptions(t *testing.T) {
	t.Parallel()
	name := testdb.Table(t)
	var seen []string
	client := testdb.Open(t, func(o *dynamodb.Options) {
		o.APIOptions = append(o.APIOptions, func(stack *middleware.Stack) error {
			seen = append(seen, stack.ID())
			return nil
		})
	})
	createTable(t, client, name, false)
	require.Equal(t, []string{"CreateTable"}, seen)
}

// Every test has an engine of its own where the engine is embedded, and one
// that outlives it where it is a server.
func TestEngineIsOwn(t *testing.T) {
	t.Parallel()
	name := testdb.Table(t)
	createTable(t, testdb.Open(t), name, false)
	out, err := testdb.Open(t).ListTables(t.Context(), &dynamodb.ListTablesInput{})
	require.NoError(t, err)
	if testdb.Endpoint() == "" {
		require.Empty(t, out.TableNames)
	} else {
		require.Contains(t, out.TableNames, name)
	}
}

func TestTableNames(t *testing.T) {
	t.Parallel()
	valid := regexp.MustCompile(`^[a-zA-Z0-9_.-]{3,255}$`)
	seen := map[string]bool{}
	for _, sub := range []string{"plain", "with space / slash", "π", strings.Repeat("long", 100)} {
		t.Run(sub, func(t *testing.T) {
			for range 3 {
				name := testdb.Table(t)
				require.Regexp(t, valid, name)
				require.False(t, seen[name], name)
				seen[name] = true
			}
		})
	}
}
