package parser

import (
	"fmt"
	"math/big"
	"reflect"
	"slices"
	"strconv"
	"strings"
)

// When is the condition under which an item is in an index: every term must
// hold. It is pure data; the zero When always holds.
//
//	condition = term { "," term }
//	term      = field | "!" field | field op value { "|" value }
//	op        = "=" | "!=" | "<" | "<=" | ">" | ">="
//	value     = word | "'" text "'"
//
// A field alone asks for a value that is there and neither empty, zero nor
// false; with "!" in front, for the opposite. Several values are alternatives:
// Status=open|paid is either, Status!=done|void is neither. The order
// operators take one number. A value in single quotes may hold any character,
// spaces and those of the grammar included; two single quotes stand for one.
type When struct {
	Terms []Term `json:"terms"`
}

// Term is one comparison of a condition.
type Term struct {
	// Field is the Go name or the attribute name of a field, as written.
	Field string `json:"field"`
	Op    Op     `json:"op"`
	// Values are the values compared with, none for Filled and Blank.
	Values []string `json:"values,omitempty"`
}

// Op is the operator of a term.
type Op string

// The operators of a condition.
const (
	Filled Op = "filled" // Field
	Blank  Op = "blank"  // !Field
	Eq     Op = "="
	Ne     Op = "!="
	Lt     Op = "<"
	Le     Op = "<="
	Gt     Op = ">"
	Ge     Op = ">="
)

// special are the characters that a bare field or value can't hold.
const special = ",|&!=<>'"

// ParseWhen parses a condition. It knows nothing of fields and their types;
// Parse and FromJSON check those.
func ParseWhen(src string) (When, error) {
	s := whenScanner{src: src}
	var w When
	for {
		t, err := s.term()
		if err != nil {
			return When{}, fmt.Errorf("condition %q: %w", src, err)
		}
		w.Terms = append(w.Terms, t)
		if s.skipSpace(); s.done() {
			return w, nil
		}
		if !s.take(",") {
			return When{}, fmt.Errorf("condition %q: want a comma at byte %d", src, s.pos)
		}
	}
}

// whenScanner reads a condition from left to right.
type whenScanner struct {
	src string
	pos int
}

func (s *whenScanner) done() bool { return s.pos == len(s.src) }

func (s *whenScanner) skipSpace() {
	for !s.done() && s.src[s.pos] == ' ' {
		s.pos++
	}
}

// take consumes a token if it is next.
func (s *whenScanner) take(token string) bool {
	s.skipSpace()
	if !strings.HasPrefix(s.src[s.pos:], token) {
		return false
	}
	s.pos += len(token)
	return true
}

// word reads a bare word up to a special character, without spaces around it.
func (s *whenScanner) word() string {
	s.skipSpace()
	end := strings.IndexAny(s.src[s.pos:], special)
	if end < 0 {
		end = len(s.src) - s.pos
	}
	w := s.src[s.pos : s.pos+end]
	s.pos += end
	return strings.TrimRight(w, " ")
}

func (s *whenScanner) term() (Term, error) {
	blank := s.take("!")
	t := Term{Field: s.word(), Op: Filled}
	switch {
	case t.Field == "":
		return t, fmt.Errorf("want a field at byte %d", s.pos)
	case strings.Contains(t.Field, " "):
		return t, fmt.Errorf("want an operator behind the field in %q", t.Field)
	case blank:
		t.Op = Blank
		return t, nil
	}
	for _, op := range []Op{Ne, Le, Ge, Eq, Lt, Gt} {
		if s.take(string(op)) {
			t.Op = op
			break
		}
	}
	if t.Op == Filled {
		return t, nil
	}
	for {
		v, err := s.value()
		if err != nil {
			return t, err
		}
		if slices.Contains(t.Values, v) {
			return t, fmt.Errorf("the value %q stands twice", v)
		}
		t.Values = append(t.Values, v)
		if !s.take("|") {
			break
		}
	}
	if t.Op != Eq && t.Op != Ne {
		if len(t.Values) > 1 {
			return t, fmt.Errorf("%q takes one value", t.Op)
		}
		if !decimal().MatchString(t.Values[0]) {
			return t, fmt.Errorf("%q compares numbers, and %q is none", t.Op, t.Values[0])
		}
	}
	return t, nil
}

