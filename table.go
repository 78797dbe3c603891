package dynorm

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/dynorm/dynorm/parser"
)

// TableConfig says how a schema's table is made. The zero value is a table on
// demand, without a stream.
type TableConfig struct {
	// ReadUnits and WriteUnits are the provisioned throughput of the table and
	// of each global index. Default to none: the table is billed on demand.
	ReadUnits, WriteUnits int64
	// MaxReadUnits and MaxWriteUnits bound a table on demand. Default to no
	// bound.
	MaxReadUnits, MaxWriteUnits int64
	// Stream is what the table's stream shows of changed items. Defaults to no
	// stream.
	Stream types.StreamViewType
	// Class is the table class. Defaults to DynamoDB's, which is standard.
	Class types.TableClass
	// DeletionProtection keeps the table from being deleted. Defaults to false.
	DeletionProtection bool
	// Tags are the table's tags: at most 50, keys of 1 to 128 and values of at
	// most 256 letters, digits, spaces and "_.:/=+-@", no key beginning with
	// "aws:"; "Tagging restrictions in DynamoDB" in the developer guide.
	Tags map[string]string
	// KMSKey is the key that encrypts the table at rest: "alias/aws/dynamodb"
	// for the one that AWS manages, or the id, name or ARN of your own. Defaults
	// to the key that DynamoDB owns.
	KMSKey string
}

// check reports contradictions.
func (c *TableConfig) check() (faults []error) {
	if (c.ReadUnits > 0) != (c.WriteUnits > 0) {
		faults = append(faults, errors.New("SchemaConfig.Table: ReadUnits and WriteUnits go together: give both, or none for billing on demand"))
	}
	if c.ReadUnits > 0 && (c.MaxReadUnits > 0 || c.MaxWriteUnits > 0) {
		faults = append(faults, errors.New("SchemaConfig.Table: MaxReadUnits and MaxWriteUnits bound a table on demand, ReadUnits and WriteUnits provision one: give the ones or the others"))
	}
	if min(c.ReadUnits, c.WriteUnits, c.MaxReadUnits, c.MaxWriteUnits) < 0 {
		faults = append(faults, errors.New("SchemaConfig.Table: units are not negative"))
	}
	if c.Stream != "" && !slices.Contains(c.Stream.Values(), c.Stream) {
		faults = append(faults, fmt.Errorf("SchemaConfig.Table.Stream is %q: give one of %v", c.Stream, c.Stream.Values()))
	}
	if c.Class != "" && !slices.Contains(c.Class.Values(), c.Class) {
		faults = append(faults, fmt.Errorf("SchemaConfig.Table.Class is %q: give one of %v", c.Class, c.Class.Values()))
	}
	return append(faults, c.checkTags()...)
}

// checkTags reports tags that DynamoDB does not take.
func (c *TableConfig) checkTags() (faults []error) {
	if n := len(c.Tags); n > 50 {
		faults = append(faults, fmt.Errorf("SchemaConfig.Table.Tags has %d tags: a table has at most 50", n))
	}
	for _, key := range slices.Sorted(maps.Keys(c.Tags)) {
		if key == "" || !tagText(key, 128) || len(key) >= 4 && strings.EqualFold(key[:4], "aws:") {
			faults = append(faults, fmt.Errorf(`SchemaConfig.Table.Tags: the key %q is not 1 to 128 letters, digits, spaces and "_.:/=+-@" that don't begin with "aws:"`, key))
		}
		if value := c.Tags[key]; !tagText(value, 256) {
			faults = append(faults, fmt.Errorf(`SchemaConfig.Table.Tags: the value %q of %q is not at most 256 letters, digits, spaces and "_.:/=+-@"`, value, key))
		}
	}
	return faults
}

// tagText reports whether s has the characters and length of a tag's text.
func tagText(s string, limit int) bool {
	return utf8.RuneCountInString(s) <= limit && !strings.ContainsFunc(s, func(r rune) bool {
		return !unicode.In(r, unicode.Letter, unicode.Digit, unicode.Space) && !strings.ContainsRune("_.:/=+-@", r)
	})
}

