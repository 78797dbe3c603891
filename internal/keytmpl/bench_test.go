package keytmpl_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/dynorm/dynorm/internal/keytmpl"
)

// hot are templates whose keys are built without allocation.
func hot(t fataler) []struct {
	name  string
	key   *keytmpl.Key
	parts []keytmpl.Part
} {
	moment := keytmpl.Time(at("2024-05-06T07:08:09.123456789Z"))
	return []struct {
		name  string
		key   *keytmpl.Key
		parts []keytmpl.Part
	}{
		{"partition", bind(t, keytmpl.Partition, "USER#{id}", text), []keytmpl.Part{keytmpl.Text("01HZX3K9V5J8QW2E4R6T7Y8U9P")}},
		{"sort", bind(t, keytmpl.Sort, "ORDER#{at}#{id}", milli, text), []keytmpl.Part{moment, keytmpl.Text("01HZX3K9V5J8QW2E4R6T7Y8U9P")}},
		{"escaped", bind(t, keytmpl.Sort, "N#{a}#{b}", text, text), []keytmpl.Part{keytmpl.Text("Ann # Lee"), keytmpl.Text("100%")}},
		{"int", bind(t, keytmpl.Sort, "EVENT#{a}", i64), []keytmpl.Part{keytmpl.Int(-42)}},
		{"uint desc", bind(t, keytmpl.Sort, "TOP#{a|desc}", u64), []keytmpl.Part{keytmpl.Uint(42)}},
		{"date", bind(t, keytmpl.Partition, "DAY#{a:date}", nanos), []keytmpl.Part{moment}},
		{"layout", bind(t, keytmpl.Partition, "DAY#{a:Mon 2}", nanos), []keytmpl.Part{moment}},
		{"lower", bind(t, keytmpl.Partition, "MAIL#{a|lower}", text), []keytmpl.Part{keytmpl.Text("Ann@Example.com")}},
		{"semver", bind(t, keytmpl.Sort, "V#{a|semver}", text), []keytmpl.Part{keytmpl.Text("v1.22.3-rc.1+build.5")}},
		{"shard", bind(t, keytmpl.Partition, "LIST#{a|shard=16}", text), []keytmpl.Part{keytmpl.Text("01HZX3K9V5J8QW2E4R6T7Y8U9P")}},
	}
}

func TestAppendAllocatesNothing(t *testing.T) {
	dst := make([]byte, 0, 256)
	for _, tt := range hot(t) {
		require.Zero(t, testing.AllocsPerRun(100, func() {
			if _, err := tt.key.Append(dst, tt.parts); err != nil {
				t.Fatal(err)
			}
		}), tt.name)
		missing := make([]keytmpl.Part, len(tt.parts))
		require.Zero(t, testing.AllocsPerRun(100, func() {
			if _, err := tt.key.Append(dst, missing); err == nil {
				t.Fatal("no error")
			}
		}), "%s: a sparse index entry costs nothing either", tt.name)
	}
}

func BenchmarkAppend(b *testing.B) {
	for _, tt := range hot(b) {
		b.Run(tt.name, func(b *testing.B) {
			dst := make([]byte, 0, 256)
			b.ReportAllocs()
			for b.Loop() {
				if _, err := tt.key.Append(dst, tt.parts); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkParse(b *testing.B) {
	for _, tt := range hot(b) {
		b.Run(tt.name, func(b *testing.B) {
			key := build(b, tt.key, tt.parts...)
			b.ReportAllocs()
			for b.Loop() {
				if _, err := tt.key.Parse(key); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkBind(b *testing.B) {
	tmpl, err := keytmpl.Parse("ORDER#{at}#{day:date}#{id}")
	require.NoError(b, err)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := tmpl.Bind(keytmpl.Sort, []keytmpl.Input{milli, nanos, text}); err != nil {
			b.Fatal(err)
		}
	}
}
