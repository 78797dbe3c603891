package dynorm

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/smithy-go"
)

// Sentinels. Every error of this package matches at least one of them with
// [errors.Is]; the typed errors around them say which operation, entity, index
// and field, and the SDK's own error stays reachable with [errors.As].
var (
	// ErrNotFound says that no item has the key, or that none matches.
	ErrNotFound = errors.New("item not found")
	// ErrExists says that Create met an item with the same key.
	ErrExists = errors.New("item already exists")
	// ErrConditionFailed says that a condition of a write did not hold. It also
	// matches ErrExists and ErrStaleVersion failures.
	ErrConditionFailed = errors.New("condition failed")
	// ErrStaleVersion says that the item changed since it was read.
	ErrStaleVersion = errors.New("version is stale")
	// ErrUnique says that another item holds a unique value.
	ErrUnique = errors.New("unique value is taken")
	// ErrTooMany says that [Query.One] matched more than one item.
	ErrTooMany = errors.New("more than one item matches")
	// ErrNoIndex says that no key or index answers a query.
	ErrNoIndex = errors.New("no index answers the query")
	// ErrCursor says that a cursor is damaged or belongs to another query.
	ErrCursor = errors.New("cursor is not valid here")
	// ErrTxCanceled says that a transaction was cancelled, so that nothing of
	// it was written.
	ErrTxCanceled = errors.New("transaction cancelled")
	// ErrUnprocessed says that a batch ended with leftovers.
	ErrUnprocessed = errors.New("items left unprocessed")

	// ErrDefinition says that entities do not make a schema.
	ErrDefinition = errors.New("definition is not valid")
	// ErrUnregistered says that a type is no entity of the schema.
	ErrUnregistered = errors.New("type is not in the schema")
	// ErrMissingKey says that a part of a base key has no value.
	ErrMissingKey = errors.New("key part is missing")
	// ErrTooLarge says that a key or an item exceeds DynamoDB's limit.
	ErrTooLarge = errors.New("too large")
	// ErrValue says that a value does not fit its field or attribute.
	ErrValue = errors.New("value does not fit")
	// ErrUnknownField says that an entity has no field or attribute of a name.
	ErrUnknownField = errors.New("unknown field")
	// ErrImmutable says that a write would change a base key.
	ErrImmutable = errors.New("base key cannot change")
	// ErrNeedsFields says that an update would have to read the item first, which
	// its caller forbade ([NoRead]).
	ErrNeedsFields = errors.New("fields are needed")
	// ErrValidation says that the validator refused a write ([Config.Validator]).
	ErrValidation = errors.New("validation failed")
	// ErrInvalid says that a call contradicts itself or lacks something.
	ErrInvalid = errors.New("invalid call")

	// ErrTableNotFound says that the table does not exist.
	ErrTableNotFound = errors.New("table not found")
	// ErrTableDiffers says that the table exists with other keys or indexes.
	ErrTableDiffers = errors.New("table differs from the schema")
	// ErrAccess says that AWS refused the credentials or their rights.
	ErrAccess = errors.New("access denied")
	// ErrThrottled says that capacity ran out after the SDK's retries.
	ErrThrottled = errors.New("throttled")
	// ErrConflict says that a transaction on the same item was under way.
	ErrConflict = errors.New("conflicts with another transaction")
)

// Error is the error of one operation.
type Error struct {
	// Op is the operation, as named in the API: "Create", "Find".
	Op string
	// Entity is the entity's name, empty where the operation has none.
	Entity string
	// Index is the index the operation read, empty for the table itself.
	Index string
	// Field is the Go name of the field at fault, empty for none.
	Field string
	// Err is what happened: a sentinel, or an error that wraps one.
	Err error
}

func (e *Error) Error() string {
	text := "dynorm:"
	if e.Op != "" {
		text += " " + e.Op
	}
	switch {
	case e.Entity != "" && e.Field != "":
		text += " " + e.Entity + "." + e.Field
	case e.Entity != "":
		text += " " + e.Entity
	case e.Field != "":
		text += " " + e.Field
	}
	if e.Index != "" {
		text += " on " + e.Index
	}
	return text + ": " + e.Err.Error()
}

func (e *Error) Unwrap() error { return e.Err }

// ConditionError is a write that a condition refused. Nothing was written.
type ConditionError struct {
	// Reason is ErrExists, ErrStaleVersion, ErrUnique or ErrConditionFailed.
	Reason error
	// Item is the item as it stood when the condition was checked, nil when
	// there was none. It is not part of the error text.
	Item Item
	// Err is the SDK's error.
	Err error

	stored Item // with what the encrypted fields are stored as, nil where there are none
}

func (e *ConditionError) Error() string { return e.Reason.Error() }

// Is reports ErrConditionFailed for every reason.
func (e *ConditionError) Is(target error) bool { return target == ErrConditionFailed }

