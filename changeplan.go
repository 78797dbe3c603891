package dynorm

import (
	"context"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/dynorm/dynorm/internal/codec"
)

// changePlan is an update of one item by actions, under conditions.
type changePlan struct {
	e       *entity
	op      string
	key     keyTexts
	actions []action
	conds   []Predicate
	now     time.Time
	// known are attributes that the item has whatever is stored, or the
	// conditions do not hold; a nil value is one that it lacks. It is there
	// where something depends on what is stored.
	known Item
	// guards are the attributes that the write is planned on, unique those of
	// them that claims depend on. Demands are the index entries it touches.
	guards, unique []string
	demands        []*demand
	// noRead forbids reading the item.
	noRead bool
	// check shows the changes to the validator, nil without one.
	check func(actions []action, after Item) error
	// strict guards every one of guards, settled or not.
	strict bool

	// mutation carries the plan out; first is the update where the item is not
	// read.
	mutation mutation
	first    update
	room     [6]action
}

// planUpdate plans [Model.Update].
func (db *DB) planUpdate(ctx context.Context, e *entity, key any, changes []Change) (*mutation, error) {
	k, err := e.keyTextsArg(key)
	if err != nil {
		return nil, err
	}
	c := &changePlan{
		e: e, op: "Update", key: k, now: db.cfg.Clock(), check: db.changeCheck(ctx, e, "Update"),
		noRead: slices.ContainsFunc(changes, func(c Change) bool { return c.op == changeNoRead }),
	}
	actions, conds, err := e.resolveChanges(c.room[:0], changes)
	if err != nil {
		return nil, err
	}
	if len(actions) == 0 {
		return nil, faultf(ErrInvalid, "no changes given")
	}
	c.conds = conds
	if err := c.act(actions); err != nil {
		return nil, err
	}
	if err := c.know(key); err != nil {
		return nil, err
	}
	return db.mutationOf(ctx, c, actions), nil
}

// mutationOf is the mutation of a plan whose caller gave the actions.
func (db *DB) mutationOf(ctx context.Context, c *changePlan, actions []action) *mutation {
	m := &c.mutation
	*m = mutation{e: c.e, op: c.op, texts: c.key, guards: c.guards, plan: c}
	db.hookUpdate(ctx, m, c, actions)
	return m
}

// know finds what the key argument and the conditions say of the item, where the
// plan depends on it.
func (c *changePlan) know(key any) (err error) {
	if len(c.guards) == 0 {
		return nil
	}
	if c.known, err = c.e.knownBy(key); err != nil {
		return err
	}
	for i := range c.conds {
		if err := c.conds[i].tell(c.e, c.known); err != nil {
			return err
		}
	}
	return nil
}

// tell adds to known what a predicate says about whole attributes for certain.
func (p *Predicate) tell(e *entity, known Item) error {
	switch p.op {
	case opAnd:
		for i := range p.subs {
			if err := p.subs[i].tell(e, known); err != nil {
				return err
			}
		}
		return nil
	case opEq, opNotExists:
	default:
		return nil
	}
	c, err := p.resolve(e)
	if err != nil || len(c.field.Path()) > 1 {
		return err
	}
	if p.op == opNotExists {
		known[c.field.Attr] = nil
	} else {
		known[c.field.Attr] = c.vals[0]
	}
	return nil
}

// act sets the actions, and what follows from them: the index entries and
// claims that they touch and the attributes that these depend on.
func (c *changePlan) act(actions []action) error {
	var err error
	if c.actions, err = c.e.addStamps(actions, c.now); err != nil {
		return err
	}
	c.guards, c.unique = nil, nil
	var room [8]string
	touched := room[:0]
	for i := range c.actions {
		touched = append(touched, c.actions[i].attr())
	}
	c.demands = c.e.touchedDemands(touched)
	for _, d := range c.demands {
		c.guards = append(c.guards, d.inputs()...)
	}
	if unique := c.e.uniqueAttrs(); slices.ContainsFunc(unique, func(attr string) bool { return slices.Contains(touched, attr) }) {
		c.unique = unique
		c.guards = append(c.guards, unique...)
	}
	for i := range c.actions {
		if a := &c.actions[i]; slices.Contains(c.guards, a.attr()) {
			c.guards = append(c.guards, a.sources()...)
		}
	}
	c.guards = sortedSet(c.guards)
	return nil
}

