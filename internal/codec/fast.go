package codec

import (
	"strconv"
	"time"
	"unicode/utf8"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/dynorm/dynorm/internal/keytmpl"
)

// fastOperand encodes a loose value of a field's own type, for the types that
// most conditions compare, without reflection. What it leaves alone, errors
// included, is for [Field.EncodeOperand] to see to.
func (f *Field) fastOperand(val any) types.AttributeValue {
	switch v := val.(type) {
	case string:
		if _, ok := f.step.coder.(stringCoder); ok && utf8.ValidString(v) {
			return &types.AttributeValueMemberS{Value: v}
		}
	case int:
		if isPlain[*intText[int]](f) {
			return &types.AttributeValueMemberN{Value: strconv.Itoa(v)}
		}
	case int64:
		if isPlain[*intText[int64]](f) {
			return &types.AttributeValueMemberN{Value: strconv.FormatInt(v, 10)}
		}
	case time.Time:
		c, ok := f.step.coder.(*textCoder)
		if !ok {
			return nil
		}
		text, ok := c.plain.(timeText)
		if !ok {
			return nil
		}
		var room [40]byte
		if dst, err := appendTime(room[:0], v, text.digits); err == nil {
			return &types.AttributeValueMemberS{Value: string(dst)}
		}
	}
	return nil
}

// isPlain reports whether a field is a number stored by a text form.
func isPlain[T plain](f *Field) bool {
	c, ok := f.step.coder.(*numberCoder)
	if !ok {
		return false
	}
	_, ok = c.plain.(T)
	return ok
}

// fastPart is [Field.PartOf] for the types that fastOperand knows; ok is false
// where it leaves the value alone.
func (f *Field) fastPart(av types.AttributeValue) (part keytmpl.Part, ok bool) {
	switch v := av.(type) {
	case *types.AttributeValueMemberS:
		switch c := f.step.coder.(type) {
		case stringCoder:
			return keytmpl.Text(v.Value), true
		case *textCoder:
			text, ok := c.plain.(timeText)
			if !ok {
				return part, false
			}
			if t, ok := parseUTC(v.Value); ok {
				return keytmpl.Time(truncate(t, text.digits)), true
			}
		}
	case *types.AttributeValueMemberN:
		if isPlain[*intText[int]](f) || isPlain[*intText[int64]](f) {
			if n, err := strconv.ParseInt(v.Value, 10, 64); err == nil {
				return keytmpl.Int(n), true
			}
		}
	}
	return part, false
}
