package dynorm

import (
	"bytes"
	"errors"
	"maps"
	"slices"
	"strconv"
	"time"
	"unsafe"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/dynorm/dynorm/internal/codec"
	"github.com/dynorm/dynorm/internal/expr"
	"github.com/dynorm/dynorm/parser"
)

// timestampLayout is the form of the generated timestamps: ISO 8601, UTC,
// milliseconds.
const timestampLayout = "2006-01-02T15:04:05.000Z"

// stamp fills what a new item gets by itself: defaults, the identifier, the
// time to live, timestamps and the first version.
func (db *DB) stamp(e *entity, v unsafe.Pointer, now time.Time) error {
	for _, f := range e.filled {
		if !f.IsZero(v) {
			continue
		}
		var (
			text string
			err  error
		)
		switch {
		case f.Generator == "ulid":
			text, err = db.cfg.IDs.ULID(now)
		case f.Generator == "uuid":
			text, err = db.cfg.IDs.UUID()
		default:
			text = *f.Default
		}
		if err == nil {
			err = f.SetText(v, text)
		}
		if err != nil {
			return atField(f.Name, faultf(ErrValue, "%w", err))
		}
	}
	if e.ttl != nil && e.def.TTL > 0 && e.ttl.IsZero(v) {
		if err := e.ttl.SetTime(v, now.Add(e.def.TTL)); err != nil {
			return atField(e.ttl.Name, faultf(ErrValue, "%w", err))
		}
	}
	if e.created != nil && e.created.IsZero(v) {
		if err := e.created.SetTime(v, now); err != nil {
			return atField(e.created.Name, faultf(ErrValue, "%w", err))
		}
	}
	return e.touch(v, now)
}

// touch sets the time of the last change.
func (e *entity) touch(v unsafe.Pointer, now time.Time) error {
	if e.updated == nil {
		return nil
	}
	if err := e.updated.SetTime(v, now); err != nil {
		return atField(e.updated.Name, faultf(ErrValue, "%w", err))
	}
	return nil
}

// encode returns the whole item of the struct at v: its attributes, the
// entity type, the timestamps without a field, the base key and the index
// entries. Nothing else makes items, but for [entity.encodeStraight].
func (e *entity) encode(v unsafe.Pointer, now time.Time, isNew bool) (Item, error) {
	if err := e.checkRequired(v); err != nil {
		return nil, err
	}
	item := make(Item, e.codec.NumFields()+5+2*len(e.demands))
	if err := e.codec.EncodeItem(item, v); err != nil {
		return nil, encodeError(err)
	}
	e.implied(now, isNew, func(attr string, av types.AttributeValue) { item[attr] = av })
	key, err := e.baseKey(v)
	if err != nil {
		return nil, err
	}
	maps.Copy(item, key)
	item[e.schema.cfg.EntityType] = stringValue(e.def.Name)
	if err := e.addEntries(item); err != nil {
		return nil, err
	}
	if err := checkItemSize(itemSize(item)); err != nil {
		return nil, err
	}
	return item, nil
}

// implied calls set for the timestamps and the time to live that no field
// holds.
func (e *entity) implied(now time.Time, isNew bool, set func(attr string, av types.AttributeValue)) {
	if e.updatedAttr != "" && e.updated == nil {
		set(e.updatedAttr, stringValue(now.UTC().Format(timestampLayout)))
	}
	if isNew && e.createdAttr != "" && e.created == nil {
		set(e.createdAttr, stringValue(now.UTC().Format(timestampLayout)))
	}
	if isNew && e.def.TTL > 0 && e.ttl == nil {
		set(parser.TTLAttr, numberValue(now.Add(e.def.TTL).Unix()))
	}
}

