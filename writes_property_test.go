package dynorm_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/dynorm/dynorm"
	"github.com/dynorm/dynorm/internal/testdb"
)

// expected reports whether an error is one that a random write may meet.
func expected(err error) bool {
	if err == nil || errors.Is(err, errNothing) {
		return true
	}
	if strings.HasPrefix(err.Error(), "unexpected") {
		return false
	}
	for _, want := range []error{dynorm.ErrExists, dynorm.ErrNotFound, dynorm.ErrUnique, dynorm.ErrStaleVersion} {
		if errors.Is(err, want) {
			return true
		}
	}
	if errors.Is(err, dynorm.ErrInvalid) {
		for _, text := range expectedFaults {
			if strings.Contains(err.Error(), text) {
				return true
			}
		}
	}
	return errors.Is(err, dynorm.ErrConditionFailed)
}

// expectedFaults are the refusals of what is drawn that contradicts itself or
// the item.
var expectedFaults = []string{
	"overlaps", "the path leads through something", "has no soft deletes", "keeps no time of the last change", "the base key is the same", "on the same item",
	"the item has no", "The provided expression refers to an attribute that does not exist in the item",
	"The document path provided in the update expression is invalid for update",
}

// scanAll reads a table raw.
func scanAll(t require.TestingT, client *dynamodb.Client, table string) []dynorm.Item {
	var items []dynorm.Item
	pages := dynamodb.NewScanPaginator(client, &dynamodb.ScanInput{TableName: &table, ConsistentRead: aws.Bool(true)})
	for pages.HasMorePages() {
		page, err := pages.NextPage(context.Background())
		require.NoError(t, err)
		items = append(items, page.Items...)
	}
	return items
}

func textValue(s string) types.AttributeValue { return &types.AttributeValueMemberS{Value: s} }

func textOf(av types.AttributeValue) string {
	s, _ := av.(*types.AttributeValueMemberS)
	if s == nil {
		return ""
	}
	return s.Value
}

// without leaves the items of an entity out.
func without(items []dynorm.Item, entity string) []dynorm.Item {
	return slices.DeleteFunc(items, func(item dynorm.Item) bool { return textOf(item["_et"]) == entity })
}

// checkTable compares every item's index attributes, every claim and the index
// over attributes as they are with what the items' fields say. Items of the
// entities named are left aside.
func checkTable(t require.TestingT, client *dynamodb.Client, db *dynorm.DB, aside ...string) {
	items := scanAll(t, client, db.Table())
	for _, entity := range aside {
		items = without(items, entity)
	}
	checkItems(t, db, items)
	for _, ix := range db.Schema().TableDefinition().GlobalSecondaryIndexes {
		if !strings.HasPrefix(*ix.IndexName, "native") {
			continue
		}
		want, got := map[string]bool{}, map[string]bool{}
		for _, item := range items {
			if _, graded := item["grade"].(*types.AttributeValueMemberN); graded && textOf(item["zone"]) != "" {
				want[keyText(item)] = true
			}
		}
		pages := dynamodb.NewScanPaginator(client, &dynamodb.ScanInput{TableName: aws.String(db.Table()), IndexName: ix.IndexName})
		for pages.HasMorePages() {
			page, err := pages.NextPage(context.Background())
			require.NoError(t, err)
			for _, item := range page.Items {
				got[keyText(item)] = true
			}
		}
		require.Equal(t, want, got, *ix.IndexName)
	}
}

func keyText(item dynorm.Item) string { return textOf(item["pk"]) + " " + textOf(item["sk"]) }

