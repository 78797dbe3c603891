package partiql

import (
	"errors"
	"strings"

	"github.com/dynorm/dynorm/internal/engine/value"
)

// Parse reads one statement, which a semicolon may end.
func Parse(text string) (*Statement, error) {
	p := &parser{lexer: lexer{text: text, line: 1, column: 1}}
	p.tok, p.peek = p.next(), p.next()
	s, err := p.statement()
	if err == nil {
		p.accept(";")
		if p.tok.kind != tokEnd {
			err = errSyntax
		}
	}
	switch {
	case errors.Is(err, errSyntax):
		return nil, Faultf(malformed+"%s", text)
	case err != nil:
		return nil, err
	case p.fault != nil:
		return nil, p.fault
	}
	s.Parameters = p.parameters
	return s, nil
}

const malformed = "Statement wasn't well formed, can't be processed: "

// Malformed reports whether err is Parse's fault of a text that is no statement
// at all.
func Malformed(err error) bool { return strings.HasPrefix(err.Error(), malformed) }

const unsupported = "Unsupported operation: "

// Foreign reports whether err is Parse's fault of a statement that is none of
// DynamoDB's.
func Foreign(err error) bool { return strings.HasPrefix(err.Error(), unsupported) }

// errSyntax stands for any fault of syntax: the service tells them apart no
// further.
const errSyntax value.Error = "syntax error"

type parser struct {
	lexer
	tok, peek  token
	parameters int
	depth      int
	fault      error // the first that is not one of syntax
}

func (p *parser) advance() token {
	t := p.tok
	p.tok, p.peek = p.peek, p.next()
	return t
}

func (p *parser) accept(symbol string) bool {
	if !p.tok.symbol(symbol) {
		return false
	}
	p.advance()
	return true
}

func (p *parser) acceptWord(keyword string) bool {
	if !p.tok.is(keyword) {
		return false
	}
	p.advance()
	return true
}

func (p *parser) expect(symbol string) error {
	if !p.accept(symbol) {
		return errSyntax
	}
	return nil
}

func (p *parser) expectWord(keyword string) error {
	if !p.acceptWord(keyword) {
		return errSyntax
	}
	return nil
}

// report keeps a fault for when the syntax turns out to be right.
func (p *parser) report(format string, args ...any) {
	if p.fault == nil {
		p.fault = Faultf(format, args...)
	}
}

func (p *parser) statement() (*Statement, error) {
	switch {
	case p.acceptWord("SELECT"):
		return p.selects(Select)
	case p.acceptWord("INSERT"):
		return p.insert()
	case p.acceptWord("UPDATE"):
		return p.update()
	case p.acceptWord("DELETE"):
		return p.delete()
	case p.tok.is("EXISTS") && p.peek.symbol("("):
		p.advance()
		p.advance()
		if err := p.expectWord("SELECT"); err != nil {
			return nil, err
		}
		s, err := p.selects(Exists)
		if err != nil {
			return nil, err
		}
		return s, p.expect(")")
	case p.tok.is("CREATE"), p.tok.is("DROP"), p.tok.is("EXEC"):
		return nil, p.foreign()
	}
	e, err := p.expression()
	if err != nil {
		return nil, err
	}
	if e.Op == Call || e.Op == Operator {
		p.report("EXISTS can only be used in ExecuteTransaction write requests.")
	}
	p.report(unsupported+"%s", e.Type())
	return &Statement{}, nil
}

// foreign refuses the statements of PartiQL that DynamoDB does not have.
func (p *parser) foreign() error {
	verb := title(p.advance().text)
	if verb != "Exec" {
		if !p.tok.is("TABLE") && !p.tok.is("INDEX") {
			return errSyntax
		}
		verb += title(p.advance().text)
	}
	return Faultf(unsupported+"%s", verb)
}

func title(word string) string { return strings.ToUpper(word[:1]) + strings.ToLower(word[1:]) }

