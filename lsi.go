package dynorm

import (
	"fmt"
	"slices"

	"github.com/dynorm/dynorm/internal/codec"
	"github.com/dynorm/dynorm/parser"
)

// maxLSIs is the number of local secondary indexes that a table may have: they
// are made with the table and never changed.
const maxLSIs = 5

// localFault refuses a local index where it sorts nothing: a partition holds
// one item of the entity. It names the global index that would do.
func (e *entity) localFault(ix parser.Index) error {
	if e.pk == nil || e.sk == nil {
		return nil // the key has a fault of its own
	}
	if e.manyPerPartition() {
		return nil
	}
	return &parser.DefinitionError{
		Type: e.def.Name, Field: "index " + ix.Name, Tag: "lsi",
		Fault: fmt.Sprintf("a local index sorts the items of one partition, and the partition %s holds one %s at most",
			e.pk.key.Pattern(), e.def.Name),
		Suggestion: fmt.Sprintf("take a global index: %s, or make a %s part of a `collection`", e.globalFor(ix), e.def.Name),
	}
}

// globalFor is the tag of the global index that does what a local one can't: it
// sorts the items of what they belong to, or else all items, spread over shards.
func (e *entity) globalFor(ix parser.Index) string {
	name, partition := ix.Name, e.template(e.def.Prefix)+e.delim()+fmt.Sprintf("{%s|shard=8}", e.shardField())
	for _, rel := range e.def.Relations {
		if other := e.schema.byName[rel.Target]; rel.Kind == parser.BelongsTo && other != nil {
			partition = e.template(other.def.Prefix) + e.delim() + "{" + rel.Foreign + "}"
			break
		}
	}
	sk := ix.SK
	for _, field := range ix.SKParts {
		sk += "{" + field + "}"
	}
	return fmt.Sprintf("dynorm:%q pk:%q sk:%q", name, partition, sk)
}

// manyPerPartition reports whether a partition of the table can hold many items
// of the entity: its sort key says what the partition key does not.
func (e *entity) manyPerPartition() bool {
	return slices.ContainsFunc(e.sk.fields, func(f *codec.Field) bool {
		return !slices.ContainsFunc(e.pk.fields, func(p *codec.Field) bool { return attrID(p) == attrID(f) })
	})
}
