package engine

import (
	"slices"
	"strings"

	"github.com/dynorm/dynorm/internal/engine/value"
	"github.com/dynorm/dynorm/internal/engine/wire"
)

// keyAttr is an attribute of a key and its type.
type keyAttr struct {
	name string
	kind value.Kind
}

// maxKeyAttrs is how many partition and how many sort attributes a key can have.
const maxKeyAttrs = 4

// keySchema is the key of a table or index: one partition attribute and at
// most one sort attribute for tables, up to four of each for GSIs.
type keySchema struct {
	partition, sort []keyAttr
	all             []keyAttr // both, in this order
}

func (k keySchema) has(name string) bool {
	for i := range k.all {
		if k.all[i].name == name {
			return true
		}
	}
	return false
}

// projection says which attributes an index holds.
type projection struct {
	kind    string // ALL, KEYS_ONLY, INCLUDE
	include []string
}

// capacity is a provisioned throughput.
type capacity struct {
	read, write int64
}

// indexDef is the definition of a secondary index.
type indexDef struct {
	name       string
	keys       keySchema
	projection projection
	capacity   capacity
	global     bool
	onDemand   [2]wire.Int // read and write limits
	warm       capacity    // the most that it was told to serve, a second
}

// holds returns whether the index has the named attribute of every item.
func (d *indexDef) holds(name string, table keySchema) bool {
	return d.projection.kind == "ALL" || d.keys.has(name) || table.has(name) ||
		slices.Contains(d.projection.include, name)
}

// project returns what the index holds of item.
func (d *indexDef) project(item value.Item, table keySchema) value.Item {
	if d.projection.kind == "ALL" {
		return item
	}
	return item.Filter(func(name string) bool { return d.holds(name, table) })
}

// attrDef is an entry of AttributeDefinitions.
type attrDef struct {
	name string
	kind value.Kind
}

// keyElement is an entry of a KeySchema as it came in.
type keyElement struct {
	name, role wire.Text
}

// indexInput is an index of CreateTable or UpdateTable as it came in.
type indexInput struct {
	name       wire.Text
	keys       []keyElement
	keysSet    bool
	projection projectionInput
	throughput throughputInput
	onDemand   [2]wire.Int
	warm       warmInput
}

type projectionInput struct {
	set        bool
	kind       wire.Text
	include    []wire.Text
	includeSet bool
}

type throughputInput struct {
	set         bool
	read, write wire.Int
}

func readKeys(r *wire.Reader) (keys []keyElement, set bool) {
	set = r.List(func() {
		var k keyElement
		r.Struct("KeySchemaElement", func(name string) {
			switch name {
			case "AttributeName":
				k.name = r.Text()
			case "KeyType":
				k.role = r.Text()
			default:
				r.Skip()
			}
		})
		keys = append(keys, k)
	})
	return keys, set
}

func readThroughput(r *wire.Reader) (t throughputInput) {
	t.set = r.Struct("ProvisionedThroughput", func(name string) {
		switch name {
		case "ReadCapacityUnits":
			t.read = r.Int("Long")
		case "WriteCapacityUnits":
			t.write = r.Int("Long")
		default:
			r.Skip()
		}
	})
	return t
}

func readOnDemand(r *wire.Reader) (limits [2]wire.Int) {
	r.Struct("OnDemandThroughput", func(name string) {
		switch name {
		case "MaxReadRequestUnits":
			limits[0] = r.Int("Long")
		case "MaxWriteRequestUnits":
			limits[1] = r.Int("Long")
		default:
			r.Skip()
		}
	})
	return limits
}

func readIndex(r *wire.Reader, class string) (in indexInput, set bool) {
	set = r.Struct(class, func(name string) {
		switch name {
		case "IndexName":
			in.name = r.Text()
		case "KeySchema":
			in.keys, in.keysSet = readKeys(r)
		case "Projection":
			in.projection.set = r.Struct("Projection", func(name string) {
				switch name {
				case "ProjectionType":
					in.projection.kind = r.Text()
				case "NonKeyAttributes":
					in.projection.include, in.projection.includeSet = r.Texts()
				default:
					r.Skip()
				}
			})
		case "ProvisionedThroughput":
			in.throughput = readThroughput(r)
		case "OnDemandThroughput":
			in.onDemand = readOnDemand(r)
		case "WarmThroughput":
			in.warm = readWarm(r)
		default:
			r.Skip()
		}
	})
	return in, set
}

