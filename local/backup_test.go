package local_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/smithy-go"
	"github.com/stretchr/testify/require"

	"github.com/dynorm/dynorm/local"
)

var start = time.Unix(1_800_000_000, 0)

// frozen returns an engine with table "app" whose clock stands at start.
func frozen(t testing.TB, cfg local.Config) *local.Engine {
	t.Helper()
	cfg.Clock = &local.Clock{}
	cfg.Clock.Set(start)
	return open(t, cfg)
}

// refuses requires that err is the service's error of the given code and text.
func refuses(t testing.TB, err error, code, text string) {
	t.Helper()
	var api smithy.APIError
	require.ErrorAs(t, err, &api)
	require.Equal(t, code, api.ErrorCode(), "%v", err)
	require.Contains(t, api.ErrorMessage(), text)
}

// contents returns the table's items as text, from the table and its index.
func contents(t testing.TB, c *dynamodb.Client, table, index string) []string {
	t.Helper()
	in := &dynamodb.ScanInput{TableName: aws.String(table)}
	if index != "" {
		in.IndexName = aws.String(index)
	}
	out, err := c.Scan(t.Context(), in)
	require.NoError(t, err)
	list := []string{}
	for _, it := range out.Items {
		line := ""
		for _, name := range []string{"pk", "sk", "city"} {
			if v, ok := it[name].(*types.AttributeValueMemberS); ok {
				line += v.Value + " "
			}
		}
		list = append(list, line)
	}
	return list
}

func put(t testing.TB, c *dynamodb.Client, table string, it map[string]types.AttributeValue) {
	t.Helper()
	_, err := c.PutItem(t.Context(), &dynamodb.PutItemInput{TableName: aws.String(table), Item: it})
	require.NoError(t, err)
}

func takeBackup(t testing.TB, c *dynamodb.Client, table, name string) *types.BackupDetails {
	t.Helper()
	out, err := c.CreateBackup(t.Context(), &dynamodb.CreateBackupInput{TableName: aws.String(table), BackupName: aws.String(name)})
	require.NoError(t, err)
	return out.BackupDetails
}

func TestBackup(t *testing.T) {
	e := frozen(t, local.Config{TableDelay: time.Second})
	c := e.Client()
	backupOf := func() error {
		_, err := c.CreateBackup(t.Context(), &dynamodb.CreateBackupInput{TableName: aws.String("app"), BackupName: aws.String("first")})
		return err
	}
	refuses(t, backupOf(), "TableInUseException", "Table is being created: app")
	e.Clock().Advance(time.Second)
	put(t, c, "app", item("a", "1", "city", "Köln"))
	put(t, c, "app", item("b", "1"))
	made := takeBackup(t, c, "app", "first")
	require.Equal(t, types.BackupStatusCreating, made.BackupStatus)
	require.Equal(t, types.BackupTypeUser, made.BackupType)
	require.Positive(t, *made.BackupSizeBytes)
	put(t, c, "app", item("later", "1", "city", "Bonn"))

	restore := func(target string) (*types.TableDescription, error) {
		out, err := c.RestoreTableFromBackup(t.Context(), &dynamodb.RestoreTableFromBackupInput{BackupArn: made.BackupArn, TargetTableName: aws.String(target)})
		if err != nil {
			return nil, err
		}
		return out.TableDescription, nil
	}
	_, err := restore("copy")
	refuses(t, err, "BackupInUseException", "Backup is being created")
	_, err = c.DeleteBackup(t.Context(), &dynamodb.DeleteBackupInput{BackupArn: made.BackupArn})
	refuses(t, err, "BackupInUseException", "Backup is being created")
	e.Clock().Advance(time.Second)
	described, err := c.DescribeBackup(t.Context(), &dynamodb.DescribeBackupInput{BackupArn: made.BackupArn})
	require.NoError(t, err)
	require.Equal(t, types.BackupStatusAvailable, described.BackupDescription.BackupDetails.BackupStatus)
	source := described.BackupDescription.SourceTableDetails
	require.Equal(t, int64(2), *source.ItemCount)
	require.Equal(t, types.BillingModePayPerRequest, source.BillingMode)
	require.Len(t, source.KeySchema, 2)
	require.Equal(t, "by-city", *described.BackupDescription.SourceTableFeatureDetails.GlobalSecondaryIndexes[0].IndexName)

	table, err := restore("copy")
	require.NoError(t, err)
	require.Equal(t, types.TableStatusCreating, table.TableStatus)
	require.Equal(t, *made.BackupArn, *table.RestoreSummary.SourceBackupArn)
	require.True(t, *table.RestoreSummary.RestoreInProgress)
	_, err = restore("copy")
	refuses(t, err, "TableAlreadyExistsException", "Table already exists: copy")
	e.Clock().Advance(time.Second)
	require.Equal(t, []string{"a 1 Köln "}, contents(t, c, "copy", "by-city"))
	require.Len(t, contents(t, c, "copy", ""), 2)
	now, err := c.DescribeTable(t.Context(), &dynamodb.DescribeTableInput{TableName: aws.String("copy")})
	require.NoError(t, err)
	require.False(t, *now.Table.RestoreSummary.RestoreInProgress)
	require.NotEqual(t, source.TableId, now.Table.TableId)

	put(t, c, "copy", item("new", "1")) // does not reach the backup
	_, err = restore("again")
	require.NoError(t, err)
	e.Clock().Advance(time.Second)
	require.Len(t, contents(t, c, "again", ""), 2)

	gone, err := c.DeleteBackup(t.Context(), &dynamodb.DeleteBackupInput{BackupArn: made.BackupArn})
	require.NoError(t, err)
	require.Equal(t, types.BackupStatusDeleted, gone.BackupDescription.BackupDetails.BackupStatus)
	_, err = c.DescribeBackup(t.Context(), &dynamodb.DescribeBackupInput{BackupArn: made.BackupArn})
	refuses(t, err, "BackupNotFoundException", "Backup not found: "+*made.BackupArn)
	_, err = restore("third")
	refuses(t, err, "BackupNotFoundException", "Backup not found")
}

