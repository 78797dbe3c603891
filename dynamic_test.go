package dynorm_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/dynorm/dynorm"
	"github.com/dynorm/dynorm/parser"
)

// ticket is an entity without a Go type.
func ticket() parser.Entity {
	return parser.Entity{
		Name: "Ticket", Timestamps: true,
		Key:     &parser.Key{PK: "PROJECT#{project}", SK: "TICKET#{no:%06d}"},
		Indexes: []parser.Index{{Name: "byState", PK: "STATE#{state}", SK: "{priority}#{project}#{no}"}},
		Fields: []parser.Field{
			{Name: "project", Attr: "project", Type: parser.Type{Kind: parser.String}},
			{Name: "no", Attr: "no", Type: parser.Type{Kind: parser.Int, Bits: 32}},
			{Name: "state", Attr: "state", Type: parser.Type{Kind: parser.String}, Default: new(string)},
			{Name: "priority", Attr: "priority", Type: parser.Type{Kind: parser.Uint, Bits: 8}},
			{Name: "labels", Attr: "labels", Set: true, Type: parser.Type{Kind: parser.List, Elem: &parser.Type{Kind: parser.String}}},
			{Name: "due", Attr: "due", Precision: 3, Type: parser.Type{Kind: parser.Time}},
			{Name: "place", Attr: "place", Type: parser.Type{Kind: parser.Struct, Fields: []parser.Field{
				{Name: "city", Attr: "city", Precision: -1, Type: parser.Type{Kind: parser.String}},
				{Name: "floor", Attr: "floor_no", Precision: -1, Type: parser.Type{Kind: parser.Int, Bits: 16}},
			}}},
			{Name: "rest", Attr: "rest", Type: parser.Type{Kind: parser.Any}},
		},
	}
}

func TestDynamic(t *testing.T) {
	s := open(t, User{}, Team{})
	ctx := t.Context()
	_, err := s.db.Entity("Ticket").Find(ctx, "x")
	require.ErrorIs(t, err, dynorm.ErrUnregistered)
	_, err = s.db.Entity("Usr").Where(dynorm.Eq("id", "1")).List(ctx)
	require.ErrorIs(t, err, dynorm.ErrUnregistered)
	require.ErrorContains(t, err, "did you mean User?")

	db, err := s.db.Register(ticket())
	require.NoError(t, err)
	require.NoError(t, db.CreateTable(ctx))
	_, err = db.Register(ticket())
	require.ErrorIs(t, err, dynorm.ErrDefinition)
	m := db.Entity("Ticket")
	require.Equal(t, "Ticket", m.Definition().Name)

	// Values of other types are converted; what is generated is filled in.
	r := dynorm.Record{
		"project": "p", "no": 7.0, "state": "open", "priority": 3, "labels": []string{"b", "a"}, "due": clock,
		"place": map[string]any{"city": "Bonn", "floor_no": 2}, "rest": []any{1, "x", nil},
	}
	require.NoError(t, m.Create(ctx, r))
	require.ErrorIs(t, m.Create(ctx, r), dynorm.ErrExists)
	raw := s.raw(t, "PROJECT#p", "TICKET#000007")
	require.Equal(t, "STATE#open", raw["gsi1pk"])
	require.Equal(t, "2026-03-04T05:06:07.089Z", raw["createdAt"])

	got, err := m.Find(ctx, dynorm.Record{"project": "p", "no": 7})
	require.NoError(t, err)
	require.Equal(t, "p", got["project"])
	require.Equal(t, int32(7), got["no"])
	require.Equal(t, uint8(3), got["priority"])
	require.ElementsMatch(t, []string{"a", "b"}, got["labels"])
	require.Equal(t, clock, got["due"])
	require.NotContains(t, got, "pk")

	for i, state := range []string{"open", "done", "open"} {
		require.NoError(t, m.Put(ctx, map[string]any{"project": "q", "no": i, "state": state, "priority": i}))
	}
	list, err := m.Where(dynorm.Eq("state", "open")).OrderByDesc("priority").List(ctx)
	require.NoError(t, err)
	require.Len(t, list, 3)
	require.Equal(t, int32(7), (*list[0])["no"])
	list, err = m.Where(dynorm.Eq("project", "p"), dynorm.Eq("place.city", "Bonn"), dynorm.Eq("place.floor_no", 2)).List(ctx)
	require.NoError(t, err)
	require.Len(t, list, 1)

	updated, err := m.Update(ctx, dynorm.Record{"project": "p", "no": 7}, dynorm.Set("state", "done"), dynorm.Add("priority", 1))
	require.NoError(t, err)
	require.Equal(t, uint8(4), updated["priority"])
	n, err := m.Where(dynorm.Eq("state", "done")).Count(ctx)
	require.NoError(t, err)
	require.Equal(t, 2, n)
	delete(updated, "labels")
	require.NoError(t, m.Save(ctx, updated))
	require.NotContains(t, s.raw(t, "PROJECT#p", "TICKET#000007"), "labels")
	require.NoError(t, m.Delete(ctx, dynorm.Record{"project": "p", "no": 7}))
	_, err = m.Find(ctx, dynorm.Record{"project": "p", "no": 7})
	require.ErrorIs(t, err, dynorm.ErrNotFound)

	for name, bad := range map[string]dynorm.Record{
		"unknown": {"project": "p", "no": 1, "colour": "red"},
		"kind":    {"project": "p", "no": "one"},
		"size":    {"project": "p", "no": 1, "priority": 300},
		"key":     {"no": 1},
		"nil":     nil,
	} {
		require.Error(t, m.Create(ctx, bad), name)
	}

	// A struct's entity is reached by its name as well.
	require.NoError(t, dynorm.ModelOf[User](db).Create(ctx, &User{ID: "1", Name: "Ann", TeamID: "t"}))
	user, err := db.Entity("User").Find(ctx, "1")
	require.NoError(t, err)
	require.Equal(t, "Ann", user["name"])
}

