// Package keytmpl compiles key templates such as `ORDER#{PlacedAt}#{ID}`: it
// builds keys from values, reads the values back, and says which span of keys a
// condition on the values selects.
//
//	t, err := keytmpl.Parse("ORDER#{PlacedAt}#{ID}")
//	k, err := t.Bind(keytmpl.Sort, []keytmpl.Input{{Kind: keytmpl.KindTime, Precision: 3}, {Kind: keytmpl.KindText}})
//	key, err := k.Append(nil, []keytmpl.Part{keytmpl.Time(at), keytmpl.Text("o9")})
//	// ORDER#2024-05-06T07:08:09.123Z#o9
//
// # Syntax
//
// A template is literal text and references, `{Field[.Path][:format][|modifier]...}`.
// Braces of the literal text are doubled. The delimiter, '#' unless [Syntax]
// says otherwise, separates segments; literal text may hold it, a value never
// does. Two references in one segment need literal text between them that
// begins with a punctuation character or a space (which is then escaped in the
// first value), unless the first value ends by itself: padded integers, bools,
// shards, and times in a layout that orders.
//
// Modifiers: `lower` and `upper` fold text; `desc` reverses the order of
// integers and times; `semver` writes a version such that versions sort by
// precedence; `shard=N` puts the number of one of N shards in place of the
// value; `raw` stores text unescaped, at the end of a template and alone in its
// segment.
//
// # Values
//
//	text      as it is, escaped
//	          :%s              with no escapes for the sake of order
//	integer   plain decimal in a partition key; padded with zeros to the width
//	          of its type (or Input.Pad) in a sort key
//	          :%d              plain decimal
//	          :%012d           padded to 12 digits
//	time      2006-01-02T15:04:05.000000000Z, in UTC, with the fraction digits
//	          of its attribute; a time of a higher precision is cut as the
//	          attribute is stored, towards the past
//	          :year :month :date :hour :minute, or a layout of package time
//	bool      true or false
//
// A padded negative integer is '-' and the digits of 10^width - |n|, so that -2
// (-998) sorts before -1 (-999). With `desc`, every digit is its nine's
// complement, and a negative integer is 'n' and its digits. Versions are
// described at the code that writes them.
//
// An empty text and the zero time are missing. A text that is not UTF-8, a
// number that does not fit its width and a year of other than four digits are
// errors.
//
// # Escapes
//
// In every value '%' and the delimiter are written as '%' and two upper-case
// hexadecimal digits. In a sort key, text is ordered by its bytes, and that
// takes more escapes: all characters up to '%' (space ! " # $ % and the control
// characters) in a text that something follows, and those from the delimiter to
// '%' (# $ %) in a text that ends the key. It works for delimiters and following
// characters below '%'; with others, and with `:%s`, text is not ordered
// ([Unordered]) and only what has to be is escaped.
//
// So different values give different keys, and [Key.Parse] inverts
// [Key.Append]. Keys are stored: none of these forms may ever change.
package keytmpl
