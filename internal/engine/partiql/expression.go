package partiql

import (
	"errors"
	"strings"

	"github.com/dynorm/dynorm/internal/engine/value"
)

// expression reads an expression of any kind.
func (p *parser) expression() (*Expr, error) {
	if p.depth++; p.depth > maxDepth {
		return nil, errSyntax
	}
	defer func() { p.depth-- }()
	return p.joined(0)
}

// levels are the operators that join two operands, those that bind least
// first. Between the second and the third stand NOT and the comparisons.
var levels = [...][]string{{"OR"}, {"AND"}, {"||"}, {"+", "-"}, {"*", "/", "%"}}

const comparisonLevel = 2

// joined reads operands joined by the operators of a level.
func (p *parser) joined(level int) (*Expr, error) {
	if level == len(levels) {
		return p.unary()
	}
	operand := func() (*Expr, error) {
		if level+1 == comparisonLevel {
			return p.not()
		}
		return p.joined(level + 1)
	}
	left, err := operand()
	if err != nil {
		return nil, err
	}
	for {
		op, at, ok := p.operator(levels[level])
		if !ok {
			return left, nil
		}
		right, err := operand()
		if err != nil {
			return nil, err
		}
		left = &Expr{Op: Operator, Text: op, Args: []*Expr{left, right}, At: at}
	}
}

// operator moves past one of the operators, if it comes next.
func (p *parser) operator(ops []string) (op string, at Pos, ok bool) {
	for _, op := range ops {
		if p.tok.symbol(op) || p.tok.is(op) {
			return op, p.advance().pos, true
		}
	}
	return "", Pos{}, false
}

func (p *parser) not() (*Expr, error) {
	if !p.tok.is("NOT") {
		return p.comparison()
	}
	if p.depth++; p.depth > maxDepth {
		return nil, errSyntax
	}
	defer func() { p.depth-- }()
	at := p.advance().pos
	e, err := p.not()
	if err != nil {
		return nil, err
	}
	return negated(e, at), nil
}

func negated(e *Expr, at Pos) *Expr {
	return &Expr{Op: Operator, Text: "NOT", Args: []*Expr{e}, At: at}
}

// comparison reads operands with what compares them.
func (p *parser) comparison() (*Expr, error) {
	left, err := p.joined(comparisonLevel)
	if err != nil {
		return nil, err
	}
	for {
		not := p.tok.is("NOT")
		if not {
			if !p.peek.is("IN") && !p.peek.is("BETWEEN") && !p.peek.is("LIKE") {
				return left, nil
			}
			p.advance()
		}
		at := p.tok.pos
		op, ok := p.comparator()
		if !ok {
			return left, nil
		}
		e := &Expr{Op: Operator, Text: op, Args: []*Expr{left}, At: at}
		if op == "IS" {
			if p.acceptWord("NOT") {
				not = true
			}
			if p.tok.kind != tokWord {
				return nil, errSyntax
			}
			e.Text = "IS " + strings.ToUpper(p.tok.text)
			if err := p.checkType(at); err != nil {
				return nil, err
			}
		} else {
			right, err := p.joined(comparisonLevel)
			if err != nil {
				return nil, err
			}
			e.Args = append(e.Args, right)
		}
		if op == "BETWEEN" {
			if err := p.expectWord("AND"); err != nil {
				return nil, err
			}
			high, err := p.joined(comparisonLevel)
			if err != nil {
				return nil, err
			}
			e.Args = append(e.Args, high)
		}
		left = e
		if not {
			left = negated(e, at)
		}
	}
}

func (p *parser) comparator() (op string, ok bool) {
	switch op, _, ok = p.operator([]string{"=", "<>", "!=", "<", "<=", ">", ">=", "IN", "BETWEEN", "LIKE", "IS"}); op {
	case "!=":
		return "<>", ok
	default:
		return op, ok
	}
}

// typeNames are the types that IS knows: those of DynamoDB, and those of
// PartiQL that DynamoDB does not have, as faults name them.
var typeNames = map[string]string{
	"MISSING": "", "NULL": "", "BOOLEAN": "", "BLOB": "", "STRING": "", "NUMERIC": "", "STRUCT": "", "TUPLE": "", "LIST": "",
	"BOOL": "BOOLEAN", "INT": "INTEGER", "INTEGER": "INTEGER", "SMALLINT": "SMALLINT", "DECIMAL": "DECIMAL", "FLOAT": "FLOAT",
	"BAG": "BAG", "SEXP": "SEXP", "CLOB": "CLOB", "SYMBOL": "SYMBOL", "TIMESTAMP": "TIMESTAMP", "DATE": "DATE", "TIME": "TIME",
	"CHAR": "CHARACTER", "CHARACTER": "CHARACTER", "VARCHAR": "CHARACTER_VARYING", "REAL": "REAL",
}

