package parser

import (
	"cmp"
	"slices"
	"strings"
)

// Field returns the field with the given Go name or, failing that, attribute
// name.
func (e *Entity) Field(name string) (Field, bool) {
	if f := find(e.Fields, name); f != nil {
		return *f, true
	}
	return Field{}, false
}

func (e *Entity) find(name string) *Field { return find(e.Fields, name) }

// find finds a field by its Go name or else by its attribute name, nil for none.
//
//go:noinline
func find(fields []Field, name string) *Field {
	for i := range fields {
		if fields[i].Name == name {
			return &fields[i]
		}
	}
	for i := range fields {
		if name != "" && fields[i].Attr == name {
			return &fields[i]
		}
	}
	return nil
}

// index finds the first field that is so, -1 for none.
func (e *Entity) index(is func(*Field) bool) int {
	for i := range e.Fields {
		if is(&e.Fields[i]) {
			return i
		}
	}
	return -1
}

// fieldNames are the names by which fields may be referred to, for
// suggestions.
func fieldNames(fields []Field) []string {
	names := make([]string, 2*len(fields))
	for i := range fields {
		names[i], names[len(fields)+i] = fields[i].Name, fields[i].Attr
	}
	return names
}

// complete fills in what a definition leaves to default, and brings references
// to fields into one form. Completing twice changes nothing.
func (d *definition) complete() {
	d.Prefix = cmp.Or(d.Prefix, strings.ToUpper(d.Name))
	for i := range d.Fields {
		completeType(&d.Fields[i].Type)
	}
	d.convene()
	for i := range d.Fields {
		f := &d.Fields[i]
		if f.Attr == "" && f.Version {
			f.Attr = VersionAttr
		}
		f.Attr = cmp.Or(f.Attr, AttrName(ownName(f.Name)))
		if f.TTL && f.Type.Kind == Time && !f.UnixMilli && f.Precision < 0 {
			f.UnixTime = true
		}
	}
	for i := range d.Indexes {
		x := &d.Indexes[i]
		if x.Projection == "" && len(x.Include) > 0 {
			x.Projection = ProjectInclude
		}
		x.Projection = cmp.Or(x.Projection, ProjectAll)
		for _, list := range [][]string{x.PKParts, x.SKParts, x.Include} {
			d.useGoNames(list)
		}
	}
	for i := range d.Uniques {
		u := &d.Uniques[i]
		d.useGoNames(u.Fields)
		attrs := make([]string, len(u.Fields))
		for j, name := range u.Fields {
			attrs[j] = name
			if f := d.find(name); f != nil {
				attrs[j] = f.Attr
			}
		}
		u.Name = strings.Join(attrs, "+")
	}
}

// ownName is the name of a field without the embedded structs around it.
func ownName(selector string) string {
	return selector[strings.LastIndexByte(selector, '.')+1:]
}

func completeType(t *Type) {
	switch t.Kind {
	case Int, Uint, Float:
		t.Bits = cmp.Or(t.Bits, 64)
	}
	for _, part := range []*Type{t.Key, t.Elem} {
		if part != nil {
			completeType(part)
		}
	}
	for i := range t.Fields {
		f := &t.Fields[i]
		completeType(&f.Type)
		f.Attr = cmp.Or(f.Attr, AttrName(f.Name))
	}
}

// useGoNames replaces attribute names by Go names where both are known.
func (d *definition) useGoNames(names []string) {
	for i, name := range names {
		if f := d.find(name); f != nil {
			names[i] = f.Name
		}
	}
}

// idNames are the names that make a field the primary key.
var idNames = []string{"ID", "Id"}

// convene gives fields their role by their name: ID is the primary key where
// no other field is, and a trait's field is the one called after it.
func (d *definition) convene() {
	for _, c := range []struct {
		on    bool
		names []string
		kinds []Kind
		role  func(*Field) *bool
	}{
		{!d.hasPrimary(), idNames, nil, func(f *Field) *bool { return &f.Primary }},
		{d.Timestamps, []string{"CreatedAt"}, []Kind{Time}, func(f *Field) *bool { return &f.Created }},
		{d.Timestamps, []string{"UpdatedAt"}, []Kind{Time}, func(f *Field) *bool { return &f.Updated }},
		{d.SoftDelete, []string{"DeletedAt"}, []Kind{Time}, func(f *Field) *bool { return &f.Deleted }},
		{d.Versioned, []string{"Version"}, []Kind{Int, Uint}, func(f *Field) *bool { return &f.Version }},
	} {
		taken := false
		for i := range d.Fields {
			taken = taken || *c.role(&d.Fields[i])
		}
		i := d.index(func(f *Field) bool { return slices.Contains(c.names, f.Name) })
		if i < 0 {
			i = d.index(func(f *Field) bool { return slices.Contains(c.names, ownName(f.Name)) })
		}
		if !c.on || taken || i < 0 {
			continue
		}
		f := &d.Fields[i]
		if c.kinds == nil || slices.Contains(c.kinds, f.Type.Kind) {
			*c.role(f) = true
			// A dynamodbav tag that knows nothing of the role does not speak
			// against it.
			if _, own := d.fields[i].tags[tagKey]; !own {
				f.OmitEmpty = false
			}
		}
	}
}

// hasPrimary says that the definition needs no primary key by convention: it
// has one, or it has an explicit key that does not mention the field ID.
func (d *definition) hasPrimary() bool {
	if d.Key == nil {
		return false
	}
	for _, src := range []string{d.Key.PK, d.Key.SK} {
		refs, _ := references(src)
		for _, r := range refs {
			if f := find(d.Fields, r.Field); f != nil && slices.Contains(idNames, ownName(f.Name)) {
				return false
			}
		}
	}
	return true
}
