package engine_test

import (
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/dynorm/dynorm/internal/engine"
)

const createApp = `{"TableName":"app","BillingMode":"PAY_PER_REQUEST",
	"AttributeDefinitions":[{"AttributeName":"pk","AttributeType":"S"},{"AttributeName":"sk","AttributeType":"N"},{"AttributeName":"g","AttributeType":"S"}],
	"KeySchema":[{"AttributeName":"pk","KeyType":"HASH"},{"AttributeName":"sk","KeyType":"RANGE"}],
	"GlobalSecondaryIndexes":[{"IndexName":"gsi","KeySchema":[{"AttributeName":"g","KeyType":"HASH"},{"AttributeName":"sk","KeyType":"RANGE"}],"Projection":{"ProjectionType":"KEYS_ONLY"}}],
	"LocalSecondaryIndexes":[{"IndexName":"lsi","KeySchema":[{"AttributeName":"pk","KeyType":"HASH"},{"AttributeName":"g","KeyType":"RANGE"}],"Projection":{"ProjectionType":"ALL"}}]}`

func newApp(t testing.TB, cfg engine.Config) *engine.Engine {
	t.Helper()
	e := engine.New(cfg)
	do(t, e, "CreateTable", createApp)
	return e
}

// do runs an operation that must go well.
func do(t testing.TB, e *engine.Engine, operation, body string, args ...any) string {
	t.Helper()
	if len(args) > 0 {
		body = fmt.Sprintf(body, args...)
	}
	answer, fault := e.Do(operation, []byte(body))
	if fault != nil {
		t.Fatalf("%s %s: %v", operation, body, fault)
	}
	return string(answer)
}

// fails runs an operation that must not, and returns its fault as text.
func fails(t testing.TB, e *engine.Engine, operation, body string) string {
	t.Helper()
	_, fault := e.Do(operation, []byte(body))
	if fault == nil {
		t.Fatalf("%s %s: went well", operation, body)
	}
	return fault.Error()
}

