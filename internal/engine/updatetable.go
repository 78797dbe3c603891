package engine

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/dynorm/dynorm/internal/engine/wire"
)

type updateTableInput struct {
	name       wire.Text
	attrs      []attrInput
	attrsSet   bool
	billing    wire.Text
	throughput throughputInput
	onDemand   [2]wire.Int
	warm       warmInput
	changes    []indexChange
	changesSet bool
	protected  wire.Bool
	class      wire.Text
	stream     streamInput
	sse        wire.Bool
	replicas   []replicaChange
	strength   wire.Text // MultiRegionConsistency
	witnesses  bool
}

// indexChange is an entry of GlobalSecondaryIndexUpdates.
type indexChange struct {
	create, update, drop          indexInput
	createSet, updateSet, dropSet bool
}

func (in *updateTableInput) read(r *wire.Reader) error {
	return decode(r, "UpdateTableInput", func(name string) {
		switch name {
		case "TableName":
			in.name = r.Text()
		case "AttributeDefinitions":
			in.attrs, in.attrsSet = readAttrs(r)
		case "BillingMode":
			in.billing = r.Text()
		case "ProvisionedThroughput":
			in.throughput = readThroughput(r)
		case "OnDemandThroughput":
			in.onDemand = readOnDemand(r)
		case "WarmThroughput":
			in.warm = readWarm(r)
		case "GlobalSecondaryIndexUpdates":
			in.changesSet = r.List(func() { in.changes = append(in.changes, readIndexChange(r)) })
		case "ReplicaUpdates":
			r.List(func() { in.replicas = append(in.replicas, readReplicaChange(r)) })
		case "MultiRegionConsistency":
			in.strength = r.Text()
		case "GlobalTableWitnessUpdates":
			in.witnesses = r.List(r.Skip)
		case "DeletionProtectionEnabled":
			in.protected = r.Bool()
		case "TableClass":
			in.class = r.Text()
		case "StreamSpecification":
			in.stream = readStream(r)
		case "SSESpecification":
			in.sse = readSSE(r)
		default:
			r.Skip()
		}
	})
}

func readIndexChange(r *wire.Reader) (c indexChange) {
	r.Struct("GlobalSecondaryIndexUpdate", func(name string) {
		switch name {
		case "Create":
			c.create, c.createSet = readIndex(r, "CreateGlobalSecondaryIndexAction")
		case "Update":
			c.update, c.updateSet = readIndex(r, "UpdateGlobalSecondaryIndexAction")
		case "Delete":
			c.drop, c.dropSet = readIndex(r, "DeleteGlobalSecondaryIndexAction")
		default:
			r.Skip()
		}
	})
	return c
}

