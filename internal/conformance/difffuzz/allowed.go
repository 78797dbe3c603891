package difffuzz

import (
	"regexp"
	"strings"
)

// exchange is one request and how the two engines' outcomes differ.
type exchange struct {
	q             *Request
	local, engine *outcome
	// path is where the outcomes differ; empty if they do not.
	path, detail string
}

func exchangeOf(q *Request, local, engine *outcome) *exchange {
	x := &exchange{q: q, local: local, engine: engine}
	switch {
	case engine.disorder != "":
		x.path, x.detail = "order", engine.disorder
	case local.failed != engine.failed:
		x.path = "outcome"
	case local.failed && q.faults > 1:
		// Any error will do; see Request.faults.
	case local.failed && local.String() != engine.String():
		x.path = "error"
	default:
		x.path, x.detail = difference(local.body, engine.body, "")
	}
	return x
}

var (
	quoted = regexp.MustCompile(`"[^"]*"|'[^']*'|\[[^\]]*\]|\{[^}]*\}|[0-9]+`)
	spaces = regexp.MustCompile(`\s+`)
)

// signature groups differences that have one cause.
func (x *exchange) signature() string {
	blur := func(o *outcome) string {
		s := quoted.ReplaceAllString(o.String(), "_")
		if i := strings.LastIndex(s, ": "); i > 0 && strings.Contains(s, "attribute") {
			s = s[:i]
		}
		return spaces.ReplaceAllString(s, " ")
	}
	return x.q.Op + "|" + x.path + "|" + blur(x.local) + "|" + blur(x.engine)
}

// show writes an outcome with the part that differs.
func (x *exchange) show(o *outcome) string {
	s := o.String()
	if o == x.engine && x.detail != "" {
		s += "   [" + x.detail + "]"
	}
	if len(s) > 1500 {
		s = s[:1500] + "..."
	}
	return s
}

func (x *exchange) allowed() *Difference {
	for i := range Allowed {
		if Allowed[i].matches(x) {
			return &Allowed[i]
		}
	}
	return nil
}

// Difference is one in which the engine answers as the service does and
// DynamoDB Local does not.
type Difference struct {
	// Name is a short name for counts.
	Name string
	// Why says what the service does.
	Why string
	// Page is the title of the AWS page that says so.
	Page string

	// ops limits it to operations, separated by blanks; empty means all.
	ops string
	// local and engine match the outcomes as [outcome.String] writes them.
	local, engine string
	// path matches where the bodies differ, for answers that are not errors.
	path string
	// when, if not nil, must hold too.
	when func(*exchange) bool
}

func (d *Difference) matches(x *exchange) bool {
	if d.ops != "" && !strings.Contains(" "+d.ops+" ", " "+x.q.Op+" ") {
		return false
	}
	if d.path != "" {
		if x.local.failed != x.engine.failed || !whole(d.path, x.path) {
			return false
		}
	} else if x.path != "error" && x.path != "outcome" {
		return false
	}
	return (d.local == "" || whole(d.local, x.local.String())) &&
		(d.engine == "" || whole(d.engine, x.engine.String())) &&
		(d.when == nil || d.when(x))
}

var compiled = map[string]*regexp.Regexp{}

func whole(pattern, s string) bool {
	re := compiled[pattern]
	if re == nil {
		re = regexp.MustCompile(`(?s)^(?:` + pattern + `)$`)
		compiled[pattern] = re
	}
	return re.MatchString(s)
}
