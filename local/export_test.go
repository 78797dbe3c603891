package local_test

import (
	"bufio"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/klauspost/compress/zstd"
	"github.com/stretchr/testify/require"

	"github.com/dynorm/dynorm/local"
)

const appArn = "arn:aws:dynamodb:us-east-1:000000000000:table/app"

// appDefinition is that of the tables that createTable makes.
func appDefinition(name string) *types.TableCreationParameters {
	return &types.TableCreationParameters{
		TableName: aws.String(name), BillingMode: types.BillingModePayPerRequest,
		AttributeDefinitions: []types.AttributeDefinition{
			{AttributeName: aws.String("pk"), AttributeType: types.ScalarAttributeTypeS},
			{AttributeName: aws.String("sk"), AttributeType: types.ScalarAttributeTypeS},
			{AttributeName: aws.String("city"), AttributeType: types.ScalarAttributeTypeS},
		},
		KeySchema: []types.KeySchemaElement{
			{AttributeName: aws.String("pk"), KeyType: types.KeyTypeHash},
			{AttributeName: aws.String("sk"), KeyType: types.KeyTypeRange},
		},
		GlobalSecondaryIndexes: []types.GlobalSecondaryIndex{{
			IndexName:  aws.String("by-city"),
			KeySchema:  []types.KeySchemaElement{{AttributeName: aws.String("city"), KeyType: types.KeyTypeHash}},
			Projection: &types.Projection{ProjectionType: types.ProjectionTypeAll},
		}},
	}
}

func exported(t testing.TB, c *dynamodb.Client, in dynamodb.ExportTableToPointInTimeInput) *types.ExportDescription {
	t.Helper()
	in.TableArn, in.S3Bucket = aws.String(appArn), aws.String("the-bucket")
	out, err := c.ExportTableToPointInTime(t.Context(), &in)
	require.NoError(t, err)
	require.Equal(t, types.ExportStatusInProgress, out.ExportDescription.ExportStatus)
	described, err := c.DescribeExport(t.Context(), &dynamodb.DescribeExportInput{ExportArn: out.ExportDescription.ExportArn})
	require.NoError(t, err)
	d := described.ExportDescription
	require.Equal(t, types.ExportStatusCompleted, d.ExportStatus, "%s %s", aws.ToString(d.FailureCode), aws.ToString(d.FailureMessage))
	return d
}

func jsonOf(t testing.TB, path string) map[string]any {
	t.Helper()
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	var m map[string]any
	require.NoError(t, json.Unmarshal(text, &m))
	return m
}

// linesOf returns the lines of the data file that the export's manifest names.
func linesOf(t testing.TB, bucket string, d *types.ExportDescription) (lines []string) {
	t.Helper()
	summary := jsonOf(t, filepath.Join(bucket, *d.ExportManifest))
	files := jsonOf(t, filepath.Join(bucket, summary["manifestFilesS3Key"].(string)))
	require.EqualValues(t, *d.ItemCount, files["itemCount"])
	f, err := os.Open(filepath.Join(bucket, files["dataFileS3Key"].(string)))
	require.NoError(t, err)
	defer f.Close()
	packed, err := gzip.NewReader(f)
	require.NoError(t, err)
	scanner := bufio.NewScanner(packed)
	for scanner.Scan() {
		lines = append(lines, scanner.Text())
	}
	require.NoError(t, scanner.Err())
	return lines
}

