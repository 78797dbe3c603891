package difffuzz

import (
	"encoding/json"
	"fmt"
	"math/big"
	"regexp"
	"slices"
	"strings"
)

// Titles of AWS pages that differences name. A title without more is a page of
// the API Reference.
const (
	errorsPage   = "Error handling with DynamoDB (Developer Guide)"
	commonPage   = "Common Errors"
	namesPage    = "Supported data types and naming rules in Amazon DynamoDB (Developer Guide)"
	capacityPage = "DynamoDB read and write operations: capacity unit consumption (Developer Guide)"
	transactPage = "Amazon DynamoDB Transactions: How it works (Developer Guide)"
	gsiPage      = "Using Global Secondary Indexes in DynamoDB (Developer Guide)"
	lsiPage      = "Local secondary indexes (Developer Guide)"
	partiqlPage  = "PartiQL select statements for DynamoDB (Developer Guide)"
	updatePage   = "Using update expressions in DynamoDB (Developer Guide)"
)

// Parts of patterns.
const (
	valid = `ValidationException: `
	// constraint is an answer of the service's check of a request's shape.
	constraint = valid + `\d+ validation errors? detected: .*`
	// localKey is what DynamoDB Local says of wrong keys.
	localKey = valid + `(One of the required keys was not given a value|The number of conditions on the keys is invalid|One or more parameter values were invalid: Type mismatch for key|Invalid attribute value type)`
	// expression is a fault found in the expressions themselves.
	expression = valid + `(Invalid \w+Expression: .*|ExpressionAttribute(Names|Values) .*|Value provided in ExpressionAttribute(Names|Values) unused in expressions: .*|KeyConditionExpressions .*|Invalid operator used in KeyConditionExpression: .*|Invalid condition in KeyConditionExpression: .*|Key attributes must be scalars; .*)`
	// stored is a fault in a value.
	stored = valid + `(.*: )?(Supplied AttributeValue .*|Empty attribute name|One or more parameter values were invalid: (Null attribute value types .*|An (string|number) set  may not be empty|Binary sets should not be empty|Input collection .*)|Input collection contains duplicates|The parameter cannot be converted .*|Attempting to store more than 38 .*|Number (over|under)flow.*|Nesting Levels .*)`
	// legacy is a fault found in the legacy parameters themselves.
	legacy    = valid + `(One or more parameter values were invalid: (Invalid number of argument\(s\) .*|AttributeValues inside AttributeValueList .*|ComparisonOperator \w+ is not valid .*|Value .*for Attribute: .*|Exists and .*|AttributeValueList can only .*|ConditionalOperator .*|Duplicate value in attribute name: .*|Only DELETE action .*|(ADD|DELETE) action .*)|The BETWEEN condition was provided .*|Conditions can be of length 1 or 2 only)`
	noTable   = `ResourceNotFoundException: Cannot do operations on a non-existent table`
	applied   = valid + `(The document path provided in the update expression is invalid for update|The provided expression refers to an attribute that does not exist in the item|An operand in the update expression has an incorrect data type|Number overflow.*|Number underflow.*|Attempting to store more than 38 .*|DynamoDB only supports precision up to 38 digits)`
	cancelled = `TransactionCanceledException: Transaction cancelled, please refer cancellation reasons for specific reasons `
)

