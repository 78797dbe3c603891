// Package expr writes DynamoDB expressions. Every attribute name is aliased and
// every value is a placeholder, numbered in the order of first use, so that
// the same calls always give the same request bytes.
package expr

import (
	"slices"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// Builder collects the names and values that the expressions of one request
// share. The zero value is ready to use. It must not be copied.
type Builder struct {
	names  []string
	values []types.AttributeValue
	// room is where those of most requests are.
	room struct {
		names  [8]string
		values [4]types.AttributeValue
	}
}

// Name returns the alias of an attribute name.
func (b *Builder) Name(attr string) string {
	n := slices.Index(b.names, attr)
	if n < 0 {
		n = len(b.names)
		if b.names == nil {
			b.names = b.room.names[:0]
		}
		b.names = append(b.names, attr)
	}
	return Alias(n)
}

// The aliases and placeholders that most requests get by with, those below 10
// of 2 bytes each and then of 3.
const (
	aliases = "#0#1#2#3#4#5#6#7#8#9" +
		"#10#11#12#13#14#15#16#17#18#19#20#21#22#23#24#25#26#27#28#29"
	placeholders = ":0:1:2:3:4:5:6:7:8:9" +
		":10:11:12:13:14:15:16:17:18:19:20:21:22:23:24:25:26:27:28:29"
)

// Alias is the alias of the name at place n of [Builder.NameList].
func Alias(n int) string { return numbered(aliases, n) }

// Placeholder is that of the value at place n of [Builder.ValueList].
func Placeholder(n int) string { return numbered(placeholders, n) }

func numbered(table string, n int) string {
	switch {
	case n < 10:
		return table[2*n : 2*n+2]
	case n < 30:
		return table[3*n-10 : 3*n-7]
	}
	return table[:1] + strconv.Itoa(n)
}

// Path returns the text of a document path: the aliases of its names, with
// list indexes as they are. An element is a name, or an index from
// [IndexElem].
func (b *Builder) Path(elems []Elem) string {
	var s strings.Builder
	for i, e := range elems {
		if e.List {
			s.WriteByte('[')
			s.WriteString(strconv.Itoa(e.Index))
			s.WriteByte(']')
			continue
		}
		if i > 0 {
			s.WriteByte('.')
		}
		s.WriteString(b.Name(e.Name))
	}
	return s.String()
}

// Elem is one step of a document path: the name of a map entry, or the index
// of a list element.
type Elem struct {
	Name  string
	Index int
	List  bool
}

// Value returns the placeholder of a new value.
func (b *Builder) Value(av types.AttributeValue) string {
	if b.values == nil {
		b.values = b.room.values[:0]
	}
	b.values = append(b.values, av)
	return Placeholder(len(b.values) - 1)
}

// Names returns the ExpressionAttributeNames of the request, nil when there
// are none.
func (b *Builder) Names() map[string]string { return NameMap(b.names) }

// Values returns the ExpressionAttributeValues of the request, nil when there
// are none.
func (b *Builder) Values() map[string]types.AttributeValue { return ValueMap(b.values) }

// NameList returns the names in the order of their aliases: "#0", "#1", ...
func (b *Builder) NameList() []string { return b.names }

// ValueList returns the values in the order of their placeholders: ":0", ":1",
// ...
func (b *Builder) ValueList() []types.AttributeValue { return b.values }

// NameMap returns the ExpressionAttributeNames for a list of names, nil for an
// empty one.
func NameMap(names []string) map[string]string {
	if len(names) == 0 {
		return nil
	}
	m := make(map[string]string, len(names))
	for n, name := range names {
		m[Alias(n)] = name
	}
	return m
}

// ValueMap returns the ExpressionAttributeValues for a list of values, nil for
// an empty one.
func ValueMap(values []types.AttributeValue) map[string]types.AttributeValue {
	if len(values) == 0 {
		return nil
	}
	m := make(map[string]types.AttributeValue, len(values))
	for n, av := range values {
		m[Placeholder(n)] = av
	}
	return m
}

// Update collects the clauses of an update expression. It must not be copied.
type Update struct {
	set, remove, add, del clause
	// room is where the first of them is in most updates.
	room [96]byte
}

// Set adds "path = operand".
func (u *Update) Set(path, operand string) {
	if u.set == nil {
		u.set = u.room[:0]
	}
	u.set.add("SET ", path, " = ", operand)
}

// Remove adds a path to remove.
func (u *Update) Remove(path string) { u.remove.add("REMOVE ", path) }

// Add adds a number or a set's elements to a path.
func (u *Update) Add(path, value string) { u.add.add("ADD ", path, " ", value) }

// Delete takes elements out of a set.
func (u *Update) Delete(path, value string) { u.del.add("DELETE ", path, " ", value) }

// String returns the expression: SET, REMOVE, ADD, DELETE, in this order.
func (u *Update) String() string {
	text := slices.Clip(u.set)
	for _, c := range []clause{u.remove, u.add, u.del} {
		if len(c) == 0 {
			continue
		}
		if len(text) > 0 {
			text = append(text, ' ')
		}
		text = append(text, c...)
	}
	return string(text)
}

// clause is the text of one clause, empty while it has no actions.
type clause []byte

// add adds an action, given in parts.
func (c *clause) add(word string, parts ...string) {
	if len(*c) == 0 {
		*c = append(*c, word...)
	} else {
		*c = append(*c, ", "...)
	}
	for _, part := range parts {
		*c = append(*c, part...)
	}
}

// Exists is the condition that a path is there.
func Exists(path string) string {
	if path == "#0" {
		return "attribute_exists(#0)" // as most updates begin
	}
	return "attribute_exists(" + path + ")"
}

// And joins conditions that must all hold, skipping empty ones.
func And(conds ...string) string {
	if len(conds) == 1 {
		return conds[0]
	}
	var parts []string
	for _, c := range conds {
		if c != "" {
			parts = append(parts, c)
		}
	}
	if len(parts) < 2 {
		return strings.Join(parts, "")
	}
	return "(" + strings.Join(parts, ") AND (") + ")"
}
