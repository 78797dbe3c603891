package dynorm

import (
	"context"
	"errors"
	"iter"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/dynorm/dynorm/internal/expr"
)

// UniqueFaultKind says how a claim and an item contradict each other.
type UniqueFaultKind string

// The kinds of faults of unique values.
const (
	// UniqueOrphaned is a claim whose owner is gone or has another value: nobody
	// can take the value.
	UniqueOrphaned UniqueFaultKind = "orphaned"
	// UniqueMissing is an item whose value is not claimed: another item can take
	// it too.
	UniqueMissing UniqueFaultKind = "missing"
	// UniqueDouble is an item whose value is claimed by another item that has it
	// too. Only the application can say which of them should give it up.
	UniqueDouble UniqueFaultKind = "double"
)

// UniqueFault is a contradiction that [DB.ScanUnique] found.
type UniqueFault struct {
	Kind UniqueFaultKind
	// Entity and Constraint are the names of the entity and of the constraint.
	Entity, Constraint string
	// Claim is the key of the claim, Owner that of the item that it names or that
	// lacks it.
	Claim, Owner Item
}

// ScanUnique reads the whole table and yields every contradiction between
// unique values and their claims: what writes that went around this library, an
// expired time to live or a constraint added to items that exist leave behind.
// It is maintenance, not for the request path. Writes under way while it reads
// can show as faults; [DB.RepairUnique] looks at each again.
//
// It sends strongly consistent Scan requests, and for the claims and items of
// each page BatchGetItem requests of 100 keys: read units for every item of the
// table, and again for each claim and its owner. An error comes once, last.
func (db *DB) ScanUnique(ctx context.Context) iter.Seq2[UniqueFault, error] {
	return func(yield func(UniqueFault, error) bool) {
		var failed error
		ctx, tr := db.begin(ctx, "ScanUnique", nil)
		defer tr.end(&failed)
		if failed = opError("ScanUnique", nil, db.ready()); failed != nil {
			yield(UniqueFault{}, failed)
			return
		}
		in := &dynamodb.ScanInput{TableName: &db.table, ConsistentRead: new(true)}
		for {
			out, err := run(ctx, db, &Operation{Kind: OpScan, Name: "ScanUnique", Input: in}, scanMethod)
			var faults []UniqueFault
			if err == nil {
				faults, err = db.uniqueFaults(ctx, out.Items)
			}
			if err != nil {
				failed = opError("ScanUnique", nil, err)
				yield(UniqueFault{}, failed)
				return
			}
			for _, f := range faults {
				if !yield(f, nil) {
					return
				}
			}
			if len(out.LastEvaluatedKey) == 0 {
				return
			}
			next := *in
			next.ExclusiveStartKey = out.LastEvaluatedKey
			in = &next
		}
	}
}

// heldClaim is the claim that an item should have.
type heldClaim struct {
	e    *entity
	u    *unique
	key  Item
	item Item
}

// heldClaims lists the claims that an item should have.
func (s *Schema) heldClaims(item Item, now time.Time) ([]heldClaim, error) {
	et, _ := item[s.cfg.EntityType].(*types.AttributeValueMemberS)
	if et == nil {
		return nil, nil
	}
	e := s.byName[et.Value]
	if e == nil || !e.holdsClaims(item) || e.outlived(item, now) {
		return nil, nil // a deleted item gave its claims up, an expired one is as good as gone
	}
	var held []heldClaim
	for _, u := range e.uniques {
		key, err := u.claim(e, item)
		if err != nil {
			return nil, err
		}
		if key != nil {
			held = append(held, heldClaim{e, u, key, item})
		}
	}
	return held, nil
}

// holds reports whether an item should have a claim.
func (s *Schema) holds(item, claim Item, now time.Time) (bool, error) {
	held, err := s.heldClaims(item, now)
	return slices.ContainsFunc(held, func(h heldClaim) bool { return h.e.keyID(h.key) == h.e.keyID(claim) }), err
}

