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

func replicas(t testing.TB, c *dynamodb.Client, changes ...types.ReplicationGroupUpdate) (*types.TableDescription, error) {
	t.Helper()
	out, err := c.UpdateTable(t.Context(), &dynamodb.UpdateTableInput{TableName: aws.String("app"), ReplicaUpdates: changes})
	if err != nil {
		return nil, err
	}
	return out.TableDescription, nil
}

func addReplica(region string) types.ReplicationGroupUpdate {
	return types.ReplicationGroupUpdate{Create: &types.CreateReplicationGroupMemberAction{RegionName: aws.String(region)}}
}

func dropReplica(region string) types.ReplicationGroupUpdate {
	return types.ReplicationGroupUpdate{Delete: &types.DeleteReplicationGroupMemberAction{RegionName: aws.String(region)}}
}

func replicasOf(t testing.TB, c *dynamodb.Client) (names []string) {
	t.Helper()
	out, err := c.DescribeTable(t.Context(), &dynamodb.DescribeTableInput{TableName: aws.String("app")})
	require.NoError(t, err)
	for _, r := range out.Table.Replicas {
		require.Equal(t, types.ReplicaStatusActive, r.ReplicaStatus)
		names = append(names, *r.RegionName)
	}
	return names
}

func TestReplicas(t *testing.T) {
	e := frozen(t, local.Config{ReplicationDelay: time.Second})
	here := e.Client()
	there, err := e.ClientFor("eu-west-1")
	require.NoError(t, err)
	require.Equal(t, "eu-west-1", there.Options().Region)
	same, err := e.ClientFor("eu-west-1")
	require.NoError(t, err)
	require.Same(t, there, same)
	same, err = e.ClientFor("us-east-1")
	require.NoError(t, err)
	require.Same(t, here, same)

	put(t, here, "app", item("a", "1", "city", "Köln"))
	table, err := replicas(t, here, addReplica("eu-west-1"))
	require.NoError(t, err)
	require.Equal(t, "2019.11.21", *table.GlobalTableVersion)
	require.Equal(t, types.StreamViewTypeNewAndOldImages, table.StreamSpecification.StreamViewType)
	require.Equal(t, []string{"eu-west-1"}, replicasOf(t, here))
	require.Equal(t, []string{"us-east-1"}, replicasOf(t, there))
	require.Equal(t, []string{"a 1 Köln "}, contents(t, there, "app", "by-city"))

	put(t, here, "app", item("b", "1", "city", "Bonn"))
	require.Len(t, contents(t, there, "app", ""), 1, "it is on its way")
	e.Clock().Advance(time.Second)
	require.ElementsMatch(t, []string{"a 1 Köln ", "b 1 Bonn "}, contents(t, there, "app", "by-city"))

	// Both write the same item: the later one wins, in both regions.
	put(t, there, "app", item("a", "1", "city", "first"))
	e.Clock().Advance(time.Millisecond)
	put(t, here, "app", item("a", "1", "city", "second"))
	e.Clock().Advance(time.Minute)
	require.Contains(t, contents(t, here, "app", ""), "a 1 second ")
	require.Equal(t, contents(t, here, "app", ""), contents(t, there, "app", ""))

	// Expiry, and changes of the definition, are replicated too.
	_, err = here.UpdateTimeToLive(t.Context(), &dynamodb.UpdateTimeToLiveInput{
		TableName:               aws.String("app"),
		TimeToLiveSpecification: &types.TimeToLiveSpecification{AttributeName: aws.String("ttl"), Enabled: aws.Bool(true)},
	})
	require.NoError(t, err)
	_, err = here.UpdateTable(t.Context(), &dynamodb.UpdateTableInput{
		TableName:                   aws.String("app"),
		GlobalSecondaryIndexUpdates: []types.GlobalSecondaryIndexUpdate{{Delete: &types.DeleteGlobalSecondaryIndexAction{IndexName: aws.String("by-city")}}},
	})
	require.NoError(t, err)
	e.Clock().Advance(time.Second)
	described, err := there.DescribeTimeToLive(t.Context(), &dynamodb.DescribeTimeToLiveInput{TableName: aws.String("app")})
	require.NoError(t, err)
	require.Equal(t, types.TimeToLiveStatusEnabled, described.TimeToLiveDescription.TimeToLiveStatus)
	_, err = there.Scan(t.Context(), &dynamodb.ScanInput{TableName: aws.String("app"), IndexName: aws.String("by-city")})
	refuses(t, err, "ValidationException", "by-city")

	// A third region, a snapshot of all, and replicas that go.
	_, err = replicas(t, there, addReplica("ap-south-1"))
	require.NoError(t, err)
	require.ElementsMatch(t, []string{"eu-west-1", "ap-south-1"}, replicasOf(t, here))
	s, err := e.Snapshot()
	require.NoError(t, err)
	_, err = replicas(t, here, dropReplica("eu-west-1"))
	require.NoError(t, err)
	require.Equal(t, []string{"ap-south-1"}, replicasOf(t, here))
	_, err = there.DescribeTable(t.Context(), &dynamodb.DescribeTableInput{TableName: aws.String("app")})
	refuses(t, err, "ResourceNotFoundException", "Table: app not found")
	require.NoError(t, e.Restore(s))
	require.ElementsMatch(t, []string{"us-east-1", "ap-south-1"}, replicasOf(t, there))
	_, err = there.DeleteTable(t.Context(), &dynamodb.DeleteTableInput{TableName: aws.String("app")})
	require.NoError(t, err)
	e.Clock().Advance(time.Second)
	require.Equal(t, []string{"ap-south-1"}, replicasOf(t, here))
}

