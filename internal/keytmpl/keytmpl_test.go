package keytmpl_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/dynorm/dynorm/internal/keytmpl"
)

var (
	text  = keytmpl.Input{Kind: keytmpl.KindText}
	i64   = keytmpl.Input{Kind: keytmpl.KindInt, Bits: 64}
	i32   = keytmpl.Input{Kind: keytmpl.KindInt, Bits: 32}
	i16   = keytmpl.Input{Kind: keytmpl.KindInt, Bits: 16}
	i8    = keytmpl.Input{Kind: keytmpl.KindInt, Bits: 8}
	u64   = keytmpl.Input{Kind: keytmpl.KindUint, Bits: 64}
	u8    = keytmpl.Input{Kind: keytmpl.KindUint, Bits: 8}
	yesno = keytmpl.Input{Kind: keytmpl.KindBool}
	secs  = keytmpl.Input{Kind: keytmpl.KindTime, Precision: 0}
	milli = keytmpl.Input{Kind: keytmpl.KindTime, Precision: 3}
	nanos = keytmpl.Input{Kind: keytmpl.KindTime, Precision: -1}
)

type fataler interface {
	Helper()
	Fatalf(format string, args ...any)
}

func bind(t fataler, role keytmpl.Role, src string, inputs ...keytmpl.Input) *keytmpl.Key {
	t.Helper()
	return bindWith(t, keytmpl.Syntax{}, role, src, inputs...)
}

func bindWith(t fataler, syntax keytmpl.Syntax, role keytmpl.Role, src string, inputs ...keytmpl.Input) *keytmpl.Key {
	t.Helper()
	tmpl, err := syntax.Parse(src)
	if err != nil {
		t.Fatalf("parse: %v", err)
	}
	key, err := tmpl.Bind(role, inputs)
	if err != nil {
		t.Fatalf("bind: %v", err)
	}
	return key
}

func build(t fataler, k *keytmpl.Key, parts ...keytmpl.Part) string {
	t.Helper()
	key, err := k.Append(nil, parts)
	if err != nil {
		t.Fatalf("append: %v", err)
	}
	return string(key)
}

func at(s string) time.Time {
	t, err := time.Parse(time.RFC3339Nano, s)
	if err != nil {
		panic(err)
	}
	return t
}