func (in *updateTableInput) check() error {
	var s shape
	s.attrs(in.attrs, "attributeDefinitions")
	s.definedTable(in.name, "tableName")
	s.throughput(in.throughput, "provisionedThroughput")
	for i, c := range in.changes {
		at := member("globalSecondaryIndexUpdates", i)
		if c.updateSet {
			s.required(c.update.name.Set, at+".update.indexName")
			s.index(c.update.name, at+".update.indexName")
			s.throughput(c.update.throughput, at+".update.provisionedThroughput")
		}
		if c.createSet {
			s.indexInput(c.create, at+".create", 8)
		}
		if c.dropSet {
			s.required(c.drop.name.Set, at+".delete.indexName")
			s.index(c.drop.name, at+".delete.indexName")
		}
	}
	s.enum(in.billing, "billingMode", "PROVISIONED", "PAY_PER_REQUEST")
	s.enum(in.class, "tableClass", "STANDARD", "STANDARD_INFREQUENT_ACCESS")
	s.stream(in.stream)
	for i, c := range in.replicas {
		if c.number == 1 {
			s.override(c.override, member("replicaUpdates", i)+"."+lowerFirst(c.kind))
		}
	}
	s.enum(in.strength, "multiRegionConsistency", "EVENTUAL", "STRONG")
	if err := s.err(); err != nil {
		return err
	}
	switch {
	case in.witnesses:
		return invalid("GlobalTableWitnessUpdates are not available: they are for MultiRegionConsistency STRONG, and the embedded engine replicates with EVENTUAL consistency")
	case in.strength.V == "STRONG":
		return invalid("MultiRegionConsistency STRONG is not available: the embedded engine replicates with EVENTUAL consistency")
	}
	if err := checkReplicas(in.replicas); err != nil {
		return err
	}
	if len(in.replicas) == 0 && in.nothing() {
		strength := "MultiRegionConsistency, "
		if in.strength.Set {
			strength = ""
		}
		return invalid("At least one of ProvisionedThroughput, BillingMode, UpdateStreamEnabled, GlobalSecondaryIndexUpdates, SSESpecification, ReplicaUpdates, "+
			"MultiAccountReplicaReady, ReplicaTransitRoleArn, %sDeletionProtectionEnabled, OnDemandThroughput, WarmThroughput or TableClass is required", strength)
	}
	onDemand := in.billing.V == "PAY_PER_REQUEST"
	switch {
	case in.changesSet && len(in.changes) == 0:
		return parameter("List of GlobalSecondaryIndexUpdates is empty")
	case onDemand && in.throughput.set:
		return parameter("Neither ReadCapacityUnits nor WriteCapacityUnits can be specified when BillingMode is PAY_PER_REQUEST")
	case in.throughput.read.V > maxUnits:
		return invalid("Given value %d for ReadCapacityUnits is out of bounds", in.throughput.read.V)
	case in.throughput.write.V > maxUnits:
		return invalid("Given value %d for WriteCapacityUnits is out of bounds", in.throughput.write.V)
	}
	names := map[string]bool{}
	created, dropped := 0, 0
	for _, c := range in.changes {
		set := 0
		for _, part := range []struct {
			set bool
			in  indexInput
		}{{c.createSet, c.create}, {c.updateSet, c.update}, {c.dropSet, c.drop}} {
			if !part.set {
				continue
			}
			set++
			if names[part.in.name.V] {
				return parameter("Only one global secondary index update per index is allowed simultaneously. Index: %s", part.in.name.V)
			}
			names[part.in.name.V] = true
		}
		if set > 1 {
			return parameter("Only one global secondary index action is allowed per GlobalSecondaryIndexUpdate object")
		}
		if set == 0 {
			return parameter("One of GlobalSecondaryIndexUpdate.Update, GlobalSecondaryIndexUpdate.Create, GlobalSecondaryIndexUpdate.Delete must not be null")
		}
		if c.createSet {
			created++
		}
		if c.dropSet {
			dropped++
		}
	}
	if err := in.checkTogether(created+dropped > 0); err != nil {
		return err
	}
	if created+dropped > 1 {
		return fault("LimitExceededException", "Subscriber limit exceeded: Only 1 online index can be created or deleted simultaneously per table")
	}
	return nil
}

// checkTogether reports changes that can't be in one request. indexes is true
// when an index is created or deleted.
func (in *updateTableInput) checkTogether(indexes bool) error {
	limits := in.onDemand[0].Set || in.onDemand[1].Set
	parts := 0
	for _, set := range []bool{in.sse.Set, in.class.Set, in.protected.Set, limits, in.warm.set, in.stream.set, in.throughput.set || in.billing.Set, len(in.changes) > 0, len(in.replicas) > 0} {
		if set {
			parts++
		}
	}
	units := in.throughput.set || in.billing.V == "PROVISIONED"
	switch {
	case parts < 2:
		return nil
	case in.sse.Set:
		return parameter("Server-Side Encryption modification must be the only operation in the request")
	case in.class.Set:
		return parameter("TableClass modification must be the only operation in the request")
	case in.protected.Set:
		return parameter("DeletionProtection modification must be the only operation in the request")
	case limits && (in.stream.set || in.warm.set):
		return parameter("OnDemandThroughput can only be combined with BillingMode in an UpdateTable request")
	case indexes && in.warm.set:
		return parameter("Create global secondary index cannot be specified when updating WarmThroughput")
	case in.warm.set && len(in.changes) == 0:
		return parameter("WarmThroughput must be the only operation in the request")
	case in.stream.set && units:
		return parameter("You cannot modify stream status while updating table IOPS")
	case indexes && units:
		return parameter("You cannot create or delete index while updating table IOPS")
	case indexes && in.stream.set:
		return parameter("You cannot create or delete index while changing stream status")
	}
	return nil
}

// nothing reports whether the request leaves the table itself as it is.
func (in *updateTableInput) nothing() bool {
	return !in.throughput.set && !in.billing.Set && len(in.changes) == 0 && !in.protected.Set && !in.class.Set && !in.stream.set && !in.sse.Set &&
		!in.onDemand[0].Set && !in.onDemand[1].Set && !in.warm.set
}

