package engine

import (
	"strconv"
	"strings"

	"github.com/dynorm/dynorm/internal/engine/wire"
)

// shape gathers what a request's members do wrong against the constraints of
// the API's model. The service reports all of it, up to ten, before it looks
// at what the members mean.
type shape struct {
	n      int      // of all faults
	faults []string // the first maxFaults of them

	// What is being checked is within the element i of this list, if set, or
	// within a field of it. Paths are only put together for faults that are
	// shown: lists and names in them can be long.
	list, field string
	i           int

	under string // what all paths begin with
}

// maxFaults is how many faults an answer shows.
const maxFaults = 10

// within makes the paths that follow relative to a list's element, or to a
// field of it.
func (s *shape) within(list string, i int, field string) {
	s.list, s.i, s.field = list, i, field
}

func (s *shape) add(shown, path, constraint string) {
	if s.n++; s.n > maxFaults {
		return
	}
	if s.list != "" {
		if s.field != "" {
			path = s.field + "." + path
		}
		path = member(s.list, s.i) + "." + path
	}
	s.faults = append(s.faults, "Value "+shown+" at '"+s.under+path+"' failed to satisfy constraint: "+constraint)
}

func quote(s string) string { return "'" + s + "'" }

// required notes a member that is absent.
func (s *shape) required(set bool, path string) {
	if !set {
		s.add("null", path, "Member must not be null")
	}
}

// enum notes a text that is none of values, which are in the service's order.
func (s *shape) enum(t wire.Text, path string, values ...string) {
	if !t.Set {
		return
	}
	for _, v := range values {
		if v == t.V {
			return
		}
	}
	s.add(quote(t.V), path, "Member must satisfy enum value set: ["+strings.Join(values, ", ")+"]")
}

// length notes a text shorter than low or longer than high.
func (s *shape) length(t wire.Text, path string, low, high int) {
	switch {
	case !t.Set:
	case len(t.V) < low:
		s.add(quote(t.V), path, "Member must have length greater than or equal to "+strconv.Itoa(low))
	case len(t.V) > high:
		s.add(quote(t.V), path, "Member must have length less than or equal to "+strconv.Itoa(high))
	}
}

// shownTexts shows a list of texts.
func shownTexts(texts []wire.Text) func() string {
	return func() string {
		shown := make([]string, len(texts))
		for i, t := range texts {
			shown[i] = t.Or("null")
		}
		return "[" + strings.Join(shown, ", ") + "]"
	}
}

// shownList shows a list of structures of the given type as the service, a Java
// program, does.
func shownList(n int, class string) func() string {
	return func() string {
		shown := make([]string, n)
		for i := range shown {
			shown[i] = "com.amazonaws.dynamodb.v20120810." + class + "@" + strconv.Itoa(i)
		}
		return "[" + strings.Join(shown, ", ") + "]"
	}
}

// shownAs shows anything as the given text.
func shownAs(text string) func() string { return func() string { return text } }

// lowerFirst returns a member's name as paths show it.
func lowerFirst(name string) string {
	if name == "" {
		return ""
	}
	return strings.ToLower(name[:1]) + name[1:]
}

func validName(name string) bool {
	for _, c := range []byte(name) {
		switch {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', c == '_', c == '.', c == '-':
		default:
			return false
		}
	}
	return name != ""
}

// name notes characters that names of tables and indexes can't have.
func (s *shape) name(t wire.Text, path string) {
	if t.Set && !validName(t.V) {
		s.add(quote(t.V), path, "Member must satisfy regular expression pattern: [a-zA-Z0-9_.-]+")
	}
}

// table checks a member that names a table, by its name or its ARN.
func (s *shape) table(t wire.Text, path string) {
	s.required(t.Set, path)
	s.length(t, path, 1, 1024)
	if t.Set && !strings.HasPrefix(t.V, "arn:") && t.V != "" {
		s.name(t, path)
	}
}

// definedTable is table for operations on definitions, which check the length
// of a name with the rest.
func (s *shape) definedTable(t wire.Text, path string) {
	if strings.HasPrefix(t.V, "arn:") {
		s.length(t, path, 1, 1024)
		return
	}
	s.required(t.Set, path)
	s.name(t, path)
	s.length(t, path, 3, 255)
}

// index checks a member that names an index.
func (s *shape) index(t wire.Text, path string) {
	s.name(t, path)
	s.length(t, path, 3, 255)
}

// atLeast notes an integer below low.
func (s *shape) atLeast(i wire.Int, path string, low int64) {
	if i.Set && i.V < low {
		s.add(quote(strconv.FormatInt(i.V, 10)), path, "Member must have value greater than or equal to "+strconv.FormatInt(low, 10))
	}
}

// atMost notes an integer above high.
func (s *shape) atMost(i wire.Int, path string, high int64) {
	if i.Set && i.V > high {
		s.add(quote(strconv.FormatInt(i.V, 10)), path, "Member must have value less than or equal to "+strconv.FormatInt(high, 10))
	}
}

// count notes a list with fewer elements than low or more than high.
func (s *shape) count(n, low, high int, shown func() string, path string) {
	switch {
	case n < low:
		s.add(quote(shown()), path, "Member must have length greater than or equal to "+strconv.Itoa(low))
	case n > high:
		s.add(quote(shown()), path, "Member must have length less than or equal to "+strconv.Itoa(high))
	}
}

// err returns the ValidationException with all that was noted, or nil.
func (s *shape) err() error {
	if s.n == 0 {
		return nil
	}
	plural := "s"
	if s.n == 1 {
		plural = ""
	}
	return invalid("%d validation error%s detected: %s", s.n, plural, strings.Join(s.faults, "; "))
}

// consumed checks the ReturnConsumedCapacity member.
func (s *shape) consumed(t wire.Text) {
	s.enum(t, "returnConsumedCapacity", "INDEXES", "TOTAL", "NONE")
}

// metrics checks the ReturnItemCollectionMetrics member.
func (s *shape) metrics(t wire.Text) {
	s.enum(t, "returnItemCollectionMetrics", "SIZE", "NONE")
}

// member returns the path of a list's element, which the service counts from 1.
func member(path string, i int) string {
	return path + "." + strconv.Itoa(i+1) + ".member"
}
