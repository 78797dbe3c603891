package dynorm

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"
)

// Lock says which index each entity's entries are on, so that they stay there
// whatever is added, reordered or renamed. Write what [Lock.JSON] returns
// beside the models, embed it (go:embed) and give it to [NewSchema] as
// [SchemaConfig.Lock].
type Lock struct {
	// Version is the version of the format, 1.
	Version int `json:"version"`
	// Indexes are the indexes of the table, by slot.
	Indexes []LockedIndex `json:"indexes"`
	// Entities are the entities, by name.
	Entities []LockedEntity `json:"entities"`
}

// LockedIndex is an index with its names.
type LockedIndex struct {
	// Slot is the number of the index; global and local ones are counted each
	// by themselves.
	Slot  int  `json:"slot"`
	Local bool `json:"local,omitempty"`
	// Name is the index name, PK and SK are its key attributes.
	Name string `json:"name"`
	PK   string `json:"pk"`
	SK   string `json:"sk"`
}

// LockedEntity is an entity with its entries, by slot.
type LockedEntity struct {
	Name    string        `json:"name"`
	Entries []LockedEntry `json:"entries"`
}

// LockedEntry is an index entry of an entity.
type LockedEntry struct {
	// Slot is the number of the index the entry is on.
	Slot int `json:"slot"`
	// For is what asked for it: "index byStatus", "foreign teamId".
	For string `json:"for"`
	// PK and SK are the patterns of its keys.
	PK string `json:"pk"`
	SK string `json:"sk"`
	// Retired marks an entry that the entity no longer has. Items written
	// before may still have it, so that no other entry takes its place. Delete
	// the line once they have been rewritten.
	Retired bool `json:"retired,omitempty"`
}

// lockVersion is the version of the format.
const lockVersion = 1

// ParseLock reads what [Lock.JSON] wrote.
func ParseLock(data []byte) (Lock, error) {
	var l Lock
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&l); err != nil {
		return Lock{}, fmt.Errorf("schema lock: %w", err)
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return Lock{}, errors.New("schema lock: more follows the lock")
	}
	if l.Version != lockVersion {
		return Lock{}, fmt.Errorf("schema lock: version %d is not %d: it was written by another version of dynorm", l.Version, lockVersion)
	}
	for i, e := range l.Entities {
		if slices.ContainsFunc(l.Entities[:i], func(o LockedEntity) bool { return o.Name == e.Name }) {
			return Lock{}, fmt.Errorf("schema lock: %s stands twice: merge its entries", e.Name)
		}
		for j, x := range e.Entries {
			if x.Slot < 1 || x.For == "" {
				return Lock{}, fmt.Errorf("schema lock: an entry of %s has no slot or no purpose", e.Name)
			}
			for _, o := range e.Entries[:j] {
				if o.local() == x.local() && o.Slot == x.Slot || o.For == x.For {
					return Lock{}, fmt.Errorf("schema lock: %s has %q on slot %d and %q on slot %d: an index holds one entry of an item, and an entry is on one index (keep what the table has)",
						e.Name, o.For, o.Slot, x.For, x.Slot)
				}
			}
		}
	}
	return l, nil
}

// JSON returns the lock as JSON, one entry a line and sorted, so that a change
// is one line of a diff. The same assignments give the same bytes.
func (l Lock) JSON() []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "{\n  \"version\": %d,\n  \"indexes\": [", l.Version)
	writeLines(&b, "    ", l.Indexes)
	b.WriteString("],\n  \"entities\": [")
	for i, e := range l.Entities {
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, "\n    {\"name\": %s, \"entries\": [", jsonLine(e.Name))
		writeLines(&b, "      ", e.Entries)
		b.WriteString("]}")
	}
	if len(l.Entities) > 0 {
		b.WriteString("\n  ")
	}
	b.WriteString("]\n}\n")
	return b.Bytes()
}

// writeLines writes the elements of an array, one a line.
func writeLines[T any](b *bytes.Buffer, indent string, elems []T) {
	for i, elem := range elems {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString("\n" + indent + jsonLine(elem))
	}
	if len(elems) > 0 {
		b.WriteString("\n" + indent[2:])
	}
}

// jsonLine is a value on one line. Numbers, texts and structs of them always
// have a JSON form.
func jsonLine(v any) string {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	_ = enc.Encode(v)
	return strings.TrimSpace(b.String())
}

