package dynorm_test

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"
	"pgregory.net/rapid"

	"github.com/dynorm/dynorm"
	"github.com/dynorm/dynorm/internal/testdb"
)

func TestTenantPrefix(t *testing.T) {
	require.Equal(t, "TENANT#acme#", dynorm.TenantPrefix("acme"))
	require.Empty(t, dynorm.TenantPrefix(""))
	rapid.Check(t, func(t *rapid.T) {
		a, b := rapid.String().Draw(t, "a"), rapid.String().Draw(t, "b")
		if a == "" || b == "" || a == b {
			return
		}
		if strings.HasPrefix(dynorm.TenantPrefix(a), dynorm.TenantPrefix(b)) {
			t.Fatalf("the keys of %q are among those of %q", a, b)
		}
	})
}

type brokenScope struct{ err error }

func (s brokenScope) Tenant(context.Context) (dynorm.Tenant, error) { return dynorm.Tenant{}, s.err }

func TestScopeRefuses(t *testing.T) {
	why := errors.New("the token has expired")
	p, s := portModes[0].open(t, dynorm.Config{Scope: brokenScope{why}})
	_, err := p.notes.Find(t.Context(), "n1")
	require.ErrorIs(t, err, dynorm.ErrNoTenant)
	require.ErrorIs(t, err, why)
	require.ErrorIs(t, p.db.CreateTable(t.Context()), dynorm.ErrNoTenant)

	p, s2 := portModes[0].open(t, dynorm.Config{Scope: scopeOfContext{}})
	_, err = p.notes.Find(as(t.Context(), dynorm.Tenant{Table: "no table"}), "n1")
	require.ErrorIs(t, err, dynorm.ErrInvalid)
	_, err = p.notes.Find(as(t.Context(), dynorm.Tenant{Prefix: strings.Repeat("x", 2048)}), "n1")
	require.ErrorIs(t, err, dynorm.ErrTooLarge)
	require.ErrorContains(t, err, "pk has 2055 bytes with the tenant's prefix, over the limit of 2048")
	require.Empty(t, append(s.kinds(), s2.kinds()...))
}

// A cursor of one tenant is none of another.
func TestCursorIsOfTenant(t *testing.T) {
	p, _ := portModes[0].open(t, dynorm.Config{Scope: scopeOfContext{}})
	a := as(t.Context(), dynorm.Tenant{Prefix: dynorm.TenantPrefix("a")})
	b := as(t.Context(), dynorm.Tenant{Prefix: dynorm.TenantPrefix("b")})
	require.NoError(t, p.db.CreateTable(a))
	p.seed(a, t)
	p.seed(b, t)
	page, err := p.topic().Limit(1).Page(a, "")
	require.NoError(t, err)
	_, err = p.topic().Limit(1).Page(b, page.Next)
	require.ErrorIs(t, err, dynorm.ErrCursor)
	page, err = p.topic().Limit(1).Page(a, page.Next)
	require.NoError(t, err)
	require.NoError(t, notesAre("n2")(page.Items, nil))
}

// A page of a scan may end at an item of another tenant, whose key is nobody
// else's to know.
func TestScanCursorHidesOthers(t *testing.T) {
	p, _ := portModes[1].open(t, dynorm.Config{Scope: scopeOfContext{}})
	tenants := make([]context.Context, 8)
	for i := range tenants {
		tenants[i] = as(t.Context(), dynorm.Tenant{Prefix: dynorm.TenantPrefix(fmt.Sprintf("tenant-%d", i))})
	}
	require.NoError(t, p.db.CreateTable(tenants[0]))
	for _, ctx := range tenants {
		p.seed(ctx, t)
	}
	for _, ctx := range tenants {
		var ids []*PortMemo
		q := p.memos.Query().AllowScan().PageSize(1).OnProgress(func(progress dynorm.Progress) {
			require.NotContains(t, cursorText(t, progress.Cursor), "TENANT")
		}).Limit(2)
		cursor := ""
		for {
			page, err := q.Page(ctx, cursor)
			require.NoError(t, err)
			ids = append(ids, page.Items...)
			if cursor = page.Next; cursor == "" {
				break
			}
			require.NotContains(t, cursorText(t, cursor), "TENANT")
		}
		require.NoError(t, memosAre("m1", "m2", "m3")(ids, nil))
	}
}

type nativeDoc struct {
	_     dynorm.Index `dynorm:"byOwner,native" pk:"Owner" sk:"ID"`
	ID    string
	Owner string `dynorm:",omitempty"`
}

