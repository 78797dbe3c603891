// Command bench measures dynorm against what people write without it: the SDK
// with hand-written conversions, the SDK with attributevalue and expression,
// and guregu/dynamo.
//
//	go run . [-passes N] [-time D] [-run REGEXP] [-out FILE]
//
// Requests go to a transport that answers at once with canned DynamoDB JSON,
// so what is measured is the client's own work, the SDK's included. Before
// anything is timed, all peers have to store the same items and read the same
// values on the embedded engine.
//
// Peers take turns within each pass and a figure is the median over passes;
// ratios are taken within a pass, so that a machine that slows down halfway
// does not favour anyone.
package main
