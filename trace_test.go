package dynorm_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/dynorm/dynorm"
	"github.com/dynorm/dynorm/internal/testdb"
	"github.com/dynorm/dynorm/local"
)

// ended returns what the tracer was told of requests of a kind since it was
// asked last.
func (s *spans) ended(kind dynorm.OpKind) (ends []dynorm.TraceEnd) {
	for _, sp := range s.calls {
		if sp.start.Request == kind {
			ends = append(ends, sp.ends...)
		}
	}
	s.calls = nil
	return ends
}

func TestTraceOfRequests(t *testing.T) {
	for _, m := range portModes {
		t.Run(m.name, func(t *testing.T) {
			ctx, tr := t.Context(), &spans{}
			p, _ := m.made(t, dynorm.Config{Tracer: tr})
			tr.calls = nil

			_, err := p.topic().Where(dynorm.Gt("_v", 0), dynorm.Eq("slug", "slug-n2")).Index("byTopic").List(ctx)
			require.NoError(t, err)
			index := tr.calls[1].start
			require.Equal(t, dynorm.TraceStart{Request: dynorm.OpQuery, Op: "List", Entity: "Note", Table: p.db.Table(), Index: index.Index}, index)
			require.NotEmpty(t, index.Index)
			require.Equal(t, []dynorm.TraceEnd{{Items: 1, Evaluated: 3, Units: 0.5}}, tr.ended(dynorm.OpQuery))

			_, err = p.memos.FindMany(ctx, portMemo(1), portMemo(2), portMemo(7))
			require.NoError(t, err)
			require.Equal(t, 2, tr.ended(dynorm.OpBatchGetItem)[0].Items)
			_, err = p.notes.TransactGet(ctx, "n1", "n7")
			require.NoError(t, err)
			require.Equal(t, []dynorm.TraceEnd{{Items: 1, Units: 4}}, tr.ended(dynorm.OpTransactGetItems), "two for each key")
			_, err = p.memos.Get(ctx, *portMemo(7))
			require.ErrorIs(t, err, dynorm.ErrNotFound)
			require.ErrorIs(t, tr.calls[0].ends[0].Err, dynorm.ErrNotFound, "the call failed")
			require.Equal(t, []dynorm.TraceEnd{{Units: 0.5}}, tr.ended(dynorm.OpGetItem), "and its request did not")
			require.NoError(t, p.memos.PutMany(ctx, portMemo(1), portMemo(2)))
			require.Equal(t, 2, tr.ended(dynorm.OpBatchWriteItem)[0].Items)
			require.NoError(t, p.notes.Create(ctx, portNote(8)))
			require.Equal(t, 2, tr.ended(dynorm.OpTransactWriteItems)[0].Items, "the note and its claim")
			require.ErrorIs(t, p.memos.Create(ctx, portMemo(1)), dynorm.ErrExists)
			require.ErrorIs(t, tr.ended(dynorm.OpPutItem)[0].Err, dynorm.ErrConditionFailed)
		})
	}
}

func TestTraceOfRetries(t *testing.T) {
	engine, err := local.Open(t.Context(), local.Config{}) // no other engine throttles on order
	require.NoError(t, err)
	tr := &spans{}
	db, err := dynorm.Open(engine.Client(), portModes[0].schema(t), dynorm.Config{Table: testdb.Table(t), Tracer: tr})
	require.NoError(t, err)
	require.NoError(t, db.CreateTable(t.Context()))
	p := newPortSet(db)
	p.seed(t.Context(), t)
	tr.calls = nil
	_, err = engine.Inject(local.Fault{Kind: local.Throttle, Operations: []string{"GetItem"}, Times: 2})
	require.NoError(t, err)
	_, err = p.notes.Find(t.Context(), "n1")
	require.NoError(t, err)
	require.Equal(t, []dynorm.TraceEnd{{Items: 1, Units: 0.5, Retries: 2}}, tr.ended(dynorm.OpGetItem))
}

// A break out of a loop ends its call.
func TestTraceOfLoops(t *testing.T) {
	tr := &spans{}
	p, _ := portModes[0].made(t, dynorm.Config{Tracer: tr})
	tr.calls = nil
	for _, err := range p.topic().PageSize(1).All(t.Context()) {
		require.NoError(t, err)
		break
	}
	require.Equal(t, "All", tr.calls[0].start.Op)
	for _, sp := range tr.calls {
		require.Len(t, sp.ends, 1)
	}
}