func TestForm(t *testing.T) {
	e := newApp(t, engine.Config{})
	deep := strings.Repeat(`{"L":[`, 40) + `{"S":"x"}` + strings.Repeat(`]}`, 40)
	for _, tc := range []struct{ operation, body, fault string }{
		{"Frobnicate", `{}`, "UnknownOperationException: "},
		{"", `{}`, "UnknownOperationException: "},
		{"PutItem", ``, "SerializationException: "},
		{"PutItem", `null`, "SerializationException: "},
		{"PutItem", `[]`, "SerializationException: Unrecognized collection type class com.amazonaws.dynamodb.v20120810.PutItemInput"},
		{"PutItem", `{"TableName":`, "SerializationException: "},
		{"PutItem", `{"TableName":"app"} x`, "SerializationException: "},
		{"PutItem", "{\"TableName\":\"\xff\"}", "SerializationException: "},
		{"PutItem", `{"TableName":"\ud800"}`, "failed to satisfy constraint"},
		{"PutItem", `{"TableName":1}`, "SerializationException: NUMBER_VALUE cannot be converted to String"},
		{"PutItem", `{"TableName":1.5}`, "SerializationException: DECIMAL_VALUE cannot be converted to String"},
		{"PutItem", `{"TableName":true}`, "SerializationException: TRUE_VALUE cannot be converted to String"},
		{"PutItem", `{"TableName":[]}`, "SerializationException: Unrecognized collection type class java.lang.String"},
		{"PutItem", `{"TableName":{}}`, "SerializationException: Start of structure or map found where not expected"},
		{"PutItem", `{"Item":"x"}`, "SerializationException: Unexpected field type"},
		{"PutItem", `{"Item":{"a":"x"}}`, "SerializationException: Unexpected value type in payload"},
		{"PutItem", `{"Item":{"a":{"B":"abc"}}}`, "SerializationException: Base64 encoded length is expected a multiple of 4 bytes but found: 3"},
		{"GetItem", `{"ConsistentRead":"true"}`, "SerializationException: Unexpected token received from parser"},
		{"Query", `{"Limit":"1"}`, "SerializationException: STRING_VALUE cannot be converted to Integer"},
		{"BatchGetItem", `{"RequestItems":[]}`, "SerializationException: Unrecognized collection type java.util.Map<java.lang.String, com.amazonaws.dynamodb.v20120810.KeysAndAttributes>"},
		{"PutItem", `{}`, "2 validation errors detected: Value null at 'tableName' failed to satisfy constraint: Member must not be null; Value null at 'item' failed to satisfy constraint: Member must not be null"},
		{"PutItem", `{"TableName":"a;b","Item":{}}`, "1 validation error detected: Value 'a;b' at 'tableName' failed to satisfy constraint: Member must satisfy regular expression pattern: [a-zA-Z0-9_.-]+"},
		{"PutItem", `{"TableName":"app","Item":{"pk":{"S":"a"},"sk":{"N":"1"},"x":` + deep + `}}`, "Nesting Levels have exceeded supported limits"},
		{"PutItem", `{"TableName":"app","Item":{"pk":{"S":"a"},"sk":{"N":"1"},"x":{}}}`, "Supplied AttributeValue is empty"},
		{"PutItem", `{"TableName":"app","Item":{"pk":{"S":"a"},"sk":{"N":"1"},"x":{"S":"a","N":"1"}}}`, "more than one datatypes set"},
		{"PutItem", `{"TableName":"nope","Item":{"pk":{"S":"a"}}}`, "ResourceNotFoundException: Requested resource not found"},
		{"PutItem", `{"TableName":"app","Item":{"pk":{"S":"a"}}}`, "One or more parameter values were invalid: Missing the key sk in the item"},
		{"PutItem", `{"TableName":"app","Item":{"pk":{"S":"a"},"sk":{"S":"1"}}}`, "Type mismatch for key sk expected: N actual: S"},
		{"PutItem", `{"TableName":"app","Item":{"pk":{"S":"a"},"sk":{"N":"1"},"g":{"N":"1"}}}`, "Type mismatch for Index Key g Expected: S Actual: N IndexName: gsi"},
		{"GetItem", `{"TableName":"app","Key":{"pk":{"S":"a"}}}`, "The provided key element does not match the schema"},
		{"PutItem", `{"TableName":"app","Item":{"pk":{"S":"` + strings.Repeat("x", 2049) + `"},"sk":{"N":"1"}}}`, "Size of hashkey has exceeded the maximum size limit of2048 bytes"},
		{"PutItem", `{"TableName":"app","Item":{"pk":{"S":"a"},"sk":{"N":"1"},"x":{"S":"` + strings.Repeat("x", 400<<10) + `"}}}`, "Item size has exceeded the maximum allowed size"},
	} {
		require.Contains(t, fails(t, e, tc.operation, tc.body), tc.fault, "%s %.200s", tc.operation, tc.body)
	}
	_, fault := e.Do("PutItem", make([]byte, engine.MaxBody+1))
	require.NotNil(t, fault)
	require.Equal(t, 413, fault.Status)
}

