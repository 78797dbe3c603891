package main

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

var errNotFound = errors.New("not found")

// rawPeer is the SDK with every conversion written by hand: the least code
// that can run without the wire being touched.
func rawPeer(client *dynamodb.Client, table string) peer {
	r := rawClient{client, table}
	return peer{
		name:          nameRaw,
		encode:        func(u *User) (item, error) { return userItem(u), nil },
		decode:        userFromItem,
		get:           r.get,
		put:           r.put,
		update:        r.update,
		query:         r.query,
		batchWrite:    r.batchWrite,
		transactWrite: r.transactWrite,
	}
}

type rawClient struct {
	client *dynamodb.Client
	table  string
}

func text(s string) types.AttributeValue { return &types.AttributeValueMemberS{Value: s} }

func number(n int64) types.AttributeValue {
	return &types.AttributeValueMemberN{Value: strconv.FormatInt(n, 10)}
}

func rawKey(tenantID, id string) item {
	return item{"pk": text(partitionOf(tenantID)), "sk": text(sortKeyOf(id))}
}

// userItem returns the attributes of a user, without key and entity type.
func userItem(u *User) item { return addUser(make(item, 12), u) }

// storedItem returns the whole item of a user.
func storedItem(u *User) item {
	it := make(item, 15)
	it["pk"] = text(partitionOf(u.TenantID))
	it["sk"] = text(sortKeyOf(u.ID))
	it["_et"] = text("User")
	return addUser(it, u)
}

func addUser(it item, u *User) item {
	it["id"] = text(u.ID)
	it["tenantId"] = text(u.TenantID)
	it["name"] = text(u.Name)
	it["email"] = text(u.Email)
	it["status"] = text(u.Status)
	it["logins"] = number(u.Logins)
	it["score"] = &types.AttributeValueMemberN{Value: strconv.FormatFloat(u.Score, 'f', -1, 64)}
	it["active"] = &types.AttributeValueMemberBOOL{Value: u.Active}
	it["createdAt"] = text(u.CreatedAt.UTC().Format(time.RFC3339Nano))
	if len(u.Tags) > 0 {
		it["tags"] = &types.AttributeValueMemberSS{Value: u.Tags}
	}
	if u.Labels != nil {
		labels := make(item, len(u.Labels))
		for k, v := range u.Labels {
			labels[k] = text(v)
		}
		it["labels"] = &types.AttributeValueMemberM{Value: labels}
	}
	if u.Avatar != nil {
		it["avatar"] = &types.AttributeValueMemberB{Value: u.Avatar}
	}
	return it
}

// typed reads the attribute name of an item into what, if it is there.
func typed[A types.AttributeValue](it item, name string, what func(A) error) error {
	av, ok := it[name]
	if !ok {
		return nil
	}
	a, ok := av.(A)
	if !ok {
		return fmt.Errorf("attribute %s is a %T", name, av)
	}
	return what(a)
}

func readText(it item, name string, to *string) error {
	return typed(it, name, func(a *types.AttributeValueMemberS) error { *to = a.Value; return nil })
}

func userFromItem(it item, u *User) error {
	return errors.Join(
		readText(it, "id", &u.ID),
		readText(it, "tenantId", &u.TenantID),
		readText(it, "name", &u.Name),
		readText(it, "email", &u.Email),
		readText(it, "status", &u.Status),
		typed(it, "logins", func(a *types.AttributeValueMemberN) (err error) {
			u.Logins, err = strconv.ParseInt(a.Value, 10, 64)
			return err
		}),
		typed(it, "score", func(a *types.AttributeValueMemberN) (err error) {
			u.Score, err = strconv.ParseFloat(a.Value, 64)
			return err
		}),
		typed(it, "active", func(a *types.AttributeValueMemberBOOL) error { u.Active = a.Value; return nil }),
		typed(it, "createdAt", func(a *types.AttributeValueMemberS) (err error) {
			u.CreatedAt, err = time.Parse(time.RFC3339Nano, a.Value)
			return err
		}),
		typed(it, "tags", func(a *types.AttributeValueMemberSS) error { u.Tags = a.Value; return nil }),
		typed(it, "labels", func(a *types.AttributeValueMemberM) error {
			u.Labels = make(map[string]string, len(a.Value))
			for k := range a.Value {
				var label string
				if err := readText(a.Value, k, &label); err != nil {
					return err
				}
				u.Labels[k] = label
			}
			return nil
		}),
		typed(it, "avatar", func(a *types.AttributeValueMemberB) error { u.Avatar = a.Value; return nil }),
	)
}

