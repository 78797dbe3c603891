package dynorm_test

import (
	"encoding/json"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"text/scanner"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/stretchr/testify/require"

	"github.com/dynorm/dynorm"
	"github.com/dynorm/dynorm/internal/golden"
	"github.com/dynorm/dynorm/internal/testdb"
	"github.com/dynorm/dynorm/testdata/models/seven"
)

// tableSchemas are schemas whose tables use every option.
func tableSchemas(t *testing.T) map[string]*dynorm.Schema {
	t.Helper()
	full := dynorm.SchemaConfig{
		PK: "PK", SK: "SK", Indexes: []dynorm.IndexConfig{{Name: "by-one", PK: "ONE-PK", SK: "ONE-SK"}},
		LocalIndexes: []dynorm.IndexConfig{{Name: "sorted", SK: "SORTED"}},
		Table: dynorm.TableConfig{
			ReadUnits: 5, WriteUnits: 6, Stream: types.StreamViewTypeNewAndOldImages, Class: types.TableClassStandardInfrequentAccess,
			Tags: map[string]string{"stage": "test", "cost centre": "a+b=c@d"}, KMSKey: "alias/aws/dynamodb",
		},
	}
	schemas := map[string]*dynorm.Schema{}
	for name, models := range map[string][]any{
		"defaults": append(seven.Models(), patternModels()...),
		"full":     append(patternModels(), full),
		"quoted":   append(patternModels(), dynorm.SchemaConfig{PK: `a "b" ${c}`, SK: `d\e`}),
		"bounded":  append(seven.Models(), dynorm.SchemaConfig{Table: dynorm.TableConfig{MaxReadUnits: 100, MaxWriteUnits: 50, DeletionProtection: true}}),
	} {
		schema, err := dynorm.NewSchema(models...)
		require.NoError(t, err)
		schemas[name] = schema
	}
	return schemas
}

// sameInput ignores what a text form does not keep.
var sameInput = cmpopts.IgnoreUnexported(dynamodb.CreateTableInput{}, types.AttributeDefinition{}, types.KeySchemaElement{},
	types.GlobalSecondaryIndex{}, types.LocalSecondaryIndex{}, types.Projection{}, types.ProvisionedThroughput{}, types.OnDemandThroughput{},
	types.StreamSpecification{}, types.SSESpecification{}, types.Tag{})

func TestTableFormats(t *testing.T) {
	f := golden.Open(t, filepath.Join("testdata", "derivation", "table.txtar"))
	f.Explain(t, "a table with every option, as files that other tools read")
	client := testdb.Open(t)
	for name, schema := range tableSchemas(t) {
		t.Run(name, func(t *testing.T) {
			table := testdb.Table(t)
			want := schema.TableDefinition()
			want.TableName = &table

			var cli dynamodb.CreateTableInput
			require.NoError(t, json.Unmarshal(schema.CreateTableJSON(table), &cli))
			require.Empty(t, cmp.Diff(want, &cli, sameInput))

			var stack struct {
				Resources struct {
					Table struct {
						Type       string
						Properties struct {
							dynamodb.CreateTableInput
							StreamSpecification *struct{ StreamViewType types.StreamViewType }
							SSESpecification    *struct {
								SSEEnabled              bool
								SSEType, KMSMasterKeyId string
							}
							TimeToLiveSpecification *types.TimeToLiveSpecification
						}
					}
				}
			}
			require.NoError(t, json.Unmarshal(schema.CloudFormation(table), &stack))
			require.Equal(t, "AWS::DynamoDB::Table", stack.Resources.Table.Type)
			props := stack.Resources.Table.Properties
			if want.StreamSpecification != nil {
				props.CreateTableInput.StreamSpecification = &types.StreamSpecification{StreamEnabled: aws.Bool(true), StreamViewType: props.StreamSpecification.StreamViewType}
			}
			if s := props.SSESpecification; s != nil {
				props.CreateTableInput.SSESpecification = &types.SSESpecification{Enabled: &s.SSEEnabled, SSEType: types.SSEType(s.SSEType), KMSMasterKeyId: &s.KMSMasterKeyId}
			}
			require.Empty(t, cmp.Diff(want, &props.CreateTableInput, sameInput))

			require.Empty(t, cmp.Diff(want, readTerraform(t, schema.Terraform(table)), sameInput))

			_, err := client.CreateTable(t.Context(), &cli)
			require.NoError(t, err, "the engine takes it")
			if name == "full" {
				f.Compare(t, "cli", string(schema.CreateTableJSON("app")))
				f.Compare(t, "cloudformation", string(schema.CloudFormation("app")))
				f.Compare(t, "terraform", schema.Terraform("app"))
				f.Only(t, "cli", "cloudformation", "terraform")
			}
			_, err = client.UpdateTable(t.Context(), &dynamodb.UpdateTableInput{TableName: &table, DeletionProtectionEnabled: aws.Bool(false)})
			if want.DeletionProtectionEnabled != nil {
				require.NoError(t, err)
			}
		})
	}
}

