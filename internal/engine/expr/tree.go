package expr

import (
	"slices"

	"github.com/dynorm/dynorm/internal/engine/value"
)

// branch is a step of one or more document paths that begin alike. Branches of
// one parent are in order and all of them names, or all of them indexes.
type branch struct {
	step
	leaf int // the path that ends here, or -1
	kids []branch
}

// pathTree joins document paths of which none goes through the place where
// another one ends, or where another one takes a map for a list.
type pathTree struct {
	paths []path
	top   []branch
}

// newPathTree joins paths that the binder finds right. Like the service it
// begins with the last one.
func (b *binder) newPathTree(paths []path) (*pathTree, error) {
	steps := 0
	for _, p := range paths {
		steps += len(p)
	}
	block := make(path, 0, steps)
	t := &pathTree{paths: make([]path, len(paths)), top: make([]branch, 0, len(paths))}
	for i, p := range slices.Backward(paths) {
		if err := b.checkPath(p); err != nil {
			return nil, err
		}
		begin := len(block)
		block = p.appendResolved(block, b.refs)
		t.paths[i] = block[begin:len(block):len(block)]
		if clash, other := t.add(i); clash != "" {
			return nil, b.faultf("Two document paths %s with each other; must remove or rewrite one of these paths;"+
				" path one: %s, path two: %s", clash, t.paths[i], t.paths[other])
		}
	}
	return t, nil
}

// add joins one more path, or tells how it clashes and with which.
func (t *pathTree) add(leaf int) (clash string, other int) {
	at := &t.top
	for depth, s := range t.paths[leaf] {
		if len(*at) > 0 && (*at)[0].isIndex() != s.isIndex() {
			return "conflict", lastLeaf(*at)
		}
		i, found := slices.BinarySearchFunc(*at, s, func(b branch, s step) int { return b.compare(s) })
		last := depth == len(t.paths[leaf])-1
		switch {
		case !found:
			b := branch{step: s, leaf: -1}
			if last {
				b.leaf = leaf
			}
			*at = slices.Insert(*at, i, b)
		case (*at)[i].leaf >= 0:
			return "overlap", (*at)[i].leaf
		case last:
			return "overlap", lastLeaf((*at)[i].kids)
		}
		at = &(*at)[i].kids
	}
	return "", 0
}

func lastLeaf(branches []branch) int {
	for {
		b := branches[len(branches)-1]
		if b.leaf >= 0 {
			return b.leaf
		}
		branches = b.kids
	}
}

// project returns the parts of an item that the paths lead to, in the places
// where they are; the elements of a list move up.
func (t *pathTree) project(it value.Item) value.Item { return projectMap(t.top, it) }

func projectMap(branches []branch, it value.Item) value.Item {
	attrs := make([]value.Attr, 0, min(len(branches), it.Len()))
	for i := range branches {
		b := &branches[i]
		if v := b.project(it.Value(b.name)); !v.IsZero() {
			attrs = append(attrs, value.Attr{Name: b.name, Value: v})
		}
	}
	return value.NewItem(attrs)
}

// project returns the part of v that the branch keeps, if any.
func (b *branch) project(v value.Value) value.Value {
	switch {
	case b.leaf >= 0:
		return v
	case b.kids[0].isIndex():
		var elems []value.Value
		for i := range b.kids {
			kid := &b.kids[i]
			if v.Kind() != value.L || int(kid.index) >= v.Len() {
				break
			}
			if e := kid.project(v.Elems()[kid.index]); !e.IsZero() {
				elems = append(elems, e)
			}
		}
		if len(elems) > 0 {
			return value.List(elems)
		}
	case v.Kind() == value.M:
		if m := projectMap(b.kids, v.Map()); m.Len() > 0 {
			return value.Map(m)
		}
	}
	return value.Value{}
}
