package dynorm

import (
	"fmt"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/dynorm/dynorm/internal/codec"
)

// members reads an object whose members that are null, or that fn does not
// know, are skipped.
func members(r *codec.Reader, fn func(name []byte) (known bool, err error)) error {
	return r.Object(func(name []byte) error {
		if r.Null() {
			return nil
		}
		known, err := fn(name)
		if !known && err == nil {
			_, err = r.Skip()
		}
		return err
	})
}

// readOutput reads a response into an output. What was asked for by nobody,
// the metrics of item collections, it skips.
func (c *wireCall) readOutput(r *codec.Reader, output any) error {
	var member func(name []byte) (known bool, err error)
	switch out := output.(type) {
	case *dynamodb.GetItemOutput:
		*out = dynamodb.GetItemOutput{}
		member = func(name []byte) (bool, error) {
			switch string(name) {
			case "Item":
				return true, c.readItem(r, &out.Item)
			case "ConsumedCapacity":
				return true, readCapacity(r, &out.ConsumedCapacity)
			}
			return false, nil
		}
	case *dynamodb.PutItemOutput:
		*out = dynamodb.PutItemOutput{}
		member = func(name []byte) (bool, error) { return c.readWritten(r, name, &out.Attributes, &out.ConsumedCapacity) }
	case *dynamodb.UpdateItemOutput:
		*out = dynamodb.UpdateItemOutput{}
		member = func(name []byte) (bool, error) { return c.readWritten(r, name, &out.Attributes, &out.ConsumedCapacity) }
	case *dynamodb.DeleteItemOutput:
		*out = dynamodb.DeleteItemOutput{}
		member = func(name []byte) (bool, error) { return c.readWritten(r, name, &out.Attributes, &out.ConsumedCapacity) }
	case *dynamodb.QueryOutput:
		*out = dynamodb.QueryOutput{}
		member = func(name []byte) (bool, error) {
			return c.readPage(r, name, page{&out.Items, &out.Count, &out.ScannedCount, &out.LastEvaluatedKey, &out.ConsumedCapacity})
		}
	case *dynamodb.ScanOutput:
		*out = dynamodb.ScanOutput{}
		member = func(name []byte) (bool, error) {
			return c.readPage(r, name, page{&out.Items, &out.Count, &out.ScannedCount, &out.LastEvaluatedKey, &out.ConsumedCapacity})
		}
	case *dynamodb.BatchGetItemOutput:
		*out = dynamodb.BatchGetItemOutput{}
		member = func(name []byte) (bool, error) { return c.readBatchGet(r, name, out) }
	case *dynamodb.BatchWriteItemOutput:
		*out = dynamodb.BatchWriteItemOutput{}
		member = func(name []byte) (bool, error) {
			switch string(name) {
			case "UnprocessedItems":
				return true, readTables(r, &out.UnprocessedItems, readWriteRequests)
			case "ConsumedCapacity":
				return true, readList(r, &out.ConsumedCapacity, readCapacityValue)
			}
			return false, nil
		}
	case *dynamodb.TransactGetItemsOutput:
		*out = dynamodb.TransactGetItemsOutput{}
		member = func(name []byte) (bool, error) {
			switch string(name) {
			case "Responses":
				return true, readList(r, &out.Responses, c.readItemResponse)
			case "ConsumedCapacity":
				return true, readList(r, &out.ConsumedCapacity, readCapacityValue)
			}
			return false, nil
		}
	case *dynamodb.TransactWriteItemsOutput:
		*out = dynamodb.TransactWriteItemsOutput{}
		member = func(name []byte) (bool, error) {
			if string(name) == "ConsumedCapacity" {
				return true, readList(r, &out.ConsumedCapacity, readCapacityValue)
			}
			return false, nil
		}
	default:
		return fmt.Errorf("no wire codec for %T", output)
	}
	if err := members(r, member); err != nil {
		return err
	}
	return r.End()
}

// readItem reads an item into the output, or as a row.
func (c *wireCall) readItem(r *codec.Reader, item *Item) (err error) {
	if c.read == nil {
		*item, err = r.Attributes()
		return err
	}
	w, err := c.read(r)
	if c.rows == nil {
		c.rows = c.one[:0]
	}
	c.rows = append(c.rows, w)
	return err
}

func (c *wireCall) readItems(r *codec.Reader, items *[]Item, count int) error {
	if c.read == nil {
		return readList(r, items, func(r *codec.Reader, item *Item) (err error) {
			*item, err = r.Attributes()
			return err
		})
	}
	if c.rows == nil {
		c.rows = make([]row, 0, count)
	}
	return r.Array(func() error { return c.readItem(r, nil) })
}

func (c *wireCall) readWritten(r *codec.Reader, name []byte, attributes *Item, capacity **types.ConsumedCapacity) (bool, error) {
	switch string(name) {
	case "Attributes":
		return true, c.readItem(r, attributes)
	case "ConsumedCapacity":
		return true, readCapacity(r, capacity)
	}
	return false, nil
}

// page is where the members of a page go.
type page struct {
	items            *[]Item
	count, evaluated *int32
	last             *Item
	capacity         **types.ConsumedCapacity
}

