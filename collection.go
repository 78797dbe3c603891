package dynorm

import (
	"context"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"unsafe"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/dynorm/dynorm/internal/keytmpl"
	"github.com/dynorm/dynorm/internal/suggest"
)

// CollectionQuery reads an item collection: all items of one partition, of
// whatever entities they are. It is an immutable value, safe for concurrent use;
// what is wrong with it comes out of the call that runs it, before any request.
type CollectionQuery struct {
	db        *DB
	partition []any
	opts      queryOptions
	desc      bool
	err       error
}

// Collection returns the query for the items of a partition: the words of the
// partition key's template and the values of its fields, in their order.
//
//	res, err := dynorm.Collection(db, "USER", "123").Load(ctx)
//	users, posts := dynorm.Of[User](res), dynorm.Of[Post](res)
//
// The template is that of any entity of the schema, so that the values are
// written as its fields are. [Schema.AccessPatterns] lists the partitions in
// which several entities are.
func Collection(db *DB, partition ...any) CollectionQuery {
	c := CollectionQuery{db: db, partition: slices.Clone(partition)}
	if db == nil {
		c.err = faultf(ErrInvalid, "Collection was given no DB")
		return c
	}
	c.opts.strong = db.cfg.Consistent
	return c
}

// Index reads the partition of an index instead of the table's: by DynamoDB's
// name for it, or by what declared it in an entity.
func (c CollectionQuery) Index(name string) CollectionQuery {
	c.opts.index = name
	if name == "" && c.err == nil {
		c.err = faultf(ErrInvalid, "Index was given no name")
	}
	return c
}

// Consistent makes the reads strongly consistent, as [Query.Consistent] does.
func (c CollectionQuery) Consistent() CollectionQuery {
	c.opts.consistency = strongly
	return c
}

// Desc reads from the greatest sort key down.
func (c CollectionQuery) Desc() CollectionQuery {
	c.desc = true
	return c
}

// Limit bounds the number of items, of all entities together; 0 means no bound.
func (c CollectionQuery) Limit(n int) CollectionQuery {
	c.opts.limit = n
	if n < 0 && c.err == nil {
		c.err = faultf(ErrInvalid, "Limit(%d): give 0 or more", n)
	}
	return c
}

// WithTrashed includes items that were deleted softly.
func (c CollectionQuery) WithTrashed() CollectionQuery {
	c.opts.trashed = withTrashed
	return c
}

// IncludeExpired includes items whose time to live has passed.
func (c CollectionQuery) IncludeExpired() CollectionQuery {
	c.opts.expired = true
	return c
}

// Collected are the items of a partition. [Of] gives those of one type.
type Collected struct {
	schema *Schema
	values map[string][]unsafe.Pointer // to structs, by entity
	items  map[string][]Item           // by entity
	// Unknown are the items that are of no entity of the schema.
	Unknown []Item
}

// Of returns the items of a type, in the order of their sort keys. There are
// none of a type that is not in the schema.
func Of[T any](res *Collected) []*T {
	if res == nil || res.schema == nil {
		return nil
	}
	e := res.schema.byType[reflect.TypeFor[T]()]
	if e == nil {
		return nil
	}
	var list []*T
	for _, v := range res.values[e.def.Name] {
		list = append(list, (*T)(v))
	}
	return list
}

// Records returns the items of an entity by its name, as records. An entity that
// is not in the schema is an [ErrUnregistered].
func (res *Collected) Records(entity string) ([]Record, error) {
	e := res.schema.byName[entity]
	if e == nil {
		return nil, opError("Records", nil, faultf(ErrUnregistered, "the schema has no entity %q", entity))
	}
	var records []Record
	for i, item := range res.items[entity] {
		records = append(records, e.record(item, res.values[entity][i]))
	}
	return records, nil
}

// Load reads the items by one Query, page after page where they are more than 1
// MB. Items that do not decode are an error. A partition without items gives an
// empty result.
func (c CollectionQuery) Load(ctx context.Context) (*Collected, error) {
	if c.err != nil {
		return nil, opError("Collection", nil, c.err)
	}
	res, err := c.load(ctx)
	return res, opError("Collection", nil, err)
}

func (c CollectionQuery) load(ctx context.Context) (_ *Collected, err error) {
	ctx, tr := c.db.begin(ctx, "Collection", nil)
	defer tr.end(&err)
	p, _, err := c.plan()
	if err != nil {
		return nil, err
	}
	s := &queryState{db: c.db, e: p.e, opts: c.opts}
	res := &Collected{schema: c.db.schema, values: map[string][]unsafe.Pointer{}, items: map[string][]Item{}}
	err = s.reader(p, "Collection", 0).each(ctx, "", func(w row) (bool, error) {
		item, err := w.whole()
		if err != nil {
			return false, err
		}
		return true, res.add(ctx, c.db, item)
	})
	if err != nil {
		return nil, err
	}
	return res, nil
}