// encodeStraight returns the item that encode does in DynamoDB's JSON, with its
// base key, which shares its memory.
func (e *entity) encodeStraight(v unsafe.Pointer, now time.Time, isNew bool, a *arena) (item content, key keyTexts, err error) {
	buf, scratch := a.room(), (*request)(nil)
	if buf == nil {
		scratch = bodies.Get().(*request)
		defer scratch.release()
		buf = scratch.buf
	}
	buf, end, cut, err := e.appendStraight(buf, v, now, isNew)
	if err != nil {
		return content{}, keyTexts{}, err
	}
	if scratch != nil {
		scratch.buf, buf = buf, bytes.Clone(buf)
	}
	buf = a.took(buf)
	item.raw, key = buf[:end:end], keyTexts{unsafe.String(&buf[end], len(buf)-end), cut}
	// An item in JSON is longer than DynamoDB takes it to be.
	if len(item.raw) > maxItemSize {
		attrs, err := item.whole()
		if err != nil {
			return content{}, key, err
		}
		if size := itemSize(attrs); size > maxItemSize {
			return content{}, key, faultf(ErrTooLarge, "the item takes %d bytes, over the limit of %d", size, maxItemSize)
		}
	}
	return item, key, nil
}

// appendStraight appends the item to an empty buf, which it fills up to end, and
// its key with the partition's part of the given length.
func (e *entity) appendStraight(buf []byte, v unsafe.Pointer, now time.Time, isNew bool) (_ []byte, end, cut int, err error) {
	if err := e.checkRequired(v); err != nil {
		return nil, 0, 0, err
	}
	if buf, err = e.codec.AppendMembers(append(buf, '{'), v); err != nil {
		return nil, 0, 0, encodeError(err)
	}
	e.implied(now, isNew, func(attr string, av types.AttributeValue) {
		buf = codec.AppendAttribute(codec.AppendName(buf, attr), av)
	})
	var room [128]byte
	id, cut, err := e.appendKey(room[:0], v)
	if err != nil {
		return nil, 0, 0, err
	}
	key := keyTexts{unsafe.String(&id[0], len(id)), cut}
	buf = codec.AppendString(buf, e.pk.attr, key.pk())
	buf = codec.AppendString(buf, e.sk.attr, key.sk())
	buf = codec.AppendString(buf, e.schema.cfg.EntityType, e.def.Name)
	for _, d := range e.demands {
		templates := d.templates()
		if len(templates) == 0 {
			continue
		}
		keys, ok, err := d.keys(structInputs{e, v})
		if err != nil {
			return nil, 0, 0, err
		}
		for i, kt := range templates {
			if ok {
				buf = codec.AppendString(buf, kt.attr, keys[i])
			}
		}
	}
	buf = append(buf, '}')
	return append(buf, id...), len(buf), cut, nil
}

// encodesStraight reports whether encodeStraight gives what encode does: no
// attribute is set twice, and every input of an index entry is at a fixed place.
func (e *entity) encodesStraight() bool {
	straight := true
	e.implied(time.Time{}, true, func(attr string, _ types.AttributeValue) {
		if _, ok := e.codec.Attr(attr); ok {
			straight = false
		}
	})
	for _, d := range e.demands {
		for _, kt := range d.templates() {
			straight = straight && !slices.ContainsFunc(kt.fields, func(f *codec.Field) bool { return !f.Fixed() })
		}
	}
	return straight
}

// checkRequired refuses zero values where there must be none.
func (e *entity) checkRequired(v unsafe.Pointer) error {
	if e.primary != nil && e.primary.IsZero(v) {
		return atField(e.primary.Name, faultf(ErrMissingKey, "the primary key is zero: set it, or tag the field `ulid` or `uuid`"))
	}
	for _, f := range e.required {
		if f.IsZero(v) {
			return atField(f.Name, faultf(ErrValue, "is required but zero"))
		}
	}
	return nil
}

// encodeError names the field of a codec error.
func encodeError(err error) error {
	if ee, ok := errors.AsType[*codec.EncodeError](err); ok && ee.Path != "" {
		inner := *ee
		inner.Type, inner.Path = "", ""
		return atField(ee.Path, faultf(ErrValue, "%w", &inner))
	}
	return faultf(ErrValue, "%w", err)
}

// versionOf returns the version of the struct at v, and whether its entity
// keeps one in a field.
func (e *entity) versionOf(v unsafe.Pointer) (int64, bool) {
	if e.version == nil || v == nil {
		return 0, false
	}
	return e.version.Int(v), true
}

