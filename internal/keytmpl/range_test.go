package keytmpl_test

import (
	"math"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	. "github.com/dynorm/dynorm/internal/keytmpl"
)

func TestRange(t *testing.T) {
	day := Time(at("2024-05-06T00:00:00Z"))
	noon := Time(at("2024-05-06T12:00:00.0005Z"))
	empty := Range{Exact: true, Empty: true}
	exact := func(low, high string) Range { return Range{Low: low, High: high, Exact: true} }
	filter := func(low, high string) Range { return Range{Low: low, High: high} }
	for _, tt := range []struct {
		src    string
		inputs []Input
		parts  []Part
		in     Interval
		want   Range
		why    string
	}{
		{"E#{a}", []Input{i8}, nil, Interval{}, exact("E#", "E$"), "all values: $ is the character after #"},
		{"E#{a}", []Input{i8}, nil, AtLeast(Int(5)), exact("E#005", "E$"), ""},
		{"E#{a}", []Input{i8}, nil, Above(Int(5)), exact("E#006", "E$"), ""},
		{"E#{a}", []Input{i8}, nil, AtMost(Int(5)), exact("E#", "E#005"), ""},
		{"E#{a}", []Input{i8}, nil, Below(Int(5)), exact("E#", "E#004"), "the greatest number below"},
		{"E#{a}", []Input{i8}, nil, Below(Int(0)), exact("E#", "E#-999"), ""},
		{"E#{a}", []Input{i8}, nil, Between(Int(-5), Int(5)), exact("E#-995", "E#005"), ""},
		{"E#{a}", []Input{i8}, nil, Between(Int(5), Int(-5)), empty, ""},
		{"E#{a}", []Input{i8}, nil, Above(Int(127)), empty, "nothing is above"},
		{"E#{a}", []Input{i8}, nil, AtLeast(Int(1000)), empty, "a bound that does not fit says what it says"},
		{"E#{a}", []Input{i8}, nil, AtMost(Int(1000)), exact("E#", "E#127"), ""},
		{"E#{a}", []Input{i8}, nil, AtLeast(Int(-1000)), exact("E#-872", "E$"), ""},
		{"E#{a}", []Input{i8}, nil, AtMost(Int(-1000)), empty, ""},
		{"E#{a}", []Input{i64}, nil, Above(Int(math.MaxInt64)), empty, "no overflow"},
		{"E#{a}", []Input{i64}, nil, Below(Int(math.MinInt64)), empty, ""},
		{"E#{a:%03d}", []Input{u64}, nil, AtMost(Uint(math.MaxUint64)), exact("E#", "E#999"), ""},
		{"E#{a:%03d}", []Input{u64}, nil, Above(Uint(999)), empty, ""},
		{"E#{a}", []Input{u64}, nil, Above(Uint(math.MaxUint64)), empty, ""},
		{"E#{a}", []Input{u64}, nil, Below(Uint(0)), empty, ""},
		{"E#{a}#{b}", []Input{i8, text}, nil, AtMost(Int(5)), exact("E#", "E#006"), "past all keys of 5, whatever follows"},
		{"E#{a}#Z", []Input{i8}, nil, AtMost(Int(5)), exact("E#", "E#006"), ""},
		{"E#{a}{b}", []Input{i8, text}, nil, Between(Int(5), Int(5)), exact("E#005", "E#006"), "no key is as short as the end"},
		{"E#{a|desc}#{b}", []Input{i8, text}, nil, AtLeast(Int(5)), exact("E#", "E#995"), "994 is the complement of 5"},
		{"E#{a|desc}", []Input{i8}, nil, Below(Int(5)), exact("E#995", "E$"), ""},
		{"E#{a|desc}", []Input{i8}, nil, Between(Int(-5), Int(5)), exact("E#994", "E#n005"), ""},

		{"{a}", []Input{milli}, nil, AtLeast(day), exact("2024-05-06T00:00:00.000Z", ""), "nothing is above the template"},
		{"{a}", []Input{milli}, nil, AtMost(day), exact("", "2024-05-06T00:00:00.000Z"), ""},
		{"{a}", []Input{milli}, nil, AtLeast(noon), exact("2024-05-06T12:00:00.001Z", ""), "stored times are of whole milliseconds"},
		{"{a}", []Input{milli}, nil, Above(noon), exact("2024-05-06T12:00:00.001Z", ""), ""},
		{"{a}", []Input{milli}, nil, Below(noon), exact("", "2024-05-06T12:00:00.000Z"), ""},
		{"{a}", []Input{milli}, nil, AtMost(noon), exact("", "2024-05-06T12:00:00.000Z"), ""},
		{"{a}", []Input{milli}, nil, Below(day), exact("", "2024-05-05T23:59:59.999Z"), ""},
		{"{a|desc}", []Input{secs}, nil, Above(day), exact("", "7975-94-93T99:99:98Z"), ""},
		{"{a}", []Input{secs}, nil, Between(Time(time.Date(-5, 1, 1, 0, 0, 0, 0, time.UTC)), Time(time.Date(20000, 1, 1, 0, 0, 0, 0, time.UTC))), exact("0000-01-01T00:00:00Z", "9999-12-31T23:59:59Z"), ""},
		{"{a}", []Input{secs}, nil, Above(Time(time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC))), empty, ""},
		{"{a}", []Input{secs}, nil, Below(Time(time.Date(0, 1, 1, 0, 0, 0, 0, time.UTC))), empty, ""},
		{"{a}", []Input{secs}, nil, Above(Time(time.Date(0, 12, 31, 23, 59, 59, 0, time.UTC))), exact("0001-01-01T00:00:00Z", ""), "the zero time is a bound like any other"},
		{"D#{a:date}#{b}", []Input{milli, text}, nil, AtLeast(day), exact("D#2024-05-06", "D$"), "a day begins here"},
		{"D#{a:date}#{b}", []Input{milli, text}, nil, AtLeast(noon), filter("D#2024-05-06", "D$"), "the day has a morning too"},
		{"D#{a:date}#{b}", []Input{milli, text}, nil, Below(day), exact("D#", "D#2024-05-06"), "past the day before"},
		{"D#{a:date}#{b}", []Input{milli, text}, nil, AtMost(day), filter("D#", "D#2024-05-07"), ""},
		{"D#{a:date}", []Input{milli}, nil, AtMost(Time(at("2024-05-06T23:59:59.999Z"))), exact("D#", "D#2024-05-06"), "the last moment that is stored"},
		{"D#{a:date}", []Input{nanos}, nil, AtMost(Time(at("2024-05-06T23:59:59.999Z"))), filter("D#", "D#2024-05-06"), "not the last nanosecond"},

		{"{a}", []Input{yesno}, nil, AtLeast(Bool(true)), exact("true", ""), ""},
		{"{a}", []Input{yesno}, nil, Above(Bool(false)), exact("true", ""), ""},
		{"{a}", []Input{yesno}, nil, Above(Bool(true)), empty, ""},
		{"{a}", []Input{yesno}, nil, Below(Bool(true)), exact("", "false"), ""},
		{"{a}", []Input{yesno}, nil, Below(Bool(false)), empty, ""},
		{"{a}", []Input{yesno}, nil, Between(Bool(true), Bool(false)), empty, ""},
		{"{a}#", []Input{yesno}, nil, AtMost(Bool(false)), exact("", "falsf"), ""},

		{"N#{a}#{b}", []Input{text, text}, nil, AtLeast(Text("m #")), exact("N#m%20%23", "N$"), ""},
		{"N#{a}#{b}", []Input{text, text}, nil, Above(Text("m")), exact("N#m$", "N$"), "past all of m#, before m% and so before all longer names"},
		{"N#{a}#{b}", []Input{text, text}, nil, AtMost(Text("m")), exact("N#", "N#m$"), ""},
		{"N#{a}#{b}", []Input{text, text}, nil, Below(Text("m")), exact("N#", "N#m"), ""},
		{"N#{a}#{b}", []Input{text, text}, []Part{Text("m")}, AtLeast(Text("x")), exact("N#m#x", "N#m$"), "after equal parts"},
		{"N#{a}", []Input{text}, nil, Above(Text("m")), exact("N#m\x00", "N$"), ""},
		{"N#{a}", []Input{text}, nil, AtMost(Text("m")), exact("N#", "N#m"), ""},
		{"N#{a}", []Input{text}, nil, Below(Text("m")), filter("N#", "N#m"), "a closed span can't leave out m alone"},
		{"N#{a}", []Input{text}, nil, Interval{Low: Text("m"), High: Text("m"), LowOpen: true, HighOpen: true}, empty, ""},
		{"N\U0010FFFF{a}", []Input{text}, nil, Interval{}, exact("N\U0010FFFF", "O"), "no character is after the last"},
		{"\U0010FFFF{a}", []Input{text}, nil, Interval{}, exact("\U0010FFFF", ""), ""},
		{"\uD7FF{a}", []Input{text}, nil, Interval{}, exact("\uD7FF", "\uE000"), "surrogates are no characters"},
		{"N#{a|raw}", []Input{text}, nil, Above(Text("m#")), exact("N#m#\x00", "N$"), ""},

		{"V#{a|semver}", []Input{text}, nil, AtLeast(Text("1.0.0-rc.1")), exact("V#a1.a0.a0,rc*a1!r", "V$"), ""},
		{"V#{a|semver}", []Input{text}, nil, Above(Text("1.0.0")), exact("V#a1.a0.a0s", "V$"), "v1.0.0 is above"},
		{"V#{a|semver}", []Input{text}, nil, Below(Text("1.0.0")), exact("V#", "V#a1.a0.a0q"), ""},
		{"V#{a|semver}", []Input{text}, nil, AtMost(Text("1.0.0")), exact("V#", "V#a1.a0.a0r"), ""},
		{"V#{a|semver}#{b}", []Input{text, text}, nil, Below(Text("1.0.0")), exact("V#", "V#a1.a0.a0r"), ""},
		{"V#{a|semver}#{b}", []Input{text, text}, nil, AtMost(Text("1.0.0")), exact("V#", "V#a1.a0.a0s"), ""},
	} {
		t.Run(tt.src, func(t *testing.T) {
			k := bind(t, Sort, tt.src, tt.inputs...)
			got, err := k.Range(tt.parts, tt.in)
			require.NoError(t, err)
			require.Equal(t, tt.want, got, tt.why)
		})
	}
}

