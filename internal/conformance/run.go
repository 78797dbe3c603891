package conformance

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Fixtures maps a table's name in the scripts to the CreateTable request that
// makes it.
type Fixtures map[string]string

// ParseFixtures reads fixtures, one a paragraph: the name, a space and the
// request, continued over lines that begin with a space or a tab.
func ParseFixtures(text string) Fixtures {
	f := Fixtures{}
	name := ""
	for line := range strings.Lines(text) {
		switch {
		case strings.TrimSpace(line) == "" || line[0] == '#':
		case line[0] == ' ' || line[0] == '\t':
			f[name] += line
		default:
			word, rest, _ := strings.Cut(line, " ")
			name, f[word] = word, rest
		}
	}
	return f
}

// Runner runs cases on one engine.
type Runner struct {
	Endpoint *Endpoint
	Fixtures Fixtures
	// prefix makes the run's table names its own.
	prefix string
	// kept is what the case's answers so far have been kept of.
	kept map[string]string
}

// NewRunner returns a runner whose tables have names of their own, so that
// runs can share an engine.
func NewRunner(e *Endpoint, f Fixtures) *Runner {
	return &Runner{Endpoint: e, Fixtures: f, prefix: fmt.Sprintf("c%08x", rand.Uint32())}
}

var tableWord = regexp.MustCompile(`\bT_([A-Za-z0-9]+)`)

// text puts the run's table names and the template's results into s.
func (r *Runner) text(s string) (string, error) {
	s, err := expand(s)
	if err != nil {
		return "", err
	}
	for name, text := range r.kept {
		s = strings.ReplaceAll(s, "$("+name+")", text)
	}
	return tableWord.ReplaceAllString(s, r.prefix+"_$1"), nil
}

// Run runs c and returns what is wrong, one line a fault; none means the
// engine answered every request as it should.
func (r *Runner) Run(ctx context.Context, c *Case) []string {
	for _, t := range c.Tables {
		if err := r.create(ctx, t); err != nil {
			return []string{err.Error()}
		}
	}
	defer r.clean(context.WithoutCancel(ctx), c)
	r.kept = map[string]string{}
	var faults []string
	for i := range c.Steps {
		s := &c.Steps[i]
		if fault := r.step(ctx, s); fault != "" {
			faults = append(faults, fmt.Sprintf("%s:%d: %s: %s", c.File, s.Line, s.Op, fault))
		}
	}
	return faults
}

func (r *Runner) step(ctx context.Context, s *Step) string {
	if s.Wait != "" {
		if err := r.wait(ctx, s.Wait); err != nil {
			return err.Error()
		}
		return ""
	}
	body, err := r.text(s.Body)
	if err != nil {
		return err.Error()
	}
	a, err := r.Endpoint.Call(ctx, s.Op, body, s.Header)
	if err != nil {
		return err.Error()
	}
	want := s.Want
	if r.Endpoint.Local && s.Local != nil {
		want = s.Local
	}
	fault, err := r.judge(want, a)
	if err != nil {
		return err.Error()
	}
	if fault == "" {
		return r.keep(s.Keep, a)
	}
	return fmt.Sprintf("%s\n  asked %s\n  got   %d %s", fault, cut(body), a.Status, cut(string(a.Raw)))
}

// keep keeps texts of the answer, and returns what is wrong.
func (r *Runner) keep(paths map[string]string, a *Answer) string {
	for name, path := range paths {
		var v any = a.Body
		for part := range strings.SplitSeq(path, ".") {
			switch at := v.(type) {
			case map[string]any:
				v = at[part]
			case []any:
				i, err := strconv.Atoi(part)
				if err != nil || i < 0 || i >= len(at) {
					return fmt.Sprintf("nothing to keep at %s in %s", path, cut(string(a.Raw)))
				}
				v = at[i]
			}
		}
		text, ok := v.(string)
		if !ok {
			return fmt.Sprintf("no text to keep at %s in %s", path, cut(string(a.Raw)))
		}
		r.kept[name] = text
	}
	return ""
}

