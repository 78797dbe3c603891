package dynorm_test

import (
	"context"
	"errors"
	"math"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/smithy-go/middleware"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/stretchr/testify/require"

	"github.com/dynorm/dynorm"
	"github.com/dynorm/dynorm/internal/testdb"
)

type Team struct {
	ID   string
	Name string
}

type User struct {
	_ dynorm.Entity `dynorm:"User,timestamps"`

	ID     string
	Name   string
	TeamID string
	Logins int64
	Tags   []string `dynorm:",set"`
	Notes  []string

	Team *Team `rel:"belongsTo"`
}

type Post struct {
	ID     string
	UserID string
	Title  string

	User *User `rel:"belongsTo"`
}

type Comment struct {
	ID     string
	PostID string
	UserID string

	Post *Post `rel:"belongsTo"`
	User *User `rel:"belongsTo"`
}

type OrderItem struct {
	SKU     string `dynorm:"sku,primary"`
	Version int64  `dynorm:"_v,version"`
	Qty     int
}

// Task exercises conditions, formats and generated fields.
type Task struct {
	_ dynorm.Index `dynorm:"open" pk:"OWNER#{Owner}" sk:"{Due:date}#{ID}" when:"Status!=done"`

	ID     string `dynorm:",primary,ulid"`
	Owner  string
	Status string `dynorm:",enum=open|done,default=open"`
	Due    time.Time
	Points int64
	Place  struct{ City string }
}

var clock = time.Date(2026, 3, 4, 5, 6, 7, 89_000_000, time.UTC)

type store struct {
	client *dynamodb.Client
	db     *dynorm.DB

	now func() time.Time

	mu   sync.Mutex
	sent []*dynorm.Operation
}

// open gives a new table with the models' schema.
func open(t testing.TB, models ...any) *store {
	t.Helper()
	schema, err := dynorm.NewSchema(models...)
	require.NoError(t, err)
	s := &store{client: testdb.Open(t), now: func() time.Time { return clock }}
	s.db, err = dynorm.Open(dynamodb.New(s.client.Options(), s.record), schema, dynorm.Config{
		Table: testdb.Table(t),
		Clock: func() time.Time { return s.now() },
	})
	require.NoError(t, err)
	require.NoError(t, s.db.CreateTable(t.Context()))
	s.sent = nil
	return s
}

// record notes what a client is asked for.
func (s *store) record(o *dynamodb.Options) {
	o.APIOptions = append(o.APIOptions, func(stack *middleware.Stack) error {
		kind := dynorm.OpKind(stack.ID())
		return stack.Initialize.Add(middleware.InitializeMiddlewareFunc("Record",
			func(ctx context.Context, in middleware.InitializeInput, next middleware.InitializeHandler) (middleware.InitializeOutput, middleware.Metadata, error) {
				s.mu.Lock()
				s.sent = append(s.sent, &dynorm.Operation{Kind: kind, Input: in.Parameters})
				s.mu.Unlock()
				return next.HandleInitialize(ctx, in)
			}), middleware.Before)
	})
}

// kinds returns the operations sent since the last call.
func (s *store) kinds() []dynorm.OpKind {
	var kinds []dynorm.OpKind
	for _, op := range s.sent {
		kinds = append(kinds, op.Kind)
	}
	s.sent = nil
	return kinds
}

// raw reads an item as it is stored, by its whole key.
func (s *store) raw(t testing.TB, pk, sk string) map[string]string {
	t.Helper()
	out, err := s.client.GetItem(t.Context(), &dynamodb.GetItemInput{
		TableName: aws.String(s.db.Table()), ConsistentRead: aws.Bool(true),
		Key: dynorm.Item{"pk": &types.AttributeValueMemberS{Value: pk}, "sk": &types.AttributeValueMemberS{Value: sk}},
	})
	require.NoError(t, err)
	item := map[string]string{}
	for name, av := range out.Item {
		switch av := av.(type) {
		case *types.AttributeValueMemberS:
			item[name] = av.Value
		case *types.AttributeValueMemberN:
			item[name] = av.Value
		case *types.AttributeValueMemberSS:
			item[name] = "{" + strings.Join(av.Value, ",") + "}"
		case *types.AttributeValueMemberL:
			item[name] = "list"
		case *types.AttributeValueMemberM:
			item[name] = "map"
		}
	}
	return item
}

