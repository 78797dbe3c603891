package parser_test

import (
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"github.com/dynorm/dynorm/parser"
)

func TestAttrName(t *testing.T) {
	for name, want := range map[string]string{
		"ID": "id", "Id": "id", "A": "a", "AB": "ab", "Name": "name", "UserID": "userId", "IDUser": "idUser",
		"HTTPServerURL": "httpServerUrl", "OAuth2Token": "oAuth2Token", "SHA256Sum": "sha256Sum", "B2B": "b2B",
		"IDs": "ids", "UserIDs": "userIds", "IDsOfUsers": "idsOfUsers", "URLs2": "urls2", "AsText": "asText",
		"IPv4": "ipv4", "IPv6Addr": "ipv6Addr", "MaxIPs": "maxIps", "IsSet": "isSet", "HasTLS": "hasTls",
		"User_ID": "userId", "User__Name": "userName", "Trailing_": "trailing", "ÄÖÜber": "äöÜber", "Ωmega": "ωmega",
		"X": "x", "XAxis": "xAxis", "X1": "x1", "X1Y2": "x1Y2", "userId": "userId", "snake_case": "snakeCase",
	} {
		require.Equal(t, want, parser.AttrName(name), name)
	}
}

func TestAttrNameIsStable(t *testing.T) {
	for _, f := range reflect.VisibleFields(reflect.TypeFor[names]()) {
		once := parser.AttrName(f.Name)
		require.Equal(t, once, parser.AttrName(once), f.Name)
	}
}

func TestPaths(t *testing.T) {
	e, err := parser.Parse(reflect.TypeFor[promotion]())
	require.NoError(t, err)
	got := map[string][]int{}
	for _, f := range e.Fields {
		got[f.Name] = f.Path
		require.Equal(t, f.Type.Reflect, reflect.TypeFor[promotion]().FieldByIndex(f.Path).Type, f.Name)
	}
	require.Equal(t, map[string][]int{
		"ID": {0, 0}, "CreatedAt": {0, 1}, "FromPointer": {1, 0}, "Shown": {3, 0},
		"Audit": {4}, "Bottom": {5, 0, 0}, "Time": {6}, "Note": {7},
	}, got)
	require.Equal(t, reflect.TypeFor[promotion](), e.Reflect)
}

func TestFaultsAreDefinitionErrors(t *testing.T) {
	_, err := parser.ParseAll(reflect.TypeFor[misspelt](), reflect.TypeFor[unstorable]())
	joined, ok := err.(interface{ Unwrap() []error })
	require.True(t, ok)
	var fields []string
	for _, err := range joined.Unwrap() {
		fault, ok := errors.AsType[*parser.DefinitionError](err)
		require.True(t, ok, "%T", err)
		require.NotEmpty(t, fault.Fault)
		require.NotContains(t, err.Error(), "\n")
		fields = append(fields, fault.Type+"."+fault.Field)
	}
	require.Equal(t, "misspelt.ID", fields[0], "faults come in declared order")
	require.Equal(t, "unstorable.Nested.Deep.Ch", fields[len(fields)-1])

	var first *parser.DefinitionError
	require.True(t, errors.As(err, &first))
	require.Equal(t, &parser.DefinitionError{
		Type: "misspelt", Field: "ID", Tag: "`dynorm:\"id,primray\"`",
		Fault: `unknown option "primray"`, Suggestion: `did you mean "primary"?`,
	}, first)
}

func TestParseKeepsWhatItCanRead(t *testing.T) {
	e, err := parser.Parse(reflect.TypeFor[misspelt]())
	require.Error(t, err)
	require.Equal(t, "misspelt", e.Name)
	_, ok := e.Field("Email")
	require.True(t, ok)
}

func TestParseTakesPointers(t *testing.T) {
	byValue, err := parser.Parse(reflect.TypeFor[order]())
	require.NoError(t, err)
	byPointer, err := parser.Parse(reflect.TypeFor[*order]())
	require.NoError(t, err)
	require.Empty(t, cmp.Diff(byValue, byPointer, ignoreReflection...))
	_, err = parser.Parse(reflect.TypeFor[**order]())
	require.ErrorContains(t, err, "is not a struct")
	_, err = parser.Parse(nil)
	require.ErrorContains(t, err, "nil: is not a struct")
}

func TestParseLeavesRelationsOpen(t *testing.T) {
	e, err := parser.Parse(reflect.TypeFor[line]())
	require.NoError(t, err, "the target need not be known yet")
	require.Equal(t, "Order", e.Relations[0].Target)
	require.Equal(t, reflect.TypeFor[order](), e.Relations[0].TargetType)
	require.Empty(t, e.Relations[0].Foreign)
}

