package keytmpl_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	. "github.com/dynorm/dynorm/internal/keytmpl"
)

// TestGoldenKeys holds keys as tables in use store them. A row that fails means
// that items written before would not be found any more: the change needs a
// migration, so rows are added here and never edited.
func TestGoldenKeys(t *testing.T) {
	moment := Time(at("2024-05-06T09:08:09.123456789+02:00"))
	before := Time(at("1969-12-31T23:59:59.999999999Z"))
	for _, tt := range []struct {
		src       string
		inputs    []Input
		parts     []Part
		partition string
		sort      string
	}{
		{"PROFILE", nil, nil, "PROFILE", "PROFILE"},
		{"USER#{id}", []Input{text}, []Part{Text("123")}, "USER#123", "USER#123"},
		{"ORDERITEM#{sku}", []Input{text}, []Part{Text("AB-1.2/x_y@z:9")}, "ORDERITEM#AB-1.2/x_y@z:9", "ORDERITEM#AB-1.2/x_y@z:9"},
		{"MORPH#{type}#{id}", []Input{text, text}, []Part{Text("Post"), Text("42")}, "MORPH#Post#42", "MORPH#Post#42"},
		{"EVENT#{seq:%010d}", []Input{i64}, []Part{Int(1)}, "EVENT#0000000001", "EVENT#0000000001"},
		{"VERSION#{seq:%010d}", []Input{u64}, []Part{Uint(100)}, "VERSION#0000000100", "VERSION#0000000100"},

		// Text: case and form are kept; in a sort key, what would sort wrong is escaped too.
		{"{a}", []Input{text}, []Part{Text("Ann Lee")}, "Ann Lee", "Ann Lee"},
		{"{a}#{b}", []Input{text, text}, []Part{Text("Ann Lee"), Text("x y")}, "Ann Lee#x y", "Ann%20Lee#x y"},
		{"{a}#{b}", []Input{text, text}, []Part{Text("a#b"), Text("c")}, "a%23b#c", "a%23b#c"},
		{"{a}#{b}", []Input{text, text}, []Part{Text("a"), Text("b#c")}, "a#b%23c", "a#b%23c"},
		{"{a}#{b}", []Input{text, text}, []Part{Text("50%"), Text("%23$")}, "50%25#%2523$", "50%25#%2523%24"},
		{"{a}#{b}", []Input{text, text}, []Part{Text("$1!\""), Text("$1!\"\x00")}, "$1!\"#$1!\"\x00", "%241%21%22#%241!\"\x00"},
		{"{a:%s}#{b:%s}", []Input{text, text}, []Part{Text("$ #%"), Text("$ #%")}, "$ %23%25#$ %23%25", "$ %23%25#$ %23%25"},
		{"{a}", []Input{text}, []Part{Text("é e\u0301 日本 😀")}, "é e\u0301 日本 😀", "é e\u0301 日本 😀"},
		{"{a}-{b}", []Input{text, text}, []Part{Text("x-y"), Text("z-w")}, "x%2Dy-z-w", "x%2Dy-z-w"},
		{"A#{a|raw}", []Input{text}, []Part{Text("x#y%$")}, "A#x#y%$", "A#x#y%$"},
		{"{a|lower}", []Input{text}, []Part{Text("Ann ÉÄİΣ")}, "ann éäiσ", "ann éäiσ"},
		{"{a|upper}", []Input{text}, []Part{Text("straße ŉ")}, "STRAßE ŉ", "STRAßE ŉ"},

		// Integers.
		{"{a}", []Input{i8}, []Part{Int(7)}, "7", "007"},
		{"{a}", []Input{i8}, []Part{Int(-1)}, "-1", "-999"},
		{"{a}", []Input{i8}, []Part{Int(-128)}, "-128", "-872"},
		{"{a}", []Input{i16}, []Part{Int(-300)}, "-300", "-99700"},
		{"{a}", []Input{i32}, []Part{Int(2147483647)}, "2147483647", "2147483647"},
		{"{a}", []Input{i64}, []Part{Int(0)}, "0", "0000000000000000000"},
		{"{a}", []Input{i64}, []Part{Int(9223372036854775807)}, "9223372036854775807", "9223372036854775807"},
		{"{a}", []Input{i64}, []Part{Int(-9223372036854775808)}, "-9223372036854775808", "-0776627963145224192"},
		{"{a}", []Input{u8}, []Part{Uint(255)}, "255", "255"},
		{"{a}", []Input{u64}, []Part{Uint(18446744073709551615)}, "18446744073709551615", "18446744073709551615"},
		{"{a}", []Input{{Kind: KindInt, Pad: 6}}, []Part{Int(42)}, "42", "000042"},
		{"{a:%d}", []Input{i64}, []Part{Int(42)}, "42", "42"},
		{"{a:%04d}", []Input{i64}, []Part{Int(-42)}, "-9958", "-9958"},
		{"{a:%025d}", []Input{i64}, []Part{Int(-42)}, "-9999999999999999999999958", "-9999999999999999999999958"},
		{"{a:%04d|desc}", []Input{i64}, []Part{Int(42)}, "9957", "9957"},
		{"{a:%04d|desc}", []Input{i64}, []Part{Int(0)}, "9999", "9999"},
		{"{a:%04d|desc}", []Input{i64}, []Part{Int(-42)}, "n0042", "n0042"},
		{"{a|desc}", []Input{u64}, []Part{Uint(7)}, "99999999999999999992", "99999999999999999992"},
		{"{a|desc}", []Input{i64}, []Part{Int(-9223372036854775808)}, "n9223372036854775808", "n9223372036854775808"},
		{"{a}", []Input{yesno}, []Part{Bool(true)}, "true", "true"},

		// Times.
		{"{a}", []Input{secs}, []Part{moment}, "2024-05-06T07:08:09Z", "2024-05-06T07:08:09Z"},
		{"{a}", []Input{milli}, []Part{moment}, "2024-05-06T07:08:09.123Z", "2024-05-06T07:08:09.123Z"},
		{"{a}", []Input{nanos}, []Part{moment}, "2024-05-06T07:08:09.123456789Z", "2024-05-06T07:08:09.123456789Z"},
		{"{a}", []Input{milli}, []Part{before}, "1969-12-31T23:59:59.999Z", "1969-12-31T23:59:59.999Z"},
		{"{a:year}", []Input{nanos}, []Part{moment}, "2024", "2024"},
		{"{a:month}", []Input{nanos}, []Part{moment}, "2024-05", "2024-05"},
		{"{a:date}", []Input{nanos}, []Part{moment}, "2024-05-06", "2024-05-06"},
		{"{a:hour}", []Input{nanos}, []Part{moment}, "2024-05-06T07", "2024-05-06T07"},
		{"{a:minute}", []Input{nanos}, []Part{moment}, "2024-05-06T07:08", "2024-05-06T07:08"},
		{"{a:20060102.15}", []Input{nanos}, []Part{moment}, "20240506.07", "20240506.07"},
		{"{a:2006-01-02T15:04:05.000000Z07:00}", []Input{nanos}, []Part{moment}, "2024-05-06T07:08:09.123456Z", "2024-05-06T07:08:09.123456Z"},
		{"{a:2006-002}", []Input{nanos}, []Part{moment}, "2024-127", "2024-127"},
		{"{a:Mon #2}", []Input{nanos}, []Part{moment}, "Mon %236", "Mon %236"},
		{"{a|desc}", []Input{milli}, []Part{moment}, "7975-94-93T92:91:90.876Z", "7975-94-93T92:91:90.876Z"},
		{"{a:date|desc}", []Input{milli}, []Part{moment}, "7975-94-93", "7975-94-93"},
		{"{a:%04d}{b:date}{c}", []Input{i64, nanos, text}, []Part{Int(-1), moment, Text("x")}, "-99992024-05-06x", "-99992024-05-06x"},

		// Versions.
		{"{a|semver}", []Input{text}, []Part{Text("1.2.3")}, "a1.a2.a3r", "a1.a2.a3r"},
		{"{a|semver}", []Input{text}, []Part{Text("v0.10.100")}, "a0.b10.c100v", "a0.b10.c100v"},
		{"{a|semver}", []Input{text}, []Part{Text("1.0.0-alpha")}, "a1.a0.a0,alpha!r", "a1.a0.a0,alpha!r"},
		{"{a|semver}", []Input{text}, []Part{Text("1.0.0-rc.1")}, "a1.a0.a0,rc*a1!r", "a1.a0.a0,rc*a1!r"},
		{"{a|semver}", []Input{text}, []Part{Text("0.0.0-20230102150405.x-y.0a")}, "a0.a0.a0*n20230102150405,x-y,0a!r", "a0.a0.a0*n20230102150405,x-y,0a!r"},
		{"{a|semver}", []Input{text}, []Part{Text("v1.0.0-rc+build.007")}, "a1.a0.a0,rc!wbuild.007!v", "a1.a0.a0,rc!wbuild.007!v"},

		// Shards: the hash must never change.
		{"{a|shard=7}", []Input{text}, []Part{Text("Ann")}, "0", "0"},
		{"LIST#{a|shard=10}", []Input{text}, []Part{Text("user-1")}, "LIST#8", "LIST#8"},
		{"LIST#{a|shard=10}", []Input{text}, []Part{Text("user-2")}, "LIST#1", "LIST#1"},
		{"{a|shard=8}", []Input{text}, []Part{Text("01HZX3K9V5J8QW2E4R6T7Y8U9P")}, "1", "1"},
		{"{a|lower|shard=1000}", []Input{text}, []Part{Text("Ann@Example.com")}, "141", "141"},
		{"{a|shard=16}", []Input{i8}, []Part{Int(-42)}, "02", "02"},
		{"{a|shard=16}", []Input{u64}, []Part{Uint(42)}, "03", "03"},
		{"{a|shard=32}", []Input{milli}, []Part{Time(at("2024-05-06T07:08:09.1239Z"))}, "30", "30"},
		{"{a|shard=3}", []Input{yesno}, []Part{Bool(true)}, "2", "2"},
		{"{a|shard=11}", []Input{text}, []Part{Text("ünï")}, "09", "09"},
		{"{a|shard=100}#{b}", []Input{text, text}, []Part{Text("a#b"), Text("a#b")}, "33#a%23b", "33#a%23b"},
	} {
		t.Run(tt.src, func(t *testing.T) {
			for _, want := range []struct {
				role Role
				key  string
			}{{Partition, tt.partition}, {Sort, tt.sort}} {
				k := bind(t, want.role, tt.src, tt.inputs...)
				require.Equal(t, want.key, build(t, k, tt.parts...))
				_, err := k.Parse(want.key)
				require.NoError(t, err)
			}
		})
	}
}

