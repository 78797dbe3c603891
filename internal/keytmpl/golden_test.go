package keytmpl_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/dynorm/dynorm/internal/keytmpl"
)

// TestGoldenKeys holds keys as tables in use store them. A row that fails means
// that items written before would not be found any more: the change needs a
// migration, so rows are added here and never edited.
func TestGoldenKeys(t *testing.T) {
	moment := keytmpl.Time(at("2024-05-06T09:08:09.123456789+02:00"))
	before := keytmpl.Time(at("1969-12-31T23:59:59.999999999Z"))
	for _, tt := range []struct {
		src       string
		inputs    []keytmpl.Input
		parts     []keytmpl.Part
		partition string
		sort      string
	}{
		{"PROFILE", nil, nil, "PROFILE", "PROFILE"},
		{"USER#{id}", []keytmpl.Input{text}, []keytmpl.Part{keytmpl.Text("123")}, "USER#123", "USER#123"},
		{"ORDERITEM#{sku}", []keytmpl.Input{text}, []keytmpl.Part{keytmpl.Text("AB-1.2/x_y@z:9")}, "ORDERITEM#AB-1.2/x_y@z:9", "ORDERITEM#AB-1.2/x_y@z:9"},
		{"MORPH#{type}#{id}", []keytmpl.Input{text, text}, []keytmpl.Part{keytmpl.Text("Post"), keytmpl.Text("42")}, "MORPH#Post#42", "MORPH#Post#42"},
		{"EVENT#{seq:%010d}", []keytmpl.Input{i64}, []keytmpl.Part{keytmpl.Int(1)}, "EVENT#0000000001", "EVENT#0000000001"},
		{"VERSION#{seq:%010d}", []keytmpl.Input{u64}, []keytmpl.Part{keytmpl.Uint(100)}, "VERSION#0000000100", "VERSION#0000000100"},

		// Text: case and form are kept; in a sort key, what would sort wrong is escaped too.
		{"{a}", []keytmpl.Input{text}, []keytmpl.Part{keytmpl.Text("Ann Lee")}, "Ann Lee", "Ann Lee"},
		{"{a}#{b}", []keytmpl.Input{text, text}, []keytmpl.Part{keytmpl.Text("Ann Lee"), keytmpl.Text("x y")}, "Ann Lee#x y", "Ann%20Lee#x y"},
		{"{a}#{b}", []keytmpl.Input{text, text}, []keytmpl.Part{keytmpl.Text("a#b"), keytmpl.Text("c")}, "a%23b#c", "a%23b#c"},
		{"{a}#{b}", []keytmpl.Input{text, text}, []keytmpl.Part{keytmpl.Text("a"), keytmpl.Text("b#c")}, "a#b%23c", "a#b%23c"},
		{"{a}#{b}", []keytmpl.Input{text, text}, []keytmpl.Part{keytmpl.Text("50%"), keytmpl.Text("%23$")}, "50%25#%2523$", "50%25#%2523%24"},
		{"{a}#{b}", []keytmpl.Input{text, text}, []keytmpl.Part{keytmpl.Text("$1!\""), keytmpl.Text("$1!\"\x00")}, "$1!\"#$1!\"\x00", "%241%21%22#%241!\"\x00"},
		{"{a:%s}#{b:%s}", []keytmpl.Input{text, text}, []keytmpl.Part{keytmpl.Text("$ #%"), keytmpl.Text("$ #%")}, "$ %23%25#$ %23%25", "$ %23%25#$ %23%25"},
		{"{a}", []keytmpl.Input{text}, []keytmpl.Part{keytmpl.Text("é e\u0301 日本 😀")}, "é e\u0301 日本 😀", "é e\u0301 日本 😀"},
		{"{a}-{b}", []keytmpl.Input{text, text}, []keytmpl.Part{keytmpl.Text("x-y"), keytmpl.Text("z-w")}, "x%2Dy-z-w", "x%2Dy-z-w"},
		{"A#{a|raw}", []keytmpl.Input{text}, []keytmpl.Part{keytmpl.Text("x#y%$")}, "A#x#y%$", "A#x#y%$"},
		{"{a|lower}", []keytmpl.Input{text}, []keytmpl.Part{keytmpl.Text("Ann ÉÄİΣ")}, "ann éäiσ", "ann éäiσ"},
		{"{a|upper}", []keytmpl.Input{text}, []keytmpl.Part{keytmpl.Text("straße ŉ")}, "STRAßE ŉ", "STRAßE ŉ"},

		// Integers.
		{"{a}", []keytmpl.Input{i8}, []keytmpl.Part{keytmpl.Int(7)}, "7", "007"},
		{"{a}", []keytmpl.Input{i8}, []keytmpl.Part{keytmpl.Int(-1)}, "-1", "-999"},
		{"{a}", []keytmpl.Input{i8}, []keytmpl.Part{keytmpl.Int(-128)}, "-128", "-872"},
		{"{a}", []keytmpl.Input{i16}, []keytmpl.Part{keytmpl.Int(-300)}, "-300", "-99700"},
		{"{a}", []keytmpl.Input{i32}, []keytmpl.Part{keytmpl.Int(2147483647)}, "2147483647", "2147483647"},
		{"{a}", []keytmpl.Input{i64}, []keytmpl.Part{keytmpl.Int(0)}, "0", "0000000000000000000"},
		{"{a}", []keytmpl.Input{i64}, []keytmpl.Part{keytmpl.Int(9223372036854775807)}, "9223372036854775807", "9223372036854775807"},
		{"{a}", []keytmpl.Input{i64}, []keytmpl.Part{keytmpl.Int(-9223372036854775808)}, "-9223372036854775808", "-0776627963145224192"},
		{"{a}", []keytmpl.Input{u8}, []keytmpl.Part{keytmpl.Uint(255)}, "255", "255"},
		{"{a}", []keytmpl.Input{u64}, []keytmpl.Part{keytmpl.Uint(18446744073709551615)}, "18446744073709551615", "18446744073709551615"},
		{"{a}", []keytmpl.Input{{Kind: keytmpl.KindInt, Pad: 6}}, []keytmpl.Part{keytmpl.Int(42)}, "42", "000042"},
		{"{a:%d}", []keytmpl.Input{i64}, []keytmpl.Part{keytmpl.Int(42)}, "42", "42"},
		{"{a:%04d}", []keytmpl.Input{i64}, []keytmpl.Part{keytmpl.Int(-42)}, "-9958", "-9958"},
		{"{a:%025d}", []keytmpl.Input{i64}, []keytmpl.Part{keytmpl.Int(-42)}, "-9999999999999999999999958", "-9999999999999999999999958"},
		{"{a:%04d|desc}", []keytmpl.Input{i64}, []keytmpl.Part{keytmpl.Int(42)}, "9957", "9957"},
		{"{a:%04d|desc}", []keytmpl.Input{i64}, []keytmpl.Part{keytmpl.Int(0)}, "9999", "9999"},
		{"{a:%04d|desc}", []keytmpl.Input{i64}, []keytmpl.Part{keytmpl.Int(-42)}, "n0042", "n0042"},
		{"{a|desc}", []keytmpl.Input{u64}, []keytmpl.Part{keytmpl.Uint(7)}, "99999999999999999992", "99999999999999999992"},
		{"{a|desc}", []keytmpl.Input{i64}, []keytmpl.Part{keytmpl.Int(-9223372036854775808)}, "n9223372036854775808", "n9223372036854775808"},
		{"{a}", []keytmpl.Input{yesno}, []keytmpl.Part{keytmpl.Bool(true)}, "true", "true"},

		// Times.
		{"{a}", []keytmpl.Input{secs}, []keytmpl.Part{moment}, "2024-05-06T07:08:09Z", "2024-05-06T07:08:09Z"},
		{"{a}", []keytmpl.Input{milli}, []keytmpl.Part{moment}, "2024-05-06T07:08:09.123Z", "2024-05-06T07:08:09.123Z"},
		{"{a}", []keytmpl.Input{nanos}, []keytmpl.Part{moment}, "2024-05-06T07:08:09.123456789Z", "2024-05-06T07:08:09.123456789Z"},
		{"{a}", []keytmpl.Input{milli}, []keytmpl.Part{before}, "1969-12-31T23:59:59.999Z", "1969-12-31T23:59:59.999Z"},
		{"{a:year}", []keytmpl.Input{nanos}, []keytmpl.Part{moment}, "2024", "2024"},
		{"{a:month}", []keytmpl.Input{nanos}, []keytmpl.Part{moment}, "2024-05", "2024-05"},
		{"{a:date}", []keytmpl.Input{nanos}, []keytmpl.Part{moment}, "2024-05-06", "2024-05-06"},
		{"{a:hour}", []keytmpl.Input{nanos}, []keytmpl.Part{moment}, "2024-05-06T07", "2024-05-06T07"},
		{"{a:minute}", []keytmpl.Input{nanos}, []keytmpl.Part{moment}, "2024-05-06T07:08", "2024-05-06T07:08"},
		{"{a:20060102.15}", []keytmpl.Input{nanos}, []keytmpl.Part{moment}, "20240506.07", "20240506.07"},
		{"{a:2006-01-02T15:04:05.000000Z07:00}", []keytmpl.Input{nanos}, []keytmpl.Part{moment}, "2024-05-06T07:08:09.123456Z", "2024-05-06T07:08:09.123456Z"},
		{"{a:2006-002}", []keytmpl.Input{nanos}, []keytmpl.Part{moment}, "2024-127", "2024-127"},
		{"{a:Mon #2}", []keytmpl.Input{nanos}, []keytmpl.Part{moment}, "Mon %236", "Mon %236"},
		{"{a|desc}", []keytmpl.Input{milli}, []keytmpl.Part{moment}, "7975-94-93T92:91:90.876Z", "7975-94-93T92:91:90.876Z"},
		{"{a:date|desc}", []keytmpl.Input{milli}, []keytmpl.Part{moment}, "7975-94-93", "7975-94-93"},
		{"{a:%04d}{b:date}{c}", []keytmpl.Input{i64, nanos, text}, []keytmpl.Part{keytmpl.Int(-1), moment, keytmpl.Text("x")}, "-99992024-05-06x", "-99992024-05-06x"},

		// Versions.
		{"{a|semver}", []keytmpl.Input{text}, []keytmpl.Part{keytmpl.Text("1.2.3")}, "a1.a2.a3r", "a1.a2.a3r"},
		{"{a|semver}", []keytmpl.Input{text}, []keytmpl.Part{keytmpl.Text("v0.10.100")}, "a0.b10.c100v", "a0.b10.c100v"},
		{"{a|semver}", []keytmpl.Input{text}, []keytmpl.Part{keytmpl.Text("1.0.0-alpha")}, "a1.a0.a0,alpha!r", "a1.a0.a0,alpha!r"},
		{"{a|semver}", []keytmpl.Input{text}, []keytmpl.Part{keytmpl.Text("1.0.0-rc.1")}, "a1.a0.a0,rc*a1!r", "a1.a0.a0,rc*a1!r"},
		{"{a|semver}", []keytmpl.Input{text}, []keytmpl.Part{keytmpl.Text("0.0.0-20230102150405.x-y.0a")}, "a0.a0.a0*n20230102150405,x-y,0a!r", "a0.a0.a0*n20230102150405,x-y,0a!r"},
		{"{a|semver}", []keytmpl.Input{text}, []keytmpl.Part{keytmpl.Text("v1.0.0-rc+build.007")}, "a1.a0.a0,rc!wbuild.007!v", "a1.a0.a0,rc!wbuild.007!v"},

		// Shards: the hash must never change.
		{"{a|shard=7}", []keytmpl.Input{text}, []keytmpl.Part{keytmpl.Text("Ann")}, "0", "0"},
		{"LIST#{a|shard=10}", []keytmpl.Input{text}, []keytmpl.Part{keytmpl.Text("user-1")}, "LIST#8", "LIST#8"},
		{"LIST#{a|shard=10}", []keytmpl.Input{text}, []keytmpl.Part{keytmpl.Text("user-2")}, "LIST#1", "LIST#1"},
		{"{a|shard=8}", []keytmpl.Input{text}, []keytmpl.Part{keytmpl.Text("01HZX3K9V5J8QW2E4R6T7Y8U9P")}, "1", "1"},
		{"{a|lower|shard=1000}", []keytmpl.Input{text}, []keytmpl.Part{keytmpl.Text("Ann@Example.com")}, "141", "141"},
		{"{a|shard=16}", []keytmpl.Input{i8}, []keytmpl.Part{keytmpl.Int(-42)}, "02", "02"},
		{"{a|shard=16}", []keytmpl.Input{u64}, []keytmpl.Part{keytmpl.Uint(42)}, "03", "03"},
		{"{a|shard=32}", []keytmpl.Input{milli}, []keytmpl.Part{keytmpl.Time(at("2024-05-06T07:08:09.1239Z"))}, "30", "30"},
		{"{a|shard=3}", []keytmpl.Input{yesno}, []keytmpl.Part{keytmpl.Bool(true)}, "2", "2"},
		{"{a|shard=11}", []keytmpl.Input{text}, []keytmpl.Part{keytmpl.Text("ünï")}, "09", "09"},
		{"{a|shard=100}#{b}", []keytmpl.Input{text, text}, []keytmpl.Part{keytmpl.Text("a#b"), keytmpl.Text("a#b")}, "33#a%23b", "33#a%23b"},
	} {
		t.Run(tt.src, func(t *testing.T) {
			for _, want := range []struct {
				role keytmpl.Role
				key  string
			}{{keytmpl.Partition, tt.partition}, {keytmpl.Sort, tt.sort}} {
				k := bind(t, want.role, tt.src, tt.inputs...)
				require.Equal(t, want.key, build(t, k, tt.parts...))
				_, err := k.Parse(want.key)
				require.NoError(t, err)
			}
		})
	}
}

