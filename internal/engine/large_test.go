package engine_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/dynorm/dynorm/internal/engine"
)

// largeRequests are bodies of the shapes with the most to compare, by
// operation. They are as large as asked for.
func largeRequests() []largeRequest {
	const (
		keys  = `"KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}]`
		attrs = `"AttributeDefinitions": [{"AttributeName": "pk", "AttributeType": "S"}, {"AttributeName": "sk", "AttributeType": "S"}]`
		index = `{"IndexName": "index#", ` + keys + `, "Projection": {"ProjectionType": "ALL"}}`
		table = `"TableName": "table", `
		other = `"TableName": "other", "BillingMode": "PAY_PER_REQUEST", `
		key   = `"Key": {"pk": {"S": "a"}, "sk": {"S": "b"}}`
		item  = `"Item": {"pk": {"S": "a"}, "sk": {"S": "b"}`
		arn   = `"ResourceArn": "arn:aws:dynamodb:us-east-1:000000000000:table/table"`
		get   = `{"Get": {` + table + key + `}}`
	)
	return []largeRequest{
		{"definitions", "CreateTable", `{` + other + keys + `, "AttributeDefinitions": [`, `{"AttributeName": "a#", "AttributeType": "S"}`, `]}`},
		{"keys", "CreateTable", `{` + other + attrs + `, "KeySchema": [`, `{"AttributeName": "a#", "KeyType": "HASH"}`, `]}`},
		{"wrong keys", "CreateTable", `{` + other + attrs + `, "KeySchema": [`, `{"AttributeName": "", "KeyType": "LEFT"}`, `]}`},
		{"global indexes", "CreateTable", `{` + other + keys + `, ` + attrs + `, "GlobalSecondaryIndexes": [`, index, `]}`},
		{"local indexes", "CreateTable", `{` + other + keys + `, ` + attrs + `, "LocalSecondaryIndexes": [`, index, `]}`},
		{"indexes of nothing", "CreateTable", `{` + other + keys + `, ` + attrs + `, "GlobalSecondaryIndexes": [`, `{}`, `]}`},
		{"projected attributes", "CreateTable", `{` + other + keys + `, ` + attrs + `, "GlobalSecondaryIndexes": [{"IndexName": "index", ` + keys + `, "Projection": {"ProjectionType": "INCLUDE", "NonKeyAttributes": [`, `"a#"`, `]}}]}`},
		{"tags of a table", "CreateTable", `{` + other + keys + `, ` + attrs + `, "Tags": [`, `{"Key": "k#", "Value": ""}`, `]}`},
		{"tags", "TagResource", `{` + arn + `, "Tags": [`, `{"Key": "k#", "Value": ""}`, `]}`},
		{"keys of tags", "UntagResource", `{` + arn + `, "TagKeys": [`, `"k#"`, `]}`},
		{"new definitions", "UpdateTable", `{` + table + `"BillingMode": "PAY_PER_REQUEST", "AttributeDefinitions": [`, `{"AttributeName": "a#", "AttributeType": "S"}`, `]}`},
		{"index deletions", "UpdateTable", `{` + table + `"GlobalSecondaryIndexUpdates": [`, `{"Delete": {"IndexName": "index#"}}`, `]}`},
		{"index updates", "UpdateTable", `{` + table + `"GlobalSecondaryIndexUpdates": [`, `{"Update": {"IndexName": "index#", "ProvisionedThroughput": {"ReadCapacityUnits": 1, "WriteCapacityUnits": 1}}}`, `]}`},
		{"index and definitions", "UpdateTable", `{` + table + `"GlobalSecondaryIndexUpdates": [{"Create": ` + index + `}], "AttributeDefinitions": [`, `{"AttributeName": "a#", "AttributeType": "S"}`, `]}`},
		{"unknown members of a name", "DescribeTable", `{"TableName": "table"`, `, "Member#": {"S": ""}`, `}`},
		{"name", "DeleteTable", `{"TableName": "`, `table#`, `"}`},
		{"start", "ListTables", `{"ExclusiveStartTableName": "`, `table#`, `"}`},
		{"attribute of expiry", "UpdateTimeToLive", `{` + table + `"TimeToLiveSpecification": {"Enabled": true, "AttributeName": "`, `a#`, `"}}`},
		{"name", "DescribeTimeToLive", `{"TableName": "`, `table#`, `"}`},
		{"resource", "ListTagsOfResource", `{"ResourceArn": "arn:aws:dynamodb:table/`, `table#`, `"}`},
		{"unknown members", "DescribeLimits", `{`, `"Member#": {"S": ""}`, `}`},
		{"unknown members", "DescribeEndpoints", `{`, `"Member#": {"S": ""}`, `}`},

		{"item", "PutItem", `{` + table + item, `, "a#": {"S": ""}`, `}}`},
		{"document", "PutItem", `{` + table + item + `, "m": {"M": {`, `"a#": {"S": ""}`, `}}}}`},
		{"numbers", "PutItem", `{` + table + item + `, "s": {"NS": [`, `"#"`, `]}}}`},
		{"set", "PutItem", `{` + table + item + `, "s": {"SS": [`, `"#"`, `]}}}`},
		{"digits", "PutItem", `{` + table + item + `, "n": {"N": "`, `1`, `"}}}`},
		{"number in JSON", "PutItem", `{"TableName": `, `1`, `}`},
		{"escapes", "PutItem", `{` + table + item + `, "s": {"S": "`, `\u00e9\n`, `"}}}`},
		{"values", "PutItem", `{` + table + item + `}, "ConditionExpression": "a = :v0", "ExpressionAttributeValues": {`, `":v#": {"S": ""}`, `}}`},
		{"large values", "PutItem", `{` + table + item + `}, "ConditionExpression": "a = :a OR contains(:a, b)", "ExpressionAttributeValues": {":a": {"L": [`, `{"NULL": true}`, `]}}}`},
		{"unknown members", "PutItem", `{`, `"Member#": {"S": ""}`, `}`},
		{"members again", "PutItem", `{` + table + item + `}`, `, "ExpressionAttributeNames": {"#": ""}, "Expected": {}`, `}`},
		{"nesting", "PutItem", `{` + table + item + `, "a": `, `{"L": [`, ``},
		{"names", "GetItem", `{` + table + key + `, "ProjectionExpression": "a", "ExpressionAttributeNames": {`, `"n#": "a#"`, `}}`},
		{"attributes", "GetItem", `{` + table + key + `, "AttributesToGet": [`, `"a#"`, `]}`},
		{"key", "GetItem", `{` + table + `"Key": {`, `"a#": {"S": ""}`, `}}`},
		{"expected", "DeleteItem", `{` + table + key + `, "Expected": {`, `"a#": {"Exists": false}`, `}}`},
		{"expected wrongly", "DeleteItem", `{` + table + key + `, "Expected": {`, `"a#": {"ComparisonOperator": "IS"}`, `}}`},
		{"updates", "UpdateItem", `{` + table + key + `, "AttributeUpdates": {`, `"a#": {"Action": "DELETE"}`, `}}`},
		{"added updates", "UpdateItem", `{` + table + key + `, "AttributeUpdates": {`, `"a#": {"Action": "ADD", "Value": {"N": "#"}}`, `}}`},
		{
			"joined list", "UpdateItem", `{` + table + key + `, "UpdateExpression": "SET a = ` + strings.Repeat("list_append(:a, ", 200) + ":a" + strings.Repeat(")", 200) +
				`", "ExpressionAttributeValues": {":a": {"L": [`, `{"NULL": true}`, `]}}}`,
		},
		{
			"one value many times", "UpdateItem", `{` + table + key + `, "UpdateExpression": "SET a = :a` + strings.Repeat(", a# = :a", 400) +
				`", "ExpressionAttributeValues": {":a": {"NS": [`, `"#"`, `]}}}`,
		},

		{"attributes of an index", "Query", `{` + table + `"IndexName": "narrow", "KeyConditions": {"sk": {"ComparisonOperator": "EQ", "AttributeValueList": [{"S": "b"}]}}, "AttributesToGet": [`, `"a#"`, `]}`},
		{"key conditions", "Query", `{` + table + `"KeyConditions": {`, `"a#": {"ComparisonOperator": "EQ", "AttributeValueList": [{"S": "b"}]}`, `}}`},
		{"key conditions of several attributes", "Query", `{` + table + `"IndexName": "wide", "KeyConditions": {`, `"a#": {"ComparisonOperator": "EQ", "AttributeValueList": [{"S": "b"}]}`, `}}`},
		{"start", "Query", `{` + table + `"KeyConditions": {"pk": {"ComparisonOperator": "EQ", "AttributeValueList": [{"S": "b"}]}}, "ExclusiveStartKey": {`, `"a#": {"S": "b"}`, `}}`},
		{"filter", "Scan", `{` + table + `"ScanFilter": {`, `"a#": {"ComparisonOperator": "NULL"}`, `}}`},
		{"filter of an index", "Scan", `{` + table + `"IndexName": "narrow", "ScanFilter": {`, `"a#": {"ComparisonOperator": "NULL"}`, `}}`},
		{"operands", "Scan", `{` + table + `"ScanFilter": {"a": {"ComparisonOperator": "IN", "AttributeValueList": [`, `{"S": "#"}`, `]}}}`},

		{"keys", "BatchGetItem", `{"RequestItems": {"table": {"Keys": [`, `{"pk": {"S": "#"}, "sk": {"S": "b"}}`, `]}}}`},
		{"tables", "BatchGetItem", `{"RequestItems": {`, `"table#": {"Keys": [{"pk": {"S": "#"}, "sk": {"S": "b"}}]}`, `}}`},
		{"unknown members", "BatchGetItem", `{"RequestItems": {"table": {"Keys": [{"pk": {"S": "a"}, "sk": {"S": "b"}}]`, `, "Member#": {"S": ""}`, `}}}`},
		{"writes", "BatchWriteItem", `{"RequestItems": {"table": [`, `{"DeleteRequest": {"Key": {"pk": {"S": "#"}, "sk": {"S": "b"}}}}`, `]}}`},
		{"tables", "BatchWriteItem", `{"RequestItems": {`, `"table#": [{"DeleteRequest": {}}]`, `}}`},
		{"empty writes", "BatchWriteItem", `{"RequestItems": {"table": [`, `{"DeleteRequest": {}}`, `]}}`},
		{"actions", "TransactWriteItems", `{"TransactItems": [`, `{"Delete": {` + table + `"Key": {"pk": {"S": "#"}, "sk": {"S": "b"}}}}`, `]}`},
		{"empty actions", "TransactWriteItems", `{"TransactItems": [`, `{"Delete": {}}`, `]}`},
		{"reads", "TransactGetItems", `{"TransactItems": [`, get, `]}`},

		{"parameters", "ExecuteStatement", `{"Statement": "SELECT * FROM table WHERE pk = ?", "Parameters": [`, `{"S": "#"}`, `]}`},
		{"statement", "ExecuteStatement", `{"Statement": "SELECT * FROM table WHERE pk IN ['a'`, `, 'b#'`, `]"}`},
		{"next token", "ExecuteStatement", `{"Statement": "SELECT * FROM table", "NextToken": "`, `a#`, `"}`},
		{"statements", "BatchExecuteStatement", `{"Statements": [`, `{"Statement": "SELECT * FROM table WHERE pk = 'a#'"}`, `]}`},
		{"empty statements", "BatchExecuteStatement", `{"Statements": [`, `{}`, `]}`},
		{"statements", "ExecuteTransaction", `{"TransactStatements": [`, `{"Statement": "SELECT * FROM table WHERE pk = 'a#'"}`, `]}`},
	}
}

