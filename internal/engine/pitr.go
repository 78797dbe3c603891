package engine

import (
	"fmt"
	"time"

	"github.com/tidwall/btree"

	"github.com/dynorm/dynorm/internal/engine/store"
	"github.com/dynorm/dynorm/internal/engine/value"
	"github.com/dynorm/dynorm/internal/engine/wire"
)

// Limits of point-in-time recovery.
const (
	maxRecoveryDays = 35
	recoveryLag     = 5 * time.Minute // how far behind the present tables can be restored to
)

// history is what a table with point-in-time recovery keeps of its past: what
// each change replaced, so that the changes since a moment can be taken back.
// Unchanged items take no space.
type history struct {
	since time.Time // when it was enabled
	days  int
	log   btree.Map[uint64, undo] // oldest first
	next  uint64
	last  int64
}

// undo is what takes a change back.
type undo struct {
	at  int64 // of the change, in nanoseconds of the clock
	key string
	old *record // nil when there was none
}

// note adds a change, and returns its number.
func (h *history) note(old, new *record, now time.Time) uint64 {
	h.last = max(h.last, now.UnixNano()) // in order, even if the clock is set back
	seq := h.next
	h.log.Set(seq, undo{h.last, shownRecord(old, new).key, old})
	h.next++
	return seq
}

// trim drops the changes that are too old to be asked for, and returns their
// numbers.
func (h *history) trim(now time.Time) (gone []uint64) {
	first := h.earliest(now).UnixNano()
	for {
		seq, u, ok := h.log.Min()
		if !ok || u.at > first {
			return gone
		}
		h.log.Delete(seq)
		gone = append(gone, seq)
	}
}

// remember adds a change to the table's history, if it has one.
func (e *Engine) remember(t *table, old, new *record, now time.Time) {
	if t.history == nil {
		return
	}
	seq := t.history.note(old, new, now)
	e.keepUndo(t, seq)
	e.trimHistory(t, now)
}

func (e *Engine) trimHistory(t *table, now time.Time) {
	for _, seq := range t.history.trim(now) {
		e.remove(historyPart+t.name, numberKey(seq))
	}
}

// keepUndo notes one change of the history.
func (e *Engine) keepUndo(t *table, seq uint64) {
	if e.disk == nil {
		return
	}
	u, _ := t.history.log.Get(seq)
	e.putLater(historyPart+t.name, numberKey(seq), func() value.Item {
		a := attrs{}
		a.int("at", u.at)
		a["key"] = value.Binary(u.key)
		a.record("old", u.old)
		return value.ItemOf(a)
	})
}

// loadHistory takes in the history of a table that has one.
func (e *Engine) loadHistory(s *store.Store, t *table) error {
	h := t.history
	if h == nil {
		return nil
	}
	return s.Each(e.part(historyPart+t.name), func(key, text string) error {
		seq, ok := parseNumberKey(key)
		in := parseStored(text)
		u := undo{in.int("at").V, in.bytes("key"), in.record("old")}
		if !ok || in.err != nil {
			return fmt.Errorf("the history of table %q is not as it was written", t.name)
		}
		h.log.Set(seq, u)
		h.next, h.last = seq+1, max(h.last, u.at)
		return nil
	})
}

func (h *history) earliest(now time.Time) time.Time {
	first := now.AddDate(0, 0, -h.days)
	if h.since.After(first) {
		return h.since
	}
	return first
}

func (h *history) latest(now time.Time) time.Time {
	first, last := h.earliest(now), now.Add(-recoveryLag)
	if last.Before(first) {
		return first
	}
	return last
}

func (h *history) copy() *history {
	if h == nil {
		return nil
	}
	c := *h
	c.log = *h.log.Copy()
	return &c
}

// rewind takes back, on a copy of a table, what was changed after the given
// time. It costs as much as those changes did.
func (t *table) rewind(to time.Time) {
	t.catchUp()
	t.history.log.Reverse(func(_ uint64, u undo) bool {
		if u.at <= to.UnixNano() {
			return false
		}
		now, _ := t.items.Get(u.key)
		t.apply(now, u.old, to, 0)
		return true
	})
}

// pastOf returns a copy of the table as it was at the given time, or at the
// latest one possible if that is not set, and that time.
func (t *table) pastOf(at wire.Float, now time.Time) (*table, time.Time, error) {
	h := t.history
	if h == nil {
		return nil, now, fault("PointInTimeRecoveryUnavailableException", "Point in time recovery is not enabled for table '"+t.name+"'")
	}
	to := h.latest(now)
	if at.Set {
		to = instant(at)
		if to.Before(h.earliest(now).Truncate(time.Second)) || to.After(h.latest(now)) {
			return nil, now, errRestoreTime
		}
	}
	past := t.copy()
	past.rewind(to)
	past.history, past.group, past.log = nil, nil, nil
	return past, to, nil
}

var errRestoreTime = fault("InvalidRestoreTimeException",
	"An invalid restore time was specified. RestoreDateTime must be between EarliestRestorableDateTime and LatestRestorableDateTime.")

