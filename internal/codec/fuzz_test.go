package codec_test

import (
	"reflect"
	"testing"

	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/attributevalue"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/google/go-cmp/cmp"

	"github.com/dynorm/dynorm/internal/codec"
)

// Everything has a field of every kind under the names of the seeds, so that
// random attributes meet every coder.
type Everything struct {
	Order
	T Tree
	R Rec `dynorm:"r"`
}

// tree reads a random attribute value from bytes: one byte chooses the kind,
// what follows the content.
type tree struct{ data []byte }

func (r *tree) next() byte {
	if len(r.data) == 0 {
		return 0
	}
	b := r.data[0]
	r.data = r.data[1:]
	return b
}

func (r *tree) text() string {
	n := min(int(r.next()%24), len(r.data))
	s := string(r.data[:n])
	r.data = r.data[n:]
	return s
}

func (r *tree) list() []string {
	var list []string
	for range r.next() % 4 {
		list = append(list, r.text())
	}
	return list
}

func (r *tree) value(depth int) types.AttributeValue {
	kind := r.next() % 12
	if depth > 40 {
		kind %= 8
	}
	switch kind {
	case 0:
		return &types.AttributeValueMemberS{Value: r.text()}
	case 1:
		return &types.AttributeValueMemberN{Value: r.text()}
	case 2:
		return &types.AttributeValueMemberB{Value: []byte(r.text())}
	case 3:
		return &types.AttributeValueMemberBOOL{Value: r.next()%2 == 0}
	case 4:
		return &types.AttributeValueMemberNULL{Value: true}
	case 5:
		return &types.AttributeValueMemberSS{Value: r.list()}
	case 6:
		return &types.AttributeValueMemberNS{Value: r.list()}
	case 7:
		v := &types.AttributeValueMemberBS{}
		for _, s := range r.list() {
			v.Value = append(v.Value, []byte(s))
		}
		return v
	case 8, 9:
		v := &types.AttributeValueMemberL{Value: []types.AttributeValue{}}
		for range r.next() % 5 {
			v.Value = append(v.Value, r.value(depth+1))
		}
		return v
	}
	return &types.AttributeValueMemberM{Value: r.attributes(depth + 1)}
}

func (r *tree) attributes(depth int) item {
	names := []string{
		"id", "lines", "meta", "status", "level", "f", "f32", "u", "n", "big", "rat", "float", "at", "unix", "ttl", "tags",
		"nums", "blobs", "hash", "triple", "b", "on", "addr", "doc", "txt", "any", "names", "bad", "t", "value", "children",
		"parent", "byName", "r", "qty", "note", "kind", "uuid", "grade", "place", "town", "geo", "pn", "made", "num",
	}
	m := item{}
	for range r.next() % 8 {
		name := names[int(r.next())%len(names)]
		if r.next()%16 == 0 {
			name = r.text()
		}
		m[name] = r.value(depth)
	}
	return m
}

// FuzzDecodeItem feeds random trees of attributes to the codec: it must not
// panic, and what it accepts must store and read back as the same.
func FuzzDecodeItem(f *testing.F) {
	f.Add([]byte("\x07\x01\x01\x09\x02\x0a\x03"))
	f.Add([]byte{5, 4, 1, 1, 2, '4', '2', 0, 1, 0, 3, 'a', 'b', 'c'})
	f.Add([]byte{7, 25, 1, 8, 4, 8, 4, 10, 7, 25, 1, 6, 2, 1, '1', 2, '1', '0'})
	c := codecOf(f, reflect.TypeFor[Everything]())
	f.Fuzz(func(t *testing.T, data []byte) {
		r := tree{data}
		src := r.attributes(0)
		v, err := decode(c, src)
		if err != nil {
			return
		}
		stored, err := encode(c, v)
		if err != nil {
			return // an enum of an older schema, two elements that are one
		}
		back, err := decode(c, stored)
		if err != nil {
			t.Fatalf("what was stored does not read back: %v", err)
		}
		again, err := encode(c, back)
		if err != nil {
			t.Fatalf("what was read does not store: %v", err)
		}
		if diff := cmp.Diff(stored, again, same); diff != "" {
			t.Fatalf("stored and stored again differ:\n%s", diff)
		}
	})
}

// FuzzAny holds the values of any to their attributes.
func FuzzAny(f *testing.F) {
	f.Add([]byte{8, 2, 1, 1, '5', 10, 1, 2, 3, 6, 2, 1, '1', 1, '2'})
	f.Fuzz(func(t *testing.T, data []byte) {
		r := tree{data}
		av := r.value(0)
		val, err := codec.DecodeAny(av)
		if err != nil {
			return
		}
		back, err := codec.EncodeAny(val)
		if err != nil {
			return // an empty name
		}
		if back == nil {
			return // an empty set
		}
		again, err := codec.DecodeAny(back)
		if err != nil {
			t.Fatal(err)
		}
		third, err := codec.EncodeAny(again)
		if err != nil {
			t.Fatal(err)
		}
		if !codec.Equal(back, third) {
			t.Fatalf("%v became %v", back, third)
		}
	})
}

// FuzzNumber holds integers read from any text to strconv by way of the SDK.
func FuzzNumber(f *testing.F) {
	for _, s := range []string{"0", "-1", "9223372036854775808", "1e3", "1.0", "007", "+5", "1_0", ""} {
		f.Add(s)
	}
	type row struct {
		V int64 `dynamodbav:"v"`
	}
	c := codecOf(f, reflect.TypeFor[row]())
	f.Fuzz(func(t *testing.T, s string) {
		src := item{"v": numberValue(s)}
		var theirs row
		err := attributevalue.UnmarshalMap(src, &theirs)
		ours, err2 := decode(c, src)
		if err == nil && (err2 != nil || ours != theirs) {
			t.Fatalf("%q: attributevalue reads %v, this package %v, %v", s, theirs, ours, err2)
		}
		if err2 == nil {
			if _, err := codec.CanonicalNumber(s); err != nil {
				t.Fatalf("%q is read though it is no number: %v", s, err)
			}
		}
	})
}
