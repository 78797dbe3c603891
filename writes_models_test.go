package dynorm_test

import (
	"context"
	"fmt"
	"strings"
	"time"

	"pgregory.net/rapid"

	"github.com/dynorm/dynorm"
)

// ledger has every kind of field that something depends on: index entries with
// several inputs, nested ones, conditions and formats; claims of one field and of
// two; keys as they are stored; texts of a type's own; a time to live; and one
// that is computed.
type ledger struct {
	ID     string
	Owner  string
	Status string
	Due    time.Time
	Points int64
	Place  struct{ City, Street string }
	Team   string `dynorm:",index"`
	Email  string
	Tenant string
	Number int64
	Tags   []string `dynorm:",set"`
	Zone   string   `dynorm:",omitempty"`
	Grade  int      `dynorm:",omitempty"`
	Level  level
	Label  string
	Until  time.Time `dynorm:",ttl"`
}

// level is stored as a text.
type level int

var levels = []string{"low", "mid#", "high"}

func (l level) MarshalText() ([]byte, error) { return []byte(levels[l]), nil }

func (l *level) UnmarshalText(text []byte) error {
	for i, s := range levels {
		if s == string(text) {
			*l = level(i)
			return nil
		}
	}
	return fmt.Errorf("unknown level %q", text)
}

// Ledger has unique values and no version.
type Ledger struct {
	_ dynorm.Entity `dynorm:"Ledger,timestamps"`
	_ dynorm.Index  `dynorm:"open" pk:"OWNER#{Owner}" sk:"{Due:date}#{ID}" when:"Status!=done"`
	_ dynorm.Index  `dynorm:"byPlace" pk:"CITY#{Place.City}" sk:"{Points:%06d}#{ID}"`
	_ dynorm.Unique `dynorm:"Email"`
	_ dynorm.Unique `dynorm:"Tenant,Number"`
	ledger
}

// Folio is a Ledger with a version, deleted softly.
type Folio struct {
	_ dynorm.Entity `dynorm:"Folio,softdelete"`
	_ dynorm.Index  `dynorm:"open" pk:"OWNER#{Owner}" sk:"{Due:date}#{ID}" when:"Status!=done"`
	_ dynorm.Index  `dynorm:"byPlace" pk:"CITY#{Place.City}" sk:"{Points:%06d}#{ID}"`
	_ dynorm.Unique `dynorm:"Email"`
	_ dynorm.Unique `dynorm:"Tenant,Number"`
	ledger
	Version int64 `dynorm:"_v,version"`
}

// Deed keeps its unique values when it is deleted softly, and computes a field
// that is in an index.
type Deed struct {
	_ dynorm.Entity `dynorm:"Deed,softdelete=keepunique,timestamps"`
	_ dynorm.Index  `dynorm:"byLabel" pk:"LABEL#{Label}" sk:"{Level}#{ID}"`
	_ dynorm.Index  `dynorm:"byPlace" pk:"CITY#{Place.City}" sk:"{Points:%06d}#{ID}" when:"Level!=high,Owner"`
	_ dynorm.Unique `dynorm:"Email"`
	_ dynorm.Unique `dynorm:"Tenant,Number"`
	ledger
	Version int64 `dynorm:"_v,version"`
}

// BeforeSave computes the label.
func (d *Deed) BeforeSave(context.Context) error {
	d.Label = d.Owner + "/" + d.Place.City
	return nil
}

// Leaf has neither a version nor a unique value, so that batches are plain, a
// key of two parts, a local index and one over attributes as they are.
type Leaf struct {
	_ dynorm.Entity `dynorm:"Leaf,timestamps"`
	_ dynorm.Key    `pk:"SHELF#{Shelf}" sk:"LEAF#{ID}"`
	_ dynorm.Index  `dynorm:"open" pk:"OWNER#{Owner}" sk:"{Due:date}#{ID}" when:"Status!=done"`
	_ dynorm.Index  `dynorm:"kept" pk:"KEPT#{Owner}" sk:"{ID}" when:"!Until,Points>=2"`
	_ dynorm.Index  `dynorm:"byPoints,lsi" sk:"{Points:%06d}#{ID}" when:"Status"`
	_ dynorm.Index  `dynorm:"perZone,native" pk:"Zone,Grade" sk:"ID"`
	ledger
	Shelf string
}

