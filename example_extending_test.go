package dynorm_test

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"errors"
	"fmt"
	"log"
	"sync"

	"github.com/dynorm/dynorm"
	"github.com/dynorm/dynorm/local"
)

type Patient struct {
	_ dynorm.Index `dynorm:"byWard" pk:"WARD#{Ward}" sk:"{ID}"`

	ID        string
	Ward      string
	Diagnosis string `dynorm:",encrypt"`
}

// openClinic opens a new table in an embedded engine.
func openClinic(ctx context.Context, cfg dynorm.Config) (dynorm.Model[Patient], *dynorm.DB) {
	engine, err := local.Open(ctx, local.Config{})
	if err != nil {
		log.Fatal(err)
	}
	schema, err := dynorm.NewSchema(Patient{})
	if err != nil {
		log.Fatal(err)
	}
	cfg.Table = "clinic"
	if cfg.Cipher == nil {
		cfg.Cipher = newSealer([]byte("an AES-128 key!!"))
	}
	db, err := dynorm.Open(engine.Client(), schema, cfg)
	if err != nil {
		log.Fatal(err)
	}
	if err := db.CreateTable(ctx); err != nil {
		log.Fatal(err)
	}
	return dynorm.ModelOf[Patient](db), db
}

// clinicOf keeps the tenant of a request in its context.
type clinicOf struct{}

func (clinicOf) Tenant(ctx context.Context) (dynorm.Tenant, error) {
	id, _ := ctx.Value(clinicOf{}).(string)
	return dynorm.Tenant{Prefix: dynorm.TenantPrefix(id)}, nil
}

func withClinic(ctx context.Context, id string) context.Context {
	return context.WithValue(ctx, clinicOf{}, id)
}

func ExampleScope() {
	north, south := withClinic(context.Background(), "north"), withClinic(context.Background(), "south")
	patients, _ := openClinic(north, dynorm.Config{Scope: clinicOf{}})

	err := errors.Join(
		patients.Create(north, &Patient{ID: "1", Ward: "a", Diagnosis: "gout"}),
		patients.Create(south, &Patient{ID: "1", Ward: "a", Diagnosis: "flu"}))
	if err != nil {
		log.Fatal(err)
	}
	list, err := patients.Where(dynorm.Eq("ward", "a")).List(south)
	if err != nil {
		log.Fatal(err)
	}
	for _, p := range list {
		fmt.Println(p.ID, p.Diagnosis)
	}
	_, err = patients.Find(context.Background(), "1")
	fmt.Println(errors.Is(err, dynorm.ErrNoTenant))
	// Output:
	// 1 flu
	// true
}

// sealer encrypts by AES-GCM: the nonce, then the ciphertext.
type sealer struct{ aead cipher.AEAD }

func newSealer(key []byte) sealer {
	block, err := aes.NewCipher(key)
	if err != nil {
		log.Fatal(err)
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		log.Fatal(err)
	}
	return sealer{aead}
}

func (s sealer) Encrypt(_ context.Context, plaintext []byte, at dynorm.Binding) ([]byte, error) {
	nonce := make([]byte, s.aead.NonceSize())
	rand.Read(nonce)
	return s.aead.Seal(nonce, nonce, plaintext, at.Bytes()), nil
}

func (s sealer) Decrypt(_ context.Context, ciphertext []byte, at dynorm.Binding) ([]byte, error) {
	n := s.aead.NonceSize()
	if len(ciphertext) < n {
		return nil, errors.New("the ciphertext is cut off")
	}
	return s.aead.Open(nil, ciphertext[:n], ciphertext[n:], at.Bytes())
}

func ExampleCipher() {
	ctx := context.Background()
	patients, _ := openClinic(ctx, dynorm.Config{Cipher: newSealer([]byte("an AES-128 key!!"))})

	if err := patients.Create(ctx, &Patient{ID: "1", Ward: "a", Diagnosis: "gout"}); err != nil {
		log.Fatal(err)
	}
	p, err := patients.Find(ctx, "1")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(p.Diagnosis)
	_, err = patients.Where(dynorm.Eq("ward", "a"), dynorm.Eq("diagnosis", "gout")).List(ctx)
	fmt.Println(err)
	// Output:
	// gout
	// dynorm: List Patient.Diagnosis on GSI1: is encrypted, so that the database can't compare it: read the items and compare there
}

