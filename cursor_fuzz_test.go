package dynorm

import (
	"encoding/base64"
	"errors"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/stretchr/testify/require"
)

type fuzzed struct {
	_ Key   `pk:"OWNER#{Owner}" sk:"ITEM#{At}#{No}"`
	_ Index `dynorm:"byKind" pk:"KIND#{Kind}" sk:"{No}"`

	Owner, Kind string
	At          time.Time
	No          int
}

// FuzzCursor gives queries cursors that are whole but for what they say: each is
// refused, or leads nowhere but into the query.
func FuzzCursor(f *testing.F) {
	schema, err := NewSchema(fuzzed{})
	require.NoError(f, err)
	db, err := Open(dynamodb.New(dynamodb.Options{}), schema, Config{Table: "app"})
	require.NoError(f, err)
	m := ModelOf[fuzzed](db)
	queries := []Query[fuzzed]{
		m.Where(Eq("owner", "o")),
		m.Where(Eq("owner", "o"), Lt("at", time.Unix(0, 0))),
		m.Where(Eq("kind", "k")).OrderByDesc("no"),
		m.Where(In("kind", "k", "l")).OrderBy("no"),
		m.Where(Eq("no", 1)).AllowScan(Scan{Segments: 3}),
		m.Where(Eq("owner", "o"), In("at", time.Unix(0, 0), time.Unix(1, 0)), Eq("no", 3)),
	}
	for i := range queries {
		f.Add(uint8(i), false, []byte{0})
		f.Add(uint8(i), false, []byte{1, 11, 'I', 'T', 'E', 'M', '#', '2', '0', '2', '0', '#', '1'})
		f.Add(uint8(i), true, []byte{1, 1, '5', 6, 'O', 'W', 'N', 'E', 'R', '#', 5, 'I', 'T', 'E', 'M', '#'})
		f.Add(uint8(i), true, []byte{2, 0, 1, 1, 'a', 1, 'b'})
	}
	f.Fuzz(func(t *testing.T, n uint8, backward bool, states []byte) {
		q := queries[int(n)%len(queries)]
		p, err := q.s.planned()
		require.NoError(t, err)
		flags := byte(0)
		if backward {
			flags = flagBackward
		}
		data := append([]byte{cursorVersion, flags}, q.s.reader(p, "Page", 0).fingerprint()...)
		data = append(data, states...)
		data = append(data, checksum(data)...)
		in, err := q.After(base64.RawURLEncoding.EncodeToString(data)).Request()
		if err != nil {
			if !errors.Is(err, ErrCursor) {
				t.Fatal(err)
			}
			return
		}
		query, ok := in.(*dynamodb.QueryInput)
		if !ok || query.ExclusiveStartKey == nil {
			return
		}
		pk, _ := query.ExclusiveStartKey[p.path.pk.attr].(*types.AttributeValueMemberS)
		sk, _ := query.ExclusiveStartKey[p.path.sk.attr].(*types.AttributeValueMemberS)
		for i := range p.branches {
			if b := &p.branches[i]; b.pk == pk.Value && b.sk.holds(sk.Value) {
				return
			}
		}
		t.Fatalf("the cursor leads out of the query: %v", query.ExclusiveStartKey)
	})
}

// FuzzRaw reads raw conditions: each is refused, or leaves no brace and no
// question mark in its text, and as many operands as it names.
func FuzzRaw(f *testing.F) {
	schema, err := NewSchema(fuzzed{})
	require.NoError(f, err)
	e := schema.entities[0]
	for _, text := range []string{"{no} > ?", "size({kind}) = ? AND {no} < {no}", "{", "}", "?", "{no", "#0 = :1", "", "{no}{no}"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		p := Raw(text, 1)
		c, err := p.resolve(e)
		if err != nil {
			if !errors.Is(err, ErrInvalid) && !errors.Is(err, ErrUnknownField) {
				t.Fatal(err)
			}
			return
		}
		if len(c.raw.texts) != len(c.raw.operands)+1 {
			t.Fatalf("%d texts around %d operands", len(c.raw.texts), len(c.raw.operands))
		}
		for _, text := range c.raw.texts {
			for _, r := range text {
				if r == '{' || r == '}' || r == '?' || r == '#' || r == ':' {
					t.Fatalf("%q is left", text)
				}
			}
		}
	})
}
