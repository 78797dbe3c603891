package dynorm_test

import (
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/dynorm/dynorm"
	"github.com/dynorm/dynorm/internal/golden"
	"github.com/dynorm/dynorm/parser"
)

// nativePlot is a random schema of native indexes: for each entity the keys of
// its indexes, "k0,k1;k2", by the name of the index.
type nativePlot struct {
	names   []string
	indexes map[string][]string
	called  map[string]string // the name of an index, by entity and keys
	pins    map[string]int    // by keys
}

func (p *nativePlot) schema(lock []byte, goName func(attr string) string) (*dynorm.Schema, error) {
	models := []any{dynorm.SchemaConfig{Lock: lock}}
	text := parser.Type{Kind: parser.String}
	for _, name := range p.names {
		e := parser.Entity{Name: name, Fields: []parser.Field{{Name: "ID", Primary: true, Type: text}}}
		for i := range 4 {
			attr := fmt.Sprint("k", i)
			e.Fields = append(e.Fields, parser.Field{Name: goName(attr), Attr: attr, OmitEmpty: true, Type: text})
		}
		parts := func(attrs string) (fields []string) {
			for attr := range strings.SplitSeq(attrs, ",") {
				fields = append(fields, goName(attr))
			}
			return fields
		}
		for _, keys := range p.indexes[name] {
			pk, sk, _ := strings.Cut(keys, ";")
			e.Indexes = append(e.Indexes, parser.Index{
				Name: p.called[name+keys], Native: true, PKParts: parts(pk), SKParts: parts(sk), Slot: p.pins[keys],
			})
		}
		models = append(models, e)
	}
	return dynorm.NewSchema(models...)
}

// natives returns the name of the index of each entity's native entries, by
// their keys.
func natives(lock dynorm.Lock, retired bool) map[string]string {
	at := map[string]string{}
	for _, e := range lock.Entities {
		for _, x := range e.Entries {
			if x.Index != "" && x.Retired == retired {
				at[e.Name+" "+x.PK+";"+x.SK] = x.Index
			}
		}
	}
	return at
}

// TestNativeLockIsStable changes schemas in every way that must not move an
// entry of a native index.
func TestNativeLockIsStable(t *testing.T) {
	kept := 0
	rapid.Check(t, func(rt *rapid.T) {
		p := &nativePlot{indexes: map[string][]string{}, called: map[string]string{}, pins: map[string]int{}}
		add := func(entity, keys string) {
			if !slices.Contains(p.indexes[entity], keys) {
				at := rapid.IntRange(0, len(p.indexes[entity])).Draw(rt, "at")
				p.indexes[entity] = slices.Insert(slices.Clone(p.indexes[entity]), at, keys)
				p.called[entity+keys] = fmt.Sprint("ix", len(p.called))
			}
		}
		keys := rapid.SampledFrom([]string{"k0;k1", "k0;k2,k1", "k1,k0;k2", "k2;k3", "k3;k0,k1,k2", "k1;k0"})
		for i := range rapid.IntRange(1, 3).Draw(rt, "entities") {
			p.names = append(p.names, fmt.Sprint("E", i))
			for range rapid.IntRange(0, 3).Draw(rt, "indexes") {
				add(p.names[i], keys.Draw(rt, "keys"))
			}
		}
		if rapid.Bool().Draw(rt, "pinned") {
			p.pins[keys.Draw(rt, "pinned keys")] = rapid.IntRange(1, 4).Draw(rt, "pin")
		}
		renames := 0
		plain := func(attr string) string { return "F" + attr }
		schema, err := p.schema(nil, plain)
		require.NoError(rt, err)
		lock := schema.Lock()
		for range rapid.IntRange(1, 6).Draw(rt, "edits") {
			before := natives(lock, false)
			entity := rapid.SampledFrom(p.names).Draw(rt, "entity")
			goName := plain
			switch rapid.IntRange(0, 6).Draw(rt, "edit") {
			case 0:
				p.names = rapid.Permutation(p.names).Draw(rt, "order of entities")
			case 1:
				if ix := p.indexes[entity]; len(ix) > 0 {
					p.indexes[entity] = rapid.Permutation(ix).Draw(rt, "order of indexes")
				}
			case 2:
				p.names = append(p.names, fmt.Sprint("N", len(p.names)))
				add(p.names[len(p.names)-1], keys.Draw(rt, "keys"))
			case 3:
				add(entity, keys.Draw(rt, "keys"))
			case 4:
				goName = func(attr string) string { return "Renamed" + attr }
			case 5:
				if ix := p.indexes[entity]; len(ix) > 0 {
					renames++
					p.called[entity+ix[0]] = fmt.Sprint("renamed", renames)
				}
			case 6:
				p.pins = map[string]int{}
				if ix := p.indexes[entity]; len(ix) > 0 && rapid.Bool().Draw(rt, "drop") {
					p.indexes[entity] = slices.Clone(ix[1:])
				}
			}
			next, err := p.schema(lock.JSON(), goName)
			require.NoError(rt, err)
			after, gone := natives(next.Lock(), false), natives(next.Lock(), true)
			for entry, was := range before {
				switch now, ok := after[entry]; {
				case ok:
					require.Equal(rt, was, now, "%s moved", entry)
					kept++
				default:
					require.Equal(rt, was, gone[entry], "%s is forgotten", entry)
				}
			}
			table := map[string]bool{}
			for _, x := range next.TableDefinition().GlobalSecondaryIndexes {
				table[*x.IndexName] = true
			}
			for name := range maps.Values(after) {
				require.True(rt, table[name], "the table has no %s", name)
			}
			lock = next.Lock()
			again, err := dynorm.ParseLock(lock.JSON())
			require.NoError(rt, err)
			require.Empty(rt, cmp.Diff(lock, again))
		}
	})
	t.Logf("%d entries stayed", kept)
}

