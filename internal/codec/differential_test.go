package codec_test

import (
	"encoding/json"
	"flag"
	"fmt"
	"math"
	"math/rand/v2"
	"reflect"
	"strconv"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/attributevalue"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/stretchr/testify/require"

	"github.com/dynorm/dynorm/internal/codec"
)

var (
	inputs = flag.Int("inputs", 10_000, "`number` of inputs of TestCodecsAgree")
	seed   = flag.Uint64("seed", 1, "seed of the inputs of TestCodecsAgree")
)

// TestCodecsAgree feeds random inputs to the wire codec, to the codec of
// attribute values by way of the SDK's decoder and serialiser, and to
// attributevalue. The same seed gives the same inputs:
//
//	go test -run TestCodecsAgree -args -inputs 1000000 -seed 7
func TestCodecsAgree(t *testing.T) {
	d := differential{
		rnd:        rand.New(rand.NewPCG(*seed, 2)),
		everything: codecOf(t, reflect.TypeFor[Everything]()),
		common:     codecOf(t, reflect.TypeFor[Common]()),
		mixed:      codecOf(t, reflect.TypeFor[Mixed]()),
	}
	for _, tc := range stored {
		if data, err := appendItem(codecOf(t, reflect.TypeOf(tc.in)), tc.in); err == nil {
			d.seeds = append(d.seeds, data)
		}
	}
	kinds := []struct {
		name string
		data func() []byte
	}{
		{"trees", d.tree},
		{"stored items", func() []byte { return append([]byte{}, d.seeds[d.rnd.IntN(len(d.seeds))]...) }},
		{"hostile text", func() []byte { return (&hostile{rnd: d.rnd}).item(0) }},
		{"attributes of Common", func() []byte { return (&hostile{rnd: d.rnd, fit: true}).item(0) }},
	}
	accepted := make([]int, len(kinds))
	for n := range *inputs {
		if n%5 == 4 {
			d.compareEncoders(t)
			continue
		}
		data := kinds[n%5].data()
		if n%2 == 0 {
			data = d.mutate(data)
		}
		func() {
			defer func() {
				if t.Failed() {
					t.Logf("input %d of seed %d, of %s: %q", n, *seed, kinds[n%5].name, data)
				}
			}()
			compareWire(t, d.everything, data)
			d.compareAttributeValue(t, data)
		}()
		if _, err := readItem(d.everything, data); err == nil {
			accepted[n%5]++
		}
	}
	for i, kind := range kinds {
		t.Logf("%s: %d of %d accepted", kind.name, accepted[i], *inputs/5)
		require.Greater(t, accepted[i], *inputs/100, "most of the %s is no item at all", kind.name)
	}
	t.Logf("%d values encoded, %d of them refused; %d items compared to attributevalue", *inputs/5, d.refused, d.compared)
	require.Greater(t, d.refused, *inputs/1000)
	require.Greater(t, *inputs/5-d.refused, *inputs/100)
	require.Greater(t, d.compared, *inputs/100)
}

// differential is a run of TestCodecsAgree.
type differential struct {
	rnd                       *rand.Rand
	everything, common, mixed *codec.Codec
	seeds                     [][]byte
	refused, compared         int
}

// tree is a random tree of attributes as the SDK's codec would store it.
func (d *differential) tree() []byte {
	raw := make([]byte, d.rnd.IntN(120))
	for i := range raw {
		raw[i] = byte(d.rnd.UintN(256))
		if d.rnd.IntN(3) == 0 {
			raw[i] = "0123456789ab.e-"[d.rnd.IntN(15)]
		}
	}
	r := tree{raw}
	return codec.AppendAttributes(nil, r.attributes(0))
}

// mutate changes a few bytes, or cuts the end off.
func (d *differential) mutate(data []byte) []byte {
	for range d.rnd.IntN(4) {
		if len(data) == 0 {
			break
		}
		i := d.rnd.IntN(len(data))
		switch d.rnd.IntN(9) {
		case 0, 1:
			data[i] = byte(d.rnd.UintN(256))
		case 2, 3:
			data[i] = `{}[]:,"\0123456789SNBML `[d.rnd.IntN(24)]
		case 4, 5:
			data = append(data[:i], data[i+1:]...)
		case 6, 7:
			j := i + d.rnd.IntN(len(data)-i)
			data = append(append(append([]byte{}, data[:j]...), data[i:j]...), data[j:]...)
		case 8:
			data = data[:i]
		}
	}
	return data
}

// loosely compares what two packages read: nil and empty are one.
var loosely = cmp.Options{same, cmpopts.EquateEmpty()}

