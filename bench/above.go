package main

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"reflect"
	"strings"
	"unsafe"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"github.com/dynorm/dynorm/internal/codec"
	"github.com/dynorm/dynorm/parser"
)

// bareCall is the least that a plug-in of the SDK's client can do for one call:
// it sends a body that is ready, and reads the item that comes back, if any,
// with the codec. What dynorm allocates beyond it is what its models, plans,
// keys, encoding and errors cost.
type bareCall struct {
	smithyhttp.ClientProtocol
	target string
	body   []byte
	member string // of the response that holds the item
	codec  *codec.Codec
	user   *User
}

func (c *bareCall) options(o *dynamodb.Options) { c.ClientProtocol, o.Protocol = o.Protocol, c }

// SerializeRequest sends the body.
func (c *bareCall) SerializeRequest(_ context.Context, _ *smithy.OperationSchema, _ smithy.Serializable, req *smithyhttp.Request) error {
	sent, err := req.SetStream(bytes.NewReader(c.body))
	if err != nil {
		return err
	}
	*req = *sent
	req.Method = http.MethodPost
	req.URL.Path = "/"
	req.Header["X-Amz-Target"] = []string{c.target}
	req.Header["Content-Type"] = []string{"application/x-amz-json-1.0"}
	return nil
}

// DeserializeResponse reads the item.
func (c *bareCall) DeserializeResponse(_ context.Context, _ *smithy.OperationSchema, _ *smithy.TypeRegistry, resp *smithyhttp.Response, _ smithy.Deserializable) error {
	body := make([]byte, resp.ContentLength)
	if _, err := io.ReadFull(resp.Body, body); err != nil {
		return err
	}
	if err := resp.Body.Close(); err != nil {
		return err
	}
	resp.Body = http.NoBody
	if c.member == "" {
		return nil
	}
	r := codec.NewReader(body)
	defer r.Release()
	c.user = new(User)
	return r.Object(func(name []byte) error {
		if string(name) != c.member {
			_, err := r.Skip()
			return err
		}
		return r.Item(c.codec, unsafe.Pointer(c.user), func(_, _ []byte) error { return nil })
	})
}

// nameBare is the bare client in tables: with the same plug-in of its protocol
// that dynorm uses.
const nameBare = "the client alone"

// barePeer does the single calls with a bareCall each. Their bodies are those
// that the raw peer sends.
func barePeer(ctx context.Context, client *dynamodb.Client, table string, sample *User) (peer, error) {
	entity, err := parser.Parse(reflect.TypeFor[User]())
	if err != nil {
		return peer{}, err
	}
	c, err := codec.Compile(reflect.TypeFor[User](), entity.Fields)
	if err != nil {
		return peer{}, err
	}
	var sent recorder
	raw := rawPeer(clientOn(&sent), table)
	if _, err := raw.get(ctx, sample.TenantID, sample.ID); err != nil && !errors.Is(err, errNotFound) {
		return peer{}, err
	}
	get := sent.body
	if err := raw.put(ctx, sample); err != nil {
		return peer{}, err
	}
	put := sent.body
	if _, err := raw.update(ctx, sample.TenantID, sample.ID, sampleChanges); err != nil {
		return peer{}, err
	}
	update := sent.body
	key := item{}
	return peer{
		name: nameBare,
		get: func(ctx context.Context, _, _ string) (*User, error) {
			call := &bareCall{target: targetPrefix + "GetItem", body: get, member: "Item", codec: c}
			_, err := client.GetItem(ctx, &dynamodb.GetItemInput{TableName: &table, Key: key}, call.options)
			return call.user, err
		},
		put: func(ctx context.Context, _ *User) error {
			call := &bareCall{target: targetPrefix + "PutItem", body: put}
			_, err := client.PutItem(ctx, &dynamodb.PutItemInput{TableName: &table, Item: key}, call.options)
			return err
		},
		update: func(ctx context.Context, _, _ string, _ changes) (*User, error) {
			call := &bareCall{target: targetPrefix + "UpdateItem", body: update, member: "Attributes", codec: c}
			_, err := client.UpdateItem(ctx, &dynamodb.UpdateItemInput{TableName: &table, Key: key}, call.options)
			return call.user, err
		},
	}, nil
}

// singleCalls are the rows of one item a call.
func singleCalls(users []*User) []peerRow {
	var single []peerRow
	for _, r := range peerCalls(users) {
		switch r.name {
		case rowGet, rowPut, rowUpdate:
			single = append(single, r)
		}
	}
	return single
}

// rowAbove is the name of the row of aboveRow.
const rowAbove = "Single calls, above the client alone"

// aboveRow compares single calls of dynorm to those of the client alone.
func (s *suite) aboveRow() row {
	return row{
		name: rowAbove,
		note: "Both have dynorm's plug-in of the client, the protocol in its options. The client\nalone has the body of the request ready, and reads the item of the response with\ndynorm's codec.",
		measure: func(ctx context.Context) ([]measured, error) {
			bare, err := barePeer(ctx, clientOn(s.stub), tableName, s.users[0])
			if err != nil {
				return nil, err
			}
			var all []measured
			for _, r := range singleCalls(s.users) {
				pair, err := s.measurePeers([]peer{s.peers[0], bare}, func(p peer) func() error { return r.call(ctx, p) })
				if err != nil {
					return nil, err
				}
				for _, m := range pair {
					m.peer = strings.TrimSpace(r.name + ", " + m.peer)
					all = append(all, m)
				}
			}
			return all, nil
		},
		table: aboveTable,
	}
}
