package keytmpl_test

import (
	"math"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/dynorm/dynorm/internal/keytmpl"
)

func TestRange(t *testing.T) {
	day := keytmpl.Time(at("2024-05-06T00:00:00Z"))
	noon := keytmpl.Time(at("2024-05-06T12:00:00.0005Z"))
	empty := keytmpl.Range{Exact: true, Empty: true}
	exact := func(low, high string) keytmpl.Range { return keytmpl.Range{Low: low, High: high, Exact: true} }
	filter := func(low, high string) keytmpl.Range { return keytmpl.Range{Low: low, High: high} }
	for _, tt := range []struct {
		src    string
		inputs []keytmpl.Input
		parts  []keytmpl.Part
		in     keytmpl.Interval
		want   keytmpl.Range
		why    string
	}{
		{"E#{a}", []keytmpl.Input{i8}, nil, keytmpl.Interval{}, exact("E#", "E$"), "all values: $ is the character after #"},
		{"E#{a}", []keytmpl.Input{i8}, nil, keytmpl.AtLeast(keytmpl.Int(5)), exact("E#005", "E$"), ""},
		{"E#{a}", []keytmpl.Input{i8}, nil, keytmpl.Above(keytmpl.Int(5)), exact("E#006", "E$"), ""},
		{"E#{a}", []keytmpl.Input{i8}, nil, keytmpl.AtMost(keytmpl.Int(5)), exact("E#", "E#005"), ""},
		{"E#{a}", []keytmpl.Input{i8}, nil, keytmpl.Below(keytmpl.Int(5)), exact("E#", "E#004"), "the greatest number below"},
		{"E#{a}", []keytmpl.Input{i8}, nil, keytmpl.Below(keytmpl.Int(0)), exact("E#", "E#-999"), ""},
		{"E#{a}", []keytmpl.Input{i8}, nil, keytmpl.Between(keytmpl.Int(-5), keytmpl.Int(5)), exact("E#-995", "E#005"), ""},
		{"E#{a}", []keytmpl.Input{i8}, nil, keytmpl.Between(keytmpl.Int(5), keytmpl.Int(-5)), empty, ""},
		{"E#{a}", []keytmpl.Input{i8}, nil, keytmpl.Above(keytmpl.Int(127)), empty, "nothing is above"},
		{"E#{a}", []keytmpl.Input{i8}, nil, keytmpl.AtLeast(keytmpl.Int(1000)), empty, "a bound that does not fit says what it says"},
		{"E#{a}", []keytmpl.Input{i8}, nil, keytmpl.AtMost(keytmpl.Int(1000)), exact("E#", "E#127"), ""},
		{"E#{a}", []keytmpl.Input{i8}, nil, keytmpl.AtLeast(keytmpl.Int(-1000)), exact("E#-872", "E$"), ""},
		{"E#{a}", []keytmpl.Input{i8}, nil, keytmpl.AtMost(keytmpl.Int(-1000)), empty, ""},
		{"E#{a}", []keytmpl.Input{i64}, nil, keytmpl.Above(keytmpl.Int(math.MaxInt64)), empty, "no overflow"},
		{"E#{a}", []keytmpl.Input{i64}, nil, keytmpl.Below(keytmpl.Int(math.MinInt64)), empty, ""},
		{"E#{a:%03d}", []keytmpl.Input{u64}, nil, keytmpl.AtMost(keytmpl.Uint(math.MaxUint64)), exact("E#", "E#999"), ""},
		{"E#{a:%03d}", []keytmpl.Input{u64}, nil, keytmpl.Above(keytmpl.Uint(999)), empty, ""},
		{"E#{a}", []keytmpl.Input{u64}, nil, keytmpl.Above(keytmpl.Uint(math.MaxUint64)), empty, ""},
		{"E#{a}", []keytmpl.Input{u64}, nil, keytmpl.Below(keytmpl.Uint(0)), empty, ""},
		{"E#{a}#{b}", []keytmpl.Input{i8, text}, nil, keytmpl.AtMost(keytmpl.Int(5)), exact("E#", "E#006"), "past all keys of 5, whatever follows"},
		{"E#{a}#Z", []keytmpl.Input{i8}, nil, keytmpl.AtMost(keytmpl.Int(5)), exact("E#", "E#006"), ""},
		{"E#{a}{b}", []keytmpl.Input{i8, text}, nil, keytmpl.Between(keytmpl.Int(5), keytmpl.Int(5)), exact("E#005", "E#006"), "no key is as short as the end"},
		{"E#{a|desc}#{b}", []keytmpl.Input{i8, text}, nil, keytmpl.AtLeast(keytmpl.Int(5)), exact("E#", "E#995"), "994 is the complement of 5"},
		{"E#{a|desc}", []keytmpl.Input{i8}, nil, keytmpl.Below(keytmpl.Int(5)), exact("E#995", "E$"), ""},
		{"E#{a|desc}", []keytmpl.Input{i8}, nil, keytmpl.Between(keytmpl.Int(-5), keytmpl.Int(5)), exact("E#994", "E#n005"), ""},

		{"{a}", []keytmpl.Input{milli}, nil, keytmpl.AtLeast(day), exact("2024-05-06T00:00:00.000Z", ""), "nothing is above the template"},
		{"{a}", []keytmpl.Input{milli}, nil, keytmpl.AtMost(day), exact("", "2024-05-06T00:00:00.000Z"), ""},
		{"{a}", []keytmpl.Input{milli}, nil, keytmpl.AtLeast(noon), exact("2024-05-06T12:00:00.001Z", ""), "stored times are of whole milliseconds"},
		{"{a}", []keytmpl.Input{milli}, nil, keytmpl.Above(noon), exact("2024-05-06T12:00:00.001Z", ""), ""},
		{"{a}", []keytmpl.Input{milli}, nil, keytmpl.Below(noon), exact("", "2024-05-06T12:00:00.000Z"), ""},
		{"{a}", []keytmpl.Input{milli}, nil, keytmpl.AtMost(noon), exact("", "2024-05-06T12:00:00.000Z"), ""},
		{"{a}", []keytmpl.Input{milli}, nil, keytmpl.Below(day), exact("", "2024-05-05T23:59:59.999Z"), ""},
		{"{a|desc}", []keytmpl.Input{secs}, nil, keytmpl.Above(day), exact("", "7975-94-93T99:99:98Z"), ""},
		{"{a}", []keytmpl.Input{secs}, nil, keytmpl.Between(keytmpl.Time(time.Date(-5, 1, 1, 0, 0, 0, 0, time.UTC)), keytmpl.Time(time.Date(20000, 1, 1, 0, 0, 0, 0, time.UTC))), exact("0000-01-01T00:00:00Z", "9999-12-31T23:59:59Z"), ""},
		{"{a}", []keytmpl.Input{secs}, nil, keytmpl.Above(keytmpl.Time(time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC))), empty, ""},
		{"{a}", []keytmpl.Input{secs}, nil, keytmpl.Below(keytmpl.Time(time.Date(0, 1, 1, 0, 0, 0, 0, time.UTC))), empty, ""},
		{"{a}", []keytmpl.Input{secs}, nil, keytmpl.Above(keytmpl.Time(time.Date(0, 12, 31, 23, 59, 59, 0, time.UTC))), exact("0001-01-01T00:00:00Z", ""), "the zero time is a bound like any other"},
		{"D#{a:date}#{b}", []keytmpl.Input{milli, text}, nil, keytmpl.AtLeast(day), exact("D#2024-05-06", "D$"), "a day begins here"},
		{"D#{a:date}#{b}", []keytmpl.Input{milli, text}, nil, keytmpl.AtLeast(noon), filter("D#2024-05-06", "D$"), "the day has a morning too"},
		{"D#{a:date}#{b}", []keytmpl.Input{milli, text}, nil, keytmpl.Below(day), exact("D#", "D#2024-05-06"), "past the day before"},
		{"D#{a:date}#{b}", []keytmpl.Input{milli, text}, nil, keytmpl.AtMost(day), filter("D#", "D#2024-05-07"), ""},
		{"D#{a:date}", []keytmpl.Input{milli}, nil, keytmpl.AtMost(keytmpl.Time(at("2024-05-06T23:59:59.999Z"))), exact("D#", "D#2024-05-06"), "the last moment that is stored"},
		{"D#{a:date}", []keytmpl.Input{nanos}, nil, keytmpl.AtMost(keytmpl.Time(at("2024-05-06T23:59:59.999Z"))), filter("D#", "D#2024-05-06"), "not the last nanosecond"},

		{"{a}", []keytmpl.Input{yesno}, nil, keytmpl.AtLeast(keytmpl.Bool(true)), exact("true", ""), ""},
		{"{a}", []keytmpl.Input{yesno}, nil, keytmpl.Above(keytmpl.Bool(false)), exact("true", ""), ""},
		{"{a}", []keytmpl.Input{yesno}, nil, keytmpl.Above(keytmpl.Bool(true)), empty, ""},
		{"{a}", []keytmpl.Input{yesno}, nil, keytmpl.Below(keytmpl.Bool(true)), exact("", "false"), ""},
		{"{a}", []keytmpl.Input{yesno}, nil, keytmpl.Below(keytmpl.Bool(false)), empty, ""},
		{"{a}", []keytmpl.Input{yesno}, nil, keytmpl.Between(keytmpl.Bool(true), keytmpl.Bool(false)), empty, ""},
		{"{a}#", []keytmpl.Input{yesno}, nil, keytmpl.AtMost(keytmpl.Bool(false)), exact("", "falsf"), ""},

		{"N#{a}#{b}", []keytmpl.Input{text, text}, nil, keytmpl.AtLeast(keytmpl.Text("m #")), exact("N#m%20%23", "N$"), ""},
		{"N#{a}#{b}", []keytmpl.Input{text, text}, nil, keytmpl.Above(keytmpl.Text("m")), exact("N#m$", "N$"), "past all of m#, before m% and so before all longer names"},
		{"N#{a}#{b}", []keytmpl.Input{text, text}, nil, keytmpl.AtMost(keytmpl.Text("m")), exact("N#", "N#m$"), ""},
		{"N#{a}#{b}", []keytmpl.Input{text, text}, nil, keytmpl.Below(keytmpl.Text("m")), exact("N#", "N#m"), ""},
		{"N#{a}#{b}", []keytmpl.Input{text, text}, []keytmpl.Part{keytmpl.Text("m")}, keytmpl.AtLeast(keytmpl.Text("x")), exact("N#m#x", "N#m$"), "after equal parts"},
		{"N#{a}", []keytmpl.Input{text}, nil, keytmpl.Above(keytmpl.Text("m")), exact("N#m\x00", "N$"), ""},
		{"N#{a}", []keytmpl.Input{text}, nil, keytmpl.AtMost(keytmpl.Text("m")), exact("N#", "N#m"), ""},
		{"N#{a}", []keytmpl.Input{text}, nil, keytmpl.Below(keytmpl.Text("m")), filter("N#", "N#m"), "a closed span can't leave out m alone"},
		{"N#{a}", []keytmpl.Input{text}, nil, keytmpl.Interval{Low: keytmpl.Text("m"), High: keytmpl.Text("m"), LowOpen: true, HighOpen: true}, empty, ""},
		{"N\U0010FFFF{a}", []keytmpl.Input{text}, nil, keytmpl.Interval{}, exact("N\U0010FFFF", "O"), "no character is after the last"},
		{"\U0010FFFF{a}", []keytmpl.Input{text}, nil, keytmpl.Interval{}, exact("\U0010FFFF", ""), ""},
		{"\uD7FF{a}", []keytmpl.Input{text}, nil, keytmpl.Interval{}, exact("\uD7FF", "\uE000"), "surrogates are no characters"},
		{"N#{a|raw}", []keytmpl.Input{text}, nil, keytmpl.Above(keytmpl.Text("m#")), exact("N#m#\x00", "N$"), ""},

		{"V#{a|semver}", []keytmpl.Input{text}, nil, keytmpl.AtLeast(keytmpl.Text("1.0.0-rc.1")), exact("V#a1.a0.a0,rc*a1!r", "V$"), ""},
		{"V#{a|semver}", []keytmpl.Input{text}, nil, keytmpl.Above(keytmpl.Text("1.0.0")), exact("V#a1.a0.a0s", "V$"), "v1.0.0 is above"},
		{"V#{a|semver}", []keytmpl.Input{text}, nil, keytmpl.Below(keytmpl.Text("1.0.0")), exact("V#", "V#a1.a0.a0q"), ""},
		{"V#{a|semver}", []keytmpl.Input{text}, nil, keytmpl.AtMost(keytmpl.Text("1.0.0")), exact("V#", "V#a1.a0.a0r"), ""},
		{"V#{a|semver}#{b}", []keytmpl.Input{text, text}, nil, keytmpl.Below(keytmpl.Text("1.0.0")), exact("V#", "V#a1.a0.a0r"), ""},
		{"V#{a|semver}#{b}", []keytmpl.Input{text, text}, nil, keytmpl.AtMost(keytmpl.Text("1.0.0")), exact("V#", "V#a1.a0.a0s"), ""},
	} {
		t.Run(tt.src, func(t *testing.T) {
			k := bind(t, keytmpl.Sort, tt.src, tt.inputs...)
			got, err := k.Range(tt.parts, tt.in)
			require.NoError(t, err)
			require.Equal(t, tt.want, got, tt.why)
		})
	}
}

