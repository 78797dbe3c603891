package dynorm

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/dynorm/dynorm/internal/expr"
)

// plan is how a query runs: the access path, and the requests as far as they do
// not depend on the page.
type plan struct {
	e          *entity
	path       *accessPath
	kind       OpKind // OpQuery, OpGetItem, OpBatchGetItem, OpScan; empty where nothing can match
	branches   []branch
	forward    bool // in the order of the sort key
	merge      bool // items of all branches in the order of their sort keys
	consistent bool
	filtered   bool // by a condition of the caller
	hidden     []cond
	// hydrate completes the items of the index from the table.
	hydrate, hydrateConsistent bool
	unique                     *unique // the constraint whose claim names the item
	readUnits                  float64 // a second, of a scan; 0 for no bound
	sparse                     []string
	order                      []orderTerm
	rejected                   []Candidate
}

// branch is one key condition of a plan and the filter that goes with it.
type branch struct {
	pk      string
	sk      sortCond
	leading int   // references of the sort key that an equality fixes
	cuts    []int // bytes of the sort key before each of them and the next
	// cut is where the sort key begins that items are merged by: bytes of its
	// text, or attributes of a native one.
	cut      int
	residual []cond // what the key condition does not say
	// native is the key condition of a native index, in the place of pk and sk;
	// the first terms, partition many, are those of the partition key.
	native    []nativeTerm
	partition int

	// alternative is the part of the query that tells the branch from others.
	alternative []cond
	request     branchRequest

	segment, segments int32 // of a scan
}

// maxExpression is DynamoDB's limit of the bytes of an expression: "Expression
// limits" in "Constraints in Amazon DynamoDB".
const maxExpression = 4096

// finish makes a plan of the best candidate.
func (pl *planner) finish(c *candidate, rejected []Candidate) (*plan, error) {
	p := &plan{
		e: pl.e, path: c.path, kind: OpQuery, branches: c.branches, forward: c.forward, merge: c.merge,
		hidden: pl.hidden, sparse: c.sparse, order: pl.order, rejected: rejected,
		consistent: c.path.kind != globalPath && pl.opts.consistent(),
		hydrate:    c.hydrate, hydrateConsistent: pl.opts.consistent(),
	}
	if len(p.branches) == 0 {
		p.kind = ""
		return p, nil
	}
	filtered := slices.ContainsFunc(p.branches, func(b branch) bool { return len(b.residual) > 0 })
	p.filtered = filtered
	if c.whole && !filtered {
		p.kind = OpGetItem
		if len(p.branches) > 1 {
			p.kind = OpBatchGetItem
		}
	}
	for i := range p.branches {
		pl.render(p, &p.branches[i])
		if n := len(p.branches[i].request.filter); n > maxExpression {
			return nil, faultf(ErrTooLarge, "the filter takes %d bytes, over the limit of %d", n, maxExpression)
		}
	}
	return p, nil
}

// render writes the expressions of a branch.
func (pl *planner) render(p *plan, b *branch) {
	var (
		w expr.Builder
		r = &b.request
	)
	if p.kind == OpQuery {
		if p.path.native {
			r.key = renderNative(b.native, &w)
		} else {
			r.key = b.sk.render(&w, p.path.pk.attr, b.pk, p.path.sk.attr)
		}
	}
	if p.unique != nil {
		filter := cond{op: opAnd, subs: b.residual}
		r.filter = filter.render(&w)
	}
	if p.kind == OpQuery || p.kind == OpScan {
		conds := b.residual
		raw := pl.opts.raw
		if raw == nil && (p.kind == OpScan || !p.path.singledOut(b.sk)) || raw != nil && !raw.anyType {
			conds = append(slices.Clip(conds), pl.e.typeCond())
		}
		if len(pl.hidden) > 0 {
			conds = append(slices.Clip(conds), pl.hidden...)
		}
		filter := cond{op: opAnd, subs: conds}
		r.filter = filter.render(&w)
	}
	r.names, r.values = w.NameList(), w.ValueList()
	if p.hydrate {
		var table expr.Builder
		r.hydration = pl.projection(p.path, &table)
		r.hydrationNames = table.NameList()
	} else if r.projection = pl.projection(p.path, &w); r.projection != "" {
		r.projectionNames = w.NameList()
	}
	r.now = slices.Index(r.values, nowValue)
}

// typeCond is the condition that an item is the entity's.
func (e *entity) typeCond() cond {
	return cond{op: opEq, attr: e.schema.cfg.EntityType, vals: []types.AttributeValue{stringValue(e.def.Name)}}
}

// Plan says how a query runs. It is what [Query.Explain] returns.
type Plan struct {
	// Entity is the entity's name.
	Entity string
	// Operation is OpQuery, OpGetItem, OpBatchGetItem or OpScan; empty where
	// the conditions contradict each other, so that no request is sent.
	Operation OpKind
	// Index is the index read, empty for the table itself; For is what declared
	// it: an index, field or relation.
	Index, For string
	// Keys are the key conditions, one for each request that starts a list of
	// pages. They hold the values asked for.
	Keys []string
	// Filters are the filters of the requests, one for each key condition,
	// empty ones included. A filter discards items after they were read and
	// paid for.
	Filters []string
	// Descending reports that the sort key is read from its end.
	Descending bool
	// Consistent reports strongly consistent reads.
	Consistent bool
	// Requests is the least number of requests that List sends, and ReadUnits
	// the least number of read units that they use: those of items of up to 4
	// KB, one for each key condition.
	Requests  int
	ReadUnits float64
	// Notes say what else there is to know, a sentence each.
	Notes []string
	// Rejected are the other ways there were, and why each was not taken.
	Rejected []Candidate
}

