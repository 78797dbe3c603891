package parser

import (
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/dynorm/dynorm/internal/keytmpl"
)

// entityRules are the options of an entity marker.
var entityRules = []rule[Entity]{
	{name: "prefix", arg: needed, set: func(e *Entity, v string) *problem {
		e.Prefix = v
		return nil
	}},
	{name: "timestamps", on: func(e *Entity) { e.Timestamps = true }},
	{name: "softdelete", arg: optional, set: func(e *Entity, v string) *problem {
		e.SoftDelete, e.KeepUnique = true, v == keepUnique
		if v != "" && v != keepUnique {
			return wrong("softdelete=%s is not a way to delete softly", v).but("write softdelete, or softdelete=%s", keepUnique)
		}
		return nil
	}},
	{name: "versioned", on: func(e *Entity) { e.Versioned = true }},
	{name: "list", arg: optional, set: func(e *Entity, v string) *problem {
		e.List = 1
		if v == "" {
			return nil
		}
		n, err := strconv.Atoi(v)
		if err != nil || n < 1 || n > keytmpl.MaxShards {
			return wrong("list=%s is not a number of shards", v).but("write a number from 1 to %d", keytmpl.MaxShards)
		}
		e.List = n
		return nil
	}},
	{name: "ttl", arg: needed, set: func(e *Entity, v string) *problem {
		d, ok := parseTTL(v)
		if !ok {
			return wrong("ttl=%s is not a time to live", v).but("write a number and w, d, h, m or s, as in 30d or 1d12h")
		}
		e.TTL = d
		return nil
	}},
}

// keepUnique is the value of softdelete by which a deleted item keeps its unique
// values.
const keepUnique = "keepunique"

// parseTTL reads a duration of whole seconds: numbers, each followed by its
// unit.
func parseTTL(s string) (time.Duration, bool) {
	const letters = "smhdw"
	units := [...]time.Duration{time.Second, time.Minute, time.Hour, 24 * time.Hour, 7 * 24 * time.Hour}
	var total time.Duration
	for s != "" {
		digits := len(s) - len(strings.TrimLeft(s, "0123456789"))
		n, err := strconv.ParseInt(s[:digits], 10, 64)
		if err != nil || digits == len(s) {
			return 0, false
		}
		i := strings.IndexByte(letters, s[digits])
		if i < 0 || time.Duration(n) > (math.MaxInt64-total)/units[i] {
			return 0, false
		}
		total += time.Duration(n) * units[i]
		s = s[digits+1:]
	}
	return total, total > 0
}

// indexRules are the options of an index marker.
var indexRules = []rule[Index]{
	{name: "gsi", arg: needed, set: func(x *Index, v string) (p *problem) {
		x.Slot, p = parseSlot(v)
		return p
	}},
	{name: "lsi", on: func(x *Index) { x.Local = true }},
	{name: "native", on: func(x *Index) { x.Native = true }},
	{name: "project", arg: needed, set: func(x *Index, v string) *problem {
		switch v {
		case ProjectAll, ProjectKeys:
			x.Projection = v
		default:
			x.Projection = ProjectInclude
			x.Include = strings.Split(v, "|")
		}
		return nil
	}},
}

// The values of Index.Projection.
const (
	ProjectAll     = "all"
	ProjectKeys    = "keys"
	ProjectInclude = "include"
)

// readMarkers fills an entity from its markers. Those of embedded structs are
// promoted like their fields: indexes and uniques add up, of several keys the
// outermost counts, and traits are inherited; the name and the prefix are the
// struct's own.
func (d *definition) readMarkers(markers []marker, report func(marker, string, *problem)) {
	sortBy(markers, func(m marker) []int { return []int{m.depth} })
	named, keyDepth := false, -1
	for _, m := range markers {
		problem := func(key string, p *problem) { report(m, key, p) }
		m.only(m.keys(), problem)
		switch m.typ {
		case entityMarker:
			if m.depth == 0 && named {
				problem(tagKey, wrong("a second entity marker").but("keep one"))
				continue
			}
			named = named || m.depth == 0
			d.readEntity(m, problem)
		case keyMarker:
			switch keyDepth {
			case -1:
				keyDepth = m.depth
				d.readKey(m, problem)
			case m.depth:
				problem(pkKey, wrong("a second key marker").but("keep one"))
			}
		case indexMarker:
			d.readIndex(m, problem)
		case uniqueMarker:
			d.readUnique(m, problem)
		}
	}
}