func TestGoldenItems(t *testing.T) {
	s := open(t, User{}, Team{}, Post{}, Comment{}, OrderItem{})
	ctx := t.Context()
	stamp := "2026-03-04T05:06:07.089Z"

	require.NoError(t, dynorm.ModelOf[User](s.db).Create(ctx, &User{ID: "123", Name: "John"}))
	require.Equal(t, map[string]string{
		"pk": "USER#123", "sk": "USER#123", "_et": "User", "id": "123", "name": "John",
		"teamId": "", "logins": "0", "createdAt": stamp, "updatedAt": stamp,
	}, s.raw(t, "USER#123", "USER#123"),
		"without a team there is no index entry")

	require.NoError(t, dynorm.ModelOf[User](s.db).Put(ctx, &User{ID: "123", Name: "John", TeamID: "456"}))
	require.Equal(t, map[string]string{
		"pk": "USER#123", "sk": "USER#123", "_et": "User", "id": "123", "name": "John",
		"teamId": "456", "logins": "0", "createdAt": stamp, "updatedAt": stamp,
		"gsi1pk": "TEAM#456", "gsi1sk": "USER#123",
	}, s.raw(t, "USER#123", "USER#123"))

	require.NoError(t, dynorm.ModelOf[Post](s.db).Create(ctx, &Post{ID: "p1", UserID: "123"}))
	require.Equal(t, map[string]string{
		"pk": "POST#p1", "sk": "POST#p1", "_et": "Post", "id": "p1", "userId": "123", "title": "",
		"gsi1pk": "USER#123", "gsi1sk": "POST#p1",
	}, s.raw(t, "POST#p1", "POST#p1"))

	require.NoError(t, dynorm.ModelOf[Comment](s.db).Create(ctx, &Comment{ID: "c1", PostID: "p1", UserID: "123"}))
	require.Equal(t, map[string]string{
		"pk": "COMMENT#c1", "sk": "COMMENT#c1", "_et": "Comment", "id": "c1", "postId": "p1", "userId": "123",
		"gsi1pk": "POST#p1", "gsi1sk": "COMMENT#c1", "gsi2pk": "USER#123", "gsi2sk": "COMMENT#c1",
	}, s.raw(t, "COMMENT#c1", "COMMENT#c1"))

	require.NoError(t, dynorm.ModelOf[OrderItem](s.db).Create(ctx, &OrderItem{SKU: "a#b", Qty: 2}))
	require.Equal(t, map[string]string{"pk": "ORDERITEM#a%23b", "sk": "ORDERITEM#a%23b", "_et": "OrderItem", "sku": "a#b", "qty": "2", "_v": "1"},
		s.raw(t, "ORDERITEM#a%23b", "ORDERITEM#a%23b"), "a delimiter in a value is escaped")
}

// CollectionPost lives in its user's partition.
type CollectionPost struct {
	_      dynorm.Entity `dynorm:"Post"`
	ID     string
	UserID string
	User   *User `rel:"belongsTo,collection"`
}

func TestCollectionKeys(t *testing.T) {
	s := open(t, User{}, Team{}, CollectionPost{})
	posts := dynorm.ModelOf[CollectionPost](s.db)
	require.NoError(t, posts.Create(t.Context(), &CollectionPost{ID: "p1", UserID: "123"}))
	require.Equal(t, map[string]string{"pk": "USER#123", "sk": "POST#p1", "_et": "Post", "id": "p1", "userId": "123"},
		s.raw(t, "USER#123", "POST#p1"))

	_, err := posts.Find(t.Context(), "p1")
	require.ErrorIs(t, err, dynorm.ErrMissingKey)
	require.ErrorContains(t, err, "UserID")
	got, err := posts.Get(t.Context(), CollectionPost{ID: "p1", UserID: "123"})
	require.NoError(t, err)
	require.Equal(t, "p1", got.ID)
}

