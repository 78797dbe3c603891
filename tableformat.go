package dynorm

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// CreateTableJSON returns the schema's table as the AWS command line takes it:
//
//	aws dynamodb create-table --cli-input-json file://table.json
//
// The time to live takes a command of its own.
func (s *Schema) CreateTableJSON(table string) []byte {
	return indented(s.tableJSON(table))
}

// CloudFormation returns the schema's table as a CloudFormation template with
// one resource, Table.
func (s *Schema) CloudFormation(table string) []byte {
	props := s.tableJSON(table)
	if stream, ok := props["StreamSpecification"].(map[string]any); ok {
		delete(stream, "StreamEnabled")
	}
	if sse, ok := props["SSESpecification"].(map[string]any); ok {
		sse["SSEEnabled"] = sse["Enabled"]
		delete(sse, "Enabled")
	}
	if attr := s.ttlAttr(); attr != "" {
		props["TimeToLiveSpecification"] = map[string]any{"AttributeName": attr, "Enabled": true}
	}
	resource := map[string]any{"Type": "AWS::DynamoDB::Table", "Properties": props}
	if s.cfg.Table.DeletionProtection {
		resource["DeletionPolicy"], resource["UpdateReplacePolicy"] = "Retain", "Retain"
	}
	return indented(map[string]any{
		"AWSTemplateFormatVersion": "2010-09-09",
		"Resources":                map[string]any{"Table": resource},
	})
}

// tableJSON is the table as the API's JSON has it, without what is not said.
func (s *Schema) tableJSON(table string) map[string]any {
	in := s.TableDefinition()
	in.TableName = &table
	var tree map[string]any
	// The input is made of texts, numbers and lists, which always have a form.
	data, _ := json.Marshal(in)
	_ = json.Unmarshal(data, &tree)
	return prune(tree).(map[string]any)
}

// prune leaves out what is empty.
func prune(v any) any {
	switch v := v.(type) {
	case map[string]any:
		for name, elem := range v {
			if elem = prune(elem); elem == nil || elem == "" {
				delete(v, name)
			} else {
				v[name] = elem
			}
		}
	case []any:
		for i := range v {
			v[i] = prune(v[i])
		}
	}
	return v
}

func indented(v any) []byte {
	data, _ := json.MarshalIndent(v, "", "  ")
	return append(data, '\n')
}

// Terraform returns the schema's table as a resource of Terraform's AWS
// provider, called after the table.
func (s *Schema) Terraform(table string) string {
	in := s.TableDefinition()
	h := &hcl{}
	h.open("resource", "aws_dynamodb_table", diagramName(table))
	h.set("name", table)
	h.set("billing_mode", string(in.BillingMode))
	h.throughput(in.ProvisionedThroughput)
	h.set("hash_key", s.cfg.PK)
	h.set("range_key", s.cfg.SK)
	h.set("table_class", string(in.TableClass))
	if in.DeletionProtectionEnabled != nil {
		h.set("deletion_protection_enabled", true)
	}
	if in.StreamSpecification != nil {
		h.set("stream_enabled", true)
		h.set("stream_view_type", string(in.StreamSpecification.StreamViewType))
	}
	h.bound(in.OnDemandThroughput)
	for _, def := range in.AttributeDefinitions {
		h.open("attribute")
		h.set("name", *def.AttributeName)
		h.set("type", string(def.AttributeType))
		h.close()
	}
	for _, g := range in.GlobalSecondaryIndexes {
		h.open("global_secondary_index")
		h.set("name", *g.IndexName)
		h.keys(g.KeySchema)
		h.throughput(g.ProvisionedThroughput)
		h.projection(g.Projection)
		h.bound(g.OnDemandThroughput)
		h.close()
	}
	for _, l := range in.LocalSecondaryIndexes {
		h.open("local_secondary_index")
		h.set("name", *l.IndexName)
		h.set("range_key", *l.KeySchema[1].AttributeName)
		h.projection(l.Projection)
		h.close()
	}
	if attr := s.ttlAttr(); attr != "" {
		h.open("ttl")
		h.set("attribute_name", attr)
		h.set("enabled", true)
		h.close()
	}
	if in.SSESpecification != nil {
		h.open("server_side_encryption")
		h.set("enabled", true)
		if key := *in.SSESpecification.KMSMasterKeyId; key != "alias/aws/dynamodb" {
			h.set("kms_key_arn", key)
		}
		h.close()
	}
	if len(in.Tags) > 0 {
		h.line("tags = {")
		h.depth++
		for _, tag := range in.Tags {
			h.line(hclText(*tag.Key) + " = " + hclText(*tag.Value))
		}
		h.close()
	}
	h.close()
	return h.b.String()
}

// hcl writes Terraform's language.
type hcl struct {
	b     strings.Builder
	depth int
}

func (h *hcl) line(text string) {
	h.b.WriteString(strings.Repeat("  ", h.depth) + text + "\n")
}

// open begins a block with labels.
func (h *hcl) open(kind string, labels ...string) {
	for _, label := range labels {
		kind += " " + hclText(label)
	}
	h.line(kind + " {")
	h.depth++
}

func (h *hcl) close() {
	h.depth--
	h.line("}")
}

// set writes an argument; an empty text is left out.
func (h *hcl) set(name string, value any) {
	switch v := value.(type) {
	case string:
		if v != "" {
			h.line(name + " = " + hclText(v))
		}
	default:
		h.line(fmt.Sprintf("%s = %v", name, v))
	}
}

// keys writes the keys of a global index: of several attributes on a side as
// blocks.
func (h *hcl) keys(schema []types.KeySchemaElement) {
	if len(schema) <= 2 && (len(schema) == 1 || schema[1].KeyType == types.KeyTypeRange) {
		h.set("hash_key", *schema[0].AttributeName)
		if len(schema) == 2 {
			h.set("range_key", *schema[1].AttributeName)
		}
		return
	}
	for _, k := range schema {
		h.open("key_schema")
		h.set("attribute_name", *k.AttributeName)
		h.set("key_type", string(k.KeyType))
		h.close()
	}
}

func (h *hcl) throughput(p *types.ProvisionedThroughput) {
	if p != nil {
		h.set("read_capacity", *p.ReadCapacityUnits)
		h.set("write_capacity", *p.WriteCapacityUnits)
	}
}

func (h *hcl) bound(o *types.OnDemandThroughput) {
	if o == nil {
		return
	}
	h.open("on_demand_throughput")
	if o.MaxReadRequestUnits != nil {
		h.set("max_read_request_units", aws.ToInt64(o.MaxReadRequestUnits))
	}
	if o.MaxWriteRequestUnits != nil {
		h.set("max_write_request_units", aws.ToInt64(o.MaxWriteRequestUnits))
	}
	h.close()
}

func (h *hcl) projection(p *types.Projection) {
	h.set("projection_type", string(p.ProjectionType))
	if len(p.NonKeyAttributes) > 0 {
		texts := slices.Clone(p.NonKeyAttributes)
		for i := range texts {
			texts[i] = hclText(texts[i])
		}
		h.line("non_key_attributes = [" + strings.Join(texts, ", ") + "]")
	}
}

// hclText quotes a text. Beside quotes and backslashes, the language knows
// templates in it.
func hclText(s string) string {
	text := strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`, "\t", `\t`, "${", "$${", "%{", "%%{").Replace(s)
	return `"` + text + `"`
}