// versionCondition is the condition that the stored version is the one read:
// an item without the attribute has version 0.
func (e *entity) versionCondition(b *expr.Builder, version int64) string {
	name := b.Name(e.versionAttr)
	if version == 0 {
		return "attribute_not_exists(" + name + ")"
	}
	return name + " = " + b.Value(numberValue(version))
}

func numberValue(n int64) types.AttributeValue {
	return &types.AttributeValueMemberN{Value: strconv.FormatInt(n, 10)}
}

// update is an UpdateItem under construction.
type update struct {
	e     *entity
	key   Item // nil for that of texts
	texts keyTexts
	b     expr.Builder
	u     expr.Update
	conds []string
	// touched are the attributes that setAttr was given, outcome their values.
	touched []string
	outcome Item

	// done is the finished update. With room it spares most updates all memory
	// beside their own.
	done write
	room struct {
		conds  [2]string
		writes [1]*write
	}
}

// write returns the finished update.
func (up *update) write(name string, reason func(Item) error) *write {
	up.done = write{
		kind: OpUpdateItem, name: name, e: up.e, key: up.key, texts: up.texts, update: up.u.String(),
		cond: expr.And(up.conds...), names: up.b.NameList(), values: up.b.ValueList(), reason: reason,
	}
	return &up.done
}

// alone are the writes of a mutation that is the update alone.
func (up *update) alone() []*write { return append(up.room.writes[:0:1], &up.done) }

// mustExist is the first condition: that the item is there.
func (up *update) mustExist() {
	up.conds = append(up.room.conds[:0], expr.Exists(up.b.Name(up.e.pk.attr)))
}

// setAttr sets an attribute, or removes it when av is nil.
func (up *update) setAttr(attr string, av types.AttributeValue) {
	up.touched = append(up.touched, attr)
	if up.outcome == nil {
		up.outcome = Item{}
	}
	if av == nil {
		up.u.Remove(up.b.Name(attr))
		return
	}
	up.outcome[attr] = av
	up.u.Set(up.b.Name(attr), up.b.Value(av))
}

// setEntries sets the key attributes of the given index entries to those of
// item, or removes them where item has no entry.
func (up *update) setEntries(demands []*demand, item Item) error {
	for _, d := range demands {
		ok, err := d.entry(item)
		if err != nil {
			return err
		}
		for _, attr := range d.attrs() {
			if ok {
				up.setAttr(attr, item[attr])
			} else {
				up.setAttr(attr, nil)
			}
		}
	}
	return nil
}

// saveUpdate is the update that writes every declared attribute of an encoded
// item and leaves the others of the stored one alone.
func (e *entity) saveUpdate(item Item) *update {
	up := &update{e: e, key: e.keyIn(item)}
	up.mustExist()
	for i := range e.codec.NumFields() {
		f := e.codec.Field(i)
		av := item[f.Attr]
		switch {
		case f == e.version:
			continue
		case f == e.created && av == nil:
			continue // a value built by hand must not lose the time of creation
		case e.setOnce(f):
			up.setOnce(f, av)
			continue
		}
		up.setAttr(f.Attr, av)
	}
	if e.updatedAttr != "" && e.updated == nil {
		up.setAttr(e.updatedAttr, item[e.updatedAttr])
	}
	up.setAttr(e.schema.cfg.EntityType, item[e.schema.cfg.EntityType])
	for _, d := range e.demands {
		if d.kind == demandTrashed && e.deleted == nil {
			continue // the item may be deleted, which the encoded one can't say
		}
		for _, attr := range d.attrs() {
			up.setAttr(attr, item[attr])
		}
	}
	return up
}

// setOnce reports whether a field, once stored, is never changed.
func (e *entity) setOnce(f *codec.Field) bool {
	return f.ReadOnly && f != e.updated && !e.inBaseKey(f.Attr)
}

