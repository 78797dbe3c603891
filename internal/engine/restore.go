package engine

import (
	"slices"
	"time"

	"github.com/dynorm/dynorm/internal/engine/wire"
)

// restored is where a restored table came from.
type restored struct {
	backup, table string    // ARNs; backup is "" for a point in time
	at            time.Time // of the state that was restored
}

// describe writes the RestoreSummary of a table that was restored.
func (r *restored) describe(o *wire.Object, going bool) {
	if r == nil {
		return
	}
	o.Object("RestoreSummary", func(o *wire.Object) {
		if r.backup != "" {
			o.Text("SourceBackupArn", r.backup)
		}
		o.Text("SourceTableArn", r.table)
		o.Float("RestoreDateTime", seconds(r.at))
		o.Bool("RestoreInProgress", going)
	})
}

// restoreInput is what a request to restore a table says of the new one.
type restoreInput struct {
	target           wire.Text
	billing          wire.Text
	throughput       throughputInput
	onDemand         [2]wire.Int
	gsis, lsis       []indexInput
	gsisSet, lsisSet bool
	sse              wire.Bool
}

// field reads the named member if it is one of these.
func (in *restoreInput) field(r *wire.Reader, name string) {
	switch name {
	case "TargetTableName":
		in.target = r.Text()
	case "BillingModeOverride":
		in.billing = r.Text()
	case "ProvisionedThroughputOverride":
		in.throughput = readThroughput(r)
	case "OnDemandThroughputOverride":
		in.onDemand = readOnDemand(r)
	case "GlobalSecondaryIndexOverride":
		in.gsisSet = r.List(func() {
			x, _ := readIndex(r, "GlobalSecondaryIndex")
			in.gsis = append(in.gsis, x)
		})
	case "LocalSecondaryIndexOverride":
		in.lsisSet = r.List(func() {
			x, _ := readIndex(r, "LocalSecondaryIndex")
			in.lsis = append(in.lsis, x)
		})
	case "SSESpecificationOverride":
		in.sse = readSSE(r)
	default:
		r.Skip()
	}
}

func (in *restoreInput) shape(s *shape) {
	s.required(in.target.Set, "targetTableName")
	s.index(in.target, "targetTableName")
	s.enum(in.billing, "billingModeOverride", "PROVISIONED", "PAY_PER_REQUEST")
	s.throughput(in.throughput, "provisionedThroughputOverride")
	for i, x := range in.gsis {
		s.indexInput(x, member("globalSecondaryIndexOverride", i), 8)
	}
	for i, x := range in.lsis {
		s.indexInput(x, member("localSecondaryIndexOverride", i), 2)
	}
}

// restore makes t, a copy of a table as it was, the table that the request
// asks for. The caller holds the lock.
func (e *Engine) restore(in *restoreInput, t *table, from restored, now time.Time) ([]byte, error) {
	if _, exists := e.tables.Get(in.target.V); exists {
		return nil, fault("TableAlreadyExistsException", "Table already exists: "+in.target.V)
	}
	// What is kept is the definition, the items and the encryption; tags,
	// streams, expiry and the like have to be set up again.
	t.tableDef = tableDef{
		name: in.target.V, attrs: t.attrs, keys: t.keys, onDemand: t.onDemand, capacity: t.capacity,
		onDemandLimit: t.onDemandLimit, class: t.class, sse: t.sse, restored: &from,
	}
	t.setTTL("")
	if err := in.override(t); err != nil {
		return nil, err
	}
	e.begin(t, now)
	e.adopt(t)
	o := wire.Begin(nil)
	o.Object("TableDescription", func(o *wire.Object) { t.describe(o, now, statusCreating) })
	return o.End(), nil
}

