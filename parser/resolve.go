package parser

import (
	"cmp"
	"slices"
	"strings"

	"github.com/dynorm/dynorm/internal/suggest"
)

// Resolve checks the relations of definitions against each other and fills in,
// in place, what they leave to default. Every entity that a relation leads to
// must be among those given, but for a pivot that was not named.
//
//   - belongsTo: the foreign key is the field called after the relation,
//     UserID or UserId for a field User.
//   - hasOne, hasMany: the target's field called after this entity (UserID) or
//     else the foreign key of the target's only belongsTo back to this entity.
//   - belongsToMany: the pivot is called after both entities, sorted and
//     joined (RoleUser); its foreign keys after each of them.
//   - hasManyThrough: both foreign keys as for hasMany.
//   - morphTo: the name of the morph is the field's in lower camel case; the
//     fields are called after it (CommentableID, CommentableType).
//   - morphOne, morphMany: the morph is the target's only morphTo.
//
// A relation that is a collection on one side is one on the other side too.
// Resolving twice changes nothing. Faults are [*DefinitionError], joined.
func Resolve(entities []Entity) error {
	defs := make([]*definition, len(entities))
	for i, e := range entities {
		defs[i] = definitionOf(e)
	}
	resolve(defs)
	for i, d := range defs {
		entities[i].Relations = d.Relations
	}
	return joinFaults(defs)
}

// resolver holds the entities that relations may lead to.
type resolver struct {
	byName map[string]*definition
	names  []string
}

func resolve(defs []*definition) {
	r := resolver{byName: map[string]*definition{}}
	for _, d := range defs {
		first, ok := r.byName[d.Name]
		switch {
		case !ok || d.Name == "":
			r.byName[d.Name] = d
			r.names = append(r.names, d.Name)
		case d.Reflect != nil && d.Reflect == first.Reflect:
			d.faults.add(d.entity, "", wrong("the type is given twice"))
		default:
			d.faults.add(d.entity, tagKey, wrong("the entity %q is defined twice, here and by %s", d.Name, cmp.Or(first.GoType, first.Name)).
				but("give one of them another name"))
		}
	}
	// Relations that own their foreign key go first: their inverses look at
	// them.
	for _, owning := range []bool{true, false} {
		for _, d := range defs {
			d.Relations = slices.Clone(d.Relations)
			for i := range d.Relations {
				rel := &d.Relations[i]
				if owns := rel.Kind == BelongsTo || rel.Kind == MorphTo; owns == owning {
					d.faults.add(d.relations[i], relKey, r.relation(d, rel))
				}
			}
		}
	}
	for _, d := range defs {
		d.matchCollections(r)
	}
	for _, d := range defs {
		d.checkCollections()
	}
}

// entity finds a registered entity.
func (r resolver) entity(name string) (*definition, *problem) {
	if d, ok := r.byName[name]; ok {
		return d, nil
	}
	p := wrong("the entity %q is not registered", name).near(name, r.names)
	if p.suggestion == "" {
		p.but("give it to the schema too")
	}
	return nil, p
}

// relation resolves one relation of the entity d.
func (r resolver) relation(d *definition, rel *Relation) *problem {
	if !slices.Contains(relationKinds, rel.Kind) {
		return nil // reported where it was read
	}
	if rel.Kind == MorphTo {
		return d.resolveMorph(rel)
	}
	if rel.Target == "" {
		return nil // reported where it was read
	}
	target, p := r.entity(rel.Target)
	if p != nil {
		return p
	}
	switch rel.Kind {
	case BelongsTo:
		return d.resolveForeign(&rel.Foreign, "foreign", target, rel.Name)
	case HasOne, HasMany:
		return target.resolveInverse(&rel.Foreign, "foreign", d, rel.Kind)
	case BelongsToMany:
		return r.pivot(d, rel, target)
	case HasManyThrough:
		if rel.Through == "" {
			return nil // reported where it was read
		}
		middle, p := r.entity(rel.Through)
		if p != nil {
			return p
		}
		if p := middle.resolveInverse(&rel.Foreign, "foreign", d, rel.Kind); p != nil {
			return p
		}
		return target.resolveInverse(&rel.Other, "other", middle, rel.Kind)
	}
	return target.resolveMorphInverse(rel)
}

