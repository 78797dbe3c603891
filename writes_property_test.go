package dynorm_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/dynorm/dynorm"
	"github.com/dynorm/dynorm/internal/testdb"
)

// ledger has every kind of thing that depends on a field: index entries with
// several inputs, nested ones, conditions and formats; claims of one field and
// of two.
type ledger struct {
	ID     string
	Owner  string
	Status string
	Due    time.Time
	Points int64
	Place  struct{ City, Street string }
	Team   string `dynorm:",index"`
	Email  string `dynorm:",unique"`
	Tenant string
	Number int64
	Tags   []string `dynorm:",set"`
}

type Ledger struct {
	_ dynorm.Entity `dynorm:"Ledger,timestamps"`
	_ dynorm.Index  `dynorm:"open" pk:"OWNER#{Owner}" sk:"{Due:date}#{ID}" when:"Status!=done"`
	_ dynorm.Index  `dynorm:"byPlace" pk:"CITY#{Place.City}" sk:"{Points:%06d}#{ID}"`
	_ dynorm.Unique `dynorm:"Tenant,Number"`
	ledger
}

// Folio is a Ledger with a version, deleted softly.
type Folio struct {
	_ dynorm.Entity `dynorm:"Folio,softdelete"`
	_ dynorm.Index  `dynorm:"open" pk:"OWNER#{Owner}" sk:"{Due:date}#{ID}" when:"Status!=done"`
	_ dynorm.Index  `dynorm:"byPlace" pk:"CITY#{Place.City}" sk:"{Points:%06d}#{ID}"`
	_ dynorm.Unique `dynorm:"Tenant,Number"`
	ledger
	Version int64 `dynorm:"_v,version"`
}

func escape(s string) string { return strings.ReplaceAll(s, "#", "%23") }

// entries derives the index attributes of an item by hand.
func (l *ledger) entries(prefix string) map[string]string {
	want := map[string]string{}
	if l.Owner != "" && !l.Due.IsZero() && l.Status != "done" {
		want["gsi1pk"], want["gsi1sk"] = "OWNER#"+escape(l.Owner), l.Due.UTC().Format(time.DateOnly)+"#"+escape(l.ID)
	}
	if l.Place.City != "" {
		want["gsi2pk"], want["gsi2sk"] = "CITY#"+escape(l.Place.City), fmt.Sprintf("%06d#%s", l.Points, escape(l.ID))
	}
	if l.Team != "" {
		want["gsi3pk"], want["gsi3sk"] = prefix+"#team#"+escape(l.Team), prefix+"#"+escape(l.ID)
	}
	return want
}

// claims derives the keys of an item's claims by hand.
func (l *ledger) claims(entity string) []string {
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
	l.Email = rapid.SampledFrom([]string{"", "e1", "e2", "e3"}).Draw(t, "email")
	l.Tenant = rapid.SampledFrom([]string{"", "t1", "t2"}).Draw(t, "tenant")
	l.Number = rapid.Int64Range(0, 2).Draw(t, "number")
	return l
}

