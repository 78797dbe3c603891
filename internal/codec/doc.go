// Package codec converts between Go structs and DynamoDB items. A [Codec] is
// compiled once per type; encoding and decoding then walk a flat program over
// memory, without reflection on the common types.
package codec
