package parser

import (
	"cmp"
	"reflect"
	"slices"
	"strings"
)

// walker reads the fields of structs, nested ones included.
type walker struct {
	faults faults
	// within are the types being described, from the outermost inwards: where
	// one comes up again, the description stops.
	within []reflect.Type
}

// shape is what one struct declares, embedded structs included.
type shape struct {
	fields    []declared
	relations []declared
	markers   []marker
}

// declared is a field or a relation where it was declared.
type declared struct {
	origin
	// goName is the field's own name, path its reflect index path from the
	// outermost struct of the shape.
	goName string
	path   []int
	// owner numbers the struct it was declared in.
	owner int
	// attr is the name it competes for: the attribute's, or the field's for a
	// relation. named says that a tag gave it.
	attr  string
	named bool

	field    Field
	relation *Relation
}

// marker is a marker field where it was declared.
type marker struct {
	origin
	typ reflect.Type
	// depth is the number of embedded structs around it.
	depth int
}

// embedding is a struct whose fields are promoted into the shape's.
type embedding struct {
	t     reflect.Type
	path  []int
	names []string
	// hidden is the unexported pointer it is reached through, if any.
	hidden *origin
}

// shape reads the struct t by the rules of encoding/json: the fields of
// embedded structs are promoted, of several with one name the shallowest wins,
// among those one that is named by a tag, and two that are left are a fault.
func (w *walker) shape(t reflect.Type, o origin) shape {
	var s shape
	all := make([]declared, 0, t.NumField())
	seen := map[reflect.Type]bool{}
	owners := 0
	for level := []embedding{{t: t}}; len(level) > 0; {
		var next []embedding
		count := map[reflect.Type]int{}
		for _, e := range level {
			// A struct embedded twice at one depth is read twice, so that what
			// collides can be named.
			if count[e.t]++; seen[e.t] || count[e.t] > 2 {
				continue
			}
			owners++
			for i := range e.t.NumField() {
				sf := e.t.Field(i)
				at := origin{
					at:   slices.Concat(o.at, e.path, []int{i}),
					typ:  o.typ,
					name: joinPath(append(slices.Clip(e.names), sf.Name)...),
				}
				if o.name != "" {
					at.name = o.name + "." + at.name
				}
				d := declared{origin: at, goName: sf.Name, path: slices.Concat(e.path, []int{i}), owner: owners}
				switch inner, role := w.readField(&d, sf); role {
				case isMarker:
					s.markers = append(s.markers, marker{d.origin, sf.Type, len(e.path)})
				case isEmbedded:
					inner.path, inner.names = d.path, append(slices.Clip(e.names), sf.Name)
					inner.hidden = cmp.Or(inner.hidden, e.hidden)
					next = append(next, inner)
				case isStored:
					if e.hidden != nil {
						w.faults.add(*e.hidden, "", wrong("a nil pointer to an unexported struct can't be filled").
							but("embed the struct itself, or export it"))
						e.hidden = nil
					}
					all = append(all, d)
				}
			}
		}
		for _, e := range level {
			seen[e.t] = true
		}
		level = next
	}

	kept := w.dominant(all)
	s.fields = make([]declared, 0, len(kept))
	for _, d := range kept {
		d.field.Name = d.selector(t)
		d.field.Path = d.path
		if d.relation == nil {
			s.fields = append(s.fields, d)
			continue
		}
		d.relation.Name, d.relation.Path = d.field.Name, d.path
		s.relations = append(s.relations, d)
	}
	return s
}

// selector is the shortest selector that reaches the field from t.
func (d *declared) selector(t reflect.Type) string {
	if sf, ok := t.FieldByName(d.goName); ok && slices.Equal(sf.Index, d.path) {
		return d.goName
	}
	names := make([]string, len(d.path))
	for i := range d.path {
		names[i] = t.FieldByIndex(d.path[:i+1]).Name
	}
	return joinPath(names...)
}

func joinPath(names ...string) string { return strings.Join(names, ".") }

// role is what a struct field is to the parser.
type role int

const (
	isIgnored role = iota
	isMarker
	isEmbedded
	isStored
)