// largeRequest is a body that grows by a part. # in it is the part's number.
type largeRequest struct{ name, operation, begin, part, end string }

func (r largeRequest) body(size int) []byte {
	var b strings.Builder
	numbered := func(s string, i int) string { return strings.ReplaceAll(s, "#", fmt.Sprint(i)) }
	b.WriteString(numbered(r.begin, 0))
	list := strings.HasSuffix(r.begin, "[") || strings.HasSuffix(r.begin, "{")
	for i := 0; b.Len() < size; i++ {
		if i > 0 && list {
			b.WriteByte(',')
		}
		b.WriteString(numbered(r.part, i))
	}
	b.WriteString(r.end)
	return []byte(b.String())
}

// TestLargeRequests compares the time of a large body with that of many small
// ones, which are as large together. What takes the square of a body's size
// takes 32 times as long, and is told from what does not by a factor of eight,
// in the best of several attempts. Bodies of the size that clients can send
// would show no more, and what is wrong with them only after minutes.
func TestLargeRequests(t *testing.T) {
	const (
		large, parts = 1 << 20, 32
		most         = 8.0
		soon         = 20 * time.Millisecond // which is no matter
		attempts     = 10
	)
	e := engine.New(engine.Config{})
	do(t, e, "CreateTable", `{"TableName": "table", "BillingMode": "PAY_PER_REQUEST",
		"KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
		"AttributeDefinitions": [{"AttributeName": "pk", "AttributeType": "S"}, {"AttributeName": "sk", "AttributeType": "S"}, {"AttributeName": "a1", "AttributeType": "S"}],
		"GlobalSecondaryIndexes": [
			{"IndexName": "narrow", "KeySchema": [{"AttributeName": "sk", "KeyType": "HASH"}], "Projection": {"ProjectionType": "KEYS_ONLY"}},
			{"IndexName": "wide", "KeySchema": [{"AttributeName": "sk", "KeyType": "HASH"}, {"AttributeName": "a1", "KeyType": "HASH"}], "Projection": {"ProjectionType": "ALL"}}]}`)
	for _, r := range largeRequests() {
		t.Run(r.operation+"/"+r.name, func(t *testing.T) {
			timed := func(body []byte, times int) time.Duration {
				began := time.Now()
				for range times {
					_, _ = e.Do(r.operation, body)
				}
				return time.Since(began)
			}
			small, whole := r.body(large/parts), r.body(large)
			var ratio float64
			for range attempts {
				apart, once := timed(small, parts), timed(whole, 1)
				if ratio = float64(once) / float64(apart); ratio < most || once < soon {
					return
				}
			}
			require.Fail(t, "grows too fast", "one large body takes %.0f times as long as %d small ones", ratio, parts)
		})
	}
}
