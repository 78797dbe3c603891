package engine

import (
	"slices"
	"time"

	"github.com/dynorm/dynorm/internal/engine/wire"
)

// Global tables of version 2017.11.29 are made of tables that are there, in
// several regions, and alike. Their items are replicated as those of the
// present version are ([group]); their definitions are each table's own.

// globalInput is a request about a global table.
type globalInput struct {
	name     wire.Text
	regions  []wire.Text
	set      bool
	changes  []replicaChange
	settings globalSettings
}

func (in *globalInput) read(r *wire.Reader, class string) error {
	return decode(r, class, func(name string) {
		switch name {
		case "GlobalTableName":
			in.name = r.Text()
		case "ReplicationGroup":
			in.set = r.List(func() {
				var region wire.Text
				r.Struct("Replica", func(name string) {
					if name == "RegionName" {
						region = r.Text()
						return
					}
					r.Skip()
				})
				in.regions = append(in.regions, region)
			})
		case "ReplicaUpdates":
			in.set = r.List(func() { in.changes = append(in.changes, readReplicaChange(r)) })
		default:
			in.settings.field(r, name)
		}
	})
}

func (in *globalInput) shape(s *shape) {
	s.required(in.name.Set, "globalTableName")
	s.index(in.name, "globalTableName")
}

// global locks all regions, and returns the tables of the named global table by
// region, in the order of regions, or the fault that there is none.
func (e *Engine) global(name string) (tables []regional, unlock func(), err error) {
	engines, unlock := e.world.lock()
	for _, there := range engines {
		if t, ok := there.tables.Get(name); ok && t.group != nil && !t.group.legacy.IsZero() {
			tables = append(tables, regional{t, there})
		}
	}
	if len(tables) == 0 {
		unlock()
		return nil, nil, fault("GlobalTableNotFoundException", "Global table with name: '"+name+"' does not exist.")
	}
	return tables, unlock, nil
}

// regional is a table and the engine of its region.
type regional struct {
	*table
	engine *Engine
}

func (t regional) region() string { return t.engine.cfg.Region }

// regroup makes the tables one global table.
func regroup(tables []regional, since time.Time) {
	for _, t := range tables {
		if t.group == nil {
			t.group = &group{legacy: since}
			t.engine.overlook(t.name)
		}
		t.group.others = nil
		for _, other := range tables {
			if other.engine != t.engine {
				t.group.others = append(t.group.others, replica{region: other.region(), readyAt: since})
			}
		}
		t.engine.keepTable(t.table)
	}
}

// candidate returns the region's table of the given name, which is to be part of
// a global table with the others.
func candidate(there *Engine, name string, others []regional) (regional, error) {
	t, ok := there.tables.Get(name)
	if !ok {
		return regional{}, noSource(name)
	}
	switch region := there.cfg.Region; {
	case t.group != nil:
		return regional{}, parameter("Table %s in region %s is part of a global table already", name, region)
	case t.stream.V != "NEW_AND_OLD_IMAGES":
		return regional{}, parameter("Table %s in region %s must have a stream of NEW_AND_OLD_IMAGES to be part of a global table", name, region)
	case t.items.Len() > 0:
		return regional{}, parameter("Table %s in region %s must be empty to be part of a global table", name, region)
	}
	for _, other := range others {
		if !t.alike(other.table) {
			return regional{}, parameter("Table %s has other keys or indexes in region %s than in region %s", name, there.cfg.Region, other.region())
		}
	}
	return regional{t, there}, nil
}

// alike reports whether both tables have the same keys, and indexes of the same
// names and keys.
func (t *table) alike(other *table) bool {
	same := func(a, b keySchema) bool {
		return slices.Equal(a.partition, b.partition) && slices.Equal(a.sort, b.sort)
	}
	return same(t.keys, other.keys) && len(t.indexes) == len(other.indexes) &&
		!slices.ContainsFunc(t.indexes, func(x *index) bool {
			y := other.index(x.name)
			return y == nil || x.global != y.global || !same(x.keys, y.keys)
		})
}

func (e *Engine) createGlobalTable(r *wire.Reader) ([]byte, error) {
	var in globalInput
	if err := in.read(r, "CreateGlobalTableInput"); err != nil {
		return nil, err
	}
	var s shape
	in.shape(&s)
	s.required(in.set, "replicationGroup")
	if err := s.err(); err != nil {
		return nil, err
	}
	if len(in.regions) == 0 {
		return nil, parameter("ReplicationGroup must name a region")
	}
	if name, ok := twice(in.regions, func(t wire.Text) string { return t.V }); ok {
		return nil, parameter("A region is twice in ReplicationGroup: %s", name)
	}
	for _, region := range in.regions {
		if !regionName.MatchString(region.V) {
			return nil, parameter("Unsupported region in ReplicationGroup: %s", region.V)
		}
		e.Region(region.V)
	}
	if _, unlock, err := e.global(in.name.V); err == nil {
		unlock()
		return nil, fault("GlobalTableAlreadyExistsException", "Global table with name: '"+in.name.V+"' already exists.")
	}
	_, unlock := e.world.lock()
	defer unlock()
	var tables []regional
	for _, region := range in.regions {
		t, err := candidate(e.Region(region.V), in.name.V, tables)
		if err != nil {
			return nil, err
		}
		tables = append(tables, t)
	}
	now := e.cfg.Now()
	regroup(tables, now)
	return e.describeGlobal(in.name.V, tables, statusCreating), nil
}

