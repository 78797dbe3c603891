package parser_test

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/attributevalue"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/dynorm/dynorm/parser"
)

// TestPromotionAgreesWithJSON compares, over random structs that embed each
// other, which fields are stored under which names by the parser, by
// encoding/json and by attributevalue. What those drop in silence is a fault
// here, and everything else is the same.
func TestPromotionAgreesWithJSON(t *testing.T) {
	agreed, refused := 0, 0
	rapid.Check(t, func(t *rapid.T) {
		typ := randomStruct(t)
		value := reflect.New(typ).Elem()
		leaves := map[string]bool{}
		n := 0
		fill(value, leaves, &n)

		data, err := json.Marshal(value.Interface())
		require.NoError(t, err)
		viaJSON := map[string]string{}
		require.NoError(t, json.Unmarshal(data, &viaJSON))
		item, err := attributevalue.MarshalMap(value.Interface())
		require.NoError(t, err)
		viaSDK := map[string]string{}
		for name, v := range item {
			viaSDK[name] = v.(*types.AttributeValueMemberS).Value
		}
		require.Equal(t, viaJSON, viaSDK, "the yardsticks differ")

		fields, err := parser.Fields(typ)
		if err != nil {
			refused++
			for name := range leaves {
				if _, ok := viaJSON[name]; !ok {
					require.ErrorContains(t, err, fmt.Sprintf("the attribute %q is stored by both", strings.ToLower(name)))
				}
			}
			return
		}
		agreed++
		ours := map[string]string{}
		for _, f := range fields {
			ours[strings.ToUpper(f.Attr)] = value.FieldByIndex(f.Path).String()
		}
		require.Equal(t, viaJSON, ours)
	})
	require.Positive(t, agreed)
	require.Positive(t, refused)
}

// TestSDKTagsAgree compares what is stored of a struct with tags of the SDK,
// under which names and as which kinds, with what the SDK stores.
func TestSDKTagsAgree(t *testing.T) {
	row := fromSDK{
		ID: "1", Name: "n", Nick: "k", Count: 1, Label: "l", At: time.Unix(1, 0), Later: 2, Tags: []string{"t"},
		Sizes: []int{1}, Hashes: [][]byte{{1}}, Scalar: "s", Meta: map[string]int{"m": 1},
	}
	item, err := attributevalue.MarshalMap(row)
	require.NoError(t, err)
	e, err := parser.Parse(reflect.TypeOf(row))
	require.NoError(t, err)
	want := map[string]string{}
	for name, v := range item {
		want[name] = strings.TrimPrefix(fmt.Sprintf("%T", v), "*types.AttributeValueMember")
	}
	got := map[string]string{}
	for _, f := range e.Fields {
		got[f.Attr] = memberOf(f)
	}
	// These have names of their own in dynorm tags.
	delete(want, "loses")
	delete(got, "wins")
	delete(got, "kept")
	// Fields without a name in a tag are called otherwise.
	for _, name := range []string{"Count", "Label"} {
		want[strings.ToLower(name)] = want[name]
		delete(want, name)
	}
	require.Equal(t, want, got)
}

// memberOf names the attribute value that a field's definition asks for.
func memberOf(f parser.Field) string {
	kinds := map[parser.Kind]string{
		parser.String: "S", parser.Int: "N", parser.Time: "S", parser.Bytes: "B", parser.List: "L", parser.Map: "M",
	}
	switch {
	case f.Set:
		return kinds[f.Type.Elem.Kind] + "S"
	case f.String:
		return "S"
	case f.UnixTime:
		return "N"
	}
	return kinds[f.Type.Kind]
}

// randomStruct draws structs that hold strings and embed those drawn before,
// and returns the last. Tags give the SDK and encoding/json the names that the
// parser gives, in capitals.
func randomStruct(t *rapid.T) reflect.Type {
	var drawn []reflect.Type
	names := rapid.SampledFrom([]string{"A", "B", "C", "D"})
	for range rapid.IntRange(1, 5).Draw(t, "structs") {
		var fields []reflect.StructField
		used := map[string]bool{}
		add := func(f reflect.StructField) {
			if !used[f.Name] {
				used[f.Name] = true
				fields = append(fields, f)
			}
		}
		for range rapid.IntRange(0, 3).Draw(t, "embeddings") {
			if len(drawn) == 0 {
				break
			}
			i := rapid.IntRange(0, len(drawn)-1).Draw(t, "embedded")
			e := drawn[i]
			name := fmt.Sprintf("E%d", i)
			if rapid.Bool().Draw(t, "pointer") {
				e = reflect.PointerTo(e)
			}
			add(reflect.StructField{Name: name, Type: e, Anonymous: true})
		}
		for range rapid.IntRange(1, 3).Draw(t, "fields") {
			f := reflect.StructField{Name: names.Draw(t, "field"), Type: reflect.TypeFor[string]()}
			if rapid.Bool().Draw(t, "tagged") {
				name := names.Draw(t, "name")
				f.Tag = reflect.StructTag(fmt.Sprintf(`dynorm:%q json:%q dynamodbav:%q`, strings.ToLower(name), name, name))
			}
			add(f)
		}
		drawn = append(drawn, reflect.StructOf(fields))
	}
	return drawn[len(drawn)-1]
}

// fill gives every string of a struct a value of its own, and collects the
// names they would be stored under.
func fill(v reflect.Value, names map[string]bool, n *int) {
	for i := range v.NumField() {
		f, sf := v.Field(i), v.Type().Field(i)
		if f.Kind() == reflect.Pointer {
			f.Set(reflect.New(f.Type().Elem()))
			f = f.Elem()
		}
		if f.Kind() == reflect.Struct {
			fill(f, names, n)
			continue
		}
		*n++
		f.SetString(fmt.Sprint(*n))
		name := sf.Tag.Get("json")
		if name == "" {
			name = sf.Name
		}
		names[name] = true
	}
}
