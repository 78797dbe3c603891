package local_test

import (
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/stretchr/testify/require"

	"github.com/dynorm/dynorm/local"
)

// createStreamed creates a table as global tables of version 2017.11.29 are
// made of.
func createStreamed(t testing.TB, c *dynamodb.Client, name string, edit func(*dynamodb.CreateTableInput)) {
	t.Helper()
	d := appDefinition(name)
	in := &dynamodb.CreateTableInput{
		TableName: d.TableName, AttributeDefinitions: d.AttributeDefinitions, KeySchema: d.KeySchema, GlobalSecondaryIndexes: d.GlobalSecondaryIndexes,
		BillingMode:         d.BillingMode,
		StreamSpecification: &types.StreamSpecification{StreamEnabled: aws.Bool(true), StreamViewType: types.StreamViewTypeNewAndOldImages},
	}
	if edit != nil {
		edit(in)
	}
	_, err := c.CreateTable(t.Context(), in)
	require.NoError(t, err)
}

func createGlobal(t testing.TB, c *dynamodb.Client, name string, regions ...string) (*types.GlobalTableDescription, error) {
	t.Helper()
	in := &dynamodb.CreateGlobalTableInput{GlobalTableName: &name, ReplicationGroup: []types.Replica{}}
	for _, region := range regions {
		in.ReplicationGroup = append(in.ReplicationGroup, types.Replica{RegionName: aws.String(region)})
	}
	out, err := c.CreateGlobalTable(t.Context(), in)
	if err != nil {
		return nil, err
	}
	return out.GlobalTableDescription, nil
}

func updateGlobal(t testing.TB, c *dynamodb.Client, name string, changes ...types.ReplicaUpdate) error {
	t.Helper()
	_, err := c.UpdateGlobalTable(t.Context(), &dynamodb.UpdateGlobalTableInput{GlobalTableName: &name, ReplicaUpdates: changes})
	return err
}

func globalReplica(region string) types.ReplicaUpdate {
	return types.ReplicaUpdate{Create: &types.CreateReplicaAction{RegionName: aws.String(region)}}
}

func noGlobalReplica(region string) types.ReplicaUpdate {
	return types.ReplicaUpdate{Delete: &types.DeleteReplicaAction{RegionName: aws.String(region)}}
}