// Unwrap returns the reason and the SDK's error.
func (e *ConditionError) Unwrap() []error {
	if e.Err == nil {
		return []error{e.Reason}
	}
	return []error{e.Reason, e.Err}
}

// NeedsFieldsError is an update that would have to read the item first, which
// [NoRead] forbids. Nothing was sent.
type NeedsFieldsError struct {
	// Fields are the Go names of the fields whose values are not known.
	Fields []string
}

func (e *NeedsFieldsError) Error() string {
	return "index entries or unique values depend on " + strings.Join(e.Fields, ", ") +
		": change them too, or say what they are with If(Eq(...)), or allow the read"
}

// Unwrap returns ErrNeedsFields.
func (e *NeedsFieldsError) Unwrap() error { return ErrNeedsFields }

// fault is an error of a definition, a value or a call: a sentinel with the
// words that say what is wrong.
type fault struct {
	kind error
	text string
	err  error
}

func (f *fault) Error() string { return f.text }

func (f *fault) Unwrap() []error {
	if f.err == nil {
		return []error{f.kind}
	}
	return []error{f.kind, f.err}
}

// faultf returns an error that reads as formatted and matches kind. A final
// argument that is an error formatted by %w stays reachable.
func faultf(kind error, format string, args ...any) error {
	err := fmt.Errorf(format, args...)
	return &fault{kind: kind, text: err.Error(), err: errors.Unwrap(err)}
}

// opError puts the operation and the entity around err, once.
func opError(op string, e *entity, err error) error {
	if err == nil {
		return nil
	}
	if oe := outerError(err); oe != nil {
		return oe
	}
	oe := &Error{Op: op, Err: err}
	if e != nil {
		oe.Entity = e.def.Name
	}
	if _, more := err.(carrier); more {
		return oe
	}
	if fe, ok := errors.AsType[*fieldError](err); ok {
		oe.Field, oe.Err = fe.field, fe.err
	}
	return oe
}

// carrier is an error that says more than the [*Error] it may carry.
type carrier interface{ carries() }

// outerError returns the Error that err is or wraps, unless something that says
// more is around it.
func outerError(err error) *Error {
	switch e := any(err).(type) { // this one, not what it wraps
	case *Error:
		return e
	case carrier:
		return nil
	case interface{ Unwrap() error }:
		return outerError(e.Unwrap())
	case interface{ Unwrap() []error }:
		for _, err := range e.Unwrap() {
			if oe := outerError(err); oe != nil {
				return oe
			}
		}
	}
	return nil
}

// fieldError carries a field's name up to opError.
type fieldError struct {
	field string
	err   error
}

func (e *fieldError) Error() string { return e.field + ": " + e.err.Error() }
func (e *fieldError) Unwrap() error { return e.err }

func atField(field string, err error) error { return &fieldError{field: field, err: err} }

// awsError maps what the SDK returned onto the sentinels. It is the one place
// that knows AWS's exceptions.
func awsError(err error) error {
	if err == nil {
		return nil
	}
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	if ccf, ok := errors.AsType[*types.ConditionalCheckFailedException](err); ok {
		return &ConditionError{Reason: ErrConditionFailed, Item: ccf.Item, Err: err}
	}
	api, ok := errors.AsType[smithy.APIError](err)
	if !ok {
		return err
	}
	switch api.ErrorCode() {
	case "ResourceNotFoundException":
		return &fault{kind: ErrTableNotFound, text: ErrTableNotFound.Error() + ": " + api.ErrorMessage(), err: err}
	case "ProvisionedThroughputExceededException", "ThrottlingException", "RequestLimitExceeded":
		return &fault{kind: ErrThrottled, text: "throttled: " + api.ErrorMessage(), err: err}
	case "TransactionConflictException", "TransactionInProgressException", "ReplicatedWriteConflictException":
		return &fault{kind: ErrConflict, text: ErrConflict.Error(), err: err}
	case "UnrecognizedClientException", "InvalidSignatureException", "MissingAuthenticationTokenException",
		"AccessDeniedException", "ExpiredTokenException", "IncompleteSignatureException", "InvalidAccessKeyId",
		"SignatureDoesNotMatch", "InvalidClientTokenId":
		return &fault{kind: ErrAccess, text: "access denied: " + api.ErrorCode(), err: err}
	case "TransactionCanceledException":
		return &fault{kind: ErrTxCanceled, text: api.ErrorMessage(), err: err}
	case "ItemCollectionSizeLimitExceededException":
		return &fault{kind: ErrTooLarge, text: "item collection exceeds 10 GB", err: err}
	case "ValidationException":
		return &fault{kind: refusalKind(api.ErrorMessage()), text: "DynamoDB refused the request: " + api.ErrorMessage(), err: err}
	}
	return err
}

// refusalKind is the sentinel of a request that DynamoDB found not valid. That an
// update makes an item too large may not be known before.
func refusalKind(message string) error {
	if strings.Contains(message, "exceeded the maximum allowed size") {
		return ErrTooLarge
	}
	return ErrInvalid
}
