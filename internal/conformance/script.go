package conformance

import (
	"fmt"
	"strings"
	"text/template"
)

// Case is one behaviour: a few requests and what the service answers.
type Case struct {
	// File and Line say where the case begins.
	File string
	Line int
	// Title says what is shown, in words.
	Title string
	// Tables names the fixtures the case needs, each made afresh.
	Tables []string
	// LocalWhy says why DynamoDB Local differs and which AWS page is against
	// it. It is there exactly when a step has an answer of Local's own, or the
	// case is not run on Local.
	LocalWhy string
	// EngineOnly keeps the case from DynamoDB Local, where it can't be put at
	// all (an operation Local does not have).
	EngineOnly bool
	Steps      []Step
}

// Step is one request and the expected answer.
type Step struct {
	Line   int
	Op     string
	Header map[string]string
	Body   string
	// Keep maps names to where in the answer, in steps separated by full stops,
	// the text is that they stand for in the requests that follow.
	Keep map[string]string
	// Want is the service's answer; Local is DynamoDB Local's when it differs.
	Want, Local *Expect
	// Wait names a fixture; the step asks nothing and waits until that table
	// and its indexes are active, or the table is gone.
	Wait string
}

// Expect is an expected answer.
type Expect struct {
	// Code is the error's type, with its namespace if the case is about that;
	// empty for success.
	Code string
	// Status is the HTTP status.
	Status int
	// Message is the error's message.
	Message string
	// Body is the JSON of the whole answer, or of the members an error has
	// beside its type and message. Empty means none is looked at.
	Body string
}

// ParseScript reads the cases of one file. A line's first characters say what
// it is:
//
//	== title             begins a case
//	# text               a comment
//	tables: T_a, T_b     the fixtures the case runs on
//	local: text          why DynamoDB Local differs, and the AWS page against it
//	engine-only: text    the same, for a case that is not run on DynamoDB Local
//	put T_a {item}       puts an item; it must succeed
//	wait T_a             waits until the table and its indexes are active
//	header Name: value   a header of the next request; :method and :path too
//	> Op {request}       sends a request
//	< {answer}           the answer expected, exactly (see [Match])
//	! Code: message      the error expected; "! 500 Code" for another status
//	+ {members}          what else the error's body holds
//	keep name path       keeps a text of the answer, found by its path, such as
//	                     Shards.0.ShardId; $(name) stands for it in what follows
//	~ < {answer}         what DynamoDB Local answers where it differs; ~ ! and
//	                     ~ + likewise
//
// A line that begins with a space or a tab continues the one before it. The
// word T_name stands for the name of that fixture's table in this run. Text
// in {{ }} is a text/template action with three functions: repeat n s; each n
// s, which is s n times with # replaced by 0, 1, 2, ... and commas between; and
// list n s, the same with commas and blanks.
func ParseScript(file, text string) ([]*Case, error) {
	p := scriptParser{file: file}
	lines := strings.Split(text, "\n")
	for i := 0; i < len(lines); i++ {
		start, line := i+1, strings.TrimRight(lines[i], " \t")
		for i+1 < len(lines) && lines[i+1] != "" && strings.ContainsAny(lines[i+1][:1], " \t") {
			i++
			line += "\n" + strings.TrimSpace(lines[i])
		}
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		if err := p.line(start, line); err != nil {
			return nil, fmt.Errorf("%s:%d: %w", file, start, err)
		}
	}
	if err := p.finish(); err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	return p.cases, nil
}

type scriptParser struct {
	file   string
	cases  []*Case
	header map[string]string
}

