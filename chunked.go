package dynorm

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"unsafe"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"golang.org/x/sync/errgroup"
)

// ChunkedError is a [DB.Chunked] that ended early.
type ChunkedError struct {
	// Done is the number of writes that were written: the first that were added,
	// in their order. Left is that of the others, which were not, or not known to
	// be where the response to their transaction is lost or ctx ended it.
	// [Tx.Skip] leaves out those that are done when the rest is sent again.
	Done, Left int
	// Err is what ended it, a [*TxError] for a cancelled transaction.
	Err error
}

func (e *ChunkedError) Error() string {
	return fmt.Sprintf("%d writes done, %d left: %v", e.Done, e.Left, e.Err)
}

func (e *ChunkedError) carries() {}

// Unwrap returns ErrUnprocessed and what ended it.
func (e *ChunkedError) Unwrap() []error { return []error{ErrUnprocessed, e.Err} }

// Chunked runs fn as [DB.Transact] does and sends the writes it adds in as many
// transactions as they need, in their order, one after the other. It is not
// atomic: each transaction is, of up to 100 actions and 4 MB, with the claims of
// an item beside it. Two writes of one item go into different transactions; the
// second is planned before the first is written, so it meets the first as a
// writer that came between.
//
// The first transaction that fails ends it, with a [*ChunkedError] that says how
// many writes were done. The values of the others are as they were, and the same
// function sends them when it begins with [Tx.Skip]. It costs what Transact costs.
//
// See "Amazon DynamoDB Transactions: How it works" in the Amazon DynamoDB Developer Guide.
func (db *DB) Chunked(ctx context.Context, fn func(tx *Tx) error) (err error) {
	ctx, tr := db.begin(ctx, "Chunked", nil)
	defer tr.end(&err)
	tx, err := db.build(fn)
	if err == nil && tx.token != "" {
		err = faultf(ErrInvalid, "a token goes with one request: Chunked sends several")
	}
	if err != nil {
		tx.revert()
		return opError("Chunked", nil, err)
	}
	chunks, err := pack(tx.units)
	if err != nil {
		tx.revert()
		return opError("Chunked", nil, err)
	}
	done := tx.skipped
	for _, c := range chunks {
		_, err = db.carryOut(ctx, c, txOptions{always: true, name: "Chunked"})
		if err == nil || written(err) {
			done += len(c)
		}
		if err != nil {
			break
		}
	}
	if err == nil {
		return nil
	}
	left := tx.units[done-tx.skipped:]
	for _, u := range slices.Backward(left) {
		u.revert()
	}
	return opError("Chunked", nil, &ChunkedError{Done: done, Left: len(left), Err: bare(err)})
}

// pack cuts units, in their order, into transactions.
func pack(units []*unit) ([][]*unit, error) {
	var (
		chunks        [][]*unit
		chunk         []*unit
		actions, size int
		seen          map[string]bool
	)
	for _, u := range units {
		if err := checkTx(u.writes); err != nil {
			return nil, opError(u.m.op, u.m.e, err)
		}
		bytes := sizes(u.writes, (*write).size)
		again := slices.ContainsFunc(u.writes, func(w *write) bool { return seen[w.id()] })
		if again || actions+len(u.writes) > maxTxActions || size+bytes > maxTxSize {
			chunks = append(chunks, chunk)
			chunk, actions, size, seen = nil, 0, 0, nil
		}
		if seen == nil {
			seen = map[string]bool{}
		}
		chunk, actions, size = append(chunk, u), actions+len(u.writes), size+bytes
		for _, w := range u.writes {
			seen[w.id()] = true
		}
	}
	if len(chunk) > 0 {
		chunks = append(chunks, chunk)
	}
	return chunks, nil
}

// transactMany plans a write for each value and sends them in transactions, up
// to [Config.Concurrency] at a time. A transaction that is cancelled because of
// some of its values is sent again without them.
func (m model) transactMany(ctx context.Context, op string, values []unsafe.Pointer, plan valuePlan) error {
	db := m.db
	if db.cfg.PlainBatches {
		return faultf(ErrInvalid, "%s needs transactions or conditions for %s, which Config.PlainBatches refuses: write the values one by one", op, m.e.def.Name)
	}
	var units []*unit
	valueOf := map[*unit]unsafe.Pointer{}
	last := map[string]int{} // key to place in units
	var be batchFault
	fail := func(err error) error {
		for _, u := range slices.Backward(units) {
			u.revert()
		}
		return err
	}
	for _, v := range values {
		undo := m.keep(v)
		mu, err := plan(db, ctx, m.e, v)
		if err != nil {
			undo()
			return fail(err)
		}
		u := &unit{m: mu, undo: undo}
		valueOf[u] = v
		id := mu.id()
		i, twice := last[id]
		switch {
		case twice && op == "CreateMany":
			undo()
			be.failed = append(be.failed, batchFailure{v, opError("Create", m.e, ErrExists)})
		case twice:
			units[i].revert()
			units[i] = u // the later stands
		default:
			last[id] = len(units)
			units = append(units, u)
		}
	}
	if unread, err := db.planAll(ctx, m.e, op, units); err != nil {
		if unread {
			err = m.maker.batchError(&batchFault{left: values, err: bare(err)})
		}
		return fail(err)
	}
	chunks, err := pack(units)
	if err != nil {
		return fail(err)
	}
	outcomes := make([]map[*unit]error, len(chunks))
	var g errgroup.Group
	g.SetLimit(db.cfg.Concurrency)
	for i, c := range chunks {
		g.Go(func() error {
			outcomes[i] = db.carryOutEach(ctx, c, txOptions{name: op})
			return nil
		})
	}
	_ = g.Wait() // the errors are in outcomes
	var ended error
	for i, c := range chunks {
		for _, u := range c {
			err := outcomes[i][u]
			if err == nil {
				continue
			}
			if !written(err) {
				u.revert()
			}
			if refused(err) {
				be.failed = append(be.failed, batchFailure{valueOf[u], opError(u.m.op, m.e, err)})
				continue
			}
			be.left = append(be.left, valueOf[u])
			if ended == nil {
				ended = err
			}
		}
	}
	if len(be.left) == 0 && len(be.failed) == 0 {
		return nil
	}
	if be.err = bare(ended); ended == nil {
		be.err = bare(be.failed[0].err)
	}
	return m.maker.batchError(&be)
}

