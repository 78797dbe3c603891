package local_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/stretchr/testify/require"

	"github.com/dynorm/dynorm/local"
)

// reopened returns an engine over the same path.
func reopened(t testing.TB, cfg local.Config) *local.Engine {
	t.Helper()
	e, err := local.Open(t.Context(), cfg)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, e.Close()) })
	return e
}

// tableState is all that requests can tell of a table.
type tableState struct {
	Description *types.TableDescription
	TTL         *types.TimeToLiveDescription
	Tags        []types.Tag
	Items       []map[string]types.AttributeValue
	Indexes     map[string][]map[string]types.AttributeValue
}

// stateOf returns what requests can tell of the engine's tables.
func stateOf(t testing.TB, c *dynamodb.Client) map[string]tableState {
	t.Helper()
	ctx := context.Background()
	names, err := c.ListTables(ctx, &dynamodb.ListTablesInput{})
	require.NoError(t, err)
	all := make(map[string]tableState)
	for _, name := range names.TableNames {
		table, err := c.DescribeTable(ctx, &dynamodb.DescribeTableInput{TableName: &name})
		require.NoError(t, err)
		ttl := &dynamodb.DescribeTimeToLiveOutput{}
		if status := table.Table.TableStatus; status != types.TableStatusCreating && status != types.TableStatusDeleting {
			ttl, err = c.DescribeTimeToLive(ctx, &dynamodb.DescribeTimeToLiveInput{TableName: &name})
			require.NoError(t, err)
		}
		tags, err := c.ListTagsOfResource(ctx, &dynamodb.ListTagsOfResourceInput{ResourceArn: table.Table.TableArn})
		require.NoError(t, err)
		s := tableState{Description: table.Table, TTL: ttl.TimeToLiveDescription, Tags: tags.Tags, Indexes: make(map[string][]map[string]types.AttributeValue)}
		if table.Table.TableStatus != types.TableStatusCreating {
			s.Items = scanned(t, c, name, nil)
			for _, x := range table.Table.GlobalSecondaryIndexes {
				if x.IndexStatus == types.IndexStatusActive {
					s.Indexes[*x.IndexName] = scanned(t, c, name, x.IndexName)
				}
			}
			for _, x := range table.Table.LocalSecondaryIndexes {
				s.Indexes[*x.IndexName] = scanned(t, c, name, x.IndexName)
			}
		}
		all[name] = s
	}
	return all
}

func scanned(t testing.TB, c *dynamodb.Client, table string, index *string) []map[string]types.AttributeValue {
	t.Helper()
	items, err := scanAll(c, table, index)
	require.NoError(t, err)
	return items
}

func requireSame(t testing.TB, want, got map[string]tableState) {
	t.Helper()
	require.Empty(t, cmp.Diff(want, got, cmpopts.IgnoreUnexported(
		types.TableDescription{}, types.TimeToLiveDescription{}, types.Tag{}, types.AttributeDefinition{}, types.KeySchemaElement{}, types.Projection{},
		types.GlobalSecondaryIndexDescription{}, types.LocalSecondaryIndexDescription{}, types.ProvisionedThroughputDescription{}, types.BillingModeSummary{},
		types.StreamSpecification{}, types.SSEDescription{}, types.TableClassSummary{}, types.OnDemandThroughput{}, types.TableWarmThroughputDescription{},
		types.GlobalSecondaryIndexWarmThroughputDescription{},
		types.AttributeValueMemberS{}, types.AttributeValueMemberN{}, types.AttributeValueMemberB{}, types.AttributeValueMemberSS{}, types.AttributeValueMemberNS{},
		types.AttributeValueMemberBS{}, types.AttributeValueMemberL{}, types.AttributeValueMemberM{}, types.AttributeValueMemberBOOL{}, types.AttributeValueMemberNULL{},
	)))
}

