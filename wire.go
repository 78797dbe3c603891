package dynorm

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"sync"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"github.com/dynorm/dynorm/internal/codec"
)

// The wire codec writes requests and reads responses in DynamoDB's JSON
// without the SDK's attribute values and their (de)serialization, which is what
// most of the SDK's time on a page of items goes to. It stands in for the
// protocol of the SDK's client during single calls; endpoints, signing, retries,
// timeouts, logging and errors stay the client's.

// wireable reports whether a client takes the wire codec: it is the SDK's own
// and speaks the protocol that the codec does.
func wireable(client Client) bool {
	c, ok := client.(*dynamodb.Client)
	if !ok {
		return false
	}
	p := c.Options().Protocol
	return p != nil && p.ID() == smithy.ShapeID{Namespace: "aws.protocols", Name: "awsJson1_0"}
}

// direct reports whether items go straight between structs and the wire:
// nothing has to see their attribute values on the way.
func (db *DB) direct() bool {
	return db.wire && len(db.cfg.Interceptors) == 0 && !db.translates()
}

// straightItems are items that go from structs into a request without their
// attribute values, in DynamoDB's JSON.
type straightItems [][]byte

// straightItem stands for an item that goes straight, straightPut for its put.
var (
	straightItem = Item{}
	straightPut  = types.WriteRequest{PutRequest: &types.PutRequest{Item: straightItem}}
)

// add returns what stands in an input for an item to put.
func (items *straightItems) add(item content) Item {
	if item.raw == nil {
		return item.item
	}
	*items = append(*items, item.raw)
	return straightItem
}

// wireCall is the protocol of one call.
type wireCall struct {
	// ClientProtocol is the SDK's: errors are its to read.
	smithyhttp.ClientProtocol
	// left says that the operation is one which the wire codec does not know.
	left bool
	// straight are items of the request in DynamoDB's JSON, in the order in which
	// the input has an empty item for each.
	straight straightItems
	// given are parts of a request for a single item that the input lacks.
	given given
	// read reads the items of the response. Without it they go into the
	// output.
	read rowReader
	// rows are the items that were read, in their order. Where the response
	// has a place for each item, an empty row stands for none.
	rows []row
	// room is where the options of most calls find theirs, item where a single one
	// is that goes straight, and one where it is read to.
	room [1]func(*dynamodb.Options)
	item [1][]byte
	one  [1]row
}

// options puts the call into the client's options.
func (c *wireCall) options(o *dynamodb.Options) { c.ClientProtocol, o.Protocol = o.Protocol, c }

// SerializeRequest writes the request. An operation that it does not know, one
// on tables, it leaves to the SDK.
func (c *wireCall) SerializeRequest(ctx context.Context, schema *smithy.OperationSchema, in smithy.Serializable, req *smithyhttp.Request) error {
	if !c.given.fit(in) {
		return errChanged
	}
	body, known, placed := c.body(in)
	if placed != len(c.straight) {
		return errChanged
	}
	if c.left = !known; c.left {
		c.given.into(in)
		return c.ClientProtocol.SerializeRequest(ctx, schema, in, req)
	}
	sent, err := req.SetStream(body)
	if err != nil {
		return &smithy.SerializationError{Err: err}
	}
	*req = *sent
	req.Method = http.MethodPost
	if req.URL.Path == "" {
		req.URL.Path = "/"
	}
	values := []string{targetOf(schema.ID().Name), "application/x-amz-json-1.0"}
	req.Header["X-Amz-Target"], req.Header["Content-Type"] = values[:1:1], values[1:]
	return nil
}

// errChanged says that the parts of a request which its input lacks have no place
// there any more.
var errChanged = &smithy.SerializationError{Err: errors.New("a middleware changed the input in a way that its items, keys and expressions can't be added to")}

// targetOf names an operation in a request's header.
func targetOf(operation string) string {
	if target, ok := targets[operation]; ok {
		return target
	}
	return targetPrefix + operation
}

