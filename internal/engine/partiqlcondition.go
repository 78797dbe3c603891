package engine

import (
	"strconv"
	"strings"

	"github.com/dynorm/dynorm/internal/engine/expr"
	"github.com/dynorm/dynorm/internal/engine/partiql"
	"github.com/dynorm/dynorm/internal/engine/value"
)

// condition returns the WHERE of a statement, which must have one.
func (s *statement) condition() (*expr.Condition, error) {
	if !isCondition(s.Where) {
		return nil, invalid("WHERE clause must contain an expression that resolves to a boolean")
	}
	root, err := s.boolean(s.Where)
	if err != nil {
		return nil, err
	}
	return s.b.Condition(root)
}

// isCondition reports whether e can be true or false.
func isCondition(e *partiql.Expr) bool {
	return e.Op == partiql.Operator || e.Op == partiql.Call && e.Text != "size"
}

// boolean builds a condition.
func (s *statement) boolean(e *partiql.Expr) (o expr.Operand, err error) {
	switch {
	case e.Op == partiql.Call:
		return s.call(e, false)
	case e.Is("AND"), e.Is("OR"), e.Is("NOT"):
		return s.logical(e)
	case e.Is("IN"):
		return s.among(e)
	case strings.HasPrefix(e.Text, "IS "):
		return s.is(e)
	}
	switch e.Text {
	case "=", "<>", "<", "<=", ">", ">=", "BETWEEN":
		return s.operation(e.Text, e.Args)
	}
	return o, invalid("Unsupported operator in Condition Expression. Operator: %s", strings.ToLower(e.Text))
}

func (s *statement) operation(symbol string, args []*partiql.Expr) (expr.Operand, error) {
	operands, err := s.operands(args, false)
	if err != nil {
		return expr.Operand{}, err
	}
	return s.b.Operation(symbol, operands...), nil
}

func (s *statement) operands(args []*partiql.Expr, update bool) ([]expr.Operand, error) {
	out := make([]expr.Operand, len(args))
	for i, a := range args {
		var err error
		if update {
			out[i], err = s.assigned(a)
		} else {
			out[i], err = s.operand(a)
		}
		if err != nil {
			return nil, err
		}
	}
	return out, nil
}

func (s *statement) logical(e *partiql.Expr) (expr.Operand, error) {
	isSize := func(a *partiql.Expr) bool { return a.Op == partiql.Call && a.Text == "size" }
	for _, a := range e.Args {
		switch {
		case isCondition(a) || isSize(a):
		case e.Text == "NOT":
			return expr.Operand{}, invalid("The argument to NOT must be a Type or Expression")
		default:
			return expr.Operand{}, invalid("The arguments to AND/OR must be Expressions")
		}
	}
	args := make([]expr.Operand, len(e.Args))
	for i, a := range e.Args {
		if isSize(a) {
			return expr.Operand{}, invalid("Incorrect operand type for operator or function; operator or function: %s, operand type: N", e.Text)
		}
		var err error
		if args[i], err = s.boolean(a); err != nil {
			return expr.Operand{}, err
		}
	}
	return s.b.Operation(e.Text, args...), nil
}

func (s *statement) among(e *partiql.Expr) (expr.Operand, error) {
	left, right := e.Args[0], e.Args[1]
	constant := left.Op != partiql.Path && left.Op != partiql.Call && left.Op != partiql.Literal && left.Op != partiql.Parameter
	if constant || right.Op != partiql.List && right.Op != partiql.Bag || len(right.Args) == 0 {
		return expr.Operand{}, invalid("IN operator must have a left hand argument of type Variable Reference and right hand argument of type Seq with at least one member")
	}
	return s.operation("IN", append([]*partiql.Expr{left}, right.Args...))
}

// isTypes are the types of DynamoDB by the names that IS knows them by.
var isTypes = map[string]value.Kind{
	"BOOLEAN": value.BOOL, "BLOB": value.B, "STRING": value.S, "NUMERIC": value.N,
	"STRUCT": value.M, "TUPLE": value.M, "LIST": value.L,
}

func (s *statement) is(e *partiql.Expr) (o expr.Operand, err error) {
	switch e.Args[0].Op {
	case partiql.Path, partiql.Literal, partiql.Parameter:
	default:
		return o, invalid("The left hand side argument to IS must be a Variable Reference, Literal, or Path")
	}
	left, err := s.operand(e.Args[0])
	if err != nil {
		return o, err
	}
	switch name := strings.TrimPrefix(e.Text, "IS "); name {
	case "MISSING":
		return s.b.Call("attribute_not_exists", false, left)
	case "NULL":
		return s.b.Operation("=", left, s.b.Value(value.Null())), nil
	default:
		return s.b.Call("attribute_type", false, left, s.b.Value(value.String(isTypes[name].String())))
	}
}