func TestListBackups(t *testing.T) {
	e := frozen(t, local.Config{})
	c := e.Client()
	createTable(t, c, "other")
	for i := range 5 {
		takeBackup(t, c, "app", fmt.Sprintf("app-%d", i))
		takeBackup(t, c, "other", fmt.Sprintf("other-%d", i))
		e.Clock().Advance(time.Minute)
	}
	list := func(in dynamodb.ListBackupsInput) (names []string) {
		for {
			out, err := c.ListBackups(t.Context(), &in)
			require.NoError(t, err)
			for _, b := range out.BackupSummaries {
				names = append(names, *b.BackupName)
			}
			if out.LastEvaluatedBackupArn == nil {
				return names
			}
			require.Len(t, out.BackupSummaries, int(*in.Limit))
			in.ExclusiveStartBackupArn = out.LastEvaluatedBackupArn
		}
	}
	all := []string{"app-0", "app-1", "app-2", "app-3", "app-4", "other-0", "other-1", "other-2", "other-3", "other-4"}
	require.Equal(t, all, list(dynamodb.ListBackupsInput{}))
	for limit := range int32(11) {
		require.Equal(t, all, list(dynamodb.ListBackupsInput{Limit: aws.Int32(limit + 1)}))
	}
	require.Equal(t, all[5:], list(dynamodb.ListBackupsInput{TableName: aws.String("other"), Limit: aws.Int32(2)}))
	require.Equal(t, []string{"app-1", "app-2"}, list(dynamodb.ListBackupsInput{
		TableName: aws.String("app"), TimeRangeLowerBound: aws.Time(start.Add(time.Minute)), TimeRangeUpperBound: aws.Time(start.Add(3 * time.Minute)),
	}), "the lower bound is included, the upper is not")
	require.Equal(t, all, list(dynamodb.ListBackupsInput{BackupType: types.BackupTypeFilterAll}))
	require.Empty(t, list(dynamodb.ListBackupsInput{BackupType: types.BackupTypeFilterSystem}))
	require.Empty(t, list(dynamodb.ListBackupsInput{TableName: aws.String("none")}))

	s, err := e.Snapshot()
	require.NoError(t, err)
	takeBackup(t, c, "app", "app-5")
	other, err := local.Open(t.Context(), local.Config{})
	require.NoError(t, err)
	for _, target := range []*local.Engine{e, other} {
		require.NoError(t, target.Restore(s))
		c = target.Client()
		require.Equal(t, all, list(dynamodb.ListBackupsInput{}), "a snapshot holds the backups")
	}
}

