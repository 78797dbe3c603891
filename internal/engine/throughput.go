package engine

import (
	"fmt"

	"github.com/dynorm/dynorm/internal/engine/wire"
)

// The quotas of an account as it begins with, which DescribeLimits tells.
const (
	maxTableUnits   = 40_000
	maxAccountUnits = 80_000
)

// initialOnDemand is what a table on demand can serve from the start, a second.
var initialOnDemand = capacity{12_000, 4_000}

// warmInput is a WarmThroughput as it came in.
type warmInput struct {
	set         bool
	read, write wire.Int
}

func readWarm(r *wire.Reader) (w warmInput) {
	w.set = r.Struct("WarmThroughput", func(name string) {
		switch name {
		case "ReadUnitsPerSecond":
			w.read = r.Int("Long")
		case "WriteUnitsPerSecond":
			w.write = r.Int("Long")
		default:
			r.Skip()
		}
	})
	return w
}

// whose names a table or an index in messages.
type whose struct{ index string }

func (w whose) of(sep string) string {
	if w.index == "" {
		return "table"
	}
	return "index" + sep + w.index
}

// higher returns the larger of each.
func (c capacity) higher(d capacity) capacity {
	return capacity{max(c.read, d.read), max(c.write, d.write)}
}

// initial returns the warm throughput that a table or index has at least.
func (c capacity) initial(onDemand bool) capacity {
	if onDemand {
		return initialOnDemand
	}
	return c
}

// warmth returns what the table can serve, a second: the most that it was ever
// told to.
func (t *table) warmth() capacity { return t.warm.higher(t.capacity.initial(t.onDemand)) }

// warmthOf returns the same of an index.
func (t *table) warmthOf(x *index) capacity { return x.warm.higher(x.capacity.initial(t.onDemand)) }

// create returns the warm throughput that a new table or index asks for.
func (w warmInput) create(of whose, units capacity, onDemand bool) (warm capacity, err error) {
	least := units.initial(onDemand)
	for _, part := range []struct {
		in          wire.Int
		least       int64
		name, units string
	}{
		{w.read, least.read, "ReadUnitsPerSecond", "ReadCapacityUnits"}, {w.write, least.write, "WriteUnitsPerSecond", "WriteCapacityUnits"},
	} {
		switch {
		case !part.in.Set || part.in.V >= part.least:
		case onDemand:
			return warm, parameter("Requested %s for WarmThroughput for %s is lower than initial throughput for OnDemand. "+
				"See: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/on-demand-capacity-mode.html#on-demand-capacity-mode-initial",
				part.name, of.of(" "))
		default:
			return warm, parameter("Requested %s for WarmThroughput for %s is lower than %s of ProvisionedThroughput", part.name, of.of(" "), part.units)
		}
	}
	return capacity{w.read.V, w.write.V}, nil
}

// raise returns the warm throughput after the request, which can't be less than
// it is.
func (w warmInput) raise(of whose, present capacity) (capacity, error) {
	next := present
	for _, part := range []struct {
		in   wire.Int
		at   *int64
		name string
	}{{w.read, &next.read, "ReadUnitsPerSecond"}, {w.write, &next.write, "WriteUnitsPerSecond"}} {
		switch {
		case !part.in.Set:
		case part.in.V < *part.at:
			return present, parameter("Requested %s for WarmThroughput for %s is lower than current WarmThroughput, decreasing WarmThroughput is not supported",
				part.name, of.of(" "))
		default:
			*part.at = part.in.V
		}
	}
	return next, nil
}

// checkOnDemand reports limits that a table of the billing mode can't have. An
// update can take a limit back, by -1.
func checkOnDemand(limits [2]wire.Int, of whose, onDemand, update bool) error {
	for i, name := range []string{"MaxReadRequestUnits", "MaxWriteRequestUnits"} {
		switch limit := limits[i]; {
		case !limit.Set:
		case !onDemand && of.index != "":
			return parameter("%s for OnDemandThroughput for index : %s cannot be specified when table BillingMode is PROVISIONED", name, of.index)
		case !onDemand && update:
			return parameter("%s for OnDemandThroughput cannot be specified when the table BillingMode is PROVISIONED", name)
		case !onDemand:
			return parameter("%s for OnDemandThroughput cannot be specified when table BillingMode is PROVISIONED.", name)
		case limit.V < 1 && (limit.V != -1 || !update):
			return parameter("Requested %s for OnDemandThroughput for %s is outside of valid range", name, of.of(" : "))
		}
	}
	return nil
}

// setLimits returns limits as changed by an update.
func setLimits(limits, change [2]wire.Int) [2]wire.Int {
	for i, limit := range change {
		switch {
		case !limit.Set:
		case limit.V == -1:
			limits[i] = wire.Int{}
		default:
			limits[i] = limit
		}
	}
	return limits
}

// checkQuotas reports throughputs above what the account can have.
func (t *table) checkQuotas(region string) error {
	if err := checkUnits(t.capacity, region, "", "table"); err != nil {
		return err
	}
	if err := checkLimits(t.onDemandLimit, t.warm, whose{}, region); err != nil {
		return err
	}
	for _, x := range t.indexes {
		if err := checkUnits(x.capacity, region, " for index "+x.name, "index"); err != nil {
			return err
		}
		if err := checkLimits(x.onDemand, x.warm, whose{x.name}, region); err != nil {
			return err
		}
	}
	return nil
}

func checkUnits(c capacity, region, of, kind string) error {
	for _, part := range []struct {
		units int64
		name  string
	}{{c.read, "ReadCapacityUnits"}, {c.write, "WriteCapacityUnits"}} {
		if part.units > maxTableUnits {
			return fault("LimitExceededException", fmt.Sprintf("The requested %s%s, %d, is above the per %s maximum for the account in %s. Per table maximum: %d. "+
				"Refer to the Amazon DynamoDB Developer Guide for current limits and how to request higher limits.",
				part.name, of, part.units, kind, region, maxTableUnits))
		}
	}
	return nil
}

func checkLimits(limits [2]wire.Int, warm capacity, of whose, region string) error {
	for _, part := range []struct {
		units             int64
		name, what, quota string
	}{
		{limits[0].V, "MaxReadRequestUnits for OnDemandThroughput", of.of(" : "), "Read"},
		{limits[1].V, "MaxWriteRequestUnits for OnDemandThroughput", of.of(" : "), "Write"},
		{warm.read, "ReadUnitsPerSecond for WarmThroughput", of.of(" "), "Read"},
		{warm.write, "WriteUnitsPerSecond for WarmThroughput", of.of(" "), "Write"},
	} {
		if part.units > maxTableUnits {
			return fault("LimitExceededException", fmt.Sprintf("Subscriber limit exceeded: Requested %s for %s exceeds TableMax%sCapacityUnits of the account in region %s",
				part.name, part.what, part.quota, region))
		}
	}
	return nil
}

func describeWarm(o *wire.Object, warm capacity, status string) {
	o.Object("WarmThroughput", func(o *wire.Object) {
		o.Int("ReadUnitsPerSecond", warm.read)
		o.Int("WriteUnitsPerSecond", warm.write)
		o.Text("Status", status)
	})
}
