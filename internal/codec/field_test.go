package codec_test

import (
	"encoding/json"
	"net/netip"
	"reflect"
	"testing"
	"time"
	"unsafe"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/dynorm/dynorm/internal/codec"
	"github.com/dynorm/dynorm/internal/keytmpl"
)

type Geo struct{ Lat, Lon float64 }

type Place struct {
	City string `dynorm:"town"`
	Geo  *Geo
	Geo2 Geo
}

type Rec struct {
	ID     string `dynorm:"id,primary"`
	Name   Name
	On     bool
	N      int32
	U      uint64
	PN     *int64
	F      float64
	Num    json.Number
	At     time.Time
	PAt    *time.Time
	Milli  time.Time `dynorm:",unixmilli"`
	Made   time.Time `dynorm:",created"`
	TTL    int64     `dynorm:"ttl,ttl"`
	V      uint32    `dynorm:"_v,version"`
	Addr   netip.Addr
	UUID   uuid.UUID
	Hash   Digest
	Raw    []byte
	Grade  Grade
	Place  Place
	PPlace *Place
	Meta   map[string]string
	Lines  []Line
	Tags   []string         `dynorm:",set"`
	Nums   map[int]struct{} `dynorm:",set"`
	Blobs  [][]byte         `dynorm:",set"`
	Opt    string           `dynorm:",omitempty"`
	Null   *string          `dynorm:",null"`
	Enum   Name             `dynorm:",enum=a|b"`
	Any    any
	Doc    map[string]int `dynorm:",json"`
	*Base
}

func rec(t testing.TB) *codec.Codec { return codecOf(t, reflect.TypeFor[Rec]()) }

func field(t testing.TB, c *codec.Codec, path string) *codec.Field {
	t.Helper()
	f, err := c.Resolve(path)
	require.NoError(t, err)
	return f
}