// hclBlock is a block of Terraform's language.
type hclBlock struct {
	kind   string
	labels []string
	args   map[string]any
	blocks []*hclBlock
}

// hclReader reads the part of Terraform's language that tables are written in.
type hclReader struct {
	t *testing.T
	s scanner.Scanner
}

func (r *hclReader) text() string {
	require.EqualValues(r.t, scanner.String, r.s.Scan(), "want a text at %s", r.s.Pos())
	raw := r.s.TokenText()
	var text string
	require.NoError(r.t, json.Unmarshal([]byte(raw), &text))
	require.NotRegexp(r.t, `(^|[^$])\$\{`, text, "a template in a text")
	return strings.ReplaceAll(text, "$${", "${")
}

func (r *hclReader) value() any {
	switch {
	case r.s.Peek() == ' ':
		r.s.Next()
		return r.value()
	case r.s.Peek() == '"':
		return r.text()
	case r.s.Peek() == '[':
		r.s.Scan()
		var list []string
		for {
			list = append(list, r.text())
			if r.s.Scan() == ']' {
				return list
			}
		}
	case r.s.Peek() == '{':
		r.s.Scan()
		m := map[string]string{}
		for r.skip(); r.s.Peek() != '}'; r.skip() {
			key := r.text()
			require.EqualValues(r.t, '=', r.s.Scan())
			m[key], _ = r.value().(string)
		}
		r.s.Scan()
		return m
	}
	r.s.Scan()
	return r.s.TokenText()
}

func (r *hclReader) skip() {
	for strings.ContainsRune(" \n", r.s.Peek()) && r.s.Peek() != scanner.EOF {
		r.s.Next()
	}
}

func (r *hclReader) block(kind string) *hclBlock {
	b := &hclBlock{kind: kind, args: map[string]any{}}
	for r.skip(); r.s.Peek() == '"'; r.skip() {
		b.labels = append(b.labels, r.text())
	}
	require.EqualValues(r.t, '{', r.s.Scan())
	for r.skip(); r.s.Peek() != '}'; r.skip() {
		require.EqualValues(r.t, scanner.Ident, r.s.Scan(), "want a name at %s", r.s.Pos())
		name := r.s.TokenText()
		r.skip()
		if r.s.Peek() == '=' {
			r.s.Scan()
			require.NotContains(r.t, b.args, name)
			b.args[name] = r.value()
			continue
		}
		b.blocks = append(b.blocks, r.block(name))
	}
	r.s.Scan()
	return b
}

