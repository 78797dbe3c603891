package main

import "testing"

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
