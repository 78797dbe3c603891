package dynorm

import (
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/dynorm/dynorm/internal/codec"
	"github.com/dynorm/dynorm/internal/expr"
	"github.com/dynorm/dynorm/internal/keytmpl"
	"github.com/dynorm/dynorm/parser"
)

// A native index has the entity's attributes as its keys, up to four in each,
// instead of built strings. Nothing is written for it: an item is in the index
// when it has all of them.

// keyAttr is an attribute of an index's key.
type keyAttr struct {
	name string
	kind types.ScalarAttributeType
}

// demandNative adds the demand of a native index.
func (e *entity) demandNative(ix parser.Index) (faults []error) {
	d := &demand{
		id: "index " + ix.Name, name: ix.Name, kind: demandExplicit, pin: ix.Slot, local: ix.Local, native: true,
		why: "the index " + ix.Name, projection: ix.Projection,
	}
	if ix.Local {
		d.id = "local " + ix.Name
	}
	for _, name := range ix.Include {
		if f, ok := e.def.Field(name); ok {
			d.include = append(d.include, f.Attr)
		}
	}
	if ix.When != "" {
		faults = append(faults, e.indexFault(d, ix.When, "a native index holds every item that has its attributes, so it takes no condition",
			"leave `when` out, or build the keys by templates without `native`"))
	}
	bind := func(names []string) *keyTemplate {
		kt := &keyTemplate{}
		for _, name := range names {
			f, err := e.codec.Resolve(name)
			if err != nil {
				faults = append(faults, e.indexFault(d, name, err.Error(), "list fields of "+e.def.Name))
				continue
			}
			if _, ok := nativeKind(f); !ok {
				faults = append(faults, e.indexFault(d, name, fmt.Sprintf("%s is stored as neither text, number nor bytes", f.Name), "build the key by a template"))
			}
			kt.fields = append(kt.fields, f)
		}
		return kt
	}
	d.pk, d.sk = bind(ix.PKParts), bind(ix.SKParts)
	if ix.Local {
		if fault := e.localFault(ix); fault != nil {
			return append(faults, fault)
		}
		d.pk = e.pk
	}
	if len(faults) == 0 {
		e.demands = append(e.demands, d)
	}
	return faults
}

// maxNativeParts is the number of attributes that a key of a global index may
// have; one of a local index has one.
const maxNativeParts = 4

// makeNative turns a demand by templates into one of a native index, in a schema
// of such. It says why where it has to stay as it is.
func (e *entity) makeNative(d *demand) (reason string) {
	if d.native {
		return ""
	}
	if d.when != nil {
		return "it has a condition"
	}
	most := maxNativeParts
	if d.local {
		most = 1
	}
	sides := []string{d.pkSrc, d.skSrc}
	bound := [2]*keyTemplate{}
	for i, src := range sides {
		if d.local && i == 0 {
			continue
		}
		kt := &keyTemplate{}
		tmpl, err := e.schema.parseTemplate(src)
		if err != nil {
			return "the template is at fault"
		}
		for _, ref := range tmpl.Refs() {
			f, err := e.codec.Resolve(ref.Name())
			if err != nil {
				return "the template is at fault"
			}
			_, ok := nativeKind(f)
			switch plain := "{" + ref.Name() + "}"; {
			case !strings.Contains(src, plain) || len(ref.Path) > 0:
				return "{" + ref.Name() + "} has a format, a modifier, a shard or a path"
			case !ok:
				return f.Name + " is stored as neither text, number nor bytes"
			}
			if !slices.Contains(kt.fields, f) {
				kt.fields = append(kt.fields, f)
			}
		}
		switch {
		case i == 0 && len(kt.fields) == 0:
			return "its partition is of no field"
		case len(kt.fields) > most:
			return fmt.Sprintf("a key has more than %d fields", most)
		}
		bound[i] = kt
	}
	for _, o := range e.demands {
		if o.native && o.local == d.local && slices.Equal(o.pk.fields, bound[0].fieldList(e.pk)) && slices.Equal(o.sk.fields, bound[1].fields) {
			return "the index " + o.name + " has its fields"
		}
	}
	if d.native, d.pk, d.sk = true, bound[0], bound[1]; d.local {
		d.pk = e.pk
	}
	return ""
}