// TableDefinition returns the table that the schema needs, as the SDK's input
// without a table name: keys, attribute definitions, indexes with their
// projections, and what [SchemaConfig.Table] says. The time to live is turned on
// by a request of its own: see [DB.CreateTable].
func (s *Schema) TableDefinition() *dynamodb.CreateTableInput {
	cfg := &s.cfg.Table
	in := &dynamodb.CreateTableInput{BillingMode: types.BillingModePayPerRequest, TableClass: cfg.Class}
	var (
		provisioned *types.ProvisionedThroughput
		bound       *types.OnDemandThroughput
	)
	if cfg.ReadUnits > 0 {
		in.BillingMode = types.BillingModeProvisioned
		provisioned = &types.ProvisionedThroughput{ReadCapacityUnits: &cfg.ReadUnits, WriteCapacityUnits: &cfg.WriteUnits}
	}
	if cfg.MaxReadUnits > 0 || cfg.MaxWriteUnits > 0 {
		bound = &types.OnDemandThroughput{MaxReadRequestUnits: positive(cfg.MaxReadUnits), MaxWriteRequestUnits: positive(cfg.MaxWriteUnits)}
	}
	in.ProvisionedThroughput, in.OnDemandThroughput = provisioned, bound
	if cfg.Stream != "" {
		in.StreamSpecification = &types.StreamSpecification{StreamEnabled: aws.Bool(true), StreamViewType: cfg.Stream}
	}
	if cfg.DeletionProtection {
		in.DeletionProtectionEnabled = aws.Bool(true)
	}
	for _, key := range slices.Sorted(maps.Keys(cfg.Tags)) {
		in.Tags = append(in.Tags, types.Tag{Key: aws.String(key), Value: aws.String(cfg.Tags[key])})
	}
	if cfg.KMSKey != "" {
		in.SSESpecification = &types.SSESpecification{Enabled: aws.Bool(true), SSEType: types.SSETypeKms, KMSMasterKeyId: &cfg.KMSKey}
	}
	keys := func(sl *slot) (schema []types.KeySchemaElement) {
		pks, sks := sl.keys()
		for i, attr := range slices.Concat(pks, sks) {
			if !slices.ContainsFunc(in.AttributeDefinitions, func(def types.AttributeDefinition) bool { return *def.AttributeName == attr.name }) {
				in.AttributeDefinitions = append(in.AttributeDefinitions,
					types.AttributeDefinition{AttributeName: aws.String(attr.name), AttributeType: attr.kind})
			}
			kind := types.KeyTypeHash
			if i >= len(pks) {
				kind = types.KeyTypeRange
			}
			schema = append(schema, types.KeySchemaElement{AttributeName: aws.String(attr.name), KeyType: kind})
		}
		return schema
	}
	in.KeySchema = keys(&slot{pk: s.cfg.PK, sk: s.cfg.SK})
	for _, sl := range s.slots {
		in.GlobalSecondaryIndexes = append(in.GlobalSecondaryIndexes, types.GlobalSecondaryIndex{
			IndexName: aws.String(sl.name), KeySchema: keys(sl), Projection: sl.projection(),
			ProvisionedThroughput: provisioned, OnDemandThroughput: bound,
		})
	}
	for _, sl := range s.locals {
		in.LocalSecondaryIndexes = append(in.LocalSecondaryIndexes, types.LocalSecondaryIndex{
			IndexName: aws.String(sl.name), KeySchema: keys(sl), Projection: sl.projection(),
		})
	}
	return in
}

// positive returns a number above zero, nil for zero.
func positive(n int64) *int64 {
	if n == 0 {
		return nil
	}
	return &n
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
		if e.ttlAttr != "" {
			return e.ttlAttr
		}
	}
	return ""
}