func (p *scriptParser) line(n int, line string) error {
	if title, ok := strings.CutPrefix(line, "== "); ok {
		if err := p.finish(); err != nil {
			return err
		}
		p.cases = append(p.cases, &Case{File: p.file, Line: n, Title: title})
		return nil
	}
	if len(p.cases) == 0 {
		return fmt.Errorf("%q before the first case", line)
	}
	c := p.cases[len(p.cases)-1]
	word, rest, _ := strings.Cut(line, " ")
	rest = strings.TrimSpace(rest)
	switch word {
	case "tables:":
		for t := range strings.SplitSeq(rest, ",") {
			c.Tables = append(c.Tables, strings.TrimSpace(t))
		}
		return nil
	case "local:":
		c.LocalWhy = rest
		return nil
	case "engine-only:":
		c.LocalWhy, c.EngineOnly = rest, true
		return nil
	case "wait":
		c.Steps = append(c.Steps, Step{Line: n, Wait: rest})
		return nil
	case "header":
		k, v, ok := strings.Cut(rest, ": ")
		if !ok {
			k, v = strings.TrimSuffix(rest, ":"), ""
		}
		if p.header == nil {
			p.header = map[string]string{}
		}
		p.header[k] = v
		return nil
	case "put":
		table, item, _ := strings.Cut(rest, " ")
		body := fmt.Sprintf(`{"TableName":%q,"Item":%s}`, table, item)
		c.Steps = append(c.Steps, Step{Line: n, Op: "PutItem", Body: body, Want: &Expect{Status: 200, Body: "{}"}})
		return nil
	case ">":
		op, body, _ := strings.Cut(strings.Replace(rest, "\n", " ", 1), " ")
		body = strings.TrimSpace(body)
		if op == "-" {
			op = ""
		}
		c.Steps = append(c.Steps, Step{Line: n, Op: op, Body: body, Header: p.header})
		p.header = nil
		return nil
	}
	if len(c.Steps) == 0 {
		return fmt.Errorf("%q before the first request", line)
	}
	s := &c.Steps[len(c.Steps)-1]
	answer := &s.Want
	if word == "~" {
		answer = &s.Local
		word, rest, _ = strings.Cut(rest, " ")
		rest = strings.TrimSpace(rest)
	}
	switch word {
	case "<":
		*answer = &Expect{Status: 200, Body: rest}
	case "!":
		*answer = parseError(rest)
	case "keep":
		name, path, ok := strings.Cut(rest, " ")
		if !ok {
			return fmt.Errorf("%q does not say what to keep", line)
		}
		if s.Keep == nil {
			s.Keep = map[string]string{}
		}
		s.Keep[name] = path
	case "+":
		if *answer == nil {
			return fmt.Errorf("members before the error they belong to")
		}
		(*answer).Body = rest
	default:
		return fmt.Errorf("%q is no line of a script", line)
	}
	return nil
}

func parseError(s string) *Expect {
	e := &Expect{Status: 400}
	if len(s) > 4 && s[0] >= '3' && s[0] <= '5' && s[3] == ' ' {
		_, _ = fmt.Sscanf(s[:3], "%d", &e.Status)
		s = s[4:]
	}
	code, message, _ := strings.Cut(s, ":")
	e.Code, e.Message = strings.TrimSpace(code), strings.TrimSpace(message)
	return e
}

// finish checks the case that has just ended.
func (p *scriptParser) finish() error {
	if len(p.cases) == 0 {
		return nil
	}
	c := p.cases[len(p.cases)-1]
	differs := c.EngineOnly
	for _, s := range c.Steps {
		if s.Want == nil && s.Wait == "" {
			return fmt.Errorf("line %d: a request without an answer", s.Line)
		}
		differs = differs || s.Local != nil
	}
	switch {
	case len(c.Steps) == 0:
		return fmt.Errorf("line %d: case %q asks nothing", c.Line, c.Title)
	case differs && c.LocalWhy == "":
		return fmt.Errorf("line %d: case %q differs on DynamoDB Local and does not say why", c.Line, c.Title)
	case !differs && c.LocalWhy != "":
		return fmt.Errorf("line %d: case %q says why DynamoDB Local differs, and it does not", c.Line, c.Title)
	}
	return nil
}

// expand replaces the template actions in s.
func expand(s string) (string, error) {
	if !strings.Contains(s, "{{") {
		return s, nil
	}
	joined := func(separator string) func(n int, s string) string {
		return func(n int, s string) string {
			parts := make([]string, n)
			for i := range parts {
				parts[i] = strings.ReplaceAll(s, "#", fmt.Sprint(i))
			}
			return strings.Join(parts, separator)
		}
	}
	t, err := template.New("").Funcs(template.FuncMap{
		"repeat": func(n int, s string) string { return strings.Repeat(s, n) },
		"each":   joined(","),
		"list":   joined(", "),
	}).Parse(s)
	if err != nil {
		return "", err
	}
	var b strings.Builder
	if err := t.Execute(&b, nil); err != nil {
		return "", err
	}
	return b.String(), nil
}