// Allowed lists the known differences between DynamoDB Local 3.3.1 and the
// service, in which the engine follows the service.
var Allowed = []Difference{
	{
		Name: "local fails inside", Why: "DynamoDB Local answers InternalFailure to what it did not foresee; the service says what is wrong.",
		Page: errorsPage, local: `500 InternalFailure: .*`, engine: `[A-Za-z]+Exception: .*|ok`,
	},
	{
		Name: "types in JSON", Why: "Members of another JSON type are a SerializationException; DynamoDB Local converts them or fails.",
		Page: errorsPage, engine: `SerializationException: .*`, when: spoilt,
	},
	{
		Name: "constraints", Why: "The shape of a request is checked against the API's model, first and as a whole; DynamoDB Local checks it later, member by member, in words of its own, or not at all.",
		Page: commonPage, engine: constraint, when: func(x *exchange) bool {
			return spoilt(x) || strings.Contains(x.engine.String(), "comparisonOperator' failed")
		},
	},
	{
		Name: "table names", Why: "A name too short or too long for a table is answered by 'TableName must be at least 3 characters long and at most 255 characters long'.",
		Page: namesPage, local: valid + `Invalid table/index name\..*`, engine: valid + `TableName must be at least 3 characters long and at most 255 characters long`,
	},
	{
		Name: "table names first", Why: "Names that no table can have are refused before anything else is looked at.",
		Page: commonPage, engine: valid + `TableName must be at least 3 characters long and at most 255 characters long`, when: spoilt,
	},
	{
		Name: "missing table", Why: "A table that is not there is a 'Requested resource not found'.",
		Page: errorsPage, local: noTable, engine: `ResourceNotFoundException: Requested resource not found.*`,
	},
	{
		Name: "request before table", Why: "What can be judged of a request by itself is judged before its table is looked for; DynamoDB Local looks for the table first.",
		Page: commonPage, local: noTable, engine: valid + `.*`, when: spoilt,
	},
	{
		Name: "expressions before keys", Why: "Expressions are read before the key is compared with the table's schema; DynamoDB Local goes the other way.",
		Page: commonPage, local: localKey + `|` + valid + `One or more parameter values are not valid\. .*|` + valid + `(The table does not have the specified index: .*|Consistent reads are not supported on global secondary indexes)`, engine: expression, when: spoilt,
	},
	{
		Name: "values before expressions", Why: "The values of keys and items are checked before expressions are read; DynamoDB Local goes the other way.",
		Page: commonPage, local: expression, engine: stored, when: spoilt,
	},
	{
		Name: "values before keys", Why: "Values are checked before the key is compared with the table's schema; DynamoDB Local goes the other way.",
		Page: commonPage, local: localKey, engine: stored, when: spoilt,
	},
	{
		Name: "return values", Why: "PutItem and DeleteItem answer 'ReturnValues can only be ALL_OLD or NONE', after the values of the item.",
		Page: "PutItem", local: valid + `Return values set to invalid value`, engine: valid + `(ReturnValues can only be ALL_OLD or NONE|Supplied AttributeValue .*)`,
	},
	{
		Name: "key of an item", Why: "A put that lacks a key attribute or has one of another type is told which; DynamoDB Local does not name it.",
		Page: "PutItem", local: localKey, engine: valid + `One or more parameter values were invalid: (Missing the key \S+ in the item|Type mismatch for key \S+ expected: [SNB] actual: \S+)`,
	},
	{
		Name: "key of a read", Why: "A key that is not the table's does not match the schema, whatever is wrong with it.",
		Page: "GetItem", local: localKey, engine: valid + `The provided key element does not match the schema`,
	},
	{
		Name: "key of an index", Why: "An item whose attribute can't be an index's key is told which, and of which index; DynamoDB Local does not say, or finds a value of another type empty.",
		Page: "PutItem", local: valid + `(One or more parameter values were invalid: Type mismatch for Index Key|Invalid attribute value type|One or more parameter values are not valid\. A value specified for a secondary index key is not supported\. .*)`,
		engine: valid + `(One or more parameter values were invalid: Type mismatch for Index Key \S+ Expected: [SNB] Actual: \S+ IndexName: \S+|The update expression attempted to update the secondary index key to unsupported type)`,
	},
	{
		Name: "binaries that contain", Why: "CONTAINS and NOT_CONTAINS of legacy parameters look for bytes in a binary; DynamoDB Local takes both for text, in which all bytes that are no UTF-8 are equal.",
		Page: "Condition", ops: "Query Scan", path: `.*`, when: binaryContains,
	},
	{
		Name: "binaries that contain, in Expected", Why: "So do those of the conditions of writes.",
		Page: "ExpectedAttributeValue", ops: "PutItem UpdateItem DeleteItem",
		local: `ok|ConditionalCheckFailedException: .*`, engine: `ok|ConditionalCheckFailedException: .*`, when: binaryContains,
	},
	{
		Name: "no number", Why: "Text that is no number is quoted back: 'The parameter cannot be converted to a numeric value: x'.",
		Page: namesPage, local: valid + `(.*: )?A value provided cannot be converted into a number( for key .*)?`,
		engine: valid + `(.*: )?The parameter cannot be converted to a numeric value(: .*)?( for key .*)?`,
	},
	{
		Name: "digits", Why: "More than 38 digits are answered by 'Attempting to store more than 38 significant digits in a Number'.",
		Page: namesPage, local: valid + `(.*: )?DynamoDB only supports precision up to 38 digits( for key .*)?`,
		engine: valid + `(.*: )?Attempting to store more than 38 significant digits in a Number( for key .*)?`,
	},
	{
		Name: "sets with a value twice", Why: "The elements are quoted back; DynamoDB Local leaves out those of binary sets, and a full stop.",
		Page: namesPage, local: valid + `(.*: )?One or more parameter values were invalid: Input collection .*`,
		engine: valid + `(.*: )?One or more parameter values were invalid: Input collection \[.*\](of type BS)? ?contains duplicates\.( for key .*)?`,
	},
	{
		Name: "numbers in documents", Why: "Numbers are kept and returned in one normal form; DynamoDB Local returns some as they were written.",
		Page: namesPage, path: `.*\.NS?(\[\])?`, when: sameNumbers,
	},
	{
		Name: "empty maps in records", Why: "A stream record shows an empty map as one; DynamoDB Local leaves out its value.",
		Page: "StreamRecord", ops: "GetRecords", path: `\.Records\[\]\.(NewImage|OldImage)\..*M`, when: func(x *exchange) bool {
			shown, ok := x.at.engine.(object)
			return ok && len(shown) == 0 && x.at.local == nil
		},
	},
	{
		Name: "numbers in messages", Why: "Numbers are kept in one normal form, in messages too.",
		Page: namesPage, local: valid + `.*\{N:.*`, engine: valid + `.*\{N:.*`, when: sameButNumbers,
	},
	{
		Name: "starting keys", Why: "A starting key is invalid, outside the query's boundaries, or does not match the range key predicate; DynamoDB Local tells these cases apart otherwise, and before it looks at the sizes of key values in conditions.",
		Page: "Query", ops: "Query Scan",
		local:  valid + `(The provided starting key .*|Exclusive Start Key must have same size as table's key schema|Type mismatch for attribute to update|One or more parameter values .*|Input collection .*|Number .*|Supplied AttributeValue .*|A value provided .*|DynamoDB only supports .*|Invalid attribute value type|Nesting Levels .*)`,
		engine: valid + `(The provided starting key .*|The query can return at most one row and cannot be restarted|The provided key element does not match the schema|One or more parameter values were invalid: Size of .*)`,
	},
	{
		Name: "starting keys first", Why: "The values of a starting key are checked before expressions are read; DynamoDB Local goes the other way.",
		Page: "Query", ops: "Query Scan", local: expression + `|` + valid + `.*`, engine: valid + `The provided starting key is invalid: .*`, when: spoilt,
	},
	{
		Name: "key conditions", Why: "A query that lacks a condition on a key attribute is told which, also where it has one on an attribute that is no key.",
		Page: "Query", ops: "Query", local: valid + `Query (condition missed key schema element|key condition not supported)`, engine: valid + `Query condition missed key schema element: \S+`,
	},
	{
		Name: "key conditions first", Why: "That a query has a key condition is judged with the request, before its table and index; DynamoDB Local goes the other way.",
		Page: "Query", ops: "Query", local: valid + `.*|` + noTable, engine: valid + `Either the KeyConditions or KeyConditionExpression parameter must be specified in the request\.`,
	},
	{
		Name: "segments", Why: "Segments and their total are missed by name, and a segment that is too large is told from both numbers.",
		Page: "Scan", ops: "Scan", local: valid + `(If (total )?segments? is specified, .*|1 validation error detected: Value .* at 'segment' .*)`, engine: valid + `The (TotalSegments|Segment) parameter .*`,
	},
	{
		Name: "segments first", Why: "Segments are checked before expressions are read and indexes looked for; DynamoDB Local goes the other way.",
		Page: "Scan", ops: "Scan", engine: valid + `The (TotalSegments|Segment) parameter .*`, when: spoilt,
	},
	{
		Name: "filters of scans", Why: "An index holds only what is projected into it, for a filter too; DynamoDB Local lets the filter of a Scan see the whole item.",
		Page: gsiPage, ops: "Scan", local: `ok|` + valid + `One or more parameter values were invalid: (Global secondary index \S+ does not project .*|Select type ALL_ATTRIBUTES .*)`, engine: valid + `One or more parameter values were invalid: Secondary index \S+ does not project one or more filter attributes: .*`,
	},
	{
		Name: "capacity of a delete", Why: "ConsumedCapacity is returned when asked for; DynamoDB Local returns it for every delete of an item that is not there.",
		Page: "DeleteItem", ops: "DeleteItem", path: `\.ConsumedCapacity`, when: notAsked("ReturnConsumedCapacity"),
	},
	{
		Name: "capacity of nothing", Why: "A read of nothing costs half a unit, or one if consistent; DynamoDB Local takes nothing for it.",
		Page: capacityPage, ops: "Query Scan BatchGetItem", path: `\.ConsumedCapacity.*`, when: localCosts(less),
	},
	{
		Name: "capacity of fetching", Why: "Attributes that a local index lacks are fetched from the table and charged to it too.",
		Page: lsiPage, ops: "Query Scan", path: `\.ConsumedCapacity.*`, when: localCosts(less),
	},
	{
		Name: "capacity of batched deletes", Why: "A delete of an item that is not there costs one unit; DynamoDB Local takes two for it in a batch.",
		Page: capacityPage, ops: "BatchWriteItem", path: `\.ConsumedCapacity.*`, when: localCosts(more),
	},
	{
		Name: "capacity of transactions", Why: "Transactions cost twice for each item, and say how much of it was reading and writing.",
		Page: capacityPage, ops: "TransactGetItems TransactWriteItems", path: `\.ConsumedCapacity.*`,
	},
	{
		Name: "item twice", Why: "Keys are read before they are compared; DynamoDB Local compares them first.",
		Page: "TransactWriteItems", ops: "TransactWriteItems TransactGetItems", local: valid + `Transaction request cannot include multiple operations on one item`, engine: stored + `|` + expression,
	},
	{
		Name: "item twice first", Why: "That no item may be named twice is judged before any of them is looked at, and a number in two forms is one key.",
		Page: "TransactWriteItems", ops: "TransactWriteItems TransactGetItems ExecuteTransaction", local: `ok|` + valid + `.*|TransactionCanceledException: .*`, engine: valid + `Transaction request cannot include multiple operations on one item`,
	},
	{
		Name: "keys twice", Why: "A number in two forms is one key; DynamoDB Local compares the keys of a batch by their text.",
		Page: "BatchGetItem", ops: "BatchGetItem BatchWriteItem", local: `ok|` + valid + `.*`, engine: valid + `Provided list of item keys contains duplicates`,
	},
	{
		Name: "attribute types", Why: "The types are listed in one order; DynamoDB Local lists them in another each time it is started.",
		Page: "Condition and filter expressions, operators, and functions in DynamoDB (Developer Guide)", local: valid + `.*(Invalid attribute type name found; .*|function: attribute_type, operand type: \{.*)`, engine: valid + `.*(Invalid attribute type name found; .*|function: attribute_type, operand type: \{.*)`,
	},
	{
		Name: "tokens", Why: "A token used again for another request is an error with a message, found after faults of the request; DynamoDB Local looks at the token first and has no message.",
		Page: "TransactWriteItems", ops: "TransactWriteItems", local: `IdempotentParameterMismatchException: `, engine: `(IdempotentParameterMismatch|TransactionCanceled|ResourceNotFound)Exception: .*|` + valid + `.*`,
	},
	{
		Name: "reserved words", Why: "CONVERT and SIZE are reserved words; DynamoDB Local has forgotten them.",
		Page: "Reserved words in DynamoDB (Developer Guide)", engine: valid + `Invalid \w+Expression: Attribute name is a reserved keyword; reserved keyword: (?i:convert|size)`,
	},
	{
		Name: "values in paths", Why: "A path is made of names; DynamoDB Local reads on when a value stands for one.",
		Page: "Referring to item attributes when using expressions in DynamoDB (Developer Guide)", local: valid + `.*`,
		engine: valid + `Invalid \w+Expression: Syntax error; token: ":\w+", near: "\. *:.*`,
	},
	{
		Name: "capacity of composite keys", Why: "An item that lacks a part of an index's key before and after a write costs the index nothing.",
		Page: capacityPage, ops: "PutItem UpdateItem DeleteItem BatchWriteItem", path: `\.ConsumedCapacity.*`, when: localCosts(more),
	},
	{
		Name: "scans of composite keys", Why: "An item is in an index as long as it has its key; DynamoDB Local's scan of an index of several partition attributes finds none any more once a number among them had 38 digits.",
		Page: gsiPage, ops: "Scan", path: `\.(Count|ScannedCount|Items|LastEvaluatedKey)`, when: emptyComposite,
	},
	{
		Name: "capacity of indexes", Why: "A read of an index is charged by what is projected into it; DynamoDB Local's scan takes the whole items.",
		Page: gsiPage, ops: "Scan Query", path: `\.ConsumedCapacity.*`, when: func(x *exchange) bool { _, ok := x.q.Body["IndexName"]; return ok && localCosts(more)(x) },
	},
	{
		Name: "size of partition keys", Why: "No partition key is longer than 2,048 bytes; DynamoDB Local lets a query ask for one.",
		Page: "Quotas in Amazon DynamoDB (Developer Guide)", ops: "Query", local: `ok`, engine: valid + `One or more parameter values were invalid: Size of hashkey has exceeded the maximum size limit of2048 bytes`,
	},
	{
		Name: "select first", Why: "Select is compared with the rest of the request before its table is looked at; DynamoDB Local goes the other way.",
		Page: "Query", ops: "Query Scan", local: valid + `.*|` + noTable, engine: valid + `(ALL_PROJECTED_ATTRIBUTES can be used only .*|Must specify the AttributesToGet .*|Cannot specify the .*)`,
	},
	{
		Name: "unused definitions", Why: "UpdateTable looks at definitions of a new index's keys alone; DynamoDB Local keeps others.",
		Page: "UpdateTable", path: `\.Table(Description)?\.AttributeDefinitions`, when: func(x *exchange) bool {
			kept := elements(x.at.local)
			return !slices.ContainsFunc(elements(x.at.engine), func(d any) bool {
				return !slices.ContainsFunc(kept, func(e any) bool { return encode(d) == encode(e) })
			})
		},
	},
	{
		Name: "unused definitions of another type", Why: "So they are no fault where an attribute of the table has another type.",
		Page: "UpdateTable", ops: "UpdateTable", local: valid + `invalid attribute, SchemaElement redefined should be of same type as previously defined`, engine: `ok`,
	},
	{
		Name: "definitions of a new index", Why: "A new index's key attributes are defined with it, and once; DynamoDB Local takes the table's own.",
		Page: "UpdateTable", ops: "UpdateTable", local: `ok`, engine: valid + `(One or more parameter values were invalid: (AttributeDefinitions is not specified for index: .*|Some index key attributes are not defined in AttributeDefinitions\. .*)|Attribute Name is duplicated: .*)`,
	},
	{
		Name: "changes together", Why: "Changes that go alone, and throughputs of the other billing mode, are refused; DynamoDB Local takes some.",
		Page: "UpdateTable", ops: "UpdateTable", local: `ok`, engine: valid + `One or more parameter values were invalid: (.* must be the only operation in the request|OnDemandThroughput can only be .*|You cannot .*|Only one global secondary index action is allowed .*|List of GlobalSecondaryIndexUpdates is empty|ProvisionedThroughput must be specified .*|The only Updates for index: .*|(Both|Neither) ReadCapacityUnits .*)`,
	},
	{
		Name: "item collections", Why: "ItemCollectionMetrics are returned for tables with local indexes; DynamoDB Local has none.",
		Page: lsiPage, path: `\.ItemCollectionMetrics`,
	},
	{
		Name: "updated parts", Why: "UPDATED_OLD and UPDATED_NEW return the parts of documents that the update names; DynamoDB Local returns whole attributes.",
		Page: "UpdateItem", ops: "UpdateItem", path: `\.Attributes.*`, when: func(x *exchange) bool {
			s, _ := x.q.Body["ReturnValues"].(string)
			return strings.HasPrefix(s, "UPDATED_")
		},
	},
	{
		Name: "updates of index keys", Why: "An attribute that is an index's key keeps its type; DynamoDB Local lets an update put another into a local index's.",
		Page: "UpdateItem", ops: "UpdateItem TransactWriteItems", local: `ok`, engine: valid + `The update expression attempted to update the secondary index key to unsupported type`,
	},
	{
		Name: "several faults in keys", Why: "Expressions are read whole before they are compared with the keys, and which attribute of a key is used wrongly first is not laid down.",
		Page: updatePage, local: valid + `Key attributes must be scalars; .*`, engine: expression + `|` + stored + `|` + valid + `(The provided key element does not match the schema|One or more parameter values are not valid\. The AttributeValue for a key attribute cannot contain an empty .*|Filter Expression can only contain .*|Consistent reads are not supported on global secondary indexes|Key attributes must be scalars; .*|One or more parameter values were invalid: Cannot update attribute .*)`,
	},
	{
		Name: "several faults of an index", Why: "Whether a key is used wrongly or an attribute is not projected is found first is not laid down.",
		Page: gsiPage, ops: "Query Scan", local: valid + `One or more parameter values were invalid: (Global s|S)econdary index \S+ does not project .*`, engine: valid + `Key attributes must be scalars; .*`,
	},
	{
		Name: "several faults in expressions", Why: "Which of a request's expressions is found wrong first is not laid down.",
		Page: commonPage, ops: "Query TransactWriteItems TransactGetItems", local: expression, engine: expression, when: otherExpression,
	},
	{
		Name: "several faults in an update", Why: "Which action of an update fails first is not laid down.",
		Page: updatePage, local: applied, engine: applied,
	},
	{
		Name: "key updates before conditions", Why: "An update of a key attribute, or of a part of one, is refused whatever the condition says; DynamoDB Local tries the condition first.",
		Page: updatePage, local: `ConditionalCheckFailedException: .*|` + valid + `Type mismatch for attribute to update`, engine: valid + `(One or more parameter values were invalid: Cannot update attribute \S+\. This attribute is part of the key|Key attributes must be scalars; .*)`,
	},
	{
		Name: "second path", Why: "Both paths are named; DynamoDB Local names another one of the request's as the second.",
		Page: updatePage, local: valid + `([^:]*: )?Two document paths (overlap|conflict) .*`, engine: valid + `([^:]*: )?Two document paths (overlap|conflict) .*`, when: sameFirstPath,
	},
	{
		Name: "reasons", Why: "What is wrong with one action of a transaction cancels it with a reason for each; DynamoDB Local refuses the request with one message.",
		Page: "TransactWriteItems", ops: "TransactWriteItems TransactGetItems", local: valid + `.*|TransactionCanceledException: .*`, engine: cancelled + `\[.*ValidationError.*\]`,
	},
	{
		Name: "requests of transactions", Why: "The expressions of all actions are read, and their tables looked for, before any action is tried.",
		Page: "TransactWriteItems", ops: "TransactWriteItems TransactGetItems", local: applied + `|` + localKey + `|TransactionCanceledException: .*`, engine: `ResourceNotFoundException: Requested resource not found|` + expression,
	},
	{
		Name: "texts of reasons", Why: "The message of a reason is that of the single write's error.",
		Page: "TransactWriteItems", ops: "TransactWriteItems TransactGetItems", path: `\.CancellationReasons\[\]\.Message`,
	},
	{
		Name: "throughput on demand", Why: "The description of an index of a table on demand has a throughput of nought; DynamoDB Local leaves it out.",
		Page: "DescribeTable", path: `\.Table(Description)?\.GlobalSecondaryIndexes\[\]\.Throughput`,
	},
	{
		Name: "empty lists of indexes", Why: "A list of local indexes that is given has an index; DynamoDB Local takes an empty one.",
		Page: "CreateTable", ops: "CreateTable", local: `ok`, engine: valid + `One or more parameter values were invalid: List of LocalSecondaryIndexes is empty`,
	},
	{
		Name: "quotas of throughput", Why: "More units than the account can have are a LimitExceededException.",
		Page: "Quotas in Amazon DynamoDB (Developer Guide)", ops: "CreateTable UpdateTable", local: `ok`, engine: `LimitExceededException: .*`,
	},
	{
		Name: "definitions", Why: "Faults of definitions name the attribute or index; DynamoDB Local has its own words and order.",
		Page: "CreateTable", ops: "CreateTable UpdateTable", local: `(ValidationException|ResourceInUseException|ResourceNotFoundException|LimitExceededException): .*`, engine: `(ValidationException|ResourceInUseException|ResourceNotFoundException|LimitExceededException): .*`,
	},
	{
		Name: "time to live", Why: "Faults of the specification name the attribute that is in use; DynamoDB Local has its own words.",
		Page: "UpdateTimeToLive", ops: "UpdateTimeToLive", local: valid + `.*`, engine: valid + `TimeToLive.*`,
	},
	{
		Name: "batches", Why: "What a batch asks for is judged item by item, in words of the single request; DynamoDB Local has its own words and order.",
		Page: "BatchWriteItem", ops: "BatchWriteItem BatchGetItem", local: localKey + `|` + stored + `|` + valid + `(Provided list of item keys contains duplicates|A value provided .*|DynamoDB only supports .*|The list of keys in RequestItems .*|The batch write request list .*|Item to put in PutItem cannot be null|Number (over|under)flow.*)`, engine: stored + `|` + expression + `|` + valid + `(The provided key element does not match the schema|One or more parameter values (were invalid: (Missing the key .*|Type mismatch for key .*)|are not valid. The AttributeValue for a key attribute cannot contain an empty .*))`,
	},
	{
		Name: "legacy updates' types", Why: "ADD and DELETE of a wrong type name it as requests do: S, not STRING.",
		Page: "AttributeValueUpdate", ops: "UpdateItem", local: valid + `One or more parameter values were invalid: (ADD|DELETE) action .* type [A-Z_]+`, engine: legacy,
	},
	{
		Name: "ConditionalOperator", Why: "It is about parameter values, which the message begins with.",
		Page: "Legacy conditional parameters (Developer Guide)", local: valid + `ConditionalOperator .*`, engine: valid + `One or more parameter values were invalid: ConditionalOperator .*`,
	},
	{
		Name: "legacy names twice", Why: "The name that comes twice is named.",
		Page: "GetItem", local: valid + `Cannot have two attributes with the same name`, engine: valid + `.*`,
	},
	{
		Name: "legacy operators", Why: "Operators are those of the API's model, one or two conditions make a query, and those that no index answers are refused as such; DynamoDB Local has words of its own.",
		Page: "Legacy conditional parameters (Developer Guide)", local: valid + `(Conditions must be at least length 1|Conditions can be of length 1 or 2 only|Only scalar types can be used as (Range|Hash) Key values|Comparison type does not exist in DynamoDB)`, engine: valid + `.*`,
	},
	{
		Name: "legacy updates of index keys", Why: "What would be put in an index's key is told with its index, and an attribute that is not there is deleted in vain; DynamoDB Local judges the operand.",
		Page: "AttributeValueUpdate", ops: "UpdateItem", local: valid + `(Updates on index keys must be of the same data type as the key attribute|One or more parameter values were invalid: Type mismatch for Index Key)`,
		engine: `ok|` + valid + `(Type mismatch for attribute to update|One or more parameter values were invalid: (Type mismatch for Index Key \S+ Expected: .*|Cannot update attribute \S+\. This attribute is part of the key))`,
	},
	{
		Name: "legacy parameters first", Why: "Legacy parameters are judged with the request, before its table, keys and conditions; DynamoDB Local judges some of them later.",
		Page: "Legacy conditional parameters (Developer Guide)", engine: legacy, when: func(x *exchange) bool { return !legacyFault.MatchString(x.local.String()) },
	},
	{
		Name: "values before legacy parameters", Why: "The values of keys and items are checked, and return values, before legacy parameters; DynamoDB Local goes the other way.",
		Page: commonPage, local: legacy, engine: stored + `|` + valid + `(ReturnValues can only be ALL_OLD or NONE|The provided starting key is invalid: .*|Item size has exceeded .*|The (TotalSegments|Segment) parameter .*)`,
	},
	{
		Name: "size of keys", Why: "Whether a key in a condition has the wrong type or is too long is found first is not laid down.",
		Page: "Query", ops: "Query", local: valid + `One or more parameter values were invalid: Aggregated size of all range keys has exceeded the size limit of 1024 bytes`, engine: valid + `One or more parameter values were invalid: Condition parameter type does not match schema type`,
	},
	{
		Name: "parts of keys in transactions", Why: "Attributes of keys have no parts, in condition checks either; DynamoDB Local tries these.",
		Page: "TransactWriteItems", ops: "TransactWriteItems", local: `ok|TransactionCanceledException: .*`, engine: cancelled + `\[.*ValidationError.*\]`, when: func(x *exchange) bool {
			return strings.Contains(encode(x.engine.body), "Key attributes must be scalars")
		},
	},
	{
		Name: "statements that insert twice", Why: "The exception is DuplicateItemException; DynamoDB Local calls it by the code that batches have for it.",
		Page: "ExecuteStatement", ops: "ExecuteStatement", local: `DuplicateItem: .*`, engine: `DuplicateItemException: .*`,
	},
	{
		Name: "statements over indexes", Why: "An index holds only what is projected into it, for a condition too; DynamoDB Local looks at the whole item.",
		Page: gsiPage, ops: "ExecuteStatement", local: `ok|` + valid + `.*`, engine: valid + `One or more parameter values were invalid: Secondary index \S+ does not project one or more filter attributes: .*`,
	},
	{
		Name: "texts of statements in batches", Why: "The message of a statement's error is that of the single statement's.",
		Page: "BatchExecuteStatement", ops: "BatchExecuteStatement", path: `\.Responses\[\]\.Error\.Message`, when: knownText,
	},
	{
		Name: "reasons of statements", Why: "What is wrong with one statement of a transaction cancels it with a reason for each; DynamoDB Local has one message, or none, for some faults.",
		Page: "ExecuteTransaction", ops: "ExecuteTransaction", local: applied + `|` + localKey + `|` + valid + `(One or more parameter values are not valid\. .*|One or more parameter values were invalid: Size limit exceeded)|TransactionCanceledException: .*|ResourceNotFoundException: .*`, engine: cancelled + `\[.*ValidationError.*\]|` + valid + `.*|ResourceNotFoundException: .*`,
	},
	{
		Name: "texts of statements in transactions", Why: "The message of a reason is that of the single statement's error, for EXISTS too.",
		Page: "ExecuteTransaction", ops: "ExecuteTransaction", path: `\.CancellationReasons\[\]\.Message`,
	},
	{
		Name: "items of EXISTS", Why: "ReturnValuesOnConditionCheckFailure goes for every statement; DynamoDB Local forgets EXISTS.",
		Page: "ExecuteTransaction", ops: "ExecuteTransaction", path: `\.CancellationReasons\[\]\.Item`, when: func(x *exchange) bool { return x.at.local == nil },
	},
	{
		Name: "modified parts", Why: "RETURNING MODIFIED shows the parts of documents that the update names, as ReturnValues does; DynamoDB Local returns whole attributes.",
		Page: "PartiQL update statements for DynamoDB (Developer Guide)", ops: "ExecuteStatement BatchExecuteStatement", path: `\.(Items|Responses).*`, when: func(x *exchange) bool {
			return strings.Contains(encode(x.q.Body), "RETURNING MODIFIED") || strings.Contains(encode(x.q.Body), "RETURNING modified")
		},
	},
	{
		Name: "empty maps of statements", Why: "The item of a failed condition is shown as it is; DynamoDB Local leaves empty maps out of it.",
		Page: "BatchStatementError", ops: "BatchExecuteStatement ExecuteStatement ExecuteTransaction", path: `\..*Item\..*\.M`, when: func(x *exchange) bool { m, ok := x.at.engine.(object); return x.at.local == nil && ok && len(m) == 0 },
	},
	{
		Name: "keys too long", Why: "What is too long is said to be the hash key or the range keys.",
		Page: "Quotas in Amazon DynamoDB (Developer Guide)", local: valid + `(Hash primary key values must be under 2048 bytes, .*|One or more parameter values were invalid: Size limit exceeded)`, engine: valid + `One or more parameter values were invalid: (Size of hashkey|Aggregated size of all range keys) has exceeded the (maximum )?size limit of.*`,
	},
	{
		Name: "keys of another type", Why: "A value that no key attribute can have is a fault of the statement, before others of the table's; DynamoDB Local does not always find it, or finds another first.",
		Page: partiqlPage, ops: "ExecuteStatement", engine: valid + `(Key attribute's data type should match its data type in table's schema: Key \S+|One or more parameter values were invalid: Condition parameter type does not match schema type)`, when: spoilt,
	},
	{
		Name: "malformed statements", Why: "Which of several things is wrong with a text that is hardly a statement is not laid down.",
		Page: partiqlPage, ops: "ExecuteStatement BatchExecuteStatement ExecuteTransaction", when: malformed,
	},
	{
		Name: "streams not there", Why: "What is not there is named, stream or shard; DynamoDB Local says it for one of the operations.",
		Page: "GetShardIterator", ops: "GetShardIterator GetRecords", local: `ResourceNotFoundException: (Stream|Shard) does not exist`, engine: `ResourceNotFoundException: Requested resource not found: (Stream|Shard): .*`,
	},
	{
		Name: "sequence numbers", Why: "A sequence number that the shard does not have is a fault of a parameter; DynamoDB Local has words of its own.",
		Page: "GetShardIterator", ops: "GetShardIterator", local: valid + `Invalid SequenceNumber.*`, engine: valid + `One or more parameter values were invalid: Invalid SequenceNumber`,
	},
	{
		Name: "latest of an empty shard", Why: "LATEST reads what comes after it; DynamoDB Local calls it trimmed at once where a stream was enabled again.",
		Page: "GetShardIterator", ops: "GetRecords", local: `TrimmedDataAccessException: .*`, engine: `ok`, when: func(x *exchange) bool { return x.q.Body["ShardIteratorType"] == "LATEST" },
	},
	{
		Name: "unknown operations", Why: "DynamoDB Local does not have these operations.",
		Page: "DynamoDB low-level API (Developer Guide)", ops: "TagResource UntagResource ListTagsOfResource DescribeEndpoints", local: `UnknownOperationException: .*`,
	},
}