func TestCreateFindSaveDelete(t *testing.T) {
	s := open(t, User{}, Team{})
	users := dynorm.ModelOf[User](s.db)
	ctx := t.Context()

	u := &User{ID: "1", Name: "Ann", TeamID: "a", Tags: []string{"x", "y"}, Notes: []string{"n"}}
	require.NoError(t, users.Create(ctx, u))
	got, err := users.Find(ctx, "1")
	require.NoError(t, err)
	require.Empty(t, cmp.Diff(u, got))

	err = users.Create(ctx, &User{ID: "1"})
	require.ErrorIs(t, err, dynorm.ErrExists)
	require.ErrorIs(t, err, dynorm.ErrConditionFailed)
	ce, ok := errors.AsType[*dynorm.ConditionError](err)
	require.True(t, ok)
	require.Equal(t, "Ann", ce.Item["name"].(*types.AttributeValueMemberS).Value, "a failed condition carries the item")
	var sdk *types.ConditionalCheckFailedException
	require.ErrorAs(t, err, &sdk, "the SDK's error stays reachable")

	// Save keeps what User does not declare, moves the entry, clears the set.
	_, err = s.client.UpdateItem(ctx, &dynamodb.UpdateItemInput{
		TableName:                 aws.String(s.db.Table()),
		Key:                       dynorm.Item{"pk": &types.AttributeValueMemberS{Value: "USER#1"}, "sk": &types.AttributeValueMemberS{Value: "USER#1"}},
		UpdateExpression:          aws.String("SET legacy = :v"),
		ExpressionAttributeValues: dynorm.Item{":v": &types.AttributeValueMemberS{Value: "kept"}},
	})
	require.NoError(t, err)
	got.TeamID, got.Tags = "b", nil
	require.NoError(t, users.Save(ctx, got))
	raw := s.raw(t, "USER#1", "USER#1")
	require.Equal(t, "kept", raw["legacy"])
	require.Equal(t, "TEAM#b", raw["gsi1pk"])
	require.NotContains(t, raw, "tags")
	require.Equal(t, "2026-03-04T05:06:07.089Z", raw["createdAt"])

	got.TeamID = ""
	require.NoError(t, users.Save(ctx, got))
	require.NotContains(t, s.raw(t, "USER#1", "USER#1"), "gsi1pk", "clearing the foreign key removes the entry")

	require.NoError(t, users.Delete(ctx, got))
	require.NoError(t, users.Delete(ctx, "1"), "deleting what is not there is no error")
	_, err = users.Find(ctx, "1")
	require.ErrorIs(t, err, dynorm.ErrNotFound)
	require.ErrorIs(t, users.Save(ctx, got), dynorm.ErrNotFound, "Save never creates")
	require.Empty(t, s.raw(t, "USER#1", "USER#1"))
}

func TestUpdateActions(t *testing.T) {
	s := open(t, User{}, Team{})
	users := dynorm.ModelOf[User](s.db)
	ctx := t.Context()
	require.NoError(t, users.Create(ctx, &User{ID: "1", Tags: []string{"a", "b"}}))

	name := dynorm.Col(func(u *User) *string { return &u.Name })
	logins := dynorm.Col(func(u *User) *int64 { return &u.Logins })
	notes := dynorm.Col(func(u *User) *[]string { return &u.Notes })
	got, err := users.Update(ctx, "1", name.Set("Ann"), logins.Add(2), notes.Append("one"),
		dynorm.DeleteFromSet("tags", "a"), dynorm.SetIfAbsent("legacyless", 1))
	require.ErrorIs(t, err, dynorm.ErrUnknownField)
	require.Nil(t, got)

	got, err = users.Update(ctx, "1", name.Set("Ann"), logins.Add(2), notes.Append("one"), dynorm.DeleteFromSet("tags", "a"))
	require.NoError(t, err)
	want := &User{ID: "1", Name: "Ann", Logins: 2, Tags: []string{"b"}, Notes: []string{"one"}}
	require.Empty(t, cmp.Diff(want, got))

	got, err = users.Update(ctx, "1", dynorm.Prepend("notes", "zero"), dynorm.AddToSet("tags", "c", "d"), dynorm.Remove("name"))
	require.NoError(t, err)
	require.Empty(t, cmp.Diff(&User{ID: "1", Logins: 2, Tags: []string{"b", "c", "d"}, Notes: []string{"zero", "one"}}, got,
		cmpopts.SortSlices(func(a, b string) bool { return a < b && len(a) == 1 })))

	_, err = users.Update(ctx, "1", name.Set("Bob"), dynorm.If(logins.Gt(5)))
	require.ErrorIs(t, err, dynorm.ErrConditionFailed)
	require.NotErrorIs(t, err, dynorm.ErrNotFound)
	_, err = users.Update(ctx, "nobody", name.Set("Bob"))
	require.ErrorIs(t, err, dynorm.ErrNotFound)
	_, err = users.Update(ctx, "1", name.Set("Bob"), dynorm.If(logins.Eq(2)), dynorm.If(dynorm.Not(dynorm.Exists("name"))))
	require.NoError(t, err)
}