// checkTTL reports entities whose items expire by another attribute than the
// table's.
func (s *Schema) checkTTL() (faults []error) {
	attr, by := "", ""
	for _, e := range s.entities {
		switch {
		case e.ttlAttr == "":
		case attr == "":
			attr, by = e.ttlAttr, e.def.Name
		case e.ttlAttr != attr:
			faults = append(faults, &parser.DefinitionError{
				Type: e.def.Name, Fault: fmt.Sprintf("its items expire by the attribute %s, those of %s by %s, and a table has one", e.ttlAttr, by, attr),
				Suggestion: fmt.Sprintf("name the field's attribute %s: dynorm:\"%s,ttl\"", attr, attr),
			})
		}
	}
	return faults
}

// CreateTable creates the table and turns its time to live on where the schema
// has one. It waits until the table is active, for as long as ctx lasts. A
// table that exists with the schema's keys and indexes is left alone; one that
// differs is an ErrTableDiffers that lists the differences, and is not
// touched. Indexes that the table has beside the schema's are no difference.
//
// It sends DescribeTable about every half second while it waits, and at most
// one CreateTable and one UpdateTimeToLive. The client has to be a [TableClient]
// too: one that is not is an ErrInvalid, and nothing is sent.
func (db *DB) CreateTable(ctx context.Context) (err error) {
	if err := db.ready(); err != nil {
		return opError("CreateTable", nil, err)
	}
	ctx, tr := db.begin(ctx, "CreateTable", nil)
	defer tr.end(&err)
	return opError("CreateTable", nil, db.createTable(ctx))
}