// Lock returns the assignments of the schema. Those that the lock it was made
// with has beside them stay, marked as retired.
func (s *Schema) Lock() Lock {
	l := Lock{Version: lockVersion, Indexes: []LockedIndex{}, Entities: []LockedEntity{}}
	for _, sl := range slices.Concat(s.slots, s.locals) {
		if sl.native {
			continue // its keys say what it is
		}
		l.Indexes = append(l.Indexes, LockedIndex{Slot: sl.number, Local: sl.local, Name: sl.name, PK: sl.pk, SK: sl.sk})
	}
	for _, x := range s.lock.Indexes {
		if !slices.ContainsFunc(l.Indexes, func(o LockedIndex) bool { return o.Slot == x.Slot && o.Local == x.Local }) {
			l.Indexes = append(l.Indexes, x)
		}
	}
	slices.SortFunc(l.Indexes, func(a, b LockedIndex) int {
		return cmp.Or(compareBool(a.Local, b.Local), cmp.Compare(a.Slot, b.Slot))
	})
	for _, e := range s.entities {
		locked := LockedEntity{Name: e.def.Name}
		for _, d := range e.demands {
			if d.locks() {
				locked.Entries = append(locked.Entries, LockedEntry{
					Slot: d.slot.number, For: d.id, PK: d.pk.key.Pattern(), SK: d.sk.key.Pattern(),
				})
			}
		}
		for _, local := range []bool{false, true} {
			locked.Entries = append(locked.Entries, s.lock.assign(e, local).retired...)
		}
		l.addEntity(locked)
	}
	for _, old := range s.lock.Entities {
		if s.byName[old.Name] == nil {
			entries := slices.Clone(old.Entries)
			for i := range entries {
				entries[i].Retired = true
			}
			l.addEntity(LockedEntity{Name: old.Name, Entries: entries})
		}
	}
	slices.SortFunc(l.Entities, func(a, b LockedEntity) int { return cmp.Compare(a.Name, b.Name) })
	return l
}

// addEntity adds an entity that has any entries.
func (l *Lock) addEntity(e LockedEntity) {
	if len(e.Entries) == 0 {
		return
	}
	slices.SortFunc(e.Entries, func(a, b LockedEntry) int {
		return cmp.Or(compareBool(a.local(), b.local()), cmp.Compare(a.Slot, b.Slot))
	})
	l.Entities = append(l.Entities, e)
}

func compareBool(a, b bool) int {
	switch {
	case a == b:
		return 0
	case b:
		return -1
	}
	return 1
}

// local reports whether the entry is on a local index.
func (x LockedEntry) local() bool { return x.kind() == "local" }

// kind is the first word of what the entry is for.
func (x LockedEntry) kind() string {
	kind, _, _ := strings.Cut(x.For, " ")
	return kind
}

// lockedDemands is what the lock says about the demands of an entity.
type lockedDemands struct {
	slots   map[*demand]int
	retired []LockedEntry // entries that the entity no longer has
}

// assign finds the entries of the lock that the demands of an entity are. An
// entry is known by its name; where a field or an index was renamed, by being
// the only one of its kind with keys of the same form, or the only one of its
// kind.
func (l *Lock) assign(e *entity, local bool) lockedDemands {
	found := lockedDemands{slots: map[*demand]int{}}
	i := slices.IndexFunc(l.Entities, func(o LockedEntity) bool { return o.Name == e.def.Name })
	if i < 0 {
		return found
	}
	var left []LockedEntry
	for _, x := range l.Entities[i].Entries {
		if x.local() == local {
			left = append(left, x)
		}
	}
	matches := []func(*demand, LockedEntry) bool{
		func(d *demand, x LockedEntry) bool { return d.id == x.For },
		func(d *demand, x LockedEntry) bool {
			return !x.Retired && d.locked().kind() == x.kind() && d.locked().form() == x.form()
		},
		func(d *demand, x LockedEntry) bool { return !x.Retired && d.locked().kind() == x.kind() },
	}
	for exact, match := range matches {
		var open []*demand
		for _, d := range e.demands {
			if d.local == local && d.locks() && found.slots[d] == 0 {
				open = append(open, d)
			}
		}
		rest := left
		for _, d := range open {
			same := func(x LockedEntry) bool { return match(d, x) }
			candidates := slices.DeleteFunc(slices.Clone(rest), func(x LockedEntry) bool { return !same(x) })
			if len(candidates) != 1 {
				continue
			}
			rivals := 0
			for _, o := range open {
				if match(o, candidates[0]) {
					rivals++
				}
			}
			if rivals == 1 || exact == 0 {
				found.slots[d] = candidates[0].Slot
				left = slices.DeleteFunc(slices.Clone(left), same)
			}
		}
	}
	for _, x := range left {
		x.Retired = true
		found.retired = append(found.retired, x)
	}
	return found
}

// locked is the demand as an entry of a lock, without its slot.
func (d *demand) locked() LockedEntry {
	x := LockedEntry{For: d.id}
	if d.pk != nil && d.sk != nil {
		x.PK, x.SK = d.pk.key.Pattern(), d.sk.key.Pattern()
	}
	return x
}

var referenceName = regexp.MustCompile(`\{[^{}:|]+`)

// form is what the keys of the entry look like, whatever the fields in them are
// called.
func (x LockedEntry) form() string {
	return referenceName.ReplaceAllString(x.PK, "{") + " " + referenceName.ReplaceAllString(x.SK, "{")
}

// checkLock reports where the configuration and the lock give an index
// different names.
func (s *Schema) checkLock() (faults []error) {
	for _, x := range s.lock.Indexes {
		names, list := s.cfg.slotNames(x.Slot), "Indexes"
		if x.Local {
			names, list = s.cfg.localNames(x.Slot), "LocalIndexes"
		}
		now := LockedIndex{Slot: x.Slot, Local: x.Local, Name: names.Name, PK: names.PK, SK: names.SK}
		if now != x {
			faults = append(faults, fmt.Errorf("the schema lock has index %d as %s (%s, %s), the code as %s (%s, %s): put the old names into SchemaConfig.%s[%d], or change the lock and migrate the table",
				x.Slot, x.Name, x.PK, x.SK, now.Name, now.PK, now.SK, list, x.Slot-1))
		}
	}
	return faults
}