func TestEncodeValue(t *testing.T) {
	c := rec(t)
	text := "x"
	for _, tc := range []struct {
		field string
		val   any
		want  string // "-" for omitted
		err   string
	}{
		{"Name", Name("a"), `{"S":"a"}`, ""},
		{"Name", "a", `{"S":"a"}`, ""},
		{"Name", &text, `{"S":"x"}`, ""},
		{"Name", "", `{"S":""}`, ""},
		{"Name", 5, "", "Rec.Name: want codec_test.Name, got int"},
		{"Name", nil, "", "Rec.Name: want codec_test.Name, got nil"},
		{"Name", (*string)(nil), "", "Rec.Name: want codec_test.Name, got nil"},
		{"Name", json.Number("5"), "", "Rec.Name: want codec_test.Name, got json.Number"},
		{"On", true, `{"BOOL":true}`, ""},
		{"On", 1, "", "Rec.On: want bool, got int"},
		{"N", 5, `{"N":"5"}`, ""},
		{"N", uint8(5), `{"N":"5"}`, ""},
		{"N", 5.0, `{"N":"5"}`, ""},
		{"N", json.Number("5e1"), `{"N":"50"}`, ""},
		{"N", 5.5, "", "Rec.N: want int32, got float64: the number would change"},
		{"N", int64(1) << 40, "", "Rec.N: want int32, got int64: the number would change"},
		{"N", "5", "", "Rec.N: want int32, got string"},
		{"U", -1, "", "Rec.U: want uint64, got int: the number would change"},
		{"PN", 5, `{"N":"5"}`, ""},
		{"PN", nil, "-", ""},
		{"F", 5, `{"N":"5"}`, ""},
		{"F", int64(9007199254740993), "", "Rec.F: want float64, got int64: the number would change"},
		{"F", float32(0.1), `{"N":"0.1"}`, ""},
		{"Num", int64(9007199254740993), `{"N":"9007199254740993"}`, ""},
		{"At", at, `{"S":"2024-05-17T07:30:15.123456789Z"}`, ""},
		{"At", Stamp(at), `{"S":"2024-05-17T07:30:15.123456789Z"}`, ""},
		{"At", time.Time{}, "-", ""},
		{"At", "2024-05-17T07:30:15Z", "", "Rec.At: want time.Time, got string"},
		{"Made", at, `{"S":"2024-05-17T07:30:15.123Z"}`, ""},
		{"Milli", at, `{"N":"1715931015123"}`, ""},
		{"TTL", 1715931015, `{"N":"1715931015"}`, ""},
		{"TTL", 1715931015123, "", "Rec.TTL: a time to live is in seconds, and this one looks like milliseconds"},
		{"Addr", "10.0.0.1", `{"S":"10.0.0.1"}`, ""},
		{"Addr", netip.MustParseAddr("::1"), `{"S":"::1"}`, ""},
		{"Addr", "nowhere", "", "Rec.Addr: UnmarshalText of netip.Addr failed"},
		{"Hash", []byte{1, 2, 3, 4}, `{"B":"AQIDBA=="}`, ""},
		{"Hash", []byte{1}, "", "Rec.Hash: an array of 4 bytes can't hold 1"},
		{"Raw", Blob("x"), `{"B":"eA=="}`, ""},
		{"Raw", "x", "", "Rec.Raw: want []uint8, got string"},
		{"Place", Place{City: "Rome"}, `{"M":{"town":{"S":"Rome"},"geo2":{"M":{"lat":{"N":"0"},"lon":{"N":"0"}}}}}`, ""},
		{"PPlace", Place{City: "Rome"}, `{"M":{"town":{"S":"Rome"},"geo2":{"M":{"lat":{"N":"0"},"lon":{"N":"0"}}}}}`, ""},
		{"Place", map[string]any{"town": "Rome", "Geo2": map[string]any{"lat": 1}}, `{"M":{"town":{"S":"Rome"},"geo2":{"M":{"lat":{"N":"1"},"lon":{"N":"0"}}}}}`, ""},
		{"Place", map[string]any{"twon": "Rome"}, "", "Rec.Place: a name is no field of codec_test.Place"},
		{"Place", map[string]any{"town": 5}, "", "Rec.Place.City: want string, got int"},
		{"Meta", map[string]any{"k": "v"}, `{"M":{"k":{"S":"v"}}}`, ""},
		{"Meta", map[string]string(nil), "-", ""},
		{"Meta", map[string]int{"k": 1}, "", "Rec.Meta[value]: want string, got int"},
		{"Lines", []any{Line{Qty: 1}}, `{"L":[{"M":{"qty":{"N":"1"}}}]}`, ""},
		{"Lines", []Line{}, `{"L":[]}`, ""},
		{"Lines", []any{1}, "", "Rec.Lines[0]: want codec_test.Line, got int"},
		{"Tags", []string{"b", "a", "b"}, `{"SS":["a","b"]}`, ""},
		{"Tags", codec.StringSet{"a"}, `{"SS":["a"]}`, ""},
		{"Tags", []string{}, "-", ""},
		{"Nums", []int{2, 1}, `{"NS":["1","2"]}`, ""},
		{"Nums", map[int]struct{}{3: {}}, `{"NS":["3"]}`, ""},
		{"Opt", "", "-", ""},
		{"Null", nil, `{"NULL":true}`, ""},
		{"Enum", "c", "", "Rec.Enum: the value is none of a, b"},
		{"Any", []any{1, "x"}, `{"L":[{"N":"1"},{"S":"x"}]}`, ""},
		{"Doc", map[string]int{"a": 1}, `{"S":"{\"a\":1}"}`, ""},
		{"Extra", 7, `{"N":"7"}`, ""},
		{"Place.City", "Rome", `{"S":"Rome"}`, ""},
		{"place.geo.lat", 1.5, `{"N":"1.5"}`, ""},
		{"Place.Geo.Lat", "x", "", "Rec.Place.Geo.Lat: want float64, got string"},
		{"Meta.color", "red", `{"S":"red"}`, ""},
		{"Lines[2].Qty", 3, `{"N":"3"}`, ""},
		{"Any.deep[0].x", 3, `{"N":"3"}`, ""},
		{"Name", &types.AttributeValueMemberS{Value: "raw"}, `{"S":"raw"}`, ""},
		{"Name", &types.AttributeValueMemberN{Value: "1"}, "", "Rec.Name: want S, got N"},
		{"Name", (*types.AttributeValueMemberS)(nil), "", "Rec.Name: the attribute value is nil or of an unknown kind"},
		{"Tags", &types.AttributeValueMemberSS{}, "", "Rec.Tags: an empty set can't be stored"},
	} {
		t.Run(tc.field, func(t *testing.T) {
			got, err := field(t, c, tc.field).EncodeValue(tc.val)
			checkValue(t, got, err, tc.want, tc.err)
		})
	}
}

