package codec

import (
	"reflect"
	"testing"
	"unsafe"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/stretchr/testify/require"

	"github.com/dynorm/dynorm/parser"
)

// What is not UTF-8 would be changed on its way: both codecs refuse it, and
// name the place without the text.
func TestTextThatIsNotUTF8(t *testing.T) {
	type row struct {
		S    string
		P    *string
		List []string
		Set  []string `dynorm:",set"`
		Map  map[string]string
		Any  any
		JSON []string `dynorm:",json"`
	}
	bad := "a\xffb"
	fields, err := parser.Fields(reflect.TypeFor[row]())
	require.NoError(t, err)
	c, err := Compile(reflect.TypeFor[row](), fields)
	require.NoError(t, err)
	for path, v := range map[string]row{
		"S":        {S: bad},
		"P":        {P: &bad},
		"List[1]":  {List: []string{"ok", bad}},
		"Set":      {Set: []string{"ok", bad}},
		`Map["k"]`: {Map: map[string]string{"k": bad}},
		"Any":      {Any: bad},
		"Any[0]":   {Any: []any{bad}},
	} {
		t.Run(path, func(t *testing.T) {
			want := "row." + path + ": text that is not UTF-8: store it as []byte"
			require.EqualError(t, c.EncodeItem(map[string]types.AttributeValue{}, unsafe.Pointer(&v)), want)
			_, err := c.AppendItem(nil, unsafe.Pointer(&v))
			require.EqualError(t, err, want)
		})
	}
}