// createRich creates a table that has all that a definition can have.
func createRich(t testing.TB, c *dynamodb.Client, name string) {
	t.Helper()
	key := func(name string, role types.KeyType) types.KeySchemaElement {
		return types.KeySchemaElement{AttributeName: &name, KeyType: role}
	}
	def := func(name string, kind types.ScalarAttributeType) types.AttributeDefinition {
		return types.AttributeDefinition{AttributeName: &name, AttributeType: kind}
	}
	units := &types.ProvisionedThroughput{ReadCapacityUnits: aws.Int64(5), WriteCapacityUnits: aws.Int64(6)}
	_, err := c.CreateTable(t.Context(), &dynamodb.CreateTableInput{
		TableName: &name, BillingMode: types.BillingModeProvisioned, ProvisionedThroughput: units,
		AttributeDefinitions: []types.AttributeDefinition{def("pk", "B"), def("sk", "N"), def("at", "N"), def("a", "S"), def("b", "S"), def("c", "B")},
		KeySchema:            []types.KeySchemaElement{key("pk", "HASH"), key("sk", "RANGE")},
		LocalSecondaryIndexes: []types.LocalSecondaryIndex{{
			IndexName: aws.String("by-at"), KeySchema: []types.KeySchemaElement{key("pk", "HASH"), key("at", "RANGE")},
			Projection: &types.Projection{ProjectionType: types.ProjectionTypeInclude, NonKeyAttributes: []string{"a", "more"}},
		}},
		GlobalSecondaryIndexes: []types.GlobalSecondaryIndex{{
			IndexName: aws.String("composite"), KeySchema: []types.KeySchemaElement{key("a", "HASH"), key("b", "HASH"), key("at", "RANGE"), key("c", "RANGE")},
			Projection: &types.Projection{ProjectionType: types.ProjectionTypeKeysOnly}, ProvisionedThroughput: units,
		}},
		DeletionProtectionEnabled: aws.Bool(true), TableClass: types.TableClassStandardInfrequentAccess,
		StreamSpecification: &types.StreamSpecification{StreamEnabled: aws.Bool(true), StreamViewType: types.StreamViewTypeNewAndOldImages},
		SSESpecification:    &types.SSESpecification{Enabled: aws.Bool(true)},
		Tags:                []types.Tag{{Key: aws.String("team"), Value: aws.String("")}, {Key: aws.String("stage"), Value: aws.String("test")}},
	})
	require.NoError(t, err)
}

func richItem(i int) map[string]types.AttributeValue {
	num := func(s string) types.AttributeValue { return &types.AttributeValueMemberN{Value: s} }
	it := map[string]types.AttributeValue{
		"pk": &types.AttributeValueMemberB{Value: []byte{byte(i), 0, 0xFF}}, "sk": num("-" + strconv.Itoa(i) + ".25"),
		"at": num("1e" + strconv.Itoa(i)), "a": str(fmt.Sprint("a", i%3)), "b": str(""), "c": &types.AttributeValueMemberB{Value: []byte{0}},
		"list": &types.AttributeValueMemberL{Value: []types.AttributeValue{
			&types.AttributeValueMemberNULL{Value: true}, &types.AttributeValueMemberBOOL{Value: i%2 == 0}, &types.AttributeValueMemberL{},
			&types.AttributeValueMemberM{Value: map[string]types.AttributeValue{"é": num("0.5"), "": nil}},
		}},
		"ss": &types.AttributeValueMemberSS{Value: []string{"b", "a"}}, "ns": &types.AttributeValueMemberNS{Value: []string{"10", "9.5"}},
		"bs": &types.AttributeValueMemberBS{Value: [][]byte{{2}, {1, 0}}}, "map": &types.AttributeValueMemberM{},
		"more": str("Köln"), "dies": num(strconv.FormatInt(epoch.Add(time.Duration(i)*time.Hour).Unix(), 10)),
	}
	delete(it["list"].(*types.AttributeValueMemberL).Value[3].(*types.AttributeValueMemberM).Value, "")
	if i%4 == 0 {
		delete(it, "at") // in no index
	}
	if it["b"] = str("b"); i%5 == 0 {
		delete(it, "b") // not in the global index
	}
	return it
}

var epoch = time.Date(2026, 3, 1, 12, 0, 0, 123456789, time.UTC)

