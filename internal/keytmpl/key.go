package keytmpl

// Role is the part of a primary key that a template builds.
type Role uint8

// The two roles. A sort key orders items, so its values are written such that
// the order of the text is the order of the values; a partition key need not.
const (
	Partition Role = iota
	Sort
)

// Limit returns DynamoDB's limit for keys of the role, in bytes: 2048 for a
// partition key, 1024 for a sort key.
func (r Role) Limit() int {
	if r == Sort {
		return 1024
	}
	return 2048
}

// Input describes the values that a reference will meet.
type Input struct {
	Kind Kind
	// Bits is the size of an int or uint: 8, 16, 32 or 64. Defaults to 64.
	Bits int
	// Pad is the width of a padded integer in digits. Defaults to the width of
	// the type.
	Pad int
	// Precision is the number of fraction digits with which the time is stored,
	// 0 to 9; -1 means 9.
	Precision int
	// Name is shown by [Key.Pattern]. Defaults to the reference as written.
	Name string
}

// Key is a template compiled for one role and the kinds of its values. It is
// immutable and safe for concurrent use.
type Key struct {
	t    *Template
	role Role
}

// Bind checks every format and modifier against the kind of value it meets,
// one input a reference, and compiles the template for a role. Faults are of
// type *[BindError], all of them joined.
func (t *Template) Bind(role Role, inputs []Input) (*Key, error) { return nil, errUnbuilt }

// Template returns the template the key was bound from.
func (k *Key) Template() *Template { return k.t }

// Role returns the role the key was bound for.
func (k *Key) Role() Role { return k.role }

// Append appends the key of the parts, one a reference, to dst. It allocates
// nothing when dst has room. Errors are *[MissingError], *[ValueError] and
// *[SizeError]; dst is then returned as it was given.
func (k *Key) Append(dst []byte, parts []Part) ([]byte, error) { return dst, errUnbuilt }

// Parse returns the parts of a key that [Key.Append] built, or *[MismatchError].
// A part that [Key.Lossy] reports comes back as what the key holds.
func (k *Key) Parse(key string) ([]Part, error) { return nil, errUnbuilt }

// Lossy reports whether the key holds less than the value of the reference.
func (k *Key) Lossy(ref int) bool { return false }

// Prefix appends the longest text that every key with these leading parts
// begins with, and no key with others. A missing part, or the end of parts,
// ends the leading ones. complete reports that no part was missing: the text
// is then the whole key.
func (k *Key) Prefix(dst []byte, parts []Part) (prefix []byte, complete bool, err error) {
	return dst, false, errUnbuilt
}

// PrefixWithin is [Key.Prefix] where the last leading part, a text, is itself
// only the beginning of the value.
func (k *Key) PrefixWithin(dst []byte, parts []Part) ([]byte, error) { return dst, errUnbuilt }

// Order is how the order of keys relates to the order of one part's values,
// among keys whose earlier parts are equal.
type Order uint8

// The orders. With a lossy part, different values may share a key text, but
// keys are never in the wrong order.
const (
	Unordered Order = iota
	Ascending
	Descending
)

// Order returns the order of keys by the values of a reference.
func (k *Key) Order(ref int) Order { return Unordered }

// Ordered reports whether the order of keys is exactly the order of the values
// of a reference.
func (k *Key) Ordered(ref int) bool { return k.Order(ref) == Ascending && !k.Lossy(ref) }

// Interval is a comparison: all values from Low to High. A missing end is open
// without bound; LowOpen and HighOpen leave the end's own value out.
type Interval struct {
	Low, High         Part
	LowOpen, HighOpen bool
}

// AtLeast is the interval of the values >= p.
func AtLeast(p Part) Interval { return Interval{Low: p} }

// Above is the interval of the values > p.
func Above(p Part) Interval { return Interval{Low: p, LowOpen: true} }

// AtMost is the interval of the values <= p.
func AtMost(p Part) Interval { return Interval{High: p} }

// Below is the interval of the values < p.
func Below(p Part) Interval { return Interval{High: p, HighOpen: true} }

// Between is the interval of the values from low to high, both included.
func Between(low, high Part) Interval { return Interval{Low: low, High: high} }

// Range is a span of key texts, both ends included, as in DynamoDB's BETWEEN.
type Range struct {
	// Low and High are the ends, "" for none (only where the template begins
	// with the compared reference).
	Low, High string
	// Exact reports that the span holds no key of the template with the leading
	// parts whose value is outside of the interval. Otherwise it holds too many,
	// never too few, and the reader has to filter.
	Exact bool
	// Empty reports that no value can be in the interval; there is nothing to
	// ask for.
	Empty bool
}

// Range returns the span of the keys with these leading parts whose next
// reference is in the interval.
func (k *Key) Range(leading []Part, in Interval) (Range, error) { return Range{}, errUnbuilt }

// Shards returns the N of the template's shard reference, 1 without one.
func (k *Key) Shards() int { return 1 }

// ShardKeys returns the keys of the parts for every shard, in order: what a
// reader has to ask for. The part of the shard reference is ignored.
func (k *Key) ShardKeys(parts []Part) ([]string, error) { return nil, errUnbuilt }

// Pattern returns the template with the display names of its inputs, for
// documentation.
func (k *Key) Pattern() string { return "" }

// Overlap says how the keys of two templates can meet.
type Overlap struct {
	// Same: one text can be a key of both.
	Same bool
	// Begins: the literal text that begins every key of the first can begin a
	// key of the second, so that a query by that prefix meets both. Begun is
	// the other way round.
	Begins, Begun bool
	// Reason says why on one line, empty when nothing overlaps.
	Reason string
}

// Compare says how the keys of a and b can meet, segment by segment. It never
// misses an overlap; it may report one that the values never reach.
func Compare(a, b *Key) Overlap { return Overlap{} }

// Disjoint reports that no text can be a key of both.
func Disjoint(a, b *Key) bool { return !Compare(a, b).Same }
