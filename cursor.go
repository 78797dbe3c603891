package dynorm

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"hash"
	"slices"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// A cursor is the place between two items of a query, as text that is safe in
// URLs and JSON: the base64url form of
//
//	version, flags             one byte each
//	fingerprint                of the query, 12 bytes
//	the state of each branch   one byte, then for a branch under way the keys
//	                           of the last item seen, each with its length
//	authenticator              of all before: 8 bytes of a hash, or 16 bytes of
//	                           an HMAC where the DB has cursor keys
//
// The partition keys come from the query and not from the cursor, so that no
// cursor leads into another partition.
const (
	cursorVersion   = 1
	fingerprintSize = 12
	checksumSize    = 8
	macSize         = 16

	flagBackward = 1 << 0
	flagSigned   = 1 << 1
)

// position is how far the reading of each branch has come.
type position struct {
	backward bool
	states   []branchState
}

// branchState is how far the reading of a branch has come.
type branchState struct {
	phase branchPhase
	key   Item // the item after which to go on
}

type branchPhase uint8

const (
	unread branchPhase = iota
	underWay
	done
)

// fingerprint identifies what a query asks for: its entity, table, index, keys,
// filters and direction, and whose items. Limits and projections may differ from page to page.
func (r *reader) fingerprint() []byte {
	h := sha256.New()
	add := func(parts ...string) {
		for _, part := range parts {
			var size [4]byte
			binary.BigEndian.PutUint32(size[:], uint32(len(part)))
			h.Write(size[:])
			h.Write([]byte(part))
		}
	}
	p := r.p
	add(p.e.def.Name, r.db.table, string(p.kind), p.path.index, strconv.FormatBool(p.forward), strconv.FormatBool(p.merge),
		strconv.Itoa(len(p.branches)))
	if r.tenant != (Tenant{}) {
		add("tenant", r.tenant.Table, r.tenant.Prefix)
	}
	for i := range p.branches {
		b := &p.branches[i]
		add(b.pk, strconv.Itoa(int(b.sk.op)), b.sk.low, b.sk.high, b.request.filter)
		if p.path.native {
			add(b.request.key)
		}
		for n, av := range b.request.values {
			if n != b.request.now {
				hashValue(h, av)
			}
		}
		add(b.request.names...)
	}
	return h.Sum(nil)[:fingerprintSize]
}

// hashValue adds a value to a hash. Values of filters print the same way every
// time: fmt sorts maps.
func hashValue(h hash.Hash, av types.AttributeValue) {
	switch av := av.(type) {
	case *types.AttributeValueMemberS:
		fmt.Fprintf(h, "S%d:%s", len(av.Value), av.Value)
	case *types.AttributeValueMemberN:
		fmt.Fprintf(h, "N%d:%s", len(av.Value), av.Value)
	case *types.AttributeValueMemberL:
		fmt.Fprintf(h, "L%d:", len(av.Value))
		for _, elem := range av.Value {
			hashValue(h, elem)
		}
	case *types.AttributeValueMemberM:
		fmt.Fprintf(h, "M%d:", len(av.Value))
		names := make([]string, 0, len(av.Value))
		for name := range av.Value {
			names = append(names, name)
		}
		slices.Sort(names)
		for _, name := range names {
			fmt.Fprintf(h, "%d:%s", len(name), name)
			hashValue(h, av.Value[name])
		}
	case *types.AttributeValueMemberB:
		fmt.Fprintf(h, "B%d:%x", len(av.Value), av.Value)
	case *types.AttributeValueMemberBOOL:
		fmt.Fprintf(h, "BOOL%t", av.Value)
	case *types.AttributeValueMemberSS:
		fmt.Fprintf(h, "SS%q", av.Value)
	case *types.AttributeValueMemberNS:
		fmt.Fprintf(h, "NS%q", av.Value)
	case *types.AttributeValueMemberBS:
		fmt.Fprintf(h, "BS%x", av.Value)
	default:
		fmt.Fprintf(h, "%T", av)
	}
}

// placeAttrs are the attributes that a cursor holds of an item: what tells its
// place beside the partition key that the query gives.
func (p *plan) placeAttrs() []string {
	attrs := p.path.keyAttrs(p.e)
	if p.kind == OpScan {
		return attrs
	}
	return slices.DeleteFunc(attrs, func(attr string) bool { return attr == p.path.pk.attr })
}

