package dynorm

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// TableDefinition returns the table that the schema needs, as the SDK's input
// without a table name: keys, attribute definitions, global secondary indexes
// that project all attributes, and on-demand billing.
func (s *Schema) TableDefinition() *dynamodb.CreateTableInput {
	in := &dynamodb.CreateTableInput{BillingMode: types.BillingModePayPerRequest}
	define := func(attr string) {
		for _, def := range in.AttributeDefinitions {
			if *def.AttributeName == attr {
				return
			}
		}
		in.AttributeDefinitions = append(in.AttributeDefinitions,
			types.AttributeDefinition{AttributeName: aws.String(attr), AttributeType: types.ScalarAttributeTypeS})
	}
	keys := func(pk, sk string) []types.KeySchemaElement {
		define(pk)
		define(sk)
		return []types.KeySchemaElement{
			{AttributeName: aws.String(pk), KeyType: types.KeyTypeHash},
			{AttributeName: aws.String(sk), KeyType: types.KeyTypeRange},
		}
	}
	in.KeySchema = keys(s.cfg.PK, s.cfg.SK)
	for _, sl := range s.slots {
		in.GlobalSecondaryIndexes = append(in.GlobalSecondaryIndexes, types.GlobalSecondaryIndex{
			IndexName:  aws.String(sl.name),
			KeySchema:  keys(sl.pk, sl.sk),
			Projection: sl.projection(),
		})
	}
	for _, sl := range s.locals {
		in.LocalSecondaryIndexes = append(in.LocalSecondaryIndexes, types.LocalSecondaryIndex{
			IndexName:  aws.String(sl.name),
			KeySchema:  keys(sl.pk, sl.sk),
			Projection: sl.projection(),
		})
	}
	return in
}

// projection is what the index copies of items beside the keys.
func (sl *slot) projection() *types.Projection {
	if sl.include == nil {
		return &types.Projection{ProjectionType: types.ProjectionTypeAll}
	}
	return &types.Projection{ProjectionType: types.ProjectionTypeInclude, NonKeyAttributes: sl.include}
}

// ttlAttr returns the attribute that holds the time to live, empty without
// one. A table has one.
func (s *Schema) ttlAttr() string {
	for _, e := range s.entities {
		switch {
		case e.ttl != nil:
			return e.ttl.Attr
		case e.def.TTL > 0:
			return "ttl"
		}
	}
	return ""
}

// CreateTable creates the table and turns its time to live on where the schema
// has one. It waits until the table is active, for as long as ctx lasts. A
// table that exists with the schema's keys and indexes is left alone; one that
// differs is an ErrTableDiffers that lists the differences, and is not
// touched. Indexes that the table has beside the schema's are no difference.
//
// It sends DescribeTable about every half second while it waits, and at most
// one CreateTable and one UpdateTimeToLive.
func (db *DB) CreateTable(ctx context.Context) error {
	return opError("CreateTable", nil, db.createTable(ctx))
}

func (db *DB) createTable(ctx context.Context) error {
	want := db.schema.TableDefinition()
	want.TableName = &db.table
	table, err := db.describeTable(ctx)
	if errors.Is(err, ErrTableNotFound) {
		_, err = run[dynamodb.CreateTableOutput](ctx, db, &Operation{Kind: OpCreateTable, Name: "CreateTable", Input: want})
		if _, raced := errors.AsType[*types.ResourceInUseException](err); raced {
			err = nil
		}
		if err != nil {
			return err
		}
		table, err = nil, nil
	}
	if err != nil {
		return err
	}
	for table == nil || !isActive(table) {
		if table != nil {
			if err := sleep(ctx, 500*time.Millisecond); err != nil {
				return err
			}
		}
		table, err = db.describeTable(ctx)
		if err != nil && !errors.Is(err, ErrTableNotFound) {
			return err
		}
		if table == nil {
			if err := sleep(ctx, 500*time.Millisecond); err != nil {
				return err
			}
		}
	}
	if diffs := tableDifferences(want, table); len(diffs) > 0 {
		return faultf(ErrTableDiffers, "table %s differs from the schema: %s", db.table, strings.Join(diffs, "; "))
	}
	return db.enableTTL(ctx)
}

