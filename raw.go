package dynorm

import (
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/dynorm/dynorm/internal/codec"
	"github.com/dynorm/dynorm/internal/expr"
)

// Raw is a condition in DynamoDB's own expression language, for what the other
// predicates can't say: comparing two fields, for one. A field is written in
// braces by its Go name or attribute name, a value as a question mark, of which
// there are as many as values:
//
//	dynorm.Raw("{stock} < {reserved} OR size({tags}) > ?", 3)
//
// Fields are checked and aliased; values are encoded by their Go type, not by
// that of a field. A raw condition is never answered by a key, only by a
// filter.
func Raw(expression string, values ...any) Predicate {
	return Predicate{op: opRaw, val: expression, vals: slices.Clone(values)}
}

// rawExpression is the text of a raw condition, cut at its fields and values.
type rawExpression struct {
	// texts is what stands around the operands: one more than these.
	texts    []string
	operands []rawOperand
}

// rawOperand is a field or a value.
type rawOperand struct {
	field *codec.Field
	value types.AttributeValue
}

func (p *Predicate) resolveRaw(e *entity) (cond, error) {
	rest, _ := p.val.(string)
	if strings.TrimSpace(rest) == "" {
		return cond{}, faultf(ErrInvalid, "Raw was given an empty expression")
	}
	raw, values := &rawExpression{}, p.vals
	for {
		i := strings.IndexAny(rest, "{?}")
		if i < 0 {
			break
		}
		raw.texts = append(raw.texts, rest[:i])
		var operand rawOperand
		switch rest[i] {
		case '{':
			n := strings.IndexByte(rest[i:], '}')
			if n < 0 {
				return cond{}, faultf(ErrInvalid, "Raw: a brace is not closed")
			}
			f, err := named(rest[i+1 : i+n]).resolve(e)
			if err != nil {
				return cond{}, err
			}
			if err := e.checkEncrypted(f, opRaw); err != nil {
				return cond{}, err
			}
			operand.field, rest = f, rest[i+n+1:]
		case '?':
			if len(values) == 0 {
				return cond{}, faultf(ErrInvalid, "Raw has more question marks than its %d values", len(p.vals))
			}
			av, err := codec.EncodeAny(values[0])
			if err != nil {
				return cond{}, faultf(ErrValue, "Raw: value %d: %w", len(p.vals)-len(values)+1, err)
			}
			operand.value, values, rest = av, values[1:], rest[i+1:]
		default:
			return cond{}, faultf(ErrInvalid, "Raw: a brace closes nothing")
		}
		raw.operands = append(raw.operands, operand)
	}
	if len(values) > 0 {
		return cond{}, faultf(ErrInvalid, "Raw has %d values and %d question marks", len(p.vals), len(p.vals)-len(values))
	}
	raw.texts = append(raw.texts, rest)
	if strings.ContainsAny(strings.Join(raw.texts, ""), "#:") {
		return cond{}, faultf(ErrInvalid, "Raw: write {Field} for a name and ? for a value, not placeholders")
	}
	return cond{op: opRaw, raw: raw}, nil
}

func (r *rawExpression) append(dst []byte, b *expr.Builder) []byte {
	for i, operand := range r.operands {
		dst = append(dst, r.texts[i]...)
		if operand.field != nil {
			dst = append(dst, pathOf(b, operand.field)...)
		} else {
			dst = append(dst, b.Value(operand.value)...)
		}
	}
	return append(dst, r.texts[len(r.operands)]...)
}