// TestTransfers moves money between accounts from many goroutines, by
// transactions and single conditional updates, while others read all accounts
// in one transaction: no sum is ever seen that isn't the whole.
func TestTransfers(t *testing.T) {
	e := newApp(t, engine.Config{})
	const accounts, total = 8, 800
	for i := range accounts {
		do(t, e, "PutItem", `{"TableName":"app","Item":{"pk":{"S":"account"},"sk":{"N":"%d"},"n":{"N":"%d"}}}`, i, total/accounts)
	}
	get := `{"TransactItems":[`
	for i := range accounts {
		get += fmt.Sprintf(`{"Get":{"TableName":"app","Key":{"pk":{"S":"account"},"sk":{"N":"%d"}}}},`, i)
	}
	get = strings.TrimSuffix(get, ",") + `]}`
	sum := func(answer string) (sum int) {
		for _, part := range strings.Split(answer, `"n":{"N":"`)[1:] {
			digits, _, _ := strings.Cut(part, `"`)
			n, err := strconv.Atoi(digits)
			require.NoError(t, err)
			sum += n
		}
		return sum
	}
	var wg sync.WaitGroup
	for worker := range 8 {
		wg.Go(func() {
			random := rand.New(rand.NewPCG(uint64(worker), 1))
			for range 300 {
				from, to, n := random.IntN(accounts), random.IntN(accounts), random.IntN(30)
				if from == to {
					answer, fault := e.Do("TransactGetItems", []byte(get))
					if fault != nil || sum(string(answer)) != total {
						t.Errorf("accounts hold %d: %v", sum(string(answer)), fault)
					}
					answer, fault = e.Do("Query", []byte(`{"TableName":"app","KeyConditionExpression":"pk = :p","ExpressionAttributeValues":{":p":{"S":"account"}}}`))
					if fault != nil || sum(string(answer)) != total {
						t.Errorf("query of accounts holds %d: %v", sum(string(answer)), fault)
					}
					continue
				}
				_, fault := e.Do("TransactWriteItems", fmt.Appendf(nil, `{"TransactItems":[
					{"Update":{"TableName":"app","Key":{"pk":{"S":"account"},"sk":{"N":"%d"}},"UpdateExpression":"SET n = n - :n","ConditionExpression":"n >= :n","ExpressionAttributeValues":{":n":{"N":"%d"}}}},
					{"Update":{"TableName":"app","Key":{"pk":{"S":"account"},"sk":{"N":"%d"}},"UpdateExpression":"SET n = n + :n","ExpressionAttributeValues":{":n":{"N":"%d"}}}}]}`, from, n, to, n))
				if fault != nil && !strings.Contains(fault.Message, "[ConditionalCheckFailed, None]") {
					t.Error(fault)
				}
				if _, fault := e.Do("UpdateItem", []byte(`{"TableName":"app","Key":{"pk":{"S":"counter"},"sk":{"N":"0"}},"UpdateExpression":"ADD c :one","ExpressionAttributeValues":{":one":{"N":"1"}}}`)); fault != nil {
					t.Error(fault)
				}
			}
		})
	}
	wg.Wait()
}

// TestCounter checks that concurrent increments all count.
func TestCounter(t *testing.T) {
	e := newApp(t, engine.Config{})
	var wg sync.WaitGroup
	for range 16 {
		wg.Go(func() {
			for range 100 {
				do(t, e, "UpdateItem", `{"TableName":"app","Key":{"pk":{"S":"c"},"sk":{"N":"0"}},"UpdateExpression":"ADD c :one","ExpressionAttributeValues":{":one":{"N":"1"}}}`)
			}
		})
	}
	wg.Wait()
	require.Contains(t, do(t, e, "GetItem", `{"TableName":"app","Key":{"pk":{"S":"c"},"sk":{"N":"0"}}}`), `"c":{"N":"1600"}`)
}

