package local_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/dynamodbstreams"
	streamtypes "github.com/aws/aws-sdk-go-v2/service/dynamodbstreams/types"
	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"github.com/dynorm/dynorm/local"
)

// asked returns the answers to every question about the engine's state: of the
// tables, archives and settings of its regions, and of its streams.
func asked(t testing.TB, e *local.Engine, regions ...string) []string {
	t.Helper()
	r := e.Record()
	defer r.Stop()
	for _, region := range regions {
		c, err := e.ClientFor(region)
		require.NoError(t, err)
		askRegion(t, c)
	}
	askStreams(t, e.Streams())
	var all []string
	for _, q := range r.Requests() {
		all = append(all, q.Operation+" "+q.Body+" "+q.Answer)
	}
	return all
}

func askRegion(t testing.TB, c *dynamodb.Client) {
	t.Helper()
	ctx := context.Background()
	names, err := c.ListTables(ctx, &dynamodb.ListTablesInput{})
	require.NoError(t, err)
	for _, name := range names.TableNames {
		table, err := c.DescribeTable(ctx, &dynamodb.DescribeTableInput{TableName: &name})
		require.NoError(t, err)
		if table.Table.TableStatus == types.TableStatusActive || table.Table.TableStatus == types.TableStatusUpdating {
			_, err = c.DescribeTimeToLive(ctx, &dynamodb.DescribeTimeToLiveInput{TableName: &name})
			require.NoError(t, err)
		}
		_, err = c.DescribeContinuousBackups(ctx, &dynamodb.DescribeContinuousBackupsInput{TableName: &name})
		require.NoError(t, err)
		_, err = c.DescribeKinesisStreamingDestination(ctx, &dynamodb.DescribeKinesisStreamingDestinationInput{TableName: &name})
		require.NoError(t, err)
		for _, arn := range []*string{table.Table.TableArn, table.Table.LatestStreamArn} {
			if arn != nil { // What is not there is an answer too.
				_, _ = c.GetResourcePolicy(ctx, &dynamodb.GetResourcePolicyInput{ResourceArn: arn})
			}
		}
		_, err = c.ListTagsOfResource(ctx, &dynamodb.ListTagsOfResourceInput{ResourceArn: table.Table.TableArn})
		require.NoError(t, err)
		if table.Table.TableStatus == types.TableStatusCreating {
			continue
		}
		scanned(t, c, name, nil)
		for _, x := range table.Table.GlobalSecondaryIndexes {
			scanned(t, c, name, x.IndexName)
		}
	}
	globals, err := c.ListGlobalTables(ctx, &dynamodb.ListGlobalTablesInput{})
	require.NoError(t, err)
	for _, g := range globals.GlobalTables {
		_, err := c.DescribeGlobalTable(ctx, &dynamodb.DescribeGlobalTableInput{GlobalTableName: g.GlobalTableName})
		require.NoError(t, err)
		_, err = c.DescribeGlobalTableSettings(ctx, &dynamodb.DescribeGlobalTableSettingsInput{GlobalTableName: g.GlobalTableName})
		require.NoError(t, err)
	}
	insights, err := c.ListContributorInsights(ctx, &dynamodb.ListContributorInsightsInput{})
	require.NoError(t, err)
	for _, x := range insights.ContributorInsightsSummaries {
		_, err := c.DescribeContributorInsights(ctx, &dynamodb.DescribeContributorInsightsInput{TableName: x.TableName, IndexName: x.IndexName})
		require.NoError(t, err)
	}
	backups, err := c.ListBackups(ctx, &dynamodb.ListBackupsInput{BackupType: types.BackupTypeFilterAll})
	require.NoError(t, err)
	for _, b := range backups.BackupSummaries {
		_, err := c.DescribeBackup(ctx, &dynamodb.DescribeBackupInput{BackupArn: b.BackupArn})
		require.NoError(t, err)
	}
	exports, err := c.ListExports(ctx, &dynamodb.ListExportsInput{})
	require.NoError(t, err)
	for _, x := range exports.ExportSummaries {
		_, err := c.DescribeExport(ctx, &dynamodb.DescribeExportInput{ExportArn: x.ExportArn})
		require.NoError(t, err)
	}
	imports, err := c.ListImports(ctx, &dynamodb.ListImportsInput{})
	require.NoError(t, err)
	for _, m := range imports.ImportSummaryList {
		_, err := c.DescribeImport(ctx, &dynamodb.DescribeImportInput{ImportArn: m.ImportArn})
		require.NoError(t, err)
	}
}