func TestReplicaErrors(t *testing.T) {
	e := frozen(t, local.Config{})
	c := e.Client()
	there, err := e.ClientFor("eu-west-1")
	require.NoError(t, err)
	for _, tc := range []struct {
		change types.ReplicationGroupUpdate
		text   string
	}{
		{addReplica("us-east-1"), "Cannot add, delete, or update the local region through ReplicaUpdates"},
		{dropReplica("eu-west-1"), "Replica specified in the Replica Update or Replica Delete action of the request was not found"},
		{addReplica("moon"), "Unsupported region in ReplicaUpdates: moon"},
		{types.ReplicationGroupUpdate{}, "must not be null"},
	} {
		_, err := replicas(t, c, tc.change)
		refuses(t, err, "ValidationException", tc.text)
	}
	_, err = c.UpdateTable(t.Context(), &dynamodb.UpdateTableInput{
		TableName: aws.String("app"), MultiRegionConsistency: types.MultiRegionConsistencyStrong,
		ReplicaUpdates: []types.ReplicationGroupUpdate{addReplica("eu-west-1")},
	})
	refuses(t, err, "ValidationException", "MultiRegionConsistency STRONG is not available")
	_, err = c.UpdateTable(t.Context(), &dynamodb.UpdateTableInput{
		TableName: aws.String("app"), GlobalTableWitnessUpdates: []types.GlobalTableWitnessGroupUpdate{{
			Create: &types.CreateGlobalTableWitnessGroupMemberAction{RegionName: aws.String("us-west-2")},
		}},
	})
	refuses(t, err, "ValidationException", "GlobalTableWitnessUpdates are not available")
	createTable(t, there, "app")
	_, err = replicas(t, c, addReplica("eu-west-1"))
	refuses(t, err, "ValidationException", "one or more replicas already existed as tables")

	_, err = e.ClientFor("")
	require.Error(t, err)
	remote, err := local.Open(t.Context(), local.Config{Endpoint: "http://localhost:1"})
	require.NoError(t, err)
	_, err = remote.ClientFor("eu-west-1")
	require.ErrorIs(t, err, local.ErrNotEmbedded)
}

// TestReplicaAgain drops a replica with changes on their way to it, and adds it
// again: they don't reach the new one.
func TestReplicaAgain(t *testing.T) {
	e := frozen(t, local.Config{ReplicationDelay: time.Second})
	here := e.Client()
	there, err := e.ClientFor("eu-west-1")
	require.NoError(t, err)
	_, err = replicas(t, here, addReplica("eu-west-1"))
	require.NoError(t, err)
	put(t, here, "app", item("a", "1"))
	_, err = replicas(t, here, dropReplica("eu-west-1"))
	require.NoError(t, err)
	_, err = here.DeleteItem(t.Context(), &dynamodb.DeleteItemInput{TableName: aws.String("app"), Key: item("a", "1")})
	require.NoError(t, err)
	_, err = replicas(t, here, addReplica("eu-west-1"))
	require.NoError(t, err)
	e.Clock().Advance(time.Minute)
	require.Empty(t, contents(t, here, "app", ""))
	require.Empty(t, contents(t, there, "app", ""))
}