// TestEverythingAtOnce runs all kinds of requests, snapshots and table changes
// together, for the race detector, and then checks the indexes against the
// table.
func TestEverythingAtOnce(t *testing.T) {
	e := newApp(t, engine.Config{Mishaps: engine.Mishaps{IndexDelay: func(string) time.Duration { return time.Microsecond }}})
	bodies := []struct{ operation, body string }{
		{"PutItem", `{"TableName":"app","Item":{"pk":{"S":"%[1]d"},"sk":{"N":"%[2]d"},"g":{"S":"%[2]d"}}}`},
		{"PutItem", `{"TableName":"app","Item":{"pk":{"S":"%[1]d"},"sk":{"N":"%[2]d"}}}`},
		{"UpdateItem", `{"TableName":"app","Key":{"pk":{"S":"%[1]d"},"sk":{"N":"%[2]d"}},"UpdateExpression":"SET g = :g","ExpressionAttributeValues":{":g":{"S":"%[1]d"}}}`},
		{"DeleteItem", `{"TableName":"app","Key":{"pk":{"S":"%[1]d"},"sk":{"N":"%[2]d"}}}`},
		{"GetItem", `{"TableName":"app","Key":{"pk":{"S":"%[1]d"},"sk":{"N":"%[2]d"}}}`},
		{"Query", `{"TableName":"app","IndexName":"gsi","KeyConditionExpression":"g = :g","ExpressionAttributeValues":{":g":{"S":"%[1]d"}}}`},
		{"Scan", `{"TableName":"app","IndexName":"lsi"}`},
		{"BatchWriteItem", `{"RequestItems":{"app":[{"PutRequest":{"Item":{"pk":{"S":"%[1]d"},"sk":{"N":"%[2]d"},"g":{"S":"b"}}}}]}}`},
		{"DescribeTable", `{"TableName":"app"}`},
		{"UpdateTimeToLive", `{"TableName":"app","TimeToLiveSpecification":{"AttributeName":"ttl","Enabled":true}}`},
		{"UpdateTable", `{"TableName":"app","AttributeDefinitions":[{"AttributeName":"pk","AttributeType":"S"},{"AttributeName":"sk","AttributeType":"N"},{"AttributeName":"g","AttributeType":"S"}],"GlobalSecondaryIndexUpdates":[{"Create":{"IndexName":"more","KeySchema":[{"AttributeName":"sk","KeyType":"HASH"}],"Projection":{"ProjectionType":"ALL"}}}]}`},
		{"UpdateTable", `{"TableName":"app","GlobalSecondaryIndexUpdates":[{"Delete":{"IndexName":"more"}}]}`},
	}
	var wg sync.WaitGroup
	for worker := range 8 {
		wg.Go(func() {
			random := rand.New(rand.NewPCG(uint64(worker), 2))
			for range 500 {
				b := bodies[random.IntN(len(bodies))]
				body := strings.NewReplacer("%[1]d", fmt.Sprint(random.IntN(5)), "%[2]d", fmt.Sprint(random.IntN(20))).Replace(b.body)
				_, fault := e.Do(b.operation, []byte(body))
				if fault != nil && b.operation != "UpdateTable" && b.operation != "UpdateTimeToLive" {
					t.Errorf("%s %s: %v", b.operation, body, fault)
				}
				if random.IntN(100) == 0 {
					s := e.Snapshot()
					if err := engine.New(engine.Config{}).Restore(s); err != nil {
						t.Error(err)
					}
				}
			}
		})
	}
	wg.Wait()
	time.Sleep(time.Millisecond)
	all := do(t, e, "Scan", `{"TableName":"app","FilterExpression":"attribute_exists(g)","ProjectionExpression":"pk, sk, g","Select":"SPECIFIC_ATTRIBUTES"}`)
	for _, index := range []string{"gsi", "lsi"} {
		held := do(t, e, "Scan", `{"TableName":"app","IndexName":"`+index+`"}`)
		require.Equal(t, strings.Count(all, `"pk"`), strings.Count(held, `"pk"`), index)
	}
}

