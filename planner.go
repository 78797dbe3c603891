package dynorm

import (
	"errors"

	"github.com/dynorm/dynorm/internal/codec"
)

// maxBranches bounds the key conditions that one query fans out to.
const maxBranches = 100

// planner finds the way of one query.
type planner struct {
	e    *entity
	opts *queryOptions

	conds  []cond      // what the caller asked for, all of which must hold
	hidden []cond      // what the library adds: soft deletes, time to live
	order  []orderTerm // without fields that an equality fixes
	// verbose has reasons written out: where a query is refused or explained,
	// but not where it only runs.
	verbose bool
	// selects are the fields of a projection, none for whole items.
	selects []*codec.Field
	// needs are fields that have to be read with them.
	needs []*codec.Field
}

// orderTerm is one field to sort by.
type orderTerm struct {
	ref  fieldRef
	name string
	attr string
	desc bool
}

// candidate is an access path that answers the query.
type candidate struct {
	path     *accessPath
	branches []branch
	forward  bool
	merge    bool
	complete bool // no matching item can be missing from the path
	sparse   []string
	consumed int // conditions that the key answers
	whole    bool
	hydrate  bool // items are completed from the table
	pks      int  // partitions to read
}

// why returns a reason: something that stands for it unless reasons are wanted.
func (pl *planner) why(reason func() string) string {
	if pl.verbose {
		return reason()
	}
	return "no"
}

// errUnanswered stands for a NoIndexError where reasons are not wanted.
var errUnanswered = errors.New("no path answers")

// plan finds the best access path, or a [*NoIndexError].
func (pl *planner) plan() (*plan, error) {
	var (
		best     candidate
		fits     bool // there is a best one
		rejected []Candidate
		strong   string // a path that fits but for the consistency asked for
		found    bool   // the index the query is pinned to
	)
	reject := func(p *accessPath, reason string) {
		if pl.verbose {
			rejected = append(rejected, rejection(p, reason))
		}
	}
	for _, p := range pl.e.paths() {
		if pin := pl.opts.index; pin != "" && pin != p.index && pin != p.name {
			continue
		}
		found = true
		c, reason := pl.try(p)
		if reason == "" && pl.opts.consistency == strongly && p.kind == globalPath {
			reason, strong = "is a global index, whose reads are eventually consistent", p.where()
		}
		switch {
		case reason != "":
			reject(p, reason)
		case !fits:
			best, fits = c, true
		case c.betterThan(&best):
			reject(best.path, pl.why(func() string { return "answers it too, but " + best.worse(&c) }))
			best = c
		default:
			reject(p, pl.why(func() string { return "answers it too, but " + c.worse(&best) }))
		}
	}
	if !fits || !best.whole {
		if p := pl.lookup(rejected); p != nil {
			if fits {
				p.rejected = append(p.rejected, rejection(best.path, "answers it too, but the value is unique"))
			}
			return p, nil
		}
	}
	switch {
	case fits:
		return pl.finish(&best, rejected)
	case !found:
		return nil, pl.unknownIndex()
	case strong != "":
		return nil, faultf(ErrInvalid, "Consistent: %s answers the query and is a global index, whose reads are only eventually consistent", strong)
	}
	if pl.opts.scan != nil {
		if p := pl.scan(rejected); p != nil {
			return p, nil
		}
	}
	if !pl.verbose {
		return nil, errUnanswered
	}
	return nil, &NoIndexError{Entity: pl.e.def.Name, Candidates: rejected, Suggestion: pl.suggestion()}
}

// betterThan orders the candidates of one query: complete ones first, then by
// what they read, then the table before its indexes.
func (c *candidate) betterThan(d *candidate) bool {
	switch {
	case c.complete != d.complete:
		return c.complete
	case c.whole != d.whole:
		return c.whole
	case c.hydrate != d.hydrate:
		return d.hydrate
	case c.pks != d.pks:
		return c.pks < d.pks
	case c.consumed != d.consumed:
		return c.consumed > d.consumed
	case c.path.trash != d.path.trash:
		return c.path.trash
	case c.path.kind != d.path.kind:
		return c.path.kind < d.path.kind
	}
	// A condition that the query implies leaves fewer items to read.
	return c.path.when != nil && d.path.when == nil
}

// worse says why c lost against d.
func (c *candidate) worse(d *candidate) string {
	switch {
	case c.complete != d.complete:
		return "it lacks items without " + quotedList(c.sparse) + ", which " + d.path.where() + " has"
	case c.whole != d.whole:
		return d.path.where() + " reads the items by their whole key"
	case c.hydrate != d.hydrate:
		return d.path.where() + " has all fields of the items"
	case c.pks != d.pks:
		return d.path.where() + " reads fewer partitions"
	case c.consumed != d.consumed:
		return "the key of " + d.path.where() + " answers more of the conditions"
	case !c.path.trash && d.path.trash, c.path.kind == d.path.kind && c.path.when == nil && d.path.when != nil:
		return d.path.where() + " holds only items where " + d.path.when.String()
	}
	return d.path.where() + " goes first"
}

// try plans the query on one path, or says why it does not fit.
func (pl *planner) try(p *accessPath) (c candidate, reason string) {
	pinned := pl.opts.index != ""
	if !pinned {
		if term := pl.unmetWhen(p); term != "" {
			return c, pl.why(func() string { return "holds only items where " + term + ", which the query does not ask for" })
		}
	}
	if name := p.comparesKey(pl.hidden); name != "" {
		return c, pl.why(func() string {
			return "has " + name + " as a key, by which deleted and expired items are told and which a filter can't compare"
		})
	}
	c.path = p
	if c.branches, reason = pl.branches(p); reason != "" {
		return c, reason
	}
	if len(c.branches) > 0 {
		c.consumed = len(pl.conds) - len(c.branches[0].residual)
	}
	if reason, c.hydrate = pl.lacks(p, c.branches); reason != "" {
		return c, reason
	}
	if reason := c.settle(pl); reason != "" {
		return c, reason
	}
	c.sparse = pl.missing(p)
	c.complete = len(c.sparse) == 0 || pinned
	return c, ""
}

// quotedList joins names for a sentence.
func quotedList(names []string) string {
	text := ""
	for i, n := range names {
		switch {
		case i == 0:
		case i == len(names)-1:
			text += " or "
		default:
			text += ", "
		}
		text += n
	}
	return text
}
