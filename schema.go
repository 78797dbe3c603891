package dynorm

import (
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"sync"

	"github.com/dynorm/dynorm/parser"
)

// Markers of an entity's struct: blank fields that carry a tag.
//
//	type Order struct {
//		_ dynorm.Entity `dynorm:"Order,timestamps"`
//		_ dynorm.Key    `pk:"USER#{UserID}" sk:"ORDER#{ID}"`
//		_ dynorm.Index  `dynorm:"byStatus" pk:"STATUS#{Status}" sk:"{PlacedAt}"`
//		_ dynorm.Unique `dynorm:"TenantID,Number"`
//		...
//	}
type (
	// Entity names the entity and its traits.
	Entity = parser.EntityMarker
	// Key gives the templates of the partition and the sort key.
	Key = parser.KeyMarker
	// Index asks for an index.
	Index = parser.IndexMarker
	// Unique asks for uniqueness over several fields.
	Unique = parser.UniqueMarker
)

// SchemaConfig chooses the names a schema uses in its table, so that an
// existing table can be modelled as it stands. The zero value is useful.
type SchemaConfig struct {
	// PK and SK name the key attributes. Default to "pk" and "sk".
	PK, SK string
	// EntityType names the attribute that holds the entity's name. Defaults to
	// "_et".
	EntityType string
	// Delimiter separates the segments of keys: one ASCII punctuation
	// character. Defaults to "#".
	Delimiter string
	// Indexes names the global secondary indexes and their key attributes, by
	// slot: the first is GSI 1. Slots beyond the list are called GSI1, GSI2, ...
	// with the key attributes gsi1pk and gsi1sk, gsi2pk and gsi2sk, ...
	Indexes []IndexConfig
	// LocalIndexes names the local secondary indexes likewise. Those beyond the
	// list are called LSI1, LSI2, ... with the key attributes lsi1sk, lsi2sk,
	// ... Their PK is the table's.
	LocalIndexes []IndexConfig
	// NativeIndexes makes every index native that can be, those of fields and
	// relations included: its keys are the fields that the templates name, without
	// the words around them, in place of built strings. It takes no key attributes
	// beside the fields, but entities share an index only where their fields are
	// called alike, so that there are more indexes, and their items are then told
	// apart by a filter. Templates with a shard, a format, a modifier, more than
	// four fields or no field at all, and those under a condition, stay built.
	// [Schema.Explain] says which and why. Defaults to false: an index is native
	// where its tag says so.
	NativeIndexes bool
	// Lock is what [Lock.JSON] wrote: the assignment of entries to indexes as
	// it stands. Defaults to none: entries are then placed in declared order.
	Lock []byte
	// Table says how the table is made.
	Table TableConfig
}

// IndexConfig names one global secondary index and its key attributes.
type IndexConfig struct {
	// Name is the index name. Defaults to "GSI" and the slot.
	Name string
	// PK and SK name its key attributes. Default to "gsi", the slot, and "pk"
	// or "sk".
	PK, SK string
}

// Schema is a set of entities compiled for one table: key templates, index
// placement and codecs. It is immutable and safe for concurrent use.
type Schema struct {
	cfg      SchemaConfig
	entities []*entity
	byName   map[string]*entity
	byType   map[reflect.Type]*entity
	slots    []*slot // global secondary indexes
	locals   []*slot // local secondary indexes
	lock     Lock
	given    []any     // the models as given
	paths    sync.Once // derives the access paths

	// scoped are the attributes that carry a tenant's prefix where there is one.
	scoped   map[string]bool
	encrypts bool // there are encrypted fields
}

