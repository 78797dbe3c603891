package engine

import (
	"encoding/binary"
	"math"
	"regexp"
	"slices"
	"sync"
	"time"

	"github.com/tidwall/btree"

	"github.com/dynorm/dynorm/internal/engine/wire"
)

// group is what a table that is replicated knows of its replicas. What changed
// last wins: each item's last change has a stamp, deletions too, and a change
// that arrives with an older one is dropped. So all replicas are alike once
// all changes have arrived, in whatever order.
type group struct {
	legacy time.Time // if set, when the global table of version 2017.11.29 was created
	own    override
	others []replica
	stamps btree.Map[string, stamp] // by the item's place
}

// replica is the table in another region.
type replica struct {
	region   string
	readyAt  time.Time // until then it is CREATING
	override override
}

// stamp says which of two changes of an item is the later one.
type stamp struct {
	at     int64 // nanoseconds of the clock, or more to be after what it replaced
	region string
}

func (s stamp) after(other stamp) bool {
	return s.at > other.at || s.at == other.at && s.region > other.region
}

func (g *group) copy() *group {
	if g == nil {
		return nil
	}
	return &group{g.legacy, g.own, slices.Clone(g.others), *g.stamps.Copy()}
}

// arrival is a change on its way to a replica: of an item, or of the table.
type arrival struct {
	table string
	key   string
	new   *record // nil for a deletion
	stamp stamp

	// Instead, if set: what is changed of the table, and how.
	aspect, detail string
}

// The aspects of a table that its replicas follow.
const (
	aspectTTL    = "ttl"    // to the attribute that is the detail
	aspectUpdate = "update" // as by the request that is the detail
	aspectLeft   = "left"   // by the region that is the detail
)

// inbox is the changes on their way to a region, by the time of their arrival.
// It has a lock of its own, under which no other is taken.
type inbox struct {
	mu   sync.Mutex
	due  btree.Map[string, arrival]
	next uint64
}

// arrivalKey returns where an arrival is.
func arrivalKey(at int64, number uint64) string {
	return numberKey(uint64(max(at, 0))) + numberKey(number)
}

// expect adds a change that is on its way to e.
func (e *Engine) expect(at int64, a arrival) {
	b := &e.inbox
	b.mu.Lock()
	defer b.mu.Unlock()
	key := arrivalKey(at, b.next)
	b.next++
	b.due.Set(key, a)
	e.keepArrival(key, a) // before anyone can take it
}

// arrived removes and returns the arrivals that are due.
func (e *Engine) arrived(now time.Time) (list []arrival) {
	b := &e.inbox
	b.mu.Lock()
	defer b.mu.Unlock()
	for {
		key, a, ok := b.due.Min()
		if !ok || arrivalTime(key) > now.UnixNano() {
			return list
		}
		b.due.Delete(key)
		e.remove(inboxPart, key)
		list = append(list, a)
	}
}

// overlook forgets what is on its way to a table: it was meant for an earlier
// one of that name.
func (e *Engine) overlook(table string) {
	b := &e.inbox
	b.mu.Lock()
	defer b.mu.Unlock()
	b.due.Copy().Scan(func(key string, a arrival) bool {
		if a.table == table {
			b.due.Delete(key)
			e.remove(inboxPart, key)
		}
		return true
	})
}

// first returns when the next arrival is due.
func (b *inbox) first() int64 {
	b.mu.Lock()
	defer b.mu.Unlock()
	if key, _, ok := b.due.Min(); ok {
		return arrivalTime(key)
	}
	return math.MaxInt64
}

func (b *inbox) all() *btree.Map[string, arrival] {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.due.Copy()
}

func (b *inbox) set(due *btree.Map[string, arrival]) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.due = btree.Map[string, arrival]{}
	if due != nil {
		due.Scan(func(key string, a arrival) bool {
			b.due.Set(key, a)
			b.next = max(b.next, binary.BigEndian.Uint64([]byte(key[8:]))+1)
			return true
		})
	}
}

func arrivalTime(key string) int64 { return int64(binary.BigEndian.Uint64([]byte(key[:8]))) }

// replicate sends a change of an item to the table's replicas.
func (e *Engine) replicate(t *table, old, new *record, now time.Time) {
	if t.group == nil || e.landing {
		return
	}
	key := shownRecord(old, new).key
	last, _ := t.group.stamps.Get(key)
	s := stamp{max(now.UnixNano(), last.at+1), e.cfg.Region}
	t.group.stamps.Set(key, s)
	e.keepStamp(t, key, s)
	for _, r := range t.group.others {
		e.send(r.region, arrival{table: t.name, key: key, new: new, stamp: s}, now)
	}
}