func (r rawClient) get(ctx context.Context, tenantID, id string) (*User, error) {
	out, err := r.client.GetItem(ctx, &dynamodb.GetItemInput{TableName: &r.table, Key: rawKey(tenantID, id)})
	if err != nil {
		return nil, err
	}
	if out.Item == nil {
		return nil, errNotFound
	}
	u := new(User)
	return u, userFromItem(out.Item, u)
}

func (r rawClient) put(ctx context.Context, u *User) error {
	_, err := r.client.PutItem(ctx, &dynamodb.PutItemInput{TableName: &r.table, Item: storedItem(u)})
	return err
}

func (r rawClient) update(ctx context.Context, tenantID, id string, c changes) (*User, error) {
	out, err := r.client.UpdateItem(ctx, &dynamodb.UpdateItemInput{
		TableName:                &r.table,
		Key:                      rawKey(tenantID, id),
		UpdateExpression:         aws.String("SET #name = :name, #status = :status, #logins = :logins"),
		ConditionExpression:      aws.String("attribute_exists(#pk)"),
		ExpressionAttributeNames: map[string]string{"#pk": "pk", "#name": "name", "#status": "status", "#logins": "logins"},
		ExpressionAttributeValues: item{
			":name": text(c.name), ":status": text(c.status), ":logins": number(c.logins),
		},
		ReturnValues: types.ReturnValueAllNew,
	})
	if err != nil {
		return nil, err
	}
	u := new(User)
	return u, userFromItem(out.Attributes, u)
}

func (r rawClient) query(ctx context.Context, tenantID string) ([]*User, error) {
	in := &dynamodb.QueryInput{
		TableName:                &r.table,
		KeyConditionExpression:   aws.String("#pk = :pk AND begins_with(#sk, :sk)"),
		ExpressionAttributeNames: map[string]string{"#pk": "pk", "#sk": "sk"},
		ExpressionAttributeValues: item{
			":pk": text(partitionOf(tenantID)), ":sk": text(skPrefix),
		},
	}
	var users []User
	for {
		out, err := r.client.Query(ctx, in)
		if err != nil {
			return nil, err
		}
		if users == nil {
			users = make([]User, 0, len(out.Items))
		}
		for _, it := range out.Items {
			var u User
			if err := userFromItem(it, &u); err != nil {
				return nil, err
			}
			users = append(users, u)
		}
		if len(out.LastEvaluatedKey) == 0 {
			return pointers(users), nil
		}
		in.ExclusiveStartKey = out.LastEvaluatedKey
	}
}

func (r rawClient) batchWrite(ctx context.Context, users []*User) error {
	puts := make([]types.WriteRequest, len(users))
	for i, u := range users {
		puts[i] = types.WriteRequest{PutRequest: &types.PutRequest{Item: storedItem(u)}}
	}
	return writeAll(ctx, r.client, r.table, puts)
}

// writeAll sends one batch until nothing of it is left.
func writeAll(ctx context.Context, client *dynamodb.Client, table string, writes []types.WriteRequest) error {
	left := map[string][]types.WriteRequest{table: writes}
	for len(left) > 0 {
		out, err := client.BatchWriteItem(ctx, &dynamodb.BatchWriteItemInput{RequestItems: left})
		if err != nil {
			return err
		}
		left = out.UnprocessedItems
	}
	return nil
}

func (r rawClient) transactWrite(ctx context.Context, users []*User) error {
	puts := make([]types.TransactWriteItem, len(users))
	for i, u := range users {
		puts[i] = types.TransactWriteItem{Put: &types.Put{TableName: &r.table, Item: storedItem(u)}}
	}
	_, err := r.client.TransactWriteItems(ctx, &dynamodb.TransactWriteItemsInput{TransactItems: puts})
	return err
}
