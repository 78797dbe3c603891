package dynorm

import (
	"math/big"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/dynorm/dynorm/internal/codec"
	"github.com/dynorm/dynorm/internal/keytmpl"
	"github.com/dynorm/dynorm/parser"
)

// accessPath is one way to the items of an entity, as the planner sees it: the
// table, or an index that they have entries in. All that planning needs to know
// of keys and indexes is here.
type accessPath struct {
	index string // DynamoDB's name of the index, empty for the table
	name  string // what it is for: the index, field or relation as declared
	kind  pathKind
	pk    keyRefs
	sk    keyRefs

	// when is the condition under which an item has an entry, nil for none,
	// with the path ([pathID]) of the field of each of its terms.
	when      *parser.When
	whenAttrs []string

	// slot is the index, nil for the table; native reports that its keys are the
	// entity's attributes.
	slot   *slot
	native bool

	// trash marks the view of deleted items.
	trash bool

	// projected are the attributes that entries have, nil for all.
	projected map[string]bool

	// single says what a key condition takes to meet items of the entity only.
	single singling
	// neighbours are the sort keys without references that items of others in
	// the same index have: the only ones that can equal the end of a range.
	neighbours []string
}

// keyRefs is a key template with what the planner asks of its references.
type keyRefs struct {
	*keyTemplate
	attrs   []string // attrID of each reference
	literal string   // the text before the first reference
	shard   int      // the reference that a shard is made of, -1 without one
	// sure tells the references that every item of the entity has a value for.
	sure []bool
	// exact tells the references whose key text says what the attribute says:
	// neither less, nor something where the attribute is left out.
	exact []bool
}

// pathKind orders access paths by preference.
type pathKind uint8

const (
	tablePath pathKind = iota
	localPath
	globalPath
)

// singling says what it takes for a key condition to meet items of one entity
// only.
type singling uint8

const (
	byPartition singling = iota // any key condition
	byPrefix                    // one whose sort key begins with the template's first literal
	byKey                       // the whole sort key
	never
)

// derivePaths describes the table and the index entries of every entity as
// access paths.
func (s *Schema) derivePaths() {
	for _, e := range s.entities {
		e.pathList = []*accessPath{e.accessPath("", "table", tablePath, e.pk, e.sk)}
		for _, d := range e.demands {
			kind := globalPath
			if d.local {
				kind = localPath
			}
			p := e.accessPath(d.slot.name, d.name, kind, d.pk, d.sk)
			p.when, p.trash = d.when, d.kind == demandTrashed
			p.slot, p.native = d.slot, d.native
			for _, f := range d.whenFields {
				p.whenAttrs = append(p.whenAttrs, pathID(f.path))
			}
			if d.slot.include != nil {
				p.projected = map[string]bool{s.cfg.PK: true, s.cfg.SK: true}
				for _, attr := range slices.Concat(d.slot.keyNames(), d.slot.include) {
					p.projected[attr] = true
				}
			}
			e.pathList = append(e.pathList, p)
		}
	}
	for _, e := range s.entities {
		for _, p := range e.pathList {
			for _, other := range s.entities {
				if other == e {
					continue
				}
				if p.native && other.meetsNative(p) {
					p.single = never
				}
				for _, o := range other.pathList {
					if o.index == p.index {
						p.singleOut(o)
					}
				}
			}
		}
	}
}

// paths are the ways to the entity's items, the table first. Programs that only
// read and write by key have no use for them, so they are derived for all
// entities when they are first asked for.
func (e *entity) paths() []*accessPath {
	e.schema.paths.Do(e.schema.derivePaths)
	return e.pathList
}

func (e *entity) accessPath(index, name string, kind pathKind, pk, sk *keyTemplate) *accessPath {
	return &accessPath{index: index, name: name, kind: kind, pk: e.keyRefs(pk), sk: e.keyRefs(sk)}
}

func (e *entity) keyRefs(kt *keyTemplate) keyRefs {
	k := keyRefs{keyTemplate: kt, shard: -1}
	if kt.key == nil {
		for _, f := range kt.fields {
			k.attrs = append(k.attrs, attrID(f))
			k.sure = append(k.sure, e.always(f))
			k.exact = append(k.exact, true)
		}
		return k
	}
	for i, ref := range kt.key.Template().Refs() {
		if ref.Shard > 0 {
			k.shard = i
		}
	}
	for i, f := range kt.fields {
		k.attrs = append(k.attrs, attrID(f))
		k.sure = append(k.sure, e.always(f))
		k.exact = append(k.exact, !kt.key.Lossy(i) && !f.OmitEmpty)
	}
	// The literal text alone is never too long: the schema has bound it.
	literal, _, _ := kt.key.Prefix(nil, nil)
	k.literal = string(literal)
	return k
}

// order is the way in which the key runs for a reference.
func (k *keyRefs) order(ref int) keytmpl.Order {
	if k.key == nil {
		return keytmpl.Ascending
	}
	return k.key.Order(ref)
}

// always reports whether every item of the entity has a key part for the field.
func (e *entity) always(f *codec.Field) bool {
	if len(f.Path()) > 1 || f.Type.Pointer || f.OmitEmpty || f.TTL {
		return false
	}
	if f.Primary || f.Required || f.Created || f.Updated || e.inBaseKey(f.Attr) {
		return true
	}
	switch f.Type.Kind {
	case parser.Int, parser.Uint, parser.Bool:
		return true
	}
	return false
}

// singleOut takes into account that items of another entity have entries in the
// same index.
func (p *accessPath) singleOut(other *accessPath) {
	if p.native {
		return
	}
	mine, theirs := p.sk.key, other.sk.key
	switch {
	case keytmpl.Disjoint(p.pk.key, other.pk.key):
		return
	case p.sk.literal != "" && !keytmpl.Compare(mine, theirs).Begins:
		p.single = max(p.single, byPrefix)
		if len(other.sk.fields) == 0 {
			p.neighbours = append(p.neighbours, other.sk.literal)
		}
	case keytmpl.Disjoint(mine, theirs):
		p.single = max(p.single, byKey)
	default:
		p.single = never
	}
}

// where names the path for people.
func (p *accessPath) where() string {
	switch {
	case p.index == "":
		return "table"
	case p.index == p.name:
		return p.index
	}
	return p.index + " (" + p.name + ")"
}

// keyAttrs are the attributes that tell where an item stands in the path: the
// keys of the table and of the index.
func (p *accessPath) keyAttrs(e *entity) []string {
	attrs := []string{e.pk.attr, e.sk.attr}
	own := []string{p.pk.attr, p.sk.attr}
	if p.native {
		own = p.slot.keyNames()
	}
	for _, attr := range own {
		if !slices.Contains(attrs, attr) {
			attrs = append(attrs, attr)
		}
	}
	return attrs
}

// compareValues orders two values of one type that DynamoDB orders; ok is false
// for any others.
func compareValues(a, b types.AttributeValue) (order int, ok bool) {
	switch a := a.(type) {
	case *types.AttributeValueMemberS:
		if b, ok := b.(*types.AttributeValueMemberS); ok {
			return strings.Compare(a.Value, b.Value), true
		}
	case *types.AttributeValueMemberB:
		if b, ok := b.(*types.AttributeValueMemberB); ok {
			return slices.Compare(a.Value, b.Value), true
		}
	case *types.AttributeValueMemberN:
		if b, ok := b.(*types.AttributeValueMemberN); ok {
			x, okX := new(big.Rat).SetString(a.Value)
			y, okY := new(big.Rat).SetString(b.Value)
			if okX && okY {
				return x.Cmp(y), true
			}
		}
	}
	return 0, false
}
