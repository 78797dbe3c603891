package dynorm_test

import (
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/dynorm/dynorm"
	"github.com/dynorm/dynorm/internal/golden"
	"github.com/dynorm/dynorm/parser"
)

// plot is a random schema as the placement sees it: entities with demands.
type plot struct {
	names []string
	// demands are the attributes of an entity's indexed fields, in declared
	// order; pins is what gsi=N says about them.
	demands map[string][]string
	pins    map[string]int
}

func drawPlot(t *rapid.T, pinned bool) *plot {
	p := &plot{demands: map[string][]string{}, pins: map[string]int{}}
	for i := range rapid.IntRange(1, 4).Draw(t, "entities") {
		p.add(t, fmt.Sprintf("E%d", i), pinned)
	}
	return p
}

func (p *plot) add(t *rapid.T, name string, pinned bool) {
	p.names = append(p.names, name)
	taken := map[int]bool{}
	for j := range rapid.IntRange(0, 3).Draw(t, "demands") {
		attr := fmt.Sprintf("f%d", j)
		p.demands[name] = append(p.demands[name], attr)
		if pin := rapid.IntRange(1, 12).Draw(t, "pin"); pinned && pin <= 5 && !taken[pin] {
			taken[pin] = true
			p.pins[name+attr] = pin
		}
	}
}

// schema compiles the plot. goName gives a field its Go name.
func (p *plot) schema(t require.TestingT, lock []byte, goName func(entity, attr string) string) (*dynorm.Schema, error) {
	models := []any{dynorm.SchemaConfig{Lock: lock}}
	for _, name := range p.names {
		e := parser.Entity{Name: name, Fields: []parser.Field{{Name: "ID", Primary: true, Type: parser.Type{Kind: parser.String}}}}
		for _, attr := range p.demands[name] {
			e.Fields = append(e.Fields, parser.Field{
				Name: goName(name, attr), Attr: attr, Indexed: true, IndexSlot: p.pins[name+attr], Type: parser.Type{Kind: parser.String},
			})
		}
		models = append(models, e)
	}
	return dynorm.NewSchema(models...)
}

func plainName(_, attr string) string { return "F" + attr }

// slots returns where the entries of a schema are.
func slots(lock dynorm.Lock, retired bool) map[string]int {
	at := map[string]int{}
	for _, e := range lock.Entities {
		for _, x := range e.Entries {
			if x.Retired == retired {
				at[e.Name+" "+strings.TrimPrefix(x.For, "field ")] = x.Slot
			}
		}
	}
	return at
}

// fewest finds the least number of indexes by trying every placement.
func (p *plot) fewest() int {
	const most = 7
	best := most
	var try func(i int, used uint)
	try = func(i int, used uint) {
		if i == len(p.names) {
			n := 0
			for b := used; b != 0; b &= b - 1 {
				n++
			}
			best = min(best, n)
			return
		}
		name := p.names[i]
		own, free := uint(0), 0
		for _, attr := range p.demands[name] {
			if pin := p.pins[name+attr]; pin > 0 {
				own |= 1 << pin
			} else {
				free++
			}
		}
		for choice := range uint(1 << (most + 1)) {
			n := 0
			for b := choice; b != 0; b &= b - 1 {
				n++
			}
			if choice&1 == 0 && n == free && choice&own == 0 {
				try(i+1, used|own|choice)
			}
		}
	}
	try(0, 0)
	return best
}

func TestPlacementIsMinimal(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		p := drawPlot(rt, rapid.Bool().Draw(rt, "pinned"))
		p.names = p.names[:min(len(p.names), 3)]
		schema, err := p.schema(rt, nil, plainName)
		require.NoError(rt, err)
		require.Len(rt, schema.TableDefinition().GlobalSecondaryIndexes, p.fewest(), schema.Explain())
		seen := map[string]bool{}
		for entry, slot := range slots(schema.Lock(), false) {
			entity, attr, _ := strings.Cut(entry, " ")
			place := fmt.Sprint(entity, " ", slot)
			require.False(rt, seen[place], "two entries of one item on one index")
			seen[place] = true
			if pin := p.pins[entity+attr]; pin > 0 {
				require.Equal(rt, pin, slot)
			}
		}
	})
}

