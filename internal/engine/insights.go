package engine

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/dynorm/dynorm/internal/engine/wire"
)

// insights are the contributor insights of a table or an index. They are kept
// and described; nothing is counted.
type insights struct {
	index   string // "" for the table
	mode    string
	enabled bool
	at      time.Time // of the last change
	settled time.Time // when it is over
}

func (c insights) status(now time.Time) string {
	switch {
	case c.settled.After(now) && c.enabled:
		return "ENABLING"
	case c.settled.After(now):
		return "DISABLING"
	case c.enabled:
		return "ENABLED"
	}
	return "DISABLED"
}

// insightsInput is a request about contributor insights.
type insightsInput struct {
	table, index, action, mode wire.Text
}

func readInsights(r *wire.Reader, class string, changes bool) (in insightsInput, err error) {
	err = decode(r, class, func(name string) {
		switch name {
		case "TableName":
			in.table = r.Text()
		case "IndexName":
			in.index = r.Text()
		case "ContributorInsightsAction":
			in.action = r.Text()
		case "ContributorInsightsMode":
			in.mode = r.Text()
		default:
			r.Skip()
		}
	})
	if err != nil {
		return in, err
	}
	var s shape
	if changes {
		s.required(in.action.Set, "contributorInsightsAction")
		s.enum(in.action, "contributorInsightsAction", "ENABLE", "DISABLE")
		s.enum(in.mode, "contributorInsightsMode", "ACCESSED_AND_THROTTLED_KEYS", "THROTTLED_KEYS")
	}
	s.table(in.table, "tableName")
	s.index(in.index, "indexName")
	if err := s.err(); err != nil {
		return in, err
	}
	return in, checkName(in.table)
}

// observed returns the table of the request and its insights so far.
func (e *Engine) observed(in *insightsInput) (*table, insights, error) {
	t, err := e.defined(in.table)
	if err != nil {
		return nil, insights{}, err
	}
	if in.index.Set && t.index(in.index.V) == nil {
		return nil, insights{}, fault("ResourceNotFoundException", "Requested resource not found: Index: "+in.index.V+" not found")
	}
	at := slices.IndexFunc(t.insights, func(c insights) bool { return c.index == in.index.V })
	if at < 0 {
		return t, insights{index: in.index.V}, nil
	}
	return t, t.insights[at], nil
}

// describe writes what all answers about insights have.
func (c insights) describe(o *wire.Object, table, status string) {
	o.Text("TableName", table)
	if c.index != "" {
		o.Text("IndexName", c.index)
	}
	o.Text("ContributorInsightsStatus", status)
	if c.mode != "" {
		o.Text("ContributorInsightsMode", c.mode)
	}
}

func (e *Engine) describeContributorInsights(r *wire.Reader) ([]byte, error) {
	in, err := readInsights(r, "DescribeContributorInsightsInput", false)
	if err != nil {
		return nil, err
	}
	e.mu.RLock()
	defer e.mu.RUnlock()
	t, c, err := e.observed(&in)
	if err != nil {
		return nil, err
	}
	o := wire.Begin(nil)
	c.describe(&o, t.name, c.status(e.cfg.Now()))
	if !c.at.IsZero() {
		o.Float("LastUpdateDateTime", seconds(c.at))
	}
	if c.enabled {
		rules := c.rules(t)
		o.List("ContributorInsightsRuleList", len(rules), func(dst []byte, i int) []byte { return wire.AppendString(dst, rules[i]) })
	}
	return o.End(), nil
}

// rules returns the names of the rules that count: of keys that are accessed
// (C) and throttled (T), for the partition key and for both keys.
func (c insights) rules(t *table) (names []string) {
	keys, name := t.keys, t.name
	if x := t.index(c.index); x != nil {
		keys, name = x.keys, t.name+"-"+x.name
	}
	kinds := []string{"PKT"}
	if len(keys.sort) > 0 {
		kinds = append(kinds, "SKT")
	}
	if c.mode != "THROTTLED_KEYS" {
		kinds = append(kinds, "PKC")
		if len(keys.sort) > 0 {
			kinds = append(kinds, "SKC")
		}
	}
	for _, kind := range kinds {
		names = append(names, "DynamoDBContributorInsights-"+kind+"-"+name+"-"+strconv.FormatInt(c.at.UnixMilli(), 10))
	}
	return names
}

func (e *Engine) updateContributorInsights(r *wire.Reader) ([]byte, error) {
	in, err := readInsights(r, "UpdateContributorInsightsInput", true)
	if err != nil {
		return nil, err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	t, c, err := e.observed(&in)
	if err != nil {
		return nil, err
	}
	now := e.cfg.Now()
	c.enabled = in.action.V == "ENABLE"
	if c.enabled {
		c.mode = in.mode.Or("ACCESSED_AND_THROTTLED_KEYS")
	}
	c.at, c.settled = now, now.Add(e.cfg.TableDelay)
	next := slices.DeleteFunc(slices.Clone(t.insights), func(other insights) bool { return other.index == c.index })
	t.insights = append(next, c)
	e.keepTable(t)
	o := wire.Begin(nil)
	status := "DISABLING"
	if c.enabled {
		status = "ENABLING"
	}
	c.describe(&o, t.name, status)
	return o.End(), nil
}

func (e *Engine) listContributorInsights(r *wire.Reader) ([]byte, error) {
	var wanted, start wire.Text
	var limit wire.Int
	err := decode(r, "ListContributorInsightsInput", func(name string) {
		switch name {
		case "TableName":
			wanted = r.Text()
		case "NextToken":
			start = r.Text()
		case "MaxResults":
			limit = r.Int("Integer")
		default:
			r.Skip()
		}
	})
	if err != nil {
		return nil, err
	}
	var s shape
	s.length(wanted, "tableName", 1, 1024)
	s.atMost(limit, "maxResults", 100)
	if err := s.err(); err != nil {
		return nil, err
	}
	if limit.V <= 0 {
		limit.V = 100
	}
	e.mu.RLock()
	defer e.mu.RUnlock()
	if wanted.Set {
		if _, err := e.defined(wanted); err != nil {
			return nil, err
		}
	}
	now := e.cfg.Now()
	var all []insights
	var names []string // of their tables
	next, last := "", ""
	e.tables.Scan(func(name string, t *table) bool {
		for _, c := range slices.SortedFunc(slices.Values(t.insights), func(a, b insights) int { return strings.Compare(a.index, b.index) }) {
			at := name + " " + c.index // a blank sorts before all that names have
			switch {
			case wanted.Set && name != tableName(wanted), start.Set && at <= start.V:
				continue
			case len(all) == int(limit.V):
				next = last
				return false
			}
			all, names, last = append(all, c), append(names, name), at
		}
		return true
	})
	o := wire.Begin(nil)
	o.List("ContributorInsightsSummaries", len(all), func(dst []byte, i int) []byte {
		o := wire.Begin(dst)
		all[i].describe(&o, names[i], all[i].status(now))
		return o.End()
	})
	if next != "" {
		o.Text("NextToken", next)
	}
	return o.End(), nil
}