func askStreams(t testing.TB, c *dynamodbstreams.Client) {
	t.Helper()
	ctx := context.Background()
	streams, err := c.ListStreams(ctx, &dynamodbstreams.ListStreamsInput{})
	require.NoError(t, err)
	for _, s := range streams.Streams {
		d, err := c.DescribeStream(ctx, &dynamodbstreams.DescribeStreamInput{StreamArn: s.StreamArn})
		require.NoError(t, err)
		for _, h := range d.StreamDescription.Shards {
			for _, kind := range []streamtypes.ShardIteratorType{streamtypes.ShardIteratorTypeTrimHorizon, streamtypes.ShardIteratorTypeLatest} {
				from, err := c.GetShardIterator(ctx, &dynamodbstreams.GetShardIteratorInput{StreamArn: s.StreamArn, ShardId: h.ShardId, ShardIteratorType: kind})
				require.NoError(t, err)
				_, err = c.GetRecords(ctx, &dynamodbstreams.GetRecordsInput{ShardIterator: from.ShardIterator})
				require.NoError(t, err)
			}
		}
	}
}

// reopenStep is one of the steps of a test that opens an engine anew for each.
type reopenStep struct {
	name string
	do   func(t testing.TB, e *local.Engine)
}

// keepsAll carries out the steps on an engine in memory and on one with a path
// that is opened anew for each and once more after it. Both are to answer all
// questions alike.
func keepsAll(t *testing.T, cfg local.Config, regions []string, steps []reopenStep) {
	clock := cfg.Clock
	at := clock.Now()
	cfg.Buckets = t.TempDir()
	memory, err := local.Open(t.Context(), cfg)
	require.NoError(t, err)
	cfg.Buckets, cfg.Path = t.TempDir(), t.TempDir()
	for _, step := range steps {
		clock.Set(at)
		step.do(t, memory)
		clock.Set(at) // Steps move the clock, of both.
		e, err := local.Open(t.Context(), cfg)
		require.NoError(t, err, step.name)
		step.do(t, e)
		at = clock.Now()
		require.NoError(t, e.Close())
		clock.Set(at)

		e, err = local.Open(t.Context(), cfg)
		require.NoError(t, err, step.name)
		clock.Set(at)
		want := asked(t, memory, regions...)
		clock.Set(at)
		require.Empty(t, cmp.Diff(want, asked(t, e, regions...)), "%s: in memory (-) and on disk (+)", step.name)
		require.NoError(t, e.Close())
	}

	// A snapshot of all of it goes to another disk.
	s, err := memory.Snapshot()
	require.NoError(t, err)
	cfg.Path = t.TempDir()
	other, err := local.Open(t.Context(), cfg)
	require.NoError(t, err)
	createTable(t, other.Client(), "gone")
	require.NoError(t, other.Restore(s))
	require.NoError(t, other.Close())
	other, err = local.Open(t.Context(), cfg)
	require.NoError(t, err)
	clock.Set(at)
	want := asked(t, memory, regions...)
	clock.Set(at)
	require.Empty(t, cmp.Diff(want, asked(t, other, regions...)), "restored")
	require.NoError(t, other.Close())
}

func client(t testing.TB, e *local.Engine, region string) *dynamodb.Client {
	t.Helper()
	c, err := e.ClientFor(region)
	require.NoError(t, err)
	return c
}

func advance(d time.Duration) func(testing.TB, *local.Engine) {
	return func(_ testing.TB, e *local.Engine) { e.Clock().Advance(d) }
}

func fillItems(from, to int) func(testing.TB, *local.Engine) {
	return func(t testing.TB, e *local.Engine) {
		for i := from; i < to; i++ {
			put(t, e.Client(), "app", item(fmt.Sprint("p", i%5), fmt.Sprint(i), "city", fmt.Sprint("city", i%3), "n", fmt.Sprint(from)))
		}
	}
}

