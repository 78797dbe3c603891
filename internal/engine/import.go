package engine

import (
	"bufio"
	"compress/gzip"
	"encoding/base64"
	"encoding/csv"
	"errors"
	"io"
	"io/fs"
	"os"
	"slices"
	"time"
	"unicode/utf8"

	"github.com/klauspost/compress/zstd"

	"github.com/dynorm/dynorm/internal/engine/value"
	"github.com/dynorm/dynorm/internal/engine/wire"
)

// maxWindow is the largest window of an object in ZSTD: as far as its own tools
// go unless they are told otherwise.
const maxWindow = 128 << 20

// importInput is a request to make a table of the objects in a bucket.
type importInput struct {
	bucketInput
	bucketSet, tableSet         bool
	format, compression, token  wire.Text
	delimiter                   wire.Text
	header                      []wire.Text
	headerSet, csvSet           bool
	create                      createInput
	rawSource, rawTable, rawCSV string // as they came in, for descriptions
}

// imported is a table made of objects. It never changes.
type imported struct {
	job
	in     importInput
	errors int64
	read   int64 // items, those with faults too
}

func (in *importInput) read(r *wire.Reader) error {
	in.create.under = "tableCreationParameters."
	return decode(r, "ImportTableInput", func(name string) {
		from := r.Pos()
		switch name {
		case "S3BucketSource":
			in.bucketSet = r.Struct("S3BucketSource", func(name string) {
				switch name {
				case "S3Bucket":
					in.bucket = r.Text()
				case "S3KeyPrefix":
					in.prefix = r.Text()
				case "S3BucketOwner":
					in.owner = r.Text()
				default:
					r.Skip()
				}
			})
			in.rawSource = r.Since(from)
		case "InputFormat":
			in.format = r.Text()
		case "InputCompressionType":
			in.compression = r.Text()
		case "ClientToken":
			in.token = r.Text()
		case "InputFormatOptions":
			r.Struct("InputFormatOptions", func(name string) {
				if name != "Csv" {
					r.Skip()
					return
				}
				in.csvSet = r.Struct("CsvOptions", func(name string) {
					switch name {
					case "Delimiter":
						in.delimiter = r.Text()
					case "HeaderList":
						in.header, in.headerSet = r.Texts()
					default:
						r.Skip()
					}
				})
			})
			in.rawCSV = r.Since(from)
		case "TableCreationParameters":
			in.tableSet = r.Struct("TableCreationParameters", func(name string) { in.create.field(r, name) })
			in.rawTable = r.Since(from)
		default:
			r.Skip()
		}
	})
}

func (in *importInput) check() error {
	var s shape
	s.required(in.bucketSet, "s3BucketSource")
	if in.bucketSet {
		s.bucketName(in.bucket, "s3BucketSource.s3Bucket")
		s.length(in.prefix, "s3BucketSource.s3KeyPrefix", 0, 1024)
	}
	s.required(in.format.Set, "inputFormat")
	s.enum(in.format, "inputFormat", "DYNAMODB_JSON", "ION", "CSV")
	s.enum(in.compression, "inputCompressionType", "GZIP", "ZSTD", "NONE")
	s.required(in.tableSet, "tableCreationParameters")
	if in.headerSet {
		s.count(len(in.header), 1, 255, shownTexts(in.header), "inputFormatOptions.csv.headerList")
	}
	if in.delimiter.Set && !slices.Contains([]string{",", ";", ":", "|", "\t", " "}, in.delimiter.V) {
		s.add(quote(in.delimiter.V), "inputFormatOptions.csv.delimiter", `Member must satisfy regular expression pattern: [,;:|\t ]`)
	}
	if err := s.err(); err != nil {
		return err
	}
	switch {
	case in.format.V == "ION":
		return invalid("InputFormat ION is not available: the embedded engine imports DYNAMODB_JSON and CSV")
	case in.csvSet && in.format.V != "CSV":
		return invalid("InputFormatOptions.Csv can only be specified when InputFormat is CSV")
	}
	return in.create.check()
}

