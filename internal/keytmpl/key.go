package keytmpl

import (
	"fmt"
	"strings"
)

// Role is the part of a primary key that a template builds.
type Role uint8

// The two roles. A sort key orders items, so its values are written such that
// the order of the texts is the order of the values; a partition key need not.
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

// Key is a template compiled for one role and the kinds of its values. It is
// immutable and safe for concurrent use.
type Key struct {
	t       *Template
	role    Role
	slots   []slot
	missing []MissingError
	// segments is the template once more, split at the delimiters, for reading.
	segments []segment
}

// Template returns the template the key was bound from.
func (k *Key) Template() *Template { return k.t }

// Role returns the role the key was bound for.
func (k *Key) Role() Role { return k.role }

// Append appends the key of the parts, one a reference, to dst. It allocates
// nothing when dst has room. Errors are *[MissingError], *[ValueError] and
// *[SizeError]; dst then comes back as it was given.
func (k *Key) Append(dst []byte, parts []Part) ([]byte, error) {
	out, complete, err := k.Prefix(dst, parts)
	if err != nil {
		return dst, err
	}
	if !complete {
		return dst, &k.missing[firstMissing(parts)]
	}
	return out, nil
}

// Prefix appends the text that every key with these leading parts begins with,
// and no key with others: all up to the next reference. So it ends with the
// delimiter or with the literal text before that reference, and never within a
// value. A missing part, or the end of parts, ends the leading ones. complete
// reports that no part was missing: the text is then the whole key. Errors are
// *[ValueError] and *[SizeError]; dst then comes back as it was given.
func (k *Key) Prefix(dst []byte, parts []Part) (prefix []byte, complete bool, err error) {
	out := append(dst, k.t.lits[0]...)
	if len(parts) > len(k.slots) {
		return dst, false, k.countError(len(parts))
	}
	n := 0
	for ; n < len(parts) && !parts[n].IsMissing(); n++ {
		var fault string
		if out, fault = k.slots[n].append(out, parts[n]); fault != "" {
			return dst, false, k.valueError(n, fault)
		}
		out = append(out, k.t.lits[n+1]...)
	}
	if err := k.checkSize(len(out) - len(dst)); err != nil {
		return dst, false, err
	}
	return out, n == len(k.slots), nil
}

// PrefixWithin is [Key.Prefix] where the last leading part, a text, is itself
// only the beginning of the value: `begins_with` inside a segment. It appends
// what the keys of all such values begin with. exact reports that no other keys
// do; it is false, and the reader has to filter, where the text is folded and
// where literal text after the reference could be taken for more of the value.
func (k *Key) PrefixWithin(dst []byte, parts []Part) (prefix []byte, exact bool, err error) {
	n := firstMissing(parts)
	if n > len(k.slots) {
		return dst, false, k.countError(n)
	}
	if n == 0 {
		out, _, err := k.Prefix(dst, nil)
		return out, err == nil, err
	}
	n--
	s := &k.slots[n]
	if s.enc != encText {
		return dst, false, k.valueError(n, "only plain text can be given by its beginning")
	}
	out, _, err := k.Prefix(dst, parts[:n])
	if err != nil {
		return dst, false, err
	}
	out, fault := s.append(out, parts[n])
	if fault != "" {
		return dst, false, k.valueError(n, fault)
	}
	if err := k.checkSize(len(out) - len(dst)); err != nil {
		return dst, false, err
	}
	closed := s.ends || s.follow != '%' && s.escapes.has(s.follow)
	return out, closed && !s.lossy, nil
}

// Lossy reports whether the key holds less than the value of the reference:
// the day of a time, a folded text, a shard.
func (k *Key) Lossy(ref int) bool { return k.slots[ref].lossy }

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

// Order returns the order of keys by the values of a reference. The order of
// texts is that of their bytes, of bools false first, and of versions
// (`semver`) that of SemVer 2.0.0, then of the build metadata, then the form
// without "v" first.
func (k *Key) Order(ref int) Order { return k.slots[ref].order }

// Ordered reports whether the order of keys is exactly the order of the values
// of a reference.
func (k *Key) Ordered(ref int) bool {
	return k.Order(ref) == Ascending && !k.Lossy(ref)
}

// Shards returns the N of the template's shard reference, 1 without one.
func (k *Key) Shards() int {
	for _, r := range k.t.refs {
		if r.Shard > 0 {
			return r.Shard
		}
	}
	return 1
}

// ShardKeys returns the keys of the parts for every shard, in order: what a
// reader of all shards has to ask for. The part of the shard reference is
// ignored. Without a shard reference it returns the one key.
func (k *Key) ShardKeys(parts []Part) ([]string, error) {
	ref := 0
	for ref < len(k.slots) && k.slots[ref].enc != encShard {
		ref++
	}
	if ref == len(k.slots) {
		key, err := k.Append(nil, parts)
		if err != nil {
			return nil, err
		}
		return []string{string(key)}, nil
	}
	given := make([]Part, len(k.slots))
	if copy(given, parts); len(parts) > len(given) {
		return nil, k.countError(len(parts))
	}
	given[ref] = Missing()
	head, _, err := k.Prefix(nil, given)
	if err != nil {
		return nil, err
	}
	if i := firstMissing(given[:ref]); i < ref {
		return nil, &k.missing[i]
	}
	var tail []byte
	for i := ref; ; i++ {
		tail = append(tail, k.t.lits[i+1]...)
		if i+1 == len(k.slots) {
			break
		}
		if given[i+1].IsMissing() {
			return nil, &k.missing[i+1]
		}
		var fault string
		if tail, fault = k.slots[i+1].append(tail, given[i+1]); fault != "" {
			return nil, k.valueError(i+1, fault)
		}
	}
	s := &k.slots[ref]
	if err := k.checkSize(len(head) + s.width + len(tail)); err != nil {
		return nil, err
	}
	keys := make([]string, s.ref.Shard)
	for n := range keys {
		key := appendDigits(head, uint64(n), s.width, false)
		keys[n] = string(append(key, tail...))
	}
	return keys, nil
}

// Pattern returns the template with the display names of its inputs, for
// documentation: `USER#{userId}`.
func (k *Key) Pattern() string {
	var b strings.Builder
	for i, s := range k.slots {
		name := s.in.Name
		if name == "" {
			name = s.ref.Name()
		}
		b.WriteString(Literal(k.t.lits[i]) + "{" + name + s.ref.suffix() + "}")
	}
	return b.String() + Literal(k.t.lits[len(k.slots)])
}

// firstMissing returns the index of the first missing part, or their number.
func firstMissing(parts []Part) int {
	for i, p := range parts {
		if p.IsMissing() {
			return i
		}
	}
	return len(parts)
}

func (k *Key) checkSize(n int) error {
	if limit := k.role.Limit(); n > limit {
		return &SizeError{Template: k.t.src, Limit: limit, Size: n}
	}
	return nil
}

func (k *Key) valueError(ref int, fault string) error {
	return &ValueError{Template: k.t.src, Ref: ref, Field: k.slots[ref].ref.Name(), Fault: fault}
}

func (k *Key) countError(parts int) error {
	return fmt.Errorf("key template %q: %d parts for %d references", k.t.src, parts, len(k.slots))
}
