package engine

import (
	"slices"
	"strings"
	"time"

	"github.com/dynorm/dynorm/internal/engine/expr"
	"github.com/dynorm/dynorm/internal/engine/value"
	"github.com/dynorm/dynorm/internal/engine/wire"
)

// Limits of batches.
const (
	maxBatchGets   = 100
	maxBatchWrites = 25
	maxBatchReply  = 16 << 20
)

// tableGets are a BatchGetItem's reads of one table.
type tableGets struct {
	get     // table, expressions and consistency that all keys share
	keys    []itemInput
	keysSet bool
	raw     []byte // the other members, as they came in
	found   []*record
	left    []value.Item
}

func readTableGets(r *wire.Reader, name string) *tableGets {
	g := &tableGets{}
	g.exprs.takes = legacyOfGet
	g.table = wire.Text{V: name, Set: true}
	r.Struct("KeysAndAttributes", func(name string) {
		if name == "Keys" {
			g.keysSet = r.List(func() { g.keys = append(g.keys, readItem(r)) })
			return
		}
		from := r.Pos()
		g.field(r, name)
		g.raw = append(wire.AppendString(append(g.raw, ','), name), ':')
		g.raw = append(g.raw, r.Since(from)...)
	})
	return g
}

func (e *Engine) batchGetItem(r *wire.Reader) ([]byte, error) {
	var tables []*tableGets
	var consumed wire.Text
	set := false
	err := decode(r, "BatchGetItemInput", func(name string) {
		switch name {
		case "RequestItems":
			set = r.Map("KeysAndAttributes", func(key string) { tables = append(tables, readTableGets(r, key)) })
		case "ReturnConsumedCapacity":
			consumed = r.Text()
		default:
			r.Skip()
		}
	})
	if err != nil {
		return nil, err
	}
	if err := e.checkBatchGet(tables, set, consumed); err != nil {
		return nil, err
	}
	want := reportOf(consumed)
	var total usages
	now := e.cfg.Now()

	e.mu.RLock()
	size := 0
	for _, g := range tables {
		t, err := e.table(g.table, now)
		if err != nil {
			e.mu.RUnlock()
			return nil, err
		}
		u := total.of(t.name)
		for _, k := range g.keys {
			g.key = k
			found, err := g.find(t)
			if err != nil {
				e.mu.RUnlock()
				return nil, err
			}
			if size += sizeOf(found); size > maxBatchReply || e.unprocessed("BatchGetItem") {
				g.left = append(g.left, k.item)
				continue
			}
			u.own += readUnits(sizeOf(found), g.consistent.V)
			if found != nil {
				g.found = append(g.found, found)
			}
		}
	}
	e.mu.RUnlock()

	o := wire.Begin(make([]byte, 0, min(2*size, maxBatchReply)+256))
	o.Object("Responses", func(o *wire.Object) {
		for _, g := range tables {
			o.List(g.table.V, len(g.found), func(dst []byte, i int) []byte { return g.compiled.appendShown(dst, g.found[i]) })
		}
	})
	o.Object("UnprocessedKeys", func(o *wire.Object) {
		for _, g := range tables {
			if len(g.left) == 0 {
				continue
			}
			o.Object(g.table.V, func(o *wire.Object) {
				o.List("Keys", len(g.left), func(dst []byte, i int) []byte { return wire.AppendItem(dst, g.left[i]) })
				o.Buf = append(o.Buf, g.raw...)
			})
		}
	})
	total.write(&o, want, plainUnits)
	return o.End(), nil
}

func (e *Engine) checkBatchGet(tables []*tableGets, set bool, consumed wire.Text) error {
	var s shape
	s.consumed(consumed)
	s.required(set, "requestItems")
	if set && len(tables) == 0 {
		s.count(0, 1, maxBatchGets, shownAs("{}"), "requestItems")
	}
	for _, g := range tables {
		at := "requestItems." + g.table.V + ".member"
		s.required(g.keysSet, at+".keys")
		if g.keysSet {
			s.count(len(g.keys), 1, maxBatchGets, func() string { return shownKeys(g.keys) }, at+".keys")
		}
		g.exprs.shape(&s)
	}
	if err := s.err(); err != nil {
		return err
	}
	n := 0
	for _, g := range tables {
		if n += len(g.keys); n > maxBatchGets {
			return invalid("Too many items requested for the BatchGetItem call")
		}
	}
	for _, g := range tables {
		if err := checkName(g.table); err != nil {
			return err
		}
		if err := g.exprs.mixed(expr.KindProjection); err != nil {
			return err
		}
		var err error
		if g.compiled, err = g.exprs.compile(&e.syntax, expr.KindProjection, expr.WordingRead); err != nil {
			return err
		}
		seen := make(map[string]bool, len(g.keys))
		for _, k := range g.keys {
			if k.err != nil {
				return k.err
			}
			key := string(wire.AppendItem(nil, k.item))
			if seen[key] {
				return invalid("Provided list of item keys contains duplicates")
			}
			seen[key] = true
		}
	}
	return nil
}