// readTerraform reads a table back from Terraform's language.
func readTerraform(t *testing.T, src string) *dynamodb.CreateTableInput {
	t.Helper()
	r := &hclReader{t: t}
	r.s.Init(strings.NewReader(src))
	r.s.Scan()
	require.Equal(t, "resource", r.s.TokenText())
	res := r.block("resource")
	require.Equal(t, "aws_dynamodb_table", res.labels[0])
	str := func(b *hclBlock, name string) *string {
		if s, ok := b.args[name].(string); ok {
			return &s
		}
		return nil
	}
	num := func(b *hclBlock, name string) *int64 {
		s := str(b, name)
		if s == nil {
			return nil
		}
		var n int64
		require.NoError(t, json.Unmarshal([]byte(*s), &n))
		return &n
	}
	keys := func(pk, sk *string) []types.KeySchemaElement {
		return []types.KeySchemaElement{{AttributeName: pk, KeyType: types.KeyTypeHash}, {AttributeName: sk, KeyType: types.KeyTypeRange}}
	}
	throughput := func(b *hclBlock) *types.ProvisionedThroughput {
		if num(b, "read_capacity") == nil {
			return nil
		}
		return &types.ProvisionedThroughput{ReadCapacityUnits: num(b, "read_capacity"), WriteCapacityUnits: num(b, "write_capacity")}
	}
	bound := func(b *hclBlock) *types.OnDemandThroughput {
		for _, o := range b.blocks {
			if o.kind == "on_demand_throughput" {
				return &types.OnDemandThroughput{MaxReadRequestUnits: num(o, "max_read_request_units"), MaxWriteRequestUnits: num(o, "max_write_request_units")}
			}
		}
		return nil
	}
	projection := func(b *hclBlock) *types.Projection {
		p := &types.Projection{ProjectionType: types.ProjectionType(*str(b, "projection_type"))}
		p.NonKeyAttributes, _ = b.args["non_key_attributes"].([]string)
		return p
	}
	in := &dynamodb.CreateTableInput{
		TableName: str(res, "name"), BillingMode: types.BillingMode(*str(res, "billing_mode")),
		KeySchema: keys(str(res, "hash_key"), str(res, "range_key")), ProvisionedThroughput: throughput(res), OnDemandThroughput: bound(res),
	}
	if class := str(res, "table_class"); class != nil {
		in.TableClass = types.TableClass(*class)
	}
	if str(res, "deletion_protection_enabled") != nil {
		in.DeletionProtectionEnabled = aws.Bool(true)
	}
	if view := str(res, "stream_view_type"); view != nil {
		in.StreamSpecification = &types.StreamSpecification{StreamEnabled: aws.Bool(true), StreamViewType: types.StreamViewType(*view)}
	}
	for _, b := range res.blocks {
		switch b.kind {
		case "attribute":
			in.AttributeDefinitions = append(in.AttributeDefinitions, types.AttributeDefinition{
				AttributeName: str(b, "name"), AttributeType: types.ScalarAttributeType(*str(b, "type")),
			})
		case "global_secondary_index":
			var composite []types.KeySchemaElement
			for _, k := range b.blocks {
				if k.kind == "key_schema" {
					composite = append(composite, types.KeySchemaElement{AttributeName: str(k, "attribute_name"), KeyType: types.KeyType(*str(k, "key_type"))})
				}
			}
			if composite == nil {
				composite = keys(str(b, "hash_key"), str(b, "range_key"))
			}
			in.GlobalSecondaryIndexes = append(in.GlobalSecondaryIndexes, types.GlobalSecondaryIndex{
				IndexName: str(b, "name"), KeySchema: composite, Projection: projection(b),
				ProvisionedThroughput: throughput(b), OnDemandThroughput: bound(b),
			})
		case "local_secondary_index":
			in.LocalSecondaryIndexes = append(in.LocalSecondaryIndexes, types.LocalSecondaryIndex{
				IndexName: str(b, "name"), KeySchema: keys(str(res, "hash_key"), str(b, "range_key")), Projection: projection(b),
			})
		case "server_side_encryption":
			in.SSESpecification = &types.SSESpecification{Enabled: aws.Bool(true), SSEType: types.SSETypeKms, KMSMasterKeyId: aws.String("alias/aws/dynamodb")}
		case "ttl", "on_demand_throughput":
		default:
			t.Errorf("unknown block %s", b.kind)
		}
	}
	if tags, ok := res.args["tags"].(map[string]string); ok {
		for _, key := range []string{"cost centre", "stage"} {
			in.Tags = append(in.Tags, types.Tag{Key: aws.String(key), Value: aws.String(tags[key])})
		}
		require.Len(t, tags, 2)
	}
	return in
}

func TestTableConfigFaults(t *testing.T) {
	tags := map[string]string{}
	for len(tags) < 51 {
		tags["tag "+strconv.Itoa(len(tags))] = ""
	}
	for _, c := range []struct {
		cfg  dynorm.TableConfig
		want string
	}{
		{dynorm.TableConfig{ReadUnits: 5}, "ReadUnits and WriteUnits go together"},
		{dynorm.TableConfig{ReadUnits: 5, WriteUnits: 5, MaxReadUnits: 9}, "give the ones or the others"},
		{dynorm.TableConfig{MaxReadUnits: -1}, "not negative"},
		{dynorm.TableConfig{Tags: map[string]string{"": "x"}}, `Table.Tags: the key ""`},
		{dynorm.TableConfig{Tags: map[string]string{"AWS:team": "x"}}, `Table.Tags: the key "AWS:team"`},
		{dynorm.TableConfig{Tags: map[string]string{strings.Repeat("é", 129): "x"}}, "not 1 to 128 letters"},
		{dynorm.TableConfig{Tags: map[string]string{"stage": "a,b"}}, `the value "a,b" of "stage"`},
		{dynorm.TableConfig{Tags: tags}, "51 tags"},
		{dynorm.TableConfig{Stream: "EVERYTHING"}, "NEW_AND_OLD_IMAGES"},
		{dynorm.TableConfig{Class: "CHEAP"}, "STANDARD_INFREQUENT_ACCESS"},
	} {
		_, err := dynorm.NewSchema(Team{}, dynorm.SchemaConfig{Table: c.cfg})
		require.ErrorIs(t, err, dynorm.ErrDefinition)
		require.ErrorContains(t, err, c.want)
	}
	type first struct {
		_   dynorm.Entity `dynorm:"First"`
		ID  string
		TTL int64 `dynorm:"ttl,ttl"`
	}
	type second struct {
		_   dynorm.Entity `dynorm:"Second"`
		ID  string
		End int64 `dynorm:"end,ttl"`
	}
	_, err := dynorm.NewSchema(first{}, second{})
	require.ErrorContains(t, err, "a table has one")
}