func TestBindFaults(t *testing.T) {
	for _, tt := range []struct {
		src    string
		inputs []keytmpl.Input
		want   string // part of the message
		why    string
	}{
		{"{a}", nil, "0 inputs for 1", ""},
		{"{a}", []keytmpl.Input{{}}, "only text, integers, times and bools", "a float, a list, bytes have no kind here"},
		{"{a}", []keytmpl.Input{{Kind: keytmpl.KindBool + 1}}, "only text", ""},
		{"{a|lower}", []keytmpl.Input{i64}, "lower is for text, not for int", ""},
		{"{a|upper}", []keytmpl.Input{nanos}, "upper is for text, not for time", ""},
		{"{a|semver}", []keytmpl.Input{u64}, "semver is for text, not for uint", ""},
		{"{a|raw}", []keytmpl.Input{yesno}, "raw is for text, not for bool", ""},
		{"{a|desc}", []keytmpl.Input{text}, "desc is for integers and times", ""},
		{"{a|desc}", []keytmpl.Input{yesno}, "desc is for integers and times", ""},
		{"{a:%d}", []keytmpl.Input{text}, "text has no format", ""},
		{"{a:date}", []keytmpl.Input{text}, "text has no format", ""},
		{"{a:%t}", []keytmpl.Input{yesno}, "bool has no format", ""},
		{"{a:%5d}", []keytmpl.Input{i64}, "int has no format", "padded by spaces"},
		{"{a:%x}", []keytmpl.Input{u64}, "uint has no format", ""},
		{"{a:%039d}", []keytmpl.Input{i64}, "1 to 38", ""},
		{"{a:date}", []keytmpl.Input{i64}, "int has no format", ""},
		{"{a:%d|desc}", []keytmpl.Input{i64}, "fixed width", ""},
		{"{a:12d}", []keytmpl.Input{i64}, "has no format", "%012d"},
		{"{a:%012}", []keytmpl.Input{i64}, "has no format", "%012d"},
		{"{a:%0d}", []keytmpl.Input{i64}, "has no format", "%012d"},
		{"{a:%00d}", []keytmpl.Input{i64}, "has no format", "%012d"},
		{"{a:%0123d}", []keytmpl.Input{i64}, "has no format", "%012d"},
		{"{a:%0+1d}", []keytmpl.Input{i64}, "has no format", "%012d"},
		{"{a}", []keytmpl.Input{{Kind: keytmpl.KindInt, Bits: 24}}, "8, 16, 32 or 64", ""},
		{"{a}", []keytmpl.Input{{Kind: keytmpl.KindInt, Pad: -1}}, "1 to 38", ""},
		{"{a}", []keytmpl.Input{{Kind: keytmpl.KindTime, Precision: 10}}, "0 to 9 fraction digits", ""},
		{"{a}", []keytmpl.Input{{Kind: keytmpl.KindTime, Precision: -2}}, "0 to 9 fraction digits", ""},
		{"{a:dat}", []keytmpl.Input{nanos}, "did you mean date?", ""},
		{"{a:Month}", []keytmpl.Input{nanos}, "did you mean month?", "a layout by the letters Mon"},
		{"{a:week}", []keytmpl.Input{nanos}, "one of year, month, date, hour, minute, a layout", "nothing is near, and not an element of a layout"},
		{"{a:MST}", []keytmpl.Input{nanos}, "unknown time format", "always UTC"},
		{"{a:02-01-2006|desc}", []keytmpl.Input{nanos}, "goes down", "reversed digits would not reverse the order"},
		{"{a:2006-1-2|desc}", []keytmpl.Input{nanos}, "fixed width", ""},
		{"{a}{b}", []keytmpl.Input{text, text}, "nothing tells", ""},
		{"{a:%d}{b}", []keytmpl.Input{i64, i64}, "nothing tells", "variable width"},
		{"{a}x{b}", []keytmpl.Input{text, text}, `"x"`, "letters would be escaped in names"},
		{"{a}0{b}", []keytmpl.Input{text, text}, `"0"`, ""},
		{"{a}%{b}", []keytmpl.Input{text, text}, `"%"`, "begins every escape"},
		{"{a}é{b}", []keytmpl.Input{text, text}, `"é"`, ""},
		{"{a|semver}-{b}", []keytmpl.Input{text, text}, "last reference", "a version holds -"},
	} {
		t.Run(tt.src, func(t *testing.T) {
			tmpl, err := keytmpl.Parse(tt.src)
			require.NoError(t, err)
			_, err = tmpl.Bind(keytmpl.Sort, tt.inputs)
			var fault *keytmpl.BindError
			require.ErrorAs(t, err, &fault, tt.why)
			require.Contains(t, err.Error(), tt.want, tt.why)
			require.Equal(t, tt.src, fault.Template)
		})
	}

	for _, delimiter := range ".!*,-" {
		tmpl, err := keytmpl.Syntax{Delimiter: byte(delimiter)}.Parse("{v|semver}")
		require.NoError(t, err)
		_, err = tmpl.Bind(keytmpl.Sort, []keytmpl.Input{text})
		require.ErrorContains(t, err, "delimiter", "an escape would change the order of versions")
	}
}

func TestBindReportsAllFaults(t *testing.T) {
	tmpl, err := keytmpl.Parse("{a|desc}#{b}#{c.d:nope}")
	require.NoError(t, err)
	_, err = tmpl.Bind(keytmpl.Sort, []keytmpl.Input{text, text, nanos})
	var joined interface{ Unwrap() []error }
	require.ErrorAs(t, err, &joined)
	require.Len(t, joined.Unwrap(), 2)
	require.ErrorContains(t, err, "{a}")
	require.ErrorContains(t, err, "{c.d}")
}