// uniqueFaults compares a page's items and claims with their claims and owners.
func (db *DB) uniqueFaults(ctx context.Context, page []Item) ([]UniqueFault, error) {
	s, any, now := db.schema, db.schema.entities[0], db.cfg.Clock()
	var (
		wanted []heldClaim
		claims []Item
		keys   []Item
	)
	for _, item := range page {
		if s.isClaim(item) {
			claims = append(claims, item)
			keys = append(keys, s.ownerKey(item))
			continue
		}
		held, err := s.heldClaims(item, now)
		if err != nil {
			return nil, err
		}
		wanted = append(wanted, held...)
		for _, h := range held {
			keys = append(keys, h.key)
		}
	}
	found, err := db.readAll(ctx, keys)
	if err != nil {
		return nil, err
	}
	var faults []UniqueFault
	for _, c := range claims {
		ok, err := s.holds(found[any.keyID(s.ownerKey(c))], c, now)
		if err != nil {
			return nil, err
		}
		if !ok {
			faults = append(faults, s.claimFault(c))
		}
	}
	var rivals []Item
	for _, h := range wanted {
		if c := found[any.keyID(h.key)]; c != nil && any.keyID(s.ownerKey(c)) != any.keyID(h.item) {
			rivals = append(rivals, s.ownerKey(c))
		}
	}
	rivalItems, err := db.readAll(ctx, rivals)
	if err != nil {
		return nil, err
	}
	for _, h := range wanted {
		c := found[any.keyID(h.key)]
		if c != nil && any.keyID(s.ownerKey(c)) == any.keyID(h.item) {
			continue
		}
		f := UniqueFault{Kind: UniqueMissing, Entity: h.e.def.Name, Constraint: h.u.name, Claim: h.key, Owner: h.e.keyIn(h.item)}
		if c != nil {
			taken, err := s.holds(rivalItems[any.keyID(s.ownerKey(c))], c, now)
			if err != nil {
				return nil, err
			}
			if taken {
				f.Kind = UniqueDouble
			}
		}
		faults = append(faults, f)
	}
	return faults, nil
}

func (s *Schema) isClaim(item Item) bool {
	et, _ := item[s.cfg.EntityType].(*types.AttributeValueMemberS)
	return et != nil && et.Value == claimEntity
}

// ownerKey is the key of the item that a claim names.
func (s *Schema) ownerKey(claim Item) Item {
	return Item{s.cfg.PK: claim[ownerPKAttr], s.cfg.SK: claim[ownerSKAttr]}
}

// claimFault is the fault of a claim that its owner does not hold.
func (s *Schema) claimFault(claim Item) UniqueFault {
	f := UniqueFault{Kind: UniqueOrphaned, Claim: Item{s.cfg.PK: claim[s.cfg.PK], s.cfg.SK: claim[s.cfg.SK]}, Owner: s.ownerKey(claim)}
	pk, _ := claim[s.cfg.PK].(*types.AttributeValueMemberS)
	for _, e := range s.entities {
		for _, u := range e.uniques {
			if pk != nil && strings.HasPrefix(pk.Value, strings.Join([]string{claimPrefix, e.def.Name, u.name, ""}, s.cfg.Delimiter)) {
				f.Entity, f.Constraint = e.def.Name, u.name
			}
		}
	}
	return f
}

// readAll reads items strongly consistent, by their key's identity.
func (db *DB) readAll(ctx context.Context, keys []Item) (map[string]Item, error) {
	any := db.schema.entities[0]
	unique := map[string]Item{}
	for _, k := range keys {
		unique[any.keyID(k)] = k
	}
	var list []Item
	for _, id := range slices.Sorted(maps.Keys(unique)) {
		if id != "" {
			list = append(list, unique[id])
		}
	}
	items, err := db.batchGetItems(ctx, &entity{schema: db.schema}, "ScanUnique", list, types.KeysAndAttributes{ConsistentRead: new(true)})
	if err != nil {
		return nil, err
	}
	found := make(map[string]Item, len(items))
	for _, item := range items {
		found[any.keyID(item)] = item
	}
	return found, nil
}

// RepairUnique mends a fault that [DB.ScanUnique] found, if it still is one: it
// deletes an orphaned claim and writes a missing one, under the condition that
// item and claim are as it read them. It reports whether it changed something. A
// double value is left: repaired is false.
//
// It sends two strongly consistent GetItems and one TransactWriteItems of two
// actions. A writer that changes the item or claim meanwhile makes it an
// ErrTxCanceled; scan again.
func (db *DB) RepairUnique(ctx context.Context, f UniqueFault) (repaired bool, err error) {
	ctx, tr := db.begin(ctx, "RepairUnique", nil)
	defer tr.end(&err)
	if err = db.ready(); err == nil {
		repaired, err = db.repairUnique(ctx, f)
	}
	return repaired, opError("RepairUnique", nil, err)
}