// readField decides what a struct field is and, when it is stored or a
// relation, reads its tags and its type into d.
func (w *walker) readField(d *declared, sf reflect.StructField) (embedding, role) {
	var problems []*problem
	d.tags, problems = readTags(sf.Tag)
	report := func(key string, p *problem) { w.faults.add(d.origin, key, p) }
	for _, p := range problems {
		report("", p)
	}
	if isMarkerType(sf.Type) {
		return embedding{}, isMarker
	}

	tag, tagged := d.tags[tagKey]
	if tag == "-" {
		return embedding{}, isIgnored
	}
	target := sf.Type
	if target.Kind() == reflect.Pointer {
		target = target.Elem()
	}
	_, related := d.tags[relKey]
	if sf.Anonymous && target.Kind() == reflect.Struct && !related && !w.isValue(target) {
		if name, options, _ := splitTag(tag); name == "" {
			avName, _, _ := strings.Cut(d.tags[avTagKey], ",")
			switch {
			case avName == "-" && !tagged:
				return embedding{}, isIgnored
			case len(options) > 0:
				report(tagKey, wrong("an embedded struct whose fields are promoted takes no options").
					but("name it to store it as one attribute"))
			}
			if avName == "" {
				e := embedding{t: target}
				if sf.Type.Kind() == reflect.Pointer && !sf.IsExported() {
					e.hidden = &d.origin
				}
				return e, isEmbedded
			}
		}
	}
	if !sf.IsExported() {
		switch {
		case sf.Name == "_" && (tagged || related):
			report(cmp.Or(tagIf(tagged, tagKey), relKey), wrong("a blank field is stored nowhere").
				but("a marker has the type dynorm.Entity, Key, Index or Unique"))
		case tagged || related:
			report(cmp.Or(tagIf(tagged, tagKey), relKey), wrong("an unexported field is stored nowhere").
				but("export it, or remove the tag"))
		case sf.Anonymous && d.tags[avTagKey] != "":
			report(avTagKey, wrong("an unexported field is stored nowhere").
				but("export it, or remove the tag"))
		}
		return embedding{}, isIgnored
	}
	for _, key := range []string{pkKey, skKey, whenKey} {
		if _, ok := d.tags[key]; ok {
			report(key, wrong("the tag %q belongs to a marker", key).
				but("write it on a field `_ dynorm.Key` or `_ dynorm.Index`"))
		}
	}
	if related {
		d.attr = sf.Name
		d.relation = parseRelation(sf.Type, d.tags, report)
		return embedding{}, isStored
	}
	return embedding{}, w.readStored(d, sf, report)
}

// tagIf is the key when there is such a tag.
func tagIf(there bool, key string) string {
	if there {
		return key
	}
	return ""
}

// readStored reads a stored field's tags, then its type.
func (w *walker) readStored(d *declared, sf reflect.StructField, report func(string, *problem)) role {
	f := &d.field
	f.Name = sf.Name
	name, ignored := parseFieldTag(f, d.tags, report)
	if ignored {
		return isIgnored
	}
	d.attr, d.named = cmp.Or(name, AttrName(sf.Name)), name != ""
	if d.named {
		f.Attr = name
	}

	var p *problem
	switch {
	case f.JSON:
		// What is inside is for encoding/json to judge.
		f.Type, p = shallow(sf.Type)
		switch f.Type.Reflect.Kind() {
		case reflect.Chan, reflect.Func, reflect.Complex64, reflect.Complex128, reflect.UnsafePointer, reflect.Uintptr, reflect.Interface:
		default:
			if p != nil {
				f.Type.Kind, p = Any, nil
			}
		}
	default:
		f.Type, p = w.describe(sf.Type, d.origin)
		if isUnixTime(f.Type.Reflect) {
			f.Type.Kind, f.UnixTime = Time, true
		}
	}
	report(d.ownKey(), p)
	applyForeign(f, d.tags, func(p *problem) { report(avTagKey, p) })
	return isStored
}

// ownKey is the key of the tag that a problem of the whole field is shown
// with.
func (o origin) ownKey() string {
	for _, key := range []string{tagKey, avTagKey} {
		if _, ok := o.tags[key]; ok {
			return key
		}
	}
	return ""
}

