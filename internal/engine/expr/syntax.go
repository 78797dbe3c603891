package expr

// op is what a node of a syntax tree does.
type op uint8

const (
	opPath op = iota
	opValue
	opCall
	opOr
	opAnd
	opNot
	opEQ
	opNE
	opLT
	opLE
	opGT
	opGE
	opBetween
	opIn
	opPlus
	opMinus
)

var symbols = [...]string{
	opOr: "OR", opAnd: "AND", opNot: "NOT", opEQ: "=", opNE: "<>", opLT: "<", opLE: "<=",
	opGT: ">", opGE: ">=", opBetween: "BETWEEN", opIn: "IN", opPlus: "+", opMinus: "-",
}

// node is a node of a syntax tree: a path, a placeholder for a value, or an
// operator or function with its operands.
type node struct {
	op   op
	ref  int32     // opValue: the placeholder
	call *function // opCall
	path path      // opPath
	kids []*node
}

// symbol returns the operator or function as the texts of faults name it.
func (n *node) symbol() string {
	if n.op == opCall {
		return n.call.name
	}
	return symbols[n.op]
}

// verb is the section of an update expression that an action stands in.
type verb uint8

const (
	verbSet verb = iota
	verbRemove
	verbAdd
	verbDelete
)

var verbNames = [...]string{verbSet: "SET", verbRemove: "REMOVE", verbAdd: "ADD", verbDelete: "DELETE"}

// action is one change of an update expression. REMOVE has no value.
type action struct {
	verb   verb
	target path
	value  *node
}

// syntax is what one text says, placeholders left open. It is immutable.
type syntax struct {
	refs    []string // the placeholders, each once, in order of first use
	root    *node    // of conditions
	actions []action // of updates
	paths   []path   // of projections
}

// grammar is the language of an expression parameter.
type grammar uint8

const (
	grammarCondition grammar = iota
	grammarUpdate
	grammarProjection
)

func (k Kind) grammar() grammar {
	switch k {
	case KindUpdate:
		return grammarUpdate
	case KindProjection:
		return grammarProjection
	}
	return grammarCondition
}
