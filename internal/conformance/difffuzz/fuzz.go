// Package difffuzz compares two DynamoDB engines on random requests: each
// request goes to both, in lockstep, and what comes back must be the same,
// error texts included. What differs is a fault of one of them; the
// differences in which the second engine sides with the service are listed in
// [Allowed], each with the AWS page that says so.
package difffuzz

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"github.com/dynorm/dynorm/internal/conformance"
)

// Config says what to run. Local and Engine are required.
type Config struct {
	// Local is the engine compared with, Engine the one under test.
	Local, Engine *conformance.Endpoint
	// Seed picks the requests; the same seed makes the same ones.
	Seed uint64
	// First is the round to begin with, to repeat a finding. Defaults to 0.
	First int
	// Requests is how many requests to compare. Defaults to 1,000.
	Requests int
	// RoundLength is how many requests one set of tables sees. Defaults to
	// 300.
	RoundLength int
	// Statements is how many of a hundred requests are PartiQL's. Defaults to
	// 15; negative means none.
	Statements int
	// Streams is how many of a hundred requests are of the API of streams.
	// Defaults to 5; negative means none but the reads of whole streams that
	// end a round.
	Streams int
	// Log gets the differences as they are found, and the progress. Defaults
	// to nothing.
	Log io.Writer
	// MaxFindings stops the run after so many different findings. Defaults
	// to 50.
	MaxFindings int
}

// Finding is a difference that is not allowed.
type Finding struct {
	// Round and Index say when it was found; Seed and Round repeat it.
	Round, Index int
	// Requests are those that show it: the tables, what must go before, and
	// last the one that differs.
	Requests []string
	// Local and Engine are the two answers.
	Local, Engine string
	// Path is where in the answers they differ.
	Path string
	// Times is how often it was seen.
	Times int
}

// Report is the outcome of a run.
type Report struct {
	// Requests is how many requests were compared, Failed how many of them
	// DynamoDB Local refused.
	Requests, Failed int
	// Ops counts the requests by operation.
	Ops map[string]int
	// Allowed counts the differences that are listed, by name.
	Allowed map[string]int
	// Findings are the differences that are not.
	Findings []*Finding
}

type fuzzer struct {
	Config
	report   Report
	findings map[string]*Finding
	// run makes the names of tables its own: DynamoDB Local remembers the
	// streams of tables that are gone.
	run string
}

// Run compares the engines. The error is about transport; differences are in
// the report.
func Run(ctx context.Context, cfg Config) (*Report, error) {
	if cfg.Requests == 0 {
		cfg.Requests = 1000
	}
	if cfg.RoundLength == 0 {
		cfg.RoundLength = 300
	}
	if cfg.Statements == 0 {
		cfg.Statements = 15
	}
	if cfg.Streams == 0 {
		cfg.Streams = 5
	}
	if cfg.MaxFindings == 0 {
		cfg.MaxFindings = 50
	}
	if cfg.Log == nil {
		cfg.Log = io.Discard
	}
	f := &fuzzer{Config: cfg, findings: map[string]*Finding{}, run: fmt.Sprintf("%08x", rand.Uint32())}
	f.report.Ops, f.report.Allowed = map[string]int{}, map[string]int{}
	if err := f.sweep(ctx); err != nil {
		return &f.report, err
	}
	started := time.Now()
	for round := cfg.First; f.report.Requests < cfg.Requests && len(f.findings) < cfg.MaxFindings; round++ {
		if err := f.round(ctx, round); err != nil {
			return &f.report, err
		}
		if round%20 == 19 {
			fmt.Fprintf(cfg.Log, "%d requests in %v, %d findings\n", f.report.Requests, time.Since(started).Round(time.Second), len(f.findings))
		}
	}
	return &f.report, nil
}

// round runs one set of tables through its requests.
func (f *fuzzer) round(ctx context.Context, n int) error {
	g := &generator{r: rand.New(rand.NewPCG(f.Seed, uint64(n))), prefix: fmt.Sprintf("%s%s.%d", f.prefix(), f.run, n), token: fmt.Sprintf("%08x", rand.Uint32()), share: f.Statements, streams: f.Streams}
	defer f.drop(context.WithoutCancel(ctx), g)
	err := f.requests(ctx, n, g)
	if errors.Is(err, errStays) {
		return nil // the next round's names are others
	}
	return err
}

