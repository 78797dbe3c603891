package dynorm

import (
	"context"
	"errors"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/smithy-go/middleware"
)

// The SDK sends a request again when its response was lost. A write that had
// succeeded then meets the item it wrote itself, and its condition fails. What
// follows notes whether an attempt of a request ended without an answer, so that
// only such a write is compared with the item it met.

type lossKey struct{}

// watchLosses returns a context whose requests note in lost when an attempt ends
// without an answer that says what became of it.
func watchLosses(ctx context.Context) (_ context.Context, lost *bool) {
	lost = new(bool)
	return context.WithValue(ctx, lossKey{}, lost), lost
}

// callOptions are the options of the client's calls in a context.
func callOptions(ctx context.Context) []func(*dynamodb.Options) {
	lost, ok := ctx.Value(lossKey{}).(*bool)
	if !ok {
		return nil
	}
	return []func(*dynamodb.Options){func(o *dynamodb.Options) {
		o.APIOptions = append(o.APIOptions[:len(o.APIOptions):len(o.APIOptions)], func(stack *middleware.Stack) error {
			if _, ok := stack.Finalize.Get("Retry"); !ok {
				return nil // nothing sends the request again
			}
			return stack.Finalize.Insert(middleware.FinalizeMiddlewareFunc("dynorm.NoteLoss",
				func(ctx context.Context, in middleware.FinalizeInput, next middleware.FinalizeHandler) (middleware.FinalizeOutput, middleware.Metadata, error) {
					out, metadata, err := next.HandleFinalize(ctx, in)
					if err != nil && !answered(err) {
						*lost = true
					}
					return out, metadata, err
				}), "Retry", middleware.After)
		})
	}}
}

// answered reports whether the service said that it did not do what was asked.
func answered(err error) bool {
	r, ok := errors.AsType[interface {
		error
		HTTPStatusCode() int
	}](err)
	return ok && r.HTTPStatusCode() >= 400 && r.HTTPStatusCode() < 500
}
