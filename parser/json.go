package parser

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
)

// FromJSON reads definitions back from the JSON they marshal to: an array of
// entities. What the tags of a struct may leave to default may be left out;
// unknown members are refused, and every definition is checked as Parse checks
// it. Relations are not resolved: see [Resolve].
func FromJSON(data []byte) ([]Entity, error) {
	var entities []Entity
	if err := decodeStrict(data, &entities); err != nil {
		return nil, fmt.Errorf("definitions: %w", err)
	}
	defs := make([]*definition, len(entities))
	for i, e := range entities {
		defs[i] = completed(e)
		entities[i] = defs[i].Entity
	}
	if err := joinFaults(defs); err != nil {
		return nil, err
	}
	return entities, nil
}

// Complete fills in what a definition made by hand leaves to default, and
// checks it as FromJSON does. The definition given is not changed. A precision
// of 0 counts as none where the field is no time.
func Complete(e Entity) (Entity, error) {
	e.Fields = cloneFields(e.Fields)
	e.Indexes = slices.Clone(e.Indexes)
	for i := range e.Indexes {
		x := &e.Indexes[i]
		x.PKParts, x.SKParts, x.Include = slices.Clone(x.PKParts), slices.Clone(x.SKParts), slices.Clone(x.Include)
	}
	e.Uniques = slices.Clone(e.Uniques)
	for i := range e.Uniques {
		e.Uniques[i].Fields = slices.Clone(e.Uniques[i].Fields)
	}
	d := completed(e)
	return d.Entity, d.faults.err()
}

// cloneFields copies fields with all of their types that completing writes to.
func cloneFields(fields []Field) []Field {
	fields = slices.Clone(fields)
	for i := range fields {
		f := &fields[i]
		f.Type = *cloneType(&f.Type)
		if f.Precision == 0 && f.Type.Kind != Time {
			f.Precision = -1
		}
	}
	return fields
}

func cloneType(t *Type) *Type {
	if t == nil {
		return nil
	}
	c := *t
	c.Key, c.Elem, c.Fields = cloneType(t.Key), cloneType(t.Elem), cloneFields(t.Fields)
	return &c
}

// completed completes and checks a definition that came as data.
func completed(e Entity) *definition {
	d := definitionOf(e)
	d.checkData()
	d.complete()
	d.check()
	return d
}

// decodeStrict decodes exactly one JSON value without unknown members.
func decodeStrict(data []byte, v any) error {
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.DisallowUnknownFields()
	if err := dec.Decode(v); err != nil {
		return err
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return errors.New("text behind the JSON value")
	}
	return nil
}

// UnmarshalJSON reads a field, refusing unknown members. A precision that is
// left out is none.
func (f *Field) UnmarshalJSON(data []byte) error {
	type plain Field
	p := plain{Precision: -1}
	if err := decodeStrict(data, &p); err != nil {
		return err
	}
	*f = Field(p)
	return nil
}

var kinds = []Kind{
	String, Bool, Int, Uint, Float, Number, Bytes, Time, Text, Binary, Custom, List, Map, Struct, Any,
}

// checkData checks what a definition from Go can't get wrong.
func (d *definition) checkData() {
	names := map[string]bool{}
	for i := range d.Fields {
		f, o := &d.Fields[i], d.fields[i]
		switch {
		case f.Name == "":
			d.faults.add(o, "", wrong("the field has no name"))
		case names[f.Name]:
			d.faults.add(o, "", wrong("a second field is called %s", f.Name))
		}
		names[f.Name] = true
		d.checkGenerator(f, o)
		d.checkType(&f.Type, o, f.JSON, nil)
	}
	clear(names)
	for i := range d.Relations {
		r, o := &d.Relations[i], d.relations[i]
		switch {
		case r.Name == "":
			d.faults.add(o, "", wrong("the relation has no name"))
		case names[r.Name]:
			d.faults.add(o, "", wrong("a second relation is called %s", r.Name))
		}
		names[r.Name] = true
		if !slices.Contains(relationKinds, r.Kind) {
			d.faults.add(o, "", wrong("unknown relation %q", r.Kind).near(string(r.Kind), kindNames()))
			continue
		}
		switch {
		case r.Target == "" && r.Kind != MorphTo:
			d.faults.add(o, "", wrong("%s names no target", r.Kind))
		case r.Target != "" && r.Kind == MorphTo:
			d.faults.add(o, "", wrong("morphTo has no one target"))
		}
		for _, has := range []struct {
			option string
			on     bool
		}{
			{"through", r.Through != ""},
			{"other", r.Other != ""},
			{"as", r.As != ""},
			{"collection", r.Collection},
			{"cascade", r.Cascade},
			{"gsi", r.Slot != 0},
		} {
			if has.on && !slices.Contains(optionKinds(has.option), r.Kind) {
				d.faults.add(o, "", misfit(has.option, r.Kind))
			}
		}
		if r.Slot < 0 || r.Slot > MaxSlot {
			d.faults.add(o, "", wrong("slot %d is not the number of an index", r.Slot))
		}
		for _, p := range checkRelation(r) {
			d.faults.add(o, "", p)
		}
	}
}