// send puts a change on its way to another region.
func (e *Engine) send(region string, a arrival, now time.Time) {
	there := e.Region(region)
	var delay time.Duration
	if e.cfg.Mishaps.ReplicationDelay != nil {
		delay = e.cfg.Mishaps.ReplicationDelay(e.cfg.Region, region)
	}
	at := now.Add(delay).UnixNano()
	there.expect(at, a)
	there.wake(at)
}

// broadcast sends a change of an aspect of the table to its replicas.
func (e *Engine) broadcast(t *table, aspect, detail string, now time.Time) {
	if t.group == nil || (!t.group.legacy.IsZero() && aspect != aspectLeft) {
		return
	}
	for _, r := range t.group.others {
		e.send(r.region, arrival{table: t.name, aspect: aspect, detail: detail}, now)
	}
}

// follows changes an aspect of a replica.
func (e *Engine) follows(t *table, aspect, detail string, now time.Time) {
	switch aspect {
	case aspectTTL:
		t.setTTL(detail)
		e.wake(now.UnixNano())
	case aspectUpdate:
		e.updateReplica(t, detail)
	case aspectLeft:
		t.group.others = slices.DeleteFunc(slices.Clone(t.group.others), func(r replica) bool { return r.region == detail })
		if len(t.group.others) == 0 && t.group.legacy.IsZero() {
			t.group = nil
		}
	}
	e.keepTable(t)
}

// receive carries out the changes from other regions that are due, under the
// lock.
func (e *Engine) receive(now time.Time) {
	e.landing = true
	defer func() { e.landing = false }()
	for _, a := range e.arrived(now) {
		t, ok := e.tables.Get(a.table)
		if !ok || t.group == nil {
			continue
		}
		if a.aspect != "" {
			e.follows(t, a.aspect, a.detail, now)
			continue
		}
		if last, ok := t.group.stamps.Get(a.key); ok && !a.stamp.after(last) {
			continue
		}
		t.group.stamps.Set(a.key, a.stamp)
		e.keepStamp(t, a.key, a.stamp)
		old, _ := t.items.Get(a.key)
		e.commit(t, old, a.new, now, 0)
	}
}

// replicaChange is an entry of ReplicaUpdates.
type replicaChange struct {
	kind     string // Create, Update or Delete
	number   int    // of these that are set
	region   wire.Text
	override override
}

func readReplicaChange(r *wire.Reader) (c replicaChange) {
	r.Struct("ReplicationGroupUpdate", func(name string) {
		switch name {
		case "Create", "Update", "Delete":
			if r.Struct(name+"ReplicationGroupMemberAction", func(name string) {
				if name == "RegionName" {
					c.region = r.Text()
					return
				}
				c.override.field(r, name)
			}) {
				c.kind = name
				c.number++
			}
		default:
			r.Skip()
		}
	})
	return c
}

// regionName is the form of the names of regions.
var regionName = regexp.MustCompile(`^[a-z]{2}(-[a-z]+)+-[0-9]$`)

// checkReplicas reports what is wrong with the changes themselves.
func checkReplicas(changes []replicaChange) error {
	for _, c := range changes {
		switch {
		case c.number != 1:
			return parameter("One of ReplicationGroupUpdate.Update, ReplicationGroupUpdate.Create, ReplicationGroupUpdate.Delete must not be null")
		case !regionName.MatchString(c.region.V):
			return parameter("Unsupported region in ReplicaUpdates: %s", c.region.V)
		}
	}
	return nil
}

