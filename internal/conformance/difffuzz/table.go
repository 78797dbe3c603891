package difffuzz

import (
	"fmt"
	"math/rand/v2"
	"slices"
)

// attr is a key attribute and its type: S, N or B.
type attr struct{ name, typ string }

// index is a secondary index of a generated table.
type index struct {
	name       string
	hash, sort []attr
	projection string
	nonKey     []string
	local      bool
}

// table is a generated table, with the keys that requests have named so far,
// so that later requests meet the same items.
type table struct {
	name    string
	hash    attr
	sort    *attr
	indexes []*index
	keys    []object
	// stream is the view type of its stream, if it has one; apart is true when
	// the engines' streams are known to differ, since one took a write that the
	// other did not.
	stream string
	apart  bool
}

// object is a JSON object.
type object = map[string]any

// indexAttrs are the attributes that index keys are made of; what an item
// holds under these names has mostly this type.
var indexAttrs = []attr{{"g1", "S"}, {"g2", "N"}, {"g3", "B"}, {"g4", "S"}, {"l1", "N"}, {"l2", "S"}}

func newTable(r *rand.Rand, name string) *table {
	t := &table{name: name, hash: attr{"pk", pick(r, "S", "S", "S", "N", "B")}}
	if chance(r, 70) {
		t.sort = &attr{"sk", pick(r, "S", "S", "N", "N", "B")}
	}
	if t.sort != nil && chance(r, 40) {
		for i := range 1 + r.IntN(2) {
			t.indexes = append(t.indexes, &index{
				name: fmt.Sprintf("lsi%d", i), local: true,
				hash: []attr{t.hash}, sort: []attr{pickAttr(r, indexAttrs[4:])},
			})
		}
	}
	if chance(r, 60) {
		for i := range 1 + r.IntN(3) {
			t.indexes = append(t.indexes, newGlobalIndex(r, t, fmt.Sprintf("gsi%d", i)))
		}
	}
	for _, x := range t.indexes {
		x.project(r)
	}
	if chance(r, 40) {
		t.stream = pick(r, "NEW_AND_OLD_IMAGES", "NEW_AND_OLD_IMAGES", "NEW_IMAGE", "OLD_IMAGE", "KEYS_ONLY")
	}
	return t
}

func newGlobalIndex(r *rand.Rand, t *table, name string) *index {
	x := &index{name: name}
	pool := slices.Clone(indexAttrs)
	if t.sort != nil && chance(r, 30) {
		pool = append(pool, *t.sort)
	}
	if chance(r, 20) {
		pool = append(pool, t.hash)
	}
	r.Shuffle(len(pool), func(i, j int) { pool[i], pool[j] = pool[j], pool[i] })
	nh, ns := 1, r.IntN(2)
	if chance(r, 25) {
		nh, ns = 1+r.IntN(3), r.IntN(3)
	}
	x.hash, x.sort = pool[:nh:nh], pool[nh:nh+ns:nh+ns]
	x.project(r)
	return x
}

func (x *index) project(r *rand.Rand) {
	x.projection, x.nonKey = pick(r, "ALL", "ALL", "KEYS_ONLY", "INCLUDE"), nil
	if x.projection == "INCLUDE" {
		x.nonKey = []string{"a", "n"}
		if chance(r, 50) {
			x.nonKey = []string{"m"}
		}
	}
}

// create returns the CreateTable request.
func (t *table) create(r *rand.Rand) object {
	req := object{"TableName": t.name, "KeySchema": keySchema([]attr{t.hash}, t.sortAttrs())}
	provisioned := chance(r, 20)
	if provisioned {
		req["ProvisionedThroughput"] = throughput(r)
	} else {
		req["BillingMode"] = "PAY_PER_REQUEST"
	}
	for _, x := range t.indexes {
		def := x.definition()
		list := "GlobalSecondaryIndexes"
		if x.local {
			list = "LocalSecondaryIndexes"
		} else if provisioned {
			def["ProvisionedThroughput"] = throughput(r)
		}
		l, _ := req[list].([]any)
		req[list] = append(l, def)
	}
	req["AttributeDefinitions"] = t.definitions()
	if t.stream != "" {
		req["StreamSpecification"] = object{"StreamEnabled": true, "StreamViewType": t.stream}
	}
	return req
}

func (x *index) definition() object {
	p := object{"ProjectionType": x.projection}
	if x.nonKey != nil {
		p["NonKeyAttributes"] = anys(x.nonKey)
	}
	return object{"IndexName": x.name, "KeySchema": keySchema(x.hash, x.sort), "Projection": p}
}

func (t *table) sortAttrs() []attr {
	if t.sort == nil {
		return nil
	}
	return []attr{*t.sort}
}

func (t *table) keyAttrs() []attr { return append([]attr{t.hash}, t.sortAttrs()...) }

// definitions lists every key attribute once.
func (t *table) definitions() []any {
	seen := map[string]bool{}
	var defs []any
	add := func(as []attr) {
		for _, a := range as {
			if !seen[a.name] {
				seen[a.name] = true
				defs = append(defs, object{"AttributeName": a.name, "AttributeType": a.typ})
			}
		}
	}
	add(t.keyAttrs())
	for _, x := range t.indexes {
		add(x.hash)
		add(x.sort)
	}
	return defs
}

func keySchema(hash, sort []attr) []any {
	var ks []any
	for _, a := range hash {
		ks = append(ks, object{"AttributeName": a.name, "KeyType": "HASH"})
	}
	for _, a := range sort {
		ks = append(ks, object{"AttributeName": a.name, "KeyType": "RANGE"})
	}
	return ks
}

func throughput(r *rand.Rand) object {
	return object{"ReadCapacityUnits": 1 + r.IntN(9), "WriteCapacityUnits": 1 + r.IntN(9)}
}

// chance is true in p cases of a hundred.
func chance(r *rand.Rand, p int) bool { return r.IntN(100) < p }

func pick[T any](r *rand.Rand, from ...T) T { return from[r.IntN(len(from))] }

func pickAttr(r *rand.Rand, from []attr) attr { return from[r.IntN(len(from))] }

func anys[T any](in []T) []any {
	out := make([]any, len(in))
	for i, v := range in {
		out[i] = v
	}
	return out
}
