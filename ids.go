package dynorm

import (
	"crypto/rand"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/oklog/ulid/v2"
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
	id, err := ulid.New(ulid.Timestamp(at), rand.Reader)
	if err != nil {
		return "", fmt.Errorf("ulid: %w", err)
	}
	return id.String(), nil
}

// UUID returns a new UUID of version 4.
func (RandomIDs) UUID() (string, error) {
	id, err := uuid.NewRandom()
	if err != nil {
		return "", fmt.Errorf("uuid: %w", err)
	}
	return id.String(), nil
}