// NewSchema compiles entities into a schema. Each model is a value of a tagged
// struct or a pointer to one (its fields are not looked at), a
// [parser.Entity], or at most one [SchemaConfig].
//
// It does no I/O. Every fault of every model is reported at once, joined; each
// is a [*parser.DefinitionError] and all match [ErrDefinition].
func NewSchema(models ...any) (*Schema, error) {
	s := &Schema{byName: map[string]*entity{}, byType: map[reflect.Type]*entity{}, given: slices.Clone(models)}
	m := modelSet{faulty: map[string][]*parser.DefinitionError{}}
	configured := false
	for i, model := range models {
		if cfg, ok := model.(SchemaConfig); ok {
			if configured {
				m.faults = append(m.faults, faultf(ErrDefinition, "two SchemaConfig values given: keep one"))
			}
			s.cfg, configured = cfg, true
			continue
		}
		m.read(i, model)
	}
	unusable := s.cfg.complete()
	if len(s.cfg.Lock) > 0 {
		var err error
		if s.lock, err = ParseLock(s.cfg.Lock); err != nil {
			unusable = append(unusable, err)
		}
	}
	if len(models) == 0 || len(m.defs) == 0 && len(m.faults)+len(unusable) == 0 {
		unusable = append(unusable, errors.New("no entities given"))
	}
	m.resolve()
	if len(unusable) > 0 {
		return nil, definitionError(append(m.faults, unusable...))
	}
	sounds, keyless := m.sounds()
	m.addPivots(s.cfg.Delimiter)
	for i := range m.defs {
		def := &m.defs[i]
		if keyless[def.Name] {
			m.faults = append(m.faults, s.constantFaults(def)...)
			continue
		}
		part := sounds[def.Name]
		if part != nil {
			def = &part.def
		}
		e, faults := s.compile(*def, m.goTypes[i])
		if e != nil {
			e.sound = part
			faults = append(faults, s.add(e, m.goTypes[i])...)
		}
		m.faults = append(m.faults, faults...)
	}
	m.faults = append(m.faults, s.checkPrefixes(m.defs)...)
	if m.faults = append(m.faults, s.derive()...); len(m.faults) > 0 {
		return nil, definitionError(m.faults)
	}
	s.scoped = s.scopedAttrs()
	s.encrypts = slices.ContainsFunc(s.entities, func(e *entity) bool { return e.encrypted != nil })
	return s, nil
}

// add adds a compiled entity, whose Go type is nil for a definition without one.
func (s *Schema) add(e *entity, typ reflect.Type) (faults []error) {
	if s.byName[e.def.Name] != nil {
		return []error{&parser.DefinitionError{
			Type: e.def.Name, Fault: "two entities have this name",
			Suggestion: "name one of them in its dynorm.Entity tag",
		}}
	}
	s.entities = append(s.entities, e)
	s.byName[e.def.Name] = e
	if typ != nil {
		s.byType[e.typ] = e
	}
	return nil
}

// modelSet is what the models given to [NewSchema] define.
type modelSet struct {
	defs    []parser.Entity
	goTypes []reflect.Type // of defs, nil for a definition without one
	faults  []error
	faulty  map[string][]*parser.DefinitionError // by entity
}

// read reads the i-th model.
func (m *modelSet) read(i int, model any) {
	var (
		def parser.Entity
		typ reflect.Type
		err error
	)
	switch given := model.(type) {
	case nil:
		m.faults = append(m.faults, faultf(ErrDefinition, "model %d is nil: give a struct value", i+1))
		return
	case parser.Entity:
		def, err = parser.Complete(given)
		typ = def.Reflect
	default:
		if typ = reflect.TypeOf(model); typ.Kind() == reflect.Pointer {
			typ = typ.Elem()
		}
		def, err = parser.Parse(typ)
	}
	if err != nil {
		m.faults = append(m.faults, err)
		m.faulty[def.Name] = faultsOf(err)
	}
	m.defs, m.goTypes = append(m.defs, def), append(m.goTypes, typ)
}

