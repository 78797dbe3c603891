package engine

import (
	"slices"
	"time"

	"github.com/dynorm/dynorm/internal/engine/wire"
)

// globalSettings are what a request sets of a global table's replicas.
type globalSettings struct {
	billing  wire.Text
	writes   wire.Int
	indexes  []indexSetting
	replicas []replicaSetting
	scaling  bool // auto scaling is asked for
}

// indexSetting is what is set of an index: its writes in all regions, or its
// reads in one.
type indexSetting struct {
	name  wire.Text
	units wire.Int
}

// replicaSetting is what is set of the replica in one region.
type replicaSetting struct {
	region, class wire.Text
	reads         wire.Int
	indexes       []indexSetting
}

// field reads the named member if it is one of these.
func (g *globalSettings) field(r *wire.Reader, name string) {
	switch name {
	case "GlobalTableBillingMode":
		g.billing = r.Text()
	case "GlobalTableProvisionedWriteCapacityUnits":
		g.writes = r.Int("Long")
	case "GlobalTableProvisionedWriteCapacityAutoScalingSettingsUpdate":
		g.scaling = true
		r.Skip()
	case "GlobalTableGlobalSecondaryIndexSettingsUpdate":
		g.indexes = g.readIndexes(r, "ProvisionedWriteCapacityUnits")
	case "ReplicaSettingsUpdate":
		r.List(func() {
			var x replicaSetting
			r.Struct("ReplicaSettingsUpdate", func(name string) {
				switch name {
				case "RegionName":
					x.region = r.Text()
				case "ReplicaTableClass":
					x.class = r.Text()
				case "ReplicaProvisionedReadCapacityUnits":
					x.reads = r.Int("Long")
				case "ReplicaProvisionedReadCapacityAutoScalingSettingsUpdate":
					g.scaling = true
					r.Skip()
				case "ReplicaGlobalSecondaryIndexSettingsUpdate":
					x.indexes = g.readIndexes(r, "ProvisionedReadCapacityUnits")
				default:
					r.Skip()
				}
			})
			g.replicas = append(g.replicas, x)
		})
	default:
		r.Skip()
	}
}

func (g *globalSettings) readIndexes(r *wire.Reader, member string) (list []indexSetting) {
	r.List(func() {
		var x indexSetting
		r.Struct("GlobalSecondaryIndexSettingsUpdate", func(name string) {
			switch name {
			case "IndexName":
				x.name = r.Text()
			case member:
				x.units = r.Int("Long")
			default:
				g.scaling = g.scaling || name != "IndexName"
				r.Skip()
			}
		})
		list = append(list, x)
	})
	return list
}

func (g *globalSettings) shape(s *shape) {
	s.enum(g.billing, "globalTableBillingMode", "PROVISIONED", "PAY_PER_REQUEST")
	s.atLeast(g.writes, "globalTableProvisionedWriteCapacityUnits", 1)
	for i, x := range g.indexes {
		at := member("globalTableGlobalSecondaryIndexSettingsUpdate", i)
		s.required(x.name.Set, at+".indexName")
		s.atLeast(x.units, at+".provisionedWriteCapacityUnits", 1)
	}
	for i, x := range g.replicas {
		at := member("replicaSettingsUpdate", i)
		s.required(x.region.Set, at+".regionName")
		s.enum(x.class, at+".replicaTableClass", "STANDARD", "STANDARD_INFREQUENT_ACCESS")
		s.atLeast(x.reads, at+".replicaProvisionedReadCapacityUnits", 1)
		for j, y := range x.indexes {
			at := member(at+".replicaGlobalSecondaryIndexSettingsUpdate", j)
			s.required(y.name.Set, at+".indexName")
			s.atLeast(y.units, at+".provisionedReadCapacityUnits", 1)
		}
	}
}

// capacities is the throughput of a table and of its indexes by name.
type capacities struct {
	own     capacity
	indexes map[string]capacity
}

// next returns the throughput that the settings give to t, or what is wrong with
// it.
func (g *globalSettings) next(t regional) (c capacities, onDemand bool, err error) {
	onDemand = t.onDemand
	if g.billing.Set {
		onDemand = g.billing.V == "PAY_PER_REQUEST"
	}
	c = capacities{t.capacity, make(map[string]capacity)}
	for _, x := range t.indexesOf(true) {
		c.indexes[x.name] = x.capacity
	}
	set := g.writes.Set
	if g.writes.Set {
		c.own.write = g.writes.V
	}
	change := func(list []indexSetting, to func(c *capacity) *int64) error {
		for _, x := range list {
			of, ok := c.indexes[x.name.V]
			if !ok {
				return fault("IndexNotFoundException", "Requested resource not found: Index: "+x.name.V+" not found")
			}
			if x.units.Set {
				set = true
				*to(&of) = x.units.V
				c.indexes[x.name.V] = of
			}
		}
		return nil
	}
	if err := change(g.indexes, func(c *capacity) *int64 { return &c.write }); err != nil {
		return c, onDemand, err
	}
	for _, x := range g.replicas {
		if x.region.V != t.region() {
			continue
		}
		if x.reads.Set {
			set = true
			c.own.read = x.reads.V
		}
		if err := change(x.indexes, func(c *capacity) *int64 { return &c.read }); err != nil {
			return c, onDemand, err
		}
	}
	if onDemand {
		if set {
			return c, onDemand, parameter("Neither ReadCapacityUnits nor WriteCapacityUnits can be specified when BillingMode is PAY_PER_REQUEST")
		}
		return capacities{}, onDemand, nil
	}
	missing := func(c capacity) bool { return c.read == 0 || c.write == 0 }
	if missing(c.own) {
		return c, onDemand, parameter("ReadCapacityUnits and WriteCapacityUnits must both be specified when BillingMode is PROVISIONED")
	}
	for _, x := range t.indexesOf(true) {
		if missing(c.indexes[x.name]) {
			return c, onDemand, parameter("ProvisionedThroughput is not specified for index: %s", x.name)
		}
	}
	return c, onDemand, nil
}

