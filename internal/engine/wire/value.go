package wire

import (
	"slices"
	"strings"

	"github.com/dynorm/dynorm/internal/engine/value"
)

// The faults of attribute values, as the service words them. ErrNesting is also
// that of items which an update nests too deeply.
const (
	errEmpty   value.Error = "Supplied AttributeValue is empty, must contain exactly one of the supported datatypes"
	errMany    value.Error = "Supplied AttributeValue has more than one datatypes set, must contain exactly one of the supported datatypes"
	errNull    value.Error = "One or more parameter values were invalid: Null attribute value types must have the value of true"
	ErrNesting value.Error = "Nesting Levels have exceeded supported limits: Attributes in the item have nested levels beyond supported limit"
	errNoSS    value.Error = "One or more parameter values were invalid: An string set  may not be empty"
	errNoNS    value.Error = "One or more parameter values were invalid: An number set  may not be empty"
	errNoBS    value.Error = "One or more parameter values were invalid: Binary sets should not be empty"
	errDupNS   value.Error = "Input collection contains duplicates"
	errName    value.Error = "Empty attribute name"
	errNullSS  value.Error = "One or more parameter values were invalid: An string set may not have a null string as a member"
	errNullNS  value.Error = "One or more parameter values were invalid: An number set may not have a null string as a member"
	errNullBS  value.Error = "One or more parameter values were invalid: An binary set may not have a null string as a member"
)

// Item reads a map of attribute values. A value that is of the right form but
// not valid leaves its fault, the first one, in err, to be reported in its
// turn; what has the wrong form fails the Reader.
func (r *Reader) Item() (it value.Item, set bool, err error) { return r.item(1) }

// item reads a map whose values are at the given level of nesting. They are
// gathered on a stack, so that what is kept of them is of their size.
func (r *Reader) item(level int) (it value.Item, set bool, err error) {
	at := len(r.attrs)
	set = r.Map("AttributeValue", func(name string) {
		v, e := r.value(level)
		if name == "" {
			e = errName
		}
		if err == nil {
			err = e
		}
		r.attrs = append(r.attrs, value.Attr{Name: name, Value: v})
	})
	it = value.NewItem(slices.Clone(r.attrs[at:]))
	r.attrs = r.attrs[:at]
	return it, set, err
}

// Value reads one attribute value. See Item for its errors.
func (r *Reader) Value() (value.Value, error) { return r.value(1) }

func (r *Reader) value(level int) (v value.Value, err error) {
	if level > value.MaxDepth {
		r.Skip()
		return value.Value{}, ErrNesting
	}
	types := 0
	set := r.Struct("AttributeValue", func(name string) {
		got, found, e := r.typed(name, level)
		if !found {
			return
		}
		types++
		v = got
		if err == nil {
			err = e
		}
	})
	switch {
	case err != nil:
		return value.Value{}, err
	case !set || types == 0:
		return value.Value{}, errEmpty
	case types > 1:
		return value.Value{}, errMany
	}
	return v, nil
}

// typed reads the value of the data type with the given name.
func (r *Reader) typed(name string, level int) (v value.Value, found bool, err error) {
	switch name {
	case "S":
		t := r.Text()
		return value.String(t.V), t.Set, nil
	case "N":
		t := r.Text()
		if !t.Set {
			return v, false, nil
		}
		v, err = number(t.V)
		return v, true, err
	case "B":
		t := r.binary()
		return value.Binary(t.V), t.Set, nil
	case "BOOL":
		t := r.Bool()
		return value.Bool(t.V), t.Set, nil
	case "NULL":
		t := r.Bool()
		if t.Set && !t.V {
			err = errNull
		}
		return value.Null(), t.Set, err
	case "SS":
		return r.set(value.SS, errNoSS, errNullSS)
	case "NS":
		return r.set(value.NS, errNoNS, errNullNS)
	case "BS":
		return r.set(value.BS, errNoBS, errNullBS)
	case "L":
		var elems []value.Value
		found = r.List(func() {
			e, eerr := r.value(level + 1)
			if err == nil {
				err = eerr
			}
			elems = append(elems, e)
		})
		return value.List(elems), found, err
	case "M":
		var m value.Item
		m, found, err = r.item(level + 1)
		return value.Map(m), found, err
	}
	r.Skip()
	return v, false, nil
}

// number returns the N value of text. Text that is already as the service
// prints it is kept, which saves printing it again.
func number(text string) (value.Value, error) {
	n, err := value.ParseNumber(text)
	if err != nil {
		return value.Value{}, err
	}
	return value.NumText(n, text), nil
}

func (r *Reader) set(kind value.Kind, none, null error) (v value.Value, found bool, err error) {
	var elems []value.Value
	var texts []string
	fault := func(e error) {
		if err == nil {
			err = e
		}
	}
	found = r.List(func() {
		var t Text
		if kind == value.BS {
			t = r.binary()
		} else {
			t = r.Text()
		}
		if !t.Set {
			fault(null)
			return
		}
		switch kind {
		case value.SS:
			texts = append(texts, t.V)
			elems = append(elems, value.String(t.V))
		case value.BS:
			texts = append(texts, string(AppendBase64(nil, t.V)))
			elems = append(elems, value.Binary(t.V))
		case value.NS:
			n, e := number(t.V)
			if e != nil {
				fault(e)
				return
			}
			elems = append(elems, n)
		}
	})
	if err != nil || !found {
		return v, found, err
	}
	if len(elems) == 0 {
		return v, true, none
	}
	v, unique := value.Set(kind, elems)
	if unique {
		return v, true, nil
	}
	all := "One or more parameter values were invalid: Input collection [" + strings.Join(texts, ", ") + "]"
	switch kind {
	case value.SS:
		return v, true, value.Error(all + " contains duplicates.")
	case value.BS:
		return v, true, value.Error(all + "of type BS contains duplicates.")
	}
	return v, true, errDupNS
}
