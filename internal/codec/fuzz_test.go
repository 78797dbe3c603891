package codec_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"
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
	S Secret
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
		if diff := differ(stored, again); diff != "" {
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

// FuzzWire feeds bytes to both codecs, one by way of the SDK's decoder: where
// the SDK and the codec of attribute values accept them, the wire codec must
// read the same, and where they refuse it must too.
func FuzzWire(f *testing.F) {
	for _, tc := range stored {
		if data, err := appendItem(codecOf(f, reflect.TypeOf(tc.in)), tc.in); err == nil {
			f.Add(data)
		}
	}
	for _, s := range []string{
		`{"id":{"S":"\ud83d\ude00\n"},"n":{"N":"1e3"},"any":{"M":{"x":{"L":[{"BS":["AQ=="]},null,{"NULL":true}]}}}}`,
		"{\"id\":{\"S\":\"\xff\\n\"},\"note\":{\"S\":\"\xff\"}, \"x\":[1.5e-3,true]}",
		`{"lines":{"L":[{"M":{"qty":{"N":"5"},"note":{"NULL":true}}},{"M":{}}]},"tags":{"L":[{"S":"a"}]},"byName":{"M":{"a":{"M":{}}}}}`,
		`{"s":{"BOOL":true},"t":{"M":{"children":{"L":[{"M":{"value":{"N":"3"}}}]}}},"r":{"M":{"kind":{"S":"k"},"_v":{"N":"9"}}}}`,
	} {
		f.Add([]byte(s))
	}
	c := codecOf(f, reflect.TypeFor[Everything]())
	f.Fuzz(func(t *testing.T, data []byte) { compareWire(t, c, data) })
}

func compareWire(t *testing.T, c *codec.Codec, data []byte) {
	ours, err := readItem(c, data)
	var bad *codec.WireError
	src, sdkErr := sdkDecode(data)
	if errors.As(err, &bad) {
		// The SDK overlooks some faults of lists that are no JSON. An attribute
		// value of no kind it takes for one that stood elsewhere, and null in a
		// set of texts for an empty one.
		known := bad.Reason == "an attribute value of no kind" || bad.Reason == "expected a string"
		if sdkErr == nil && json.Valid(data) && !known {
			t.Fatalf("the SDK reads what is refused here: %v", err)
		}
		return
	}
	r := codec.NewReader(data)
	defer r.Release()
	loose, looseErr := r.Attributes()
	looseErr = errors.Join(looseErr, r.End())
	if sdkErr != nil {
		// What no field declares is only looked at when it is asked for.
		if looseErr == nil {
			t.Fatalf("the SDK refuses what is read here: %v", sdkErr)
		}
		return
	}
	if repeatsName(data) {
		return // the later of two counts, but both must fit
	}
	if diff := differ(src, loose); looseErr == nil && diff != "" {
		t.Fatalf("the SDK reads other attributes:\n%s", diff)
	}
	theirs, avErr := decode(c, src)
	if (err == nil) != (avErr == nil) {
		t.Fatalf("on the wire %v, as attribute values %v", err, avErr)
	}
	if err != nil {
		return
	}
	if diff := differ(theirs, ours); diff != "" {
		t.Fatalf("attribute values and wire differ:\n%s", diff)
	}
	av, err := encode(c, theirs)
	written, err2 := appendItem(c, ours)
	if (err == nil) != (err2 == nil) {
		t.Fatalf("as attribute values %v, on the wire %v", err, err2)
	}
	if err != nil {
		return
	}
	back, err := sdkDecode(written)
	if err != nil {
		t.Fatalf("the SDK refuses what was written: %v", err)
	}
	for _, data := range [][]byte{codec.AppendAttributes(nil, av), sdkEncode(t, av)} {
		again, err := sdkDecode(data)
		if err != nil {
			t.Fatal(err)
		}
		if diff := differ(again, back); diff != "" {
			t.Fatalf("the two codecs store differently:\n%s", diff)
		}
	}
}

// differ returns how two values differ. Items go by their text, and structs field
// by field: cmp compares what is deep in lists twice on every level, and so in
// time that doubles with each.
func differ(a, b any) string {
	if reflect.DeepEqual(a, b) {
		return ""
	}
	if x, ok := a.(item); ok {
		y, _ := b.(item)
		return fmt.Sprintf("-%s\n+%s", codec.AppendAttributes(nil, x), codec.AppendAttributes(nil, y))
	}
	x, y := reflect.ValueOf(a), reflect.ValueOf(b)
	if x.Kind() != reflect.Struct || x.Type() != y.Type() {
		return cmp.Diff(a, b, same)
	}
	var diffs []string
	for i := range x.NumField() {
		if f := x.Type().Field(i); !f.IsExported() {
			return cmp.Diff(a, b, same)
		} else if diff := differ(x.Field(i).Interface(), y.Field(i).Interface()); diff != "" {
			diffs = append(diffs, f.Name+": "+diff)
		}
	}
	return strings.Join(diffs, "\n")
}

// repeatsName reports whether an object has two members of one name.
func repeatsName(data []byte) bool {
	dec := json.NewDecoder(bytes.NewReader(data))
	var stack []map[string]bool // nil for arrays
	names := false              // the next string is a name
	for {
		tok, err := dec.Token()
		if err != nil {
			return false
		}
		switch v := tok.(type) {
		case json.Delim:
			switch v {
			case '{':
				stack, names = append(stack, map[string]bool{}), true
				continue
			case '[':
				stack, names = append(stack, nil), false
				continue
			}
			stack = stack[:len(stack)-1]
		case string:
			if names {
				if stack[len(stack)-1][v] {
					return true
				}
				stack[len(stack)-1][v] = true
				names = false
				continue
			}
		}
		if len(stack) == 0 {
			return false
		}
		names = stack[len(stack)-1] != nil
	}
}

// FuzzWireTrees is FuzzWire on trees of attributes, which reach deeper than
// bytes do.
func FuzzWireTrees(f *testing.F) {
	f.Add([]byte("\x07\x01\x01\x09\x02\x0a\x03"))
	f.Add([]byte{5, 4, 1, 1, 2, '4', '2', 0, 1, 0, 3, 'a', 'b', 'c'})
	c := codecOf(f, reflect.TypeFor[Everything]())
	f.Fuzz(func(t *testing.T, data []byte) {
		r := tree{data}
		compareWire(t, c, codec.AppendAttributes(nil, r.attributes(0)))
	})
}
