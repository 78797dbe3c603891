package engine

import (
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"maps"
	"slices"
	"time"

	"github.com/dynorm/dynorm/internal/engine/store"
)

// tokenLife is how long an idempotency token is known.
const tokenLife = 10 * time.Minute

// tokens are the idempotency tokens of the last ten minutes. They are kept as
// hashes, which holds no request's memory and gives the garbage collector
// nothing to follow.
type tokens struct {
	known map[sum]tokenUse
	order []tokenAge // oldest first
}

type sum [16]byte

func sumOf(text []byte) sum {
	whole := sha256.Sum256(text)
	return sum(whole[:])
}

type tokenUse struct {
	request sum
	at      int64 // nanoseconds of the clock
}

type tokenAge struct {
	token sum
	at    int64
}

// seen reports whether the token was used for the same request in the last ten
// minutes; for another request it is an error.
func (e *Engine) seen(token, request sum, now time.Time) (bool, error) {
	for _, age := range e.tokens.prune(now) {
		e.forgetToken(age)
	}
	switch use, ok := e.tokens.known[token]; {
	case !ok:
		return false, nil
	case use.request != request:
		return false, fault("IdempotentParameterMismatchException", "Specified idempotent token was used with different request parameters within the idempotency window")
	}
	return true, nil
}

// prune forgets the tokens that are too old to matter, and returns them.
func (ts *tokens) prune(now time.Time) []tokenAge {
	n := 0
	for n < len(ts.order) && now.UnixNano()-ts.order[n].at >= int64(tokenLife) {
		if ts.known[ts.order[n].token].at == ts.order[n].at {
			delete(ts.known, ts.order[n].token)
		}
		n++
	}
	old := ts.order[:n]
	ts.order = ts.order[n:]
	return old
}

// add notes the use of a token.
func (ts *tokens) add(token, request sum, now time.Time) tokenAge {
	if ts.known == nil {
		ts.known = make(map[sum]tokenUse)
	}
	age := tokenAge{token, now.UnixNano()}
	ts.known[token] = tokenUse{request, age.at}
	ts.order = append(ts.order, age)
	return age
}

func (ts *tokens) copy() tokens {
	return tokens{maps.Clone(ts.known), slices.Clone(ts.order)}
}

// keepToken notes the last use of an idempotency token.
func (e *Engine) keepToken(age tokenAge) {
	if e.disk == nil {
		return
	}
	request := e.tokens.known[age.token].request
	e.put(tokensPart, age.storeKey(), request[:])
}

// keepTokens notes all tokens that are known.
func (e *Engine) keepTokens() {
	if e.disk == nil {
		return
	}
	for _, age := range e.tokens.order {
		if e.tokens.known[age.token].at == age.at {
			e.keepToken(age)
		}
	}
}

// forgetToken notes that a token is too old to matter.
func (e *Engine) forgetToken(age tokenAge) {
	if e.disk != nil {
		e.remove(tokensPart, age.storeKey())
	}
}

func (e *Engine) loadToken(_ *store.Store, key, stored string) error {
	if len(key) != tokenKeySize || len(stored) != len(sum{}) {
		return errors.New("an idempotency token has the wrong size")
	}
	at := int64(binary.BigEndian.Uint64([]byte(key[:8])))
	e.tokens.add(sum([]byte(key[8:])), sum([]byte(stored)), time.Unix(0, at))
	return nil
}

const tokenKeySize = 8 + len(sum{})

// storeKey returns where the use of the token is stored: in order of time.
func (a tokenAge) storeKey() string {
	key := binary.BigEndian.AppendUint64(make([]byte, 0, tokenKeySize), uint64(a.at))
	return string(append(key, a.token[:]...))
}