func TestReopenArchives(t *testing.T) {
	clock := &local.Clock{}
	clock.Set(start)
	ctx := t.Context()
	firstBackup := func(t testing.TB, e *local.Engine) *string {
		t.Helper()
		list, err := e.Client().ListBackups(ctx, &dynamodb.ListBackupsInput{})
		require.NoError(t, err)
		return list.BackupSummaries[0].BackupArn
	}
	keepsAll(t, local.Config{Clock: clock, TableDelay: time.Second}, []string{"us-east-1"}, []reopenStep{
		{"create", func(t testing.TB, e *local.Engine) {
			createTable(t, e.Client(), "app")
			e.Clock().Advance(time.Second)
			_, err := e.Client().UpdateTimeToLive(ctx, &dynamodb.UpdateTimeToLiveInput{
				TableName: aws.String("app"), TimeToLiveSpecification: &types.TimeToLiveSpecification{AttributeName: aws.String("dies"), Enabled: aws.Bool(true)},
			})
			require.NoError(t, err)
		}},
		{"fill", fillItems(0, 20)},
		{"backup", func(t testing.TB, e *local.Engine) { takeBackup(t, e.Client(), "app", "first") }},
		{"backup done", advance(time.Second)},
		{"change", fillItems(10, 30)},
		{"second backup", func(t testing.TB, e *local.Engine) { takeBackup(t, e.Client(), "app", "second") }},
		{"restore", func(t testing.TB, e *local.Engine) {
			_, err := e.Client().RestoreTableFromBackup(ctx, &dynamodb.RestoreTableFromBackupInput{BackupArn: firstBackup(t, e), TargetTableName: aws.String("restored")})
			require.NoError(t, err)
		}},
		{"restored", advance(time.Minute)},
		{"delete backup", func(t testing.TB, e *local.Engine) {
			_, err := e.Client().DeleteBackup(ctx, &dynamodb.DeleteBackupInput{BackupArn: firstBackup(t, e)})
			require.NoError(t, err)
		}},
		{"recovery", func(t testing.TB, e *local.Engine) { recovery(t, e.Client(), 7) }},
		{"an hour", advance(time.Hour)},
		{"change again", fillItems(0, 40)},
		{"and delete", func(t testing.TB, e *local.Engine) {
			e.Clock().Advance(time.Hour)
			_, err := e.Client().DeleteItem(ctx, &dynamodb.DeleteItemInput{TableName: aws.String("app"), Key: item("p1", "1")})
			require.NoError(t, err)
		}},
		{"to a point in time", func(t testing.TB, e *local.Engine) {
			e.Clock().Advance(time.Hour)
			require.NoError(t, restoreAt(t, e.Client(), "past", e.Clock().Now().Add(-150*time.Minute)))
			require.NoError(t, restoreAt(t, e.Client(), "later", e.Clock().Now().Add(-30*time.Minute)))
		}},
		{"export", func(t testing.TB, e *local.Engine) {
			_, err := e.Client().ExportTableToPointInTime(ctx, &dynamodb.ExportTableToPointInTimeInput{
				TableArn: aws.String(appArn), S3Bucket: aws.String("the-bucket"), S3Prefix: aws.String("x"), ClientToken: aws.String("once"),
			})
			require.NoError(t, err)
		}},
		{"export over, and asked again", func(t testing.TB, e *local.Engine) {
			e.Clock().Advance(time.Minute)
			_, err := e.Client().ExportTableToPointInTime(ctx, &dynamodb.ExportTableToPointInTimeInput{
				TableArn: aws.String(appArn), S3Bucket: aws.String("the-bucket"), S3Prefix: aws.String("x"), ClientToken: aws.String("once"),
			})
			require.NoError(t, err)
		}},
		{"changes", func(t testing.TB, e *local.Engine) {
			now := e.Clock().Now()
			_, err := e.Client().ExportTableToPointInTime(ctx, &dynamodb.ExportTableToPointInTimeInput{
				TableArn: aws.String(appArn), S3Bucket: aws.String("the-bucket"), ExportType: types.ExportTypeIncrementalExport, ClientToken: aws.String("changes"),
				IncrementalExportSpecification: &types.IncrementalExportSpecification{ExportFromTime: aws.Time(now.Add(-2 * time.Hour)), ExportToTime: aws.Time(now.Add(-time.Hour))},
			})
			require.NoError(t, err)
		}},
		{"import", func(t testing.TB, e *local.Engine) {
			list, err := e.Client().ListExports(ctx, &dynamodb.ListExportsInput{})
			require.NoError(t, err)
			_, id, _ := strings.Cut(*list.ExportSummaries[0].ExportArn, "/export/")
			_, err = e.Client().ImportTable(ctx, &dynamodb.ImportTableInput{
				S3BucketSource: &types.S3BucketSource{S3Bucket: aws.String("the-bucket"), S3KeyPrefix: aws.String("x/AWSDynamoDB/" + id + "/data/")},
				InputFormat:    types.InputFormatDynamodbJson, InputCompressionType: types.InputCompressionTypeGzip, ClientToken: aws.String("import"), TableCreationParameters: appDefinition("imported"),
			})
			require.NoError(t, err)
		}},
		{"imported", func(t testing.TB, e *local.Engine) {
			e.Clock().Advance(time.Minute)
			require.Len(t, scanned(t, e.Client(), "imported", nil), 39)
		}},
		{"shorter recovery", func(t testing.TB, e *local.Engine) { e.Clock().Advance(25 * time.Hour); recovery(t, e.Client(), 1) }},
		{"trimmed", fillItems(0, 10)},
		{"deleted", func(t testing.TB, e *local.Engine) {
			_, err := e.Client().DeleteTable(ctx, &dynamodb.DeleteTableInput{TableName: aws.String("app")})
			require.NoError(t, err)
		}},
		{"gone", advance(time.Minute)},
		{"created anew", func(t testing.TB, e *local.Engine) {
			createTable(t, e.Client(), "app")
			e.Clock().Advance(time.Second)
			recovery(t, e.Client(), 35)
			recovery(t, e.Client(), 0)
		}},
		{"its backup over", advance(36 * 24 * time.Hour)},
	})
}