func TestAppendFaults(t *testing.T) {
	for _, tt := range []struct {
		src   string
		role  keytmpl.Role
		input keytmpl.Input
		part  keytmpl.Part
		want  string
		why   string
	}{
		{"{a}", keytmpl.Sort, text, keytmpl.Int(1), "kind int, not text", ""},
		{"{a}", keytmpl.Sort, i64, keytmpl.Uint(1), "kind uint, not int", ""},
		{"{a}", keytmpl.Sort, u64, keytmpl.Int(1), "kind int, not uint", ""},
		{"{a}", keytmpl.Sort, nanos, keytmpl.Text("x"), "kind text, not time", ""},
		{"{a}", keytmpl.Sort, yesno, keytmpl.Text("yes"), "neither true nor false", ""},
		{"{a}", keytmpl.Sort, text, keytmpl.Text("x\xff"), "UTF-8", ""},
		{"{a|lower}", keytmpl.Sort, text, keytmpl.Text("x\xff"), "UTF-8", "folding would replace it"},
		{"{a|shard=4}", keytmpl.Sort, text, keytmpl.Text("x\xff"), "UTF-8", ""},
		{"{a}", keytmpl.Sort, i8, keytmpl.Int(128), "8 bits", ""},
		{"{a}", keytmpl.Sort, i8, keytmpl.Int(-129), "8 bits", ""},
		{"{a}", keytmpl.Partition, i8, keytmpl.Int(128), "8 bits", "plain numbers have the limits of their type"},
		{"{a}", keytmpl.Partition, u8, keytmpl.Uint(256), "8 bits", ""},
		{"{a:%03d}", keytmpl.Sort, i64, keytmpl.Int(1000), "3 digits", ""},
		{"{a:%03d}", keytmpl.Sort, i64, keytmpl.Int(-1000), "3 digits", ""},
		{"{a:%03d}", keytmpl.Partition, u64, keytmpl.Uint(1000), "3 digits", ""},
		{"{a}", keytmpl.Sort, keytmpl.Input{Kind: keytmpl.KindInt, Pad: 2}, keytmpl.Int(100), "2 digits", ""},
		{"{a|desc}", keytmpl.Sort, keytmpl.Input{Kind: keytmpl.KindUint, Pad: 2}, keytmpl.Uint(100), "2 digits", ""},
		{"{a}", keytmpl.Sort, nanos, keytmpl.Time(time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC)), "0000 to 9999", "five digits sort wrong"},
		{"{a}", keytmpl.Sort, nanos, keytmpl.Time(time.Date(-1, 1, 1, 0, 0, 0, 0, time.UTC)), "0000 to 9999", ""},
		{"{a:year}", keytmpl.Sort, nanos, keytmpl.Time(time.Date(9999, 12, 31, 23, 0, 0, 0, time.FixedZone("", -7200))), "0000 to 9999", "the year in UTC counts"},
		{"{a:.999}", keytmpl.Partition, nanos, keytmpl.Time(at("2024-01-01T00:00:00Z")), "shows nothing", "an empty value"},
		{"{a|semver}", keytmpl.Sort, text, keytmpl.Text("1.2"), "SemVer", ""},
	} {
		t.Run(tt.src+" "+tt.want, func(t *testing.T) {
			k := bind(t, tt.role, tt.src, tt.input)
			dst := []byte("before")
			got, err := k.Append(dst, []keytmpl.Part{tt.part})
			var fault *keytmpl.ValueError
			require.ErrorAs(t, err, &fault, tt.why)
			require.Contains(t, err.Error(), tt.want, tt.why)
			require.Equal(t, "a", fault.Field)
			require.Equal(t, "before", string(got))
		})
	}
}

func TestErrorsHoldNoValues(t *testing.T) {
	const secret = "hunter2"
	k := bind(t, keytmpl.Sort, "A#{a|semver}", text)
	_, err := k.Append(nil, []keytmpl.Part{keytmpl.Text(secret)})
	require.Error(t, err)
	require.NotContains(t, err.Error(), secret)
	_, err = k.Parse("A#" + secret)
	require.Error(t, err)
	require.NotContains(t, err.Error(), secret)
	_, err = k.Range(nil, keytmpl.AtLeast(keytmpl.Text(secret)))
	require.Error(t, err)
	require.NotContains(t, err.Error(), secret)
}

