package engine

import (
	"github.com/dynorm/dynorm/internal/engine/value"
	"github.com/dynorm/dynorm/internal/engine/wire"
)

// compiled are a request's expressions, parsed and checked. The zero value has
// none: every condition holds and everything is shown.
type compiled struct {
	show []string
}

func (in *exprInput) compile() (c compiled, err error) {
	for _, e := range []wire.Text{in.condition, in.update, in.projection, in.keyCondition, in.filter} {
		if e.Set {
			return c, errInternal
		}
	}
	return c, in.err
}

func (c *compiled) holds(item value.Item) (bool, error)       { return true, nil }
func (c *compiled) keeps(item value.Item) (bool, error)       { return true, nil }
func (c *compiled) apply(item value.Item) (value.Item, error) { return item, nil }
func (c *compiled) updated(item value.Item) value.Item        { return item }
func (c *compiled) checkUpdate(t *tableDef) error             { return nil }
func (c *compiled) projected() []string                       { return nil }
func (c *compiled) span(keys keySchema) (span, error)         { return span{}, errInternal }
func (c *compiled) appendShown(dst []byte, r *record) []byte  { return append(dst, r.json...) }
