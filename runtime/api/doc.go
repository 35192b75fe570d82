// Package api serves the Lambda Runtime API to the runtime of one execution
// environment.
//
// New takes the listener that the runtime dials (AWS_LAMBDA_RUNTIME_API) and
// serves on it until Close. The runtime asks for work with GET next: its first
// ask ends the init phase, each later one makes the environment idle again.
// Invoke hands it one event and returns its answer. An Environment serves one
// invocation at a time, as Lambda does.
//
// What it serves (AWS documentation: "Using the Lambda runtime API"; messages,
// limits and the state machine as in the source of the AWS Lambda Runtime
// Interface Emulator):
//
//	GET  /2018-06-01/runtime/invocation/next           200, blocks
//	POST /2018-06-01/runtime/invocation/{id}/response  202
//	POST /2018-06-01/runtime/invocation/{id}/error     202
//	POST /2018-06-01/runtime/init/error                202
//	GET  /2018-06-01/ping                              200
//	POST /2020-01-01/extension/register                200, internal extensions without events
//	GET  /2020-01-01/extension/event/next              blocks for ever
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
// Left out in this version: response streaming to the caller (a streamed
// response is accepted and buffered), restore/next and restore/error
// (SnapStart), Lambda-Runtime-Invocation-Id (an environment is never used again
// after a timeout, so that there is no stale attempt to tell apart), external
// extensions and extension events, the Logs and Telemetry APIs.
package api
