package conformance

import (
	"context"

	"github.com/dynorm/dynorm/local"
)

// EmbeddedEndpoint returns an endpoint on a fresh embedded engine.
func EmbeddedEndpoint(ctx context.Context) (*Endpoint, error) {
	e, err := local.Open(ctx, local.Config{})
	if err != nil {
		return nil, err
	}
	return HandlerEndpoint("embedded engine", e.Handler()), nil
}
