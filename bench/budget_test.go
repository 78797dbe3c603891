package main

import (
	"context"
	"testing"
)

// allocationsOf counts what a call of each peer allocates, by peer.
func allocationsOf(t *testing.T, peers []peer, row peerRow) map[string]float64 {
	allocs := map[string]float64{}
	for _, p := range peers {
		call := row.call(t.Context(), p)
		allocs[p.name] = testing.AllocsPerRun(20, func() {
			if err := call(); err != nil {
				t.Fatalf("%s: %s: %v", row.name, p.name, err)
			}
		})
	}
	return allocs
}

// Allocations, unlike times, are the same on every machine: what dynorm may
// make of them, as a part of a peer's, is held here. With the race detector
// pools forget at random, so that there is room for a few more.
func TestAllocationBudget(t *testing.T) {
	budgets := []struct {
		row, peer string
		atMost    float64
	}{
		{rowEncode, nameSDK, 0.5},
		{rowDecode, nameSDK, 0.5},
		{rowGet, nameRaw, 0.82},
		{rowPut, nameRaw, 0.93},
		{rowUpdate, nameRaw, 0.83},
		{rowQuery, nameSDK, 0.1},
		{rowQuery, nameRaw, 0.12},
		{rowBatch, nameSDK, 0.4},
		{rowBatch, nameRaw, 0.6},
		{rowTransact, nameSDK, 0.7},
		{rowTransact, nameRaw, 0.9},
	}
	s := suiteOf(t)
	for _, row := range peerCalls(s.users) {
		allocs := allocationsOf(t, s.peers, row)
		for _, b := range budgets {
			if b.row != row.name {
				continue
			}
			ours, theirs := allocs[nameOurs], allocs[b.peer]
			if theirs == 0 {
				t.Errorf("%s: %s was not measured", b.row, b.peer)
			}
			if ours > theirs*b.atMost+raceSlack {
				t.Errorf("%s: %v allocations, more than %v of the %v of %s", b.row, ours, b.atMost, theirs, b.peer)
			}
		}
	}
}

// What a single call allocates beyond the client alone is exact.
func TestAllocationsAboveTheClient(t *testing.T) {
	atMost := map[string]float64{rowGet: 4, rowPut: 8, rowUpdate: 13}
	s := suiteOf(t)
	bare, err := barePeer(t.Context(), clientOn(s.stub), tableName, s.users[0])
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range singleCalls(s.users) {
		allocs := allocationsOf(t, []peer{s.peers[0], bare}, row)
		above := allocs[nameOurs] - allocs[nameBare]
		t.Logf("%s: %v allocations above the %v of %s", row.name, above, allocs[nameBare], nameBare)
		if above > atMost[row.name]+raceSlack {
			t.Errorf("%s: %v allocations above %s, more than %v", row.name, above, nameBare, atMost[row.name])
		}
	}
}

// The client alone reads what the peers read.
func TestBareReads(t *testing.T) {
	s := suiteOf(t)
	bare, err := barePeer(t.Context(), clientOn(s.stub), tableName, s.users[0])
	if err != nil {
		t.Fatal(err)
	}
	one := s.users[0]
	for name, read := range map[string]func(context.Context) (*User, error){
		"get":    func(ctx context.Context) (*User, error) { return bare.get(ctx, one.TenantID, one.ID) },
		"update": func(ctx context.Context) (*User, error) { return bare.update(ctx, one.TenantID, one.ID, sampleChanges) },
	} {
		got, err := read(t.Context())
		if err != nil || got == nil || got.Name != one.Name {
			t.Errorf("%s: %v, %v", name, got, err)
		}
	}
}
