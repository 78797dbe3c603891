package local_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/dynamodbstreams"
	streamtypes "github.com/aws/aws-sdk-go-v2/service/dynamodbstreams/types"
	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"github.com/dynorm/dynorm/local"
)

var kills = flag.Int("kills", 10, "how many processes TestKill kills")

// killDir names the directory to write to in the environment of the processes
// that TestKill starts.
const killDir = "DYNORM_TEST_KILL_DIR"

const killWorkers = 6

// TestKill kills a process that writes through the client, and looks for what
// is there afterwards: every change that was answered, and of each worker's
// last one, if it was not answered, all or nothing.
func TestKill(t *testing.T) {
	program, err := os.Executable()
	require.NoError(t, err)
	random := rand.New(rand.NewPCG(uint64(time.Now().UnixNano()), 1))
	var dir string
	var model map[string]string
	answered, early := 0, 0
	for kill := range *kills {
		if kill%25 == 0 { // Also the first steps of a file are to be cut off.
			dir, model = t.TempDir(), make(map[string]string)
		}
		lines := runAndKill(t, program, dir, kill, random)
		if len(lines) == 0 {
			early++
		}
		pending := make(map[string]map[string]string)
		for _, l := range lines {
			require.Empty(t, l.Fault, "kill %d", kill)
			if l.Effect != nil {
				pending[l.Worker] = l.Effect
				continue
			}
			answered++
			merge(model, pending[l.Worker])
			delete(pending, l.Worker)
		}

		e, err := local.Open(t.Context(), local.Config{Path: dir})
		require.NoError(t, err, "kill %d", kill)
		found, err := dumped(e)
		require.NoError(t, err, "kill %d", kill)
		require.NoError(t, e.Close())
		for worker := range killWorkers {
			name := fmt.Sprint("w", worker)
			want, got := part(model, name), part(found, name)
			if maps.Equal(want, got) {
				continue
			}
			with := maps.Clone(want)
			merge(with, pending[name])
			require.Empty(t, cmp.Diff(with, got), "kill %d, worker %s: neither as it was answered, which is %v, nor with the whole of the change that was on its way", kill, name, want)
		}
		model = found
	}
	t.Logf("%d kills, of which %d before anything was asked; %d changes answered and found", *kills, early, answered)
	require.Positive(t, answered)
}

// killLine is what the process says: first the effect that a change is to
// have, and when it was answered a line without one.
type killLine struct {
	Worker string
	Effect map[string]string // new values, "" for none
	Fault  string
}

func merge(model, effect map[string]string) {
	for key, v := range effect {
		if v == "" {
			delete(model, key)
		} else {
			model[key] = v
		}
	}
}

// part returns what belongs to the worker.
func part(model map[string]string, worker string) map[string]string {
	out := make(map[string]string)
	for key, v := range model {
		if strings.HasPrefix(key, worker+"/") {
			out[key] = v
		}
	}
	return out
}

// runAndKill runs a process and returns what it said. It is killed a little
// after it said a number of lines, or one in eight at any time from its start.
func runAndKill(t *testing.T, program, dir string, kill int, random *rand.Rand) (lines []killLine) {
	t.Helper()
	cmd := exec.Command(program, "-test.run=^$")
	cmd.Env = append(os.Environ(), killDir+"="+dir, "DYNORM_TEST_KILL="+strconv.Itoa(kill))
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	end := time.NewTimer(time.Hour)
	defer end.Stop()
	done := make(chan struct{})
	go func() {
		defer close(done)
		<-end.C
		_ = cmd.Process.Kill()
	}()
	said, wait := 1+random.IntN(150), time.Duration(random.IntN(int(10*time.Millisecond)))
	if kill%8 == 7 {
		said = -1
		end.Reset(time.Duration(random.IntN(int(100 * time.Millisecond))))
	}
	r := bufio.NewReader(out)
	for {
		text, err := r.ReadBytes('\n')
		if err != nil {
			require.ErrorIs(t, err, io.EOF)
			break // A line that was cut off was not said.
		}
		var l killLine
		require.NoError(t, json.Unmarshal(text, &l), string(text))
		if lines = append(lines, l); len(lines) == said || l.Fault != "" {
			end.Reset(wait)
		}
	}
	end.Reset(0) // if it ended by itself
	<-done
	require.Error(t, cmd.Wait(), "killed")
	require.Empty(t, stderr.String())
	return lines
}