// maxCount is how many items a page gets room for on its word alone.
const maxCount = 5000

func (c *wireCall) readPage(r *codec.Reader, name []byte, p page) (bool, error) {
	var err error
	switch string(name) {
	case "Items":
		err = c.readItems(r, p.items, int(max(0, min(*p.count, maxCount))))
	case "Count":
		err = readInt(r, p.count)
	case "ScannedCount":
		err = readInt(r, p.evaluated)
	case "LastEvaluatedKey":
		*p.last, err = r.Attributes()
	case "ConsumedCapacity":
		err = readCapacity(r, p.capacity)
	default:
		return false, nil
	}
	return true, err
}

func (c *wireCall) readBatchGet(r *codec.Reader, name []byte, out *dynamodb.BatchGetItemOutput) (bool, error) {
	switch string(name) {
	case "Responses":
		return true, readTables(r, &out.Responses, func(r *codec.Reader, items *[]Item) error { return c.readItems(r, items, maxBatchGet) })
	case "UnprocessedKeys":
		return true, readTables(r, &out.UnprocessedKeys, readKeys)
	case "ConsumedCapacity":
		return true, readList(r, &out.ConsumedCapacity, readCapacityValue)
	}
	return false, nil
}

// readItemResponse reads a place of a reading transaction, which has an item or
// none.
func (c *wireCall) readItemResponse(r *codec.Reader, response *types.ItemResponse) error {
	before := len(c.rows)
	err := members(r, func(name []byte) (bool, error) {
		if string(name) == "Item" {
			return true, c.readItem(r, &response.Item)
		}
		return false, nil
	})
	if c.read != nil && len(c.rows) == before {
		c.rows = append(c.rows, row{})
	}
	return err
}

func readKeys(r *codec.Reader, k *types.KeysAndAttributes) error {
	return members(r, func(name []byte) (bool, error) {
		var err error
		switch string(name) {
		case "Keys":
			err = readList(r, &k.Keys, func(r *codec.Reader, key *Item) (err error) {
				*key, err = r.Attributes()
				return err
			})
		case "ConsistentRead":
			k.ConsistentRead, err = pointer(r.Bool())
		case "ProjectionExpression":
			k.ProjectionExpression, err = pointer(r.Text())
		case "ExpressionAttributeNames":
			err = readTables(r, &k.ExpressionAttributeNames, func(r *codec.Reader, s *string) (err error) {
				*s, err = r.Text()
				return err
			})
		default:
			return false, nil
		}
		return true, err
	})
}

func readWriteRequests(r *codec.Reader, list *[]types.WriteRequest) error {
	return readList(r, list, func(r *codec.Reader, w *types.WriteRequest) error {
		return members(r, func(name []byte) (bool, error) {
			switch string(name) {
			case "PutRequest":
				w.PutRequest = &types.PutRequest{}
				return true, readOnly(r, "Item", &w.PutRequest.Item)
			case "DeleteRequest":
				w.DeleteRequest = &types.DeleteRequest{}
				return true, readOnly(r, "Key", &w.DeleteRequest.Key)
			}
			return false, nil
		})
	})
}

// readOnly reads the one member of an object that matters.
func readOnly(r *codec.Reader, member string, item *Item) error {
	return members(r, func(name []byte) (known bool, err error) {
		if known = string(name) == member; known {
			*item, err = r.Attributes()
		}
		return known, err
	})
}

func readCapacity(r *codec.Reader, capacity **types.ConsumedCapacity) error {
	*capacity = &types.ConsumedCapacity{}
	return readCapacityValue(r, *capacity)
}

func readCapacityValue(r *codec.Reader, c *types.ConsumedCapacity) error {
	return members(r, func(name []byte) (bool, error) {
		var err error
		switch string(name) {
		case "TableName":
			c.TableName, err = pointer(r.Text())
		case "CapacityUnits":
			c.CapacityUnits, err = pointer(r.Float())
		case "ReadCapacityUnits":
			c.ReadCapacityUnits, err = pointer(r.Float())
		case "WriteCapacityUnits":
			c.WriteCapacityUnits, err = pointer(r.Float())
		default:
			return false, nil
		}
		return true, err
	})
}

// readTables reads an object whose members, of any name, are of one kind.
func readTables[V any](r *codec.Reader, m *map[string]V, read func(*codec.Reader, *V) error) error {
	*m = map[string]V{}
	return members(r, func(name []byte) (bool, error) {
		key := string(name)
		var v V
		err := read(r, &v)
		(*m)[key] = v
		return true, err
	})
}

// readList reads an array, where null is a zero element.
func readList[E any](r *codec.Reader, list *[]E, read func(*codec.Reader, *E) error) error {
	*list = []E{}
	return r.Array(func() error {
		var e E
		var err error
		if !r.Null() {
			err = read(r, &e)
		}
		*list = append(*list, e)
		return err
	})
}

func readInt(r *codec.Reader, n *int32) error {
	v, err := r.Int()
	*n = int32(v)
	return err
}

func pointer[V any](v V, err error) (*V, error) { return &v, err }