func TestUpdateKeepsEntries(t *testing.T) {
	s := open(t, Task{})
	tasks := dynorm.ModelOf[Task](s.db)
	ctx := t.Context()
	task := &Task{Owner: "ann", Due: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)}
	require.NoError(t, tasks.Create(ctx, task))
	require.Len(t, task.ID, 26)
	require.Equal(t, "open", task.Status)
	key := "TASK#" + task.ID
	entry := func() string {
		raw := s.raw(t, key, key)
		return raw["gsi1pk"] + " / " + raw["gsi1sk"]
	}
	require.Equal(t, "OWNER#ann / 2026-01-02#"+task.ID, entry())

	s.kinds()
	_, err := tasks.Update(ctx, task.ID, dynorm.Add("points", 1))
	require.NoError(t, err)
	require.Equal(t, []dynorm.OpKind{dynorm.OpUpdateItem}, s.kinds(), "an update of no input takes one request")

	_, err = tasks.Update(ctx, task.ID, dynorm.Set("due", time.Date(2027, 1, 2, 3, 4, 5, 0, time.UTC)))
	require.NoError(t, err)
	require.Equal(t, []dynorm.OpKind{dynorm.OpGetItem, dynorm.OpUpdateItem}, s.kinds(), "the owner and the status are not known")
	require.Equal(t, "OWNER#ann / 2027-01-02#"+task.ID, entry())

	_, err = tasks.Update(ctx, task.ID, dynorm.Set("owner", "bob"), dynorm.Set("status", "done"), dynorm.Set("due", time.Now()))
	require.NoError(t, err)
	require.Equal(t, []dynorm.OpKind{dynorm.OpUpdateItem}, s.kinds(), "every input is known")
	require.Equal(t, " / ", entry(), "the condition does not hold")

	_, err = tasks.Update(ctx, task.ID, dynorm.Set("status", "open"))
	require.NoError(t, err)
	require.Contains(t, entry(), "OWNER#bob / ")
	_, err = tasks.Update(ctx, task.ID, dynorm.Remove("owner"))
	require.NoError(t, err)
	require.Equal(t, " / ", entry(), "a missing part leaves the entry out")
}

func TestUpdateRace(t *testing.T) {
	schema, err := dynorm.NewSchema(Task{})
	require.NoError(t, err)
	client := testdb.Open(t)
	var meddle func()
	db, err := dynorm.Open(client, schema, dynorm.Config{Table: testdb.Table(t), Interceptors: []dynorm.Interceptor{
		func(ctx context.Context, op *dynorm.Operation, next func(context.Context, *dynorm.Operation) (*dynorm.Result, error)) (*dynorm.Result, error) {
			if f := meddle; op.Kind == dynorm.OpUpdateItem && f != nil {
				meddle = nil
				f()
			}
			return next(ctx, op)
		},
	}})
	require.NoError(t, err)
	require.NoError(t, db.CreateTable(t.Context()))
	tasks := dynorm.ModelOf[Task](db)
	task := &Task{Owner: "ann", Due: clock}
	require.NoError(t, tasks.Create(t.Context(), task))
	meddle = func() {
		_, err := tasks.Update(t.Context(), task.ID, dynorm.Set("owner", "bob"))
		require.NoError(t, err)
	}
	_, err = tasks.Update(t.Context(), task.ID, dynorm.Set("due", clock.AddDate(1, 0, 0)))
	require.NoError(t, err)
	s := &store{client: client, db: db}
	raw := s.raw(t, "TASK#"+task.ID, "TASK#"+task.ID)
	require.Equal(t, "OWNER#bob", raw["gsi1pk"], "the entry follows the other writer's change")
	require.Equal(t, "2027-03-04#"+task.ID, raw["gsi1sk"])
}

