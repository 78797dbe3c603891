package engine

import (
	"slices"
	"strings"

	"github.com/dynorm/dynorm/internal/engine/expr"
	"github.com/dynorm/dynorm/internal/engine/value"
	"github.com/dynorm/dynorm/internal/engine/wire"
)

// exprInput are the expressions of a request with their placeholders, and the
// older parameters that expressions replace, as they came in.
type exprInput struct {
	condition    wire.Text
	update       wire.Text
	projection   wire.Text
	keyCondition wire.Text
	filter       wire.Text

	names     map[string]string
	namesSet  bool
	values    map[string]value.Value
	valuesSet bool
	err       error // the fault in the values, if any

	takes   []string     // the legacy parameters of the operation
	legacy  *legacyInput // nil if there is none
	present []string     // those that the request has
}

// field reads the member if it is one of an expression's.
func (in *exprInput) field(r *wire.Reader, name string) bool {
	switch name {
	case "ConditionExpression":
		in.condition = r.Text()
	case "UpdateExpression":
		in.update = r.Text()
	case "ProjectionExpression":
		in.projection = r.Text()
	case "KeyConditionExpression":
		in.keyCondition = r.Text()
	case "FilterExpression":
		in.filter = r.Text()
	case "ExpressionAttributeNames":
		in.namesSet = r.Map("String", func(key string) {
			if t := r.Text(); t.Set {
				if in.names == nil {
					in.names = make(map[string]string)
				}
				in.names[key] = t.V
			}
		})
	case "ExpressionAttributeValues":
		in.valuesSet = r.Map("AttributeValue", func(key string) {
			v, err := r.Value()
			if err != nil && in.err == nil {
				in.err = invalid("ExpressionAttributeValues contains invalid value: %s for key %s", err, key)
			}
			if in.values == nil {
				in.values = make(map[string]value.Value)
			}
			in.values[key] = v
		})
	default:
		return in.legacyField(r, name)
	}
	return true
}

func (in *exprInput) legacyField(r *wire.Reader, name string) bool {
	if !slices.Contains(in.takes, name) {
		return false
	}
	if r.Null() {
		return true
	}
	if in.legacy == nil {
		in.legacy = &legacyInput{}
	}
	in.present = append(in.present, name)
	in.legacy.field(r, name)
	return true
}

func (in *exprInput) shape(s *shape) {
	if in.legacy != nil {
		in.legacy.shape(s)
	}
}

// mixed reports expressions beside the parameters that they replace, and
// placeholders beside no expression at all.
func (in *exprInput) mixed(takes expr.Kind) error {
	if len(in.present) == 0 {
		return in.unattached(takes)
	}
	var expressions []string
	for _, e := range []struct {
		text wire.Text
		name string
	}{
		{in.projection, "ProjectionExpression"},
		{in.update, "UpdateExpression"},
		{in.condition, "ConditionExpression"},
		{in.filter, "FilterExpression"},
		{in.keyCondition, "KeyConditionExpression"},
	} {
		if e.text.Set {
			expressions = append(expressions, e.name)
		}
	}
	var legacy []string
	for _, name := range in.takes {
		// Conditions on the key go with expressions of other kinds.
		if slices.Contains(in.present, name) && (name != "KeyConditions" || in.keyCondition.Set) {
			legacy = append(legacy, name)
		}
	}
	if len(expressions) > 0 && len(legacy) > 0 {
		return invalid("Can not use both expression and non-expression parameters in the same request: Non-expression parameters: {%s} Expression parameters: {%s}",
			strings.Join(legacy, ", "), strings.Join(expressions, ", "))
	}
	return in.unattached(takes)
}

// unattached reports placeholders where there is no expression.
func (in *exprInput) unattached(takes expr.Kind) error {
	if !in.namesSet && !in.valuesSet || in.condition.Set || in.update.Set || in.projection.Set || in.filter.Set || in.keyCondition.Set {
		return nil
	}
	scope := expr.Scope{Names: in.names, Values: in.values}
	return scope.Check(takes, 0)
}