func TestReopenSettings(t *testing.T) {
	clock := &local.Clock{}
	clock.Set(start)
	ctx := t.Context()
	arn := aws.String(appArn)
	kinesis := aws.String("arn:aws:kinesis:us-east-1:000000000000:stream/first")
	keepsAll(t, local.Config{Clock: clock, TableDelay: time.Second}, []string{"us-east-1"}, []reopenStep{
		{"create", func(t testing.TB, e *local.Engine) { createTable(t, e.Client(), "app"); e.Clock().Advance(time.Second) }},
		{"policy", func(t testing.TB, e *local.Engine) {
			_, err := e.Client().PutResourcePolicy(ctx, &dynamodb.PutResourcePolicyInput{ResourceArn: arn, Policy: aws.String(`{"Version":"2012-10-17"}`)})
			require.NoError(t, err)
		}},
		{"the same policy", func(t testing.TB, e *local.Engine) {
			_, err := e.Client().PutResourcePolicy(ctx, &dynamodb.PutResourcePolicyInput{ResourceArn: arn, Policy: aws.String(`{"Version":"2012-10-17"}`)})
			require.NoError(t, err)
		}},
		{"destination", func(t testing.TB, e *local.Engine) {
			_, err := e.Client().EnableKinesisStreamingDestination(ctx, &dynamodb.EnableKinesisStreamingDestinationInput{
				TableName: aws.String("app"), StreamArn: kinesis,
				EnableKinesisStreamingConfiguration: &types.EnableKinesisStreamingConfiguration{ApproximateCreationDateTimePrecision: types.ApproximateCreationDateTimePrecisionMicrosecond},
			})
			require.NoError(t, err)
		}},
		{"destination active", advance(time.Second)},
		{"insights", func(t testing.TB, e *local.Engine) {
			for _, index := range []*string{nil, aws.String("by-city")} {
				_, err := e.Client().UpdateContributorInsights(ctx, &dynamodb.UpdateContributorInsightsInput{
					TableName: aws.String("app"), IndexName: index, ContributorInsightsAction: types.ContributorInsightsActionEnable,
					ContributorInsightsMode: types.ContributorInsightsModeThrottledKeys,
				})
				require.NoError(t, err)
			}
		}},
		{"insights on", advance(time.Second)},
		{"all off", func(t testing.TB, e *local.Engine) {
			_, err := e.Client().DeleteResourcePolicy(ctx, &dynamodb.DeleteResourcePolicyInput{ResourceArn: arn})
			require.NoError(t, err)
			_, err = e.Client().DisableKinesisStreamingDestination(ctx, &dynamodb.DisableKinesisStreamingDestinationInput{TableName: aws.String("app"), StreamArn: kinesis})
			require.NoError(t, err)
			_, err = e.Client().UpdateContributorInsights(ctx, &dynamodb.UpdateContributorInsightsInput{TableName: aws.String("app"), ContributorInsightsAction: types.ContributorInsightsActionDisable})
			require.NoError(t, err)
		}},
	})
}

