package dynorm_test

import (
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/stretchr/testify/require"

	"github.com/dynorm/dynorm"
	"github.com/dynorm/dynorm/parser"
	"github.com/dynorm/dynorm/testdata/models/forge"
	"github.com/dynorm/dynorm/testdata/models/saas"
)

func TestCollection(t *testing.T) {
	s := open(t, append(saas.Models(), parser.Entity{
		Name: "Note", Key: &parser.Key{PK: "TENANT#{TenantID}", SK: "NOTE#{ID}"},
		Fields: []parser.Field{{Name: "TenantID", Type: parser.Type{Kind: parser.String}}, {Name: "ID", Type: parser.Type{Kind: parser.String}}},
	})...)
	ctx := t.Context()
	now := clock.AddDate(70, 0, 0) // so that the engine deletes nothing by itself
	s.now = func() time.Time { return now }
	require.NoError(t, dynorm.ModelOf[saas.Tenant](s.db).Create(ctx, &saas.Tenant{ID: "a#b", Plan: "team"}))
	members := dynorm.ModelOf[saas.Member](s.db)
	for _, id := range []string{"m1", "m2", "m3"} {
		require.NoError(t, members.Create(ctx, &saas.Member{ID: id, TenantID: "a#b", Email: id, Role: "member"}))
	}
	require.NoError(t, members.Delete(ctx, &saas.Member{ID: "m2", TenantID: "a#b"}))
	require.NoError(t, members.Create(ctx, &saas.Member{ID: "m9", TenantID: "other", Email: "m9", Role: "member"}))
	require.NoError(t, dynorm.ModelOf[saas.Project](s.db).Create(ctx, &saas.Project{ID: "p1", TenantID: "a#b", Name: "P"}))
	invitations := dynorm.ModelOf[saas.Invitation](s.db)
	require.NoError(t, invitations.Create(ctx, &saas.Invitation{TenantID: "a#b", Email: "new", Expires: now.Add(time.Hour)}))
	require.NoError(t, invitations.Create(ctx, &saas.Invitation{TenantID: "a#b", Email: "old", Expires: now.Add(-time.Hour)}))
	require.NoError(t, s.db.Entity("Note").Create(ctx, dynorm.Record{"tenantId": "a#b", "id": "n1"}))
	s.put(t, dynorm.Item{"pk": text("TENANT#a%23b"), "sk": text("X#1"), "deletedAt": text("no mark of ours")})
	s.put(t, dynorm.Item{"pk": text("TENANT#a%23b"), "sk": text("X#2"), "_et": text("Nobody")})

	s.sent = nil
	q := dynorm.Collection(s.db, "TENANT", "a#b")
	res, err := q.Load(ctx)
	require.NoError(t, err)
	require.Equal(t, []dynorm.OpKind{dynorm.OpQuery}, s.kinds(), "one request")
	require.Equal(t, "team", dynorm.Of[saas.Tenant](res)[0].Plan)
	ids := func(res *dynorm.Collected) (ids []string) {
		for _, m := range dynorm.Of[saas.Member](res) {
			ids = append(ids, m.ID)
		}
		return ids
	}
	require.Equal(t, []string{"m1", "m3"}, ids(res), "in order, without the deleted and those of others")
	require.Len(t, dynorm.Of[saas.Project](res), 1)
	require.Equal(t, "new", dynorm.Of[saas.Invitation](res)[0].Email)
	require.Len(t, dynorm.Of[saas.Invitation](res), 1, "the expired one is left out")
	require.Len(t, res.Unknown, 2)
	require.Empty(t, dynorm.Of[forge.Repo](res), "a type of another schema")
	notes, err := res.Records("Note")
	require.NoError(t, err)
	require.Equal(t, []dynorm.Record{{"tenantId": "a#b", "id": "n1"}}, notes)
	records, err := res.Records("Project")
	require.NoError(t, err)
	require.Equal(t, "P", records[0]["name"])
	_, err = res.Records("Projects")
	require.ErrorIs(t, err, dynorm.ErrUnregistered)

	res, err = q.WithTrashed().IncludeExpired().Desc().Consistent().Load(ctx)
	require.NoError(t, err)
	require.Equal(t, []string{"m3", "m2", "m1"}, ids(res))
	require.Len(t, dynorm.Of[saas.Invitation](res), 2)
	res, err = q.Limit(4).Load(ctx)
	require.NoError(t, err)
	require.Len(t, dynorm.Of[saas.Invitation](res), 1)
	require.Equal(t, []string{"m1", "m3"}, ids(res))
	require.Empty(t, res.Unknown, "four items in all: the invitation, the members, and the note")
	empty, err := dynorm.Collection(s.db, "TENANT", "nobody").Load(ctx)
	require.NoError(t, err)
	require.Empty(t, ids(empty))

	plan, err := q.Explain()
	require.NoError(t, err)
	require.Equal(t, "Tenant, Member, Project, Task, Invitation, Note", plan.Entity)
	require.Equal(t, []string{"pk = TENANT#a%23b"}, plan.Keys)

	s.put(t, dynorm.Item{"pk": text("TENANT#a%23b"), "sk": text("MEMBER#m4"), "_et": text("Member"), "id": &types.AttributeValueMemberN{Value: "1"}})
	_, err = q.Load(ctx)
	require.ErrorIs(t, err, dynorm.ErrValue, "what does not decode is an error")
	require.ErrorContains(t, err, "Member")
}