func (db *DB) repairUnique(ctx context.Context, f UniqueFault) (bool, error) {
	s, any := db.schema, db.schema.entities[0]
	if any.keyID(f.Claim) == "" || any.keyID(f.Owner) == "" {
		return false, faultf(ErrInvalid, "the fault has no keys: give one that ScanUnique found")
	}
	found, err := db.readAll(ctx, []Item{f.Claim, f.Owner})
	if err != nil {
		return false, err
	}
	claim, item := found[any.keyID(f.Claim)], found[any.keyID(f.Owner)]
	held, err := s.holds(item, f.Claim, db.cfg.Clock())
	if err != nil {
		return false, err
	}
	owned := claim != nil && any.keyID(s.ownerKey(claim)) == any.keyID(f.Owner)
	var w *write
	switch {
	case owned && !held:
		w = &write{kind: OpDeleteItem, name: "RepairUnique", e: any, key: f.Claim}
		any.ownedOrFree(w, f.Owner, ErrConflict)
	case held && claim == nil:
		put := maps.Clone(f.Claim)
		put[ownerPKAttr], put[ownerSKAttr] = f.Owner[s.cfg.PK], f.Owner[s.cfg.SK]
		put[s.cfg.EntityType] = stringValue(claimEntity)
		w = &write{kind: OpPutItem, name: "RepairUnique", e: any, texts: any.keyTextsIn(put), item: content{item: put}}
		any.ownedOrFree(w, f.Owner, ErrConflict)
	case held && !owned:
		// The claim stands for another item: where that has lost the value, the
		// claim is freed first.
		stale := s.claimFault(claim)
		freed, err := db.repairUnique(ctx, stale)
		if err != nil || !freed {
			return false, err
		}
		return db.repairUnique(ctx, f)
	default:
		return false, nil
	}
	_, err = db.carryOut(ctx, []*unit{
		{m: &mutation{e: any, op: "RepairUnique", key: f.Owner}, writes: []*write{s.unchanged(f.Owner, item)}},
		{m: &mutation{e: any, op: "RepairUnique", key: f.Claim}, writes: []*write{w}},
	}, txOptions{name: "RepairUnique"})
	return true, err
}

// freeExpired frees claims that a request failed on and whose owners are gone
// since their time to live passed: DynamoDB deletes the item, and knows nothing
// of its claims.
func (db *DB) freeExpired(ctx context.Context, units []*unit, err error) (freed bool, _ error) {
	writes := actionsOf(units)
	for _, r := range failures(err) {
		ce, ok := errors.AsType[*ConditionError](r.Err)
		if !ok || !errors.Is(r.Err, ErrUnique) || r.Action >= len(writes) || writes[r.Action].e.ttlAttr == "" || !db.schema.isClaim(ce.Item) {
			continue
		}
		repaired, err := db.repairUnique(ctx, db.schema.claimFault(ce.Item))
		if err != nil {
			return false, err
		}
		freed = freed || repaired
	}
	return freed, nil
}

// unchanged checks that an item is as it was read, as far as its claims depend
// on it.
func (s *Schema) unchanged(key, item Item) *write {
	w := &write{kind: opConditionCheck, name: "RepairUnique", e: s.entities[0], key: key, reason: func(Item) error { return ErrConflict }}
	var b expr.Builder
	if len(item) == 0 {
		w.cond = "attribute_not_exists(" + b.Name(s.cfg.PK) + ")"
	} else {
		attrs := []string{s.cfg.PK, s.cfg.EntityType}
		if et, ok := item[s.cfg.EntityType].(*types.AttributeValueMemberS); ok && s.byName[et.Value] != nil {
			e := s.byName[et.Value]
			if attrs = append(attrs, e.uniqueAttrs()...); e.ttlAttr != "" {
				attrs = append(attrs, e.ttlAttr)
			}
		}
		var conds []string
		for _, attr := range attrs {
			conds = append(conds, guardText(&b, item, attr))
		}
		w.cond = expr.And(conds...)
	}
	w.names, w.values = b.NameList(), b.ValueList()
	return w
}

// RepairAllUnique scans the table and repairs what can be repaired. It returns
// the faults that are left: double values, and what other writers changed
// meanwhile. It costs what [DB.ScanUnique] costs, and [DB.RepairUnique] for each
// fault.
func (db *DB) RepairAllUnique(ctx context.Context) (repaired int, left []UniqueFault, err error) {
	ctx, tr := db.begin(ctx, "RepairAllUnique", nil)
	defer tr.end(&err)
	for f, err := range db.ScanUnique(ctx) {
		if err != nil {
			return repaired, left, err
		}
		ok, err := db.RepairUnique(ctx, f)
		switch {
		case err != nil && !errors.Is(err, ErrTxCanceled):
			return repaired, left, err
		case err != nil, f.Kind == UniqueDouble:
			left = append(left, f)
		case ok:
			repaired++
		}
	}
	return repaired, left, nil
}