// written is what the tests know of a value of any of the entities.
type written interface {
	common() *ledger
	version() *int64 // nil where there is none
	settle()         // fills what follows from the id
	// entries derives the index attributes by hand, claims the keys of claims.
	entries() map[string]string
	claims() []string
}

func (l *ledger) common() *ledger  { return l }
func (l *ledger) version() *int64  { return nil }
func (l *ledger) settle()          {}
func (f *Folio) version() *int64   { return &f.Version }
func (d *Deed) version() *int64    { return &d.Version }
func (l *Leaf) settle()            { l.Shelf = shelfOf(l.ID) }
func (l *Leaf) claims() []string   { return nil }
func (l *Ledger) claims() []string { return l.claimed("Ledger") }
func (f *Folio) claims() []string  { return f.claimed("Folio") }
func (d *Deed) claims() []string   { return d.claimed("Deed") }

func shelfOf(id string) string { return "s#" + id[:1] }

func escape(s string) string { return strings.ReplaceAll(s, "#", "%23") }

// attrs are index attributes under way.
type attrs map[string]string

func (a attrs) add(n int, ok bool, pk, sk string) {
	if ok {
		a[fmt.Sprintf("gsi%dpk", n)], a[fmt.Sprintf("gsi%dsk", n)] = pk, sk
	}
}

func (l *ledger) open(a attrs, n int) {
	a.add(n, l.Owner != "" && !l.Due.IsZero() && l.Status != "done", "OWNER#"+escape(l.Owner), l.Due.UTC().Format(time.DateOnly)+"#"+escape(l.ID))
}

func (l *ledger) byPlace(a attrs, n int, when bool) {
	a.add(n, l.Place.City != "" && when, "CITY#"+escape(l.Place.City), fmt.Sprintf("%06d#%s", l.Points, escape(l.ID)))
}

func (l *ledger) byTeam(a attrs, n int, prefix string) {
	a.add(n, l.Team != "", prefix+"#team#"+escape(l.Team), prefix+"#"+escape(l.ID))
}

func (l *Ledger) entries() map[string]string {
	a := attrs{}
	l.open(a, 1)
	l.byPlace(a, 2, true)
	l.byTeam(a, 3, "LEDGER")
	return a
}

func (f *Folio) entries() map[string]string {
	a := attrs{}
	f.open(a, 1)
	f.byPlace(a, 2, true)
	f.byTeam(a, 3, "FOLIO")
	return a
}

func (d *Deed) entries() map[string]string {
	a := attrs{}
	a.add(1, true, "LABEL#"+escape(d.Owner+"/"+d.Place.City), escape(levels[d.Level])+"#"+escape(d.ID))
	d.byPlace(a, 2, d.Level != 2 && d.Owner != "")
	d.byTeam(a, 3, "DEED")
	return a
}

func (l *Leaf) entries() map[string]string {
	a := attrs{}
	l.open(a, 1)
	a.add(2, l.Owner != "" && l.Until.IsZero() && l.Points >= 2, "KEPT#"+escape(l.Owner), escape(l.ID))
	l.byTeam(a, 3, "LEAF")
	if l.Status != "" {
		a["lsi1sk"] = fmt.Sprintf("%06d#%s", l.Points, escape(l.ID))
	}
	return a
}