func (e *Engine) importTable(r *wire.Reader) ([]byte, error) {
	m := &imported{}
	if err := m.in.read(r); err != nil {
		return nil, err
	}
	m.body = r.Since(0)
	m.token, m.request = m.in.token.V, sumOf([]byte(m.body))
	if err := m.in.check(); err != nil {
		return nil, err
	}
	t, err := m.in.create.resolve()
	if err != nil {
		return nil, err
	}
	root, err := e.buckets()
	if err != nil {
		return nil, err
	}
	defer root.Close() //nolint:errcheck // nothing is written to a directory handle

	now := e.cfg.Now()
	e.begin(t, now)
	m.table, m.tableID, m.started, m.endsAt = t.arn, t.id, now, now.Add(e.cfg.TableDelay)
	e.mu.RLock()
	same, err := e.importedBefore(m)
	e.mu.RUnlock()
	if err != nil {
		return nil, err
	}
	if same != nil {
		return same.answer(same.status(now), now), nil
	}
	m.load(root, t) // No one else knows of the table yet.

	e.mu.Lock()
	defer e.mu.Unlock()
	if same, err = e.importedBefore(m); err != nil {
		return nil, err
	}
	if same != nil { // which another request began meanwhile
		return same.answer(same.status(now), now), nil
	}
	m.id = e.nextID(now)
	m.arn = t.arn + "/import/" + m.id
	e.imports.Set(m.arn, m)
	e.keepImport(m)
	if m.failure == "" {
		e.adopt(t)
	}
	return m.answer("IN_PROGRESS", now), nil
}

// importedBefore returns the import that the same request began already, or
// the fault if there can be none. The caller holds the lock.
func (e *Engine) importedBefore(m *imported) (*imported, error) {
	for _, y := range e.imports.Values() {
		if same, err := y.repeated(m.token, m.request, "ImportConflictException"); same || err != nil {
			return y, err
		}
	}
	name := tableName(m.in.create.name)
	if _, exists := e.tables.Get(name); exists {
		return nil, fault("ResourceInUseException", "Table already exists: "+name)
	}
	return nil, nil
}

// load puts the items of all objects into t. Those with faults are counted and
// left out.
func (m *imported) load(root *os.Root, t *table) {
	objects := 0
	err := eachObject(root, m.in.bucket.V, m.in.prefix.V, func(_ string, r io.Reader) error {
		objects++
		switch m.in.compression.V {
		case "GZIP":
			packed, err := gzip.NewReader(r)
			if err != nil {
				return err
			}
			r = packed
		case "ZSTD":
			packed, err := zstd.NewReader(r, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(maxWindow))
			if err != nil {
				return err
			}
			defer packed.Close()
			r = packed
		}
		if m.in.format.V == "CSV" {
			return m.loadCSV(r, t)
		}
		return m.loadJSON(r, t)
	})
	switch {
	case errors.Is(err, fs.ErrNotExist):
		m.fail("S3NoSuchBucket", errors.New("the specified bucket does not exist: "+m.in.bucket.V))
	case err != nil:
		m.fail("InvalidInput", err)
	case objects == 0:
		m.fail("S3NoSuchKey", errors.New("no object begins with the specified key prefix: "+m.in.prefix.V))
	}
}

// add puts an item into t, unless it has a fault.
func (m *imported) add(t *table, item value.Item, err error) {
	m.read++
	if err == nil {
		err = t.keys.checkItem(item, t.indexes)
	}
	if err != nil || item.Size() > value.MaxItemSize {
		m.errors++
		return
	}
	key, _ := t.keys.appendKey(nil, item)
	r := newRecord(item, key)
	old, _ := t.items.Get(r.key)
	t.apply(old, r, m.started, 0)
	m.items++
}

func (m *imported) loadJSON(r io.Reader, t *table) error {
	in := bufio.NewReader(r)
	for {
		line, err := in.ReadString('\n')
		if err != nil && err != io.EOF {
			return err
		}
		m.size += int64(len(line))
		if len(line) > 1 {
			item, fault := itemOfLine(line)
			m.add(t, item, fault)
		}
		if err == io.EOF {
			return nil
		}
	}
}

// itemOfLine reads a line of the form {"Item": {...}}.
func itemOfLine(line string) (value.Item, error) {
	r := wire.NewReader(line)
	defer r.Release()
	var in itemInput
	err := decode(r, "ImportItem", func(name string) {
		if name == "Item" {
			in = readItem(r)
			return
		}
		r.Skip()
	})
	if err == nil && !in.set {
		err = errors.New("no Item")
	}
	return in.item, errors.Join(err, in.err)
}