func TestGlobalTable(t *testing.T) {
	e, err := local.Open(t.Context(), local.Config{TableDelay: time.Second})
	require.NoError(t, err)
	e.Clock().Set(start)
	here, there, third := e.Client(), client(t, e, "eu-west-1"), client(t, e, "ap-south-1")
	createStreamed(t, here, "app", nil)
	createStreamed(t, third, "app", func(in *dynamodb.CreateTableInput) { in.GlobalSecondaryIndexes[0].IndexName = aws.String("another") })
	for _, c := range []*dynamodb.Client{here, there, third} {
		createStreamed(t, c, "empty", nil)
	}
	createTable(t, here, "without")
	e.Clock().Advance(time.Second)
	put(t, here, "app", item("a", "1"))

	for _, tc := range []struct {
		name       string
		regions    []string
		code, text string
	}{
		{"empty", nil, "ValidationException", "must name a region"},
		{"empty", []string{"moon"}, "ValidationException", "Unsupported region in ReplicationGroup: moon"},
		{"empty", []string{"us-east-1", "us-east-1"}, "ValidationException", "twice"},
		{"none", []string{"us-east-1"}, "TableNotFoundException", "Table not found: none"},
		{"without", []string{"us-east-1"}, "ValidationException", "must have a stream of NEW_AND_OLD_IMAGES"},
		{"app", []string{"us-east-1"}, "ValidationException", "must be empty"},
		{"app", []string{"ap-south-1", "eu-west-1"}, "TableNotFoundException", "Table not found: app"},
	} {
		_, err := createGlobal(t, here, tc.name, tc.regions...)
		refuses(t, err, tc.code, tc.text)
	}
	_, err = here.DeleteItem(t.Context(), &dynamodb.DeleteItemInput{TableName: aws.String("app"), Key: item("a", "1")})
	require.NoError(t, err)
	_, err = createGlobal(t, here, "app", "us-east-1", "ap-south-1")
	refuses(t, err, "ValidationException", "has other keys or indexes")
	_, err = here.DescribeGlobalTable(t.Context(), &dynamodb.DescribeGlobalTableInput{GlobalTableName: aws.String("empty")})
	refuses(t, err, "GlobalTableNotFoundException", "Global table with name: 'empty' does not exist.")

	made, err := createGlobal(t, here, "empty", "us-east-1", "eu-west-1")
	require.NoError(t, err)
	require.Equal(t, types.GlobalTableStatusCreating, made.GlobalTableStatus)
	require.Equal(t, "arn:aws:dynamodb::000000000000:global-table/empty", *made.GlobalTableArn)
	_, err = createGlobal(t, there, "empty", "eu-west-1")
	refuses(t, err, "GlobalTableAlreadyExistsException", "already exists")
	e.Clock().Advance(time.Second)
	regionsOf := func() (names []string) {
		d, err := there.DescribeGlobalTable(t.Context(), &dynamodb.DescribeGlobalTableInput{GlobalTableName: aws.String("empty")})
		require.NoError(t, err)
		require.Equal(t, types.GlobalTableStatusActive, d.GlobalTableDescription.GlobalTableStatus)
		for _, r := range d.GlobalTableDescription.ReplicationGroup {
			names = append(names, *r.RegionName)
		}
		return names
	}
	require.Equal(t, []string{"eu-west-1", "us-east-1"}, regionsOf())
	described, err := here.DescribeTable(t.Context(), &dynamodb.DescribeTableInput{TableName: aws.String("empty")})
	require.NoError(t, err)
	require.Nil(t, described.Table.GlobalTableVersion, "it is not one of version 2019.11.21")
	_, err = here.UpdateTable(t.Context(), &dynamodb.UpdateTableInput{TableName: aws.String("empty"), ReplicaUpdates: []types.ReplicationGroupUpdate{addReplica("ap-south-1")}})
	refuses(t, err, "ValidationException", "version 2017.11.29")

	require.NoError(t, updateGlobal(t, here, "empty", globalReplica("ap-south-1")))
	refuses(t, updateGlobal(t, here, "empty", globalReplica("ap-south-1")), "ReplicaAlreadyExistsException", "ap-south-1")
	refuses(t, updateGlobal(t, here, "empty", noGlobalReplica("us-west-2")), "ReplicaNotFoundException", "us-west-2")
	refuses(t, updateGlobal(t, here, "none", noGlobalReplica("us-west-2")), "GlobalTableNotFoundException", "none")
	put(t, there, "empty", item("a", "1", "city", "Köln"))
	for _, c := range []*dynamodb.Client{here, there, third} {
		require.Equal(t, []string{"a 1 Köln "}, contents(t, c, "empty", "by-city"))
	}
	require.NoError(t, updateGlobal(t, here, "empty", noGlobalReplica("ap-south-1")))
	put(t, here, "empty", item("b", "1", "city", "Bonn"))
	require.Len(t, contents(t, there, "empty", ""), 2)
	require.Len(t, contents(t, third, "empty", ""), 1, "a table by itself again")
	refuses(t, updateGlobal(t, here, "empty", globalReplica("ap-south-1")), "ValidationException", "must be empty")

	list, err := here.ListGlobalTables(t.Context(), &dynamodb.ListGlobalTablesInput{RegionName: aws.String("eu-west-1"), Limit: aws.Int32(1)})
	require.NoError(t, err)
	require.Len(t, list.GlobalTables, 1)
	require.Nil(t, list.LastEvaluatedGlobalTableName)
	list, err = here.ListGlobalTables(t.Context(), &dynamodb.ListGlobalTablesInput{RegionName: aws.String("ap-south-1")})
	require.NoError(t, err)
	require.Empty(t, list.GlobalTables)
	_, err = there.DeleteTable(t.Context(), &dynamodb.DeleteTableInput{TableName: aws.String("empty")})
	require.NoError(t, err)
	e.Clock().Advance(time.Minute)
	_, err = here.ListTables(t.Context(), &dynamodb.ListTablesInput{})
	require.NoError(t, err)
	described2, err := here.DescribeGlobalTable(t.Context(), &dynamodb.DescribeGlobalTableInput{GlobalTableName: aws.String("empty")})
	require.NoError(t, err)
	require.Len(t, described2.GlobalTableDescription.ReplicationGroup, 1)
}

