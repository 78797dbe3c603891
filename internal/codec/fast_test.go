package codec

import (
	"reflect"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/dynorm/dynorm/parser"
)

type fastFields struct {
	Text   string
	Num    int
	Wide   int64
	Small  int8
	At     time.Time
	Rough  time.Time `dynorm:",precision=s"`
	Unix   time.Time `dynorm:",unixtime"`
	Choice string    `dynorm:",enum=a|b"`
	Quoted int64     `dynorm:",string"`
	ID     string
}

// The short ways give what the long ones do.
func TestFastAgrees(t *testing.T) {
	def, err := parser.Parse(reflect.TypeFor[fastFields]())
	require.NoError(t, err)
	c, err := Compile(def.Reflect, def.Fields)
	require.NoError(t, err)
	rapid.Check(t, func(t *rapid.T) {
		f := c.Field(rapid.IntRange(0, c.NumFields()-1).Draw(t, "field"))
		var val any
		switch rapid.IntRange(0, 4).Draw(t, "type") {
		case 0:
			val = rapid.SampledFrom([]string{"", "a", "x", "ü", "\xff"}).Draw(t, "text")
		case 1:
			val = rapid.Int().Draw(t, "int")
		case 2:
			val = rapid.Int64().Draw(t, "int64")
		case 3:
			val = time.Unix(rapid.Int64Range(-1<<36, 1<<36).Draw(t, "s"), rapid.Int64Range(0, 999_999_999).Draw(t, "ns"))
		case 4:
			val = time.Time{}
		}
		fast := f.fastOperand(val)
		if fast == nil {
			return
		}
		// A value behind a pointer takes the long way.
		p := reflect.New(reflect.TypeOf(val))
		p.Elem().Set(reflect.ValueOf(val))
		slow, err := f.EncodeOperand(p.Interface())
		require.NoError(t, err)
		require.Equal(t, slow, fast)
		part, ok := f.fastPart(fast)
		if !ok {
			return
		}
		want, err := f.PartFrom(val)
		require.NoError(t, err)
		require.Equal(t, want, part)
	})
}