// malformed is true for a statement that something was made wrong with, of
// which both engines say that it is no good, in the words they have for that.
func malformed(x *exchange) bool {
	if !spoilt(x) {
		return false
	}
	for _, o := range []*outcome{x.local, x.engine} {
		if !whole(valid+`(Validation failed in \w+\[\d+\]: )?(`+badStatement+`)`, o.String()) {
			return false
		}
	}
	return true
}

// badStatement are faults of the text of a statement.
const badStatement = `Statement wasn't well formed, .*|Unsupported (token|operation|operator|clause|data type|format).*|EXISTS .*|Unexpected (from source|path component.*)|` +
	`Aliasing is not supported|The (first |second )?arguments? to .*|SET_[A-Z]+ must .*|The arguments? to .*|WHERE clause must .*|Invalid list expression.*|Tuple keys .*|MISSING must .*|Argument to ORDER BY .*|Number of parameters .*|IN operator must .*|Expected '\*' .*|Invalid (syntax|returning) .*|The BETWEEN operator .*|Incorrect operand type .*|PartiQL statements cannot .*|One or more parameter values were invalid: Global secondary index \S+ does not project .*|Consistent reads .*|Variable reference .*|Key attribute's data type .*|RETURNING .*|Select statements .*|Key value must .*|Incorrect number of operands .*`