// killed is the process that is to be killed.
func killed(dir string) {
	var mu sync.Mutex
	say := func(l killLine) {
		text, err := json.Marshal(l)
		if err != nil {
			panic(err)
		}
		mu.Lock()
		defer mu.Unlock()
		if _, err := os.Stdout.Write(append(text, '\n')); err != nil {
			os.Exit(1)
		}
	}
	check := func(err error) {
		if err != nil {
			say(killLine{Fault: err.Error()})
			os.Exit(1)
		}
	}
	ctx := context.Background()
	e, err := local.Open(ctx, local.Config{Path: dir})
	check(err)
	c := e.Client()
	if _, err := c.DescribeTable(ctx, &dynamodb.DescribeTableInput{TableName: aws.String("app")}); err != nil {
		check(createKillTable(ctx, c, "app"))
	}
	kill, err := strconv.Atoi(os.Getenv("DYNORM_TEST_KILL"))
	check(err)
	state, err := dumped(e)
	check(err)
	var wg sync.WaitGroup
	for worker := range killWorkers {
		w := &killWorker{
			client: c, name: fmt.Sprint("w", worker), random: rand.New(rand.NewPCG(uint64(kill), uint64(worker))),
			number: kill * 1_000_000,
		}
		w.state = part(state, w.name)
		wg.Go(func() {
			for {
				effect, do := w.next(ctx)
				say(killLine{Worker: w.name, Effect: effect})
				check(do())
				say(killLine{Worker: w.name})
				merge(w.state, effect)
			}
		})
	}
	wg.Wait()
}

func createKillTable(ctx context.Context, c *dynamodb.Client, name string) error {
	_, err := c.CreateTable(ctx, &dynamodb.CreateTableInput{
		TableName: &name, BillingMode: types.BillingModePayPerRequest,
		AttributeDefinitions: []types.AttributeDefinition{
			{AttributeName: aws.String("pk"), AttributeType: "S"},
			{AttributeName: aws.String("sk"), AttributeType: "S"},
			{AttributeName: aws.String("v"), AttributeType: "N"},
			{AttributeName: aws.String("city"), AttributeType: "S"},
		},
		KeySchema: []types.KeySchemaElement{{AttributeName: aws.String("pk"), KeyType: "HASH"}, {AttributeName: aws.String("sk"), KeyType: "RANGE"}},
		LocalSecondaryIndexes: []types.LocalSecondaryIndex{{
			IndexName: aws.String("by-v"), KeySchema: []types.KeySchemaElement{{AttributeName: aws.String("pk"), KeyType: "HASH"}, {AttributeName: aws.String("v"), KeyType: "RANGE"}},
			Projection: &types.Projection{ProjectionType: types.ProjectionTypeKeysOnly},
		}},
		GlobalSecondaryIndexes: []types.GlobalSecondaryIndex{{
			IndexName: aws.String("by-city"), KeySchema: []types.KeySchemaElement{{AttributeName: aws.String("city"), KeyType: "HASH"}},
			Projection: &types.Projection{ProjectionType: types.ProjectionTypeAll},
		}},
	})
	return err
}

// killWorker makes changes of items that are its own in the table app, and of
// a table of its own. The model's keys are w1/app/k3 for an item, w1/own/k3
// for one in that table, w1/own for the table, w1/own#tag and the like for
// what is set on it, and w1/backup/7 for a backup.
type killWorker struct {
	client *dynamodb.Client
	name   string
	random *rand.Rand
	number int
	state  map[string]string
}

func (w *killWorker) table(place string) *string {
	if place == "own" {
		return aws.String("own-" + w.name)
	}
	return aws.String("app")
}

func (w *killWorker) sortKey() string { return fmt.Sprint("k", w.random.IntN(20)) }