func TestVersions(t *testing.T) {
	s := open(t, OrderItem{})
	items := dynorm.ModelOf[OrderItem](s.db)
	ctx := t.Context()
	a := &OrderItem{SKU: "s", Qty: 1}
	require.NoError(t, items.Create(ctx, a))
	require.EqualValues(t, 1, a.Version)
	b, err := items.Find(ctx, "s")
	require.NoError(t, err)
	a.Qty = 2
	require.NoError(t, items.Save(ctx, a))
	require.EqualValues(t, 2, a.Version)
	b.Qty = 3
	err = items.Save(ctx, b)
	require.ErrorIs(t, err, dynorm.ErrStaleVersion)
	require.EqualValues(t, 1, b.Version, "a failed write leaves the value as it was")
	require.ErrorIs(t, items.Put(ctx, b), dynorm.ErrStaleVersion)
	require.ErrorIs(t, items.Delete(ctx, b), dynorm.ErrStaleVersion)
	c, err := items.Update(ctx, "s", dynorm.Set("qty", 9))
	require.NoError(t, err)
	require.EqualValues(t, 3, c.Version)
	require.NoError(t, items.Delete(ctx, c))
}

func TestBatches(t *testing.T) {
	s := open(t, Post{}, User{}, Team{})
	posts := dynorm.ModelOf[Post](s.db)
	ctx := t.Context()
	var values []*Post
	var ids []string
	for i := range 260 {
		id := string(rune('a'+i%26)) + string(rune('a'+i/26))
		values = append(values, &Post{ID: id, UserID: "u"})
		ids = append(ids, id)
	}
	require.NoError(t, posts.PutMany(ctx, values...))
	s.sent = nil
	got, err := posts.FindMany(ctx, ids)
	require.NoError(t, err)
	require.Empty(t, cmp.Diff(values, got), "in the order asked for")
	require.Len(t, s.kinds(), 3)
	got, err = posts.FindMany(ctx, "aa", "nope", "aa")
	require.NoError(t, err)
	require.Equal(t, "aa", got[0].ID)
	require.Nil(t, got[1])
	require.Equal(t, "aa", got[2].ID)
	require.NoError(t, posts.DeleteMany(ctx, values...))
	got, err = posts.FindMany(ctx, ids)
	require.NoError(t, err)
	require.Empty(t, cmp.Diff(make([]*Post, 260), got))
}

type Stranger struct{ ID string }

type Measure struct {
	ID    string
	Value float64
	Data  []byte
}

