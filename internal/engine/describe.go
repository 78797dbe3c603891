package engine

import (
	"slices"
	"strings"
	"time"

	"github.com/dynorm/dynorm/internal/engine/value"
	"github.com/dynorm/dynorm/internal/engine/wire"
)

// The states of tables and indexes.
const (
	statusCreating = "CREATING"
	statusActive   = "ACTIVE"
	statusUpdating = "UPDATING"
	statusDeleting = "DELETING"
)

var inProgress = map[string]string{statusCreating: "created", statusUpdating: "updated", statusDeleting: "deleted"}

func kindOf(name string) value.Kind { return value.KindOf(name) }

// status returns the table's state at the given time.
func (t *table) status(now time.Time) string {
	switch {
	case t.readyAt.After(now):
		return statusCreating
	case !t.goneAt.IsZero():
		return statusDeleting
	case t.updatedAt.After(now):
		return statusUpdating
	}
	return statusActive
}

// inUse returns the refusal of a request that has to wait for the table.
func (t *table) inUse(now time.Time) error {
	return fault("ResourceInUseException", "Attempt to change a resource which is still in use: Table is being "+inProgress[t.status(now)]+": "+t.name)
}

// status returns the index's state at the given time.
func (x *index) status(now time.Time) string {
	switch {
	case !x.goneAt.IsZero():
		return statusDeleting
	case x.readyAt.After(now):
		return statusCreating
	}
	return statusActive
}

func seconds(t time.Time) float64 { return float64(t.UnixMilli()) / 1000 }

// describe writes the table's description. A status other than "" is shown
// instead of the present one.
func (t *table) describe(o *wire.Object, now time.Time, status string) {
	creating := status == statusCreating
	if status == "" {
		status = t.status(now)
	}
	attrs := slices.SortedFunc(slices.Values(t.attrs), func(a, b attrDef) int { return strings.Compare(a.name, b.name) })
	o.List("AttributeDefinitions", len(attrs), func(dst []byte, i int) []byte {
		a := wire.Begin(dst)
		a.Text("AttributeName", attrs[i].name)
		a.Text("AttributeType", attrs[i].kind.String())
		return a.End()
	})
	o.Text("TableName", t.name)
	describeKeys(o, t.keys)
	o.Text("TableStatus", status)
	o.Float("CreationDateTime", seconds(t.created))
	o.Object("ProvisionedThroughput", func(o *wire.Object) {
		if !t.increased.IsZero() {
			o.Float("LastIncreaseDateTime", seconds(t.increased))
		}
		if !t.decreased.IsZero() {
			o.Float("LastDecreaseDateTime", seconds(t.decreased))
		}
		describeCapacity(o, t.capacity)
	})
	o.Int("TableSizeBytes", t.bytes)
	o.Int("ItemCount", int64(t.items.Len()))
	o.Text("TableArn", t.arn)
	o.Text("TableId", t.id)
	if !t.billedAt.IsZero() {
		o.Object("BillingModeSummary", func(o *wire.Object) {
			o.Text("BillingMode", t.billing())
			if !creating {
				o.Float("LastUpdateToPayPerRequestDateTime", seconds(t.billedAt))
			}
		})
	}
	describeOnDemand(o, t.onDemandLimit)
	switch {
	case !creating:
		describeWarm(o, t.warmth(), statusActive)
	case t.warm != capacity{}:
		describeWarm(o, t.warmth(), statusUpdating)
	}
	t.describeIndexes(o, "LocalSecondaryIndexes", false, now, creating)
	t.describeIndexes(o, "GlobalSecondaryIndexes", true, now, creating)
	if t.stream.Set {
		o.Object("StreamSpecification", func(o *wire.Object) {
			o.Bool("StreamEnabled", true)
			o.Text("StreamViewType", t.stream.V)
		})
	}
	if t.log != nil {
		o.Text("LatestStreamLabel", t.log.label)
		o.Text("LatestStreamArn", t.log.arn)
	}
	if t.sse {
		o.Object("SSEDescription", func(o *wire.Object) {
			o.Text("Status", "ENABLED")
			o.Text("SSEType", "KMS")
		})
	}
	t.group.describe(o, now)
	t.restored.describe(o, t.readyAt.After(now) || creating)
	if t.class != "" {
		o.Object("TableClassSummary", func(o *wire.Object) { o.Text("TableClass", t.class) })
	}
	o.Bool("DeletionProtectionEnabled", t.protected)
}

func describeCapacity(o *wire.Object, c capacity) {
	o.Int("NumberOfDecreasesToday", 0)
	o.Int("ReadCapacityUnits", c.read)
	o.Int("WriteCapacityUnits", c.write)
}

func describeOnDemand(o *wire.Object, limits [2]wire.Int) {
	if !limits[0].Set && !limits[1].Set {
		return
	}
	o.Object("OnDemandThroughput", func(o *wire.Object) {
		if limits[0].Set {
			o.Int("MaxReadRequestUnits", limits[0].V)
		}
		if limits[1].Set {
			o.Int("MaxWriteRequestUnits", limits[1].V)
		}
	})
}

func (t *table) describeIndexes(o *wire.Object, name string, global bool, now time.Time, creating bool) {
	list := t.indexesOf(global)
	if len(list) == 0 {
		return
	}
	o.List(name, len(list), func(dst []byte, i int) []byte {
		x := list[i]
		o := wire.Begin(dst)
		o.Text("IndexName", x.name)
		describeKeys(&o, x.keys)
		x.describeProjection(&o)
		if global {
			status := x.status(now)
			if creating || x.backfill {
				status = statusCreating
			}
			o.Text("IndexStatus", status)
			if x.backfill || (status == statusCreating && t.readyAt.Before(x.readyAt)) {
				o.Bool("Backfilling", !x.backfill) // at first there is only room made for it
			}
			o.Object("ProvisionedThroughput", func(o *wire.Object) { describeCapacity(o, x.capacity) })
			describeOnDemand(&o, x.onDemand)
			if !creating {
				warm := statusActive
				if status == statusCreating {
					warm = statusUpdating
				}
				describeWarm(&o, t.warmthOf(x), warm)
			}
		}
		o.Int("IndexSizeBytes", x.bytes)
		o.Int("ItemCount", int64(x.tree.Len()))
		o.Text("IndexArn", t.arn+"/index/"+x.name)
		return o.End()
	})
}
