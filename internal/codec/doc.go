// Package codec converts between Go structs and DynamoDB items. A [Codec] is
// compiled once per type; encoding and decoding then walk a flat program over
// memory, without reflection on the common types.
//
// One program serves two forms of an item. [Codec.EncodeItem] and
// [Codec.DecodeItem] go by the SDK's attribute values; [Codec.AppendItem] and
// [Reader.Item] go straight to and from DynamoDB's JSON, with nothing made in
// between. Both store and read the same: a kind of field has one coder, whose
// methods for both stand side by side. Text that is not UTF-8 is refused: the
// SDK would store it with U+FFFD for what is wrong.
//
// # Against attributevalue
//
// For most types the package stores what the SDK's attributevalue package
// stores, and reads what it stored. It differs, on purpose, in these:
//
//   - Names come from the parser: the lower camel case of the field by default.
//   - A nil pointer, slice, map or interface is left out, not stored as NULL
//     (which the option `null` asks for). In a list or a map it is NULL.
//   - The zero time is left out, not stored as the year 1. Times are UTC at a
//     fixed number of digits, so that their texts sort as they do; RFC3339Nano
//     keeps the offset and drops zeros at the end. Times read back in UTC.
//   - An empty set is left out, not stored as NULL; sets are written sorted and
//     hold each element once. [][]byte is a list unless the option `set` says
//     otherwise, there a set always. Sets may be maps to struct{} or bool.
//   - Floats of 1e21 and more, or below 1e-6, have an exponent instead of a row
//     of zeros; negative zero is 0. NaN, infinities and what DynamoDB can't
//     hold are errors here, and are sent off there.
//   - big.Int, big.Rat and big.Float are exact numbers; there they are maps
//     without entries. An empty json.Number is 0, there an invalid number.
//   - Types with MarshalText or MarshalBinary are stored by it without asking.
//   - An `any` reads numbers as json.Number, sets as [StringSet], [NumberSet] or
//     [BinarySet], which encode as sets again; there as float64 and slices.
//   - Integers are read from any form of a whole number ("5.0", "1e3"); numbers
//     are not read into strings; arrays are never cut short.
//   - Reading replaces: a field whose attribute is absent becomes zero; slices,
//     maps and pointers are never written through.
//   - Attribute names are matched exactly, never regardless of case.
package codec