func checkValue(t *testing.T, got types.AttributeValue, err error, want, wantErr string) {
	t.Helper()
	if wantErr != "" {
		require.EqualError(t, err, wantErr)
		return
	}
	require.NoError(t, err)
	if want == "-" {
		require.Nil(t, got)
		return
	}
	require.Empty(t, cmp.Diff(fromJSON(t, `{"v":`+want+`}`)["v"], got, same))
}

func TestEncodeOperand(t *testing.T) {
	c := rec(t)
	for _, tc := range []struct {
		field string
		val   any
		want  string
		err   string
	}{
		{"Opt", "", `{"S":""}`, ""},
		{"At", time.Time{}, `{"S":"0001-01-01T00:00:00.000000000Z"}`, ""},
		{"PAt", time.Time{}, `{"S":"0001-01-01T00:00:00.000000000Z"}`, ""},
		{"TTL", 0, `{"N":"0"}`, ""},
		{"PN", nil, `{"NULL":true}`, ""},
		{"Meta", nil, `{"NULL":true}`, ""},
		{"Tags", []string{}, "", "Rec.Tags: an empty set can't be compared with"},
		{"N", "x", "", "Rec.N: want int32, got string"},
		{"N", &types.AttributeValueMemberN{Value: "1"}, `{"N":"1"}`, ""},
	} {
		got, err := field(t, c, tc.field).EncodeOperand(tc.val)
		checkValue(t, got, err, tc.want, tc.err)
	}
}

func TestEncodeElems(t *testing.T) {
	c := rec(t)
	for _, tc := range []struct {
		field string
		vals  []any
		want  string
		err   string
	}{
		{"Tags", []any{"b", "a", "b"}, `{"SS":["a","b"]}`, ""},
		{"Tags", []any{1}, "", "Rec.Tags[0]: want string, got int"},
		{"Tags", nil, "", "Rec.Tags: an empty set can't be stored"},
		{"Nums", []any{2, int8(1)}, `{"NS":["1","2"]}`, ""},
		{"Blobs", []any{[]byte{2}, []byte{1}}, `{"BS":["AQ==","Ag=="]}`, ""},
		{"Lines", []any{Line{Qty: 2}}, `{"L":[{"M":{"qty":{"N":"2"}}}]}`, ""},
		{"Lines", []any{&types.AttributeValueMemberM{Value: item{}}}, `{"L":[{"M":{}}]}`, ""},
		{"Lines", []any{&types.AttributeValueMemberS{}}, "", "Rec.Lines[0]: want M, got S"},
		{"Any", []any{1, "x"}, `{"L":[{"N":"1"},{"S":"x"}]}`, ""},
		{"Name", []any{"x"}, "", "Rec.Name: it has no elements"},
	} {
		got, err := field(t, c, tc.field).EncodeElems(tc.vals...)
		checkValue(t, got, err, tc.want, tc.err)
	}
	for _, tc := range []struct {
		field string
		val   any
		want  string
		err   string
	}{
		{"Tags", "a", `{"S":"a"}`, ""},
		{"Nums", 1, `{"N":"1"}`, ""},
		{"Blobs", []byte{1}, `{"B":"AQ=="}`, ""},
		{"Lines", Line{Qty: 1}, `{"M":{"qty":{"N":"1"}}}`, ""},
		{"Meta", "v", `{"S":"v"}`, ""},
		{"Name", "sub", `{"S":"sub"}`, ""},
		{"Null", "sub", `{"S":"sub"}`, ""},
		{"Enum", "begin", `{"S":"begin"}`, ""},
		{"Any", 1, `{"N":"1"}`, ""},
		{"N", 1, "", "Rec.N: it has no elements"},
		{"Tags", 1, "", "Rec.Tags: want string, got int"},
	} {
		got, err := field(t, c, tc.field).EncodeElem(tc.val)
		checkValue(t, got, err, tc.want, tc.err)
	}
}