func (d *definition) checkGenerator(f *Field, o origin) {
	if f.Generator != "" && f.Generator != ULID && f.Generator != UUID {
		d.faults.add(o, "", wrong("unknown generator %q", f.Generator).near(f.Generator, []string{ULID, UUID}))
	}
	if f.Enum != nil && len(f.Enum) == 0 {
		d.faults.add(o, "", wrong("the enum has no values"))
	}
}

// checkType checks that a type has the parts of its kind. A type whose name is
// among those around it is a recursive one's second appearance, and has none.
func (d *definition) checkType(t *Type, o origin, opaque bool, around []string) {
	add := func(p *problem) { d.faults.add(o, "", p) }
	if !slices.Contains(kinds, t.Kind) {
		names := make([]string, len(kinds))
		for i, k := range kinds {
			names[i] = string(k)
		}
		add(wrong("unknown kind %q", t.Kind).near(string(t.Kind), names))
		return
	}
	again := opaque || t.Go != "" && slices.Contains(around, t.Go)
	sizes := []int{0}
	switch t.Kind {
	case Int, Uint:
		sizes = []int{0, 8, 16, 32, 64}
	case Float:
		sizes = []int{0, 32, 64}
	}
	nests := t.Kind == List || t.Kind == Map
	switch {
	case !slices.Contains(sizes, t.Bits):
		add(wrong("there is no %s of %d bits", t.Kind, t.Bits))
	case t.Len < 0:
		add(wrong("there is no length of %d", t.Len))
	case t.Elem == nil && nests && !again:
		add(wrong("a %s needs an element", t.Kind))
	case t.Elem != nil && !nests:
		add(wrong("a %s has no element", t.Kind))
	case t.Key == nil && t.Kind == Map && !again:
		add(wrong("a map needs a key"))
	case t.Key != nil && t.Kind != Map:
		add(wrong("a %s has no key", t.Kind))
	case t.Fields != nil && t.Kind != Struct:
		add(wrong("a %s has no fields", t.Kind))
	}
	if t.Go != "" {
		around = append(slices.Clip(around), t.Go)
	}
	if t.Key != nil {
		if !slices.Contains([]Kind{String, Int, Uint, Time, Text}, t.Key.Kind) || t.Key.Pointer {
			add(wrong("the map key %s can't be stored", t.Key.name()))
		} else {
			d.checkType(t.Key, o, false, around)
		}
	}
	if t.Elem != nil {
		d.checkType(t.Elem, o, false, around)
	}
	d.checkNested(t.Fields, o, around)
}

// checkNested checks the fields of a nested struct.
func (d *definition) checkNested(fields []Field, o origin, around []string) {
	names, attrs := map[string]bool{}, map[string]bool{}
	for i, f := range fields {
		at := origin{at: slices.Concat(o.at, []int{i}), typ: o.typ, name: joinPath(o.name, f.Name)}
		if f.Name == "" || names[f.Name] || f.Attr != "" && attrs[f.Attr] {
			d.faults.add(at, "", wrong("a nested field has no name, or one that stands twice"))
		}
		names[f.Name], attrs[f.Attr] = true, true
		d.checkGenerator(&f, at)
		has := f.options()
		for _, option := range entityOptions {
			if has[option] {
				d.faults.add(at, "", wrong("%q acts on the fields of an entity only, and this is a nested struct", option))
			}
		}
		d.checkType(&f.Type, at, f.JSON, around)
		completeType(&f.Type)
		for _, p := range checkField(&f) {
			d.faults.add(at, "", p)
		}
	}
}