func TestResolve(t *testing.T) {
	all := structs(team{}, profile{}, member{}, role{}, group{}, membership{}, post{}, comment{})
	want, err := parser.ParseAll(all...)
	require.NoError(t, err)
	parts := make([]parser.Entity, len(all))
	for i, typ := range all {
		parts[i], err = parser.Parse(typ)
		require.NoError(t, err)
	}
	untouched := parts[0].Relations[0]
	shared := parts[0].Relations
	require.NoError(t, parser.Resolve(parts))
	require.Empty(t, cmp.Diff(want, parts, ignoreReflection...), "parsing apart and resolving is parsing together")
	require.Equal(t, untouched, shared[0], "the caller's relations are copied before they change")
	require.NoError(t, parser.Resolve(parts))
	require.Empty(t, cmp.Diff(want, parts, ignoreReflection...), "resolving twice changes nothing")

	_, wantErr := parser.ParseAll(structs(orphan{}, user{})...)
	require.Error(t, wantErr)
	apart := make([]parser.Entity, 2)
	for i, typ := range structs(orphan{}, user{}) {
		apart[i], err = parser.Parse(typ)
		require.NoError(t, err)
	}
	require.EqualError(t, parser.Resolve(apart), wantErr.Error(), "tags are quoted for definitions from Go")
}

func TestFields(t *testing.T) {
	fields, err := parser.Fields(reflect.TypeFor[*author]())
	require.NoError(t, err)
	for _, f := range fields {
		require.False(t, f.Primary || f.Unique || f.Indexed || f.Version || f.Generator != "", f.Name)
	}
	require.Equal(t, "version", fields[len(fields)-1].Attr)

	fields, err = parser.Fields(reflect.TypeFor[tree]())
	require.NoError(t, err)
	require.Len(t, fields, 6)
	require.Nil(t, fields[2].Type.Fields, "the struct itself is its own first appearance")

	for typ, want := range map[reflect.Type]string{
		nil:                                     "nil: is not a struct",
		reflect.TypeFor[int]():                  "int: is not a struct",
		reflect.TypeFor[nothing]():              "nothing: parser_test.nothing has no field that is stored",
		reflect.TypeFor[struct{ A chan int }](): "struct.A: the type chan int can't be stored",
		reflect.TypeFor[struct {
			A int `dynorm:",index"`
		}](): `"index" acts on the fields of an entity only`,
	} {
		_, err := parser.Fields(typ)
		require.ErrorContains(t, err, want)
	}
}

func TestReserved(t *testing.T) {
	type row struct {
		ID   string
		PK   string
		Type string `dynorm:"_et"`
		Sort string `dynorm:"gsi1sk"`
		Doc  struct{ PK string }
	}
	e, err := parser.Parse(reflect.TypeFor[row]())
	require.NoError(t, err)
	require.NoError(t, parser.Reserved(e, "p", "s"))
	err = parser.Reserved(e, "pk", "sk", "_et", "gsi1pk", "gsi1sk")
	require.Equal(t, []string{
		`row.PK: the attribute name "pk" is taken by the table's own attributes (name it otherwise: dynorm:"name")`,
		"row.Type `dynorm:\"_et\"`: the attribute name \"_et\" is taken by the table's own attributes (name it otherwise: dynorm:\"name\")",
		"row.Sort `dynorm:\"gsi1sk\"`: the attribute name \"gsi1sk\" is taken by the table's own attributes (name it otherwise: dynorm:\"name\")",
	}, strings.Split(err.Error(), "\n"))
}

