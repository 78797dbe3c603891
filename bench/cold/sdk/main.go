// Command sdk reads one item with the SDK and attributevalue and ends.
package main

import (
	"context"
	"fmt"
	"os"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/attributevalue"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/dynorm/dynorm/bench/cold/answer"
)

type User struct {
	ID        string            `dynamodbav:"id"`
	TenantID  string            `dynamodbav:"tenantId"`
	Name      string            `dynamodbav:"name"`
	Email     string            `dynamodbav:"email"`
	Status    string            `dynamodbav:"status"`
	Logins    int64             `dynamodbav:"logins"`
	Score     float64           `dynamodbav:"score"`
	Active    bool              `dynamodbav:"active"`
	CreatedAt time.Time         `dynamodbav:"createdAt"`
	Tags      []string          `dynamodbav:"tags,stringset"`
	Labels    map[string]string `dynamodbav:"labels"`
	Avatar    []byte            `dynamodbav:"avatar"`
}

func main() {
	u, err := get(context.Background())
	if err != nil || u.Name != answer.Name {
		fmt.Fprintln(os.Stderr, u, err)
		os.Exit(1)
	}
}

func get(ctx context.Context) (*User, error) {
	out, err := answer.Client().GetItem(ctx, &dynamodb.GetItemInput{
		TableName: aws.String("bench"),
		Key: map[string]types.AttributeValue{
			"pk": &types.AttributeValueMemberS{Value: "TENANT#t1"},
			"sk": &types.AttributeValueMemberS{Value: "USER#u1"},
		},
	})
	if err != nil {
		return nil, err
	}
	u := new(User)
	return u, attributevalue.UnmarshalMap(out.Item, u)
}