// fieldList is the list of a key's fields; without one, that of another key.
func (kt *keyTemplate) fieldList(other *keyTemplate) []*codec.Field {
	if kt == nil {
		kt = other
	}
	return kt.fields
}

// nativeKind is the type by which a field is a key as it is stored.
func nativeKind(f *codec.Field) (types.ScalarAttributeType, bool) {
	switch kind := f.Type.Kind; {
	case f.JSON || f.Set || len(f.Path()) > 1 || f.Encrypt:
		return "", false
	case f.String:
		return types.ScalarAttributeTypeS, true
	case kind == parser.String || kind == parser.Text:
		return types.ScalarAttributeTypeS, true
	case kind == parser.Time && (f.UnixTime || f.UnixMilli):
		return types.ScalarAttributeTypeN, true
	case kind == parser.Time:
		return types.ScalarAttributeTypeS, true
	case kind == parser.Int || kind == parser.Uint || kind == parser.Float || kind == parser.Number:
		return types.ScalarAttributeTypeN, true
	case kind == parser.Bytes || kind == parser.Binary:
		return types.ScalarAttributeTypeB, true
	}
	return "", false
}

// placeNative gives native demands indexes of their own: one for each list of
// key attributes, which entities share.
func (p *placement) placeNative() (faults []error) {
	var made []*slot
	for _, e := range p.s.entities {
		for i, d := range e.demands {
			if !d.native || d.local != p.local {
				continue
			}
			want, fault := p.nativeSlot(e, d)
			if fault != nil {
				faults = append(faults, fault)
			}
			if n := slices.IndexFunc(made, func(sl *slot) bool { return slices.Equal(sl.pks, want.pks) && slices.Equal(sl.sks, want.sks) }); n >= 0 {
				if d.pin > 0 && fault == nil && made[n].number != d.pin {
					faults = append(faults, e.indexFault(d, fmt.Sprintf("gsi=%d", d.pin), fmt.Sprintf("its keys are those of the index %s", made[n].name), "pin both alike"))
				}
				want = made[n]
			} else {
				made = append(made, want)
			}
			if other := slices.IndexFunc(e.demands[:i], func(o *demand) bool { return o.native && o.slot == want }); other >= 0 {
				faults = append(faults, e.indexFault(d, "native", "it has the keys of "+e.demands[other].name, "drop one of them"))
			}
			d.slot, d.placed = want, "the keys are its attributes"
			faults = append(faults, p.s.checkNative(e, d)...)
		}
	}
	for _, x := range p.s.lock.Indexes {
		if x.Native && x.Slot > 0 && x.Local == p.local {
			p.reserved[x.Slot] = true
		}
	}
	for _, sl := range made {
		if n := slices.IndexFunc(p.s.lock.Indexes, func(x LockedIndex) bool { return x.is(sl.locked()) && x != sl.locked() }); n >= 0 {
			x := p.s.lock.Indexes[n]
			faults = append(faults, fmt.Errorf("the schema lock has the index %s of (%s; %s), the code of (%s): give the native index another number by gsi=, or change the lock and migrate the table",
				x.Name, x.PK, x.SK, strings.Join(sl.keyNames(), ", ")))
		}
		if sl.number > 0 {
			p.slots[sl.number], p.reserved[sl.number] = sl, true
		} else {
			p.unnumbered = append(p.unnumbered, sl)
		}
	}
	return faults
}

