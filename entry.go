package dynorm

import (
	"slices"
	"unsafe"

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
			add(f.Root())
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

// inputs are what the keys of index entries are made of: the attributes of an
// entity's item, or the struct that becomes one.
type inputs interface {
	// parts returns those of a template.
	parts(kt *keyTemplate) ([]keytmpl.Part, error)
	// attribute returns what is at a document path.
	attribute(path []string) (types.AttributeValue, bool, error)
}

// itemInputs are those of an item.
type itemInputs Item

func (item itemInputs) parts(kt *keyTemplate) ([]keytmpl.Part, error) { return kt.partsOf(Item(item)) }

func (item itemInputs) attribute(path []string) (types.AttributeValue, bool, error) {
	av, ok := lookupPath(Item(item), path)
	return av, ok, nil
}

// structInputs are those of the struct at v.
type structInputs struct {
	e *entity
	v unsafe.Pointer
}

func (in structInputs) parts(kt *keyTemplate) ([]keytmpl.Part, error) {
	return kt.partsBy(func(f *codec.Field) (keytmpl.Part, error) { return f.StoredPart(in.v) })
}

func (in structInputs) attribute(path []string) (types.AttributeValue, bool, error) {
	i, ok := in.e.codec.Attr(path[0])
	if !ok {
		return nil, false, nil
	}
	av, ok, err := in.e.codec.Field(i).Encode(in.v)
	if !ok || err != nil {
		return nil, false, err
	}
	av, ok = lookupPath(Item{path[0]: av}, path)
	return av, ok, nil
}

// keys returns the entry's key texts, one for each of its attributes, and
// reports whether there is an entry: there is none when a part is missing or the
// condition does not hold.
func (d *demand) keys(in inputs) (keys [2]string, ok bool, err error) {
	if ok, err := d.holds(in); !ok || err != nil {
		return keys, false, err
	}
	for i, kt := range d.templates() {
		parts, err := in.parts(kt)
		if err != nil || slices.ContainsFunc(parts, keytmpl.Part.IsMissing) {
			return keys, false, err
		}
		if keys[i], err = kt.build(parts); err != nil {
			return keys, false, err
		}
	}
	return keys, true, nil
}

// entry adds the key attributes of the entry, where there is one, to item,
// which holds the attributes of an entity's item.
func (d *demand) entry(item Item) (ok bool, err error) {
	keys, ok, err := d.keys(itemInputs(item))
	if ok {
		for i, kt := range d.templates() {
			item[kt.attr] = stringValue(keys[i])
		}
	}
	return ok, err
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

// holds reports whether the condition of the entry holds.
func (d *demand) holds(in inputs) (bool, error) {
	if d.when == nil {
		return true, nil
	}
	var fault error
	ok := d.when.Eval(func(field string) (any, bool) {
		f := d.whenFields[slices.IndexFunc(d.when.Terms, func(t parser.Term) bool { return t.Field == field })]
		av, ok, err := in.attribute(f.path)
		if !ok && err == nil {
			return nil, false
		}
		var v any
		if err == nil {
			v, err = codec.DecodeAny(av)
		}
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
