package parser

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"sort"
	"strings"

	"github.com/dynorm/dynorm/internal/suggest"
)

// DefinitionError is one fault of a definition. Parse, ParseAll, Resolve,
// Fields, FromJSON and Reserved report every fault they find, joined with
// errors.Join in declared order, each of this type.
type DefinitionError struct {
	// Type is the struct's or the entity's name.
	Type string
	// Field is the Go name of the field, a dotted path inside embedded and
	// nested structs, "_" for a marker, or empty when the fault is the whole
	// type's.
	Field string
	// Tag is the tag as written, key and all; empty when there is none.
	Tag string
	// Fault says what is wrong.
	Fault string
	// Suggestion says what to do instead, empty when nothing is near.
	Suggestion string
}

// Error returns the fault on one line: where, what, and what to do about it.
func (e *DefinitionError) Error() string {
	text := e.Type
	if e.Field != "" {
		text += "." + e.Field
	}
	if e.Tag != "" {
		text += " " + e.Tag
	}
	text += ": " + e.Fault
	if e.Suggestion != "" {
		text += " (" + e.Suggestion + ")"
	}
	return text
}

// problem is a fault before it is known where it stands.
type problem struct {
	fault      string
	suggestion string
}

// wrong is a problem as formatted. It is called all over the package, and stays
// out of line.
//
//go:noinline
func wrong(format string, args ...any) *problem {
	return &problem{fault: fmt.Sprintf(format, args...)}
}

// but adds what to do instead.
//
//go:noinline
func (p *problem) but(format string, args ...any) *problem {
	p.suggestion = fmt.Sprintf(format, args...)
	return p
}

// near adds the word of the candidates nearest to the one written, or, where
// none is, the candidates.
func (p *problem) near(word string, candidates []string) *problem {
	const most = 12 // candidates that a message lists
	best, ok := suggest.Nearest(word, candidates)
	switch more := len(candidates) - most; {
	case ok:
		p.suggestion = fmt.Sprintf("did you mean %q?", best)
	case more > 0:
		p.suggestion = fmt.Sprintf("there are %s and %d more", strings.Join(candidates[:most], ", "), more)
	case len(candidates) > 1:
		p.suggestion = "there are " + strings.Join(candidates, ", ")
	case len(candidates) == 1:
		p.suggestion = "there is " + candidates[0]
	}
	return p
}

// origin is where a part of a definition was written.
type origin struct {
	// at orders parts as declared: the place of the entity, then index paths.
	at   []int
	typ  string
	name string
	tags tagSet
}

// last is the place of what belongs to a type as a whole.
var last = []int{math.MaxInt}

// sortBy sorts a list by where its elements are, stably. Its one instance for all
// types is a tenth of what slices.SortStableFunc takes in a binary for each.
func sortBy[E any](list []E, at func(E) []int) {
	sort.SliceStable(list, func(i, j int) bool { return slices.Compare(at(list[i]), at(list[j])) < 0 })
}

// faults collects problems as they are met and gives them back in declared
// order.
type faults struct {
	list []placed
}

type placed struct {
	at  []int
	err *DefinitionError
}

// add records a problem of the tag with the given key, or of the part as a
// whole when key is empty. A nil problem is none.
func (f *faults) add(o origin, key string, p *problem) {
	if p == nil {
		return
	}
	f.list = append(f.list, placed{o.at, &DefinitionError{
		Type:       o.typ,
		Field:      o.name,
		Tag:        o.tags.show(key),
		Fault:      p.fault,
		Suggestion: p.suggestion,
	}})
}

// err joins what was collected, each fault once, nil for nothing.
func (f *faults) err() error {
	sortBy(f.list, func(p placed) []int { return p.at })
	seen := map[DefinitionError]bool{}
	var errs []error
	for _, p := range f.list {
		if !seen[*p.err] {
			seen[*p.err] = true
			errs = append(errs, p.err)
		}
	}
	return errors.Join(errs...)
}
