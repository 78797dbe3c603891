package dynorm_test

import (
	"bytes"
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"io"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/stretchr/testify/require"

	"github.com/dynorm/dynorm"
	"github.com/dynorm/dynorm/internal/codec"
	"github.com/dynorm/dynorm/internal/testdb"
	"github.com/dynorm/dynorm/local"
	"github.com/dynorm/dynorm/parser"
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
		reflect.TypeFor[dynorm.EntityModel](), reflect.TypeFor[dynorm.TxEntity](), reflect.TypeFor[dynorm.CollectionQuery](),
		reflect.TypeFor[dynorm.TxModel[PortNote]](), reflect.TypeFor[dynorm.KeyQuery](),
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

// portMode is a way in which items go between structs and the table.
type portMode struct {
	name   string
	plain  bool // no field is encrypted, so that nothing has to see attribute values
	values bool // by the SDK's attribute values
}

var portModes = []portMode{{"direct", true, false}, {"wire", false, false}, {"attribute values", false, true}}

// schema is that of the matrix.
func (m portMode) schema(t testing.TB) *dynorm.Schema {
	t.Helper()
	var models []any
	for _, typ := range []reflect.Type{reflect.TypeFor[PortNote](), reflect.TypeFor[PortMemo]()} {
		def, err := parser.Parse(typ)
		require.NoError(t, err)
		models = append(models, def)
	}
	models = append(models, portCard())
	for i := range models {
		def := models[i].(parser.Entity)
		def.Fields = slices.Clone(def.Fields)
		for j := range def.Fields {
			def.Fields[j].Encrypt = def.Fields[j].Encrypt && !m.plain
		}
		models[i] = def
	}
	schema, err := dynorm.NewSchema(models...)
	require.NoError(t, err)
	return schema
}

// open opens a DB on a table that is not made yet, whose client notes its
// requests.
func (m portMode) open(t testing.TB, cfg dynorm.Config, options ...func(*dynamodb.Options)) (*portSet, *store) {
	t.Helper()
	s := &store{client: testdb.Open(t)}
	cfg.AttributeValues = m.values
	if cfg.Table == "" {
		cfg.Table = testdb.Table(t)
	}
	if cfg.Cipher == nil {
		cfg.Cipher = newAEAD(t)
	}
	var err error
	s.db, err = dynorm.Open(dynamodb.New(s.client.Options(), append(options, s.record)...), m.schema(t), cfg)
	require.NoError(t, err)
	return newPortSet(s.db), s
}

// made is open on a table with the items of the matrix.
func (m portMode) made(t testing.TB, cfg dynorm.Config, options ...func(*dynamodb.Options)) (*portSet, *store) {
	t.Helper()
	p, s := m.open(t, cfg, options...)
	require.NoError(t, p.db.CreateTable(t.Context()))
	p.seed(t.Context(), t)
	s.kinds()
	return p, s
}

// matrix runs every path in every mode.
func matrix(t *testing.T, run func(t *testing.T, m portMode, path portPath)) {
	modes := portModes
	if testdb.Endpoint() != "" {
		modes = modes[1:2] // the one in which most goes on: making tables takes long there
	}
	for _, m := range modes {
		t.Run(m.name, func(t *testing.T) {
			t.Parallel()
			for _, path := range portPaths {
				t.Run(path.name, func(t *testing.T) { run(t, m, path) })
			}
		})
	}
}

// The paths do what they say where nothing is configured.
func TestPortsNone(t *testing.T) {
	matrix(t, func(t *testing.T, m portMode, path portPath) {
		p, _ := m.made(t, dynorm.Config{})
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
	matrix(t, func(t *testing.T, m portMode, path portPath) {
		ctx, v := t.Context(), &noting{}
		p, _ := m.made(t, dynorm.Config{Validator: v})
		v.seen = nil
		require.NoError(t, path.run(ctx, p))
		slices.Sort(v.seen)
		require.Equal(t, slices.Sorted(slices.Values(path.writes)), v.seen)
		if len(path.writes) == 0 {
			return
		}

		v = &noting{}
		p, s := m.made(t, dynorm.Config{Validator: v})
		v.refuse = true
		err := path.run(ctx, p)
		require.ErrorIs(t, err, dynorm.ErrValidation)
		require.ErrorIs(t, err, errNotToday)
		for _, kind := range s.kinds() {
			require.NotContains(t, writeKinds, kind)
		}
	})
}

var writeKinds = []dynorm.OpKind{dynorm.OpPutItem, dynorm.OpUpdateItem, dynorm.OpDeleteItem, dynorm.OpBatchWriteItem, dynorm.OpTransactWriteItems}

// tenantKey is where the tests keep the tenant in a context.
type tenantKey struct{}

func as(ctx context.Context, tenant dynorm.Tenant) context.Context {
	return context.WithValue(ctx, tenantKey{}, tenant)
}

type scopeOfContext struct{}

func (scopeOfContext) Tenant(ctx context.Context) (dynorm.Tenant, error) {
	t, _ := ctx.Value(tenantKey{}).(dynorm.Tenant)
	return t, nil
}

// dump returns the items of a table as they are stored, by key.
func dump(t testing.TB, client *dynamodb.Client, table string) map[string]dynorm.Item {
	t.Helper()
	items := map[string]dynorm.Item{}
	in := &dynamodb.ScanInput{TableName: &table, ConsistentRead: new(true)}
	for {
		out, err := client.Scan(t.Context(), in)
		require.NoError(t, err)
		for _, item := range out.Items {
			items[stringOf(item["pk"])+"|"+stringOf(item["sk"])] = item
		}
		if len(out.LastEvaluatedKey) == 0 {
			return items
		}
		in.ExclusiveStartKey = out.LastEvaluatedKey
	}
}

// of returns the items whose keys begin with a prefix.
func of(items map[string]dynorm.Item, prefix string) map[string]dynorm.Item {
	own := map[string]dynorm.Item{}
	for key, item := range items {
		if strings.HasPrefix(key, prefix) {
			own[key] = item
		}
	}
	return own
}

func TestPortsScopeByPrefix(t *testing.T) {
	acme, other := dynorm.Tenant{Prefix: dynorm.TenantPrefix("acme")}, dynorm.Tenant{Prefix: dynorm.TenantPrefix("a#b")}
	matrix(t, func(t *testing.T, m portMode, path portPath) {
		p, s := m.open(t, dynorm.Config{Scope: scopeOfContext{}})
		a, b := as(t.Context(), acme), as(t.Context(), other)
		require.NoError(t, p.db.CreateTable(a))
		p.seed(a, t)
		p.seed(b, t)
		before := dump(t, s.client, p.db.Table())
		require.Len(t, of(before, acme.Prefix), 12, "nine items and three claims")
		require.Len(t, of(before, other.Prefix), 12)

		s.kinds()
		require.ErrorIs(t, path.run(t.Context(), p), dynorm.ErrNoTenant)
		require.Empty(t, s.kinds())

		require.NoError(t, path.run(a, p))
		after := dump(t, s.client, p.db.Table())
		require.Equal(t, of(before, other.Prefix), of(after, other.Prefix), "the other tenant's items are as they were")
		require.NoError(t, path.run(b, p))
		after = dump(t, s.client, p.db.Table())
		require.Equal(t, len(after), len(of(after, acme.Prefix))+len(of(after, other.Prefix)), "every item is of a tenant")
		for key, item := range after {
			prefix := acme.Prefix
			if strings.HasPrefix(key, other.Prefix) {
				prefix = other.Prefix
			}
			for _, attr := range []string{"gsi1pk", "gsi2pk", "ownerPk"} {
				if item[attr] != nil {
					require.True(t, strings.HasPrefix(stringOf(item[attr]), prefix), "%s of %s", attr, key)
				}
			}
		}
	})
}

func TestPortsScopeByTable(t *testing.T) {
	matrix(t, func(t *testing.T, m portMode, path portPath) {
		p, s := m.open(t, dynorm.Config{Scope: scopeOfContext{}})
		acme, other := dynorm.Tenant{Table: testdb.Table(t)}, dynorm.Tenant{Table: testdb.Table(t)}
		a, b := as(t.Context(), acme), as(t.Context(), other)
		for _, ctx := range []context.Context{a, b} {
			require.NoError(t, p.db.CreateTable(ctx))
			p.seed(ctx, t)
		}
		before := dump(t, s.client, other.Table)
		require.Len(t, before, 12)
		s.kinds()
		require.ErrorIs(t, path.run(t.Context(), p), dynorm.ErrNoTenant)
		require.Empty(t, s.kinds())
		require.NoError(t, path.run(a, p))
		require.Equal(t, before, dump(t, s.client, other.Table))
		require.NoError(t, path.run(b, p))
	})
}

// aead is a cipher as a user would write one.
type aead struct {
	cipher.AEAD
	deterministic bool
}

func newAEAD(t testing.TB) *aead {
	t.Helper()
	block, err := aes.NewCipher([]byte("0123456789abcdef"))
	require.NoError(t, err)
	gcm, err := cipher.NewGCM(block)
	require.NoError(t, err)
	return &aead{AEAD: gcm}
}

func (c *aead) Encrypt(_ context.Context, plaintext []byte, at dynorm.Binding) ([]byte, error) {
	nonce := make([]byte, c.NonceSize())
	if c.deterministic {
		sum := sha256.Sum256(append(at.Bytes(), plaintext...))
		copy(nonce, sum[:])
	} else {
		rand.Read(nonce)
	}
	return c.Seal(nonce, nonce, plaintext, at.Bytes()), nil
}

func (c *aead) Decrypt(_ context.Context, ciphertext []byte, at dynorm.Binding) ([]byte, error) {
	if len(ciphertext) < c.NonceSize() {
		return nil, errors.New("too short")
	}
	return c.Open(nil, ciphertext[:c.NonceSize()], ciphertext[c.NonceSize():], at.Bytes())
}

func (c *aead) Deterministic(string, string) bool { return c.deterministic }

// tapped is a transport that keeps what goes over it.
type tapped struct {
	dynamodb.HTTPClient
	mu   sync.Mutex
	text []string
}

func (c *tapped) Do(req *http.Request) (*http.Response, error) {
	var sent []byte
	if req.Body != nil {
		var err error
		if sent, err = io.ReadAll(req.Body); err != nil {
			return nil, err
		}
		req.Body = io.NopCloser(bytes.NewReader(sent))
	}
	resp, err := c.HTTPClient.Do(req)
	if err != nil {
		return nil, err
	}
	got, err := io.ReadAll(resp.Body)
	if err != nil {
		return nil, err
	}
	resp.Body = io.NopCloser(bytes.NewReader(got))
	c.mu.Lock()
	defer c.mu.Unlock()
	c.text = append(c.text, string(sent), string(got))
	return resp, nil
}

func TestPortsCipher(t *testing.T) {
	matrix(t, func(t *testing.T, m portMode, path portPath) {
		if m.plain {
			return // the matrix without a port covers it
		}
		for _, deterministic := range []bool{false, true} {
			c := newAEAD(t)
			c.deterministic = deterministic
			tap := &tapped{}
			p, s := m.made(t, dynorm.Config{Cipher: c}, func(o *dynamodb.Options) { tap.HTTPClient, o.HTTPClient = o.HTTPClient, tap })
			require.NoError(t, path.run(t.Context(), p))
			require.NotEmpty(t, tap.text)
			for _, text := range tap.text {
				require.NotContains(t, text, mark, "nothing goes over the wire in the clear")
			}
			for key, item := range dump(t, s.client, p.db.Table()) {
				entity := stringOf(item["_et"])
				if entity == "_unique" {
					continue
				}
				stored, ok := item["secret"].(*types.AttributeValueMemberB)
				require.True(t, ok, "%s is encrypted", key)
				at := dynorm.Binding{Table: p.db.Table(), PK: stringOf(item["pk"]), SK: stringOf(item["sk"]), Attribute: "secret"}
				if deterministic {
					at.PK, at.SK = "", ""
				}
				plain, err := c.Decrypt(t.Context(), stored.Value, at)
				require.NoError(t, err, "%s is bound to its place", key)
				require.Contains(t, string(plain), mark)
				for attr := range item {
					require.NotContains(t, attr, "\x00")
				}
			}
		}
	})
}

// mapCache is a cache as a user would write one: without an end, and with one
// load at a time.
type mapCache struct {
	mu      sync.Mutex
	entries map[dynorm.CacheKey][]byte
	hits    int
}

func (c *mapCache) Load(ctx context.Context, keys []dynorm.CacheKey, load dynorm.CacheLoad) (map[dynorm.CacheKey][]byte, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	found := map[dynorm.CacheKey][]byte{}
	var missing []dynorm.CacheKey
	for _, key := range keys {
		entry, ok := c.entries[key]
		switch {
		case !ok:
			missing = append(missing, key)
		case entry != nil:
			found[key] = entry
			fallthrough
		default:
			c.hits++
		}
	}
	if len(missing) == 0 {
		return found, nil
	}
	loaded, err := load(ctx, missing)
	if err != nil {
		return nil, err
	}
	for _, key := range missing {
		c.entries[key] = loaded[key] // nil: there is no item
		if loaded[key] != nil {
			found[key] = loaded[key]
		}
	}
	return found, nil
}

func (c *mapCache) Invalidate(_ context.Context, keys ...dynorm.CacheKey) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, key := range keys {
		delete(c.entries, key)
	}
}

// readAll reads every item that there may be by its key.
func (p *portSet) readAll(ctx context.Context, t testing.TB) {
	t.Helper()
	for n := 1; n <= 9; n++ {
		_, err := p.notes.Find(ctx, portNote(n).ID)
		if err != nil {
			require.ErrorIs(t, err, dynorm.ErrNotFound)
		}
		_, err = p.memos.FindMany(ctx, portMemo(n))
		require.NoError(t, err)
		if _, err = p.cards.Find(ctx, portRecord(n)["id"]); err != nil {
			require.ErrorIs(t, err, dynorm.ErrNotFound)
		}
	}
}

func TestPortsCache(t *testing.T) {
	matrix(t, func(t *testing.T, m portMode, path portPath) {
		for _, tenant := range []dynorm.Tenant{{}, {Prefix: dynorm.TenantPrefix("acme")}} {
			ctx, c := as(t.Context(), tenant), &mapCache{entries: map[dynorm.CacheKey][]byte{}}
			cfg := dynorm.Config{Cache: c}
			if tenant.Prefix != "" {
				cfg.Scope = scopeOfContext{}
			}
			p, s := m.open(t, cfg)
			require.NoError(t, p.db.CreateTable(ctx))
			p.seed(ctx, t)
			p.readAll(ctx, t)
			require.Len(t, c.entries, 27, "and what is not there")

			require.NoError(t, path.run(ctx, p), "on a warm cache")
			stored := dump(t, s.client, p.db.Table())
			for key, entry := range c.entries {
				item := stored[key.PK+"|"+key.SK]
				require.Equal(t, item == nil, entry == nil, "%v is in the cache as it is in the table", key)
				if entry == nil {
					continue
				}
				got, err := codec.NewReader(entry).Attributes()
				require.NoError(t, err)
				require.Equal(t, item, got)
				if !m.plain {
					require.NotContains(t, string(entry), mark)
				}
			}
			p.readAll(ctx, t)
			before := c.hits
			s.kinds()
			p.readAll(ctx, t)
			require.Equal(t, 27, c.hits-before)
			require.Empty(t, s.kinds(), "all of it comes from the cache")
		}
	})
}

// spans is a tracer that keeps what it is told.
type spans struct {
	mu    sync.Mutex
	calls []*portSpan
}

type portSpan struct {
	start  dynorm.TraceStart
	parent *portSpan
	ends   []dynorm.TraceEnd
}

type spanKey struct{}

func (s *spans) Start(ctx context.Context, start dynorm.TraceStart) context.Context {
	parent, _ := ctx.Value(spanKey{}).(*portSpan)
	sp := &portSpan{start: start, parent: parent}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.calls = append(s.calls, sp)
	return context.WithValue(ctx, spanKey{}, sp)
}

func (s *spans) End(ctx context.Context, end dynorm.TraceEnd) {
	sp := ctx.Value(spanKey{}).(*portSpan)
	s.mu.Lock()
	defer s.mu.Unlock()
	sp.ends = append(sp.ends, end)
}

func TestPortsTracer(t *testing.T) {
	matrix(t, func(t *testing.T, m portMode, path portPath) {
		tr := &spans{}
		p, s := m.made(t, dynorm.Config{Tracer: tr})
		tr.calls = nil
		require.NoError(t, path.run(t.Context(), p))
		var calls []string
		requests := map[dynorm.OpKind]int{}
		for _, sp := range tr.calls {
			require.Len(t, sp.ends, 1, "%v ends once", sp.start)
			end := sp.ends[0]
			if sp.start.Request == "" {
				calls = append(calls, sp.start.Op)
				require.Empty(t, sp.start.Table)
				continue
			}
			requests[sp.start.Request]++
			require.NotEmpty(t, sp.start.Op)
			require.Zero(t, end.Retries)
			if end.Items > 0 {
				require.Positive(t, end.Units, "%v", sp.start)
			}
			transaction := strings.HasPrefix(string(sp.start.Request), "Transact")
			require.Equal(t, !transaction, sp.start.Table == p.db.Table(), "%v", sp.start)
			if sp.parent == nil {
				// A write is planned when it is added to a transaction, in the
				// context that it is given.
				planned := []string{"TxModel." + sp.start.Op, "TxEntity." + sp.start.Op}
				require.True(t, slices.ContainsFunc(planned, func(call string) bool { return slices.Contains(path.calls, call) }), sp.start.Op)
			}
		}
		for _, call := range path.calls {
			switch typ, op, _ := strings.Cut(call, "."); typ {
			case "TxModel", "TxEntity":
			case "CollectionQuery":
				require.Contains(t, calls, "Collection")
			default:
				require.Contains(t, calls, op)
			}
		}
		sent := map[dynorm.OpKind]int{}
		for _, kind := range s.kinds() {
			sent[kind]++
		}
		require.Equal(t, sent, requests, "every request is traced")
	})
}

// What comes back unprocessed is sent again as it was given, tenant, encryption
// and cache notwithstanding.
func TestPortsAndUnprocessed(t *testing.T) {
	for _, m := range portModes {
		t.Run(m.name, func(t *testing.T) {
			engine, err := local.Open(t.Context(), local.Config{}) // no other engine leaves anything unprocessed
			require.NoError(t, err)
			ctx := as(t.Context(), dynorm.Tenant{Prefix: dynorm.TenantPrefix("acme")})
			db, err := dynorm.Open(engine.Client(), m.schema(t), dynorm.Config{
				Table: testdb.Table(t), AttributeValues: m.values,
				Scope: scopeOfContext{}, Cipher: newAEAD(t), Tracer: &spans{}, Cache: &mapCache{entries: map[dynorm.CacheKey][]byte{}},
			})
			require.NoError(t, err)
			require.NoError(t, db.CreateTable(ctx))
			_, err = engine.Inject(local.Fault{Kind: local.Unprocessed, Rate: 0.3})
			require.NoError(t, err)
			memos := dynorm.ModelOf[PortMemo](db)
			values := make([]*PortMemo, 60)
			keys := make([]any, len(values))
			for i := range values {
				values[i] = portMemo(i)
				keys[i] = values[i]
			}
			require.NoError(t, memos.PutMany(ctx, values...))
			for range 2 {
				found, err := memos.FindMany(ctx, keys...)
				require.NoError(t, err)
				for i, v := range found {
					require.NotNil(t, v, keys[i])
					require.NoError(t, memoIs(values[i].ID)(v, nil))
				}
			}
			require.NoError(t, memos.DeleteMany(ctx, values...))
			n, err := memos.Where(dynorm.Eq("folder", "f")).Count(ctx)
			require.NoError(t, err)
			require.Zero(t, n)
		})
	}
}