// isValue says that a struct is stored as one value rather than by its fields,
// so that embedding it promotes nothing.
func (w *walker) isValue(t reflect.Type) bool {
	k, p := kindOf(t)
	return p == nil && k != Struct
}

// dominant keeps, of the fields that compete for one name, the one that the
// rules of promotion choose, in declared order.
func (w *walker) dominant(all []declared) []declared {
	type name struct {
		relation bool
		attr     string
	}
	rivals := map[name][]int{}
	for i, d := range all {
		n := name{d.relation != nil, d.attr}
		rivals[n] = append(rivals[n], i)
	}
	kept := make([]declared, 0, len(all))
	for i, d := range all {
		rs := rivals[name{d.relation != nil, d.attr}]
		if rs[0] != i {
			continue
		}
		// Breadth first, so the first is one of the shallowest.
		front := []int{i}
		for _, r := range rs[1:] {
			if len(all[r].path) == len(d.path) {
				front = append(front, r)
			}
		}
		winner, p := w.choose(all, front)
		if p != nil {
			w.faults.add(all[front[len(front)-1]].origin, all[front[len(front)-1]].ownKey(), p)
		}
		kept = append(kept, all[winner])
	}
	sortBy(kept, func(d declared) []int { return d.path })
	return kept
}

// choose picks among fields of one depth. Two of one struct are always a
// fault, for one would be lost in silence; of different structs the only one
// named by a tag wins.
func (w *walker) choose(all []declared, front []int) (int, *problem) {
	owners := map[int]bool{}
	var named []int
	for _, r := range front {
		if owners[all[r].owner] {
			return front[0], clash(all[front[0]], all[r])
		}
		owners[all[r].owner] = true
		if all[r].named {
			named = append(named, r)
		}
	}
	switch {
	case len(front) == 1:
		return front[0], nil
	case len(named) == 1:
		return named[0], nil
	case len(named) > 1:
		return named[0], clash(all[named[0]], all[named[1]])
	}
	return front[0], clash(all[front[0]], all[front[1]])
}

func clash(a, b declared) *problem {
	if a.relation != nil {
		return wrong("the relation %q is declared by both %s and %s", a.attr, a.name, b.name)
	}
	return wrong("the attribute %q is stored by both %s and %s", a.attr, a.name, b.name).
		but("name one of them otherwise, or tag it `dynorm:\"-\"`")
}

// nested reads a struct that is stored as a map inside an item. An entity may
// be stored so, as a copy at a moment: what makes it an entity then counts for
// nothing. In any other struct such options are a fault.
func (w *walker) nested(t reflect.Type, o origin) ([]Field, *problem) {
	before := len(w.faults.list)
	s := w.shape(t, o)
	entity := slices.ContainsFunc(s.markers, func(m marker) bool { return m.typ == entityMarker }) ||
		slices.ContainsFunc(s.fields, func(d declared) bool { return d.field.Primary })
	var fields []Field
	for _, d := range s.fields {
		f := d.field
		f.Attr = d.attr
		if !entity {
			_, options, _ := splitTag(d.tags[tagKey])
			for _, option := range options {
				if slices.Contains(entityOptions, option.name) {
					w.faults.add(d.origin, tagKey, wrong("%q acts on the fields of an entity only, and this is a nested struct", option.name))
				}
			}
		}
		clearEntityOptions(&f)
		for _, p := range checkField(&f) {
			w.faults.add(d.origin, d.ownKey(), p)
		}
		fields = append(fields, f)
	}
	if !entity {
		for _, d := range s.relations {
			w.faults.add(d.origin, relKey, wrong("a nested struct has no relations"))
		}
		for _, m := range s.markers {
			w.faults.add(m.origin, "", wrong("a nested struct takes no markers"))
		}
	}
	if len(fields) == 0 && t.NumField() > 0 && len(w.faults.list) == before {
		return nil, wrong("%s has no field that is stored, so its value would be lost", t).
			but("implement encoding.TextMarshaler and TextUnmarshaler, or tag the field `dynorm:\"-\"`")
	}
	return fields, nil
}
