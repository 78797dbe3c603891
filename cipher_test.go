package dynorm_test

import (
	"errors"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/dynorm/dynorm"
	"github.com/dynorm/dynorm/internal/testdb"
	"github.com/dynorm/dynorm/local"
	"github.com/dynorm/dynorm/parser"
)

func TestCipherIsRequired(t *testing.T) {
	schema, err := dynorm.NewSchema(PortMemo{}, Team{})
	require.NoError(t, err)
	_, err = dynorm.Open(testdb.Open(t), schema, dynorm.Config{Table: "app"})
	require.ErrorIs(t, err, dynorm.ErrInvalid)
	require.EqualError(t, err, "dynorm: Open: Memo.Secret is tagged `encrypt` and there is no Config.Cipher")

	plain, err := dynorm.NewSchema(Team{})
	require.NoError(t, err)
	db, err := dynorm.Open(testdb.Open(t), plain, dynorm.Config{Table: "app"})
	require.NoError(t, err)
	_, err = db.Register(portCard())
	require.ErrorContains(t, err, "Card.secret is tagged `encrypt` and there is no Config.Cipher")

	whole := portCard()
	whole.Fields = append(whole.Fields, parser.Field{Name: "place", Attr: "place", Encrypt: true, Type: parser.Type{Kind: parser.Struct, Fields: []parser.Field{
		{Name: "city", Attr: "city", Type: parser.Type{Kind: parser.String}},
	}}})
	schema, err = dynorm.NewSchema(whole)
	require.NoError(t, err)
	db, err = dynorm.Open(testdb.Open(t), schema, dynorm.Config{Table: "app", Cipher: newAEAD(t)})
	require.NoError(t, err)
	cards := db.Entity("Card")
	_, err = cards.Where(dynorm.Eq("state", "open")).Select("place.city").List(t.Context())
	require.ErrorContains(t, err, "is a part of place, which is encrypted: select the whole of it")
	_, err = cards.Update(t.Context(), "c1", dynorm.Set("place.city", "Oslo"))
	require.ErrorContains(t, err, "is encrypted: set it as a whole, or use Edit")
	_, err = cards.Where(dynorm.Eq("state", "open"), dynorm.Eq("place.city", "Oslo")).List(t.Context())
	require.ErrorContains(t, err, "is encrypted, so that the database can't compare it")

	nested := portCard()
	nested.Fields = append(nested.Fields, parser.Field{Name: "place", Attr: "place", Type: parser.Type{Kind: parser.Struct, Fields: []parser.Field{
		{Name: "city", Attr: "city", Encrypt: true, Type: parser.Type{Kind: parser.String}},
	}}})
	_, err = dynorm.NewSchema(nested)
	require.ErrorIs(t, err, dynorm.ErrDefinition)
	require.ErrorContains(t, err, "place.city")
}

