package parser

import "reflect"

// TypeOf describes how values of a Go type are stored, by the rules that Parse
// follows for the types of fields: its kind, without what it is made of. The
// fault of a type that can't be stored is a *DefinitionError.
func TypeOf(t reflect.Type) (Type, error) {
	d, p := shallow(t)
	if p != nil {
		return d, &DefinitionError{Type: t.String(), Fault: p.fault, Suggestion: p.suggestion}
	}
	if d.Kind == Map {
		key, p := mapKey(d.Reflect.Key())
		if p != nil {
			return d, &DefinitionError{Type: t.String(), Fault: p.fault, Suggestion: p.suggestion}
		}
		d.Key = &key
	}
	return d, nil
}