// selects reads what follows SELECT.
func (p *parser) selects(verb Verb) (s *Statement, err error) {
	s = &Statement{Verb: verb}
	p.acceptWord("ALL")
	if p.tok.is("DISTINCT") {
		p.report("Unsupported token in expression: DISTINCT")
		p.advance()
	}
	switch {
	case p.accept("*"):
	case p.tok.is("VALUE"):
		p.report("Select projection doesn't support value or pivot keywords")
		p.advance()
		if _, err := p.expression(); err != nil {
			return nil, err
		}
	default:
		if s.Columns, err = p.columns(); err != nil {
			return nil, err
		}
	}
	if err := p.expectWord("FROM"); err != nil {
		return nil, err
	}
	if err := p.source(s); err != nil {
		return nil, err
	}
	if s.Where, err = p.where(); err != nil {
		return nil, err
	}
	return s, p.ending(s)
}

func (p *parser) columns() (columns []*Expr, err error) {
	for {
		e, err := p.expression()
		if err != nil {
			return nil, err
		}
		if err := p.alias(); err != nil {
			return nil, err
		}
		columns = append(columns, e)
		if !p.accept(",") {
			return columns, nil
		}
	}
}

// alias refuses another name, if one comes next.
func (p *parser) alias() error {
	switch {
	case p.acceptWord("AS"):
		if !p.tok.isName() {
			return errSyntax
		}
	case !p.tok.isName():
		return nil
	}
	p.advance()
	p.report("Aliasing is not supported")
	return nil
}

// source reads the name of a table, and maybe that of an index.
func (p *parser) source(s *Statement) error {
	if p.tok.symbol("(") && p.peek.is("SELECT") {
		p.report("Unexpected from source")
	}
	e, err := p.expression()
	if err != nil {
		return err
	}
	for p.accept(",") {
		if _, err := p.expression(); err != nil {
			return err
		}
		p.report("Only select from a single table or index is supported.")
	}
	if s.Verb != Insert {
		if err := p.alias(); err != nil {
			return err
		}
	}
	if e.Op != Path {
		p.report("Unexpected from source")
		return nil
	}
	for _, step := range e.Steps {
		if step.Index != nil || step.Star {
			p.report("Invalid list expression in source.")
			return nil
		}
	}
	switch len(e.Steps) {
	case 1:
	case 2:
		s.Index = e.Steps[1].Name
	default:
		p.report("A path may contain at most 2 components in the FROM clause")
	}
	s.Table = e.Steps[0].Name
	return nil
}

func (p *parser) where() (*Expr, error) {
	if !p.acceptWord("WHERE") {
		return nil, nil
	}
	return p.expression()
}

// ending reads the clauses after WHERE. Of those only ORDER BY is DynamoDB's.
func (p *parser) ending(s *Statement) error {
	if p.acceptWord("GROUP") {
		if err := p.expectWord("BY"); err != nil {
			return err
		}
		p.report("Unsupported clause: GROUP BY")
		if err := p.skip(); err != nil {
			return err
		}
	}
	if err := p.unsupported("HAVING"); err != nil {
		return err
	}
	if p.acceptWord("ORDER") {
		if err := p.expectWord("BY"); err != nil {
			return err
		}
		for {
			e, err := p.expression()
			if err != nil {
				return err
			}
			o := Order{By: e, Desc: p.acceptWord("DESC")}
			if !o.Desc {
				p.acceptWord("ASC")
			}
			s.Order = append(s.Order, o)
			if !p.accept(",") {
				break
			}
		}
	}
	return p.unsupported("LIMIT")
}

func (p *parser) unsupported(clause string) error {
	if !p.acceptWord(clause) {
		return nil
	}
	e, err := p.expression()
	if err == nil {
		p.report("Unsupported clause: %s at %s", clause, e.At)
	}
	return err
}