// wards refuses patients in wards that there are not.
type wards map[string]bool

func (w wards) Validate(_ context.Context, write dynorm.Write) error {
	if p, ok := write.Value.(*Patient); ok && !w[p.Ward] {
		return fmt.Errorf("there is no ward %s", p.Ward)
	}
	for _, change := range write.Changes {
		if ward, ok := change.Value.(string); ok && change.Field == "Ward" && !w[ward] {
			return fmt.Errorf("there is no ward %s", ward)
		}
	}
	return nil
}

func ExampleValidator() {
	ctx := context.Background()
	patients, _ := openClinic(ctx, dynorm.Config{Validator: wards{"a": true, "b": true}})

	fmt.Println(patients.Create(ctx, &Patient{ID: "1", Ward: "a"}))
	_, err := patients.Update(ctx, "1", dynorm.Set("ward", "x"))
	fmt.Println(err)
	// Output:
	// <nil>
	// dynorm: Update Patient: validation failed: there is no ward x
}

// bill counts what calls cost.
type bill struct {
	mu    sync.Mutex
	units map[string]float64
}

type callName struct{}

func (b *bill) Start(ctx context.Context, s dynorm.TraceStart) context.Context {
	if s.Request == "" {
		ctx = context.WithValue(ctx, callName{}, s.Op)
	}
	return ctx
}

func (b *bill) End(ctx context.Context, e dynorm.TraceEnd) {
	name, _ := ctx.Value(callName{}).(string)
	b.mu.Lock()
	defer b.mu.Unlock()
	b.units[name] += e.Units
}

func ExampleTracer() {
	ctx := context.Background()
	b := &bill{units: map[string]float64{}}
	patients, _ := openClinic(ctx, dynorm.Config{Tracer: b})

	err := patients.PutMany(ctx, &Patient{ID: "1", Ward: "a"}, &Patient{ID: "2", Ward: "a"})
	if err != nil {
		log.Fatal(err)
	}
	if _, err = patients.Find(ctx, "1"); err != nil {
		log.Fatal(err)
	}
	fmt.Println("PutMany", b.units["PutMany"], "Find", b.units["Find"])
	// Output:
	// PutMany 4 Find 0.5
}

// lastSeen keeps the entries of one process.
type lastSeen struct {
	mu      sync.Mutex
	entries map[dynorm.CacheKey][]byte
	dropped map[dynorm.CacheKey]int // how often a key was invalidated
}

func (c *lastSeen) Load(ctx context.Context, keys []dynorm.CacheKey, load dynorm.CacheLoad) (map[dynorm.CacheKey][]byte, error) {
	found := map[dynorm.CacheKey][]byte{}
	var missing []dynorm.CacheKey
	before := map[dynorm.CacheKey]int{}
	c.mu.Lock()
	for _, key := range keys {
		if entry, ok := c.entries[key]; ok {
			found[key] = entry
		} else {
			missing, before[key] = append(missing, key), c.dropped[key]
		}
	}
	c.mu.Unlock()
	if len(missing) == 0 {
		return found, nil
	}
	loaded, err := load(ctx, missing)
	if err != nil {
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for key, entry := range loaded {
		found[key] = entry
		if c.dropped[key] == before[key] { // nobody wrote it meanwhile
			c.entries[key] = entry
		}
	}
	return found, nil
}

func (c *lastSeen) Invalidate(_ context.Context, keys ...dynorm.CacheKey) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, key := range keys {
		delete(c.entries, key)
		c.dropped[key]++
	}
}

func ExampleCache() {
	ctx := context.Background()
	c := &lastSeen{entries: map[dynorm.CacheKey][]byte{}, dropped: map[dynorm.CacheKey]int{}}
	patients, _ := openClinic(ctx, dynorm.Config{Cache: c})

	if err := patients.Create(ctx, &Patient{ID: "1", Ward: "a"}); err != nil {
		log.Fatal(err)
	}
	for range 3 {
		if _, err := patients.Find(ctx, "1"); err != nil { // one request for all
			log.Fatal(err)
		}
	}
	fmt.Println(len(c.entries))
	if _, err := patients.Update(ctx, "1", dynorm.Set("ward", "b")); err != nil {
		log.Fatal(err)
	}
	fmt.Println(len(c.entries))
	p, err := patients.Find(ctx, "1")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(p.Ward)
	// Output:
	// 1
	// 0
	// b
}