// TestReopen goes through every kind of change, and finds all as it was after
// each step when the engine is opened again.
func TestReopen(t *testing.T) {
	clock := &local.Clock{}
	clock.Set(epoch)
	cfg := local.Config{Path: filepath.Join(t.TempDir(), "made", "on demand"), Clock: clock, TableDelay: time.Minute, ExpiryDelay: -1}
	ctx := t.Context()
	for _, step := range []struct {
		name string
		do   func(c *dynamodb.Client) error
	}{
		{"nothing", func(*dynamodb.Client) error { return nil }},
		{"create", func(c *dynamodb.Client) error { createRich(t, c, "rich"); createTable(t, c, "app"); return nil }},
		{"active", func(*dynamodb.Client) error { clock.Advance(time.Minute); return nil }},
		{"write", func(c *dynamodb.Client) error {
			for i := range 40 {
				if _, err := c.PutItem(ctx, &dynamodb.PutItemInput{TableName: aws.String("rich"), Item: richItem(i)}); err != nil {
					return err
				}
			}
			load(t, c, 25)
			return nil
		}},
		{"update and delete", func(c *dynamodb.Client) error {
			_, err := c.UpdateItem(ctx, &dynamodb.UpdateItemInput{
				TableName: aws.String("app"), Key: sampleKey(3),
				UpdateExpression: aws.String("SET city = :c REMOVE email"), ExpressionAttributeValues: map[string]types.AttributeValue{":c": str("Bonn")},
			})
			if err != nil {
				return err
			}
			_, err = c.ExecuteStatement(ctx, &dynamodb.ExecuteStatementInput{Statement: aws.String(`DELETE FROM app WHERE pk = 'USER#000000' AND sk = 'ORDER#04'`)})
			return err
		}},
		{"time to live", func(c *dynamodb.Client) error {
			_, err := c.UpdateTimeToLive(ctx, &dynamodb.UpdateTimeToLiveInput{
				TableName:               aws.String("rich"),
				TimeToLiveSpecification: &types.TimeToLiveSpecification{AttributeName: aws.String("dies"), Enabled: aws.Bool(true)},
			})
			return err
		}},
		{"expiry", func(*dynamodb.Client) error { clock.Advance(10 * time.Hour); return nil }},
		{"back in time", func(*dynamodb.Client) error { clock.Advance(-9 * time.Hour); return nil }},
		{"tags", func(c *dynamodb.Client) error {
			arn := aws.String("arn:aws:dynamodb:us-east-1:000000000000:table/app")
			if _, err := c.TagResource(ctx, &dynamodb.TagResourceInput{ResourceArn: arn, Tags: []types.Tag{{Key: aws.String("a"), Value: aws.String("1")}, {Key: aws.String("b"), Value: aws.String("2")}}}); err != nil {
				return err
			}
			_, err := c.UntagResource(ctx, &dynamodb.UntagResourceInput{ResourceArn: arn, TagKeys: []string{"a"}})
			return err
		}},
		{"new index", func(c *dynamodb.Client) error {
			_, err := c.UpdateTable(ctx, &dynamodb.UpdateTableInput{
				TableName:            aws.String("app"),
				AttributeDefinitions: []types.AttributeDefinition{{AttributeName: aws.String("name"), AttributeType: "S"}},
				GlobalSecondaryIndexUpdates: []types.GlobalSecondaryIndexUpdate{{Create: &types.CreateGlobalSecondaryIndexAction{
					IndexName: aws.String("by-name"), KeySchema: []types.KeySchemaElement{{AttributeName: aws.String("name"), KeyType: "HASH"}},
					Projection:         &types.Projection{ProjectionType: types.ProjectionTypeAll},
					OnDemandThroughput: &types.OnDemandThroughput{MaxReadRequestUnits: aws.Int64(7)},
				}}},
			})
			return err
		}},
		{"new index active", func(*dynamodb.Client) error { clock.Advance(time.Minute); return nil }},
		{"index going", func(c *dynamodb.Client) error {
			_, err := c.UpdateTable(ctx, &dynamodb.UpdateTableInput{
				TableName:                   aws.String("app"),
				GlobalSecondaryIndexUpdates: []types.GlobalSecondaryIndexUpdate{{Delete: &types.DeleteGlobalSecondaryIndexAction{IndexName: aws.String("by-city")}}},
			})
			return err
		}},
		{"index gone", func(*dynamodb.Client) error { clock.Advance(time.Minute); return nil }},
		{"table going", func(c *dynamodb.Client) error {
			_, err := c.DeleteTable(ctx, &dynamodb.DeleteTableInput{TableName: aws.String("app")})
			return err
		}},
		{"table gone", func(*dynamodb.Client) error { clock.Advance(time.Minute); return nil }},
	} {
		e, err := local.Open(ctx, cfg)
		require.NoError(t, err, step.name)
		require.NoError(t, step.do(e.Client()), step.name)
		want := stateOf(t, e.Client())
		require.NoError(t, e.Close())
		again, err := local.Open(ctx, cfg)
		require.NoError(t, err, step.name)
		requireSame(t, want, stateOf(t, again.Client()))
		require.NoError(t, again.Close())
	}
}