func TestMissing(t *testing.T) {
	k := bind(t, keytmpl.Sort, "A#{a}#{b.c}#{d}", text, nanos, i64)
	now := keytmpl.Time(at("2024-01-01T00:00:00Z"))
	for _, tt := range []struct {
		parts []keytmpl.Part
		ref   int
		field string
		why   string
	}{
		{nil, 0, "a", ""},
		{[]keytmpl.Part{keytmpl.Missing(), now, keytmpl.Int(1)}, 0, "a", ""},
		{[]keytmpl.Part{keytmpl.Text(""), now, keytmpl.Int(1)}, 0, "a", "an empty text is missing"},
		{[]keytmpl.Part{keytmpl.Text("x"), keytmpl.Time(time.Time{}), keytmpl.Int(1)}, 1, "b.c", "a zero time is missing"},
		{[]keytmpl.Part{keytmpl.Text("x"), now}, 2, "d", "too few parts"},
	} {
		_, err := k.Append(nil, tt.parts)
		var missing *keytmpl.MissingError
		require.ErrorAs(t, err, &missing, tt.why)
		require.Equal(t, keytmpl.MissingError{Template: "A#{a}#{b.c}#{d}", Ref: tt.ref, Field: tt.field}, *missing, tt.why)
		require.ErrorContains(t, err, "{"+tt.field+"} has no value")
	}
	require.Contains(t, build(t, k, keytmpl.Text("x"), now, keytmpl.Int(0)), "#0", "the zero integer is a value")

	_, err := k.Append(nil, []keytmpl.Part{keytmpl.Text("x"), now, keytmpl.Int(1), keytmpl.Int(2)})
	require.ErrorContains(t, err, "4 parts for 3 references")
}

func TestSize(t *testing.T) {
	long := make([]byte, 3000)
	for i := range long {
		long[i] = 'x'
	}
	for _, tt := range []struct {
		role  keytmpl.Role
		limit int
	}{{keytmpl.Partition, 2048}, {keytmpl.Sort, 1024}} {
		k := bind(t, tt.role, "A#{a}", text)
		fits := string(long[:tt.limit-2])
		require.Len(t, build(t, k, keytmpl.Text(fits)), tt.limit)
		// The limit counts the key, not what was in dst before.
		got, err := k.Append(make([]byte, 100), []keytmpl.Part{keytmpl.Text(fits)})
		require.NoError(t, err)
		require.Len(t, got, tt.limit+100)

		var size *keytmpl.SizeError
		_, err = k.Append(nil, []keytmpl.Part{keytmpl.Text(fits + "x")})
		require.ErrorAs(t, err, &size)
		require.Equal(t, keytmpl.SizeError{Template: "A#{a}", Limit: tt.limit, Size: tt.limit + 1}, *size)
		_, err = k.Append(nil, []keytmpl.Part{keytmpl.Text(fits[:len(fits)-1] + "#")})
		require.ErrorAs(t, err, &size, "the escape counts")
		require.Equal(t, tt.limit+2, size.Size)
		_, _, err = k.PrefixWithin(nil, []keytmpl.Part{keytmpl.Text(fits + "x")})
		require.ErrorAs(t, err, &size)
	}
	k := bind(t, keytmpl.Sort, "A#{a}#{b}", text, text)
	_, _, err := k.Prefix(nil, []keytmpl.Part{keytmpl.Text(string(long))})
	var size *keytmpl.SizeError
	require.ErrorAs(t, err, &size)
	_, err = k.Range(nil, keytmpl.AtLeast(keytmpl.Text(string(long))))
	require.ErrorAs(t, err, &size)
}

func TestPrefix(t *testing.T) {
	k := bind(t, keytmpl.Sort, "ORDER#{a}#v{b}#{c}", text, i8, text)
	for _, tt := range []struct {
		parts    []keytmpl.Part
		want     string
		complete bool
		why      string
	}{
		{nil, "ORDER#", false, "closed: never ORDERS#"},
		{[]keytmpl.Part{keytmpl.Text("x")}, "ORDER#x#v", false, "up to the next value"},
		{[]keytmpl.Part{keytmpl.Text("x"), keytmpl.Int(7)}, "ORDER#x#v007#", false, ""},
		{[]keytmpl.Part{keytmpl.Text("x"), keytmpl.Missing(), keytmpl.Text("y")}, "ORDER#x#v", false, "leading parts only"},
		{[]keytmpl.Part{keytmpl.Text("x"), keytmpl.Int(7), keytmpl.Text("y")}, "ORDER#x#v007#y", true, ""},
	} {
		got, complete, err := k.Prefix([]byte("+"), tt.parts)
		require.NoError(t, err)
		require.Equal(t, "+"+tt.want, string(got), tt.why)
		require.Equal(t, tt.complete, complete)
	}

	constant := bind(t, keytmpl.Sort, "PROFILE")
	got, complete, err := constant.Prefix(nil, nil)
	require.NoError(t, err)
	require.Equal(t, "PROFILE", string(got))
	require.True(t, complete)
}

