package expr

import (
	"iter"
	"slices"

	"github.com/dynorm/dynorm/internal/engine/value"
)

// Projection is a projection expression that was read.
type Projection struct {
	tree *pathTree
}

// ParseProjection reads a projection expression.
func ParseProjection(text string, scope *Scope) (*Projection, error) {
	syn, refs, err := scope.read(KindProjection, text)
	if err != nil {
		return nil, err
	}
	tree, err := scope.binder(KindProjection, syn, refs).newPathTree(syn.paths)
	if err != nil {
		return nil, err
	}
	return &Projection{tree}, nil
}

// Apply returns the parts of an item that the expression asks for. Elements of
// a list keep their order and close up.
func (p *Projection) Apply(it value.Item) value.Item { return p.tree.project(it) }

// Attributes yields the top-level attributes that the expression names, in the
// order of the text and as often as it names them.
func (p *Projection) Attributes() iter.Seq[string] {
	return attributes(slices.Values(p.tree.paths), nil)
}

// CheckScalars refuses paths into the attributes of a key, which never have
// parts. index tells that it is the key of an index.
func (p *Projection) CheckScalars(keys []string, index bool) error {
	return checkScalars(slices.Values(p.tree.paths), nil, keys, index)
}