func TestGlobalTableSettings(t *testing.T) {
	e, err := local.Open(t.Context(), local.Config{})
	require.NoError(t, err)
	here, there := e.Client(), client(t, e, "eu-west-1")
	createStreamed(t, here, "app", nil)
	createStreamed(t, there, "app", nil)
	_, err = createGlobal(t, here, "app", "us-east-1", "eu-west-1")
	require.NoError(t, err)
	type input = dynamodb.UpdateGlobalTableSettingsInput
	update := func(edit func(*input)) error {
		in := &input{GlobalTableName: aws.String("app")}
		edit(in)
		_, err := here.UpdateGlobalTableSettings(t.Context(), in)
		return err
	}
	all := func(in *input) {
		in.GlobalTableBillingMode, in.GlobalTableProvisionedWriteCapacityUnits = types.BillingModeProvisioned, aws.Int64(20)
		in.GlobalTableGlobalSecondaryIndexSettingsUpdate = []types.GlobalTableGlobalSecondaryIndexSettingsUpdate{
			{IndexName: aws.String("by-city"), ProvisionedWriteCapacityUnits: aws.Int64(21)},
		}
		for i, region := range []string{"us-east-1", "eu-west-1"} {
			in.ReplicaSettingsUpdate = append(in.ReplicaSettingsUpdate, types.ReplicaSettingsUpdate{
				RegionName: aws.String(region), ReplicaProvisionedReadCapacityUnits: aws.Int64(int64(10 + i)), ReplicaTableClass: types.TableClassStandard,
				ReplicaGlobalSecondaryIndexSettingsUpdate: []types.ReplicaGlobalSecondaryIndexSettingsUpdate{
					{IndexName: aws.String("by-city"), ProvisionedReadCapacityUnits: aws.Int64(int64(30 + i))},
				},
			})
		}
	}
	for _, tc := range []struct {
		edit       func(*input)
		code, text string
	}{
		{func(in *input) { in.GlobalTableName = aws.String("none") }, "GlobalTableNotFoundException", "none"},
		{func(in *input) { in.GlobalTableProvisionedWriteCapacityUnits = aws.Int64(0) }, "ValidationException", "at 'globalTableProvisionedWriteCapacityUnits'"},
		{func(in *input) { in.GlobalTableProvisionedWriteCapacityUnits = aws.Int64(5) }, "ValidationException", "PAY_PER_REQUEST"},
		{func(in *input) { in.GlobalTableBillingMode = types.BillingModeProvisioned }, "ValidationException", "must both be specified"},
		{func(in *input) { all(in); in.ReplicaSettingsUpdate[1].RegionName = aws.String("ap-south-1") }, "ReplicaNotFoundException", "ap-south-1"},
		{func(in *input) {
			all(in)
			in.GlobalTableGlobalSecondaryIndexSettingsUpdate[0].IndexName = aws.String("none")
		}, "IndexNotFoundException", "none"},
		{func(in *input) { all(in); in.ReplicaSettingsUpdate[1].ReplicaProvisionedReadCapacityUnits = nil }, "ValidationException", "must both be specified"},
		{func(in *input) {
			in.GlobalTableProvisionedWriteCapacityAutoScalingSettingsUpdate = &types.AutoScalingSettingsUpdate{MaximumUnits: aws.Int64(5)}
		}, "ValidationException", "Auto scaling"},
	} {
		refuses(t, update(tc.edit), tc.code, tc.text)
	}
	settings := func() []types.ReplicaSettingsDescription {
		out, err := there.DescribeGlobalTableSettings(t.Context(), &dynamodb.DescribeGlobalTableSettingsInput{GlobalTableName: aws.String("app")})
		require.NoError(t, err)
		return out.ReplicaSettings
	}
	for _, r := range settings() {
		require.Equal(t, types.BillingModePayPerRequest, r.ReplicaBillingModeSummary.BillingMode, "nothing was changed by halves")
	}
	require.NoError(t, update(all))
	for i, r := range settings() { // eu-west-1 comes first
		require.Equal(t, types.BillingModeProvisioned, r.ReplicaBillingModeSummary.BillingMode)
		x := r.ReplicaGlobalSecondaryIndexSettings[0]
		require.Equal(t, [4]int64{int64(11 - i), 20, int64(31 - i), 21}, [4]int64{
			*r.ReplicaProvisionedReadCapacityUnits, *r.ReplicaProvisionedWriteCapacityUnits, *x.ProvisionedReadCapacityUnits, *x.ProvisionedWriteCapacityUnits,
		})
		require.Equal(t, types.TableClassStandard, r.ReplicaTableClassSummary.TableClass)
	}
	table, err := there.DescribeTable(t.Context(), &dynamodb.DescribeTableInput{TableName: aws.String("app")})
	require.NoError(t, err)
	require.Equal(t, int64(11), *table.Table.ProvisionedThroughput.ReadCapacityUnits)
	require.NoError(t, update(func(in *input) { in.GlobalTableBillingMode = types.BillingModePayPerRequest }))
	require.Equal(t, types.BillingModePayPerRequest, settings()[0].ReplicaBillingModeSummary.BillingMode)
}