func TestParts(t *testing.T) {
	c := rec(t)
	id := uuid.MustParse("0190b5a0-5b3e-7c3f-8d6a-1f2e3d4c5b6a")
	v := Rec{
		ID: "i", Name: "n", On: true, N: -5, U: 1 << 63, PN: ptr(int64(7)), At: at, PAt: &at, Milli: at, Made: at,
		TTL: 9, Addr: netip.MustParseAddr("::1"), UUID: id, Hash: Digest{1, 2, 3, 255}, Grade: 1,
		Place: Place{City: "Rome"}, PPlace: &Place{City: "Oslo"}, Base: &Base{Kind: "k"},
	}
	for _, tc := range []struct {
		field string
		want  keytmpl.Part
	}{
		{"ID", keytmpl.Text("i")},
		{"Name", keytmpl.Text("n")},
		{"On", keytmpl.Text("true")},
		{"N", keytmpl.Int(-5)},
		{"U", keytmpl.Uint(1 << 63)},
		{"PN", keytmpl.Int(7)},
		{"At", keytmpl.Time(at)},
		{"PAt", keytmpl.Time(at)},
		{"Milli", keytmpl.Time(atMilli)},
		{"Made", keytmpl.Time(atMilli)},
		{"TTL", keytmpl.Int(9)},
		{"Addr", keytmpl.Text("::1")},
		{"UUID", keytmpl.Text(id.String())},
		{"Hash", keytmpl.Text("010203ff")},
		{"Grade", keytmpl.Text("B")},
		{"Place.City", keytmpl.Text("Rome")},
		{"PPlace.City", keytmpl.Text("Oslo")},
		{"Kind", keytmpl.Text("k")},
		{"Opt", keytmpl.Missing()},
		{"Null", keytmpl.Missing()},
		{"Raw", keytmpl.Missing()},
	} {
		t.Run(tc.field, func(t *testing.T) {
			f := field(t, c, tc.field)
			in, ok := f.Input()
			require.True(t, ok)
			got, err := f.Part(unsafe.Pointer(&v))
			require.NoError(t, err)
			require.Equal(t, tc.want, got)
			if !got.IsMissing() && in.Kind != keytmpl.KindBool {
				require.Equal(t, in.Kind, got.Kind())
			}

			// The same from the stored attribute, from a loose value, and back.
			src := item{}
			require.NoError(t, c.EncodeItem(src, unsafe.Pointer(&v)))
			got, err = f.PartOfItem(src)
			require.NoError(t, err)
			require.Equal(t, tc.want, got)
			if val := f.Value(unsafe.Pointer(&v)); val != nil {
				got, err = f.PartFrom(val)
				require.NoError(t, err)
				require.Equal(t, tc.want, got)
			}
			var back Rec
			require.NoError(t, f.SetPart(unsafe.Pointer(&back), tc.want))
			got, err = f.Part(unsafe.Pointer(&back))
			require.NoError(t, err)
			require.Equal(t, tc.want, got)
		})
	}

	t.Run("what can't be a part", func(t *testing.T) {
		for _, name := range []string{"F", "Num", "Place", "Meta", "Lines", "Tags", "Any", "Doc"} {
			f := field(t, c, name)
			_, ok := f.Input()
			require.False(t, ok, name)
			_, err := f.Part(unsafe.Pointer(&v))
			require.EqualError(t, err, "Rec."+name+": it can't be part of a key")
		}
	})
	t.Run("missing", func(t *testing.T) {
		var empty Rec
		for _, name := range []string{"ID", "PN", "At", "PAt", "Milli", "Addr", "UUID", "Hash", "PPlace.City", "Kind"} {
			got, err := field(t, c, name).Part(unsafe.Pointer(&empty))
			require.NoError(t, err)
			require.True(t, got.IsMissing(), name)
		}
		require.Nil(t, empty.Base, "reading a part allocates nothing")
	})
	t.Run("parts that do not fit", func(t *testing.T) {
		var r Rec
		for _, tc := range []struct {
			field string
			part  keytmpl.Part
			want  string
		}{
			{"N", keytmpl.Int(1 << 40), "Rec.N: the number overflows int32"},
			{"N", keytmpl.Text("x"), "Rec.N: not a number"},
			{"U", keytmpl.Int(-1), "Rec.U: a negative number does not fit in a uint"},
			{"At", keytmpl.Text("x"), "Rec.At: it is a time, and the part of the key is a text"},
			{"Hash", keytmpl.Text("zz"), "Rec.Hash: not hexadecimal"},
			{"Hash", keytmpl.Text("01"), "Rec.Hash: an array of 4 bytes can't hold 1"},
			{"Addr", keytmpl.Text("x"), "Rec.Addr: UnmarshalText of netip.Addr failed"},
		} {
			require.EqualError(t, field(t, c, tc.field).SetPart(unsafe.Pointer(&r), tc.part), tc.want)
		}
		require.Empty(t, cmp.Diff(Rec{}, r, same), "a part that does not fit changes nothing")
	})
	t.Run("loose values of the wrong type", func(t *testing.T) {
		_, err := field(t, c, "N").PartFrom("five")
		require.EqualError(t, err, "Rec.N: want int32, got string")
		got, err := field(t, c, "N").PartFrom(&types.AttributeValueMemberN{Value: "6"})
		require.NoError(t, err)
		require.Equal(t, keytmpl.Int(6), got)
	})
}

