package dynorm

import (
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// hides reports whether the reader's query does not see an item that was read
// by its key.
func (r *reader) hides(item Item) bool {
	for i := range r.p.hidden {
		if !r.p.hidden[i].holdsFor(item, r.now) {
			return true
		}
	}
	return false
}

// holdsFor evaluates a condition that the library adds to queries.
func (c *cond) holdsFor(item Item, now time.Time) bool {
	switch c.op {
	case opNotExists:
		return item[c.attr] == nil
	case opExists:
		return item[c.attr] != nil
	}
	return !expired(item[c.subs[0].attr], now)
}

// expired reports whether a time to live has passed.
func expired(av types.AttributeValue, now time.Time) bool {
	n, ok := av.(*types.AttributeValueMemberN)
	if !ok {
		return false
	}
	seconds, err := strconv.ParseFloat(n.Value, 64)
	return err == nil && seconds <= float64(now.Unix())
}

// hidden reports whether reads do not see an item unless asked for: it was
// deleted softly, or its time to live has passed.
func (e *entity) hidden(item Item, now time.Time) bool {
	return e.deletedAttr != "" && item[e.deletedAttr] != nil || e.ttlAttr != "" && expired(item[e.ttlAttr], now)
}