// takesTime reports whether the table is UPDATING for a while, and not only a
// part of it.
func (in *updateTableInput) takesTime() bool {
	return in.throughput.set || in.billing.Set || in.class.Set || in.stream.set || len(in.replicas) > 0 ||
		slices.ContainsFunc(in.changes, func(c indexChange) bool { return c.createSet || c.dropSet })
}

func (e *Engine) updateTable(r *wire.Reader) ([]byte, error) {
	var in updateTableInput
	if err := in.read(r); err != nil {
		return nil, err
	}
	if err := in.check(); err != nil {
		return nil, err
	}
	if len(in.replicas) == 0 {
		e.mu.Lock()
		defer e.mu.Unlock()
	} else {
		for _, c := range in.replicas {
			e.Region(c.region.V)
		}
		_, unlock := e.world.lock()
		defer unlock()
	}
	old, err := e.defined(in.name)
	if err != nil {
		return nil, err
	}
	now := e.cfg.Now()
	if old.status(now) != statusActive {
		return nil, old.inUse(now)
	}
	t := *old // The definition is changed on a copy, which is dropped when something is wrong with it.
	t.indexes = slices.Clone(old.indexes)
	if err := t.change(&in, e); err != nil {
		return nil, err
	}
	if err := t.checkQuotas(e.cfg.Region); err != nil {
		return nil, err
	}
	regroup, err := e.changeReplicas(&t, in.replicas, now)
	if err != nil {
		return nil, err
	}
	status := statusActive
	if in.takesTime() {
		status = statusUpdating
		t.updatedAt = now.Add(e.cfg.TableDelay)
	}
	e.setStream(&t, now)
	o := wire.Begin(nil)
	o.Object("TableDescription", func(o *wire.Object) { t.describe(o, now, status) })
	for _, x := range t.indexes {
		x.backfill = false
	}
	if e.cfg.TableDelay == 0 {
		t.dropIndexes(now)
	}
	*old = t
	regroup(old)
	e.keepTable(old)
	if shared := in.shared(); !shared.nothing() {
		e.broadcast(old, aspectUpdate, r.Since(0), now)
	}
	return o.End(), nil
}

// shared returns what of the request goes for the table's replicas too.
func (in updateTableInput) shared() updateTableInput {
	in.protected, in.class, in.stream = wire.Bool{}, wire.Text{}, streamInput{}
	return in
}

// updateReplica changes a replica as the request with the given body changed
// the table.
func (e *Engine) updateReplica(old *table, body string) {
	var in updateTableInput
	if in.read(wire.NewReader(body)) != nil {
		return
	}
	in = in.shared()
	t := *old
	t.indexes = slices.Clone(old.indexes)
	if t.change(&in, e) != nil {
		return // the replica is like that already
	}
	for _, x := range t.indexes {
		x.backfill = false
	}
	t.override(t.group.own)
	*old = t
}

// change carries out the request on t, a copy of the table with a slice of
// indexes of its own.
func (t *table) change(in *updateTableInput, e *Engine) error {
	now := e.cfg.Now()
	t.warm = t.warmth()
	switched := false
	if in.billing.Set {
		if in.billing.V == "PROVISIONED" && !in.throughput.set {
			return parameter("ProvisionedThroughput must be specified when BillingMode is PROVISIONED")
		}
		if switched = (in.billing.V == "PAY_PER_REQUEST") != t.onDemand; switched {
			if err := t.switchBilling(in.changes, now); err != nil {
				return err
			}
		}
	}
	if in.throughput.set {
		next := capacity{in.throughput.read.V, in.throughput.write.V}
		switch {
		case t.onDemand:
			return parameter("Neither ReadCapacityUnits nor WriteCapacityUnits can be specified when BillingMode is PAY_PER_REQUEST")
		case next == t.capacity && !switched && len(in.changes) == 0:
			return sameUnits("the table", "the table", next)
		}
		if next.read > t.capacity.read || next.write > t.capacity.write {
			t.increased = now
		}
		if next.read < t.capacity.read || next.write < t.capacity.write {
			t.decreased = now
		}
		t.capacity = next
	}
	if err := checkOnDemand(in.onDemand, whose{}, t.onDemand, true); err != nil {
		return err
	}
	t.onDemandLimit = setLimits(t.onDemandLimit, in.onDemand)
	if in.warm.set {
		warm, err := in.warm.raise(whose{}, t.warmth())
		if err != nil {
			return err
		}
		t.warm = warm
	}
	if in.protected.Set {
		t.protected = in.protected.V
	}
	if in.class.Set {
		t.class = in.class.V
	}
	if in.sse.Set {
		t.sse = in.sse.V
	}
	if err := t.changeStream(in.stream); err != nil {
		return err
	}
	for _, c := range in.changes {
		if c.createSet {
			if err := t.defineKeys(&c, in.attrs); err != nil {
				return err
			}
		}
		if err := t.changeIndex(c, e, switched); err != nil {
			return err
		}
	}
	return nil
}