// setOnce sets an attribute where the item lacks it, on condition that the item
// has no other value.
func (up *update) setOnce(f *codec.Field, av types.AttributeValue) {
	name := up.b.Name(f.Attr)
	if av == nil {
		up.conds = append(up.conds, "attribute_not_exists("+name+")")
		return
	}
	value := up.b.Value(av)
	up.u.Set(name, "if_not_exists("+name+", "+value+")")
	same := name + " = " + value
	if conds := declaredText(&up.b, name, &f.Type, av); conds != nil {
		same = "(" + expr.And(conds...) + ")"
	}
	up.conds = append(up.conds, "attribute_not_exists("+name+") OR "+same)
}

// declaredText returns the conditions that the struct stored at a path is that of
// av as far as its type declares it: it may have been written with more fields.
// Nil where the type is no struct.
func declaredText(b *expr.Builder, path string, t *parser.Type, av types.AttributeValue) []string {
	m, ok := av.(*types.AttributeValueMemberM)
	if !ok || t.Kind != parser.Struct || len(t.Fields) == 0 {
		return nil
	}
	var conds []string
	for i := range t.Fields {
		f := &t.Fields[i]
		at := path + "." + b.Name(f.Attr)
		is := m.Value[f.Attr]
		if is == nil {
			conds = append(conds, "attribute_not_exists("+at+")")
		} else if inner := declaredText(b, at, &f.Type, is); inner != nil {
			conds = append(conds, inner...)
		} else {
			conds = append(conds, at+" = "+b.Value(is))
		}
	}
	return conds
}

// sameDeclared reports whether two values agree in what the type declares.
func sameDeclared(t *parser.Type, was, is types.AttributeValue) bool {
	before, ok := was.(*types.AttributeValueMemberM)
	after, also := is.(*types.AttributeValueMemberM)
	if !ok || !also || t.Kind != parser.Struct || len(t.Fields) == 0 {
		return was != nil && is != nil && codec.Equal(was, is)
	}
	for i := range t.Fields {
		f := &t.Fields[i]
		a, b := before.Value[f.Attr], after.Value[f.Attr]
		if (a != nil || b != nil) && !sameDeclared(&f.Type, a, b) {
			return false
		}
	}
	return true
}

// changesReadOnly names the first readonly field that an item would change in
// the stored one.
func (e *entity) changesReadOnly(stored, item Item) error {
	for i := range e.codec.NumFields() {
		f := e.codec.Field(i)
		if was := stored[f.Attr]; e.setOnce(f) && was != nil && !sameDeclared(&f.Type, was, item[f.Attr]) {
			return atField(f.Name, faultf(ErrInvalid, "is readonly: the item has another value"))
		}
	}
	return nil
}

// saveReason says why a Save of an item in a version failed on a stored one.
func (e *entity) saveReason(item Item, version int64) func(Item) error {
	return func(stored Item) error {
		switch {
		case len(stored) == 0:
			return ErrNotFound
		case e.version != nil && (stored[e.versionAttr] == nil) != (version == 0),
			e.version != nil && version != 0 && !codec.Equal(stored[e.versionAttr], numberValue(version)):
			return ErrStaleVersion
		}
		if err := e.changesReadOnly(stored, item); err != nil {
			return err
		}
		return ErrStaleVersion
	}
}

// keyIn returns the base key of an encoded item.
func (e *entity) keyIn(item Item) Item {
	return Item{e.pk.attr: item[e.pk.attr], e.sk.attr: item[e.sk.attr]}
}

// setVersion sets the version field of the struct at v, where there is one.
func (e *entity) setVersion(v unsafe.Pointer, version int64) error {
	if e.version == nil {
		return nil
	}
	if err := e.version.SetInt(v, version); err != nil {
		return atField(e.version.Name, faultf(ErrValue, "%w", err))
	}
	return nil
}

// touchedDemands returns the index entries that an update of the attributes
// may change.
func (e *entity) touchedDemands(attrs []string) []*demand {
	var touched []*demand
	for _, d := range e.demands {
		if slices.ContainsFunc(d.inputs(), func(in string) bool { return slices.Contains(attrs, in) }) {
			touched = append(touched, d)
		}
	}
	return touched
}