const targetPrefix = "DynamoDB_20120810."

// targets are the names of the operations of single items, of which little is
// left beside the SDK's own work.
var targets = map[string]string{
	string(OpGetItem):    targetPrefix + string(OpGetItem),
	string(OpPutItem):    targetPrefix + string(OpPutItem),
	string(OpUpdateItem): targetPrefix + string(OpUpdateItem),
	string(OpDeleteItem): targetPrefix + string(OpDeleteItem),
}

// body returns the request's body and how many of the straight items found their
// places in it, or reports that the input says what it does not know. The
// transport may still read it after the response has come, so that nothing else
// is written there.
func (c *wireCall) body(in any) (body io.Reader, known bool, placed int) {
	q := bodies.Get().(*request)
	defer q.release()
	q.straight, q.given = c.straight, c.given
	if n := len(c.straight); n > 0 {
		q.at = make([]int, 0, n)
	}
	known = q.write(in)
	text := bytes.Clone(q.buf)
	if placed = len(q.at); placed > 0 {
		return &splicedBody{text: text, items: c.straight[:placed], at: q.at}, known, placed
	}
	return bytes.NewReader(text), known, 0
}

// DeserializeResponse reads the response.
func (c *wireCall) DeserializeResponse(ctx context.Context, schema *smithy.OperationSchema, registry *smithy.TypeRegistry, resp *smithyhttp.Response, out smithy.Deserializable) error {
	if c.left || resp.StatusCode < 200 || resp.StatusCode >= 300 {
		return c.ClientProtocol.DeserializeResponse(ctx, schema, registry, resp, out)
	}
	body, err := readBody(resp)
	if err != nil || len(body) == 0 {
		return err
	}
	r := codec.NewReader(body)
	defer r.Release()
	c.rows = nil // an attempt before may have read some
	if err := c.readOutput(r, out); err != nil {
		return &smithy.DeserializationError{Err: err}
	}
	return nil
}

// maxForeseen is how much memory a response gets on its word alone.
const maxForeseen = 2 << 20

// readBody reads a response to its end and closes it.
func readBody(resp *smithyhttp.Response) ([]byte, error) {
	var (
		body []byte
		err  error
	)
	if n := resp.ContentLength; n >= 0 && n <= maxForeseen && resp.Header.Get("Content-Encoding") == "" {
		body = make([]byte, n)
		if _, err = io.ReadFull(resp.Body, body); err == nil {
			_, err = io.Copy(io.Discard, resp.Body) // to the end, for the connection to be used again
		}
	} else {
		body, err = io.ReadAll(resp.Body)
	}
	if err != nil {
		return nil, &smithy.DeserializationError{Err: err}
	}
	// The SDK compares the checksum as it closes a response, and then does
	// nothing about a difference but to log it. Where there is no checksum, not
	// every server sends one, it takes 0 for it.
	err = resp.Body.Close()
	resp.Body = http.NoBody
	if err != nil && resp.Header.Get("X-Amz-Crc32") != "" {
		return nil, &damagedResponse{err}
	}
	return body, nil
}

// damagedResponse is a response that is not what was sent: its checksum
// differs. The request is sent again, as if the response were lost.
type damagedResponse struct{ err error }

func (e *damagedResponse) Error() string        { return "the response was damaged: " + e.err.Error() }
func (e *damagedResponse) Unwrap() error        { return e.err }
func (e *damagedResponse) RetryableError() bool { return true }

var bodies = sync.Pool{New: func() any { return new(request) }}

// maxScratch bounds the memory that is kept for the next request.
const maxScratch = 256 << 10

func (q *request) release() {
	if cap(q.buf) > maxScratch {
		q.buf = nil
	}
	q.buf, q.straight, q.at, q.given = q.buf[:0], nil, nil, given{}
	bodies.Put(q)
}