func TestPrefixWithin(t *testing.T) {
	k := bind(t, keytmpl.Sort, "ORDER#{a}#v{b}#{c}", text, i8, text)
	for _, tt := range []struct {
		parts []keytmpl.Part
		want  string
		why   string
	}{
		{[]keytmpl.Part{keytmpl.Text("x y#")}, "ORDER#x%20y%23", "escaped, and not closed"},
		{nil, "ORDER#", "no part, no beginning of one"},
		{make([]keytmpl.Part, 9), "ORDER#", "all of them are missing"},
		{[]keytmpl.Part{keytmpl.Text("x"), keytmpl.Int(7), keytmpl.Text("y z")}, "ORDER#x#v007#y z", "the last one"},
	} {
		got, exact, err := k.PrefixWithin([]byte("+"), tt.parts)
		require.NoError(t, err)
		require.True(t, exact)
		require.Equal(t, "+"+tt.want, string(got), tt.why)
	}
	_, _, err := k.PrefixWithin(nil, []keytmpl.Part{keytmpl.Text("x"), keytmpl.Int(1)})
	require.ErrorContains(t, err, "only plain text")
	_, _, err = k.PrefixWithin(nil, []keytmpl.Part{keytmpl.Text("x"), keytmpl.Int(1), keytmpl.Text("x"), keytmpl.Text("x")})
	require.ErrorContains(t, err, "4 parts for 3")
	_, _, err = k.PrefixWithin(nil, []keytmpl.Part{keytmpl.Text("x\xff")})
	require.ErrorContains(t, err, "UTF-8")
	_, _, err = k.PrefixWithin(nil, []keytmpl.Part{keytmpl.Text("x"), keytmpl.Text("y"), keytmpl.Text("z")})
	require.ErrorContains(t, err, "kind text, not int")

	for _, tt := range []struct {
		src   string
		exact bool
		why   string
	}{
		{"{a}", true, ""},
		{"{a}-{b}", true, "the - is escaped in the value"},
		{"{a} x#{b}", true, "so is a space where order asks for it"},
		{"{a}x#{b}", false, "ax is the beginning of axe, and the value a with its literal"},
		{"{a}%#{b}", false, "a%23 likewise"},
		{"{a|lower}", false, "Anna and anna share a key text"},
	} {
		tmpl, err := keytmpl.Parse(tt.src)
		require.NoError(t, err)
		k, err := tmpl.Bind(keytmpl.Sort, []keytmpl.Input{text, text}[:len(tmpl.Refs())])
		require.NoError(t, err)
		got, exact, err := k.PrefixWithin(nil, []keytmpl.Part{keytmpl.Text("a")})
		require.NoError(t, err)
		require.Equal(t, "a", string(got))
		require.Equal(t, tt.exact, exact, "%s: %s", tt.src, tt.why)
	}
}