// An index whose partition key is a field can't keep tenants apart.
func TestScopeAndNativeIndex(t *testing.T) {
	schema, err := dynorm.NewSchema(nativeDoc{})
	require.NoError(t, err)
	db, err := dynorm.Open(testdb.Open(t), schema, dynorm.Config{Table: testdb.Table(t), Scope: scopeOfContext{}})
	require.NoError(t, err)
	docs := dynorm.ModelOf[nativeDoc](db)
	a := as(t.Context(), dynorm.Tenant{Prefix: dynorm.TenantPrefix("a")})
	require.NoError(t, db.CreateTable(a))
	require.NoError(t, docs.Create(a, &nativeDoc{ID: "1", Owner: "ann"}))
	_, err = docs.Where(dynorm.Eq("owner", "ann")).List(a)
	require.ErrorIs(t, err, dynorm.ErrInvalid)
	require.ErrorContains(t, err, "the partition key of the index native.owner-id is made of fields, which can't carry the prefix of a tenant: index by a template, or give each tenant a table")

	b := as(t.Context(), dynorm.Tenant{Table: testdb.Table(t)})
	require.NoError(t, db.CreateTable(b))
	require.NoError(t, docs.Create(b, &nativeDoc{ID: "2", Owner: "ann"}))
	list, err := docs.Where(dynorm.Eq("owner", "ann")).List(b)
	require.NoError(t, err)
	require.Equal(t, []*nativeDoc{{ID: "2", Owner: "ann"}}, list, "a table of its own is all the tenant's")
}

// scopedMember is found by its group in an index over the table's key the other
// way round.
type scopedMember struct {
	_       dynorm.Key `pk:"USER#{UserID}" sk:"GROUP#{GroupID}"`
	UserID  string
	GroupID string
}

func TestScopeAndInvertedIndex(t *testing.T) {
	schema, err := dynorm.NewSchema(dynorm.SchemaConfig{Indexes: []dynorm.IndexConfig{{Name: "inverted", PK: "sk", SK: "pk"}}},
		scopedMember{})
	require.NoError(t, err)
	client := testdb.Open(t)
	db, err := dynorm.Open(client, schema, dynorm.Config{Table: testdb.Table(t), Scope: scopeOfContext{}})
	require.NoError(t, err)
	members := dynorm.ModelOf[scopedMember](db)
	a := as(t.Context(), dynorm.Tenant{Prefix: dynorm.TenantPrefix("a")})
	b := as(t.Context(), dynorm.Tenant{Prefix: dynorm.TenantPrefix("b")})
	require.NoError(t, db.CreateTable(a))
	for _, ctx := range []context.Context{a, b} {
		for n := range 3 {
			require.NoError(t, members.Create(ctx, &scopedMember{UserID: fmt.Sprint("u", n), GroupID: "g"}))
		}
	}
	for _, ctx := range []context.Context{a, b} {
		list, err := db.Entity("scopedMember").PK("GROUP#g").SK().BeginsWith("USER#").Index("inverted").Get(ctx)
		require.NoError(t, err)
		require.Len(t, list, 3)
		list, err = db.Entity("scopedMember").PK("USER#u1").SK().Between("GROUP#a", "GROUP#z").Get(ctx)
		require.NoError(t, err)
		require.Len(t, list, 1)
	}
	require.Contains(t, dump(t, client, db.Table()), "TENANT#a#USER#u1|TENANT#a#GROUP#g")
}

// A hundred goroutines of many tenants never see an item of another one.
func TestScopeUnderLoad(t *testing.T) {
	p, _ := portModes[0].open(t, dynorm.Config{Scope: scopeOfContext{}, Cache: &mapCache{entries: map[dynorm.CacheKey][]byte{}}})
	tenant := func(n int) context.Context {
		return as(t.Context(), dynorm.Tenant{Prefix: dynorm.TenantPrefix(fmt.Sprint("t", n))})
	}
	require.NoError(t, p.db.CreateTable(tenant(0)))
	var g errgroup.Group
	for n := range 100 {
		g.Go(func() error {
			ctx, own := tenant(n%20), fmt.Sprint("t", n%20)
			id := fmt.Sprint("memo", n/20)
			for round := range 3 {
				memo := &PortMemo{Folder: "f", ID: id, Title: own, Count: round, Secret: own}
				if err := p.memos.Put(ctx, memo); err != nil {
					return err
				}
				if _, err := p.memos.Update(ctx, memo, dynorm.Add("count", 1)); err != nil {
					return err
				}
				list, err := p.folder().List(ctx)
				if err != nil {
					return err
				}
				found, err := p.memos.FindMany(ctx, memo)
				if err != nil {
					return err
				}
				for _, v := range append(list, found...) {
					if v.Title != own || v.Secret != own {
						return fmt.Errorf("%s sees %+v", own, v)
					}
				}
			}
			return nil
		})
	}
	require.NoError(t, g.Wait())
}

// cursorText is what a cursor holds.
func cursorText(t testing.TB, cursor string) string {
	t.Helper()
	raw, err := base64.RawURLEncoding.DecodeString(cursor)
	require.NoError(t, err)
	return string(raw)
}