// skip reads expressions that mean nothing.
func (p *parser) skip() error {
	for {
		if _, err := p.expression(); err != nil {
			return err
		}
		if !p.accept(",") {
			return nil
		}
	}
}

func (p *parser) insert() (*Statement, error) {
	s := &Statement{Verb: Insert}
	if err := p.expectWord("INTO"); err != nil {
		return nil, err
	}
	if err := p.source(s); err != nil {
		return nil, err
	}
	if s.Index != "" {
		p.report("FROM clause may only contain a single table name in data manipulation statements")
	}
	if !p.acceptWord("VALUE") {
		if _, err := p.expression(); err != nil {
			return nil, err
		}
		p.report(unsupported + "InsertOp")
		return s, nil
	}
	item, err := p.expression()
	if err != nil {
		return nil, err
	}
	if p.tok.is("RETURNING") {
		if err := p.returning(s); err != nil {
			return nil, err
		}
		p.report("RETURNING is not supported in INSERT")
	}
	if item.Op != Tuple {
		p.report("Unsupported format in item expression. Please use struct format {...} to express item values for insert statement. at %s", item.At)
		return s, nil
	}
	for i, pair := range item.Pairs {
		name, err := item.key(i, rootKey, pair.Key.At)
		if err != nil {
			p.report("%s", err)
			return s, nil
		}
		s.Item = append(s.Item, Field{name, pair.Value})
	}
	return s, nil
}

func (p *parser) update() (s *Statement, err error) {
	s = &Statement{Verb: Update}
	if err := p.source(s); err != nil {
		return nil, err
	}
	if s.Index != "" {
		p.report("This operation is not supported on an index")
	}
	for {
		switch {
		case p.acceptWord("SET"):
			for {
				target, err := p.target()
				if err != nil {
					return nil, err
				}
				if err := p.expect("="); err != nil {
					return nil, err
				}
				v, err := p.expression()
				if err != nil {
					return nil, err
				}
				s.Actions = append(s.Actions, Action{target, v})
				if !p.accept(",") {
					break
				}
			}
		case p.acceptWord("REMOVE"):
			target, err := p.target()
			if err != nil {
				return nil, err
			}
			s.Actions = append(s.Actions, Action{Target: target})
		case len(s.Actions) == 0:
			return nil, errSyntax
		default:
			return s, p.rest(s)
		}
	}
}

// target reads a path that an update changes.
func (p *parser) target() (*Expr, error) {
	if !p.tok.isName() {
		return nil, errSyntax
	}
	return p.path()
}

func (p *parser) delete() (*Statement, error) {
	s := &Statement{Verb: Delete}
	if err := p.expectWord("FROM"); err != nil {
		return nil, err
	}
	if err := p.source(s); err != nil {
		return nil, err
	}
	if s.Index != "" {
		p.report("This operation is not supported on an index")
	}
	return s, p.rest(s)
}

// rest reads the WHERE and RETURNING of a write.
func (p *parser) rest(s *Statement) (err error) {
	if s.Where, err = p.where(); err != nil {
		return err
	}
	return p.returning(s)
}

func (p *parser) returning(s *Statement) error {
	if !p.acceptWord("RETURNING") {
		return nil
	}
	for {
		var words [2]string
		for i, choice := range [2][2]string{{"ALL", "MODIFIED"}, {"OLD", "NEW"}} {
			if !p.tok.is(choice[0]) && !p.tok.is(choice[1]) {
				return errSyntax
			}
			words[i] = strings.ToUpper(p.advance().text)
		}
		if s.Returning != "" {
			p.report("Invalid syntax with multiple returning elements in RETURNING clause")
		}
		s.Returning = words[0] + " " + words[1]
		if !p.accept("*") {
			if _, err := p.expression(); err != nil {
				return err
			}
			p.report("Expected '*' after ( MODIFIED | ALL ) ( NEW | OLD ) in RETURNING clause")
		}
		if !p.accept(",") {
			return nil
		}
	}
}
