package engine

import (
	"github.com/dynorm/dynorm/internal/engine/value"
)

// keyValues are the values of a schema's attributes in an item, in their order:
// of one that is missing the zero Value.
type keyValues [8]value.Value

// values looks the key attributes up in item.
func (k keySchema) values(item value.Item) (values keyValues) {
	for i := range k.all {
		values[i] = item.Value(k.all[i].name)
	}
	return values
}

// place returns the tree key of the item whose key, and nothing else, is key.
func (k keySchema) place(key value.Item) (string, error) {
	if key.Len() != len(k.all) {
		return "", errKeySchema
	}
	values := k.values(key)
	for i, a := range k.all {
		if values[i].Kind() != a.kind {
			return "", errKeySchema
		}
	}
	if err := k.checkValues(&values); err != nil {
		return "", err
	}
	var buf [128]byte
	place, _ := k.appendKey(buf[:0], key)
	return string(place), nil
}

// checkItem reports what keeps item from being put in the table.
func (k keySchema) checkItem(item value.Item, indexes []*index) error {
	values := k.values(item)
	for i, a := range k.all {
		switch v := values[i]; v.Kind() {
		case a.kind:
		case value.Invalid:
			return parameter("Missing the key %s in the item", a.name)
		default:
			return parameter("Type mismatch for key %s expected: %s actual: %s", a.name, a.kind, v.Kind())
		}
	}
	if err := k.checkValues(&values); err != nil {
		return err
	}
	return checkIndexKeys(item, indexes, false)
}

// checkValues reports key attributes that are empty or too long.
func (k keySchema) checkValues(values *keyValues) error {
	for i, a := range k.all {
		if a.kind != value.N && values[i].Len() == 0 {
			return emptyValue(a)
		}
	}
	return k.checkSizes(values)
}

// checkSizes reports key attributes that are too long.
func (k keySchema) checkSizes(values *keyValues) error {
	for i, a := range k.all {
		switch n := values[i].Len(); {
		case a.kind == value.N:
		case i < len(k.partition):
			if n > value.MaxPartitionKeySize {
				return parameter("Size of hashkey has exceeded the maximum size limit of%d bytes", value.MaxPartitionKeySize)
			}
		case n > value.MaxSortKeySize:
			return parameter("Aggregated size of all range keys has exceeded the size limit of %d bytes", value.MaxSortKeySize)
		}
	}
	return nil
}

func emptyValue(a keyAttr) *Fault {
	return invalid("One or more parameter values are not valid. The AttributeValue for a key attribute cannot contain an empty %s value. Key: %s", emptyKind(a.kind), a.name)
}

func emptyIndexValue(a keyAttr, index string) *Fault {
	return invalid("One or more parameter values are not valid. A value specified for a secondary index key is not supported. "+
		"The AttributeValue for a key attribute cannot contain an empty %s value. IndexName: %s, IndexKey: %s", emptyKind(a.kind), index, a.name)
}

func emptyKind(k value.Kind) string {
	if k == value.B {
		return "binary"
	}
	return "string"
}

// checkIndexKeys reports attributes that an index has as a key and that are
// present but can't be one. updated says that an update made them so.
func checkIndexKeys(item value.Item, indexes []*index, updated bool) error {
	for _, x := range indexes {
		values := x.keys.values(item)
		for i, a := range x.keys.all {
			v := values[i]
			switch {
			case v.Kind() == value.Invalid: // the item is not in the index
			case updated && (v.Kind() == value.S || v.Kind() == value.B) && v.Len() == 0:
				return invalid("One or more parameter values are not valid. The update expression attempted to update a secondary index key to a value that is not supported. "+
					"The AttributeValue for a key attribute cannot contain an empty %s value.", emptyKind(v.Kind()))
			case v.Kind() != a.kind && updated:
				return invalid("The update expression attempted to update the secondary index key to unsupported type")
			case v.Kind() != a.kind:
				return parameter("Type mismatch for Index Key %s Expected: %s Actual: %s IndexName: %s", a.name, a.kind, v.Kind(), x.name)
			case a.kind != value.N && v.Len() == 0:
				return emptyIndexValue(a, x.name)
			}
		}
		if err := x.keys.checkSizes(&values); err != nil {
			return err
		}
	}
	return nil
}

// after returns the smallest string above all that begin with prefix.
func after(prefix string) string {
	b := []byte(prefix)
	for i := len(b) - 1; i >= 0; i-- {
		if b[i] < 0xFF {
			b[i]++
			return string(b[:i+1])
		}
	}
	return "\xff\xff\xff\xff\xff\xff\xff\xff\xff" // longer than any hash of nothing but 0xFF
}
