package difffuzz

// Titles of AWS pages that differences name.
const (
	errorsPage    = "Error handling with DynamoDB (Developer Guide)"
	commonPage    = "Common Errors (API Reference)"
	dataTypesPage = "Supported data types and naming rules in Amazon DynamoDB (Developer Guide)"
	capacityPage  = "DynamoDB provisioned capacity mode: capacity unit consumption (Developer Guide)"
	limitsPage    = "Quotas in Amazon DynamoDB (Developer Guide)"
)

// constraint matches an answer of the service's check of a request's shape.
const constraint = `ValidationException: \d+ validation errors? detected: .*`

// Allowed lists the known differences between DynamoDB Local 3.3.1 and the
// service, in which the engine follows the service.
var Allowed = []Difference{
	{
		Name: "local fails inside", Why: "DynamoDB Local answers InternalFailure to what it did not foresee; the service finds the fault.",
		Page: errorsPage, local: `500 InternalFailure: .*`, engine: `[A-Za-z]+Exception: .*|ok`,
	},
	{
		Name: "types in JSON", Why: "Members of another JSON type are a SerializationException; DynamoDB Local converts them or fails.",
		Page: errorsPage, engine: `SerializationException: .*`, when: spoilt,
	},
	{
		Name: "constraints", Why: "The shape of a request is checked against the API's model first and as a whole; DynamoDB Local checks it later, member by member, in words of its own, or not at all.",
		Page: commonPage, engine: constraint, when: spoilt,
	},
	{
		Name: "missing table", Why: "A table that is not there is a 'Requested resource not found'.",
		Page: errorsPage, local: `ResourceNotFoundException: Cannot do operations on a non-existent table`, engine: `ResourceNotFoundException: Requested resource not found.*`,
	},
	{
		Name: "capacity of a delete", Why: "ConsumedCapacity is returned when asked for; DynamoDB Local returns it for every delete of an item that is not there.",
		Page: "DeleteItem (API Reference)", ops: "DeleteItem", path: `\.ConsumedCapacity`,
		when: func(x *exchange) bool { _, asked := x.q.Body["ReturnConsumedCapacity"]; return !asked },
	},
	{
		Name: "key of an item", Why: "A put that lacks a key attribute or has one of another type is told which; DynamoDB Local does not name it.",
		Page:   "PutItem (API Reference)",
		local:  `ValidationException: (One of the required keys was not given a value|One or more parameter values were invalid: Type mismatch for key|Invalid attribute value type)`,
		engine: `ValidationException: One or more parameter values were invalid: (Missing the key \S+ in the item|Type mismatch for key \S+ expected: [SNB] actual: \S+)`,
	},
	{
		Name: "key of a read", Why: "A key that is not the table's does not match the schema, whatever is wrong with it.",
		Page:   "GetItem (API Reference)",
		local:  `ValidationException: (One of the required keys was not given a value|The number of conditions on the keys is invalid|One or more parameter values were invalid: Type mismatch for key|Invalid attribute value type)`,
		engine: `ValidationException: The provided key element does not match the schema`,
	},
	{
		Name: "no number", Why: "Text that is no number is quoted back.",
		Page:   dataTypesPage,
		local:  `ValidationException: (.*: )?A value provided cannot be converted into a number( for key .*)?`,
		engine: `ValidationException: (.*: )?The parameter cannot be converted to a numeric value(: .*)?( for key .*)?`,
	},
	{
		Name: "digits", Why: "A number of more than 38 digits is refused in these words.",
		Page:   dataTypesPage,
		local:  `ValidationException: (.*: )?DynamoDB only supports precision up to 38 digits( for key .*)?`,
		engine: `ValidationException: (.*: )?Attempting to store more than 38 significant digits in a Number( for key .*)?`,
	},
	{
		Name: "unknown operations", Why: "DynamoDB Local does not have these operations.",
		Page: "DynamoDB low-level API: Actions (API Reference)", local: `UnknownOperationException: .*`, engine: `ok|[A-Za-z]+Exception: .*`,
		ops: "TagResource UntagResource ListTagsOfResource DescribeEndpoints",
	},
}

// spoilt is true for a request that something was made wrong with.
func spoilt(x *exchange) bool { return x.q.faults > 0 }
