package local_test

import (
	"bytes"
	"fmt"
	"hash/crc32"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/dynorm/dynorm/local"
)

// canned is the yardstick: a transport that reads the request and gives the
// answer it was made with, as fast as any server could.
type canned struct{ answers map[string]answer }

type answer struct {
	body []byte
	crc  string
}

func (c canned) Do(r *http.Request) (*http.Response, error) {
	if _, err := io.Copy(io.Discard, r.Body); err != nil {
		return nil, err
	}
	a := c.answers[strings.TrimPrefix(r.Header.Get("X-Amz-Target"), "DynamoDB_20120810.")]
	return &http.Response{
		StatusCode: 200, ProtoMajor: 1, ProtoMinor: 1, ContentLength: int64(len(a.body)), Request: r,
		Header: http.Header{"Content-Type": {"application/x-amz-json-1.0"}, "X-Amz-Crc32": {a.crc}, "X-Amzn-Requestid": {"canned"}},
		Body:   io.NopCloser(bytes.NewReader(a.body)),
	}, nil
}

// cannedClient answers what engine answered when it was recorded.
func cannedClient(recorded []local.Request) *dynamodb.Client {
	c := canned{map[string]answer{}}
	for _, r := range recorded {
		c.answers[r.Operation] = answer{[]byte(r.Answer), strconv.FormatUint(uint64(crc32.ChecksumIEEE([]byte(r.Answer))), 10)}
	}
	return dynamodb.New(dynamodb.Options{
		Region: "us-east-1", BaseEndpoint: aws.String("http://localhost"),
		Credentials: aws.NewCredentialsCache(credentials.NewStaticCredentialsProvider("local", "local", "")), HTTPClient: c,
	})
}

const partitions = 1000

// workload is the four requests of the figures.
var workload = []struct {
	name string
	do   func(b testing.TB, c *dynamodb.Client, i int)
}{
	{"PutItem", func(b testing.TB, c *dynamodb.Client, i int) {
		_, err := c.PutItem(b.Context(), &dynamodb.PutItemInput{TableName: aws.String("app"), Item: sample(i)})
		check(b, err)
	}},
	{"GetItem", func(b testing.TB, c *dynamodb.Client, i int) {
		out, err := c.GetItem(b.Context(), &dynamodb.GetItemInput{TableName: aws.String("app"), Key: sampleKey(i)})
		check(b, err)
		if len(out.Item) == 0 {
			b.Fatal("no item")
		}
	}},
	{"Query25", func(b testing.TB, c *dynamodb.Client, i int) {
		out, err := c.Query(b.Context(), &dynamodb.QueryInput{
			TableName: aws.String("app"), KeyConditionExpression: aws.String("pk = :pk"), Limit: aws.Int32(25),
			ExpressionAttributeValues: map[string]types.AttributeValue{":pk": sampleKey(i)["pk"]},
		})
		check(b, err)
		if len(out.Items) != 25 {
			b.Fatalf("%d items", len(out.Items))
		}
	}},
	{"TransactWrite4", func(b testing.TB, c *dynamodb.Client, i int) {
		in := &dynamodb.TransactWriteItemsInput{}
		for j := range 4 {
			in.TransactItems = append(in.TransactItems, types.TransactWriteItem{Put: &types.Put{
				TableName: aws.String("app"), Item: item(fmt.Sprint("tx", i%partitions), fmt.Sprint(j), "city", "Köln"),
			}})
		}
		_, err := c.TransactWriteItems(b.Context(), in)
		check(b, err)
	}},
}

func check(b testing.TB, err error) {
	if err != nil {
		b.Helper()
		b.Fatal(err)
	}
}

func sampleKey(i int) map[string]types.AttributeValue {
	return item(fmt.Sprintf("USER#%06d", i%partitions), fmt.Sprintf("ORDER#%02d", i/partitions%25))
}

func sample(i int) map[string]types.AttributeValue {
	it := sampleKey(i)
	it["city"] = str("city" + strconv.Itoa(i%100))
	it["name"] = str("Ann Example")
	it["email"] = str("ann@example.com")
	it["total"] = &types.AttributeValueMemberN{Value: strconv.Itoa(i)}
	it["active"] = &types.AttributeValueMemberBOOL{Value: true}
	return it
}

// load fills the table with n sample items.
func load(b testing.TB, c *dynamodb.Client, n int) {
	for i := 0; i < n; i += 25 {
		var writes []types.WriteRequest
		for j := i; j < min(i+25, n); j++ {
			writes = append(writes, types.WriteRequest{PutRequest: &types.PutRequest{Item: sample(j)}})
		}
		_, err := c.BatchWriteItem(b.Context(), &dynamodb.BatchWriteItemInput{RequestItems: map[string][]types.WriteRequest{"app": writes}})
		check(b, err)
	}
}

// BenchmarkClient compares the SDK's client over the engine in this process,
// and over HTTP, with the same client over canned answers.
func BenchmarkClient(b *testing.B) {
	e := open(b, local.Config{})
	load(b, e.Client(), 25*partitions)
	r := e.Record()
	for _, w := range workload {
		w.do(b, e.Client(), 0)
	}
	r.Stop()
	s, err := e.Listen("127.0.0.1:0")
	check(b, err)
	defer s.Close()
	remote, err := local.Open(b.Context(), local.Config{Endpoint: s.URL()})
	check(b, err)
	defer remote.Close()
	clients := []struct {
		name string
		c    *dynamodb.Client
	}{{"canned", cannedClient(r.Requests())}, {"engine", e.Client()}, {"http", remote.Client()}}
	for _, w := range workload {
		for _, goroutines := range []int{1, 16} {
			for _, client := range clients {
				b.Run(fmt.Sprintf("%s/%d/%s", w.name, goroutines, client.name), func(b *testing.B) {
					b.ReportAllocs()
					if goroutines == 1 {
						for i := 0; b.Loop(); i++ {
							w.do(b, client.c, i)
						}
						return
					}
					var n atomic.Int64
					b.SetParallelism(goroutines / 2) // times GOMAXPROCS, two on the machine of the figures
					b.RunParallel(func(p *testing.PB) {
						for p.Next() {
							w.do(b, client.c, int(n.Add(1)))
						}
					})
				})
			}
		}
	}
}