// attrInput is an entry of AttributeDefinitions as it came in.
type attrInput struct {
	name, kind wire.Text
}

func readAttrs(r *wire.Reader) (attrs []attrInput, set bool) {
	set = r.List(func() {
		var a attrInput
		r.Struct("AttributeDefinition", func(name string) {
			switch name {
			case "AttributeName":
				a.name = r.Text()
			case "AttributeType":
				a.kind = r.Text()
			default:
				r.Skip()
			}
		})
		attrs = append(attrs, a)
	})
	return attrs, set
}

func (s *shape) keys(keys []keyElement, set bool, path string, limit int) {
	s.required(set, path)
	if set {
		s.count(len(keys), 1, limit, func() string {
			shown := make([]string, len(keys))
			for i, k := range keys {
				shown[i] = "KeySchemaElement(attributeName=" + k.name.Or("null") + ", keyType=" + k.role.Or("null") + ")"
			}
			return "[" + strings.Join(shown, ", ") + "]"
		}, path)
	}
	for i, k := range keys {
		at := member(path, i)
		s.required(k.name.Set, at+".attributeName")
		s.length(k.name, at+".attributeName", 1, 255)
		s.required(k.role.Set, at+".keyType")
		s.enum(k.role, at+".keyType", "HASH", "RANGE")
	}
}

func (s *shape) throughput(t throughputInput, path string) {
	if !t.set {
		return
	}
	s.required(t.write.Set, path+".writeCapacityUnits")
	s.atLeast(t.write, path+".writeCapacityUnits", 1)
	s.required(t.read.Set, path+".readCapacityUnits")
	s.atLeast(t.read, path+".readCapacityUnits", 1)
}

func (s *shape) indexInput(in indexInput, path string, limit int) {
	s.keys(in.keys, in.keysSet, path+".keySchema", limit)
	s.required(in.projection.set, path+".projection")
	s.enum(in.projection.kind, path+".projection.projectionType", "ALL", "INCLUDE", "KEYS_ONLY")
	if in.projection.includeSet {
		s.count(len(in.projection.include), 1, 20, shownAs("[]"), path+".projection.nonKeyAttributes")
	}
	s.required(in.name.Set, path+".indexName")
	s.index(in.name, path+".indexName")
	s.throughput(in.throughput, path+".provisionedThroughput")
}

func (s *shape) attrs(attrs []attrInput, path string) {
	for i, a := range attrs {
		at := member(path, i)
		s.required(a.name.Set, at+".attributeName")
		s.length(a.name, at+".attributeName", 1, 255)
		s.required(a.kind.Set, at+".attributeType")
		s.enum(a.kind, at+".attributeType", "B", "N", "S")
	}
}

