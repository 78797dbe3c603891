package expr

import "strings"

// ReservedWords returns the reserved words for tests.
func ReservedWords() []string { return strings.Fields(reservedWords) }

// Len returns the number of entries for tests.
func (c *Cache) Len() int { return len(c.entries) }

// CacheSize bounds the entries of a Cache.
const CacheSize = cacheSize
