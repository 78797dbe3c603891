package dynorm

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/dynorm/dynorm/internal/expr"
	"github.com/dynorm/dynorm/internal/keytmpl"
)

// lookup plans a query that fixes every field of a uniqueness constraint: the
// claim of the value names the only item that can match. It is nil where there
// is no such constraint.
func (pl *planner) lookup(rejected []Candidate) *plan {
	if pl.opts.index != "" {
		return nil
	}
	for _, u := range pl.e.uniques {
		claim, used, ok := pl.claimOf(u)
		if !ok {
			continue
		}
		path := pl.e.paths()[0]
		b := branch{residual: unused(pl.conds, used)}
		b.pk = claim[pl.e.pk.attr].(*types.AttributeValueMemberS).Value
		b.sk = sortCond{op: sortEq, low: claimPrefix}
		pl.needs = u.fields
		p := &plan{
			e: pl.e, path: path, kind: OpGetItem, unique: u, branches: []branch{b}, forward: true, consistent: true,
			filtered: len(b.residual) > 0, hidden: pl.hidden, rejected: rejected,
		}
		pl.render(p, &p.branches[0])
		return p
	}
	return nil
}

// claimOf returns the key of the claim that the query's values make, and the
// conditions that it answers.
func (pl *planner) claimOf(u *unique) (claim Item, used []bool, ok bool) {
	used = make([]bool, len(pl.conds))
	parts := make([]keytmpl.Part, len(u.fields))
	for i, f := range u.fields {
		c := equality(pl.conds, attrID(f))
		if c < 0 {
			return nil, nil, false
		}
		part, err := f.PartOf(pl.conds[c].vals[0])
		if err != nil || part.IsMissing() {
			return nil, nil, false
		}
		parts[i], used[c] = part, !u.key.key.Lossy(i)
	}
	claim, err := u.claimOf(pl.e, parts)
	return claim, used, err == nil
}

// runUnique reads the item that the claim of a unique value names.
func (r *reader) runUnique(ctx context.Context, offer func(*stream) (bool, error)) error {
	st := &r.streams[0]
	if !st.more {
		return nil
	}
	st.more = false
	claim := st.b.wholeKey(r.p)
	owner, err := r.db.claimOwner(ctx, r.p.e, r.op, claim)
	if err != nil || owner == nil {
		return err
	}
	item, err := r.readOwner(ctx, owner)
	if err != nil || item == nil || r.hides(&row{content: content{item: item}}) || !r.p.unique.heldBy(r.p.e, claim, item) {
		return err
	}
	st.items = rowsOf([]Item{item})
	_, err = offer(st)
	return err
}

// readOwner reads the owner of a claim: by its key, or by a query where
// conditions are left to a filter.
func (r *reader) readOwner(ctx context.Context, owner Item) (Item, error) {
	b := &r.p.branches[0]
	if len(b.residual) == 0 {
		out, err := run(ctx, r.db, r.operation(OpGetItem, r.keysInput([]Item{owner})), getItemMethod)
		if err != nil || len(out.Item) == 0 {
			return nil, err
		}
		return out.Item, nil
	}
	var w expr.Builder
	pk, _ := owner[r.p.path.pk.attr].(*types.AttributeValueMemberS)
	sk, _ := owner[r.p.path.sk.attr].(*types.AttributeValueMemberS)
	key := branch{pk: pk.Value, sk: sortCond{op: sortEq, low: sk.Value}, residual: b.residual}
	key.request.key = key.sk.render(&w, r.p.path.pk.attr, key.pk, r.p.path.sk.attr)
	filter := cond{op: opAnd, subs: key.residual}
	key.request.filter, key.request.now = filter.render(&w), -1
	key.request.names, key.request.values = w.NameList(), w.ValueList()
	out, err := run(ctx, r.db, r.operation(OpQuery, r.queryInput(&key, nil, 0, false)), queryMethod)
	if err != nil || len(out.Items) == 0 {
		return nil, err
	}
	return out.Items[0], nil
}

// claimOwner reads a claim and returns the key of the item that holds it, nil
// where nobody does.
func (db *DB) claimOwner(ctx context.Context, e *entity, op string, claim Item) (Item, error) {
	consistent := true
	out, err := run(ctx, db, &Operation{
		Kind: OpGetItem, Name: op, Entity: e.def.Name,
		Input: &dynamodb.GetItemInput{TableName: &db.table, Key: claim, ConsistentRead: &consistent},
	}, getItemMethod)
	if err != nil || len(out.Item) == 0 {
		return nil, err
	}
	owner := Item{e.pk.attr: out.Item[ownerPKAttr], e.sk.attr: out.Item[ownerSKAttr]}
	if e.keyID(owner) == "" {
		return nil, nil // not a claim
	}
	return owner, nil
}

// heldBy reports whether an item still has the value of a claim.
func (u *unique) heldBy(e *entity, claim, item Item) bool {
	now, err := u.claim(e, item)
	return err == nil && now != nil && e.keyID(now) == e.keyID(claim)
}
