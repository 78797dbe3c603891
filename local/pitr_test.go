package local_test

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/stretchr/testify/require"

	"github.com/dynorm/dynorm/local"
)

// recover switches point-in-time recovery of "app" on, for so many days, or
// off for none.
func recovery(t testing.TB, c *dynamodb.Client, days int32) *types.PointInTimeRecoveryDescription {
	t.Helper()
	spec := &types.PointInTimeRecoverySpecification{PointInTimeRecoveryEnabled: aws.Bool(days > 0)}
	if days > 0 {
		spec.RecoveryPeriodInDays = aws.Int32(days)
	}
	out, err := c.UpdateContinuousBackups(t.Context(), &dynamodb.UpdateContinuousBackupsInput{
		TableName: aws.String("app"), PointInTimeRecoverySpecification: spec,
	})
	require.NoError(t, err)
	return out.ContinuousBackupsDescription.PointInTimeRecoveryDescription
}

func restoreAt(t testing.TB, c *dynamodb.Client, target string, at time.Time) error {
	t.Helper()
	_, err := c.RestoreTableToPointInTime(t.Context(), &dynamodb.RestoreTableToPointInTimeInput{
		SourceTableName: aws.String("app"), TargetTableName: aws.String(target), RestoreDateTime: aws.Time(at),
	})
	return err
}

func TestContinuousBackups(t *testing.T) {
	e := frozen(t, local.Config{})
	c := e.Client()
	describe := func() *types.PointInTimeRecoveryDescription {
		out, err := c.DescribeContinuousBackups(t.Context(), &dynamodb.DescribeContinuousBackupsInput{TableName: aws.String("app")})
		require.NoError(t, err)
		require.Equal(t, types.ContinuousBackupsStatusEnabled, out.ContinuousBackupsDescription.ContinuousBackupsStatus)
		return out.ContinuousBackupsDescription.PointInTimeRecoveryDescription
	}
	require.Equal(t, &types.PointInTimeRecoveryDescription{PointInTimeRecoveryStatus: types.PointInTimeRecoveryStatusDisabled}, describe())
	refuses(t, restoreAt(t, c, "copy", start), "PointInTimeRecoveryUnavailableException", "Point in time recovery is not enabled for table 'app'")
	recovery(t, c, 2)
	put(t, c, "app", item("a", "1", "city", "Köln"))
	e.Clock().Advance(time.Hour)
	require.Equal(t, &types.PointInTimeRecoveryDescription{
		PointInTimeRecoveryStatus: types.PointInTimeRecoveryStatusEnabled, RecoveryPeriodInDays: aws.Int32(2),
		EarliestRestorableDateTime: aws.Time(start.UTC()), LatestRestorableDateTime: aws.Time(start.Add(55 * time.Minute).UTC()),
	}, describe())
	e.Clock().Advance(3 * 24 * time.Hour)
	require.Equal(t, start.Add(25*time.Hour).UTC(), *describe().EarliestRestorableDateTime)

	require.Error(t, restoreAt(t, c, "copy", start))
	refuses(t, restoreAt(t, c, "copy", start.Add(74*time.Hour)), "InvalidRestoreTimeException", "An invalid restore time was specified")
	require.NoError(t, restoreAt(t, c, "copy", start.Add(25*time.Hour)))
	out, err := c.RestoreTableToPointInTime(t.Context(), &dynamodb.RestoreTableToPointInTimeInput{
		SourceTableArn: aws.String("arn:aws:dynamodb:us-east-1:000000000000:table/app"), TargetTableName: aws.String("latest"), UseLatestRestorableTime: aws.Bool(true),
	})
	require.NoError(t, err)
	require.Equal(t, start.Add(73*time.Hour-5*time.Minute).UTC(), *out.TableDescription.RestoreSummary.RestoreDateTime)
	require.Len(t, contents(t, c, "latest", "by-city"), 1)

	recovery(t, c, 0)
	require.Error(t, restoreAt(t, c, "off", start.Add(30*time.Hour)))
	recovery(t, c, 35)
	require.Equal(t, start.Add(73*time.Hour).UTC(), *describe().EarliestRestorableDateTime, "enabled anew, the window begins anew")
}