// TestReopenTokens finds that a transaction's token holds across an end, and
// for ten minutes.
func TestReopenTokens(t *testing.T) {
	clock := &local.Clock{}
	clock.Set(epoch)
	cfg := local.Config{Path: t.TempDir(), Clock: clock}
	add := func(e *local.Engine) {
		_, err := e.Client().TransactWriteItems(t.Context(), &dynamodb.TransactWriteItemsInput{
			ClientRequestToken: aws.String("once"),
			TransactItems: []types.TransactWriteItem{{Update: &types.Update{
				TableName: aws.String("app"), Key: item("a", "1"), UpdateExpression: aws.String("ADD n :one"),
				ExpressionAttributeValues: map[string]types.AttributeValue{":one": &types.AttributeValueMemberN{Value: "1"}},
			}}},
		})
		require.NoError(t, err)
	}
	count := func(e *local.Engine) string {
		return scanned(t, e.Client(), "app", nil)[0]["n"].(*types.AttributeValueMemberN).Value
	}
	e, err := local.Open(t.Context(), cfg)
	require.NoError(t, err)
	createTable(t, e.Client(), "app")
	for _, step := range []struct {
		after time.Duration
		want  string
	}{{0, "1"}, {9 * time.Minute, "1"}, {time.Minute, "2"}, {9 * time.Minute, "2"}, {time.Hour, "3"}} {
		clock.Advance(step.after)
		add(e)
		require.Equal(t, step.want, count(e))
		require.NoError(t, e.Close())
		e, err = local.Open(t.Context(), cfg)
		require.NoError(t, err)
	}
	require.NoError(t, e.Close())
}

// TestPathSnapshot restores snapshots of an engine in memory and of itself into
// one with a path.
func TestPathSnapshot(t *testing.T) {
	cfg := local.Config{Path: t.TempDir()}
	e, err := local.Open(t.Context(), cfg)
	require.NoError(t, err)
	createTable(t, e.Client(), "old")
	before, err := e.Snapshot()
	require.NoError(t, err)
	was := stateOf(t, e.Client())

	other := open(t, local.Config{})
	load(t, other.Client(), 500)
	s, err := other.Snapshot()
	require.NoError(t, err)
	require.NoError(t, e.Restore(s))
	require.NoError(t, putOnce(t, e, "after"))
	want := stateOf(t, e.Client())
	require.NoError(t, e.Close())
	require.Error(t, e.Restore(s), "closed")
	require.NoError(t, e.Close(), "twice")
	require.ErrorContains(t, putOnce(t, e, "late"), "is closed")

	e = reopened(t, cfg)
	requireSame(t, want, stateOf(t, e.Client()))
	require.NoError(t, e.Restore(before))
	requireSame(t, was, stateOf(t, e.Client()))
}

// TestPathFaults opens what can't be opened. Each error names the path.
func TestPathFaults(t *testing.T) {
	for name, cfg := range map[string]local.Config{
		"Endpoint": {Path: "x", Endpoint: "http://localhost:1"},
		"Jar":      {Path: "x", Jar: "x.jar"},
	} {
		_, err := local.Open(t.Context(), cfg)
		require.ErrorContains(t, err, "Config.Path and Config."+name)
	}

	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	require.NoError(t, os.WriteFile(file, []byte("x"), 0o600))
	_, err := local.Open(t.Context(), local.Config{Path: file})
	require.ErrorContains(t, err, file)

	require.NoError(t, os.Mkdir(filepath.Join(dir, "dynorm.db"), 0o700))
	_, err = local.Open(t.Context(), local.Config{Path: dir})
	require.ErrorContains(t, err, filepath.Join(dir, "dynorm.db"))

	held := open(t, local.Config{Path: filepath.Join(dir, "held")})
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	_, err = local.Open(ctx, local.Config{Path: filepath.Join(dir, "held")})
	require.ErrorContains(t, err, filepath.Join(dir, "held", "dynorm.db")+" is in use")
	require.NoError(t, putOnce(t, held, "a"), "the first is not disturbed")
}