// switchBilling takes the table to the other billing mode, in which limits on
// demand and provisioned units are begun anew.
func (t *table) switchBilling(changes []indexChange, now time.Time) error {
	t.onDemand = !t.onDemand
	t.onDemandLimit = [2]wire.Int{}
	if t.onDemand {
		t.billedAt = now
		t.capacity = capacity{}
	}
	for i, x := range t.indexes {
		if !x.global || !x.goneAt.IsZero() {
			continue
		}
		given := slices.ContainsFunc(changes, func(c indexChange) bool {
			return c.updateSet && c.update.name.V == x.name && c.update.throughput.set
		})
		if !t.onDemand && !given {
			return parameter("ProvisionedThroughput must be specified for index: %s", x.name)
		}
		y := *x
		y.warm = x.warm.higher(x.capacity.initial(!t.onDemand))
		y.onDemand = [2]wire.Int{}
		y.capacity = capacity{}
		t.replace(i, &y)
	}
	return nil
}

// replace puts the changed copy of an index in its place.
func (t *table) replace(i int, x *index) {
	t.indexes[i] = x
	t.pending = slices.Clone(t.pending)
	for j := range t.pending {
		if t.pending[j].index.name == x.name {
			t.pending[j].index = x
		}
	}
}

// sameUnits refuses a throughput that is what it was.
func sameUnits(what, of string, units capacity) error {
	return invalid("The provisioned throughput for %s will not change. The requested value equals the current value. "+
		"Current ReadCapacityUnits provisioned for %[2]s: %[3]d. Requested ReadCapacityUnits: %[3]d. "+
		"Current WriteCapacityUnits provisioned for %[2]s: %[4]d. Requested WriteCapacityUnits: %[4]d. "+
		"Refer to the Amazon DynamoDB Developer Guide for current limits and how to request higher limits.", what, of, units.read, units.write)
}

func (t *table) changeStream(s streamInput) error {
	if err := s.checkUpdate(); err != nil {
		return err
	}
	switch {
	case !s.set:
	case s.enabled.V && t.stream.Set:
		return invalid("Table already has an enabled stream: TableName: %s", t.name)
	case !s.enabled.V && !t.stream.Set:
		return invalid("Table has no stream to disable: TableName: %s", t.name)
	case s.enabled.V:
		t.stream = s.view
	default:
		t.stream = wire.Text{}
	}
	return nil
}

// defineKeys adds the definitions of a new index's key attributes to the
// table's. The request gives them, even those that the table has already; what
// else it defines is not looked at.
func (t *table) defineKeys(c *indexChange, given []attrInput) error {
	if len(given) == 0 {
		return parameter("AttributeDefinitions is not specified for index: %s", c.create.name.V)
	}
	if err := checkDistinct(given); err != nil {
		return err
	}
	keys := make([]string, len(c.create.keys))
	for i, k := range c.create.keys {
		keys[i] = k.name.V
	}
	attrs := resolveAttrs(given)
	for _, name := range keys {
		at := slices.IndexFunc(attrs, func(a attrDef) bool { return a.name == name })
		if at < 0 {
			return parameter("Some index key attributes are not defined in AttributeDefinitions. Keys: [%s], AttributeDefinitions: [%s]",
				strings.Join(keys, ", "), strings.Join(definedNames(attrs), ", "))
		}
		present := slices.IndexFunc(t.attrs, func(a attrDef) bool { return a.name == name })
		switch {
		case present < 0:
			t.attrs = append(slices.Clip(t.attrs), attrs[at])
		case t.attrs[present] != attrs[at]:
			return parameter("Attribute %s already has type %s and can't be defined as %s", name, t.attrs[present].kind, attrs[at].kind)
		}
	}
	return nil
}