// TestPointInTime changes a table at random for hours, beside snapshots and
// expiry, and then restores it to every moment it was at.
func TestPointInTime(t *testing.T) {
	e := frozen(t, local.Config{ExpiryDelay: -1})
	c := e.Client()
	_, err := c.UpdateTimeToLive(t.Context(), &dynamodb.UpdateTimeToLiveInput{
		TableName:               aws.String("app"),
		TimeToLiveSpecification: &types.TimeToLiveSpecification{AttributeName: aws.String("ttl"), Enabled: aws.Bool(true)},
	})
	require.NoError(t, err)
	put(t, c, "app", item("before", "1", "city", "Bonn"))
	recovery(t, c, 35)
	type moment struct {
		at             time.Time
		table, indexed []string
	}
	var past []moment
	random := rand.New(rand.NewPCG(1, 2))
	change := func(steps int) {
		for range steps {
			pk, city := fmt.Sprint(random.IntN(12)), fmt.Sprint(random.IntN(3))
			switch random.IntN(6) {
			case 0, 1:
				put(t, c, "app", item(pk, "1", "city", city))
			case 2:
				it := item(pk, "1")
				it["ttl"] = &types.AttributeValueMemberN{Value: fmt.Sprint(e.Clock().Now().Add(time.Minute).Unix())}
				put(t, c, "app", it)
			case 3:
				_, err = c.DeleteItem(t.Context(), &dynamodb.DeleteItemInput{TableName: aws.String("app"), Key: item(pk, "1")})
			case 4:
				_, err = c.UpdateItem(t.Context(), &dynamodb.UpdateItemInput{
					TableName: aws.String("app"), Key: item(pk, "1"), UpdateExpression: aws.String("SET city = :c"),
					ExpressionAttributeValues: map[string]types.AttributeValue{":c": str(city)},
				})
			case 5:
				_, err = c.TransactWriteItems(t.Context(), &dynamodb.TransactWriteItemsInput{TransactItems: []types.TransactWriteItem{
					{Put: &types.Put{TableName: aws.String("app"), Item: item(pk, "2")}},
					{Delete: &types.Delete{TableName: aws.String("app"), Key: item(pk, "1")}},
				}})
			}
			require.NoError(t, err)
			past = append(past, moment{e.Clock().Now(), contents(t, c, "app", ""), contents(t, c, "app", "by-city")})
			e.Clock().Advance(time.Duration(1+random.IntN(90)) * time.Second)
		}
	}
	change(100)
	s, err := e.Snapshot()
	require.NoError(t, err)
	n := len(past)
	change(50)
	require.NoError(t, e.Restore(s))
	past = past[:n]
	change(100)
	e.Clock().Advance(10 * time.Minute)
	for i, m := range past {
		name := fmt.Sprint("restored-", i)
		require.NoError(t, restoreAt(t, c, name, m.at))
		require.Equal(t, m.table, contents(t, c, name, ""), "%d: %v", i, m.at)
		require.ElementsMatch(t, m.indexed, contents(t, c, name, "by-city"), "%d: %v", i, m.at)
	}
}

func TestDeletedTableBackup(t *testing.T) {
	e := frozen(t, local.Config{})
	c := e.Client()
	recovery(t, c, 1)
	put(t, c, "app", item("a", "1"))
	_, err := c.DeleteTable(t.Context(), &dynamodb.DeleteTableInput{TableName: aws.String("app")})
	require.NoError(t, err)
	list := func() []types.BackupSummary {
		out, err := c.ListBackups(t.Context(), &dynamodb.ListBackupsInput{BackupType: types.BackupTypeFilterSystem})
		require.NoError(t, err)
		return out.BackupSummaries
	}
	made := list()
	require.Len(t, made, 1)
	require.Equal(t, "app$DeletedTableBackup", *made[0].BackupName)
	require.Equal(t, start.AddDate(0, 0, 35).UTC(), *made[0].BackupExpiryDateTime)
	_, err = c.RestoreTableFromBackup(t.Context(), &dynamodb.RestoreTableFromBackupInput{BackupArn: made[0].BackupArn, TargetTableName: aws.String("app")})
	require.NoError(t, err)
	require.Equal(t, []string{"a 1 "}, contents(t, c, "app", ""))
	e.Clock().Advance(35 * 24 * time.Hour)
	require.Empty(t, list())
}

func TestPointInTimeErrors(t *testing.T) {
	c := frozen(t, local.Config{}).Client()
	update := func(in dynamodb.UpdateContinuousBackupsInput) error {
		_, err := c.UpdateContinuousBackups(t.Context(), &in)
		return err
	}
	restore := func(in dynamodb.RestoreTableToPointInTimeInput) error {
		in.TargetTableName = aws.String("copy")
		_, err := c.RestoreTableToPointInTime(t.Context(), &in)
		return err
	}
	spec := func(on bool, days int32) *types.PointInTimeRecoverySpecification {
		return &types.PointInTimeRecoverySpecification{PointInTimeRecoveryEnabled: aws.Bool(on), RecoveryPeriodInDays: aws.Int32(days)}
	}
	app, none := aws.String("app"), aws.String("none")
	for _, tc := range []struct {
		err        error
		code, text string
	}{
		{update(dynamodb.UpdateContinuousBackupsInput{TableName: none, PointInTimeRecoverySpecification: spec(true, 1)}), "TableNotFoundException", "Table not found: none"},
		{update(dynamodb.UpdateContinuousBackupsInput{TableName: app, PointInTimeRecoverySpecification: spec(true, 36)}), "ValidationException", "Value '36' at 'pointInTimeRecoverySpecification.recoveryPeriodInDays' failed to satisfy constraint: Member must have value less than or equal to 35"},
		{update(dynamodb.UpdateContinuousBackupsInput{TableName: app, PointInTimeRecoverySpecification: spec(true, 0)}), "ValidationException", "greater than or equal to 1"},
		{update(dynamodb.UpdateContinuousBackupsInput{TableName: app, PointInTimeRecoverySpecification: spec(false, 1)}), "ValidationException", "RecoveryPeriodInDays"},
		{restore(dynamodb.RestoreTableToPointInTimeInput{SourceTableName: none, RestoreDateTime: aws.Time(start)}), "TableNotFoundException", "Table not found: none"},
		{restore(dynamodb.RestoreTableToPointInTimeInput{RestoreDateTime: aws.Time(start)}), "ValidationException", "SourceTableName"},
		{restore(dynamodb.RestoreTableToPointInTimeInput{SourceTableName: app}), "ValidationException", "One of RestoreDateTime and UseLatestRestorableTime"},
		{restore(dynamodb.RestoreTableToPointInTimeInput{SourceTableName: app, RestoreDateTime: aws.Time(start), UseLatestRestorableTime: aws.Bool(true)}), "ValidationException", "Only one of RestoreDateTime and UseLatestRestorableTime"},
	} {
		refuses(t, tc.err, tc.code, tc.text)
	}
}
