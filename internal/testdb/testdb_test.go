package testdb_test

import (
	"errors"
	"regexp"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
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
func TestOpenDropsTables(t *testing.T) {
	t.Parallel()
	var names []string
	t.Run("owner", func(t *testing.T) {
		client := testdb.Open(t)
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
	options := testdb.Open(t).Options()
	require.Equal(t, testdb.Region, options.Region)
	got, err := options.Credentials.Retrieve(t.Context())
	require.NoError(t, err)
	require.Equal(t, "dynorm", got.AccessKeyID)
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
