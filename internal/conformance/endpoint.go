package conformance

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
)

// TargetPrefix is the prefix of the X-Amz-Target header of DynamoDB's
// 2012-08-10 API.
const TargetPrefix = "DynamoDB_20120810."

// StreamTargetPrefix is that of the API of streams.
const StreamTargetPrefix = "DynamoDBStreams_20120810."

// target returns the X-Amz-Target header of the operation.
func target(op string) string {
	switch op {
	case "ListStreams", "DescribeStream", "GetShardIterator", "GetRecords":
		return StreamTargetPrefix + op
	}
	return TargetPrefix + op
}

// authorization has the shape of a SigV4 header; neither engine checks the
// signature.
const authorization = "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20260101/us-east-1/dynamodb/aws4_request, " +
	"SignedHeaders=host;x-amz-date;x-amz-target, Signature=0000000000000000000000000000000000000000000000000000000000000000"

// Endpoint sends raw requests to one engine. It is safe for concurrent use.
type Endpoint struct {
	// Name says which engine this is in test output.
	Name string
	// Local is true for DynamoDB Local, which is held to its own answer where
	// a case records one.
	Local bool

	send func(*http.Request) (*http.Response, error)
	url  string
}

// HandlerEndpoint returns an endpoint that calls h in this process.
func HandlerEndpoint(name string, h http.Handler) *Endpoint {
	return &Endpoint{Name: name, url: "http://localhost", send: func(r *http.Request) (*http.Response, error) {
		r.RequestURI = r.URL.RequestURI()
		r.RemoteAddr = "127.0.0.1:1"
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		return w.Result(), nil
	}}
}

// URLEndpoint returns an endpoint that sends requests to url, such as
// http://localhost:8000, where DynamoDB Local listens.
func URLEndpoint(name, url string) *Endpoint {
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 16}}
	return &Endpoint{Name: name, Local: true, url: strings.TrimSuffix(url, "/"), send: client.Do}
}

// Answer is what an engine answered to one request.
type Answer struct {
	Status int
	Header http.Header
	// Raw is the body as it came.
	Raw []byte
	// Body is the decoded body, with numbers as [json.Number]; nil if the body
	// is not a JSON object.
	Body map[string]any
}

// Failed reports whether the answer is an error.
func (a *Answer) Failed() bool { return a.Status != http.StatusOK }

// Type returns the error's full type, such as
// com.amazonaws.dynamodb.v20120810#ResourceNotFoundException.
func (a *Answer) Type() string {
	s, _ := a.Body["__type"].(string)
	return s
}

// Code returns the error's type without its namespace.
func (a *Answer) Code() string {
	t := a.Type()
	return t[strings.LastIndexByte(t, '#')+1:]
}

// Message returns the error's message. The service spells the member message
// for some exceptions and Message for others.
func (a *Answer) Message() string {
	for _, k := range []string{"message", "Message"} {
		if s, ok := a.Body[k].(string); ok {
			return s
		}
	}
	return ""
}

// Extra returns the members of an error beside its type and message, such as
// CancellationReasons or Item.
func (a *Answer) Extra() map[string]any {
	extra := map[string]any{}
	for k, v := range a.Body {
		switch k {
		case "__type", "message", "Message":
		default:
			extra[k] = v
		}
	}
	return extra
}

// Call sends body to the operation op. A header with an empty value removes
// the one that would be sent; ":method" and ":path" replace the request's
// method and path. The error is about transport only.
func (e *Endpoint) Call(ctx context.Context, op, body string, header map[string]string) (*Answer, error) {
	method, path := http.MethodPost, "/"
	h := http.Header{}
	h.Set("Content-Type", "application/x-amz-json-1.0")
	h.Set("Authorization", authorization)
	h.Set("X-Amz-Date", "20260101T000000Z")
	if op != "" {
		h.Set("X-Amz-Target", target(op))
	}
	for k, v := range header {
		switch {
		case k == ":method":
			method = v
		case k == ":path":
			path = v
		case v == "":
			h.Del(k)
		default:
			h.Set(k, v)
		}
	}
	req, err := http.NewRequestWithContext(ctx, method, e.url+path, strings.NewReader(body))
	if err != nil {
		return nil, fmt.Errorf("conformance: build request: %w", err)
	}
	req.Header = h
	resp, err := e.send(req)
	if err != nil {
		return nil, fmt.Errorf("conformance: %s %s: %w", e.Name, op, err)
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	if err != nil {
		return nil, fmt.Errorf("conformance: %s %s: read answer: %w", e.Name, op, err)
	}
	a := &Answer{Status: resp.StatusCode, Header: resp.Header, Raw: raw}
	if v, err := DecodeJSON(raw); err == nil {
		a.Body, _ = v.(map[string]any)
	}
	return a, nil
}

// DecodeJSON decodes one JSON value, keeping numbers as they are written.
func DecodeJSON(b []byte) (any, error) {
	d := json.NewDecoder(bytes.NewReader(b))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		return nil, err
	}
	if d.More() {
		return nil, fmt.Errorf("conformance: data after the JSON value")
	}
	return v, nil
}
