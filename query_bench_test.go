package dynorm_test

import (
	"strconv"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/stretchr/testify/require"

	"github.com/dynorm/dynorm"
)

// The query of three predicates that the budget is about: two for the key, one
// for the filter.
func threePredicates(m dynorm.Model[Reading]) dynorm.Query[Reading] {
	return m.Where(dynorm.Eq("device", "d1"), dynorm.Ge("at", clock), dynorm.Eq("value", 3))
}

// Building and planning a query stays within its budget, and a query that is
// used again is not planned again.
func TestPlanBudget(t *testing.T) {
	m := dynorm.ModelOf[Reading](offline(t, Reading{}))
	require.LessOrEqual(t, testing.AllocsPerRun(100, func() {
		if err := dynorm.PlanOnly(threePredicates(m)); err != nil {
			t.Fatal(err)
		}
	}), 20.0)
	q := threePredicates(m)
	require.Zero(t, testing.AllocsPerRun(100, func() {
		if err := dynorm.PlanOnly(q); err != nil {
			t.Fatal(err)
		}
	}))
}

func BenchmarkPlan(b *testing.B) {
	m := dynorm.ModelOf[Reading](offline(b, Reading{}))
	b.ReportAllocs()
	for b.Loop() {
		if err := dynorm.PlanOnly(threePredicates(m)); err != nil {
			b.Fatal(err)
		}
	}
}

// What a program without a library builds for the same query.
func BenchmarkPlanByHand(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		in := &dynamodb.QueryInput{
			TableName:                aws.String("app"),
			KeyConditionExpression:   aws.String("#0 = :0 AND #1 BETWEEN :1 AND :2"),
			FilterExpression:         aws.String("#2 = :3"),
			ExpressionAttributeNames: map[string]string{"#0": "pk", "#1": "sk", "#2": "value"},
			ExpressionAttributeValues: dynorm.Item{
				":0": &types.AttributeValueMemberS{Value: "DEVICE#" + "d1"},
				":1": &types.AttributeValueMemberS{Value: "READING#" + clock.UTC().Format("2006-01-02T15:04:05.000000000Z")},
				":2": &types.AttributeValueMemberS{Value: "READING$"},
				":3": &types.AttributeValueMemberN{Value: strconv.Itoa(3)},
			},
		}
		if in.TableName == nil {
			b.Fatal("no table")
		}
	}
}

func BenchmarkPlanReused(b *testing.B) {
	q := threePredicates(dynorm.ModelOf[Reading](offline(b, Reading{})))
	b.ReportAllocs()
	for b.Loop() {
		if err := dynorm.PlanOnly(q); err != nil {
			b.Fatal(err)
		}
	}
}