func (s *whenScanner) value() (string, error) {
	s.skipSpace()
	if strings.HasPrefix(s.src[s.pos:], "'") {
		text, rest, ok := unquote(s.src[s.pos:])
		if !ok {
			return "", fmt.Errorf("the quote at byte %d is not closed", s.pos)
		}
		s.pos = len(s.src) - len(rest)
		return text, nil
	}
	v := s.word()
	switch {
	case v == "":
		return "", fmt.Errorf("want a value at byte %d", s.pos)
	case strings.Contains(v, " "):
		return "", fmt.Errorf("the value %q has spaces and no quotes", v)
	}
	return v, nil
}

// String writes the condition in the grammar ParseWhen reads.
func (w When) String() string {
	var b strings.Builder
	for i, t := range w.Terms {
		if i > 0 {
			b.WriteByte(',')
		}
		switch t.Op {
		case Blank:
			b.WriteString("!" + t.Field)
			continue
		case Filled:
			b.WriteString(t.Field)
			continue
		}
		b.WriteString(t.Field + string(t.Op))
		for j, v := range t.Values {
			if j > 0 {
				b.WriteByte('|')
			}
			if v == "" || strings.ContainsAny(v, special+" ") {
				v = "'" + strings.ReplaceAll(v, "'", "''") + "'"
			}
			b.WriteString(v)
		}
	}
	return b.String()
}

// Eval reports whether the condition holds. Lookup returns the value of a
// field, given as written in the condition, and whether the item has it: a
// string, a bool, a number of any Go type, json.Number or
// attributevalue.Number for numbers beyond them. Numbers compare by value,
// everything else by its text. An absent value equals nothing.
func (w When) Eval(lookup func(field string) (value any, ok bool)) bool {
	for _, t := range w.Terms {
		v, ok := lookup(t.Field)
		if !t.holds(v, ok) {
			return false
		}
	}
	return true
}

func (t Term) holds(v any, ok bool) bool {
	value := operandOf(v)
	ok = ok && value.there
	switch t.Op {
	case Filled:
		return ok && !value.zero
	case Blank:
		return !ok || value.zero
	case Eq:
		return ok && slices.ContainsFunc(t.Values, value.equals)
	case Ne:
		return !ok || !slices.ContainsFunc(t.Values, value.equals)
	}
	other, isNumber := parseNumber(t.Values[0])
	if !ok || value.number == nil || !isNumber {
		return false
	}
	switch order := value.number.Cmp(other); t.Op {
	case Lt:
		return order < 0
	case Le:
		return order <= 0
	case Gt:
		return order > 0
	case Ge:
		return order >= 0
	}
	return false
}

// operand is a value as conditions see it: a number, or a text.
type operand struct {
	there  bool
	zero   bool // empty, false or the number 0
	text   string
	number *big.Float
}

func operandOf(v any) operand {
	if v == nil {
		return operand{}
	}
	r := reflect.ValueOf(v)
	switch {
	case r.Kind() == reflect.String && isNumberType(r.Type()):
		return numberOperand(r.String())
	case r.Kind() == reflect.String:
		return operand{there: true, zero: r.Len() == 0, text: r.String()}
	case r.Kind() == reflect.Bool:
		return operand{there: true, zero: !r.Bool(), text: strconv.FormatBool(r.Bool())}
	case r.CanInt():
		return numberOperand(strconv.FormatInt(r.Int(), 10))
	case r.CanUint():
		return numberOperand(strconv.FormatUint(r.Uint(), 10))
	case r.CanFloat():
		return numberOperand(strconv.FormatFloat(r.Float(), 'g', -1, r.Type().Bits()))
	}
	return operand{there: true, text: fmt.Sprint(v)}
}

func numberOperand(s string) operand {
	n, _ := parseNumber(s)
	return operand{there: true, zero: n != nil && n.Sign() == 0, text: s, number: n}
}

// parseNumber reads a number exactly enough to tell any two of DynamoDB's 38
// digits apart.
func parseNumber(s string) (*big.Float, bool) {
	if !decimal().MatchString(s) {
		return nil, false
	}
	n, ok := new(big.Float).SetPrec(256).SetString(s)
	return n, ok
}

func (o operand) equals(s string) bool {
	if o.number != nil {
		n, ok := parseNumber(s)
		return ok && o.number.Cmp(n) == 0
	}
	return o.text == s
}