func (t *table) changeIndex(c indexChange, e *Engine, switched bool) error {
	now := e.cfg.Now()
	at := func(name, verb string) (int, error) {
		switch i := slices.IndexFunc(t.indexes, func(x *index) bool { return x.name == name }); {
		case i < 0:
			return i, fault("ResourceNotFoundException", "Requested resource not found: Index "+name+" for table "+t.name)
		case !t.indexes[i].global:
			return i, invalid("Cannot %s an index that is not a GlobalSecondaryIndex: %s", verb, name)
		default:
			return i, nil
		}
	}
	switch {
	case c.createSet:
		name := c.create.name.V
		if t.index(name) != nil {
			return invalid("Attempting to create an index which already exists")
		}
		switch {
		case t.onDemand && c.create.throughput.set:
			return parameter("Neither ReadCapacityUnits nor WriteCapacityUnits can be specified for index: %s when BillingMode is PAY_PER_REQUEST", name)
		case !t.onDemand && !c.create.throughput.set:
			return parameter("Both ReadCapacityUnits and WriteCapacityUnits must be specified for index: %s", name)
		}
		made, err := t.resolveIndexes([]indexInput{c.create}, true, true)
		if err != nil {
			return err
		}
		if n := len(t.indexes); n-t.countLSIs() >= maxGSIs {
			return fault("LimitExceededException", "Subscriber limit exceeded: Number of global secondary indexes exceeds per-table limit of "+strconv.Itoa(maxGSIs))
		}
		x := made[0]
		x.readyAt = now.Add(e.cfg.TableDelay)
		x.backfill = true
		x.fill(t)
		t.indexes = slices.Insert(t.indexes, len(t.indexes)-t.countLSIs(), x)
	case c.dropSet:
		i, err := at(c.drop.name.V, "delete")
		if err != nil {
			return err
		}
		x := *t.indexes[i]
		x.goneAt = now.Add(e.cfg.TableDelay)
		e.wake(x.goneAt.UnixNano())
		t.indexes[i] = &x
		t.pending = slices.DeleteFunc(slices.Clone(t.pending), func(c change) bool { return c.index.name == x.name })
		t.attrs = slices.DeleteFunc(slices.Clone(t.attrs), func(a attrDef) bool {
			return !t.keys.has(a.name) && !slices.ContainsFunc(t.indexes, func(y *index) bool { return y.name != x.name && y.keys.has(a.name) })
		})
	case c.updateSet:
		i, err := at(c.update.name.V, "update")
		if err != nil {
			return err
		}
		x := *t.indexes[i]
		if err := t.updateIndex(&x, c.update, switched); err != nil {
			return err
		}
		t.replace(i, &x)
	}
	return nil
}

// updateIndex changes the throughput of x, a copy of an index of the table.
func (t *table) updateIndex(x *index, in indexInput, switched bool) error {
	limits := in.onDemand[0].Set || in.onDemand[1].Set
	switch {
	case t.onDemand && (in.throughput.set || !limits && !in.warm.set):
		return parameter("The only Updates for index: %s when TableThroughputMode is PAY_PER_REQUEST can be to OnDemandThroughput, WarmThroughput", x.name)
	case !t.onDemand && !in.throughput.set && !limits && !in.warm.set:
		return parameter("Both ReadCapacityUnits and WriteCapacityUnits must be specified for index: %s", x.name)
	case in.warm.set && !in.warm.read.Set && !in.warm.write.Set:
		return parameter("WarmThroughput must have at least one of ReadUnitsPerSecond or WriteUnitsPerSecond specified for index: %s", x.name)
	}
	if err := checkOnDemand(in.onDemand, whose{x.name}, t.onDemand, true); err != nil {
		return err
	}
	x.onDemand = setLimits(x.onDemand, in.onDemand)
	x.warm = t.warmthOf(x)
	if in.throughput.set {
		next := capacity{in.throughput.read.V, in.throughput.write.V}
		if next == x.capacity && !switched {
			return sameUnits("the index "+x.name, "index "+x.name, next)
		}
		x.capacity = next
	}
	if in.warm.set {
		warm, err := in.warm.raise(whose{x.name}, t.warmthOf(x))
		if err != nil {
			return err
		}
		x.warm = warm
	}
	return nil
}

func (t *table) countLSIs() (n int) {
	for _, x := range t.indexes {
		if !x.global {
			n++
		}
	}
	return n
}
