package local_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/stretchr/testify/require"

	"github.com/dynorm/dynorm/local"
)

func TestOpenErrors(t *testing.T) {
	_, err := local.Open(t.Context(), local.Config{Endpoint: "http://localhost:1", Jar: "x.jar"})
	require.ErrorContains(t, err, "Config.Endpoint and Config.Jar")
	_, err = local.Open(t.Context(), local.Config{Jar: "/nowhere/x.jar"})
	require.Error(t, err)
}

func TestSnapshot(t *testing.T) {
	e := open(t, local.Config{})
	for i := range 100 {
		require.NoError(t, putOnce(t, e, fmt.Sprint(i)))
	}
	s, err := e.Snapshot()
	require.NoError(t, err)
	for i := range 50 {
		_, err := e.Client().DeleteItem(t.Context(), &dynamodb.DeleteItemInput{TableName: aws.String("app"), Key: item(fmt.Sprint(i), "1")})
		require.NoError(t, err)
	}
	createTable(t, e.Client(), "other")
	count := func(e *local.Engine) int {
		out, err := e.Client().Scan(t.Context(), &dynamodb.ScanInput{TableName: aws.String("app"), Select: types.SelectCount})
		require.NoError(t, err)
		return int(out.Count)
	}
	require.Equal(t, 50, count(e))
	other, err := local.Open(t.Context(), local.Config{})
	require.NoError(t, err)
	for range 2 { // as often as one likes
		for _, target := range []*local.Engine{e, other} {
			require.NoError(t, target.Restore(s))
			require.Equal(t, 100, count(target))
			require.NoError(t, putOnce(t, target, "later"))
			out, err := target.Client().ListTables(t.Context(), &dynamodb.ListTablesInput{})
			require.NoError(t, err)
			require.Equal(t, []string{"app"}, out.TableNames)
		}
	}

	remote, err := local.Open(t.Context(), local.Config{Endpoint: "http://localhost:1"})
	require.NoError(t, err)
	_, err = remote.Snapshot()
	require.ErrorIs(t, err, local.ErrNotEmbedded)
	require.ErrorIs(t, remote.Restore(s), local.ErrNotEmbedded)
}

func TestExpiry(t *testing.T) {
	e := open(t, local.Config{})
	now := time.Unix(1_800_000_000, 0)
	e.Clock().Set(now)
	put := func(pk string, at time.Time) {
		it := item(pk, "1", "city", "Köln")
		it["ttl"] = &types.AttributeValueMemberN{Value: fmt.Sprint(at.Unix())}
		_, err := e.Client().PutItem(t.Context(), &dynamodb.PutItemInput{TableName: aws.String("app"), Item: it})
		require.NoError(t, err)
	}
	put("before", now.Add(time.Minute)) // there before TTL is on
	_, err := e.Client().UpdateTimeToLive(t.Context(), &dynamodb.UpdateTimeToLiveInput{
		TableName:               aws.String("app"),
		TimeToLiveSpecification: &types.TimeToLiveSpecification{AttributeName: aws.String("ttl"), Enabled: aws.Bool(true)},
	})
	require.NoError(t, err)
	put("soon", now.Add(time.Minute))
	put("later", now.Add(time.Hour))
	put("ancient", now.AddDate(-6, 0, 0))
	require.NoError(t, putOnce(t, e, "never"))

	e.Clock().Advance(time.Minute)
	require.True(t, exists(t, e, "soon"), "expired items stay for a while")
	e.Clock().Advance(10 * time.Second)
	require.False(t, exists(t, e, "soon"))
	require.False(t, exists(t, e, "before"))
	require.True(t, exists(t, e, "later"))
	require.True(t, exists(t, e, "ancient"), "what is more than five years past is not deleted")
	out, err := e.Client().Scan(t.Context(), &dynamodb.ScanInput{TableName: aws.String("app"), IndexName: aws.String("by-city")})
	require.NoError(t, err)
	require.Len(t, out.Items, 2, "the index goes with the table")
	e.Clock().Advance(24 * time.Hour)
	require.False(t, exists(t, e, "later"))
	require.True(t, exists(t, e, "never"))
}