func sortedSet(list []string) []string {
	slices.Sort(list)
	return slices.Compact(list)
}

func (c *changePlan) on(stored Item) ([]*write, bool, error) {
	if stored != nil && len(stored) == 0 {
		return nil, false, ErrNotFound
	}
	if stored == nil {
		if missing := c.missing(); len(missing) > 0 {
			if c.noRead {
				return nil, false, &NeedsFieldsError{Fields: missing}
			}
			return nil, true, nil
		}
	}
	e := c.e
	up := &c.first
	if stored != nil {
		up = new(update)
	}
	*up = update{e: e, texts: c.key}
	up.mustExist()
	for i := range c.actions {
		c.actions[i].render(&up.b, &up.u)
	}
	if e.updatedAttr != "" && e.updated == nil {
		up.setAttr(e.updatedAttr, stringValue(c.now.UTC().Format(timestampLayout)))
	}
	before := stored
	if stored == nil {
		before = maps.Clone(c.known)
		maps.DeleteFunc(before, func(_ string, av types.AttributeValue) bool { return av == nil })
	} else {
		settled := c.settled()
		for _, attr := range c.guards {
			if _, known := c.known[attr]; c.strict || !known && !settled[attr] {
				up.conds = append(up.conds, guardText(&up.b, stored, attr))
			}
		}
	}
	var after Item
	if stored != nil || len(c.guards) > 0 {
		var err error
		if after, err = c.after(before, stored != nil); err != nil {
			return nil, false, err
		}
	}
	if c.check != nil {
		var whole Item
		if stored != nil {
			whole = after
		}
		if err := c.check(c.actions, whole); err != nil {
			return nil, false, err
		}
	}
	if err := up.setEntries(c.demands, after); err != nil {
		return nil, false, err
	}
	if stored != nil {
		if err := checkItemSize(itemSize(after)); err != nil {
			return nil, false, err
		}
	}
	met, err := renderEach(e, c.conds, &up.b)
	if err != nil {
		return nil, false, err
	}
	up.conds = append(up.conds, met...)
	w := up.write(c.op, missingOrFailed)
	w.returnNew = true
	if stored != nil {
		w.after = after
		w.landed = c.landed(after, up)
	}
	if len(c.unique) == 0 {
		return up.alone(), false, nil
	}
	claims, err := e.claimWrites(c.op, e.keyItem(c.key), before, after)
	return append([]*write{w}, claims...), false, err
}

// settled are the attributes that end as they do whatever was stored, claims
// apart.
func (c *changePlan) settled() map[string]bool {
	settled := map[string]bool{}
	for i := range c.actions {
		a := &c.actions[i]
		settled[a.attr()] = a.constant() && !slices.Contains(c.unique, a.attr())
	}
	return settled
}

// missing lists the fields that the write is planned on and that are not known
// without reading the item.
func (c *changePlan) missing() []string {
	if len(c.guards) == 0 {
		return nil
	}
	var fields []string
	settled := c.settled()
	for _, attr := range c.guards {
		if _, known := c.known[attr]; known || settled[attr] {
			continue
		}
		name := attr
		if i, ok := c.e.codec.Lookup(attr); ok {
			name = c.e.codec.Field(i).Name
		}
		fields = append(fields, name)
	}
	return fields
}

// after returns the item as the actions leave it: of the whole stored item, or
// of the attributes that are known.
func (c *changePlan) after(before Item, whole bool) (Item, error) {
	e := c.e
	after := withoutSealed(maps.Clone(before))
	if err := applyAll(c.actions, before, after, whole); err != nil {
		return nil, err
	}
	if !whole {
		return after, nil
	}
	if e.updatedAttr != "" && e.updated == nil {
		after[e.updatedAttr] = stringValue(c.now.UTC().Format(timestampLayout))
	}
	for _, d := range c.demands {
		for _, attr := range d.attrs() {
			delete(after, attr)
		}
	}
	return after, nil
}

// landed tells an item that the actions were applied to.
func (c *changePlan) landed(after Item, up *update) func(Item) bool {
	attrs := slices.Concat(up.touched, c.guards)
	for i := range c.actions {
		attrs = append(attrs, c.actions[i].attr())
	}
	if c.e.versionAttr != "" {
		attrs = append(attrs, c.e.versionAttr)
	}
	return func(met Item) bool { return sameAttrs(attrs, after, met) }
}