// shownKeys shows a list of keys.
func shownKeys(keys []itemInput) string {
	shown := make([]string, len(keys))
	for i, k := range keys {
		attrs := make([]string, 0, k.item.Len())
		for _, a := range k.item.Attrs() {
			attrs = append(attrs, a.Name+"=AttributeValue("+a.Value.Kind().String()+"="+a.Value.Text()+")")
		}
		shown[i] = "{" + strings.Join(attrs, ", ") + "}"
	}
	return "[" + strings.Join(shown, ", ") + "]"
}

// tableWrites are a BatchWriteItem's changes of one table.
type tableWrites struct {
	table  wire.Text
	writes []*batchWrite
	left   []*batchWrite // not done
	set    bool
}

type batchWrite struct {
	write
	puts, removes bool // which of the two requests it holds
}

func readBatchWrite(r *wire.Reader, table wire.Text) *batchWrite {
	w := &batchWrite{write: write{table: table, kind: put}}
	r.Struct("WriteRequest", func(name string) {
		switch name {
		case "PutRequest":
			w.puts = r.Struct("PutRequest", func(name string) {
				if name == "Item" {
					w.item = readItem(r)
					return
				}
				r.Skip()
			})
		case "DeleteRequest":
			w.removes = r.Struct("DeleteRequest", func(name string) {
				if name == "Key" {
					w.key = readItem(r)
					return
				}
				r.Skip()
			})
		default:
			r.Skip()
		}
	})
	if w.removes {
		w.kind = remove
	}
	return w
}

// append writes the request again, for the answer to hand back.
func (w *batchWrite) append(dst []byte) []byte {
	o := wire.Begin(dst)
	if w.kind == put {
		o.Object("PutRequest", func(o *wire.Object) { o.Item("Item", w.item.item) })
	} else {
		o.Object("DeleteRequest", func(o *wire.Object) { o.Item("Key", w.key.item) })
	}
	return o.End()
}

func (e *Engine) batchWriteItem(r *wire.Reader) ([]byte, error) {
	var tables []*tableWrites
	var consumed, metrics wire.Text
	set := false
	err := decode(r, "BatchWriteItemInput", func(name string) {
		switch name {
		case "RequestItems":
			set = r.Map("WriteRequest", func(key string) {
				t := &tableWrites{table: wire.Text{V: key, Set: true}}
				t.set = r.List(func() { t.writes = append(t.writes, readBatchWrite(r, t.table)) })
				tables = append(tables, t)
			})
		case "ReturnConsumedCapacity":
			consumed = r.Text()
		case "ReturnItemCollectionMetrics":
			metrics = r.Text()
		default:
			r.Skip()
		}
	})
	if err != nil {
		return nil, err
	}
	if err := checkBatchWrite(tables, set, consumed, metrics); err != nil {
		return nil, err
	}
	now := e.cfg.Now()
	if err := e.prepareBatch(tables, now); err != nil {
		return nil, err
	}
	want := reportOf(consumed)
	var total usages
	lag := e.lag("BatchWriteItem")

	e.mu.Lock()
	defer e.mu.Unlock()
	for _, tw := range tables { // Nothing is done unless all of it can be.
		for _, w := range tw.writes {
			if _, err := e.locked(&w.write, now); err != nil {
				return nil, err
			}
		}
	}
	collections := make(map[string][][]byte)
	for _, tw := range tables {
		t := tw.writes[0].home
		u := total.of(t.name)
		for _, w := range tw.writes {
			if e.unprocessed("BatchWriteItem") {
				tw.left = append(tw.left, w)
				continue
			}
			old, _ := t.items.Get(w.place)
			if want != reportNone {
				u.addWrite(t, old, w.record)
			}
			e.commit(t, old, w.record, now, lag)
			if shown := shownRecord(old, w.record); metrics.V == "SIZE" && t.hasLSI() && shown != nil {
				collections[t.name] = append(collections[t.name], t.appendCollection(nil, shown))
			}
		}
	}
	o := wire.Begin(nil)
	o.Object("UnprocessedItems", func(o *wire.Object) {
		for _, tw := range tables {
			if len(tw.left) > 0 {
				o.List(tw.table.V, len(tw.left), func(dst []byte, i int) []byte { return tw.left[i].append(dst) })
			}
		}
	})
	writeCollections(&o, metrics, collections, tables)
	total.write(&o, want, plainUnits)
	return o.End(), nil
}