// TestReplicaOverrides gives replicas throughput, class and key of their own,
// which stay when the table's are changed.
func TestReplicaOverrides(t *testing.T) {
	e, err := local.Open(t.Context(), local.Config{})
	require.NoError(t, err)
	here := e.Client()
	there, err := e.ClientFor("eu-west-1")
	require.NoError(t, err)
	units := func(read, write int64) *types.ProvisionedThroughput {
		return &types.ProvisionedThroughput{ReadCapacityUnits: &read, WriteCapacityUnits: &write}
	}
	reads := func(n int64) *types.ProvisionedThroughputOverride {
		return &types.ProvisionedThroughputOverride{ReadCapacityUnits: &n}
	}
	in := appDefinition("app")
	in.GlobalSecondaryIndexes[0].ProvisionedThroughput = units(3, 4)
	_, err = here.CreateTable(t.Context(), &dynamodb.CreateTableInput{
		TableName: in.TableName, AttributeDefinitions: in.AttributeDefinitions, KeySchema: in.KeySchema,
		GlobalSecondaryIndexes: in.GlobalSecondaryIndexes, ProvisionedThroughput: units(5, 6),
	})
	require.NoError(t, err)
	create := func(edit func(*types.CreateReplicationGroupMemberAction)) error {
		change := addReplica("eu-west-1")
		edit(change.Create)
		_, err := replicas(t, here, change)
		return err
	}
	type action = types.CreateReplicationGroupMemberAction
	index := func(name string, n int64) []types.ReplicaGlobalSecondaryIndex {
		return []types.ReplicaGlobalSecondaryIndex{{IndexName: &name, ProvisionedThroughputOverride: reads(n)}}
	}
	refuses(t, create(func(a *action) { a.ProvisionedThroughputOverride = reads(0) }), "ValidationException",
		"at 'replicaUpdates.1.member.create.provisionedThroughputOverride.readCapacityUnits' failed to satisfy constraint")
	refuses(t, create(func(a *action) { a.TableClassOverride = "COLD" }), "ValidationException", "at 'replicaUpdates.1.member.create.tableClassOverride'")
	refuses(t, create(func(a *action) { a.GlobalSecondaryIndexes = index("none", 1) }), "ValidationException", "not one of the table: none")
	refuses(t, create(func(a *action) {
		a.OnDemandThroughputOverride = &types.OnDemandThroughputOverride{MaxReadRequestUnits: aws.Int64(1)}
	}), "ValidationException", "PAY_PER_REQUEST")
	require.NoError(t, create(func(a *action) {
		a.ProvisionedThroughputOverride, a.TableClassOverride, a.KMSMasterKeyId = reads(50), types.TableClassStandardInfrequentAccess, aws.String("alias/own")
		a.GlobalSecondaryIndexes = index("by-city", 30)
	}))
	table := func(c *dynamodb.Client) *types.TableDescription {
		out, err := c.DescribeTable(t.Context(), &dynamodb.DescribeTableInput{TableName: aws.String("app")})
		require.NoError(t, err)
		return out.Table
	}
	requireUnits := func(c *dynamodb.Client, own, of [2]int64) {
		t.Helper()
		d := table(c)
		x := d.GlobalSecondaryIndexes[0].ProvisionedThroughput
		require.Equal(t, own, [2]int64{*d.ProvisionedThroughput.ReadCapacityUnits, *d.ProvisionedThroughput.WriteCapacityUnits})
		require.Equal(t, of, [2]int64{*x.ReadCapacityUnits, *x.WriteCapacityUnits})
	}
	requireUnits(here, [2]int64{5, 6}, [2]int64{3, 4})
	requireUnits(there, [2]int64{50, 6}, [2]int64{30, 4})
	require.Equal(t, types.TableClassStandardInfrequentAccess, table(there).TableClassSummary.TableClass)
	r := table(here).Replicas[0]
	require.Equal(t, int64(50), *r.ProvisionedThroughputOverride.ReadCapacityUnits)
	require.Equal(t, int64(30), *r.GlobalSecondaryIndexes[0].ProvisionedThroughputOverride.ReadCapacityUnits)
	require.Equal(t, "alias/own", *r.KMSMasterKeyId)
	require.Equal(t, types.TableClassStandardInfrequentAccess, r.ReplicaTableClassSummary.TableClass)
	require.Nil(t, table(there).Replicas[0].ProvisionedThroughputOverride, "the source has none")

	_, err = here.UpdateTable(t.Context(), &dynamodb.UpdateTableInput{TableName: aws.String("app"), ProvisionedThroughput: units(7, 8)})
	require.NoError(t, err)
	requireUnits(there, [2]int64{50, 8}, [2]int64{30, 4})
	change := types.ReplicationGroupUpdate{Update: &types.UpdateReplicationGroupMemberAction{
		RegionName: aws.String("eu-west-1"), ProvisionedThroughputOverride: reads(60), GlobalSecondaryIndexes: index("by-city", 31),
	}}
	_, err = replicas(t, here, change)
	require.NoError(t, err)
	requireUnits(there, [2]int64{60, 8}, [2]int64{31, 4})
	require.Equal(t, int64(60), *table(here).Replicas[0].ProvisionedThroughputOverride.ReadCapacityUnits)
	require.Equal(t, "alias/own", *table(here).Replicas[0].KMSMasterKeyId, "what is not named stays")
}