// put writes an item as another program would.
func (s *store) put(t *testing.T, item dynorm.Item) {
	_, err := s.client.PutItem(t.Context(), &dynamodb.PutItemInput{TableName: aws.String(s.db.Table()), Item: item})
	require.NoError(t, err)
}

func text(s string) types.AttributeValue { return &types.AttributeValueMemberS{Value: s} }

func TestCollectionOfIndex(t *testing.T) {
	s := open(t, forge.Models()...)
	ctx := t.Context()
	require.NoError(t, dynorm.ModelOf[forge.Repo](s.db).Create(ctx, &forge.Repo{Owner: "ann", Name: "x", Changed: clock}))
	for n := range 3 {
		require.NoError(t, dynorm.ModelOf[forge.Pull](s.db).Create(ctx, &forge.Pull{Owner: "ann", Repo: "x", Number: n + 1}))
	}
	for _, index := range []string{"GSI1", "withPulls", "ofRepo"} {
		q := dynorm.Collection(s.db, "REPO", "ann", "x").Index(index)
		if index == "GSI1" {
			res, err := q.Load(ctx)
			require.NoError(t, err)
			require.Len(t, dynorm.Of[forge.Repo](res), 1)
			require.Len(t, dynorm.Of[forge.Pull](res), 3)
		}
		plan, err := q.Explain()
		require.NoError(t, err)
		require.Equal(t, "GSI1", plan.Index)
	}
	// The number of a partition is written as its field is.
	plan, err := dynorm.Collection(s.db, "ISSUECOMMENT", "ann", "x", 7).Explain()
	require.NoError(t, err)
	require.Equal(t, []string{"pk = ISSUECOMMENT#ann#x#0000007"}, plan.Keys)
}

func TestCollectionFaults(t *testing.T) {
	s := open(t, append(forge.Models(), Visit{}, narrowTown{})...)
	for _, c := range []struct {
		q    dynorm.CollectionQuery
		kind error
		want string
	}{
		{dynorm.Collection(nil, "USER", "1"), dynorm.ErrInvalid, "given no DB"},
		{dynorm.Collection(s.db), dynorm.ErrInvalid, "no entity has a partition of what was given, 0 parts: the partitions are ACCOUNT#{name} (Account)"},
		{dynorm.Collection(s.db, "REPOS", "ann", "x"), dynorm.ErrInvalid, "no entity has a partition"},
		{dynorm.Collection(s.db, "REPO", "ann", ""), dynorm.ErrMissingKey, "has no value"},
		{dynorm.Collection(s.db, "REPO", "ann", nil), dynorm.ErrValue, "want string, got nil"},
		{dynorm.Collection(s.db, "ISSUECOMMENT", "ann", "x", "seven"), dynorm.ErrValue, "Issue"},
		{dynorm.Collection(s.db, "REPO", "ann", "x").Index("withPull"), dynorm.ErrInvalid, `no entity has an index "withPull" (did you mean withPulls?)`},
		{dynorm.Collection(s.db, "REPO", "ann", "x").Index(""), dynorm.ErrInvalid, "Index was given no name"},
		{dynorm.Collection(s.db, "REPO", "ann", "x").Index("GSI1").Consistent(), dynorm.ErrInvalid, "only eventually consistent"},
		{dynorm.Collection(s.db, "REPO", "ann", "x").Limit(-1), dynorm.ErrInvalid, "Limit(-1)"},
		{dynorm.Collection(s.db, "s", "se").Index("perSite"), dynorm.ErrInvalid, "has fields for its partition"},
		{dynorm.Collection(s.db, "TOWN", "x").Index("narrow"), dynorm.ErrInvalid, "does not have all attributes"},
	} {
		s.sent = nil
		_, err := c.q.Load(t.Context())
		require.ErrorIs(t, err, c.kind, c.want)
		require.ErrorContains(t, err, c.want)
		require.Empty(t, s.sent, "before any request")
		_, err = c.q.Explain()
		require.ErrorContains(t, err, c.want)
	}
}

// narrowTown has an index of keys only.
type narrowTown struct {
	_    dynorm.Entity `dynorm:"Narrow"`
	_    dynorm.Index  `dynorm:"narrow,gsi=7,project=keys" pk:"TOWN#{Town}" sk:"{ID}"`
	ID   string
	Town string
	Name string
}
