// Command bench measures dynorm against what people write without it: the SDK
// with hand-written conversions, the SDK with attributevalue and expression,
// and guregu/dynamo.
//
//	go run . [-passes N] [-time D] [-items N] [-run REGEXP] [-out FILE]
//
// Requests go to a transport that answers at once with canned DynamoDB JSON,
// so what is measured is the client's own work, the SDK's included; in the rows
// about connections and concurrency they go to a server in another process. The
// cold start is that of programs built for it, in the folder cold. Before
// anything is timed, all peers have to store the same items and read the same
// values on the embedded engine.
//
// Peers take turns within each pass and a figure is the median over passes;
// ratios are taken within a pass, so that a machine that slows down halfway
// does not favour anyone.
package main
