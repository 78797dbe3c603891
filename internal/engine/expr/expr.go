// Package expr implements the expression languages of DynamoDB: condition,
// filter, key condition, update and projection expressions.
//
// A request has one [Scope]: the names and values that its expressions share.
// Each expression is read by its Parse function, in the order in which the
// service reads them, and [Scope.CheckUsed] ends the reading. What comes out
// is bound to the request's names and values, immutable, and safe for use by
// several goroutines.
//
// Every fault is a [value.Error] with the text of the service's
// ValidationException. The service finds faults in passes, and so does this
// package: the size of the text, its syntax, redundant parentheses, then names
// of functions and attributes from left to right, and at last what depends on
// the placeholders. Texts that tell requests apart follow [Scope.Wording].
package expr

import (
	"fmt"

	"github.com/dynorm/dynorm/internal/engine/value"
)

// Limits of expressions.
const (
	MaxSize         = 4 << 10   // bytes of one expression
	MaxOperators    = 300       // operators and functions of one expression
	MaxPathDepth    = 32        // elements of one document path
	MaxIn           = 100       // operands on the right of IN
	MaxPlaceholder  = 255       // bytes of one placeholder
	MaxName         = 65535     // bytes of one attribute name
	MaxSubstitution = 2 << 20   // bytes of all names, and of all values
	maxIndex        = 1<<31 - 1 // of a list element
)

// Kind is one of a request's expression parameters. Kinds are bits, so that a
// sum of them is a set.
type Kind uint8

// The expression parameters, in the order in which the service lists them.
const (
	KindUpdate Kind = 1 << iota
	KindCondition
	KindFilter
	KindKeyCondition
	KindProjection
)

// String returns the parameter's name in a request.
func (k Kind) String() string {
	switch k {
	case KindUpdate:
		return "UpdateExpression"
	case KindCondition:
		return "ConditionExpression"
	case KindFilter:
		return "FilterExpression"
	case KindKeyCondition:
		return "KeyConditionExpression"
	case KindProjection:
		return "ProjectionExpression"
	}
	return "Expression"
}

// Wording tells requests apart that word the same fault differently.
type Wording uint8

// The groups of requests. The texts of writes come out of the service under
// the heading "1 validation error detected: ", which is the caller's to add:
// it stands above faults of the whole request, not of expressions alone.
const (
	WordingScan  Wording = iota // Scan, transactions
	WordingRead                 // GetItem, BatchGetItem, Query
	WordingWrite                // PutItem, UpdateItem, DeleteItem
)

func faultf(format string, args ...any) error {
	return value.Error(fmt.Sprintf(format, args...))
}

// invalid is a fault in the expression that k holds.
func (k Kind) invalid(text string) error {
	if k == 0 { // of a statement, which is not an expression parameter
		return value.Error(text)
	}
	return value.Error("Invalid " + k.String() + ": " + text)
}
