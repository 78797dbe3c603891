package expr

import (
	"strings"
	"sync"
)

// Cache keeps the syntax of expressions that were read before. It holds a
// bounded number of them, is safe for use by several goroutines, and works as
// its zero value.
type Cache struct {
	mu      sync.RWMutex
	entries map[cacheKey]*syntax
}

type cacheKey struct {
	grammar grammar
	text    string
}

// cacheSize bounds the entries, and with MaxSize the bytes.
const cacheSize = 1024

// parse returns the syntax of a text, or its fault. A nil Cache keeps nothing.
func (c *Cache) parse(g grammar, text string) (*syntax, string) {
	if c == nil {
		return parse(g, text)
	}
	c.mu.RLock()
	syn := c.entries[cacheKey{g, text}]
	c.mu.RUnlock()
	if syn != nil {
		return syn, ""
	}
	text = strings.Clone(text) // it may be a part of a large request
	syn, fault := parse(g, text)
	if fault != "" {
		return nil, fault
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.entries == nil {
		c.entries = map[cacheKey]*syntax{}
	}
	key := cacheKey{g, text}
	if _, raced := c.entries[key]; !raced && len(c.entries) >= cacheSize {
		for k := range c.entries { // any will do: what is in use comes back
			delete(c.entries, k)
			break
		}
	}
	c.entries[key] = syn
	return syn, ""
}
