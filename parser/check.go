package parser

import (
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"
	"unicode"

	"github.com/dynorm/dynorm/internal/keytmpl"
)

// check checks a completed definition by itself: everything but what its
// relations ask of other entities.
func (d *definition) check() {
	d.checkEntity()
	d.checkFields()
	d.checkRoles()
	d.checkKey()
	for i := range d.Indexes {
		d.checkIndex(i)
	}
	d.checkUniques()
	d.checkSlots()
}

func (d *definition) checkEntity() {
	bad := func(r rune) bool {
		return r != '_' && r != '-' && r != '.' && !unicode.IsLetter(r) && !unicode.IsDigit(r)
	}
	var p *problem
	switch {
	case d.Name == "":
		p = wrong("the entity has no name").but("give it one: _ dynorm.Entity `dynorm:\"Name\"`")
	case strings.ContainsFunc(d.Name, bad):
		p = wrong("the entity name %q has characters other than letters, digits, _, - and .", d.Name)
		if !strings.ContainsFunc(strings.ReplaceAll(d.Name, " ", ""), bad) {
			p.but("write %s", strings.ReplaceAll(d.Name, " ", ""))
		}
	case strings.ContainsFunc(d.Prefix, func(r rune) bool { return r == '{' || r == '}' || !unicode.IsGraphic(r) || r == ' ' }):
		p = wrong("the prefix %q has spaces or braces", d.Prefix)
	}
	d.faults.add(d.entity, tagKey, p)
	if d.List < 0 || d.List > keytmpl.MaxShards {
		d.faults.add(d.entity, tagKey, wrong("list=%d is not a number of shards", d.List))
	}
	if d.TTL < 0 || d.TTL%time.Second != 0 {
		d.faults.add(d.entity, tagKey, wrong("the time to live %s is not in whole seconds above zero", d.TTL))
	}
}

func (d *definition) checkFields() {
	if len(d.Fields) == 0 && len(d.faults.list) == 0 {
		d.faults.add(d.whole, "", wrong("no field is stored").but("export fields, or give it an ID"))
	}
	attrs := map[string]int{}
	for i := range d.Fields {
		f, o := &d.Fields[i], d.fields[i]
		for _, p := range checkField(f) {
			d.faults.add(o, o.ownKey(), p)
		}
		if f.Attr == "" {
			d.faults.add(o, o.ownKey(), wrong("the field has no attribute name"))
		}
		if j, ok := attrs[f.Attr]; ok {
			d.faults.add(o, o.ownKey(), wrong("the attribute %q is stored by both %s and %s", f.Attr, d.Fields[j].Name, f.Name).
				but("name one of them otherwise"))
		}
		attrs[f.Attr] = i
	}
}

// checkRoles checks that each role has at most one field, that those an entity
// can't be without are there, and that no field is in the way of an attribute
// the library writes by itself.
func (d *definition) checkRoles() {
	for _, r := range []struct {
		name string
		has  func(*Field) bool
		// on says that the library keeps the attribute even without a field.
		on    bool
		attr  string
		trait string
	}{
		{"primary", func(f *Field) bool { return f.Primary }, false, "", ""},
		{"version", func(f *Field) bool { return f.Version }, false, "", ""},
		{"created", func(f *Field) bool { return f.Created }, d.Timestamps, CreatedAttr, "timestamps"},
		{"updated", func(f *Field) bool { return f.Updated }, d.Timestamps, UpdatedAttr, "timestamps"},
		{"deleted", func(f *Field) bool { return f.Deleted }, d.SoftDelete, DeletedAttr, "softdelete"},
		{"ttl", func(f *Field) bool { return f.TTL }, d.TTL > 0, TTLAttr, "ttl"},
	} {
		first := -1
		for i := range d.Fields {
			f := &d.Fields[i]
			switch {
			case !r.has(f):
			case first < 0:
				first = i
			default:
				p := wrong("%q is on both %s and %s", r.name, d.Fields[first].Name, f.Name).but("keep one")
				if r.name == "primary" {
					p.but("an identity of several fields is a `dynorm.Key` marker")
				}
				d.faults.add(d.fields[i], d.fields[i].ownKey(), p)
			}
		}
		if i := d.index(func(f *Field) bool { return f.Attr == r.attr }); r.on && first < 0 && i >= 0 {
			d.faults.add(d.fields[i], d.fields[i].ownKey(),
				wrong("the trait %s keeps the attribute %q itself", r.trait, r.attr).
					but("give the field the option %s, or another name", r.name))
		}
	}

	has := func(role func(*Field) bool) bool { return d.index(role) >= 0 }
	if d.Versioned && !has(func(f *Field) bool { return f.Version }) {
		d.faults.add(d.entity, tagKey, wrong("the trait versioned needs a field that holds the version").
			but("add Version int64"))
	}
	if d.Key == nil && len(d.Fields) > 0 && !has(func(f *Field) bool { return f.Primary }) {
		d.faults.add(d.whole, "", wrong("there is no primary key").
			but("tag a field `dynorm:\",primary\"`, call it ID, or add a `dynorm.Key` marker"))
	}
}