// override makes of t what the request wants otherwise.
func (in *restoreInput) override(t *table) error {
	if in.billing.Set {
		t.onDemand = in.billing.V == "PAY_PER_REQUEST"
	}
	if t.onDemand {
		if in.throughput.set {
			return parameter("Neither ReadCapacityUnits nor WriteCapacityUnits can be specified when BillingMode is PAY_PER_REQUEST")
		}
		t.capacity = capacity{}
	}
	if in.throughput.set {
		t.capacity = capacity{in.throughput.read.V, in.throughput.write.V}
	}
	if !t.onDemand && t.capacity == (capacity{}) {
		return parameter("ReadCapacityUnits and WriteCapacityUnits must both be specified when BillingMode is PROVISIONED")
	}
	for i, limit := range in.onDemand {
		if limit.Set {
			t.onDemandLimit[i] = limit
		}
	}
	if in.sse.Set {
		t.sse = in.sse.V
	}
	gsis, err := t.choose(in.gsis, in.gsisSet, true)
	if err != nil {
		return err
	}
	lsis, err := t.choose(in.lsis, in.lsisSet, false)
	if err != nil {
		return err
	}
	t.indexes = slices.Concat(gsis, lsis)
	for _, x := range gsis {
		switch {
		case t.onDemand:
			x.capacity = capacity{}
		case x.capacity == (capacity{}):
			return parameter("ProvisionedThroughput is not specified for index: %s", x.name)
		}
	}
	t.attrs = slices.DeleteFunc(slices.Clone(t.attrs), func(a attrDef) bool { return !slices.Contains(t.keyNames(), a.name) })
	return nil
}

// choose returns the table's indexes that an override names, or all if there
// is no override. Indexes can be left out, but not be changed or added.
func (t *table) choose(in []indexInput, set, global bool) ([]*index, error) {
	present := slices.DeleteFunc(t.indexesOf(global), func(x *index) bool { return !x.goneAt.IsZero() })
	if !set {
		return present, nil
	}
	kind := "LocalSecondaryIndexOverride"
	if global {
		kind = "GlobalSecondaryIndexOverride"
	}
	var chosen []*index
	for _, x := range in {
		def, err := resolveIndex(x, t.keys, t.attrs, global)
		if err != nil {
			return nil, err
		}
		at := slices.IndexFunc(present, func(y *index) bool { return y.name == def.name && y.like(&def) })
		if at < 0 {
			return nil, parameter("%s: index %s is not an index of the source table", kind, def.name)
		}
		if slices.Contains(chosen, present[at]) {
			return nil, parameter("Duplicate index name: %s", def.name)
		}
		if t.onDemand && x.throughput.set {
			return nil, t.checkIndexCapacity(x, global)
		}
		if x.throughput.set {
			present[at].capacity = def.capacity
		}
		for i, limit := range x.onDemand {
			if limit.Set {
				present[at].onDemand[i] = limit
			}
		}
		chosen = append(chosen, present[at])
	}
	return chosen, nil
}

// like reports whether both have the same keys and projection.
func (d *indexDef) like(other *indexDef) bool {
	sorted := func(names []string) []string { return slices.Sorted(slices.Values(names)) }
	return slices.Equal(d.keys.partition, other.keys.partition) && slices.Equal(d.keys.sort, other.keys.sort) &&
		d.projection.kind == other.projection.kind &&
		slices.Equal(sorted(d.projection.include), sorted(other.projection.include))
}

func (e *Engine) restoreTableFromBackup(r *wire.Reader) ([]byte, error) {
	var arn wire.Text
	var in restoreInput
	err := decode(r, "RestoreTableFromBackupInput", func(name string) {
		if name == "BackupArn" {
			arn = r.Text()
			return
		}
		in.field(r, name)
	})
	if err != nil {
		return nil, err
	}
	var s shape
	in.shape(&s)
	s.arn(arn, "backupArn", true)
	if err := s.err(); err != nil {
		return nil, err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	now := e.cfg.Now()
	b, err := e.backup(arn.V)
	if err != nil {
		return nil, err
	}
	if b.status(now) == statusCreating {
		return nil, fault("BackupInUseException", "Backup is being created: "+b.arn)
	}
	return e.restore(&in, b.table(), restored{b.arn, b.source.arn, b.created}, now)
}