// compareAttributeValue holds what the wire codec reads to what attributevalue
// reads of the SDK's attribute values, where both take it.
func (d *differential) compareAttributeValue(t *testing.T, data []byte) {
	ours, err := readItem(d.common, data)
	if err != nil {
		return
	}
	src, err := sdkDecode(data)
	if err != nil {
		return // of what no field declares
	}
	// The one name that no tag gives; letter case counts for nothing there.
	for name := range src {
		if lower := strings.ToLower(name); lower != name || lower == "num" {
			return
		}
	}
	var theirs Common
	if err := attributevalue.UnmarshalMap(src, &theirs); err != nil {
		return
	}
	d.compared++
	if differ(theirs, ours) == "" {
		return
	}
	if diff := cmp.Diff(theirs, ours, loosely); diff != "" {
		t.Fatalf("attributevalue and wire differ:\n%s", diff)
	}
}

// Mixed has a field of every kind that a value may be wrong for.
type Mixed struct {
	S   string
	B   []byte
	N   json.Number
	F   float64
	F32 float32
	Any any
	M   map[string]string
	Set []string `dynorm:",set"`
	L   []any
	P   *string `dynorm:",null"`
	O   string  `dynorm:",omitempty"`
}

// compareEncoders holds what the wire codec writes of a random value to what the
// SDK's serialiser writes of the other codec's attributes.
func (d *differential) compareEncoders(t *testing.T) {
	h := &hostile{rnd: d.rnd, calm: d.rnd.IntN(3) > 0}
	v := Mixed{
		S: h.text(), B: []byte(h.text()), N: json.Number(h.number()), F: h.float(), F32: float32(h.float()), Any: h.any(0), O: h.text(),
	}
	if d.rnd.IntN(2) == 0 {
		v.M = map[string]string{h.text(): h.text(), "a": h.text()}
		v.Set = []string{h.text(), h.text()}
		v.L = []any{h.any(0), h.any(0)}
		v.P = &v.S
	}
	written, err := appendItem(d.mixed, v)
	av, err2 := encode(d.mixed, v)
	if (err == nil) != (err2 == nil) {
		t.Fatalf("%#v: on the wire %v, as attribute values %v", v, err, err2)
	}
	if err != nil {
		d.refused++
		return
	}
	want, err := sdkDecode(sdkEncode(t, av))
	require.NoError(t, err)
	got, err := sdkDecode(written)
	require.NoError(t, err, "%s", written)
	if diff := differ(want, got); diff != "" {
		t.Fatalf("%#v: the two codecs store differently:\n%s", v, diff)
	}
	back, err := readItem(d.mixed, written)
	require.NoError(t, err, "%s", written)
	again, err := appendItem(d.mixed, back)
	require.NoError(t, err)
	require.Equal(t, string(written), string(again), "what was read is written otherwise")
}

// hostile writes JSON as no server would.
type hostile struct {
	rnd *rand.Rand
	// fit says that attributes are of the kind that Common declares, calm that
	// what no DynamoDB takes is rare.
	fit, calm bool
}

// pick returns one of its arguments.
func (h *hostile) pick(of ...string) string { return of[h.rnd.IntN(len(of))] }

func (h *hostile) rarely(n int) bool { return h.rnd.IntN(n) == 0 }

// space is white space, mostly none.
func (h *hostile) space() string {
	if h.rarely(6) {
		return h.pick(" ", "\n", "\t\r\n ", "   ")
	}
	if h.rarely(2000) {
		return h.pick("\v", "\u00a0", "\ufeff", "/**/")
	}
	return ""
}