func drawChanges(t *rapid.T) []dynorm.Change {
	l := drawLedger(t, "")
	all := [][]dynorm.Change{
		{dynorm.Set("owner", l.Owner)},
		{dynorm.Remove("owner")},
		{dynorm.SetIfAbsent("owner", "carl")},
		{dynorm.Set("status", l.Status)},
		{dynorm.Set("due", l.Due)},
		{dynorm.Remove("due")},
		{dynorm.Add("points", 1)},
		{dynorm.Set("points", dynorm.FieldRef("number").Plus(2))},
		{dynorm.Set("points", dynorm.FieldRef("points").Plus(1))},
		{dynorm.Set("place.city", l.Place.City)},
		{dynorm.Set("place.street", "s")},
		{dynorm.Set("place", l.Place)},
		{dynorm.Remove("place.city")},
		{dynorm.Set("team", l.Team)},
		{dynorm.SetIfAbsent("team", "z")},
		{dynorm.Remove("team")},
		{dynorm.Set("team", dynorm.FieldRef("owner"))},
		{dynorm.Set("email", l.Email)},
		{dynorm.Remove("email")},
		{dynorm.SetIfAbsent("email", "e9")},
		{dynorm.Set("email", dynorm.FieldRef("id"))},
		{dynorm.Set("tenant", l.Tenant)},
		{dynorm.Set("number", l.Number)},
		{dynorm.Add("number", 1)},
		{dynorm.Remove("tenant")},
		{dynorm.AddToSet("tags", "a")},
		{dynorm.DeleteFromSet("tags", "a")},
	}
	var changes []dynorm.Change
	for _, i := range rapid.SliceOfNDistinct(rapid.IntRange(0, len(all)-1), 1, 3, rapid.ID).Draw(t, "changes") {
		changes = append(changes, all[i]...)
	}
	return changes
}

// drawWrite draws one write of a model, through any path. The functions it
// returns send it: at once, or into a transaction.
func drawWrite[T any](t *rapid.T, m dynorm.Model[T], id string, wrap func(ledger) *T, open func(*T) *ledger, soft bool) (single func(context.Context) error, inTx func(context.Context, *dynorm.Tx) error) {
	single, inTx, _ = drawWritePath(t, m, id, wrap, open, soft)
	return single, inTx
}

func drawWritePath[T any](t *rapid.T, m dynorm.Model[T], id string, wrap func(ledger) *T, open func(*T) *ledger, soft bool) (single func(context.Context) error, inTx func(context.Context, *dynorm.Tx) error, path string) {
	l := drawLedger(t, id)
	changes := drawChanges(t)
	edit := func(v *T) error {
		if l.Points == 0 {
			return nil
		}
		tags := open(v).Tags
		*open(v) = l
		open(v).Tags = append(tags, "edited")
		return nil
	}
	paths := []string{"Create", "Put", "Save", "Update", "Update", "Edit", "Edit", "Delete", "FindSave", "Upsert", "Increment", "Touch"}
	if soft {
		paths = append(paths, "Restore", "ForceDelete")
	} else {
		paths = append(paths, "Move") // of a Folio it would start a key's version anew
	}
	path = rapid.SampledFrom(paths).Draw(t, "path")
	single, inTx = writeOf(m, path, id, wrap(l), l, changes, edit, open)
	return single, inTx, path
}

