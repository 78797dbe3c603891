package engine

import (
	"errors"
	"fmt"
	"math"
	"strings"
	"sync"
	"time"

	"github.com/dynorm/dynorm/internal/engine/store"
	"github.com/dynorm/dynorm/internal/engine/value"
	"github.com/dynorm/dynorm/internal/engine/wire"
)

// The kinds of backups.
const (
	backupUser   = "USER"
	backupSystem = "SYSTEM" // of a deleted table with point-in-time recovery
)

// backup is a table as it was. It never changes.
type backup struct {
	arn, name, kind string
	created         time.Time
	readyAt         time.Time // until then it is CREATING
	expires         time.Time // if set, it is gone from then on
	source          *table    // a copy

	mu sync.Mutex // copying a tree marks its nodes, and snapshots share backups
}

func (b *backup) status(now time.Time) string {
	if b.readyAt.After(now) {
		return statusCreating
	}
	return "AVAILABLE"
}

// over reports whether the backup's time has passed.
func (b *backup) over(now time.Time) bool { return !b.expires.IsZero() && !b.expires.After(now) }

// table returns a copy of the table that was backed up.
func (b *backup) table() *table {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.source.copy()
}

// takeBackup takes a backup of t. It costs the same however large t is, since
// the items are shared, unless they are to be stored.
func (e *Engine) takeBackup(t *table, name, kind string, now time.Time) *backup {
	b := &backup{
		arn: t.arn + "/backup/" + e.nextID(now), name: name, kind: kind,
		created: now, readyAt: now.Add(e.cfg.TableDelay), source: t.copy(),
	}
	b.source.catchUp()
	b.source.history, b.source.group, b.source.log = nil, nil, nil
	if kind == backupSystem {
		b.expires = now.AddDate(0, 0, maxRecoveryDays)
	}
	e.backups.Set(b.arn, b)
	e.keepBackup(b)
	return b
}

// keepBackup notes the backup, with its items.
func (e *Engine) keepBackup(b *backup) {
	if e.disk == nil {
		return
	}
	a := attrs{}
	a.text("name", b.name)
	a.text("kind", b.kind)
	a.time("created", b.created)
	a.time("ready", b.readyAt)
	a.time("expires", b.expires)
	a["source"] = value.Map(b.source.definition())
	e.putAttrs(backupsPart, b.arn, a)
	e.keepItems(backupItemsPart+b.arn, b.table())
}

// dropBackup removes the backup.
func (e *Engine) dropBackup(b *backup) {
	e.backups.Delete(b.arn)
	e.remove(backupsPart, b.arn)
	e.keepPart(backupItemsPart+b.arn, false)
}

// loadBackup takes in a backup with its items.
func (e *Engine) loadBackup(s *store.Store, arn, text string) error {
	in := parseStored(text)
	b := &backup{
		arn: arn, name: in.text("name"), kind: in.text("kind"),
		created: in.time("created"), readyAt: in.time("ready"), expires: in.time("expires"),
	}
	source, _ := in.get("source", value.M)
	var err error
	if b.source, err = parseDefinition(source.Map()); err != nil || in.err != nil {
		return fmt.Errorf("the backup %s: %w", arn, errors.Join(err, in.err))
	}
	if err := e.loadItems(s, backupItemsPart+arn, b.source); err != nil {
		return err
	}
	e.backups.Set(arn, b)
	return nil
}

// keepDeleted takes the backup that stays of a table with point-in-time
// recovery that is deleted, and forgets those whose time has passed.
func (e *Engine) keepDeleted(t *table, now time.Time) {
	for _, b := range e.backups.Values() {
		if b.over(now) {
			e.dropBackup(b)
		}
	}
	e.takeBackup(t, t.name+"$DeletedTableBackup", backupSystem, now)
}

// catchUp brings the indexes up to date with the items.
func (t *table) catchUp() {
	for _, c := range t.pending {
		c.index.move(c.old, c.new, t.keys)
	}
	t.pending = nil
}

// backup returns the backup with the given ARN.
func (e *Engine) backup(arn string) (*backup, error) {
	b, ok := e.backups.Get(arn)
	if !ok || b.over(e.cfg.Now()) {
		return nil, fault("BackupNotFoundException", "Backup not found: "+arn)
	}
	return b, nil
}