// checkType moves past the type that IS, which stands at a place, names.
func (p *parser) checkType(at Pos) error {
	foreign, ok := typeNames[strings.ToUpper(p.advance().text)]
	if !ok {
		return errSyntax
	}
	if foreign != "" {
		p.report("Unsupported data type for IS operator: %s. Supported data types are [MISSING, NULL, BOOLEAN, BLOB, STRING, NUMERIC, STRUCT, TUPLE, LIST] at %s", foreign, at)
	}
	return nil
}

// unary reads an operand with its signs.
func (p *parser) unary() (*Expr, error) {
	sign, at, ok := p.operator([]string{"-", "+"})
	if !ok {
		return p.primary()
	}
	if p.depth++; p.depth > maxDepth {
		return nil, errSyntax
	}
	defer func() { p.depth-- }()
	e, err := p.unary()
	if err != nil {
		return nil, err
	}
	if e.Op == Literal && e.Value.Kind() == value.N {
		if sign == "-" {
			n, err := value.NumberOf(0).Sub(e.Value.Number())
			if err != nil {
				return nil, err
			}
			e.Value = value.Num(n)
		}
		return e, nil
	}
	return &Expr{Op: Operator, Text: sign, Args: []*Expr{e}, At: at}, nil
}

// primary reads an operand, and the steps of a path that follow it.
func (p *parser) primary() (*Expr, error) {
	t := p.tok
	switch {
	case t.kind == tokWord && p.peek.symbol("("):
		return p.call()
	case t.isName(), t.symbol("@"):
		return p.path()
	case t.kind == tokString:
		p.advance()
		return &Expr{Op: Literal, Value: value.String(t.text), At: t.pos}, nil
	case t.kind == tokNumber:
		return p.number()
	case t.kind == tokIon:
		p.advance()
		return &Expr{Op: Ion, Text: ionType(t.text), At: t.pos}, nil
	case t.is("TRUE"), t.is("FALSE"):
		p.advance()
		return &Expr{Op: Literal, Value: value.Bool(t.is("TRUE")), At: t.pos}, nil
	case t.is("NULL"):
		p.advance()
		return &Expr{Op: Literal, Value: value.Null(), At: t.pos}, nil
	case t.is("MISSING"):
		p.advance()
		return &Expr{Op: Missing, At: t.pos}, nil
	case t.is("SELECT"), t.is("CASE"):
		return p.unsupportedToken()
	case p.accept("?"):
		p.parameters++
		return &Expr{Op: Parameter, Param: p.parameters - 1, At: t.pos}, nil
	case p.accept("("):
		return p.parenthesized(t.pos)
	case p.accept("["):
		return p.elements(List, "]", t.pos)
	case p.accept("<<"):
		return p.elements(Bag, ">>", t.pos)
	case p.accept("{"):
		return p.tuple(t.pos)
	}
	return nil, errSyntax
}

// parenthesized reads what stands in parentheses: one expression, or the
// elements of a list.
func (p *parser) parenthesized(at Pos) (*Expr, error) {
	list, err := p.elements(List, ")", at)
	if err != nil {
		return nil, err
	}
	switch len(list.Args) {
	case 0:
		return nil, errSyntax
	case 1:
		return list.Args[0], nil
	}
	return list, nil
}

// elements reads expressions up to a closing symbol.
func (p *parser) elements(op Op, closing string, at Pos) (*Expr, error) {
	e := &Expr{Op: op, At: at}
	if p.accept(closing) {
		return e, nil
	}
	for {
		arg, err := p.expression()
		if err != nil {
			return nil, err
		}
		e.Args = append(e.Args, arg)
		if p.accept(",") {
			continue
		}
		return e, p.expect(closing)
	}
}