func (w *killWorker) key(sk string) map[string]types.AttributeValue { return item(w.name, sk) }

// item returns the next item for sk, of which one in seven is in no global
// index.
func (w *killWorker) item(sk string) map[string]types.AttributeValue {
	it := item(w.name, sk, "filler", strings.Repeat("x", 1+w.number*37%500))
	it["v"] = &types.AttributeValueMemberN{Value: strconv.Itoa(w.number)}
	if w.number%7 > 0 {
		it["city"] = str(fmt.Sprint("city", w.number%7))
	}
	return it
}

func (w *killWorker) put(ctx context.Context, at, sk string) error {
	_, err := w.client.PutItem(ctx, &dynamodb.PutItemInput{TableName: w.table(at), Item: w.item(sk)})
	return err
}

// next returns the next change, and the effect it is to have.
func (w *killWorker) next(ctx context.Context) (effect map[string]string, do func() error) {
	w.number++
	value := strconv.Itoa(w.number)
	effect = make(map[string]string)
	owns := w.state[w.name+"/own"] != ""
	place := func() string {
		if owns && w.random.IntN(3) == 0 {
			return "own"
		}
		return "app"
	}
	at, sk := place(), w.sortKey()
	id := w.name + "/" + at + "/" + sk
	switch n := w.random.IntN(100); {
	case n < 30:
		effect[id] = value
		return effect, func() error { return w.put(ctx, at, sk) }
	case n < 45:
		effect[id] = value
		return effect, func() error {
			_, err := w.client.UpdateItem(ctx, &dynamodb.UpdateItemInput{
				TableName: w.table(at), Key: w.key(sk), UpdateExpression: aws.String("SET v = :v, city = :c REMOVE filler"),
				ExpressionAttributeValues: map[string]types.AttributeValue{":v": &types.AttributeValueMemberN{Value: value}, ":c": str("city" + value)},
			})
			return err
		}
	case n < 60:
		effect[id] = ""
		return effect, func() error {
			_, err := w.client.DeleteItem(ctx, &dynamodb.DeleteItemInput{TableName: w.table(at), Key: w.key(sk)})
			return err
		}
	case n < 70:
		in := &dynamodb.BatchWriteItemInput{RequestItems: make(map[string][]types.WriteRequest)}
		for range 5 {
			at, sk := place(), w.sortKey()
			if _, there := effect[w.name+"/"+at+"/"+sk]; there {
				continue
			}
			effect[w.name+"/"+at+"/"+sk] = value
			name := *w.table(at)
			in.RequestItems[name] = append(in.RequestItems[name], types.WriteRequest{PutRequest: &types.PutRequest{Item: w.item(sk)}})
		}
		return effect, func() error {
			_, err := w.client.BatchWriteItem(ctx, in)
			return err
		}
	case n < 80:
		in := &dynamodb.TransactWriteItemsInput{ClientRequestToken: aws.String(w.name + "-" + value)}
		used := item(w.name, "token", "token", *in.ClientRequestToken, "at", time.Now().Format(time.RFC3339Nano))
		used["v"] = &types.AttributeValueMemberN{Value: value}
		effect[w.name+"/app/token"] = value
		in.TransactItems = append(in.TransactItems, types.TransactWriteItem{Put: &types.Put{TableName: w.table("app"), Item: used}})
		for range 2 + w.random.IntN(10) {
			at, sk := place(), w.sortKey()
			if _, there := effect[w.name+"/"+at+"/"+sk]; there {
				continue
			}
			if w.random.IntN(3) == 0 {
				effect[w.name+"/"+at+"/"+sk] = ""
				in.TransactItems = append(in.TransactItems, types.TransactWriteItem{Delete: &types.Delete{TableName: w.table(at), Key: w.key(sk)}})
				continue
			}
			effect[w.name+"/"+at+"/"+sk] = value
			in.TransactItems = append(in.TransactItems, types.TransactWriteItem{Put: &types.Put{TableName: w.table(at), Item: w.item(sk)}})
		}
		return effect, func() error {
			_, err := w.client.TransactWriteItems(ctx, in)
			return err
		}
	}
	return w.nextOfTable(ctx, value, owns)
}

