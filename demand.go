package dynorm

import (
	"fmt"
	"slices"
	"strings"

	"github.com/dynorm/dynorm/internal/keytmpl"
	"github.com/dynorm/dynorm/parser"
)

// demandKind says what asks for an index. Demands of an entity stand in the
// order of these kinds, and within a kind in declared order.
type demandKind string

const (
	demandExplicit demandKind = "index"         // a dynorm.Index marker
	demandField    demandKind = "field"         // an `index` field
	demandForeign  demandKind = "belongsTo"     // a belongsTo outside collections
	demandPivot    demandKind = "belongsToMany" // the side of a belongsToMany that the pivot's key does not answer
	demandInverse  demandKind = "hasMany"       // a hasMany or hasOne whose target has no belongsTo
	demandMorph    demandKind = "morphTo"
	demandList     demandKind = "list"       // the trait: all items
	demandTrashed  demandKind = "softdelete" // the trait: deleted items
	demandInverted demandKind = "inverted"   // an index over the table's own key attributes
)

// The words that partitions of derived indexes begin with where no entity's
// prefix does.
const (
	listPrefix  = "LIST"
	trashPrefix = "TRASH"
	morphPrefix = "MORPH"
)

// demand is one index entry that an entity's items have: what asks for it, the
// templates of its keys, and the index it is placed on.
type demand struct {
	// id names the demand in the schema lock, by what renaming a Go field
	// leaves as it is.
	id   string
	name string // the index, field or relation as declared
	kind demandKind
	why  string // what the entry answers
	// pin is the slot the user asked for, counted from 1; 0 for any.
	pin   int
	local bool
	// native marks an index over the entity's attributes.
	native bool
	// projection and include are those of the marker; the names are attributes.
	projection string
	include    []string

	pkSrc, skSrc string
	when         *parser.When
	whenFields   []whenField

	slot   *slot
	placed string // why it is on the slot
	built  string // why it is not native in a schema of native indexes
	pk, sk *keyTemplate
}

// whenField is a field of a demand's condition: one of the entity, or an
// attribute that the library keeps by itself.
type whenField struct {
	name string
	path []string
}

// deriveDemands lists the index entries that an entity needs.
func (e *entity) deriveDemands() (faults []error) {
	for _, ix := range e.def.Indexes {
		if ix.Native {
			faults = append(faults, e.demandNative(ix)...)
		} else {
			faults = append(faults, e.demandIndex(ix)...)
		}
	}
	if e.sound != nil {
		faults = append(faults, e.droppedFaults()...)
	}
	for _, f := range e.def.Fields {
		if f.Indexed {
			e.demand(&demand{
				id: "field " + f.Attr, name: f.Attr, kind: demandField, pin: f.IndexSlot, why: "items by " + f.Name,
				pkSrc: e.template(e.def.Prefix, f.Attr) + e.delim() + "{" + f.Name + "}",
			})
		}
	}
	for i := range e.def.Relations {
		rel := &e.def.Relations[i]
		if rel.Kind == parser.BelongsTo && !rel.Collection && (rel.Slot > 0 || !e.answers(rel.Foreign)) {
			e.demandForeign(demandForeign, rel.Name, rel.Target, rel.Foreign, rel.Slot)
		}
	}
	faults = append(faults, e.demandInverses()...)
	for _, rel := range e.def.Relations {
		if rel.Kind == parser.MorphTo {
			e.demand(&demand{
				id: "morphTo " + rel.As, name: rel.Name, kind: demandMorph, pin: rel.Slot, why: "items of what " + rel.Name + " is",
				pkSrc: e.template(morphPrefix) + e.delim() + "{" + rel.ForeignType + "}" + e.delim() + "{" + rel.Foreign + "}",
			})
		}
	}
	// A table partition of all items is their list.
	if e.def.List > 0 && (e.pk == nil || len(e.pk.fields) > 0) {
		d := &demand{id: "list", name: "list", kind: demandList, why: "all items", pkSrc: e.template(listPrefix, e.def.Prefix)}
		if e.def.List > 1 {
			d.pkSrc += e.delim() + fmt.Sprintf("{%s|shard=%d}", e.shardField(), e.def.List)
		}
		e.demand(d)
	}
	if e.deletedAttr != "" {
		e.demandTrashed()
	}
	if e.schema.cfg.NativeIndexes {
		for _, d := range e.demands {
			d.built = e.makeNative(d)
		}
	}
	return faults
}

// demand adds a demand; without a sort key of its own it gets the one that
// tells items apart.
func (e *entity) demand(d *demand) {
	if d.skSrc == "" {
		d.skSrc = e.identitySource(d.pkSrc)
	}
	if e.sound != nil && (e.sound.uses(d.pkSrc) || e.sound.uses(d.skSrc)) {
		return
	}
	e.demands = append(e.demands, d)
}