func TestExportAndImport(t *testing.T) {
	dir := t.TempDir()
	e := frozen(t, local.Config{Buckets: dir})
	c := e.Client()
	recovery(t, c, 35)
	every := item("every", "kind", "city", "Köln \"\n")
	every["n"] = &types.AttributeValueMemberN{Value: "12345678901234567890.5"}
	every["b"] = &types.AttributeValueMemberB{Value: []byte{0, 255}}
	every["t"] = &types.AttributeValueMemberBOOL{Value: true}
	every["z"] = &types.AttributeValueMemberNULL{Value: true}
	every["l"] = &types.AttributeValueMemberL{Value: []types.AttributeValue{str(""), &types.AttributeValueMemberM{Value: item("a", "b")}}}
	every["ss"] = &types.AttributeValueMemberSS{Value: []string{"a", "b"}}
	every["ns"] = &types.AttributeValueMemberNS{Value: []string{"1", "2.5"}}
	every["bs"] = &types.AttributeValueMemberBS{Value: [][]byte{{1}, {2}}}
	put(t, c, "app", every)
	for i := range 300 {
		put(t, c, "app", item(fmt.Sprint(i), "1", "city", fmt.Sprint(i%7)))
	}
	e.Clock().Advance(time.Minute)
	at := e.Clock().Now()
	e.Clock().Advance(time.Minute)
	put(t, c, "app", item("later", "1"))

	d := exported(t, c, dynamodb.ExportTableToPointInTimeInput{ExportTime: aws.Time(at), S3Prefix: aws.String("some/where")})
	id := (*d.ExportArn)[strings.LastIndex(*d.ExportArn, "/")+1:]
	require.Equal(t, "some/where/AWSDynamoDB/"+id+"/manifest-summary.json", *d.ExportManifest)
	require.Equal(t, int64(301), *d.ItemCount)
	bucket := filepath.Join(dir, "the-bucket")
	require.Len(t, linesOf(t, bucket, d), 301)
	summary := jsonOf(t, filepath.Join(bucket, *d.ExportManifest))
	require.Equal(t, appArn, summary["tableArn"])
	require.Equal(t, "DYNAMODB_JSON", summary["outputFormat"])
	require.Equal(t, at.UTC().Format("2006-01-02T15:04:05.000Z"), summary["exportTime"])
	for _, name := range []string{"_started", "manifest-summary.md5", "manifest-files.md5"} {
		require.FileExists(t, filepath.Join(bucket, "some/where/AWSDynamoDB", id, name))
	}

	out, err := c.ImportTable(t.Context(), &dynamodb.ImportTableInput{
		S3BucketSource: &types.S3BucketSource{S3Bucket: aws.String("the-bucket"), S3KeyPrefix: aws.String("some/where/AWSDynamoDB/" + id + "/data/")},
		InputFormat:    types.InputFormatDynamodbJson, InputCompressionType: types.InputCompressionTypeGzip,
		TableCreationParameters: appDefinition("copy"),
	})
	require.NoError(t, err)
	require.Equal(t, types.ImportStatusInProgress, out.ImportTableDescription.ImportStatus)
	described, err := c.DescribeImport(t.Context(), &dynamodb.DescribeImportInput{ImportArn: out.ImportTableDescription.ImportArn})
	require.NoError(t, err)
	m := described.ImportTableDescription
	require.Equal(t, types.ImportStatusCompleted, m.ImportStatus, "%s", aws.ToString(m.FailureMessage))
	require.Equal(t, []int64{301, 301, 0}, []int64{m.ImportedItemCount, m.ProcessedItemCount, m.ErrorCount})
	require.Equal(t, "copy", *m.TableCreationParameters.TableName)

	require.NoError(t, restoreAtLatest(t, e, "restored", at))
	for _, index := range []string{"", "by-city"} {
		scan := func(table string) []map[string]types.AttributeValue {
			in := &dynamodb.ScanInput{TableName: aws.String(table)}
			if index != "" {
				in.IndexName = aws.String(index)
			}
			out, err := c.Scan(t.Context(), in)
			require.NoError(t, err)
			return out.Items
		}
		require.Equal(t, scan("restored"), scan("copy"))
	}
}

// restoreAtLatest restores "app" as of at, which is made restorable first.
func restoreAtLatest(t testing.TB, e *local.Engine, target string, at time.Time) error {
	t.Helper()
	e.Clock().Advance(5 * time.Minute)
	return restoreAt(t, e.Client(), target, at)
}