func TestParseMismatch(t *testing.T) {
	for _, tt := range []struct {
		src   string
		input keytmpl.Input
		key   string
		why   string
	}{
		{"USER#{a}", text, "", ""},
		{"USER#{a}", text, "USER", "no segment for the value"},
		{"USER#{a}", text, "USER#", "an empty value is missing"},
		{"USER#{a}", text, "user#1", "letter case counts"},
		{"USER#{a}", text, "USERS#1", ""},
		{"USER#{a}", text, "USER#1#2", "a segment too much"},
		{"USER#{a}", text, "USER#\xff", "no text"},
		{"USER#{a}", text, "USER#%", "a lone percent"},
		{"USER#{a}", text, "USER#a%2", "a cut escape"},
		{"USER#{a}", text, "USER#%41", "an escape that is not written"},
		{"USER#{a}", text, "USER#%2g", "not hexadecimal"},
		{"{a}#{a}", text, "$#a", "$ is escaped before the end"},
		{"{a:%s}", text, "%2f", "hexadecimal digits are upper case"},
		{"{a|lower}", text, "Ann", "not folded"},
		{"{a|upper}", text, "Ann", "not folded"},
		{"v{a}x", text, "vx", "nothing between the literals"},
		{"v{a}vx", text, "vx", "the literals overlap"},
		{"v{a}x", text, "vay", ""},
		{"{a:%d}", i64, "007", "one number, one text"},
		{"{a:%d}", i64, "-0", ""},
		{"{a:%d}", i64, "+1", ""},
		{"{a:%d}", i64, "1_0", ""},
		{"{a:%d}", i8, "128", "over the type"},
		{"{a:%d}", u64, "-1", ""},
		{"{a}", i8, "7", "too short"},
		{"{a}", i8, "0007", "too long"},
		{"{a}", i8, "999", "over the type"},
		{"{a}", i8, "-7", "too short"},
		{"{a}", i8, "-000", "below the type"},
		{"{a}", i8, "x07", ""},
		{"{a}", i64, "99999999999999999999", "over 64 bits"},
		{"{a|desc}", i8, "n000", "zero has no sign"},
		{"{a|desc}", i8, "-001", "the sign of ascending order"},
		{"{a}", yesno, "True", ""},
		{"{a}", yesno, "t", ""},
		{"{a}", secs, "2024-02-30T00:00:00Z", "no such day"},
		{"{a}", secs, "2024-02-03T24:00:00Z", "no such hour"},
		{"{a}", secs, "2024-02-03T00:00:00", "no zone"},
		{"{a}", milli, "2024-02-03T00:00:00Z", "another precision"},
		{"{a:2006-01-02T15:04:05.000}", secs, "2024-02-03T00:00:00.001", "more than is stored"},
		{"{a:date}", nanos, "2024-2-3", ""},
		{"{a:date}", nanos, "2024-13-01", ""},
		{"{a|shard=100}", text, "7", "too short"},
		{"{a|shard=50}", text, "50", "no such shard"},
		{"{a|shard=50}", text, "5x", ""},
		{"{a|semver}", text, "1.2.3", "not encoded"},
		{"{a|semver}", text, "a1.a2", ""},
		{"{a|semver}", text, "a1.a2.a3", "no end"},
		{"{a|semver}", text, "a1.a2.a3x", ""},
		{"{a|semver}", text, "a1.a2.b03r", "a leading zero"},
		{"{a|semver}", text, "a1.a2.z3r", "digits cut short"},
		{"{a|semver}", text, "a1.a2.a3,rcr", "the pre-release is not closed"},
		{"{a|semver}", text, "a1.a2.a3,7!r", "a number as text"},
		{"{a|semver}", text, "a1.a2.a3,!r", "an empty identifier"},
		{"{a|semver}", text, "a1.a2.a3!r", "no identifier"},
		{"{a|semver}", text, "a1.a2.a3wr", "the build is not closed"},
		{"{a|semver}", text, "a1.a2.a3w!r", "an empty build"},
		{"{a|semver}", text, "a1-a2.a3r", ""},
	} {
		t.Run(tt.src+" "+tt.key, func(t *testing.T) {
			tmpl, err := keytmpl.Parse(tt.src)
			require.NoError(t, err)
			inputs := make([]keytmpl.Input, len(tmpl.Refs()))
			for i := range inputs {
				inputs[i] = tt.input
			}
			k, err := tmpl.Bind(keytmpl.Sort, inputs)
			require.NoError(t, err)
			_, err = k.Parse(tt.key)
			var mismatch *keytmpl.MismatchError
			require.ErrorAs(t, err, &mismatch, tt.why)
		})
	}
}