func (e *Engine) updateGlobalTableSettings(r *wire.Reader) ([]byte, error) {
	var in globalInput
	if err := in.read(r, "UpdateGlobalTableSettingsInput"); err != nil {
		return nil, err
	}
	g := &in.settings
	var s shape
	in.shape(&s)
	g.shape(&s)
	if err := s.err(); err != nil {
		return nil, err
	}
	if g.scaling {
		return nil, invalid("Auto scaling settings are not available: the embedded engine scales nothing")
	}
	tables, unlock, err := e.global(in.name.V)
	if err != nil {
		return nil, err
	}
	defer unlock()
	for _, x := range g.replicas {
		if !slices.ContainsFunc(tables, func(t regional) bool { return t.region() == x.region.V }) {
			return nil, fault("ReplicaNotFoundException", "Global table '"+in.name.V+"' has no replica in region "+x.region.V)
		}
	}
	now := e.cfg.Now()
	for _, t := range tables { // What is wrong in one region changes none.
		if status := t.status(now); status != statusActive {
			return nil, fault("ResourceInUseException", "Attempt to change a resource which is still in use: Table is being "+inProgress[status]+": "+t.name)
		}
		if _, _, err := g.next(t); err != nil {
			return nil, err
		}
	}
	for _, t := range tables {
		c, onDemand, _ := g.next(t)
		if onDemand && !t.onDemand {
			t.billedAt = now
		}
		t.onDemand, t.capacity = onDemand, c.own
		for _, x := range t.indexesOf(true) {
			x.capacity = c.indexes[x.name]
		}
		for _, x := range g.replicas {
			if x.region.V == t.region() && x.class.Set {
				t.class = x.class.V
			}
		}
		t.updatedAt = now.Add(e.cfg.TableDelay)
		t.engine.keepTable(t.table)
	}
	return describeSettings(in.name.V, tables, statusUpdating, now), nil
}

func (e *Engine) describeGlobalTableSettings(r *wire.Reader) ([]byte, error) {
	var in globalInput
	if err := in.read(r, "DescribeGlobalTableSettingsInput"); err != nil {
		return nil, err
	}
	var s shape
	in.shape(&s)
	if err := s.err(); err != nil {
		return nil, err
	}
	tables, unlock, err := e.global(in.name.V)
	if err != nil {
		return nil, err
	}
	defer unlock()
	return describeSettings(in.name.V, tables, "", e.cfg.Now()), nil
}

// describeSettings returns the settings of a global table's replicas, which are
// in the given state, or if "" in their own.
func describeSettings(name string, tables []regional, status string, now time.Time) []byte {
	o := wire.Begin(nil)
	o.Text("GlobalTableName", name)
	o.List("ReplicaSettings", len(tables), func(dst []byte, i int) []byte {
		t := tables[i]
		o := wire.Begin(dst)
		o.Text("RegionName", t.region())
		shown := status
		if shown == "" {
			shown = t.status(now)
		}
		o.Text("ReplicaStatus", shown)
		o.Object("ReplicaBillingModeSummary", func(o *wire.Object) { o.Text("BillingMode", t.billing()) })
		o.Int("ReplicaProvisionedReadCapacityUnits", t.capacity.read)
		o.Int("ReplicaProvisionedWriteCapacityUnits", t.capacity.write)
		if list := t.indexesOf(true); len(list) > 0 {
			o.List("ReplicaGlobalSecondaryIndexSettings", len(list), func(dst []byte, i int) []byte {
				o := wire.Begin(dst)
				o.Text("IndexName", list[i].name)
				o.Text("IndexStatus", list[i].status(now))
				o.Int("ProvisionedReadCapacityUnits", list[i].capacity.read)
				o.Int("ProvisionedWriteCapacityUnits", list[i].capacity.write)
				return o.End()
			})
		}
		if t.class != "" {
			o.Object("ReplicaTableClassSummary", func(o *wire.Object) { o.Text("TableClass", t.class) })
		}
		return o.End()
	})
	return o.End()
}