// encode writes a position as a cursor.
func (r *reader) encode(pos position) (string, error) {
	flags := byte(0)
	if pos.backward {
		flags |= flagBackward
	}
	keys := r.db.cfg.CursorKeys
	if len(keys) > 0 {
		flags |= flagSigned
	}
	buf := append(make([]byte, 0, 128), cursorVersion, flags)
	buf = append(buf, r.fingerprint()...)
	attrs := r.p.placeAttrs()
	for _, st := range pos.states {
		buf = append(buf, byte(st.phase))
		if st.phase != underWay {
			continue
		}
		for _, attr := range attrs {
			text, ok := cursorText(st.key[attr])
			if !ok {
				return "", faultf(ErrValue, "an item came without its key attribute %s", attr)
			}
			buf = binary.AppendUvarint(buf, uint64(len(text)))
			buf = append(buf, text...)
		}
	}
	if len(keys) > 0 {
		buf = append(buf, cursorMAC(keys[0], buf)...)
	} else {
		buf = append(buf, checksum(buf)...)
	}
	return base64.RawURLEncoding.EncodeToString(buf), nil
}

func checksum(data []byte) []byte {
	sum := sha256.Sum256(data)
	return sum[:checksumSize]
}

func cursorMAC(key, data []byte) []byte {
	mac := hmac.New(sha256.New, key)
	mac.Write(data)
	return mac.Sum(nil)[:macSize]
}

// decode reads a cursor of the reader's query. What is wrong with it is an
// ErrCursor.
func (r *reader) decode(cursor string) (position, error) {
	data, err := base64.RawURLEncoding.Strict().DecodeString(cursor)
	if err != nil || len(data) < 2+fingerprintSize+checksumSize {
		return position{}, faultf(ErrCursor, "the cursor is damaged")
	}
	if data[0] != cursorVersion {
		return position{}, faultf(ErrCursor, "the cursor is of version %d, this is %d", data[0], cursorVersion)
	}
	flags := data[1]
	if data, err = r.authenticate(data, flags&flagSigned != 0); err != nil {
		return position{}, err
	}
	data = data[2:]
	if subtle.ConstantTimeCompare(data[:fingerprintSize], r.fingerprint()) != 1 {
		return position{}, faultf(ErrCursor, "the cursor belongs to another query")
	}
	pos := position{backward: flags&flagBackward != 0}
	if pos.backward && r.p.kind == OpScan {
		return position{}, faultf(ErrCursor, "a scan reads in one direction only")
	}
	if pos.states, err = r.decodeStates(data[fingerprintSize:]); err != nil {
		return position{}, err
	}
	return pos, nil
}

// authenticate checks the authenticator of a cursor and cuts it off.
func (r *reader) authenticate(data []byte, signed bool) ([]byte, error) {
	keys := r.db.cfg.CursorKeys
	switch {
	case !signed && len(keys) > 0:
		return nil, faultf(ErrCursor, "the cursor is not signed")
	case signed && len(keys) == 0:
		return nil, faultf(ErrCursor, "the cursor is signed and there are no Config.CursorKeys to check it by")
	case !signed:
		body, sum := data[:len(data)-checksumSize], data[len(data)-checksumSize:]
		if subtle.ConstantTimeCompare(sum, checksum(body)) != 1 {
			return nil, faultf(ErrCursor, "the cursor is damaged")
		}
		return body, nil
	}
	if len(data) < 2+fingerprintSize+macSize {
		return nil, faultf(ErrCursor, "the cursor is damaged")
	}
	body, mac := data[:len(data)-macSize], data[len(data)-macSize:]
	for _, key := range keys {
		if subtle.ConstantTimeCompare(mac, cursorMAC(key, body)) == 1 {
			return body, nil
		}
	}
	return nil, faultf(ErrCursor, "the cursor was changed, or signed by a key that is no longer in Config.CursorKeys")
}

// decodeStates reads the states of the branches.
func (r *reader) decodeStates(data []byte) ([]branchState, error) {
	damaged := faultf(ErrCursor, "the cursor is damaged")
	attrs := r.p.placeAttrs()
	states := make([]branchState, len(r.p.branches))
	for i := range states {
		if len(data) == 0 || data[0] > byte(done) {
			return nil, damaged
		}
		states[i].phase, data = branchPhase(data[0]), data[1:]
		if states[i].phase != underWay {
			continue
		}
		b := &r.p.branches[i]
		key := Item{}
		switch {
		case r.p.path.native && r.p.path.kind == globalPath:
		case r.p.path.native:
			key[r.p.path.pk.attr] = b.native[0].vals[0]
		case r.p.kind != OpScan:
			key[r.p.path.pk.attr] = stringValue(b.pk)
		}
		for _, attr := range attrs {
			size, n := binary.Uvarint(data)
			if n <= 0 || size == 0 || size > uint64(len(data)-n) {
				return nil, damaged
			}
			text := string(data[n : n+int(size)])
			data = data[n+int(size):]
			if attr == r.p.path.sk.attr && !b.sk.holds(text) {
				return nil, faultf(ErrCursor, "the cursor lies outside of the query")
			}
			key[attr] = r.p.path.keyValue(attr, text)
		}
		for _, term := range b.native {
			if !term.holds(key[term.attr]) {
				return nil, faultf(ErrCursor, "the cursor lies outside of the query")
			}
		}
		states[i].key = key
	}
	if len(data) > 0 {
		return nil, damaged
	}
	return states, nil
}