// requests sends the requests of a round.
func (f *fuzzer) requests(ctx context.Context, n int, g *generator) error {
	var history []*Request
	for range 1 + g.r.IntN(3) {
		if err := f.begin(ctx, n, g, &history); err != nil {
			return err
		}
	}
	known := len(f.findings)
	for range f.RoundLength {
		if f.report.Requests >= f.Requests || ctx.Err() != nil {
			return ctx.Err()
		}
		if len(g.tables) == 0 {
			if err := f.begin(ctx, n, g, &history); err != nil {
				return err
			}
			continue
		}
		q := g.next()
		same, err := f.compare(ctx, n, history, q)
		if err != nil {
			return err
		}
		if len(f.findings) > known {
			return nil // shrinking has remade the tables
		}
		if q.changes() && q.Op != "CreateTable" && q.Op != "DeleteTable" {
			history = append(history, q)
		}
		if err := f.keepUp(ctx, g, q, same); err != nil {
			return err
		}
	}
	for _, t := range g.tables {
		for _, q := range t.inventory() {
			if _, err := f.compare(ctx, n, history, q); err != nil {
				return err
			}
		}
	}
	return nil
}

// begin adds a table to the round.
func (f *fuzzer) begin(ctx context.Context, n int, g *generator, history *[]*Request) error {
	t, q := g.newTable()
	g.tables = append(g.tables, t)
	same, err := f.compare(ctx, n, *history, q)
	if err != nil {
		return err
	}
	*history = append(*history, q)
	if !same {
		return f.lose(ctx, g, t)
	}
	return f.settle(ctx, t)
}

// lose takes a table out of the round that the two engines can't agree on any
// more.
func (f *fuzzer) lose(ctx context.Context, g *generator, t *table) error {
	g.tables = slices.DeleteFunc(g.tables, func(o *table) bool { return o == t })
	return f.dropTable(ctx, t.name)
}

// changes reports whether q may change what later requests see.
func (q *Request) changes() bool {
	switch q.Op {
	case "GetItem", "Query", "Scan", "BatchGetItem", "TransactGetItems", "DescribeTable", "ListTables", "DescribeTimeToLive", "DescribeLimits",
		"ListStreams", "DescribeStream", "GetShardIterator":
		return false
	case "GetRecords":
		return q.Body["Put"] != nil || q.Body["Delete"] != nil
	case "ExecuteStatement":
		return !q.walk
	}
	return true
}

// inventory returns reads of all that is in t and its indexes.
func (t *table) inventory() []*Request {
	qs := []*Request{{Op: "Scan", Body: object{"TableName": t.name}, walk: true, table: t}}
	for _, x := range t.indexes {
		qs = append(qs, &Request{Op: "Scan", Body: object{"TableName": t.name, "IndexName": x.name}, walk: true, table: t})
	}
	if t.stream != "" && !t.apart {
		qs = append(qs, &Request{Op: "GetRecords", Body: object{"TableName": t.name}, walk: true, table: t})
	}
	return qs
}

// compare sends q to both engines and files what differs. It reports whether
// both did the same to their tables.
func (f *fuzzer) compare(ctx context.Context, round int, history []*Request, q *Request) (bool, error) {
	a, err := ask(ctx, f.Local, q)
	if err != nil {
		return false, err
	}
	b, err := ask(ctx, f.Engine, q)
	if err != nil {
		return false, err
	}
	f.report.Requests++
	f.report.Ops[q.Op]++
	if a.failed {
		f.report.Failed++
	}
	x := exchangeOf(q, a, b)
	if x.kind == "" {
		return true, nil
	}
	same := a.failed == b.failed
	if q.Op == "GetRecords" && q.changes() {
		same = !a.failed && !b.failed // a read that fails may have made its write before
	}
	ds, ok := x.allowed()
	if ok {
		for _, d := range ds {
			f.report.Allowed[d.Name]++
		}
		return same, nil
	}
	sig := x.signature()
	if known := f.findings[sig]; known != nil {
		known.Times++
		return same && !q.changes(), nil
	}
	found := &Finding{Round: round, Index: f.report.Requests, Local: x.show(a), Engine: x.show(b), Path: x.path(), Times: 1}
	f.findings[sig] = found
	f.report.Findings = append(f.report.Findings, found)
	found.Requests = f.shrink(ctx, history, q, sig)
	fmt.Fprintf(f.Log, "\n%s\n", found)
	return false, nil
}