// add takes an item in.
func (res *Collected) add(ctx context.Context, db *DB, item Item) error {
	et, _ := item[res.schema.cfg.EntityType].(*types.AttributeValueMemberS)
	if et == nil || res.schema.byName[et.Value] == nil {
		res.Unknown = append(res.Unknown, item)
		return nil
	}
	e := res.schema.byName[et.Value]
	v := reflect.New(e.typ).UnsafePointer()
	err := e.decode(item, v)
	if err == nil {
		err = db.runHooks(ctx, e, v, AfterFind)
	}
	if err != nil {
		return opError("Collection", e, err)
	}
	res.values[e.def.Name] = append(res.values[e.def.Name], v)
	res.items[e.def.Name] = append(res.items[e.def.Name], item)
	return nil
}

// Explain plans the query without running it. The plan's Entity lists the
// entities whose partition it is.
func (c CollectionQuery) Explain() (*Plan, error) {
	p, names, err := c.plan()
	if err != nil {
		return nil, opError("Collection", nil, err)
	}
	x := p.explain()
	x.Entity = strings.Join(names, ", ")
	return x, nil
}

// plan finds the entities whose template the partition is of, and plans the
// query of it.
func (c CollectionQuery) plan() (*plan, []string, error) {
	if c.err != nil {
		return nil, nil, c.err
	}
	var (
		path           *accessPath
		owner          *entity
		pk             string
		names, pattern []string
		hidden         []cond
		indexed        = c.opts.index == ""
	)
	for _, e := range c.db.schema.entities {
		for i, p := range e.paths() {
			if c.opts.index == "" && i > 0 || c.opts.index != "" && c.opts.index != p.index && (i == 0 || c.opts.index != p.name) {
				continue
			}
			indexed = true
			if fault := p.uncollected(); fault != "" {
				return nil, nil, faultf(ErrInvalid, "%s of %s %s", p.where(), e.def.Name, fault)
			}
			pattern = append(pattern, p.pk.pattern()+" ("+e.def.Name+")")
			values, ok := p.pk.matchPartition(c.partition)
			if !ok {
				continue
			}
			text, err := p.pk.partitionOf(values)
			switch {
			case err != nil:
				return nil, nil, opError("Collection", e, err)
			case path == nil:
				path, owner, pk = p, e, text
			case path.index != p.index:
				return nil, nil, faultf(ErrInvalid, "%s is the name of two indexes, %s of %s and %s of %s: give DynamoDB's name of one", c.opts.index, path.index, names[0], p.index, e.def.Name)
			case text != pk:
				return nil, nil, faultf(ErrInvalid, "%s and %s write the partition in two ways, %s and %s: query them by Where", names[0], e.def.Name, path.pk.pattern(), p.pk.pattern())
			}
			names = append(names, e.def.Name)
			if e.deletedAttr != "" && c.opts.trashed == withoutTrashed {
				mine := e.typeCond()
				other := cond{op: opNe, attr: mine.attr, vals: mine.vals}
				hidden = append(hidden, cond{op: opOr, subs: []cond{{op: opNotExists, attr: mine.attr}, other, {op: opNotExists, attr: e.deletedAttr}}})
			}
		}
	}
	switch {
	case !indexed:
		return nil, nil, faultf(ErrInvalid, "no entity has an index %q%s", c.opts.index, c.nearestIndex())
	case path == nil:
		return nil, nil, faultf(ErrInvalid, "no entity has a partition of what was given, %d parts: the partitions are %s", len(c.partition), strings.Join(slices.Compact(pattern), ", "))
	case path.kind == globalPath && c.opts.consistency == strongly:
		return nil, nil, faultf(ErrInvalid, "Consistent: %s is a global index, whose reads are only eventually consistent", path.where())
	}
	pl := &planner{e: owner, opts: &c.opts}
	if attr := c.db.schema.ttlAttr(); attr != "" && !c.opts.expired {
		hidden = append(hidden, notExpired(attr))
	}
	pl.opts.raw = &rawKey{pk: pk, desc: c.desc, anyType: true}
	pl.hidden = hidden
	p, err := pl.finish(&candidate{path: path, branches: []branch{{pk: pk}}, forward: !c.desc}, nil)
	if err != nil {
		return nil, nil, err
	}
	p.e = &entity{schema: c.db.schema} // several take part
	return p, names, nil
}

// nearestIndex suggests the name of an index.
func (c CollectionQuery) nearestIndex() string {
	var names []string
	for _, e := range c.db.schema.entities {
		for _, p := range e.paths()[1:] {
			names = append(names, p.index, p.name)
		}
	}
	if best, ok := suggest.Nearest(c.opts.index, names); ok {
		return " (did you mean " + best + "?)"
	}
	return ""
}

// uncollected says why a collection can't be read by the path, empty where it
// can.
func (p *accessPath) uncollected() string {
	switch {
	case p.native && p.kind == globalPath:
		return "has fields for its partition: query it by Where"
	case p.projected != nil:
		return "does not have all attributes, and a collection is whole items"
	}
	return ""
}

// segment is a word of a partition template, or where ref is not -1 one of its
// references.
type segment struct {
	word string
	ref  int
}

