package parser

import (
	"reflect"
	"strings"
	"unicode"
)

// The attributes the library keeps in items by itself, whether or not a field
// holds them.
const (
	CreatedAttr = "createdAt"
	UpdatedAttr = "updatedAt"
	DeletedAttr = "deletedAt"
	TTLAttr     = "ttl"
	VersionAttr = "_v"
)

// AttrName returns the attribute name of a Go field that has no other: the
// name in lower camel case, where a run of capitals is one word: UserID is
// userId, ID is id, HTTPServerURL is httpServerUrl, OAuth2Token is
// oAuth2Token, UserIDs is userIds, IPv4Addr is ipv4Addr.
func AttrName(goName string) string {
	var b strings.Builder
	for i, w := range words(goName) {
		w = strings.ToLower(w)
		if i > 0 {
			r := []rune(w)
			r[0] = unicode.ToUpper(r[0])
			w = string(r)
		}
		b.WriteString(w)
	}
	return b.String()
}

// words splits a Go name at underscores, where a lower-case letter or a digit
// meets a capital, and before the last capital of a run that goes on in lower
// case. The plural s of an initialism (IDs) and the v of a numbered one (IPv4)
// belong to it.
func words(name string) []string {
	var list []string
	for _, part := range strings.Split(name, "_") {
		r := []rune(part)
		start := 0
		for i := 1; i < len(r); i++ {
			if unicode.IsUpper(r[i]) && (!unicode.IsUpper(r[i-1]) || lowerAt(r, i+1) && !endsInitialism(r, i+1)) {
				list = append(list, string(r[start:i]))
				start = i
			}
		}
		if start < len(r) {
			list = append(list, string(r[start:]))
		}
	}
	return list
}

func lowerAt(r []rune, i int) bool { return i < len(r) && unicode.IsLower(r[i]) }

// endsInitialism says that the letter at i belongs to the capitals before it.
func endsInitialism(r []rune, i int) bool {
	if lowerAt(r, i+1) {
		return false
	}
	return r[i] == 's' || r[i] == 'v' && i+1 < len(r) && unicode.IsDigit(r[i+1])
}

// entityNameOf is the name of the entity a struct defines: what its marker
// says, or else the type's own name.
func entityNameOf(t reflect.Type) string {
	for i := range t.NumField() {
		if sf := t.Field(i); sf.Type == entityMarker {
			name, _, _ := strings.Cut(sf.Tag.Get(tagKey), ",")
			if name != "" {
				return name
			}
		}
	}
	return defaultEntityName(t)
}

// defaultEntityName is the type's name; the arguments of a generic type follow
// it, so Page[User] is PageUser and Page[string] PageString. An unnamed struct
// has none.
func defaultEntityName(t reflect.Type) string {
	var b strings.Builder
	for i, part := range strings.FieldsFunc(bareName(t.Name()), func(r rune) bool {
		return r != '_' && !unicode.IsLetter(r) && !unicode.IsDigit(r)
	}) {
		if i > 0 {
			r := []rune(part)
			r[0] = unicode.ToUpper(r[0])
			part = string(r)
		}
		b.WriteString(part)
	}
	return b.String()
}

// typeName names a type in faults: without package paths, and without the
// numbers that the compiler gives to types declared in functions.
func typeName(t reflect.Type) string {
	switch {
	case t == nil:
		return "nil"
	case t.Name() != "":
		return bareName(t.Name())
	case t.Kind() == reflect.Struct:
		return "struct"
	}
	return t.String()
}

// bareName cuts the package off each name inside a type's name.
func bareName(s string) string {
	var b strings.Builder
	word := 0
	for _, r := range s {
		switch {
		case r == '/' || r == '.':
			// What came before was part of a package's path.
			kept := b.String()[:word]
			b.Reset()
			b.WriteString(kept)
		case strings.ContainsRune("[]*,{}() ;", r):
			b.WriteRune(r)
			word = b.Len()
		default:
			b.WriteRune(r)
		}
	}
	name := b.String()
	for {
		at := strings.IndexRune(name, '·')
		if at < 0 {
			return name
		}
		end := at + len("·")
		for end < len(name) && name[end] >= '0' && name[end] <= '9' {
			end++
		}
		name = name[:at] + name[end:]
	}
}