// operand builds what conditions compare.
func (s *statement) operand(e *partiql.Expr) (o expr.Operand, err error) {
	switch e.Op {
	case partiql.Path:
		steps, err := stepsOf(e)
		return s.b.Path(steps), err
	case partiql.Call:
		if e.Text != "size" && isCondition(e) {
			if o, err = s.call(e, false); err == nil {
				err = invalid("The function is not allowed to be used this way in an expression; function: %s", e.Text)
			}
			return o, err
		}
		return s.call(e, false)
	case partiql.Operator:
		return o, invalid("Unsupported operator in Condition Expression. Operator: %s", strings.ToLower(e.Text))
	}
	v, err := s.constant(e)
	if err != nil {
		return o, err
	}
	return s.b.Value(v), nil
}

func (s *statement) call(e *partiql.Expr, update bool) (expr.Operand, error) {
	if _, err := s.b.Call(e.Text, update); err != nil { // A wrong name comes before wrong operands.
		return expr.Operand{}, err
	}
	args, err := s.operands(e.Args, update)
	if err != nil {
		return expr.Operand{}, err
	}
	return s.b.Call(e.Text, update, args...)
}

// constant returns the value of an expression without attributes.
func (s *statement) constant(e *partiql.Expr) (value.Value, error) {
	if e.Op == partiql.Missing && s.Verb != partiql.Insert {
		return value.Value{}, invalid("MISSING must be compared using IS operator")
	}
	return e.Constant(s.in.params)
}

// stepsOf returns the document path that e is.
func stepsOf(e *partiql.Expr) ([]expr.Step, error) {
	steps := make([]expr.Step, len(e.Steps))
	for i, step := range e.Steps {
		switch {
		case step.Star:
			return nil, invalid("Changing item's hierarchy while reading isn't supported")
		case step.Index == nil:
			steps[i].Name = step.Name
			continue
		}
		at := step.Index
		if at.Op != partiql.Literal || at.Value.Kind() != value.N || strings.ContainsAny(at.Value.Text(), ".") {
			return nil, invalid("Unexpected path component at %s", at.At)
		}
		n, err := strconv.ParseInt(at.Value.Text(), 10, 32)
		if err != nil || n < 0 {
			return nil, invalid("List index is not within the allowable range; index: [%s] at %s", at.Value.Text(), at.At)
		}
		steps[i].Index = int32(n)
	}
	return steps, nil
}

// update returns the changes of an UPDATE.
func (s *statement) update() (*expr.Update, error) {
	actions := make([]expr.Action, len(s.Actions))
	for i, a := range s.Actions {
		target, err := stepsOf(a.Target)
		if err != nil {
			return nil, err
		}
		actions[i] = expr.Action{Verb: "SET", Target: target}
		switch {
		case a.Value == nil:
			actions[i].Verb = "REMOVE"
		case a.Value.Op == partiql.Call && setVerbs[a.Value.Text] != "":
			actions[i].Verb = setVerbs[a.Value.Text]
			actions[i].Value, err = s.setChange(a.Value, target)
		default:
			actions[i].Value, err = s.assigned(a.Value)
		}
		if err != nil {
			return nil, err
		}
	}
	return s.b.Update(actions)
}

// setVerbs are the functions that change sets, as what updates call them.
var setVerbs = map[string]string{"set_add": "ADD", "set_delete": "DELETE"}

// setChange returns the set that a set_add or set_delete adds to its target or
// takes from it.
func (s *statement) setChange(e *partiql.Expr, target []expr.Step) (o expr.Operand, err error) {
	name := strings.ToUpper(e.Text)
	if len(e.Args) != 2 {
		return o, invalid("%s must have exactly two arguments at %s", name, e.At)
	}
	if e.Args[0].Op != partiql.Path {
		return o, invalid("The first argument to %s must equal the assignment value", name)
	}
	steps, err := stepsOf(e.Args[0])
	if err != nil {
		return o, err
	}
	if !equalSteps(steps, target) {
		return o, invalid("The first argument to %s must equal the assignment value", name)
	}
	wrong := invalid("The second argument to %s must be a value with type SET at %s", name, e.Args[0].At)
	if e.Args[1].Op != partiql.Bag && e.Args[1].Op != partiql.Parameter {
		return o, wrong
	}
	v, err := s.constant(e.Args[1])
	if err != nil {
		return o, err
	}
	if !v.Kind().IsSet() {
		return o, wrong
	}
	return s.b.Value(v), nil
}

func equalSteps(a, b []expr.Step) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i] != b[i] {
			return false
		}
	}
	return true
}

// assigned builds the right side of an assignment.
func (s *statement) assigned(e *partiql.Expr) (o expr.Operand, err error) {
	switch {
	case e.Op == partiql.Call:
		return s.call(e, true)
	case e.Is("+"), e.Is("-"):
		args, err := s.operands(e.Args, true)
		switch {
		case err != nil:
			return o, err
		case len(args) != 2:
			return o, invalid("Incorrect number of operands for operator or function; operator or function: %s, number of operands: %d", e.Text, len(args))
		}
		return s.b.Operation(e.Text, args...), nil
	case e.Op == partiql.Operator:
		return o, invalid("Unsupported operator in Update Expression. Operator: %s", strings.ToLower(e.Text))
	}
	return s.operand(e)
}