// demandIndex adds the demand of an explicit index.
func (e *entity) demandIndex(ix parser.Index) (faults []error) {
	d := &demand{
		id: "index " + ix.Name, name: ix.Name, kind: demandExplicit, pin: ix.Slot, local: ix.Local,
		why: "the index " + ix.Name, pkSrc: ix.PK, skSrc: ix.SK, projection: ix.Projection,
	}
	if ix.Local {
		d.id = "local " + ix.Name
		if fault := e.localFault(ix); fault != nil {
			return []error{fault}
		}
	}
	for _, name := range ix.Include {
		if f, ok := e.def.Field(name); ok {
			d.include = append(d.include, f.Attr)
		}
	}
	if ix.When != "" {
		when, err := parser.ParseWhen(ix.When)
		if err != nil {
			return []error{e.indexFault(d, ix.When, err.Error(), "")}
		}
		d.when = &when
		for _, t := range when.Terms {
			f, err := e.codec.Resolve(t.Field)
			if err != nil {
				faults = append(faults, e.indexFault(d, ix.When, err.Error(), "name a field of "+e.def.Name))
				continue
			}
			d.whenFields = append(d.whenFields, whenField{f.Name, f.AttrPath()})
		}
	}
	if fault := e.schema.constantFault(&e.def, ix, e.shardField()); fault != nil {
		faults = append(faults, fault)
	}
	if len(faults) == 0 {
		e.demand(d)
	}
	return faults
}

// constantFault refuses an explicit index that puts every item into one
// partition. It asks for nothing that an entity at fault may lack.
func (s *Schema) constantFault(def *parser.Entity, ix parser.Index, shardField string) error {
	if ix.Local || ix.Native {
		return nil
	}
	tmpl, err := s.parseTemplate(ix.PK)
	if err != nil || len(tmpl.Refs()) > 0 {
		return nil // what is wrong with the template shows when it is bound
	}
	return &parser.DefinitionError{
		Type: def.Name, Field: "index " + ix.Name, Tag: ix.PK,
		Fault:      "its partition key is the same for every item, so that one partition takes all the load",
		Suggestion: fmt.Sprintf("spread it: pk:\"%s%s{%s|shard=8}\"", ix.PK, s.cfg.Delimiter, shardField),
	}
}

// demandForeign adds the demand of a foreign key: items by the key of another
// entity.
func (e *entity) demandForeign(kind demandKind, name, target, foreign string, pin int) {
	prefix := strings.ToUpper(target)
	if other := e.schema.byName[target]; other != nil {
		prefix = other.def.Prefix
	}
	attr := foreign
	if f, ok := e.def.Field(foreign); ok {
		attr = f.Attr
	}
	d := &demand{
		id: "foreign " + attr, name: name, kind: kind, pin: pin, why: "items of a " + target,
		pkSrc: e.template(prefix) + e.delim() + "{" + foreign + "}",
	}
	for n := 2; slices.ContainsFunc(e.demands, func(o *demand) bool { return o.id == d.id }); n++ {
		d.id = fmt.Sprintf("foreign %s %d", attr, n)
	}
	e.demand(d)
}

// demandInverses adds what the relations of other entities ask of e: both ends
// of the belongsToMany relations whose pivot it is, and the hasMany and hasOne
// relations that lead to it.
func (e *entity) demandInverses() (faults []error) {
	for _, owner := range e.schema.entities {
		for _, rel := range owner.def.Relations {
			switch {
			case rel.Kind == parser.BelongsToMany && rel.Through == e.def.Name:
				for _, side := range [2]struct{ target, foreign string }{{owner.def.Name, rel.Foreign}, {rel.Target, rel.Other}} {
					if !e.answers(side.foreign) {
						e.demandForeign(demandPivot, e.foreignName(side.foreign), side.target, side.foreign, 0)
					}
				}
			case (rel.Kind == parser.HasMany || rel.Kind == parser.HasOne) && rel.Target == e.def.Name && !rel.Collection,
				rel.Kind == parser.HasManyThrough && rel.Through == e.def.Name:
				if !e.answers(rel.Foreign) {
					e.demandForeign(demandInverse, e.foreignName(rel.Foreign), owner.def.Name, rel.Foreign, rel.Slot)
				}
			case rel.Kind == parser.HasManyThrough && rel.Target == e.def.Name:
				if !e.answers(rel.Other) {
					e.demandForeign(demandInverse, e.foreignName(rel.Other), rel.Through, rel.Other, 0)
				}
			}
		}
	}
	return faults
}

// foreignName names a demand after a foreign key.
func (e *entity) foreignName(foreign string) string {
	if f, ok := e.def.Field(foreign); ok {
		return f.Attr
	}
	return foreign
}

// answers reports whether the table's partition, or an index demanded so far,
// has all items with a value of a field together.
func (e *entity) answers(field string) bool {
	if e.pk != nil && e.keyedBy(e.pk.key.Template(), field) {
		return true
	}
	return slices.ContainsFunc(e.demands, func(d *demand) bool {
		if d.local || d.native || d.when != nil || d.projection != "" && d.projection != parser.ProjectAll {
			return false
		}
		pk, pkErr := e.schema.parseTemplate(d.pkSrc)
		sk, skErr := e.schema.parseTemplate(d.skSrc)
		return pkErr == nil && skErr == nil && e.keyedBy(pk, field) && e.total(sk)
	})
}

