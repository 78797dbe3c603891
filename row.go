package dynorm

import (
	"errors"
	"unsafe"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/dynorm/dynorm/internal/codec"
)

// content is an item in the form that it came in, or goes out in: attribute
// values, or DynamoDB's JSON. The zero content is no item.
type content struct {
	item Item
	raw  []byte // nil where item is set
}

// row is an item that was read, decoded already where a [rowReader] did that. Its
// JSON is part of the response.
type row struct {
	content
	v    unsafe.Pointer
	err  error  // why it did not decode
	sort string // what a merge goes by, or key in a native index
	key  Item
}

// rowReader reads one item of a response.
type rowReader func(r *codec.Reader) (row, error)

// rowsOf makes rows of items.
func rowsOf(items []Item) []row {
	rows := make([]row, len(items))
	for i, item := range items {
		rows[i].item = item
	}
	return rows
}

// empty reports whether there is no item, or one without attributes.
func (c *content) empty() bool { return len(c.item) == 0 && len(c.raw) <= len("{}") }

// whole returns all attributes.
func (c *content) whole() (Item, error) {
	if c.raw == nil {
		return c.item, nil
	}
	r := codec.NewReader(c.raw)
	defer r.Release()
	item, err := r.Attributes()
	if err != nil {
		return nil, faultf(ErrValue, "%w", err)
	}
	return item, nil
}

// pick returns the item with at least those of the attributes that it has.
func (c *content) pick(attrs ...string) Item {
	if c.raw == nil {
		return c.item
	}
	item := make(Item, len(attrs))
	c.each(func(r *codec.Reader, name []byte) error {
		for _, attr := range attrs {
			if string(name) == attr {
				av, err := r.Attribute()
				item[attr] = av
				return err
			}
		}
		_, err := r.Skip()
		return err
	})
	return item
}

// text returns an attribute that is a string, empty for any other.
func (c *content) text(attr string) (text string) {
	if c.raw == nil {
		s, _ := c.item[attr].(*types.AttributeValueMemberS)
		if s == nil {
			return ""
		}
		return s.Value
	}
	s, _ := c.pick(attr)[attr].(*types.AttributeValueMemberS)
	if s == nil {
		return ""
	}
	return s.Value
}

// each calls fn for the attributes of an item in JSON. It was read once, so that
// what is wrong with its attributes shows where they are decoded.
func (c *content) each(fn func(r *codec.Reader, name []byte) error) {
	r := codec.NewReader(c.raw)
	defer r.Release()
	_ = r.Object(func(name []byte) error { return fn(r, name) })
}

// wholeRows returns rows as items.
func wholeRows(rows []row) ([]Item, error) {
	items := make([]Item, len(rows))
	for i := range rows {
		var err error
		if items[i], err = rows[i].whole(); err != nil {
			return nil, err
		}
	}
	return items, nil
}

// keyID is [entity.keyID] of a row.
func (w *row) keyID(e *entity) string { return e.keyID(w.pick(e.pk.attr, e.sk.attr)) }

// readRaw is the rowReader that decodes nothing.
func readRaw(r *codec.Reader) (row, error) {
	raw, err := r.Skip()
	return row{content: content{raw: raw}}, err
}

// errOtherEntity ends the decoding of an item of another entity.
var errOtherEntity = errors.New("the item is of another entity")

// checkType looks for the entity's name among the attributes that are no
// fields.
func (e *entity) checkType(name, raw []byte) error {
	if string(name) != e.schema.cfg.EntityType {
		return nil
	}
	const head, tail = `{"S":"`, `"}`
	own := e.def.Name
	if len(raw) == len(head)+len(own)+len(tail) && string(raw[:len(head)]) == head &&
		string(raw[len(head):len(head)+len(own)]) == own && string(raw[len(head)+len(own):]) == tail {
		return nil
	}
	r := codec.NewReader(raw)
	defer r.Release()
	av, err := r.Attribute()
	if s, ok := av.(*types.AttributeValueMemberS); ok && err == nil && s.Value != own {
		return errOtherEntity
	}
	return err
}