// String returns the finding as requests and the two answers.
func (d *Finding) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "difference at %s (round %d, request %d)\n", d.Path, d.Round, d.Index)
	for _, q := range d.Requests {
		fmt.Fprintf(&b, "  > %s\n", q)
	}
	fmt.Fprintf(&b, "  local   %s\n  engine  %s", d.Local, d.Engine)
	return b.String()
}

// keepUp keeps the generator's tables in step with the engines' after q, and
// the two engines with each other.
func (f *fuzzer) keepUp(ctx context.Context, g *generator, q *Request, same bool) error {
	switch q.Op {
	case "CreateTable", "DeleteTable":
		// DynamoDB Local makes a name of any scalar.
		name := fmt.Sprint(q.Body["TableName"])
		for _, t := range g.tables {
			if t.name == name {
				return f.lose(ctx, g, t)
			}
		}
		if q.Op == "CreateTable" {
			return f.dropTable(ctx, name)
		}
		return nil
	case "UpdateTable":
		if same {
			if err := f.settle(ctx, q.table); err != nil {
				return err
			}
			ok, err := f.relearn(ctx, q.table)
			if err != nil || ok {
				return err
			}
		}
		return f.lose(ctx, g, q.table)
	}
	if same {
		return nil
	}
	for _, t := range slices.Clone(g.tables) {
		t.apart = t.apart || q.changes() && strings.Contains(encode(q.Body), t.name)
		ok, err := f.mend(ctx, t)
		if err != nil {
			return err
		}
		if !ok {
			if err := f.lose(ctx, g, t); err != nil {
				return err
			}
		}
	}
	return nil
}

// relearn reads from both engines which indexes t has now. It reports false
// if they do not agree.
func (f *fuzzer) relearn(ctx context.Context, t *table) (bool, error) {
	q := &Request{Op: "DescribeTable", Body: object{"TableName": t.name}}
	var seen [2]string
	for i, e := range []*conformance.Endpoint{f.Local, f.Engine} {
		a, err := e.Call(ctx, q.Op, encode(q.Body), nil)
		if err != nil {
			return false, err
		}
		d, _ := a.Body["Table"].(object)
		if d == nil {
			return false, nil
		}
		seen[i] = encode(definitionOf(normal("", d).(object))["GlobalSecondaryIndexes"])
		t.indexes = slices.DeleteFunc(t.indexes, func(x *index) bool { return !x.local })
		spec, _ := d["StreamSpecification"].(object)
		view, _ := spec["StreamViewType"].(string)
		if view != t.stream {
			// A stream that is enabled begins with nothing.
			t.stream, t.apart = view, t.apart && view == ""
		}
		l, _ := d["GlobalSecondaryIndexes"].([]any)
		types := map[string]string{}
		defs, _ := d["AttributeDefinitions"].([]any)
		for _, v := range defs {
			o := v.(object)
			types[o["AttributeName"].(string)], _ = o["AttributeType"].(string)
		}
		for _, v := range l {
			o := v.(object)
			x := &index{name: o["IndexName"].(string)}
			for _, k := range o["KeySchema"].([]any) {
				n := k.(object)["AttributeName"].(string)
				if k.(object)["KeyType"] == "HASH" {
					x.hash = append(x.hash, attr{n, types[n]})
				} else {
					x.sort = append(x.sort, attr{n, types[n]})
				}
			}
			x.projection, _ = o["Projection"].(object)["ProjectionType"].(string)
			t.indexes = append(t.indexes, x)
		}
	}
	return seen[0] == seen[1], nil
}

