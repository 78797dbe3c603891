package keytmpl_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/dynorm/dynorm/internal/keytmpl"
)

// TestLayoutsWriteWhatTimeWrites holds the package's own formatting against
// that of package time.
func TestLayoutsWriteWhatTimeWrites(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		moment := timeValue.Draw(t, "time")
		for format, layout := range map[string]string{
			"":       "2006-01-02T15:04:05.000000000Z",
			"year":   "2006",
			"month":  "2006-01",
			"date":   "2006-01-02",
			"hour":   "2006-01-02T15",
			"minute": "2006-01-02T15:04",
		} {
			if format != "" {
				format = ":" + format
			}
			k := bind(t, keytmpl.Sort, "{a"+format+"}", nanos)
			require.Equal(t, moment.Time().Format(layout), build(t, k, moment))
		}
	})
}

func TestCustomLayouts(t *testing.T) {
	for _, tt := range []struct {
		layout string
		order  keytmpl.Order
		why    string
	}{
		{"20060102", keytmpl.Ascending, ""},
		{"2006/01/02 15h04m05s", keytmpl.Ascending, ""},
		{"2006002", keytmpl.Ascending, "day of the year"},
		{"2006-002T15", keytmpl.Ascending, ""},
		{"20060102150405.000", keytmpl.Ascending, ""},
		{"20060102150405,000000000", keytmpl.Ascending, ""},
		{"2006-01-02T15:04:05Z07:00", keytmpl.Ascending, "always Z in UTC"},
		{"2006-01-02T15:04:05-07:00", keytmpl.Ascending, "always +00:00"},
		{"2006-01-02T15:04:05-0700", keytmpl.Ascending, ""},
		{"2006-01-02T15:04:05Z0700", keytmpl.Ascending, ""},
		{"year 2006", keytmpl.Ascending, "literal text may come first"},
		{"2006-01-02 MST", keytmpl.Unordered, "a zone by name is not known to be fixed"},
		{"2006-01-02 Mon", keytmpl.Unordered, "a weekday"},
		{"2006-1-2", keytmpl.Unordered, "no fixed width"},
		{"06-01-02", keytmpl.Unordered, "99 is before 00"},
		{"01-02-2006", keytmpl.Unordered, "months first"},
		{"2006-02", keytmpl.Unordered, "a day without its month"},
		{"2006-01 15", keytmpl.Unordered, "an hour without its day"},
		{"2006-01-02T03", keytmpl.Unordered, "twelve hours"},
		{"15:04", keytmpl.Unordered, "no year"},
		{"2006-01-02 2006", keytmpl.Unordered, "the year twice"},
		{"2006-01-02T15:04:05.999", keytmpl.Unordered, "digits that come and go"},
		{"2006.000", keytmpl.Unordered, "a fraction without its second"},
		{"2006-01-02T15:04:05.0000000000", keytmpl.Unordered, "ten fraction digits"},
	} {
		k := bind(t, keytmpl.Sort, "A#{a:"+tt.layout+"}", nanos)
		require.Equal(t, tt.order, k.Order(0), "%s: %s", tt.layout, tt.why)
		for _, moment := range []time.Time{
			at("0000-01-01T00:00:00Z"), at("1969-12-31T23:59:59.999999999Z"), at("2024-02-29T13:04:05.006007008Z"), at("9999-12-31T12:00:00Z"),
		} {
			key := build(t, k, keytmpl.Time(moment))
			require.Equal(t, "A#"+moment.Format(tt.layout), key)
			parts, err := k.Parse(key)
			require.NoError(t, err)
			if tt.order == keytmpl.Unordered {
				require.Equal(t, moment.Format(tt.layout), parts[0].Text())
			}
		}
	}
}
