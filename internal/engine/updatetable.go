package engine

import (
	"slices"
	"strconv"
	"strings"

	"github.com/dynorm/dynorm/internal/engine/wire"
)

type updateTableInput struct {
	name       wire.Text
	attrs      []attrInput
	attrsSet   bool
	billing    wire.Text
	throughput throughputInput
	onDemand   [2]wire.Int
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
	s.table(in.name, "tableName")
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
	if err := checkName(in.name); err != nil {
		return err
	}
	onDemand := in.billing.V == "PAY_PER_REQUEST"
	switch {
	case len(in.replicas) == 0 && in.nothing():
		return invalid("At least one of ProvisionedThroughput, BillingMode, UpdateStreamEnabled, GlobalSecondaryIndexUpdates or SSESpecification or ReplicaUpdates is required")
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
		if set != 1 {
			return parameter("One of GlobalSecondaryIndexUpdate.Update, GlobalSecondaryIndexUpdate.Create, GlobalSecondaryIndexUpdate.Delete must not be null")
		}
		if c.createSet {
			created++
		}
		if c.dropSet {
			dropped++
		}
	}
	if created+dropped > 1 {
		return fault("LimitExceededException", "Subscriber limit exceeded: Only 1 online index can be created or deleted simultaneously per table")
	}
	return nil
}

// nothing reports whether the request leaves the table itself as it is.
func (in *updateTableInput) nothing() bool {
	return !in.throughput.set && !in.billing.Set && len(in.changes) == 0 && !in.protected.Set && !in.class.Set && !in.stream.set && !in.sse.Set &&
		!in.onDemand[0].Set && !in.onDemand[1].Set
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
	if status := old.status(now); status != statusActive {
		return nil, fault("ResourceInUseException", "Attempt to change a resource which is still in use: Table is being "+inProgress[status]+": "+old.name)
	}
	t := *old // The definition is changed on a copy, which is dropped when something is wrong with it.
	t.indexes = slices.Clone(old.indexes)
	if err := t.change(&in, e); err != nil {
		return nil, err
	}
	regroup, err := e.changeReplicas(&t, in.replicas, now)
	if err != nil {
		return nil, err
	}
	t.updatedAt = now.Add(e.cfg.TableDelay)
	e.setStream(&t, now)
	o := wire.Begin(nil)
	o.Object("TableDescription", func(o *wire.Object) { t.describe(o, now, statusUpdating) })
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
	if in.billing.Set {
		onDemand := in.billing.V == "PAY_PER_REQUEST"
		if !onDemand && t.onDemand && !in.throughput.set {
			return parameter("ReadCapacityUnits and WriteCapacityUnits must both be specified when BillingMode is PROVISIONED")
		}
		if onDemand && !t.onDemand {
			t.billedAt = now
			t.capacity = capacity{}
		}
		t.onDemand = onDemand
	}
	if in.throughput.set {
		next := capacity{in.throughput.read.V, in.throughput.write.V}
		switch {
		case t.onDemand:
			return parameter("Neither ReadCapacityUnits nor WriteCapacityUnits can be specified when BillingMode is PAY_PER_REQUEST")
		case next == t.capacity && !in.billing.Set && len(in.changes) == 0:
			return invalid("The provisioned throughput for the table will not change. The requested value equals the current value. "+
				"Current ReadCapacityUnits provisioned for the table: %[1]d. Requested ReadCapacityUnits: %[1]d. "+
				"Current WriteCapacityUnits provisioned for the table: %[2]d. Requested WriteCapacityUnits: %[2]d. "+
				"Refer to the Amazon DynamoDB Developer Guide for current limits and how to request higher limits.", next.read, next.write)
		}
		if next.read > t.capacity.read || next.write > t.capacity.write {
			t.increased = now
		}
		if next.read < t.capacity.read || next.write < t.capacity.write {
			t.decreased = now
		}
		t.capacity = next
	}
	for i, limit := range in.onDemand {
		if limit.Set {
			t.onDemandLimit[i] = limit
		}
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
	if in.attrsSet {
		if err := checkDistinct(in.attrs); err != nil {
			return err
		}
		if err := t.changeAttrs(resolveAttrs(in.attrs)); err != nil {
			return err
		}
	}
	for _, c := range in.changes {
		if err := c.checkDefined(in.attrs, t.attrs); err != nil {
			return err
		}
		if err := t.changeIndex(c, e); err != nil {
			return err
		}
	}
	if in.attrsSet {
		return t.checkAttrs()
	}
	return nil
}

func (t *table) changeStream(s streamInput) error {
	if err := s.check(); err != nil {
		return err
	}
	switch {
	case !s.set:
	case s.enabled.V && t.stream.Set:
		return parameter("Table already has an enabled stream: TableName: %s", t.name)
	case !s.enabled.V && !t.stream.Set:
		return parameter("Table doesn't have an enabled stream: TableName: %s", t.name)
	case s.enabled.V:
		t.stream = s.view
	default:
		t.stream = wire.Text{}
	}
	return nil
}

// changeAttrs takes new attribute definitions, which may add to the present
// ones but not change the type of one.
func (t *table) changeAttrs(attrs []attrDef) error {
	for _, a := range attrs {
		for _, b := range t.attrs {
			if a.name == b.name && a.kind != b.kind {
				return parameter("Attribute %s already has type %s and can't be defined as %s", a.name, b.kind, a.kind)
			}
		}
	}
	for _, b := range t.attrs {
		if !slices.Contains(attrs, b) {
			attrs = append(attrs, b)
		}
	}
	t.attrs = attrs
	return nil
}

// checkDefined reports key attributes of a new index that the request does not
// define, even if the table does.
func (c *indexChange) checkDefined(given []attrInput, present []attrDef) error {
	if !c.createSet {
		return nil
	}
	var keys, defined []string
	missing := false
	for _, k := range c.create.keys {
		keys = append(keys, k.name.V)
		missing = missing || !slices.ContainsFunc(given, func(a attrInput) bool { return a.name.V == k.name.V })
	}
	if !missing {
		return nil
	}
	for _, a := range given {
		defined = append(defined, a.name.V)
	}
	if len(given) == 0 {
		for _, a := range present {
			defined = append(defined, a.name)
		}
	}
	return parameter("Some index key attributes are not defined in AttributeDefinitions. Keys: [%s], AttributeDefinitions: [%s]",
		strings.Join(keys, ", "), strings.Join(defined, ", "))
}

func (t *table) changeIndex(c indexChange, e *Engine) error {
	now := e.cfg.Now()
	at := func(name string) int {
		return slices.IndexFunc(t.indexes, func(x *index) bool { return x.name == name && x.global })
	}
	switch {
	case c.createSet:
		if t.index(c.create.name.V) != nil {
			return invalid("Attempting to create an index which already exists")
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
		i := at(c.drop.name.V)
		if i < 0 {
			return errNoTable
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
		i := at(c.update.name.V)
		if i < 0 {
			return errNoTable
		}
		if t.onDemand && c.update.throughput.set {
			return parameter("Neither ReadCapacityUnits nor WriteCapacityUnits can be specified for index: %s when BillingMode is PAY_PER_REQUEST", c.update.name.V)
		}
		x := *t.indexes[i]
		if c.update.throughput.set {
			x.capacity = capacity{c.update.throughput.read.V, c.update.throughput.write.V}
		}
		t.indexes[i] = &x
		t.pending = slices.Clone(t.pending)
		for j := range t.pending {
			if t.pending[j].index.name == x.name {
				t.pending[j].index = &x
			}
		}
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
