// Package conformance holds one set of behaviour cases for DynamoDB and runs
// it on any engine that speaks DynamoDB's JSON protocol: on the embedded
// engine always, and on DynamoDB Local when DYNORM_TEST_ENDPOINT names one.
//
// A case is a short script of raw requests and the answers the service gives,
// in a file under testdata/cases grouped by theme:
//
//	== a put replaces the whole item
//	tables: T_hash
//	> PutItem {"TableName": "T_hash", "Item": {"pk": {"S": "a"}, "n": {"N": "1"}}}
//	< {}
//	> GetItem {"TableName": "T_none", "Key": {"pk": {"S": "a"}}}
//	! ResourceNotFoundException: Cannot do operations on a non-existent table
//
// The requests go over HTTP as they are written, so that malformed requests
// and ones no SDK can express are sent too. [ParseScript] documents the
// format, [Match] how answers are compared.
//
// Where DynamoDB Local is known to answer differently from the service, the
// case gives both answers and, on its local line, the AWS page that says which
// is right; the embedded engine is held to the service's.
//
// The differential fuzzer in the difffuzz folder sends random requests to two
// engines in lockstep and compares what comes back.
package conformance
