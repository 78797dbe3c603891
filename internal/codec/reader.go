package codec

import (
	"encoding/base64"
	"encoding/json"
	"strconv"
	"unsafe"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// Object reads an object, calling fn for each member. fn must read or skip the
// value; the name is good until then.
func (r *Reader) Object(fn func(name []byte) error) error {
	if err := r.expect('{'); err != nil {
		return err
	}
	for first := true; ; first = false {
		name, more, err := r.member(first)
		if !more || err != nil {
			return err
		}
		if err := fn(name); err != nil {
			return err
		}
	}
}

// member goes on to the value of the next member of an object.
func (r *Reader) member(first bool) (name []byte, more bool, err error) {
	if more, err = r.next('}', first); !more || err != nil {
		return nil, false, err
	}
	raw, escaped, err := r.str()
	if err != nil {
		return nil, false, err
	}
	return r.view(raw, escaped), true, r.expect(':')
}

// Array reads an array, calling fn for each element, which it must read or
// skip.
func (r *Reader) Array(fn func() error) error {
	if err := r.expect('['); err != nil {
		return err
	}
	for first := true; ; first = false {
		more, err := r.next(']', first)
		if !more || err != nil {
			return err
		}
		if err := fn(); err != nil {
			return err
		}
	}
}

// Null reads null if that is what comes next.
func (r *Reader) Null() bool { return r.peek() == 'n' && r.literal("null") == nil }

// Text reads a string.
func (r *Reader) Text() (string, error) {
	raw, escaped, err := r.str()
	if err != nil {
		return "", err
	}
	return r.keep(r.view(raw, escaped)), nil
}

// Bool reads a bool.
func (r *Reader) Bool() (bool, error) {
	switch r.peek() {
	case 't':
		return true, r.literal("true")
	case 'f':
		return false, r.literal("false")
	}
	return false, r.fail("expected a bool")
}

// Float reads a number.
func (r *Reader) Float() (float64, error) {
	r.peek()
	at := r.pos
	text, err := r.number()
	if err != nil {
		return 0, err
	}
	f, err := strconv.ParseFloat(string(text), 64)
	if err != nil {
		return 0, &WireError{at, "the number overflows float64"}
	}
	return f, nil
}

// Int reads a number that is an integer.
func (r *Reader) Int() (int64, error) {
	r.peek()
	at := r.pos
	text, err := r.number()
	if err != nil {
		return 0, err
	}
	n, err := strconv.ParseInt(string(text), 10, 64)
	if err != nil {
		return 0, &WireError{at, "expected an integer of 64 bits"}
	}
	return n, nil
}

// End checks that nothing but white space is left.
func (r *Reader) End() error {
	if r.peek(); r.pos < len(r.data) {
		return r.fail("data after the value")
	}
	return nil
}

// Item reads an item into the struct at v, as [Codec.DecodeItem] does. Of each
// attribute that no field declares it calls other, unless that is nil, with the
// name and the attribute's JSON, both part of the data and not decoded. Errors
// are *[DecodeError] and *[WireError].
func (r *Reader) Item(c *Codec, v unsafe.Pointer, other func(name, raw []byte) error) error {
	r.depth = 0
	if r.orderOf != c.program {
		r.order, r.orderOf = r.order[:0], c.program
	}
	if err := c.program.read(r, v, other); err != nil {
		return within(err, c.program.t.Name())
	}
	return nil
}

// Attribute reads one attribute value; null is nil.
func (r *Reader) Attribute() (types.AttributeValue, error) {
	r.depth = 0
	return r.attribute()
}

// Attributes reads an item, or a key, as a map; null is nil.
func (r *Reader) Attributes() (map[string]types.AttributeValue, error) {
	if r.Null() {
		return nil, nil
	}
	r.depth = 0
	return r.attributes()
}

// Field reads one attribute into a field of the struct at v.
func (r *Reader) Field(f *Field, v unsafe.Pointer) error {
	p, err := f.reach(v)
	if err != nil {
		return err
	}
	r.depth = 0
	if err := r.value(f.step.coder, p); err != nil {
		return f.fault(err)
	}
	return nil
}

// tag is the kind of an attribute value on the wire.
type tag uint8

const (
	tagNone tag = iota // null instead of a value
	tagS
	tagN
	tagB
	tagBool
	tagNull
	tagL
	tagM
	tagSS
	tagNS
	tagBS
)

func (t tag) String() string {
	return [...]string{"nothing", "S", "N", "B", "BOOL", "NULL", "L", "M", "SS", "NS", "BS"}[t]
}

// tagOf returns the tag of a member's name, tagNone for any other name.
func tagOf(name []byte) tag {
	switch string(name) {
	case "S":
		return tagS
	case "N":
		return tagN
	case "B":
		return tagB
	case "BOOL":
		return tagBool
	case "NULL":
		return tagNull
	case "L":
		return tagL
	case "M":
		return tagM
	case "SS":
		return tagSS
	case "NS":
		return tagNS
	case "BS":
		return tagBS
	}
	return tagNone
}

// open goes on to the content of an attribute value: the one member that has a
// known name and is not null. tagNone is for null.
func (r *Reader) open() (tag, error) {
	// What DynamoDB sends: {"S":"
	if d := r.data[r.pos:]; len(d) >= 6 && d[0] == '{' && d[1] == '"' && d[3] == '"' && d[4] == ':' && d[5] == '"' {
		if t := tagOf(d[2:3]); t != tagNone {
			r.pos += 5
			return t, nil
		}
	}
	if r.peek() == 'n' {
		return tagNone, r.literal("null")
	}
	if err := r.expect('{'); err != nil {
		return tagNone, err
	}
	for first := true; ; first = false {
		name, more, err := r.member(first)
		switch {
		case err != nil:
			return tagNone, err
		case !more:
			r.pos--
			return tagNone, r.fail("an attribute value of no kind")
		}
		t := tagOf(name)
		switch {
		case r.Null():
		case t != tagNone:
			return t, nil
		default:
			if err := r.skip(0); err != nil {
				return tagNone, err
			}
		}
	}
}

// close goes past the end of an attribute value, where nothing but members of
// other names may be left.
func (r *Reader) close() error {
	if r.pos < len(r.data) && r.data[r.pos] == '}' {
		r.pos++
		return nil
	}
	for {
		name, more, err := r.member(false)
		if !more || err != nil {
			return err
		}
		t := tagOf(name)
		switch {
		case r.Null():
		case t != tagNone:
			return r.fail("an attribute value of two kinds")
		default:
			if err := r.skip(0); err != nil {
				return err
			}
		}
	}
}

// value reads an attribute value into the value at p.
func (r *Reader) value(c coder, p unsafe.Pointer) error {
	t, err := r.open()
	if err != nil {
		return err
	}
	return r.opened(t, c, p)
}

// opened reads an attribute value that was opened.
func (r *Reader) opened(t tag, c coder, p unsafe.Pointer) error {
	if t == tagNone || t == tagNull {
		if _, ok := c.(customCoder); !ok || t == tagNone {
			c.clear(p)
			return r.null(t)
		}
	}
	if err := c.read(r, t, p); err != nil {
		return err
	}
	return r.close()
}

// null reads what is left of a NULL, or of null, that was opened.
func (r *Reader) null(t tag) error {
	if t == tagNone {
		return nil
	}
	if _, err := r.Bool(); err != nil {
		return err
	}
	return r.close()
}

// other is the error for a kind that a coder does not expect.
func (r *Reader) other(t tag, want string) error {
	return &DecodeError{Want: want, Got: t.String()}
}

// enter goes one list or map deeper.
func (r *Reader) enter() error {
	if r.depth++; r.depth > maxDepth {
		return &DecodeError{Reason: tooDeep}
	}
	return nil
}

func (r *Reader) leave() { r.depth-- }

// scalar reads the text of an S or an N, good until the next string.
func (r *Reader) scalar() (string, error) {
	raw, escaped, err := r.str()
	if err != nil {
		return "", err
	}
	return r.viewString(raw, escaped), nil
}

// blob reads the bytes of a B into a slice of their own.
func (r *Reader) blob() ([]byte, error) {
	raw, escaped, err := r.str()
	if err != nil {
		return nil, err
	}
	at := r.pos
	text := r.view(raw, escaped)
	b := r.room(base64.StdEncoding.DecodedLen(len(text)))
	n, err := base64.StdEncoding.Decode(b, text)
	if err != nil {
		return nil, &WireError{at, "invalid base64"}
	}
	return b[:n:n], nil
}

// textList reads the elements of an SS or an NS. The slice is good until the
// next set.
func (r *Reader) textList() ([]string, error) {
	r.texts = r.texts[:0]
	err := r.Array(func() error {
		s, err := r.Text()
		r.texts = append(r.texts, s)
		return err
	})
	return r.texts, err
}

// blobList reads the elements of a BS, which are new, in a slice that is good
// until the next set.
func (r *Reader) blobList() ([][]byte, error) {
	r.blobs = r.blobs[:0]
	err := r.Array(func() error {
		b, err := r.blob()
		r.blobs = append(r.blobs, b)
		return err
	})
	return r.blobs, err
}

func (r *Reader) attribute() (types.AttributeValue, error) {
	t, err := r.open()
	if t == tagNone || err != nil {
		return nil, err
	}
	av, err := r.content(t)
	if err != nil {
		return nil, err
	}
	return av, r.close()
}

// content reads what an attribute value holds that was opened.
func (r *Reader) content(t tag) (types.AttributeValue, error) {
	switch t {
	case tagS:
		s, err := r.Text()
		return &types.AttributeValueMemberS{Value: s}, err
	case tagN:
		s, err := r.Text()
		return &types.AttributeValueMemberN{Value: s}, err
	case tagB:
		b, err := r.blob()
		return &types.AttributeValueMemberB{Value: b}, err
	case tagBool:
		b, err := r.Bool()
		return &types.AttributeValueMemberBOOL{Value: b}, err
	case tagNull:
		b, err := r.Bool()
		return &types.AttributeValueMemberNULL{Value: b}, err
	case tagSS:
		list, err := r.textList()
		return &types.AttributeValueMemberSS{Value: append([]string{}, list...)}, err
	case tagNS:
		list, err := r.textList()
		return &types.AttributeValueMemberNS{Value: append([]string{}, list...)}, err
	case tagBS:
		list, err := r.blobList()
		return &types.AttributeValueMemberBS{Value: append([][]byte{}, list...)}, err
	case tagM:
		m, err := r.attributes()
		return &types.AttributeValueMemberM{Value: m}, err
	}
	if err := r.enterJSON(); err != nil {
		return nil, err
	}
	list := []types.AttributeValue{}
	err := r.Array(func() error {
		av, err := r.attribute()
		list = append(list, av)
		return err
	})
	r.leave()
	return &types.AttributeValueMemberL{Value: list}, err
}

// enterJSON is enter for values that are handed on as they are, however deep.
func (r *Reader) enterJSON() error {
	if r.depth++; r.depth > maxNesting/2 {
		return r.fail("nested too deep")
	}
	return nil
}

func (r *Reader) attributes() (map[string]types.AttributeValue, error) {
	if err := r.enterJSON(); err != nil {
		return nil, err
	}
	m := map[string]types.AttributeValue{}
	err := r.Object(func(name []byte) error {
		key := r.keep(name)
		av, err := r.attribute()
		m[key] = av
		return err
	})
	r.leave()
	return m, err
}

// any reads what an `any` holds.
func (r *Reader) any(t tag) (any, error) {
	switch t {
	case tagS:
		return boxed(r.Text())
	case tagBool:
		return boxed(r.Bool())
	case tagB:
		return boxed(r.blob())
	case tagN:
		s, err := r.Text()
		if err == nil {
			err = decodeFaultOf(checkDecimal(s))
		}
		return boxed(json.Number(s), err)
	case tagSS:
		list, err := r.textList()
		return boxed(append(StringSet{}, list...), err)
	case tagNS:
		list, err := r.textList()
		set := make(NumberSet, len(list))
		for i, n := range list {
			if err == nil {
				err = under(decodeFaultOf(checkDecimal(n)), indexStep(i))
			}
			set[i] = json.Number(n)
		}
		return boxed(set, err)
	case tagBS:
		list, err := r.blobList()
		return boxed(append(BinarySet{}, list...), err)
	}
	if err := r.enter(); err != nil {
		return nil, err
	}
	defer r.leave()
	if t == tagM {
		m := map[string]any{}
		err := r.Object(func(name []byte) error {
			key := r.keep(name)
			var x any
			if err := r.value(anyCoder{}, unsafe.Pointer(&x)); err != nil {
				return under(err, keyStep(key))
			}
			m[key] = x
			return nil
		})
		return m, err
	}
	list := []any{}
	err := r.Array(func() error {
		list = append(list, nil)
		if err := r.value(anyCoder{}, unsafe.Pointer(&list[len(list)-1])); err != nil {
			return under(err, indexStep(len(list)-1))
		}
		return nil
	})
	return list, err
}

func boxed[T any](v T, err error) (any, error) { return v, err }

func decodeFaultOf(err error) error {
	if err == nil {
		return nil
	}
	return decodeFault(err)
}
