package dynorm_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/dynorm/dynorm"
	"github.com/dynorm/dynorm/parser"
)

// The entities of the matrix: one with everything, one in the partition of its
// folder, and one without a Go type.

type PortNote struct {
	_ dynorm.Entity `dynorm:"Note,timestamps,softdelete,list"`
	_ dynorm.Index  `dynorm:"byTopic" pk:"TOPIC#{Topic}" sk:"{Rank}#{ID}"`

	ID      string
	Slug    string `dynorm:",unique"`
	Topic   string
	Rank    int
	Secret  string `dynorm:",encrypt"`
	Version int64  `dynorm:"_v,version"`
}

type PortMemo struct {
	_ dynorm.Entity `dynorm:"Memo,timestamps"`
	_ dynorm.Key    `pk:"FOLDER#{Folder}" sk:"MEMO#{ID}"`
	_ dynorm.Index  `dynorm:"byTitle,lsi" sk:"{Title}#{ID}"`

	Folder string
	ID     string
	Title  string
	Count  int
	Secret string `dynorm:",encrypt"`
}

func portCard() parser.Entity {
	return parser.Entity{
		Name: "Card",
		Fields: []parser.Field{
			{Name: "id", Attr: "id", Primary: true, Type: parser.Type{Kind: parser.String}},
			{Name: "state", Attr: "state", Type: parser.Type{Kind: parser.String}},
			{Name: "secret", Attr: "secret", Encrypt: true, Type: parser.Type{Kind: parser.String}},
			{Name: "count", Attr: "count", Type: parser.Type{Kind: parser.Int, Bits: 64}},
		},
		SoftDelete: true, Timestamps: true,
		Indexes: []parser.Index{{Name: "byState", PK: "STATE#{state}", SK: "{id}"}},
	}
}

// mark begins every value that must not show in the clear.
const mark = "sEcReT"

func secretOf(id string) string { return mark + "-" + id }

// portSet is a DB with the items of the matrix: notes n1 to n3 of one topic,
// memos m1 to m3 of one folder and cards c1 to c3 of one state.
type portSet struct {
	db    *dynorm.DB
	notes dynorm.Model[PortNote]
	memos dynorm.Model[PortMemo]
	cards dynorm.EntityModel
}

func newPortSet(db *dynorm.DB) *portSet {
	return &portSet{db: db, notes: dynorm.ModelOf[PortNote](db), memos: dynorm.ModelOf[PortMemo](db), cards: db.Entity("Card")}
}

func portNote(n int) *PortNote {
	id := fmt.Sprintf("n%d", n)
	return &PortNote{ID: id, Slug: "slug-" + id, Topic: "go", Rank: n, Secret: secretOf(id)}
}

func portMemo(n int) *PortMemo {
	id := fmt.Sprintf("m%d", n)
	return &PortMemo{Folder: "f", ID: id, Title: "title " + id, Count: n, Secret: secretOf(id)}
}

func portRecord(n int) dynorm.Record {
	id := fmt.Sprintf("c%d", n)
	return dynorm.Record{"id": id, "state": "open", "secret": secretOf(id)}
}

func (p *portSet) seed(ctx context.Context, t testing.TB) {
	t.Helper()
	for n := 1; n <= 3; n++ {
		require.NoError(t, p.notes.Create(ctx, portNote(n)))
		require.NoError(t, p.memos.Create(ctx, portMemo(n)))
		require.NoError(t, p.cards.Create(ctx, portRecord(n)))
	}
}

func (p *portSet) topic() dynorm.Query[PortNote] {
	return p.notes.Where(dynorm.Eq("topic", "go")).OrderBy("rank")
}

func (p *portSet) folder() dynorm.Query[PortMemo] { return p.memos.Where(dynorm.Eq("folder", "f")) }

func (p *portSet) open() dynorm.Query[dynorm.Record] {
	return p.cards.Where(dynorm.Eq("state", "open"))
}

// portPath is one way through the library. Calls are the exported methods that
// it takes, writes the fields that it writes by the names that a validator is
// told, in no order.
type portPath struct {
	name   string
	calls  []string
	writes []string
	run    func(ctx context.Context, p *portSet) error
}

func on(calls ...string) []string   { return calls }
func ops(writes ...string) []string { return writes }

// is makes an error of a value that is not what was expected.
func is[V comparable](want V) func(V, error) error {
	return func(got V, err error) error {
		if err == nil && got != want {
			err = fmt.Errorf("got %v, want %v", got, want)
		}
		return err
	}
}