func TestAccessors(t *testing.T) {
	c := rec(t)
	var v Rec
	p := unsafe.Pointer(&v)
	set := func(name, text string) error { return field(t, c, name).SetText(p, text) }

	require.NoError(t, set("Name", "x"))
	require.NoError(t, set("On", "true"))
	require.NoError(t, set("N", "-7"))
	require.NoError(t, set("PN", "8"))
	require.NoError(t, set("F", "1.5"))
	require.NoError(t, set("At", "2024-05-17T07:30:15Z"))
	require.NoError(t, set("Milli", "2024-05-17T07:30:15.123Z"))
	require.NoError(t, set("UUID", "0190b5a0-5b3e-7c3f-8d6a-1f2e3d4c5b6a"))
	require.NoError(t, set("Hash", "01020304"))
	require.NoError(t, set("Kind", "k"))
	require.NoError(t, set("PPlace.City", "Rome"))
	require.EqualError(t, set("N", "x"), "Rec.N: not a number")
	require.EqualError(t, set("Lines", "x"), "Rec.Lines: a list can't be read from text")
	require.EqualError(t, set("Lines[0].Qty", "1"), "Rec.Lines[0].Qty: an element of a map or a list has no fixed place")
	require.Error(t, field(t, c, "N").CheckText("1.5"))
	require.NoError(t, field(t, c, "N").CheckText("1"))
	want := Rec{
		Name: "x", On: true, N: -7, PN: ptr(int64(8)), F: 1.5, At: atSec, Milli: atMilli,
		UUID: uuid.MustParse("0190b5a0-5b3e-7c3f-8d6a-1f2e3d4c5b6a"), Hash: Digest{1, 2, 3, 4},
		Base: &Base{Kind: "k"}, PPlace: &Place{City: "Rome"},
	}
	require.Empty(t, cmp.Diff(want, v, same))

	require.Equal(t, int64(-7), field(t, c, "N").Int(p))
	require.Equal(t, int64(8), field(t, c, "PN").Int(p))
	require.Equal(t, int64(0), field(t, c, "Extra").Int(p))
	require.NoError(t, field(t, c, "_v").SetInt(p, 4))
	require.Equal(t, uint32(4), v.V)
	require.Error(t, field(t, c, "V").SetInt(p, 1<<40))
	require.NoError(t, field(t, c, "PN").SetInt(p, 9))
	require.Equal(t, int64(9), *v.PN)

	require.NoError(t, field(t, c, "Made").SetTime(p, at))
	require.Equal(t, atMilli, v.Made)
	require.NoError(t, field(t, c, "PAt").SetTime(p, at))
	require.Equal(t, at.UTC(), *v.PAt)
	require.NoError(t, field(t, c, "TTL").SetTime(p, at))
	require.Equal(t, at.Unix(), v.TTL)
	require.Equal(t, atSec, field(t, c, "TTL").Time(p))
	require.Equal(t, atMilli, field(t, c, "Made").Time(p))
	require.NoError(t, field(t, c, "TTL").SetTime(p, time.Time{}))
	require.Zero(t, v.TTL)
	require.True(t, field(t, c, "TTL").Time(p).IsZero())

	require.Equal(t, Name("x"), field(t, c, "Name").Value(p))
	require.Equal(t, int64(9), field(t, c, "PN").Value(p))
	require.Nil(t, field(t, c, "Null").Value(p))
	require.NoError(t, field(t, c, "Name").SetValue(p, "y"))
	require.Equal(t, Name("y"), v.Name)

	require.False(t, field(t, c, "Name").IsZero(p))
	field(t, c, "Name").Clear(p)
	require.True(t, field(t, c, "Name").IsZero(p))
	require.True(t, field(t, c, "Raw").IsZero(p))
	v.Raw = []byte{}
	require.True(t, field(t, c, "Raw").IsZero(p))
	v.Base = nil
	require.True(t, field(t, c, "Kind").IsZero(p))

	av, ok, err := field(t, c, "PPlace.City").Encode(p)
	require.NoError(t, err)
	require.True(t, ok)
	require.Equal(t, "Rome", text(av))
	_, ok, err = field(t, c, "Kind").Encode(p)
	require.NoError(t, err)
	require.False(t, ok, "behind a nil embedded pointer")
	require.NoError(t, field(t, c, "Kind").Decode(av, p))
	require.Equal(t, "Rome", v.Kind)
	require.EqualError(t, field(t, c, "N").Decode(av, p), "Rec.N: want N, got S")
}

