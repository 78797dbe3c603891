package local_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/stretchr/testify/require"

	"github.com/dynorm/dynorm/local"
)

func TestResourcePolicy(t *testing.T) {
	c := frozen(t, local.Config{}).Client()
	arn := aws.String(appArn)
	put := func(text string, expected *string) (string, error) {
		out, err := c.PutResourcePolicy(t.Context(), &dynamodb.PutResourcePolicyInput{ResourceArn: arn, Policy: aws.String(text), ExpectedRevisionId: expected})
		if err != nil {
			return "", err
		}
		return *out.RevisionId, nil
	}
	get := func() (*dynamodb.GetResourcePolicyOutput, error) {
		return c.GetResourcePolicy(t.Context(), &dynamodb.GetResourcePolicyInput{ResourceArn: arn})
	}
	_, err := get()
	refuses(t, err, "PolicyNotFoundException", appArn)
	first, err := put(`{"Version":"2012-10-17"}`, aws.String("NO_POLICY"))
	require.NoError(t, err)
	again, err := put(`{"Version":"2012-10-17"}`, nil)
	require.NoError(t, err)
	require.Equal(t, first, again, "the same policy is the same revision")
	second, err := put(`{"Statement":[]}`, &first)
	require.NoError(t, err)
	require.NotEqual(t, first, second)
	got, err := get()
	require.NoError(t, err)
	require.Equal(t, []string{`{"Statement":[]}`, second}, []string{*got.Policy, *got.RevisionId})

	_, err = put(`{}`, &first)
	refuses(t, err, "PolicyNotFoundException", "revision id")
	_, err = put(`{}`, aws.String("NO_POLICY"))
	refuses(t, err, "PolicyNotFoundException", "revision id")
	_, err = put(`[`, nil)
	refuses(t, err, "ValidationException", "Invalid policy document")
	_, err = c.DeleteResourcePolicy(t.Context(), &dynamodb.DeleteResourcePolicyInput{ResourceArn: arn, ExpectedRevisionId: &first})
	refuses(t, err, "PolicyNotFoundException", "revision id")
	gone, err := c.DeleteResourcePolicy(t.Context(), &dynamodb.DeleteResourcePolicyInput{ResourceArn: arn})
	require.NoError(t, err)
	require.Equal(t, second, *gone.RevisionId)
	gone, err = c.DeleteResourcePolicy(t.Context(), &dynamodb.DeleteResourcePolicyInput{ResourceArn: arn})
	require.NoError(t, err)
	require.Nil(t, gone.RevisionId, "deleting nothing is no fault")
	arn = aws.String(appArn + "none")
	_, err = get()
	refuses(t, err, "ResourceNotFoundException", "not found")
}

