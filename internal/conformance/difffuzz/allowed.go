package difffuzz

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// exchange is one request and how the two engines' outcomes differ.
type exchange struct {
	q             *Request
	local, engine *outcome
	// kind is "" if they do not differ, "order" if items are out of order,
	// "outcome" if one is an error, "error" if both are, of different texts,
	// and "answer" if what they hold differs, in diffs.
	kind  string
	diffs []diff
	// at is the one of diffs that is being judged.
	at diff
}

func exchangeOf(q *Request, local, engine *outcome) *exchange {
	x := &exchange{q: q, local: local, engine: engine}
	switch {
	case engine.disorder != "":
		x.kind = "order"
	case local.failed != engine.failed:
		x.kind = "outcome"
	case local.failed && q.faults > 1:
		// Any error will do; see Request.faults.
	case local.failed && local.String() != engine.String():
		x.kind = "error"
	default:
		if x.diffs = differences("", local.body, engine.body); len(x.diffs) > 0 {
			x.kind, x.at = "answer", x.diffs[0]
		}
	}
	return x
}

// path says where the outcomes differ.
func (x *exchange) path() string {
	if x.kind == "answer" {
		return x.at.path
	}
	return x.kind
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
	return x.q.Op + "|" + x.path() + "|" + blur(x.local) + "|" + blur(x.engine)
}

// show writes an outcome with the part that differs.
func (x *exchange) show(o *outcome) string {
	s := o.String()
	switch {
	case o != x.engine:
	case x.kind == "answer":
		s += "   [" + x.at.String() + "]"
	case x.kind == "order":
		s += "   [" + o.disorder + "]"
	}
	if len(s) > 1500 {
		s = s[:1500] + "..."
	}
	return s
}

// allowed returns the listed differences that the outcomes' differences are, or
// false if one of them is not listed; x.at is that one then.
func (x *exchange) allowed() ([]*Difference, bool) {
	if x.kind != "answer" {
		d := x.listed()
		return []*Difference{d}, d != nil
	}
	var all []*Difference
	for _, x.at = range x.diffs {
		d := x.listed()
		if d == nil {
			return nil, false
		}
		if !slices.Contains(all, d) {
			all = append(all, d)
		}
	}
	return all, true
}

func (x *exchange) listed() *Difference {
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

// Table returns the listed differences as rows of a Markdown table, for the
// documentation.
func Table() string {
	var b strings.Builder
	b.WriteString("| Difference | What the service and the engine do | AWS page |\n|---|---|---|\n")
	for _, d := range Allowed {
		fmt.Fprintf(&b, "| %s | %s | %s |\n", d.Name, d.Why, d.Page)
	}
	return b.String()
}

func (d *Difference) matches(x *exchange) bool {
	if d.ops != "" && !strings.Contains(" "+d.ops+" ", " "+x.q.Op+" ") {
		return false
	}
	switch {
	case d.path != "" && (x.kind != "answer" || !whole(d.path, x.at.path)):
		return false
	case d.path == "" && x.kind != "error" && x.kind != "outcome":
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