// knownText is true for a message of which DynamoDB Local's own wording is
// listed where it stands alone.
func knownText(x *exchange) bool {
	text, _ := x.at.engine.(string)
	if theirs, _ := x.at.local.(string); spoilt(x) && whole(badStatement, text) && whole(badStatement, theirs) {
		return true
	}
	return whole(`Requested resource not found|One or more parameter values were invalid: Type mismatch for Index Key .*|The update expression attempted .*|`+
		`The parameter cannot be converted .*|One or more parameter values were invalid: (Size of hashkey|Aggregated size of all range keys) .*|Attempting to store more than 38 .*|.*Invalid attribute type name found; .*|.*: Input collection .*`, text) ||
		whole(applied, valid+text) || sameTextButNumbers(x)
}

// sameTextButNumbers is true for two texts that differ in the form of numbers alone.
func sameTextButNumbers(x *exchange) bool {
	a, _ := x.at.local.(string)
	b, _ := x.at.engine.(string)
	return sameButNumbers(&exchange{local: &outcome{failed: true, message: a}, engine: &outcome{failed: true, message: b}})
}

var legacyFault = regexp.MustCompile(`^(?:` + legacy + `)$`)

// spoilt is true for a request that something was made wrong with.
func spoilt(x *exchange) bool { return x.q.faults > 0 }