func TestResolve(t *testing.T) {
	c := rec(t)
	for path, want := range map[string][]string{
		"ID": {"id"}, "id": {"id"}, "Place.City": {"place", "town"}, "place.town": {"place", "town"},
		"PPlace.Geo.Lat": {"pPlace", "geo", "lat"}, "Meta.x y": {"meta", "x y"},
		"Lines[10].Qty": {"lines", "[10]", "qty"}, "Any[0][1].x": {"any", "[0]", "[1]", "x"},
	} {
		require.Equal(t, want, field(t, c, path).AttrPath(), path)
	}
	require.Equal(t, []codec.Step{{Name: "lines"}, {Index: 2, List: true}, {Name: "note"}}, field(t, c, "Lines[2].Note").Path())
	for path, want := range map[string]string{
		"Nmae": `Rec has no field "Nmae"`, "Place.Ctiy": `Rec has no field "Place.Ctiy": nothing is called "Ctiy" there`,
		"Name.x": `Rec has no field "Name.x": nothing is called "x" there`, "Lines.x": `Rec has no field "Lines.x": nothing is called "x" there`,
		"": `Rec has no field ""`, "Lines[": `Rec has no field "Lines["`, "Lines[x]": `Rec has no field "Lines[x]"`,
		"Lines[1]x": `Rec has no field "Lines[1]x"`, "Lines[-1]": `Rec has no field "Lines[-1]"`, ".": `Rec has no field "."`,
		"Tags[0]": `Rec has no field "Tags[0]": nothing is called "[0]" there`, "Meta[0]": `Rec has no field "Meta[0]": nothing is called "[0]" there`,
		"Place[0]": `Rec has no field "Place[0]": nothing is called "[0]" there`,
	} {
		_, err := c.Resolve(path)
		require.EqualError(t, err, want)
	}
	_, err := c.Resolve("Place.Ctiy")
	var pe *codec.PathError
	require.ErrorAs(t, err, &pe)
	require.Equal(t, []string{"City", "Geo", "Geo2"}, pe.Known)

	src := fromJSON(t, `{"lines":{"L":[{"M":{}},{"M":{"qty":{"N":"3"}}}]},"place":{"M":{"town":{"S":"Rome"}}}}`)
	require.Equal(t, numberValue("3"), field(t, c, "Lines[1].Qty").In(src))
	require.Nil(t, field(t, c, "Lines[0].Qty").In(src))
	require.Nil(t, field(t, c, "Lines[5].Qty").In(src))
	require.Nil(t, field(t, c, "Place.Geo.Lat").In(src))
	require.Equal(t, "Rome", text(field(t, c, "Place.City").In(src)))
}

func TestLocate(t *testing.T) {
	c := rec(t)
	v := Rec{Base: &Base{}, PPlace: &Place{Geo: &Geo{}}}
	for _, tc := range []struct {
		at   any
		want string
	}{
		{&v.ID, "ID"},
		{&v.N, "N"},
		{&v.Place, "Place"},
		{&v.Place.City, "Place.City"},
		{&v.Place.Geo2.Lon, "Place.Geo2.Lon"},
		{&v.PPlace, "PPlace"},
		{&v.PPlace.City, "PPlace.City"},
		{&v.PPlace.Geo.Lat, "PPlace.Geo.Lat"},
		{&v.Base.Kind, "Kind"},
		{&v.Extra, "Extra"},
		{&v.Tags, "Tags"},
	} {
		p := reflect.ValueOf(tc.at)
		f, ok := c.Locate(unsafe.Pointer(&v), p.UnsafePointer(), p.Type().Elem())
		require.True(t, ok, tc.want)
		require.Equal(t, tc.want, f.Name)
	}
	other := "x"
	_, ok := c.Locate(unsafe.Pointer(&v), unsafe.Pointer(&other), reflect.TypeFor[string]())
	require.False(t, ok)
	_, ok = c.Locate(unsafe.Pointer(&v), unsafe.Pointer(&v.ID), reflect.TypeFor[int]())
	require.False(t, ok)
}