// bare takes the name of an operation off an error that another one is to carry.
func bare(err error) error {
	if oe := outerError(err); oe != nil {
		return oe.Err
	}
	return err
}

// refused reports whether an error is about one write alone.
func refused(err error) bool {
	return errors.Is(err, ErrConditionFailed) || errors.Is(err, ErrNotFound) || written(err)
}

// planAll plans units, reading the items that their plans need in batches. It
// reports whether it is the reading that failed.
func (db *DB) planAll(ctx context.Context, e *entity, op string, units []*unit) (unread bool, _ error) {
	var reads []*unit
	var keys []Item
	for _, u := range units {
		writes, needsItem, err := u.m.plan.on(nil)
		if err != nil {
			return false, err
		}
		if u.writes = writes; needsItem {
			reads, keys = append(reads, u), append(keys, u.m.keyItem())
		}
	}
	items, err := db.batchGetItems(ctx, e, op, keys, types.KeysAndAttributes{ConsistentRead: new(true)})
	if err != nil {
		return true, err
	}
	byID := make(map[string]Item, len(items))
	for _, item := range items {
		byID[e.keyID(item)] = item
	}
	for _, u := range reads {
		u.stored = orEmpty(byID[u.m.id()])
		if u.writes, _, err = u.m.plan.on(u.stored); err != nil {
			return false, err
		}
	}
	return false, nil
}

// carryOutEach is carryOut for units that do not depend on each other: it sends
// them together, again without those that were refused and apart from those that
// met other transactions, until ctx ends, and returns the errors by unit.
func (db *DB) carryOutEach(ctx context.Context, units []*unit, tx txOptions) map[*unit]error {
	errs := map[*unit]error{}
	tx.apart = true
	for groups := [][]*unit{units}; len(groups) > 0; {
		group := groups[0]
		groups = groups[1:]
		_, err := db.carryOut(ctx, group, tx)
		if err == nil {
			continue
		}
		if written(err) {
			errs[group[0]] = err // only the hook failed
			continue
		}
		if again, packErr := pack(group); packErr == nil && len(again) > 1 {
			groups = append(groups, again...) // planned anew, they do not go together any more
			continue
		}
		bad := refusals(group, err, refused)
		met := refusals(group, err, func(err error) bool { return errors.Is(err, ErrConflict) || errors.Is(err, ErrThrottled) })
		if ended := ctx.Err(); ended != nil && !errors.Is(err, ended) {
			err = fmt.Errorf("%w: %w", ended, err) // that is why it is not sent again
		}
		if len(bad) == 0 && (len(met) == 0 || len(group) == 1 || ctx.Err() != nil) {
			for _, u := range group {
				errs[u] = err
			}
			continue
		}
		var rest, later []*unit
		for _, u := range group {
			switch {
			case bad[u] != nil:
				errs[u] = bad[u]
			case met[u] != nil:
				later = append(later, u)
			default:
				rest = append(rest, u)
			}
		}
		if len(rest) == 0 && len(bad) == 0 {
			rest, later = later[:len(later)/2], later[len(later)/2:]
		}
		for _, g := range [][]*unit{rest, later} {
			if len(g) > 0 {
				groups = append(groups, g)
			}
		}
	}
	return errs
}

// refusals returns the units that failed a request for a reason that counts,
// with the first of them.
func refusals(units []*unit, err error, counts func(error) bool) map[*unit]error {
	bad := map[*unit]error{}
	reasons := failures(err)
	offset := 0
	for _, u := range units {
		end := offset + len(u.writes)
		for _, r := range reasons {
			if r.Action >= offset && r.Action < end && counts(r.Err) && bad[u] == nil {
				bad[u] = r.Err
			}
		}
		offset = end
	}
	return bad
}
