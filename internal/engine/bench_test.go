package engine_test

import (
	"fmt"
	"testing"

	"github.com/dynorm/dynorm/internal/engine"
)

// BenchmarkDo is what requests cost without any client.
func BenchmarkDo(b *testing.B) {
	const item = `{"pk":{"S":"USER#%06[1]d"},"sk":{"N":"%[2]v"},"g":{"S":"city"},"name":{"S":"Ann Example"},"total":{"N":"%[1]d"},"active":{"BOOL":true}}`
	transact := `{"ClientRequestToken":"token-%08[1]d","TransactItems":[`
	for i := range 4 {
		transact += fmt.Sprintf(`{"Put":{"TableName":"app","Item":{"pk":{"S":"t%%[1]d"},"sk":{"N":"%d"},"g":{"S":"city"}}}}`, i)
		if i < 3 {
			transact += ","
		}
	}
	transact += `]}`
	for _, tc := range []struct{ name, operation, body string }{
		{"PutItem", "PutItem", `{"TableName":"app","Item":` + item + `}`},
		{"GetItem", "GetItem", `{"TableName":"app","Key":{"pk":{"S":"USER#%06[1]d"},"sk":{"N":"%[2]v"}}}`},
		{"Query25", "Query", `{"TableName":"app","KeyConditionExpression":"pk = :p","ExpressionAttributeValues":{":p":{"S":"USER#%06[1]d"}},"Limit":25}`},
		{"UpdateItem", "UpdateItem", `{"TableName":"app","Key":{"pk":{"S":"USER#%06[1]d"},"sk":{"N":"%[2]v"}},"UpdateExpression":"SET n = if_not_exists(n, :one) + :one","ConditionExpression":"attribute_exists(pk)","ExpressionAttributeValues":{":one":{"N":"1"}}}`},
		{"TransactWrite4", "TransactWriteItems", transact},
	} {
		b.Run(tc.name, func(b *testing.B) {
			e := newApp(b, engine.Config{})
			for i := range 25_000 {
				do(b, e, "PutItem", `{"TableName":"app","Item":`+fmt.Sprintf(item, i%1000, i/1000)+`}`)
			}
			bodies := make([][]byte, 1000)
			for i := range bodies {
				bodies[i] = []byte(fmt.Sprintf(tc.body+"%.0[2]v", i, fmt.Sprint(i%25)))
			}
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				if _, fault := e.Do(tc.operation, bodies[i%1000]); fault != nil {
					b.Fatal(fault)
				}
			}
		})
	}
}
