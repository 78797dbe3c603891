package local_test

import (
	"bufio"
	"bytes"
	"fmt"
	"hash/crc32"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/dynorm/dynorm/local"
)

// ServeHTTP gives the canned answers over HTTP: the limit for any server on
// net/http.
func (c canned) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body := make([]byte, r.ContentLength)
	_, _ = io.ReadFull(r.Body, body)
	a := c.answers[strings.TrimPrefix(r.Header.Get("X-Amz-Target"), "DynamoDB_20120810.")]
	h := w.Header()
	h["Content-Type"], h["X-Amz-Crc32"], h["X-Amzn-Requestid"] = []string{"application/x-amz-json-1.0"}, []string{a.crc}, []string{"canned"}
	h["Content-Length"] = []string{strconv.Itoa(len(a.body))}
	_, _ = w.Write(a.body)
}

// serveBare gives the canned answers over connections of which it reads no more
// than it must: the limit for any server at all. It returns its URL.
func serveBare(b *testing.B, c canned) string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	check(b, err)
	b.Cleanup(func() { check(b, l.Close()) })
	whole := make(map[string][]byte)
	for target, a := range c.answers {
		whole["DynamoDB_20120810."+target] = fmt.Appendf(nil, "HTTP/1.1 200 OK\r\nContent-Type: application/x-amz-json-1.0\r\n"+
			"X-Amz-Crc32: %s\r\nX-Amzn-Requestid: bare\r\nContent-Length: %d\r\n\r\n%s", a.crc, len(a.body), a.body)
	}
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return // closed
			}
			go answerBare(conn, whole)
		}
	}()
	return "http://" + l.Addr().String()
}

// answerBare answers the requests of a connection until it ends.
func answerBare(conn net.Conn, answers map[string][]byte) {
	defer conn.Close()
	in := bufio.NewReaderSize(conn, 1<<14)
	for {
		length, target := 0, ""
		for {
			line, err := in.ReadSlice('\n')
			if err != nil {
				return
			}
			if len(line) <= len("\r\n") {
				break
			}
			name, text, _ := bytes.Cut(line, []byte(": "))
			switch text = bytes.TrimSpace(text); string(name) {
			case "Content-Length":
				length, _ = strconv.Atoi(string(text))
			case "X-Amz-Target":
				target = string(text)
			}
		}
		if _, err := in.Discard(length); err != nil {
			return
		}
		if _, err := conn.Write(answers[target]); err != nil {
			return
		}
	}
}

func cannedAnswers(recorded []local.Request) canned {
	c := canned{map[string]answer{}}
	for _, r := range recorded {
		c.answers[r.Operation] = answer{[]byte(r.Answer), strconv.FormatUint(uint64(crc32.ChecksumIEEE([]byte(r.Answer))), 10)}
	}
	return c
}

// wire is a client that writes requests made beforehand and reads of the
// answers no more than where they end, so that what is measured is the server.
type wire struct {
	conn net.Conn
	in   *bufio.Reader
}

func dial(b *testing.B, url string) *wire {
	conn, err := net.Dial("tcp", strings.TrimPrefix(url, "http://"))
	check(b, err)
	b.Cleanup(func() { check(b, conn.Close()) })
	return &wire{conn, bufio.NewReaderSize(conn, 1<<16)}
}

func (w *wire) do(request []byte) error {
	if _, err := w.conn.Write(request); err != nil {
		return err
	}
	status, err := w.in.ReadSlice('\n')
	if err != nil {
		return err
	}
	if !bytes.HasPrefix(status, []byte("HTTP/1.1 200 ")) {
		return fmt.Errorf("answer %q", status)
	}
	length := -1
	for {
		line, err := w.in.ReadSlice('\n')
		if err != nil {
			return err
		}
		line = bytes.TrimSpace(line)
		if len(line) == 0 {
			break
		}
		if name, value, _ := bytes.Cut(line, []byte(": ")); bytes.EqualFold(name, []byte("Content-Length")) {
			if length, err = strconv.Atoi(string(value)); err != nil {
				return err
			}
		}
	}
	if length < 0 {
		return fmt.Errorf("an answer without a length")
	}
	_, err = w.in.Discard(length)
	return err
}

// rawRequests returns the HTTP requests of the recorded calls, as the SDK
// writes them but for the signature, which no server of the benchmark checks.
func rawRequests(recorded []local.Request) [][]byte {
	out := make([][]byte, len(recorded))
	for i, r := range recorded {
		out[i] = fmt.Appendf(nil, "POST / HTTP/1.1\r\nHost: localhost\r\nUser-Agent: bench\r\nContent-Length: %d\r\n"+
			"Accept-Encoding: identity\r\nAmz-Sdk-Request: attempt=1; max=3\r\n"+
			"Authorization: AWS4-HMAC-SHA256 Credential=local/20260101/us-east-1/dynamodb/aws4_request, SignedHeaders=host;x-amz-date;x-amz-target, Signature=%064d\r\n"+
			"Content-Type: application/x-amz-json-1.0\r\nX-Amz-Date: 20260101T000000Z\r\nX-Amz-Target: DynamoDB_20120810.%s\r\n\r\n%s",
			len(r.Body), 0, r.Operation, r.Body)
	}
	return out
}

// BenchmarkServers measures the servers alone: the engine's, one that gives
// canned answers, and DynamoDB Local, all asked the same requests by the same
// thin client, one connection a goroutine. It reports the time of a request
// that a tenth of the turns stay below, and the ratios to the engine's.
func BenchmarkServers(b *testing.B) {
	e := open(b, local.Config{})
	load(b, e.Client(), 25*partitions)
	record := func(do func(b testing.TB, c *dynamodb.Client, i int)) []local.Request {
		r := e.Record()
		defer r.Stop()
		for i := range 256 {
			do(b, e.Client(), i)
		}
		return r.Requests()
	}
	s, err := e.Listen("127.0.0.1:0")
	check(b, err)
	b.Cleanup(func() { check(b, s.Close()) })
	names, urls := []string{"engine"}, []string{s.URL()}
	if url := os.Getenv("DYNORM_TEST_ENDPOINT"); url != "" {
		names, urls = append(names, "dynamodb-local"), append(urls, url)
		fillEndpoint(b, url)
	}
	for _, w := range workload {
		recorded := record(w.do)
		requests := rawRequests(recorded)
		limit := httptest.NewServer(cannedAnswers(recorded))
		b.Cleanup(limit.Close)
		for _, goroutines := range []int{1, 16} {
			b.Run(fmt.Sprintf("%s/%d", w.name, goroutines), func(b *testing.B) {
				var clients []chan *wire
				for _, url := range append([]string{limit.URL}, urls...) {
					idle := make(chan *wire, goroutines)
					for range goroutines {
						idle <- dial(b, url)
					}
					clients = append(clients, idle)
				}
				taken := turns(b, clients, goroutines, func(idle chan *wire, i int) {
					c := <-idle
					check(b, c.do(requests[i%len(requests)]))
					idle <- c
				})
				b.ReportMetric(taken[0].best(), "canned-ns")
				for k, name := range names {
					b.ReportMetric(taken[k+1].best(), name+"-ns")
					b.ReportMetric(taken[k+1].best()/taken[1].best(), name+"/engine")
				}
			})
		}
	}
}