// keyField finds the field of d that a foreign key is called after: UserID or
// UserId for User, or the one stored as userId.
func (d *definition) keyField(after string) *Field {
	for _, name := range []string{after + "ID", after + "Id"} {
		if i := d.index(func(f *Field) bool { return f.Name == name }); i >= 0 {
			return &d.Fields[i]
		}
	}
	return d.find(AttrName(after + "ID"))
}

// explicit resolves a foreign key that was named, on the entity d.
func (d *definition) explicit(foreign *string, option string, target *definition) *problem {
	f := d.find(*foreign)
	if f == nil {
		return wrong("%s=%s names no field of %s", option, *foreign, d.Name).near(*foreign, fieldNames(d.Fields))
	}
	*foreign = f.Name
	return f.refersTo(target)
}

// refersTo checks that a field can hold the primary key of the target.
func (f *Field) refersTo(target *definition) *problem {
	if f.Type.Kind == "" {
		return nil
	}
	if !f.scalar() {
		return wrong("the foreign key %s is %s, not a single value", f.Name, f.describe())
	}
	for i := range target.Fields {
		if id := &target.Fields[i]; id.Primary && id.Type.Kind != "" && isNumeric(id.Type.Kind) != isNumeric(f.Type.Kind) {
			return wrong("the foreign key %s is of the type %s and can't hold %s.%s of the type %s",
				f.Name, f.Type.name(), target.Name, id.Name, id.Type.name())
		}
	}
	return nil
}

// resolveForeign finds the key field on d itself that is called after a
// relation or an entity.
func (d *definition) resolveForeign(foreign *string, option string, target *definition, after string) *problem {
	if *foreign != "" {
		return d.explicit(foreign, option, target)
	}
	after = ownName(after)
	f := d.keyField(after)
	if f == nil {
		p := wrong("there is no foreign key %sID in %s", after, d.Name)
		if other := d.keyField(target.Name); other != nil {
			return p.but("write %s=%s", option, other.Name)
		}
		if best, ok := suggest.Nearest(after+"ID", fieldNames(d.Fields)); ok {
			return p.but("write %s=%s", option, best)
		}
		return p.but("add the field %sID, or name another by %s=", after, option)
	}
	*foreign = f.Name
	return f.refersTo(target)
}

// resolveInverse finds the key field on d that names the parent: the one
// called after it, or that of the only belongsTo that leads to it.
func (d *definition) resolveInverse(foreign *string, option string, parent *definition, kind RelationKind) *problem {
	if *foreign != "" {
		return d.explicit(foreign, option, parent)
	}
	if f := d.keyField(parent.Name); f != nil {
		*foreign = f.Name
		return f.refersTo(parent)
	}
	var back []string
	for i := range d.Relations {
		if rel := &d.Relations[i]; rel.Kind == BelongsTo && rel.Target == parent.Name && rel.Foreign != "" {
			back = append(back, rel.Foreign)
		}
	}
	slices.Sort(back)
	back = slices.Compact(back)
	switch len(back) {
	case 0:
		return wrong("%s needs a foreign key %sID in %s", kind, parent.Name, d.Name).
			but("add the field there, or name another by %s=", option)
	case 1:
		*foreign = back[0]
		return nil
	}
	return wrong("%s leads to %s, which names %s by several fields", kind, d.Name, parent.Name).
		but("write %s=%s", option, strings.Join(back, " or "+option+"="))
}

// pivot resolves a belongsToMany. The pivot's fields are checked when it is
// declared; a pivot that is not has the fields that are asked of it.
func (r resolver) pivot(d *definition, rel *Relation, target *definition) *problem {
	name := rel.Through
	if name == "" {
		pair := []string{d.Name, target.Name}
		slices.Sort(pair)
		name = pair[0] + pair[1]
	}
	if d == target && rel.Other == "" {
		return wrong("%s belongs to many of itself, and the pivot needs a second foreign key", d.Name).
			but("name it by other=")
	}
	pivot, ok := r.byName[name]
	if !ok && rel.Through != "" && !derivedPivot(rel, d, target) {
		_, p := r.entity(name)
		return p
	}
	rel.Through = name
	if !ok {
		rel.Foreign = cmp.Or(rel.Foreign, d.Name+"ID")
		rel.Other = cmp.Or(rel.Other, target.Name+"ID")
		return nil
	}
	if p := pivot.resolveForeign(&rel.Foreign, "foreign", d, d.Name); p != nil {
		return p
	}
	if p := pivot.resolveForeign(&rel.Other, "other", target, target.Name); p != nil {
		return p
	}
	if rel.Foreign == rel.Other {
		return wrong("the pivot %s names both ends by %s", name, rel.Foreign).but("write foreign= and other=")
	}
	return nil
}

