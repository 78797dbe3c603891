package main

import (
	"testing"

	"github.com/dynorm/dynorm/internal/testdb"
)

func TestEquivalence(t *testing.T) {
	if err := checkEquivalence(t.Context(), testdb.Open(t), testdb.Table(t)); err != nil {
		t.Fatal(err)
	}
}
