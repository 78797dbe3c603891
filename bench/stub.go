package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"hash/crc32"
	"io"
	"net/http"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
)

// stub is a transport that answers each operation with the same bytes at once,
// as DynamoDB would write them: JSON with a checksum.
type stub struct{ answers map[string]answer }

type answer struct {
	header http.Header
	body   []byte
}

const targetPrefix = "DynamoDB_20120810."

func newAnswer(body []byte) answer {
	return answer{body: body, header: http.Header{
		"Content-Type":     {"application/x-amz-json-1.0"},
		"X-Amz-Crc32":      {strconv.FormatUint(uint64(crc32.ChecksumIEEE(body)), 10)},
		"X-Amzn-Requestid": {"0123456789ABCDEFGHIJKLMNOPQRSTUVVV4KQNSO5AEMVJF66Q9ASUAAJG"},
	}}
}

// Do answers a request.
func (s stub) Do(req *http.Request) (*http.Response, error) {
	if req.Body != nil {
		defer req.Body.Close()
		if _, err := io.Copy(io.Discard, req.Body); err != nil {
			return nil, err
		}
	}
	target := req.Header.Get("X-Amz-Target")
	a, ok := s.answers[strings.TrimPrefix(target, targetPrefix)]
	if !ok {
		return nil, fmt.Errorf("no canned answer to %s", target)
	}
	return &http.Response{
		Status:        "200 OK",
		StatusCode:    http.StatusOK,
		Proto:         "HTTP/1.1",
		ProtoMajor:    1,
		ProtoMinor:    1,
		Header:        a.header,
		Body:          io.NopCloser(bytes.NewReader(a.body)),
		ContentLength: int64(len(a.body)),
		Request:       req,
	}, nil
}

// newStub returns the transport whose reads answer with users: GetItem and
// UpdateItem with the first, Query with all.
func newStub(ctx context.Context, users []*User) (stub, error) {
	items := make([]json.RawMessage, len(users))
	for i, u := range users {
		var err error
		if items[i], err = itemJSON(ctx, u); err != nil {
			return stub{}, err
		}
	}
	s := stub{answers: map[string]answer{}}
	for op, body := range map[string]any{
		"GetItem":            map[string]any{"Item": items[0]},
		"PutItem":            struct{}{},
		"UpdateItem":         map[string]any{"Attributes": items[0]},
		"Query":              map[string]any{"Count": len(items), "Items": items, "ScannedCount": len(items)},
		"BatchWriteItem":     map[string]any{"UnprocessedItems": struct{}{}},
		"TransactWriteItems": struct{}{},
	} {
		b, err := json.Marshal(body)
		if err != nil {
			return stub{}, err
		}
		s.answers[op] = newAnswer(b)
	}
	return s, nil
}

// recorder is a transport that keeps the body of the last request.
type recorder struct{ body []byte }

// Do keeps the request's body and answers with nothing in it.
func (r *recorder) Do(req *http.Request) (*http.Response, error) {
	var err error
	if r.body, err = io.ReadAll(req.Body); err != nil {
		return nil, err
	}
	op := strings.TrimPrefix(req.Header.Get("X-Amz-Target"), targetPrefix)
	return stub{map[string]answer{op: newAnswer([]byte("{}"))}}.Do(req)
}

// itemJSON returns a user's item as the SDK writes it to the wire, its
// attributes sorted by name: what goes to the wire is what comes from it.
func itemJSON(ctx context.Context, u *User) (json.RawMessage, error) {
	var r recorder
	if err := rawPeer(clientOn(&r), "bench").put(ctx, u); err != nil {
		return nil, err
	}
	var put struct{ Item map[string]any }
	if err := json.Unmarshal(r.body, &put); err != nil {
		return nil, err
	}
	return json.Marshal(put.Item)
}

// clientOn returns the SDK's client over a transport. It reads nothing from
// the environment.
func clientOn(transport aws.HTTPClient) *dynamodb.Client {
	return dynamodb.New(dynamodb.Options{
		Region:     "us-east-1",
		HTTPClient: transport,
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: "bench", SecretAccessKey: "bench"}, nil
		}),
	})
}
