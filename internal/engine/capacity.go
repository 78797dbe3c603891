package engine

import (
	"slices"

	"github.com/dynorm/dynorm/internal/engine/wire"
)

// Units are counted in halves, so that sums are exact.
type halves int

func (h halves) float() float64 { return float64(h) / 2 }

// readUnits returns the units of reading size bytes at once.
func readUnits(size int, consistent bool) halves {
	n := halves(max(1, (size+4095)/4096))
	if consistent {
		n *= 2
	}
	return n
}

// writeUnits returns the units of writing an item of size bytes.
func writeUnits(size int) halves { return halves(max(1, (size+1023)/1024)) * 2 }

// usage is what one table's share of a request consumed.
type usage struct {
	table   string
	own     halves
	indexes []indexUsage
}

type indexUsage struct {
	name   string
	global bool
	units  halves
}

func (u *usage) total() halves {
	sum := u.own
	for _, x := range u.indexes {
		sum += x.units
	}
	return sum
}

func (u *usage) addIndex(x *index, units halves) {
	if units == 0 {
		return
	}
	i := slices.IndexFunc(u.indexes, func(y indexUsage) bool { return y.name == x.name })
	if i < 0 {
		u.indexes = append(u.indexes, indexUsage{x.name, x.global, units})
		return
	}
	u.indexes[i].units += units
}

// add counts the other share of the same table too.
func (u *usage) add(other *usage) {
	u.own += other.own
	for _, x := range other.indexes {
		u.addIndex(&index{indexDef: indexDef{name: x.name, global: x.global}}, x.units)
	}
}

// scale multiplies all figures, as transactions do by two.
func (u *usage) scale(by halves) {
	u.own *= by
	for i := range u.indexes {
		u.indexes[i].units *= by
	}
}

// addWrite counts the step of a table from old to new, indexes included.
func (u *usage) addWrite(t *table, old, new *record) {
	size := 0
	if old != nil {
		size = old.size
	}
	if new != nil {
		size = max(size, new.size)
	}
	u.own += writeUnits(size)
	if old == new {
		return
	}
	for _, x := range t.indexes {
		u.addIndex(x, x.writeUnits(t, old, new))
	}
}

// writeUnits returns what the index's own step from old to new takes: one write
// to insert or delete an entry or change what it holds, two to move it, none
// when it stays as it is.
func (x *index) writeUnits(t *table, old, new *record) halves {
	oldKey, newKey := "", ""
	var was, is *record
	if old != nil {
		if key, ok := x.entry(old); ok {
			oldKey, was = key, x.held(old, t.keys)
		}
	}
	if new != nil {
		if key, ok := x.entry(new); ok {
			newKey, is = key, x.held(new, t.keys)
		}
	}
	switch {
	case was == nil && is == nil:
		return 0
	case was == nil:
		return writeUnits(is.size)
	case is == nil:
		return writeUnits(was.size)
	case oldKey != newKey:
		return writeUnits(was.size) + writeUnits(is.size)
	case was.json == is.json:
		return 0
	}
	return writeUnits(max(was.size, is.size))
}

// report is how much of the consumption the request wants to see.
type report int

const (
	reportNone report = iota
	reportTotal
	reportIndexes
)

func reportOf(t wire.Text) report {
	switch t.V {
	case "TOTAL":
		return reportTotal
	case "INDEXES":
		return reportIndexes
	}
	return reportNone
}

// unitKind says which further figure transactions show.
type unitKind string

const (
	plainUnits unitKind = ""
	readOnly   unitKind = "ReadCapacityUnits"
	writeOnly  unitKind = "WriteCapacityUnits"
)

// append writes the ConsumedCapacity object.
func (u *usage) append(dst []byte, want report, kind unitKind) []byte {
	o := wire.Begin(dst)
	o.Text("TableName", u.table)
	units := func(o *wire.Object, h halves) {
		o.Float("CapacityUnits", h.float())
		if kind != plainUnits {
			o.Float(string(kind), h.float())
		}
	}
	units(&o, u.total())
	if want == reportIndexes {
		o.Object("Table", func(o *wire.Object) { units(o, u.own) })
		for _, global := range []bool{false, true} {
			name := "LocalSecondaryIndexes"
			if global {
				name = "GlobalSecondaryIndexes"
			}
			if !slices.ContainsFunc(u.indexes, func(x indexUsage) bool { return x.global == global }) {
				continue
			}
			o.Object(name, func(o *wire.Object) {
				for _, x := range u.indexes {
					if x.global == global {
						o.Object(x.name, func(o *wire.Object) { units(o, x.units) })
					}
				}
			})
		}
	}
	return o.End()
}

// usages are the shares of several tables in a batch or transaction.
type usages []*usage

// of returns the table's share.
func (us *usages) of(name string) *usage {
	for _, u := range *us {
		if u.table == name {
			return u
		}
	}
	u := &usage{table: name}
	*us = append(*us, u)
	return u
}

// write adds the ConsumedCapacity list, if wanted.
func (us usages) write(o *wire.Object, want report, kind unitKind) {
	if want == reportNone {
		return
	}
	o.List("ConsumedCapacity", len(us), func(dst []byte, i int) []byte { return us[i].append(dst, want, kind) })
}

// appendCollection writes the ItemCollectionMetrics object of the collection
// that r, an item of t, is in. Tables without LSIs have none.
func (t *table) appendCollection(dst []byte, r *record) []byte {
	o := wire.Begin(dst)
	o.Key("ItemCollectionKey")
	a := t.keys.partition[0]
	o.Buf = append(o.Buf, '{')
	o.Buf = wire.AppendString(o.Buf, a.name)
	o.Buf = append(o.Buf, ':')
	o.Buf = wire.AppendValue(o.Buf, r.item.Value(a.name))
	o.Buf = append(o.Buf, '}')
	low := t.collectionGB(r)
	o.List("SizeEstimateRangeGB", 2, func(dst []byte, i int) []byte { return wire.AppendFloat(dst, low+float64(i)) })
	return o.End()
}

// collectionGB returns the size of r's item collection in gigabytes, rounded
// down: that of the items of its partition and of their LSI entries.
func (t *table) collectionGB(r *record) float64 {
	if t.bytes < 1<<28 { // A collection is no larger than its table; there are at most five LSIs.
		return 0
	}
	prefix, _ := keySchema{partition: t.keys.partition}.appendKey(nil, r.item)
	size := 0
	end := after(string(prefix))
	t.items.Ascend(string(prefix), func(key string, r *record) bool {
		if key >= end {
			return false
		}
		size += r.size
		for _, x := range t.indexes {
			if !x.global {
				if _, ok := x.entry(r); ok {
					size += x.held(r, t.keys).size
				}
			}
		}
		return true
	})
	return float64(size >> 30)
}

func (t *table) hasLSI() bool {
	return slices.ContainsFunc(t.indexes, func(x *index) bool { return !x.global })
}
