package dynorm_test

import (
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/stretchr/testify/require"

	"github.com/dynorm/dynorm"
)

func TestUpsertAndKin(t *testing.T) {
	s := open(t, User{}, Team{}, OrderItem{}, Account{})
	users, items, accounts := dynorm.ModelOf[User](s.db), dynorm.ModelOf[OrderItem](s.db), dynorm.ModelOf[Account](s.db)
	ctx := t.Context()

	created, err := users.Upsert(ctx, &User{ID: "1", Name: "a"})
	require.NoError(t, err)
	require.True(t, created)
	created, err = users.Upsert(ctx, &User{ID: "1", Name: "b"})
	require.NoError(t, err)
	require.False(t, created)
	item := &OrderItem{SKU: "s"}
	_, err = items.Upsert(ctx, item)
	require.NoError(t, err)
	_, err = items.Upsert(ctx, &OrderItem{SKU: "s"})
	require.ErrorIs(t, err, dynorm.ErrStaleVersion)

	s.kinds()
	u, created, err := users.FirstOrCreate(ctx, &User{ID: "1", Name: "c"})
	require.NoError(t, err)
	require.False(t, created)
	require.Equal(t, "b", u.Name)
	require.Equal(t, []dynorm.OpKind{dynorm.OpGetItem}, s.kinds())
	var wg sync.WaitGroup
	made := make([]bool, 20)
	for i := range made {
		wg.Go(func() {
			u, created, err := users.FirstOrCreate(ctx, &User{ID: "race", Name: fmt.Sprint(i)})
			require.NoError(t, err)
			require.NotNil(t, u)
			made[i] = created
		})
	}
	wg.Wait()
	n := 0
	for _, m := range made {
		if m {
			n++
		}
	}
	require.Equal(t, 1, n)

	u, created, err = users.UpdateOrCreate(ctx, &User{ID: "9", Logins: 5}, dynorm.Add("logins", 1), dynorm.Set("teamId", "t"), dynorm.Append("notes", "n"))
	require.NoError(t, err)
	require.True(t, created)
	require.Equal(t, &User{ID: "9", Logins: 6, TeamID: "t", Notes: []string{"n"}}, u)
	require.Equal(t, "TEAM#t", s.raw(t, "USER#9", "USER#9")["gsi1pk"])
	u, created, err = users.UpdateOrCreate(ctx, &User{ID: "9"}, dynorm.Add("logins", 1))
	require.NoError(t, err)
	require.False(t, created)
	require.EqualValues(t, 7, u.Logins)
	u, err = users.Increment(ctx, "9", "logins", -3)
	require.NoError(t, err)
	require.EqualValues(t, 4, u.Logins)

	require.NoError(t, users.Touch(ctx, "9"))
	require.ErrorIs(t, users.Touch(ctx, "nobody"), dynorm.ErrNotFound)
	require.ErrorIs(t, accounts.Touch(ctx, "x"), dynorm.ErrInvalid)

	a := &Account{ID: "a", Email: "e", Note: "n", Tenant: "t"}
	c, err := accounts.Replicate(a)
	require.NoError(t, err)
	require.Equal(t, &Account{ID: "a", Note: "n"}, c)
}

type PageView struct {
	_ dynorm.Entity `dynorm:"PageView,timestamps"`
	_ dynorm.Key    `pk:"SITE#{Site}" sk:"VISIT#{At}"`

	Site  string
	At    time.Time
	Token string `dynorm:",unique"`
	Page  string `dynorm:",index"`
	V     int64  `dynorm:"_v,version"`
}

func TestMove(t *testing.T) {
	s := open(t, PageView{})
	visits := dynorm.ModelOf[PageView](s.db)
	ctx := t.Context()
	v := &PageView{Site: "a", At: clock, Token: "t1", Page: "p"}
	require.NoError(t, visits.Create(ctx, v))
	sk := "VISIT#2026-03-04T05:06:07.089000000Z"
	_, err := s.client.UpdateItem(ctx, &dynamodb.UpdateItemInput{
		TableName:                 aws.String(s.db.Table()),
		Key:                       dynorm.Item{"pk": &types.AttributeValueMemberS{Value: "SITE#a"}, "sk": &types.AttributeValueMemberS{Value: sk}},
		UpdateExpression:          aws.String("SET legacy = :v"),
		ExpressionAttributeValues: dynorm.Item{":v": &types.AttributeValueMemberS{Value: "kept"}},
	})
	require.NoError(t, err)
	before := s.raw(t, "SITE#a", sk)
	s.kinds()
	got, err := visits.Move(ctx, v, func(v *PageView) error { v.Site, v.Page = "b", ""; return nil })
	require.NoError(t, err)
	require.Equal(t, []dynorm.OpKind{dynorm.OpGetItem, dynorm.OpTransactWriteItems}, s.kinds())
	require.EqualValues(t, 2, got.V)
	require.Empty(t, s.raw(t, "SITE#a", sk))
	after := s.raw(t, "SITE#b", sk)
	require.Equal(t, "kept", after["legacy"])
	require.Equal(t, before["createdAt"], after["createdAt"])
	require.NotContains(t, after, "gsi1pk")
	require.Empty(t, uniqueFaults(t, s.db), "the claim names the new key")

	_, err = visits.Move(ctx, got, func(v *PageView) error { v.Site, v.Token = "c", "t2"; return nil })
	require.NoError(t, err)
	require.Empty(t, uniqueFaults(t, s.db))
	require.NoError(t, visits.Create(ctx, &PageView{Site: "a", At: clock, Token: "t1"}), "the old value is free")

	boom := errors.New("boom")
	key := PageView{Site: "c", At: clock}
	for _, tt := range []struct {
		fn   func(*PageView) error
		key  any
		want error
	}{
		{func(v *PageView) error { v.Site = "a"; return nil }, key, dynorm.ErrExists},
		{func(v *PageView) error { v.Site, v.Token = "d", "t1"; return nil }, key, dynorm.ErrUnique},
		{func(v *PageView) error { v.Page = "x"; return nil }, key, dynorm.ErrInvalid},
		{func(*PageView) error { return boom }, key, boom},
		{func(*PageView) error { return nil }, PageView{Site: "nobody", At: clock}, dynorm.ErrNotFound},
		{func(v *PageView) error {
			v.Site = "d"
			_, err := visits.Update(ctx, key, dynorm.Set("page", "y"))
			return err
		}, key, dynorm.ErrStaleVersion},
	} {
		_, err := visits.Move(ctx, tt.key, tt.fn)
		require.ErrorIs(t, err, tt.want)
	}
	require.Empty(t, uniqueFaults(t, s.db))
}