func TestRangeAtTheSizeLimit(t *testing.T) {
	k := bind(t, keytmpl.Sort, "{a}", text)
	longest := strings.Repeat("x", 1024)
	got, err := k.Range(nil, keytmpl.Above(keytmpl.Text(longest)))
	require.NoError(t, err)
	require.Equal(t, longest[1:]+"y", got.Low, "no longer key exists, and DynamoDB refuses a longer bound")
}

func TestRangeFaults(t *testing.T) {
	k := bind(t, keytmpl.Sort, "{a}#{b}#{c:%d}", text, i8, i8)
	_, err := k.Range([]keytmpl.Part{keytmpl.Missing()}, keytmpl.AtLeast(keytmpl.Int(1)))
	require.ErrorContains(t, err, "{a} has no value")
	_, err = k.Range(nil, keytmpl.AtLeast(keytmpl.Int(1)))
	require.ErrorContains(t, err, "kind int, not text")
	_, err = k.Range(nil, keytmpl.AtMost(keytmpl.Text("\xff")))
	require.ErrorContains(t, err, "UTF-8")
	_, err = k.Range([]keytmpl.Part{keytmpl.Int(1)}, keytmpl.AtLeast(keytmpl.Int(1)))
	require.ErrorContains(t, err, "kind int, not text")
	_, err = k.Range([]keytmpl.Part{keytmpl.Text("x")}, keytmpl.AtMost(keytmpl.Uint(1)))
	require.ErrorContains(t, err, "kind uint, not int")
	_, err = k.Range([]keytmpl.Part{keytmpl.Text("x"), keytmpl.Int(1)}, keytmpl.AtMost(keytmpl.Int(1)))
	require.ErrorIs(t, err, keytmpl.ErrUnordered)
	require.ErrorContains(t, err, "{c}")
	_, err = k.Range(make([]keytmpl.Part, 3), keytmpl.AtMost(keytmpl.Int(1)))
	require.ErrorContains(t, err, "4 parts for 3")
}
