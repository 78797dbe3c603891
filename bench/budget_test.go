package main

import "testing"

// Allocations, unlike times, are the same on every machine: what dynorm may
// make of them, as a part of a peer's, is held here. With the race detector
// pools forget at random, so that there is room for a few more.
func TestAllocationBudget(t *testing.T) {
	budgets := []struct {
		row, peer string
		atMost    float64
	}{
		{"Encode 12 fields", nameSDK, 0.5},
		{"Decode 12 fields", nameSDK, 0.5},
		{"GetItem", nameRaw, 0.91},
		{"PutItem", nameRaw, 0.99},
		{"UpdateItem, 3 sets", nameRaw, 0.95},
		{"Query, 100 items", nameSDK, 0.1},
		{"Query, 100 items", nameRaw, 0.12},
		{"BatchWrite, 25 items", nameSDK, 0.4},
		{"BatchWrite, 25 items", nameRaw, 0.6},
		{"TransactWrite, 10 items", nameSDK, 0.7},
		{"TransactWrite, 10 items", nameRaw, 0.9},
	}
	users := sampleUsers(pageSize)
	transport, err := newStub(t.Context(), users)
	if err != nil {
		t.Fatal(err)
	}
	peers, err := peersOn(clientOn(transport), "bench")
	if err != nil {
		t.Fatal(err)
	}
	allocs := map[[2]string]float64{}
	for _, row := range rows(t.Context(), users) {
		for _, p := range peers {
			call := row.call(p)
			allocs[[2]string{row.name, p.name}] = testing.AllocsPerRun(20, func() {
				if err := call(); err != nil {
					t.Fatalf("%s: %s: %v", row.name, p.name, err)
				}
			})
		}
	}
	for _, b := range budgets {
		ours, theirs := allocs[[2]string{b.row, nameOurs}], allocs[[2]string{b.row, b.peer}]
		if theirs == 0 {
			t.Errorf("%s: %s was not measured", b.row, b.peer)
		}
		if ours > theirs*b.atMost {
			t.Errorf("%s: %v allocations, more than %v of the %v of %s", b.row, ours, b.atMost, theirs, b.peer)
		}
	}
}
