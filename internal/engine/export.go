package engine

import (
	"compress/gzip"
	"errors"
	"maps"
	"os"
	"path"
	"slices"
	"strconv"
	"time"

	"github.com/dynorm/dynorm/internal/engine/value"
	"github.com/dynorm/dynorm/internal/engine/wire"
)

// The window of an incremental export.
const (
	minIncrement = 15 * time.Minute
	maxIncrement = 24 * time.Hour
)

// job is what exports and imports have in common. It never changes.
type job struct {
	arn, id          string
	body             string // of the request
	token            string
	request          sum // of the body, for the token
	table, tableID   string
	started, endsAt  time.Time // until then it is IN_PROGRESS
	items            int64
	size             int64
	failure, message string // what it failed with
}

func (j *job) status(now time.Time) string {
	switch {
	case j.endsAt.After(now):
		return "IN_PROGRESS"
	case j.failure != "":
		return "FAILED"
	}
	return "COMPLETED"
}

// fail notes why the job failed.
func (j *job) fail(code string, err error) { j.failure, j.message = code, err.Error() }

// repeated returns whether the job answers a request with the given token and
// sum, or the conflict with another request of that token.
func (j *job) repeated(token string, request sum, exception string) (bool, error) {
	switch {
	case token == "" || j.token != token:
		return false, nil
	case j.request != request:
		return false, fault(exception, "The client token was used for another request: "+token)
	}
	return true, nil
}

// outcome writes what is known once the job is over.
func (j *job) outcome(o *wire.Object, now time.Time) {
	if j.endsAt.After(now) {
		return
	}
	o.Float("EndTime", seconds(j.endsAt))
	if j.failure != "" {
		o.Text("FailureCode", j.failure)
		o.Text("FailureMessage", j.message)
	}
}

// exportInput is a request to export a table.
type exportInput struct {
	bucketInput
	table, format, kind       wire.Text
	sseAlgorithm, sseKey      wire.Text
	token, view               wire.Text
	at, from, to              wire.Float
	incrementSet, filterGiven bool
}

// export is a table, or its changes, written to a bucket. It never changes.
type export struct {
	job
	in       exportInput
	at       time.Time // of a full export
	from, to time.Time // of an incremental one
	manifest string
}

func (in *exportInput) read(r *wire.Reader) error {
	return decode(r, "ExportTableToPointInTimeInput", func(name string) {
		switch name {
		case "TableArn":
			in.table = r.Text()
		case "S3Bucket":
			in.bucket = r.Text()
		case "S3Prefix":
			in.prefix = r.Text()
		case "S3BucketOwner":
			in.owner = r.Text()
		case "S3SseAlgorithm":
			in.sseAlgorithm = r.Text()
		case "S3SseKmsKeyId":
			in.sseKey = r.Text()
		case "ExportFormat":
			in.format = r.Text()
		case "ExportType":
			in.kind = r.Text()
		case "ExportTime":
			in.at = r.Float("Date")
		case "ClientToken":
			in.token = r.Text()
		case "FilterSpecification":
			in.filterGiven = r.Struct("FilterSpecification", func(string) { r.Skip() })
		case "IncrementalExportSpecification":
			in.incrementSet = r.Struct("IncrementalExportSpecification", func(name string) {
				switch name {
				case "ExportFromTime":
					in.from = r.Float("Date")
				case "ExportToTime":
					in.to = r.Float("Date")
				case "ExportViewType":
					in.view = r.Text()
				default:
					r.Skip()
				}
			})
		default:
			r.Skip()
		}
	})
}

func (in *exportInput) incremental() bool { return in.kind.V == "INCREMENTAL_EXPORT" }

func (in *exportInput) check() error {
	var s shape
	s.bucketName(in.bucket, "s3Bucket")
	s.length(in.prefix, "s3Prefix", 0, 1024)
	s.enum(in.sseAlgorithm, "s3SseAlgorithm", "AES256", "KMS")
	s.enum(in.format, "exportFormat", "DYNAMODB_JSON", "ION")
	s.enum(in.kind, "exportType", "FULL_EXPORT", "INCREMENTAL_EXPORT")
	s.enum(in.view, "incrementalExportSpecification.exportViewType", "NEW_IMAGE", "NEW_AND_OLD_IMAGES")
	s.required(in.table.Set, "tableArn")
	s.length(in.table, "tableArn", 1, 1024)
	if err := s.err(); err != nil {
		return err
	}
	switch {
	case in.format.V == "ION":
		return invalid("ExportFormat ION is not available: the embedded engine exports DYNAMODB_JSON")
	case in.filterGiven:
		return invalid("FilterSpecification is not available: the embedded engine exports all items")
	case in.incremental() && in.at.Set:
		return invalid("ExportTime can only be specified when ExportType is FULL_EXPORT")
	case in.incremental() && !in.from.Set:
		return invalid("ExportFromTime must be specified when ExportType is INCREMENTAL_EXPORT")
	case !in.incremental() && in.incrementSet:
		return invalid("IncrementalExportSpecification can only be specified when ExportType is INCREMENTAL_EXPORT")
	}
	return checkName(in.table)
}