// describeContinuous writes the answer of the operations on continuous backups.
func (t *table) describeContinuous(now time.Time) []byte {
	o := wire.Begin(nil)
	o.Object("ContinuousBackupsDescription", func(o *wire.Object) {
		o.Text("ContinuousBackupsStatus", "ENABLED")
		o.Object("PointInTimeRecoveryDescription", func(o *wire.Object) {
			h := t.history
			if h == nil {
				o.Text("PointInTimeRecoveryStatus", "DISABLED")
				return
			}
			o.Text("PointInTimeRecoveryStatus", "ENABLED")
			o.Int("RecoveryPeriodInDays", int64(h.days))
			o.Float("EarliestRestorableDateTime", seconds(h.earliest(now)))
			o.Float("LatestRestorableDateTime", seconds(h.latest(now)))
		})
	})
	return o.End()
}

func (e *Engine) describeContinuousBackups(r *wire.Reader) ([]byte, error) {
	name, err := readTableName(r, "DescribeContinuousBackupsInput")
	if err != nil {
		return nil, err
	}
	e.mu.RLock()
	defer e.mu.RUnlock()
	t, ok := e.tables.Get(tableName(name))
	if !ok {
		return nil, noSource(tableName(name))
	}
	return t.describeContinuous(e.cfg.Now()), nil
}

func (e *Engine) updateContinuousBackups(r *wire.Reader) ([]byte, error) {
	var table wire.Text
	var enabled wire.Bool
	var days wire.Int
	set := false
	err := decode(r, "UpdateContinuousBackupsInput", func(name string) {
		switch name {
		case "TableName":
			table = r.Text()
		case "PointInTimeRecoverySpecification":
			set = r.Struct("PointInTimeRecoverySpecification", func(name string) {
				switch name {
				case "PointInTimeRecoveryEnabled":
					enabled = r.Bool()
				case "RecoveryPeriodInDays":
					days = r.Int("Integer")
				default:
					r.Skip()
				}
			})
		default:
			r.Skip()
		}
	})
	if err != nil {
		return nil, err
	}
	const path = "pointInTimeRecoverySpecification"
	var s shape
	s.required(set, path)
	if set {
		s.required(enabled.Set, path+".pointInTimeRecoveryEnabled")
		s.atLeast(days, path+".recoveryPeriodInDays", 1)
		s.atMost(days, path+".recoveryPeriodInDays", maxRecoveryDays)
	}
	s.table(table, "tableName")
	if err := s.err(); err != nil {
		return nil, err
	}
	if err := checkName(table); err != nil {
		return nil, err
	}
	if days.Set && !enabled.V {
		return nil, parameter("RecoveryPeriodInDays can only be specified when PointInTimeRecoveryEnabled is true")
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	now := e.cfg.Now()
	t, ok := e.tables.Get(tableName(table))
	switch {
	case !ok:
		return nil, noSource(tableName(table))
	case t.readyAt.After(now):
		return nil, fault("ContinuousBackupsUnavailableException", "Backups are being enabled for the table: "+t.name+". Please retry later")
	case !enabled.V:
		t.history = nil
	default:
		if t.history == nil {
			t.history = &history{since: now, days: maxRecoveryDays}
		}
		if days.Set {
			t.history.days = int(days.V)
			e.trimHistory(t, now)
		}
	}
	e.keepTable(t)
	return t.describeContinuous(now), nil
}

func (e *Engine) restoreTableToPointInTime(r *wire.Reader) ([]byte, error) {
	var arn, name wire.Text
	var latest wire.Bool
	var at wire.Float
	var in restoreInput
	err := decode(r, "RestoreTableToPointInTimeInput", func(member string) {
		switch member {
		case "SourceTableArn":
			arn = r.Text()
		case "SourceTableName":
			name = r.Text()
		case "UseLatestRestorableTime":
			latest = r.Bool()
		case "RestoreDateTime":
			at = r.Float("Date")
		default:
			in.field(r, member)
		}
	})
	if err != nil {
		return nil, err
	}
	var s shape
	s.index(name, "sourceTableName")
	s.length(arn, "sourceTableArn", 1, 1024)
	in.shape(&s)
	if err := s.err(); err != nil {
		return nil, err
	}
	switch {
	case arn.Set == name.Set:
		return nil, invalid("Exactly one of SourceTableArn and SourceTableName must be specified")
	case latest.V && at.Set:
		return nil, invalid("Only one of RestoreDateTime and UseLatestRestorableTime can be specified")
	case !latest.V && !at.Set:
		return nil, invalid("One of RestoreDateTime and UseLatestRestorableTime must be specified")
	case arn.Set:
		name = arn
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	now := e.cfg.Now()
	source, err := e.source(tableName(name), now)
	if err != nil {
		return nil, err
	}
	past, to, err := source.pastOf(at, now)
	if err != nil {
		return nil, err
	}
	return e.restore(&in, past, restored{table: source.arn, at: to}, now)
}