func TestGoldenKeysOtherDelimiters(t *testing.T) {
	moment := keytmpl.Time(at("2024-05-06T07:08:09Z"))
	for _, tt := range []struct {
		delimiter byte
		src       string
		inputs    []keytmpl.Input
		parts     []keytmpl.Part
		want      string
	}{
		{'|', "USER|{a}|{b}", []keytmpl.Input{text, text}, []keytmpl.Part{keytmpl.Text("a|b#$ c"), keytmpl.Text("%")}, "USER|a%7Cb#$ c|%25"},
		{':', "A:{a}:{b}", []keytmpl.Input{secs, i8}, []keytmpl.Part{moment, keytmpl.Int(-5)}, "A:2024-05-06T07%3A08%3A09Z:-995"},
		{'-', "{a}-{b}-{c}", []keytmpl.Input{i8, secs, text}, []keytmpl.Part{keytmpl.Int(-5), moment, keytmpl.Text("x-y")}, "%2D995-2024%2D05%2D06T07:08:09Z-x%2Dy"},
		{'/', "{a|semver}/{b}", []keytmpl.Input{text, text}, []keytmpl.Part{keytmpl.Text("1.0.0-a+b"), keytmpl.Text("/")}, "a1.a0.a0,a!wb!r/%2F"},
		{'_', "{a}{b}_", []keytmpl.Input{i8, yesno}, []keytmpl.Part{keytmpl.Int(-5), keytmpl.Bool(false)}, "-995false_"},
	} {
		k := bindWith(t, keytmpl.Syntax{Delimiter: tt.delimiter}, keytmpl.Sort, tt.src, tt.inputs...)
		require.Equal(t, tt.want, build(t, k, tt.parts...))
		parts, err := k.Parse(tt.want)
		require.NoError(t, err)
		require.Equal(t, tt.parts, parts)
	}
}