// A ciphertext in another place does not decrypt, and what is in the clear does
// not pass for encrypted.
func TestCiphertextIsBound(t *testing.T) {
	p, s := portModes[1].made(t, dynorm.Config{})
	ctx := t.Context()
	key := func(id string) dynorm.Item {
		return dynorm.Item{"pk": stringAV("FOLDER#f"), "sk": stringAV("MEMO#" + id)}
	}
	set := func(id string, av types.AttributeValue) {
		_, err := s.client.UpdateItem(ctx, &dynamodb.UpdateItemInput{
			TableName: new(p.db.Table()), Key: key(id), UpdateExpression: new("SET secret = :v"), ExpressionAttributeValues: dynorm.Item{":v": av},
		})
		require.NoError(t, err)
	}
	stored := dump(t, s.client, p.db.Table())
	set("m1", stored["FOLDER#f|MEMO#m2"]["secret"])
	for name, read := range map[string]func() error{
		"Find":  func() error { _, err := p.memos.Get(ctx, *portMemo(1)); return err },
		"query": func() error { _, err := p.folder().List(ctx); return err },
		"batch": func() error { _, err := p.memos.FindMany(ctx, portMemo(1), portMemo(2)); return err },
		"failed condition": func() error {
			_, err := p.memos.Update(ctx, portMemo(1), dynorm.Set("title", "x"), dynorm.If(dynorm.Eq("count", 77)))
			return err
		},
	} {
		err := read()
		require.ErrorIs(t, err, dynorm.ErrCipher, name)
		require.NotContains(t, err.Error(), mark)
	}
	_, err := p.memos.Get(ctx, *portMemo(1))
	require.ErrorContains(t, err, "dynorm: Get Memo.Secret: can't be decrypted")
	set("m1", stringAV("in the clear"))
	_, err = p.memos.Get(ctx, *portMemo(1))
	require.ErrorIs(t, err, dynorm.ErrCipher)
	require.ErrorContains(t, err, "it is stored in the clear")
	set("m1", stored["FOLDER#f|MEMO#m1"]["secret"])
	require.NoError(t, memoIs("m1")(p.memos.Get(ctx, *portMemo(1))))
}

func TestBindingBytes(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		draw := func(name string) dynorm.Binding {
			s := rapid.StringMatching("[ab]{0,3}")
			return dynorm.Binding{Table: s.Draw(t, name), PK: s.Draw(t, name), SK: s.Draw(t, name), Attribute: s.Draw(t, name)}
		}
		a, b := draw("a"), draw("b")
		if (a == b) != (string(a.Bytes()) == string(b.Bytes())) {
			t.Fatalf("%+v and %+v", a, b)
		}
	})
}

// The database can't compare ciphertexts, unless one value has one.
func TestConditionsOnEncrypted(t *testing.T) {
	p, s := portModes[1].made(t, dynorm.Config{})
	ctx := t.Context()
	for name, call := range map[string]func() error{
		"equal":    func() error { _, err := p.folder().Where(dynorm.Eq("secret", "x")).List(ctx); return err },
		"less":     func() error { _, err := p.folder().Where(dynorm.Lt("secret", "x")).List(ctx); return err },
		"contains": func() error { _, err := p.folder().Where(dynorm.Contains("secret", "x")).List(ctx); return err },
		"prefix":   func() error { _, err := p.folder().Where(dynorm.BeginsWith("secret", "x")).List(ctx); return err },
		"type":     func() error { _, err := p.folder().Where(dynorm.Type("secret", "S")).List(ctx); return err },
		"nested":   func() error { _, err := p.folder().Where(dynorm.Not(dynorm.In("secret", "x"))).List(ctx); return err },
		"raw":      func() error { _, err := p.folder().Where(dynorm.Raw("{secret} = ?", "x")).List(ctx); return err },
		"scan":     func() error { _, err := p.memos.Where(dynorm.Eq("secret", "x")).AllowScan().List(ctx); return err },
		"condition": func() error {
			_, err := p.memos.Update(ctx, portMemo(1), dynorm.Add("count", 1), dynorm.If(dynorm.Eq("secret", "x")))
			return err
		},
		"check": func() error {
			return p.db.Transact(ctx, func(tx *dynorm.Tx) error { return p.memos.In(tx).Check(ctx, portMemo(1), dynorm.Eq("secret", "x")) })
		},
		"reference": func() error {
			_, err := p.memos.Update(ctx, portMemo(1), dynorm.Set("title", dynorm.FieldRef("secret")))
			return err
		},
	} {
		err := call()
		require.ErrorIs(t, err, dynorm.ErrInvalid, name)
		require.ErrorContains(t, err, "encrypted", name)
	}
	require.Empty(t, s.kinds(), "all before any request")
	require.NoError(t, memosAre("m1", "m2", "m3")(p.folder().Where(dynorm.Exists("secret")).List(ctx)))

	c := newAEAD(t)
	c.deterministic = true
	p, _ = portModes[1].made(t, dynorm.Config{Cipher: c})
	require.NoError(t, memosAre("m2")(p.folder().Where(dynorm.Eq("secret", secretOf("m2"))).List(ctx)))
	require.NoError(t, memosAre("m1", "m3")(p.folder().Where(dynorm.Ne("secret", secretOf("m2"))).List(ctx)))
	require.NoError(t, memosAre("m1", "m2")(p.folder().Where(dynorm.In("secret", secretOf("m2"), secretOf("m1"))).List(ctx)))
	require.NoError(t, memosAre("m3")(p.memos.Where(dynorm.Eq("secret", secretOf("m3"))).AllowScan().List(ctx)))
	require.NoError(t, memoIs("m1")(p.memos.Update(ctx, portMemo(1), dynorm.Add("count", 1), dynorm.If(dynorm.Eq("secret", secretOf("m1"))))))
	_, err := p.memos.Update(ctx, portMemo(1), dynorm.Add("count", 1), dynorm.If(dynorm.Eq("secret", "x")))
	require.ErrorIs(t, err, dynorm.ErrConditionFailed)
	_, err = p.folder().Where(dynorm.Lt("secret", "x")).List(ctx)
	require.ErrorIs(t, err, dynorm.ErrInvalid)
}

