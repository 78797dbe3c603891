package dynorm

import (
	"slices"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/dynorm/dynorm/internal/codec"
	"github.com/dynorm/dynorm/internal/keytmpl"
	"github.com/dynorm/dynorm/parser"
)

// attrs lists the attributes that the entry writes. Those of the table's key
// are not among them.
func (d *demand) attrs() []string {
	switch {
	case d.kind == demandInverted || d.native:
		return nil
	case d.local:
		return []string{d.sk.attr}
	}
	return []string{d.pk.attr, d.sk.attr}
}

// inputs lists the attributes that decide an entry: those of its templates and
// of its condition.
func (d *demand) inputs() []string {
	var attrs []string
	add := func(attr string) {
		if !slices.Contains(attrs, attr) {
			attrs = append(attrs, attr)
		}
	}
	for _, kt := range d.templates() {
		for _, f := range kt.fields {
			add(f.AttrPath()[0])
		}
	}
	for _, f := range d.whenFields {
		add(f.path[0])
	}
	return attrs
}

// templates lists the templates whose keys the entry writes, one for each of
// its attributes.
func (d *demand) templates() []*keyTemplate {
	switch {
	case d.kind == demandInverted || d.native:
		return nil
	case d.local:
		return []*keyTemplate{d.sk}
	}
	return []*keyTemplate{d.pk, d.sk}
}

// entry adds the key attributes of the entry to item, which holds the
// attributes of an entity's item, and reports whether there is an entry: there
// is none when a part is missing or the condition does not hold.
func (d *demand) entry(item Item) (ok bool, err error) {
	if ok, err := d.holds(item); !ok || err != nil {
		return false, err
	}
	var keys [2]string
	templates := d.templates()
	for i, kt := range templates {
		parts, err := kt.partsOf(item)
		if err != nil {
			return false, err
		}
		if slices.ContainsFunc(parts, keytmpl.Part.IsMissing) {
			return false, nil
		}
		if keys[i], err = kt.build(parts); err != nil {
			return false, err
		}
	}
	for i, kt := range templates {
		item[kt.attr] = stringValue(keys[i])
	}
	return true, nil
}

// addEntries writes the key attributes of every index entry into item.
func (e *entity) addEntries(item Item) error {
	for _, d := range e.demands {
		if _, err := d.entry(item); err != nil {
			return err
		}
	}
	return nil
}

// holds reports whether the condition of the entry holds for an item.
func (d *demand) holds(item Item) (bool, error) {
	if d.when == nil {
		return true, nil
	}
	var fault error
	ok := d.when.Eval(func(field string) (any, bool) {
		f := d.whenFields[slices.IndexFunc(d.when.Terms, func(t parser.Term) bool { return t.Field == field })]
		av, ok := lookupPath(item, f.path)
		if !ok {
			return nil, false
		}
		v, err := codec.DecodeAny(av)
		if err != nil {
			fault = atField(f.name, faultf(ErrValue, "%w", err))
			return nil, false
		}
		return v, true
	})
	return ok && fault == nil, fault
}

// lookupPath follows a document path of map entries into an item.
func lookupPath(item Item, path []string) (types.AttributeValue, bool) {
	av, ok := item[path[0]]
	for _, step := range path[1:] {
		m, isMap := av.(*types.AttributeValueMemberM)
		if !isMap {
			return nil, false
		}
		av, ok = m.Value[step]
	}
	return av, ok
}
