package expr

import (
	"fmt"
	"strconv"
	"unicode/utf8"
)

// parser reads one text. It looks one token ahead and never back, so its time
// is linear; its depth is bounded by MaxSize.
type parser struct {
	lexer
	grammar         grammar
	prev, tok, peek token  // before the current token, the current one, the next
	syntaxFault     string // a fault that ends the reading
	fault           string // the leftmost one that doesn't, at faultPos
	faultPos        int
	refs            []string
	seen            map[string]int32 // index into refs, once there are many
	nodes           []node
}

// parse reads a text of a grammar. The second result is its first fault, if
// any, among those that don't depend on what placeholders stand for.
func parse(g grammar, text string) (*syntax, string) {
	p := &parser{lexer: lexer{text: text}, grammar: g}
	p.prev.start = -1
	p.tok, p.peek = p.next(), p.next()
	s := &syntax{}
	switch g {
	case grammarCondition:
		s.root = p.or(false).node
	case grammarUpdate:
		s.actions = p.update()
	case grammarProjection:
		s.paths = p.projection()
	}
	if p.ok() && p.tok.kind != tokEOF {
		p.unexpected()
	}
	switch {
	case !p.ok():
		return nil, p.syntaxFault
	case p.fault != "":
		return nil, p.fault
	}
	s.refs = p.refs
	return s, ""
}

func (p *parser) ok() bool { return p.syntaxFault == "" }

func (p *parser) advance() {
	p.prev, p.tok, p.peek = p.tok, p.peek, p.next()
}

// accept moves past the current token if it is of the given kind.
func (p *parser) accept(kind tokenKind) bool {
	if p.tok.kind != kind || !p.ok() {
		return false
	}
	p.advance()
	return true
}

func (p *parser) expect(kind tokenKind) bool {
	if p.accept(kind) {
		return true
	}
	p.unexpected()
	return false
}

// unexpected reports the current token as a syntax error, near what stands
// from the token before it to the one after it.
func (p *parser) unexpected() {
	if !p.ok() {
		return
	}
	what, end := "<EOF>", len(p.text)
	if p.tok.kind != tokEOF {
		what, end = p.word(p.tok), p.peek.end
		if r, _ := utf8.DecodeRuneInString(what); r > 0xFFFF {
			// The service reads UTF-16, and so stops at half a character, which
			// arrives as this.
			what, end = "\uFFFD", p.tok.end
		}
	}
	p.syntaxFault = `Syntax error; token: "` + what + `", near: "` + p.text[max(p.prev.start, 0):end] + `"`
}

func (p *parser) word(t token) string { return p.text[t.start:t.end] }

// report records a fault that is no syntax error. The leftmost one counts.
func (p *parser) report(pos int, format string, args ...any) {
	if p.fault == "" || pos < p.faultPos {
		p.fault, p.faultPos = fmt.Sprintf(format, args...), pos
	}
}

// placeholder returns the index of the current token's placeholder and moves
// past it.
func (p *parser) placeholder() int32 {
	const few = 16
	name := p.word(p.tok)
	p.advance()
	if p.seen != nil {
		if i, ok := p.seen[name]; ok {
			return i
		}
	} else {
		for i, r := range p.refs {
			if r == name {
				return int32(i)
			}
		}
	}
	i := int32(len(p.refs))
	p.refs = append(p.refs, name)
	switch {
	case p.seen != nil:
		p.seen[name] = i
	case len(p.refs) > few:
		p.seen = make(map[string]int32, 4*few)
		for j, r := range p.refs {
			p.seen[r] = int32(j)
		}
	}
	return i
}

// newNode returns a node from a block of them.
func (p *parser) newNode(n node) *node {
	if len(p.nodes) == cap(p.nodes) {
		p.nodes = make([]node, 0, max(8, min(2*cap(p.nodes), 128)))
	}
	p.nodes = append(p.nodes, n)
	return &p.nodes[len(p.nodes)-1]
}

// class is what a part of a text can stand for.
type class uint8

const (
	classOperand class = iota
	classCondition
	classCall // a function, which is one or the other by its place
)

// term is a part of a text that was read.
type term struct {
	node      *node
	class     class
	pos       int  // of a function's name
	parens    bool // it stands in parentheses of its own
	redundant bool // and in more than one pair
}