func setStream(view types.StreamViewType) func(testing.TB, *local.Engine) {
	return func(t testing.TB, e *local.Engine) {
		spec := &types.StreamSpecification{StreamEnabled: aws.Bool(view != "")}
		if view != "" {
			spec.StreamViewType = view
		}
		_, err := e.Client().UpdateTable(t.Context(), &dynamodb.UpdateTableInput{TableName: aws.String("app"), StreamSpecification: spec})
		require.NoError(t, err)
	}
}

func TestReopenStreams(t *testing.T) {
	clock := &local.Clock{}
	clock.Set(start)
	ctx := t.Context()
	keepsAll(t, local.Config{Clock: clock}, []string{"us-east-1"}, []reopenStep{
		{"create", func(t testing.TB, e *local.Engine) { createTable(t, e.Client(), "app") }},
		{"stream", setStream(types.StreamViewTypeNewAndOldImages)},
		{"insert", fillItems(0, 20)},
		{"modify", fillItems(10, 25)},
		{"remove", func(t testing.TB, e *local.Engine) {
			_, err := e.Client().DeleteItem(ctx, &dynamodb.DeleteItemInput{TableName: aws.String("app"), Key: item("p1", "1")})
			require.NoError(t, err)
		}},
		{"expire", func(t testing.TB, e *local.Engine) {
			_, err := e.Client().UpdateTimeToLive(ctx, &dynamodb.UpdateTimeToLiveInput{
				TableName: aws.String("app"), TimeToLiveSpecification: &types.TimeToLiveSpecification{AttributeName: aws.String("dies"), Enabled: aws.Bool(true)},
			})
			require.NoError(t, err)
			it := item("dying", "1")
			it["dies"] = &types.AttributeValueMemberN{Value: fmt.Sprint(e.Clock().Now().Unix())}
			put(t, e.Client(), "app", it)
			e.Clock().Advance(time.Hour)
		}},
		{"next shard", func(t testing.TB, e *local.Engine) { e.Clock().Advance(4 * time.Hour); fillItems(0, 5)(t, e) }},
		{"an empty shard", advance(9 * time.Hour)},
		{"another", fillItems(30, 35)},
		{"trimmed", advance(12 * time.Hour)},
		{"trimmed and written", fillItems(40, 50)},
		{"disabled", setStream("")},
		{"another stream", func(t testing.TB, e *local.Engine) {
			e.Clock().Advance(time.Second)
			setStream(types.StreamViewTypeKeysOnly)(t, e)
			fillItems(0, 5)(t, e)
		}},
		{"all trimmed", advance(48 * time.Hour)},
		{"deleted", func(t testing.TB, e *local.Engine) {
			_, err := e.Client().DeleteTable(ctx, &dynamodb.DeleteTableInput{TableName: aws.String("app")})
			require.NoError(t, err)
		}},
		{"created anew", func(t testing.TB, e *local.Engine) {
			e.Clock().Advance(time.Second)
			createTable(t, e.Client(), "app")
			setStream(types.StreamViewTypeNewImage)(t, e)
		}},
		{"the old one gone", advance(25 * time.Hour)},
	})
}

