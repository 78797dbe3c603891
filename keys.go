package dynorm

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"unsafe"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/dynorm/dynorm/internal/codec"
	"github.com/dynorm/dynorm/internal/keytmpl"
	"github.com/dynorm/dynorm/parser"
)

// keyTemplate is a key template bound to the fields of an entity.
type keyTemplate struct {
	attr   string // the key attribute it is written to
	limit  int    // bytes; a derived sort key is bound like the partition key it repeats
	key    *keytmpl.Key
	fields []*codec.Field // one for each reference
}

// bindTemplate binds a template to the entity's fields. where names the
// template in errors: "pk", "index byStatus sk".
func (e *entity) bindTemplate(src, attr, where string, role keytmpl.Role) (*keyTemplate, error) {
	fail := func(err error) error {
		return &parser.DefinitionError{Type: e.def.Name, Field: where, Tag: src, Fault: err.Error()}
	}
	tmpl, err := e.schema.parseTemplate(src)
	if err != nil {
		return nil, fail(err)
	}
	kt := &keyTemplate{attr: attr, limit: role.Limit()}
	var inputs []keytmpl.Input
	for _, ref := range tmpl.Refs() {
		f, err := e.codec.Resolve(strings.Join(append([]string{ref.Field}, ref.Path...), "."))
		if err != nil {
			return nil, fail(err)
		}
		in, ok := f.Input()
		if !ok {
			return nil, fail(fmt.Errorf("{%s} is a %s, which has no text form that keys can order: use a string, integer, bool, time or a type with MarshalText", ref.Field, f.Type.Kind))
		}
		in.Name = strings.Join(f.AttrPath(), ".")
		inputs = append(inputs, in)
		kt.fields = append(kt.fields, f)
	}
	kt.key, err = tmpl.Bind(role, inputs)
	if err != nil {
		return nil, fail(err)
	}
	return kt, nil
}

// bindKeys compiles the entity's primary key templates: those of its marker, or
// the derived ones.
func (e *entity) bindKeys() (faults []error) {
	cfg := &e.schema.cfg
	pkSrc, skSrc, skRole, err := e.keySources()
	if err != nil {
		return []error{err}
	}
	pk, err := e.bindTemplate(pkSrc, cfg.PK, "pk", keytmpl.Partition)
	if err != nil {
		faults = append(faults, err)
	}
	sk, err := e.bindTemplate(skSrc, cfg.SK, "sk", skRole)
	if err != nil {
		faults = append(faults, err)
	}
	if len(faults) > 0 {
		return faults
	}
	sk.limit = keytmpl.Sort.Limit()
	e.pk, e.sk = pk, sk
	for _, kt := range []*keyTemplate{e.pk, e.sk} {
		for _, f := range kt.fields {
			if f.OmitEmpty {
				faults = append(faults, &parser.DefinitionError{
					Type: e.def.Name, Field: f.Name,
					Fault:      "is part of the base key, so it can't be omitempty",
					Suggestion: "drop omitempty",
				})
			}
		}
	}
	return faults
}

// keySources returns the text of the primary key templates. A derived sort key
// that repeats the partition key only identifies, so its integers stay plain,
// like the partition key's.
func (e *entity) keySources() (pk, sk string, skRole keytmpl.Role, err error) {
	if k := e.def.Key; k != nil {
		return k.PK, k.SK, keytmpl.Sort, nil
	}
	if e.primary == nil {
		return "", "", 0, &parser.DefinitionError{
			Type: e.def.Name, Fault: "has no primary key",
			Suggestion: "tag a field `dynorm:\",primary\"`, call one ID, or add a dynorm.Key",
		}
	}
	own := e.derivedKey()
	rel, parent, err := e.collectionParent()
	switch {
	case err != nil:
		return "", "", 0, err
	case rel == nil:
		return own, own, keytmpl.Partition, nil
	}
	pk, err = parent.partitionFor(rel.Foreign)
	return pk, own, keytmpl.Sort, err
}

