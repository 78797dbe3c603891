package parser

import (
	"errors"
	"slices"
	"strings"

	"github.com/dynorm/dynorm/internal/keytmpl"
)

// references returns what a key template refers to.
func references(src string) ([]keytmpl.Ref, *problem) {
	t, err := keytmpl.Parse(src)
	if err == nil {
		return t.Refs(), nil
	}
	p := wrong("%v", err)
	if syntax, ok := errors.AsType[*keytmpl.SyntaxError](err); ok {
		p = wrong("the template has a fault at byte %d: %s", syntax.Offset, syntax.Fault)
		p.suggestion = syntax.Suggestion
	}
	return nil, p
}

// checkTemplate checks a key template as written in the tag with the given
// key. A base key never changes, so what the library changes can't be in it.
func (d *definition) checkTemplate(o origin, key, src string, base bool) {
	refs, p := references(src)
	d.faults.add(o, key, p)
	for _, r := range refs {
		field, p := d.follow(r)
		switch {
		case p != nil:
		case field.Encrypt:
			p = wrong("{%s} is encrypted, and would stand in a key in clear", r.Name())
		case base && (field.Version || field.Updated || field.Deleted):
			p = wrong("{%s} changes with every write, and a base key never does", r.Name())
		}
		d.faults.add(o, key, p)
	}
}

// follow returns the field of the entity that a reference begins at, having
// checked that it ends at a single value.
func (d *definition) follow(r keytmpl.Ref) (*Field, *problem) {
	top := d.find(r.Field)
	if top == nil {
		return nil, wrong("the template names no field %q", r.Field).near(r.Field, fieldNames(d.Fields))
	}
	leaf := top
	for n, name := range r.Path {
		within := strings.Join(append([]string{r.Field}, r.Path[:n]...), ".")
		if leaf.Type.Kind == "" {
			return top, nil
		}
		if leaf.Type.Kind != Struct || leaf.JSON {
			return top, wrong("{%s} goes into %s, which is no struct", r.Name(), within)
		}
		field := find(leaf.Type.Fields, name)
		if field == nil {
			return top, wrong("{%s} finds no field %q in %s", r.Name(), name, within).near(name, fieldNames(leaf.Type.Fields))
		}
		leaf = field
	}
	if !leaf.scalar() {
		p := wrong("{%s} is %s, not a single value", r.Name(), leaf.describe()).but("name a field of one value: text, a number, a bool or a time")
		if inner := fieldNames(leaf.Type.Fields); leaf.Type.Kind == Struct && !leaf.JSON && len(inner) > 0 {
			p.but("name a field in it: {%s.%s}", r.Name(), inner[0])
		}
		return top, p
	}
	return top, nil
}

// describe says what a field that is no single value is.
func (f *Field) describe() string {
	switch {
	case f.JSON:
		return "JSON text"
	case f.Set:
		return "a set"
	}
	return f.Type.name()
}

// checkFieldList checks a list of fields that together are a key, in the tag
// with the given key.
func (d *definition) checkFieldList(o origin, key string, names []string) {
	for i, name := range names {
		f := d.find(name)
		var p *problem
		switch {
		case strings.ContainsAny(name, "{}"):
			p = wrong("%q is a template, and this is a list of fields", name)
			if refs, bad := references(name); bad == nil {
				var list []string
				for _, r := range refs {
					list = append(list, r.Field)
				}
				p.but("write %s", strings.Join(list, ","))
			}
		case name == "":
			p = wrong("an empty name in the list of fields")
		case f == nil:
			p = wrong("there is no field %q", name).near(name, fieldNames(d.Fields))
		case slices.Contains(names[:i], name):
			p = wrong("the field %s stands twice", name)
		case !f.scalar():
			p = wrong("%s is %s, not a single value", name, f.describe())
		case f.Encrypt:
			p = wrong("%s is encrypted, and would stand in a key in clear", name)
		}
		d.faults.add(o, key, p)
	}
}