// TestLockIsStable changes schemas in every way that must not move an entry.
func TestLockIsStable(t *testing.T) {
	moved := 0
	rapid.Check(t, func(rt *rapid.T) {
		p := drawPlot(rt, rapid.Bool().Draw(rt, "pinned"))
		schema, err := p.schema(rt, nil, plainName)
		require.NoError(rt, err)
		lock := schema.Lock()
		for range rapid.IntRange(1, 6).Draw(rt, "edits") {
			before, gone := slots(lock, false), slots(lock, true)
			name := rapid.SampledFrom(p.names).Draw(rt, "entity")
			renamed := plainName
			switch rapid.IntRange(0, 6).Draw(rt, "edit") {
			case 0:
				p.names = rapid.Permutation(p.names).Draw(rt, "order of entities")
			case 1:
				if d := p.demands[name]; len(d) > 0 {
					p.demands[name] = rapid.Permutation(d).Draw(rt, "order of fields")
				}
			case 2:
				p.add(rt, fmt.Sprintf("N%d", len(p.names)), false)
			case 3:
				at := rapid.IntRange(0, len(p.demands[name])).Draw(rt, "at")
				if attr := fmt.Sprintf("g%d", len(before)+len(gone)); len(p.demands[name]) < 6 {
					p.demands[name] = slices.Insert(slices.Clone(p.demands[name]), at, attr)
				}
			case 4:
				renamed = func(entity, attr string) string {
					if entity == name {
						return "Renamed" + attr
					}
					return plainName(entity, attr)
				}
			case 5:
				if d := p.demands[name]; len(d) > 0 {
					at := rapid.IntRange(0, len(d)-1).Draw(rt, "at")
					p.demands[name] = slices.Delete(slices.Clone(d), at, at+1)
				}
			case 6:
				maps.DeleteFunc(p.pins, func(key string, _ int) bool { return strings.HasPrefix(key, name) })
			}
			next, err := p.schema(rt, lock.JSON(), renamed)
			require.NoError(rt, err)
			after := slots(next.Lock(), false)
			for entry, slot := range after {
				if was, ok := before[entry]; ok {
					require.Equal(rt, was, slot, "%s moved", entry)
					moved++
				}
				for other, taken := range gone {
					require.False(rt, other != entry && taken == slot && strings.Fields(other)[0] == strings.Fields(entry)[0],
						"%s took the place of %s, which items may still have", entry, other)
				}
			}
			for entry := range before {
				_, lives := after[entry]
				_, kept := slots(next.Lock(), true)[entry]
				require.True(rt, lives || kept, "%s is forgotten", entry)
			}
			lock = next.Lock()
			again, err := dynorm.ParseLock(lock.JSON())
			require.NoError(rt, err)
			require.Empty(rt, cmp.Diff(lock, again))
		}
	})
	t.Logf("%d entries stayed", moved)
}

// The same entity before and after its fields were renamed, attributes and all.
type (
	lockBefore struct {
		_      dynorm.Entity `dynorm:"Thing"`
		ID     string
		TeamID string
		City   string `dynorm:",index"`
		Team   *Team  `rel:"belongsTo"`
	}
	lockAfter struct {
		_     dynorm.Entity `dynorm:"Thing"`
		_     dynorm.Index  `dynorm:"recent" pk:"AGE#{Age}" sk:"{ID}"`
		ID    string
		Crew  string
		Town  string `dynorm:",index"`
		Age   int
		Squad *Team `rel:"belongsTo,foreign=Crew"`
	}
)