// resolve checks the relations of the definitions against each other.
func (m *modelSet) resolve() {
	err := parser.Resolve(m.defs)
	if err == nil {
		return
	}
	m.faults = append(m.faults, err)
	for _, fault := range faultsOf(err) {
		for i := range m.defs {
			if def := &m.defs[i]; def.Name == fault.Type || def.Reflect != nil && def.Reflect.Name() == fault.Type {
				m.faulty[def.Name] = append(m.faulty[def.Name], fault)
			}
		}
	}
}

// sounds are the parts of the faulty entities that can be checked, by name: a
// fault does not keep what else there is from it. Entities without a key, and
// those in their partitions, have none.
func (m *modelSet) sounds() (sounds map[string]*sound, keyless map[string]bool) {
	sounds, keyless = map[string]*sound{}, map[string]bool{}
	for i := range m.defs {
		name := m.defs[i].Name
		if list, ok := m.faulty[name]; ok {
			if part, ok := soundPart(m.defs[i], list); ok {
				sounds[name] = &part
			} else {
				keyless[name] = true
			}
		}
	}
	for i := range m.defs {
		for j := range m.defs[i].Relations {
			if rel := &m.defs[i].Relations[j]; rel.Kind == parser.BelongsTo && rel.Collection && keyless[rel.Target] {
				keyless[m.defs[i].Name] = true
			}
		}
	}
	return sounds, keyless
}

// addPivots adds the pivots that relations need and no model defines.
func (m *modelSet) addPivots(delimiter string) {
	for _, pivot := range derivePivots(m.defs, delimiter) {
		def, err := parser.Complete(pivot)
		if err != nil {
			m.faults = append(m.faults, err)
			continue
		}
		m.defs, m.goTypes = append(m.defs, def), append(m.goTypes, nil)
	}
}

// constantFaults reports the indexes of one partition of an entity that has
// other faults and is not compiled.
func (s *Schema) constantFaults(def *parser.Entity) (faults []error) {
	spread := "ID"
	for _, f := range def.Fields {
		if f.Primary {
			spread = f.Name
		}
	}
	for _, ix := range def.Indexes {
		if fault := s.constantFault(def, ix, spread); fault != nil {
			faults = append(faults, fault)
		}
	}
	return faults
}

// derive compiles the keys of all entities and places their index entries. What
// one entity lacks does not keep the others from being checked.
func (s *Schema) derive() (faults []error) {
	for _, e := range s.entities {
		faults = append(faults, e.bindKeys()...)
		faults = append(faults, e.bindUniques()...)
	}
	for _, e := range s.entities {
		faults = append(faults, e.deriveDemands()...)
		for _, d := range e.demands {
			faults = append(faults, e.bindDemand(d)...)
		}
	}
	faults = append(faults, s.checkLock()...)
	faults = append(faults, s.placeIndexes()...)
	for _, e := range s.entities {
		for _, d := range e.demands {
			d.named()
		}
	}
	for _, e := range s.entities {
		faults = append(faults, e.checkReserved()...)
	}
	faults = append(faults, s.checkTTL()...)
	if faults = append(faults, s.checkKeys()...); len(faults) > 0 {
		return faults
	}
	for _, e := range s.entities {
		e.straight = e.encodesStraight()
	}
	return nil
}

// Entities returns the definitions, in the order given to NewSchema.
func (s *Schema) Entities() []parser.Entity {
	defs := make([]parser.Entity, len(s.entities))
	for i, e := range s.entities {
		defs[i] = e.def
	}
	return defs
}

