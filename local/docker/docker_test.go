package docker_test

import (
	"context"
	"testing"

	"github.com/dynorm/dynorm/local/docker"
)

// TestOpenEnds checks that a context that is over ends Open with an error,
// whether or not a Docker engine is there.
func TestOpenEnds(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if e, err := docker.Open(ctx, docker.Config{}); err == nil {
		if err := e.Close(); err != nil {
			t.Error(err)
		}
		t.Fatal("opened under a context that is over")
	}
}