// Candidate is a way that a query did not take.
type Candidate struct {
	// Index is the index, empty for the table itself; For is what declared it.
	Index, For string
	// PK and SK are the patterns of its keys.
	PK, SK string
	// Reason says why it was not taken, as the rest of a sentence about it.
	Reason string
}

// String returns the candidate and its reason on one line.
func (c Candidate) String() string {
	where := "table"
	if c.Index != "" {
		where = c.Index
		if c.For != c.Index {
			where += " (" + c.For + ")"
		}
	}
	return where + ": " + c.Reason
}

func rejection(p *accessPath, reason string) Candidate {
	c := Candidate{Index: p.index, For: p.name, PK: p.pk.pattern(), SK: p.sk.pattern(), Reason: reason}
	if p.index == "" {
		c.For = ""
	}
	return c
}

// explain describes the plan.
func (p *plan) explain() *Plan {
	x := &Plan{
		Entity: p.e.def.Name, Operation: p.kind, Index: p.path.index, For: p.path.name,
		Descending: !p.forward, Consistent: p.consistent, Rejected: p.rejected,
	}
	if p.path.index == "" {
		x.For = ""
	}
	x.Requests, x.ReadUnits = len(p.branches), float64(len(p.branches))/2
	if p.kind == OpBatchGetItem {
		x.Requests = (len(p.branches) + maxBatchGet - 1) / maxBatchGet
	}
	if p.consistent {
		x.ReadUnits *= 2
	}
	if p.unique != nil {
		x.Requests, x.ReadUnits = 2, 2
		x.Notes = append(x.Notes, "The claim of "+p.unique.name+", which is unique, names the item that is then read.")
	}
	if p.kind == OpScan {
		x.Keys, x.Filters = []string{"none: everything is read"}, []string{p.branches[0].request.describeFilter()}
		if n := len(p.branches); n > 1 {
			x.Notes = append(x.Notes, fmt.Sprintf("It is read in %d segments.", n))
		}
		return x
	}
	for i := range p.branches {
		b := &p.branches[i]
		key := p.path.pk.attr + " = " + b.pk
		if text := b.sk.describe(p.path.sk.attr); text != "" {
			key += " and " + text
		}
		if p.path.native {
			key = describeNative(b.native)
		}
		x.Keys = append(x.Keys, key)
		x.Filters = append(x.Filters, b.request.describeFilter())
	}
	if len(p.sparse) > 0 {
		x.Notes = append(x.Notes, "Items without "+quotedList(p.sparse)+" have no entry in "+p.path.where()+" and are not found.")
	}
	if p.hydrate {
		x.Notes = append(x.Notes, "The items are read from the table by the keys that the index gives.")
	}
	if p.merge {
		x.Notes = append(x.Notes, fmt.Sprintf("The items of %d key conditions are merged in order.", len(p.branches)))
	}
	return x
}

// describeFilter is the filter with its names and values in their places.
func (q *branchRequest) describeFilter() string {
	var s strings.Builder
	for i := 0; i < len(q.filter); {
		c := q.filter[i]
		if c != '#' && c != ':' {
			s.WriteByte(c)
			i++
			continue
		}
		end := i + 1
		for end < len(q.filter) && '0' <= q.filter[end] && q.filter[end] <= '9' {
			end++
		}
		switch n, _ := strconv.Atoi(q.filter[i+1 : end]); {
		case c == '#':
			s.WriteString(q.names[n])
		case n == q.now:
			s.WriteString("now")
		default:
			s.WriteString(describeValue(q.values[n]))
		}
		i = end
	}
	return s.String()
}

// describeValue writes a value as people read it.
func describeValue(av types.AttributeValue) string {
	switch av := av.(type) {
	case *types.AttributeValueMemberS:
		return fmt.Sprintf("%q", av.Value)
	case *types.AttributeValueMemberN:
		return av.Value
	case *types.AttributeValueMemberBOOL:
		return fmt.Sprint(av.Value)
	case *types.AttributeValueMemberNULL:
		return "null"
	case *types.AttributeValueMemberB:
		return fmt.Sprintf("%d bytes", len(av.Value))
	}
	kind := strings.TrimPrefix(fmt.Sprintf("%T", av), "*types.AttributeValueMember")
	return "a value of type " + kind
}

func requests(n int) string {
	if n == 1 {
		return "1 request"
	}
	return fmt.Sprint(n, " requests")
}

// String returns the plan on several lines.
func (p *Plan) String() string {
	var s strings.Builder
	where := "the table"
	if p.Index != "" {
		where = p.Index
		if p.For != p.Index {
			where += " (" + p.For + ")"
		}
	}
	if p.Operation == "" {
		fmt.Fprintf(&s, "nothing to ask for: no %s can match\n", p.Entity)
	} else {
		fmt.Fprintf(&s, "%s %s on %s", p.Operation, p.Entity, where)
		if p.Descending {
			s.WriteString(", descending")
		}
		if p.Consistent {
			s.WriteString(", consistent")
		}
		s.WriteByte('\n')
	}
	for i, key := range p.Keys {
		fmt.Fprintf(&s, "  key     %s\n", key)
		if p.Filters[i] != "" {
			fmt.Fprintf(&s, "  filter  %s\n", p.Filters[i])
		}
	}
	if p.Requests > 0 {
		fmt.Fprintf(&s, "  cost    at least %s, %g read units\n", requests(p.Requests), p.ReadUnits)
	}
	for _, note := range p.Notes {
		fmt.Fprintf(&s, "  note    %s\n", note)
	}
	for _, c := range p.Rejected {
		fmt.Fprintf(&s, "  not     %s\n", c)
	}
	return s.String()
}
