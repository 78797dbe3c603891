package engine

import (
	"errors"
	"fmt"
	"net/http"

	"github.com/dynorm/dynorm/internal/engine/value"
	"github.com/dynorm/dynorm/internal/engine/wire"
)

// Fault is an error answer of the service.
type Fault struct {
	Type    string // as in __type
	Message string
	Status  int
	// Extra, if any, appends further members of the answer's body.
	Extra func(o *wire.Object)
}

func (f *Fault) Error() string { return f.Type + ": " + f.Message }

const (
	modelPrefix    = "com.amazonaws.dynamodb.v20120810#"
	validationType = "com.amazon.coral.validate#ValidationException"
	coralPrefix    = "com.amazon.coral.service#"
)

// fault returns the fault of one of the model's own exceptions.
func fault(name, message string) *Fault {
	return &Fault{Type: modelPrefix + name, Message: message, Status: http.StatusBadRequest}
}

// Refused returns the fault with the given name of a request that is not let
// in.
func Refused(name, message string) *Fault {
	return &Fault{Type: coralPrefix + name, Message: message, Status: http.StatusBadRequest}
}

// invalid returns a ValidationException.
func invalid(format string, args ...any) *Fault {
	message := format
	if len(args) > 0 {
		message = fmt.Sprintf(format, args...)
	}
	return &Fault{Type: validationType, Message: message, Status: http.StatusBadRequest}
}

// parameter returns the ValidationException for a bad parameter value.
func parameter(format string, args ...any) *Fault {
	return invalid("One or more parameter values were invalid: "+format, args...)
}

var (
	errNoTable   = fault("ResourceNotFoundException", "Requested resource not found")
	errCondition = fault("ConditionalCheckFailedException", "The conditional request failed")
	errKeySchema = invalid("The provided key element does not match the schema")
	errTooLarge  = &Fault{Type: coralPrefix + "RequestEntityTooLargeException", Message: "Request size exceeded the limit", Status: http.StatusRequestEntityTooLarge}
	errUnknownOp = &Fault{Type: coralPrefix + "UnknownOperationException", Status: http.StatusBadRequest}
	errConflict  = fault("TransactionConflictException", "Transaction is ongoing for the item")
)

// The faults that are also there to order.
var (
	Internal  = &Fault{Type: modelPrefix + "InternalServerError", Message: "Internal server error", Status: http.StatusInternalServerError}
	Throttled = fault("ProvisionedThroughputExceededException", "The level of configured provisioned throughput for the table was exceeded. Consider increasing your provisioning level with the UpdateTable API.")
)

// internal returns an InternalServerError that says more than Internal.
func internal(message string) *Fault {
	return &Fault{Type: Internal.Type, Message: message, Status: Internal.Status}
}

// noSource is noTable for the operations on backups, which have their own.
func noSource(name string) *Fault {
	return fault("TableNotFoundException", "Table not found: "+name)
}

func noTable(name string) *Fault {
	return fault("ResourceNotFoundException", "Requested resource not found: Table: "+name+" not found")
}

// asFault returns the answer for err: a Fault as it is, the kernel's errors as
// the exceptions they stand for.
func asFault(err error) *Fault {
	var f *Fault
	var v value.Error
	var s wire.SerializationError
	switch {
	case errors.As(err, &f):
		return f
	case errors.As(err, &v):
		return invalid("%s", string(v))
	case errors.As(err, &s):
		return &Fault{Type: coralPrefix + "SerializationException", Message: string(s), Status: http.StatusBadRequest}
	}
	return Internal
}

// body returns the JSON of the answer.
func (f *Fault) body() []byte {
	o := wire.Begin(nil)
	o.Text("__type", f.Type)
	if f.Extra != nil {
		f.Extra(&o)
	}
	if f.Message != "" {
		o.Text("message", f.Message)
	}
	return o.End()
}