func TestCreateTableSeesDifferences(t *testing.T) {
	s := open(t, patternModels()...)
	require.NoError(t, s.db.CreateTable(t.Context()), "the table is as the schema says")
	other, err := dynorm.NewSchema(append(patternModels(), seven.User{}, seven.Team{}, seven.Role{}, seven.Profile{}, seven.Post{}, seven.Comment{}, wideJournal{})...)
	require.NoError(t, err)
	db, err := dynorm.Open(s.client, other, dynorm.Config{Table: s.db.Table()})
	require.NoError(t, err)
	err = db.CreateTable(t.Context())
	require.ErrorIs(t, err, dynorm.ErrTableDiffers)
	require.ErrorContains(t, err, "local index LSI3 is missing")
	require.ErrorContains(t, err, "index LSI2 projects")
}

// wideJournal asks for one local index more than Journal.
type wideJournal struct {
	_ dynorm.Entity `dynorm:"Wide"`
	_ dynorm.Key    `pk:"WIDE#{Account}" sk:"{Seq}"`
	_ dynorm.Index  `dynorm:"a,lsi,project=Note" sk:"{Note}"`
	_ dynorm.Index  `dynorm:"b,lsi" sk:"{Note}#b"`
	_ dynorm.Index  `dynorm:"c,lsi" sk:"{Note}#c"`

	Account string
	Seq     int64
	Note    string
}

// A projection by name has what reading an entry takes, whatever the tag lists;
// a table whose index has less is refused.
func TestProjectionIsCompleted(t *testing.T) {
	schema, err := dynorm.NewSchema(narrowTown{})
	require.NoError(t, err)
	table := testdb.Table(t)
	def := schema.TableDefinition()
	def.TableName = &table
	projection := def.GlobalSecondaryIndexes[0].Projection
	require.Equal(t, types.ProjectionTypeInclude, projection.ProjectionType)
	require.Equal(t, []string{"_et", "id", "town"}, projection.NonKeyAttributes)
	require.Contains(t, schema.Explain(), "the keys and _et, id, town")

	def.GlobalSecondaryIndexes[0].Projection = &types.Projection{ProjectionType: types.ProjectionTypeKeysOnly}
	client := testdb.Open(t)
	_, err = client.CreateTable(t.Context(), def)
	require.NoError(t, err)
	db, err := dynorm.Open(client, schema, dynorm.Config{Table: table})
	require.NoError(t, err)
	err = db.CreateTable(t.Context())
	require.ErrorIs(t, err, dynorm.ErrTableDiffers)
	require.ErrorContains(t, err, "index GSI7 projects KEYS_ONLY, the schema needs INCLUDE (_et, id, town)")
}

// itemsOnly is a client without the calls of tables.
type itemsOnly struct{ dynorm.Client }

func TestCreateTableWantsTableClient(t *testing.T) {
	type Note struct{ ID, Text string }
	schema, err := dynorm.NewSchema(Note{})
	require.NoError(t, err)
	client, table := testdb.Open(t), testdb.Table(t)
	whole, err := dynorm.Open(client, schema, dynorm.Config{Table: table})
	require.NoError(t, err)
	db, err := dynorm.Open(itemsOnly{client}, schema, dynorm.Config{Table: table})
	require.NoError(t, err)

	err = db.CreateTable(t.Context())
	require.ErrorIs(t, err, dynorm.ErrInvalid)
	require.ErrorContains(t, err, "dynorm: CreateTable: the client, a dynorm_test.itemsOnly, is no TableClient")
	_, err = client.DescribeTable(t.Context(), &dynamodb.DescribeTableInput{TableName: &table})
	require.Error(t, err, "nothing was made")

	require.NoError(t, whole.CreateTable(t.Context()))
	notes := dynorm.ModelOf[Note](db)
	require.NoError(t, notes.Create(t.Context(), &Note{ID: "n1", Text: "hello"}))
	got, err := notes.Find(t.Context(), "n1")
	require.NoError(t, err)
	require.Equal(t, "hello", got.Text)
}