func TestBadInput(t *testing.T) {
	s := open(t, User{}, Team{}, OrderItem{}, Measure{}, CollectionPost{}, Task{})
	users := dynorm.ModelOf[User](s.db)
	measures := dynorm.ModelOf[Measure](s.db)
	ctx := t.Context()
	canceled, cancel := context.WithCancel(ctx)
	cancel()
	tests := []struct {
		name string
		call func() error
		want error
		text string // part of the message
	}{
		{"unregistered type", func() error { return dynorm.ModelOf[Stranger](s.db).Create(ctx, &Stranger{ID: "1"}) }, dynorm.ErrUnregistered, "Stranger"},
		{"nil value", func() error { return users.Create(ctx, nil) }, dynorm.ErrInvalid, "nil"},
		{"zero primary key", func() error { return users.Create(ctx, &User{}) }, dynorm.ErrMissingKey, "User.ID"},
		{"missing key part", func() error { return dynorm.ModelOf[CollectionPost](s.db).Create(ctx, &CollectionPost{ID: "1"}) }, dynorm.ErrMissingKey, "UserID"},
		{"empty id", func() error { _, err := users.Find(ctx, ""); return err }, dynorm.ErrMissingKey, "ID"},
		{"nil id", func() error { _, err := users.Find(ctx, nil); return err }, dynorm.ErrMissingKey, "nil"},
		{"id of another type", func() error { _, err := users.Find(ctx, 12); return err }, dynorm.ErrValue, "dynorm: Find User.ID: want string, got int"},
		{"oversize key", func() error { return users.Create(ctx, &User{ID: strings.Repeat("k", 2049)}) }, dynorm.ErrTooLarge, "2048"},
		{"oversize sort key", func() error { return users.Create(ctx, &User{ID: strings.Repeat("k", 1025)}) }, dynorm.ErrTooLarge, ""},
		{"oversize item", func() error { return measures.Create(ctx, &Measure{ID: "1", Data: make([]byte, 400*1024)}) }, dynorm.ErrTooLarge, "409600"},
		{"NaN", func() error { return measures.Create(ctx, &Measure{ID: "1", Value: math.NaN()}) }, dynorm.ErrValue, "Measure.Value"},
		{"NaN in an update", func() error { _, err := measures.Update(ctx, "1", dynorm.Set("value", math.Inf(1))); return err }, dynorm.ErrValue, "Measure.Value"},
		{"unknown attribute", func() error { _, err := users.Update(ctx, "1", dynorm.Set("nmae", "x")); return err }, dynorm.ErrUnknownField, "did you mean Name?"},
		{"unknown attribute in a condition", func() error {
			_, err := users.Update(ctx, "1", dynorm.Set("name", "x"), dynorm.If(dynorm.Eq("agee", 1)))
			return err
		}, dynorm.ErrUnknownField, "agee"},
		{"wrong value type", func() error { _, err := users.Update(ctx, "1", dynorm.Set("name", 5)); return err }, dynorm.ErrValue, "User.Name"},
		{"no changes", func() error { _, err := users.Update(ctx, "1"); return err }, dynorm.ErrInvalid, "no changes"},
		{"only a condition", func() error { _, err := users.Update(ctx, "1", dynorm.If(dynorm.Exists("name"))); return err }, dynorm.ErrInvalid, "no changes"},
		{"base key", func() error { _, err := users.Update(ctx, "1", dynorm.Set("id", "2")); return err }, dynorm.ErrImmutable, "User.ID"},
		{"version by hand", func() error {
			_, err := dynorm.ModelOf[OrderItem](s.db).Update(ctx, "1", dynorm.Set("_v", 3))
			return err
		}, dynorm.ErrInvalid, "version"},
		{"overlapping paths", func() error {
			_, err := dynorm.ModelOf[Task](s.db).Update(ctx, "1", dynorm.Set("place.city", "x"), dynorm.Remove("place"))
			return err
		}, dynorm.ErrInvalid, "overlap"},
		{"add to a text", func() error { _, err := users.Update(ctx, "1", dynorm.Add("name", "x")); return err }, dynorm.ErrValue, "number"},
		{"append to a set", func() error { _, err := users.Update(ctx, "1", dynorm.Append("tags", "x")); return err }, dynorm.ErrValue, "AddToSet"},
		{"add to a list as a set", func() error { _, err := users.Update(ctx, "1", dynorm.AddToSet("notes", "x")); return err }, dynorm.ErrValue, "Append"},
		{"not in the enum", func() error { return dynorm.ModelOf[Task](s.db).Create(ctx, &Task{ID: "1", Status: "half"}) }, dynorm.ErrValue, "Task.Status"},
		{"column of another type", func() error {
			_, err := users.Update(ctx, "1", dynorm.Col(func(p *Team) *string { return &p.Name }).Set("x"))
			return err
		}, dynorm.ErrUnknownField, "Team"},
		{"column of no field", func() error {
			_, err := users.Update(ctx, "1", dynorm.Col(func(*User) *string { return new(string) }).Set("x"))
			return err
		}, dynorm.ErrUnknownField, "address"},
		{"zero predicate", func() error {
			_, err := users.Update(ctx, "1", dynorm.Set("name", "x"), dynorm.If(dynorm.Predicate{}))
			return err
		}, dynorm.ErrInvalid, "zero Predicate"},
		{"closed ctx", func() error { return users.Create(canceled, &User{ID: "1"}) }, context.Canceled, ""},
		{"closed ctx in a batch", func() error { return users.PutMany(canceled, &User{ID: "1"}) }, context.Canceled, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s.sent = nil
			err := tt.call()
			require.ErrorIs(t, err, tt.want)
			require.ErrorContains(t, err, tt.text)
			require.True(t, strings.HasPrefix(err.Error(), "dynorm: "), err.Error())
			if !errors.Is(tt.want, context.Canceled) {
				require.Empty(t, s.sent, "no request may be sent")
			}
		})
	}
}