// derivedPivot says that the pivot's name is what it would be without being
// given: it may have been filled in by resolving before.
func derivedPivot(rel *Relation, d, target *definition) bool {
	return rel.Through == d.Name+target.Name && d.Name <= target.Name ||
		rel.Through == target.Name+d.Name && target.Name <= d.Name
}

// resolveMorph resolves a morphTo: the fields that hold the name and the key
// of the related entity.
func (d *definition) resolveMorph(rel *Relation) *problem {
	own := ownName(rel.Name)
	rel.As = cmp.Or(rel.As, AttrName(own))
	find := func(suffixes ...string) *Field {
		for _, suffix := range suffixes {
			if f := d.find(own + suffix); f != nil && AttrName(own) == rel.As {
				return f
			}
			if f := d.find(rel.As + suffix); f != nil {
				return f
			}
		}
		return nil
	}
	id, kind := find("ID", "Id"), find("Type")
	if rel.Foreign != "" {
		id = d.find(rel.Foreign)
	}
	if rel.ForeignType != "" {
		kind = d.find(rel.ForeignType)
	}
	switch {
	case id == nil || kind == nil:
		return wrong("morphTo %s needs fields stored as %sType and %sId", rel.As, rel.As, rel.As).
			but("add %sType and %sID, both string", own, own)
	case kind.Type.Kind != String && kind.Type.Kind != "":
		return wrong("%s holds the name of an entity and must be a string, not %s", kind.Name, kind.Type.name())
	case !id.scalar():
		return wrong("the foreign key %s is %s, not a single value", id.Name, id.describe())
	}
	rel.Foreign, rel.ForeignType = id.Name, kind.Name
	return nil
}

// resolveMorphInverse resolves a morphOne or morphMany that leads to d: the
// morphTo there that has its name.
func (d *definition) resolveMorphInverse(rel *Relation) *problem {
	var found []*Relation
	var names []string
	for i := range d.Relations {
		if back := &d.Relations[i]; back.Kind == MorphTo {
			names = append(names, back.As)
			if rel.As == "" || rel.As == back.As {
				found = append(found, back)
			}
		}
	}
	switch {
	case len(found) == 1:
		rel.As, rel.Foreign, rel.ForeignType = found[0].As, found[0].Foreign, found[0].ForeignType
		return nil
	case len(names) == 0:
		return wrong("%s has no morphTo", d.Name).but("add one there: Owner any `rel:\"morphTo\"`")
	case rel.As != "":
		return wrong("%s has no morphTo called %q", d.Name, rel.As).near(rel.As, names)
	}
	return wrong("%s has several morphTo", d.Name).but("write as=%s", strings.Join(names, " or as="))
}

// matchCollections makes the other side of each collection say so too.
func (d *definition) matchCollections(r resolver) {
	for i := range d.Relations {
		rel := &d.Relations[i]
		target := r.byName[rel.Target]
		if !rel.Collection || target == nil {
			continue
		}
		for j := range target.Relations {
			back := &target.Relations[j]
			if back.Foreign != rel.Foreign || back.Target != d.Name {
				continue
			}
			if rel.Kind == BelongsTo && (back.Kind == HasOne || back.Kind == HasMany) || rel.Kind != BelongsTo && back.Kind == BelongsTo {
				back.Collection = true
			}
		}
	}
}

// checkCollections checks that the entity has one collection parent at most:
// an item stands in one partition.
func (d *definition) checkCollections() {
	var parents []string
	for i := range d.Relations {
		rel := &d.Relations[i]
		if rel.Kind != BelongsTo || !rel.Collection {
			continue
		}
		parents = append(parents, rel.Name)
		if len(parents) > 1 {
			d.faults.add(d.relations[i], relKey, wrong("%s can't live in the partitions of both %s", d.Name, strings.Join(parents, " and ")).
				but("keep collection on one"))
		}
	}
}
