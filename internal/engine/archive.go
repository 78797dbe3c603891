package engine

import (
	"fmt"
	"time"

	"github.com/tidwall/btree"
)

// archive is what the engine keeps beside its tables. The engine's lock guards
// it.
type archive struct {
	backups btree.Map[string, *backup] // by ARN
	last    int64                      // the milliseconds that the last id began with
}

// copy returns a copy that neither sees the other's later changes. What is
// archived is replaced, never changed.
func (a *archive) copy() archive {
	c := *a
	c.backups = *a.backups.Copy()
	return c
}

// nextID returns an id as backups, exports and imports have them. Ids sort in
// the order in which they were given out.
func (a *archive) nextID(now time.Time) string {
	a.last = max(now.UnixMilli(), a.last+1)
	return fmt.Sprintf("%014d-%08x", a.last, uint32(spread(fmt.Append(nil, a.last))))
}