func TestTableErrors(t *testing.T) {
	ctx := t.Context()
	client := testdb.Open(t)
	schema, err := dynorm.NewSchema(User{}, Team{})
	require.NoError(t, err)
	db, err := dynorm.Open(client, schema, dynorm.Config{Table: testdb.Table(t)})
	require.NoError(t, err)
	_, err = dynorm.ModelOf[User](db).Find(ctx, "1")
	require.ErrorIs(t, err, dynorm.ErrTableNotFound)

	require.NoError(t, db.CreateTable(ctx))
	require.NoError(t, db.CreateTable(ctx), "an equal table is left alone")

	other, err := dynorm.NewSchema(dynorm.SchemaConfig{PK: "hash"}, User{}, Team{})
	require.NoError(t, err)
	db2, err := dynorm.Open(client, other, dynorm.Config{Table: db.Table()})
	require.NoError(t, err)
	err = db2.CreateTable(ctx)
	require.ErrorIs(t, err, dynorm.ErrTableDiffers)
	require.ErrorContains(t, err, "hash (S, HASH)")

	more, err := dynorm.NewSchema(User{}, Team{}, Post{}, Comment{})
	require.NoError(t, err)
	db3, err := dynorm.Open(client, more, dynorm.Config{Table: db.Table()})
	require.NoError(t, err)
	err = db3.CreateTable(ctx)
	require.ErrorIs(t, err, dynorm.ErrTableDiffers)
	require.ErrorContains(t, err, "index GSI2 is missing")
}

func TestOpenErrors(t *testing.T) {
	schema, err := dynorm.NewSchema(User{}, Team{})
	require.NoError(t, err)
	_, err = dynorm.Open((*dynamodb.Client)(nil), nil, dynorm.Config{Concurrency: -1})
	require.ErrorIs(t, err, dynorm.ErrInvalid)
	for _, part := range []string{"client is nil", "schema is nil", "Config.Table is empty", "Config.Concurrency"} {
		require.ErrorContains(t, err, part)
	}
	_, err = dynorm.Open(testdb.Open(t), schema, dynorm.Config{Table: "a b c"})
	require.ErrorContains(t, err, "letters, digits")
}

func TestSchemaErrors(t *testing.T) {
	type NoKey struct{ Name string }
	type Same1 struct {
		_  dynorm.Entity `dynorm:"A,prefix=X"`
		ID string
	}
	type Same2 struct {
		_  dynorm.Entity `dynorm:"B,prefix=X"`
		ID string
	}
	type FloatKey struct {
		_  dynorm.Key `pk:"F#{V}" sk:"F"`
		V  float64
		ID string
	}
	tests := []struct {
		name   string
		models []any
		texts  []string
	}{
		{"nothing", nil, []string{"no entities"}},
		{"nil", []any{nil}, []string{"nil"}},
		{"no primary key", []any{NoKey{}, Stranger{}}, []string{"NoKey"}},
		{"one would overwrite the other", []any{Same1{}, Same2{}}, []string{"overwrite", "A", "B"}},
		{"a float in a key", []any{FloatKey{}}, []string{"float"}},
		{"missing relation target", []any{Post{}}, []string{"User"}},
		{"two names for one attribute", []any{dynorm.SchemaConfig{PK: "k", SK: "k"}, Stranger{}}, []string{"PK", "SK", `"k"`}},
		{"the same type twice", []any{Stranger{}, Stranger{}}, []string{"Stranger"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := dynorm.NewSchema(tt.models...)
			require.ErrorIs(t, err, dynorm.ErrDefinition)
			for _, text := range tt.texts {
				require.ErrorContains(t, err, text)
			}
		})
	}
}
