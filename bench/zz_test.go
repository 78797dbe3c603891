package main
import ("testing";"reflect";"unsafe";"github.com/dynorm/dynorm/internal/codec";"github.com/dynorm/dynorm/parser")
func BenchmarkZ(b *testing.B) {
	users := sampleUsers(25)
	e, err := parser.Parse(reflect.TypeFor[User]()); if err != nil { b.Fatal(err) }
	c, err := codec.Compile(reflect.TypeFor[User](), e.Fields); if err != nil { b.Fatal(err) }
	buf := make([]byte, 0, 4096)
	b.Run("all", func(b *testing.B){ b.ReportAllocs(); i:=0; for b.Loop() { i=(i+1)%25; buf, err = c.AppendItem(buf[:0], unsafe.Pointer(users[i])); if err!=nil {b.Fatal(err)} } ; b.ReportMetric(float64(len(buf)),"len")})
	for i := range c.NumFields() { f := c.Field(i); b.Run(f.Attr, func(b *testing.B){ for b.Loop() { buf, _, err = f.AppendValue(buf[:0], unsafe.Pointer(users[3])) } }) }
}
