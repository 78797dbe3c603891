package parser_test

import (
	"fmt"
	"hash/fnv"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/stretchr/testify/require"

	"github.com/dynorm/dynorm/internal/golden"
	"github.com/dynorm/dynorm/parser"
)

// FuzzFieldTag parses fields of every sort under one tag: it never panics, two
// parses agree, and what is accepted survives JSON.
func FuzzFieldTag(f *testing.F) {
	for _, tag := range []string{
		`dynorm:"id,primary,ulid"`, `dynorm:",unique,index,gsi=3"`, `dynorm:",default='a,''b',enum=x|y"`,
		`dynorm:"-"`, `dynorm:"-,x"`, `dynorm:"a,,b"`, `dynorm:",set,omitempty"`, `dynorm:",precision=ms,required"`,
		`dynamodbav:"x,omitempty,stringset,unixtime"`, `dynorm:"x" dynorm:"y"`, `dynorm:x`, `dynorm:"\"`,
		`rel:"belongsTo"`, `rel:"hasManyThrough=User,gsi=1"`, `pk:"{ID}"`, `dynorm:",json,hidden,pad=4"`, "dynorm:\"\xff\"",
	} {
		f.Add(tag)
	}
	fieldTypes := []reflect.Type{
		reflect.TypeFor[string](), reflect.TypeFor[*int32](), reflect.TypeFor[time.Time](), reflect.TypeFor[[]string](),
		reflect.TypeFor[map[string]bool](), reflect.TypeFor[[16]byte](), reflect.TypeFor[user](), reflect.TypeFor[[]*user](),
		reflect.TypeFor[any](), reflect.TypeFor[float64](), reflect.TypeFor[chan int](), reflect.TypeFor[twoStrings](),
	}
	f.Fuzz(func(t *testing.T, tag string) {
		// reflect keeps every struct it makes, and finds it by the names of its
		// fields: with one name it would search ever longer.
		h := fnv.New64()
		h.Write([]byte(tag))
		name := fmt.Sprintf("Field%X", h.Sum64())
		for _, typ := range fieldTypes {
			checkParse(t, reflect.StructOf([]reflect.StructField{
				{Name: "E", Type: reflect.TypeFor[parser.EntityMarker](), Tag: `dynorm:"E"`},
				{Name: "ID", Type: reflect.TypeFor[string]()},
				{Name: name, Type: typ, Tag: reflect.StructTag(tag)},
				{Name: "Embedded", Type: reflect.TypeFor[point](), Anonymous: true, Tag: reflect.StructTag(tag)},
			}))
		}
	})
}

type twoStrings struct{ A, B string }

// FuzzMarkers parses markers under any tags.
func FuzzMarkers(f *testing.F) {
	f.Add("Order,timestamps,list=4,ttl=30d", "USER#{UserID}", "{At}", "byStatus,gsi=2,project=ID|At", "Status!=done", "ID,Status")
	f.Add("", "", "", "a,lsi,native", "A,!B,C>=1", "")
	f.Add("Bad Name,prefix={", "{", "{Nope}", "x,native", "'", ",,")
	f.Add("E,ttl=99999999999w", "{ID}{ID}", "{ID:%012d}", "x,project=keys", "Count<1e99", "id,ID")
	f.Fuzz(func(t *testing.T, entity, pk, sk, index, when, unique string) {
		tag := func(pairs ...string) reflect.StructTag {
			var b strings.Builder
			for i := 0; i < len(pairs); i += 2 {
				b.WriteString(pairs[i] + ":" + quoteTag(pairs[i+1]) + " ")
			}
			return reflect.StructTag(b.String())
		}
		checkParse(t, reflect.StructOf([]reflect.StructField{
			{Name: "E", Type: reflect.TypeFor[parser.EntityMarker](), Tag: tag("dynorm", entity)},
			{Name: "K", Type: reflect.TypeFor[parser.KeyMarker](), Tag: tag("pk", pk, "sk", sk)},
			{Name: "I", Type: reflect.TypeFor[parser.IndexMarker](), Tag: tag("dynorm", index, "pk", pk, "sk", sk, "when", when)},
			{Name: "U", Type: reflect.TypeFor[parser.UniqueMarker](), Tag: tag("dynorm", unique)},
			{Name: "ID", Type: reflect.TypeFor[string]()},
			{Name: "Status", Type: reflect.TypeFor[string](), Tag: `dynorm:",enum=open|done"`},
			{Name: "At", Type: reflect.TypeFor[time.Time]()},
			{Name: "Count", Type: reflect.TypeFor[int]()},
			{Name: "Home", Type: reflect.TypeFor[address]()},
		}))
	})
}

// quoteTag quotes a tag's value so that any text is a well-formed tag.
func quoteTag(s string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`).Replace(s) + `"`
}

func checkParse(t *testing.T, typ reflect.Type) {
	t.Helper()
	e, err := parser.Parse(typ)
	again, errAgain := parser.Parse(typ)
	require.Equal(t, errText(err), errText(errAgain))
	if err != nil {
		return
	}
	require.Empty(t, cmp.Diff(e, again, ignoreReflection...))
	text := marshal(t, []parser.Entity{e})
	back, err := parser.FromJSON([]byte(text))
	require.NoError(t, err, text)
	require.Empty(t, cmp.Diff([]parser.Entity{e}, back, ignoreReflection...))
}

func errText(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

// FuzzParseWhen parses conditions: what is accepted is written in a form that
// parses to the same, and can be evaluated.
func FuzzParseWhen(f *testing.F) {
	for _, src := range []string{
		"Status!=done", "Status=open|paid", "Active", "!Active", "A,!B, C>=1.5", "N<-2", "x='it''s'|' '", "", ",", "!", "a==b", "a=", "a='", "a=b&c", "a b",
	} {
		f.Add(src)
	}
	f.Fuzz(func(t *testing.T, src string) {
		w, err := parser.ParseWhen(src)
		if err != nil {
			require.Empty(t, w)
			return
		}
		again, err := parser.ParseWhen(w.String())
		require.NoError(t, err, w.String())
		require.Equal(t, w, again)
		for _, v := range []any{nil, "", "x", 1, true, 1.5} {
			w.Eval(func(string) (any, bool) { return v, v != nil })
		}
	})
}

// FuzzFromJSON reads definitions: what is accepted marshals to what reads back
// the same, and resolving is done after one round.
func FuzzFromJSON(f *testing.F) {
	for _, path := range golden.Paths(f, goldenDir) {
		file := golden.Open(f, path)
		for _, section := range []string{"input.json", "definition.json"} {
			if data, ok := file.Section(section); ok {
				f.Add([]byte(data))
			}
		}
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		entities, err := parser.FromJSON(data)
		if err != nil {
			require.Empty(t, entities)
			return
		}
		text := marshal(t, entities)
		again, err := parser.FromJSON([]byte(text))
		require.NoError(t, err, text)
		require.Empty(t, cmp.Diff(entities, again, cmpopts.EquateEmpty()))
		if parser.Resolve(entities) == nil {
			resolved := marshal(t, entities)
			require.NoError(t, parser.Resolve(entities), resolved)
			require.Equal(t, resolved, marshal(t, entities))
			_, err := parser.FromJSON([]byte(resolved))
			require.NoError(t, err, resolved)
		}
	})
}
