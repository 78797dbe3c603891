package engine

import (
	"fmt"
	"slices"

	"github.com/dynorm/dynorm/internal/engine/store"
	"github.com/dynorm/dynorm/internal/engine/value"
)

// regionsPart is the part of the file that names the regions there are. All
// others are a region's: their names begin with its name.
const regionsPart = "regions"

// The parts that every region has.
const (
	tablesPart  = "tables"  // definitions by name
	tokensPart  = "tokens"  // by time and token
	streamsPart = "streams" // by ARN
	backupsPart = "backups" // by ARN
	exportsPart = "exports" // by ARN
	importsPart = "imports" // by ARN
	inboxPart   = "inbox"   // by time of arrival
	idsPart     = "ids"     // the last one given out
)

// What the names of further parts begin with.
const (
	itemsPart       = "items/"   // and a table's name: items by tree key
	historyPart     = "history/" // and a table's name: changes by their number
	stampsPart      = "stamps/"  // and a table's name: stamps by tree key
	recordsPart     = "records/" // and a stream's ARN: records by sequence number
	backupItemsPart = "backup/"  // and a backup's ARN: items by tree key
)

// parts are those that every region has, in the order in which an engine takes
// them in: each with what it does with an entry.
var parts = []struct {
	name string
	load func(e *Engine, s *store.Store, key, stored string) error
}{
	{idsPart, (*Engine).loadID},
	{streamsPart, (*Engine).loadStream},
	{tablesPart, (*Engine).loadTable},
	{tokensPart, (*Engine).loadToken},
	{backupsPart, (*Engine).loadBackup},
	{exportsPart, (*Engine).loadExport},
	{importsPart, (*Engine).loadImport},
	{inboxPart, (*Engine).loadArrival},
}

// load fills the engines of all regions that s knows, which are empty, and notes
// the region of own if it is new.
func (w *world) load(s *store.Store, own *Engine) error {
	var regions []string
	if err := s.Each(regionsPart, func(key, _ string) error {
		regions = append(regions, key)
		return nil
	}); err != nil {
		return err
	}
	for _, name := range regions {
		e := own
		if name != own.cfg.Region {
			e = own.found(name)
			w.regions[name] = e
		}
		if err := e.load(s); err != nil {
			return err
		}
	}
	if !slices.Contains(regions, own.cfg.Region) {
		own.keepRegion()
	}
	return own.Sync()
}

// load fills an empty engine with what s holds.
func (e *Engine) load(s *store.Store) error {
	for _, p := range parts {
		err := s.Each(e.part(p.name), func(key, stored string) error { return p.load(e, s, key, stored) })
		if err != nil {
			return err
		}
	}
	e.due.Store(0)
	return nil
}

// loadTable takes in a table with its items. Its indexes are built from these:
// changes that were on their way to one have arrived.
func (e *Engine) loadTable(s *store.Store, name, text string) error {
	it, err := value.ParseBinary(text)
	if err != nil {
		return fmt.Errorf("the definition of table %q: %w", name, err)
	}
	t, err := parseDefinition(it)
	if err != nil {
		return fmt.Errorf("the definition of table %q: %w", name, err)
	}
	if err := e.loadItems(s, itemsPart+name, t); err != nil {
		return err
	}
	if arn := it.Value("log").Text(); arn != "" {
		found := false
		if t.log, found = e.streams.Get(arn); !found {
			return fmt.Errorf("the stream %s of table %q is missing", arn, name)
		}
	}
	if err := e.loadHistory(s, t); err != nil {
		return err
	}
	if err := e.loadStamps(s, t); err != nil {
		return err
	}
	e.tables.Set(name, t)
	return nil
}

// loadItems fills a table and its indexes with the items of a part.
func (e *Engine) loadItems(s *store.Store, part string, t *table) error {
	if err := s.Each(e.part(part), t.loadItem); err != nil {
		return err
	}
	for _, x := range t.indexes {
		x.fill(t)
	}
	t.setTTL(t.ttl)
	return nil
}

// loadItem adds the item that is stored at key, which is the last one so far.
func (t *table) loadItem(key, stored string) error {
	it, err := value.ParseBinary(stored)
	if err != nil {
		return fmt.Errorf("an item of table %q: %w", t.name, err)
	}
	var buf [128]byte
	if place, ok := t.keys.appendKey(buf[:0], it); !ok || string(place) != key {
		return fmt.Errorf("an item of table %q is not in its place", t.name)
	}
	r := newRecord(it, key)
	t.items.Load(r.key, r)
	t.bytes += int64(r.size)
	return nil
}