// nativeSlot is the index that a native demand needs: called as the lock has it,
// else as the configuration calls the number it is pinned to, else after its
// keys.
func (p *placement) nativeSlot(e *entity, d *demand) (*slot, error) {
	sl := &slot{number: d.pin, local: d.local, native: true}
	var names [2]string
	for i, kt := range []*keyTemplate{d.pk, d.sk} {
		if i == 0 && d.local {
			sl.pks = []keyAttr{{p.s.cfg.PK, types.ScalarAttributeTypeS}}
			continue
		}
		for _, f := range kt.fields {
			kind, _ := nativeKind(f)
			attr := keyAttr{f.Attr, kind}
			if i == 0 {
				sl.pks = append(sl.pks, attr)
			} else {
				sl.sks = append(sl.sks, attr)
			}
			names[i] += "." + diagramName(f.Attr)
		}
	}
	if sl.name = "native" + names[0]; names[1] != "" {
		sl.name += "-" + strings.TrimPrefix(names[1], ".")
	}
	if d.pin > 0 {
		sl.name = p.s.cfg.slotNames(d.pin).Name
	}
	now := sl.locked()
	locked := p.s.lock.native(func(x LockedIndex) bool { return x.Local == now.Local && x.PK == now.PK && x.SK == now.SK })
	if locked == nil {
		return sl, nil
	}
	sl.number, sl.name = locked.Slot, locked.Name
	if d.pin == 0 || d.pin == locked.Slot {
		return sl, nil
	}
	mend := "leave it out, or change the lock and migrate the table"
	if locked.Slot > 0 {
		mend = fmt.Sprintf("write gsi=%d, or change the lock and migrate the table", locked.Slot)
	}
	return sl, e.indexFault(d, fmt.Sprintf("gsi=%d", d.pin), "the lock has it as the index "+locked.Name, mend)
}

// checkNative reports fields, of any entity, whose attributes DynamoDB would
// refuse since they are keys of an index: of another type, or stored empty.
func (s *Schema) checkNative(owner *entity, d *demand) (faults []error) {
	for _, e := range s.entities {
		for i := range e.codec.NumFields() {
			f := e.codec.Field(i)
			keys := d.slot.keyAttrs()
			at := slices.IndexFunc(keys, func(a keyAttr) bool { return a.name == f.Attr })
			if at < 0 {
				continue
			}
			want := keys[at].kind
			kind, ok := nativeKind(f)
			fault, mend := "", ""
			switch {
			case !ok || kind != want:
				fault, mend = fmt.Sprintf("is stored as another type than %s, the type of this key of the index %s of %s", want, d.name, owner.def.Name), "name the attribute otherwise"
			case f.Null:
				fault, mend = fmt.Sprintf("is a key of the index %s of %s and can't be null", d.name, owner.def.Name), "drop null"
			case kind != types.ScalarAttributeTypeN && f.Type.Kind != parser.Time && !f.OmitEmpty && !f.Primary && !f.Required && !e.inBaseKey(f.Attr):
				fault, mend = fmt.Sprintf("is a key of the index %s of %s and can't be stored empty", d.name, owner.def.Name), "tag it `omitempty` or `required`"
			default:
				continue
			}
			faults = append(faults, &parser.DefinitionError{Type: e.def.Name, Field: f.Name, Fault: fault, Suggestion: mend})
		}
	}
	return faults
}

// meetsNative reports whether items of the entity can be in a native index: they
// have attributes of the names of its keys.
func (e *entity) meetsNative(p *accessPath) bool {
	for _, attr := range p.slot.keyNames() {
		if _, ok := e.def.Field(attr); !ok && attr != e.pk.attr {
			return false
		}
	}
	return true
}

// nativeTerm is a comparison of a native key condition.
type nativeTerm struct {
	attr string
	op   predicateOp
	vals []types.AttributeValue
}

// nativeCondition is keyCondition for a native index. One key condition answers
// all that is asked of its keys, or several do: a filter can't compare the
// index's own keys.
func (pl *planner) nativeCondition(p *accessPath, conds, alternative []cond) (k keyCondition) {
	used := make([]bool, len(conds))
	b := &k.branch
	if b.native, k.want, k.reason = pl.nativePartition(p, conds, used); k.reason != "" {
		return k
	}
	b.partition = len(b.native)
	for _, attr := range p.sk.attrs {
		n := equality(conds, attr)
		if n < 0 {
			if slices.ContainsFunc(conds, func(c cond) bool { return c.op == opIn && c.attr == attr }) {
				k.want = attr
				return k
			}
			if term, ok := nativeRange(attr, conds, used); ok {
				b.native = append(b.native, term)
			}
			break
		}
		used[n] = true
		b.leading++
		b.native = append(b.native, nativeTerm{attr, opEq, conds[n].vals})
	}
	b.residual, b.alternative = unused(conds, used), alternative
	if name := p.comparesKey(b.residual); name != "" {
		k.want, k.reason = name, pl.why(func() string { return "has " + name + " as a key, which a filter can't compare" })
	}
	return k
}