// keyedBy reports whether a partition key is made of one field as it is.
func (e *entity) keyedBy(tmpl *keytmpl.Template, field string) bool {
	refs := tmpl.Refs()
	if len(refs) != 1 {
		return false
	}
	r := refs[0]
	f, ok := e.def.Field(r.Field)
	return ok && f.Name == field && len(r.Path) == 0 && r.Format == "" && r.Shard == 0 && !r.Lower && !r.Upper
}

// total reports whether every item has a value for each part of a sort key.
func (e *entity) total(sk *keytmpl.Template) bool {
	for _, r := range sk.Refs() {
		f, err := e.codec.Resolve(r.Name())
		if err != nil || !e.always(f) {
			return false
		}
	}
	return true
}

// demandTrashed adds the view of deleted items: sorted by the time of deletion
// where a field holds it.
func (e *entity) demandTrashed() {
	d := &demand{
		id: "trashed", name: "trashed", kind: demandTrashed, why: "deleted items",
		pkSrc: e.template(trashPrefix, e.def.Prefix),
		when:  &parser.When{Terms: []parser.Term{{Field: e.deletedAttr, Op: parser.Filled}}},
	}
	field := whenField{name: e.deletedAttr, path: []string{e.deletedAttr}}
	d.skSrc = e.identitySource(d.pkSrc)
	if e.deleted != nil {
		field.name = e.deleted.Name
		d.skSrc = "{" + e.deleted.Name + "}" + e.delim() + d.skSrc
	}
	d.when.Terms[0].Field = field.name
	d.whenFields = []whenField{field}
	e.demand(d)
}

func (e *entity) delim() string { return e.schema.cfg.Delimiter }

// template joins literal segments.
func (e *entity) template(segments ...string) string {
	for i, s := range segments {
		segments[i] = keytmpl.Literal(s)
	}
	return strings.Join(segments, e.delim())
}

// identitySource is the template that tells the items of one index partition
// apart: PREFIX#{primary}; without a primary field the sort key of the entity's
// own templates, or, where that says no more than the partition, what of the
// key is left.
func (e *entity) identitySource(pkSrc string) string {
	if e.primary != nil {
		return e.derivedKey()
	}
	if e.def.Key == nil {
		return "" // a fault of its own
	}
	said := e.refs(pkSrc)
	if slices.ContainsFunc(e.refs(e.def.Key.SK), func(ref string) bool { return !slices.Contains(said, ref) }) {
		return e.def.Key.SK
	}
	src := e.template(e.def.Prefix)
	for _, ref := range slices.Concat(e.refs(e.def.Key.PK), e.refs(e.def.Key.SK)) {
		if !slices.Contains(said, ref) {
			said = append(said, ref)
			src += e.delim() + "{" + ref + "}"
		}
	}
	return src
}

// refs lists the references of a template by the Go names of their fields.
func (e *entity) refs(src string) []string {
	tmpl, err := e.schema.parseTemplate(src)
	if err != nil {
		return nil
	}
	var names []string
	for _, r := range tmpl.Refs() {
		name := r.Name()
		if f, ok := e.def.Field(r.Field); ok {
			name = strings.Join(append([]string{f.Name}, r.Path...), ".")
		}
		names = append(names, name)
	}
	return names
}

// shardField is the field that spreads an entity's items over shards.
func (e *entity) shardField() string {
	if e.primary != nil {
		return e.primary.Name
	}
	if e.def.Key != nil {
		for _, src := range []string{e.def.Key.SK, e.def.Key.PK} {
			if refs := e.refs(src); len(refs) > 0 {
				return refs[len(refs)-1]
			}
		}
	}
	return "ID"
}

// indexFault is a fault of one demand.
//
//go:noinline
func (e *entity) indexFault(d *demand, tag, fault, mend string) error {
	return &parser.DefinitionError{Type: e.def.Name, Field: string(d.kind) + " " + d.name, Tag: tag, Fault: fault, Suggestion: mend}
}

// bindDemand compiles the templates of a demand. Their attributes are known
// when it is placed.
func (e *entity) bindDemand(d *demand) (faults []error) {
	if d.native {
		return nil
	}
	var err error
	if d.local {
		d.pk = e.pk
	} else if d.pk, err = e.bindTemplate(d.pkSrc, "", "index "+d.name+" pk", keytmpl.Partition); err != nil {
		faults = append(faults, err)
	}
	if d.sk, err = e.bindTemplate(d.skSrc, "", "index "+d.name+" sk", keytmpl.Sort); err != nil {
		faults = append(faults, err)
	}
	return faults
}

// pathID identifies a document path, as attrID does the one of a field.
func pathID(path []string) string { return strings.Join(path, "\x00") }