// derivedKey is PREFIX#{primary}.
func (e *entity) derivedKey() string {
	return keytmpl.Literal(e.def.Prefix) + e.schema.cfg.Delimiter + "{" + e.primary.Name + "}"
}

// partitionFor is the template of e's partition with a child's foreign key in
// the place of e's primary key.
func (e *entity) partitionFor(foreign string) (string, error) {
	if e.def.Key == nil {
		return keytmpl.Literal(e.def.Prefix) + e.schema.cfg.Delimiter + "{" + foreign + "}", nil
	}
	tmpl, err := e.schema.parseTemplate(e.def.Key.PK)
	if err != nil {
		return "", err
	}
	refs := tmpl.Refs()
	if len(refs) != 1 || e.primary == nil {
		return "", &parser.DefinitionError{
			Type: e.def.Name, Tag: e.def.Key.PK,
			Fault:      "a child can't live in this partition: its key has more than the one part that a foreign key gives",
			Suggestion: "give the child a dynorm.Key of its own",
		}
	}
	if refs[0].Field != e.primary.Name && refs[0].Field != e.primary.Attr {
		return "", &parser.DefinitionError{
			Type: e.def.Name, Tag: e.def.Key.PK,
			Fault:      "a child can't live in this partition: its key is not made of the primary key",
			Suggestion: "give the child a dynorm.Key of its own",
		}
	}
	src, at := tmpl.String(), refs[0].Offset+1
	return src[:at] + foreign + src[at+len(refs[0].Field):], nil
}

// collectionParent returns the belongsTo relation whose parent's partition e
// lives in, nil when e has a partition of its own.
func (e *entity) collectionParent() (*parser.Relation, *entity, error) {
	var found *parser.Relation
	for i := range e.def.Relations {
		rel := &e.def.Relations[i]
		if rel.Kind != parser.BelongsTo || !rel.Collection {
			continue
		}
		if found != nil {
			return nil, nil, &parser.DefinitionError{
				Type: e.def.Name, Field: rel.Name,
				Fault:      "is a second collection: an item lives in one partition, already that of " + found.Name,
				Suggestion: "drop `collection` from one of them",
			}
		}
		found = rel
	}
	if found == nil {
		return nil, nil, nil
	}
	parent := e.schema.byName[found.Target]
	if parent == nil {
		return nil, nil, fmt.Errorf("%s.%s: no entity %s", e.def.Name, found.Name, found.Target)
	}
	return found, parent, nil
}

// parseTemplate parses a key template with the schema's delimiter.
func (s *Schema) parseTemplate(src string) (*keytmpl.Template, error) {
	return keytmpl.Syntax{Delimiter: s.cfg.Delimiter[0]}.Parse(src)
}

// partsOf reads the parts of the template from a stored item.
func (kt *keyTemplate) partsOf(item Item) ([]keytmpl.Part, error) {
	return kt.partsBy(func(f *codec.Field) (keytmpl.Part, error) { return f.PartOfItem(item) })
}

func (kt *keyTemplate) partsBy(part func(*codec.Field) (keytmpl.Part, error)) ([]keytmpl.Part, error) {
	return kt.appendParts(make([]keytmpl.Part, 0, len(kt.fields)), part)
}

func (kt *keyTemplate) appendParts(parts []keytmpl.Part, part func(*codec.Field) (keytmpl.Part, error)) ([]keytmpl.Part, error) {
	for _, f := range kt.fields {
		p, err := part(f)
		if err != nil {
			return nil, atField(f.Name, faultf(ErrValue, "%w", err))
		}
		parts = append(parts, p)
	}
	return parts, nil
}

// build returns the key text of parts. Missing parts are ErrMissingKey, naming
// the field.
func (kt *keyTemplate) build(parts []keytmpl.Part) (string, error) {
	buf, err := kt.append(make([]byte, 0, 64), parts)
	return string(buf), err
}

// append is build at the end of dst.
func (kt *keyTemplate) append(dst []byte, parts []keytmpl.Part) ([]byte, error) {
	out, err := kt.key.Append(dst, parts)
	if size := len(out) - len(dst); err == nil && size > kt.limit {
		err = &keytmpl.SizeError{Limit: kt.limit, Size: size}
	}
	if err != nil {
		return nil, kt.keyError(err)
	}
	return out, nil
}