func (db *DB) describeTable(ctx context.Context) (*types.TableDescription, error) {
	out, err := run[dynamodb.DescribeTableOutput](ctx, db, &Operation{
		Kind: OpDescribeTable, Name: "CreateTable",
		Input: &dynamodb.DescribeTableInput{TableName: &db.table},
	})
	if err != nil {
		return nil, err
	}
	return out.Table, nil
}

func isActive(t *types.TableDescription) bool {
	return t.TableStatus == types.TableStatusActive &&
		!slices.ContainsFunc(t.GlobalSecondaryIndexes, func(g types.GlobalSecondaryIndexDescription) bool {
			return g.IndexStatus == types.IndexStatusCreating
		})
}

// tableDifferences lists what the schema needs and the table lacks.
func tableDifferences(want *dynamodb.CreateTableInput, have *types.TableDescription) (diffs []string) {
	kind := map[string]string{}
	for _, def := range have.AttributeDefinitions {
		kind[*def.AttributeName] = string(def.AttributeType)
	}
	compare := func(what string, want, have []types.KeySchemaElement) {
		if w, h := keyText(want, nil), keyText(have, kind); w != h {
			diffs = append(diffs, fmt.Sprintf("%s has the keys %s, the schema needs %s", what, h, w))
		}
	}
	compare("the table", want.KeySchema, have.KeySchema)
	for _, w := range want.GlobalSecondaryIndexes {
		i := slices.IndexFunc(have.GlobalSecondaryIndexes, func(h types.GlobalSecondaryIndexDescription) bool {
			return *h.IndexName == *w.IndexName
		})
		if i < 0 {
			diffs = append(diffs, fmt.Sprintf("index %s is missing", *w.IndexName))
			continue
		}
		h := have.GlobalSecondaryIndexes[i]
		compare("index "+*w.IndexName, w.KeySchema, h.KeySchema)
		if h.Projection.ProjectionType != w.Projection.ProjectionType {
			diffs = append(diffs, fmt.Sprintf("index %s projects %s, the schema needs %s",
				*w.IndexName, h.Projection.ProjectionType, w.Projection.ProjectionType))
		}
	}
	return diffs
}

// keyText shows a key schema: "pk (S, HASH), sk (S, RANGE)". Without kinds
// every attribute is a string.
func keyText(keys []types.KeySchemaElement, kinds map[string]string) string {
	parts := make([]string, len(keys))
	for i, k := range keys {
		kind := "S"
		if kinds != nil {
			kind = kinds[*k.AttributeName]
		}
		parts[i] = fmt.Sprintf("%s (%s, %s)", *k.AttributeName, kind, k.KeyType)
	}
	return strings.Join(parts, ", ")
}

// enableTTL turns the table's time to live on where the schema has one.
func (db *DB) enableTTL(ctx context.Context) error {
	attr := db.schema.ttlAttr()
	if attr == "" {
		return nil
	}
	out, err := run[dynamodb.DescribeTimeToLiveOutput](ctx, db, &Operation{
		Kind: OpDescribeTimeToLive, Name: "CreateTable",
		Input: &dynamodb.DescribeTimeToLiveInput{TableName: &db.table},
	})
	if err != nil {
		return err
	}
	if d := out.TimeToLiveDescription; d != nil && (d.TimeToLiveStatus == types.TimeToLiveStatusEnabled || d.TimeToLiveStatus == types.TimeToLiveStatusEnabling) {
		if have := aws.ToString(d.AttributeName); have != attr {
			return faultf(ErrTableDiffers, "table %s expires items by %s, the schema needs %s", db.table, have, attr)
		}
		return nil
	}
	_, err = run[dynamodb.UpdateTimeToLiveOutput](ctx, db, &Operation{
		Kind: OpUpdateTimeToLive, Name: "CreateTable",
		Input: &dynamodb.UpdateTimeToLiveInput{
			TableName:               &db.table,
			TimeToLiveSpecification: &types.TimeToLiveSpecification{AttributeName: &attr, Enabled: aws.Bool(true)},
		},
	})
	return err
}

// sleep waits, or ends with the context's error.
func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}
