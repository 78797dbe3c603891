package engine

import (
	"fmt"
	"time"

	"github.com/tidwall/btree"
)

// archive is what the engine keeps beside its tables, by ARN. The engine's
// lock guards it. What is archived is replaced, never changed.
type archive struct {
	backups btree.Map[string, *backup]
	exports btree.Map[string, *export]
	imports btree.Map[string, *imported]
	last    int64 // the milliseconds that the last id began with
}

// copy returns a copy that neither sees the other's later changes.
func (a *archive) copy() archive {
	return archive{*a.backups.Copy(), *a.exports.Copy(), *a.imports.Copy(), a.last}
}

// nextID returns an id as backups, exports and imports have them. Ids sort in
// the order in which they were given out.
func (a *archive) nextID(now time.Time) string {
	a.last = max(now.UnixMilli(), a.last+1)
	return fmt.Sprintf("%014d-%08x", a.last, uint32(spread(fmt.Append(nil, a.last))))
}

// listPage returns the part of a list that a request asks for, and the ARN after
// which the next part begins, "" if there is none.
func listPage[T any](all *btree.Map[string, T], in *listInput, wants func(T) bool) (list []T, next string) {
	last := ""
	all.Ascend(in.start.V, func(arn string, v T) bool {
		if in.start.Set && arn == in.start.V || !wants(v) {
			return true
		}
		if len(list) == int(in.limit.V) {
			next = last
			return false
		}
		list, last = append(list, v), arn
		return true
	})
	return list, next
}