// changeReplicas carries out ReplicaUpdates on t, a copy of the table's
// definition. The caller holds the locks of all regions. What is to be done in
// other regions is done by the function returned, with the table itself, when
// nothing can fail any more.
func (e *Engine) changeReplicas(t *table, changes []replicaChange, now time.Time) (apply func(*table), err error) {
	if len(changes) == 0 {
		return func(*table) {}, nil
	}
	if t.group != nil && !t.group.legacy.IsZero() {
		return nil, parameter("Table is part of a global table of version 2017.11.29, which UpdateGlobalTable changes: %s", t.name)
	}
	var steps []func(*table)
	t.group = t.group.copy()
	for _, c := range changes {
		region := c.region.V
		if region == e.cfg.Region {
			return nil, invalid("Cannot add, delete, or update the local region through ReplicaUpdates. Use CreateTable, DeleteTable, or UpdateTable as required.")
		}
		at := -1
		if t.group != nil {
			at = slices.IndexFunc(t.group.others, func(r replica) bool { return r.region == region })
		}
		there := e.Region(region)
		switch {
		case c.kind != "Create" && at < 0:
			return nil, invalid("Replica specified in the Replica Update or Replica Delete action of the request was not found.")
		case c.kind == "Delete":
			t.group.others = slices.Delete(t.group.others, at, at+1)
			steps = append(steps, func(t *table) { there.leave(t.name, now) })
		case c.kind == "Update":
			if err := c.override.checkFor(t); err != nil {
				return nil, err
			}
			t.group.others[at].override = t.group.others[at].override.with(c.override)
			steps = append(steps, func(t *table) { there.overrideReplica(t.name, c.override) })
		case c.kind == "Create":
			if err := c.override.checkFor(t); err != nil {
				return nil, err
			}
			if _, exists := there.tables.Get(t.name); exists {
				return nil, parameter("Failed to create a the new replica of table with name: '%s' because one or more replicas already existed as tables.", t.name)
			}
			switch {
			case !t.stream.Set:
				if err := t.changeStream(streamInput{true, wire.Bool{V: true, Set: true}, wire.Text{V: "NEW_AND_OLD_IMAGES", Set: true}}); err != nil {
					return nil, err
				}
			case t.stream.V != "NEW_AND_OLD_IMAGES":
				return nil, parameter("Table must have a stream of NEW_AND_OLD_IMAGES to have replicas: %s", t.name)
			}
			if t.group == nil {
				t.group = &group{}
			}
			t.group.others = append(t.group.others, replica{region, now.Add(e.cfg.TableDelay), c.override})
			steps = append(steps, func(t *table) { there.join(t, e, c.override, now) })
		}
	}
	if t.group != nil && len(t.group.others) == 0 {
		t.group = nil
	}
	return func(t *table) {
		for _, step := range steps {
			step(t)
		}
		e.regroup(t)
	}, nil
}

// overrideReplica makes the named replica what it is to have otherwise.
func (e *Engine) overrideReplica(name string, v override) {
	if t, ok := e.tables.Get(name); ok {
		t.override(v)
	}
}

// join makes the engine's copy of t, a table of another region, with what is
// on its way to that one.
func (e *Engine) join(t *table, from *Engine, v override, now time.Time) {
	c := t.copy()
	c.catchUp()
	c.history, c.tags, c.restored, c.protected = nil, nil, nil, false
	c.policies, c.destinations, c.insights = nil, nil, nil
	c.log = nil
	c.override(v)
	e.begin(c, now)
	e.setStream(c, now)
	e.adopt(c)
	e.overlook(t.name)
	from.inbox.all().Scan(func(key string, a arrival) bool {
		if a.table == t.name {
			e.expect(arrivalTime(key), a)
		}
		return true
	})
	e.wake(now.UnixNano())
}

// leave deletes the engine's replica of the named table.
func (e *Engine) leave(name string, now time.Time) {
	t, ok := e.tables.Get(name)
	if !ok {
		return
	}
	t.group = nil
	e.endStream(t, now)
	e.discard(t, now)
}

// regroup tells the replicas of t of each other.
func (e *Engine) regroup(t *table) {
	if t.group == nil {
		return
	}
	all := append([]replica{{e.cfg.Region, t.readyAt, t.group.own}}, t.group.others...)
	for _, r := range t.group.others {
		if other, ok := e.Region(r.region).tables.Get(t.name); ok && other.group != nil {
			other.group.own = r.override
			other.group.others = slices.DeleteFunc(slices.Clone(all), func(o replica) bool { return o.region == r.region })
			e.Region(r.region).keepTable(other)
		}
	}
}

// forsake tells the replicas of t, which is deleted, that it is no more.
func (e *Engine) forsake(t *table, now time.Time) {
	e.broadcast(t, aspectLeft, e.cfg.Region, now)
	t.group = nil
}

// describe writes the replicas of a table.
func (g *group) describe(o *wire.Object, now time.Time) {
	if g == nil || !g.legacy.IsZero() {
		return
	}
	o.Text("GlobalTableVersion", "2019.11.21")
	o.List("Replicas", len(g.others), func(dst []byte, i int) []byte {
		o := wire.Begin(dst)
		o.Text("RegionName", g.others[i].region)
		status := statusActive
		if g.others[i].readyAt.After(now) {
			status = statusCreating
		}
		o.Text("ReplicaStatus", status)
		g.others[i].override.describe(&o)
		return o.End()
	})
}
