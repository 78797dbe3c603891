package local_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"golang.org/x/sync/errgroup"

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
	return dynamodb.New(dynamodb.Options{
		Region: "us-east-1", BaseEndpoint: aws.String("http://localhost"),
		Credentials: aws.NewCredentialsCache(credentials.NewStaticCredentialsProvider("local", "local", "")), HTTPClient: cannedAnswers(recorded),
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
	return item(fmt.Sprintf("USER#%06d", i/25%partitions), fmt.Sprintf("ORDER#%02d", i%25))
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

// load fills the table with n sample items, a multiple of 25.
func load(b testing.TB, c *dynamodb.Client, n int) {
	for i := 0; i < n; i += 25 {
		var writes []types.WriteRequest
		for j := i; j < i+25; j++ {
			writes = append(writes, types.WriteRequest{PutRequest: &types.PutRequest{Item: sample(j)}})
		}
		_, err := c.BatchWriteItem(b.Context(), &dynamodb.BatchWriteItemInput{RequestItems: map[string][]types.WriteRequest{"app": writes}})
		check(b, err)
	}
}

// contenders are the clients to compare: over canned answers, in this process,
// from net/http's server and from a bare one, over the engine in this process
// and over HTTP, and over DynamoDB Local if there is one.
func contenders(b *testing.B) (names []string, clients []*dynamodb.Client) {
	e := open(b, local.Config{})
	load(b, e.Client(), 25*partitions)
	r := e.Record()
	for _, w := range workload {
		w.do(b, e.Client(), 0)
	}
	r.Stop()
	s, err := e.Listen("127.0.0.1:0")
	check(b, err)
	b.Cleanup(func() { check(b, s.Close()) })
	add := func(name string, c *dynamodb.Client) { names, clients = append(names, name), append(clients, c) }
	remote := func(name, url string) *dynamodb.Client {
		e, err := local.Open(b.Context(), local.Config{Endpoint: url})
		check(b, err)
		b.Cleanup(func() { check(b, e.Close()) })
		add(name, e.Client())
		return e.Client()
	}
	add("canned", cannedClient(r.Requests()))
	add("engine", e.Client())
	limit := httptest.NewServer(cannedAnswers(r.Requests()))
	b.Cleanup(limit.Close)
	remote("canned-http", limit.URL)
	remote("bare-http", serveBare(b, cannedAnswers(r.Requests())))
	remote("http", s.URL())
	if url := os.Getenv("DYNORM_TEST_ENDPOINT"); url != "" {
		fillEndpoint(b, url)
		remote("dynamodb-local", url)
	}
	return names, clients
}

// fillEndpoint makes the table afresh on the DynamoDB Local at url.
func fillEndpoint(b *testing.B, url string) {
	e, err := local.Open(b.Context(), local.Config{Endpoint: url})
	check(b, err)
	defer e.Close()
	_, err = e.Client().DeleteTable(b.Context(), &dynamodb.DeleteTableInput{TableName: aws.String("app")})
	var missing *types.ResourceNotFoundException
	if err != nil && !errors.As(err, &missing) {
		b.Fatal(err)
	}
	createTable(b, e.Client(), "app")
	load(b, e.Client(), 25*partitions)
}

// times are what the turns of one client took, a request.
type times struct {
	wall []float64 // of each turn, sorted, in nanoseconds
	cpu  float64   // of all turns together, of this process
}

// best is the time that a tenth of the turns stay below, which other processes
// disturb the least.
func (t times) best() float64 { return t.wall[len(t.wall)/10] }

func (t times) median() float64 { return t.wall[len(t.wall)/2] }

// turns lets the clients take turns, 64 requests each, so that all of them meet
// the same machine, and returns the times of a request of each.
func turns[C any](b *testing.B, clients []C, goroutines int, do func(c C, i int)) []times {
	const burst = 64
	taken := make([]times, len(clients))
	rounds := 0
	for ; b.Loop(); rounds++ {
		for k, c := range clients {
			start, cpu := time.Now(), cpuTime()
			var g errgroup.Group
			for worker := range goroutines {
				g.Go(func() error {
					for i := worker; i < burst; i += goroutines {
						do(c, rounds*burst+i)
					}
					return nil
				})
			}
			check(b, g.Wait())
			taken[k].wall = append(taken[k].wall, float64(time.Since(start).Nanoseconds())/burst)
			taken[k].cpu += float64((cpuTime() - cpu).Nanoseconds()) / burst
		}
	}
	for k := range taken {
		slices.Sort(taken[k].wall)
		taken[k].cpu /= float64(rounds)
	}
	return taken
}

// BenchmarkSideBySide reports each client's best and median time and the
// processor time of its requests, which for DynamoDB Local is that of its
// client alone, and the ratios of the engine's to those of canned answers.
func BenchmarkSideBySide(b *testing.B) {
	names, clients := contenders(b)
	for _, w := range workload {
		for _, goroutines := range []int{1, 16} {
			b.Run(fmt.Sprintf("%s/%d", w.name, goroutines), func(b *testing.B) {
				taken := turns(b, clients, goroutines, func(c *dynamodb.Client, i int) { w.do(b, c, i) })
				for k, t := range taken {
					b.ReportMetric(t.best(), names[k]+"-ns")
					b.ReportMetric(t.median(), names[k]+"-median-ns")
					b.ReportMetric(t.cpu, names[k]+"-cpu-ns")
				}
				canned, engine := taken[0], taken[1]
				b.ReportMetric(engine.best()/canned.best(), "engine/canned")
				b.ReportMetric(engine.median()/canned.median(), "median-engine/canned")
				b.ReportMetric(engine.cpu/canned.cpu, "cpu-engine/canned")
			})
		}
	}
}

// BenchmarkSize shows what a request takes on tables of more and more items,
// by the time that a tenth of the turns stay below.
func BenchmarkSize(b *testing.B) {
	sizes := []int{10_000, 100_000, 1_000_000}
	if testing.Short() {
		sizes = sizes[:1]
	}
	var clients []*dynamodb.Client
	for _, n := range sizes {
		c := open(b, local.Config{}).Client()
		fill(b, c, n)
		clients = append(clients, c)
	}
	for _, w := range workload {
		b.Run(w.name, func(b *testing.B) {
			taken := turns(b, clients, 1, func(c *dynamodb.Client, i int) { w.do(b, c, i%sizes[0]) })
			for k, n := range sizes {
				b.ReportMetric(taken[k].best(), fmt.Sprintf("%d-items-ns", n))
				b.ReportMetric(taken[k].cpu, fmt.Sprintf("%d-items-cpu-ns", n))
			}
		})
	}
}

// fill loads the sample items and as many others as make n in all.
func fill(b testing.TB, c *dynamodb.Client, n int) {
	load(b, c, min(n, 25*partitions))
	for i := 25 * partitions; i < n; i += 25 { // in partitions of their own
		var writes []types.WriteRequest
		for j := range 25 {
			writes = append(writes, types.WriteRequest{PutRequest: &types.PutRequest{Item: item(fmt.Sprintf("OTHER#%09d", i), strconv.Itoa(j), "city", "Bonn")}})
		}
		_, err := c.BatchWriteItem(b.Context(), &dynamodb.BatchWriteItemInput{RequestItems: map[string][]types.WriteRequest{"app": writes}})
		check(b, err)
	}
}

// BenchmarkOpen is the time to open an engine and have its first answer.
func BenchmarkOpen(b *testing.B) {
	for b.Loop() {
		e, err := local.Open(b.Context(), local.Config{})
		check(b, err)
		_, err = e.Client().ListTables(b.Context(), &dynamodb.ListTablesInput{})
		check(b, err)
		check(b, e.Close())
	}
}
