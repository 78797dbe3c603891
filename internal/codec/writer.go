package codec

import (
	"encoding/base64"
	"encoding/binary"
	"slices"
	"unicode/utf8"
	"unsafe"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// AppendItem appends the struct at v as an item in DynamoDB's JSON, its
// attributes in declared order and the entries of maps sorted: the same value
// gives the same bytes. It holds what [Codec.EncodeItem] makes. Errors are
// *[EncodeError]; dst is then returned as it was given.
func (c *Codec) AppendItem(dst []byte, v unsafe.Pointer) ([]byte, error) {
	out, err := c.AppendMembers(append(dst, '{'), v)
	if err != nil {
		return dst, err
	}
	return append(out, '}'), nil
}

// AppendMembers is [Codec.AppendItem] without the braces, after any members
// that dst holds already.
func (c *Codec) AppendMembers(dst []byte, v unsafe.Pointer) ([]byte, error) {
	e := newEncoder(&budget{})
	defer e.release()
	out, err := c.program.append(e, dst, v)
	if err != nil {
		return dst, within(err, c.program.t.Name())
	}
	return out, nil
}

// AppendValue appends the attribute of the field in the struct at v; ok is
// false, and nothing appended, when it is omitted.
func (f *Field) AppendValue(dst []byte, v unsafe.Pointer) (out []byte, ok bool, err error) {
	p := f.at(v)
	if p == nil || f.OmitEmpty && f.step.coder.zero(p) {
		return dst, false, nil
	}
	e := newEncoder(&budget{})
	defer e.release()
	out, ok, err = f.step.coder.append(e, dst, p)
	switch {
	case err != nil:
		return dst, false, f.fault(err)
	case !ok && f.Null:
		return append(dst, null...), true, nil
	}
	return out, ok, nil
}

const null = `{"NULL":true}`

// AppendAttribute appends an attribute value in DynamoDB's JSON, the entries of
// maps sorted. Nil is null.
func AppendAttribute(dst []byte, av types.AttributeValue) []byte {
	switch v := av.(type) {
	case *types.AttributeValueMemberS:
		return append(AppendText(append(dst, `{"S":`...), v.Value), '}')
	case *types.AttributeValueMemberN:
		return append(AppendText(append(dst, `{"N":`...), v.Value), '}')
	case *types.AttributeValueMemberB:
		return append(appendBlob(append(dst, `{"B":`...), v.Value), '}')
	case *types.AttributeValueMemberBOOL:
		if v.Value {
			return append(dst, `{"BOOL":true}`...)
		}
		return append(dst, `{"BOOL":false}`...)
	case *types.AttributeValueMemberNULL:
		if v.Value {
			return append(dst, null...)
		}
		return append(dst, `{"NULL":false}`...)
	case *types.AttributeValueMemberSS:
		return append(appendTexts(append(dst, `{"SS":`...), v.Value), '}')
	case *types.AttributeValueMemberNS:
		return append(appendTexts(append(dst, `{"NS":`...), v.Value), '}')
	case *types.AttributeValueMemberBS:
		return append(appendBlobs(append(dst, `{"BS":`...), v.Value), '}')
	case *types.AttributeValueMemberL:
		dst = append(dst, `{"L":[`...)
		for i, av := range v.Value {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = AppendAttribute(dst, av)
		}
		return append(dst, "]}"...)
	case *types.AttributeValueMemberM:
		return append(AppendAttributes(append(dst, `{"M":`...), v.Value), '}')
	}
	return append(dst, "null"...)
}

// AppendAttributes appends an item or a key in DynamoDB's JSON, its attributes
// sorted.
func AppendAttributes(dst []byte, m map[string]types.AttributeValue) []byte {
	dst = append(dst, '{')
	var room [24]string
	names := room[:0]
	for name := range m {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		dst = AppendAttribute(AppendName(dst, name), m[name])
	}
	return append(dst, '}')
}

// AppendName appends the name of a member and a colon, after a comma if members
// came before in the object.
func AppendName(dst []byte, name string) []byte {
	return append(AppendText(separate(dst), name), ':')
}

// AppendString appends a member that is an attribute of type S.
func AppendString(dst []byte, name, s string) []byte {
	return append(AppendText(append(AppendName(dst, name), `{"S":`...), s), '}')
}

// separate appends the comma between members and elements, unless dst ends
// where their list begins.
func separate(dst []byte) []byte {
	if n := len(dst); n > 0 && dst[n-1] != '{' && dst[n-1] != '[' {
		return append(dst, ',')
	}
	return dst
}

// AppendText appends a JSON string. Bytes that are no UTF-8 become U+FFFD, as
// they do in the SDK.
func AppendText(dst []byte, s string) []byte {
	dst = append(dst, '"')
	if isPlainText(s) {
		dst = append(dst, s...)
	} else {
		dst = appendEscaped(dst, s)
	}
	return append(dst, '"')
}

// isPlainText reports whether s is ASCII that stands for itself in JSON.
func isPlainText(s string) bool {
	const word = 8
	if len(s) < word {
		for i := range len(s) {
			if c := s[i]; c < ' ' || c == '"' || c == '\\' || c >= utf8.RuneSelf {
				return false
			}
		}
		return true
	}
	for i := 0; i < len(s)-word; i += word {
		if !isPlainWord(s[i:]) {
			return false
		}
	}
	return isPlainWord(s[len(s)-word:]) // some of it for the second time
}

// isPlainWord is isPlainText of the first eight bytes.
func isPlainWord(s string) bool {
	w := binary.LittleEndian.Uint64(unsafe.Slice(unsafe.StringData(s), 8))
	return (special(w) | w&highs) == 0
}

const hexDigits = "0123456789abcdef"

func appendEscaped(dst []byte, s string) []byte {
	start := 0
	for i := 0; i < len(s); {
		c := s[i]
		if c < utf8.RuneSelf {
			if c >= ' ' && c != '"' && c != '\\' {
				i++
				continue
			}
			dst = append(dst, s[start:i]...)
			switch c {
			case '"', '\\':
				dst = append(dst, '\\', c)
			case '\n':
				dst = append(dst, '\\', 'n')
			case '\r':
				dst = append(dst, '\\', 'r')
			case '\t':
				dst = append(dst, '\\', 't')
			default:
				dst = append(dst, '\\', 'u', '0', '0', hexDigits[c>>4], hexDigits[c&15])
			}
			i++
			start = i
			continue
		}
		v, n := utf8.DecodeRuneInString(s[i:])
		switch {
		case v == utf8.RuneError && n == 1:
			dst = append(append(dst, s[start:i]...), "\ufffd"...)
			start = i + n
		case v == '\u2028' || v == '\u2029':
			dst = append(append(dst, s[start:i]...), '\\', 'u', '2', '0', '2', hexDigits[v&15])
			start = i + n
		}
		i += n
	}
	return append(dst, s[start:]...)
}

func appendBlob(dst, b []byte) []byte {
	dst = append(dst, '"')
	dst = base64.StdEncoding.AppendEncode(dst, b)
	return append(dst, '"')
}

func appendTexts(dst []byte, list []string) []byte {
	dst = append(dst, '[')
	for _, s := range list {
		dst = AppendText(separate(dst), s)
	}
	return append(dst, ']')
}

func appendBlobs(dst []byte, list [][]byte) []byte {
	dst = append(dst, '[')
	for _, b := range list {
		dst = appendBlob(separate(dst), b)
	}
	return append(dst, ']')
}

// appendScalar appends an attribute value of the kind that head opens, with the
// text form of the value at p.
func (e *encoder) appendScalar(dst []byte, head string, v plain, p unsafe.Pointer) ([]byte, error) {
	dst = append(dst, head...)
	start := len(dst)
	out, err := v.append(dst, p)
	if err != nil {
		return dst, encodeFault(err)
	}
	text := out[start:]
	if s := unsafe.String(unsafe.SliceData(text), len(text)); !isPlainText(s) {
		if err := checkText(s); err != nil {
			return dst[:start-len(head)], err
		}
		e.scratch = append(e.scratch[:0], s...)
		out = appendEscaped(out[:start], unsafe.String(unsafe.SliceData(e.scratch), len(e.scratch)))
	}
	return append(out, `"}`...), nil
}