func noteIs(id string) func(*PortNote, error) error {
	return func(v *PortNote, err error) error {
		if err == nil && (v.ID != id || v.Secret != secretOf(id)) {
			err = fmt.Errorf("got %+v, want %s", v, id)
		}
		return err
	}
}

func memoIs(id string) func(*PortMemo, error) error {
	return func(v *PortMemo, err error) error {
		if err == nil && (v.ID != id || v.Secret != secretOf(id)) {
			err = fmt.Errorf("got %+v, want %s", v, id)
		}
		return err
	}
}

func cardIs(id string) func(dynorm.Record, error) error {
	return func(r dynorm.Record, err error) error {
		if err == nil && (r["id"] != id || r["secret"] != secretOf(id)) {
			err = fmt.Errorf("got %v, want %s", r, id)
		}
		return err
	}
}

func notesAre(ids ...string) func([]*PortNote, error) error {
	return func(list []*PortNote, err error) error {
		if err != nil {
			return err
		}
		var got []string
		for _, v := range list {
			err = errors.Join(err, noteIs(v.ID)(v, nil))
			got = append(got, v.ID)
		}
		if err == nil && !slices.Equal(got, ids) {
			err = fmt.Errorf("got %v, want %v", got, ids)
		}
		return err
	}
}

func memosAre(ids ...string) func([]*PortMemo, error) error {
	return func(list []*PortMemo, err error) error {
		var got []string
		for _, v := range list {
			err = errors.Join(err, memoIs(v.ID)(v, nil))
			got = append(got, v.ID)
		}
		slices.Sort(got)
		if err == nil && !slices.Equal(got, ids) {
			err = fmt.Errorf("got %v, want %v", got, ids)
		}
		return err
	}
}

func bulkIs[T any](changed int) func(*dynorm.Bulk[T], error) error {
	return func(b *dynorm.Bulk[T], err error) error {
		if err == nil && b.Changed != changed {
			err = fmt.Errorf("changed %d items, want %d", b.Changed, changed)
		}
		return err
	}
}

var (
	secretColumn = dynorm.Col(func(v *PortMemo) *string { return &v.Secret })
	countColumn  = dynorm.Col(func(v *PortMemo) *int { return &v.Count })
)