var whichExpression = regexp.MustCompile(`Invalid \w+Expression`)

// otherExpression is true when the two faults are in different expressions.
func otherExpression(x *exchange) bool {
	return whichExpression.FindString(x.local.String()) != whichExpression.FindString(x.engine.String())
}

func notAsked(member string) func(*exchange) bool {
	return func(x *exchange) bool { v, asked := x.q.Body[member]; return !asked || v == "NONE" }
}

// emptyComposite reports whether DynamoDB Local found nothing in an index of
// several partition attributes.
func emptyComposite(x *exchange) bool {
	body, _ := x.local.body.(object)
	return fmt.Sprint(body["ScannedCount"]) == "0" && x.q.table != nil && slices.ContainsFunc(x.q.table.indexes, func(i *index) bool {
		return len(i.hash) > 1 && i.name == x.q.Body["IndexName"]
	})
}

// localCosts is true when the total that DynamoDB Local consumed, of any table,
// compares to the engine's as wanted.
func localCosts(compare func(local, engine float64) bool) func(*exchange) bool {
	return func(x *exchange) bool {
		a, b := costs(x.local), costs(x.engine)
		for t := range b {
			if a[t] != b[t] && !compare(a[t], b[t]) {
				return false
			}
		}
		return true
	}
}

func less(a, b float64) bool { return a < b }
func more(a, b float64) bool { return a > b }

