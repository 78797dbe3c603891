package difffuzz

import (
	"encoding/base64"
	"fmt"
	"math/rand/v2"
	"strings"
)

// Key values come from small sets, so that requests meet each other's items.
var (
	keyStrings = []string{"a", "b", "c", "aa", "ab", "Z", "é", "日本", "~", "a#1", "a.b", " ", "a\x00b"}
	keyNumbers = []string{
		"0", "1", "-1", "2.5", "1e2", "100", "10", "-0", "0.001", "1E-3", "+7", "007", "-99.5",
		"12345678901234567890123456789012345678", "1e125", "-1e-130", "9.99",
	}
	keyBytes = []string{"\x00", "\x00\x01", "a", "\xff", "\x7f", "\x80", "\xff\x00", "ab"}
)

// keyValue returns a value of a key's type.
func keyValue(r *rand.Rand, typ string) object {
	switch typ {
	case "S":
		return object{"S": pick(r, keyStrings...)}
	case "N":
		return object{"N": pick(r, keyNumbers...)}
	default:
		return object{"B": b64(pick(r, keyBytes...))}
	}
}

func b64(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) }

func unb64(s string) string {
	b, _ := base64.StdEncoding.DecodeString(s)
	return string(b)
}

// attribute names of items, beside keys. Some must be written as names in
// expressions.
var itemAttrs = []string{"a", "b", "n", "s", "l", "m", "ss", "ns", "bs", "flag", "nul", "x.y", "name", "deep", "bin", "with space"}

// valueFor returns a value that suits the attribute's name most of the time,
// so that expressions over it mostly make sense.
func valueFor(r *rand.Rand, name string) object {
	if chance(r, 12) {
		return anyValue(r, 2)
	}
	switch name {
	case "n":
		return object{"N": number(r)}
	case "s", "a", "b", "name", "x.y":
		return object{"S": text(r)}
	case "l":
		return list(r, 2)
	case "m":
		return object{"M": object{"x": scalar(r), "y": object{"M": object{"z": scalar(r)}}}}
	case "deep":
		return object{"M": object{"a": object{"L": []any{object{"M": object{"b": object{"N": number(r)}}}, object{"L": []any{scalar(r)}}}}}}
	case "ss", "ns", "bs":
		return set(r, strings.ToUpper(name))
	case "flag":
		return object{"BOOL": chance(r, 50)}
	case "nul":
		return object{"NULL": true}
	case "bin":
		return object{"B": b64(pick(r, keyBytes...))}
	}
	for _, a := range indexAttrs {
		if a.name == name {
			return keyValue(r, a.typ)
		}
	}
	return scalar(r)
}

func anyValue(r *rand.Rand, depth int) object {
	switch r.IntN(10) {
	case 0, 1:
		return object{"S": text(r)}
	case 2, 3:
		return object{"N": number(r)}
	case 4:
		return object{"BOOL": chance(r, 50)}
	case 5:
		return object{"NULL": true}
	case 6:
		return set(r, pick(r, "SS", "NS", "BS"))
	case 7:
		return object{"B": b64(text(r))}
	case 8:
		if depth > 0 {
			return list(r, depth-1)
		}
	case 9:
		if depth > 0 {
			m := object{}
			for range r.IntN(4) {
				m[pick(r, "x", "y", "z", "a.b", "日")] = anyValue(r, depth-1)
			}
			return object{"M": m}
		}
	}
	return scalar(r)
}

func scalar(r *rand.Rand) object {
	switch r.IntN(4) {
	case 0:
		return object{"N": number(r)}
	case 1:
		return object{"B": b64(text(r))}
	default:
		return object{"S": text(r)}
	}
}

func list(r *rand.Rand, depth int) object {
	l := []any{}
	for range r.IntN(5) {
		l = append(l, anyValue(r, depth))
	}
	return object{"L": l}
}

func set(r *rand.Rand, typ string) object {
	seen := map[string]bool{}
	var l []any
	for range 1 + r.IntN(4) {
		var s string
		switch typ {
		case "SS":
			s = pick(r, "a", "b", "c", "é", "")
		case "NS":
			s = fmt.Sprint(r.IntN(5))
		default:
			s = b64(pick(r, keyBytes...))
		}
		if !seen[s] {
			seen[s] = true
			l = append(l, s)
		}
	}
	return object{typ: l}
}

func text(r *rand.Rand) string {
	switch r.IntN(12) {
	case 0:
		return ""
	case 1:
		return strings.Repeat(pick(r, "x", "日"), r.IntN(3000))
	default:
		return pick(r, "a", "b", "ab", "abc", "hello", "Z", "é", "日本", "10", "9", "~", "a.b", "\"q\"", "\n")
	}
}

func number(r *rand.Rand) string {
	switch r.IntN(10) {
	case 0:
		return fmt.Sprintf("%d.%d", r.IntN(100), r.IntN(1000))
	case 1:
		return fmt.Sprintf("%d%s%d", r.IntN(100)-50, pick(r, "e", "E"), r.IntN(60)-30)
	case 2:
		return pick(r, "0", "-0", "0.0", "1e125", "-1e125", "1e-130", "9.9999999999999999999999999999999999999E125",
			"12345678901234567890123456789012345678", "0.1", "0.2", "1.50", ".5", "5.", "+3")
	default:
		return fmt.Sprint(r.IntN(21) - 10)
	}
}

// key returns a key for t: mostly one that was used before.
func (t *table) key(r *rand.Rand) object {
	if len(t.keys) > 0 && chance(r, 70) {
		return clone(t.keys[r.IntN(len(t.keys))]).(object)
	}
	k := object{}
	for _, a := range t.keyAttrs() {
		k[a.name] = keyValue(r, a.typ)
	}
	if len(t.keys) < 40 {
		t.keys = append(t.keys, k)
	} else {
		t.keys[r.IntN(len(t.keys))] = k
	}
	return clone(k).(object)
}

// item returns an item for t.
func (t *table) item(r *rand.Rand) object {
	it := t.key(r)
	for range r.IntN(6) {
		name := pick(r, itemAttrs...)
		it[name] = valueFor(r, name)
	}
	for _, x := range t.indexes {
		for _, a := range append(append([]attr(nil), x.hash...), x.sort...) {
			if _, ok := it[a.name]; !ok && chance(r, 75) {
				it[a.name] = keyValue(r, a.typ)
			}
		}
	}
	return it
}

// clone copies a JSON value.
func clone(v any) any {
	switch v := v.(type) {
	case object:
		m := make(object, len(v))
		for k, e := range v {
			m[k] = clone(e)
		}
		return m
	case []any:
		l := make([]any, len(v))
		for i, e := range v {
			l[i] = clone(e)
		}
		return l
	}
	return v
}