func TestKinesisDestinations(t *testing.T) {
	e := frozen(t, local.Config{TableDelay: time.Second})
	e.Clock().Advance(time.Second)
	c := e.Client()
	stream := func(n int) *string {
		return aws.String(fmt.Sprintf("arn:aws:kinesis:us-east-1:000000000000:stream/s%d", n))
	}
	enable := func(n int) error {
		out, err := c.EnableKinesisStreamingDestination(t.Context(), &dynamodb.EnableKinesisStreamingDestinationInput{TableName: aws.String("app"), StreamArn: stream(n)})
		if err == nil {
			require.Equal(t, types.DestinationStatusEnabling, out.DestinationStatus)
		}
		return err
	}
	describe := func() (list []string) {
		out, err := c.DescribeKinesisStreamingDestination(t.Context(), &dynamodb.DescribeKinesisStreamingDestinationInput{TableName: aws.String("app")})
		require.NoError(t, err)
		for _, d := range out.KinesisDataStreamDestinations {
			list = append(list, string(d.DestinationStatus)+" "+string(d.ApproximateCreationDateTimePrecision))
		}
		return list
	}
	disable := func(n int) error {
		_, err := c.DisableKinesisStreamingDestination(t.Context(), &dynamodb.DisableKinesisStreamingDestinationInput{TableName: aws.String("app"), StreamArn: stream(n)})
		return err
	}
	require.Empty(t, describe())
	require.NoError(t, enable(1))
	require.Equal(t, []string{"ENABLING MILLISECOND"}, describe())
	refuses(t, disable(1), "ValidationException", "must be ACTIVE to perform DISABLE")
	e.Clock().Advance(time.Second)
	require.Equal(t, []string{"ACTIVE MILLISECOND"}, describe())
	refuses(t, enable(1), "ValidationException", "must be DISABLED or ENABLE_FAILED to perform ENABLE")
	require.NoError(t, enable(2))
	refuses(t, enable(3), "LimitExceededException", "at most 2")
	_, err := c.UpdateKinesisStreamingDestination(t.Context(), &dynamodb.UpdateKinesisStreamingDestinationInput{
		TableName: aws.String("app"), StreamArn: stream(1),
		UpdateKinesisStreamingConfiguration: &types.UpdateKinesisStreamingConfiguration{ApproximateCreationDateTimePrecision: types.ApproximateCreationDateTimePrecisionMicrosecond},
	})
	require.NoError(t, err)
	e.Clock().Advance(time.Second)
	require.NoError(t, disable(2))
	require.Equal(t, []string{"ACTIVE MICROSECOND", "DISABLING MILLISECOND"}, describe())
	e.Clock().Advance(time.Second)
	require.Equal(t, []string{"ACTIVE MICROSECOND", "DISABLED MILLISECOND"}, describe())
	refuses(t, disable(9), "ValidationException", "must be ACTIVE")
}

func TestContributorInsights(t *testing.T) {
	e := frozen(t, local.Config{TableDelay: time.Second})
	c := e.Client()
	createTable(t, c, "app-2")
	e.Clock().Advance(time.Second)
	update := func(table, index string, action types.ContributorInsightsAction) error {
		in := &dynamodb.UpdateContributorInsightsInput{TableName: aws.String(table), ContributorInsightsAction: action}
		if index != "" {
			in.IndexName = aws.String(index)
		}
		_, err := c.UpdateContributorInsights(t.Context(), in)
		return err
	}
	describe := func() *dynamodb.DescribeContributorInsightsOutput {
		out, err := c.DescribeContributorInsights(t.Context(), &dynamodb.DescribeContributorInsightsInput{TableName: aws.String("app")})
		require.NoError(t, err)
		return out
	}
	require.Equal(t, types.ContributorInsightsStatusDisabled, describe().ContributorInsightsStatus)
	require.NoError(t, update("app", "", types.ContributorInsightsActionEnable))
	require.Equal(t, types.ContributorInsightsStatusEnabling, describe().ContributorInsightsStatus)
	e.Clock().Advance(time.Second)
	out := describe()
	require.Equal(t, types.ContributorInsightsStatusEnabled, out.ContributorInsightsStatus)
	require.Equal(t, types.ContributorInsightsModeAccessedAndThrottledKeys, out.ContributorInsightsMode)
	require.Len(t, out.ContributorInsightsRuleList, 4)
	require.NoError(t, update("app", "by-city", types.ContributorInsightsActionEnable))
	require.NoError(t, update("app-2", "", types.ContributorInsightsActionDisable))
	refuses(t, update("app", "none", types.ContributorInsightsActionEnable), "ResourceNotFoundException", "none")

	in := &dynamodb.ListContributorInsightsInput{MaxResults: 1}
	var names []string
	for {
		list, err := c.ListContributorInsights(t.Context(), in)
		require.NoError(t, err)
		for _, s := range list.ContributorInsightsSummaries {
			names = append(names, *s.TableName+" "+aws.ToString(s.IndexName)+" "+string(s.ContributorInsightsStatus))
		}
		if in.NextToken = list.NextToken; in.NextToken == nil {
			break
		}
	}
	require.Equal(t, []string{"app  ENABLED", "app by-city ENABLING", "app-2  DISABLING"}, names)
}
