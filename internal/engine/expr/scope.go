package expr

import (
	"cmp"
	"math/bits"
	"slices"
	"strings"
	"unicode/utf16"

	"github.com/dynorm/dynorm/internal/engine/value"
)

// Names are a request's ExpressionAttributeNames: attribute names by
// placeholder, such as "#n".
type Names map[string]string

// Values are a request's ExpressionAttributeValues: values by placeholder,
// such as ":v".
type Values map[string]value.Value

// Scope is what the expressions of one request share. It belongs to one
// goroutine. A nil map is a parameter that the request lacks, an empty one is
// a fault.
type Scope struct {
	Names   Names
	Values  Values
	Wording Wording
	// Cache keeps the syntax of expressions between requests. Nil means that
	// every text is read anew.
	Cache *Cache

	used [][]string // the placeholders of each expression read
}

// Check finds the faults of the maps themselves, which come before those of
// the expressions: maps without an expression that could use them, empty maps,
// wrong placeholders, empty or oversized names, too much of either. takes are
// the expression parameters of the operation, has those that the request has.
func (s *Scope) Check(takes, has Kind) error {
	if err := s.checkNames(has); err != nil {
		return err
	}
	return s.checkValues(takes&^KindProjection, has)
}

func (s *Scope) checkNames(has Kind) error {
	const what = "ExpressionAttributeNames"
	switch {
	case s.Names == nil || len(s.Names) == 0 && has == 0:
		return nil
	case has == 0:
		return faultf("%s can only be specified when using expressions", what)
	case len(s.Names) == 0:
		return faultf("%s must not be empty", what)
	}
	keys := inMapOrder(s.Names)
	for _, k := range keys {
		if err := checkPlaceholder(what, k, tokName); err != nil {
			return err
		}
	}
	total := 0
	for _, k := range keys {
		name := s.Names[k]
		switch {
		case name == "":
			return faultf("%s contains invalid value: Empty attribute name for key %s", what, k)
		case len(name) > MaxName:
			return faultf("%s contains invalid value: Attribute name is too large, must be less than %d bytes for key %s",
				what, MaxName+1, k)
		}
		total += len(k) + len(name)
	}
	if total > MaxSubstitution {
		return faultf("%s exceeds max size", what)
	}
	return nil
}

func (s *Scope) checkValues(takes, has Kind) error {
	const what = "ExpressionAttributeValues"
	switch {
	case s.Values == nil || takes == 0 || len(s.Values) == 0 && has == 0:
		return nil
	case takes&has == 0:
		var names []string
		for k := takes; k != 0; k &= k - 1 {
			names = append(names, Kind(1<<bits.TrailingZeros8(uint8(k))).String())
		}
		verb := " is null"
		if len(names) > 1 {
			verb = " are null"
		}
		return faultf("%s can only be specified when using expressions: %s", what, strings.Join(names, " and ")+verb)
	case len(s.Values) == 0:
		return faultf("%s must not be empty", what)
	}
	total := 0
	for _, k := range inMapOrder(s.Values) {
		if err := checkPlaceholder(what, k, tokValue); err != nil {
			return err
		}
		total += len(k) + s.Values[k].Size()
	}
	if total > MaxSubstitution {
		return faultf("%s exceeds max size", what)
	}
	return nil
}

// checkPlaceholder checks a key of the map that parameter names.
func checkPlaceholder(parameter, key string, want tokenKind) error {
	switch {
	case key == "":
		return faultf("%s contains invalid key: The expression attribute map contains an empty key;", parameter)
	case len(key) > MaxPlaceholder:
		return faultf("%s contains invalid key: The expression attribute map contains a key that is too long; size of key: %d",
			parameter, len(key))
	}
	l := lexer{text: key}
	if first := l.next(); first.kind != want || l.next().kind != tokEOF {
		return faultf("%s contains invalid key: Syntax error; key: \"%s\"", parameter, key)
	}
	return nil
}

// CheckUsed finds names and values that no expression of the request used. It
// is called when all of them are read.
func (s *Scope) CheckUsed() error {
	if len(s.Names) == 0 && len(s.Values) == 0 {
		return nil
	}
	names, values := s.countUsed()
	if names < len(s.Names) {
		return s.unused("ExpressionAttributeNames", inMapOrder(s.Names))
	}
	if values < len(s.Values) {
		return s.unused("ExpressionAttributeValues", inMapOrder(s.Values))
	}
	return nil
}

// countUsed counts the distinct placeholders of all expressions.
func (s *Scope) countUsed() (names, values int) {
	for i, refs := range s.used {
		for _, r := range refs {
			if slices.ContainsFunc(s.used[:i], func(earlier []string) bool { return slices.Contains(earlier, r) }) {
				continue
			}
			if r[0] == '#' {
				names++
			} else {
				values++
			}
		}
	}
	return names, values
}

func (s *Scope) unused(parameter string, keys []string) error {
	used := map[string]bool{}
	for _, refs := range s.used {
		for _, r := range refs {
			used[r] = true
		}
	}
	keys = slices.DeleteFunc(keys, func(k string) bool { return used[k] })
	return faultf("Value provided in %s unused in expressions: keys: {%s}", parameter, strings.Join(keys, ", "))
}

// inMapOrder returns the keys of m in the order in which the service, a Java
// program, goes through a hash set of them, so that what it finds first and
// what it lists are the same here.
func inMapOrder[V any](m map[string]V) []string {
	buckets := 16
	for buckets < len(m)*4/3+1 {
		buckets *= 2
	}
	type slot struct {
		key    string
		bucket uint32
	}
	slots := make([]slot, 0, len(m))
	for k := range m {
		var hash uint32
		for _, unit := range utf16.Encode([]rune(k)) {
			hash = hash*31 + uint32(unit)
		}
		slots = append(slots, slot{k, (hash ^ hash>>16) & uint32(buckets-1)})
	}
	slices.SortFunc(slots, func(a, b slot) int {
		return cmp.Or(cmp.Compare(a.bucket, b.bucket), strings.Compare(a.key, b.key))
	})
	keys := make([]string, len(slots))
	for i, s := range slots {
		keys[i] = s.key
	}
	return keys
}

// binding is what a placeholder stands for.
type binding struct {
	name  string
	value value.Value
}

// bindings are those of one expression, by the indexes in its syntax. What is
// not defined is zero.
type bindings []binding

func (b bindings) name(s step) string {
	if s.ref >= 0 {
		return b[s.ref].name
	}
	return s.name
}

// read returns the syntax of a text and what its placeholders stand for.
func (s *Scope) read(kind Kind, text string) (*syntax, bindings, error) {
	if text == "" {
		return nil, nil, kind.invalid("The expression can not be empty;")
	}
	if len(text) > MaxSize {
		return nil, nil, s.oversized(kind, len(text))
	}
	syn, fault := s.Cache.parse(kind.grammar(), text)
	if fault != "" {
		return nil, nil, kind.invalid(fault)
	}
	if len(syn.refs) == 0 {
		return syn, nil, nil
	}
	refs := make(bindings, len(syn.refs))
	for i, r := range syn.refs {
		if r[0] == '#' {
			refs[i].name = s.Names[r]
		} else {
			refs[i].value = s.Values[r]
		}
	}
	s.used = append(s.used, syn.refs)
	return syn, refs, nil
}

func (s *Scope) oversized(kind Kind, size int) error {
	const text = "Expression size has exceeded the maximum allowed size;"
	if s.Wording == WordingScan && kind.grammar() == grammarCondition {
		return faultf("Invalid %s: %s expression size: %d", kind, text, size)
	}
	return kind.invalid(text)
}
