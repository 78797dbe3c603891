package dynorm

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"maps"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/dynorm/dynorm/internal/codec"
	"github.com/dynorm/dynorm/parser"
)

// Cipher encrypts the fields tagged `encrypt`, on every path: what is stored,
// sent and cached of them is ciphertext, as a binary attribute. Reads decrypt it,
// so that values, errors that carry an item, and interceptors have them in the
// clear. It must be safe for concurrent use.
//
// A ciphertext is bound to its place: Encrypt and Decrypt are given the same
// [Binding], which the ciphertext must authenticate (as the additional data of
// an AEAD: [Binding.Bytes]), so that one copied to another item or field does not
// decrypt. A move of an item encrypts anew. Keys and their rotation are the
// Cipher's: a ciphertext says by itself what key it is of.
//
// The items that interceptors see have, beside such a field, what it was stored
// as, under a name that begins with a zero byte.
//
// Encrypted fields are not compared: conditions and filters on them are refused,
// but for [Exists] and [NotExists], unless the Cipher is a
// [DeterministicCipher]. Updates set them as a whole or remove them.
type Cipher interface {
	Encrypt(ctx context.Context, plaintext []byte, at Binding) ([]byte, error)
	Decrypt(ctx context.Context, ciphertext []byte, at Binding) ([]byte, error)
}

// DeterministicCipher is a [Cipher] that gives one ciphertext for one plaintext
// of some fields, so that they can be compared with [Eq], [Ne] and [In]. Who can
// read the table then sees which items have one value, and a ciphertext copied to
// another item decrypts there: its Binding has no key.
type DeterministicCipher interface {
	Cipher
	// Deterministic reports whether a field is such, by the entity's name and
	// the attribute's. It must always say the same.
	Deterministic(entity, attribute string) bool
}

// Binding is the place of a ciphertext.
type Binding struct {
	// Entity is the name of the item's entity. It may help to choose a key and
	// is no part of the place.
	Entity string
	// Table is the table's name, PK and SK the item's key as it is stored, with
	// the prefix of a tenant. PK and SK are empty for a deterministic field.
	Table, PK, SK string
	// Attribute is the attribute's name.
	Attribute string
}

// Bytes returns the place as bytes that no other place has, for the additional
// data of an AEAD.
func (b Binding) Bytes() []byte {
	var out []byte
	for _, part := range []string{b.Table, b.PK, b.SK, b.Attribute} {
		out = binary.AppendUvarint(out, uint64(len(part)))
		out = append(out, part...)
	}
	return out
}

// ErrCipher says that an encrypted field was not read or written: its
// ciphertext is not the [Cipher]'s, or stands in another place.
var ErrCipher = errors.New("encrypted field can't be used")

// The ciphertext that a field was read as stays beside it in an item, under a
// name that no attribute has: writes that are planned on the item compare with
// it, since encrypting again gives another.
const sealedMark = "\x00"

func isSealed(attr string) bool { return strings.HasPrefix(attr, sealedMark) }

// withoutSealed removes the ciphertexts from an item.
func withoutSealed(item Item) Item {
	maps.DeleteFunc(item, func(attr string, _ types.AttributeValue) bool { return isSealed(attr) })
	return item
}

// conditionError is the error of a write that a condition refused. The
// ciphertexts of the item are no concern of callers.
func conditionError(reason error, item Item, err error) *ConditionError {
	ce := &ConditionError{Reason: reason, Item: item, Err: err}
	for attr := range item {
		if isSealed(attr) {
			ce.stored, ce.Item = item, withoutSealed(maps.Clone(item))
			break
		}
	}
	return ce
}

// whole returns the item with its ciphertexts.
func (e *ConditionError) whole() Item {
	if e.stored != nil {
		return e.stored
	}
	return e.Item
}

// encryptedFields returns the fields of the entity that are encrypted, by
// attribute, nil for none.
func (e *entity) encryptedFields() map[string]*codec.Field {
	var fields map[string]*codec.Field
	for i := range e.codec.NumFields() {
		if f := e.codec.Field(i); f.Encrypt {
			if fields == nil {
				fields = map[string]*codec.Field{}
			}
			fields[f.Attr] = f
		}
	}
	return fields
}

// checkCipher reports the encrypted fields of a schema for which there is no
// Cipher.
func checkCipher(c Cipher, s *Schema) (faults []error) {
	if c != nil || s == nil {
		return nil
	}
	for _, e := range s.entities {
		for i := range e.codec.NumFields() {
			if f := e.codec.Field(i); f.Encrypt {
				faults = append(faults, fmt.Errorf("%s.%s is tagged `encrypt` and there is no Config.Cipher", e.def.Name, f.Name))
			}
		}
	}
	return faults
}