func TestLockFollowsRenames(t *testing.T) {
	before, err := dynorm.NewSchema(lockBefore{}, Team{})
	require.NoError(t, err)
	lock := before.Lock()
	after, err := dynorm.NewSchema(dynorm.SchemaConfig{Lock: lock.JSON()}, Team{}, lockAfter{})
	require.NoError(t, err)
	require.Equal(t, map[string]int{"Thing city": 1, "Thing foreign teamId": 2}, slots(lock, false))
	require.Equal(t, map[string]int{"Thing town": 1, "Thing foreign crew": 2, "Thing index recent": 3}, slots(after.Lock(), false))
	require.Empty(t, slots(after.Lock(), true))

	unlocked, err := dynorm.NewSchema(Team{}, lockAfter{})
	require.NoError(t, err)
	require.Equal(t, 1, slots(unlocked.Lock(), false)["Thing index recent"], "without the lock the explicit index goes first")
}

func TestWithKeepsIndexes(t *testing.T) {
	s, err := dynorm.NewSchema(User{}, Team{}, Comment{}, Post{})
	require.NoError(t, err)
	more, err := s.With(parser.Entity{Name: "Pinned", Fields: []parser.Field{
		{Name: "ID", Primary: true, Type: parser.Type{Kind: parser.String}},
		{Name: "City", Indexed: true, IndexSlot: 9, Type: parser.Type{Kind: parser.String}},
	}})
	require.NoError(t, err)
	for entry, slot := range slots(s.Lock(), false) {
		require.Equal(t, slot, slots(more.Lock(), false)[entry], entry)
	}
}

// Entities at fault, each in one way.
type (
	faultConstant struct {
		_  dynorm.Entity `dynorm:"Constant"`
		_  dynorm.Index  `dynorm:"all" pk:"ALL" sk:"{ID}"`
		ID string
	}
	faultLocal struct {
		_    dynorm.Entity `dynorm:"Local"`
		_    dynorm.Index  `dynorm:"byDue,lsi" sk:"{Due}"`
		ID   string
		Due  time.Time
		Tags []string
	}
	faultTemplate struct {
		_    dynorm.Entity `dynorm:"Template"`
		_    dynorm.Index  `dynorm:"byTags" pk:"TAGS#{Tags}" sk:"{ID}"`
		_    dynorm.Index  `dynorm:"byNone" pk:"NONE#{Nobody}" sk:"{ID}"`
		ID   string
		Tags []string
	}
	faultWhen struct {
		_      dynorm.Entity `dynorm:"When"`
		_      dynorm.Index  `dynorm:"open" pk:"STATUS#{Status}" sk:"{ID}" when:"Stats=open"`
		ID     string
		Status string
	}
	faultCondition struct {
		_     dynorm.Entity `dynorm:"Condition"`
		_     dynorm.Index  `dynorm:"byText" pk:"A#{ID}" sk:"{ID}" when:"Total=much"`
		_     dynorm.Index  `dynorm:"byList" pk:"B#{ID}" sk:"{ID}" when:"Tags"`
		_     dynorm.Index  `dynorm:"all" pk:"ALL" sk:"{ID}"`
		ID    string
		Total int
		Tags  []string
	}
	faultProjection struct {
		_     dynorm.Entity `dynorm:"Projection"`
		_     dynorm.Index  `dynorm:"byID,project=Total|Missing" pk:"A#{ID}" sk:"{ID}"`
		ID    string
		Total int
	}
	faultLocalChild struct {
		_      dynorm.Entity `dynorm:"Child"`
		_      dynorm.Index  `dynorm:"byDue,lsi" sk:"{Due}"`
		_      dynorm.Index  `dynorm:"byRank,lsi,native" sk:"Rank"`
		ID     string
		TeamID string
		Due    time.Time
		Rank   int
		Team   *Team `rel:"belongsTo"`
	}
	faultPinned struct {
		_    dynorm.Entity `dynorm:"Pinned"`
		_    dynorm.Index  `dynorm:"a,gsi=2" pk:"A#{City}" sk:"{ID}"`
		ID   string
		City string `dynorm:",index,gsi=2"`
	}
	faultNative struct {
		_          dynorm.Entity `dynorm:"Native"`
		_          dynorm.Index  `dynorm:"a,native" pk:"City" sk:"ID" when:"City"`
		_          dynorm.Index  `dynorm:"b,native" pk:"Town" sk:"Open"`
		_          dynorm.Index  `dynorm:"c,native" pk:"A,B,C,D,Town" sk:"ID"`
		ID         string
		City       string
		Town       string `dynorm:",omitempty"`
		Open       bool
		A, B, C, D int
	}
	faultNativeEmpty struct {
		_    dynorm.Entity `dynorm:"NativeEmpty"`
		_    dynorm.Index  `dynorm:"a,native" pk:"City" sk:"ID"`
		ID   string
		City string
	}
	faultPrefix struct {
		_  dynorm.Entity `dynorm:"Other,prefix=FOO"`
		ID string
	}
	faultPrefixToo struct {
		_  dynorm.Entity `dynorm:"Foo"`
		ID string
	}
	faultPrefixBegins struct {
		_  dynorm.Entity `dynorm:"Deep,prefix=FOO#BAR"`
		ID string
	}
	faultKey struct {
		_   dynorm.Entity `dynorm:"Key"`
		_   dynorm.Key    `pk:"FOO#{ID}" sk:"FOO#{Bar}"`
		ID  string
		Bar string
	}
	faultStored struct {
		_    dynorm.Entity `dynorm:"Stored"`
		ID   string
		Mine string `dynorm:"gsi1pk"`
		City string `dynorm:",index"`
	}
)

