// Package keytmpl compiles key templates such as `ORDER#{PlacedAt}#{ID}`.
package keytmpl
