package dynorm

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/stretchr/testify/require"

	"github.com/dynorm/dynorm/internal/testdb"
)

// page is an entity whose index does not project its text.
type hydrated struct {
	_ Index `dynorm:"byTopic" pk:"TOPIC#{Topic}" sk:"{Rank}#{ID}"`

	ID    string
	Topic string
	Rank  int
	Title string
	Text  string
}

func TestHydrate(t *testing.T) {
	schema, err := NewSchema(hydrated{})
	require.NoError(t, err)
	schema.entities[0].paths()[1].projected = map[string]bool{
		"pk": true, "sk": true, "gsi1pk": true, "gsi1sk": true, "_et": true, "id": true, "topic": true, "rank": true, "title": true,
	}
	client := testdb.Open(t)
	var kinds []OpKind
	db, err := Open(client, schema, Config{Table: testdb.Table(t), Interceptors: []Interceptor{countKinds(&kinds)}})
	require.NoError(t, err)
	in := schema.TableDefinition()
	in.TableName = aws.String(db.Table())
	in.GlobalSecondaryIndexes[0].Projection = &types.Projection{
		ProjectionType:   types.ProjectionTypeInclude,
		NonKeyAttributes: []string{"_et", "id", "topic", "rank", "title"},
	}
	_, err = client.CreateTable(t.Context(), in)
	require.NoError(t, err)
	m, ctx := ModelOf[hydrated](db), t.Context()
	for i := range 7 {
		require.NoError(t, m.Create(ctx, &hydrated{ID: string(rune('a' + i)), Topic: "go", Rank: 7 - i, Title: "title", Text: "text"}))
	}
	kinds = nil
	q := m.Where(Eq("topic", "go"))

	_, err = q.List(ctx)
	require.ErrorIs(t, err, ErrNoIndex)
	require.ErrorContains(t, err, "does not project Text: select other fields, or use Hydrate")
	_, err = q.Where(Eq("text", "text")).Hydrate().List(ctx)
	require.ErrorContains(t, err, "does not project Text, which the query filters by")
	require.Empty(t, kinds)

	titles, err := q.Select("title").List(ctx)
	require.NoError(t, err)
	require.Equal(t, &hydrated{ID: "g", Title: "title"}, titles[0])
	require.Equal(t, []OpKind{OpQuery}, kinds)

	kinds = nil
	whole, err := q.Hydrate().List(ctx)
	require.NoError(t, err)
	require.Len(t, whole, 7)
	require.Equal(t, &hydrated{ID: "g", Topic: "go", Rank: 1, Title: "title", Text: "text"}, whole[0], "in the order of the index")
	require.Equal(t, []OpKind{OpQuery, OpBatchGetItem}, kinds)

	kinds = nil
	texts, err := q.Hydrate().Select("text").OrderByDesc("rank").Limit(2).List(ctx)
	require.NoError(t, err)
	require.Equal(t, []*hydrated{{ID: "a", Text: "text"}, {ID: "b", Text: "text"}}, texts)
	require.Equal(t, []OpKind{OpQuery, OpBatchGetItem}, kinds)

	n, err := q.Hydrate().Count(ctx)
	require.NoError(t, err)
	require.Equal(t, 7, n)

	var ids string
	cursor := ""
	for {
		page, err := q.Hydrate().Limit(3).Page(ctx, cursor)
		require.NoError(t, err)
		for _, item := range page.Items {
			ids += item.ID
		}
		if cursor = page.Next; cursor == "" {
			break
		}
	}
	require.Equal(t, "gfedcba", ids)

	// A write over the query knows that the index gives it parts of items.
	b, err := q.Hydrate().Update(ctx, Set("rank", 9))
	require.NoError(t, err)
	require.Equal(t, 7, b.Changed)
	found, err := m.Find(ctx, "c")
	require.NoError(t, err)
	require.Equal(t, &hydrated{ID: "c", Topic: "go", Rank: 9, Title: "title", Text: "text"}, found)
}