func TestComplete(t *testing.T) {
	made := parser.Entity{
		Name: "Reading",
		Fields: []parser.Field{
			{Name: "ID", Type: parser.Type{Kind: parser.Uint}},
			{Name: "TakenAt", Type: parser.Type{Kind: parser.Time}, Precision: 3},
			{Name: "Values", Type: parser.Type{Kind: parser.List, Elem: &parser.Type{Kind: parser.Float}}},
			{Name: "Site", Type: parser.Type{Kind: parser.Struct, Fields: []parser.Field{
				{Name: "HostName", Type: parser.Type{Kind: parser.String}},
			}}},
		},
		Indexes: []parser.Index{{Name: "byTime", Native: true, PKParts: []string{"takenAt"}}},
		Uniques: []parser.Unique{{Fields: []string{"id", "takenAt"}}},
	}
	before := marshal(t, made)
	got, err := parser.Complete(made)
	require.NoError(t, err)
	require.Equal(t, before, marshal(t, made), "the definition given is not changed")
	require.Equal(t, "READING", got.Prefix)
	require.True(t, got.Fields[0].Primary)
	require.Equal(t, 64, got.Fields[2].Type.Elem.Bits)
	require.Equal(t, "hostName", got.Fields[3].Type.Fields[0].Attr)
	require.Equal(t, []string{"TakenAt"}, got.Indexes[0].PKParts)
	require.Equal(t, "id+takenAt", got.Uniques[0].Name)
	again, err := parser.Complete(got)
	require.NoError(t, err)
	require.Empty(t, cmp.Diff(got, again))

	for _, c := range goldenCases() {
		if c.fails {
			continue
		}
		entities, err := parser.ParseAll(c.types...)
		require.NoError(t, err)
		for _, e := range entities {
			same, err := parser.Complete(e)
			require.NoError(t, err, e.Name)
			require.Empty(t, cmp.Diff(e, same, ignoreReflection...), e.Name)
		}
	}

	_, err = parser.Complete(parser.Entity{Name: "Bad", Fields: []parser.Field{{Name: "No", Type: parser.Type{Kind: "text2"}}}})
	require.EqualError(t, err, "Bad.No: unknown kind \"text2\" (did you mean \"text\"?)\n"+
		"Bad: there is no primary key (tag a field `dynorm:\",primary\"`, call it ID, or add a `dynorm.Key` marker)")
}

// TestNamesOfLocalTypes: the compiler numbers types declared in functions.
func TestNamesOfLocalTypes(t *testing.T) {
	type Local struct{ A int }
	e, err := parser.Parse(reflect.TypeFor[page[Local]]())
	require.NoError(t, err)
	require.Equal(t, "pageLocal", e.Name)
	e, err = parser.Parse(reflect.TypeFor[pair[int, map[status][]*Local]]())
	require.NoError(t, err)
	require.Equal(t, "pairIntMapStatusLocal", e.Name)
	type Broken struct{ Chan chan int }
	_, err = parser.Parse(reflect.TypeFor[page[Broken]]())
	require.ErrorContains(t, err, "page[Broken].Items.Chan: ")
}

func TestTypeOf(t *testing.T) {
	d, err := parser.TypeOf(reflect.TypeFor[*int32]())
	require.NoError(t, err)
	require.Equal(t, parser.Type{Kind: parser.Int, Go: "*int32", Bits: 32, Pointer: true, Reflect: reflect.TypeFor[int32]()}, d)
	d, err = parser.TypeOf(reflect.TypeFor[map[status][]int]())
	require.NoError(t, err)
	require.Equal(t, parser.String, d.Key.Kind)
	require.Nil(t, d.Elem)
	for _, bad := range []reflect.Type{reflect.TypeFor[chan int](), reflect.TypeFor[map[float64]int](), reflect.TypeFor[halfText]()} {
		_, err := parser.TypeOf(bad)
		var fault *parser.DefinitionError
		require.ErrorAs(t, err, &fault)
		require.Equal(t, bad.String(), fault.Type)
	}
}

// TestTraitDurations reads times to live in every unit.
func TestTraitDurations(t *testing.T) {
	parse := func(ttl string) (time.Duration, error) {
		e, err := parser.Parse(reflect.StructOf([]reflect.StructField{
			{Name: "E", Type: reflect.TypeFor[parser.EntityMarker](), Tag: reflect.StructTag(`dynorm:"E,ttl=` + ttl + `"`)},
			{Name: "ID", Type: reflect.TypeFor[string]()},
		}))
		return e.TTL, err
	}
	for text, want := range map[string]time.Duration{
		"45s": 45 * time.Second, "5m": 5 * time.Minute, "12h": 12 * time.Hour, "30d": 30 * 24 * time.Hour,
		"2w": 14 * 24 * time.Hour, "1d12h30m": 36*time.Hour + 30*time.Minute, "1000w": 7000 * 24 * time.Hour,
	} {
		got, err := parse(text)
		require.NoError(t, err, text)
		require.Equal(t, want, got, text)
	}
	for _, text := range []string{"30", "d", "-1d", "0s", "1y", "1.5h", "99999999999w", "9223372036854775807s", "1d "} {
		_, err := parse(text)
		require.ErrorContains(t, err, "is not a time to live", text)
	}
}

func BenchmarkParse(b *testing.B) {
	b.ReportAllocs()
	t := reflect.TypeFor[order]()
	for b.Loop() {
		if _, err := parser.Parse(t); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkParseAll(b *testing.B) {
	b.ReportAllocs()
	all := structs(team{}, profile{}, member{}, role{}, group{}, membership{}, post{}, comment{})
	for b.Loop() {
		if _, err := parser.ParseAll(all...); err != nil {
			b.Fatal(err)
		}
	}
}
