// Package answer is the DynamoDB of the programs that measure a cold start: a
// transport that answers every request with one item at once. It imports
// nothing but what every one of the programs does.
package answer

import (
	"context"
	"hash/crc32"
	"io"
	"net/http"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
)

// Name is the name of the user that is read.
const Name = "Ada Lovelace"

const body = `{"Item":{"pk":{"S":"TENANT#t1"},"sk":{"S":"USER#u1"},"_et":{"S":"User"},"id":{"S":"u1"},"tenantId":{"S":"t1"},` +
	`"name":{"S":"` + Name + `"},"email":{"S":"ada@example.com"},"status":{"S":"active"},"logins":{"N":"1000"},"score":{"N":"0.625"},` +
	`"active":{"BOOL":true},"createdAt":{"S":"2026-03-14T15:09:26.535897932Z"},"tags":{"SS":["admin","beta","ops"]},` +
	`"labels":{"M":{"team":{"S":"analytics"},"city":{"S":"London"}}},"avatar":{"B":"iVBORw0KGgowMTIzNDU2Nzg5YWJjZGVm"}}}`

type transport struct{}

// Do answers a request.
func (transport) Do(req *http.Request) (*http.Response, error) {
	if _, err := io.Copy(io.Discard, req.Body); err != nil {
		return nil, err
	}
	return &http.Response{
		Status:     "200 OK",
		StatusCode: http.StatusOK,
		Proto:      "HTTP/1.1",
		ProtoMajor: 1,
		ProtoMinor: 1,
		Header: http.Header{
			"Content-Type": {"application/x-amz-json-1.0"},
			"X-Amz-Crc32":  {strconv.FormatUint(uint64(crc32.ChecksumIEEE([]byte(body))), 10)},
		},
		Body:          io.NopCloser(strings.NewReader(body)),
		ContentLength: int64(len(body)),
		Request:       req,
	}, nil
}

// Client returns the SDK's client over the transport.
func Client() *dynamodb.Client {
	return dynamodb.New(dynamodb.Options{
		Region:     "us-east-1",
		HTTPClient: transport{},
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: "bench", SecretAccessKey: "bench"}, nil
		}),
	})
}