// settle waits until t and its indexes are active on both engines.
func (f *fuzzer) settle(ctx context.Context, t *table) error {
	for _, e := range []*conformance.Endpoint{f.Local, f.Engine} {
		for range 1000 {
			a, err := e.Call(ctx, "DescribeTable", encode(object{"TableName": t.name}), nil)
			if err != nil {
				return err
			}
			if !strings.Contains(string(a.Raw), `"CREATING"`) && !strings.Contains(string(a.Raw), `"DELETING"`) && !strings.Contains(string(a.Raw), `"UPDATING"`) {
				break
			}
			time.Sleep(time.Millisecond)
		}
	}
	return nil
}

// mend makes the two engines hold the same items in t again, after a request
// that one of them took and the other did not.
func (f *fuzzer) mend(ctx context.Context, t *table) (bool, error) {
	q := t.inventory()[0]
	a, err := ask(ctx, f.Local, q)
	if err != nil {
		return false, err
	}
	b, err := ask(ctx, f.Engine, q)
	if err != nil {
		return false, err
	}
	if a.failed || b.failed {
		return false, nil
	}
	count := map[string]int{}
	keys := map[string]object{}
	for i, o := range []*outcome{a, b} {
		items, _ := o.body.(object)["Items"].([]any)
		for _, it := range items {
			s := encode(it)
			count[s] += 1 + i
			keys[s] = keyOf(t, it.(object))
		}
	}
	for s, n := range count {
		if n == 3 {
			continue
		}
		for _, e := range []*conformance.Endpoint{f.Local, f.Engine} {
			if _, err := e.Call(ctx, "DeleteItem", encode(object{"TableName": t.name, "Key": keys[s]}), nil); err != nil {
				return false, err
			}
		}
	}
	return true, nil
}

// sweep deletes what an earlier run with the same seed may have left.
func (f *fuzzer) sweep(ctx context.Context) error {
	for _, e := range []*conformance.Endpoint{f.Local, f.Engine} {
		last := f.prefix()
		for last != "" {
			a, err := e.Call(ctx, "ListTables", encode(object{"ExclusiveStartTableName": last}), nil)
			if err != nil {
				return err
			}
			names, _ := a.Body["TableNames"].([]any)
			last, _ = a.Body["LastEvaluatedTableName"].(string)
			for _, n := range names {
				if name, _ := n.(string); strings.HasPrefix(name, f.prefix()) {
					if err := f.dropTable(ctx, name); err != nil && !errors.Is(err, errStays) {
						return err
					}
				}
			}
		}
	}
	return nil
}

// prefix is what the names of a run's tables begin with.
func (f *fuzzer) prefix() string { return fmt.Sprintf("fz%d.", f.Seed) }

// drop deletes what a round made.
func (f *fuzzer) drop(ctx context.Context, g *generator) {
	for _, t := range g.tables {
		_ = f.dropTable(ctx, t.name)
	}
}

// errStays says that an engine keeps a table: DynamoDB Local can't be told to
// delete a protected table whose definition it took but can't change.
var errStays = errors.New("a table can't be deleted")

// dropTable deletes a table of both engines, which may have errStays.
func (f *fuzzer) dropTable(ctx context.Context, name string) error {
	var stays error
	for _, e := range []*conformance.Endpoint{f.Local, f.Engine} {
		gone := false
		for try := 0; try < 1000 && !gone; try++ {
			a, err := e.Call(ctx, "DeleteTable", encode(object{"TableName": name}), nil)
			if err != nil {
				return err
			}
			if a.Code() == "ValidationException" && strings.Contains(a.Message(), "protected against deletion") {
				freed, err := e.Call(ctx, "UpdateTable", encode(object{"TableName": name, "DeletionProtectionEnabled": false}), nil)
				if err != nil {
					return err
				}
				if freed.Code() == "ValidationException" {
					break
				}
			} else {
				gone = a.Failed() && a.Code() != "ResourceInUseException"
			}
			time.Sleep(200 * time.Microsecond)
		}
		if !gone {
			stays = errStays
		}
	}
	return stays
}
