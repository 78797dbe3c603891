package dynorm_test

import (
	"context"
	"errors"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/stretchr/testify/require"

	"github.com/dynorm/dynorm"
	"github.com/dynorm/dynorm/internal/testdb"
)

func stringAV(s string) types.AttributeValue { return &types.AttributeValueMemberS{Value: s} }

func stringOf(av types.AttributeValue) string {
	s, _ := av.(*types.AttributeValueMemberS)
	if s == nil {
		return ""
	}
	return s.Value
}

// Every exported method that does I/O is on a path of the matrix.
func TestPortPathsAreComplete(t *testing.T) {
	covered := map[string]bool{"DB.CreateTable": true} // every test sends it, and it has no items
	for _, p := range portPaths {
		for _, call := range p.calls {
			covered[call] = true
		}
	}
	ctx := reflect.TypeFor[context.Context]()
	exists := map[string]bool{"DB.CreateTable": true}
	for _, typ := range []reflect.Type{
		reflect.TypeFor[*dynorm.DB](), reflect.TypeFor[dynorm.Model[PortNote]](), reflect.TypeFor[dynorm.Query[PortNote]](),
		reflect.TypeFor[dynorm.EntityModel](), reflect.TypeFor[dynorm.TxModel[PortNote]](), reflect.TypeFor[dynorm.KeyQuery](),
		reflect.TypeFor[dynorm.Column[PortNote, int]](),
	} {
		base := typ
		if base.Kind() == reflect.Pointer {
			base = base.Elem()
		}
		name, _, _ := strings.Cut(base.Name(), "[")
		for i := range typ.NumMethod() {
			m := typ.Method(i)
			if m.Type.NumIn() > 1 && m.Type.In(1) == ctx {
				call := name + "." + m.Name
				exists[call] = true
				require.True(t, covered[call], "%s is on no path of the matrix", call)
			}
		}
	}
	for call := range covered {
		require.True(t, exists[call], "the matrix names %s, which does not exist", call)
	}
}

// portConfig is a configuration that the matrix runs with.
type portConfig func(*dynorm.Config)

// openPorts opens a DB on a new table whose client notes its requests.
func openPorts(t testing.TB, cfg portConfig) (*portSet, *store) {
	t.Helper()
	schema, err := dynorm.NewSchema(PortNote{}, PortMemo{}, portCard())
	require.NoError(t, err)
	s := &store{client: testdb.Open(t)}
	c := dynorm.Config{Table: testdb.Table(t)}
	if cfg != nil {
		cfg(&c)
	}
	s.db, err = dynorm.Open(dynamodb.New(s.client.Options(), s.record), schema, c)
	require.NoError(t, err)
	return newPortSet(s.db), s
}

// matrix runs every path with and without the wire codec.
func matrix(t *testing.T, run func(t *testing.T, path portPath, wire portConfig)) {
	for _, wire := range []bool{true, false} {
		name := "wire"
		if !wire {
			name = "attribute values"
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, path := range portPaths {
				t.Run(path.name, func(t *testing.T) { run(t, path, func(c *dynorm.Config) { c.AttributeValues = !wire }) })
			}
		})
	}
}

// The paths do what they say where nothing is configured.
func TestPortsNone(t *testing.T) {
	matrix(t, func(t *testing.T, path portPath, wire portConfig) {
		p, _ := openPorts(t, wire)
		require.NoError(t, p.db.CreateTable(t.Context()))
		p.seed(t.Context(), t)
		require.NoError(t, path.run(t.Context(), p))
	})
}

// noting is a validator that notes what it is shown, and refuses it once told
// to.
type noting struct {
	mu     sync.Mutex
	refuse bool
	seen   []string
	values []any
}

var errNotToday = errors.New("not today")

func (v *noting) Validate(_ context.Context, w dynorm.Write) error {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.seen, v.values = append(v.seen, w.Op+" "+w.Entity), append(v.values, w.Value)
	if v.refuse {
		return errNotToday
	}
	return nil
}

func TestPortsValidator(t *testing.T) {
	matrix(t, func(t *testing.T, path portPath, wire portConfig) {
		ctx := t.Context()
		v := &noting{}
		p, _ := openPorts(t, func(c *dynorm.Config) {
			wire(c)
			c.Validator = v
		})
		require.NoError(t, p.db.CreateTable(ctx))
		p.seed(ctx, t)
		v.seen = nil
		require.NoError(t, path.run(ctx, p))
		slices.Sort(v.seen)
		want := slices.Sorted(slices.Values(path.writes))
		require.Equal(t, want, v.seen)

		if len(path.writes) == 0 {
			return
		}
		fresh, s := openPorts(t, func(c *dynorm.Config) {
			wire(c)
			c.Validator = v
		})
		require.NoError(t, fresh.db.CreateTable(ctx))
		fresh.seed(ctx, t)
		v.refuse = true
		s.kinds()
		err := path.run(ctx, fresh)
		require.ErrorIs(t, err, dynorm.ErrValidation)
		require.ErrorIs(t, err, errNotToday)
		for _, kind := range s.kinds() {
			require.NotContains(t, []dynorm.OpKind{dynorm.OpPutItem, dynorm.OpUpdateItem, dynorm.OpDeleteItem, dynorm.OpBatchWriteItem, dynorm.OpTransactWriteItems}, kind)
		}
	})
}