func (kt *keyTemplate) keyError(err error) error {
	if me, ok := errors.AsType[*keytmpl.MissingError](err); ok && me.Ref < len(kt.fields) {
		return atField(kt.fields[me.Ref].Name, faultf(ErrMissingKey, "part of the key %s has no value", kt.attr))
	}
	if se, ok := errors.AsType[*keytmpl.SizeError](err); ok {
		return faultf(ErrTooLarge, "key %s takes %d bytes, over the limit of %d", kt.attr, se.Size, se.Limit)
	}
	if ve, ok := errors.AsType[*keytmpl.ValueError](err); ok && ve.Ref < len(kt.fields) {
		return atField(kt.fields[ve.Ref].Name, faultf(ErrValue, "in the key %s: %w", kt.attr, err))
	}
	return faultf(ErrValue, "key %s: %w", kt.attr, err)
}

// baseKey returns the primary key of the struct at v.
func (e *entity) baseKey(v unsafe.Pointer) (Item, error) {
	key, err := e.keyTexts(v)
	if err != nil {
		return nil, err
	}
	return e.keyItem(key), nil
}

// keyTexts are the texts of a primary key.
type keyTexts struct {
	// id identifies the item with the key within the process: the texts, with a
	// byte of zero between them.
	id string
	// cut is the length of the first.
	cut int
}

func (k keyTexts) pk() string { return k.id[:k.cut] }
func (k keyTexts) sk() string { return k.id[k.cut+1:] }

// keyTexts returns the primary key of the struct at v.
func (e *entity) keyTexts(v unsafe.Pointer) (keyTexts, error) {
	var room [128]byte
	id, cut, err := e.appendKey(room[:0], v)
	return keyTexts{string(id), cut}, err
}

// appendKey appends the texts of the primary key of the struct at v to an empty
// buf, as they are in [keyTexts].
func (e *entity) appendKey(buf []byte, v unsafe.Pointer) (id []byte, cut int, err error) {
	var roomPK, roomSK [4]keytmpl.Part
	part := func(f *codec.Field) (keytmpl.Part, error) { return f.Part(v) }
	pkParts, err := e.pk.appendParts(roomPK[:0], part)
	if err != nil {
		return nil, 0, err
	}
	skParts, err := e.sk.appendParts(roomSK[:0], part)
	if err != nil {
		return nil, 0, err
	}
	return e.appendKeyOf(buf, pkParts, skParts)
}

func (e *entity) appendKeyOf(buf []byte, pkParts, skParts []keytmpl.Part) (id []byte, cut int, err error) {
	if id, err = e.pk.append(buf, pkParts); err != nil {
		return nil, 0, err
	}
	cut = len(id)
	if id, err = e.sk.append(append(id, 0), skParts); err != nil {
		return nil, 0, err
	}
	return id, cut, nil
}

// keyTextsIn returns the texts of the primary key of a stored item.
func (e *entity) keyTextsIn(item Item) keyTexts {
	w := content{item: item}
	pk := w.text(e.pk.attr)
	return keyTexts{pk + "\x00" + w.text(e.sk.attr), len(pk)}
}

func (e *entity) keyItem(key keyTexts) Item {
	values := [...]types.AttributeValueMemberS{{Value: key.pk()}, {Value: key.sk()}}
	return Item{e.pk.attr: &values[0], e.sk.attr: &values[1]}
}

func stringValue(s string) types.AttributeValue { return &types.AttributeValueMemberS{Value: s} }

