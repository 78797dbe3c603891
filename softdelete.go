package dynorm

import (
	"context"
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/dynorm/dynorm/internal/codec"
)

// hides reports whether the reader's query does not see an item that was read
// by its key.
func (r *reader) hides(w *row) bool {
	if len(r.p.hidden) == 0 {
		return false
	}
	item := w.pick(r.p.e.deletedAttr, r.p.e.ttlAttr)
	for i := range r.p.hidden {
		if !r.p.hidden[i].holdsFor(item, r.now) {
			return true
		}
	}
	return false
}

// holdsFor evaluates a condition that the library adds to queries.
func (c *cond) holdsFor(item Item, now time.Time) bool {
	switch c.op {
	case opNotExists:
		return item[c.attr] == nil
	case opExists:
		return item[c.attr] != nil
	}
	return !expired(item[c.subs[0].attr], now)
}

// notExpired is the condition that a time to live has not passed.
func notExpired(attr string) cond {
	return cond{op: opOr, subs: []cond{{op: opNotExists, attr: attr}, {op: opGt, attr: attr, vals: nowValues}}}
}

// expired reports whether a time to live has passed.
func expired(av types.AttributeValue, now time.Time) bool {
	n, ok := av.(*types.AttributeValueMemberN)
	if !ok {
		return false
	}
	seconds, err := strconv.ParseFloat(n.Value, 64)
	return err == nil && seconds <= float64(now.Unix())
}

// hidden reports whether reads do not see an item unless asked for: it was
// deleted softly, or its time to live has passed.
func (e *entity) hidden(item Item, now time.Time) bool {
	return e.trashed(item) || e.outlived(item, now)
}

// outlived reports whether the time to live of an item has passed.
func (e *entity) outlived(item Item, now time.Time) bool {
	return e.ttlAttr != "" && expired(item[e.ttlAttr], now)
}

// hidden is [entity.hidden] of a row.
func (w *row) hidden(e *entity, now time.Time) bool {
	return (e.deletedAttr != "" || e.ttlAttr != "") && e.hidden(w.pick(e.deletedAttr, e.ttlAttr), now)
}

// trashed reports whether an item was deleted softly.
func (e *entity) trashed(item Item) bool { return e.deletedAttr != "" && item[e.deletedAttr] != nil }

// Restore brings an item back that was deleted softly; one that was not is left
// alone. The key is what [Model.Delete] takes.
//
// It sends one UpdateItem. An entity with unique fields is read first, and its
// claims are taken again in one TransactWriteItems: a value that another item
// has taken since is an ErrUnique. (With softdelete=keepunique they were never
// given up, and one UpdateItem does.) No item with the key is an ErrNotFound.
//
// See "DynamoDB read and write operations" in the Amazon DynamoDB Developer Guide.
func (m Model[T]) Restore(ctx context.Context, key any) error {
	return model(m).writeKey(ctx, "Restore", key, (*DB).restore)
}

func (db *DB) restore(ctx context.Context, e *entity, key any) error {
	m, err := db.planRestore(ctx, e, key)
	if err != nil {
		return err
	}
	_, err = db.mutate(ctx, m)
	return err
}

// ForceDelete removes an item for good, whether or not it was deleted softly.
// It is what [Model.Delete] does for an entity without soft deletes, at the same
// cost.
func (m Model[T]) ForceDelete(ctx context.Context, key any) error {
	return model(m).writeKey(ctx, "ForceDelete", key, (*DB).forceDelete)
}

func (db *DB) forceDelete(ctx context.Context, e *entity, key any) error {
	m, err := db.planForceDelete(ctx, e, "ForceDelete", key)
	if err != nil {
		return err
	}
	_, err = db.mutate(ctx, m)
	return err
}

// Restore adds what [Model.Restore] sends.
func (t TxModel[T]) Restore(ctx context.Context, key any) error {
	return t.tx.restore(ctx, model(t.m), key)
}

func (tx *Tx) restore(ctx context.Context, m model, key any) error {
	return tx.addKey(ctx, "Restore", m.db, m.e, m.fault(), func() (*mutation, error) { return m.db.planRestore(ctx, m.e, key) })
}

// ForceDelete adds what [Model.ForceDelete] sends.
func (t TxModel[T]) ForceDelete(ctx context.Context, key any) error {
	return t.tx.forceDelete(ctx, model(t.m), key)
}

func (tx *Tx) forceDelete(ctx context.Context, m model, key any) error {
	return tx.addKey(ctx, "ForceDelete", m.db, m.e, m.fault(), func() (*mutation, error) {
		return m.db.planForceDelete(ctx, m.e, "ForceDelete", key)
	})
}

// planRestore plans [Model.Restore].
func (db *DB) planRestore(ctx context.Context, e *entity, key any, still ...Predicate) (*mutation, error) {
	if e.deletedAttr == "" {
		return nil, faultf(ErrInvalid, "%s has no soft deletes: add the trait `softdelete`", e.def.Name)
	}
	return db.planTrash(ctx, e, "Restore", key, false, still)
}

