package dynorm_test

import (
	"errors"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/stretchr/testify/require"

	"github.com/dynorm/dynorm"
)

// Passport has a readonly field in an index, and one with none.
type Passport struct {
	_       dynorm.Entity `dynorm:"Passport,timestamps"`
	_       dynorm.Index  `dynorm:"byCountry" pk:"COUNTRY#{Country}" sk:"{Name}"`
	ID      string
	Country string `dynorm:",readonly"`
	Name    string
	Issuer  *string `dynorm:",readonly"`
}

// Seal has a readonly field and a version.
type Seal struct {
	ID      string
	Mark    string `dynorm:",readonly"`
	Version int64  `dynorm:"_v,version"`
}

func TestReadOnlyIsSetOnce(t *testing.T) {
	s := open(t, Passport{}, Seal{})
	passports, seals := dynorm.ModelOf[Passport](s.db), dynorm.ModelOf[Seal](s.db)
	ctx := t.Context()
	p := &Passport{ID: "1", Country: "de", Name: "Ann"}
	require.NoError(t, passports.Create(ctx, p))
	p.Name = "Bea"
	require.NoError(t, passports.Save(ctx, p), "as it was read")
	before := s.raw(t, "PASSPORT#1", "PASSPORT#1")
	other := "x"
	for name, change := range map[string]func(*Passport){
		"another value": func(p *Passport) { p.Country = "fr" },
		"none":          func(p *Passport) { p.Country = "" },
	} {
		bad := *p
		change(&bad)
		refused := func(err error) {
			t.Helper()
			require.ErrorIs(t, err, dynorm.ErrInvalid, name)
			require.NotErrorIs(t, err, dynorm.ErrStaleVersion, name)
			require.ErrorContains(t, err, "Country", name)
		}
		refused(passports.Save(ctx, &bad))
		_, err := passports.Upsert(ctx, &bad)
		refused(err)
		refused(s.db.Transact(ctx, func(tx *dynorm.Tx) error { return passports.In(tx).Save(ctx, &bad) }))
		_, err = passports.Edit(ctx, "1", func(p *Passport) error { change(p); return nil })
		refused(err)
		_, err = passports.Move(ctx, "1", func(p *Passport) error { change(p); p.ID = "2"; return nil })
		refused(err)
		_, err = passports.Update(ctx, "1", dynorm.Set("country", bad.Country))
		refused(err)
	}
	require.Equal(t, before, s.raw(t, "PASSPORT#1", "PASSPORT#1"), "nothing was written, index entries included")
	p.Issuer = &other
	require.NoError(t, passports.Save(ctx, p), "the item lacked it")
	p.Issuer = nil
	require.ErrorIs(t, passports.Save(ctx, p), dynorm.ErrInvalid)
	require.ErrorIs(t, passports.Save(ctx, &Passport{ID: "none"}), dynorm.ErrNotFound)

	v := &Seal{ID: "1", Mark: "m"}
	require.NoError(t, seals.Create(ctx, v))
	stale := &Seal{ID: "1", Mark: "other", Version: 9}
	require.ErrorIs(t, seals.Save(ctx, stale), dynorm.ErrStaleVersion)
	stale.Version = 1
	err := seals.Save(ctx, stale)
	require.ErrorIs(t, err, dynorm.ErrInvalid)
	require.NotErrorIs(t, err, dynorm.ErrStaleVersion)
	require.NoError(t, seals.Save(ctx, v))
	require.EqualValues(t, 2, v.Version)
	require.NoError(t, seals.Put(ctx, &Seal{ID: "1", Mark: "put", Version: 2}), "Put replaces the item")
}

// Permit has a readonly struct that other programs write more of.
type Permit struct {
	ID     string
	Name   string
	Origin struct {
		Country string
		Place   struct{ City, Street string }
		Note    *string
	} `dynorm:",readonly"`
}

