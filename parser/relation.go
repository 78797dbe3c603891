package parser

import (
	"reflect"
	"slices"
	"strings"
)

// relationKinds are the kinds in the order of the documentation.
var relationKinds = []RelationKind{
	BelongsTo, HasOne, HasMany, BelongsToMany, HasManyThrough, MorphTo, MorphOne, MorphMany,
}

// toMany says that the relation leads to a list.
func (k RelationKind) toMany() bool {
	return k == HasMany || k == BelongsToMany || k == HasManyThrough || k == MorphMany
}

// relationRules are the options of a relation.
var relationRules = []rule[Relation]{
	{name: "foreign", arg: needed, set: func(r *Relation, v string) *problem {
		r.Foreign = v
		return nil
	}},
	{name: "other", arg: needed, set: func(r *Relation, v string) *problem {
		r.Other = v
		return nil
	}},
	{name: "through", arg: needed, set: func(r *Relation, v string) *problem {
		if r.Through != "" {
			return wrong("hasManyThrough names %s already", r.Through).but("write one of them")
		}
		r.Through = v
		return nil
	}},
	{name: "as", arg: needed, set: func(r *Relation, v string) *problem {
		r.As = v
		return nil
	}},
	{name: "collection", on: func(r *Relation) { r.Collection = true }},
	{name: "cascade", on: func(r *Relation) { r.Cascade = true }},
	{name: "gsi", arg: needed, set: func(r *Relation, v string) (p *problem) {
		r.Slot, p = parseSlot(v)
		return p
	}},
}

// optionKinds says which kinds an option has a meaning for.
func optionKinds(option string) []RelationKind {
	switch option {
	case "foreign":
		return []RelationKind{BelongsTo, HasOne, HasMany, BelongsToMany, HasManyThrough}
	case "other", "through":
		return []RelationKind{BelongsToMany, HasManyThrough}
	case "as":
		return []RelationKind{MorphTo, MorphOne, MorphMany}
	case "collection":
		return []RelationKind{BelongsTo, HasOne, HasMany}
	case "cascade":
		return []RelationKind{HasOne, HasMany, BelongsToMany, MorphOne, MorphMany}
	case "gsi":
		return []RelationKind{BelongsTo, BelongsToMany, MorphTo}
	}
	return nil
}

// parseRelation reads the tag `rel:"kind[,option]..."` of a field of type t.
func parseRelation(t reflect.Type, tags tagSet, report func(key string, p *problem)) *Relation {
	if _, ok := tags[tagKey]; ok {
		report(tagKey, wrong("a relation is not stored and takes no dynorm tag").
			but("write its options in the rel tag; foreign keys are fields of their own"))
	}
	head, options, problems := splitTag(tags[relKey])
	for _, p := range problems {
		report(relKey, p)
	}
	kind, through, valued := strings.Cut(head, "=")
	r := &Relation{Kind: RelationKind(kind)}
	switch {
	case !slices.Contains(relationKinds, r.Kind):
		report(relKey, wrong("unknown relation %q", kind).near(kind, kindNames()))
		return r
	case valued && r.Kind != HasManyThrough:
		report(relKey, wrong("%s takes no value", kind).but("write the option with its name, as in foreign=%s", through))
	case valued && through == "":
		report(relKey, wrong("hasManyThrough names no entity"))
	case valued:
		r.Through = through
	}
	applyOptions(r, options, relationRules, func(p *problem) { report(relKey, p) })
	for _, o := range options {
		if kinds := optionKinds(o.name); kinds != nil && !slices.Contains(kinds, r.Kind) {
			report(relKey, misfit(o.name, r.Kind))
		}
	}
	for _, p := range checkRelation(r) {
		report(relKey, p)
	}
	report(relKey, r.bind(t))
	return r
}

// misfit says which relations an option is for.
func misfit(option string, kind RelationKind) *problem {
	var names []string
	for _, k := range optionKinds(option) {
		names = append(names, string(k))
	}
	return wrong("%s takes no %q", kind, option).but("it belongs to %s", strings.Join(names, ", "))
}

// checkRelation checks a relation by itself.
func checkRelation(r *Relation) []*problem {
	var problems []*problem
	if r.Kind == HasManyThrough && r.Through == "" {
		problems = append(problems, wrong("hasManyThrough names no entity").but("write hasManyThrough=Entity"))
	}
	if r.Collection && r.Slot > 0 {
		problems = append(problems, wrong(`"collection" and "gsi" contradict each other`).
			but("a child in its parent's partition needs no index"))
	}
	return problems
}

// bind takes the target from the field's type, which must suit the kind.
func (r *Relation) bind(t reflect.Type) *problem {
	if r.Kind == MorphTo {
		if t.Kind() != reflect.Interface {
			return wrong("morphTo needs a field of an interface type, not %s", t).but("write any")
		}
		return nil
	}
	elem := t
	if r.Kind.toMany() {
		if t.Kind() != reflect.Slice {
			return wrong("%s needs a slice, not %s", r.Kind, t).but("write []*%s", typeName(deref(t)))
		}
		elem = t.Elem()
	}
	elem = deref(elem)
	if elem.Kind() != reflect.Struct {
		if !r.Kind.toMany() && elem.Kind() == reflect.Slice {
			return wrong("%s leads to one entity, not to %s", r.Kind, t).but("write *%s", typeName(deref(elem.Elem())))
		}
		return wrong("%s needs an entity's struct, not %s", r.Kind, t)
	}
	r.TargetType = elem
	r.Target = entityNameOf(elem)
	return nil
}

func deref(t reflect.Type) reflect.Type {
	if t.Kind() == reflect.Pointer {
		return t.Elem()
	}
	return t
}

func kindNames() []string {
	names := make([]string, len(relationKinds))
	for i, k := range relationKinds {
		names[i] = string(k)
	}
	return names
}