func TestKeyQuery(t *testing.T) {
	s := open(t, User{}, Team{}, Post{})
	ctx := t.Context()
	for _, id := range []string{"1", "2", "3"} {
		require.NoError(t, s.db.Entity("Post").Create(ctx, dynorm.Record{"id": "p" + id, "userId": "123", "title": "T" + id}))
	}
	require.NoError(t, s.db.Entity("User").Create(ctx, dynorm.Record{"id": "123", "name": "Ann", "teamId": "t"}))
	posts := s.db.Entity("Post").PK("USER#123").Index("GSI1")
	s.sent = nil

	items, err := posts.SK().BeginsWith("POST#").Project("title").Get(ctx)
	require.NoError(t, err)
	require.Len(t, items, 3)
	require.Equal(t, dynorm.Record{"id": "p1", "title": "T1"}, items[0])
	require.Equal(t, []dynorm.OpKind{dynorm.OpQuery}, s.kinds())
	plan, err := posts.SK().BeginsWith("POST#").Explain()
	require.NoError(t, err)
	require.Equal(t, []string{"gsi1pk = USER#123 and begins_with(gsi1sk, POST#)"}, plan.Keys, "an index binds its own keys")

	ids := func(k dynorm.KeyQuery) (ids string) {
		t.Helper()
		for r, err := range k.All(ctx) {
			require.NoError(t, err)
			ids += r["id"].(string)[1:]
		}
		return ids
	}
	require.Equal(t, "321", ids(posts.Desc()))
	require.Equal(t, "2", ids(posts.SK().Eq("POST#p2")))
	require.Equal(t, "23", ids(posts.SK().Gt("POST#p1")))
	require.Equal(t, "123", ids(posts.SK().Ge("POST#p1")))
	require.Equal(t, "1", ids(posts.SK().Lt("POST#p2")))
	require.Equal(t, "12", ids(posts.SK().Le("POST#p2")))
	require.Equal(t, "23", ids(posts.SK().Between("POST#p2", "POST#p9")))
	require.Equal(t, "13", ids(posts.Where(dynorm.Ne("title", "T2"))))
	require.Equal(t, "12", ids(posts.Limit(2)))
	n, err := posts.Count(ctx)
	require.NoError(t, err)
	require.Equal(t, 3, n)
	first, err := posts.Where(dynorm.Eq("title", "T3")).First(ctx)
	require.NoError(t, err)
	require.Equal(t, "p3", first["id"])
	page, err := posts.Limit(2).Query().Page(ctx, "")
	require.NoError(t, err)
	page, err = posts.Limit(2).Query().Page(ctx, page.Next)
	require.NoError(t, err)
	require.Len(t, page.Items, 1)

	// The table, and only the items of the entity unless asked for others.
	any, err := s.db.Entity("Post").PK("USER#123").Get(ctx)
	require.NoError(t, err)
	require.Empty(t, any)
	any, err = s.db.Entity("Post").PK("USER#123").AnyType().Consistent().Get(ctx)
	require.NoError(t, err)
	require.Equal(t, "Ann", any[0]["name"])

	for _, row := range []struct {
		name string
		k    dynorm.KeyQuery
		want error
	}{
		{"no key", s.db.Entity("Post").PK(""), dynorm.ErrMissingKey},
		{"two sort keys", posts.SK().BeginsWith("a").SK().Eq("b"), dynorm.ErrInvalid},
		{"empty sort key", posts.SK().Eq(""), dynorm.ErrMissingKey},
		{"turned", posts.SK().Between("b", "a"), dynorm.ErrInvalid},
		{"index", s.db.Entity("Post").PK("x").Index("GSI9"), dynorm.ErrNoIndex},
		{"consistent", posts.Consistent(), dynorm.ErrInvalid},
		{"entity", s.db.Entity("Pots").PK("x"), dynorm.ErrUnregistered},
		{"zero", dynorm.KeyQuery{}.SK().Eq("x"), dynorm.ErrInvalid},
	} {
		s.sent = nil
		_, err := row.k.Get(ctx)
		require.ErrorIs(t, err, row.want, row.name)
		require.Empty(t, s.sent, row.name)
	}
}