func TestIncrementalExport(t *testing.T) {
	dir := t.TempDir()
	e := frozen(t, local.Config{Buckets: dir})
	c := e.Client()
	recovery(t, c, 35)
	put(t, c, "app", item("changed", "1", "city", "old"))
	put(t, c, "app", item("deleted", "1"))
	put(t, c, "app", item("left", "1"))
	e.Clock().Advance(time.Hour)
	from := e.Clock().Now()
	put(t, c, "app", item("changed", "1", "city", "between"))
	put(t, c, "app", item("passing", "1"))
	e.Clock().Advance(time.Minute)
	put(t, c, "app", item("changed", "1", "city", "new"))
	put(t, c, "app", item("added", "1"))
	for _, pk := range []string{"deleted", "passing"} {
		_, err := c.DeleteItem(t.Context(), &dynamodb.DeleteItemInput{TableName: aws.String("app"), Key: item(pk, "1")})
		require.NoError(t, err)
	}
	e.Clock().Advance(29 * time.Minute)
	to := e.Clock().Now()
	put(t, c, "app", item("added", "1", "city", "after")) // at the end, which is not included
	e.Clock().Advance(time.Hour)

	meta := fmt.Sprintf(`"Metadata":{"WriteTimestampMicros":{"N":"%d"}}`, from.Add(time.Minute).UnixMicro())
	keys := func(pk string) string { return `"pk":{"S":"` + pk + `"},"sk":{"S":"1"}` }
	want := map[types.ExportViewType][]string{
		types.ExportViewTypeNewAndOldImages: {
			`{` + meta + `,"Keys":{` + keys("added") + `},"NewImage":{` + keys("added") + `}}`,
			`{` + meta + `,"Keys":{` + keys("changed") + `},"OldImage":{"city":{"S":"old"},` + keys("changed") + `},"NewImage":{"city":{"S":"new"},` + keys("changed") + `}}`,
			`{` + meta + `,"Keys":{` + keys("deleted") + `},"OldImage":{` + keys("deleted") + `}}`,
		},
		types.ExportViewTypeNewImage: {
			`{` + meta + `,"Keys":{` + keys("added") + `},"NewImage":{` + keys("added") + `}}`,
			`{` + meta + `,"Keys":{` + keys("changed") + `},"NewImage":{"city":{"S":"new"},` + keys("changed") + `}}`,
			`{` + meta + `,"Keys":{` + keys("deleted") + `}}`,
		},
	}
	for view, lines := range want {
		d := exported(t, c, dynamodb.ExportTableToPointInTimeInput{
			ExportType:                     types.ExportTypeIncrementalExport,
			IncrementalExportSpecification: &types.IncrementalExportSpecification{ExportFromTime: aws.Time(from), ExportToTime: aws.Time(to), ExportViewType: view},
		})
		got := linesOf(t, filepath.Join(dir, "the-bucket"), d)
		require.Len(t, got, len(lines))
		for _, line := range lines {
			found := false
			for _, g := range got {
				found = found || sameJSON(t, line, g)
			}
			require.True(t, found, "%s\nis not in\n%s", line, strings.Join(got, "\n"))
		}
		summary := jsonOf(t, filepath.Join(dir, "the-bucket", *d.ExportManifest))
		require.Equal(t, string(view), summary["outputView"])
	}
}

func sameJSON(t testing.TB, a, b string) bool {
	t.Helper()
	canonical := func(text string) string {
		var v any
		require.NoError(t, json.Unmarshal([]byte(text), &v))
		out, err := json.Marshal(v)
		require.NoError(t, err)
		return string(out)
	}
	return canonical(a) == canonical(b)
}