// addStamps adds the time of the last change and the count of the version to
// the user's actions, where they are fields of the entity. A change of the time
// by the user stands.
func (e *entity) addStamps(actions []action, now time.Time) ([]action, error) {
	if e.updated != nil && !slices.ContainsFunc(actions, func(a action) bool { return a.attr() == e.updatedAttr }) {
		av, err := e.timestamp(e.updated, now)
		if err != nil {
			return nil, err
		}
		actions = append(actions, action{op: changeSet, field: e.updated, value: av})
	}
	if e.version != nil {
		actions = append(actions, action{op: changeAdd, field: e.version, value: numberValue(1)})
	}
	return actions, nil
}

// applyAll applies actions to after, which is a copy of before as far as that is
// known: as a whole, or in some attributes. Removals go last, those of list
// elements from the end, since DynamoDB counts them as they were.
func applyAll(actions []action, before, after Item, whole bool) error {
	var removals []*action
	for i := range actions {
		a := &actions[i]
		if !whole && !a.constant() {
			continue
		}
		if a.op == changeRemove {
			removals = append(removals, a)
			continue
		}
		value, err := a.result(before)
		if err != nil {
			return atField(a.field.Name, err)
		}
		if value == nil {
			continue
		}
		if emptySet(value) {
			removals = append(removals, a)
			continue
		}
		if err := setPath(after, a.field.Path(), value); err != nil {
			return atField(a.field.Name, err)
		}
	}
	slices.SortStableFunc(removals, func(a, b *action) int { return comparePaths(b.field.Path(), a.field.Path()) })
	for _, a := range removals {
		if err := setPath(after, a.field.Path(), nil); err != nil {
			return atField(a.field.Name, err)
		}
	}
	return nil
}

// emptySet reports whether a value is a set without elements, which DynamoDB
// keeps as no attribute at all.
func emptySet(av types.AttributeValue) bool {
	switch s := av.(type) {
	case *types.AttributeValueMemberSS:
		return len(s.Value) == 0
	case *types.AttributeValueMemberNS:
		return len(s.Value) == 0
	case *types.AttributeValueMemberBS:
		return len(s.Value) == 0
	}
	return false
}

func comparePaths(a, b []codec.Step) int {
	return slices.CompareFunc(a, b, func(x, y codec.Step) int {
		if x.Index != y.Index {
			return x.Index - y.Index
		}
		return strings.Compare(x.Name, y.Name)
	})
}

// setPath sets the value at a document path, or removes it when value is nil.
// What is on the way is copied, so that what the item shares with others stays
// as it is.
func setPath(item Item, path []codec.Step, value types.AttributeValue) error {
	attr := path[0].Name
	changed, err := setIn(item[attr], path[1:], value)
	switch {
	case err != nil:
		return err
	case changed == nil:
		delete(item, attr)
	default:
		item[attr] = changed
	}
	return nil
}

func setIn(av types.AttributeValue, path []codec.Step, value types.AttributeValue) (types.AttributeValue, error) {
	if len(path) == 0 {
		return value, nil
	}
	s := path[0]
	switch v := av.(type) {
	case *types.AttributeValueMemberM:
		if s.List {
			break
		}
		m := maps.Clone(v.Value)
		if m == nil {
			m = Item{}
		}
		changed, err := setIn(m[s.Name], path[1:], value)
		if err != nil {
			return nil, err
		}
		if m[s.Name] = changed; changed == nil {
			delete(m, s.Name)
		}
		return &types.AttributeValueMemberM{Value: m}, nil
	case *types.AttributeValueMemberL:
		if !s.List {
			break
		}
		list := slices.Clone(v.Value)
		var old types.AttributeValue
		if s.Index < len(list) {
			old = list[s.Index]
		}
		changed, err := setIn(old, path[1:], value)
		switch {
		case err != nil:
			return nil, err
		case changed == nil && s.Index < len(list):
			list = slices.Delete(list, s.Index, s.Index+1)
		case s.Index < len(list):
			list[s.Index] = changed
		case changed != nil:
			list = append(list, changed) // DynamoDB closes the gap
		}
		return &types.AttributeValueMemberL{Value: list}, nil
	}
	return nil, faultf(ErrInvalid, "the path leads through something that the item does not have")
}
