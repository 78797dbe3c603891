package expr

// function is a function of the languages.
type function struct {
	name     string
	operands int
	in       grammar // the language it belongs to
	boolean  bool    // it stands for a condition, not for a value
	outer    bool    // it must be all of what is assigned
	path     bool    // its first operand must be a document path
	distinct bool    // its first operand must differ from the others
}

var (
	attributeExists    = &function{name: "attribute_exists", operands: 1, boolean: true, path: true}
	attributeNotExists = &function{name: "attribute_not_exists", operands: 1, boolean: true, path: true}
	attributeType      = &function{name: "attribute_type", operands: 2, boolean: true, distinct: true}
	beginsWith         = &function{name: "begins_with", operands: 2, boolean: true, distinct: true}
	contains           = &function{name: "contains", operands: 2, boolean: true, distinct: true}
	size               = &function{name: "size", operands: 1}
	ifNotExists        = &function{name: "if_not_exists", operands: 2, in: grammarUpdate, path: true, distinct: true}
	listAppend         = &function{name: "list_append", operands: 2, in: grammarUpdate, outer: true}
)

var functions = func() map[string]*function {
	m := map[string]*function{}
	for _, f := range []*function{
		attributeExists, attributeNotExists, attributeType, beginsWith, contains, size, ifNotExists, listAppend,
	} {
		m[f.name] = f
	}
	return m
}()