// claimed derives the keys of an item's claims.
func (l *ledger) claimed(entity string) []string {
	var keys []string
	if l.Email != "" {
		keys = append(keys, "UNIQUE#"+entity+"#email#"+escape(l.Email))
	}
	if l.Tenant != "" {
		keys = append(keys, fmt.Sprintf("UNIQUE#%s#tenant+number#%s#%d", entity, escape(l.Tenant), l.Number))
	}
	return keys
}

func drawLedger(t *rapid.T, id string) ledger {
	l := ledger{ID: id}
	l.Owner = rapid.SampledFrom([]string{"", "ann", "b#ob"}).Draw(t, "owner")
	l.Status = rapid.SampledFrom([]string{"", "open", "done"}).Draw(t, "status")
	if rapid.Bool().Draw(t, "hasDue") {
		l.Due = clock.AddDate(0, 0, rapid.IntRange(0, 3).Draw(t, "due"))
	}
	l.Points = rapid.Int64Range(0, 3).Draw(t, "points")
	l.Place.City = rapid.SampledFrom([]string{"", "Ulm", "B#rn"}).Draw(t, "city")
	l.Team = rapid.SampledFrom([]string{"", "x", "y"}).Draw(t, "team")
	l.Email = rapid.SampledFrom([]string{"", "e1", "e2", "e3", "e4", "e5"}).Draw(t, "email")
	l.Tenant = rapid.SampledFrom([]string{"", "t1", "t2"}).Draw(t, "tenant")
	l.Number = rapid.Int64Range(0, 4).Draw(t, "number")
	l.Zone = rapid.SampledFrom([]string{"", "n", "s#"}).Draw(t, "zone")
	l.Grade = rapid.IntRange(0, 2).Draw(t, "grade")
	l.Level = level(rapid.IntRange(0, 2).Draw(t, "level"))
	if rapid.Bool().Draw(t, "ends") {
		l.Until = clock.AddDate(90, 0, 0) // no engine gets there
	}
	return l
}

func drawChanges(t *rapid.T) []dynorm.Change {
	l := drawLedger(t, "")
	all := []dynorm.Change{
		dynorm.Set("owner", l.Owner), dynorm.Remove("owner"), dynorm.SetIfAbsent("owner", "carl"),
		dynorm.Set("status", l.Status), dynorm.Remove("status"),
		dynorm.Set("due", l.Due), dynorm.Remove("due"), dynorm.SetIfAbsent("due", clock),
		dynorm.Add("points", 1), dynorm.Set("points", dynorm.FieldRef("number").Plus(2)),
		dynorm.Set("points", dynorm.FieldRef("points").Plus(1)),
		dynorm.Set("place.city", l.Place.City), dynorm.Set("place.street", "s"), dynorm.Set("place", l.Place), dynorm.Remove("place.city"),
		dynorm.Set("team", l.Team), dynorm.SetIfAbsent("team", "z"), dynorm.Remove("team"), dynorm.Set("team", dynorm.FieldRef("owner")),
		dynorm.Set("email", l.Email), dynorm.Remove("email"), dynorm.SetIfAbsent("email", "e9"), dynorm.Set("email", dynorm.FieldRef("id")),
		dynorm.Set("tenant", l.Tenant), dynorm.Remove("tenant"), dynorm.Set("number", l.Number), dynorm.Add("number", 1),
		dynorm.AddToSet("tags", "a"), dynorm.DeleteFromSet("tags", "a"),
		dynorm.Set("zone", l.Zone), dynorm.Remove("zone"), dynorm.SetIfAbsent("zone", "w"), dynorm.Set("grade", l.Grade), dynorm.Add("grade", 1),
		dynorm.Set("level", l.Level), dynorm.Set("until", l.Until), dynorm.Remove("until"),
	}
	var changes []dynorm.Change
	for _, i := range rapid.SliceOfNDistinct(rapid.IntRange(0, len(all)-1), 1, 3, rapid.ID).Draw(t, "changes") {
		changes = append(changes, all[i])
	}
	return changes
}