// or reads conditions joined by OR. Where operand is true, the term may also
// be a lone operand before a closing parenthesis.
func (p *parser) or(operand bool) term {
	left := p.and(operand)
	for p.accept(tokOr) {
		right := p.and(false)
		left = term{node: p.newNode(node{op: opOr, kids: []*node{left.node, right.node}}), class: classCondition}
	}
	return left
}

func (p *parser) and(operand bool) term {
	left := p.not(operand)
	for p.accept(tokAnd) {
		right := p.not(false)
		left = term{node: p.newNode(node{op: opAnd, kids: []*node{left.node, right.node}}), class: classCondition}
	}
	return left
}

func (p *parser) not(operand bool) term {
	if p.accept(tokNot) {
		t := p.not(false)
		return term{node: p.newNode(node{op: opNot, kids: []*node{t.node}}), class: classCondition}
	}
	return p.comparison(operand)
}

var comparators = [...]op{tokEQ: opEQ, tokNE: opNE, tokLT: opLT, tokLE: opLE, tokGT: opGT, tokGE: opGE}

// comparison reads a comparison, a function or a condition in parentheses.
func (p *parser) comparison(operand bool) term {
	left := p.primary()
	if !p.ok() {
		return left
	}
	kind := p.tok.kind
	compares := kind >= tokEQ && kind <= tokGE || kind == tokBetween || kind == tokIn
	switch {
	case compares && left.class != classCondition:
		p.settled(left)
		p.asOperand(left, true)
		p.advance()
		return term{node: p.compare(kind, left.node), class: classCondition}
	case left.class == classCondition:
		return left // what follows it is for the caller to judge
	case operand && kind == tokClose:
		return left
	case left.class == classCall && (!operand || kind == tokAnd || kind == tokOr):
		p.settled(left)
		if !left.node.call.boolean {
			p.misused(left)
		}
		left.class = classCondition
		return left
	}
	p.unexpected()
	return left
}

// compare reads what follows a comparator.
func (p *parser) compare(kind tokenKind, left *node) *node {
	switch kind {
	case tokBetween:
		low := p.operand(true)
		p.expect(tokAnd)
		return p.newNode(node{op: opBetween, kids: []*node{left, low, p.operand(true)}})
	case tokIn:
		p.expect(tokOpen)
		return p.newNode(node{op: opIn, kids: p.operands([]*node{left}, true)})
	}
	return p.newNode(node{op: comparators[kind], kids: []*node{left, p.operand(true)}})
}

// primary reads an operand, a function, or what stands in parentheses.
func (p *parser) primary() term {
	if p.accept(tokOpen) {
		t := p.closed(p.or(true))
		if t.class == classCondition {
			p.settled(t)
		}
		return t
	}
	return p.atom()
}

// closed ends the parentheses around t, which should not stand in others
// already.
func (p *parser) closed(t term) term {
	p.expect(tokClose)
	t.redundant = t.redundant || t.parens
	t.parens = true
	return t
}

// settled ends the reading if t has redundant parentheses. It is called when
// the text has shown what t stands for: until then, the service goes on and
// may come upon a syntax error first.
func (p *parser) settled(t term) term {
	if t.redundant && p.ok() {
		p.syntaxFault = "The expression has redundant parentheses;"
	}
	return t
}

// operand reads an operand, in parentheses or not. It is outer if it is all of
// a side of an assignment or comparison.
func (p *parser) operand(outer bool) *node {
	t := p.settled(p.operandTerm())
	p.asOperand(t, outer)
	return t.node
}

func (p *parser) operandTerm() term {
	if p.accept(tokOpen) {
		return p.closed(p.operandTerm())
	}
	return p.atom()
}

// operands reads operands up to a closing parenthesis.
func (p *parser) operands(list []*node, outer bool) []*node {
	for {
		list = append(list, p.operand(outer))
		if p.accept(tokComma) {
			continue
		}
		p.expect(tokClose)
		return list
	}
}

// asOperand checks that a function may stand for a value.
func (p *parser) asOperand(t term, outer bool) {
	if t.class == classCall && p.ok() && t.node.call != nil && (t.node.call.boolean || t.node.call.outer && !outer) {
		p.misused(t)
	}
}

func (p *parser) misused(t term) {
	p.report(t.pos, "The function is not allowed to be used this way in an expression; function: %s", t.node.call.name)
}