// TestParallelScan checks that segments are a partition of the table, and that
// pages of a segment add up.
func TestParallelScan(t *testing.T) {
	e := newApp(t, engine.Config{})
	const n = 500
	for i := range n {
		do(t, e, "PutItem", `{"TableName":"app","Item":{"pk":{"S":"p%d"},"sk":{"N":"%d"},"g":{"S":"g%d"}}}`, i/2, i, i%7)
	}
	for _, source := range []string{"", `,"IndexName":"gsi"`} {
		seen := map[string]bool{}
		for segment := range 4 {
			start := ""
			for page := 0; ; page++ {
				require.Less(t, page, n)
				answer := do(t, e, "Scan", fmt.Sprintf(`{"TableName":"app","TotalSegments":4,"Segment":%d,"Limit":7%s%s}`, segment, source, start))
				items, rest, _ := strings.Cut(answer, `],"Count"`)
				for _, part := range strings.Split(items, `"sk":{"N":"`)[1:] {
					key, _, _ := strings.Cut(part, `"`)
					require.False(t, seen[key], "twice: %s", key)
					seen[key] = true
				}
				_, last, more := strings.Cut(rest, `"LastEvaluatedKey":`)
				if !more {
					break
				}
				start = `,"ExclusiveStartKey":` + strings.TrimSuffix(last, "}")
			}
		}
		require.Len(t, seen, n, source)
	}
}

// TestPages checks that a page ends at 1 MB and the next goes on after it, in
// both directions.
func TestPages(t *testing.T) {
	e := newApp(t, engine.Config{})
	for i := range 12 {
		do(t, e, "PutItem", `{"TableName":"app","Item":{"pk":{"S":"p"},"sk":{"N":"%d"},"x":{"S":"%s"}}}`, i, strings.Repeat("x", 200<<10))
	}
	for _, forward := range []bool{true, false} {
		start, count, pages := "", 0, 0
		for more := true; more; pages++ {
			require.Less(t, pages, 12)
			var last string
			answer := do(t, e, "Query", fmt.Sprintf(`{"TableName":"app","KeyConditionExpression":"pk = :p","ExpressionAttributeValues":{":p":{"S":"p"}},"ScanIndexForward":%v,"ProjectionExpression":"sk"%s}`, forward, start))
			count += strings.Count(answer, `{"sk"`)
			_, last, more = strings.Cut(answer, `"LastEvaluatedKey":`)
			start = `,"ExclusiveStartKey":` + strings.TrimSuffix(last, "}")
		}
		require.Equal(t, 12, count)
		require.Greater(t, pages, 1)
	}
}