// lines is what an export writes: each line is appended by the function it is
// given.
type lines func(write func(line []byte) error) error

// itemLines writes the table's items.
func (t *table) itemLines(write func([]byte) error) (err error) {
	var line []byte
	t.items.Scan(func(_ string, r *record) bool {
		line = append(append(append(line[:0], `{"Item":`...), r.json...), '}')
		err = write(line)
		return err == nil
	})
	return err
}

// changed is an item that changed within a window.
type changed struct {
	old, new *record
	at       int64
}

// changes returns what became of each item that changed from one time up to
// another, for copies of the table as it was then, in the order of keys.
func (h *history) changes(past *table, from, to time.Time) []changed {
	found := make(map[string]changed)
	h.log.Scan(func(_ uint64, u undo) bool {
		if u.at >= to.UnixNano() {
			return false
		}
		if u.at < from.UnixNano() {
			return true
		}
		c, ok := found[u.key]
		if !ok {
			c.old = u.old
			c.new, _ = past.items.Get(u.key)
		}
		c.at = u.at
		found[u.key] = c
		return true
	})
	var list []changed
	for _, key := range slices.Sorted(maps.Keys(found)) {
		if c := found[key]; c.old != nil || c.new != nil {
			list = append(list, c)
		}
	}
	return list
}

// changeLines writes the changes, with old images if wanted.
func changeLines(keys keySchema, list []changed, both bool) lines {
	return func(write func([]byte) error) error {
		for _, c := range list {
			o := wire.Begin(nil)
			o.Object("Metadata", func(o *wire.Object) {
				o.Object("WriteTimestampMicros", func(o *wire.Object) { o.Text("N", strconv.FormatInt(c.at/1000, 10)) })
			})
			o.Item("Keys", keyOf(keys, shownRecord(c.old, c.new).item))
			if c.old != nil && both {
				o.Raw("OldImage", c.old.json)
			}
			if c.new != nil {
				o.Raw("NewImage", c.new.json)
			}
			if err := write(o.End()); err != nil {
				return err
			}
		}
		return nil
	}
}

// keyOf returns the key attributes of item.
func keyOf(keys keySchema, item value.Item) value.Item { return item.Filter(keys.has) }

// prepare finds the table's state that is to be exported.
func (x *export) prepare(t *table, now time.Time) (lines, error) {
	h := t.history
	if h == nil {
		return nil, fault("PointInTimeRecoveryUnavailableException", "Point in time recovery is not enabled for table '"+t.arn+"'")
	}
	within := func(at time.Time) bool { return !at.Before(h.earliest(now).Truncate(time.Second)) && !at.After(now) }
	past := t.copy()
	if !x.in.incremental() {
		x.at = now
		if x.in.at.Set {
			x.at = instant(x.in.at)
		}
		if !within(x.at) {
			return nil, fault("InvalidExportTimeException", "The specified ExportTime is outside of the point in time recovery window.")
		}
		past.rewind(x.at)
		return past.itemLines, nil
	}
	x.from, x.to = instant(x.in.from), now
	if x.in.to.Set {
		x.to = instant(x.in.to)
	}
	switch window := x.to.Sub(x.from); {
	case !within(x.from) || !within(x.to):
		return nil, fault("InvalidExportTimeException", "The specified export period is outside of the point in time recovery window.")
	case window < minIncrement:
		return nil, invalid("Difference between export period from time and export period to time is less than fifteen minutes")
	case window > maxIncrement:
		return nil, invalid("Difference between export period from time and export period to time is greater than twenty-four hours")
	}
	past.rewind(x.to.Add(-time.Nanosecond))
	return changeLines(t.keys, h.copy().changes(past, x.from, x.to), x.in.view.V != "NEW_IMAGE"), nil
}

