package main

import (
	"context"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/google/go-cmp/cmp"
)

// everyField lets cmp look into the SDK's types, which have unexported fields
// without content.
var everyField = cmp.Exporter(func(reflect.Type) bool { return true })

// checkEquivalence runs every peer's calls on an engine and returns an error
// unless all store the same items and read the same values.
func checkEquivalence(ctx context.Context, client *dynamodb.Client, table string) error {
	peers, err := peersOn(client, table)
	if err != nil {
		return err
	}
	if err := createTable(ctx, client, table); err != nil {
		return err
	}
	e := equivalence{client: client, table: table, raw: rawPeer(client, table), users: sampleUsers(pageSize)}
	for _, p := range peers {
		if err := e.check(ctx, p); err != nil {
			return fmt.Errorf("%s: %w", p.name, err)
		}
	}
	return nil
}

// checkAnswers returns an error unless every peer reads users from a stub.
func checkAnswers(ctx context.Context, peers []peer, users []*User) error {
	for _, p := range peers {
		if err := checkReads(ctx, p, users); err != nil {
			return fmt.Errorf("%s: %w", p.name, err)
		}
	}
	return nil
}

type equivalence struct {
	client *dynamodb.Client
	table  string
	raw    peer
	users  []*User
}

func (e equivalence) check(ctx context.Context, p peer) error {
	if err := e.checkCodec(p); err != nil {
		return err
	}
	writes := []struct {
		name  string
		write func(context.Context, []*User) error
		users []*User
	}{
		{"put", func(ctx context.Context, users []*User) error { return p.put(ctx, users[0]) }, e.users[:1]},
		{"batchWrite", p.batchWrite, e.users[:batchSize]},
		{"transactWrite", p.transactWrite, e.users[:txSize]},
	}
	for _, w := range writes {
		if err := w.write(ctx, w.users); err != nil {
			return fmt.Errorf("%s: %w", w.name, err)
		}
		if err := e.checkStored(ctx, w.users); err != nil {
			return fmt.Errorf("%s: %w", w.name, err)
		}
		if err := e.clear(ctx); err != nil {
			return err
		}
	}
	if err := e.checkUpdate(ctx, p); err != nil {
		return fmt.Errorf("update: %w", err)
	}
	for batch := range slices.Chunk(e.users, batchSize) {
		if err := e.raw.batchWrite(ctx, batch); err != nil {
			return err
		}
	}
	if err := checkReads(ctx, p, e.users); err != nil {
		return err
	}
	return e.clear(ctx)
}

func (e equivalence) checkCodec(p peer) error {
	u := e.users[0]
	want := userItem(u)
	got, err := p.encode(u)
	if err != nil {
		return fmt.Errorf("encode: %w", err)
	}
	if diff := cmp.Diff(want, got, everyField); diff != "" {
		return fmt.Errorf("encode (-want +got):\n%s", diff)
	}
	var back User
	if err := p.decode(want, &back); err != nil {
		return fmt.Errorf("decode: %w", err)
	}
	if diff := cmp.Diff(*u, back); diff != "" {
		return fmt.Errorf("decode (-want +got):\n%s", diff)
	}
	return nil
}

func (e equivalence) checkUpdate(ctx context.Context, p peer) error {
	c := changes{name: "Ada King", status: "archived", logins: 7}
	want := *e.users[0]
	if err := e.raw.put(ctx, &want); err != nil {
		return err
	}
	want.Name, want.Status, want.Logins = c.name, c.status, c.logins
	got, err := p.update(ctx, want.TenantID, want.ID, c)
	if err != nil {
		return err
	}
	if diff := cmp.Diff(&want, got); diff != "" {
		return fmt.Errorf("returned (-want +got):\n%s", diff)
	}
	if err := e.checkStored(ctx, []*User{&want}); err != nil {
		return err
	}
	if err := e.clear(ctx); err != nil {
		return err
	}
	if _, err := p.update(ctx, want.TenantID, want.ID, c); err == nil {
		return fmt.Errorf("an item that does not exist was updated")
	}
	return nil
}

func checkReads(ctx context.Context, p peer, users []*User) error {
	got, err := p.get(ctx, users[0].TenantID, users[0].ID)
	if err != nil {
		return fmt.Errorf("get: %w", err)
	}
	if diff := cmp.Diff(users[0], got); diff != "" {
		return fmt.Errorf("get (-want +got):\n%s", diff)
	}
	list, err := p.query(ctx, tenant)
	if err != nil {
		return fmt.Errorf("query: %w", err)
	}
	if diff := cmp.Diff(users, list); diff != "" {
		return fmt.Errorf("query (-want +got):\n%s", diff)
	}
	return nil
}

// checkStored returns an error unless the table holds the items of users and
// nothing else.
func (e equivalence) checkStored(ctx context.Context, users []*User) error {
	got, err := e.items(ctx)
	if err != nil {
		return err
	}
	want := make([]item, len(users))
	for i, u := range users {
		want[i] = storedItem(u)
	}
	if diff := cmp.Diff(want, got, everyField); diff != "" {
		return fmt.Errorf("stored (-want +got):\n%s", diff)
	}
	return nil
}

// items returns all items of the table by sort key.
func (e equivalence) items(ctx context.Context) ([]item, error) {
	out, err := e.client.Scan(ctx, &dynamodb.ScanInput{TableName: &e.table, ConsistentRead: aws.Bool(true)})
	if err != nil {
		return nil, err
	}
	slices.SortFunc(out.Items, func(a, b item) int { return strings.Compare(sk(a), sk(b)) })
	return out.Items, nil
}

func sk(it item) string { return it["sk"].(*types.AttributeValueMemberS).Value }

// clear deletes all items.
func (e equivalence) clear(ctx context.Context) error {
	items, err := e.items(ctx)
	if err != nil {
		return err
	}
	for _, it := range items {
		key := item{"pk": it["pk"], "sk": it["sk"]}
		if _, err := e.client.DeleteItem(ctx, &dynamodb.DeleteItemInput{TableName: &e.table, Key: key}); err != nil {
			return err
		}
	}
	return nil
}

// createTable creates the table that the peers share, in DynamoDB's own terms.
func createTable(ctx context.Context, client *dynamodb.Client, table string) error {
	_, err := client.CreateTable(ctx, &dynamodb.CreateTableInput{
		TableName:   &table,
		BillingMode: types.BillingModePayPerRequest,
		AttributeDefinitions: []types.AttributeDefinition{
			{AttributeName: aws.String("pk"), AttributeType: types.ScalarAttributeTypeS},
			{AttributeName: aws.String("sk"), AttributeType: types.ScalarAttributeTypeS},
		},
		KeySchema: []types.KeySchemaElement{
			{AttributeName: aws.String("pk"), KeyType: types.KeyTypeHash},
			{AttributeName: aws.String("sk"), KeyType: types.KeyTypeRange},
		},
	})
	return err
}