func (e *Engine) createBackup(r *wire.Reader) ([]byte, error) {
	var table, name wire.Text
	err := decode(r, "CreateBackupInput", func(member string) {
		switch member {
		case "TableName":
			table = r.Text()
		case "BackupName":
			name = r.Text()
		default:
			r.Skip()
		}
	})
	if err != nil {
		return nil, err
	}
	var s shape
	s.required(name.Set, "backupName")
	s.index(name, "backupName")
	s.table(table, "tableName")
	if err := s.err(); err != nil {
		return nil, err
	}
	if err := checkName(table); err != nil {
		return nil, err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	now := e.cfg.Now()
	t, err := e.source(tableName(table), now)
	if err != nil {
		return nil, err
	}
	b := e.takeBackup(t, name.V, backupUser, now)
	o := wire.Begin(nil)
	o.Object("BackupDetails", func(o *wire.Object) { b.details(o, statusCreating) })
	return o.End(), nil
}

// source returns the table of an operation on backups: one that is there and
// is not being created or deleted.
func (e *Engine) source(name string, now time.Time) (*table, error) {
	t, ok := e.tables.Get(name)
	if !ok {
		return nil, noSource(name)
	}
	if status := t.status(now); status == statusCreating || status == statusDeleting {
		return nil, fault("TableInUseException", "Table is being "+inProgress[status]+": "+name)
	}
	return t, nil
}

// details writes a BackupDetails.
func (b *backup) details(o *wire.Object, status string) {
	o.Text("BackupArn", b.arn)
	o.Text("BackupName", b.name)
	o.Int("BackupSizeBytes", b.source.bytes)
	o.Text("BackupStatus", status)
	o.Text("BackupType", b.kind)
	o.Float("BackupCreationDateTime", seconds(b.created))
	if !b.expires.IsZero() {
		o.Float("BackupExpiryDateTime", seconds(b.expires))
	}
}

// describe writes a BackupDescription.
func (b *backup) describe(o *wire.Object, status string) {
	o.Object("BackupDescription", func(o *wire.Object) {
		o.Object("BackupDetails", func(o *wire.Object) { b.details(o, status) })
		o.Object("SourceTableDetails", b.source.describeSource)
		o.Object("SourceTableFeatureDetails", b.source.describeFeatures)
	})
}

// describeSource writes a SourceTableDetails.
func (t *table) describeSource(o *wire.Object) {
	o.Text("TableName", t.name)
	o.Text("TableId", t.id)
	o.Text("TableArn", t.arn)
	o.Int("TableSizeBytes", t.bytes)
	describeKeys(o, t.keys)
	o.Float("TableCreationDateTime", seconds(t.created))
	o.Object("ProvisionedThroughput", func(o *wire.Object) { describeUnits(o, t.capacity) })
	describeOnDemand(o, t.onDemandLimit)
	o.Int("ItemCount", int64(t.items.Len()))
	o.Text("BillingMode", t.billing())
}

// describeUnits writes a ProvisionedThroughput as requests have it.
func describeUnits(o *wire.Object, c capacity) {
	o.Int("ReadCapacityUnits", c.read)
	o.Int("WriteCapacityUnits", c.write)
}

func (t *table) billing() string {
	if t.onDemand {
		return "PAY_PER_REQUEST"
	}
	return "PROVISIONED"
}

// describeFeatures writes a SourceTableFeatureDetails.
func (t *table) describeFeatures(o *wire.Object) {
	for _, global := range []bool{false, true} {
		list := t.indexesOf(global)
		if len(list) == 0 {
			continue
		}
		name := "LocalSecondaryIndexes"
		if global {
			name = "GlobalSecondaryIndexes"
		}
		o.List(name, len(list), func(dst []byte, i int) []byte {
			x := list[i]
			o := wire.Begin(dst)
			o.Text("IndexName", x.name)
			describeKeys(&o, x.keys)
			x.describeProjection(&o)
			if global {
				o.Object("ProvisionedThroughput", func(o *wire.Object) { describeUnits(o, x.capacity) })
				describeOnDemand(&o, x.onDemand)
			}
			return o.End()
		})
	}
	if t.stream.Set {
		o.Object("StreamDescription", func(o *wire.Object) {
			o.Bool("StreamEnabled", true)
			o.Text("StreamViewType", t.stream.V)
		})
	}
	if t.ttl != "" {
		o.Object("TimeToLiveDescription", func(o *wire.Object) {
			o.Text("TimeToLiveStatus", "ENABLED")
			o.Text("AttributeName", t.ttl)
		})
	}
	if t.sse {
		o.Object("SSEDescription", func(o *wire.Object) {
			o.Text("Status", "ENABLED")
			o.Text("SSEType", "KMS")
		})
	}
}

// indexesOf returns the table's global or local indexes.
func (t *table) indexesOf(global bool) (list []*index) {
	for _, x := range t.indexes {
		if x.global == global {
			list = append(list, x)
		}
	}
	return list
}

// readBackupArn reads a request that names a backup and nothing else.
func readBackupArn(r *wire.Reader, class string) (arn wire.Text, err error) {
	err = decode(r, class, func(member string) {
		if member == "BackupArn" {
			arn = r.Text()
			return
		}
		r.Skip()
	})
	if err != nil {
		return arn, err
	}
	var s shape
	s.arn(arn, "backupArn", true)
	return arn, s.err()
}

// arn checks a member that is the ARN of a backup, an export or an import.
func (s *shape) arn(t wire.Text, path string, required bool) {
	if required {
		s.required(t.Set, path)
	}
	s.length(t, path, 37, 1024)
}

func (e *Engine) describeBackup(r *wire.Reader) ([]byte, error) {
	arn, err := readBackupArn(r, "DescribeBackupInput")
	if err != nil {
		return nil, err
	}
	e.mu.RLock()
	defer e.mu.RUnlock()
	b, err := e.backup(arn.V)
	if err != nil {
		return nil, err
	}
	o := wire.Begin(nil)
	b.describe(&o, b.status(e.cfg.Now()))
	return o.End(), nil
}

func (e *Engine) deleteBackup(r *wire.Reader) ([]byte, error) {
	arn, err := readBackupArn(r, "DeleteBackupInput")
	if err != nil {
		return nil, err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	b, err := e.backup(arn.V)
	switch {
	case err != nil:
		return nil, err
	case b.status(e.cfg.Now()) == statusCreating:
		return nil, fault("BackupInUseException", "Backup is being created: "+b.arn)
	case b.kind == backupSystem:
		return nil, invalid("Backups of type SYSTEM can't be deleted: %s", b.arn)
	}
	e.dropBackup(b)
	o := wire.Begin(nil)
	b.describe(&o, "DELETED")
	return o.End(), nil
}

// listInput is a request for a list of what is archived of the tables.
type listInput struct {
	table        wire.Text
	kind         wire.Text
	limit        wire.Int
	lower, upper wire.Float
	start        wire.Text
}

func (e *Engine) listBackups(r *wire.Reader) ([]byte, error) {
	var in listInput
	err := decode(r, "ListBackupsInput", func(name string) {
		switch name {
		case "TableName":
			in.table = r.Text()
		case "BackupType":
			in.kind = r.Text()
		case "Limit":
			in.limit = r.Int("Integer")
		case "TimeRangeLowerBound":
			in.lower = r.Float("Date")
		case "TimeRangeUpperBound":
			in.upper = r.Float("Date")
		case "ExclusiveStartBackupArn":
			in.start = r.Text()
		default:
			r.Skip()
		}
	})
	if err != nil {
		return nil, err
	}
	var s shape
	s.enum(in.kind, "backupType", "USER", "SYSTEM", "AWS_BACKUP", "ALL")
	s.arn(in.start, "exclusiveStartBackupArn", false)
	s.length(in.table, "tableName", 1, 1024)
	if in.table.Set && !strings.HasPrefix(in.table.V, "arn:") {
		s.name(in.table, "tableName")
	}
	s.atLeast(in.limit, "limit", 1)
	s.atMost(in.limit, "limit", 100)
	if err := s.err(); err != nil {
		return nil, err
	}
	if in.table.Set {
		if err := checkName(in.table); err != nil {
			return nil, err
		}
	}
	if in.lower.Set && in.upper.Set && in.lower.V > in.upper.V {
		return nil, invalid("TimeRangeLowerBound must be less than or equal to TimeRangeUpperBound")
	}
	e.mu.RLock()
	defer e.mu.RUnlock()
	now := e.cfg.Now()
	if !in.limit.Set {
		in.limit.V = 100
	}
	list, last := listPage(&e.backups, &in, func(b *backup) bool { return !b.over(now) && in.wants(b) })
	o := wire.Begin(nil)
	o.List("BackupSummaries", len(list), func(dst []byte, i int) []byte {
		b := list[i]
		o := wire.Begin(dst)
		o.Text("TableName", b.source.name)
		o.Text("TableId", b.source.id)
		o.Text("TableArn", b.source.arn)
		b.details(&o, b.status(now))
		return o.End()
	})
	if last != "" {
		o.Text("LastEvaluatedBackupArn", last)
	}
	return o.End(), nil
}

// wants reports whether the request is about b: the lower bound is included,
// the upper is not.
func (in *listInput) wants(b *backup) bool {
	at := seconds(b.created)
	switch {
	case in.table.Set && b.source.name != tableName(in.table):
	case in.kind.Set && in.kind.V != "ALL" && in.kind.V != b.kind:
	case in.lower.Set && at < in.lower.V:
	case in.upper.Set && at >= in.upper.V:
	default:
		return true
	}
	return false
}

// instant returns the time of a member in seconds, to the millisecond.
func instant(f wire.Float) time.Time { return time.UnixMilli(int64(math.Round(f.V * 1000))) }