// FuzzDo sends what comes: no request may panic, and each has an answer.
func FuzzDo(f *testing.F) {
	f.Add("CreateTable", createApp)
	f.Add("PutItem", `{"TableName":"app","Item":{"pk":{"S":"a\u00e9"},"sk":{"N":"1e3"},"b":{"B":"AAEC"},"l":{"L":[{"M":{"x":{"NULL":true}}},{"SS":["a","b"]}]}},"ConditionExpression":"attribute_not_exists(#p)","ExpressionAttributeNames":{"#p":"pk"},"ReturnConsumedCapacity":"INDEXES"}`)
	f.Add("UpdateItem", `{"TableName":"app","Key":{"pk":{"S":"a"},"sk":{"N":"1"}},"UpdateExpression":"SET l[0].x = :v ADD n :n REMOVE q DELETE s :s","ExpressionAttributeValues":{":v":{"S":"x"},":n":{"N":"1"},":s":{"NS":["1"]}},"ReturnValues":"UPDATED_NEW"}`)
	f.Add("Query", `{"TableName":"app","IndexName":"gsi","KeyConditionExpression":"g = :g AND sk BETWEEN :a AND :b","ExpressionAttributeValues":{":g":{"S":"x"},":a":{"N":"1"},":b":{"N":"2"}},"ExclusiveStartKey":{"pk":{"S":"a"},"sk":{"N":"1"},"g":{"S":"x"}},"Limit":3,"ScanIndexForward":false}`)
	f.Add("Query", `{"TableName":"app","KeyConditions":{"pk":{"ComparisonOperator":"EQ","AttributeValueList":[{"S":"a"}]}},"QueryFilter":{"x":{"ComparisonOperator":"IN","AttributeValueList":[{"N":"1"}]}}}`)
	f.Add("Scan", `{"TableName":"app","Segment":1,"TotalSegments":3,"FilterExpression":"size(x) > :n","ExpressionAttributeValues":{":n":{"N":"1"}}}`)
	f.Add("BatchGetItem", `{"RequestItems":{"app":{"Keys":[{"pk":{"S":"a"},"sk":{"N":"1"}}],"ConsistentRead":true}}}`)
	f.Add("BatchWriteItem", `{"RequestItems":{"app":[{"DeleteRequest":{"Key":{"pk":{"S":"a"},"sk":{"N":"1"}}}}]}}`)
	f.Add("TransactWriteItems", `{"ClientRequestToken":"t","TransactItems":[{"Put":{"TableName":"app","Item":{"pk":{"S":"a"},"sk":{"N":"1"}}}},{"ConditionCheck":{"TableName":"app","Key":{"pk":{"S":"b"},"sk":{"N":"1"}},"ConditionExpression":"attribute_exists(pk)"}}]}`)
	f.Add("UpdateTable", `{"TableName":"app","GlobalSecondaryIndexUpdates":[{"Delete":{"IndexName":"gsi"}}]}`)
	f.Add("UpdateTable", `{"TableName":"app","ReplicaUpdates":[{"Create":{"RegionName":"eu-west-1"}},{"Delete":{"RegionName":"eu-west-2"}}]}`)
	f.Add("CreateBackup", `{"TableName":"app","BackupName":"abc"}`)
	f.Add("ListBackups", `{"TableName":"app","Limit":3,"TimeRangeLowerBound":1.5,"TimeRangeUpperBound":1e18,"BackupType":"ALL"}`)
	f.Add("UpdateContinuousBackups", `{"TableName":"app","PointInTimeRecoverySpecification":{"PointInTimeRecoveryEnabled":true,"RecoveryPeriodInDays":3}}`)
	f.Add("RestoreTableToPointInTime", `{"SourceTableName":"app","TargetTableName":"copy","RestoreDateTime":1.8e9,"GlobalSecondaryIndexOverride":[]}`)
	f.Add("ExportTableToPointInTime", `{"TableArn":"app","S3Bucket":"bucket","IncrementalExportSpecification":{"ExportFromTime":1}}`)
	f.Add("ImportTable", `{"S3BucketSource":{"S3Bucket":"bucket"},"InputFormat":"CSV","InputFormatOptions":{"Csv":{"Delimiter":";"}},"TableCreationParameters":{"TableName":"copy"}}`)
	f.Add("PutResourcePolicy", `{"ResourceArn":"arn:aws:dynamodb:us-east-1:000000000000:table/app","Policy":"{}"}`)
	f.Add("EnableKinesisStreamingDestination", `{"TableName":"app","StreamArn":"arn:aws:kinesis:us-east-1:000000000000:stream/s"}`)
	f.Add("UpdateContributorInsights", `{"TableName":"app","IndexName":"gsi","ContributorInsightsAction":"ENABLE"}`)
	f.Add("UpdateItem", `{"TableName":"app","Key":{"pk":{"S":"a"},"sk":{"N":"1"}},"AttributeUpdates":{"x":{"Action":"ADD","Value":{"L":[]}}},"Expected":{"y":{"Exists":false}}}`)
	f.Add("TagResource", `{"ResourceArn":"arn:aws:dynamodb:us-east-1:000000000000:table/app","Tags":[{"Key":"a","Value":"b"}]}`)
	e := newApp(f, engine.Config{})
	start := e.Snapshot()
	f.Fuzz(func(t *testing.T, operation, body string) {
		require.NoError(t, e.Restore(start))
		_, fault := e.Do(operation, []byte(body))
		if fault != nil && fault.Status >= 500 {
			t.Fatalf("%s %q: %v", operation, body, fault)
		}
		for _, check := range []string{"Scan", "DescribeTable"} {
			if _, fault := e.Do(check, []byte(`{"TableName":"app"}`)); fault != nil && operation != "DeleteTable" {
				t.Fatalf("afterwards: %v", fault)
			}
		}
	})
}