// nativePartition is the key condition's part of the partition key: that of the
// table, which is built, for a local index.
func (pl *planner) nativePartition(p *accessPath, conds []cond, used []bool) (terms []nativeTerm, want, reason string) {
	pk := &p.pk
	var parts []keytmpl.Part
	for i, attr := range pk.attrs {
		n := equality(conds, attr)
		if n < 0 {
			return nil, attr, pl.why(func() string { return "its partition key " + pk.pattern() + " needs " + pk.fields[i].Name + " by =" })
		}
		if p.kind != localPath {
			used[n] = true
			terms = append(terms, nativeTerm{attr, opEq, conds[n].vals})
			continue
		}
		part, err := pk.fields[i].PartOf(conds[n].vals[0])
		if err != nil || part.IsMissing() {
			return nil, "", pl.noEntries(pk, i, err)
		}
		used[n] = pk.exact[i]
		parts = append(parts, part)
	}
	if p.kind != localPath {
		return terms, "", ""
	}
	text, err := pk.build(parts)
	if err != nil {
		return nil, "", pl.why(func() string { return "its partition key can't hold the values: " + err.Error() })
	}
	return []nativeTerm{{pk.attr, opEq, []types.AttributeValue{stringValue(text)}}}, "", ""
}

// nativeRange is the comparison of a key attribute after those that an equality
// fixes.
func nativeRange(attr string, conds []cond, used []bool) (nativeTerm, bool) {
	low, high := -1, -1
	for i := range conds {
		c := &conds[i]
		if c.attr != attr || c.field == nil {
			continue
		}
		switch c.op {
		case opBetween, opBeginsWith, opLt, opGt:
			used[i] = true
			return nativeTerm{attr, c.op, c.vals}, true
		case opGe:
			low = i
		case opLe:
			high = i
		}
	}
	switch {
	case low >= 0 && high >= 0:
		used[low], used[high] = true, true
		return nativeTerm{attr, opBetween, []types.AttributeValue{conds[low].vals[0], conds[high].vals[0]}}, true
	case low >= 0:
		used[low] = true
		return nativeTerm{attr, opGe, conds[low].vals}, true
	case high >= 0:
		used[high] = true
		return nativeTerm{attr, opLe, conds[high].vals}, true
	}
	return nativeTerm{}, false
}

// comparesKey names the first key attribute of a native index that conditions
// compare, empty for none.
func (p *accessPath) comparesKey(conds []cond) string {
	if !p.native {
		return ""
	}
	for i := range conds {
		c := &conds[i]
		if name := p.comparesKey(c.subs); name != "" {
			return name
		}
		attrs := []string{c.attr}
		if c.raw != nil {
			for _, operand := range c.raw.operands {
				if operand.field != nil {
					attrs = append(attrs, operand.field.Attr)
				}
			}
		}
		for _, attr := range attrs {
			if slices.Contains(p.slot.keyNames(), attr) {
				return attr
			}
		}
	}
	return ""
}

// apart reports whether no item meets the native key conditions of both
// branches: an equality tells them apart.
func (b *branch) apart(other *branch) bool {
	return slices.ContainsFunc(b.native, func(t nativeTerm) bool {
		return t.op == opEq && slices.ContainsFunc(other.native, func(o nativeTerm) bool {
			order, ok := compareValues(t.vals[0], o.vals[0])
			return o.attr == t.attr && o.op == opEq && ok && order != 0
		})
	})
}

// sameNative reports whether two native key conditions are one.
func sameNative(a, b []nativeTerm) bool {
	return slices.EqualFunc(a, b, func(t, o nativeTerm) bool {
		return t.attr == o.attr && t.op == o.op && slices.EqualFunc(t.vals, o.vals, func(v, w types.AttributeValue) bool {
			order, ok := compareValues(v, w)
			return ok && order == 0
		})
	})
}