func (db *DB) createTable(ctx context.Context) error {
	want := db.schema.TableDefinition()
	want.TableName = &db.table
	table, err := db.describeTable(ctx)
	if errors.Is(err, ErrTableNotFound) {
		_, err = run(ctx, db, &Operation{Kind: OpCreateTable, Name: "CreateTable", Input: want}, onTables(TableClient.CreateTable, func(in *dynamodb.CreateTableInput) **string { return &in.TableName }))
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
	out, err := run(ctx, db, &Operation{
		Kind: OpDescribeTable, Name: "CreateTable",
		Input: &dynamodb.DescribeTableInput{TableName: &db.table},
	}, onTables(TableClient.DescribeTable, func(in *dynamodb.DescribeTableInput) **string { return &in.TableName }))
	if err != nil {
		return nil, err
	}
	return out.Table, nil
}

// onTables is the method of a client that may be a [TableClient].
func onTables[I, O any](m func(TableClient, context.Context, *I, ...func(*dynamodb.Options)) (*O, error), table func(*I) **string) *methodOf[I, O] {
	return &methodOf[I, O]{table: table, send: func(s sender, ctx context.Context, in *I, opts ...func(*dynamodb.Options)) (*O, error) {
		tables, ok := s.client.(TableClient)
		if !ok {
			return nil, faultf(ErrInvalid, "the client, a %T, is no TableClient: open the DB with one that makes tables too, such as a *dynamodb.Client", s.client)
		}
		return m(tables, ctx, in, opts...)
	}}
}

func isActive(t *types.TableDescription) bool {
	return t.TableStatus == types.TableStatusActive &&
		!slices.ContainsFunc(t.GlobalSecondaryIndexes, func(g types.GlobalSecondaryIndexDescription) bool {
			return g.IndexStatus == types.IndexStatusCreating
		})
}

// tableDifferences lists what the schema needs and the table lacks.
func tableDifferences(want *dynamodb.CreateTableInput, have *types.TableDescription) (diffs []string) {
	kinds := func(defs []types.AttributeDefinition) map[string]string {
		kind := map[string]string{}
		for _, def := range defs {
			kind[*def.AttributeName] = string(def.AttributeType)
		}
		return kind
	}
	wanted, got := kinds(want.AttributeDefinitions), kinds(have.AttributeDefinitions)
	compare := func(what string, want, have []types.KeySchemaElement) {
		if w, h := keyText(want, wanted), keyText(have, got); w != h {
			diffs = append(diffs, fmt.Sprintf("%s has the keys %s, the schema needs %s", what, h, w))
		}
	}
	compare("the table", want.KeySchema, have.KeySchema)
	indexes := func(want, have []tableIndex, what, mend string) {
		for _, w := range want {
			i := slices.IndexFunc(have, func(h tableIndex) bool { return h.name == w.name })
			if i < 0 {
				diffs = append(diffs, fmt.Sprintf("%s %s is missing%s", what, w.name, mend))
				continue
			}
			compare("index "+w.name, w.keys, have[i].keys)
			if w, h := projectionText(w.projection), projectionText(have[i].projection); w != h {
				diffs = append(diffs, fmt.Sprintf("index %s projects %s, the schema needs %s", have[i].name, h, w))
			}
		}
	}
	var wantIndexes, haveIndexes, wantLocals, haveLocals []tableIndex
	for _, x := range want.GlobalSecondaryIndexes {
		wantIndexes = append(wantIndexes, tableIndex{*x.IndexName, x.KeySchema, x.Projection})
	}
	for _, x := range have.GlobalSecondaryIndexes {
		haveIndexes = append(haveIndexes, tableIndex{*x.IndexName, x.KeySchema, x.Projection})
	}
	for _, x := range want.LocalSecondaryIndexes {
		wantLocals = append(wantLocals, tableIndex{*x.IndexName, x.KeySchema, x.Projection})
	}
	for _, x := range have.LocalSecondaryIndexes {
		haveLocals = append(haveLocals, tableIndex{*x.IndexName, x.KeySchema, x.Projection})
	}
	indexes(wantIndexes, haveIndexes, "index", "")
	indexes(wantLocals, haveLocals, "local index", ", and local indexes are made with the table")
	return diffs
}

// tableIndex is an index of a table, as the SDK has it under four types.
type tableIndex struct {
	name       string
	keys       []types.KeySchemaElement
	projection *types.Projection
}

// keyText shows a key schema: "pk (S, HASH), sk (S, RANGE)".
func keyText(keys []types.KeySchemaElement, kinds map[string]string) string {
	parts := make([]string, len(keys))
	for i, k := range keys {
		parts[i] = fmt.Sprintf("%s (%s, %s)", *k.AttributeName, kinds[*k.AttributeName], k.KeyType)
	}
	return strings.Join(parts, ", ")
}

// projectionText shows a projection: "ALL", "INCLUDE (_et, name)".
func projectionText(p *types.Projection) string {
	if len(p.NonKeyAttributes) == 0 {
		return string(p.ProjectionType)
	}
	attrs := slices.Sorted(slices.Values(p.NonKeyAttributes))
	return string(p.ProjectionType) + " (" + strings.Join(attrs, ", ") + ")"
}

// enableTTL turns the table's time to live on where the schema has one.
func (db *DB) enableTTL(ctx context.Context) error {
	attr := db.schema.ttlAttr()
	if attr == "" {
		return nil
	}
	out, err := run(ctx, db, &Operation{
		Kind: OpDescribeTimeToLive, Name: "CreateTable",
		Input: &dynamodb.DescribeTimeToLiveInput{TableName: &db.table},
	}, onTables(TableClient.DescribeTimeToLive, func(in *dynamodb.DescribeTimeToLiveInput) **string { return &in.TableName }))
	if err != nil {
		return err
	}
	if d := out.TimeToLiveDescription; d != nil && (d.TimeToLiveStatus == types.TimeToLiveStatusEnabled || d.TimeToLiveStatus == types.TimeToLiveStatusEnabling) {
		if have := aws.ToString(d.AttributeName); have != attr {
			return faultf(ErrTableDiffers, "table %s expires items by %s, the schema needs %s", db.table, have, attr)
		}
		return nil
	}
	_, err = run(ctx, db, &Operation{
		Kind: OpUpdateTimeToLive, Name: "CreateTable",
		Input: &dynamodb.UpdateTimeToLiveInput{
			TableName:               &db.table,
			TimeToLiveSpecification: &types.TimeToLiveSpecification{AttributeName: &attr, Enabled: aws.Bool(true)},
		},
	}, onTables(TableClient.UpdateTimeToLive, func(in *dynamodb.UpdateTimeToLiveInput) **string { return &in.TableName }))
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