// costs returns the capacity units of each table.
func costs(o *outcome) map[string]float64 {
	units := map[string]float64{}
	body, _ := o.body.(object)
	list, ok := body["ConsumedCapacity"].([]any)
	if !ok {
		list = []any{body["ConsumedCapacity"]}
	}
	for _, e := range list {
		c, _ := e.(object)
		name, _ := c["TableName"].(string)
		n, _ := c["CapacityUnits"].(json.Number)
		r, _ := new(big.Rat).SetString(string(n))
		if r != nil {
			units[name], _ = r.Float64()
		}
	}
	return units
}

// sameNumbers is true for one number written in two ways.
func sameNumbers(x *exchange) bool {
	a, ok1 := x.at.local.(string)
	b, ok2 := x.at.engine.(string)
	return ok1 && ok2 && ratio(a) == ratio(b)
}

// byValue writes every number of v's attribute values in one way.
func byValue(name string, v any) any {
	switch v := v.(type) {
	case object:
		for k, e := range v {
			v[k] = byValue(k, e)
		}
	case []any:
		if name == "NS" {
			name = "N"
		}
		for i, e := range v {
			v[i] = byValue(name, e)
		}
	case string:
		if name == "N" {
			return ratio(v)
		}
	}
	return v
}

func ratio(s string) string {
	if r, ok := new(big.Rat).SetString(s); ok {
		return r.RatString()
	}
	return s
}

var numberShown = regexp.MustCompile(`\{N:([^}]*)\}`)

func sameButNumbers(x *exchange) bool {
	norm := func(o *outcome) string {
		return numberShown.ReplaceAllStringFunc(o.String(), func(m string) string { return "{N:" + ratio(m[3:len(m)-1]) + "}" })
	}
	return norm(x.local) == norm(x.engine)
}

var pathTwo = regexp.MustCompile(`, path two: .*`)

func sameFirstPath(x *exchange) bool {
	return pathTwo.ReplaceAllString(x.local.String(), "") == pathTwo.ReplaceAllString(x.engine.String(), "")
}

// binaryContains reports whether a legacy parameter asks what a binary contains.
func binaryContains(x *exchange) bool {
	return slices.ContainsFunc([]string{"Expected", "QueryFilter", "ScanFilter"}, func(m string) bool {
		text := encode(x.q.Body[m])
		return strings.Contains(text, "CONTAINS") && strings.Contains(text, `"B":`)
	})
}
