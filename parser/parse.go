package parser

import (
	"cmp"
	"fmt"
	"reflect"
	"slices"
)

// Parse returns the definition of one struct, or of the struct a pointer
// points to. Its relations are read but not checked against their targets; see
// [ParseAll] and [Resolve]. Every fault is reported, each as a
// [*DefinitionError] under one joined error; the definition that comes with an
// error holds what could be read.
func Parse(t reflect.Type) (Entity, error) {
	d := parseStruct(t)
	return d.Entity, d.faults.err()
}

// ParseAll returns the definitions of several structs, in the order given,
// with their relations resolved across them. The faults of all of them are
// reported together.
func ParseAll(types ...reflect.Type) ([]Entity, error) {
	defs := make([]*definition, len(types))
	for i, t := range types {
		defs[i] = parseStruct(t)
	}
	resolve(defs)
	entities := make([]Entity, len(defs))
	for i, d := range defs {
		entities[i] = d.Entity
	}
	return entities, joinFaults(defs)
}

// Fields returns the stored fields of a nested struct, in declared order, by
// the rules Parse follows for them.
func Fields(t reflect.Type) ([]Field, error) {
	w, o := newWalker(t)
	if t = structOf(t); t == nil {
		w.faults.add(o, "", wrong("is not a struct"))
		return nil, w.faults.err()
	}
	w.within = []reflect.Type{t}
	fields, p := w.nested(t, o)
	w.faults.add(o, "", p)
	return fields, w.faults.err()
}

func newWalker(t reflect.Type) (*walker, origin) {
	if t != nil {
		t = deref(t)
	}
	return new(walker), origin{typ: typeName(t), at: nil}
}

// structOf returns the struct that t is or points to, nil for any other type.
func structOf(t reflect.Type) reflect.Type {
	if t == nil || deref(t).Kind() != reflect.Struct {
		return nil
	}
	return deref(t)
}

// definition is an entity with the places where its parts were written, in
// slices parallel to the entity's, and the faults found so far.
type definition struct {
	Entity

	faults faults

	// whole places what is said of the entity as such, entity its marker.
	whole, entity, key                  origin
	fields, indexes, uniques, relations []origin
}

// parseStruct reads a struct, and completes and checks what it says.
func parseStruct(t reflect.Type) *definition {
	w, o := newWalker(t)
	d := &definition{whole: o, entity: o, key: o}
	d.whole.at = last
	if t = structOf(t); t == nil {
		d.Name = o.typ
		d.faults.add(o, "", wrong("is not a struct"))
		return d
	}
	d.Reflect, d.GoType = t, goType(t)

	w.within = []reflect.Type{t}
	s := w.shape(t, origin{typ: o.typ})
	d.Fields = make([]Field, 0, len(s.fields))
	for _, f := range s.fields {
		d.Fields = append(d.Fields, f.field)
		d.fields = append(d.fields, f.origin)
	}
	for _, r := range s.relations {
		d.Relations = append(d.Relations, *r.relation)
		d.relations = append(d.relations, r.origin)
	}
	d.readMarkers(s.markers, func(m marker, key string, p *problem) { w.faults.add(m.origin, key, p) })
	d.faults.list = append(d.faults.list, w.faults.list...)
	d.Name = cmp.Or(d.Name, defaultEntityName(t))
	d.complete()
	d.check()
	return d
}

// goType is the type's name with its package's path.
func goType(t reflect.Type) string {
	if t.PkgPath() == "" || t.Name() == "" {
		return t.String()
	}
	return t.PkgPath() + "." + t.Name()
}

// definitionOf prepares a definition that comes as data. Where the Go type is
// known, the tags are looked up again, so that faults can quote them.
func definitionOf(e Entity) *definition {
	typ := e.Name
	if e.Reflect != nil {
		typ = typeName(e.Reflect)
	}
	o := origin{typ: typ}
	d := &definition{Entity: e, whole: o, entity: o, key: o}
	d.whole.at = last
	// Parts without a Go type stand in the order of the entity's members.
	place := func(section, i int, name string, path []int) origin {
		p := origin{typ: typ, name: name, at: []int{section, i}}
		if e.Reflect != nil && path != nil {
			p.at = path
			p.tags, _ = readTags(e.Reflect.FieldByIndex(path).Tag)
		}
		return p
	}
	for i := range e.Indexes {
		d.indexes = append(d.indexes, place(0, i, fmt.Sprintf("indexes[%d]", i), nil))
	}
	for i := range e.Uniques {
		d.uniques = append(d.uniques, place(1, i, fmt.Sprintf("uniques[%d]", i), nil))
	}
	for i, f := range e.Fields {
		d.fields = append(d.fields, place(2, i, cmp.Or(f.Name, fmt.Sprintf("fields[%d]", i)), f.Path))
	}
	for i, r := range e.Relations {
		d.relations = append(d.relations, place(3, i, cmp.Or(r.Name, fmt.Sprintf("relations[%d]", i)), r.Path))
	}
	return d
}

// joinFaults joins the faults of several definitions, in their order.
func joinFaults(defs []*definition) error {
	var all faults
	for i, d := range defs {
		for _, p := range d.faults.list {
			p.at = slices.Concat([]int{i}, p.at)
			all.list = append(all.list, p)
		}
	}
	return all.err()
}