func TestLossyParts(t *testing.T) {
	moment := keytmpl.Time(at("2024-05-06T07:08:09.123456789Z"))
	for _, tt := range []struct {
		src   string
		input keytmpl.Input
		part  keytmpl.Part
		lossy bool
		want  keytmpl.Part
	}{
		{"{a}", nanos, moment, false, moment},
		{"{a}", milli, moment, false, keytmpl.Time(at("2024-05-06T07:08:09.123Z"))}, // as stored
		{"{a:minute}", nanos, moment, true, keytmpl.Time(at("2024-05-06T07:08:00Z"))},
		{"{a:hour}", nanos, moment, true, keytmpl.Time(at("2024-05-06T07:00:00Z"))},
		{"{a:date|desc}", nanos, moment, true, keytmpl.Time(at("2024-05-06T00:00:00Z"))},
		{"{a:month}", nanos, moment, true, keytmpl.Time(at("2024-05-01T00:00:00Z"))},
		{"{a:year}", nanos, moment, true, keytmpl.Time(at("2024-01-01T00:00:00Z"))},
		{"{a:2006-002}", nanos, moment, true, keytmpl.Time(at("2024-05-06T00:00:00Z"))},
		{"{a:20060102150405.000}", milli, moment, false, keytmpl.Time(at("2024-05-06T07:08:09.123Z"))},
		{"{a:20060102150405.000}", nanos, moment, true, keytmpl.Time(at("2024-05-06T07:08:09.123Z"))},
		{"{a:20060102150405}", secs, moment, false, keytmpl.Time(at("2024-05-06T07:08:09Z"))},
		{"{a:Monday#15}", nanos, moment, true, keytmpl.Text("Monday#07")},
		{"{a|lower}", text, keytmpl.Text("Ann É"), true, keytmpl.Text("ann é")},
		{"{a|upper}", text, keytmpl.Text("Ann é"), true, keytmpl.Text("ANN É")},
		{"{a|shard=7}", text, keytmpl.Text("Ann"), true, keytmpl.Uint(0)},
		{"{a:%s}", text, keytmpl.Text("Ann # Lee"), false, keytmpl.Text("Ann # Lee")},
	} {
		t.Run(tt.src, func(t *testing.T) {
			for _, role := range []keytmpl.Role{keytmpl.Partition, keytmpl.Sort} {
				k := bind(t, role, tt.src, tt.input)
				require.Equal(t, tt.lossy, k.Lossy(0))
				parts, err := k.Parse(build(t, k, tt.part))
				require.NoError(t, err)
				require.Equal(t, []keytmpl.Part{tt.want}, parts)
			}
		})
	}
}

func TestOrder(t *testing.T) {
	for _, tt := range []struct {
		src   string
		input keytmpl.Input
		want  keytmpl.Order
		why   string
	}{
		{"{a}", text, keytmpl.Ascending, ""},
		{"{a}#z", text, keytmpl.Ascending, "what follows is below all that is not escaped"},
		{"{a} z", text, keytmpl.Ascending, "so is a space"},
		{"{a}-z", text, keytmpl.Unordered, "a-z is above a!z, a is below a!"},
		{"{a}%z", text, keytmpl.Unordered, "the percent of an escape could follow as well"},
		{"{a:%s}", text, keytmpl.Unordered, "stored as it is"},
		{"{a|raw}", text, keytmpl.Ascending, ""},
		{"{a|lower}", text, keytmpl.Unordered, "the order of other texts"},
		{"{a|semver}", text, keytmpl.Ascending, ""},
		{"{a|shard=9}", text, keytmpl.Unordered, ""},
		{"{a}", i64, keytmpl.Ascending, ""},
		{"{a|desc}", i64, keytmpl.Descending, ""},
		{"{a:%d}", i64, keytmpl.Unordered, "10 is below 9"},
		{"{a:%03d}", u64, keytmpl.Ascending, ""},
		{"{a}", yesno, keytmpl.Ascending, ""},
		{"{a}", nanos, keytmpl.Ascending, ""},
		{"{a|desc}", nanos, keytmpl.Descending, ""},
		{"{a:02-01-2006}", nanos, keytmpl.Unordered, ""},
		{"{a:Jan}", nanos, keytmpl.Unordered, ""},
		{"{a:date}", nanos, keytmpl.Ascending, "but lossy"},
	} {
		k := bind(t, keytmpl.Sort, tt.src, tt.input)
		require.Equal(t, tt.want, k.Order(0), "%s %s: %s", tt.src, tt.input.Kind, tt.why)
		require.Equal(t, tt.want == keytmpl.Ascending && !k.Lossy(0), k.Ordered(0), tt.src)
	}
	require.Equal(t, keytmpl.Unordered, bind(t, keytmpl.Partition, "{a}", text).Order(0))
	require.Equal(t, keytmpl.Unordered, bind(t, keytmpl.Partition, "{a}", i64).Order(0), "plain decimal")
	require.Equal(t, keytmpl.Unordered, bindWith(t, keytmpl.Syntax{Delimiter: '|'}, keytmpl.Sort, "{a}", text).Order(0), "escapes sort below the delimiter")
}