func TestImportCSV(t *testing.T) {
	dir := t.TempDir()
	c := frozen(t, local.Config{Buckets: dir}).Client()
	require.NoError(t, os.MkdirAll(filepath.Join(dir, "csv", "in"), 0o755))
	write := func(name, text string) {
		require.NoError(t, os.WriteFile(filepath.Join(dir, "csv", "in", name), []byte(text), 0o644))
	}
	write("a.csv", "pk,sk,city,note\na,1,Köln,\"x, \"\"y\"\"\"\nb,2,Bonn\n,3,Bonn,no key\n")
	write("b.csv", "c;1;Bonn;x\n")
	load := func(in dynamodb.ImportTableInput, name, prefix string) (*types.ImportTableDescription, error) {
		in.S3BucketSource = &types.S3BucketSource{S3Bucket: aws.String("csv"), S3KeyPrefix: aws.String(prefix)}
		in.InputFormat, in.TableCreationParameters = types.InputFormatCsv, appDefinition(name)
		out, err := c.ImportTable(t.Context(), &in)
		if err != nil {
			return nil, err
		}
		described, err := c.DescribeImport(t.Context(), &dynamodb.DescribeImportInput{ImportArn: out.ImportTableDescription.ImportArn})
		require.NoError(t, err)
		return described.ImportTableDescription, nil
	}
	m, err := load(dynamodb.ImportTableInput{}, "first", "in/a")
	require.NoError(t, err)
	require.Equal(t, []int64{2, 3, 1}, []int64{m.ImportedItemCount, m.ProcessedItemCount, m.ErrorCount})
	out, err := c.GetItem(t.Context(), &dynamodb.GetItemInput{TableName: aws.String("first"), Key: item("a", "1")})
	require.NoError(t, err)
	require.Equal(t, item("a", "1", "city", "Köln", "note", `x, "y"`), out.Item)
	require.Len(t, contents(t, c, "first", "by-city"), 2)

	m, err = load(dynamodb.ImportTableInput{InputFormatOptions: &types.InputFormatOptions{
		Csv: &types.CsvOptions{Delimiter: aws.String(";"), HeaderList: []string{"pk", "sk", "city", "note"}},
	}}, "second", "in/b")
	require.NoError(t, err)
	require.Equal(t, int64(1), m.ImportedItemCount)
	require.Equal(t, ";", *m.InputFormatOptions.Csv.Delimiter)
	require.Equal(t, []string{"c 1 Bonn "}, contents(t, c, "second", ""))

	m, err = load(dynamodb.ImportTableInput{}, "third", "none/")
	require.NoError(t, err)
	require.Equal(t, types.ImportStatusFailed, m.ImportStatus)
	require.Equal(t, "S3NoSuchKey", *m.FailureCode)
	m, err = load(dynamodb.ImportTableInput{InputCompressionType: types.InputCompressionTypeGzip}, "third", "in/a")
	require.NoError(t, err)
	require.Equal(t, types.ImportStatusFailed, m.ImportStatus, "it is not compressed")
	_, err = load(dynamodb.ImportTableInput{}, "first", "in/a")
	refuses(t, err, "ResourceInUseException", "Table already exists: first")
	list, err := c.ListImports(t.Context(), &dynamodb.ListImportsInput{PageSize: aws.Int32(3)})
	require.NoError(t, err)
	require.Len(t, list.ImportSummaryList, 3)
	list, err = c.ListImports(t.Context(), &dynamodb.ListImportsInput{NextToken: list.NextToken})
	require.NoError(t, err)
	require.Len(t, list.ImportSummaryList, 1)
	require.Nil(t, list.NextToken)
}

func TestImportZstd(t *testing.T) {
	dir := t.TempDir()
	c := frozen(t, local.Config{Buckets: dir}).Client()
	require.NoError(t, os.MkdirAll(filepath.Join(dir, "packed"), 0o755))
	write := func(name string, content []byte) {
		require.NoError(t, os.WriteFile(filepath.Join(dir, "packed", name), content, 0o644))
	}
	encoder, err := zstd.NewWriter(nil)
	require.NoError(t, err)
	var lines []byte
	for i := range 1000 {
		lines = fmt.Appendf(lines, `{"Item":{"pk":{"S":"p%d"},"sk":{"S":"1"},"city":{"S":"Köln"}}}`+"\n", i)
	}
	whole := encoder.EncodeAll(lines, nil)
	write("json", whole)
	write("csv", encoder.EncodeAll([]byte("pk,sk\na,1\nb,2\n"), nil))
	write("none", []byte("pk,sk\na,1\n"))
	write("cut", whole[:len(whole)/2])
	for _, tc := range []struct {
		name   string
		format types.InputFormat
		items  int64
		status types.ImportStatus
	}{
		{"json", types.InputFormatDynamodbJson, 1000, types.ImportStatusCompleted},
		{"csv", types.InputFormatCsv, 2, types.ImportStatusCompleted},
		{"none", types.InputFormatCsv, 0, types.ImportStatusFailed},
		{"cut", types.InputFormatDynamodbJson, 0, types.ImportStatusFailed},
	} {
		out, err := c.ImportTable(t.Context(), &dynamodb.ImportTableInput{
			S3BucketSource: &types.S3BucketSource{S3Bucket: aws.String("packed"), S3KeyPrefix: &tc.name}, InputFormat: tc.format,
			InputCompressionType: types.InputCompressionTypeZstd, TableCreationParameters: appDefinition("from-" + tc.name),
		})
		require.NoError(t, err, tc.name)
		m, err := c.DescribeImport(t.Context(), &dynamodb.DescribeImportInput{ImportArn: out.ImportTableDescription.ImportArn})
		require.NoError(t, err, tc.name)
		require.Equal(t, tc.status, m.ImportTableDescription.ImportStatus, tc.name)
		_, err = c.DescribeTable(t.Context(), &dynamodb.DescribeTableInput{TableName: aws.String("from-" + tc.name)})
		if tc.status == types.ImportStatusFailed {
			refuses(t, err, "ResourceNotFoundException", "not found")
			continue
		}
		require.NoError(t, err)
		require.Equal(t, tc.items, m.ImportTableDescription.ImportedItemCount, tc.name)
		require.Len(t, scanned(t, c, "from-"+tc.name, nil), int(tc.items))
	}
}