func (m *imported) loadCSV(r io.Reader, t *table) error {
	counted := &counter{r: r}
	in := csv.NewReader(counted)
	in.Comma, _ = utf8.DecodeRuneInString(m.in.delimiter.Or(","))
	in.FieldsPerRecord = -1
	in.LazyQuotes = true
	header := make([]string, len(m.in.header))
	for i, name := range m.in.header {
		header[i] = name.V
	}
	defer func() { m.size += counted.n }()
	for {
		fields, err := in.Read()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		if len(header) == 0 {
			header = fields
			continue
		}
		item, fault := t.itemOfFields(header, fields)
		m.add(t, item, fault)
	}
}

type counter struct {
	r io.Reader
	n int64
}

func (c *counter) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n += int64(n)
	return n, err
}

// itemOfFields returns the item of a line of CSV: texts, but for the keys of
// the table and its indexes, which are what they are defined as.
func (t *table) itemOfFields(header, fields []string) (value.Item, error) {
	if len(fields) > len(header) {
		return value.Item{}, errors.New("more fields than the header has")
	}
	attrs := make(map[string]value.Value, len(fields))
	for i, text := range fields {
		v := value.String(text)
		if at := slices.IndexFunc(t.attrs, func(a attrDef) bool { return a.name == header[i] }); at >= 0 {
			switch t.attrs[at].kind {
			case value.N:
				n, err := value.ParseNumber(text)
				if err != nil {
					return value.Item{}, err
				}
				v = value.Num(n)
			case value.B:
				bytes, err := base64.StdEncoding.DecodeString(text)
				if err != nil {
					return value.Item{}, err
				}
				v = value.Binary(string(bytes))
			}
		}
		attrs[header[i]] = v
	}
	return value.ItemOf(attrs), nil
}

// answer returns the import's description.
func (m *imported) answer(status string, now time.Time) []byte {
	over := status != "IN_PROGRESS"
	o := wire.Begin(nil)
	o.Object("ImportTableDescription", func(o *wire.Object) {
		m.summary(o, status)
		o.Text("TableId", m.tableID)
		if m.in.token.Set {
			o.Text("ClientToken", m.in.token.V)
		}
		if m.in.rawCSV != "" {
			o.Raw("InputFormatOptions", m.in.rawCSV)
		}
		o.Text("InputCompressionType", m.in.compression.Or("NONE"))
		o.Raw("TableCreationParameters", m.in.rawTable)
		if over {
			o.Int("ErrorCount", m.errors)
			o.Int("ProcessedSizeBytes", m.size)
			o.Int("ProcessedItemCount", m.read)
			o.Int("ImportedItemCount", m.items)
			m.outcome(o, now)
		}
	})
	return o.End()
}

// summary writes what lists of imports show.
func (m *imported) summary(o *wire.Object, status string) {
	o.Text("ImportArn", m.arn)
	o.Text("ImportStatus", status)
	o.Text("TableArn", m.table)
	o.Raw("S3BucketSource", m.in.rawSource)
	o.Text("InputFormat", m.in.format.V)
	o.Float("StartTime", seconds(m.started))
}

func (e *Engine) describeImport(r *wire.Reader) ([]byte, error) {
	arn, err := readJobArn(r, "DescribeImportInput", "ImportArn")
	if err != nil {
		return nil, err
	}
	e.mu.RLock()
	defer e.mu.RUnlock()
	m, ok := e.imports.Get(arn.V)
	if !ok {
		return nil, fault("ImportNotFoundException", "Import not found: "+arn.V)
	}
	now := e.cfg.Now()
	return m.answer(m.status(now), now), nil
}

func (e *Engine) listImports(r *wire.Reader) ([]byte, error) {
	in, err := readJobList(r, "ListImportsInput", "PageSize")
	if err != nil {
		return nil, err
	}
	e.mu.RLock()
	defer e.mu.RUnlock()
	now := e.cfg.Now()
	list, next := listPage(&e.imports, &in, func(m *imported) bool { return in.ofTable(m.table) })
	o := wire.Begin(nil)
	o.List("ImportSummaryList", len(list), func(dst []byte, i int) []byte {
		o := wire.Begin(dst)
		list[i].summary(&o, list[i].status(now))
		if !list[i].endsAt.After(now) {
			o.Float("EndTime", seconds(list[i].endsAt))
		}
		return o.End()
	})
	if next != "" {
		o.Text("NextToken", next)
	}
	return o.End(), nil
}