func TestShardKeys(t *testing.T) {
	k := bind(t, keytmpl.Partition, "LIST#{kind}#{id|shard=12}#x{z}", text, text, i64)
	require.Equal(t, 12, k.Shards())
	keys, err := k.ShardKeys([]keytmpl.Part{keytmpl.Text("a#b"), keytmpl.Missing(), keytmpl.Int(5)})
	require.NoError(t, err)
	require.Len(t, keys, 12)
	require.Equal(t, "LIST#a%23b#00#x5", keys[0])
	require.Equal(t, "LIST#a%23b#11#x5", keys[11])
	same, err := k.ShardKeys([]keytmpl.Part{keytmpl.Text("a#b"), keytmpl.Text("x"), keytmpl.Int(5)})
	require.NoError(t, err)
	require.Equal(t, keys, same, "the value of the shard reference is ignored")
	hit := map[string]bool{}
	for i := range 500 {
		key := build(t, k, keytmpl.Text("a#b"), keytmpl.Text(string(rune('a'+i))), keytmpl.Int(5))
		require.Contains(t, keys, key)
		hit[key] = true
	}
	require.Len(t, hit, 12, "every shard is used")

	_, err = k.ShardKeys([]keytmpl.Part{keytmpl.Missing(), keytmpl.Text("x"), keytmpl.Int(5)})
	require.ErrorContains(t, err, "{kind} has no value")
	_, err = k.ShardKeys([]keytmpl.Part{keytmpl.Text("x")})
	require.ErrorContains(t, err, "{z} has no value")
	_, err = k.ShardKeys(make([]keytmpl.Part, 4))
	require.ErrorContains(t, err, "4 parts for 3")
	_, err = k.ShardKeys([]keytmpl.Part{keytmpl.Text("x"), keytmpl.Missing(), keytmpl.Text("x")})
	require.ErrorContains(t, err, "kind text, not int")
	_, err = k.ShardKeys([]keytmpl.Part{keytmpl.Int(1), keytmpl.Missing(), keytmpl.Int(1)})
	require.ErrorContains(t, err, "kind int, not text")

	plain := bind(t, keytmpl.Partition, "USER#{id}", text)
	require.Equal(t, 1, plain.Shards())
	keys, err = plain.ShardKeys([]keytmpl.Part{keytmpl.Text("1")})
	require.NoError(t, err)
	require.Equal(t, []string{"USER#1"}, keys)
	_, err = plain.ShardKeys(nil)
	require.ErrorContains(t, err, "{id} has no value")
}

func TestPattern(t *testing.T) {
	k := bind(t, keytmpl.Sort, "{{A}}#{UserID}#{At:date|desc}#{Mail|lower|shard=8}#{X.Y}",
		keytmpl.Input{Kind: keytmpl.KindText, Name: "userId"}, keytmpl.Input{Kind: keytmpl.KindTime, Name: "at"}, text, text)
	require.Equal(t, "{{A}}#{userId}#{at:date|desc}#{Mail|lower|shard=8}#{X.Y}", k.Pattern())
	require.Equal(t, keytmpl.Sort, k.Role())
	require.Equal(t, "{{A}}#{UserID}#{At:date|desc}#{Mail|lower|shard=8}#{X.Y}", k.Template().String())
}

func TestParts(t *testing.T) {
	moment := time.Date(1969, 7, 20, 22, 17, 40, 5, time.FixedZone("", 7200))
	require.True(t, keytmpl.Time(moment).Time().Equal(moment))
	require.Equal(t, time.UTC, keytmpl.Time(moment).Time().Location())
	require.Equal(t, int64(-5), keytmpl.Int(-5).Int())
	require.Equal(t, uint64(5), keytmpl.Uint(5).Uint())
	require.Equal(t, "x", keytmpl.Text("x").Text())
	require.True(t, keytmpl.Bool(true).Bool())
	require.Equal(t, keytmpl.Text("false"), keytmpl.Bool(false))
	require.True(t, keytmpl.Text("") == keytmpl.Missing() && keytmpl.Time(time.Time{}).IsMissing() && keytmpl.Part{} == keytmpl.Missing())
	require.True(t, keytmpl.Int(5).Uint() == 0 && keytmpl.Uint(5).Int() == 0 && keytmpl.Int(5).Time().IsZero() && keytmpl.Int(1).Text() == "")
	for kind, name := range []string{"missing", "text", "int", "uint", "time", "bool", "unknown"} {
		require.Equal(t, name, keytmpl.Kind(kind).String())
	}
}