// atom reads a value's placeholder, a path or a function.
func (p *parser) atom() term {
	switch p.tok.kind {
	case tokValue:
		return term{node: p.newNode(node{op: opValue, ref: p.placeholder()})}
	case tokIdent:
		if p.peek.kind == tokOpen {
			return p.function()
		}
	}
	return term{node: p.newNode(node{op: opPath, path: p.path()})}
}

func (p *parser) function() term {
	name, pos := p.word(p.tok), p.tok.start
	f := functions[name]
	switch {
	case f == nil:
		p.report(pos, "Invalid function name; function: %s", name)
		f = &function{name: name}
	case f.in != p.grammar && p.grammar == grammarUpdate:
		p.report(pos, "The function is not allowed in an update expression; function: %s", name)
	case f.in != p.grammar:
		p.report(pos, "The function is not allowed in a condition expression; function: %s", name)
	}
	p.advance()
	p.advance()
	return term{node: p.newNode(node{op: opCall, call: f, kids: p.operands(nil, false)}), class: classCall, pos: pos}
}

// path reads a document path.
func (p *parser) path() path {
	out := path{p.name()}
	for p.ok() {
		switch {
		case p.accept(tokDot):
			out = append(out, p.name())
		case p.accept(tokOpenIndex):
			out = append(out, p.index())
			p.expect(tokCloseIndex)
		default:
			return out
		}
	}
	return out
}

func (p *parser) name() step {
	switch p.tok.kind {
	case tokName:
		return step{ref: p.placeholder(), index: -1}
	case tokIdent:
		name := p.word(p.tok)
		if isReserved(name) {
			p.report(p.tok.start, "Attribute name is a reserved keyword; reserved keyword: %s", name)
		}
		p.advance()
		return step{name: name, ref: -1, index: -1}
	}
	p.unexpected()
	return step{ref: -1, index: -1}
}

func (p *parser) index() step {
	text, pos := p.word(p.tok), p.tok.start
	if !p.expect(tokNumber) {
		return step{}
	}
	i, err := strconv.ParseInt(text, 10, 32)
	if err != nil {
		p.report(pos, "List index is not within the allowable range; index: [%s]", text)
	}
	return step{ref: -1, index: int32(i)}
}

func (p *parser) projection() []path {
	for out := []path(nil); ; {
		out = append(out, p.path())
		if !p.accept(tokComma) {
			return out
		}
	}
}

// update reads sections. That one stands twice is found at its end.
func (p *parser) update() []action {
	var out []action
	var used [len(verbNames)]bool
	for {
		v := verbSet
		switch p.tok.kind {
		case tokSet:
		case tokRemove:
			v = verbRemove
		case tokAdd:
			v = verbAdd
		case tokDelete:
			v = verbDelete
		default:
			if len(out) == 0 {
				p.unexpected()
			}
			return out
		}
		p.advance()
		for {
			out = append(out, p.action(v))
			if !p.accept(tokComma) {
				break
			}
		}
		if used[v] {
			p.report(p.tok.start, `The "%s" section can only be used once in an update expression;`, verbNames[v])
		}
		used[v] = true
	}
}

func (p *parser) action(v verb) action {
	a := action{verb: v, target: p.path()}
	switch v {
	case verbSet:
		p.expect(tokEQ)
		t := p.assigned()
		p.asOperand(t, true)
		a.value = t.node
	case verbAdd, verbDelete:
		if p.tok.kind != tokValue {
			p.unexpected()
			break
		}
		a.value = p.newNode(node{op: opValue, ref: p.placeholder()})
	}
	return a
}

// assigned reads the right side of an assignment: an operand, or a sum or
// difference of two, in parentheses or not.
func (p *parser) assigned() term {
	var left term
	if p.accept(tokOpen) {
		left = p.settled(p.closed(p.assigned()))
		if left.node != nil && (left.node.op == opPlus || left.node.op == opMinus) {
			return left
		}
	} else {
		left = p.atom()
	}
	o := opPlus
	switch p.tok.kind {
	case tokMinus:
		o = opMinus
	case tokPlus:
	default:
		return left
	}
	p.asOperand(left, false)
	p.advance()
	return term{node: p.newNode(node{op: o, kids: []*node{left.node, p.operand(false)}})}
}
