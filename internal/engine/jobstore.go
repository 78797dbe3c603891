package engine

import (
	"fmt"

	"github.com/dynorm/dynorm/internal/engine/store"
	"github.com/dynorm/dynorm/internal/engine/wire"
)

// Exports and imports are stored with the request that began them, which says
// what they are to be.

func (j *job) attrs() attrs {
	a := attrs{}
	a.text("body", j.body)
	a.text("id", j.id)
	a.text("table", j.table)
	a.text("tableID", j.tableID)
	a.time("started", j.started)
	a.time("ends", j.endsAt)
	a.int("items", j.items)
	a.int("size", j.size)
	a.text("failure", j.failure)
	a.text("message", j.message)
	return a
}

func (s *stored) job(arn string) job {
	j := job{
		arn: arn, body: s.text("body"), id: s.text("id"), table: s.text("table"), tableID: s.text("tableID"),
		started: s.time("started"), endsAt: s.time("ends"), items: s.int("items").V, size: s.int("size").V,
		failure: s.text("failure"), message: s.text("message"),
	}
	j.request = sumOf([]byte(j.body))
	return j
}

func (e *Engine) keepExport(x *export) {
	if e.disk == nil {
		return
	}
	a := x.attrs()
	a.time("at", x.at)
	a.time("from", x.from)
	a.time("to", x.to)
	a.text("manifest", x.manifest)
	e.putAttrs(exportsPart, x.arn, a)
}

func (e *Engine) loadExport(_ *store.Store, arn, text string) error {
	s := parseStored(text)
	x := &export{job: s.job(arn), at: s.time("at"), from: s.time("from"), to: s.time("to"), manifest: s.text("manifest")}
	if s.err == nil {
		s.err = x.in.read(wire.NewReader(x.body))
	}
	if s.err != nil {
		return fmt.Errorf("the export %s: %w", arn, s.err)
	}
	x.token = x.in.token.V
	e.exports.Set(arn, x)
	return nil
}

func (e *Engine) keepImport(m *imported) {
	if e.disk == nil {
		return
	}
	a := m.attrs()
	a.int("errors", m.errors)
	a.int("read", m.read)
	e.putAttrs(importsPart, m.arn, a)
}

func (e *Engine) loadImport(_ *store.Store, arn, text string) error {
	s := parseStored(text)
	m := &imported{job: s.job(arn), errors: s.int("errors").V, read: s.int("read").V}
	if s.err == nil {
		s.err = m.in.read(wire.NewReader(m.body))
	}
	if s.err != nil {
		return fmt.Errorf("the import %s: %w", arn, s.err)
	}
	m.token = m.in.token.V
	e.imports.Set(arn, m)
	return nil
}
