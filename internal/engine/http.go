package engine

import (
	"fmt"
	"hash/crc32"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync/atomic"
)

// The parts of the protocol, AWS JSON 1.0.
const (
	contentType  = "application/x-amz-json-1.0"
	targetHeader = "X-Amz-Target"
	targetPrefix = "DynamoDB_20120810."
	streamPrefix = "DynamoDBStreams_20120810."
)

var requests atomic.Uint64

// requestID returns an identifier of the form that the service gives.
func requestID() string {
	const digits = "0123456789ABCDEFGHIJKLMNOPQRSTUV"
	n := requests.Add(1)
	seed := n * 0x9E3779B97F4A7C15
	var id [52]byte
	for i := range id {
		id[i] = digits[(seed>>(uint(i)%60))&31]
		if i%13 == 12 {
			seed = (seed ^ n) * 0xff51afd7ed558ccd
		}
	}
	return string(id[:])
}

// OperationOf returns the operation that an HTTP request asks for, "" if none.
func OperationOf(h http.Header) string {
	var target string
	if v := h[targetHeader]; len(v) > 0 {
		target = v[0]
	}
	prefix := targetPrefix
	if strings.HasPrefix(target, streamPrefix) {
		prefix = streamPrefix
	}
	name, ok := strings.CutPrefix(target, prefix)
	if !ok || (prefix == streamPrefix) != ofStreams(name) {
		return ""
	}
	return name
}

// ofStreams reports whether the operation belongs to the API of streams.
func ofStreams(operation string) bool {
	switch operation {
	case "ListStreams", "DescribeStream", "GetShardIterator", "GetRecords":
		return true
	}
	return false
}

// Answer returns the status, headers and body of an answer: to a request that
// went well with fault nil, and otherwise to one that failed with it.
func Answer(body []byte, fault *Fault) (status int, header http.Header, sent []byte) {
	status = http.StatusOK
	if fault != nil {
		status, body = fault.Status, fault.body()
	}
	v := []string{contentType, strconv.Itoa(len(body)), requestID(), strconv.FormatUint(uint64(crc32.ChecksumIEEE(body)), 10)}
	return status, http.Header{
		"Content-Type":     v[0:1:1],
		"Content-Length":   v[1:2:2],
		"X-Amzn-Requestid": v[2:3:3],
		"X-Amz-Crc32":      v[3:4:4],
	}, body
}

// ReadBody reads a request's body up to the limit of its size.
func ReadBody(r io.Reader, length int64) ([]byte, *Fault) {
	if length > MaxBody {
		return nil, errTooLarge
	}
	if length >= 0 {
		body := make([]byte, length)
		if _, err := io.ReadFull(r, body); err != nil {
			return nil, asFault(fmt.Errorf("read the request: %w", err))
		}
		return body, nil
	}
	body, err := io.ReadAll(io.LimitReader(r, MaxBody+1))
	switch {
	case err != nil:
		return nil, asFault(fmt.Errorf("read the request: %w", err))
	case len(body) > MaxBody:
		return nil, errTooLarge
	}
	return body, nil
}