func TestTokens(t *testing.T) {
	e := open(t, local.Config{})
	e.Clock().Set(time.Unix(1_800_000_000, 0))
	write := func(pk string) error {
		_, err := e.Client().TransactWriteItems(t.Context(), &dynamodb.TransactWriteItemsInput{
			ClientRequestToken: aws.String("token"),
			TransactItems: []types.TransactWriteItem{{Update: &types.Update{
				TableName: aws.String("app"), Key: item(pk, "1"), UpdateExpression: aws.String("ADD n :one"),
				ExpressionAttributeValues: map[string]types.AttributeValue{":one": &types.AttributeValueMemberN{Value: "1"}},
			}}},
		})
		return err
	}
	count := func() string {
		out, err := e.Client().GetItem(t.Context(), &dynamodb.GetItemInput{TableName: aws.String("app"), Key: item("a", "1")})
		require.NoError(t, err)
		return out.Item["n"].(*types.AttributeValueMemberN).Value
	}
	require.NoError(t, write("a"))
	require.NoError(t, write("a"))
	require.Equal(t, "1", count(), "the same request again does nothing")
	var mismatch *types.IdempotentParameterMismatchException
	require.ErrorAs(t, write("b"), &mismatch)
	e.Clock().Advance(10 * time.Minute)
	require.NoError(t, write("a"))
	require.Equal(t, "2", count(), "ten minutes later it is a new request")
}

func TestTableStates(t *testing.T) {
	e, err := local.Open(t.Context(), local.Config{TableDelay: time.Second})
	require.NoError(t, err)
	e.Clock().Set(time.Unix(1_800_000_000, 0))
	c := e.Client()
	status := func() types.TableStatus {
		out, err := c.DescribeTable(t.Context(), &dynamodb.DescribeTableInput{TableName: aws.String("app")})
		var gone *types.ResourceNotFoundException
		if errors.As(err, &gone) {
			return "gone"
		}
		require.NoError(t, err)
		return out.Table.TableStatus
	}
	createTable(t, c, "app")
	require.Equal(t, types.TableStatusCreating, status())
	require.Error(t, putOnce(t, e, "a"))
	e.Clock().Advance(time.Second)
	require.Equal(t, types.TableStatusActive, status())
	require.NoError(t, putOnce(t, e, "a"))

	_, err = c.UpdateTable(t.Context(), &dynamodb.UpdateTableInput{
		TableName: aws.String("app"),
		AttributeDefinitions: []types.AttributeDefinition{
			{AttributeName: aws.String("pk"), AttributeType: types.ScalarAttributeTypeS},
			{AttributeName: aws.String("sk"), AttributeType: types.ScalarAttributeTypeS},
			{AttributeName: aws.String("city"), AttributeType: types.ScalarAttributeTypeS},
		},
		GlobalSecondaryIndexUpdates: []types.GlobalSecondaryIndexUpdate{{Create: &types.CreateGlobalSecondaryIndexAction{
			IndexName:  aws.String("by-sk"),
			KeySchema:  []types.KeySchemaElement{{AttributeName: aws.String("sk"), KeyType: types.KeyTypeHash}},
			Projection: &types.Projection{ProjectionType: types.ProjectionTypeKeysOnly},
		}}},
	})
	require.NoError(t, err)
	require.Equal(t, types.TableStatusUpdating, status())
	scan := func() (int, error) {
		out, err := c.Scan(t.Context(), &dynamodb.ScanInput{TableName: aws.String("app"), IndexName: aws.String("by-sk")})
		if err != nil {
			return 0, err
		}
		return len(out.Items), nil
	}
	_, err = scan()
	require.Error(t, err, "it is being filled")
	e.Clock().Advance(time.Second)
	n, err := scan()
	require.NoError(t, err)
	require.Equal(t, 1, n)

	_, err = c.DeleteTable(t.Context(), &dynamodb.DeleteTableInput{TableName: aws.String("app")})
	require.NoError(t, err)
	require.Equal(t, types.TableStatusDeleting, status())
	e.Clock().Advance(time.Second)
	require.Equal(t, types.TableStatus("gone"), status())
}

func TestRecord(t *testing.T) {
	e := open(t, local.Config{})
	r := e.Record()
	require.NoError(t, putOnce(t, e, "a"))
	require.True(t, exists(t, e, "a"))
	r.Stop()
	require.NoError(t, putOnce(t, e, "b"))
	require.Equal(t, []string{"PutItem", "GetItem"}, r.Operations())
	put := r.Requests()[0]
	require.Equal(t, 200, put.Status)
	require.JSONEq(t, `{"TableName":"app","Item":{"pk":{"S":"a"},"sk":{"S":"1"}}}`, put.Body)
	require.Equal(t, "{}", put.Answer)
	r.Reset()
	require.Empty(t, r.Requests())
}
