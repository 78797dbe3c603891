package engine_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/dynorm/dynorm/internal/engine"
)

// TestLargeRequests sends bodies that are as large as clients make them, of
// the shapes with the most to compare. Work that grows with their size takes a
// second at most, work that grows with its square minutes.
func TestLargeRequests(t *testing.T) {
	const size = 4 << 20
	list := func(elem string) string {
		var b strings.Builder
		for i := 0; b.Len() < size; i++ {
			if i > 0 {
				b.WriteByte(',')
			}
			b.WriteString(strings.ReplaceAll(elem, "#", fmt.Sprint(i)))
		}
		return b.String()
	}
	const (
		keys  = `"KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}]`
		attrs = `"AttributeDefinitions": [{"AttributeName": "pk", "AttributeType": "S"}, {"AttributeName": "sk", "AttributeType": "S"}]`
		index = `{"IndexName": "index#", ` + keys + `, "Projection": {"ProjectionType": "ALL"}}`
		arn   = "arn:aws:dynamodb:ddblocal:000000000000:table/table"
	)
	e := engine.New(engine.Config{})
	create := `{"TableName": "table", "BillingMode": "PAY_PER_REQUEST", ` + keys + `, ` + attrs +
		`, "GlobalSecondaryIndexes": [{"IndexName": "narrow", "KeySchema": [{"AttributeName": "sk", "KeyType": "HASH"}], "Projection": {"ProjectionType": "KEYS_ONLY"}}]}`
	_, fault := e.Do("CreateTable", []byte(create))
	require.Nil(t, fault)
	key := `"Key": {"pk": {"S": "a"}, "sk": {"S": "b"}}`
	tests := []struct{ name, operation, body string }{
		{"definitions", "CreateTable", `{"TableName": "other", "BillingMode": "PAY_PER_REQUEST", ` + keys + `, "AttributeDefinitions": [` + list(`{"AttributeName": "a#", "AttributeType": "S"}`) + `]}`},
		{"global indexes", "CreateTable", `{"TableName": "other", "BillingMode": "PAY_PER_REQUEST", ` + keys + `, ` + attrs + `, "GlobalSecondaryIndexes": [` + list(index) + `]}`},
		{"local indexes", "CreateTable", `{"TableName": "other", "BillingMode": "PAY_PER_REQUEST", ` + keys + `, ` + attrs + `, "LocalSecondaryIndexes": [` + list(index) + `]}`},
		{"tags of a table", "CreateTable", `{"TableName": "other", "BillingMode": "PAY_PER_REQUEST", ` + keys + `, ` + attrs + `, "Tags": [` + list(`{"Key": "k#", "Value": ""}`) + `]}`},
		{"tags", "TagResource", `{"ResourceArn": "` + arn + `", "Tags": [` + list(`{"Key": "k#", "Value": ""}`) + `]}`},
		{"keys of tags", "UntagResource", `{"ResourceArn": "` + arn + `", "TagKeys": [` + list(`"k#"`) + `]}`},
		{"new definitions", "UpdateTable", `{"TableName": "table", "AttributeDefinitions": [` + list(`{"AttributeName": "a#", "AttributeType": "S"}`) + `], "BillingMode": "PAY_PER_REQUEST"}`},
		{"index updates", "UpdateTable", `{"TableName": "table", "GlobalSecondaryIndexUpdates": [` + list(`{"Delete": {"IndexName": "index#"}}`) + `]}`},
		{"item", "PutItem", `{"TableName": "table", "Item": {"pk": {"S": "a"}, "sk": {"S": "b"}, ` + list(`"a#": {"S": ""}`) + `}}`},
		{"set", "PutItem", `{"TableName": "table", "Item": {"pk": {"S": "a"}, "sk": {"S": "b"}, "s": {"NS": [` + list(`"#"`) + `]}}}`},
		{"condition's values", "PutItem", `{"TableName": "table", "Item": {"pk": {"S": "a"}, "sk": {"S": "b"}}, "ConditionExpression": "a = :v0", "ExpressionAttributeValues": {` + list(`":v#": {"S": ""}`) + `}}`},
		{"names", "GetItem", `{"TableName": "table", ` + key + `, "ProjectionExpression": "#n", "ExpressionAttributeNames": {` + strings.ReplaceAll(list(`"@n#": "a#"`), "@", "#") + `}}`},
		{"attributes", "GetItem", `{"TableName": "table", ` + key + `, "AttributesToGet": [` + list(`"a#"`) + `]}`},
		{"attributes of an index", "Query", `{"TableName": "table", "IndexName": "narrow", "KeyConditionExpression": "sk = :s", "ExpressionAttributeValues": {":s": {"S": "b"}}, "AttributesToGet": [` + list(`"a#"`) + `]}`},
		{"attributes of an index by conditions", "Query", `{"TableName": "table", "IndexName": "narrow", "KeyConditions": {"sk": {"ComparisonOperator": "EQ", "AttributeValueList": [{"S": "b"}]}}, "AttributesToGet": [` + list(`"a#"`) + `]}`},
		{"filter", "Scan", `{"TableName": "table", "ScanFilter": {` + list(`"a#": {"ComparisonOperator": "NULL"}`) + `}}`},
		{"filter of an index", "Scan", `{"TableName": "table", "IndexName": "narrow", "ScanFilter": {` + list(`"a#": {"ComparisonOperator": "NULL"}`) + `}}`},
		{"operands", "Scan", `{"TableName": "table", "ScanFilter": {"a": {"ComparisonOperator": "IN", "AttributeValueList": [` + list(`{"S": "#"}`) + `]}}}`},
		{"expected", "DeleteItem", `{"TableName": "table", ` + key + `, "Expected": {` + list(`"a#": {"Exists": false}`) + `}}`},
		{"updates", "UpdateItem", `{"TableName": "table", ` + key + `, "AttributeUpdates": {` + list(`"a#": {"Action": "DELETE"}`) + `}}`},
		{"keys of a batch", "BatchGetItem", `{"RequestItems": {"table": {"Keys": [` + list(`{"pk": {"S": "#"}, "sk": {"S": "b"}}`) + `]}}}`},
		{"tables of a batch", "BatchGetItem", `{"RequestItems": {` + list(`"table#": {"Keys": [{"pk": {"S": "#"}, "sk": {"S": "b"}}]}`) + `}}`},
		{"writes of a batch", "BatchWriteItem", `{"RequestItems": {"table": [` + list(`{"DeleteRequest": {"Key": {"pk": {"S": "#"}, "sk": {"S": "b"}}}}`) + `]}}`},
		{"actions", "TransactWriteItems", `{"TransactItems": [` + list(`{"Delete": {"TableName": "table", "Key": {"pk": {"S": "#"}, "sk": {"S": "b"}}}}`) + `]}`},
		{"parameters", "ExecuteStatement", `{"Statement": "SELECT * FROM \"table\" WHERE pk = ?", "Parameters": [` + list(`{"S": "#"}`) + `]}`},
		{"unknown members", "PutItem", `{` + list(`"Member#": {"S": ""}`) + `}`},
		{"nesting", "PutItem", `{"TableName": "table", "Item": {"a": ` + strings.Repeat(`{"L": [`, size/14) + strings.Repeat(`]}`, size/14) + `}}`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			started := time.Now()
			_, _ = e.Do(tt.operation, []byte(tt.body))
			require.Less(t, time.Since(started), 20*time.Second)
			if testing.Verbose() {
				t.Log(time.Since(started))
			}
		})
	}
}