func TestReopenRegions(t *testing.T) {
	clock := &local.Clock{}
	clock.Set(start)
	ctx := t.Context()
	keepsAll(t, local.Config{Clock: clock, ReplicationDelay: time.Minute}, []string{"us-east-1", "eu-west-1", "ap-south-1"}, []reopenStep{
		{"tables of two regions", func(t testing.TB, e *local.Engine) {
			createTable(t, e.Client(), "app")
			createTable(t, client(t, e, "eu-west-1"), "other")
			put(t, client(t, e, "eu-west-1"), "other", item("a", "1"))
		}},
		{"fill", fillItems(0, 10)},
		{"replicas", func(t testing.TB, e *local.Engine) {
			_, err := replicas(t, e.Client(), addReplica("eu-west-1"), addReplica("ap-south-1"))
			require.NoError(t, err)
		}},
		{"on their way", fillItems(5, 15)},
		{"two write one item", func(t testing.TB, e *local.Engine) {
			e.Clock().Advance(time.Second)
			put(t, client(t, e, "eu-west-1"), "app", item("p0", "0", "city", "there"))
			e.Clock().Advance(time.Second)
			put(t, e.Client(), "app", item("p0", "0", "city", "here"))
			_, err := client(t, e, "ap-south-1").DeleteItem(ctx, &dynamodb.DeleteItemInput{TableName: aws.String("app"), Key: item("p1", "1")})
			require.NoError(t, err)
		}},
		{"arrived", advance(time.Minute)},
		{"definitions on their way", func(t testing.TB, e *local.Engine) {
			_, err := e.Client().UpdateTimeToLive(ctx, &dynamodb.UpdateTimeToLiveInput{
				TableName: aws.String("app"), TimeToLiveSpecification: &types.TimeToLiveSpecification{AttributeName: aws.String("dies"), Enabled: aws.Bool(true)},
			})
			require.NoError(t, err)
			for _, in := range []dynamodb.UpdateTableInput{
				{DeletionProtectionEnabled: aws.Bool(true)},
				{OnDemandThroughput: &types.OnDemandThroughput{MaxReadRequestUnits: aws.Int64(9)}},
			} {
				in.TableName = aws.String("app")
				_, err = e.Client().UpdateTable(ctx, &in)
				require.NoError(t, err)
			}
			_, err = e.Client().UpdateTable(ctx, &dynamodb.UpdateTableInput{
				TableName:                   aws.String("app"),
				GlobalSecondaryIndexUpdates: []types.GlobalSecondaryIndexUpdate{{Delete: &types.DeleteGlobalSecondaryIndexAction{IndexName: aws.String("by-city")}}},
			})
			require.NoError(t, err)
		}},
		{"they have arrived", advance(time.Minute)},
		{"a replica less", func(t testing.TB, e *local.Engine) {
			_, err := replicas(t, e.Client(), dropReplica("ap-south-1"))
			require.NoError(t, err)
		}},
		{"a table left", func(t testing.TB, e *local.Engine) {
			_, err := client(t, e, "eu-west-1").DeleteTable(ctx, &dynamodb.DeleteTableInput{TableName: aws.String("app")})
			require.NoError(t, err)
			e.Clock().Advance(time.Second)
		}},
		{"alone", advance(time.Minute)},
		{"again", func(t testing.TB, e *local.Engine) {
			own := addReplica("eu-west-1")
			own.Create.KMSMasterKeyId, own.Create.TableClassOverride = aws.String("alias/own"), types.TableClassStandardInfrequentAccess
			own.Create.OnDemandThroughputOverride = &types.OnDemandThroughputOverride{MaxReadRequestUnits: aws.Int64(3)}
			_, err := replicas(t, e.Client(), own, addReplica("ap-south-1"))
			require.NoError(t, err)
			fillItems(0, 3)(t, e)
		}},
		{"a global table of old", func(t testing.TB, e *local.Engine) {
			for _, region := range []string{"us-east-1", "ap-south-1"} {
				createStreamed(t, client(t, e, region), "old", nil)
			}
			_, err := createGlobal(t, e.Client(), "old", "us-east-1", "ap-south-1")
			require.NoError(t, err)
			put(t, e.Client(), "old", item("a", "1"))
		}},
		{"with one region", func(t testing.TB, e *local.Engine) {
			e.Clock().Advance(time.Hour)
			require.NoError(t, updateGlobal(t, e.Client(), "old", noGlobalReplica("us-east-1")))
		}},
	})
}
