package engine

import (
	"slices"

	"github.com/dynorm/dynorm/internal/engine/value"
	"github.com/dynorm/dynorm/internal/engine/wire"
)

// override is what a replica has otherwise than the table it is one of: what
// is set.
type override struct {
	reads, maxReads wire.Int
	class, key      wire.Text
	indexes         []indexOverride
}

// indexOverride is what a replica's index has otherwise.
type indexOverride struct {
	name            wire.Text
	reads, maxReads wire.Int
}

// field reads the named member if it is one of these.
func (v *override) field(r *wire.Reader, name string) {
	switch name {
	case "ProvisionedThroughputOverride":
		v.reads = readOverride(r, name, "ReadCapacityUnits")
	case "OnDemandThroughputOverride":
		v.maxReads = readOverride(r, name, "MaxReadRequestUnits")
	case "TableClassOverride":
		v.class = r.Text()
	case "KMSMasterKeyId":
		v.key = r.Text()
	case "GlobalSecondaryIndexes":
		r.List(func() {
			var x indexOverride
			r.Struct("ReplicaGlobalSecondaryIndex", func(name string) {
				switch name {
				case "IndexName":
					x.name = r.Text()
				case "ProvisionedThroughputOverride":
					x.reads = readOverride(r, name, "ReadCapacityUnits")
				case "OnDemandThroughputOverride":
					x.maxReads = readOverride(r, name, "MaxReadRequestUnits")
				default:
					r.Skip()
				}
			})
			v.indexes = append(v.indexes, x)
		})
	default:
		r.Skip()
	}
}

// readOverride reads a structure with one number.
func readOverride(r *wire.Reader, class, member string) (units wire.Int) {
	r.Struct(class, func(name string) {
		if name == member {
			units = r.Int("Long")
			return
		}
		r.Skip()
	})
	return units
}

// override notes what is wrong with an override by itself.
func (s *shape) override(v override, path string) {
	s.atLeast(v.reads, path+".provisionedThroughputOverride.readCapacityUnits", 1)
	s.enum(v.class, path+".tableClassOverride", "STANDARD", "STANDARD_INFREQUENT_ACCESS")
	for i, x := range v.indexes {
		at := member(path+".globalSecondaryIndexes", i)
		s.required(x.name.Set, at+".indexName")
		s.index(x.name, at+".indexName")
		s.atLeast(x.reads, at+".provisionedThroughputOverride.readCapacityUnits", 1)
	}
}

// with returns v with what next sets in its place.
func (v override) with(next override) override {
	v.reads, v.maxReads = either(next.reads, v.reads), either(next.maxReads, v.maxReads)
	if next.class.Set {
		v.class = next.class
	}
	if next.key.Set {
		v.key = next.key
	}
	v.indexes = slices.Clone(v.indexes)
	for _, x := range next.indexes {
		at := slices.IndexFunc(v.indexes, func(y indexOverride) bool { return y.name == x.name })
		if at < 0 {
			v.indexes = append(v.indexes, x)
			continue
		}
		y := &v.indexes[at]
		y.reads, y.maxReads = either(x.reads, y.reads), either(x.maxReads, y.maxReads)
	}
	return v
}

func either(a, b wire.Int) wire.Int {
	if a.Set {
		return a
	}
	return b
}

// checkFor reports what of an override does not go with the table.
func (v override) checkFor(t *table) error {
	if err := t.checkOverride(v.reads, v.maxReads); err != nil {
		return err
	}
	for _, x := range v.indexes {
		if found := t.index(x.name.V); found == nil || !found.global {
			return parameter("The index of a replica is not one of the table: %s", x.name.V)
		}
		if err := t.checkOverride(x.reads, x.maxReads); err != nil {
			return err
		}
	}
	return nil
}

func (t *table) checkOverride(reads, maxReads wire.Int) error {
	switch {
	case reads.Set && t.onDemand:
		return parameter("ProvisionedThroughputOverride cannot be specified when BillingMode is PAY_PER_REQUEST")
	case maxReads.Set && !t.onDemand:
		return parameter("OnDemandThroughputOverride can only be specified when BillingMode is PAY_PER_REQUEST")
	}
	return nil
}

// override makes a replica what it is to have otherwise.
func (t *table) override(v override) {
	if v.reads.Set && !t.onDemand {
		t.capacity.read = v.reads.V
	}
	if v.maxReads.Set {
		t.onDemandLimit[0] = v.maxReads
	}
	if v.class.Set {
		t.class = v.class.V
	}
	for _, x := range v.indexes {
		at := slices.IndexFunc(t.indexes, func(y *index) bool { return y.name == x.name.V })
		if at < 0 {
			continue
		}
		if y := t.indexes[at]; x.reads.Set && !t.onDemand {
			y.capacity.read = x.reads.V
		}
		if x.maxReads.Set {
			t.indexes[at].onDemand[0] = x.maxReads
		}
	}
}

// describe writes the override as part of a ReplicaDescription.
func (v override) describe(o *wire.Object) {
	if v.key.Set {
		o.Text("KMSMasterKeyId", v.key.V)
	}
	describeOverride(o, v.reads, v.maxReads)
	if len(v.indexes) > 0 {
		o.List("GlobalSecondaryIndexes", len(v.indexes), func(dst []byte, i int) []byte {
			x := v.indexes[i]
			o := wire.Begin(dst)
			o.Text("IndexName", x.name.V)
			describeOverride(&o, x.reads, x.maxReads)
			return o.End()
		})
	}
	if v.class.Set {
		o.Object("ReplicaTableClassSummary", func(o *wire.Object) { o.Text("TableClass", v.class.V) })
	}
}

func describeOverride(o *wire.Object, reads, maxReads wire.Int) {
	if reads.Set {
		o.Object("ProvisionedThroughputOverride", func(o *wire.Object) { o.Int("ReadCapacityUnits", reads.V) })
	}
	if maxReads.Set {
		o.Object("OnDemandThroughputOverride", func(o *wire.Object) { o.Int("MaxReadRequestUnits", maxReads.V) })
	}
}

// definition returns the override as it is stored.
func (v override) definition() value.Item {
	a := attrs{}
	a.number("reads", v.reads)
	a.number("maxReads", v.maxReads)
	a.text("class", v.class.V)
	a.text("key", v.key.V)
	a["indexes"] = listOf(v.indexes, func(x indexOverride) value.Value {
		a := attrs{}
		a.text("name", x.name.V)
		a.number("reads", x.reads)
		a.number("maxReads", x.maxReads)
		return value.Map(value.ItemOf(a))
	})
	return value.ItemOf(a)
}

// override reads the named override, which may be missing.
func (s *stored) override(name string) (v override) {
	m, _ := s.get(name, value.M)
	in := &stored{Item: m.Map()}
	v = override{reads: in.int("reads"), maxReads: in.int("maxReads"), class: in.maybe("class"), key: in.maybe("key")}
	for _, x := range in.items("indexes") {
		v.indexes = append(v.indexes, indexOverride{x.maybe("name"), x.int("reads"), x.int("maxReads")})
		in.take(x)
	}
	s.take(in)
	return v
}