// portPaths are all ways to read and write. Loads of relations will be further
// ones: With of a query, Load of a model and of a collection.
var portPaths = []portPath{
	// Reads by key.
	{"Find", on("Model.Find"), nil, func(ctx context.Context, p *portSet) error { return noteIs("n1")(p.notes.Find(ctx, "n1")) }},
	{"Find again", on("Model.Find"), nil, func(ctx context.Context, p *portSet) error {
		return errors.Join(noteIs("n1")(p.notes.Find(ctx, "n1")), noteIs("n1")(p.notes.Find(ctx, "n1")))
	}},
	{"Get", on("Model.Get"), nil, func(ctx context.Context, p *portSet) error {
		return memoIs("m1")(p.memos.Get(ctx, PortMemo{Folder: "f", ID: "m1"}))
	}},
	{"FindMany", on("Model.FindMany"), nil, func(ctx context.Context, p *portSet) error {
		return notesAre("n3", "n1", "n2")(p.notes.FindMany(ctx, "n3", "n1", "n2"))
	}},
	{"FindMany of several entities", on("DB.FindMany"), nil, func(ctx context.Context, p *portSet) error {
		n, m, none := &PortNote{ID: "n1"}, &PortMemo{Folder: "f", ID: "m2"}, &PortNote{ID: "none"}
		missing, err := p.db.FindMany(ctx, n, m, none)
		if err == nil && len(missing) != 1 {
			err = fmt.Errorf("missing %v", missing)
		}
		return errors.Join(err, noteIs("n1")(n, err), memoIs("m2")(m, err))
	}},
	{"TransactGet", on("Model.TransactGet"), nil, func(ctx context.Context, p *portSet) error {
		return notesAre("n2", "n1")(p.notes.TransactGet(ctx, "n2", "n1"))
	}},
	{"TransactGet of several entities", on("DB.TransactGet"), nil, func(ctx context.Context, p *portSet) error {
		n, m, none := &PortNote{ID: "n1"}, &PortMemo{Folder: "f", ID: "m2"}, &PortNote{ID: "none"}
		missing, err := p.db.TransactGet(ctx, n, m, none)
		if err == nil && len(missing) != 1 {
			err = fmt.Errorf("missing %v", missing)
		}
		return errors.Join(err, noteIs("n1")(n, err), memoIs("m2")(m, err))
	}},
	{"dynamic Find", on("EntityModel.Find"), nil, func(ctx context.Context, p *portSet) error { return cardIs("c1")(p.cards.Find(ctx, "c1")) }},
	{"dynamic FindMany", on("EntityModel.FindMany", "EntityModel.TransactGet"), nil, func(ctx context.Context, p *portSet) error {
		read := func(list []dynorm.Record, err error) error {
			if err != nil || len(list) != 2 {
				return errors.Join(err, fmt.Errorf("got %v", list))
			}
			return errors.Join(cardIs("c3")(list[0], nil), cardIs("c1")(list[1], nil))
		}
		return errors.Join(read(p.cards.FindMany(ctx, "c3", "c1")), read(p.cards.TransactGet(ctx, "c3", "c1")))
	}},
	{"Collection", on("CollectionQuery.Load"), nil, func(ctx context.Context, p *portSet) error {
		found, err := dynorm.Collection(p.db, "FOLDER", "f").Load(ctx)
		return memosAre("m1", "m2", "m3")(dynorm.Of[PortMemo](found), err)
	}},
	{"FindBy", on("Model.FindBy"), nil, func(ctx context.Context, p *portSet) error {
		return noteIs("n2")(p.notes.FindBy(ctx, "slug", "slug-n2"))
	}},
	{"FirstOrCreate finds", on("Model.FirstOrCreate"), nil, func(ctx context.Context, p *portSet) error {
		v, created, err := p.notes.FirstOrCreate(ctx, &PortNote{ID: "n1"})
		return errors.Join(noteIs("n1")(v, err), is(false)(created, nil))
	}},

	// Queries.
	{"List", on("Query.List"), nil, func(ctx context.Context, p *portSet) error { return notesAre("n1", "n2", "n3")(p.topic().List(ctx)) }},
	{"List of a partition", on("Query.List"), nil, func(ctx context.Context, p *portSet) error {
		return memosAre("m1", "m2", "m3")(p.folder().List(ctx))
	}},
	{"List of a local index", on("Query.List"), nil, func(ctx context.Context, p *portSet) error {
		return memosAre("m2", "m3")(p.folder().Where(dynorm.Gt("title", "title m1x")).OrderBy("title").List(ctx))
	}},
	{"List of shards", on("Query.List"), nil, func(ctx context.Context, p *portSet) error {
		list, err := p.notes.Query().List(ctx)
		slices.SortFunc(list, func(a, b *PortNote) int { return a.Rank - b.Rank })
		return notesAre("n1", "n2", "n3")(list, err)
	}},
	{"List of all in a range", on("Query.List"), nil, func(ctx context.Context, p *portSet) error {
		return errors.Join(notesAre("n2", "n3")(p.topic().Where(dynorm.Between("rank", 2, 3)).List(ctx)),
			notesAre("n1")(p.topic().Where(dynorm.Lt("rank", 2)).List(ctx)))
	}},
	{"List of a key", on("Query.List"), nil, func(ctx context.Context, p *portSet) error {
		return notesAre("n1")(p.notes.Where(dynorm.Eq("id", "n1")).List(ctx))
	}},
	{"List of keys", on("Query.List"), nil, func(ctx context.Context, p *portSet) error {
		return notesAre("n1", "n3")(p.notes.Where(dynorm.In("id", "n1", "n3")).OrderBy("id").List(ctx))
	}},
	{"List of a unique value", on("Query.List"), nil, func(ctx context.Context, p *portSet) error {
		return errors.Join(notesAre("n1")(p.notes.Where(dynorm.Eq("slug", "slug-n1")).List(ctx)),
			notesAre("n1")(p.notes.Where(dynorm.Eq("slug", "slug-n1"), dynorm.Eq("rank", 1)).List(ctx)),
			notesAre()(p.notes.Where(dynorm.Eq("slug", "slug-n1"), dynorm.Eq("rank", 2)).List(ctx)))
	}},
	{"List with Select", on("Query.List"), nil, func(ctx context.Context, p *portSet) error {
		return notesAre("n1", "n2", "n3")(p.topic().Select("secret").List(ctx))
	}},
	{"scan", on("Query.List"), nil, func(ctx context.Context, p *portSet) error {
		return errors.Join(memosAre("m1", "m2", "m3")(p.memos.Query().AllowScan().List(ctx)),
			memosAre("m2")(p.memos.Where(dynorm.Eq("title", "title m2")).AllowScan(dynorm.Scan{Segments: 3}).PageSize(1).List(ctx)))
	}},
	{"dynamic query", on("Query.List"), nil, func(ctx context.Context, p *portSet) error {
		list, err := p.open().List(ctx)
		if err == nil && len(list) != 3 {
			err = fmt.Errorf("got %v", list)
		}
		for _, r := range list {
			err = errors.Join(err, cardIs(fmt.Sprint((*r)["id"]))(*r, nil))
		}
		return err
	}},
	{"First", on("Query.First"), nil, func(ctx context.Context, p *portSet) error { return noteIs("n1")(p.topic().First(ctx)) }},
	{"One", on("Query.One"), nil, func(ctx context.Context, p *portSet) error {
		return noteIs("n2")(p.topic().Where(dynorm.Eq("rank", 2)).One(ctx))
	}},
	{"All", on("Query.All"), nil, func(ctx context.Context, p *portSet) error {
		var list []*PortNote
		for v, err := range p.topic().PageSize(1).All(ctx) {
			if err != nil {
				return err
			}
			list = append(list, v)
		}
		return notesAre("n1", "n2", "n3")(list, nil)
	}},
	{"Page", on("Query.Page"), nil, func(ctx context.Context, p *portSet) error {
		first, err := p.topic().Limit(2).Page(ctx, "")
		if err != nil {
			return err
		}
		second, err := p.topic().Limit(2).Page(ctx, first.Next)
		if err != nil {
			return err
		}
		back, err := p.topic().Limit(2).Page(ctx, second.Prev)
		if err != nil {
			return err
		}
		return errors.Join(notesAre("n1", "n2")(first.Items, nil), notesAre("n3")(second.Items, nil), notesAre("n1", "n2")(back.Items, nil))
	}},
	{"Pages", on("Query.Pages"), nil, func(ctx context.Context, p *portSet) error {
		var list []*PortNote
		for page, err := range p.topic().Limit(1).Pages(ctx) {
			if err != nil {
				return err
			}
			list = append(list, page.Items...)
		}
		return notesAre("n1", "n2", "n3")(list, nil)
	}},
	{"Pages of a scan", on("Query.Pages"), nil, func(ctx context.Context, p *portSet) error {
		var list []*PortMemo
		for page, err := range p.memos.Query().AllowScan().PageSize(1).Limit(1).Pages(ctx) {
			if err != nil {
				return err
			}
			list = append(list, page.Items...)
		}
		return memosAre("m1", "m2", "m3")(list, nil)
	}},
	{"Chunk", on("Query.Chunk"), nil, func(ctx context.Context, p *portSet) error {
		var list []*PortNote
		err := p.topic().Chunk(ctx, 2, func(_ context.Context, items []*PortNote) error {
			list = append(list, items...)
			return nil
		})
		return notesAre("n1", "n2", "n3")(list, err)
	}},
	{"ForEach", on("Query.ForEach"), nil, func(ctx context.Context, p *portSet) error {
		return p.topic().ForEach(ctx, func(_ context.Context, v *PortNote) error { return noteIs(v.ID)(v, nil) })
	}},
	{"Count", on("Query.Count"), nil, func(ctx context.Context, p *portSet) error {
		return errors.Join(is(3)(p.topic().Count(ctx)), is(3)(p.memos.Query().AllowScan().Count(ctx)))
	}},
	{"Exists", on("Query.Exists"), nil, func(ctx context.Context, p *portSet) error { return is(true)(p.topic().Exists(ctx)) }},
	{"aggregates", on("Query.Sum", "Query.Avg", "Query.Min", "Query.Max", "Query.GroupCount", "Query.Pluck"), nil, func(ctx context.Context, p *portSet) error {
		q := p.topic()
		sum, err := q.Sum(ctx, "rank")
		_, err2 := q.GroupCount(ctx, "topic")
		secrets, err3 := q.Pluck(ctx, "secret")
		if len(secrets) != 3 || secrets[0] != secretOf("n1") {
			err3 = errors.Join(err3, fmt.Errorf("plucked %v", secrets))
		}
		return errors.Join(is("6")(string(sum), err), is(2.0)(q.Avg(ctx, "rank")), is[any](1)(q.Min(ctx, "rank")), is[any](3)(q.Max(ctx, "rank")), err2, err3)
	}},
	{"column aggregates", on("Column.Sum", "Column.Avg", "Column.Min", "Column.Max", "Column.GroupCount", "Column.Pluck"), nil, func(ctx context.Context, p *portSet) error {
		q := p.folder()
		_, err := countColumn.GroupCount(ctx, q)
		secrets, err2 := secretColumn.Pluck(ctx, q)
		slices.Sort(secrets)
		if !slices.Equal(secrets, []string{secretOf("m1"), secretOf("m2"), secretOf("m3")}) {
			err2 = errors.Join(err2, fmt.Errorf("plucked %v", secrets))
		}
		return errors.Join(is(6)(countColumn.Sum(ctx, q)), is(2.0)(countColumn.Avg(ctx, q)), is(1)(countColumn.Min(ctx, q)), is(3)(countColumn.Max(ctx, q)), err, err2)
	}},
	{"keys as stored", on("KeyQuery.Get", "KeyQuery.First", "KeyQuery.Count", "KeyQuery.All"), nil, func(ctx context.Context, p *portSet) error {
		k := p.db.Entity("Memo").PK("FOLDER#f").SK().BeginsWith("MEMO#")
		list, err := k.AnyType().Get(ctx)
		if err == nil && len(list) != 3 {
			err = fmt.Errorf("got %v", list)
		}
		for _, r := range list {
			err = errors.Join(err, cardIs(fmt.Sprint(r["id"]))(r, nil))
		}
		n := 0
		for r, allErr := range k.All(ctx) {
			n++
			err = errors.Join(err, allErr, cardIs(fmt.Sprint(r["id"]))(r, nil))
		}
		return errors.Join(err, is(3)(n, nil), cardIs("m1")(k.First(ctx)), is(3)(k.Count(ctx)))
	}},

	// Writes of one item.
	{"Create", on("Model.Create"), ops("Create Note", "Create Memo"), func(ctx context.Context, p *portSet) error {
		return errors.Join(p.notes.Create(ctx, portNote(4)), p.memos.Create(ctx, portMemo(4)))
	}},
	{"Put", on("Model.Put"), ops("Put Note", "Put Memo"), func(ctx context.Context, p *portSet) error {
		v := portNote(1)
		v.Version, v.Slug = 1, "slug-new"
		return errors.Join(p.notes.Put(ctx, v), p.memos.Put(ctx, portMemo(1)))
	}},
	{"Save", on("Model.Save"), ops("Save Note", "Save Memo"), func(ctx context.Context, p *portSet) error {
		v := portNote(1)
		v.Version, v.Rank = 1, 7
		return errors.Join(p.notes.Save(ctx, v), p.memos.Save(ctx, portMemo(1)))
	}},
	{"Update", on("Model.Update"), ops("Update Note", "Update Memo"), func(ctx context.Context, p *portSet) error {
		return errors.Join(noteIs("n1")(p.notes.Update(ctx, "n1", dynorm.Set("slug", "moved"), dynorm.Set("topic", "new"), dynorm.Set("secret", secretOf("n1")))),
			memoIs("m1")(p.memos.Update(ctx, PortMemo{Folder: "f", ID: "m1"}, dynorm.Add("count", 1), dynorm.SetIfAbsent("secret", "other"))))
	}},
	{"Update under a condition", on("Model.Update"), ops("Update Memo", "Update Memo"), func(ctx context.Context, p *portSet) error {
		key := PortMemo{Folder: "f", ID: "m1"}
		_, err := p.memos.Update(ctx, key, dynorm.Add("count", 1), dynorm.If(dynorm.Eq("count", 9)))
		if !errors.Is(err, dynorm.ErrConditionFailed) {
			return fmt.Errorf("no failed condition but %w", err)
		}
		return memoIs("m1")(p.memos.Update(ctx, key, dynorm.Add("count", 1), dynorm.If(dynorm.Exists("secret")), dynorm.If(dynorm.Eq("count", 1))))
	}},
	{"Increment", on("Model.Increment"), ops("Update Memo"), func(ctx context.Context, p *portSet) error {
		return memoIs("m1")(p.memos.Increment(ctx, PortMemo{Folder: "f", ID: "m1"}, "count", 3))
	}},
	{"Touch", on("Model.Touch"), nil, func(ctx context.Context, p *portSet) error {
		return errors.Join(p.notes.Touch(ctx, "n1"), p.memos.Touch(ctx, PortMemo{Folder: "f", ID: "m1"}))
	}},
	{"Edit", on("Model.Edit"), ops("Edit Note", "Edit Memo"), func(ctx context.Context, p *portSet) error {
		v, err := p.notes.Edit(ctx, "n1", func(v *PortNote) error {
			v.Secret, v.Slug, v.Rank = mark+"-edited", "edited", 8
			return nil
		})
		if err == nil && v.Secret != mark+"-edited" {
			err = fmt.Errorf("got %+v", v)
		}
		w, err2 := p.memos.Edit(ctx, PortMemo{Folder: "f", ID: "m1"}, func(v *PortMemo) error {
			v.Secret = mark + "-edited"
			return nil
		})
		if err2 == nil && w.Secret != mark+"-edited" {
			err2 = fmt.Errorf("got %+v", w)
		}
		return errors.Join(err, err2)
	}},
	{"Upsert", on("Model.Upsert"), ops("Save Note", "Save Note", "Create Note"), func(ctx context.Context, p *portSet) error {
		v := portNote(1)
		v.Version = 1
		_, err := p.notes.Upsert(ctx, v)
		_, err2 := p.notes.Upsert(ctx, portNote(5))
		return errors.Join(err, err2)
	}},
	{"FirstOrCreate creates", on("Model.FirstOrCreate"), ops("Create Note"), func(ctx context.Context, p *portSet) error {
		_, created, err := p.notes.FirstOrCreate(ctx, portNote(5))
		return is(true)(created, err)
	}},
	{"UpdateOrCreate", on("Model.UpdateOrCreate"), ops("Update Memo", "Update Memo", "Create Memo"), func(ctx context.Context, p *portSet) error {
		v, _, err := p.memos.UpdateOrCreate(ctx, portMemo(1), dynorm.Add("count", 1))
		w, _, err2 := p.memos.UpdateOrCreate(ctx, portMemo(5), dynorm.Add("count", 1))
		return errors.Join(memoIs("m1")(v, err), memoIs("m5")(w, err2))
	}},
	{"Move", on("Model.Move"), ops("Move Note", "Move Memo"), func(ctx context.Context, p *portSet) error {
		v, err := p.notes.Move(ctx, "n1", func(v *PortNote) error {
			v.ID = "n9"
			return nil
		})
		if err == nil && v.Secret != secretOf("n1") {
			err = fmt.Errorf("got %+v", v)
		}
		_, err2 := p.memos.Move(ctx, PortMemo{Folder: "f", ID: "m1"}, func(v *PortMemo) error {
			v.Folder = "g"
			return nil
		})
		return errors.Join(err, err2, memoIs("m1")(p.memos.Get(ctx, PortMemo{Folder: "g", ID: "m1"})))
	}},
	{"Delete", on("Model.Delete"), nil, func(ctx context.Context, p *portSet) error {
		return errors.Join(p.notes.Delete(ctx, "n1"), p.memos.Delete(ctx, PortMemo{Folder: "f", ID: "m1"}))
	}},
	{"Restore", on("Model.Restore"), nil, func(ctx context.Context, p *portSet) error {
		return errors.Join(p.notes.Delete(ctx, "n1"), p.notes.Restore(ctx, "n1"), noteIs("n1")(p.notes.Find(ctx, "n1")))
	}},
	{"ForceDelete", on("Model.ForceDelete"), nil, func(ctx context.Context, p *portSet) error { return p.notes.ForceDelete(ctx, "n1") }},

	// Writes without a Go type.
	{
		"dynamic writes", on("EntityModel.Create", "EntityModel.Put", "EntityModel.Save", "EntityModel.Update"),
		ops("Create Card", "Put Card", "Save Card", "Update Card"), func(ctx context.Context, p *portSet) error {
			r := portRecord(4)
			return errors.Join(p.cards.Create(ctx, r), p.cards.Put(ctx, r), p.cards.Save(ctx, r),
				cardIs("c4")(p.cards.Update(ctx, "c4", dynorm.Set("state", "done"))))
		},
	},
	{"dynamic upserts", on("EntityModel.Upsert", "EntityModel.Increment"), ops("Save Card", "Create Card", "Save Card", "Update Card"), func(ctx context.Context, p *portSet) error {
		_, err := p.cards.Upsert(ctx, portRecord(4))
		_, err2 := p.cards.Upsert(ctx, portRecord(1))
		return errors.Join(err, err2, cardIs("c1")(p.cards.Increment(ctx, "c1", "count", 1)))
	}},
	{"dynamic Touch", on("EntityModel.Touch"), nil, func(ctx context.Context, p *portSet) error { return p.cards.Touch(ctx, "c1") }},
	{"dynamic edits", on("EntityModel.Edit", "EntityModel.Move"), ops("Edit Card", "Move Card"), func(ctx context.Context, p *portSet) error {
		edited, err := p.cards.Edit(ctx, "c1", func(r dynorm.Record) error { r["state"] = "done"; return nil })
		moved, err2 := p.cards.Move(ctx, "c2", func(r dynorm.Record) error { r["id"], r["secret"] = "c9", secretOf("c9"); return nil })
		return errors.Join(cardIs("c1")(edited, err), cardIs("c9")(moved, err2))
	}},
	{"dynamic deletions", on("EntityModel.Delete", "EntityModel.Restore", "EntityModel.ForceDelete"), nil, func(ctx context.Context, p *portSet) error {
		return errors.Join(p.cards.Delete(ctx, "c1"), p.cards.Restore(ctx, "c1"), cardIs("c1")(p.cards.Find(ctx, "c1")), p.cards.ForceDelete(ctx, "c1"))
	}},

	// Batches.
	{"CreateMany", on("Model.CreateMany"), ops("Create Memo", "Create Memo"), func(ctx context.Context, p *portSet) error {
		return p.memos.CreateMany(ctx, portMemo(4), portMemo(5))
	}},
	{"PutMany", on("Model.PutMany"), ops("Put Memo", "Put Memo", "Put Note"), func(ctx context.Context, p *portSet) error {
		v := portNote(1)
		v.Version = 1
		return errors.Join(p.memos.PutMany(ctx, portMemo(1), portMemo(5)), p.notes.PutMany(ctx, v))
	}},
	{"DeleteMany", on("Model.DeleteMany"), nil, func(ctx context.Context, p *portSet) error {
		return errors.Join(p.memos.DeleteMany(ctx, portMemo(1), portMemo(2)), p.notes.DeleteMany(ctx, &PortNote{ID: "n1"}))
	}},

	// Transactions.
	{
		"Transact", on("DB.Transact", "TxModel.Create", "TxModel.Put", "TxModel.Save", "TxModel.Update", "TxModel.Edit", "TxModel.Delete", "TxModel.Check"),
		ops("Create Note", "Put Memo", "Save Memo", "Update Note", "Edit Note"), func(ctx context.Context, p *portSet) error {
			return p.db.Transact(ctx, func(tx *dynorm.Tx) error {
				notes, memos := p.notes.In(tx), p.memos.In(tx)
				return errors.Join(notes.Create(ctx, portNote(4)), memos.Put(ctx, portMemo(4)), memos.Save(ctx, portMemo(1)),
					notes.Update(ctx, "n1", dynorm.Set("slug", "tx"), dynorm.Set("secret", secretOf("n1"))),
					notes.Edit(ctx, "n2", func(v *PortNote) error { v.Secret = mark + "-edited"; return nil }),
					memos.Delete(ctx, portMemo(2)), memos.Check(ctx, portMemo(3), dynorm.Eq("count", 3)))
			})
		},
	},
	{"Transact deletions", on("TxModel.Restore", "TxModel.ForceDelete", "TxModel.Delete"), nil, func(ctx context.Context, p *portSet) error {
		if err := p.notes.Delete(ctx, "n1"); err != nil {
			return err
		}
		return p.db.Transact(ctx, func(tx *dynorm.Tx) error {
			return errors.Join(p.notes.In(tx).Restore(ctx, "n1"), p.notes.In(tx).ForceDelete(ctx, "n2"), p.notes.In(tx).Delete(ctx, "n3"))
		})
	}},
	{
		"Transact of one model's calls", on("TxModel.Upsert", "TxModel.Move", "TxModel.Touch", "TxModel.Increment", "TxEntity.Touch"),
		ops("Save Memo", "Create Memo", "Move Memo", "Update Memo"), func(ctx context.Context, p *portSet) error {
			return p.db.Transact(ctx, func(tx *dynorm.Tx) error {
				memos := p.memos.In(tx)
				return errors.Join(memos.Upsert(ctx, portMemo(1)), memos.Upsert(ctx, portMemo(4)),
					memos.Move(ctx, PortMemo{Folder: "f", ID: "m2"}, func(v *PortMemo) error { v.Folder = "g"; return nil }),
					memos.Increment(ctx, PortMemo{Folder: "f", ID: "m3"}, "count", 1),
					p.notes.In(tx).Touch(ctx, "n1"), p.db.Entity("Note").In(tx).Touch(ctx, "n2"))
			})
		},
	},
	{
		"dynamic Transact", on("TxEntity.Create", "TxEntity.Put", "TxEntity.Save", "TxEntity.Update", "TxEntity.Check"),
		ops("Create Card", "Put Card", "Save Card", "Update Card"), func(ctx context.Context, p *portSet) error {
			return p.db.Transact(ctx, func(tx *dynorm.Tx) error {
				cards := p.cards.In(tx)
				return errors.Join(cards.Create(ctx, portRecord(4)), cards.Put(ctx, portRecord(5)), cards.Save(ctx, portRecord(1)),
					cards.Update(ctx, "c2", dynorm.Set("secret", secretOf("c2"))), cards.Check(ctx, "c3", dynorm.Eq("state", "open")))
			})
		},
	},
	{
		"dynamic Transact of what is stored", on("TxEntity.Upsert", "TxEntity.Edit", "TxEntity.Move", "TxEntity.Increment"),
		ops("Create Card", "Edit Card", "Move Card", "Update Memo"), func(ctx context.Context, p *portSet) error {
			return p.db.Transact(ctx, func(tx *dynorm.Tx) error {
				cards := p.cards.In(tx)
				return errors.Join(cards.Upsert(ctx, portRecord(4)),
					cards.Edit(ctx, "c1", func(r dynorm.Record) error { r["state"] = "done"; return nil }),
					cards.Move(ctx, "c2", func(r dynorm.Record) error { r["id"], r["secret"] = "c9", secretOf("c9"); return nil }),
					p.db.Entity("Memo").In(tx).Increment(ctx, dynorm.Record{"folder": "f", "id": "m3"}, "count", 1))
			})
		},
	},
	{"dynamic Transact deletions", on("TxEntity.Delete", "TxEntity.Restore", "TxEntity.ForceDelete"), nil, func(ctx context.Context, p *portSet) error {
		if err := p.cards.Delete(ctx, "c1"); err != nil {
			return err
		}
		return p.db.Transact(ctx, func(tx *dynorm.Tx) error {
			return errors.Join(p.cards.In(tx).Restore(ctx, "c1"), p.cards.In(tx).ForceDelete(ctx, "c2"), p.cards.In(tx).Delete(ctx, "c3"))
		})
	}},
	{"cancelled Transact", on("DB.Transact"), ops("Create Memo", "Create Memo"), func(ctx context.Context, p *portSet) error {
		err := p.db.Transact(ctx, func(tx *dynorm.Tx) error {
			return errors.Join(p.memos.In(tx).Create(ctx, portMemo(1)), p.memos.In(tx).Create(ctx, portMemo(9)))
		})
		if !errors.Is(err, dynorm.ErrExists) {
			return fmt.Errorf("no ErrExists but %w", err)
		}
		ce, ok := errors.AsType[*dynorm.ConditionError](err)
		if !ok || stringOf(ce.Item["secret"]) != secretOf("m1") || stringOf(ce.Item["pk"]) != "FOLDER#f" {
			return errors.New("the error does not carry the item as callers know it")
		}
		return nil
	}},
	{"Chunked", on("DB.Chunked"), ops("Create Memo", "Save Memo"), func(ctx context.Context, p *portSet) error {
		return p.db.Chunked(ctx, func(tx *dynorm.Tx) error {
			return errors.Join(p.memos.In(tx).Create(ctx, portMemo(4)), p.memos.In(tx).Save(ctx, portMemo(4)))
		})
	}},

	// Writes over a query.
	{"Update of a query", on("Query.Update"), ops("Update Note", "Update Note", "Update Note"), func(ctx context.Context, p *portSet) error {
		return bulkIs[PortNote](3)(p.topic().Update(ctx, dynorm.Set("topic", "moved"), dynorm.Set("secret", mark)))
	}},
	{"Delete of a query", on("Query.Delete", "Query.Restore", "Query.ForceDelete"), nil, func(ctx context.Context, p *portSet) error {
		return errors.Join(bulkIs[PortNote](3)(p.topic().Delete(ctx)),
			bulkIs[PortNote](3)(p.topic().OnlyTrashed().Restore(ctx)),
			bulkIs[PortNote](3)(p.topic().ForceDelete(ctx)), bulkIs[PortMemo](3)(p.folder().Delete(ctx)))
	}},

	// Unique values.
	{"unique checker", on("DB.ScanUnique", "DB.RepairAllUnique"), nil, func(ctx context.Context, p *portSet) error {
		n := 0
		for _, err := range p.db.ScanUnique(ctx) {
			if err != nil {
				return err
			}
			n++
		}
		repaired, left, err := p.db.RepairAllUnique(ctx)
		return errors.Join(err, is(0)(n, nil), is(0)(repaired+len(left), nil))
	}},
	{"unique repairer", on("DB.RepairUnique"), nil, func(ctx context.Context, p *portSet) error {
		pk := func(s string) dynorm.Item { return dynorm.Item{"pk": stringAV(s), "sk": stringAV("UNIQUE")} }
		owner := dynorm.Item{"pk": stringAV("NOTE#n1"), "sk": stringAV("NOTE#n1")}
		f := dynorm.UniqueFault{Kind: dynorm.UniqueMissing, Entity: "Note", Constraint: "slug", Claim: pk("UNIQUE#Note#slug#slug-n1"), Owner: owner}
		return is(false)(p.db.RepairUnique(ctx, f))
	}},
	{"taken unique value", on("Model.Create"), ops("Create Note"), func(ctx context.Context, p *portSet) error {
		v := portNote(9)
		v.Slug = "slug-n1"
		if err := p.notes.Create(ctx, v); !errors.Is(err, dynorm.ErrUnique) {
			return fmt.Errorf("no ErrUnique but %w", err)
		}
		return nil
	}},
}