// segments are the words and references of a built partition key.
func (k *keyRefs) segments() (segments []segment) {
	tmpl := k.key.Template()
	src, at := tmpl.String(), 0
	words := func(literal string) {
		literal = strings.NewReplacer("{{", "{", "}}", "}").Replace(literal)
		for word := range strings.SplitSeq(literal, string(tmpl.Delimiter())) {
			if word != "" {
				segments = append(segments, segment{word, -1})
			}
		}
	}
	for i, ref := range tmpl.Refs() {
		words(src[at:ref.Offset])
		segments = append(segments, segment{"", i})
		at = ref.Offset + strings.IndexByte(src[ref.Offset:], '}') + 1
	}
	words(src[at:])
	return segments
}

// matchPartition returns the values of the references where what was given has
// the words of the template.
func (k *keyRefs) matchPartition(given []any) (values []any, ok bool) {
	if k.shard >= 0 {
		return nil, false // the items are in several partitions
	}
	segments := k.segments()
	if len(segments) != len(given) {
		return nil, false
	}
	for i, s := range segments {
		if s.ref >= 0 {
			values = append(values, given[i])
		} else if word, isText := given[i].(string); !isText || word != s.word {
			return nil, false
		}
	}
	return values, true
}

// partitionOf is the partition key of values, which are encoded as the fields
// are.
func (k *keyRefs) partitionOf(values []any) (string, error) {
	parts := make([]keytmpl.Part, len(k.fields))
	for i, f := range k.fields {
		var err error
		if parts[i], err = f.PartFrom(values[i]); err != nil {
			return "", atField(f.Name, faultf(ErrValue, "%w", err))
		}
	}
	return k.build(parts)
}

// collectionPatterns are the patterns of the partitions, of the table and of
// each index, that several entities are in. Each is listed with the entity whose
// item is one in its partition, else with the first.
func (s *Schema) collectionPatterns() map[*entity][]AccessPattern {
	type member struct {
		e *entity
		p *accessPath
		d *demand
	}
	var (
		forms   []string
		members = map[string][]member{}
	)
	for _, e := range s.entities {
		for i, p := range e.paths() {
			if p.native || p.kind == localPath || p.uncollected() != "" || p.pk.shard >= 0 || len(p.pk.fields) == 0 || slices.Contains(p.pk.exact, false) {
				continue
			}
			m := member{e: e, p: p}
			if i > 0 {
				m.d = e.demands[i-1]
			}
			form := p.index + " " + templateForm(p.pk.pattern())
			if members[form] == nil {
				forms = append(forms, form)
			}
			members[form] = append(members[form], m)
		}
	}
	patterns := map[*entity][]AccessPattern{}
	for _, form := range forms {
		group := members[form]
		if len(group) < 2 {
			continue
		}
		alone := slices.IndexFunc(group, func(m member) bool { return !m.p.sortsMany() })
		first := group[max(alone, 0)]
		x := AccessPattern{
			Entity: first.e.def.Name, Kind: PatternCollection, Index: first.p.index, Fields: first.e.patternFields(first.p.pk.keyTemplate),
			Key: first.p.pk.attr + " = " + first.p.pk.pattern(), Requests: 1, ReadUnits: 0.5, Consistent: first.p.kind != globalPath,
		}
		var names []string
		for _, m := range group {
			x.Entities = append(x.Entities, m.e.def.Name)
			if m != first {
				names = append(names, m.e.def.Name)
			}
			if m.p.when != nil {
				x.Warnings = append(x.Warnings, m.e.def.Name+" is there only where "+m.p.when.String()+".")
			}
		}
		if x.Name = first.e.def.Name + " with " + joinAnd(names); alone < 0 {
			x.Name = joinAnd(x.Entities) + " together"
		}
		var args []string
		for _, seg := range first.p.pk.segments() {
			if arg := fmt.Sprintf("%q", seg.word); seg.ref < 0 {
				args = append(args, arg)
			} else {
				args = append(args, variable(attrName(first.p.pk.fields[seg.ref].AttrPath())))
			}
		}
		x.Call = "dynorm.Collection(db, " + strings.Join(args, ", ") + ")"
		if x.Index != "" {
			x.Call += fmt.Sprintf(".Index(%q)", x.Index)
		}
		x.Call += ".Load(ctx)"
		if x.Index == "" && len(s.locals) > 0 {
			x.Warnings = append(x.Warnings, localWarning)
		}
		patterns[first.e] = append(patterns[first.e], x)
	}
	return patterns
}

// sortsMany reports whether a partition of the path can hold many items of its
// entity.
func (p *accessPath) sortsMany() bool {
	return slices.ContainsFunc(p.sk.attrs, func(attr string) bool { return !slices.Contains(p.pk.attrs, attr) })
}

// joinAnd joins names for a sentence.
func joinAnd(names []string) string {
	if len(names) < 2 {
		return strings.Join(names, "")
	}
	return strings.Join(names[:len(names)-1], ", ") + " and " + names[len(names)-1]
}
