package dynorm

import (
	"fmt"
	"slices"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/dynorm/dynorm/internal/codec"
	"github.com/dynorm/dynorm/internal/keytmpl"
	"github.com/dynorm/dynorm/parser"
)

// maxGSIs is DynamoDB's default quota of global secondary indexes a table:
// "Service, account, and table quotas in Amazon DynamoDB".
const maxGSIs = 20

// demandKind says what asks for an index.
type demandKind string

const (
	demandExplicit  demandKind = "index"     // a dynorm.Index marker
	demandField     demandKind = "field"     // an `index` field
	demandBelongsTo demandKind = "belongsTo" // a non-collection belongsTo
)

// demand is one index entry an entity's items have: what asks for it, the slot
// it is placed on and the templates of its keys.
type demand struct {
	name string
	kind demandKind
	// pin is the slot the user asked for, counted from 1; 0 for any.
	pin int

	pkSrc, skSrc string
	when         *parser.When
	whenFields   []*codec.Field

	slot   int // position in Schema.slots
	pk, sk *keyTemplate
}

// deriveDemands lists the index entries an entity needs, in declared order:
// explicit indexes, indexed fields, then belongsTo relations outside
// collections.
func (e *entity) deriveDemands() (faults []error) {
	for _, ix := range e.def.Indexes {
		d := &demand{name: ix.Name, kind: demandExplicit, pin: ix.Slot, pkSrc: ix.PK, skSrc: ix.SK}
		if ix.When != "" {
			when, err := parser.ParseWhen(ix.When)
			if err != nil {
				faults = append(faults, err)
				continue
			}
			d.when = &when
			for _, t := range when.Terms {
				f, err := e.codec.Resolve(t.Field)
				if err != nil {
					faults = append(faults, &parser.DefinitionError{Type: e.def.Name, Field: "index " + ix.Name, Tag: ix.When, Fault: err.Error()})
					continue
				}
				d.whenFields = append(d.whenFields, f)
			}
		}
		e.demands = append(e.demands, d)
	}
	identity := e.identitySource()
	for _, f := range e.def.Fields {
		if !f.Indexed {
			continue
		}
		e.demands = append(e.demands, &demand{
			name: f.Attr, kind: demandField, pin: f.IndexSlot,
			pkSrc: keytmpl.Literal(e.def.Prefix) + e.schema.cfg.Delimiter + keytmpl.Literal(f.Attr) + e.schema.cfg.Delimiter + "{" + f.Name + "}",
			skSrc: identity,
		})
	}
	for _, rel := range e.def.Relations {
		if rel.Kind != parser.BelongsTo || rel.Collection {
			continue
		}
		parent := e.schema.byName[rel.Target]
		if parent == nil {
			faults = append(faults, &parser.DefinitionError{Type: e.def.Name, Field: rel.Name, Fault: "no entity " + rel.Target})
			continue
		}
		e.demands = append(e.demands, &demand{
			name: rel.Name, kind: demandBelongsTo, pin: rel.Slot,
			pkSrc: keytmpl.Literal(parent.def.Prefix) + e.schema.cfg.Delimiter + "{" + rel.Foreign + "}", skSrc: identity,
		})
	}
	return faults
}

// identitySource is the template that tells the items of one index partition
// apart: PREFIX#{primary}, or the sort key of the entity's own templates.
func (e *entity) identitySource() string {
	if e.primary != nil {
		return e.derivedKey()
	}
	return e.def.Key.SK
}

// placeIndexes derives the demands of every entity and places them on the
// fewest slots: no two demands of one entity share a slot, demands of different
// entities do.
func (s *Schema) placeIndexes() (faults []error) {
	for _, e := range s.entities {
		faults = append(faults, e.deriveDemands()...)
	}
	if len(faults) > 0 {
		return faults
	}
	for _, e := range s.entities {
		taken := map[int]*demand{}
		for _, d := range e.demands {
			if d.pin == 0 {
				continue
			}
			if other := taken[d.pin]; other != nil {
				faults = append(faults, &parser.DefinitionError{
					Type: e.def.Name, Field: d.name,
					Fault:      fmt.Sprintf("gsi=%d is taken by %s: two entries of one item can't share an index", d.pin, other.name),
					Suggestion: "pin one of them elsewhere",
				})
			}
			taken[d.pin] = d
			d.slot = d.pin - 1
		}
		next := 1
		for _, d := range e.demands {
			if d.pin != 0 {
				continue
			}
			for taken[next] != nil {
				next++
			}
			taken[next] = d
			d.slot = next - 1
		}
		for n := range taken {
			for len(s.slots) < n {
				names := s.cfg.slotNames(len(s.slots) + 1)
				s.slots = append(s.slots, slot{name: names.Name, pk: names.PK, sk: names.SK})
			}
		}
	}
	if len(s.slots) > maxGSIs {
		faults = append(faults, fmt.Errorf("%d global secondary indexes are needed, DynamoDB allows %d: %s",
			len(s.slots), maxGSIs, s.demandCounts()))
	}
	for _, e := range s.entities {
		for _, d := range e.demands {
			var err error
			if d.pk, err = e.bindTemplate(d.pkSrc, s.slots[d.slot].pk, "index "+d.name+" pk", keytmpl.Partition); err != nil {
				faults = append(faults, err)
			}
			if d.sk, err = e.bindTemplate(d.skSrc, s.slots[d.slot].sk, "index "+d.name+" sk", keytmpl.Sort); err != nil {
				faults = append(faults, err)
			}
		}
	}
	return faults
}

// demandCounts says who needs how many indexes.
func (s *Schema) demandCounts() string {
	text := ""
	for _, e := range s.entities {
		if len(e.demands) == 0 {
			continue
		}
		if text != "" {
			text += ", "
		}
		text += fmt.Sprintf("%s %d", e.def.Name, len(e.demands))
	}
	return text
}

// inputs lists the attributes that decide an entry: those of its templates and
// of its condition.
func (d *demand) inputs() []string {
	var attrs []string
	add := func(f *codec.Field) {
		if attr := f.AttrPath()[0]; !slices.Contains(attrs, attr) {
			attrs = append(attrs, attr)
		}
	}
	for _, kt := range []*keyTemplate{d.pk, d.sk} {
		for _, f := range kt.fields {
			add(f)
		}
	}
	for _, f := range d.whenFields {
		add(f)
	}
	return attrs
}

// entry adds the key attributes of the entry to item, which holds the
// attributes of an entity's item, and reports whether there is an entry: there
// is none when a part is missing or the condition does not hold.
func (d *demand) entry(item Item) (ok bool, err error) {
	if ok, err := d.holds(item); !ok || err != nil {
		return false, err
	}
	var keys [2]string
	for i, kt := range [2]*keyTemplate{d.pk, d.sk} {
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
	item[d.pk.attr], item[d.sk.attr] = stringValue(keys[0]), stringValue(keys[1])
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
		i := slices.IndexFunc(d.when.Terms, func(t parser.Term) bool { return t.Field == field })
		av, ok := lookupPath(item, d.whenFields[i].AttrPath())
		if !ok {
			return nil, false
		}
		v, err := codec.DecodeAny(av)
		if err != nil {
			fault = atField(d.whenFields[i].Name, faultf(ErrValue, "%w", err))
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
