package dynorm

import (
	"strings"
	"testing"
	"time"
	"unsafe"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// StraightBase is embedded, so that it has to be exported.
type StraightBase struct {
	Rank   int32
	Region *string
}

type straightPlace struct {
	City string
	Zip  *int
}

// straightItemModel has inputs of index entries of every kind that can be
// stored otherwise than it looks.
type straightItemModel struct {
	_ Entity `dynorm:"Straight,timestamps,ttl=1h,softdelete"`
	_ Key    `pk:"T#{Tenant}" sk:"I#{ID}"`
	_ Index  `dynorm:"byPlace" pk:"CITY#{Place.City}#{Place.Zip}" sk:"{Count}#{At}#{ID}" when:"Status!=done"`
	_ Index  `dynorm:"byRank" pk:"RANK#{Rank}" sk:"{Region}#{Seen}" when:"Score>3"`
	_ Unique `dynorm:"Tenant,Count"`

	ID     string
	Tenant string
	Status string
	Team   string `dynorm:",index"`
	Count  int    `dynorm:",omitempty"`
	Score  float64
	At     time.Time `dynorm:",precision=ms"`
	Seen   time.Time `dynorm:",unixtime"`
	Place  *straightPlace
	Tags   []string `dynorm:",set"`
	*StraightBase
}

func TestStraightItems(t *testing.T) {
	schema, err := NewSchema(straightItemModel{})
	require.NoError(t, err)
	e := schema.entities[0]
	require.True(t, e.straight)
	texts := rapid.SampledFrom([]string{"", "a", "a#b", "%", "é\n\"", "\u2028"})
	times := rapid.SampledFrom([]time.Time{{}, time.Unix(0, 1), time.Date(2026, 3, 14, 15, 9, 26, 535897932, time.FixedZone("", 3600))})
	entries := 0
	rapid.Check(t, func(t *rapid.T) {
		v := straightItemModel{
			ID: texts.Draw(t, "id"), Tenant: texts.Draw(t, "tenant"), Team: texts.Draw(t, "team"),
			Status: rapid.SampledFrom([]string{"", "open", "done"}).Draw(t, "status"),
			Count:  rapid.IntRange(0, 2).Draw(t, "count"), Score: float64(rapid.IntRange(2, 5).Draw(t, "score")),
			At: times.Draw(t, "at"), Seen: times.Draw(t, "seen"), Tags: rapid.SliceOfN(texts, 0, 3).Draw(t, "tags"),
		}
		if rapid.Bool().Draw(t, "placed") {
			v.Place = &straightPlace{City: texts.Draw(t, "city"), Zip: rapid.Ptr(rapid.Int(), true).Draw(t, "zip")}
		}
		if rapid.Bool().Draw(t, "based") {
			v.StraightBase = &StraightBase{rapid.Int32Range(0, 1).Draw(t, "rank"), rapid.Ptr(texts, true).Draw(t, "region")}
		}
		now, isNew := time.Now(), rapid.Bool().Draw(t, "new")
		want, wantErr := e.encode(unsafe.Pointer(&v), now, isNew)
		got, key, gotErr := e.encodeStraight(unsafe.Pointer(&v), now, isNew, &arena{})
		require.Equal(t, wantErr, gotErr)
		if wantErr != nil {
			return
		}
		item, err := got.whole()
		require.NoError(t, err)
		require.Equal(t, want, item)
		require.Equal(t, e.keyID(want), key.id)
		for attr := range item {
			if strings.HasPrefix(attr, "gsi") {
				entries++
			}
		}
	})
	require.Positive(t, entries, "no index entry was compared")
}

// An item that the JSON of is longer than DynamoDB's limit may still be within it.
func TestStraightItemSize(t *testing.T) {
	type note struct {
		ID   string
		Text string
	}
	schema, err := NewSchema(note{})
	require.NoError(t, err)
	e := schema.entities[0]
	fits := note{"1", strings.Repeat("\"", maxItemSize*3/4)}
	item, _, err := e.encodeStraight(unsafe.Pointer(&fits), time.Now(), true, &arena{})
	require.NoError(t, err)
	require.Greater(t, len(item.raw), maxItemSize)
	over := note{"1", strings.Repeat("x", maxItemSize)}
	_, _, err = e.encodeStraight(unsafe.Pointer(&over), time.Now(), true, &arena{})
	require.ErrorIs(t, err, ErrTooLarge)
}

// An item in which one attribute would be set twice is not written straight.
func TestNotStraight(t *testing.T) {
	type stamped struct {
		_         Entity `dynorm:"Stamped"`
		ID        string
		UpdatedAt string
	}
	schema, err := NewSchema(stamped{})
	require.NoError(t, err)
	e := schema.entities[0]
	require.True(t, e.straight)
	e.updatedAttr = "updatedAt" // as the trait would have it, which refuses such a field
	require.False(t, e.encodesStraight())
}