// One entity with a native index, in ways that agree with its lock and that do
// not.
type (
	lockedTask struct {
		_     dynorm.Entity `dynorm:"Task"`
		_     dynorm.Index  `dynorm:"board,native,gsi=2" pk:"Team,State" sk:"Due"`
		_     dynorm.Index  `dynorm:"byTitle" pk:"TITLE#{Title}" sk:"{ID}"`
		ID    string
		Team  string `dynorm:",omitempty"`
		State string `dynorm:",omitempty"`
		Due   int
		Title string
	}
	// The index and a Go field are called otherwise, the pin is gone, another
	// index stands before it.
	renamedTask struct {
		_     dynorm.Entity `dynorm:"Task"`
		_     dynorm.Index  `dynorm:"early,native" pk:"Due" sk:"ID"`
		_     dynorm.Index  `dynorm:"byTitle" pk:"TITLE#{Title}" sk:"{ID}"`
		_     dynorm.Index  `dynorm:"wall,native" pk:"Crew,State" sk:"Due"`
		ID    string
		Due   int
		Crew  string `dynorm:"team,omitempty"`
		State string `dynorm:",omitempty"`
		Title string
	}
	otherAttribute struct {
		_     dynorm.Entity `dynorm:"Task"`
		_     dynorm.Index  `dynorm:"board,native,gsi=2" pk:"Crew,State" sk:"Due"`
		ID    string
		Crew  string `dynorm:",omitempty"`
		State string `dynorm:",omitempty"`
		Due   int
	}
	otherPin struct {
		_     dynorm.Entity `dynorm:"Task"`
		_     dynorm.Index  `dynorm:"board,native,gsi=5" pk:"Team,State" sk:"Due"`
		ID    string
		Team  string `dynorm:",omitempty"`
		State string `dynorm:",omitempty"`
		Due   int
	}
	builtAgain struct {
		_     dynorm.Entity `dynorm:"Task"`
		_     dynorm.Index  `dynorm:"board" pk:"TEAM#{Team}#{State}" sk:"{Due:%08d}"`
		ID    string
		Team  string
		State string
		Due   int
	}
	nativeNow struct {
		_     dynorm.Entity `dynorm:"Task"`
		_     dynorm.Index  `dynorm:"byTitle,native" pk:"Title" sk:"ID"`
		ID    string
		Title string `dynorm:",omitempty"`
	}
	takesNumber struct {
		_     dynorm.Entity `dynorm:"Job"`
		_     dynorm.Index  `dynorm:"byTitle,native,gsi=1" pk:"Title" sk:"ID"`
		ID    string
		Title string `dynorm:",omitempty"`
	}
)

func TestNativeLock(t *testing.T) {
	before, err := dynorm.NewSchema(lockedTask{})
	require.NoError(t, err)
	lock := before.Lock().JSON()
	f := golden.Open(t, filepath.Join("testdata", "derivation", "nativelock.txtar"))
	f.Explain(t, "the lock of a native index, after renames, and where the code contradicts it")
	f.Compare(t, "lock", string(lock))
	after, err := dynorm.NewSchema(dynorm.SchemaConfig{Lock: lock}, renamedTask{})
	require.NoError(t, err)
	f.Compare(t, "lock after renames", string(after.Lock().JSON()))
	gone, err := dynorm.NewSchema(dynorm.SchemaConfig{Lock: lock}, Team{})
	require.NoError(t, err)
	f.Compare(t, "lock after Task is gone", string(gone.Lock().JSON()))
	back, err := dynorm.NewSchema(dynorm.SchemaConfig{Lock: gone.Lock().JSON()}, renamedTask{})
	require.NoError(t, err)
	require.Equal(t, "GSI2", natives(back.Lock(), false)["Task team, state;due"], "it takes its index back")
	names := []string{"lock", "lock after renames", "lock after Task is gone"}
	retired := strings.Replace(string(lock), `"sk":"{id}"}`, `"sk":"{id}","retired":true}`, 1)
	_, err = dynorm.NewSchema(dynorm.SchemaConfig{Lock: []byte(retired)}, nativeNow{})
	require.NoError(t, err, "what the mend says is taken")
	for _, c := range []struct {
		name string
		lock string
		task any
	}{
		{"another attribute", string(lock), otherAttribute{}},
		{"another pin", string(lock), otherPin{}},
		{"built again", string(lock), builtAgain{}},
		{"native now", string(lock), nativeNow{}},
		{"another index takes the number", string(lock), takesNumber{}},
		{"another name of the number", strings.ReplaceAll(string(lock), "GSI2", "board"), lockedTask{}},
		{"an index is missing", strings.Replace(string(lock), `"name":"GSI2"`, `"name":"GSI3"`, 1), lockedTask{}},
		{"an index stands twice", strings.Replace(string(lock), `"slot":1`, `"slot":2`, 1), lockedTask{}},
		{"an entry with a slot and an index", strings.Replace(string(lock), `"index":`, `"slot":3,"index":`, 1), lockedTask{}},
	} {
		names = append(names, c.name)
		_, err := dynorm.NewSchema(dynorm.SchemaConfig{Lock: []byte(c.lock)}, c.task)
		require.ErrorIs(t, err, dynorm.ErrDefinition, c.name)
		f.Compare(t, c.name, err.Error())
	}
	f.Only(t, names...)
}