// nestedEncrypted reports fields within fields that are tagged `encrypt`.
func nestedEncrypted(def *parser.Entity) (faults []error) {
	var within func(name string, t *parser.Type)
	within = func(name string, t *parser.Type) {
		if t == nil {
			return
		}
		for i := range t.Fields {
			f := &t.Fields[i]
			if f.Encrypt {
				faults = append(faults, &parser.DefinitionError{
					Type: def.Name, Field: name + "." + f.Name, Tag: "encrypt", Fault: "is a part of " + name + ", and attributes are encrypted as a whole",
					Suggestion: "encrypt " + name,
				})
			}
			within(name+"."+f.Name, &f.Type)
		}
		within(name, t.Elem)
	}
	for i := range def.Fields {
		within(def.Fields[i].Name, &def.Fields[i].Type)
	}
	return faults
}

// checkEncrypted refuses a condition that encryption makes meaningless.
func (e *entity) checkEncrypted(f *codec.Field, op predicateOp) error {
	secret := e.encrypted[f.Path()[0].Name]
	if secret == nil {
		return nil
	}
	switch op {
	case opExists, opNotExists, opEq, opNe, opIn:
		if len(f.Path()) == 1 {
			return nil // whether the cipher is deterministic shows when it is sent
		}
	}
	return atField(secret.Name, faultf(ErrInvalid, "is encrypted, so that the database can't compare it: read the items and compare there"))
}

// checkEncryptedAction refuses an action that has to know what is encrypted.
func (e *entity) checkEncryptedAction(a *action) error {
	if e.encrypted[a.attr()] == nil {
		return nil
	}
	switch a.op {
	case changeSet, changeSetIfAbsent, changeRemove:
		if len(a.field.Path()) == 1 && a.formula == nil {
			return nil
		}
	}
	return faultf(ErrInvalid, "is encrypted: set it as a whole, or use Edit")
}

// deterministic reports whether a field of an entity has one ciphertext for one
// value.
func (db *DB) deterministic(e *entity, attr string) bool {
	d, ok := db.cfg.Cipher.(DeterministicCipher)
	return ok && d.Deterministic(e.def.Name, attr)
}

func (t *translation) binding(e *entity, attr string, key Item) (Binding, error) {
	b := Binding{Entity: e.def.Name, Table: t.table, Attribute: attr}
	if t.db.deterministic(e, attr) {
		return b, nil
	}
	cfg := &t.db.schema.cfg
	pk, _ := key[cfg.PK].(*types.AttributeValueMemberS)
	sk, _ := key[cfg.SK].(*types.AttributeValueMemberS)
	if pk == nil || sk == nil {
		return b, faultf(ErrCipher, "the item has no key, to which what is encrypted is bound")
	}
	b.PK, b.SK = pk.Value, sk.Value
	return b, nil
}

// seal encrypts the value of a field for an item with a key as it is stored.
func (t *translation) seal(ctx context.Context, e *entity, attr string, av types.AttributeValue, key Item) (types.AttributeValue, error) {
	b, err := t.binding(e, attr, key)
	if err == nil {
		var text []byte
		if text, err = t.db.cfg.Cipher.Encrypt(ctx, codec.AppendAttribute(nil, av), b); err == nil {
			return &types.AttributeValueMemberB{Value: text}, nil
		}
	}
	return nil, atField(e.encrypted[attr].Name, faultf(ErrCipher, "can't be encrypted: %w", err))
}

// unseal is the reverse of seal.
func (t *translation) unseal(ctx context.Context, e *entity, attr string, av types.AttributeValue, key Item) (types.AttributeValue, error) {
	fail := func(err error) (types.AttributeValue, error) {
		return nil, atField(e.encrypted[attr].Name, faultf(ErrCipher, "can't be decrypted: %w", err))
	}
	text, ok := av.(*types.AttributeValueMemberB)
	if !ok {
		return fail(errors.New("it is stored in the clear"))
	}
	b, err := t.binding(e, attr, key)
	if err != nil {
		return fail(err)
	}
	plain, err := t.db.cfg.Cipher.Decrypt(ctx, text.Value, b)
	if err != nil {
		return fail(err)
	}
	r := codec.NewReader(plain)
	defer r.Release()
	opened, err := r.Attribute()
	if err == nil {
		err = r.End()
	}
	if err != nil {
		return fail(errors.New("the plaintext is no attribute value"))
	}
	return opened, nil
}