// nextOfTable returns a change of the worker's own table.
func (w *killWorker) nextOfTable(ctx context.Context, value string, owns bool) (effect map[string]string, do func() error) {
	own, table := w.name+"/own", w.table("own")
	if !owns {
		return map[string]string{own: "there"}, func() error { return createKillTable(ctx, w.client, *table) }
	}
	replicated := w.state[own+"#replica"] != ""
	n := w.random.IntN(10)
	if n == 0 && replicated {
		n = 8 // A table whose replica would stay can't be created with one again.
	}
	switch n {
	case 0:
		effect = make(map[string]string)
		for key := range w.state {
			if strings.HasPrefix(key, own) {
				effect[key] = ""
			}
		}
		return effect, func() error {
			_, err := w.client.DeleteTable(ctx, &dynamodb.DeleteTableInput{TableName: table})
			return err
		}
	case 1:
		return map[string]string{own + "#tag": value}, func() error {
			_, err := w.client.TagResource(ctx, &dynamodb.TagResourceInput{ResourceArn: w.arn(), Tags: []types.Tag{{Key: aws.String("tag"), Value: &value}}})
			return err
		}
	case 2:
		on, set := w.state[own+"#ttl"] == "", ""
		if on {
			set = "dies"
		}
		return map[string]string{own + "#ttl": set}, func() error {
			_, err := w.client.UpdateTimeToLive(ctx, &dynamodb.UpdateTimeToLiveInput{
				TableName: table, TimeToLiveSpecification: &types.TimeToLiveSpecification{AttributeName: aws.String("dies"), Enabled: &on},
			})
			return err
		}
	case 3, 4:
		return w.nextOfBackups(ctx, value)
	case 5:
		on, set := w.state[own+"#past"] == "", ""
		if on {
			set = pastOf(part(w.state, own))
		}
		return map[string]string{own + "#past": set}, func() error {
			_, err := w.client.UpdateContinuousBackups(ctx, &dynamodb.UpdateContinuousBackupsInput{
				TableName: table, PointInTimeRecoverySpecification: &types.PointInTimeRecoverySpecification{PointInTimeRecoveryEnabled: &on},
			})
			return err
		}
	case 6:
		return map[string]string{own + "#policy": `{"Version":"` + value + `"}`}, func() error {
			_, err := w.client.PutResourcePolicy(ctx, &dynamodb.PutResourcePolicyInput{ResourceArn: w.arn(), Policy: aws.String(`{"Version":"` + value + `"}`)})
			return err
		}
	case 7:
		if replicated { // which needs the stream
			n = 8
			break
		}
		on, set, view := w.state[own+"#stream"] == "", "", types.StreamViewType("")
		if on {
			set, view = "on", types.StreamViewTypeNewAndOldImages
		}
		return map[string]string{own + "#stream": set}, func() error {
			_, err := w.client.UpdateTable(ctx, &dynamodb.UpdateTableInput{TableName: table, StreamSpecification: &types.StreamSpecification{StreamEnabled: &on, StreamViewType: view}})
			return err
		}
	}
	if n == 8 {
		effect, change := map[string]string{own + "#replica": ""}, dropReplica(killRegion)
		if !replicated {
			effect, change = map[string]string{own + "#replica": killRegion, own + "#stream": "on"}, addReplica(killRegion)
		}
		return effect, func() error {
			_, err := w.client.UpdateTable(ctx, &dynamodb.UpdateTableInput{TableName: table, ReplicaUpdates: []types.ReplicationGroupUpdate{change}})
			return err
		}
	}
	var update types.GlobalSecondaryIndexUpdate
	in := &dynamodb.UpdateTableInput{TableName: table}
	if effect = map[string]string{own + "#index": ""}; w.state[own+"#index"] == "" {
		effect[own+"#index"] = "by-filler"
		in.AttributeDefinitions = []types.AttributeDefinition{{AttributeName: aws.String("filler"), AttributeType: "S"}}
		update.Create = &types.CreateGlobalSecondaryIndexAction{
			IndexName: aws.String("by-filler"), KeySchema: []types.KeySchemaElement{{AttributeName: aws.String("filler"), KeyType: "HASH"}},
			Projection: &types.Projection{ProjectionType: types.ProjectionTypeKeysOnly},
		}
	} else {
		update.Delete = &types.DeleteGlobalSecondaryIndexAction{IndexName: aws.String("by-filler")}
	}
	in.GlobalSecondaryIndexUpdates = []types.GlobalSecondaryIndexUpdate{update}
	return effect, func() error {
		_, err := w.client.UpdateTable(ctx, in)
		return err
	}
}