func writeOf[T any](m dynorm.Model[T], path, id string, v *T, l ledger, changes []dynorm.Change, edit func(*T) error, open func(*T) *ledger) (single func(context.Context) error, inTx func(context.Context, *dynorm.Tx) error) {
	switch path {
	case "Create":
		return func(ctx context.Context) error { return m.Create(ctx, v) },
			func(ctx context.Context, tx *dynorm.Tx) error { return m.In(tx).Create(ctx, v) }
	case "Put":
		return func(ctx context.Context) error { return m.Put(ctx, v) },
			func(ctx context.Context, tx *dynorm.Tx) error { return m.In(tx).Put(ctx, v) }
	case "Save":
		return func(ctx context.Context) error { return m.Save(ctx, v) },
			func(ctx context.Context, tx *dynorm.Tx) error { return m.In(tx).Save(ctx, v) }
	case "FindSave":
		find := func(ctx context.Context, save func(*T) error) error {
			found, err := m.Find(ctx, id)
			if err != nil {
				return err
			}
			*open(found) = l
			return save(found)
		}
		return func(ctx context.Context) error { return find(ctx, func(v *T) error { return m.Save(ctx, v) }) },
			func(ctx context.Context, tx *dynorm.Tx) error {
				return find(ctx, func(v *T) error { return m.In(tx).Save(ctx, v) })
			}
	case "Update":
		return func(ctx context.Context) error { _, err := m.Update(ctx, id, changes...); return err },
			func(ctx context.Context, tx *dynorm.Tx) error { return m.In(tx).Update(ctx, id, changes...) }
	case "Edit":
		return func(ctx context.Context) error { _, err := m.Edit(ctx, id, edit); return err },
			func(ctx context.Context, tx *dynorm.Tx) error { return m.In(tx).Edit(ctx, id, edit) }
	case "Upsert":
		return func(ctx context.Context) error { _, err := m.Upsert(ctx, v); return err },
			func(ctx context.Context, tx *dynorm.Tx) error { return m.In(tx).Upsert(ctx, v) }
	case "Increment":
		return func(ctx context.Context) error { _, err := m.Increment(ctx, id, "points", l.Points); return err },
			func(ctx context.Context, tx *dynorm.Tx) error { return m.In(tx).Increment(ctx, id, "points", l.Points) }
	case "Touch":
		return func(ctx context.Context) error { return m.Touch(ctx, id) },
			func(ctx context.Context, tx *dynorm.Tx) error { return m.In(tx).Touch(ctx, id) }
	case "Move":
		move := func(v *T) error { open(v).ID = fmt.Sprint(l.Points); return nil }
		return func(ctx context.Context) error { _, err := m.Move(ctx, id, move); return err },
			func(ctx context.Context, tx *dynorm.Tx) error { return m.In(tx).Move(ctx, id, move) }
	case "Restore":
		return func(ctx context.Context) error { return m.Restore(ctx, id) },
			func(ctx context.Context, tx *dynorm.Tx) error { return m.In(tx).Restore(ctx, id) }
	case "ForceDelete":
		return func(ctx context.Context) error { return m.ForceDelete(ctx, id) },
			func(ctx context.Context, tx *dynorm.Tx) error { return m.In(tx).ForceDelete(ctx, id) }
	}
	return func(ctx context.Context) error { return m.Delete(ctx, id) },
		func(ctx context.Context, tx *dynorm.Tx) error { return m.In(tx).Delete(ctx, id) }
}

// expected are the errors that a random write may meet.
func expected(err error) bool {
	for _, want := range []error{nil, dynorm.ErrExists, dynorm.ErrNotFound, dynorm.ErrUnique, dynorm.ErrStaleVersion, dynorm.ErrInvalid} {
		if errors.Is(err, want) {
			return true
		}
	}
	return false
}

// scanAll reads a table raw.
func scanAll(t require.TestingT, client *dynamodb.Client, table string) []dynorm.Item {
	var items []dynorm.Item
	pages := dynamodb.NewScanPaginator(client, &dynamodb.ScanInput{TableName: &table, ConsistentRead: aws.Bool(true)})
	for pages.HasMorePages() {
		page, err := pages.NextPage(context.Background())
		require.NoError(t, err)
		items = append(items, page.Items...)
	}
	return items
}

func textValue(s string) types.AttributeValue { return &types.AttributeValueMemberS{Value: s} }

func versionIn(item dynorm.Item) (v int64) {
	if n, ok := item["_v"].(*types.AttributeValueMemberN); ok {
		_, _ = fmt.Sscan(n.Value, &v)
	}
	return v
}

func textOf(av types.AttributeValue) string {
	s, _ := av.(*types.AttributeValueMemberS)
	if s == nil {
		return ""
	}
	return s.Value
}

// without leaves the items of an entity out.
func without(items []dynorm.Item, entity string) []dynorm.Item {
	return slices.DeleteFunc(items, func(item dynorm.Item) bool { return textOf(item["_et"]) == entity })
}

// checkTable compares every item's index attributes and every claim with what
// the items' fields say.
func checkTable(t require.TestingT, client *dynamodb.Client, db *dynorm.DB) {
	checkItems(t, db, scanAll(t, client, db.Table()))
}