func (e *Engine) exportTableToPointInTime(r *wire.Reader) ([]byte, error) {
	x := &export{}
	in := &x.in
	if err := in.read(r); err != nil {
		return nil, err
	}
	x.body = r.Since(0)
	x.token, x.request = in.token.V, sumOf([]byte(x.body))
	if err := in.check(); err != nil {
		return nil, err
	}
	root, err := e.buckets()
	if err != nil {
		return nil, err
	}
	defer root.Close() //nolint:errcheck // nothing is written to a directory handle

	now := e.cfg.Now()
	e.mu.Lock()
	for _, y := range e.exports.Values() {
		same, err := y.repeated(x.token, x.request, "ExportConflictException")
		if same || err != nil {
			e.mu.Unlock()
			if err != nil {
				return nil, err
			}
			return y.answer(y.status(now), now), nil
		}
	}
	t, err := e.source(tableName(in.table), now)
	var body lines
	if err == nil {
		body, err = x.prepare(t, now)
	}
	if err != nil {
		e.mu.Unlock()
		return nil, err
	}
	x.id, x.table, x.tableID = e.nextID(now), t.arn, t.id
	x.arn = t.arn + "/export/" + x.id
	x.started, x.endsAt = now, now.Add(e.cfg.TableDelay)
	e.mu.Unlock() // The state to export is a copy: the rest takes no lock.

	if err := x.write(root, body); err != nil {
		x.fail("S3AccessError", err)
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.exports.Set(x.arn, x)
	e.keepExport(x)
	return x.answer("IN_PROGRESS", now), nil
}

// write writes the export's objects, in the service's layout.
func (x *export) write(root *os.Root, body lines) (err error) {
	base := path.Join(x.in.prefix.V, "AWSDynamoDB")
	own := path.Join(base, x.id)
	data := path.Join(own, "data")
	if x.in.incremental() {
		data = path.Join(base, "data") // which all incremental exports share
	}
	if _, err := putObject(root, x.in.bucket.V, path.Join(own, "_started"), nil); err != nil {
		return err
	}
	key := path.Join(data, strconv.FormatUint(spread([]byte(x.arn)), 36)+".json.gz")
	file, err := createObject(root, x.in.bucket.V, key)
	if err != nil {
		return err
	}
	packed := gzip.NewWriter(file)
	err = body(func(line []byte) error {
		x.items++
		x.size += int64(len(line))
		_, err := packed.Write(append(line, '\n'))
		return err
	})
	if err := errors.Join(err, packed.Close(), file.file.Close()); err != nil {
		return err
	}
	o := wire.Begin(nil)
	o.Int("itemCount", x.items)
	o.Text("md5Checksum", file.base64())
	o.Text("etag", file.hex()+"-1")
	o.Text("dataFileS3Key", key)
	x.manifest = path.Join(own, "manifest-summary.json")
	for _, m := range []struct {
		name string
		body []byte
	}{{"manifest-files", append(o.End(), '\n')}, {"manifest-summary", x.summary(path.Join(own, "manifest-files.json"))}} {
		made, err := putObject(root, x.in.bucket.V, path.Join(own, m.name+".json"), m.body)
		if err != nil {
			return err
		}
		if _, err := putObject(root, x.in.bucket.V, path.Join(own, m.name+".md5"), []byte(made.base64())); err != nil {
			return err
		}
	}
	return nil
}

// summary returns the export's manifest-summary.json.
func (x *export) summary(files string) []byte {
	const layout = "2006-01-02T15:04:05.000Z"
	o := wire.Begin(nil)
	text := func(name string, t wire.Text) {
		if t.Set {
			o.Text(name, t.V)
		} else {
			o.Raw(name, "null")
		}
	}
	version := "2020-06-30"
	if x.in.incremental() {
		version = "2023-08-01"
	}
	o.Text("version", version)
	o.Text("exportArn", x.arn)
	o.Text("startTime", x.started.UTC().Format(layout))
	o.Text("endTime", x.endsAt.UTC().Format(layout))
	o.Text("tableArn", x.table)
	o.Text("tableId", x.tableID)
	if x.in.incremental() {
		o.Text("exportFromTime", x.from.UTC().Format(layout))
		o.Text("exportToTime", x.to.UTC().Format(layout))
	} else {
		o.Text("exportTime", x.at.UTC().Format(layout))
	}
	o.Text("s3Bucket", x.in.bucket.V)
	text("s3Prefix", x.in.prefix)
	o.Text("s3SseAlgorithm", x.in.sseAlgorithm.Or("AES256"))
	text("s3SseKmsKeyId", x.in.sseKey)
	o.Text("manifestFilesS3Key", files)
	o.Int("billedSizeBytes", x.size)
	o.Int("itemCount", x.items)
	o.Text("outputFormat", "DYNAMODB_JSON")
	if x.in.incremental() {
		o.Text("outputView", x.in.view.Or("NEW_AND_OLD_IMAGES"))
		o.Text("exportType", "INCREMENTAL_EXPORT")
	}
	return o.End()
}

// answer returns the export's description.
func (x *export) answer(status string, now time.Time) []byte {
	over := status != "IN_PROGRESS"
	o := wire.Begin(nil)
	o.Object("ExportDescription", func(o *wire.Object) {
		text := func(name string, t wire.Text) {
			if t.Set {
				o.Text(name, t.V)
			}
		}
		o.Text("ExportArn", x.arn)
		o.Text("ExportStatus", status)
		o.Float("StartTime", seconds(x.started))
		if over {
			x.outcome(o, now)
		}
		if over && x.failure == "" {
			o.Text("ExportManifest", x.manifest)
			o.Int("BilledSizeBytes", x.size)
			o.Int("ItemCount", x.items)
		}
		o.Text("TableArn", x.table)
		o.Text("TableId", x.tableID)
		text("ClientToken", x.in.token)
		o.Text("S3Bucket", x.in.bucket.V)
		text("S3BucketOwner", x.in.owner)
		text("S3Prefix", x.in.prefix)
		o.Text("S3SseAlgorithm", x.in.sseAlgorithm.Or("AES256"))
		text("S3SseKmsKeyId", x.in.sseKey)
		o.Text("ExportFormat", "DYNAMODB_JSON")
		o.Text("ExportType", x.in.kind.Or("FULL_EXPORT"))
		if !x.in.incremental() {
			o.Float("ExportTime", seconds(x.at))
			return
		}
		o.Object("IncrementalExportSpecification", func(o *wire.Object) {
			o.Float("ExportFromTime", seconds(x.from))
			o.Float("ExportToTime", seconds(x.to))
			o.Text("ExportViewType", x.in.view.Or("NEW_AND_OLD_IMAGES"))
		})
	})
	return o.End()
}

// readJobArn reads a request that names an export or import and nothing else.
func readJobArn(r *wire.Reader, class, name string) (arn wire.Text, err error) {
	err = decode(r, class, func(member string) {
		if member == name {
			arn = r.Text()
			return
		}
		r.Skip()
	})
	if err != nil {
		return arn, err
	}
	var s shape
	s.arn(arn, lowerFirst(name), true)
	return arn, s.err()
}

func (e *Engine) describeExport(r *wire.Reader) ([]byte, error) {
	arn, err := readJobArn(r, "DescribeExportInput", "ExportArn")
	if err != nil {
		return nil, err
	}
	e.mu.RLock()
	defer e.mu.RUnlock()
	x, ok := e.exports.Get(arn.V)
	if !ok {
		return nil, fault("ExportNotFoundException", "Export not found: "+arn.V)
	}
	now := e.cfg.Now()
	return x.answer(x.status(now), now), nil
}

// readJobList reads a request for a list of exports or imports.
func readJobList(r *wire.Reader, class, limit string) (in listInput, err error) {
	err = decode(r, class, func(name string) {
		switch name {
		case "TableArn":
			in.table = r.Text()
		case limit:
			in.limit = r.Int("Integer")
		case "NextToken":
			in.start = r.Text()
		default:
			r.Skip()
		}
	})
	if err != nil {
		return in, err
	}
	var s shape
	s.length(in.table, "tableArn", 1, 1024)
	s.atLeast(in.limit, lowerFirst(limit), 1)
	s.atMost(in.limit, lowerFirst(limit), 25)
	if !in.limit.Set {
		in.limit = wire.Int{V: 25, Set: true}
	}
	return in, s.err()
}

// ofTable reports whether the request is about the table with the given ARN.
func (in *listInput) ofTable(arn string) bool {
	return !in.table.Set || tableName(in.table) == tableName(wire.Text{V: arn, Set: true})
}

func (e *Engine) listExports(r *wire.Reader) ([]byte, error) {
	in, err := readJobList(r, "ListExportsInput", "MaxResults")
	if err != nil {
		return nil, err
	}
	e.mu.RLock()
	defer e.mu.RUnlock()
	now := e.cfg.Now()
	list, next := listPage(&e.exports, &in, func(x *export) bool { return in.ofTable(x.table) })
	o := wire.Begin(nil)
	o.List("ExportSummaries", len(list), func(dst []byte, i int) []byte {
		o := wire.Begin(dst)
		o.Text("ExportArn", list[i].arn)
		o.Text("ExportStatus", list[i].status(now))
		o.Text("ExportType", list[i].in.kind.Or("FULL_EXPORT"))
		return o.End()
	})
	if next != "" {
		o.Text("NextToken", next)
	}
	return o.End(), nil
}