func TestRestoreOverrides(t *testing.T) {
	c := frozen(t, local.Config{}).Client()
	put(t, c, "app", item("a", "1", "city", "Köln"))
	made := takeBackup(t, c, "app", "first")
	units := func(n int64) *types.ProvisionedThroughput {
		return &types.ProvisionedThroughput{ReadCapacityUnits: aws.Int64(n), WriteCapacityUnits: aws.Int64(n)}
	}
	byCity := func(kind types.ProjectionType, p *types.ProvisionedThroughput) []types.GlobalSecondaryIndex {
		return []types.GlobalSecondaryIndex{{
			IndexName: aws.String("by-city"), ProvisionedThroughput: p,
			KeySchema:  []types.KeySchemaElement{{AttributeName: aws.String("city"), KeyType: types.KeyTypeHash}},
			Projection: &types.Projection{ProjectionType: kind},
		}}
	}
	n := 0
	restore := func(in dynamodb.RestoreTableFromBackupInput) (*types.TableDescription, error) {
		n++
		in.BackupArn, in.TargetTableName = made.BackupArn, aws.String(fmt.Sprintf("copy-%d", n))
		out, err := c.RestoreTableFromBackup(t.Context(), &in)
		if err != nil {
			return nil, err
		}
		return out.TableDescription, nil
	}
	table, err := restore(dynamodb.RestoreTableFromBackupInput{GlobalSecondaryIndexOverride: []types.GlobalSecondaryIndex{}})
	require.NoError(t, err)
	require.Empty(t, table.GlobalSecondaryIndexes)
	require.Len(t, table.AttributeDefinitions, 2)
	table, err = restore(dynamodb.RestoreTableFromBackupInput{
		BillingModeOverride: types.BillingModeProvisioned, ProvisionedThroughputOverride: units(7),
		GlobalSecondaryIndexOverride: byCity(types.ProjectionTypeAll, units(3)),
		SSESpecificationOverride:     &types.SSESpecification{Enabled: aws.Bool(true)},
	})
	require.NoError(t, err)
	require.Equal(t, int64(7), *table.ProvisionedThroughput.ReadCapacityUnits)
	require.Equal(t, int64(3), *table.GlobalSecondaryIndexes[0].ProvisionedThroughput.WriteCapacityUnits)
	require.Equal(t, types.SSEStatusEnabled, table.SSEDescription.Status)
	require.Len(t, contents(t, c, *table.TableName, "by-city"), 1)

	for _, tc := range []struct {
		in   dynamodb.RestoreTableFromBackupInput
		text string
	}{
		{dynamodb.RestoreTableFromBackupInput{BillingModeOverride: types.BillingModeProvisioned}, "ReadCapacityUnits and WriteCapacityUnits must both be specified"},
		{dynamodb.RestoreTableFromBackupInput{BillingModeOverride: types.BillingModeProvisioned, ProvisionedThroughputOverride: units(1)}, "ProvisionedThroughput is not specified for index: by-city"},
		{dynamodb.RestoreTableFromBackupInput{ProvisionedThroughputOverride: units(1)}, "Neither ReadCapacityUnits nor WriteCapacityUnits"},
		{dynamodb.RestoreTableFromBackupInput{GlobalSecondaryIndexOverride: byCity(types.ProjectionTypeAll, units(1))}, "ProvisionedThroughput should not be specified for index: by-city"},
		{dynamodb.RestoreTableFromBackupInput{GlobalSecondaryIndexOverride: byCity(types.ProjectionTypeKeysOnly, nil)}, "index by-city is not an index of the source table"},
		{dynamodb.RestoreTableFromBackupInput{BillingModeOverride: "FREE"}, "Value 'FREE' at 'billingModeOverride' failed to satisfy constraint"},
	} {
		_, err := restore(tc.in)
		refuses(t, err, "ValidationException", tc.text)
	}
}

func TestBackupErrors(t *testing.T) {
	c := frozen(t, local.Config{}).Client()
	arn := aws.String("arn:aws:dynamodb:us-east-1:000000000000:table/app/backup/01800000000000-00000000")
	for name, tc := range map[string]struct {
		call       func() error
		code, text string
	}{
		"no table": {func() error {
			_, err := c.CreateBackup(t.Context(), &dynamodb.CreateBackupInput{TableName: aws.String("none"), BackupName: aws.String("abc")})
			return err
		}, "TableNotFoundException", "Table not found: none"},
		"short name": {func() error {
			_, err := c.CreateBackup(t.Context(), &dynamodb.CreateBackupInput{TableName: aws.String("app"), BackupName: aws.String("a")})
			return err
		}, "ValidationException", "Value 'a' at 'backupName' failed to satisfy constraint: Member must have length greater than or equal to 3"},
		"no backup to delete": {func() error {
			_, err := c.DeleteBackup(t.Context(), &dynamodb.DeleteBackupInput{BackupArn: arn})
			return err
		}, "BackupNotFoundException", "Backup not found: " + *arn},
		"short ARN": {func() error {
			_, err := c.DescribeBackup(t.Context(), &dynamodb.DescribeBackupInput{BackupArn: aws.String("arn")})
			return err
		}, "ValidationException", "Value 'arn' at 'backupArn' failed to satisfy constraint: Member must have length greater than or equal to 37"},
		"limit": {func() error {
			_, err := c.ListBackups(t.Context(), &dynamodb.ListBackupsInput{Limit: aws.Int32(101)})
			return err
		}, "ValidationException", "Value '101' at 'limit' failed to satisfy constraint: Member must have value less than or equal to 100"},
		"bounds": {func() error {
			_, err := c.ListBackups(t.Context(), &dynamodb.ListBackupsInput{TimeRangeLowerBound: aws.Time(start), TimeRangeUpperBound: aws.Time(start.Add(-time.Second))})
			return err
		}, "ValidationException", "TimeRangeLowerBound must be less than or equal to TimeRangeUpperBound"},
		"bad target": {func() error {
			_, err := c.RestoreTableFromBackup(t.Context(), &dynamodb.RestoreTableFromBackupInput{BackupArn: arn, TargetTableName: aws.String("a b c")})
			return err
		}, "ValidationException", "Value 'a b c' at 'targetTableName' failed to satisfy constraint: Member must satisfy regular expression pattern: [a-zA-Z0-9_.-]+"},
	} {
		t.Run(name, func(t *testing.T) { refuses(t, tc.call(), tc.code, tc.text) })
	}
}
