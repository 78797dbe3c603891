package parser

// When is the condition of a sparse index, parsed.
type When struct {
	// Terms must all hold.
	Terms []Term
}

// Term is one comparison of a condition.
type Term struct {
	Field  string
	Op     string
	Values []string
}

// ParseWhen parses the condition of a sparse index.
func ParseWhen(src string) (When, error) { return When{}, errUnparsed }