// manyIndexes is an entity with more indexed fields than a table has indexes.
func manyIndexes(n int, name string) parser.Entity {
	e := parser.Entity{Name: name, Fields: []parser.Field{{Name: "ID", Primary: true, Type: parser.Type{Kind: parser.String}}}}
	for i := range n {
		e.Fields = append(e.Fields, parser.Field{Name: fmt.Sprintf("F%d", i), Indexed: true, Type: parser.Type{Kind: parser.String}})
	}
	return e
}

// manyProjected is an entity whose indexes project more than DynamoDB takes.
func manyProjected() parser.Entity {
	e := manyIndexes(0, "Projected")
	for _, ix := range []string{"a", "b", "c"} {
		x := parser.Index{Name: ix, PK: ix + "#{ID}", SK: "{ID}"}
		for i := range 40 {
			name := fmt.Sprintf("F%s%d", ix, i)
			x.Include = append(x.Include, name)
			e.Fields = append(e.Fields, parser.Field{Name: name, Type: parser.Type{Kind: parser.String}})
		}
		e.Indexes = append(e.Indexes, x)
	}
	return e
}

// faultyAllOver has faults of its tags, of its relations and of what is derived
// from the rest.
type (
	faultyAllOver struct {
		_       dynorm.Entity `dynorm:"AllOver,lists"`
		_       dynorm.Index  `dynorm:"nobody" pk:"NONE#{Nobody}" sk:"{ID}"`
		_       dynorm.Index  `dynorm:"ofOdd" pk:"ODD#{Odd}" sk:"{ID}"`
		_       dynorm.Index  `dynorm:"all" pk:"ALL" sk:"{ID}"`
		_       dynorm.Index  `dynorm:"due,lsi" sk:"{Due}" when:"Dew"`
		_       dynorm.Index  `dynorm:"perCity,native" pk:"City" sk:"ID"`
		ID      string
		Odd     string `dynorm:",indexed"`
		City    string
		Due     int
		BossID  string
		Boss    *notGiven `rel:"belongsTo"`
		OwnerID string
		Owner   *Team `rel:"belongs"`
	}
	notGiven struct{ ID string }
	// The children of one that has no key have one fault less to tell.
	keylessParent struct {
		_        dynorm.Key `pk:"PARENT#{Id}" sk:"PARENT#{ID}"`
		ID       string
		Children []*keylessChild `rel:"hasMany,collection"`
	}
	keylessChild struct {
		_        dynorm.Index `dynorm:"all" pk:"CHILDREN" sk:"{ID}"`
		ID       string
		ParentID string
		Parent   *keylessParent `rel:"belongsTo,collection"`
	}
)

