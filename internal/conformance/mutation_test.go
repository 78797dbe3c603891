package conformance_test

import (
	"encoding/json"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/dynorm/dynorm/internal/conformance"
)

// TestMutations sends requests of the cases with something in them exchanged
// for something else, again and again on the same tables.
func TestMutations(t *testing.T) {
	m := newMutator(t)
	for seed := range uint64(4000) {
		m.send(t, seed)
	}
}

func FuzzMutations(f *testing.F) {
	m := newMutator(f)
	f.Fuzz(func(t *testing.T, seed uint64) { m.send(t, seed) })
}

type mutator struct {
	endpoint *conformance.Endpoint
	requests []request
	parts    []any // of all requests, to put in each other's places
}

type request struct {
	op   string
	body map[string]any
}

func newMutator(t testing.TB) *mutator {
	e, err := conformance.EmbeddedEndpoint(t.Context())
	require.NoError(t, err)
	m := &mutator{endpoint: e, parts: []any{
		nil, true, "", "x", json.Number("-1"), json.Number("1e400"), json.Number("99999999999999999999"),
		map[string]any{},
		[]any{},
		[]any{nil},
		map[string]any{"": map[string]any{"S": ""}},
		map[string]any{"NULL": nil},
		map[string]any{"N": "1e999"},
		map[string]any{"B": "="},
	}}
	for _, def := range fixtures(t) {
		a, err := e.Call(t.Context(), "CreateTable", def, nil)
		require.NoError(t, err)
		require.False(t, a.Failed(), "%s", a.Raw)
	}
	all := scripts(t)
	for _, file := range slices.Sorted(maps.Keys(all)) {
		for _, c := range all[file] {
			for _, s := range c.Steps {
				v, err := conformance.DecodeJSON([]byte(s.Body))
				if body, ok := v.(map[string]any); err == nil && ok && len(s.Body) < 5000 {
					m.requests = append(m.requests, request{s.Op, body})
					m.collect(body)
				}
			}
		}
	}
	require.Greater(t, len(m.requests), 500)
	return m
}

// collect keeps the parts of v.
func (m *mutator) collect(v any) {
	m.parts = append(m.parts, v)
	switch v := v.(type) {
	case map[string]any:
		for _, name := range slices.Sorted(maps.Keys(v)) {
			m.collect(v[name])
		}
	case []any:
		for _, e := range v {
			m.collect(e)
		}
	}
}

// send makes the request that seed stands for and sends it. Whatever it asks,
// the answer is the operation's or a fault that was foreseen.
func (m *mutator) send(t *testing.T, seed uint64) {
	r := rand.New(rand.NewPCG(seed, 7))
	q := m.requests[r.IntN(len(m.requests))]
	if q.op == "DeleteTable" || q.op == "UpdateTable" {
		q.op = m.requests[r.IntN(len(m.requests))].op
	}
	var body any = q.body
	for range 1 + r.IntN(3) {
		body = m.mutate(r, body)
	}
	text, err := json.Marshal(body)
	require.NoError(t, err)
	a, err := m.endpoint.Call(t.Context(), q.op, string(text), nil)
	require.NoError(t, err)
	require.Less(t, a.Status, 500, "%s %s\n%s", q.op, text, a.Raw)
	require.True(t, len(a.Raw) == 0 || json.Valid(a.Raw), "%s %s\n%s", q.op, text, a.Raw)
}

// mutate returns v with one part of it exchanged, left out or doubled.
func (m *mutator) mutate(r *rand.Rand, v any) any {
	if r.IntN(4) > 0 {
		switch old := v.(type) {
		case map[string]any:
			if len(old) == 0 {
				break
			}
			v := maps.Clone(old)
			name := slices.Sorted(maps.Keys(v))[r.IntN(len(v))]
			switch r.IntN(8) {
			case 0:
				delete(v, name)
			case 1:
				v[name+"x"] = v[name]
			default:
				v[name] = m.mutate(r, v[name])
			}
			return v
		case []any:
			if len(old) == 0 {
				break
			}
			v := slices.Clone(old)
			i := r.IntN(len(v))
			if r.IntN(5) == 0 {
				return append(v, v[i])
			}
			v[i] = m.mutate(r, v[i])
			return v
		case string:
			if len(old) == 0 || r.IntN(2) == 0 {
				break
			}
			i := r.IntN(len(old))
			return old[:i] + m.string(r) + old[i:]
		}
	}
	return m.parts[r.IntN(len(m.parts))]
}

func (m *mutator) string(r *rand.Rand) string {
	pieces := []string{" ", "(", ")", ".", "[0]", "[99999999999]", "#", ":", ",", "AND", "a", "\x00", "é", "\u2028", "-", "1", "SET", "size(", "'", "\\", "T_hash"}
	return pieces[r.IntN(len(pieces))]
}