func writeCollections(o *wire.Object, metrics wire.Text, collections map[string][][]byte, tables []*tableWrites) {
	if metrics.V != "SIZE" || len(collections) == 0 {
		return
	}
	o.Object("ItemCollectionMetrics", func(o *wire.Object) {
		for _, tw := range tables {
			if list := collections[tableName(tw.table)]; len(list) > 0 {
				o.List(tableName(tw.table), len(list), func(dst []byte, i int) []byte { return append(dst, list[i]...) })
			}
		}
	})
}

// prepareBatch checks the writes against their tables and each other.
func (e *Engine) prepareBatch(tables []*tableWrites, now time.Time) error {
	for _, tw := range tables {
		e.mu.RLock()
		for _, w := range tw.writes {
			e.seek(&w.write, now)
		}
		e.mu.RUnlock()
		places := make(map[string]bool, len(tw.writes))
		for _, w := range tw.writes {
			if err := w.prepare(); err != nil {
				return err
			}
			if places[w.place] {
				return invalid("Provided list of item keys contains duplicates")
			}
			places[w.place] = true
		}
	}
	return nil
}

func checkBatchWrite(tables []*tableWrites, set bool, consumed, metrics wire.Text) error {
	var s shape
	s.consumed(consumed)
	s.metrics(metrics)
	s.required(set, "requestItems")
	if set {
		s.count(len(tables), 1, maxBatchWrites, shownAs("{}"), "requestItems")
	}
	s.writes(tables)
	for _, tw := range tables {
		list := "requestItems." + tw.table.V + ".member"
		for i, w := range tw.writes {
			s.within(list, i, "")
			if w.puts {
				s.required(w.item.set, "putRequest.item")
			}
			if w.removes {
				s.required(w.key.set, "deleteRequest.key")
			}
		}
	}
	if err := s.err(); err != nil {
		return err
	}
	n := 0
	for _, tw := range tables {
		if n += len(tw.writes); n > maxBatchWrites {
			return invalid("Too many items requested for the BatchWriteItem call")
		}
	}
	for _, tw := range tables {
		if err := checkName(tw.table); err != nil {
			return err
		}
		for _, w := range tw.writes {
			if w.puts == w.removes {
				return invalid("Supplied AttributeValue has more than one datatypes set, must contain exactly one of the supported datatypes")
			}
			if err := w.inputErr(); err != nil {
				return err
			}
		}
	}
	return nil
}

// writes notes tables of which too much or nothing is to be written.
func (s *shape) writes(tables []*tableWrites) {
	fits := func(tw *tableWrites) bool { return len(tw.writes) >= 1 && len(tw.writes) <= maxBatchWrites }
	if !slices.ContainsFunc(tables, func(tw *tableWrites) bool { return !fits(tw) }) {
		return
	}
	shown := make([]string, len(tables))
	for i, tw := range tables {
		shown[i] = tw.table.V + "=" + shownList(len(tw.writes), "WriteRequest")()
	}
	s.add(quote("{"+strings.Join(shown, ", ")+"}"), "requestItems",
		"Map value must satisfy constraint: [Member must have length less than or equal to 25, Member must have length greater than or equal to 1]")
}

// inputErr returns the fault in the write's item or key.
func (w *write) inputErr() error {
	if w.kind != put {
		return w.key.err
	}
	if w.item.err != nil {
		return w.item.err
	}
	return w.oversized()
}

// oversized refuses a put of an item that no table could take.
func (w *write) oversized() error {
	if w.kind == put && w.item.item.Size() > value.MaxItemSize {
		return invalid("Item size has exceeded the maximum allowed size")
	}
	return nil
}