// text is a string in Go: any bytes, UTF-8 mostly.
func (h *hostile) text() string {
	var b strings.Builder
	for range h.rnd.IntN(6) {
		switch h.rnd.IntN(14) {
		case 0:
			b.WriteString(h.pick("\"", "\\", "/", "\x00", "\x1f", "\x7f", "\u2028", "\u2029", "<&>"))
		case 1:
			b.WriteString(h.pick("é", "日本", "😀", "\U0010ffff", "\ufffd", "\ufeff"))
		case 2:
			if h.rarely(6) {
				b.WriteString(h.pick("\xff", "\xc3", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xc0\xaf", "\x80"))
			}
		case 3:
			b.WriteString(strings.Repeat(h.pick("x", "ö"), h.rnd.IntN(300)))
		default:
			b.WriteString(h.pick("a", "b", "1", "-", " ", "name"))
		}
	}
	return b.String()
}

// quoted is a string in JSON, well formed mostly, its characters in any of their
// forms.
func (h *hostile) quoted(s string) string {
	var b strings.Builder
	b.WriteByte('"')
	for _, r := range []byte(s) {
		switch {
		case r == '"' || r == '\\' || r < 0x20 && !h.rarely(200):
			fmt.Fprintf(&b, h.pick(`\u%04x`, `\u%04X`), r)
		case h.rarely(40):
			if r < 0x80 {
				fmt.Fprintf(&b, `\u%04x`, r)
			}
		default:
			b.WriteByte(r)
		}
	}
	if h.rarely(8) {
		b.WriteString(h.pick(`\n`, `\t`, `\/`, `\b`, `\f`, `\r`, `\"`, `\\`, `\ud83d\ude00`, `\u00e9`, `\u0000`))
	}
	if h.rarely(30) {
		b.WriteString(h.pick(`\ud83d`, `\ude00\ud83d`, `\ud83dx`, `\ud83d\n`, `\uD83D\uD83D\uDE00`, `\udbff\udfff`))
	}
	if h.rarely(200) {
		b.WriteString(h.pick(`\x`, `\u12`, `\u12g4`, "\n", `\'`, `\U0001f600`))
	}
	b.WriteByte('"')
	return b.String()
}

// number is the text of a number, as any of its forms.
func (h *hostile) number() string {
	if h.calm && !h.rarely(50) {
		return h.pick("0", "17", "-3.25", "1e3", "1.50", "9007199254740993", strings.Repeat("9", 38), "1e125", "-1e-130")
	}
	switch h.rnd.IntN(8) {
	case 0:
		return h.pick("0", "-0", "0.0", "-1", "1e3", "1E+2", "1.50", "5.0", "100", "1e-2", "0e9")
	case 1:
		return h.pick("9223372036854775807", "9223372036854775808", "-9223372036854775809", "18446744073709551615", "18446744073709551616")
	case 2:
		return strings.Repeat("9", 30+h.rnd.IntN(20))
	case 3:
		return h.pick("1e125", "9.9e125", "1e126", "1e-130", "1e-131", "-1e400", "1e-400", "1e99999999999")
	case 4:
		if h.rarely(2) {
			return strings.Repeat("1", 400)
		}
		return "0." + strings.Repeat("0", h.rnd.IntN(140)) + "1"
	case 5:
		if h.rarely(3) {
			return h.pick("", "+1", "01", ".5", "1.", "1e", "0x10", "1_0", "NaN", "Infinity", "-Inf", " 1", "1 ", "١")
		}
	}
	return strconv.FormatInt(h.rnd.Int64N(1<<uint(1+h.rnd.IntN(62))), 10)
}

func (h *hostile) float() float64 {
	n := 12
	if h.calm {
		n = 120
	}
	switch h.rnd.IntN(n) {
	case 0:
		return [...]float64{math.NaN(), math.Inf(1), math.Inf(-1), math.MaxFloat64}[h.rnd.IntN(4)]
	case 1:
		return [...]float64{math.SmallestNonzeroFloat64, math.Copysign(0, -1), 1e21, 1e-7, 1e125}[h.rnd.IntN(5)]
	}
	return float64(h.rnd.Int64N(1e9)) / 64
}

// any is a value of any, deeper than DynamoDB takes now and then.
func (h *hostile) any(depth int) any {
	switch n := h.rnd.IntN(10); {
	case depth == 0 && h.rarely(40):
		var v any = "deep"
		for range 28 + h.rnd.IntN(8) {
			v = []any{v}
			if h.rarely(3) {
				v = map[string]any{"m": v.([]any)[0]}
			}
		}
		return v
	case n == 0 && depth < 4:
		return []any{h.any(depth + 1), h.any(depth + 1)}
	case n == 1 && depth < 4:
		return map[string]any{h.text(): h.any(depth + 1), "k": h.any(depth + 1)}
	case n == 2:
		return codec.StringSet{h.text(), h.text()}
	case n == 3:
		return codec.NumberSet{json.Number(h.number()), "7"}
	case n == 4:
		return json.Number(h.number())
	case n == 5:
		return nil
	case n == 6:
		return h.rarely(2)
	case n == 7:
		return []byte(h.text())
	}
	return h.text()
}

// commonKinds are the kinds of Common's attributes.
var commonKinds = map[string]string{
	"s": "S", "name": "S", "b": "BOOL", "i": "N", "i8": "N", "i64": "N", "u64": "N", "u16": "N", "f": "N", "f32": "N", "bytes": "B",
	"p": "S", "l": "L", "ll": "L", "m": "M", "mi": "M", "x": "M", "px": "M", "ss": "SS", "ns": "NS", "bs": "BS", "t": "N", "omit": "S",
	"promoted": "S",
}

// commonNames are the names of commonKinds, in an order that is always the same.
var commonNames = []string{
	"s", "name", "b", "i", "i8", "i64", "u64", "u16", "f", "f32", "bytes", "p", "l", "ll", "m", "mi", "x", "px", "ss", "ns", "bs", "t",
	"omit", "promoted",
}

// item is an object of attributes in any order, names twice now and then.
func (h *hostile) item(depth int) []byte {
	var b strings.Builder
	h.object(&b, h.rnd.IntN(8), func() {
		name := h.pick("id", "n", "any", "any", "meta", "f", "u", "doc", "tags", "nums", "blobs", "l", "m", "note", "status", "addr", "t", "lines", "other")
		kind := ""
		if h.fit {
			name = h.pick(commonNames...)
			kind = commonKinds[name]
		}
		b.WriteString(h.quoted(name) + h.space() + ":" + h.space())
		h.attribute(&b, kind, depth)
	})
	return []byte(h.space() + b.String() + h.space())
}

// object writes an object of n members.
func (h *hostile) object(b *strings.Builder, n int, member func()) {
	b.WriteString("{" + h.space())
	for i := range n {
		if i > 0 {
			b.WriteString("," + h.space())
		}
		member()
		b.WriteString(h.space())
	}
	if h.rarely(3000) {
		b.WriteString(",")
	}
	b.WriteString("}")
}

// attribute writes an attribute value of a kind, of any where it is empty.
func (h *hostile) attribute(b *strings.Builder, kind string, depth int) {
	if h.rarely(40) {
		b.WriteString(h.pick("null", "{}", `{"NULL":true}`, `{"NULL":false}`, `{"S":null}`, `{"X":1}`, `{"S":"a","N":"1"}`, `{"S":"a","S":"b"}`, `"a"`, "[]", "1"))
		return
	}
	if depth == 0 && !h.fit && h.rarely(30) {
		h.deep(b)
		return
	}
	b.WriteString("{" + h.space())
	if h.rarely(60) {
		b.WriteString(h.pick(`"unknown":{"a":[1,2,{"b":null}]},`, `"N":null,`, `"":"",`))
	}
	if kind == "" {
		kind = h.pick("S", "S", "N", "N", "B", "BOOL", "NULL", "L", "M", "SS", "NS", "BS")
		if depth > 5 {
			kind = h.pick("S", "N")
		}
	}
	b.WriteString(`"` + kind + `"` + h.space() + ":" + h.space())
	h.content(b, kind, depth)
	if h.rarely(60) {
		b.WriteString(h.pick(`,"unknown":1.5e300`, `,"SS":null`, `,"x":"\ud800"`))
	}
	b.WriteString(h.space() + "}")
}

// content writes what an attribute value of a kind holds.
func (h *hostile) content(b *strings.Builder, kind string, depth int) {
	list := func(element func()) {
		b.WriteString("[" + h.space())
		for i := range h.rnd.IntN(4) {
			if i > 0 {
				b.WriteString(h.space() + "," + h.space())
			}
			element()
		}
		b.WriteString(h.space() + "]")
	}
	switch kind {
	case "S":
		b.WriteString(h.quoted(h.text()))
	case "N":
		if h.rarely(100) {
			b.WriteString(h.pick("1", "1.5", "null", "true"))
			return
		}
		b.WriteString(h.quoted(h.number()))
	case "B":
		b.WriteString(h.quoted(h.base64()))
	case "BOOL", "NULL":
		b.WriteString(h.pick("true", "false", "true"))
	case "L":
		list(func() { h.attribute(b, "", depth+1) })
	case "M":
		h.object(b, h.rnd.IntN(4), func() {
			b.WriteString(h.quoted(h.pick("a", "b", "1", "2", h.text())) + ":")
			h.attribute(b, "", depth+1)
		})
	case "SS":
		list(func() { b.WriteString(h.quoted(h.text())) })
	case "NS":
		list(func() { b.WriteString(h.quoted(h.number())) })
	case "BS":
		list(func() { b.WriteString(h.quoted(h.base64())) })
	}
}

// deep writes lists and maps within each other, around the 32 levels that
// DynamoDB takes and far beyond.
func (h *hostile) deep(b *strings.Builder) {
	n := 28 + h.rnd.IntN(8)
	if h.rarely(10) {
		n = 200 + h.rnd.IntN(400)
	}
	var ends []string
	for range n {
		if h.rarely(2) {
			b.WriteString(`{"L":[`)
			ends = append(ends, "]}")
		} else {
			b.WriteString(`{"M":{"a":`)
			ends = append(ends, "}}")
		}
	}
	b.WriteString(`{"S":"x"}`)
	for i := len(ends) - 1; i >= 0; i-- {
		b.WriteString(ends[i])
	}
}

func (h *hostile) base64() string {
	if h.rarely(20) {
		return h.pick("A", "AQ", "AQ=", "A===", "-_", "AQ==AQ==", "A Q==", "AQ\n==", "//79", "!")
	}
	return h.pick("", "AQ==", "AQI=", "AQID", "////")
}