// compareNative orders two items of a native index by its sort key, from one of
// its attributes on.
func (p *accessPath) compareNative(a, b Item, from int) int {
	for _, attr := range p.sk.attrs[from:] {
		if order, ok := compareValues(a[attr], b[attr]); ok && order != 0 {
			return order
		}
	}
	return 0
}

// renderNative writes a native key condition.
func renderNative(terms []nativeTerm, w *expr.Builder) string {
	texts := make([]string, len(terms))
	for i, t := range terms {
		name := w.Name(t.attr)
		switch t.op {
		case opBetween:
			texts[i] = name + " BETWEEN " + w.Value(t.vals[0]) + " AND " + w.Value(t.vals[1])
		case opBeginsWith:
			texts[i] = "begins_with(" + name + ", " + w.Value(t.vals[0]) + ")"
		default:
			texts[i] = name + " " + string(t.op) + " " + w.Value(t.vals[0])
		}
	}
	return strings.Join(texts, " AND ")
}

// describeNative writes a native key condition as people read it.
func describeNative(terms []nativeTerm) string {
	texts := make([]string, len(terms))
	for i, t := range terms {
		switch t.op {
		case opBetween:
			texts[i] = t.attr + " between " + describeValue(t.vals[0]) + " and " + describeValue(t.vals[1])
		case opBeginsWith:
			texts[i] = "begins_with(" + t.attr + ", " + describeValue(t.vals[0]) + ")"
		default:
			texts[i] = t.attr + " " + string(t.op) + " " + describeValue(t.vals[0])
		}
	}
	return strings.Join(texts, " and ")
}

// pattern shows the template, or the attributes of a native key.
func (kt *keyTemplate) pattern() string {
	if kt.key != nil {
		return kt.key.Pattern()
	}
	names := make([]string, len(kt.fields))
	for i, f := range kt.fields {
		names[i] = f.Attr
	}
	return strings.Join(names, ", ")
}

// keys are the key attributes of the index.
func (sl *slot) keys() (pks, sks []keyAttr) {
	if sl.native {
		return sl.pks, sl.sks
	}
	return []keyAttr{{sl.pk, types.ScalarAttributeTypeS}}, []keyAttr{{sl.sk, types.ScalarAttributeTypeS}}
}

// keyAttrs are the key attributes of the index, those of the partition key first.
func (sl *slot) keyAttrs() []keyAttr {
	pks, sks := sl.keys()
	return slices.Concat(pks, sks)
}

// keyNames are the names of the key attributes of the index.
func (sl *slot) keyNames() []string {
	var names []string
	for _, a := range sl.keyAttrs() {
		names = append(names, a.name)
	}
	return names
}

// cursorText is the text by which a cursor holds a value of a key.
func cursorText(av types.AttributeValue) (string, bool) {
	switch av := av.(type) {
	case *types.AttributeValueMemberS:
		return av.Value, true
	case *types.AttributeValueMemberN:
		return av.Value, true
	case *types.AttributeValueMemberB:
		return string(av.Value), true
	}
	return "", false
}

// keyValue is the value of a key attribute that a cursor holds by its text.
func (p *accessPath) keyValue(attr, text string) types.AttributeValue {
	if p.native {
		for _, a := range p.slot.keyAttrs() {
			switch {
			case a.name != attr:
			case a.kind == types.ScalarAttributeTypeN:
				return &types.AttributeValueMemberN{Value: text}
			case a.kind == types.ScalarAttributeTypeB:
				return &types.AttributeValueMemberB{Value: []byte(text)}
			}
		}
	}
	return stringValue(text)
}

// holds reports whether a value of the key meets the comparison.
func (t *nativeTerm) holds(av types.AttributeValue) bool {
	if t.op == opBeginsWith {
		text, _ := cursorText(av)
		prefix, _ := cursorText(t.vals[0])
		return strings.HasPrefix(text, prefix)
	}
	order, ok := compareValues(av, t.vals[0])
	if !ok {
		return false
	}
	switch t.op {
	case opEq:
		return order == 0
	case opLt:
		return order < 0
	case opLe:
		return order <= 0
	case opGt:
		return order > 0
	case opGe:
		return order >= 0
	}
	high, ok := compareValues(av, t.vals[1])
	return ok && order >= 0 && high <= 0
}