// An edit without a version goes by the ciphertext that it read.
func TestEditOfEncryptedLosesRaces(t *testing.T) {
	p, _ := portModes[1].made(t, dynorm.Config{})
	ctx := t.Context()
	for name, rival := range map[string]string{"another value": mark + "-rival", "the same value": secretOf("m1")} {
		require.NoError(t, p.memos.Put(ctx, portMemo(1)))
		runs := 0
		v, err := p.memos.Edit(ctx, portMemo(1), func(v *PortMemo) error {
			if runs++; runs == 1 {
				if _, err := p.memos.Update(ctx, portMemo(1), dynorm.Set("secret", rival)); err != nil {
					return err
				}
			}
			v.Secret += "+"
			return nil
		})
		require.NoError(t, err, name)
		require.Equal(t, 2, runs, name)
		require.Equal(t, rival+"+", v.Secret, name)
	}
}

// A write whose response was lost is recognised although it is encrypted anew
// each time.
func TestLostResponseOfEncrypted(t *testing.T) {
	for _, operation := range []string{"PutItem", "UpdateItem"} {
		schema := portModes[1].schema(t)
		engine, err := local.Open(t.Context(), local.Config{}) // no other engine loses responses on order
		require.NoError(t, err)
		defer engine.Close()
		db, err := dynorm.Open(engine.Client(), schema, dynorm.Config{Table: testdb.Table(t), Cipher: newAEAD(t)})
		require.NoError(t, err)
		ctx := t.Context()
		require.NoError(t, db.CreateTable(ctx))
		p := newPortSet(db)
		p.seed(ctx, t)
		_, err = engine.Inject(local.Fault{Kind: local.LostResponse, Operations: []string{operation}, Times: 1})
		require.NoError(t, err)
		if operation == "PutItem" {
			require.NoError(t, p.memos.Create(ctx, portMemo(4)))
			continue
		}
		v, err := p.memos.Edit(ctx, portMemo(1), func(v *PortMemo) error {
			v.Secret = mark + "-once"
			return nil
		})
		require.NoError(t, err)
		require.Equal(t, mark+"-once", v.Secret)
	}
}

// What a failed condition carries has nothing of the encryption about it.
func TestConditionErrorOfEncrypted(t *testing.T) {
	p, _ := portModes[1].made(t, dynorm.Config{})
	err := p.memos.Create(t.Context(), portMemo(1))
	ce, ok := errors.AsType[*dynorm.ConditionError](err)
	require.True(t, ok)
	require.Equal(t, secretOf("m1"), stringOf(ce.Item["secret"]))
	require.Len(t, ce.Item, 11, "the attributes of the item and no more")
}
