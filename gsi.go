package dynorm

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/dynorm/dynorm/parser"
)

// maxGSIs is DynamoDB's default quota of global secondary indexes a table:
// "Service, account, and table quotas in Amazon DynamoDB".
const maxGSIs = 20

// maxProjected is the quota of attributes that all indexes of a table together
// may project by name.
const maxProjected = 100

// slot is one secondary index of the table. Its entries are those of one demand
// of each of several entities.
type slot struct {
	number int // counted from 1, global and local indexes each by themselves
	local  bool
	// inverted marks an index over the table's own key attributes: every item
	// is in it.
	inverted bool
	name     string
	pk, sk   string // attribute names, empty for a native index
	// native marks an index over attributes of entities, pks and sks.
	native   bool
	pks, sks []keyAttr

	// include are the attributes that entries have beside the keys, nil for all.
	include []string
}

// placement is the placing of demands on the fewest slots: one demand of an
// entity a slot, those of different entities together. What is pinned by its
// tag or by the lock stands; every other demand takes the lowest slot that
// there is and its entity does not use, or else a new one. So there are as many
// slots as the entity with most demands needs, or as are pinned.
type placement struct {
	s     *Schema
	local bool
	slots map[int]*slot
	// reserved are the slots that take no demands.
	reserved map[int]bool
	// unnumbered are the native indexes that nobody pinned.
	unnumbered []*slot
}

// placeIndexes places the demands of every entity.
func (s *Schema) placeIndexes() (faults []error) {
	for _, local := range []bool{false, true} {
		p := &placement{s: s, local: local, slots: map[int]*slot{}, reserved: map[int]bool{}}
		if !local {
			p.invert()
		}
		faults = append(faults, p.placeNative()...)
		free := make([][]*demand, len(s.entities))
		taken := make([]map[int]string, len(s.entities))
		for i, e := range s.entities {
			var errs []error
			free[i], taken[i], errs = p.pinned(e)
			faults = append(faults, errs...)
		}
		for i := range s.entities {
			for _, d := range free[i] {
				p.take(d, taken[i])
			}
		}
		slots := slices.SortedFunc(maps.Values(p.slots), func(a, b *slot) int { return cmp.Compare(a.number, b.number) })
		slices.SortFunc(p.unnumbered, func(a, b *slot) int { return cmp.Compare(a.name, b.name) })
		if slots = append(slots, p.unnumbered...); local {
			s.locals = slots
		} else {
			s.slots = slots
		}
	}
	return append(faults, s.checkSlots()...)
}

// pinned places what the entity's tags and the lock say, and returns the other
// demands and the slots they can't take, each with what is there.
func (p *placement) pinned(e *entity) (free []*demand, taken map[int]string, faults []error) {
	taken = map[int]string{}
	locked := p.s.lock.assign(e, p.local)
	for _, ix := range locked.retired {
		taken[ix.Slot] = ix.For + " of the lock"
	}
	for _, d := range e.demands {
		if d.local != p.local || !d.locks() {
			continue
		}
		n := locked.slots[d]
		switch {
		case n > 0 && d.pin > 0 && n != d.pin:
			faults = append(faults, e.indexFault(d, fmt.Sprintf("gsi=%d", d.pin), fmt.Sprintf("the lock has it on GSI %d", n),
				fmt.Sprintf("write gsi=%d, or change the lock to slot %d and migrate the table", n, d.pin)))
			continue
		case n > 0:
			d.placed = "by the lock"
		case d.pin > 0:
			n, d.placed = d.pin, fmt.Sprintf("by gsi=%d", d.pin)
		}
		if n == 0 {
			free = append(free, d)
			continue
		}
		if by, ok := taken[n]; ok {
			faults = append(faults, e.indexFault(d, fmt.Sprintf("gsi=%d", n), fmt.Sprintf("the slot is taken by %s: two entries of one item can't share an index", by),
				"pin one of them elsewhere"))
			continue
		}
		if p.reserved[n] {
			faults = append(faults, e.indexFault(d, fmt.Sprintf("gsi=%d", n), "the index has other attributes for keys: the table's own, or those of a native index",
				"pin one of them elsewhere"))
			continue
		}
		taken[n] = d.name
		d.slot = p.slot(n)
	}
	return free, taken, faults
}

// take places a demand on the lowest slot that its entity can use.
func (p *placement) take(d *demand, taken map[int]string) {
	best := 0
	d.placed = "the first index without an entry of the entity"
	for n := range p.slots {
		if _, ok := taken[n]; !ok && !p.reserved[n] && (best == 0 || n < best) {
			best = n
		}
	}
	for n := 1; best == 0; n++ {
		if _, ok := taken[n]; !ok && !p.reserved[n] {
			best, d.placed = n, "a new index"
			if len(p.slots) > 0 {
				d.placed += ", since the others have an entry of the entity"
			}
		}
	}
	taken[best] = d.name
	d.slot = p.slot(best)
}

