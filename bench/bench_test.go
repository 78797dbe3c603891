package main

import (
	"testing"

	"github.com/dynorm/dynorm"
)

// BenchmarkRows runs dynorm's part of every row, for profiles.
func BenchmarkRows(b *testing.B) {
	users := sampleUsers(pageSize)
	transport, err := newStub(b.Context(), users)
	if err != nil {
		b.Fatal(err)
	}
	ours, err := oursPeer(clientOn(transport), "bench")
	if err != nil {
		b.Fatal(err)
	}
	for _, row := range peerCalls(users) {
		b.Run(row.name, func(b *testing.B) {
			call := row.call(b.Context(), ours)
			b.ReportAllocs()
			for b.Loop() {
				if err := call(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkNewSchema builds the schema of 50 entities, for profiles.
func BenchmarkNewSchema(b *testing.B) {
	entities := entityTypes(50)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := dynorm.NewSchema(entities...); err != nil {
			b.Fatal(err)
		}
	}
}
