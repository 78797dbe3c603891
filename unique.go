package dynorm

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"unsafe"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/dynorm/dynorm/internal/codec"
	"github.com/dynorm/dynorm/internal/expr"
	"github.com/dynorm/dynorm/internal/keytmpl"
	"github.com/dynorm/dynorm/parser"
)

// A unique value is held by a claim: an item of its own whose key is built from
// the value and which names its owner, the item that has the value. Claims are
// written in one transaction with their owner, so that two items never hold one
// value.
const (
	claimPrefix = "UNIQUE"
	claimEntity = "_unique" // the entity type of claims
	ownerPKAttr = "ownerPk"
	ownerSKAttr = "ownerSk"
)

// unique is a uniqueness constraint of an entity.
type unique struct {
	name   string // the attribute names joined by "+"
	fields []*codec.Field
	key    *keyTemplate
}

// bindUniques compiles the entity's uniqueness constraints.
func (e *entity) bindUniques() (faults []error) {
	var defs []parser.Unique
	for _, f := range e.def.Fields {
		if f.Unique {
			defs = append(defs, parser.Unique{Name: f.Attr, Fields: []string{f.Name}})
		}
	}
	for _, def := range append(defs, e.def.Uniques...) {
		segments := []string{claimPrefix, e.def.Name, def.Name}
		for i, s := range segments {
			segments[i] = keytmpl.Literal(s)
		}
		for _, name := range def.Fields {
			segments = append(segments, "{"+name+"}")
		}
		kt, err := e.bindTemplate(strings.Join(segments, e.schema.cfg.Delimiter), e.schema.cfg.PK, "unique "+def.Name, keytmpl.Partition)
		if err != nil {
			faults = append(faults, err)
			continue
		}
		e.uniques = append(e.uniques, &unique{name: def.Name, fields: kt.fields, key: kt})
	}
	if e.pk != nil && len(e.uniques) > 0 && strings.EqualFold(e.def.Prefix, claimPrefix) {
		faults = append(faults, &parser.DefinitionError{
			Type: e.def.Name, Fault: "the prefix " + claimPrefix + " is that of the claims of unique values",
			Suggestion: "give the entity another prefix",
		})
	}
	return faults
}

// isClaimKey reports whether a key is that of a claim.
func (s *Schema) isClaimKey(key Item) bool {
	pk, _ := key[s.cfg.PK].(*types.AttributeValueMemberS)
	sk, _ := key[s.cfg.SK].(*types.AttributeValueMemberS)
	return pk != nil && sk != nil && sk.Value == claimPrefix && strings.HasPrefix(pk.Value, claimPrefix+s.cfg.Delimiter)
}

// claim returns the key of the claim that an item's values make, or nil when a
// value is missing: what is absent is not unique.
func (u *unique) claim(e *entity, item Item) (Item, error) {
	parts, err := u.key.partsOf(item)
	if err != nil || slices.ContainsFunc(parts, keytmpl.Part.IsMissing) {
		return nil, err
	}
	return u.claimOf(e, parts)
}

func (u *unique) claimOf(e *entity, parts []keytmpl.Part) (Item, error) {
	pk, err := u.key.build(parts)
	if err != nil {
		return nil, err
	}
	return Item{e.pk.attr: stringValue(pk), e.sk.attr: stringValue(claimPrefix)}, nil
}

// claimWrites returns the writes that move the claims of the item with a key
// from what it held before to what it holds after; nil is no item.
func (e *entity) claimWrites(name string, key, before, after Item) ([]*write, error) {
	var releases, claims []*write
	for _, u := range e.uniques {
		var held, wanted Item
		var err error
		if e.holdsClaims(before) {
			if held, err = u.claim(e, before); err != nil {
				return nil, err
			}
		}
		if e.holdsClaims(after) {
			if wanted, err = u.claim(e, after); err != nil {
				return nil, err
			}
		}
		if held != nil && wanted != nil && e.keyID(held) == e.keyID(wanted) {
			continue
		}
		if held != nil {
			w := &write{kind: OpDeleteItem, name: name, e: e, key: held}
			e.ownedOrFree(w, key, faultf(ErrUnique, "the value of %s is claimed for another item although this one has it: RepairUnique finds such items", u.name))
			releases = append(releases, w)
		}
		if wanted != nil {
			wanted[ownerPKAttr], wanted[ownerSKAttr] = key[e.pk.attr], key[e.sk.attr]
			wanted[e.schema.cfg.EntityType] = stringValue(claimEntity)
			w := &write{kind: OpPutItem, name: name, e: e, texts: e.keyTextsIn(wanted), item: content{item: wanted}}
			e.ownedOrFree(w, key, faultf(ErrUnique, "the value of %s is taken", u.name))
			claims = append(claims, w)
		}
	}
	return append(releases, claims...), nil
}

// withClaims appends the write that puts an item in the place of a stored one,
// and those that move its claims.
func (e *entity) withClaims(list []*write, w *write, m *mutation, stored Item) ([]*write, error) {
	list = append(list, w)
	if len(e.uniques) == 0 {
		return list, nil
	}
	claims, err := e.claimWrites(m.op, m.keyItem(), stored, w.item.pick(e.uniqueAttrs()...))
	return append(list, claims...), err
}