// What a readonly struct was stored with beyond the type's fields is neither
// another value nor lost.
func TestReadOnlyStructKeepsUndeclared(t *testing.T) {
	s := open(t, Permit{})
	permits := dynorm.ModelOf[Permit](s.db)
	ctx := t.Context()
	p := &Permit{ID: "1", Name: "a"}
	p.Origin.Country, p.Origin.Place.City = "de", "Bonn"
	require.NoError(t, permits.Create(ctx, p))
	key := dynorm.Item{"pk": textValue("PERMIT#1"), "sk": textValue("PERMIT#1")}
	_, err := s.client.UpdateItem(ctx, &dynamodb.UpdateItemInput{
		TableName: new(s.db.Table()), Key: key,
		UpdateExpression:          new("SET origin.legacy = :v, origin.place.zip = :v"),
		ExpressionAttributeValues: dynorm.Item{":v": textValue("kept")},
	})
	require.NoError(t, err)
	origin := func() any {
		out, err := s.client.GetItem(ctx, &dynamodb.GetItemInput{TableName: new(s.db.Table()), Key: key, ConsistentRead: new(true)})
		require.NoError(t, err)
		return out.Item["origin"]
	}
	before := origin()

	got, err := permits.Find(ctx, "1")
	require.NoError(t, err)
	got.Name = "b"
	require.NoError(t, permits.Save(ctx, got))
	_, err = permits.Edit(ctx, "1", func(p *Permit) error { p.Name = "c"; return nil })
	require.NoError(t, err)
	require.NoError(t, s.db.Transact(ctx, func(tx *dynorm.Tx) error { return permits.In(tx).Save(ctx, got) }))
	note := "x"
	for name, change := range map[string]func(p *Permit){
		"a field":                 func(p *Permit) { p.Origin.Country = "fr" },
		"a field of its struct":   func(p *Permit) { p.Origin.Place.City = "Ulm" },
		"one that was not stored": func(p *Permit) { p.Origin.Note = &note },
	} {
		bad := *got
		change(&bad)
		err := permits.Save(ctx, &bad)
		require.ErrorIs(t, err, dynorm.ErrInvalid, name)
		require.ErrorContains(t, err, "Permit.Origin: is readonly", name)
	}
	require.Equal(t, before, origin())

	_, err = permits.Move(ctx, "1", func(p *Permit) error { p.ID = "2"; return nil })
	require.NoError(t, err)
	key = dynorm.Item{"pk": textValue("PERMIT#2"), "sk": textValue("PERMIT#2")}
	require.Equal(t, before, origin(), "it goes with the item to another key")
}

// Domain keeps its name while it is deleted, Site gives it up.
type Domain struct {
	_    dynorm.Entity `dynorm:"Domain,softdelete=keepunique"`
	ID   string
	Name string `dynorm:",unique"`
}

type Site struct {
	_    dynorm.Entity `dynorm:"Site,softdelete"`
	ID   string
	Name string `dynorm:",unique"`
}

func TestKeepUniqueOnSoftDelete(t *testing.T) {
	s := open(t, Domain{}, Site{})
	domains, sites := dynorm.ModelOf[Domain](s.db), dynorm.ModelOf[Site](s.db)
	ctx := t.Context()
	require.NoError(t, errors.Join(domains.Create(ctx, &Domain{ID: "1", Name: "a"}), sites.Create(ctx, &Site{ID: "1", Name: "a"})))
	s.kinds()
	require.NoError(t, domains.Delete(ctx, "1"))
	require.Equal(t, []dynorm.OpKind{dynorm.OpUpdateItem}, s.kinds(), "no claim to move, none to read for")
	require.NoError(t, sites.Delete(ctx, "1"))

	require.ErrorIs(t, domains.Create(ctx, &Domain{ID: "2", Name: "a"}), dynorm.ErrUnique)
	require.NoError(t, sites.Create(ctx, &Site{ID: "2", Name: "a"}))
	_, err := domains.FindBy(ctx, "name", "a")
	require.ErrorIs(t, err, dynorm.ErrNotFound, "a deleted item is not found")
	got, err := sites.FindBy(ctx, "name", "a")
	require.NoError(t, err)
	require.Equal(t, "2", got.ID)
	require.Empty(t, uniqueFaults(t, s.db), "the checker knows both")

	require.NoError(t, domains.Restore(ctx, "1"))
	require.ErrorIs(t, sites.Restore(ctx, "1"), dynorm.ErrUnique)
	d, err := domains.FindBy(ctx, "name", "a")
	require.NoError(t, err)
	require.Equal(t, "1", d.ID)

	// A claim that a deleted item lost is missing, and is mended.
	require.NoError(t, domains.Delete(ctx, "1"))
	_, err = s.client.DeleteItem(ctx, &dynamodb.DeleteItemInput{
		TableName: new(s.db.Table()), Key: dynorm.Item{"pk": textValue("UNIQUE#Domain#name#a"), "sk": textValue("UNIQUE")},
	})
	require.NoError(t, err)
	require.Equal(t, map[string]int{"missing Domain.name": 1}, uniqueFaults(t, s.db))
	repaired, left, err := s.db.RepairAllUnique(ctx)
	require.NoError(t, err)
	require.Equal(t, 1, repaired)
	require.Empty(t, left)
	require.ErrorIs(t, domains.Create(ctx, &Domain{ID: "2", Name: "a"}), dynorm.ErrUnique)

	// In transactions and batches too; a deletion for good frees it.
	require.NoError(t, s.db.Transact(ctx, func(tx *dynorm.Tx) error { return domains.In(tx).Restore(ctx, "1") }))
	require.NoError(t, domains.DeleteMany(ctx, &Domain{ID: "1", Name: "a"}))
	require.Empty(t, uniqueFaults(t, s.db))
	require.NoError(t, domains.ForceDelete(ctx, "1"))
	require.NoError(t, domains.Create(ctx, &Domain{ID: "2", Name: "a"}))
	require.Empty(t, uniqueFaults(t, s.db))
	_, err = dynorm.NewSchema(struct {
		_  dynorm.Entity `dynorm:"Odd,softdelete=keep"`
		ID string
	}{})
	require.ErrorContains(t, err, "softdelete=keepunique")
}