func checkItems(t require.TestingT, db *dynorm.DB, items []dynorm.Item) {
	wantClaims, gotClaims := map[string]string{}, map[string]string{}
	check := func(entity, id string, l *ledger, item dynorm.Item) {
		got := map[string]string{}
		for name, av := range item {
			if strings.HasPrefix(name, "gsi") {
				got[name] = textOf(av)
			}
		}
		want := l.entries(strings.ToUpper(entity))
		if item["deletedAt"] != nil {
			want["gsi4pk"], want["gsi4sk"] = "TRASH#FOLIO", "FOLIO#"+escape(id)
		}
		require.Equal(t, want, got, "the index entries of %s %s", entity, id)
		if item["deletedAt"] != nil {
			return
		}
		for _, key := range l.claims(entity) {
			require.NotContains(t, wantClaims, key, "two items have one unique value")
			wantClaims[key] = textOf(item["pk"]) + " " + textOf(item["sk"])
		}
	}
	for _, item := range items {
		switch entity := textOf(item["_et"]); entity {
		case "Ledger", "Folio":
			id := textOf(item["id"])
			var l *ledger
			if entity == "Ledger" {
				v, err := dynorm.ModelOf[Ledger](db).Find(context.Background(), id)
				require.NoError(t, err)
				l = &v.ledger
			} else {
				v, err := dynorm.ModelOf[Folio](db).Where(dynorm.Eq("id", id)).WithTrashed().First(context.Background())
				require.NoError(t, err)
				l = &v.ledger
			}
			check(entity, id, l, item)
		case "_unique":
			gotClaims[textOf(item["pk"])] = textOf(item["ownerPk"]) + " " + textOf(item["ownerSk"])
		default:
			require.Fail(t, "an item of an unknown type", entity)
		}
	}
	require.Equal(t, wantClaims, gotClaims, "the claims are those of the items' values")
}

func TestWritesKeepEntriesAndClaims(t *testing.T) {
	schema, err := dynorm.NewSchema(Ledger{}, Folio{})
	require.NoError(t, err)
	client := testdb.Open(t)
	paths, outer := map[string]int{}, t
	rapid.Check(t, func(t *rapid.T) {
		db, err := dynorm.Open(client, schema, dynorm.Config{Table: testdb.Table(outer)})
		require.NoError(t, err)
		ctx := context.Background()
		require.NoError(t, db.CreateTable(ctx))
		ledgers, folios := dynorm.ModelOf[Ledger](db), dynorm.ModelOf[Folio](db)
		draw := func(id string) (func(context.Context) error, func(context.Context, *dynorm.Tx) error) {
			if rapid.Bool().Draw(t, "folio") {
				return drawWrite(t, folios, id, func(l ledger) *Folio { return &Folio{ledger: l} }, func(v *Folio) *ledger { return &v.ledger }, true)
			}
			return drawWrite(t, ledgers, id, func(l ledger) *Ledger { return &Ledger{ledger: l} }, func(v *Ledger) *ledger { return &v.ledger }, false)
		}
		ids := []string{"1", "2#", "3"}
		for range rapid.IntRange(5, 25).Draw(t, "writes") {
			if rapid.IntRange(0, 3).Draw(t, "tx") > 0 {
				single, _ := draw(rapid.SampledFrom(ids).Draw(t, "id"))
				err := single(ctx)
				require.True(t, expected(err), "%v", err)
				if err == nil {
					paths["single"]++
				}
				continue
			}
			var writes []func(context.Context, *dynorm.Tx) error
			for _, id := range ids[:rapid.IntRange(1, 3).Draw(t, "size")] {
				_, inTx := draw(id)
				writes = append(writes, inTx)
			}
			err := db.Transact(ctx, func(tx *dynorm.Tx) error {
				for _, w := range writes {
					if err := w(ctx, tx); err != nil {
						return err
					}
				}
				return nil
			})
			require.True(t, expected(err), "%v", err)
			if err == nil {
				paths["transaction"]++
			}
		}
		checkTable(t, client, db)
	})
	require.Positive(t, paths["single"])
	require.Positive(t, paths["transaction"])
}