// sortTypes sorts the attribute types that a message lists: DynamoDB Local lists
// them in another order each time it is started.
func sortTypes(message string) string {
	head, rest, ok := strings.Cut(message, "type: {")
	list, tail, closed := strings.Cut(rest, "}")
	if !ok || !closed {
		return message
	}
	types := strings.Split(list, ",")
	slices.Sort(types)
	return head + "type: {" + strings.Join(types, ",") + "}" + tail
}

func (r *Runner) judge(want *Expect, a *Answer) (string, error) {
	got := a.Body
	if want.Code != "" {
		code := a.Code()
		if strings.Contains(want.Code, "#") {
			code = a.Type()
		}
		message, err := r.text(want.Message)
		if err != nil {
			return "", err
		}
		if code != want.Code || sortTypes(a.Message()) != sortTypes(message) {
			return fmt.Sprintf("got  %s: %s\n  want  %s: %s", code, a.Message(), want.Code, message), nil
		}
		got = a.Extra()
	}
	if a.Status != want.Status {
		return fmt.Sprintf("got status %d, want %d", a.Status, want.Status), nil
	}
	if want.Body == "" {
		return "", nil
	}
	text, err := r.text(want.Body)
	if err != nil {
		return "", err
	}
	w, err := DecodeJSON([]byte(text))
	if err != nil {
		return "", fmt.Errorf("the expected answer: %w", err)
	}
	return Match(w, got), nil
}

func (r *Runner) create(ctx context.Context, name string) error {
	def, ok := r.Fixtures[name]
	if !ok {
		return fmt.Errorf("no fixture %s", name)
	}
	body, err := r.text(def)
	if err != nil {
		return err
	}
	return r.CreateTable(ctx, body)
}

// CreateTable sends a CreateTable request and waits until the table is
// active.
func (r *Runner) CreateTable(ctx context.Context, body string) error {
	a, err := r.Endpoint.Call(ctx, "CreateTable", body, nil)
	if err != nil {
		return err
	}
	if a.Failed() {
		return fmt.Errorf("create fixture: %s", a.Raw)
	}
	desc, _ := a.Body["TableDescription"].(map[string]any)
	if desc["TableStatus"] == "ACTIVE" {
		return nil
	}
	name, _ := desc["TableName"].(string)
	return r.wait(ctx, name)
}

// wait returns when the table and its indexes are active, or gone.
func (r *Runner) wait(ctx context.Context, table string) error {
	body, err := r.text(fmt.Sprintf(`{"TableName":%q}`, table))
	if err != nil {
		return err
	}
	if r.Endpoint.Local {
		// It begins to build or drop an index some time after it has said so.
		if err := sleep(ctx, 300*time.Millisecond); err != nil {
			return err
		}
	}
	for range 5000 {
		a, err := r.Endpoint.Call(ctx, "DescribeTable", body, nil)
		if err != nil {
			return err
		}
		if a.Failed() || !settling.Match(a.Raw) {
			return nil
		}
		if err := sleep(ctx, time.Millisecond); err != nil {
			return err
		}
	}
	return fmt.Errorf("table %s does not settle", table)
}

var settling = regexp.MustCompile(`"(Table|Index)Status":\s*"(CREATING|UPDATING|DELETING)"`)

// clean deletes the case's fixtures and whatever tables its steps named.
func (r *Runner) clean(ctx context.Context, c *Case) {
	names := map[string]bool{}
	for _, t := range c.Tables {
		names[t] = true
	}
	for _, s := range c.Steps {
		if s.Op == "CreateTable" {
			for _, t := range tableWord.FindAllString(s.Body, -1) {
				names[t] = true
			}
		}
	}
	for t := range maps.Keys(names) {
		body, _ := r.text(fmt.Sprintf(`{"TableName":%q}`, t))
		for range 200 {
			a, err := r.Endpoint.Call(ctx, "DeleteTable", body, nil)
			if err != nil || !a.Failed() || a.Code() != "ResourceInUseException" {
				break
			}
			if sleep(ctx, 5*time.Millisecond) != nil {
				return
			}
		}
	}
}

func sleep(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}

func cut(s string) string {
	if len(s) > 1200 {
		return s[:1200] + "..."
	}
	return s
}