// killRegion is where the tables of the workers have replicas.
const killRegion = "eu-west-1"

func (w *killWorker) arn() *string {
	return aws.String("arn:aws:dynamodb:us-east-1:000000000000:table/" + *w.table("own"))
}

// nextOfBackups takes a backup of the worker's own table, or deletes one.
func (w *killWorker) nextOfBackups(ctx context.Context, value string) (effect map[string]string, do func() error) {
	held := slices.Sorted(maps.Keys(part(w.state, w.name+"/backup")))
	if len(held) < 3 {
		items := len(part(w.state, w.name+"/own"))
		return map[string]string{w.name + "/backup/" + value: fmt.Sprint(items, " items")}, func() error {
			_, err := w.client.CreateBackup(ctx, &dynamodb.CreateBackupInput{TableName: w.table("own"), BackupName: aws.String("backup-" + value)})
			return err
		}
	}
	gone := held[w.random.IntN(len(held))]
	return map[string]string{gone: ""}, func() error {
		list, err := w.client.ListBackups(ctx, &dynamodb.ListBackupsInput{TableName: w.table("own"), BackupType: types.BackupTypeFilterUser})
		if err != nil {
			return err
		}
		for _, b := range list.BackupSummaries {
			if strings.TrimPrefix(*b.BackupName, "backup-") == gone[strings.LastIndex(gone, "/")+1:] {
				_, err = w.client.DeleteBackup(ctx, &dynamodb.DeleteBackupInput{BackupArn: b.BackupArn})
				return err
			}
		}
		return fmt.Errorf("backup %s is not there to be deleted", gone)
	}
}

// pastOf returns the items of a part of the model as one text, which is never
// empty.
func pastOf(items map[string]string) string {
	text := "past:"
	for _, key := range slices.Sorted(maps.Keys(items)) {
		text += " " + key[strings.LastIndex(key, "/")+1:] + "=" + items[key]
	}
	return text
}

