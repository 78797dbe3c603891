package dynorm

import (
	"crypto/rand"
	"encoding/base32"
	"encoding/binary"
	"fmt"
	"time"

	"github.com/google/uuid"
)

// IDs makes the identifiers of fields tagged `ulid` or `uuid`. An
// implementation must be safe for concurrent use.
type IDs interface {
	// ULID returns a ULID for an item made at a time: 26 characters whose text
	// order is time order to the millisecond.
	ULID(at time.Time) (string, error)
	// UUID returns a random UUID in its 36-character form.
	UUID() (string, error)
}

// RandomIDs makes identifiers from crypto/rand.
type RandomIDs struct{}

// ULID returns a new ULID.
func (RandomIDs) ULID(at time.Time) (string, error) {
	ms := at.UnixMilli()
	if ms < 0 || ms >= 1<<48 {
		return "", fmt.Errorf("ulid: the time %s has none", at)
	}
	// 48 bits of the time and 80 at random, below bits of 0 to fill the groups of 40
	// that base 32 takes.
	var bits [20]byte
	binary.BigEndian.PutUint64(bits[2:], uint64(ms))
	if _, err := rand.Read(bits[10:]); err != nil {
		return "", fmt.Errorf("ulid: %w", err)
	}
	return ulidDigits.EncodeToString(bits[:])[32-ulidLength:], nil
}

// ulidLength is the length of a ULID in ulidDigits, those of Douglas Crockford.
const ulidLength = 26

var ulidDigits = base32.NewEncoding("0123456789ABCDEFGHJKMNPQRSTVWXYZ").WithPadding(base32.NoPadding)

// UUID returns a new UUID of version 4.
func (RandomIDs) UUID() (string, error) {
	id, err := uuid.NewRandom()
	if err != nil {
		return "", fmt.Errorf("uuid: %w", err)
	}
	return id.String(), nil
}
