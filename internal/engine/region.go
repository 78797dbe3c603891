package engine

import (
	"maps"
	"slices"
	"sync"
)

// world is the engines of an account's regions, which know of each other.
type world struct {
	mu      sync.Mutex // taken last: but for the disk's list of edits, no other lock is taken under it
	regions map[string]*Engine
}

// Region returns the engine of another region, which is empty at first. Tables
// that have replicas there are kept alike. It returns e for e's own region.
func (e *Engine) Region(name string) *Engine {
	w := e.world
	w.mu.Lock()
	defer w.mu.Unlock()
	if there, ok := w.regions[name]; ok {
		return there
	}
	there := e.found(name)
	w.regions[name] = there
	there.keepRegion()
	return there
}

// found returns an empty engine of another region of e's world.
func (e *Engine) found(name string) *Engine {
	cfg := e.cfg
	cfg.Region = name
	there := newEngine(cfg)
	there.world, there.disk = e.world, e.disk
	return there
}

// lock locks the engines of all regions, in one order, and returns them with
// what unlocks them. The caller holds none of them.
func (w *world) lock() (engines []*Engine, unlock func()) {
	w.mu.Lock()
	for _, name := range slices.Sorted(maps.Keys(w.regions)) {
		engines = append(engines, w.regions[name])
	}
	w.mu.Unlock()
	for _, e := range engines {
		e.mu.Lock()
	}
	return engines, func() {
		for _, e := range engines {
			e.mu.Unlock()
		}
	}
}