// planTrash plans a soft deletion or its reversal: an update of the time of
// deletion, of the index entries that depend on it, and of the claims, which a
// deleted item gives up. The item must still meet the predicates.
func (db *DB) planTrash(ctx context.Context, e *entity, op string, key any, trash bool, still []Predicate) (*mutation, error) {
	k, err := e.keyArg(key)
	if err != nil {
		return nil, err
	}
	known, err := e.knownBy(key)
	if err != nil {
		return nil, err
	}
	now := db.cfg.Clock()
	deletedAt, err := e.timestamp(e.deleted, now)
	if err != nil {
		return nil, err
	}
	version, versioned := e.versionOf(e.structArg(key))
	demands := e.touchedDemands([]string{e.deletedAttr})
	m := &mutation{e: e, op: op, key: k}
	if !e.def.KeepUnique {
		m.guards = e.uniqueAttrs()
	}
	for _, d := range demands {
		m.guards = append(m.guards, d.inputs()...)
	}
	slices.Sort(m.guards)
	m.guards = slices.Compact(m.guards)
	reads := e.trashReads(m.guards, known, demands)
	m.plan = planFunc(func(stored Item) ([]*write, bool, error) {
		switch {
		case reads && stored == nil:
			return nil, true, nil
		case stored != nil && len(stored) == 0 && trash:
			return nil, false, nil // nothing to delete
		case stored != nil && len(stored) == 0:
			return nil, false, ErrNotFound
		case stored != nil && e.trashed(stored) == trash:
			return nil, false, nil
		}
		up := &update{e: e, key: k}
		up.mustExist()
		if trash {
			name := up.b.Name(e.deletedAttr)
			up.u.Set(name, "if_not_exists("+name+", "+up.b.Value(deletedAt)+")")
		} else {
			up.setAttr(e.deletedAttr, nil)
		}
		if err := e.touchUpdate(up, now); err != nil {
			return nil, false, err
		}
		if versioned && version != 0 {
			up.conds = append(up.conds, e.versionCondition(&up.b, version))
		}
		after := maps.Clone(known)
		if stored != nil {
			after = withoutSealed(maps.Clone(stored))
			for _, attr := range m.guards {
				up.conds = append(up.conds, guardText(&up.b, stored, attr))
			}
		}
		if delete(after, e.deletedAttr); trash {
			after[e.deletedAttr] = deletedAt
		}
		if err := up.setEntries(demands, after); err != nil {
			return nil, false, err
		}
		met, err := renderEach(e, still, &up.b)
		if err != nil {
			return nil, false, err
		}
		up.conds = append(up.conds, met...)
		w := up.write(op, missingOr(ErrStaleVersion))
		w.landed = func(met Item) bool {
			if versioned && version != 0 && (met[e.versionAttr] == nil || !codec.Equal(met[e.versionAttr], numberValue(version+1))) {
				return false
			}
			at := met[e.deletedAttr]
			if !trash {
				return len(met) > 0 && at == nil
			}
			return at != nil && codec.Equal(at, deletedAt)
		}
		if e.def.KeepUnique {
			return []*write{w}, false, nil
		}
		claims, err := e.claimWrites(op, k, stored, after)
		return append([]*write{w}, claims...), false, err
	})
	if trash {
		db.hookStored(ctx, m, BeforeDelete, AfterDelete)
	} else {
		db.hookStored(ctx, m, BeforeRestore, AfterRestore)
	}
	return m, nil
}

// trashReads reports whether a soft deletion has to know the item: a value that
// is neither part of the key nor the mark of deletion decides an entry or a
// claim, or an entry holds the time of the first deletion.
func (e *entity) trashReads(guards []string, known Item, demands []*demand) bool {
	for _, d := range demands {
		for _, kt := range d.templates() {
			if kt.uses(e.deletedAttr) {
				return true
			}
		}
	}
	return slices.ContainsFunc(guards, func(attr string) bool { return attr != e.deletedAttr && known[attr] == nil })
}

// timestamp encodes a time as a generated timestamp, by its field where there
// is one.
func (e *entity) timestamp(f *codec.Field, t time.Time) (types.AttributeValue, error) {
	if f == nil {
		return stringValue(t.UTC().Format(timestampLayout)), nil
	}
	av, err := f.EncodeOperand(t)
	if err != nil {
		return nil, atField(f.Name, faultf(ErrValue, "%w", err))
	}
	return av, nil
}

// touchUpdate adds the time of the last change and the count of the version to
// an update.
func (e *entity) touchUpdate(up *update, now time.Time) error {
	if e.updatedAttr != "" {
		av, err := e.timestamp(e.updated, now)
		if err != nil {
			return err
		}
		up.setAttr(e.updatedAttr, av)
	}
	if e.versionAttr != "" {
		up.u.Add(up.b.Name(e.versionAttr), up.b.Value(numberValue(1)))
	}
	return nil
}