func (d *definition) checkKey() {
	if d.Key == nil {
		return
	}
	for _, k := range []struct{ key, src, other string }{
		{pkKey, d.Key.PK, skKey}, {skKey, d.Key.SK, pkKey},
	} {
		if k.src == "" {
			d.faults.add(d.key, k.other, wrong("the key has no %s: items of a single table have both", k.key).
				but(`add %s:"..."; the same template twice will do`, k.key))
			continue
		}
		d.checkTemplate(d.key, k.key, k.src, true)
	}
}

var indexName = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^[A-Za-z0-9_.-]+$`) })

// maxParts is the number of attributes a native key may have on each side.
const maxParts = 4

func (d *definition) checkIndex(i int) {
	x, o := &d.Indexes[i], d.indexes[i]
	add := func(key string, p *problem) { d.faults.add(o, key, p) }
	switch {
	case x.Name == "":
		add(tagKey, wrong("the index has no name").but(`write dynorm:"byStatus"`))
	case !indexName().MatchString(x.Name):
		add(tagKey, wrong("the index name %q has characters other than letters, digits, _, - and .", x.Name))
	case slices.ContainsFunc(d.Indexes[:i], func(y Index) bool { return y.Name == x.Name }):
		add(tagKey, wrong("a second index is called %q", x.Name))
	}
	if x.Slot < 0 || x.Slot > MaxSlot {
		add(tagKey, wrong("gsi=%d is not the number of an index", x.Slot))
	}
	if x.Local && x.Slot > 0 {
		add(tagKey, wrong(`"lsi" and "gsi" contradict each other: a local index has no number`).but("keep one"))
	}

	hasPK, hasSK := x.PK != "" || len(x.PKParts) > 0, x.SK != "" || len(x.SKParts) > 0
	switch {
	case x.Local && hasPK:
		add(pkKey, wrong("a local index shares the table's partition key").but("remove the pk"))
	case x.Local && !hasSK:
		add(tagKey, wrong("a local index needs a sort key").but(`add sk:"..."`))
	case !x.Local && !hasPK:
		add(tagKey, wrong("the index has no partition key").but(`add pk:"..."`))
	}
	if x.Native {
		d.checkNative(x, o)
	} else {
		if len(x.PKParts)+len(x.SKParts) > 0 {
			add(tagKey, wrong("an index of field lists is native").but("set native"))
		}
		if x.PK != "" && !x.Local {
			d.checkTemplate(o, pkKey, x.PK, false)
		}
		if x.SK != "" {
			d.checkTemplate(o, skKey, x.SK, false)
		}
	}
	d.checkProjection(x, o)
	if x.When != "" {
		d.checkWhen(x.When, o)
	}
}

// checkNative checks the keys of an index over attributes as they are.
func (d *definition) checkNative(x *Index, o origin) {
	limit := maxParts
	if x.Local {
		limit = 1
	}
	for _, side := range []struct {
		key, template string
		parts         []string
	}{{pkKey, x.PK, x.PKParts}, {skKey, x.SK, x.SKParts}} {
		if side.template != "" {
			d.faults.add(o, side.key, wrong("a native index lists fields and has no template").but("list them"))
		}
		if len(side.parts) > limit {
			d.faults.add(o, side.key, wrong("%d fields are more than a native key holds", len(side.parts)).but("use up to %d", limit))
		}
		d.checkFieldList(o, side.key, side.parts)
		for _, name := range side.parts {
			if f := d.find(name); f != nil && f.Type.Kind == Bool {
				d.faults.add(o, side.key, wrong("%s is a bool, and DynamoDB has no keys of that type", name).
					but("build the key by a template"))
			}
		}
	}
	for _, name := range x.SKParts {
		if slices.Contains(x.PKParts, name) {
			d.faults.add(o, skKey, wrong("%s is in both keys of the index", name))
		}
	}
}

func (d *definition) checkProjection(x *Index, o origin) {
	switch x.Projection {
	case ProjectAll, ProjectKeys:
		if len(x.Include) > 0 {
			d.faults.add(o, tagKey, wrong("the projection %q includes no fields by name", x.Projection))
		}
		return
	case ProjectInclude:
	default:
		d.faults.add(o, tagKey, wrong("unknown projection %q", x.Projection).
			near(x.Projection, []string{ProjectAll, ProjectKeys, ProjectInclude}))
		return
	}
	for i, name := range x.Include {
		var p *problem
		switch {
		case name == "":
			p = wrong("an empty name in the projection")
		case d.find(name) == nil:
			p = wrong("the projection names no field %q", name).
				near(name, append([]string{ProjectAll, ProjectKeys}, fieldNames(d.Fields)...))
		case slices.Contains(x.Include[:i], name):
			p = wrong("the projection names %s twice", name)
		}
		d.faults.add(o, tagKey, p)
	}
	if len(x.Include) == 0 {
		d.faults.add(o, tagKey, wrong("the projection includes no fields").but("write project=keys"))
	}
}

func (d *definition) checkWhen(src string, o origin) {
	w, err := ParseWhen(src)
	if err != nil {
		d.faults.add(o, whenKey, wrong("%v", err).but("write Field, !Field, Field=a|b, Field!=a or Field>=1, joined by commas"))
		return
	}
	for _, t := range w.Terms {
		f := d.find(t.Field)
		switch {
		case f == nil:
			d.faults.add(o, whenKey, wrong("the condition names no field %q", t.Field).near(t.Field, fieldNames(d.Fields)))
			continue
		case f.Type.Kind == "":
			continue
		case !f.scalar():
			d.faults.add(o, whenKey, wrong("the condition names %s, which is %s, not a single value", t.Field, f.describe()).
				but("compare a field of one value"))
			continue
		}
		switch t.Op {
		case Filled, Blank:
			continue
		case Lt, Le, Gt, Ge:
			if !isNumeric(f.Type.Kind) {
				d.faults.add(o, whenKey, wrong("%q compares numbers, and %s is %s", t.Op, t.Field, f.Type.name()).
					but("compare it by = or !="))
				continue
			}
		}
		for _, v := range t.Values {
			switch {
			case f.Type.Kind == Bytes || f.Type.Kind == Binary:
				d.faults.add(o, whenKey, wrong("%s is binary and has no text to compare", t.Field))
			case isNumeric(f.Type.Kind) && decimal().MatchString(v):
			case isNumeric(f.Type.Kind) || !f.Type.parses(v):
				d.faults.add(o, whenKey, wrong("%s is %s, and %q is none", t.Field, f.Type.name(), v).
					but("write a value of that type, or %s alone where any will do", t.Field))
			case f.Enum != nil && !slices.Contains(f.Enum, v):
				d.faults.add(o, whenKey, wrong("%q is not in the enum of %s", v, t.Field).near(v, f.Enum))
			}
		}
	}
}

func (d *definition) checkUniques() {
	names := map[string]bool{}
	for i := range d.Fields {
		if f := &d.Fields[i]; f.Unique {
			names[f.Attr] = true
		}
	}
	for i, u := range d.Uniques {
		o := d.uniques[i]
		d.checkFieldList(o, tagKey, u.Fields)
		switch {
		case len(u.Fields) == 0:
			d.faults.add(o, tagKey, wrong("the constraint has no fields"))
		case names[u.Name]:
			d.faults.add(o, tagKey, wrong("the constraint over %s stands twice", u.Name))
		}
		names[u.Name] = true
	}
}

// checkSlots checks that no two patterns of the entity are pinned to one
// index.
func (d *definition) checkSlots() {
	type pin struct {
		origin
		key  string
		slot int
	}
	var pins []pin
	for i := range d.Indexes {
		pins = append(pins, pin{d.indexes[i], tagKey, d.Indexes[i].Slot})
	}
	for i := range d.Fields {
		pins = append(pins, pin{d.fields[i], tagKey, d.Fields[i].IndexSlot})
	}
	for i := range d.Relations {
		pins = append(pins, pin{d.relations[i], relKey, d.Relations[i].Slot})
	}
	sortBy(pins, func(p pin) []int { return p.at })
	seen := map[int]bool{}
	for _, p := range pins {
		if p.slot > 0 && seen[p.slot] {
			d.faults.add(p.origin, p.key, wrong("gsi=%d is pinned twice in this entity", p.slot).
				but("patterns of one entity never share an index"))
		}
		seen[p.slot] = true
	}
}

// Reserved reports the fields of an entity whose attribute names the schema
// keeps for itself: key attributes, the entity type and the like.
func Reserved(e Entity, names ...string) error {
	if e.index(func(f *Field) bool { return slices.Contains(names, f.Attr) }) < 0 {
		return nil
	}
	d := definitionOf(e)
	for i := range d.Fields {
		if f := &d.Fields[i]; slices.Contains(names, f.Attr) {
			d.faults.add(d.fields[i], d.fields[i].ownKey(), wrong("the attribute name %q is taken by the table's own attributes", f.Attr).
				but(`name it otherwise: dynorm:"name"`))
		}
	}
	return d.faults.err()
}
