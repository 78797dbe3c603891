// Package partiql reads the statements of PartiQL for DynamoDB: SELECT,
// INSERT, UPDATE, DELETE and EXISTS. It knows nothing of tables; what a
// statement means for one is for the engine to say.
//
// Every fault is a [value.Error] with the text of the service's
// ValidationException.
package partiql

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/dynorm/dynorm/internal/engine/value"
)

// Limits of statements.
const (
	MaxSize  = 8192 // characters of one statement
	maxDepth = 128  // of expressions within each other
)

// Verb is what a statement does.
type Verb uint8

// The statements.
const (
	Select Verb = iota
	Insert
	Update
	Delete
	Exists // a SELECT of which only whether it finds its item counts
)

// Statement is a statement that was read.
type Statement struct {
	Verb    Verb
	Table   string
	Index   string  // of a Select or Exists, if any
	Columns []*Expr // paths of a Select; none means all attributes
	Where   *Expr   // nil if there is none
	Order   []Order
	Item    []Field // of an Insert
	Actions []Action
	// Returning is the RETURNING clause, such as "ALL OLD", or "".
	Returning string
	// Parameters is how many question marks there are.
	Parameters int
}

// Order is an element of ORDER BY.
type Order struct {
	By   *Expr
	Desc bool
}

// Action is one SET, or a REMOVE, which has no value.
type Action struct {
	Target *Expr // a path
	Value  *Expr
}

// Field is an attribute of a tuple.
type Field struct {
	Name  string
	Value *Expr
}

// Op is what an Expr is.
type Op uint8

// The expressions. Operator has Text, such as "=", "AND", "IN", "BETWEEN" or
// "IS", and operands; Call has the function's name in lower case as Text.
const (
	Literal Op = iota
	Parameter
	Path
	List
	Tuple
	Bag
	Call
	Operator
	Missing
	Ion // a literal in backquotes, which the service does not take
)

// Expr is an expression.
type Expr struct {
	Op    Op
	Text  string      // of an Operator, a Call and an Ion
	Value value.Value // of a Literal
	Param int         // of a Parameter, counted from zero
	Steps []Step      // of a Path
	Args  []*Expr     // of an Operator, a Call, a List and a Bag
	Pairs []Pair      // of a Tuple
	At    Pos
}

// Pair is an element of a tuple as it was written.
type Pair struct{ Key, Value *Expr }

// Step is an element of a Path: a name, or an expression in brackets, which
// stands for a name or an index.
type Step struct {
	Name  string
	Index *Expr // nil for a name
	Star  bool  // all members
}

// Pos is where an expression begins.
type Pos struct{ Line, Column, Length int }

// String returns the position as the texts of faults show it.
func (p Pos) String() string {
	return strconv.Itoa(p.Line) + ":" + strconv.Itoa(p.Column) + ":" + strconv.Itoa(p.Length)
}

// IsName reports whether e is a path of one name, and which.
func (e *Expr) IsName() (string, bool) {
	if e.Op != Path || len(e.Steps) != 1 {
		return "", false
	}
	return e.Steps[0].Name, true
}

// Is reports whether e is the operator.
func (e *Expr) Is(operator string) bool { return e.Op == Operator && e.Text == operator }

// Type returns what e is as the texts of faults name it.
func (e *Expr) Type() string {
	switch e.Op {
	case Literal:
		return "Literal"
	case Parameter:
		return "Parameter"
	case Path:
		if len(e.Steps) == 1 {
			return "VariableReference"
		}
		return "Path"
	case List:
		return "Seq"
	case Tuple:
		return "Struct"
	case Bag:
		return "Bag"
	case Missing:
		return "MISSING"
	case Operator:
		return strings.ToLower(e.Text)
	}
	return e.Text
}

// Faultf returns a fault with the given text.
func Faultf(format string, args ...any) error { return value.Error(fmt.Sprintf(format, args...)) }
