package partiql

import (
	"strconv"

	"github.com/dynorm/dynorm/internal/engine/value"
)

// rootKey is where the texts of faults see a value that stands alone.
const rootKey = "root"

// Constant returns the value of an expression that holds no attributes.
// Parameters stand for values only where nothing is around them.
func (e *Expr) Constant(parameters []value.Value) (value.Value, error) {
	if e.Op == Parameter {
		return parameters[e.Param], nil
	}
	return e.literal(rootKey, 1)
}

// literal returns the value at a key of what is written.
func (e *Expr) literal(key string, depth int) (value.Value, error) {
	if depth > value.MaxDepth {
		return value.Value{}, Faultf("Nesting Levels have exceeded supported limits")
	}
	switch e.Op {
	case Literal:
		return e.Value, nil
	case List:
		elems := make([]value.Value, len(e.Args))
		for i, a := range e.Args {
			v, err := a.literal(key+"."+strconv.Itoa(i), depth+1)
			if err != nil {
				return v, err
			}
			elems[i] = v
		}
		return value.List(elems), nil
	case Bag:
		return e.set()
	case Tuple:
		attrs := make([]value.Attr, len(e.Pairs))
		for i, pair := range e.Pairs {
			name, err := e.key(i, key, e.At)
			if err != nil {
				return value.Value{}, err
			}
			v, err := pair.Value.literal(key+"."+name, depth+1)
			if err != nil {
				return v, err
			}
			attrs[i] = value.Attr{Name: name, Value: v}
		}
		return value.Map(value.NewItem(attrs)), nil
	case Ion:
		return value.Value{}, Faultf("Ion Literals are not supported: %s under key %s at %s", e.Text, key, e.At)
	case Path:
		if name, ok := e.IsName(); ok && key == rootKey {
			return value.Value{}, Faultf("Unsupported data type: %s under key %s at %s", name, key, e.At)
		}
	}
	return value.Value{}, Faultf("Unsupported data type: %s under key %s at %s", e.Type(), key, e.At)
}

// key returns the name of the i-th attribute of a tuple at a key. at is where
// one that is there twice is said to be.
func (e *Expr) key(i int, under string, at Pos) (string, error) {
	k := e.Pairs[i].Key
	if k.Op != Literal || k.Value.Kind() != value.S {
		actual := k.Type()
		if k.Op == Operator || k.Op == Call {
			actual = "NAry"
		}
		return "", Faultf("Tuple keys must be of type String. Actual type: %s under %s at %s", actual, under, k.At)
	}
	for _, pair := range e.Pairs[:i] {
		if pair.Key.Value.Text() == k.Value.Text() {
			return "", Faultf("Duplicate keys in tuple. Key: %s under %s at %s", k.Value.Text(), under, at)
		}
	}
	return k.Value.Text(), nil
}

// set returns the value of a bag.
func (e *Expr) set() (value.Value, error) {
	const mixed = "Unsupported data type in Bag. DynamoDB only supports either numbers or strings in bags"
	if len(e.Args) == 0 {
		return value.Value{}, Faultf("Empty bags are not supported at %s", e.At)
	}
	elems := make([]value.Value, len(e.Args))
	for i, a := range e.Args {
		switch {
		case a.Op != Literal, a.Value.Kind() != value.S && a.Value.Kind() != value.N:
			return value.Value{}, Faultf("%s at %s", mixed, a.At)
		case a.Value.Kind() != e.Args[0].Value.Kind():
			return value.Value{}, Faultf(mixed)
		}
		elems[i] = a.Value
	}
	kind := value.SS
	if elems[0].Kind() == value.N {
		kind = value.NS
	}
	v, unique := value.Set(kind, elems)
	if !unique {
		return v, Faultf("Input collection contains duplicates")
	}
	return v, nil
}