// describeGlobal returns the description of a global table, with its status.
func (e *Engine) describeGlobal(name string, tables []regional, status string) []byte {
	o := wire.Begin(nil)
	o.Object("GlobalTableDescription", func(o *wire.Object) {
		o.List("ReplicationGroup", len(tables), func(dst []byte, i int) []byte {
			o := wire.Begin(dst)
			o.Text("RegionName", tables[i].region())
			return o.End()
		})
		o.Text("GlobalTableArn", "arn:aws:dynamodb::"+e.cfg.Account+":global-table/"+name)
		o.Float("CreationDateTime", seconds(tables[0].group.legacy))
		o.Text("GlobalTableStatus", status)
		o.Text("GlobalTableName", name)
	})
	return o.End()
}

func (e *Engine) describeGlobalTable(r *wire.Reader) ([]byte, error) {
	var in globalInput
	if err := in.read(r, "DescribeGlobalTableInput"); err != nil {
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
	status := statusActive
	if tables[0].group.legacy.Add(e.cfg.TableDelay).After(e.cfg.Now()) {
		status = statusCreating
	}
	return e.describeGlobal(in.name.V, tables, status), nil
}

func (e *Engine) updateGlobalTable(r *wire.Reader) ([]byte, error) {
	var in globalInput
	if err := in.read(r, "UpdateGlobalTableInput"); err != nil {
		return nil, err
	}
	var s shape
	in.shape(&s)
	s.required(in.set, "replicaUpdates")
	if err := s.err(); err != nil {
		return nil, err
	}
	if err := checkReplicas(in.changes); err != nil {
		return nil, err
	}
	for _, c := range in.changes {
		e.Region(c.region.V)
	}
	tables, unlock, err := e.global(in.name.V)
	if err != nil {
		return nil, err
	}
	defer unlock()
	since := tables[0].group.legacy
	var gone []regional
	for _, c := range in.changes {
		at := slices.IndexFunc(tables, func(t regional) bool { return t.region() == c.region.V })
		switch {
		case c.kind == "Create" && at >= 0:
			return nil, fault("ReplicaAlreadyExistsException", "Failed to create a replica of global table '"+in.name.V+"': it has one in region "+c.region.V)
		case c.kind == "Create":
			if i := slices.IndexFunc(tables, func(t regional) bool { return t.items.Len() > 0 }); i >= 0 {
				return nil, parameter("Table %s in region %s must be empty for a replica to be added", in.name.V, tables[i].region())
			}
			t, err := candidate(e.Region(c.region.V), in.name.V, tables)
			if err != nil {
				return nil, err
			}
			tables = append(tables, t)
		case at < 0:
			return nil, fault("ReplicaNotFoundException", "Global table '"+in.name.V+"' has no replica in region "+c.region.V)
		default:
			gone = append(gone, tables[at])
			tables = slices.Delete(tables, at, at+1)
		}
	}
	if len(tables) == 0 {
		return nil, parameter("The last replica of a global table can't be removed: %s", in.name.V)
	}
	for _, t := range gone {
		t.group = nil
		t.engine.keepTable(t.table)
	}
	regroup(tables, since)
	return e.describeGlobal(in.name.V, tables, statusUpdating), nil
}

func (e *Engine) listGlobalTables(r *wire.Reader) ([]byte, error) {
	var start, region wire.Text
	var limit wire.Int
	err := decode(r, "ListGlobalTablesInput", func(name string) {
		switch name {
		case "ExclusiveStartGlobalTableName":
			start = r.Text()
		case "RegionName":
			region = r.Text()
		case "Limit":
			limit = r.Int("Integer")
		default:
			r.Skip()
		}
	})
	if err != nil {
		return nil, err
	}
	var s shape
	s.index(start, "exclusiveStartGlobalTableName")
	s.atLeast(limit, "limit", 1)
	if err := s.err(); err != nil {
		return nil, err
	}
	if !limit.Set {
		limit.V = 100
	}
	engines, unlock := e.world.lock()
	defer unlock()
	regions := make(map[string][]string)
	var names []string
	for _, there := range engines {
		there.tables.Scan(func(name string, t *table) bool {
			if t.group != nil && !t.group.legacy.IsZero() && name > start.V {
				regions[name] = append(regions[name], there.cfg.Region)
				names = append(names, name)
			}
			return true
		})
	}
	slices.Sort(names)
	names = slices.DeleteFunc(slices.Compact(names), func(name string) bool {
		return region.Set && !slices.Contains(regions[name], region.V)
	})
	more := len(names) > int(limit.V)
	if more {
		names = names[:limit.V]
	}
	o := wire.Begin(nil)
	o.List("GlobalTables", len(names), func(dst []byte, i int) []byte {
		o := wire.Begin(dst)
		o.Text("GlobalTableName", names[i])
		of := regions[names[i]]
		o.List("ReplicationGroup", len(of), func(dst []byte, i int) []byte {
			o := wire.Begin(dst)
			o.Text("RegionName", of[i])
			return o.End()
		})
		return o.End()
	})
	if more {
		o.Text("LastEvaluatedGlobalTableName", names[len(names)-1])
	}
	return o.End(), nil
}
