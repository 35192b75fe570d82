// Package api serves the Lambda Runtime API to the runtime of one execution
// environment.
//
// New takes the listener that the runtime dials (AWS_LAMBDA_RUNTIME_API) and
// serves on it until Close. The runtime asks for work with GET next: its first
// ask ends the init phase, each later one makes the environment idle again.
// Invoke hands it one event and returns its answer, whole or, to a Stream, as it
// comes. An Environment serves one invocation at a time, as Lambda does, or with
// MaxConcurrency several, as Lambda Managed Instances do.
//
// What it serves (AWS documentation: "Using the Lambda runtime API"; messages,
// limits and the state machine as in the source of the AWS Lambda Runtime
// Interface Emulator):
//
//	GET  /2018-06-01/runtime/invocation/next           200, blocks
//	POST /2018-06-01/runtime/invocation/{id}/response  202
//	POST /2018-06-01/runtime/invocation/{id}/error     202
//	POST /2018-06-01/runtime/init/error                202
//	GET  /2018-06-01/runtime/restore/next              200, blocks; SnapStart alone
//	POST /2018-06-01/runtime/restore/error             202; SnapStart alone
//	GET  /2018-06-01/ping                              200
//	POST /2020-01-01/extension/register                200
//	GET  /2020-01-01/extension/event/next              200, blocks
//	POST /2020-01-01/extension/init/error              202
//	POST /2020-01-01/extension/exit/error              202
//	PUT  /2022-07-01/telemetry                         200
//	PUT  /2020-08-15/logs                              200, the same with fewer events
//
// Beyond what AWS has, a runtime may tell when its first instruction was, in a header of
// its first ask (FirstInstructionHeader).
//
// It stands on the warm path of every invocation, so a connection is one
// goroutine that reads requests with http.ReadRequest and writes prepared
// bytes; net/http's server would add a second goroutine a connection (it
// watches for a hang-up while next blocks), a context, and a header map for
// each response. The price is that a runtime which hangs up while it waits is
// noticed only when it dies or asks again: then the event is rendered again.
//
// A streamed response is read by the connection and written by Invoke, piece by
// piece, hand in hand: a caller who doesn't take it blocks its own goroutine, and
// an environment that ends meanwhile waits for nobody.
package api
