package dynorm

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
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
	// by themselves. A native index that no gsi=N numbers has none.
	Slot  int  `json:"slot,omitempty"`
	Local bool `json:"local,omitempty"`
	// Native marks an index over attributes of entities.
	Native bool `json:"native,omitempty"`
	// Name is the index name, PK and SK are its key attributes; those of a
	// native index are listed with commas.
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
	// Slot is the number of the index the entry is on; Index is the name of a
	// native one, in its place.
	Slot  int    `json:"slot,omitempty"`
	Index string `json:"index,omitempty"`
	// For is what asked for it: "index byStatus", "foreign teamId".
	For string `json:"for"`
	// PK and SK are the patterns of its keys; those of a native index are its
	// attributes.
	PK string `json:"pk,omitempty"`
	SK string `json:"sk,omitempty"`
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
	for i, x := range l.Indexes {
		if slices.ContainsFunc(l.Indexes[:i], x.is) {
			return Lock{}, fmt.Errorf("schema lock: the index %s stands twice: keep what the table has", x.Name)
		}
		if x.Name == "" || x.Slot < 1 && !x.Native {
			return Lock{}, fmt.Errorf("schema lock: index %d has no name or no slot", i+1)
		}
	}
	for i, e := range l.Entities {
		if slices.ContainsFunc(l.Entities[:i], func(o LockedEntity) bool { return o.Name == e.Name }) {
			return Lock{}, fmt.Errorf("schema lock: %s stands twice: merge its entries", e.Name)
		}
		for j, x := range e.Entries {
			if (x.Slot < 1) == (x.Index == "") || x.For == "" {
				return Lock{}, fmt.Errorf("schema lock: an entry of %s has no slot or no purpose, or both a slot and a native index", e.Name)
			}
			if x.Index != "" && l.native(func(o LockedIndex) bool { return o.Name == x.Index }) == nil {
				return Lock{}, fmt.Errorf("schema lock: %s has %q on the index %s, which is not among the native indexes: put its line back", e.Name, x.For, x.Index)
			}
			for _, o := range e.Entries[:j] {
				if o.Index == "" && x.Index == "" && o.local() == x.local() && o.Slot == x.Slot || (o.Index == "") == (x.Index == "") && o.For == x.For {
					return Lock{}, fmt.Errorf("schema lock: %s has %q on %s and %q on %s: an index holds one entry of an item, and an entry is on one index (keep what the table has)",
						e.Name, o.For, o.where(), x.For, x.where())
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
		l.Indexes = append(l.Indexes, sl.locked())
	}
	for _, x := range s.lock.Indexes {
		if !slices.ContainsFunc(l.Indexes, x.is) {
			l.Indexes = append(l.Indexes, x)
		}
	}
	slices.SortFunc(l.Indexes, func(a, b LockedIndex) int {
		return cmp.Or(compareBool(a.Local, b.Local), compareBool(a.Slot == 0, b.Slot == 0), cmp.Compare(a.Slot, b.Slot), cmp.Compare(a.Name, b.Name))
	})
	for _, e := range s.entities {
		locked := LockedEntity{Name: e.def.Name}
		for _, d := range e.demands {
			if d.kind == demandInverted {
				continue
			}
			x := d.locked()
			if x.Slot = d.slot.number; d.native {
				x.Slot, x.Index = 0, d.slot.name
			}
			locked.Entries = append(locked.Entries, x)
		}
		for _, local := range []bool{false, true} {
			locked.Entries = append(locked.Entries, s.lock.assign(e, local).retired...)
		}
		for _, x := range s.lock.entries(e.def.Name) {
			if x.Index != "" && !slices.ContainsFunc(locked.Entries, func(o LockedEntry) bool { return o.Index != "" && (o.For == x.For || o.Index == x.Index) }) {
				x.Retired = true
				locked.Entries = append(locked.Entries, x)
			}
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
		return cmp.Or(compareBool(a.local(), b.local()), compareBool(a.Slot == 0, b.Slot == 0), cmp.Compare(a.Slot, b.Slot), cmp.Compare(a.Index, b.Index))
	})
	l.Entities = append(l.Entities, e)
}

// entries are those of an entity.
func (l *Lock) entries(entity string) []LockedEntry {
	if i := slices.IndexFunc(l.Entities, func(o LockedEntity) bool { return o.Name == entity }); i >= 0 {
		return l.Entities[i].Entries
	}
	return nil
}

// native finds a native index, nil where there is none.
func (l *Lock) native(is func(LockedIndex) bool) *LockedIndex {
	for i, x := range l.Indexes {
		if x.Native && is(x) {
			return &l.Indexes[i]
		}
	}
	return nil
}

// is reports whether both are one index: DynamoDB knows it by its name, the
// schema by its number.
func (x LockedIndex) is(o LockedIndex) bool {
	return x.Name == o.Name || x.Slot > 0 && x.Slot == o.Slot && x.Local == o.Local
}

// locked is the index as the lock has it.
func (sl *slot) locked() LockedIndex {
	x := LockedIndex{Slot: sl.number, Local: sl.local, Native: sl.native, Name: sl.name, PK: sl.pk, SK: sl.sk}
	if sl.native {
		x.PK, x.SK = keyList(sl.pks), keyList(sl.sks)
	}
	return x
}

// keyList lists the attributes of a key.
func keyList(attrs []keyAttr) string {
	names := make([]string, len(attrs))
	for i, a := range attrs {
		names[i] = a.name
	}
	return strings.Join(names, ", ")
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

// where names the index that the entry is on.
func (x LockedEntry) where() string {
	if x.Index != "" {
		return "the native index " + x.Index
	}
	return fmt.Sprintf("slot %d", x.Slot)
}

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
	var left []LockedEntry
	for _, x := range l.entries(e.def.Name) {
		if x.Index == "" && x.local() == local {
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

// locked is the demand as an entry of a lock, without its index.
func (d *demand) locked() LockedEntry {
	x := LockedEntry{For: d.id}
	switch {
	case d.pk == nil || d.sk == nil:
		return x
	case d.native && d.local:
		x.PK = d.pk.attr
	default:
		x.PK = d.pk.pattern()
	}
	x.SK = d.sk.pattern()
	return x
}

// form is what the keys of the entry look like, whatever the fields in them are
// called.
func (x LockedEntry) form() string { return templateForm(x.PK) + " " + templateForm(x.SK) }

// templateForm is a template without the fields in it.
func templateForm(template string) (form string) {
	for more := true; more; {
		var before string
		before, _, template, more = cutReference(template)
		form += before
	}
	return form
}

// cutReference cuts a template, which need not be a good one, around the field of
// its first reference; ok is false where there is none.
func cutReference(template string) (before, field, after string, ok bool) {
	start := strings.IndexByte(template, '{') + 1
	if start == 0 {
		return template, "", "", false
	}
	end := len(template)
	if n := strings.IndexAny(template[start:], "{}:|"); n >= 0 {
		end = start + n
	}
	return template[:start], template[start:end], template[end:], true
}

// checkLock reports where the code gives an index or an entry of the lock
// another name, or other keys than it can have without being another index.
func (s *Schema) checkLock() (faults []error) {
	for _, x := range s.lock.Indexes {
		if x.Slot == 0 {
			continue // its name is that of the lock
		}
		names, list := s.cfg.slotNames(x.Slot), "Indexes"
		if x.Local {
			names, list = s.cfg.localNames(x.Slot), "LocalIndexes"
		}
		now := LockedIndex{Slot: x.Slot, Local: x.Local, Name: names.Name, PK: names.PK, SK: names.SK}
		if x.Native {
			now.Native, now.PK, now.SK = true, x.PK, x.SK
		}
		if now != x {
			faults = append(faults, fmt.Errorf("the schema lock has index %d as %s (%s, %s), the code as %s (%s, %s): put the old names into SchemaConfig.%s[%d], or change the lock and migrate the table",
				x.Slot, x.Name, x.PK, x.SK, now.Name, now.PK, now.SK, list, x.Slot-1))
		}
	}
	for _, e := range s.entities {
		entries := s.lock.entries(e.def.Name)
		if len(entries) == 0 {
			continue
		}
		for _, d := range e.demands {
			if fault := s.checkLocked(e, d, entries); fault != nil {
				faults = append(faults, fault)
			}
		}
	}
	return faults
}

// checkLocked refuses an entry that the lock has with a native index where the
// code has none for it, or one of other attributes, or the other way round: an
// index never changes its keys, so that it would be another one.
func (s *Schema) checkLocked(e *entity, d *demand, entries []LockedEntry) error {
	at := func(native bool) int {
		return slices.IndexFunc(entries, func(x LockedEntry) bool { return x.For == d.id && !x.Retired && (x.Index != "") == native })
	}
	var was LockedEntry
	native, built, now := at(true), at(false), d.locked()
	if native >= 0 {
		was = entries[native]
	}
	switch {
	case d.kind == demandInverted:
	case native < 0 && d.native && built >= 0:
		return e.indexFault(d, "native", "the lock has it with built keys, on "+entries[built].where(),
			`build its keys by templates as before, or mark its line in the lock "retired": true and migrate the table`)
	case native < 0:
	case !d.native:
		return e.indexFault(d, "", fmt.Sprintf("the lock has it on %s (%s; %s), the code builds its keys", was.where(), was.PK, was.SK),
			"make it native as before, or delete its lines from the lock and migrate the table")
	case was.PK != now.PK || was.SK != now.SK:
		return e.indexFault(d, "", fmt.Sprintf("the lock has it on %s (%s; %s), the code on (%s; %s)", was.where(), was.PK, was.SK, now.PK, now.SK),
			"name the attributes as before, by the tag of a renamed field, or delete its lines from the lock and migrate the table")
	}
	return nil
}