// holdsClaims reports whether an item holds the claims of its unique values: one
// that was deleted softly gives them up, unless the entity keeps them.
func (e *entity) holdsClaims(item Item) bool {
	return item != nil && (e.def.KeepUnique || !e.trashed(item))
}

// claimsOnMove returns the writes that give the claims of a stored item to the
// one that takes its place under another key.
func (e *entity) claimsOnMove(key, stored, item Item) ([]*write, error) {
	releases, err := e.claimWrites("Move", key, stored, nil)
	if err != nil {
		return nil, err
	}
	claims, err := e.claimWrites("Move", e.keyIn(item), nil, item)
	if err != nil {
		return nil, err
	}
	var writes []*write
	for _, r := range releases {
		i := slices.IndexFunc(claims, func(c *write) bool { return c.id() == r.id() })
		if i < 0 {
			writes = append(writes, r)
			continue
		}
		e.ownedOrFree(claims[i], key, r.reason(nil)) // the value stays, its owner changes
	}
	return append(writes, claims...), nil
}

// ownedOrFree makes the write of a claim conditional: nobody else may hold it.
func (e *entity) ownedOrFree(w *write, owner Item, reason error) {
	var b expr.Builder
	w.cond = fmt.Sprintf("attribute_not_exists(%s) OR (%s = %s AND %s = %s)", b.Name(e.pk.attr),
		b.Name(ownerPKAttr), b.Value(owner[e.pk.attr]), b.Name(ownerSKAttr), b.Value(owner[e.sk.attr]))
	w.names, w.values = b.NameList(), b.ValueList()
	w.reason = func(Item) error { return reason }
}

// uniqueAttrs lists the attributes that the entity's claims depend on.
func (e *entity) uniqueAttrs() []string {
	var attrs []string
	if len(e.uniques) > 0 && e.deletedAttr != "" && !e.def.KeepUnique {
		attrs = append(attrs, e.deletedAttr) // a deleted item gives its claims up
	}
	for _, u := range e.uniques {
		for _, f := range u.fields {
			if attr := f.Root(); !slices.Contains(attrs, attr) {
				attrs = append(attrs, attr)
			}
		}
	}
	return attrs
}

// FindBy returns the item that holds a unique value, or ErrNotFound. The
// constraint is the name of a unique field, or the names of the fields of a
// dynorm.Unique marker joined by "+", with a value for each in this order.
//
// It sends two strongly consistent GetItems, one to the claim of the value and
// one to the item that holds it, at a read unit for each 4 KB each.
func (m Model[T]) FindBy(ctx context.Context, constraint string, values ...any) (*T, error) {
	v, err := model(m).findBy(ctx, constraint, values)
	return (*T)(v), err
}

func (m model) findBy(ctx context.Context, constraint string, values []any) (_ unsafe.Pointer, err error) {
	ctx, tr := m.db.begin(ctx, "FindBy", m.e)
	defer tr.end(&err)
	if m.fault() != nil {
		return nil, opError("FindBy", m.e, m.fault())
	}
	item, err := m.db.holder(ctx, m.e, constraint, values)
	if err != nil {
		return nil, opError("FindBy", m.e, err)
	}
	v, err := m.e.decodeNew(m.maker, item, m.db.afterFind(ctx, m.e))
	return v, opError("FindBy", m.e, err)
}

// holder reads the item that holds a unique value.
func (db *DB) holder(ctx context.Context, e *entity, constraint string, values []any) (Item, error) {
	u, err := e.uniqueNamed(constraint)
	if err != nil {
		return nil, err
	}
	if len(values) != len(u.fields) {
		return nil, faultf(ErrInvalid, "%s takes %d values, got %d", u.name, len(u.fields), len(values))
	}
	parts := make([]keytmpl.Part, len(values))
	for i, f := range u.fields {
		if parts[i], err = f.PartFrom(values[i]); err != nil {
			return nil, encodeError(err)
		}
		if parts[i].IsMissing() {
			return nil, atField(f.Name, faultf(ErrInvalid, "an empty value is never unique, so nothing can be found by it"))
		}
	}
	claim, err := u.claimOf(e, parts)
	if err != nil {
		return nil, err
	}
	owner, err := db.claimOwner(ctx, e, "FindBy", claim)
	switch {
	case err != nil:
		return nil, err
	case owner == nil:
		return nil, ErrNotFound
	}
	item, err := db.get(ctx, e, "FindBy", owner, true)
	if err != nil {
		return nil, err
	}
	// Between the two reads the value may have moved on.
	if e.hidden(item, db.cfg.Clock()) || !u.heldBy(e, claim, item) {
		return nil, ErrNotFound
	}
	return item, nil
}

// uniqueNamed finds a constraint by its attribute names or Go names.
func (e *entity) uniqueNamed(name string) (*unique, error) {
	var known []string
	for _, u := range e.uniques {
		var goNames []string
		for _, f := range u.fields {
			goNames = append(goNames, f.Name)
		}
		if u.name == name || strings.Join(goNames, "+") == name {
			return u, nil
		}
		known = append(known, u.name)
	}
	if len(known) == 0 {
		return nil, faultf(ErrUnknownField, "%s has no unique field: tag one `dynorm:\",unique\"`", e.def.Name)
	}
	return nil, faultf(ErrUnknownField, "%s is not unique: only %s", name, strings.Join(known, ", "))
}