func TestSchemaFaults(t *testing.T) {
	base, err := dynorm.NewSchema(User{}, Team{})
	require.NoError(t, err)
	lock := string(base.Lock().JSON())
	manyLocals := parser.Entity{
		Name: "Locals", Key: &parser.Key{PK: "L#{ID}", SK: "{Seq}"},
		Fields: []parser.Field{{Name: "ID", Type: parser.Type{Kind: parser.String}}, {Name: "Seq", Type: parser.Type{Kind: parser.Int}}},
	}
	for i := range 6 {
		manyLocals.Indexes = append(manyLocals.Indexes, parser.Index{Name: fmt.Sprint("l", i), Local: true, SK: "{Seq}#{ID}"})
	}
	f := golden.Open(t, filepath.Join("testdata", "derivation", "faults.txtar"))
	f.Explain(t, "every fault of a schema, with its mend")
	var names []string
	for _, c := range []struct {
		name   string
		models []any
	}{
		{"constant partition", []any{faultConstant{}}},
		{"local index of one item", []any{faultLocal{}}},
		{"template", []any{faultTemplate{}}},
		{"condition", []any{faultWhen{}}},
		{"condition that can't be evaluated", []any{faultCondition{}}},
		{"projection", []any{faultProjection{}}},
		{"local index, and what it belongs to", []any{Team{}, faultLocalChild{}}},
		{"two on one pin", []any{faultPinned{}}},
		{"native", []any{faultNative{}}},
		{"native and stored empty", []any{faultNativeEmpty{}}},
		{"one prefix", []any{faultPrefix{}, faultPrefixToo{}}},
		{"prefix begins another", []any{faultPrefixToo{}, faultPrefixBegins{}}},
		{"keys collide", []any{faultPrefixToo{}, faultKey{}}},
		{"stored where keys are", []any{faultStored{}}},
		{"too many indexes", []any{manyIndexes(21, "Many"), manyIndexes(2, "Few")}},
		{"too many local indexes", []any{manyLocals}},
		{"too much projected", []any{manyProjected()}},
		{"lock is no JSON", []any{User{}, Team{}, dynorm.SchemaConfig{Lock: []byte("{")}}},
		{"lock of another version", []any{User{}, Team{}, dynorm.SchemaConfig{Lock: []byte(`{"version": 2}`)}}},
		{"lock with two on one index", []any{User{}, Team{}, dynorm.SchemaConfig{Lock: []byte(
			`{"version": 1, "entities": [{"name": "User", "entries": [{"slot": 1, "for": "field a"}, {"slot": 1, "for": "field b"}]}]}`)}}},
		{"lock with other names", []any{User{}, Team{}, dynorm.SchemaConfig{Lock: []byte(lock), Indexes: []dynorm.IndexConfig{{Name: "byTeam"}}}}},
		{"pin against the lock", []any{Team{}, pinnedUser{}, dynorm.SchemaConfig{Lock: []byte(lock)}}},
		{"names clash", []any{User{}, Team{}, dynorm.SchemaConfig{Indexes: []dynorm.IndexConfig{{PK: "sk", SK: "x"}, {PK: "a", SK: "a"}}}}},
		{"of tags, relations and derivation", []any{Team{}, faultyAllOver{}, faultConstant{}}},
		{"in the partition of one without a key", []any{keylessParent{}, keylessChild{}}},
		{"several at once", []any{faultConstant{}, faultLocal{}, faultPrefix{}, faultPrefixToo{}, faultTemplate{}, faultWhen{}, faultCondition{}, manyIndexes(21, "Many")}},
	} {
		names = append(names, c.name)
		_, err := dynorm.NewSchema(c.models...)
		require.ErrorIs(t, err, dynorm.ErrDefinition, c.name)
		f.Compare(t, c.name, err.Error())
	}
	f.Only(t, names...)
}

// pinnedUser is User with its relation pinned to another index.
type pinnedUser struct {
	_      dynorm.Entity `dynorm:"User"`
	ID     string
	TeamID string
	Team   *Team `rel:"belongsTo,gsi=3"`
}
