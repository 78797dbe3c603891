// Command raw reads one item with the SDK and conversions written by hand, and
// ends.
package main

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/dynorm/dynorm/bench/cold/answer"
)

type User struct {
	ID        string
	TenantID  string
	Name      string
	Email     string
	Status    string
	Logins    int64
	Score     float64
	Active    bool
	CreatedAt time.Time
	Tags      []string
	Labels    map[string]string
	Avatar    []byte
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
	return userOf(out.Item)
}

func userOf(it map[string]types.AttributeValue) (*User, error) {
	u := &User{
		ID: text(it["id"]), TenantID: text(it["tenantId"]), Name: text(it["name"]), Email: text(it["email"]), Status: text(it["status"]),
	}
	var err error
	if n, ok := it["logins"].(*types.AttributeValueMemberN); ok {
		if u.Logins, err = strconv.ParseInt(n.Value, 10, 64); err != nil {
			return nil, err
		}
	}
	if n, ok := it["score"].(*types.AttributeValueMemberN); ok {
		if u.Score, err = strconv.ParseFloat(n.Value, 64); err != nil {
			return nil, err
		}
	}
	if b, ok := it["active"].(*types.AttributeValueMemberBOOL); ok {
		u.Active = b.Value
	}
	if u.CreatedAt, err = time.Parse(time.RFC3339Nano, text(it["createdAt"])); err != nil {
		return nil, err
	}
	if set, ok := it["tags"].(*types.AttributeValueMemberSS); ok {
		u.Tags = set.Value
	}
	if m, ok := it["labels"].(*types.AttributeValueMemberM); ok {
		u.Labels = make(map[string]string, len(m.Value))
		for name, label := range m.Value {
			u.Labels[name] = text(label)
		}
	}
	if b, ok := it["avatar"].(*types.AttributeValueMemberB); ok {
		u.Avatar = b.Value
	}
	return u, nil
}

func text(av types.AttributeValue) string {
	if s, ok := av.(*types.AttributeValueMemberS); ok {
		return s.Value
	}
	return ""
}