// keys are the tags that the marker takes.
func (m marker) keys() []string {
	switch m.typ {
	case keyMarker:
		return []string{pkKey, skKey}
	case indexMarker:
		return []string{tagKey, pkKey, skKey, whenKey}
	}
	return []string{tagKey}
}

// only reports the tags that the marker does not take.
func (m marker) only(keys []string, report func(string, *problem)) {
	for _, key := range ownKeys {
		if _, ok := m.tags[key]; ok && !slices.Contains(keys, key) {
			report(key, wrong("the tag %q does not belong to this marker", key).but("it takes %s", strings.Join(keys, ", ")))
		}
	}
}

func (d *definition) readEntity(m marker, report func(string, *problem)) {
	name, options, problems := splitTag(m.tags[tagKey])
	for _, p := range problems {
		report(tagKey, p)
	}
	e := Entity{}
	applyOptions(&e, options, entityRules, func(p *problem) { report(tagKey, p) })
	if m.depth == 0 {
		d.entity = m.origin
		d.Name, d.Prefix = name, e.Prefix
	}
	d.Timestamps = d.Timestamps || e.Timestamps
	d.SoftDelete = d.SoftDelete || e.SoftDelete
	d.KeepUnique = d.KeepUnique || e.KeepUnique
	d.Versioned = d.Versioned || e.Versioned
	if d.List == 0 {
		d.List = e.List
	}
	if d.TTL == 0 {
		d.TTL = e.TTL
	}
}

func (d *definition) readKey(m marker, report func(string, *problem)) {
	d.key = m.origin
	d.Key = &Key{PK: m.tags[pkKey], SK: m.tags[skKey]}
}

func (d *definition) readIndex(m marker, report func(string, *problem)) {
	var x Index
	var options []option
	var problems []*problem
	x.Name, options, problems = splitTag(m.tags[tagKey])
	for _, p := range problems {
		report(tagKey, p)
	}
	applyOptions(&x, options, indexRules, func(p *problem) { report(tagKey, p) })
	x.PK, x.SK, x.When = m.tags[pkKey], m.tags[skKey], m.tags[whenKey]
	for _, key := range []string{pkKey, skKey, whenKey} {
		if v, ok := m.tags[key]; ok && v == "" {
			report(key, wrong("the tag %q is empty", key).but("leave it out"))
		}
	}
	if x.Native {
		x.PKParts, x.SKParts = splitFields(x.PK), splitFields(x.SK)
		x.PK, x.SK = "", ""
	}
	// An index of the outer struct hides one of the same name further in.
	for i, o := range d.indexes {
		if d.Indexes[i].Name == x.Name && len(o.at) < len(m.at) {
			return
		}
	}
	d.Indexes = append(d.Indexes, x)
	d.indexes = append(d.indexes, m.origin)
}

func (d *definition) readUnique(m marker, report func(string, *problem)) {
	fields := splitFields(m.tags[tagKey])
	if len(fields) == 0 {
		report(tagKey, wrong("the unique marker names no fields").but(`write dynorm:"Field,Field"`))
		return
	}
	d.Uniques = append(d.Uniques, Unique{Fields: fields})
	d.uniques = append(d.uniques, m.origin)
}

// splitFields splits a comma-separated list of fields, spaces aside.
func splitFields(s string) []string {
	if s == "" {
		return nil
	}
	names := strings.Split(s, ",")
	for i, n := range names {
		names[i] = strings.TrimSpace(n)
	}
	return names
}