// dumped returns the engine's state in the model's form, of which it checks
// that indexes and replicas hold what their table does, that streams end where
// the table is, and that tokens are known.
func dumped(e *local.Engine) (map[string]string, error) {
	ctx := context.Background()
	c := e.Client()
	names, err := c.ListTables(ctx, &dynamodb.ListTablesInput{})
	if err != nil {
		return nil, err
	}
	model := make(map[string]string)
	for _, name := range names.TableNames {
		if strings.HasPrefix(name, "past-") { // which another process looked at
			continue
		}
		table, err := c.DescribeTable(ctx, &dynamodb.DescribeTableInput{TableName: &name})
		if err != nil {
			return nil, err
		}
		place := "app"
		if worker, own := strings.CutPrefix(name, "own-"); own {
			place = "own"
			model[worker+"/own"] = "there"
			ttl, err := c.DescribeTimeToLive(ctx, &dynamodb.DescribeTimeToLiveInput{TableName: &name})
			if err != nil {
				return nil, err
			}
			if a := ttl.TimeToLiveDescription.AttributeName; a != nil {
				model[worker+"/own#ttl"] = *a
			}
			tags, err := c.ListTagsOfResource(ctx, &dynamodb.ListTagsOfResourceInput{ResourceArn: table.Table.TableArn})
			if err != nil {
				return nil, err
			}
			for _, tag := range tags.Tags {
				model[worker+"/own#tag"] = *tag.Value
			}
			if len(table.Table.GlobalSecondaryIndexes) > 1 {
				model[worker+"/own#index"] = "by-filler"
			}
			if err := dumpOwn(e, table.Table, worker, model); err != nil {
				return nil, err
			}
		}
		items, err := scanAll(c, name, nil)
		if err != nil {
			return nil, err
		}
		for _, it := range items {
			model[text(it["pk"])+"/"+place+"/"+text(it["sk"])] = it["v"].(*types.AttributeValueMemberN).Value
			if err := checkToken(c, it); err != nil {
				return nil, err
			}
		}
		if err := checkFollowers(e, table.Table, items); err != nil {
			return nil, err
		}
		indexes := map[string]string{"by-v": "v"}
		for _, x := range table.Table.GlobalSecondaryIndexes {
			indexes[*x.IndexName] = *x.KeySchema[0].AttributeName
		}
		for index, attribute := range indexes {
			held, err := scanAll(c, name, &index)
			if err != nil {
				return nil, err
			}
			if diff := cmp.Diff(entries(items, attribute), entries(held, attribute)); diff != "" {
				return nil, fmt.Errorf("index %s of table %s differs from the table: %s", index, name, diff)
			}
		}
	}
	backups, err := c.ListBackups(ctx, &dynamodb.ListBackupsInput{BackupType: types.BackupTypeFilterUser})
	if err != nil {
		return nil, err
	}
	for _, b := range backups.BackupSummaries {
		d, err := c.DescribeBackup(ctx, &dynamodb.DescribeBackupInput{BackupArn: b.BackupArn})
		if err != nil {
			return nil, err
		}
		key := strings.TrimPrefix(*b.TableName, "own-") + "/backup/" + strings.TrimPrefix(*b.BackupName, "backup-")
		model[key] = fmt.Sprint(*d.BackupDescription.SourceTableDetails.ItemCount, " items")
	}
	return model, nil
}

// dumpOwn adds what is set on a worker's own table.
func dumpOwn(e *local.Engine, table *types.TableDescription, worker string, model map[string]string) error {
	ctx, c := context.Background(), e.Client()
	own := worker + "/own"
	if p, err := c.GetResourcePolicy(ctx, &dynamodb.GetResourcePolicyInput{ResourceArn: table.TableArn}); err == nil {
		model[own+"#policy"] = *p.Policy
	}
	if table.StreamSpecification != nil {
		model[own+"#stream"] = "on"
	}
	for _, r := range table.Replicas {
		model[own+"#replica"] = *r.RegionName
	}
	recovery, err := c.DescribeContinuousBackups(ctx, &dynamodb.DescribeContinuousBackupsInput{TableName: table.TableName})
	if err != nil {
		return err
	}
	if recovery.ContinuousBackupsDescription.PointInTimeRecoveryDescription.PointInTimeRecoveryStatus != types.PointInTimeRecoveryStatusEnabled {
		return nil
	}
	// The latest time to restore to is when recovery was enabled: all changes
	// since are taken back.
	past := aws.String("past-" + worker)
	_, _ = c.DeleteTable(ctx, &dynamodb.DeleteTableInput{TableName: past}) // of a process that was killed here
	if _, err := c.RestoreTableToPointInTime(ctx, &dynamodb.RestoreTableToPointInTimeInput{
		SourceTableName: table.TableName, TargetTableName: past, UseLatestRestorableTime: aws.Bool(true),
	}); err != nil {
		return err
	}
	items, err := scanAll(c, *past, nil)
	if err != nil {
		return err
	}
	then := make(map[string]string)
	for _, it := range items {
		then[text(it["sk"])] = text(it["v"])
	}
	model[own+"#past"] = pastOf(then)
	_, err = c.DeleteTable(ctx, &dynamodb.DeleteTableInput{TableName: past})
	return err
}