// keyOfID returns the primary key of the item whose primary field is id.
func (e *entity) keyOfID(id any) (keyTexts, error) {
	if e.primary == nil {
		return keyTexts{}, faultf(ErrMissingKey, "there is no primary field to look up by: pass a value with %s filled", e.keyFields())
	}
	for _, kt := range []*keyTemplate{e.pk, e.sk} {
		for _, f := range kt.fields {
			if f.Attr != e.primary.Attr {
				return keyTexts{}, atField(f.Name, faultf(ErrMissingKey, "an id alone is not the whole key: pass a value with %s filled", e.keyFields()))
			}
		}
	}
	part, err := e.primary.PartFrom(id)
	if err != nil {
		return keyTexts{}, encodeError(err)
	}
	buf, cut, err := e.appendKeyOf(nil, slices.Repeat([]keytmpl.Part{part}, len(e.pk.fields)), slices.Repeat([]keytmpl.Part{part}, len(e.sk.fields)))
	return keyTexts{string(buf), cut}, err
}

// keyFields lists the fields of the base key for errors.
func (e *entity) keyFields() string {
	var names []string
	for _, kt := range []*keyTemplate{e.pk, e.sk} {
		for _, f := range kt.fields {
			if !slices.Contains(names, f.Name) {
				names = append(names, f.Name)
			}
		}
	}
	return strings.Join(names, ", ")
}

// uses reports whether an attribute of the item is an input of the template.
func (kt *keyTemplate) uses(attr string) bool {
	return slices.ContainsFunc(kt.fields, func(f *codec.Field) bool { return f.Root() == attr })
}

// inBaseKey reports whether an attribute is an input of the base key.
func (e *entity) inBaseKey(attr string) bool { return e.pk.uses(attr) || e.sk.uses(attr) }

// checkReserved reports the fields that are stored where the schema keeps the
// keys of its indexes.
func (e *entity) checkReserved() (faults []error) {
	var names []string
	for _, sl := range slices.Concat(e.schema.slots, e.schema.locals) {
		if !sl.native {
			names = append(names, sl.pk, sl.sk)
		}
	}
	if err := parser.Reserved(e.def, names...); err != nil {
		faults = append(faults, err)
	}
	return faults
}

// checkPrefixes reports entities whose derived keys begin alike.
func (s *Schema) checkPrefixes(defs []parser.Entity) (faults []error) {
	for i, a := range defs {
		for _, b := range defs[:i] {
			fault := ""
			switch {
			case a.Name == b.Name || a.Prefix == "" || b.Prefix == "":
				continue // a fault of its own
			case a.Prefix == b.Prefix:
				fault = fmt.Sprintf("the prefix %s is that of %s too", a.Prefix, b.Name)
			case strings.HasPrefix(a.Prefix, b.Prefix+s.cfg.Delimiter):
				fault = fmt.Sprintf("the prefix %s begins with that of %s, %s: a query for the one meets the other", a.Prefix, b.Name, b.Prefix)
			case strings.HasPrefix(b.Prefix, a.Prefix+s.cfg.Delimiter):
				fault = fmt.Sprintf("the prefix %s begins that of %s, %s: a query for the one meets the other", a.Prefix, b.Name, b.Prefix)
			default:
				continue
			}
			faults = append(faults, &parser.DefinitionError{
				Type: a.Name, Fault: fault,
				Suggestion: fmt.Sprintf("give one of them another by prefix= in its dynorm.Entity tag, such as prefix=%sX", strings.ToUpper(a.Name)),
			})
		}
	}
	return faults
}

// checkKeys reports entities whose items could overwrite each other.
func (s *Schema) checkKeys() (faults []error) {
	for i, a := range s.entities {
		for _, b := range s.entities[:i] {
			if a.pk == nil || a.sk == nil || b.pk == nil || b.sk == nil {
				continue
			}
			if keytmpl.Disjoint(a.pk.key, b.pk.key) || keytmpl.Disjoint(a.sk.key, b.sk.key) {
				continue
			}
			faults = append(faults, &parser.DefinitionError{
				Type: a.def.Name,
				Fault: fmt.Sprintf("its keys (%s / %s) can equal those of %s (%s / %s), so one would overwrite the other",
					a.pk.key.Pattern(), a.sk.key.Pattern(), b.def.Name, b.pk.key.Pattern(), b.sk.key.Pattern()),
				Suggestion: "give one of them another prefix or a literal in its sk",
			})
		}
	}
	return faults
}