func TestGoldenKeysOtherDelimiters(t *testing.T) {
	moment := Time(at("2024-05-06T07:08:09Z"))
	for _, tt := range []struct {
		delimiter byte
		src       string
		inputs    []Input
		parts     []Part
		want      string
	}{
		{'|', "USER|{a}|{b}", []Input{text, text}, []Part{Text("a|b#$ c"), Text("%")}, "USER|a%7Cb#$ c|%25"},
		{':', "A:{a}:{b}", []Input{secs, i8}, []Part{moment, Int(-5)}, "A:2024-05-06T07%3A08%3A09Z:-995"},
		{'-', "{a}-{b}-{c}", []Input{i8, secs, text}, []Part{Int(-5), moment, Text("x-y")}, "%2D995-2024%2D05%2D06T07:08:09Z-x%2Dy"},
		{'/', "{a|semver}/{b}", []Input{text, text}, []Part{Text("1.0.0-a+b"), Text("/")}, "a1.a0.a0,a!wb!r/%2F"},
		{'_', "{a}{b}_", []Input{i8, yesno}, []Part{Int(-5), Bool(false)}, "-995false_"},
	} {
		k := bindWith(t, Syntax{Delimiter: tt.delimiter}, Sort, tt.src, tt.inputs...)
		require.Equal(t, tt.want, build(t, k, tt.parts...))
		parts, err := k.Parse(tt.want)
		require.NoError(t, err)
		require.Equal(t, tt.parts, parts)
	}
}