// checkToken asks for another transaction with the token of the one that wrote
// the item: the engine is to know it.
func checkToken(c *dynamodb.Client, it map[string]types.AttributeValue) error {
	token := text(it["token"])
	if at, err := time.Parse(time.RFC3339Nano, text(it["at"])); err != nil || time.Since(at) > 9*time.Minute {
		return nil // no such item, or its token may be forgotten
	}
	_, err := c.TransactWriteItems(context.Background(), &dynamodb.TransactWriteItemsInput{
		ClientRequestToken: &token, TransactItems: []types.TransactWriteItem{{Delete: &types.Delete{TableName: aws.String("app"), Key: item("no one", "x")}}},
	})
	var known *types.IdempotentParameterMismatchException
	if !errors.As(err, &known) {
		return fmt.Errorf("the token %s is not known: %w", token, err)
	}
	return nil
}

// checkFollowers compares the items of a table with those of its replica, and
// with the last records of its stream.
func checkFollowers(e *local.Engine, table *types.TableDescription, items []map[string]types.AttributeValue) error {
	if len(table.Replicas) > 0 {
		there, err := e.ClientFor(killRegion)
		if err != nil {
			return err
		}
		held, err := scanAll(there, *table.TableName, nil)
		if err != nil {
			return err
		}
		if diff := cmp.Diff(entries(items, "v"), entries(held, "v")); diff != "" {
			return fmt.Errorf("table %s differs from its replica: %s", *table.TableName, diff)
		}
	}
	if table.StreamSpecification == nil {
		return nil
	}
	now := make(map[string]string)
	for _, it := range items {
		now[text(it["sk"])] = text(it["v"])
	}
	last, err := lastRecords(e.Streams(), table.LatestStreamArn)
	if err != nil {
		return err
	}
	for sk, v := range last {
		if now[sk] != v {
			return fmt.Errorf("item %s of table %s is at %q, and at %q by the stream", sk, *table.TableName, now[sk], v)
		}
	}
	return nil
}

// lastRecords returns, by sort key, what the stream says last of an item, ""
// for a deletion.
func lastRecords(c *dynamodbstreams.Client, arn *string) (map[string]string, error) {
	ctx := context.Background()
	d, err := c.DescribeStream(ctx, &dynamodbstreams.DescribeStreamInput{StreamArn: arn})
	if err != nil {
		return nil, err
	}
	last := make(map[string]string)
	for _, h := range d.StreamDescription.Shards {
		from, err := c.GetShardIterator(ctx, &dynamodbstreams.GetShardIteratorInput{StreamArn: arn, ShardId: h.ShardId, ShardIteratorType: streamtypes.ShardIteratorTypeTrimHorizon})
		if err != nil {
			return nil, err
		}
		for at := from.ShardIterator; at != nil; {
			page, err := c.GetRecords(ctx, &dynamodbstreams.GetRecordsInput{ShardIterator: at})
			if err != nil {
				return nil, err
			}
			for _, r := range page.Records {
				v := ""
				if n, ok := r.Dynamodb.NewImage["v"].(*streamtypes.AttributeValueMemberN); ok {
					v = n.Value
				}
				last[r.Dynamodb.Keys["sk"].(*streamtypes.AttributeValueMemberS).Value] = v
			}
			at = page.NextShardIterator
			if len(page.Records) == 0 {
				break
			}
		}
	}
	return last, nil
}

func scanAll(c *dynamodb.Client, table string, index *string) (items []map[string]types.AttributeValue, err error) {
	pages := dynamodb.NewScanPaginator(c, &dynamodb.ScanInput{TableName: &table, IndexName: index})
	for pages.HasMorePages() {
		page, err := pages.NextPage(context.Background())
		if err != nil {
			return nil, err
		}
		items = append(items, page.Items...)
	}
	return items, nil
}

// text returns an S or N as text, and "" for none.
func text(v types.AttributeValue) string {
	switch v := v.(type) {
	case *types.AttributeValueMemberS:
		return v.Value
	case *types.AttributeValueMemberN:
		return v.Value
	}
	return ""
}

// entries returns the keys and the named attribute of the items that have it.
func entries(items []map[string]types.AttributeValue, attribute string) (out []string) {
	for _, it := range items {
		if it[attribute] != nil {
			out = append(out, text(it["pk"])+"/"+text(it["sk"])+"="+text(it[attribute]))
		}
	}
	slices.Sort(out)
	return out
}