func TestExportErrors(t *testing.T) {
	dir := t.TempDir()
	e := frozen(t, local.Config{Buckets: dir})
	c := e.Client()
	export := func(c *dynamodb.Client, edit func(in *dynamodb.ExportTableToPointInTimeInput)) error {
		in := &dynamodb.ExportTableToPointInTimeInput{TableArn: aws.String(appArn), S3Bucket: aws.String("bucket")}
		edit(in)
		_, err := c.ExportTableToPointInTime(t.Context(), in)
		return err
	}
	type input = dynamodb.ExportTableToPointInTimeInput
	refuses(t, export(c, func(*input) {}), "PointInTimeRecoveryUnavailableException", "not enabled for table '"+appArn+"'")
	recovery(t, c, 35)
	e.Clock().Advance(2 * 24 * time.Hour)
	now := e.Clock().Now()
	window := func(from, to time.Time) func(*input) {
		return func(in *input) {
			in.ExportType = types.ExportTypeIncrementalExport
			in.IncrementalExportSpecification = &types.IncrementalExportSpecification{ExportFromTime: aws.Time(from), ExportToTime: aws.Time(to)}
		}
	}
	for name, tc := range map[string]struct {
		edit       func(*input)
		code, text string
	}{
		"no table":        {func(in *input) { in.TableArn = aws.String(appArn + "none") }, "TableNotFoundException", "Table not found: appnone"},
		"bad bucket":      {func(in *input) { in.S3Bucket = aws.String("../x") }, "ValidationException", "Value '../x' at 's3Bucket' failed to satisfy constraint"},
		"Ion":             {func(in *input) { in.ExportFormat = types.ExportFormatIon }, "ValidationException", "ExportFormat ION is not available"},
		"too early":       {func(in *input) { in.ExportTime = aws.Time(start.Add(-time.Minute)) }, "InvalidExportTimeException", "outside"},
		"in the future":   {func(in *input) { in.ExportTime = aws.Time(now.Add(time.Minute)) }, "InvalidExportTimeException", "outside"},
		"short window":    {window(now.Add(-14*time.Minute), now), "ValidationException", "less than fifteen minutes"},
		"long window":     {window(now.Add(-25*time.Hour), now), "ValidationException", "greater than twenty-four hours"},
		"no window":       {func(in *input) { in.ExportType = types.ExportTypeIncrementalExport }, "ValidationException", "ExportFromTime must be specified"},
		"window for full": {func(in *input) { window(start, now)(in); in.ExportType = types.ExportTypeFullExport }, "ValidationException", "IncrementalExportSpecification"},
		"filter":          {func(in *input) { in.FilterSpecification = &types.FilterSpecification{} }, "ValidationException", "FilterSpecification is not available"},
	} {
		t.Run(name, func(t *testing.T) { refuses(t, export(c, tc.edit), tc.code, tc.text) })
	}
	token := func(prefix string) func(*input) {
		return func(in *input) { in.ClientToken, in.S3Prefix = aws.String("token"), aws.String(prefix) }
	}
	require.NoError(t, export(c, token("a")))
	require.NoError(t, export(c, token("a")))
	refuses(t, export(c, token("b")), "ExportConflictException", "client token")
	list, err := c.ListExports(t.Context(), &dynamodb.ListExportsInput{TableArn: aws.String(appArn)})
	require.NoError(t, err)
	require.Len(t, list.ExportSummaries, 1, "the same request again is the same export")

	// A prefix can't leave the directory.
	require.NoError(t, export(c, func(in *input) { in.S3Prefix = aws.String("../../x") }))
	require.NoDirExists(t, filepath.Join(filepath.Dir(dir), "x"))

	_, err = c.DescribeExport(t.Context(), &dynamodb.DescribeExportInput{ExportArn: aws.String(appArn + "/export/01800000000000-00000000")})
	refuses(t, err, "ExportNotFoundException", "Export not found")
	_, err = c.DescribeImport(t.Context(), &dynamodb.DescribeImportInput{ImportArn: aws.String(appArn + "/import/01800000000000-00000000")})
	refuses(t, err, "ImportNotFoundException", "Import not found")
	none := frozen(t, local.Config{}).Client()
	refuses(t, export(none, func(*input) {}), "ValidationException", "none is configured")
}