func (p *parser) tuple(at Pos) (*Expr, error) {
	e := &Expr{Op: Tuple, At: at}
	if p.accept("}") {
		return e, nil
	}
	for {
		key, err := p.expression()
		if err != nil {
			return nil, err
		}
		if err := p.expect(":"); err != nil {
			return nil, err
		}
		v, err := p.expression()
		if err != nil {
			return nil, err
		}
		e.Pairs = append(e.Pairs, Pair{key, v})
		if p.accept(",") {
			continue
		}
		return e, p.expect("}")
	}
}

// callable are the keywords that may begin a call.
var callable = map[string]bool{
	"SIZE": true, "EXISTS": true, "CAST": true, "COUNT": true, "SUM": true, "AVG": true, "MIN": true, "MAX": true,
	"LOWER": true, "UPPER": true, "COALESCE": true, "NULLIF": true,
}

func (p *parser) call() (*Expr, error) {
	name := strings.ToLower(p.tok.text)
	if !p.tok.isName() && !callable[strings.ToUpper(name)] {
		if p.tok.is("SELECT") || p.tok.is("CASE") {
			return p.unsupportedToken()
		}
		return nil, errSyntax
	}
	at := p.advance().pos
	open := p.advance().pos
	if name == "cast" {
		return nil, Faultf("Unsupported token in expression: cast at %s", open)
	}
	if name == "count" && p.accept("*") {
		return &Expr{Op: Call, Text: name, At: at}, p.expect(")")
	}
	args, err := p.elements(List, ")", at)
	if err != nil {
		return nil, err
	}
	return &Expr{Op: Call, Text: name, Args: args.Args, At: at}, nil
}

// unsupportedToken reads a query or CASE in the place of an operand, which
// DynamoDB does not take.
func (p *parser) unsupportedToken() (*Expr, error) {
	t := p.advance()
	p.report("Unsupported token in expression: %s at %s", strings.ToUpper(t.text), t.pos)
	if t.is("SELECT") {
		_, err := p.selects(Select)
		return &Expr{Op: Missing, At: t.pos}, err
	}
	if !p.tok.is("WHEN") {
		if _, err := p.expression(); err != nil {
			return nil, err
		}
	}
	for p.acceptWord("WHEN") {
		if _, err := p.expression(); err != nil {
			return nil, err
		}
		if err := p.expectWord("THEN"); err != nil {
			return nil, err
		}
		if _, err := p.expression(); err != nil {
			return nil, err
		}
	}
	if p.acceptWord("ELSE") {
		if _, err := p.expression(); err != nil {
			return nil, err
		}
	}
	return &Expr{Op: Missing, At: t.pos}, p.expectWord("END")
}

func (p *parser) path() (*Expr, error) {
	p.accept("@")
	if !p.tok.isName() {
		return nil, errSyntax
	}
	e := &Expr{Op: Path, At: p.tok.pos}
	add := func(s Step) {
		if s.Name == "" && s.Index == nil && !s.Star {
			p.report("Path component cannot be an empty string")
		}
		e.Steps = append(e.Steps, s)
	}
	add(Step{Name: p.advance().text})
	for {
		switch {
		case p.accept("."):
			if p.accept("*") {
				add(Step{Star: true})
				continue
			}
			if !p.tok.isName() {
				return nil, errSyntax
			}
			add(Step{Name: p.advance().text})
		case p.accept("["):
			index, err := p.expression()
			if err != nil {
				return nil, err
			}
			if err := p.expect("]"); err != nil {
				return nil, err
			}
			if index.Op == Literal && index.Value.Kind() == value.S {
				add(Step{Name: index.Value.Text()})
				continue
			}
			add(Step{Index: index})
		default:
			return e, nil
		}
	}
}

func (p *parser) number() (*Expr, error) {
	t := p.advance()
	n, err := value.ParseNumber(t.text)
	switch {
	case err == nil:
	case errors.Is(err, value.ErrPrecision):
		p.report("DynamoDB only supports precision up to 38 digits")
	default:
		p.report("%s", err)
	}
	return &Expr{Op: Literal, Value: value.Num(n), At: t.pos}, nil
}

// ionType guesses the type of an Ion literal.
func ionType(text string) string {
	switch {
	case text == "":
		return "NULL"
	case isDigit(text[0]) || text[0] == '-':
		if strings.ContainsAny(text, ".dDeE") {
			return "DECIMAL"
		}
		return "INT"
	case text[0] == '"':
		return "STRING"
	case text[0] == '[':
		return "LIST"
	case text[0] == '{':
		return "STRUCT"
	}
	return "SYMBOL"
}