// complete fills the defaults in and returns what contradicts.
func (c *SchemaConfig) complete() (faults []error) {
	c.PK = orDefault(c.PK, "pk")
	c.SK = orDefault(c.SK, "sk")
	c.EntityType = orDefault(c.EntityType, "_et")
	c.Delimiter = orDefault(c.Delimiter, "#")
	if len(c.Delimiter) != 1 {
		faults = append(faults, fmt.Errorf("SchemaConfig.Delimiter is %q: give one ASCII punctuation character", c.Delimiter))
	}
	faults = append(faults, c.Table.check()...)
	c.Table.Tags = maps.Clone(c.Table.Tags)
	c.Indexes = append([]IndexConfig(nil), c.Indexes...)
	names := configNames{attrs: map[string]string{}, indexes: map[string]bool{}, faults: faults}
	names.attr(c.PK, "PK")
	names.attr(c.SK, "SK")
	names.attr(c.EntityType, "EntityType")
	for i := range c.Indexes {
		ix := c.slotNames(i + 1)
		c.Indexes[i] = ix
		names.index(ix.Name, "Indexes")
		by := fmt.Sprintf("Indexes[%d]", i)
		switch own := []string{c.PK, c.SK}; {
		case ix.PK == c.SK && ix.SK == c.PK: // the table's key the other way round
		case slices.Contains(own, ix.PK) || slices.Contains(own, ix.SK):
			names.fault("SchemaConfig.%s shares a key attribute with the table: it may only be the table's key the other way round, PK %q and SK %q", by, c.SK, c.PK)
		default:
			names.attr(ix.PK, by)
			names.attr(ix.SK, by)
		}
	}
	c.LocalIndexes = slices.Clone(c.LocalIndexes)
	for i := range c.LocalIndexes {
		ix := c.localNames(i + 1)
		if own := c.LocalIndexes[i].PK; own != "" && own != c.PK {
			names.fault("SchemaConfig.LocalIndexes[%d].PK is %q: a local index has the table's partition key, %q", i, own, c.PK)
		}
		c.LocalIndexes[i] = ix
		names.index(ix.Name, "LocalIndexes")
		names.attr(ix.SK, fmt.Sprintf("LocalIndexes[%d]", i))
	}
	return names.faults
}

// configNames are the names that a SchemaConfig gives, and what contradicts.
type configNames struct {
	attrs   map[string]string // what names each attribute
	indexes map[string]bool
	faults  []error
}

func (n *configNames) fault(format string, args ...any) {
	n.faults = append(n.faults, fmt.Errorf(format, args...))
}

func (n *configNames) attr(attr, by string) {
	if prev, ok := n.attrs[attr]; ok {
		n.fault("SchemaConfig.%s and SchemaConfig.%s both name the attribute %q", prev, by, attr)
	}
	n.attrs[attr] = by
}

func (n *configNames) index(name, list string) {
	if n.indexes[name] {
		n.fault("SchemaConfig.%s names %q twice", list, name)
	}
	n.indexes[name] = true
}

// slotNames returns the names of a global index, counted from 1.
func (c *SchemaConfig) slotNames(n int) IndexConfig {
	var ix IndexConfig
	if n <= len(c.Indexes) {
		ix = c.Indexes[n-1]
	}
	ix.Name = orDefault(ix.Name, fmt.Sprintf("GSI%d", n))
	ix.PK = orDefault(ix.PK, fmt.Sprintf("gsi%dpk", n))
	ix.SK = orDefault(ix.SK, fmt.Sprintf("gsi%dsk", n))
	return ix
}

// localNames returns the names of a local index, counted from 1.
func (c *SchemaConfig) localNames(n int) IndexConfig {
	var ix IndexConfig
	if n <= len(c.LocalIndexes) {
		ix = c.LocalIndexes[n-1]
	}
	ix.Name = orDefault(ix.Name, fmt.Sprintf("LSI%d", n))
	ix.PK = c.PK
	ix.SK = orDefault(ix.SK, fmt.Sprintf("lsi%dsk", n))
	return ix
}

func orDefault(s, def string) string {
	if s == "" {
		return def
	}
	return s
}

// definitionError joins faults under ErrDefinition.
func definitionError(faults []error) error {
	return &fault{kind: ErrDefinition, text: "dynorm: " + errors.Join(faults...).Error(), err: errors.Join(faults...)}
}
