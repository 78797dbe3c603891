package main

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/attributevalue"
	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/expression"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// sdkPeer is the SDK with its own conversions and expression builder, as its
// documentation shows.
func sdkPeer(client *dynamodb.Client, table string) peer {
	s := sdkClient{client, table}
	return peer{
		name:          nameSDK,
		encode:        func(u *User) (item, error) { return attributevalue.MarshalMap(u) },
		decode:        func(it item, u *User) error { return attributevalue.UnmarshalMap(it, u) },
		get:           s.get,
		put:           s.put,
		update:        s.update,
		query:         s.query,
		batchWrite:    s.batchWrite,
		transactWrite: s.transactWrite,
	}
}

type sdkClient struct {
	client *dynamodb.Client
	table  string
}

func sdkKey(tenantID, id string) (item, error) {
	return attributevalue.MarshalMap(struct {
		PK string `dynamodbav:"pk"`
		SK string `dynamodbav:"sk"`
	}{partitionOf(tenantID), sortKeyOf(id)})
}

func (s sdkClient) get(ctx context.Context, tenantID, id string) (*User, error) {
	key, err := sdkKey(tenantID, id)
	if err != nil {
		return nil, err
	}
	out, err := s.client.GetItem(ctx, &dynamodb.GetItemInput{TableName: &s.table, Key: key})
	if err != nil {
		return nil, err
	}
	if out.Item == nil {
		return nil, errNotFound
	}
	u := new(User)
	return u, attributevalue.UnmarshalMap(out.Item, u)
}

func (s sdkClient) put(ctx context.Context, u *User) error {
	it, err := attributevalue.MarshalMap(recordOf(u))
	if err != nil {
		return err
	}
	_, err = s.client.PutItem(ctx, &dynamodb.PutItemInput{TableName: &s.table, Item: it})
	return err
}

func (s sdkClient) update(ctx context.Context, tenantID, id string, c changes) (*User, error) {
	key, err := sdkKey(tenantID, id)
	if err != nil {
		return nil, err
	}
	e, err := expression.NewBuilder().
		WithUpdate(expression.
			Set(expression.Name("name"), expression.Value(c.name)).
			Set(expression.Name("status"), expression.Value(c.status)).
			Set(expression.Name("logins"), expression.Value(c.logins))).
		WithCondition(expression.AttributeExists(expression.Name("pk"))).
		Build()
	if err != nil {
		return nil, err
	}
	out, err := s.client.UpdateItem(ctx, &dynamodb.UpdateItemInput{
		TableName:                 &s.table,
		Key:                       key,
		UpdateExpression:          e.Update(),
		ConditionExpression:       e.Condition(),
		ExpressionAttributeNames:  e.Names(),
		ExpressionAttributeValues: e.Values(),
		ReturnValues:              types.ReturnValueAllNew,
	})
	if err != nil {
		return nil, err
	}
	u := new(User)
	return u, attributevalue.UnmarshalMap(out.Attributes, u)
}

func (s sdkClient) query(ctx context.Context, tenantID string) ([]*User, error) {
	e, err := expression.NewBuilder().WithKeyCondition(expression.KeyAnd(
		expression.Key("pk").Equal(expression.Value(partitionOf(tenantID))),
		expression.Key("sk").BeginsWith(skPrefix))).Build()
	if err != nil {
		return nil, err
	}
	pages := dynamodb.NewQueryPaginator(s.client, &dynamodb.QueryInput{
		TableName:                 &s.table,
		KeyConditionExpression:    e.KeyCondition(),
		ExpressionAttributeNames:  e.Names(),
		ExpressionAttributeValues: e.Values(),
	})
	var users []User
	for pages.HasMorePages() {
		out, err := pages.NextPage(ctx)
		if err != nil {
			return nil, err
		}
		var page []User
		if err := attributevalue.UnmarshalListOfMaps(out.Items, &page); err != nil {
			return nil, err
		}
		if users == nil {
			users = page
		} else {
			users = append(users, page...)
		}
	}
	return pointers(users), nil
}

func (s sdkClient) batchWrite(ctx context.Context, users []*User) error {
	puts := make([]types.WriteRequest, len(users))
	for i, u := range users {
		it, err := attributevalue.MarshalMap(recordOf(u))
		if err != nil {
			return err
		}
		puts[i] = types.WriteRequest{PutRequest: &types.PutRequest{Item: it}}
	}
	return writeAll(ctx, s.client, s.table, puts)
}

func (s sdkClient) transactWrite(ctx context.Context, users []*User) error {
	puts := make([]types.TransactWriteItem, len(users))
	for i, u := range users {
		it, err := attributevalue.MarshalMap(recordOf(u))
		if err != nil {
			return err
		}
		puts[i] = types.TransactWriteItem{Put: &types.Put{TableName: &s.table, Item: it}}
	}
	_, err := s.client.TransactWriteItems(ctx, &dynamodb.TransactWriteItemsInput{TransactItems: puts})
	return err
}
