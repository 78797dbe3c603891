package engine

import (
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"github.com/tidwall/btree"

	"github.com/dynorm/dynorm/internal/engine/store"
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
func (e *Engine) nextID(now time.Time) string {
	e.last = max(now.UnixMilli(), e.last+1)
	e.keepID()
	return fmt.Sprintf("%014d-%08x", e.last, uint32(spread(fmt.Append(nil, e.last))))
}

// keepID notes the last id.
func (e *Engine) keepID() { e.put(idsPart, "last", binary.BigEndian.AppendUint64(nil, uint64(e.last))) }

func (e *Engine) loadID(_ *store.Store, _, text string) error {
	last, ok := parseNumberKey(text)
	if !ok {
		return errors.New("the last id has the wrong size")
	}
	e.last = int64(last)
	return nil
}

// keepArchive notes all that is archived.
func (e *Engine) keepArchive() {
	if e.disk == nil {
		return
	}
	e.keepID()
	for _, b := range e.backups.Values() {
		e.keepBackup(b)
	}
	for _, x := range e.exports.Values() {
		e.keepExport(x)
	}
	for _, m := range e.imports.Values() {
		e.keepImport(m)
	}
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
