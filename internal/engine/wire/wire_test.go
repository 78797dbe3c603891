package wire_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/dynorm/dynorm/internal/engine/value"
	"github.com/dynorm/dynorm/internal/engine/wire"
)

func TestValueRoundTrip(t *testing.T) {
	for _, text := range []string{
		`{}`,
		`{"a":{"S":"x"}}`,
		`{"a":{"S":"quote \" back \\ slash / line \n tab \t nul \u0000 é 😀"}}`,
		`{"a":{"N":"-1.5"},"b":{"NULL":true},"c":{"BOOL":false}}`,
		`{"a":{"B":"AAECAw=="},"b":{"BS":["","AA=="]}}`,
		`{"a":{"L":[{"M":{"x":{"SS":["a","b"]}}},{"NS":["-1","2"]},{"L":[]},{"M":{}}]}}`,
	} {
		r := wire.NewReader(text)
		item, set, err := r.Item()
		r.End()
		require.NoError(t, r.Err(), text)
		require.NoError(t, err, text)
		require.True(t, set)
		require.JSONEq(t, text, string(wire.AppendItem(nil, item)))
	}
}

func TestEscapes(t *testing.T) {
	r := wire.NewReader(`"a\u00e9\ud83d\ude00\ud83d\/\b\f\r\n\t\"\\z"`)
	require.Equal(t, "aé😀\ufffd/\b\f\r\n\t\"\\z", r.Text().V)
	require.NoError(t, r.Err())
	for _, bad := range []string{`"`, `"\`, `"\q"`, `"\u12"`, `"\u12zz"`, "\"\n\"", "\"a\\n\nb\"", `"\ud83d\u"`} {
		r := wire.NewReader(bad)
		r.Text()
		require.Error(t, r.Err(), bad)
	}
}

func TestSkip(t *testing.T) {
	for text, ok := range map[string]bool{
		`{"a":[1,-2.5e+3,{"b":null},[],{},true,false,"x\"y"]}`:      true,
		strings.Repeat("[", 100_000) + strings.Repeat("]", 100_000): true,
		`[1,]`:         false,
		`{"a"}`:        false,
		`{"a":1,}`:     false,
		`{a:1}`:        false,
		`[1 2]`:        false,
		`[}`:           false,
		`{"a":[1}`:     false,
		`tru`:          false,
		`-`:            false,
		`1.`:           false,
		`1e`:           false,
		``:             false,
		"[\"\xff\"]":   false,
		`{"a":1}{`:     false,
		`"\u0061" "b"`: false,
	} {
		r := wire.NewReader(text)
		r.Skip()
		r.End()
		require.Equal(t, ok, r.Err() == nil, "%.50q", text)
	}
}

// FuzzReader checks the reader against encoding/json: what it accepts is JSON,
// and JSON that it does not accept has numbers or nesting beyond its use.
func FuzzReader(f *testing.F) {
	for _, seed := range []string{`{"a":{"S":"x"}}`, `[1,2.5e3,null,true]`, `{"a":{"L":[{"M":{"x":{"SS":["a"]}}}]}}`, `"\ud83d\ude00"`} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		r := wire.NewReader(text)
		r.Skip()
		r.End()
		if got, want := r.Err() == nil, json.Valid([]byte(text)); got && !want {
			t.Fatalf("accepted %q", text)
		}
		r = wire.NewReader(text)
		item, set, err := r.Item()
		r.End()
		if r.Err() != nil || err != nil || !set {
			return
		}
		again, _, err := wire.NewReader(string(wire.AppendItem(nil, item))).Item()
		if err != nil || !again.Equal(item) {
			t.Fatalf("%q: %#v is read back as %#v, %v", text, item, again, err)
		}
		for _, a := range item.Attrs() {
			if d := a.Value.Depth(); d > value.MaxDepth {
				t.Fatalf("%d levels", d)
			}
			a.Value.Size()
		}
	})
}
