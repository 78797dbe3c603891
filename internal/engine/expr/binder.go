package expr

import (
	"fmt"

	"github.com/dynorm/dynorm/internal/engine/value"
)

// binder finds the faults of an expression that depend on what its
// placeholders stand for: operands first, then the operator over them, from
// left to right. The first one ends it.
type binder struct {
	kind      Kind
	wording   Wording
	names     []string // the placeholders
	refs      bindings
	operators int
}

func (s *Scope) binder(kind Kind, syn *syntax, refs bindings) *binder {
	return &binder{kind: kind, wording: s.Wording, names: syn.refs, refs: refs}
}

func (b *binder) faultf(format string, args ...any) error {
	return b.kind.invalid(fmt.Sprintf(format, args...))
}

func (b *binder) check(n *node) error {
	switch n.op {
	case opPath:
		return b.checkPath(n.path)
	case opValue:
		if b.refs[n.ref].value.IsZero() {
			return b.faultf("An expression attribute value used in expression is not defined; attribute value: %s", b.names[n.ref])
		}
		return nil
	}
	for _, kid := range n.kids {
		if err := b.check(kid); err != nil {
			return err
		}
	}
	if b.operators++; b.operators > MaxOperators {
		return b.faultf("The expression contains too many operators; operator count: %d", b.operators)
	}
	switch n.op {
	case opEQ, opNE:
		return b.checkDistinct(n)
	case opLT, opLE, opGT, opGE:
		if err := b.checkDistinct(n); err != nil {
			return err
		}
		return b.checkKinds(n, value.Kind.IsKey)
	case opBetween:
		return b.checkBetween(n)
	case opIn:
		if err := b.checkDistinct(n); err != nil {
			return err
		}
		if operands := len(n.kids) - 1; operands > MaxIn {
			return b.faultf("The IN operator is provided with too many operands; number of operands: %d", operands)
		}
	case opPlus, opMinus:
		return b.checkKinds(n, func(k value.Kind) bool { return k == value.N })
	case opCall:
		return b.checkCall(n)
	}
	return nil
}

func (b *binder) checkPath(p path) error {
	for _, s := range p {
		if s.ref >= 0 && b.refs[s.ref].name == "" {
			return b.faultf("An expression attribute name used in the document path is not defined; attribute name: %s", b.names[s.ref])
		}
	}
	if len(p) > MaxPathDepth {
		return b.faultf("The document path has too many nesting levels; nesting levels: %d", len(p))
	}
	return nil
}

// kindOf returns the type of an operand as far as it is known without an item.
func (b *binder) kindOf(n *node) value.Kind {
	switch {
	case n.op == opValue:
		return b.refs[n.ref].value.Kind()
	case n.op == opCall && n.call == size:
		return value.N
	}
	return value.Invalid
}

// checkKinds checks that all operands whose type is known are of an allowed one.
func (b *binder) checkKinds(n *node, allowed func(value.Kind) bool) error {
	for _, kid := range n.kids {
		if k := b.kindOf(kid); k != value.Invalid && !allowed(k) {
			return b.wrongType(n, k.String())
		}
	}
	return nil
}

func (b *binder) wrongType(n *node, kind string) error {
	return b.faultf("Incorrect operand type for operator or function; operator or function: %s, operand type: %s", n.symbol(), kind)
}

// checkDistinct checks that no operand is the same path as the first one.
func (b *binder) checkDistinct(n *node) error {
	first := n.kids[0]
	if first.op != opPath {
		return nil
	}
	for _, kid := range n.kids[1:] {
		if kid.op == opPath && kid.path.same(first.path, b.refs) {
			return b.faultf("The first operand must be distinct from the remaining operands for this operator or function;"+
				" operator: %s, first operand: %s", n.symbol(), first.path.appendResolved(nil, b.refs))
		}
	}
	return nil
}

func (b *binder) checkBetween(n *node) error {
	if err := b.checkKinds(n, value.Kind.IsKey); err != nil {
		return err
	}
	if err := b.checkDistinct(n); err != nil {
		return err
	}
	if n.kids[1].op != opValue || n.kids[2].op != opValue {
		return nil
	}
	low, high := b.refs[n.kids[1].ref].value, b.refs[n.kids[2].ref].value
	rule := ""
	switch {
	case low.Kind() != high.Kind():
		rule = "same data type for lower and upper bounds"
	case value.Compare(low, high) > 0:
		rule = "upper bound to be greater than or equal to lower bound"
	default:
		return nil
	}
	return b.faultf("The BETWEEN operator requires %s; lower bound operand: AttributeValue: %s, upper bound operand: AttributeValue: %s",
		rule, describe(low), describe(high))
}

// describe prints a scalar as the service does in texts of faults.
func describe(v value.Value) string {
	text := v.Text()
	if v.Kind() == value.B {
		text = fmt.Sprintf("java.nio.HeapByteBuffer[pos=0 lim=%[1]d cap=%[1]d]", len(text))
	}
	return fmt.Sprintf("{%s:%s}", v.Kind(), text)
}

func (b *binder) checkCall(n *node) error {
	f := n.call
	if len(n.kids) != f.operands {
		return b.faultf("Incorrect number of operands for operator or function; operator or function: %s, number of operands: %d",
			f.name, len(n.kids))
	}
	if f.path && n.kids[0].op != opPath {
		return b.faultf("Operator or function requires a document path; operator or function: %s", f.name)
	}
	if f.distinct {
		if err := b.checkDistinct(n); err != nil {
			return err
		}
	}
	switch f {
	case beginsWith:
		return b.checkKinds(n, func(k value.Kind) bool { return k == value.S || k == value.B })
	case size:
		return b.checkKinds(n, hasSize)
	case listAppend:
		return b.checkKinds(n, func(k value.Kind) bool { return k == value.L })
	case attributeType:
		return b.checkType(n)
	}
	return nil
}

// checkType checks the second operand of attribute_type, which must be a
// placeholder for the name of a type.
func (b *binder) checkType(n *node) error {
	const (
		// The service's own types, the ten public ones among them.
		allTypes = "{S,SS,N,NS,B,BS,BOOL,NULL,L,M,HD,DOUBLE,FLOAT,HDS,FS,DOUBLESET,DICT,DECIMAL,INT,DECIMALSET,INTSET}"
		sorted   = "{S,SS,N,NS,B,BS,BOOL,NULL,L,M}"
		hashed   = "{N,BS,L,B,NULL,M,S,SS,NS,BOOL}"
	)
	switch b.kindOf(n.kids[1]) {
	case value.S:
	case value.Invalid:
		return b.wrongType(n, allTypes)
	default:
		return b.wrongType(n, b.kindOf(n.kids[1]).String())
	}
	name := b.refs[n.kids[1].ref].value.Text()
	if value.KindOf(name) != value.Invalid {
		return nil
	}
	valid := hashed
	if b.wording == WordingWrite {
		valid = sorted
	}
	return b.faultf("Invalid attribute type name found; type: %s, valid types: %s", name, valid)
}

// hasSize reports whether size takes values of a type.
func hasSize(k value.Kind) bool {
	switch k {
	case value.N, value.BOOL, value.NULL, value.Invalid:
		return false
	}
	return true
}