func TestRangeAtTheSizeLimit(t *testing.T) {
	k := bind(t, Sort, "{a}", text)
	longest := strings.Repeat("x", 1024)
	got, err := k.Range(nil, Above(Text(longest)))
	require.NoError(t, err)
	require.Equal(t, longest[1:]+"y", got.Low, "no longer key exists, and DynamoDB refuses a longer bound")
}

func TestRangeFaults(t *testing.T) {
	k := bind(t, Sort, "{a}#{b}#{c:%d}", text, i8, i8)
	_, err := k.Range([]Part{Missing()}, AtLeast(Int(1)))
	require.ErrorContains(t, err, "{a} has no value")
	_, err = k.Range(nil, AtLeast(Int(1)))
	require.ErrorContains(t, err, "kind int, not text")
	_, err = k.Range(nil, AtMost(Text("\xff")))
	require.ErrorContains(t, err, "UTF-8")
	_, err = k.Range([]Part{Int(1)}, AtLeast(Int(1)))
	require.ErrorContains(t, err, "kind int, not text")
	_, err = k.Range([]Part{Text("x")}, AtMost(Uint(1)))
	require.ErrorContains(t, err, "kind uint, not int")
	_, err = k.Range([]Part{Text("x"), Int(1)}, AtMost(Int(1)))
	require.ErrorIs(t, err, ErrUnordered)
	require.ErrorContains(t, err, "{c}")
	_, err = k.Range(make([]Part, 3), AtMost(Int(1)))
	require.ErrorContains(t, err, "4 parts for 3")
}