func checkItems(t require.TestingT, db *dynorm.DB, items []dynorm.Item) {
	wantClaims, gotClaims := map[string]string{}, map[string]string{}
	for _, item := range items {
		var v written
		var err error
		keeps, trash := false, 4
		switch entity, id := textOf(item["_et"]), textOf(item["id"]); entity {
		case "Ledger":
			v, err = writerOf[Ledger](db).stored(context.Background(), id)
		case "Folio":
			v, err = writerOf[Folio](db).stored(context.Background(), id)
		case "Deed":
			keeps = true
			v, err = writerOf[Deed](db).stored(context.Background(), id)
		case "Leaf":
			v, err = writerOf[Leaf](db).stored(context.Background(), id)
		case "_unique":
			gotClaims[textOf(item["pk"])] = textOf(item["ownerPk"]) + " " + textOf(item["ownerSk"])
			continue
		default:
			require.Fail(t, "an item of an unknown type", entity)
		}
		require.NoError(t, err)
		got := map[string]string{}
		for name, av := range item {
			if strings.HasPrefix(name, "gsi") || strings.HasPrefix(name, "lsi") {
				got[name] = textOf(av)
			}
		}
		want := v.entries()
		if item["deletedAt"] != nil {
			prefix := strings.ToUpper(textOf(item["_et"]))
			attrs(want).add(trash, true, "TRASH#"+prefix, prefix+"#"+escape(v.common().ID))
		}
		require.Equal(t, want, got, "the index entries of %s", keyText(item))
		if item["deletedAt"] != nil && !keeps {
			continue
		}
		for _, key := range v.claims() {
			require.NotContains(t, wantClaims, key, "two items have one unique value")
			wantClaims[key] = keyText(item)
		}
	}
	require.Equal(t, wantClaims, gotClaims, "the claims are those of the items' values")
}

// tally counts what became of the writes of each path.
type tally map[string]*struct{ done, refused int }

func (c tally) note(path string, err error) {
	if c[path] == nil {
		c[path] = new(struct{ done, refused int })
	}
	if err == nil {
		c[path].done++
	} else {
		c[path].refused++
	}
}

// After any random sequence of writes through any path, the index attributes and
// claims of every item are those that its fields say.
func TestWritesKeepEntriesAndClaims(t *testing.T) {
	schema, err := dynorm.NewSchema(Ledger{}, Folio{}, Deed{}, Leaf{})
	require.NoError(t, err)
	client := testdb.Open(t)
	counts, outer := tally{}, t
	singles, inTx := singlePaths(), txPaths()
	rapid.Check(t, func(t *rapid.T) {
		db, err := dynorm.Open(client, schema, dynorm.Config{Table: testdb.Table(outer)})
		require.NoError(t, err)
		ctx := context.Background()
		require.NoError(t, db.CreateTable(ctx))
		drawers, ids := drawersOf(db), []string{"1", "2#", "3"}
		for _, w := range drawers {
			for range 2 {
				require.True(t, expected(w.draw(t, ids, []string{"Model.Create"}).send(ctx)))
			}
		}
		for range rapid.IntRange(5, 25).Draw(t, "writes") {
			w := drawers[rapid.IntRange(0, len(drawers)-1).Draw(t, "entity")]
			if rapid.IntRange(0, 2).Draw(t, "tx") > 0 {
				write := w.draw(t, ids, singles)
				err := write.send(ctx)
				require.True(t, expected(err), "%s: %v", write.path, err)
				counts.note(write.path, err)
				continue
			}
			var writes []drawnWrite
			for range rapid.IntRange(1, 3).Draw(t, "size") {
				w := drawers[rapid.IntRange(0, len(drawers)-1).Draw(t, "entity of action")]
				writes = append(writes, w.drawInTx(t, ids, inTx))
			}
			fn := func(tx *dynorm.Tx) error {
				for _, w := range writes {
					if err := w.add(ctx, tx); err != nil {
						return err
					}
				}
				return nil
			}
			call, path := db.Transact, "DB.Transact"
			if rapid.Bool().Draw(t, "chunked") {
				call, path = db.Chunked, "DB.Chunked"
			}
			err := call(ctx, fn)
			require.True(t, expected(err), "%s: %v", path, err)
			counts.note(path, err)
			for _, w := range writes {
				counts.note(w.path, err)
			}
		}
		checkTable(t, client, db)
	})
	var total struct{ done, refused int }
	for _, path := range slices.Concat(singles, inTx, []string{"DB.Transact", "DB.Chunked"}) {
		c := counts[path]
		require.NotNil(t, c, "%s was never drawn", path)
		total.done, total.refused = total.done+c.done, total.refused+c.refused
		t.Logf("%-24s %5d done %5d refused", path, c.done, c.refused)
	}
	t.Logf("%-24s %5d done %5d refused", "all", total.done, total.refused)
}