// resolveKeys turns the elements of a KeySchema into a key, or reports what is
// wrong with it. multi allows several attributes of each role.
func resolveKeys(elements []keyElement, attrs []attrDef, multi, index bool) (keySchema, error) {
	names := make([]string, len(elements))
	for i, e := range elements {
		names[i] = e.name.V
	}
	if len(attrs) == 0 && !index {
		return keySchema{}, invalid("Invalid KeySchema: Some index key attribute have no definition")
	}
	kinds := make([]value.Kind, len(names))
	for i, name := range names {
		at := slices.IndexFunc(attrs, func(a attrDef) bool { return a.name == name })
		if at < 0 {
			if len(names) == 2 && !index {
				return keySchema{}, invalid("Invalid KeySchema: Some index key attribute have no definition")
			}
			return keySchema{}, parameter("Some index key attributes are not defined in AttributeDefinitions. Keys: [%s], AttributeDefinitions: [%s]",
				strings.Join(names, ", "), strings.Join(definedNames(attrs), ", "))
		}
		kinds[i] = attrs[at].kind
	}
	for i, name := range names {
		if slices.Contains(names[:i], name) {
			if len(names) == 2 && len(attrs) == 1 && !index {
				return keySchema{}, invalid("Invalid KeySchema: Some index key attribute have no definition")
			}
			if multi {
				return keySchema{}, invalid("The KeySchema contains multiple key attributes with the same name")
			}
			return keySchema{}, invalid("Both the Hash Key and the Range Key element in the KeySchema have the same name")
		}
	}
	if elements[0].role.V != "HASH" {
		return keySchema{}, invalid("Invalid KeySchema: The first KeySchemaElement is not a HASH key type")
	}
	var k keySchema
	for i, e := range elements {
		attr := keyAttr{e.name.V, kinds[i]}
		switch {
		case e.role.V == "RANGE":
			k.sort = append(k.sort, attr)
		case len(k.sort) > 0 && multi:
			return keySchema{}, parameter("All HASH key attributes must precede RANGE key attributes in the KeySchema")
		case len(k.sort) > 0 || (i > 0 && !multi):
			return keySchema{}, invalid("Invalid KeySchema: The second KeySchemaElement is not a RANGE key type")
		default:
			k.partition = append(k.partition, attr)
		}
	}
	for _, part := range []struct {
		attrs []keyAttr
		role  string
	}{{k.partition, "HASH"}, {k.sort, "RANGE"}} {
		if len(part.attrs) > maxKeyAttrs {
			return keySchema{}, parameter("The KeySchema exceeds the maximum allowed number of %s key attributes", part.role)
		}
	}
	k.all = slices.Concat(k.partition, k.sort)
	return k, nil
}

// resolveIndex turns an index as it came in into its definition.
func resolveIndex(in indexInput, table keySchema, attrs []attrDef, global bool) (indexDef, error) {
	d := indexDef{name: in.name.V, global: global, onDemand: in.onDemand}
	var err error
	if d.keys, err = resolveKeys(in.keys, attrs, global, true); err != nil {
		return d, err
	}
	if !global {
		if len(d.keys.sort) == 0 {
			return d, parameter("Index KeySchema does not have a range key for index: %s", d.name)
		}
		if d.keys.partition[0].name != table.partition[0].name {
			return d, parameter("Index KeySchema does not have the same leading hash key as table KeySchema for index: %s. index hash key: %s, table hash key: %s",
				d.name, d.keys.partition[0].name, table.partition[0].name)
		}
	}
	if !in.projection.kind.Set {
		return d, parameter("Unknown ProjectionType: null")
	}
	d.projection.kind = in.projection.kind.V
	switch {
	case d.projection.kind != "INCLUDE" && in.projection.includeSet:
		return d, parameter("ProjectionType is %s, but NonKeyAttributes is specified", d.projection.kind)
	case d.projection.kind == "INCLUDE" && !in.projection.includeSet:
		return d, parameter("ProjectionType is INCLUDE, but NonKeyAttributes is not specified")
	}
	for _, name := range in.projection.include {
		if slices.Contains(d.projection.include, name.V) {
			return d, parameter("Duplicate element in NonKeyAttributes: %s", name.V)
		}
		d.projection.include = append(d.projection.include, name.V)
	}
	d.capacity = capacity{in.throughput.read.V, in.throughput.write.V}
	return d, nil
}

func describeKeys(o *wire.Object, k keySchema) {
	attrs := k.all
	o.List("KeySchema", len(attrs), func(dst []byte, i int) []byte {
		e := wire.Begin(dst)
		e.Text("AttributeName", attrs[i].name)
		if i < len(k.partition) {
			e.Text("KeyType", "HASH")
		} else {
			e.Text("KeyType", "RANGE")
		}
		return e.End()
	})
}

func (d *indexDef) describeProjection(o *wire.Object) {
	o.Object("Projection", func(o *wire.Object) {
		o.Text("ProjectionType", d.projection.kind)
		if include := slices.Sorted(slices.Values(d.projection.include)); len(include) > 0 {
			o.List("NonKeyAttributes", len(include), func(dst []byte, i int) []byte { return wire.AppendString(dst, include[i]) })
		}
	})
}