// slot returns the slot with a number, made where it is new.
func (p *placement) slot(n int) *slot {
	if p.slots[n] == nil {
		names := p.s.cfg.slotNames(n)
		if p.local {
			names = p.s.cfg.localNames(n)
		}
		p.slots[n] = &slot{number: n, local: p.local, name: names.Name, pk: names.PK, sk: names.SK}
	}
	return p.slots[n]
}

// invert makes the indexes that the configuration declares over the table's own
// key attributes. Every item has an entry there, so every entity a demand.
func (p *placement) invert() {
	cfg := &p.s.cfg
	for i := range cfg.Indexes {
		ix := cfg.slotNames(i + 1)
		if ix.PK != cfg.SK || ix.SK != cfg.PK {
			continue
		}
		sl := p.slot(i + 1)
		sl.inverted, p.reserved[i+1] = true, true
		for _, e := range p.s.entities {
			if e.pk != nil && e.sk != nil {
				e.demands = append(e.demands, &demand{
					id: "inverted", name: ix.Name, kind: demandInverted, why: "items by their sort key",
					slot: sl, placed: "the table's key the other way round", pk: e.sk, sk: e.pk,
				})
			}
		}
	}
}

// checkSlots settles the projections and reports what DynamoDB would refuse.
func (s *Schema) checkSlots() (faults []error) {
	if len(s.slots) > maxGSIs {
		faults = append(faults, fmt.Errorf("%d global secondary indexes are needed, DynamoDB allows %d: %s (drop `index` where a query can go by another key, or serve several queries by one index with a longer sort key)",
			len(s.slots), maxGSIs, s.demandCounts(false)))
	}
	if len(s.locals) > maxLSIs {
		faults = append(faults, fmt.Errorf("%d local secondary indexes are needed, DynamoDB allows %d: %s (make the others global: leave `lsi` out and give a pk)",
			len(s.locals), maxLSIs, s.demandCounts(true)))
	}
	names := map[string]bool{}
	projected := 0
	for _, sl := range slices.Concat(s.slots, s.locals) {
		if names[sl.name] {
			faults = append(faults, fmt.Errorf("two indexes are called %q: name them in SchemaConfig.Indexes and SchemaConfig.LocalIndexes", sl.name))
		}
		names[sl.name] = true
		s.project(sl)
		projected += len(sl.include)
	}
	if projected > maxProjected {
		faults = append(faults, fmt.Errorf("the indexes project %d attributes by name, DynamoDB allows %d a table (project all in some of them)", projected, maxProjected))
	}
	return faults
}

// project merges what the demands on a slot project. An entry always has what
// reading it takes: the entity's name, the marks of deleted and expired items,
// and the fields of the keys.
func (s *Schema) project(sl *slot) {
	needed := []string{s.cfg.EntityType}
	for _, e := range s.entities {
		for _, d := range e.demands {
			switch {
			case d.slot != sl:
				continue
			case d.projection == "" || d.projection == parser.ProjectAll:
				return
			}
			needed = append(needed, e.deletedAttr, e.ttlAttr)
			for _, kt := range []*keyTemplate{e.pk, e.sk, d.pk, d.sk} {
				if kt != nil {
					for _, f := range kt.fields {
						needed = append(needed, f.Root())
					}
				}
			}
			needed = append(needed, d.include...)
		}
	}
	keys := append(sl.keyNames(), s.cfg.PK, s.cfg.SK)
	for _, attr := range needed {
		if attr != "" && !slices.Contains(keys, attr) && !slices.Contains(sl.include, attr) {
			sl.include = append(sl.include, attr)
		}
	}
}

// demandCounts says who needs how many indexes, and for what.
func (s *Schema) demandCounts(local bool) string {
	var parts []string
	for _, e := range s.entities {
		var names []string
		for _, d := range e.demands {
			if d.local == local {
				names = append(names, d.name)
			}
		}
		if len(names) > 0 {
			parts = append(parts, fmt.Sprintf("%s %d (%s)", e.def.Name, len(names), strings.Join(names, ", ")))
		}
	}
	return strings.Join(parts, "; ")
}

// locks reports whether the demand is placed on a numbered index, whose keys are
// built.
func (d *demand) locks() bool { return d.kind != demandInverted && !d.native }

// named sets the attributes that the demand's keys are written to.
func (d *demand) named() {
	if d.slot == nil || !d.locks() {
		return
	}
	if !d.local && d.pk != nil {
		d.pk.attr = d.slot.pk
	}
	if d.sk != nil {
		d.sk.attr = d.slot.sk
	}
}
